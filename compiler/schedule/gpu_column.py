"""Reductions across rows on GPUs: a warp takes 32 neighbouring columns, so it reads whole lines.

Takes: a Kernel of kind reduce. Gives: its launch. The warps of a block share the rows and are
joined through shared memory. Reductions along the contiguous axis go to `gpu_row.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..kernel import Generic, Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from ..types import element
from .axes import unflatten
from .column import across
from .gpu_nest import WARP, GpuNest, GpuScheduled, Launch
from .gpu_row import schedule_gpu_row
from .nest import At
from .passes import (
    Space,
    hold_all,
    outer_before_row,
    passes_of,
    run_pass,
    space_of,
    tree,
)

WARPS = 8
"""Warps of a block."""


def schedule_gpu_reduce(kernel: Kernel, target: Target, module: Module, name: str) -> GpuScheduled:
    """The launches of a reduction: along the contiguous axis if that is reduced, else across it."""
    space = space_of(kernel)
    if not all(space.dims[: space.outer]):
        return GpuScheduled(())
    if not space.outer_groups or not space.row_groups or not across(kernel, space):
        return schedule_gpu_row(kernel, target, module, name)
    return GpuScheduled((ColumnThreads(GpuNest(kernel, target, module, name), space).write(),))


class ColumnThreads:
    """Writes what a thread does for its column: every `WARPS`-th row, then the join."""

    def __init__(self, nest: GpuNest, space: Space) -> None:
        self.nest = nest
        self.b = nest.b
        self.space = space
        passes = passes_of(nest.kernel, space)
        self.step = next(p for p in passes if p.over_row)
        self.before = outer_before_row(passes)
        self.after = [g for p in passes if not p.over_row for g in p.generics]
        assert self.step.reduction is not None
        self.reduction = self.step.reduction
        *self.outer, self.inner = space.extents(space.outer_groups)
        self.rows = space.extents(space.row_groups)
        self.count = math.prod(self.rows)

    def write(self) -> Launch:
        b, nest = self.b, self.nest
        blocks = -(-self.inner // WARP)
        warp, lane = nest.split(nest.thread(), WARP)
        *outer, block = unflatten(nest, nest.block(), [*self.outer, blocks])
        column = b.add(b.mul(block, WARP), lane)
        inside = nest.below(column, self.inner) if self.inner % WARP else None
        if inside is not None:  # threads past the end repeat the last column, and store nothing
            column = b.op("arith.minui", [column, b.index(self.inner - 1)])
        coords = [b.index(0)] * len(self.space.dims)
        for group, value in zip(self.space.outer_groups, [*outer, column]):
            coords[group[-1]] = value
        held = self._join(self._accumulate(coords, warp), warp, lane)

        def finish() -> list[Value]:
            self._finish(coords, held)
            return []

        first = nest.below(warp, 1)
        if inside is not None:
            first = b.op("arith.andi", [first, inside])
        b.if_else(first, finish)
        return nest.launch(math.prod(self.outer) * blocks, WARP * WARPS)

    def _accumulate(self, coords: list[Value], warp: Value) -> list[Value]:
        """What a thread holds after its rows."""
        b, nest = self.b, self.nest
        units = [nest.unit(o, None) for o in self.reduction.outs]
        hold_all(nest, self.before, At(tuple(coords[: self.space.outer])))

        def body(row: Value, held: list[Value]) -> Sequence[Value]:
            at = list(coords)
            for group, value in zip(self.space.row_groups, unflatten(nest, row, self.rows)):
                at[group[-1]] = value
            return run_pass(self.nest, self.step, At(tuple(at)), held)

        held = b.loop_carry(warp, b.index(self.count), b.index(WARPS), units, body)
        nest.held.clear()
        return held

    def _join(self, held: Sequence[Value], warp: Value, lane: Value) -> list[Value]:
        """All warps' parts of a column, by a tree in the order of the warps."""
        b, nest = self.b, self.nest
        places = [nest.share(WARPS * WARP, element(v.type)) for v in held]
        mine = b.add(b.mul(warp, WARP), lane)
        for value, place in zip(held, places):
            b.store(value, place, [mine])
        b.emit("gpu.barrier")
        parts = [[b.load(place, [b.add(lane, k * WARP)]) for place in places] for k in range(WARPS)]
        return tree(nest, self.reduction, parts)

    def _finish(self, coords: list[Value], held: list[Value]) -> None:
        """Outer Generics on a column's result, and the stores."""
        self._keep(self.reduction, held, coords)
        for g in self.after:
            self._keep(g, self.nest.run(g, At(tuple(coords[: self.space.outer]))), coords)

    def _keep(self, generic: Generic, values: Sequence[Value], coords: Sequence[Value]) -> None:
        nest = self.nest
        for k, (out, value) in enumerate(zip(generic.outs, values)):
            number = nest.number_of(generic, k)
            if number in nest.buffers:
                assert out.map is not None
                at = At(tuple(coords[: out.map.dims]))
                nest.store(value, nest.buffers[number], out.map, at)
            nest.held[number] = value
