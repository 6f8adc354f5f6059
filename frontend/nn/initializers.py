"""`jax.nn.initializers` by the same names: each gives a function of a key, a shape and a dtype.

Takes: scales and modes. Gives: functions `(key, shape, dtype) → Tensor`. Must not know: modules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from lazir.compiler.errors import ShapeError

from .. import linalg, random
from .. import numpy as lnp
from ..apply import fail
from ..public import listing
from ..tensor import Tensor

__all__ = [
    "Initializer", "constant", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform",
    "kaiming_normal", "kaiming_uniform", "lecun_normal", "lecun_uniform", "normal", "ones",
    "orthogonal", "truncated_normal", "uniform", "variance_scaling", "xavier_normal",
    "xavier_uniform", "zeros",
]  # fmt: skip
__dir__ = listing(__name__)

Initializer = Callable[..., Tensor]


def zeros(key: Any, shape: Any, dtype: Any = float) -> Tensor:
    """Zeros; the key is not used.

    >>> import lazir as lz
    >>> print(zeros(None, (2,)))
    [0. 0.]
    """
    return lnp.zeros(shape, dtype)


def ones(key: Any, shape: Any, dtype: Any = float) -> Tensor:
    """Ones; the key is not used.

    >>> print(ones(None, (2,)))
    [1. 1.]
    """
    return lnp.ones(shape, dtype)


def constant(value: Any, dtype: Any = float) -> Initializer:
    """The value everywhere.

    >>> print(constant(3.0)(None, (2,)))
    [3. 3.]
    """
    return lambda key, shape, dtype=dtype: lnp.full(shape, value, dtype)


def uniform(scale: float = 1e-2, dtype: Any = float) -> Initializer:
    """Uniform numbers in [0, scale).

    >>> import lazir as lz
    >>> uniform(1.0)(lz.random.key(0), (2, 3)).shape
    (2, 3)
    """
    return lambda key, shape, dtype=dtype: random.uniform(key, shape, dtype, 0.0, scale)


def normal(stddev: float = 1e-2, dtype: Any = float) -> Initializer:
    """Normal numbers with this standard deviation.

    >>> import lazir as lz
    >>> normal()(lz.random.key(0), (2, 3)).shape
    (2, 3)
    """
    return lambda key, shape, dtype=dtype: _cast(random.normal(key, shape, dtype), stddev)


_TRUNCATED = 0.87962566103423978
"""The standard deviation of a standard normal variable between −2 and 2."""


def truncated_normal(
    stddev: float = 1e-2, dtype: Any = float, lower: float = -2.0, upper: float = 2.0
) -> Initializer:
    """Normal numbers between lower · stddev and upper · stddev.

    >>> import lazir as lz
    >>> bool((abs(truncated_normal(1.0)(lz.random.key(0), (9,))) <= 2).all())
    True
    """

    def draw(key: Any, shape: Any, dtype: Any = dtype) -> Tensor:
        return _cast(random.truncated_normal(key, lower, upper, shape, dtype), stddev)

    return draw


def _cast(x: Tensor, scale: float) -> Tensor:
    return lnp.astype(x * scale, x.dtype)


def _fans(shape: Sequence[int], in_axis: Any, out_axis: Any) -> tuple[float, float]:
    if len(shape) < 2:
        fail(f"a shape of at least two axes has fans, {tuple(shape)} has not", ShapeError)
    ins, outs = ([a] if isinstance(a, int) else list(a) for a in (in_axis, out_axis))
    receptive = math.prod(shape) / math.prod(shape[a] for a in (*ins, *outs))
    return (
        math.prod(shape[a] for a in ins) * receptive,
        math.prod(shape[a] for a in outs) * receptive,
    )


def variance_scaling(
    scale: float, mode: str, distribution: str, in_axis: Any = -2, out_axis: Any = -1,
    dtype: Any = float,
) -> Initializer:  # fmt: skip
    """Numbers of variance scale / n, n being the fan that `mode` says: fan_in, fan_out, fan_avg.

    `distribution` is normal, truncated_normal or uniform.

    >>> import lazir as lz
    >>> draw = variance_scaling(1.0, "fan_in", "uniform")
    >>> draw(lz.random.key(0), (300, 5)).shape
    (300, 5)
    """

    def draw(key: Any, shape: Any, dtype: Any = dtype) -> Tensor:
        fan_in, fan_out = _fans(shape, in_axis, out_axis)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        if mode not in fans:
            fail(f"mode is fan_in, fan_out or fan_avg, got {mode!r}")
        deviation = math.sqrt(scale / max(fans[mode], 1.0))
        if distribution == "normal":
            return normal(deviation)(key, shape, dtype)
        if distribution == "truncated_normal":
            return truncated_normal(deviation / _TRUNCATED)(key, shape, dtype)
        if distribution == "uniform":
            bound = math.sqrt(3) * deviation
            return random.uniform(key, shape, dtype, -bound, bound)
        return fail(f"unknown distribution {distribution!r}")  # type: ignore[no-any-return]

    return draw


def _named(scale: float, mode: str, distribution: str, text: str) -> Callable[..., Initializer]:
    def make(in_axis: Any = -2, out_axis: Any = -1, dtype: Any = float) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, dtype)

    make.__doc__ = text
    return make


glorot_uniform = _named(1.0, "fan_avg", "uniform", "Uniform (Glorot and Bengio, 2010).")
glorot_normal = _named(1.0, "fan_avg", "truncated_normal", "Normal (Glorot and Bengio, 2010).")
lecun_uniform = _named(1.0, "fan_in", "uniform", "Uniform (LeCun et al., 1998).")
lecun_normal = _named(1.0, "fan_in", "truncated_normal", "Normal (LeCun et al., 1998).")
he_uniform = _named(2.0, "fan_in", "uniform", "Uniform (He et al., 2015).")
he_normal = _named(2.0, "fan_in", "truncated_normal", "Normal (He et al., 2015).")
xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal


def orthogonal(scale: float = 1.0, column_axis: int = -1, dtype: Any = float) -> Initializer:
    """Orthonormal columns (or rows, if there are fewer), times a scale (Saxe et al., 2013).

    >>> import lazir as lz
    >>> q = orthogonal()(lz.random.key(0), (4, 3))
    >>> print(lz.numpy.abs(lz.numpy.round(q.T @ q, 3)))
    [[1. 0. 0.]
     [0. 1. 0.]
     [0. 0. 1.]]
    """

    def draw(key: Any, shape: Any, dtype: Any = dtype) -> Tensor:
        columns = shape[column_axis]
        rows = math.prod(shape) // columns
        tall = (max(rows, columns), min(rows, columns))
        q, r = linalg.qr(random.normal(key, tall, dtype))
        q = q * lnp.sign(lnp.diagonal(r))
        q = (q if rows >= columns else q.T).reshape(
            (*(n for k, n in enumerate(shape) if k != column_axis % len(shape)), columns)
        )
        return _cast(lnp.moveaxis(q, -1, column_axis), scale)

    return draw
