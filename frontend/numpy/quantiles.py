"""Medians and other quantiles, by all of NumPy's methods.

Takes: tensors, arrays; `axis` as in NumPy. Gives: tensors. NaNs are the largest. The methods are
those of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996. Must not know: how a sort
runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from ..apply import (
    as_tensor,
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axes,
    number,
    operand,
    tensor,
)
from ..dtypes import float32, float64, int64, to_inexact
from ..handle import Handle
from ..tensor import Tensor
from .ordered import sorted_together
from .output import delivered
from .parts import filled as _filled
from .rearrange import _part

_OFFSETS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
"""Methods whose place among n elements is n·q + α + q(1 − α − β) − 1: α and β."""

METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", *_OFFSETS, "linear", "lower",
    "higher", "midpoint", "nearest",
)  # fmt: skip


# -- rows --------------------------------------------------------------------------------
def _rows(a: Any, axis: Any, name: str) -> tuple[Value, tuple[int, ...], tuple[int, ...]]:
    """The operand as floats with the given axes joined as the last one; its shape; those axes."""
    found = operand(a)
    x = lift(found, to_inexact(found.dtype))
    axes = normal_axes(axis, len(x.shape), name)
    count = math.prod(x.shape[k] for k in axes)
    if count == 0:
        fail(f"{name} of an empty axis of {x.type.short} has no answer", ShapeError)
    return _joined(x, axes), x.shape, axes


def _joined(x: Value, axes: Sequence[int]) -> Value:
    kept = [k for k in range(len(x.shape)) if k not in axes]
    moved = call("transpose", x, permutation=(*kept, *axes))
    count = math.prod(x.shape[k] for k in axes)
    return call("reshape", moved, shape=(*(x.shape[k] for k in kept), count))


def _take_last(x: Value, places: Value) -> Value:
    """Elements along the last axis at places (f64) whose other axes are those of x."""
    rank = len(x.shape)
    others = tuple(range(rank - 1))
    attrs = {
        "axes": (rank - 1,), "collapsed": (rank - 1,), "operand_batch": others,
        "index_batch": others, "offset": (),
    }  # fmt: skip
    whole = call("convert", places, dtype=int64)
    vectors = call("reshape", whole, shape=(*places.shape, 1))
    return call("gather", x, vectors, sizes=(1,) * rank, mode="clip", **attrs)


# -- places ------------------------------------------------------------------------------
def _clipped(place: Value, last: Value) -> Value:
    return call("maximum", call("minimum", place, last), _filled(0, place))


def _plus(x: Value, step: float) -> Value:
    return call("add", x, _filled(step, x))


def _neighbours(q: Value, last: Value, method: str) -> tuple[Value, Value, Value]:
    """The places of two neighbouring elements among last + 1, and the weight of the second."""
    count = _plus(last, 1)
    if method in ("inverted_cdf", "averaged_inverted_cdf", "closest_observation"):
        late = 1.5 if method == "closest_observation" else 1.0
        place = _plus(call("mul", count, q), -late)
        low = call("floor", place)
        whole = call("equal", place, low)
        if method == "averaged_inverted_cdf":
            weight = call("select", whole, _filled(0.5, q), _filled(1, q))
            return _clipped(low, last), _clipped(_plus(low, 1), last), weight
        if method == "closest_observation":  # halfway: the even one, counted from 1
            odd = call("rem", call("abs", low), _filled(2, low))
            whole = call("bit_and", whole, call("equal", odd, _filled(1, odd)))
        low = _clipped(call("select", whole, low, _plus(low, 1)), last)
        return low, low, _filled(0, q)
    if method in _OFFSETS:
        alpha, beta = _OFFSETS[method]
        shift = _plus(call("mul", q, _filled(1 - alpha - beta, q)), alpha)
        place = _plus(call("add", call("mul", count, q), shift), -1)
        place = _clipped(place, last)
    else:
        place = call("mul", q, last)
    low, high = call("floor", place), call("ceil", place)
    if method == "lower":
        high = low
    elif method == "higher":
        low = high
    elif method == "nearest":  # halves go to the even place
        low = high = call("round", place)
    elif method == "midpoint":
        return low, high, call("select", call("equal", low, high), _filled(0, q), _filled(0.5, q))
    return low, high, call("sub", place, low)


def _between(rows: Value, low: Value, high: Value, weight: Value, method: str) -> Value:
    """Elements of sorted rows between neighbouring places."""
    first, last = _take_last(rows, low), _take_last(rows, high)
    weight = convert(weight, rows.type.dtype)
    if method == "midpoint":
        middle = call("mul", call("add", first, last), _filled(0.5, first))
        return call("select", call("equal", low, high), first, middle)
    width = call("sub", last, first)
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


# -- weights -----------------------------------------------------------------------------
def _weight_rows(weights: Any, shape: tuple[int, ...], axis: Any, axes: Sequence[int]) -> Value:
    """Weights in f64 in the form of the rows: of the operand's shape, or along its one axis."""
    w = lift(operand(weights), float64)
    if w.shape != shape:
        sizes = tuple(shape[k] for k in axes)
        if axis is None or w.shape != sizes:
            fail(f"weights {w.shape} do not fit shape {shape} with axis {axis}", ShapeError)
        w = call("broadcast", w, shape=shape, axes=tuple(axes))
    return _joined(w, axes)


def _by_weight(
    rows: Value, weights: Value, q: Value, grid: tuple[int, ...], ignore_nan: bool
) -> tuple[Value, Value]:
    """Sorted rows, and the first place at which a share q of all weights is reached."""
    outer = len(grid) - 1
    if ignore_nan:
        weights = call("select", call("equal", rows, rows), weights, _filled(0, weights))
    rows, weights = sorted_together([rows, weights], outer)
    sums = call("cumsum", weights, axis=outer, reverse=False)
    n = rows.shape[-1]
    whole = expand(_part(sums, outer, n - 1, n), sums.shape)
    share = call("div", sums, whole)
    share = call("select", call("equal", share, _filled(0, share)), _filled(-1, share), share)
    wide = (*grid, n)
    reached = call("broadcast", share, shape=wide, axes=(*range(outer), outer + 1))
    wanted = call("broadcast", q, shape=wide, axes=tuple(range(outer + 1)))
    below = convert(call("less", reached, wanted), float64)
    return rows, call("reduce_sum", below, axes=(outer + 1,))


# -- quantiles ---------------------------------------------------------------------------
def _quantile(
    a: Any,
    q: Any,
    axis: Any,
    method: str,
    keepdims: bool,
    name: str,
    ignore_nan: bool,
    weights: Any = None,
    out: Any = None,
) -> Tensor:
    if method not in METHODS:
        fail(f"{name}: method is one of {', '.join(METHODS)}, got {method!r}")
    if weights is not None and method != "inverted_cdf":
        fail(f"{name} takes weights with method='inverted_cdf' alone, as in NumPy")
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
    shares = call("broadcast", share, shape=grid, axes=(len(outer),))
    if weights is None:
        rows = call("sort", rows, axis=len(outer), num_keys=1)
        places = _neighbours(shares, _last_places(rows, grid, ignore_nan), method)
        found = _between(rows, *places, method)
    else:
        given = _weight_rows(weights, shape, axis, axes)
        rows, place = _by_weight(rows, given, shares, grid, ignore_nan)
        found = _take_last(rows, place)
    if not ignore_nan:  # a NaN, which is sorted to the end, is the answer
        end = _part(rows, len(outer), rows.shape[-1] - 1, rows.shape[-1])
        end = expand(end, grid)
        found = call("select", call("equal", end, end), found, end)
    found = convert(found, dtype)
    found = call("transpose", found, permutation=(len(outer), *range(len(outer))))
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape)) if keepdims else outer
    return delivered(tensor(call("reshape", found, shape=(*wanted, *kept))), out, name)


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Tensor:
    """The value below which a share `q` (0 to 1) of the elements lies; NaN if any is NaN.

    `method`: "linear", "lower", "higher", "nearest", "midpoint" between neighbouring elements, or
    another of NumPy's thirteen. `weights`, with method "inverted_cdf": how much elements count.

    >>> import lazir.numpy as lnp
    >>> lnp.quantile(lnp.array([1.0, 2.0, 4.0]), 0.75).item()
    3.0
    """
    return _quantile(a, q, axis, method, keepdims, "quantile", False, weights, out)


def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Tensor:
    """As `quantile`, of the elements that are not NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.nanquantile(lnp.array([1.0, float("nan"), 3.0]), 0.5).item()
    2.0
    """
    return _quantile(a, q, axis, method, keepdims, "nanquantile", True, weights, out)


def _percent(q: Any) -> Any:
    return as_tensor(q).astype(float64) / 100 if isinstance(q, Handle) else np.asarray(q) / 100.0


def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Tensor:
    """As `quantile`, with `q` from 0 to 100.

    >>> import lazir.numpy as lnp
    >>> lnp.percentile(lnp.array([1.0, 2.0, 4.0]), 50).item()
    2.0
    """
    return _quantile(a, _percent(q), axis, method, keepdims, "percentile", False, weights, out)


def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Tensor:
    """As `percentile`, of the elements that are not NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.nanpercentile(lnp.array([1.0, float("nan"), 3.0]), 50).item()
    2.0
    """
    return _quantile(a, _percent(q), axis, method, keepdims, "nanpercentile", True, weights, out)


def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Tensor:
    """The middle element in order, or the mean of the two; NaN if any is NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.median(lnp.array([5, 1, 2, 4])).item()
    3.0
    """
    return _quantile(a, 0.5, axis, "midpoint", keepdims, "median", False, out=out)


def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Tensor:
    """As `median`, of the elements that are not NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.nanmedian(lnp.array([5.0, float("nan"), 2.0, 4.0])).item()
    4.0
    """
    return _quantile(a, 0.5, axis, "midpoint", keepdims, "nanmedian", True, out=out)
