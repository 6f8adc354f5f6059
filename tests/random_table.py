"""Every function of `lazir.random` once: how to draw with it, and the distribution that SciPy has.

Takes nothing. Gives: `DRAWS` and, for those of one number each, `NUMBERS` and `COUNTS`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats as st

import lazir as lz
import lazir.numpy as lnp

R = lz.random
SEED = 20
DTYPES = {"float": ("float32", "float64"), "int": ("int32", "int64"), "uint": ("uint32", "uint64")}
P4 = np.array([0.1, 0.0, 0.6, 0.3])
SPREAD = np.array([[2.0, 0.6], [0.6, 0.5]])
POINTS = np.arange(8.0).reshape(4, 2)

Draw = Callable[[Any, tuple[int, ...], Any], Any]


def _plain(name: str, *parameters: Any) -> Draw:
    """A function (key, *parameters, shape, dtype)."""
    return lambda k, n, dtype: getattr(R, name)(k, *parameters, n, dtype)


# name: kind of the results (None: there is no dtype to choose), draw(key, shape, dtype)
DRAWS: dict[str, tuple[str | None, Draw]] = {
    name: ("float", _plain(name, *parameters))
    for name, *parameters in (
        ("uniform",), ("normal",), ("truncated_normal", -1.0, 2.0), ("exponential",), ("gumbel",),
        ("laplace",), ("logistic",), ("cauchy",), ("maxwell",), ("pareto", 2.0), ("rayleigh", 2.0),
        ("weibull_min", 2.0, 1.5), ("triangular", 0.0, 1.0, 3.0), ("lognormal", 0.5),
        ("wald", 2.0), ("double_sided_maxwell", 1.0, 2.0), ("gamma", 0.7), ("loggamma", 2.5),
        ("beta", 0.5, 3.0), ("chisquare", 3.0), ("t", 4.0), ("f", 3.0, 8.0),
        ("generalized_normal", 1.5), ("binomial", 100, 0.3),
        ("dirichlet", np.array([0.5, 1.0, 3.0])), ("ball", 3, 1.5),
        ("multivariate_normal", np.array([1.0, -2.0]), SPREAD),
    )
}  # fmt: skip
DRAWS |= {
    "multinomial": ("float", lambda k, n, t: R.multinomial(k, 40, P4, shape=n, dtype=t)),
    "orthogonal": ("float", lambda k, n, t: R.orthogonal(k, 3, n, t)),
    "geometric": ("int", _plain("geometric", 0.3)),
    "poisson": ("int", _plain("poisson", 4.0)),
    "rademacher": ("int", _plain("rademacher")),
    "randint": ("int", lambda k, n, t: R.randint(k, n, -3, 9, t)),
    "bits": ("uint", _plain("bits")),
    "bernoulli": (None, lambda k, n, t: R.bernoulli(k, 0.3, n)),
    "categorical": (None, lambda k, n, t: R.categorical(k, lnp.log(P4), shape=n)),
    "choice": (None, lambda k, n, t: R.choice(k, 4, n, p=P4)),
    "permutation": (None, lambda k, n, t: R.permutation(k, n[0])),
    "key": (None, lambda k, n, t: R.key(R.bits(k, (), "uint64"))),
    "PRNGKey": (None, lambda k, n, t: R.PRNGKey(R.bits(k, (), "uint32"))),
    "split": (None, lambda k, n, t: R.split(k, n)),
    "fold_in": (None, lambda k, n, t: R.fold_in(k, 7)),
    "clone": (None, lambda k, n, t: R.clone(k)),
    "key_data": (None, lambda k, n, t: R.key_data(k)),
    "wrap_key_data": (None, lambda k, n, t: R.wrap_key_data(R.key_data(R.split(k, n)))),
}
# further parameters, for the distributions alone
MORE: dict[str, Draw] = {
    "tail": _plain("truncated_normal", 4.0, 6.0),
    "gamma_large": _plain("gamma", 30.0),
    "gamma_tiny": lambda k, n, t: R.loggamma(k, 0.01, n, t),
    "few_of_many": _plain("binomial", 1000, 0.996),
    "poisson_large": lambda k, n, t: R.poisson(k, 50.0, n),
    "categorical_high": lambda k, n, t: R.categorical(k, lnp.log(P4), shape=n, mode="high"),
    "bernoulli_high": lambda k, n, t: R.bernoulli(k, 0.3, n, "high"),
    "choice_uniform": lambda k, n, t: R.choice(k, 4, n),
}


def law(*p: float) -> Any:
    """The distribution of 0, 1, … with these probabilities."""
    return st.rv_discrete(values=(range(len(p)), p))


NUMBERS: dict[str, Any] = {
    "uniform": st.uniform(), "normal": st.norm(), "truncated_normal": st.truncnorm(-1, 2),
    "tail": st.truncnorm(4, 6), "exponential": st.expon(), "gumbel": st.gumbel_r(),
    "laplace": st.laplace(), "logistic": st.logistic(), "cauchy": st.cauchy(),
    "maxwell": st.maxwell(),
    "pareto": st.pareto(2), "rayleigh": st.rayleigh(scale=2),
    "weibull_min": st.weibull_min(1.5, scale=2), "triangular": st.triang(1 / 3, scale=3),
    "lognormal": st.lognorm(0.5), "wald": st.invgauss(2), "gamma": st.gamma(0.7),
    "gamma_large": st.gamma(30), "loggamma": st.loggamma(2.5), "gamma_tiny": st.loggamma(0.01),
    "beta": st.beta(0.5, 3), "chisquare": st.chi2(3), "t": st.t(4), "f": st.f(3, 8),
    "generalized_normal": st.gennorm(1.5),
}  # fmt: skip
COUNTS: dict[str, Any] = {
    "geometric": st.geom(0.3), "poisson": st.poisson(4), "poisson_large": st.poisson(50),
    "binomial": st.binom(100, 0.3), "few_of_many": st.binom(1000, 0.996),
    "rademacher": st.rv_discrete(values=([-1, 1], [0.5, 0.5])), "randint": st.randint(-3, 9),
    "bernoulli": st.bernoulli(0.3), "bernoulli_high": st.bernoulli(0.3),
    "categorical": law(*P4), "categorical_high": law(*P4), "choice": law(*P4),
    "choice_uniform": st.randint(0, 4),
}  # fmt: skip


def named_key(key: Any, name: str) -> Any:
    """The key of a name: fixed, so that tests are."""
    return R.fold_in(key, zlib.crc32(name.encode()))


def draw(name: str, key: Any, shape: tuple[int, ...], wide: bool = False) -> Any:
    """Numbers of a name, in the narrow or the wide dtype."""
    kind, make = DRAWS[name] if name in DRAWS else ("float", MORE[name])
    dtype = None if kind is None else DTYPES[kind][wide]
    return make(named_key(key, name), shape, dtype)
