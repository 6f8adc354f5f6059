"""Stores past the caches: large results that will have left them before anyone reads them.

Takes: the outputs of a loop nest and its traffic. Gives: whether to store past the caches, and the
nest written twice: with such stores where all buffers turn out to be aligned, with plain ones
otherwise. A plain store reads the line first that it is going to overwrite; these do not.
Must not know: loops.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ..kernel import Generic
from ..mlir.ir import Value
from ..types import index
from .nest import LINE_BYTES, Nest, address_form

LEAST_STORE = 16
"""Bytes of the smallest store that has such a form."""


def bypasses(nest: Nest, generic: Generic, results: int, dims: Collection[int], lanes: int) -> bool:
    """Whether vectors of `lanes` neighbours along `dims` go past the caches into the
    first `results` outputs.

    The kernel's data has to be larger than the last cache, and every vector has to begin where an
    aligned buffer has a multiple of its size. Measured on x86 alone.
    """
    types, outs = nest.kernel.value_types, generic.outs[:results]
    sources = {r.source for r in generic.reads}
    traffic = sum(types[k].nbytes for k in sources) + sum(o.type.nbytes for o in outs)
    if nest.target.arch != "x86_64" or not outs or traffic < nest.target.l3_bytes:
        return False
    for out in outs:
        if out.map is None or lanes * out.type.dtype.itemsize < LEAST_STORE:
            return False
        steps, constant = address_form(out.map, out.type.shape)
        apart = [step for d, step in enumerate(steps) if d not in dims and generic.dims[d] > 1]
        unit = min(lanes * out.type.dtype.itemsize, LINE_BYTES) // out.type.dtype.itemsize
        if any(place % unit for place in (*apart, constant)):
            return False
    return True


def write_bypassing(nest: Nest, buffers: Sequence[Value], write: Callable[[], None]) -> None:
    """What `write` writes, once with stores past the caches, once with plain ones.

    No fence is needed: a chunk of a parallel loop ends with a locked instruction, which orders such
    stores too, and one thread sees its own stores in order.
    """
    b = nest.b
    addresses = [b.op("memref.extract_aligned_pointer_as_index", [v], index) for v in buffers]
    together = addresses[0]
    for address in addresses[1:]:
        together = b.op("arith.ori", [together, address])
    low = b.op("arith.andi", [together, b.index(LINE_BYTES - 1)])

    def past() -> Sequence[Value]:
        nest.bypass = True
        write()
        nest.bypass = False
        return []

    def plain() -> Sequence[Value]:
        write()
        return []

    b.if_else(b.compare("eq", low, b.index(0)), past, plain)
