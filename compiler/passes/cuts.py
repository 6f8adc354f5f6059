"""Where the axes along which work is cut run through each op.

Takes: a node, and for values around it which of their axes are cut (`Axes`: one label or None per
axis). Gives: the same for the values on its other side, and the node on a piece of its operands.
Must not know: which values are cut, into what pieces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ..graph import Builder, Node, Value
from ..opdef import OPS
from ..ops.contraction import free_axes
from ..ops.source import constant, iota
from ..types import Shape, bf16, f16, i32, i64

ROW = -1
"""The label of the axis that is cut into blocks; those of the batch are numbered from 0."""

Axes: TypeAlias = "tuple[int | None, ...]"


def width(shape: Shape, axes: Axes) -> int:
    """The elements at one point of the labelled axes."""
    count = 1
    for n, label in zip(shape, axes):
        count *= n if label is None else 1
    return count


def piece(shape: Shape, axes: Axes, sizes: Mapping[int, int]) -> Shape:
    """The shape of a piece that has `sizes` along the labelled axes that are cut."""
    return tuple(
        n if label is None else sizes.get(label, n) for n, label in zip(shape, axes, strict=True)
    )


def sums_rows(node: Node, known: Sequence[Axes | None]) -> bool:
    """Whether a product sums over the axis that is cut into blocks."""
    if node.op != "dot_general":
        return False
    sides = zip(("lhs", "rhs"), known)
    return any(
        axes is not None and ROW in (axes[k] for k in node.attrs[f"{side}_contracting"])
        for side, axes in sides
    )


# -- from operands to the result ------------------------------------------------------------------
def forward(node: Node, known: Sequence[Axes | None]) -> Axes | None:
    """The labels of a node's result, given those of some operands; None where pieces of these do
    not make a piece of that."""
    found = [axes for axes in known if axes is not None]
    family = OPS[node.op].family
    if family == "elementwise":
        return found[0] if all(axes == found[0] for axes in found) else None
    if node.op == "broadcast":
        return tuple(
            found[0][node.attrs["axes"].index(k)] if k in node.attrs["axes"] else None
            for k in range(len(node.types[0].shape))
        )
    if node.op == "transpose":
        return tuple(found[0][k] for k in node.attrs["permutation"])
    if node.op == "reshape":
        return _moved(node.inputs[0].shape, found[0], node.types[0].shape)
    if family == "reduction":
        axes, gone = found[0], node.attrs["axes"]
        if any(axes[k] is not None for k in gone):
            return None
        return tuple(label for k, label in enumerate(axes) if k not in gone)
    return _product(node, known) if node.op == "dot_general" else None


def _moved(shape: Shape, axes: Axes, to: Shape) -> Axes | None:
    """The labels after a reshape that only puts in or takes out axes of size 1."""
    kept = [(n, label) for n, label in zip(shape, axes) if n != 1]
    if [n for n, _ in kept] != [n for n in to if n != 1]:
        return None
    labels = iter(label for _, label in kept)
    return tuple(None if n == 1 else next(labels) for n in to)


def _product(node: Node, known: Sequence[Axes | None]) -> Axes | None:
    attrs = node.attrs
    sides = [axes or (None,) * len(v.shape) for axes, v in zip(known, node.inputs, strict=True)]
    batch = []
    for i, j in zip(attrs["lhs_batch"], attrs["rhs_batch"]):
        labels = {axes[k] for axes, k in zip(known, (i, j)) if axes is not None}
        if len(labels) != 1:
            return None
        batch.append(labels.pop())
    gone = []
    for i, j in zip(attrs["lhs_contracting"], attrs["rhs_contracting"]):
        labels = {axes[k] for axes, k in zip(known, (i, j)) if axes is not None}
        if len(labels) != 1 or not labels <= {None, ROW}:
            return None
        gone.append(labels.pop())
    free = [
        axes[k]
        for side, axes in zip(("lhs", "rhs"), sides)
        for k in free_axes(len(axes), attrs[f"{side}_batch"], attrs[f"{side}_contracting"])
    ]
    used = [label for label in (*batch, *gone, *free) if label is not None]
    narrow = node.types[0].dtype in (f16, bf16) or not node.types[0].dtype.is_float
    if len(set(used)) != len(used) or (ROW in gone and narrow):
        return None
    return (*batch, *free)


# -- from the result to operands ------------------------------------------------------------------
def backward(node: Node, axes: Axes, rows: Sequence[Axes | None]) -> list[Axes] | None:
    """The labels that operands need for a piece of the result. `rows` has those operands' labels
    that are known: they say which axis a sum over rows runs along."""
    family = OPS[node.op].family
    if family == "elementwise":
        return [axes] * len(node.inputs)
    if node.op == "broadcast":
        return [tuple(axes[k] for k in node.attrs["axes"])]
    if node.op == "transpose":
        order = node.attrs["permutation"]
        return [tuple(axes[order.index(k)] for k in range(len(order)))]
    if node.op == "reshape":
        found = _moved(node.types[0].shape, axes, node.inputs[0].shape)
        return None if found is None else [found]
    if family == "reduction":
        labels = iter(axes)
        rank = len(node.inputs[0].shape)
        return [tuple(None if k in node.attrs["axes"] else next(labels) for k in range(rank))]
    return _factors(node, axes, rows) if node.op == "dot_general" else None


def _factors(node: Node, axes: Axes, rows: Sequence[Axes | None]) -> list[Axes]:
    attrs = node.attrs
    count = len(attrs["lhs_batch"])
    rest = list(axes[count:])
    summed = [
        any(
            known is not None and known[attrs[f"{side}_contracting"][n]] == ROW
            for side, known in zip(("lhs", "rhs"), rows)
        )
        for n in range(len(attrs["lhs_contracting"]))
    ]
    needed = []
    for side, value in zip(("lhs", "rhs"), node.inputs):
        labels: list[int | None] = [None] * len(value.shape)
        for k, label in zip(attrs[f"{side}_batch"], axes[:count]):
            labels[k] = label
        for k, is_row in zip(attrs[f"{side}_contracting"], summed):
            labels[k] = ROW if is_row else None
        for k in free_axes(len(labels), attrs[f"{side}_batch"], attrs[f"{side}_contracting"]):
            labels[k] = rest.pop(0)
        needed.append(tuple(labels))
    return needed


# -- a node on a piece ----------------------------------------------------------------------------
def remade(
    b: Builder,
    node: Node,
    inputs: Sequence[Value],
    axes: Axes,
    sizes: Mapping[int, int],
    starts: Mapping[int, Value],
) -> Value:
    """The node on pieces of its operands; `starts` says where the pieces begin."""
    shape = piece(node.types[0].shape, axes, sizes)
    attrs: dict[str, Any] = dict(node.attrs)
    if "shape" in attrs:
        attrs["shape"] = shape
    label = axes[attrs["axis"]] if node.op == "iota" else None
    if label is None or label not in starts:
        return OPS[node.op](b, *inputs, **attrs)
    dtype = attrs["dtype"]
    exact = dtype if dtype is i32 else i64  # a float is rounded once
    start = starts[label] if exact is i64 else OPS["convert"](b, starts[label], dtype=exact)
    place = iota(b, shape=shape, axis=attrs["axis"], dtype=exact)
    place = OPS["add"](b, place, OPS["broadcast"](b, start, shape=shape, axes=()))
    return place if dtype is exact else OPS["convert"](b, place, dtype=dtype)


def sliced(
    b: Builder,
    value: Value,
    axes: Axes,
    sizes: Mapping[int, int],
    starts: Mapping[int, Value],
) -> Value:
    """The piece of a value."""
    shape = piece(value.shape, axes, sizes)
    if shape == value.shape:
        return value
    zero = constant(b, 0, i64)
    at = [zero if label is None else starts.get(label, zero) for label in axes]
    return OPS["dynamic_slice"](b, value, *at, sizes=shape)
