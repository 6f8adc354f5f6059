"""A Python function as a Graph, for transforms: traced where a trace is active, recorded where not.

Takes: a function and tensors. Gives: `Staged`: the Graph, the values of its parameters where the
transform was called, and `emit`, which puts a transformed Graph there.
Must not know: what the transform does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lazir.compiler.autodiff.reach import reordered
from lazir.compiler.graph import Builder, Graph, Node, Value
from lazir.compiler.types import DType, TensorType

from . import tree
from .apply import convert, lift, operand, tensor, value_of
from .handle import Handle, wrap
from .lazy import FUNCTIONAL, LAZY, LazyNode, Recording, alias, cone, record
from .tokens import current_token, follow, gathering, is_token
from .trace import TraceBuilder, active, builder, close_body, lazy_value, tracing
from .tree import Structure


class Staged(NamedTuple):
    """`graph` has the parameters captures, then leaves; `operands` are their values outside.

    `out`: the structure of what the function returned; `fixed`: its leaves that are no tensors, by
    position; the others are the graph's results in order. `recording`: the lazy nodes, if recorded.
    """

    graph: Graph
    operands: list[Value]
    n_captures: int
    out: Structure
    fixed: dict[int, Any]
    recording: Recording | None

    @property
    def leaf_count(self) -> int:
        """How many parameters are leaves."""
        return len(self.operands) - self.n_captures

    def flags(self, of_leaves: Sequence[bool]) -> list[bool]:
        """Flags for all parameters from those of the leaves."""
        return [False] * self.n_captures + list(of_leaves)

    @property
    def has_effects(self) -> bool:
        """Whether the graph's last result is a token."""
        return bool(self.graph.results) and is_token(self.graph.results[-1])

    def rebuild(self, results: Sequence[Any]) -> Any:
        """What the function returned, with other tensors."""
        rest = iter(results)
        count = self.out.leaf_count
        return tree.unflatten(
            self.out, [self.fixed[k] if k in self.fixed else next(rest) for k in range(count)]
        )

    def emit(self, graph: Graph, extra: Sequence[Value] = ()) -> list[Value]:
        """The results of a Graph over these operands and `extra` ones, in the current builder.

        A token among them is what the next effect follows.
        """
        operands = [*self.operands, *extra]
        if self.recording is not None and builder() is LAZY:
            found = _emit_recorded(self, graph, operands)
        else:
            found = emit(graph, operands)
        follow(found)
        return found


def emit(graph: Graph, operands: Sequence[Value]) -> list[Value]:
    """The results of a Graph over operands, in the current builder."""
    mapping = dict(zip(graph.params, operands, strict=True))
    return builder().inline(graph.results, mapping, graph.locs)


def tensors(values: Sequence[Value]) -> list[Any]:
    """Tensors on values."""
    return [tensor(v) for v in values]


def stage(
    fn: Callable[[Sequence[Any]], Any],
    leaves: Sequence[Any],
    *,
    types: Sequence[TensorType] | None = None,
    weak: Sequence[bool] = (),
    name: str = "function",
) -> Staged:
    """Run `fn` on stand-ins for the tensors `leaves`.

    With `types` the stand-ins have those types and the function is always traced (its leaves'
    values are of no use to it); without, it is traced inside a trace and recorded lazily outside.
    """
    if types is not None or active() is not None:
        kinds = types if types is not None else [value_of(x).type for x in leaves]
        loose = weak or [types is None and x._weak for x in leaves]
        outer = [value_of(x) for x in leaves] if leaves else []
        return _traced(fn, outer, kinds, loose, name)
    return _recorded(fn, leaves, name)


def _split_results(out: Any) -> tuple[Structure, list[Value], dict[int, Any], list[bool]]:
    leaves, structure = tree.flatten(out)
    values: list[Value] = []
    fixed: dict[int, Any] = {}
    weak: list[bool] = []
    for k, x in enumerate(leaves):
        try:
            found = operand(x)
        except TypeError:
            fixed[k] = x
            continue
        values.append(lift(found))
        weak.append(found.weak)
    return structure, values, fixed, weak


class TracedBody(NamedTuple):
    """A function traced on placeholders: a Graph whose first parameters are `captures`.

    `out`, `fixed`: see Staged. `weak`: which results have a weak dtype. `made`: the dtypes that the
    function itself gave, before any conversion. With `effects` the first capture is the current
    token, and the graph's last result is the next one.
    """

    graph: Graph
    captures: list[Value]
    out: Structure
    fixed: dict[int, Any]
    weak: list[bool]
    made: list[DType]
    effects: bool

    @property
    def types(self) -> tuple[TensorType, ...]:
        """The types of the results, the token left out."""
        return self.graph.result_types[: len(self.made)]


def trace_body(
    fn: Callable[[Sequence[Any]], Any],
    types: Sequence[TensorType],
    weak: Sequence[bool] = (),
    name: str = "body",
    targets: Sequence[DType] | None = None,
) -> TracedBody:
    """Trace `fn` on placeholders of these types; `targets` are dtypes to convert its results to."""
    inner = TraceBuilder(active(), name, is_body=True)
    params = [inner.param(t) for t in types]
    loose = weak or [False] * len(params)
    holders = [wrap(p, w) for p, w in zip(params, loose)]
    with tracing(inner):
        structure, values, fixed, loose_results = _split_results(fn(holders))
        made = [v.type.dtype for v in values]
        if targets is not None and len(targets) == len(values):
            values = [convert(v, t) for v, t in zip(values, targets)]
        if inner.token is not None:
            values = [*values, inner.token]
        body = close_body(inner, values)
    graph, captures = body
    if inner.token is not None:  # its parameter is the last one
        places = [len(graph.params) - 1, *range(len(graph.params) - 1)]
        graph, captures = reordered(graph, places), [current_token(), *captures]
    effects = inner.token is not None
    return TracedBody(graph, captures, structure, fixed, loose_results, made, effects)


def aligned(bodies: Sequence[tuple[Graph, Sequence[Value]]]) -> tuple[list[Value], list[Graph]]:
    """Bodies with their captures, rebuilt so that all take the same captures first."""
    captures = list(dict.fromkeys(v for _, held in bodies for v in held))
    graphs = []
    for graph, held in bodies:
        b = Builder(name=graph.name)
        common = {v: b.param(v.type, "captured") for v in captures}
        mapping = {p: common[v] for p, v in zip(graph.params, held)}
        for p, label in list(zip(graph.params, graph.param_names))[len(held) :]:
            mapping[p] = b.param(p.type, label)
        graphs.append(b.graph(b.inline(graph.results, mapping, graph.locs)))
    return captures, graphs


def _traced(
    fn: Any, outer: list[Value], types: Sequence[TensorType], weak: Sequence[bool], name: str
) -> Staged:
    body = trace_body(fn, types, weak, name)
    return Staged(
        body.graph, [*body.captures, *outer], len(body.captures), body.out, body.fixed, None
    )


def _recorded(fn: Any, leaves: Sequence[Any], name: str) -> Staged:
    outer = [lazy_value(x) for x in leaves]
    stand_ins = [alias(v, FUNCTIONAL) for v in outer]
    with gathering() as frame:
        out = fn([wrap_stand_in(n, x) for n, x in zip(stand_ins, leaves)])
        structure, values, fixed, _ = _split_results(out)
    if frame.token is not None:
        values.append(frame.token)
    own = set(stand_ins)
    oldest = min((n.serial for n in stand_ins), default=0)

    def stop(node: LazyNode) -> bool:
        return node in own or not node.tracked & FUNCTIONAL or node.serial < oldest

    found = record(cone(values, stop), values, stop, name)
    place = {v: p for v, p in zip(found.inputs, found.graph.params)}
    captures = [v for v in found.inputs if v.node not in own]
    spare = Builder(name="unused")
    params = [place[v] for v in captures]
    params += [place.get(n.result) or spare.param(n.types[0]) for n in stand_ins]
    graph = Graph(name, params, found.graph.results, found.graph.locs)
    recording = Recording(graph, found.inputs, found.mapping)
    return Staged(graph, [*captures, *outer], len(captures), structure, fixed, recording)


def wrap_stand_in(node: LazyNode, original: Handle) -> Any:
    """The tensor that a function under a transform gets for an argument."""
    return wrap(node.result, original._weak)


def _emit_recorded(staged: Staged, graph: Graph, operands: Sequence[Value]) -> list[Value]:
    """As `emit`, with what was computed while the function ran (for a Python `if`) not computed
    again.
    """
    assert staged.recording is not None
    data: dict[Value, LazyNode] = {}
    for lazy, value in staged.recording.mapping.items():
        node: Any = lazy.node
        if node.data is not None and node.op not in ("param", "alias") and value.op != "param":
            data[value] = node
    if not data:
        return emit(graph, operands)
    shared = Builder(name="shared")
    params = [shared.param(p.type) for p in graph.params]
    mapping = dict(zip(staged.graph.params, params))
    shared.inline(list(data), mapping)
    known: dict[Node, LazyNode] = {mapping[v].node: node for v, node in data.items()}
    ends = shared.inline(graph.results, dict(zip(graph.params, params)), graph.locs)

    def reuse(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Any:
        old = known.get(node)
        if old is None:
            return None
        new = LazyNode(node.op, inputs, node.attrs, node.types, old.locs)
        new.data = old.data
        if not new.tracked:
            new.inputs = ()
        return new.results

    return LAZY.inline(ends, dict(zip(params, operands)), shared.locs, reuse)


def as_leaves(trees: Any) -> tuple[list[Any], Structure]:
    """The leaves of a tree of operands as tensors."""
    leaves, structure = tree.flatten(trees)
    return [x if isinstance(x, Handle) else _tensor(x) for x in leaves], structure


def _tensor(x: Any) -> Any:
    found = operand(x)
    return tensor(lift(found), found.weak)
