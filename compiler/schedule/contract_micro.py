"""The innermost loops of a contraction: functions that sum one register tile.

Takes: layouts of both factors and of the tile that is written. Gives: private functions
`(lhs, start, rhs, start, out, start, count[, first])`, one for each tile size that occurs.
Must not know: chunks, copies, what happens to the sums afterwards.

A tile function runs over `count` positions of the sum's cut dim and all of its inner dims. Where
the sum takes several calls, `first` says whether to begin anew or from what `out` holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..graph import Graph
from ..mlir.builder import Builder
from ..mlir.ir import Module, Op, Value, function
from ..types import MemRefType, Type, VectorType, i1, index
from .body import BodyEmitter
from .contract_frame import affine, load_lanes, nest, store_lanes
from .contract_plan import Plan
from .contract_space import Contraction


@dataclass(frozen=True)
class Factor:
    """How a tile function reads lhs or rhs: its flat buffer, the steps along the sum's cut and
    inner dims, along the lanes, and what is still to be done to an element."""

    type: MemRefType
    depth: tuple[int, ...]
    lane: int
    prologue: Graph | None
    rows: tuple[tuple[int, tuple[int, ...]], ...] = ()  # lhs: tile size -> displacements

    def row_steps(self, size: int) -> tuple[int, ...]:
        return dict(self.rows)[size]


@dataclass(frozen=True)
class Destination:
    """Where a tile goes: rows at these displacements, lanes side by side. `exact`: nothing behind
    the last column may be touched."""

    type: MemRefType
    rows: tuple[tuple[int, tuple[int, ...]], ...]
    exact: bool

    def row_steps(self, size: int) -> tuple[int, ...]:
        return dict(self.rows)[size]


@dataclass
class TileFunctions:
    """Makes each tile function when it is first asked for."""

    module: Module
    name: str
    c: Contraction
    plan: Plan
    lhs: Factor
    rhs: Factor
    out: Destination
    made: dict[tuple[int, int], str] = field(default_factory=dict)

    def call(
        self, b: Builder, size: int, width: int, operands: Sequence[Value], first: Value | None
    ) -> None:
        """Sum the tile of `size` cut positions of the rows and `width` columns."""
        key = size, width
        if key not in self.made:
            self.made[key] = self._make(size, width)
        b.call(self.made[key], [*operands, *([first] if first is not None else [])], [])

    def _make(self, size: int, width: int) -> str:
        name = f"{self.name}_tile_{size * self.plan.rows.span}x{width}"
        types: list[Type] = [
            self.lhs.type, index, self.rhs.type, index, self.out.type, index, index
        ]  # fmt: skip
        hints = ["lhs", "at_lhs", "rhs", "at_rhs", "out", "at_out", "count"]
        if self.plan.depth.count > 1:
            types.append(i1)
            hints.append("first")
        op = function(name, types, [], hints=hints, private=True)
        body = _Tile(self, op, size, width)
        if self.plan.kind == "dot":
            body.dots()
        else:
            body.outer_products()
        body.b.emit("func.return")
        self.module.ops.append(op)
        return name


class _Tile:
    """Writes the body of one tile function."""

    def __init__(self, made: TileFunctions, op: Op, size: int, width: int) -> None:
        self.c, self.plan = made.c, made.plan
        self.lhs, self.rhs, self.out = made.lhs, made.rhs, made.out
        self.b = Builder(op)
        self.bodies = BodyEmitter(made.module, self.b)
        self.args = op.regions[0].args
        self.width = width
        self.lhs_rows = made.lhs.row_steps(size)
        self.out_rows = made.out.row_steps(size)
        self.depth = [d.size for d in self.plan.depth.inner]

    # -- arithmetic --------------------------------------------------------------------------------
    def add(self, x: Value, y: Value) -> Value:
        return self.b.op("arith.addf" if self.c.dtype.is_float else "arith.addi", [x, y])

    def multiply_add(self, x: Value, y: Value, total: Value) -> Value:
        if self.c.fused:
            return self.b.op("math.fma", [x, y, total])
        name = "arith.mulf" if self.c.dtype.is_float else "arith.muli"
        return self.add(total, self.b.op(name, [x, y]))

    def init(self, type: Type) -> Value:
        return self.b.const(self.c.init.data.reshape(()).item(), type)

    def factor(self, which: Factor, buffer: Value, at: Value, lanes: int, active: int) -> Value:
        """Lanes of a factor, converted; a scalar where they are all the same."""
        value = load_lanes(self.b, buffer, at, which.lane, lanes, active)
        if which.prologue is None:
            return value
        return self.bodies.emit(which.prologue, [value], lanes)[0]

    # -- outer products ----------------------------------------------------------------------------
    def outer_products(self) -> None:
        """Accumulators in registers, one row of vectors of rhs and one factor of lhs at a time."""
        lanes = self.plan.lanes
        actives = [min(lanes, self.width - v) for v in range(0, self.width, lanes)]
        type = VectorType((lanes,), self.c.dtype)
        begin = self._begin(type, actives)
        totals = nest(
            self.b, [self.args[6], *self.depth], begin,
            lambda at, totals: self._outer_product(at, totals, actives),
        )  # fmt: skip
        for k, total in enumerate(totals):
            r, v = divmod(k, len(actives))
            active = actives[v] if self.out.exact else lanes
            store_lanes(self.b, total, self.args[4], self._out_at(r, v), 1, active)

    def _out_at(self, r: int, v: int) -> Value:
        return self.b.add(self.args[5], self.out_rows[r] + v * self.plan.lanes)

    def _begin(self, type: VectorType, actives: list[int]) -> list[Value]:
        count = len(self.out_rows) * len(actives)
        if self.plan.depth.count == 1:
            return [self.init(type)] * count

        def held() -> list[Value]:
            values = []
            for k in range(count):
                r, v = divmod(k, len(actives))
                active = actives[v] if self.out.exact else type.shape[0]
                at = self._out_at(r, v)
                values.append(load_lanes(self.b, self.args[4], at, 1, type.shape[0], active))
            return values

        fresh = self.init(type)
        return self.b.if_else(self.args[7], lambda: [fresh] * count, held)

    def _outer_product(
        self, at: list[Value], totals: list[Value], actives: list[int]
    ) -> list[Value]:
        lanes = self.plan.lanes
        left = affine(self.b, 0, [(self.args[1], 1), *zip(at, self.lhs.depth)])
        right = affine(self.b, 0, [(self.args[3], 1), *zip(at, self.rhs.depth)])
        across = []
        for v, active in enumerate(actives):
            place = self.b.add(right, v * lanes * self.rhs.lane)
            value = self.factor(self.rhs, self.args[2], place, lanes, active)
            across.append(self.bodies.spread(value, lanes))
        out = []
        for r, row in enumerate(self.lhs_rows):
            down: Value | None = None
            for v, active in enumerate(actives):
                if down is None or self.lhs.lane:
                    place = self.b.add(left, row + v * lanes * self.lhs.lane)
                    down = self.factor(self.lhs, self.args[0], place, lanes, active)
                    down = self.bodies.spread(down, lanes)
                total = totals[r * len(actives) + v]
                out.append(self.multiply_add(down, across[v], total))
        return out

    # -- dot products ------------------------------------------------------------------------------
    def dots(self) -> None:
        """One vector of partial sums for each row and column, folded as a tree of halves."""
        lanes, rows = self.plan.depth_lanes, len(self.out_rows)
        type = VectorType((lanes,), self.c.dtype)
        totals = [self.init(type) if _is_zero(self.init_value) else self.zero(type)]
        totals = totals * (rows * self.width)
        totals = self._dot_loops(totals)
        for k, total in enumerate(totals):
            r, j = divmod(k, self.width)
            value = self._fold(total)
            if not _is_zero(self.init_value):
                value = self.add(self.init(self.c.dtype), value)
            self.b.store(value, self.args[4], [self.b.add(self.args[5], self.out_rows[r] + j)])

    @property
    def init_value(self) -> float:
        return float(self.c.init.data.reshape(()).item())

    def zero(self, type: Type) -> Value:
        return self.b.const(0, type)

    def _dot_loops(self, totals: list[Value]) -> list[Value]:
        """The innermost dim in vectors, its rest under a mask."""
        lanes, dims = self.plan.depth_lanes, (self.plan.depth.cut, *self.plan.depth.inner)
        *outer, last = (d.size for d in dims)
        whole, rest = divmod(last, lanes)

        def step(at: list[Value], values: list[Value]) -> list[Value]:
            prefix = at[: len(outer)]

            def full(inner: list[Value], sums: list[Value]) -> list[Value]:
                place = self.b.mul(inner[0], lanes)
                return self._dot([*prefix, place], sums, lanes)

            values = nest(self.b, [whole], values, full)
            return self._dot([*prefix, self.b.index(whole * lanes)], values, rest)

        return nest(self.b, outer, totals, step)

    def _dot(self, at: list[Value], totals: list[Value], active: int) -> list[Value]:
        if active == 0:
            return totals
        lanes = self.plan.depth_lanes
        left = affine(self.b, 0, [(self.args[1], 1), *zip(at, self.lhs.depth)])
        right = affine(self.b, 0, [(self.args[3], 1), *zip(at, self.rhs.depth)])
        column = self.plan.columns.dim.strides[1]
        down = [
            self._along(self.lhs, 0, self.b.add(left, row), lanes, active) for row in self.lhs_rows
        ]
        out: list[Value] = [*totals]
        for j in range(self.width):
            value = self._along(self.rhs, 2, self.b.add(right, j * column), lanes, active)
            for r, factor in enumerate(down):
                k = r * self.width + j
                out[k] = self.multiply_add(factor, value, totals[k])
        return out

    def _along(self, which: Factor, arg: int, at: Value, lanes: int, active: int) -> Value:
        """Lanes along the sum. Lanes behind the end are 0 after the conversion too."""
        value = load_lanes(self.b, self.args[arg], at, 1, lanes, active)
        if which.prologue is None:
            return value
        value = self.bodies.spread(self.bodies.emit(which.prologue, [value], lanes)[0], lanes)
        if active == lanes:
            return value
        keep = self.b.op(
            "vector.constant_mask", [], VectorType((lanes,), i1), mask_dim_sizes=(active,)
        )
        return self.b.op("arith.select", [keep, value, self.zero(value.type)], value.type)

    def _fold(self, total: Value) -> Value:
        assert isinstance(total.type, VectorType)
        lanes = total.type.shape[0]
        while lanes > 1:
            lanes //= 2
            half = VectorType((lanes,), self.c.dtype)
            low, high = (
                self.b.op(
                    "vector.extract_strided_slice", [total], half,
                    offsets=[k], sizes=[lanes], strides=[1],
                )
                for k in (0, lanes)
            )  # fmt: skip
            total = self.add(low, high)
        return self.b.op("vector.extract", [total], self.c.dtype, static_position=(0,))


def _is_zero(value: float) -> bool:
    return value == 0
