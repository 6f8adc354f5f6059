"""Reductions that pass over NaN: `nansum` and its kin.

Takes: tensors, arrays; options as of the functions without `nan`. Gives: tensors. Must not know:
the order of summation.
"""

from __future__ import annotations

import math
from typing import Any

from ..apply import call, lift, number, operand, tensor
from ..dtypes import int64
from ..slots import Literal
from ..tensor import Tensor
from . import reduction
from .logic import logical_and
from .logic import where as choice
from .output import delivered


def _valid(a: Any, where: Any) -> tuple[Tensor, Any]:
    """The operand, and where it counts: everywhere (None), or where it is no NaN."""
    x = lift(operand(a))
    if not x.type.dtype.is_inexact:
        return tensor(x), where
    numbers = tensor(call("equal", x, x))
    return tensor(x), numbers if where is None or where is True else logical_and(numbers, where)


def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Tensor:
    """The sum without NaN elements.

    >>> import lazir.numpy as lnp
    >>> lnp.nansum(lnp.array([1.0, float("nan")])).item()
    1.0
    """
    x, valid = _valid(a, where)
    return reduction.sum(x, axis, dtype, out, keepdims, initial, valid)


def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Tensor:
    """The product without NaN elements.

    >>> import lazir.numpy as lnp
    >>> lnp.nanprod(lnp.array([3.0, float("nan")])).item()
    3.0
    """
    x, valid = _valid(a, where)
    return reduction.prod(x, axis, dtype, out, keepdims, initial, valid)


def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = None,
) -> Tensor:
    """The mean without NaN elements.

    >>> import lazir.numpy as lnp
    >>> lnp.nanmean(lnp.array([1.0, float("nan")])).item()
    1.0
    """
    x, valid = _valid(a, where)
    return reduction.mean(x, axis, dtype, out, keepdims, where=valid)


def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Tensor:
    """The variance without NaN elements.

    >>> import lazir.numpy as lnp
    >>> lnp.nanvar(lnp.array([1.0, float("nan"), 3.0])).item()
    1.0
    """
    x, valid = _valid(a, where)
    freedom = ddof if correction is None else correction
    made = reduction.var(x, axis, dtype, None, freedom, keepdims, where=valid, mean=mean)
    return delivered(_defined(made, valid, axis, freedom, keepdims), out, "nanvar")


def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation without NaN elements.

    >>> import lazir.numpy as lnp
    >>> lnp.nanstd(lnp.array([1.0, float("nan"), 3.0])).item()
    1.0
    """
    x, valid = _valid(a, where)
    freedom = ddof if correction is None else correction
    made = reduction.std(x, axis, dtype, None, freedom, keepdims, where=valid, mean=mean)
    return delivered(_defined(made, valid, axis, freedom, keepdims), out, "nanstd")


def _defined(value: Tensor, valid: Any, axis: Any, freedom: float, keepdims: bool) -> Tensor:
    """NaN where no more than `freedom` elements are left, as NumPy has it."""
    if valid is not None and freedom:
        count = reduction.sum(valid, axis, keepdims=keepdims)
        value = choice(count <= freedom, Literal(math.nan), value)
    return value


def nanmax(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Tensor:
    """The largest element that is not NaN (NaN where there is none).

    >>> import lazir.numpy as lnp
    >>> lnp.nanmax(lnp.array([1.0, float("nan")])).item()
    1.0
    """
    return _extremum(reduction.max, -math.inf, a, axis, out, keepdims, initial, where)


def nanmin(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Tensor:
    """The smallest element that is not NaN (NaN where there is none).

    >>> import lazir.numpy as lnp
    >>> lnp.nanmin(lnp.array([1.0, float("nan")])).item()
    1.0
    """
    return _extremum(reduction.min, math.inf, a, axis, out, keepdims, initial, where)


def _extremum(
    reduce: Any, unit: float, a: Any, axis: Any, out: Any, keepdims: bool, initial: Any, where: Any
) -> Tensor:
    x, valid = _valid(a, where)
    name = f"nan{reduce.__name__}"
    if valid is None or initial is not None or not x.dtype.is_inexact:
        return delivered(
            reduce(x, axis, keepdims=keepdims, initial=initial, where=valid), out, name
        )
    best = reduce(x, axis, keepdims=keepdims, initial=Literal(unit), where=valid)
    some = reduction.any(valid, axis, keepdims=keepdims)
    return delivered(choice(some, best, Literal(math.nan)), out, name)


def _position(find: Any, unit: float, a: Any, axis: Any, out: Any, keepdims: bool) -> Tensor:
    x, valid = _valid(a, None)
    name = f"nan{find.__name__}"
    if valid is None:
        return delivered(find(x, axis, keepdims=keepdims), out, name)
    found = find(choice(valid, x, Literal(unit)), axis, keepdims=keepdims)
    # an infinity of the other sign loses against a NaN before it: the first that is valid wins
    first = reduction.argmax(valid, axis, keepdims=keepdims)
    best = reduction.max if unit < 0 else reduction.min
    extreme = best(choice(valid, x, Literal(unit)), axis, keepdims=keepdims)
    found = choice(extreme == unit, first, found)
    some = reduction.any(valid, axis, keepdims=keepdims)
    return delivered(choice(some, found, tensor(number(-1, int64, True))), out, name)


def nanargmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Tensor:
    """The first position of the largest element that is not NaN; −1 where there is none.

    >>> import lazir.numpy as lnp
    >>> lnp.nanargmax(lnp.array([1.0, float("nan"), 2.0])).item()
    2
    """
    return _position(reduction.argmax, -math.inf, a, axis, out, keepdims)


def nanargmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Tensor:
    """The first position of the smallest element that is not NaN; −1 where there is none.

    >>> import lazir.numpy as lnp
    >>> lnp.nanargmin(lnp.array([3.0, float("nan"), 2.0])).item()
    2
    """
    return _position(reduction.argmin, math.inf, a, axis, out, keepdims)
