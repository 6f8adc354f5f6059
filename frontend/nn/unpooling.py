"""Maxima put back where they were: the inverse of max pooling with `return_indices`.

Takes: tensors of layout batch, channels, space; the batch axis may be missing. Gives: tensors.
Must not know: how maxima are computed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail
from ..tensor import Tensor
from .windows import each, of_rank


def _unpool(
    rank: int, input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    output_size: Any = None,
) -> Tensor:  # fmt: skip
    x, places = lnp.asarray(input), lnp.asarray(indices)
    if len(x.shape) not in (rank + 1, rank + 2) or places.shape != x.shape:
        fail(f"max_unpool{rank}d: maxima {x.shape} and indices {places.shape} do not fit",
             ShapeError)  # fmt: skip
    sizes = each(kernel_size, rank, "kernel_size")
    steps = sizes if stride is None else each(stride, rank, "stride")
    widths = each(padding, rank, "padding")
    lead, counts = x.shape[:-rank], x.shape[-rank:]
    if output_size is None:
        space = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(counts, steps, widths, sizes))
    else:
        space = tuple(int(n) for n in output_size)[-rank:]
    rows = math.prod(lead)
    at = lnp.reshape(places, (rows, math.prod(counts)))
    which = np.arange(rows)[:, None]
    flat = lnp.zeros((rows, math.prod(space)), x.dtype)
    made = flat.at[which, at].set(lnp.reshape(x, at.shape))
    return lnp.reshape(made, (*lead, *space))


_UNPOOL = """Zeros, with the elements of `input` at `indices`, positions as max_pool{rank}d gives.

    `output_size` decides where several sizes would give the same windows.

    >>> import lazir as lz
    >>> x = lz.Tensor([4.0, 3.0]).reshape(1, {ones}2)
    >>> i = lz.Tensor([1, 2]).reshape(1, {ones}2)
    >>> lz.nn.functional.max_unpool{rank}d(x, i, {window}).ravel().tolist()
    [0.0, 4.0, 3.0, 0.0]
    """


def _doc(template: str, rank: int) -> str:
    window = "2" if rank == 1 else f"({'1, ' * (rank - 1)}2)"
    return template.format(rank=rank, ones="1, " * (rank - 1), window=window)


max_unpool1d = of_rank(1, _unpool, "max_unpool1d", _doc(_UNPOOL, 1))
max_unpool2d = of_rank(2, _unpool, "max_unpool2d", _doc(_UNPOOL, 2))
max_unpool3d = of_rank(3, _unpool, "max_unpool3d", _doc(_UNPOOL, 3))
