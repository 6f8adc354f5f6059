"""`while` and `bounded_while` under the transforms.

A `while` has forward mode and batching alone: how many steps there are to go back over is known
only when it has run. A bounded one is differentiated as a `scan` over all steps that there may be,
of which those that are not taken do nothing: what the steps need is kept for each.
Takes: nodes of both. Gives: entries of `rules.py`. Must not know: other ops with bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import DifferentiationError
from ..graph import Builder, Graph, Node, Value
from ..opdef import OPS, Tangents
from ..ops.families import move_axis_to_front
from ..ops.host import in_turn
from ..ops.source import zeros_like
from ..types import token
from . import rules
from .batch import batch_body
from .jvp import jvp_body, jvp_values
from .reach import (
    Reach,
    chosen,
    reached,
    reached_after,
    reached_smoothly,
    reordered,
    where,
)  # fmt: skip
from .split import separate


class Parts(NamedTuple):
    """A while's attributes, without the bound."""

    cond: Graph
    body: Graph
    n_const: int

    @staticmethod
    def of(node: Node) -> Parts:
        return Parts(*(node.attrs[k] for k in Parts._fields))


def _while(
    b: Builder, parts: Parts, operands: Sequence[Value], like: Node | None = None
) -> tuple[Value, ...]:
    """A loop with these parts, bounded as `like` is."""
    if like is None or like.op == "while":
        return OPS["while"].node(b, operands, parts._asdict()).results
    attrs = {**parts._asdict(), "max_steps": like.attrs["max_steps"]}
    return OPS["bounded_while"].node(b, operands, attrs).results


def _settle(parts: Parts, flags: Sequence[bool], reach: Reach) -> list[bool]:
    """Flags of constants and carry as they are in every step."""
    return reached_after(reach, parts.body, flags, slice(parts.n_const, len(flags)))[0]


def _reach(node: Node, flags: Sequence[bool], reach: Reach) -> list[bool]:
    """Where the condition is reached, all of the carry is."""
    parts = Parts.of(node)
    settled = _settle(parts, flags, reach)
    if reach(parts.cond, settled)[0]:
        return [True] * len(node.types)
    return settled[parts.n_const :]


def _ignoring(graph: Graph, like: Graph, used: Sequence[int]) -> Graph:
    """`graph` with the parameters of `like`, of which it reads those at `used`."""
    b = Builder(name=graph.name)
    params = [b.param(p.type, name) for p, name in zip(like.params, like.param_names)]
    mapping = {p: params[k] for p, k in zip(graph.params, used, strict=True)}
    return b.graph(b.inline(graph.results, mapping, graph.locs))


def _linearise(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    parts = Parts.of(node)
    active = _settle(parts, [t is not None for t in ts], reached_smoothly)
    carried = active[parts.n_const :]
    joint = jvp_body(parts.body, active, carried)
    moving = [
        t if t is not None else zeros_like(b, x) for x, t, flag in zip(xs, ts, active) if flag
    ]
    count, moving_consts = len(xs), sum(active[: parts.n_const])
    order = [
        *range(parts.n_const),
        *range(count, count + moving_consts),
        *range(parts.n_const, count),
        *range(count + moving_consts, count + len(moving)),
    ]
    values = [*xs, *moving]
    body = reordered(joint, order)
    used = [order.index(k) for k in range(count)]
    fresh = Parts(_ignoring(parts.cond, body, used), body, parts.n_const + moving_consts)
    made = _while(b, fresh, [values[k] for k in order])
    n_carry = count - parts.n_const
    tangents = iter(made[n_carry:])
    return made[:n_carry], [next(tangents) if flag else None for flag in carried]


def _split(b: Builder, node: Node, unknown: Sequence[bool]) -> Sequence[Value]:
    """The known part runs by itself; the unknown part runs all of it again."""
    parts = Parts.of(node)
    flags = _settle(parts, unknown, reached)
    whole = b.add(node.op, node.inputs, node.attrs, node.types, b.current).results
    known = [not f for f in flags]
    carry = known[parts.n_const :]
    if not any(carry) or reached(parts.cond, flags)[0]:
        return whole
    keep = where(known)
    cond, body = (separate(g, flags) for g in (parts.cond, parts.body))
    fresh = Parts(
        reordered(cond, keep), reordered(body, keep, where(carry)), sum(known[: parts.n_const])
    )
    early = iter(_while(b, fresh, chosen(node.inputs, known)))
    return [next(early) if flag else late for flag, late in zip(carry, whole)]


def _transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    raise DifferentiationError(
        "a while loop has no reverse derivative, since the number of its steps is not known "
        "beforehand; give while_loop a bound (max_steps=), or use fori_loop with static bounds, or "
        "scan",
        b.current[0] if b.current else None,
    )


def _batch(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    parts = Parts.of(node)
    flags = _settle(parts, [a is not None for a in axes], reached)
    alone = reached(parts.cond, flags)[0]
    if alone and any(x.type.dtype is token for x in xs):
        return in_turn(b, node, xs, axes, size)
    if alone:  # each example stops by itself, so each has a carry of its own
        flags[parts.n_const :] = [True] * (len(flags) - parts.n_const)
    places = [0 if flag else None for flag in flags]
    body = batch_body(parts.body, places, size, flags[parts.n_const :])
    cond = batch_body(parts.cond, places, size, [alone])
    if alone:
        cond, body = _until_all_done(parts, cond, body)
    operands = [
        move_axis_to_front(b, x, axis, size) if flag else x
        for x, axis, flag in zip(xs, axes, flags)
    ]
    made = _while(b, Parts(cond, body, parts.n_const), operands, node)
    return made, places[parts.n_const :]


def _until_all_done(parts: Parts, cond: Graph, body: Graph) -> tuple[Graph, Graph]:
    """A condition that holds while any example runs, and a body that leaves finished ones alone."""
    b = Builder(name=cond.name)
    params = [b.param(p.type, name) for p, name in zip(cond.params, cond.param_names)]
    (running,) = b.inline(cond.results, dict(zip(cond.params, params)), cond.locs)
    some = b.graph([OPS["reduce_any"](b, running, axes=(0,))])

    b = Builder(name=body.name)
    params = [b.param(p.type, name) for p, name in zip(body.params, body.param_names)]
    (running,) = b.inline(cond.results, dict(zip(cond.params, params)), cond.locs)
    moved = b.inline(body.results, dict(zip(body.params, params)), body.locs)
    results = []
    for old, new in zip(params[parts.n_const :], moved):
        flag = OPS["broadcast"](b, running, shape=new.shape, axes=(0,))
        results.append(OPS["select"](b, flag, new, old))
    return some, b.graph(results)


# -- bounded -----------------------------------------------------------------------------
def _as_scan(node: Node) -> Graph:
    """The same function of the operands, as a scan over `cond`s."""
    parts = Parts.of(node)
    types = [v.type for v in node.inputs]
    b = Builder(name="step")
    params = [b.param(t, n) for t, n in zip(types, parts.body.param_names)]
    (go_on,) = b.inline(parts.cond.results, dict(zip(parts.cond.params, params)), parts.cond.locs)
    stay = Builder(name="stay")
    held = [stay.param(t) for t in types]
    branches = (stay.graph(held[parts.n_const :]), parts.body)
    step = b.graph(OPS["cond"].many(b, go_on, *params, branches=branches))
    outer = Builder(name=node.op)
    operands = [outer.param(t) for t in types]
    attrs = {
        "body": step, "n_const": parts.n_const, "n_carry": len(types) - parts.n_const,
        "length": node.attrs["max_steps"], "reverse": False,
    }  # fmt: skip
    return outer.graph(OPS["scan"].many(outer, *operands, **attrs))


def _linearise_bounded(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    graph = _as_scan(node)
    mapping = dict(zip(graph.params, xs, strict=True))
    tangents = {p: t for p, t in zip(graph.params, ts) if t is not None}
    outs = jvp_values(b, graph.results, mapping, tangents, graph.locs)
    return [mapping[r] for r in graph.results], outs


def _split_bounded(b: Builder, node: Node, unknown: Sequence[bool]) -> Sequence[Value]:
    graph = separate(_as_scan(node), unknown)
    return b.inline(graph.results, dict(zip(graph.params, node.inputs, strict=True)), graph.locs)


rules.enter(
    "bounded_while",
    linearise=_linearise_bounded,
    split=_split_bounded,
    batch=_batch,
    reach=_reach,
)
rules.enter(
    "while",
    linearise=_linearise,
    split=_split,
    transpose=_transpose,
    batch=_batch,
    reach=_reach,
)
