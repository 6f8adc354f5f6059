"""Element types by the names users write, and which type a mix of operands has.

Takes: DTypes, NumPy dtypes, Python types, names. Gives: DTypes. The rules are those of the Python
Array API standard; where it leaves mixed kinds open, a float operand decides over an integer one.
Must not know: tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from lazir.compiler.types import (
    DType,
    bf16,
    c64,
    c128,
    dtype_named,
    dtype_of_numpy,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
    ui8,
    ui16,
    ui32,
    ui64,
)

bool_ = i1
int8, int16, int32, int64 = i8, i16, i32, i64
uint8, uint16, uint32, uint64 = ui8, ui16, ui32, ui64
float16, bfloat16, float32, float64 = f16, bf16, f32, f64
complex64, complex128 = c64, c128

DEFAULT_INT = i64
_PYTHON: dict[Any, DType] = {bool: i1, int: i64, float: f32, complex: c64}
"""The types of Python's numbers; those of floats and complex numbers can be set."""
_watchers: list[Callable[[], None]] = []


def default_float() -> DType:
    """The type of floats that nothing else decides: `zeros(3)`, `array([0.5])`, `sqrt(2)`."""
    return _PYTHON[float]


def get_default_dtype() -> DType:
    """The element type of floats that nothing else decides; f32 unless it was set.

    >>> get_default_dtype()
    f32
    """
    return default_float()


def set_default_dtype(dtype: Any) -> None:
    """Let floats that nothing else decides be of another type: "float64" for programs that are
    written for NumPy, or for JAX with `jax_enable_x64`.

    It is one for the whole process, and decides what `zeros(3)` and `array([0.5])` are, not what a
    Python number becomes beside a tensor; `lz.random` and the parameters of layers are float32
    unless their own `dtype` says otherwise. Complex numbers follow: complex128 for float64, else
    complex64. Compiled functions are traced anew.

    >>> import lazir as lz
    >>> lz.set_default_dtype("float64")
    >>> lz.numpy.zeros(2).dtype
    f64
    >>> lz.set_default_dtype("float32")
    """
    wanted = as_dtype(dtype)
    if not wanted.is_float:
        raise TypeError(f"the default type is a float type such as lz.float64, not {wanted}")
    _PYTHON[float], _PYTHON[complex] = wanted, c128 if wanted is f64 else c64
    for watcher in _watchers:
        watcher()


def watch_default(watcher: Callable[[], None]) -> None:
    """Have a function called whenever the default type has been set."""
    _watchers.append(watcher)


def as_dtype(spec: Any) -> DType:
    """The element type meant by a DType, a name, a NumPy dtype or a Python type.

    >>> as_dtype("float32"), as_dtype("f32"), as_dtype(np.int8), as_dtype(float)
    (f32, f32, i8, f32)
    """
    if isinstance(spec, DType):
        return spec
    found = _PYTHON.get(spec) if isinstance(spec, type) else None
    if found is None and isinstance(spec, str):
        found = dtype_named(spec)
    if found is None:
        try:
            found = dtype_of_numpy(np.dtype(spec))
        except TypeError:
            found = None
    if found is None:
        raise TypeError(f"{spec!r} is no element type that lazir has; use lz.float32, lz.int64, …")
    return found


def category(dtype: DType) -> int:
    """0 bool, 1 integer, 2 float, 3 complex."""
    return {"bool": 0, "int": 1, "uint": 1, "float": 2, "complex": 3}[dtype.kind]


def _promote_integers(a: DType, b: DType) -> DType:
    if a.kind == b.kind:
        return a if a.bits >= b.bits else b
    signed, unsigned = (a, b) if a.is_signed else (b, a)
    if signed.bits > unsigned.bits:
        return signed
    # No integer type holds both of i64 and ui64; NumPy and the standard's readers use f64.
    return {8: i16, 16: i32, 32: i64, 64: f64}[unsigned.bits]


def promote_types(a: DType, b: DType) -> DType:
    """The smallest type that both convert to.

    >>> promote_types(i8, ui8), promote_types(i64, f32), promote_types(f16, bf16)
    (i16, f32, f32)
    """
    if a is b:
        return a
    low, high = sorted((a, b), key=category)
    if category(low) < category(high):
        if high.is_complex and low is f64:
            return c128
        return high
    if category(a) == 1:
        return _promote_integers(a, b)
    if a.bits == b.bits:
        return f32  # f16 with bf16: neither holds the other
    return a if a.bits > b.bits else b


def weak_dtype(value: bool | int | float | complex) -> DType:
    """The type a Python scalar has when nothing else decides."""
    return _PYTHON[type(value)] if type(value) in _PYTHON else _base_type(value)


def _base_type(value: Any) -> DType:
    for kind in (bool, int, float, complex):
        if isinstance(value, kind):
            return _PYTHON[kind]
    raise TypeError(f"{value!r} is no number")


def result_dtype(strong: Iterable[DType], weak: Iterable[DType]) -> tuple[DType, bool]:
    """The common type of typed operands and weak ones (Python scalars), and whether it is weak.

    A weak operand can raise the kind (a float among integers), never the width.

    >>> result_dtype([f32], [f32]), result_dtype([i8], [i64]), result_dtype([i32], [f32])
    ((f32, False), (i8, False), (f32, False))
    """
    typed: DType | None = None
    for dtype in strong:
        typed = dtype if typed is None else promote_types(typed, dtype)
    loose: DType | None = None
    for dtype in weak:
        loose = dtype if loose is None or category(dtype) > category(loose) else loose
    if typed is None:
        if loose is None:
            raise TypeError("no operand decides the element type")
        return loose, True
    if loose is None or category(loose) <= category(typed):
        return typed, False
    if category(loose) == 3 and category(typed) == 2:
        return promote_types(typed, c64), False
    return loose, False


def to_inexact(dtype: DType) -> DType:
    """The type in which a function such as sqrt is computed: floats stay, the rest is the
    default.
    """
    return dtype if dtype.is_inexact else default_float()


def accumulator(dtype: DType) -> DType:
    """The type of a sum, as NumPy: small integers and bools widen to 64 bits."""
    if dtype.is_bool or dtype.is_signed:
        return i64
    return ui64 if dtype.kind == "uint" else dtype


def check_integer(value: int, dtype: DType) -> None:
    """OverflowError where a Python integer does not fit an integer type."""
    if dtype.is_integer:
        low = -(1 << (dtype.bits - 1)) if dtype.is_signed else 0
        high = (1 << (dtype.bits - dtype.is_signed)) - 1
        if not low <= value <= high:
            raise OverflowError(f"Python integer {value} does not fit {dtype} ({low} … {high})")
