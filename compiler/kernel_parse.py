"""Reads a kernel back from its function: the inverse of `kernel_text.kernel_function`.

Takes: a verified `func.func` of tensors. Gives: a Kernel, or a VerifyError with the text at fault.
Must not know: the program around the kernel.

Text may differ from what is written here: constants stand inside or outside of bodies, one
`tensor.empty` serves several operations, names are free.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from .graph import Graph
from .graph import Value as GraphValue
from .kernel import BACKWARD, FORWARD, PARALLEL, REDUCTION, Generic, Kernel, Output, Read, canonical
from .kernel_reader import Body, Reader, refuse, tensor_type
from .kernel_sort import ORDERS, sort_kernel
from .kernel_text import AXIS, KEYS, KIND
from .mlir.ir import AffineMap, Block, Dense, Op, Typed, Value
from .types import TensorType, i1

Row = tuple[tuple[int, ...], int]


def function_to_kernel(func: Op) -> Kernel:
    """The Kernel of a private function with an `lz.kind`."""
    name = re.sub(r"^k\d+_", "", func.attrs["sym_name"])
    kind = func.attrs.get(KIND)
    if kind not in _READERS:
        refuse(func, f"a kernel's {KIND} is one of {', '.join(_READERS)}, not {kind!r}")
    if kind == "sort":
        return _sort(func, name)
    if not func.regions[0].ops:
        refuse(func, f"a kernel of kind {kind} has a body")
    reader = _READERS[kind](func)
    generics, results = reader.read()
    params = tuple(tensor_type(func, t) for t in func.attrs["function_type"].inputs)
    return Kernel(name, kind, params, tuple(map(canonical, generics)), results)


def _sort(func: Op, name: str) -> Kernel:
    """The kernel of a declared sort."""
    type = func.attrs["function_type"]
    types = [tensor_type(func, t) for t in type.inputs]
    axis, orders = func.attrs.get(AXIS), func.attrs.get(KEYS)
    number = axis.value if isinstance(axis, Typed) else axis
    if func.regions[0].ops or not types or type.inputs != type.results:
        refuse(func, "a sort is declared, without a body, and gives what it takes")
    if any(t.shape != types[0].shape for t in types):
        refuse(func, "a sort takes tensors of one shape")
    if not isinstance(number, int) or not 0 <= number < types[0].rank:
        refuse(func, f"a sort has an attribute {AXIS}, one of its axes")
    if not isinstance(orders, list) or not 1 <= len(orders) <= len(types):
        refuse(func, f"a sort has an attribute {KEYS}, a list with the order of each key")
    for order, key in zip(orders, types):
        if order not in ORDERS or (order == "float") != key.dtype.is_float:
            refuse(func, f"{KEYS}: {order!r} is not how {key.dtype} is ordered")
    return sort_kernel(name, types, number, orders)


# -- loops ----------------------------------------------------------------------------------------
class _LoopBody(Body):
    """A body of loops: counters are `linalg.index`, elements at linear places are mapped reads."""

    def __init__(self, constants: Mapping[Value, Dense], counters: Sequence[Value]) -> None:
        super().__init__(constants)
        self.counters = {v: d for d, v in enumerate(counters)}
        self.reads: list[tuple[Value, AffineMap]] = []
        self.rows: dict[Value, Row] = {}
        for v, d in self.counters.items():
            self.rows[v] = tuple(int(k == d) for k in range(len(counters))), 0

    def operand(self, op: Op, value: Value) -> GraphValue:
        if value in self.counters and value not in self.known:
            type = (TensorType((), value.type),)  # type: ignore[arg-type]
            attrs = {"dim": self.counters[value]}
            self.known[value] = self.builder.add("linalg.index", (), attrs, type).result
        return super().operand(op, value)

    def add(self, op: Op) -> None:
        self._follow(op)
        if op.name == "tensor.extract" and op.operands[0] not in self.known:
            rows = [self._row(v) for v in op.operands[1:]]
            linear = tuple(r for r in rows if r is not None)
            if len(linear) == len(rows):
                self.mapped.append(self.param(op.result, op.result.type))  # type: ignore[arg-type]
                self.reads.append((op.operands[0], AffineMap(len(self.counters), linear)))
                return
        super().add(op)

    def _row(self, value: Value) -> Row | None:
        """The value as a linear function of the counters, or None."""
        known = self.known.get(value)
        dense = self.constants.get(value)
        if dense is None and known is not None and known.op == "arith.constant":
            dense = known.node.attrs["value"]
        if dense is not None:
            return (0,) * len(self.counters), int(dense.data)
        return self.rows.get(value)

    def _follow(self, op: Op) -> None:
        if op.name not in ("arith.addi", "arith.muli"):
            return
        a, b = map(self._row, op.operands)
        if a is None or b is None:
            return
        if op.name == "arith.addi":
            self.rows[op.result] = tuple(x + y for x, y in zip(a[0], b[0])), a[1] + b[1]
        elif not any(a[0]) or not any(b[0]):
            (row, constant), (_, factor) = (b, a) if not any(a[0]) else (a, b)
            self.rows[op.result] = tuple(c * factor for c in row), constant * factor


class _CumulateReader(Reader):
    """Reads Generics, and nests of `scf.for` that accumulate along the innermost one's dim."""

    def cumulation(self, op: Op) -> None:
        """One nest: tensors go along in all loops, in the innermost the elements so far too."""
        loops = self._nest(op)
        inserts = self._inserts(loops[-1])
        place = inserts[0].operands[2:]
        inside, at = self._direction(loops[-1], len(inserts))
        counter = loops[-1].regions[0].args[0]
        by_place = {loop.regions[0].args[0]: loop for loop in loops[:-1]} | {at: loops[-1]}
        if len(place) != len(loops) or set(place) != set(by_place):
            refuse(inserts[0], "a running value stands at the loops' own indices")
        kinds = [PARALLEL] * len(place)
        kinds[place.index(at)] = FORWARD if at is counter else BACKWARD
        graph, reads = self._body(loops[-1], inserts, inside)
        outs = self._outputs(op, loops[-1], len(inserts))
        dims = tuple(self.extent(by_place[v]) for v in place)
        self.generics.append(Generic(dims, tuple(kinds), reads, graph, outs))
        self.take(op.results[: len(inserts)])

    def _inserts(self, loop: Op) -> list[Op]:
        """The last operations of the innermost loop: each running value goes into its tensor."""
        block = loop.regions[0]
        count, last = len(block.args) // 2, block.ops[-1]
        inserts = block.ops[-1 - count : -1]
        if not count or [o.name for o in inserts] != ["tensor.insert"] * count:
            refuse(loop, "a running value is put into a tensor by the last operations")
        yields = [o.result for o in inserts] + [o.operands[0] for o in inserts]
        fits = [o.operands[1] for o in inserts] == block.args[1 : 1 + count]
        fits &= all(o.operands[2:] == inserts[0].operands[2:] for o in inserts)
        if not fits or list(last.operands) != yields:
            refuse(last, "a running loop yields its tensors with the new values, and these")
        return inserts

    def _body(
        self, loop: Op, inserts: Sequence[Op], inside: Sequence[Op]
    ) -> tuple[Graph, tuple[Read, ...]]:
        """How values are joined, and what is read."""
        body = _LoopBody(self.constants, inserts[0].operands[2:])
        held = loop.regions[0].args[1 + len(inserts) :]
        outs = [body.param(h, h.type) for h in held]  # type: ignore[arg-type]
        for op in inside:
            body.add(op)
        results = [body.operand(insert, insert.operands[0]) for insert in inserts]
        reads = [Read(self.number(loop, v), m) for v, m in body.reads]
        reads += [Read(self.number(loop, v), None) for v in body.captured]
        return body.graph(outs, results), tuple(reads)

    def _outputs(self, op: Op, innermost: Op, count: int) -> tuple[Output, ...]:
        """The tensors that are written, and what the running values start from."""
        outs = []
        for start, first in zip(op.operands[3:], innermost.operands[3 + count :]):
            type, unit = tensor_type(op, start.type), self.constants.get(first)
            if unit is None or start not in self.empties:
                refuse(op, "a running loop starts from tensor.empty and from constants")
            outs.append(Output(type, AffineMap.identity(type.rank), unit))
        return tuple(outs)

    def _nest(self, op: Op) -> list[Op]:
        """The loops, outermost first; each inner one is all that the outer one does."""
        loops = [op]
        while True:
            block = loops[-1].regions[0]
            rest = [o for o in block.ops if o.name != "arith.constant"]
            if rest[0].name != "scf.for":
                return loops
            inner, count = rest[0], len(block.args) - 1
            alone = len(rest) == 2 and rest[1].operands == inner.results[:count]
            if not alone or inner.operands[3 : 3 + count] != block.args[1:]:
                refuse(inner, "the loops of a running value stand one in another")
            for constant in block.ops[: block.ops.index(inner)]:
                self._constant(constant)
            loops.append(inner)

    def _direction(self, loop: Op, inserts: int) -> tuple[list[Op], Value]:
        """The operations that make the values, and the place along the innermost dim: the counter,
        or where it runs backwards the last place less the counter.
        """
        block = loop.regions[0]
        ops, counter, last = block.ops[: -1 - inserts], block.args[0], self.extent(loop) - 1
        for k, op in enumerate(ops):
            if op.name == "arith.subi" and op.operands[1] is counter:
                end = self.constants.get(op.operands[0])
                if end is not None and int(end.data) == last:
                    return ops[:k] + ops[k + 1 :], op.result
        return ops, counter


class _ScatterReader(Reader):
    """Reads a nest of `scf.for` around one `tensor.insert`."""

    def read(self) -> tuple[list[Generic], tuple[int, ...]]:
        loops = self._loops()
        if loops:
            block, into = loops[-1].regions[0], loops[0].operands[3]
            whole, ops = block.args[1], block.ops
        else:
            block, cast = self.block, self._first(self.block)
            if cast.name != "tensor.cast":
                refuse(cast, "a kernel of kind scatter is a nest of scf.for")
            at = block.ops.index(cast)
            for constant in block.ops[:at]:
                self._constant(constant)
            into, whole, ops = cast.operands[0], cast.result, block.ops[at + 1 :]
        target = self.number(block.ops[-1], into)
        generic, made = self._update(ops, whole, loops, target)
        for loop in reversed(loops):
            if list(loop.regions[0].ops[-1].operands) != [made]:
                refuse(loop, "the loop of an update yields the updated tensor")
            made = loop.result
        if list(self.block.ops[-1].operands) != [made]:
            refuse(self.block.ops[-1], "a kernel of kind scatter returns the updated tensor")
        return [generic], (len(self.block.args),)

    def _first(self, block: Block) -> Op:
        """The first operation that is no constant."""
        return next(op for op in block.ops if op.name != "arith.constant")

    def _loops(self) -> list[Op]:
        """The nest, outermost first."""
        loops: list[Op] = []
        block = self.block
        while (op := self._first(block)).name == "scf.for":
            for constant in block.ops[: block.ops.index(op)]:
                self._constant(constant)
            if len(op.operands) != 4 or (loops and op.operands[3] is not block.args[1]):
                refuse(op, "the loop of an update carries the tensor that is updated, and no more")
            if block.ops[-2] is not op:
                refuse(block.ops[-2], "the loops of an update stand one in another")
            loops.append(op)
            block = op.regions[0]
        return loops

    def _update(
        self, ops: Sequence[Op], whole: Value, loops: Sequence[Op], into: int
    ) -> tuple[Generic, Value]:
        """The Generic of the innermost operations, and the updated tensor there."""
        body = _LoopBody(self.constants, [loop.regions[0].args[0] for loop in loops])
        type = tensor_type(ops[-1], whole.type)
        array = body.known[whole] = body.builder.param(type)
        for op in ops[:-2]:
            body.add(op)
        write = ops[-2]
        insert, valid = self._write(body, write, whole)
        new, _, *place = insert.operands
        results = [body.operand(insert, new), valid, *(body.operand(insert, v) for v in place)]
        reads = [Read(self.number(write, v), m) for v, m in body.reads]
        reads += [Read(self.number(write, v), None) for v in body.captured]
        dims = tuple(map(self.extent, loops))
        out = Output(type, None, into=into)
        kinds = (REDUCTION,) * len(dims)
        graph = body.graph([array], results)
        return Generic(dims, kinds, tuple(reads), graph, (out,)), write.result

    def _write(self, body: _LoopBody, op: Op, whole: Value) -> tuple[Op, GraphValue]:
        """The `tensor.insert`, and whether it happens."""
        if op.name not in ("tensor.insert", "scf.if"):
            refuse(op, "an update ends with its tensor.insert, or an scf.if around it")
        if op.name == "tensor.insert":
            true = Dense(TensorType((), i1), np.asarray(True))
            insert, valid = op, body._constant(true)
        else:
            then, otherwise = (block.ops for block in op.regions)
            names = [o.name for o in then]
            if names != ["tensor.insert", "scf.yield"] or len(otherwise) != 1:
                refuse(op, "a conditional write has one tensor.insert, and else yields the tensor")
            insert = then[0]
            if then[1].operands != [insert.result] or otherwise[0].operands != [whole]:
                refuse(op, "a conditional write yields the tensor with or without the new element")
            valid = body.operand(op, op.operands[0])
        if insert.operands[1] is not whole:
            refuse(insert, "an update writes into the tensor that the loop carries")
        return insert, valid


_READERS: dict[str, type[Reader]] = {
    "map": Reader,
    "reduce": Reader,
    "row": Reader,
    "contract": Reader,
    "scatter": _ScatterReader,
    "cumulate": _CumulateReader,
    "sort": Reader,
}
