"""Loops, branches, calls, parallel bodies, interruptions and the C entry."""

from __future__ import annotations

import numpy as np
import pytest

from lazir.compiler.codegen.llvm import emit_llvm
from lazir.compiler.codegen.machine import compile_ir, undefined_symbols
from lazir.compiler.mlir.builder import Builder
from lazir.compiler.mlir.ir import Block, Module, Op, Typed, Unit, Value, function
from lazir.compiler.target import named_target
from lazir.compiler.types import MemRefType, VectorType, f32, f64, i1, i32, i64, index


def ref(dtype, *shape):
    return MemRefType(tuple(shape), dtype)


def bounds(b, args):
    """Three index values out of an i64 buffer: nothing about them is known to the compiler."""
    return [b.op("arith.index_cast", [b.load(args, [b.index(k)])], index) for k in range(3)]


def while_loop(b, first, test, body, **attrs):
    """`test(values)` gives (condition, passed on); `body(values)` the next values."""
    blocks = []
    types = [v.type for v in first]
    for make, end in ((test, "scf.condition"), (body, "scf.yield")):
        block = Block([Value(t) for t in types])
        with b.inside(block):
            result = make(block.args)
            values = [result[0], *result[1]] if end == "scf.condition" else list(result)
            types = [v.type for v in values[1:]] if end == "scf.condition" else types
            b.emit(end, values)
        blocks.append(block)
    return b.emit("scf.while", first, types, attrs, blocks).results


@pytest.mark.parametrize("span", [(0, 10, 1), (2, 11, 3), (5, 5, 1), (7, 3, 2), (-4, 4, 4)])
def test_for_with_variable_bounds(kit, target, span):
    """Carried values of several types; a loop that does not run gives its first values."""
    f, b, (limits, out) = kit.main_function([ref(i64, 3)], [ref(f64, 5)])
    low, high, step = bounds(b, limits)
    first = [b.const(0.5, f64), b.const(2.0, VectorType((4,), f64))]

    def body(i, carried):
        x = b.op("arith.sitofp", [b.op("arith.index_cast", [i], i64)], f64)
        return [
            b.op("arith.addf", [carried[0], x]),
            b.op("arith.addf", [carried[1], b.splat(x, 4)]),
        ]

    total, vector = b.loop_carry(low, high, step, first, body)
    b.store(total, out, [b.index(0)])
    b.vstore(vector, out, [b.index(1)])
    b.emit("func.return")
    got = np.zeros(5)
    assert kit.Native(Module([f]), target)([np.array(span)], [got]) == 0
    want = float(sum(range(*span)))
    np.testing.assert_array_equal(got, [want + 0.5, *[want + 2.0] * 4])


def test_rank_two_vectors_and_buffers_are_carried(kit, target):
    """Two buffers swap roles in a loop; a vector<2x4> is carried beside them."""
    f, b, (a, c, out) = kit.main_function([ref(f32, 2, 4), ref(f32, 2, 4)], [ref(f32, 4, 4)])
    tile = VectorType((2, 4), f32)
    zero = b.index(0)

    def body(i, carried):
        this, other, total = carried
        x = b.emit("vector.load", [this, zero, zero], [tile]).result
        return [other, this, b.op("arith.addf", [total, x])]

    first = [a, c, b.const(0.0, tile)]
    this, _, total = b.loop_carry(zero, b.index(3), b.index(1), first, body)
    b.vstore(total, out, [zero, zero])
    b.vstore(b.emit("vector.load", [this, zero, zero], [tile]).result, out, [b.index(2), zero])
    b.emit("func.return")
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, (2, 2, 4)).astype(np.float32)
    got = np.zeros((4, 4), np.float32)
    assert kit.Native(Module([f]), target)([x, y], [got]) == 0
    np.testing.assert_array_equal(got, np.concatenate([2 * x + y, y]))


def test_addresses_computed_in_one_arm_are_right_in_the_other(kit, target):
    """The same address in both arms of an if, in a loop inside, and behind it."""
    f, b, (a, out) = kit.main_function([ref(f32, 4, 8)], [ref(f32, 4, 8)])
    with b.loop(b.index(0), b.index(4), b.index(1)) as i:
        even = b.compare("eq", b.op("arith.remsi", [i, b.index(2)]), b.index(0))

        def arm(scale, i=i):
            def write():
                with b.loop(b.index(0), b.index(7), b.index(1)) as j:
                    x = b.load(a, [i, b.add(j, 1)])
                    b.store(b.op("arith.mulf", [x, b.const(scale, f32)]), out, [i, j])
                return []

            return write

        b.if_else(even, arm(2.0), arm(3.0))
        b.store(b.load(a, [i, b.index(0)]), out, [i, b.index(7)])
    b.emit("func.return")
    values = np.random.default_rng(1).integers(0, 99, (4, 8)).astype(np.float32)
    got = np.zeros_like(values)
    assert kit.Native(Module([f]), target)([values], [got]) == 0
    want = np.roll(values, -1, 1)
    want[::2, :7] *= 2
    want[1::2, :7] *= 3
    np.testing.assert_array_equal(got, want)


def test_if_with_results(kit, target):
    f, b, (a, out) = kit.main_function([ref(i64, 6)], [ref(i64, 6)])
    with b.loop(b.index(0), b.index(6), b.index(1)) as i:
        x = b.load(a, [i])
        negative = b.compare("slt", x, b.const(0, i64))
        low, high = b.if_else(
            negative,
            lambda x=x: [b.op("arith.subi", [b.const(0, i64), x]), x],
            lambda x=x: [x, b.const(7, i64)],
        )
        b.store(b.op("arith.muli", [low, high]), out, [i])
    b.emit("func.return")
    values = np.array([-3, 4, 0, -1, 9, -8])
    got = np.zeros_like(values)
    assert kit.Native(Module([f]), target)([values], [got]) == 0
    np.testing.assert_array_equal(got, np.where(values < 0, -values * values, values * 7))


def collatz(kit, poll=None):
    f, b, (a, out) = kit.main_function([ref(i64, 4)], [ref(i64, 4)])
    one, two, three = (b.const(k, i64) for k in (1, 2, 3))
    with b.loop(b.index(0), b.index(4), b.index(1)) as i:

        def body(v):
            odd = b.compare("eq", b.op("arith.andi", [v[0], one]), one)
            up = b.op("arith.addi", [b.op("arith.muli", [v[0], three]), one])
            down = b.op("arith.shrui", [v[0], one])
            return [b.op("arith.select", [odd, up, down], i64), b.op("arith.addi", [v[1], one])]

        attrs = {} if poll is None else {"lz.poll": poll}
        steps = while_loop(
            b, [b.load(a, [i]), b.const(0, i64)],
            lambda v: (b.compare("ne", v[0], one), v), body, **attrs,
        )  # fmt: skip
        b.store(steps[1], out, [i])
    b.emit("func.return")
    del two
    return Module([f])


def test_while(kit, target):
    got = np.zeros(4, np.int64)
    assert kit.Native(collatz(kit), target)([np.array([1, 6, 27, 97])], [got]) == 0
    assert got.tolist() == [0, 8, 111, 118]


def test_polls_are_counted_and_obeyed(kit):
    """27 takes 111 steps: an interval of 16 asks 6 times; a nonzero answer ends the program."""
    target = named_target("x86-64-v2")
    native = kit.Native(collatz(kit, 16), target)
    context = kit.Context(poll=lambda: 0)
    got = np.zeros(4, np.int64)
    start = np.array([1, 27, 1, 1])
    assert native([start], [got], context) == 0
    assert context.polls == 111 // 16 and got[1] == 111
    answers = iter([0, 0, 1])
    context = kit.Context(poll=lambda: next(answers))
    assert native([start], [np.zeros(4, np.int64)], context) == 1
    assert context.polls == 3
    assert native([start], [got]) == 0, "a context without poll is never asked"
    silent = kit.Context(poll=lambda: 1)
    assert kit.Native(collatz(kit, 0), target)([start], [got], silent) == 0
    assert silent.polls == 0


def test_endless_loop_can_be_interrupted(kit, target):
    f, b, _ = kit.main_function([], [ref(i64, 1)])
    true = b.const(1, i1)
    while_loop(b, [b.const(0, i64)], lambda v: (true, v), lambda v: v)
    b.emit("func.return")
    context = kit.Context(poll=lambda: int(context.polls > 5))
    assert kit.Native(Module([f]), target)([], [np.zeros(1, np.int64)], context) == 1
    assert context.polls == 6


def test_for_with_poll_inside_called_function(kit, target):
    """The status passes through a call that also returns values."""
    g = function("count", [index], [f64, i64], private=True)
    b = Builder(g)
    body = Block([Value(index), Value(f64)])
    with b.inside(body):
        b.emit("scf.yield", [b.op("arith.addf", [body.args[1], b.const(0.5, f64)])])
    start = [b.index(0), g.regions[0].args[0], b.index(1), b.const(0.0, f64)]
    total = b.emit("scf.for", start, [f64], {"lz.poll": 8}, [body]).result
    b.emit("func.return", [total, b.op("arith.index_cast", [g.regions[0].args[0]], i64)])
    f, b, (a, out) = kit.main_function([ref(i64, 1)], [ref(f64, 2)])
    n = b.op("arith.index_cast", [b.load(a, [b.index(0)])], index)
    half, count = b.call("count", [n], [f64, i64])
    b.store(half, out, [b.index(0)])
    b.store(b.op("arith.sitofp", [count], f64), out, [b.index(1)])
    b.emit("func.return")
    native = kit.Native(Module([g, f]), target)
    got = np.zeros(2)
    context = kit.Context(poll=lambda: 0)
    assert native([np.array([20])], [got], context) == 0
    assert got.tolist() == [10.0, 20.0] and context.polls == 2
    assert native([np.array([20])], [got], kit.Context(poll=lambda: 1)) == 1


def test_scalar_loops_poll_behind_their_end(kit, target):
    """Their rounds are added up over all of them: 100 loops of 20 rounds ask once in 512 rounds."""
    f, b, (a, out) = kit.main_function([ref(i64, 1)], [ref(i64, 20)])
    n = b.op("arith.index_cast", [b.load(a, [b.index(0)])], index)
    with b.loop(b.index(0), b.index(100), b.index(1)):
        body = Block([Value(index)])
        with b.inside(body):
            seen = b.op("arith.index_cast", [body.args[0]], i64)
            b.store(seen, out, [body.args[0]])
            b.emit("scf.yield")
        attrs = {"lz.poll": 512, "lz.scalar": Unit()}
        b.emit("scf.for", [b.index(0), n, b.index(1)], [], attrs, [body])
    b.emit("func.return")
    native = kit.Native(Module([f]), target)
    got = np.zeros(20, np.int64)
    for rounds, polls in ((20, 3), (0, 0), (-5, 0)):
        context = kit.Context(poll=lambda: 0)
        assert native([np.array([rounds])], [got], context) == 0
        assert context.polls == polls
    assert got.tolist() == list(range(20))
    assert native([np.array([20])], [got], kit.Context(poll=lambda: 1)) == 1


def test_calls_with_vectors_and_several_results(kit, target):
    v4 = VectorType((2, 4), f32)
    g = function(
        "both", [v4, f32, ref(f32, 8)], [v4, f32], private=True, attrs={"lz.inline": Unit()}
    )
    b = Builder(g)
    v, x, m = g.regions[0].args
    b.store(x, m, [b.index(0)])
    b.emit("func.return", [b.op("arith.addf", [v, v]), b.op("arith.mulf", [x, x])])
    f, b, (a, out) = kit.main_function([ref(f32, 2, 4)], [ref(f32, 3, 4)])
    scratch = b.alloca(ref(f32, 8))
    zero = b.index(0)
    loaded = b.emit("vector.load", [a, zero, zero], [v4]).result
    double, square = b.call("both", [loaded, b.const(3.0, f32), scratch], [v4, f32])
    b.vstore(double, out, [zero, zero])
    b.store(square, out, [b.index(2), zero])
    b.store(b.load(scratch, [zero]), out, [b.index(2), b.index(1)])
    b.emit("func.return")
    values = np.arange(8, dtype=np.float32).reshape(2, 4)
    got = np.zeros((3, 4), np.float32)
    assert kit.Native(Module([g, f]), target)([values], [got]) == 0
    np.testing.assert_array_equal(got[:2], 2 * values)
    assert got[2, :2].tolist() == [9.0, 3.0]


def scaled_rows(kit, low, high, step):
    """out[i, j] = a[i, j] · (i · 10 + j), parallel over both axes, with captures of all kinds."""
    f, b, (a, out) = kit.main_function([ref(f64, 6, 8)], [ref(f64, 6, 8)])
    ten = b.op("arith.mulf", [b.load(a, [b.index(0)] * 2), b.const(10.0, f64)])
    tens = b.splat(ten, 2)
    body = Block([Value(index), Value(index)])
    with b.inside(body):
        i, j = body.args
        x, y = (b.op("arith.sitofp", [b.op("arith.index_cast", [k], i64)], f64) for k in (i, j))
        y2 = b.emit(
            "vector.from_elements",
            [y, b.op("arith.addf", [y, b.const(1.0, f64)])],
            [VectorType((2,), f64)],
        ).result
        scale = b.op("arith.addf", [b.op("arith.mulf", [b.splat(x, 2), tens]), y2])
        v = b.vload(a, [i, j], 2)
        b.vstore(b.op("arith.mulf", [v, scale]), out, [i, j])
        b.emit("scf.reduce")
    lows, highs, steps = ([b.index(k) for k in part] for part in (low, high, step))
    b.emit("scf.parallel", [*lows, *highs, *steps], [], {}, [body])
    b.emit("func.return")
    return Module([f])


@pytest.mark.parametrize("order", ["forward", "reverse", "shuffled"])
def test_parallel_body_runs_in_any_order(kit, target, order):
    native = kit.Native(scaled_rows(kit, (1, 2), (6, 8), (2, 2)), target)
    orders = {
        "forward": range,
        "reverse": lambda n: reversed(range(n)),
        "shuffled": lambda n: np.random.default_rng(0).permutation(n).tolist(),
    }
    context = kit.Context(order=orders[order])
    values = np.arange(48, dtype=np.float64).reshape(6, 8) + 1
    got = np.zeros_like(values)
    assert native([values], [got], context) == 0
    i, j = np.mgrid[:6, :8]
    want = np.where((i % 2 == 1) & (j >= 2), values * (i * 10 + j), 0)
    np.testing.assert_array_equal(got, want)
    assert context.chunks == [9]


def test_parallel_of_one_or_no_iteration_is_not_shared_out(kit):
    target = named_target("x86-64-v2")
    for high, want in (((1, 2), 1), ((0, 2), 0)):
        native = kit.Native(scaled_rows(kit, (0, 0), high, (1, 2)), target)
        context = kit.Context()
        got = np.zeros((6, 8))
        assert native([np.ones((6, 8))], [got], context) == 0
        assert context.chunks == [] and np.count_nonzero(got[0, :2]) == want


def test_parallel_with_variable_bounds_and_nested_parallel(kit, target):
    """The inner loop runs inside the chunk; both see bounds that are known at run time only."""
    f, b, (limits, out) = kit.main_function([ref(i64, 3)], [ref(i64, 12, 5)])
    low, high, step = bounds(b, limits)
    with b.parallel(low, high, step) as i, b.parallel(b.index(0), b.index(5), b.index(1)) as j:
        x = b.op("arith.index_cast", [b.add(b.op("arith.muli", [i, high]), j)], i64)
        b.store(x, out, [i, j])
    b.emit("func.return")
    native = kit.Native(Module([f]), target)
    for span in ((0, 12, 1), (2, 11, 4), (3, 3, 1), (9, 2, 1)):
        context = kit.Context(order=lambda n: reversed(range(n)))
        got = np.full((12, 5), -1)
        assert native([np.array(span)], [got], context) == 0
        want = np.full((12, 5), -1)
        for i in range(*span):
            want[i] = i * span[1] + np.arange(5)
        np.testing.assert_array_equal(got, want)
        assert context.chunks == [len(range(*span))]


def test_interruption_inside_a_parallel_body(kit, target):
    """A body that is interrupted returns; the program then reports it."""
    f, b, (a, out) = kit.main_function([ref(i64, 1)], [ref(i64, 4)])
    with b.parallel(b.index(0), b.index(4), b.index(1)) as i:
        n = b.load(a, [b.index(0)])
        (count,) = while_loop(
            b, [b.const(0, i64)], lambda v: (b.compare("slt", v[0], n), v),
            lambda v: [b.op("arith.addi", [v[0], b.const(1, i64)])], **{"lz.poll": 64},
        )  # fmt: skip
        b.store(count, out, [i])
    b.emit("func.return")
    native = kit.Native(Module([f]), target)
    got = np.zeros(4, np.int64)
    assert native([np.array([100])], [got], kit.Context(poll=lambda: 0)) == 0
    assert got.tolist() == [100] * 4
    got[:] = 0
    context = kit.Context(poll=lambda: int(context.polls >= 2))
    assert native([np.array([100])], [got], context) == 1
    assert got.tolist() == [100, 0, 0, 0]


def test_host_callback_and_its_failure(kit, target):
    g = function("report", [ref(f64, 2), ref(f64, 2)], [], private=True,
                 attrs={"lz.callback": Typed(7, i32)})  # fmt: skip
    f, b, (a, out) = kit.main_function([ref(f64, 2)], [ref(f64, 2)])
    b.call("report", [a, out], [])
    b.emit("func.return")
    native = kit.Native(Module([g, f]), target)
    seen = []

    def callback(number, pointers):
        import ctypes

        source, sink = (ctypes.cast(pointers[k], ctypes.POINTER(ctypes.c_double)) for k in (0, 1))
        sink[0], sink[1] = source[1], source[0]
        seen.append(number)
        return int(len(seen) > 1)

    context = kit.Context(callback=callback)
    got = np.zeros(2)
    assert native([np.array([3.0, 4.0])], [got], context) == 0
    assert got.tolist() == [4.0, 3.0] and seen == [7]
    assert native([np.array([3.0, 4.0])], [got], context) == 1


def test_foreign_function_stays_a_symbol():
    g = function("dgemm_", [ref(f64, 4), i32], [f64], private=True)
    f = function("main", [ref(f64, 4), ref(f64, 4)], [], attrs={"lz.inputs": 1, "lz.outputs": 1})
    b = Builder(f)
    a, out = f.regions[0].args
    (x,) = b.call("dgemm_", [a, b.const(4, i32)], [f64])
    b.store(x, out, [b.index(0)])
    b.emit("func.return")
    target = named_target("x86-64-v3")
    text = emit_llvm(Module([g, f]), target, entry="run")
    assert "declare double @dgemm_(ptr, i32) nounwind" in text
    assert undefined_symbols(compile_ir(text, target)) == {"dgemm_"}


def test_arguments_say_what_is_known():
    """noalias and alignment come from attributes alone; readonly from the uses."""
    attrs = {"lz.inputs": 2, "lz.outputs": 1, "lz.noalias": (0, 2), "lz.alignment": (64, 0, 0)}
    f = function("main", [ref(f32, 4), ref(f64, 4), ref(f32, 4)], [], attrs=attrs)
    b = Builder(f)
    a, _, out = f.regions[0].args
    b.store(b.load(a, [b.index(1)]), out, [b.index(0)])
    b.emit("func.return")
    text = emit_llvm(Module([f]), named_target("x86-64-v3"), entry="main")
    head = (
        "ptr noalias readonly align 64 %a0, ptr readonly align 8 %a1, ptr noalias align 4 %a2, "
        "ptr %ctx"
    )
    assert f"define internal void @main.main({head}) #0" in text


@pytest.mark.parametrize(("change", "match"), [
    ({"lz.inputs": 2}, "3 arguments|has 2 arguments"), ({"lz.outputs": 3}, "has 2 arguments"),
])  # fmt: skip
def test_entry_must_fit(change, match):
    attrs = {"lz.inputs": 1, "lz.outputs": 1, **change}
    f = function("main", [ref(f32, 4), ref(f32, 4)], [], attrs=attrs)
    Builder(f).emit("func.return")
    with pytest.raises(ValueError, match=match):
        emit_llvm(Module([f]), named_target("x86-64-v3"), entry="run")


def test_structure_errors_name_the_operation(kit):
    target = named_target("x86-64-v3")
    f, b, (a,) = kit.main_function([ref(f32, 4)], [])
    b.emit("func.call", [a], [], {"callee": "nowhere"})
    b.emit("func.return")
    with pytest.raises(ValueError, match=r"(?s)@nowhere.*in func\.call"):
        emit_llvm(Module([f]), target, entry="run")
    g = function("main", [], [], attrs={"lz.inputs": 0, "lz.outputs": 0})
    Builder(g).emit("func.return")
    with pytest.raises(ValueError, match="at the top level"):
        emit_llvm(Module([Op("memref.alloc"), g]), target, entry="run")
    with pytest.raises(ValueError, match="one function must be public"):
        emit_llvm(Module([]), target, entry="run")
    with pytest.raises(ValueError, match="is a GPU"):
        emit_llvm(Module([f]), named_target("sm_80"), entry="run")
