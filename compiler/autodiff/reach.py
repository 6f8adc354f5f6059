"""Which values of a graph depend on which of its parameters: the question all transforms ask first.

Takes: graphs, flags. Gives: flags, sets of nodes. One walk each, no recursion.
Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ..graph import Graph, Node, Value, topological
from ..types import token

Item = TypeVar("Item")


def dependents(results: Iterable[Value], seeds: set[Node]) -> list[Node]:
    """The nodes behind `results` that read a seed, directly or not, inputs first, without seeds."""
    found = set(seeds)
    order = []
    for node in topological(results, stop=lambda n: n in seeds):
        if node not in seeds and any(v.node in found for v in node.inputs):
            found.add(node)
            order.append(node)
    return order


Reach = Callable[[Graph, Sequence[bool]], list[bool]]
"""From flags of a graph's parameters to flags of its results."""

REACH: dict[str, Callable[[Node, Sequence[bool], Reach], list[bool]]] = {}
"""For ops with bodies: from flags of the operands to those of the results, by way of a `Reach`."""


def reached(graph: Graph, flags: Sequence[bool]) -> list[bool]:
    """For each result of `graph`, whether it depends on a flagged parameter. A token never counts:
    what is batched or not yet known has its effects in order all the same."""
    return _flow(graph, flags, reached, lambda v: v.type.dtype is not token)


def reached_smoothly(graph: Graph, flags: Sequence[bool]) -> list[bool]:
    """As `reached`, by way of float and complex values alone: which results may have a tangent."""
    return _flow(graph, flags, reached_smoothly, lambda v: v.type.dtype.is_inexact)


def _flow(
    graph: Graph, flags: Sequence[bool], reach: Reach, carries: Callable[[Value], bool]
) -> list[bool]:
    found = {p for p, flag in zip(graph.params, flags, strict=True) if flag}
    for node in graph.nodes:
        here = [v in found for v in node.inputs]
        if not any(here):
            continue
        rule = REACH.get(node.op)
        outs = rule(node, here, reach) if rule is not None else [True] * len(node.types)
        found.update(v for v, out in zip(node.results, outs) if out and carries(v))
    return [r in found for r in graph.results]


def reached_after(
    reach: Reach, body: Graph, flags: Sequence[bool], carry: slice
) -> tuple[list[bool], list[bool]]:
    """Flags of a loop body's parameters, those of the carry grown until a run of the body keeps
    them, and of its results, the first of which are the carry."""
    flags = list(flags)
    while True:
        outs = reach(body, flags)
        before = flags[carry]
        grown = [f or o for f, o in zip(before, outs)]
        if grown == before:
            return flags, [*grown, *outs[len(grown) :]]
        flags[carry] = grown


def reordered(graph: Graph, params: Sequence[int], results: Sequence[int] | None = None) -> Graph:
    """The same graph with its parameters (and results) in another order, or fewer of them."""
    return Graph(
        graph.name,
        [graph.params[k] for k in params],
        graph.results if results is None else [graph.results[k] for k in results],
        graph.locs,
        [graph.param_names[k] for k in params],
    )


def where(flags: Sequence[bool]) -> list[int]:
    """The positions of the true flags."""
    return [k for k, flag in enumerate(flags) if flag]


def chosen(items: Sequence[Item], flags: Sequence[bool]) -> list[Item]:
    """The items whose flag is true."""
    return [item for item, flag in zip(items, flags, strict=True) if flag]
