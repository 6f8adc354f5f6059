"""Arithmetic on unevaluated sums `high + low` of two floating-point numbers.

Takes and gives plain values and pairs; |low| is at most half a unit in the last place of high.
Must not know the functions that use it.
Sources: Møller 1965, Dekker 1971, Knuth TAOCP vol. 2 §4.2.2; Joldes, Muller & Popescu 2017.
"""

from __future__ import annotations

from .builder import Builder, V


def fast_two_sum(b: Builder[V], x: V, y: V) -> tuple[V, V]:
    """Exact x + y for |x| >= |y| or x = 0: 3 operations."""
    high = b.add(x, y)
    return high, b.sub(y, b.sub(high, x))


def two_sum(b: Builder[V], x: V, y: V) -> tuple[V, V]:
    """Exact x + y: 6 operations."""
    high = b.add(x, y)
    part = b.sub(high, x)
    return high, b.add(b.sub(x, b.sub(high, part)), b.sub(y, part))


def two_prod(b: Builder[V], x: V, y: V) -> tuple[V, V]:
    """Exact x * y unless it underflows: 2 operations."""
    high = b.mul(x, y)
    return high, b.fma(x, y, b.neg(high))


def mul_pair(b: Builder[V], x: tuple[V, V], y: tuple[V, V]) -> tuple[V, V]:
    """Product of two pairs, relative error about 4 units of the pair's precision."""
    high, low = two_prod(b, x[0], y[0])
    low = b.fma(x[0], y[1], low)
    return fast_two_sum(b, high, b.fma(x[1], y[0], low))


def square_pair(b: Builder[V], x: tuple[V, V]) -> tuple[V, V]:
    high, low = two_prod(b, x[0], x[0])
    return fast_two_sum(b, high, b.fma(b.add(x[0], x[0]), x[1], low))
