"""Reductions, contractions and convolutions next to views.

Gives: RULES. Exact for max, min, any, all, integers and products' operands; merging two float sums
changes their order, and so the rounding. Must not know: the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..graph import Value
from ..ops.contraction import free_axes
from ..rewrite import Match, Rule, Var, op

x, y = Var("x"), Var("y")
PLAIN = ("reduce_sum", "reduce_prod", "reduce_max", "reduce_min", "reduce_any", "reduce_all")
IDEMPOTENT = PLAIN[2:]
transpose, broadcast, dot_general = op("transpose"), op("broadcast"), op("dot_general")
conv = op("conv")


def _of_units(m: Match) -> Value | None:
    """Only axes of size 1 are reduced: nothing is added up."""
    if m["x"].type.size != m.root.types[0].size or any(
        m["x"].shape[a] != 1 for a in m.attrs()["axes"]
    ):
        return None
    return m.make("reshape", m["x"], shape=m.root.types[0].shape)


def _twice(name: str) -> Callable[[Match], Value | None]:
    def build(m: Match) -> Value | None:
        inner = m.attrs("t")["axes"]
        kept = free_axes(len(m["x"].shape), inner)
        axes = tuple(sorted((*inner, *(kept[a] for a in m.attrs()["axes"]))))
        return m.make(name, m["x"], axes=axes)

    return build


def _of_broadcast(name: str) -> Callable[[Match], Value | None]:
    def build(m: Match) -> Value | None:
        """The extremum of repeated elements: repeated axes need not be looked at."""
        kept, shape = m.attrs("t")["axes"], m.node("t").types[0].shape
        if 0 in shape:
            return None
        repeated = [a for a in m.attrs()["axes"] if a not in kept]
        if not repeated:
            return None
        inner = tuple(k for k, a in enumerate(kept) if a in m.attrs()["axes"])
        small = m.make(name, m["x"], axes=inner)
        left = [a for a in range(len(shape)) if a not in m.attrs()["axes"]]
        places = tuple(left.index(a) for a in kept if a not in m.attrs()["axes"])
        return m.make("broadcast", small, shape=m.root.types[0].shape, axes=places)

    return build


def _of_transpose(name: str) -> Callable[[Match], Value | None]:
    def build(m: Match) -> Value | None:
        """Reduced in place; the axes that stay are put in order afterwards."""
        order = m.attrs("t")["permutation"]
        axes = tuple(sorted(order[a] for a in m.attrs()["axes"]))
        small = m.make(name, m["x"], axes=axes)
        left = [k for k in order if k not in axes]
        rank = sorted(left)
        return m.make("transpose", small, permutation=tuple(rank.index(k) for k in left))

    return build


# -- dot_general -------------------------------------------------------------------------
def _operand_transposed(side: str) -> Callable[[Match], Value | None]:
    def build(m: Match) -> Value | None:
        """The axes are named as they are before the transpose, where free ones keep their order."""
        attrs = dict(m.attrs())
        order = m.attrs("t")["permutation"]
        names = (f"{side}_batch", f"{side}_contracting")
        free = free_axes(len(order), attrs[names[0]], attrs[names[1]])
        moved = [order[a] for a in free]
        if moved != sorted(moved):
            return None
        for name in names:
            attrs[name] = tuple(order[a] for a in attrs[name])
        operands = (m["x"], m["y"]) if side == "lhs" else (m["y"], m["x"])
        return m.make("dot_general", *operands, **attrs)

    return build


def _transposed(m: Match) -> Value | None:
    """Free axes of left and right swapped: the operands swap."""
    node = m.node("t")
    attrs = node.attrs
    left, right = node.inputs
    batch = len(attrs["lhs_batch"])
    n_left = len(left.shape) - batch - len(attrs["lhs_contracting"])
    rank = len(node.types[0].shape)
    swapped = (*range(batch), *range(batch + n_left, rank), *range(batch, batch + n_left))
    if m.attrs()["permutation"] != swapped:
        return None
    return m.make(
        "dot_general",
        right,
        left,
        lhs_contracting=attrs["rhs_contracting"],
        rhs_contracting=attrs["lhs_contracting"],
        lhs_batch=attrs["rhs_batch"],
        rhs_batch=attrs["lhs_batch"],
    )


# -- conv --------------------------------------------------------------------------------
def _conv_transposed(side: str) -> Callable[[Match], Value | None]:
    def build(m: Match) -> Value | None:
        """The layout names the axes as they are before the transpose."""
        layout, order = m.attrs()[side], m.attrs("t")["permutation"]
        before = "".join(layout[order.index(a)] for a in range(len(order)))
        operands = (m["x"], m["y"]) if side == "lhs" else (m["y"], m["x"])
        return m.make("conv", *operands, **{**m.attrs(), side: before})

    return build


def rules() -> Iterator[Rule]:
    """All of them."""
    for name in PLAIN:
        reduce = op(name)
        yield Rule(f"{name} over axes of size 1", reduce(x), _of_units)
        yield Rule(f"{name}({name}(x))", reduce(reduce(x, node="t")), _twice(name))
        yield Rule(f"{name}(transpose(x))", reduce(transpose(x, node="t")), _of_transpose(name))
    for name in IDEMPOTENT:
        yield Rule(f"{name}(broadcast(x))", op(name)(broadcast(x, node="t")), _of_broadcast(name))
    yield Rule(
        "dot_general(transpose(x), y)",
        dot_general(transpose(x, node="t"), y),
        _operand_transposed("lhs"),
    )
    yield Rule(
        "dot_general(y, transpose(x))",
        dot_general(y, transpose(x, node="t")),
        _operand_transposed("rhs"),
    )
    yield Rule("conv(transpose(x), y)", conv(transpose(x, node="t"), y), _conv_transposed("lhs"))
    yield Rule("conv(y, transpose(x))", conv(y, transpose(x, node="t")), _conv_transposed("rhs"))
    yield Rule("transpose(dot_general(x, y))", transpose(dot_general(x, y, node="t")), _transposed)
