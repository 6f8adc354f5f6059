"""erf, erfc, erfinv and ndtri in straight-line code.

Takes a builder and an f32 or f64 value; gives the function value.
Must not know what the builder makes of its calls.
Sources of the forms: Shepherd & Laframboise 1981 (a rational variable for exp(a*a)*erfc(a)); Giles,
"Approximating the erfinv function", 2010. The polynomials are fitted here.
"""

from __future__ import annotations

import math

from .builder import Builder, V
from .coefficients import (
    ERF,
    ERF_TAIL,
    ERFC_TAIL,
    ERFINV_CENTRE,
    ERFINV_EDGE,
    ERFINV_MIDDLE,
    EXP,
    NDTRI_TAIL,
)
from .constants import LN2, LOG2_E
from .exponential import expm1_polynomial, reduce_ln2
from .extended import two_prod
from .formats import (
    format_of,
    infinity,
    nan,
    power_of_two,
    round_shifted,
    scale_in_two,
    with_sign_of,
)
from .logarithm import decompose, log_from_parts, split_exponent
from .polynomial import estrin, estrin_pair

ERF_SPLIT = 0.875
ERF_LIMIT = {"f32": 3.9375, "f64": 5.9375}
ERFC_LIMIT = {"f32": 10.1875, "f64": 27.375}
ERFC_SHIFT, ERFC_CENTRE = 1.5, 0.21875


def _limited(b: Builder[V], a: V, limits: dict[str, float]) -> V:
    limit = b.const(limits[b.dtype(a)], a)
    return b.select(b.less(limit, a), limit, a)


def erf(b: Builder[V], x: V) -> V:
    """Error function; 42 (f32) or 67 (f64) operations.

    x + x*P(x*x) below ERF_SPLIT; 1 - exp(P(a)) above it, up to the limit where that is 1.
    """
    dtype = b.dtype(x)
    a, one = b.abs(x), b.const(1.0, x)
    near = b.fma(a, estrin(b, b.mul(x, x), ERF[dtype]), a)
    _, shifted, r = reduce_ln2(b, estrin(b, _limited(b, a, ERF_LIMIT), ERF_TAIL[dtype]))
    power = power_of_two(b, shifted, x)
    far = b.fma(b.neg(power), expm1_polynomial(b, r), b.sub(one, power))
    value = b.select(b.less(a, b.const(ERF_SPLIT, x)), near, far)
    return with_sign_of(b, value, x)


def _erfcx_pair(b: Builder[V], a: V) -> tuple[V, V, V]:
    """`(high, low, relative)`: exp(a*a)*erfc(a) = (high + low)*(1 + relative), a >= ERF_SPLIT.

    `relative` is what the rounding of t = 1/(a + 1.5) cost, to first order: the logarithmic
    derivative by t is near 1 + 1.5*t.
    """
    one, shift = b.const(1.0, a), b.const(ERFC_SHIFT, a)
    denominator = b.add(a, shift)
    lost = b.sub(shift, b.sub(denominator, a))
    t = b.div(one, denominator)
    minus = b.neg(t)
    rest = b.fma(minus, lost, b.fma(minus, denominator, one))
    offset = b.sub(t, b.const(ERFC_CENTRE, a))
    factor, factor_low = estrin_pair(b, offset, ERFC_TAIL[b.dtype(a)])
    high = b.mul(t, factor)
    low = b.fma(t, factor_low, b.fma(t, factor, b.neg(high)))
    return high, low, b.mul(rest, b.fma(t, shift, one))


def _erfc_tail(b: Builder[V], a: V) -> V:
    """erfc(a) for a >= ERF_SPLIT: exp(-a*a), reduced with the low part of the square, times erfcx.

    The leading 1 of the exponential stays apart until the last product.
    """
    dtype = b.dtype(a)
    a = _limited(b, a, ERFC_LIMIT)
    high, low, relative = _erfcx_pair(b, a)
    square = b.mul(a, a)
    square_low = b.fma(a, a, b.neg(square))
    n, shifted = round_shifted(b, square, -LOG2_E[dtype][0])
    high_part, low_part = LN2[dtype]
    exact = b.sub(b.neg(square), b.mul(n, b.const(high_part, a)))
    moved = b.fma(n, b.const(low_part, a), square_low)
    r = b.sub(exact, moved)
    r_low = b.sub(b.sub(exact, r), moved)
    growth = b.fma(b.mul(r, r), estrin(b, r, EXP[dtype]), b.add(r_low, relative))
    value = b.add(high, b.fma(high, b.add(r, growth), low))
    return scale_in_two(b, value, n, shifted)


def erfc(b: Builder[V], x: V) -> V:
    """1 - erf(x) without cancellation, down to subnormal results.

    80 (f32) or 107 (f64) operations, one division.
    """
    a, one = b.abs(x), b.const(1.0, x)
    factor, _ = estrin_pair(b, b.mul(x, x), ERF[b.dtype(x)])
    near = b.fma(b.neg(x), factor, b.sub(one, x))
    tail = _erfc_tail(b, a)
    far = b.select(b.less(x, b.const(0.0, x)), b.sub(b.const(2.0, x), tail), tail)
    return b.select(b.less(a, b.const(ERF_SPLIT, x)), near, far)


def _erfinv_factor(b: Builder[V], w: V, root: V) -> tuple[V, V]:
    """`(high, low)`: erfinv(x)/x for w = -log(1 - x*x) up to 16 (f32) or 36 (f64), root = √w."""
    dtype = b.dtype(w)
    is_f64 = dtype == "f64"
    centre = b.sub(w, b.const(3.125 if is_f64 else 2.5, w))
    middle = b.sub(root, b.const(3.25 if is_f64 else 3.125, w))
    inner = estrin_pair(b, centre, ERFINV_CENTRE[dtype])
    outer = estrin_pair(b, middle, ERFINV_MIDDLE[dtype])
    if is_f64:
        edge = estrin_pair(b, b.sub(root, b.const(5.0, w)), ERFINV_EDGE["f64"])
        far = b.less(b.const(16.0, w), w)
        outer = (b.select(far, edge[0], outer[0]), b.select(far, edge[1], outer[1]))
    near = b.less(w, b.const(6.25 if is_f64 else 5.0, w))
    return b.select(near, inner[0], outer[0]), b.select(near, inner[1], outer[1])


def erfinv(b: Builder[V], x: V) -> V:
    """Inverse of erf; infinite at -1 and 1, NaN beyond.

    73 (f32) or 131 (f64) operations, one sqrt, one division in f64. x times a polynomial in
    w = -log(1 - x*x), or in sqrt(w) for larger w; 1 - x*x is rounded once.
    """
    layout = format_of(b, x)
    one = b.const(1.0, x)
    counter = b.const(2.0**layout.fraction_bits + layout.bias, x)
    k, f, _ = split_exponent(b, b.fma(b.neg(x), x, one), counter)
    w = b.neg(log_from_parts(b, k, f))
    high, low = _erfinv_factor(b, w, b.sqrt(w))
    a = b.abs(x)
    product, rest = two_prod(b, a, high)
    value = b.add(product, b.fma(a, low, rest))
    limit = b.select(b.equal(a, one), infinity(b, x), nan(b, x))
    return with_sign_of(b, b.select(b.less(a, one), value, limit), x)


SQRT_2 = math.sqrt(2.0)
NDTRI_TAIL_FROM = {"f32": 4.0, "f64": 6.0}
NDTRI_CENTRE = {"f32": 0.171875, "f64": 0.1015625}


def ndtri(b: Builder[V], p: V) -> V:
    """Where the normal distribution reaches p: -inf at 0, inf at 1, NaN outside of [0, 1].

    98 (f32) or 174 (f64) operations. As √2·erfinv(2p - 1), from p itself: with
    a = min(p, 1 - p) no digit of a small p is lost, down to the smallest. With
    w = -log(4a(1 - a)), the far tail is a polynomial in 1/√w.
    """
    dtype = b.dtype(p)
    one, zero, half = b.const(1.0, p), b.const(0.0, p), b.const(0.5, p)
    below = b.less(p, half)
    a = b.select(below, p, b.sub(one, p))
    w = b.neg(log_from_parts(b, *decompose(b, b.mul(b.mul(a, b.const(4.0, p)), b.sub(one, a)))))
    root = b.sqrt(b.select(b.less(w, zero), zero, w))
    factor, low = _erfinv_factor(b, w, root)
    shifted = b.sub(b.div(one, root), b.const(NDTRI_CENTRE[dtype], p))
    tail = b.mul(root, estrin(b, shifted, NDTRI_TAIL[dtype]))
    far = b.less(b.const(NDTRI_TAIL_FROM[dtype], p), root)
    factor, low = b.select(far, tail, factor), b.select(far, zero, low)
    distance = b.fma(a, b.const(-2.0, p), one)
    product, rest = two_prod(b, distance, factor)
    value = b.mul(b.add(product, b.fma(distance, low, rest)), b.const(SQRT_2, p))
    limit = b.select(b.equal(a, zero), infinity(b, p), nan(b, p))
    value = b.select(b.less(zero, a), value, limit)
    return b.select(below, b.neg(value), value)
