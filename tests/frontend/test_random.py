"""Random numbers: their distributions against SciPy, the same bits everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats as st

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import ShapeError, TypeRuleError

R = lz.random
COUNT = 4000
KEY = R.key(20)

# name: draw(key, shape), and the distribution of SciPy
CONTINUOUS: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "uniform": (R.uniform, st.uniform),
    "normal": (R.normal, st.norm),
    "normal64": (lambda k, n: R.normal(k, n, "float64"), st.norm),
    "truncated": (lambda k, n: R.truncated_normal(k, -1.0, 2.0, n), st.truncnorm(-1, 2)),
    "tail": (lambda k, n: R.truncated_normal(k, 4.0, 6.0, n), st.truncnorm(4, 6)),
    "exponential": (R.exponential, st.expon),
    "gumbel": (R.gumbel, st.gumbel_r),
    "laplace": (R.laplace, st.laplace),
    "logistic": (R.logistic, st.logistic),
    "cauchy": (R.cauchy, st.cauchy),
    "maxwell": (R.maxwell, st.maxwell),
    "pareto": (lambda k, n: R.pareto(k, 2.0, n), st.pareto(2)),
    "rayleigh": (lambda k, n: R.rayleigh(k, 2.0, n), st.rayleigh(scale=2)),
    "weibull": (lambda k, n: R.weibull_min(k, 2.0, 1.5, n), st.weibull_min(1.5, scale=2)),
    "triangular": (lambda k, n: R.triangular(k, 0.0, 1.0, 3.0, n), st.triang(1 / 3, scale=3)),
    "lognormal": (lambda k, n: R.lognormal(k, 0.5, n), st.lognorm(0.5)),
    "wald": (lambda k, n: R.wald(k, 2.0, n), st.invgauss(2)),
}
DISCRETE: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "geometric": (lambda k, n: R.geometric(k, 0.3, n), st.geom(0.3)),
    "rademacher": (lambda k, n: R.rademacher(k, n), st.rv_discrete(values=([-1, 1], [0.5, 0.5]))),
    "choice": (
        lambda k, n: R.choice(k, 4, n, p=np.array([0.1, 0.0, 0.6, 0.3])),
        st.rv_discrete(values=([0, 1, 2, 3], [0.1, 0.0, 0.6, 0.3])),
    ),
}
ALL = CONTINUOUS | DISCRETE


def draw_all(k: Any) -> dict[str, Any]:
    """Numbers of every distribution, as one program."""
    return {name: made[0](k, (COUNT,)) for name, made in ALL.items()}


@functools.cache
def compiled() -> dict[str, Any]:
    return {name: x.numpy() for name, x in lz.compile(draw_all)(KEY).items()}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_distribution(name: str) -> None:
    assert st.kstest(compiled()[name].astype(np.float64), CONTINUOUS[name][1].cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", DISCRETE)
def test_counts(name: str) -> None:
    values, counts = np.unique(compiled()[name], return_counts=True)
    expected = DISCRETE[name][1].pmf(values) * COUNT
    assert (expected > 0).all()
    assert abs(expected.sum() - COUNT) < 0.02 * COUNT
    frequent = expected > 5
    distance = ((counts - expected)[frequent] ** 2 / expected[frequent]).sum()
    assert st.chi2.sf(distance, frequent.sum() - 1) > 1e-3


def test_same_bits_lazily_and_under_vmap() -> None:
    lazy = draw_all(KEY)
    keys = lnp.stack([R.key(5), KEY])
    mapped = lz.compile(lz.vmap(draw_all))(keys)
    for name, x in compiled().items():
        assert lazy[name].numpy().tobytes() == x.tobytes(), name
        assert mapped[name].numpy()[1].tobytes() == x.tobytes(), name


def test_normals_are_symmetric_and_finite() -> None:
    x = R.normal(R.key(1), (1 << 20,)).numpy()
    assert np.isfinite(x).all()
    assert 4.5 < abs(x).max() < 6.4
    assert abs(x.mean()) < 0.004 and abs(x.var() - 1) < 0.006


def test_parameters() -> None:
    wrong = [
        lambda: R.pareto(KEY, -1.0),
        lambda: R.geometric(KEY, 2.0),
        lambda: R.truncated_normal(KEY, 1.0, 0.0, (2,)),
        lambda: R.triangular(KEY, 0.0, 4.0, 3.0),
        lambda: R.rayleigh(KEY, lnp.ones(3), (2,)),
        lambda: R.choice(KEY, 3, (4,), replace=False),
        lambda: R.normal(KEY, (2,), "int32"),
        lambda: R.wrap_key_data(lnp.ones(2)),
    ]
    for call in wrong:
        with pytest.raises((TypeRuleError, ShapeError)):
            call()
    mixed = R.pareto(KEY, lnp.array([2.0, -1.0])).numpy()
    assert np.isnan(mixed).tolist() == [False, True]
    assert R.wald(KEY, lnp.ones((2, 1)), (3, 2, 5), "float64").shape == (3, 2, 5)
    assert R.normal(KEY, (0, 3)).shape == (0, 3)


def test_orders() -> None:
    x = lnp.arange(12).reshape(3, 4)
    whole = R.permutation(KEY, x, axis=1).numpy()
    assert (np.sort(whole, 1) == x.numpy()).all() and (whole - whole[:1] == [[0], [4], [8]]).all()
    apart = R.permutation(KEY, x, axis=1, independent=True).numpy()
    assert (np.sort(apart, 1) == x.numpy()).all()
    p = np.array([0.5, 0.0, 0.3, 0.2])
    assert sorted(R.choice(KEY, 4, (3,), replace=False, p=p).tolist()) == [0, 2, 3]
    assert R.choice(KEY, x, (2,), axis=1).shape == (3, 2)
    firsts = [R.choice(R.key(j), 4, (1,), replace=False, p=p).item() for j in range(200)]
    assert abs(firsts.count(0) - 100) < 30


def test_key_data() -> None:
    keys = R.split(KEY, 3)
    assert (R.wrap_key_data(R.key_data(keys)) == keys).all()
    assert R.key_data(R.key(7 << 32 | 9)).tolist() == [7, 9]
