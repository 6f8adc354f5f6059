"""How much a program does, roughly: what decides how often loops look whether to stop.

Takes: a kernel-level Graph. Gives: machine operations. Must not know: schedules.
"""

from __future__ import annotations

import math

from ..graph import Graph, Node
from ..library import LIBRARY, library_call
from .counted import counted
from .library import library_work
from .nest import body_work


def graph_work(graph: Graph) -> float:
    """Machine operations of a kernel-level graph, without loops that have no fixed bounds: they
    look for themselves whether to stop."""
    work = 0.0
    for node in graph.nodes:
        if node.op == "kernel":
            work += sum(body_work(g) * math.prod(g.dims) for g in node.attrs["kernel"].generics)
        elif node.op in LIBRARY:
            work += library_work(library_call(node))
        elif node.op == "while":
            work += _rounds(node) * graph_work(node.attrs["body"])
        elif node.op == "cond":
            work += max(map(graph_work, node.attrs["branches"]))
    return work


def _rounds(node: Node) -> int:
    found = counted(node)
    if found is None or found.start is None or found.operand is not None:
        return 0
    return max(found.bound - found.start, 0)


def poll_interval(body: Graph) -> int:
    """Iterations between looks at whether to stop: about a millisecond of work, at most 65536."""
    return max(1, min(65536, int(2e6 / (10.0 + graph_work(body)))))
