"""Kernels of kind sort: a stable sort along one axis, by keys that are compared in turn.

Takes: operand types, the axis, how each key is ordered. Gives: the Kernel, whose one body says
whether one place goes before another; and what is needed to make it again. Must not know: how a
schedule sorts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .graph import Builder, Graph, Value
from .kernel import PARALLEL, SORTED, Generic, Kernel, Output, Read
from .mlir.ir import AffineMap
from .scalars import Scalars, scalar_type
from .types import DType, TensorType, f32, i1

FLOAT, SIGNED, UNSIGNED = "float", "signed", "unsigned"
ORDERS = (FLOAT, SIGNED, UNSIGNED)
"""How a key is compared. float: NaNs last and equal to each other, −0 equal to +0."""


class Sorting(NamedTuple):
    """What is special of a sort: along which axis, and the order of each key."""

    axis: int
    orders: tuple[str, ...]


def key_order(dtype: DType) -> str:
    """How elements of a dtype of the language are ordered."""
    if dtype.is_float:
        return FLOAT
    return SIGNED if dtype.is_signed else UNSIGNED


def sort_kernel(name: str, types: Sequence[TensorType], axis: int, orders: Sequence[str]) -> Kernel:
    """The kernel that sorts tensors of one shape, the first ones by their keys."""
    dims = types[0].shape
    identity = AffineMap.identity(len(dims))
    kinds = tuple(SORTED if d == axis else PARALLEL for d in range(len(dims)))
    reads = tuple(Read(k, identity) for k in range(len(types)))
    outs = tuple(Output(t, identity) for t in types)
    body = _before([t.dtype for t in types[: len(orders)]], orders)
    results = tuple(range(len(types), 2 * len(types)))
    generic = Generic(dims, kinds, reads, body, outs)
    return Kernel(name, "sort", tuple(types), (generic,), results)


def sorting_of(kernel: Kernel) -> Sorting:
    """What `sort_kernel` was given."""
    (generic,) = kernel.generics
    body = generic.body
    orders = []
    for param in body.params[: len(body.params) // 2]:
        unsigned = any(
            param in node.inputs and node.attrs.get("predicate") == "ult" for node in body.nodes
        )
        integer = UNSIGNED if unsigned else SIGNED
        orders.append(FLOAT if param.type.dtype.is_float else integer)
    return Sorting(generic.kinds.index(SORTED), tuple(orders))


def _before(dtypes: Sequence[DType], orders: Sequence[str]) -> Graph:
    """Whether one place goes before another: its first key does, or is equal and the second …"""
    builder = Builder(name="body")
    s = Scalars(builder)
    firsts = [builder.param(scalar_type(t)) for t in dtypes]
    seconds = [builder.param(scalar_type(t)) for t in dtypes]
    result: Value | None = None
    for a, b, order in reversed(list(zip(firsts, seconds, orders))):
        if order == FLOAT and a.type.dtype.bits == 16:  # compared, like computed, in f32
            a, b = s.resize_float(a, f32), s.resize_float(b, f32)
        less = _less(s, a, b, order)
        if result is not None:
            less = s.bit("or", less, s.bit("and", _equal(s, a, b, order), result))
        result = less
    assert result is not None
    return builder.graph([result], "body")


def _less(s: Scalars, a: Value, b: Value, order: str) -> Value:
    if order != FLOAT:
        return s.compare("lt", a, b, signed=order == SIGNED)
    # not (a ≥ b), which holds for a NaN too; and a is none
    below = s.op("arith.cmpf", a, b, type=i1, predicate="ult")
    return s.bit("and", below, s.op("arith.cmpf", a, a, type=i1, predicate="ord"))


def _equal(s: Scalars, a: Value, b: Value, order: str) -> Value:
    same = s.compare("eq", a, b)
    if order != FLOAT:
        return same
    nans = [s.op("arith.cmpf", x, x, type=i1, predicate="uno") for x in (a, b)]
    return s.bit("or", same, s.bit("and", *nans))
