"""Numbers looked into: mantissas and exponents, whole parts, common divisors, packed bits.

Takes: tensors, arrays, numbers. Gives: tensors. Must not know: how anything is lowered.
"""

from __future__ import annotations

import math
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from ..apply import (
    as_tensor,
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axis,
    operand,
    promote,
    tensor,
)
from ..control import while_loop
from ..dtypes import bool_, float32, float64, int32, int64, promote_types, uint8
from ..tensor import Tensor
from .arithmetic import abs, power, remainder
from .classification import isinf
from .creation import zeros
from .functions import larger_and_gap
from .logic import logical_and, where
from .manipulation import concatenate, moveaxis, ravel
from .parts import filled as _filled
from .reduction import any as any_of
from .reduction import sum as total
from .ufunc import Binary, Unary

_LAYOUT = {float32: (23, 127), float64: (52, 1023)}
"""Bits of the mantissa and bias of the exponent (IEEE 754)."""


@Binary
def float_power(x1: Any, x2: Any, /) -> Tensor:
    """x1 to the power x2 in float64 at least (complex128 of complex operands).

    >>> import lazir.numpy as lnp
    >>> lnp.float_power(2, -1).item()
    0.5
    """
    found = promote(x1, x2, name="float_power")
    dtype = promote_types(found.dtype, float64)
    return power(as_tensor(x1, dtype), as_tensor(x2, dtype))


@Binary
def logaddexp2(x1: Any, x2: Any, /) -> Tensor:
    """log2(2**x1 + 2**x2) without overflow.

    >>> import lazir.numpy as lnp
    >>> lnp.logaddexp2(3.0, 3.0).item()
    4.0
    """
    found = promote(x1, x2, name="logaddexp2", inexact=True)
    larger, gap = larger_and_gap(*found.values)
    more = call("div", call("log1p", call("exp2", gap)), _filled(math.log(2), gap))
    return tensor(call("add", larger, more), found.weak)


@Unary
def isneginf(x: Any, /) -> Tensor:
    """Whether x is −∞.

    >>> import lazir.numpy as lnp
    >>> lnp.isneginf(float("-inf")).item()
    True
    """
    return logical_and(isinf(x), as_tensor(x) < 0)


@Unary
def isposinf(x: Any, /) -> Tensor:
    """Whether x is ∞.

    >>> import lazir.numpy as lnp
    >>> lnp.isposinf(float("-inf")).item()
    False
    """
    return logical_and(isinf(x), as_tensor(x) > 0)


# -- mantissas and exponents -------------------------------------------------------------
def _floats(x: Any, name: str) -> tuple[Value, DType]:
    """A float operand, those of 16 bits as f32, and the dtype of the result."""
    found = promote(x, inexact=True)
    if not found.dtype.is_float:
        fail(f"{name} takes real numbers, got {found.dtype}")
    (value,) = found.values
    return (convert(value, float32) if found.dtype.bits == 16 else value), found.dtype


def _power_of_two(exponent: Value, dtype: DType) -> Value:
    """2 to a normal exponent (an integer value of the width of `dtype`), exactly."""
    mantissa, bias = _LAYOUT[dtype]
    field = call("add", exponent, _filled(bias, exponent))
    return call("bitcast", call("shift_left", field, _filled(mantissa, field)), dtype=dtype)


def frexp(x: Any, /) -> tuple[Tensor, Tensor]:
    """x as mantissa · 2**exponent: the mantissa with ½ ≤ |mantissa| < 1, the exponent int32.

    0, infinities and NaN are their own mantissas, with exponent 0.

    >>> import lazir.numpy as lnp
    >>> mantissa, exponent = lnp.frexp(6.0)
    >>> mantissa.item(), exponent.item()
    (0.75, 3)
    """
    value, dtype = _floats(x, "frexp")
    wide = value.type.dtype
    mantissa, bias = _LAYOUT[wide]
    whole = int32 if wide is float32 else int64
    lift_by = mantissa + 1  # brings every subnormal into the normal range
    small = call("less", call("abs", value), _filled(2.0 ** (1 - bias), value))
    scaled = call("select", small, call("mul", value, _filled(2.0**lift_by, value)), value)
    raw = call("bitcast", scaled, dtype=whole)
    field = call("shift_right", raw, _filled(mantissa, raw))
    field = call("bit_and", field, _filled(2 * bias + 1, field))
    exponent = call("sub", field, _filled(bias - 1, field))
    exponent = call("select", small, call("sub", exponent, _filled(lift_by, exponent)), exponent)
    plain = call("bit_and", call("is_finite", value), call("not_equal", value, _filled(0, value)))
    exponent = call("select", plain, exponent, _filled(0, exponent))
    half = call("div", exponent, _filled(2, exponent))  # in two steps: 2**1074 would be infinite
    rest = call("sub", exponent, half)
    for part in (half, rest):
        value = call("mul", value, _power_of_two(call("neg", part), wide))
    return tensor(convert(value, dtype)), tensor(convert(exponent, int32))


@Binary
def ldexp(x1: Any, x2: Any, /) -> Tensor:
    """x1 · 2**x2 with one rounding.

    >>> import lazir.numpy as lnp
    >>> lnp.ldexp(0.75, 3).item()
    6.0
    """
    exponents = operand(x2)
    if not (exponents.dtype.is_integer or exponents.dtype.is_bool):
        fail(f"ldexp: exponents are integers, got {exponents.dtype}")
    base, dtype = _floats(x1, "ldexp")
    wide = base.type.dtype
    mantissa, bias = _LAYOUT[wide]
    shape = promote(tensor(base), x2, name="ldexp").values[0].shape
    value = expand(base, shape)
    n = expand(lift(exponents, int64), shape)
    limit = _filled(4 * bias, n)
    n = call("maximum", call("minimum", n, limit), call("neg", limit))
    low = 1 - bias + mantissa + 1  # stays clear of subnormals, so that only the last step rounds
    for _ in range(2):
        big = call("greater", n, _filled(bias, n))
        small = call("less", n, _filled(1 - bias, n))
        factor = call("select", small, _filled(2.0**low, value), _filled(1, value))
        factor = call("select", big, _filled(2.0**bias, value), factor)
        value = call("mul", value, factor)
        moved = call("select", small, _filled(low, n), _filled(0, n))
        moved = call("select", big, _filled(bias, n), moved)
        n = call("sub", n, moved)
    n = call("maximum", call("minimum", n, _filled(bias, n)), _filled(1 - bias, n))
    if wide is float32:
        n = convert(n, int32)
    return tensor(convert(call("mul", value, _power_of_two(n, wide)), dtype))


@Unary
def spacing(x: Any, /) -> Tensor:
    """The distance from x to the next float away from 0, with the sign of x.

    >>> import lazir.numpy as lnp
    >>> lnp.spacing(1.0).item() == 2.0**-23
    True
    """
    found = promote(x, inexact=True)
    (value,) = found.values
    away = call("copysign", _filled(math.inf, value), value)
    return tensor(call("sub", call("nextafter", value, away), value), found.weak)


def modf(x: Any, /) -> tuple[Tensor, Tensor]:
    """The part of x behind the point and the whole part, both with the sign of x.

    >>> import lazir.numpy as lnp
    >>> part, whole = lnp.modf(-2.5)
    >>> part.item(), whole.item()
    (-0.5, -2.0)
    """
    found = promote(x, inexact=True)
    (value,) = found.values
    part = call("rem", value, _filled(1, value))
    infinite = call("equal", call("abs", value), _filled(math.inf, value))
    part = call("select", infinite, call("copysign", _filled(0, value), value), part)
    return tensor(part), tensor(call("trunc", value))


# -- divisors ----------------------------------------------------------------------------
def _integer_pair(x1: Any, x2: Any, name: str) -> tuple[Tensor, Tensor]:
    found = promote(x1, x2, name=name)
    if not found.dtype.is_integer:
        fail(f"{name} takes integers, got {found.dtype}")
    a, b = (abs(tensor(v)) for v in found.values)
    return a, b


@Binary
def gcd(x1: Any, x2: Any, /) -> Tensor:
    """The greatest common divisor (Euclid's algorithm); of 0 and 0 it is 0.

    >>> import lazir.numpy as lnp
    >>> print(lnp.gcd(lnp.array([12, 7, 0]), 18))
    [ 6  1 18]
    """
    a, b = _integer_pair(x1, x2, "gcd")

    def step(pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x, y = pair
        done = y == 0
        return where(done, x, y), where(done, 0, remainder(x, y))

    found: tuple[Tensor, Tensor] = while_loop(lambda pair: any_of(pair[1] != 0), step, (a, b))
    return found[0]


@Binary
def lcm(x1: Any, x2: Any, /) -> Tensor:
    """The least common multiple; 0 where either is 0.

    >>> import lazir.numpy as lnp
    >>> print(lnp.lcm(lnp.array([4, 7, 0]), 6))
    [12 42  0]
    """
    a, b = _integer_pair(x1, x2, "lcm")
    divisor = gcd(a, b)
    return a // where(divisor == 0, 1, divisor) * b


# -- packed bits -------------------------------------------------------------------------
def _weights(bitorder: str, name: str) -> list[int]:
    if bitorder not in ("big", "little"):
        fail(f"{name}: bitorder is 'big' or 'little', got {bitorder!r}")
    return list(range(7, -1, -1)) if bitorder == "big" else list(range(8))


def packbits(a: Any, axis: int | None = None, bitorder: str = "big") -> Tensor:
    """Eight elements (zero or not) in the bits of one uint8; zeros fill up the last one.

    >>> import lazir.numpy as lnp
    >>> print(lnp.packbits(lnp.array([1, 0, 1])))
    [160]
    """
    shifts = _weights(bitorder, "packbits")
    x = ravel(a) if axis is None else as_tensor(a)
    if not (x.dtype.is_integer or x.dtype.is_bool):
        fail(f"packbits takes integers or bools, got {x.dtype}")
    k = normal_axis(0 if axis is None else axis, len(x.shape), "packbits")
    flags = moveaxis(x != 0, k, -1)
    n = flags.shape[-1]
    if n % 8:
        flags = concatenate([flags, zeros((*flags.shape[:-1], -n % 8), bool_)], -1)
    rows = flags.reshape(*flags.shape[:-1], -(-n // 8), 8).astype(uint8)
    weights = as_tensor([1 << s for s in shifts]).astype(uint8)
    return moveaxis(total(rows * weights, axis=-1, dtype=uint8), -1, k).copy()


def unpackbits(
    a: Any, axis: int | None = None, count: int | None = None, bitorder: str = "big"
) -> Tensor:
    """The bits of uint8 elements as elements 0 and 1; `count` of them (−count are left out).

    >>> import lazir.numpy as lnp
    >>> print(lnp.unpackbits(lnp.array([160], "uint8"), count=3))
    [1 0 1]
    """
    shifts = _weights(bitorder, "unpackbits")
    x = ravel(a) if axis is None else as_tensor(a)
    if x.dtype is not uint8:
        fail(f"unpackbits takes uint8, got {x.dtype}")
    k = normal_axis(0 if axis is None else axis, len(x.shape), "unpackbits")
    rows = moveaxis(x, k, -1)
    bits = (rows.reshape(*rows.shape, 1) >> as_tensor(shifts).astype(uint8)) & 1
    wide = bits.reshape(*rows.shape[:-1], rows.shape[-1] * 8)
    if count is not None:
        if count > wide.shape[-1]:
            wide = concatenate([wide, zeros((*wide.shape[:-1], count - wide.shape[-1]), uint8)], -1)
        if count < -wide.shape[-1]:
            fail(f"unpackbits: count {count} leaves out more than there are", ShapeError)
        wide = wide[..., :count]
    return moveaxis(wide, -1, k).copy()
