"""Factorisations with SciPy's arguments: `cholesky`, `lu`, `polar`, `qr`, `svd`.

Takes: tensors with matrices in the last two axes. Gives: tensors. Must not know: how LAPACK is
called.
"""

from __future__ import annotations

from typing import Any

from ... import linalg
from ... import numpy as lnp
from ...apply import fail, tensor
from ...custom import custom_jvp
from ...linalg.operands import conj_transpose, matrix
from ...numpy import matmul
from ...tensor import Tensor


def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Tensor:
    """The upper triangular U with Uᴴ U = a, or with `lower` the L with L Lᴴ = a.

    Only the triangle that is meant is read. Where a is not positive definite, it is NaN.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import cholesky
    >>> print(cholesky(lnp.array([[4.0, 2.0], [2.0, 5.0]])))
    [[2. 1.]
     [0. 2.]]
    """
    return linalg.cholesky(a, upper=not lower, symmetrize_input=False)


def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Tensor, ...]:
    """P, L and U with P L U = a; with `permute_l` P L and U.

    Of `(…, m, n)` with k = min(m, n): P is `(…, m, m)` and real, L `(…, m, k)` with ones on its
    diagonal, U `(…, k, n)`.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import lu
    >>> p, l, u = lu(lnp.array([[1.0, 2.0], [4.0, 4.0]]))
    >>> print(u)
    [[4. 4.]
     [0. 1.]]
    """
    x = tensor(matrix(a, "lu"))
    m, n = x.shape[-2:]
    k = min(m, n)
    factors, _, permutation = linalg.lu(x)
    below = lnp.tril(factors[..., :k], -1) + lnp.eye(m, k, dtype=x.dtype)
    above = lnp.triu(factors[..., :k, :])
    rows = lnp.arange(m, dtype="int32")
    places = lnp.equal(rows[:, None], permutation[..., None, :]).astype(x.dtype.part)
    return (matmul(places, below), above) if permute_l else (places, below, above)


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> tuple[Tensor, ...]:
    """Orthonormal columns and an upper triangular matrix whose product is a.

    `mode`: "full" gives m columns (no derivative where m > n), "economic" min(m, n), "r" a tuple
    of the full triangle alone. Columns are not pivoted: `pivoting` is an error.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import qr
    >>> q, r = qr(lnp.array([[3.0], [4.0]]), mode="economic")
    >>> print(r)
    [[-5.]]
    """
    if pivoting:
        fail("qr: columns are not pivoted; call it with pivoting=False")
    if mode not in ("full", "economic", "r"):
        fail(f"qr: mode is 'full', 'economic' or 'r', got {mode!r}")
    q, r = linalg.qr(a, "reduced" if mode == "economic" else "complete")
    return (r,) if mode == "r" else (q, r)


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> tuple[Tensor, ...] | Tensor:
    """U, the singular values in decreasing order, and Vᴴ, as `lazir.linalg.svd`.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import svd
    >>> print(svd(lnp.array([[0.0, 2.0], [1.0, 0.0]]), compute_uv=False))
    [2. 1.]
    """
    return linalg.svd(a, full_matrices, compute_uv)


@custom_jvp
def _unitary(a: Any) -> Any:
    """The unitary factor U Vᴴ of a = U S Vᴴ."""
    u, _, vh = linalg.svd(a, full_matrices=False)
    return matmul(u, vh)


@_unitary.defjvp
def _unitary_jvp(primals: Any, tangents: Any) -> Any:
    """From a = W P: W moves by U (X − Xᴴ) / (s_i + s_j) Vᴴ with X = Uᴴ da V, and by what U or V do
    not span of da, over s. N. Higham, Functions of Matrices, 2008, 8.2; no gaps between singular
    values are divided by."""
    (a,), (da,) = primals, tangents
    u, s, vh = linalg.svd(a, full_matrices=False)
    left, right = conj_transpose(u), conj_transpose(vh)
    seen = matmul(matmul(left, da), right)
    inner = (seen - conj_transpose(seen)) / (s[..., :, None] + s[..., None, :])
    moved = matmul(u, inner)
    m, n = a.shape[-2:]
    if m > n:
        beyond = matmul(da, right)
        moved = moved + (beyond - matmul(u, seen)) / s[..., None, :]
    moved = matmul(moved, vh)
    if n > m:
        beyond = matmul(left, da) - matmul(seen, vh)
        moved = moved + matmul(u, beyond / s[..., :, None])
    return matmul(u, vh), moved


def polar(a: Any, side: str = "right", *, method: str = "svd") -> tuple[Tensor, Tensor]:
    """Orthonormal columns (or rows) u and a positive semidefinite p with u p = a.

    With `side` "left" p u = a. By the singular value decomposition, the one `method` there is.
    Derivatives do not need distinct singular values.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import polar
    >>> u, p = polar(lnp.array([[0.0, 2.0], [-1.0, 0.0]]))
    >>> print(abs(p))
    [[1. 0.]
     [0. 2.]]
    """
    if side not in ("left", "right"):
        fail(f"polar: side is 'left' or 'right', got {side!r}")
    if method != "svd":
        fail(f"polar: the method is 'svd', got {method!r}")
    x = tensor(matrix(a, "polar"))
    u = _unitary(x)
    p = matmul(conj_transpose(u), x) if side == "right" else matmul(x, conj_transpose(u))
    return u, (p + conj_transpose(p)) / 2
