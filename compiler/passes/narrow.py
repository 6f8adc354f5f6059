"""What the ranges of integers decide: comparisons, selections, extrema, remainders.

    i in [0, n):   select(i < 0, i + n, i)   →   i
                   minimum(i, n − 1)         →   i
    iota < iota of i64                       →   of i32, of which vectors hold twice as many

Ranges come from constants, iota and arithmetic on them, and in a loop's body from the loop: its
counter lies between its bounds. Takes and gives: Graph. Must not know: other passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import Graph, Node, Value
from ..opdef import OPS
from ..ops.source import constant, iota
from ..ranges import Ranges
from ..rewrite import Editor
from ..types import i32, i64

_DECIDED = (
    "select", "maximum", "minimum", "rem", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "bit_and", "bit_or", "bit_xor", "bit_not",
)  # fmt: skip

_COMPARES = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


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
        if found is None and node.op in _COMPARES:
            found = _in_words(editor, node, ranges)
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


def _in_words(editor: Editor, node: Node, ranges: Ranges) -> Value | None:
    """A comparison of places (i64) as one of i32, where all that they are made of fits that."""
    if node.inputs[0].type.dtype is not i64 or node.types[0].size < 2:
        return None
    words = []
    for value in node.inputs:
        word = _word(editor, value, ranges)
        if word is None:
            return None
        words.append(word)
    return OPS[node.op](editor, *words)


def _word(editor: Editor, value: Value, ranges: Ranges) -> Value | None:
    """An i64 value as i32: made of what is the same at every point, and of iota."""
    low, high = ranges.of(value)
    if low < -(1 << 31) or high >= 1 << 31:
        return None
    node = value.node
    if node.op == "iota":
        return iota(editor, **{**node.attrs, "dtype": i32})
    if node.op == "broadcast" or node.op in ("add", "sub"):
        words = [_word(editor, v, ranges) for v in node.inputs]
        if any(word is None for word in words):
            return None
        return OPS[node.op](editor, *(w for w in words if w is not None), **node.attrs)
    if value.type.size == 1:
        return OPS["convert"](editor, value, dtype=i32)
    return None
