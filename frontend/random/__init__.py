"""Random tensors from explicit keys: the same key gives the same numbers, on every machine.

Takes: keys (a uint64 scalar; `split` makes independent ones), shapes, dtypes. Gives: tensors.
The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
2011), the op `philox`. Names and parameters are those of `jax.random`. Must not know: devices.
Nothing here has hidden state.
"""

from __future__ import annotations

from ..public import listing
from .counts import bernoulli, binomial, geometric, multinomial, poisson, rademacher
from .discrete import categorical, choice, permutation, randint
from .floats import normal, truncated_normal, uniform
from .gammas import (
    ball,
    beta,
    chisquare,
    dirichlet,
    f,
    gamma,
    generalized_normal,
    loggamma,
    t,
)
from .inverses import (
    cauchy,
    double_sided_maxwell,
    exponential,
    gumbel,
    laplace,
    logistic,
    lognormal,
    maxwell,
    pareto,
    rayleigh,
    triangular,
    wald,
    weibull_min,
)
from .keys import PRNGKey, bits, clone, fold_in, key, key_data, key_impl, split, wrap_key_data
from .vectors import multivariate_normal, orthogonal

__all__ = [
    "PRNGKey", "ball", "bernoulli", "beta", "binomial", "bits", "categorical", "cauchy",
    "chisquare", "choice", "clone", "dirichlet", "double_sided_maxwell", "exponential", "f",
    "fold_in", "gamma", "generalized_normal", "geometric", "gumbel", "key", "key_data", "key_impl",
    "laplace", "loggamma", "logistic", "lognormal", "maxwell", "multinomial",
    "multivariate_normal", "normal", "orthogonal", "pareto", "permutation", "poisson",
    "rademacher", "randint", "rayleigh", "split", "t", "triangular", "truncated_normal", "uniform",
    "wald", "weibull_min", "wrap_key_data",
]  # fmt: skip
__dir__ = listing(__name__)
