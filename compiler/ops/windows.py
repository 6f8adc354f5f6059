"""`reduce_window`: sum, max or min under a sliding window: pooling, and its gradients.

Takes: one tensor, a window over all its axes (size 1 where it does not slide). Gives: one record.
The window meets the unit (0, the lowest, the highest) in gaps and padding. The derivative of max
and min splits evenly between equals in a window, as for `reduce_max`.
Must not know: how it is computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, OpDef, Tangents, Types, define
from ..types import NUMERIC, REAL, DType, Shape, TensorType, bf16, f64, i1, i64
from . import draws
from .arithmetic import add, div, maximum, minimum, mul
from .convolution import check_windows, dilated, padding_for, spread_and_pad, window_positions
from .families import arity, describe, move_axis_to_front, require, require_shape
from .functions import nonzero
from .indexing import gather
from .logic import bit_and, equal, select
from .reduction import highest, lowest, reduce_sum
from .source import constant, iota, scalar_like, zeros_like

WINDOW_KEYS = ("window", "stride", "low", "high", "base_dilation", "window_dilation")
UNROLLED_WINDOW = 64
"""Up to this many elements a window's derivative is written out; beyond, it gathers the windows."""

_ACCEPTED = {"sum": NUMERIC, "max": REAL, "min": REAL}


def window_unit(op: str, dtype: DType) -> int | float:
    """What a window of `op` meets in gaps and padding."""
    return {"sum": lambda t: 0, "max": lowest, "min": highest}[op](dtype)


def _places(shape: Shape, attrs: Attrs) -> Shape:
    rows = zip(shape, *(attrs[key] for key in WINDOW_KEYS))
    return tuple(window_positions(n, *row) for n, *row in rows)


def _infer(types: Types, attrs: Attrs) -> Types:
    arity("reduce_window", types, 1)
    (x,), op = types, attrs["op"]
    require(op in _ACCEPTED, f"reduce_window: op is one of {', '.join(_ACCEPTED)}, got {op!r}")
    require(
        x.dtype in _ACCEPTED[op],
        f"reduce_window {op} does not take {x.dtype}: {describe(types)}",
    )
    check_windows("reduce_window", attrs, WINDOW_KEYS, x.rank)
    require_shape(
        all(n >= 1 for n in attrs["window"]),
        f"reduce_window: window {tuple(attrs['window'])} must be at least 1 on every axis",
    )
    return (TensorType(_places(x.shape, attrs), x.dtype),)


def _reference(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
    (x,), op = arrays, attrs["op"]
    wide = x.astype(np.float64) if x.dtype.kind == "f" else x
    unit = window_unit(op, ins[0].dtype)
    padded = spread_and_pad(wide, attrs, "base_dilation", range(x.ndim), unit)
    total = np.full(outs[0].shape, unit, wide.dtype)
    rule = {"sum": add, "max": maximum, "min": minimum}[op].reference
    if total.size:
        for at in np.ndindex(*attrs["window"]):
            piece = padded[
                tuple(
                    slice(k * step, k * step + (n - 1) * stride + 1, stride)
                    for k, step, n, stride in zip(
                        at, attrs["window_dilation"], total.shape, attrs["stride"]
                    )
                )
            ]
            kind = (TensorType(total.shape, _exact(ins[0])),)
            total = np.asarray(rule([total, piece], {}, kind * 2, kind)[0])
    with np.errstate(all="ignore"):
        return [total.astype(np.float32 if outs[0].dtype is bf16 else outs[0].dtype.numpy)]


def _exact(type: TensorType) -> Any:
    return f64 if type.dtype.is_float else type.dtype


# -- sum: its adjoint is a windowed sum ----------------------------------------------------------
def _transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    """Which places meet element j: p · stride + k · step − low = j · base, with k backwards."""
    (ct,), x, a = cts, node.inputs[0], node.attrs
    assert ct is not None
    if 0 in (ct.type.size, x.type.size):
        return [zeros_like(b, x)]
    low, high = [], []
    for k, (n, places, window) in enumerate(zip(x.shape, ct.shape, a["window"])):
        step, base, stride = a["window_dilation"][k], a["base_dilation"][k], a["stride"][k]
        low.append((window - 1) * step - a["low"][k])
        high.append(padding_for(n, places, window, base, low[-1], stride, step))
    changed = {
        "stride": a["base_dilation"],
        "base_dilation": a["stride"],
        "low": tuple(low),
        "high": tuple(high),
    }
    return [reduce_window(b, ct, **{**a, **changed})]


# -- max and min ---------------------------------------------------------------------------------
def _extended(b: Builder, node: Node, x: Value, fill: int | float) -> Value:
    """x with gaps and padding of `fill`; what `low` and `high` crop is still there."""
    a = node.attrs
    low, high = (tuple(max(0, n) for n in a[key]) for key in ("low", "high"))
    interior = tuple(n - 1 for n in a["base_dilation"])
    if not any((*low, *high, *interior)):
        return x
    value = constant(b, fill, x.type.dtype)
    return OPS["pad"](b, x, value, low=low, high=high, interior=interior)


def _shifts(node: Node) -> tuple[int, ...]:
    """Where the first window starts in what `_extended` gives."""
    return tuple(max(0, -n) for n in node.attrs["low"])


def _element(b: Builder, node: Node, x: Value, at: Sequence[int], places: Shape) -> Value:
    """Element `at` of every window of an extended tensor: a strided slice."""
    rows = zip(at, node.attrs["window_dilation"], _shifts(node))
    start = tuple(k * step + shift for k, step, shift in rows)
    stride = tuple(node.attrs["stride"])
    limit = tuple(lo + (n - 1) * st + 1 for lo, n, st in zip(start, places, stride))
    return OPS["slice"](b, x, start=start, limit=limit, stride=stride)


def written_out(b: Builder, node: Node, x: Value) -> Value:
    """A window without padding and gaps as one strided slice for each of its elements, joined."""
    join = {"sum": add, "max": maximum, "min": minimum}[node.attrs["op"]]
    places = node.types[0].shape
    slices = [_element(b, node, x, at, places) for at in np.ndindex(*node.attrs["window"])]
    return reduce(lambda total, piece: join(b, total, piece), slices)


def _windows(b: Builder, node: Node, x: Value, places: Shape) -> Value:
    """All windows of an extended tensor: the axes of the places, then those of the window."""
    a, rank = node.attrs, len(places)
    columns = []
    for k, (stride, shift) in enumerate(zip(a["stride"], _shifts(node))):
        ramp = iota(b, shape=places, axis=k, dtype=i64)
        corner = add(b, mul(b, ramp, scalar_like(b, stride, ramp)), scalar_like(b, shift, ramp))
        columns.append(OPS["reshape"](b, corner, shape=(*places, 1)))
    sizes = tuple(dilated(n, step) for n, step in zip(a["window"], a["window_dilation"]))
    whole = gather(
        b,
        x,
        OPS["concat"](b, *columns, axis=rank),
        axes=tuple(range(rank)),
        collapsed=(),
        operand_batch=(),
        index_batch=(),
        offset=tuple(range(rank, 2 * rank)),
        sizes=sizes,
        mode="clip",
    )
    return OPS["slice"](
        b,
        whole,
        start=(0,) * (2 * rank),
        limit=whole.shape,
        stride=(1,) * rank + tuple(a["window_dilation"]),
    )


def _masked(b: Builder, x: Value, y: Value, inside: Value | None) -> Value:
    """1 where an element is its window's extremum (and no padding), else 0."""
    chosen = equal(b, x, y)
    if inside is not None:
        chosen = bit_and(b, chosen, inside)
    return select(b, chosen, scalar_like(b, 1, x), zeros_like(b, x))


def _extremum_tangent(b: Builder, node: Node, x: Value, y: Value, t: Value) -> Value:
    """The mean tangent of the elements that equal their window's extremum."""
    op, window, places = node.attrs["op"], node.attrs["window"], y.shape
    wide_x, wide_t = _extended(b, node, x, window_unit(op, x.type.dtype)), _extended(b, node, t, 0)
    inside = None
    if wide_x is not x:
        inside = _extended(b, node, constant(b, 1, i1, x.shape), 0)
    if math.prod(window) > UNROLLED_WINDOW:
        rank = len(places)
        every = tuple(range(rank, 2 * rank))
        y = OPS["broadcast"](b, y, shape=(*places, *window), axes=tuple(range(rank)))
        valid = None if inside is None else _windows(b, node, inside, places)
        mask = _masked(b, _windows(b, node, wide_x, places), y, valid)
        total = reduce_sum(b, mul(b, mask, _windows(b, node, wide_t, places)), axes=every)
        return div(b, total, nonzero(b, reduce_sum(b, mask, axes=every)))
    numerator = count = zeros_like(b, y)
    for at in np.ndindex(*window):
        valid = None if inside is None else _element(b, node, inside, at, places)
        mask = _masked(b, _element(b, node, wide_x, at, places), y, valid)
        numerator = add(b, numerator, mul(b, mask, _element(b, node, wide_t, at, places)))
        count = add(b, count, mask)
    return div(b, numerator, nonzero(b, count))


def _linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    (x,), (y,), (t,) = xs, ys, ts
    assert t is not None
    if node.attrs["op"] == "sum":
        return [reduce_window(b, t, **node.attrs)]
    if y.type.size == 0:
        return [None]
    return [_extremum_tangent(b, node, x, y, t)]


# -- the record ----------------------------------------------------------------------------------
def _batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    neutral = {key: 0 if key in ("low", "high") else 1 for key in WINDOW_KEYS}
    attrs = {key: (neutral[key], *node.attrs[key]) for key in WINDOW_KEYS}
    return [reduce_window(b, x, op=node.attrs["op"], **attrs)], [0]


def _example(rng: draws.Generator, op: str, dtype: Any) -> draws.Example:
    rank = int(rng.integers(0, 4))

    def steps(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(n) for n in rng.integers(low, high + 1, rank))

    shape = draws.small_shape(rng, rank, 0 if rng.integers(6) == 0 else 1, 7)
    attrs = {
        "op": op, "window": steps(1, 3), "stride": steps(1, 3), "low": steps(-1, 2),
        "high": steps(-1, 2), "base_dilation": steps(1, 2), "window_dilation": steps(1, 2),
    }  # fmt: skip
    return (TensorType(shape, dtype),), attrs


reduce_window = define(
    OpDef(
        name="reduce_window",
        family="window",
        route="window",
        doc="The sum, max or min of the elements under a window, at every place of the window.",
        infer=_infer,
        reference=_reference,
        linearise=_linearise,
        transpose=_transpose,
        batch=_batch,
        dtypes=REAL,
        ulp=0.5,
        examples=lambda rng: [
            _example(rng, op, dtype) for op, accepted in _ACCEPTED.items() for dtype in accepted
        ],
        cost=4.0,
    )
)
