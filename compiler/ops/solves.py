"""Systems of linear equations: `triangular_solve` (BLAS ?trsm) and `solve` (made of `lu`).

Takes: a stack of square matrices and the right sides. Gives: the solutions; of a singular matrix
infinities and NaN, as division gives. Both are linear in the right sides, and their own adjoints.
Must not know: how they are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types
from ..types import DType, Shape, TensorType
from .draws import Example, Generator
from .families import describe, require_shape
from .matrices import SIZES, drawn, flags, product, record, square, sub
from .matrices import lower as lower_part
from .matrices import upper as upper_part

POSITIVE = Domain(0.5, 2.0)
"""Triangles of such elements are far from singular."""


def _right_side(name: str, types: Types, left_side: bool) -> Types:
    a = square(name, types, 2)
    axis = -2 if left_side else -1
    require_shape(
        types[1].shape[axis] == a.shape[-1],
        f"{name}: matrices and right sides do not fit: {describe(types)}",
    )
    return (types[1],)


# -- triangular_solve ----------------------------------------------------------------------
TRIANGULAR = ("left_side", "lower", "transpose", "unit_diagonal")


def _triangular_infer(types: Types, attrs: Attrs) -> Types:
    flags("triangular_solve", attrs, TRIANGULAR)
    return _right_side("triangular_solve", types, attrs["left_side"])


def _substitute(a: Array, y: Array, lower: bool, unit_diagonal: bool) -> Array:
    """a⁻¹ y by substitution, row by row, in double precision."""
    x, wide = (z.astype(_wide(z)) for z in (y, a))
    size = a.shape[-1]
    for i in range(size) if lower else reversed(range(size)):
        done = slice(0, i) if lower else slice(i + 1, size)
        x[..., i, :] -= (wide[..., i : i + 1, done] @ x[..., done, :])[..., 0, :]
        if not unit_diagonal:
            x[..., i, :] /= wide[..., i, i][..., None]
    return x


def _wide(x: Array) -> type[np.inexact[Any]]:
    return np.complex128 if x.dtype.kind == "c" else np.float64


def _triangular_reference(
    a: Array, y: Array, left_side: bool, lower: bool, transpose: bool, unit_diagonal: bool
) -> list[Array]:
    if not left_side:  # x op(a) = y is op(a)ᵀ xᵀ = yᵀ
        transpose, y = not transpose, np.swapaxes(y, -1, -2)
    if transpose:
        a, lower = np.swapaxes(a, -1, -2), not lower
    x = _substitute(a, y, lower, unit_diagonal)
    return [x if left_side else np.swapaxes(x, -1, -2)]


def _triangular_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    attrs, (da, dy) = node.attrs, ts
    if da is not None:
        triangle = lower_part if attrs["lower"] else upper_part
        da = triangle(b, da, strict=attrs["unit_diagonal"])
    return [_solved(b, triangular_solve, attrs, xs[0], ys[0], da, dy)]


def _solved(
    b: Builder, op: OpDef, attrs: Attrs, a: Value, x: Value, da: Value | None, dy: Value | None
) -> Value:
    """The tangent of x in op(a) x = y: a⁻¹ (dy − da x); M. B. Giles, "Collected matrix derivative
    results for forward and reverse mode algorithmic differentiation", 2008, 2.2.3."""
    right = dy
    if da is not None:
        turn = attrs["transpose"]
        if attrs.get("left_side", True):
            moved = product(b, da, x, turn_x=turn)
        else:
            moved = product(b, x, da, turn_y=turn)
        right = OPS["neg"](b, moved) if dy is None else sub(b, dy, moved)
    assert right is not None
    return op(b, a, right, **attrs)


def _adjoint(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    """Of a⁻¹ y with respect to y: a⁻ᵀ times the cotangent."""
    a, (ct,) = xs[0], cts
    assert a is not None and ct is not None
    attrs = {**node.attrs, "transpose": not node.attrs["transpose"]}
    return [None, OPS[node.op](b, a, ct, **attrs)]


def _triangular_draw(rng: Generator, lead: Shape, dtype: DType) -> list[Example]:
    made: list[Example] = []
    for size in SIZES:
        attrs: dict[str, Any] = {key: bool(rng.integers(2)) for key in TRIANGULAR}
        count = int(rng.integers(0 if size == 2 else 1, 4))
        side = (size, count) if attrs["left_side"] else (count, size)
        types = (TensorType((*lead, size, size), dtype), TensorType((*lead, *side), dtype))
        made.append((types, attrs))
    return made


triangular_solve: OpDef = record(
    "triangular_solve",
    "x in op(a) x = y, or with left_side false in x op(a) = y; op(a) is a or its transpose. Only "
    "a's lower (or upper) triangle is read, with unit_diagonal not its diagonal either.",
    _triangular_infer,
    _triangular_reference,
    drawn(_triangular_draw),
    POSITIVE,
    linearise=_triangular_linearise,
    transpose=_adjoint,
)


# -- solve ---------------------------------------------------------------------------------
def _solve_infer(types: Types, attrs: Attrs) -> Types:
    flags("solve", attrs, ("transpose",))
    return _right_side("solve", types, True)


def _solve_reference(a: Array, y: Array, transpose: bool) -> list[Array]:
    turned = (np.swapaxes(a, -1, -2) if transpose else a).astype(_wide(a))
    right = y.astype(_wide(y))
    x = np.full(y.shape, np.nan, right.dtype)
    for at in np.ndindex(a.shape[:-2]):
        try:
            x[at] = np.linalg.solve(turned[at], right[at])
        except np.linalg.LinAlgError:
            x[at] = np.inf  # what is not finite is not told apart
    return [x]


def _solve_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    return [_solved(b, solve, node.attrs, xs[0], ys[0], *ts)]


def _solve_draw(rng: Generator, lead: Shape, dtype: DType) -> list[Example]:
    made: list[Example] = []
    for size in SIZES:
        types = tuple(TensorType((*lead, size, n), dtype) for n in (size, int(rng.integers(1, 4))))
        made.append((types, {"transpose": bool(rng.integers(2))}))
    return made


solve: OpDef = record(
    "solve",
    "x in a x = y, or in aᵀ x = y: by `lu` with partial pivoting and two triangular solves.",
    _solve_infer,
    _solve_reference,
    drawn(_solve_draw),
    Domain(-2, 2),
    linearise=_solve_linearise,
    transpose=_adjoint,
)
