"""Uniform and normal numbers.

Takes: keys, shapes, dtypes, bounds. Gives: tensors. Must not know: other distributions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import numpy as lnp
from .. import special
from ..apply import call, lift, operand, shape_of, tensor
from ..dtypes import as_dtype, default_float
from ..tensor import Tensor
from .keys import key_value
from .parts import (
    check,
    float_dtype,
    fractions,
    known,
    normals,
    open_fractions,
    params,
    real,
    sized,
    where_valid,
    working,
)


def uniform(
    key: Any, shape: Any = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0
) -> Tensor:
    """Uniform numbers in [minval, maxval), of the default type unless another is given.

    minval and maxval broadcast to the shape; where they are equal the result is minval.

    >>> import lazir as lz
    >>> x = lz.random.uniform(lz.random.key(0), (1000,))
    >>> bool((x >= 0).all() & (x < 1).all())
    True
    """
    kind, size = float_dtype(dtype, "uniform"), shape_of(shape)
    if known(minval, maxval):
        holds = np.asarray(minval) <= maxval
        check("uniform", "minval", minval, holds, f"at most maxval ({maxval})")
    value = tensor(fractions(key_value(key), size, kind))
    numbers = isinstance(minval, int | float) and isinstance(maxval, int | float)
    if numbers and minval == 0 and maxval == 1:
        return value
    sized("uniform", size, operand(minval).shape, operand(maxval).shape)
    low, high = real("uniform", minval, kind, size), real("uniform", maxval, kind, size)
    return lnp.maximum(low, value * (high - low) + low)


def normal(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Normal numbers with mean 0 and deviation 1, of the default type unless another is given.

    By inversion, ndtri of one word each: the top bit gives the sign, the others the tail's
    probability (m + ½)·2⁻³², in float64 ⁻⁶⁴, so that the numbers are symmetric and reach 6.3
    (float64: 9.1). Complex ones have parts with the variance ½, so that the mean of |z|² is 1.

    >>> import lazir as lz
    >>> x = lz.random.normal(lz.random.key(0), (10000,))
    >>> abs(x.mean().item()) < 0.05
    True
    """
    wanted = default_float() if dtype is None else as_dtype(dtype)
    kind = float_dtype(wanted.part, "normal")
    size = shape_of(shape)
    if wanted.is_complex:
        parts = normals(key, (2, *size), kind) * 0.5**0.5
        return tensor(call("complex", lift(operand(parts[0])), lift(operand(parts[1]))))
    return normals(key, size, working(kind)).astype(kind)


def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = None
) -> Tensor:
    """Normal numbers that lie in [lower, upper], by inversion in the tail that holds more of them.

    >>> import lazir as lz
    >>> x = lz.random.truncated_normal(lz.random.key(0), -1.0, 1.0, (100,))
    >>> bool((abs(x) <= 1).all())
    True
    """
    kind, size, (low, high) = params("truncated_normal", dtype, shape, lower, upper)
    if known(lower, upper):
        holds = np.asarray(lower) < upper
        check("truncated_normal", "lower", lower, holds, f"below upper ({upper})")
    # above 0 the distribution function has no digits left: such intervals are turned around
    turned = low > 0
    a, b = lnp.where(turned, -high, low), lnp.where(turned, -low, high)
    below, above = special.ndtr(a), special.ndtr(b)
    u = open_fractions(key, size, working(kind))
    x = lnp.clip(special.ndtri(below + u * (above - below)), a, b)
    return where_valid(low < high, lnp.where(turned, -x, x), kind)
