"""exp, exp2 and expm1 in straight-line code.

Takes a builder and an f32 or f64 value; gives the function value.
Must not know what the builder makes of its calls.
Method: Cody & Waite (1980): x = n*ln2 + r, a minimax polynomial in r, and scaling by 2**n.
"""

from __future__ import annotations

from .builder import Builder, V
from .coefficients import EXP, EXP2
from .constants import LN2, LOG2_E
from .formats import clamp, format_of, power_of_two, round_shifted, scale_in_two
from .polynomial import estrin

EXP_RANGE = {"f32": (-104.0, 89.0), "f64": (-746.0, 710.0)}
EXP2_RANGE = {"f32": (-151.0, 129.0), "f64": (-1076.0, 1025.0)}
EXPM1_RANGE = {"f32": (-18.0, 89.0), "f64": (-38.0, 710.0)}


def reduce_ln2(b: Builder[V], x: V) -> tuple[V, V, V]:
    """`(n, shifted, r)` with x = n*ln2 + r and |r| <= ln2/2: 4 operations."""
    layout = format_of(b, x)
    n, shifted = round_shifted(b, x, LOG2_E[layout.name][0])
    high, low = LN2[layout.name]
    r = b.fma(n, b.const(-high, x), x)
    return n, shifted, b.fma(n, b.const(-low, x), r)


def expm1_polynomial(b: Builder[V], r: V) -> V:
    """exp(r) - 1 for |r| <= ln2/2."""
    return b.fma(b.mul(r, r), estrin(b, r, EXP[b.dtype(r)]), r)


def exp(b: Builder[V], x: V) -> V:
    """e**x; 25 (f32) or 31 (f64) operations.

    Overflows to inf above log(max) and underflows gradually; the result is rounded at most
    twice, the second time only when it is subnormal.
    """
    layout = format_of(b, x)
    n, shifted, r = reduce_ln2(b, clamp(b, x, *EXP_RANGE[layout.name]))
    value = b.add(b.const(1.0, x), expm1_polynomial(b, r))
    return scale_in_two(b, value, n, shifted)


def exp2_reduced(b: Builder[V], x: V, low: V | None = None) -> V:
    """2**(x + low) for x in `EXP2_RANGE` and tiny `low`."""
    layout = format_of(b, x)
    n, shifted = round_shifted(b, x, 1.0)
    r = b.sub(x, n)
    if low is not None:
        r = b.add(r, low)
    first, *others = EXP2[layout.name]
    higher = b.mul(b.mul(r, r), estrin(b, r, others))
    value = b.add(b.fma(r, b.const(first, x), higher), b.const(1.0, x))
    return scale_in_two(b, value, n, shifted)


def exp2(b: Builder[V], x: V) -> V:
    """2**x, exact for integers; 25 (f32) or 31 (f64) operations."""
    return exp2_reduced(b, clamp(b, x, *EXP2_RANGE[b.dtype(x)]))


def expm1(b: Builder[V], x: V) -> V:
    """e**x - 1 without cancellation; 25 (f32) or 31 (f64) operations.

    2**n*(exp(r) - 1) + (2**n - 1), scaled by half so that 2**n cannot overflow.
    """
    layout = format_of(b, x)
    _, shifted, r = reduce_ln2(b, clamp(b, x, *EXPM1_RANGE[layout.name]))
    half_power = power_of_two(b, b.sub(shifted, b.const(1, shifted)), x)
    shift = b.sub(half_power, b.const(0.5, x))
    square = b.mul(r, r)
    half = b.fma(r, half_power, shift)
    half = b.fma(b.mul(square, estrin(b, r, EXP[layout.name])), half_power, half)
    tiny = b.less(b.abs(x), b.const(layout.epsilon, x))  # also keeps -0 and subnormals
    return b.select(tiny, x, b.add(half, half))
