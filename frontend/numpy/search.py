"""Places in sorted data: insertion points, bins, interpolation between samples.

Takes: tensors, arrays. Gives: tensors. NaNs are the largest, as in sorts. Must not know: how data
came to be sorted.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from ..apply import as_tensor, call, expand, fail, lift, number, operand, tensor
from ..dtypes import int64, result_dtype, to_inexact
from ..tensor import Tensor
from .logic import where
from .ordered import sorted_together
from .parts import filled as _filled
from .rearrange import flip


def common_dtype(*xs: Any) -> DType:
    """The dtype that operands of any shapes are promoted to."""
    found = [operand(x) for x in xs]
    strong, weak = ([o.dtype for o in found if o.weak is w] for w in (False, True))
    return result_dtype(strong, weak)[0]


def _goes_before(a: Value, b: Value) -> Value:
    """a < b in the order of sorts: NaNs last."""
    less = call("less", a, b)
    if not a.type.dtype.is_float:
        return less
    nan_b, plain_a = call("not_equal", b, b), call("equal", a, a)
    return call("bit_or", less, call("bit_and", nan_b, plain_a))


def take_first(table: Value, places: Value) -> Value:
    """Elements of a vector at places of any shape; beyond its end the last one."""
    attrs = {"axes": (0,), "collapsed": (0,), "operand_batch": (), "index_batch": (), "offset": ()}
    vectors = call("reshape", places, shape=(*places.shape, 1))
    return call("gather", table, vectors, sizes=(1,), mode="clip", **attrs)


def insertion_points(table: Value, values: Value, side: str) -> Value:
    """For every value how many elements of the sorted table go before it (left), or do not go
    behind it (right): a binary search, whose steps are the powers of two below the size.
    """
    count = table.shape[0]
    found = expand(number(0, int64, True), values.shape)
    step = 1 << (count.bit_length() - 1) if count else 0
    while step:
        probe = call("add", found, _filled(step - 1, found))
        element = take_first(table, probe)
        if side == "left":
            passed = _goes_before(element, values)
        else:
            passed = call("bit_not", _goes_before(values, element))
        if count & (count + 1):  # otherwise every probe is inside
            inside = call("less", probe, _filled(count, probe))
            passed = call("bit_and", inside, passed)
        further = call("add", found, _filled(step, found))
        found = call("select", passed, further, found)
        step //= 2
    return found


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
    """Where `v` would be inserted into the sorted `a` (rank 1): before equals, or behind them.

    >>> import lazir.numpy as lnp
    >>> print(lnp.searchsorted(lnp.array([1, 3, 5]), lnp.array([3, 4])))
    [1 2]
    """
    if side not in ("left", "right"):
        fail(f"searchsorted: side is 'left' or 'right', got {side!r}")
    table = as_tensor(a)
    if sorter is not None:
        table = table[as_tensor(sorter)]
    if len(table.shape) != 1:
        fail(f"searchsorted searches a tensor of rank 1, got shape {table.shape}", ShapeError)
    dtype = common_dtype(table, v)
    return tensor(insertion_points(lift(operand(table), dtype), lift(operand(v), dtype), side))


def digitize(x: Any, bins: Any, right: bool = False) -> Tensor:
    """The number of the bin that each element falls into; `bins` are edges, rising or falling.

    >>> import lazir.numpy as lnp
    >>> print(lnp.digitize(lnp.array([0.5, 1.5, 9.0]), lnp.array([1.0, 2.0])))
    [0 1 2]
    """
    edges = as_tensor(bins)
    side = "left" if right else "right"
    rising = searchsorted(edges, x, side)
    count = edges.shape[0]
    if count < 2:
        return rising
    falling = count - searchsorted(flip(edges), x, side)
    return where(edges[-1] >= edges[0], rising, falling)


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Tensor:
    """The values at `x` of the line through the points (xp, fp), whose xp rise.

    Outside it is `left` and `right`, by default the first and the last value; with `period` the
    points repeat (xp need not rise then).

    >>> import lazir.numpy as lnp
    >>> print(lnp.interp(lnp.array([0.5, 3.0]), lnp.array([0.0, 1.0]), lnp.array([10.0, 20.0])))
    [15. 20.]
    """
    dtype = to_inexact(common_dtype(x, xp, fp))
    at, points, values = (as_tensor(v).astype(dtype) for v in (x, xp, fp))
    if len(points.shape) != 1 or points.shape != values.shape or not points.shape[0]:
        fail(
            f"interp needs xp and fp of one shape of rank 1, not empty; got {points.shape} and "
            f"{values.shape}",
            ShapeError,
        )
    if period is not None:
        at, points, values = _periodic(at, points, values, abs(period))
        left = right = None
    size = points.shape[0]
    if size == 1:
        inside = values[0] + at * 0
    else:
        k = searchsorted(points, at, "right").clip(1, size - 1)
        start, end = points[k - 1], points[k]
        gap = end - start
        share = where(gap == 0, 0, (at - start) / where(gap == 0, 1, gap))
        rise = values[k] - values[k - 1]
        inside = where(at == end, values[k], values[k - 1] + share * rise)
    inside = where(at < points[0], values[0] if left is None else left, inside)
    return where(at > points[-1], values[-1] if right is None else right, inside).astype(dtype)


def _periodic(
    at: Tensor, points: Tensor, values: Tensor, period: Any
) -> tuple[Tensor, Tensor, Tensor]:
    """Places moved into one period, and the points in order, with one more on each side."""
    moved = [lift(operand(points % period)), lift(operand(values))]
    points, values = (tensor(v) for v in sorted_together(moved, 0))
    ends = [lift(operand(v)) for v in (points[-1:] - period, points, points[:1] + period)]
    more = [lift(operand(v)) for v in (values[-1:], values, values[:1])]
    joined, around = call("concat", *ends, axis=0), call("concat", *more, axis=0)
    return at % period, tensor(joined), tensor(around)
