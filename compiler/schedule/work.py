"""How much a program does, roughly: what decides how often loops look whether to stop.

Takes: a kernel-level Graph. Gives: machine operations. Must not know: schedules.
"""

from __future__ import annotations

import math

from ..graph import Graph
from ..library import LIBRARY, library_call
from .library import library_work
from .nest import body_work


def graph_work(graph: Graph) -> float:
    """Machine operations of a kernel-level graph; a loop counts as endless."""
    work = 0.0
    for node in graph.nodes:
        if node.op == "kernel":
            work += sum(body_work(g) * math.prod(g.dims) for g in node.attrs["kernel"].generics)
        elif node.op in LIBRARY:
            work += library_work(library_call(node))
        elif node.op == "while":
            return math.inf
        elif node.op == "cond":
            work += max(map(graph_work, node.attrs["branches"]))
    return work


def poll_interval(body: Graph) -> int:
    """Iterations between looks at whether to stop: about a millisecond of work, at most 65536."""
    return max(1, min(65536, int(2e6 / (10.0 + graph_work(body)))))
