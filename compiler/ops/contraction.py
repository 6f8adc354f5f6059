"""`dot_general`: products summed over paired axes, with batch axes: every matrix product there is.

Takes: two tensors of one dtype and which of their axes pair up. Gives: batch axes, then the free
axes of the left, then of the right. Floats accumulate in f32 (f64 in f64), in an order that the
shapes fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types, define
from ..types import NUMBERS, NUMERIC, TensorType, bf16
from . import draws
from .families import arity, describe, require, require_shape
from .movement import inverse_permutation
from .pairs import bilinear


def free_axes(rank: int, *taken: Sequence[int]) -> tuple[int, ...]:
    """The axes below `rank` that are in none of `taken`."""
    used = {a for axes in taken for a in axes}
    return tuple(k for k in range(rank) if k not in used)


def _infer(types: Types, attrs: Attrs) -> Types:
    arity("dot_general", types, 2)
    x, y = types
    require(
        x.dtype is y.dtype and x.dtype in NUMBERS,
        f"dot_general needs two operands of one numeric dtype, got {describe(types)}",
    )
    for kind in ("contracting", "batch"):
        left, right = attrs[f"lhs_{kind}"], attrs[f"rhs_{kind}"]
        require_shape(
            len(left) == len(right)
            and all(0 <= a < x.rank for a in left)
            and all(0 <= a < y.rank for a in right),
            f"dot_general: {kind} axes {left} and {right} do not fit {describe(types)}",
        )
        for a, c in zip(left, right):
            require_shape(
                x.shape[a] == y.shape[c],
                f"dot_general: {kind} dimensions differ: axis {a} of {x.short} is {x.shape[a]}, "
                f"axis {c} of {y.short} is {y.shape[c]}",
            )
    lhs, rhs = (
        attrs["lhs_contracting"] + attrs["lhs_batch"],
        attrs["rhs_contracting"] + attrs["rhs_batch"],
    )
    require_shape(
        len(set(lhs)) == len(lhs) and len(set(rhs)) == len(rhs),
        f"dot_general: an axis is named twice: {lhs}, {rhs}",
    )
    shape = [x.shape[a] for a in attrs["lhs_batch"]]
    shape += [x.shape[a] for a in free_axes(x.rank, lhs)]
    shape += [y.shape[a] for a in free_axes(y.rank, rhs)]
    return (TensorType(tuple(shape), x.dtype),)


def _as_matrices(x: Array, batch: Sequence[int], contract: Sequence[int], last: bool) -> Array:
    free = free_axes(x.ndim, batch, contract)
    order = (*batch, *free, *contract) if last else (*batch, *contract, *free)
    moved = x.transpose(order)
    sizes = [
        int(np.prod([x.shape[a] for a in axes], dtype=np.int64)) for axes in (batch, free, contract)
    ]
    return moved.reshape((sizes[0], sizes[1], sizes[2]) if last else (sizes[0], sizes[2], sizes[1]))


def _reference(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
    x, y = arrays
    if x.dtype.kind == "f":
        x, y = x.astype(np.float64), y.astype(np.float64)
    elif x.dtype.kind == "c":
        x, y = x.astype(np.complex128), y.astype(np.complex128)
    left = _as_matrices(x, attrs["lhs_batch"], attrs["lhs_contracting"], last=True)
    right = _as_matrices(y, attrs["rhs_batch"], attrs["rhs_contracting"], last=False)
    with np.errstate(all="ignore"):
        out = np.matmul(left, right).reshape(outs[0].shape)
        return [out.astype(np.float32 if outs[0].dtype is bf16 else outs[0].dtype.numpy)]


def _linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    total: Value | None = None
    if ts[0] is not None:
        total = dot_general(b, ts[0], xs[1], **node.attrs)
    if ts[1] is not None:
        term = dot_general(b, xs[0], ts[1], **node.attrs)
        total = term if total is None else OPS["add"](b, total, term)
    return [total]


def _transpose_operand(b: Builder, node: Node, ct: Value, other: Value, side: str) -> Value:
    """The cotangent of one operand: ct contracted with the other operand's free axes."""
    mine, yours = ("lhs", "rhs") if side == "lhs" else ("rhs", "lhs")
    target = node.inputs[0 if side == "lhs" else 1].type
    batch, contract = node.attrs[f"{mine}_batch"], node.attrs[f"{mine}_contracting"]
    other_batch, other_contract = node.attrs[f"{yours}_batch"], node.attrs[f"{yours}_contracting"]
    free = free_axes(target.rank, batch, contract)
    other_free = free_axes(len(other.shape), other_batch, other_contract)
    n = len(batch)
    other_start = n + len(free) if side == "lhs" else n
    ct_contract = tuple(range(other_start, other_start + len(other_free)))
    out = dot_general(
        b,
        ct,
        other,
        lhs_batch=tuple(range(n)),
        rhs_batch=tuple(other_batch),
        lhs_contracting=ct_contract,
        rhs_contracting=other_free,
    )
    # out has axes: batch, my free axes, then the other's contracting axes in increasing order
    ordered = sorted(range(len(other_contract)), key=lambda k: other_contract[k])
    axes = (*batch, *free, *(contract[k] for k in ordered))
    return OPS["transpose"](b, out, permutation=inverse_permutation(axes))


def _transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,) = cts
    assert ct is not None
    x, y = xs
    return [
        _transpose_operand(b, node, ct, y, "lhs") if x is None and y is not None else None,
        _transpose_operand(b, node, ct, x, "rhs") if y is None and x is not None else None,
    ]


def _batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    """A batch axis on both sides is one more batch axis; on one side it is one more free axis."""
    (x, y), (i, j) = xs, axes
    attrs = dict(node.attrs)
    rank_x, rank_y = len(node.inputs[0].shape), len(node.inputs[1].shape)

    def shifted(values: Sequence[int], axis: int | None) -> tuple[int, ...]:
        return tuple(v + (axis is not None and v >= axis) for v in values)

    for kind in ("contracting", "batch"):
        attrs[f"lhs_{kind}"] = shifted(attrs[f"lhs_{kind}"], i)
        attrs[f"rhs_{kind}"] = shifted(attrs[f"rhs_{kind}"], j)
    if i is not None and j is not None:
        attrs["lhs_batch"], attrs["rhs_batch"] = (i, *attrs["lhs_batch"]), (j, *attrs["rhs_batch"])
        return [dot_general(b, x, y, **attrs)], [0]
    batch = len(node.attrs["lhs_batch"])
    if i is not None:
        place = batch + free_axes(rank_x + 1, attrs["lhs_batch"], attrs["lhs_contracting"]).index(i)
    else:
        left_free = rank_x - batch - len(node.attrs["lhs_contracting"])
        right = free_axes(rank_y + 1, attrs["rhs_batch"], attrs["rhs_contracting"])
        place = batch + left_free + right.index(j)
    return [dot_general(b, x, y, **attrs)], [place]


dot_general = define(
    OpDef(
        name="dot_general",
        family="contraction",
        route="contract",
        doc="Σ over contracting axes of x·y, for every pair of free indices, per batch index.",
        infer=_infer,
        reference=_reference,
        linearise=_linearise,
        transpose=_transpose,
        batch=_batch,
        parts=bilinear,
        dtypes=NUMERIC,
        examples=draws.contraction(NUMERIC),
        domain=Domain(-2, 2),
        ulp=0.5,
        cost=2.0,
    )
)


def matmul(b: Builder, x: Value, y: Value) -> Value:
    """x @ y for matrices."""
    return dot_general(
        b, x, y, lhs_contracting=(1,), rhs_contracting=(0,), lhs_batch=(), rhs_batch=()
    )
