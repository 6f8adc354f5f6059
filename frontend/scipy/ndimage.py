"""Images read between their pixels.

Takes: a tensor and coordinates in it. Gives: interpolated values, differentiable in both.
Must not know: what the image shows.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

from .. import numpy as lnp
from ..apply import fail
from ..public import listing
from ..tensor import Tensor

_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def map_coordinates(
    input: Any, coordinates: Any, order: int, mode: str = "constant", cval: Any = 0.0
) -> Tensor:
    """The image at fractional places: order 0 takes the nearest pixel, 1 interpolates linearly.

    input: [n₁, …, n_d]; coordinates: d tensors of one shape, the result's. Pixels outside are
    cval ("constant"), the nearest ("nearest"), those of the image repeated ("wrap"), or mirrored
    about the outermost pixels' centres ("mirror") or edges ("reflect"). "constant" and "wrap" are
    what SciPy calls "grid-constant" and "grid-wrap", as in JAX.

    >>> import lazir as lz
    >>> from lazir.scipy.ndimage import map_coordinates
    >>> map_coordinates(lz.Tensor([1.0, 3.0]), [lz.Tensor([0.5, 0.25])], order=1).tolist()
    [2.0, 1.5]
    """
    image = lnp.asarray(input)
    places = [lnp.asarray(c) for c in coordinates]
    if mode not in _MODES:
        fail(f"map_coordinates has the modes {', '.join(_MODES)}, not {mode!r}")
    if order not in (0, 1):
        fail(f"map_coordinates has the orders 0 and 1, not {order!r}")
    if len(places) != image.ndim:
        fail(f"map_coordinates: an image of rank {image.ndim} has {len(places)} coordinates")
    axes = [_neighbours(p, order) for p in places]
    total: Any = 0
    for corner in itertools.product(*axes):
        weight = functools.reduce(lnp.multiply, [w for _, w in corner])
        total = total + weight * _pixel(image, [k for k, _ in corner], mode, cval)
    if not lnp.isdtype(image.dtype, ("real floating", "complex floating")):
        total = lnp.round(total)
    return lnp.asarray(total).astype(image.dtype)


def _neighbours(place: Tensor, order: int) -> list[tuple[Tensor, Any]]:
    """Whole coordinates on an axis, and the weight of each."""
    if not lnp.isdtype(place.dtype, "real floating"):
        return [(place, 1)]
    if order == 0:
        return [(lnp.floor(place + 0.5).astype("int64"), 1)]
    low = lnp.floor(place)
    upper = place - low
    at = low.astype("int64")
    return [(at, 1 - upper), (at + 1, upper)]


def _pixel(image: Tensor, at: Sequence[Tensor], mode: str, cval: Any) -> Tensor:
    inside: Any = True
    found = []
    for k, n in zip(at, image.shape):
        if mode == "constant":
            inside = inside & (k >= 0) & (k < n)
        found.append(_fixed(k, n, mode))
    value = image[tuple(found)]
    return lnp.where(inside, value, cval) if mode == "constant" else value


def _fixed(k: Tensor, n: int, mode: str) -> Tensor:
    """The pixel that stands for one outside."""
    if mode == "wrap":
        return k % n
    if mode == "mirror" and n > 1:
        around = k % (2 * n - 2)
        return lnp.minimum(around, 2 * n - 2 - around)
    if mode == "reflect":
        around = k % (2 * n)
        return lnp.minimum(around, 2 * n - 1 - around)
    return lnp.clip(k, 0, n - 1)


__all__ = ["map_coordinates"]
__dir__ = listing(__name__)
