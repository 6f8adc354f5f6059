"""Elements moved around: flip, roll, rotate, repeat, tile, differences.

Takes: tensors, arrays. Gives: tensors. Must not know: buffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from ..apply import (
    Operand,
    array_value,
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axes,
    normal_axis,
    number,
    operand,
    tensor,
    view,
)
from ..dtypes import int64, result_dtype
from ..handle import Handle
from ..tensor import Tensor
from ..trace import TraceBuilder, builder, outside


def _value(x: Any) -> Value:
    return lift(operand(x))


def _part(x: Value, axis: int, low: int, high: int, step: int = 1) -> Value:
    """x[low:high:step] along one axis."""
    rank = len(x.shape)
    return call(
        "slice",
        x,
        start=tuple(low if k == axis else 0 for k in range(rank)),
        limit=tuple(high if k == axis else n for k, n in enumerate(x.shape)),
        stride=tuple(step if k == axis else 1 for k in range(rank)),
    )


def _join(parts: Sequence[Value], axis: int) -> Value:
    return call("concat", *parts, axis=axis) if len(parts) > 1 else parts[0]


def flip(m: Any, axis: Any = None) -> Tensor:
    """The order of elements reversed along `axis` (all axes by default).

    >>> import lazir.numpy as lnp
    >>> print(lnp.flip(lnp.arange(3)))
    [2 1 0]
    """
    x = _value(m)
    return view(call("reverse", x, axes=normal_axes(axis, len(x.shape), "flip")), m)


def fliplr(m: Any) -> Tensor:
    """Axis 1 reversed.

    >>> import lazir.numpy as lnp
    >>> print(lnp.fliplr(lnp.array([[1, 2]])))
    [[2 1]]
    """
    return flip(m, 1)


def flipud(m: Any) -> Tensor:
    """Axis 0 reversed.

    >>> import lazir.numpy as lnp
    >>> print(lnp.flipud(lnp.array([1, 2])))
    [2 1]
    """
    return flip(m, 0)


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """The plane of two axes turned by k · 90°, from the first axis towards the second.

    >>> import lazir.numpy as lnp
    >>> print(lnp.rot90(lnp.array([[1, 2], [3, 4]])))
    [[2 4]
     [1 3]]
    """
    x = _value(m)
    rank = len(x.shape)
    i, j = (normal_axis(a, rank, "rot90") for a in axes)
    if i == j:
        fail("rot90 needs two different axes", ShapeError)
    order = list(range(rank))
    order[i], order[j] = j, i
    turns = k % 4
    if turns in (1, 2):
        x = call("reverse", x, axes=(j,))
    if turns in (1, 3):
        x = call("transpose", x, permutation=tuple(order))
    if turns == 2:
        x = call("reverse", x, axes=(i,))
    elif turns == 3:
        x = call("reverse", x, axes=(j,))
    return tensor(x)


def roll(a: Any, shift: Any, axis: Any = None) -> Tensor:
    """Elements moved by `shift` places along `axis`, around the end.

    >>> import lazir.numpy as lnp
    >>> print(lnp.roll(lnp.arange(4), 1))
    [3 0 1 2]
    """
    x = _value(a)
    if axis is None:
        flat = call("reshape", x, shape=(x.type.size,))
        return tensor(call("reshape", _rolled(flat, int(shift), 0), shape=x.shape))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    shifts = shift if isinstance(shift, tuple | list) else (shift,) * len(axes)
    for k, s in zip(axes, shifts, strict=True):
        x = _rolled(x, int(s), normal_axis(k, len(x.shape), "roll"))
    return tensor(x)


def _rolled(x: Value, shift: int, axis: int) -> Value:
    n = x.shape[axis]
    cut = n - shift % n if n else 0
    if cut == n:
        return x
    return _join([_part(x, axis, cut, n), _part(x, axis, 0, cut)], axis)


def tile(A: Any, reps: Any) -> Tensor:
    """A repeated as a whole, `reps` times along each axis.

    >>> import lazir.numpy as lnp
    >>> print(lnp.tile(lnp.arange(2), 3))
    [0 1 0 1 0 1]
    """
    x = _value(A)
    counts = tuple(reps) if isinstance(reps, tuple | list) else (reps,)
    rank = max(len(counts), len(x.shape))
    counts = (1,) * (rank - len(counts)) + counts
    shape = (1,) * (rank - len(x.shape)) + x.shape
    x = call("reshape", x, shape=shape)
    wide = tuple(n for pair in zip(counts, shape) for n in pair)
    spread = call("broadcast", x, shape=wide, axes=tuple(range(1, 2 * rank, 2)))
    return tensor(call("reshape", spread, shape=tuple(c * n for c, n in zip(counts, shape))))


def repeat(
    a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None
) -> Tensor:
    """Every element (slice along `axis`) `repeats` times in a row; one number, or one for each.

    The sum of several numbers decides the size: while tracing it is `total_repeat_length`, which
    cuts the result off, or fills it up with the last element.

    >>> import lazir.numpy as lnp
    >>> print(lnp.repeat(lnp.arange(2), 2), lnp.repeat(lnp.arange(3), lnp.array([0, 1, 2])))
    [0 0 1 1] [1 2 2]
    """
    x = _value(a)
    if axis is None:
        x, axis = call("reshape", x, shape=(x.type.size,)), 0
    k = normal_axis(axis, len(x.shape), "repeat")
    found = operand(repeats)
    if not found.dtype.is_integer or found.shape not in ((), (1,), (x.shape[k],)):
        fail(
            f"repeat: the number of repeats is an integer, or {x.shape[k]} of them in one axis, "
            f"got {found.dtype}{list(found.shape)}",
            ShapeError,
        )
    counts = _known_counts(repeats)
    if counts is None or counts.size != 1 or total_repeat_length is not None:
        places = _repeated_places(found, counts, x.shape[k], total_repeat_length)
        return tensor(_along(x, k, places))
    n = int(counts.reshape(()))
    if n < 0:
        fail(f"repeat: the number of repeats must not be negative, got {n}")
    wide = (*x.shape[: k + 1], n, *x.shape[k + 1 :])
    axes = (*range(k + 1), *range(k + 2, len(wide)))
    spread = call("broadcast", x, shape=wide, axes=axes)
    return tensor(call("reshape", spread, shape=(*x.shape[:k], x.shape[k] * n, *x.shape[k + 1 :])))


def _known_counts(repeats: Any) -> np.ndarray[Any, Any] | None:
    """The numbers of repeats, where they are known without a trace's values."""
    if isinstance(repeats, Handle) and isinstance(builder(), TraceBuilder):
        return None if repeats._array is None else repeats._array
    return np.asarray(repeats)


def _repeated_places(
    counts: Operand, known: np.ndarray[Any, Any] | None, size: int, total: int | None
) -> Value:
    """Which element is in each place, of elements that come so often."""
    if known is not None:
        if known.min(initial=0) < 0:
            fail("repeat: the number of repeats must not be negative")
        places = np.repeat(np.arange(size), np.broadcast_to(known, (size,)))
        if total is not None:
            places = np.pad(places[:total], (0, max(total - len(places), 0)), "constant",
                            constant_values=size - 1)  # fmt: skip
        return array_value(places)
    if total is None:
        raise outside("the sum of the repeats", "give it as total_repeat_length=, a fixed number")
    # The last place of each element is where the next one starts, several where some come never.
    marks = expand(number(0, int64, True), (total,))
    if size < 2 or not total:
        return marks
    ends = call("cumsum", expand(lift(counts, int64), (size,)), axis=0, reverse=False)
    starts = call("reshape", _part(ends, 0, 0, size - 1), shape=(size - 1, 1))
    ones = expand(number(1, int64, True), (size - 1,))
    marks = call("scatter", marks, starts, ones, op="add", mode="drop", **_ROWS)
    return call("cumsum", marks, axis=0, reverse=False)


_ROWS = {"axes": (0,), "collapsed": (0,), "operand_batch": (), "index_batch": (), "offset": ()}


def _along(x: Value, axis: int, places: Value) -> Value:
    """Slices of x along one axis, at places that are inside."""
    sizes = tuple(1 if k == axis else n for k, n in enumerate(x.shape))
    count = places.shape[0]
    if not count or not x.shape[axis]:
        return _part(x, axis, 0, 0)
    return call(
        "gather", x, call("reshape", places, shape=(count, 1)), axes=(axis,), collapsed=(axis,),
        operand_batch=(), index_batch=(), sizes=sizes, mode="clip",
        offset=tuple(k for k in range(len(x.shape)) if k != axis),
    )  # fmt: skip


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """The n-th differences of neighbours along `axis`, of bools whether they differ.

    `prepend` and `append` go before and after first: tensors that fit, or numbers.

    >>> import lazir.numpy as lnp
    >>> print(lnp.diff(lnp.array([1, 4, 9]), prepend=0))
    [1 3 5]
    """
    x = _value(a)
    k = normal_axis(axis, len(x.shape), "diff")
    if n < 0:
        fail(f"diff: n must not be negative, got {n}")
    if n and (prepend is not None or append is not None):
        x = _extended(x, k, prepend, append)
    for _ in range(n):
        size = x.shape[k]
        late, early = _part(x, k, min(1, size), size), _part(x, k, 0, max(size - 1, 0))
        x = call("bit_xor" if x.type.dtype.is_bool else "sub", late, early)
    return tensor(x)


def _extended(x: Value, axis: int, before: Any, after: Any) -> Value:
    """x with more before and after it along an axis, all in their common dtype."""
    ends = [None if v is None else operand(v) for v in (before, after)]
    some = [o for o in ends if o is not None]
    strong = [x.type.dtype, *(o.dtype for o in some if not o.weak)]
    dtype, _ = result_dtype(strong, [o.dtype for o in some if o.weak])
    one = tuple(1 if k == axis else n for k, n in enumerate(x.shape))
    parts = [convert(x, dtype)]
    for o, place in zip(ends, (0, len(parts) + 1)):
        if o is not None:
            v = lift(o, dtype)
            parts.insert(place, expand(v, one) if not v.shape else v)
    return _join(parts, axis)


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Tensor:
    """The differences of neighbours in the flattened tensor, between `to_begin` and `to_end`.

    >>> import lazir.numpy as lnp
    >>> print(lnp.ediff1d(lnp.array([[1, 4], [9, 16]])))
    [3 5 7]
    """
    x = _value(ary)
    flat = lift(operand(diff(tensor(call("reshape", x, shape=(x.type.size,))))))
    ends = [None if v is None else lift(operand(v), flat.type.dtype) for v in (to_begin, to_end)]
    flats = [None if v is None else call("reshape", v, shape=(v.type.size,)) for v in ends]
    return tensor(_join([v for v in (flats[0], flat, flats[1]) if v is not None], 0))
