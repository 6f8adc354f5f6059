"""How a kernel with reductions falls into passes, and how accumulators are joined.

Takes: a Kernel. Gives: `Space` (its dims, joined), `Pass`es, and the fixed tree of a reduction.
Must not know: which dims become vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..kernel import REDUCTION, Generic, Kernel, Output
from ..mlir.ir import Value
from ..types import VectorType, element
from .nest import At, Nest, address_form


@dataclass(frozen=True)
class Space:
    """The iteration space of a kernel: `outer` dims come first, then the `row` dims.

    `outer_groups` and `row_groups` are dims that every access walks as one axis.
    """

    dims: tuple[int, ...]
    outer: int
    outer_groups: list[list[int]]
    row_groups: list[list[int]]

    def extents(self, groups: Sequence[Sequence[int]]) -> list[int]:
        return [math.prod(self.dims[d] for d in group) for group in groups]


def space_of(kernel: Kernel) -> Space:
    """The common space of all Generics of a row or reduce kernel."""
    wide = next(g for g in kernel.generics if REDUCTION in g.kinds)
    outer = len(wide.parallel_dims)
    forms, alone = _accesses(kernel, len(wide.dims))
    groups: list[list[int]] = []
    for d, n in enumerate(wide.dims):
        if n == 1:
            continue
        if groups and groups[-1][-1] not in alone and d not in alone:
            last = groups[-1][-1]
            if (last < outer) == (d < outer) and all(f[last] == f[d] * n for f in forms):
                groups[-1].append(d)
                continue
        groups.append([d])
    split = [g for g in groups if g[0] < outer]
    return Space(wide.dims, outer, split, groups[len(split) :])


def _accesses(kernel: Kernel, rank: int) -> tuple[list[tuple[int, ...]], set[int]]:
    """Address coefficients of every access, and the dims whose index a body uses."""
    forms: list[tuple[int, ...]] = []
    alone: set[int] = set()
    for g in kernel.generics:
        accesses = [(r.map, kernel.value_types[r.source].shape) for r in g.reads]
        accesses += [(o.map, o.type.shape) for o in g.outs]
        for map, shape in accesses:
            if map is not None:
                form = address_form(map, shape)[0]
                forms.append(form + (0,) * (rank - len(form)))
        alone |= {n.attrs["dim"] for n in g.body.nodes if n.op == "linalg.index"}
    return forms, alone


@dataclass(frozen=True)
class Pass:
    """Generics that run together: over the row (maps, then at most one reduction), or per outer
    point.
    """

    generics: tuple[Generic, ...]
    over_row: bool

    @property
    def reduction(self) -> Generic | None:
        last = self.generics[-1]
        return last if REDUCTION in last.kinds else None


def passes_of(kernel: Kernel, space: Space) -> list[Pass]:
    """The kernel's Generics in passes, in order."""
    found: list[Pass] = []
    for g in kernel.generics:
        over_row = len(g.dims) > space.outer or REDUCTION in g.kinds
        previous = found[-1] if found else None
        joins = (
            previous is not None
            and previous.over_row == over_row
            and (not over_row or previous.reduction is None)
        )
        if joins and previous is not None:
            found[-1] = Pass((*previous.generics, g), over_row)
        else:
            found.append(Pass((g,), over_row))
    return found


def run_pass(
    nest: Nest,
    step: Pass,
    at: At,
    held: Sequence[Value] = (),
    keep: Callable[[int, Output, Value], None] | None = None,
) -> list[Value]:
    """All Generics of a pass at one point or vector; gives the accumulators after it.

    What the maps make is held for the Generics after them; `keep(number, output, value)` may
    store it too.
    """
    made: list[int] = []
    result = list(held)
    for g in step.generics:
        if REDUCTION in g.kinds:
            result = nest.run(g, at, held)
            continue
        for k, (out, value) in enumerate(zip(g.outs, nest.run(g, at))):
            number = nest.number_of(g, k)
            if keep is not None:
                keep(number, out, value)
            nest.held[number] = value
            made.append(number)
    for number in made:
        del nest.held[number]
    return result


def hold_all(nest: Nest, generics: Sequence[Generic], at: At) -> dict[int, Value]:
    """What `generics` make at one outer point or vector, by number; held from here on."""
    made: dict[int, Value] = {}
    for g in generics:
        for k, value in enumerate(nest.run(g, at)):
            made[nest.number_of(g, k)] = value
        nest.held |= made
    return made


def outer_before_row(passes: Sequence[Pass]) -> list[Generic]:
    """The Generics per outer point that the first pass over the row may read."""
    first = next((k for k, p in enumerate(passes) if p.over_row), len(passes))
    return [g for p in passes[:first] for g in p.generics]


# -- joining accumulators -------------------------------------------------------------------------
def combine(
    nest: Nest, generic: Generic, left: Sequence[Value], right: Sequence[Value]
) -> list[Value]:
    """Two partial results of a reduction as one, by the Generic's own body."""
    shape = left[0].type.shape if isinstance(left[0].type, VectorType) else None
    lanes = shape[0] if shape else None
    return nest.bodies.emit(generic.body, [*right, *left], lanes)


def tree(nest: Nest, generic: Generic, parts: list[list[Value]]) -> list[Value]:
    """All partial results joined pairwise: 0 with n/2, 1 with n/2+1, …, until one is left."""
    while len(parts) > 1:
        half = (len(parts) + 1) // 2
        joined = [
            combine(nest, generic, parts[k], parts[k + half]) if k + half < len(parts) else parts[k]
            for k in range(half)
        ]
        parts = joined
    return parts[0]


def across_lanes(nest: Nest, generic: Generic, values: Sequence[Value]) -> list[Value]:
    """The lanes of a vector result joined by halves: 16 → 8 → 4 → 2 → 1."""
    b = nest.b
    current = list(values)
    while True:
        type = current[0].type
        if not isinstance(type, VectorType):
            return current
        lanes = type.shape[0]
        if lanes == 1:
            return [
                b.op("vector.extract", [v], element(v.type), static_position=(0,)) for v in current
            ]
        half = lanes // 2
        sides: list[list[Value]] = []
        for offset in (0, half):
            attrs = {"offsets": [offset], "sizes": [half], "strides": [1]}
            side = []
            for v in current:
                part = VectorType((half,), element(v.type))
                side.append(b.op("vector.extract_strided_slice", [v], part, **attrs))
            sides.append(side)
        current = combine(nest, generic, sides[0], sides[1])


def unroll(work: float) -> int:
    """Accumulators side by side: enough to hide the latency of an addition in a light body."""
    return 4 if work < 24 else 2 if work < 60 else 1
