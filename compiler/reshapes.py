"""Any reshape as upstream has it: axes joined, axes split, or both one after the other.

Takes: two tensor types. Gives: the operations. Must not know: what is reshaped, or why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .types import Shape, TensorType

COLLAPSE, EXPAND = "tensor.collapse_shape", "tensor.expand_shape"

Step = tuple[str, TensorType, dict[str, Any]]
"""An operation: its name, its result type, its attributes."""


def reshape_steps(source: TensorType, result: TensorType) -> list[Step]:
    """The operations, one or two, that give a tensor of type `source` the shape of `result`.

    >>> from lazir.compiler.types import f32, tensor
    >>> [s[0] for s in reshape_steps(tensor(f32, 2, 3), tensor(f32, 3, 2))]
    ['tensor.collapse_shape', 'tensor.expand_shape']
    """
    shape, to, dtype = source.shape, result.shape, source.dtype
    direct = _step(shape, to, result)
    if direct is not None:
        return [direct]
    between = (1, *shape) if len(shape) < 2 else (math.prod(shape),)
    middle = TensorType(between, dtype)
    steps = [_step(shape, between, middle), _step(between, to, result)]
    return [step for step in steps if step is not None]


def _step(shape: Shape, to: Shape, result: TensorType) -> Step | None:
    """One operation, or None where it takes two (or the shapes are the same)."""
    if len(to) < len(shape):
        groups = _groups(shape, to)
        return None if groups is None else (COLLAPSE, result, {"reassociation": groups})
    if len(to) > len(shape):
        groups = _groups(to, shape)
        attrs = {"reassociation": groups, "static_output_shape": to}
        return None if groups is None else (EXPAND, result, attrs)
    return None


def _groups(shape: Shape, to: Shape) -> list[list[int]] | None:
    """Consecutive axes of `shape` that make each axis of `to`; None where there are no such."""
    groups: list[list[int]] = []
    axis = 0
    for n in to:
        start, axis = axis, axis + 1
        while axis < len(shape) and _product(shape, start, axis) != n:
            axis += 1
        groups.append(list(range(start, axis)))
    if groups:
        groups[-1] += range(axis, len(shape))
    fits = all(g and math.prod(shape[k] for k in g) == n for g, n in zip(groups, to))
    return groups if fits else None


def _product(shape: Sequence[int], start: int, end: int) -> int:
    return math.prod(shape[start:end])
