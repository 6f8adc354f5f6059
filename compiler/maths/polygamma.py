"""Derivatives of digamma, for a fixed order, in straight-line code.

Takes the order, a builder and an f32 or f64 value; gives the function value.
Must not know what the builder makes of its calls.
Method: ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x); Hurwitz's zeta function is its first terms and
Euler-Maclaurin summation of the rest (Johansson, "Rigorous high-precision computation of the
Hurwitz zeta function", 2013). Negative x by the derivatives of Euler's reflection formula.
"""

from __future__ import annotations

import math
from fractions import Fraction

from .builder import Builder, V
from .formats import flip_sign, infinity, nan, sign_bits
from .gamma import cotangent_of_turns
from .polynomial import horner

FIRST_TERMS = {"f32": 4, "f64": 9}
CORRECTIONS = {"f32": 4, "f64": 9}
LARGEST_ORDER = 100
BERNOULLI = tuple(
    Fraction(n, d)
    for n, d in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510),
        (43867, 798),
    )
)  # fmt: skip
"""B₂, B₄, …"""


def _power(b: Builder[V], x: V, exponent: int) -> V:
    """x to a positive whole power, by squaring."""
    result: V | None = None
    while True:
        if exponent & 1:
            result = x if result is None else b.mul(result, x)
        exponent >>= 1
        if not exponent:
            assert result is not None
            return result
        x = b.mul(x, x)


def _corrections(s: int, count: int) -> list[float]:
    """B₂ⱼ/(2j)! · s(s + 1)…(s + 2j - 2) for j from 1."""
    found, rising = [], Fraction(s)
    for j in range(1, count + 1):
        found.append(float(BERNOULLI[j - 1] * rising / math.factorial(2 * j)))
        rising *= (s + 2 * j - 1) * (s + 2 * j)
    return found


def hurwitz_zeta(b: Builder[V], s: int, a: V) -> V:
    """Σ (a + k)⁻ˢ over k ≥ 0, for a whole s ≥ 2 and a > 0: 9 + s divisions in f64."""
    dtype, one = b.dtype(a), b.const(1.0, a)
    count = FIRST_TERMS[dtype] + s
    t = b.div(one, b.add(a, b.const(float(count), a)))
    square = b.mul(t, t)
    inner = b.mul(square, horner(b, square, _corrections(s, CORRECTIONS[dtype])))
    rest = b.add(b.fma(t, b.const(0.5, a), b.const(1 / (s - 1), a)), inner)
    total = b.mul(rest, _power(b, t, s - 1))
    for k in reversed(range(count)):
        total = b.add(total, _power(b, b.div(one, b.add(a, b.const(float(k), a))), s))
    return total


def _cotangent_polynomial(order: int) -> list[int]:
    """P with dⁿ/dxⁿ cot x = P(cot x): P₀ = c, and Pₙ₊₁ = -(1 + c²) Pₙ'."""
    coefficients = [0, 1]
    for _ in range(order):
        slope = [k * c for k, c in enumerate(coefficients)][1:]
        coefficients = [0] * (len(slope) + 2)
        for k, c in enumerate(slope):
            coefficients[k] -= c
            coefficients[k + 2] -= c
    return coefficients


def polygamma(b: Builder[V], x: V, order: int) -> V:
    """The derivative of digamma of this order, 1 or more.

    At 0 and negative integers inf for odd orders (NaN at -inf); for even ones NaN, and at
    0 infinite with the sign of a limit.
    """
    one, zero = b.const(1.0, x), b.const(0.0, x)
    below = b.less(x, zero)
    a = b.select(below, b.sub(one, x), x)
    sign = -1.0 if order % 2 == 0 else 1.0
    value = b.mul(hurwitz_zeta(b, order + 1, a), b.const(sign * math.factorial(order), x))
    nearest, cotangent = cotangent_of_turns(b, x)
    scale = math.pi ** (order + 1)
    polynomial = [-scale * c for c in _cotangent_polynomial(order)]
    slope = horner(b, cotangent, polynomial)
    reflected = b.add(slope, b.neg(value) if order % 2 else value)
    value = b.select(below, reflected, value)
    endless = infinity(b, x)
    at_pole = b.fma(x, zero, endless) if order % 2 else nan(b, x)  # NaN at -inf
    value = b.select(b.bit_and(b.equal(nearest, x), below), at_pole, value)
    at_zero = endless if order % 2 else flip_sign(b, b.neg(endless), sign_bits(b, x))
    value = b.select(b.equal(x, zero), at_zero, value)
    limit = b.const(0.0, x) if order % 2 else b.neg(b.const(0.0, x))
    return b.select(b.equal(x, endless), limit, value)
