"""Checks a Graph against the rules of the IR: closed, of known ops, with the types they give.

Takes: a Graph. Gives: nothing, or a VerifyError that shows the op and the user's line.
Must not know: passes, devices.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from .errors import VerifyError
from .graph import Graph, Node, Value, topological
from .mlir import ir
from .opdef import OPS
from .text import REGIONS, node_text
from .types import DType


def verify_graph(graph: Graph) -> None:
    """Raise VerifyError where the graph, or a Graph in one of its attributes, breaks a rule.

    The rules: a value is a result of a known op or one of the graph's parameters; each op has the
    attributes it may have, of kinds that have a text; its result types are those its record infers;
    attribute Graphs are closed and keep the same rules.
    """
    _verify_params(graph)
    known = {p.node for p in graph.params}
    for node in topological(graph.results):
        if node.op == "param":
            if node not in known:
                raise VerifyError(
                    f"@{graph.name} uses a parameter of another function; captures must be operands"
                )
            continue
        _verify_node(graph, node)
    for result in graph.results:
        _verify_index(graph, result.node, result)


def _verify_params(graph: Graph) -> None:
    nodes = [p.node for p in graph.params]
    if len(set(nodes)) != len(nodes) or any(n.op != "param" for n in nodes):
        raise VerifyError(f"@{graph.name} has a parameter twice, or one that is no parameter")
    if len(graph.param_names) != len(graph.params):
        raise VerifyError(f"@{graph.name} has {len(nodes)} parameters, but other names for them")


def _fail(graph: Graph, node: Node, message: str) -> VerifyError:
    locs = graph.locs.get(node, ())
    return VerifyError(f"{message}\n  in: {_shown(node)}", locs[0] if locs else None)


def _shown(node: Node) -> str:
    try:
        return node_text(node)
    except Exception:  # the node is broken in a way that text cannot say
        return repr(node)


def _verify_index(graph: Graph, user: Node, value: Value) -> None:
    count = len(value.node.types)
    if not 0 <= value.index < count:
        raise _fail(graph, user, f"{value.node.op} has {count} results, there is no {value.index}")


def _verify_node(graph: Graph, node: Node) -> None:
    if node.op not in OPS:
        raise _fail(graph, node, f"there is no op {node.op}")
    for value in node.inputs:
        _verify_index(graph, node, value)
    allowed = attribute_names(node.op)
    for name, value in node.attrs.items():
        if allowed is not None and name not in allowed:
            raise _fail(graph, node, f"{node.op} has no attribute {name}")
        _verify_attribute(graph, node, name, value)
    try:
        types = OPS[node.op].infer(tuple(v.type for v in node.inputs), node.attrs)
    except Exception as error:
        raise _fail(graph, node, f"{node.op} does not take this: {error}") from error
    if types != node.types:
        raise _fail(
            graph,
            node,
            f"{node.op} has the types ({', '.join(map(str, node.types))}), but its operands and "
            f"attributes give ({', '.join(map(str, types))})",
        )


def _verify_attribute(graph: Graph, node: Node, name: str, value: Any) -> None:
    if isinstance(value, Graph):
        if name not in REGIONS.get(node.op, ()):
            raise _fail(graph, node, f"{node.op} carries a Graph in {name}, which has no text")
        verify_graph(value)
    elif isinstance(value, tuple):
        for part in value:
            _verify_attribute(graph, node, name, part)
    elif not isinstance(value, (bool, int, float, str, np.integer, DType, ir.Dense)):
        raise _fail(graph, node, f"{node.op} has an attribute {name} of {type(value).__name__}")


@cache
def attribute_names(op: str) -> frozenset[str] | None:
    """The attributes an op may have: those of its examples. None where it has no examples."""
    draw = OPS[op].examples
    if draw is None:
        return None
    drawn = draw(np.random.default_rng(0))
    return frozenset(name for _, attrs in drawn for name in attrs) if drawn else None
