"""Where a compilation starts: with a Graph, or with what was read from the text of a stage.

Takes: a Graph or a Module. Gives: Start. Reading text is `reenter.py`'s: most compilations never
do, and need not load a parser. Must not know: text.
"""

from __future__ import annotations

from dataclasses import dataclass

from .graph import Graph
from .mlir.ir import Module
from .types import FunctionType, TensorType, i8, token

READABLE = ("graph", "optimized", "kernels", "loops")
"""The stages whose text can be read back."""


@dataclass(frozen=True)
class Start:
    """What a compilation starts from: a Graph, or at the stage loops a Module.

    `types` are the program's own, with bools and unsigned integers.
    """

    stage: str
    name: str
    types: FunctionType
    graph: Graph | None = None
    module: Module | None = None


def start_of(graph: Graph, stage: str = "graph") -> Start:
    """A start with a Graph of ops. A token comes and goes as a byte."""
    params, results = (
        tuple(TensorType((), i8) if t.dtype is token else t for t in side)
        for side in (graph.param_types, graph.result_types)
    )
    return Start(stage, graph.name, FunctionType(params, results), graph)
