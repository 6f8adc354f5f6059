"""Linear equations and what is made of them: `solve`, `inv`, `pinv`, `lstsq`, `matrix_power`.

Takes: tensors with matrices in the last two axes. Gives: tensors. A singular matrix gives
infinities and NaN instead of an error, in compiled code and outside of it. Must not know: how
LAPACK is called.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from ..apply import call, expand, fail, lift, operand, tensor
from ..custom import custom_jvp
from ..numpy.linear import matmul
from ..numpy.logic import where
from ..numpy.matrices import eye
from ..numpy.parts import conjugate_of, squared_size
from ..numpy.reduction import sum as total
from ..tensor import Tensor
from .factors import svd
from .operands import (
    conj_transpose,
    matrix,
    require_matrix,
    same_lead,
    square,
    symmetrised,
    values,
)


# -- square matrices ---------------------------------------------------------------------
def _pair(name: str, a: Any, b: Any) -> tuple[Value, Value, bool]:
    """Matrices and right sides with the same leading axes; whether b was one vector."""
    x, y = values(name, a, b)
    require_matrix(x, name, square=True)
    vector = len(y.shape) == 1
    if vector:
        y = call("reshape", y, shape=(*y.shape, 1))
    require_matrix(y, name)
    if y.shape[-2] != x.shape[-1]:
        fail(
            f"{name}: the matrices of {x.type.short} and the right sides of {y.type.short} do not "
            "fit",
            ShapeError,
        )
    x, y = same_lead(name, [x, y])
    return x, y, vector


def _flat(x: Value, vector: bool) -> Tensor:
    """Solutions; where the right side was a vector, without the last axis."""
    return tensor(call("reshape", x, shape=x.shape[:-1]) if vector else x)


def solve(a: Any, b: Any) -> Tensor:
    """x in a x = b.

    `a` is `(…, n, n)`; `b` is a vector `(n,)`, or matrices `(…, n, k)`; leading axes broadcast.
    All solves and derivatives with the same a share one factorisation.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.solve(lnp.array([[2.0, 0.0], [0.0, 4.0]]), lnp.array([2.0, 2.0])))
    [1.  0.5]
    """
    x, y, vector = _pair("solve", a, b)
    return _flat(call("solve", x, y, transpose=False), vector)


def solve_triangular(
    a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> Tensor:
    """x in a x = b, or with `trans` 1 or "T" in aᵀ x = b, with 2 or "C" in aᴴ x = b, where a is
    triangular.

    Only the triangle that is meant is read, with `unit_diagonal` not its diagonal either.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> a = lnp.array([[2.0, 9.0], [1.0, 1.0]])
    >>> print(lz.linalg.solve_triangular(a, lnp.array([2.0, 3.0]), lower=True))
    [1. 2.]
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        fail(f"solve_triangular: trans is 0, 1, 2, 'N', 'T' or 'C', got {trans!r}")
    x, y, vector = _pair("solve_triangular", a, b)
    if trans in (2, "C"):
        x = conjugate_of(x)
    attrs = {
        "left_side": True,
        "lower": bool(lower),
        "transpose": trans not in (0, "N"),
        "unit_diagonal": bool(unit_diagonal),
    }
    return _flat(call("triangular_solve", x, y, **attrs), vector)


def inv(a: Any) -> Tensor:
    """The inverse matrices. To solve equations `solve` is faster and more accurate.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.inv(lnp.array([[2.0, 0.0], [0.0, 4.0]])))
    [[0.5  0.  ]
     [0.   0.25]]
    """
    x = square(a, "inv")
    return tensor(call("solve", x, expand(_identity(x), x.shape), transpose=False))


def _identity(like: Value) -> Value:
    (one,) = values("identity", eye(like.shape[-1], dtype=like.type.dtype))
    return one


def matrix_power(a: Any, n: int) -> Tensor:
    """a multiplied by itself n times; for negative n its inverse is.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.matrix_power(lnp.array([[1, 1], [0, 1]]), 3))
    [[1 3]
     [0 1]]
    """
    if not isinstance(n, int | np.integer) or isinstance(n, bool):
        fail(f"matrix_power: the exponent is an integer, got {n!r}")
    x = inv(a) if n < 0 else tensor(_whole(a))
    n = abs(int(n))
    if n == 0:
        return tensor(expand(_whole(eye(x.shape[-1], dtype=x.dtype)), x.shape))
    result = None
    while True:
        if n & 1:
            result = x if result is None else matmul(result, x)
        n >>= 1
        if not n:
            assert result is not None
            return result
        x = matmul(x, x)


def _whole(a: Any) -> Value:
    """Square matrices of any type."""
    x = lift(operand(a))
    require_matrix(x, "matrix_power", square=True)
    return x


# -- matrices of any shape ---------------------------------------------------------------
def tolerance(x: Tensor | Value) -> float:
    """What a singular value must exceed, in units of the largest, to count as other than zero."""
    dtype = x.type.dtype if isinstance(x, Value) else x.dtype
    return float(max(x.shape[-2:]) * np.finfo(dtype.numpy).eps)


def _cut(s: Tensor, rcond: Any) -> Tensor:
    """Whether each singular value counts."""
    if not s.shape[-1]:
        return s > 0
    kept: Tensor = s > s[..., :1] * rcond
    return kept


@custom_jvp
def _pinv(a: Any, rcond: Any) -> Tensor:
    u, s, vt = svd(a, full_matrices=False)
    kept = _cut(s, rcond)
    inverse = where(kept, 1 / where(kept, s, 1), 0)
    return matmul(conj_transpose(vt) * inverse[..., None, :], conj_transpose(u))


@_pinv.defjvp
def _pinv_jvp(primals: Any, tangents: Any) -> Any:
    """G. H. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate", 1973, for a rank that does not change."""
    (a, rcond), (da, _) = primals, tangents
    p = _pinv(a, rcond)
    pt, dat = conj_transpose(p), conj_transpose(da)
    kernel = dat - matmul(matmul(dat, a), p)  # dAᴴ (I − A P)
    image = dat - matmul(p, matmul(a, dat))  # (I − P A) dAᴴ
    moved = matmul(p, matmul(pt, kernel)) + matmul(matmul(image, pt), p)
    return p, moved - matmul(matmul(p, da), p)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """The pseudo-inverse of Moore and Penrose, by the singular value decomposition.

    Singular values up to `rtol` (the older name is `rcond`) times the largest count as zero; by
    default max(m, n) times the type's epsilon. The derivative is that for a fixed rank, and needs
    no distinct singular values.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.pinv(lnp.array([[2.0, 0.0], [0.0, 0.0]])))
    [[0.5 0. ]
     [0.  0. ]]
    """
    x = square(a, "pinv") if hermitian else matrix(a, "pinv")
    x = symmetrised(x) if hermitian else x
    limit = rtol if rtol is not None else rcond
    if limit is None:
        limit = tolerance(x)
    (cut,) = values("pinv", limit)
    cut = call("convert", cut, dtype=x.type.dtype.part)
    cut = call("reshape", cut, shape=(*cut.shape, 1))
    return _pinv(tensor(x), tensor(cut))  # type: ignore[no-any-return]


def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x with the least ‖b − a x‖, and among those the least ‖x‖.

    `a` is `(m, n)`, `b` is `(m,)` or `(m, k)`. Gives x, the squared residual of each column, the
    rank, the singular values. Residuals are given for every rank (NumPy gives none where the rank
    is below n or m ≤ n; then they are zero or not least).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> x, *_ = lz.linalg.lstsq(lnp.array([[2.0], [0.0]]), lnp.array([1.0, 3.0]))
    >>> print(x)
    [0.5]
    """
    x, y = values("lstsq", a, b)
    if len(x.shape) != 2 or len(y.shape) not in (1, 2) or y.shape[0] != x.shape[0]:
        fail(
            f"lstsq needs a matrix (m, n) and right sides (m,) or (m, k), got {x.type.short} and "
            f"{y.type.short}",
            ShapeError,
        )
    matrix_, right = tensor(x), tensor(y)
    limit = tolerance(x) if rcond is None else rcond
    _, s, _ = svd(matrix_, full_matrices=False)
    found = matmul(pinv(matrix_, limit), right)
    rest = right - matmul(matrix_, found)
    squares = tensor(squared_size(lift(operand(rest))))
    residuals = total(squares, axis=0, keepdims=len(y.shape) == 1)
    rank = total(_cut(s, limit), axis=-1).astype("int32")
    return found, residuals, rank, s


# -- tensors as matrices -----------------------------------------------------------------
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Tensor:
    """x with tensordot(a, x, b.ndim) = b over the last axes of a.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> a = lnp.eye(4).reshape(2, 2, 4)
    >>> print(lz.linalg.tensorsolve(a, lnp.ones((2, 2))))
    [1. 1. 1. 1.]
    """
    x, y = values("tensorsolve", a, b)
    rank = len(x.shape)
    if axes is not None:
        moved = [k % rank for k in axes]
        order = [k for k in range(rank) if k not in moved] + moved
        x = call("transpose", x, permutation=tuple(order))
    tail = x.shape[len(y.shape) :]
    size = math.prod(tail)
    if size != y.type.size or x.type.size != size * size:
        fail(f"tensorsolve: {x.type.short} is no square of {y.type.short}", ShapeError)
    solved = solve(
        tensor(call("reshape", x, shape=(size, size))), tensor(call("reshape", y, shape=(size,)))
    )
    return solved.reshape(tail)


def tensorinv(a: Any, ind: int = 2) -> Tensor:
    """The inverse of `tensordot` with a over its last axes, `ind` axes being before them.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.tensorinv(lnp.eye(6).reshape(6, 2, 3), ind=1).shape
    (2, 3, 6)
    """
    (x,) = values("tensorinv", a)
    if ind <= 0:
        fail(f"tensorinv: ind is at least 1, got {ind}")
    head, tail = x.shape[:ind], x.shape[ind:]
    size = math.prod(head)
    if size != math.prod(tail):
        fail(f"tensorinv: {x.type.short} is not square around axis {ind}", ShapeError)
    return inv(tensor(call("reshape", x, shape=(size, size)))).reshape((*tail, *head))
