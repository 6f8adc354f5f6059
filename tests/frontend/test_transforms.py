"""Derivatives, batching and control flow on Python functions, inside and outside of compile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

WAYS = [pytest.param(lambda f: f, id="lazy"), pytest.param(lz.compile, id="compiled")]
X = np.array([0.3, -1.2, 2.0])


def slopes(f: Any, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Central differences of a scalar function."""
    out = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[k] = 1e-6
        out[k] = (f(x + step).item() - f(x - step).item()) / 2e-6
    return out


FUNCTIONS = [
    lambda x: (lnp.sin(x) * x).sum(),
    lambda x: lnp.log(1 + lnp.exp(x)).mean(),
    lambda x: (x[::-1] * x[0]).prod(),
    lambda x: lnp.max(x) * lnp.min(x) + lnp.std(x),
    lambda x: (lnp.outer(x, x) @ x).sum(),
    lambda x: lnp.where(x > 0, x * x, -x).sum(),
    lambda x: lnp.asarray(x).at[1].set(3.0).at[0].multiply(x[2]).sum(),
    lambda x: lnp.concatenate([x, x * 2]).reshape(2, 3).T[1].sum(),
    lambda x: lnp.tanh(lnp.pad(x, 2, "reflect")).sum(),
    lambda x: lz.fori_loop(0, 3, lambda i, v: v * x.sum() + i, 1.0),
    lambda x: lz.cond(x[0] > 0, lambda v: (v * v).sum(), lambda v: v.sum(), x),
    lambda x: lz.scan(lambda c, v: (c * v + 1, c), 1.0, x)[0],
    lambda x: lz.checkpoint(lambda v: lnp.sin(lnp.sin(v)))(x).sum(),
    lambda x: lnp.logsumexp(x),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_gradients(way: Any, number: int) -> None:
    f = FUNCTIONS[number]
    got = way(lz.grad(f))(X)
    np.testing.assert_allclose(got.numpy(), slopes(f, X), rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("way", WAYS)
def test_modes_agree(way: Any) -> None:
    def f(x: Any) -> Any:
        return lnp.sin(x) * x[0], (x * x).sum()

    jacobian = way(lz.jacrev(f))(X)
    for a, b in zip(jacobian, way(lz.jacfwd(f))(X), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
    v = np.array([1.0, 2.0, -1.0])
    _, tangents = way(lambda x, t: lz.jvp(f, (x,), (t,)))(X, v)
    np.testing.assert_allclose(tangents[0].numpy(), jacobian[0].numpy() @ v)
    np.testing.assert_allclose(tangents[1].item(), jacobian[1].numpy() @ v)

    def pulled(x: Any) -> Any:
        _, back = lz.vjp(f, x)
        return back((v, 2.0))[0]

    wanted = v @ jacobian[0].numpy() + 2 * jacobian[1].numpy()
    np.testing.assert_allclose(way(pulled)(X).numpy(), wanted)

    def pushed(x: Any) -> Any:
        _, forward = lz.linearize(f, x)
        return forward(v)

    np.testing.assert_allclose(way(pushed)(X)[0].numpy(), jacobian[0].numpy() @ v)


@pytest.mark.parametrize("way", WAYS)
def test_hessian_and_nesting(way: Any) -> None:
    def f(x: Any) -> Any:
        return (x**3).sum() * x[0]

    h = way(lz.hessian(f))(X).numpy()
    rows = [slopes(lambda x, k=k: lz.grad(f)(x)[k], X) for k in range(3)]
    np.testing.assert_allclose(h, rows, rtol=1e-5, atol=1e-5)
    third = lz.grad(lz.grad(lz.grad(lambda x: x**4)))
    assert way(third)(2.0).item() == 48.0


@pytest.mark.parametrize("way", WAYS)
def test_no_confusion_between_levels(way: Any) -> None:
    f = lz.grad(lambda x: x * lz.grad(lambda y: x + y)(1.0))
    assert way(f)(3.0).item() == 1.0
    g = lz.grad(lambda x: x * lz.grad(lambda y: x * y * y)(2.0))  # x · 4x
    assert way(g)(3.0).item() == 24.0


@pytest.mark.parametrize("way", WAYS)
def test_trees_argnums_aux(way: Any) -> None:
    def f(params: Any, x: Any, y: Any) -> Any:
        out = params["w"] @ x + params["b"]
        return ((out - y) ** 2).sum(), {"out": out}

    params = {"w": np.ones((2, 3)), "b": np.zeros(2)}
    (value, aux), (gp, gy) = way(lz.value_and_grad(f, (0, 2), has_aux=True))(params, X, np.ones(2))
    off = np.ones((2, 3)) @ X - 1
    np.testing.assert_allclose(value.item(), (off**2).sum())
    np.testing.assert_allclose(aux["out"].numpy(), off + 1)
    np.testing.assert_allclose(gp["w"].numpy(), 2 * np.outer(off, X))
    np.testing.assert_allclose(gp["b"].numpy(), 2 * off)
    np.testing.assert_allclose(gy.numpy(), -2 * off)


def test_python_branches_on_values_outside_of_compile() -> None:
    def f(x: Any) -> Any:
        y = lnp.sin(x) * 3
        if y.sum() > 0:
            return (y * y).sum()
        return y.sum()

    for x in (X, -X):
        np.testing.assert_allclose(lz.grad(f)(x).numpy(), slopes(f, x), rtol=1e-6)
    np.testing.assert_allclose(
        lz.grad(lambda x: lz.grad(f)(x).sum())(X).numpy(),
        slopes(lambda x: lz.grad(f)(x).sum(), X), rtol=1e-5,
    )  # fmt: skip
    with pytest.raises(lz.errors.TraceError, match=r"lz\.cond"):
        lz.compile(lz.grad(f))(X)


def test_gradient_errors() -> None:
    with pytest.raises(Exception, match="reduce it with sum or mean"):
        lz.grad(lambda x: x * 2)(X)
    with pytest.raises(TypeError, match="with respect to floats, got a tensor of i64"):
        lz.grad(lambda x: x * 2.0)(3)
    with pytest.raises(TypeError, match="argnums 2 does not fit"):
        lz.grad(lambda x: x, argnums=2)(1.0)


@pytest.mark.parametrize("way", WAYS)
def test_vmap(way: Any) -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    got = way(lz.vmap(lambda x, m: x @ m, in_axes=(0, None)))(a, b)
    np.testing.assert_allclose(got.numpy(), a @ b)
    got = way(lz.vmap(lambda x: {"s": x.sum(), "x": x}, in_axes=1, out_axes={"s": 0, "x": 1}))(a)
    np.testing.assert_allclose(got["s"].numpy(), a.sum(0))
    np.testing.assert_allclose(got["x"].numpy(), a)
    nested = lz.vmap(lz.vmap(lambda x, y: x * y, (None, 0)), (0, None))
    np.testing.assert_allclose(way(nested)(a[0], b[0]).numpy(), np.outer(a[0], b[0]))
    per_example = lz.vmap(lz.grad(lambda w, x: lnp.sin(w @ x)), (None, 0))
    np.testing.assert_allclose(
        way(per_example)(X, a).numpy(), np.cos(a @ X)[:, None] * a, rtol=1e-12
    )
    weights = lz.grad(lambda w: lz.vmap(lambda x: (w * x).sum())(a).sum())
    np.testing.assert_allclose(way(weights)(X).numpy(), a.sum(0))
    with pytest.raises(ValueError, match="batch axes differ in size"):
        lz.vmap(lambda x, y: x + y)(a, b)


@pytest.mark.parametrize("way", WAYS)
def test_custom_derivatives(way: Any) -> None:
    @lz.custom_jvp
    def f(x: Any, y: Any) -> Any:
        return lnp.sin(x) * y

    @f.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        x, y = primals
        return f(x, y), tangents[0] * 100 + tangents[1] * lnp.sin(x)

    assert way(lz.grad(f))(1.0, 2.0).item() == 100.0
    np.testing.assert_allclose(way(lz.grad(f, 1))(1.0, 2.0).item(), np.sin(1.0), rtol=1e-6)

    scale = lz.Tensor(7.0)

    @lz.custom_vjp
    def g(x: Any) -> Any:
        return {"out": x * x}

    g.defvjp(lambda x: (g(x), (x, 2)), lambda res, ct: (ct["out"] * res[0] * scale,))
    assert way(lz.grad(lambda x: g(x)["out"]))(3.0).item() == 21.0
    assert way(lz.grad(lz.grad(lambda x: g(x)["out"])))(3.0).item() == 7.0
    with pytest.raises(lz.errors.DifferentiationError, match="custom_vjp"):
        lz.jvp(lambda x: g(x)["out"], (1.0,), (1.0,))


def test_rules_do_not_take_symbolic_zeros() -> None:
    with pytest.raises(lz.errors.TypeRuleError, match=r"defjvp: .* symbolic_zeros=True is not"):
        lz.custom_jvp(lnp.sin).defjvp(lambda x, t: (x, t), symbolic_zeros=True)
    f = lz.custom_vjp(lnp.sin)
    with pytest.raises(lz.errors.TypeRuleError, match=r"defvjp: .* symbolic_zeros=True is not"):
        f.defvjp(lambda x: (x, x), lambda x, ct: (ct,), symbolic_zeros=True)
    f.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * 5,), optimize_remat=True)
    assert lz.grad(f)(1.0).item() == 5.0


def test_stop_gradient_and_eval_shape() -> None:
    assert lz.grad(lambda x: x * lz.stop_gradient(x * x))(2.0).item() == 4.0
    assert lz.compile(lz.grad(lambda x: x * lz.stop_gradient(x * x)))(2.0).item() == 4.0
    out = lz.eval_shape(lambda a, b: {"c": a @ b}, lz.spec((2, 3)), lz.spec((3, 4)))
    assert out == {"c": lz.spec((2, 4))}


# -- control flow ------------------------------------------------------------------------
@pytest.mark.parametrize("way", WAYS)
def test_control_flow(way: Any) -> None:
    def collatz(n: Any) -> Any:
        def body(state: Any) -> Any:
            n, steps = state
            return lnp.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1

        return lz.while_loop(lambda s: s[0] != 1, body, (n, 0))[1]

    assert way(collatz)(27).item() == 111
    assert way(lambda i: lz.switch(i, [lambda: 1, lambda: 2, lambda: 3]))(9).item() == 3
    assert way(lambda n: lz.fori_loop(0, n, lambda i, t: t + i, 0))(10).item() == 45
    carry, rows = way(lambda x: lz.scan(lambda c, v: (c + v, c * 2), 0.0, x, reverse=True))(X)
    assert carry.item() == pytest.approx(X.sum())
    np.testing.assert_allclose(rows.numpy(), [2 * (2.0 - 1.2), 4.0, 0.0])
    assert way(lambda x: lz.map(lambda v: v + 1, x))(X).tolist() == (X + 1).tolist()
    vectors = way(lz.vmap(lambda p, x: lz.cond(p, lambda v: v, lambda v: -v, x)))
    assert vectors(np.array([True, False]), np.array([1.0, 2.0])).tolist() == [1, -2]


def test_weak_carries_settle_and_mismatches_are_explained() -> None:
    out = lz.fori_loop(0, 3, lambda i, t: t + np.float64(1), 0.0)
    assert str(out.dtype) == "f64"
    with pytest.raises(TypeError, match=r"fori_loop: init_val goes into the body as f32\[2\]"):
        lz.fori_loop(0, 3, lambda i, t: lnp.concatenate([t, t]), lnp.zeros(2))
    with pytest.raises(TypeError, match="must return the same structure"):
        lz.cond(True, lambda: (1, 2), lambda: 1)
    with pytest.raises(TypeError, match=r"result 0 is f32\[2\] and f32\[3\]|f32\[3\] and f32\[2\]"):
        lz.cond(True, lambda: lnp.zeros(2), lambda: lnp.zeros(3))
    assert str(lz.cond(True, lambda: 1.0, lambda: np.float64(2)).dtype) == "f64"


def test_random() -> None:
    key = lz.random.key(3)
    a, b = lz.random.split(key)
    x = lz.random.normal(a, (20000,))
    assert abs(x.mean().item()) < 0.03 and abs(x.std().item() - 1) < 0.03
    assert x.tolist() == lz.compile(lambda k: lz.random.normal(k, (20000,)))(a).tolist()
    assert lz.random.uniform(b, (3,)).tolist() != lz.random.uniform(a, (3,)).tolist()
    batch = lz.vmap(lambda k: lz.random.uniform(k, (2,)))(lz.random.split(key, 4))
    assert len(set(batch.numpy().ravel().tolist())) == 8
    counts = np.bincount(lz.random.randint(a, (6000,), 2, 8).numpy())
    assert counts[:2].sum() == 0 and counts[2:].min() > 850
    p = np.array([0.1, 0.2, 0.7])
    drawn = lz.random.categorical(a, np.log(p), shape=(8000,)).numpy()
    np.testing.assert_allclose(np.bincount(drawn) / 8000, p, atol=0.02)
    assert abs(lz.random.bernoulli(a, 0.3, (8000,)).mean().item() - 0.3) < 0.02
    y = lz.random.uniform(a, (1000,), "float64", 2.0, 3.0)
    assert y.min().item() >= 2 and y.max().item() < 3 and str(y.dtype) == "f64"


def test_results_in_rules_by_argument_have_derivatives_again() -> None:
    """`y` in a rule of defjvps stands for the function, up to fourth derivatives: f(c, a) = c moves
    as c·eᵃ would."""
    grown = lz.custom_jvp(lambda c, a: c)
    grown.defjvps(lambda t, y, c, a: t, lambda t, y, c, a: t * y)
    one = lnp.asarray(1.0, "float64")

    def f(a: Any) -> Any:
        return lnp.exp(grown(one, a))

    # with g = eᵃ at a = 0, where g and all its derivatives are 1: of e^g
    for order, wanted in enumerate((1, 2, 5, 15), 1):
        f = lz.grad(f)
        assert f(one).item() == pytest.approx(wanted * np.e, rel=1e-12), order
    pushed = lz.jvp(lz.grad(lambda a: lnp.exp(grown(one, a))), (one,), (one,))[1]
    assert pushed.item() == pytest.approx(2 * np.e, rel=1e-12)
