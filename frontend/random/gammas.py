"""The gamma distribution, and those made of it.

Takes: keys, parameters, shapes, dtypes. Gives: tensors. Must not know: how rounds go on.
Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), with x(a) =
x(a + 1)·u^(1/a) below 1. Derivatives in the parameters are implicit (Figurnov, Mohamed and Mnih,
"Implicit reparameterization gradients", 2018): of the number that stays at its place in the
distribution function, not of the steps of the rejection. Second derivatives go forward over
reverse (`jvp` of `grad`): the first one is a series, which has no reverse derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from .. import special
from ..apply import fail, operand, shape_of
from ..custom import custom_jvp
from ..special.incomplete import gamma_slope
from ..tensor import Tensor
from ..transforms import stop_gradient
from .keys import split
from .parts import (
    exponentials,
    float_dtype,
    normals,
    params,
    positive,
    real,
    signs,
    sized,
    where_valid,
    working,
)
from .rejection import rounds


def _from_one_up(key: Any, a: Tensor, settled: Tensor) -> Tensor:
    """Gamma numbers for a ≥ 1, by Marsaglia and Tsang: d·v of v = (1 + c·z)³."""
    inner = a.dtype
    d = a - 1 / 3
    c = 1 / lnp.sqrt(9 * d)

    def propose(k: Any) -> tuple[Tensor, Tensor]:
        first, second = split(k)
        z = normals(first, a.shape, inner)
        step = c * z
        inside = step > -1
        step = lnp.where(inside, step, 0.0)
        growth = step * (3 + step * (3 + step))
        level = 0.5 * z * z + d * (3 * lnp.log1p(step) - growth)
        return d * (1 + growth), inside & (level > -exponentials(second, a.shape, inner))

    return rounds(key, settled, inner, propose)


def _slope(a: Tensor, log_x: Tensor) -> Tensor:
    return gamma_slope(a.astype("float64"), log_x.astype("float64")).astype(a.dtype)


_moved = custom_jvp(lambda log_x, a: log_x)
# the rule moves the number itself too, which its result `y`, a plain log_x, would not
_moved.defjvps(lambda t, y, log_x, a: t, lambda t, y, log_x, a: t * _slope(a, _moved(log_x, a)))


def log_gammas(key: Any, a: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of gamma numbers, with derivatives in a; where a is valid (others give 0)."""
    valid = (a > 0) & (a < lnp.inf)
    given = lnp.where(valid, a, 1.0)
    fixed = stop_gradient(given)
    first, second = split(key)
    small = fixed < 1
    x = _from_one_up(first, lnp.where(small, fixed + 1, fixed), ~valid)
    boost = lnp.where(small, exponentials(second, a.shape, a.dtype) / fixed, 0.0)
    log_x = lnp.log(lnp.where(valid, x, 1.0)) - boost
    return _moved(log_x, given), valid


def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Numbers of the gamma distribution, density x^(a−1)·e^(−x)/Γ(a), of the default
    type unless another is given. Implicit derivatives in a.

    >>> import lazir as lz
    >>> x = lz.random.gamma(lz.random.key(0), 3.0, (10000,))
    >>> abs(x.mean().item() - 3) < 0.1
    True
    """
    positive("gamma", a=a)
    kind, _, (shaped,) = params("gamma", dtype, shape, a)
    log_x, valid = log_gammas(key, shaped)
    return where_valid(valid, lnp.exp(log_x), kind)


def loggamma(key: Any, a: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Logarithms of numbers of the gamma distribution, finite also where those are too small for a
    float, as for a = 0.001. Implicit derivatives in a.

    >>> import lazir as lz
    >>> bool((lz.random.loggamma(lz.random.key(0), 1e-3, (99,)) > -1e6).all())
    True
    """
    positive("loggamma", a=a)
    kind, _, (shaped,) = params("loggamma", dtype, shape, a)
    log_x, valid = log_gammas(key, shaped)
    return where_valid(valid, log_x, kind)


def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Numbers of the beta distribution, density ∝ x^(a−1)·(1 − x)^(b−1): g/(g + h) of gamma numbers
    g of a and h of b. Implicit derivatives in a and b.

    >>> import lazir as lz
    >>> x = lz.random.beta(lz.random.key(0), 2.0, 3.0, (99,))
    >>> bool(((x > 0) & (x < 1)).all())
    True
    """
    positive("beta", a=a, b=b)
    kind, _, (first, second) = params("beta", dtype, shape, a, b)
    one, two = split(key)
    log_g, valid = log_gammas(one, first)
    log_h, also = log_gammas(two, second)
    return where_valid(valid & also, special.expit(log_g - log_h), kind)


def dirichlet(key: Any, alpha: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Points of the simplex with density ∝ Π x_i^(alpha_i−1): gamma numbers divided by their sum.

    The last axis of alpha is that of a point; `shape` is what stands before it, to which the rest
    of alpha's shape broadcasts. Implicit derivatives in alpha.

    >>> import lazir as lz
    >>> lz.random.dirichlet(lz.random.key(0), lz.numpy.ones(3), (4,)).shape
    (4, 3)
    """
    positive("dirichlet", alpha=alpha)
    kind = float_dtype(dtype, "dirichlet")
    given = operand(alpha).shape
    if not given:
        fail("lz.random.dirichlet: alpha has one axis or more, got a scalar", ShapeError)
    size = (*sized("dirichlet", shape, given[:-1]), given[-1])
    log_x, valid = log_gammas(key, real("dirichlet", alpha, working(kind), size))
    valid = valid.all(-1, keepdims=True)
    return where_valid(valid, special.softmax(log_x, axis=-1), kind)


def chisquare(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Numbers of the χ² distribution: sums of df squares of normal numbers, df > 0 not only whole.
    Implicit derivatives in df.

    >>> import lazir as lz
    >>> bool((lz.random.chisquare(lz.random.key(0), 2.0, (99,)) >= 0).all())
    True
    """
    positive("chisquare", df=df)
    kind, _, (shaped,) = params("chisquare", dtype, shape, df)
    log_x, valid = log_gammas(key, shaped / 2)
    return where_valid(valid, 2 * lnp.exp(log_x), kind)


def t(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Numbers of Student's distribution with df > 0: z·√(df/c), z normal, c of χ² with df.
    Implicit derivatives in df.

    >>> import lazir as lz
    >>> lz.random.t(lz.random.key(0), 3.0, (2,)).shape
    (2,)
    """
    positive("t", df=df)
    kind, size, (shaped,) = params("t", dtype, shape, df)
    first, second = split(key)
    half = shaped / 2
    log_x, valid = log_gammas(second, half)
    width = lnp.exp((lnp.log(lnp.where(valid, half, 1.0)) - log_x) / 2)
    return where_valid(valid, normals(first, size, working(kind)) * width, kind)


def f(key: Any, dfnum: Any, dfden: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Numbers of the F distribution: the ratio of a χ² number of dfnum, divided by dfnum, to one of
    dfden, divided by dfden. Implicit derivatives in both.

    >>> import lazir as lz
    >>> bool((lz.random.f(lz.random.key(0), 3.0, 5.0, (99,)) >= 0).all())
    True
    """
    positive("f", dfnum=dfnum, dfden=dfden)
    kind, _, (num, den) = params("f", dtype, shape, dfnum, dfden)
    first, second = split(key)
    log_g, valid = log_gammas(first, num / 2)
    log_h, also = log_gammas(second, den / 2)
    return where_valid(valid & also, den / num * lnp.exp(log_g - log_h), kind)


def generalized_normal(key: Any, p: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Numbers with the density ∝ exp(−|x|^p): ±g^(1/p) of gamma numbers g of 1/p.
    Implicit derivatives in p.

    >>> import lazir as lz
    >>> lz.random.generalized_normal(lz.random.key(0), 1.5, (2,)).shape
    (2,)
    """
    positive("generalized_normal", p=p)
    kind, size, (power,) = params("generalized_normal", dtype, shape, p)
    first, second = split(key)
    log_g, valid = log_gammas(first, 1 / power)
    x = lnp.exp(log_g / lnp.where(valid, power, 1.0))
    return where_valid(valid, lnp.where(signs(second, size), -x, x), kind)


def ball(key: Any, d: int, p: Any = 2, shape: Any = (), dtype: Any = None) -> Tensor:
    """Points of the ball Σ|x_i|^p ≤ 1 in d dimensions, uniformly: a tensor of shape
    `shape` + (d,).

    x / (Σ|x_i|^p + e)^(1/p) of x with the density ∝ exp(−|x|^p) and an exponential e (Barthe,
    Guédon, Mendelson and Naor, "A probabilistic approach to the geometry of the l_p^n-ball", 2005).

    >>> import lazir as lz
    >>> x = lz.random.ball(lz.random.key(0), 3, shape=(99,))
    >>> bool(((x * x).sum(-1) <= 1.0001).all())
    True
    """
    kind, size, (power,) = params("ball", dtype, shape, p)
    positive("ball", p=p)
    (length,) = shape_of(d) if isinstance(d, int | np.integer) else fail("ball: d is an integer")
    first, second = split(key)
    x = generalized_normal(first, power[..., None], (*size, length), working(kind))
    total = (abs(x) ** power[..., None]).sum(-1) + exponentials(second, size, working(kind))
    return (x / (total ** (1 / power))[..., None]).astype(kind)
