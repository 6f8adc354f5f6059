"""Joins pieces of a map that repeat each other's work into one loop that does it once.

Takes: pieces of one Generic (`pieces.py`). Gives: Generics whose outputs are those of one piece or
of several, in order. Random numbers live from it: four parts of a row need the four words of the
same blocks; the two parts of complex numbers lie beside each other. Must not know: loops.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Builder, Graph, Value
from ..kernel import Generic, Output, Read
from ..types import Shape

SHARED = 40
"""Operations that two pieces must have in common to be joined."""


def jam(pieces: Sequence[Generic]) -> list[Generic]:
    """The pieces, those of equal extents joined where they share enough."""
    groups: dict[Shape, list[Generic]] = {}
    for piece in pieces:
        groups.setdefault(piece.dims, []).append(piece)
    result = []
    for group in groups.values():
        joined = group[0] if len(group) == 1 else _joined(group)
        apart = sum(len(g.body.nodes) for g in group)
        saved = apart - len(joined.body.nodes)
        worth = saved >= SHARED * (len(group) - 1) or _interleaved(group)
        result += [joined] if worth else group
    return result


def _interleaved(group: Sequence[Generic]) -> bool:
    """Whether there are two pieces, whose results lie alternately beside each other."""
    if len(group) != 2:
        return False
    dims = group[0].dims
    return all(beside(a, b, dims) for a, b in zip(group[0].outs, group[1].outs, strict=True))


def beside(first: Output, second: Output, dims: Shape) -> bool:
    """Whether one output goes to place 0 and the other to place 1 of a last axis of length 2, at
    the same places of the others.
    """
    if first.map is None or second.map is None or first.type != second.type:
        return False
    if not first.type.shape or first.type.shape[-1] != 2:
        return False
    *lead, (steps, place) = first.map.rows
    *other_lead, (other_steps, other_place) = second.map.rows
    still = all(n == 1 or not (a or b) for n, a, b in zip(dims, steps, other_steps))
    return still and lead == other_lead and (place, other_place) == (0, 1)


def _joined(group: Sequence[Generic]) -> Generic:
    """One Generic that does at each point what every one of the group does there."""
    b = Builder(name="body")
    reads: dict[Read, Value] = {}
    results: list[Value] = []
    unread: list[Value] = []
    for generic in group:
        params, count = generic.body.params, len(generic.reads)
        mapping = {}
        for param, read in zip(params, generic.reads):
            if read not in reads:
                reads[read] = b.param(param.type)
            mapping[param] = reads[read]
        for param in params[count:]:
            mapping[param] = b.param(param.type)
            unread.append(mapping[param])
        results += b.inline(generic.body.results, mapping, generic.body.locs)
    outs = tuple(out for generic in group for out in generic.outs)
    body = Graph("body", [*reads.values(), *unread], results, b.locs)
    return Generic(group[0].dims, group[0].kinds, tuple(reads), body, outs)
