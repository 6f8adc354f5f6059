"""Argument reduction modulo pi/2 for every finite number, without tables in memory.

Takes a builder and x; gives the quadrant and the remainder as a sum of two parts.
Must not know which trigonometric function asks.
Sources: Cody & Waite (1980) for moderate arguments; Payne & Hanek (1983) for large ones, here
with floating-point words of 1/(2*pi) chosen by a barrel of selects instead of an index.
"""

from __future__ import annotations

from collections.abc import Sequence

from .builder import Builder, V
from .constants import HALF_PI, TURN_BITS, TURN_WORDS, TWO_OVER_PI
from .extended import fast_two_sum, two_prod, two_sum
from .formats import bits_of, format_of

SMALL_BOUND = {"f32": 2.0**16, "f64": 2.0**20}
"""`reduce_small` holds for |x| up to this."""

Remainder = tuple[V, V, V]


def reduce_small(b: Builder[V], x: V) -> tuple[V, V, V]:
    """`(quadrant, high, low)`, x = quadrant*pi/2 + high + low: 14 operations, |x| <= SMALL_BOUND.

    The first fma is exact: n*part is a multiple of the last place of `part`, and the difference
    fits. After it either term may be the larger, so that a full two-sum is needed. The low
    two bits of the integer `quadrant` count, the others do not.
    """
    layout = format_of(b, x)
    rounder = b.const(layout.rounder, x)
    total = b.fma(x, b.const(TWO_OVER_PI[layout.name][0], x), rounder)
    n = b.sub(rounder, total)
    first, second, third = (b.const(part, x) for part in HALF_PI[layout.name])
    exact = b.fma(n, first, x)
    product, product_low = two_prod(b, n, second)
    high, lost = two_sum(b, exact, product)
    low = b.fma(n, third, b.add(lost, product_low))
    return bits_of(b, total), high, low


def _words_for(b: Builder[V], x: V) -> tuple[V, list[V]]:
    """Drop the words of 1/(2*pi) that only give whole turns of x: scaled x, next five words."""
    layout = format_of(b, x)
    bits = TURN_BITS[layout.name]
    words = [b.const(word, x) for word in TURN_WORDS[layout.name]]
    step = 16 if layout.name == "f64" else 4
    while step:
        limit = b.const(2.0 ** (layout.fraction_bits + bits * step), x)
        far = b.greater_equal(b.abs(x), limit)
        x = b.select(far, b.mul(x, b.const(2.0 ** (-bits * step), x)), x)
        needed = min(5 + step - 1, len(words))
        words = [
            b.select(far, words[i + step], words[i]) if i + step < len(words) else words[i]
            for i in range(needed)
        ]
        step //= 2
    return x, words


def _fraction(b: Builder[V], x: V) -> V:
    return b.sub(x, b.round(x))


def _sum(b: Builder[V], first: V, terms: Sequence[V]) -> tuple[V, list[V]]:
    """Sum in the given order and the rounding errors made on the way."""
    errors = []
    for term in terms:
        first, error = two_sum(b, first, term)
        errors.append(error)
    return first, errors


def reduce_large(b: Builder[V], x: V) -> tuple[V, V, V]:
    """As `reduce_small`, for every finite normal x; NaN for infinities. About 135 (f32) or
    170 (f64) operations.

    Word i of 1/(2*pi) has TURN_BITS bits and weight 2**(-TURN_BITS*i). Five words leave a relative
    error far below the last place even for the arguments closest to a multiple of pi/2.
    """
    layout = format_of(b, x)
    x, words = _words_for(b, x)
    bits = TURN_BITS[layout.name]
    products = [
        two_prod(b, x, b.mul(word, b.const(2.0 ** (-bits * i), x)) if i else word)
        for i, word in enumerate(words)
    ]
    (a_high, a_low), (c_high, c_low), (d_high, d_low), (e_high, e_low), (f_high, _) = products
    turns, errors = _sum(
        b,
        _fraction(b, a_high),
        [_fraction(b, a_low), _fraction(b, c_high), _fraction(b, c_low), d_high],
    )
    rest, more = _sum(b, e_high, [d_low, *errors])
    faint = b.add(e_low, f_high)
    for error in more:
        faint = b.add(faint, error)
    four, rounder = b.const(4.0, x), b.const(layout.rounder, x)
    total = b.fma(turns, four, rounder)
    quarters = b.fma(turns, four, b.sub(rounder, total))
    high, lost = two_sum(b, quarters, b.mul(rest, four))
    high, low = fast_two_sum(b, high, b.fma(faint, four, lost))
    first, second, _ = (b.const(part, x) for part in HALF_PI[layout.name])
    product, tail = two_prod(b, high, first)
    tail = b.fma(low, first, b.fma(high, second, tail))
    return (bits_of(b, total), *fast_two_sum(b, product, tail))


def reduce(b: Builder[V], x: V) -> tuple[V, V, V]:
    """`reduce_small` or `reduce_large`, whichever holds for each element."""
    small = b.less_equal(b.abs(x), b.const(SMALL_BOUND[b.dtype(x)], x))
    near, far = reduce_small(b, x), reduce_large(b, x)
    quadrant, high, low = (b.select(small, p, q) for p, q in zip(near, far))
    return quadrant, high, low
