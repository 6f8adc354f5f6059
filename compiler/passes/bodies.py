"""What one stage of a region computes, as a closed graph with the labels of all its axes.

Takes: a Region and what a stage gives. Gives: a Body, and `cut`, which writes it for a piece.
Must not know: how large pieces are, loops around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..graph import Builder, Graph, Node, Value
from ..mlir.ir import Loc
from ..opdef import OPS
from .cuts import ROW, Axes, backward, remade, width
from .regions import Region

_SOURCES = ("broadcast", "iota", "constant")


class UnfitError(Exception):
    """Pieces of some operand are not what a piece of the result needs."""


@dataclass
class Body:
    """A stage: `leaves` are the values outside that it reads, in the order of its parameters;
    `axes` are the labels of every node, `given` the values that its results stand for."""

    given: list[Value]
    graph: Graph
    leaves: list[Value]
    axes: dict[Node, Axes]
    replaced: set[Node]

    def cut(
        self,
        b: Builder,
        leaves: Sequence[Value],
        sizes: Mapping[int, int],
        starts: Mapping[int, Value],
    ) -> list[Value]:
        """The results for pieces of the leaves."""
        known = dict(zip(self.graph.params, leaves, strict=True))
        before = b.current
        for node in self.graph.nodes:
            b.current = self.graph.locs.get(node, ())
            inputs = [known[v] for v in node.inputs]
            known[node.result] = remade(b, node, inputs, self.axes[node], sizes, starts)
        b.current = before
        return [known[v] for v in self.graph.results]

    @property
    def leaf_axes(self) -> list[Axes]:
        return [self.axes[p.node] for p in self.graph.params]

    @property
    def result_axes(self) -> list[Axes]:
        return [self.axes[v.node] for v in self.graph.results]


@dataclass
class BodyMaker:
    """Copies what a stage computes into a graph of its own. `kept` collects the values per row
    that it takes from stages before it."""

    region: Region
    stage: int
    locs: Mapping[Node, tuple[Loc, ...]]
    b: Builder = field(default_factory=lambda: Builder(name="block"))
    kept: dict[Value, None] = field(default_factory=dict)
    leaves: dict[tuple[Value, Axes], Value] = field(default_factory=dict)
    made: dict[tuple[Value, Axes], Value] = field(default_factory=dict)
    axes: dict[Node, Axes] = field(default_factory=dict)
    replaced: set[Node] = field(default_factory=set)

    def make(self, given: list[Value]) -> Body:
        """The body that gives these values. UnfitError where there is none."""
        results = []
        for value in given:
            ends = self.region.exits.get(value.node)
            want = ends if ends is not None else self.region.axes[value.node]
            results.append(self._copy(value, want))
        leaves = [value for value, _ in self.leaves]
        return Body(given, self.b.graph(results), leaves, self.axes, self.replaced)

    def _value(self, value: Value, want: Axes) -> Value:
        key = (value, want)
        if key not in self.made:
            node, region = value.node, self.region
            inside = self._inside(value, want)
            self.made[key] = self._copy(value, want) if inside else self._leaf(key)
            if node in region.axes and not inside:
                self.kept[value] = None
        return self.made[key]

    def _inside(self, value: Value, want: Axes) -> bool:
        """Whether a value is computed in the body, rather than outside of it."""
        node, region = value.node, self.region
        if node in region.axes:
            return region.stages[node] == self.stage or region.is_wide(node)
        if node.op == "param" or node in region.exits or len(node.types) != 1:
            return False
        if node.op in _SOURCES:
            return node.op != "constant" or value.type.size == 1
        if ROW not in want or width(value.shape, want) <= region.limit:
            return False
        known = OPS[node.op].family == "elementwise" or node.op in (
            "transpose", "reshape", "dot_general",
        )  # fmt: skip
        return known and backward(node, want, [None] * len(node.inputs)) is not None

    def _copy(self, value: Value, want: Axes) -> Value:
        node, region = value.node, self.region
        if region.axes.get(node, want) != want:
            raise UnfitError
        rows = region.known(node) if node in region.axes or node in region.exits else None
        needed = backward(node, want, rows or [None] * len(node.inputs)) if node.inputs else []
        if needed is None:
            raise UnfitError
        inputs = tuple(self._value(v, axes) for v, axes in zip(node.inputs, needed, strict=True))
        copy = self.b.add(node.op, inputs, node.attrs, node.types, self.locs.get(node, ()))
        if self.axes.setdefault(copy, want) != want:
            raise UnfitError
        if width(value.shape, want) > region.limit and node.op not in _SOURCES:
            self.replaced.add(node)
        return copy.result

    def _leaf(self, key: tuple[Value, Axes]) -> Value:
        value, want = key
        self.leaves[key] = self.b.param(value.type)
        self.axes[self.leaves[key].node] = want
        return self.leaves[key]
