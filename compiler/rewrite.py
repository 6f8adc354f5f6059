"""Rewriting: rules as data, and the one driver that applies them until nothing changes.

Takes: a Graph and rules, or a function that replaces nodes. Gives: a Graph; the same one where
nothing changed. Nodes that nothing touches are not made again. Must not know: any particular rule.

A rule is a left side (a pattern), a right side (a pattern, or a function that builds it and may
decline with None), and maybe a condition. Bodies of control-flow ops are rewritten too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .errors import LazirError
from .graph import Builder, Graph, Node, Value, attributes_key
from .mlir.ir import Loc
from .opdef import OPS
from .ops.source import bf16_bits, constant
from .types import DType, TensorType, bf16

STEPS_PER_NODE = 64
"""Rule applications allowed per node of a graph; more mean that the rules go in circles."""

DEPTH = 40
"""How deep one replacement may lead to others before the rest is left to the next sweep."""

SWEEPS = 16


class ConvergenceError(LazirError):
    """Rules that never come to rest: a mistake in a rule."""


# -- patterns ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Var:
    """Any value; the same one wherever the name stands again."""

    name: str


@dataclass(frozen=True)
class Is:
    """A constant, or the broadcast of one: every element is `value` in its dtype, bit for bit."""

    value: int | float


@dataclass(frozen=True)
class Pattern:
    """A node of the op `op`. On the left `name` binds the node; on the right `attrs` are given."""

    op: str
    args: tuple[Side, ...]
    name: str = ""
    attrs: Mapping[str, Any] | None = None


Side: TypeAlias = Var | Is | Pattern


def op(name: str) -> Callable[..., Pattern]:
    """`mul = op("mul")`, so that `mul(x, y)` is a pattern; `node=` names the node it matches.

    >>> op("neg")(Var("x"))
    Pattern(op='neg', args=(Var(name='x'),), name='', attrs=None)
    """

    def pattern(*args: Side, node: str = "", **attrs: Any) -> Pattern:
        return Pattern(name, args, node, attrs or None)

    return pattern


class Match:
    """What the names of a left side stand for; on the right side also the builder."""

    __slots__ = ("bound", "builder", "root")

    def __init__(self, builder: Rewriter, root: Node) -> None:
        self.builder = builder
        self.root = root
        self.bound: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Value:
        return self.bound[name]  # type: ignore[no-any-return]

    def node(self, name: str) -> Node:
        return self.bound[name]  # type: ignore[no-any-return]

    def attrs(self, name: str = "") -> Mapping[str, Any]:
        """The attributes of the node bound to `name`, by default of the root."""
        return (self.node(name) if name else self.root).attrs

    def make(self, name: str, *inputs: Value, **attrs: Any) -> Value:
        """A node, itself rewritten where a rule applies."""
        return self.builder.make_one(name, inputs, attrs)


@dataclass(frozen=True)
class Rule:
    """`label` says what it does in the manner of algebra: `x * 1 = x`. `all_of`: an op that every
    operand must be of, for a pattern that names no operands."""

    label: str
    left: Pattern
    right: Side | Callable[[Match], Value | None]
    when: Callable[[Match], bool] | None = None
    all_of: str = ""


def uniform(value: Value) -> np.ndarray[Any, Any] | None:
    """The one number that every element of `value` is known to be (0-d; bf16 as bits), or None."""
    node = value.node
    if node.op == "broadcast":
        node = node.inputs[0].node
    if node.op != "constant":
        return None
    data: np.ndarray[Any, Any] = node.attrs["value"].data
    return data.reshape(()) if data.size == 1 else None


@lru_cache(maxsize=256)
def _bits(number: float, kind: str, negative: bool, dtype: DType) -> bytes:
    with np.errstate(all="ignore"):
        if dtype is bf16:
            return bf16_bits(np.asarray(number, np.float32)).tobytes()
        return np.asarray(number).astype(dtype.numpy).tobytes()


def is_number(value: Value, number: int | float) -> bool:
    """Whether every element of `value` is `number` in its dtype, bit for bit."""
    known = uniform(value)
    return known is not None and known.tobytes() == _bits(*_number_key(number), value.type.dtype)


def _number_key(number: int | float) -> tuple[float, str, bool]:
    """A number with what Python's equality does not see: -0.0 is not 0."""
    return number, type(number).__name__, str(number).startswith("-")


def _match(pattern: Side, value: Value, m: Match) -> bool:
    if isinstance(pattern, Var):
        return bool(m.bound.setdefault(pattern.name, value) == value)
    if isinstance(pattern, Is):
        return is_number(value, pattern.value)
    return value.node.op == pattern.op and _match_node(pattern, value.node, m)


def _match_node(pattern: Pattern, node: Node, m: Match) -> bool:
    if pattern.name:
        m.bound[pattern.name] = node
    if len(pattern.args) != len(node.inputs):
        return not pattern.args  # a pattern without operands takes any
    if len(node.inputs) == 2 and OPS[node.op].facts.commutative:
        before = dict(m.bound)
        if _match_all(pattern.args, node.inputs, m):
            return True
        m.bound = before
        return _match_all(pattern.args, node.inputs[::-1], m)
    return _match_all(pattern.args, node.inputs, m)


def _match_all(patterns: Sequence[Side], values: Sequence[Value], m: Match) -> bool:
    return all(_match(p, v, m) for p, v in zip(patterns, values))


# -- editing -----------------------------------------------------------------------------
class Editor(Builder):
    """A Builder that goes on with the nodes and parameters of an existing graph."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(name=graph.name)
        self.graph_in = graph
        self.params = list(graph.params)
        self.param_names = list(graph.param_names)
        self.locs = dict(graph.locs)
        self.fresh: set[Node] = set()
        self._filled = False

    def add(
        self,
        op: str,
        inputs: tuple[Value, ...],
        attrs: Mapping[str, Any],
        types: tuple[TensorType, ...],
        locs: tuple[Loc, ...] = (),
    ) -> Node:
        if not self._filled:
            self._filled = True
            for node in self.graph_in.nodes:
                self._nodes[(node.op, node.inputs, attributes_key(node.attrs), node.types)] = node
        key = (op, inputs, attributes_key(attrs), types)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = Node(op, inputs, attrs, types)
            self.fresh.add(found)
        if locs:
            self._note(found, locs)
        return found

    def edit(self, replace: Callable[[Node, tuple[Value, ...]], Sequence[Value] | None]) -> Graph:
        """The graph with `replace(node, inputs)` in place of each node's results (None: as is)."""
        graph = self.graph_in
        changed: dict[Value, Value] = {}
        for node in graph.nodes:
            inputs = node.inputs
            for v in inputs:
                if v in changed:
                    inputs = tuple(changed.get(v, v) for v in inputs)
                    break
            self.current = graph.locs.get(node, ())
            outs = replace(node, inputs)
            if outs is None:
                if inputs is node.inputs:
                    continue
                outs = self.add(node.op, inputs, node.attrs, node.types, self.current).results
            for k, out in enumerate(outs):
                before = Value(node, k)
                if out != before:
                    changed[before] = out
        if not changed:
            return graph
        return self.graph([changed.get(r, r) for r in graph.results])


def map_bodies(node: Node, change: Callable[[Graph], Graph]) -> Mapping[str, Any]:
    """The node's attributes with `change` applied to their Graphs; the same if none changes."""
    fresh: dict[str, Any] = {}
    for name, value in node.attrs.items():
        if isinstance(value, Graph):
            made: Any = change(value)
            if made is not value:
                fresh[name] = made
        elif isinstance(value, tuple) and value and isinstance(value[0], Graph):
            bodies = tuple(change(g) for g in value)
            if any(a is not b for a, b in zip(bodies, value)):
                fresh[name] = bodies
    return {**node.attrs, **fresh} if fresh else node.attrs


def has_bodies(node: Node) -> bool:
    """Whether an attribute of the node is a Graph."""
    return OPS[node.op].family == "control"


def everywhere(change: Callable[[Graph], Graph]) -> Callable[[Graph], Graph]:
    """The pass that applies `change` to a graph and, before it, to all bodies in it."""

    def apply(graph: Graph) -> Graph:
        if any(has_bodies(n) for n in graph.nodes):
            editor = Editor(graph)

            def inside(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
                if not has_bodies(node):
                    return None
                attrs = map_bodies(node, apply)
                if attrs is node.attrs:
                    return None
                return editor.add(node.op, inputs, attrs, node.types, editor.current).results

            graph = editor.edit(inside)
        return change(graph)

    return apply


# -- the driver --------------------------------------------------------------------------
class RuleSet:
    """Rules by the op of their root, and by what can be told of a node at a glance."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._entries: dict[str, list[tuple[Rule, Glance]]] = {}
        for rule in rules:
            self._entries.setdefault(rule.left.op, []).append((rule, _glance(rule)))
        self._some: dict[str, frozenset[str] | None] = {}
        for name, entries in self._entries.items():
            needs = [g.some for _, g in entries]
            known = [n for n in needs if n is not None]
            self._some[name] = frozenset().union(*known) if len(known) == len(needs) else None

    def candidates(self, name: str, inputs: Sequence[Value]) -> list[Rule]:
        """The rules worth trying on a node: most nodes have none."""
        entries = self._entries.get(name)
        if entries is None:
            return []
        some = self._some[name]
        if some is not None:
            for v in inputs:
                if v.node.op in some:
                    break
            else:
                return []
        kinds = {v.node.op for v in inputs}
        numbers: set[bytes] | None = None
        found = []
        for rule, glance in entries:
            if glance.some is not None and kinds.isdisjoint(glance.some):
                continue
            if glance.every is not None and kinds != glance.every:
                continue
            if glance.alike and inputs[0] != inputs[1]:
                continue
            if glance.number is not None:
                if numbers is None:
                    numbers = _numbers(inputs)
                if _bits(*glance.number, inputs[-1].type.dtype) not in numbers:
                    continue
            found.append(rule)
        return found


class Glance(NamedTuple):
    """What must hold of a node's operands for a rule to match: one is of an op in `some`, all are
    of the one op in `every`, the first two are `alike`, one of them is all `number`."""

    some: frozenset[str] | None
    every: frozenset[str] | None
    alike: bool
    number: tuple[float, str, bool] | None


_CONSTANT = frozenset({"constant", "broadcast"})


def _glance(rule: Rule) -> Glance:
    args = rule.left.args
    every = frozenset({rule.all_of}) if rule.all_of else None
    kinds = [frozenset({a.op}) for a in args if isinstance(a, Pattern)]
    numbers = [a.value for a in args if isinstance(a, Is)]
    some = kinds[0] if kinds else _CONSTANT if numbers else every
    alike = len(args) == 2 and isinstance(args[0], Var) and args[0] == args[1]
    # A number among operands of another dtype (a condition) is left to the pattern.
    plain = bool(numbers) and rule.left.op != "select"
    return Glance(some, every, alike, _number_key(numbers[0]) if plain else None)


def _numbers(values: Sequence[Value]) -> set[bytes]:
    known = (uniform(v) for v in values)
    return {n.tobytes() for n in known if n is not None}


class Rewriter(Editor):
    """Makes nodes as a Builder does, but in the form that the rules leave."""

    def __init__(self, graph: Graph, rules: RuleSet) -> None:
        super().__init__(graph)
        self.rules = rules
        self.steps = 0
        self.limit = STEPS_PER_NODE * (len(graph.nodes) + 16)
        self.depth = 0
        self.unfinished = False

    def make_one(self, name: str, inputs: tuple[Value, ...], attrs: Mapping[str, Any]) -> Value:
        """The first result of a node with inferred types."""
        types = OPS[name].infer(tuple(v.type for v in inputs), attrs)
        tried = self.rules.candidates(name, inputs)
        if tried:
            found = self.first(tried, Node(name, inputs, attrs, types))
            if found is not None:
                return found
        return self.add(name, inputs, attrs, types, self.current).result

    def number(self, number: int | float, type: TensorType) -> Value:
        """A constant with this value in every element."""
        return constant(self, number, type.dtype, type.shape)

    def first(self, rules: Sequence[Rule], node: Node) -> Value | None:
        """What the first rule that applies makes of a node that is not entered yet, or None."""
        if self.depth >= DEPTH:
            self.unfinished = True
            return None
        self.depth += 1
        try:
            for rule in rules:
                found = self._apply(rule, node)
                if found is not None:
                    return found
        finally:
            self.depth -= 1
        return None

    def _apply(self, rule: Rule, node: Node) -> Value | None:
        m = Match(self, node)
        if not _match_node(rule.left, node, m) or (rule.when is not None and not rule.when(m)):
            return None
        found = rule.right(m) if callable(rule.right) else self._build(rule.right, m)
        if found is None:
            return None
        if found.type != node.types[0]:
            raise ConvergenceError(f"the rule {rule.label} turns {node.types[0]} into {found.type}")
        self.steps += 1
        if self.steps > self.limit:
            raise ConvergenceError(f"rules do not come to rest in {self.name}; last: {rule.label}")
        return found

    def _build(self, side: Side, m: Match) -> Value:
        if isinstance(side, Var):
            return m[side.name]
        if isinstance(side, Is):
            return self.number(side.value, m.root.types[0])
        inputs = tuple(self._build(arg, m) for arg in side.args)
        return self.make_one(side.op, inputs, side.attrs or {})


def apply_rules(graph: Graph, rules: RuleSet) -> Graph:
    """`graph` (not its bodies) in the form that no rule changes; ConvergenceError without one."""
    for _ in range(SWEEPS):
        rewriter = Rewriter(graph, rules)

        def replace(
            node: Node, inputs: tuple[Value, ...], rewriter: Rewriter = rewriter
        ) -> Sequence[Value] | None:
            tried = rules.candidates(node.op, inputs)
            if not tried:
                return None
            here = node if inputs is node.inputs else Node(node.op, inputs, node.attrs, node.types)
            found = rewriter.first(tried, here)
            return None if found is None else [found]

        graph = rewriter.edit(replace)
        # What is made is made in its final form, operands first; only depth leaves work behind.
        if not rewriter.unfinished:
            return graph
    raise ConvergenceError(f"rules still change {graph.name} after {SWEEPS} sweeps")
