"""Modified Bessel functions of order 0 and 1, scaled: i0e and i1e in straight-line code.

Takes a builder and an f32 or f64 value; gives the function value.
Must not know what the builder makes of its calls.
Method: up to 8 the power series, whose terms are all positive (Abramowitz & Stegun 9.6.10), times
exp(-|x|); beyond it a polynomial in 1/x over √x.
"""

from __future__ import annotations

import math

from .builder import Builder, V
from .coefficients import I0E_TAIL, I1E_TAIL
from .exponential import exp
from .formats import flip_sign, sign_bits
from .polynomial import estrin

SERIES_UP_TO = 8.0
TERMS = {"f32": 18, "f64": 28}
CENTRE = 0.0625


def _scaled(b: Builder[V], x: V, order: int, tail: dict[str, tuple[float, ...]]) -> V:
    """exp(-|x|)·I(|x|)."""
    dtype, a = b.dtype(x), b.abs(x)
    terms = range(TERMS[dtype])
    series = [1 / (math.factorial(k) * math.factorial(k + order)) for k in terms]
    limit = b.const(SERIES_UP_TO, x)
    near_a = b.select(b.less(limit, a), limit, a)  # so that nothing overflows on the way
    half = b.mul(near_a, b.const(0.5, x))
    near = b.mul(estrin(b, b.mul(half, half), series), exp(b, b.neg(near_a)))
    if order:
        near = b.mul(near, half)
    t = b.div(b.const(1.0, x), a)
    shifted = b.sub(t, b.const(CENTRE, x))
    far = b.div(estrin(b, shifted, tail[dtype]), b.sqrt(a))
    return b.select(b.less(limit, a), far, near)


def i0e(b: Builder[V], x: V) -> V:
    """exp(-|x|)·I₀(x).

    67 (f32) or 101 (f64) operations.
    """
    return _scaled(b, x, 0, I0E_TAIL)


def i1e(b: Builder[V], x: V) -> V:
    """exp(-|x|)·I₁(x), an odd function.

    70 (f32) or 104 (f64) operations.
    """
    return flip_sign(b, _scaled(b, x, 1, I1E_TAIL), sign_bits(b, x))
