"""lazir.scipy.stats against SciPy: every family, with and without location and scale."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError
from lazir.scipy import stats

ss = pytest.importorskip("scipy.stats")

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.uniform(-4, 4, 40), [0, 1, -1, np.inf, -np.inf, np.nan, 1e-3, 30, -30]])
Q = np.concatenate([RNG.random(20), [0, 1, 0.5, -0.1, 1.1, np.nan, 1e-8]])
K = np.concatenate([np.arange(-2, 12), [2.5, np.nan]])
CONTINUOUS: dict[str, tuple[float, ...]] = {
    "norm": (), "halfnorm": (), "uniform": (), "expon": (), "laplace": (), "logistic": (),
    "cauchy": (), "gumbel_r": (), "gumbel_l": (), "gamma": (2.3,), "chi2": (3.0,),
    "invgamma": (2.5,), "beta": (2.0, 3.5), "t": (4.0,), "pareto": (2.5,), "weibull_min": (1.7,),
    "lognorm": (0.8,), "gennorm": (1.6,), "truncnorm": (-1.0, 2.0), "vonmises": (2.0,),
    "wrapcauchy": (0.4,),
}  # fmt: skip
DISCRETE = {
    "bernoulli": (0.3,), "binom": (7, 0.4), "poisson": (2.5,), "geom": (0.3,),
    "nbinom": (3.0, 0.4), "betabinom": (7, 2.0, 3.0),
}  # fmt: skip


def agree(
    name: str, method: str, points: Any, *args: Any, rtol: float = 1e-9, **named: Any
) -> None:
    got = getattr(getattr(stats, name), method)(points, *args, **named).numpy()
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = getattr(getattr(ss, name), method)(points, *args, **named)
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=1e-14 if rtol > 1e-10 else 1e-300)


def test_every_family_is_in_a_table() -> None:
    families = {n for n in stats.__all__ if hasattr(getattr(stats, n), "shapes")}
    assert families == CONTINUOUS.keys() | DISCRETE.keys()


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize(("loc", "scale"), ((0, 1), (0.5, 2.0), (0, -1)))
def test_densities_and_distribution_functions(name: str, loc: float, scale: float) -> None:
    methods = ["pdf", "logpdf"]
    methods += [] if name == "vonmises" else ["cdf", "sf", "logcdf", "logsf"]
    for method in methods:
        agree(name, method, X, *CONTINUOUS[name], loc=loc, scale=scale, rtol=1e-10)
    for method in ("ppf", "isf"):
        if getattr(getattr(stats, name), f"_{method}") is not None:
            agree(name, method, Q, *CONTINUOUS[name], loc=loc, scale=scale, rtol=1e-8)


@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("loc", (0, 1))
def test_masses_and_their_sums(name: str, loc: int) -> None:
    for method in ("pmf", "logpmf", *(() if name == "betabinom" else ("cdf", "sf"))):
        agree(name, method, K, *DISCRETE[name], loc=loc)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_gradients(name: str) -> None:
    """In x and every parameter, against differences; none is NaN outside of the support."""
    shapes = CONTINUOUS[name]
    points = lnp.asarray(np.array([1.3, 1.7]) if name == "pareto" else np.array([0.3, 0.7]))
    args = [points, *(lnp.asarray(s, "float64") for s in (*shapes, 0.1, 1.1))]
    lz.check_grad(lambda *a: getattr(stats, name).logpdf(*a).sum(), tuple(args))
    far = lz.grad(lambda x: getattr(stats, name).pdf(x, *shapes).sum())
    assert not lnp.isnan(far(lnp.asarray(np.array([-50.0, 50.0])))).any()


@pytest.mark.parametrize("n", (1, 3))
def test_vectors(n: int) -> None:
    a = RNG.standard_normal((3, 3))
    cov, x = a @ a.T + np.eye(3), RNG.standard_normal((5, 3))
    agree("multivariate_normal", "logpdf", x, np.arange(3.0), cov)
    agree("dirichlet", "logpdf", np.array([0.2, 0.3, 0.5]), np.array([1.0, 2, 3]))
    x = np.array([[1, 2, 3], [2, 2, 2], [1, 1, 1]]) * float(n)
    agree("multinomial", "logpmf", x, 6 * n, np.array([0.2, 0.3, 0.5]))


@pytest.mark.parametrize("method", ("average", "min", "max", "dense", "ordinal"))
def test_ranks(method: str) -> None:
    a = RNG.integers(0, 5, (4, 7))
    for axis in (None, 0, 1):
        got = stats.rankdata(a, method, axis=axis).numpy()
        np.testing.assert_array_equal(got, ss.rankdata(a, method, axis=axis))


@pytest.mark.parametrize("axis", (0, 1, None))
def test_modes_and_scores(axis: int | None) -> None:
    a, b = RNG.integers(0, 5, (4, 7)), RNG.standard_normal((4, 7))
    for keepdims in (False, True):
        got, wanted = (m.mode(a, axis=axis, keepdims=keepdims) for m in (stats, ss))
        np.testing.assert_array_equal(got.mode.numpy(), wanted.mode)
        np.testing.assert_array_equal(got.count.numpy(), wanted.count)
    np.testing.assert_allclose(stats.sem(b, axis).numpy(), ss.sem(b, axis))
    np.testing.assert_allclose(stats.zscore(b, axis).numpy(), ss.zscore(b, axis))


def test_errors_say_what_is_missing() -> None:
    with pytest.raises(LazirError, match="gamma needs a"):
        stats.gamma.pdf(1.0)
    with pytest.raises(LazirError, match="norm has no argument 'sigma'"):
        stats.norm.pdf(1.0, sigma=2.0)
    with pytest.raises(LazirError, match="too many"):
        stats.norm.pdf(1.0, 0.0, 1.0, 2.0)
    with pytest.raises(LazirError, match="no ppf"):
        stats.gamma.ppf(0.5, 2.0)
