"""Ranges of numbers: evenly spaced, or with a constant ratio.

Takes: bounds. Gives: tensors; integers are int64, floats float32. Must not know: devices.
"""

from __future__ import annotations

import math
from typing import Any

from lazir.compiler.graph import Value

from ..apply import call, expand, fail, normal_axis, number, promote, tensor
from ..dtypes import as_dtype, default_float, float64, int64
from ..places import check_device
from ..slots import Literal
from ..tensor import Tensor


def _ramp(count: int, dtype: Any) -> Value:
    return call("iota", shape=(count,), axis=0, dtype=dtype)


def arange(
    start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None
) -> Tensor:
    """`start`, `start + step`, … below `stop`; integers are int64, floats float32.

    The bounds decide the shape, so they are numbers, not traced tensors.

    >>> import lazir.numpy as lnp
    >>> print(lnp.arange(2, 8, 3))
    [2 5]
    """
    check_device(device)
    low, high = (0, start) if stop is None else (start, stop)
    bounds = [low, high, 1 if step is None else step]
    low, high, step = (x.item() if hasattr(x, "item") else x for x in bounds)
    if step == 0:
        fail("arange needs a step that is not 0")
    count = max(0, math.ceil((high - low) / step))
    if dtype is None:
        whole = all(isinstance(x, int) for x in (low, high, step))
        dtype = int64 if whole else default_float()
    wanted = as_dtype(dtype)
    base = wanted if wanted.is_integer or wanted.is_float else int64
    if not base.is_float and any(isinstance(x, float) for x in (low, step)):
        base = default_float()
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
    *,
    device: Any = None,
) -> Any:
    """`num` evenly spaced numbers from `start` to `stop` (included unless `endpoint=False`).

    >>> import lazir.numpy as lnp
    >>> print(lnp.linspace(0, 1, 5))
    [0.   0.25 0.5  0.75 1.  ]
    """
    check_device(device)
    wanted = None if dtype is None else as_dtype(dtype)
    exact = wanted if wanted is None or wanted.is_inexact else float64
    found = promote(start, stop, name="linspace", inexact=True, dtype=exact)
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
    if wanted is not None and wanted is not exact:
        points = call("convert", call("floor", points), dtype=wanted)  # as NumPy rounds them
    result = tensor(points)
    return (result, tensor(step)) if retstep else result


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """`base` to the powers `linspace(start, stop, num)`.

    >>> import lazir.numpy as lnp
    >>> print(lnp.logspace(0, 2, 3, base=2))
    [1. 2. 4.]
    """
    wanted = None if dtype is None else as_dtype(dtype)
    exact = wanted if wanted is None or wanted.is_inexact else float64
    points = linspace(start, stop, num, endpoint, dtype=exact, axis=axis)
    powers = promote(Literal(float(base)), points)
    result = call("pow", *powers.values)
    return tensor(result if wanted is exact else call("convert", result, dtype=wanted))


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Tensor:
    """`num` numbers from `start` to `stop` with a constant ratio; both have the same sign.

    >>> import lazir.numpy as lnp
    >>> print(lnp.round(lnp.geomspace(1, 8, 4), 4))
    [1. 2. 4. 8.]
    """
    wanted = None if dtype is None else as_dtype(dtype)
    exact = wanted if wanted is None or wanted.is_inexact else float64
    found = promote(start, stop, name="geomspace", inexact=True, dtype=exact)
    low, high = found.values
    # powers of the ratio, so that a negative start keeps its sign and both ends are met
    ratio = tensor(call("log2", call("div", high, low)))
    steps = linspace(Literal(0.0), ratio, num, endpoint, axis=axis)
    first = tensor(low)
    if first.shape:
        shape = list(first.shape)
        shape.insert(normal_axis(axis, len(shape) + 1, "geomspace"), 1)
        first = first.reshape(shape)
    powers = promote(tensor(call("exp2", *promote(steps).values)), first)
    result = call("mul", *powers.values)
    return tensor(result if wanted is exact else call("convert", result, dtype=wanted))
