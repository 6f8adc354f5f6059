"""Vectorisation: a graph of one example to a graph of many, op by op.

Takes: a Graph and the batch axis of each parameter. Gives: a Graph and each result's batch axis.
What does not depend on a batched parameter is computed once. Must not know: any particular op.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..collector import paused
from ..errors import ShapeError
from ..graph import Builder, Graph, Node, Value, topological
from ..mlir.ir import Loc
from ..opdef import OPS, Batch
from ..ops.families import move_axis_to_front
from ..types import TensorType

Axis = int | None


@paused()
def batch_graph(graph: Graph, axes: Sequence[Axis], size: int) -> tuple[Graph, list[Axis]]:
    """`graph` over a batch of `size` examples; `axes[k]` is where parameter k has its batch axis.

    Gives the new Graph and the batch axis of each result, None where all examples share it.
    ShapeError where an axis is out of range.
    """
    b = Builder(name=f"{graph.name}_batched")
    mapping, placed = _batched_params(b, graph, axes, size)
    outs = batch_values(b, graph.results, mapping, placed, size, graph.locs)
    return b.graph([mapping[r] for r in graph.results]), outs


def batch_body(graph: Graph, axes: Sequence[Axis], size: int, batched: Sequence[bool]) -> Graph:
    """As `batch_graph`, with the axis of each result in `batched` at 0, made where there is none.

    A result that is not in `batched` must not depend on a batched parameter.
    """
    b = Builder(name=f"{graph.name}_batched")
    mapping, placed = _batched_params(b, graph, axes, size)
    outs = batch_values(b, graph.results, mapping, placed, size, graph.locs)
    results = []
    for result, axis, want in zip(graph.results, outs, batched, strict=True):
        value = mapping[result]
        if axis is not None and not want:
            raise ValueError(f"a result of {graph.name} is batched, which its user does not expect")
        results.append(move_axis_to_front(b, value, axis, size) if want else value)
    return b.graph(results)


def _batched_params(
    b: Builder, graph: Graph, axes: Sequence[Axis], size: int
) -> tuple[dict[Value, Value], dict[Value, int]]:
    mapping, placed = {}, {}
    for param, name, axis in zip(graph.params, graph.param_names, axes, strict=True):
        type = param.type
        if axis is not None:
            if not 0 <= axis <= type.rank:
                raise ShapeError(f"batch axis {axis} is out of range for {type.short} with a batch")
            type = TensorType((*type.shape[:axis], size, *type.shape[axis:]), type.dtype)
            placed[param] = axis
        mapping[param] = b.param(type, name)
    return mapping, placed


def batch_values(
    b: Builder,
    results: Sequence[Value],
    mapping: dict[Value, Value],
    axes: dict[Value, int],
    size: int,
    locs: Mapping[Node, tuple[Loc, ...]],
) -> list[Axis]:
    """Rebuild what `results` reach inside `b`; gives the results' batch axes.

    `mapping` and `axes` (no entry: not batched) hold the leaves and receive everything else.
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
        places = [axes.get(v) for v in node.inputs]
        outs: Sequence[Value]
        outs_at: Sequence[Axis] = ()
        if all(place is None for place in places):
            outs = b.add(node.op, tuple(xs), node.attrs, node.types, b.current).results
        else:
            outs, outs_at = _rule(node)(b, node, xs, places, size)
        for k, value in enumerate(outs):
            mapping[Value(node, k)] = value
            axis = outs_at[k] if outs_at else None
            if axis is not None:
                axes[Value(node, k)] = axis
    b.current = outer
    return [axes.get(r) for r in results]


def _rule(node: Node) -> Batch:
    rule = OPS[node.op].batch
    if rule is None:
        raise ShapeError(f"{node.op} cannot be batched")
    return rule
