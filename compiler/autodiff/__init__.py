"""Differentiation and batching, each a pure function from Graph to Graph.

Takes: Graphs. Gives: `jvp_graph`, `linearize_graph`, `vjp_graph`, `value_and_grad_graph`,
`transpose_graph`, `batch_graph`; the same on values inside a Builder. Must not know: the frontend.
"""

from . import branches, calls, scan, sorting, spectra, while_loop
from .batch import batch_graph, batch_values
from .jvp import jvp_graph, jvp_values
from .transpose import transpose_graph, transpose_values
from .vjp import linearize_graph, value_and_grad_graph, vjp_graph

RULES = (branches, calls, scan, sorting, spectra, while_loop)
"""The modules that enter rules: for ops with bodies, and for `sort`, `eigh`, `svd`."""

__all__ = [
    "batch_graph",
    "batch_values",
    "jvp_graph",
    "jvp_values",
    "linearize_graph",
    "transpose_graph",
    "transpose_values",
    "value_and_grad_graph",
    "vjp_graph",
]
