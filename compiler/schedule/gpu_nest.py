"""What all GPU kernels share: the `gpu.func`, threads, shared memory, joins across warp and block.

Takes: a Kernel, a Target. Gives: `GpuNest`, `Launch`, `GpuScheduled`.
Must not know: which thread computes what (`gpu_map.py`, `gpu_row.py` say).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..kernel import Generic, Kernel
from ..mlir.ir import Module, Op, Unit, Value
from ..target import Target
from ..types import DType, MemRefType, element, i1, i32, index
from .nest import At, Nest
from .passes import combine

WARP = 32
"""Threads that run in step and exchange registers."""


@dataclass(frozen=True)
class Launch:
    """One `gpu.func`, and how many blocks of how many threads run it."""

    function: Op
    grid: int
    block: int


@dataclass(frozen=True)
class GpuScheduled:
    """A kernel as launches that follow each other, and the bytes of scratch memory that they share.

    Each takes a memref for each kernel parameter, one for each result, and where `workspace_bytes`
    is not 0 a `memref<…xi8>`. No launches where there is nothing to compute.
    """

    launches: tuple[Launch, ...]
    workspace_bytes: int = 0


class GpuNest(Nest):
    """One `gpu.func` under construction. Every thread works on scalars.

    `step` numbers the element of its row that a thread is at: where it keeps row values between
    passes, in memory of its own.
    """

    def __init__(self, kernel: Kernel, target: Target, module: Module, name: str) -> None:
        super().__init__(kernel, target, module, name)
        self.module = module
        self.function.name = "gpu.func"
        del self.function.attrs["sym_visibility"]
        self.function.attrs.update({"gpu.kernel": Unit(), "lz.noalias": Unit()})
        self.shared: list[Value] = []
        self.step: Value | None = None

    def launch(self, grid: int, block: int) -> Launch:
        """Close the function; it runs as `grid` blocks of `block` threads."""
        self.b.emit("gpu.return")
        attrs = self.function.attrs
        attrs["known_block_size"], attrs["known_grid_size"] = (block, 1, 1), (grid, 1, 1)
        if self.shared:
            attrs["workgroup_attributions"] = len(self.shared)
            self.b.entry.args.extend(self.shared)
        self.module.ops.append(self.function)
        return Launch(self.function, grid, block)

    # -- threads ----------------------------------------------------------------------------
    def thread(self) -> Value:
        """The number of this thread in its block."""
        return self.b.op("gpu.thread_id", [], index, dimension="x")

    def block(self) -> Value:
        """The number of this block."""
        return self.b.op("gpu.block_id", [], index, dimension="x")

    def split(self, number: Value, size: int) -> tuple[Value, Value]:
        """Quotient and remainder of an index."""
        by = self.b.index(size)
        return self.b.op("arith.divui", [number, by]), self.b.op("arith.remui", [number, by])

    def below(self, number: Value, limit: int) -> Value:
        return self.b.compare("ult", number, self.b.index(limit))

    # -- memory -----------------------------------------------------------------------------
    def share(self, count: int, dtype: DType) -> Value:
        """Memory of the whole block, contents undefined."""
        memory = Value(MemRefType((count,), dtype, space=3), f"shared{len(self.shared)}")
        self.shared.append(memory)
        return memory

    def _load_row(self, number: int, at: At) -> Value:
        assert self.step is not None
        return self.b.load(self.rows[number], [self.step])

    def store_row(self, value: Value, number: int, outer: int, at: At) -> None:
        assert self.step is not None
        self.b.store(value, self.rows[number], [self.step])

    # -- joining ----------------------------------------------------------------------------
    def across_warp(self, generic: Generic, held: Sequence[Value], width: int) -> list[Value]:
        """What `width` neighbouring threads hold, joined by halves; all hold the result then."""
        current, step = list(held), width // 2
        while step:
            moved = [self._shuffle(v, step) for v in current]
            current = combine(self, generic, current, moved)
            step //= 2
        return current

    def _shuffle(self, value: Value, distance: int) -> Value:
        operands = [value, self.b.const(distance, i32), self.b.const(WARP, i32)]
        op = self.b.emit("gpu.shuffle", operands, [value.type, i1], {"mode": "xor"})
        return op.results[0]

    def across_block(
        self, generic: Generic, held: Sequence[Value], thread: Value, threads: int
    ) -> list[Value]:
        """What all threads of a block hold, joined; afterwards all hold the result.

        First inside each warp, then what the warps have, through shared memory. `threads` is 32
        times a power of two, at most 1024.
        """
        joined = self.across_warp(generic, held, WARP)
        warps = threads // WARP
        if warps == 1:
            return joined
        b = self.b
        warp, lane = self.split(thread, WARP)
        places = [self.share(warps, element(v.type)) for v in joined]

        def leave() -> list[Value]:
            for value, place in zip(joined, places):
                b.store(value, place, [warp])
            return []

        b.if_else(self.below(lane, 1), leave)
        b.emit("gpu.barrier")
        other = b.op("arith.remui", [lane, b.index(warps)])
        return self.across_warp(generic, [b.load(place, [other]) for place in places], warps)
