"""sin, cos and tan in straight-line code.

Takes a builder and an f32 or f64 value, radians; gives the function value.
Must not know how the argument is reduced, nor what the builder makes of its calls.
Each function has a `_small` form for |x| <= `SMALL_BOUND`, several times cheaper; a caller that
can branch takes it when all of its elements are in that range.
"""

from __future__ import annotations

from .builder import Builder, V
from .coefficients import COS, SIN
from .formats import flip_sign, format_of
from .polynomial import estrin
from .reduction import SMALL_BOUND, reduce, reduce_small

__all__ = ["SMALL_BOUND", "cos", "cos_small", "sin", "sin_small", "tan", "tan_small"]


def _sine_cosine(b: Builder[V], r: V, low: V) -> tuple[V, V]:
    """sin and cos of r + low for |r| <= pi/4: 13 (f32) or 19 (f64) operations and the powers."""
    dtype = b.dtype(r)
    z = b.mul(r, r)
    sine = b.add(r, b.fma(b.mul(r, z), estrin(b, z, SIN[dtype]), low))
    one, half = b.const(1.0, r), b.mul(z, b.const(0.5, r))
    leading = b.sub(one, half)
    lost = b.fma(r, b.neg(low), b.sub(b.sub(one, leading), half))
    cosine = b.add(leading, b.fma(b.mul(z, z), estrin(b, z, COS[dtype]), lost))
    return sine, cosine


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
    sine, cosine = _sine_cosine(b, high, low)
    odd = _is_odd(b, quadrant)
    value = b.div(b.select(odd, b.neg(cosine), sine), b.select(odd, sine, cosine))
    return b.select(b.equal(x, b.const(0.0, x)), x, value)


def sin_small(b: Builder[V], x: V) -> V:
    """Sine for |x| <= SMALL_BOUND; about 29 (f32) or 37 (f64) operations."""
    return _sin_of(b, x, reduce_small(b, x))


def cos_small(b: Builder[V], x: V) -> V:
    """Cosine for |x| <= SMALL_BOUND; about 28 (f32) or 36 (f64) operations."""
    return _cos_of(b, x, reduce_small(b, x))


def tan_small(b: Builder[V], x: V) -> V:
    """Tangent for |x| <= SMALL_BOUND; about 30 (f32) or 38 (f64) operations, one division."""
    return _tan_of(b, x, reduce_small(b, x))


def sin(b: Builder[V], x: V) -> V:
    """Sine of every number; NaN for infinities. `sin_small` plus about 200 operations."""
    return _sin_of(b, x, reduce(b, x))


def cos(b: Builder[V], x: V) -> V:
    """Cosine of every number; NaN for infinities. `cos_small` plus about 200 operations."""
    return _cos_of(b, x, reduce(b, x))


def tan(b: Builder[V], x: V) -> V:
    """Tangent of every number; NaN for infinities. `tan_small` plus about 200 operations."""
    return _tan_of(b, x, reduce(b, x))
