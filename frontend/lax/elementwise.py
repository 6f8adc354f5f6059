"""`jax.lax`'s elementwise names: NumPy's functions under its names, and the few that NumPy lacks.

Takes: tensors, arrays, numbers; dtypes are promoted. Gives: tensors. Must not know: other ops.
"""

from __future__ import annotations

from typing import Any

from .. import numpy as lnp
from ..apply import call, convert, expand, fail, lift, operand, promote, tensor
from ..dtypes import as_dtype, float32
from ..numpy import abs, equal, exp, less, less_equal, negative, sign, where
from ..tensor import Tensor


def div(x: Any, y: Any) -> Tensor:
    """x / y; of integers the quotient rounded toward zero, as in C.

    >>> import lazir as lz
    >>> lz.lax.div(-7, 2).item(), lz.lax.div(-7.0, 2.0).item()
    (-3, -3.5)
    """
    found = promote(x, y, name="div")
    if not found.dtype.is_integer:
        return lnp.divide(x, y)
    a, b = found.values
    rest = call("rem", a, b)
    return tensor(call("div", call("sub", a, rest), b))


def rem(x: Any, y: Any) -> Tensor:
    """The remainder of x / y with the sign of x.

    >>> import lazir as lz
    >>> lz.lax.rem(-7, 2).item()
    -1
    """
    return lnp.fmod(x, y)


def complex(x: Any, y: Any) -> Tensor:
    """The complex numbers x + iy of two real tensors; float64 gives complex128.

    >>> import lazir as lz
    >>> lz.lax.complex(1.0, 2.0).item()
    (1+2j)
    """
    found = promote(x, y, name="complex", inexact=True)
    values = [v if v.type.dtype.bits > 16 else convert(v, float32) for v in found.values]
    return tensor(call("complex", *values), found.weak)


def clz(x: Any) -> Tensor:
    """How many bits above the highest 1 of an integer are 0.

    >>> import lazir as lz
    >>> lz.lax.clz(lz.numpy.int32(1)).item()
    31
    """
    return tensor(call("clz", lift(operand(x))))


def population_count(x: Any) -> Tensor:
    """How many bits of an integer are 1, in two's complement.

    >>> import lazir as lz
    >>> lz.lax.population_count(lz.numpy.int8(-1)).item()
    8
    """
    return tensor(call("popcount", lift(operand(x))))


def erfc(x: Any) -> Tensor:
    """1 − erf(x), without cancellation.

    >>> import lazir as lz
    >>> lz.lax.erfc(0.0).item()
    1.0
    """
    return _unary("erfc", x)


def erf_inv(x: Any) -> Tensor:
    """The inverse of erf.

    >>> import lazir as lz
    >>> lz.lax.erf_inv(0.0).item()
    0.0
    """
    return _unary("erfinv", x)


def _unary(op: str, x: Any) -> Tensor:
    (value,), _, weak = promote(x, name=op, inexact=True)
    return tensor(call(op, value), weak)


def logistic(x: Any) -> Tensor:
    """1 / (1 + exp(−x)).

    >>> import lazir as lz
    >>> lz.lax.logistic(0.0).item()
    0.5
    """
    from_zero = exp(negative(abs(x)))
    return where(less(x, 0), from_zero, 1) / (1 + from_zero)


def integer_pow(x: Any, y: int) -> Tensor:
    """x to the power of an integer that is known while tracing.

    >>> import lazir as lz
    >>> lz.lax.integer_pow(3.0, -2).item() == 1 / 9
    False
    """
    return tensor(call("integer_pow", lift(operand(x)), exponent=int(y)))


def round(x: Any, rounding_method: Any = 0) -> Tensor:
    """The nearest whole number; of two equally near ones that away from zero, with
    `rounding_method=1` the even one.

    >>> import lazir as lz
    >>> lz.lax.round(2.5).item(), lz.lax.round(2.5, 1).item()
    (3.0, 2.0)
    """
    even = lnp.rint(x)
    if int(rounding_method):
        return even
    away = lnp.trunc(x) + sign(x)
    return where(equal(abs(x - lnp.trunc(x)), 0.5), away, even)


def clamp(min: Any, x: Any, max: Any) -> Tensor:
    """x, not below `min` and not above `max`.

    >>> import lazir as lz
    >>> lz.lax.clamp(0.0, 3.0, 2.0).item()
    2.0
    """
    return lnp.minimum(lnp.maximum(x, min), max)


def select(pred: Any, on_true: Any, on_false: Any) -> Tensor:
    """`on_true` where the condition holds, else `on_false`.

    >>> import lazir as lz
    >>> lz.lax.select(True, 1, 2).item()
    1
    """
    return where(pred, on_true, on_false)


def select_n(which: Any, *cases: Any) -> Tensor:
    """For each element the one of case number `which`: a bool for two cases, else an integer.

    >>> import lazir as lz
    >>> lz.lax.select_n(True, 1, 2).item()
    2
    """
    found = operand(which)
    if not cases or (found.dtype.is_bool and len(cases) > 2):
        fail(f"select_n: {len(cases)} cases do not fit a choice of type {found.dtype}")
    if found.dtype.is_bool:
        return where(which, cases[-1], cases[0])
    out = lnp.asarray(cases[-1])
    for k in reversed(range(len(cases) - 1)):
        out = where(less_equal(which, k), cases[k], out)
    return out


def shift_left(x: Any, y: Any) -> Tensor:
    """x shifted by y bits; 0 where y is not below the number of bits.

    >>> import lazir as lz
    >>> lz.lax.shift_left(1, 3).item()
    8
    """
    return lnp.left_shift(x, y)


def shift_right_arithmetic(x: Any, y: Any) -> Tensor:
    """x shifted right by y bits, the sign repeated.

    >>> import lazir as lz
    >>> lz.lax.shift_right_arithmetic(-8, 1).item()
    -4
    """
    return _shift_right(x, y, "i")


def shift_right_logical(x: Any, y: Any) -> Tensor:
    """x shifted right by y bits, zeros from the left.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.shift_right_logical(lnp.int8(-2), 1).item()
    127
    """
    return _shift_right(x, y, "ui")


def _shift_right(x: Any, y: Any, kind: str) -> Tensor:
    found = promote(x, y, name="shift_right")
    if not found.dtype.is_integer:
        fail(f"shift_right needs integers, got {found.dtype}")
    other = as_dtype(f"{kind}{found.dtype.bits}")
    a, b = (call("bitcast", v, dtype=other) for v in found.values)
    return tensor(call("bitcast", call("shift_right", a, b), dtype=found.dtype))


def convert_element_type(operand_: Any, new_dtype: Any) -> Tensor:
    """The tensor in another dtype.

    >>> import lazir as lz
    >>> lz.lax.convert_element_type(1.5, "int32").item()
    1
    """
    return tensor(convert(lift(operand(operand_)), as_dtype(new_dtype)))


def bitcast_convert_type(operand_: Any, new_dtype: Any) -> Tensor:
    """The same bits read as another dtype of the same width.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> hex(lz.lax.bitcast_convert_type(lnp.float32(1.0), "int32").item())
    '0x3f800000'
    """
    value, dtype = lift(operand(operand_)), as_dtype(new_dtype)
    if value.type.dtype.bits != dtype.bits:
        fail(f"bitcast_convert_type: {value.type.dtype} and {dtype} differ in width")
    return tensor(call("bitcast", value, dtype=dtype))


def reduce_precision(operand_: Any, exponent_bits: int, mantissa_bits: int) -> Tensor:
    """A float rounded (to even) to fewer bits of exponent and mantissa, in its own dtype.

    >>> import lazir as lz
    >>> lz.lax.reduce_precision(1.1, 8, 7).item()
    1.1015625
    """
    value = lift(operand(operand_))
    dtype = value.type.dtype
    kinds = {(5, 10): "f16", (8, 7): "bf16", (8, 23): "f32", (11, 52): "f64"}
    name = kinds.get((exponent_bits, mantissa_bits))
    if not dtype.is_float or name is None:
        fail(f"reduce_precision of {dtype} knows these (exponent, mantissa) bits: {[*kinds]}")
    return tensor(convert(convert(value, as_dtype(name)), dtype))


def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Tensor:
    """A tensor of x's shape and dtype (or the given ones) with one value.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.full_like(lnp.zeros(2), 3))
    [3. 3.]
    """
    found = operand(x)
    kind = found.dtype if dtype is None else as_dtype(dtype)
    return tensor(expand(lift(operand(fill_value), kind), found.shape if shape is None else shape))
