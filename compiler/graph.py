"""The dataflow graph: immutable interned nodes, sealed Graphs, and the Builder that makes them.

Takes: op names, input Values, attributes, result types (the op table infers them, `opdef.py`).
Gives: Value, Node, Graph, Builder. Common subexpressions merge by interning, dead code is what the
results do not reach, a rewrite is a bottom-up rebuild.
Must not know: what any op means (only `param`, and that an attribute may be a Graph).
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import TraceError
from .mlir.ir import Dense, Loc
from .types import TensorType

if TYPE_CHECKING:
    import networkx

NO_ATTRS: Mapping[str, Any] = MappingProxyType({})


class Node:
    """One operation: a name, its inputs, its attributes and a tuple of result types. Never changed.

    Equality is identity: a Builder makes equal nodes one node.
    """

    __slots__ = ("__weakref__", "attrs", "inputs", "op", "types")

    def __init__(
        self,
        op: str,
        inputs: tuple[Value, ...],
        attrs: Mapping[str, Any],
        types: tuple[TensorType, ...],
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.types = types

    @property
    def result(self) -> Value:
        """The first (mostly only) result."""
        return Value(self, 0)

    @property
    def results(self) -> tuple[Value, ...]:
        return tuple(Value(self, k) for k in range(len(self.types)))

    def __repr__(self) -> str:
        types = ", ".join(map(str, self.types))
        return f"<{self.op} {types}>"


class Value(NamedTuple):
    """Result `index` of `node`."""

    node: Node
    index: int  # type: ignore[assignment]  # tuple.index is not for a Value

    @property
    def type(self) -> TensorType:
        return self.node.types[self.index]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.types[self.index].shape

    @property
    def op(self) -> str:
        return self.node.op


def attribute_key(value: Any) -> Hashable:
    """A hashable stand-in that tells apart what Python's equality does not: 1, True, 1.0, -0.0."""
    kind = type(value)
    if kind is int or kind is str:  # by far the most frequent, with the next
        return value  # type: ignore[no-any-return]
    if kind is tuple and set(map(type, value)) == {int}:
        return ("ints", value)
    fingerprint = getattr(value, "fingerprint", None)  # a Graph, a Kernel, a constant
    if fingerprint is not None:
        return (type(value).__name__, fingerprint)
    if isinstance(value, float):
        return ("float", struct.pack("<d", value))
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, tuple):
        return ("tuple", *map(attribute_key, value))
    if isinstance(value, Dense):
        return ("dense", str(value.type), value.data.shape, value.data.tobytes())
    return value  # type: ignore[no-any-return]


def attributes_key(attrs: Mapping[str, Any]) -> Hashable:
    """The key of a whole attribute mapping, in name order."""
    if not attrs:
        return ()
    return tuple((name, attribute_key(attrs[name])) for name in sorted(attrs))


def topological(results: Iterable[Value], stop: Callable[[Node], bool] | None = None) -> list[Node]:
    """All nodes that `results` reach, inputs before users, in an order fixed by the graph alone.

    Nodes for which `stop` is true are listed, but not looked behind.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    for result in results:
        stack: list[tuple[Node, int]] = [(result.node, 0)]
        while stack:
            node, position = stack.pop()
            if position == 0:
                if node in seen:
                    continue
                seen.add(node)
            inputs = () if stop is not None and stop(node) else node.inputs
            while position < len(inputs):
                child = inputs[position].node
                position += 1
                if child not in seen:
                    stack.append((node, position))
                    stack.append((child, 0))
                    break
            else:
                order.append(node)
    return order


class Graph:
    """A closed dataflow function: parameters, results, and the user's lines beside them.

    Every free value is a parameter; `verify.py` checks it. `locs[node]` are the source locations of
    a node, more than one where equal nodes were merged.
    """

    def __init__(
        self,
        name: str,
        params: Sequence[Value],
        results: Sequence[Value],
        locs: Mapping[Node, tuple[Loc, ...]] | None = None,
        param_names: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.params = tuple(params)
        self.results = tuple(results)
        self.locs: Mapping[Node, tuple[Loc, ...]] = locs if locs is not None else {}
        self.param_names = tuple(param_names) or ("",) * len(self.params)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes but the parameters, inputs first."""
        return tuple(n for n in topological(self.results) if n.op != "param")

    @property
    def param_types(self) -> tuple[TensorType, ...]:
        return tuple(p.type for p in self.params)

    @property
    def result_types(self) -> tuple[TensorType, ...]:
        return tuple(r.type for r in self.results)

    @cached_property
    def uses(self) -> Mapping[Node, tuple[Node, ...]]:
        """The nodes that read each node (a result of the graph is no node)."""
        found: dict[Node, list[Node]] = {n: [] for n in topological(self.results)}
        for node in self.nodes:
            for producer in dict.fromkeys(v.node for v in node.inputs):
                found[producer].append(node)
        return {node: tuple(users) for node, users in found.items()}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the structure: equal exactly for graphs that compute the same in the same
        way.
        """
        digest = hashlib.sha256()
        number: dict[Node, int] = {}
        for k, param in enumerate(self.params):
            number[param.node] = -1 - k
            digest.update(f"p{param.type}".encode())
        for k, node in enumerate(self.nodes):
            number[node] = k
            inputs = [(number.get(v.node, "free"), v.index) for v in node.inputs]
            digest.update(repr((node.op, inputs, attributes_key(node.attrs), node.types)).encode())
        digest.update(repr([(number.get(v.node, "free"), v.index) for v in self.results]).encode())
        return digest.hexdigest()

    def walk(self) -> Iterator[Graph]:
        """This graph and every graph held in an attribute, outermost first."""
        yield self
        for node in self.nodes:
            for attr in node.attrs.values():
                for inner in attr if isinstance(attr, tuple) else (attr,):
                    if isinstance(inner, Graph):
                        yield from inner.walk()

    def to_networkx(self) -> networkx.MultiDiGraph:
        """This graph for networkx: a vertex per node (attributes `op`, `types`), an edge per
        operand.
        """
        import networkx  # costs 90 ms: imported by those who ask for it alone

        result = networkx.MultiDiGraph(name=self.name)
        for node in topological(self.results):
            result.add_node(node, op=node.op, types=tuple(map(str, node.types)))
            for position, value in enumerate(node.inputs):
                result.add_edge(value.node, node, operand=position, result=value.index)
        return result


_scopes = itertools.count(1)


class Builder:
    """Makes nodes for one trace; equal nodes are made once.

    A child Builder (`parent`) traces the body of a control-flow op: it finds its parents' nodes,
    and `close` turns the outer values that its body uses into leading parameters (captures).
    """

    def __init__(self, parent: Builder | None = None, name: str = "main") -> None:
        self.parent = parent
        self.name = name
        self.scope = next(_scopes)
        self.params: list[Value] = []
        self.param_names: list[str] = []
        self.locs: dict[Node, tuple[Loc, ...]] = {}
        self.current: tuple[Loc, ...] = ()  # what new nodes are noted with, set by passes
        self._nodes: dict[Hashable, Node] = {}
        self._owned: set[Node] = set()

    def param(self, type: TensorType, name: str = "") -> Value:
        """A new parameter of this scope."""
        attrs = {"index": len(self.params), "scope": self.scope}
        value = Node("param", (), attrs, (type,)).result
        self._owned.add(value.node)
        self.params.append(value)
        self.param_names.append(name)
        return value

    def here(self) -> tuple[Loc, ...]:
        """The user's lines for the node being made. Tracing overrides it with a look at the
        stack.
        """
        return self.current

    @property
    def op_names(self) -> list[str]:
        """The ops of the nodes made so far."""
        return [node.op for node in self._nodes.values()]

    def owner(self, node: Node) -> Builder | None:
        """The builder among this one and its parents that made `node`, or None."""
        scope: Builder | None = self
        while scope is not None and node not in scope._owned:
            scope = scope.parent
        return scope

    def add(
        self,
        op: str,
        inputs: tuple[Value, ...],
        attrs: Mapping[str, Any],
        types: tuple[TensorType, ...],
        locs: tuple[Loc, ...] = (),
    ) -> Node:
        """The node with this op, inputs and attributes: found, or made."""
        key = (op, inputs, attributes_key(attrs), types)
        scope: Builder | None = self
        while scope is not None:
            node = scope._nodes.get(key)
            if node is not None:
                scope._note(node, locs)
                return node
            scope = scope.parent
        for value in inputs:
            if self.owner(value.node) is None:
                raise TraceError(
                    "a traced value was used outside of the function in which it was traced; "
                    "return it from that function instead of keeping it",
                    locs[0] if locs else None,
                )
        node = Node(op, inputs, attrs, types)
        self._nodes[key] = node
        self._owned.add(node)
        self._note(node, locs)
        return node

    def _note(self, node: Node, locs: tuple[Loc, ...]) -> None:
        known = self.locs.get(node, ())
        fresh = tuple(loc for loc in locs if loc not in known)
        if fresh:
            self.locs[node] = known + fresh

    def inline(
        self,
        results: Iterable[Value],
        mapping: dict[Value, Value],
        locs: Mapping[Node, tuple[Loc, ...]] = NO_ATTRS,  # type: ignore[assignment]
        replace: Replace | None = None,
    ) -> list[Value]:
        """Rebuild what `results` reach inside this builder, with `mapping` for the leaves.

        `replace(builder, node, inputs)` may give the values of a node's results instead of a copy.
        A node that neither the mapping nor its inputs change and that this builder knows stays
        itself. Of a node in the mapping, results that are not there are made when they are read.
        """
        wanted = list(results)

        def made_of(node: Node) -> None:
            inputs = tuple([found(v) for v in node.inputs])
            made = replace(self, node, inputs) if replace is not None else None
            if made is None:
                made = self.add(node.op, inputs, node.attrs, node.types, locs.get(node, ())).results
            for k, value in enumerate(made):
                mapping.setdefault(Value(node, k), value)

        def found(value: Value) -> Value:
            if value not in mapping:
                self.inline(value.node.inputs, mapping, locs, replace)
                made_of(value.node)
            return mapping[value]

        def is_leaf(node: Node) -> bool:
            if Value(node, 0) in mapping:
                return True
            return any(Value(node, k) in mapping for k in range(1, len(node.types)))

        for node in topological(wanted, stop=is_leaf):
            if is_leaf(node):
                continue
            if node.op == "param":
                mapping[Value(node, 0)] = Value(node, 0)
            else:
                made_of(node)
        return [found(v) for v in wanted]

    def graph(self, results: Sequence[Value], name: str | None = None) -> Graph:
        """The closed Graph of this (outermost) builder's parameters and `results`."""
        return Graph(name or self.name, self.params, results, self.locs, self.param_names)

    def close(self, results: Sequence[Value], name: str | None = None) -> tuple[Graph, list[Value]]:
        """The closed Graph of a body, and the outer values that it captures.

        Captures come first among its parameters, in order of first use; constants and other nodes
        without inputs are copied into the body instead.
        """
        order = topological(results, stop=lambda n: n not in self._owned)
        captures = list(
            dict.fromkeys(
                v
                for user in order
                for v in (user.inputs if user in self._owned else ())
                if v.node not in self._owned and not _is_source(v.node)
            )
        )
        captures += [
            v
            for v in dict.fromkeys(results)
            if v.node not in self._owned and not _is_source(v.node) and v not in captures
        ]
        sealed = Builder(name=name or self.name)
        mapping = {c: sealed.param(c.type) for c in captures}
        for value, label in zip(self.params, self.param_names):
            mapping[value] = sealed.param(value.type, label)
        return sealed.graph(sealed.inline(results, mapping, self.locs)), captures


def _is_source(node: Node) -> bool:
    return not node.inputs and node.op != "param"


Replace = Callable[[Builder, Node, tuple[Value, ...]], "Sequence[Value] | None"]


def rewrite(graph: Graph, replace: Replace) -> Graph:
    """Rebuild `graph` bottom-up; `replace` may give other values for a node's results."""
    builder = Builder(name=graph.name)
    mapping = {p: builder.param(p.type, name) for p, name in zip(graph.params, graph.param_names)}
    return builder.graph(builder.inline(graph.results, mapping, graph.locs, replace))
