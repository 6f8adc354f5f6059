"""Distributions by the inverse of their distribution function: one word for each number.

Takes: keys, parameters, shapes, dtypes. Gives: tensors. Must not know: rejection.
Formulas: Devroye, "Non-Uniform Random Variate Generation" (1986), chapter II.2; Michael, Schucany
and Haas (1976) for wald. Numbers are of the default type unless another is given; a negative
scale and the like is an error where it is a number, and gives NaN where it is a tensor.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import numpy as lnp
from ..apply import fail, operand, shape_of
from ..dtypes import float64
from ..tensor import Tensor
from .keys import split
from .parts import (
    check,
    common_shape,
    exponentials,
    float_dtype,
    known,
    normals,
    open_fractions,
    params,
    positive,
    signs,
    tails,
    where_valid,
    working,
)


def exponential(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Exponentially distributed numbers with rate 1: −log u.

    >>> import lazir as lz
    >>> bool((lz.random.exponential(lz.random.key(0), (100,)) > 0).all())
    True
    """
    kind = float_dtype(dtype, "exponential")
    return exponentials(key, shape_of(shape), working(kind)).astype(kind)


def gumbel(key: Any, shape: Any = (), dtype: Any = None, mode: Any = None) -> Tensor:
    """Numbers of the Gumbel distribution, −log(−log u).

    `mode` is None or "low" for 32 random bits a number of at most 32 bits, "high" for 64.

    >>> import lazir as lz
    >>> lz.random.gumbel(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind = float_dtype(dtype, "gumbel")
    if mode not in (None, "low", "high"):
        fail(f"lz.random.gumbel: mode is 'low' or 'high', got {mode!r}")
    inner = float64 if mode == "high" else working(kind)
    return (-lnp.log(exponentials(key, shape_of(shape), inner))).astype(kind)


def laplace(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Laplace's distribution: density ½·exp(−|x|).

    >>> import lazir as lz
    >>> lz.random.laplace(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind = float_dtype(dtype, "laplace")
    t, below = tails(key, shape_of(shape), working(kind))
    x = lnp.log(2 * t)
    return lnp.where(below, x, -x).astype(kind)


def logistic(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """The logistic distribution: log(u / (1 − u)).

    >>> import lazir as lz
    >>> lz.random.logistic(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind = float_dtype(dtype, "logistic")
    t, below = tails(key, shape_of(shape), working(kind))
    x = lnp.log(t / (1 - t))
    return lnp.where(below, x, -x).astype(kind)


def cauchy(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Cauchy's distribution: density 1/(π(1 + x²)), from cot(πu).

    >>> import lazir as lz
    >>> lz.random.cauchy(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind = float_dtype(dtype, "cauchy")
    t, below = tails(key, shape_of(shape), working(kind))
    x = 1 / lnp.tan(math.pi * t)
    return lnp.where(below, -x, x).astype(kind)


def pareto(key: Any, b: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Pareto's distribution on [1, ∞): density b·x^(−b−1).

    >>> import lazir as lz
    >>> bool((lz.random.pareto(lz.random.key(0), 2.0, (9,)) >= 1).all())
    True
    """
    positive("pareto", b=b)
    kind, size, (power,) = params("pareto", dtype, shape, b)
    x = lnp.exp(exponentials(key, size, working(kind)) / power)
    return where_valid(power > 0, x, kind)


def rayleigh(key: Any, scale: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Rayleigh's distribution: scale·√(−2·log u).

    >>> import lazir as lz
    >>> bool((lz.random.rayleigh(lz.random.key(0), 2.0, (9,)) >= 0).all())
    True
    """
    positive("rayleigh", scale=scale)
    kind, size, (width,) = params("rayleigh", dtype, shape, scale)
    x = width * lnp.sqrt(2 * exponentials(key, size, working(kind)))
    return where_valid(width > 0, x, kind)


def weibull_min(
    key: Any, scale: Any, concentration: Any, shape: Any = None, dtype: Any = None
) -> Tensor:
    """Weibull's distribution of minima: scale·(−log u)^(1/concentration).

    >>> import lazir as lz
    >>> bool((lz.random.weibull_min(lz.random.key(0), 2.0, 1.5, (9,)) >= 0).all())
    True
    """
    positive("weibull_min", scale=scale, concentration=concentration)
    kind, size, (width, power) = params("weibull_min", dtype, shape, scale, concentration)
    x = width * exponentials(key, size, working(kind)) ** (1 / power)
    return where_valid((width > 0) & (power > 0), x, kind)


def triangular(
    key: Any, left: Any, mode: Any, right: Any, shape: Any = None, dtype: Any = None
) -> Tensor:
    """The triangular distribution on [left, right], densest at mode.

    >>> import lazir as lz
    >>> x = lz.random.triangular(lz.random.key(0), 0.0, 1.0, 3.0, (99,))
    >>> bool(((x >= 0) & (x <= 3)).all())
    True
    """
    kind, size, (a, c, b) = params("triangular", dtype, shape, left, mode, right)
    if known(left, mode, right):
        low, top, high = np.asarray(left), np.asarray(mode), np.asarray(right)
        inside = (low <= top) & (top <= high) & (low < high)
        check("triangular", "mode", mode, inside, f"in [{left}, {right}], which is not empty")
    u = open_fractions(key, size, working(kind))
    lower = a + lnp.sqrt(u * (b - a) * (c - a))
    upper = b - lnp.sqrt((1 - u) * (b - a) * (b - c))
    valid = (a <= c) & (c <= b) & (a < b)
    return where_valid(valid, lnp.where(u * (b - a) < c - a, lower, upper), kind)


def lognormal(key: Any, sigma: Any = 1.0, shape: Any = None, dtype: Any = None) -> Tensor:
    """exp(sigma·z) of normal numbers z.

    >>> import lazir as lz
    >>> bool((lz.random.lognormal(lz.random.key(0), 0.5, (9,)) > 0).all())
    True
    """
    if known(sigma):
        check("lognormal", "sigma", sigma, np.asarray(sigma) >= 0, "0 or more")
    kind, size, (width,) = params("lognormal", dtype, shape, sigma)
    return where_valid(width >= 0, lnp.exp(width * normals(key, size, working(kind))), kind)


def wald(key: Any, mean: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Wald's (inverse Gaussian) distribution of scale 1, by Michael, Schucany and Haas (1976).

    >>> import lazir as lz
    >>> bool((lz.random.wald(lz.random.key(0), 2.0, (9,)) > 0).all())
    True
    """
    positive("wald", mean=mean)
    kind, size, (m,) = params("wald", dtype, shape, mean)
    first, second = split(key)
    half = normals(first, size, working(kind)) ** 2 * m / 2
    # the smaller root m·(1 + h − √(h² + 2h)), without the difference that cancels
    x = m / (1 + half + lnp.sqrt(half * (half + 2)))
    u = open_fractions(second, size, working(kind))
    return where_valid(m > 0, lnp.where(u * (m + x) <= m, x, m * m / x), kind)


def maxwell(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Maxwell's distribution: the length of a vector of three normal numbers.

    >>> import lazir as lz
    >>> bool((lz.random.maxwell(lz.random.key(0), (9,)) >= 0).all())
    True
    """
    kind = float_dtype(dtype, "maxwell")
    z = normals(key, (3, *shape_of(shape)), working(kind))
    return lnp.sqrt(z[0] * z[0] + z[1] * z[1] + z[2] * z[2]).astype(kind)


def double_sided_maxwell(
    key: Any, loc: Any, scale: Any, shape: Any = (), dtype: Any = None
) -> Tensor:
    """loc + scale·x of x of Maxwell's distribution with a random sign.

    The result has the shape `shape` + the parameters' shape, as JAX's.

    >>> import lazir as lz
    >>> lz.random.double_sided_maxwell(lz.random.key(0), 0.0, 1.0, (2,)).shape
    (2,)
    """
    what = "double_sided_maxwell"
    positive(what, scale=scale)
    size = (*shape_of(shape), *common_shape(what, operand(loc).shape, operand(scale).shape))
    kind, _, (at, width) = params(what, dtype, size, loc, scale)
    first, second = split(key)
    x = maxwell(first, size, working(kind))
    return where_valid(width > 0, at + width * lnp.where(signs(second, size), -x, x), kind)
