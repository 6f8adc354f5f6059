"""Elementwise arithmetic with NumPy's names and meaning: operands broadcast and promote.

Takes: tensors, arrays, numbers. Gives: tensors. Integer division by zero gives 0, as in NumPy.
Must not know: how anything is lowered.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from ..apply import NUMBERS, Operands, broadcast, call, fail, promote, tensor
from ..dtypes import int8 as _I8
from ..tensor import Tensor
from .output import delivered
from .parts import by_part, direction, real_operand, size_of
from .parts import filled as _filled
from .ufunc import Binary, Unary


def _finish(value: Value, found: Operands) -> Tensor:
    return tensor(value, found.weak)


def _binary(name: str, op: str, on_bools: str | None, x1: Any, x2: Any) -> Tensor:
    found = promote(x1, x2, name=name)
    if found.dtype.is_bool:
        if on_bools is None:
            fail(f"{name} is not defined on bools; use logical_xor, or convert to integers first")
        assert on_bools is not None
        return _finish(call(on_bools, *found.values), found)
    return _finish(call(op, *found.values), found)


def _by_real(op: str, z: Value, x: Any, name: str) -> Value | None:
    """A complex value times or over a real operand, part by part; None where x is complex too."""
    scale = real_operand(x, z.type.dtype.part)
    if scale is None:
        return None
    z, factor = broadcast([z, scale], name) if scale.shape != z.shape else (z, scale)
    return by_part(lambda part: call(op, part, factor), z)


@Binary
def add(x1: Any, x2: Any, /) -> Tensor:
    """x1 + x2; logical or on bools.

    >>> import lazir.numpy as lnp
    >>> print(lnp.add(lnp.arange(3), 10))
    [10 11 12]
    """
    return _binary("add", "add", "bit_or", x1, x2)


@Binary
def subtract(x1: Any, x2: Any, /) -> Tensor:
    """x1 − x2; TypeRuleError on bools.

    >>> import lazir.numpy as lnp
    >>> print(lnp.subtract(lnp.arange(3), 1))
    [-1  0  1]
    """
    return _binary("subtract", "sub", None, x1, x2)


@Binary
def multiply(x1: Any, x2: Any, /) -> Tensor:
    """x1 · x2; logical and on bools.

    >>> import lazir.numpy as lnp
    >>> print(lnp.multiply(lnp.arange(3), 2))
    [0 2 4]
    """
    found = promote(x1, x2, name="multiply")
    scaled: Value | None = None
    if found.dtype.is_complex:
        scaled = _by_real("mul", found.values[0], x2, "multiply")
        if scaled is None:
            scaled = _by_real("mul", found.values[1], x1, "multiply")
    if scaled is not None:
        return _finish(scaled, found)
    return _finish(call("bit_and" if found.dtype.is_bool else "mul", *found.values), found)


@Binary
def divide(x1: Any, x2: Any, /) -> Tensor:
    """x1 / x2 as floats; integers become the default float type.

    >>> import lazir.numpy as lnp
    >>> print(lnp.divide(lnp.array([1, 2]), 4))
    [0.25 0.5 ]
    """
    found = promote(x1, x2, name="divide", inexact=True)
    if found.dtype.is_complex:
        scaled = _by_real("div", found.values[0], x2, "divide")
        if scaled is not None:
            return _finish(scaled, found)
    return _finish(call("div", *found.values), found)


true_divide = divide


def _signs_differ(a: Value, b: Value) -> Value:
    zero = _filled(0, a)
    return call("bit_xor", call("less", a, zero), call("less", b, zero))


def _floor_divide_floats(a: Value, b: Value) -> Value:
    """NumPy's: (a − fmod(a, b)) / b is whole but for rounding; the exact quotient decides at b =
    0.
    """
    zero, one = _filled(0, a), _filled(1, a)
    exact = call("div", a, b)
    rest = call("rem", a, b)
    whole = call("div", call("sub", a, rest), b)
    over = call("bit_and", call("not_equal", rest, zero), _signs_differ(rest, b))
    whole = call("select", over, call("sub", whole, one), whole)
    low = call("floor", whole)
    up = call("greater", call("sub", whole, low), _filled(0.5, a))
    result = call("select", up, call("add", low, one), low)
    result = call("select", call("equal", whole, zero), call("mul", exact, zero), result)
    return call("select", call("equal", b, zero), exact, result)


@Binary
def floor_divide(x1: Any, x2: Any, /) -> Tensor:
    """The largest integer not above x1 / x2; on integers x // 0 is 0.

    >>> import lazir.numpy as lnp
    >>> print(lnp.floor_divide(lnp.array([7, -7, 7]), lnp.array([2, 2, 0])))
    [ 3 -4  0]
    """
    found = promote(x1, x2, name="floor_divide")
    if found.dtype.is_complex:
        fail("floor_divide is not defined on complex numbers, which have no order; use divide")
    a, b = _numbers(found)
    dtype = a.type.dtype
    if dtype.is_float:
        return _finish(_floor_divide_floats(a, b), found)
    quotient = call("div", a, b)
    if not dtype.is_signed:
        return _finish(quotient, found)
    inexact = call("not_equal", call("rem", a, b), _filled(0, a))
    lower = call("bit_and", call("bit_and", inexact, _signs_differ(a, b)), _nonzero(b))
    return _finish(call("select", lower, call("sub", quotient, _filled(1, a)), quotient), found)


def _nonzero(b: Value) -> Value:
    return call("not_equal", b, _filled(0, b))


def _numbers(found: Operands) -> list[Value]:
    """Bools as int8, as NumPy divides them."""
    from_bool = found.dtype.is_bool
    return [call("convert", v, dtype=_I8) if from_bool else v for v in found.values]


@Binary
def remainder(x1: Any, x2: Any, /) -> Tensor:
    """x1 − x2 · (x1 // x2), with the sign of x2 (Python's %).

    >>> import lazir.numpy as lnp
    >>> print(lnp.remainder(lnp.array([7, -7]), 3))
    [1 2]
    """
    found = promote(x1, x2, name="remainder")
    a, b = _numbers(found)
    rest = call("rem", a, b)
    if not (a.type.dtype.is_float or a.type.dtype.is_signed):
        return _finish(rest, found)
    zero = _filled(0, a)
    moved = call("bit_and", call("not_equal", rest, zero), _signs_differ(rest, b))
    rest = call("select", moved, call("add", rest, b), rest)
    if a.type.dtype.is_float:  # a zero takes the sign of x2
        signed = call("select", call("less", b, zero), _filled(-0.0, a), zero)
        rest = call("select", call("equal", rest, zero), signed, rest)
        rest = call("select", call("equal", b, zero), call("rem", a, b), rest)
    elif a.type.dtype.is_signed:
        rest = call("select", _nonzero(b), rest, zero)
    return _finish(rest, found)


mod = remainder


@Binary
def fmod(x1: Any, x2: Any, /) -> Tensor:
    """The remainder of the division rounded to zero, with the sign of x1 (C's fmod).

    >>> import lazir.numpy as lnp
    >>> print(lnp.fmod(lnp.array([7, -7]), 3))
    [ 1 -1]
    """
    found = promote(x1, x2, name="fmod")
    return _finish(call("rem", *_numbers(found)), found)


def divmod(x1: Any, x2: Any, /) -> tuple[Tensor, Tensor]:
    """(x1 // x2, x1 % x2).

    >>> import lazir.numpy as lnp
    >>> q, r = lnp.divmod(lnp.array([7]), 4)
    >>> int(q[0]), int(r[0])
    (1, 3)
    """
    return floor_divide(x1, x2), remainder(x1, x2)


@Unary
def negative(x: Any, /) -> Tensor:
    """−x.

    >>> import lazir.numpy as lnp
    >>> print(lnp.negative(lnp.arange(3)))
    [ 0 -1 -2]
    """
    return _unary("negative", "neg", x)


@Unary
def positive(x: Any, /) -> Tensor:
    """x.

    >>> import lazir.numpy as lnp
    >>> lnp.positive(3.0).item()
    3.0
    """
    found = promote(x)
    return _finish(found.values[0], found)


def _unary(name: str, op: str, x: Any) -> Tensor:
    found = promote(x, name=name)
    if found.dtype.is_bool:
        fail(f"{name} is not defined on bools; use logical_not, or convert to integers first")
    return _finish(call(op, *found.values), found)


@Unary
def abs(x: Any, /) -> Tensor:
    """|x|, of complex numbers √(re² + im²) without overflow; bools stay themselves.

    >>> import lazir.numpy as lnp
    >>> print(lnp.abs(lnp.array([-1.5, 2.0])))
    [1.5 2. ]
    """
    found = promote(x)
    if found.dtype.is_bool or found.dtype.kind == "uint":
        return _finish(found.values[0], found)
    return _finish(size_of(*found.values), found)


absolute = abs
fabs = abs


@Unary
def sign(x: Any, /) -> Tensor:
    """−1, 0 or 1; NaN stays NaN. Of a complex number x / |x|, and 0 of 0.

    >>> import lazir.numpy as lnp
    >>> print(lnp.sign(lnp.array([-3, 0, 5])))
    [-1  0  1]
    """
    found = promote(x, name="sign")
    if found.dtype.is_complex:
        return _finish(direction(*found.values), found)
    return _unary("sign", "sign", x)


@Binary
def maximum(x1: Any, x2: Any, /) -> Tensor:
    """The larger; NaN if either is.

    >>> import lazir.numpy as lnp
    >>> print(lnp.maximum(lnp.array([1, 5]), 3))
    [3 5]
    """
    found = promote(x1, x2, name="maximum")
    return _finish(call("maximum", *found.values), found)


@Binary
def minimum(x1: Any, x2: Any, /) -> Tensor:
    """The smaller; NaN if either is.

    >>> import lazir.numpy as lnp
    >>> print(lnp.minimum(lnp.array([1, 5]), 3))
    [1 3]
    """
    found = promote(x1, x2, name="minimum")
    return _finish(call("minimum", *found.values), found)


def _ignoring_nan(op: str, x1: Any, x2: Any) -> Tensor:
    found = promote(x1, x2, name=op)
    a, b = found.values
    best = call(op, a, b)
    if found.dtype.is_float:
        best = call("select", call("not_equal", a, a), b, best)
        best = call("select", call("not_equal", b, b), a, best)
    return _finish(best, found)


@Binary
def fmax(x1: Any, x2: Any, /) -> Tensor:
    """The larger, ignoring a NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.fmax(float("nan"), 1.0).item()
    1.0
    """
    return _ignoring_nan("maximum", x1, x2)


@Binary
def fmin(x1: Any, x2: Any, /) -> Tensor:
    """The smaller, ignoring a NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.fmin(float("nan"), 1.0).item()
    1.0
    """
    return _ignoring_nan("minimum", x1, x2)


def clip(
    x: Any,
    min: Any = None,
    max: Any = None,
    out: Any = None,
    *,
    a_min: Any = None,
    a_max: Any = None,
) -> Tensor:
    """x limited to [min, max]; a limit None is none.

    >>> import lazir.numpy as lnp
    >>> print(lnp.clip(lnp.arange(5), 1, 3))
    [1 1 2 3 3]
    """
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    result = positive(x)
    if low is not None:
        result = maximum(result, low)
    return delivered(result if high is None else minimum(result, high), out, "clip")


def _static_exponent(x2: Any) -> int | None:
    """An exponent worth unrolling: a small whole number known now."""
    if isinstance(x2, bool) or not isinstance(x2, int | float):
        return None
    return int(x2) if -16 <= x2 <= 64 and x2 == int(x2) else None


def _power_by_bits(x: Value, n: Value) -> Value:
    """x to a tensor of integers, bit by bit, modulo 2 to the width; a negative exponent gives 0 (±1
    kept).
    """
    dtype = n.type.dtype
    zero, one = _filled(0, x), _filled(1, x)
    result, power, rest = one, x, n
    for _ in range(dtype.bits):
        odd = call("not_equal", call("bit_and", rest, _filled(1, n)), _filled(0, n))
        result = call("select", odd, call("mul", result, power), result)
        power = call("mul", power, power)
        rest = call("shift_right", rest, _filled(1, n))
    if dtype.is_signed:
        odd = call("not_equal", call("bit_and", n, _filled(1, n)), zero)
        unit = call("select", call("equal", x, _filled(-1, x)), call("select", odd, x, one), zero)
        unit = call("select", call("equal", x, one), one, unit)
        result = call("select", call("less", n, zero), unit, result)
    return result


@Binary
def power(x1: Any, x2: Any, /) -> Tensor:
    """x1 to the power x2. A whole static exponent becomes multiplications.

    >>> import lazir.numpy as lnp
    >>> print(lnp.power(lnp.array([1.0, 2.0, 3.0]), 3))
    [ 1.  8. 27.]
    """
    exponent = _static_exponent(x2)
    if exponent is not None and not isinstance(x1, NUMBERS):
        found = promote(x1, x2, name="power")
        base = promote(x1, dtype=found.dtype)
        x = base.values[0]
        if found.dtype.is_inexact or exponent >= 0:
            return tensor(_static_power(x, exponent), found.weak)
        fail("integers to a negative power are not integers; convert the base to float first")
    found = promote(x1, x2, name="power")
    if found.dtype.is_bool:
        found = promote(x1, x2, name="power", dtype=_I8)
    if found.dtype.is_integer:
        return _finish(_power_by_bits(*found.values), found)
    return _finish(call("pow", *found.values), found)


def _static_power(x: Value, exponent: int) -> Value:
    if exponent == 0:
        return _filled(1, x)
    return x if exponent == 1 else call("integer_pow", x, exponent=exponent)


pow = power


@Unary
def square(x: Any, /) -> Tensor:
    """x · x.

    >>> import lazir.numpy as lnp
    >>> print(lnp.square(lnp.arange(4)))
    [0 1 4 9]
    """
    return multiply(x, x)


@Unary
def reciprocal(x: Any, /) -> Tensor:
    """1 / x.

    >>> import lazir.numpy as lnp
    >>> lnp.reciprocal(4.0).item()
    0.25
    """
    found = promote(x, inexact=True)
    one = _filled(1, found.values[0])
    return _finish(call("div", one, found.values[0]), found)


_PARTS = ("real", "imag")


def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
) -> Tensor:
    """x with NaN and infinities replaced by numbers.

    >>> import lazir.numpy as lnp
    >>> print(lnp.nan_to_num(lnp.array([float("nan"), 1.0])))
    [0. 1.]
    """
    found = promote(x)
    (value,) = found.values
    if found.dtype.is_complex:
        fixed = [nan_to_num(tensor(call(p, value)), copy, nan, posinf, neginf) for p in _PARTS]
        return _finish(call("complex", *promote(*fixed).values), found)
    if not found.dtype.is_float:
        return _finish(value, found)
    high = _largest(found.dtype) if posinf is None else posinf
    low = -_largest(found.dtype) if neginf is None else neginf
    result = call("select", call("not_equal", value, value), _filled(nan, value), value)
    infinity = _filled(float("inf"), value)
    result = call("select", call("equal", value, infinity), _filled(high, value), result)
    return _finish(
        call("select", call("equal", value, call("neg", infinity)), _filled(low, value), result),
        found,
    )


def _largest(dtype: DType) -> float:
    return 3.3895313892515355e38 if dtype.name == "bf16" else float(np.finfo(dtype.numpy).max)
