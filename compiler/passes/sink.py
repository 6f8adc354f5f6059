"""Reshapes move below the elementwise ops they follow, so that fusion meets one shape throughout.

    reshape(exp(x) + y)   →   exp(reshape(x)) + reshape(y)

Only where every reader of the elementwise op reshapes it alike (nothing is computed twice), and
where none of its operands is a reduction or a product, whose epilogue it should stay.
Takes and gives: Graph. Must not know: kernels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..graph import Graph, Node, Value
from ..opdef import OPS
from ..rewrite import Editor, everywhere, uniform

Shape = tuple[int, ...]

_LIGHT = ("elementwise", "movement", "source")


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
    """`v` in another shape; of a constant or of a reshape, the same thing made anew."""
    node = v.node
    if node.op == "broadcast" and uniform(v) is not None and node.inputs[0].shape == ():
        return OPS["broadcast"](editor, node.inputs[0], shape=shape, axes=())
    if node.op == "reshape":
        v = node.inputs[0]
    return v if v.shape == shape else OPS["reshape"](editor, v, shape=shape)


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
    """Leaves out the connected regions that a reduction, a product or a loop feeds."""
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
            elif v.node.op != "param" and OPS[_behind(v).op].family not in _LIGHT:
                heavy.append(node)
    barred = {root(n) for n in heavy}
    return {n: shape for n, shape in wanted.items() if root(n) not in barred}


def _behind(v: Value) -> Node:
    """The node whose result a chain of reshapes and broadcasts shows."""
    node = v.node
    while node.op in ("reshape", "broadcast") and node.inputs[0].node.op != "param":
        node = node.inputs[0].node
    return node
