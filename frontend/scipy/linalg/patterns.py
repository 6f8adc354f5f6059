"""Matrices with a pattern: `block_diag`, `hilbert`, `toeplitz`.

Takes: sizes, vectors, matrices. Gives: tensors. Must not know: LAPACK.
"""

from __future__ import annotations

from typing import Any

from ... import numpy as lnp
from ...apply import as_tensor, fail
from ...tensor import Tensor


def block_diag(*arrs: Any) -> Tensor:
    """The matrix with the given ones along its diagonal and zeros elsewhere.

    A vector is a row, a number a matrix of one; leading axes broadcast.

    >>> from lazir.scipy.linalg import block_diag
    >>> print(block_diag([[1, 2]], 3))
    [[1 2 0]
     [0 0 3]]
    """
    blocks = [lnp.atleast_2d(as_tensor(a)) for a in arrs] or [lnp.zeros((1, 0))]
    dtype = lnp.result_type(*blocks)
    lead = lnp.broadcast_shapes(*(x.shape[:-2] for x in blocks))
    width = sum(x.shape[-1] for x in blocks)
    rows, before = [], 0
    for x in blocks:
        whole = lnp.broadcast_to(x.astype(dtype), (*lead, *x.shape[-2:]))
        after = width - before - x.shape[-1]
        rows.append(lnp.pad(whole, [(0, 0)] * (len(lead) + 1) + [(before, after)]))
        before += x.shape[-1]
    return lnp.concatenate(rows, axis=-2)


def hilbert(n: int) -> Tensor:
    """The n × n matrix with 1 / (i + j + 1) at row i, column j, from 0 on.

    >>> from lazir.scipy.linalg import hilbert
    >>> print(hilbert(2))
    [[1.         0.5       ]
     [0.5        0.33333334]]
    """
    places = lnp.arange(n)
    return 1 / (places[:, None] + places[None, :] + 1)


def toeplitz(c: Any, r: Any = None) -> Tensor:
    """The matrix with first column c, first row r and equal elements along diagonals.

    Without `r` it is c's conjugate. r[0] counts for nothing. Leading axes of c and r broadcast.

    >>> from lazir.scipy.linalg import toeplitz
    >>> print(toeplitz([1, 2, 3], [1, 4]))
    [[1 4]
     [2 1]
     [3 2]]
    """
    column = lnp.atleast_1d(as_tensor(c))
    row = lnp.conj(column) if r is None else lnp.atleast_1d(as_tensor(r))
    m, n = column.shape[-1], row.shape[-1]
    if m == 0 or n == 0:
        fail(f"toeplitz needs a column and a row that are not empty, got {m} and {n} elements")
    lead = lnp.broadcast_shapes(column.shape[:-1], row.shape[:-1])
    parts = (lnp.flip(row[..., 1:], axis=-1), column)
    dtype = lnp.result_type(column, row)
    line = lnp.concatenate(
        [lnp.broadcast_to(x.astype(dtype), (*lead, x.shape[-1])) for x in parts], axis=-1
    )
    places = lnp.arange(m)[:, None] - lnp.arange(n)[None, :] + n - 1
    return lnp.take(line, places, axis=-1)
