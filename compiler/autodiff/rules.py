"""The rules of ops that carry Graphs: what the transforms consult where a body has to be rewritten.

Takes: entries from `branches.py`, `scan.py`, `while_loop.py`, `calls.py`. Gives: dicts, op to rule.
Must not know: how a transform walks a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..graph import Builder, Node, Value
from ..opdef import BODY_RULES, Batch, BodyRules, Tangents, Transpose
from .reach import REACH, Reach

Together: TypeAlias = Callable[
    [Builder, Node, Sequence[Value], Tangents], tuple[Sequence[Value], Tangents]
]
"""`(builder, node, inputs, input tangents)` to outputs and output tangents, computed together."""

Split: TypeAlias = Callable[[Builder, Node, Sequence[bool]], Sequence[Value]]
"""`(builder, node, which inputs are unknown)` to the node's results, rebuilt so that whatever can
be had from the known inputs alone does not depend on the unknown ones."""

LINEARISE: dict[str, Together] = {}
SPLIT: dict[str, Split] = {}


def enter(
    op: str,
    *,
    linearise: Together | None = None,
    split: Split | None = None,
    transpose: Transpose | None = None,
    batch: Batch | None = None,
    reach: Callable[[Node, Sequence[bool], Reach], list[bool]] | None = None,
) -> None:
    """Enter the rules of an op; those of its record that are left to the layer above come along."""

    def tangents(
        b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
    ) -> Tangents:
        return LINEARISE[op](b, node, xs, ts)[1]

    if linearise is not None:
        LINEARISE[op] = linearise
    if reach is not None:
        REACH[op] = reach
    if split is not None:
        SPLIT[op] = split
    if linearise or transpose or batch:
        BODY_RULES[op] = BodyRules(tangents if linearise else None, transpose, batch)
