"""`lazir.lax`: JAX's names and dimension numbers, against NumPy and finite differences."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir import lax
from lazir.errors import DifferentiationError, LazirError, TypeRuleError

NHWC = ("NHWC", "HWIO", "NHWC")


def draw(*shape, seed=0):
    return lnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def same(got, wanted):
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=1e-9, atol=1e-12)


def test_dot_general_takes_any_axes():
    a, b = draw(3, 4, 5), draw(4, 3, 6, 5, seed=1)
    got = lax.dot_general(a, b, (((2,), (3,)), ((0, 1), (1, 0))))
    same(got, np.einsum("bck,cbnk->bcn", a, b))
    same(lax.dot(a[0], b[0, 0].T), np.asarray(a[0]) @ np.asarray(b[0, 0]).T)
    same(lax.batch_matmul(a, a.transpose(0, 2, 1)), np.asarray(a) @ np.asarray(a).swapaxes(1, 2))


@pytest.mark.parametrize("padding", ["SAME", "VALID", "SAME_LOWER", [(1, 2), (0, 3)]])
def test_grouped_convolutions_are_several_side_by_side(padding):
    x, w = draw(4, 7, 6, 4), draw(3, 2, 2, 6, seed=1)
    got = lax.conv_general_dilated(
        x, w, (2, 1), padding, dimension_numbers=NHWC, feature_group_count=2
    )
    halves = [
        lax.conv_general_dilated(x[..., 2 * k : 2 * k + 2], w[..., 3 * k : 3 * k + 3], (2, 1),
                                 padding, dimension_numbers=NHWC)
        for k in range(2)
    ]  # fmt: skip
    same(got, lnp.concatenate(halves, axis=-1))
    x = draw(4, 7, 6, 2)
    got = lax.conv_general_dilated(
        x, w, (1, 1), padding, dimension_numbers=NHWC, batch_group_count=2
    )
    halves = [
        lax.conv_general_dilated(x[2 * k : 2 * k + 2], w[..., 3 * k : 3 * k + 3], (1, 1), padding,
                                 dimension_numbers=NHWC)
        for k in range(2)
    ]  # fmt: skip
    same(got, lnp.concatenate(halves, axis=-1))


def test_conv_is_a_sum_of_products():
    x, w = draw(1, 2, 9), draw(3, 2, 2, seed=1)
    got = lax.conv_with_general_padding(x, w, (2,), [(1, 0)], None, (3,))
    padded = np.pad(np.asarray(x), ((0, 0), (0, 0), (1, 0)))
    rows = [np.einsum("nck,ock->no", padded[:, :, p : p + 4 : 3], w) for p in range(0, 7, 2)]
    same(got, np.stack(rows, axis=-1))


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_conv_transpose_is_the_adjoint(stride, padding):
    y, w = draw(2, 4, 5), draw(3, 6, 5, seed=1)
    got = lax.conv_transpose(y, w, (stride,), padding, transpose_kernel=True)
    if padding == "SAME":
        assert got.shape == (2, 4 * stride, 6)

    def forward(x):
        return lax.conv_general_dilated(
            x, w, (stride,), padding, dimension_numbers=("NWC", "WIO", "NWC")
        )

    if forward(got).shape == y.shape:
        same(got, lz.vjp(forward, got)[1](y)[0])


def test_gather_and_scatter_by_dimension_numbers():
    x, at = draw(5, 6), lnp.array([[0, 1], [4, 5], [3, 7], [-1, 0]])
    rows = lax.GatherDimensionNumbers((1,), (0,), (0, 1))
    full, a = np.asarray(lax.gather(x, at, rows, (1, 2))), np.asarray(x)
    same(full[0], a[0, 1:3])
    assert np.isnan(full[1:]).all()
    same(lax.gather(x, at, rows, (1, 2), mode="clip")[1:3], [a[4, 4:6], a[3, 4:6]])
    same(lax.gather(x, at, rows, (1, 2), fill_value=7.0)[2], [7.0, 7.0])
    assert lax.gather(lnp.arange(3), at[2:3, :1], lax.GatherDimensionNumbers((), (0,), (0,)),
                      (1,)).item() == np.iinfo(np.int64).min  # fmt: skip
    points, twice = lax.ScatterDimensionNumbers((), (0,), (0,)), lnp.array([[1], [1], [9]])
    new = lnp.array([2.0, 3.0, 4.0])
    wanted = {
        lax.scatter: 3.0, lax.scatter_add: 6.0, lax.scatter_sub: -4.0, lax.scatter_mul: 6.0,
        lax.scatter_min: 1.0, lax.scatter_max: 3.0,
    }  # fmt: skip
    for f, value in wanted.items():
        same(f(lnp.ones(3), twice, new, points), [1.0, value, 1.0])


def test_pad_crops_and_spreads():
    a = np.arange(4.0)
    same(lax.pad(lnp.asarray(a), 9.0, [(1, -1, 1)]), [9, 0, 9, 1, 9, 2, 9])
    same(lax.pad(lnp.asarray(a), 9.0, [(-3, 1, 0)]), [3, 9])


@pytest.mark.parametrize("n", [0, 1, 2, 5, 8])
def test_associative_scan_joins_prefixes(n):
    a = draw(n, 2, 2)
    wanted = list(np.asarray(a))
    for k in range(1, n):
        wanted[k] = wanted[k - 1] @ wanted[k]
    same(lax.associative_scan(lnp.matmul, a), np.reshape(wanted, (n, 2, 2)))
    pair = {"s": draw(3, n), "m": draw(3, n, seed=1)}
    got = lax.associative_scan(
        lambda p, q: {"s": p["s"] + q["s"], "m": lnp.maximum(p["m"], q["m"])}, pair, True, 1
    )
    same(got["s"], np.asarray(pair["s"])[:, ::-1].cumsum(1)[:, ::-1])
    same(got["m"], np.maximum.accumulate(np.asarray(pair["m"])[:, ::-1], 1)[:, ::-1])


def test_integers_as_in_c():
    x, y = lnp.array([-7, 7, -8, 5]), lnp.array([2, -2, 3, 3])
    assert lax.div(x, y).tolist() == [-3, -3, -2, 1] and lax.rem(x, y).tolist() == [-1, 1, -2, 2]
    assert lax.shift_right_logical(x, 60).tolist() == [15, 0, 15, 0]
    assert lax.population_count(x).tolist() == [62, 3, 61, 2]
    assert lax.round(lnp.array([0.5, 2.5, -0.5, -1.7])).tolist() == [1.0, 3.0, -1.0, -2.0]
    assert lax.select_n(lnp.array([0, 2, 1]), x[:3], y[:3], x[:3] * 10).tolist() == [-7, 70, 3]
    assert lax.dynamic_slice_in_dim(x, -2, 2).tolist() == [-8, 5]


def test_linear_solves_have_the_derivatives_of_the_solution():
    s, b = lnp.array([[3.0, 1.0], [1.0, 2.0]]).astype("f64"), draw(2)

    def descent(mv, y):  # no derivative of its own: an unbounded loop
        def step(x):
            return x + 0.2 * (y - mv(x))

        return lz.while_loop(lambda x: abs(mv(x) - y).max() > 1e-13, step, lnp.zeros_like(y))

    def f(s, b):
        s = (s + s.T) / 2
        return lax.custom_linear_solve(lambda v: s @ v, b, descent, symmetric=True).sum()

    lz.check_grad(f, (s, b), modes=("rev",))
    lz.check_grad(lz.compile(f), (s, b), modes=("rev",))

    def g(s, b):
        return lax.custom_linear_solve(
            lambda v: s @ v, b, lambda mv, y: lnp.linalg.solve(lz.jacfwd(mv)(y), y)
        )

    lz.check_grad(g, (s, b))


def test_roots_have_the_derivatives_of_the_implicit_function():
    def root(t):
        def newton(f, x):
            return lz.while_loop(
                lambda x: abs(f(x)) > 1e-13, lambda x: x - f(x) / (3 * x * x + t), x
            )

        return lax.custom_root(
            lambda x: x**3 + t * x - 2,
            lnp.ones((), "f64"),
            newton,
            lambda g, y: y / g(lnp.ones((), "f64")),
        )

    lz.check_grad(root, (np.float64(1.3),))


def test_collectives_and_unknown_reductions_say_what_to_do():
    with pytest.raises(LazirError, match="named axis"):
        lax.psum(lnp.ones(2), "batch")
    with pytest.raises(TypeRuleError, match="associative_scan"):
        lax.reduce(lnp.ones(2), 0.0, lambda a, b: a * b + 1, (0,))


def test_check_grad_finds_wrong_derivatives():
    wrong = lz.custom_jvp(lambda x: x * x)
    wrong.defjvp(lambda p, t: (p[0] * p[0], 2.01 * p[0] * t[0]))
    with pytest.raises(DifferentiationError, match=r"gives .* finite differences"):
        lz.check_grad(wrong, (3.0,))
    back = lz.custom_vjp(lambda x: x * x)
    back.defvjp(lambda x: (x * x, x), lambda x, ct: (1.99 * x * ct,))
    with pytest.raises(DifferentiationError, match="rev gives"):
        lz.check_grad(back, (3.0,), modes=("rev",))
    with pytest.raises(TypeRuleError, match="modes"):
        lz.check_grad(wrong, (3.0,), modes=("both",))


def test_linear_functions_have_transposes_and_closures_arguments():
    a = draw(3, 2)
    same(lz.linear_transpose(lambda x: a @ x, lz.spec(2, "f64"))(lnp.ones(3, "f64"))[0], a.sum(0))
    with pytest.raises(LazirError, match=r"not linear|no reverse"):
        lz.linear_transpose(lambda x: x * x, lz.spec(2))(lnp.ones(2))
    with pytest.raises(LazirError, match=r"not linear|no reverse"):
        lz.linear_transpose(lambda x: 1 / x, lz.spec(2))(lnp.ones(2))

    @lz.compile
    def slopes(w):
        f, held = lz.closure_convert(lambda x: lnp.sin(w * x).sum(), a[:, 0])
        return lz.grad(f, argnums=1)(a[:, 0], *held)

    x = np.asarray(a[:, 0])
    same(slopes(np.float64(2.0)), (np.cos(2 * x) * x).sum())


@pytest.mark.parametrize("size", [1, 3, 4, 9])
def test_map_goes_batch_by_batch(size):
    xs = {"a": draw(8, 2), "b": draw(8, seed=1)}

    def f(x):
        return x["a"] * x["b"], x["a"].sum()

    for got, wanted in zip(lz.map(f, xs, batch_size=size), lz.map(f, xs)):
        same(got, wanted)
    with pytest.raises(TypeRuleError, match="batch_size"):
        lz.map(f, xs, batch_size=0)
