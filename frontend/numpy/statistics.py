"""Covariance, correlation, histograms of several variables.

Takes: tensors, arrays. Gives: tensors. Must not know: kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from ..apply import as_tensor, fail, operand
from ..dtypes import as_dtype, promote_types, to_inexact
from ..tensor import Tensor
from .arithmetic import clip
from .counting import bincount, histogram_bin_edges
from .functions import sqrt
from .linear import matmul
from .logic import where
from .manipulation import atleast_2d, concatenate, reshape, stack, transpose
from .matrices import diagonal
from .reduction import average
from .search import searchsorted


def _variables(m: Any, y: Any, rowvar: bool, dtype: Any) -> Tensor:
    """The observations as a matrix with one row for each variable."""
    parts = []
    wanted = as_dtype(dtype) if dtype is not None else None
    if wanted is None:
        wanted = to_inexact(operand(m).dtype)
        if y is not None:
            wanted = promote_types(wanted, to_inexact(operand(y).dtype))
    for item in (m, y):
        if item is None:
            continue
        x = as_tensor(item).astype(wanted)
        if len(x.shape) > 2:
            fail(f"cov takes vectors and matrices of observations, got shape {x.shape}", ShapeError)
        rows = atleast_2d(x)
        parts.append(transpose(rows) if not rowvar and len(x.shape) == 2 else rows)
    return parts[0] if len(parts) == 1 else concatenate(parts, 0)


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """The covariance matrix of variables in rows (in columns with `rowvar=False`).

    `bias` divides by n instead of n − 1, `ddof` by n − ddof. `fweights`: how often each observation
    counts; `aweights`: how much.

    >>> import lazir.numpy as lnp
    >>> print(lnp.cov(lnp.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])))
    [[ 1. -1.]
     [-1.  1.]]
    """
    x = _variables(m, y, rowvar, dtype)
    count = x.shape[1]
    freedom = (0 if bias else 1) if ddof is None else ddof
    weights: Any = None
    for given, name in ((fweights, "fweights"), (aweights, "aweights")):
        if given is not None:
            w = as_tensor(given)
            if w.shape != (count,):
                fail(f"cov: {name} {w.shape} do not fit {count} observations", ShapeError)
            weights = w.astype(x.dtype) if weights is None else weights * w.astype(x.dtype)
    mean = average(x, axis=1, weights=weights)
    if weights is None:
        total: Any = None
        factor: Any = max(count - freedom, 0)
    else:
        total = weights.sum()
        if aweights is None or freedom == 0:
            factor = total - freedom
        else:
            spread = (weights * as_tensor(aweights).astype(x.dtype)).sum()
            factor = total - freedom * spread / total
        factor = clip(factor, 0)
    centred = x - reshape(mean, (-1, 1))
    other = centred if weights is None else centred * weights
    product = matmul(centred, transpose(other).conj())
    found = product / as_tensor(factor).astype(x.dtype)
    return found.squeeze()


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """The correlation coefficients of variables in rows (in columns with `rowvar=False`).

    >>> import lazir.numpy as lnp
    >>> print(lnp.corrcoef(lnp.array([0.0, 1.0, 3.0]), lnp.array([0.0, 2.0, 6.0])))
    [[1. 1.]
     [1. 1.]]
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.shape:
        return c / c
    deviation = sqrt(diagonal(c).real)
    c = c / reshape(deviation, (-1, 1)) / deviation
    return c if c.dtype.is_complex else clip(c, -1, 1)


# -- histograms --------------------------------------------------------------------------
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Tensor, list[Tensor]]:
    """How many points fall into each box of a grid, and the edges along each axis.

    `sample`: one row for each point, or a list of one vector for each axis. `bins`: a number of
    bins, or one number or vector of rising edges for each axis. `range`: (low, high) for each axis.

    >>> import lazir.numpy as lnp
    >>> counts, edges = lnp.histogramdd(lnp.array([[0.0, 0.0], [1.0, 1.0]]), bins=2)
    >>> print(counts)
    [[1. 0.]
     [0. 1.]]
    """
    points = stack(sample, 1) if isinstance(sample, list | tuple) else as_tensor(sample)
    if len(points.shape) == 1:
        points = reshape(points, (-1, 1))
    if len(points.shape) != 2:
        fail(f"histogramdd needs points as rows of a matrix, got shape {points.shape}", ShapeError)
    dims = points.shape[1]
    many = list(bins) if isinstance(bins, list | tuple) else [bins] * dims
    if len(many) != dims or (range is not None and len(range) != dims):
        fail(f"histogramdd: bins and range have one entry for each of {dims} axes")
    edges, sizes = [], []
    place: Any = 0
    inside: Any = None
    for k in np.arange(dims).tolist():
        column = points[:, k]
        edge = histogram_bin_edges(column, many[k], None if range is None else range[k])
        count = edge.shape[0] - 1
        at = searchsorted(edge, column, "right") - 1
        at = where(column == edge[-1], count - 1, at)
        good = (at >= 0) & (at < count) & (column == column)
        inside = good if inside is None else inside & good
        place = place * count + at
        edges.append(edge)
        sizes.append(count)
    total = math.prod(sizes)
    given = None if weights is None else as_tensor(weights)
    counts = bincount(where(inside, place, total), given, length=total)
    result = counts.astype(to_inexact(counts.dtype)).reshape(sizes)
    if density:
        whole = result.sum()
        for k, edge in enumerate(edges):
            width = edge[1:] - edge[:-1]
            result = result / width.reshape([-1 if d == k else 1 for d in np.arange(dims).tolist()])
        result = result / whole
    return result, edges


def histogram2d(
    x: Any,
    y: Any,
    bins: Any = 10,
    range: Any = None,
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """How many points (x, y) fall into each box of a grid, and the edges along both axes.

    `bins`: a number for both axes, edges for both axes, or a pair of these.

    >>> import lazir.numpy as lnp
    >>> counts, _, _ = lnp.histogram2d(lnp.array([0.0, 1.0]), lnp.array([0.0, 1.0]), bins=2)
    >>> print(counts)
    [[1. 0.]
     [0. 1.]]
    """
    pair = isinstance(bins, list | tuple) and len(bins) == 2
    both = list(bins) if pair else [bins, bins]
    counts, (first, second) = histogramdd(
        [as_tensor(x), as_tensor(y)], both, range, density, weights
    )
    return counts, first, second
