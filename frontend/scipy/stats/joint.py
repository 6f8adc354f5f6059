"""Distributions of vectors: multinomial, Dirichlet, multivariate normal.

Takes: tensors whose last axis is the vector. Gives: namespaces of functions, as SciPy has them.
Must not know: random numbers.
"""

from __future__ import annotations

import math
from typing import Any

from ... import linalg
from ... import numpy as lnp
from ... import special as sp
from ...apply import fail
from ...special.operands import floats
from ...tensor import Tensor


class multinomial:
    """Counts of n draws among classes of given probabilities."""

    @staticmethod
    def logpmf(x: Any, n: Any, p: Any) -> Tensor:
        """log n! + Σ (xᵢ log pᵢ − log xᵢ!); −inf where x does not sum to n. x, p: [..., classes].

        >>> from lazir.scipy.stats import multinomial
        >>> round(multinomial.logpmf([1, 2], 3, [0.5, 0.5]).item(), 4)
        -0.9808
        """
        x, p = floats("multinomial.logpmf", x, p)
        n = lnp.asarray(n, x.dtype)
        found = sp.gammaln(n + 1) + lnp.sum(sp.xlogy(x, p) - sp.gammaln(x + 1), axis=-1)
        good = (lnp.sum(x, axis=-1) == n) & lnp.all((x >= 0) & (x == lnp.floor(x)), axis=-1)
        return lnp.where(good, found, -lnp.inf)

    @staticmethod
    def pmf(x: Any, n: Any, p: Any) -> Tensor:
        """The probability; see `logpmf`."""
        return lnp.exp(multinomial.logpmf(x, n, p))


class dirichlet:
    """Shares that sum to 1, with density ∏ xᵢ^(αᵢ−1) / B(α)."""

    @staticmethod
    def logpdf(x: Any, alpha: Any) -> Tensor:
        """The logarithm of the density. x: [classes] or [classes − 1] (the last share is what is
        left), then any axes; alpha: [classes].

        >>> from lazir.scipy.stats import dirichlet
        >>> round(dirichlet.logpdf([0.25, 0.75], [2.0, 3.0]).item(), 4)
        0.5232
        """
        x, alpha = lnp.asarray(x), lnp.asarray(alpha)
        if x.shape[0] == alpha.shape[0] - 1:
            x = lnp.concatenate([x, 1 - lnp.sum(x, axis=0, keepdims=True)])
        if alpha.ndim != 1 or x.shape[:1] != alpha.shape:
            fail(f"dirichlet takes one share a class; x has shape {x.shape}, alpha {alpha.shape}")
        wide = alpha.reshape(-1, *(1,) * (x.ndim - 1))
        inside = lnp.all((x >= 0) & (x <= 1), axis=0) & (lnp.abs(lnp.sum(x, axis=0) - 1) < 1e-5)
        unit = lnp.sum(sp.gammaln(alpha)) - sp.gammaln(lnp.sum(alpha))
        found = lnp.sum(sp.xlogy(wide - 1, x), axis=0) - unit
        return lnp.where(inside, found, -lnp.inf)

    @staticmethod
    def pdf(x: Any, alpha: Any) -> Tensor:
        """The density; see `logpdf`."""
        return lnp.exp(dirichlet.logpdf(x, alpha))


class multivariate_normal:
    """Normal vectors with a mean and a covariance matrix."""

    @staticmethod
    def logpdf(x: Any, mean: Any = 0.0, cov: Any = 1.0, allow_singular: Any = None) -> Tensor:
        """The logarithm of the density, by Cholesky. x, mean: [..., n]; cov: [..., n, n], or a
        number or vector of independent variances. Where cov is not positive definite: NaN.

        >>> from lazir.scipy.stats import multivariate_normal
        >>> round(multivariate_normal.logpdf([0.0, 1.0], 0.0, [[1.0, 0.0], [0.0, 4.0]]).item(), 4)
        -2.656
        """
        if allow_singular:
            fail("multivariate_normal takes no singular cov; add a little to its diagonal")
        x, mean, cov = lnp.asarray(x), lnp.asarray(mean), lnp.asarray(cov)
        dtype = lnp.result_type(x, mean, cov, lnp.float32)
        x, mean, cov = x.astype(dtype), mean.astype(dtype), cov.astype(dtype)
        if cov.ndim < 2:
            each = -0.5 * (x - mean) ** 2 / cov - 0.5 * lnp.log(2 * math.pi * cov)
            return lnp.sum(each, axis=-1) if each.ndim else each
        n = cov.shape[-1]
        if cov.shape[-2] != n or (mean.ndim and mean.shape[-1] != n):
            fail(
                f"multivariate_normal: mean {mean.shape} and cov {cov.shape} do not fit each other"
            )
        factor = linalg.cholesky(cov)
        apart = x - mean
        shape = lnp.broadcast_shapes(apart.shape[:-1], cov.shape[:-2])
        wide = lnp.broadcast_to(apart, (*shape, n))[..., None]
        factors = lnp.broadcast_to(factor, (*shape, n, n))
        solved = linalg.solve_triangular(factors, wide, lower=True)[..., 0]
        logs = lnp.sum(lnp.log(lnp.diagonal(factor, axis1=-2, axis2=-1)), axis=-1)
        square = lnp.sum(solved * solved, axis=-1)
        density: Tensor = -0.5 * (square + n * math.log(2 * math.pi)) - logs
        return density

    @staticmethod
    def pdf(x: Any, mean: Any = 0.0, cov: Any = 1.0) -> Tensor:
        """The density; see `logpdf`."""
        return lnp.exp(multivariate_normal.logpdf(x, mean, cov))
