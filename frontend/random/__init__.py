"""Random tensors from explicit keys: the same key gives the same numbers, on every machine.

Takes: keys (a uint64 scalar; `split` makes independent ones), shapes, dtypes. Gives: tensors.
The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
2011), the op `philox`. Must not know: devices. Nothing here has hidden state.
"""

from __future__ import annotations

from ..public import listing
from .discrete import (
    bernoulli,
    categorical,
    choice,
    geometric,
    permutation,
    rademacher,
    randint,
)
from .floats import normal, truncated_normal, uniform
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
from .keys import PRNGKey, bits, fold_in, key, key_data, split, wrap_key_data

__all__ = [
    "PRNGKey", "bernoulli", "bits", "categorical", "cauchy", "choice", "double_sided_maxwell",
    "exponential", "fold_in", "geometric", "gumbel", "key", "key_data", "laplace", "logistic",
    "lognormal", "maxwell", "normal", "pareto", "permutation", "rademacher", "randint", "rayleigh",
    "split", "triangular", "truncated_normal", "uniform", "wald", "weibull_min", "wrap_key_data",
]  # fmt: skip
__dir__ = listing(__name__)
