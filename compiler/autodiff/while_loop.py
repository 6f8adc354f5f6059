"""`while` under the transforms: forward mode and batching. It has no reverse derivative: how many
steps there are to go back over is known only when it has run.

Takes: while nodes. Gives: entries of `rules.py`. Must not know: other ops with bodies.
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
from .jvp import jvp_body
from .reach import (
    Reach,
    chosen,
    reached,
    reached_after,
    reached_smoothly,
    reordered,
    where,
)  # fmt: skip


class Parts(NamedTuple):
    """A while's attributes."""

    cond: Graph
    body: Graph
    n_const: int

    @staticmethod
    def of(node: Node) -> Parts:
        return Parts(*(node.attrs[k] for k in Parts._fields))


def _while(b: Builder, parts: Parts, operands: Sequence[Value]) -> tuple[Value, ...]:
    return OPS["while"].node(b, operands, parts._asdict()).results


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
    body = reordered(parts.body, keep, where(carry))
    fresh = Parts(reordered(parts.cond, keep), body, sum(known[: parts.n_const]))
    early = iter(_while(b, fresh, chosen(node.inputs, known)))
    return [next(early) if flag else late for flag, late in zip(carry, whole)]


def _transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    raise DifferentiationError(
        "a while loop has no reverse derivative, since the number of its steps is not known "
        "beforehand; use fori_loop with static bounds, or scan",
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
    made = _while(b, Parts(cond, body, parts.n_const), operands)
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


rules.enter(
    "while",
    linearise=_linearise,
    split=_split,
    transpose=_transpose,
    batch=_batch,
    reach=_reach,
)
