"""What a compiled program does, kernel by kernel: work, traffic, the bound it meets, the time it
takes.

Takes: a Compilation. Gives: one `KernelReport` a step of the program, and totals.
Must not know: how a report is shown.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazir.runtime.execute import LoadedProgram

from .graph import Builder, Graph, Node
from .kernel import Generic, Kernel
from .library import LIBRARY
from .memory import MemoryStats, memory_stats
from .mlir.ir import Loc
from .pipeline import Compilation
from .start import start_of
from .target import Target
from .types import TensorType

_FREE = frozenset({"arith.constant", "linalg.index", "arith.index_cast", "arith.index_castui"})
_MATH_FLOPS = 20
"""Operations counted for one elementary function: about the length of its polynomial."""


@dataclass(frozen=True)
class KernelReport:
    """One step of a program. Times are seconds, traffic is bytes that must move at least once."""

    name: str
    kind: str
    locs: tuple[Loc, ...]
    flops: float
    nbytes: int
    predicted: float
    bound: str
    measured: float | None = None


@dataclass(frozen=True)
class ProgramReport:
    """All steps of a program, and its totals; what is known of its memory, on CPUs."""

    name: str
    operations: int
    steps: tuple[KernelReport, ...]
    input_bytes: int
    output_bytes: int
    workspace_bytes: int
    memory: MemoryStats | None = None


def explain(compilation: Compilation, *, measure: bool = True) -> ProgramReport:
    """Reports for every step; with `measure`, each kernel is compiled alone and timed on random
    data.

    A loop or branch is one step without figures: its body runs as often as the data say.
    """
    kernels = compilation.kernels
    steps = tuple(
        _report(kernels, node, compilation.target, measure)
        for node in kernels.nodes
        if node.op not in ("alias", "barrier", "constant")
    )
    return ProgramReport(
        name=compilation.graph.name,
        operations=sum(len(g.nodes) for g in compilation.graph.walk()),
        steps=steps,
        input_bytes=sum(t.nbytes for t in compilation.graph.param_types),
        output_bytes=sum(t.nbytes for t in compilation.graph.result_types),
        workspace_bytes=compilation.workspace_bytes,
        memory=None if compilation.target.is_gpu else memory_stats(compilation),
    )


def _report(graph: Graph, node: Node, target: Target, measure: bool) -> KernelReport:
    locs = graph.locs.get(node, ())
    if node.op != "kernel":
        kind = "library" if node.op in LIBRARY else "control"
        return KernelReport(node.op, kind, locs, math.nan, 0, math.nan, "")
    kernel: Kernel = node.attrs["kernel"]
    flops = sum(generic_flops(g) for g in kernel.generics)
    nbytes = traffic(kernel)
    compute = flops / (target.flops_per_cycle * target.clock_hz)
    memory = nbytes / (target.copy_bandwidth * target.clock_hz)
    return KernelReport(
        kernel.name,
        kernel.kind,
        locs,
        flops,
        nbytes,
        max(compute, memory),
        "compute" if compute > memory else "memory",
        measure_kernel(node, target) if measure else None,
    )


def generic_flops(generic: Generic) -> float:
    """Arithmetic operations of all its points; a fused multiply-add is two."""
    each = 0.0
    for node in generic.body.nodes:
        if node.op in _FREE or node.op == "tensor.extract":
            continue
        if node.op == "math.fma":
            each += 2
        else:
            each += _MATH_FLOPS if node.op.startswith("math.") else 1
    return each * math.prod(generic.dims)


def traffic(kernel: Kernel) -> int:
    """Bytes of its operands and results, each counted once."""
    if kernel.kind == "scatter":  # the updates are read, as much is written; the array stays
        (generic,) = kernel.generics
        element = kernel.result_types[0].dtype.itemsize
        return 2 * math.prod(generic.dims) * element
    return sum(t.nbytes for t in kernel.params) + sum(t.nbytes for t in kernel.result_types)


def measure_kernel(node: Node, target: Target, repeats: int = 5) -> float:
    """The least time of several runs of one kernel on random data, seconds."""
    builder = Builder(name="measured")
    params = tuple(builder.param(v.type) for v in node.inputs)
    made = builder.add("kernel", params, node.attrs, node.types)
    graph = builder.graph(made.results)
    program = LoadedProgram(Compilation(start_of(graph, "kernels"), target).program)
    arrays = [_random(t) for t in graph.param_types]
    program.call(arrays)
    return min(_timed(program, arrays) for _ in range(repeats))


def _timed(program: LoadedProgram, arrays: Sequence[np.ndarray[Any, Any]]) -> float:
    start = time.perf_counter()
    program.call(arrays)
    return time.perf_counter() - start


def _random(type: TensorType) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(0)
    if type.dtype.is_float and type.dtype.name != "bf16":
        return np.asarray(rng.random(type.shape)).astype(type.dtype.numpy)
    return np.asarray(rng.integers(0, 2, type.shape)).astype(type.dtype.numpy)
