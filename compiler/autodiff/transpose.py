"""Reverse mode's second half: the adjoint of a linear graph, node by node, backwards.

Takes: a Graph and which parameters it is linear in. Gives: a Graph from the other parameters and
the cotangents of the results to the cotangents of the linear parameters. Cotangents of a value that
is read several times add up in reverse order of its readers. Must not know: any particular op.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import DifferentiationError
from ..graph import Builder, Graph, Node, Value
from ..mlir.ir import Loc
from ..opdef import OPS, Transpose
from ..ops.source import zeros_like
from .reach import dependents
from .split import separate

Known = Callable[[Value], Value]


def transpose_graph(
    graph: Graph, linear: Sequence[bool], given: Sequence[bool] | None = None
) -> Graph:
    """The adjoint of `graph` with respect to its parameters flagged `linear`.

    Parameters: those not flagged, then a cotangent for each result (for each one in `given`; the
    others' are zero). Results: the cotangents of the linear parameters.
    """
    graph = separate(graph, linear)
    b = Builder(name=f"{graph.name}_transposed")
    mapping: dict[Value, Value] = {}
    for param, name, flag in zip(graph.params, graph.param_names, linear, strict=True):
        if not flag:
            mapping[param] = b.param(param.type, name)
    flags = given if given is not None else [True] * len(graph.results)
    seeds = [
        (result, b.param(result.type, "ct"))
        for result, flag in zip(graph.results, flags, strict=True)
        if flag
    ]

    def known(value: Value) -> Value:
        if value not in mapping:
            b.inline([value], mapping, graph.locs)
        return mapping[value]

    params = [p for p, flag in zip(graph.params, linear) if flag]
    order = dependents([r for r, _ in seeds], {p.node for p in params})
    found = transpose_values(b, order, params, seeds, known, graph.locs)
    results = [ct if ct is not None else zeros_like(b, p) for p, ct in zip(params, found)]
    return b.graph(results)


def transpose_values(
    b: Builder,
    order: Sequence[Node],
    params: Sequence[Value],
    seeds: Sequence[tuple[Value, Value]],
    known: Known,
    locs: Mapping[Node, tuple[Loc, ...]],
) -> list[Value | None]:
    """The cotangents of `params`, None for zero.

    `order`: the linear nodes, inputs first; `seeds`: linear values and their cotangents in `b`;
    `known(value)` gives a value that does not depend on `params` inside `b`.
    """
    linear = {p.node for p in params}.union(order)
    cotangents: dict[Value, Value] = {}

    def accumulate(value: Value, ct: Value) -> None:
        have = cotangents.get(value)
        cotangents[value] = ct if have is None else OPS["add"](b, have, ct)

    for value, ct in seeds:
        if value.node in linear:
            accumulate(value, ct)
    outer = b.current
    for node in reversed(order):
        cts = [cotangents.pop(v, None) for v in node.results]
        if all(ct is None for ct in cts):
            continue
        b.current = locs.get(node, ())
        xs = [None if v.node in linear else known(v) for v in node.inputs]
        backs = _rule(b, node)(b, node, xs, cts)
        if all(ct is None for ct in backs):
            raise DifferentiationError(
                f"{node.op} is not linear in what is differentiated here; a custom_jvp rule must "
                "be linear in its tangents",
                b.current[0] if b.current else None,
            )
        for value, x, back in zip(node.inputs, xs, backs):
            if x is None and back is not None:
                accumulate(value, back)
    b.current = outer
    return [cotangents.get(p) for p in params]


def _rule(b: Builder, node: Node) -> Transpose:
    rule = OPS[node.op].transpose
    if rule is None:
        raise DifferentiationError(
            f"{node.op} has no reverse derivative: it is not linear in what is differentiated here",
            b.current[0] if b.current else None,
        )
    return rule
