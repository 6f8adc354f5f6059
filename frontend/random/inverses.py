"""Distributions by the inverse of their distribution function: one word for each number.

Takes: keys, parameters, shapes, dtypes. Gives: tensors. Must not know: rejection.
Formulas: Devroye, "Non-Uniform Random Variate Generation" (1986), chapter II.2; Michael, Schucany
and Haas (1976) for wald.
"""

from __future__ import annotations

import math
from typing import Any

from .. import numpy as lnp
from ..apply import call, convert, operand, shape_of, tensor
from ..dtypes import float32
from ..numpy.parts import filled
from ..tensor import Tensor
from .floats import (
    check,
    float_dtype,
    normal,
    open_fraction,
    params,
    positive,
    small_fraction,
    uniform,
    where_valid,
    working,
)
from .keys import key_value, split, words


def exponential(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Exponentially distributed numbers with rate 1.

    >>> import lazir as lz
    >>> bool((lz.random.exponential(lz.random.key(0), (100,)) >= 0).all())
    True
    """
    return lnp.negative(lnp.log1p(lnp.negative(uniform(key, shape, dtype))))


def gumbel(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Numbers of the Gumbel distribution, −log(−log u).

    >>> import lazir as lz
    >>> lz.random.gumbel(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind = float_dtype(dtype, "gumbel")
    drawn = convert(words(key_value(key), shape_of(shape)), float32)
    u = call("mul", call("add", drawn, filled(0.5, drawn)), filled(2.0**-32, drawn))
    # 1 is not excluded after rounding; its −log is 0, and the outer log must not see that
    inner = call("maximum", call("neg", call("log", u)), filled(2.0**-33, u))
    return tensor(convert(call("neg", call("log", inner)), kind))


def _fractions(key: Any, shape: Any, dtype: Any, what: str) -> tuple[Any, Tensor]:
    """The dtype, and open fractions of the shape in its working dtype."""
    kind = float_dtype(dtype, what)
    return kind, open_fraction(key, shape_of(shape), working(kind))


def laplace(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Laplace's distribution: density ½·exp(−|x|).

    >>> import lazir as lz
    >>> lz.random.laplace(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind, u = _fractions(key, shape, dtype, "laplace")
    tail = 2 * lnp.minimum(u, 1 - u)
    return (lnp.sign(u - 0.5) * -lnp.log(tail)).astype(kind)


def logistic(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """The logistic distribution: log(u / (1 − u)).

    >>> import lazir as lz
    >>> lz.random.logistic(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind, u = _fractions(key, shape, dtype, "logistic")
    return (lnp.log(u) - lnp.log1p(-u)).astype(kind)


def cauchy(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Cauchy's distribution: tan(π(u − ½)).

    >>> import lazir as lz
    >>> lz.random.cauchy(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind, u = _fractions(key, shape, dtype, "cauchy")
    return lnp.tan(math.pi * (u - 0.5)).astype(kind)


def pareto(key: Any, b: Any, shape: Any = None, dtype: Any = "float32") -> Tensor:
    """Pareto's distribution on [1, ∞): density b·x^(−b−1).

    >>> import lazir as lz
    >>> bool((lz.random.pareto(lz.random.key(0), 2.0, (9,)) >= 1).all())
    True
    """
    positive("pareto", b=b)
    kind, size, (power,) = params("pareto", dtype, shape, b)
    x = lnp.exp(-lnp.log(small_fraction(key, size, working(kind))) / power)
    return where_valid(power > 0, x, kind)


def rayleigh(key: Any, scale: Any, shape: Any = None, dtype: Any = "float32") -> Tensor:
    """Rayleigh's distribution: scale·√(−2·log u).

    >>> import lazir as lz
    >>> bool((lz.random.rayleigh(lz.random.key(0), 2.0, (9,)) >= 0).all())
    True
    """
    positive("rayleigh", scale=scale)
    kind, size, (width,) = params("rayleigh", dtype, shape, scale)
    x = width * lnp.sqrt(-2 * lnp.log(small_fraction(key, size, working(kind))))
    return where_valid(width > 0, x, kind)


def weibull_min(
    key: Any, scale: Any, concentration: Any, shape: Any = None, dtype: Any = "float32"
) -> Tensor:
    """Weibull's distribution of minima: scale·(−log u)^(1/concentration).

    >>> import lazir as lz
    >>> bool((lz.random.weibull_min(lz.random.key(0), 2.0, 1.5, (9,)) >= 0).all())
    True
    """
    positive("weibull_min", scale=scale, concentration=concentration)
    kind, size, (width, power) = params("weibull_min", dtype, shape, scale, concentration)
    x = width * (-lnp.log(small_fraction(key, size, working(kind)))) ** (1 / power)
    return where_valid((width > 0) & (power > 0), x, kind)


def triangular(
    key: Any, left: Any, mode: Any, right: Any, shape: Any = None, dtype: Any = "float32"
) -> Tensor:
    """The triangular distribution on [left, right], densest at mode.

    >>> import lazir as lz
    >>> x = lz.random.triangular(lz.random.key(0), 0.0, 1.0, 3.0, (99,))
    >>> bool(((x >= 0) & (x <= 3)).all())
    True
    """
    kind, size, (a, c, b) = params("triangular", dtype, shape, left, mode, right)
    if all(isinstance(x, int | float) for x in (left, mode, right)):
        inside = left <= mode <= right and left < right
        check("triangular", "mode", mode, inside, f"in [{left}, {right}], which is not empty")
    u = open_fraction(key, size, working(kind))
    lower = a + lnp.sqrt(u * (b - a) * (c - a))
    upper = b - lnp.sqrt((1 - u) * (b - a) * (b - c))
    valid = (a <= c) & (c <= b) & (a < b)
    return where_valid(valid, lnp.where(u * (b - a) < c - a, lower, upper), kind)


def lognormal(key: Any, sigma: Any = 1.0, shape: Any = None, dtype: Any = "float32") -> Tensor:
    """exp(sigma·z) of normal numbers z.

    >>> import lazir as lz
    >>> bool((lz.random.lognormal(lz.random.key(0), 0.5, (9,)) > 0).all())
    True
    """
    if isinstance(sigma, int | float):
        check("lognormal", "sigma", sigma, sigma >= 0, "0 or more")
    kind, size, (width,) = params("lognormal", dtype, shape, sigma)
    return where_valid(width >= 0, lnp.exp(width * normal(key, size, working(kind))), kind)


def wald(key: Any, mean: Any, shape: Any = None, dtype: Any = "float32") -> Tensor:
    """Wald's (inverse Gaussian) distribution of scale 1, by Michael, Schucany and Haas (1976).

    >>> import lazir as lz
    >>> bool((lz.random.wald(lz.random.key(0), 2.0, (9,)) > 0).all())
    True
    """
    positive("wald", mean=mean)
    kind, size, (m,) = params("wald", dtype, shape, mean)
    first, second = split(key)
    half = normal(first, size, working(kind)) ** 2 * m / 2
    # the smaller root m·(1 + h − √(h² + 2h)), without the difference that cancels
    x = m / (1 + half + lnp.sqrt(half * (half + 2)))
    u = open_fraction(second, size, working(kind))
    return where_valid(m > 0, lnp.where(u * (m + x) <= m, x, m * m / x), kind)


def maxwell(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Maxwell's distribution: the length of a vector of three normal numbers.

    >>> import lazir as lz
    >>> bool((lz.random.maxwell(lz.random.key(0), (9,)) >= 0).all())
    True
    """
    kind = float_dtype(dtype, "maxwell")
    z = normal(key, (*shape_of(shape), 3), working(kind))
    return lnp.sqrt((z * z).sum(-1)).astype(kind)


def double_sided_maxwell(
    key: Any, loc: Any, scale: Any, shape: Any = (), dtype: Any = "float32"
) -> Tensor:
    """loc + scale·x of x of Maxwell's distribution with a random sign.

    The result has the shape `shape` + the parameters' shape, as JAX's.

    >>> import lazir as lz
    >>> lz.random.double_sided_maxwell(lz.random.key(0), 0.0, 1.0, (2,)).shape
    (2,)
    """
    positive("double_sided_maxwell", scale=scale)
    common = lnp.broadcast_shapes(operand(loc).shape, operand(scale).shape)
    size = (*shape_of(shape), *common)
    kind, _, (at, width) = params("double_sided_maxwell", dtype, size, loc, scale)
    first, second = split(key)
    sign = lnp.where(uniform(second, size) < 0.5, -1.0, 1.0)
    return where_valid(width > 0, at + width * sign * maxwell(first, size, working(kind)), kind)
