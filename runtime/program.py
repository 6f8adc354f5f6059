"""The record that the compiler hands to the runtime.

Takes plain values: object code, names, array types. Gives `Program`, and its bytes and back.
Must not know: IR, tracing, LLVM, where the code came from.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ArraySpec", "Program"]

#: dtype names a program may use for its arrays. `bfloat16` has no NumPy type of its own: such
#: an array travels as the `uint16` array of its bits.
DTYPE_NAMES = frozenset(
    ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    + ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
)

_MAGIC = b"lazir-program\n"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """The type of one array that enters or leaves a program: dense, row-major, host byte order.

    `dtype` is a NumPy dtype name (`"float32"`, `"int64"`, `"bool"`, `"complex64"`, …) or
    `"bfloat16"`, which is stored as a `uint16` array. Raises ValueError for any other name and
    for negative sizes.

    >>> ArraySpec("bfloat16", (2, 3)).numpy_dtype
    dtype('uint16')
    >>> ArraySpec("float64", (2, 3)).nbytes
    48
    """

    dtype: str
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.dtype not in DTYPE_NAMES:
            names = ", ".join(sorted(DTYPE_NAMES))
            raise ValueError(f"unknown dtype {self.dtype!r}; it must be one of {names}")
        if any(size < 0 for size in self.shape):
            raise ValueError(f"negative size in shape {self.shape}")

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The dtype of the NumPy array that carries this type."""
        return np.dtype("uint16" if self.dtype == "bfloat16" else self.dtype)

    @property
    def size(self) -> int:
        """Number of elements; 1 for shape `()`."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of storage."""
        return self.size * self.numpy_dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Program:
    """Machine code and all that is needed to call it.

    The code exports one C function, `entry`:
    `int32_t entry(void **in, void **out, void *workspace, lz_ctx *ctx)` (see `abi`). It touches
    no Python; the way in from Python is the runtime's own and the same for every program, so the
    bytes of a program depend neither on the Python nor on the NumPy that made them.

    - `triple`, `cpu`, `features`: what the code was generated for, in LLVM's words. A program is
      refused where a `+feature` is missing; what only the name `cpu` implies cannot be checked.
    - `inputs`, `outputs`: array types, in the order of `in` and `out`. Trailing inputs may be
      bound once when the program is loaded (captured arrays).
    - `workspace_bytes`: scratch memory the entry wants, 64-byte aligned; 0 for none.
    - `aliases`: pairs `(k, j)`: output k may be written into the storage of input j when the
      caller gives that storage away (the entry is right if `out[k] == in[j]`).
    - `release_gil`: whether other Python threads may run meanwhile. Say False only for programs
      that surely end within some 20 µs: letting go of the interpreter lock costs 0.04 µs when
      nobody wants it; when another thread computes in Python it took 45 µs on average to get it
      back, and can take 5 ms (the switch interval).
    - `device`: `"cpu"` or `"cuda"`.
    - `imports`: C symbols of functions of other libraries that the code calls (see `library`).
    """

    name: str
    triple: str
    cpu: str
    features: str
    object_code: bytes
    entry: str
    inputs: tuple[ArraySpec, ...]
    outputs: tuple[ArraySpec, ...]
    workspace_bytes: int = 0
    aliases: tuple[tuple[int, int], ...] = ()
    release_gil: bool = True
    device: str = "cpu"
    imports: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.workspace_bytes < 0:
            raise ValueError(f"program {self.name}: negative workspace_bytes")
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"program {self.name}: device is {self.device!r}, not cpu or cuda")
        self._check_aliases()

    def _check_aliases(self) -> None:
        for output, argument in self.aliases:
            if not (0 <= output < len(self.outputs) and 0 <= argument < len(self.inputs)):
                raise ValueError(f"program {self.name}: alias ({output}, {argument}) out of range")
            if self.outputs[output].nbytes != self.inputs[argument].nbytes:
                raise ValueError(
                    f"program {self.name}: output {output} cannot alias input {argument}: "
                    f"{self.outputs[output]} and {self.inputs[argument]} differ in bytes"
                )
        for position, kind in enumerate(("output", "input")):
            numbers = [pair[position] for pair in self.aliases]
            if len(set(numbers)) < len(numbers):
                raise ValueError(f"program {self.name}: an {kind} has two aliases: {self.aliases}")

    def to_bytes(self) -> bytes:
        """Plain bytes: a magic line, a JSON header, the code. Equal programs give equal bytes.

        There is no checksum: the disk cache, and whoever else stores the bytes, brings one.
        """
        header = {
            "format": _FORMAT,
            "name": self.name,
            "triple": self.triple,
            "cpu": self.cpu,
            "features": self.features,
            "entry": self.entry,
            "inputs": [[spec.dtype, list(spec.shape)] for spec in self.inputs],
            "outputs": [[spec.dtype, list(spec.shape)] for spec in self.outputs],
            "workspace_bytes": self.workspace_bytes,
            "aliases": [list(pair) for pair in self.aliases],
            "release_gil": self.release_gil,
            "device": self.device,
            "imports": list(self.imports),
            "code_bytes": len(self.object_code),
        }
        text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        return _MAGIC + len(text).to_bytes(8, "little") + text + self.object_code

    @classmethod
    def from_bytes(cls, data: bytes) -> Program:
        """The inverse of `to_bytes`. Raises ValueError for anything else."""
        start = len(_MAGIC) + 8
        if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
            raise ValueError("not a lazir program")
        end = start + int.from_bytes(data[len(_MAGIC) : start], "little")
        try:
            header = json.loads(data[start:end])
            code_bytes = header.pop("code_bytes")
            if header.pop("format") != _FORMAT or len(data) - end != code_bytes:
                raise ValueError("other format, or cut short")
            header["inputs"] = tuple(ArraySpec(d, tuple(s)) for d, s in header["inputs"])
            header["outputs"] = tuple(ArraySpec(d, tuple(s)) for d, s in header["outputs"])
            header["aliases"] = tuple((k, j) for k, j in header["aliases"])
            header["imports"] = tuple(map(str, header.get("imports", ())))
            return cls(object_code=data[end:], **header)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not a readable lazir program: {error}") from error
