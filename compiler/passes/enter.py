"""Views of single numbers enter the loops and branches that read them, where they cost nothing.

    y = broadcast(i);  scan(y) { … y … }   →   scan(i) { y = broadcast(i); … y … }

Outside they would be small arrays in memory, and an index that is put together outside would be
unknown inside. Constants and iota enter too. Takes and gives: Graph. Must not know: other passes.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Builder, Graph, Node, Value, topological
from ..opdef import OPS
from ..rewrite import Editor, map_bodies

FEW = 8
"""Elements of a concatenation that is index arithmetic rather than an array."""


def is_view(node: Node) -> bool:
    """Whether a node is put together anew wherever it is read, for nothing."""
    if node.op in ("constant", "iota"):
        return True
    if node.op == "concat":
        return node.types[0].size <= FEW
    return node.op in ("broadcast", "reshape", "slice") and node.types[0].size == 1


def enter(graph: Graph) -> Graph:
    """`graph` with views of numbers inside of what reads them, outermost loops first."""
    editor = Editor(graph)

    def replace(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if node.op == "param" or OPS[node.op].family != "control":
            return None
        made = _with_views(editor, node, inputs) or node
        attrs = map_bodies(made, enter)
        if made is node and attrs is node.attrs:
            return None
        operands = inputs if made is node else made.inputs
        return editor.add(node.op, operands, attrs, node.types, editor.current).results

    return editor.edit(replace)


def _with_views(editor: Editor, node: Node, inputs: tuple[Value, ...]) -> Node | None:
    """The node whose bodies make the views among its constant operands themselves."""
    if node.op == "cond":
        first, count = 1, len(inputs)
        bodies = {"branches": node.attrs["branches"]}
    elif node.op in ("while", "scan"):
        first, count = 0, node.attrs["n_const"]
        bodies = {k: (node.attrs[k],) for k in ("cond", "body") if k in node.attrs}
    else:
        return None
    held = inputs[first:count]
    if not any(is_view(v.node) for v in held):
        return None
    leaves = list(dict.fromkeys(leaf for v in held for leaf in _leaves(v)))
    attrs = dict(node.attrs)
    for label, graphs in bodies.items():
        made = tuple(_rebuilt(g, held, leaves) for g in graphs)
        attrs[label] = made if label == "branches" else made[0]
    if node.op != "cond":
        attrs["n_const"] = len(leaves)
    operands = [*inputs[:first], *leaves, *inputs[count:]]
    return OPS[node.op].node(editor, operands, attrs)


def _leaves(value: Value) -> list[Value]:
    """What a view shows; another value itself."""
    if not is_view(value.node):
        return [value]
    return [leaf for v in value.node.inputs for leaf in _leaves(v)]


def _rebuilt(body: Graph, held: Sequence[Value], leaves: Sequence[Value]) -> Graph:
    """The body whose first parameters are `leaves` instead of `held`."""
    b = Builder(name=body.name)
    names = dict(zip(held, body.param_names))
    known = {leaf: b.param(leaf.type, names.get(leaf, "")) for leaf in leaves}
    views = [n for n in topological(held, stop=lambda n: not is_view(n)) if is_view(n)]
    for node in views:
        inputs = tuple(known[v] for v in node.inputs)
        known[node.result] = b.add(node.op, inputs, node.attrs, node.types).result
    mapping = {p: known[v] for p, v in zip(body.params, held)}
    rest = list(zip(body.params, body.param_names))[len(held) :]
    mapping.update({p: b.param(p.type, name) for p, name in rest})
    return b.graph(b.inline(body.results, mapping, body.locs))
