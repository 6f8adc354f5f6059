"""What the backward pass of a graph reads of its forward pass.

Takes: a Graph, which parameters and results carry gradients. Gives: values of that Graph.
Must not know: tensors, how graphs run.
"""

from __future__ import annotations

from collections.abc import Sequence

from lazir.compiler.autodiff.vjp import vjp_graph
from lazir.compiler.errors import DifferentiationError
from lazir.compiler.graph import Builder, Graph, Value, topological


def residuals(graph: Graph, params: Sequence[bool], results: Sequence[bool]) -> list[Value]:
    """The values of `graph` that the adjoint of its flagged results needs.

    What the adjoint computes from them alone (the cosine in the derivative of sin) is not counted.
    Empty where there is no derivative: whoever asks for it gets the error.
    """
    ends = [r for r, flag in zip(graph.results, results) if flag and r.type.dtype.is_inexact]
    active = [flag and p.type.dtype.is_inexact for p, flag in zip(graph.params, params)]
    if not ends or not any(active):
        return []
    part = Graph(graph.name, graph.params, ends, graph.locs, graph.param_names)
    try:
        forward, _ = vjp_graph(part, active)
    except DifferentiationError:
        return []
    return originals(graph, part, forward, forward.results[len(ends) :])


def originals(graph: Graph, part: Graph, other: Graph, wanted: Sequence[Value]) -> list[Value]:
    """The values of `graph` from which `wanted` of `other` (same parameters as `part`) follow.

    Both are rebuilt in one Builder, where equal values become one.
    """
    shared = Builder(name="shared")
    params = [shared.param(p.type) for p in part.params]
    mapping = dict(zip(part.params, params))
    shared.inline(graph.results, mapping)
    back: dict[Value, Value] = {}
    for old, new in mapping.items():
        back.setdefault(new, old)
    known = {v.node for v in back}
    ends = shared.inline(wanted, dict(zip(other.params, params)))
    found: dict[Value, None] = {}
    for node in topological(ends, stop=lambda n: n in known):
        if node not in known:
            found.update((back[v], None) for v in node.inputs if v in back)
    found.update((back[v], None) for v in ends if v in back)
    return list(found)
