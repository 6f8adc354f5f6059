"""Linear equations with SciPy's arguments, and factors that serve several right sides.

Takes: tensors with matrices in the last two axes. Gives: tensors; of a singular matrix infinities
and NaN. Must not know: how LAPACK is called.
"""

from __future__ import annotations

from typing import Any

from ... import linalg
from ... import numpy as lnp
from ...apply import as_tensor, fail
from ...batching import vmap
from ...control import fori_loop
from ...linalg.operands import conj_transpose
from ...tensor import Tensor
from .factors import cholesky

_KINDS = {
    "gen": "gen", "general": "gen", "sym": "sym", "symmetric": "sym", "her": "her",
    "hermitian": "her", "pos": "pos", "positive definite": "pos", "diagonal": "diagonal",
    "upper triangular": "upper", "lower triangular": "lower",
}  # fmt: skip


# -- factors that are kept -------------------------------------------------------------------
def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Tensor, bool]:
    """The triangle of `cholesky` and `lower`, for `cho_solve`.

    The other triangle is zero (SciPy leaves elements of a there).

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import cho_factor, cho_solve
    >>> factor = cho_factor(lnp.array([[4.0, 2.0], [2.0, 5.0]]))
    >>> print(cho_solve(factor, lnp.array([8.0, 8.0])))
    [1.5 1. ]
    """
    return cholesky(a, lower), bool(lower)


def cho_solve(
    c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Tensor:
    """x in a x = b, from the factor of `cho_factor(a)`; b is a vector or `(…, n, k)`.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import cho_solve
    >>> print(cho_solve((lnp.array([[2.0, 0.0], [1.0, 2.0]]), True), lnp.array([8.0, 8.0])))
    [1.5 1. ]
    """
    c, lower = c_and_lower
    first, last = ("N", "C") if lower else ("C", "N")
    return solve_triangular(c, solve_triangular(c, b, first, lower), last, lower)


def lu_factor(
    a: Any, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Tensor, Tensor]:
    """L and U of a with permuted rows in one matrix, and pivots: row k was exchanged with row
    pivots[k]; for `lu_solve`.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import lu_factor
    >>> factors, pivots = lu_factor(lnp.array([[1.0, 2.0], [4.0, 4.0]]))
    >>> print(pivots)
    [1 1]
    """
    factors, pivots, _ = linalg.lu(a)
    return factors, pivots


def _order(pivots: Tensor) -> Tensor:
    """Where each row of the permuted matrices is from."""
    size = pivots.shape[-1]

    def of_one(exchanged: Any) -> Any:
        def step(k: Any, places: Any) -> Any:
            other = exchanged[k]
            return places.at[k].set(places[other]).at[other].set(places[k])

        return fori_loop(0, size, step, lnp.arange(size, dtype="int32"))

    if len(pivots.shape) == 1:
        found: Tensor = of_one(pivots)
        return found
    flat: Tensor = vmap(of_one)(pivots.reshape(-1, size))
    return flat.reshape(pivots.shape)


def lu_solve(
    lu_and_piv: tuple[Any, Any],
    b: Any,
    trans: int = 0,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Tensor:
    """x in a x = b from `lu_factor(a)`; with `trans` 1 in aᵀ x = b, with 2 in aᴴ x = b.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import lu_factor, lu_solve
    >>> print(lu_solve(lu_factor(lnp.array([[0.0, 2.0], [4.0, 0.0]])), lnp.array([2.0, 4.0])))
    [1. 1.]
    """
    if trans not in (0, 1, 2):
        fail(f"lu_solve: trans is 0, 1 or 2, got {trans!r}")
    factors, pivots = (as_tensor(x) for x in lu_and_piv)
    y = as_tensor(b)
    vector = len(y.shape) == 1
    if vector:
        y = y[:, None]
    order = _order(pivots)
    unit = {"lower": True, "unit_diagonal": True}
    if trans == 0:
        y = _rows(y, order)
        x = solve_triangular(factors, solve_triangular(factors, y, **unit))
    else:
        y = solve_triangular(factors, y, trans)
        x = _rows(solve_triangular(factors, y, trans, **unit), lnp.argsort(order, axis=-1))
    return x[..., 0] if vector else x


def _rows(x: Tensor, order: Tensor) -> Tensor:
    """The rows of matrices in another order; leading axes broadcast."""
    lead = lnp.broadcast_shapes(x.shape[:-2], order.shape[:-1])
    places = lnp.broadcast_to(order[..., None], (*lead, order.shape[-1], 1))
    return lnp.take_along_axis(lnp.broadcast_to(x, (*lead, *x.shape[-2:])), places, axis=-2)


# -- equations -------------------------------------------------------------------------------
def solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Tensor:
    """x in a x = b for a triangular a, as `lazir.linalg.solve_triangular`.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import solve_triangular
    >>> print(solve_triangular(lnp.array([[2.0, 1.0], [9.0, 1.0]]), lnp.array([3.0, 1.0])))
    [1. 1.]
    """
    return linalg.solve_triangular(a, b, trans, lower, unit_diagonal)


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str = "gen",
    transposed: bool = False,
) -> Tensor:
    """x in a x = b, or with `transposed` in aᵀ x = b.

    `assume_a` says what a is: "gen", "sym", "her", "pos" (positive definite), "diagonal", "upper
    triangular", "lower triangular"; of the second to fourth the upper triangle alone is read, or
    with `lower` the lower one. "pos" takes half the time; what is not positive definite gives NaN.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import solve
    >>> print(solve(lnp.array([[4.0, 2.0], [2.0, 5.0]]), lnp.array([8.0, 8.0]), assume_a="pos"))
    [1.5 1. ]
    """
    if assume_a not in _KINDS:
        fail(f"solve: assume_a is one of {', '.join(map(repr, _KINDS))}; got {assume_a!r}")
    kind = _KINDS[assume_a]
    x: Tensor = as_tensor(a)
    if transposed and x.dtype.is_complex and kind in ("her", "pos"):
        fail(f"solve: transposed is not for complex matrices with assume_a={assume_a!r}")
    if kind in ("upper", "lower"):
        return solve_triangular(x, b, int(transposed), kind == "lower")
    if kind == "pos":
        return cho_solve(cho_factor(x, lower), b)
    if kind == "diagonal":
        diagonal = lnp.diagonal(x, axis1=-2, axis2=-1)
        y = as_tensor(b)
        return y / (diagonal if len(y.shape) == 1 else diagonal[..., None])
    if kind in ("sym", "her"):
        x = mirrored(x, lower, kind == "her")
    return linalg.solve(lnp.matrix_transpose(x) if transposed else x, b)


def mirrored(x: Tensor, lower: bool, hermitian: bool) -> Tensor:
    """The symmetric or Hermitian matrices that have x's triangles."""
    kept = lnp.tril(x) if lower else lnp.triu(x)
    beside = lnp.tril(x, -1) if lower else lnp.triu(x, 1)
    return kept + (conj_transpose(beside) if hermitian else lnp.matrix_transpose(beside))


def pinv(a: Any, *, rtol: Any = None) -> Tensor:
    """The pseudo-inverse, as `lazir.linalg.pinv`.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import pinv
    >>> print(pinv(lnp.array([[2.0], [0.0]])))
    [[0.5 0. ]]
    """
    return linalg.pinv(a, rtol=rtol)
