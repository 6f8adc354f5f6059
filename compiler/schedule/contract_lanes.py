"""Decides which dim of a contraction becomes the lanes of its vectors.

Takes: the dims in four groups, each with one stride per access, and the lanes of a full vector.
Gives: the same groups so ordered that the last dim of the columns is the one for the lanes.
Must not know: targets, tiles, loops.

Every choice is legal; what it costs is estimated in vector operations: lanes that stay empty,
elements that a copy has to turn or gather, elements that are stored one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

TURNED = 0.4
"""A copied element where the sum runs along memory: blocks are transposed in registers."""
GATHERED = 2.0
"""A copied element that is loaded and stored by itself."""
SCATTERED = 1.5
"""An element of the result, or of what is read beside it, that lanes reach one by one."""
NARROW = 0.6
"""A vector of at most half the lanes: two of them run at once, but loads do not keep up."""


@dataclass(frozen=True)
class Dim:
    """A loop: its size, one stride per access, and the first Generic's dim (-1: several merged)."""

    size: int
    strides: tuple[int, ...]
    origin: int

    def swapped(self) -> Dim:
        """With the factors in the other order."""
        return replace(self, strides=(self.strides[1], self.strides[0], *self.strides[2:]))


def product(dims: Sequence[Dim]) -> int:
    """The number of points of several dims."""
    count = 1
    for d in dims:
        count *= d.size
    return count


@dataclass(frozen=True)
class Groups:
    """The dims of a contraction, outer to inner. `by_lane`: the last of the columns is a dim that
    both factors have (a channel of a depthwise convolution), so lhs is read along the lanes too.
    `reversed`: the factors are in the other order than in the kernel."""

    batch: tuple[Dim, ...]
    rows: tuple[Dim, ...]
    columns: tuple[Dim, ...]
    depth: tuple[Dim, ...]
    by_lane: bool = False
    reversed: bool = False

    def other_order(self) -> Groups:
        """lhs as rhs and rhs as lhs: the product commutes."""
        batch, rows, columns, depth = (
            tuple(d.swapped() for d in dims)
            for dims in (self.batch, self.columns, self.rows, self.depth)
        )
        return Groups(batch, rows, columns, depth, self.by_lane, not self.reversed)

    def points(self) -> int:
        """All products that are added."""
        return product((*self.batch, *self.rows, *self.columns, *self.depth))


def choose(groups: Groups, lanes: int) -> Groups:
    """The cheapest of all choices, the first among equals."""
    if not groups.points():
        return groups
    return min(_choices(groups), key=lambda g: _cost(g, lanes))


def _choices(groups: Groups) -> Iterator[Groups]:
    if not groups.rows and not groups.columns:
        yield groups  # no lanes across the result
    for order in (groups, groups.other_order()):
        for k in reversed(range(len(order.columns))):
            rest = (*order.columns[:k], *order.columns[k + 1 :])
            yield replace(order, columns=(*rest, order.columns[k]))
        if len(order.rows) == 0 and order.columns:
            continue  # a dim of both needs rows beside it, or nothing else is left
        for k in reversed(range(len(order.batch))):
            rest = (*order.batch[:k], *order.batch[k + 1 :])
            columns = (*order.columns, order.batch[k])
            yield replace(order, batch=rest, columns=columns, by_lane=True)


def _cost(groups: Groups, lanes: int) -> float:
    """Vector operations, more or less."""
    points = groups.points()
    if not groups.columns:
        along = any(d.strides[:2] == (1, 1) for d in groups.depth)
        return points / lanes if along else points * GATHERED
    lane = groups.columns[-1]
    vectors = -(-lane.size // lanes)
    each = NARROW if 2 * lane.size <= lanes else float(vectors)
    cost = points / lane.size * each
    if groups.by_lane or not groups.rows:
        cost *= 2  # a load for every product
    if groups.by_lane and lane.strides[0] not in (0, 1):
        cost += points * GATHERED
    if lane.strides[1] not in (0, 1):
        turned = any(d.strides[1] == 1 and d.size >= lanes for d in groups.depth)
        copied = product((*groups.batch, *groups.columns, *groups.depth))
        cost += copied * (TURNED if turned else GATHERED)
    results = product((*groups.batch, *groups.rows, *groups.columns))
    for stride in lane.strides[2:]:
        cost += results * (1 / lanes if stride in (0, 1) else SCATTERED)
    return cost
