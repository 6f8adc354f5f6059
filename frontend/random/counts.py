"""Distributions over whole numbers.

Takes: keys, parameters, shapes. Gives: tensors. Must not know: how rounds go on.
Small means by going along the distribution function until it passes a fraction (Devroye,
"Non-Uniform Random Variate Generation", 1986, chapter III.2); large ones by transformed rejection
(Hörmann, "The transformed rejection method for generating Poisson random variables", 1993, and
"The generation of binomial random variates", 1993). Probabilities as in Loader, "Fast and accurate
computation of binomial probabilities" (2000). Everything is computed in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, operand, shape_of
from ..control import scan, while_loop
from ..dtypes import as_dtype, float64, int64
from ..tensor import Tensor
from ..transforms import stop_gradient
from .floats import uniform
from .keys import split
from .parts import (
    check,
    exponentials,
    float_dtype,
    fraction,
    integer_dtype,
    known,
    open_fractions,
    real,
    signs,
    sized,
)
from .rejection import LIMIT, rounds

SMALL = 10.0
"""The mean from which on the tables of transformed rejection hold."""


_FEW = np.array([math.lgamma(k + 1) - k * math.log(max(k, 1)) + k for k in range(16)])


def _excess(k: Tensor) -> Tensor:
    """log k! − k·log k + k, for whole k ≥ 0; above 15 by Stirling's series (DLMF 5.11.1)."""
    few = k < 16
    high = lnp.where(few, 16.0, k)
    z = 1 / (high * high)
    series = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z / 1680))) / high
    large = 0.5 * lnp.log(2 * math.pi * high) + series
    place = lnp.where(few, k, 0.0).astype("int32")
    return lnp.where(few, lnp.take(lnp.asarray(_FEW), place), large)


def _distance(k: Tensor, mean: Tensor) -> Tensor:
    """k·log(k/mean) + mean − k, without the difference of large numbers."""
    some = lnp.where(k > 0, k, 1.0)
    shift = (mean - some) / some
    return lnp.where(k > 0, some * (shift - lnp.log1p(shift)), mean)


def _walk(u: Tensor, start: Tensor, ratio: Callable[[Any], Tensor]) -> Tensor:
    """The first k whose distribution function passes u, from P(0) = start and P(k + 1) =
    P(k)·ratio(k).

    Rounding may keep the sum below u: it ends where a step adds nothing.
    """

    def go_on(state: Any) -> Any:
        k, _, _, _, done = state
        return (k < LIMIT) & ~lnp.all(done)

    def step(state: Any) -> Any:
        k, term, total, found, done = state
        term = term * ratio(k)
        more = total + term
        done_now = done | (u <= more) | (term <= 1e-17 * more)
        return k + 1, term, more, lnp.where(done, found, k + 1), done_now

    none = lnp.zeros(u.shape, float64)
    begin = (lnp.zeros((), float64), start, start, none, u <= start)
    return while_loop(go_on, step, begin)[3]  # type: ignore[no-any-return]


def _transformed(
    key: Any,
    settled: Tensor,
    a: Tensor,
    b: Tensor,
    middle: Tensor,
    quick: Tensor,
    scale: Tensor,
    top: Any,
    log_ratio: Callable[[Tensor], Tensor],
) -> Tensor:
    """Hörmann's PTRS and BTRS: whole k near `middle` in 0 … top, kept at once where v ≤ `quick`,
    else where the density at k is high enough.
    """

    def propose(k: Any) -> tuple[Tensor, Tensor]:
        pair = open_fractions(k, (2, *settled.shape), float64)
        u, v = pair[0] - 0.5, pair[1]
        edge = 0.5 - abs(u)
        count = lnp.floor((2 * a / edge + b) * u + middle)
        inside = (count >= 0) & (count <= top)
        count = lnp.where(inside, count, 0.0)
        high = lnp.log(v * scale / (a / (edge * edge) + b)) <= log_ratio(count)
        return count, inside & (((edge >= 0.07) & (v <= quick)) | high)

    return rounds(key, settled, float64, propose)


def _poisson(key: Any, rate: Tensor, few: Tensor, many: Tensor) -> Tensor:
    """Counts where the rate is small (`few`) and where it is large (`many`); 0 elsewhere."""
    first, second = split(key)
    low = lnp.where(few, rate, 0.0)
    u = open_fractions(first, rate.shape, float64)
    walked = _walk(u, lnp.exp(-low), lambda k: low / (k + 1))
    high = lnp.where(many, rate, SMALL)
    b = 0.931 + 2.53 * lnp.sqrt(high)
    a = -0.059 + 0.02483 * b
    found = _transformed(
        second, ~many, a, b, high + 0.43, 0.9277 - 3.6224 / (b - 2),
        1.1239 + 1.1328 / (b - 3.4), lnp.inf, lambda k: -_excess(k) - _distance(k, high),
    )  # fmt: skip
    return lnp.where(many, found, walked)


def poisson(key: Any, lam: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Counts of events at the rate lam ≥ 0, int64 unless another dtype is given.

    −1 where a tensor lam is negative, infinite or NaN.

    >>> import lazir as lz
    >>> x = lz.random.poisson(lz.random.key(0), 4.0, (10000,))
    >>> abs(x.astype("float32").mean().item() - 4) < 0.1
    True
    """
    kind = integer_dtype(dtype, "poisson")
    if known(lam):
        holds = (np.asarray(lam) >= 0) & np.isfinite(lam)
        check("poisson", "lam", lam, holds, "0 or more, and finite")
    rate = real("poisson", lam, float64, sized("poisson", shape, operand(lam).shape))
    valid = (rate >= 0) & (rate < lnp.inf)
    small = rate < SMALL
    count = _poisson(key, rate, valid & small, valid & ~small)
    return lnp.where(valid, count, -1.0).astype(kind)


def _binomial(key: Any, n: Tensor, p: Tensor) -> Tensor:
    """Counts in float64; NaN where n or p is invalid."""
    first, second = split(key)
    valid = (n >= 0) & (n < lnp.inf) & (p >= 0) & (p <= 1)
    size, share = lnp.where(valid, n, 0.0), lnp.where(valid, lnp.minimum(p, 1 - p), 0.0)
    few = size * share < SMALL
    u = open_fractions(first, n.shape, float64)
    odds = share / (1 - share)
    start = lnp.exp(lnp.where(few, size * lnp.log1p(-share), 0.0))
    walked = _walk(u, start, lambda k: (size - k) / (k + 1) * odds)
    m, r = lnp.where(few, 4 * SMALL, size), lnp.where(few, 0.5, share)
    width = lnp.sqrt(m * r * (1 - r))
    b = 1.15 + 2.53 * width
    a = -0.0873 + 0.0248 * b + 0.01 * r

    def log_chance(k: Tensor) -> Tensor:
        rest = m - k
        return -_excess(k) - _excess(rest) - _distance(k, m * r) - _distance(rest, m * (1 - r))

    top = log_chance(lnp.floor((m + 1) * r))
    found = _transformed(
        second, few, a, b, m * r + 0.5, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * width, m,
        lambda k: log_chance(k) - top,
    )  # fmt: skip
    count = lnp.where(few, walked, found)
    return lnp.where(valid, lnp.where(p > 0.5, size - count, count), lnp.nan)


def _check_trials(what: str, n: Any) -> None:
    if known(n):
        check(what, "n", n, np.asarray(n) >= 0, "0 or more")


def binomial(key: Any, n: Any, p: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Successes in n trials of probability p, as floats, of the default type if none is given.

    An n that is not whole is rounded down. NaN where a tensor n is negative or infinite or a tensor
    p not in [0, 1]. Steps have no slope: derivatives are 0.

    >>> import lazir as lz
    >>> x = lz.random.binomial(lz.random.key(0), 100, 0.3, (10000,))
    >>> abs(x.mean().item() - 30) < 0.2
    True
    """
    kind = float_dtype(dtype, "binomial")
    _check_trials("binomial", n)
    fraction("binomial", p)
    size = sized("binomial", shape, operand(n).shape, operand(p).shape)
    trials, chance = (stop_gradient(real("binomial", x, float64, size)) for x in (n, p))
    return _binomial(key, lnp.floor(trials), chance).astype(kind)


def multinomial(
    key: Any, n: Any, p: Any, *, shape: Any = None, dtype: Any = None, unroll: int = 1
) -> Tensor:
    """How often each of the outcomes along the last axis of p comes in n trials, as floats.

    p are the probabilities, or weights in their proportion. `shape` is what stands before the last
    axis, to which n and the rest of p's shape broadcast. One binomial number for each outcome,
    given those before it. `unroll` is that of `lz.scan` over the outcomes.

    >>> import lazir as lz
    >>> x = lz.random.multinomial(lz.random.key(0), 10, lz.numpy.ones(4) / 4)
    >>> x.shape, x.sum().item()
    ((4,), 10.0)
    """
    kind = float_dtype(dtype, "multinomial")
    _check_trials("multinomial", n)
    if known(p):
        check("multinomial", "p", p, np.asarray(p) >= 0, "0 or more")
    given = operand(p).shape
    if not given or not given[-1]:
        fail("lz.random.multinomial: p has a last axis of one outcome or more", ShapeError)
    size = sized("multinomial", shape, operand(n).shape, given[:-1])
    trials = lnp.floor(stop_gradient(real("multinomial", n, float64, size)))
    weights = stop_gradient(real("multinomial", p, float64, (*size, given[-1])))
    weights = lnp.moveaxis(weights, -1, 0)
    rests = lnp.flip(lnp.cumsum(lnp.flip(weights, 0), 0), 0)

    def step(left: Tensor, outcome: Any) -> tuple[Tensor, Tensor]:
        k, weight, rest = outcome
        share = lnp.where(weight == 0, 0.0, weight / rest)
        count = _binomial(k, left, share)
        return left - count, count

    outcomes = (split(key, given[-1]), weights, rests)
    counts = scan(step, trials, outcomes, unroll=unroll)[1]
    return lnp.moveaxis(counts, 0, -1).astype(kind)


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, mode: str = "low") -> Tensor:
    """True with probability p. `mode`: "low" for 24 random bits each, "high" for 53, which give
    probabilities below 1e-7 their due.

    >>> import lazir as lz
    >>> lz.random.bernoulli(lz.random.key(0), 0.5, (4,)).dtype
    i1
    """
    if mode not in ("low", "high"):
        fail(f"lz.random.bernoulli: mode is 'low' or 'high', got {mode!r}")
    fraction("bernoulli", p)
    size = sized("bernoulli", shape, operand(p).shape)
    return lnp.less(uniform(key, size, "float32" if mode == "low" else "float64"), p)


def geometric(key: Any, p: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """The number of trials up to the first success, 1 or more; 0 where a tensor p is not in (0, 1].

    >>> import lazir as lz
    >>> bool((lz.random.geometric(lz.random.key(0), 0.5, (9,)) >= 1).all())
    True
    """
    kind = integer_dtype(dtype, "geometric")
    if known(p):
        check("geometric", "p", p, (np.asarray(p) > 0) & (np.asarray(p) <= 1), "in (0, 1]")
    size = sized("geometric", shape, operand(p).shape)
    chance = real("geometric", p, float64, size)
    count = lnp.floor(exponentials(key, size, float64) / -lnp.log1p(-chance)) + 1
    return lnp.where((chance > 0) & (chance <= 1), count, 0.0).astype(kind)


def rademacher(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """−1 or 1, each with probability ½.

    >>> import lazir as lz
    >>> bool((abs(lz.random.rademacher(lz.random.key(0), (9,))) == 1).all())
    True
    """
    kind = as_dtype(dtype) if dtype is not None else int64
    return lnp.where(signs(key, shape_of(shape)), 1, -1).astype(kind)
