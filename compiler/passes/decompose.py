"""Ops that are others in disguise: calls are inlined, padded convolutions and windows pad.

    call(x) {body}                      →   the body, on x
    bounded_while(x)                    →   a while that counts
    conv(x, k) {low = 1, high = 1, …}   →   conv(pad(x), k) {low = 0, high = 0, …}
    conv(x, k) {lhs_dilation = 2, …}    →   two of x without gaps, for even and odd places

The passes after it and fusion count on it: it cannot be left out.
Takes and gives: Graph. Must not know: targets.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Builder, Graph, Node, Value
from ..opdef import OPS, Attrs
from ..ops.source import constant
from ..ops.windows import window_unit
from ..rewrite import Editor, everywhere
from ..types import TensorType, i64
from .phases import by_phases, has_phases

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
        if node.op == "bounded_while":
            return _counted(editor, node, inputs)
        if node.op == "conv":
            if has_phases(node):
                return [by_phases(editor, node, *inputs)]
            return _padded_conv(editor, node, inputs)
        if node.op == "reduce_window":
            return _padded_window(editor, node, inputs)
        return None

    return editor.edit(replace)


def _counted(editor: Editor, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value]:
    """A `while` that counts its steps, and stops at the bound."""
    attrs, n_const = node.attrs, node.attrs["n_const"]
    graphs: dict[str, Graph] = {}
    for label in ("cond", "body"):
        graph: Graph = attrs[label]
        b = Builder(name=graph.name)
        names = graph.param_names
        params = [b.param(p.type, n) for p, n in zip(graph.params[:n_const], names)]
        count = b.param(TensorType((), i64), "step")
        params += [b.param(p.type, n) for p, n in zip(graph.params[n_const:], names[n_const:])]
        made = b.inline(graph.results, dict(zip(graph.params, params)), graph.locs)
        if label == "cond":
            more = OPS["less"](b, count, constant(b, attrs["max_steps"], i64))
            graphs[label] = b.graph([OPS["bit_and"](b, more, made[0])])
        else:
            graphs[label] = b.graph([OPS["add"](b, count, constant(b, 1, i64)), *made])
    operands = [*inputs[:n_const], constant(editor, 0, i64), *inputs[n_const:]]
    return OPS["while"].many(editor, *operands, **graphs, n_const=n_const)[1:]


def _padded_conv(editor: Editor, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    """The convolution of the padded signal, which is what its padding and dilation mean."""
    attrs = node.attrs
    count = len(attrs["low"])
    places = [attrs["lhs"].index(str(k)) for k in range(count)]
    signal = _padded(editor, inputs[0], places, attrs, "lhs_dilation", 0)
    if signal is inputs[0]:
        return None
    none = (0,) * count
    valid = {**attrs, "low": none, "high": none, "lhs_dilation": (1,) * count}
    return [OPS["conv"](editor, signal, *inputs[1:], **valid)]


def _padded_window(editor: Editor, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    """The same for a window, which meets its unit in padding and gaps."""
    attrs = node.attrs
    rank = len(attrs["low"])
    fill = window_unit(attrs["op"], inputs[0].type.dtype)
    x = _padded(editor, inputs[0], range(rank), attrs, "base_dilation", fill)
    if x is inputs[0]:
        return None
    none = (0,) * rank
    valid = {**attrs, "low": none, "high": none, "base_dilation": (1,) * rank}
    return [OPS["reduce_window"](editor, x, **valid)]


def _padded(
    editor: Editor, x: Value, places: Sequence[int], attrs: Attrs, dilation: str, fill: float
) -> Value:
    """x with gaps and padding of `fill` along the axes `places`; x itself where there are none."""
    low, high, spread = attrs["low"], attrs["high"], attrs[dilation]
    if not any((*low, *high)) and all(s == 1 for s in spread):
        return x
    widths = {name: [0] * len(x.shape) for name in ("low", "high", "interior")}
    for k, axis in enumerate(places):
        widths["low"][axis] = max(low[k], 0)
        widths["high"][axis] = max(high[k], 0)
        widths["interior"][axis] = spread[k] - 1
    value = constant(editor, fill, x.type.dtype)
    padded = OPS["pad"](editor, x, value, **{k: tuple(v) for k, v in widths.items()})
    return _cropped(editor, padded, places, low, high)


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
