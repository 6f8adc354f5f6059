"""Images of other sizes: interpolation, padding, pixel shuffle, with PyTorch's names.

Takes: tensors of layout batch, channels, space. Gives: tensors. Must not know: modules.
Along each axis a new element is a weighted sum of a few old ones, whose places are known when the
function is traced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, operand, promote, tensor
from ..tensor import Tensor

_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
_CUBIC = -0.75
"""Keys' parameter of cubic convolution (IEEE Trans. ASSP 29, 1981), as PyTorch has it."""


def _sources(n: int, count: int, ratio: float, align_corners: bool) -> Any:
    """Where the new elements lie between the old ones."""
    steps = np.arange(count, dtype=np.float64)
    if align_corners:
        return steps * ((n - 1) / (count - 1) if count > 1 else 0.0)
    return (steps + 0.5) * ratio - 0.5


def _nearest(n: int, count: int, ratio: float, exact: bool) -> Any:
    steps = np.arange(count, dtype=np.float64) + (0.5 if exact else 0.0)
    return np.minimum(np.floor(steps * ratio), n - 1).astype(np.int64)


def _linear_taps(n: int, places: Any) -> list[tuple[Any, Any]]:
    places = np.maximum(places, 0)
    low = np.minimum(np.floor(places), n - 1).astype(np.int64)
    part = places - low
    return [(low, 1 - part), (np.minimum(low + 1, n - 1), part)]


def _cubic_taps(n: int, places: Any) -> list[tuple[Any, Any]]:
    low = np.floor(places)
    part = places - low
    found = []
    for step in (-1, 0, 1, 2):
        off = np.abs(part - step)
        inner = ((_CUBIC + 2) * off - (_CUBIC + 3)) * off * off + 1
        outer = ((_CUBIC * off - 5 * _CUBIC) * off + 8 * _CUBIC) * off - 4 * _CUBIC
        weights = np.where(off <= 1, inner, outer)
        found.append((np.clip(low + step, 0, n - 1).astype(np.int64), weights))
    return found


def _target(
    space: Sequence[int], size: Any, scale_factor: Any
) -> tuple[tuple[int, ...], list[float]]:
    """New sizes, and the ratios old / new that places are computed with."""
    rank = len(space)
    if (size is None) == (scale_factor is None):
        fail("interpolate needs exactly one of size= and scale_factor=")
    if size is not None:
        sizes = (size,) * rank if isinstance(size, int) else tuple(int(n) for n in size)
        if len(sizes) != rank:
            fail(f"interpolate: size {sizes} needs {rank} entries", ShapeError)
        return sizes, [n / m if m else 0.0 for n, m in zip(space, sizes)]
    single = isinstance(scale_factor, int | float)
    factors = [float(scale_factor)] * rank if single else [float(f) for f in scale_factor]
    if len(factors) != rank:
        fail(f"interpolate: scale_factor {factors} needs {rank} entries", ShapeError)
    return tuple(math.floor(n * f) for n, f in zip(space, factors)), [1 / f for f in factors]


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Tensors (n, c, …) with other sizes after the channels, from `size` or `scale_factor`.

    Modes: nearest, nearest-exact, linear, bilinear, trilinear, bicubic; for PyTorch's "area" see
    adaptive_avg_pool2d.

    >>> import lazir as lz
    >>> x = lz.Tensor([[[1.0, 3.0]]])
    >>> print(lz.nn.functional.interpolate(x, 4, mode="linear"))
    [[[1.  1.5 2.5 3. ]]]
    """
    x = tensor(promote(input, inexact=mode not in ("nearest", "nearest-exact")).values[0])
    rank = len(x.shape) - 2
    if rank < 1:
        fail(f"interpolate needs axes after batch and channels, got shape {x.shape}", ShapeError)
    if mode == "area":
        fail("interpolate: mode 'area' is adaptive_avg_pool with the size")
    smooth = mode in _LINEAR or mode == "bicubic"
    if not smooth and mode not in ("nearest", "nearest-exact"):
        fail(f"interpolate: no mode {mode!r}; there are nearest, nearest-exact, linear, bilinear, "
             "trilinear, bicubic")  # fmt: skip
    wanted = {**_LINEAR, "bicubic": 2}.get(mode, rank)
    if wanted != rank:
        fail(f"interpolate: mode {mode!r} is for {wanted} axes of space, got {rank}", ShapeError)
    if align_corners is not None and not smooth:
        fail(f"interpolate: align_corners= has no meaning in mode {mode!r}")
    sizes, ratios = _target(x.shape[2:], size, scale_factor)
    for axis, (count, ratio) in enumerate(zip(sizes, ratios), 2):
        n = x.shape[axis]
        if not smooth:
            x = lnp.take(x, _nearest(n, count, ratio, mode == "nearest-exact"), axis=axis)
            continue
        places = _sources(n, count, ratio, bool(align_corners))
        taps = _cubic_taps(n, places) if mode == "bicubic" else _linear_taps(n, places)
        x = _weighted(x, taps, axis)
    return x


def _weighted(x: Tensor, taps: list[tuple[Any, Any]], axis: int) -> Tensor:
    wide = (-1, *[1] * (len(x.shape) - axis - 1))
    parts = [
        lnp.take(x, places, axis=axis) * lnp.asarray(weights.reshape(wide), x._dtype)
        for places, weights in taps
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


_PADDING = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    """Elements before and after: two numbers for the last axis, two for the one before, and so on.

    Negative numbers cut off. Modes: constant (`value`), reflect, replicate, circular.

    >>> import lazir as lz
    >>> print(lz.nn.functional.pad(lz.Tensor([[1, 2]]), (1, 2)))
    [[0 1 2 0 0]]
    """
    shape = operand(input).shape
    widths = [int(n) for n in pad]
    if len(widths) % 2 or len(widths) > 2 * len(shape):
        fail(f"pad: {tuple(widths)} are no pairs for the last axes of shape {shape}", ShapeError)
    if mode not in _PADDING:
        fail(f"pad: no mode {mode!r}; there are {', '.join(_PADDING)}")
    pairs = [(widths[k], widths[k + 1]) for k in range(0, len(widths), 2)][::-1]
    whole = [(0, 0)] * (len(shape) - len(pairs)) + pairs
    if any(low < 0 or high < 0 for low, high in whole):
        cuts = [slice(max(-low, 0), n - max(-high, 0)) for (low, high), n in zip(whole, shape)]
        input = lnp.asarray(input)[tuple(cuts)]
    grown = [(max(low, 0), max(high, 0)) for low, high in whole]
    if mode == "constant":
        return lnp.pad(input, grown, constant_values=value)
    return lnp.pad(input, grown, mode=_PADDING[mode])


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """(…, c·r², h, w) as (…, c, h·r, w·r) (Shi et al., 2016).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.pixel_shuffle(lnp.ones((1, 8, 2, 3)), 2).shape
    (1, 2, 4, 6)
    """
    *lead, channels, height, width = operand(input).shape
    r = upscale_factor
    if channels % (r * r):
        fail(f"pixel_shuffle: {channels} channels do not divide by {r}²", ShapeError)
    x = lnp.reshape(input, (*lead, channels // (r * r), r, r, height, width))
    k = len(lead)
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)
    return lnp.transpose(x, order).reshape(*lead, channels // (r * r), height * r, width * r)


def pixel_unshuffle(input: Any, downscale_factor: int) -> Tensor:
    """The inverse of pixel_shuffle.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.pixel_unshuffle(lnp.ones((1, 2, 4, 6)), 2).shape
    (1, 8, 2, 3)
    """
    *lead, channels, height, width = operand(input).shape
    r = downscale_factor
    if height % r or width % r:
        fail(f"pixel_unshuffle: {height} by {width} does not divide by {r}", ShapeError)
    x = lnp.reshape(input, (*lead, channels, height // r, r, width // r, r))
    k = len(lead)
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)
    return lnp.transpose(x, order).reshape(*lead, channels * r * r, height // r, width // r)


def channel_shuffle(input: Any, groups: int) -> Tensor:
    """Channels of (n, g · c, …) dealt out: one of each group in turn (Zhang et al., 2018).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.channel_shuffle(lnp.arange(4).reshape(1, 4, 1), 2).ravel().tolist()
    [0, 2, 1, 3]
    """
    shape = operand(input).shape
    if len(shape) < 3 or groups < 1 or shape[1] % groups:
        fail(f"channel_shuffle: {shape} has no channels that divide by {groups}", ShapeError)
    x = lnp.reshape(input, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return lnp.reshape(lnp.swapaxes(x, 1, 2), shape)
