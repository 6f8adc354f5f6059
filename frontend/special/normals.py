"""The error function, the normal distribution function and its inverse; Bessel functions.

Takes: tensors, arrays, numbers. Gives: tensors. Accuracy is in units in the last place (ULP) of the
result's dtype. Must not know: how primitives are approximated.
"""

from __future__ import annotations

import math
from typing import Any

from .. import numpy as lnp
from ..tensor import Tensor
from ..transforms import stop_gradient
from .operands import double, floats, primitive, rounded_off, widened


def erf(x: Any) -> Tensor:
    """The error function 2/√π ∫₀ˣ exp(−t²) dt. Error below 1.6 ULP.

    >>> import lazir as lz
    >>> lz.special.erf(0.0).item()
    0.0
    """
    return primitive("erf", x)


def erfc(x: Any) -> Tensor:
    """1 − erf(x), accurate where erf is near 1. Error below 2.5 ULP.

    >>> import lazir as lz
    >>> lz.special.erfc(0.0).item()
    1.0
    """
    return primitive("erfc", x)


def erfinv(x: Any) -> Tensor:
    """The number whose erf is x: ±inf at ±1, NaN beyond. Error below 2.7 ULP.

    >>> import lazir as lz
    >>> lz.special.erfinv(0.0).item()
    0.0
    """
    return primitive("erfinv", x)


def ndtr(x: Any) -> Tensor:
    """The standard normal distribution function. Error below 8 ULP, far to the left too.

    >>> import lazir as lz
    >>> lz.special.ndtr(0.0).item()
    0.5
    """
    (x,), back = widened("ndtr", x)
    high, low = ROOTS["f64" if double(x) else "f32"]
    a = -x * high
    # what a lost by rounding, times the logarithmic derivative of erfc, which is near -2a - 1/a
    there = (a > 1) & (a < 40)
    lost = rounded_off(-x, high, a) - x * low
    slope = lnp.where(there, 2 * a + 1 / lnp.where(there, a, 1.0), 0)
    shrunk = 1 - stop_gradient(lnp.where(there, lost, 0) * slope)
    return back(0.5 * erfc(a) * shrunk)  # type: ignore[no-any-return]


ROOTS = {
    "f32": (0.7071067690849304, 1.210161710447897e-08),
    "f64": (0.7071067811865476, -4.833646656726457e-17),
}
"""√½ in two parts."""


def ndtri(p: Any) -> Tensor:
    """The inverse of ndtr: −inf at 0, inf at 1, NaN outside. Error below 3.5 ULP, for tiny p too.

    >>> import lazir as lz
    >>> lz.special.ndtri(0.5).item()
    0.0
    """
    return primitive("ndtri", p)


def log_ndtr(x: Any) -> Tensor:
    """log(ndtr(x)) without underflow. Error below 8 ULP.

    The far left is the asymptotic series of Abramowitz & Stegun 26.2.12.

    >>> import lazir as lz
    >>> round(lz.special.log_ndtr(-30.0).item(), 3)
    -454.321
    """
    (x,), back = widened("log_ndtr", x)
    start, terms = (-20.0, 10) if double(x) else (-9.0, 5)
    far, right = x < start, x > 0
    tail = lnp.where(far, x, start)
    z = 1 / (tail * tail)
    series: Any = 1.0
    for k in reversed(range(1, terms + 1)):
        series = 1 - (2 * k - 1) * z * series
    left = lnp.log(series) - lnp.log(-tail) - 0.5 * math.log(2 * math.pi) - 0.5 * tail * tail
    middle = lnp.log(ndtr(lnp.where(far | right, 0, x)))
    upper = lnp.log1p(-ndtr(-lnp.where(right, x, 0)))
    return back(lnp.where(far, left, lnp.where(right, upper, middle)))  # type: ignore[no-any-return]


def i0e(x: Any) -> Tensor:
    """exp(−|x|)·I₀(x), the modified Bessel function of order 0, scaled. Error below 4 ULP.

    >>> import lazir as lz
    >>> lz.special.i0e(0.0).item()
    1.0
    """
    return primitive("i0e", x)


def i1e(x: Any) -> Tensor:
    """exp(−|x|)·I₁(x), the modified Bessel function of order 1, scaled. Error below 4 ULP.

    >>> import lazir as lz
    >>> lz.special.i1e(0.0).item()
    0.0
    """
    return primitive("i1e", x)


def i1(x: Any) -> Tensor:
    """The modified Bessel function of order 1. Error below 6 ULP.

    >>> import lazir as lz
    >>> lz.special.i1(0.0).item()
    0.0
    """
    (x,) = floats("i1", x)
    return lnp.exp(abs(x)) * i1e(x)
