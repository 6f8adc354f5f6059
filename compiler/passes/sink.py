"""Reshapes move below the elementwise ops they follow, so that fusion meets one shape throughout.

    reshape(exp(x) + y)   →   exp(reshape(x)) + reshape(y)

Only where every reader of the elementwise op reshapes it alike (nothing is computed twice), and
where all operands take the reshape for nothing: parameters, other reshapes, broadcasts whose axes
do not mix. A product or a reduction keeps its epilogue, a transpose its plain index.
Takes and gives: Graph. Must not know: kernels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..graph import Graph, Node, Value
from ..opdef import OPS
from ..rewrite import Editor, everywhere
from .shapes import Shape, reshaped_broadcast


def sink_reshapes(graph: Graph) -> Graph:
    """`graph` with reshapes moved towards its parameters, in bodies too."""
    return everywhere(_sink)(graph)


def _sink(graph: Graph) -> Graph:
    if not any(n.op == "reshape" and _is_light(n.inputs[0].node) for n in graph.nodes):
        return graph
    wanted = _wanted(graph)
    if not wanted:
        return graph
    editor = Editor(graph)

    def replace(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if node in wanted:
            shape = wanted[node]
            operands = [
                v if before.node in wanted else _reshaped(editor, v, shape)
                for before, v in zip(node.inputs, inputs)
            ]
            return [OPS[node.op](editor, *operands, **node.attrs)]
        if node.op == "reshape" and node.inputs[0].node in wanted:
            return [inputs[0]]
        return None

    return editor.edit(replace)


def _is_light(node: Node) -> bool:
    return node.op != "param" and OPS[node.op].family == "elementwise"


def _reshaped(editor: Editor, v: Value, shape: Shape) -> Value:
    """`v` in another shape; of a broadcast or of a reshape, the same thing made anew."""
    turned = _turned(v, shape)
    if turned is not None:
        inner, places = turned
        small = _reshaped(editor, v.node.inputs[0], inner)
        return OPS["broadcast"](editor, small, shape=shape, axes=places)
    if v.node.op == "reshape":
        v = v.node.inputs[0]
    return v if v.shape == shape else OPS["reshape"](editor, v, shape=shape)


def _turned(v: Value, shape: Shape) -> tuple[Shape, Shape] | None:
    """Of a broadcast, the operand's new shape and axes; None where there is no such thing."""
    if v.node.op != "broadcast":
        return None
    if v.node.inputs[0].shape == ():
        return (), ()
    return reshaped_broadcast(v.shape, shape, v.node.attrs["axes"])


def _wanted(graph: Graph) -> dict[Node, Shape]:
    """Elementwise nodes all of whose readers want them in one other shape, and that shape."""
    uses, kept = graph.uses, {r.node for r in graph.results}
    wanted: dict[Node, Shape] = {}
    for node in reversed(graph.nodes):
        if not _is_light(node) or node in kept:
            continue
        shapes = {_shape_wanted(user, wanted) for user in uses[node]}
        if len(shapes) == 1:
            (shape,) = shapes
            if shape is not None:
                wanted[node] = shape
    return _without_heavy(graph, wanted)


def _shape_wanted(user: Node, wanted: Mapping[Node, Shape]) -> Shape | None:
    return user.types[0].shape if user.op == "reshape" else wanted.get(user)


def _without_heavy(graph: Graph, wanted: dict[Node, Shape]) -> dict[Node, Shape]:
    """Leaves out the connected regions with an operand for which the reshape is not free."""
    region: dict[Node, Node] = {n: n for n in wanted}

    def root(node: Node) -> Node:
        while region[node] is not node:
            region[node] = region[region[node]]
            node = region[node]
        return node

    heavy = []
    for node in wanted:
        for v in node.inputs:
            if v.node in wanted:
                region[root(v.node)] = root(node)
            elif v.node.op not in ("param", "reshape") and _turned(v, wanted[node]) is None:
                heavy.append(node)
    barred = {root(n) for n in heavy}
    return {n: shape for n, shape in wanted.items() if root(n) not in barred}
