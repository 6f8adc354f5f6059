"""Bodies of Generics as loop IR: one element, or a vector of neighbouring ones.

Takes: a body Graph (nodes named after MLIR's ops) and a value for each of its parameters.
Gives: the operations, appended to the Builder in hand. Values that are the same in every lane stay
scalars for as long as they can. Must not know: loops, buffers, which schedule asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..graph import Graph, Node
from ..graph import Value as GraphValue
from ..mlir.builder import Builder
from ..mlir.ir import Dense, Module, Value
from ..types import MemRefType, TensorType, Type, VectorType, element, i1
from .elementary import elementary, function_name

Point = Callable[[int], Value]
"""The index along a dim of the Generic: an `index`, or a vector of them along the vectorised
dim.
"""

Extract = Callable[[Node, Sequence[Value]], Value]
"""`tensor.extract`: what the node reads, given its operands (the buffer, then the indices)."""


@dataclass
class BodyEmitter:
    """Emits bodies into one function; the elementary functions that they call go to the module."""

    module: Module
    builder: Builder

    def emit(
        self,
        graph: Graph,
        params: Sequence[Value],
        lanes: int | None = None,
        point: Point | None = None,
        extract: Extract | None = None,
    ) -> list[Value]:
        """The results of `graph`. Parameters are scalars, or vectors of `lanes` elements."""
        known: dict[GraphValue, Value] = dict(zip(graph.params, params, strict=True))
        for node in graph.nodes:
            if node.op == "arith.constant":
                known[node.result] = self._constant(node)
            elif node.op == "linalg.index":
                known[node.result] = self._index(node, point)
            elif node.op == "tensor.extract":
                if extract is None:
                    raise ValueError("this schedule has no place for tensor.extract in a body")
                known[node.result] = extract(node, [known[v] for v in node.inputs])
            else:
                operands = self._spread([known[v] for v in node.inputs], lanes)
                for value, made in zip(node.results, self._operation(node, operands)):
                    known[value] = made
        return [known[v] for v in graph.results]

    def spread(self, value: Value, lanes: int | None) -> Value:
        """The value as a vector of `lanes` elements (itself without lanes)."""
        if lanes is None or isinstance(value.type, VectorType):
            return value
        return self.builder.splat(value, lanes)

    def _constant(self, node: Node) -> Value:
        dense = node.attrs["value"]
        assert isinstance(dense, Dense)
        return self.builder.const(dense.data.reshape(()).item(), element(dense.type))

    def _index(self, node: Node, point: Point | None) -> Value:
        if point is None:
            raise ValueError("this schedule has no place for linalg.index in a body")
        return point(int(node.attrs["dim"]))

    def _spread(self, operands: list[Value], lanes: int | None) -> list[Value]:
        if not any(isinstance(v.type, VectorType) for v in operands):
            return operands
        return [self.spread(v, lanes) for v in operands]

    def _operation(self, node: Node, operands: list[Value]) -> list[Value]:
        shape = next((v.type.shape for v in operands if isinstance(v.type, VectorType)), None)
        types: list[Type] = [
            t.dtype if shape is None else VectorType(shape, t.dtype) for t in node.types
        ]
        if function_name(node.op) is not None:
            symbol = elementary(self.module, node.op, types[0], len(operands))
            return self.builder.call(symbol, operands, types)
        return self.builder.emit(node.op, operands, types, dict(node.attrs)).results


def gather(
    b: Builder, buffer: Value, at: Sequence[Value], lanes: int, mask: Value | None = None
) -> Value:
    """A vector whose lane k is `buffer[at[0][k], …]`; indices may be scalars or vectors.

    Lanes outside of `mask` are 0 and read nothing.
    """
    type = buffer.type
    assert isinstance(type, MemRefType)
    total: Value | None = None
    stride = 1
    for i, n in zip(reversed(at), reversed(type.shape)):
        wide = i if isinstance(i.type, VectorType) else b.splat(i, lanes)
        if stride != 1:
            wide = b.op("arith.muli", [wide, b.const(stride, wide.type)])
        total = wide if total is None else b.op("arith.addi", [total, wide])
        stride *= n
    assert total is not None
    result = VectorType((lanes,), type.dtype)
    every = mask if mask is not None else b.const(1, VectorType((lanes,), i1))
    operands = [flatten(b, buffer), b.index(0), total, every, b.const(0, result)]
    return b.op("vector.gather", operands, result)


def flatten(b: Builder, buffer: Value) -> Value:
    """The same contiguous buffer, of rank 1 or more, with one axis."""
    type = buffer.type
    assert isinstance(type, MemRefType) and type.rank > 0
    if type.rank == 1:
        return buffer
    flat = MemRefType((type.size,), type.dtype)
    groups = [list(range(type.rank))]
    return b.op("memref.collapse_shape", [buffer], flat, reassociation=groups)


def reshaped(b: Builder, buffer: Value, shape: Sequence[int]) -> Value:
    """The same contiguous buffer in another shape."""
    type = buffer.type
    assert isinstance(type, MemRefType)
    wanted = MemRefType(tuple(shape), type.dtype)
    if type == wanted:
        return buffer
    if 0 in shape:
        return b.op("memref.reinterpret_cast", [buffer], wanted, **_cast_attrs(wanted))
    if type.size == 1 and (type.rank == 0 or not shape):
        name = "memref.expand_shape" if type.rank == 0 else "memref.collapse_shape"
        extra = {"static_output_shape": tuple(shape)} if type.rank == 0 else {}
        return b.op(name, [buffer], wanted, reassociation=[], **extra)
    flat = flatten(b, buffer)
    if len(shape) == 1:
        return flat
    attrs = {
        "reassociation": [list(range(len(shape)))],
        "static_output_shape": tuple(shape),
    }
    return b.op("memref.expand_shape", [flat], wanted, **attrs)


def _cast_attrs(type: MemRefType) -> dict[str, object]:
    steps = [1]
    for n in reversed(type.shape[1:]):
        steps.insert(0, steps[0] * n)
    return {
        "static_offsets": (0,),
        "static_sizes": type.shape,
        "static_strides": tuple(steps[: type.rank]),
        "operandSegmentSizes": (1, 0, 0, 0),
    }


def buffer_type(type: TensorType) -> MemRefType:
    """The buffer of a kernel-level tensor."""
    return MemRefType(type.shape, type.dtype)
