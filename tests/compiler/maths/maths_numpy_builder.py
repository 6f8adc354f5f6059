"""A builder whose values are NumPy arrays: the meaning of the elementary functions.

Takes arrays; gives arrays. fma is correctly rounded without hardware: f32 through f64 with
rounding to odd, f64 by Boldo & Melquiond, "Emulation of FMA and correctly rounded sums" (2008).
Must not know any elementary function.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DTYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64}
NAMES = {np.dtype(kind): name for name, kind in DTYPES.items()}


def two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    high = x + y
    part = high - x
    return high, (x - (high - part)) + (y - part)


def two_prod(x: Array, y: Array) -> tuple[Array, Array]:
    """Dekker's exact product; the factors must be far from overflow and underflow."""
    high = x * y
    x_high, y_high = x * 134217729.0, y * 134217729.0
    x_high = x_high - (x_high - x)
    y_high = y_high - (y_high - y)
    x_low, y_low = x - x_high, y - y_high
    return high, ((x_high * y_high - high) + x_high * y_low + x_low * y_high) + x_low * y_low


def add_to_odd(x: Array, y: Array) -> Array:
    """x + y rounded to odd: towards the neighbour with an odd significand when inexact."""
    total, rest = two_sum(x, y)
    bits = total.view(np.int64)
    fix = (rest != 0) & ((bits & 1) == 0)
    away = (rest > 0) == (total > 0)
    return np.where(fix, bits + np.where(away, 1, -1), bits).view(np.float64)


def round_scaled(high: Array, low: Array, exponent: Array) -> Array:
    """(high + low) * 2**exponent rounded once, also when the result is subnormal."""
    total = high + low
    normal = np.ldexp(total, exponent)
    magic = np.copysign(np.ldexp(1.0, np.clip(-1074 + 52 - exponent, -1000, 900)), total)
    top, rest = two_sum(magic, high)
    grid = (top + add_to_odd(rest, low)) - magic
    _, result_exponent = np.frexp(total)
    subnormal = np.ldexp(grid, exponent)
    subnormal = np.where(subnormal == 0, np.copysign(subnormal, total), subnormal)
    return np.where(result_exponent + exponent < -1021, subnormal, normal)


def fma_f64(x: Array, y: Array, z: Array) -> Array:
    x, y, z = np.broadcast_arrays(x, y, z)
    x_part, x_exponent = np.frexp(x)
    y_part, y_exponent = np.frexp(y)
    z_part, z_exponent = np.frexp(z)
    scale = x_exponent.astype(np.int64) + y_exponent
    gap = z_exponent - scale
    dominated = gap < -220  # z is only a sticky bit
    addend = np.ldexp(z_part, np.clip(gap, -220, 220))
    addend = np.where(dominated, np.copysign(2.0**-220, z), addend)
    addend = np.where(z == 0, z, addend)
    high, low = two_prod(x_part, y_part)
    top, rest = two_sum(addend, low)
    value, error = two_sum(high, top)
    tail = add_to_odd(rest, error)
    scale_i = np.clip(scale, -5000, 5000).astype(np.int32)
    result = round_scaled(value, tail, scale_i)
    result = np.where((gap > 220) | (np.isinf(z) & np.isfinite(x) & np.isfinite(y)), z, result)
    result = np.where((value == 0) & (tail == 0), 0.0, result)  # exact cancellation gives +0
    plain = (x == 0) | (y == 0) | (z == 0) | ~np.isfinite(x) | ~np.isfinite(y) | np.isnan(z)
    tiny = (z == 0) & (x != 0) & (y != 0)
    return np.where(plain, np.where(tiny, x * y, x * y + z), result)


def fma_f32(x: Array, y: Array, z: Array) -> Array:
    product = x.astype(np.float64) * y.astype(np.float64)
    wide = z.astype(np.float64)
    odd = add_to_odd(product, wide)
    plain = product + wide
    return np.where(np.isfinite(plain), odd, plain).astype(np.float32)


class NumpyBuilder:
    """Counts what it is asked to do in `operations`, for budget tests."""

    def __init__(self) -> None:
        self.operations = 0

    def dtype(self, x: Array) -> str:
        return "i1" if x.dtype == np.bool_ else NAMES[x.dtype]

    def const(self, value: int | float, like: Array) -> Array:
        return np.asarray(value, like.dtype)

    def const_bits(self, bits: int, like: Array) -> Array:
        integer = np.uint32 if like.dtype.itemsize == 4 else np.uint64
        return np.asarray(bits, integer).view(like.dtype)

    def _count(self, result: Array) -> Array:
        self.operations += 1
        return np.asarray(result)

    def add(self, x: Array, y: Array) -> Array:
        return self._count(x + y)

    def sub(self, x: Array, y: Array) -> Array:
        return self._count(x - y)

    def mul(self, x: Array, y: Array) -> Array:
        return self._count(x * y)

    def div(self, x: Array, y: Array) -> Array:
        return self._count(x / y)

    def neg(self, x: Array) -> Array:
        return self._count(-x)

    def abs(self, x: Array) -> Array:
        return self._count(np.abs(x))

    def fma(self, x: Array, y: Array, z: Array) -> Array:
        return self._count(fma_f32(x, y, z) if x.dtype == np.float32 else fma_f64(x, y, z))

    def sqrt(self, x: Array) -> Array:
        return self._count(np.sqrt(x))

    def floor(self, x: Array) -> Array:
        return self._count(np.floor(x))

    def ceil(self, x: Array) -> Array:
        return self._count(np.ceil(x))

    def trunc(self, x: Array) -> Array:
        return self._count(np.trunc(x))

    def round(self, x: Array) -> Array:
        return self._count(np.rint(x))

    def minimum(self, x: Array, y: Array) -> Array:
        return self._count(np.minimum(x, y))

    def maximum(self, x: Array, y: Array) -> Array:
        return self._count(np.maximum(x, y))

    def less(self, x: Array, y: Array) -> Array:
        return self._count(x < y)

    def less_equal(self, x: Array, y: Array) -> Array:
        return self._count(x <= y)

    def greater(self, x: Array, y: Array) -> Array:
        return self._count(x > y)

    def greater_equal(self, x: Array, y: Array) -> Array:
        return self._count(x >= y)

    def equal(self, x: Array, y: Array) -> Array:
        return self._count(x == y)

    def not_equal(self, x: Array, y: Array) -> Array:
        return self._count(x != y)

    def select(self, condition: Array, x: Array, y: Array) -> Array:
        return self._count(np.where(condition, x, y))

    def bit_and(self, x: Array, y: Array) -> Array:
        return self._count(x & y)

    def bit_or(self, x: Array, y: Array) -> Array:
        return self._count(x | y)

    def bit_xor(self, x: Array, y: Array) -> Array:
        return self._count(x ^ y)

    def bit_not(self, x: Array) -> Array:
        return self._count(~x)

    def shift_left(self, x: Array, y: Array) -> Array:
        return self._count(x << y)

    def shift_right(self, x: Array, y: Array) -> Array:
        return self._count(x >> y)

    def bitcast(self, x: Array, dtype: str) -> Array:
        return np.ascontiguousarray(x).view(DTYPES[dtype]).reshape(x.shape)

    def convert(self, x: Array, dtype: str) -> Array:
        return self._count(x.astype(DTYPES[dtype]))
