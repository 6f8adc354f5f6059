"""What kind of number a float is: NaN, infinite, finite; and its sign.

Takes: tensors, arrays, numbers. Gives: tensors. Must not know: how a float is encoded, but for its
sign bit.
"""

from __future__ import annotations

from typing import Any

from ..apply import call, fail, promote, tensor
from ..dtypes import int16 as _I16
from ..dtypes import int32 as _I32
from ..dtypes import int64 as _I64
from ..tensor import Tensor
from .functions import _float_binary
from .parts import filled as _filled
from .parts import imag_of, is_infinite, real_of
from .ufunc import Binary, Unary


@Unary
def isnan(x: Any, /) -> Tensor:
    """Whether x is NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.isnan(float("nan")).item()
    True
    """
    v = promote(x).values[0]
    return tensor(call("not_equal", v, v))


@Unary
def isfinite(x: Any, /) -> Tensor:
    """Whether x is neither infinite nor NaN.

    >>> import lazir.numpy as lnp
    >>> lnp.isfinite(1.0).item()
    True
    """
    v = promote(x).values[0]
    if not v.type.dtype.is_inexact:
        return tensor(call("equal", v, v))
    return tensor(call("is_finite", v))


@Unary
def isinf(x: Any, /) -> Tensor:
    """Whether x is infinite.

    >>> import lazir.numpy as lnp
    >>> lnp.isinf(float("-inf")).item()
    True
    """
    v = promote(x).values[0]
    if not v.type.dtype.is_inexact:
        return tensor(call("not_equal", v, v))
    if v.type.dtype.is_complex:
        return tensor(call("bit_or", is_infinite(real_of(v)), is_infinite(imag_of(v))))
    return tensor(is_infinite(v))


def _sign_bit(x: Any) -> Any:
    """The sign of a float as a bool value, by its bits."""
    found = promote(x)
    (v,) = found.values
    if found.dtype.is_complex:
        fail("signbit is not defined on complex numbers; take it of .real or .imag")
    if found.dtype.is_float:
        integer = {16: _I16, 32: _I32, 64: _I64}[found.dtype.bits]
        v = call("bitcast", v, dtype=integer)
    elif not found.dtype.is_signed:
        return call("not_equal", v, v)
    return call("less", v, _filled(0, v))


@Unary
def signbit(x: Any, /) -> Tensor:
    """Whether the sign of x is negative (true for −0).

    >>> import lazir.numpy as lnp
    >>> lnp.signbit(-0.0).item()
    True
    """
    return tensor(_sign_bit(x))


@Binary
def copysign(x1: Any, x2: Any, /) -> Tensor:
    """|x1| with the sign of x2.

    >>> import lazir.numpy as lnp
    >>> lnp.copysign(3.0, -0.0).item()
    -3.0
    """
    return _float_binary("copysign", x1, x2)


@Binary
def heaviside(x1: Any, x2: Any, /) -> Tensor:
    """0 below 0, x2 at 0, 1 above 0.

    >>> import lazir.numpy as lnp
    >>> print(lnp.heaviside(lnp.array([-1.0, 0.0, 2.0]), 0.5))
    [0.  0.5 1. ]
    """
    found = promote(x1, x2, name="heaviside", inexact=True)
    v, middle = found.values
    zero, one = _filled(0, v), _filled(1, v)
    result = call("select", call("less", v, zero), zero, one)
    result = call("select", call("equal", v, zero), middle, result)
    return tensor(call("select", call("not_equal", v, v), v, result), found.weak)
