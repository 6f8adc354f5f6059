"""Copies of operands into the order in which register tiles read them.

Takes: an access, the tiles along one side, a buffer to fill. Gives: loops that fill it.
Must not know: which copies pay, threads.

A panel holds what one tile reads: for each position of the sum, in order, `pitch` neighbouring
elements; lanes behind the last column are zero. Conversions happen on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..graph import Graph
from ..mlir.builder import Builder
from ..mlir.ir import Value
from ..types import DType, VectorType, i1
from .body import BodyEmitter
from .contract_frame import affine, load_lanes, loop, nest, store_lanes
from .contract_lanes import Dim


@dataclass
class Copier:
    """Writes copying loops for one operand: `access` numbers its strides in the dims."""

    b: Builder
    bodies: BodyEmitter
    source: Value
    access: int
    prologue: Graph | None
    dtype: DType
    lanes: int  # of a full vector of `dtype`

    def _convert(self, value: Value, lanes: int | None) -> Value:
        if self.prologue is None:
            return value
        return self.bodies.emit(self.prologue, [value], lanes)[0]

    def _lanes(self, at: Value, stride: int, lanes: int, active: int) -> Value:
        """Converted lanes with zeros behind the active ones."""
        value = self._convert(load_lanes(self.b, self.source, at, stride, lanes, active), lanes)
        value = self.bodies.spread(value, lanes)
        if active == lanes or (self.prologue is None and stride != 0):
            return value
        keep = self.b.op(
            "vector.constant_mask", [], VectorType((lanes,), i1), mask_dim_sizes=(active,)
        )
        zero = self.b.const(0, value.type)
        return self.b.op("arith.select", [keep, value, zero], value.type)

    # -- everything as it lies ---------------------------------------------------------------------
    def flat(self, target: Value, start: Value, count: int) -> None:
        """`count` elements from `start` on, converted, at the same places."""
        whole, rest = divmod(count, self.lanes)

        def move(at: Value, active: int) -> None:
            value = self._lanes(at, 1, self.lanes, active)
            store_lanes(self.b, value, target, at, 1, active)

        loop(self.b, self.b.index(0), self.b.index(whole),
             lambda i: move(self.b.add(start, self.b.mul(i, self.lanes)), self.lanes))  # fmt: skip
        if rest:
            move(self.b.add(start, whole * self.lanes), rest)

    def row(self, target: Value, to: Value, start: Value, count: int) -> None:
        """One row of `count` neighbouring elements."""
        whole, rest = divmod(count, self.lanes)

        def move(at: Value, active: int) -> None:
            value = self._lanes(self.b.add(start, at), 1, self.lanes, active)
            store_lanes(self.b, value, target, self.b.add(to, at), 1, active)

        loop(self.b, self.b.index(0), self.b.index(whole),
             lambda i: move(self.b.mul(i, self.lanes), self.lanes))  # fmt: skip
        if rest:
            move(self.b.index(whole * self.lanes), rest)

    # -- panels ------------------------------------------------------------------------------------
    def panel(
        self, target: Value, to: Value, start: Value, depth: Sequence[Dim], width: int, step: int,
        pitch: int,
    ) -> None:  # fmt: skip
        """`width` elements `step` apart at each position of `depth`, to rows of `pitch` at `to`."""
        inner = depth[-1] if depth else None
        if inner is not None and inner.strides[self.access] == 1 and step != 1 and width > 1:
            return self._turned(target, to, start, depth, width, step, pitch)
        sizes = [d.size for d in depth]
        steps = panel_steps(sizes, pitch)

        def move(at: list[Value], _: list[Value]) -> list[Value]:
            place = affine(self.b, 0, [(start, 1), *self._terms(at, depth)])
            goal = affine(self.b, 0, [(to, 1), *zip(at, steps)])
            if step != 1 and width > 1:
                self._gathered(target, goal, place, (width, pitch), step)
                return []
            for v in range(0, width, self.lanes):
                active = min(self.lanes, width - v)
                lanes = min(self.lanes, pitch - v)
                value = self._lanes(self.b.add(place, v * step), step, lanes, active)
                store_lanes(self.b, value, target, self.b.add(goal, v), 1, lanes)
            return []

        nest(self.b, sizes, [], move)
        return None

    def _gathered(
        self, target: Value, to: Value, start: Value, shape: tuple[int, int], step: int
    ) -> None:
        """One row of a panel, `shape[0]` scattered elements one by one, zeros up to `shape[1]`."""
        width, pitch = shape
        with self.b.loop(self.b.index(0), self.b.index(width), self.b.index(1)) as i:
            place = affine(self.b, 0, [(start, 1), (i, step)])
            value = self._convert(self.b.load(self.source, [place]), None)
            self.b.store(value, target, [self.b.add(to, i)])
        zero = self.b.const(0, self.dtype)
        for lane in range(width, pitch):
            self.b.store(zero, target, [self.b.add(to, lane)])

    def _terms(self, at: Sequence[Value], depth: Sequence[Dim]) -> list[tuple[Value, int]]:
        return [(i, d.strides[self.access]) for i, d in zip(at, depth)]

    def _turned(
        self, target: Value, to: Value, start: Value, depth: Sequence[Dim], width: int, step: int,
        pitch: int,
    ) -> None:  # fmt: skip
        """A panel of which the sum runs along memory: square blocks are transposed in registers."""
        *outer, inner = depth
        side = min(self.lanes, pitch)
        steps = panel_steps([d.size for d in depth], pitch)
        whole, rest = divmod(inner.size, side)

        def along(place: Value, goal: Value, length: int) -> None:
            def block(v: Value, active: int) -> None:
                self._block(
                    target, self.b.add(goal, v), self.b.add(place, self.b.mul(v, step)),
                    (active, length), step, pitch, side,
                )  # fmt: skip

            full, tail = divmod(width, side)
            loop(self.b, self.b.index(0), self.b.index(full),
                 lambda i: block(self.b.mul(i, side), side))  # fmt: skip
            if tail:
                block(self.b.index(full * side), tail)

        def each(at: list[Value], _: list[Value]) -> list[Value]:
            place = affine(self.b, 0, [(start, 1), *self._terms(at, outer)])
            goal = affine(self.b, 0, [(to, 1), *zip(at, steps)])

            def full(i: Value) -> None:
                k = self.b.mul(i, side)
                along(self.b.add(place, k), self.b.add(goal, self.b.mul(k, pitch)), side)

            loop(self.b, self.b.index(0), self.b.index(whole), full)
            if rest:
                k = whole * side
                along(self.b.add(place, k), self.b.add(goal, k * pitch), rest)
            return []

        nest(self.b, [d.size for d in outer], [], each)

    def _block(
        self, target: Value, to: Value, start: Value, shape: tuple[int, int], step: int,
        pitch: int, side: int,
    ) -> None:  # fmt: skip
        """Up to side × side elements: `shape[0]` vectors of `shape[1]` are read and turned."""
        columns, length = shape
        square = VectorType((side, side), self.dtype)
        whole = self.b.const(0, square)
        for j in range(columns):
            value = self._lanes(self.b.add(start, j * step), 1, side, length)
            whole = self.b.op("vector.insert", [value, whole], square, static_position=(j,))
        turned = self.b.op("vector.transpose", [whole], square, permutation=(1, 0))
        line = VectorType((side,), self.dtype)
        for k in range(length):
            value = self.b.op("vector.extract", [turned], line, static_position=(k,))
            store_lanes(self.b, value, target, self.b.add(to, k * pitch), 1, side)


def panel_steps(sizes: Sequence[int], unit: int) -> list[int]:
    """How far one position of each of the sum's dims moves in a panel with rows `unit` apart."""
    out: list[int] = []
    for n in reversed(sizes):
        out.insert(0, unit)
        unit *= n
    return out
