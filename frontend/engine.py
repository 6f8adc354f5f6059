"""The one place where the frontend asks the compiler for machine code.

Takes: a Graph (and a device name). Gives: an Executable, shared by graphs of equal structure.
Must not know: tensors, traces.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from lazir.compiler.graph import Graph
from lazir.compiler.interpret import interpret

Array = np.ndarray[Any, Any]

_MOST_PROGRAMS = 1_024
_programs: OrderedDict[str, Executable] = OrderedDict()
_lock = threading.Lock()
_compiled = 0


class Executable(Protocol):
    """What runs: `call` takes and gives lists of arrays; `fast` is a builtin, None where there is none."""

    def call(self, arrays: Sequence[Any]) -> list[Array]: ...

    @property
    def fast(self) -> Callable[..., Any] | None: ...


class _Interpreted:
    """DEVELOPMENT: runs the reference interpreter until `compiler.pipeline.compile_graph` is there."""

    fast: Callable[..., Any] | None = None

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def call(self, arrays: Sequence[Any]) -> list[Array]:
        ready = [np.asarray(a, t.dtype.numpy) for a, t in zip(arrays, self._graph.param_types)]
        return [np.array(r) for r in interpret(self._graph, ready)]


def compile(graph: Graph, device: str | None = None) -> Executable:
    """The executable of `graph`, made once per structure and device."""
    global _compiled
    key = f"{device or 'cpu'} {graph.fingerprint}"
    with _lock:
        found = _programs.get(key)
        if found is not None:
            _programs.move_to_end(key)
            return found
    made = _Interpreted(graph)
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
