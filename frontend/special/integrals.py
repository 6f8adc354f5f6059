"""Exponential integrals and Spence's function.

Takes: tensors, arrays, numbers. Gives: tensors. Sources: Abramowitz & Stegun 5.1.10, 5.1.11,
5.1.22, 5.1.51; L. Lewin, "Polylogarithms and Associated Functions" (1981), 1.76.
Must not know: anything but functions of `lazir.numpy`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from .. import numpy as lnp
from ..custom import custom_jvp
from ..tensor import Tensor
from .operands import double, widened

EULER = 0.5772156649015329


def _power_sum(x: Any, terms: int) -> Any:
    """Σ xᵏ / (k·k!) over k ≥ 1, nested so that no factorial overflows."""
    total: Any = 0.0
    for k in reversed(range(1, terms + 1)):
        total = x * (1 / k) * (1 / k + total)
    return total


def _exp1_of(x: Any) -> Any:
    """E₁: its series up to 1.5, the continued fraction, from its far end, beyond."""
    terms, levels = (24, 60) if double(x) else (12, 16)
    near = x <= 1.5
    low, high = lnp.where(near, x, 1.0), lnp.where(near, 2.0, x)
    series = -EULER - lnp.log(low) - _power_sum(-low, terms)
    rest: Any = 0.0
    for k in reversed(range(1, levels)):
        rest = k * k / (high + (2 * k + 1) - rest)
    fraction = lnp.exp(-high) / (high + 1 - rest)
    fraction = lnp.where(high == lnp.inf, 0, fraction)
    value = lnp.where(near, series, fraction)
    return lnp.where(lnp.isnan(x), x, value)


_exp1 = custom_jvp(_exp1_of)
_exp1.defjvps(lambda t, y, x: -t * lnp.exp(-x) / x)


def exp1(x: Any) -> Tensor:
    """E₁(x) = ∫ₓ^∞ e⁻ᵗ/t dt: inf at 0, NaN below. Error below 20 ULP (float32: 10).

    >>> import lazir as lz
    >>> round(lz.special.exp1(1.0).item(), 4)
    0.2194
    """
    (x,), back = widened("exp1", x)
    return back(_exp1(x))  # type: ignore[no-any-return]


def _expi_of(x: Any) -> Any:
    """Ei: −E₁(−x) below 0, its series up to 40, the asymptotic series beyond."""
    terms, last = (140, 38) if double(x) else (110, 12)
    low = lnp.where((x > 0) & (x <= 40), x, 1.0)
    high = lnp.where(x > 40, x, 50.0)
    series = EULER + lnp.log(low) + _power_sum(low, terms)
    tail: Any = 1.0
    for k in reversed(range(1, last + 1)):
        tail = 1 + k / high * tail
    half = lnp.exp(0.5 * high)  # twice: exp itself overflows before the quotient does
    far = half / high * tail * half
    far = lnp.where(high == lnp.inf, lnp.inf, far)
    above = lnp.where(x > 40, far, series)
    below = -_exp1_of(lnp.where(x < 0, -x, 1.0))
    value = lnp.where(x < 0, below, lnp.where(x == 0, -lnp.inf, above))
    return lnp.where(lnp.isnan(x), x, value)


_expi = custom_jvp(_expi_of)
_expi.defjvps(lambda t, y, x: t * lnp.exp(x) / x)


def expi(x: Any) -> Tensor:
    """Ei(x), the principal value of ∫₋∞ˣ eᵗ/t dt: −inf at 0.

    Error below 20 ULP; near its zero 0.3725 below 4 ULP of 1.

    >>> import lazir as lz
    >>> round(lz.special.expi(1.0).item(), 4)
    1.8951
    """
    (x,), back = widened("expi", x)
    return back(_expi(x))  # type: ignore[no-any-return]


_BERNOULLI = [
    Fraction(n, d)
    for n, d in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510),
        (43867, 798), (-174611, 330),
    )
]  # fmt: skip


def _spence_of(x: Any) -> Any:
    """Li₂(1 − x) by its series in u = −log(x) for x in [½, 2], reflected from outside."""
    large, small = x > 2, x < 0.5
    mirrored = lnp.where(large, x / (lnp.where(large, x, 3.0) - 1), x)
    inner = lnp.where(small, 1 - x, lnp.where(x == lnp.inf, 1.0, mirrored))
    u = -lnp.log(lnp.where(x < 0, 1.0, inner))
    square = u * u
    total: Any = 0.0
    for k in reversed(range(1, (10 if double(x) else 5) + 1)):
        total = square * (float(_BERNOULLI[k - 1] / math.factorial(2 * k + 1)) + total)
    series = u * (1 + total) - 0.25 * square
    product = lnp.log(lnp.where(small & (x > 0), x, 1.0)) * lnp.log1p(lnp.where(small, -x, 0.0))
    below = math.pi**2 / 6 - product - series
    distance = lnp.log(lnp.where(large, x, 2.0) - 1)
    above = -(math.pi**2) / 6 - 0.5 * distance * distance - series
    value = lnp.where(small, below, lnp.where(large, above, series))
    return lnp.where(x < 0, lnp.nan, value)


def _spence_slope(x: Any) -> Any:
    near = x == 1
    return lnp.where(near, -1.0, lnp.log(x) / (1 - lnp.where(near, 2.0, x)))


_spence = custom_jvp(_spence_of)
_spence.defjvps(lambda t, y, x: t * _spence_slope(x))


def spence(x: Any) -> Tensor:
    """Spence's function ∫₁ˣ log(t)/(1 − t) dt, which is Li₂(1 − x): NaN below 0.

    Error below 16 ULP.

    >>> import lazir as lz
    >>> round(lz.special.spence(0.0).item(), 4)
    1.6449
    """
    (x,), back = widened("spence", x)
    return back(_spence(x))  # type: ignore[no-any-return]
