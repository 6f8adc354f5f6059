"""Reading and writing parts of tensors by NumPy's index syntax.

Takes: tensors, index keys, new values. Gives: tensors (writes are functional). Static indices are
checked; computed ones inside a trace are clamped when read and dropped when written (JAX's rule).
Must not know: buffers.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import broadcast_shapes

from .. import late
from ..apply import (
    array_value,
    broadcast,
    call,
    convert,
    expand,
    fail,
    lift,
    number,
    operand,
    tensor,
    value_of,
    view,
)
from ..dtypes import bool_, int64
from ..handle import Handle
from ..tensor import Tensor
from ..trace import outside
from .index_key import Key, Ranged, masks_in, only_mask, parse

_WRITES = {"set": None, "add": "add", "mul": "mul", "min": "minimum", "max": "maximum"}


# -- reading -----------------------------------------------------------------------------
def _read_ranges(x: Value, ranges: tuple[Ranged, ...]) -> Value:
    """The static part: one strided slice, then the axes with negative steps reversed."""
    start, limit, stride = [], [], []
    backwards = []
    for axis, (low, step, count) in enumerate(ranges):
        if step < 0:
            backwards.append(axis)
            low += step * (count - 1)
        size = abs(step)
        start.append(low)
        stride.append(size)
        limit.append(low + (count - 1) * size + 1 if count else low)
    whole = all(r.size == n and r.step in (1, -1) for r, n in zip(ranges, x.shape))
    if not whole:
        x = call("slice", x, start=tuple(start), limit=tuple(limit), stride=tuple(stride))
    return call("reverse", x, axes=tuple(backwards)) if backwards else x


def _index_value(item: Any, size: int) -> Value:
    """Index numbers as an integer value, negative ones counted from the end."""
    if isinstance(item, np.ndarray):
        if item.ndim == 0:
            return number(int(item), int64, structural=True)
        return array_value(item.astype(np.int64))
    value = value_of(item)
    if value.type.dtype.is_signed:
        zero = expand(number(0, value.type.dtype, True), value.shape)
        if size > (1 << (value.type.dtype.bits - 1)) - 1:
            value = convert(value, int64)
            zero = expand(number(0, int64, True), value.shape)
        end = expand(number(size, value.type.dtype, True), value.shape)
        value = call("select", call("less", value, zero), call("add", value, end), value)
    return value


def _windows(x: Value, key: Key) -> tuple[Value, dict[str, Any], tuple[int, ...]]:
    """Index vectors, window attributes, and the shape of the broadcast index arrays."""
    axes = tuple(axis for axis, _ in key.arrays)
    parts = [_index_value(item, x.shape[axis]) for axis, item in key.arrays]
    if len({p.type.dtype for p in parts}) > 1:
        parts = [convert(p, int64) for p in parts]
    parts = broadcast(parts, "index arrays")
    shape = parts[0].shape
    columns = [call("reshape", p, shape=(*shape, 1)) for p in parts]
    vectors = call("concat", *columns, axis=len(shape)) if len(columns) > 1 else columns[0]
    layout = [a for a in key.layout if a != "new"]
    at = layout.index("arrays")
    rank = len(shape) + len(layout) - 1
    offset = tuple(k for k in range(rank) if not at <= k < at + len(shape))
    attrs = {
        "axes": axes,
        "collapsed": axes,
        "operand_batch": (),
        "index_batch": (),
        "offset": offset,
    }
    return vectors, attrs, shape


def _final_shape(x: Value, key: Key, arrays: tuple[int, ...]) -> tuple[int, ...]:
    out: list[int] = []
    for a in key.layout:
        if a == "new":
            out.append(1)
        elif a == "arrays":
            out += arrays
        else:
            out.append(x.shape[a])
    return tuple(out)


def getitem(
    x: Any, key: Any, mode: str = "clip", fill_value: Any = None, free: bool = False
) -> Tensor:
    """x[key]. Static keys give what NumPy would give as a view; they may be outside if `free` to.

    >>> import lazir.numpy as lnp
    >>> print(getitem(lnp.arange(10), slice(8, 2, -3)))
    [8 5]
    """
    mask = only_mask(key)
    if mask is not None and not mask.shape:
        return _chosen(x, mask)
    found = parse(key, operand(x).shape, free=free)
    if found.mask is not None:
        raise outside(
            "the number of true places in a mask",
            "use lnp.where(mask, x, y), which keeps the shape, or lnp.extract(mask, x, size=n) or "
            "lnp.compress(mask, x, axis, size=n), which have a fixed one",
        )
    value = _read_ranges(lift(operand(x)), found.ranges)
    if not found.arrays:
        shape = _final_shape(value, found, ())
        made = value if shape == value.shape else call("reshape", value, shape=shape)
        return view(
            made, x, lambda base: getitem(base, key), lambda base, new: write(base, key, new)
        )
    vectors, attrs, shape = _windows(value, found)
    taken = [axis for axis, _ in found.arrays]
    sizes = tuple(1 if k in taken else n for k, n in enumerate(value.shape))
    if any(value.shape[k] == 0 for k in taken) and 0 not in shape:
        mode = "fill"  # nothing is there to read
    result = call("gather", value, vectors, sizes=sizes, mode=mode, **attrs)
    if fill_value is not None and mode == "fill":
        result = _filled_outside(result, value, vectors, attrs, sizes, fill_value)
    return tensor(call("reshape", result, shape=_final_shape(value, found, shape)))


def _chosen(x: Any, flag: Any) -> Tensor:
    """x[flag] with a mask of rank 0: a new first axis, of size 1 or 0."""
    if isinstance(flag, Handle):
        flag = bool(flag)  # an error while tracing
    value = lift(operand(x))
    shape = (1 if flag else 0, *value.shape)
    return tensor(call("reshape", value, shape=shape) if flag else expand(value, shape))


def _filled_outside(
    result: Value, x: Value, vectors: Value, attrs: Any, sizes: Any, fill: Any
) -> Value:
    """`fill` in place of the zeros that were read outside of x."""
    from_inside = expand(number(True, bool_, True), x.shape)
    inside = call("gather", from_inside, vectors, sizes=sizes, mode="fill", **attrs)
    return call("select", inside, result, expand(lift(operand(fill), x.type.dtype), result.shape))


# -- writing -----------------------------------------------------------------------------
def _write_ranges(x: Value, ranges: tuple[Ranged, ...], new: Value) -> Value:
    """x with its static part replaced by `new` (of the part's shape)."""
    backwards = tuple(k for k, r in enumerate(ranges) if r.step < 0)
    if backwards:
        new = call("reverse", new, axes=backwards)
    start = [r.start + r.step * (r.size - 1) if r.step < 0 else r.start for r in ranges]
    if all(abs(r.step) == 1 for r in ranges):
        if new.shape == x.shape:
            return new
        starts = [number(low, int64, structural=True) for low in start]
        return call("dynamic_update_slice", x, new, *starts)
    gaps = tuple(abs(r.step) - 1 for r in ranges)
    span = [(r.size - 1) * abs(r.step) + 1 if r.size else 0 for r in ranges]
    high = tuple(n - low - s for n, low, s in zip(x.shape, start, span))
    attrs = {"low": tuple(start), "high": high, "interior": gaps}
    spread = call("pad", new, number(0, x.type.dtype, True), **attrs)
    ones = expand(number(True, bool_, True), new.shape)
    where = call("pad", ones, number(False, bool_, True), **attrs)
    return call("select", where, spread, x)


def _fit(v: Value, shape: tuple[int, ...]) -> Value:
    """The new values broadcast to the part, as NumPy assigns (leading 1s may be surplus)."""
    own = v.shape
    while len(own) > len(shape) and own[0] == 1:
        own = own[1:]
    if own != v.shape:
        v = call("reshape", v, shape=own)
    if broadcast_shapes([v.shape, shape]) != shape:
        fail(f"values of shape {v.shape} do not fit the indexed part of shape {shape}", ShapeError)
    return expand(v, shape)


def write(x: Any, key: Any, v: Any, op: str = "set", mode: str | None = None) -> Tensor:
    """x with x[key] set to v, or joined with it by add, mul, min, max. v takes the dtype of x.

    Static indices outside are an error, except where a mode says what becomes of them.

    >>> import lazir.numpy as lnp
    >>> print(write(lnp.zeros(4), slice(1, 3), 5))
    [0. 5. 5. 0.]
    """
    if op not in _WRITES:
        fail(f"an indexed update is one of {', '.join(_WRITES)}, got {op!r}")
    target = operand(x)
    given = operand(v)
    mask = only_mask(key)
    if mask is not None and not mask.shape and 0 in given.shape and not bool(mask):
        return tensor(lift(target))  # no value for no place
    found = _parsed_for_writing(key, target.shape, given.shape, mode is not None)
    whole = lift(target)
    new = lift(given, target.dtype)
    part = _read_ranges(whole, found.ranges)
    if found.mask is not None:
        changed = _masked(part, found, new, op)
    elif found.arrays:
        changed = _scatter(part, found, new, op, mode or "drop")
    else:
        new = call("reshape", _fit(new, _final_shape(part, found, ())), shape=part.shape)
        join = _WRITES[op]
        changed = new if join is None else call(join, part, new)
    return tensor(_write_ranges(whole, found.ranges, changed))


def _scatter(part: Value, key: Key, new: Value, op: str, mode: str) -> Value:
    vectors, attrs, shape = _windows(part, key)
    new = _fit(new, _final_shape(part, key, shape))
    without_new = _final_shape(part, key._replace(layout=_real(key)), shape)
    updates = call("reshape", new, shape=without_new)
    return call("scatter", part, vectors, updates, op=op, mode=mode, **attrs)


def _real(key: Key) -> tuple[Any, ...]:
    return tuple(a for a in key.layout if a != "new")


def _stays_mask(key: Any, shape: tuple[int, ...], rank: int) -> bool:
    """Whether an assignment through a mask is a choice, whose places need not be found: one value
    goes everywhere, or the same slice to every place of a mask alone.
    """
    mask = only_mask(key)
    if mask is not None:
        return not mask.shape or math.prod(shape) == 1 or len(shape) <= rank - len(mask.shape)
    return math.prod(shape) == 1 and masks_in(key) == 1


def _parsed_for_writing(key: Any, shape: tuple[int, ...], new: tuple[int, ...], free: bool) -> Key:
    mask = only_mask(key)
    whole = key if mask is None else mask
    found = parse(whole, shape, _stays_mask(whole, new, len(shape)), free)
    if found.mask is not None and found.arrays:
        return parse(
            whole, shape, free=free
        )  # beside index arrays a mask is one more, where it is known
    return found


def _masked(part: Value, key: Key, new: Value, op: str) -> Value:
    """The part with its masked places changed: possible where one value goes everywhere, or one
    slice of the axes after the mask.
    """
    if key.arrays:
        fail(
            "a traced mask goes with slices and integers alone; combine it with others by lnp.where"
        )
    mask = lift(operand(key.mask))
    last = key.mask_axis + len(mask.shape)
    trailing = [a for a in key.layout if a == "new" or a >= last]
    own = len(new.shape) - next((k for k, n in enumerate(new.shape) if n != 1), len(new.shape))
    if own > len(trailing):
        raise outside(
            "the number of true places in a mask",
            "assign one value, or use lnp.where(mask, y, x) with y of the shape of x",
        )
    axes = tuple(range(key.mask_axis, last))
    spread = call("broadcast", mask, shape=part.shape, axes=axes)
    shape = _final_shape(part, key, ())
    wide = call("reshape", _fit(new, shape), shape=part.shape)
    join = _WRITES[op]
    return call("select", spread, wide if join is None else call(join, part, wide), part)


class At:
    """`x.at`: indexed updates that give a new tensor, `x.at[i].set(v)`."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def __getitem__(self, key: Any) -> Place:
        return Place(self._tensor, key)


class Place:
    """A part of a tensor that is about to be updated."""

    __slots__ = ("_key", "_tensor")

    def __init__(self, tensor: Any, key: Any) -> None:
        self._tensor = tensor
        self._key = key

    def set(self, values: Any, *, mode: str | None = None) -> Tensor:
        """The tensor with this part replaced.

        >>> import lazir.numpy as lnp
        >>> print(lnp.zeros(3).at[1].set(7))
        [0. 7. 0.]
        """
        return write(self._tensor, self._key, values, "set", _mode(mode))

    def add(self, values: Any, *, mode: str | None = None) -> Tensor:
        """The tensor with values added to this part; an index that comes twice counts twice.

        >>> import lazir.numpy as lnp
        >>> print(lnp.zeros(3).at[lnp.array([1, 1])].add(1))
        [0. 2. 0.]
        """
        return write(self._tensor, self._key, values, "add", _mode(mode))

    def multiply(self, values: Any, *, mode: str | None = None) -> Tensor:
        """The tensor with this part multiplied.

        >>> import lazir.numpy as lnp
        >>> print(lnp.ones(3).at[1].multiply(7))
        [1. 7. 1.]
        """
        return write(self._tensor, self._key, values, "mul", _mode(mode))

    mul = multiply

    def subtract(self, values: Any, *, mode: str | None = None) -> Tensor:
        """The tensor with values subtracted from this part.

        >>> import lazir.numpy as lnp
        >>> print(lnp.ones(3).at[1].subtract(7))
        [ 1. -6.  1.]
        """
        return self.add(tensor(call("neg", lift(operand(values), self._tensor._dtype))), mode=mode)

    def divide(self, values: Any, *, mode: str | None = None) -> Tensor:
        """The tensor with this part divided (each index counts once)."""
        part = getitem(self._tensor, self._key, free=mode is not None)
        new = call(
            "div", *broadcast([value_of(part), lift(operand(values), part._dtype)], "divide")
        )
        return self.set(tensor(new), mode=mode)

    def min(self, values: Any, *, mode: str | None = None) -> Tensor:
        """The tensor with this part limited from above.

        >>> import lazir.numpy as lnp
        >>> print(lnp.arange(3).at[:].min(1))
        [0 1 1]
        """
        return write(self._tensor, self._key, values, "min", _mode(mode))

    def max(self, values: Any, *, mode: str | None = None) -> Tensor:
        """The tensor with this part limited from below.

        >>> import lazir.numpy as lnp
        >>> print(lnp.arange(3).at[:].max(1))
        [1 1 2]
        """
        return write(self._tensor, self._key, values, "max", _mode(mode))

    def get(self, *, mode: str | None = None, fill_value: Any = None) -> Tensor:
        """This part. `mode`: "clip" (default) or "fill" for computed indices outside; where it is
        given, for any. "fill" without a value gives what JAX gives: NaN, or the integer farthest
        from 0, or True.
        """
        _mode(mode)
        wanted = "fill" if mode in ("fill", "drop") or fill_value is not None else "clip"
        free = mode is not None or fill_value is not None
        if fill_value is None and wanted == "fill":
            fill_value = _no_value(self._tensor._dtype)
        return getitem(self._tensor, self._key, wanted, fill_value, free)


def _no_value(dtype: Any) -> Any:
    """What stands for an element that is not there."""
    if dtype is bool_:
        return True
    if dtype.kind not in ("int", "uint"):
        return math.nan
    limits = np.iinfo(dtype)
    return int(limits.min or limits.max)


def _mode(mode: str | None) -> str | None:
    if mode is None:
        return None
    if mode not in ("drop", "clip", "fill", "promise_in_bounds"):
        fail(f"an index has mode 'drop', 'fill', 'clip' or 'promise_in_bounds', got {mode!r}")
    return "clip" if mode == "clip" else "drop"


late.indexing = sys.modules[__name__]
