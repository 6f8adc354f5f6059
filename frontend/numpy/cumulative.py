"""Running sums, products and extrema, and the areas under curves.

Takes: tensors, arrays; `axis`, `dtype` as in NumPy. Gives: tensors. Sums and products of small
integers and bools are int64. Must not know: how a pass along an axis runs.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from ..apply import (
    as_tensor,
    call,
    expand,
    fail,
    lift,
    normal_axis,
    number,
    operand,
    promote,
    tensor,
)  # fmt: skip
from ..dtypes import accumulator as _accumulator
from ..dtypes import as_dtype, to_inexact
from ..tensor import Tensor
from .output import delivered
from .rearrange import _part, diff


def running(op: str, x: Value, axis: int | None, name: str, reverse: bool = False) -> Value:
    """The op along an axis; without an axis over the flattened tensor."""
    if axis is None:
        x, axis = call("reshape", x, shape=(x.type.size,)), 0
    return call(op, x, axis=normal_axis(axis, len(x.shape), name), reverse=reverse)


def _total(op: str, a: Any, axis: int | None, dtype: Any, name: str, unit: int | None) -> Tensor:
    """`unit` takes the place of NaNs, where it is given."""
    found = operand(a)
    wanted = _accumulator(found.dtype) if dtype is None else as_dtype(dtype)
    value = lift(found, wanted)
    if unit is not None and wanted.is_inexact:
        whole = expand(number(unit, wanted, True), value.shape)
        value = call("select", call("equal", value, value), value, whole)
    return tensor(running(op, value, axis, name))


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Tensor:
    """The sums of the elements up to each one along `axis` (of all elements by default).

    >>> import lazir.numpy as lnp
    >>> print(lnp.cumsum(lnp.array([1, 2, 3])))
    [1 3 6]
    """
    return delivered(_total("cumsum", a, axis, dtype, "cumsum", None), out, "cumsum")


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Tensor:
    """The products of the elements up to each one along `axis` (of all elements by default).

    >>> import lazir.numpy as lnp
    >>> print(lnp.cumprod(lnp.array([1, 2, 3, 4])))
    [ 1  2  6 24]
    """
    return delivered(_total("cumprod", a, axis, dtype, "cumprod", None), out, "cumprod")


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Tensor:
    """As `cumsum`, NaN counting as 0.

    >>> import lazir.numpy as lnp
    >>> print(lnp.nancumsum(lnp.array([1.0, float("nan"), 3.0])))
    [1. 1. 4.]
    """
    return delivered(_total("cumsum", a, axis, dtype, "nancumsum", 0), out, "nancumsum")


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Tensor:
    """As `cumprod`, NaN counting as 1.

    >>> import lazir.numpy as lnp
    >>> print(lnp.nancumprod(lnp.array([2.0, float("nan"), 3.0])))
    [2. 2. 6.]
    """
    return delivered(_total("cumprod", a, axis, dtype, "nancumprod", 1), out, "nancumprod")


def _with_initial(
    op: str, x: Any, axis: int | None, dtype: Any, include_initial: bool, unit: int
) -> Tensor:
    name = f"cumulative_{op[3:]}"
    rank = len(operand(x).shape)
    if rank == 0 or (axis is None and rank != 1):
        fail(f"{name} of a tensor of rank {rank} needs an axis", ShapeError)
    k = normal_axis(0 if axis is None else axis, rank, name)
    made = _total(op, x, k, dtype, name, None)
    if not include_initial:
        return made
    (value,) = promote(made).values
    first = tuple(1 if d == k else n for d, n in enumerate(value.shape))
    start = expand(number(unit, value.type.dtype, True), first)
    return tensor(call("concat", start, value, axis=k))


def cumulative_sum(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    out: Any = None,
    include_initial: bool = False,
) -> Tensor:
    """The array standard's `cumsum`; with `include_initial` a 0 comes first.

    >>> import lazir.numpy as lnp
    >>> print(lnp.cumulative_sum(lnp.array([1, 2, 3]), include_initial=True))
    [0 1 3 6]
    """
    made = _with_initial("cumsum", x, axis, dtype, include_initial, 0)
    return delivered(made, out, "cumulative_sum")


def cumulative_prod(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    out: Any = None,
    include_initial: bool = False,
) -> Tensor:
    """The array standard's `cumprod`; with `include_initial` a 1 comes first.

    >>> import lazir.numpy as lnp
    >>> print(lnp.cumulative_prod(lnp.array([1, 2, 3]), include_initial=True))
    [1 1 2 6]
    """
    made = _with_initial("cumprod", x, axis, dtype, include_initial, 1)
    return delivered(made, out, "cumulative_prod")


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The area under a curve by the trapezoidal rule: at places `x`, or `dx` apart.

    >>> import lazir.numpy as lnp
    >>> lnp.trapezoid(lnp.array([1.0, 2.0, 3.0])).item()
    4.0
    """
    curve = as_tensor(y)
    if not curve._dtype.is_inexact:
        curve = curve.astype(to_inexact(curve._dtype))
    k = normal_axis(axis, len(curve.shape), "trapezoid")
    (value,) = promote(curve).values
    size = value.shape[k]
    low, high = _part(value, k, 0, max(size - 1, 0)), _part(value, k, min(1, size), size)
    step = dx
    if x is not None:
        places = as_tensor(x)
        step = diff(places, axis=0 if len(places.shape) == 1 else k)
        if len(places.shape) == 1:
            step = step.reshape([-1 if d == k else 1 for d in range(len(value.shape))])
    pieces: Tensor = tensor(call("add", low, high)) * step * 0.5
    return pieces.sum(axis=k)
