"""What reshapes and slices of memref and tensor share.

Gives: keyword arguments and rules for their records. Must not know: any particular operation.
"""

from __future__ import annotations

from typing import Any

from .kinds import INTS
from .records import DYNAMIC, Rule, View
from .rules import dynamic_count, rank_of, require, shape_of

SLICES: dict[str, Any] = {
    "attrs": {"static_offsets": INTS, "static_sizes": INTS, "static_strides": INTS},
    "counts": {
        "offsets": dynamic_count("static_offsets"),
        "sizes": dynamic_count("static_sizes"),
        "strides": dynamic_count("static_strides"),
    },
    "segments": "derived",
}
"""Attributes and counts for offsets, sizes and strides, each a number or an operand."""


def _groups_fit(big: tuple[int, ...], small: tuple[int, ...], groups: list[list[int]]) -> bool:
    """Whether the groups list all dimensions of `big` in order and multiply to those of `small`."""
    if not small:  # a rank of 0: no groups, all sizes are 1
        return not groups and all(n == 1 for n in big)
    if [d for group in groups for d in group] != list(range(len(big))):
        return False
    products = []
    for group in groups:
        product = 1
        for d in group:
            product *= big[d]
        products.append(product)
    return tuple(products) == small


def REASSOCIATES(big: str, small: str) -> tuple[Rule, ...]:
    """The attribute `reassociation` groups the dimensions of `big` into those of `small`."""

    def fits(view: View) -> bool:
        shapes = shape_of(view.type(big)), shape_of(view.type(small))
        return _groups_fit(*shapes, view.attr("reassociation"))

    message = f"reassociation does not group {{{big}}} into {{{small}}}"
    return (require(fits, message),)


def slice_fits(view: View, big: str, small: str) -> bool:
    """One offset, size and stride a dimension; static sizes are those of the small type, which may
    leave out dimensions of size 1; static windows lie inside."""
    outer, inner = shape_of(view.type(big)), shape_of(view.type(small))
    offsets, sizes, strides = (view.attr(f"static_{n}") for n in ("offsets", "sizes", "strides"))
    if not len(offsets) == len(sizes) == len(strides) == rank_of(view.type(big)):
        return False
    kept = list(inner)
    for size in reversed(sizes):
        if kept and size == kept[-1]:
            kept.pop()
        elif size != 1:
            return False
    inside = all(
        DYNAMIC in (o, n, k) or n == 0 or (o >= 0 and o + (n - 1) * k < d)
        for o, n, k, d in zip(offsets, sizes, strides, outer)
    )
    return not kept and inside
