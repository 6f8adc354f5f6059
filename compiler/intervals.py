"""Arithmetic on intervals of integers: what is known of a value that lies in [low, high].

Takes and gives: `Interval`s, both ends included. Sums and products are those of unbounded integers;
`within` says what is left of them in a dtype that wraps. Must not know: graphs, ops.
"""

from __future__ import annotations

from typing import TypeAlias

from .types import DType

Interval: TypeAlias = tuple[int, int]

BOOLS: Interval = (0, 1)


def full(dtype: DType) -> Interval:
    """All values of an integer, bool or index dtype.

    >>> from lazir.compiler.types import i8
    >>> full(i8)
    (-128, 127)
    """
    if dtype.is_bool:
        return BOOLS
    if dtype.kind == "uint":
        return 0, (1 << dtype.bits) - 1
    return -(1 << (dtype.bits - 1)), (1 << (dtype.bits - 1)) - 1


def within(a: Interval, dtype: DType) -> Interval:
    """The interval where no value of it wraps in `dtype`, else all values."""
    every = full(dtype)
    return a if every[0] <= a[0] and a[1] <= every[1] else every


def join(*parts: Interval) -> Interval:
    """The least interval around all of them."""
    return min(p[0] for p in parts), max(p[1] for p in parts)


def meet(a: Interval, b: Interval) -> Interval:
    """What is in both; `a` where nothing is (such code does not run)."""
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return (low, high) if low <= high else a


def add(a: Interval, b: Interval) -> Interval:
    return a[0] + b[0], a[1] + b[1]


def sub(a: Interval, b: Interval) -> Interval:
    return a[0] - b[1], a[1] - b[0]


def mul(a: Interval, b: Interval) -> Interval:
    ends = [x * y for x in a for y in b]
    return min(ends), max(ends)


def maximum(a: Interval, b: Interval) -> Interval:
    return max(a[0], b[0]), max(a[1], b[1])


def minimum(a: Interval, b: Interval) -> Interval:
    return min(a[0], b[0]), min(a[1], b[1])


def divide(a: Interval, b: Interval) -> Interval | None:
    """Division that truncates, by positive numbers; None for others."""
    if b[0] < 1:
        return None
    ends = [abs(x) // y * (1 if x >= 0 else -1) for x in a for y in b]
    return min(ends), max(ends)


def remainder(a: Interval, b: Interval) -> Interval | None:
    """The remainder of it, which has the sign of `a`; None for a divisor that may be negative."""
    if b[0] < 0:
        return None
    most = max(b[1] - 1, 0)  # x rem 0 is 0
    return max(min(a[0], 0), -most), min(max(a[1], 0), most)


def bits_and(a: Interval, b: Interval) -> Interval | None:
    """The common bits; None where neither is surely non-negative."""
    tops = [x[1] for x in (a, b) if x[0] >= 0]
    return (0, min(tops)) if tops else None


def bits_or(a: Interval, b: Interval) -> Interval | None:
    """The bits of either (or of one, for xor); None for numbers that may be negative."""
    if a[0] < 0 or b[0] < 0:
        return None
    return 0, (1 << max(a[1], b[1]).bit_length()) - 1


def compare(predicate: str, a: Interval, b: Interval) -> Interval:
    """eq ne lt le gt ge as 0 or 1: (0, 0), (1, 1), or (0, 1) where it is open."""
    if predicate in ("gt", "ge"):
        return compare({"gt": "lt", "ge": "le"}[predicate], b, a)
    if predicate == "ne":
        low, high = compare("eq", a, b)
        return 1 - high, 1 - low
    if predicate == "eq":
        always = a[0] == a[1] == b[0] == b[1]
        never = a[1] < b[0] or b[1] < a[0]
    else:
        strict = predicate == "lt"
        always = a[1] < b[0] if strict else a[1] <= b[0]
        never = a[0] >= b[1] if strict else a[0] > b[1]
    return int(always), int(not never)


FAR = 1 << 128
"""Beyond every number of every dtype."""


def where_true(predicate: str, a: Interval, b: Interval) -> tuple[Interval, Interval]:
    """`a` and `b` where `a predicate b` holds."""
    if predicate in ("gt", "ge"):
        right, left = where_true({"gt": "lt", "ge": "le"}[predicate], b, a)
        return left, right
    if predicate == "eq":
        return meet(a, b), meet(b, a)
    if predicate == "ne":
        return a, b
    gap = int(predicate == "lt")
    return meet(a, (-FAR, b[1] - gap)), meet(b, (a[0] + gap, FAR))


OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
"""The predicate that holds where another does not."""


def steps(start: Interval, step: int, most: int) -> Interval:
    """What a counter can be that starts in `start` and has been raised by `step` up to `most`
    times."""
    last = step * most
    return start[0] + min(0, last), start[1] + max(0, last)
