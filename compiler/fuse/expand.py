"""Rewrites what kernels do not know into what they do, before fusion.

Takes: any Graph. Gives: an equal Graph in which bodies of `call`s are written out, `scan` is `while`,
and convolutions and windows have no padding or gaps of their own: a `pad` or `slice` makes them.
Unlike the graph passes this one is required. Must not know: fusion, schedules.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Builder, Graph, Node, Value, rewrite
from ..opdef import OPS
from ..ops.reduction import highest, lowest
from ..ops.source import constant
from ..types import DType, TensorType, i64

_BODIES = {
    "call": "body",
    "checkpoint": "body",
    "custom_jvp": "graph",
    "custom_vjp": "graph",
}  # fmt: skip


def expand(graph: Graph) -> Graph:
    """The graph with only ops that fusion or the program lowering takes."""
    while any(_handler(node) for node in graph.nodes):
        graph = rewrite(graph, _replace)
    return graph


def _handler(node: Node):  # type: ignore[no-untyped-def]
    if node.op in _BODIES:
        return _inline
    if node.op == "scan":
        return _scan
    reduces = OPS[node.op].family in ("reduction", "window")
    reduces_nothing = reduces and node.attrs.get("axes", node.inputs[0].shape) == ()
    if node.op == "stop_gradient" or reduces_nothing:
        return lambda b, node, inputs: inputs
    if node.op == "conv" and _has_gaps(node, "lhs_dilation"):
        return _conv
    if node.op == "reduce_window" and _has_gaps(node, "base_dilation"):
        return _window
    return None


def _replace(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    handler = _handler(node)
    return None if handler is None else handler(b, node, inputs)


def _inline(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value]:
    body: Graph = node.attrs[_BODIES[node.op]]
    return b.inline(body.results, dict(zip(body.params, inputs)), body.locs)


# -- windows ------------------------------------------------------------------------------
def _has_gaps(node: Node, dilation: str) -> bool:
    attrs = node.attrs
    return any((*attrs["low"], *attrs["high"])) or any(d != 1 for d in attrs[dilation])


def _padded(
    b: Builder,
    x: Value,
    axes: Sequence[int],
    low: Sequence[int],
    high: Sequence[int],
    dilation: Sequence[int],
    fill: int | float,
) -> Value:
    """x with gaps and padding of `fill` along `axes`; negative widths crop."""
    rank = len(x.shape)
    rows = {a: (lo, hi, d - 1) for a, lo, hi, d in zip(axes, low, high, dilation)}
    widths = [rows.get(k, (0, 0, 0)) for k in range(rank)]
    value = constant(b, fill, x.type.dtype)
    if any(lo > 0 or hi > 0 or i for lo, hi, i in widths):
        x = OPS["pad"](
            b,
            x,
            value,
            low=tuple(max(0, lo) for lo, _, _ in widths),
            high=tuple(max(0, hi) for _, hi, _ in widths),
            interior=tuple(i for _, _, i in widths),
        )
    if any(lo < 0 or hi < 0 for lo, hi, _ in widths):
        start = [min(max(0, -lo), n) for (lo, _, _), n in zip(widths, x.shape)]
        limit = [max(s, n - max(0, -hi)) for (_, hi, _), n, s in zip(widths, x.shape, start)]
        x = OPS["slice"](b, x, start=tuple(start), limit=tuple(limit), stride=(1,) * rank)
    return x


def _conv(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value]:
    attrs = dict(node.attrs)
    spatial = len(attrs["stride"])
    axes = [attrs["lhs"].index(str(k)) for k in range(spatial)]
    x = _padded(b, inputs[0], axes, attrs["low"], attrs["high"], attrs["lhs_dilation"], 0)
    attrs.update(low=(0,) * spatial, high=(0,) * spatial, lhs_dilation=(1,) * spatial)
    return [OPS["conv"](b, x, inputs[1], **attrs)]


def _window(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value]:
    attrs = dict(node.attrs)
    rank = len(inputs[0].shape)
    fill = window_unit(attrs["op"], inputs[0].type.dtype)
    x = _padded(
        b, inputs[0], range(rank), attrs["low"], attrs["high"], attrs["base_dilation"], fill
    )
    attrs.update(low=(0,) * rank, high=(0,) * rank, base_dilation=(1,) * rank)
    return [OPS["reduce_window"](b, x, **attrs)]


def window_unit(op: str, dtype: DType) -> int | float:
    """What a window of `op` meets in padding."""
    return {"sum": 0, "max": lowest(dtype), "min": highest(dtype)}[op]


# -- scan ---------------------------------------------------------------------------------
def _scan(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value]:
    """A while loop that counts; rows are sliced off the inputs and written into the stacked results."""
    attrs, body = node.attrs, node.attrs["body"]
    n_const, n_carry, length = attrs["n_const"], attrs["n_carry"], attrs["length"]
    stacked = list(inputs[n_const + n_carry :])
    carry = list(inputs[n_const : n_const + n_carry])
    made = [constant(b, 0, t.dtype, t.shape) for t in node.types[n_carry:]]
    if length == 0:
        return [*carry, *made]
    captured = [*inputs[:n_const], *stacked]
    carried = [constant(b, 0, i64), *carry, *made]
    types = [v.type for v in (*captured, *carried)]
    loop = OPS["while"].many(
        b,
        *captured,
        *carried,
        cond=_scan_test(types, len(captured), length),
        body=_scan_body(types, body, len(captured), n_const, n_carry, length, attrs["reverse"]),
        n_const=len(captured),
    )
    return loop[1:]


def _scan_test(types: Sequence[TensorType], captured: int, length: int) -> Graph:
    b = Builder(name="cond")
    params = [b.param(t) for t in types]
    return b.graph([OPS["less"](b, params[captured], constant(b, length, i64))])


def _scan_body(
    types: Sequence[TensorType],
    body: Graph,
    captured: int,
    n_const: int,
    n_carry: int,
    length: int,
    reverse: bool,
) -> Graph:
    b = Builder(name="body")
    params = [b.param(t) for t in types]
    counter = params[captured]
    carry = params[captured + 1 : captured + 1 + n_carry]
    made = params[captured + 1 + n_carry :]
    row = OPS["sub"](b, constant(b, length - 1, i64), counter) if reverse else counter
    rows = [_row(b, x, row) for x in params[n_const:captured]]
    mapping = dict(zip(body.params, [*params[:n_const], *carry, *rows]))
    results = b.inline(body.results, mapping, body.locs)
    stacked = [_put_row(b, y, new, row) for y, new in zip(made, results[n_carry:])]
    step = OPS["add"](b, counter, constant(b, 1, i64))
    return b.graph([step, *results[:n_carry], *stacked])


def _starts(b: Builder, row: Value, rank: int) -> list[Value]:
    return [row, *[constant(b, 0, i64)] * (rank - 1)]


def _row(b: Builder, x: Value, row: Value) -> Value:
    rank, inner = len(x.shape), x.shape[1:]
    piece = OPS["dynamic_slice"](b, x, *_starts(b, row, rank), sizes=(1, *inner))
    return OPS["reshape"](b, piece, shape=inner)


def _put_row(b: Builder, y: Value, new: Value, row: Value) -> Value:
    piece = OPS["reshape"](b, new, shape=(1, *new.shape))
    return OPS["dynamic_update_slice"](b, y, piece, *_starts(b, row, len(y.shape)))
