"""Reverse mode: linearise, then transpose. The derivative is a graph like any other.

Takes: Graphs and which parameters are active. Gives: Graphs; what passes from the forward to the
backward part are explicit residuals. Must not know: any particular op.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..collector import paused
from ..errors import DifferentiationError
from ..graph import Builder, Graph, Value
from ..ops.source import constant, zeros_like
from .jvp import jvp_body, jvp_values, refuse_one_way, tangent_params
from .reach import dependents, reordered
from .split import Dependence, Split, separate_values, split_graph
from .transpose import transpose_graph, transpose_values

AFFINE = "a custom_jvp rule is not linear in its tangents"


@paused()
def linearize_graph(graph: Graph, active: Sequence[bool]) -> tuple[Graph, Graph]:
    """The graph's derivative at a point, as a linear function.

    Gives a forward Graph, parameters → results, residuals; and a linear one, residuals, tangents of
    the active parameters → tangents of the float and complex results.
    """
    cut = _linearised(graph, active)
    refuse_one_way(cut.unknown)
    return cut.known, cut.unknown


@paused()
def vjp_graph(graph: Graph, active: Sequence[bool]) -> tuple[Graph, Graph]:
    """The graph's adjoint at a point.

    Gives a forward Graph, parameters → results, residuals; and a backward one, residuals,
    cotangents of the float and complex results → cotangents of the active parameters.
    """
    cut = _linearised(graph, active)
    linear = [False] * cut.residuals + [True] * sum(active)
    backward = transpose_graph(cut.unknown, linear)
    used = {v for node in backward.nodes for v in node.inputs}.union(backward.results)
    keep = [k for k in range(cut.residuals) if backward.params[k] in used]
    count = len(graph.results)
    forward = reordered(
        cut.known, range(len(graph.params)), [*range(count), *(count + k for k in keep)]
    )
    rest = range(cut.residuals, len(backward.params))
    return (
        Graph(f"{graph.name}_forward", forward.params, forward.results, forward.locs,
              forward.param_names),
        reordered(
            Graph(f"{graph.name}_backward", backward.params, backward.results, backward.locs,
                  backward.param_names),
            [*keep, *rest],
        ),
    )  # fmt: skip


def _linearised(graph: Graph, active: Sequence[bool]) -> Split:
    smooth = [t.dtype.is_inexact for t in graph.result_types]
    together = jvp_body(graph, active, smooth)
    unknown = [False] * len(graph.params) + [True] * sum(active)
    force = [False] * len(graph.results) + [True] * sum(smooth)
    cut = split_graph(together, unknown, force)
    if any(cut.out_unknown[: len(graph.results)]):
        raise DifferentiationError(f"the results of {graph.name} depend on its tangents: {AFFINE}")
    return cut


@paused()
def value_and_grad_graph(
    graph: Graph, active: Sequence[bool], n_aux: int = 0, holomorphic: bool = False
) -> Graph:
    """Value and gradients in one graph.

    `graph` gives a float scalar (a complex one if `holomorphic`) and then `n_aux` results that are
    not differentiated. The new Graph takes the same parameters and gives all of these,
    then the gradient of each active parameter.
    DifferentiationError where the first result is no such scalar.
    """
    first = graph.results[0].type
    if first.shape != () or not (first.dtype.is_complex if holomorphic else first.dtype.is_float):
        raise DifferentiationError(
            f"the gradient needs a function with a float scalar result, got {first.short}; reduce "
            "it with sum or mean, or use vjp or jacrev"
        )
    if len(graph.results) != 1 + n_aux:
        raise ValueError(f"{graph.name} has {len(graph.results)} results, not 1 + {n_aux}")
    b = Builder(name=f"{graph.name}_grad")
    params = [b.param(p.type, name) for p, name in zip(graph.params, graph.param_names)]
    mapping = dict(zip(graph.params, params))
    tangents = tangent_params(b, graph, active)
    moved = list(tangents.values())
    (tangent, *_) = jvp_values(b, graph.results, mapping, tangents, graph.locs)
    values = [mapping[r] for r in graph.results]
    seeds = {t.node for t in moved}
    found: Sequence[Value | None] = [None] * len(moved)
    if tangent is not None:
        *values, tangent = separate_values(b, [*values, tangent], seeds, b.locs)
        order = dependents([tangent], seeds)
        cotangent = constant(b, 1, tangent.type.dtype)
        found = transpose_values(b, order, moved, [(tangent, cotangent)], lambda v: v, b.locs)
    gradients = [ct if ct is not None else zeros_like(b, t) for t, ct in zip(moved, found)]
    if Dependence(seeds).any([*values, *gradients]):
        raise DifferentiationError(f"the results of {graph.name} depend on its tangents: {AFFINE}")
    return Graph(b.name, params, [*values, *gradients], b.locs, graph.param_names)
