"""Reductions and rows on GPUs: a warp or a block for each row, joined by shuffles of fixed shape.

Takes: a Kernel of kind row or reduce. Gives: its launches. A thread takes every T-th element of its
row; the values it keeps between passes are its own. Few long rows are cut into parts, one block
each, that a second launch joins. Must not know: sums across rows (`gpu_column.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..kernel import Generic, Kernel, Output
from ..mlir.ir import Module, Value
from ..target import Target
from ..types import MemRefType
from .axes import unflatten
from .gpu_nest import WARP, GpuNest, GpuScheduled, Launch
from .nest import At
from .passes import (
    Pass,
    Space,
    combine,
    hold_all,
    outer_before_row,
    passes_of,
    run_pass,
    space_of,
)
from .row import kept_between_passes

EACH = 4
"""Elements of a row that a thread should have, before another warp takes part."""
MOST_THREADS = 512
"""Threads for one row: beyond, few registers are left to each."""
WARPS_TOGETHER = 4
"""Rows of one block where a warp is enough for a row."""
UNROLLED = 8
"""Elements of a thread up to which its loop is written out, and its row values are registers."""
SPLIT_ROW = 32768
"""Rows at least this long are cut into parts when there are few of them."""
PART = 8192
"""Elements of one part."""
FEW_ROWS = 64
"""Fewer rows than this leave most of a GPU idle."""

Step = Callable[[Value, list[Value]], list[Value]]
"""One element of a thread: its number in the row, what is held; gives what is held after it."""


def schedule_gpu_row(kernel: Kernel, target: Target, module: Module, name: str) -> GpuScheduled:
    """The launches of a row kernel."""
    space = space_of(kernel)
    if not all(space.dims[: space.outer]):
        return GpuScheduled(())
    loops = RowThreads(GpuNest(kernel, target, module, name), space)
    if not loops.splits():
        return GpuScheduled((loops.write(),))
    parts = RowThreads(GpuNest(kernel, target, module, f"{name}_parts"), space)
    first, nbytes = parts.write_parts()
    return GpuScheduled((first, loops.write_joined()), nbytes)


def threads_for(length: int) -> int:
    """How many threads share a row: 32 times a power of two."""
    threads = WARP
    while threads < MOST_THREADS and threads * EACH < length:
        threads *= 2
    return threads


class RowThreads:
    """Writes what a thread does for its row."""

    def __init__(self, nest: GpuNest, space: Space) -> None:
        self.nest = nest
        self.b = nest.b
        self.space = space
        self.passes = passes_of(nest.kernel, space)
        self.buffered = kept_between_passes(nest.kernel, self.passes)
        self.rows = math.prod(space.dims[: space.outer])
        self.row_size = math.prod(space.dims[space.outer :])
        self.threads = threads_for(self.row_size)
        self.thread = nest.thread()

    # -- whole rows -------------------------------------------------------------------------
    def write(self) -> Launch:
        """All passes over each row."""
        nest, b = self.nest, self.b
        steps = -(-self.row_size // self.threads)
        for number in sorted(self.buffered):
            dtype = nest.kernel.value_types[number].dtype
            nest.rows[number] = b.alloca(MemRefType((max(steps, 1),), dtype))
        together = WARPS_TOGETHER if self.threads == WARP and self.rows > WARPS_TOGETHER else 1
        if together == 1:
            self._row(nest.block(), self.thread)
            return nest.launch(self.rows, self.threads)
        warp, lane = nest.split(self.thread, WARP)
        row = b.add(b.mul(nest.block(), together), warp)

        def one() -> list[Value]:
            self._row(row, lane)
            return []

        if self.rows % together:
            b.if_else(nest.below(row, self.rows), one)
        else:
            one()
        return nest.launch(-(-self.rows // together), self.threads * together)

    def _row(self, row: Value, lane: Value) -> None:
        coords = self._outer_coords(row)
        for step in self.passes:
            if step.over_row:
                self._row_pass(step, coords, lane)
            else:
                self._outer_pass(step, coords, lane)

    def _outer_coords(self, row: Value) -> list[Value]:
        """An index for every dim, 0 for those of the row."""
        coords = [self.b.index(0)] * len(self.space.dims)
        groups = self.space.outer_groups
        for group, value in zip(groups, unflatten(self.nest, row, self.space.extents(groups))):
            coords[group[-1]] = value
        return coords

    def _outer_pass(self, step: Pass, coords: Sequence[Value], lane: Value) -> None:
        for g in step.generics:
            values = self.nest.run(g, At(tuple(coords[: self.space.outer])))
            self._keep(g, values, coords, lane)

    def _keep(
        self, generic: Generic, values: Sequence[Value], coords: Sequence[Value], lane: Value
    ) -> None:
        """Hold what is one for each row in registers; the first thread stores what is a result."""
        nest = self.nest
        numbers = [nest.number_of(generic, k) for k in range(len(values))]

        def store() -> list[Value]:
            for out, value, number in zip(generic.outs, values, numbers):
                if number in nest.buffers:
                    assert out.map is not None
                    at = At(tuple(coords[: out.map.dims]))
                    nest.store(value, nest.buffers[number], out.map, at)
            return []

        if any(number in nest.buffers for number in numbers):
            self.b.if_else(nest.below(lane, 1), store)
        nest.held.update(zip(numbers, values))

    # -- one pass over a row ----------------------------------------------------------------
    def _row_pass(self, step: Pass, coords: list[Value], lane: Value) -> None:
        held = self._elements(lane, self.row_size, self._units(step), self._body(step, coords))
        if step.reduction is not None:
            joined = self.nest.across_block(step.reduction, held, lane, self.threads)
            self._keep(step.reduction, joined, coords, lane)

    def _units(self, step: Pass) -> list[Value]:
        reduction = step.reduction
        return [self.nest.unit(o, None) for o in reduction.outs] if reduction else []

    def _body(self, step: Pass, coords: list[Value], start: Value | None = None) -> Step:
        """A pass at one element, numbered from `start` on."""
        groups = self.space.row_groups
        extents = self.space.extents(groups)

        def body(place: Value, held: list[Value]) -> list[Value]:
            at = list(coords)
            place = place if start is None else self.b.add(start, place)
            for group, value in zip(groups, unflatten(self.nest, place, extents)):
                at[group[-1]] = value
            return self._point(step, At(tuple(at)), held)

        return body

    def _elements(self, lane: Value, count: int, held: list[Value], body: Step) -> list[Value]:
        """`body` for every T-th of `count` elements, the last one only where there is one."""
        b = self.b
        whole, left = divmod(count, self.threads)

        def one(step: Value, values: list[Value]) -> list[Value]:
            self.nest.step = step
            return body(b.add(b.mul(step, self.threads), lane), values)

        if whole > UNROLLED:
            held = b.loop_carry(b.index(0), b.index(whole), b.index(1), held, one)
        else:
            for k in range(whole):
                held = one(b.index(k), held)
        if left:
            some, before = self.nest.below(lane, left), held
            last = b.index(whole)
            if not held:
                b.if_else(some, lambda: one(last, []))
            else:
                held = b.if_else(some, lambda: one(last, before), lambda: before)
        self.nest.step = None
        return held

    def _point(self, step: Pass, at: At, held: Sequence[Value]) -> list[Value]:
        """All Generics of the pass at one element; gives the accumulators after it."""
        nest = self.nest

        def keep(number: int, out: Output, value: Value) -> None:
            if number in nest.buffers:
                nest.store(value, nest.buffers[number], out.map, at)
            if number in self.buffered:
                nest.store_row(value, number, self.space.outer, at)

        return run_pass(nest, step, at, held, keep)

    # -- long rows in parts -----------------------------------------------------------------
    def splits(self) -> bool:
        """Whether few long rows are better cut into parts."""
        passes = [p for p in self.passes if p.over_row]
        types = self.nest.kernel.result_types
        return (
            len(passes) == 1
            and passes[0].reduction is not None
            and not any(t.rank > self.space.outer for t in types)
            and self.rows < FEW_ROWS
            and self.row_size >= SPLIT_ROW
        )

    def _cut(self) -> tuple[int, int]:
        """Elements of a part, and how many parts a row has."""
        return PART, -(-self.row_size // PART)

    def _reduction(self) -> tuple[Pass, Generic]:
        step = next(p for p in self.passes if p.over_row)
        assert step.reduction is not None
        return step, step.reduction

    def _partials(self, reduction: Generic, count: int) -> tuple[list[Value], int]:
        """One buffer for each accumulator in the workspace."""
        sizes = [-(-count * o.type.dtype.itemsize // 64) * 64 for o in reduction.outs]
        space = self.nest.add_workspace(sum(sizes))
        buffers, offset = [], 0
        for out, size in zip(reduction.outs, sizes):
            type = MemRefType((count,), out.type.dtype)
            buffers.append(self.b.op("memref.view", [space, self.b.index(offset)], type))
            offset += size
        return buffers, sum(sizes)

    def write_parts(self) -> tuple[Launch, int]:
        """The first launch: a block for each part; gives the workspace bytes too."""
        b, nest = self.b, self.nest
        step, reduction = self._reduction()
        size, parts = self._cut()
        buffers, nbytes = self._partials(reduction, self.rows * parts)
        block = nest.block()
        row, part = nest.split(block, parts)
        start = b.mul(part, size)
        coords = self._outer_coords(row)
        hold_all(nest, outer_before_row(self.passes), At(tuple(coords[: self.space.outer])))
        body = self._body(step, coords, start)
        left = self.row_size % size
        units = self._units(step)

        def full() -> list[Value]:
            return self._elements(self.thread, size, units, body)

        def edge() -> list[Value]:
            return self._elements(self.thread, left, units, body)

        held = b.if_else(nest.below(part, parts - 1), full, edge) if left else full()
        joined = nest.across_block(reduction, held, self.thread, self.threads)

        def store() -> list[Value]:
            for value, buffer in zip(joined, buffers):
                b.store(value, buffer, [block])
            return []

        b.if_else(nest.below(self.thread, 1), store)
        return nest.launch(self.rows * parts, self.threads), nbytes

    def write_joined(self) -> Launch:
        """The second launch: the parts of a row joined, then what follows from the row."""
        b, nest = self.b, self.nest
        step, reduction = self._reduction()
        _, parts = self._cut()
        buffers, _ = self._partials(reduction, self.rows * parts)
        self.threads = threads_for(parts)
        row = nest.block()
        base = b.mul(row, parts)

        def body(place: Value, held: list[Value]) -> list[Value]:
            where = b.add(base, place)
            new = [b.load(buffer, [where]) for buffer in buffers]
            return combine(nest, reduction, held, new)

        held = self._elements(self.thread, parts, self._units(step), body)
        joined = nest.across_block(reduction, held, self.thread, self.threads)
        coords = self._outer_coords(row)
        self._keep(reduction, joined, coords, self.thread)
        for after in self.passes:
            if not after.over_row:
                self._outer_pass(after, coords, self.thread)
        return nest.launch(self.rows, self.threads)
