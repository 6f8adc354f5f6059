"""Recognises loops that count: `while` on an integer that grows by one up to a bound.

Takes: a `while` node of a kernel-level Graph. Gives: which carried value counts, and its bound.
A counted loop is an `scf.for`: its test is at the end, it looks for an interruption between blocks
of rounds only, and what one round stores the next one need not load.
Must not know: buffers, code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..graph import Graph, Node, Value
from ..kernel import Kernel
from ..mlir.builder import Builder
from ..mlir.ir import Block, Unit
from ..mlir.ir import Value as Slot
from ..types import element, index


@dataclass(frozen=True)
class Counted:
    """The carried value number `carry` grows by one while it is less than the bound: a number, or
    the constant operand `operand`. `start` is where it starts, if that is a number."""

    carry: int
    start: int | None
    bound: int = 0
    operand: int | None = None


def counted(node: Node) -> Counted | None:
    """How a `while` counts, or None where it does something else."""
    held = node.attrs["n_const"]
    cond: Graph = node.attrs["cond"]
    body: Graph = node.attrs["body"]
    less = _expression(cond.results[0])
    if less is None or less[0].op != "arith.extui":
        return None
    test, origin = less[0].inputs[0].node, less[1]
    if test.op != "arith.cmpi" or test.attrs["predicate"] != "slt":
        return None
    counter, bound = (origin.get(v) for v in test.inputs)
    if counter is None or counter not in cond.params[held:]:
        return None
    carry = cond.params.index(counter) - held
    if not _grows_by_one(body.params[held + carry], body.results[carry]):
        return None
    start = _start(node.inputs[held + carry])
    number = _number(test.inputs[1])
    if number is not None:
        return Counted(carry, start, number)
    if bound is not None and bound in cond.params[:held]:
        return Counted(carry, start, operand=cond.params.index(bound))
    return None


def counters(node: Node) -> dict[int, int]:
    """The carried values that start at a number and grow by one in every round: their starts."""
    held = node.attrs["n_const"]
    body: Graph = node.attrs["body"]
    found: dict[int, int] = {}
    for k, (param, result) in enumerate(zip(body.params[held:], body.results)):
        start = _start(node.inputs[held + k])
        if start is not None and _grows_by_one(param, result):
            found[k] = start
    return found


def _number(scalar: Value) -> int | None:
    if scalar.op != "arith.constant":
        return None
    return int(scalar.node.attrs["value"].data.reshape(()))


def _start(value: Value) -> int | None:
    """The number that a kernel of one point always gives."""
    found = _expression(value)
    return None if found is None else _number(found[0].result)


def _expression(value: Value) -> tuple[Node, dict[Value, Value]] | None:
    """The scalar node that a kernel of one point yields for `value`, and which of the graph's
    values each scalar parameter of it is."""
    if value.op != "kernel" or value.type.rank:
        return None
    kernel: Kernel = value.node.attrs["kernel"]
    if kernel.kind != "map" or len(kernel.generics) != 1:
        return None
    (generic,) = kernel.generics
    number = kernel.results[value.index] - len(kernel.params)
    if number < 0 or generic.dims:
        return None
    inputs = value.node.inputs
    origin = {p: inputs[r.source] for p, r in zip(generic.body.params, generic.reads)}
    scalars = {p: v for p, v in origin.items() if v.type.rank == 0}
    return generic.body.results[number].node, scalars


def _grows_by_one(param: Value, result: Value) -> bool:
    found = _expression(result)
    if found is None or found[0].op != "arith.addi":
        return False
    a, b = found[0].inputs
    if a.op == "arith.constant":
        a, b = b, a
    return _number(b) == 1 and found[1].get(a) == param


def count_up(
    b: Builder,
    counter: Slot,
    bound: Slot | int,
    start: int | None,
    interval: int,
    body: Callable[[], None],
    *,
    scalar: bool,
) -> None:
    """The loop: in every round the counter's buffer holds its number. After `interval` rounds it
    looks for an interruption, unless it surely has no more. `scalar`: the body is scalar code
    without loops, which LLVM may run on vectors where rounds allow it; it runs in blocks, between
    which it looks."""
    low = b.index(start) if start is not None else _loaded(b, counter)
    high = b.index(bound) if isinstance(bound, int) else _loaded(b, bound)

    def rounds(low: Slot, high: Slot, attrs: dict[str, object]) -> None:
        attrs = {**attrs, **({"lz.scalar": Unit()} if scalar else {})}
        block = Block([Slot(index)])
        with b.inside(block):
            number = b.op("arith.index_cast", [block.args[0]], element(counter.type))
            b.store(number, counter, [])
            body()
            b.emit("scf.yield")
        b.emit("scf.for", [low, high, b.index(1)], [], attrs, regions=[block])

    if start is not None and isinstance(bound, int) and bound - start <= interval:
        rounds(low, high, {})
        return
    if not scalar:
        rounds(low, high, {"lz.poll": interval})
        return
    block = Block([Slot(index)])
    with b.inside(block):
        most = b.op("arith.addi", [block.args[0], b.index(interval)])
        rounds(block.args[0], b.op("arith.minsi", [most, high]), {"lz.poll": interval})
        b.emit("scf.yield")
    b.emit("scf.for", [low, high, b.index(interval)], regions=[block])


def _loaded(b: Builder, buffer: Slot) -> Slot:
    return b.op("arith.index_cast", [b.load(buffer, [])], index)


def is_scalar(body: Graph) -> bool:
    """Whether a body is scalar code without loops: kernels of one point alone."""

    def one(node: Node) -> bool:
        if node.op == "kernel":
            return all(math.prod(g.dims) == 1 for g in node.attrs["kernel"].generics)
        return node.op in ("alias", "barrier")

    return all(one(node) for node in body.nodes if node.op != "param")
