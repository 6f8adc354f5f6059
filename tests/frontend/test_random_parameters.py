"""Parameters of random numbers: bad ones are errors, dtypes and shapes, derivatives in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as ss

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import DifferentiationError, ShapeError, TypeRuleError

R = lz.random
KEY = R.key(20)

WRONG: list[tuple[str, Callable[[], Any]]] = [
    ("b must be above 0", lambda: R.pareto(KEY, -1.0)),
    ("scale must be above 0", lambda: R.rayleigh(KEY, np.array([1.0, -1.0]))),
    ("a must be above 0", lambda: R.gamma(KEY, 0.0)),
    ("alpha must be above 0", lambda: R.dirichlet(KEY, np.zeros(3))),
    ("p must be in \\(0, 1\\]", lambda: R.geometric(KEY, 2.0)),
    ("p must be in \\[0, 1\\]", lambda: R.bernoulli(KEY, 1.5)),
    ("p must be in \\[0, 1\\]", lambda: R.binomial(KEY, 3, -0.1)),
    ("n must be 0 or more", lambda: R.binomial(KEY, -3, 0.1)),
    ("p must be 0 or more", lambda: R.multinomial(KEY, 3, np.array([0.5, -0.5]))),
    ("lam must be 0 or more", lambda: R.poisson(KEY, -2.0)),
    ("lower must be below upper", lambda: R.truncated_normal(KEY, 1.0, 0.0, (2,))),
    ("minval must be at most maxval", lambda: R.uniform(KEY, (2,), minval=1.0, maxval=0.0)),
    ("minval must be below maxval", lambda: R.randint(KEY, (2,), 3, 3)),
    ("minval must be an integer", lambda: R.randint(KEY, (2,), 0.5, 3)),
    ("mode must be in \\[0.0, 3.0\\]", lambda: R.triangular(KEY, 0.0, 4.0, 3.0)),
    ("real parameters", lambda: R.gamma(KEY, lnp.array([1j]))),
    ("cannot draw 4 elements of 3", lambda: R.choice(KEY, 3, (4,), replace=False)),
    ("p has shape", lambda: R.choice(KEY, 3, (4,), p=np.ones(2))),
    ("cannot draw 3 of 2", lambda: R.categorical(KEY, np.ones(2), shape=(3,), replace=False)),
    ("there is no range of -1", lambda: R.permutation(KEY, -1)),
    ("makes floats", lambda: R.normal(KEY, (2,), "int32")),
    ("makes integers", lambda: R.poisson(KEY, 1.0, (2,), "float32")),
    ("unsigned integers", lambda: R.bits(KEY, (2,), "int32")),
    ("not negative", lambda: R.normal(KEY, (-1,))),
    ("do not broadcast to shape", lambda: R.rayleigh(KEY, lnp.ones(3), (2,))),
    ("do not broadcast together", lambda: R.beta(KEY, np.ones(3), np.ones(2))),
    ("mean of shape", lambda: R.multivariate_normal(KEY, np.zeros(2), np.eye(3))),
    ("method is one of", lambda: R.multivariate_normal(KEY, np.zeros(2), np.eye(2), method="lu")),
    ("real matrices", lambda: R.orthogonal(KEY, 2, dtype="complex64")),
    ("mode is 'low' or 'high'", lambda: R.gumbel(KEY, (2,), mode="middle")),
    ("a random key is a ui64", lambda: R.normal(lnp.ones(()), (2,))),
    ("a random key is a ui64", lambda: R.split(0)),
    ("drawn with one key", lambda: R.normal(R.split(KEY), (2,))),
    ("a seed is an integer", lambda: R.key(lnp.ones(()))),
    ("fold_in takes one integer", lambda: R.fold_in(KEY, 0.5)),
    ("no 'threefry2x32'", lambda: R.key(0, impl="threefry2x32")),
    ("pairs of ui32", lambda: R.wrap_key_data(lnp.ones(2))),
]  # fmt: skip


@pytest.mark.parametrize(("message", "call"), WRONG, ids=[str(k) for k in range(len(WRONG))])
def test_wrong_parameters(message: str, call: Callable[[], Any]) -> None:
    with pytest.raises((TypeRuleError, ShapeError), match=message) as error:
        call()
    assert "test_random_parameters.py" in str(error.value)


def test_tensors_out_of_range_give_no_number() -> None:
    bad = lnp.array([2.0, -1.0, lnp.nan, lnp.inf])
    for name in ("gamma", "loggamma", "chisquare", "t"):
        assert np.isnan(getattr(R, name)(KEY, bad).numpy()).tolist() == [False, True, True, True]
    assert np.isnan(R.pareto(KEY, bad[:2]).numpy()).tolist() == [False, True]
    assert np.isnan(R.dirichlet(KEY, bad.reshape(2, 2), None).numpy()).all()
    assert (R.poisson(KEY, bad).numpy() < 0).tolist() == [False, True, True, True]
    assert np.isnan(R.binomial(KEY, 10 * bad, 0.5).numpy()).tolist() == [False, True, True, True]
    assert np.isnan(R.binomial(KEY, 10, bad).numpy()).all()
    assert R.geometric(KEY, bad).tolist() == [0, 0, 0, 0]
    assert R.randint(KEY, (2,), lnp.array([3, 0]), lnp.array([1, 1])).tolist() == [3, 0]


def test_edges() -> None:
    assert R.poisson(KEY, 0.0, (3,)).tolist() == [0, 0, 0]
    assert R.binomial(KEY, np.array([0, 7, 7, 900]), np.array([0.5, 0, 1, 1])).tolist() == [
        0, 0, 7, 900,
    ]  # fmt: skip
    large = R.poisson(KEY, 1e12, (2000,)).numpy() / 1e6 - 1e6
    assert abs(large.mean()) < 0.1 and 0.9 < large.var() < 1.1
    many = (R.binomial(KEY, 4e12, 0.5, (2000,), "float64").numpy() - 2e12) / 1e6
    assert abs(many.mean()) < 0.1 and 0.9 < many.var() < 1.1
    whole = R.randint(KEY, (4000,), 0, 1 << 64, "uint64").numpy()
    assert whole.max() > 3 << 62 and (whole == R.bits(KEY, (4000,), "uint64").numpy()).all()
    low = R.randint(KEY, (4000,), -(1 << 63), 1 << 63).numpy()
    assert low.min() < -(1 << 62) and low.max() > 1 << 62
    assert np.unique(R.randint(KEY, (400,), -128, 128, "int8").numpy()).size > 150
    with pytest.raises(OverflowError):
        R.randint(KEY, (2,), 0, 257, "uint8")
    tiny = R.loggamma(KEY, 1e-3, (100,)).numpy()
    assert np.isfinite(tiny).all() and tiny.min() < -200
    assert R.normal(KEY, (0, 3)).shape == R.poisson(KEY, 3.0, (0, 3)).shape == (0, 3)
    assert R.gamma(KEY, lnp.ones((2, 1)), (3, 2, 5), "float16").dtype is lz.float16
    assert R.multinomial(KEY, np.array([3, 5]), np.ones(4)).sum(-1).tolist() == [3.0, 5.0]
    assert R.permutation(KEY, 0).shape == R.choice(KEY, 0, (0,)).shape == (0,)


A = np.array([0.01, 0.3, 1.0, 2.5, 30.0, 400.0])


def moved(a: np.ndarray[Any, Any], p: np.ndarray[Any, Any], order: int) -> Any:
    """Derivatives in a of the p-quantile of the gamma distribution, by differences."""
    h = a * (1e-5 if order == 1 else 1e-3)
    lower, middle, upper = (ss.gammaincinv(a + d, p) for d in (-h, 0, h))
    if order == 1:
        return (upper - lower) / (2 * h)
    return (upper - 2 * middle + lower) / h**2


def test_implicit_derivatives_of_gamma_numbers() -> None:
    def total(a: Any) -> Any:
        return R.gamma(KEY, a, A.shape, "float64").sum()

    x = R.gamma(KEY, A, None, "float64").numpy()
    p = ss.gammainc(A, x)
    first = lz.compile(lz.grad(total))(A).numpy()
    np.testing.assert_allclose(first, moved(A, p, 1), rtol=1e-5)
    forward = lz.jvp(lambda a: R.gamma(KEY, a, None, "float64"), (A,), (np.ones(6),))[1].numpy()
    np.testing.assert_allclose(forward, first, rtol=1e-12)
    second = lz.jvp(lz.grad(total), (A,), (np.ones(6),))[1].numpy()
    np.testing.assert_allclose(second[1:], moved(A, p, 2)[1:], rtol=1e-2)
    with pytest.raises(DifferentiationError, match="while loop has no reverse derivative"):
        lz.grad(lambda a: lz.grad(total)(a).sum())(A)
    logs = lz.grad(lambda a: R.loggamma(KEY, a, None, "float64").sum())(A).numpy()
    np.testing.assert_allclose(logs, first / x, rtol=1e-12)
    small = lz.grad(lambda a: R.gamma(KEY, a).sum())(A.astype(np.float32))
    assert small.dtype is lz.float32 and np.isfinite(small.numpy()).all()
    keys = R.split(KEY, 2)
    mapped = lz.vmap(lambda k: lz.grad(lambda a: R.gamma(k, a).sum())(2.0))(keys).numpy()
    alone = [lz.grad(lambda a, k=k: R.gamma(k, a).sum())(2.0).numpy() for k in keys]
    assert mapped.tobytes() == np.stack(alone).tobytes()


def test_mean_of_derivatives_is_the_derivative_of_the_mean() -> None:
    n = 20_000

    def check(mean: Callable[..., Any], at: tuple[float, ...], wanted: tuple[float, ...]) -> None:
        found = lz.compile(lz.grad(mean, argnums=tuple(range(len(at)))))(*at)
        np.testing.assert_allclose([x.item() for x in found], wanted, rtol=0.04)

    check(lambda a, b: R.beta(KEY, a, b, (n,), "float64").mean(), (2.0, 3.0), (0.12, -0.08))
    check(lambda df: R.chisquare(KEY, df, (n,), "float64").mean(), (3.0,), (1.0,))
    d = lz.grad(lambda a: R.dirichlet(KEY, a, (n,), "float64")[:, 0].mean())(np.array([1.0, 2, 1]))
    np.testing.assert_allclose(d.numpy(), [3 / 16, -1 / 16, -1 / 16], rtol=0.04)
    assert lz.grad(lambda p: R.binomial(KEY, 9, p, (n,)).mean())(0.5).item() == 0
