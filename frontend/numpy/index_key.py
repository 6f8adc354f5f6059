"""What stands between the brackets of x[…], sorted out.

Takes: an index key, a shape. Gives: `Key`: the static slices, the index arrays, the resulting axes.
Must not know: how elements are read or written.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from ..apply import OutOfBounds, fail, nested
from ..handle import Handle
from ..trace import active, outside


class Ranged(NamedTuple):
    """One axis of the operand under a static slice: elements start, start + step, … (count of
    them).
    """

    start: int
    step: int
    size: int


class Key(NamedTuple):
    """An index key against a shape.

    `ranges[k]`: the static part of operand axis k. `arrays`: (operand axis, integer array or
    tensor).
    `layout`: the axes of the result: an operand axis, "new" for None, "arrays" where the axes of
    the broadcast index arrays go. An axis read by a plain integer is in no layout.
    """

    ranges: tuple[Ranged, ...]
    arrays: tuple[tuple[int, Any], ...]
    layout: tuple[Any, ...]
    mask: Any = None  # a bool tensor over axes whose true places are not known, or not asked for
    mask_axis: int = 0  # the first of those axes


def index_error(message: str) -> Any:
    """Raise IndexError with the user's line."""
    fail(message, OutOfBounds)


def _as_item(item: Any) -> Any:
    """Lists become arrays; 0-d integer arrays and NumPy integers become ints."""
    if isinstance(item, list | tuple):
        item = nested(item)
        if isinstance(item, np.ndarray) and item.size == 0:
            item = item.astype(np.int64)
    if isinstance(item, Handle | slice) or item is None or item is Ellipsis:
        return item
    if isinstance(item, np.ndarray) and item.dtype == np.bool_:
        return item
    if isinstance(item, bool | np.bool_):
        fail("a plain bool is no index here; use x[None] for True, x[None][:0] for False")
    if isinstance(item, np.ndarray) and item.ndim:
        if item.dtype.kind not in "iu":
            fail(f"index arrays are integers or bools, got {item.dtype}")
        return item
    try:
        return operator.index(item)
    except TypeError:
        return fail(
            "an index is an integer, slice, None, ... or an array of integers or bools, "
            f"got {item!r}"
        )


def _known_data(item: Handle) -> Any:
    """The data of an index tensor outside of a trace; None where it is traced."""
    if active() is not None and item._array is None:
        return None
    return item.numpy()  # type: ignore[attr-defined]


def _expanded(key: Any, rank: int) -> list[Any]:
    items = [_as_item(k) for k in (key if isinstance(key, tuple) else (key,))]
    used = sum(_axes_used(k) for k in items)
    if used > rank:
        index_error(f"{used} indices for a tensor of rank {rank}")
    dots = [k for k, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1:
        index_error("an index may hold `...` only once")
    at = dots[0] if dots else len(items)
    return items[:at] + [slice(None)] * (rank - used) + items[at + len(dots) :]


def _is_mask(item: Any) -> bool:
    if isinstance(item, Handle):
        return item._dtype.is_bool
    return isinstance(item, np.ndarray) and item.dtype == np.bool_


def only_mask(key: Any) -> Any:
    """The mask, where the key is a single one; else None."""
    items = key if isinstance(key, tuple) else (key,)
    if len(items) != 1:
        return None
    item = np.asarray(items[0]) if isinstance(items[0], bool | np.bool_) else items[0]
    return item if _is_mask(item) else None


def masks_in(key: Any) -> int:
    """How many masks a key holds."""
    return sum(_is_mask(_as_item(k)) for k in (key if isinstance(key, tuple) else (key,)))


def _axes_used(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    if _is_mask(item):
        return len(item.shape)
    return 1


def _bounded(array: np.ndarray[Any, Any], size: int, axis: int, free: bool) -> np.ndarray[Any, Any]:
    """Static indices counted from 0. IndexError where one is outside and that is not free."""
    if free:
        array = array.astype(np.int64)
    elif array.size and (array.min() < -size or array.max() >= size):
        bad = array[(array < -size) | (array >= size)].flat[0]
        index_error(f"index {bad} is out of range for axis {axis} of size {size}")
    return np.where(array < 0, array + size, array) if array.dtype.kind == "i" else array


def _slice(item: slice, size: int) -> Ranged:
    for part in (item.start, item.stop, item.step):
        if isinstance(part, Handle) and part._array is None and active() is not None:
            raise outside(
                "a slice bound", "use lz.lax.dynamic_slice(x, starts, sizes) for computed places"
            )
    bounds = [None if p is None else operator.index(p) for p in (item.start, item.stop, item.step)]
    if bounds[2] == 0:
        index_error("a slice step must not be 0")
    found = range(*slice(*bounds).indices(size))
    return Ranged(found.start if len(found) else 0, found.step if len(found) > 1 else 1, len(found))


class _Reader:
    """Walks over the items of a key and fills in a Key."""

    def __init__(self, shape: tuple[int, ...], keep_mask: bool, free: bool) -> None:
        self.shape = shape
        self.keep_mask = keep_mask
        self.free = free
        self.axis = 0
        self.ranges: list[Ranged] = []
        self.arrays: list[tuple[int, Any]] = []
        self.layout: list[Any] = []
        self.places: list[int] = []  # where in the key index arrays stood
        self.ints: list[tuple[int, int, int]] = []  # (axis, value, place in the key)
        self.mask: Any = None
        self.mask_axis = 0

    def whole(self) -> None:
        self.ranges.append(Ranged(0, 1, self.shape[self.axis]))
        self.axis += 1

    def take(self, item: Any, place: int) -> None:
        if item is None:
            self.layout.append("new")
        elif isinstance(item, slice):
            self.ranges.append(_slice(item, self.shape[self.axis]))
            self.layout.append(self.axis)
            self.axis += 1
        elif isinstance(item, int):
            self.ints.append((self.axis, item, place))
            self.whole()
        else:
            self.array(item, place)

    def masked(self, item: Any) -> None:
        """A mask that stays one: its axes stay too."""
        sizes = self.shape[self.axis : self.axis + len(item.shape)]
        if item.shape != sizes:
            index_error(f"a mask of shape {item.shape} does not fit axes of sizes {sizes}")
        if self.mask is not None:
            fail("an index may hold one mask whose places are not known; join them by &")
        self.mask, self.mask_axis = item, self.axis
        for _ in item.shape:
            self.layout.append(self.axis)
            self.whole()

    def array(self, item: Any, place: int) -> None:
        if self.keep_mask and _is_mask(item):
            self.masked(item)
            return
        if _is_mask(item) and not item.shape:
            fail("a mask of rank 0 is an index only on its own")
        if isinstance(item, Handle):
            data = _known_data(item)
            if data is None and item._dtype.is_bool:
                self.masked(item)
                return
            if data is None and not item._dtype.is_integer:
                fail(f"index tensors are integers or bools, got {item._dtype}")
            item = item if data is None else data
            if data is not None and data.dtype.kind not in "biu":
                fail(f"index tensors are integers or bools, got {data.dtype}")
        if isinstance(item, np.ndarray) and item.dtype == np.bool_:
            sizes = self.shape[self.axis : self.axis + item.ndim]
            if item.shape != sizes:
                index_error(f"a mask of shape {item.shape} does not fit axes of sizes {sizes}")
            for found in np.nonzero(item):
                self.index(found, place)
            return
        self.index(item, place)

    def index(self, item: Any, place: int) -> None:
        size = self.shape[self.axis]
        if isinstance(item, np.ndarray):
            item = _bounded(item, size, self.axis, self.free)
        self.arrays.append((self.axis, item))
        self.places.append(place)
        self.layout.append("arrays")
        self.whole()

    def key(self) -> Key:
        beyond = [i for i in self.ints if not -self.shape[i[0]] <= i[1] < self.shape[i[0]]]
        if beyond and not self.free:
            axis, value, _ = beyond[0]
            index_error(f"index {value} is out of range for axis {axis} of size {self.shape[axis]}")
        # beside index arrays an integer is one of rank 0, and so is one that lies outside
        joined = bool(self.arrays or beyond)
        for axis, value, place in self.ints:
            counted = value + self.shape[axis] if -self.shape[axis] <= value < 0 else value
            if joined:
                self.arrays.append((axis, np.asarray(counted)))
                self.places.append(place)
            else:
                self.ranges[axis] = Ranged(counted, 1, 1)
        self.arrays.sort(key=lambda pair: pair[0])
        ranges, arrays = tuple(self.ranges), tuple(self.arrays)
        return Key(ranges, arrays, self._layout(), self.mask, self.mask_axis)

    def _layout(self) -> tuple[Any, ...]:
        """NumPy's rule: index arrays side by side leave their axes there, else in front."""
        places = sorted(set(self.places))
        rest = [a for a in self.layout if a != "arrays"]
        if not places:
            return tuple(self.layout)
        adjacent = places == list(range(places[0], places[-1] + 1))
        if not adjacent:
            return ("arrays", *rest)
        return (*rest[: self._before(places[0])], "arrays", *rest[self._before(places[0]) :])

    def _before(self, place: int) -> int:
        """How many result axes stem from items before that place in the key."""
        return sum(1 for where in self.kept if where < place)

    kept: list[int]


def parse(key: Any, shape: tuple[int, ...], keep_mask: bool = False, free: bool = False) -> Key:
    """The key against a shape. IndexError where a static index is out of range and not `free` to.

    `keep_mask`: a mask is `Key.mask` even where its true places could be found.
    """
    reader = _Reader(shape, keep_mask, free)
    reader.kept = []
    for place, item in enumerate(_expanded(key, len(shape))):
        count = len([a for a in reader.layout if a != "arrays"])
        reader.take(item, place)
        grown = len([a for a in reader.layout if a != "arrays"]) - count
        reader.kept += [place] * grown
    return reader.key()
