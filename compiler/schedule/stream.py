"""Sums down long columns: rows are read whole and in order, accumulators live in the cache.

Takes: a reduction whose vectors run across results, wider than the registers hold. Gives: its nest.
Rows are cut into parts whose partial results are the accumulators themselves; they are joined in
order afterwards. Must not know: reductions along the contiguous axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..kernel import Generic
from ..mlir.ir import Value
from ..types import MemRefType
from .axes import parallel_loops
from .nest import At, Lanes, Nest
from .passes import Pass, Space, combine, hold_all, run_pass

ROWS_TOGETHER = 4
"""Rows added to an accumulator between its load and its store."""
PART_WORK = 1 << 19
"""Elements of one part, at least: below, joining parts costs more than it gains."""
MAX_PARTS = 32
"""The most parts that rows are cut into."""


class StreamLoops:
    """Writes parts of rows against the whole width, then joins them."""

    def __init__(
        self, nest: Nest, space: Space, step: Pass, before: Sequence[Generic], lanes: int,
        width: int, narrow: int,
    ) -> None:  # fmt: skip
        """`width` columns make a block; of up to `narrow` all accumulators fit in registers."""
        self.nest = nest
        self.narrow = narrow
        self.b = nest.b
        self.space = space
        self.step = step
        self.before = before
        reduction = step.reduction
        assert reduction is not None
        self.reduction = reduction
        self.lanes = lanes
        *self.outer, self.inner = space.extents(space.outer_groups)
        self.width = min(width, self.inner)
        self.rows = space.extents(space.row_groups)
        self.vector_dim = space.outer_groups[-1][-1]
        self.partials: list[Value] = []

    def write(self) -> tuple[int, int]:
        """Accumulate every part; returns how many there are and the workspace bytes."""
        results = math.prod(self.outer) * self.inner
        first, *rest = self.rows
        parts = max(1, min(MAX_PARTS, first, results * math.prod(self.rows) // PART_WORK))
        size = -(-first // parts)
        parts, left = -(-first // size), first % size
        nbytes = self._add_partials(results, parts)
        whole = parts - (left > 0)
        if whole:
            self._parts(self.b.index(0), whole, [size, *rest], size)
        if left:
            self._parts(self.b.index(whole), 1, [left, *rest], size)
        return parts, nbytes

    def _add_partials(self, results: int, parts: int) -> int:
        sizes = [
            -(-results * parts * o.type.dtype.itemsize // 64) * 64 for o in self.reduction.outs
        ]
        space, offset = self.nest.add_workspace(sum(sizes)), 0
        for out, size in zip(self.reduction.outs, sizes):
            type = MemRefType((results * parts,), out.type.dtype)
            self.partials.append(self.b.op("memref.view", [space, self.b.index(offset)], type))
            offset += size
        return sum(sizes)

    def _parts(self, base: Value, count: int, extents: Sequence[int], size: int) -> None:
        """`count` parts from number `base` on, each of `extents` rows, in blocks of columns."""
        blocks, left = divmod(self.inner, self.width)
        work = math.prod(extents) * self.width / self.lanes

        def body(joined: Sequence[Value], width: int, *, edge: bool) -> None:
            number, *outer = joined
            column = self.b.index(blocks * self.width)
            if not edge:
                *outer, block = outer
                column = self.b.mul(block, self.width)
            number = self.b.add(base, number)
            self._block(number, outer, column, width, extents, self.b.mul(number, size))

        if blocks:
            parallel_loops(
                self.nest,
                [count, *self.outer, blocks],
                work,
                lambda joined: body(joined, self.width, edge=False),
            )
        if left:
            parallel_loops(
                self.nest, [count, *self.outer], work, lambda joined: body(joined, left, edge=True)
            )

    def place(self, number: Value, outer: Sequence[Value], column: Value) -> Value:
        """Where the partial result of a column stands."""
        total = number
        for value, extent in zip([*outer, column], [*self.outer, self.inner]):
            total = self.b.add(self.b.mul(total, extent), value)
        return total

    def _block(
        self, number: Value, outer: Sequence[Value], column: Value, width: int,
        extents: Sequence[int], start: Value,
    ) -> None:  # fmt: skip
        """Units into the accumulators, then rows, some at a time."""
        place = self.place(number, outer, column)
        coords = [self.b.index(0)] * len(self.space.dims)
        for group, value in zip(self.space.outer_groups, [*outer, column]):
            coords[group[-1]] = value
        if width <= self.narrow:
            self._narrow(coords, extents, start, place, width)
            return

        def clear(offset: Value, lanes: Lanes) -> None:
            for buffer, out in zip(self.partials, self.reduction.outs):
                unit = self.nest.unit(out, self.lanes)
                self.nest.put(unit, buffer, self.b.add(place, offset), lanes)

        self._across(width, clear)
        self._rows(coords, extents, start, 0, place, width)

    def _narrow(
        self, coords: list[Value], extents: Sequence[int], start: Value, place: Value, width: int
    ) -> None:
        """So few columns that their accumulators stay in registers for all rows of the part."""
        b, nest, dim = self.b, self.nest, self.vector_dim
        vectors = [Lanes(dim, self.lanes)] * (width // self.lanes)
        if width % self.lanes:
            mask = nest.first_mask(width % self.lanes, self.lanes)
            vectors.append(Lanes(dim, self.lanes, mask))
        each = len(self.reduction.outs)
        known = []
        for k, lanes in enumerate(vectors):
            at = list(coords[: self.space.outer])
            at[dim] = b.add(coords[dim], k * self.lanes)
            known.append(hold_all(nest, self.before, At(tuple(at), lanes)))
            nest.held.clear()

        def row(at: list[Value], held: list[Value]) -> list[Value]:
            made: list[Value] = []
            for k, lanes in enumerate(vectors):
                here = list(at)
                here[dim] = b.add(coords[dim], k * self.lanes)
                nest.held = dict(known[k])
                mine = held[k * each : (k + 1) * each]
                made += run_pass(nest, self.step, At(tuple(here), lanes), mine)
            nest.held.clear()
            return [nest.bodies.spread(v, self.lanes) for v in made]

        def loops(at: list[Value], held: list[Value], depth: int) -> list[Value]:
            if depth == len(extents):
                return row(at, held)

            def inner(i: Value, values: list[Value]) -> Sequence[Value]:
                here = list(at)
                here[self.space.row_groups[depth][-1]] = b.add(start, i) if depth == 0 else i
                return loops(here, values, depth + 1)

            return b.loop_carry(b.index(0), b.index(extents[depth]), b.index(1), held, inner)

        units = [nest.unit(o, self.lanes) for o in self.reduction.outs] * len(vectors)
        flat = loops(coords, units, 0)
        for k, value in enumerate(flat):
            where = b.add(place, k // each * self.lanes)
            nest.put(value, self.partials[k % each], where, vectors[k // each])

    def _across(self, width: int, body) -> None:  # type: ignore[no-untyped-def]
        """`body(offset, lanes)` for every vector of `width` columns."""
        b = self.b
        whole = width // self.lanes * self.lanes
        full = Lanes(self.vector_dim, self.lanes)
        if whole:
            with b.loop(b.index(0), b.index(whole), b.index(self.lanes)) as offset:
                body(offset, full)
        if width > whole:
            mask = self.nest.first_mask(width - whole, self.lanes)
            body(b.index(whole), Lanes(self.vector_dim, self.lanes, mask))

    def _rows(
        self, coords: list[Value], extents: Sequence[int], start: Value, depth: int, place: Value,
        width: int,
    ) -> None:  # fmt: skip
        b = self.b
        dim = self.space.row_groups[depth][-1]
        first = start if depth == 0 else b.index(0)
        if depth + 1 < len(extents):
            with b.loop(b.index(0), b.index(extents[depth]), b.index(1)) as i:
                at = list(coords)
                at[dim] = b.add(first, i)
                self._rows(at, extents, start, depth + 1, place, width)
            return
        count = extents[depth]
        together = count // ROWS_TOGETHER * ROWS_TOGETHER
        if together:
            with b.loop(b.index(0), b.index(together), b.index(ROWS_TOGETHER)) as i:
                self._sweep(coords, dim, b.add(first, i), ROWS_TOGETHER, place, width)
        if count > together:
            self._sweep(coords, dim, b.add(first, together), count - together, place, width)

    def _sweep(
        self, coords: list[Value], dim: int, row: Value, count: int, place: Value, width: int
    ) -> None:
        """`count` rows from `row` on, added to all columns of the block."""
        b, nest = self.b, self.nest

        def body(offset: Value, lanes: Lanes) -> None:
            where = b.add(place, offset)
            held = [nest.get(buffer, where, lanes) for buffer in self.partials]
            outer = list(coords[: self.space.outer])
            outer[self.vector_dim] = b.add(coords[self.vector_dim], offset)
            hold_all(nest, self.before, At(tuple(outer), lanes))
            for k in range(count):
                at = list(coords)
                at[self.vector_dim] = b.add(coords[self.vector_dim], offset)
                at[dim] = b.add(row, k)
                taken = run_pass(nest, self.step, At(tuple(at), lanes), held)
                held = [nest.bodies.spread(v, self.lanes) for v in taken]
            nest.held.clear()
            for value, buffer in zip(held, self.partials):
                nest.put(value, buffer, where, lanes)

        self._across(width, body)

    def joined(
        self, parts: int, outer: Sequence[Value], column: Value, lanes: Lanes
    ) -> list[Value]:
        """All parts of a vector of columns, joined in order."""
        b, nest = self.b, self.nest

        def load(number: Value) -> list[Value]:
            where = self.place(number, outer, column)
            return [nest.get(buffer, where, lanes) for buffer in self.partials]

        if parts == 1:
            return load(b.index(0))
        return b.loop_carry(
            b.index(1), b.index(parts), b.index(1), load(b.index(0)),
            lambda i, held: combine(nest, self.reduction, held, load(i)),
        )  # fmt: skip
