"""Statistics of samples: ranks, modes, standard errors, standard scores.

Takes: tensors. Gives: tensors. Must not know: distributions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ... import numpy as lnp
from ...apply import fail
from ...tensor import Tensor

_METHODS = ("average", "min", "max", "dense", "ordinal")


def rankdata(a: Any, method: str = "average", *, axis: int | None = None) -> Tensor:
    """Ranks from 1 on; equal elements share one by `method`: "average", "min", "max", "dense"
    (no gaps), or "ordinal" (in order of appearance). Without an axis the tensor is flattened.
    Averages are NaN where an element along the axis is; integer ranks take NaN for the largest.

    >>> from lazir.scipy.stats import rankdata
    >>> rankdata([10, 30, 20, 30]).tolist()
    [1.0, 3.5, 2.0, 3.5]
    """
    if method not in _METHODS:
        fail(f"rankdata has the methods {', '.join(_METHODS)}, not {method!r}")
    a = lnp.asarray(a)
    if axis is None:
        a, axis = a.ravel(), 0
    x = lnp.moveaxis(a, axis, -1)
    order = lnp.argsort(x, axis=-1, stable=True)
    places = lnp.argsort(order, axis=-1, stable=True)
    n = x.shape[-1]
    if method == "ordinal" or n == 0:
        found = places + 1
    else:
        row = lnp.take_along_axis(x, order, axis=-1)
        new = lnp.concatenate(
            [lnp.ones((*row.shape[:-1], 1), bool), row[..., 1:] != row[..., :-1]], axis=-1
        )
        found = lnp.take_along_axis(_shared(new, n, method), places, axis=-1)
    found = found.astype(lnp.result_type(float) if method == "average" else "int64")
    if method == "average" and not lnp.isdtype(x.dtype, ("bool", "integral")):
        found = lnp.where(lnp.any(lnp.isnan(x), axis=-1, keepdims=True), lnp.nan, found)
    return lnp.moveaxis(found, -1, axis)


def _shared(new: Tensor, n: int, method: str) -> Tensor:
    """The rank of each sorted element, where `new` marks the first of its equals."""
    if method == "dense":
        return lnp.cumsum(new, axis=-1)
    position = lnp.arange(n)
    first = lnp.maximum.accumulate(lnp.where(new, position, 0), axis=-1) + 1
    if method == "min":
        return first
    closes = lnp.concatenate([new[..., 1:], lnp.ones((*new.shape[:-1], 1), bool)], axis=-1)
    ends = lnp.where(closes, position, n)
    last = lnp.flip(lnp.minimum.accumulate(lnp.flip(ends, -1), axis=-1), -1) + 1
    return last if method == "max" else (first + last) / 2


class ModeResult(NamedTuple):
    """The most frequent elements and how often they come."""

    mode: Tensor
    count: Tensor  # type: ignore[assignment]  # the name that SciPy gives it


def mode(
    a: Any, axis: int | None = 0, nan_policy: str = "propagate", keepdims: bool = False
) -> ModeResult:
    """The most frequent element along an axis, the least of several, and its count.

    >>> from lazir.scipy.stats import mode
    >>> [int(x) for x in mode([3, 1, 3, 2, 1])]
    [1, 2]
    """
    if nan_policy != "propagate":
        fail(f"mode knows nan_policy='propagate' alone, not {nan_policy!r}")
    a = lnp.asarray(a)
    rank = a.ndim
    if axis is None:
        a, axis = a.ravel(), 0
    x = lnp.sort(lnp.moveaxis(a, axis, -1), axis=-1)
    if x.shape[-1] == 0:
        fail("mode of no elements")
    start = lnp.concatenate(
        [lnp.ones((*x.shape[:-1], 1), bool), x[..., 1:] != x[..., :-1]], axis=-1
    )
    position = lnp.arange(x.shape[-1])
    length = position - lnp.maximum.accumulate(lnp.where(start, position, 0), axis=-1) + 1
    best = lnp.argmax(length, axis=-1, keepdims=True)
    value, count = (lnp.take_along_axis(v, best, axis=-1)[..., 0] for v in (x, length))
    if keepdims:
        shape = (1,) * rank if value.ndim == 0 else None
        value, count = (
            v.reshape(shape) if shape else lnp.expand_dims(v, axis) for v in (value, count)
        )
    return ModeResult(value, count)


def sem(a: Any, axis: int | None = 0, ddof: int = 1, *, keepdims: bool = False) -> Tensor:
    """The standard error of the mean: the standard deviation over the root of the number.

    >>> from lazir.scipy.stats import sem
    >>> round(sem([1.0, 2.0, 3.0]).item(), 4)
    0.5774
    """
    a = lnp.asarray(a)
    n = a.size if axis is None else a.shape[axis]
    error: Tensor = lnp.std(a, axis=axis, ddof=ddof, keepdims=keepdims) / n**0.5
    return error


def zscore(a: Any, axis: int | None = 0, ddof: int = 0) -> Tensor:
    """How many standard deviations each element is above the mean.

    >>> from lazir.scipy.stats import zscore
    >>> zscore([1.0, 3.0]).tolist()
    [-1.0, 1.0]
    """
    a = lnp.asarray(a)
    mean = lnp.mean(a, axis=axis, keepdims=True)
    score: Tensor = (a - mean) / lnp.std(a, axis=axis, ddof=ddof, keepdims=True)
    return score
