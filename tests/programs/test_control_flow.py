"""Programs with control flow under every transform, against Python's loops and differences of them.

All derivatives of a program are one graph that is interpreted; its values, its batch and a few of
the derivatives, others for each program, are compiled and run lazily. With LAZIR_FULL_TESTS all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from programs.control_programs import FORWARD_ONLY, PROGRAMS, REVERSE_ONLY, lazy, plain

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.interpret import interpret
from lazir.compiler.verify import verify_graph

FULL = bool(os.environ.get("LAZIR_FULL_TESTS"))
NAMES = sorted(PROGRAMS)
X = np.array([0.7, -0.4, 1.3])
BATCH = np.array([[0.7, -0.4, 1.3], [-0.3, 0.9, 0.5], [0.27, 1.1, -0.8]])
WAY = np.array([0.3, -1.0, 0.8])


class Meaning:
    """What a program and its derivatives are, by Python's loops and differences."""

    def __init__(self, name: str) -> None:
        self.value = lambda x: PROGRAMS[name](plain, np, x)
        self.weights = np.cos(np.arange(self.value(X).size) + 1.0)
        self.scalar = lambda x: (np.sin(self.value(x)) * self.weights).sum()

    def slopes(self, f: Any, x: Any, h: float = 1e-5) -> Any:
        """The Jacobian."""
        steps = h * np.eye(x.size)
        return np.stack([(f(x + d) - f(x - d)) / (2 * h) for d in steps], -1)

    def curvature(self, x: Any) -> Any:
        """The Hessian of `scalar`."""
        return self.slopes(lambda y: self.slopes(self.scalar, y, 5e-5), x, 5e-5)

    def each(self, f: Any) -> Any:
        return np.stack([f(x) for x in BATCH])


class Transform(NamedTuple):
    """`make(f, g, w)`: the transform of the program f and the scalar function g; `want`: what it
    gives for X, or for BATCH where `batched`."""

    make: Callable[[Any, Any, Any], Any]
    want: Callable[[Meaning], Any]
    forward: bool = False
    reverse: bool = False
    batched: bool = False
    order: int = 1


def pushed(f: Any) -> Any:
    return lambda x: lz.jvp(f, (x,), (lnp.broadcast_to(WAY, x.shape),))[1]


def along(g: Any) -> Any:
    return lambda x: (lz.grad(g)(x) * WAY).sum()


def jacobian(m: Meaning) -> Any:
    return m.slopes(m.value, X)


def gradient(m: Meaning) -> Any:
    return m.slopes(m.scalar, X)


def gradients(m: Meaning) -> Any:
    return m.each(lambda x: m.slopes(m.scalar, x))


def pushes(m: Meaning) -> Any:
    return m.each(lambda x: m.slopes(m.value, x) @ WAY)


def curvatures(m: Meaning) -> Any:
    return m.each(m.curvature)


F, R = {"forward": True}, {"reverse": True}
B = {"batched": True}
TRANSFORMS = {
    "jvp": Transform(lambda f, g, w: pushed(f), lambda m: jacobian(m) @ WAY, **F),
    "linearize": Transform(
        lambda f, g, w: lambda x: lz.linearize(f, x)[1](WAY), lambda m: jacobian(m) @ WAY, **F
    ),
    "jacfwd": Transform(lambda f, g, w: lz.jacfwd(f), jacobian, **F),
    "vmap of jvp": Transform(lambda f, g, w: lz.vmap(pushed(f)), pushes, **F, **B),
    "jvp of vmap": Transform(lambda f, g, w: pushed(lz.vmap(f)), pushes, **F, **B),
    "vjp": Transform(
        lambda f, g, w: lambda x: lz.vjp(f, x)[1](w)[0], lambda m: m.weights @ jacobian(m), **R
    ),
    "jacrev": Transform(lambda f, g, w: lz.jacrev(f), jacobian, **R),
    "grad": Transform(lambda f, g, w: lz.grad(g), gradient, **R),
    "grad of checkpoint": Transform(lambda f, g, w: lz.grad(lz.checkpoint(g)), gradient, **R),
    "vmap of grad": Transform(lambda f, g, w: lz.vmap(lz.grad(g)), gradients, **R, **B),
    "grad of vmap": Transform(
        lambda f, g, w: lz.grad(lambda x: lz.vmap(g)(x).sum()), gradients, **R, **B
    ),
    "jacfwd of jacfwd": Transform(
        lambda f, g, w: lz.jacfwd(lz.jacfwd(g)), lambda m: m.curvature(X), **F, order=2
    ),
    "grad of grad": Transform(
        lambda f, g, w: lz.grad(along(g)), lambda m: m.curvature(X) @ WAY, **R, order=2
    ),
    "grad of grad of checkpoint": Transform(
        lambda f, g, w: lz.grad(along(lz.checkpoint(g))), lambda m: m.curvature(X) @ WAY,
        **R, order=2,
    ),
    "hessian": Transform(
        lambda f, g, w: lz.hessian(g), lambda m: m.curvature(X), **F, **R, order=2
    ),
    "jacrev of jacfwd": Transform(
        lambda f, g, w: lz.jacrev(lz.jacfwd(g)), lambda m: m.curvature(X), **F, **R, order=2
    ),
    "vmap of hessian": Transform(
        lambda f, g, w: lz.vmap(lz.hessian(g)), curvatures, **F, **R, **B, order=2
    ),
    "jvp of grad of vmap": Transform(
        lambda f, g, w: pushed(lz.grad(lambda x: lz.vmap(g)(x).sum())),
        lambda m: curvatures(m) @ WAY, **F, **R, **B, order=2,
    ),
}  # fmt: skip


def made_for(name: str) -> dict[str, tuple[Any, Transform]]:
    """The transforms of a program that there are."""
    m = Meaning(name)

    def f(x: Any) -> Any:
        return PROGRAMS[name](lazy, lnp, lnp.asarray(x))

    def g(x: Any) -> Any:
        return (lnp.sin(f(x)) * m.weights).sum()

    return {
        key: (t.make(f, g, m.weights), t)
        for key, t in TRANSFORMS.items()
        if not ((t.forward and name in REVERSE_ONLY) or (t.reverse and name in FORWARD_ONLY))
    }


def agree(got: Any, m: Meaning, key: str) -> None:
    t = TRANSFORMS[key]
    want, size = t.want(m), 1e-6 if t.order == 1 else 1e-4
    scale = max(1.0, float(abs(want).max()))
    np.testing.assert_allclose(np.asarray(got), want, rtol=0, atol=size * scale, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_values(name: str) -> None:
    m = Meaning(name)

    def f(x: Any) -> Any:
        return PROGRAMS[name](lazy, lnp, lnp.asarray(x))

    for way in (lambda h: h, lz.compile):
        np.testing.assert_allclose(way(f)(X).numpy(), m.value(X), rtol=1e-12, atol=1e-13)
    rows = m.each(m.value)
    got = lz.compile(lambda x: (lz.vmap(f)(x), lz.vmap(f, in_axes=1, out_axes=1)(x.T)))(BATCH)
    np.testing.assert_allclose(got[0].numpy(), rows, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(got[1].numpy(), rows.T, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives(name: str) -> None:
    """Interpreted, all in one graph."""
    made, m = made_for(name), Meaning(name)

    def everything(x: Any, batch: Any) -> Any:
        return [h(batch if t.batched else x) for h, t in made.values()]

    graph = lz.compile(everything).lower(X, BATCH).graph
    verify_graph(graph)
    for key, got in zip(made, interpret(graph, [X, BATCH]), strict=True):
        agree(got, m, key)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_compiled_and_lazy(name: str) -> None:
    made, m = made_for(name), Meaning(name)
    number, keys = NAMES.index(name), list(made)
    for k, way in enumerate((lz.compile, lambda h: h)):
        for key in keys if FULL else [keys[(number + 5 * k) % len(keys)]]:
            h, t = made[key]
            agree(way(h)(BATCH if t.batched else X), m, key)


@pytest.mark.parametrize("name", sorted(FORWARD_ONLY))
def test_loops_without_a_bound_have_no_reverse_derivative(name: str) -> None:
    with pytest.raises(lz.errors.DifferentiationError, match="max_steps="):
        lz.grad(lambda x: PROGRAMS[name](lazy, lnp, x).sum())(X)


@pytest.mark.parametrize("name", sorted(REVERSE_ONLY))
def test_a_custom_vjp_has_no_forward_derivative(name: str) -> None:
    with pytest.raises(lz.errors.DifferentiationError, match="custom_vjp"):
        lz.jvp(lambda x: PROGRAMS[name](lazy, lnp, x), (X,), (WAY,))
