"""Reads a kernel back from its function: the inverse of `kernel_text.kernel_function`.

Takes: a verified `func.func` of tensors. Gives: a Kernel, or a VerifyError with the text at fault.
Must not know: the program around the kernel.

Text may differ from what is written here: constants stand inside or outside of bodies, one
`tensor.empty` serves several operations, names are free.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from .errors import VerifyError
from .graph import Builder, Graph
from .graph import Value as GraphValue
from .kernel import REDUCTION, Generic, Kernel, Output, Read, canonical
from .kernel_text import KIND, plain_dim
from .mlir.ir import AffineMap, Block, Dense, Op, Typed, Value
from .mlir.printer import print_op
from .types import DType, TensorType, i1

Row = tuple[tuple[int, ...], int]

_SHOWN_LINES = 8


def refuse(op: Op, message: str) -> NoReturn:
    """An error at an operation that stands where the stage has no place for it."""
    lines = print_op(op).split("\n")
    shown = "\n  ".join(lines[:_SHOWN_LINES] + ["…"] * (len(lines) > _SHOWN_LINES))
    raise VerifyError(f"{message}\n  in: {shown}", op.locs[0] if op.locs else None)


def function_to_kernel(func: Op) -> Kernel:
    """The Kernel of a private function with an `lz.kind`."""
    name = re.sub(r"^k\d+_", "", func.attrs["sym_name"])
    kind = func.attrs.get(KIND)
    if kind not in _READERS:
        refuse(func, f"a kernel's {KIND} is one of {', '.join(_READERS)}, not {kind!r}")
    reader = _READERS[kind](func)
    generics, results = reader.read()
    params = tuple(tensor_type(func, t) for t in func.attrs["function_type"].inputs)
    return Kernel(name, kind, params, tuple(map(canonical, generics)), results)


def tensor_type(op: Op, type: Any) -> TensorType:
    """The type, which is a tensor's."""
    if not isinstance(type, TensorType):
        refuse(op, f"at the stage kernels values are tensors, not {type}")
    return type


def scalar_constant(op: Op) -> Dense:
    """The value of a scalar `arith.constant`, as Graphs hold it."""
    type = op.results[0].type
    if not isinstance(type, DType):
        refuse(op, "an array constant stands in the program's function, not in a kernel")
    value: Any = op.attrs["value"]
    number = value.value if isinstance(value, Typed) else value
    return Dense(TensorType((), type), np.asarray(number).astype(type.numpy))


class _Body:
    """The scalar nodes of one body, by the values of the text."""

    def __init__(self, constants: Mapping[Value, Dense]) -> None:
        self.constants = constants
        self.builder = Builder(name="body")
        self.known: dict[Value, GraphValue] = {}
        self.mapped: list[GraphValue] = []
        self.captured: dict[Value, GraphValue] = {}

    def operand(self, op: Op, value: Value) -> GraphValue:
        """What an operand is: made in this body, or a constant from outside of it."""
        if value in self.known:
            return self.known[value]
        if value not in self.constants:
            refuse(op, "a body takes scalars from outside only where they are constants")
        return self._constant(self.constants[value])

    def param(self, value: Value, dtype: DType) -> GraphValue:
        """A scalar parameter that stands for a value of the text."""
        made = self.known[value] = self.builder.param(TensorType((), dtype))
        return made

    def _constant(self, dense: Dense) -> GraphValue:
        type = TensorType((), dense.type.dtype)  # type: ignore[union-attr]
        return self.builder.add("arith.constant", (), {"value": dense}, (type,)).result

    def add(self, op: Op) -> None:
        """The node of an operation."""
        if op.name == "arith.constant":
            self.known[op.result] = self._constant(scalar_constant(op))
            return
        if op.name == "tensor.extract":
            self._extract(op)
            return
        if op.regions or op.name.split(".")[0] not in ("arith", "math", "complex", "linalg"):
            refuse(op, f"{op.name} has no place in the body of a kernel")
        self._add(op, [self.operand(op, v) for v in op.operands])

    def _add(self, op: Op, operands: Sequence[GraphValue]) -> None:
        types = []
        for result in op.results:
            if not isinstance(result.type, DType):
                refuse(op, f"the body of a kernel computes scalars, not {result.type}")
            types.append(TensorType((), result.type))
        node = self.builder.add(op.name, tuple(operands), op.attrs, tuple(types), op.locs)
        self.known.update(zip(op.results, node.results))

    def _extract(self, op: Op) -> None:
        source = op.operands[0]
        if source not in self.known and source not in self.captured:
            param = self.builder.param(tensor_type(op, source.type))
            self.captured[source] = param
        tensor = self.known.get(source) or self.captured[source]
        self._add(op, [tensor, *(self.operand(op, v) for v in op.operands[1:])])

    def graph(self, outs: Sequence[GraphValue], results: Sequence[GraphValue]) -> Graph:
        """The body: parameters for mapped reads, tensors read at indices, outputs."""
        return Graph("body", [*self.mapped, *self.captured.values(), *outs], results)


class _Reader:
    """Numbers the values of a kernel's function and reads its Generics, in order."""

    def __init__(self, func: Op) -> None:
        self.block = func.regions[0]
        self.numbers = {arg: k for k, arg in enumerate(self.block.args)}
        self.constants: dict[Value, Dense] = {}
        self.empties: set[Value] = set()
        self.units: dict[Value, Dense] = {}
        self.windows: dict[Value, Value] = {}
        self.generics: list[Generic] = []

    def read(self) -> tuple[list[Generic], tuple[int, ...]]:
        """All Generics, and the numbers of the results."""
        for op in self.block.ops[:-1]:
            step = _STEPS.get(op.name)
            if step is None:
                refuse(op, f"{op.name} has no place in a kernel, outside of a body")
            step(self, op)
        last = self.block.ops[-1]
        return self.generics, tuple(self.number(last, v) for v in last.operands)

    def number(self, op: Op, value: Value) -> int:
        """Which numbered value of the kernel this is."""
        if value not in self.numbers:
            refuse(op, "the operand is neither an argument nor the result of a linalg.generic")
        return self.numbers[value]

    def _constant(self, op: Op) -> None:
        self.constants[op.result] = scalar_constant(op)

    def _empty(self, op: Op) -> None:
        self.empties.add(op.result)

    def _fill(self, op: Op) -> None:
        unit, start = op.operands
        if unit not in self.constants or start not in self.empties:
            refuse(op, "a kernel fills a tensor.empty, with a constant")
        self.units[op.result] = self.constants[unit]

    def _slice(self, op: Op) -> None:
        source = op.operands[0]
        plain = not any(op.attrs["static_offsets"]) and set(op.attrs["static_strides"]) <= {1}
        if not plain or len(op.operands) != 1 or _rank(source) != _rank(op.result):
            refuse(op, "a kernel slices off the first elements of axes only")
        self.windows[op.result] = source

    def _reshape(self, op: Op) -> None:
        source = op.operands[0]
        if tensor_type(op, source.type).size:
            refuse(op, "only an empty tensor is reshaped inside of a kernel, to leave out axes")
        self.windows[op.result] = self.windows.get(source, source)

    def _generic(self, op: Op) -> None:
        count = op.attrs["operandSegmentSizes"][0]
        maps: list[AffineMap] = op.attrs["indexing_maps"]
        block = op.regions[0]
        body = _Body(self.constants)
        reads: list[Read] = []
        for value, map, arg in zip(op.operands[:count], maps, block.args):
            param = body.param(arg, arg.type)  # type: ignore[arg-type]
            if value not in self.empties:
                body.mapped.append(param)
                reads.append(Read(self.number(op, self.windows.get(value, value)), map))
        held = [body.param(arg, arg.type) for arg in block.args[count:]]  # type: ignore[arg-type]
        for inner in block.ops[:-1]:
            body.add(inner)
        results = [body.operand(block.ops[-1], v) for v in block.ops[-1].operands]
        reads += [Read(self.number(op, value), None) for value in body.captured]
        outs = [self._output(op, v, m) for v, m in zip(op.operands[count:], maps[count:])]
        self.generics.append(
            Generic(
                _extents(op, maps),
                tuple(op.attrs["iterator_types"]),
                tuple(reads),
                body.graph(held, results),
                tuple(outs),
            )
        )
        self.take(op.results)

    def take(self, results: Sequence[Value]) -> None:
        """Number the results of a Generic."""
        for result in results:
            self.numbers[result] = len(self.numbers)

    def _output(self, op: Op, start: Value, map: AffineMap) -> Output:
        type = tensor_type(op, start.type)
        if start not in self.empties and start not in self.units:
            refuse(op, "outs takes a tensor.empty, or a linalg.fill of one")
        if start in self.empties and REDUCTION in op.attrs["iterator_types"]:
            refuse(op, "a reduction starts from a linalg.fill with its unit")
        return Output(type, map, self.units.get(start))


def _rank(value: Value) -> int:
    return len(value.type.shape) if isinstance(value.type, TensorType) else -1


def _extents(op: Op, maps: Sequence[AffineMap]) -> tuple[int, ...]:
    """The size of each dim, which some operand has as an axis (the verifier has looked)."""
    sizes: dict[int, int] = {}
    for value, map in zip(op.operands, maps):
        for row, n in zip(map.rows, tensor_type(op, value.type).shape):
            dim = plain_dim(row)
            if dim is not None:
                sizes[dim] = n
    return tuple(sizes[d] for d in range(len(sizes)))


_STEPS = {
    "arith.constant": _Reader._constant,
    "tensor.empty": _Reader._empty,
    "linalg.fill": _Reader._fill,
    "tensor.extract_slice": _Reader._slice,
    "tensor.collapse_shape": _Reader._reshape,
    "tensor.expand_shape": _Reader._reshape,
    "linalg.generic": _Reader._generic,
}


# -- scatter --------------------------------------------------------------------------------------
class _ScatterBody(_Body):
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


class _ScatterReader(_Reader):
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

    def _extent(self, op: Op) -> int:
        bounds = [self.constants.get(v) for v in op.operands[:3]]
        low, high, step = (None if d is None else int(d.data) for d in bounds)
        if low != 0 or step != 1 or high is None:
            refuse(op, "the loop of an update runs from 0 by 1 to a constant")
        return high

    def _update(
        self, ops: Sequence[Op], whole: Value, loops: Sequence[Op], into: int
    ) -> tuple[Generic, Value]:
        """The Generic of the innermost operations, and the updated tensor there."""
        body = _ScatterBody(self.constants, [loop.regions[0].args[0] for loop in loops])
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
        dims = tuple(map(self._extent, loops))
        out = Output(type, None, into=into)
        kinds = (REDUCTION,) * len(dims)
        graph = body.graph([array], results)
        return Generic(dims, kinds, tuple(reads), graph, (out,)), write.result

    def _write(self, body: _ScatterBody, op: Op, whole: Value) -> tuple[Op, GraphValue]:
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


_READERS: dict[str, type[_Reader]] = {
    "map": _Reader,
    "reduce": _Reader,
    "row": _Reader,
    "contract": _Reader,
    "scatter": _ScatterReader,
}
