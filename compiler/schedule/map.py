"""Map kernels: every point on its own. Contiguous axes are joined, the innermost runs on vectors.

Takes: a Kernel of one all-parallel Generic. Gives: its loop nest. The last, partial vector of a
row is masked, so there is one body and no scalar tail. Must not know: other kinds of kernel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..kernel import Generic, Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from .axes import join_dims, parallel_loops, split_coords
from .bypass import bypasses, write_bypassing
from .jam import beside
from .nest import (
    At,
    Lanes,
    Nest,
    address_form,
    body_dtypes,
    body_work,
    vector_lanes,
)  # fmt: skip
from .pieces import pieces
from .scheduled import Scheduled
from .turn import TurnLoops, find_turn
from .woven import woven

INNER_BLOCK = 8192
"""Elements of a long inner axis that make one unit of parallel work."""
BYPASS_WORK = 60
"""Work of a body up to which memory is slower than arithmetic; the nest is written twice."""


def schedule_map(kernel: Kernel, target: Target, module: Module, name: str) -> Scheduled:
    """The loop nest of a map kernel."""
    (generic,) = kernel.generics
    nest = Nest(kernel, target, module, name)
    if all(generic.dims):
        for piece in pieces(generic):
            nest.kernel = replace(kernel, generics=(piece,))
            MapLoops(nest, piece, len(generic.outs)).write()
    nest.finish()
    module.ops.append(nest.function)
    return Scheduled(nest.function)


class MapLoops:
    """Writes the loops of a map over the joined dims of its Generic.

    The Generic's outputs are the kernel's `results` outputs, for several parts of them in turn
    where pieces were joined.
    """

    def __init__(self, nest: Nest, generic: Generic, results: int) -> None:
        self.nest, self.results = nest, results
        self.b = nest.b
        self.generic = generic
        self.groups = join_dims(nest.kernel, generic)
        self.woven = woven(nest.kernel, generic, self.groups)
        self.across = self.groups.pop() if self.woven else []
        self.extents = [math.prod(generic.dims[d] for d in group) for group in self.groups]
        inner = self.extents[-1] if self.extents else 1
        self.vector_dim = self.groups[-1][-1] if self.groups else 0
        self.lanes = vector_lanes(nest.target, body_dtypes(nest.kernel), inner)
        self.pairs = self._pairs()
        if not (self.pairs or self.woven or self._stores_neighbours()):
            self.lanes = 1

    def _stores_neighbours(self) -> bool:
        """Whether results along the innermost dim lie side by side (in a piece one wide they do
        not).
        """
        return all(step == 1 for step in self._steps())

    def _steps(self) -> list[int]:
        """How far apart neighbours along the innermost dim lie in each output."""
        forms = [address_form(o.map, o.type.shape)[0] for o in self.generic.outs if o.map]
        return [form[self.vector_dim] if form else 1 for form in forms]

    def _pairs(self) -> bool:
        """Whether the outputs are two halves, whose elements alternate in memory."""
        outs, half = self.generic.outs, self.results
        return (
            len(outs) == 2 * half
            and all(beside(a, b, self.generic.dims) for a, b in zip(outs[:half], outs[half:]))
            and all(step == 2 for step in self._steps())
        )

    def write(self) -> None:
        """The whole nest."""
        if not self.extents:
            self._point([], None)
        elif self._bypasses():
            buffers = [self.nest.buffers[k] for k in self._numbers() if k in self.nest.buffers]
            write_bypassing(self.nest, buffers, self._write)
        else:
            self._write()

    def _bypasses(self) -> bool:
        """Whether results are stored past the caches: only where memory is what takes the time."""
        light = body_work(self.generic) <= BYPASS_WORK and self.lanes > 1
        dims = {self.vector_dim, *self.across}
        lanes = self.lanes * (1 + self.pairs)
        return light and bypasses(self.nest, self.generic, self.results, dims, lanes)

    def _numbers(self) -> range:
        count = len(self.nest.kernel.params)
        return range(count, count + self.results)

    def _write(self) -> None:
        turn = find_turn(self.nest.kernel, self.generic, self.groups)
        if turn is not None and self.lanes > 1 and not self.woven:
            TurnLoops(self.nest, self.generic, self.groups, turn, self.lanes, self._point).write()
            return
        *outer, inner = self.extents
        work = body_work(self.generic) / self.lanes
        if inner >= 2 * INNER_BLOCK and math.prod(outer) < 16:
            blocks, rest = divmod(inner, INNER_BLOCK)
            self._nest([*outer, blocks], INNER_BLOCK, work, blocked=True)
            if rest:
                self._nest(outer, rest, work, start=blocks * INNER_BLOCK)
        else:
            self._nest(outer, inner, work)

    def _nest(
        self,
        outer: Sequence[int],
        inner: int,
        work: float,
        *,
        blocked: bool = False,
        start: int = 0,
    ) -> None:
        """Loops over `outer` (the first ones parallel), then `inner` elements on vectors.

        With `blocked` the last outer index counts blocks of the innermost axis; `start` is where
        the inner elements begin.
        """

        def row(coords: Sequence[Value]) -> None:
            base = self.b.index(start)
            if blocked:
                *coords, block = coords
                base = self.b.mul(block, INNER_BLOCK)
            self._row(list(coords), base, inner)

        parallel_loops(self.nest, outer, work * inner, row)

    def _row(self, coords: list[Value], base: Value, count: int) -> None:
        """`count` elements of the innermost axis from `base` on."""
        whole = count // self.lanes * self.lanes
        step = self.b.index(self.lanes)
        if self.lanes == 1:
            with self.b.loop(self.b.index(0), self.b.index(count), step) as i:
                self._point([*coords, self.b.add(base, i)], None)
            return
        if whole > self.lanes:
            with self.b.loop(self.b.index(0), self.b.index(whole), step) as i:
                self._point([*coords, self.b.add(base, i)], self._all())
        elif whole:
            self._point([*coords, base], self._all())
        if count > whole:
            mask = self.nest.first_mask(count - whole, self.lanes)
            lanes = Lanes(self.vector_dim, self.lanes, mask)
            self._point([*coords, self.b.add(base, whole)], lanes)

    def _all(self) -> Lanes:
        return Lanes(self.vector_dim, self.lanes)

    def _point(self, joined: Sequence[Value], lanes: Lanes | None) -> None:
        """One element or vector: read, run the body, store."""
        at = At(split_coords(self.nest, self.generic, self.groups, joined), lanes)
        if self.woven:
            self._woven_point(at)
            return
        values = self.nest.run(self.generic, at)
        if self.pairs:
            self._store_pairs(values, at)
            return
        for k, (out, value) in enumerate(zip(self.generic.outs, values)):
            number = len(self.nest.kernel.params) + k % self.results
            if number in self.nest.buffers:
                self.nest.store(value, self.nest.buffers[number], out.map, at)

    def _woven_point(self, at: At) -> None:
        """All places of the last axis at one point or vector of the one before it."""
        nest, rows = self.nest, []
        for k in range(self.woven):
            coords = list(at.coords)
            coords[self.across[-1]] = self.b.index(k)
            rows.append(nest.run(self.generic, replace(at, coords=tuple(coords))))
        for j, number in enumerate(self._numbers()):
            if number in nest.buffers:
                values = [row[j] for row in rows]
                nest.store_woven(values, nest.buffers[number], self.generic.outs[j].map, at)

    def _store_pairs(self, values: Sequence[Value], at: At) -> None:
        """Two values, or two vectors whose lanes alternate."""
        nest = self.nest
        for k in range(self.results):
            number = len(nest.kernel.params) + k
            if number in nest.buffers:
                pair = (values[k], values[k + self.results])
                nest.store_woven(pair, nest.buffers[number], self.generic.outs[k].map, at)
