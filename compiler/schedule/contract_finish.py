"""What happens to a finished tile: the pointwise stages, lane by lane, and the stores.

Takes: the sums of one tile in a buffer, and where the tile lies. Gives: loops over its rows.
Must not know: how the sums were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..mlir.builder import Builder
from ..mlir.ir import Value
from ..types import DType, VectorType, element, index
from .body import BodyEmitter
from .contract_frame import Place, affine, load_lanes, loop, nest, store_lanes
from .contract_lanes import Dim
from .contract_plan import Plan
from .contract_space import Axis, Contraction, Stage

WRITTEN_OUT = 2
"""Full vectors across a tile that are written out; more become a loop."""


@dataclass
class Finish:
    """Writes the end of a tile. `buffers` are the flat buffers behind the accesses."""

    b: Builder
    bodies: BodyEmitter
    c: Contraction
    plan: Plan
    buffers: Sequence[Value]

    def tile(self, sums: Value, start: Value, places: list[Place], size: int, width: int) -> None:
        """Finish `size` cut rows (and all inner ones) by `width` columns, whose first point is at
        `places`; their sums begin at `start` and rows are a pitch apart."""
        rows = self.plan.rows
        dims = [Dim(size, rows.cut.strides, rows.cut.origin), *rows.inner]
        steps = [self.plan.pitch * s for s in _row_steps(dims)]

        def row(at: list[Value], _: list[Value]) -> list[Value]:
            here = places + list(zip(dims, at))
            self._row(sums, affine(self.b, 0, [(start, 1), *zip(at, steps)]), here, width)
            return []

        nest(self.b, [d.size for d in dims], [], row)

    def _row(self, sums: Value, at: Value, places: list[Place], width: int) -> None:
        lanes = self.plan.lanes
        full, rest = divmod(width, lanes)
        if full > WRITTEN_OUT:
            loop(self.b, self.b.index(0), self.b.index(full),
                 lambda v: self._lanes(sums, at, places, self.b.mul(v, lanes), lanes))  # fmt: skip
        else:
            for v in range(full):
                self._lanes(sums, at, places, self.b.index(v * lanes), lanes)
        if rest:
            self._lanes(sums, at, places, self.b.index(full * lanes), rest)

    def _lanes(
        self, sums: Value, at: Value, places: list[Place], column: Value, active: int
    ) -> None:
        """One vector of one row: run the stages, store what is wanted."""
        lanes, dim = self.plan.lanes, self.plan.columns.dim
        here = [*places, (dim, column)]
        values = {self.c.total: load_lanes(self.b, sums, self.b.add(at, column), 1, lanes, lanes)}
        loaded: dict[int, Value] = {}
        for stage in self.c.stages:
            for number, value in zip(stage.outs, self._stage(stage, values, loaded, here, active)):
                values[number] = value
        for number, access in self.c.stores:
            value = self.bodies.spread(values[number], lanes)
            place = self._at(access, here)
            store_lanes(self.b, value, self.buffers[access], place, dim.strides[access], active)

    def _at(self, access: int, places: list[Place]) -> Value:
        terms = [(i, d.strides[access]) for d, i in places]
        return affine(self.b, self.c.accesses[access].offset, terms)

    def _stage(
        self, stage: Stage, values: dict[int, Value], loaded: dict[int, Value],
        here: list[Place], active: int,
    ) -> list[Value]:  # fmt: skip
        lanes = self.plan.lanes
        params = []
        for kind, number in stage.reads:
            if kind == "value":
                params.append(values[number])
                continue
            if number not in loaded:
                loaded[number] = load_lanes(
                    self.b, self.buffers[number], self._at(number, here),
                    self.plan.columns.dim.strides[number], lanes, active,
                )  # fmt: skip
            params.append(loaded[number])
        for param in stage.body.params[len(params) :]:  # nothing was written before
            params.append(self.b.const(0, element(param.type)))
        return self.bodies.emit(
            stage.body, params, lanes, lambda dim: self._point(stage.dims[dim], here)
        )

    def _point(self, axis: Axis, places: list[Place]) -> Value:
        """The position along an axis of the result."""
        steps = dict(axis)
        total: Value = self.b.index(0)
        lanes: Value | None = None
        for dim, value in places:
            step = steps.get(dim.origin)
            if step is None:
                continue
            total = self.b.add(total, self.b.mul(value, step))
            if dim is self.plan.columns.dim:
                lanes = self.b.op("vector.step", [], VectorType((self.plan.lanes,), index))
                if step != 1:
                    by = self.b.splat(self.b.index(step), self.plan.lanes)
                    lanes = self.b.op("arith.muli", [lanes, by])
        if lanes is None:
            return total
        return self.b.op("arith.addi", [self.b.splat(total, self.plan.lanes), lanes])


def add_parts(
    b: Builder, dtype: DType, sums: Value, start: Value, shape: tuple[int, int], lanes: int,
    parts: tuple[int, int],
) -> None:  # fmt: skip
    """Add up `parts[0]` tiles of `shape` that lie `parts[1]` elements apart, into the first, part
    after part. Rows are whole vectors."""
    count, step = parts
    name = "arith.addf" if dtype.is_float else "arith.addi"

    def vector(v: Value) -> None:
        at = b.add(start, b.mul(v, lanes))

        def one(part: Value, totals: list[Value]) -> list[Value]:
            value = b.vload(sums, [b.add(at, b.mul(part, step))], lanes)
            return [b.op(name, [totals[0], value])]

        begin = [b.vload(sums, [at], lanes)]
        (total,) = b.loop_carry(b.index(1), b.index(count), b.index(1), begin, one)
        b.vstore(total, sums, [at])

    loop(b, b.index(0), b.index(shape[0] * shape[1] // lanes), vector)


def _row_steps(dims: Sequence[Dim]) -> list[int]:
    span = 1
    steps: list[int] = []
    for d in reversed(dims):
        steps.insert(0, span)
        span *= d.size
    return steps
