"""Discrete distributions of one number.

Takes: whole numbers k − loc and shapes. Gives: one `Discrete` a name. Formulas: the documentation
of `scipy.stats`, whose parameters these are. Must not know: loc.
"""

from __future__ import annotations

import math
from typing import Any

from ... import numpy as lnp
from ... import special as sp
from .distribution import Discrete

_INF = math.inf


def _counts(*shapes: Any) -> tuple[float, float, float]:
    return 0.0, _INF, 1.0


def _share(p: Any) -> Any:
    return (p >= 0) & (p <= 1)


def _choose(n: Any, k: Any) -> Any:
    """The logarithm of n over k."""
    return -sp.betaln(1 + n - k, 1 + k) - lnp.log1p(n)


bernoulli = Discrete(
    "bernoulli", ("p",), lambda p: (0.0, 1.0, 1.0),
    lambda k, p: sp.xlogy(k, p) + sp.xlog1py(1 - k, -p),
    lambda k, p: lnp.where(k < 1, 1 - p, 1.0), lambda k, p: lnp.where(k < 1, p, 0.0),
    valid=_share,
    doc="1 with probability p, else 0.",
)  # fmt: skip

binom = Discrete(
    "binom", ("n", "p"), lambda n, p: (0.0, n, 0.0),
    lambda k, n, p: _choose(n, k) + sp.xlogy(k, p) + sp.xlog1py(n - k, -p),
    lambda k, n, p: lnp.where(k >= n, 1.0, sp.betainc(lnp.maximum(n - k, 1), k + 1, 1 - p)),
    lambda k, n, p: lnp.where(k >= n, 0.0, sp.betainc(k + 1, lnp.maximum(n - k, 1), p)),
    valid=lambda n, p: (n >= 0) & (n == lnp.floor(n)) & _share(p),
    doc="How many of n trials succeed, each with probability p.",
)  # fmt: skip

poisson = Discrete(
    "poisson", ("mu",), _counts,
    lambda k, mu: sp.xlogy(k, mu) - sp.gammaln(k + 1) - mu,
    lambda k, mu: sp.gammaincc(k + 1, mu), lambda k, mu: sp.gammainc(k + 1, mu),
    valid=lambda mu: mu >= 0,
    doc="The Poisson distribution: μ^k exp(−μ) / k!.",
)  # fmt: skip

geom = Discrete(
    "geom", ("p",), lambda p: (1.0, _INF, 1.0),
    lambda k, p: sp.xlog1py(k - 1, -p) + lnp.log(p),
    lambda k, p: -lnp.expm1(sp.xlog1py(k, -p)), lambda k, p: lnp.exp(sp.xlog1py(k, -p)),
    valid=lambda p: (p > 0) & (p <= 1),
    doc="Which trial is the first to succeed: (1−p)^(k−1) p, k ≥ 1.",
)  # fmt: skip

nbinom = Discrete(
    "nbinom", ("n", "p"), _counts,
    lambda k, n, p: (
        sp.gammaln(k + n) - sp.gammaln(n) - sp.gammaln(k + 1) + n * lnp.log(p) + sp.xlog1py(k, -p)
    ),
    lambda k, n, p: sp.betainc(n, k + 1, p), lambda k, n, p: sp.betainc(k + 1, n, 1 - p),
    valid=lambda n, p: (n > 0) & (p > 0) & (p <= 1),
    doc="How many trials fail before the n-th success.",
)  # fmt: skip

betabinom = Discrete(
    "betabinom", ("n", "a", "b"), lambda n, a, b: (0.0, n, 0.0),
    lambda k, n, a, b: _choose(n, k) + sp.betaln(k + a, n - k + b) - sp.betaln(a, b),
    valid=lambda n, a, b: (n >= 0) & (n == lnp.floor(n)) & (a > 0) & (b > 0),
    doc="How many of n trials succeed, whose probability is drawn from a beta distribution.",
)  # fmt: skip
