"""NumPy's other names of element types, its kinds of them, and `issubdtype`.

Takes: dtypes by any name. Gives: dtypes, bools. Must not know: elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import (
    complexfloating,
    floating,
    generic,
    inexact,
    integer,
    number,
    signedinteger,
    unsignedinteger,
)

from ..dtypes import (
    as_dtype,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

__all__ = [
    "byte", "cdouble", "complexfloating", "csingle", "double", "dtype", "floating", "generic",
    "half", "inexact", "int_", "intc", "integer", "intp", "issubdtype", "longlong", "number",
    "short", "signedinteger", "single", "ubyte", "uint", "uintc", "uintp", "ulonglong",
    "unsignedinteger", "ushort",
]  # fmt: skip

half, single, double = float16, float32, float64
csingle, cdouble = complex64, complex128
byte, short, intc, int_, intp, longlong = int8, int16, int32, int64, int64, int64
ubyte, ushort, uintc, uint, uintp, ulonglong = uint8, uint16, uint32, uint64, uint64, uint64

dtype = as_dtype
"""`dtype("float32")`: the element type meant by a name, a NumPy dtype or a Python type."""

_KINDS: dict[Any, tuple[str, ...]] = {
    generic: ("bool", "int", "uint", "float", "complex"),
    number: ("int", "uint", "float", "complex"),
    integer: ("int", "uint"),
    signedinteger: ("int",),
    unsignedinteger: ("uint",),
    inexact: ("float", "complex"),
    floating: ("float",),
    complexfloating: ("complex",),
}
"""NumPy's abstract types, and the kinds of dtype below each."""


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Whether a dtype is the other one, or of the kind that an abstract type names.

    >>> import lazir.numpy as lnp
    >>> lnp.issubdtype(lnp.bfloat16, lnp.floating), lnp.issubdtype("int8", lnp.inexact)
    (True, False)
    """
    below = _KINDS.get(arg1) if isinstance(arg1, type) else None
    above = _KINDS.get(arg2) if isinstance(arg2, type) else None
    if below is not None:
        return above is not None and bool(np.issubdtype(arg1, arg2))
    found = as_dtype(arg1)
    return found is as_dtype(arg2) if above is None else found.kind in above
