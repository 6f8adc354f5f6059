"""Row kernels: all passes over one row while it is in the cache, rows in parallel, vectors along
the row.

Takes: a Kernel of kind row, or reduce over trailing axes. Gives: its loop nest. A reduction to few
results over long rows is cut into blocks whose partial results are joined in order afterwards.
Must not know: reductions whose vectors run across rows (`column.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from ..kernel import REDUCTION, Generic, Kernel, Output
from ..mlir.ir import Module, Value
from ..target import Target
from ..types import MemRefType
from .axes import parallel_loops
from .nest import At, Lanes, Nest, body_dtypes, body_work, vector_lanes
from .passes import (
    Pass,
    Space,
    across_lanes,
    combine,
    hold_all,
    outer_before_row,
    passes_of,
    run_pass,
    space_of,
    tree,
    unroll,
)
from .scheduled import Scheduled

SPLIT_ROW = 32768
"""Rows at least this long are cut into blocks when there are few of them."""
BLOCK = 16384
"""Elements of a block, and so of one piece of parallel work."""


def schedule_row(kernel: Kernel, target: Target, module: Module, name: str) -> Scheduled:
    """The loop nest of a row kernel."""
    space = space_of(kernel)
    nest = Nest(kernel, target, module, name)
    workspace = 0
    if all(space.dims[: space.outer]):
        loops = RowLoops(nest, space)
        workspace = loops.write_split() if loops.splits() else loops.write()
    nest.finish()
    module.ops.append(nest.function)
    return Scheduled(nest.function, workspace)


class RowLoops:
    """Writes the passes of each row."""

    def __init__(self, nest: Nest, space: Space) -> None:
        self.nest = nest
        self.b = nest.b
        self.space = space
        self.passes = passes_of(nest.kernel, space)
        self.outer_extents = space.extents(space.outer_groups)
        self.row_extents = space.extents(space.row_groups)
        self.row_size = math.prod(space.dims[space.outer :])
        inner = self.row_extents[-1] if self.row_extents else 1
        self.lanes = vector_lanes(nest.target, body_dtypes(nest.kernel), inner)
        self.vector_dim = space.row_groups[-1][-1] if space.row_groups else 0
        self.buffered = kept_between_passes(nest.kernel, self.passes)

    # -- whole rows -------------------------------------------------------------------------
    def write(self) -> int:
        """Every row by one thread; returns the workspace wanted, none."""
        work = sum(body_work(g) for p in self.passes for g in p.generics) * self.row_size
        parallel_loops(
            self.nest, self.outer_extents, work / self.lanes, self._row, setup=self._row_buffers
        )
        return 0

    def _row_buffers(self) -> None:
        for number in self.buffered:
            dtype = self.nest.kernel.value_types[number].dtype
            shape = tuple(self.space.dims[self.space.outer :])
            self.nest.rows[number] = self.b.alloca(MemRefType((math.prod(shape),), dtype))

    def _row(self, joined: Sequence[Value]) -> None:
        coords = self._coords(joined)
        for step in self.passes:
            if step.over_row:
                self._row_pass(step, coords, self.row_extents, self.b.index(0))
            else:
                self._outer_pass(step, coords)
        self.nest.held.clear()

    def _coords(self, joined: Sequence[Value]) -> list[Value]:
        """An index for every dim, 0 for those of the row."""
        coords = [self.b.index(0)] * len(self.space.dims)
        for group, value in zip(self.space.outer_groups, joined):
            coords[group[-1]] = value
        return coords

    def _outer_pass(self, step: Pass, coords: Sequence[Value]) -> None:
        for g in step.generics:
            self._keep(g, self.nest.run(g, At(tuple(coords[: self.space.outer]))), coords)

    def _keep(self, generic: Generic, values: Sequence[Value], coords: Sequence[Value]) -> None:
        """Hold outer values in registers, and store those that are results."""
        at = At(tuple(coords[: self.space.outer]))
        for k, (out, value) in enumerate(zip(generic.outs, values)):
            number = self.nest.number_of(generic, k)
            if number in self.nest.buffers:
                self._store_outer(value, number, out.map, at)
            self.nest.held[number] = value

    def _store_outer(self, value: Value, number: int, map, at: At) -> None:  # type: ignore[no-untyped-def]
        full = At((*at.coords, *[self.b.index(0)] * (map.dims - len(at.coords))))
        self.nest.store(value, self.nest.buffers[number], map, full)

    # -- one pass over a row ----------------------------------------------------------------
    def _row_pass(
        self, step: Pass, coords: list[Value], extents: Sequence[int], start: Value
    ) -> list[Value]:
        """Run a pass over `extents` of the row groups; the first group begins at `start`.

        Gives what its reduction holds at the end (also kept for later passes), or nothing.
        """
        reduction = step.reduction
        if math.prod(self.space.dims[self.space.outer :]) == 0:
            held = [self.nest.unit(o, None) for o in reduction.outs] if reduction else []
        elif self.lanes == 1:
            held = self._scalar_loops(step, coords, extents, start)
        else:
            held = self._vector_loops(step, coords, extents, start)
        if reduction is not None:
            self._keep(reduction, held, coords)
        return held

    def _scalar_loops(
        self, step: Pass, coords: list[Value], extents: Sequence[int], start: Value
    ) -> list[Value]:
        units = self._units(step, None)

        def innermost(at: list[Value], held: Sequence[Value]) -> list[Value]:
            return self._point(step, At(tuple(at)), held)

        return self._row_loops(coords, extents, start, units, innermost)

    def _units(self, step: Pass, lanes: int | None) -> list[Value]:
        reduction = step.reduction
        return [self.nest.unit(o, lanes) for o in reduction.outs] if reduction else []

    def _row_loops(
        self,
        coords: list[Value],
        extents: Sequence[int],
        start: Value,
        held: Sequence[Value],
        body: Callable[[list[Value], Sequence[Value]], Sequence[Value]],
        depth: int = 0,
    ) -> list[Value]:
        """Nested loops over the row groups, `held` carried through them."""
        if depth == len(extents):
            return list(body(coords, held))
        b = self.b
        dim = self.space.row_groups[depth][-1]

        def inner(i: Value, values: list[Value]) -> Sequence[Value]:
            at = list(coords)
            at[dim] = b.add(start, i) if depth == 0 else i
            return self._row_loops(at, extents, start, values, body, depth + 1)

        return b.loop_carry(b.index(0), b.index(extents[depth]), b.index(1), held, inner)

    def _vector_loops(
        self, step: Pass, coords: list[Value], extents: Sequence[int], start: Value
    ) -> list[Value]:
        """Vectors along the innermost group, several at a time, then the rest, then masked
        lanes.
        """
        work = sum(body_work(g) for g in step.generics)
        inner = extents[-1]
        side = min(unroll(work), max(1, inner // self.lanes)) if step.reduction else 1
        width = side * self.lanes
        units = self._units(step, self.lanes)
        first = len(extents) == 1

        def innermost(at: list[Value], held: Sequence[Value]) -> list[Value]:
            base = at[self.vector_dim] if not first else start
            return self._one_row(step, at, base, inner, side, width, held)

        outer = list(extents[:-1])
        held = self._row_loops(coords, outer, start, units * side, innermost)
        reduction = step.reduction
        if reduction is None:
            return []
        count = len(units)
        parts = [held[k * count : (k + 1) * count] for k in range(side)]
        return across_lanes(self.nest, reduction, tree(self.nest, reduction, parts))

    def _one_row(
        self,
        step: Pass,
        coords: list[Value],
        base: Value,
        count: int,
        side: int,
        width: int,
        held: Sequence[Value],
    ) -> list[Value]:
        """`count` elements from `base`: `side` vectors an iteration, single vectors, masked
        lanes.
        """
        b = self.b
        each = len(held) // side
        parts = [list(held[k * each : (k + 1) * each]) for k in range(side)]
        whole = count // width * width

        def body(i: Value, values: list[Value]) -> Sequence[Value]:
            result: list[Value] = []
            for k in range(side):
                at = self._at(coords, b.add(b.add(base, i), k * self.lanes))
                result += self._point(step, at, values[k * each : (k + 1) * each])
            return result

        if whole:
            flat = [v for part in parts for v in part]
            flat = b.loop_carry(b.index(0), b.index(whole), b.index(width), flat, body)
            parts = [flat[k * each : (k + 1) * each] for k in range(side)]
        position, k = whole, 0
        while position < count:
            left = count - position
            mask = None if left >= self.lanes else self.nest.first_mask(left, self.lanes)
            at = self._at(coords, b.add(base, position), mask)
            parts[k] = self._point(step, at, parts[k])
            position, k = position + self.lanes, (k + 1) % side
        return [v for part in parts for v in part]

    def _at(self, coords: Sequence[Value], place: Value, mask: Value | None = None) -> At:
        at = list(coords)
        at[self.vector_dim] = place
        return At(tuple(at), Lanes(self.vector_dim, self.lanes, mask))

    def _point(self, step: Pass, at: At, held: Sequence[Value]) -> list[Value]:
        """All Generics of the pass at one point or vector; gives the accumulators after it."""
        nest = self.nest

        def keep(number: int, out: Output, value: Value) -> None:
            if number in nest.buffers:
                nest.store(value, nest.buffers[number], out.map, at)
            elif number in self.buffered:
                nest.store_row(value, number, self.space.outer, at)

        new = run_pass(nest, step, at, held, keep)
        lanes = at.lanes
        if lanes is None or lanes.mask is None:
            return new
        select = partial(self.b.op, "arith.select")
        return [
            select([lanes.mask, nest.bodies.spread(n, lanes.count), h], h.type)
            for n, h in zip(new, held)
        ]

    # -- long rows in blocks ----------------------------------------------------------------
    def splits(self) -> bool:
        """Whether few long rows are better cut into blocks."""
        passes = [p for p in self.passes if p.over_row]
        return (
            len(passes) == 1
            and passes[0].reduction is not None
            and not self._stores_rows()
            and math.prod(self.outer_extents) < 16
            and self.row_size >= SPLIT_ROW
        )

    def _stores_rows(self) -> bool:
        types = self.nest.kernel.result_types
        return any(t.rank > self.space.outer for t in types)

    def write_split(self) -> int:
        """Partial results of blocks in parallel, then joined in order; returns the workspace
        bytes.
        """
        b, nest = self.b, self.nest
        step = next(p for p in self.passes if p.over_row)
        reduction = step.reduction
        assert reduction is not None
        first, *rest = self.row_extents
        size = max(1, BLOCK // math.prod(rest))
        blocks, left = divmod(first, size)
        rows = math.prod(self.outer_extents)
        parts = blocks + (left > 0)
        buffers, nbytes = self._partials(reduction, rows * parts)

        def block(joined: Sequence[Value]) -> None:
            *outer, number = joined
            self._partial(step, outer, number, [size, *rest], size, parts, buffers)

        work = sum(body_work(g) for g in step.generics) * size * math.prod(rest) / self.lanes
        if blocks:
            parallel_loops(nest, [*self.outer_extents, blocks], work, block)

        def finish(joined: Sequence[Value]) -> None:
            if left:
                last = b.index(blocks)
                self._partial(step, joined, last, [left, *rest], size, parts, buffers)
            self._join(reduction, joined, parts, buffers)

        parallel_loops(nest, self.outer_extents, 1.0, finish)
        return nbytes

    def _partials(self, reduction: Generic, count: int) -> tuple[list[Value], int]:
        """One buffer for each accumulator in the workspace, an argument added to the function."""
        sizes = [-(-count * o.type.dtype.itemsize // 64) * 64 for o in reduction.outs]
        space = self.nest.add_workspace(sum(sizes))
        buffers, offset = [], 0
        for out, size in zip(reduction.outs, sizes):
            type = MemRefType((count,), out.type.dtype)
            buffers.append(self.b.op("memref.view", [space, self.b.index(offset)], type))
            offset += size
        return buffers, sum(sizes)

    def _slot(self, joined: Sequence[Value], parts: int) -> Value:
        """Where the partial results of a row begin."""
        total = self.b.index(0)
        for value, extent in zip(joined, self.outer_extents):
            total = self.b.add(self.b.mul(total, extent), value)
        return self.b.mul(total, parts)

    def _partial(
        self,
        step: Pass,
        joined: Sequence[Value],
        number: Value,
        extents: Sequence[int],
        size: int,
        parts: int,
        buffers: Sequence[Value],
    ) -> None:
        b = self.b
        coords = self._coords(joined)
        start = b.mul(number, size)
        loops = self._scalar_loops if self.lanes == 1 else self._vector_loops
        hold_all(self.nest, outer_before_row(self.passes), At(tuple(coords[: self.space.outer])))
        held = loops(step, coords, extents, start)
        self.nest.held.clear()
        where = b.add(self._slot(joined, parts), number)
        for value, buffer in zip(held, buffers):
            b.store(value, buffer, [where])

    def _join(
        self, reduction: Generic, joined: Sequence[Value], parts: int, buffers: Sequence[Value]
    ) -> None:
        b = self.b
        base = self._slot(joined, parts)

        def body(i: Value, held: list[Value]) -> Sequence[Value]:
            new = [b.load(buffer, [b.add(base, i)]) for buffer in buffers]
            return combine(self.nest, reduction, held, new)

        first = [b.load(buffer, [base]) for buffer in buffers]
        held = b.loop_carry(b.index(1), b.index(parts), b.index(1), first, body)
        coords = self._coords(joined)
        self._keep(reduction, held, coords)
        for step in self.passes:
            if not step.over_row:
                self._outer_pass(step, coords)
        self.nest.held.clear()


def kept_between_passes(kernel: Kernel, passes: Sequence[Pass]) -> set[int]:
    """Values over the row that a later pass reads and that are no results: they need a row
    buffer.
    """
    made: dict[int, int] = {}
    number = len(kernel.params)
    for g in kernel.generics:
        index = next(k for k, p in enumerate(passes) if any(g is x for x in p.generics))
        for _ in g.outs:
            made[number] = index if REDUCTION not in g.kinds and passes[index].over_row else -1
            number += 1
    kept: set[int] = set()
    for k, step in enumerate(passes):
        for g in step.generics:
            for r in g.reads:
                if made.get(r.source, -1) not in (-1, k) and r.source not in kernel.results:
                    kept.add(r.source)
    return kept
