"""Scatter kernels: updates written one after another, in row-major order, into the array itself.

Takes: a Kernel of kind scatter. Gives: its loop nest; the array is both a parameter that is not read
and the result buffer, which holds its contents already. Where consecutive updates go to consecutive
places, they are written as vectors. Must not know: who copied the array.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Value as GraphValue
from ..kernel import Generic, Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from ..types import VectorType
from .nest import At, Lanes, Nest, body_dtypes, strides, vector_lanes
from .scheduled import Scheduled


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
        nest.put(new, flat, nest.address(form, [_first(nest, p) for p in place]), at.lanes)
        return []

    if _always(generic):
        write()
    else:
        b.if_else(valid, write)


def _always(generic: Generic) -> bool:
    """Whether every update is written, whatever the indices are."""
    node = generic.body.results[1].node
    return node.op == "arith.constant" and bool(node.attrs["value"].data)


def _first(nest: Nest, place: Value) -> Value:
    """Lane 0 of an index that counts up along the lanes."""
    if not isinstance(place.type, VectorType):
        return place
    return nest.b.op("vector.extract", [place], place.type.dtype, static_position=(0,))


def _vector_dim(generic: Generic) -> int | None:
    """The innermost dim, if along it the last index counts up by one, all else of the place is fixed
    and nothing is read back."""
    body, rank = generic.body, len(generic.dims)
    if not rank or generic.dims[-1] == 1:
        return None
    array = body.params[-1]
    if any(v == array for node in body.nodes for v in node.inputs):
        return None
    _, valid, *place = body.results
    if not place or _slope(generic, valid, rank - 1) != 0:
        return None
    slopes = [_slope(generic, p, rank - 1) for p in place]
    return rank - 1 if slopes[-1] == 1 and not any(slopes[:-1]) else None


def _read_slope(generic: Generic, param: int, dim: int) -> int | None:
    """0 for a buffer and for an element that is the same all along `dim`."""
    read = generic.reads[param] if param < len(generic.reads) else None
    if read is None or read.map is None:
        return 0
    return None if any(row[dim] for row, _ in read.map.rows) else 0


def _slope(generic: Generic, value: GraphValue, dim: int) -> int | None:
    """By how much a scalar of the body grows along `dim`; None where that is not a constant."""
    body, node = generic.body, value.node
    if node.op == "linalg.index":
        return int(node.attrs["dim"] == dim)
    if node.op == "param":
        return _read_slope(generic, body.params.index(value), dim)
    inner = [_slope(generic, v, dim) for v in node.inputs]
    if all(s == 0 for s in inner):
        return 0
    if node.op == "arith.addi" and None not in inner:
        return sum(s for s in inner if s is not None)
    return None
