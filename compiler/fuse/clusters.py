"""Decides which ops run as one kernel: `can_join` is legality, `gain` is profit.

Takes: a decomposed Graph. Gives: Clusters in an order in which they can run.
A cluster has members (values it computes), each at one of two levels of one iteration space:
`outer` points, or `outer × row` points. Everything between members is inlined into them.
Must not know: how a body is written (it asks `BodyWriter` where a member reads), or schedules.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from ..graph import Graph, Node, Value, topological
from ..mlir.ir import AffineMap
from ..opdef import OPS
from ..types import Shape
from .body import BodyWriter, Linear, identity_point
from .scatter import scatter_kernel

INLINE_COST = 2.0
"""An elementwise value with several readers is computed again in each while it costs no more than
this.
"""
EXPANDED_COST = 1.0
"""The same for a value that its reader repeats along an axis."""
MAX_COST = 600.0
"""Machine operations per point in one kernel: beyond it registers spill and compile time grows."""
MAX_DEPTH = 60
"""The longest chain that is inlined through a view."""
ROW_BYTES = 256 * 1024
"""What the rows that a kernel keeps between its passes may take: they should stay in the L2
cache.
"""
SERIAL_ROW = 16384
"""A row of this length or more is too long for one thread when there are few rows."""

ELEMENTWISE, MOVEMENT, SOURCE, REDUCTION, OPAQUE = (
    "elementwise", "movement", "source", "reduction", "opaque",
)  # fmt: skip
OUTER, ROW = "outer", "row"
CONTRACTIONS = ("dot_general", "conv")
"""Opaque ops that become multiply-add Generics, with what follows fused in."""
UPDATES = ("scatter", "dynamic_update_slice")
"""Opaque ops that inline their updates and indices, but not the array that they update."""


def kind_of(node: Node) -> str:
    """How fusion sees a node; what it cannot look into is opaque and gets a step of its own."""
    if node.op == "param":
        return OPAQUE
    family = OPS[node.op].family
    if family == "window":
        return REDUCTION
    if family == "source" and node.op == "constant" and node.attrs["value"].data.size != 1:
        return OPAQUE
    return family if family in (ELEMENTWISE, MOVEMENT, SOURCE, REDUCTION) else OPAQUE


@dataclass(eq=False)
class Cluster:
    """Members run as one kernel. `outer` is the shape of the points that may run in parallel,
    `row` that of the inner points; both None for an opaque node, which is alone.

    `reduces` says which reduction its row is (the axes, or a window), `trailing` whether the row is
    the operand's last axes, in order. Until it holds a reduction a map's whole shape is `outer`.
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
    reads: dict[Value, set[AffineMap | None]] = field(default_factory=dict)
    producers: set[Cluster] = field(default_factory=set)

    @property
    def is_map(self) -> bool:
        return self.reduces is None and self.contract is None and self.outer is not None


@dataclass
class Partition:
    """The clusters of a graph and which values are leaves (read from memory, not recomputed)."""

    graph: Graph
    roots: set[Node]
    aliases: set[Node]
    home: dict[Node, Cluster] = field(default_factory=dict)
    readers: dict[Value, list[Cluster]] = field(default_factory=dict)
    clusters: list[Cluster] = field(default_factory=list)

    def is_leaf(self, value: Value) -> bool:
        """Whether `value` is in memory, or computed by some cluster as a member."""
        kind = kind_of(value.node)
        return kind == OPAQUE or (kind != SOURCE and value.node in self.roots)


# -- which values get a place of their own --------------------------------------------------------
def find_aliases(graph: Graph) -> set[Node]:
    """The reshapes that only give a buffer another shape, because their operand will be in memory.

    Those are the ones that would take divisions to inline, and those that need a place anyway.
    """
    results = {v.node for v in graph.results}
    found: set[Node] = set()
    for node in reversed(graph.nodes):
        if node.op != "reshape" or kind_of(node.inputs[0].node) == SOURCE:
            continue
        needed = node in results or any(
            kind_of(u) == OPAQUE or u in found for u in graph.uses[node]
        )
        if needed or _splits(node.inputs[0].shape, node.types[0].shape):
            found.add(node)
    return found


def _splits(shape: Shape, to: Shape) -> bool:
    """Whether reading a `shape` buffer at points of `to` divides an index.

    It does where one axis of `to` spans several of `shape`, or part of one.
    """
    if 0 in shape:
        return False
    mine = [n for n in to if n != 1]
    yours = [n for n in shape if n != 1]
    while mine and yours:
        a, b, parts = mine.pop(0), yours.pop(0), 1
        while a != b:
            if a < b:
                a *= mine.pop(0)
            else:
                b *= yours.pop(0)
                parts += 1
        if parts > 1:
            return True
    return False


def find_roots(graph: Graph, aliases: set[Node]) -> set[Node]:
    """The nodes that are members of a cluster; all other nodes are inlined into their readers."""
    roots: set[Node] = set()
    cost: dict[Node, float] = {}
    depth: dict[Node, int] = {}
    follows: set[Node] = set()  # elementwise chains that start at a matrix product
    results = {v.node for v in graph.results}
    for node in graph.nodes:
        kind = kind_of(node)
        inner = [v.node for v in node.inputs if v.node not in roots and v.node in cost]
        cost[node] = OPS[node.op].cost + sum(cost[n] for n in inner)
        depth[node] = 1 + max((depth[n] for n in inner), default=0)
        opaque_user = any(u in aliases or _wants_memory(u, node, roots) for u in graph.uses[node])
        if kind == ELEMENTWISE and any(
            v.op in CONTRACTIONS or v.node in follows for v in node.inputs
        ):
            follows.add(node)
            opaque_user |= any(kind_of(u) != ELEMENTWISE for u in graph.uses[node])
        always = kind in (REDUCTION, OPAQUE) or node in results or node in aliases or opaque_user
        if always or (kind != SOURCE and _needs_place(graph, node, cost, depth)):
            roots.add(node)
        if node in roots:
            cost[node], depth[node] = 0.0, 0
    return roots


def _wants_memory(user: Node, node: Node, roots: set[Node]) -> bool:
    """Whether `user` must find `node` in memory.

    An update of one element may inline what it writes, whatever that reads; a longer one inlines
    only what cannot read the array while it changes, so never what depends on it.
    """
    if user.op not in UPDATES:
        return kind_of(user) == OPAQUE
    if any(v.node is node for v in user.inputs[:1]):
        return True
    updates = user.inputs[1 if user.op == "dynamic_update_slice" else 2]
    array = user.inputs[0].node
    return updates.type.size > 1 and array in topological([node.result], stop=roots.__contains__)


def _needs_place(graph: Graph, node: Node, cost: dict[Node, float], depth: dict[Node, int]) -> bool:
    users = graph.uses[node]
    if cost[node] > MAX_COST / 4 or depth[node] > MAX_DEPTH:
        return True
    if kind_of(node) == MOVEMENT:
        return False
    if len(users) > 1 and cost[node] > INLINE_COST:
        return True
    repeated = any(
        u.op == "reduce_window"
        or (kind_of(u) == MOVEMENT and max(t.size for t in u.types) > node.types[0].size)
        for u in users
    )
    return repeated and cost[node] > EXPANDED_COST


# -- clusters -------------------------------------------------------------------------------------
def partition(graph: Graph) -> Partition:
    """Cut `graph` into clusters, in an order in which they can run."""
    aliases = find_aliases(graph)
    parts = Partition(graph, find_roots(graph, aliases), aliases)
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
        cluster.reads, cluster.cost = member_reads(parts, node)
    else:
        cluster = Cluster(number, [node], node.types[0].shape, (), {node: OUTER})
        cluster.reads, cluster.cost = member_reads(parts, node)
    cluster.producers = {parts.home[v.node] for v in cluster.reads if v.node in parts.home}
    parts.clusters.append(cluster)
    parts.home[node] = cluster
    if kind != OPAQUE:
        for value in cluster.reads:
            parts.readers.setdefault(value, []).append(cluster)
    return cluster


def _opaque_reads(parts: Partition, node: Node) -> list[Value]:
    if node.op not in UPDATES:
        return list(node.inputs)
    return scatter_kernel(node, parts.is_leaf)[1]


def reduction_space(node: Node) -> tuple[Shape, Shape, Hashable, bool]:
    """A reduction's outer and row shapes, a key that names its row, and whether the row is
    trailing.
    """
    shape, attrs = node.inputs[0].shape, node.attrs
    if node.op == "reduce_window":
        key = (attrs["window"], attrs["stride"], attrs["window_dilation"], shape)
        return node.types[0].shape, tuple(attrs["window"]), key, False
    axes = tuple(attrs["axes"])
    kept = tuple(k for k in range(len(shape)) if k not in axes)
    trailing = axes == tuple(range(len(kept), len(shape)))
    return tuple(shape[k] for k in kept), tuple(shape[k] for k in axes), axes, trailing


def reduction_point(node: Node) -> tuple[Linear, ...]:
    """Where a reduction reads its operand at a point of its space (outer dims first, then the
    row).
    """
    rank = len(node.inputs[0].shape)
    if node.op == "reduce_window":
        point = []
        for k, (stride, step) in enumerate(
            zip(node.attrs["stride"], node.attrs["window_dilation"])
        ):
            coefficients = [0] * (2 * rank)
            coefficients[k], coefficients[rank + k] = stride, step
            point.append(Linear(tuple(coefficients), 0))
        return tuple(point)
    axes = list(node.attrs["axes"])
    order = [k for k in range(rank) if k not in axes] + axes
    return tuple(identity_point(rank)[order.index(k)] for k in range(rank))


def member_reads(parts: Partition, node: Node) -> tuple[dict[Value, set[AffineMap | None]], float]:
    """Where the member reads each leaf, as maps of its own iteration space, and its cost per
    point.
    """
    if kind_of(node) == REDUCTION:
        point = reduction_point(node)
        writer = BodyWriter(len(point[0].coefficients) if point else 0, parts.is_leaf)
        writer.value(node.inputs[0], point)
    else:
        rank = len(node.types[0].shape)
        writer = BodyWriter(rank, lambda v: v.node is not node and parts.is_leaf(v))
        writer.value(node.result, identity_point(rank))
    reads: dict[Value, set[AffineMap | None]] = {}
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
        for other in parts.readers.get(value, ())
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
    if not _reads_are_local(parts, consumer, producer, levels, len(outer), len(row)):
        return False
    if not _row_fits(parts, producer, consumer, levels, outer, row):
        return False
    return not (
        _reaches(consumer.producers - {producer}, producer)
        or _reaches(producer.producers - {consumer}, consumer)
    )


def _common_space(a: Cluster, b: Cluster) -> tuple[Shape, Shape] | None:
    """The iteration space (outer, row) that both fit, or None."""
    assert a.outer is not None and b.outer is not None
    if a.contract is not None or b.contract is not None:
        plain = a.row == b.row == () and a.outer == b.outer
        one = (a.contract is None) != (b.contract is None)
        return (a.outer, ()) if plain and one and a.contract is not None else None
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
        if kind_of(node) == OPAQUE:
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


def _size(shape: Iterable[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _reaches(starts: Iterable[Cluster], target: Cluster, limit: int = 400) -> bool:
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
    for readers in parts.readers.values():
        if consumer in readers:
            readers[:] = dict.fromkeys(producer if c is consumer else c for c in readers)
    parts.clusters = [c for c in parts.clusters if c is not consumer]
    for cluster in parts.clusters:
        if consumer in cluster.producers:
            cluster.producers = (cluster.producers - {consumer}) | {producer}
    return producer


def _ordered(parts: Partition) -> list[Cluster]:
    """Clusters with producers before consumers, otherwise in order of their first member."""
    done: set[Cluster] = set()
    order: list[Cluster] = []
    for start in sorted(parts.clusters, key=lambda c: c.number):
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
