"""The iteration space of a reduction: which of its operand's axes are kept, and where it reads.

Takes: a reduction, window or cumulative node. Gives: shapes of its space, and index expressions.
"""

from __future__ import annotations

from collections.abc import Hashable

from ..graph import Node
from ..types import Shape
from .body import Linear, identity_point
from .roots import is_cumulative


def reduction_space(node: Node) -> tuple[Shape, Shape, Hashable, bool]:
    """A reduction's outer and row shapes, a key that names its row, and whether the row is
    trailing. A cumulative node has a result at every point: all of its space is outer.
    """
    shape, attrs = node.inputs[0].shape, node.attrs
    if is_cumulative(node):
        return shape, (), ("cumulative", attrs["axis"], attrs["reverse"]), True
    if node.op == "reduce_window":
        key = (attrs["window"], attrs["stride"], attrs["window_dilation"], shape)
        return node.types[0].shape, tuple(attrs["window"]), key, False
    axes = tuple(attrs["axes"])
    kept = tuple(k for k in range(len(shape)) if k not in axes)
    trailing = axes == tuple(range(len(kept), len(shape)))
    return tuple(shape[k] for k in kept), tuple(shape[k] for k in axes), axes, trailing


def reduction_point(node: Node) -> tuple[Linear, ...]:
    """Where a reduction reads its operand at a point of its space (outer dims first, then the
    row).
    """
    rank = len(node.inputs[0].shape)
    if node.op == "reduce_window":
        point = []
        for k, (stride, step) in enumerate(
            zip(node.attrs["stride"], node.attrs["window_dilation"])
        ):
            coefficients = [0] * (2 * rank)
            coefficients[k], coefficients[rank + k] = stride, step
            point.append(Linear(tuple(coefficients), 0))
        return tuple(point)
    if is_cumulative(node):
        return identity_point(rank)
    axes = list(node.attrs["axes"])
    order = [k for k in range(rank) if k not in axes] + axes
    return tuple(identity_point(rank)[order.index(k)] for k in range(rank))
