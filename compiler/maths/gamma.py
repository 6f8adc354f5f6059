"""lgamma, digamma and the gamma function itself in straight-line code.

Takes a builder and an f32 or f64 value; gives the function value.
Must not know what the builder makes of its calls.
Method: a polynomial near 2 (for digamma: near its root), Stirling's series from 8 on (Abramowitz &
Stegun 6.1.40, 6.3.18), in between and below the recurrence Γ(x + 1) = x·Γ(x), and for negative
numbers the reflection Γ(x)·Γ(-x) = -π/(x·sin(πx)).
"""

from __future__ import annotations

import math

from .builder import Builder, V
from .coefficients import DIGAMMA, DIGAMMA_TAIL, LGAMMA, STIRLING
from .constants import DIGAMMA_ROOT
from .exponential import exp
from .formats import flip_sign, infinity, nan, sign_bits
from .logarithm import log
from .polynomial import estrin, horner
from .power import pow
from .trigonometric import sin_small

STIRLING_FROM = 8.0
STIRLING_CONSTANT = 0.4189385332046727  # log(2π/e)/2
TINY = {"f32": 2.0**-26, "f64": 2.0**-56}
"""Below it Γ(x) is 1/x to the last place."""
LAST_FACTORIAL = {"f32": 36.0, "f64": 172.0}
"""From here on the gamma function is beyond the largest number."""


def _sine_of_turns(b: Builder[V], x: V) -> tuple[V, V]:
    """`(nearest, sine)`: the nearest integer, and sin(πx)."""
    nearest = b.round(x)
    angle = b.mul(b.const(math.pi, x), b.sub(x, nearest))
    half = b.mul(nearest, b.const(0.5, x))
    odd = b.not_equal(b.trunc(half), half)
    sine = sin_small(b, angle)
    return nearest, b.select(odd, b.neg(sine), sine)


def cotangent_of_turns(b: Builder[V], x: V) -> tuple[V, V]:
    """`(nearest, cotangent)`: the nearest integer, and cot(πx), exactly 0 halfway between two."""
    nearest = b.round(x)
    rest = b.sub(x, nearest)
    pi = b.const(math.pi, x)
    cosine = sin_small(b, b.mul(pi, b.sub(b.const(0.5, x), b.abs(rest))))
    return nearest, b.div(cosine, sin_small(b, b.mul(pi, rest)))


def _falling_product(b: Builder[V], x: V, lowest: float, factors: int) -> V:
    """(x - 1)·(x - 2)·…, those factors that are at least `lowest`."""
    one, bound = b.const(1.0, x), b.const(lowest, x)
    product = one
    for k in range(1, factors + 1):
        factor = b.sub(x, b.const(float(k), x))
        product = b.mul(product, b.select(b.less(factor, bound), one, factor))
    return product


def _near_two(b: Builder[V], a: V) -> tuple[V, V, V]:
    """`(value, up, down)`: Γ(a) = exp(value)·up/down for 0 < a < 8.

    `value` is lgamma of a number in [1.5, 3), `up` is 1 below 3 and `down` is 1 from 1.5 on.
    """
    one, two, three = (b.const(c, a) for c in (1.0, 2.0, 3.0))
    up = _falling_product(b, a, 2.0, 5)
    whole = b.sub(b.floor(a), two)
    shifted = b.sub(b.sub(a, two), b.select(b.less(a, three), b.const(0.0, a), whole))
    low, middle = b.less(a, b.const(0.5, a)), b.less(a, b.const(1.5, a))
    u = b.select(low, a, b.select(middle, b.sub(a, one), shifted))
    down = b.select(low, b.mul(a, b.add(a, one)), b.select(middle, a, one))
    value = b.mul(u, estrin(b, b.sub(u, b.const(0.25, a)), LGAMMA[b.dtype(a)]))
    return value, up, down


def _stirling_rest(b: Builder[V], a: V) -> V:
    """lgamma(a) minus Stirling's formula, for a >= 8."""
    t = b.div(b.const(1.0, a), a)
    return b.mul(t, estrin(b, b.mul(t, t), STIRLING[b.dtype(a)]))


def lgamma(b: Builder[V], x: V) -> V:
    """log |Γ(x)|; inf at 0, negative integers and infinities.

    201 (f32) or 236 (f64) operations.
    """
    a = b.abs(x)
    one, zero = b.const(1.0, x), b.const(0.0, x)
    value, up, down = _near_two(b, a)
    large = b.less_equal(b.const(STIRLING_FROM, x), a)
    logarithm = log(b, b.select(large, a, b.mul(up, down)))  # one of the two factors is 1
    signed = b.select(b.less(a, b.const(1.5, x)), b.neg(logarithm), logarithm)
    rest = b.add(_stirling_rest(b, a), b.const(STIRLING_CONSTANT, x))
    far = b.fma(b.sub(a, b.const(0.5, x)), b.sub(logarithm, one), rest)
    value = b.select(large, far, b.add(value, signed))
    nearest, sine = _sine_of_turns(b, x)
    mirrored = log(b, b.div(b.const(math.pi, x), b.mul(a, b.abs(sine))))
    reflect = b.less(x, b.const(-TINY[b.dtype(x)], x))
    value = b.select(reflect, b.sub(mirrored, value), value)
    pole = b.bit_and(b.equal(nearest, x), b.less_equal(x, zero))
    endless = b.bit_or(pole, b.equal(a, infinity(b, x)))
    return b.select(endless, infinity(b, x), value)


def gamma(b: Builder[V], x: V) -> V:
    """Γ(x): (x - 1)! for whole x; infinite at zeros with their sign, NaN at negative integers.

    319 (f32) or 370 (f64) operations.
    """
    a, one, zero = b.abs(x), b.const(1.0, x), b.const(0.0, x)
    value, up, down = _near_two(b, a)
    near = b.div(b.mul(exp(b, value), up), down)
    # a**(a/2) twice: its exponent is exact, and it does not overflow before Γ(a) does
    half = pow(b, a, b.mul(a, b.const(0.5, x)))
    rest = _stirling_rest(b, a)
    growth = horner(b, rest, [1 / math.factorial(k) for k in range(8)])
    scale = b.mul(b.div(b.const(math.sqrt(2 * math.pi), x), b.sqrt(a)), growth)
    large = b.less_equal(b.const(STIRLING_FROM, x), a)
    first = b.select(large, b.mul(b.mul(half, exp(b, b.neg(a))), scale), near)
    second = b.select(large, half, one)
    nearest, sine = _sine_of_turns(b, x)
    mirrored = b.div(b.div(b.div(b.const(math.pi, x), b.mul(a, sine)), first), second)
    last = LAST_FACTORIAL[b.dtype(x)]
    product = b.mul(first, second)
    forward = b.select(b.less(b.const(last, x), x), infinity(b, x), product)
    value = b.select(b.less(x, zero), mirrored, forward)
    value = b.select(b.less(a, b.const(TINY[b.dtype(x)], x)), b.div(one, x), value)
    far_below = b.less(x, b.const(-last - 16.0, x))
    value = b.select(far_below, flip_sign(b, zero, sign_bits(b, sine)), value)
    pole = b.bit_and(b.less(x, zero), b.equal(nearest, x))
    return b.select(pole, nan(b, x), value)


def digamma(b: Builder[V], x: V) -> V:
    """The derivative of lgamma; -inf at 0 (inf at -0), NaN at negative integers and -inf.

    219 (f32) or 260 (f64) operations.
    """
    dtype = b.dtype(x)
    one, zero = b.const(1.0, x), b.const(0.0, x)
    below = b.less(x, zero)
    a = b.select(below, b.sub(one, x), x)
    # between 2.5 and 8, ψ(a) = ψ(a - n) + Σ 1/(a - k); below 1, ψ(a) = ψ(a + 1) - 1/a
    top, bottom, y = zero, one, a
    for k in range(1, 7):
        term = b.sub(a, b.const(float(k), x))
        there = b.less_equal(b.const(1.5, x), term)
        top = b.select(there, b.fma(top, term, bottom), top)
        bottom = b.select(there, b.mul(bottom, term), bottom)
        y = b.select(there, term, y)
    low = b.less(a, one)
    start = b.less(a, b.const(2.5, x))
    y = b.select(low, b.add(a, one), b.select(start, a, y))
    top = b.select(low, b.neg(one), b.select(start, zero, top))
    bottom = b.select(low, a, b.select(start, one, bottom))
    root, root_low = DIGAMMA_ROOT[dtype]
    offset = b.sub(b.sub(y, b.const(root, x)), b.const(root_low, x))
    near = b.mul(offset, estrin(b, b.sub(y, b.const(1.75, x)), DIGAMMA[dtype]))
    near = b.add(near, b.div(top, bottom))
    t = b.div(one, a)
    z = b.mul(t, t)
    tail = b.fma(t, b.const(0.5, x), b.mul(z, estrin(b, z, DIGAMMA_TAIL[dtype])))
    far = b.sub(log(b, a), tail)
    value = b.select(b.less(a, b.const(STIRLING_FROM, x)), near, far)
    nearest, cotangent = cotangent_of_turns(b, x)
    value = b.select(below, b.fma(b.const(-math.pi, x), cotangent, value), value)
    pole = b.bit_and(below, b.equal(nearest, x))
    value = b.select(pole, nan(b, x), value)
    at_zero = flip_sign(b, b.neg(infinity(b, x)), sign_bits(b, x))
    return b.select(b.equal(x, zero), at_zero, value)
