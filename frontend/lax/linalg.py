"""JAX's `jax.lax.linalg`: factorisations and triangular solves with its arguments and results.

Takes: tensors with matrices in the last two axes. Gives: tensors; what has no answer gives
infinities or NaN. `lazir.linalg` has NumPy's names. Must not know: how LAPACK is called.
"""

from __future__ import annotations

from typing import Any

from .. import linalg
from .. import numpy as lnp
from ..apply import as_tensor, fail
from ..batching import vmap
from ..control import fori_loop
from ..public import listing
from ..tensor import Tensor

__all__ = [
    "cholesky", "eig", "eigh", "lu", "lu_pivots_to_permutation", "qr", "svd", "symmetric_product",
    "triangular_solve",
]  # fmt: skip
__dir__ = listing(__name__)


def cholesky(x: Any, *, symmetrize_input: bool = True) -> Tensor:
    """The lower triangular L with L Lᴴ = x; with `symmetrize_input` of (x + xᴴ) / 2.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.linalg.cholesky(lnp.array([[4.0, 2.0], [2.0, 5.0]])))
    [[2. 0.]
     [1. 2.]]
    """
    return linalg.cholesky(x, symmetrize_input=symmetrize_input)


def eig(
    x: Any, *, compute_left_eigenvectors: bool = True, compute_right_eigenvectors: bool = True
) -> list[Tensor]:
    """Eigenvalues, and right eigenvectors in columns; left ones are an error.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> x = lnp.array([[2.0, 0.0], [0.0, 1.0]])
    >>> print(lz.lax.linalg.eig(x, compute_left_eigenvectors=False)[0].real)
    [2. 1.]
    """
    if compute_left_eigenvectors:
        fail("lax.linalg.eig gives no left eigenvectors: pass compute_left_eigenvectors=False")
    return list(linalg.eig(x)) if compute_right_eigenvectors else [linalg.eigvals(x)]


def eigh(
    x: Any,
    *,
    lower: bool = True,
    symmetrize_input: bool = True,
    sort_eigenvalues: bool = True,
    subset_by_index: tuple[int, int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Eigenvectors in columns, and eigenvalues in increasing order: in this order, as JAX.

    With `symmetrize_input` of (x + xᴴ) / 2, else only one triangle is read. `subset_by_index`
    gives those from its first number up to, without, its second; all are computed.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> vectors, values = lz.lax.linalg.eigh(lnp.array([[2.0, 0.0], [0.0, 1.0]]))
    >>> print(values)
    [1. 2.]
    """
    triangle = None if symmetrize_input else "L" if lower else "U"
    values, vectors = linalg.eigh(x, triangle)
    if subset_by_index is not None:
        first, last = (int(k) for k in subset_by_index)
        n = values.shape[-1]
        if not 0 <= first < last <= n:
            fail(f"eigh: subset_by_index {subset_by_index} is no range of {n} values")
        values, vectors = values[..., first:last], vectors[..., first:last]
    return vectors, values


def lu(x: Any) -> tuple[Tensor, Tensor, Tensor]:
    """L and U of x with permuted rows in one matrix, pivots, the permutation: `lazir.linalg.lu`.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.linalg.lu(lnp.array([[1.0, 2.0], [4.0, 4.0]]))[2])
    [1 0]
    """
    return linalg.lu(x)


def lu_pivots_to_permutation(pivots: Any, permutation_size: int) -> Tensor:
    """Which row is where after row k was exchanged with row pivots[k], for each k in turn.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.linalg.lu_pivots_to_permutation(lnp.array([2, 2]), 3))
    [2 0 1]
    """
    exchanged = as_tensor(pivots)
    count = exchanged.shape[-1]
    if count > permutation_size:
        fail(f"lu_pivots_to_permutation: {count} exchanges of {permutation_size} rows")

    def of_one(others: Any) -> Any:
        def step(k: Any, places: Any) -> Any:
            other = others[k]
            return places.at[k].set(places[other]).at[other].set(places[k])

        return fori_loop(0, count, step, lnp.arange(permutation_size, dtype="int32"))

    if len(exchanged.shape) == 1:
        found: Tensor = of_one(exchanged)
        return found
    flat: Tensor = vmap(of_one)(exchanged.reshape(-1, count))
    return flat.reshape((*exchanged.shape[:-1], permutation_size))


def qr(x: Any, *, pivoting: bool = False, full_matrices: bool = True) -> tuple[Tensor, Tensor]:
    """Orthonormal columns and an upper triangular matrix whose product is x.

    With `full_matrices` as many columns as rows (no derivative where that is more than x has).
    Columns are not pivoted.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> q, r = lz.lax.linalg.qr(lnp.array([[3.0], [4.0]]), full_matrices=False)
    >>> print(r)
    [[-5.]]
    """
    if pivoting:
        fail("lax.linalg.qr: columns are not pivoted; call it with pivoting=False")
    q, r = linalg.qr(x, "complete" if full_matrices else "reduced")
    return q, r


def svd(
    x: Any, *, full_matrices: bool = True, compute_uv: bool = True
) -> tuple[Tensor, Tensor, Tensor] | Tensor:
    """U, the singular values in decreasing order, and Vᴴ; without `compute_uv` the values alone.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.linalg.svd(lnp.array([[0.0, 2.0], [1.0, 0.0]]), compute_uv=False))
    [2. 1.]
    """
    return linalg.svd(x, full_matrices, compute_uv)


def symmetric_product(
    a_matrix: Any,
    c_matrix: Any,
    *,
    alpha: float = 1.0,
    beta: float = 0.0,
    symmetrize_output: bool = False,
) -> Tensor:
    """alpha · a aᵀ + beta · c. All of it is computed, so that `symmetrize_output` changes nothing.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.linalg.symmetric_product(lnp.ones((2, 3)), lnp.eye(2), beta=2.0))
    [[5. 3.]
     [3. 5.]]
    """
    a, c = as_tensor(a_matrix), as_tensor(c_matrix)
    return alpha * lnp.matmul(a, lnp.matrix_transpose(a)) + beta * c


def triangular_solve(
    a: Any,
    b: Any,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Tensor:
    """x in x op(a) = b, or with `left_side` in op(a) x = b; op transposes and conjugates as said.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> a = lnp.array([[2.0, 1.0], [0.0, 1.0]])
    >>> print(lz.lax.linalg.triangular_solve(a, lnp.array([[2.0, 2.0]])))
    [[1. 1.]]
    """
    x, y = as_tensor(a), as_tensor(b)
    if conjugate_a:
        x = lnp.conj(x)
    if left_side:
        return linalg.solve_triangular(x, y, int(transpose_a), lower, unit_diagonal)
    turned = y if len(y.shape) == 1 else lnp.matrix_transpose(y)
    found = linalg.solve_triangular(x, turned, int(not transpose_a), lower, unit_diagonal)
    return found if len(y.shape) == 1 else lnp.matrix_transpose(found)
