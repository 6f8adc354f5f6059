"""Continuous distributions: their log-densities, distribution functions and inverses.

Takes: the standard variable z = (x − loc) / scale and shapes. Gives: one `Continuous` a name.
Formulas: the documentation of `scipy.stats`, whose parameters these are; Johnson, Kotz and
Balakrishnan, Continuous Univariate Distributions (1994). Must not know: loc and scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ... import numpy as lnp
from ... import special as sp
from ...apply import fail
from .distribution import Continuous

_INF = math.inf
_LOG_ROOT_2_PI = 0.5 * math.log(2 * math.pi)


def _everywhere(*shapes: Any) -> tuple[float, float, float]:
    return -_INF, _INF, 0.0


def _positive(*shapes: Any) -> tuple[float, float, float]:
    return 0.0, _INF, 1.0


def _inside(z: Any, function: Callable[[Any], Any]) -> Any:
    """A function of z > 0 that is −inf at 0, where its formula gives none."""
    return lnp.where(z > 0, function(lnp.where(z > 0, z, 1.0)), -_INF)


def _above_zero(*shapes: Any) -> Any:
    good: Any = True
    for shape in shapes:
        good = good & (shape > 0)
    return good


norm = Continuous(
    "norm", (), _everywhere,
    lambda z: -0.5 * z * z - _LOG_ROOT_2_PI,
    sp.ndtr, lambda z: sp.ndtr(-z), sp.ndtri, lambda q: -sp.ndtri(q),
    sp.log_ndtr, lambda z: sp.log_ndtr(-z),
    doc="The normal distribution: exp(−z²/2) / √(2π).",
)  # fmt: skip

halfnorm = Continuous(
    "halfnorm", (), _positive,
    lambda z: 0.5 * math.log(2 / math.pi) - 0.5 * z * z,
    lambda z: sp.erf(z * math.sqrt(0.5)), lambda z: sp.erfc(z * math.sqrt(0.5)),
    lambda q: sp.ndtri(0.5 + 0.5 * q), lambda q: -sp.ndtri(0.5 * q),
    doc="The half-normal distribution: √(2/π) exp(−z²/2), z ≥ 0.",
)  # fmt: skip

uniform = Continuous(
    "uniform", (), lambda: (0.0, 1.0, 0.5),
    lambda z: 0.0 * z,
    lambda z: z, lambda z: 1 - z, lambda q: q, lambda q: 1 - q,
    doc="The uniform distribution on [loc, loc + scale].",
)  # fmt: skip

expon = Continuous(
    "expon", (), _positive,
    lambda z: -z,
    lambda z: -lnp.expm1(-z), lambda z: lnp.exp(-z),
    lambda q: -lnp.log1p(-q), lambda q: -lnp.log(q), logsf=lambda z: -z,
    doc="The exponential distribution: exp(−z), z ≥ 0.",
)  # fmt: skip

laplace = Continuous(
    "laplace", (), _everywhere,
    lambda z: -lnp.abs(z) - math.log(2),
    lambda z: lnp.where(z > 0, 1 - 0.5 * lnp.exp(-lnp.abs(z)), 0.5 * lnp.exp(-lnp.abs(z))),
    lambda z: lnp.where(z < 0, 1 - 0.5 * lnp.exp(-lnp.abs(z)), 0.5 * lnp.exp(-lnp.abs(z))),
    lambda q: _laplace_quantile(q), lambda q: -_laplace_quantile(q),
    doc="The Laplace distribution: exp(−|z|) / 2.",
)  # fmt: skip


def _laplace_quantile(q: Any) -> Any:
    return lnp.where(q > 0.5, -lnp.log(2 * (1 - q)), lnp.log(2 * q))


logistic = Continuous(
    "logistic", (), _everywhere,
    lambda z: sp.log_expit(z) + sp.log_expit(-z),
    sp.expit, lambda z: sp.expit(-z), sp.logit, lambda q: -sp.logit(q),
    sp.log_expit, lambda z: sp.log_expit(-z),
    doc="The logistic distribution: exp(−z) / (1 + exp(−z))².",
)  # fmt: skip

cauchy = Continuous(
    "cauchy", (), _everywhere,
    lambda z: -math.log(math.pi) - _log1p_square(z),
    lambda z: lnp.arctan2(lnp.ones_like(z), -z) / math.pi,
    lambda z: lnp.arctan2(lnp.ones_like(z), z) / math.pi,
    lambda q: _cauchy_quantile(q), lambda q: -_cauchy_quantile(q),
    doc="The Cauchy distribution: 1 / (π (1 + z²)).",
)  # fmt: skip


def _cauchy_quantile(q: Any) -> Any:
    inside = (q > 0) & (q < 1)
    found = lnp.tan(math.pi * (lnp.where(inside, q, 0.5) - 0.5))
    return lnp.where(inside, found, lnp.where(q <= 0, -_INF, _INF))


def _log1p_square(z: Any) -> Any:
    """log(1 + z²), without overflow of the square."""
    size = lnp.abs(z)
    large = size > 1e8
    far = lnp.where(large, size, 1.0)
    near = lnp.where(large, 0.0, z)
    return lnp.where(large, 2 * lnp.log(far), lnp.log1p(near * near))


gumbel_r = Continuous(
    "gumbel_r", (), _everywhere,
    lambda z: -z - lnp.exp(-z),
    lambda z: lnp.exp(-lnp.exp(-z)), lambda z: -lnp.expm1(-lnp.exp(-z)),
    lambda q: -lnp.log(-lnp.log(q)), lambda q: -lnp.log(-lnp.log1p(-q)),
    lambda z: -lnp.exp(-z),
    doc="The Gumbel distribution of largest values: exp(−z − exp(−z)).",
)  # fmt: skip

gumbel_l = Continuous(
    "gumbel_l", (), _everywhere,
    lambda z: z - lnp.exp(z),
    lambda z: -lnp.expm1(-lnp.exp(z)), lambda z: lnp.exp(-lnp.exp(z)),
    lambda q: lnp.log(-lnp.log1p(-q)), lambda q: lnp.log(-lnp.log(q)),
    logsf=lambda z: -lnp.exp(z),
    doc="The Gumbel distribution of least values: exp(z − exp(z)).",
)  # fmt: skip

gamma = Continuous(
    "gamma", ("a",), _positive,
    lambda z, a: sp.xlogy(a - 1, z) - z - sp.gammaln(a),
    lambda z, a: sp.gammainc(a, z), lambda z, a: sp.gammaincc(a, z),
    valid=_above_zero,
    doc="The gamma distribution: z^(a−1) exp(−z) / Γ(a), z ≥ 0.",
)  # fmt: skip

chi2 = Continuous(
    "chi2", ("df",), _positive,
    lambda z, df: (
        sp.xlogy(df / 2 - 1, z) - z / 2 - sp.gammaln(df / 2) - df * (0.5 * math.log(2))
    ),
    lambda z, df: sp.gammainc(df / 2, z / 2), lambda z, df: sp.gammaincc(df / 2, z / 2),
    valid=_above_zero,
    doc="The chi-squared distribution with df degrees of freedom.",
)  # fmt: skip

invgamma = Continuous(
    "invgamma", ("a",), _positive,
    lambda z, a: _inside(z, lambda z: -(a + 1) * lnp.log(z) - 1 / z - sp.gammaln(a)),
    lambda z, a: sp.gammaincc(a, 1 / z), lambda z, a: sp.gammainc(a, 1 / z),
    valid=_above_zero,
    doc="The inverse gamma distribution: z^(−a−1) exp(−1/z) / Γ(a), z ≥ 0.",
)  # fmt: skip

beta = Continuous(
    "beta", ("a", "b"), lambda a, b: (0.0, 1.0, 0.5),
    lambda z, a, b: sp.xlogy(a - 1, z) + sp.xlog1py(b - 1, -z) - sp.betaln(a, b),
    lambda z, a, b: sp.betainc(a, b, z), lambda z, a, b: sp.betainc(b, a, 1 - z),
    valid=_above_zero,
    doc="The beta distribution: z^(a−1) (1−z)^(b−1) / B(a, b), 0 ≤ z ≤ 1.",
)  # fmt: skip

t = Continuous(
    "t", ("df",), _everywhere,
    lambda z, df: (
        sp.gammaln((df + 1) / 2) - sp.gammaln(df / 2) - 0.5 * lnp.log(df * math.pi)
        - (df + 1) / 2 * _log1p_square(z / lnp.sqrt(df))
    ),
    lambda z, df: _t_cdf(z, df), lambda z, df: _t_cdf(-z, df),
    valid=_above_zero,
    doc="Student's t distribution with df degrees of freedom.",
)  # fmt: skip


def _t_cdf(z: Any, df: Any) -> Any:
    """Abramowitz and Stegun 26.7.1, each side from the tail that is small there."""
    far = z * z > df
    safe = lnp.where(z == 0, 1.0, z)
    tail = lnp.where(
        far,
        0.5 * sp.betainc(df / 2, 0.5 + 0 * df, df / (df + lnp.where(far, safe * safe, 1.0))),
        0.5 - 0.5 * sp.betainc(0.5 + 0 * df, df / 2, lnp.where(far, 0.0, z * z / (df + z * z))),
    )
    return lnp.where(z > 0, 1 - tail, tail)


pareto = Continuous(
    "pareto", ("b",), lambda b: (1.0, _INF, 2.0),
    lambda z, b: lnp.log(b) - (b + 1) * lnp.log(z),
    lambda z, b: -lnp.expm1(-b * lnp.log(z)), lambda z, b: lnp.exp(-b * lnp.log(z)),
    lambda q, b: lnp.exp(-lnp.log1p(-q) / b), lambda q, b: lnp.exp(-lnp.log(q) / b),
    logsf=lambda z, b: -b * lnp.log(z), valid=_above_zero,
    doc="The Pareto distribution: b / z^(b+1), z ≥ 1.",
)  # fmt: skip

weibull_min = Continuous(
    "weibull_min", ("c",), _positive,
    lambda z, c: lnp.log(c) + sp.xlogy(c - 1, z) - z**c,
    lambda z, c: -lnp.expm1(-(z**c)), lambda z, c: lnp.exp(-(z**c)),
    lambda q, c: (-lnp.log1p(-q)) ** (1 / c), lambda q, c: (-lnp.log(q)) ** (1 / c),
    logsf=lambda z, c: -(z**c), valid=_above_zero,
    doc="The Weibull distribution of least values: c z^(c−1) exp(−z^c), z ≥ 0.",
)  # fmt: skip

lognorm = Continuous(
    "lognorm", ("s",), _positive,
    lambda z, s: _inside(
        z, lambda z: -0.5 * (lnp.log(z) / s) ** 2 - lnp.log(s * z) - _LOG_ROOT_2_PI
    ),
    lambda z, s: sp.ndtr(lnp.log(z) / s), lambda z, s: sp.ndtr(-lnp.log(z) / s),
    lambda q, s: lnp.exp(s * sp.ndtri(q)), lambda q, s: lnp.exp(-s * sp.ndtri(q)),
    lambda z, s: sp.log_ndtr(lnp.log(z) / s), lambda z, s: sp.log_ndtr(-lnp.log(z) / s),
    valid=_above_zero,
    doc="The log-normal distribution: log z is normal with standard deviation s.",
)  # fmt: skip

gennorm = Continuous(
    "gennorm", ("beta",), _everywhere,
    lambda z, beta: lnp.log(0.5 * beta) - sp.gammaln(1 / beta) - lnp.abs(z) ** beta,
    lambda z, beta: _gennorm_tail(-z, beta), lambda z, beta: _gennorm_tail(z, beta),
    valid=_above_zero,
    doc="The generalised normal distribution: β exp(−|z|^β) / (2 Γ(1/β)).",
)  # fmt: skip


def _gennorm_tail(z: Any, beta: Any) -> Any:
    """The probability above z."""
    tail = 0.5 * sp.gammaincc(1 / beta, lnp.abs(z) ** beta)
    return lnp.where(z > 0, tail, 1 - tail)


truncnorm = Continuous(
    "truncnorm", ("a", "b"), lambda a, b: (a, b, _nearest_zero(a, b)),
    lambda z, a, b: -0.5 * z * z - _LOG_ROOT_2_PI - _log_mass(a, b),
    lambda z, a, b: lnp.exp(_log_mass(a, z) - _log_mass(a, b)),
    lambda z, a, b: lnp.exp(_log_mass(z, b) - _log_mass(a, b)),
    logcdf=lambda z, a, b: _log_mass(a, z) - _log_mass(a, b),
    logsf=lambda z, a, b: _log_mass(z, b) - _log_mass(a, b),
    valid=lambda a, b: a < b,
    doc="The normal distribution between a and b standard deviations from loc.",
)  # fmt: skip


def _nearest_zero(a: Any, b: Any) -> Any:
    return lnp.minimum(lnp.maximum(a, 0.0), b)


def _log_mass(a: Any, b: Any) -> Any:
    """The logarithm of Φ(b) − Φ(a), from the side on which both are small."""
    right = a + b > 0
    low, high = lnp.where(right, -b, a), lnp.where(right, -a, b)
    top = sp.log_ndtr(high)
    share = lnp.where(low < high, sp.log_ndtr(low) - top, 0.0)
    return top + lnp.log(-lnp.expm1(share))


vonmises = Continuous(
    "vonmises", ("kappa",), _everywhere,
    lambda z, kappa: kappa * (lnp.cos(z) - 1) - math.log(2 * math.pi) - lnp.log(sp.i0e(kappa)),
    lambda z, kappa: _no_closed_form("vonmises"), lambda z, kappa: _no_closed_form("vonmises"),
    valid=lambda kappa: kappa >= 0,
    doc="The von Mises distribution of angles: exp(κ cos z) / (2π I₀(κ)).",
)  # fmt: skip

wrapcauchy = Continuous(
    "wrapcauchy", ("c",), lambda c: (0.0, 2 * math.pi, 1.0),
    lambda z, c: (
        lnp.log1p(-c * c) - math.log(2 * math.pi) - lnp.log(1 + c * c - 2 * c * lnp.cos(z))
    ),
    lambda z, c: _wrapped(z, c), lambda z, c: 1 - _wrapped(z, c),
    valid=lambda c: (c > 0) & (c < 1),
    doc="The wrapped Cauchy distribution of angles between 0 and 2π.",
)  # fmt: skip


def _wrapped(z: Any, c: Any) -> Any:
    """Half an angle's tangent stretched by (1 + c) / (1 − c); the upper half by symmetry."""
    upper = z > math.pi
    half = lnp.where(upper, 2 * math.pi - z, z) / 2
    part = lnp.arctan2((1 + c) * lnp.sin(half), (1 - c) * lnp.cos(half)) / math.pi
    return lnp.where(upper, 1 - part, part)


def _no_closed_form(name: str) -> Any:
    return fail(f"{name} has no cdf here: it has no closed form")
