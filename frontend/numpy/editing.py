"""Tensors taken apart and put together: blocks, insertions, deletions, stacks and splits by name.

Takes: tensors, arrays, and places that are known now. Gives: tensors. Must not know: buffers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from ..apply import as_tensor, call, fail, lift, normal_axes, normal_axis, operand, shape_of, tensor
from ..handle import Handle
from ..tensor import Tensor
from ..trace import active, outside
from .index_key import index_error
from .manipulation import broadcast_to, concatenate, moveaxis, ravel, reshape, split

Places = np.ndarray[Any, np.dtype[np.int64]]


def known_places(obj: Any, name: str) -> Any:
    """Indices as NumPy knows them. TraceError where they are traced: they decide a shape."""
    if isinstance(obj, slice):
        return obj
    if isinstance(obj, Handle):
        if active() is not None and obj._array is None:
            raise outside("a place", f"it decides a shape in {name}: give plain numbers")
        return obj.numpy()  # type: ignore[attr-defined]
    return np.asarray(obj)


# -- blocks, stacks, splits --------------------------------------------------------------
def atleast_3d(*arys: Any) -> Any:
    """Tensors with at least three axes: a vector gets one on each side, a matrix one at the end.

    >>> import lazir.numpy as lnp
    >>> lnp.atleast_3d(lnp.zeros(3)).shape
    (1, 3, 1)
    """
    out = []
    for x in arys:
        shape = operand(x).shape
        wide = {0: (1, 1, 1), 1: (1, *shape, 1), 2: (*shape, 1)}.get(len(shape))
        out.append(as_tensor(x) if wide is None else reshape(x, wide))
    return out[0] if len(out) == 1 else out


def dstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Tensors behind each other, along the third axis.

    >>> import lazir.numpy as lnp
    >>> lnp.dstack([lnp.zeros((2, 3)), lnp.ones((2, 3))]).shape
    (2, 3, 2)
    """
    return concatenate([atleast_3d(x) for x in tup], 2, dtype=dtype, casting=casting)


def _split_along(ary: Any, parts: Any, axis: int, name: str) -> list[Tensor]:
    rank = len(operand(ary).shape)
    if rank <= axis:
        fail(f"{name} needs a tensor of rank {axis + 1} or more, got rank {rank}", ShapeError)
    return split(ary, parts, axis)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """`split` along the second axis (the first of a vector).

    >>> import lazir.numpy as lnp
    >>> [x.shape for x in lnp.hsplit(lnp.zeros((2, 6)), 3)]
    [(2, 2), (2, 2), (2, 2)]
    """
    axis = 0 if len(operand(ary).shape) == 1 else 1
    return _split_along(ary, indices_or_sections, axis, "hsplit")


def vsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """`split` along the first axis of a tensor of rank 2 or more.

    >>> import lazir.numpy as lnp
    >>> [x.shape for x in lnp.vsplit(lnp.zeros((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    _split_along(ary, 1, 1, "vsplit")
    return split(ary, indices_or_sections, 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """`split` along the third axis.

    >>> import lazir.numpy as lnp
    >>> [x.shape for x in lnp.dsplit(lnp.zeros((1, 2, 4)), [3])]
    [(1, 2, 3), (1, 2, 1)]
    """
    return _split_along(ary, indices_or_sections, 2, "dsplit")


def block(arrays: Any) -> Tensor:
    """Nested lists of tensors joined: the innermost lists along the last axis, and so on outwards.

    >>> import lazir.numpy as lnp
    >>> print(lnp.block([[lnp.eye(2), lnp.zeros((2, 1))], [lnp.ones((1, 3))]]))
    [[1. 0. 0.]
     [0. 1. 0.]
     [1. 1. 1.]]
    """
    depth = _depth(arrays)
    rank = max(depth, max(len(operand(x).shape) for x in _leaves(arrays)))
    return _joined(arrays, rank, rank - depth)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        fail("block: a list is empty", ShapeError)
    depths = {_depth(x) for x in arrays}
    if len(depths) > 1:
        fail("block: lists are nested to different depths", ShapeError)
    return 1 + depths.pop()


def _leaves(arrays: Any) -> list[Any]:
    return [y for x in arrays for y in _leaves(x)] if isinstance(arrays, list) else [arrays]


def _joined(arrays: Any, rank: int, axis: int) -> Tensor:
    if not isinstance(arrays, list):
        shape = operand(arrays).shape
        return reshape(arrays, (1,) * (rank - len(shape)) + shape)
    return concatenate([_joined(x, rank, axis + 1) for x in arrays], axis)


# -- insertion and deletion --------------------------------------------------------------
def _positions(obj: Any, n: int, name: str, limit: int) -> Places:
    """Places along an axis of size n, counted from 0, each below `limit`."""
    found = known_places(obj, name)
    if isinstance(found, slice):
        return np.arange(*found.indices(n))
    if found.dtype == np.bool_ and found.ndim:
        if found.shape != (n,):
            index_error(f"{name}: a mask of shape {found.shape} does not fit an axis of size {n}")
        return np.flatnonzero(found)
    if found.size and found.dtype.kind not in "iu":
        fail(f"{name}: places are integers, a slice or a mask, got {found.dtype}")
    places = found.astype(np.int64).reshape(-1) if found.ndim else found.astype(np.int64)
    outside_ = (places < -n) | (places >= limit)
    if outside_.any():
        index_error(f"{name}: place {places[outside_].flat[0]} is out of range for size {n}")
    return np.asarray(np.where(places < 0, places + n, places))


def _axis_of(arr: Any, axis: int | None, name: str) -> tuple[Tensor, int]:
    if axis is None:
        return ravel(arr), 0
    return as_tensor(arr), normal_axis(axis, len(operand(arr).shape), name)


def _pieces(x: Tensor, axis: int, edges: Sequence[tuple[int, int]]) -> list[Tensor]:
    lead = (slice(None),) * axis
    return [x[(*lead, slice(a, b))].copy() for a, b in edges if a < b]


def delete(arr: Any, obj: Any, axis: int | None = None) -> Tensor:
    """`arr` without the slices at places `obj` (integers, a slice, a mask) along `axis`.

    Without an axis elements of the flattened tensor go. The places must be known while tracing.

    >>> import lazir.numpy as lnp
    >>> print(lnp.delete(lnp.arange(5), [1, -1]))
    [0 2 3]
    """
    x, k = _axis_of(arr, axis, "delete")
    n = x.shape[k]
    gone = np.zeros(n, bool)
    gone[_positions(obj, n, "delete", n)] = True
    bounds = np.flatnonzero(np.diff(np.concatenate([[True], gone, [True]]).astype(np.int8)))
    edges = [(int(a), int(b)) for a, b in bounds.reshape(-1, 2)]
    parts = _pieces(x, k, edges)
    if not parts:
        return x[(slice(None),) * k + (slice(0, 0),)].copy()
    return parts[0] if len(parts) == 1 else concatenate(parts, k)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Tensor:
    """`arr` with `values` before the places `obj` along `axis` (of the flattened tensor without).

    The places, which must be known while tracing, count in `arr` as it is before.

    >>> import lazir.numpy as lnp
    >>> print(lnp.insert(lnp.arange(3), [0, 3], [7, 8]))
    [7 0 1 2 8]
    """
    x, k = _axis_of(arr, axis, "insert")
    n = x.shape[k]
    places = _positions(obj, n, "insert", n + 1)
    new = as_tensor(values).astype(x.dtype)
    if len(new.shape) < len(x.shape):
        new = reshape(new, (1,) * (len(x.shape) - len(new.shape)) + new.shape)
    if places.ndim == 0:  # NumPy: the values of one place lie along the axis
        new = moveaxis(new, 0, k)
        count = new.shape[k]
        places = np.repeat(places, count)
    places = places.reshape(-1)
    wide = tuple(len(places) if d == k else m for d, m in enumerate(x.shape))
    new = broadcast_to(new, wide)
    order = np.argsort(places, kind="stable")
    parts: list[Tensor] = []
    done = taken = 0
    lead = (slice(None),) * k
    while taken < len(order):
        place, first = int(places[order[taken]]), taken
        while taken < len(order) and places[order[taken]] == place:
            taken += 1
        parts += _pieces(x, k, [(done, place)])
        run = order[first:taken]
        parts.append(new[(*lead, slice(int(run[0]), int(run[-1]) + 1))].copy())
        done = place
    parts += _pieces(x, k, [(done, n)])
    return concatenate(parts, k) if parts else x.copy()


def resize(a: Any, new_shape: Any) -> Tensor:
    """The elements of `a` in another shape, repeated from the start where it is larger.

    >>> import lazir.numpy as lnp
    >>> print(lnp.resize(lnp.arange(3), (2, 2)))
    [[0 1]
     [2 0]]
    """
    shape = shape_of(new_shape)
    count, flat = math.prod(shape), ravel(a)
    n = flat.shape[0]
    if n == 0:
        return tensor(call("broadcast", lift(operand(0), flat.dtype), shape=shape, axes=()))
    if count == 0:
        return reshape(flat[:0], shape)
    copies = -(-count // n)
    repeated = flat if copies == 1 else concatenate([flat] * copies, 0)
    return reshape(repeated[:count], shape).copy()


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Tensor:
    """Without the zeros at the front (`f`) and the back (`b`) of the axes (all by default).

    Data decide the shape, so it cannot be traced.

    >>> import lazir.numpy as lnp
    >>> print(lnp.trim_zeros(lnp.array([0, 0, 1, 0, 2, 0])))
    [1 0 2]
    """
    sides = trim.lower()
    if sides not in ("f", "b", "fb", "bf"):
        fail(f"trim_zeros: trim is 'f', 'b' or 'fb', got {trim!r}")
    x = as_tensor(filt)
    data = known_places(x, "trim_zeros") != 0
    axes = normal_axes(axis, data.ndim, "trim_zeros")
    key = [slice(None)] * data.ndim
    for k in axes:
        some = np.flatnonzero(data.any(axis=tuple(j for j in range(data.ndim) if j != k)))
        n = data.shape[k]
        # NumPy: of nothing but zeros nothing is left
        low = (int(some[0]) if len(some) else n) if "f" in sides else 0
        high = (int(some[-1]) + 1 if len(some) else 0) if "b" in sides else n
        key[k] = slice(low, max(low, high) if len(some) else low)
    return x[tuple(key)].copy()


def ix_(*args: Any) -> tuple[Tensor, ...]:
    """Vectors shaped so that together they index the grid of all their combinations.

    >>> import lazir.numpy as lnp
    >>> x = lnp.arange(12).reshape(3, 4)
    >>> print(x[lnp.ix_([0, 2], [1, 3])])
    [[ 1  3]
     [ 9 11]]
    """
    out = []
    for k, item in enumerate(args):
        given = item if isinstance(item, Handle) else np.asarray(item)
        if len(given.shape) != 1:
            fail(f"ix_ takes vectors, got shape {given.shape}", ShapeError)
        if operand(given).dtype.is_bool:
            given = np.flatnonzero(known_places(given, "ix_"))
        x = as_tensor(given) if given.shape[0] else as_tensor(given).astype("int64")
        out.append(reshape(x, (1,) * k + x.shape + (1,) * (len(args) - k - 1)))
    return tuple(out)
