"""Making tensors: from data, constants, ranges, grids.

Takes: shapes, dtypes, data. Gives: tensors; nothing is computed before it is needed.
Default dtypes: float32 for `zeros`, `ones`, `linspace`, int64 for integer ranges.
Must not know: devices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

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
    shape_of,
    tensor,
)
from ..dtypes import DEFAULT_FLOAT, as_dtype, int64
from ..handle import Handle, array_and_dtype, wrap_array
from ..slots import Literal
from ..tensor import Tensor


def _constant(value: float, shape: Any, dtype: Any) -> Tensor:
    wanted = DEFAULT_FLOAT if dtype is None else as_dtype(dtype)
    return tensor(expand(number(value, wanted, structural=True), shape_of(shape)))


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """Zeros, float32 unless `dtype` says otherwise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.zeros(3))
    [0. 0. 0.]
    """
    return _constant(0, shape, dtype)


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Ones, float32 unless `dtype` says otherwise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.ones((2, 2), "int64"))
    [[1 1]
     [1 1]]
    """
    return _constant(1, shape, dtype)


def empty(shape: Any, dtype: Any = None) -> Tensor:
    """Zeros: no tensor of lazir's has undefined contents.

    >>> import lazir.numpy as lnp
    >>> lnp.empty((2, 3)).shape
    (2, 3)
    """
    return _constant(0, shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """`fill_value` everywhere, of its own dtype unless `dtype` says otherwise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.full(3, 7))
    [7 7 7]
    """
    found = operand(fill_value)
    return tensor(expand(lift(found, None if dtype is None else as_dtype(dtype)), shape_of(shape)))


def _like(x: Any, value: Any, dtype: Any, shape: Any) -> Tensor:
    found = operand(x)
    wanted = found.dtype if dtype is None else as_dtype(dtype)
    return full(found.shape if shape is None else shape, value, wanted)


def zeros_like(x: Any, dtype: Any = None, *, shape: Any = None) -> Tensor:
    """Zeros of the shape and dtype of x.

    >>> import lazir.numpy as lnp
    >>> print(lnp.zeros_like(lnp.arange(3)))
    [0 0 0]
    """
    return _like(x, Literal(0), dtype, shape)


def ones_like(x: Any, dtype: Any = None, *, shape: Any = None) -> Tensor:
    """Ones of the shape and dtype of x.

    >>> import lazir.numpy as lnp
    >>> print(lnp.ones_like(lnp.arange(3)))
    [1 1 1]
    """
    return _like(x, Literal(1), dtype, shape)


def empty_like(x: Any, dtype: Any = None, *, shape: Any = None) -> Tensor:
    """As `zeros_like`.

    >>> import lazir.numpy as lnp
    >>> lnp.empty_like(lnp.arange(3)).shape
    (3,)
    """
    return _like(x, Literal(0), dtype, shape)


def full_like(x: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Tensor:
    """`fill_value` in the shape and dtype of x.

    >>> import lazir.numpy as lnp
    >>> print(lnp.full_like(lnp.arange(3), 5))
    [5 5 5]
    """
    return _like(x, fill_value, dtype, shape)


def asarray(x: Any, dtype: Any = None, *, copy: bool | None = None) -> Tensor:
    """A tensor of the data, which is copied unless `copy=False` (then the array must not change).

    >>> import lazir.numpy as lnp
    >>> lnp.asarray([[1, 2], [3, 4]]).dtype
    i64
    """
    if isinstance(x, Handle):
        return as_tensor(x, dtype)
    if isinstance(x, np.ndarray) and dtype is None:
        stored, kind = array_and_dtype(x)
        if copy is False:
            return wrap_array(stored, kind)
        return wrap_array(np.array(stored, order="C"), kind)
    made = as_tensor(x, dtype)
    made._weak = False
    return made


def array(x: Any, dtype: Any = None, *, copy: bool = True, ndmin: int = 0) -> Tensor:
    """A tensor of the data: an array, a number, nested sequences of numbers and tensors.

    >>> import lazir.numpy as lnp
    >>> print(lnp.array([1.5, 2.5]))
    [1.5 2.5]
    """
    made = asarray(x, dtype)
    if made is x:
        made = tensor(promote(x).values[0])
    if len(made.shape) < ndmin:
        shape = (1,) * (ndmin - len(made.shape)) + made.shape
        made = tensor(call("reshape", promote(made).values[0], shape=shape))
    return made


def copy(x: Any) -> Tensor:
    """A tensor of its own with the elements of x.

    >>> import lazir.numpy as lnp
    >>> x = lnp.arange(3)
    >>> lnp.copy(x) is x
    False
    """
    return array(x)


def _ramp(count: int, dtype: Any) -> Value:
    return call("iota", shape=(count,), axis=0, dtype=dtype)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """`start`, `start + step`, … below `stop`; integers are int64, floats float32.

    The bounds decide the shape, so they are numbers, not traced tensors.

    >>> import lazir.numpy as lnp
    >>> print(lnp.arange(2, 8, 3))
    [2 5]
    """
    low, high = (0, start) if stop is None else (start, stop)
    bounds = [low, high, 1 if step is None else step]
    low, high, step = (x.item() if hasattr(x, "item") else x for x in bounds)
    if step == 0:
        fail("arange needs a step that is not 0")
    count = max(0, math.ceil((high - low) / step))
    if dtype is None:
        whole = all(isinstance(x, int) for x in (low, high, step))
        dtype = int64 if whole else DEFAULT_FLOAT
    wanted = as_dtype(dtype)
    base = wanted if wanted.is_integer or wanted.is_float else int64
    if not base.is_float and any(isinstance(x, float) for x in (low, step)):
        base = DEFAULT_FLOAT
    ramp = _ramp(count, base)
    if step != 1:
        ramp = call("mul", ramp, expand(number(step, base, True), (count,)))
    if low != 0:
        ramp = call("add", ramp, expand(number(low, base, True), (count,)))
    return tensor(ramp if base is wanted else call("convert", ramp, dtype=wanted))


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced numbers from `start` to `stop` (included unless `endpoint=False`).

    >>> import lazir.numpy as lnp
    >>> print(lnp.linspace(0, 1, 5))
    [0.   0.25 0.5  0.75 1.  ]
    """
    found = promote(start, stop, name="linspace", inexact=True)
    low, high = found.values
    shape = (num, *low.shape)
    gaps = num - 1 if endpoint else num
    ramp = call("iota", shape=shape, axis=0, dtype=found.dtype)
    width = call("sub", high, low)
    step = call("div", width, expand(number(max(gaps, 1), found.dtype, True), width.shape))
    points = call("add", expand(low, shape), call("mul", ramp, expand(step, shape)))
    if endpoint and num > 1:  # exactly `stop`, whatever the roundings before
        last = expand(number(num - 1, found.dtype, True), shape)
        points = call("select", call("equal", ramp, last), expand(high, shape), points)
    if axis != 0 and low.shape:
        order = list(range(1, len(shape)))
        order.insert(normal_axis(axis, len(shape), "linspace"), 0)
        points = call("transpose", points, permutation=tuple(order))
    if dtype is not None:
        points = call("convert", points, dtype=as_dtype(dtype))
    result = tensor(points)
    return (result, tensor(step)) if retstep else result


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: Any = None,
) -> Tensor:
    """`base` to the powers `linspace(start, stop, num)`.

    >>> import lazir.numpy as lnp
    >>> print(lnp.logspace(0, 2, 3, base=2))
    [1. 2. 4.]
    """
    powers = promote(Literal(float(base)), linspace(start, stop, num, endpoint))
    result = call("pow", *powers.values)
    return tensor(result if dtype is None else call("convert", result, dtype=as_dtype(dtype)))


def geomspace(start: float, stop: float, num: int = 50, endpoint: bool = True) -> Tensor:
    """`num` numbers from `start` to `stop` with a constant ratio.

    >>> import lazir.numpy as lnp
    >>> print(lnp.round(lnp.geomspace(1, 8, 4), 4))
    [1. 2. 4. 8.]
    """
    return logspace(math.log2(start), math.log2(stop), num, endpoint, base=2.0)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on diagonal k, zeros elsewhere.

    >>> import lazir.numpy as lnp
    >>> print(lnp.eye(2))
    [[1. 0.]
     [0. 1.]]
    """
    rows, columns = _grid(N, N if M is None else M)
    on = call("equal", _shifted(rows, k), columns)
    return tensor(call("convert", on, dtype=DEFAULT_FLOAT if dtype is None else as_dtype(dtype)))


def identity(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix.

    >>> import lazir.numpy as lnp
    >>> lnp.identity(3).shape
    (3, 3)
    """
    return eye(n, dtype=dtype)


def _grid(rows: int, columns: int) -> tuple[Value, Value]:
    """Row and column numbers of a matrix."""
    shape = shape_of((rows, columns))
    return (
        call("iota", shape=shape, axis=0, dtype=int64),
        call("iota", shape=shape, axis=1, dtype=int64),
    )


def _shifted(rows: Value, k: int) -> Value:
    return call("add", rows, expand(number(k, int64, True), rows.shape)) if k else rows


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones at and below diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.tri(2))
    [[1. 0.]
     [1. 1.]]
    """
    rows, columns = _grid(N, N if M is None else M)
    below = call("less_equal", columns, _shifted(rows, k))
    return tensor(call("convert", below, dtype=DEFAULT_FLOAT if dtype is None else as_dtype(dtype)))


def _triangle(m: Any, k: int, lower: bool) -> Tensor:
    (x,) = promote(m).values
    if len(x.shape) < 2:
        fail(f"tril and triu need at least two axes, got {x.type.short}")
    rows, columns = _grid(*x.shape[-2:])
    keep = call("less_equal" if lower else "greater_equal", columns, _shifted(rows, k))
    zero = expand(number(0, x.type.dtype, True), x.shape)
    return tensor(call("select", expand(keep, x.shape), x, zero))


def tril(m: Any, k: int = 0) -> Tensor:
    """m with zeros above diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.tril(lnp.ones((2, 2))))
    [[1. 0.]
     [1. 1.]]
    """
    return _triangle(m, k, lower=True)


def triu(m: Any, k: int = 0) -> Tensor:
    """m with zeros below diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.triu(lnp.ones((2, 2))))
    [[1. 1.]
     [0. 1.]]
    """
    return _triangle(m, k, lower=False)


def meshgrid(*xi: Any, indexing: str = "xy", sparse: bool = False) -> list[Tensor]:
    """Coordinate matrices from coordinate vectors.

    >>> import lazir.numpy as lnp
    >>> x, y = lnp.meshgrid(lnp.arange(2), lnp.arange(3))
    >>> x.shape
    (3, 2)
    """
    if indexing not in ("xy", "ij"):
        fail(f"meshgrid: indexing is 'xy' or 'ij', got {indexing!r}")
    values = [promote(x).values[0] for x in xi]
    places = list(range(len(values)))
    if indexing == "xy" and len(values) > 1:
        places[0], places[1] = 1, 0
    sizes = [1] * len(values)
    for v, place in zip(values, places):
        sizes[place] = v.type.size
    out = []
    for v, place in zip(values, places):
        shape = tuple(v.type.size if k == place else 1 for k in range(len(values)))
        column = call("reshape", v, shape=shape)
        out.append(tensor(column if sparse else expand(column, tuple(sizes))))
    return out


def indices(dimensions: Sequence[int], dtype: Any = None) -> Tensor:
    """The index of every element of a grid, one array per axis, stacked.

    >>> import lazir.numpy as lnp
    >>> lnp.indices((2, 3)).shape
    (2, 2, 3)
    """
    shape = shape_of(dimensions)
    wanted = int64 if dtype is None else as_dtype(dtype)
    parts = [
        call("reshape", call("iota", shape=shape, axis=k, dtype=wanted), shape=(1, *shape))
        for k in range(len(shape))
    ]
    if not parts:
        return tensor(call("reshape", expand(number(0, wanted, True), (0,)), shape=(0,)))
    return tensor(call("concat", *parts, axis=0) if len(parts) > 1 else parts[0])


def diag(v: Any, k: int = 0) -> Tensor:
    """The diagonal k of a matrix, or a matrix with v on its diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.diag(lnp.array([1, 2])))
    [[1 0]
     [0 2]]
    """
    (x,) = promote(v).values
    if len(x.shape) == 2:
        return diagonal(v, k)
    if len(x.shape) != 1:
        fail(f"diag needs a vector or a matrix, got {x.type.short}")
    n = x.shape[0] + abs(k)
    low, high = max(-k, 0), max(k, 0)
    zero = number(0, x.type.dtype, True)
    column = call("pad", x, zero, low=(low,), high=(high,), interior=(0,))
    rows, columns = _grid(n, n)
    on = call("equal", _shifted(rows, k), columns)
    spread = call("broadcast", column, shape=(n, n), axes=(0,))
    return tensor(call("select", on, spread, expand(zero, (n, n))))


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal of two axes, as the last axis of the result.

    >>> import lazir.numpy as lnp
    >>> print(lnp.diagonal(lnp.arange(9).reshape(3, 3)))
    [0 4 8]
    """
    (x,) = promote(a).values
    rank = len(x.shape)
    first, second = (normal_axis(k, rank, "diagonal") for k in (axis1, axis2))
    order = (*(k for k in range(rank) if k not in (first, second)), first, second)
    x = call("transpose", x, permutation=order)
    low_row, low_column = max(-offset, 0), max(offset, 0)
    n = max(0, min(x.shape[-2] - low_row, x.shape[-1] - low_column))
    lead = x.shape[:-2]
    part = call(
        "slice", x, start=(*[0] * len(lead), low_row, low_column),
        limit=(*lead, low_row + n, low_column + n), stride=(1,) * rank,
    )  # fmt: skip
    rows, columns = _grid(n, n)
    zero = expand(number(0, x.type.dtype, True), part.shape)
    if x.type.dtype.is_bool:
        kept = call("bit_and", expand(call("equal", rows, columns), part.shape), part)
        return tensor(call("reduce_any", kept, axes=(rank - 1,)))
    kept = call("select", expand(call("equal", rows, columns), part.shape), part, zero)
    return tensor(call("reduce_sum", kept, axes=(rank - 1,)))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal.

    >>> import lazir.numpy as lnp
    >>> lnp.trace(lnp.eye(3)).item()
    3.0
    """
    (x,) = promote(diagonal(a, offset, axis1, axis2)).values
    return tensor(call("reduce_sum", x, axes=(len(x.shape) - 1,)))
