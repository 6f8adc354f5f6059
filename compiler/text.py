"""Graphs as text and back: the `graph` and `optimized` stages in the form that every stage has.

Takes: Graphs, or a Module of the tree in `mlir/ir.py`. Gives: the other. Reading infers every type
again and compares it with what is written. Must not know: how a tree is printed or parsed.

An op is `"lz.name"(operands) (regions) {attributes}`. An attribute Graph is a region that ends with
`"lz.yield"`, in the order of `REGIONS`; attributes that the result type says are left out, and so
are those that are empty by default. A tuple of other things than numbers is a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .errors import LazirError, VerifyError
from .graph import Builder, Graph, Node, Value
from .mlir import ir
from .mlir.printer import print_op
from .opdef import OPS
from .types import TensorType, Type, token

REGIONS: dict[str, tuple[str, ...]] = {
    "bounded_while": ("cond", "body"),
    "call": ("body",),
    "checkpoint": ("body",),
    "cond": ("branches",),
    "custom_jvp": ("graph", "jvp"),
    "custom_linear": ("backward",),
    "custom_vjp": ("graph", "forward", "backward"),
    "scan": ("body",),
    "while": ("cond", "body"),
}
"""The attributes that are regions, in the order of the text; `branches` is a tuple of them."""

SAID_BY_TYPE: dict[str, tuple[str, ...]] = {
    "bitcast": ("dtype",),
    "broadcast": ("shape",),
    "convert": ("dtype",),
    "iota": ("shape", "dtype"),
    "reshape": ("shape",),
}
"""Attributes that are the shape or dtype of the result."""

EMPTY_BY_DEFAULT: dict[str, tuple[str, ...]] = {"dot_general": ("lhs_batch", "rhs_batch")}
"""Attributes left out where they are ()."""

_PREFIX = "lz."


# -- to text -----------------------------------------------------------------------------
def graph_to_module(*graphs: Graph) -> ir.Module:
    """A module with one function for each graph, named for it.

    >>> from lazir.compiler.graph import Builder
    >>> from lazir.compiler.mlir.printer import print_module
    >>> from lazir.compiler.ops.arithmetic import neg
    >>> from lazir.compiler.types import f32, tensor
    >>> b = Builder(name="flip")
    >>> x = b.param(tensor(f32, 2), "x")
    >>> print(print_module(graph_to_module(b.graph([neg(b, x)]))), end="")
    func.func @flip(%x: tensor<2xf32>) -> tensor<2xf32> {
      %0 = "lz.neg"(%x) : (tensor<2xf32>) -> tensor<2xf32>
      return %0 : tensor<2xf32>
    }
    """
    return ir.Module([_function(g) for g in graphs])


def node_text(node: Node) -> str:
    """One node as text, its operands named by number."""
    operands = [ir.Value(_shown(v.type)) for v in node.inputs]
    return print_op(_op(node, operands, ()))


def _shown(type: TensorType) -> Type:
    return token if type.dtype is token else type


def _function(graph: Graph) -> ir.Op:
    types = [_shown(t) for t in graph.param_types]
    results = [_shown(t) for t in graph.result_types]
    made = ir.function(graph.name, types, results, hints=graph.param_names)
    _fill(made.regions[0], graph, "func.return")
    return made


def _fill(block: ir.Block, graph: Graph, terminator: str) -> None:
    """Append the graph's nodes and its terminator to a block whose arguments are its parameters."""
    values: dict[Value, ir.Value] = dict(zip(graph.params, block.args, strict=True))
    for node in graph.nodes:
        op = _op(node, [values[v] for v in node.inputs], graph.locs.get(node, ()))
        values.update(zip(node.results, op.results))
        block.ops.append(op)
    block.ops.append(ir.Op(terminator, [values[r] for r in graph.results]))


def _op(node: Node, operands: Sequence[ir.Value], locs: tuple[ir.Loc, ...]) -> ir.Op:
    regions = []
    for name in REGIONS.get(node.op, ()):
        bodies = node.attrs[name]
        for body in bodies if isinstance(bodies, tuple) else (bodies,):
            block = ir.Block(
                [ir.Value(_shown(t), n) for t, n in zip(body.param_types, body.param_names)]
            )
            _fill(block, body, _PREFIX + "yield")
            regions.append(block)
    types = [_shown(t) for t in node.types]
    return ir.Op(_PREFIX + node.op, operands, types, _written(node), regions, locs)


def _written(node: Node) -> dict[str, Any]:
    attrs = {}
    for name, value in node.attrs.items():
        if name in REGIONS.get(node.op, ()) or name in SAID_BY_TYPE.get(node.op, ()):
            continue
        if name in EMPTY_BY_DEFAULT.get(node.op, ()) and value == ():
            continue
        attrs[name] = _to_text(value)
    return attrs


def _to_text(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    if all(isinstance(v, bool) for v in value):
        return value
    if all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in value):
        return value
    return [_to_text(v) for v in value]


# -- from text ---------------------------------------------------------------------------
def module_to_graph(module: ir.Module, name: str | None = None) -> Graph:
    """The Graph of the function called `name`, by default the module's first.

    KeyError where there is no such function; VerifyError for what is no lz op, or is written with
    other attributes or types than the op has.
    """
    if name is None:
        functions = module.functions()
        if not functions:
            raise KeyError("the module has no function")
        function = functions[0]
    else:
        function = module.function(name)
    return _graph(function.attrs["sym_name"], function.regions[0], "func.return")


def _graph(name: str, block: ir.Block, terminator: str) -> Graph:
    b = Builder(name=name)
    values: dict[ir.Value, Value] = {a: b.param(_tensor(a.type), a.hint) for a in block.args}
    if not block.ops or block.ops[-1].name != terminator:
        raise VerifyError(f"@{name} must end with {terminator}")
    for op in block.ops[:-1]:
        values.update(zip(op.results, _node(b, op, values).results))
    return b.graph([_operand(op, v, values) for op in block.ops[-1:] for v in op.operands])


def _node(b: Builder, op: ir.Op, values: Mapping[ir.Value, Value]) -> Node:
    name = op.name.removeprefix(_PREFIX)
    if not op.name.startswith(_PREFIX) or name not in OPS:
        raise _error(op, f"{op.name} is no op of the lz dialect")
    inputs = tuple(_operand(op, v, values) for v in op.operands)
    attrs = _attributes(name, op)
    types = infer(name, tuple(v.type for v in inputs), attrs, op)
    written = tuple(_tensor(r.type) for r in op.results)
    if types != written:
        raise _error(
            op,
            f"{op.name} is written with the result types ({', '.join(map(str, written))}), but its "
            f"operands and attributes give ({', '.join(map(str, types))})",
        )
    return b.add(name, inputs, attrs, types, op.locs)


def infer(
    name: str, types: tuple[TensorType, ...], attrs: Mapping[str, Any], shown: ir.Op
) -> tuple[TensorType, ...]:
    """The result types that the op's record gives; else VerifyError, with the op as `shown`."""
    try:
        return OPS[name].infer(types, attrs)
    except LazirError as error:
        raise _error(shown, error.message) from None
    except KeyError as error:
        raise _error(shown, f"{name} needs the attribute {error}") from None
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise _error(shown, f"{name} does not take these attributes: {error}") from None


def _error(op: ir.Op, message: str) -> VerifyError:
    return VerifyError(f"{message}\n  in: {print_op(op)}", op.locs[0] if op.locs else None)


def _operand(op: ir.Op, value: ir.Value, values: Mapping[ir.Value, Value]) -> Value:
    if value not in values:
        raise _error(op, "an operand comes from outside of the region; pass it in as an operand")
    return values[value]


def _tensor(type: Type) -> TensorType:
    if type is token:
        return TensorType((), token)
    if not isinstance(type, TensorType):
        raise VerifyError(f"a graph holds tensors, not {type}; write a scalar as tensor<f32>")
    return type


def _attributes(name: str, op: ir.Op) -> dict[str, Any]:
    attrs = {key: _from_text(value) for key, value in op.attrs.items()}
    bodies = [_graph(name, block, _PREFIX + "yield") for block in op.regions]
    labels = REGIONS.get(name, ())
    if labels == ("branches",):
        attrs["branches"] = tuple(bodies)
    elif len(labels) == len(bodies):
        attrs.update(zip(labels, bodies))
    else:
        raise _error(op, f"{op.name} has {len(labels)} regions ({', '.join(labels)})")
    result = _tensor(op.results[0].type) if op.results else None
    for key in SAID_BY_TYPE.get(name, ()):
        if result is not None:
            attrs.setdefault(key, getattr(result, key))
    for key in EMPTY_BY_DEFAULT.get(name, ()):
        attrs.setdefault(key, ())
    return attrs


def _from_text(value: Any) -> Any:
    return tuple(map(_from_text, value)) if isinstance(value, list) else value
