"""Decides which ops run as one kernel: `can_join` is legality, `gain` is profit.

Takes: a decomposed Graph. Gives: Clusters in an order in which they can run.
A cluster has members (values it computes), each at one of two levels of one iteration space:
`outer` points, or `outer × row` points. Everything between members is inlined into them.
Must not know: how a body is written (it asks `BodyWriter` where a member reads), or schedules.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from ..graph import Graph, Node, Value
from ..mlir.ir import AffineMap
from ..ranges import Ranges
from ..types import Shape
from .body import BodyWriter, identity_point
from .roots import (
    CONTRACTIONS,
    MAX_COST,
    MOVEMENT,
    OPAQUE,
    REDUCTION,
    SOURCE,
    UPDATES,
    find_aliases,
    find_roots,
    is_cumulative,
    kind_of,
)
from .scatter import scatter_kernel
from .spaces import reduction_point, reduction_space

ROW_BYTES = 256 * 1024
"""What the rows that a kernel keeps between its passes may take: they should stay in the L2
cache.
"""
SIBLINGS = 8
"""How many of the latest readers of a value are looked at as possible siblings."""
SERIAL_ROW = 16384
"""A row of this length or more is too long for one thread when there are few rows."""

OUTER, ROW = "outer", "row"
Reads = dict[Value, set[AffineMap | None]]
"""Where each leaf is read; None for a read at a computed place."""


@dataclass(eq=False)
class Cluster:
    """Members run as one kernel. `outer` is the shape of the points that may run in parallel,
    `row` that of the inner points; both None for an opaque node, which is alone.

    `reduces` says which reduction its row is (the axes, or a window), `trailing` whether the row is
    the operand's last axes, in order. Until it holds a reduction a map's whole shape is `outer`.
    With cumulative members it has no row: they run along one axis of `outer`, all the same way.
    """

    number: int
    members: list[Node]
    outer: Shape | None
    row: Shape
    levels: dict[Node, str]
    reduces: Hashable = None
    trailing: bool = True
    contract: Node | None = None
    cost: float = 0.0
    reads: Reads = field(default_factory=dict)
    producers: set[Cluster] = field(default_factory=set)
    consumers: set[Cluster] = field(default_factory=set)

    @property
    def is_map(self) -> bool:
        return self.reduces is None and self.contract is None and self.outer is not None

    @property
    def is_cumulative(self) -> bool:
        return any(map(is_cumulative, self.members))


@dataclass
class Partition:
    """The clusters of a graph and which values are leaves (read from memory, not recomputed)."""

    graph: Graph
    roots: set[Node]
    aliases: set[Node]
    ranges: Ranges
    home: dict[Node, Cluster] = field(default_factory=dict)
    readers: dict[Value, dict[Cluster, None]] = field(default_factory=dict)
    clusters: list[Cluster] = field(default_factory=list)
    seen: dict[Node, tuple[Reads, float]] = field(default_factory=dict)
    position: dict[Node, int] = field(default_factory=dict)

    def is_leaf(self, value: Value) -> bool:
        """Whether `value` is in memory, or computed by some cluster as a member."""
        kind = kind_of(value.node)
        return kind == OPAQUE or (kind != SOURCE and value.node in self.roots)

    def in_memory(self, operand: Value) -> Value:
        """What a product's operand is read from: the operand, or what it is a part of."""
        while operand.node not in self.roots and kind_of(operand.node) == MOVEMENT:
            operand = operand.node.inputs[0]
        return operand


# -- clusters -------------------------------------------------------------------------------------
def partition(graph: Graph, ranges: Ranges) -> Partition:
    """Cut `graph` into clusters, in an order in which they can run."""
    aliases = find_aliases(graph)
    parts = Partition(graph, find_roots(graph, aliases), aliases, ranges)
    parts.position = {node: k for k, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if node not in parts.roots:
            continue
        cluster = _single(parts, node)
        _absorb(parts, cluster)
    parts.clusters = _ordered(parts)
    return parts


def _single(parts: Partition, node: Node) -> Cluster:
    """The cluster of `node` alone."""
    number = len(parts.home)
    kind = OPAQUE if node in parts.aliases else kind_of(node)
    if kind == OPAQUE:
        contract = node if node.op in CONTRACTIONS else None
        outer = node.types[0].shape if contract else None
        cluster = Cluster(number, [node], outer, (), {node: OUTER}, contract=contract)
        cluster.reads = {v: {None} for v in _opaque_reads(parts, node)}
    elif kind == REDUCTION:
        outer, row, key, trailing = reduction_space(node)
        cluster = Cluster(number, [node], outer, row, {node: OUTER}, reduces=key, trailing=trailing)
        reads, cluster.cost = member_reads(parts, node)
        cluster.reads = {value: set(maps) for value, maps in reads.items()}
    else:
        cluster = Cluster(number, [node], node.types[0].shape, (), {node: OUTER})
        reads, cluster.cost = member_reads(parts, node)
        cluster.reads = {value: set(maps) for value, maps in reads.items()}
    cluster.producers = {parts.home[v.node] for v in cluster.reads if v.node in parts.home}
    for producer in cluster.producers:
        producer.consumers.add(cluster)
    parts.home[node] = cluster
    if kind != OPAQUE:
        for value in cluster.reads:
            parts.readers.setdefault(value, {})[cluster] = None
    return cluster


def _opaque_reads(parts: Partition, node: Node) -> list[Value]:
    if node.op not in UPDATES:
        return [parts.in_memory(v) for v in node.inputs]
    return scatter_kernel(node, parts.is_leaf, parts.ranges)[1]


def member_reads(parts: Partition, node: Node) -> tuple[Reads, float]:
    """Where the member reads each leaf, as maps of its own iteration space; its cost per point."""
    if node not in parts.seen:
        parts.seen[node] = _find_reads(parts, node)
    return parts.seen[node]


def _find_reads(parts: Partition, node: Node) -> tuple[Reads, float]:
    if kind_of(node) == REDUCTION:
        point = reduction_point(node)
        writer = BodyWriter(len(point[0].coefficients) if point else 0, parts.is_leaf, parts.ranges)
        writer.value(node.inputs[0], point)
    else:
        rank = len(node.types[0].shape)
        writer = BodyWriter(rank, lambda v: v.node is not node and parts.is_leaf(v), parts.ranges)
        writer.value(node.result, identity_point(rank))
    reads: Reads = {}
    for value, map in writer.reads:
        reads.setdefault(value, set()).add(map)
    return reads, _count(writer)


def _count(writer: BodyWriter) -> float:
    """Scalar ops of the body so far, dear ones weighted."""
    return sum(_WEIGHT.get(op, 1.0) for op in writer.builder.op_names)


_WEIGHT = {
    "math.exp": 12.0,
    "math.tanh": 20.0,
    "math.powf": 60.0,
    "math.sin": 30.0,
    "math.cos": 30.0,
}


def _absorb(parts: Partition, cluster: Cluster) -> None:
    """Merge `cluster` with the producers and siblings with which it may and should share a
    kernel.
    """
    while True:
        options = {p for p in cluster.producers if can_join(parts, p, cluster)}
        options |= {p for p in _siblings(parts, cluster) if can_join(parts, p, cluster)}
        if not options:
            break
        best = max(options, key=lambda p: (gain(p, cluster), -p.number))
        cluster = _merge(parts, best, cluster)


def _siblings(parts: Partition, cluster: Cluster) -> set[Cluster]:
    """Clusters that read much of what `cluster` reads: together they read it once."""
    found = {
        other
        for value in cluster.reads
        for other in list(parts.readers.get(value, ()))[-SIBLINGS:]
        if other is not cluster and other.outer is not None
    }
    made = sum(t.nbytes for n in cluster.members for t in n.types)
    return {other for other in found if gain(other, cluster) >= made / 4}


def gain(producer: Cluster, consumer: Cluster) -> float:
    """Bytes that need not be read again when the two run as one kernel."""
    made = [v for v in consumer.reads if v.node in producer.levels]
    shared = [v for v in consumer.reads if v in producer.reads]
    return float(sum(v.type.nbytes + 64 for v in made) + sum(v.type.nbytes for v in shared))


# -- legality -------------------------------------------------------------------------------------
def can_join(parts: Partition, producer: Cluster, consumer: Cluster) -> bool:
    """Whether one kernel may compute both: one iteration space, no read of another point, no
    cycle.
    """
    if producer.outer is None or consumer.outer is None:
        return False
    if producer.cost + consumer.cost > MAX_COST:
        return False
    space = _common_space(producer, consumer)
    if space is None:
        return False
    outer, row = space
    levels = {**_levels_in(producer, outer, row), **_levels_in(consumer, outer, row)}
    for reader, read in ((consumer, producer), (producer, consumer)):
        if not _reads_are_local(parts, reader, read, levels, len(outer), len(row)):
            return False
    if not _row_fits(parts, producer, consumer, levels, outer, row):
        return False
    if not _passes_pay(parts, producer, consumer):
        return False
    return not (
        _reaches(consumer.producers - {producer}, producer)
        or _reaches(producer.producers - {consumer}, consumer)
    )


def _common_space(a: Cluster, b: Cluster) -> tuple[Shape, Shape] | None:
    """The iteration space (outer, row) that both fit, or None."""
    assert a.outer is not None and b.outer is not None
    if a.contract is not None or b.contract is not None:
        plain = a.row == b.row == () and a.outer == b.outer and b.reduces is None
        one = a.contract is not None and b.contract is None
        # what follows a product reads by maps: a place that is computed needs a kernel of its own
        mapped = all(None not in maps for maps in b.reads.values())
        return (a.outer, ()) if plain and one and mapped else None
    if a.reduces is not None and b.reduces is not None:
        same = a.outer == b.outer and a.row == b.row and a.reduces == b.reduces
        return (a.outer, a.row) if same else None
    if a.reduces is None and b.reduces is None:
        return (a.outer, ()) if a.outer == b.outer else None
    reducing, mapping = (a, b) if a.reduces is not None else (b, a)
    assert reducing.outer is not None and mapping.outer is not None
    if mapping.outer == reducing.outer:
        return reducing.outer, reducing.row
    if reducing.trailing and mapping.outer == reducing.outer + reducing.row:
        return reducing.outer, reducing.row
    return None


def _levels_in(cluster: Cluster, outer: Shape, row: Shape) -> dict[Node, str]:
    """The level of each member in a space: a map over outer × row moves to the row level."""
    if cluster.is_map and row and cluster.outer == outer + row:
        return {node: ROW for node in cluster.members}
    return cluster.levels


def _reads_are_local(
    parts: Partition,
    consumer: Cluster,
    producer: Cluster,
    levels: dict[Node, str],
    outer: int,
    row: int,
) -> bool:
    """Every member reads other members at its own point only."""
    together = set(producer.members) | set(consumer.members)
    for node in consumer.members:
        if kind_of(node) == OPAQUE:  # a product reads all of its factors
            if any(v.node in together for v in node.inputs):
                return False
            continue
        reads, _ = member_reads(parts, node)
        wide = levels[node] == ROW or kind_of(node) == REDUCTION
        dims = outer + row if wide else outer
        for value, maps in reads.items():
            if value.node not in together:
                continue
            if levels[value.node] == ROW:
                wanted = AffineMap.identity(outer + row) if wide else None
            else:
                wanted = AffineMap.select(dims, range(outer))
            if wanted is None or maps != {wanted}:
                return False
    return True


def _row_fits(
    parts: Partition,
    producer: Cluster,
    consumer: Cluster,
    levels: dict[Node, str],
    outer: Shape,
    row: Shape,
) -> bool:
    """Row values must stay in cache, and a long row is for one thread only where there are many."""
    kept = [n for n, level in levels.items() if level == ROW]
    if not kept:
        return True
    length = _size(row)
    if sum(n.types[0].dtype.itemsize for n in kept) * length > ROW_BYTES:
        return False
    return length < SERIAL_ROW or _size(outer) >= 8


def _passes_pay(parts: Partition, a: Cluster, b: Cluster) -> bool:
    """Whether two reductions, of which one needs the other's result, should share rows: rows have
    to be contiguous in memory, and short enough for the cache or many enough for all threads.
    """
    if a.reduces is None or b.reduces is None or a.is_cumulative or b.is_cumulative:
        return True
    chained = any(v.node in a.levels for v in b.reads) or any(v.node in b.levels for v in a.reads)
    if not chained:
        return True
    assert a.outer is not None
    few = _size(a.outer) < 8 and _size(a.row) >= SERIAL_ROW
    return not few and not any(_runs_across(parts, n, len(a.outer)) for n in a.members + b.members)


def _runs_across(parts: Partition, node: Node, outer: int) -> bool:
    """Whether a reduction reads more memory that is contiguous along its results than along its
    row.
    """
    if kind_of(node) != REDUCTION:
        return False
    score = 0
    for value, maps in member_reads(parts, node)[0].items():
        for map in maps:
            if map is not None and map.rows:
                steps = map.rows[-1][0]
                score += value.type.size * (any(steps[:outer]) - any(steps[outer:]))
    return score > 0


def _size(shape: Iterable[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _reaches(starts: Iterable[Cluster], target: Cluster, limit: int = 128) -> bool:
    """Whether `target` is among what `starts` depend on; true also where the search was cut
    short.
    """
    pending, seen = list(starts), set(starts)
    while pending:
        cluster = pending.pop()
        if cluster is target:
            return True
        for producer in cluster.producers:
            if producer not in seen:
                if len(seen) > limit:
                    return True
                seen.add(producer)
                pending.append(producer)
    return False


def _merge(parts: Partition, producer: Cluster, consumer: Cluster) -> Cluster:
    """One cluster in the producer's place."""
    space = _common_space(producer, consumer)
    assert space is not None
    outer, row = space
    producer.levels = {**_levels_in(producer, outer, row), **_levels_in(consumer, outer, row)}
    producer.outer, producer.row = outer, row
    producer.members = producer.members + consumer.members
    if producer.reduces is None:
        producer.reduces, producer.trailing = consumer.reduces, consumer.trailing
    producer.contract = producer.contract or consumer.contract
    producer.cost += consumer.cost
    own = set(producer.members)
    for value, maps in consumer.reads.items():
        if value.node not in own:
            producer.reads.setdefault(value, set()).update(maps)
    producer.producers = (producer.producers | consumer.producers) - {producer, consumer}
    for node in consumer.members:
        parts.home[node] = producer
    for value in consumer.reads:
        readers = parts.readers.get(value)
        if readers is not None and readers.pop(consumer, False) is None and value in producer.reads:
            readers[producer] = None
    for other in consumer.producers:
        other.consumers.discard(consumer)
    for other in producer.producers:
        other.consumers.add(producer)
    for other in consumer.consumers - {producer}:
        other.producers.discard(consumer)
        other.producers.add(producer)
    producer.consumers = (producer.consumers | consumer.consumers) - {producer, consumer}
    return producer


def _ordered(parts: Partition) -> list[Cluster]:
    """Clusters with producers before consumers, otherwise in order of their first member."""
    done: set[Cluster] = set()
    order: list[Cluster] = []
    for start in sorted(set(parts.home.values()), key=lambda c: c.number):
        stack = [start]
        while stack:
            cluster = stack[-1]
            waiting = sorted(
                (p for p in cluster.producers if p not in done), key=lambda c: c.number
            )
            if waiting:
                assert not set(waiting) & set(stack), "clusters depend on each other"
                stack.append(waiting[0])
                continue
            stack.pop()
            if cluster not in done:
                done.add(cluster)
                order.append(cluster)
    return order
