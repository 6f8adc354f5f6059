"""Maps whose innermost axis is too short for vectors: colours of a pixel, coordinates of a point.

Takes: a map's Generic and its joined axes. Gives: whether vectors should run along the axis before
the last one, so that those of all places of the last one are woven into what lies in memory
(`Nest.store_woven`). Must not know: loops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..kernel import Generic, Kernel
from .nest import address_form

WIDEST = 4
"""The most places of the last axis: above, its own vectors are wide enough."""
MAX_NODES = 64
"""Operations of a body that is written out for each place."""


def woven(kernel: Kernel, generic: Generic, groups: Sequence[Sequence[int]]) -> int:
    """The extent of the last joined axis where it is to be woven, else 0.

    Results have to be dense along the last two axes. Four places are woven only where their own
    vectors would have to be gathered.
    """
    if len(groups) < 2 or len(generic.body.nodes) > MAX_NODES:
        return 0
    before, last = groups[-2][-1], groups[-1][-1]
    width = math.prod(generic.dims[d] for d in groups[-1])
    if not 2 <= width <= WIDEST or math.prod(generic.dims[d] for d in groups[-2]) < 2 * width:
        return 0
    for out in generic.outs:
        if out.map is None:
            return 0
        form = address_form(out.map, out.type.shape)[0]
        if (form[before], form[last]) != (width, 1):
            return 0
    maps = [(r.map, kernel.value_types[r.source].shape) for r in generic.reads]
    forms = [address_form(map, shape)[0] for map, shape in maps if map is not None]
    return width if width < WIDEST or any(form[last] not in (0, 1) for form in forms) else 0
