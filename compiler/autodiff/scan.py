"""`scan` under the transforms: it differentiates in both modes, since its body is linearised.

Forward, tangents are carried beside values. For reverse, a forward scan stacks the residuals of
each step, and the linear scan over them is transposed into a scan in the other direction.
Takes: scan nodes. Gives: entries of `rules.py`. Must not know: other ops with bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..graph import Builder, Graph, Node, Value
from ..opdef import OPS, Tangents
from ..ops.families import move_axis_to_front
from ..ops.source import zeros_like
from . import rules
from .batch import batch_body
from .jvp import jvp_body
from .reach import (
    Reach,
    chosen,
    dependents,
    reached,
    reached_after,
    reached_smoothly,
    reordered,
    where,
)  # fmt: skip
from .split import Split, split_graph
from .transpose import transpose_graph


class Parts(NamedTuple):
    """A scan's attributes; `cut` parts operands or flags in constants, carry, stacked inputs."""

    body: Graph
    n_const: int
    n_carry: int
    length: int
    reverse: bool

    @staticmethod
    def of(node: Node) -> Parts:
        return Parts(*(node.attrs[k] for k in Parts._fields))

    @property
    def carry(self) -> slice:
        """Where the carry is among the operands."""
        return slice(self.n_const, self.n_const + self.n_carry)

    def cut(self, items: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        first, second = self.n_const, self.n_const + self.n_carry
        return list(items[:first]), list(items[first:second]), list(items[second:])


def scan(
    b: Builder,
    parts: Parts,
    body: Graph,
    consts: Sequence[Value],
    carry: Sequence[Value],
    xs: Sequence[Value],
) -> tuple[Value, ...]:
    """A scan like `parts` with another body and other operands."""
    attrs = {
        "body": body,
        "n_const": len(consts),
        "n_carry": len(carry),
        "length": parts.length,
        "reverse": parts.reverse,
    }
    return OPS["scan"].node(b, [*consts, *carry, *xs], attrs).results


def _settle(parts: Parts, flags: Sequence[bool], reach: Reach) -> tuple[list[bool], list[bool]]:
    """Flags of the body's parameters as they are in every step, and of the results."""
    return reached_after(reach, parts.body, flags, parts.carry)


def _reach(node: Node, flags: Sequence[bool], reach: Reach) -> list[bool]:
    return _settle(Parts.of(node), flags, reach)[1]


def _linearise(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    parts = Parts.of(node)
    active, outs = _settle(parts, [t is not None for t in ts], reached_smoothly)
    joint = jvp_body(parts.body, active, outs)
    moving = [
        t if t is not None else zeros_like(b, x) for x, t, flag in zip(xs, ts, active) if flag
    ]
    count = len(xs)
    tangent_at = dict(zip(where(active), range(count, count + len(moving))))
    groups = parts.cut(range(count))
    order = [[*g, *(tangent_at[k] for k in g if k in tangent_at)] for g in groups]
    values = [*xs, *moving]
    n_results, n_carry = len(node.types), parts.n_carry
    out_at = dict(zip(where(outs), range(n_results, n_results + sum(outs))))
    carry_out = [*range(n_carry), *(out_at[k] for k in range(n_carry) if outs[k])]
    ys_out = [
        *range(n_carry, n_results),
        *(out_at[k] for k in range(n_carry, n_results) if outs[k]),
    ]
    body = reordered(joint, [*order[0], *order[1], *order[2]], [*carry_out, *ys_out])
    made = scan(b, parts, body, *([values[k] for k in g] for g in order))
    place = {old: new for new, old in enumerate([*carry_out, *ys_out])}
    primal = [made[place[k]] for k in range(n_results)]
    return primal, [made[place[out_at[k]]] if outs[k] else None for k in range(n_results)]


def _split(b: Builder, node: Node, unknown: Sequence[bool]) -> Sequence[Value]:
    parts = Parts.of(node)
    flags, outs = _settle(parts, unknown, reached)
    cut = split_graph(parts.body, flags, outs)
    known = [not f for f in flags]
    consts, carry, xs = (
        chosen(items, keep) for items, keep in zip(parts.cut(node.inputs), parts.cut(known))
    )
    residuals = _Residuals(b, cut, consts, carry, xs)
    kept = [k for k, out in enumerate(cut.out_unknown) if not out]
    stacked = [len(kept) + k for k in residuals.stacked]
    body = reordered(cut.known, range(len(cut.known.params)), [*range(len(kept)), *stacked])
    made = scan(b, parts, body, consts, carry, xs) if body.results else ()
    residuals.fill(made[len(kept) :])

    late = [chosen(items, flag) for items, flag in zip(parts.cut(node.inputs), parts.cut(flags))]
    fixed = [k for k, fresh in enumerate(residuals.per_step) if not fresh]
    moving = [k for k, fresh in enumerate(residuals.per_step) if fresh]
    first = cut.residuals
    n_late = [len(group) for group in late]
    order = [
        *fixed,
        *range(first, first + n_late[0] + n_late[1]),
        *moving,
        *range(first + n_late[0] + n_late[1], first + sum(n_late)),
    ]
    values = residuals.values
    linear = scan(
        b,
        parts,
        reordered(cut.unknown, order),
        [*(values[k] for k in fixed), *late[0]],
        late[1],
        [*(values[k] for k in moving), *late[2]],
    )
    early, unknown_results = iter(made), iter(linear)
    return [next(unknown_results if out else early) for out in cut.out_unknown]


class _Residuals:
    """What the linear scan needs of the forward one: outer values as they are, loop-invariant
    values computed once outside, and stacked ones for the rest."""

    def __init__(
        self,
        b: Builder,
        cut: Split,
        consts: Sequence[Value],
        carry: Sequence[Value],
        xs: Sequence[Value],
    ) -> None:
        graph = cut.known
        found = graph.results[len(graph.results) - cut.residuals :]
        # by nodes, not by results: hoisting one result of a node takes all of its operands along
        steps = {p.node for p in graph.params[len(consts) :]}
        varying = steps.union(dependents(found, steps))
        moving = [r.node in varying for r in found]
        outer = dict(zip(graph.params, [*consts, *carry, *xs]))
        slices = set(graph.params[len(consts) + len(carry) :])
        invariant = [r for r, moves in zip(found, moving) if not moves]
        hoisted = dict(zip(invariant, b.inline(invariant, _fixed(outer, consts), graph.locs)))
        self.values: list[Value] = []
        self.per_step = moving
        self.stacked = []
        for k, value in enumerate(found):
            if value in slices:
                self.values.append(outer[value])
            elif value in hoisted:
                self.values.append(hoisted[value])
            else:
                self.values.append(value)
                self.stacked.append(k)

    def fill(self, stacks: Sequence[Value]) -> None:
        """The forward scan's stacks, for the residuals that need them."""
        for k, stack in zip(self.stacked, stacks, strict=True):
            self.values[k] = stack


def _fixed(outer: dict[Value, Value], consts: Sequence[Value]) -> dict[Value, Value]:
    return dict(list(outer.items())[: len(consts)])


def _transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    """Backwards over the steps: the carry's cotangent, and one sum per linear constant."""
    parts = Parts.of(node)
    linear = [x is None for x in xs]
    linear[parts.n_const : parts.n_const + parts.n_carry] = [True] * parts.n_carry
    lin_const, _, lin_xs = parts.cut(linear)
    consts, _, slices = parts.cut(xs)
    carry_cts = [
        ct if ct is not None else zeros_like(b, v)
        for ct, v in zip(cts[: parts.n_carry], parts.cut(node.inputs)[1])
    ]
    given = [k < parts.n_carry or ct is not None for k, ct in enumerate(cts)]
    adjoint = transpose_graph(parts.body, linear, given)
    fixed = [c for c in consts if c is not None]
    moving = [x for x in slices if x is not None]
    sums = [zeros_like(b, v) for v, flag in zip(parts.cut(node.inputs)[0], lin_const) if flag]
    body = _adjoint_body(adjoint, len(fixed), len(moving), len(sums), parts.n_carry)
    turned = parts._replace(reverse=not parts.reverse)
    stacks = [*moving, *(ct for ct in cts[parts.n_carry :] if ct is not None)]
    made = iter(scan(b, turned, body, fixed, [*sums, *carry_cts], stacks))
    flags = [*lin_const, *([True] * parts.n_carry), *lin_xs]
    return [next(made) if flag else None for flag in flags]


def _adjoint_body(adjoint: Graph, fixed: int, moving: int, sums: int, carry: int) -> Graph:
    """The transposed body as a scan's: constants; sums, carry cotangents; slices, ys cotangents."""
    b = Builder(name=adjoint.name)
    params = adjoint.params
    first = [b.param(p.type) for p in params[:fixed]]
    found = adjoint.results
    totals = [b.param(r.type) for r in found[:sums]]
    back = [b.param(p.type, "ct") for p in params[fixed + moving : fixed + moving + carry]]
    slices = [b.param(p.type) for p in params[fixed : fixed + moving]]
    rest = [b.param(p.type, "ct") for p in params[fixed + moving + carry :]]
    mapping = dict(zip(params, [*first, *slices, *back, *rest]))
    outs = b.inline(found, mapping, adjoint.locs)
    grown = [OPS["add"](b, total, out) for total, out in zip(totals, outs)]
    return b.graph([*grown, *outs[sums:]])


def _batch(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    parts = Parts.of(node)
    flags, outs = _settle(parts, [a is not None for a in axes], reached)
    body = batch_body(parts.body, [0 if f else None for f in flags], size, outs)
    groups = zip(parts.cut(xs), parts.cut(axes), parts.cut(flags))
    consts, carry, stacks = (list(zip(*group)) for group in groups)
    made = scan(
        b,
        parts,
        body,
        [move_axis_to_front(b, x, axis, size) if f else x for x, axis, f in consts],
        [move_axis_to_front(b, x, axis, size) if f else x for x, axis, f in carry],
        [_batch_second(b, x, axis) if f else x for x, axis, f in stacks],
    )
    places = [(0 if k < parts.n_carry else 1) if out else None for k, out in enumerate(outs)]
    return made, places


def _batch_second(b: Builder, x: Value, axis: int) -> Value:
    """A stacked input with the steps first and the batch second."""
    if axis == 1:
        return x
    others = [k for k in range(len(x.shape)) if k != axis]
    return OPS["transpose"](b, x, permutation=(others[0], axis, *others[1:]))


rules.enter(
    "scan",
    linearise=_linearise,
    split=_split,
    transpose=_transpose,
    batch=_batch,
    reach=_reach,
)
