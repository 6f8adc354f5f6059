"""Eigenvalues with SciPy's arguments: `eig`, `eigh` also of pairs of matrices, `eigh_tridiagonal`.

Takes: tensors with matrices in the last two axes. Gives: tensors. Must not know: how LAPACK is
called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import linalg
from ... import numpy as lnp
from ...apply import as_tensor, fail
from ...linalg.operands import conj_transpose
from ...numpy import matmul
from ...tensor import Tensor
from .equations import mirrored, solve_triangular


def eig(
    a: Any,
    b: Any = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> tuple[Tensor, Tensor] | Tensor:
    """Eigenvalues, and with `right` eigenvectors in columns, as `lazir.linalg.eig`.

    Pairs of matrices (`b`) and left vectors are an error.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import eig
    >>> print(eig(lnp.array([[0.0, 1.0], [-1.0, 0.0]]), right=False).imag)
    [ 1. -1.]
    """
    if b is not None or left:
        fail("eig takes one matrix and gives right eigenvectors; leave b and left out")
    return linalg.eig(a) if right else linalg.eigvals(a)


def eigh(
    a: Any,
    b: Any = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    subset_by_value: Any = None,
    driver: str | None = None,
) -> tuple[Tensor, Tensor] | Tensor:
    """Eigenvalues of symmetric or Hermitian matrices in increasing order, eigenvectors in columns.

    Only the lower triangle is read, or without `lower` the upper one. With a positive definite `b`
    a v = w b v and vᴴ b v = 1 (`type` 1), a b v = w v and vᴴ b v = 1 (2), or b a v = w v and
    vᴴ b⁻¹ v = 1 (3): by b's Cholesky factor. `subset_by_index` gives those from the first index to
    the second, both among them; all are computed. `subset_by_value` is an error.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import eigh
    >>> values, vectors = eigh(lnp.array([[2.0, 0.0], [0.0, 1.0]]))
    >>> print(values)
    [1. 2.]
    """
    if subset_by_value is not None:
        fail("eigh: how many eigenvalues are in an interval is not known here; compare the values")
    x, triangle = as_tensor(a), "L" if lower else "U"
    chosen, n = slice(None), x.shape[-1]
    if subset_by_index is not None:
        first, last = (int(k) for k in subset_by_index)
        if not 0 <= first <= last < n:
            fail(f"eigh: subset_by_index {subset_by_index} is not in order among {n} values")
        chosen = slice(first, last + 1)
    if b is None:
        inner, back = x, None
    else:
        inner, back = _of_pair(x, as_tensor(b), triangle, type)
    if eigvals_only:
        return linalg.eigvalsh(inner, triangle)[..., chosen]
    values, vectors = linalg.eigh(inner, triangle)
    vectors = vectors if back is None else back(vectors)
    return values[..., chosen], vectors[..., chosen]


def _of_pair(
    a: Tensor, b: Tensor, triangle: str, type: int
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The matrix with the pair's eigenvalues, and what makes eigenvectors of its own: with
    b = L Lᴴ it is L⁻¹ a L⁻ᴴ (type 1) or Lᴴ a L (types 2 and 3). G. H. Golub, C. F. Van Loan,
    Matrix Computations, 8.7.2."""
    if type not in (1, 2, 3):
        fail(f"eigh: type is 1, 2 or 3, got {type!r}")
    upper = triangle == "U"
    factor = linalg.cholesky(b, upper=upper, symmetrize_input=False)
    factor = conj_transpose(factor) if upper else factor
    whole = mirrored(a, not upper, True)
    if type == 1:
        half = solve_triangular(factor, whole, lower=True)
        inner = solve_triangular(factor, conj_transpose(half), lower=True)
    else:
        inner = matmul(conj_transpose(factor), matmul(whole, factor))
    if type == 3:
        return inner, lambda vectors: matmul(factor, vectors)
    return inner, lambda vectors: solve_triangular(factor, vectors, "C", lower=True)


def eigvalsh(a: Any, b: Any = None, lower: bool = True, **options: Any) -> Tensor:
    """The eigenvalues that `eigh` gives, alone; it takes the same arguments.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import eigvalsh
    >>> print(eigvalsh(lnp.array([[2.0, 1.0], [1.0, 2.0]])))
    [1. 3.]
    """
    found = eigh(a, b, lower, True, **options)
    assert not isinstance(found, tuple)
    return found


def eigh_tridiagonal(
    d: Any,
    e: Any,
    eigvals_only: bool = False,
    select: str = "a",
    select_range: tuple[int, int] | None = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> tuple[Tensor, Tensor] | Tensor:
    """As `eigh` of the matrices with diagonal d, `(…, n)`, and e, `(…, n − 1)`, above and below it.

    `select` "a" gives all, "i" those with the indices `select_range`, both ends among them. The
    whole matrix is made, so that the cost is that of `eigh`.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import eigh_tridiagonal
    >>> print(eigh_tridiagonal(lnp.array([2.0, 2.0]), lnp.array([1.0]), eigvals_only=True))
    [1. 3.]
    """
    if select not in ("a", "i"):
        fail(f"eigh_tridiagonal: select is 'a' or 'i', got {select!r}")
    middle, side = as_tensor(d), as_tensor(e)
    n = middle.shape[-1]
    if n < 1 or side.shape[-1] != n - 1:
        fail(f"eigh_tridiagonal: d has n ≥ 1 elements and e one less, got {n} and {side.shape[-1]}")
    below = lnp.pad(side, [(0, 0)] * (len(side.shape) - 1) + [(0, 1)])
    whole = middle[..., None, :] * lnp.eye(n, dtype=middle.dtype)
    whole = whole + below[..., None, :] * lnp.eye(n, k=-1, dtype=side.dtype)
    return eigh(whole, None, True, eigvals_only, subset_by_index=select_range)
