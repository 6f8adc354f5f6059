"""Partial evaluation: what can be computed before the tangents are known, and what cannot.

Takes: a Graph and which parameters are unknown. Gives: a known Graph (results and residuals) and an
unknown one that takes the residuals. No work is done twice, but a residual that is a mere view
(broadcast, reshape, constant) is computed again rather than kept. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..graph import Builder, Graph, Node, Value, topological
from ..mlir.ir import Loc
from ..opdef import OPS
from ..types import token
from .reach import dependents
from .rules import SPLIT


class Split(NamedTuple):
    """Known: known parameters → known results, residuals. Unknown: residuals, unknown parameters →
    unknown results. `out_unknown[k]` says to which of the two result k belongs."""

    known: Graph
    unknown: Graph
    out_unknown: list[bool]
    residuals: int


def split_graph(graph: Graph, unknown: Sequence[bool], force: Sequence[bool] = ()) -> Split:
    """Cut `graph` where its unknown parameters come in; results in `force` count as unknown."""
    graph = separate(graph, unknown)
    seeds = {p.node for p, flag in zip(graph.params, unknown, strict=True) if flag}
    linear = dependents(graph.results, seeds)
    inside = seeds.union(linear)
    forced = force or (False,) * len(graph.results)
    out_unknown = [r.node in inside or f for r, f in zip(graph.results, forced)]

    b = Builder(name=f"{graph.name}_unknown")
    cut = Cut(b, graph, inside)
    wanted = [r for r, flag in zip(graph.results, out_unknown) if flag]
    cut.find(linear, wanted)
    tangents = [
        b.param(p.type, name)
        for p, name, flag in zip(graph.params, graph.param_names, unknown)
        if flag
    ]
    mapping = dict(zip((p for p, flag in zip(graph.params, unknown) if flag), tangents))
    mapping.update(cut.mapping)
    for node in linear:  # not `inline`: of a known node only some results may have crossed
        inputs = tuple(mapping[v] for v in node.inputs)
        made = b.add(node.op, inputs, node.attrs, node.types, graph.locs.get(node, ()))
        mapping.update(zip(node.results, made.results))
    results = [mapping[v] for v in wanted]
    residuals = list(cut.residuals)
    known = Graph(
        f"{graph.name}_known",
        [p for p, flag in zip(graph.params, unknown) if not flag],
        [r for r, flag in zip(graph.results, out_unknown) if not flag] + residuals,
        graph.locs,
        [n for n, flag in zip(graph.param_names, unknown) if not flag],
    )
    return Split(known, b.graph(results), out_unknown, len(residuals))


class Cut:
    """The residuals of a cut graph: parameters of a new builder for known values that cross over.

    `mapping` gives the known values inside `b`: a residual's parameter, or a view rebuilt on one.
    """

    def __init__(self, b: Builder, graph: Graph, unknown: set[Node]) -> None:
        self.b = b
        self.graph = graph
        self.unknown = unknown
        self.residuals: dict[Value, Value] = {}
        self.mapping: dict[Value, Value] = {}

    def find(self, linear: Sequence[Node], results: Sequence[Value]) -> None:
        """Make the residuals that the unknown nodes and results read."""
        for node in linear:
            for value in node.inputs:
                self.known(value)
        for value in results:
            self.known(value)

    def known(self, value: Value) -> None:
        """Enter `value` into the mapping, where it is a known one."""
        if value.node in self.unknown or value in self.mapping:
            return
        if not is_cheap(value.node):
            self._keep(value)
            return
        for node in topological([value], stop=lambda n: not is_cheap(n)):
            source = node.result if is_cheap(node) else None
            if source is None:
                continue
            for v in node.inputs:
                if v not in self.mapping and not is_cheap(v.node):
                    self._keep(v)
            if source not in self.mapping:
                locs = self.graph.locs.get(node, ())
                inputs = tuple(self.mapping[v] for v in node.inputs)
                self.mapping[source] = self.b.add(
                    node.op, inputs, node.attrs, node.types, locs
                ).result

    def _keep(self, value: Value) -> None:
        """Make a residual. A token is none: effects belong to the known part and come before."""
        if value.type.dtype is token:
            self.mapping[value] = OPS["token"](self.b)
            return
        self.mapping[value] = self.residuals[value] = self.b.param(value.type)


_VIEWS = ("reshape", "transpose", "named")


def is_cheap(node: Node) -> bool:
    """Whether recomputing the node costs less memory traffic than keeping its result."""
    if node.op in ("constant", "iota") or node.op in _VIEWS:
        return True
    if node.op == "broadcast":
        return True
    if node.op == "convert":
        return node.inputs[0].type.dtype.bits < node.types[0].dtype.bits
    return False


def separate(graph: Graph, unknown: Sequence[bool]) -> Graph:
    """The same graph, in which no op with a body mixes results that depend on the unknown
    parameters with results that need not."""
    if not any(node.op in SPLIT for node in graph.nodes):
        return graph
    b = Builder(name=graph.name)
    mapping = {p: b.param(p.type, name) for p, name in zip(graph.params, graph.param_names)}
    seeds = {mapping[p].node for p, flag in zip(graph.params, unknown) if flag}
    return b.graph(separate_values(b, graph.results, seeds, graph.locs, mapping))


def separate_values(
    b: Builder,
    results: Sequence[Value],
    seeds: set[Node],
    locs: Mapping[Node, tuple[Loc, ...]],
    mapping: dict[Value, Value] | None = None,
) -> list[Value]:
    """As `separate`, for values rebuilt inside `b`; `seeds` are the unknown nodes of `b`."""
    if mapping is None and not any(n.op in SPLIT for n in topological(results)):
        return list(results)
    depends = Dependence(seeds)
    outer = b.current

    def replace(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if node.op not in SPLIT:
            return None
        flags = [depends(v) for v in inputs]
        if not any(flags):
            return None
        b.current = locs.get(node, ())
        return SPLIT[node.op](b, Node(node.op, inputs, node.attrs, node.types), flags)

    values = b.inline(results, {} if mapping is None else mapping, locs, replace)
    b.current = outer
    return values


class Dependence:
    """Whether values of a growing builder depend on the seeds; each node is looked at once."""

    def __init__(self, seeds: set[Node]) -> None:
        self.known = dict.fromkeys(seeds, True)

    def __call__(self, value: Value) -> bool:
        if value.node not in self.known:
            for node in topological([value], stop=self._seen):
                if node not in self.known:
                    self.known[node] = any(self.known[v.node] for v in node.inputs)
        return self.known[value.node]

    def any(self, values: Iterable[Value]) -> bool:
        """Whether any of the values depends on the seeds."""
        return any(self(v) for v in values)

    def _seen(self, node: Node) -> bool:
        return node in self.known
