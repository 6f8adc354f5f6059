"""Reductions whose vectors run across results: sums over leading axes, over all but the channels.

Takes: a Kernel of kind reduce. Gives: its loop nest. Reductions along the contiguous axis go to
`row.py`, long ones are streamed (`stream.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..kernel import Generic, Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from .axes import parallel_loops
from .nest import At, Lanes, Nest, address_form, body_dtypes, body_work, vector_lanes
from .passes import Space, hold_all, outer_before_row, passes_of, run_pass, space_of
from .row import schedule_row
from .scheduled import Scheduled
from .stream import StreamLoops

HEAVY_WORK = 24.0
"""Operations of a body from which on few vectors side by side hide all latencies."""
STREAM_WORK = 1 << 18
"""Operations of a reduction from which on it may be streamed."""
STREAM_WIDTH = 4096
"""Columns of one block when streaming: their accumulators stay in the L1 cache."""


def schedule_reduce(kernel: Kernel, target: Target, module: Module, name: str) -> Scheduled:
    """The loop nest of a reduction: along the contiguous axis if that is reduced, else across
    it.
    """
    space = space_of(kernel)
    if not space.outer_groups or not space.row_groups or not across(kernel, space):
        return schedule_row(kernel, target, module, name)
    nest = Nest(kernel, target, module, name)
    workspace = 0
    if all(space.dims[: space.outer]):
        workspace = ColumnLoops(nest, space).write()
    nest.finish()
    module.ops.append(nest.function)
    return Scheduled(nest.function, workspace)


def across(kernel: Kernel, space: Space) -> bool:
    """Whether more of the data is contiguous along the last result dim than along the last row
    dim.
    """
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
    """Writes blocks of neighbouring results, each over all rows, accumulators in registers."""

    def __init__(self, nest: Nest, space: Space) -> None:
        self.nest = nest
        self.b = nest.b
        self.space = space
        passes = passes_of(nest.kernel, space)
        self.step = next(p for p in passes if p.over_row)
        self.before = outer_before_row(passes)
        self.known: list[dict[int, Value]] = []  # what `before` made, for each vector of a block
        self.after = [g for p in passes if not p.over_row for g in p.generics]
        reduction = self.step.reduction
        assert reduction is not None
        self.reduction = reduction
        *self.outer, self.inner = space.extents(space.outer_groups)
        self.rows = space.extents(space.row_groups)
        self.vector_dim = space.outer_groups[-1][-1]
        self.lanes = vector_lanes(nest.target, body_dtypes(nest.kernel), self.inner)
        self.work = sum(body_work(g) for g in self.step.generics) / self.lanes
        self.columns = self._side_by_side()

    def _side_by_side(self) -> int:
        """Vectors of one block: as many as fit in half the registers, since wide blocks read whole
        pages in order; few where the body is long anyway."""
        registers = self.nest.target.vector_registers // 2
        wanted = registers if self.work * self.lanes < HEAVY_WORK else registers // 4
        return max(1, min(wanted // len(self.reduction.outs), -(-self.inner // self.lanes)))

    def write(self) -> int:
        """The nest; returns the workspace bytes."""
        if self._is_long():
            stream = StreamLoops(
                self.nest, self.space, self.step, self.before, self.lanes, STREAM_WIDTH,
                self.columns * self.lanes,
            )  # fmt: skip
            parts, nbytes = stream.write()

            def finish(outer: Sequence[Value], vectors: list[Lanes], column: Value) -> None:
                for k, lanes in enumerate(vectors):
                    place = self.b.add(column, k * self.lanes)
                    held = stream.joined(parts, outer, place, lanes)
                    self._finish(outer, lanes, place, held)

            self._columns(float(parts), finish)
            return nbytes
        self._columns(self.work * math.prod(self.rows) * self.lanes, self._whole)
        return 0

    def _is_long(self) -> bool:
        """Whether rows should be streamed: there are many, and a block of columns in registers is
        either a small part of a row, or too little work for more than one thread."""
        elements = math.prod(self.outer) * self.inner * math.prod(self.rows)
        wide = self.inner > 2 * self.columns * self.lanes
        few = math.prod(self.outer) * -(-self.inner // (self.columns * self.lanes)) < 16
        return elements * self.work >= STREAM_WORK and (wide or few)

    # -- blocks of columns ------------------------------------------------------------------
    def _columns(
        self, work: float, body: Callable[[Sequence[Value], list[Lanes], Value], None]
    ) -> None:
        """`body(outer coordinates, lanes of each vector, first column)` for all columns.

        `work` is that of one vector of columns.
        """
        b = self.b
        width = self.columns * self.lanes
        blocks, left = divmod(self.inner, width)
        full = [Lanes(self.vector_dim, self.lanes)] * self.columns
        rest = [Lanes(self.vector_dim, self.lanes)] * (left // self.lanes)
        if left % self.lanes:
            mask = self.nest.first_mask(left % self.lanes, self.lanes)
            rest.append(Lanes(self.vector_dim, self.lanes, mask))
        if blocks:

            def block(joined: Sequence[Value]) -> None:
                *coords, number = joined
                body(coords, full, b.mul(number, width))

            parallel_loops(self.nest, [*self.outer, blocks], work * self.columns, block)
        if rest:

            def edge(joined: Sequence[Value]) -> None:
                body(joined, rest, b.index(blocks * width))

            parallel_loops(self.nest, self.outer, work * len(rest), edge)

    def _coords(self, outer: Sequence[Value], column: Value) -> list[Value]:
        coords = [self.b.index(0)] * len(self.space.dims)
        for group, value in zip(self.space.outer_groups, [*outer, column]):
            coords[group[-1]] = value
        return coords

    def _accumulate(
        self, outer: Sequence[Value], vectors: list[Lanes], column: Value
    ) -> list[list[Value]]:
        """What each vector of columns holds after all rows."""
        b = self.b
        each = len(self.reduction.outs)
        units = [self.nest.unit(o, self.lanes) for o in self.reduction.outs] * len(vectors)
        self.known = []
        for k, lanes in enumerate(vectors):
            coords = self._coords(outer, b.add(column, k * self.lanes))
            at = At(tuple(coords[: self.space.outer]), lanes)
            self.known.append(hold_all(self.nest, self.before, at))
            self.nest.held.clear()

        def loops(at: list[Value], held: list[Value], depth: int) -> list[Value]:
            if depth == len(self.rows):
                return self._row_of(at, vectors, held)

            def inner(i: Value, values: list[Value]) -> Sequence[Value]:
                place = list(at)
                place[self.space.row_groups[depth][-1]] = i
                return loops(place, values, depth + 1)

            return b.loop_carry(b.index(0), b.index(self.rows[depth]), b.index(1), held, inner)

        flat = loops(self._coords(outer, column), units, 0)
        return [flat[k * each : (k + 1) * each] for k in range(len(vectors))]

    def _row_of(self, coords: list[Value], vectors: list[Lanes], held: list[Value]) -> list[Value]:
        """One row of the block: every vector takes its elements."""
        nest, each = self.nest, len(self.reduction.outs)
        result: list[Value] = []
        for k, lanes in enumerate(vectors):
            at = list(coords)
            at[self.vector_dim] = self.b.add(coords[self.vector_dim], k * self.lanes)
            mine = held[k * each : (k + 1) * each]
            nest.held = dict(self.known[k])
            result += run_pass(nest, self.step, At(tuple(at), lanes), mine)
        nest.held.clear()
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
        held = self._accumulate(outer, vectors, column)
        for k, lanes in enumerate(vectors):
            self._finish(outer, lanes, self.b.add(column, k * self.lanes), held[k])
