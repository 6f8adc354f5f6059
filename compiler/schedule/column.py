"""Reductions whose vectors run across results: sums over leading axes, over all but the channels.

Takes: a Kernel of kind reduce. Gives: its loop nest. Reductions along the contiguous axis go to
`row.py`. Few results over many rows are cut into blocks of rows, joined in order afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..kernel import REDUCTION, Generic, Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from ..types import MemRefType
from .map import parallel_loops
from .nest import At, Lanes, Nest, address_form, body_dtypes, body_work, vector_lanes
from .passes import Space, combine, passes_of, space_of
from .row import schedule_row
from .scheduled import Scheduled

COLUMNS = 4
"""Vectors side by side: their additions hide each other's latency."""
SPLIT_WORK = 65536
"""Operations of a reduction with few results from which on it is cut into blocks of rows."""
BLOCK_WORK = 65536


def schedule_reduce(kernel: Kernel, target: Target, module: Module, name: str) -> Scheduled:
    """The loop nest of a reduction: along the contiguous axis if that is reduced, else across it."""
    space = space_of(kernel)
    if not space.outer_groups or not space.row_groups or not _across(kernel, space):
        return schedule_row(kernel, target, module, name)
    nest = Nest(kernel, target, module, name)
    workspace = 0
    if all(space.dims[: space.outer]):
        workspace = ColumnLoops(nest, space).write()
    nest.finish()
    module.ops.append(nest.function)
    return Scheduled(nest.function, workspace)


def _across(kernel: Kernel, space: Space) -> bool:
    """Whether more of the data is contiguous along the last result dim than along the last row dim."""
    column, row = space.outer_groups[-1][-1], space.row_groups[-1][-1]
    if space.dims[row] < 8 <= space.dims[column]:
        return True  # a short row fills no vector
    score = 0
    for g in kernel.generics:
        for r in g.reads:
            if r.map is None or len(g.dims) <= space.outer or r.source >= len(kernel.params):
                continue
            form = address_form(r.map, kernel.value_types[r.source].shape)[0]
            weight = kernel.value_types[r.source].size
            score += weight * ((form[column] == 1) - (form[row] == 1))
    return score > 0


class ColumnLoops:
    """Writes blocks of neighbouring results, each over all rows."""

    def __init__(self, nest: Nest, space: Space) -> None:
        self.nest = nest
        self.b = nest.b
        self.space = space
        passes = passes_of(nest.kernel, space)
        self.step = next(p for p in passes if p.over_row)
        self.after = [g for p in passes if not p.over_row for g in p.generics]
        reduction = self.step.reduction
        assert reduction is not None
        self.reduction = reduction
        *self.outer, self.inner = space.extents(space.outer_groups)
        self.rows = space.extents(space.row_groups)
        self.vector_dim = space.outer_groups[-1][-1]
        self.lanes = vector_lanes(nest.target, body_dtypes(nest.kernel), self.inner)
        self.work = sum(body_work(g) for g in self.step.generics) / self.lanes
        self.partials: list[Value] = []

    def write(self) -> int:
        """The nest; returns the workspace bytes."""
        total_rows = math.prod(self.rows)
        results = math.prod(self.outer) * self.inner
        pieces = math.prod(self.outer) * -(-self.inner // (COLUMNS * self.lanes))
        if pieces < 16 and results * total_rows * self.work * self.lanes >= SPLIT_WORK * 4:
            return self._write_split(results)
        self._columns([], lambda coords, lanes, count: self._whole(coords, lanes, count))
        return 0

    # -- blocks of columns ------------------------------------------------------------------
    def _columns(
        self,
        leading: Sequence[int],
        body: Callable[[Sequence[Value], list[Lanes], Value], None],
    ) -> None:
        """`body(outer coordinates, lanes of each vector, first column)` for all columns.

        `leading` extents come before the outer ones in the coordinates, and run in parallel too.
        """
        b = self.b
        width = COLUMNS * self.lanes
        blocks, left = divmod(self.inner, width)
        work = self.work * math.prod(self.rows) * COLUMNS * self.lanes
        full = [Lanes(self.vector_dim, self.lanes)] * COLUMNS
        rest = [Lanes(self.vector_dim, self.lanes)] * (left // self.lanes)
        if left % self.lanes:
            mask = self.nest.first_mask(left % self.lanes, self.lanes)
            rest.append(Lanes(self.vector_dim, self.lanes, mask))
        if blocks:

            def block(joined: Sequence[Value]) -> None:
                *coords, number = joined
                body(coords, full, b.mul(number, width))

            parallel_loops(self.nest, [*leading, *self.outer, blocks], work, block)
        if rest:

            def edge(joined: Sequence[Value]) -> None:
                body(joined, rest, b.index(blocks * width))

            parallel_loops(self.nest, [*leading, *self.outer], work, edge)

    def _coords(self, outer: Sequence[Value], column: Value) -> list[Value]:
        coords = [self.b.index(0)] * len(self.space.dims)
        for group, value in zip(self.space.outer_groups, [*outer, column]):
            coords[group[-1]] = value
        return coords

    def _accumulate(
        self, outer: Sequence[Value], vectors: list[Lanes], column: Value, rows: Sequence[int],
        start: Value,
    ) -> list[list[Value]]:  # fmt: skip
        """What each vector of columns holds after `rows` (extents; the first begins at `start`)."""
        b = self.b
        coords = self._coords(outer, column)
        each = len(self.reduction.outs)
        units = [self.nest.unit(o, self.lanes) for o in self.reduction.outs] * len(vectors)

        def loops(at: list[Value], held: list[Value], depth: int) -> list[Value]:
            if depth == len(rows):
                return self._row_of(at, vectors, held)

            def inner(i: Value, values: list[Value]) -> Sequence[Value]:
                place = list(at)
                place[self.space.row_groups[depth][-1]] = b.add(start, i) if depth == 0 else i
                return loops(place, values, depth + 1)

            return b.loop_carry(b.index(0), b.index(rows[depth]), b.index(1), held, inner)

        flat = loops(coords, units, 0)
        return [flat[k * each : (k + 1) * each] for k in range(len(vectors))]

    def _row_of(self, coords: list[Value], vectors: list[Lanes], held: list[Value]) -> list[Value]:
        """One row of the block: every vector takes its elements."""
        nest, each = self.nest, len(self.reduction.outs)
        result: list[Value] = []
        for k, lanes in enumerate(vectors):
            at = list(coords)
            at[self.vector_dim] = self.b.add(coords[self.vector_dim], k * self.lanes)
            point = At(tuple(at), lanes)
            made = []
            for g in self.step.generics:
                if REDUCTION in g.kinds:
                    result += nest.run(g, point, held[k * each : (k + 1) * each])
                    continue
                for n, value in enumerate(nest.run(g, point)):
                    number = nest.number_of(g, n)
                    nest.held[number] = value
                    made.append(number)
            for number in made:
                del nest.held[number]
        return [nest.bodies.spread(v, self.lanes) for v in result]

    def _finish(
        self, outer: Sequence[Value], lanes: Lanes, column: Value, held: list[Value]
    ) -> None:
        """Outer Generics on a vector of results, and their stores."""
        nest = self.nest
        at = At(tuple(self._coords(outer, column)[: self.space.outer]), lanes)
        self._keep(self.reduction, held, at)
        for g in self.after:
            self._keep(g, nest.run(g, at), at)
        nest.held.clear()

    def _keep(self, generic: Generic, values: Sequence[Value], at: At) -> None:
        nest = self.nest
        for k, (out, value) in enumerate(zip(generic.outs, values)):
            number = nest.number_of(generic, k)
            assert out.map is not None
            if number in nest.buffers:
                missing = out.map.dims - len(at.coords)
                full = At((*at.coords, *[self.b.index(0)] * missing), at.lanes)
                nest.store(value, nest.buffers[number], out.map, full)
            nest.held[number] = value

    def _whole(self, outer: Sequence[Value], vectors: list[Lanes], column: Value) -> None:
        """All rows at once."""
        held = self._accumulate(outer, vectors, column, self.rows, self.b.index(0))
        for k, lanes in enumerate(vectors):
            self._finish(outer, lanes, self.b.add(column, k * self.lanes), held[k])

    # -- blocks of rows ---------------------------------------------------------------------
    def _write_split(self, results: int) -> int:
        """Blocks of rows in parallel into partial results, then those joined in order."""
        b = self.b
        first, *rest = self.rows
        per_row = results * math.prod(rest) * self.work * self.lanes
        size = max(1, min(first, int(BLOCK_WORK / max(per_row, 1.0))))
        while -(-first // size) > 256:
            size *= 2
        blocks, left = divmod(first, size)
        parts = blocks + (left > 0)
        nbytes = self._add_partials(results, parts)

        def part(extents: list[int]) -> Callable[[Sequence[Value], list[Lanes], Value], None]:
            def body(joined: Sequence[Value], vectors: list[Lanes], column: Value) -> None:
                number, *outer = joined
                self._store_part(outer, vectors, column, number, extents, size, results)

            return body

        if blocks:
            self._columns([blocks], part([size, *rest]))
        if left:
            tail = part([left, *rest])
            self._columns([], lambda c, v, column: tail([b.index(blocks), *c], v, column))
        self._columns([], lambda c, v, column: self._join(c, v, column, parts, results))
        return nbytes

    def _add_partials(self, results: int, parts: int) -> int:
        sizes = [
            -(-results * parts * o.type.dtype.itemsize // 64) * 64 for o in self.reduction.outs
        ]
        space, offset = self.nest.add_workspace(sum(sizes)), 0
        for out, size in zip(self.reduction.outs, sizes):
            type = MemRefType((results * parts,), out.type.dtype)
            view = self.b.op("memref.view", [space, self.b.index(offset)], type)
            self.partials.append(view)
            offset += size
        return sum(sizes)

    def _place(self, outer: Sequence[Value], column: Value, number: Value, results: int) -> Value:
        total = number
        for value, extent in zip([*outer, column], [*self.outer, self.inner]):
            total = self.b.add(self.b.mul(total, extent), value)
        return total

    def _store_part(
        self, outer: Sequence[Value], vectors: list[Lanes], column: Value, number: Value,
        extents: Sequence[int], size: int, results: int,
    ) -> None:  # fmt: skip
        b = self.b
        held = self._accumulate(outer, vectors, column, extents, b.mul(number, size))
        for k, lanes in enumerate(vectors):
            place = self._place(outer, b.add(column, k * self.lanes), number, results)
            for value, buffer in zip(held[k], self.partials):
                self.nest.put(value, buffer, place, lanes)

    def _join(
        self, outer: Sequence[Value], vectors: list[Lanes], column: Value, parts: int, results: int
    ) -> None:
        b, nest = self.b, self.nest
        for k, lanes in enumerate(vectors):
            start = b.add(column, k * self.lanes)

            def load(number: Value, start: Value = start, lanes: Lanes = lanes) -> list[Value]:
                place = self._place(outer, start, number, results)
                return [nest.get(buffer, place, lanes) for buffer in self.partials]

            def body(i: Value, held: list[Value], load=load) -> Sequence[Value]:  # type: ignore[no-untyped-def]
                return combine(nest, self.reduction, held, load(i))

            held = b.loop_carry(b.index(1), b.index(parts), b.index(1), load(b.index(0)), body)
            self._finish(outer, lanes, start, held)
