"""The graph passes, in order: from the `graph` stage to the `optimized` one.

Takes and gives: Graph. Each pass is a pure function with a before and after in its docstring; all
but the required ones can be left out without other results. Must not know: kernels, targets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from ..collector import paused
from ..graph import Graph
from .blocks import make_blocks
from .decompose import decompose
from .enter import enter
from .fold import fold
from .hoist import hoist
from .narrow import narrow
from .simplify import simplify
from .sink import sink_reshapes
from .split import split_complex
from .trim import trim

GRAPH_PASSES: dict[str, Callable[[Graph], Graph]] = {
    "decompose": decompose,
    "split": split_complex,
    "fold": fold,
    "simplify": simplify,
    "narrow": narrow,
    "enter": enter,
    "trim": trim,
    "hoist": hoist,
    "sink": sink_reshapes,
    "blocks": make_blocks,
}
"""By name, in the order in which they run."""

REQUIRED = frozenset({"decompose", "split"})
"""Passes that later stages count on."""


def _verifier() -> Callable[[Graph], None]:
    """The graph verifier; imported when asked for, since it brings the printer along."""
    from ..verify import verify_graph

    return verify_graph


def optimize(graph: Graph, leave_out: Iterable[str] = ()) -> Graph:
    """`graph` after all passes but those named in `leave_out`.

    With LAZIR_VERIFY=1 in the environment the graph is verified before and after each. ValueError
    for a name that is no pass, or a pass that is required.
    """
    skipped = frozenset(leave_out)
    unknown = sorted(skipped - GRAPH_PASSES.keys())
    if unknown:
        raise ValueError(f"no such pass: {', '.join(unknown)}; there are {', '.join(GRAPH_PASSES)}")
    if skipped & REQUIRED:
        raise ValueError(f"cannot leave out {', '.join(sorted(skipped & REQUIRED))}")
    with paused():
        return _run(graph, skipped)


def _run(graph: Graph, skipped: frozenset[str]) -> Graph:
    check = _verifier() if os.environ.get("LAZIR_VERIFY", "") not in ("", "0") else None
    if check is not None:
        check(graph)
    for name, run in GRAPH_PASSES.items():
        if name in skipped:
            continue
        graph = run(graph)
        if check is not None:
            check(graph)
    return graph


__all__ = ["GRAPH_PASSES", "REQUIRED", "optimize"]
