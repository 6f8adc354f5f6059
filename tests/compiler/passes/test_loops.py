"""Passes on control flow and its derivatives: the same values, less work inside of loops."""

import numpy as np
import pytest

from lazir.compiler.autodiff import batch_graph, jvp_graph, value_and_grad_graph
from lazir.compiler.graph import Builder, Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import constant
from lazir.compiler.passes import GRAPH_PASSES, optimize
from lazir.compiler.types import TensorType, f64, i1, i64, tensor

CONTROL = (
    "bounded_while",
    "call",
    "checkpoint",
    "cond",
    "custom_jvp",
    "custom_vjp",
    "scan",
    "while",
)


def draw(rng, type):
    if type.dtype.kind in ("int", "bool"):
        return rng.integers(0, 2, type.shape).astype(type.dtype.numpy)
    return rng.uniform(-1, 1, type.shape).astype(type.dtype.numpy)


def assert_same(before: Graph, after: Graph, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    args = [draw(rng, t) for t in before.param_types]
    for a, c in zip(interpret(before, args), interpret(after, args), strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-6, atol=1e-9)


def examples(name):
    for types, attrs in OPS[name].examples(np.random.default_rng(5)):
        b = Builder()
        yield b.graph(OPS[name].many(b, *(b.param(t) for t in types), **attrs))


def total(graph: Graph) -> Graph:
    """The sum of the graph's float results."""
    b = Builder()
    params = [b.param(t) for t in graph.param_types]
    outs = b.inline(graph.results, dict(zip(graph.params, params)))
    value = constant(b, 0, f64)
    for out in outs:
        if out.type.dtype.is_float:
            part = OPS["reduce_sum"](b, out, axes=tuple(range(len(out.shape))))
            value = OPS["add"](b, value, OPS["convert"](b, part, dtype=f64))
    return b.graph([value])


@pytest.mark.parametrize("name", CONTROL)
def test_control_flow_keeps_its_values(name, monkeypatch):
    monkeypatch.setenv("LAZIR_VERIFY", "1")
    for graph in examples(name):
        flags = [t.dtype.is_inexact for t in graph.param_types]
        variants = [graph]
        if name != "custom_vjp":
            variants.append(jvp_graph(graph, flags))
        if name != "while":
            variants.append(value_and_grad_graph(total(graph), flags))
        variants.append(batch_graph(graph, [0] * len(flags), 2)[0])
        for variant in variants:
            assert_same(variant, optimize(variant))
            for left_out in ("trim", "hoist"):
                assert_same(variant, optimize(variant, leave_out=[left_out]))


def gradient_of_recurrence() -> Graph:
    """d/d(w, start) of Σ carry after carry ← sin(exp(w)·carry + x), a counter on the side."""
    v = tensor(f64, 3)
    inside = Builder(name="step")
    w, carry, i, x = (inside.param(t) for t in (v, v, tensor(i64), v))
    grown = OPS["mul"](inside, OPS["exp"](inside, w), carry)
    new = OPS["sin"](inside, OPS["add"](inside, grown, x))
    count = OPS["add"](inside, i, constant(inside, 1, i64))
    body = inside.graph([new, count, OPS["neg"](inside, new)])
    b = Builder()
    w, start, xs = b.param(v), b.param(v), b.param(tensor(f64, 5, 3))
    attrs = {"body": body, "n_const": 1, "n_carry": 2, "length": 5, "reverse": False}
    outs = OPS["scan"].many(b, w, start, constant(b, 0, i64), xs, **attrs)
    graph = b.graph([OPS["reduce_sum"](b, outs[0], axes=(0,))])
    return value_and_grad_graph(graph, [True, True, False])


def test_gradient_of_a_scan_computes_invariants_once_outside():
    before = gradient_of_recurrence()
    after = optimize(before)
    assert_same(before, after)
    outside = [n.op for n in after.nodes]
    inside = [n.op for part in list(after.walk())[1:] for n in part.nodes]
    assert outside.count("exp") == 1 and "exp" not in inside
    scans = [n for n in after.nodes if n.op == "scan"]
    assert len(scans) == 2  # forward and backward, nothing replayed
    assert all(t.dtype is f64 for n in scans for t in n.types)  # the counter is gone
    assert inside.count("sin") == 1 and inside.count("cos") == 1
    assert "neg" not in inside  # the unread stack is gone


def test_inner_invariants_leave_both_loops():
    v = tensor(f64, 2)

    def loop(b, body, n_const, operands):
        attrs = {"body": body, "n_const": n_const, "n_carry": 1, "length": 3, "reverse": False}
        return OPS["scan"](b, *operands, **attrs)

    inner = Builder(name="inner")
    w, c = inner.param(v), inner.param(v)
    step = inner.graph([OPS["mul"](inner, OPS["exp"](inner, w), c)])
    outer = Builder(name="outer")
    w, c = outer.param(v), outer.param(v)
    body = outer.graph([loop(outer, step, 1, (w, c))])
    b = Builder()
    w, c = b.param(v), b.param(v)
    graph = b.graph([loop(b, body, 1, (w, c))])
    after = optimize(graph)
    assert_same(graph, after)
    assert [n.op for n in after.nodes] == ["exp", "scan"]
    assert [n.op for part in list(after.walk())[1:] for n in part.nodes] == ["scan", "mul"]


def test_effects_and_inner_loops_stay_inside():
    """A while loop may not end, so it is not run before it is known to be reached."""
    v = tensor(f64)
    test = Builder(name="test")
    x = test.param(v)
    cond = test.graph([OPS["less"](test, x, constant(test, 4, f64))])
    step = Builder(name="step")
    x = step.param(v)
    grow = step.graph([OPS["add"](step, x, constant(step, 1, f64))])
    outer = Builder(name="outer")
    w, flag = outer.param(v), outer.param(v)
    found = OPS["while"](outer, w, cond=cond, body=grow, n_const=0)
    body = outer.graph([OPS["add"](outer, flag, found)])
    again = Builder(name="again")
    w, c = again.param(v), again.param(v)
    go = again.graph([OPS["less"](again, c, constant(again, 9, f64))])
    b = Builder()
    w, c = b.param(v), b.param(v)
    graph = b.graph([OPS["while"](b, w, c, cond=go, body=body, n_const=1)])
    after = GRAPH_PASSES["hoist"](graph)
    assert after is graph


def test_passes_do_not_look_through_a_barrier():
    b = Builder()
    x, y = b.param(tensor(f64, 2)), b.param(tensor(f64, 2))
    (held,) = OPS["barrier"].many(b, OPS["neg"](b, x), y, n=1)
    graph = b.graph([OPS["neg"](b, held)])
    assert [n.op for n in optimize(graph).nodes] == ["neg", "barrier", "neg"]


def test_condition_known_after_folding_is_taken():
    v = TensorType((2,), f64)
    first = Builder()
    x = first.param(v)
    kept = first.graph([OPS["exp"](first, x)])
    second = Builder()
    x = second.param(v)
    dropped = second.graph([OPS["sin"](second, x)])
    b = Builder()
    x = b.param(v)
    one, two = constant(b, 1, i64), constant(b, 2, i64)
    flag = OPS["less"](b, two, one)
    assert flag.type.dtype is i1
    graph = b.graph([OPS["cond"](b, flag, x, branches=(kept, dropped))])
    assert [n.op for n in optimize(graph).nodes] == ["exp"]
