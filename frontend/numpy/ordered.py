"""Sorting: values, positions, the largest ones; medians and other quantiles.

Takes: tensors, arrays; `axis` as in NumPy. Gives: tensors. NaNs are the largest, and sorts are
always stable, whatever `kind` says. Must not know: how a sort runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.opdef import OPS

from ..apply import (
    as_tensor,
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axes,
    normal_axis,
    number,
    operand,
    tensor,
)
from ..dtypes import float32, float64, int64, to_inexact
from ..handle import Handle
from ..tensor import Tensor
from ..trace import builder
from .rearrange import _part


# -- sorting -----------------------------------------------------------------------------
def _line(a: Any, axis: int | None, name: str) -> tuple[Value, int]:
    """The operand and the axis to sort; without an axis it is flattened."""
    x = lift(operand(a))
    if axis is None:
        return call("reshape", x, shape=(x.type.size,)), 0
    return x, normal_axis(axis, len(x.shape), name)


def sorted_together(values: Sequence[Value], axis: int, num_keys: int = 1) -> list[Value]:
    """All results of one sort."""
    return list(OPS["sort"].many(builder(), *values, axis=axis, num_keys=num_keys))


def _places(shape: tuple[int, ...], axis: int) -> Value:
    return call("iota", shape=shape, axis=axis, dtype=int64)


def ordered(x: Value, axis: int, descending: bool) -> tuple[Value, Value]:
    """The sorted values and where they were. Descending is ascending read backwards, of the
    reversed operand, so that equals stay in order.
    """
    values = [x, _places(x.shape, axis)]
    if descending:
        values = [call("reverse", v, axes=(axis,)) for v in values]
    values = sorted_together(values, axis)
    if descending:
        values = [call("reverse", v, axes=(axis,)) for v in values]
    return values[0], values[1]


def sort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    *,
    stable: bool | None = True,
    descending: bool = False,
) -> Tensor:
    """The elements in increasing order along `axis` (flattened where it is None), NaNs last.

    >>> import lazir.numpy as lnp
    >>> print(lnp.sort(lnp.array([3, 1, 2])))
    [1 2 3]
    """
    x, k = _line(a, axis, "sort")
    if descending:
        return tensor(ordered(x, k, True)[0])
    return tensor(call("sort", x, axis=k, num_keys=1))


def argsort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    *,
    stable: bool | None = True,
    descending: bool = False,
) -> Tensor:
    """The positions that put the elements in order along `axis`, those of equals as they come.

    >>> import lazir.numpy as lnp
    >>> print(lnp.argsort(lnp.array([3, 1, 2])))
    [1 2 0]
    """
    x, k = _line(a, axis, "argsort")
    return tensor(ordered(x, k, descending)[1])


def lexsort(keys: Any, axis: int = -1) -> Tensor:
    """The positions that sort by several keys, the last key first.

    >>> import lazir.numpy as lnp
    >>> print(lnp.lexsort((lnp.array([1, 0, 2]), lnp.array([5, 5, 1]))))
    [2 1 0]
    """
    values = [lift(operand(key)) for key in keys]
    if not values or any(v.shape != values[0].shape for v in values):
        shapes = ", ".join(v.type.short for v in values) or "none"
        fail(f"lexsort needs keys of one shape, got {shapes}", ShapeError)
    k = normal_axis(axis, len(values[0].shape), "lexsort")
    operands = [*reversed(values), _places(values[0].shape, k)]
    return tensor(sorted_together(operands, k, len(values))[-1])


def _check_kth(kth: Any, size: int, name: str) -> None:
    for k in np.atleast_1d(np.asarray(kth)).tolist():
        if not -size <= k < size:
            fail(f"{name}: kth {k} is out of range for an axis of size {size}", ShapeError)


def partition(a: Any, kth: Any, axis: int | None = -1) -> Tensor:
    """The elements with the kth smallest in its place, smaller ones before it: here all sorted.

    >>> import lazir.numpy as lnp
    >>> print(lnp.partition(lnp.array([3, 1, 2]), 1)[1])
    2
    """
    x, k = _line(a, axis, "partition")
    _check_kth(kth, x.shape[k], "partition")
    return tensor(call("sort", x, axis=k, num_keys=1))


def argpartition(a: Any, kth: Any, axis: int | None = -1) -> Tensor:
    """The positions that `partition` takes the elements from.

    >>> import lazir.numpy as lnp
    >>> print(lnp.argpartition(lnp.array([3, 1, 2]), 1))
    [1 2 0]
    """
    x, k = _line(a, axis, "argpartition")
    _check_kth(kth, x.shape[k], "argpartition")
    return tensor(ordered(x, k, False)[1])


def top_k(operand_: Any, k: int) -> tuple[Tensor, Tensor]:
    """The k largest along the last axis, largest first, and their positions; NaN is the largest.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> values, places = lz.lax.top_k(lnp.array([3, 1, 4, 1, 5]), 2)
    >>> print(values, places)
    [5 4] [4 2]
    """
    x, axis = _line(operand_, -1, "top_k")
    if not 0 <= k <= x.shape[axis]:
        fail(f"top_k: k is from 0 to the size of the last axis of {x.type.short}, got {k}")
    values, places = ordered(x, axis, True)
    return tensor(_part(values, axis, 0, k)), tensor(_part(places, axis, 0, k))


# -- quantiles ---------------------------------------------------------------------------
METHODS = ("linear", "lower", "higher", "nearest", "midpoint")


def _rows(a: Any, axis: Any, name: str) -> tuple[Value, tuple[int, ...], tuple[int, ...]]:
    """The operand as floats with the given axes joined as the last one; its shape; those axes."""
    found = operand(a)
    x = lift(found, to_inexact(found.dtype))
    axes = normal_axes(axis, len(x.shape), name)
    kept = [k for k in range(len(x.shape)) if k not in axes]
    moved = call("transpose", x, permutation=(*kept, *axes))
    count = math.prod(x.shape[k] for k in axes)
    if count == 0:
        fail(f"{name} of an empty axis of {x.type.short} has no answer", ShapeError)
    return call("reshape", moved, shape=(*(x.shape[k] for k in kept), count)), x.shape, axes


def take_last(x: Value, places: Value) -> Value:
    """Elements along the last axis at places whose other axes are those of x."""
    rank = len(x.shape)
    others = tuple(range(rank - 1))
    attrs = {
        "axes": (rank - 1,), "collapsed": (rank - 1,), "operand_batch": others,
        "index_batch": others, "offset": (),
    }  # fmt: skip
    vectors = call("reshape", places, shape=(*places.shape, 1))
    return call("gather", x, vectors, sizes=(1,) * rank, mode="clip", **attrs)


def _filled(x: float, like: Value) -> Value:
    return expand(number(x, like.type.dtype, True), like.shape)


def _between(rows: Value, place: Value, method: str) -> Value:
    """Elements of sorted rows at fractional places (f64)."""
    low, high = call("floor", place), call("ceil", place)
    if method == "lower":
        high = low
    elif method == "higher":
        low = high
    elif method == "nearest":  # halves go to the even place
        low = high = call("round", place)
    first, last = (take_last(rows, call("convert", v, dtype=int64)) for v in (low, high))
    weight = convert(call("sub", place, low), rows.type.dtype)
    width = call("sub", last, first)
    if method == "midpoint":
        middle = call("mul", call("add", first, last), _filled(0.5, first))
        return call("select", call("equal", low, high), first, middle)
    rising = call("add", first, call("mul", width, weight))
    falling = call("sub", last, call("mul", width, call("sub", _filled(1, weight), weight)))
    mixed = call("select", call("less", weight, _filled(0.5, weight)), rising, falling)
    return call("select", call("equal", first, last), first, mixed)


def _last_places(rows: Value, grid: tuple[int, ...], ignore_nan: bool) -> Value:
    """The place of the largest element of each sorted row, or of the largest that is no NaN."""
    if not ignore_nan:
        return expand(number(rows.shape[-1] - 1, float64, True), grid)
    outer = len(grid) - 1
    counts = call("reduce_sum", convert(call("equal", rows, rows), float64), axes=(outer,))
    last = call("maximum", call("sub", counts, _filled(1, counts)), _filled(0, counts))
    return call("broadcast", last, shape=grid, axes=tuple(range(outer)))


def _quantile(
    a: Any, q: Any, axis: Any, method: str, keepdims: bool, name: str, ignore_nan: bool
) -> Tensor:
    if method not in METHODS:
        fail(f"{name}: method is one of {', '.join(METHODS)}, got {method!r}")
    if not isinstance(q, Handle):
        q = np.asarray(q, np.float64)
        if not np.all((q >= 0) & (q <= 1)):
            fail(f"{name}: a quantile is from 0 to 1, got {q}")
    rows, shape, axes = _rows(a, axis, name)
    dtype = rows.type.dtype
    if dtype.bits == 16:
        rows = convert(rows, float32)
    share = lift(operand(q), float64)
    wanted = share.shape
    share = call("reshape", share, shape=(share.type.size,))
    outer = rows.shape[:-1]
    grid = (*outer, share.shape[0])
    rows = call("sort", rows, axis=len(outer), num_keys=1)
    shares = call("broadcast", share, shape=grid, axes=(len(outer),))
    place = call("mul", shares, _last_places(rows, grid, ignore_nan))
    found = _between(rows, place, method)
    if not ignore_nan:  # a NaN, which is sorted to the end, is the answer
        end = _part(rows, len(outer), rows.shape[-1] - 1, rows.shape[-1])
        end = expand(end, grid)
        found = call("select", call("equal", end, end), found, end)
    found = convert(found, dtype)
    found = call("transpose", found, permutation=(len(outer), *range(len(outer))))
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape)) if keepdims else outer
    return tensor(call("reshape", found, shape=(*wanted, *kept)))


def quantile(
    a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The value below which a share `q` (0 to 1) of the elements lies; NaN if any is NaN.

    `method`: "linear", "lower", "higher", "nearest", "midpoint", between neighbouring elements.

    >>> import lazir.numpy as lnp
    >>> lnp.quantile(lnp.array([1.0, 2.0, 4.0]), 0.75).item()
    3.0
    """
    return _quantile(a, q, axis, method, keepdims, "quantile", False)


def nanquantile(
    a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """As `quantile`, of the elements that are not NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.nanquantile(lnp.array([1.0, float("nan"), 3.0]), 0.5).item()
    2.0
    """
    return _quantile(a, q, axis, method, keepdims, "nanquantile", True)


def _percent(q: Any) -> Any:
    return as_tensor(q).astype(float64) / 100 if isinstance(q, Handle) else np.asarray(q) / 100.0


def percentile(
    a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """As `quantile`, with `q` from 0 to 100.

    >>> import lazir.numpy as lnp
    >>> lnp.percentile(lnp.array([1.0, 2.0, 4.0]), 50).item()
    2.0
    """
    return _quantile(a, _percent(q), axis, method, keepdims, "percentile", False)


def nanpercentile(
    a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """As `percentile`, of the elements that are not NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.nanpercentile(lnp.array([1.0, float("nan"), 3.0]), 50).item()
    2.0
    """
    return _quantile(a, _percent(q), axis, method, keepdims, "nanpercentile", True)


def median(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """The middle element in order, or the mean of the two; NaN if any is NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.median(lnp.array([5, 1, 2, 4])).item()
    3.0
    """
    return _quantile(a, 0.5, axis, "midpoint", keepdims, "median", False)


def nanmedian(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """As `median`, of the elements that are not NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.nanmedian(lnp.array([5.0, float("nan"), 2.0, 4.0])).item()
    4.0
    """
    return _quantile(a, 0.5, axis, "midpoint", keepdims, "nanmedian", True)
