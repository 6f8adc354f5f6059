"""Writes `dot_general` as a Generic: a multiply-add over parallel and reduction dims.

Takes: the node and where its operands' views read. Gives: the Generic and its accumulator's dtype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..graph import Node
from ..kernel import PARALLEL, REDUCTION, Generic, Output, Read
from ..mlir.ir import AffineMap, Dense
from ..scalars import scalar_type, storage
from ..types import DType, TensorType, f32
from .body import BodyWriter, identity_point

if TYPE_CHECKING:
    from .kernels import KernelWriter


def _points(node: Node) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """For each axis of either operand, its iteration dim: batch, lhs free, rhs free, contracting."""
    attrs = node.attrs
    batch, contract = len(attrs["lhs_batch"]), len(attrs["lhs_contracting"])
    ranks = [len(v.shape) for v in node.inputs]
    frees = [rank - batch - contract for rank in ranks]
    first_contract = batch + sum(frees)
    sides = []
    for side, rank, start in (("lhs", ranks[0], batch), ("rhs", ranks[1], batch + frees[0])):
        dims = []
        free = start
        for axis in range(rank):
            if axis in attrs[f"{side}_batch"]:
                dims.append(attrs[f"{side}_batch"].index(axis))
            elif axis in attrs[f"{side}_contracting"]:
                dims.append(first_contract + attrs[f"{side}_contracting"].index(axis))
            else:
                dims.append(free)
                free += 1
        sides.append(tuple(dims))
    return sides[0], sides[1], contract


def contract_generic(kernel: KernelWriter, node: Node) -> tuple[Generic, DType]:
    """The multiply-add Generic of a product; operands read through their views."""
    lhs, rhs, contract = _points(node)
    out = node.types[0]
    sizes = tuple(node.inputs[0].shape[a] for a in node.attrs["lhs_contracting"])
    dims = out.shape + sizes
    kinds = (PARALLEL,) * out.rank + (REDUCTION,) * contract
    writer = BodyWriter(len(dims), kernel.parts.is_leaf)
    point = identity_point(len(dims))
    x = writer.value(node.inputs[0], tuple(point[d] for d in lhs))
    y = writer.value(node.inputs[1], tuple(point[d] for d in rhs))
    dtype = out.dtype
    wide = f32 if dtype.is_float and dtype.bits == 16 else storage(dtype)
    s = writer.s
    if wide is f32 and dtype is not f32:
        x, y = s.resize_float(x, f32), s.resize_float(y, f32)
    held = writer.builder.param(scalar_type(wide))
    total = s.fma(x, y, held) if wide.is_float else s.add(held, s.mul(x, y))
    zero = Dense(TensorType((), wide), np.zeros((), wide.numpy))
    result = Output(TensorType(out.shape, wide), AffineMap.select(len(dims), range(out.rank)), zero)
    reads = tuple(Read(kernel.slots[v].number, m) for v, m in writer.reads)
    return Generic(dims, kinds, reads, writer.builder.graph([total], "body"), (result,)), wide
