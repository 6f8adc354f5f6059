"""Ops that only move elements: each is index arithmetic and melts into the kernels around it.

Takes: one tensor (concat: several). Gives: broadcast reshape transpose slice pad concat reverse.
Adjoints live here in pairs: slice with pad, broadcast with `reduce_sum` (in reduction.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Examples, OpDef, Tangents, Types, define
from ..scalars import register
from ..types import REAL, TensorType, i1
from . import draws
from .families import arity, describe, move_axis_to_front, require, require_shape
from .pairs import each
from .source import constant, scalar_zero


def _movement(
    name: str, doc: str, infer: Any, reference: Any, index: Any, examples: Examples, **fields: Any
) -> OpDef:
    """A movement record: linear in its operands, so the tangent moves as the value does."""
    return define(
        OpDef(
            name=name,
            family="movement",
            doc=doc,
            infer=infer,
            reference=reference,
            index=index,
            examples=examples,
            dtypes=REAL,
            parts=each,
            cost=0.0,
            **{"linearise": _linearise_unary(name), **fields},
        )
    )


def _linearise_unary(name: str) -> Any:
    return lambda b, node, xs, ys, ts: [OPS[name](b, ts[0], **node.attrs)]


def _axes_ok(name: str, axes: Sequence[int], rank: int) -> None:
    require_shape(
        all(0 <= a < rank for a in axes) and len(set(axes)) == len(axes),
        f"{name}: axes {tuple(axes)} must be distinct and below the rank {rank}",
    )


# -- broadcast ---------------------------------------------------------------------------
def _broadcast_infer(types: Types, attrs: Attrs) -> Types:
    arity("broadcast", types, 1)
    shape, axes = tuple(attrs["shape"]), tuple(attrs["axes"])
    (x,) = types
    _axes_ok("broadcast", axes, len(shape))
    require_shape(
        len(axes) == x.rank and list(axes) == sorted(axes),
        f"broadcast: {x.short} needs one increasing axis per dimension, got {axes}",
    )
    for axis, n in zip(axes, x.shape):
        require_shape(
            n == shape[axis],
            f"broadcast: dimension {n} of {x.short} does not fit axis {axis} of shape {shape}",
        )
    return (TensorType(shape, x.dtype),)


def _broadcast_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    shape, axes = outs[0].shape, attrs["axes"]
    expanded = [shape[k] if k in axes else 1 for k in range(len(shape))]
    return [np.broadcast_to(arrays[0].reshape(expanded), shape).copy()]


def _broadcast_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,) = cts
    assert ct is not None
    added = tuple(k for k in range(len(node.attrs["shape"])) if k not in node.attrs["axes"])
    return [OPS["reduce_sum"](b, ct, axes=added) if added else ct]


def _broadcast_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    shape = (size, *node.attrs["shape"])
    return [broadcast(b, x, shape=shape, axes=(0, *(a + 1 for a in node.attrs["axes"])))], [0]


broadcast = _movement(
    "broadcast",
    "x repeated along new axes: dimension k of x becomes axis `axes[k]` of `shape`.",
    _broadcast_infer,
    _broadcast_reference,
    lambda r, node, point: r.read(0, [point[a] for a in node.attrs["axes"]]),
    draws.broadcast,
    transpose=_broadcast_transpose,
    batch=_broadcast_batch,
)


# -- reshape -----------------------------------------------------------------------------
def _reshape_infer(types: Types, attrs: Attrs) -> Types:
    arity("reshape", types, 1)
    shape = tuple(attrs["shape"])
    require_shape(
        math.prod(shape) == types[0].size and all(n >= 0 for n in shape),
        f"reshape: {types[0].short} has {types[0].size} elements, "
        f"shape {shape} has {math.prod(shape)}",
    )
    return (TensorType(shape, types[0].dtype),)


def _reshape_index(r: Any, node: Node, point: Any) -> Any:
    return r.read(0, r.regroup(point, node.types[0].shape, node.inputs[0].shape))


def _reshape_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    return [reshape(b, x, shape=(size, *node.attrs["shape"]))], [0]


reshape: OpDef = _movement(
    "reshape",
    "The same elements in row-major order in another shape.",
    _reshape_infer,
    lambda arrays, attrs, ins, outs: [arrays[0].reshape(outs[0].shape)],
    _reshape_index,
    draws.reshape,
    transpose=lambda b, n, xs, cts: [reshape(b, cts[0], shape=n.inputs[0].shape)],
    batch=_reshape_batch,
)


# -- transpose ---------------------------------------------------------------------------
def _transpose_infer(types: Types, attrs: Attrs) -> Types:
    arity("transpose", types, 1)
    order = tuple(attrs["permutation"])
    require_shape(
        sorted(order) == list(range(types[0].rank)),
        f"transpose: {order} is no permutation of the axes of {types[0].short}",
    )
    return (TensorType(tuple(types[0].shape[k] for k in order), types[0].dtype),)


def inverse_permutation(order: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes `order`."""
    return tuple(sorted(range(len(order)), key=lambda k: order[k]))


def _transpose_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    return [transpose(b, x, permutation=(0, *(k + 1 for k in node.attrs["permutation"])))], [0]


transpose: OpDef = _movement(
    "transpose",
    "Axes reordered: axis k of the result is axis `permutation[k]` of x.",
    _transpose_infer,
    lambda arrays, attrs, ins, outs: [arrays[0].transpose(attrs["permutation"]).copy()],
    lambda r, node, point: r.read(
        0, [point[k] for k in inverse_permutation(node.attrs["permutation"])]
    ),
    draws.transpose,
    transpose=lambda b, n, xs, cts: [
        transpose(b, cts[0], permutation=inverse_permutation(n.attrs["permutation"]))
    ],
    batch=_transpose_batch,
)


# -- slice and pad -----------------------------------------------------------------------
def _slice_infer(types: Types, attrs: Attrs) -> Types:
    arity("slice", types, 1)
    (x,) = types
    start, limit, stride = attrs["start"], attrs["limit"], attrs["stride"]
    require_shape(
        len(start) == len(limit) == len(stride) == x.rank,
        f"slice: start, limit and stride need one entry per axis of {x.short}",
    )
    for axis, (low, high, step) in enumerate(zip(start, limit, stride)):
        require_shape(
            0 <= low <= high <= x.shape[axis] and step > 0,
            f"slice: [{low}:{high}:{step}] is out of range on axis {axis} of {x.short}",
        )
    shape = tuple(-(-(h - lo) // st) for lo, h, st in zip(start, limit, stride))
    return (TensorType(shape, x.dtype),)


def _slice_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,) = cts
    assert ct is not None
    start, stride = node.attrs["start"], node.attrs["stride"]
    covered = [lo + (n - 1) * st + 1 if n else lo for lo, n, st in zip(start, ct.shape, stride)]
    high = tuple(n - c for n, c in zip(node.inputs[0].shape, covered))
    zero = scalar_zero(b, ct)
    return [pad(b, ct, zero, low=start, high=high, interior=tuple(s - 1 for s in stride))]


def _slice_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    a = node.attrs
    out = slice_(b, x, start=(0, *a["start"]), limit=(size, *a["limit"]), stride=(1, *a["stride"]))
    return [out], [0]


slice_ = _movement(
    "slice",
    "x[start : limit : stride] on every axis, strides positive.",
    _slice_infer,
    lambda arrays, attrs, ins, outs: [
        arrays[0][tuple(map(slice, attrs["start"], attrs["limit"], attrs["stride"]))].copy()
    ],
    lambda r, node, point: r.read(
        0,
        [r.affine(p, s, lo) for p, s, lo in zip(point, node.attrs["stride"], node.attrs["start"])],
    ),
    draws.slice_,
    transpose=_slice_transpose,
    batch=_slice_batch,
)


def _pad_infer(types: Types, attrs: Attrs) -> Types:
    arity("pad", types, 2)
    x, value = types
    low, high, interior = attrs["low"], attrs["high"], attrs["interior"]
    require(
        value.dtype is x.dtype and value.rank == 0,
        f"pad: the padding value must be a scalar of {x.dtype}, got {value.short}",
    )
    require_shape(
        len(low) == len(high) == len(interior) == x.rank,
        f"pad: low, high and interior need one entry per axis of {x.short}",
    )
    require_shape(
        min((*low, *high, *interior, 0)) >= 0,
        f"pad: widths must not be negative (crop with slice), got low={low} high={high}",
    )
    shape = tuple(
        lo + n + max(n - 1, 0) * i + h for lo, n, h, i in zip(low, x.shape, high, interior)
    )
    return (TensorType(shape, x.dtype),)


def _pad_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    x, value = arrays
    out = np.full(outs[0].shape, value, x.dtype)
    where = tuple(
        slice(lo, lo + (n - 1) * (i + 1) + 1 if n else lo, i + 1)
        for lo, n, i in zip(attrs["low"], x.shape, attrs["interior"])
    )
    out[where] = x
    return [out]


def _pad_index(r: Any, node: Node, point: Any) -> Any:
    """Read at a clamped index, and select the padding where the index was outside."""
    shape = node.inputs[0].shape
    if 0 in shape:
        return r.read(1, [])
    inside: list[Any] = []
    inner = []
    for p, low, high, i, n in zip(
        point, node.attrs["low"], node.attrs["high"], node.attrs["interior"], shape
    ):
        if not (low or high or i):
            inner.append(p)
            continue
        span = (n - 1) * (i + 1) + 1
        moved = r.value(r.affine(p, 1, -low))
        clamped = r.clamp(moved, 0, span - 1)
        inside.append(r.s.compare("eq", moved, clamped))
        if i:
            step = r.s.constant(i + 1, moved.type.dtype)
            quotient = r.s.op("arith.divui", clamped, step)
            inside.append(r.s.compare("eq", r.s.mul(quotient, step), clamped))
            clamped = quotient
        inner.append(clamped)
    value = r.read(0, inner)
    if not inside:
        return value
    valid = inside[0]
    for condition in inside[1:]:
        valid = r.s.bit("and", valid, condition)
    return r.s.select(valid, value, r.read(1, []))


def _pad_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    inner = (
        ts[0]
        if ts[0] is not None
        else OPS["broadcast"](b, scalar_zero(b, xs[1]), shape=xs[0].shape, axes=())
    )
    outer = ts[1] if ts[1] is not None else scalar_zero(b, xs[1])
    return [pad(b, inner, outer, **node.attrs)]


def _pad_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,) = cts
    assert ct is not None
    low, interior, shape = node.attrs["low"], node.attrs["interior"], node.inputs[0].shape
    limit = tuple(lo + (n - 1) * (i + 1) + 1 if n else lo for lo, n, i in zip(low, shape, interior))
    inner = slice_(b, ct, start=low, limit=limit, stride=tuple(i + 1 for i in interior))
    padding: Value | None = None
    if xs[1] is None:
        every = tuple(range(len(shape)))
        total = OPS["reduce_sum"](b, ct, axes=every)
        padding = OPS["sub"](b, total, OPS["reduce_sum"](b, inner, axes=every))
    return [inner if xs[0] is None else None, padding]


def _pad_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    wider = {k: (0, *v) for k, v in node.attrs.items()}
    if axes[1] is None:
        return [pad(b, x, xs[1], **wider)], [0]
    # One padding value per example: pad with zero, then put the value where no element of x is.
    inner = pad(b, x, scalar_zero(b, x), **wider)
    true, false = constant(b, 1, i1, x.shape), constant(b, 0, i1)
    inside = pad(b, true, false, **wider)
    value = broadcast(b, xs[1], shape=inner.shape, axes=(0,))
    return [OPS["select"](b, inside, inner, value)], [0]


pad = _movement(
    "pad",
    "x with the scalar `value` before (`low`), after (`high`), between (`interior`) its elements.",
    _pad_infer,
    _pad_reference,
    _pad_index,
    draws.pad,
    linearise=_pad_linearise,
    transpose=_pad_transpose,
    batch=_pad_batch,
)


# -- concat ------------------------------------------------------------------------------
def _concat_infer(types: Types, attrs: Attrs) -> Types:
    axis = attrs["axis"]
    require(bool(types), "concat needs at least one operand")
    first = types[0]
    require_shape(0 <= axis < first.rank, f"concat: axis {axis} is out of range for {first.short}")
    for t in types:
        require(
            t.dtype is first.dtype, f"concat needs operands of one dtype, got {describe(types)}"
        )
        require_shape(
            t.rank == first.rank
            and all(a == b for k, (a, b) in enumerate(zip(t.shape, first.shape)) if k != axis),
            f"concat: operands must agree except on axis {axis}, got {describe(types)}",
        )
    total = sum(t.shape[axis] for t in types)
    shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
    return (TensorType(shape, first.dtype),)


def _concat_index(r: Any, node: Node, point: Any) -> Any:
    """From the last piece to the first: select by where the index falls, reading clamped."""
    axis = node.attrs["axis"]
    pieces = []
    offset = 0
    for k, value in enumerate(node.inputs):
        n = value.shape[axis]
        if n:
            pieces.append((k, offset, n))
        offset += n
    fixed = r.constant_of(point[axis])
    if fixed is not None and pieces:
        k, offset, n = next((p for p in pieces if fixed < p[1] + p[2]), pieces[-1])
        inner = list(point)
        inner[axis] = r.affine(point[axis], 0, min(max(fixed - offset, 0), n - 1))
        return r.read(k, inner)
    at = r.value(point[axis])
    result: Any = None
    for k, offset, n in reversed(pieces):
        inner = list(point)
        inner[axis] = r.clamp(r.value(r.affine(point[axis], 1, -offset)), 0, n - 1)
        value = r.read(k, inner)
        end = r.s.constant(offset + n, at.type.dtype)
        result = value if result is None else r.s.select(r.s.compare("lt", at, end), value, result)
    return result if pieces else r.s.constant(0, register(node.types[0].dtype))


def _concat_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    moved = [
        t if t is not None else OPS["broadcast"](b, scalar_zero(b, x), shape=x.shape, axes=())
        for x, t in zip(xs, ts)
    ]
    return [concat(b, *moved, **node.attrs)]


def _concat_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,) = cts
    assert ct is not None
    axis, offset = node.attrs["axis"], 0
    out: list[Value | None] = []
    for x, operand in zip(xs, node.inputs):
        n = operand.shape[axis]
        if x is not None:
            out.append(None)
        else:
            start = tuple(offset if k == axis else 0 for k in range(len(ct.shape)))
            limit = tuple(offset + n if k == axis else m for k, m in enumerate(ct.shape))
            out.append(slice_(b, ct, start=start, limit=limit, stride=(1,) * len(ct.shape)))
        offset += n
    return out


def _concat_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    fronted = [move_axis_to_front(b, x, a, size) for x, a in zip(xs, axes)]
    return [concat(b, *fronted, axis=node.attrs["axis"] + 1)], [0]


concat = _movement(
    "concat",
    "The operands one after another along `axis`.",
    _concat_infer,
    lambda arrays, attrs, ins, outs: [np.concatenate(arrays, axis=attrs["axis"])],
    _concat_index,
    draws.concat,
    linearise=_concat_linearise,
    transpose=_concat_transpose,
    batch=_concat_batch,
)


# -- reverse -----------------------------------------------------------------------------
def _reverse_infer(types: Types, attrs: Attrs) -> Types:
    arity("reverse", types, 1)
    _axes_ok("reverse", attrs["axes"], types[0].rank)
    return types


def _reverse_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    return [reverse(b, x, axes=tuple(a + 1 for a in node.attrs["axes"]))], [0]


reverse: OpDef = _movement(
    "reverse",
    "x with the order of elements reversed along `axes`.",
    _reverse_infer,
    lambda arrays, attrs, ins, outs: [np.flip(arrays[0], attrs["axes"]).copy()],
    lambda r, node, point: r.read(
        0,
        [
            r.affine(p, -1, n - 1) if k in node.attrs["axes"] else p
            for k, (p, n) in enumerate(zip(point, node.types[0].shape))
        ],
    ),
    draws.reverse,
    transpose=lambda b, n, xs, cts: [reverse(b, cts[0], **n.attrs)],
    batch=_reverse_batch,
)
