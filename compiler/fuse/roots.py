"""Which values of a graph get a place of their own; all others are inlined into their readers.

Takes: a decomposed Graph. Gives: the roots, and the reshapes that are only another view of a
buffer. Must not know: kernels, clusters.
"""

from __future__ import annotations

from ..graph import Graph, Node, topological
from ..opdef import OPS
from ..types import Shape

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

ELEMENTWISE, MOVEMENT, SOURCE, REDUCTION, OPAQUE = (
    "elementwise", "movement", "source", "reduction", "opaque",
)  # fmt: skip
CONTRACTIONS = ("dot_general", "conv")
"""Opaque ops that become multiply-add Generics, with what follows fused in."""
UPDATES = ("scatter", "dynamic_update_slice")
"""Opaque ops that inline their updates and indices, but not the array that they update."""


def is_cumulative(node: Node) -> bool:
    """Whether a node joins elements along an axis and gives what it has at every place."""
    return node.op != "param" and OPS[node.op].route == "cumulative"


def kind_of(node: Node) -> str:
    """How fusion sees a node; what it cannot look into is opaque and gets a step of its own."""
    if node.op == "param":
        return OPAQUE
    family = OPS[node.op].family
    if family == "window" or is_cumulative(node):
        return REDUCTION
    if family == "source" and node.op == "constant" and node.attrs["value"].data.size != 1:
        return OPAQUE
    return family if family in (ELEMENTWISE, MOVEMENT, SOURCE, REDUCTION) else OPAQUE


# -- which values get a place of their own --------------------------------------------------------
def find_aliases(graph: Graph) -> set[Node]:
    """The reshapes that only give a buffer another shape, because their operand will be in memory.

    Those are the ones that would take divisions to inline, and those that need a place anyway.
    """
    results = {v.node for v in graph.results}
    found: set[Node] = set()
    for node in reversed(graph.nodes):
        if not _reshapes(node) or kind_of(node.inputs[0].node) == SOURCE:
            continue
        needed = node in results or any(
            kind_of(u) == OPAQUE or u in found for u in graph.uses[node]
        )
        if needed or _splits(node.inputs[0].shape, node.types[0].shape):
            found.add(node)
    return found


def _reshapes(node: Node) -> bool:
    """Whether a node keeps all elements in their order; a broadcast may only put in axes of 1."""
    if node.op == "broadcast":
        return node.inputs[0].type.size == node.types[0].size
    return node.op == "reshape"


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
    if user.op in CONTRACTIONS and _is_part(node, roots):
        return False
    if user.op not in UPDATES:
        return kind_of(user) == OPAQUE
    if any(v.node is node for v in user.inputs[:1]):
        return True
    updates = user.inputs[1 if user.op == "dynamic_update_slice" else 2]
    array = user.inputs[0].node
    return updates.type.size > 1 and array in topological([node.result], stop=roots.__contains__)


def _is_part(node: Node, roots: set[Node]) -> bool:
    """Whether a product reads a slice in place: it lies in memory, neighbours side by side."""
    if node.op != "slice" or node.attrs["stride"][-1:] != (1,):
        return False
    source = node.inputs[0].node
    return source.op == "param" or source in roots


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
