"""Loop-invariant work leaves the loop: what depends on its constants alone is computed once.

    scan(w, x) { y = exp(w); … }   →   y = exp(w); scan(y, x) { … }

Views and constants stay inside: they cost nothing there. So do inner loops, which may not end, and
ops with effects. Takes and gives: Graph. Must not know: other passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import Builder, Graph, Node, Value
from ..opdef import OPS
from ..rewrite import Editor, everywhere
from .enter import is_view

_CHEAP = ("broadcast", "constant", "iota", "reshape", "transpose", "slice")


def hoist(graph: Graph) -> Graph:
    """`graph` with invariant work outside of its loops, inner loops first."""
    return everywhere(_hoist)(graph)


def _hoist(graph: Graph) -> Graph:
    editor = Editor(graph)

    def replace(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if node.op == "scan" and node.attrs["length"]:
            return _from_bodies(editor, node, inputs, ("body",))
        if node.op == "while":
            return _from_bodies(editor, node, inputs, ("body", "cond"))
        return None

    return editor.edit(replace)


def _from_bodies(
    editor: Editor, node: Node, inputs: tuple[Value, ...], labels: Sequence[str]
) -> Sequence[Value] | None:
    """The loop whose bodies take the invariant values as further constants."""
    n_const = node.attrs["n_const"]
    found = {label: _invariant(node.attrs[label], n_const) for label in labels}
    if not any(found.values()):
        return None
    extra: list[Value] = []
    for label in labels:
        body: Graph = node.attrs[label]
        outer = dict(zip(body.params[:n_const], inputs))
        extra += editor.inline(found[label], outer, body.locs)
    fresh = dict(node.attrs)
    start = 0
    for label in labels:
        fresh[label] = _taking(node.attrs[label], n_const, found[label], extra, start)
        start += len(found[label])
    operands = [*inputs[:n_const], *extra, *inputs[n_const:]]
    keep = _read(fresh, labels, n_const + len(extra))
    for label in labels:
        body = fresh[label]
        names = [body.param_names[k] for k in keep]
        params = [body.params[k] for k in keep]
        fresh[label] = Graph(body.name, params, body.results, body.locs, names)
    fresh["n_const"] = n_const + len(extra) - (len(operands) - len(keep))
    return OPS[node.op].node(editor, [operands[k] for k in keep], fresh).results


def _read(attrs: Mapping[str, Any], labels: Sequence[str], n_const: int) -> list[int]:
    """The positions of all parameters but the constants that no body reads any more."""
    read: set[int] = set()
    for label in labels:
        body: Graph = attrs[label]
        found = {v for node in body.nodes for v in node.inputs}.union(body.results)
        read.update(k for k, p in enumerate(body.params) if p in found)
    count = len(attrs[labels[0]].params)
    return [k for k in range(count) if k >= n_const or k in read]


def _invariant(body: Graph, n_const: int) -> list[Value]:
    """The values worth computing outside: they depend on constants alone and are read by others."""
    fixed = {p.node for p in body.params[:n_const]}
    moves = set()
    for node in body.nodes:
        if all(v.node in fixed for v in node.inputs) and _may_leave(node):
            fixed.add(node)
            if not _is_cheap(node) or any(v.node in moves for v in node.inputs):
                moves.add(node)
    found: dict[Value, None] = {}
    for node in body.nodes:
        if node not in fixed:
            _enter(node.inputs, moves, found)
    _enter(body.results, moves, found)
    return list(found)


def _enter(values: Sequence[Value], moves: set[Node], found: dict[Value, None]) -> None:
    """The invariant values among these; of a view, what it shows."""
    for value in values:
        if value.node in moves:
            if _is_cheap(value.node):
                _enter(value.node.inputs, moves, found)
            else:
                found[value] = None


def _is_cheap(node: Node) -> bool:
    return node.op in _CHEAP or is_view(node)


def _may_leave(node: Node) -> bool:
    record = OPS[node.op]
    return record.family != "control" and not record.effects


def _taking(
    body: Graph, n_const: int, found: Sequence[Value], extra: Sequence[Value], start: int
) -> Graph:
    """The body with parameters for all of `extra`, of which its own begin at `start`."""
    b = Builder(name=body.name)
    names = body.param_names
    params = [b.param(p.type, n) for p, n in zip(body.params[:n_const], names)]
    taken = [b.param(v.type) for v in extra]
    params += [b.param(p.type, n) for p, n in zip(body.params[n_const:], names[n_const:])]
    mapping = dict(zip(body.params, params))
    mapping.update(zip(found, taken[start:]))
    return b.graph(b.inline(body.results, mapping, body.locs))
