"""Callbacks at the stages `kernels` and `loops`: declared functions, the host's by number.

Takes: callback nodes of a kernel-level Graph. Gives: their declarations
(`hosts_parse.py` is the way back).
At the stage `kernels` a token is a byte among the operands and results; at the stage `loops` it is
gone: the order of the calls says what it said. Must not know: what the functions do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .graph import Graph, Node
from .kernel import symbol
from .mlir.ir import Module, Op, Typed, function
from .types import MemRefType, TensorType, Type, i64

KIND = "callback"
"""The `lz.kind` of such a function."""
NUMBER = "lz.callback"
"""Its attribute with the number of the host's function, at both stages."""
ORDERED = "lz.ordered"
"""Its attribute at the stage kernels: whether its first operand and result are a token."""


@dataclass(frozen=True)
class HostCall:
    """A call of the host's function `index` on operands of given storage types, token included."""

    index: int
    ordered: bool
    params: tuple[TensorType, ...]
    results: tuple[TensorType, ...]

    @property
    def data(self) -> tuple[TensorType, ...]:
        """What the function itself takes and gives: operands and results without tokens."""
        first = int(self.ordered)
        return self.params[first:] + self.results[first:]


def host_call(node: Node) -> HostCall:
    """What a callback node calls."""
    params = tuple(v.type for v in node.inputs)
    return HostCall(node.attrs["index"], node.attrs["ordered"], params, node.types)


def named_hosts(graph: Graph) -> dict[HostCall, str]:
    """The distinct callbacks of a kernel-level Graph in the order of the text, with names."""
    found: dict[HostCall, str] = {}
    for call in _calls(graph):
        if call not in found:
            name = f"callback{len(found)}"
            found[call] = name + ("_" if name == symbol(graph.name) else "")
    return found


def _calls(graph: Graph) -> Iterator[HostCall]:
    for part in graph.walk():
        yield from (host_call(node) for node in part.nodes if node.op == "callback")


def host_function(call: HostCall, name: str, kind: str) -> Op:
    """The declaration at the stage kernels; `kind` is the attribute that says its kind."""
    attrs: dict[str, object] = {kind: KIND, NUMBER: Typed(call.index, i64), ORDERED: call.ordered}
    return function(name, call.params, call.results, private=True, attrs=attrs)


def declare_host(module: Module, call: HostCall, name: str) -> None:
    """Declare a callback in a module of the stage loops, once; there it takes buffers alone."""
    if any(f.attrs["sym_name"] == name for f in module.functions()):
        return
    types: list[Type] = [MemRefType(t.shape, t.dtype) for t in call.data]
    attrs: dict[str, object] = {NUMBER: Typed(call.index, i64)}
    module.ops.append(function(name, types, [], private=True, attrs=attrs))
