"""Probability distributions and statistics with SciPy's names, as `jax.scipy.stats` has them.

Takes: tensors. Gives: densities, distribution functions and their inverses, ranks. Must not know:
primitives. `lazir.random` draws samples.
"""

from __future__ import annotations

from ...public import listing
from .continuous import (
    beta,
    cauchy,
    chi2,
    expon,
    gamma,
    gennorm,
    gumbel_l,
    gumbel_r,
    halfnorm,
    invgamma,
    laplace,
    logistic,
    lognorm,
    norm,
    pareto,
    t,
    truncnorm,
    uniform,
    vonmises,
    weibull_min,
    wrapcauchy,
)
from .discrete import bernoulli, betabinom, binom, geom, nbinom, poisson
from .joint import dirichlet, multinomial, multivariate_normal
from .samples import mode, rankdata, sem, zscore

__all__ = [
    "bernoulli", "beta", "betabinom", "binom", "cauchy", "chi2", "dirichlet", "expon", "gamma",
    "gennorm", "geom", "gumbel_l", "gumbel_r", "halfnorm", "invgamma", "laplace", "logistic",
    "lognorm", "mode", "multinomial", "multivariate_normal", "nbinom", "norm", "pareto", "poisson",
    "rankdata", "sem", "t", "truncnorm", "uniform", "vonmises", "weibull_min", "wrapcauchy",
    "zscore",
]  # fmt: skip
__dir__ = listing(__name__)
