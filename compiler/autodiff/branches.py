"""`cond` under the transforms: each branch is transformed, and the choice is made again.

Takes: cond nodes. Gives: entries of `rules.py`. Must not know: other ops with bodies.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Builder, Graph, Node, Value
from ..opdef import OPS, Tangents
from ..ops.families import move_axis_to_front
from ..ops.host import in_turn
from ..ops.source import constant
from ..types import TensorType, i1
from . import rules
from .batch import batch_body, batch_values
from .jvp import jvp_body
from .reach import Reach, chosen, reached, reached_smoothly
from .split import Split, split_graph
from .transpose import transpose_graph


def _cond(
    b: Builder, choice: Value, branches: Sequence[Graph], operands: Sequence[Value]
) -> tuple[Value, ...]:
    return OPS["cond"].node(b, [choice, *operands], {"branches": tuple(branches)}).results


def _either(flags: Sequence[Sequence[bool]]) -> list[bool]:
    return [any(column) for column in zip(*flags)]


def _reach(node: Node, flags: Sequence[bool], reach: Reach) -> list[bool]:
    if flags[0]:
        return [True] * len(node.types)
    return _either([reach(g, flags[1:]) for g in node.attrs["branches"]])


def _linearise(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    branches = node.attrs["branches"]
    active = [t is not None for t in ts[1:]]
    outs = _either([reached_smoothly(g, active) for g in branches])
    joint = [jvp_body(g, active, outs) for g in branches]
    made = _cond(b, xs[0], joint, [*xs[1:], *(t for t in ts[1:] if t is not None)])
    count = len(node.types)
    tangents = iter(made[count:])
    return made[:count], [next(tangents) if flag else None for flag in outs]


def _split(b: Builder, node: Node, unknown: Sequence[bool]) -> Sequence[Value]:
    choice, *operands = node.inputs
    branches: Sequence[Graph] = node.attrs["branches"]
    if unknown[0]:
        return b.add(node.op, node.inputs, node.attrs, node.types, b.current).results
    flags = list(unknown[1:])
    outs = _either([reached(g, flags) for g in branches])
    cuts = [split_graph(g, flags, outs) for g in branches]
    slots = _Slots(cuts)
    early = chosen(operands, [not f for f in flags])
    known = [slots.known(k) for k in range(len(cuts))]
    kept = len(outs) - sum(outs)
    made = _cond(b, choice, known, early) if known[0].results else ()
    late = [*early, *made[kept:], *chosen(operands, flags)]
    linear = _cond(b, choice, [slots.unknown(k, sum(flags)) for k in range(len(cuts))], late)
    first, second = iter(made), iter(linear)
    return [next(second if out else first) for out in outs]


class _Slots:
    """Where each branch leaves its residuals. Branches exclude each other, so residuals of one type
    share a slot; a residual that is an operand needs none."""

    def __init__(self, cuts: Sequence[Split]) -> None:
        self.cuts = cuts
        self.types: list[TensorType] = []
        self.place: list[dict[Value, int]] = []
        for cut in cuts:
            free = list(range(len(self.types)))
            place = {}
            for value in self._residuals(cut):
                if value.node.op == "param":
                    continue
                at = next((k for k in free if self.types[k] == value.type), None)
                if at is None:
                    at = len(self.types)
                    self.types.append(value.type)
                else:
                    free.remove(at)
                place[value] = at
            self.place.append(place)

    @staticmethod
    def _residuals(cut: Split) -> Sequence[Value]:
        return cut.known.results[len(cut.known.results) - cut.residuals :]

    def known(self, branch: int) -> Graph:
        """The forward branch: its known results, then every slot, zeros where it is another's."""
        cut = self.cuts[branch]
        graph = cut.known
        b = Builder(name=graph.name)
        mapping = {p: b.param(p.type, name) for p, name in zip(graph.params, graph.param_names)}
        outs = b.inline(graph.results, mapping, graph.locs)
        slots = [constant(b, 0, t.dtype, t.shape) for t in self.types]
        for value, at in self.place[branch].items():
            slots[at] = mapping[value]
        return b.graph([*outs[: len(outs) - cut.residuals], *slots])

    def unknown(self, branch: int, n_unknown: int) -> Graph:
        """The linear branch: known operands, slots, unknown operands."""
        cut = self.cuts[branch]
        b = Builder(name=cut.unknown.name)
        operands = [b.param(p.type) for p in cut.known.params]
        slots = [b.param(t) for t in self.types]
        late = [b.param(p.type) for p in cut.unknown.params[cut.residuals :]]
        outer = dict(zip(cut.known.params, operands))
        found = [
            outer[v] if v in outer else slots[self.place[branch][v]] for v in self._residuals(cut)
        ]
        mapping = dict(zip(cut.unknown.params, [*found, *late]))
        return b.graph(b.inline(cut.unknown.results, mapping, cut.unknown.locs))


def _transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    choice, *operands = xs
    assert choice is not None
    linear = [x is None for x in operands]
    given = [ct is not None for ct in cts]
    branches = [transpose_graph(g, linear, given) for g in node.attrs["branches"]]
    known = [x for x in operands if x is not None]
    made = iter(_cond(b, choice, branches, [*known, *(ct for ct in cts if ct is not None)]))
    return [None, *(next(made) if flag else None for flag in linear)]


def _batch(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    branches: Sequence[Graph] = node.attrs["branches"]
    if axes[0] is not None:
        if any(map(_must_be_chosen, branches)):
            return in_turn(b, node, xs, axes, size)
        return _batch_choice(b, branches, xs, axes, size)
    flags = [a is not None for a in axes[1:]]
    outs = _either([reached(g, flags) for g in branches])
    places = [0 if flag else None for flag in flags]
    moved = [
        move_axis_to_front(b, x, axis, size) if flag else x
        for x, axis, flag in zip(xs[1:], axes[1:], flags)
    ]
    made = _cond(b, xs[0], [batch_body(g, places, size, outs) for g in branches], moved)
    return made, [0 if out else None for out in outs]


def _must_be_chosen(branch: Graph) -> bool:
    """Whether a branch may run only where it is taken: its effects would be seen, its loops might
    not end."""
    return any(
        n.op in ("callback", "while", "bounded_while") for part in branch.walk() for n in part.nodes
    )


def _batch_choice(
    b: Builder,
    branches: Sequence[Graph],
    xs: Sequence[Value],
    axes: Sequence[int | None],
    size: int,
) -> tuple[Sequence[Value], Sequence[int | None]]:
    """Each example makes its own choice: all branches run, and select picks (branches that must
    not all run go through `in_turn` instead)."""
    choice = move_axis_to_front(b, xs[0], axes[0], size)
    found = []
    for graph in branches:
        mapping = dict(zip(graph.params, xs[1:]))
        placed = {p: a for p, a in zip(graph.params, axes[1:]) if a is not None}
        places = batch_values(b, graph.results, mapping, placed, size, graph.locs)
        found.append(
            [move_axis_to_front(b, mapping[r], a, size) for r, a in zip(graph.results, places)]
        )
    results = found[-1]
    for k in reversed(range(len(branches) - 1)):
        here = takes_branch(b, choice, k)
        results = [_pick(b, here, mine, other) for mine, other in zip(found[k], results)]
    return results, [0] * len(results)


def takes_branch(b: Builder, choice: Value, branch: int) -> Value:
    """Whether `choice` means `branch`: a bool counts as 0 or 1, an index is clamped."""
    if choice.type.dtype is i1:
        return choice if branch else OPS["bit_not"](b, choice)
    at = constant(b, branch, choice.type.dtype, choice.shape)
    return OPS["less_equal" if branch == 0 else "equal"](b, choice, at)


def _pick(b: Builder, flag: Value, mine: Value, other: Value) -> Value:
    if mine == other:
        return mine
    spread = OPS["broadcast"](b, flag, shape=mine.shape, axes=(0,))
    return OPS["select"](b, spread, mine, other)


rules.enter(
    "cond",
    linearise=_linearise,
    split=_split,
    transpose=_transpose,
    batch=_batch,
    reach=_reach,
)
