"""Logarithms of products and sums, entropies, logistic functions.

Takes: tensors, arrays, numbers. Gives: tensors, with derivatives that are right at zeros.
Must not know: how a logarithm is computed.
"""

from __future__ import annotations

from typing import Any

from .. import numpy as lnp
from ..apply import fail
from ..custom import custom_jvp
from ..nn.activations import log_softmax as _log_softmax
from ..nn.activations import softmax as _softmax
from ..tensor import Tensor
from ..transforms import stop_gradient
from .operands import floats


def xlogy(x: Any, y: Any) -> Tensor:
    """x·log(y), and 0 where x is 0 (unless y is NaN). Error below 2 ULP.

    >>> import lazir as lz
    >>> lz.special.xlogy(0.0, 0.0).item()
    0.0
    """
    x, y = floats("xlogy", x, y)
    result: Tensor = x * lnp.log(lnp.where((x == 0) & ((y <= 0) | (y == lnp.inf)), 1, y))
    return result


def xlog1py(x: Any, y: Any) -> Tensor:
    """x·log(1 + y), and 0 where x is 0 (unless y is NaN). Error below 2 ULP.

    >>> import lazir as lz
    >>> lz.special.xlog1py(0.0, -1.0).item()
    0.0
    """
    x, y = floats("xlog1py", x, y)
    result: Tensor = x * lnp.log1p(lnp.where((x == 0) & ((y <= -1) | (y == lnp.inf)), 0, y))
    return result


def entr(x: Any) -> Tensor:
    """−x·log(x), a term of an entropy: 0 at 0, −inf below.

    >>> import lazir as lz
    >>> lz.special.entr(1.0).item()
    -0.0
    """
    (x,) = floats("entr", x)
    return lnp.where(x < 0, -lnp.inf, -xlogy(x, x))


def rel_entr(p: Any, q: Any) -> Tensor:
    """p·log(p / q), a term of a relative entropy: 0 where p is 0, inf where p or q is negative.

    >>> import lazir as lz
    >>> lz.special.rel_entr(0.0, 0.5).item()
    0.0
    """
    p, q = floats("rel_entr", p, q)
    inside, zero = (p > 0) & (q > 0), (p == 0) & (q >= 0)
    ratio = lnp.where(inside, p, 1) / lnp.where(inside, q, 1)
    value = lnp.where(inside, p * lnp.log(ratio), lnp.where(zero, 0, lnp.inf))
    return lnp.where(lnp.isnan(p) | lnp.isnan(q), lnp.nan, value)


def kl_div(p: Any, q: Any) -> Tensor:
    """p·log(p / q) − p + q, a term of the Kullback–Leibler divergence, as SciPy defines it.

    >>> import lazir as lz
    >>> lz.special.kl_div(0.5, 0.5).item()
    0.0
    """
    p, q = floats("kl_div", p, q)
    inside = (p >= 0) & (q >= 0) & ((q > 0) | (p == 0))
    value = lnp.where(inside, rel_entr(p, q) - p + q, lnp.inf)
    return lnp.where(lnp.isnan(p) | lnp.isnan(q), lnp.nan, value)


def _logistic(x: Any) -> Any:
    return 1 / (1 + lnp.exp(-x))


_expit = custom_jvp(_logistic)
_expit.defjvps(lambda t, y, x: t * y * _expit(-x))


def expit(x: Any) -> Tensor:
    """The logistic function 1 / (1 + e⁻ˣ). Error below 3 ULP, for very negative x too.

    >>> import lazir as lz
    >>> lz.special.expit(0.0).item()
    0.5
    """
    return _expit(*floats("expit", x))  # type: ignore[no-any-return]


def log_expit(x: Any) -> Tensor:
    """log(expit(x)), accurate where expit is near 0 or 1. Error below 3 ULP.

    >>> import lazir as lz
    >>> lz.special.log_expit(-1000.0).item()
    -1000.0
    """
    (x,) = floats("log_expit", x)
    return -lnp.logaddexp(0, -x)


def logit(p: Any) -> Tensor:
    """log(p / (1 − p)), the inverse of expit: ±inf at 1 and 0, NaN outside. Error below 3 ULP.

    >>> import lazir as lz
    >>> lz.special.logit(0.5).item()
    0.0
    """
    (p,) = floats("logit", p)
    # near ½ the logarithm of a quotient near 1 would lose digits: 2·atanh(2p − 1) does not
    near = (p > 0.3) & (p < 0.65)
    middle = 2 * lnp.arctanh(2 * lnp.where(near, p, 0.5) - 1)
    safe = lnp.where(near, 0.25, p)
    return lnp.where(near, middle, lnp.log(safe / (1 - safe)))


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log Σ b·exp(a) without overflow; with `return_sign` the log of the size, and the sign.

    >>> import lazir as lz
    >>> round(lz.special.logsumexp([0.0, 0.0]).item(), 6)
    0.693147
    """
    if b is None and not return_sign:
        return lnp.logsumexp(a, axis=axis, keepdims=keepdims)
    (a,) = floats("logsumexp", a) if b is None else floats("logsumexp", a, b)[:1]
    weights = lnp.ones_like(a) if b is None else floats("logsumexp", a, b)[1]
    there = lnp.where(weights == 0, -lnp.inf, a)
    top = lnp.max(there, axis=axis, keepdims=True)
    top = stop_gradient(lnp.where(lnp.isfinite(top), top, 0))
    terms = weights * lnp.exp(lnp.where(weights == 0, 0, a - top))
    total = lnp.sum(terms, axis=axis, keepdims=True)
    sign = lnp.sign(total)
    size = abs(total) if return_sign else total  # NaN where a negative sum has no logarithm
    value = lnp.log(size) + top
    if not keepdims:
        value, sign = (lnp.squeeze(x, axis) for x in (value, sign))
    return (value, sign) if return_sign else value


def softmax(x: Any, axis: Any = -1) -> Tensor:
    """exp(x) / Σ exp(x) along an axis (of all elements with axis=None).

    >>> import lazir as lz
    >>> print(lz.special.softmax([0.0, 0.0]))
    [0.5 0.5]
    """
    return _along(_softmax, "softmax", x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Tensor:
    """log(softmax(x)) without overflow.

    >>> import lazir as lz
    >>> print(lz.special.log_softmax([0.0, 0.0]))
    [-0.6931472 -0.6931472]
    """
    return _along(_log_softmax, "log_softmax", x, axis)


def _along(function: Any, name: str, x: Any, axis: Any) -> Tensor:
    (x,) = floats(name, x)
    if axis is None:
        return lnp.reshape(function(lnp.ravel(x), axis=0), x.shape)
    if isinstance(axis, tuple | list):
        fail(f"{name} runs along one axis, got {axis}; reshape to join several")
    return function(x, axis=axis)  # type: ignore[no-any-return]
