"""Writes `dot_general` and `conv` as a Generic: a multiply-add over parallel and reduction dims.

Takes: the node and where its operands' views read. Gives: the Generic and its accumulator's dtype.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph import Node, Value
from ..kernel import PARALLEL, REDUCTION, Generic, Output, Read
from ..mlir.ir import AffineMap, Dense
from ..scalars import scalar_type, storage
from ..types import DType, TensorType, f32
from .body import BodyWriter, Index, Linear, Point, identity_point

Operands = tuple[tuple[int, ...], tuple[int, ...], Point, Point, AffineMap]
"""Sizes of the parallel and of the reduction dims, where each operand is read, and where the result
is written."""


def _dot(node: Node) -> Operands:
    """Iteration dims: batch, lhs free, rhs free (the result's axes), then contracting."""
    attrs = node.attrs
    batch, contract = len(attrs["lhs_batch"]), len(attrs["lhs_contracting"])
    ranks = [len(v.shape) for v in node.inputs]
    frees = [rank - batch - contract for rank in ranks]
    first = batch + sum(frees)
    point = identity_point(first + contract)
    sides: list[Point] = []
    for side, rank, free in (("lhs", ranks[0], batch), ("rhs", ranks[1], batch + frees[0])):
        dims = []
        for axis in range(rank):
            if axis in attrs[f"{side}_batch"]:
                dims.append(attrs[f"{side}_batch"].index(axis))
            elif axis in attrs[f"{side}_contracting"]:
                dims.append(first + attrs[f"{side}_contracting"].index(axis))
            else:
                dims.append(free)
                free += 1
        sides.append(tuple(point[d] for d in dims))
    sizes = tuple(node.inputs[0].shape[a] for a in attrs["lhs_contracting"])
    out = node.types[0].shape
    return out, sizes, sides[0], sides[1], AffineMap.select(first + contract, range(first))


def _conv(node: Node) -> Operands:
    """Iteration dims: the result's axes, then the kernel's spatial axes, then features in. Where
    the kernel is in panels, the features are two dims, panels and features of one.

    Padding and gaps are in the signal already (`expand.py`).
    """
    attrs = node.attrs
    spatial = len(attrs["stride"])
    kernel = dict(zip(attrs["rhs"], node.inputs[1].shape))
    axes = attrs["out"].replace("c", "pc") if "p" in kernel else attrs["out"]
    rank = len(axes)
    sizes = (*(kernel[str(k)] for k in range(spatial)), kernel["i"])
    point = identity_point(rank + len(sizes))
    out = dict(zip(axes, point))
    window = point[rank : rank + spatial]
    features = point[-1]
    lhs: dict[str, Index] = {"n": out["n"], "c": features}
    rhs: dict[str, Index] = {"o": out["c"], "i": features}
    if "p" in out:
        rhs["p"] = out["p"]
    if "g" in out:
        lhs["g"] = rhs["g"] = out["g"]
    for k in range(spatial):
        place, offset = out[str(k)], window[k]
        assert isinstance(place, Linear) and isinstance(offset, Linear)
        pairs = zip(place.coefficients, offset.coefficients)
        stride, step = attrs["stride"][k], attrs["rhs_dilation"][k]
        lhs[str(k)] = Linear(tuple(a * stride + c * step for a, c in pairs), 0)
        rhs[str(k)] = offset
    shape = dict(zip(attrs["out"], node.types[0].shape)) | {"p": kernel.get("p", 1)}
    shape["c"] //= shape["p"]
    rows = []
    for a in attrs["out"]:
        steps = {a: 1} | ({"p": shape["c"]} if a == "c" and "p" in out else {})
        rows.append((tuple(steps.get(b, 0) for b in axes) + (0,) * len(sizes), 0))
    return (
        tuple(shape[a] for a in axes), sizes, tuple(lhs[a] for a in attrs["lhs"]),
        tuple(rhs[a] for a in attrs["rhs"]), AffineMap(rank + len(sizes), tuple(rows)),
    )  # fmt: skip


def contract_generic(
    node: Node, is_leaf: Callable[[Value], bool], number: Callable[[Value], int]
) -> tuple[Generic, DType]:
    """The multiply-add Generic of a product or convolution; operands read through their views.

    `number` gives a leaf's number among the kernel's values.
    """
    out = node.types[0]
    outer, sizes, lhs, rhs, place = _conv(node) if node.op == "conv" else _dot(node)
    dims = outer + sizes
    kinds = (PARALLEL,) * len(outer) + (REDUCTION,) * len(sizes)
    writer = BodyWriter(len(dims), is_leaf)
    x = writer.value(node.inputs[0], lhs)
    y = writer.value(node.inputs[1], rhs)
    dtype = out.dtype
    wide = f32 if dtype.is_float and dtype.bits == 16 else storage(dtype)
    s = writer.s
    if wide is f32 and dtype is not f32:
        x, y = s.resize_float(x, f32), s.resize_float(y, f32)
    held = writer.builder.param(scalar_type(wide))
    total = s.fma(x, y, held) if wide.is_float else s.add(held, s.mul(x, y))
    zero = Dense(TensorType((), wide), np.zeros((), wide.numpy))
    result = Output(TensorType(out.shape, wide), place, zero)
    reads = tuple(Read(number(v), m) for v, m in writer.reads)
    return Generic(dims, kinds, reads, writer.builder.graph([total], "body"), (result,)), wide
