"""The one place where the frontend asks the compiler for machine code.

Takes: a Graph (and a device name). Gives: an Executable, shared by graphs of equal structure, and the
text of any stage. Must not know: tensors, traces.
The code generators (and llvmlite with them) are imported when the first program is made.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import numpy as np

from lazir.compiler.graph import Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.text import graph_to_module

Array = np.ndarray[Any, Any]

_MOST_PROGRAMS = 1_024
_programs: OrderedDict[str, Executable] = OrderedDict()
_lock = threading.Lock()
_compiled = 0


class Executable(Protocol):
    """What runs. `call` takes and gives lists of arrays; `call_fast` is a builtin that takes arrays and
    gives one (or a tuple), NotImplemented where an argument does not fit exactly."""

    def call(self, arrays: Sequence[Any], *, donate: Collection[int] = ()) -> list[Array]: ...

    @property
    def call_fast(self) -> Callable[..., Any] | None: ...


class _Interpreted:
    """DEVELOPMENT: runs the reference interpreter until `compiler.pipeline` makes every program."""

    call_fast: Callable[..., Any] | None = None

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def call(self, arrays: Sequence[Any], *, donate: Collection[int] = ()) -> list[Array]:
        ready = [np.asarray(a, t.dtype.numpy) for a, t in zip(arrays, self._graph.param_types)]
        return [np.array(r) for r in interpret(self._graph, ready)]


def _make(graph: Graph) -> Any:
    if os.environ.get("LAZIR_ENGINE") == "interpret":
        return _Interpreted(graph)
    return importlib.import_module("lazir.compiler.pipeline").compile_graph(graph)


def compile(graph: Graph, device: str | None = None) -> Executable:
    """The executable of `graph`, made once per structure and device."""
    global _compiled
    key = f"{device or 'cpu'} {graph.fingerprint}"
    with _lock:
        found = _programs.get(key)
        if found is not None:
            _programs.move_to_end(key)
            return found
    made: Executable = _make(graph)
    with _lock:
        _compiled += 1
        _programs[key] = made
        while len(_programs) > _MOST_PROGRAMS:
            _programs.popitem(last=False)
    return made


def compiled_count() -> int:
    """How many programs were compiled in this process."""
    return _compiled


def clear() -> None:
    """Forget all programs."""
    with _lock:
        _programs.clear()


def text(graph: Graph, stage: str, device: str | None = None) -> str:
    """The text of a stage (`graph`, `optimized`, `kernels`, `loops`, `llvm`, `asm`) of a graph."""
    if stage == "graph":
        return print_module(graph_to_module(graph))
    pipeline = importlib.import_module("lazir.compiler.pipeline")
    return pipeline.stage_text(graph, stage)  # type: ignore[no-any-return]


def explain(graph: Graph, device: str | None = None) -> str:
    """What a graph consists of, one op a line with how often it comes."""
    counts = Counter(node.op for part in graph.walk() for node in part.nodes)
    lines = [f"{len(graph.params)} inputs, {len(graph.results)} results, {counts.total()} operations"]
    lines += [f"  {op}: {count}" for op, count in sorted(counts.items(), key=lambda p: (-p[1], p[0]))]
    return "\n".join(lines)
