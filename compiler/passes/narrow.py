"""What the ranges of integers decide: comparisons, selections, extrema, remainders.

    i in [0, n):   select(i < 0, i + n, i)   →   i
                   minimum(i, n − 1)         →   i

Ranges come from constants, iota and arithmetic on them, and in a loop's body from the loop: its
counter lies between its bounds. Takes and gives: Graph. Must not know: other passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import Graph, Node, Value
from ..opdef import OPS
from ..ops.source import constant
from ..ranges import Ranges
from ..rewrite import Editor

_DECIDED = (
    "select", "maximum", "minimum", "rem", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "bit_and", "bit_or", "bit_xor", "bit_not",
)  # fmt: skip


def narrow(graph: Graph) -> Graph:
    """`graph` without what the ranges of its integers decide, in bodies too."""
    return _narrow(Ranges(graph))


def _narrow(ranges: Ranges) -> Graph:
    editor = Editor(ranges.graph)

    def replace(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if node.op == "param":
            return None
        if OPS[node.op].family == "control":
            attrs = _bodies(node, ranges)
            if attrs is node.attrs:
                return None
            return editor.add(node.op, inputs, attrs, node.types, editor.current).results
        found = _decided(editor, node, inputs, ranges) if node.op in _DECIDED else None
        return None if found is None else [found]

    return editor.edit(replace)


def _bodies(node: Node, ranges: Ranges) -> Mapping[str, Any]:
    """The attributes with narrowed bodies; the same if none changes."""
    fresh: dict[str, Any] = {}
    for label, value in node.attrs.items():
        if isinstance(value, Graph):
            made: Any = _narrow(ranges.inside(node, label))
            if made is not value:
                fresh[label] = made
        elif isinstance(value, tuple) and value and isinstance(value[0], Graph):
            bodies = tuple(_narrow(ranges.inside(node, label, k)) for k in range(len(value)))
            if any(a is not b for a, b in zip(bodies, value)):
                fresh[label] = bodies
    return {**node.attrs, **fresh} if fresh else node.attrs


def _decided(editor: Editor, node: Node, inputs: tuple[Value, ...], ranges: Ranges) -> Value | None:
    """What the node's result is equal to, None where nobody knows."""
    if node.op == "select":
        low, high = ranges.of(node.inputs[0])
        return inputs[2 - low] if low == high else None
    type = node.types[0]
    if not (type.dtype.is_integer or type.dtype.is_bool) or not type.size:
        return None
    low, high = ranges.of(node.result)
    if low == high:
        return constant(editor, low, type.dtype, type.shape)
    if node.op in ("maximum", "minimum", "rem"):
        a, b = (ranges.of(v) for v in node.inputs)
        if node.op == "rem":
            return inputs[0] if -b[0] < a[0] and a[1] < b[0] else None
        first, second = a[0] >= b[1], b[0] >= a[1]  # whether it is surely not less
        if node.op == "minimum":
            first, second = second, first
        return inputs[0] if first else inputs[1] if second else None
    return None
