"""Ops that are others in disguise: calls and custom derivatives inlined, padded convolutions pad.

    call(x) {body}                      →   the body, on x
    conv(x, k) {low = 1, high = 1, …}   →   conv(pad(x), k) {low = 0, high = 0, …}

The passes after it and fusion count on it: it cannot be left out.
Takes and gives: Graph. Must not know: targets.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Graph, Node, Value
from ..opdef import OPS
from ..ops.source import constant
from ..rewrite import Editor, everywhere

BODIES = {
    "call": "body",
    "checkpoint": "body",
    "custom_jvp": "graph",
    "custom_vjp": "graph",
}
"""Ops that compute one of their attributes."""


def decompose(graph: Graph) -> Graph:
    """`graph` without the ops that others express."""
    return everywhere(_decompose)(graph)


def _decompose(graph: Graph) -> Graph:
    editor = Editor(graph)

    def replace(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if node.op in BODIES:
            body: Graph = node.attrs[BODIES[node.op]]
            mapping = dict(zip(body.params, inputs, strict=True))
            return editor.inline(body.results, mapping, body.locs)
        if node.op == "conv":
            return _padded(editor, node, inputs)
        return None

    return editor.edit(replace)


def _padded(editor: Editor, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    """The convolution of the padded signal, which is what its padding and dilation mean."""
    attrs = node.attrs
    low, high, spread = attrs["low"], attrs["high"], attrs["lhs_dilation"]
    if not any((*low, *high)) and all(s == 1 for s in spread):
        return None
    signal = inputs[0]
    layout: str = attrs["lhs"]
    places = [layout.index(str(k)) for k in range(len(low))]
    widths = {name: [0] * len(signal.shape) for name in ("low", "high", "interior")}
    for k, axis in enumerate(places):
        widths["low"][axis] = max(low[k], 0)
        widths["high"][axis] = max(high[k], 0)
        widths["interior"][axis] = spread[k] - 1
    zero = constant(editor, 0, signal.type.dtype)
    padded = OPS["pad"](editor, signal, zero, **{k: tuple(v) for k, v in widths.items()})
    cropped = _cropped(editor, padded, places, low, high)
    none = (0,) * len(low)
    valid = {**attrs, "low": none, "high": none, "lhs_dilation": (1,) * len(low)}
    return [OPS["conv"](editor, cropped, *inputs[1:], **valid)]


def _cropped(
    editor: Editor, x: Value, places: Sequence[int], low: Sequence[int], high: Sequence[int]
) -> Value:
    """Negative padding takes elements away."""
    if min((*low, *high)) >= 0:
        return x
    start, limit = [0] * len(x.shape), list(x.shape)
    for axis, before, after in zip(places, low, high):
        start[axis] = min(max(-before, 0), limit[axis])
        limit[axis] = max(limit[axis] - max(-after, 0), start[axis])
    return OPS["slice"](editor, x, start=tuple(start), limit=tuple(limit), stride=(1,) * len(start))
