"""Elements taken and put by arrays of indices: `take`, `take_along_axis`, `put_along_axis`.

Takes: tensors, indices. Gives: tensors. Static indices are checked; computed ones inside a trace
are clamped when read and dropped when written (JAX's rule). Must not know: buffers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from ..apply import (
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axis,
    number,
    operand,
    tensor,
    value_of,
)
from ..dtypes import int64
from ..handle import Handle
from ..tensor import Tensor
from .indexing import _index_value, getitem
from .output import delivered, written


def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: Any = None,
    mode: str | None = None,
    *,
    fill_value: Any = None,
) -> Tensor:
    """Slices of a at `indices` along `axis` (elements of the flattened tensor without an axis).

    `mode`: "clip" or "wrap" for indices outside; by default static ones raise, and computed ones
    give `fill_value`, or the element at the edge without one.

    >>> import lazir.numpy as lnp
    >>> print(lnp.take(lnp.array([10, 20, 30]), [2, 0]))
    [30 10]
    """
    x = lift(operand(a))
    if axis is None:
        x, axis = call("reshape", x, shape=(x.type.size,)), 0
    k = normal_axis(axis, len(x.shape), "take")
    if mode in ("clip", "wrap"):
        indices = moved_inside(indices, x.shape[k], mode)
    elif mode not in (None, "raise", "fill"):
        fail(f"take: mode is 'clip', 'wrap' or 'raise', got {mode!r}")
    index = indices if isinstance(indices, Handle) else np.asarray(indices)
    how = "clip" if fill_value is None else "fill"
    made = getitem(tensor(x), (slice(None),) * k + (index,), how, fill_value)
    return delivered(made, out, "take")


def moved_inside(indices: Any, size: int, mode: str) -> Any:
    if not isinstance(indices, Handle):
        found = np.asarray(indices)
        return np.clip(found, 0, size - 1) if mode == "clip" else found % size
    value = convert(value_of(indices), int64)
    end = expand(number(size, int64, True), value.shape)
    zero = expand(number(0, int64, True), value.shape)
    if mode == "clip":
        one = expand(number(1, int64, True), value.shape)
        return tensor(call("maximum", zero, call("minimum", value, call("sub", end, one))))
    rest = call("rem", value, end)
    return tensor(call("select", call("less", rest, zero), call("add", rest, end), rest))


def _along(a: Any, indices: Any, axis: int | None) -> tuple[Value, Value, dict[str, Any]]:
    x = lift(operand(a))
    index = operand(indices)
    if not index.dtype.is_integer:
        fail(f"take_along_axis needs integer indices, got {index.dtype}")
    if axis is None:
        x, axis = call("reshape", x, shape=(x.type.size,)), 0
    rank = len(x.shape)
    if len(index.shape) != rank:
        fail(f"take_along_axis: indices of rank {len(index.shape)} for {x.type.short}", ShapeError)
    k = normal_axis(axis, rank, "take_along_axis")
    places = index.source
    if isinstance(places, np.ndarray):
        value = _index_value(places, x.shape[k])
        negative = call("less", value, expand(number(0, int64, True), value.shape))
        end = expand(number(x.shape[k], int64, True), value.shape)
        value = call("select", negative, call("add", value, end), value)
    else:
        value = _index_value(places, x.shape[k])
    others = tuple(j for j in range(rank) if j != k)
    for j in others:
        sizes = {x.shape[j], value.shape[j]} - {1}
        if len(sizes) > 1:
            fail(f"take_along_axis: {value.type.short} does not fit {x.type.short}", ShapeError)
    wide = [max(x.shape[j], value.shape[j]) if j != k else 0 for j in range(rank)]
    if any(0 in (x.shape[j], value.shape[j]) for j in others):
        wide = [0 if 0 in (x.shape[j], value.shape[j]) else n for j, n in enumerate(wide)]
    x = expand(x, tuple(x.shape[k] if j == k else n for j, n in enumerate(wide)))
    shape = tuple(value.shape[k] if j == k else n for j, n in enumerate(wide))
    vectors = call("reshape", expand(value, shape), shape=(*shape, 1))
    attrs = {
        "axes": (k,), "collapsed": (k,), "operand_batch": others, "index_batch": others,
        "offset": (),
    }  # fmt: skip
    return x, vectors, attrs


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Elements of `arr` at `indices` along one axis, the other axes running along.

    >>> import lazir.numpy as lnp
    >>> x = lnp.array([[10, 20], [30, 40]])
    >>> print(lnp.take_along_axis(x, lnp.array([[1], [0]]), axis=1))
    [[20]
     [30]]
    """
    x, vectors, attrs = _along(arr, indices, axis)
    return tensor(call("gather", x, vectors, sizes=(1,) * len(x.shape), mode="clip", **attrs))


def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: int | None, inplace: bool = True
) -> Tensor:
    """Sets the elements at `indices` along one axis (flattened without) to `values`.

    Gives `arr`, which then stands for the new elements, as after `arr[i] = v`; with `inplace=False`
    another tensor.

    >>> import lazir.numpy as lnp
    >>> print(lnp.put_along_axis(lnp.zeros((1, 3)), lnp.array([[1]]), 5.0, axis=1))
    [[0. 5. 0.]]
    """
    x, vectors, attrs = _along(arr, indices, axis)
    updates = expand(lift(operand(values), x.type.dtype), vectors.shape[:-1])
    made = call("scatter", x, vectors, updates, op="set", mode="drop", **attrs)
    if axis is None:
        made = call("reshape", made, shape=operand(arr).shape)
    return written(arr, tensor(made), inplace, "put_along_axis")
