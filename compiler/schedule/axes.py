"""Axes of loop nests: dims that every access walks as one, and loops over them on threads.

Takes: a Generic, extents. Gives: groups of dims, loops whose chunks may run on any thread.
Must not know: which loops a schedule makes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..kernel import Generic, Kernel
from ..mlir.ir import AffineMap, Value
from ..types import TensorType
from .nest import Nest, address_form, chunks


# -- joining axes ---------------------------------------------------------------------------------
def join_dims(kernel: Kernel, generic: Generic) -> list[list[int]]:
    """The dims in groups that every access walks as one axis, in order; axes of length 1 vanish.

    Dims whose index the body uses stay alone.
    """
    used = {n.attrs["dim"] for n in generic.body.nodes if n.op == "linalg.index"}
    forms = _forms(kernel, generic)
    groups: list[list[int]] = []
    for d, n in enumerate(generic.dims):
        if n == 1:
            continue
        if groups:
            last = groups[-1][-1]
            free = d not in used and last not in used
            if free and all(f[last] == f[d] * n for f in forms):
                groups[-1].append(d)
                continue
        groups.append([d])
    return groups


def _forms(kernel: Kernel, generic: Generic) -> list[tuple[int, ...]]:
    accesses: list[tuple[AffineMap, TensorType]] = [
        (r.map, kernel.value_types[r.source]) for r in generic.reads if r.map is not None
    ]
    accesses += [(o.map, o.type) for o in generic.outs if o.map is not None]
    return [address_form(map, type.shape)[0] for map, type in accesses]


def split_coords(
    nest: Nest, generic: Generic, groups: list[list[int]], joined: Sequence[Value]
) -> tuple[Value, ...]:
    """An index for every dim from the joined ones: a group's index stands at its innermost dim.

    The others of the group are 0: every access is linear, and joined dims have the coefficients of
    one axis, so the address is the same.
    """
    coords = [nest.b.index(0)] * len(generic.dims)
    for group, value in zip(groups, joined):
        coords[group[-1]] = value
    return tuple(coords)


# -- parallel loops -------------------------------------------------------------------------------
def parallel_loops(
    nest: Nest,
    extents: Sequence[int],
    work: float,
    body: Callable[[Sequence[Value]], None],
    setup: Callable[[], None] = lambda: None,
) -> None:
    """Loops over `extents`, the first axes cut into chunks that may run on any thread.

    `work` is that of one point of `extents`. Chunk bounds depend on shapes alone. `setup` writes
    what every chunk does first (buffers of its own).
    """
    b = nest.b
    split = 0
    items = 1
    while split < len(extents) and items < 64:
        items *= extents[split]
        split += 1
    rest = extents[split:]
    count = chunks(nest.target, items, work * math.prod(rest))

    def inner(coords: list[Value], remaining: Sequence[int]) -> None:
        if not remaining:
            body(coords)
            return
        if remaining[0] == 1:
            inner([*coords, b.index(0)], remaining[1:])
            return
        with b.loop(b.index(0), b.index(remaining[0]), b.index(1)) as i:
            inner([*coords, i], remaining[1:])

    if count == 1:
        setup()
        inner([], extents)
        return
    size = -(-items // count)
    count = -(-items // size)
    with b.parallel(b.index(0), b.index(count), b.index(1)) as chunk:
        setup()
        low = b.mul(chunk, size)
        high = b.add(low, size)
        if items % size:
            high = b.op("arith.minsi", [high, b.index(items)])
        with b.loop(low, high, b.index(1)) as item:
            inner(unflatten(nest, item, extents[:split]), rest)


def unflatten(nest: Nest, item: Value, extents: Sequence[int]) -> list[Value]:
    """The coordinates of a row-major position."""
    b = nest.b
    coords: list[Value] = []
    stride = math.prod(extents)
    for position, n in enumerate(extents):
        stride //= n
        at = item if stride == 1 else b.op("arith.divui", [item, b.index(stride)])
        if position and n > 1:
            at = b.op("arith.remui", [at, b.index(n)])
        coords.append(at if n > 1 else b.index(0))
    return coords
