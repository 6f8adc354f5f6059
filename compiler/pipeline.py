"""The stages in order, each a pure function: graph, optimized, kernels, loops, llvm, asm or ptx.

Takes: a Graph and a Target. Gives: what stands at each stage, and a Program to run.
Must not know: tracing, arrays.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from lazir.runtime.program import ArraySpec, Program

from . import ops as _ops  # noqa: F401  fills the op table
from .codegen.llvm import emit_llvm
from .codegen.machine import assembly, compile_ir
from .errors import LazirError
from .fuse.kernels import to_kernels
from .graph import Graph
from .kernel import symbol
from .kernel_text import kernels_to_module, mark_types
from .library import imported_symbols
from .mlir.ir import Module
from .passes import optimize
from .schedule.program import lower_program
from .schedule.work import graph_work
from .start import DONATED, READABLE, Start, alias_pairs, start_of
from .target import Target, host_target
from .types import FunctionType, TensorType, Type

SHORT_WORK = 50_000.0
"""Machine operations (some 20 µs) up to which a program runs without letting go of the GIL."""

STAGES = ("graph", "optimized", "kernels", "loops", "llvm", "asm")
"""The names of the stages for CPUs, in order."""

GPU_STAGES = (*STAGES[:-1], "ptx")
"""The same for GPUs."""


def stages(target: Target) -> tuple[str, ...]:
    """The names of the stages that a Compilation for this target has, in order."""
    return GPU_STAGES if target.is_gpu else STAGES


def _module(name: str) -> Any:
    """A module that only some compilations need: text and GPUs, half of all that there is to
    load.
    """
    return importlib.import_module(f".{name}", __package__)


class Compilation:
    """One program on its way to machine code for one Target; a stage is made when first asked for.

    It starts with a Graph, or where `from_text` read it; what came before that is not known.
    """

    def __init__(self, start: Graph | Start, target: Target, donated: Iterable[int] = ()) -> None:
        """`donated` numbers the parameters of a Graph in whose places results may be made."""
        self.start = start_of(start, donated=donated) if isinstance(start, Graph) else start
        self.target = target

    @classmethod
    def from_text(
        cls, text: str, stage: str, target: Target, filename: str = "<text>"
    ) -> Compilation:
        """A compilation that goes on from the text of a stage (one of `reenter.READABLE`).

        Raises ParseError or VerifyError where the text is wrong.
        """
        return cls(_module("reenter").read_stage(text, stage, filename), target)

    def _given(self, stage: str) -> Graph | None:
        return self.start.graph if self.start.stage == stage else None

    @property
    def graph(self) -> Graph:
        """The graph as it was recorded."""
        given = self._given("graph")
        if given is None:
            raise LazirError(
                f"this program was read at the stage {self.start.stage}: earlier ones are not known"
            )
        return given

    @cached_property
    def optimized(self) -> Graph:
        """The graph after the graph passes."""
        return self._given("optimized") or optimize(self.graph)

    @cached_property
    def kernels(self) -> Graph:
        """The kernel-level graph."""
        return self._given("kernels") or to_kernels(self.optimized)

    @cached_property
    def _lowered(self) -> tuple[Module, int]:
        given = self.start.module
        if given is not None:
            return given, int(_module("reenter").workspace_bytes(given))
        if self.target.is_gpu:
            lower = _module("schedule.gpu_program").lower_gpu_program
            module, size = lower(self.kernels, self.target)
        else:
            module, size = lower_program(self.kernels, self.target, self.start.donated)
        stored = FunctionType(self.kernels.param_types, self.kernels.result_types)
        mark_types(module.function(self.entry), self.start.types, stored)
        return module, size

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
        if self.target.is_gpu:
            return str(_module("codegen.ptx").emit_ptx_ir(self.loops, self.target))
        return emit_llvm(self.loops, self.target, entry=self.entry)

    @cached_property
    def asm(self) -> str:
        """Assembly text of a CPU program."""
        if self.target.is_gpu:
            raise ValueError(f"{self.target.name} is a GPU: its last stage is ptx, not asm")
        return assembly(self.llvm, self.target)

    @cached_property
    def ptx(self) -> str:
        """PTX text of a GPU program's kernels."""
        if not self.target.is_gpu:
            raise ValueError(f"{self.target.name} is a CPU: its last stage is asm, not ptx")
        return str(_module("codegen.ptx").ptx(self.llvm, self.target))

    def module(self, stage: str) -> Module:
        """A stage of READABLE as a tree of operations."""
        if stage == "loops":
            return self.loops
        if stage == "kernels":
            made = kernels_to_module(self.kernels, self.start.types)
        else:
            graph = self.optimized if stage == "optimized" else self.graph
            made = _module("text").graph_to_module(graph)
        if self.start.donated:
            made.functions()[-1].attrs[DONATED] = self.start.donated
        return made

    def text(self, stage: str, *, locations: bool = False) -> str:
        """A stage as text, one of `stages(target)`; `locations` adds the user's lines."""
        names = stages(self.target)
        if stage not in names:
            raise LazirError(f"there is no stage {stage!r}; the stages are {', '.join(names)}")
        if stage not in READABLE:
            made: str = getattr(self, stage)
            return made
        printer = _module("mlir.printer")
        return str(printer.print_module(self.module(stage), locations=locations))

    @property
    def entry(self) -> str:
        """The C symbol of the program."""
        return symbol(self.start.name)

    @property
    def _long(self) -> bool:
        """Whether it runs long enough to let go of the GIL; so where its kernels are not known."""
        return self.start.module is not None or graph_work(self.kernels) > SHORT_WORK

    @cached_property
    def program(self) -> Program:
        """Machine code and all that is needed to run it; GPU programs end as text so far."""
        if self.target.is_gpu:
            raise _module("schedule.gpu_program").GpuUnsupportedError(
                f"{self.start.name}: a program for {self.target.name} can be printed, stage ptx "
                "included, but not loaded yet; compile it for a CPU target to run it"
            )
        types = self.start.types
        return Program(
            name=self.start.name,
            triple=self.target.triple,
            cpu=self.target.cpu,
            features=self.target.features,
            object_code=compile_ir(self.llvm, self.target),
            entry=self.entry,
            inputs=tuple(map(array_spec, types.inputs)),
            outputs=tuple(map(array_spec, types.results)),
            workspace_bytes=self.workspace_bytes,
            aliases=alias_pairs(self.loops.function(self.entry)),
            release_gil=self._long,
            imports=imported_symbols(self.loops),
        )


def stage_text(
    graph: Graph, stage: str, target: Target | None = None, *, locations: bool = False
) -> str:
    """The text of one stage of a graph, for this machine unless a target is given."""
    return Compilation(graph, target or host_target()).text(stage, locations=locations)


def array_spec(type: Type) -> ArraySpec:
    """The array that enters or leaves a program for a value of this (tensor) type."""
    assert isinstance(type, TensorType), type
    return ArraySpec(type.dtype.numpy_name, type.shape)
