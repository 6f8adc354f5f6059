"""Index arithmetic of views: how axes and shapes compose. Pure functions of tuples of ints.

Must not know: graphs.
"""

from __future__ import annotations

from collections.abc import Sequence

Shape = tuple[int, ...]


def composed(first: Sequence[int], second: Sequence[int]) -> Shape:
    """`second[first[k]]`: where axis k ends up after two maps.

    >>> composed((1,), (0, 2))
    (2,)
    """
    return tuple(second[k] for k in first)


def groups(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]] | None:
    """The finest pairing of runs of axes of equal size, for a reshape; None where a size is 0.

    >>> groups((2, 3, 4), (6, 4))
    [([0, 1], [0]), ([2], [1])]
    """
    if 0 in old or 0 in new:
        return None
    pairs, i, j = [], 0, 0
    while i < len(old) or j < len(new):
        left, right = [], []
        a = b = 1
        if i < len(old):
            left.append(i)
            a = old[i]
            i += 1
        if j < len(new) and (a != 1 or not left):
            right.append(j)
            b = new[j]
            j += 1
        while a != b:
            if a < b:
                left.append(i)
                a *= old[i]
                i += 1
            else:
                right.append(j)
                b *= new[j]
                j += 1
        pairs.append((left, right))
    return pairs


def inserted_units(old: Shape, new: Shape) -> Shape | None:
    """The axes of `new` that hold the axes of `old`, where the others have size 1; else None.

    >>> inserted_units((4, 8), (4, 1, 8))
    (0, 2)
    """
    axes: list[int] = []
    for k, n in enumerate(new):
        if len(axes) < len(old) and old[len(axes)] == n:
            axes.append(k)
        elif n != 1:
            return None
    return tuple(axes) if len(axes) == len(old) else None


def moves_units_only(shape: Shape, permutation: Shape) -> bool:
    """Whether a transpose keeps the order of all axes longer than 1."""
    long = [k for k in permutation if shape[k] != 1]
    return long == sorted(long)


def reshaped_broadcast(big: Shape, shape: Shape, axes: Sequence[int]) -> tuple[Shape, Shape] | None:
    """A broadcast to `big` along `axes` and then a reshape to `shape`, as a reshape and then a
    broadcast: the inner shape, and the axes of `shape` that it takes. None where repeated and other
    axes mix.

    >>> reshaped_broadcast((2, 2, 6), (4, 3, 2), (2,))
    ((3, 2), (1, 2))
    """
    pairs = groups(big, shape)
    if pairs is None:
        return None
    places: list[int] = []
    for left, right in pairs:
        kept = [a for a in left if a in axes]
        if kept and len(kept) != len(left):
            return None
        if kept:
            places += right
    return tuple(shape[a] for a in places), tuple(places)
