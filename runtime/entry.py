"""A loaded entry point as a Python builtin function.

Takes the address of a C core and the types of its arrays. Gives a METH_FASTCALL builtin that checks
the arguments, allocates the results and runs the core. Must not know: `Program`, LLVM.

Calling the builtin takes 0.2 µs for three small arrays and one result. An argument may be an
ndarray, or an object whose attribute `_array` is one. If any does not fit exactly (number of
arguments; dtype, rank, shape; C-contiguous, aligned, native byte order; for donated ones also
writeable and sharing no memory with another input) the answer is `NotImplemented`, with no
exception set: the caller then converts, respecialises or complains. Subclasses of ndarray, NumPy
scalars and Python numbers never fit an array input.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .abi import WORKSPACE_ALIGNMENT
from .buffers import POOLED_BYTES, allocator
from .entry_ir import INPUT_BOOL, INPUT_FLOAT, INPUT_INT
from .native import native
from .program import ArraySpec

__all__ = ["CallTable", "EntrySpec", "type_numbers"]

_METH_FASTCALL = 0x0080

# The three structures of entry_ir.py, field by field.


class _Input(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int32),
        ("type_number", ctypes.c_int32),
        ("other_type_number", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("dims", ctypes.c_void_p),
        ("nbytes", ctypes.c_int64),
        ("donated", ctypes.c_int32),
        ("itemsize", ctypes.c_int32),
    )


class _Output(ctypes.Structure):
    _fields_ = (
        ("descr", ctypes.c_void_p),
        ("allocator", ctypes.c_void_p),
        ("dims", ctypes.c_void_p),
        ("ndim", ctypes.c_int32),
        ("alias", ctypes.c_int32),
    )


class _Table(ctypes.Structure):
    _fields_ = (
        ("entry", ctypes.c_void_p),
        ("inputs", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
        ("constants", ctypes.c_void_p),
        ("callbacks", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("workspace", ctypes.c_void_p),
        ("workspace_home", ctypes.c_void_p),
        ("workspace_allocator", ctypes.c_void_p),
        ("workspace_bytes", ctypes.c_int64),
        ("argument_count", ctypes.c_int32),
        ("constant_count", ctypes.c_int32),
        ("output_count", ctypes.c_int32),
        ("release_gil", ctypes.c_int32),
        ("bare", ctypes.c_int32),
    )


class _MethodDef(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


@dataclass(frozen=True)
class EntrySpec:
    """What a builtin is made of.

    - `address`: of the C core (see `abi`); `keep` is whatever must live as long as it.
    - `inputs`, `outputs`: array types; the last inputs are the `constants`, bound for good.
    - `scalars`: inputs that take a Python number instead of an array: exactly a `float` for
      float32/float64, an `int` in range for int32/int64, a `bool` for bool. Their shape is `()`.
    - `aliases`: (output, argument) pairs: the argument is given away, and its array is returned.
    - `bare`: return the only result itself, not a tuple of one.
    - `callbacks`: what `ctx->callback` calls, by index, with one int, the address of the pointers.
    """

    name: str
    address: int
    inputs: tuple[ArraySpec, ...]
    outputs: tuple[ArraySpec, ...]
    constants: tuple[np.ndarray[Any, Any], ...] = ()
    workspace_bytes: int = 0
    release_gil: bool = True
    bare: bool = True
    scalars: frozenset[int] = frozenset()
    aliases: tuple[tuple[int, int], ...] = ()
    callbacks: tuple[Callable[[int], object], ...] = ()
    keep: object = field(default=None, repr=False)


def type_numbers(dtype: np.dtype[Any]) -> tuple[int, int]:
    """NumPy's type numbers for a dtype: two where C has two types of that size (long, long long).

    >>> type_numbers(np.dtype("float32"))
    (11, 11)
    """
    same = [
        np.dtype(code).num
        for code in "bBhHiIlLqQ"
        if np.dtype(code).kind == dtype.kind and np.dtype(code).itemsize == dtype.itemsize
    ]
    numbers = same or [dtype.num]
    return numbers[0], numbers[-1]


class CallTable:
    """The table that the machine code reads, with everything that it points to."""

    __slots__ = ("_keep", "_table", "spec")

    def __init__(self, spec: EntrySpec) -> None:
        self.spec = spec
        self._keep: list[object] = [native(), spec]
        aliases = {output: argument for output, argument in spec.aliases}
        donated = frozenset(aliases.values())
        inputs = [self._input(index, donated) for index in range(len(spec.inputs))]
        outputs = [self._output(index, aliases) for index in range(len(spec.outputs))]
        name = spec.name.encode()
        self._keep.append(name)
        self._table = _Table(
            entry=spec.address,
            inputs=self._array(_Input, inputs),
            outputs=self._array(_Output, outputs),
            constants=self._array(ctypes.c_void_p, [c.ctypes.data for c in spec.constants]),
            callbacks=id(spec.callbacks),
            name=name,
            workspace_bytes=spec.workspace_bytes,
            argument_count=len(spec.inputs) - len(spec.constants),
            constant_count=len(spec.constants),
            output_count=len(spec.outputs),
            release_gil=spec.release_gil,
            bare=spec.bare and len(spec.outputs) == 1,
        )
        self._set_workspace()

    @property
    def address(self) -> int:
        """Where the table is, for `lz_run`."""
        return ctypes.addressof(self._table)

    def builtin(self) -> Callable[..., Any]:
        """The METH_FASTCALL function. It keeps the table, and so the code, alive by itself."""
        name = self.spec.name.encode()
        method = _MethodDef(name, native().address("lz_call"), _METH_FASTCALL, None)
        # CPython lets the method definition be owned by the function's `self`.
        owner = (self.address, self, method, name)
        new = ctypes.PYFUNCTYPE(
            ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p
        )(("PyCFunction_NewEx", ctypes.pythonapi))
        function: Callable[..., Any] = new(ctypes.addressof(method), owner, None)
        return function

    def _array(self, kind: Any, items: Sequence[Any]) -> int:
        array = (kind * max(1, len(items)))(*items)
        self._keep.append(array)
        return ctypes.addressof(array)

    def _dims(self, shape: tuple[int, ...]) -> int:
        return self._array(ctypes.c_int64, shape)

    def _input(self, index: int, donated: frozenset[int]) -> _Input:
        spec = self.spec.inputs[index]
        first, second = type_numbers(spec.numpy_dtype)
        return _Input(
            kind=self._scalar_kind(spec) if index in self.spec.scalars else 0,
            type_number=first,
            other_type_number=second,
            ndim=len(spec.shape),
            dims=self._dims(spec.shape),
            nbytes=spec.nbytes,
            donated=index in donated,
            itemsize=spec.numpy_dtype.itemsize,
        )

    def _scalar_kind(self, spec: ArraySpec) -> int:
        kinds: Mapping[str, int] = {
            "float32": INPUT_FLOAT,
            "float64": INPUT_FLOAT,
            "int32": INPUT_INT,
            "int64": INPUT_INT,
            "bool": INPUT_BOOL,
        }
        if spec.shape != () or spec.dtype not in kinds:
            raise ValueError(f"{self.spec.name}: a Python number cannot be passed as {spec}")
        return kinds[spec.dtype]

    def _output(self, index: int, aliases: Mapping[int, int]) -> _Output:
        spec = self.spec.outputs[index]
        dtype = spec.numpy_dtype
        self._keep.append(dtype)
        return _Output(
            descr=id(dtype),
            allocator=self._allocator(spec) if spec.nbytes >= POOLED_BYTES else None,
            dims=self._dims(spec.shape),
            ndim=len(spec.shape),
            alias=aliases.get(index, -1),
        )

    def _allocator(self, spec: ArraySpec) -> int:
        function = allocator(spec)
        self._keep.append(function)
        return id(function)

    def _set_workspace(self) -> None:
        """Large scratch memory comes from the pool at each call, small is kept with the table."""
        nbytes = self.spec.workspace_bytes
        if nbytes >= POOLED_BYTES:
            self._table.workspace_allocator = self._allocator(ArraySpec("uint8", (nbytes,)))
        elif nbytes > 0:
            memory = np.empty(nbytes + WORKSPACE_ALIGNMENT, np.uint8)
            self._keep.append(memory)
            home = -(-memory.ctypes.data // WORKSPACE_ALIGNMENT) * WORKSPACE_ALIGNMENT
            self._table.workspace = self._table.workspace_home = home
