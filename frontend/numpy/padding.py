"""`pad`: elements before and after, along every axis, in all of NumPy's modes.

Takes: tensors, widths. Gives: tensors. Axis after axis, as NumPy does it: what one axis added, the
next repeats. Must not know: buffers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from ..apply import as_tensor, call, expand, fail, lift, number, operand, tensor
from ..tensor import Tensor
from . import reduction
from .functions import rint
from .mapping import apply_along_axis
from .quantiles import median
from .ranges import linspace
from .rearrange import _join, _part, _value, flip

_OPTIONS = {
    "constant": "constant_values", "linear_ramp": "end_values", "maximum": "stat_length",
    "minimum": "stat_length", "mean": "stat_length", "median": "stat_length",
    "reflect": "reflect_type", "symmetric": "reflect_type", "edge": "", "wrap": "", "empty": "",
}  # fmt: skip
"""The modes, and the option that each takes."""


def _pairs(spec: Any, rank: int, kind: Any = None) -> list[tuple[Any, Any]]:
    """One pair for each axis: of a number, a pair, or one or a pair for each axis."""
    spread = np.broadcast_to(np.asarray(spec, kind), (rank, 2))
    return [(a.item(), b.item()) for a, b in spread]


def _widths(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        found = [(0, 0)] * rank
        for axis, pair in pad_width.items():
            found[axis] = (pair, pair) if isinstance(pair, int) else (int(pair[0]), int(pair[1]))
    else:
        found = _pairs(pad_width, rank, int)
    if min((n for pair in found for n in pair), default=0) < 0:
        fail("pad: widths must not be negative", ShapeError)
    return found


def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Tensor:
    """x with elements before and after, along every axis.

    `pad_width`: a number, (before, after), one pair for each axis, or a dict of pairs by axis.
    `mode`: "constant" (`constant_values`), "edge", "linear_ramp" (`end_values`), "maximum",
    "minimum", "mean", "median" (`stat_length`), "reflect" and "symmetric" (`reflect_type`), "wrap",
    "empty" (zeros), or a function of a padded vector, its widths, the axis and the other options.

    >>> import lazir.numpy as lnp
    >>> print(lnp.pad(lnp.arange(1, 4), 2, "reflect"))
    [3 2 1 2 3 2 1]
    """
    x = _value(array)
    rank = len(x.shape)
    widths = _widths(pad_width, rank)
    if callable(mode):
        return _by_function(x, widths, mode, kwargs)
    if mode not in _OPTIONS:
        fail(f"pad: mode is one of {', '.join(map(repr, _OPTIONS))} or a function, got {mode!r}")
    if wrong := sorted(set(kwargs) - {_OPTIONS[mode]}):
        fail(f"pad: mode {mode!r} takes no option {wrong[0]}")
    if mode in ("constant", "empty"):
        return tensor(_pad_constant(x, widths, kwargs.get("constant_values", 0)))
    given = kwargs.get(_OPTIONS[mode], 0 if mode == "linear_ramp" else None)
    for axis, pair in enumerate(widths):
        if not any(pair):
            continue
        if mode == "linear_ramp":
            x = _ramped(x, axis, pair, _pairs(given, rank)[axis])
        elif x.shape[axis] == 0:
            fail(f"pad: axis {axis} is empty, mode {mode!r} has nothing to repeat", ShapeError)
        elif mode in _STATISTICS:
            ends = (None, None) if given is None else _pairs(given, rank)[axis]
            x = _summarised(x, axis, pair, mode, ends)
        else:
            x = _repeated(x, axis, pair, mode, given)
    return tensor(x)


def _by_function(
    x: Value, widths: list[tuple[int, int]], function: Callable[..., Any], options: Any
) -> Tensor:
    padded = tensor(_pad_constant(x, widths, 0))
    for axis, pair in enumerate(widths):

        def one(v: Tensor, pair: Any = pair, axis: int = axis) -> Tensor:
            own = v.copy()
            made = function(own, pair, axis, options)
            return own if made is None else as_tensor(made)

        padded = apply_along_axis(one, axis, padded)
    return padded


def _pad_constant(x: Value, widths: list[tuple[int, int]], fill: Any) -> Value:
    rank = len(x.shape)
    zero = (0,) * rank
    if isinstance(fill, tuple | list | np.ndarray):
        fills = np.broadcast_to(np.asarray(fill), (rank, 2))
        for axis, (before, after) in enumerate(widths):
            for side, count in ((0, before), (1, after)):
                width = tuple(count if k == axis else 0 for k in range(rank))
                value = number(fills[axis][side].item(), x.type.dtype)
                low, high = (width, zero) if side == 0 else (zero, width)
                x = call("pad", x, value, low=low, high=high, interior=zero)
        return x
    value = lift(operand(fill), x.type.dtype)
    low, high = (tuple(pair[side] for pair in widths) for side in (0, 1))
    return call("pad", x, value, low=low, high=high, interior=zero)


def _ramped(x: Value, axis: int, pair: tuple[int, int], ends: tuple[Any, Any]) -> Value:
    """Steps of one size from the edges towards the end values."""
    n = x.shape[axis]
    parts = [x]
    for side, count in enumerate(pair):
        if not count:
            continue
        if n:
            edge = tensor(_part(x, axis, 0, 1) if side == 0 else _part(x, axis, n - 1, n))
        else:
            fail(f"pad: axis {axis} is empty, a ramp has no edge to start from", ShapeError)
        start = as_tensor(ends[side]).astype(edge.dtype)
        ramp = linspace(
            start, edge.squeeze(axis), count, endpoint=False, dtype=edge.dtype, axis=axis
        )
        value = lift(operand(ramp if side == 0 else flip(ramp, axis)))
        parts.insert(0 if side == 0 else len(parts), value)
    return _join(parts, axis)


def _mean(x: Tensor, axis: int, keepdims: bool) -> Tensor:
    made = reduction.mean(x, axis, keepdims=keepdims)
    return made if x.dtype.is_inexact else rint(made)


def _median(x: Tensor, axis: int, keepdims: bool) -> Tensor:
    made = median(x, axis, keepdims=keepdims)
    return made if x.dtype.is_inexact else rint(made)


_STATISTICS: dict[str, Callable[..., Tensor]] = {
    "maximum": reduction.max,
    "minimum": reduction.min,
    "mean": _mean,
    "median": _median,
}


def _summarised(
    x: Value, axis: int, pair: tuple[int, int], mode: str, lengths: tuple[Any, Any]
) -> Value:
    """A statistic of the vector, or of so many elements at the side that is padded."""
    n = x.shape[axis]
    parts = [x]
    for side, (count, length) in enumerate(zip(pair, lengths)):
        if not count:
            continue
        if length is not None and length < 1:
            fail(f"pad: stat_length is 1 or more, got {length}")
        m = n if length is None else min(int(length), n)
        part = tensor(_part(x, axis, 0, m) if side == 0 else _part(x, axis, n - m, n))
        made = _STATISTICS[mode](part, axis=axis, keepdims=True)
        value = lift(operand(made), x.type.dtype)
        wide = tuple(count if k == axis else size for k, size in enumerate(x.shape))
        parts.insert(0 if side == 0 else len(parts), expand(value, wide))
    return _join(parts, axis)


def _repeated(x: Value, axis: int, pair: tuple[int, int], mode: str, kind: Any) -> Value:
    n = x.shape[axis]
    places = [_EXTEND[mode](p, n) for p in range(-pair[0], n + pair[1])]
    made = _join(_runs(x, axis, places), axis)
    if kind in (None, "even"):
        return made
    if kind != "odd":
        fail(f"pad: reflect_type is 'even' or 'odd', got {kind!r}")
    if max(pair) > (n - 1 if mode == "reflect" else n):
        fail(f"pad: odd reflection of {n} elements reaches no further than they do", ShapeError)
    before = pair[0]
    parts = []
    for low, high, edge in (
        (0, before, 0), (before, before + n, None), (before + n, len(places), n - 1),
    ):  # fmt: skip
        part = _part(made, axis, low, high)
        if edge is not None and low < high:  # turned around the edge
            twice = call("add", _part(x, axis, edge, edge + 1), _part(x, axis, edge, edge + 1))
            part = call("sub", expand(twice, part.shape), part)
        parts.append(part)
    return _join(parts, axis)


def _reflect(p: int, n: int) -> int:
    if n == 1:
        return 0
    p %= 2 * n - 2
    return p if p < n else 2 * n - 2 - p


def _symmetric(p: int, n: int) -> int:
    p %= 2 * n
    return p if p < n else 2 * n - 1 - p


_EXTEND: dict[str, Callable[[int, int], int]] = {
    "edge": lambda p, n: min(max(p, 0), n - 1),
    "reflect": _reflect,
    "symmetric": _symmetric,
    "wrap": lambda p, n: p % n,
}


def _runs(x: Value, axis: int, places: list[int]) -> list[Value]:
    """The slices of x at `places`, neighbours (up, down, or equal) taken together."""
    parts: list[Value] = []
    start = 0
    while start < len(places):
        end, step = start + 1, 0
        if end < len(places) and places[end] - places[start] in (-1, 0, 1):
            step = places[end] - places[start]
            while end < len(places) and places[end] - places[end - 1] == step:
                end += 1
        low, high = min(places[start], places[end - 1]), max(places[start], places[end - 1])
        part = _part(x, axis, low, high + 1)
        if step == -1:
            part = call("reverse", part, axes=(axis,))
        if step == 0:
            shape = tuple(end - start if k == axis else n for k, n in enumerate(part.shape))
            part = expand(part, shape)
        parts.append(part)
        start = end
    return parts
