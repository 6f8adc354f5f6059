"""Images looked up at computed places: spatial transformers (Jaderberg et al., 2015).

Takes: images (batch, channels, space), places between −1 and 1, the last axis first (x, y, z).
Gives: images. Must not know: modules.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, promote, tensor
from ..slots import Literal
from ..tensor import Tensor


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Places for `grid_sample` from affine maps `theta` (batch, 2, 3), or (batch, 3, 4).

    `size` is the shape of the result of grid_sample, (batch, channels, …). With `align_corners` −1
    and 1 are the centres of the outermost elements, else their outer edges.

    >>> import lazir as lz
    >>> theta = lz.Tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> print(lz.nn.functional.affine_grid(theta, (1, 1, 1, 2))[0, 0])
    [[-0.5  0. ]
     [ 0.5  0. ]]
    """
    x = tensor(promote(theta, inexact=True).values[0])
    space = tuple(int(n) for n in size[2:])
    rank = len(space)
    if rank not in (2, 3) or x.shape != (int(size[0]), rank, rank + 1):
        fail(f"affine_grid: theta {x.shape} does not fit the size {tuple(size)}", ShapeError)
    axes = []
    for k, n in enumerate(space):
        width = Literal((n - 1) / 2 if align_corners else n / 2)
        steps = lnp.arange(n).astype(x.dtype) - Literal((n - 1) / 2)
        shape = [1] * rank
        shape[k] = n
        line = steps / width if n > 1 or not align_corners else lnp.zeros_like(steps)
        axes.append(lnp.broadcast_to(lnp.reshape(line, shape), space))
    base = lnp.reshape(lnp.stack([*axes[::-1], lnp.ones_like(axes[0])], -1), (-1, rank + 1))
    places = lnp.einsum("pk,njk->npj", base, x)
    return lnp.reshape(places, (x.shape[0], *space, rank))


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros",
    align_corners: bool = False,
) -> Tensor:  # fmt: skip
    """The images `input` (batch, channels, …) at the places `grid` (batch, …, 2 or 3).

    `mode`: bilinear (over two or three axes) or nearest. `padding_mode`, for places outside: zeros,
    border (the nearest element), reflection.

    >>> import lazir as lz
    >>> x, grid = lz.Tensor([[[[1.0, 3.0]]]]), lz.Tensor([[[[0.0, 0.0], [0.5, 0.0]]]])
    >>> print(lz.nn.functional.grid_sample(x, grid))
    [[[[2. 3.]]]]
    """
    x, places = (tensor(promote(v, inexact=True).values[0]) for v in (input, grid))
    rank = len(x.shape) - 2
    if rank not in (2, 3) or len(places.shape) != rank + 2 or places.shape[-1] != rank:
        fail(f"grid_sample: places {places.shape} do not fit images {x.shape}", ShapeError)
    if places.shape[0] != x.shape[0] or 0 in x.shape[2:]:
        fail(f"grid_sample: places {places.shape} do not fit images {x.shape}", ShapeError)
    if mode not in ("bilinear", "nearest"):
        fail(f"grid_sample: mode is 'bilinear' or 'nearest', not {mode!r}")
    if padding_mode not in ("zeros", "border", "reflection"):
        fail(
            f"grid_sample: padding_mode is 'zeros', 'border' or 'reflection', not {padding_mode!r}"
        )
    space = x.shape[2:]
    coordinates = [
        _coordinate(places[..., rank - 1 - k], n, padding_mode, align_corners)
        for k, n in enumerate(space)
    ]
    if mode == "nearest":
        return _looked_up(x, [lnp.rint(c.detach()) for c in coordinates], Literal(1.0))
    low = [lnp.floor(c.detach()) for c in coordinates]
    total: Any = None
    for corner in itertools.product((0, 1), repeat=rank):
        shares = [
            c - start if up else start + Literal(1.0) - c
            for c, start, up in zip(coordinates, low, corner)
        ]
        weight = math.prod(shares[1:], start=shares[0])
        corners = [start + Literal(float(up)) for start, up in zip(low, corner)]
        part = _looked_up(x, corners, lnp.expand_dims(weight, 1))
        total = part if total is None else total + part
    return lnp.asarray(total)


def _coordinate(place: Tensor, n: int, padding_mode: str, align_corners: bool) -> Tensor:
    """A position counted in elements, from one between −1 and 1."""
    if align_corners:
        found = (place + Literal(1.0)) * Literal((n - 1) / 2)
    else:
        found = ((place + Literal(1.0)) * Literal(float(n)) - Literal(1.0)) * Literal(0.5)
    if padding_mode == "zeros":
        return found
    if padding_mode == "reflection":
        low = 0.0 if align_corners else -0.5
        span = float(n - 1) if align_corners else float(n)
        if span == 0:
            return lnp.zeros_like(found)
        # A triangle wave: there and back is twice the span
        away = lnp.mod(lnp.abs(found - Literal(low)), Literal(2 * span))
        found = lnp.where(away > Literal(span), Literal(2 * span) - away, away) + Literal(low)
    held = lnp.clip(found.detach(), 0.0, float(n - 1))
    # Outside of the image the derivative is 0, on its border as outside (PyTorch's rule)
    inside = (found > Literal(0.0)) & (found < Literal(float(n - 1)))
    return lnp.where(inside, found, held)


def _looked_up(x: Tensor, corners: Sequence[Tensor], weight: Any) -> Tensor:
    """The elements at whole coordinates, times their weight; 0 outside of the image."""
    space = x.shape[2:]
    flat: Any = lnp.zeros_like(corners[0], "int64")
    inside: Any = lnp.ones_like(corners[0], "bool")
    for c, n in zip(corners, space):
        inside = inside & (c >= Literal(0.0)) & (c <= Literal(float(n - 1)))
        flat = flat * Literal(n) + lnp.clip(c, 0.0, float(n - 1)).astype("int64")
    shape = flat.shape
    rows = lnp.reshape(x, (*x.shape[:2], math.prod(space)))
    index = lnp.reshape(flat, (shape[0], 1, math.prod(shape[1:])))
    wide = lnp.broadcast_to(index, (shape[0], x.shape[1], index.shape[2]))
    found = lnp.take_along_axis(rows, wide, axis=2)
    found = lnp.reshape(found, (*x.shape[:2], *shape[1:]))
    return lnp.where(lnp.expand_dims(inside, 1), found * weight, Literal(0.0))
