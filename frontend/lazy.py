"""The lazy graph: nodes made outside of any trace, and what makes them concrete.

Takes: ops on lazy values. Gives: LazyNode, LAZY (its Builder), leaves, `record` (a cone as a
Graph). A lazy node is not interned; rebuilding the cone in a Builder merges equal ones.
Must not know: how a graph is run.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.errors import TraceError, source_excerpt
from lazir.compiler.graph import NO_ATTRS, Builder, Graph, Node, Value, attributes_key
from lazir.compiler.mlir.ir import Loc
from lazir.compiler.types import DType, TensorType

from .locate import user_location

Array = np.ndarray[Any, Any]

TORCH, FUNCTIONAL = 1, 2
"""Bits of `LazyNode.tracked`: it depends on a tensor that requires a gradient; on the argument of a
running transform (`grad`, `vjp`, …)."""

PENDING_LIMIT = 5_000
"""A pending graph is run when it has this many nodes, so that memory and compile time stay
bounded.
"""

_serials = itertools.count(1)
settings = threading.local()  # .no_grad: whether TORCH tracking is off in this thread


class LazyNode(Node):
    """A node of the lazy graph.

    `data`: the results, where known. `tracked`: see the bits above. `base`: the serial number of
    the oldest node behind it that was pending when it was made. The op `alias` passes its input on.
    `owner`: the handle (weakly) whose gradient ends here, None for most.
    """

    __slots__ = ("base", "data", "locs", "owner", "serial", "tracked")

    def __init__(
        self,
        op: str,
        inputs: tuple[Value, ...],
        attrs: Mapping[str, Any],
        types: tuple[TensorType, ...],
        locs: tuple[Loc, ...],
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.types = types
        self.locs = locs
        self.data: tuple[Array, ...] | None = None
        self.owner: weakref.ref[Any] | None = None
        self.serial = base = next(_serials)
        tracked = 0
        for value in inputs:
            node: Any = value[0]
            tracked |= node.tracked
            if node.data is None and node.base < base and known(value) is None:
                base = node.base
        if tracked and getattr(settings, "no_grad", False):
            tracked &= ~TORCH
        self.tracked = tracked
        self.base = base

    @property
    def window(self) -> int:
        """At least the number of pending nodes behind this one."""
        return self.serial - self.base


class LazyBuilder(Builder):
    """The Builder of code outside of any trace: makes LazyNodes and keeps none of them."""

    def here(self) -> tuple[Loc, ...]:
        return user_location()

    def add(
        self,
        op: str,
        inputs: tuple[Value, ...],
        attrs: Mapping[str, Any],
        types: tuple[TensorType, ...],
        locs: tuple[Loc, ...] = (),
    ) -> Node:
        for value in inputs:
            if type(value[0]) is not LazyNode:
                raise leaked(made_at(value[0]), locs[0] if locs else None)
        return LazyNode(op, inputs, attrs, types, locs)


LAZY = LazyBuilder(name="lazy")


class Locs(dict[Node, tuple[Loc, ...]]):
    """The locations of a trace: a dict that can be referred to weakly."""

    __slots__ = ("__weakref__",)


_recent: deque[weakref.ref[Locs]] = deque(maxlen=256)


def remember(locs: Locs) -> None:
    """Keep (weakly) where the nodes of a trace were made, for the error about a leaked one."""
    _recent.append(weakref.ref(locs))


def made_at(node: Node) -> Loc | None:
    """Where a node of a recent trace was made, if that is still known."""
    for ref in reversed(_recent):
        locs = ref()
        if locs is not None and (found := locs.get(node)):
            return found[0]
    return None


def leaked(made: Loc | None, used: Loc | None) -> TraceError:
    """The error for a traced value that outlived its trace."""
    text = (
        "a traced value was used outside of the function in which it was traced; return it from "
        "that function instead of keeping it"
    )
    if made is not None:
        text += f"\nit was made here:\n{source_excerpt(made)}\nand is used here:"
    return TraceError(text, used)


def leaf(array: Array, dtype: DType, tracked: int = 0) -> LazyNode:
    """A node whose data is known."""
    node = LazyNode("param", (), NO_ATTRS, (TensorType(array.shape, dtype),), ())
    node.data = (array,)
    node.tracked = tracked
    return node


def alias(value: Value, tracked: int) -> LazyNode:
    """A node that passes `value` on and is told apart from it: what a transform differentiates
    by.
    """
    node = LazyNode("alias", (value,), NO_ATTRS, (value.type,), ())
    node.tracked = tracked | value.node.tracked  # type: ignore[attr-defined]
    return node


def resolve(value: Value) -> Value:
    """The value behind aliases."""
    while value.node.op == "alias":
        value = value.node.inputs[0]
    return value


def known(value: Value) -> Array | None:
    """The data of a lazy value, where it has been computed."""
    node: Any = resolve(value).node
    return None if node.data is None else node.data[resolve(value).index]


class Recording(NamedTuple):
    """A cone of the lazy graph as a closed Graph.

    `inputs` are the lazy values of its parameters, in order; `mapping` gives the graph value of
    every lazy value that the graph holds.
    """

    graph: Graph
    inputs: list[Value]
    mapping: dict[Value, Value]


def cone(
    results: Iterable[Value],
    stop: Callable[[LazyNode], bool],
) -> list[LazyNode]:
    """The nodes behind `results`, inputs first; not looking behind those for which `stop` holds."""
    order: list[LazyNode] = []
    seen: set[Node] = set()
    for result in results:
        stack: list[tuple[Any, int]] = [(result.node, 0)]
        while stack:
            node, position = stack.pop()
            if position == 0:
                if node in seen:
                    continue
                seen.add(node)
            inputs = () if stop(node) else node.inputs
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


def has_data(node: LazyNode) -> bool:
    """Whether the node's results are known."""
    return node.data is not None


def structure_key(
    order: Sequence[LazyNode], results: Sequence[Value], stop: Callable[[LazyNode], bool]
) -> tuple[Hashable, list[Value]]:
    """A key that is equal for cones that give the same Graph, and the values of the parameters."""
    number: dict[Node, int] = {}
    inputs: list[Value] = []
    parts: list[Hashable] = []
    for k, node in enumerate(order):
        number[node] = k
        if stop(node):
            inputs += node.results
            parts.append((node.types, node.tracked != 0))
        else:
            operands = tuple([(number[n], i) for n, i in node.inputs])
            parts.append((node.op, operands, attributes_key(node.attrs), node.tracked != 0))
    ends = tuple([(number[n], i) for n, i in results])
    return (tuple(parts), ends), inputs


def record(
    order: Sequence[LazyNode],
    results: Sequence[Value],
    stop: Callable[[LazyNode], bool],
    name: str = "lazy",
) -> Recording:
    """Rebuild a cone in a Builder, where equal nodes become one; stopped nodes become
    parameters.
    """
    builder = Builder(name=name)
    mapping: dict[Value, Value] = {}
    inputs: list[Value] = []
    for node in order:
        if stop(node):
            for value in node.results:
                mapping[value] = builder.param(value.type)
                inputs.append(value)
        elif node.op == "alias":
            mapping[node.result] = mapping[node.inputs[0]]
        else:
            operands = tuple([mapping[v] for v in node.inputs])
            made = builder.add(node.op, operands, node.attrs, node.types, node.locs)
            for k, value in enumerate(node.results):
                mapping[value] = Value(made, k)
    return Recording(builder.graph([mapping[r] for r in results]), inputs, mapping)
