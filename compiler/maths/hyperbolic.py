"""sinh, cosh, tanh and their inverses in straight-line code.

Takes a builder and an f32 or f64 value; gives the function value.
Must not know what the builder makes of its calls.
Method: with x = n*ln2 + r the addition theorems give sinh and cosh from 2**n, 2**-n and the short
even and odd polynomials of r, without a division and without cancellation near 0.
"""

from __future__ import annotations

from .builder import Builder, V
from .coefficients import COSH, SINH, TANH
from .exponential import expm1_polynomial, reduce_ln2
from .extended import fast_two_sum
from .formats import format_of, infinity, nan, power_of_two, with_sign_of
from .logarithm import log1p_pair
from .polynomial import estrin

SINH_LIMIT = {"f32": 89.6, "f64": 710.7}
TANH_LIMIT = {"f32": 10.0, "f64": 20.0}
TANH_SPLIT = 0.5625


def _sinh_cosh_polynomials(b: Builder[V], r: V) -> tuple[V, V]:
    """sinh(r) and cosh(r) - 1 for |r| <= ln2/2."""
    z = b.mul(r, r)
    sine = b.fma(b.mul(r, z), estrin(b, z, SINH[b.dtype(r)]), r)
    return sine, b.mul(z, estrin(b, z, COSH[b.dtype(r)]))


def _quarter_powers(b: Builder[V], shifted: V, like: V) -> tuple[V, V]:
    """2**(n - 2) and 2**(-n - 2), the latter flushed to zero where it is subnormal; n >= 0."""
    layout = format_of(b, like)
    grown = power_of_two(b, b.sub(shifted, b.const(2, shifted)), like)
    bits = b.bitcast(grown, layout.integer)
    mirrored = b.sub(b.const(2 * layout.one_bits - (4 << layout.fraction_bits), bits), bits)
    zero = b.const(0, bits)
    mirrored = b.select(b.less(mirrored, zero), zero, mirrored)
    return grown, b.bitcast(mirrored, layout.name)


def _halves(b: Builder[V], x: V) -> tuple[V, V, V, V]:
    """Half of sinh(n*ln2) and cosh(n*ln2), then sinh(r) and cosh(r) - 1, for |x| = n*ln2 + r."""
    a = b.abs(x)
    limit = b.const(SINH_LIMIT[b.dtype(x)], x)
    a = b.select(b.less(limit, a), limit, a)
    _, shifted, r = reduce_ln2(b, a)
    grown, shrunk = _quarter_powers(b, shifted, x)
    return (b.sub(grown, shrunk), b.add(grown, shrunk), *_sinh_cosh_polynomials(b, r))


def sinh(b: Builder[V], x: V) -> V:
    """Hyperbolic sine; 31 (f32) or 39 (f64) operations."""
    difference, total, odd, even = _halves(b, x)
    half = b.add(difference, b.fma(total, odd, b.mul(difference, even)))
    value = with_sign_of(b, b.add(half, half), x)
    tiny = b.less(b.abs(x), b.const(format_of(b, x).epsilon, x))
    return b.select(tiny, x, value)


def cosh(b: Builder[V], x: V) -> V:
    """Hyperbolic cosine; 26 (f32) or 34 (f64) operations."""
    difference, total, odd, even = _halves(b, x)
    half = b.add(total, b.fma(total, even, b.mul(difference, odd)))
    return b.add(half, half)


def tanh(b: Builder[V], x: V) -> V:
    """Hyperbolic tangent; 34 (f32) or 46 (f64) operations, one division.

    An odd polynomial below TANH_SPLIT, above it 1 - 2/(exp(2*a) + 1), limited where that is 1.
    """
    dtype = b.dtype(x)
    a, one, limit = b.abs(x), b.const(1.0, x), b.const(TANH_LIMIT[dtype], x)
    z = b.mul(x, x)
    near = b.fma(b.mul(a, z), estrin(b, z, TANH[dtype]), a)
    bounded = b.select(b.less(limit, a), limit, a)
    _, shifted, r = reduce_ln2(b, b.add(bounded, bounded))
    power = power_of_two(b, shifted, x)
    below = b.fma(expm1_polynomial(b, r), power, b.add(power, one))
    far = b.sub(one, b.div(b.const(2.0, x), below))
    value = b.select(b.less(a, b.const(TANH_SPLIT, x)), near, far)
    return with_sign_of(b, value, x)


def asinh(b: Builder[V], x: V) -> V:
    """Inverse hyperbolic sine.

    57 (f32) or 61 (f64) operations, one sqrt, one division (two in f64).
    log1p(a + a*a/(1 + sqrt(a*a + 1))); where a*a would overflow, log(a) + ln2.
    """
    layout = format_of(b, x)
    a, one = b.abs(x), b.const(1.0, x)
    huge = b.greater(a, b.const(2.0 ** (layout.fraction_bits + 3), x))
    square = b.mul(a, a)
    root = b.sqrt(b.add(square, one))
    term = b.div(square, b.add(root, one))
    high, low = fast_two_sum(b, a, term)
    zero = b.const(0.0, x)
    high, low = b.select(huge, a, high), b.select(huge, zero, low)
    value = log1p_pair(b, high, low, b.select(huge, one, zero))
    value = b.select(b.less(a, infinity(b, x)), value, a)
    return with_sign_of(b, value, x)


def acosh(b: Builder[V], x: V) -> V:
    """Inverse hyperbolic cosine, NaN below 1.

    59 (f32) or 63 (f64) operations, one sqrt, one division in f64.
    With t = x - 1: log1p(t + sqrt(t*(t + 2))); where the product would overflow, log(x) + ln2.
    """
    layout = format_of(b, x)
    one, zero = b.const(1.0, x), b.const(0.0, x)
    huge = b.greater(x, b.const(2.0 ** (layout.fraction_bits + 3), x))
    t = b.sub(x, one)
    root = b.sqrt(b.fma(t, t, b.add(t, t)))
    small, large = b.select(b.less(t, root), t, root), b.select(b.less(t, root), root, t)
    high, low = fast_two_sum(b, large, small)
    high, low = b.select(huge, x, high), b.select(huge, zero, low)
    value = log1p_pair(b, high, low, b.select(huge, one, zero))
    value = b.select(b.less(x, one), nan(b, x), value)
    return b.select(b.less(x, infinity(b, x)), value, x)


def atanh(b: Builder[V], x: V) -> V:
    """Inverse hyperbolic tangent, NaN outside [-1, 1].

    60 (f32) or 64 (f64) operations, one division (two in f64). Half of
    log1p(2*a/(1 - a)), the quotient with its remainder.
    """
    a, one = b.abs(x), b.const(1.0, x)
    u = b.sub(one, a)
    u_low = b.sub(b.sub(one, u), a)
    doubled, inverse = b.add(a, a), b.div(one, u)
    t = b.mul(doubled, inverse)
    rest = b.fma(b.neg(t), u_low, b.fma(b.neg(t), u, doubled))
    value = b.mul(log1p_pair(b, t, b.mul(rest, inverse)), b.const(0.5, x))
    tiny = b.less(a, b.const(format_of(b, x).epsilon, x))
    value = b.select(tiny, a, value)
    limit = b.select(b.equal(a, one), infinity(b, x), nan(b, x))
    return with_sign_of(b, b.select(b.less(a, one), value, limit), x)
