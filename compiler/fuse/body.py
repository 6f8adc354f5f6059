"""Writes the scalar body of a Generic: each op as a function from an index to an expression.

Takes: graph Values, a point of the iteration space, what is already in memory.
Gives: scalar nodes, and the list of reads that they need. A view is index arithmetic, and fusion is
substitution. Must not know: which ops are fused (the caller says what is a leaf), or schedules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..graph import Builder, Node, Value
from ..mlir.ir import AffineMap, Dense
from ..opdef import OPS
from ..ranges import Ranges
from ..scalars import Scalars, register, storage
from ..types import DType, TensorType, i1, i64, index
from .bounds import Bounds


@dataclass(frozen=True)
class Linear:
    """An index that is linear in the iteration point: Σ coefficients[d]·d + constant."""

    coefficients: tuple[int, ...]
    constant: int

    @property
    def is_constant(self) -> bool:
        return not any(self.coefficients)


Index: TypeAlias = Linear | Value
"""An index expression: linear in the point, or a scalar of type `index` computed in the body."""

Point: TypeAlias = tuple[Index, ...]


def identity_point(dims: int) -> tuple[Linear, ...]:
    """The iteration point itself: (d0, d1, …)."""
    return tuple(Linear(tuple(int(k == d) for k in range(dims)), 0) for d in range(dims))


class BodyWriter:
    """The body of one Generic under construction.

    `is_leaf(value)` says what is read from memory (or an earlier Generic) instead of computed here.
    `reads` lists (value, map or None) in order of first use, `read_params` the body's parameters.
    """

    def __init__(
        self, dims: int, is_leaf: Callable[[Value], bool], ranges: Ranges | None = None
    ) -> None:
        self.dims = dims
        self.is_leaf = is_leaf
        self.bounds = Bounds(ranges)
        self.builder = Builder(name="body")
        self.s = Scalars(self.builder)
        self.reads: list[tuple[Value, AffineMap | None]] = []
        self._params: dict[tuple[Value, AffineMap | None], Value] = {}
        self._done: dict[tuple[Value, Point], Value] = {}

    def value(self, value: Value, point: Point) -> Value:
        """The scalar of `value` at `point`, in register form (i1 for bools, signless integers)."""
        key = (value, point)
        if key not in self._done:
            leaf = self.is_leaf(value)
            made = self._read(value, point) if leaf else self._compute(value, point)
            self.bounds.note(made, value)
            self._done[key] = made
        return self._done[key]

    def know(self, value: Value, point: Point, scalar: Value) -> None:
        """From here on `value` at `point` is this scalar."""
        self._done[value, point] = scalar

    # -- leaves -----------------------------------------------------------------------------
    def _read(self, value: Value, point: Point) -> Value:
        linear = [p for p in point if isinstance(p, Linear)]
        if len(linear) == len(point):
            rows = tuple((p.coefficients, p.constant) for p in linear)
            scalar = self._param(value, AffineMap(self.dims, rows))
        else:
            operand = self._param(value, None)
            at = [self.index_value(p) for p in point]
            kind = TensorType((), storage(value.type.dtype))
            scalar = self.builder.add("tensor.extract", (operand, *at), {}, (kind,)).result
        return from_storage(self.s, scalar, value.type.dtype)

    def _param(self, value: Value, map: AffineMap | None) -> Value:
        key = (value, map)
        if key not in self._params:
            dtype = storage(value.type.dtype)
            type = TensorType(value.shape if map is None else (), dtype)
            self._params[key] = self.builder.param(type)
            self.reads.append(key)
        return self._params[key]

    # -- inner nodes ------------------------------------------------------------------------
    def _compute(self, value: Value, point: Point) -> Value:
        node, op = value.node, OPS[value.op]
        if op.family == "elementwise":
            operands = [self.value(v, point) for v in node.inputs]
            return self.apply(node, operands)
        if op.family == "movement":
            assert op.index is not None
            return op.index(Reader(self, node), node, point)  # type: ignore[no-any-return]
        if node.op == "constant":
            return self._constant(node)
        if node.op == "iota":
            return self.from_index(point[node.attrs["axis"]], node.types[0].dtype)
        raise AssertionError(f"{node.op} cannot be computed inside a kernel body")

    def apply(self, node: Node, operands: Sequence[Value]) -> Value:
        """The scalar code of an elementwise node on scalars in register form."""
        op = OPS[node.op]
        assert op.scalar is not None
        dtype = node.inputs[1 if node.op == "select" else 0].type.dtype
        if op.extra.get("takes_attrs"):
            return op.scalar(self.s, *operands, dtype=dtype, attrs=node.attrs)  # type: ignore[no-any-return]
        return op.scalar(self.s, *operands, dtype=dtype)  # type: ignore[no-any-return]

    def _constant(self, node: Node) -> Value:
        dense: Dense = node.attrs["value"]
        assert dense.data.size == 1, "an array constant is a leaf"
        return self.s.constant(_signless(dense.data.reshape(())), register(node.types[0].dtype))

    # -- indices ----------------------------------------------------------------------------
    def index_value(self, at: Index) -> Value:
        """An index expression as a scalar of type `index`."""
        if isinstance(at, Value):
            return at
        total: Value | None = None
        for dim, c in enumerate(at.coefficients):
            if c == 0:
                continue
            term = self.builder.add(
                "linalg.index", (), {"dim": dim}, (TensorType((), index),)
            ).result
            if c != 1:
                term = self.s.mul(term, self.s.constant(c, index))
            total = term if total is None else self.s.add(total, term)
        if total is None:
            return self.s.constant(at.constant, index)
        return self.s.add(total, self.s.constant(at.constant, index)) if at.constant else total

    def from_index(self, at: Index, dtype: DType) -> Value:
        """An index as an element of `dtype` in register form."""
        value = self.index_value(at)
        if dtype.is_float:
            from_i64 = self.s.resize(value, i64, signed=True)
            return OPS["convert"].scalar(  # type: ignore[misc,no-any-return]
                self.s, from_i64, dtype=i64, attrs={"dtype": dtype}
            )
        return self.s.resize(value, register(dtype), signed=True)


def _signless(data: np.ndarray) -> int | float:
    value = data.item()
    return value if isinstance(value, float) else int(value)


def from_storage(s: Scalars, scalar: Value, dtype: DType) -> Value:
    """A loaded element in register form: a bool's byte becomes an i1."""
    if dtype is not i1:
        return scalar
    known = s.compare("ne", scalar, s.like(0, scalar))
    s.bytes_of[known] = scalar
    return known


def to_storage(s: Scalars, scalar: Value, dtype: DType) -> Value:
    """A scalar in register form as the element that is stored."""
    if dtype is not i1:
        return scalar
    return s.bytes_of.get(scalar) or s.resize(scalar, storage(dtype), signed=False)


@dataclass
class Reader:
    """What the `index` rule of a movement op sees: its operands, and arithmetic on indices."""

    body: BodyWriter
    node: Node

    @property
    def s(self) -> Scalars:
        """Scalar arithmetic in the same body."""
        return self.body.s

    def read(self, operand: int, point: Sequence[Index]) -> Value:
        """The element of an operand at a point, in register form."""
        return self.body.value(self.node.inputs[operand], tuple(point))

    def value(self, at: Index) -> Value:
        """An index expression as a scalar of type `index`."""
        return self.body.index_value(at)

    def constant_of(self, at: Index) -> int | None:
        """The number that an index always is, or None."""
        return at.constant if isinstance(at, Linear) and at.is_constant else None

    def affine(self, at: Index, scale: int, offset: int) -> Index:
        """at · scale + offset, still linear where `at` is."""
        if isinstance(at, Linear):
            return Linear(tuple(c * scale for c in at.coefficients), at.constant * scale + offset)
        scaled = at if scale == 1 else self.s.mul(at, self.s.constant(scale, index))
        return scaled if offset == 0 else self.s.add(scaled, self.s.constant(offset, index))

    def add(self, a: Index, b: Index) -> Index:
        """a + b."""
        if isinstance(a, Linear) and isinstance(b, Linear):
            pairs = zip(a.coefficients, b.coefficients)
            return Linear(tuple(x + y for x, y in pairs), a.constant + b.constant)
        if isinstance(b, Linear) and b.is_constant:
            return self.affine(a, 1, b.constant)
        if isinstance(a, Linear) and a.is_constant:
            return self.affine(b, 1, a.constant)
        return self.s.add(self.value(a), self.value(b))

    def clamp(self, at: Value, low: int, high: int) -> Value:
        """min(max(at, low), high), signed; `at` itself where it surely lies between."""
        least, most = self.body.bounds.of(at)
        if least < low:
            at = self.s.maximum(at, self.s.constant(low, index))
        if most > high:
            at = self.s.minimum(at, self.s.constant(high, index))
        return at

    def cast_index(self, scalar: Value, dtype: DType) -> Value:
        """An integer element (logical `dtype`) as an index; an unsigned one beyond i64
        saturates.
        """
        if dtype.kind == "uint" and dtype.bits == 64:
            top = self.s.constant((1 << 63) - 1, scalar.type.dtype)
            scalar = self.s.minimum(scalar, top, signed=False)
        return self.s.resize(scalar, index, signed=dtype.is_signed)

    def regroup(self, point: Sequence[Index], shape: Sequence[int], to: Sequence[int]) -> Point:
        """The point of shape `to` at the same row-major position as `point` of `shape`.

        Axes are matched in groups of equal size; a group that merges into one axis stays linear,
        one that splits takes divisions.
        """
        result: list[Index] = [Linear((0,) * self.body.dims, 0)] * len(to)
        if 0 in shape:
            return tuple(result)  # of nothing, read nowhere
        mine = [k for k, n in enumerate(shape) if n != 1]
        yours = [k for k, n in enumerate(to) if n != 1]
        while mine:
            left, right = [mine.pop(0)], [yours.pop(0)]
            a, b = shape[left[0]], to[right[0]]
            while a != b:
                if a < b:
                    left.append(mine.pop(0))
                    a *= shape[left[-1]]
                else:
                    right.append(yours.pop(0))
                    b *= to[right[-1]]
            flat = self.linearise([point[k] for k in left], [shape[k] for k in left])
            for k, at in zip(right, self.delinearise(flat, [to[k] for k in right])):
                result[k] = at
        return tuple(result)

    def linearise(self, point: Sequence[Index], shape: Sequence[int]) -> Index:
        """The row-major position of a point of `shape`."""
        total: Index = Linear((0,) * self.body.dims, 0)
        stride = 1
        for at, n in zip(reversed(point), reversed(shape)):
            total = self.add(total, self.affine(at, stride, 0))
            stride *= n
        return total

    def delinearise(self, flat: Index, shape: Sequence[int]) -> Point:
        """The point of `shape` at a row-major position."""
        point: list[Index] = []
        stride = math.prod(shape)
        for position, n in enumerate(shape):
            stride //= n
            at = flat
            if stride != 1:
                at = self.s.op("arith.divui", self.value(at), self.s.constant(stride, index))
            if position:
                at = self.s.op("arith.remui", self.value(at), self.s.constant(n, index))
            point.append(at)
        return tuple(point)
