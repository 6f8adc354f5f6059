"""The gamma function and its kin: logarithm, derivatives, beta function, zeta function.

Takes: tensors, arrays, numbers. Gives: tensors. Accuracy is in units in the last place (ULP) of the
result's dtype. Must not know: how primitives are approximated.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import numpy as lnp
from ..apply import fail
from ..tensor import Tensor
from .operands import double, floats, primitive, widened


def gammaln(x: Any) -> Tensor:
    """log |Γ(x)|: inf at 0, negative integers and infinities.

    Error below 8 ULP; below 0, where it crosses zero between its poles, below 8 ULP of
    max(1, |gammaln(|x|)|). The derivative is `digamma`.

    >>> import lazir as lz
    >>> round(lz.special.gammaln(5.0).item(), 4)
    3.1781
    """
    return primitive("lgamma", x)


def gamma(x: Any) -> Tensor:
    """Γ(x), which is (x − 1)! for whole x: ±inf at ±0, NaN at negative integers.

    Error below 8 ULP.

    >>> import lazir as lz
    >>> print(lnp.round(lz.special.gamma(5.0)))
    24.0
    """
    return primitive("gamma", x)


def gammasgn(x: Any) -> Tensor:
    """The sign of Γ(x): 1 for x > 0, ±1 below, NaN at negative integers.

    >>> import lazir as lz
    >>> lz.special.gammasgn(-0.5).item()
    -1.0
    """
    (x,) = floats("gammasgn", x)
    whole = lnp.floor(x)
    odd = lnp.floor(whole * 0.5) * 2 != whole
    below = lnp.where(whole == x, lnp.nan, lnp.where(odd, -1.0, 1.0))
    positive = lnp.where(x == 0, lnp.copysign(1.0, x), lnp.where(x > 0, 1.0, below))
    return lnp.where(lnp.isnan(x), x, positive).astype(x.dtype)


def digamma(x: Any) -> Tensor:
    """The derivative of gammaln: ∓inf at ±0, NaN at negative integers.

    Error below 6 ULP; for x < 0 below 6 ULP of max(1, log(1 − x)).

    >>> import lazir as lz
    >>> round(lz.special.digamma(1.0).item(), 4)
    -0.5772
    """
    return primitive("polygamma", x, order=0)


def polygamma(n: Any, x: Any) -> Tensor:
    """The n-th derivative of digamma. Whole numbers n ≥ 0.

    With a Python integer n (up to 100) for every x, with an error below n + 10 ULP for x > 0; n may
    also be a tensor, then x > 0 (NaN below).

    >>> import lazir as lz
    >>> round(lz.special.polygamma(1, 1.0).item(), 4)
    1.6449
    """
    if isinstance(n, int | np.integer) and not isinstance(n, bool):
        return primitive("polygamma", x, order=int(n))
    n, x = floats("polygamma", n, x)
    sign = lnp.where(lnp.floor(n * 0.5) * 2 == n, -1, 1)
    above = lnp.where(n == 0, 1.0, n)
    return lnp.where(n == 0, digamma(x), sign * gamma(above + 1) * zeta(above + 1, x))


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)


def zeta(x: Any, q: Any = 1.0) -> Tensor:
    """Hurwitz's zeta function Σ (q + k)⁻ˣ over k ≥ 0 for x > 1; Riemann's where q is 1.

    inf at x = 1 and where q is 0 or a negative integer, NaN for x < 1 and other q < 0. Error below
    10 ULP up to x = 20. By Euler–Maclaurin summation (Johansson, "Rigorous high-precision
    computation of the Hurwitz zeta function", 2013).

    >>> import lazir as lz
    >>> round(lz.special.zeta(2.0).item(), 4)
    1.6449
    """
    (s, q), back = widened("zeta", x, q)
    inside = (s > 1) & (q > 0)
    s_in, q_in = lnp.where(inside, s, 2), lnp.where(inside, q, 1)
    count, corrections = (10, 9) if double(s) else (6, 4)
    far = q_in + count
    t = 1 / far
    power = far ** (1 - s_in)
    total = power / (s_in - 1) + 0.5 * power * t
    bounded = lnp.minimum(s_in, 1e15)  # far beyond, the first term is all that there is
    term = power * t * t * bounded
    for j in range(corrections):
        total = total + _BERNOULLI[j] / math.factorial(2 * j + 2) * term
        term = term * ((bounded + 2 * j + 1) * t) * ((bounded + 2 * j + 2) * t)
    for k in reversed(range(count)):
        total = total + (q_in + k) ** -s_in
    pole = (s == 1) | ((q <= 0) & (lnp.floor(q) == q) & (s > 1))
    value = lnp.where(inside, total, lnp.where(pole, lnp.inf, lnp.nan))
    return back(value)  # type: ignore[no-any-return]


def factorial(n: Any, exact: bool = False) -> Tensor:
    """n! as a float, Γ(n + 1) between whole numbers; 0 below 0, as in SciPy. Error below 8 ULP.

    >>> import lazir as lz
    >>> print(lnp.round(lz.special.factorial(4)))
    24.0
    """
    if exact:
        fail("factorial gives floats: exact=True needs integers without limits, use math.factorial")
    (n,) = floats("factorial", n)
    return lnp.where(n < 0, 0, gamma(lnp.where(n < 0, 0, n) + 1))


def betaln(a: Any, b: Any) -> Tensor:
    """log |B(a, b)| = gammaln(a) + gammaln(b) − gammaln(a + b).

    Error below 8 ULP of the largest of the three.

    >>> import lazir as lz
    >>> round(lz.special.betaln(2.0, 3.0).item(), 4)
    -2.4849
    """
    a, b = floats("betaln", a, b)
    return gammaln(a) + (gammaln(b) - gammaln(a + b))


def beta(a: Any, b: Any) -> Tensor:
    """Γ(a)·Γ(b) / Γ(a + b). Error below 25 ULP while Γ(a + b) is finite, else that of exp(betaln).

    >>> import lazir as lz
    >>> round(lz.special.beta(2.0, 3.0).item(), 4)
    0.0833
    """
    a, b = floats("beta", a, b)
    limit = 160.0 if double(a) else 30.0
    direct = (a + b < limit) & (a < limit) & (b < limit) & (a > -20) & (b > -20)
    p, q = lnp.where(direct, a, 1), lnp.where(direct, b, 1)
    small = gamma(p) / gamma(p + q) * gamma(q)
    sign = gammasgn(a) * gammasgn(b) * gammasgn(a + b)
    return lnp.where(direct, small, sign * lnp.exp(betaln(a, b)))


def poch(z: Any, m: Any) -> Tensor:
    """Γ(z + m) / Γ(z), the rising factorial, for z, z + m > 0; error that of exp of its logarithm.

    >>> import lazir as lz
    >>> round(lz.special.poch(2.0, 3.0).item(), 3)
    24.0
    """
    z, m = floats("poch", z, m)
    sign = gammasgn(z + m) * gammasgn(z)
    return lnp.where(m == 0, 1, sign * lnp.exp(gammaln(z + m) - gammaln(z)))


def multigammaln(a: Any, d: int) -> Tensor:
    """log of the multivariate gamma function of d dimensions.

    >>> import lazir as lz
    >>> round(lz.special.multigammaln(3.0, 1).item(), 4)
    0.6931
    """
    (a,) = floats("multigammaln", a)
    total: Any = d * (d - 1) / 4 * math.log(math.pi)
    for j in range(d):
        total = total + gammaln(a - 0.5 * j)
    return total  # type: ignore[no-any-return]
