"""Numbers of matrices: determinants, ranks, norms, conditions.

Takes: tensors with matrices in the last two axes (norms: vectors along any axes). Gives: tensors.
Must not know: how LAPACK is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.errors import ShapeError

from ..apply import fail, lift, normal_axes, operand, tensor
from ..custom import custom_jvp
from ..dtypes import float32
from ..numpy import classification, logic, manipulation, reduction
from ..numpy.arithmetic import abs as absolute
from ..numpy.functions import log, sqrt
from ..numpy.linear import matmul
from ..numpy.matrices import diagonal
from ..numpy.parts import squared_size
from ..tensor import Tensor
from .equations import inv, tolerance
from .factors import svd, svdvals
from .operands import (
    conj_transpose,
    many,
    matrix,
    numbers,
    require_matrix,
    square,
    symmetrised,
    values,
)


class SlogdetResult(NamedTuple):
    """The results of `slogdet`."""

    sign: Tensor
    logabsdet: Tensor


# -- determinants ------------------------------------------------------------------------
def _pivots(a: Tensor) -> tuple[Tensor, Tensor]:
    """The diagonal of U in P a = L U, and the sign of P."""
    factors, pivots, _ = many("lu", *values("lu", a))
    steps = np.arange(pivots.shape[-1], dtype=np.int32)
    odd = reduction.sum((pivots != steps).astype("int32"), axis=-1) % 2
    sign = logic.where(odd == 1, -1, 1).astype(factors.dtype)
    return diagonal(factors, axis1=-2, axis2=-1), sign


def _determinant(a: Tensor) -> Tensor:
    pivots, sign = _pivots(a)
    return sign * reduction.prod(pivots, axis=-1)


@custom_jvp
def _adjugate(a: Any) -> Any:
    """det(a) a⁻¹, also where a is singular: adj(U S Vᴴ) = det(U) det(Vᴴ) V adj(S) Uᴴ."""
    u, s, vt = svd(a, full_matrices=False)
    n = s.shape[-1]
    on = np.eye(n, dtype=bool)
    others = reduction.prod(logic.where(on, 1, s[..., None, :]), axis=-1)
    turn = _determinant(u) * _determinant(vt)
    sign = turn / absolute(turn) if u.dtype.is_complex else logic.where(turn < 0, -1, 1)
    spread = conj_transpose(vt) * (others * sign[..., None])[..., None, :]
    return matmul(spread, conj_transpose(u))


@_adjugate.defjvp
def _adjugate_jvp(primals: Any, tangents: Any) -> Any:
    """From adj(a) = det(a) a⁻¹, where a is not singular."""
    (a,), (da,) = primals, tangents
    adjugate, inverse = _adjugate(a), inv(a)
    slope = matmul(inverse, da)
    trace = reduction.sum(diagonal(slope, axis1=-2, axis2=-1), axis=-1)[..., None, None]
    return adjugate, trace * adjugate - matmul(slope, adjugate)


@custom_jvp
def _det(a: Any) -> Any:
    return _determinant(a)


@_det.defjvp
def _det_jvp(primals: Any, tangents: Any) -> Any:
    """Jacobi's formula: the trace of adj(a) da."""
    (a,), (da,) = primals, tangents
    cofactors = manipulation.matrix_transpose(_adjugate(a))
    return _determinant(a), reduction.sum(cofactors * da, axis=(-2, -1))


def det(a: Any) -> Tensor:
    """The determinants, by the LU factorisation.

    The gradient, the matrix of cofactors, is right for singular matrices too (it takes a singular
    value decomposition); second derivatives are for regular ones alone. Where only the logarithm
    is wanted, `slogdet` does not overflow and has the cheaper gradient.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.det(lnp.array([[1.0, 2.0], [4.0, 4.0]])).item()
    -4.0
    """
    return _det(tensor(square(a, "det")))  # type: ignore[no-any-return]


def slogdet(a: Any) -> SlogdetResult:
    """The sign of the determinants and the logarithm of their absolute values.

    The sign of a complex determinant is a number of size 1. Of a singular matrix: 0 and −inf.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> sign, logabs = lz.linalg.slogdet(lnp.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> print(sign, logabs)
    -1.0 0.0
    """
    pivots, sign = _pivots(tensor(square(a, "slogdet")))
    zero = reduction.any(pivots == 0, axis=-1)
    size = absolute(pivots)
    if pivots.dtype.is_complex:
        sign = sign * reduction.prod(pivots / logic.where(pivots == 0, 1, size), axis=-1)
    else:
        negative = reduction.sum((pivots < 0).astype("int32"), axis=-1) % 2
        sign = logic.where(negative == 1, -sign, sign)
    return SlogdetResult(logic.where(zero, 0, sign), reduction.sum(log(size), axis=-1))


# -- norms -------------------------------------------------------------------------------
def _root(x: Tensor) -> Tensor:
    """The square root, whose slope at zero counts as zero."""
    zero = x == 0
    return logic.where(zero, 0, sqrt(logic.where(zero, 1, x)))


def _wide(measure: Callable[..., Tensor], x: Tensor, *options: Any) -> Tensor:
    """A norm of 16-bit floats computed in f32, whose squares do not overflow."""
    if x.dtype.bits != 16:
        return measure(x, *options)
    return measure(x.astype(float32), *options).astype(x.dtype)


def _squares(x: Tensor) -> Tensor:
    """|x|², of real and complex numbers."""
    return tensor(squared_size(lift(operand(x))))


def _largest(x: Tensor, axis: Any, keepdims: bool = False) -> Tensor:
    """The largest of numbers from zero on; zero of none, as NumPy's."""
    return reduction.max(x, axis=axis, keepdims=keepdims, initial=None if x.size else 0)


def _vector(x: Tensor, order: Any, axes: Any, keepdims: bool) -> Tensor:
    if order is None or order == 2:
        return _root(reduction.sum(_squares(x), axis=axes, keepdims=keepdims))
    size = absolute(x)
    if order == np.inf:
        return _largest(size, axes, keepdims)
    if order == -np.inf:
        return reduction.min(size, axis=axes, keepdims=keepdims)
    if order == 0:
        return reduction.sum((x != 0).astype(size.dtype), axis=axes, keepdims=keepdims)
    if order == 1:
        return reduction.sum(size, axis=axes, keepdims=keepdims)
    if isinstance(order, str):
        fail(f"norm: {order!r} is an order of matrices; vectors have a number, inf or -inf")
    total: Tensor = reduction.sum(size**order, axis=axes, keepdims=keepdims) ** (1.0 / order)
    return total


def _of_matrices(x: Tensor, order: Any, keepdims: bool) -> Tensor:
    """Norms over the last two axes."""
    if order in (None, "fro"):
        return _root(reduction.sum(_squares(x), axis=(-2, -1), keepdims=keepdims))
    if isinstance(order, str) and order != "nuc":
        fail(f"norm: {order!r} is no order; use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    largest = order == "nuc" or order > 0
    over = _largest if largest else reduction.min
    if order == "nuc" or abs(order) == 2:
        s = svdvals(x)
        out = reduction.sum(s, axis=-1) if order == "nuc" else over(s, axis=-1)
    elif abs(order) in (1, np.inf):
        inner = -2 if abs(order) == 1 else -1
        out = over(reduction.sum(absolute(x), axis=inner), axis=-1)
    else:
        fail(f"norm: {order!r} is no order; use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    return out[..., None, None] if keepdims else out


def _last(x: Tensor, axes: tuple[int, int], keepdims: bool, order: Any) -> Tensor:
    """The norms of matrices in any two axes."""
    rank = len(x.shape)
    rows, columns = (k % rank for k in axes)
    if rows == columns:
        fail(f"norm: rows and columns are both axis {rows}", ShapeError)
    out = _of_matrices(manipulation.moveaxis(x, (rows, columns), (-2, -1)), order, False)
    return manipulation.expand_dims(out, (rows, columns)) if keepdims else out


def _pair(axis: Any, rank: int) -> tuple[int, int]:
    normal_axes(axis, rank, "norm")
    first, second = axis
    return int(first), int(second)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """A norm of vectors (`axis` one axis) or matrices (two axes); NumPy's orders.

    Without `axis` and `ord` the 2-norm of all elements; with `ord` alone x is one vector or matrix.
    Orders of vectors: a number, inf, -inf, 0 (how many are not zero). Of matrices: "fro", "nuc", 1,
    -1, 2, -2, inf, -inf. The 2-norm's gradient at zero is zero.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.norm(lnp.array([3.0, 4.0])).item()
    5.0
    """
    value = numbers(x)
    t, rank = tensor(value), len(value.shape)
    if axis is None and ord is None:
        return _wide(_vector, t, None, None, keepdims)
    if axis is None:
        if rank not in (1, 2):
            fail(f"norm: of {value.type.short} the axes must be named", ShapeError)
        axis = 0 if rank == 1 else (0, 1)
    if isinstance(axis, tuple | list) and len(axis) == 2:
        return _wide(_last, t, _pair(axis, rank), keepdims, ord)
    axes = normal_axes(axis, rank, "norm")
    if len(axes) != 1:
        fail(f"norm: axis is one axis or two, got {axis!r}")
    return _wide(_vector, t, ord, axes, keepdims)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """The norm of vectors along one axis, several, or all.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.vector_norm(lnp.ones((2, 2)), ord=1).item()
    4.0
    """
    value = numbers(x)
    axes = normal_axes(axis, len(value.shape), "vector_norm")
    return _wide(_vector, tensor(value), ord, axes, keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """The norm of the matrices in the last two axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.matrix_norm(lnp.ones((2, 2))).item()
    2.0
    """
    value = numbers(x)
    require_matrix(value, "matrix_norm")
    return _wide(_of_matrices, tensor(value), ord, keepdims)


# -- ranks and conditions ------------------------------------------------------------------
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """How many singular values are not zero: above `tol`, or above `rtol` times the largest.

    By default `rtol` is max(m, n) times the type's epsilon. A vector has rank 0 or 1, a matrix with
    elements that are not finite 0.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.matrix_rank(lnp.ones((3, 3))).item()
    1
    """
    (value,) = values("matrix_rank", A)
    if len(value.shape) < 2:
        return reduction.any(tensor(value) != 0).astype("int64")
    if tol is not None and rtol is not None:
        fail("matrix_rank takes tol or rtol, not both")
    s = svdvals(tensor(symmetrised(value) if hermitian else value))
    if not s.shape[-1]:
        return reduction.sum(s, axis=-1).astype("int64")
    if tol is None:
        share = tensor(values("matrix_rank", tolerance(value) if rtol is None else rtol)[0])
        limit = s[..., 0] * share.astype(s.dtype)
    else:
        limit = tensor(values("matrix_rank", tol)[0]).astype(s.dtype)
    return reduction.sum((s > limit[..., None]).astype("int64"), axis=-1)


def cond(x: Any, p: Any = None) -> Tensor:
    """The condition number: the product of the norms of x and its inverse; of order 2 without `p`.

    Of a singular matrix inf, of one with NaN NaN, as NumPy's.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.cond(lnp.array([[2.0, 0.0], [0.0, 1.0]])).item()
    2.0
    """
    value = matrix(x, "cond")
    if 0 in value.shape[-2:]:
        fail(f"cond of {value.type.short}: an empty matrix has no condition", ShapeError)
    if p in (None, 2, -2):
        s = svdvals(tensor(value))
        found = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    else:
        t = tensor(square(tensor(value), "cond"))
        found = _of_matrices(t, p, False) * _of_matrices(inv(t), p, False)
    given = reduction.any(classification.isnan(tensor(value)), axis=(-2, -1))
    singular = logic.logical_and(classification.isnan(found), logic.logical_not(given))
    return logic.where(singular, np.inf, found)
