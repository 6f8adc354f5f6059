"""What reads a kernel's function back: bodies of scalars, and Generics from `linalg.generic`.

Takes: a verified `func.func` of tensors. Gives: `Reader`, its values numbered and its Generics in
order, or a VerifyError with the text at fault. Must not know: loops, kinds of kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from .errors import VerifyError
from .graph import Builder, Graph
from .graph import Value as GraphValue
from .kernel import REDUCTION, Generic, Output, Read
from .kernel_text import plain_dim
from .mlir.ir import AffineMap, Dense, Op, Typed, Value
from .mlir.printer import print_op
from .types import DType, TensorType, element

_SHOWN_LINES = 8


def refuse(op: Op, message: str) -> NoReturn:
    """An error at an operation that stands where the stage has no place for it."""
    lines = print_op(op).split("\n")
    shown = "\n  ".join(lines[:_SHOWN_LINES] + ["…"] * (len(lines) > _SHOWN_LINES))
    raise VerifyError(f"{message}\n  in: {shown}", op.locs[0] if op.locs else None)


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


class Body:
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
        type = TensorType((), element(dense.type))
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


class Reader:
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
        body = Body(self.constants)
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

    def extent(self, op: Op) -> int:
        """How often a loop runs, which starts at 0."""
        bounds = [self.constants.get(v) for v in op.operands[:3]]
        low, high, step = (None if d is None else int(d.data) for d in bounds)
        if low != 0 or step != 1 or high is None:
            refuse(op, "a loop of a kernel runs from 0 by 1 to a constant")
        return high

    def cumulation(self, op: Op) -> None:
        """A loop, of which only kernels of kind cumulate may hold several."""
        refuse(op, "scf.for has no place in a kernel of this kind")

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


_STEPS: dict[str, Callable[[Reader, Op], None]] = {
    "arith.constant": Reader._constant,
    "tensor.empty": Reader._empty,
    "linalg.fill": Reader._fill,
    "tensor.extract_slice": Reader._slice,
    "tensor.collapse_shape": Reader._reshape,
    "tensor.expand_shape": Reader._reshape,
    "linalg.generic": Reader._generic,
    "scf.for": lambda reader, op: reader.cumulation(op),
}
