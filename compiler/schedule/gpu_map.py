"""Map kernels on GPUs: one thread for each element, neighbours in memory are neighbours in a warp.

Takes: a Kernel of one all-parallel Generic. Gives: its launch. Loads and stores are scalar: the 32
neighbours of a warp are one transaction, and nothing is assumed of the alignment of arguments.
Must not know: other kinds of kernel.
"""

from __future__ import annotations

import math

from ..kernel import Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from .axes import join_dims, split_coords, unflatten
from .gpu_nest import GpuNest, GpuScheduled
from .nest import At

BLOCK = 256
"""Threads of a block: enough warps to hide memory, few enough for any number of registers."""


def schedule_gpu_map(kernel: Kernel, target: Target, module: Module, name: str) -> GpuScheduled:
    """The launch of a map kernel."""
    (generic,) = kernel.generics
    if not all(generic.dims):
        return GpuScheduled(())
    nest = GpuNest(kernel, target, module, name)
    groups = join_dims(kernel, generic)
    extents = [math.prod(generic.dims[d] for d in group) for group in groups]
    count = math.prod(extents)
    block = min(BLOCK, -(-count // 32) * 32)
    grid = -(-count // block)
    number = nest.b.add(nest.b.mul(nest.block(), block), nest.thread())

    def point() -> list[Value]:
        coords = split_coords(nest, generic, groups, unflatten(nest, number, extents))
        at = At(coords)
        for k, (out, value) in enumerate(zip(generic.outs, nest.run(generic, at))):
            place = nest.buffers.get(nest.number_of(generic, k))
            if place is not None:
                nest.store(value, place, out.map, at)
        return []

    if count % block:
        nest.b.if_else(nest.below(number, count), point)
    else:
        point()
    return GpuScheduled((nest.launch(grid, block),))
