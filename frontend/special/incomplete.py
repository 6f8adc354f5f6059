"""Incomplete gamma and beta functions, regularised, with derivatives in every argument.

Takes: tensors, arrays, numbers. Gives: tensors. Series and continued fractions run in one loop for
all elements, until the last one has converged. Sources: DLMF (dlmf.nist.gov) 8.7.1, 8.9.2, 8.17.22;
the leading factor as in N. Temme, "The asymptotic expansion of the incomplete gamma functions"
(1979). Must not know: anything but functions of `lazir.numpy`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import numpy as lnp
from ..control import while_loop
from ..custom import custom_jvp
from ..tensor import Tensor
from ..transforms import jvp
from .gammas import betaln, digamma, gammaln
from .operands import double, widened

LIMIT = 100_000
"""Rounds after which a loop ends where rounding keeps it from settling."""


def _epsilon(x: Any) -> float:
    """Three units in the last place of 1: what a product of rounded factors may be off."""
    return 6.7e-16 if double(x) else 3.6e-7


# -- gamma -------------------------------------------------------------------------------
def _leading(a: Any, x: Any) -> Any:
    """xᵃ e⁻ˣ / Γ(a + 1), for large a without the cancellation of its logarithms."""
    large = a > 12
    big = lnp.where(large, a, 20.0)
    shift = (x - big) / big
    near = abs(shift) < 0.5
    excess = shift - lnp.log1p(lnp.where(near, shift, 0.0))
    far = lnp.where(near, 1.0, x)
    ratio = lnp.where(near, excess, shift - lnp.log(far / big))
    z = 1 / (big * big)
    rest = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z / 1188)))) / big
    stirling = lnp.exp(-big * ratio - rest) / lnp.sqrt(2 * math.pi * big)
    small = lnp.where(large, 1.0, a)
    plain = lnp.exp(small * lnp.log(x) - x - gammaln(small + 1))
    return lnp.where(large, stirling, plain)


def _series(a: Any, x: Any) -> Any:
    """Σ xⁿ / ((a + 1)…(a + n)) over n ≥ 0."""
    small = _epsilon(x)

    def go_on(state: Any) -> Any:
        n, term, total = state
        return (n < LIMIT) & lnp.any(term > 0.1 * small * total)

    def step(state: Any) -> Any:
        n, term, total = state
        term = term * (x / (a + n))
        return n + 1, term, total + term

    one = lnp.ones_like(x)
    return while_loop(go_on, step, (lnp.ones((), dtype=x.dtype), one, one))[2]


def _fraction(a: Any, x: Any, least: int) -> Any:
    """Γ(a, x)·eˣ/xᵃ by Lentz's method on its continued fraction, for x > a + 1 or so."""
    small, tiny = _epsilon(x), 1e-30

    def go_on(state: Any) -> Any:
        more = lnp.any(abs(state[-1] - 1) > small)
        return (state[0] < least) | ((state[0] < LIMIT) & more)

    def step(state: Any) -> Any:
        n, b, c, d, value, _ = state
        b = b + 2
        top = n * (a - n)
        d = top * d + b
        d = 1 / lnp.where(abs(d) < tiny, tiny, d)
        c = b + top / c
        c = lnp.where(abs(c) < tiny, tiny, c)
        change = c * d
        return n + 1, b, c, d, value * change, change

    one = lnp.ones_like(x)
    b = x + 1 - a
    b = lnp.where(abs(b) < tiny, tiny, b)
    start = (lnp.ones((), dtype=x.dtype), b, one / tiny, 1 / b, 1 / b, one * 2)
    return while_loop(go_on, step, start)[4]


def _gamma_parts(a: Any, x: Any, least: int) -> tuple[Any, Any, Any, Any]:
    """`(inside, below, P by the series, Q by the fraction)`; `below` says which is right."""
    inside = (a > 0) & (x > 0) & (x < lnp.inf) & (a < lnp.inf)
    below = x < a + 1
    low, high = inside & below, inside & ~below
    a_low, x_low = lnp.where(low, a, 1.0), lnp.where(low, x, 0.5)
    a_high, x_high = lnp.where(high, a, 1.0), lnp.where(high, x, 3.0)
    lower = _leading(a_low, x_low) * _series(a_low, x_low)
    upper = _leading(a_high, x_high) * a_high * _fraction(a_high, x_high, least)
    return inside, below, lower, upper


def _gamma_limits(a: Any, x: Any, inside: Any, value: Any, at_zero: float) -> Any:
    """The edges: x = 0 and ∞, a = 0 (all mass at 0) and ∞, NaN where undefined."""
    empty = (x == 0) | ((a == lnp.inf) & (x < lnp.inf))
    full = (x == lnp.inf) | (a == 0)
    bad = (a < 0) | (x < 0) | ((a == 0) & (x == 0)) | ((a == lnp.inf) & (x == lnp.inf))
    bad = bad | lnp.isnan(a) | lnp.isnan(x)
    edge = lnp.where(bad, lnp.nan, lnp.where(full, 1 - at_zero, lnp.where(empty, at_zero, lnp.nan)))
    return lnp.where(inside, value, edge)


def _lower(a: Any, x: Any, least: int = 0) -> Any:
    inside, below, lower, upper = _gamma_parts(a, x, least)
    return _gamma_limits(a, x, inside, lnp.where(below, lower, 1 - upper), 0.0)


def _upper(a: Any, x: Any, least: int = 0) -> Any:
    inside, below, lower, upper = _gamma_parts(a, x, least)
    return _gamma_limits(a, x, inside, lnp.where(below, 1 - lower, upper), 1.0)


def _density(a: Any, x: Any) -> Any:
    """xᵃ⁻¹ e⁻ˣ / Γ(a)."""
    inside = (a > 0) & (x > 0) & (x < lnp.inf)
    p, y = lnp.where(inside, a, 1.0), lnp.where(inside, x, 1.0)
    at_zero = lnp.where(a < 1, lnp.inf, lnp.where(a == 1, 1.0, 0.0))
    edge = lnp.where(x == 0, at_zero, lnp.where(x == lnp.inf, 0.0, lnp.nan))
    return lnp.where(inside, _leading(p, y) * p / y, edge)


def _slope(function: Callable[..., Any], k: int, xs: tuple[Any, ...]) -> Any:
    """The derivative of an elementwise function by its k-th argument, forward through its loops.

    At whole arguments a fraction ends before its derivative has converged: it runs on for a while.
    """

    def of_one(x: Any) -> Any:
        return function(*xs[:k], x, *xs[k + 1 :], least=150)

    return jvp(of_one, (xs[k],), (lnp.ones_like(xs[k]),))[1]


_gammainc, _gammaincc = custom_jvp(lambda a, x: _lower(a, x)), custom_jvp(lambda a, x: _upper(a, x))
_gammainc.defjvps(
    lambda t, y, a, x: t * _slope(_lower, 0, (a, x)), lambda t, y, a, x: t * _density(a, x)
)
_gammaincc.defjvps(
    lambda t, y, a, x: t * _slope(_upper, 0, (a, x)), lambda t, y, a, x: -t * _density(a, x)
)


def gammainc(a: Any, x: Any) -> Tensor:
    """The lower regularised incomplete gamma function P(a, x) for a, x ≥ 0, NaN outside.

    Relative error below 1e-13·(1 + √a) in float64, 1e-5·(1 + √a) in float32. Time grows as √a.
    Derivatives in both arguments: by x exact, by a forward through the series.

    >>> import lazir as lz
    >>> round(lz.special.gammainc(1.0, 1.0).item(), 4)
    0.6321
    """
    (a, x), back = widened("gammainc", a, x)
    return back(_gammainc(a, x))  # type: ignore[no-any-return]


def gammaincc(a: Any, x: Any) -> Tensor:
    """The upper regularised incomplete gamma function Q(a, x) = 1 − P(a, x), accurate where small.

    Domain, errors and derivatives as those of `gammainc`.

    >>> import lazir as lz
    >>> round(lz.special.gammaincc(1.0, 1.0).item(), 4)
    0.3679
    """
    (a, x), back = widened("gammaincc", a, x)
    return back(_gammaincc(a, x))  # type: ignore[no-any-return]


def gamma_slope(a: Tensor, log_x: Tensor) -> Tensor:
    """∂ log x / ∂a where P(a, x) stays what it is, for float64 a > 0 and finite log x.

    How a number of the gamma distribution moves with its parameter: −∂P/∂a / (x·∂P/∂x) (Figurnov,
    Mohamed and Mnih, "Implicit reparameterization gradients", 2018). With P = xᵃe⁻ˣ/Γ(a + 1)·S and
    1 − P = xᵃe⁻ˣ/Γ(a)·F the powers and exponentials cancel, so that x may be too small for a float.
    S has all digits that matter a while above a + 1, where F is slow.
    """
    x = lnp.exp(log_x)
    below = x < a + 8
    low, high = lnp.where(below, x, 0.5), lnp.where(below, a + 8, x)
    one = (lnp.ones_like(a),)
    s, s_slope = jvp(lambda p: _series(p, low), (a,), one)
    f, f_slope = jvp(lambda p: _fraction(p, high, least=40), (a,), one)
    psi = digamma(a)
    lower = -((log_x - psi - 1 / a) * s + s_slope) / a
    return lnp.where(below, lower, (log_x - psi) * f + f_slope)


# -- beta --------------------------------------------------------------------------------
def _beta_fraction(a: Any, b: Any, x: Any, least: int) -> Any:
    """The continued fraction of I(a, b, x)·a·B(a, b)/(xᵃ(1 − x)ᵇ), for x < (a + 1)/(a + b + 2)."""
    small, tiny = _epsilon(x), 1e-30

    def away(v: Any) -> Any:
        return lnp.where(abs(v) < tiny, tiny, v)

    def go_on(state: Any) -> Any:
        more = lnp.any(abs(state[-1] - 1) > small)
        return (state[0] < least) | ((state[0] < LIMIT) & more)

    def step(state: Any) -> Any:
        m, c, d, value, _ = state
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / away(1 + even * d)
        c = away(1 + even / c)
        value = value * d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / away(1 + odd * d)
        c = away(1 + odd / c)
        change = d * c
        return m + 1, c, d, value * change, change

    one = lnp.ones_like(x)
    d = 1 / away(1 - (a + b) * x / (a + 1))
    return while_loop(go_on, step, (lnp.ones((), dtype=x.dtype), one, d, d, one * 2))[3]


def _beta(a: Any, b: Any, x: Any, least: int = 0) -> Any:
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1) & (a < lnp.inf) & (b < lnp.inf)
    p, q, y = lnp.where(inside, a, 1.0), lnp.where(inside, b, 1.0), lnp.where(inside, x, 0.25)
    flip = y > (p + 1) / (p + q + 2)
    power = lnp.exp(p * lnp.log(y) + q * lnp.log1p(-y) - betaln(p, q))
    first, second = lnp.where(flip, q, p), lnp.where(flip, p, q)
    part = power / first * _beta_fraction(first, second, lnp.where(flip, 1 - y, y), least)
    value = lnp.where(flip, 1 - part, part)
    ends = lnp.where(x == 0, 0.0, lnp.where(x == 1, 1.0, lnp.nan))
    return lnp.where(inside, value, lnp.where((a > 0) & (b > 0), ends, lnp.nan))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    inside = (x > 0) & (x < 1)
    y = lnp.where(inside, x, 0.5)
    value = lnp.exp((a - 1) * lnp.log(y) + (b - 1) * lnp.log1p(-y) - betaln(a, b))
    left = lnp.where(a < 1, lnp.inf, lnp.where(a == 1, b, 0.0))
    right = lnp.where(b < 1, lnp.inf, lnp.where(b == 1, a, 0.0))
    return lnp.where(inside, value, lnp.where(x == 0, left, lnp.where(x == 1, right, lnp.nan)))


_betainc = custom_jvp(lambda a, b, x: _beta(a, b, x))
_betainc.defjvps(
    lambda t, y, a, b, x: t * _slope(_beta, 0, (a, b, x)),
    lambda t, y, a, b, x: t * _slope(_beta, 1, (a, b, x)),
    lambda t, y, a, b, x: t * _beta_density(a, b, x),
)


def betainc(a: Any, b: Any, x: Any) -> Tensor:
    """The regularised incomplete beta function I(a, b, x) for a, b > 0 and x in [0, 1], else NaN.

    Relative error below 1e-14·(a + b + 20) in float64, 5e-6·(a + b + 20) in float32, of the smaller
    of I and 1 − I. Derivatives in all arguments: by x exact, by a and b forward through the
    continued fraction.

    >>> import lazir as lz
    >>> round(lz.special.betainc(2.0, 2.0, 0.5).item(), 4)
    0.5
    """
    (a, b, x), back = widened("betainc", a, b, x)
    return back(_betainc(a, b, x))  # type: ignore[no-any-return]
