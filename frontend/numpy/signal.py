"""Sequences: convolution, correlation, slopes, phases, and the windows that signals are cut with.

Takes: tensors, arrays. Gives: tensors. Must not know: kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from ..apply import as_tensor, call, convert, fail, lift, normal_axis, operand, promote, tensor
from ..dtypes import bool_, default_float, int32, to_inexact
from ..tensor import Tensor
from .creation import zeros
from .functions import cos
from .logic import logical_and, where
from .manipulation import concatenate
from .ranges import arange
from .rearrange import diff
from .search import common_dtype

MODES = ("full", "same", "valid")


# -- sums of products over a sliding window ----------------------------------------------
def _vector(x: Any, name: str) -> Tensor:
    made = as_tensor(x)
    if len(made.shape) > 1 or made.shape == (0,):
        fail(f"{name} needs vectors that are not empty, got shape {made.shape}", ShapeError)
    return made.reshape(-1)


def _padding(n: int, m: int, mode: str, name: str) -> tuple[int, int]:
    """Zeros before and after a signal of n elements for a window of m ≤ n."""
    if mode not in MODES:
        fail(f"{name}: mode is 'full', 'same' or 'valid', got {mode!r}")
    if mode == "valid":
        return 0, 0
    return (m - 1, m - 1) if mode == "full" else (m // 2, m - 1 - m // 2)


def _slid(signal: Tensor, window: Tensor, low: int, high: int) -> Tensor:
    """The products of the window and the signal at each place of the window, summed."""
    dtype = common_dtype(signal, window)
    inner = int32 if dtype is bool_ else dtype
    values = [convert(lift(operand(v), dtype), inner) for v in (signal, window)]
    rows = [call("reshape", v, shape=(1, 1, v.type.size)) for v in values]
    made = call(
        "conv", *rows, lhs="nc0", rhs="oi0", out="nc0", stride=(1,), low=(low,), high=(high,),
        lhs_dilation=(1,), rhs_dilation=(1,),
    )  # fmt: skip
    return tensor(convert(call("reshape", made, shape=(made.type.size,)), dtype))


def convolve(a: Any, v: Any, mode: str = "full") -> Tensor:
    """The discrete convolution Σ a[k] · v[n − k] of two vectors.

    `mode`: "full", all places where they meet; "same", as many as the longer has; "valid", those
    where the shorter lies inside.

    >>> import lazir.numpy as lnp
    >>> print(lnp.convolve(lnp.array([1, 2, 3]), lnp.array([1, 1])))
    [1 3 5 3]
    """
    x, y = _vector(a, "convolve"), _vector(v, "convolve")
    if y.shape[0] > x.shape[0]:
        x, y = y, x
    low, high = _padding(x.shape[0], y.shape[0], mode, "convolve")
    return _slid(x, y[::-1], low, high)


def correlate(a: Any, v: Any, mode: str = "valid") -> Tensor:
    """The cross-correlation Σ a[n + k] · conj(v[k]) of two vectors; `mode` as in `convolve`.

    >>> import lazir.numpy as lnp
    >>> print(lnp.correlate(lnp.array([1, 2, 3]), lnp.array([0, 1])))
    [2 3]
    """
    x, y = _vector(a, "correlate"), _vector(v, "correlate").conj()
    n, m = x.shape[0], y.shape[0]
    if m <= n:
        return _slid(x, y, *_padding(n, m, mode, "correlate"))
    high, low = _padding(m, n, mode, "correlate")  # the other way round, read backwards
    return _slid(y, x, low if mode != "same" else high, high if mode != "same" else low)[::-1]


# -- slopes ------------------------------------------------------------------------------
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The slope of `f` along each axis (a list), or along `axis`: central differences, one-sided
    ones at the ends, of first or second order (`edge_order`).

    `varargs`: the distance of samples, for all axes or one for each, or their coordinates.

    >>> import lazir.numpy as lnp
    >>> print(lnp.gradient(lnp.array([1.0, 2.0, 4.0, 7.0])))
    [1.  1.5 2.5 3. ]
    """
    x = as_tensor(f)
    x = x.astype(to_inexact(x.dtype))
    rank = len(x.shape)
    given = range(rank) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    axes = [normal_axis(k, rank, "gradient") for k in given]
    steps = list(varargs) if len(varargs) != 1 else list(varargs) * len(axes)
    steps = steps or [1.0] * len(axes)
    if len(steps) != len(axes):
        fail(f"gradient: {len(steps)} distances for {len(axes)} axes")
    if edge_order not in (1, 2):
        fail(f"gradient: edge_order is 1 or 2, got {edge_order}")
    found = [_slope(x, step, k, edge_order) for step, k in zip(steps, axes)]
    return found[0] if len(found) == 1 and rank else found


def _slope(x: Tensor, step: Any, axis: int, edge_order: int) -> Tensor:
    n = x.shape[axis]
    if n < edge_order + 1:
        fail(
            f"gradient: edge_order {edge_order} needs {edge_order + 1} samples along axis {axis}, "
            f"got {n}",
            ShapeError,
        )

    def part(low: int, high: int) -> Tensor:
        return x[(slice(None),) * axis + (slice(low, high),)]

    before, middle, after = part(0, n - 2), part(1, n - 1), part(2, n)
    if not len(operand(step).shape):
        h = as_tensor(step)
        inner = (after - before) / (2 * h)
        gaps = [h] * 4
    else:
        places = as_tensor(step).astype(x.dtype)
        if places.shape != (n,):
            fail(f"gradient: {places.shape} coordinates for {n} samples", ShapeError)
        width = diff(places).reshape([-1 if k == axis else 1 for k in range(len(x.shape))])
        lead = (slice(None),) * axis
        h1, h2 = width[(*lead, slice(0, n - 2))], width[(*lead, slice(1, n - 1))]
        inner = (
            -(h2 / (h1 * (h1 + h2))) * before
            + ((h2 - h1) / (h1 * h2)) * middle
            + (h1 / (h2 * (h1 + h2))) * after
        )
        gaps = [
            width[(*lead, slice(k, k + 1 or None))] for k in (0, min(1, n - 2), -min(2, n - 1), -1)
        ]
    first, last = _ends(part, n, gaps, edge_order)
    return concatenate([first, inner, last], axis).astype(x.dtype)


def _ends(part: Any, n: int, gaps: list[Tensor], edge_order: int) -> tuple[Tensor, Tensor]:
    """One-sided slopes, from the first two gaps between samples and the last two."""
    h1, h2, h3, h4 = gaps
    ends = [part(k, k + 1) for k in (0, 1, 2)] + [part(n - k, n - k + 1) for k in (3, 2, 1)]
    if edge_order == 1:
        return (ends[1] - ends[0]) / h1, (ends[5] - ends[4]) / h4
    first = (
        -(2 * h1 + h2) / (h1 * (h1 + h2)) * ends[0]
        + (h1 + h2) / (h1 * h2) * ends[1]
        - h1 / (h2 * (h1 + h2)) * ends[2]
    )
    last = (
        h4 / (h3 * (h3 + h4)) * ends[3]
        - (h3 + h4) / (h3 * h4) * ends[4]
        + (2 * h4 + h3) / (h4 * (h3 + h4)) * ends[5]
    )
    return first, last


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Tensor:
    """Jumps of more than half a period between neighbours taken out by adding whole periods.

    >>> import lazir.numpy as lnp
    >>> print(lnp.unwrap(lnp.array([1, 2, 0, 1]), period=3))
    [1 2 3 4]
    """
    x = as_tensor(p)
    exact = x.dtype.is_integer and isinstance(period, int)
    if not exact:
        x = x.astype(to_inexact(x.dtype))
    k = normal_axis(axis, len(x.shape), "unwrap")
    step = diff(x, axis=k)
    high = period // 2 if exact else period / 2
    moved = (step + high) % period - high
    if not exact or period % 2 == 0:  # a jump of just half a period keeps its direction
        moved = where(logical_and(moved == -high, step > 0), high, moved)
    limit = period / 2 if discont is None else discont
    change = where(abs(step) < limit, 0, moved - step).astype(x.dtype)
    first = zeros([min(n, 1) if d == k else n for d, n in enumerate(x.shape)], x.dtype)
    return x + concatenate([first, change], k).cumsum(axis=k).astype(x.dtype)


# -- windows -----------------------------------------------------------------------------
def _window(M: int, coefficients: tuple[float, ...]) -> Tensor:
    """Σ c[k] · cos(2πk·n / (M − 1)), float32."""
    if M < 1:
        return zeros((0,))
    if M == 1:
        return arange(1, 2).astype(default_float())
    angle = arange(1 - M, M, 2).astype(default_float()) * (math.pi / (M - 1))
    result: Any = coefficients[0]
    for k, c in enumerate(coefficients[1:], 1):
        result = result + c * cos(k * angle)
    return as_tensor(result)


def bartlett(M: int) -> Tensor:
    """The triangular window of M points, 0 at both ends.

    >>> import lazir.numpy as lnp
    >>> print(lnp.bartlett(5))
    [0.  0.5 1.  0.5 0. ]
    """
    if M <= 1:
        return _window(M, (1.0,))
    rising = arange(1 - M, M, 2).astype(default_float())
    return 1 - abs(rising) / (M - 1)


def blackman(M: int) -> Tensor:
    """The Blackman window of M points, 0.42 + 0.5 cos θ + 0.08 cos 2θ over one period.

    >>> import lazir.numpy as lnp
    >>> print(lnp.round(lnp.blackman(3), 4) + 0.0)
    [0. 1. 0.]
    """
    return _window(M, (0.42, 0.5, 0.08))


def hamming(M: int) -> Tensor:
    """The Hamming window of M points, 0.54 + 0.46 cos θ over one period.

    >>> import lazir.numpy as lnp
    >>> print(lnp.round(lnp.hamming(3), 4))
    [0.08 1.   0.08]
    """
    return _window(M, (0.54, 0.46))


def hanning(M: int) -> Tensor:
    """The Hann window of M points, 0.5 + 0.5 cos θ over one period.

    >>> import lazir.numpy as lnp
    >>> print(lnp.round(lnp.hanning(3), 4) + 0.0)
    [0. 1. 0.]
    """
    return _window(M, (0.5, 0.5))


def i0(x: Any, /) -> Tensor:
    """The modified Bessel function of order 0, of which `kaiser` is made. Error below 6 ULP.

    >>> import lazir.numpy as lnp
    >>> lnp.i0(0.0).item()
    1.0
    """
    found = promote(x, name="i0", inexact=True)
    if not found.dtype.is_float:
        fail(f"i0 takes real numbers, got {found.dtype}")
    (v,) = found.values
    return tensor(call("mul", call("exp", call("abs", v)), call("i0e", v)), found.weak)


def kaiser(M: int, beta: Any) -> Tensor:
    """The Kaiser window of M points, whose shape `beta` decides (a number known now).

    >>> import lazir.numpy as lnp
    >>> print(lnp.round(lnp.kaiser(3, 2.0), 4))
    [0.4387 1.     0.4387]
    """
    return as_tensor(np.kaiser(M, float(beta)), default_float())
