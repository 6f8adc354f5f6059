"""What is known of the integers in a Graph: for each value an interval that holds its elements.

Takes: a Graph, what is known of its parameters. Gives: `Ranges`, which answers for a value and for
the parameters of the bodies in it: a loop's counter lies between its bounds.
Sound for every input: sums that may wrap know nothing. Must not know: who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from . import intervals as iv
from .graph import Graph, Node, Value
from .intervals import Interval

Known: TypeAlias = "Interval | None"
"""What is known of one value; None for floats, and where nothing is."""
Facts: TypeAlias = dict[Value, Interval]
Ask: TypeAlias = Callable[[Value], Interval]


class Ranges:
    """The intervals of one graph's values, found when the first question comes.

    `params` gives what is known of the parameters; it is asked at most once.
    """

    def __init__(self, graph: Graph, params: Callable[[], Sequence[Known]] | None = None) -> None:
        self.graph = graph
        self._params = params
        self._facts: Facts | None = None

    @property
    def facts(self) -> Facts:
        """All values of which something is known."""
        if self._facts is None:
            self._facts = facts_of(self.graph, self._params() if self._params else ())
        return self._facts

    def of(self, value: Value) -> Interval:
        """The interval of an integer or bool value."""
        return self.facts.get(value) or iv.full(value.type.dtype)

    def again(self, graph: Graph) -> Ranges:
        """The same of a graph that stands in this one's place."""
        return self if graph is self.graph else Ranges(graph, self._params)

    def inside(self, node: Node, label: str, number: int = 0) -> Ranges:
        """The intervals in a body of a control node of this graph: the attribute `label`, of
        several bodies the one of that number."""
        found = node.attrs[label]
        body: Graph = found if isinstance(found, Graph) else found[number]
        return Ranges(body, lambda: _entry(node, label, number, self.of))


def facts_of(graph: Graph, params: Sequence[Known] = ()) -> Facts:
    """The intervals of a graph's integer values, of which something is known."""
    facts: Facts = {}
    for param, known in zip(graph.params, params):
        if known is not None:
            facts[param] = known

    def ask(value: Value) -> Interval:
        return facts.get(value) or iv.full(value.type.dtype)

    for node in graph.nodes:
        if node.op in _CONTROL:
            for value, known in zip(node.results, _CONTROL[node.op](node, ask)):
                if known is not None:
                    facts[value] = known
        elif len(node.types) == 1 and _counts(node.result):
            known = interval_of(node, ask)
            if known is not None:
                facts[node.result] = iv.within(known, node.types[0].dtype)
    return facts


def _counts(value: Value) -> bool:
    dtype = value.type.dtype
    return (dtype.is_integer or dtype.is_bool) and value.type.size > 0


def interval_of(node: Node, ask: Ask) -> Known:
    """The interval of a node's (first) result as an unbounded integer."""
    rule = RULES.get(node.op)
    return None if rule is None else rule(node, ask)


# -- one node -------------------------------------------------------------------------------------
def _of_two(function: Callable[[Interval, Interval], Known]) -> Callable[[Node, Ask], Known]:
    return lambda node, ask: function(ask(node.inputs[0]), ask(node.inputs[1]))


def _compares(predicate: str) -> Callable[[Node, Ask], Known]:
    def rule(node: Node, ask: Ask) -> Known:
        a, b = node.inputs
        if not _counts(a):
            return None
        return iv.compare(predicate, ask(a), ask(b))

    return rule


def _joins(*which: int) -> Callable[[Node, Ask], Known]:
    """The interval around some operands (without numbers: around all)."""

    def rule(node: Node, ask: Ask) -> Known:
        parts = [node.inputs[k] for k in which] if which else node.inputs
        return iv.join(*(ask(v) for v in parts if v.type.size))

    return rule


def _logic(of_bools: Callable[[int, int], int], otherwise: object) -> Callable[[Node, Ask], Known]:
    """A bitwise op: on bools by the ends, as it grows with both."""

    def rule(node: Node, ask: Ask) -> Known:
        a, b = ask(node.inputs[0]), ask(node.inputs[1])
        if node.types[0].dtype.is_bool:
            return of_bools(a[0], b[0]), of_bools(a[1], b[1])
        return otherwise(a, b)  # type: ignore[operator,no-any-return]

    return rule


def _xor(node: Node, ask: Ask) -> Known:
    a, b = ask(node.inputs[0]), ask(node.inputs[1])
    if node.types[0].dtype.is_bool:
        return iv.compare("ne", a, b)
    return iv.bits_or(a, b)


def _not(node: Node, ask: Ask) -> Known:
    low, high = ask(node.inputs[0])
    return (1 - high, 1 - low) if node.types[0].dtype.is_bool else (-1 - high, -1 - low)


def _constant(node: Node, ask: Ask) -> Known:
    data = node.attrs["value"].data
    return int(data.min()), int(data.max())


def _iota(node: Node, ask: Ask) -> Known:
    return 0, node.types[0].shape[node.attrs["axis"]] - 1


def _abs(node: Node, ask: Ask) -> Known:
    low, high = ask(node.inputs[0])
    return max(low, -high, 0), max(-low, high)


def _convert(node: Node, ask: Ask) -> Known:
    source = node.inputs[0]
    if not _counts(source):
        return None
    low, high = ask(source)
    if node.types[0].dtype.is_bool and not source.type.dtype.is_bool:
        return iv.compare("ne", (low, high), (0, 0))
    return low, high


def _gather(node: Node, ask: Ask) -> Known:
    x = node.inputs[0]
    if not x.type.size:
        return None
    found = ask(x)
    return iv.join(found, (0, 0)) if node.attrs["mode"] == "fill" else found


def _scatter(node: Node, ask: Ask) -> Known:
    return _joins(0, 2)(node, ask) if node.attrs["op"] in ("set", "min", "max") else None


def _reduced(node: Node, ask: Ask) -> Known:
    return ask(node.inputs[0]) if node.inputs[0].type.size else None


def _arg(node: Node, ask: Ask) -> Known:
    return 0, node.inputs[0].shape[node.attrs["axes"][0]] - 1


def _select(node: Node, ask: Ask) -> Known:
    """The arms, each where the condition lets it be taken."""
    condition, yes, no = node.inputs
    low, high = ask(condition)
    parts = []
    if high:
        parts.append(_where(yes, where(condition, True, ask), ask))
    if not low:
        parts.append(_where(no, where(condition, False, ask), ask))
    return iv.join(*parts)


def _where(value: Value, more: Mapping[Value, Interval], ask: Ask) -> Interval:
    """A value given more of some values; looked for one step back."""
    if value in more:
        return more[value]
    node = value.node
    if node.op in _CONTROL or not any(v in more for v in node.inputs):
        return ask(value)
    found = interval_of(node, lambda v: more.get(v) or ask(v))
    sure = ask(value)
    return sure if found is None else iv.meet(sure, iv.within(found, value.type.dtype))


RULES: dict[str, Callable[[Node, Ask], Known]] = {
    "constant": _constant,
    "iota": _iota,
    "add": _of_two(iv.add),
    "sub": _of_two(iv.sub),
    "mul": _of_two(iv.mul),
    "div": _of_two(iv.divide),
    "rem": _of_two(iv.remainder),
    "maximum": _of_two(iv.maximum),
    "minimum": _of_two(iv.minimum),
    "neg": lambda node, ask: iv.sub((0, 0), ask(node.inputs[0])),
    "abs": _abs,
    "sign": lambda node, ask: (-1, 1),
    "convert": _convert,
    "select": _select,
    "equal": _compares("eq"),
    "not_equal": _compares("ne"),
    "less": _compares("lt"),
    "less_equal": _compares("le"),
    "greater": _compares("gt"),
    "greater_equal": _compares("ge"),
    "bit_and": _logic(min, iv.bits_and),
    "bit_or": _logic(max, iv.bits_or),
    "bit_xor": _xor,
    "bit_not": _not,
    "popcount": lambda node, ask: (0, node.types[0].dtype.bits),
    "clz": lambda node, ask: (0, node.types[0].dtype.bits),
    "named": _joins(0),
    "stop_gradient": _joins(0),
    "broadcast": _joins(0),
    "reshape": _joins(0),
    "transpose": _joins(0),
    "slice": _joins(0),
    "reverse": _joins(0),
    "pad": _joins(),
    "concat": _joins(),
    "gather": _gather,
    "dynamic_slice": _joins(0),
    "dynamic_update_slice": _joins(0, 1),
    "scatter": _scatter,
    "reduce_max": _reduced,
    "reduce_min": _reduced,
    "reduce_any": _reduced,
    "reduce_all": _reduced,
    "cummax": _reduced,
    "cummin": _reduced,
    "argmax": _arg,
    "argmin": _arg,
}
"""By op: the interval of the result as an unbounded integer; None where nothing is known."""

_PREDICATES = {
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge",
}  # fmt: skip


def where(condition: Value, truth: bool, ask: Ask) -> Facts:
    """What is known besides, of the operands of comparisons, where a bool has this value."""
    node = condition.node
    if node.op == "bit_not":
        return where(node.inputs[0], not truth, ask)
    if node.op == ("bit_and" if truth else "bit_or") and condition.type.dtype.is_bool:
        found: Facts = {}
        for part in node.inputs:
            for value, known in where(part, truth, ask).items():
                found[value] = iv.meet(found.get(value) or ask(value), known)
        return found
    predicate = _PREDICATES.get(node.op)
    if predicate is None or not _counts(node.inputs[0]):
        return {}
    a, b = node.inputs
    left, right = iv.where_true(predicate if truth else iv.OPPOSITE[predicate], ask(a), ask(b))
    return {a: left} if a == b else {a: left, b: right}


# -- loops and branches ---------------------------------------------------------------------------
def _entry(node: Node, label: str, number: int, ask: Ask) -> Sequence[Known]:
    """What the parameters of a control node's body are known to be."""
    if node.op == "scan":
        return _scan(node, ask)[0]
    if node.op == "while":
        inside, after = _while(node, ask)
        held = node.attrs["n_const"]
        return inside if label == "body" else [*inside[:held], *after]
    if node.op == "cond":
        return _branch(node, number, ask)
    return ()


def _branch(node: Node, number: int, ask: Ask) -> list[Known]:
    """A branch is taken where the selector has its number; a bool says more."""
    selector, *operands = node.inputs
    more: Facts = {}
    if selector.type.dtype.is_bool and len(node.attrs["branches"]) == 2:
        more = where(selector, number == 1, ask)
    return [more.get(v) or _ask(v, ask) for v in operands]


def _ask(value: Value, ask: Ask) -> Known:
    return ask(value) if _counts(value) else None


def _cond_results(node: Node, ask: Ask) -> Sequence[Known]:
    branches = enumerate(node.attrs["branches"])
    found = [_results(g, facts_of(g, _branch(node, k, ask))) for k, g in branches]
    return [_join(parts) for parts in zip(*found)]


def _join(parts: Sequence[Known]) -> Known:
    sure = [p for p in parts if p is not None]
    return iv.join(*sure) if len(sure) == len(parts) else None


def _results(graph: Graph, facts: Facts) -> list[Known]:
    return [_ask(v, lambda x: facts.get(x) or iv.full(x.type.dtype)) for v in graph.results]


def _step(body: Graph, param: Value, result: Value) -> int | None:
    """By what a carried scalar changes in every round, where that is a constant."""
    node = result.node
    if result == param:
        return 0
    if node.op not in ("add", "sub") or not _counts(result) or result.shape != ():
        return None
    a, b = node.inputs
    if node.op == "add" and b == param:
        a, b = b, a
    if a != param or b.op != "constant":
        return None
    number = int(b.node.attrs["value"].data.reshape(()))
    return number if node.op == "add" else -number


Outcome: TypeAlias = tuple[list[Known], list[Known]]
"""Of a loop: what its body's parameters and its results are known to be."""


def _scan(node: Node, ask: Ask) -> Outcome:
    body, attrs = node.attrs["body"], node.attrs
    n_const, n_carry, length = attrs["n_const"], attrs["n_carry"], attrs["length"]
    known = [_ask(v, ask) for v in node.inputs]
    start = known[n_const : n_const + n_carry]
    if length == 0:
        return known, [*start, *[None] * (len(node.types) - n_carry)]
    carried = body.params[n_const : n_const + n_carry]
    moves = [_step(body, p, r) for p, r in zip(carried, body.results)]
    fixed = [_counted(v, s, m, length - 1) for v, s, m in zip(carried, start, moves)]

    def run(carry: Sequence[Known]) -> list[Known]:
        params = [*known[:n_const], *carry, *known[n_const + n_carry :]]
        return _results(body, facts_of(body, params))

    carry, results = _settle(start, fixed, run)
    ends = [_counted(v, s, m, length) for v, s, m in zip(carried, start, moves)]
    after = [_join((s, r)) if e is None else e for s, e, r in zip(start, ends, results)]
    params = [*known[:n_const], *carry, *known[n_const + n_carry :]]
    return params, [*after, *results[n_carry:]]


def _counted(value: Value, start: Known, step: int | None, most: int | None) -> Known:
    """A carried counter after up to `most` rounds; None where it is none, or may wrap."""
    if start is None or step is None or (most is None and step):
        return None
    found = iv.steps(start, step, most or 0)
    return found if iv.within(found, value.type.dtype) == found else None


def _settle(
    start: Sequence[Known], fixed: Sequence[Known], run: Callable[[Sequence[Known]], list[Known]]
) -> tuple[list[Known], list[Known]]:
    """What the carried values are in every round, and after a round; `fixed` are known already.

    The others are guessed from the start and one round. A guess counts if a round from it does not
    leave it; where it does, nothing is known, and the others are looked at again.
    """
    count = len(start)
    if all(s is None or f is not None for s, f in zip(start, fixed)):
        return list(fixed), run(fixed)
    unsure = [k for k in range(count) if fixed[k] is None and start[k] is not None]
    guess = list(fixed)
    for k in unsure:
        guess[k] = start[k]
    first = run(guess)
    for k in unsure:
        guess[k] = _join((start[k], first[k]))
    while True:
        results = run(guess)
        left = [
            k for k in unsure if guess[k] is not None and _join((guess[k], results[k])) != guess[k]
        ]
        if not left:
            return guess, results
        for k in left:
            guess[k] = None


def _while(node: Node, ask: Ask) -> Outcome:
    attrs = node.attrs
    body, cond, n_const = attrs["body"], attrs["cond"], attrs["n_const"]
    known = [_ask(v, ask) for v in node.inputs]
    consts, start = known[:n_const], known[n_const:]
    carried = body.params[n_const:]
    moves = [_step(body, p, r) for p, r in zip(carried, body.results)]

    def tested(carry: Sequence[Known]) -> list[Known]:
        """The same once the condition has held."""
        facts = facts_of(cond, [*consts, *carry])

        def look(value: Value) -> Interval:
            return facts.get(value) or iv.full(value.type.dtype)

        more = where(cond.results[0], True, look)
        return [more.get(p, k) for p, k in zip(cond.params[n_const:], carry)]

    nothing = [s if m == 0 else None for s, m in zip(start, moves)]
    bound = tested(nothing)
    own = [_between(v, s, m, b) for v, s, m, b in zip(carried, start, moves, bound)]
    rounds = [o[2] for o in own if o is not None]
    most = min(rounds) if rounds else None
    inner = None if most is None else max(most - 1, 0)
    fixed: list[Known] = []
    ends: list[Known] = []
    for v, s, m, o in zip(carried, start, moves, own):
        fixed.append(o[0] if o else _counted(v, s, m, inner))
        ends.append(o[1] if o else _counted(v, s, m, most))

    def run(carry: Sequence[Known]) -> list[Known]:
        return _results(body, facts_of(body, [*consts, *tested(carry)]))

    carry, results = _settle(start, fixed, run)
    after = [_join((s, r)) if e is None else e for s, e, r in zip(start, ends, results)]
    return [*consts, *tested(carry)], after


def _between(
    value: Value, start: Known, step: int | None, bound: Known
) -> tuple[Interval, Interval, int] | None:
    """A counter that the loop's condition stops: what it is inside, what after, the most rounds.

    The condition has held whenever it is raised, so it cannot pass its bound by more than a step.
    """
    if start is None or bound is None or not step:
        return None
    low, high = (start[0], bound[1]) if step > 0 else (bound[0], start[1])
    last = high + step if step > 0 else low + step
    if iv.within((last, last), value.type.dtype) != (last, last):
        return None
    most = max(0, (high - low) // abs(step) + 1)
    inside = (low, high) if low <= high else start
    return inside, iv.join(start, inside, (last, last)), most


_CONTROL: dict[str, Callable[[Node, Ask], Sequence[Known]]] = {
    "scan": lambda node, ask: _scan(node, ask)[1],
    "while": lambda node, ask: _while(node, ask)[1],
    "cond": _cond_results,
    "call": lambda node, ask: (),
    "barrier": lambda node, ask: [_ask(v, ask) for v in node.inputs[: len(node.types)]],
    **dict.fromkeys(
        ("checkpoint", "custom_jvp", "custom_vjp", "custom_linear"), lambda node, ask: ()
    ),
}
