"""Random vectors and matrices by linear algebra.

Takes: keys, means, covariances, shapes. Gives: tensors. Must not know: how words are made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from .. import linalg
from .. import numpy as lnp
from ..apply import fail, operand, shape_of
from ..dtypes import as_dtype, default_float
from ..tensor import Tensor
from .floats import normal
from .parts import float_dtype, normals, real, sized, working

_METHODS = ("cholesky", "eigh", "svd")


def multivariate_normal(
    key: Any,
    mean: Any,
    cov: Any,
    shape: Any = None,
    dtype: Any = None,
    method: str = "cholesky",
) -> Tensor:
    """Normal vectors with a mean (…, n) and a covariance (…, n, n): mean + L·z with L·Lᵀ = cov.

    `shape` is what stands before the last axis, to which the parameters' broadcast. `method` is how
    L is found: "cholesky" needs a positive definite matrix (NaN for others); "eigh" and "svd" take
    singular ones.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.random.multivariate_normal(lz.random.key(0), lnp.zeros(2), lnp.eye(2), (5,)).shape
    (5, 2)
    """
    kind = float_dtype(dtype, "multivariate_normal")
    if method not in _METHODS:
        fail(f"multivariate_normal: method is one of {', '.join(_METHODS)}, got {method!r}")
    centre, spread = operand(mean).shape, operand(cov).shape
    if not centre or len(spread) < 2 or spread[-2:] != centre[-1:] * 2:
        fail(
            "multivariate_normal takes a mean of shape (…, n) and a covariance of shape (…, n, n), "
            f"got {centre} and {spread}",
            ShapeError,
        )
    size = sized("multivariate_normal", shape, centre[:-1], spread[:-2])
    inner = working(kind)
    factor = _factor(real("multivariate_normal", cov, inner), method)
    z = normals(key, (*size, centre[-1]), inner)
    moved = (factor @ z[..., None])[..., 0]
    return (real("multivariate_normal", mean, inner) + moved).astype(kind)


def _factor(cov: Tensor, method: str) -> Tensor:
    """A matrix L with L·Lᵀ = cov."""
    if method == "cholesky":
        return linalg.cholesky(cov)
    if method == "eigh":
        w, v = linalg.eigh(cov)
        return v * lnp.sqrt(lnp.maximum(w, 0.0))[..., None, :]
    u, s, _ = linalg.svd(cov)
    return u * lnp.sqrt(s)[..., None, :]


def orthogonal(
    key: Any, n: int, shape: Any = (), dtype: Any = None, m: int | None = None
) -> Tensor:
    """Orthogonal matrices, uniformly (by Haar's measure): a tensor of shape `shape` + (n, m), where
    m is n if it is left out. Of unequal sides the shorter ones are orthonormal.

    From the QR decomposition of normal numbers, with signs that make it unique (Mezzadri, "How to
    generate random matrices from the classical compact groups", 2007).

    >>> import lazir as lz
    >>> q = lz.random.orthogonal(lz.random.key(0), 3)
    >>> bool((abs(q @ q.T - lz.numpy.eye(3)) < 1e-6).all())
    True
    """
    kind = default_float() if dtype is None else as_dtype(dtype)
    if kind.is_complex:
        fail("lz.random.orthogonal makes real matrices: lz.linalg has no QR of complex ones")
    float_dtype(kind, "orthogonal")
    sides = (n, n if m is None else m)
    if not all(isinstance(side, int | np.integer) and side >= 0 for side in sides):
        fail(f"orthogonal: n and m are integers, 0 or more, got {sides}", ShapeError)
    tall, short = max(sides), min(sides)
    q, r = linalg.qr(normal(key, (*shape_of(shape), tall, short), working(kind)))
    sign = lnp.where(linalg.diagonal(r) < 0, -1.0, 1.0)
    q = q * sign[..., None, :]
    return (q if sides[0] >= sides[1] else lnp.swapaxes(q, -1, -2)).astype(kind)
