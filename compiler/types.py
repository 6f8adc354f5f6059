"""Types of every stage: element types, tensors, buffers, vectors, functions.

Takes and gives plain immutable values; `str(t)` is the type's MLIR text.
Must not know: ops, graphs, devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np


@dataclass(frozen=True, eq=False)
class DType:
    """An element type. One object per type, so `is` and `==` agree.

    NumPy's name and dtype of the same elements are equal to it too, and NumPy takes it for a dtype.

    `name` is its MLIR text, `kind` one of bool int uint float complex index token, `bits` its
    width.
    """

    name: str
    kind: str
    bits: int

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        if self is other or isinstance(other, DType):
            return self is other
        if isinstance(other, str):
            return dtype_named(other) is self
        if isinstance(other, type) and issubclass(other, np.generic):
            other = np.dtype(other)
        if isinstance(other, np.dtype):
            return dtype_of_numpy(other) is self
        return NotImplemented

    __hash__ = object.__hash__

    def __call__(self, value: Any = 0) -> Any:
        """The value in this type, as NumPy's types are called: `float32(3)`. See `makers`."""
        return makers[0](value, self)

    @property
    def dtype(self) -> np.dtype[Any]:
        """What NumPy takes it for: `np.zeros(3, x.dtype)`. TypeError for bf16, which it lacks."""
        if self.name == "bf16":
            raise TypeError("NumPy has no bf16; convert with .astype first, or use ml_dtypes")
        return self.numpy

    @property
    def is_float(self) -> bool:
        return self.kind == "float"

    @property
    def is_complex(self) -> bool:
        return self.kind == "complex"

    @property
    def is_inexact(self) -> bool:
        return self.kind in ("float", "complex")

    @property
    def part(self) -> DType:
        """The float type of a complex number's two parts; any other type is its own."""
        return _PARTS.get(self, self)

    @property
    def is_integer(self) -> bool:
        """Signed or unsigned integer (bool and index are neither)."""
        return self.kind in ("int", "uint")

    @property
    def is_signed(self) -> bool:
        return self.kind == "int"

    @property
    def is_bool(self) -> bool:
        return self.kind == "bool"

    @property
    def itemsize(self) -> int:
        """Bytes of one element in memory; a bool takes one byte, `index` eight."""
        return max(1, self.bits // 8)

    @cached_property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype that holds it. bf16 has none in NumPy: it is stored as its uint16
        bits.
        """
        return np.dtype(_NUMPY_NAMES[self.name])

    @cached_property
    def numpy_name(self) -> str:
        """NumPy's name, with `bfloat16` for bf16."""
        return "bfloat16" if self.name == "bf16" else _NUMPY_NAMES[self.name]


makers: list[Callable[[Any, DType], Any]] = []
"""What makes a value when a type is called: the frontend's way to make tensors, once imported."""

i1 = DType("i1", "bool", 1)
i8, i16, i32, i64 = (DType(f"i{n}", "int", n) for n in (8, 16, 32, 64))
ui8, ui16, ui32, ui64 = (DType(f"ui{n}", "uint", n) for n in (8, 16, 32, 64))
f16 = DType("f16", "float", 16)
bf16 = DType("bf16", "float", 16)
f32 = DType("f32", "float", 32)
f64 = DType("f64", "float", 64)
c64 = DType("complex<f32>", "complex", 64)
c128 = DType("complex<f64>", "complex", 128)
_PARTS = {c64: f32, c128: f64}
index = DType("index", "index", 64)
token = DType("!lz.token", "token", 0)
async_token = DType("!nvgpu.device.async.token", "token", 0)  # copies in flight, on GPUs

BOOLS = (i1,)
SIGNED = (i8, i16, i32, i64)
UNSIGNED = (ui8, ui16, ui32, ui64)
INTEGERS = SIGNED + UNSIGNED
FLOATS = (f16, bf16, f32, f64)
COMPLEX = (c64, c128)
NUMERIC = INTEGERS + FLOATS
REAL = BOOLS + NUMERIC
INEXACT = FLOATS + COMPLEX
NUMBERS = NUMERIC + COMPLEX
ELEMENT_TYPES = REAL + COMPLEX
"""What ops accept: all of them, where an op only moves elements."""

_NUMPY_NAMES = {
    "i1": "bool", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "ui8": "uint8", "ui16": "uint16", "ui32": "uint32", "ui64": "uint64",
    "f16": "float16", "bf16": "uint16", "f32": "float32", "f64": "float64",
    "complex<f32>": "complex64", "complex<f64>": "complex128", "index": "int64",
    "!lz.token": "int8",
}  # fmt: skip
_NAMED = ELEMENT_TYPES + (index, token, async_token)
_BY_NAME: dict[str, DType] = {t.name: t for t in _NAMED}
_BY_NUMPY: dict[str, DType] = {t.numpy_name: t for t in ELEMENT_TYPES}


def dtype_named(name: str) -> DType | None:
    """The element type with this MLIR or NumPy name (`f32`, `float32`, `bfloat16`), or None."""
    return _BY_NAME.get(name) or _BY_NUMPY.get(name)


def dtype_of_numpy(dtype: np.dtype[Any]) -> DType | None:
    """The element type of a NumPy dtype (ml_dtypes' bfloat16 included), or None."""
    return _BY_NUMPY.get(dtype.name)


Shape: TypeAlias = tuple[int, ...]


def _dims(shape: Shape) -> str:
    return "".join(f"{n}x" for n in shape)


class _Shaped:
    """What tensors, buffers and vectors share. Subclasses are dataclasses with shape and dtype."""

    shape: Shape
    dtype: DType

    @property
    def rank(self) -> int:
        return len(self.shape)

    @cached_property
    def size(self) -> int:
        """Number of elements."""
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class TensorType(_Shaped):
    """`tensor<4x8xf32>`: a value of a Graph. Rank 0 (`tensor<f32>`) is a scalar."""

    shape: Shape
    dtype: DType

    def __str__(self) -> str:
        return f"tensor<{_dims(self.shape)}{self.dtype}>"

    @cached_property
    def short(self) -> str:
        """`f32[4,8]`, the form of error messages and the command line."""
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True, repr=False)
class MemRefType(_Shaped):
    """`memref<4x8xf32>`: a contiguous row-major buffer, optionally a strided window of one.

    `strides`/`offset` in elements; None means contiguous. `space` is MLIR's memory space (3 is
    shared memory on a GPU), 0 the default.
    """

    shape: Shape
    dtype: DType
    strides: Shape | None = None
    offset: int | None = 0
    space: int = 0

    def __str__(self) -> str:
        text = f"memref<{_dims(self.shape)}{self.dtype}"
        if self.strides is not None:
            offset = "?" if self.offset is None else str(self.offset)
            text += f", strided<[{', '.join(map(str, self.strides))}], offset: {offset}>"
        if self.space:
            text += f", {self.space}"
        return text + ">"


@dataclass(frozen=True, repr=False)
class VectorType(_Shaped):
    """`vector<16xf32>`: a machine vector."""

    shape: Shape
    dtype: DType

    def __str__(self) -> str:
        return f"vector<{_dims(self.shape)}{self.dtype}>"


@dataclass(frozen=True, repr=False)
class FunctionType:
    """`(tensor<4xf32>) -> tensor<f32>`."""

    inputs: tuple[Type, ...]
    results: tuple[Type, ...]

    def __str__(self) -> str:
        results = ", ".join(map(str, self.results))
        single = len(self.results) == 1 and not isinstance(self.results[0], FunctionType)
        return f"({', '.join(map(str, self.inputs))}) -> {results if single else f'({results})'}"

    def __repr__(self) -> str:
        return str(self)


Type: TypeAlias = DType | TensorType | MemRefType | VectorType | FunctionType


def tensor(dtype: DType, *shape: int) -> TensorType:
    """`tensor(f32, 4, 8)` is `tensor<4x8xf32>`."""
    return TensorType(tuple(shape), dtype)


def element(type: Type) -> DType:
    """The element type of a shaped type; a scalar type is its own."""
    if isinstance(type, DType):
        return type
    if isinstance(type, FunctionType):
        raise TypeError(f"{type} has no element type")
    return type.dtype


def broadcast_shapes(shapes: Iterable[Shape]) -> Shape | None:
    """NumPy's broadcast of the shapes, or None where they do not fit."""
    result: list[int] = []
    for shape in shapes:
        grown = max(len(result), len(shape))
        left = [1] * (grown - len(result)) + result
        right = [1] * (grown - len(shape)) + list(shape)
        result = []
        for a, b in zip(left, right):
            if a != b and 1 not in (a, b):
                return None
            result.append(b if a == 1 else a)
    return tuple(result)
