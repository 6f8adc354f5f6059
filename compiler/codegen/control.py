"""`scf` operations: loops, branches, and leaving early when interrupted.

Takes: structured regions. Gives: basic blocks. Must not know: arithmetic, memory, threads.

A function that polls, or calls one that does, is *fallible*: it returns i32 0, or 1 as soon as an
interruption was seen, ahead of its other results.
"""

from __future__ import annotations

from collections.abc import Sequence

from lazir.runtime.abi import CTX_POLL, STATUS_INTERRUPTED, STATUS_OK

from ..mlir.ir import Block, Op, Value
from ..types import i64
from .emitter import Emit, FunctionEmitter, Rows, int_attr, results_text
from .text import CodegenError, row_count, row_of, type_text

WHILE_POLL = 1024
"""Iterations between polls of an `scf.while` that does not say otherwise with `lz.poll`."""

WHOLE = 1 << 16
"""The parts of an interval that are counted; no interval is longer."""

_POLL = f"""define internal i32 @lz.poll(ptr %ctx) cold noinline nounwind {{
entry:
  %field = getelementptr inbounds ptr, ptr %ctx, i64 {CTX_POLL}
  %poll = load ptr, ptr %field
  %none = icmp eq ptr %poll, null
  br i1 %none, label %go.on, label %ask
ask:
  %status = call i32 %poll(ptr %ctx)
  ret i32 %status
go.on:
  ret i32 {STATUS_OK}
}}"""


def poll_interval(op: Op) -> int:
    """Iterations between polls of a loop, a power of two; 0 for a loop that never polls."""
    wanted = int_attr(op, "lz.poll", WHILE_POLL if op.name == "scf.while" else 0)
    return min(1 << (wanted - 1).bit_length(), WHOLE) if wanted > 0 else 0


# -- pieces ----------------------------------------------------------------------------------------
def block(f: FunctionEmitter, region: Block) -> list[Value]:
    """Write a region's operations; gives what its terminator yields."""
    if not region.ops:
        return []
    for op in region.ops[:-1]:
        f.emit(op)
    last = region.ops[-1]
    if last.name not in ("scf.yield", "scf.reduce", "scf.condition"):
        raise CodegenError(f"a region ends with {last.name}; scf.yield was expected")
    if last.name == "scf.reduce" and last.operands:
        raise CodegenError("scf.reduce with operands: write the reduction as a fixed tree")
    return last.operands


def flat(f: FunctionEmitter, values: Sequence[Value]) -> list[str]:
    """The machine operands of several values in a row."""
    return [text for v in values for text in f.get(v)]


def bind(f: FunctionEmitter, values: Sequence[Value], texts: Sequence[str]) -> None:
    """Define several values from machine operands in a row."""
    rest = list(texts)
    for value in values:
        count = row_count(value.type)
        rows: Rows = tuple(rest[:count])
        del rest[:count]
        f.set(value, rows)


def types_of(values: Sequence[Value]) -> list[str]:
    """LLVM types of the machine operands of several values in a row."""
    return [t for v in values for t in [type_text(v.type)] * row_count(v.type)]


class Phis:
    """The phis at the head of a loop; their second edge is known only at its end."""

    def __init__(self, f: FunctionEmitter, types: Sequence[str], first: Sequence[str]) -> None:
        self.f, self.types, self.first = f, list(types), list(first)
        self.before = ""
        self.names = [f.fresh() for _ in self.types]
        self.at = len(f.lines)
        f.lines.extend("" for _ in self.types)

    def close(self, before: str, latch: str, following: Sequence[str]) -> None:
        """Fill in both edges."""
        rows = zip(self.names, self.types, self.first, following, strict=True)
        for k, (name, type, first, value) in enumerate(rows):
            edges = f"[ {first}, %{before} ], [ {value}, %{latch} ]"
            self.f.lines[self.at + k] = f"  {name} = phi {type} {edges}"


def fail_if(f: FunctionEmitter, status: str) -> None:
    """Leave the function where a status is not zero."""
    bad = f.inst(f"icmp ne i32 {status}, {STATUS_OK}")
    f.interrupted_used = True
    following = f.new_label("ok")
    weights = f"!prof {f.module.cold_branch()}"
    f.line(f"  br i1 {bad}, label %interrupted, label %{following}, {weights}")
    f.start(following)


def poll(f: FunctionEmitter) -> None:
    """Ask for an interruption now."""
    f.module.helper("lz.poll", _POLL)
    fail_if(f, f.inst(f"call i32 @lz.poll(ptr {f.context})"))


def poll_every(f: FunctionEmitter, interval: int, rounds: str = "1") -> None:
    """Poll once in `interval` iterations, of which `rounds` have passed.

    All loops of a function share one count, in parts of an interval: many short loops are a long
    one.
    """
    if not f.count:
        f.count = f.alloca("i32, align 4", "count")
        f.prologue.append(f"  store i32 0, ptr {f.count}")
    part = WHOLE // interval
    passed = str(part) if rounds == "1" else f.inst(f"mul i32 {rounds}, {part}")
    before = f.inst(f"load i32, ptr {f.count}")
    following = f.inst(f"add i32 {before}, {passed}")
    f.line(f"  store i32 {following}, ptr {f.count}")
    due = f.inst(f"icmp uge i32 {following}, {WHOLE}")
    ask, go_on = f.new_label("poll"), f.new_label("polled")
    weights = f"!prof {f.module.cold_branch()}"
    f.line(f"  br i1 {due}, label %{ask}, label %{go_on}, {weights}")
    f.start(ask)
    f.line(f"  store i32 0, ptr {f.count}")
    poll(f)
    f.line(f"  br label %{go_on}")
    f.start(go_on)


# -- operations ------------------------------------------------------------------------------------
def for_loop(f: FunctionEmitter, op: Op) -> None:
    """`scf.for`: tested at the bottom, guarded at the top unless it surely runs."""
    low, high, step = (f.one(v) for v in op.operands[:3])
    carried = op.operands[3:]
    first = flat(f, carried)
    runs = _surely(low, high)
    if runs is False:
        bind(f, op.results, first)
        return
    guard = "" if runs else f.inst(f"icmp slt i64 {low}, {high}")
    kind = type_text(op.operands[0].type)
    if kind != "i64":
        raise CodegenError("scf.for runs over index; cast the bounds")
    before = f.label
    with f.scope():
        latch, last = _for_body(f, op, (low, high, step, guard), first, before)
    end = f.lines.pop()
    assert isinstance(end, str)
    f.start(end)
    texts = results_text(op)
    if guard:
        rows = zip(texts, first, last)
        last = [f.inst(f"phi {t} [ {a}, %{before} ], [ {b}, %{latch} ]") for t, a, b in rows]
    else:
        f.settle(last)
    bind(f, op.results, last)
    if poll_interval(op) and _is_scalar(op):
        difference = f.inst(f"sub i64 {high}, {low}")
        rounds = f.like("llvm.smax", row_of(i64), difference, "0")
        poll_every(f, poll_interval(op), f.inst(f"trunc i64 {rounds} to i32"))


def _is_scalar(op: Op) -> bool:
    """Whether a loop is scalar code of which LLVM may make vectors; it polls behind its end."""
    return "lz.scalar" in op.attrs


def _surely(low: str, high: str) -> bool | None:
    """Whether a loop with these bounds runs at all, None where nobody knows."""
    if low.lstrip("-").isdigit() and high.lstrip("-").isdigit():
        return int(low) < int(high)
    return None


def _for_body(
    f: FunctionEmitter,
    op: Op,
    bounds: tuple[str, str, str, str],
    first: list[str],
    before: str,
) -> tuple[str, list[str]]:
    """Writes the loop; leaves the label of the block behind it as the last line."""
    low, high, step, guard = bounds
    interval = 0 if _is_scalar(op) else poll_interval(op)
    head, end = f.new_label("for"), f.new_label("end")
    f.line(f"  br i1 {guard}, label %{head}, label %{end}" if guard else f"  br label %{head}")
    f.start(head)
    phis = Phis(f, ["i64", *results_text(op)], [low, *first])
    bind(f, op.regions[0].args, phis.names)
    last = flat(f, block(f, op.regions[0]))
    if interval:
        poll_every(f, interval)
    following = f.inst(f"add nsw i64 {phis.names[0]}, {step}")
    again = f.inst(f"icmp slt i64 {following}, {high}")
    latch = f.label
    tail = f.module.loop_tail(scalar=_is_scalar(op))
    f.line(f"  br i1 {again}, label %{head}, label %{end}{tail}")
    phis.close(before, latch, [following, *last])
    f.line(end)
    return latch, last


def if_else(f: FunctionEmitter, op: Op) -> None:
    """`scf.if`."""
    condition = f.one(op.operands[0])
    then, otherwise, end = (f.new_label(h) for h in ("then", "else", "end"))
    arms = op.regions[: 2 if len(op.regions) > 1 and op.regions[1].ops else 1]
    gap = f.gap()
    f.line(f"  br i1 {condition}, label %{then}, label %{otherwise if len(arms) > 1 else end}")
    edges: list[tuple[str, list[str]]] = []
    for label, region in zip((then, otherwise), arms):
        f.start(label)
        with f.scope(gap):
            edges.append(_arm(f, region, end))
    f.start(end)
    if op.results:
        if len(edges) != 2:
            raise CodegenError("scf.if with results needs both arms")
        (l1, a), (l2, b) = edges
        rows = zip(results_text(op), a, b, strict=True)
        bind(f, op.results, [f.inst(f"phi {t} [ {x}, %{l1} ], [ {y}, %{l2} ]") for t, x, y in rows])


def _arm(f: FunctionEmitter, region: Block, end: str) -> tuple[str, list[str]]:
    values = flat(f, block(f, region))
    label = f.label
    f.line(f"  br label %{end}")
    return label, values


def while_loop(f: FunctionEmitter, op: Op) -> None:
    """`scf.while`; polls every `lz.poll` iterations (default 1024, 0 for never)."""
    interval = poll_interval(op)
    first = flat(f, op.operands)
    head, body, end = (f.new_label(h) for h in ("while", "do", "done"))
    before = f.label
    with f.scope():
        f.line(f"  br label %{head}")
        f.start(head)
        phis = Phis(f, types_of(op.operands), first)
        bind(f, op.regions[0].args, phis.names)
        condition, *passed = block(f, op.regions[0])
        forwarded = flat(f, passed)
        f.line(f"  br i1 {f.one(condition)}, label %{body}, label %{end}")
        f.start(body)
        bind(f, op.regions[1].args, forwarded)
        last = flat(f, block(f, op.regions[1]))
        if interval:
            poll_every(f, interval)
        phis.close(before, f.label, last)
        f.line(f"  br label %{head}{f.module.loop_tail()}")
    f.start(end)
    f.settle(forwarded)
    bind(f, op.results, forwarded)


CONTROL: dict[str, Emit] = {
    "scf.for": for_loop,
    "scf.if": if_else,
    "scf.while": while_loop,
}

__all__ = [
    "CONTROL", "STATUS_INTERRUPTED", "STATUS_OK", "Phis", "bind", "block", "fail_if", "flat",
    "poll", "poll_interval", "types_of",
]  # fmt: skip
