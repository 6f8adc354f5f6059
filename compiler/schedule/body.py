"""Bodies of Generics as loop IR: one element, or a vector of neighbouring ones.

Takes: a body Graph (nodes named after MLIR's ops) and a value for each of its parameters.
Gives: the operations, appended to the Builder in hand. Values that are the same in every lane stay
scalars for as long as they can. Must not know: loops, buffers, which schedule asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..graph import Graph, Node
from ..graph import Value as GraphValue
from ..mlir.builder import Builder
from ..mlir.ir import Dense, Module, Value
from ..types import DType, Type, VectorType, element

Point = Callable[[int], Value]
"""The index along a dim of the Generic: an `index`, or a vector of them along the vectorised dim."""

Extract = Callable[[int, Sequence[Value]], Value]
"""`tensor.extract`: the element of body parameter k at computed indices."""

NATIVE_MATH = frozenset(
    "math." + name
    for name in (
        "fma sqrt floor ceil trunc roundeven round absf copysign absi ctlz cttz ctpop"
        " isnan isinf isfinite"
    ).split()
)
"""What the machine code generators know; all other functions are called as `@lz_<name>_<type>`."""


@dataclass
class BodyEmitter:
    """Emits bodies into one function. `needed` collects the elementary functions that they call:
    name of the function in the module -> (`math` name, element type, lanes or None)."""

    module: Module
    builder: Builder
    needed: dict[str, tuple[str, DType, int | None]] = field(default_factory=dict)

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
        numbers = {p: k for k, p in enumerate(graph.params)}
        for node in graph.nodes:
            if node.op == "arith.constant":
                known[node.result] = self._constant(node)
            elif node.op == "linalg.index":
                known[node.result] = self._index(node, point)
            elif node.op == "tensor.extract":
                if extract is None:
                    raise ValueError("this schedule has no place for tensor.extract in a body")
                at = [known[v] for v in node.inputs[1:]]
                known[node.result] = extract(numbers[node.inputs[0]], at)
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
        if node.op.startswith("math.") and node.op not in NATIVE_MATH:
            return self.builder.call(self._function(node.op, types[0]), operands, types)
        return self.builder.emit(node.op, operands, types, dict(node.attrs)).results

    def _function(self, name: str, type: Type) -> str:
        dtype = element(type)
        lanes = type.shape[0] if isinstance(type, VectorType) else None
        stem = name.removeprefix("math.")
        symbol = f"lz_{stem}_{dtype}" + (f"x{lanes}" if lanes else "")
        self.needed[symbol] = (stem, dtype, lanes)
        return symbol
