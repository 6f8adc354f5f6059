"""Elementwise functions: exponentials, logarithms, trigonometry, rounding.

Takes: tensors, arrays, numbers; integers become the default float type. Gives: tensors.
Must not know: how a function is computed.
"""

from __future__ import annotations

import math
from typing import Any

from lazir.compiler.graph import Value

from ..apply import call, lift, operand, promote, tensor
from ..tensor import Tensor
from .arithmetic import remainder
from .output import delivered
from .parts import by_part, real_of, size_of
from .parts import filled as _filled
from .ufunc import Binary, Unary


def _float_unary(op: str, x: Any) -> Tensor:
    found = promote(x, name=op, inexact=True)
    return tensor(call(op, *found.values), found.weak)


def _float_binary(op: str, x1: Any, x2: Any) -> Tensor:
    found = promote(x1, x2, name=op, inexact=True)
    return tensor(call(op, *found.values), found.weak)


@Unary
def exp(x: Any, /) -> Tensor:
    """e to the power x.

    >>> import lazir.numpy as lnp
    >>> lnp.exp(0.0).item()
    1.0
    """
    return _float_unary("exp", x)


@Unary
def exp2(x: Any, /) -> Tensor:
    """2 to the power x.

    >>> import lazir.numpy as lnp
    >>> lnp.exp2(3.0).item()
    8.0
    """
    return _float_unary("exp2", x)


@Unary
def expm1(x: Any, /) -> Tensor:
    """exp(x) − 1, accurate near 0.

    >>> import lazir.numpy as lnp
    >>> lnp.expm1(0.0).item()
    0.0
    """
    return _float_unary("expm1", x)


@Unary
def log(x: Any, /) -> Tensor:
    """The natural logarithm.

    >>> import lazir.numpy as lnp
    >>> lnp.log(1.0).item()
    0.0
    """
    return _float_unary("log", x)


@Unary
def log2(x: Any, /) -> Tensor:
    """The logarithm to base 2.

    >>> import lazir.numpy as lnp
    >>> lnp.log2(8.0).item()
    3.0
    """
    return _float_unary("log2", x)


@Unary
def log10(x: Any, /) -> Tensor:
    """The logarithm to base 10.

    >>> import lazir.numpy as lnp
    >>> lnp.log10(1.0).item()
    0.0
    """
    return _float_unary("log10", x)


@Unary
def log1p(x: Any, /) -> Tensor:
    """log(1 + x), accurate near 0.

    >>> import lazir.numpy as lnp
    >>> lnp.log1p(0.0).item()
    0.0
    """
    return _float_unary("log1p", x)


@Unary
def sqrt(x: Any, /) -> Tensor:
    """The square root; NaN below 0.

    >>> import lazir.numpy as lnp
    >>> lnp.sqrt(9.0).item()
    3.0
    """
    return _float_unary("sqrt", x)


@Unary
def cbrt(x: Any, /) -> Tensor:
    """The cube root.

    >>> import lazir.numpy as lnp
    >>> lnp.cbrt(0.0).item()
    0.0
    """
    return _float_unary("cbrt", x)


@Unary
def sin(x: Any, /) -> Tensor:
    """The sine of x in radians.

    >>> import lazir.numpy as lnp
    >>> lnp.sin(0.0).item()
    0.0
    """
    return _float_unary("sin", x)


@Unary
def cos(x: Any, /) -> Tensor:
    """The cosine of x in radians.

    >>> import lazir.numpy as lnp
    >>> lnp.cos(0.0).item()
    1.0
    """
    return _float_unary("cos", x)


@Unary
def tan(x: Any, /) -> Tensor:
    """The tangent of x in radians.

    >>> import lazir.numpy as lnp
    >>> lnp.tan(0.0).item()
    0.0
    """
    return _float_unary("tan", x)


@Unary
def arcsin(x: Any, /) -> Tensor:
    """The angle in [−π/2, π/2] whose sine is x.

    >>> import lazir.numpy as lnp
    >>> lnp.arcsin(0.0).item()
    0.0
    """
    return _float_unary("asin", x)


@Unary
def arccos(x: Any, /) -> Tensor:
    """The angle in [0, π] whose cosine is x.

    >>> import lazir.numpy as lnp
    >>> lnp.arccos(1.0).item()
    0.0
    """
    return _float_unary("acos", x)


@Unary
def arctan(x: Any, /) -> Tensor:
    """The angle in (−π/2, π/2) whose tangent is x.

    >>> import lazir.numpy as lnp
    >>> lnp.arctan(0.0).item()
    0.0
    """
    return _float_unary("atan", x)


@Unary
def sinh(x: Any, /) -> Tensor:
    """The hyperbolic sine.

    >>> import lazir.numpy as lnp
    >>> lnp.sinh(0.0).item()
    0.0
    """
    return _float_unary("sinh", x)


@Unary
def cosh(x: Any, /) -> Tensor:
    """The hyperbolic cosine.

    >>> import lazir.numpy as lnp
    >>> lnp.cosh(0.0).item()
    1.0
    """
    return _float_unary("cosh", x)


@Unary
def tanh(x: Any, /) -> Tensor:
    """The hyperbolic tangent.

    >>> import lazir.numpy as lnp
    >>> lnp.tanh(0.0).item()
    0.0
    """
    return _float_unary("tanh", x)


@Unary
def arcsinh(x: Any, /) -> Tensor:
    """The inverse of sinh.

    >>> import lazir.numpy as lnp
    >>> lnp.arcsinh(0.0).item()
    0.0
    """
    return _float_unary("asinh", x)


@Unary
def arccosh(x: Any, /) -> Tensor:
    """The inverse of cosh, for x ≥ 1.

    >>> import lazir.numpy as lnp
    >>> lnp.arccosh(1.0).item()
    0.0
    """
    return _float_unary("acosh", x)


@Unary
def arctanh(x: Any, /) -> Tensor:
    """The inverse of tanh, for |x| < 1.

    >>> import lazir.numpy as lnp
    >>> lnp.arctanh(0.0).item()
    0.0
    """
    return _float_unary("atanh", x)


def rsqrt(x: Any, /) -> Tensor:
    """1 / √x.

    >>> import lazir.numpy as lnp
    >>> lnp.rsqrt(4.0).item()
    0.5
    """
    return _float_unary("rsqrt", x)


def erf(x: Any, /) -> Tensor:
    """The error function 2/√π ∫₀ˣ exp(−t²) dt.

    >>> import lazir.numpy as lnp
    >>> lnp.erf(0.0).item()
    0.0
    """
    return _float_unary("erf", x)


@Binary
def arctan2(x1: Any, x2: Any, /) -> Tensor:
    """The angle of the point (x2, x1) in [−π, π].

    >>> import lazir.numpy as lnp
    >>> lnp.arctan2(0.0, 1.0).item()
    0.0
    """
    return _float_binary("atan2", x1, x2)


@Binary
def hypot(x1: Any, x2: Any, /) -> Tensor:
    """√(x1² + x2²) without overflow on the way.

    >>> import lazir.numpy as lnp
    >>> lnp.hypot(3.0, 4.0).item()
    5.0
    """
    return _float_binary("hypot", x1, x2)


@Binary
def nextafter(x1: Any, x2: Any, /) -> Tensor:
    """The next float after x1 on the way to x2.

    >>> import lazir.numpy as lnp
    >>> lnp.nextafter(1.0, 2.0).item() > 1.0
    True
    """
    return _float_binary("nextafter", x1, x2)


def larger_and_gap(a: Value, b: Value) -> tuple[Value, Value]:
    """max(a, b) and −|a − b|, from which smooth functions of both are made.

    Written without `maximum` and `abs`, whose derivatives at a = b are conventions: here the gap is
    a − b with all its derivatives, so that second derivatives of log(eᵃ + eᵇ) are right as well.
    """
    apart = call("bit_or", call("not_equal", a, b), call("is_finite", a))  # ∞ − ∞ would be NaN
    gap = call("select", apart, call("sub", a, b), _filled(0, a))
    first = call("greater", gap, _filled(0, a))
    return call("select", first, a, b), call("select", first, call("neg", gap), gap)


@Binary
def logaddexp(x1: Any, x2: Any, /) -> Tensor:
    """log(exp(x1) + exp(x2)) without overflow.

    >>> import lazir.numpy as lnp
    >>> print(lnp.round(lnp.logaddexp(0.0, 0.0), 4))
    0.6931
    """
    found = promote(x1, x2, name="logaddexp", inexact=True)
    larger, gap = larger_and_gap(*found.values)
    return tensor(call("add", larger, call("log1p", call("exp", gap))), found.weak)


def sinc(x: Any, /) -> Tensor:
    """sin(πx) / (πx), 1 at 0.

    >>> import lazir.numpy as lnp
    >>> lnp.sinc(0.0).item()
    1.0
    """
    found = promote(x, inexact=True)
    (v,) = found.values
    size = size_of(v)
    near = call("less", size, _filled(0.25, size))
    angle = call("mul", v, _filled(math.pi, v))
    far = call("select", near, _filled(1, v), angle)
    quotient = call("div", call("sin", far), far)
    # near 0 the series Σ (−a²)ᵏ / (2k + 1)!, whose derivatives stay right as well
    a = call("select", near, angle, _filled(0, v))
    square, series = call("mul", a, a), _filled(1, v)
    for k in range(9, 0, -1):
        step = call("mul", square, _filled(-1 / (2 * k * (2 * k + 1)), v))
        series = call("add", _filled(1, v), call("mul", step, series))
    return tensor(call("select", near, series, quotient), found.weak)


@Unary
def deg2rad(x: Any, /) -> Tensor:
    """Degrees to radians.

    >>> import lazir.numpy as lnp
    >>> print(lnp.round(lnp.deg2rad(180.0), 4))
    3.1416
    """
    found = promote(x, inexact=True)
    (v,) = found.values
    return tensor(call("mul", v, _filled(math.pi / 180, v)), found.weak)


@Unary
def rad2deg(x: Any, /) -> Tensor:
    """Radians to degrees.

    >>> import lazir.numpy as lnp
    >>> lnp.rad2deg(0.0).item()
    0.0
    """
    found = promote(x, inexact=True)
    (v,) = found.values
    return tensor(call("mul", v, _filled(180 / math.pi, v)), found.weak)


# -- rounding ----------------------------------------------------------------------------
def _rounding(op: str, x: Any) -> Tensor:
    found = promote(x, name=op)
    (v,) = found.values
    if found.dtype.is_complex and op == "round":  # NumPy rounds the parts
        return tensor(by_part(lambda part: call(op, part), v), found.weak)
    return tensor(call(op, v) if found.dtype.is_inexact else v, found.weak)


@Unary
def floor(x: Any, /) -> Tensor:
    """The largest integer not above x, as a float; integers stay.

    >>> import lazir.numpy as lnp
    >>> lnp.floor(-1.5).item()
    -2.0
    """
    return _rounding("floor", x)


@Unary
def ceil(x: Any, /) -> Tensor:
    """The smallest integer not below x, as a float; integers stay.

    >>> import lazir.numpy as lnp
    >>> lnp.ceil(-1.5).item()
    -1.0
    """
    return _rounding("ceil", x)


@Unary
def trunc(x: Any, /) -> Tensor:
    """x rounded towards zero.

    >>> import lazir.numpy as lnp
    >>> lnp.trunc(-1.5).item()
    -1.0
    """
    return _rounding("trunc", x)


fix = trunc


@Unary
def rint(x: Any, /) -> Tensor:
    """x rounded to the nearest integer, ties to even.

    >>> import lazir.numpy as lnp
    >>> lnp.rint(2.5).item()
    2.0
    """
    return _rounding("round", x)


def round(a: Any, decimals: int = 0, out: Any = None) -> Tensor:
    """x rounded to `decimals` places, ties to even.

    >>> import lazir.numpy as lnp
    >>> lnp.round(1234.0, -2).item()
    1200.0
    """
    found = promote(a)
    (v,) = found.values
    if decimals == 0 or not (found.dtype.is_inexact or decimals < 0):
        return delivered(rint(a), out, "round")
    if not found.dtype.is_inexact:
        return delivered(_round_integers(a, 10**-decimals), out, "round")
    scale = _filled(10.0 ** abs(decimals), real_of(v))
    up, down = ("mul", "div") if decimals > 0 else ("div", "mul")

    def rounded(part: Any) -> Any:
        return call(down, call("round", call(up, part, scale)), scale)

    made = by_part(rounded, v) if found.dtype.is_complex else rounded(v)
    return delivered(tensor(made, found.weak), out, "round")


def _round_integers(a: Any, step: int) -> Tensor:
    """The nearest multiple of a power of ten, halfway the one with an even factor."""
    (v,) = promote(a).values
    dtype = v.type.dtype
    if not dtype.is_integer or step >= 1 << (dtype.bits - dtype.is_signed - 1):
        return tensor(call("mul", v, _filled(0, v)) if dtype.is_integer else v)
    rest = lift(operand(remainder(tensor(v), tensor(_filled(step, v)))))
    low, half = call("sub", v, rest), _filled(step // 2, v)
    factor = call("div", low, _filled(step, v))
    odd = call("not_equal", call("bit_and", factor, _filled(1, v)), _filled(0, v))
    above = call("greater", rest, half)
    above = call("bit_or", above, call("bit_and", call("equal", rest, half), odd))
    return tensor(call("select", above, call("add", low, _filled(step, v)), low))
