"""How types, constants and names are written in LLVM's text.

Takes: types and numbers of the loop IR. Gives: LLVM type text, literals, intrinsic suffixes.
Must not know: operations, targets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ..mlir.ir import Dense, Typed
from ..types import DType, FunctionType, MemRefType, TensorType, Type, VectorType, element


class CodegenError(ValueError):
    """The loop IR asks for something that has no machine code; the message says what to do."""


CARRIED = "!lz.carried"
"""Named metadata of a module with loops that carry values through memory: it pays to let LLVM keep
them in registers."""

_LLVM_NAMES = {
    "i1": "i1", "i8": "i8", "i16": "i16", "i32": "i32", "i64": "i64", "index": "i64",
    "ui8": "i8", "ui16": "i16", "ui32": "i32", "ui64": "i64",
    "f16": "i16", "bf16": "i16", "f32": "float", "f64": "double",
}  # fmt: skip
"""f16 and bf16 travel as their bits: a `half` or `bfloat` value makes LLVM call the compiler's
runtime library on targets without the instructions."""


def llvm_dtype(dtype: DType) -> str:
    """LLVM's name of an element type."""
    name = _LLVM_NAMES.get(dtype.name)
    if name is None:
        raise CodegenError(f"{dtype} cannot be a machine value; split it into real parts first")
    return name


@dataclass(frozen=True)
class Row:
    """One machine value: `lanes` elements of `dtype`, 0 lanes for a scalar."""

    dtype: DType
    lanes: int

    @cached_property
    def text(self) -> str:
        """`float`, `<16 x float>`."""
        name = llvm_dtype(self.dtype)
        return f"<{self.lanes} x {name}>" if self.lanes else name

    @cached_property
    def suffix(self) -> str:
        """`f32`, `v16f32`: the tail of an overloaded intrinsic's name."""
        name = _LLVM_NAMES[self.dtype.name]
        short = {"float": "f32", "double": "f64"}.get(name, name)
        return f"v{self.lanes}{short}" if self.lanes else short

    @property
    def scalar(self) -> str:
        """The type of one lane."""
        return llvm_dtype(self.dtype)

    @property
    def narrow(self) -> bool:
        """Whether it is f16 or bf16, held as 16-bit integers."""
        return self.dtype.is_float and self.dtype.bits == 16

    def of(self, dtype: DType) -> Row:
        """The same lanes of another element type."""
        return row(dtype, self.lanes)

    def const(self, value: int | float) -> str:
        """The constant with every lane equal to `value`."""
        text = literal(value, self.dtype)
        return f"splat ({llvm_dtype(self.dtype)} {text})" if self.lanes else text

    def bits(self, value: int) -> str:
        """The constant with these bits in every lane, for types that are held as integers."""
        return f"splat ({llvm_dtype(self.dtype)} {value})" if self.lanes else str(value)


@lru_cache(maxsize=4096)
def row(dtype: DType, lanes: int = 0) -> Row:
    """The one Row object for this type and width."""
    return Row(dtype, lanes)


@lru_cache(maxsize=4096)
def row_of(type: Type) -> Row:
    """The machine value that holds `type`, or one row of it for a vector of rank two and more."""
    if isinstance(type, VectorType):
        if not type.rank or 0 in type.shape:
            raise CodegenError(f"{type}: a vector needs at least one axis and no empty one")
        return row(type.dtype, type.shape[-1])
    if isinstance(type, DType):
        return row(type, 0)
    raise CodegenError(f"{type} is not a machine value")


@lru_cache(maxsize=4096)
def type_text(type: Type) -> str:
    """LLVM's type for one row of `type`; every buffer is a plain pointer to its first element."""
    if isinstance(type, MemRefType):
        check_memref(type)
        return f"ptr addrspace({type.space})" if type.space else "ptr"
    if isinstance(type, TensorType | FunctionType):
        raise CodegenError(f"{type} has no place in the loops stage")
    return row_of(type).text


@lru_cache(maxsize=4096)
def row_count(type: Type) -> int:
    """How many machine values hold `type`: the product of all axes but the last of a vector."""
    if isinstance(type, VectorType):
        return int(np.prod(type.shape[:-1], dtype=np.int64))
    return 1


def check_memref(type: MemRefType) -> None:
    """Refuse buffers that have no static address arithmetic."""
    if type.dtype.is_bool:
        raise CodegenError(f"{type}: a bool buffer is i8 holding 0 or 1 in the loops stage")
    if type.dtype.is_complex:
        raise CodegenError(f"{type}: a complex buffer is one of real pairs in the loops stage")


def strides_of(type: MemRefType) -> tuple[int, ...]:
    """Strides in elements; row-major where the type names none."""
    if type.strides is not None:
        return type.strides
    strides: list[int] = []
    step = 1
    for n in reversed(type.shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def contiguous(type: MemRefType) -> bool:
    """Whether the elements lie densely in row-major order."""
    dense = strides_of(MemRefType(type.shape, type.dtype))
    return all(n == 1 or s == d for n, s, d in zip(type.shape, strides_of(type), dense))


def literal(value: int | float | bool, dtype: DType) -> str:
    """A scalar constant. Floats are written by their bits, so that none is rounded by the reader.

    An int for bf16 is its bits, a float its value (rounded to nearest, ties to even).
    """
    if dtype.is_bool:
        return "true" if value else "false"
    if dtype.is_float:
        return _float_literal(value, dtype)
    if dtype.kind == "uint" or not -(1 << 63) <= int(value) < 1 << 63:
        bits = dtype.bits
        value = (int(value) + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))
    return str(int(value))


def _float_literal(value: int | float, dtype: DType) -> str:
    if dtype.name == "bf16":
        return str(value if isinstance(value, int) else bf16_bits(value))
    if dtype.name == "f16":
        return str(int(np.asarray(value, np.float16).view(np.uint16)))
    wide = np.float64(np.float32(value)) if dtype.name == "f32" else np.float64(value)
    return f"0x{struct.unpack('<Q', struct.pack('<d', wide))[0]:016X}"


def bf16_bits(value: float) -> int:
    """The bf16 nearest to a float, ties to even, as its 16 bits; one rounding from f64.

    >>> hex(bf16_bits(1.0)), hex(bf16_bits(float("inf")))
    ('0x3f80', '0x7f80')
    """
    if value != value:
        return 0x7FC0
    with np.errstate(over="ignore"):
        near = np.float32(value)
    bits = int(near.view(np.uint32))
    back = float(near)
    if back != value:  # make it round to odd, so that the second rounding sees what was lost
        bits = (bits - (abs(back) > abs(value))) | 1
    if bits & 0x7FFFFFFF >= 0x7F800000:
        return bits >> 16
    return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16


def constant_rows(attr: Any, type: Type) -> tuple[str, ...]:
    """The literal(s) for an `arith.constant` of this type, one for each row."""
    if isinstance(type, VectorType):
        return _dense_rows(attr, type)
    dtype = element(type)
    if isinstance(attr, Typed):
        return (literal(attr.value, dtype),)
    if isinstance(attr, bool | int | float):
        return (literal(attr, dtype),)
    raise CodegenError(f"arith.constant of type {type} needs a number, not {attr!r}")


def _dense_rows(attr: Any, type: VectorType) -> tuple[str, ...]:
    if not isinstance(attr, Dense):
        raise CodegenError(f"arith.constant of type {type} needs a dense attribute, not {attr!r}")
    one = row_of(type)
    if attr.data.ndim == 0 or attr.data.size == 1:
        return (one.const(attr.data.reshape(()).item()),) * row_count(type)
    data = attr.data.reshape(-1, type.shape[-1])
    name = llvm_dtype(type.dtype)
    return tuple(
        "<" + ", ".join(f"{name} {literal(v.item(), type.dtype)}" for v in line) + ">"
        for line in data
    )


def array_literal(data: np.ndarray[Any, Any], dtype: DType) -> str:
    """A global's initialiser `[n x T] [...]`, flat in row-major order."""
    name = llvm_dtype(dtype)
    flat = data.reshape(-1)
    items = ", ".join(f"{name} {literal(v.item(), dtype)}" for v in flat)
    return f"[{flat.size} x {name}] [{items}]" if flat.size else f"[0 x {name}] []"
