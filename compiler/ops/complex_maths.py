"""Elementary functions of complex numbers, written in functions of their real parts.

Takes: pairs of `Real`s. Gives: pairs. The error is a few units in the last place of |result|, and
nothing overflows on the way where the result does not. Branch cuts and most infinities and zeros
are those of C's Annex G. Must not know: records, how real functions are approximated.

Sources: W. Kahan, "Branch cuts for complex elementary functions, or much ado about nothing's sign
bit" (1987) for the inverse functions; ISO C 2011, Annex G for values at infinity.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..opdef import OPS
from ..types import DType, i32, i64
from .pairs import Complex, Formula, Real, finite, infinite

INF = math.inf
LN2 = math.log(2)


class _Limits(NamedTuple):
    """Bounds of a float type: `exp_big` is below log(largest), `exp(shift)` is finite and x − shift
    exact beyond it; `flat`: tanh is 1 from there; the rest are powers of two.
    """

    exp_big: float
    shift: float
    flat: float
    large: float
    huge: float
    small: float
    scale: float  # an even power of two
    bias: int
    mantissa: int  # bits


_LIMITS = {
    "f32": _Limits(88.0, 64.0, 10.0, 2.0**60, 2.0**124, 2.0**-100, 2.0**60, 127, 23),
    "f64": _Limits(709.0, 512.0, 22.0, 2.0**500, 2.0**1020, 2.0**-960, 2.0**120, 1023, 52),
}


def _limits(x: Real) -> _Limits:
    return _LIMITS[x.dtype.name]


# -- arithmetic ------------------------------------------------------------------------------
def multiply(z: Complex, w: Complex) -> Complex:
    """The plain product, as NumPy's: infinities may give NaN."""
    (a, b), (c, d) = z, w
    return a * c - b * d, a * d + b * c


def _bits(x: Real, dtype: DType) -> Real:
    return Real(x.b, OPS["bitcast"](x.b, x.value, dtype=dtype))


def _exponent(x: Real) -> Real:
    """The biased exponent of x ≥ 0 as an integer, 1 for subnormals, at most 2 · bias − 1."""
    lim = _limits(x)
    bits = _bits(x, i32 if x.dtype.bits == 32 else i64)
    return bits.shift_right(lim.mantissa).maximum(1).minimum(2 * lim.bias - 1)


def _power_of_two(exponent: Real, dtype: DType) -> Real:
    """2 to a biased exponent that is in range."""
    mantissa = _LIMITS[dtype.name].mantissa
    return _bits(exponent.shift_left(mantissa), dtype)


def _boxed(part: Real) -> Real:
    """An infinite part as ±1, a finite one as ±0."""
    return infinite(part).then(1.0, part.like(0.0)).copysign(part)


def _scaled(z: Complex) -> tuple[Complex, Real, Real]:
    """z times the power of two that makes its larger part about 1, the biased exponent of the
    inverse power, and where z is infinite; infinities become ±1 beside ±0.
    """
    a, b = z
    exponent = _exponent(a.abs().maximum(b.abs()))
    scale = _power_of_two(2 * _limits(a).bias - exponent, a.dtype)
    endless = infinite(a) | infinite(b)
    a, b = (endless.then(_boxed(x), x * scale) for x in (a, b))
    return (a, b), exponent, endless


def divide(z: Complex, w: Complex) -> Complex:
    """z / w with both scaled by powers of two, so that the squares of w neither overflow nor
    vanish. Infinities and zeros as in C's Annex G: finite / infinite is 0, infinite / finite is
    infinite, and a number over 0 is infinite.
    """
    bias, dtype = _limits(z[0]).bias, z[0].dtype
    (a, b), up, z_endless = _scaled(z)
    (c, d), down, w_endless = _scaled(w)
    square = c * c + d * d
    c = square.equals(0.0).then(c.like(1.0).copysign(c), c)  # the sign of x / ±0
    rest = up - down
    first = rest.shift_right(1)
    factors = [_power_of_two((n + bias).maximum(1), dtype) for n in (first, rest - first)]
    limit = z_endless.then(w_endless.then(math.nan, a.like(INF)), 0.0)
    special = z_endless | w_endless

    def finished(part: Real) -> Real:
        quotient = part / square
        return special.then(quotient * limit, quotient * factors[0] * factors[1])

    return finished(a * c + b * d), finished(b * c - a * d)


def reciprocal(z: Complex) -> Complex:
    """1 / z."""
    x, _ = z
    return divide((x.like(1.0), x.like(0.0)), z)


# -- exponentials ------------------------------------------------------------------------------
def _beyond(x: Real) -> tuple[Real, Real, Real]:
    """Where e^x overflows or nearly so, x without what would, and the factor to make up for it."""
    lim = _limits(x)
    big = x > lim.exp_big
    return big, big.then(x - lim.shift, x), big.then(math.exp(lim.shift), x.like(1.0))


def exp(z: Complex) -> Complex:
    """e^x (cos y + i sin y)."""
    x, y = z
    _, lower, factor = _beyond(x)
    size = lower.exp()
    wild = ~finite(y)
    nothing, endless = wild & x.equals(-INF), wild & x.equals(INF)
    re = endless.then(INF, nothing.then(0.0, size * y.cos() * factor))
    im = nothing.then(0.0, size * y.sin() * factor)
    return re, y.equals(0.0).then(y, im)


def expm1(z: Complex) -> Complex:
    """e^z − 1: near 0 its real part is (e^x − 1) cos y − 2 sin²(y / 2)."""
    x, y = z
    re, im = exp(z)
    half = (y * 0.5).sin()
    near = x.expm1() * y.cos() - 2.0 * half * half
    return (x > 30.0).then(re - 1.0, (x.equals(-INF)).then(-1.0, near)), im


def sinh(z: Complex) -> Complex:
    """sinh x cos y + i cosh x sin y."""
    x, y = z
    big, lower, factor = _beyond(x.abs())
    tail = lower.exp() * 0.5
    odd = big.then(tail.copysign(x), x.sinh())
    even = big.then(tail, x.cosh())
    wild = ~finite(y)
    re = (wild & x.equals(0.0)).then(x, (wild & infinite(x)).then(x, odd * y.cos() * factor))
    return re, y.equals(0.0).then(y, even * y.sin() * factor)


def cosh(z: Complex) -> Complex:
    """cosh x cos y + i sinh x sin y."""
    x, y = z
    big, lower, factor = _beyond(x.abs())
    tail = lower.exp() * 0.5
    odd = big.then(tail.copysign(x), x.sinh())
    even = big.then(tail, x.cosh())
    wild = ~finite(y)
    re = (wild & infinite(x)).then(INF, even * y.cos() * factor)
    im = y.equals(0.0).then(y * x.like(1.0).copysign(x), odd * y.sin() * factor)
    return re, (wild & x.equals(0.0)).then(x, im)


def tanh(z: Complex) -> Complex:
    """(sinh x cosh x + i sin y cos y) / (sinh² x + cos² y), whose terms do not cancel."""
    x, y = z
    flat = _limits(x).flat
    near = x.maximum(-flat).minimum(flat)
    odd, even, sine, cosine = near.sinh(), near.cosh(), y.sin(), y.cos()
    square = odd * odd + cosine * cosine
    far = x.abs() > flat
    re = far.then(x.like(1.0).copysign(x), odd * even / square)
    faded = 4.0 * sine * cosine * (-2.0 * x.abs()).exp()
    im = far.then(faded, sine * cosine / square)
    wild = ~finite(y)
    im = (wild & infinite(x)).then(0.0, im)
    re = (wild & finite(x)).then(x.equals(0.0).then(x, x.like(math.nan)), re)
    return re, y.equals(0.0).then(y, im)


def _turned(z: Complex) -> Complex:
    """i z."""
    x, y = z
    return -y, x


def _turned_back(z: Complex) -> Complex:
    """z / i."""
    x, y = z
    return y, -x


def sin(z: Complex) -> Complex:
    """−i sinh(i z)."""
    return _turned_back(sinh(_turned(z)))


def cos(z: Complex) -> Complex:
    """cosh(i z)."""
    return cosh(_turned(z))


def tan(z: Complex) -> Complex:
    """−i tanh(i z)."""
    return _turned_back(tanh(_turned(z)))


# -- roots and logarithms ------------------------------------------------------------------------
def sqrt(z: Complex) -> Complex:
    """The root whose real part is not negative: t = √((|x| + |z|) / 2) and |y| / 2t, scaled so that
    |z| neither overflows nor loses bits.
    """
    x, y = z
    lim = _limits(x)
    width, height = x.abs(), y.abs()
    size = width.maximum(height)
    huge, small = size > lim.huge, size < lim.small
    scale = huge.then(0.0625, small.then(lim.scale, x.like(1.0)))
    back = huge.then(4.0, small.then(lim.scale**-0.5, x.like(1.0)))
    width, scaled = width * scale, height * scale
    t = ((width + width.hypot(scaled)) * 0.5).sqrt()
    u = size.equals(0.0).then(0.0, scaled / (2.0 * t)) * back
    t = t * back
    endless = height.equals(INF)
    t, u = endless.then(INF, t), endless.then(INF, u)
    left = x < 0.0
    return left.then(u, t), left.then(t, u).copysign(y)


def rsqrt(z: Complex) -> Complex:
    """1 / √z."""
    return reciprocal(sqrt(z))


def _two_sum(x: Real, y: Real) -> tuple[Real, Real]:
    """x + y rounded, and what the rounding took (D. Knuth, TAOCP 2, §4.2.2)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def _excess(first: Real, x: Real, y: Real) -> Real:
    """first + x² + y², where the three nearly cancel: products and sums with their roundings."""
    xx, yy = x * x, y * y
    rest = x.fma(x, -xx) + y.fma(y, -yy)
    total, lost = _two_sum(first, xx)
    total, more = _two_sum(total, yy)
    return total + (lost + more + rest)


def _log_size(x: Real, y: Real) -> Real:
    """log √(x² + y²), relatively accurate also near 1, where it is ½ log1p(x² + y² − 1)."""
    width, height = x.abs(), y.abs()
    large, little = width.maximum(height), width.minimum(height)
    near = (large > 0.5) & (large < 2.0)
    ratio = large.equals(little).then(1.0, little / large)
    grown = near.then(_excess(large.like(-1.0), large, little), ratio * ratio)
    base = near.then(0.0, large.log())
    return (infinite(x) | infinite(y)).then(INF, base + 0.5 * grown.log1p())


def log(z: Complex) -> Complex:
    """log |z| + i arg z."""
    x, y = z
    return _log_size(x, y), y.atan2(x)


def log_to_base(base: float) -> Formula:
    """The logarithm to another base."""

    def formula(z: Complex) -> Complex:
        re, im = log(z)
        return re * (1 / math.log(base)), im * (1 / math.log(base))

    return formula


def log1p(z: Complex) -> Complex:
    """log(1 + z), with ½ log1p(2x + x² + y²) for small z."""
    x, y = z
    small = (x.abs() < 0.5) & (y.abs() < 0.5)
    near = 0.5 * _excess(x + x, x, y).log1p()
    return small.then(near, _log_size(1.0 + x, y)), y.atan2(1.0 + x)


def power(z: Complex, w: Complex) -> Complex:
    """exp(w log z); 1 for w = 0, 0 for z = 0 where w has a positive real part."""
    (x, y), (c, d) = z, w
    zero_base, zero = x.equals(0.0) & y.equals(0.0), c.equals(0.0) & d.equals(0.0)
    re, im = exp(multiply(w, log(z)))
    vanishes = (c > 0.0).then(0.0, c.like(math.nan))
    re = zero.then(1.0, zero_base.then(vanishes, re))
    return re, zero.then(0.0, zero_base.then(vanishes, im))


# -- inverse functions ---------------------------------------------------------------------------
def _log_of_double(x: Real, y: Real) -> Real:
    """log |2z| for large z."""
    return (x * 0.5).hypot(y * 0.5).log() + 2 * LN2


def _is_large(x: Real, y: Real) -> Real:
    large = _limits(x).large
    return (x.abs() > large) | (y.abs() > large)


def acos(z: Complex) -> Complex:
    """2 arctan(Re √(1−z) / Re √(1+z)) + i asinh(Im(√(1+z)* √(1−z)))."""
    x, y = z
    a, b = sqrt((1.0 - x, -y))
    c, d = sqrt((1.0 + x, y))
    far = _is_large(x, y)
    re = far.then(y.abs().atan2(x), 2.0 * a.atan2(c))
    re = x.equals(0.0).then(math.pi / 2, re)
    im = far.then(_log_of_double(x, y).copysign(-y), (c * b - d * a).asinh())
    return re, im


def asinh(z: Complex) -> Complex:
    """asinh(Im(√(1−iz)* √(1+iz))) + i arctan(y / Re(√(1−iz) √(1+iz)))."""
    x, y = z
    a, b = sqrt((1.0 + y, -x))
    c, d = sqrt((1.0 - y, x))
    far = _is_large(x, y)
    re = far.then(_log_of_double(x, y).copysign(x), (a * d - c * b).asinh())
    im = y.atan2(far.then(x.abs(), a * c - b * d))
    return re, y.equals(0.0).then(y, im)


def asin(z: Complex) -> Complex:
    """−i asinh(i z)."""
    return _turned_back(asinh(_turned(z)))


def acosh(z: Complex) -> Complex:
    """asinh(Re(√(z−1)* √(z+1))) + 2i arctan(Im √(z−1) / Re √(z+1))."""
    x, y = z
    a, b = sqrt((x - 1.0, y))
    c, d = sqrt((x + 1.0, y))
    far = _is_large(x, y)
    re = far.then(_log_of_double(x, y), (a * c + b * d).asinh())
    im = far.then(y.atan2(x), 2.0 * b.atan2(c))
    return re, x.equals(0.0).then(x.like(math.pi / 2).copysign(y), im)


def atanh(z: Complex) -> Complex:
    """¼ log1p(4x / ((1−x)² + y²)) + ½ i arctan(2y / ((1−x)(1+x) − y²)), on the right half plane;
    it is odd.
    """
    x, y = z
    turn = x.like(1.0).copysign(x)
    width, signed = x.abs(), y * turn
    height = y.abs()
    far = _is_large(x, y)
    length = (width * 0.5).hypot(height * 0.5)
    faded = (infinite(x) | infinite(y)).then(0.0, width * 0.25 / length / length)
    gap = 1.0 - width
    square = gap * gap + height * height
    near = 0.25 * (4.0 * width / square).log1p()
    # at 1 + iy the square is y², which may vanish: ½ log(2/y) + ¼ log1p(y²/4)
    pole = 0.5 * (LN2 - height.log()) + 0.25 * (0.25 * height * height).log1p()
    re = far.then(faded, width.equals(1.0).then(pole, near))
    quarter = x.like(math.pi / 2).copysign(signed)
    known = signed.equals(signed) & (x.equals(x) | infinite(y))
    quarter = known.then(quarter, math.nan)
    angle = (2.0 * signed).atan2(gap * (1.0 + width) - height * height) * 0.5
    im = far.then(quarter, angle)
    return x.equals(0.0).then(x, re * turn), im * turn


def atan(z: Complex) -> Complex:
    """−i atanh(i z)."""
    return _turned_back(atanh(_turned(z)))
