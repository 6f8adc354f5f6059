"""Builds loop IR: one method for each thing a schedule says, constants shared per function.

Takes: Values of the tree in `ir.py`. Gives: Ops appended to the block in hand.
Must not know: kernels, graphs, targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..types import DType, MemRefType, Type, VectorType, element, i1, index
from .ir import Block, Dense, Op, Symbol, Typed, Value


class Builder:
    """Appends operations to a function's blocks. `entry` is the function's own block: constants go
    to its head, each once.

    >>> from lazir.compiler.types import MemRefType, f32
    >>> from lazir.compiler.mlir.ir import function
    >>> f = function("twice", [MemRefType((8,), f32)], [])
    >>> b = Builder(f)
    >>> with b.loop(b.index(0), b.index(8), b.index(1)) as i:
    ...     x = b.load(f.regions[0].args[0], [i])
    ...     b.store(b.op("arith.addf", [x, x]), f.regions[0].args[0], [i])
    >>> b.emit("func.return").name
    'func.return'
    """

    def __init__(self, func: Op) -> None:
        self.func = func
        self.entry = func.regions[0]
        self.block = self.entry
        self._constants: dict[tuple[str, bytes], Value] = {}
        self._indices: dict[Value, int] = {}
        self._constant_count = 0

    # -- anything ------------------------------------------------------------------------
    def emit(
        self,
        name: str,
        operands: Sequence[Value] = (),
        result_types: Sequence[Type] = (),
        attrs: dict[str, Any] | None = None,
        regions: Sequence[Block] = (),
    ) -> Op:
        """Append any operation."""
        op = Op(name, operands, result_types, attrs, regions)
        self.block.ops.append(op)
        return op

    def op(
        self,
        name: str,
        operands: Sequence[Value],
        type: Type | None = None,
        **attrs: Any,
    ) -> Value:
        """Append an operation with one result, by default of the first operand's type."""
        return self.emit(name, operands, [type or operands[0].type], attrs).result

    @contextmanager
    def inside(self, block: Block) -> Iterator[Block]:
        """Append to `block` for the length of the `with`."""
        outer, self.block = self.block, block
        try:
            yield block
        finally:
            self.block = outer

    # -- constants -----------------------------------------------------------------------
    def const(self, value: int | float | np.generic | np.ndarray[Any, Any], type: Type) -> Value:
        """A scalar or (splat) vector constant at the head of the function; bf16 by its bits."""
        dtype = element(type)
        data = np.asarray(value, dtype.numpy)
        key = (str(type), data.tobytes())
        if key not in self._constants:
            attr: Any = (
                Dense(type, data) if isinstance(type, VectorType) else Typed(data.item(), type)
            )
            if dtype is i1 and not isinstance(type, VectorType):
                attr = bool(value)
            op = Op("arith.constant", (), (type,), {"value": attr})
            self.entry.ops.insert(self._constant_count, op)
            self._constant_count += 1
            self._constants[key] = op.result
            if type is index:
                self._indices[op.result] = int(value)
        return self._constants[key]

    def index(self, value: int) -> Value:
        return self.const(value, index)

    # -- index arithmetic, folding what is known -----------------------------------------
    def known(self, value: Value) -> int | None:
        """The number behind an index constant, or None."""
        return self._indices.get(value)

    def add(self, a: Value, b: Value | int) -> Value:
        """a + b on `index`."""
        b = self.index(b) if isinstance(b, int) else b
        if self.known(b) == 0:
            return a
        if self.known(a) == 0:
            return b
        return self.op("arith.addi", [a, b])

    def mul(self, a: Value, b: Value | int) -> Value:
        """a * b on `index`."""
        b = self.index(b) if isinstance(b, int) else b
        for one, other in ((a, b), (b, a)):
            if self.known(one) == 1:
                return other
            if self.known(one) == 0:
                return one
        return self.op("arith.muli", [a, b])

    # -- memory --------------------------------------------------------------------------
    def load(self, buffer: Value, at: Sequence[Value]) -> Value:
        """`memref.load`: one element, of the buffer's element type."""
        return self.op("memref.load", [buffer, *at], element(buffer.type))

    def store(self, value: Value, buffer: Value, at: Sequence[Value]) -> None:
        """`memref.store` of one element."""
        self.emit("memref.store", [value, buffer, *at])

    def vload(self, buffer: Value, at: Sequence[Value], lanes: int) -> Value:
        """`vector.load` of `lanes` consecutive elements of the last axis."""
        return self.op("vector.load", [buffer, *at], VectorType((lanes,), element(buffer.type)))

    def vstore(
        self, value: Value, buffer: Value, at: Sequence[Value], bypass: int | None = None
    ) -> None:
        """`vector.store` to consecutive elements of the last axis; past the caches where `bypass`
        says how many bytes the place is aligned to.
        """
        attrs = {"nontemporal": True, "alignment": bypass} if bypass else {}
        self.emit("vector.store", [value, buffer, *at], [], attrs)

    def splat(self, scalar: Value, lanes: int) -> Value:
        """`vector.broadcast` of a scalar."""
        return self.op("vector.broadcast", [scalar], VectorType((lanes,), element(scalar.type)))

    def alloca(self, type: MemRefType) -> Value:
        """`memref.alloca`: a buffer on the stack of this function."""
        return self.op("memref.alloca", [], type)

    # -- structure -----------------------------------------------------------------------
    @contextmanager
    def loop(self, low: Value, high: Value, step: Value) -> Iterator[Value]:
        """`scf.for` without carried values; gives the induction variable."""
        body = Block([Value(index)])
        with self.inside(body):
            yield body.args[0]
            self.emit("scf.yield")
        self.emit("scf.for", [low, high, step], regions=[body])

    def loop_carry(
        self,
        low: Value,
        high: Value,
        step: Value,
        carried: Sequence[Value],
        body: Callable[[Value, list[Value]], Sequence[Value]],
    ) -> list[Value]:
        """`scf.for … iter_args`: `body(i, values)` gives the next values; returns the last ones."""
        block = Block([Value(index), *(Value(v.type) for v in carried)])
        with self.inside(block):
            self.emit("scf.yield", list(body(block.args[0], block.args[1:])))
        types = [v.type for v in carried]
        return self.emit("scf.for", [low, high, step, *carried], types, regions=[block]).results

    @contextmanager
    def parallel(self, low: Value, high: Value, step: Value) -> Iterator[Value]:
        """`scf.parallel` over one axis: iterations are independent and may run on any thread."""
        body = Block([Value(index)])
        with self.inside(body):
            yield body.args[0]
            self.emit("scf.reduce")
        self.emit("scf.parallel", [low, high, step], regions=[body])

    def if_else(
        self,
        condition: Value,
        then: Callable[[], Sequence[Value]],
        otherwise: Callable[[], Sequence[Value]] | None = None,
    ) -> list[Value]:
        """`scf.if`; both arms give values of the same types. Without `otherwise`, no values."""
        arms = []
        for arm in (then, otherwise):
            block = Block()
            if arm is not None:
                with self.inside(block):
                    block.ops.append(Op("scf.yield", list(arm())))
            arms.append(block)
        yielded = [v.type for v in arms[0].ops[-1].operands]
        return self.emit("scf.if", [condition], yielded, regions=arms).results

    def call(
        self, callee: str, operands: Sequence[Value], result_types: Sequence[Type]
    ) -> list[Value]:
        """`func.call @callee`."""
        return self.emit("func.call", operands, result_types, {"callee": Symbol(callee)}).results

    # -- comparisons ---------------------------------------------------------------------
    def compare(self, predicate: str, a: Value, b: Value) -> Value:
        """`arith.cmpi`/`arith.cmpf`; predicate as MLIR spells it (`slt`, `olt`, `une`…)."""
        name = "arith.cmpf" if element(a.type).is_float else "arith.cmpi"
        type: DType | VectorType = (
            VectorType(a.type.shape, i1) if isinstance(a.type, VectorType) else i1
        )
        return self.op(name, [a, b], type, predicate=predicate)
