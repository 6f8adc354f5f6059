"""Elements replaced where NumPy would write in place: `put`, `place`, `copyto`, `fill_diagonal`.

Takes: a tensor, places, new values. Gives: the tensor, which then stands for the new elements, as
after `x[i] = v`; with `inplace=False` another tensor, and the first one stays. Must not know:
buffers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from ..apply import as_tensor, fail, operand
from ..tensor import Tensor
from . import indexing
from .cumulative import cumsum
from .logic import where
from .logic import where as choice
from .manipulation import broadcast_to, ravel, reshape
from .output import check_kind, written
from .ranges import arange
from .rearrange import tile
from .taking import moved_inside


def put(a: Any, ind: Any, v: Any, mode: str = "raise", *, inplace: bool = True) -> Tensor:
    """Sets the elements at flat positions `ind` to the values `v`, repeated if they are fewer.

    `mode`: "clip" or "wrap" for positions outside; by default those that are known raise.

    >>> import lazir.numpy as lnp
    >>> x = lnp.zeros((2, 2))
    >>> print(lnp.put(x, [0, 3], 5))
    [[5. 0.]
     [0. 5.]]
    """
    x, places = as_tensor(a), ravel(ind)
    n = places.shape[0]
    values = ravel(as_tensor(v).astype(x.dtype))
    if n and not values.shape[0]:
        fail("put: there are no values", ShapeError)
    if values.shape[0] not in (1, n):
        values = tile(values, -(-n // max(values.shape[0], 1)))[:n]
    if mode in ("clip", "wrap"):
        places = moved_inside(places, math.prod(x.shape), mode)
    elif mode != "raise":
        fail(f"put: mode is 'raise', 'wrap' or 'clip', got {mode!r}")
    result = ravel(x)
    if n:
        result = indexing.write(result, places.astype("int64"), values)
    return written(a, reshape(result, x.shape), inplace, "put")


def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Tensor:
    """Sets the elements where the mask holds to the first, second, … of `vals`, repeated.

    >>> import lazir.numpy as lnp
    >>> x = lnp.arange(4)
    >>> print(lnp.place(x, x > 1, [7]))
    [0 1 7 7]
    """
    x, flags = as_tensor(arr), as_tensor(mask) != 0
    values = ravel(as_tensor(vals).astype(x.dtype))
    if math.prod(flags.shape) != math.prod(x.shape):
        fail(f"place: a mask of shape {flags.shape} does not fit shape {x.shape}", ShapeError)
    flags = reshape(flags, x.shape)
    n = values.shape[0]
    if n == 0:
        fail("place: there are no values", ShapeError)
    rank = cumsum(ravel(flags)) - 1
    chosen = reshape(values[rank % n], x.shape) if math.prod(x.shape) else x
    return written(arr, where(flags, chosen, x), inplace, "place")


def putmask(a: Any, mask: Any, values: Any, *, inplace: bool = True) -> Tensor:
    """Sets the elements where the mask holds to those of `values` at the same flat positions.

    >>> import lazir.numpy as lnp
    >>> x = lnp.arange(4)
    >>> print(lnp.putmask(x, x > 1, x * x))
    [0 1 4 9]
    """
    x, flags = as_tensor(a), as_tensor(mask) != 0
    if flags.shape != x.shape:
        fail(f"putmask: a mask of shape {flags.shape} does not fit shape {x.shape}", ShapeError)
    new = ravel(as_tensor(values).astype(x.dtype))
    count, n = math.prod(x.shape), new.shape[0]
    if not n or not count:
        return written(a, x, inplace, "putmask")
    if n != count:
        new = new[arange(count) % n]
    return written(a, where(flags, reshape(new, x.shape), x), inplace, "putmask")


def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Sets the elements of `dst` to those of `src`, broadcast; only where `where` holds.

    TypeRuleError where the kind of number would be lost, unless `casting="unsafe"`.

    >>> import lazir.numpy as lnp
    >>> x = lnp.zeros(3)
    >>> lnp.copyto(x, 5, where=lnp.array([True, False, True]))
    >>> print(x)
    [5. 0. 5.]
    """
    target = operand(dst)
    check_kind(operand(src).dtype, target.dtype, casting, "copyto")
    new = broadcast_to(as_tensor(src, target.dtype), target.shape)
    if where is not True:
        new = choice(where, new, dst)
    written(dst, new, True, "copyto")


def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Tensor:
    """Sets the main diagonal of a matrix, or of a cube of any rank, to `val`, repeated.

    `wrap`: in a matrix that is higher than wide, another diagonal starts after one row between.

    >>> import lazir.numpy as lnp
    >>> print(lnp.fill_diagonal(lnp.zeros((2, 2)), 5))
    [[5. 0.]
     [0. 5.]]
    """
    x = as_tensor(a)
    shape = x.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) != 1):
        fail(f"fill_diagonal needs a matrix, or more axes of one size; got {shape}", ShapeError)
    step = 1 + sum(math.prod(shape[k:]) for k in range(1, len(shape)))
    end = math.prod(shape)
    if len(shape) == 2 and not wrap:
        end = min(end, shape[1] * shape[1])
    places = np.arange(0, end, step)
    values = ravel(as_tensor(val).astype(x.dtype))
    n, m = len(places), values.shape[0]
    if n and not m:
        fail("fill_diagonal: there are no values", ShapeError)
    if m not in (1, n) and n:
        values = tile(values, -(-n // m))[:n]
    result = indexing.write(ravel(x), slice(0, end, step), values) if n else ravel(x)
    return written(a, reshape(result, shape), inplace, "fill_diagonal")
