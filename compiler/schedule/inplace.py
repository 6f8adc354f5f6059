"""When a kernel may write a result over one of its operands.

Takes: a Kernel. Gives: whether each element of an operand is read at the very point that writes the
same place of a result, before it is written. Must not know: buffers, which value is needed when.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..kernel import Generic, Kernel, Read
from ..mlir.ir import AffineMap
from ..types import Shape, TensorType
from .nest import address_form


def at_point(kernel: Kernel, number: int, result: int) -> bool:
    """Whether the kernel reads param `number` only where, and before, it writes its `result`.

    Every schedule loads what a Generic reads at a point before it stores what that makes there, and
    runs the passes over a row in the order of their Generics; a contraction runs the Generics after
    the first on a finished tile and stores last. What a contraction multiplies, and what is read at
    computed places, is not read at the point alone.
    """
    made = kernel.results[result]
    found, given = kernel.value_types[made], kernel.params[number]
    if kernel.kind not in _ORDERED or (given.dtype, given.size) != (found.dtype, found.size):
        return False
    if kernel.results.count(made) > 1 or made < len(kernel.params):
        return False
    place, writer, written = _writer(kernel, made)
    if written is None or writer.reduction_dims:
        return False
    target = _place(written, found, writer.dims, writer)
    for position, user, read in _reads(kernel, number):
        early = place if kernel.kind == "contract" else 0
        if read.map is None or not early <= position <= place:
            return False
        if _place(read.map, given, writer.dims, user) != target:
            return False
    return True


_ORDERED = ("map", "row", "reduce", "contract")
"""Kinds of kernel that keep to the order of reads and writes described above."""


def _writer(kernel: Kernel, made: int) -> tuple[int, Generic, AffineMap | None]:
    """The Generic that makes a value: its position, itself, and where it writes the value."""
    number = len(kernel.params)
    for position, generic in enumerate(kernel.generics):
        if made < number + len(generic.outs):
            return position, generic, generic.outs[made - number].map
        number += len(generic.outs)
    raise ValueError(f"{kernel.name} has no value {made}")


def _reads(kernel: Kernel, number: int) -> Iterator[tuple[int, Generic, Read]]:
    for position, generic in enumerate(kernel.generics):
        for read in generic.reads:
            if read.source == number:
                yield position, generic, read


def _place(
    map: AffineMap, type: TensorType, dims: Shape, user: Generic
) -> tuple[tuple[int, ...], int] | None:
    """The address that a map of `user` reads, in terms of the leading dims `dims`, without those
    of size 1. None where it depends on others, or `user` has other dims."""
    common = min(len(dims), len(user.dims))
    if user.dims[:common] != dims[:common]:
        return None
    coefficients, constant = address_form(map, type.shape)
    steps = [c if n != 1 else 0 for c, n in zip(coefficients, user.dims)]
    if any(steps[len(dims) :]):
        return None
    return tuple(steps[: len(dims)]) + (0,) * (len(dims) - len(steps)), constant
