"""Sets of elements: unions, intersections, differences.

Takes: tensors, arrays. Gives: tensors in increasing order, of a size that data decide; while
tracing `size=` has to fix it: surplus elements are left out, missing ones are `fill_value`, by
default the first element. Must not know: how sorts run.
"""

from __future__ import annotations

from typing import Any

from ..apply import as_tensor, lift, operand, tensor
from ..tensor import Tensor
from .counting import _ramp, _starts, compress, unique
from .distinct import isin
from .logic import logical_and, logical_xor
from .manipulation import concatenate, ravel
from .ordered import sorted_together
from .reduction import argmax
from .search import common_dtype, searchsorted


def _chosen(mask: Tensor, values: Tensor, size: int | None, fill: Any) -> Tensor:
    if fill is None and size is not None and values.shape[0]:
        fill = values[argmax(mask)]
    return compress(mask, values, size=size, fill_value=0 if fill is None else fill)


def _in_order(x: Any, dtype: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The elements in order, where they were, and where a new one starts."""
    flat = lift(operand(ravel(as_tensor(x, dtype))))
    values, origin = sorted_together([flat, _ramp(flat.type.size)], 0)
    return tensor(values), tensor(origin), tensor(_starts(values, True))


def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Tensor:
    """The different elements of both.

    >>> import lazir.numpy as lnp
    >>> print(lnp.union1d(lnp.array([3, 1]), lnp.array([2, 3])))
    [1 2 3]
    """
    both = concatenate([ravel(ar1), ravel(ar2)])
    return unique(both, size=size, fill_value=fill_value)  # type: ignore[no-any-return]


def intersect1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements that are in both; where asked for, also where each comes first.

    >>> import lazir.numpy as lnp
    >>> print(lnp.intersect1d(lnp.array([3, 1, 3]), lnp.array([2, 3])))
    [3]
    """
    dtype = common_dtype(ar1, ar2)
    values, origin, starts = _in_order(ar1, dtype)
    mask = logical_and(starts, isin(values, as_tensor(ar2, dtype)))
    found = _chosen(mask, values, size, fill_value)
    if not return_indices:
        return found
    second, places, _ = _in_order(ar2, dtype)
    n = second.shape[0]
    if n == 0:
        return found, _chosen(mask, origin, size, None), _chosen(mask, origin, size, None)
    other = places[searchsorted(second, values).clip(0, n - 1)]
    return found, _chosen(mask, origin, size, None), _chosen(mask, other, size, None)


def setdiff1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Tensor:
    """The different elements of `ar1` that are not in `ar2`; with `assume_unique` as they come.

    >>> import lazir.numpy as lnp
    >>> print(lnp.setdiff1d(lnp.array([3, 1, 2]), lnp.array([2])))
    [1 3]
    """
    if assume_unique:
        flat = ravel(ar1)
        return _chosen(isin(flat, ar2, invert=True), flat, size, fill_value)
    values, _, starts = _in_order(ar1, operand(ar1).dtype)
    return _chosen(logical_and(starts, isin(values, ar2, invert=True)), values, size, fill_value)


def setxor1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Tensor:
    """The different elements that are in exactly one of both.

    >>> import lazir.numpy as lnp
    >>> print(lnp.setxor1d(lnp.array([3, 1]), lnp.array([2, 3])))
    [1 2]
    """
    dtype = common_dtype(ar1, ar2)
    both = concatenate([ravel(as_tensor(x, dtype)) for x in (ar1, ar2)])
    values, _, starts = _in_order(both, dtype)
    mask = logical_and(starts, logical_xor(isin(values, ar1), isin(values, ar2)))
    return _chosen(mask, values, size, fill_value)
