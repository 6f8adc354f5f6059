"""What functions that call LAPACK are made of: scratch memory, arguments, copies, the calls.

Takes: a LibraryCall. Gives: `Stacks`, a function under construction that goes through a stack of
matrices. Must not know: which of LAPACK's functions does what.

LAPACK takes every argument by its address, so numbers and letters stand on the stack, and matrices,
which it wants by columns, in the workspace. What it reads and writes is handed over as the address
of the first element: a `memref` of rank 0. Its functions are declared with C names of our own
(`lz_lapack_dpotrf`), which the runtime finds in SciPy. A complex number is two reals side by side,
in memory as LAPACK has it, here as a tuple of two values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

from ..library import PREFIX, LibraryCall
from ..mlir.builder import Builder
from ..mlir.ir import Module, Typed, Unit, Value, function
from ..types import DType, FunctionType, MemRefType, Shape, TensorType, Type, f32, i8, i32, i64
from .body import buffer_type, flatten
from .scheduled import Scheduled
from .storage import ALIGNMENT

Element: TypeAlias = "tuple[Value, ...]"
"""A number: one value, or the real and the imaginary part."""
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
        self.complex = dict(call.attrs).get("pairs", False)
        self.width = 2 if self.complex else 1
        self.lead = self.shape(call.params[0])[:-MATRIX_AXES]
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

    def shape(self, matrices: TensorType) -> Shape:
        """The shape of a stack of matrices, without the axis of real and imaginary parts."""
        return matrices.shape[:-1] if self.complex else matrices.shape

    # -- memory -----------------------------------------------------------------------------
    def scratch(self, count: int, dtype: DType | None = None) -> Scratch:
        """New memory for that many of the matrices' numbers, or of a dtype's; one at least."""
        if dtype is None:
            count, dtype = max(count, 1) * self.width, self.dtype
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
        if not self.complex:
            return self._number(1, self.dtype)
        with self.b.inside(self.b.entry):
            place = self.b.alloca(MemRefType((2,), self.dtype))
            for k in (0, 1):
                self.b.store(self.b.const(1 - k, self.dtype), place, [self.b.index(k)])
            return first_element(self.b, place)

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
        rows, columns = self.shape(self.call.results[number])[-2:]
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

    def _parts(self, place: Value, width: int) -> list[Value]:
        """Where the parts of the number at a place are."""
        if width == 1:
            return [place]
        first = self.b.mul(place, width)
        return [first, self.b.add(first, 1)]

    def get(self, elements: Value, place: Value) -> Element:
        """The number at a place of memory with one axis."""
        return tuple(self.b.load(elements, [at]) for at in self._parts(place, self.width))

    def put(self, element: Element, elements: Value, place: Value) -> None:
        """A number into memory with one axis; a real one where it has one part."""
        for value, at in zip(element, self._parts(place, len(element))):
            self.b.store(value, elements, [at])

    def read(self, number: int, k: Value, *at: Value) -> Element:
        """An element of an operand's k-th matrix."""
        shape = self.shape(self.call.params[number])[-len(at) :]
        return self.get(self.flat(self.params[number]), self.place(k, shape, at))

    def write(self, element: Element, number: int, k: Value, *at: Value) -> None:
        """An element of a result's k-th matrix or vector; a real one where it has one part."""
        type = self.call.results[number]
        shape = (self.shape(type) if len(element) == self.width else type.shape)[-len(at) :]
        self.put(element, self.flat(self.results[number]), self.place(k, shape, at))

    def by_columns(self, number: int, k: Value, matrix: Scratch) -> None:
        """The k-th matrix of an operand into memory, column by column."""
        rows, columns = self.shape(self.call.params[number])[-2:]

        def move(i: Value, j: Value) -> None:
            self.put(self.read(number, k, i, j), matrix.elements, self.at(i, j, rows))

        self.elements(rows, columns, move)

    def at(self, i: Value, j: Value, rows: int) -> Value:
        """Where row i, column j is among columns of that many rows."""
        return self.b.add(self.b.mul(j, rows), i)

    def succeeded(self, info: Scratch) -> Value:
        """Whether LAPACK reports no failure."""
        return self.b.compare("eq", self.b.load(info.first, []), self.b.const(0, i32))

    def select(self, test: Value, element: Element, other: Element) -> Element:
        """One number or another."""
        pairs = zip(element, other)
        return tuple(self.b.op("arith.select", [test, *pair], self.dtype) for pair in pairs)

    def or_nan(self, ok: Value, element: Element) -> Element:
        """The number, or NaN after a failure."""
        nan = self.b.const(math.nan, self.dtype)
        return self.select(ok, element, (nan,) * len(element))

    def number(self, value: float) -> Element:
        """A number of the matrices' type."""
        parts = [self.b.const(v, self.dtype) for v in (value, 0.0)]
        return tuple(parts[: self.width])

    def deliver(self, number: int, k: Value, matrix: Scratch, ok: Value | None, lda: int) -> None:
        """The k-th matrix of a result from columns of `lda` rows, NaN after a failure."""

        def move(i: Value, j: Value) -> None:
            element = self.get(matrix.elements, self.at(i, j, lda))
            element = element if ok is None else self.or_nan(ok, element)
            self.write(element, number, k, i, j)

        self.result_elements(number, move)

    def vector(self, number: int, k: Value, values: Value, ok: Value, count: int) -> None:
        """Real numbers from memory into the k-th vector of a result, NaN after a failure."""

        def move(i: Value) -> None:
            self.write(self.or_nan(ok, (self.b.load(values, [i]),)), number, k, i)

        self.loop(count, move)

    def identity(self, number: int, k: Value) -> None:
        """Identity matrices into a result."""
        one, zero = self.number(1), self.number(0)

        def put(i: Value, j: Value) -> None:
            same = self.b.compare("eq", i, j)
            self.write(self.select(same, one, zero), number, k, i, j)

        self.result_elements(number, put)

    # -- calls ------------------------------------------------------------------------------
    def lapack(self, routine: str, arguments: Sequence[Value], library: str = "lapack") -> None:
        """Call one of LAPACK's (or BLAS's) functions; its first letter is the precision's."""
        letter = ("sd", "cz")[self.complex][self.dtype is not f32]
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
