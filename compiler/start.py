"""Where a compilation starts: with a Graph, or with what was read from the text of a stage.

Takes: a Graph or a Module. Gives: Start. Reading text is `reenter.py`'s: most compilations never
do, and need not load a parser. Must not know: text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import VerifyError
from .graph import Graph
from .mlir.ir import Module, Op
from .types import FunctionType, TensorType, i8, token

READABLE = ("graph", "optimized", "kernels", "loops")
"""The stages whose text can be read back."""
DONATED = "lz.donated"
"""The attribute of the program's function that numbers the arguments that are given away."""
ALIASES = "lz.aliases"
"""The same at the stage loops: result, argument, result, argument, … in pairs of one place."""


@dataclass(frozen=True)
class Start:
    """What a compilation starts from: a Graph, or at the stage loops a Module.

    `types` are the program's own, with bools and unsigned integers. `donated` numbers the
    parameters in whose places results may be made.
    """

    stage: str
    name: str
    types: FunctionType
    graph: Graph | None = None
    module: Module | None = None
    donated: tuple[int, ...] = ()


def start_of(graph: Graph, stage: str = "graph", donated: Iterable[int] = ()) -> Start:
    """A start with a Graph of ops. A token comes and goes as a byte."""
    params, results = (
        tuple(TensorType((), i8) if t.dtype is token else t for t in side)
        for side in (graph.param_types, graph.result_types)
    )
    types = FunctionType(params, results)
    return Start(stage, graph.name, types, graph, donated=tuple(sorted(donated)))


def integers(op: Op, name: str) -> tuple[int, ...]:
    """An attribute that lists integers; VerifyError where it is something else."""
    found = op.attrs.get(name, ())
    if not isinstance(found, tuple) or not all(type(k) is int for k in found):
        raise VerifyError(
            f"{name} lists integers: array<i64: 0, 1>", op.locs[0] if op.locs else None
        )
    return found


def alias_pairs(main: Op) -> tuple[tuple[int, int], ...]:
    """The pairs (result, argument) of a main function of the stage loops that may be one buffer."""
    found = integers(main, ALIASES)
    return tuple(zip(found[::2], found[1::2], strict=True))
