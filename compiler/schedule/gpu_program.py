"""The whole program for GPUs: a module of kernels, and a launch plan around them.

Takes: a kernel-level Graph and a GPU Target. Gives: a Module of a `gpu.module` and one public
function, which launches kernels in order on buffers in device memory and on one workspace.
Must not know: who carries the plan out, or how a kernel of some kind is scheduled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import LazirError
from ..graph import Graph, Node
from ..kernel import Kernel
from ..mlir.ir import Block, Module, Op, Symbol, Unit, Value
from ..target import Target
from ..types import MemRefType, TensorType
from .body import buffer_type
from .gpu_column import schedule_gpu_reduce
from .gpu_map import schedule_gpu_map
from .gpu_nest import GpuScheduled
from .gpu_row import schedule_gpu_row
from .program import ProgramLowering
from .storage import Store

KERNELS = "kernels"
"""The name of the `gpu.module`."""

GpuSchedule = Callable[[Kernel, Target, Module, str], GpuScheduled]
GPU_SCHEDULES: Mapping[str, GpuSchedule] = {
    "map": schedule_gpu_map,
    "reduce": schedule_gpu_reduce,
    "row": schedule_gpu_row,
}
_PLANNED = ("kernel", "alias", "barrier", "constant")
"""Nodes of the kernel-level graph that a launch plan has a form for."""


class GpuUnsupportedError(LazirError, NotImplementedError):
    """The program holds something that the GPU back end does not take yet."""


def lower_gpu_program(graph: Graph, target: Target) -> tuple[Module, int]:
    """The `loops` module of a kernel-level Graph, and the bytes of workspace it needs.

    GpuUnsupportedError names the kernel or the operation that has no GPU schedule.
    """
    lowering = GpuProgramLowering(graph, target)
    return lowering.module, lowering.write()


class GpuProgramLowering(ProgramLowering):
    """Emits the launch plan. Everything that a kernel reads or writes is in device memory, scalars
    too."""

    in_place = False

    def __init__(self, graph: Graph, target: Target) -> None:
        super().__init__(graph, target)
        self.module.attrs["gpu.container_module"] = Unit()
        block = Block()
        self.kernels = Module(block.ops)  # what schedules see: the inside of the gpu.module
        self.module.ops.append(Op("gpu.module", attrs={"sym_name": KERNELS}, regions=[block]))
        self.launches: dict[str, GpuScheduled] = {}

    def write(self) -> int:
        for node in self.graph.nodes:
            self._check(node)
        return super().write()

    def _check(self, node: Node) -> None:
        kernel = node.attrs.get("kernel") if node.op == "kernel" else None
        if kernel is not None and kernel.kind not in GPU_SCHEDULES:
            name, _ = self.named[kernel.fingerprint]
            what = f"kernel @{name} of kind {kernel.kind}"
        elif node.op not in _PLANNED:
            what = f"operation {node.op}"
        else:
            return
        locs = self.graph.locs.get(node, ())
        raise GpuUnsupportedError(
            f"{what} in {self.graph.name}: the GPU back end does not take it yet; "
            "compile this program for a CPU target",
            locs[0] if locs else None,
        )

    def temporary(self, type: TensorType) -> Store:
        """A new buffer in the workspace."""
        slot, view = self._view(type.nbytes, buffer_type(type))
        return Store(view, slot, owned=True)

    def copy(self, source: Value, destination: Value) -> None:
        """Copy a whole buffer on the device."""
        type = source.type
        assert isinstance(type, MemRefType)
        if type.size:
            self.b.emit("gpu.memcpy", [destination, source])

    def run_kernel(self, kernel: Kernel, operands: Sequence[Value]) -> None:
        """The launches of a kernel; equal kernels share their functions."""
        found = self.launches.get(kernel.fingerprint)
        if found is None:
            name, kernel = self.named[kernel.fingerprint]
            found = GPU_SCHEDULES[kernel.kind](kernel, self.target, self.kernels, name)
            self.launches[kernel.fingerprint] = found
        arguments = list(operands)
        if found.workspace_bytes:
            arguments.append(self.scratch(found.workspace_bytes))
        one = self.b.index(1)
        for launch in found.launches:
            grid, block = self.b.index(launch.grid), self.b.index(launch.block)
            callee = Symbol(f"{KERNELS}::{launch.function.attrs['sym_name']}")
            sizes = [grid, one, one, block, one, one]
            self.b.emit("gpu.launch_func", [*sizes, *arguments], [], {"kernel": callee})
