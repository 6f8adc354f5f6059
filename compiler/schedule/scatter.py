"""Scatter kernels: updates written one after another, in row-major order, into the array itself.

Takes: a Kernel of kind scatter. Gives: its loop nest; the array is both a parameter that is not
read and the result buffer, which holds its contents already. Where consecutive updates go to
consecutive places, they are written as vectors. Must not know: who copied the array.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..kernel import Generic, Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from .nest import At, Lanes, Nest, body_dtypes, strides, vector_lanes
from .scheduled import Scheduled
from .slopes import counts_up, slope


def schedule_scatter(kernel: Kernel, target: Target, module: Module, name: str) -> Scheduled:
    """The loop nest of an update."""
    (generic,) = kernel.generics
    nest = Nest(kernel, target, module, name)
    if all(generic.dims):
        _loops(nest, generic, [], _vector_dim(generic))
    nest.finish()
    module.ops.append(nest.function)
    return Scheduled(nest.function)


def _loops(nest: Nest, generic: Generic, coords: list[Value], vector_dim: int | None) -> None:
    b = nest.b
    dim = len(coords)
    if dim == len(generic.dims):
        _write(nest, generic, At(tuple(coords)))
        return
    extent = generic.dims[dim]
    if extent == 1:
        _loops(nest, generic, [*coords, b.index(0)], vector_dim)
        return
    if dim != vector_dim:
        with b.loop(b.index(0), b.index(extent), b.index(1)) as i:
            _loops(nest, generic, [*coords, i], vector_dim)
        return
    lanes = vector_lanes(nest.target, body_dtypes(nest.kernel), extent)
    whole = extent // lanes * lanes
    if whole:
        with b.loop(b.index(0), b.index(whole), b.index(lanes)) as i:
            _write(nest, generic, At((*coords, i), Lanes(dim, lanes)))
    if extent > whole:
        mask = nest.first_mask(extent - whole, lanes)
        _write(nest, generic, At((*coords, b.index(whole)), Lanes(dim, lanes, mask)))


def _write(nest: Nest, generic: Generic, at: At) -> None:
    """Compute one update (or a vector of them) and write it where it is wanted."""
    b = nest.b
    buffer = nest.buffers[len(nest.kernel.params)]
    new, valid, *place = nest.run(generic, at, held=[buffer])
    flat = nest.flat(buffer)

    def write() -> Sequence[Value]:
        if not place:
            b.store(new, buffer, [])
            return []
        form = (strides(generic.outs[0].type.shape), 0)
        nest.put(new, flat, nest.address(form, [nest.first_lane(p) for p in place]), at.lanes)
        return []

    if _always(generic):
        write()
    else:
        b.if_else(valid, write)


def _always(generic: Generic) -> bool:
    """Whether every update is written, whatever the indices are."""
    node = generic.body.results[1].node
    return node.op == "arith.constant" and bool(node.attrs["value"].data)


def _vector_dim(generic: Generic) -> int | None:
    """The innermost dim, if along it the last index counts up by one, all else of the place is
    fixed and nothing is read back."""
    body, rank = generic.body, len(generic.dims)
    if not rank or generic.dims[-1] == 1:
        return None
    array = body.params[-1]
    if any(v == array for node in body.nodes for v in node.inputs):
        return None
    _, valid, *place = body.results
    if slope(generic, valid, rank - 1) != 0 or not counts_up(generic, place, rank - 1):
        return None
    return rank - 1
