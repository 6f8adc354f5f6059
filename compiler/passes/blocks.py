"""Products that would be wide are made a block of rows at a time, where only their rows are read.

    scores = q kᵀ; p = softmax(scores); o = p v        (scores and p: batch × rows × columns)
    →   for each of the batch, for each block of rows: o[rows] = softmax(q[rows] kᵀ) v

The loops are `scan`s without a carry, whose rounds may run on several threads; a product that sums
over rows, as in the gradients of k and v, is carried from block to block. Nothing of the size
rows × columns is kept: a gradient computes its rows of p anew (Chen et al. 2016, "Training Deep
Nets with Sublinear Memory Cost"; Dao et al. 2022, "FlashAttention"), from what is kept of each row.
Each row is whole, so that it needs no rescaling and is what it was, bit for bit up to the products.
Takes and gives: Graph. Must not know: kernels, targets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..graph import Builder, Graph, Node, Value
from ..opdef import OPS
from ..ops.source import constant, iota
from ..rewrite import everywhere
from ..types import TensorType, i64
from .bodies import Body, BodyMaker, UnfitError
from .cuts import ROW, Axes, piece, sliced
from .regions import Region, find_regions

BLOCK_BYTES = 512 << 10
"""Bytes of a wide product of a block: a few of them should stay in a second-level cache."""
FEWEST_ROWS = 16
"""Rows of a block at least, however long they are."""


def make_blocks(graph: Graph) -> Graph:
    """`graph` with blocks of rows in place of wide products, in bodies too."""
    return everywhere(_blocks)(graph)


def _blocks(graph: Graph) -> Graph:
    chosen = []
    for region in find_regions(graph):
        bodies = _bodies(graph, region)
        if bodies is not None and _fewer(graph, bodies):
            chosen.append((region, bodies))
    return _replaced(graph, chosen) if chosen else graph


def _bodies(graph: Graph, region: Region) -> list[Body] | None:
    """The bodies of a region's stages; from the last, which says what is to be kept per row."""
    kept = {v for v in graph.results if v.node in region.axes}
    for node in graph.nodes:
        if node not in region.axes and node not in region.exits:
            kept.update(v for v in node.inputs if v.node in region.axes)
    kept = {v for v in kept if not region.is_wide(v.node)}
    bodies: list[Body] = []
    for stage in sorted(set(region.stages[n] for n in region.exits), reverse=True):
        given = [
            node.result
            for node in graph.nodes
            if region.stages[node] == stage and (node in region.exits or node.result in kept)
        ]
        maker = BodyMaker(region, stage, graph.locs)
        try:
            bodies.insert(0, maker.make(given))
        except UnfitError:
            return None
        kept.update(maker.kept)
    return bodies


def _fewer(graph: Graph, bodies: Sequence[Body]) -> bool:
    """Whether all that is wide is needed no more, once the bodies give what they give."""
    given = {v.node for body in bodies for v in body.given}
    wide = set().union(*(body.replaced for body in bodies)) - given
    pending = [v.node for v in graph.results]
    pending += [v.node for body in bodies for v in body.leaves]
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if node in seen or node in given:
            continue
        if node in wide and node.op == "dot_general":
            return False
        seen.add(node)
        pending += [v.node for v in node.inputs]
    return True


def _replaced(graph: Graph, chosen: Sequence[tuple[Region, list[Body]]]) -> Graph:
    b = Builder(name=graph.name)
    mapping = {p: b.param(p.type, name) for p, name in zip(graph.params, graph.param_names)}
    jobs = {v.node: (region, body) for region, all in chosen for body in all for v in body.given}

    def replace(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if node not in jobs:
            return None
        if node.result not in mapping:
            region, body = jobs[node]
            leaves = b.inline(body.leaves, mapping, graph.locs, replace)
            b.current = graph.locs.get(body.given[0].node, ())
            mapping.update(zip(body.given, _Loops(b, region, body).write(leaves)))
            b.current = ()
        return [mapping[node.result]]

    return b.graph(b.inline(graph.results, mapping, graph.locs, replace))


class _Loops:
    """Writes a body's loops: over the batch, and in it over blocks of rows."""

    def __init__(self, b: Builder, region: Region, body: Body) -> None:
        self.b, self.body = b, body
        self.sizes = {label: n for label, n in region.sizes.items() if label != ROW}
        self.rows = region.sizes[ROW]
        row = 2 * region.limit * region.seed.types[0].dtype.itemsize
        self.block = _block(self.rows, max(FEWEST_ROWS, BLOCK_BYTES // row))
        self.one = dict.fromkeys(self.sizes, 1)

    def write(self, leaves: Sequence[Value]) -> list[Value]:
        """The results for whole leaves."""
        count = math.prod(self.sizes.values())
        if count == 1:
            return self._all_rows(self.b, leaves)
        types = [v.type for v in leaves]
        b = Builder(name="body")
        b.current = self.b.current
        params = [b.param(t) for t in types]
        starts = self._digits(b, b.param(TensorType((), i64)))
        pieces = [
            sliced(b, p, axes, self.one, starts) for p, axes in zip(params, self.body.leaf_axes)
        ]
        graph = b.graph(self._all_rows(b, pieces))
        made = _scan(self.b, graph, leaves, [], count)
        return [self._batched(v, axes) for v, axes in zip(made, self.body.result_axes)]

    def _digits(self, b: Builder, number: Value) -> dict[int, Value]:
        """The place in the batch from its number."""
        starts, left = {}, number
        for k, (label, n) in reversed(list(enumerate(self.sizes.items()))):
            size = constant(b, n, i64)
            starts[label] = OPS["rem"](b, left, size) if k else left
            left = OPS["div"](b, left, size) if k else left
        return starts

    def _batched(self, stacked: Value, axes: Axes) -> Value:
        """(count, 1, …) as the whole result."""
        b, labels = self.b, list(self.sizes)
        rest = [n for n, label in zip(stacked.shape[1:], axes) if label not in self.sizes]
        others = iter(range(len(labels), len(labels) + len(rest)))
        order = [labels.index(a) if a in self.sizes else next(others) for a in axes]
        spread = (*self.sizes.values(), *rest)
        return _turned(b, OPS["reshape"](b, stacked, shape=spread), order)

    # -- rows -------------------------------------------------------------------------------------
    def _all_rows(self, b: Builder, leaves: Sequence[Value]) -> list[Value]:
        """The results for one of the batch."""
        if self.block >= self.rows:
            return self.body.cut(b, leaves, self.one, {})
        blocks, rest = divmod(self.rows, self.block)
        results = self._many(b, leaves, blocks)
        if not rest:
            return results
        tail = self._some(b, leaves, rest, constant(b, blocks * self.block, i64))
        return [
            OPS["concat"](b, whole, last, axis=axes.index(ROW))
            if ROW in axes
            else OPS["add"](b, whole, last)
            for whole, last, axes in zip(results, tail, self.body.result_axes)
        ]

    def _some(self, b: Builder, leaves: Sequence[Value], rows: int, start: Value) -> list[Value]:
        """The results for `rows` rows from `start` on."""
        pieces = [
            sliced(b, p, axes, {ROW: rows}, {ROW: start})
            for p, axes in zip(leaves, self.body.leaf_axes)
        ]
        return self.body.cut(b, pieces, {**self.one, ROW: rows}, {ROW: start})

    def _many(self, b: Builder, leaves: Sequence[Value], blocks: int) -> list[Value]:
        axes = self.body.result_axes
        types = [
            TensorType(piece(v.shape, a, self.one), v.type.dtype)
            for v, a in zip(self.body.graph.results, axes)
        ]
        sums = [k for k, a in enumerate(axes) if ROW not in a]
        others = [k for k, a in enumerate(axes) if ROW in a]
        inner = Builder(name="body")
        inner.current = b.current
        params = [inner.param(v.type) for v in leaves]
        carried = [inner.param(types[k]) for k in sums]
        number = inner.param(TensorType((), i64))
        start = OPS["mul"](inner, number, constant(inner, self.block, i64))
        made = self._some(inner, params, self.block, start)
        totals = [OPS["add"](inner, c, made[k]) for c, k in zip(carried, sums)]
        graph = inner.graph([*totals, *(made[k] for k in others)])
        zeros = [constant(b, 0, types[k].dtype, types[k].shape) for k in sums]
        found = _scan(b, graph, leaves, zeros, blocks)
        results = dict(zip([*sums, *others], found))
        return [
            _joined(b, results[k], a.index(ROW)) if ROW in a else results[k]
            for k, a in enumerate(axes)
        ]


def _block(rows: int, most: int) -> int:
    """Rows of a block: `most`, or what divides all rows, if that is not much less."""
    if rows <= most:
        return rows
    for block in range(most, most // 2, -1):
        if rows % block == 0:
            return block
    return most


def _scan(
    b: Builder, body: Graph, consts: Sequence[Value], carried: Sequence[Value], length: int
) -> tuple[Value, ...]:
    numbers = iota(b, shape=(length,), axis=0, dtype=i64)
    attrs = {"n_const": len(consts), "n_carry": len(carried), "length": length, "reverse": False}
    return OPS["scan"].many(b, *consts, *carried, numbers, body=body, **attrs)


def _joined(b: Builder, stacked: Value, axis: int) -> Value:
    """Blocks of rows, stacked, as rows along `axis`."""
    count, *shape = stacked.shape
    order = (*range(1, axis + 1), 0, *range(axis + 1, len(shape) + 1))
    shape[axis] *= count
    return OPS["reshape"](b, _turned(b, stacked, order), shape=tuple(shape))


def _turned(b: Builder, x: Value, order: Sequence[int]) -> Value:
    """x with its axes in this order; a reshape where only axes of size 1 move."""
    long = [k for k in order if x.shape[k] != 1]
    if long == sorted(long):
        return OPS["reshape"](b, x, shape=tuple(x.shape[k] for k in order))
    return OPS["transpose"](b, x, permutation=tuple(order))
