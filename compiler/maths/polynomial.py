"""Polynomial evaluation in few, short dependency chains.

Takes coefficients, lowest degree first; gives the value of the polynomial.
Must not know which function the polynomial approximates.
"""

from __future__ import annotations

from collections.abc import Sequence

from .builder import Builder, V


def horner(b: Builder[V], x: V, coefficients: Sequence[float]) -> V:
    """n coefficients in n - 1 dependent fmas."""
    total = b.const(coefficients[-1], x)
    for coefficient in reversed(coefficients[:-1]):
        total = b.fma(total, x, b.const(coefficient, x))
    return total


def estrin(b: Builder[V], x: V, coefficients: Sequence[float]) -> V:
    """Estrin's scheme (1960): n - 1 fmas and log2(n) squarings, chains of length log2(n)."""
    terms = [b.const(coefficient, x) for coefficient in coefficients]
    power = x
    while len(terms) > 1:
        paired = [b.fma(high, power, low) for low, high in zip(terms[0::2], terms[1::2])]
        if len(terms) % 2:
            paired.append(terms[-1])
        terms = paired
        if len(terms) > 1:
            power = b.mul(power, power)
    return terms[0]


def estrin_pair(b: Builder[V], x: V, coefficients: Sequence[float]) -> tuple[V, V]:
    """`(high, low)`: Estrin but for the first two coefficients, the last sum kept in two parts.

    Estrin rounds terms as large as the result several times; here only the last fma does, and
    `low` is what it lost. Two fmas more of latency, two operations more.
    """
    inner = b.fma(estrin(b, x, coefficients[2:]), x, b.const(coefficients[1], x))
    first = b.const(coefficients[0], x)
    high = b.fma(inner, x, first)
    return high, b.fma(inner, x, b.sub(first, high))
