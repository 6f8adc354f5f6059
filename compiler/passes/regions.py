"""Finds products that need never stand in memory whole, because only rows of them are read.

Takes: a Graph. Gives: Regions: a product wide in its columns, all that follows from it row by row,
and the products that take it in (the exits). Attention is one: scores, their softmax, its product
with the values; so are its gradients. Must not know: how a region is computed piece by piece.

Exits have stages: where what a region gives leads to what it takes, as the result of attention does
to its cotangent, those that follow are of the next stage. Each stage computes the wide values that
it needs again, from what is narrow: values outside, and what the stages before give per row.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..graph import Graph, Node
from ..opdef import OPS
from .cuts import ROW, Axes, forward, width

WIDE_BYTES = 8 << 20
"""Bytes of a product worth not being written and read again."""
ITEM_BYTES = 32 << 10
"""The least of them in one item of the batch: one round's calls of kernels are worth as much."""


@dataclass
class Region:
    """`axes`: the labels of each node inside, `exits` those of each product that ends it. `sizes`:
    how long a labelled axis is. Values of at most `limit` elements a row are narrow."""

    seed: Node
    sizes: dict[int, int]
    limit: int
    axes: dict[Node, Axes] = field(default_factory=dict)
    exits: dict[Node, Axes] = field(default_factory=dict)
    stages: dict[Node, int] = field(default_factory=dict)

    def is_wide(self, node: Node) -> bool:
        """Whether a node inside is too wide to be kept."""
        return width(node.types[0].shape, self.axes[node]) > self.limit

    def known(self, node: Node) -> list[Axes | None]:
        """The labels of a node's operands, where they are inside."""
        return [self.axes.get(v.node) for v in node.inputs]


def find_regions(graph: Graph) -> list[Region]:
    """Regions that have no node in common, the largest first."""
    place = {node: k for k, node in enumerate(graph.nodes)}
    found = [region for seed in graph.nodes for region in _from_seed(graph, seed, place)]
    found.sort(key=lambda region: -len(region.axes))
    taken: set[Node] = set()
    chosen = []
    for region in found:
        own = region.axes.keys() | region.exits.keys()
        if not own & taken:
            taken |= own
            chosen.append(region)
    return chosen


def _from_seed(graph: Graph, seed: Node, place: dict[Node, int]) -> Iterator[Region]:
    """The region of a product with rows along its left, else along its right factor."""
    if seed.op != "dot_general" or seed.types[0].nbytes < WIDE_BYTES:
        return
    shape, count = seed.types[0].shape, len(seed.attrs["lhs_batch"])
    if len(shape) != count + 2 or not seed.types[0].dtype.is_float:
        return
    if seed.types[0].nbytes < ITEM_BYTES * math.prod(shape[:count]):
        return
    depth = math.prod(seed.inputs[0].shape[k] for k in seed.attrs["lhs_contracting"])
    for rows in (count, count + 1):
        columns = 2 * count + 1 - rows
        if shape[rows] < 2 or 2 * depth > shape[columns]:
            continue
        labels = [k if n > 1 else None for k, n in enumerate(shape[:count])]
        axes: list[int | None] = [*labels, None, None]
        axes[rows] = ROW
        sizes = {k: shape[k] for k in labels if k is not None} | {ROW: shape[rows]}
        region = Region(seed, sizes, shape[columns] // 2)
        if _grow(graph, region, tuple(axes), place):
            yield region
            return


def _grow(graph: Graph, region: Region, axes: Axes, place: dict[Node, int]) -> bool:
    """Follow the seed as far as rows go; whether wide values stay inside, some row is reduced, and
    products end it."""
    region.axes[region.seed] = axes
    pending = [(place[u], u) for u in graph.uses[region.seed]]
    heapq.heapify(pending)
    seen = {region.seed}
    reduced = False
    while pending:
        _, node = heapq.heappop(pending)
        if node in seen:
            continue
        seen.add(node)
        wide = any(v.node in region.axes and region.is_wide(v.node) for v in node.inputs)
        labels = forward(node, region.known(node)) if len(node.types) == 1 else None
        if labels is None:
            if wide:
                return False
            continue
        ends = node.op == "dot_general" and (
            ROW not in labels or width(node.types[0].shape, labels) <= region.limit
        )
        if ends:
            region.exits[node] = labels
            continue
        region.axes[node] = labels
        reduced |= wide and OPS[node.op].family == "reduction"
        for user in graph.uses[node]:
            heapq.heappush(pending, (place[user], user))
    kept = {v.node for v in graph.results} & region.axes.keys()
    if not reduced or not region.exits or any(map(region.is_wide, kept)):
        return False
    _find_stages(graph, region)
    found = {region.stages[node] for node in region.exits}
    return found == set(range(len(found)))


def _find_stages(graph: Graph, region: Region) -> None:
    """The stage of every node: that of the latest of its operands, the next one where it leaves the
    region."""
    stages = region.stages
    for node in graph.nodes:
        inside = node in region.axes or node in region.exits
        latest = 0
        for v in node.inputs:
            if v.node not in stages:
                continue  # a parameter
            leaves = v.node in region.exits or (v.node in region.axes and not inside)
            latest = max(latest, stages[v.node] + leaves)
        stages[node] = latest
