"""The one place where the frontend asks the compiler for machine code.

Takes: a Graph (and a device name). Gives: an Executable, shared by graphs of equal structure, and
the text of any stage. Must not know: tensors, traces.
The code generators (and llvmlite with them) are imported when the first program is made.
"""

from __future__ import annotations

import importlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lazir.compiler.build import cached_program, compilation
from lazir.compiler.errors import LazirError
from lazir.compiler.graph import Graph
from lazir.compiler.ops.host import number_hosts
from lazir.compiler.target import Target, host_target, named_target
from lazir.compiler.types import TensorType
from lazir.runtime.callbacks import host_entry
from lazir.runtime.device import parse_device
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.forks import PROGRAMS, hold_in_forks
from lazir.runtime.program import ArraySpec

Array = np.ndarray[Any, Any]

_MOST_PROGRAMS = 1_024
_programs: OrderedDict[str, Executable] = OrderedDict()
_lock = threading.Lock()
hold_in_forks(_lock, PROGRAMS)
_compiled = 0


class Executable(Protocol):
    """What runs. `call` takes and gives lists of arrays; `call_fast` is a builtin that takes arrays
    and gives one (or a tuple), NotImplemented where an argument does not fit exactly; so is what
    `fast_donating` gives, which overwrites arguments."""

    def call(self, arrays: Sequence[Any], *, donate: Collection[int] = ()) -> list[Array]: ...

    def fast_donating(self, donate: Collection[int]) -> Callable[..., Any]: ...

    @property
    def call_fast(self) -> Callable[..., Any] | None: ...


def target_of(device: str | None) -> Target:
    """What code for a device is generated for: this processor, or the newest GPU we write for."""
    if device is None or parse_device(device).kind == "cpu":
        return host_target()
    return named_target("sm_90a")


def _require_cpu(device: str | None) -> None:
    """LazirError for a GPU: its programs are text so far; running on the CPU instead would be
    worse.
    """
    if device is not None and parse_device(device).kind != "cpu":
        raise LazirError(
            f"programs for {device} are compiled to PTX text but not run yet; read it with "
            "f.lower(...).ir('ptx'), or compile for device='cpu'"
        )


def compile(
    graph: Graph,
    device: str | None = None,
    scalars: frozenset[int] = frozenset(),
    donated: tuple[int, ...] = (),
) -> Executable:
    """The executable of `graph`, made once per structure and device.

    `scalars` numbers the inputs that `call_fast` takes as Python numbers, `donated` those in whose
    places results may be made.
    """
    global _compiled
    _require_cpu(device)
    graph, hosts = number_hosts(graph)
    numbers = f" {[int(h) for h in hosts]}" if hosts else ""
    key = f"{device or 'cpu'} {sorted(scalars)} {donated} {graph.fingerprint}{numbers}"
    with _lock:
        found = _programs.get(key)
        if found is not None:
            _programs.move_to_end(key)
            return found
    program = cached_program(graph, host_target(), donated)
    callbacks = [host_entry(h.run, _specs(h.params), _specs(h.results)) for h in hosts]
    made: Executable = LoadedProgram(program, scalars=scalars, callbacks=callbacks)
    with _lock:
        _compiled += 1
        _programs[key] = made
        while len(_programs) > _MOST_PROGRAMS:
            _programs.popitem(last=False)
    return made


def freeze(graph: Graph, free: int) -> tuple[Graph, Graph, tuple[int, ...]]:
    """`graph` in two, where its parameters from number `free` on never change: what is computed of
    them once; the rest; and which of them the rest takes as they are, before those results."""
    module = importlib.import_module("lazir.compiler.frozen")
    graph, _ = number_hosts(graph)
    parts = module.freeze(graph, free, host_target())
    return parts.before, parts.after, parts.kept


def _specs(types: Sequence[TensorType]) -> list[ArraySpec]:
    """The arrays that stand for values of these types."""
    return [ArraySpec(t.dtype.numpy_name, t.shape) for t in types]


def compiled_count() -> int:
    """How many programs were compiled in this process."""
    return _compiled


def clear() -> None:
    """Forget all programs."""
    with _lock:
        _programs.clear()


def text(
    graph: Graph,
    stage: str,
    device: str | None = None,
    locations: bool = False,
    donated: tuple[int, ...] = (),
) -> str:
    """The text of a stage of a graph; with `locations`, each operation shows the user's line."""
    graph, _ = number_hosts(graph)
    return compilation(graph, target_of(device), donated).text(stage, locations=locations)  # type: ignore[no-any-return]


def export(
    graph: Graph,
    folder: Path,
    name: str,
    constants: Sequence[Array],
    target: str,
    donated: tuple[int, ...] = (),
) -> list[Path]:
    """Object file and C header of a graph; `constants` are bound to its last inputs."""
    module = importlib.import_module("lazir.compiler.export")
    graph, _ = number_hosts(graph)
    place = host_target() if target == "host" else named_target(target)
    return module.export(compilation(graph, place, donated), folder, name, constants)  # type: ignore[no-any-return]


def memory(graph: Graph, donated: tuple[int, ...] = ()) -> Any:
    """The `MemoryStats` of a graph's program."""
    module = importlib.import_module("lazir.compiler.memory")
    graph, _ = number_hosts(graph)
    return module.memory_stats(compilation(graph, host_target(), donated))


def explain(graph: Graph, device: str | None = None, donated: tuple[int, ...] = ()) -> str:
    """What the program of a graph consists of: a line for each kernel, with work and traffic."""
    module = importlib.import_module("lazir.compiler.explain")
    graph, _ = number_hosts(graph)
    report = module.explain(compilation(graph, target_of(device), donated), measure=False)
    lines = [
        f"{report.operations} operations in {len(report.steps)} kernels; "
        f"{report.input_bytes} bytes in, {report.output_bytes} bytes out, "
        f"{report.workspace_bytes} bytes of workspace"
    ]
    if report.memory is not None:
        lines.append(f"  {report.memory}")
    for step in report.steps:
        place = f"  {step.locs[0].file}:{step.locs[0].line}" if step.locs else ""
        work = "" if step.flops != step.flops else f", {step.flops:.3g} flops, {step.nbytes} bytes"
        lines.append(f"  {step.name}: {step.kind}{work}{place}")
    return "\n".join(lines)
