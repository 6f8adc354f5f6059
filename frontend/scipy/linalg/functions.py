"""Functions of matrices: `expm` and its derivative along a direction.

Takes: tensors with square matrices in the last two axes. Gives: tensors. Must not know: how LAPACK
is called.

The exponential: N. J. Higham, "The scaling and squaring method for the matrix exponential
revisited", 2005: the Padé approximant of degree 13, and its bound θ₁₃ of norms.
"""

from __future__ import annotations

import math
from typing import Any

from ... import linalg
from ... import numpy as lnp
from ...apply import fail, tensor
from ...control import while_loop
from ...linalg.operands import square
from ...numpy import matmul
from ...tensor import Tensor
from ...transforms import jvp, stop_gradient

THETA = 5.371920351148152
"""Up to this 1-norm the approximant is exact to double precision (table 2.3 there)."""
PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0,
    960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
"""Coefficients of the numerator, from the constant one on (equation 2.3 there)."""


def expm(A: Any, *, upper_triangular: bool = False, max_squarings: int = 16) -> Tensor:
    """The exponential of square matrices, Σ Aᵏ / k!.

    By Padé's approximant of A / 2ˢ squared s times. Where a 1-norm would need more than
    `max_squarings` squarings (it is above 5.37 · 2¹⁶) the result is NaN, as in JAX. Only the upper
    triangle counts with `upper_triangular`. Derivatives of any order.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import expm
    >>> print(expm(lnp.array([[0.0, 1.0], [0.0, 0.0]])))
    [[1. 1.]
     [0. 1.]]
    """
    x = tensor(square(A, "expm"))
    if max_squarings < 0:
        fail(f"expm: max_squarings is 0 or more, got {max_squarings}")
    if 0 in x.shape:
        return x
    if upper_triangular:
        x = lnp.triu(x)
    size = lnp.max(lnp.sum(abs(stop_gradient(x)), axis=-2), axis=-1)
    wanted = lnp.ceil(lnp.log2(lnp.maximum(size / THETA, 1)))
    count = lnp.clip(lnp.where(lnp.isnan(wanted), 0, wanted), 0, max_squarings).astype("int32")
    small = x * lnp.exp2(-count.astype(size.dtype))[..., None, None]
    result = _squared(_approximant(small, upper_triangular), count, max_squarings)
    return lnp.where((wanted > max_squarings)[..., None, None], math.nan, result)


def _approximant(x: Tensor, upper_triangular: bool) -> Tensor:
    """p(x) / p(−x), of odd powers u and even ones v: (v + u) / (v − u)."""
    c = PADE
    one = lnp.eye(x.shape[-1], dtype=x.dtype)
    x2 = matmul(x, x)
    x4 = matmul(x2, x2)
    x6 = matmul(x4, x2)
    high = matmul(x6, c[13] * x6 + c[11] * x4 + c[9] * x2)
    u = matmul(x, high + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * one)
    high = matmul(x6, c[12] * x6 + c[10] * x4 + c[8] * x2)
    v = high + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * one
    if upper_triangular:
        return linalg.solve_triangular(v - u, v + u)
    return linalg.solve(v - u, v + u)


def _squared(x: Tensor, count: Tensor, most: int) -> Tensor:
    """Each matrix squared as often as its own count says."""
    rounds = lnp.max(count)

    def step(state: Any) -> Any:
        k, y = state
        again = (k < count)[..., None, None]
        return k + 1, lnp.where(again, matmul(y, y), y)

    start = lnp.zeros((), "int32")
    _, result = while_loop(lambda state: state[0] < rounds, step, (start, x), max_steps=most)
    found: Tensor = result
    return found


def expm_frechet(
    A: Any, E: Any, *, method: str | None = None, compute_expm: bool = True
) -> tuple[Tensor, Tensor] | Tensor:
    """expm(A) and its derivative along E; without `compute_expm` the derivative alone.

    >>> import lazir.numpy as lnp
    >>> from lazir.scipy.linalg import expm_frechet
    >>> value, slope = expm_frechet(lnp.zeros((2, 2)), lnp.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> print(slope)
    [[1. 2.]
     [3. 4.]]
    """
    x, direction = tensor(square(A, "expm_frechet")), tensor(square(E, "expm_frechet"))
    dtype = lnp.result_type(x, direction)
    value, slope = jvp(expm, (x.astype(dtype),), (direction.astype(dtype),))
    return (value, slope) if compute_expm else slope
