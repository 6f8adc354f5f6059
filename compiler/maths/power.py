"""pow, cbrt, hypot and rsqrt in straight-line code.

Takes a builder and f32 or f64 values; gives the function value.
Must not know what the builder makes of its calls.
"""

from __future__ import annotations

from .builder import Builder, V
from .coefficients import LOG2_WIDE
from .constants import TWO_LOG2_E, TWO_THIRDS_LOG2_E
from .exponential import EXP2_RANGE, exp2_reduced
from .extended import fast_two_sum, mul_pair, square_pair, two_prod
from .formats import bits_of, clamp, flip_sign, format_of, infinity, nan, sign_bits, with_sign_of
from .logarithm import decompose
from .polynomial import estrin


def log2_pair(b: Builder[V], x: V) -> tuple[V, V]:
    """log2 of positive finite x as a pair with some 13 bits beyond the format; one division.

    With s = f/(2 + f): s*(c0 + z*(c1 + z*P(z))), z = s*s, where only P is evaluated singly.
    """
    dtype = b.dtype(x)
    k, f = decompose(b, x)
    denominator, denominator_low = fast_two_sum(b, b.const(2.0, x), f)
    inverse = b.div(b.const(1.0, x), denominator)
    s = b.mul(f, inverse)
    minus = b.neg(s)
    rest = b.fma(minus, denominator_low, b.fma(minus, denominator, f))
    s_pair = (s, b.mul(rest, inverse))
    z = square_pair(b, s_pair)
    c0, c1 = TWO_LOG2_E[dtype], TWO_THIRDS_LOG2_E[dtype]
    series = b.mul(z[0], estrin(b, z[0], LOG2_WIDE[dtype]))
    high, low = fast_two_sum(b, b.const(c1[0], x), series)
    high, low = mul_pair(b, z, (high, b.add(low, b.const(c1[1], x))))
    high, lost = fast_two_sum(b, b.const(c0[0], x), high)
    high, low = mul_pair(b, s_pair, (high, b.add(lost, b.add(low, b.const(c0[1], x)))))
    total, lost = fast_two_sum(b, k, high)
    return fast_two_sum(b, total, b.add(lost, low))


def _power_of_magnitude(b: Builder[V], a: V, y: V) -> V:
    """a**y for a >= 0 or NaN, where the product y*log2(a) is not 0*inf."""
    dtype = b.dtype(a)
    zero, endless = b.const(0.0, a), infinity(b, a)
    high, low = log2_pair(b, a)
    high = b.select(b.greater(a, zero), high, b.neg(endless))
    high = b.select(b.less(a, endless), high, a)
    product, rest = two_prod(b, y, high)
    rest = b.fma(y, low, rest)
    lowest, highest = EXP2_RANGE[dtype]
    within = b.less(b.abs(product), b.const(2.0 * highest, a))
    rest = b.select(within, rest, zero)  # also drops what 0 and inf left in it
    return exp2_reduced(b, clamp(b, product, lowest, highest), rest)


def pow(b: Builder[V], x: V, y: V) -> V:
    """x**y with every special case of IEEE 754-2019 §9.2.1 (C99 pow).

    1 where x is 1 or y is 0, even for NaN; NaN for finite negative x and non-integer y.
    127 (f32) or 139 (f64) operations, one division.
    """
    one, zero = b.const(1.0, x), b.const(0.0, x)
    a = b.abs(x)
    value = _power_of_magnitude(b, a, y)
    always_one = b.bit_or(b.equal(x, one), b.equal(y, zero))
    # |x| = 1 and infinite y is 0*inf in the exponent.
    unit = b.bit_and(b.equal(a, one), b.equal(y, y))
    value = b.select(b.bit_or(always_one, unit), one, value)
    integral = b.equal(b.trunc(y), y)
    half = b.mul(y, b.const(0.5, x))
    odd = b.bit_and(integral, b.not_equal(b.trunc(half), half))
    signs = sign_bits(b, x)
    value = flip_sign(b, value, b.select(odd, signs, b.const(0, signs)))
    finite_negative = b.bit_and(b.less(x, zero), b.less(a, infinity(b, x)))
    undefined = b.bit_and(finite_negative, b.bit_not(integral))
    return b.select(undefined, nan(b, x), value)


CBRT_SHIFT = {"f32": 8, "f64": 32}


def _inverse_cbrt_guess(b: Builder[V], a: V) -> V:
    """a**(-1/3) within 3.6 % for normal a: minus a third of the leading bits, plus a constant.

    The bits are turned into a number by placing them in the fraction of 2**fraction_bits, whose
    unit in the last place is 1, so that the same addition rounds back to an integer.
    """
    layout = format_of(b, a)
    shift = CBRT_SHIFT[layout.name]
    bits = bits_of(b, a)
    base = 2.0**layout.fraction_bits
    base_bits = b.const(layout.fraction_bits + layout.bias << layout.fraction_bits, bits)
    leading = b.shift_right(bits, b.const(shift, bits))
    number = b.sub(b.bitcast(b.bit_or(leading, base_bits), layout.name), b.const(base, a))
    unit = 2.0 ** (layout.fraction_bits - shift)
    # 0.068 levels the error of taking the bits for a logarithm.
    offset = float(round(unit * (4.0 / 3.0 * layout.bias - 0.068)))
    guess = b.fma(number, b.const(-1.0 / 3.0, a), b.const(base + offset, a))
    return b.bitcast(b.shift_left(bits_of(b, guess), b.const(shift, bits)), layout.name)


def _refine_inverse_cbrt(b: Builder[V], a: V, y: V) -> V:
    """One step of fourth order for a**(-1/3) from e = 1 - a*y**3."""
    e = b.fma(b.neg(b.mul(a, y)), b.mul(y, y), b.const(1.0, a))
    series = b.fma(e, b.const(14.0 / 81.0, a), b.const(2.0 / 9.0, a))
    series = b.fma(e, series, b.const(1.0 / 3.0, a))
    return b.fma(b.mul(y, e), series, y)


def cbrt(b: Builder[V], x: V) -> V:
    """Cube root, also of negative and subnormal numbers, without division.

    33 (f32) or 41 (f64) operations. Newton's method for a**(-1/3) (Muller, "Elementary
    Functions", §5.6), then one step on the root itself with an exact residual.
    """
    layout = format_of(b, x)
    a = b.abs(x)
    third = layout.fraction_bits + 1
    tiny = b.less(a, b.const(2.0 ** -(layout.bias // 2), x))  # so that no residual underflows
    scaled = b.select(tiny, b.mul(a, b.const(2.0 ** (3 * third), x)), a)
    y = _refine_inverse_cbrt(b, scaled, _inverse_cbrt_guess(b, scaled))
    if layout.name == "f64":
        y = _refine_inverse_cbrt(b, scaled, y)
    square = b.mul(y, y)
    root = b.mul(scaled, square)
    power, power_low = two_prod(b, root, root)
    excess = b.fma(power_low, root, b.fma(power, root, b.neg(scaled)))
    root = b.fma(b.mul(excess, b.const(-1.0 / 3.0, x)), square, root)
    root = b.select(tiny, b.mul(root, b.const(2.0**-third, x)), root)
    return with_sign_of(b, b.select(b.less(a, infinity(b, x)), root, a), x)


def hypot(b: Builder[V], x: V, y: V) -> V:
    """sqrt(x*x + y*y) without needless overflow or underflow; inf if either is infinite.

    21 (f32) or 21 (f64) operations, one sqrt. Large and small operands are first brought near 1
    by a power of two.
    """
    layout = format_of(b, x)
    p, q = b.abs(x), b.abs(y)
    swap = b.less(p, q)
    large, small = b.select(swap, q, p), b.select(swap, p, q)
    one = b.const(1.0, x)
    shift = 3 * layout.bias // 4
    down, up = b.const(2.0**-shift, x), b.const(2.0**shift, x)
    is_big = b.greater(large, b.const(2.0 ** (layout.bias // 2 - 1), x))
    is_small = b.less(large, b.const(2.0 ** -(layout.bias // 3), x))
    scale = b.select(is_big, down, b.select(is_small, up, one))
    back = b.select(is_big, up, b.select(is_small, down, one))
    large, small = b.mul(large, scale), b.mul(small, scale)
    value = b.mul(b.sqrt(b.fma(large, large, b.mul(small, small))), back)
    endless = infinity(b, x)
    infinite = b.bit_or(b.equal(p, endless), b.equal(q, endless))
    return b.select(infinite, endless, value)


def rsqrt(b: Builder[V], x: V) -> V:
    """1/sqrt(x): inf with the sign of a zero, 0 at inf, NaN below 0.

    2 (f32) or 2 (f64) operations, one sqrt, one division.
    """
    return b.div(b.const(1.0, x), b.sqrt(x))
