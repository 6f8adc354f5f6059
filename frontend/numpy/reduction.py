"""Reductions: sums, products, extrema, means, spreads, positions, over all or chosen axes.

Takes: tensors, arrays; `axis`, `keepdims`, `dtype`, `initial`, `where` as in NumPy. Gives: tensors.
Sums of small integers and bools are int64; means of integers float32; f16 means go through f32.
Must not know: the order of summation.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.ops.reduction import highest, lowest

from ..apply import (
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axes,
    normal_axis,
    number,
    operand,
    promote,
    tensor,
)
from ..dtypes import accumulator as _accumulator
from ..dtypes import as_dtype, bool_, float32, promote_types, to_inexact
from ..tensor import Tensor
from .logic import choose_broadcast
from .output import delivered
from .parts import by_part, real_of, squared_size
from .parts import filled as _filled


def _masked(x: Value, where: Any, unit: float) -> Value:
    if where is None or where is True:
        return x
    return call("select", choose_broadcast(where, x.shape), x, _filled(unit, x))


def _kept(value: Value, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> Value:
    if not keepdims:
        return value
    return call("reshape", value, shape=tuple(1 if k in axes else n for k, n in enumerate(shape)))


def _reduce(op: str, x: Value, axis: Any, keepdims: bool, name: str) -> Value:
    axes = normal_axes(axis, len(x.shape), name)
    reduced = call(op, x, axes=axes) if axes else x
    return _kept(reduced, x.shape, axes, keepdims)


def _with_initial(op: str, value: Value, initial: Any) -> Value:
    if initial is None:
        return value
    return call(op, value, expand(lift(operand(initial), value.type.dtype), value.shape))


def _total(
    name: str,
    op: str,
    join: str,
    unit: int,
    x: Any,
    axis: Any,
    dtype: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Tensor:
    found = operand(x)
    wanted = _accumulator(found.dtype) if dtype is None else as_dtype(dtype)
    value = _masked(lift(found, wanted), where, unit)
    return tensor(_with_initial(join, _reduce(op, value, axis, keepdims, name), initial))


def sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Tensor:
    """The sum over `axis` (all axes by default).

    >>> import lazir.numpy as lnp
    >>> print(lnp.sum(lnp.arange(6).reshape(2, 3), axis=0))
    [3 5 7]
    """
    made = _total("sum", "reduce_sum", "add", 0, a, axis, dtype, keepdims, initial, where)
    return delivered(made, out, "sum")


def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Tensor:
    """The product over `axis` (all axes by default).

    >>> import lazir.numpy as lnp
    >>> lnp.prod(lnp.arange(1, 5)).item()
    24
    """
    made = _total("prod", "reduce_prod", "mul", 1, a, axis, dtype, keepdims, initial, where)
    return delivered(made, out, "prod")


def _extremum(
    name: str,
    op: str,
    join: str,
    unit: Any,
    a: Any,
    axis: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Tensor:
    found = operand(a)
    value = lift(found)
    axes = normal_axes(axis, len(value.shape), name)
    if initial is None:
        if builtins.any(value.shape[k] == 0 for k in axes):
            fail(f"{name} of an empty axis of {value.type.short} needs `initial`", ShapeError)
        if where is not None and where is not True:
            fail(f"{name} with `where` needs `initial`, the answer where nothing is left")
    value = _masked(value, where, unit(found.dtype))
    return tensor(_with_initial(join, _reduce(op, value, axis, keepdims, name), initial))


def max(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Tensor:
    """The largest over `axis`; NaN if any is NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.max(lnp.array([1, 5, 2])).item()
    5
    """
    made = _extremum("max", "reduce_max", "maximum", lowest, a, axis, keepdims, initial, where)
    return delivered(made, out, "max")


def min(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Tensor:
    """The smallest over `axis`; NaN if any is NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.min(lnp.array([4, 1, 2])).item()
    1
    """
    made = _extremum("min", "reduce_min", "minimum", highest, a, axis, keepdims, initial, where)
    return delivered(made, out, "min")


amax, amin = max, min


def _truths(op: str, unit: int, a: Any, axis: Any, keepdims: bool, where: Any) -> Tensor:
    value = _masked(convert(lift(operand(a)), bool_), where, unit)
    return tensor(_reduce(op, value, axis, keepdims, op[7:]))


def any(
    a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = None
) -> Tensor:
    """Whether any element over `axis` is true (not zero).

    >>> import lazir.numpy as lnp
    >>> lnp.any(lnp.array([0, 2])).item()
    True
    """
    return delivered(_truths("reduce_any", 0, a, axis, keepdims, where), out, "any")


def all(
    a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = None
) -> Tensor:
    """Whether all elements over `axis` are true (not zero).

    >>> import lazir.numpy as lnp
    >>> lnp.all(lnp.array([0, 2])).item()
    False
    """
    return delivered(_truths("reduce_all", 1, a, axis, keepdims, where), out, "all")


def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """How many elements over `axis` are not zero.

    >>> import lazir.numpy as lnp
    >>> lnp.count_nonzero(lnp.array([0, 2, 3])).item()
    2
    """
    return sum(tensor(convert(lift(operand(a)), bool_)), axis, keepdims=keepdims)


def _position(op: str, a: Any, axis: Any, keepdims: bool) -> Tensor:
    (x,) = promote(a).values
    shape = x.shape
    if axis is None:
        x = call("reshape", x, shape=(x.type.size,))
        found = call(op, x, axes=(0,))
        return tensor(call("reshape", found, shape=(1,) * len(shape)) if keepdims else found)
    k = normal_axis(axis, len(shape), op)
    return tensor(_kept(call(op, x, axes=(k,)), shape, (k,), keepdims))


def argmax(a: Any, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Tensor:
    """The first position of the largest along `axis`; without an axis, in the flattened tensor.

    >>> import lazir.numpy as lnp
    >>> lnp.argmax(lnp.array([1, 5, 2])).item()
    1
    """
    return delivered(_position("argmax", a, axis, keepdims), out, "argmax")


def argmin(a: Any, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Tensor:
    """The first position of the smallest along `axis`; without an axis, in the flattened tensor.

    >>> import lazir.numpy as lnp
    >>> lnp.argmin(lnp.array([4, 1, 2])).item()
    1
    """
    return delivered(_position("argmin", a, axis, keepdims), out, "argmin")


# -- means -------------------------------------------------------------------------------
def _wide(x: Value) -> Value:
    """f16 and bf16 as f32, so that a sum of many neither overflows nor loses."""
    return convert(x, float32) if x.type.dtype.bits == 16 else x


def _count(x: Value, axis: Any, keepdims: bool, where: Any) -> Value:
    """How many elements a mean is over, in x's dtype, of the reduced shape."""
    axes = normal_axes(axis, len(x.shape), "mean")
    if where is None or where is True:
        size = math.prod(x.shape[k] for k in axes)
        rest = tuple(n for k, n in enumerate(x.shape) if k not in axes)
        return _kept(expand(number(size, x.type.dtype, True), rest), x.shape, axes, keepdims)
    flags = convert(choose_broadcast(where, x.shape), x.type.dtype)
    return _reduce("reduce_sum", flags, axis, keepdims, "mean")


def _mean(x: Value, axis: Any, keepdims: bool, where: Any) -> Value:
    total = _reduce("reduce_sum", _masked(x, where, 0), axis, keepdims, "mean")
    count = _count(real_of(x), axis, keepdims, where)
    if x.type.dtype.is_complex:
        return by_part(lambda part: call("div", part, count), total)
    return call("div", total, count)


def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = None,
) -> Tensor:
    """The mean over `axis` (all axes by default); of integers a float32.

    >>> import lazir.numpy as lnp
    >>> lnp.mean(lnp.arange(5)).item()
    2.0
    """
    found = operand(a)
    wanted = to_inexact(found.dtype) if dtype is None else as_dtype(dtype)
    value = _mean(_wide(lift(found, wanted)), axis, keepdims, where)
    return delivered(tensor(convert(value, wanted)), out, "mean")


def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """The mean with weights; with `returned` also the sum of the weights.

    >>> import lazir.numpy as lnp
    >>> lnp.average(lnp.array([1.0, 3.0]), weights=lnp.array([3.0, 1.0])).item()
    1.5
    """
    if weights is None:
        plain = mean(a, axis, keepdims=keepdims)
        if not returned:
            return plain
        (m,) = promote(plain).values
        ones = _filled(math.prod(operand(a).shape) // builtins.max(m.type.size, 1), m)
        return plain, tensor(ones)
    x, w = operand(a), operand(weights)
    dtype = to_inexact(promote_types(x.dtype, w.dtype))
    value, weight = lift(x, dtype), lift(w, dtype)
    if weight.shape != value.shape:
        if axis is None or len(weight.shape) != 1:
            fail(f"average: weights {weight.type.short} do not fit {value.type.short}", ShapeError)
        k = normal_axis(axis, len(value.shape), "average")
        weight = call("broadcast", weight, shape=value.shape, axes=(k,))
    total = _reduce("reduce_sum", call("mul", value, weight), axis, keepdims, "average")
    whole = _reduce("reduce_sum", weight, axis, keepdims, "average")
    made = tensor(call("div", total, whole))
    return (made, tensor(whole)) if returned else made


def _variance(
    a: Any, axis: Any, dtype: Any, ddof: float, keepdims: bool, where: Any, centre: Any = None
) -> Value:
    found = operand(a)
    wanted = to_inexact(found.dtype) if dtype is None else as_dtype(dtype)
    x = _wide(lift(found, wanted))
    middle = _mean(x, axis, True, where) if centre is None else lift(operand(centre), x.type.dtype)
    # masked before it is squared: the derivative of a square at NaN would be NaN, even times 0
    off = squared_size(_masked(call("sub", x, expand(middle, x.shape)), where, 0))
    total = _reduce("reduce_sum", off, axis, keepdims, "var")
    count = _count(off, axis, keepdims, where)
    if ddof:
        count = call("sub", count, _filled(ddof, count))
        count = call("maximum", count, _filled(0, count))
    return convert(call("div", total, count), wanted.part)


def var(
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
    """The mean squared distance from the mean; divided by n − ddof.

    >>> import lazir.numpy as lnp
    >>> lnp.var(lnp.array([1.0, 3.0])).item()
    1.0
    """
    freedom = ddof if correction is None else correction
    value = _variance(a, axis, dtype, freedom, keepdims, where, mean)
    return delivered(tensor(value), out, "var")


def std(
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
    """The square root of the variance.

    >>> import lazir.numpy as lnp
    >>> lnp.std(lnp.array([1.0, 3.0])).item()
    1.0
    """
    freedom = ddof if correction is None else correction
    value = call("sqrt", _variance(a, axis, dtype, freedom, keepdims, where, mean))
    return delivered(tensor(value), out, "std")


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Tensor:
    """The largest minus the smallest.

    >>> import lazir.numpy as lnp
    >>> lnp.ptp(lnp.array([4, 1, 9])).item()
    8
    """
    ends = promote(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))
    return delivered(tensor(call("sub", *ends.values)), out, "ptp")


def logsumexp(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """log Σ exp(a) without overflow.

    >>> import lazir.numpy as lnp
    >>> round(lnp.logsumexp(lnp.zeros(2)).item(), 6)
    0.693147
    """
    (x,) = promote(a, inexact=True).values
    top = _reduce("reduce_max", x, axis, True, "logsumexp")
    finite = call("select", call("is_finite", top), top, _filled(0, top))
    finite = call("stop_gradient", finite)
    terms = call("exp", call("sub", x, expand(finite, x.shape)))
    total = call("log", _reduce("reduce_sum", terms, axis, True, "logsumexp"))
    value = call("add", total, finite)
    axes = normal_axes(axis, len(x.shape), "logsumexp")
    shape = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    return tensor(value if keepdims else call("reshape", value, shape=shape))
