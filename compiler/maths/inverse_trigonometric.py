"""asin, acos, atan and atan2 in straight-line code.

Takes a builder and f32 or f64 values; gives angles in radians.
Must not know what the builder makes of its calls.
"""

from __future__ import annotations

from .builder import Builder, V
from .coefficients import ASIN, ATAN
from .constants import HALF_PI
from .formats import bits_of, flip_sign, format_of, sign_bits, with_sign_of
from .polynomial import estrin


def _half_pi(b: Builder[V], like: V) -> tuple[V, V]:
    high, low, _ = HALF_PI[b.dtype(like)]
    return b.const(high, like), b.const(low, like)


def _asin_parts(b: Builder[V], x: V) -> tuple[V, V, V, V]:
    """`(is_large, t, tail, a)`: asin(t) = t + tail; t is a, or sqrt((1 - a)/2) where a > 1/2."""
    a = b.abs(x)
    half = b.const(0.5, x)
    large = b.greater(a, half)
    z = b.select(large, b.fma(a, b.const(-0.5, x), half), b.mul(x, x))
    t = b.select(large, b.sqrt(z), a)
    tail = b.mul(b.mul(t, z), estrin(b, z, ASIN[b.dtype(x)]))
    return large, t, tail, a


def asin(b: Builder[V], x: V) -> V:
    """Angle in [-pi/2, pi/2]; NaN outside [-1, 1]. 25 (f32) or 33 (f64) operations, a sqrt.

    asin(a) = pi/2 - 2*asin(sqrt((1 - a)/2)) for a > 1/2.
    """
    large, t, tail, _ = _asin_parts(b, x)
    high, low = _half_pi(b, x)
    minus_two = b.const(-2.0, x)
    reflected = b.fma(t, minus_two, high)
    lost = b.fma(t, minus_two, b.sub(high, reflected))
    folded = b.add(reflected, b.add(lost, b.fma(tail, minus_two, low)))
    return with_sign_of(b, b.select(large, folded, b.add(t, tail)), x)


def acos(b: Builder[V], x: V) -> V:
    """Angle in [0, pi]; NaN outside [-1, 1]. 31 (f32) or 39 (f64) operations, one sqrt."""
    large, t, tail, _ = _asin_parts(b, x)
    high, low = _half_pi(b, x)
    signs = sign_bits(b, x)
    zero = b.const(0.0, x)
    negative = b.less(x, zero)
    # |x| <= 1/2: pi/2 - asin(x). x > 1/2: 2*asin(t). x < -1/2: pi - 2*asin(t).
    scale = b.select(large, b.const(2.0, x), b.const(-1.0, x))
    scale = flip_sign(b, scale, signs)
    base = b.select(large, b.select(negative, b.add(high, high), zero), high)
    base_low = b.select(large, b.select(negative, b.add(low, low), zero), low)
    total = b.fma(scale, t, base)
    lost = b.fma(scale, t, b.sub(base, total))
    return b.add(total, b.add(lost, b.fma(scale, tail, base_low)))


def _atan_polynomial(b: Builder[V], t: V) -> V:
    """atan(t) for 0 <= t <= 1."""
    z = b.mul(t, t)
    return b.fma(b.mul(t, z), estrin(b, z, ATAN[b.dtype(t)]), t)


def atan(b: Builder[V], x: V) -> V:
    """Angle in [-pi/2, pi/2]; 25 (f32) or 36 (f64) operations, one division."""
    a, one = b.abs(x), b.const(1.0, x)
    steep = b.greater(a, one)
    angle = _atan_polynomial(b, b.div(b.select(steep, one, a), b.select(steep, a, one)))
    high, low = _half_pi(b, x)
    complement = b.add(high, b.sub(low, angle))
    return with_sign_of(b, b.select(steep, complement, angle), x)


def atan2(b: Builder[V], y: V, x: V) -> V:
    """Angle of the point (x, y) in [-pi, pi], with the signs of zeros as in C99 Annex F.

    40 (f32) or 51 (f64) operations, one division.
    """
    wide, high_part = b.abs(x), b.abs(y)
    steep = b.greater(high_part, wide)
    small = b.select(steep, wide, high_part)
    large = b.select(steep, high_part, wide)
    t = b.div(small, large)
    t = b.select(b.equal(small, large), b.const(1.0, x), t)  # inf/inf
    t = b.select(b.equal(large, b.const(0.0, x)), small, t)  # 0/0
    angle = _atan_polynomial(b, t)
    high, low = _half_pi(b, x)
    zero, bits = b.const(0.0, x), bits_of(b, x)
    left = b.less(bits, b.const(0, bits))
    base = b.select(steep, high, b.select(left, b.add(high, high), zero))
    base_low = b.select(steep, low, b.select(left, b.add(low, low), zero))
    mask = b.const(format_of(b, x).sign_mask, bits)
    signs = b.bit_xor(b.select(steep, mask, b.const(0, bits)), b.bit_and(bits, mask))
    angle = b.add(base, b.add(base_low, flip_sign(b, angle, signs)))
    return with_sign_of(b, angle, y)
