"""Krylov methods: solutions of A x = b from products with A alone.

Takes: A as a matrix or a function, b as a tensor or a tree of them. Gives: (x, None) as
`jax.scipy.sparse.linalg` does. Derivatives are solves with the transposed map, not of the steps.
Sources: Hestenes and Stiefel (1952) for cg, van der Vorst (1992) for bicgstab, Saad and Schultz
(1986) for gmres, in the forms of Barrett and others, Templates for the Solution of Linear Systems
(1994). Must not know: how products are made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import lax
from ... import numpy as lnp
from ...apply import fail
from ...control import fori_loop, while_loop
from ...flatten_util import ravel_pytree
from ...public import listing
from ...tensor import Tensor

Map = Callable[[Tensor], Tensor]


def cg(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: float = 1e-5,
    atol: float = 0.0,
    maxiter: int | None = None,
    M: Any = None,
) -> tuple[Any, None]:
    """Conjugate gradients: A must be symmetric (Hermitian) and positive definite.

    A: a matrix, or a function of a tree like b that gives one like it. M: a preconditioner, near
    the inverse of A. It stops when |b − A x| ≤ max(tol |b|, atol), or after maxiter steps, by
    default 10 for each element of b; whether that was reached is not told.

    >>> import lazir as lz
    >>> from lazir.scipy.sparse.linalg import cg
    >>> x, _ = cg(lz.Tensor([[2.0, 0.0], [0.0, 4.0]]), lz.Tensor([2.0, 2.0]))
    >>> [round(v, 4) for v in x.tolist()]
    [1.0, 0.5]
    """
    return _solve("cg", _cg, A, b, x0, tol, atol, maxiter, M, symmetric=True)


def bicgstab(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: float = 1e-5,
    atol: float = 0.0,
    maxiter: int | None = None,
    M: Any = None,
) -> tuple[Any, None]:
    """Stabilised biconjugate gradients, for any A. Arguments as those of `cg`.

    >>> import lazir as lz
    >>> from lazir.scipy.sparse.linalg import bicgstab
    >>> x, _ = bicgstab(lz.Tensor([[2.0, 1.0], [0.0, 4.0]]), lz.Tensor([2.0, 2.0]))
    >>> [round(v, 4) for v in x.tolist()]
    [0.75, 0.5]
    """
    return _solve("bicgstab", _bicgstab, A, b, x0, tol, atol, maxiter, M)


def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: float = 1e-5,
    atol: float = 0.0,
    restart: int = 20,
    maxiter: int | None = None,
    M: Any = None,
    solve_method: str = "batched",
) -> tuple[Any, None]:
    """Generalised minimal residuals, for any A, begun again after `restart` products.

    `maxiter` counts the restarts. Other arguments as those of `cg`; `solve_method` changes nothing.

    >>> import lazir as lz
    >>> from lazir.scipy.sparse.linalg import gmres
    >>> x, _ = gmres(lz.Tensor([[2.0, 1.0], [0.0, 4.0]]), lz.Tensor([2.0, 2.0]))
    >>> [round(v, 4) for v in x.tolist()]
    [0.75, 0.5]
    """
    if restart < 1:
        fail(f"gmres: restart is {restart}, it must be at least 1")

    def method(*args: Any) -> Tensor:
        return _gmres(restart, *args)

    return _solve("gmres", method, A, b, x0, tol, atol, maxiter, M)


def _solve(
    name: str,
    method: Callable[..., Tensor],
    A: Any,
    b: Any,
    x0: Any,
    tol: float,
    atol: float,
    maxiter: int | None,
    M: Any,
    symmetric: bool = False,
) -> tuple[Any, None]:
    flat, unravel = ravel_pytree(b)
    if not lnp.isdtype(flat.dtype, ("real floating", "complex floating")):
        flat = flat.astype(lnp.result_type(flat.dtype, lnp.float32))
    product = _map(name, A, flat, unravel)
    guess = lnp.zeros_like(flat) if x0 is None else ravel_pytree(x0)[0].astype(flat.dtype)
    if guess.shape != flat.shape:
        fail(f"{name}: x0 has {guess.size} elements, b has {flat.size}")
    steps = 10 * flat.size if maxiter is None else maxiter
    prepared = (lambda v: v) if M is None else _map(name, M, flat, unravel)

    def solver(start: Tensor) -> Callable[[Map, Tensor], Tensor]:
        return lambda mv, y: method(mv, y, start, prepared, steps, tol, atol)

    x = lax.custom_linear_solve(
        product, flat, solver(guess), solver(lnp.zeros_like(flat)), symmetric=symmetric
    )
    # nothing is below a goal that is NaN, and the first guess is no answer then
    x = lnp.where(lnp.isnan(_norm2(product(x) - flat)), lnp.nan, x)
    return unravel(x) if x.dtype == ravel_pytree(b)[0].dtype else x.reshape(lnp.shape(b)), None


def _map(name: str, A: Any, flat: Tensor, unravel: Callable[[Any], Any]) -> Map:
    if callable(A):

        def applied(v: Tensor) -> Tensor:
            found = ravel_pytree(A(unravel(v)))[0]
            if found.shape != v.shape:
                fail(f"{name}: A gives {found.size} elements for {v.size}; it must be square")
            return found

        return applied
    matrix = lnp.asarray(A)
    if matrix.shape != (flat.size, flat.size):
        fail(f"{name}: A has shape {matrix.shape}, b has {flat.size} elements")
    return lambda v: matrix @ v


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return lnp.vdot(a, b)


def _norm2(a: Tensor) -> Tensor:
    return lnp.real(lnp.vdot(a, a))


def _goal(b: Tensor, tol: float, atol: float) -> Tensor:
    """The square of the residual's norm that is small enough."""
    return lnp.maximum(tol * tol * _norm2(b), atol * atol)


def _cg(A: Map, b: Tensor, x0: Tensor, M: Map, maxiter: int, tol: float, atol: float) -> Tensor:
    goal = _goal(b, tol, atol)
    r = b - A(x0)
    p = M(r)

    def going(state: Any) -> Any:
        _, r, _, _, k = state
        return (_norm2(r) > goal) & (k < maxiter)

    def step(state: Any) -> Any:
        x, r, p, old, k = state
        image = A(p)
        length = old / _dot(p, image)
        x, r = x + length * p, r - length * image
        z = M(r)
        new = _dot(r, z)
        return x, r, z + new / old * p, new, k + 1

    x: Tensor = while_loop(going, step, (x0, r, p, _dot(r, p), 0))[0]
    return x


def _bicgstab(
    A: Map, b: Tensor, x0: Tensor, M: Map, maxiter: int, tol: float, atol: float
) -> Tensor:
    goal = _goal(b, tol, atol)
    r0 = b - A(x0)
    one = lnp.ones((), b.dtype)

    def going(state: Any) -> Any:
        _, r, *_, k, broken = state
        return (_norm2(r) > goal) & (k < maxiter) & ~broken

    def step(state: Any) -> Any:
        x, r, p, v, rho, alpha, omega, k, _ = state
        new = _dot(r0, r)
        p = r + new / rho * (alpha / omega) * (p - omega * v)
        ready = M(p)
        v = A(ready)
        alpha = new / _dot(r0, v)
        s = r - alpha * v
        second = M(s)
        t = A(second)
        # where s is 0 the solution is found, and omega of no consequence
        square = _norm2(t)
        omega = lnp.where(square > 0, _dot(t, s) / lnp.where(square > 0, square, 1), 1)
        moved = x + alpha * ready + omega * second
        broken = (new == 0) | (alpha == 0) | ~lnp.isfinite(_norm2(moved))
        return lnp.where(broken, x, moved), s - omega * t, p, v, new, alpha, omega, k + 1, broken

    zero = lnp.zeros_like(b)
    state = (x0, r0, zero, zero, one, one, one, 0, lnp.asarray(False))
    x: Tensor = while_loop(going, step, state)[0]
    return x


def _gmres(
    restart: int, A: Map, b: Tensor, x0: Tensor, M: Map, maxiter: int, tol: float, atol: float
) -> Tensor:
    """M A x = M b; each round takes the best x of x0 + the Krylov space of `restart` products."""
    size = min(restart, b.size) if b.size else 1
    goal = _goal(M(b), tol, atol)

    def going(state: Any) -> Any:
        _, r, k = state
        return (_norm2(r) > goal) & (k < maxiter)

    def step(state: Any) -> Any:
        x, r, k = state
        x = x + _best(size, lambda v: M(A(v)), r)
        return x, M(b - A(x)), k + 1

    x: Tensor = while_loop(going, step, (x0, M(b - A(x0)), 0))[0]
    return x


def _best(size: int, A: Map, r: Tensor) -> Tensor:
    """The vector of the Krylov space of r whose image is nearest to r."""
    length = lnp.sqrt(_norm2(r))
    basis = lnp.zeros((size + 1, r.size), r.dtype).at[0].set(r / length)

    def grow(k: Any, state: Any) -> Any:
        """Arnoldi: the next vector of the basis, orthogonalised twice; one column of A's matrix."""
        basis, matrix = state
        w = A(basis[k])
        first = lnp.conj(basis) @ w
        w = w - first @ basis
        second = lnp.conj(basis) @ w
        w = w - second @ basis
        norm = lnp.sqrt(_norm2(w))
        tiny = norm <= 1e-7 * lnp.sqrt(_norm2(first))  # the space is closed: nothing is new
        w = lnp.where(tiny, 0, w / lnp.where(tiny, 1, norm))
        column = (first + second).at[k + 1].add(lnp.where(tiny, 0, norm).astype(r.dtype))
        return basis.at[k + 1].set(w), matrix.at[:, k].set(column)

    matrix = lnp.zeros((size + 1, size), r.dtype)
    basis, matrix = fori_loop(0, size, grow, (basis, matrix))
    target = lnp.zeros((size + 1,), r.dtype).at[0].set(length.astype(r.dtype))
    best: Tensor = _least(size, matrix, target) @ basis[:size]
    return best


def _least(size: int, matrix: Tensor, target: Tensor) -> Tensor:
    """y with |matrix · y − target| least, for a Hessenberg matrix: Givens rotations, then back."""

    def rotate(k: Any, state: Any) -> Any:
        matrix, target = state
        a, c = matrix[k, k], matrix[k + 1, k]
        long = lnp.sqrt(_norm2(a) + _norm2(c))
        safe = lnp.where(long > 0, long, 1)
        cosine, sine = lnp.where(long > 0, lnp.conj(a) / safe, 1), lnp.conj(c) / safe
        upper, lower = matrix[k], matrix[k + 1]
        first, second = target[k], target[k + 1]
        matrix = matrix.at[k].set(cosine * upper + sine * lower)
        matrix = matrix.at[k + 1].set(lnp.conj(cosine) * lower - lnp.conj(sine) * upper)
        target = target.at[k].set(cosine * first + sine * second)
        target = target.at[k + 1].set(lnp.conj(cosine) * second - lnp.conj(sine) * first)
        return matrix, target

    matrix, target = fori_loop(0, size, rotate, (matrix, target))

    def back(j: Any, y: Tensor) -> Tensor:
        k = size - 1 - j
        pivot = matrix[k, k]
        known = matrix[k] @ y
        flat = lnp.abs(pivot) == 0
        value = lnp.where(flat, 0, (target[k] - known) / lnp.where(flat, 1, pivot))
        changed: Tensor = y.at[k].set(value)
        return changed

    y: Tensor = fori_loop(0, size, back, lnp.zeros((size,), matrix.dtype))
    return y


__all__ = ["bicgstab", "cg", "gmres"]
__dir__ = listing(__name__)
