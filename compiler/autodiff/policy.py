"""Which values of a checkpointed function are kept for its derivative.

A policy is a tuple of terms, and keeps what any of them keeps: `("everything",)`, `("dots",)`,
`("plain_dots",)` (products without batch dimensions), `("only", *names)`, `("but", *names)` (named
values with other names), `("except", *names)` (all values, named or not, without these).
Takes: a Graph and a policy. Gives: values. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from ..graph import Builder, Graph, Node, Value, topological
from ..types import token
from .split import is_cheap

Policy = tuple[tuple[str, ...], ...]
NAMELESS: frozenset[str] = frozenset()


def saved_values(
    graph: Graph, results: Sequence[Value], unknown: set[Node], policy: Policy
) -> list[Value]:
    """The known values behind `results` that the policy keeps and a replay would read first."""
    if not policy:
        return []
    names = _names(graph)

    def keeps(value: Value) -> bool:
        node = value.node
        return (
            node not in unknown
            and bool(node.inputs)
            and value.type.dtype is not token
            and any(_term_keeps(term, value, names.get(value, NAMELESS)) for term in policy)
        )

    kept: dict[Value, None] = {}
    whole: set[Node] = set()

    def stop(node: Node) -> bool:
        """Whether all results of the node are kept, so that nothing behind it is read again."""
        if node not in unknown and all(map(keeps, node.results)):
            whole.add(node)
        return node in whole

    for node in topological(results, stop):
        kept.update(dict.fromkeys(v for v in node.results if keeps(v)))
    return list(kept)


def _names(graph: Graph) -> dict[Value, set[str]]:
    """The names of the values under names: what a derivative reads is seldom the named copy."""
    found: dict[Value, set[str]] = {}
    for node in graph.nodes:
        if node.op == "named":
            value = node.inputs[0]
            while value.node.op == "named":
                value = value.node.inputs[0]
            found.setdefault(value, set()).add(node.attrs["name"])
    return found


def _term_keeps(term: tuple[str, ...], value: Value, names: AbstractSet[str]) -> bool:
    kind, *listed = term
    node = value.node
    if kind == "only":
        return not names.isdisjoint(listed)
    if kind == "but":
        return not names <= set(listed)
    if kind in ("dots", "plain_dots"):
        return node.op == "dot_general" and (kind == "dots" or not node.attrs["lhs_batch"])
    return not is_cheap(node) and (kind == "everything" or names.isdisjoint(listed))


def without_calls(graph: Graph) -> Graph:
    """The same graph with the bodies of its calls written out, so that a policy sees into them."""
    if not any(node.op == "call" for node in graph.nodes):
        return graph
    b = Builder(name=graph.name)
    mapping = {p: b.param(p.type, name) for p, name in zip(graph.params, graph.param_names)}

    def replace(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if node.op != "call":
            return None
        body: Graph = node.attrs["body"]
        return b.inline(
            body.results, dict(zip(body.params, inputs, strict=True)), body.locs, replace
        )

    return b.graph(b.inline(graph.results, mapping, graph.locs, replace))


def with_values_given(graph: Graph, values: Sequence[Value]) -> Graph:
    """The same graph, which takes `values` of its own as further parameters."""
    b = Builder(name=graph.name)
    mapping = {p: b.param(p.type, name) for p, name in zip(graph.params, graph.param_names)}
    mapping.update({v: b.param(v.type) for v in values})
    return b.graph(b.inline(graph.results, mapping, graph.locs))
