"""Loops whose rounds do not depend on each other: their rounds run on several threads.

Takes: a counting `while` of a kernel-level Graph. Gives: whether its rounds are independent, into
how many chunks they are cut, and the loop over them. Chunks depend on shapes and target alone.
Must not know: how a body is lowered.

Rounds are independent where the loop carries only counters, and arrays that each round updates at
a counter's own place of an axis and never reads: what `scan` without a carry becomes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..graph import Graph, Node, Value
from ..kernel import Generic, Kernel
from ..mlir.builder import Builder
from ..mlir.ir import Block, Op
from ..mlir.ir import Value as Slot
from ..target import Target
from ..types import MemRefType, element, i8, index
from .counted import Counted, counters, is_scalar
from .nest import MAX_CHUNKS, chunks
from .storage import ALIGNMENT
from .work import graph_work, poll_interval

FEW_ROUNDS = 8
"""Fewer rounds run one after the other, where their kernels are cut into chunks themselves."""
FEW_CHUNKS = 16
"""So many chunks get memory for what a round computes, however much that is."""
SCRATCH = 8 << 20
"""Bytes for that in all chunks together, where there are more: what stays in a shared cache."""


def round_chunks(node: Node, found: Counted, target: Target) -> int:
    """Into how many chunks the rounds of a loop are cut: 1 where they run one after the other."""
    body: Graph = node.attrs["body"]
    if found.start is None or found.operand is not None or is_scalar(body):
        return 1
    if not (_stays(body) and _independent(node, found)):
        return 1
    rounds = found.bound - found.start
    work = graph_work(body) / max(1, target.vector_bits // 32)
    if rounds < FEW_ROUNDS and work >= FEW_ROUNDS * target.parallel_work:
        return 1
    most = max(FEW_CHUNKS, min(MAX_CHUNKS, SCRATCH // max(1, _made(body))))
    count = min(most, chunks(target, max(rounds, 1), work))
    return -(-rounds // -(-rounds // count)) if count > 1 else 1


def _stays(body: Graph) -> bool:
    """Whether a body calls neither the host nor LAPACK, which have threads of their own."""
    known = ("kernel", "alias", "barrier", "constant", "while", "cond")
    return all(n.op in known for g in body.walk() for n in g.nodes)


def _made(body: Graph) -> int:
    """Bytes of all that the kernels of a round compute, updates in place left out."""
    return sum(
        t.nbytes
        for g in body.walk()
        for n in g.nodes
        if n.op == "kernel" and n.attrs["kernel"].kind != "scatter"
        for t in n.types
    )


# -- independence ---------------------------------------------------------------------------------
def _independent(node: Node, found: Counted) -> bool:
    body: Graph = node.attrs["body"]
    carried = body.params[node.attrs["n_const"] :]
    known = counters(node)
    rounds = found.bound - (found.start or 0)
    if found.carry not in known or not all(_fits(carried[k], n + rounds) for k, n in known.items()):
        return False
    counting = {carried[k] for k in known}
    pairs = [(p, r) for p, r in zip(carried, body.results) if p not in counting]
    return all(_updates_own_place(body, counting, p, r) for p, r in pairs)


def _fits(counter: Value, end: int) -> bool:
    """Whether a counter gets to its end without starting anew from the least number."""
    return end < 1 << (counter.type.dtype.bits - 1)


def _updates_own_place(body: Graph, counting: set[Value], array: Value, result: Value) -> bool:
    """Whether `result` is `array` updated at a counter's place, and nothing else reads it."""
    node = result.node
    if node.op != "kernel" or node.attrs["kernel"].kind != "scatter" or node.inputs[0] != array:
        return False
    readers = [(n, k) for n in body.nodes for k, v in enumerate(n.inputs) if v == array]
    if readers != [(node, 0)] or body.results.count(array) or body.results.count(result) != 1:
        return False
    kernel: Kernel = node.attrs["kernel"]
    (generic,) = kernel.generics
    whole = generic.body.params[-1]
    read = any(r.source == 0 for r in generic.reads)
    if read or any(v == whole for n in generic.body.nodes for v in n.inputs):
        return False
    numbers = {
        param
        for param, r in zip(generic.body.params, generic.reads)
        if _shown(node.inputs[r.source]) in counting
    }
    return any(_moves_with(generic, at, numbers) for at in generic.body.results[2:])


def _shown(value: Value) -> Value:
    """What an alias is another shape of."""
    return value.node.inputs[0] if value.op == "alias" else value


def _moves_with(generic: Generic, at: Value, numbers: set[Value]) -> bool:
    """Whether an index is a counter itself, up to what is always the same."""
    if at in numbers:
        return True
    if at.op == "arith.index_cast":
        return _moves_with(generic, at.node.inputs[0], numbers)
    if at.op != "arith.addi":
        return False
    first, second = at.node.inputs
    return any(
        _moves_with(generic, a, numbers) and _is_fixed(generic, b)
        for a, b in ((first, second), (second, first))
    )


def _is_fixed(generic: Generic, at: Value) -> bool:
    if at.op == "linalg.index":
        return generic.dims[int(at.node.attrs["dim"])] == 1
    return at.op == "arith.constant"


# -- the loop -------------------------------------------------------------------------------------
def count_apart(
    b: Builder,
    node: Node,
    found: Counted,
    count: int,
    carried: Sequence[Slot],
    inside: Block,
    write: Callable[[Mapping[int, Slot]], None],
) -> None:
    """The rounds in `count` chunks. Each chunk has counters of its own in `inside`, its block;
    `write` writes a round with them in place of the carried ones, which are at their ends
    afterwards."""
    assert found.start is not None
    rounds = found.bound - found.start
    size = -(-rounds // count)
    starts = counters(node)
    with b.inside(inside):
        own = {k: b.alloca(MemRefType((), element(carried[k].type))) for k in starts}
        low = b.mul(inside.args[0], size)
        high = b.add(low, size)
        if rounds % size:
            high = b.op("arith.minui", [high, b.index(rounds)])
        block = Block([Slot(index)])
        with b.inside(block):
            for k, start in starts.items():
                number = b.add(block.args[0], start)
                number = b.op("arith.index_cast", [number], element(own[k].type))
                b.store(number, own[k], [])
            write(own)
            b.emit("scf.yield")
        interval = poll_interval(node.attrs["body"])
        attrs = {"lz.poll": interval} if size > interval else {}
        b.emit("scf.for", [low, high, b.index(1)], [], attrs, regions=[block])
        b.emit("scf.reduce")
    bounds = [b.index(0), b.index(count), b.index(1)]
    b.emit("scf.parallel", bounds, regions=[inside])
    for k, start in starts.items():
        b.store(b.const(start + rounds, element(carried[k].type)), carried[k], [])


def give_scratch(
    b: Builder, inside: Block, place: Slot, workspace: Slot, view: Op, size: int
) -> int:
    """At the head of a chunk: `view` shows the chunk's own `size` bytes of the workspace, which
    begin at `place`. Gives the bytes from one chunk to the next."""
    stride = -(-size // ALIGNMENT) * ALIGNMENT
    head = Block()
    with b.inside(head):
        at = b.add(place, b.mul(inside.args[0], stride))
    view.operands = [workspace, at]
    view.result.type = MemRefType((size,), i8)
    inside.ops[:0] = [*head.ops, view]
    return stride
