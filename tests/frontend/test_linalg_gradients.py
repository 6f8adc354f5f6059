"""Derivatives of `lazir.linalg` against finite differences; batches, compiled code, loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

LA = lz.linalg
Function = Callable[[Any], Any]


def draw(shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    return np.asarray(np.random.default_rng([seed, *shape]).normal(size=shape))


def weigh(*xs: Any) -> Any:
    """A scalar of all elements, with different weights."""
    total = 0.0
    for k, x in enumerate(xs):
        total = total + (x * draw(x.shape, 50 + k)).sum()
    return total


def definite(x: Any) -> Any:
    return x @ lnp.matrix_transpose(x) + np.eye(x.shape[-1])


RIGHT = draw((3, 2), 9)
CASES: dict[str, tuple[tuple[int, ...], Function]] = {
    "cholesky": ((3, 3), lambda x: weigh(LA.cholesky(definite(x)))),
    "cholesky_raw": ((3, 3), lambda x: weigh(LA.cholesky(x + 9 * np.eye(3)))),
    "lu": ((4, 4), lambda x: weigh(LA.lu(x)[0])),
    "lu_wide": ((2, 4), lambda x: weigh(LA.lu(x)[0])),
    "lu_tall": ((4, 2), lambda x: weigh(LA.lu(x)[0])),
    "qr": ((4, 3), lambda x: weigh(*LA.qr(x))),
    "qr_wide": ((2, 4), lambda x: weigh(*LA.qr(x, "complete"))),
    "qr_stack": ((2, 3, 3), lambda x: weigh(*LA.qr(x))),
    "eigh": ((4, 4), lambda x: weigh(*LA.eigh(x))),
    "eigvalsh": ((2, 3, 3), lambda x: weigh(LA.eigvalsh(x))),
    "eigvalsh_lower": ((3, 3), lambda x: weigh(LA.eigvalsh(x, "L"))),
    "eigvals": (
        (2, 4, 4),
        lambda x: weigh(*((w := LA.eigvals(x)).real ** 2, lnp.abs(w.imag), (w * w * w).real)),
    ),
    "svd": ((4, 3), lambda x: weigh(*LA.svd(x, full_matrices=False))),
    "svd_wide": ((2, 4), lambda x: weigh(*LA.svd(x, full_matrices=False))),
    "svd_square": ((3, 3), lambda x: weigh(*LA.svd(x))),
    "svdvals": ((2, 3, 2), lambda x: weigh(LA.svdvals(x))),
    "solve": ((3, 3), lambda x: weigh(LA.solve(x, RIGHT))),
    "solve_right": ((3, 2), lambda y: weigh(LA.solve(draw((2, 3, 3), 4), y))),
    "solve_triangular": (
        (3, 3),
        lambda x: weigh(LA.solve_triangular(x + 3 * np.eye(3), RIGHT, trans=1, lower=True)),
    ),
    "inv": ((2, 3, 3), lambda x: weigh(LA.inv(x))),
    "pinv": ((4, 2), lambda x: weigh(LA.pinv(x))),
    "lstsq": ((4, 3), lambda x: weigh(*LA.lstsq(x, draw((4, 2), 3))[:2])),
    "det": ((2, 3, 3), lambda x: weigh(LA.det(x))),
    "slogdet": ((2, 3, 3), lambda x: weigh(LA.slogdet(x)[1])),
    "matrix_power": ((3, 3), lambda x: weigh(LA.matrix_power(x, -2))),
    "norm_nuc": ((3, 2), lambda x: LA.norm(x, "nuc")),
    "norm_2": ((3, 2), lambda x: LA.norm(x, 2)),
    "norm_fro": ((3, 2), lambda x: LA.norm(x)),
    "cond": ((3, 3), lambda x: LA.cond(x)),
    "multi_dot": ((3, 3), lambda x: weigh(LA.multi_dot([x, RIGHT, x[:2]]))),
}
TWICE = ("cholesky", "qr", "eigh", "svdvals", "solve", "det", "slogdet", "pinv", "lu")


def slope(f: Function, x: Any, direction: Any, step: float = 1e-6) -> float:
    """The central difference along a direction."""
    return float((f(x + step * direction).item() - f(x - step * direction).item()) / (2 * step))


@pytest.mark.parametrize("name", CASES)
def test_reverse_and_forward_mode(name: str) -> None:
    shape, f = CASES[name]
    x, direction = draw(shape, 1), draw(shape, 2)
    compiled = lz.compile(lz.value_and_grad(f))
    value, gradient = compiled(x)
    wanted = slope(lz.compile(f), x, direction)
    np.testing.assert_allclose((gradient.numpy() * direction).sum(), wanted, rtol=2e-5, atol=1e-6)
    forward, tangent = lz.compile(lambda u, v: lz.jvp(f, (u,), (v,)))(x, direction)
    np.testing.assert_allclose(tangent.item(), wanted, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(forward.item(), value.item(), rtol=1e-9)


@pytest.mark.parametrize("name", TWICE)
def test_second_derivatives(name: str) -> None:
    shape, f = CASES[name]
    x, first, second = (draw(shape, k) for k in (1, 2, 3))

    @lz.compile
    def along(u: Any) -> Any:
        return (lz.grad(f)(u) * first).sum()

    got = (lz.compile(lz.grad(along))(x).numpy() * second).sum()
    np.testing.assert_allclose(got, slope(along, x, second), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["cholesky", "lu", "qr", "eigh", "svd", "solve", "det", "pinv"])
def test_vmap_is_a_loop(name: str) -> None:
    shape, f = CASES[name]
    stack = draw((3, *shape), 1)
    each = lz.compile(lz.grad(f))
    got = lz.compile(lz.vmap(lz.grad(f)))(stack).numpy()
    np.testing.assert_allclose(got, np.stack([each(x).numpy() for x in stack]), 1e-7, 1e-9)


def test_without_compile_and_backward() -> None:
    x = lz.Tensor(draw((3, 3), 1))
    x.requires_grad = True
    loss = (LA.inv(x) ** 2).sum() + LA.det(x)
    loss.backward()
    wanted = lz.grad(lambda u: (LA.inv(u) ** 2).sum() + LA.det(u))(draw((3, 3), 1))
    np.testing.assert_allclose(x.grad.numpy(), wanted.numpy(), rtol=1e-9)


def test_gradient_of_determinants_of_singular_matrices() -> None:
    """The cofactors, of rank n − 1 and below."""
    for a in (np.diag([2.0, 3.0, 0.0]), np.outer([1.0, 2, 3], [1, 0, 1]), np.zeros((2, 2)),
              np.array([[0.0, 1.0], [0.0, 0.0]])):  # fmt: skip
        n = len(a)
        minors = [[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)]
                  for i in range(n)]  # fmt: skip
        signs = (-1.0) ** np.add.outer(range(n), range(n))
        np.testing.assert_allclose(lz.grad(LA.det)(a).numpy(), signs * minors, atol=1e-12)


def test_equal_values_and_zeros() -> None:
    """Where vectors are not determined, what depends on values alone still has its derivative."""
    eye = np.eye(3)
    np.testing.assert_allclose(lz.grad(lambda x: LA.eigvalsh(x).sum())(eye).numpy(), eye)
    np.testing.assert_allclose(lz.grad(lambda x: LA.svdvals(x).sum())(eye).numpy(), eye, atol=1e-12)
    np.testing.assert_allclose(lz.grad(lambda x: LA.pinv(x).sum())(eye).numpy(), -np.ones((3, 3)))
    assert lz.grad(LA.norm)(np.zeros(3)).numpy().tolist() == [0, 0, 0]


def test_vectors_that_are_not_determined_have_no_derivative() -> None:
    with pytest.raises(lz.errors.DifferentiationError, match="full_matrices=False"):
        lz.grad(lambda x: weigh(*LA.svd(x)))(draw((4, 2)))
    with pytest.raises(lz.errors.DifferentiationError, match="reduced"):
        lz.grad(lambda x: weigh(*LA.qr(x, "complete")))(draw((4, 2)))


def test_inside_of_loops() -> None:
    """Newton's iteration and a filter, each one compiled loop."""
    a = draw((3, 3), 1)
    symmetric = a @ a.T + np.eye(3)

    @lz.compile
    def powers(x: Any) -> Any:
        return lz.fori_loop(0, 50, lambda i, q: LA.qr(x @ q)[0], lnp.eye(3, dtype="float64"))

    q = powers(symmetric).numpy()
    found = np.sort(np.diag(q.T @ symmetric @ q))
    np.testing.assert_allclose(found, np.linalg.eigvalsh(symmetric), rtol=1e-6)

    def filtered(x: Any) -> Any:
        def step(state: Any, y: Any) -> Any:
            state = LA.solve(x + np.eye(3), state + y)
            return state, LA.norm(state)

        return lz.scan(step, lnp.zeros(3, "float64"), draw((5, 3)))[1].sum()

    gradient = lz.compile(lz.grad(filtered))(symmetric).numpy()
    direction = draw((3, 3), 2)
    wanted = slope(lz.compile(filtered), symmetric, direction)
    np.testing.assert_allclose((gradient * direction).sum(), wanted, rtol=1e-5)


def test_a_factorisation_is_shared() -> None:
    """The forward and the backward solve of one matrix factor it once."""
    f = lz.value_and_grad(lambda x: weigh(LA.solve(x, RIGHT)))
    text = lz.compile(f).lower(draw((3, 3))).ir("kernels")
    assert text.count('lz.routine = "lu"') == 1
    assert text.count("call @library0_lu") == 1
