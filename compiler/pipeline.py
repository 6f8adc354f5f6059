"""The stages in order, each a pure function: graph → optimized → kernels → loops → llvm → asm.

Takes: a Graph and a Target. Gives: what stands at each stage, and a Program to run.
Must not know: tracing, arrays.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import llvmlite
import numpy as np

from lazir.runtime.cache import DiskCache, key, source_hash
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.program import ArraySpec, Program

from . import ops as _ops  # noqa: F401  fills the op table
from .codegen.llvm import emit_llvm
from .codegen.machine import assembly, compile_ir
from .fuse.kernels import to_kernels
from .graph import Graph
from .kernel import symbol
from .mlir.ir import Module
from .passes import optimize
from .schedule.program import graph_work, lower_program
from .target import Target, host_target
from .types import TensorType

SHORT_WORK = 50_000.0
"""Machine operations (some 20 µs) up to which a program runs without letting go of the GIL."""

STAGES = ("graph", "optimized", "kernels", "loops", "llvm", "asm")
"""The names of the stages, in order."""


@dataclass(frozen=True)
class Compilation:
    """One Graph on its way to machine code for one Target; every stage is made when first asked
    for.
    """

    graph: Graph
    target: Target

    @cached_property
    def optimized(self) -> Graph:
        """The graph after the graph passes."""
        return optimize(self.graph)

    @cached_property
    def kernels(self) -> Graph:
        """The kernel-level graph."""
        return to_kernels(self.optimized)

    @cached_property
    def _lowered(self) -> tuple[Module, int]:
        return lower_program(self.kernels, self.target)

    @property
    def loops(self) -> Module:
        """The loop nests."""
        return self._lowered[0]

    @property
    def workspace_bytes(self) -> int:
        """Scratch memory that the program needs beside its inputs and outputs."""
        return self._lowered[1]

    @cached_property
    def llvm(self) -> str:
        """LLVM IR text."""
        return emit_llvm(self.loops, self.target, entry=self.entry)

    @cached_property
    def asm(self) -> str:
        """Assembly text."""
        return assembly(self.llvm, self.target)

    @property
    def entry(self) -> str:
        """The C symbol of the program."""
        return symbol(self.graph.name)

    @cached_property
    def program(self) -> Program:
        """Machine code and all that is needed to run it."""
        return Program(
            name=self.graph.name,
            triple=self.target.triple,
            cpu=self.target.cpu,
            features=self.target.features,
            object_code=compile_ir(self.llvm, self.target),
            entry=self.entry,
            inputs=tuple(map(array_spec, self.graph.param_types)),
            outputs=tuple(map(array_spec, self.graph.result_types)),
            workspace_bytes=self.workspace_bytes,
            release_gil=graph_work(self.kernels) > SHORT_WORK,
        )


def array_spec(type: TensorType) -> ArraySpec:
    """The array that enters or leaves a program for a value of this type."""
    return ArraySpec(type.dtype.numpy_name, type.shape)


def compile_graph(
    graph: Graph,
    target: Target | None = None,
    constants: Sequence[np.ndarray[Any, Any]] = (),
) -> LoadedProgram:
    """The graph as a loaded program, from the disk cache if it is there.

    `constants` are arrays bound to the graph's last parameters. `target` is this machine unless
    given, and must be one that this machine can run.
    """
    target = target or host_target()
    return LoadedProgram(cached_program(graph, target), constants)


def cached_program(graph: Graph, target: Target) -> Program:
    """The compiled program, from the disk cache if it is there; whatever is wrong with the cache
    costs a recompile and a warning."""
    cache = _cache()
    name = key(graph.name, graph.fingerprint, target.key(), llvmlite.__version__, _sources())
    stored = cache.get(name)
    if stored is not None:
        try:
            return Program.from_bytes(stored)
        except ValueError:
            warnings.warn("lazir: a cached program is unreadable; compiling anew", stacklevel=2)
    program = Compilation(graph, target).program
    cache.put(name, program.to_bytes())
    return program


@cache
def _cache() -> DiskCache:
    return DiskCache()


@cache
def _sources() -> str:
    return source_hash(Path(__file__).parent)
