"""Parts of complex numbers, and whether they are real.

Takes: tensors, arrays, numbers. Gives: tensors. Must not know: how complex numbers are held.
"""

from __future__ import annotations

import math
from typing import Any

from ..apply import call, operand, promote, tensor
from ..tensor import Tensor
from .parts import conjugate_of, filled, imag_of, real_of
from .ufunc import Unary


def real(val: Any, /) -> Tensor:
    """The real part; a real tensor stays.

    >>> import lazir.numpy as lnp
    >>> print(lnp.real(lnp.array([1 + 2j, 3])))
    [1. 3.]
    """
    found = promote(val)
    return tensor(real_of(found.values[0]), found.weak)


def imag(val: Any, /) -> Tensor:
    """The imaginary part; zeros for a real tensor.

    >>> import lazir.numpy as lnp
    >>> print(lnp.imag(lnp.array([1 + 2j, 3])))
    [2. 0.]
    """
    found = promote(val)
    return tensor(imag_of(found.values[0]), found.weak)


@Unary
def conj(x: Any, /) -> Tensor:
    """The complex conjugate; a real tensor stays.

    >>> import lazir.numpy as lnp
    >>> lnp.conj(1 + 2j).item()
    (1-2j)
    """
    found = promote(x)
    return tensor(conjugate_of(found.values[0]), found.weak)


conjugate = conj


def angle(z: Any, deg: bool = False) -> Tensor:
    """The angle of z in (−π, π], in degrees where wanted; of a real tensor 0 or π.

    >>> import lazir.numpy as lnp
    >>> lnp.angle(-1j, deg=True).item()
    -90.0
    """
    found = promote(z, inexact=True)
    (v,) = found.values
    value = call("atan2", imag_of(v), real_of(v))
    if deg:
        value = call("mul", value, filled(180 / math.pi, value))
    return tensor(value, found.weak)


def iscomplex(x: Any, /) -> Tensor:
    """Whether the imaginary part is not zero, elementwise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.iscomplex(lnp.array([1 + 2j, 3])))
    [ True False]
    """
    part = imag_of(promote(x).values[0])
    return tensor(call("not_equal", part, filled(0, part)))


def isreal(x: Any, /) -> Tensor:
    """Whether the imaginary part is zero, elementwise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.isreal(lnp.array([1 + 2j, 3])))
    [False  True]
    """
    part = imag_of(promote(x).values[0])
    return tensor(call("equal", part, filled(0, part)))


def iscomplexobj(x: Any, /) -> bool:
    """Whether the element type is complex, whatever the elements are.

    >>> import lazir.numpy as lnp
    >>> lnp.iscomplexobj(lnp.zeros(3, lnp.complex64)), lnp.iscomplexobj(1.0)
    (True, False)
    """
    return operand(x).dtype.is_complex


def isrealobj(x: Any, /) -> bool:
    """Whether the element type is not complex.

    >>> import lazir.numpy as lnp
    >>> lnp.isrealobj(lnp.zeros(3)), lnp.isrealobj(1j)
    (True, False)
    """
    return not iscomplexobj(x)
