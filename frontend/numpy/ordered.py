"""Sorting: values, positions, the largest ones.

Takes: tensors, arrays; `axis` as in NumPy. Gives: tensors. NaNs are the largest, and sorts are
always stable, whatever `kind` says. Must not know: how a sort runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.complex_numbers import whole as whole_of

from ..apply import (
    call,
    fail,
    lift,
    normal_axis,
    operand,
    tensor,
)
from ..dtypes import int8, int64, to_inexact
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


def _no_fields(order: Any, name: str) -> None:
    if order is not None:
        fail(f"{name}: `order` names fields of records, which tensors do not have")


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
    order: None = None,
    *,
    stable: bool | None = True,
    descending: bool = False,
) -> Tensor:
    """The elements in increasing order along `axis` (flattened where it is None), NaNs last.

    >>> import lazir.numpy as lnp
    >>> print(lnp.sort(lnp.array([3, 1, 2])))
    [1 2 3]
    """
    _no_fields(order, "sort")
    x, k = _line(a, axis, "sort")
    if descending:
        return tensor(ordered(x, k, True)[0])
    return tensor(call("sort", x, axis=k, num_keys=1))


def argsort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = True,
    descending: bool = False,
) -> Tensor:
    """The positions that put the elements in order along `axis`, those of equals as they come.

    >>> import lazir.numpy as lnp
    >>> print(lnp.argsort(lnp.array([3, 1, 2])))
    [1 2 0]
    """
    _no_fields(order, "argsort")
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


def sort_complex(a: Any) -> Tensor:
    """Complex numbers in order along the last axis: by the real part, then by the imaginary one.

    Real numbers become complex ones. NaN are last, behind them those with a NaN real part.

    >>> import lazir.numpy as lnp
    >>> print(lnp.sort_complex(lnp.array([2 + 1j, 1 + 2j, 1 - 1j])))
    [1.-1.j 1.+2.j 2.+1.j]
    """
    found = operand(a)
    x = lift(found, whole_of(to_inexact(found.dtype)))
    k = normal_axis(-1, len(x.shape), "sort_complex")
    re, im = call("real", x), call("imag", x)
    nan_re, nan_im = (
        call("convert", call("not_equal", part, part), dtype=int8) for part in (re, im)
    )
    return tensor(sorted_together([nan_re, nan_im, re, im, x], k, 4)[-1])


def _check_kth(kth: Any, size: int, name: str) -> None:
    for k in np.atleast_1d(np.asarray(kth)).tolist():
        if not -size <= k < size:
            fail(f"{name}: kth {k} is out of range for an axis of size {size}", ShapeError)


def partition(
    a: Any, kth: Any, axis: int | None = -1, kind: str | None = None, order: None = None
) -> Tensor:
    """The elements with the kth smallest in its place, smaller ones before it: here all sorted.

    >>> import lazir.numpy as lnp
    >>> print(lnp.partition(lnp.array([3, 1, 2]), 1)[1])
    2
    """
    _no_fields(order, "partition")
    x, k = _line(a, axis, "partition")
    _check_kth(kth, x.shape[k], "partition")
    return tensor(call("sort", x, axis=k, num_keys=1))


def argpartition(
    a: Any, kth: Any, axis: int | None = -1, kind: str | None = None, order: None = None
) -> Tensor:
    """The positions that `partition` takes the elements from.

    >>> import lazir.numpy as lnp
    >>> print(lnp.argpartition(lnp.array([3, 1, 2]), 1))
    [1 2 0]
    """
    _no_fields(order, "argpartition")
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
