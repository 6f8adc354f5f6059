"""What the linear algebra ops share: types, batching, and small functions of stacked matrices.

Takes: tensors whose last two axes are matrices. Gives: a record maker; products, transposes,
triangles and diagonals built of other ops. Must not know: any factorisation.

Behind the pass that takes complex numbers apart the same ops have the attribute `pairs`: complex
matrices are real ones with one more last axis of 2, which is how LAPACK has them in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, Examples, OpDef, Pair, Part, Types, define
from ..types import DType, Shape, TensorType, c64, c128, f32, f64, i32
from . import pairs
from .complex_numbers import complex_, conjugate, imag, real, whole
from .contraction import dot_general
from .draws import Example, Generator
from .families import arity, describe, move_axis_to_front, require, require_shape
from .source import constant, iota

PRECISIONS = (f32, f64, c64, c128)
"""What LAPACK computes in."""
PAIRS = "pairs"
"""The attribute of ops on complex matrices as pairs of reals; absent elsewhere."""
BATCHES: tuple[Shape, ...] = ((), (3,), (0,), (2, 2))
"""Leading axes that examples have."""
SIZES = (1, 2, 3, 4, 0)
"""Sizes of square matrices that examples have."""


# -- type rules --------------------------------------------------------------------------
def matrix(name: str, types: Types, count: int = 1) -> TensorType:
    """The first of `count` operands: a stack of matrices, whose leading axes all operands have."""
    arity(name, types, count)
    first = types[0]
    for t in types:
        require(
            t.dtype in PRECISIONS and t.dtype is first.dtype,
            f"{name} takes {', '.join(map(str, PRECISIONS))}, all operands alike; got "
            f"{describe(types)}",
        )
        require_shape(t.rank >= 2, f"{name} needs tensors of two axes or more, got {t.short}")
        require_shape(
            t.shape[:-2] == first.shape[:-2],
            f"{name} needs operands with the same leading axes, got {describe(types)}",
        )
    return first


def square(name: str, types: Types, count: int = 1) -> TensorType:
    """As `matrix`, where the first operand's matrices are square."""
    x = matrix(name, types, count)
    require_shape(
        x.shape[-1] == x.shape[-2], f"{name} needs square matrices in the last two axes: {x.short}"
    )
    return x


def flags(name: str, attrs: Attrs, wanted: Sequence[str]) -> None:
    """Raise where an attribute is no bool."""
    for key in wanted:
        require(isinstance(attrs.get(key), bool), f"{name}: {key} is a bool, got {attrs.get(key)}")


def stacked(x: TensorType, *tail: int, dtype: DType | None = None) -> TensorType:
    """The type with x's leading axes and other last ones."""
    return TensorType((*x.shape[:-2], *tail), dtype or x.dtype)


# -- complex matrices as pairs ---------------------------------------------------------------
def _paired(t: TensorType) -> TensorType:
    """A complex type as it is in memory; a real one is its own."""
    return TensorType((*t.shape, 2), t.dtype.part) if t.dtype.is_complex else t


def _joined(name: str, t: TensorType) -> TensorType:
    """The complex type that such a real one stands for."""
    require(t.dtype in (f32, f64), f"{name}: pairs are f32 or f64, got {t.short}")
    require_shape(t.rank > 0 and t.shape[-1] == 2, f"{name}: the last axis of {t.short} is no 2")
    return TensorType(t.shape[:-1], whole(t.dtype))


def _without_pairs(name: str, attrs: Attrs) -> tuple[bool, dict[str, Any]]:
    """Whether operands are pairs, and the attributes beside that."""
    given = attrs.get(PAIRS, False)
    require(isinstance(given, bool), f"{name}: {PAIRS} is a bool, got {given!r}")
    return given, {key: value for key, value in attrs.items() if key != PAIRS}


def _on_pairs(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    """The same op on pairs in memory."""
    operands = [pairs.stacked(b, x) if isinstance(x, Pair) else x for x in xs]
    made = OPS[node.op].many(b, *operands, **{**node.attrs, PAIRS: True})
    return [pairs.unstacked(b, y) if t.dtype.is_complex else y for y, t in zip(made, node.types)]


# -- records -----------------------------------------------------------------------------
def batch_stacks(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    """Every op here takes any number of leading axes: the batch axis is one more."""
    fronted = [move_axis_to_front(b, x, axis, size) for x, axis in zip(xs, axes)]
    made = OPS[node.op].many(b, *fronted, **node.attrs)
    return made, [0] * len(made)


def vectors_or_not(rng: Generator, lead: Shape, dtype: DType) -> list[Example]:
    """Square matrices, with eigenvectors wanted or not."""
    return [
        ((TensorType((*lead, n, n), dtype),), {"vectors": bool(rng.integers(2))}) for n in SIZES
    ]


def record(
    name: str,
    doc: str,
    infer: Callable[..., Any],
    reference: Callable[..., Any],
    examples: Examples,
    domain: Domain,
    **fields: Any,
) -> OpDef:
    """A record of the family. `reference(*matrices, **attrs)` gives a list of arrays."""

    def infer_any(types: Types, attrs: Attrs) -> Types:
        paired, rest = _without_pairs(name, attrs)
        if not paired:
            return tuple(infer(types, rest))
        made = infer(tuple(_joined(name, t) for t in types), rest)
        return tuple(_paired(t) for t in made)

    def refer(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
        paired, rest = _without_pairs(name, attrs)
        if paired:
            arrays = [np.ascontiguousarray(x).view(whole(t.dtype).numpy)[..., 0]
                      for x, t in zip(arrays, ins)]  # fmt: skip
        with np.errstate(all="ignore"):
            made = [np.asarray(y, order="C") for y in reference(*arrays, **rest)]
        made = [np.stack([y.real, y.imag], -1) if paired and y.dtype.kind == "c" else y
                for y in made]  # fmt: skip
        return [y.astype(t.dtype.numpy).reshape(t.shape) for y, t in zip(made, outs)]

    return define(
        OpDef(
            name=name,
            family="linalg",
            doc=doc,
            infer=infer_any,
            reference=refer,
            parts=_on_pairs,
            examples=examples,
            domain=domain,
            batch=batch_stacks,
            dtypes=PRECISIONS,
            cost=1000.0,
            ulp=8.0,
            **{"route": "library", **fields},
        )
    )


def each(
    function: Callable[[Array], Sequence[Array]],
    x: Array,
    count: int,
    finite: Callable[[Array], Array] | None = None,
) -> list[Array]:
    """`function` on every matrix of a stack, its `count` results stacked; NaN in all of them where
    it does not converge or the matrix is not as it must be; or where what `finite` takes of it is
    not finite."""
    lead = x.shape[:-2]
    model = [np.asarray(y) for y in function(np.eye(*x.shape[-2:], dtype=x.dtype))]
    outs = [np.zeros((*lead, *y.shape), y.dtype) for y in model[:count]]
    for at in np.ndindex(lead):
        try:
            if finite is not None and not np.isfinite(finite(x[at])).all():
                raise np.linalg.LinAlgError
            found = function(x[at])
        except np.linalg.LinAlgError:
            found = [np.full(y.shape, nan_of(y.dtype), y.dtype) for y in model]
        for out, y in zip(outs, found):
            out[at] = y
    return outs


def nan_of(dtype: np.dtype[Any]) -> complex:
    """NaN, in both parts of a complex number."""
    return complex(np.nan, np.nan) if dtype.kind == "c" else np.nan


def drawn(draw: Callable[[Generator, Shape, DType], Sequence[Example]]) -> Examples:
    """Examples for all dtypes, complex ones also as pairs, and several leading shapes."""

    def examples(rng: Generator) -> list[Example]:
        made = [e for dtype in PRECISIONS for lead in BATCHES for e in draw(rng, lead, dtype)]
        for types, attrs in draw(rng, (2,), c128):
            made.append((tuple(_paired(t) for t in types), {**attrs, PAIRS: True}))
        return made

    return examples


# -- functions of matrices ---------------------------------------------------------------
def turned(b: Builder, x: Value) -> Value:
    """The matrices transposed."""
    rank = len(x.shape)
    return OPS["transpose"](b, x, permutation=(*range(rank - 2), rank - 1, rank - 2))


def product(b: Builder, x: Value, y: Value, *, turn_x: bool = False, turn_y: bool = False) -> Value:
    """x @ y, each transposed first where wanted."""
    rank = len(x.shape)
    lead = tuple(range(rank - 2))
    attrs = {
        "lhs_contracting": (rank - 2 if turn_x else rank - 1,),
        "rhs_contracting": (rank - 1 if turn_y else rank - 2,),
        "lhs_batch": lead,
        "rhs_batch": lead,
    }
    return dot_general(b, x, y, **attrs)


def conjugated(b: Builder, x: Value) -> Value:
    """The complex conjugates; of real numbers themselves."""
    return conjugate(b, x) if x.type.dtype.is_complex else x


def adjoint(b: Builder, x: Value) -> Value:
    """The matrices transposed and conjugated."""
    return turned(b, conjugated(b, x))


def real_part(b: Builder, x: Value) -> Value:
    """The real parts; of real numbers themselves."""
    return real(b, x) if x.type.dtype.is_complex else x


def scaled(b: Builder, op: str, x: Value, r: Value) -> Value:
    """x `mul` or `div` the real r; of complex numbers part by part, so that an infinite r does
    not make NaN of a part that is zero times it."""
    if not x.type.dtype.is_complex:
        return OPS[op](b, x, r)
    return complex_(b, OPS[op](b, real(b, x), r), OPS[op](b, imag(b, x), r))


def add(b: Builder, x: Value, y: Value) -> Value:
    return OPS["add"](b, x, y)


def sub(b: Builder, x: Value, y: Value) -> Value:
    return OPS["sub"](b, x, y)


def mul(b: Builder, x: Value, y: Value) -> Value:
    return OPS["mul"](b, x, y)


def zero(b: Builder, x: Value) -> Value:
    return constant(b, 0, x.type.dtype, x.shape)


def where_rows(b: Builder, compare: str, shape: Shape) -> Value:
    """A bool for every element: how its column compares with its row (`less`: below the
    diagonal)."""
    rank = len(shape)
    rows, columns = (iota(b, shape=shape, axis=rank - k, dtype=i32) for k in (2, 1))
    return OPS[compare](b, columns, rows)


def keep(b: Builder, compare: str, x: Value) -> Value:
    """x where its column compares so with its row, else zero; linear in x."""
    return OPS["select"](b, where_rows(b, compare, x.shape), x, zero(b, x))


def lower(b: Builder, x: Value, strict: bool = False) -> Value:
    """The lower triangle."""
    return keep(b, "less" if strict else "less_equal", x)


def upper(b: Builder, x: Value, strict: bool = False) -> Value:
    """The upper triangle."""
    return keep(b, "greater" if strict else "greater_equal", x)


def with_diagonal(b: Builder, x: Value, value: float) -> Value:
    """x with one value all along the diagonal."""
    number = constant(b, value, x.type.dtype, x.shape)
    return OPS["select"](b, where_rows(b, "equal", x.shape), number, x)


def from_lower(b: Builder, x: Value) -> Value:
    """The symmetric or Hermitian matrices that have x's lower triangles; of a complex diagonal only
    the real part counts."""
    if not x.type.dtype.is_complex:
        return add(b, lower(b, x), turned(b, lower(b, x, strict=True)))
    below = lower(b, x, strict=True)
    middle = real(b, keep(b, "equal", x))
    return add(b, add(b, below, adjoint(b, below)), complex_(b, middle, zero(b, middle)))


def along(b: Builder, x: Value, like: Value, axis: int) -> Value:
    """Vectors in the last axis of x repeated to matrices: `axis` −1 puts element j in column j,
    −2 puts element i in row i."""
    rank = len(like.shape)
    axes = (*range(rank - 2), rank + axis)
    return OPS["broadcast"](b, x, shape=like.shape, axes=axes)


def part(b: Builder, x: Value, rows: tuple[int, int], columns: tuple[int, int]) -> Value:
    """A block of every matrix: rows and columns from … to."""
    rank = len(x.shape)
    start, limit = [0] * rank, list(x.shape)
    start[-2], limit[-2] = rows
    start[-1], limit[-1] = columns
    if tuple(limit) == x.shape and not any(start):
        return x
    return OPS["slice"](b, x, start=tuple(start), limit=tuple(limit), stride=(1,) * rank)


def column_sums(b: Builder, x: Value, y: Value) -> Value:
    """The real part of the diagonal of xᴴ y: Σ over rows of x·y."""
    if x.type.dtype.is_complex:
        parts = [mul(b, OPS[part](b, x), OPS[part](b, y)) for part in ("real", "imag")]
        return OPS["reduce_sum"](b, add(b, *parts), axes=(len(x.shape) - 2,))
    return OPS["reduce_sum"](b, mul(b, x, y), axes=(len(x.shape) - 2,))
