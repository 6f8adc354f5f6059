"""Shapes and order of axes: reshape, transpose, squeeze, stack, split.

Takes: tensors, arrays. Gives: tensors; where NumPy would give a view the result is linked to its
base (`views.py`), so that a program that relies on aliasing gets an error. Must not know: buffers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.ops.movement import inverse_permutation
from lazir.compiler.types import broadcast_shapes

from ..apply import (
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axes,
    normal_axis,
    operand,
    shape_of,
    tensor,
    view,
)
from ..dtypes import as_dtype, result_dtype
from ..places import check_device
from ..tensor import Tensor
from .output import check_kind, delivered


def _value(x: Any) -> Value:
    return lift(operand(x))


def _whole_shape(spec: Any, size: int) -> tuple[int, ...]:
    """A shape in which one entry may be −1."""
    dims = [int(n) for n in ([spec] if isinstance(spec, int | np.integer) else spec)]
    if dims.count(-1) > 1 or min(dims, default=0) < -1:
        fail(f"reshape: at most one entry of {tuple(dims)} may be -1", ShapeError)
    if -1 in dims:
        rest = math.prod(n for n in dims if n != -1)
        if rest == 0 or size % rest:
            fail(f"reshape: {size} elements do not fit shape {tuple(dims)}", ShapeError)
        dims[dims.index(-1)] = size // rest
    return tuple(dims)


def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> Tensor:
    """The same elements in row-major order in another shape; one entry may be −1.

    >>> import lazir.numpy as lnp
    >>> lnp.reshape(lnp.arange(6), (2, -1)).shape
    (2, 3)
    """
    x = _value(a)
    wanted = _whole_shape(shape, x.type.size)
    if order == "F":
        flat = call("reshape", _reversed_axes(x), shape=tuple(reversed(wanted)))
        return tensor(_reversed_axes(flat))
    if order != "C":
        fail(f"reshape: order is 'C' or 'F', got {order!r}")
    made = call("reshape", x, shape=wanted)
    return tensor(made) if copy else view(made, a)


def _reversed_axes(x: Value) -> Value:
    return call("transpose", x, permutation=tuple(reversed(range(len(x.shape)))))


def ravel(a: Any, order: str = "C") -> Tensor:
    """All elements in one axis.

    >>> import lazir.numpy as lnp
    >>> lnp.ravel(lnp.zeros((2, 3))).shape
    (6,)
    """
    return reshape(a, (-1,) if operand(a).shape else (1,), order) if _size(a) else reshape(a, (0,))


def _size(a: Any) -> int:
    return math.prod(operand(a).shape)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Axes reordered; reversed by default.

    >>> import lazir.numpy as lnp
    >>> lnp.transpose(lnp.zeros((2, 3))).shape
    (3, 2)
    """
    x = _value(a)
    rank = len(x.shape)
    order = (
        tuple(reversed(range(rank)))
        if axes is None
        else tuple(normal_axis(k, rank, "transpose") for k in axes)
    )
    back = inverse_permutation(order)
    return view(
        call("transpose", x, permutation=order), a,
        lambda base: transpose(base, order), lambda base, new: transpose(new, back),
    )  # fmt: skip


permute_dims = transpose


def matrix_transpose(a: Any) -> Tensor:
    """The last two axes swapped.

    >>> import lazir.numpy as lnp
    >>> lnp.matrix_transpose(lnp.zeros((4, 2, 3))).shape
    (4, 3, 2)
    """
    return swapaxes(a, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes swapped.

    >>> import lazir.numpy as lnp
    >>> lnp.swapaxes(lnp.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    rank = len(operand(a).shape)
    i, j = normal_axis(axis1, rank, "swapaxes"), normal_axis(axis2, rank, "swapaxes")
    order = list(range(rank))
    order[i], order[j] = j, i
    return transpose(a, order)


def moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    """Axes moved to new places, the others keeping their order.

    >>> import lazir.numpy as lnp
    >>> lnp.moveaxis(lnp.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    rank = len(operand(a).shape)
    pairs = [x if isinstance(x, tuple | list) else (x,) for x in (source, destination)]
    start, end = ([normal_axis(k, rank, "moveaxis") for k in p] for p in pairs)
    if len(start) != len(end) or len(set(start)) != len(start) or len(set(end)) != len(end):
        fail(f"moveaxis: axes {source} cannot move to {destination}", ShapeError)
    order = [k for k in range(rank) if k not in start]
    for place, k in sorted(zip(end, start)):
        order.insert(place, k)
    return transpose(a, order)


def rollaxis(a: Any, axis: int, start: int = 0) -> Tensor:
    """Axis `axis` moved before axis `start`.

    >>> import lazir.numpy as lnp
    >>> lnp.rollaxis(lnp.zeros((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    rank = len(operand(a).shape)
    k = normal_axis(axis, rank, "rollaxis")
    place = start + rank if start < 0 else start
    return moveaxis(a, k, place - (k < place))


def squeeze(a: Any, axis: Any = None) -> Tensor:
    """Axes of size 1 removed.

    >>> import lazir.numpy as lnp
    >>> lnp.squeeze(lnp.zeros((1, 3, 1))).shape
    (3,)
    """
    x = _value(a)
    if axis is None:
        axes = tuple(k for k, n in enumerate(x.shape) if n == 1)
    else:
        axes = normal_axes(axis, len(x.shape), "squeeze")
        if any(x.shape[k] != 1 for k in axes):
            fail(f"squeeze: axis {axis} of {x.type.short} is not of size 1", ShapeError)
    return _with_shape(x, tuple(n for k, n in enumerate(x.shape) if k not in axes), a)


def expand_dims(a: Any, axis: Any) -> Tensor:
    """New axes of size 1 at the places named.

    >>> import lazir.numpy as lnp
    >>> lnp.expand_dims(lnp.zeros(3), (0, -1)).shape
    (1, 3, 1)
    """
    x = _value(a)
    count = len(axis) if isinstance(axis, tuple | list) else 1
    places = normal_axes(axis, len(x.shape) + count, "expand_dims")
    sizes = iter(x.shape)
    shape = tuple(1 if k in places else next(sizes) for k in range(len(x.shape) + count))
    return _with_shape(x, shape, a)


def _with_shape(x: Value, shape: tuple[int, ...], a: Any) -> Tensor:
    """A view with axes of size 1 left out or put in."""
    return view(
        call("reshape", x, shape=shape), a,
        lambda base: reshape(base, shape), lambda base, new: reshape(new, base.shape),
    )  # fmt: skip


def broadcast_to(a: Any, shape: Any) -> Tensor:
    """a repeated to `shape` by the broadcasting rule.

    >>> import lazir.numpy as lnp
    >>> lnp.broadcast_to(lnp.arange(3), (2, 3)).shape
    (2, 3)
    """
    x, wanted = _value(a), shape_of(shape)
    if broadcast_shapes([x.shape, wanted]) != wanted:
        fail(f"broadcast_to: {x.type.short} does not broadcast to shape {wanted}", ShapeError)
    return view(expand(x, wanted), a)


def broadcast_shapes_(*shapes: Any) -> tuple[int, ...]:
    """The shape that tensors of these shapes broadcast to (`lnp.broadcast_shapes`).

    >>> import lazir.numpy as lnp
    >>> lnp.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    found = broadcast_shapes([shape_of(s) for s in shapes])
    if found is None:
        fail(f"the shapes {', '.join(map(str, shapes))} do not broadcast together", ShapeError)
    assert found is not None
    return found


def broadcast_arrays(*args: Any) -> tuple[Tensor, ...]:
    """All tensors repeated to their common shape.

    >>> import lazir.numpy as lnp
    >>> [x.shape for x in lnp.broadcast_arrays(lnp.zeros((2, 1)), lnp.zeros(3))]
    [(2, 3), (2, 3)]
    """
    shape = broadcast_shapes_(*(operand(x).shape for x in args))
    return tuple(broadcast_to(x, shape) for x in args)


def atleast_1d(*arys: Any) -> Any:
    """Tensors with at least one axis.

    >>> import lazir.numpy as lnp
    >>> lnp.atleast_1d(3.0).shape
    (1,)
    """
    out = [reshape(x, (1,)) if not operand(x).shape else tensor(_value(x)) for x in arys]
    return out[0] if len(out) == 1 else out


def atleast_2d(*arys: Any) -> Any:
    """Tensors with at least two axes, new ones in front.

    >>> import lazir.numpy as lnp
    >>> lnp.atleast_2d(lnp.zeros(3)).shape
    (1, 3)
    """
    out = []
    for x in arys:
        shape = operand(x).shape
        out.append(reshape(x, (1,) * max(0, 2 - len(shape)) + shape))
    return out[0] if len(out) == 1 else out


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """x in another dtype. Float → integer truncates and saturates; → bool is x ≠ 0.

    With `copy=False` a tensor that has the dtype is given back as it is.

    >>> import lazir.numpy as lnp
    >>> lnp.astype(lnp.array([1.9, -1.9]), "int32").dtype
    i32
    """
    check_device(device)
    wanted = as_dtype(dtype)
    if not copy and isinstance(x, Tensor) and x.dtype is wanted:
        return x
    return tensor(convert(_value(x), wanted))


# -- joining and splitting ---------------------------------------------------------------
def _same_dtype(arrays: Any, dtype: Any = None, casting: str = "same_kind") -> list[Value]:
    items: list[Any] = list(arrays)
    found = [operand(x) for x in items]
    if not found:
        fail("joining needs at least one tensor")
    if dtype is None:
        common, _ = result_dtype(
            [o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak]
        )
    else:
        common = as_dtype(dtype)
        for o in found:
            check_kind(o.dtype, common, casting, "concatenate")
    return [lift(o, common) for o in found]


def concatenate(
    arrays: Any,
    axis: int | None = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Tensor:
    """Tensors one after another along `axis`; None flattens them first.

    >>> import lazir.numpy as lnp
    >>> print(lnp.concatenate([lnp.arange(2), lnp.arange(3)]))
    [0 1 0 1 2]
    """
    values = _same_dtype(arrays, dtype, casting)
    if axis is None:
        values = [call("reshape", v, shape=(v.type.size,)) for v in values]
        axis = 0
    k = normal_axis(axis, len(values[0].shape), "concatenate")
    return delivered(tensor(call("concat", *values, axis=k)), out, "concatenate", casting)


concat = concatenate


def stack(
    arrays: Any,
    axis: int = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Tensor:
    """Tensors of one shape along a new axis.

    >>> import lazir.numpy as lnp
    >>> lnp.stack([lnp.zeros(3), lnp.ones(3)], axis=1).shape
    (3, 2)
    """
    values = _same_dtype(arrays, dtype, casting)
    shape = values[0].shape
    for v in values:
        if v.shape != shape:
            fail(
                f"stack needs one shape, got {values[0].type.short} and {v.type.short}", ShapeError
            )
    k = normal_axis(axis, len(shape) + 1, "stack")
    rows = [call("reshape", v, shape=(*shape[:k], 1, *shape[k:])) for v in values]
    return delivered(tensor(call("concat", *rows, axis=k)), out, "stack", casting)


def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Tensors above each other, vectors as rows.

    >>> import lazir.numpy as lnp
    >>> lnp.vstack([lnp.zeros(3), lnp.ones(3)]).shape
    (2, 3)
    """
    return concatenate([atleast_2d(x) for x in tup], 0, dtype=dtype, casting=casting)


def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Tensors beside each other.

    >>> import lazir.numpy as lnp
    >>> lnp.hstack([lnp.zeros((2, 1)), lnp.ones((2, 3))]).shape
    (2, 4)
    """
    items = [atleast_1d(x) for x in tup]
    axis = 0 if len(items[0].shape) == 1 else 1
    return concatenate(items, axis, dtype=dtype, casting=casting)


def column_stack(tup: Any) -> Tensor:
    """Vectors as the columns of a matrix.

    >>> import lazir.numpy as lnp
    >>> lnp.column_stack([lnp.zeros(3), lnp.ones(3)]).shape
    (3, 2)
    """
    items = [reshape(x, (-1, 1)) if len(operand(x).shape) < 2 else x for x in tup]
    return concatenate(items, 1)


def append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    """`values` after `arr`.

    >>> import lazir.numpy as lnp
    >>> print(lnp.append(lnp.arange(2), 7))
    [0 1 7]
    """
    return concatenate([arr, values], axis)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Parts along `axis`: at the indices given, or so many of about equal size.

    >>> import lazir.numpy as lnp
    >>> [x.shape for x in lnp.array_split(lnp.arange(5), 2)]
    [(3,), (2,)]
    """
    x = _value(ary)
    k = normal_axis(axis, len(x.shape), "split")
    n = x.shape[k]
    if isinstance(indices_or_sections, int | np.integer):
        parts = int(indices_or_sections)
        if parts < 1:
            fail(f"split into {parts} parts is not possible", ShapeError)
        sizes = [n // parts + (j < n % parts) for j in range(parts)]
        edges = [0]
        for size in sizes:
            edges.append(edges[-1] + size)
    else:
        cuts = [slice(None, int(c)).indices(n)[1] for c in indices_or_sections]
        edges = [0, *cuts, n]
    out = []
    for low, high in itertools.pairwise(edges):
        start = tuple(low if j == k else 0 for j in range(len(x.shape)))
        limit = tuple(max(low, high) if j == k else m for j, m in enumerate(x.shape))
        part = call("slice", x, start=start, limit=limit, stride=(1,) * len(x.shape))
        out.append(_section(part, ary, (*[slice(None)] * k, slice(low, max(low, high)))))
    return out


def _section(part: Value, whole: Any, key: Any) -> Tensor:
    """The part as a view of the whole, whose elements it has at this key."""
    return view(part, whole, lambda base: base[key], lambda base, new: base.at[key].set(new))


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """As `array_split`; a number of sections must divide the axis.

    >>> import lazir.numpy as lnp
    >>> [x.shape for x in lnp.split(lnp.arange(6), 3)]
    [(2,), (2,), (2,)]
    """
    shape = operand(ary).shape
    if isinstance(indices_or_sections, int | np.integer):
        n = shape[normal_axis(axis, len(shape), "split")]
        if n % indices_or_sections:
            fail(f"split: {n} elements do not divide into {indices_or_sections} parts", ShapeError)
    return array_split(ary, indices_or_sections, axis)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along one axis.

    >>> import lazir.numpy as lnp
    >>> [y.shape for y in lnp.unstack(lnp.zeros((2, 3)))]
    [(3,), (3,)]
    """
    shape = operand(x).shape
    k = normal_axis(axis, len(shape), "unstack")
    return tuple(squeeze(part, k) for part in array_split(x, shape[k], k)) if shape[k] else ()
