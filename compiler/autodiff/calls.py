"""`call`, `barrier`, `checkpoint` and custom derivatives under the transforms.

A call disappears: its body is transformed where it stands. A checkpoint stays one until its
linear part is transposed: then its inputs pass a barrier that waits for the cotangents, and the
forward part is replayed on them, so that nothing of it is kept or merged with the first run but
what its policy saves.
Takes: nodes of these ops. Gives: entries of `rules.py`. Must not know: loops, branches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..graph import Builder, Graph, Node, Value
from ..opdef import OPS, Tangents
from ..ops.families import move_axis_to_front
from ..ops.source import zeros_like
from . import rules
from .batch import batch_body, batch_values
from .jvp import ONE_WAY, jvp_body, jvp_values
from .policy import saved_values, with_values_given, without_calls
from .reach import Reach, chosen, dependents, reached, reached_smoothly, reordered, where
from .split import separate
from .transpose import transpose_graph

Axes = Sequence[int | None]


def _inline(b: Builder, graph: Graph, operands: Sequence[Value]) -> list[Value]:
    return b.inline(graph.results, dict(zip(graph.params, operands, strict=True)), graph.locs)


def _smooth(values: Sequence[Value]) -> list[bool]:
    return [v.type.dtype.is_inexact for v in values]


def _reach(label: str) -> Any:
    def rule(node: Node, flags: Sequence[bool], reach: Reach) -> list[bool]:
        return reach(node.attrs[label], flags)

    return rule


# -- call --------------------------------------------------------------------------------
def _linearise_call(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    graph: Graph = node.attrs["body"]
    mapping = dict(zip(graph.params, xs, strict=True))
    tangents = {p: t for p, t in zip(graph.params, ts) if t is not None}
    outs = jvp_values(b, graph.results, mapping, tangents, graph.locs)
    return [mapping[r] for r in graph.results], outs


def _split_call(b: Builder, node: Node, unknown: Sequence[bool]) -> Sequence[Value]:
    return _inline(b, separate(node.attrs["body"], unknown), node.inputs)


def _batch_call(
    b: Builder, node: Node, xs: Sequence[Value], axes: Axes, size: int
) -> tuple[Sequence[Value], Axes]:
    graph: Graph = node.attrs["body"]
    mapping = dict(zip(graph.params, xs, strict=True))
    placed = {p: a for p, a in zip(graph.params, axes) if a is not None}
    outs = batch_values(b, graph.results, mapping, placed, size, graph.locs)
    return [mapping[r] for r in graph.results], outs


# -- barrier -----------------------------------------------------------------------------
def barrier(b: Builder, values: Sequence[Value], after: Sequence[Value]) -> tuple[Value, ...]:
    """`values`, not before `after` is there."""
    if not values:
        return ()
    return OPS["barrier"].node(b, [*values, *after], {"n": len(values)}).results


def _split_barrier(b: Builder, node: Node, unknown: Sequence[bool]) -> Sequence[Value]:
    count = len(node.types)
    values, after = node.inputs[:count], node.inputs[count:]
    early = iter(
        barrier(
            b,
            chosen(values, [not f for f in unknown[:count]]),
            chosen(after, [not f for f in unknown[count:]]),
        )
    )
    late = iter(barrier(b, chosen(values, unknown[:count]), after))
    return [next(late if flag else early) for flag in unknown[:count]]


# -- checkpoint --------------------------------------------------------------------------
def _checkpoint(
    b: Builder, node: Node, graph: Graph, operands: Sequence[Value]
) -> tuple[Value, ...]:
    """The checkpoint `node` with another body."""
    return OPS["checkpoint"].node(b, operands, {**node.attrs, "body": graph}).results


def _linearise_checkpoint(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    graph: Graph = node.attrs["body"]
    active = [t is not None for t in ts]
    outs = reached_smoothly(graph, active)
    moved = [*xs, *(t for t in ts if t is not None)]
    made = _checkpoint(b, node, jvp_body(graph, active, outs), moved)
    tangents = iter(made[len(node.types) :])
    return made[: len(node.types)], [next(tangents) if flag else None for flag in outs]


def _split_checkpoint(b: Builder, node: Node, unknown: Sequence[bool]) -> Sequence[Value]:
    """The known part gives, beside its results, what the policy saves, the unknown one takes it."""
    policy = node.attrs.get("policy", ())
    graph = separate(node.attrs["body"], unknown)
    if policy:
        graph = without_calls(graph)
    outs = reached(graph, unknown)
    keep = [not f for f in unknown]
    seeds = {p.node for p in chosen(graph.params, unknown)}
    late = chosen(graph.results, outs)
    saved = saved_values(graph, late, seeds.union(dependents(late, seeds)), policy)
    first = Graph(
        graph.name,
        chosen(graph.params, keep),
        [*chosen(graph.results, [not f for f in outs]), *saved],
        graph.locs,
        chosen(graph.param_names, keep),
    )
    given = _checkpoint(b, node, first, chosen(node.inputs, keep)) if first.results else ()
    rest = reordered(graph, range(len(graph.params)), where(outs))
    residuals = given[len(given) - len(saved) :]
    last = _checkpoint(b, node, with_values_given(rest, saved), [*node.inputs, *residuals])
    early, made = iter(given), iter(last)
    return [next(made if out else early) for out in outs]


def _transpose_checkpoint(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    linear = [x is None for x in xs]
    adjoint = transpose_graph(node.attrs["body"], linear, [ct is not None for ct in cts])
    seeds = [ct for ct in cts if ct is not None]
    held: Sequence[Value] = [x for x in xs if x is not None]
    if node.attrs.get("prevent_cse", True):
        held = barrier(b, held, seeds)
    made = iter(_inline(b, adjoint, [*held, *seeds]))
    return [next(made) if flag else None for flag in linear]


def _batch_checkpoint(
    b: Builder, node: Node, xs: Sequence[Value], axes: Axes, size: int
) -> tuple[Sequence[Value], Axes]:
    graph: Graph = node.attrs["body"]
    flags = [a is not None for a in axes]
    outs = reached(graph, flags)
    body = batch_body(graph, axes, size, outs)
    return _checkpoint(b, node, body, xs), [0 if out else None for out in outs]


# -- custom_jvp --------------------------------------------------------------------------
def _split_custom(b: Builder, node: Node, unknown: Sequence[bool]) -> Sequence[Value]:
    """Under a derivative that has been taken already, the function is what it computes."""
    return _inline(b, separate(node.attrs["graph"], unknown), node.inputs)


def _linearise_custom_jvp(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    made = _inline(b, node.attrs["jvp"], [*xs, *_all_tangents(b, xs, ts)])
    tangents = iter(made[len(node.types) :])
    smooth = [t.dtype.is_inexact for t in node.types]
    return made[: len(node.types)], [next(tangents) if flag else None for flag in smooth]


def _all_tangents(b: Builder, xs: Sequence[Value], ts: Tangents) -> list[Value]:
    """A tangent for each float or complex operand, zeros where there is none."""
    return [
        t if t is not None else zeros_like(b, x) for x, t, flag in zip(xs, ts, _smooth(xs)) if flag
    ]


def _batch_custom_jvp(
    b: Builder, node: Node, xs: Sequence[Value], axes: Axes, size: int
) -> tuple[Sequence[Value], Axes]:
    """All results are batched, and a tangent is batched where its value is."""
    graph: Graph = node.attrs["graph"]
    fronted = [x if a is None else move_axis_to_front(b, x, a, size) for x, a in zip(xs, axes)]
    places = [None if a is None else 0 for a in axes]
    outs = [True] * len(node.types)
    tangents = chosen(places, _smooth(graph.params))
    attrs = {
        "graph": batch_body(graph, places, size, outs),
        "jvp": batch_body(
            node.attrs["jvp"],
            [*places, *tangents],
            size,
            [True] * len(node.attrs["jvp"].results),
        ),
    }
    return OPS[node.op].node(b, fronted, attrs).results, [0] * len(outs)


# -- custom_vjp --------------------------------------------------------------------------
def _linearise_custom_vjp(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    made = _inline(b, node.attrs["forward"], xs)
    outs, residuals = made[: len(node.types)], made[len(node.types) :]
    attrs = {"backward": node.attrs["backward"], "n_residual": len(residuals)}
    linear = OPS[ONE_WAY].node(b, [*residuals, *_all_tangents(b, xs, ts)], attrs)
    tangents = iter(linear.results)
    smooth = [t.dtype.is_inexact for t in node.types]
    return outs, [next(tangents) if flag else None for flag in smooth]


def _transpose_custom_linear(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    count = node.attrs["n_residual"]
    residuals = [x for x in xs[:count] if x is not None]
    seeds = [ct if ct is not None else zeros_like(b, v) for ct, v in zip(cts, node.results)]
    made = _inline(b, node.attrs["backward"], [*residuals, *seeds])
    return [None] * count + [
        ct if x is None else None for x, ct in zip(xs[count:], made, strict=True)
    ]


def _batch_custom_vjp(
    b: Builder, node: Node, xs: Sequence[Value], axes: Axes, size: int
) -> tuple[Sequence[Value], Axes]:
    """Residuals and results are batched; the cotangent of an operand that is not is summed."""
    attrs = node.attrs
    places = [None if a is None else 0 for a in axes]
    fronted = [x if a is None else move_axis_to_front(b, x, a, size) for x, a in zip(xs, axes)]
    outs = [True] * len(node.types)
    backward = batch_body(
        attrs["backward"],
        [0] * len(attrs["backward"].params),
        size,
        [True] * len(attrs["backward"].results),
    )
    tangents = chosen(places, _smooth(attrs["graph"].params))
    fresh = {
        "graph": batch_body(attrs["graph"], places, size, outs),
        "forward": batch_body(
            attrs["forward"], places, size, [True] * len(attrs["forward"].results)
        ),
        "backward": _summed(backward, [a is None for a in tangents]),
    }
    return OPS[node.op].node(b, fronted, fresh).results, [0] * len(outs)


def _summed(graph: Graph, flags: Sequence[bool]) -> Graph:
    """`graph` with the flagged results summed over their batch axis."""
    b = Builder(name=graph.name)
    params = [b.param(p.type, name) for p, name in zip(graph.params, graph.param_names)]
    outs = _inline(b, graph, params)
    return b.graph(
        [OPS["reduce_sum"](b, o, axes=(0,)) if f else o for o, f in zip(outs, flags, strict=True)]
    )


rules.enter(
    "call",
    linearise=_linearise_call,
    split=_split_call,
    batch=_batch_call,
    reach=_reach("body"),
)
rules.enter(
    "barrier",
    split=_split_barrier,
    reach=lambda node, flags, reach: list(flags[: len(node.types)]),
)
rules.enter(
    "checkpoint",
    linearise=_linearise_checkpoint,
    split=_split_checkpoint,
    transpose=_transpose_checkpoint,
    batch=_batch_checkpoint,
    reach=_reach("body"),
)
rules.enter(
    "custom_jvp",
    linearise=_linearise_custom_jvp,
    split=_split_custom,
    batch=_batch_custom_jvp,
)
rules.enter(
    "custom_vjp",
    linearise=_linearise_custom_vjp,
    split=_split_custom,
    batch=_batch_custom_vjp,
)
rules.enter(ONE_WAY, transpose=_transpose_custom_linear)
