"""Integrals of sampled functions, and solutions of ordinary differential equations.

Takes: samples, or the right-hand side of an equation. Gives: integrals, trajectories.
Must not know: what is integrated.
"""

from __future__ import annotations

from typing import Any

from .. import numpy as lnp
from ..apply import fail
from ..numpy import trapezoid
from ..public import listing
from ..tensor import Tensor
from .initial_values import odeint


def simpson(y: Any, x: Any = None, *, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral of samples by Simpson's rule, on equal or unequal steps. With an even number of
    samples the last interval is that of a parabola through the last three (Cartwright, 2017).

    >>> from lazir.scipy.integrate import simpson
    >>> round(simpson([0.0, 1.0, 4.0, 9.0, 16.0]).item(), 4)
    21.3333
    """
    values = lnp.moveaxis(lnp.asarray(y), axis, -1)
    n = values.shape[-1]
    places = None if x is None else lnp.asarray(x)
    if places is not None and places.ndim != 1:
        places = lnp.moveaxis(places, axis, -1)
    if places is not None and places.shape not in ((n,), values.shape):
        fail(f"simpson takes an x for each of {n} samples, or of y's shape, got {lnp.shape(x)}")
    if n < 2:
        return lnp.zeros(values.shape[:-1], values.dtype)
    steps = lnp.full((n - 1,), dx) if places is None else lnp.diff(places, axis=-1)
    if n == 2:
        return 0.5 * steps[..., 0] * (values[..., 0] + values[..., 1])
    pairs = (n - 1) // 2
    h0, h1 = steps[..., 0 : 2 * pairs : 2], steps[..., 1 : 2 * pairs : 2]
    a, b, c = (values[..., k : k + 2 * pairs - 1 : 2] for k in range(3))
    both = h0 + h1
    total = lnp.sum(
        both / 6 * ((2 - h1 / h0) * a + both * both / (h0 * h1) * b + (2 - h0 / h1) * c), axis=-1
    )
    if n % 2:
        return total
    p, q = steps[..., -1], steps[..., -2]
    last = p * (2 * p + 3 * q) / (6 * (p + q)) * values[..., -1]
    middle = p * (p + 3 * q) / (6 * q) * values[..., -2]
    return total + last + middle - p**3 / (6 * q * (p + q)) * values[..., -3]


__all__ = ["odeint", "simpson", "trapezoid"]
__dir__ = listing(__name__)
