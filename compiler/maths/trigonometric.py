"""sin, cos and tan in straight-line code.

Takes a builder and an f32 or f64 value, radians; gives the function value.
Must not know how the argument is reduced, nor what the builder makes of its calls.
Each function has a `_small` form for |x| <= `SMALL_BOUND`, several times cheaper; a caller that
can branch takes it when all of its elements are in that range.
"""

from __future__ import annotations

from .builder import Builder, V
from .coefficients import COS, SIN
from .extended import fast_two_sum
from .formats import flip_sign, format_of
from .polynomial import estrin
from .reduction import SMALL_BOUND, reduce, reduce_small

__all__ = ["SMALL_BOUND", "cos", "cos_small", "sin", "sin_small", "tan", "tan_small"]


def _sine_cosine_pairs(b: Builder[V], r: V, low: V) -> tuple[tuple[V, V], tuple[V, V]]:
    """sin and cos of r + low for |r| <= pi/4, each as a leading term and a correction."""
    dtype = b.dtype(r)
    z = b.mul(r, r)
    sine_tail = b.fma(b.mul(r, z), estrin(b, z, SIN[dtype]), low)
    one, half = b.const(1.0, r), b.mul(z, b.const(0.5, r))
    leading = b.sub(one, half)
    lost = b.fma(r, b.neg(low), b.sub(b.sub(one, leading), half))
    cosine_tail = b.fma(b.mul(z, z), estrin(b, z, COS[dtype]), lost)
    return (r, sine_tail), (leading, cosine_tail)


def _sine_cosine(b: Builder[V], r: V, low: V) -> tuple[V, V]:
    sine, cosine = _sine_cosine_pairs(b, r, low)
    return b.add(*sine), b.add(*cosine)


def _is_odd(b: Builder[V], quadrant: V) -> V:
    one = b.const(1, quadrant)
    return b.equal(b.bit_and(quadrant, one), one)


def _half_turn_sign(b: Builder[V], quadrant: V, like: V) -> V:
    """The sign bit where the second bit of the quadrant is set."""
    moved = b.shift_left(quadrant, b.const(format_of(b, like).width - 2, quadrant))
    return b.bit_and(moved, b.const(format_of(b, like).sign_mask, quadrant))


def _sin_of(b: Builder[V], x: V, reduced: tuple[V, V, V]) -> V:
    quadrant, high, low = reduced
    sine, cosine = _sine_cosine(b, high, low)
    value = b.select(_is_odd(b, quadrant), cosine, sine)
    value = flip_sign(b, value, _half_turn_sign(b, quadrant, x))
    return b.select(b.equal(x, b.const(0.0, x)), x, value)


def _cos_of(b: Builder[V], x: V, reduced: tuple[V, V, V]) -> V:
    quadrant, high, low = reduced
    sine, cosine = _sine_cosine(b, high, low)
    value = b.select(_is_odd(b, quadrant), sine, cosine)
    next_quadrant = b.add(quadrant, b.const(1, quadrant))
    return flip_sign(b, value, _half_turn_sign(b, next_quadrant, x))


def _tan_of(b: Builder[V], x: V, reduced: tuple[V, V, V]) -> V:
    quadrant, high, low = reduced
    pairs = _sine_cosine_pairs(b, high, low)
    (sine, sine_low), (cosine, cosine_low) = (fast_two_sum(b, *pair) for pair in pairs)
    odd = _is_odd(b, quadrant)
    above, below = b.select(odd, b.neg(cosine), sine), b.select(odd, sine, cosine)
    above_low = b.select(odd, b.neg(cosine_low), sine_low)
    below_low = b.select(odd, sine_low, cosine_low)
    inverse = b.div(b.const(1.0, x), below)
    value = b.mul(above, inverse)
    minus = b.neg(value)
    rest = b.fma(minus, below_low, b.add(b.fma(minus, below, above), above_low))
    value = b.fma(rest, inverse, value)
    return b.select(b.equal(x, b.const(0.0, x)), x, value)


def sin_small(b: Builder[V], x: V) -> V:
    """Sine for |x| <= SMALL_BOUND; 41 (f32) or 49 (f64) operations."""
    return _sin_of(b, x, reduce_small(b, x))


def cos_small(b: Builder[V], x: V) -> V:
    """Cosine for |x| <= SMALL_BOUND; 40 (f32) or 48 (f64) operations."""
    return _cos_of(b, x, reduce_small(b, x))


def tan_small(b: Builder[V], x: V) -> V:
    """Tangent for |x| <= SMALL_BOUND; 54 (f32) or 62 (f64) operations, one division."""
    return _tan_of(b, x, reduce_small(b, x))


def sin(b: Builder[V], x: V) -> V:
    """Sine of every number; NaN for infinities. 183 (f32) or 222 (f64) operations."""
    return _sin_of(b, x, reduce(b, x))


def cos(b: Builder[V], x: V) -> V:
    """Cosine of every number; NaN for infinities. 182 (f32) or 221 (f64) operations."""
    return _cos_of(b, x, reduce(b, x))


def tan(b: Builder[V], x: V) -> V:
    """Tangent of every number; NaN for infinities. 196 (f32) or 235 (f64) operations."""
    return _tan_of(b, x, reduce(b, x))
