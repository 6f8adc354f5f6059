"""`scf.parallel` on CPUs: the body becomes a function that the runtime calls for each chunk.

Takes: an scf.parallel. Gives: `void body(env, chunk, ctx)` and a call through the context. Must not
know: threads. What the body uses of the function around it travels in a struct on that function's
stack. Inside a body, a nested scf.parallel is a plain loop.
"""

from __future__ import annotations

from lazir.runtime.abi import CTX_PARALLEL_FOR

from ..mlir.ir import Op, Value
from .control import block, poll
from .emitter import Emit, FunctionEmitter
from .text import CodegenError, row_count, type_text


def captured(op: Op) -> list[Value]:
    """The values that a region uses and does not define, in order of use."""
    inside: set[Value] = set()
    for o in op.walk():
        inside.update(v for region in o.regions for v in region.args)
        inside.update(o.results)
    used: dict[Value, None] = {}
    for region in op.regions:
        for o in (x for top in region.ops for x in top.walk()):
            used.update((v, None) for v in o.operands if v not in inside)
    return list(used)


def parallel(f: FunctionEmitter, op: Op) -> None:
    """`scf.parallel` without reductions; its iterations are the chunks."""
    if op.results or len(op.operands) % 3:
        raise CodegenError("scf.parallel with results: write the reduction as a fixed tree")
    rank = len(op.operands) // 3
    bounds = [f.one(v) for v in op.operands]
    lows, highs, steps = bounds[:rank], bounds[rank : 2 * rank], bounds[2 * rank :]
    counts = [_trips(f, *b) for b in zip(lows, highs, steps)]
    if "0" in counts:
        return
    if f.in_body or all(c == "1" for c in counts):
        _nest(f, op, lows, steps, counts)
        return
    total = counts[0]
    for count in counts[1:]:
        total = _times(f, total, count)
    env, kind, fields = _pack(f, op)
    name = _outline(f, op, (lows, steps, counts), kind, fields)
    place = f.inst(f"getelementptr inbounds ptr, ptr {f.context}, i64 {CTX_PARALLEL_FOR}")
    run = f.inst(f"load ptr, ptr {place}")
    f.line(f"  call void {run}(ptr {f.context}, ptr @{name}, ptr {env}, i64 {total})")
    poll(f)


def _trips(f: FunctionEmitter, low: str, high: str, step: str) -> str:
    """How often a loop runs: ceil((high − low) / step), at least 0."""
    if all(t.lstrip("-").isdigit() for t in (low, high, step)):
        return str(max(0, -((int(low) - int(high)) // int(step))))
    span = f.inst(f"sub i64 {high}, {low}")
    span = f.intrinsic("llvm.smax", "i64", [("i64", span), ("i64", "0")], "i64")
    if step == "1":
        return span
    more = f.inst(f"add i64 {span}, {step}")
    return f.inst(f"udiv i64 {f.inst(f'sub i64 {more}, 1')}, {step}")


def _times(f: FunctionEmitter, a: str, b: str) -> str:
    return str(int(a) * int(b)) if a.isdigit() and b.isdigit() else f.inst(f"mul i64 {a}, {b}")


def _nest(f: FunctionEmitter, op: Op, lows: list[str], steps: list[str], counts: list[str]) -> None:
    """The iterations one after the other."""
    _nest_axis(f, op, (lows, steps, counts), [])


def _nest_axis(
    f: FunctionEmitter, op: Op, space: tuple[list[str], list[str], list[str]], at: list[str]
) -> None:
    lows, steps, counts = space
    axis = len(at)
    if axis == len(counts):
        for value, position, low, step in zip(op.regions[0].args, at, lows, steps):
            f.set(value, _induction(f, position, low, step))
        block(f, op.regions[0])
        return
    if counts[axis] == "1":
        _nest_axis(f, op, space, [*at, "0"])
        return
    head, end = f.new_label("for"), f.new_label("end")
    guard = "" if counts[axis].isdigit() else f.inst(f"icmp sgt i64 {counts[axis]}, 0")
    with f.scope():
        before = f.label
        f.line(f"  br i1 {guard}, label %{head}, label %{end}" if guard else f"  br label %{head}")
        f.start(head)
        slot = len(f.lines)
        index = f.fresh("i")
        f.line("")
        _nest_axis(f, op, space, [*at, index])
        following = f.inst(f"add nuw nsw i64 {index}, 1")
        again = f.inst(f"icmp slt i64 {following}, {counts[axis]}")
        f.lines[slot] = f"  {index} = phi i64 [ 0, %{before} ], [ {following}, %{f.label} ]"
        f.line(f"  br i1 {again}, label %{head}, label %{end}{f.module.loop_tail()}")
    f.start(end)


def _induction(f: FunctionEmitter, position: str, low: str, step: str) -> str:
    """low + position · step."""
    if step.lstrip("-").isdigit():
        return f.index_value(f.affine(low).plus(f.affine(position), int(step)))
    scaled = f.inst(f"mul i64 {position}, {step}")
    return f.inst(f"add i64 {low}, {scaled}")


def _pack(f: FunctionEmitter, op: Op) -> tuple[str, str, list[tuple[Value, int, str, str]]]:
    """Store what the body uses; gives the struct's address, its type and its fields.

    The bounds are operands of the operation and not of its body: they are added.
    """
    fields: list[tuple[Value, int, str, str]] = []
    for value in dict.fromkeys([*captured(op), *op.operands]):
        for k, text in enumerate(f.get(value)):
            fields.append((value, k, type_text(value.type), text))
    moving = [(t, text) for _, _, t, text in fields if text.startswith("%")]
    kind = "{ " + ", ".join(t for t, _ in moving) + " }" if moving else "{ i8 }"
    env = f.alloca(kind, "env")
    for k, (type, text) in enumerate(moving):
        place = f.inst(f"getelementptr inbounds {kind}, ptr {env}, i64 0, i32 {k}")
        f.line(f"  store {type} {text}, ptr {place}")
    return env, kind, fields


def _outline(
    f: FunctionEmitter,
    op: Op,
    space: tuple[list[str], list[str], list[str]],
    kind: str,
    fields: list[tuple[Value, int, str, str]],
) -> str:
    """Write the body's function; gives its name."""
    name = f"{f.name}.body{f.bodies}"
    f.bodies += 1
    g = FunctionEmitter(f.module, f.table, name)
    g.in_body, g.failure = True, "ret void"
    renamed = _unpack(g, kind, fields)
    lows, steps = ([renamed.get(t, t) for t in part] for part in space[:2])
    counts = space[2]
    if any(c.startswith("%") for c in counts):
        counts = [_trips(g, *b) for b in zip(lows, _highs(g, op), steps)]
    position = "%chunk"
    places: list[str] = []
    for count in reversed(counts[1:]):
        places.insert(0, g.inst(f"urem i64 {position}, {count}"))
        position = g.inst(f"udiv i64 {position}, {count}")
    places.insert(0, position)
    for value, place, low, step in zip(op.regions[0].args, places, lows, steps):
        g.set(value, _induction(g, place, low, step))
    block(g, op.regions[0])
    g.line("  ret void")
    head = f"define internal void @{name}(ptr noalias %env, i64 %chunk, ptr %ctx) #0"
    f.module.functions.append(f"{head} {{\n{g.text()}\n}}")
    return name


def _highs(g: FunctionEmitter, op: Op) -> list[str]:
    rank = len(op.operands) // 3
    return [g.one(v) for v in op.operands[rank : 2 * rank]]


def _unpack(
    g: FunctionEmitter, kind: str, fields: list[tuple[Value, int, str, str]]
) -> dict[str, str]:
    """Load the fields and bind the values; gives the new name of each old operand."""
    renamed: dict[str, str] = {}
    rows: dict[Value, list[str]] = {}
    number = 0
    for value, _, type, text in fields:
        if text.startswith("%"):
            place = g.inst(f"getelementptr inbounds {kind}, ptr %env, i64 0, i32 {number}")
            text, old = g.inst(f"load {type}, ptr {place}"), text
            renamed[old] = text
            number += 1
        rows.setdefault(value, []).append(text)
    for value, texts in rows.items():
        assert len(texts) == row_count(value.type)
        g.set(value, tuple(texts))
    return renamed


PARALLEL: dict[str, Emit] = {"scf.parallel": parallel}
