"""Triangles and diagonals: their indices, and matrices made of them.

Takes: sizes, tensors. Gives: tensors. Must not know: kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from ..apply import as_tensor, fail, lift, operand, tensor
from ..dtypes import accumulator
from ..tensor import Tensor
from .counting import nonzero
from .creation import asarray, ones, ones_like
from .cumulative import running
from .manipulation import broadcast_to, concatenate, ravel
from .matrices import diag
from .rearrange import flip


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Tensor, Tensor]:
    """Row and column numbers of the elements at and below diagonal k of an n × m matrix.

    >>> import lazir.numpy as lnp
    >>> rows, columns = lnp.tril_indices(2)
    >>> print(rows, columns)
    [0 1 1] [0 0 1]
    """
    rows, columns = np.tril_indices(n, k, m)
    return asarray(rows), asarray(columns)


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Tensor, Tensor]:
    """Row and column numbers of the elements at and above diagonal k of an n × m matrix.

    >>> import lazir.numpy as lnp
    >>> rows, columns = lnp.triu_indices(2)
    >>> print(rows, columns)
    [0 0 1] [0 1 1]
    """
    rows, columns = np.triu_indices(n, k, m)
    return asarray(rows), asarray(columns)


def _matrix_shape(arr: Any, name: str) -> tuple[int, int]:
    shape = operand(arr).shape
    if len(shape) != 2:
        fail(f"{name} needs a matrix, got shape {shape}", ShapeError)
    return shape[0], shape[1]


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Tensor, Tensor]:
    """`tril_indices` for the shape of a matrix.

    >>> import lazir.numpy as lnp
    >>> print(lnp.tril_indices_from(lnp.zeros((2, 2)))[0])
    [0 1 1]
    """
    n, m = _matrix_shape(arr, "tril_indices_from")
    return tril_indices(n, k, m)


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Tensor, Tensor]:
    """`triu_indices` for the shape of a matrix.

    >>> import lazir.numpy as lnp
    >>> print(lnp.triu_indices_from(lnp.zeros((2, 2)))[0])
    [0 0 1]
    """
    n, m = _matrix_shape(arr, "triu_indices_from")
    return triu_indices(n, k, m)


def mask_indices(
    n: int, mask_func: Callable[..., Any], k: int = 0, *, size: int | None = None
) -> tuple[Tensor, Tensor]:
    """Where `mask_func(ones((n, n)), k)` is not zero, such as for `mask_func = tril`.

    >>> import lazir.numpy as lnp
    >>> print(lnp.mask_indices(2, lnp.triu)[1])
    [0 1 1]
    """
    rows, columns = nonzero(mask_func(ones((n, n), "int64"), k), size=size)
    return rows, columns


def diag_indices(n: int, ndim: int = 2) -> tuple[Tensor, ...]:
    """The indices of the main diagonal of a cube of side n.

    >>> import lazir.numpy as lnp
    >>> print(lnp.eye(3)[lnp.diag_indices(3)])
    [1. 1. 1.]
    """
    places = asarray(np.arange(n))
    return (places,) * ndim


def diag_indices_from(arr: Any) -> tuple[Tensor, ...]:
    """`diag_indices` for the shape of a tensor whose axes are of one size.

    >>> import lazir.numpy as lnp
    >>> len(lnp.diag_indices_from(lnp.eye(3)))
    2
    """
    shape = operand(arr).shape
    if len(shape) < 2 or len(set(shape)) != 1:
        fail(f"diag_indices_from needs two or more axes of one size, got shape {shape}", ShapeError)
    return diag_indices(shape[0], len(shape))


def diagflat(v: Any, k: int = 0) -> Tensor:
    """A matrix with the elements of v, flattened, on its diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.diagflat(lnp.array([[1, 2]])))
    [[1 0]
     [0 2]]
    """
    return diag(ravel(v), k)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: the powers N − 1, …, 1, 0 of a vector as columns.

    >>> import lazir.numpy as lnp
    >>> print(lnp.vander(lnp.array([1, 2, 3]), 3))
    [[1 1 1]
     [4 2 1]
     [9 3 1]]
    """
    base = as_tensor(x)
    if len(base.shape) != 1:
        fail(f"vander needs a vector, got shape {base.shape}", ShapeError)
    base = base.astype(accumulator(base.dtype))
    n = base.shape[0]
    count = n if N is None else N
    if count < 0:
        fail(f"vander: N is 0 or more, got {count}", ShapeError)
    column = base.reshape(n, 1)
    if count == 0:
        return broadcast_to(column, (n, 1))[:, :0].copy()
    one = ones_like(column)
    factors = one if count == 1 else concatenate([one, broadcast_to(column, (n, count - 1))], 1)
    powers = tensor(running("cumprod", lift(operand(factors)), 1, "vander"))
    return powers if increasing else flip(powers, 1).copy()
