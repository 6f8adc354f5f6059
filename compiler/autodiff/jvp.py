"""Forward mode: a graph and tangents of its parameters to its results and their tangents.

Takes: Graphs, or values inside any Builder. Gives: the same, with tangents. Zeros stay symbolic
(None) until the end. Must not know: reverse mode; any particular op.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ..collector import paused
from ..errors import DifferentiationError
from ..graph import Builder, Graph, Node, Value, topological
from ..mlir.ir import Loc
from ..opdef import OPS, Tangents
from ..ops.custom import FORWARD_MODE
from ..ops.source import zeros_like
from .rules import LINEARISE

Locs = Mapping[Node, tuple[Loc, ...]]
NO_LOCS: Locs = MappingProxyType({})

ONE_WAY = "custom_linear"
"""The op that stands for the tangents of a `custom_vjp`: it can be transposed, never computed."""


@paused()
def jvp_graph(graph: Graph, active: Sequence[bool]) -> Graph:
    """The derivative of `graph` along tangents of its active parameters.

    Parameters: all of the graph's, then one tangent for each active one, of its type. Results: all
    of the graph's, then the tangent of each result of a float or complex dtype, in order.
    DifferentiationError where an active parameter is an integer or bool, where an op has no
    derivative, and where forward mode meets a `custom_vjp`.
    """
    smooth = [t.dtype.is_inexact for t in graph.result_types]
    made = jvp_body(graph, active, smooth)
    refuse_one_way(made)
    return made


def jvp_body(graph: Graph, active: Sequence[bool], wanted: Sequence[bool]) -> Graph:
    """As `jvp_graph`, with tangents of the wanted results alone, and `custom_vjp` let through."""
    b = Builder(name=f"{graph.name}_jvp")
    mapping = {p: b.param(p.type, name) for p, name in zip(graph.params, graph.param_names)}
    tangents = tangent_params(b, graph, active)
    outs = jvp_values(b, graph.results, mapping, tangents, graph.locs)
    results = [mapping[r] for r in graph.results]
    results += [
        t if t is not None else zeros_like(b, r)
        for r, t, want in zip(results, outs, wanted)
        if want
    ]
    return b.graph(results)


def tangent_params(b: Builder, graph: Graph, active: Sequence[bool]) -> dict[Value, Value]:
    """A new parameter of `b` for the tangent of each active parameter of `graph`."""
    tangents = {}
    for param, name, flag in zip(graph.params, graph.param_names, active, strict=True):
        if not flag:
            continue
        if not param.type.dtype.is_inexact:
            raise DifferentiationError(
                f"cannot differentiate with respect to {name or 'a parameter'} of type "
                f"{param.type.short}; only float and complex values have derivatives"
            )
        tangents[param] = b.param(param.type, f"d_{name}" if name else "")
    return tangents


def jvp_values(
    b: Builder,
    results: Sequence[Value],
    mapping: dict[Value, Value],
    tangents: dict[Value, Value],
    locs: Locs = NO_LOCS,
) -> list[Value | None]:
    """Rebuild what `results` reach inside `b` with tangents beside it; gives the results' tangents.

    `mapping` holds the values of the leaves and receives those of everything behind `results`;
    `tangents` (keyed as `mapping`) likewise, where a missing entry is zero.
    """
    outer = b.current
    for node in topological(results, stop=lambda n: Value(n, 0) in mapping):
        if Value(node, 0) in mapping:
            continue
        if node.op == "param":
            mapping[node.result] = node.result
            continue
        b.current = locs.get(node, ())
        xs = [mapping[v] for v in node.inputs]
        ts = [tangents.get(v) for v in node.inputs]
        outs, out_ts = _step(b, node, xs, ts)
        for k, value in enumerate(outs):
            source = Value(node, k)
            mapping[source] = value
            tangent = out_ts[k] if out_ts else None
            if tangent is not None:
                tangents[source] = tangent
    b.current = outer
    return [tangents.get(r) for r in results]


def _step(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    """The outputs and output tangents of one node."""
    moving = any(t is not None for t in ts)
    smooth = any(t.dtype.is_inexact for t in node.types)
    if moving and smooth and node.op in LINEARISE:
        return LINEARISE[node.op](b, node, xs, ts)
    made = b.add(node.op, tuple(xs), node.attrs, node.types, b.current)
    outs = made.results
    if not (moving and smooth):
        return outs, ()
    rule = OPS[node.op].linearise
    if rule is None:
        reason = OPS[node.op].no_gradient or "no rule is known"
        raise DifferentiationError(
            f"{node.op} cannot be differentiated: {reason}; keep it out of the differentiated "
            "path with stop_gradient, or give a derivative with custom_jvp",
            b.current[0] if b.current else None,
        )
    return outs, rule(b, made, xs, outs, ts)


def refuse_one_way(graph: Graph) -> None:
    """Raise where the graph would compute tangents through a `custom_vjp`."""
    for part in graph.walk():
        for node in part.nodes:
            if node.op == ONE_WAY:
                locs = part.locs.get(node, ())
                raise DifferentiationError(FORWARD_MODE, locs[0] if locs else None)
