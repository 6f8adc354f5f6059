"""Ranges of integers: they hold for every op that has a rule, in loops, and where numbers wrap."""

from __future__ import annotations

import numpy as np
import pytest

from lazir.compiler import intervals as iv
from lazir.compiler.graph import Builder, Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import constant
from lazir.compiler.ranges import RULES, Ranges, facts_of
from lazir.compiler.types import DType, TensorType, i1, i8, i32, i64, ui8

ELEMENTWISE = [name for name in RULES if OPS[name].family == "elementwise"]
OTHERS = [name for name in RULES if OPS[name].family != "elementwise"]


def inside(array: np.ndarray, known: iv.Interval) -> bool:
    return bool(array.size == 0 or (known[0] <= array.min() and array.max() <= known[1]))


def span(rng: np.random.Generator, dtype: DType) -> iv.Interval:
    low, high = iv.full(dtype)
    a, b = (int(rng.integers(low, high, dtype=dtype.numpy, endpoint=True)) for _ in range(2))
    near = rng.integers(3) == 0  # small numbers decide more
    return (min(a, b), max(a, b)) if not near else tuple(sorted((a % 5, b % 5)))


def drawn(rng: np.random.Generator, known: iv.Interval, dtype: DType, shape: tuple) -> np.ndarray:
    values = rng.integers(known[0], known[1], shape, dtype.numpy, endpoint=True)
    values.flat[: min(2, values.size)] = known[: min(2, values.size)]
    return values


def elementwise(name: str, dtype: DType) -> Graph | None:
    b = Builder()
    type = TensorType((64,), dtype)
    count = 3 if name == "select" else 1 if name in ("neg", "abs", "sign", "bit_not") else 2
    if name in ("popcount", "clz", "stop_gradient", "named", "convert"):
        count = 1
    params = [b.param(TensorType((64,), i1) if name == "select" and k == 0 else type)
              for k in range(count)]  # fmt: skip
    attrs = {"convert": {"dtype": i8}, "named": {"name": "a"}}.get(name, {})
    try:
        return b.graph([OPS[name](b, *params, **attrs)])
    except Exception:
        return None


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_rules_hold(name):
    """On bytes, where much wraps: every result lies in the interval found for it."""
    rng = np.random.default_rng(len(name))
    checked = 0
    for dtype in (i8, ui8, i32, i1):
        graph = elementwise(name, dtype)
        if graph is None:
            continue
        for _ in range(40):
            known = [span(rng, t.dtype) for t in graph.param_types]
            arrays = [drawn(rng, k, t.dtype, t.shape) for k, t in zip(known, graph.param_types)]
            if len(arrays) > 1:  # all pairs of ends too
                arrays[0][2:4], arrays[1][2:4] = known[0], known[1][::-1]
            found = Ranges(graph, lambda known=known: known).of(graph.results[0])
            (result,) = interpret(graph, arrays)
            assert inside(result.astype(object), found), (dtype, known, found)
            checked += 1
    assert checked >= 40


@pytest.mark.parametrize("name", OTHERS)
def test_rules_of_other_families_hold(name):
    if name in ("constant", "iota"):
        return
    rng = np.random.default_rng(len(name))
    checked = 0
    for _ in range(6):
        for types, attrs in OPS[name].examples(rng):
            b = Builder()
            params = [b.param(t) for t in types]
            graph = b.graph([OPS[name](b, *params, **attrs)])
            if not (graph.result_types[0].dtype.is_integer or graph.result_types[0].dtype.is_bool):
                continue
            known, arrays = [], []
            for t in types:
                if t.dtype.is_integer or t.dtype.is_bool:
                    known.append(span(rng, t.dtype))
                    arrays.append(drawn(rng, known[-1], t.dtype, t.shape))
                else:
                    known.append(None)
                    arrays.append(np.zeros(t.shape, t.dtype.numpy))
            found = Ranges(graph, lambda known=known: known).of(graph.results[0])
            (result,) = interpret(graph, arrays)
            assert inside(result, found), (types, attrs, known, found)
            checked += 1
    assert checked


def test_rules_say_something():
    """An index in range, a clamped one, a wrapped negative one, remainders, bits."""
    b = Builder()
    i, n = b.param(TensorType((), i64)), constant(b, 10, i64)
    zero, nine = constant(b, 0, i64), constant(b, 9, i64)
    clamped = OPS["minimum"](b, OPS["maximum"](b, i, zero), nine)
    wrapped = OPS["select"](b, OPS["less"](b, i, zero), OPS["add"](b, i, n), i)
    left = OPS["rem"](b, i, n)
    masked = OPS["bit_and"](b, i, constant(b, 7, i64))
    sure = OPS["less"](b, clamped, n)
    graph = b.graph([clamped, wrapped, left, masked, sure])
    free = [Ranges(graph).of(v) for v in graph.results]
    assert [free[k] for k in (0, 2, 3, 4)] == [(0, 9), (-9, 9), (0, 7), (1, 1)]
    bound = Ranges(graph, lambda: [(-10, 9)])
    assert bound.of(graph.results[1]) == (0, 9)


# -- loops ----------------------------------------------------------------------------------
def counting(start: int, step: int, test: str, bound: int, dtype: DType) -> Graph:
    """A loop on a counter that also keeps the least and the largest that its body saw (in i64)."""
    wide, narrow = TensorType((), i64), TensorType((), dtype)
    inner = Builder(name="cond")
    i, *_ = (inner.param(t) for t in (narrow, wide, wide, wide))
    limit = constant(inner, 60, i64)
    few = OPS["less"](inner, inner.params[3], limit)
    go = OPS["bit_and"](inner, OPS[test](inner, i, constant(inner, bound, dtype)), few)
    cond = inner.graph([go])
    inner = Builder(name="body")
    i, low, high, rounds = (inner.param(t) for t in (narrow, wide, wide, wide))
    seen = OPS["convert"](inner, i, dtype=i64)
    following = OPS["add"](inner, i, constant(inner, step, dtype))
    body = inner.graph([
        following, OPS["minimum"](inner, low, seen), OPS["maximum"](inner, high, seen),
        OPS["add"](inner, rounds, constant(inner, 1, i64)),
    ])  # fmt: skip
    b = Builder()
    first = [constant(b, start, dtype), constant(b, 1 << 40, i64), constant(b, -(1 << 40), i64)]
    node = OPS["while"].node(b, [*first, constant(b, 0, i64)],
                             {"cond": cond, "body": body, "n_const": 0})  # fmt: skip
    return b.graph(node.results)


@pytest.mark.parametrize("dtype", [i8, ui8], ids=str)
def test_counters_stay_in_their_ranges(dtype):
    rng = np.random.default_rng(3)
    low, high = iv.full(dtype)
    tight = 0
    for _ in range(150):
        test = rng.choice(["less", "less_equal", "greater", "greater_equal", "not_equal"])
        start, bound = (int(rng.integers(low, high + 1)) for _ in range(2))
        step = int(rng.choice([-60, -3, -1, 1, 2, 5, 60, 100])) if dtype is i8 else int(
            rng.choice([1, 2, 5, 60, 200]))  # fmt: skip
        graph = counting(start, step, test, bound, dtype)
        (loop,) = [n for n in graph.nodes if n.op == "while"]
        ranges = Ranges(graph)
        last, least, most, _ = (int(x) for x in interpret(graph, []))
        assert inside(np.array([last]), ranges.of(graph.results[0]))
        body = ranges.inside(loop, "body")
        found = body.of(body.graph.params[0])
        assert least > most or inside(np.array([least, most]), found), (start, step, test, bound)
        tight += found != iv.full(dtype)
    assert tight > 30, "nothing was found out"


def test_what_a_loop_carries_is_bounded_where_it_stays():
    """A route through a table of numbers below 5 stays below 5; a sum does not."""
    b = Builder()
    table = b.param(TensorType((9,), i64))
    inner = Builder(name="step")
    held, at, total = inner.param(table.type), *(inner.param(TensorType((), i64)) for _ in "ab")
    start = [OPS["minimum"](inner, OPS["maximum"](inner, at, constant(inner, 0, i64)),
                            constant(inner, 8, i64))]  # fmt: skip
    new = OPS["reshape"](inner, OPS["dynamic_slice"](inner, held, *start, sizes=(1,)), shape=())
    body = inner.graph([new, OPS["add"](inner, total, new)])
    zero = constant(b, 0, i64)
    attrs = {"body": body, "n_const": 1, "n_carry": 2, "length": 50, "reverse": False}
    node = OPS["scan"].node(b, [table, zero, zero], attrs)
    graph = b.graph(node.results)
    facts = facts_of(graph, [(0, 4)])
    assert facts[graph.results[0]] == (0, 4)
    assert facts.get(graph.results[1], iv.full(i64)) == iv.full(i64)
