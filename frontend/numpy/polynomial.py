"""Polynomials by their coefficients, the highest power first (NumPy's `poly…` functions).

Takes: vectors of coefficients. Gives: vectors of coefficients, values. A length that data would
decide (leading zeros) stays where it is traced. Must not know: kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.ops.complex_numbers import whole as whole_of

from .. import late
from ..apply import as_tensor, fail, operand, promote
from ..dtypes import promote_types, to_inexact
from ..tensor import Tensor
from .creation import asarray, ones, zeros, zeros_like
from .diagonals import vander
from .editing import known_places
from .manipulation import atleast_1d, broadcast_to, concatenate
from .matrices import eye
from .ranges import arange
from .signal import convolve


def _coefficients(p: Any, name: str) -> Tensor:
    x: Tensor = atleast_1d(p)
    if len(x.shape) != 1:
        fail(f"{name} needs coefficients as a vector, got shape {x.shape}", ShapeError)
    return x


def polyval(p: Any, x: Any) -> Tensor:
    """The polynomial with coefficients p at x (Horner's rule).

    >>> import lazir.numpy as lnp
    >>> print(lnp.polyval([1, 0, 2], lnp.array([0, 1, 2])))
    [2 3 6]
    """
    coefficients = _coefficients(p, "polyval")
    found = promote(coefficients.reshape(-1, *(1,) * len(operand(x).shape)), x, name="polyval")
    at, terms = as_tensor(x).astype(found.dtype), coefficients.astype(found.dtype)
    if not terms.shape[0]:
        return zeros_like(at)
    result = broadcast_to(terms[0], at.shape)
    for k in range(1, terms.shape[0]):
        result = result * at + terms[k]
    return result


def _aligned(a1: Any, a2: Any, name: str) -> tuple[Tensor, Tensor]:
    x, y = _coefficients(a1, name), _coefficients(a2, name)
    n = max(x.shape[0], y.shape[0])
    wide = [concatenate([zeros((n - v.shape[0],), v.dtype), v]) for v in (x, y)]
    return wide[0], wide[1]


def polyadd(a1: Any, a2: Any) -> Tensor:
    """The sum of two polynomials.

    >>> import lazir.numpy as lnp
    >>> print(lnp.polyadd([1, 2], [1, 0, 0]))
    [1 1 2]
    """
    x, y = _aligned(a1, a2, "polyadd")
    return x + y


def polysub(a1: Any, a2: Any) -> Tensor:
    """The difference of two polynomials.

    >>> import lazir.numpy as lnp
    >>> print(lnp.polysub([1, 2], [1, 0, 0]))
    [-1  1  2]
    """
    x, y = _aligned(a1, a2, "polysub")
    return x - y


def polymul(a1: Any, a2: Any) -> Tensor:
    """The product of two polynomials.

    >>> import lazir.numpy as lnp
    >>> print(lnp.polymul([1, 2], [1, 3]))
    [1 5 6]
    """
    return convolve(_coefficients(a1, "polymul"), _coefficients(a2, "polymul"))


def polyder(p: Any, m: int = 1) -> Tensor:
    """The m-th derivative of a polynomial.

    >>> import lazir.numpy as lnp
    >>> print(lnp.polyder([1, 2, 3]))
    [2 2]
    """
    if m < 0:
        fail(f"polyder: the order is 0 or more, got {m}")
    x = _coefficients(p, "polyder")
    for _ in range(m):
        n = x.shape[0]
        x = x[: n - 1] * arange(n - 1, 0, -1).astype(x.dtype) if n else x
    return x


def polyint(p: Any, m: int = 1, k: Any = None) -> Tensor:
    """The m-th antiderivative; `k` are the constants, one for each order (0 by default).

    >>> import lazir.numpy as lnp
    >>> print(lnp.polyint([2.0, 2.0], k=3))
    [1. 2. 3.]
    """
    if m < 0:
        fail(f"polyint: the order is 0 or more, got {m}")
    x = _coefficients(p, "polyint")
    x = x.astype(to_inexact(x.dtype))
    constants = atleast_1d(0 if k is None else k)
    if constants.shape[0] == 1:
        constants = broadcast_to(constants, (m,))
    if constants.shape != (m,):
        fail(f"polyint: {m} integrations take {m} constants, got shape {constants.shape}")
    for j in range(m):
        n = x.shape[0]
        divided = x / arange(n, 0, -1).astype(x.dtype)
        x = concatenate([divided, constants[j : j + 1].astype(x.dtype)])
    return x


def polydiv(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    """Quotient and remainder of two polynomials; the first coefficient of `v` must not be 0.

    The remainder keeps the length of `u`, unless data are known, when leading zeros go as in NumPy.

    >>> import lazir.numpy as lnp
    >>> quotient, rest = lnp.polydiv([1.0, 5.0, 6.0], [1.0, 2.0])
    >>> print(quotient, rest)
    [1. 3.] [0.]
    """
    top, low = _coefficients(u, "polydiv"), _coefficients(v, "polydiv")
    dtype = to_inexact(promote_types(top.dtype, low.dtype))
    rest, divisor = top.astype(dtype), low.astype(dtype)
    n, m = rest.shape[0], divisor.shape[0]
    scale = 1.0 / divisor[0]
    found = []
    for k in range(n - m + 1):
        factor = rest[k] * scale
        found.append(factor)
        rest = concatenate([rest[:k], rest[k : k + m] - factor * divisor, rest[k + m :]])
    quotient = asarray(found) if found else zeros((1,), dtype)
    return quotient, _without_leading(rest)


def _without_leading(rest: Tensor) -> Tensor:
    """NumPy drops leading zeros of a remainder (up to 1e-8); while tracing they stay."""
    if rest.is_traced or not rest.shape[0]:
        return rest
    data = rest.numpy()
    first = 0
    while first < len(data) - 1 and abs(data[first]) <= 1e-8:
        first += 1
    return rest[first:]


def poly(seq_of_zeros: Any) -> Tensor:
    """The coefficients of the polynomial with these zeros (first coefficient 1).

    >>> import lazir.numpy as lnp
    >>> print(lnp.poly([1.0, 2.0]))
    [ 1. -3.  2.]
    """
    zeros_ = _coefficients(seq_of_zeros, "poly (of a matrix: give its eigenvalues)")
    zeros_ = zeros_.astype(to_inexact(zeros_.dtype))
    result = ones(1, zeros_.dtype)
    for k in range(zeros_.shape[0]):
        nothing = zeros((1,), zeros_.dtype)
        result = concatenate([result, nothing]) - concatenate([nothing, result * zeros_[k]])
    return result


def roots(p: Any, *, strip_zeros: bool = True) -> Tensor:
    """The zeros of the polynomial with coefficients p, the eigenvalues of its companion matrix.

    Complex, in no order, with derivatives where they are distinct. Leading and trailing zeros of p
    decide how many there are: with `strip_zeros` p must not be traced; without, its first
    coefficient must not be zero (JAX's argument).

    >>> import lazir.numpy as lnp
    >>> print(lnp.roots([1.0, -3.0, 2.0]).real)
    [2. 1.]
    """
    c = _coefficients(p, "roots")
    c = c.astype(to_inexact(c.dtype))
    none = 0
    if strip_zeros:
        places = np.flatnonzero(known_places(c, "roots (or pass strip_zeros=False)") != 0)
        first, last = (places[0], places[-1] + 1) if len(places) else (0, 0)
        none = c.shape[0] - int(last) if len(places) else 0
        c = c[int(first) : int(last)]
    n = c.shape[0] - 1
    if n < 1:
        return zeros((none,), whole_of(c.dtype))
    below = eye(n - 1, n, dtype=c.dtype)
    companion = concatenate([-(c[1:] / c[0]).reshape(1, n), below], axis=0)
    found = late.numpy.linalg.eigvals(companion)
    return concatenate([found, zeros((none,), found.dtype)])


def polyfit(
    x: Any,
    y: Any,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Any = None,
    cov: Any = False,
) -> Any:
    """The polynomial of degree `deg` closest to the points (x, y), in the sense of least squares.

    `y` may have a second axis, for several fits. `w` are weights of the residuals. `full=True` also
    gives the sum of squared residuals, the rank, the singular values and rcond; `cov=True` (or
    "unscaled") the covariance of the coefficients.

    >>> import lazir.numpy as lnp
    >>> line = lnp.polyfit(lnp.array([0.0, 1.0, 2.0]), lnp.array([1.0, 3.0, 5.0]), 1)
    >>> print(lnp.round(line, 4))
    [2. 1.]
    """
    dtype = to_inexact(promote_types(operand(x).dtype, operand(y).dtype))
    at, values = as_tensor(x).astype(dtype), as_tensor(y).astype(dtype)
    if deg < 0 or len(at.shape) != 1 or len(values.shape) not in (1, 2) or not at.shape[0]:
        fail(
            f"polyfit needs a vector x, y of rank 1 or 2, a degree; got {at.shape}, {values.shape}"
        )
    if at.shape[0] != values.shape[0]:
        fail(f"polyfit: {at.shape[0]} places, {values.shape[0]} values", ShapeError)
    cutoff = at.shape[0] * float(np.finfo(dtype.numpy).eps) if rcond is None else rcond
    left, right = vander(at, deg + 1), values
    if w is not None:
        weight = as_tensor(w).astype(dtype)
        if weight.shape != at.shape:
            fail(f"polyfit: weights {weight.shape} do not fit x {at.shape}", ShapeError)
        left = left * weight.reshape(-1, 1)
        right = right * (weight if len(right.shape) == 1 else weight.reshape(-1, 1))
    scale = (left * left).sum(axis=0) ** 0.5
    solved, residuals, rank, singular = late.numpy.linalg.lstsq(left / scale, right, cutoff)
    result = (solved.T / scale).T
    if full:
        return result, residuals, rank, singular, cutoff
    if not cov:
        return result
    return result, _covariance(left, residuals, values, deg + 1, cov)


def _covariance(left: Tensor, residuals: Tensor, y: Tensor, order: int, cov: Any) -> Tensor:
    base = as_tensor(late.numpy.linalg.inv(left.T @ left))
    n = left.shape[0]
    if cov == "unscaled":
        factor = as_tensor(1.0)
    else:
        if n <= order:
            fail(f"polyfit: {n} points are too few for a covariance of {order} coefficients")
        factor = residuals / (n - order)
    if len(y.shape) == 1:
        return base * factor
    return base.reshape(*base.shape, 1) * factor
