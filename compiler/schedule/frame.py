"""The main function of a program under construction: its module, buffers, and calls of kernels.

Takes: a kernel-level Graph, a Target, which results are one buffer with arguments. Gives: Frame.
Each distinct kernel becomes one private function.
Must not know: how a kernel of some kind is scheduled (`kinds.py` says), which value is where.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from ..graph import Graph, Node
from ..hosts import named_hosts
from ..kernel import Kernel, named_kernels, symbol
from ..library import library_call, named_calls
from ..mlir.builder import Builder
from ..mlir.ir import Block, Module, Op, Typed, Unit, Value, function
from ..start import ALIASES
from ..target import Target
from ..types import FunctionType, MemRefType, TensorType, i8, index
from .body import buffer_type
from .kinds import schedule_of
from .library import schedule_library
from .rounds import give_scratch
from .scheduled import Scheduled
from .storage import Arena, Slot, Store

WORKSPACE = "workspace"


class Frame:
    """The main function under construction: its module, buffers and calls.

    `in_place`: whether kernels may write over what they read at the same point.
    """

    in_place = True

    def __init__(
        self, graph: Graph, target: Target, aliases: Sequence[tuple[int, int]] = ()
    ) -> None:
        self.graph = graph
        self.aliases = aliases
        self.target = target
        self.module = Module()
        self.arena = Arena()
        self.named = named_kernels(graph)
        self.calls = named_calls(graph)
        self.hosts = named_hosts(graph)
        self.scheduled: dict[object, Scheduled] = {}
        inputs = [buffer_type(t) for t in graph.param_types]
        outputs = [buffer_type(t) for t in graph.result_types]
        names = [n or f"arg{k}" for k, n in enumerate(graph.param_names)]
        names += [f"out{k}" for k in range(len(outputs))]
        attrs: dict[str, object] = {"lz.inputs": len(inputs), "lz.outputs": len(outputs)}
        if aliases:
            attrs[ALIASES] = tuple(n for pair in aliases for n in pair)
        self.main = function(symbol(graph.name), inputs + outputs, [], hints=names, attrs=attrs)
        self.b = Builder(self.main)
        self.workspace = Value(MemRefType((0,), i8), WORKSPACE)
        self.stack = self.b.entry
        self.apart = False

    def close(self) -> int:
        """End the function, plan the workspace; returns its bytes."""
        self.b.emit("func.return")
        self.module.ops.append(self.main)
        total = self.arena.plan() if self.arena.slots else 0
        if total:
            self._add_workspace(total)
        self._tell_apart()
        return total

    def _tell_apart(self) -> None:
        """Note which buffers share no memory with others: results are new arrays or stand where an
        argument stood, and of equal arguments none is written."""
        args = self.main.regions[0].args
        inputs = len(self.graph.params)
        shared = {p for k, j in self.aliases for p in (j, inputs + k)}
        apart = tuple(k for k in range(len(args)) if k not in shared)
        self.main.attrs["lz.noalias"] = apart if shared else Unit()

    def _add_workspace(self, total: int) -> None:
        block = self.main.regions[0]
        self.workspace.type = MemRefType((total,), i8)
        block.args.append(self.workspace)
        kind: FunctionType = self.main.attrs["function_type"]
        self.main.attrs["function_type"] = FunctionType((*kind.inputs, self.workspace.type), ())

    # -- buffers ----------------------------------------------------------------------------
    def temporary(self, type: TensorType) -> Store:
        """A new buffer: on the stack for a scalar, else in the workspace."""
        if type.rank == 0:
            op = Op("memref.alloca", (), (buffer_type(type),))
            self.stack.ops.insert(0, op)
            return Store(op.result, owned=True)
        slot, view = self._view(type.nbytes, buffer_type(type))
        return Store(view, slot, owned=True)

    def scratch(self, nbytes: int) -> Value:
        """Workspace for one call of a kernel."""
        return self._view(nbytes, MemRefType((nbytes,), i8))[1]

    def _view(self, nbytes: int, type: MemRefType) -> tuple[Slot, Value]:
        offset = self.b.emit("arith.constant", [], [index], {"value": Typed(0, index)})
        slot = self.arena.request(nbytes, offset)
        view = self.b.op("memref.view", [self.workspace, offset.result], type)
        return slot, view

    @contextmanager
    def chunks(self, inside: Block, count: int) -> Iterator[None]:
        """What is emitted in the `with` is for one of `count` chunks that run side by side, in the
        block `inside`: each gets a stack and a workspace of its own."""
        place = self.b.emit("arith.constant", [], [index], {"value": Typed(0, index)})
        slot = self.arena.request(1, place)
        view = Op("memref.view", (), (MemRefType((0,), i8),))
        outer = self.arena, self.workspace, self.stack
        self.arena, self.workspace, self.stack, self.apart = Arena(), view.result, inside, True
        yield
        size = self.arena.plan() if self.arena.slots else 0
        self.arena, self.workspace, self.stack = outer
        self.apart = False
        if size:
            stride = give_scratch(self.b, inside, place.result, self.workspace, view, size)
            slot.nbytes = stride * count

    def copy(self, source: Value, destination: Value) -> None:
        """Copy a whole buffer."""
        type = source.type
        assert isinstance(type, MemRefType)
        if type.rank == 0:
            self.b.store(self.b.load(source, []), destination, [])
        elif type.size:
            self.b.emit("memref.copy", [source, destination])

    # -- kernels ----------------------------------------------------------------------------
    def run_kernel(self, kernel: Kernel, operands: Sequence[Value]) -> None:
        """Call a kernel's function on its buffers, with workspace where it wants some."""
        self.run(self.kernel(kernel), operands)

    def mix(self, kernel: Kernel, numbers: Collection[int]) -> None:
        """Of these operands and results of a kernel, some may be one buffer."""
        function = self.kernel(kernel).function
        apart = function.attrs.get("lz.noalias", ())
        if isinstance(apart, Unit):
            apart = tuple(range(len(function.regions[0].args)))
        function.attrs["lz.noalias"] = tuple(k for k in apart if k not in numbers)

    def run_library(self, node: Node, operands: Sequence[Value]) -> None:
        """The same for what LAPACK computes; equal calls share a function."""
        call = library_call(node)
        if call not in self.scheduled:
            self.scheduled[call] = schedule_library(call, self.module, self.calls[call])
        self.run(self.scheduled[call], operands)

    def run(self, scheduled: Scheduled, operands: Sequence[Value]) -> None:
        """Call a function on buffers, with workspace where it wants some."""
        arguments = list(operands)
        if scheduled.workspace_bytes:
            arguments.append(self.scratch(scheduled.workspace_bytes))
        self.b.call(scheduled.function.attrs["sym_name"], arguments, [])

    def kernel(self, kernel: Kernel) -> Scheduled:
        """The function of a kernel; equal kernels share one."""
        found = self.scheduled.get(kernel.fingerprint)
        if found is None:
            name, kernel = self.named[kernel.fingerprint]
            found = schedule_of(kernel.kind)(kernel, self.target, self.module, name)
            if kernel.kind != "scatter":  # that one gets its array twice
                found.function.attrs["lz.noalias"] = Unit()
            if all(math.prod(g.dims) == 1 for g in kernel.generics):
                found.function.attrs["lz.inline"] = Unit()
            self.scheduled[kernel.fingerprint] = found
        return found
