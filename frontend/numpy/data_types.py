"""Functions about element types: which converts to which, what they hold, what kind they are.

Takes: dtypes by any name, tensors, numbers. Gives: dtypes, bools, and records of limits.
Must not know: elements.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.types import DType, bf16, c64, c128, f32, f64

from ..apply import NUMBERS, fail, operand
from ..dtypes import as_dtype, result_dtype
from ..dtypes import promote_types as _promoted
from ..handle import Handle

_KINDS = {
    "bool": ("bool",),
    "signed integer": ("int",),
    "unsigned integer": ("uint",),
    "integral": ("int", "uint"),
    "real floating": ("float",),
    "complex floating": ("complex",),
    "numeric": ("int", "uint", "float", "complex"),
}


def _dtype_of(x: Any) -> DType:
    """The dtype that is meant, or that a tensor or an array has."""
    if isinstance(x, Handle | np.ndarray | np.generic):
        return operand(x).dtype
    return as_dtype(x)


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that operands of these dtypes are promoted to; Python numbers only lend their kind.

    >>> import lazir.numpy as lnp
    >>> lnp.result_type(lnp.int8, lnp.uint8), lnp.result_type(lnp.float64, 1)
    (i16, f64)
    """
    strong, weak = [], []
    for x in arrays_and_dtypes:
        if isinstance(x, NUMBERS) and not isinstance(x, np.generic):
            weak.append(operand(x).dtype)
        elif isinstance(x, Handle) and x._weak:
            weak.append(x._dtype)
        else:
            strong.append(_dtype_of(x))
    if not arrays_and_dtypes:
        fail("result_type needs at least one tensor or dtype")
    return result_dtype(strong, weak)[0]


def promote_types(type1: Any, type2: Any) -> DType:
    """The smallest dtype that both convert to.

    >>> import lazir.numpy as lnp
    >>> lnp.promote_types("int8", "uint8")
    i16
    """
    return _promoted(as_dtype(type1), as_dtype(type2))


def can_cast(from_: Any, to: Any, casting: str = "safe") -> bool:
    """Whether one dtype converts to another: without loss, unless `casting` allows more.

    `casting`: "safe", "same_kind" (such as float64 → float32), "unsafe", or "no" and "equiv" (the
    same dtype).

    >>> import lazir.numpy as lnp
    >>> lnp.can_cast(lnp.int32, lnp.int64), lnp.can_cast(lnp.int64, lnp.float32)
    (True, False)
    """
    source, target = _dtype_of(from_), as_dtype(to)
    if bf16 not in (source, target) or casting not in ("safe", "same_kind"):
        if source is target:
            return True
        return casting == "unsafe" or bool(np.can_cast(source.numpy, target.numpy, casting))  # type: ignore[arg-type]
    if source is target:
        return True
    if source is bf16:
        return target in (f32, f64, c64, c128) or (casting == "same_kind" and target.is_inexact)
    if casting == "same_kind":
        return not source.is_complex
    return source.is_bool or (source.is_integer and source.bits == 8)  # 8 bits of significand


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind: another dtype, a kind's name, or one of a tuple of them.

    Names: "bool", "signed integer", "unsigned integer", "integral", "real floating",
    "complex floating", "numeric".

    >>> import lazir.numpy as lnp
    >>> lnp.isdtype(lnp.uint8, "integral"), lnp.isdtype(lnp.uint8, (lnp.int8, "bool"))
    (True, False)
    """
    found = as_dtype(dtype)
    if isinstance(kind, tuple):
        if any(isinstance(k, tuple) for k in kind):
            fail("isdtype: a tuple of kinds holds no tuples")
        return any(isdtype(found, k) for k in kind)
    if isinstance(kind, str) and kind not in _KINDS:
        names = ", ".join(map(repr, _KINDS))
        raise ValueError(f"isdtype: a kind is a dtype or one of {names}, got {kind!r}")
    if isinstance(kind, str):
        return found.kind in _KINDS[kind]
    return found is as_dtype(kind)


class FloatInfo(NamedTuple):
    """Limits of a float type, as Python floats."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    smallest_subnormal: float
    dtype: DType

    @property
    def tiny(self) -> float:
        """NumPy's name of `smallest_normal`."""
        return self.smallest_normal


class IntegerInfo(NamedTuple):
    """Limits of an integer type."""

    bits: int
    max: int
    min: int
    dtype: DType


def _float_info(dtype: DType, digits: int, exponents: int) -> FloatInfo:
    """By IEEE 754: `digits` bits of significand, exponents below 2**(exponents - 1)."""
    top = 2 ** (exponents - 1)
    high = (2.0 - 2.0 ** (1 - digits)) * 2.0 ** (top - 1)
    normal = 2.0 ** (2 - top)
    eps = 2.0 ** (1 - digits)
    return FloatInfo(dtype.bits, eps, high, -high, normal, normal * eps, dtype)


_FLOATS = {"f16": (11, 5), "bf16": (8, 8), "f32": (24, 8), "f64": (53, 11)}


def finfo(type: Any, /) -> FloatInfo:
    """The limits of a float type; of a complex one those of its parts.

    `bits`, `eps` (from 1 to the next number), `max`, `min`, `smallest_normal`,
    `smallest_subnormal`, `dtype`.

    >>> import lazir.numpy as lnp
    >>> lnp.finfo(lnp.float32).eps
    1.1920928955078125e-07
    """
    dtype = _dtype_of(type)
    if dtype.is_complex:
        dtype = f32 if dtype is c64 else f64
    if not dtype.is_float:
        fail(f"finfo is about float and complex types, got {dtype}; use iinfo")
    return _float_info(dtype, *_FLOATS[dtype.name])


def iinfo(type: Any, /) -> IntegerInfo:
    """The limits of an integer type: `bits`, `max`, `min`, `dtype`.

    >>> import lazir.numpy as lnp
    >>> lnp.iinfo("int8").max
    127
    """
    dtype = _dtype_of(type)
    if not dtype.is_integer:
        fail(f"iinfo is about integer types, got {dtype}; use finfo")
    span = 1 << (dtype.bits - dtype.is_signed)
    return IntegerInfo(dtype.bits, span - 1, -span if dtype.is_signed else 0, dtype)
