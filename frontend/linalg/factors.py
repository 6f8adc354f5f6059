"""Factorisations: `cholesky`, `lu`, `qr`, `eigh`, `svd`, with NumPy's names and results.

Takes: tensors with matrices in the last two axes. Gives: tensors. What cannot be factored gives NaN
instead of an error, in compiled code and outside of it. Must not know: how LAPACK is called.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lazir.compiler.graph import Value

from ..apply import call, fail, tensor
from ..tensor import Tensor
from .operands import adjoint, many, matrix, square, symmetrised


class QRResult(NamedTuple):
    """The factors of `qr`."""

    Q: Tensor
    R: Tensor


class EighResult(NamedTuple):
    """The results of `eigh`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVDResult(NamedTuple):
    """The factors of `svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(a: Any, /, *, upper: bool = False, symmetrize_input: bool = True) -> Tensor:
    """The lower triangular L with L Lᴴ = a, or with `upper` the U with Uᴴ U = a.

    Takes `(…, n, n)`, symmetric or Hermitian. With `symmetrize_input` a is (a + aᴴ) / 2, so that
    gradients are symmetric; else only the triangle that is meant is read. Where a is not positive
    definite, the triangle is NaN.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.cholesky(lnp.array([[4.0, 2.0], [2.0, 5.0]])))
    [[2. 0.]
     [1. 2.]]
    """
    x = square(a, "cholesky")
    if symmetrize_input:
        x = symmetrised(x)
    elif upper:
        x = adjoint(x)
    out = call("cholesky", x)
    return tensor(adjoint(out) if upper else out)


def lu(a: Any, /) -> tuple[Tensor, Tensor, Tensor]:
    """The factors of a's rows permuted, in one matrix, with the pivots and the permutation.

    Of `(…, m, n)`: L (unit lower) and U (upper) share `(…, m, n)`; row k was exchanged with row
    pivots[k]; `a[permutation]` is L U. As `jax.lax.linalg.lu`.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> factors, pivots, permutation = lz.linalg.lu(lnp.array([[1.0, 2.0], [4.0, 4.0]]))
    >>> print(factors, pivots, permutation)
    [[4.   4.  ]
     [0.25 1.  ]] [1 1] [1 0]
    """
    factors, pivots, permutation = many("lu", matrix(a, "lu"))
    return factors, pivots, permutation


def qr(a: Any, mode: str = "reduced") -> QRResult | Tensor:
    """Orthonormal columns and an upper triangular matrix whose product is a.

    `mode`: "reduced" gives min(m, n) columns, "complete" m, "r" the triangle of the reduced form
    alone. Both factors have derivatives, except of "complete" where m > n.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> q, r = lz.linalg.qr(lnp.array([[3.0], [4.0]]))
    >>> print(r)
    [[-5.]]
    """
    if mode not in ("reduced", "complete", "r"):
        fail(f"qr: mode is 'reduced', 'complete' or 'r', got {mode!r}")
    q, r = many("qr", matrix(a, "qr"), full_matrices=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


def _symmetric(a: Any, UPLO: str | None, symmetrize_input: bool, name: str) -> Value:
    """The operand of `eigh`: symmetric, or with the triangle that is meant below."""
    x = square(a, name)
    if UPLO not in (None, "L", "U"):
        fail(f"{name}: UPLO is 'L' or 'U', got {UPLO!r}")
    if UPLO is None and symmetrize_input:
        return symmetrised(x)
    return adjoint(x) if UPLO == "U" else x


def eigh(a: Any, UPLO: str | None = None, *, symmetrize_input: bool = True) -> EighResult:
    """Eigenvalues of symmetric or Hermitian matrices in increasing order, eigenvectors in columns.

    Without `UPLO` a is taken as (a + aᴴ) / 2, or without `symmetrize_input` by its lower triangle;
    "L" or "U" says which triangle alone is read, as NumPy does. Eigenvalues are real. Vectors have
    length 1 and any phase; those of equal eigenvalues are not determined, and their derivatives
    are infinite or NaN. Derivatives of complex vectors keep phases as JAX does: functions that do
    not depend on phases have the right ones.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> values, vectors = lz.linalg.eigh(lnp.array([[2.0, 0.0], [0.0, 1.0]]))
    >>> print(values)
    [1. 2.]
    """
    x = _symmetric(a, UPLO, symmetrize_input, "eigh")
    return EighResult(*many("eigh", x, vectors=True))


def eigvalsh(a: Any, UPLO: str | None = None, *, symmetrize_input: bool = True) -> Tensor:
    """The eigenvalues that `eigh` gives, alone.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.eigvalsh(lnp.array([[2.0, 1.0], [1.0, 2.0]])))
    [1. 3.]
    """
    return tensor(call("eigh", _symmetric(a, UPLO, symmetrize_input, "eigvalsh"), vectors=False))


def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> SVDResult | Tensor:
    """U, the singular values S in decreasing order, and Vᴴ, with (U · S) Vᴴ = a.

    Of `(…, m, n)` with k = min(m, n): S is real, `(…, k)`; U and Vᴴ are `(…, m, k)` and
    `(…, k, n)`, or with `full_matrices` square (then they have derivatives only where m = n).
    Without `compute_uv` S alone. With `hermitian` a is taken as (a + aᴴ) / 2. Derivatives of
    complex vectors keep phases as JAX does.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> u, s, vt = lz.linalg.svd(lnp.array([[0.0, 2.0], [1.0, 0.0]]))
    >>> print(s)
    [2. 1.]
    """
    x = square(a, "svd") if hermitian else matrix(a, "svd")
    x = symmetrised(x) if hermitian else x
    found = many("svd", x, full_matrices=bool(full_matrices), compute_uv=bool(compute_uv))
    return SVDResult(*found) if compute_uv else found[0]


def svdvals(x: Any, /) -> Tensor:
    """The singular values in decreasing order.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.svdvals(lnp.array([[0.0, 2.0], [1.0, 0.0]])))
    [2. 1.]
    """
    return tensor(call("svd", matrix(x, "svdvals"), full_matrices=False, compute_uv=False))
