"""`jax.lax`'s names for shapes and places: broadcasts, slices at fixed and computed places, joins.

Takes: tensors. Gives: tensors. Must not know: values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from .. import numpy as lnp
from ..apply import call, expand, fail, lift, normal_axis, operand, shape_of, tensor
from ..dtypes import as_dtype
from ..tensor import Tensor


# -- shapes ------------------------------------------------------------------------------
def broadcast(operand_: Any, sizes: Sequence[int]) -> Tensor:
    """The tensor repeated along new leading axes of these sizes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.broadcast(lnp.zeros(2), (4, 3)).shape
    (4, 3, 2)
    """
    x = lift(operand(operand_))
    return tensor(expand(x, (*shape_of(sizes), *x.shape)))


def broadcast_in_dim(
    operand_: Any, shape: Sequence[int], broadcast_dimensions: Sequence[int]
) -> Tensor:
    """The tensor in a larger shape; its axis k is `broadcast_dimensions[k]` there.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.broadcast_in_dim(lnp.array([1, 2]), (2, 3), (0,)))
    [[1 1 1]
     [2 2 2]]
    """
    x, wanted = lift(operand(operand_)), shape_of(shape)
    axes = tuple(int(a) for a in broadcast_dimensions)
    fits = len(axes) == len(x.shape) and all(0 <= a < len(wanted) for a in axes)
    if not fits or any(n not in (1, wanted[a]) for n, a in zip(x.shape, axes)):
        fail(f"broadcast_in_dim: axes {axes} of {wanted} do not take {x.type.short}", ShapeError)
    kept = [k for k, a in enumerate(axes) if x.shape[k] == wanted[a]]
    if len(kept) < len(axes):
        x = call("reshape", x, shape=tuple(x.shape[k] for k in kept))
    return tensor(call("broadcast", x, shape=wanted, axes=tuple(axes[k] for k in kept)))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that all broadcast to.

    >>> import lazir as lz
    >>> lz.lax.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    return lnp.broadcast_shapes(*shapes)


def broadcast_to_rank(x: Any, rank: int) -> Tensor:
    """The tensor with axes of size 1 in front, up to this rank.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.broadcast_to_rank(lnp.zeros(2), 3).shape
    (1, 1, 2)
    """
    shape = operand(x).shape
    return lnp.reshape(x, ((1,) * (rank - len(shape)) + shape))


def expand_dims(array: Any, dimensions: Sequence[int]) -> Tensor:
    """The tensor with axes of size 1 at these places of the result.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.expand_dims(lnp.zeros(2), (0, 2)).shape
    (1, 2, 1)
    """
    return lnp.expand_dims(array, tuple(dimensions))


def squeeze(array: Any, dimensions: Sequence[int]) -> Tensor:
    """The tensor without these axes, which have size 1.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.squeeze(lnp.zeros((1, 2)), (0,)).shape
    (2,)
    """
    return lnp.squeeze(array, tuple(dimensions))


def reshape(
    operand_: Any, new_sizes: Sequence[int], dimensions: Sequence[int] | None = None
) -> Tensor:
    """The elements in another shape; with `dimensions` its axes are permuted first.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.reshape(lnp.zeros((2, 3)), (6,)).shape
    (6,)
    """
    x = operand_ if dimensions is None else transpose(operand_, dimensions)
    return lnp.reshape(x, tuple(new_sizes))


def collapse(operand_: Any, start_dimension: int, stop_dimension: int | None = None) -> Tensor:
    """The axes from start to below stop as one.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.collapse(lnp.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    shape = operand(operand_).shape
    low, high, _ = slice_object(start_dimension, stop_dimension).indices(len(shape))
    return lnp.reshape(operand_, (*shape[:low], math.prod(shape[low:high]), *shape[high:]))


slice_object = slice


def transpose(operand_: Any, permutation: Sequence[int]) -> Tensor:
    """The tensor with its axes permuted.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.transpose(lnp.zeros((2, 3)), (1, 0)).shape
    (3, 2)
    """
    return lnp.transpose(operand_, tuple(int(k) for k in permutation))


def rev(operand_: Any, dimensions: Sequence[int]) -> Tensor:
    """The tensor backwards along these axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.rev(lnp.array([1, 2, 3]), (0,)))
    [3 2 1]
    """
    return lnp.flip(operand_, tuple(dimensions))


def tile(operand_: Any, reps: Sequence[int]) -> Tensor:
    """The tensor repeated, so many times along each axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.tile(lnp.array([1, 2]), (2,)))
    [1 2 1 2]
    """
    return lnp.tile(operand_, tuple(reps))


def pad(
    operand_: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]
) -> Tensor:
    """Padding of each axis: so many before, so many after (negative: cut off), so many between
    elements.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.pad(lnp.array([1, 2]), 0, [(1, 0, 1)]))
    [0 1 0 2]
    """
    x = lift(operand(operand_))
    rows = [tuple(int(n) for n in row) for row in padding_config]
    if len(rows) != len(x.shape) or any(len(r) != 3 or r[2] < 0 for r in rows):
        fail(f"pad: each axis of {x.type.short} needs (low, high, interior ≥ 0)", ShapeError)
    low, high = (tuple(max(0, r[k]) for r in rows) for k in range(2))
    value = lift(operand(padding_value), x.type.dtype)
    wide = call("pad", x, value, low=low, high=high, interior=tuple(r[2] for r in rows))
    start = tuple(max(0, -r[0]) for r in rows)
    limit = tuple(max(a, n - max(0, -r[1])) for a, n, r in zip(start, wide.shape, rows))
    if all(a == 0 for a in start) and limit == wide.shape:
        return tensor(wide)
    return tensor(call("slice", wide, start=start, limit=limit, stride=(1,) * len(limit)))


def concatenate(operands: Sequence[Any], dimension: int) -> Tensor:
    """The tensors one after the other along an axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.concatenate([lnp.array([1]), lnp.array([2])], 0))
    [1 2]
    """
    return lnp.concatenate(list(operands), axis=dimension)


def split(operand_: Any, sizes: Sequence[int], axis: int = 0) -> list[Tensor]:
    """Pieces of these sizes along an axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> [len(x) for x in lz.lax.split(lnp.zeros(5), (2, 3))]
    [2, 3]
    """
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    if not ends or ends[-1] != operand(operand_).shape[axis]:
        fail(f"split: the sizes {tuple(sizes)} do not add up to the axis", ShapeError)
    return list(lnp.split(operand_, ends[:-1], axis=axis))


def stack(operands: Sequence[Any], axis: int = 0) -> Tensor:
    """The tensors along a new axis.

    >>> import lazir as lz
    >>> print(lz.lax.stack([1, 2]))
    [1 2]
    """
    return lnp.stack(list(operands), axis=axis)


def unstack(x: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> [v.item() for v in lz.lax.unstack(lnp.array([1, 2]))]
    [1, 2]
    """
    return tuple(lnp.unstack(x, axis=axis))


# -- new tensors -------------------------------------------------------------------------
def full(shape: Sequence[int], fill_value: Any, dtype: Any = None) -> Tensor:
    """One value everywhere.

    >>> import lazir as lz
    >>> print(lz.lax.full((2,), 3))
    [3 3]
    """
    return lnp.full(shape, fill_value, dtype)


def iota(dtype: Any, size: int) -> Tensor:
    """0, 1, … below `size`.

    >>> import lazir as lz
    >>> print(lz.lax.iota("int32", 3))
    [0 1 2]
    """
    return broadcasted_iota(dtype, (size,), 0)


def broadcasted_iota(dtype: Any, shape: Sequence[int], dimension: int) -> Tensor:
    """Each element is its place along an axis.

    >>> import lazir as lz
    >>> print(lz.lax.broadcasted_iota("int32", (2, 2), 1))
    [[0 1]
     [0 1]]
    """
    wanted = shape_of(shape)
    axis = normal_axis(dimension, len(wanted), "broadcasted_iota")
    return tensor(call("iota", shape=wanted, axis=axis, dtype=as_dtype(dtype)))


# -- slices at fixed places -----------------------------------------------------------------
def slice(
    operand_: Any,
    start_indices: Sequence[int],
    limit_indices: Sequence[int],
    strides: Sequence[int] | None = None,
) -> Tensor:
    """The elements from start to below limit along each axis, every stride-th.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.slice(lnp.arange(6), (1,), (6,), (2,)))
    [1 3 5]
    """
    x = lift(operand(operand_))
    steps = (1,) * len(x.shape) if strides is None else tuple(strides)
    start, limit = tuple(map(int, start_indices)), tuple(map(int, limit_indices))
    return tensor(call("slice", x, start=start, limit=limit, stride=steps))


def slice_in_dim(
    operand_: Any, start_index: int | None, limit_index: int | None, stride: int = 1, axis: int = 0
) -> Tensor:
    """As Python's slice along one axis, with positive steps.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.slice_in_dim(lnp.arange(6), 1, -1))
    [1 2 3 4]
    """
    shape = operand(operand_).shape
    k = normal_axis(axis, len(shape), "slice_in_dim")
    low, high, _ = slice_object(start_index, limit_index).indices(shape[k])
    start = [low if j == k else 0 for j in range(len(shape))]
    limit = [max(low, high) if j == k else n for j, n in enumerate(shape)]
    return slice(operand_, start, limit, [stride if j == k else 1 for j in range(len(shape))])


def index_in_dim(operand_: Any, index: int, axis: int = 0, keepdims: bool = True) -> Tensor:
    """One slice along an axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.index_in_dim(lnp.arange(6), -1, keepdims=False))
    5
    """
    n = operand(operand_).shape[axis]
    if not -n <= index < n:
        fail(f"index_in_dim: {index} is out of range for an axis of {n}", ShapeError)
    at = index % n
    piece = slice_in_dim(operand_, at, at + 1, axis=axis)
    return piece if keepdims else lnp.squeeze(piece, axis)


# -- slices at computed places -------------------------------------------------------------
def _starts(starts: Any, shape: Sequence[int], what: str) -> list[Value]:
    """Start indices as values; negative ones count from the end, as in JAX."""
    rank = len(shape)
    items = starts if isinstance(starts, list | tuple) else [starts[k] for k in range(rank)]
    if len(items) != rank:
        fail(f"{what} needs one start for each of {rank} axes, got {len(items)}", ShapeError)
    return [
        lift(operand(s + n if s < 0 else s))
        if isinstance(s, int)
        else lift(operand(lnp.where(lnp.less(s, 0), s + n, s)))
        for s, n in zip(items, shape)
    ]


def dynamic_slice(operand_: Any, start_indices: Any, slice_sizes: Sequence[int]) -> Tensor:
    """A piece of static size at a computed place; one that would reach out is moved inside.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_slice(lnp.arange(5), (lz.Tensor(3),), (3,)))
    [2 3 4]
    """
    x = lift(operand(operand_))
    starts = _starts(start_indices, x.shape, "dynamic_slice")
    return tensor(call("dynamic_slice", x, *starts, sizes=tuple(int(n) for n in slice_sizes)))


def dynamic_slice_in_dim(operand_: Any, start_index: Any, slice_size: int, axis: int = 0) -> Tensor:
    """The same along one axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_slice_in_dim(lnp.arange(5), 1, 2))
    [1 2]
    """
    shape = operand(operand_).shape
    k = normal_axis(axis, len(shape), "dynamic_slice_in_dim")
    starts = [start_index if j == k else 0 for j in range(len(shape))]
    sizes = [slice_size if j == k else n for j, n in enumerate(shape)]
    return dynamic_slice(operand_, starts, sizes)


def dynamic_index_in_dim(operand_: Any, index: Any, axis: int = 0, keepdims: bool = True) -> Tensor:
    """One slice along an axis, at a computed place.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_index_in_dim(lnp.arange(5), 2, keepdims=False))
    2
    """
    piece = dynamic_slice_in_dim(operand_, index, 1, axis)
    return piece if keepdims else lnp.squeeze(piece, axis)


def dynamic_update_slice(operand_: Any, update: Any, start_indices: Any) -> Tensor:
    """The tensor with a piece at a computed place replaced.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_update_slice(lnp.zeros(4), lnp.ones(2), (1,)))
    [0. 1. 1. 0.]
    """
    x = lift(operand(operand_))
    starts = _starts(start_indices, x.shape, "dynamic_update_slice")
    return tensor(call("dynamic_update_slice", x, lift(operand(update), x.type.dtype), *starts))


def dynamic_update_slice_in_dim(operand_: Any, update: Any, start_index: Any, axis: int) -> Tensor:
    """The same along one axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_update_slice_in_dim(lnp.zeros(3), lnp.ones(1), 2, 0))
    [0. 0. 1.]
    """
    rank = len(operand(operand_).shape)
    k = normal_axis(axis, rank, "dynamic_update_slice_in_dim")
    return dynamic_update_slice(
        operand_, update, [start_index if j == k else 0 for j in range(rank)]
    )


def dynamic_update_index_in_dim(operand_: Any, update: Any, index: Any, axis: int) -> Tensor:
    """The tensor with one slice along an axis replaced; the update may lack that axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_update_index_in_dim(lnp.zeros(3), 1.0, 1, 0))
    [0. 1. 0.]
    """
    if len(operand(update).shape) != len(operand(operand_).shape):
        update = lnp.expand_dims(update, axis)
    return dynamic_update_slice_in_dim(operand_, update, index, axis)
