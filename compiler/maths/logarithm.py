"""log, log2, log10 and log1p in straight-line code.

Takes a builder and an f32 or f64 value; gives the function value.
Must not know what the builder makes of its calls.
Method: x = 2**k * m with m in [sqrt(1/2), sqrt(2)), f = m - 1. f32 uses a polynomial in f; f64 the
series of 2*atanh(s), s = f/(2 + f) (Muller, "Elementary Functions", ch. 5; Tang 1990).
"""

from __future__ import annotations

import math
import struct

from .builder import Builder, V
from .coefficients import LOG, LOG_DIRECT
from .constants import LN2, LOG2_E, LOG10_2, LOG10_E
from .extended import fast_two_sum, two_sum
from .formats import bits_of, format_of, infinity, nan, with_sign_of
from .polynomial import estrin

SQRT_HALF_BITS = {
    "f32": struct.unpack("i", struct.pack("f", math.sqrt(0.5)))[0],
    "f64": struct.unpack("q", struct.pack("d", math.sqrt(0.5)))[0],
}


def split_exponent(b: Builder[V], x: V, offset: V) -> tuple[V, V, V]:
    """`(k, f, field)` with x = 2**k * (1 + f), for normal positive x: 7 operations.

    `offset` is 2**fraction_bits plus the bias to take off; `field` is the biased k in place.
    """
    layout = format_of(b, x)
    bits = bits_of(b, x)
    lowest = b.const(SQRT_HALF_BITS[layout.name], bits)
    moved = b.add(bits, b.const(layout.one_bits - SQRT_HALF_BITS[layout.name], bits))
    field = b.bit_and(moved, b.const(layout.exponent_mask, bits))
    exponent = b.shift_right(field, b.const(layout.fraction_bits, bits))
    counter = b.const_bits(layout.fraction_bits + layout.bias << layout.fraction_bits, x)
    k = b.sub(b.bitcast(b.bit_or(exponent, bits_of(b, counter)), layout.name), offset)
    fraction = b.bit_and(moved, b.const(layout.fraction_mask, bits))
    m = b.bitcast(b.add(fraction, lowest), layout.name)
    return k, b.sub(m, b.const(1.0, x)), field


def decompose(b: Builder[V], x: V) -> tuple[V, V]:
    """`(k, f)` with x = 2**k * (1 + f), for positive x, subnormal too: 11 operations."""
    layout = format_of(b, x)
    lift = layout.fraction_bits + 1
    counter = 2.0**layout.fraction_bits + layout.bias
    subnormal = b.less(x, b.const(layout.smallest_normal, x))
    scaled = b.select(subnormal, b.mul(x, b.const(2.0**lift, x)), x)
    offset = b.select(subnormal, b.const(counter + lift, x), b.const(counter, x))
    k, f, _ = split_exponent(b, scaled, offset)
    return k, f


def log_tail(b: Builder[V], f: V) -> V:
    """log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    if b.dtype(f) == "f32":
        inner = b.fma(f, estrin(b, f, LOG_DIRECT["f32"]), b.const(-0.5, f))
        return b.mul(b.mul(f, f), inner)
    s = b.div(f, b.add(f, b.const(2.0, f)))
    z = b.mul(s, s)
    half_square = b.mul(b.mul(f, b.const(0.5, f)), f)
    series = b.fma(z, estrin(b, z, LOG["f64"]), half_square)
    return b.fma(s, series, b.neg(half_square))


def log_from_parts(b: Builder[V], k: V, f: V, low: V | None = None) -> V:
    """k*ln2 + log(1 + f + low), the leading sum compensated."""
    high_part, low_part = LN2[b.dtype(f)]
    tail = b.fma(k, b.const(low_part, f), log_tail(b, f))
    if low is not None:
        tail = b.add(tail, low)
    high = b.fma(k, b.const(high_part, f), f)
    lost = b.sub(f, b.fma(k, b.const(-high_part, f), high))
    return b.add(high, b.add(lost, tail))


def with_log_limits(b: Builder[V], x: V, value: V) -> V:
    """`value` for 0 < x < inf; -inf at 0, NaN below, and x itself for inf and NaN."""
    zero = b.const(0.0, x)
    outside = b.select(b.equal(x, zero), b.neg(infinity(b, x)), nan(b, x))
    value = b.select(b.greater(x, zero), value, outside)
    return b.select(b.less(x, infinity(b, x)), value, x)


def log(b: Builder[V], x: V) -> V:
    """Natural logarithm; 37 (f32) or 41 (f64) operations, one division in f64."""
    return with_log_limits(b, x, log_from_parts(b, *decompose(b, x)))


def _log_in_base(b: Builder[V], x: V, unit: tuple[float, ...], two: tuple[float, ...] | None) -> V:
    """log(x) times `unit` (two parts); `two` is the logarithm of 2 (two parts), None for 1."""
    k, f = decompose(b, x)
    high, low = fast_two_sum(b, f, log_tail(b, f))
    scaled = b.mul(high, b.const(unit[0], x))
    rest = b.fma(high, b.const(unit[0], x), b.neg(scaled))
    rest = b.fma(low, b.const(unit[0], x), b.fma(high, b.const(unit[1], x), rest))
    if two is not None:
        rest = b.fma(k, b.const(two[1], x), rest)
        k = b.mul(k, b.const(two[0], x))
    total, lost = fast_two_sum(b, k, scaled)
    return with_log_limits(b, x, b.add(total, b.add(lost, rest)))


def log2(b: Builder[V], x: V) -> V:
    """Logarithm to base 2, exact for powers of two.

    44 (f32) or 48 (f64) operations, one division in f64.
    """
    return _log_in_base(b, x, LOG2_E[b.dtype(x)], None)


def log10(b: Builder[V], x: V) -> V:
    """Logarithm to base 10, exact for powers of ten.

    46 (f32) or 50 (f64) operations, one division in f64.
    """
    dtype = b.dtype(x)
    return _log_in_base(b, x, LOG10_E[dtype], LOG10_2[dtype])


def log1p_pair(b: Builder[V], x: V, low: V | None = None, doublings: V | None = None) -> V:
    """log(1 + x + low) + doublings*ln2 for x > -1, without the limits of `with_log_limits`."""
    layout = format_of(b, x)
    one = b.const(1.0, x)
    total, lost = two_sum(b, one, x)
    if low is not None:
        lost = b.add(lost, low)
    counter = b.const(2.0**layout.fraction_bits + layout.bias, x)
    k, f, field = split_exponent(b, total, counter)
    # 2**(1 - k): one more than 2**-k, since k may be as large as bias + 1.
    double = b.bitcast(
        b.sub(b.const(2 * layout.one_bits + (1 << layout.fraction_bits), field), field),
        layout.name,
    )
    half, correction = b.const(0.5, x), b.mul(lost, double)
    whole = b.fma(correction, half, f)
    rest = b.fma(correction, half, b.sub(f, whole))
    if doublings is not None:
        k = b.add(k, doublings)
    return log_from_parts(b, k, whole, rest)


def log1p(b: Builder[V], x: V) -> V:
    """log(1 + x) for small x too; 50 (f32) or 54 (f64) operations, one division in f64."""
    value = with_log_limits(b, b.add(x, b.const(1.0, x)), log1p_pair(b, x))
    value = b.select(b.equal(x, infinity(b, x)), x, value)
    return with_sign_of(b, value, x)
