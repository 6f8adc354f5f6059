"""Writes `scatter` and `dynamic_update_slice` as one Generic: where each update goes, and what it
does.

Takes: the node and what is already in memory. Gives: a Kernel of kind scatter, its reads, its
results. The updates and the indices are inlined; the array itself is updated where it stands when
it may be.
"""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Node, Value
from ..kernel import REDUCTION, Generic, Kernel, Output, Read, canonical
from ..mlir.ir import AffineMap
from ..opdef import OPS
from ..ops.addressing import Windows
from ..ranges import Ranges
from ..scalars import storage
from ..types import TensorType, i1
from .body import BodyWriter, Index, Linear, Reader, from_storage, identity_point, to_storage

Where = tuple[list[Value], Value]
"""The place (one index per axis) and whether it is written."""


def scatter_kernel(
    node: Node, is_leaf: Callable[[Value], bool], ranges: Ranges | None = None
) -> tuple[Kernel, list[Value]]:
    """The kernel of an update, and the values that it reads; the first is the array to update."""
    whole = node.inputs[0]
    is_slice = node.op == "dynamic_update_slice"
    updates = node.inputs[1 if is_slice else 2]
    writer = BodyWriter(len(updates.shape), is_leaf, ranges)
    reader = Reader(writer, node)
    point = identity_point(writer.dims)
    place, valid = _slice_place(reader, node) if is_slice else _window(reader, node)
    new = writer.value(updates, point)
    reads = [whole]
    taken: list[tuple[Value, AffineMap | None]] = list(writer.reads)
    dtype = whole.type.dtype
    array = writer.builder.param(TensorType(whole.shape, storage(dtype)))
    if node.attrs.get("op", "set") != "set":
        element = TensorType((), storage(dtype))
        stored = writer.builder.add("tensor.extract", (array, *place), {}, (element,)).result
        new = _combined(writer, node, from_storage(writer.s, stored, dtype), new)
    for value, _ in taken:
        if value not in reads:
            reads.append(value)
    body = writer.builder.graph([to_storage(writer.s, new, dtype), valid, *place], "body")
    type = TensorType(whole.shape, storage(dtype))
    out = Output(type, None, into=0)
    generic = Generic(
        updates.shape,
        (REDUCTION,) * len(updates.shape),
        tuple(Read(reads.index(v), m) for v, m in taken),
        body,
        (out,),
    )
    params = tuple(TensorType(v.shape, storage(v.type.dtype)) for v in reads)
    return Kernel(node.op, "scatter", params, (canonical(generic),), (len(params),)), reads


def _combined(writer: BodyWriter, node: Node, old: Value, new: Value) -> Value:
    names = {"add": "add", "mul": "mul", "min": "minimum", "max": "maximum"}
    rule = OPS[names[node.attrs["op"]]].scalar
    assert rule is not None
    return rule(writer.s, old, new, dtype=node.inputs[0].type.dtype)  # type: ignore[no-any-return]


def _slice_place(reader: Reader, node: Node) -> Where:
    """Clamped start plus offset, on every axis."""
    whole, updates, *starts = node.inputs
    point = identity_point(len(updates.shape))
    place = []
    for k, (n, size) in enumerate(zip(whole.shape, updates.shape)):
        at: Index = point[k]
        if size != n:
            start = reader.cast_index(reader.read(k + 2, []), starts[k].type.dtype)
            at = reader.add(reader.clamp(start, 0, n - size), at)
        place.append(reader.value(at))
    return place, reader.s.constant(1, i1)


def _window(reader: Reader, node: Node) -> Where:
    """Window corner (clamped, or checked) plus the offset inside the window, on every axis."""
    whole, indices, updates = node.inputs
    windows = Windows.of(node.attrs, whole.shape, indices.shape)
    sizes = windows.sizes(updates.shape)
    point = identity_point(len(updates.shape))
    batch = [point[a] for a in windows.batch_axes]
    zero = Linear((0,) * len(point), 0)
    inside: dict[int, Index] = dict.fromkeys(range(len(whole.shape)), zero)
    for axis, k in zip(windows.offset, windows.window_axes):
        inside[k] = point[axis]
    for axis, k in zip(windows.operand_batch, windows.index_batch):
        inside[axis] = batch[k]
    always = valid = reader.s.constant(1, i1)
    for j, axis in enumerate(windows.axes):
        component = Linear((0,) * len(point), j)
        corner = reader.cast_index(reader.read(1, [*batch, component]), indices.type.dtype)
        high = whole.shape[axis] - sizes[axis]
        clamped = reader.clamp(corner, 0, max(high, 0))
        if node.attrs["mode"] == "drop" and clamped is not corner:
            same = reader.s.compare("eq", corner, clamped)
            valid = same if valid is always else reader.s.bit("and", valid, same)
        inside[axis] = reader.add(clamped, inside[axis])
    if any(size > n for size, n in zip(sizes, whole.shape)):
        valid = reader.s.constant(0, i1)
    return [reader.value(inside[k]) for k in range(len(whole.shape))], valid
