"""What functions that call LAPACK are made of: scratch memory, arguments, copies, the calls.

Takes: a LibraryCall. Gives: `Stacks`, a function under construction that goes through a stack of
matrices. Must not know: which of LAPACK's functions does what.

LAPACK takes every argument by its address, so numbers and letters stand on the stack, and matrices,
which it wants by columns, in the workspace. What it reads and writes is handed over as the address
of the first element: a `memref` of rank 0. Its functions are declared with C names of our own
(`lz_lapack_dpotrf`), which the runtime finds in SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ..library import PREFIX, LibraryCall
from ..mlir.builder import Builder
from ..mlir.ir import Module, Typed, Unit, Value, function
from ..types import DType, FunctionType, MemRefType, TensorType, Type, f32, i8, i32, i64
from .body import buffer_type, flatten
from .scheduled import Scheduled
from .storage import ALIGNMENT

MATRIX_AXES = 2
POLL = "lz.poll"
POLL_WORK = 2e6
"""Machine operations between two looks at whether to stop, about a millisecond."""


class Scratch(NamedTuple):
    """Memory in the workspace: its elements, and the address of the first one."""

    elements: Value
    first: Value


class Stacks:
    """The function of a LibraryCall: for every matrix of the stack, copy, call, copy back."""

    def __init__(self, call: LibraryCall, module: Module, name: str) -> None:
        self.call = call
        self.module = module
        self.dtype = call.params[0].dtype
        self.lead = call.params[0].shape[:-MATRIX_AXES]
        self.count = math.prod(self.lead)
        types: list[Type] = [buffer_type(t) for t in (*call.params, *call.results)]
        self.function = function(name, types, [], private=True, attrs={"lz.noalias": Unit()})
        self.b = Builder(self.function)
        args = list(self.function.regions[0].args)
        self.params, self.results = args[: len(call.params)], args[len(call.params) :]
        self.space = Value(MemRefType((0,), i8), "workspace")
        self.nbytes = 0
        self._flat: dict[Value, Value] = {}
        self._numbers: dict[tuple[Type, int], Value] = {}

    # -- memory -----------------------------------------------------------------------------
    def scratch(self, count: int, dtype: DType | None = None) -> Scratch:
        """New memory for that many elements (of the matrices' dtype), one at least."""
        dtype = dtype or self.dtype
        shift = self.b.index(self.nbytes)
        self.nbytes += -(-max(count, 1) * dtype.itemsize // ALIGNMENT) * ALIGNMENT
        many, one = MemRefType((max(count, 1),), dtype), MemRefType((), dtype)
        views = [self.b.op("memref.view", [self.space, shift], type) for type in (many, one)]
        return Scratch(*views)

    def _number(self, value: int, dtype: DType) -> Value:
        """The address of a number on the stack, written at the head of the function."""
        key = (dtype, value)
        if key not in self._numbers:
            with self.b.inside(self.b.entry):
                place = self.b.alloca(MemRefType((), dtype))
                self.b.store(self.b.const(value, dtype), place, [])
            self._numbers[key] = place
        return self._numbers[key]

    def integers(self, *values: int) -> list[Value]:
        """Addresses of LAPACK's integers, which have 32 bits."""
        return [self._number(n, i32) for n in values]

    def letters(self, text: str) -> list[Value]:
        """Addresses of letters."""
        return [self._number(ord(c), i8) for c in text]

    def one(self) -> Value:
        """The address of the matrices' number 1."""
        return self._number(1, self.dtype)

    # -- loops ------------------------------------------------------------------------------
    @contextmanager
    def each(self, work: float) -> Iterator[Value]:
        """The loop over the stack's matrices, each of which takes `work` operations."""
        if self.count == 1:
            yield self.b.index(0)
            return
        with self.b.loop(self.b.index(0), self.b.index(self.count), self.b.index(1)) as k:
            yield k
        self.b.block.ops[-1].attrs[POLL] = Typed(max(1, int(POLL_WORK / (10 + work))), i64)

    def loop(self, high: Value | int, body: Callable[[Value], None], low: Value | int = 0) -> None:
        """A loop from low up to high."""
        b = self.b
        start, end = (b.index(v) if isinstance(v, int) else v for v in (low, high))
        with b.loop(start, end, b.index(1)) as i:
            body(i)

    def elements(self, rows: int, columns: int, body: Callable[[Value, Value], None]) -> None:
        """A loop over rows and columns."""
        if rows and columns:
            self.loop(rows, lambda i: self.loop(columns, lambda j: body(i, j)))

    def result_elements(self, number: int, body: Callable[[Value, Value], None]) -> None:
        """A loop over rows and columns of a result."""
        rows, columns = self.call.results[number].shape[-2:]
        self.elements(rows, columns, body)

    # -- elements ---------------------------------------------------------------------------
    def flat(self, buffer: Value) -> Value:
        """A buffer with one axis."""
        if buffer not in self._flat:
            with self.b.inside(self.b.entry):
                self._flat[buffer] = flatten(self.b, buffer)
        return self._flat[buffer]

    def place(self, k: Value, shape: Sequence[int], at: Sequence[Value]) -> Value:
        """Where an element of the k-th matrix (or vector) of a stack is."""
        total = k
        for n, i in zip(shape, at):
            total = self.b.add(self.b.mul(total, n), i)
        return total

    def read(self, number: int, k: Value, *at: Value) -> Value:
        """An element of an operand's k-th matrix."""
        shape = self.call.params[number].shape[-len(at) :]
        return self.b.load(self.flat(self.params[number]), [self.place(k, shape, at)])

    def write(self, value: Value, number: int, k: Value, *at: Value) -> None:
        """An element of a result's k-th matrix or vector."""
        shape = self.call.results[number].shape[-len(at) :]
        self.b.store(value, self.flat(self.results[number]), [self.place(k, shape, at)])

    def by_columns(self, number: int, k: Value, matrix: Scratch) -> None:
        """The k-th matrix of an operand into memory, column by column."""
        rows, columns = self.call.params[number].shape[-2:]

        def move(i: Value, j: Value) -> None:
            self.b.store(self.read(number, k, i, j), matrix.elements, [self.at(i, j, rows)])

        self.elements(rows, columns, move)

    def at(self, i: Value, j: Value, rows: int) -> Value:
        """Where row i, column j is among columns of that many rows."""
        return self.b.add(self.b.mul(j, rows), i)

    def succeeded(self, info: Scratch) -> Value:
        """Whether LAPACK reports no failure."""
        return self.b.compare("eq", self.b.load(info.first, []), self.b.const(0, i32))

    def or_nan(self, ok: Value, value: Value) -> Value:
        """The value, or NaN after a failure."""
        nan = self.b.const(math.nan, self.dtype)
        return self.b.op("arith.select", [ok, value, nan], self.dtype)

    def deliver(self, number: int, k: Value, matrix: Scratch, ok: Value | None, lda: int) -> None:
        """The k-th matrix of a result from columns of `lda` rows, NaN after a failure."""

        def move(i: Value, j: Value) -> None:
            value = self.b.load(matrix.elements, [self.at(i, j, lda)])
            value = value if ok is None else self.or_nan(ok, value)
            self.write(value, number, k, i, j)

        self.result_elements(number, move)

    def identity(self, number: int, k: Value) -> None:
        """Identity matrices into a result."""
        one, zero = self.b.const(1, self.dtype), self.b.const(0, self.dtype)

        def put(i: Value, j: Value) -> None:
            same = self.b.compare("eq", i, j)
            value = self.b.op("arith.select", [same, one, zero], self.dtype)
            self.write(value, number, k, i, j)

        self.result_elements(number, put)

    # -- calls ------------------------------------------------------------------------------
    def lapack(self, routine: str, arguments: Sequence[Value], library: str = "lapack") -> None:
        """Call one of LAPACK's (or BLAS's) functions; its first letter is the precision's."""
        letter = "s" if self.dtype is f32 else "d"
        name = f"{PREFIX}{library}_{letter}{routine}"
        known = {op.attrs["sym_name"] for op in self.module.functions()}
        if name not in known:
            types = [v.type for v in arguments]
            self.module.ops.append(function(name, types, [], private=True))
        self.b.call(name, arguments, [])

    def finish(self) -> Scheduled:
        """The whole function, with its workspace."""
        self.b.emit("func.return")
        if self.nbytes:
            self.space.type = MemRefType((self.nbytes,), i8)
            self.function.regions[0].args.append(self.space)
            kind: FunctionType = self.function.attrs["function_type"]
            types = FunctionType((*kind.inputs, self.space.type), ())
            self.function.attrs["function_type"] = types
        self.module.ops.append(self.function)
        return Scheduled(self.function, self.nbytes)


def first_element(b: Builder, buffer: Value) -> Value:
    """The address of a whole buffer, as LAPACK takes it."""
    type = buffer.type
    assert isinstance(type, MemRefType)
    attrs = {
        "static_offsets": (0,), "static_sizes": (), "static_strides": (),
        "operandSegmentSizes": (1, 0, 0, 0),
    }  # fmt: skip
    return b.op("memref.reinterpret_cast", [buffer], MemRefType((), type.dtype), **attrs)


def is_empty(types: Sequence[TensorType]) -> bool:
    """Whether there is nothing to compute."""
    return all(t.size == 0 for t in types)


def clamped(b: Builder, value: Value, low: Value, high: int) -> Value:
    """A 32-bit integer kept from low to high, whatever LAPACK made of NaN."""
    least = b.op("arith.maxsi", [value, low])
    return b.op("arith.minsi", [least, b.const(high, i32)])
