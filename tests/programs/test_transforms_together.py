"""Transforms inside of each other, over containers and control flow, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

RNG = np.random.default_rng(5)


def third(x):
    return -x * np.cos(x) - 3 * np.sin(x)  # of x · sin x


def test_any_order_of_compile_grad_and_vmap() -> None:
    def f(x):
        return lnp.sin(x) * x

    g, j, v = lz.grad, lz.compile, lz.vmap
    x = np.float64(0.7)
    for h in (g(g(g(f))), j(g(j(g(g(f))))), g(j(g(j(g(f)))))):
        np.testing.assert_allclose(h(x).numpy(), third(x), rtol=1e-12)
    xs = RNG.normal(size=5)
    for h in (v(g(g(g(f)))), j(v(g(g(g(f))))), v(j(g(g(g(f)))))):
        np.testing.assert_allclose(h(xs).numpy(), third(xs), rtol=1e-12)


def test_hessians_by_every_pair() -> None:
    x = RNG.normal(size=4)
    others = np.array([[np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)])
    want = np.where(np.eye(4, dtype=bool), np.diag(6 * x), others)

    def f(x):
        return lnp.sum(x**3) + lnp.prod(x)

    rev, fwd = lz.jacrev, lz.jacfwd
    for h in (lz.hessian(f), lz.compile(lz.hessian(f)), fwd(fwd(f)), rev(rev(f)), rev(fwd(f))):
        np.testing.assert_allclose(h(x).numpy(), want, rtol=1e-10)


@pytest.mark.parametrize("jacobian", [lz.jacfwd, lz.jacrev])
def test_a_jacobian_needs_float_results(jacobian) -> None:
    with pytest.raises(lz.errors.TypeRuleError, match="i32"):
        jacobian(lambda x: {"a": x, "b": x.astype(np.int32)})(np.ones(2))


def test_a_stencil_in_place_and_its_gradient() -> None:
    def step(i, u):
        around = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
        return u.at[1:-1, 1:-1].set(u[1:-1, 1:-1] + 0.1 * (around - 4 * u[1:-1, 1:-1]))

    def energy(u):
        return (lz.fori_loop(0, 4, step, u) ** 2).sum()

    def numpy_energy(u):
        u = u.copy()
        for _ in range(4):
            around = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
            u[1:-1, 1:-1] = u[1:-1, 1:-1] + 0.1 * (around - 4 * u[1:-1, 1:-1])
        return (u**2).sum()

    u, d = RNG.normal(size=(5, 6)), RNG.normal(size=(5, 6))
    np.testing.assert_allclose(lz.compile(energy)(u).item(), numpy_energy(u), rtol=1e-12)
    slope = (numpy_energy(u + 1e-6 * d) - numpy_energy(u - 1e-6 * d)) / 2e-6
    found = (lz.compile(lz.grad(energy))(u).numpy() * d).sum()
    np.testing.assert_allclose(found, slope, rtol=1e-6)


def test_a_recurrent_network_by_scan_under_every_transform() -> None:
    weights, inputs = RNG.normal(size=(3, 3)) * 0.5, RNG.normal(size=(6, 3))

    def loss(w):
        def cell(h, x):
            h = lnp.tanh(h @ w + x)
            return h, h.sum()

        h, sums = lz.scan(cell, lnp.zeros(3, np.float64), inputs)
        return (h**2).sum() + (sums**2).sum()

    def numpy_loss(w):
        h, total = np.zeros(3), 0.0
        for x in inputs:
            h = np.tanh(h @ w + x)
            total += h.sum() ** 2
        return (h**2).sum() + total

    d = RNG.normal(size=(3, 3))
    slope = (numpy_loss(weights + 1e-6 * d) - numpy_loss(weights - 1e-6 * d)) / 2e-6
    for gradient in (lz.grad(loss), lz.compile(lz.grad(loss)), lz.compile(lz.jacfwd(loss))):
        np.testing.assert_allclose((gradient(weights).numpy() * d).sum(), slope, rtol=1e-6)
    both = np.stack([weights, 2 * weights])
    want = [numpy_loss(weights), numpy_loss(2 * weights)]
    np.testing.assert_allclose(lz.compile(lz.vmap(loss))(both).numpy(), want, rtol=1e-10)
    twice = lz.hessian(loss)(weights).numpy()
    np.testing.assert_allclose(
        twice, lz.compile(lz.jacrev(lz.grad(loss)))(weights).numpy(), rtol=1e-8, atol=1e-10
    )
