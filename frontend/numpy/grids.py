"""Grids and positions: `mgrid`, `r_`, flat positions against indices.

Takes: slices, shapes, positions. Gives: tensors. Must not know: kernels.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..apply import as_tensor, fail, shape_of
from ..dtypes import as_dtype
from ..tensor import Tensor
from ..trace import active
from .creation import array, zeros
from .index_key import index_error
from .manipulation import broadcast_arrays, concatenate, stack, swapaxes, transpose
from .matrices import indices, meshgrid
from .ranges import arange, linspace


def _along(item: slice) -> Tensor:
    """The numbers that a slice names: start:stop:step, or start:stop:count·j with both ends."""
    start = 0 if item.start is None else item.start
    if isinstance(item.step, complex):
        return linspace(start, item.stop, int(abs(item.step)))  # type: ignore[no-any-return]
    return arange(start, item.stop, 1 if item.step is None else item.step)


class _Grid:
    """Indexed by slices, gives coordinates: one dense tensor, or one open tensor for each axis."""

    def __init__(self, sparse: bool) -> None:
        self._sparse = sparse

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return _along(key)
        vectors = [_along(item) for item in key]
        if not vectors:
            return zeros((0,))
        grids = meshgrid(*vectors, indexing="ij", sparse=self._sparse)
        return tuple(grids) if self._sparse else stack(grids)


mgrid = _Grid(sparse=False)
"""`mgrid[0:2, 0:3]`: the coordinates of a grid, stacked; a step `5j` means 5 points, ends included.

>>> import lazir.numpy as lnp
>>> lnp.mgrid[0:2, 0:3].shape
(2, 2, 3)
"""

ogrid = _Grid(sparse=True)
"""As `mgrid`, one tensor for each axis, which broadcast together.

>>> import lazir.numpy as lnp
>>> [x.shape for x in lnp.ogrid[0:2, 0:3]]
[(2, 1), (1, 3)]
"""


class _Rows:
    """Indexed by slices, numbers and tensors, joins them (NumPy's `r_` and `c_`)."""

    def __init__(self, axis: int, ndmin: int, place: int) -> None:
        self._defaults = (axis, ndmin, place)

    def __getitem__(self, key: Any) -> Tensor:
        items = list(key) if isinstance(key, tuple) else [key]
        axis, ndmin, place = self._defaults
        if items and isinstance(items[0], str):
            axis, ndmin, place = _directive(items.pop(0), axis, ndmin, place)
        if not items:
            fail("r_ and c_ join at least one item")
        return concatenate([_row(item, ndmin, place) for item in items], axis)


def _directive(text: str, axis: int, ndmin: int, place: int) -> tuple[int, int, int]:
    try:
        given = [int(part) for part in text.split(",")]
    except ValueError:
        given = []
    if not 1 <= len(given) <= 3:
        fail(f"r_ and c_ take 'axis', 'axis,ndmin' or 'axis,ndmin,place' as text, got {text!r}")
    axis, ndmin, place = (*given, *(axis, ndmin, place)[len(given) :])
    return axis, ndmin, place


def _row(item: Any, ndmin: int, place: int) -> Tensor:
    """An item with at least `ndmin` axes, those that it has beginning at `place`."""
    if isinstance(item, slice):
        made = array(_along(item), ndmin=ndmin)
        return swapaxes(made, -1, place) if ndmin > 1 and place != -1 else made
    x = as_tensor(item)
    rank = len(x.shape)
    made = array(x, ndmin=max(ndmin, 1))
    if rank and place != -1 and rank < ndmin:
        missing = ndmin - rank
        first = place + missing + 1 if place < 0 else place
        order = list(range(ndmin))
        made = transpose(made, order[:first] + order[missing:] + order[first:missing])
    return made


r_ = _Rows(0, 1, -1)
"""`r_[1:4, 0, x]`: slices, numbers and tensors joined along the first axis.

>>> import lazir.numpy as lnp
>>> print(lnp.r_[1:4, 0, lnp.array([7, 8])])
[1 2 3 0 7 8]
"""

c_ = _Rows(-1, 2, 0)
"""As `r_`, with vectors as columns.

>>> import lazir.numpy as lnp
>>> lnp.c_[lnp.zeros(3), lnp.ones(3)].shape
(3, 2)
"""

s_ = np.s_
index_exp = np.index_exp


# -- flat positions ----------------------------------------------------------------------
def _strides(shape: Sequence[int], order: str, name: str) -> list[int]:
    if order not in ("C", "F"):
        fail(f"{name}: order is 'C' or 'F', got {order!r}")
    strides, step = [], 1
    for n in reversed(shape) if order == "C" else shape:
        strides.append(step)
        step *= n
    return strides[::-1] if order == "C" else strides


def _check_inside(x: Tensor, size: int, name: str) -> None:
    """IndexError where an index that is known is outside; a traced one is taken as it is."""
    if active() is None or x._array is not None:
        data = x.numpy()
        if data.size and (data.min() < 0 or data.max() >= size):
            index_error(f"{name}: an index is outside of 0 … {size - 1}")


def _integers(x: Any, name: str) -> Tensor:
    made = as_tensor(x)
    if not made.dtype.is_integer:
        if made.size:
            fail(f"{name} takes integers, got {made.dtype}")
        made = made.astype("int64")
    return made


def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Tensor, ...]:
    """The index, one tensor for each axis, of elements at flat positions.

    >>> import lazir.numpy as lnp
    >>> [int(k) for k in lnp.unravel_index(5, (2, 3))]
    [1, 2]
    """
    sizes = shape_of(shape)
    places = _integers(indices, "unravel_index")
    _check_inside(places, math.prod(sizes), "unravel_index")
    places = places.astype("int64")
    steps = _strides(sizes, order, "unravel_index")
    return tuple(places // step % max(n, 1) for n, step in zip(sizes, steps))


def _in_mode(x: Tensor, size: int, mode: str) -> Tensor:
    if mode == "clip":
        return x.clip(0, size - 1)
    if mode == "wrap":
        return x % size
    if mode != "raise":
        fail(f"ravel_multi_index: mode is 'raise', 'wrap' or 'clip', got {mode!r}")
    _check_inside(x, size, "ravel_multi_index")
    return x


def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Tensor:
    """The flat positions of elements from an index for each axis. `mode`: what of those outside.

    >>> import lazir.numpy as lnp
    >>> print(lnp.ravel_multi_index(([0, 1], [2, 2]), (2, 3)))
    [2 5]
    """
    sizes = shape_of(dims)
    parts = broadcast_arrays(*(_integers(x, "ravel_multi_index") for x in multi_index))
    modes = tuple(mode) if isinstance(mode, tuple | list) else (mode,) * len(sizes)
    if len(parts) != len(sizes) or len(modes) != len(sizes):
        index_error(f"ravel_multi_index: {len(parts)} indices for {len(sizes)} axes")
    total = None
    for x, n, step, how in zip(parts, sizes, _strides(sizes, order, "ravel_multi_index"), modes):
        term = _in_mode(x.astype("int64"), n, how) * step
        total = term if total is None else total + term
    return as_tensor(0 if total is None else total)


def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any
) -> Any:
    """What `function` gives for the coordinates of a grid, one tensor for each axis.

    >>> import lazir.numpy as lnp
    >>> print(lnp.fromfunction(lambda i, j: i + j, (2, 2), dtype=int))
    [[0 1]
     [1 2]]
    """
    sizes = shape_of(shape)
    grids = indices(sizes, as_dtype(dtype))
    return function(*(grids[k] for k in range(len(sizes))), **kwargs)


def shape(a: Any) -> tuple[int, ...]:
    """The sizes of the axes.

    >>> import lazir.numpy as lnp
    >>> lnp.shape([[1, 2, 3]])
    (1, 3)
    """
    return as_tensor(a).shape


def ndim(a: Any) -> int:
    """The number of axes.

    >>> import lazir.numpy as lnp
    >>> lnp.ndim([[1, 2, 3]])
    2
    """
    return len(shape(a))


def size(a: Any, axis: Any = None) -> int:
    """The number of elements, or the size of one axis or of several together.

    >>> import lazir.numpy as lnp
    >>> lnp.size([[1, 2, 3]]), lnp.size([[1, 2, 3]], 0)
    (3, 1)
    """
    found = shape(a)
    if axis is None:
        return math.prod(found)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return math.prod(found[operator.index(k)] for k in axes)
