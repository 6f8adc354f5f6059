"""Drops what control flow carries for nothing: unread results, carries that only feed themselves,
carries that never change, operands that no body reads, branches that cannot be taken.

    scan(x, unused) carrying (a, unread)   →   scan(x) carrying (a)
    cond(constant true, x)                 →   the branch, on x

Takes and gives: Graph. Must not know: other passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..graph import Graph, Node, Value, topological
from ..opdef import OPS
from ..rewrite import Editor, map_bodies, uniform


@dataclass(frozen=True)
class Plan:
    """What stays of a node: the operands to keep in their new order, the new attributes, and for
    each old result the new one, or the operand it equals, or None where nothing reads it."""

    operands: tuple[int, ...]
    attrs: dict[str, object]
    results: tuple[tuple[str, int] | None, ...]


def trim(graph: Graph) -> Graph:
    """`graph` without what its loops and branches compute for nothing, outermost first."""
    plans = _plans(graph)
    editor = Editor(graph)

    def replace(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if OPS[node.op].family != "control":
            return None
        taken = _taken_branch(node)
        if taken is not None:
            mapping = dict(zip(taken.params, inputs[1:], strict=True))
            body = trim(taken)
            return editor.inline(body.results, dict(zip(body.params, mapping.values())), body.locs)
        plan = plans.get(node)
        if plan is None:
            attrs = map_bodies(node, trim)
            if attrs is node.attrs:
                return None
            return editor.add(node.op, inputs, attrs, node.types, editor.current).results
        return _carried_out(editor, node, inputs, plan)

    return editor.edit(replace)


def _carried_out(
    editor: Editor, node: Node, inputs: tuple[Value, ...], plan: Plan
) -> Sequence[Value]:
    fresh: Sequence[Value] = ()
    if any(r is not None and r[0] == "result" for r in plan.results):
        operands = tuple(inputs[k] for k in plan.operands)
        made = OPS[node.op].node(editor, operands, plan.attrs)
        attrs = map_bodies(made, trim)
        fresh = editor.add(node.op, operands, attrs, made.types, editor.current).results
    outs = []
    for k, place in enumerate(plan.results):
        if place is None:
            outs.append(Value(node, k))  # nothing reads it
        else:
            outs.append((fresh if place[0] == "result" else inputs)[place[1]])
    return outs


def _plans(graph: Graph) -> dict[Node, Plan]:
    """Plans for the nodes that carry too much; from the results backwards, so that what a trimmed
    node no longer reads counts as unread."""
    used = set(graph.results)
    plans: dict[Node, Plan] = {}
    makers = {"scan": _plan_scan, "while": _plan_while, "cond": _plan_cond}
    for node in reversed(graph.nodes):
        plan = None
        flags = [v in used for v in node.results]
        if not any(flags):
            continue
        if node.op in makers:
            plan = makers[node.op](node, flags)
        if plan is None:
            used.update(node.inputs)
        else:
            plans[node] = plan
            used.update(node.inputs[k] for k in plan.operands)
            used.update(
                node.inputs[place[1]] for place in plan.results if place and place[0] == "operand"
            )
    return plans


def _read(results: Iterable[Value]) -> set[Value]:
    """The parameters behind the results."""
    return {n.result for n in topological(results) if n.op == "param"}


def _live(
    body: Graph, n_const: int, n_carry: int, used: Sequence[bool], always: set[Value]
) -> tuple[list[int], list[int], set[Value]]:
    """Carries that something depends on, carries that never change, and the parameters read."""
    carry = body.params[n_const : n_const + n_carry]
    fixed = [k for k in range(n_carry) if body.results[k] == carry[k]]
    live = {k for k in range(n_carry) if used[k] and k not in fixed}
    others = [r for k, r in enumerate(body.results[n_carry:]) if used[n_carry + k]]
    while True:
        read = always | _read([*(body.results[k] for k in sorted(live)), *others])
        grown = live | {k for k in range(n_carry) if carry[k] in read and k not in fixed}
        if grown == live:
            return sorted(live), fixed, read
        live = grown


def _plan_scan(node: Node, used: Sequence[bool]) -> Plan | None:
    attrs = node.attrs
    body: Graph = attrs["body"]
    n_const, n_carry = attrs["n_const"], attrs["n_carry"]
    live, fixed, read = _live(body, n_const, n_carry, used, set())
    consts = [k for k in range(n_const) if body.params[k] in read]
    consts += [n_const + k for k in fixed if body.params[n_const + k] in read]
    stacks = [k for k in range(n_const + n_carry, len(body.params)) if body.params[k] in read]
    ys = [k for k in range(n_carry, len(body.results)) if used[k]]
    operands = (*consts, *(n_const + k for k in live), *stacks)
    if len(operands) == len(node.inputs) and len(ys) == len(node.types) - n_carry and not fixed:
        return None
    outs = [*live, *ys]
    inside = Graph(
        body.name,
        [body.params[k] for k in operands],
        [body.results[k] for k in outs],
        body.locs,
        [body.param_names[k] for k in operands],
    )
    fresh = {**attrs, "body": inside, "n_const": len(consts), "n_carry": len(live)}
    return Plan(operands, fresh, _places(len(node.types), outs, fixed, n_const))


def _plan_while(node: Node, used: Sequence[bool]) -> Plan | None:
    attrs = node.attrs
    body: Graph = attrs["body"]
    cond: Graph = attrs["cond"]
    n_const = attrs["n_const"]
    n_carry = len(node.types)
    tested = {body.params[cond.params.index(p)] for p in _read(cond.results)}
    live, fixed, read = _live(body, n_const, n_carry, used, tested)
    consts = [k for k in range(n_const) if body.params[k] in read]
    consts += [n_const + k for k in fixed if body.params[n_const + k] in read]
    operands = (*consts, *(n_const + k for k in live))
    if len(operands) == len(node.inputs) and not fixed:
        return None
    names = [body.param_names[k] for k in operands]
    fresh = {
        "body": Graph(
            body.name,
            [body.params[k] for k in operands],
            [body.results[k] for k in live],
            body.locs,
            names,
        ),
        "cond": Graph(
            cond.name, [cond.params[k] for k in operands], cond.results, cond.locs, names
        ),
        "n_const": len(consts),
    }
    return Plan(operands, fresh, _places(n_carry, live, fixed, n_const))


def _places(
    count: int, kept: Sequence[int], fixed: Sequence[int], n_const: int
) -> tuple[tuple[str, int] | None, ...]:
    places: list[tuple[str, int] | None] = [None] * count
    for new, old in enumerate(kept):
        places[old] = ("result", new)
    for k in fixed:
        places[k] = ("operand", n_const + k)
    return tuple(places)


def _plan_cond(node: Node, used: Sequence[bool]) -> Plan | None:
    branches: tuple[Graph, ...] = node.attrs["branches"]
    places: list[tuple[str, int] | None] = [None] * len(used)
    kept: list[int] = []
    for k, flag in enumerate(used):
        same = _common_operand(branches, k)
        if same is not None:
            places[k] = ("operand", 1 + same)
        elif flag:
            places[k] = ("result", len(kept))
            kept.append(k)
    read = {g.params.index(p) for g in branches for p in _read([g.results[k] for k in kept])}
    operands = [k for k in range(len(node.inputs) - 1) if k in read]
    if len(kept) == len(used) and len(operands) == len(node.inputs) - 1:
        return None
    fresh = tuple(
        Graph(
            g.name,
            [g.params[k] for k in operands],
            [g.results[k] for k in kept],
            g.locs,
            [g.param_names[k] for k in operands],
        )
        for g in branches
    )
    return Plan((0, *(1 + k for k in operands)), {"branches": fresh}, tuple(places))


def _common_operand(branches: Sequence[Graph], result: int) -> int | None:
    """The operand that result `result` is in every branch."""
    found = {
        g.params.index(g.results[result]) if g.results[result] in g.params else -1 for g in branches
    }
    return found.pop() if len(found) == 1 and -1 not in found else None


def _taken_branch(node: Node) -> Graph | None:
    """The branch that a constant condition takes, or that all branches are."""
    if node.op != "cond":
        return None
    branches: tuple[Graph, ...] = node.attrs["branches"]
    known = uniform(node.inputs[0])
    if known is not None:
        return branches[min(max(int(known), 0), len(branches) - 1)]
    if all(g.fingerprint == branches[0].fingerprint for g in branches[1:]):
        return branches[0]
    return None
