"""Takes complex numbers apart: behind it only the borders of the program are complex.

    mul(z, w)   →   z and w as (a, b), (c, d):  (ac − bd, ad + bc)

A complex parameter is seen as real pairs (`as_pairs`), a complex result is made of them
(`from_pairs`): the same bytes, so that neither costs anything. Bodies of control flow take and give
the two parts apart. The passes after it and fusion count on it: it cannot be left out.
Takes and gives: Graph. Must not know: what an op does with the parts (`OpDef.parts` says it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..errors import TypeRuleError
from ..graph import Builder, Graph, Node, Value
from ..mlir.ir import Loc
from ..opdef import OPS, Pair, Part
from ..ops.pairs import stacked, unstacked
from ..rewrite import has_bodies, map_bodies
from ..types import TensorType

COUNTS = ("n", "n_const", "n_carry")
"""Attributes of control flow that count operands, one behind the other."""


def split_complex(graph: Graph) -> Graph:
    """`graph` with complex parameters and results, and real values between them."""
    if not any(_has_complex(g) for g in graph.walk()):
        return graph
    b = Builder(name=graph.name)
    values: dict[Value, Part] = {}
    for param, name in zip(graph.params, graph.param_names):
        made = b.param(param.type, name)
        complex_ = param.type.dtype.is_complex
        values[param] = unstacked(b, OPS["as_pairs"](b, made)) if complex_ else made
    _write(b, graph, values)
    return b.graph([_whole(b, values[r]) for r in graph.results])


def _whole(b: Builder, x: Part) -> Value:
    """A result: where it is a parameter's own pairs, the parameter."""
    if isinstance(x, Value):
        return x
    pairs = stacked(b, x)
    return pairs.node.inputs[0] if pairs.op == "as_pairs" else OPS["from_pairs"](b, pairs)


def _split_body(body: Graph) -> Graph:
    """A body whose complex parameters and results are two real ones each."""
    b = Builder(name=body.name)
    values: dict[Value, Part] = {}
    for param, name in zip(body.params, body.param_names):
        types = _part_types(param.type)
        parts = [b.param(t, name) for t in types]
        values[param] = Pair(*parts) if len(parts) == 2 else parts[0]
    _write(b, body, values)
    return b.graph(_flat(values[r] for r in body.results))


def _write(b: Builder, graph: Graph, values: dict[Value, Part]) -> None:
    for node in graph.nodes:
        b.current = graph.locs.get(node, ())
        xs = [values[v] for v in node.inputs]
        rule = _rule(node, b.current[0] if b.current else None)
        if rule is None:
            results: Sequence[Part] = b.add(
                node.op, tuple(_reals(xs)), node.attrs, node.types, b.current
            ).results
        else:
            results = rule(b, node, xs)
        values.update(zip(node.results, results, strict=True))


def _rule(
    node: Node, loc: Loc | None
) -> Callable[[Builder, Node, Sequence[Part]], Sequence[Part]] | None:
    """How a node that has to do with complex numbers is written; None for one that has not."""
    if has_bodies(node):
        return _control
    if not any(t.dtype.is_complex for t in (*node.types, *(v.type for v in node.inputs))):
        return None
    rule = OPS[node.op].parts
    if rule is None:
        raise TypeRuleError(
            f"{node.op} does not take complex numbers; give it their .real and .imag", loc
        )
    return rule


def _control(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    """A node with bodies, or one that only passes values on: complex operands are two each."""
    attrs = dict(map_bodies(node, _split_body))
    first = 0
    for name in COUNTS:
        if name in attrs:
            mine = xs[first : first + attrs[name]]
            first += attrs[name]
            attrs[name] = len(_flat(mine))
    made = iter(OPS[node.op].many(b, *_flat(xs), **attrs))
    return [Pair(next(made), next(made)) if t.dtype.is_complex else next(made) for t in node.types]


def _flat(xs: Iterable[Part]) -> list[Value]:
    return [value for x in xs for value in (x if isinstance(x, Pair) else (x,))]


def _reals(xs: Sequence[Part]) -> list[Value]:
    assert not any(isinstance(x, Pair) for x in xs)
    return _flat(xs)


def _part_types(type: TensorType) -> tuple[TensorType, ...]:
    part = TensorType(type.shape, type.dtype.part)
    return (part, part) if type.dtype.is_complex else (type,)


def _has_complex(graph: Graph) -> bool:
    types = (*graph.param_types, *(t for node in graph.nodes for t in node.types))
    return any(t.dtype.is_complex for t in types)
