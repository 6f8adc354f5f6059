"""Pooling over windows, with PyTorch's names and defaults.

Takes: tensors of layout batch, channels, space; the batch axis may be missing. Gives: tensors.
Must not know: how windows are computed. Written once for any number of spatial axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType, i1

from .. import numpy as lnp
from ..apply import call, expand, fail, lift, number, operand, promote, tensor
from ..slots import Literal
from ..tensor import Tensor
from .windows import each, of_rank


class Geometry(NamedTuple):
    """Sizes of windows and where they are, an entry for each spatial axis."""

    window: tuple[int, ...]
    stride: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    dilation: tuple[int, ...]


def geometry(rank: int, v: Value, window: Any, stride: Any, padding: Any, dilation: Any,
             ceil_mode: bool) -> Geometry:  # fmt: skip
    """The windows over the last axes of v. ShapeError where they do not fit."""
    if len(v.shape) not in (rank + 1, rank + 2):
        fail(f"pooling over {rank} axes needs {rank + 1} or {rank + 2}, got {v.type.short}",
             ShapeError)  # fmt: skip
    sizes = each(window, rank, "kernel_size")
    steps = sizes if stride is None else each(stride, rank, "stride")
    widths = each(padding, rank, "padding")
    gaps = each(dilation, rank, "dilation")
    if any(2 * p > k for p, k in zip(widths, sizes)):
        fail(f"pooling: padding {widths} is more than half of the window {sizes}", ShapeError)
    high = widths
    if ceil_mode:
        high = tuple(map(_ceil_padding, v.shape[-rank:], sizes, steps, widths, gaps))
    return Geometry(sizes, steps, widths, high, gaps)


def _ceil_padding(n: int, size: int, step: int, width: int, gap: int) -> int:
    """Padding at the end so that the last window is whole; none where it would start behind."""
    rest = n + 2 * width - gap * (size - 1) - 1
    count = -(-rest // step) + 1
    if (count - 1) * step >= n + width:
        count -= 1
    return width + (count - 1) * step - rest


def _reduce(v: Value, op: str, g: Geometry) -> Value:
    lead = len(v.shape) - len(g.window)
    ones, zeros = (1,) * lead, (0,) * lead
    return call(
        "reduce_window", v, op=op, window=ones + g.window, stride=ones + g.stride,
        low=zeros + g.low, high=zeros + g.high, base_dilation=(1,) * len(v.shape),
        window_dilation=ones + g.dilation,
    )  # fmt: skip


def _max(
    rank: int, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    dilation: Any = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    v = lift(operand(input))
    places = geometry(rank, v, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_and_indices(v, places) if return_indices else tensor(_reduce(v, "max", places))


def _max_and_indices(v: Value, g: Geometry) -> tuple[Tensor, Tensor]:
    """The maxima, and their positions in the flattened axes of space: the windows side by side."""
    rank = len(g.window)
    lead, space = v.shape[:-rank], v.shape[-rank:]
    places, meant = _window_places(space, g)
    rows = lnp.reshape(tensor(v), (*lead, math.prod(space)))
    counts = places.shape[:rank]
    flat = places.reshape(-1, places.shape[-1])
    windows = lnp.where(
        meant.reshape(flat.shape), lnp.take(rows, flat, axis=-1), _lowest(v.type.dtype)
    )
    chosen = lnp.expand_dims(lnp.argmax(windows, -1), -1)
    values = lnp.squeeze(lnp.take_along_axis(windows, chosen, axis=-1), -1)
    table = lnp.broadcast_to(lnp.asarray(flat), windows.shape)
    indices = lnp.squeeze(lnp.take_along_axis(table, chosen, axis=-1), -1)
    return lnp.reshape(values, (*lead, *counts)), lnp.reshape(indices, (*lead, *counts))


def _lowest(dtype: DType) -> Any:
    if dtype.is_float:
        return Literal(-math.inf)
    return Literal(False if dtype is i1 else int(lnp.iinfo(dtype).min))


def _window_places(space: Sequence[int], g: Geometry) -> tuple[Any, Any]:
    """For each window the flat positions of its elements, and which of them are in the array."""
    flat: Any = np.zeros((1,), np.int64)
    meant: Any = np.ones((1,), bool)
    rank = len(space)
    for k, (n, size, step, low, high, gap) in enumerate(zip(space, *g)):
        count = (n + low + high - gap * (size - 1) - 1) // step + 1
        at = np.arange(count)[:, None] * step - low + np.arange(size) * gap
        shape = [1] * (2 * rank)
        shape[k], shape[rank + k] = at.shape
        inside = ((at >= 0) & (at < n)).reshape(shape)
        flat = flat * n + np.clip(at, 0, max(n - 1, 0)).reshape(shape)
        meant = meant & inside
    sizes = (*flat.shape[:rank], math.prod(flat.shape[rank:]))
    return flat.reshape(sizes), meant.reshape(sizes)


def _average(
    rank: int, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    v = promote(input, inexact=True).values[0]
    g = geometry(rank, v, kernel_size, stride, padding, 1, ceil_mode)
    total = _reduce(v, "sum", g)
    dtype = v.type.dtype
    if divisor_override is not None:
        return tensor(
            call("div", total, expand(number(divisor_override, dtype, True), total.shape))
        )
    if not ceil_mode and (count_include_pad or not any(g.low)):
        return tensor(
            call("div", total, expand(number(math.prod(g.window), dtype, True), total.shape))
        )
    # What a window is divided by: the places that exist, with the padding asked for or without
    ones = tensor(expand(number(1, dtype, structural=True), v.shape))
    if count_include_pad:
        lead = [(0, 0)] * (len(v.shape) - rank)
        ones = lnp.pad(ones, [*lead, *[(w, w) for w in g.low]], constant_values=1)
        beyond = tuple(h - w for h, w in zip(g.high, g.low))
        g = g._replace(low=(0,) * rank, high=beyond)
    return tensor(call("div", total, _reduce(lift(operand(ones)), "sum", g)))


def _lp(
    rank: int, input: Any, norm_type: float, kernel_size: Any, stride: Any = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    v = lift(operand(lnp.power(input, norm_type)))
    places = geometry(rank, v, kernel_size, stride, 0, 1, ceil_mode)
    return lnp.power(tensor(_reduce(v, "sum", places)), 1 / norm_type)


# -- adaptive ----------------------------------------------------------------------------
def _cells(size: int, count: int) -> tuple[Any, Any]:
    """The places of `count` windows that cover an axis, and which of them are meant.

    Window i is ⌊i·size/count⌋ to ⌈(i+1)·size/count⌉, PyTorch's rule. All rows are equally long: a
    shorter window repeats its last place, which is not meant.
    """
    steps = np.arange(count)
    start, stop = steps * size // count, -(-(steps + 1) * size // count)
    places = start[:, None] + np.arange(max((stop - start).max(initial=0), 1))
    return np.minimum(places, stop[:, None] - 1), places < stop[:, None]


def _adaptive(rank: int, op: str, input: Any, output_size: Any) -> Tensor:
    x = tensor(promote(input, inexact=op == "sum").values[0])
    if len(x.shape) not in (rank + 1, rank + 2):
        fail(f"pooling over {rank} axes needs {rank + 1} or {rank + 2}, got {x.shape}", ShapeError)
    given = (output_size,) * rank if isinstance(output_size, int) else tuple(output_size)
    lead = len(x.shape) - rank
    space = x.shape[lead:]
    sizes = tuple(n if g is None else int(g) for n, g in zip(space, given, strict=True))
    if all(s and n % s == 0 and n for n, s in zip(space, sizes)):
        window = tuple(n // s for n, s in zip(space, sizes))
        whole = _average if op == "sum" else _max
        return whole(rank, x, window)
    for axis, (n, count) in enumerate(zip(space, sizes), lead):
        places, meant = _cells(n, count)
        rows = lnp.take(x, places, axis=axis)
        wide = meant.reshape(*meant.shape, *[1] * (len(x.shape) - axis - 1))
        if op == "max":
            x = lnp.max(rows, axis + 1)  # places that are repeated do not matter to a maximum
            continue
        sums = lnp.sum(lnp.where(wide, rows, Literal(0)), axis + 1)
        x = sums / lnp.asarray(wide.sum(1), x._dtype)
    return x


def _adaptive_average(rank: int, input: Any, output_size: Any) -> Tensor:
    return _adaptive(rank, "sum", input, output_size)


def _adaptive_max(rank: int, input: Any, output_size: Any) -> Tensor:
    return _adaptive(rank, "max", input, output_size)


# -- the names ---------------------------------------------------------------------------
_MAX = """The largest of each window over the last {rank} axes; padding never wins.

    With `return_indices` a pair: the maxima, and their positions in the flattened axes of space
    (of equal ones the first), for max_unpool{rank}d.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.max_pool{rank}d(lnp.ones((1, 2, {sizes})), 2).shape
    (1, 2, {out})
    """
_AVERAGE = """The mean of each window over the last {rank} axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.avg_pool{rank}d(lnp.ones((1, 2, {sizes})), 2).shape
    (1, 2, {out})
    """
_ADAPTIVE = """{what} over windows such that the last {rank} axes become `output_size`.

    None in `output_size` keeps an axis as it is.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.adaptive_{op}_pool{rank}d(lnp.ones((1, 2, {sizes})), 2).shape
    (1, 2, {two})
    """
_LP = """(Σ xᵖ)^(1/p) over each window of the last {rank} axes, p = `norm_type`.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.lp_pool{rank}d(lnp.ones((1, 2, {sizes})), 2, 2).shape
    (1, 2, {out})
    """


def _doc(template: str, rank: int, op: str = "") -> str:
    sizes, out, two = (", ".join([str(n)] * rank) for n in (6, 3, 2))
    what = "Maxima" if op == "max" else "Means"
    return template.format(rank=rank, sizes=sizes, out=out, two=two, op=op, what=what)


max_pool1d = of_rank(1, _max, "max_pool1d", _doc(_MAX, 1))
max_pool2d = of_rank(2, _max, "max_pool2d", _doc(_MAX, 2))
max_pool3d = of_rank(3, _max, "max_pool3d", _doc(_MAX, 3))
avg_pool1d = of_rank(1, _average, "avg_pool1d", _doc(_AVERAGE, 1))
avg_pool2d = of_rank(2, _average, "avg_pool2d", _doc(_AVERAGE, 2))
avg_pool3d = of_rank(3, _average, "avg_pool3d", _doc(_AVERAGE, 3))
lp_pool1d = of_rank(1, _lp, "lp_pool1d", _doc(_LP, 1))
lp_pool2d = of_rank(2, _lp, "lp_pool2d", _doc(_LP, 2))
lp_pool3d = of_rank(3, _lp, "lp_pool3d", _doc(_LP, 3))
adaptive_avg_pool1d = of_rank(
    1, _adaptive_average, "adaptive_avg_pool1d", _doc(_ADAPTIVE, 1, "avg")
)
adaptive_avg_pool2d = of_rank(
    2, _adaptive_average, "adaptive_avg_pool2d", _doc(_ADAPTIVE, 2, "avg")
)
adaptive_avg_pool3d = of_rank(
    3, _adaptive_average, "adaptive_avg_pool3d", _doc(_ADAPTIVE, 3, "avg")
)
adaptive_max_pool1d = of_rank(1, _adaptive_max, "adaptive_max_pool1d", _doc(_ADAPTIVE, 1, "max"))
adaptive_max_pool2d = of_rank(2, _adaptive_max, "adaptive_max_pool2d", _doc(_ADAPTIVE, 2, "max"))
adaptive_max_pool3d = of_rank(3, _adaptive_max, "adaptive_max_pool3d", _doc(_ADAPTIVE, 3, "max"))
