"""Cuts a map where its body asks on which side of a bound an index is: concatenations, padding,
rolls.

Takes: an all-parallel Generic. Gives: Generics over parts of its space, in each of which those
questions are answered, clamps are gone and reads at clamped places are plain ones again. Parts that
would repeat each other's work are one Generic, with the outputs of each (`jam.py`).
Must not know: loops.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Builder, Graph, Node, Value
from ..kernel import Generic, Output, Read
from ..mlir.ir import AffineMap, Dense
from ..scalars import scalar_type
from ..types import i1, index
from .jam import jam

MIN_POINTS = 2048
"""Smaller maps are not worth more code."""
MIN_PAIRS = 32
"""The same where the last axis has two places, such as those of complex numbers."""
MAX_PIECES = 12
MAX_IN_ALL = 40
MAX_NODES = 800
"""Bounds on the number of pieces that are cut at once, on those of all, and on the operations of
all together."""

Range = tuple[int, int]


@dataclass(frozen=True)
class Form:
    """An index that is linear in the point: Σ coefficients[d]·d + constant."""

    coefficients: tuple[int, ...]
    constant: int

    def plus(self, other: Form) -> Form:
        pairs = zip(self.coefficients, other.coefficients)
        return Form(tuple(a + b for a, b in pairs), self.constant + other.constant)

    def times(self, factor: int) -> Form:
        return Form(tuple(c * factor for c in self.coefficients), self.constant * factor)

    def span(self, ranges: Sequence[Range]) -> Range:
        """The least and the largest value over the ranges (upper bounds excluded)."""
        low = high = self.constant
        for c, (start, stop) in zip(self.coefficients, ranges):
            ends = (c * start, c * (stop - 1))
            low, high = low + min(ends), high + max(ends)
        return low, high


def pieces(generic: Generic) -> list[Generic]:
    """The parts of the map, or the map alone where cutting does not pay."""
    points = int(np.prod(generic.dims, dtype=np.int64))
    least = MIN_PAIRS if generic.dims[-1:] == (2,) else MIN_POINTS
    cuts = _cuts(generic) if points >= least else {}
    if not cuts:
        return [generic]
    chosen = _affordable(generic, cuts)
    if not chosen:
        return [generic]
    segments = []
    for d, n in enumerate(generic.dims):
        bounds = [0, *sorted(chosen.get(d, ())), n]
        segments.append(list(itertools.pairwise(bounds)))
    parts = jam([_Piece(generic, ranges).write() for ranges in itertools.product(*segments)])
    if chosen != cuts:  # each part has fewer cuts of its own
        parts = [smaller for part in parts for smaller in pieces(part)]
    fits = len(parts) <= MAX_IN_ALL and sum(len(p.body.nodes) for p in parts) <= MAX_NODES
    return parts if fits else [generic]


def _affordable(generic: Generic, cuts: dict[int, set[int]]) -> dict[int, set[int]]:
    """All cuts, if they make few pieces; else those of one dim, which leaves fewer for the pieces:
    stacked arrays that are shifted each in its own way fall apart before they are cut by rows.
    """

    def count(some: dict[int, set[int]]) -> int:
        return math.prod(len(at) + 1 for at in some.values())

    def few(some: dict[int, set[int]]) -> bool:
        return count(some) <= MAX_PIECES and (
            count(some) * len(generic.body.nodes) <= MAX_PIECES * MAX_NODES
        )

    if few(cuts):
        return cuts
    alone = [{d: at} for d, at in sorted(cuts.items()) if few({d: at})]
    return max(alone, key=count) if alone else {}


# -- where to cut -------------------------------------------------------------------------
def _cuts(generic: Generic) -> dict[int, set[int]]:
    """Places of each dim where an answer changes: always along the innermost dim, along others only
    where the body chooses between several reads."""
    rank = len(generic.dims)
    forms: dict[Value, Form | None] = {}
    found: dict[int, set[int]] = {}
    for node in generic.body.nodes:
        forms[node.result] = _form(node, forms, rank, through_clamps=True)
        for place in _bounds(node, forms):
            dim, at = place
            if 0 < at < generic.dims[dim]:
                found.setdefault(dim, set()).add(at)
    wide = [d for d, n in enumerate(generic.dims) if n != 1]
    names = [n.op for n in generic.body.nodes]
    several = names.count("tensor.extract") > 1 or names.count("arith.select") > 1
    if not wide or not (several or wide[-1] in found):
        return {}
    return {d: at for d, at in found.items() if several or d == wide[-1]}


def _form(
    node: Node, forms: dict[Value, Form | None], rank: int, *, through_clamps: bool
) -> Form | None:
    """The linear form of an index computed in a body, or None. With `through_clamps` a clamped
    index counts as the index itself."""
    if node.types[0].dtype is not index:
        return None
    zero = (0,) * rank
    if node.op == "arith.constant":
        return Form(zero, int(node.attrs["value"].data))
    if node.op == "linalg.index":
        return Form(tuple(int(d == node.attrs["dim"]) for d in range(rank)), 0)
    if len(node.inputs) != 2:
        return None
    a, b = forms.get(node.inputs[0]), forms.get(node.inputs[1])
    if a is None or b is None:
        return None
    if node.op == "arith.addi":
        return a.plus(b)
    if node.op == "arith.subi":
        return a.plus(b.times(-1))
    if node.op == "arith.muli" and not any(b.coefficients):
        return a.times(b.constant)
    if through_clamps and node.op in ("arith.maxsi", "arith.minsi") and not any(b.coefficients):
        return a
    return None


def _bounds(node: Node, forms: dict[Value, Form | None]) -> list[tuple[int, int]]:
    """(dim, place): from `place` on the node's answer may be another."""
    if node.op not in ("arith.maxsi", "arith.minsi", "arith.cmpi"):
        return []
    a, b = (forms.get(v) for v in node.inputs)
    if a is None or b is None or any(b.coefficients):
        return []
    dims = [d for d, c in enumerate(a.coefficients) if c]
    if len(dims) != 1 or abs(a.coefficients[dims[0]]) != 1:
        return []
    (dim,) = dims
    upward = a.coefficients[dim] == 1
    meets = b.constant - a.constant if upward else a.constant - b.constant  # d where they are equal
    if node.op == "arith.cmpi" and node.attrs["predicate"] in ("eq", "ne"):
        return [(dim, meets), (dim, meets + 1)]
    from_equal = node.op == "arith.maxsi" or node.attrs.get("predicate") in ("slt", "sge")
    return [(dim, meets if from_equal == upward else meets + 1)]


# -- one piece ----------------------------------------------------------------------------
class _Piece:
    """Rewrites the body for the points of `ranges`, numbered from 0 again."""

    def __init__(self, generic: Generic, ranges: Sequence[Range]) -> None:
        self.generic = generic
        self.ranges = tuple(ranges)
        self.b = Builder(name="body")
        self.reads: dict[tuple[int, AffineMap | None], Value] = {}
        self.new: dict[Value, Value] = {}
        self.forms: dict[Value, Form | None] = {}

    def write(self) -> Generic:
        """The piece as a Generic of its own, which writes into the same outputs."""
        generic = self.generic
        count = len(generic.reads)
        self.sources = dict(zip(generic.body.params[:count], generic.reads))
        for node in generic.body.nodes:
            self._node(node)
        results = [self._value(v) for v in generic.body.results]
        reads = tuple(Read(source, map) for source, map in self.reads)
        params = list(self.reads.values()) + [
            self.b.param(p.type) for p in generic.body.params[count:]
        ]
        outs = tuple(
            Output(o.type, self._shifted(o.map)) for o in generic.outs if o.map is not None
        )
        dims = tuple(stop - start for start, stop in self.ranges)
        body = Graph("body", params, results, self.b.locs)
        return Generic(dims, generic.kinds, reads, body, outs)

    def _shifted(self, map: AffineMap) -> AffineMap:
        """The map on points numbered from the start of the piece."""
        rows = tuple(
            (cs, k + sum(c * start for c, (start, _) in zip(cs, self.ranges))) for cs, k in map.rows
        )
        return AffineMap(map.dims, rows)

    def _value(self, value: Value) -> Value:
        """The piece's scalar for one of the body's; a parameter becomes a read when first used."""
        if value not in self.new:
            read = self.sources[value]
            map = None if read.map is None else self._shifted(read.map)
            self.new[value] = self._read(read.source, map, value)
        return self.new[value]

    def _read(self, source: int, map: AffineMap | None, like: Value) -> Value:
        key = (source, map)
        if key not in self.reads:
            type = like.type if map is None else scalar_type(like.type.dtype)
            self.reads[key] = self.b.param(type)
        return self.reads[key]

    def _node(self, node: Node) -> None:
        self.forms[node.result] = _form(node, self.forms, len(self.ranges), through_clamps=False)
        decided = self._decided(node)
        if decided is not None:
            self.new[node.result] = decided
            return
        form = self.forms[node.result]
        if form is not None and node.op in ("arith.addi", "arith.subi"):
            self.new[node.result] = self._written(form)
            return
        inputs = tuple(self._value(v) for v in node.inputs)
        made = self.b.add(node.op, inputs, node.attrs, node.types).result
        start = self.ranges[node.attrs["dim"]][0] if node.op == "linalg.index" else 0
        if start:
            made = self.b.add("arith.addi", (made, self._constant(start)), {}, node.types).result
        self.new[node.result] = made

    def _written(self, form: Form) -> Value:
        """An index in its plain form, the same in every piece that it is the same in."""
        kind = (scalar_type(index),)
        total = self._constant(
            form.constant + sum(c * start for c, (start, _) in zip(form.coefficients, self.ranges))
        )
        for dim, c in enumerate(form.coefficients):
            if c:
                term = self.b.add("linalg.index", (), {"dim": dim}, kind).result
                if c != 1:
                    term = self.b.add("arith.muli", (term, self._constant(c)), {}, kind).result
                zero = total.op == "arith.constant" and not total.node.attrs["value"].data
                total = term if zero else self.b.add("arith.addi", (term, total), {}, kind).result
        return total

    def _constant(self, value: int) -> Value:
        type = scalar_type(index)
        attrs = {"value": Dense(type, np.asarray(value, np.int64))}
        return self.b.add("arith.constant", (), attrs, (type,)).result

    def _flag(self, value: bool) -> Value:
        type = scalar_type(i1)
        attrs = {"value": Dense(type, np.asarray(value))}
        return self.b.add("arith.constant", (), attrs, (type,)).result

    # -- what the ranges decide -------------------------------------------------------------
    def _decided(self, node: Node) -> Value | None:
        """The node's value where the ranges settle it, or None."""
        if node.op in ("arith.maxsi", "arith.minsi"):
            return self._clamp(node)
        if node.op == "arith.cmpi":
            return self._comparison(node)
        if node.op == "arith.select":
            known = self._known(node.inputs[0])
            if known is None:
                return None
            self.forms[node.result] = self.forms.get(node.inputs[2 - known])
            return self._value(node.inputs[2 - known])
        if node.op in ("arith.andi", "arith.ori") and node.types[0].dtype is i1:
            return self._logic(node)
        if node.op == "tensor.extract":
            return self._extract(node)
        return None

    def _spans(self, node: Node) -> tuple[Range, Range] | None:
        a, b = (self.forms.get(v) for v in node.inputs)
        return None if a is None or b is None else (a.span(self.ranges), b.span(self.ranges))

    def _clamp(self, node: Node) -> Value | None:
        spans = self._spans(node)
        if spans is None:
            return None
        (a_low, a_high), (b_low, b_high) = spans
        if node.op == "arith.minsi":
            a_low, a_high, b_low, b_high = -a_high, -a_low, -b_high, -b_low
        pick = 0 if a_low >= b_high else 1 if b_low >= a_high else None
        if pick is None:
            return None
        self.forms[node.result] = self.forms[node.inputs[pick]]
        return self._value(node.inputs[pick])

    def _comparison(self, node: Node) -> Value | None:
        spans = self._spans(node)
        if spans is None:
            return None
        (a_low, a_high), (b_low, b_high) = spans
        predicate: str = node.attrs["predicate"]
        if predicate in ("eq", "ne"):
            same = self.forms[node.inputs[0]] == self.forms[node.inputs[1]]
            if not same and not (a_high < b_low or b_high < a_low):
                return None
            return self._flag(same == (predicate == "eq"))
        if predicate in ("slt", "sge"):
            less = True if a_high < b_low else False if a_low >= b_high else None
            return None if less is None else self._flag(less == (predicate == "slt"))
        if predicate in ("sgt", "sle"):
            more = True if a_low > b_high else False if a_high <= b_low else None
            return None if more is None else self._flag(more == (predicate == "sgt"))
        return None

    def _known(self, value: Value) -> bool | None:
        """The truth of a condition, where it is settled."""
        made = self.new.get(value)
        if made is None or made.op != "arith.constant":
            return None
        return bool(made.node.attrs["value"].data)

    def _logic(self, node: Node) -> Value | None:
        absorbing = node.op == "arith.ori"
        for mine, other in (node.inputs, node.inputs[::-1]):
            known = self._known(mine)
            if known is not None:
                return self._flag(absorbing) if known == absorbing else self._value(other)
        return None

    def _extract(self, node: Node) -> Value | None:
        """A read at linear places is a plain one."""
        array, *at = node.inputs
        forms = [self.forms.get(v) for v in at]
        if array not in self.sources or any(f is None for f in forms):
            return None
        rows = tuple((f.coefficients, f.constant) for f in forms if f is not None)
        map = self._shifted(AffineMap(len(self.ranges), rows))
        return self._read(self.sources[array].source, map, array)
