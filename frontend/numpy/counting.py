"""What elements there are, where, and how often: unique, nonzero, bincount, histograms.

Takes: tensors, arrays. Gives: tensors, some of a size that depends on the data. While tracing such
a size has to be given by `size=` or `length=`; elsewhere it is found out. Must not know: how sorts,
running sums and scatters run.
"""

from __future__ import annotations

import math
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
    normal_axis,
    number,
    operand,
    tensor,
)
from ..dtypes import bool_, int64, to_inexact
from ..tensor import Tensor
from ..trace import TraceBuilder, builder, outside
from .creation import zeros
from .cumulative import cumsum
from .logic import where
from .manipulation import concatenate, moveaxis, stack
from .ordered import lexsort, sorted_together
from .output import delivered
from .parts import filled as _filled
from .ranges import linspace
from .rearrange import _part
from .search import searchsorted
from .taking import take

_ROWS = {"axes": (0,), "collapsed": (0,), "operand_batch": (), "index_batch": (), "offset": ()}


def _flat(x: Value) -> Value:
    return call("reshape", x, shape=(x.type.size,))


def _ramp(n: int) -> Value:
    return call("iota", shape=(n,), axis=0, dtype=int64)


def _placed(start: Value, places: Value, updates: Value, op: str = "set") -> Value:
    """Updates put (or added) at places of a vector; those beyond its ends are dropped."""
    vectors = call("reshape", places, shape=(*places.shape, 1))
    return call("scatter", start, vectors, updates, op=op, mode="drop", **_ROWS)


def known_count(count: Value, what: str, name: str) -> int:
    """A number that data decide; an error while tracing."""
    if isinstance(builder(), TraceBuilder):
        raise outside(what, f"give it as {name}=, a fixed number")
    return int(tensor(count).item())


# -- places of what is true --------------------------------------------------------------
def _true_places(mask: Value, size: int | None) -> tuple[Value, Value, int]:
    """The positions of true elements of a vector, how many there are, and how many are given."""
    ranks = call("cumsum", convert(mask, int64), axis=0, reverse=False)
    n = mask.shape[0]
    count = _last(ranks) if n else number(0, int64, True)
    if size is None:
        size = known_count(count, "the number of true elements", "size")
    dropped = _filled(size, ranks)
    places = call("select", mask, call("sub", ranks, _filled(1, ranks)), dropped)
    start = expand(number(0, int64, True), (size,))
    return _placed(start, places, _ramp(n)), count, size


def _last(x: Value) -> Value:
    n = x.shape[0]
    return call("reshape", _part(x, 0, n - 1, n), shape=())


def _beyond(count: Value, size: int) -> Value:
    """Which of `size` places are not used by `count` elements."""
    return call("greater_equal", _ramp(size), expand(count, (size,)))


def nonzero(a: Any, *, size: int | None = None, fill_value: Any = 0) -> tuple[Tensor, ...]:
    """The indices of the elements that are not zero, one tensor for each axis.

    `size` fixes how many: surplus ones are left out, missing ones are `fill_value` (one number, or
    one for each axis).

    >>> import lazir.numpy as lnp
    >>> print(lnp.nonzero(lnp.array([0, 5, 0, 7]))[0])
    [1 3]
    """
    x = lift(operand(a))
    if not x.shape:
        fail("nonzero needs a tensor of rank 1 or more; give it reshape(1)", ShapeError)
    flat, count, size = _true_places(_flat(convert(x, bool_)), size)
    fills = fill_value if isinstance(fill_value, tuple | list) else (fill_value,) * len(x.shape)
    unused = _beyond(count, size)
    found, stride = [], x.type.size
    for n, fill in zip(x.shape, fills, strict=True):
        stride = stride // n if n else 1
        at = call("div", flat, _filled(max(stride, 1), flat))
        at = call("rem", at, _filled(max(n, 1), at))
        found.append(tensor(call("select", unused, _filled(fill, at), at)))
    return tuple(found)


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = 0) -> Tensor:
    """The positions of the elements that are not zero, in the flattened tensor.

    >>> import lazir.numpy as lnp
    >>> print(lnp.flatnonzero(lnp.array([[0, 5], [0, 7]])))
    [1 3]
    """
    return nonzero(tensor(_flat(lift(operand(a)))), size=size, fill_value=fill_value)[0]


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = 0) -> Tensor:
    """The indices of the elements that are not zero, one row for each.

    >>> import lazir.numpy as lnp
    >>> print(lnp.argwhere(lnp.array([[0, 5], [7, 0]])))
    [[0 1]
     [1 0]]
    """
    return stack(nonzero(a, size=size, fill_value=fill_value), axis=1)


def compress(
    condition: Any,
    a: Any,
    axis: int | None = None,
    out: Any = None,
    *,
    size: int | None = None,
    fill_value: Any = 0,
) -> Tensor:
    """The slices of `a` along `axis` (elements, flattened, by default) where the condition holds.

    >>> import lazir.numpy as lnp
    >>> print(lnp.compress(lnp.array([True, False, True]), lnp.array([1, 2, 3])))
    [1 3]
    """
    x = lift(operand(a))
    if axis is None:
        x, axis = _flat(x), 0
    k = normal_axis(axis, len(x.shape), "compress")
    mask = convert(lift(operand(condition)), bool_)
    if len(mask.shape) != 1 or mask.shape[0] > x.shape[k]:
        fail(f"compress: the condition {mask.type.short} does not fit {x.type.short}", ShapeError)
    places, count, size = _true_places(mask, size)
    taken = as_tensor(tensor(x)).take(tensor(places), axis=k)
    shape = [size if d == k else 1 for d in range(len(x.shape))]
    unused = tensor(_beyond(count, size)).reshape(shape)
    made = where(unused, as_tensor(fill_value).astype(taken.dtype), taken)
    return delivered(made, out, "compress")


def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Tensor:
    """The elements of `arr` where the condition, of the same size, holds.

    >>> import lazir.numpy as lnp
    >>> print(lnp.extract(lnp.array([0, 1, 1]), lnp.array([5, 6, 7])))
    [6 7]
    """
    mask = tensor(_flat(lift(operand(condition))))
    return compress(mask, arr, size=size, fill_value=fill_value)


# -- different elements ------------------------------------------------------------------
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements, in order; with `axis` the different parts along it, by their first
    elements. `size` fixes how many, as in `nonzero`; missing ones are `fill_value`, by default the
    first.

    Also given, where asked for: where each comes first; which one each element is; how often.

    >>> import lazir.numpy as lnp
    >>> values, counts = lnp.unique(lnp.array([3, 1, 3]), return_counts=True)
    >>> print(values, counts)
    [1 3] [1 2]
    """
    if axis is not None:
        wanted = (return_index, return_inverse, return_counts)
        return _unique_parts(ar, axis, wanted, size, fill_value)
    x = lift(operand(ar))
    n = x.type.size
    in_order, origin = sorted_together([_flat(x), _ramp(n)], 0)
    is_new = _starts(in_order, equal_nan)
    number_of = call("cumsum", convert(is_new, int64), axis=0, reverse=False)
    number_of = call("sub", number_of, _filled(1, number_of))
    count = call("add", _last(number_of), number(1, int64, True)) if n else number(0, int64, True)
    if size is None:
        size = known_count(count, "the number of different elements", "size")
    firsts = call("select", is_new, number_of, _filled(size, number_of))

    def at_firsts(values: Value, missing: Any) -> Tensor:
        if missing is not None:
            start = expand(lift(operand(missing), values.type.dtype), (size,))
        elif n:
            start = expand(call("reshape", _part(values, 0, 0, 1), shape=()), (size,))
        else:
            start = expand(number(0, values.type.dtype, True), (size,))
        return tensor(_placed(start, firsts, values))

    found = [at_firsts(in_order, fill_value)]
    if return_index:
        found.append(at_firsts(origin, None))
    if return_inverse:
        start = expand(number(0, int64, True), (n,))
        inverse = _placed(start, origin, number_of)
        found.append(tensor(call("reshape", inverse, shape=x.shape)))
    if return_counts:
        start = expand(number(0, int64, True), (size,))
        found.append(tensor(_placed(start, number_of, _filled(1, number_of), "add")))
    return found[0] if len(found) == 1 else tuple(found)


def _unique_parts(
    ar: Any, axis: int, wanted: tuple[bool, bool, bool], size: int | None, fill_value: Any
) -> Any:
    """`unique` along an axis: the parts are numbered in order, then it is one of the numbers.

    As in NumPy, parts that have a NaN are different from each other.
    """
    x = as_tensor(ar)
    k = normal_axis(axis, len(x.shape), "unique")
    parts = moveaxis(x, k, 0)
    n = parts.shape[0]
    if not n or not x.size:
        fail(f"unique along axis {axis} needs elements, got shape {x.shape}", ShapeError)
    rows = parts.reshape(n, -1)
    order = lexsort(rows.T[::-1])
    in_order = take(rows, order, axis=0)
    is_new = (in_order[1:] != in_order[:-1]).any(1)
    numbers = concatenate([zeros(1, int64), cumsum(is_new.astype("int64"))])
    ids = order.at[order].set(numbers)
    _, index, inverse, counts = unique(ids, True, True, True, size=size)
    values = take(parts, index, axis=0)
    if fill_value is not None:
        there = tensor(_ramp(index.shape[0])) <= numbers[-1]
        wide = there.reshape(-1, *[1] * (len(x.shape) - 1))
        values = where(wide, values, fill_value).astype(x.dtype)
    found = [moveaxis(values, 0, k)]
    found += [y for y, asked in zip((index, inverse, counts), wanted) if asked]
    return found[0] if len(found) == 1 else tuple(found)


def _starts(in_order: Value, equal_nan: bool) -> Value:
    """Where in a sorted vector a new value begins."""
    n = in_order.shape[0]
    if not n:
        return expand(number(False, bool_, True), (0,))
    late, early = _part(in_order, 0, 1, n), _part(in_order, 0, 0, n - 1)
    differs = call("not_equal", late, early)
    if equal_nan and in_order.type.dtype.is_float:
        some = call("bit_or", call("equal", late, late), call("equal", early, early))
        differs = call("bit_and", differs, some)
    first = expand(number(True, bool_, True), (1,))
    return call("concat", first, differs, axis=0)


# -- counts ------------------------------------------------------------------------------
def bincount(
    x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None
) -> Tensor:
    """How often each of 0, 1, … comes in x, or the sums of the weights that go with it.

    `length` fixes how many are counted; others are left out.

    >>> import lazir.numpy as lnp
    >>> print(lnp.bincount(lnp.array([1, 1, 3])))
    [0 2 0 1]
    """
    values = lift(operand(x))
    if len(values.shape) != 1 or not (values.type.dtype.is_integer or values.type.dtype.is_bool):
        fail(f"bincount needs integers of rank 1, got {values.type.short}")
    values = convert(values, int64)
    if length is None:
        top = call("reduce_max", values, axes=(0,)) if values.type.size else number(-1, int64, True)
        length = max(minlength, known_count(top, "the largest element", "length") + 1)
        if values.type.size and int(tensor(call("reduce_min", values, axes=(0,))).item()) < 0:
            fail("bincount: an element is negative")
    if weights is None:
        amounts = _filled(1, values)
    else:
        given = operand(weights)
        amounts = lift(given, to_inexact(given.dtype))
        if amounts.shape != values.shape:
            fail(
                f"bincount: weights {amounts.type.short} do not fit {values.type.short}", ShapeError
            )
    start = expand(number(0, amounts.type.dtype, True), (length,))
    return tensor(_placed(start, values, amounts, "add"))


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Tensor:
    """The edges of `histogram`'s bins.

    >>> import lazir.numpy as lnp
    >>> print(lnp.histogram_bin_edges(lnp.array([0.0, 4.0]), bins=2))
    [0. 2. 4.]
    """
    x = as_tensor(a)
    dtype = to_inexact(x._dtype)
    if isinstance(bins, str):
        fail(f"histogram: bins is a number or edges; the rule {bins!r} would let data decide")
    if not isinstance(bins, int | np.integer):
        return as_tensor(bins)
    if bins < 1:
        fail(f"histogram: bins is 1 or more, got {bins}")
    if range is not None:
        low, high = (as_tensor(v).astype(dtype) for v in range)
    elif math.prod(x.shape):
        low, high = x.min().astype(dtype), x.max().astype(dtype)
    else:
        low, high = as_tensor(0).astype(dtype), as_tensor(1).astype(dtype)
    flat = low == high
    low, high = where(flat, low - 0.5, low), where(flat, high + 0.5, high)
    return linspace(low, high, int(bins) + 1)  # type: ignore[no-any-return]


def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None
) -> tuple[Tensor, Tensor]:
    """How many elements fall into each bin, and the bins' edges; the last bin has both its edges.

    `bins`: their number, or rising edges. `density`: the sum over all widths is 1.

    >>> import lazir.numpy as lnp
    >>> counts, edges = lnp.histogram(lnp.array([0.0, 1.0, 4.0]), bins=2)
    >>> print(counts, edges)
    [2 1] [0. 2. 4.]
    """
    edges = histogram_bin_edges(a, bins, range)
    x = as_tensor(a).ravel()
    count = edges.shape[0] - 1
    place = searchsorted(edges, x, "right") - 1
    place = where(x == edges[-1], count - 1, place)
    place = where(x != x, count, place)  # a NaN is in no bin
    given = None if weights is None else as_tensor(weights).ravel()
    counts = bincount(where(place < 0, count, place), given, length=count)
    if density:
        width = edges[1:] - edges[:-1]
        counts = counts / width / counts.sum()
    return counts, edges
