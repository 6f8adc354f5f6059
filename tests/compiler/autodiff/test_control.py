"""scan, while, cond, call, checkpoint, custom rules: both modes, batching, composition."""

import numpy as np
import pytest
from autodiff_checks import (
    check_batch,
    check_derivatives,
    check_forward,
    draw,
    gradient,
    op,
    run,
    smooth,
    summed,
    traced,
)

from lazir.compiler.autodiff import jvp_graph, linearize_graph, value_and_grad_graph, vjp_graph
from lazir.compiler.errors import DifferentiationError
from lazir.compiler.graph import Graph
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import constant
from lazir.compiler.types import f64, i1, i32, i64, tensor

VECTOR = tensor(f64, 3)
SCALAR = tensor(f64)
COUNT = tensor(i64)


def recurrence(reverse: bool = False, length: int = 4) -> Graph:
    """carry ← tanh(w·carry + x); ys = carry²·x, and a counter on the side."""

    def body(b, w, carry, i, x):
        new = op(b, "tanh", op(b, "add", op(b, "mul", w, carry), x))
        step = op(b, "add", i, constant(b, 1, i64))
        number = op(b, "broadcast", op(b, "convert", i, dtype=f64), shape=(3,), axes=())
        return [new, step, op(b, "mul", op(b, "mul", new, new), op(b, "add", x, number))]

    inside = traced([VECTOR, VECTOR, COUNT, VECTOR], body)

    def build(b, w, start, xs):
        attrs = {
            "body": inside, "n_const": 1, "n_carry": 2, "length": length, "reverse": reverse,
        }  # fmt: skip
        scale = op(b, "sin", w)
        last, _, ys = OPS["scan"].many(b, scale, start, constant(b, 0, i64), xs, **attrs)
        return [last, ys]

    return traced([VECTOR, VECTOR, tensor(f64, length, 3)], build)


def arguments(graph: Graph, seed: int = 1):
    rng = np.random.default_rng(seed)
    return [draw(rng, t) for t in graph.param_types]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 4])
def test_scan_differentiates_in_both_modes(reverse, length):
    graph = recurrence(reverse, length)
    check_derivatives(graph, arguments(graph))


@pytest.mark.parametrize("axes", [(0, None, None), (None, 1, None), (None, None, 2), (1, 0, 0)])
def test_scan_batches(axes):
    check_batch(recurrence(), axes)


def test_scan_gradient_is_differentiable_again():
    graph = gradient(summed(recurrence()))
    check_derivatives(graph, arguments(graph))


def test_third_derivative_of_scan():
    third = gradient(summed(gradient(summed(recurrence(length=2)))))
    check_derivatives(third, arguments(third))


def test_residuals_of_scan_leave_invariants_outside():
    forward, backward = vjp_graph(recurrence(), [True] * 3)
    scans = [n for n in backward.nodes if n.op == "scan"]
    assert len(scans) == 1 and scans[0].attrs["reverse"]
    stacked = [v.shape for v in forward.results[2:]]
    assert all(shape in ((3,), (4, 3), (4,)) for shape in stacked)
    kinds = [n.op for part in forward.walk() for n in part.nodes]
    assert kinds.count("tanh") == 1  # computed once, not replayed


def newton(iterations_from: str = "value") -> Graph:
    """y ← ½(y + a/y) while y² − a > ε: the square root."""

    def test(b, a, y):
        gap = op(b, "sub", op(b, "mul", y, y), a)
        return [op(b, "greater", gap, constant(b, 1e-13, f64))]

    def body(b, a, y):
        half = constant(b, 0.5, f64)
        return [op(b, "mul", half, op(b, "add", y, op(b, "div", a, y)))]

    cond, step = traced([SCALAR, SCALAR], test), traced([SCALAR, SCALAR], body)

    def build(b, a):
        start = op(b, "add", a, constant(b, 1.0, f64))
        return [op(b, "while", a, start, cond=cond, body=step, n_const=1)]

    return traced([SCALAR], build)


def test_while_forward():
    graph = newton()
    out, tangent = run(jvp_graph(graph, [True]), [np.float64(2.0), np.float64(1.0)])
    assert out == pytest.approx(2**0.5)
    assert tangent == pytest.approx(0.5 / 2**0.5)


def test_while_linearizes_but_has_no_reverse():
    forward, linear = linearize_graph(newton(), [True])
    kept = run(forward, [np.float64(2.0)])
    (tangent,) = run(linear, [*kept[1:], np.float64(1.0)])
    assert tangent == pytest.approx(0.5 / 2**0.5)
    with pytest.raises(DifferentiationError, match="fori_loop with static bounds"):
        value_and_grad_graph(newton(), [True])


def test_while_with_constant_carry_alone_is_left_out_of_reverse():
    """A loop that the active parameter does not enter does not matter to the gradient."""
    loop = newton()

    def build(b, a, x):
        (root,) = b.inline(loop.results, {loop.params[0]: a})
        return [op(b, "mul", root, x)]

    graph = traced([SCALAR, SCALAR], build)
    value, grad = run(value_and_grad_graph(graph, [False, True]), [np.float64(2), np.float64(3)])
    assert grad == pytest.approx(2**0.5) and value == pytest.approx(3 * 2**0.5)


def test_while_batches_with_different_step_counts():
    check_batch(summing_loop(), (0, 0))
    check_batch(summing_loop(), (None, 0))
    check_batch(summing_loop(), (0, None))


def summing_loop() -> Graph:
    """x ← 1.5·x, i ← i + 1 while i < n: n differs among examples."""

    def test(b, n, i, x):
        return [op(b, "less", i, n)]

    def body(b, n, i, x):
        grow = constant(b, 1.5, f64, (3,))
        return [op(b, "add", i, constant(b, 1, i64)), op(b, "mul", x, grow)]

    types = [COUNT, COUNT, VECTOR]
    cond, step = traced(types, test), traced(types, body)

    def build(b, n, x):
        zero = constant(b, 0, i64)
        return OPS["while"].many(b, n, zero, x, cond=cond, body=step, n_const=1)

    return traced([COUNT, VECTOR], build)


def branching(choice=i32, count: int = 3) -> Graph:
    """Branches that keep different residuals; one of them ignores an operand."""
    first = traced([VECTOR, VECTOR], lambda b, x, y: [op(b, "sin", op(b, "mul", x, y)), x])
    second = traced([VECTOR, VECTOR], lambda b, x, y: [op(b, "exp", x), op(b, "mul", y, y)])
    third = traced([VECTOR, VECTOR], lambda b, x, y: [constant(b, 1.5, f64, (3,)), y])
    branches = (first, second, third)[:count]

    def build(b, k, x, y):
        return OPS["cond"].many(b, k, op(b, "cos", x), y, branches=branches)

    return traced([tensor(choice), VECTOR, VECTOR], build)


@pytest.mark.parametrize("k", [-1, 0, 1, 2, 9])
def test_cond_differentiates_in_both_modes(k):
    graph = branching()
    _, x, y = arguments(graph)
    check_derivatives(graph, [np.int32(k), x, y])
    again = gradient_of_rest(graph)
    check_derivatives(again, [np.int32(k), x, y])


def gradient_of_rest(graph: Graph) -> Graph:
    total = summed(graph)
    made = value_and_grad_graph(total, smooth(total.param_types))
    return Graph("gradient", made.params, made.results[1:], made.locs)


@pytest.mark.parametrize("choice, count", [(i1, 2), (i32, 3)])
@pytest.mark.parametrize("axes", [(None, 0, None), (0, None, 1), (None, None, 0), (0, 0, 0)])
def test_cond_batches(choice, count, axes):
    check_batch(branching(choice, count), axes)


def test_call_barrier_and_checkpoint_differentiate():
    inside = traced(
        [VECTOR, VECTOR], lambda b, x, y: [op(b, "tanh", op(b, "mul", x, y)), op(b, "add", x, y)]
    )

    def build(b, x, y):
        u, v = OPS["call"].many(b, x, op(b, "sin", y), body=inside, name="inner")
        p, q = OPS["checkpoint"].many(b, u, v, body=inside)
        (held,) = OPS["barrier"].many(b, p, q, n=1)
        return [held, q]

    graph = traced([VECTOR, VECTOR], build)
    args = arguments(graph)
    check_derivatives(graph, args)
    check_batch(graph, (0, None))
    check_batch(gradient(summed(graph)), (None, 1))
    check_derivatives(gradient(summed(graph)), args)


def test_checkpoint_replays_the_forward_part_behind_a_barrier():
    inside = traced([VECTOR], lambda b, x: [op(b, "sin", op(b, "exp", op(b, "sin", x)))])

    def total(b, y):
        return op(b, "reduce_sum", y, axes=(0,))

    plain = traced([VECTOR], lambda b, x: [total(b, OPS["call"](b, x, body=inside, name="f"))])
    saved = traced([VECTOR], lambda b, x: [total(b, op(b, "checkpoint", x, body=inside))])
    first, second = (value_and_grad_graph(g, [True]) for g in (plain, saved))
    args = arguments(plain)
    for got, want in zip(run(second, args), run(first, args)):
        np.testing.assert_array_equal(got, want)
    kinds = [n.op for part in second.walk() for n in part.nodes]
    assert kinds.count("exp") == 2 and kinds.count("barrier") == 1
    assert [n.op for n in first.nodes].count("exp") == 1


def product_with_rule(scale: float) -> Graph:
    """x·y, whose jvp rule claims `scale` times the true derivative."""

    def rule(b, x, y, dx, dy):
        tangent = op(b, "add", op(b, "mul", dx, y), op(b, "mul", x, dy))
        return [op(b, "mul", x, y), op(b, "mul", tangent, constant(b, scale, f64, (3,)))]

    graph = traced([VECTOR] * 2, lambda b, x, y: [op(b, "mul", x, y)])
    attrs = {"graph": graph, "jvp": traced([VECTOR] * 4, rule)}
    return traced([VECTOR] * 2, lambda b, x, y: [op(b, "custom_jvp", x, op(b, "sin", y), **attrs)])


def test_custom_jvp_is_used_in_both_modes():
    check_derivatives(product_with_rule(1.0), arguments(product_with_rule(1.0)))
    graph = summed(product_with_rule(2.0))
    args = arguments(graph)
    once = run(gradient(summed(product_with_rule(1.0))), args)
    for got, want in zip(run(gradient(graph), args), once):
        np.testing.assert_allclose(got, 2 * want)
    check_batch(product_with_rule(2.0), (0, None))
    check_batch(gradient(graph), (None, 0))
    check_derivatives(gradient(summed(product_with_rule(1.0))), args)


def test_custom_jvp_may_differentiate_through_integers():
    """A straight-through rule inside a scan: the value passes an integer, the tangent does not."""
    rounded = traced(
        [VECTOR], lambda b, x: [op(b, "convert", op(b, "convert", x, dtype=i64), dtype=f64)]
    )
    rule = traced(
        [VECTOR] * 2,
        lambda b, x, dx: [op(b, "convert", op(b, "convert", x, dtype=i64), dtype=f64), dx],
    )
    attrs = {"graph": rounded, "jvp": rule}
    inside = traced(
        [VECTOR] * 2, lambda b, c, x: [op(b, "add", c, op(b, "custom_jvp", x, **attrs))]
    )

    def build(b, xs):
        attrs = {"body": inside, "n_const": 0, "n_carry": 1, "length": 2, "reverse": False}
        total = op(b, "scan", constant(b, 0, f64, (3,)), xs, **attrs)
        return [op(b, "reduce_sum", total, axes=(0,))]

    graph = traced([tensor(f64, 2, 3)], build)
    (grads,) = run(gradient(graph), [np.full((2, 3), 1.7)])
    np.testing.assert_array_equal(grads, np.ones((2, 3)))


def custom_square(scale: float) -> Graph:
    """x², whose backward rule claims `scale` times the true derivative."""
    graph = traced([VECTOR, VECTOR], lambda b, x, y: [op(b, "mul", op(b, "mul", x, x), y)])

    def forward(b, x, y):
        return [op(b, "mul", op(b, "mul", x, x), y), x, y]

    def backward(b, x, y, ct):
        double = op(b, "mul", op(b, "add", x, x), constant(b, scale, f64, (3,)))
        return [op(b, "mul", op(b, "mul", ct, y), double), op(b, "mul", ct, op(b, "mul", x, x))]

    attrs = {
        "graph": graph,
        "forward": traced([VECTOR] * 2, forward),
        "backward": traced([VECTOR] * 3, backward),
    }
    return traced([VECTOR] * 2, lambda b, x, y: [op(b, "custom_vjp", op(b, "sin", x), y, **attrs)])


def test_custom_vjp_is_used_in_reverse_and_refused_forward():
    args = arguments(custom_square(1.0))
    true = run(gradient(summed(custom_square(1.0))), args)
    claimed = run(gradient(summed(custom_square(3.0))), args)
    np.testing.assert_allclose(claimed[0], 3 * true[0])
    np.testing.assert_allclose(claimed[1], true[1])
    with pytest.raises(DifferentiationError, match="custom_vjp"):
        jvp_graph(custom_square(1.0), [True, True])
    check_derivatives(gradient(summed(custom_square(1.0))), args)
    check_batch(gradient(summed(custom_square(1.0))), (0, None))


@pytest.mark.parametrize("axes", [(0, None), (None, 1), (0, 0)])
def test_gradient_of_batched_custom_vjp_sums_over_the_batch(axes):
    from lazir.compiler.autodiff import batch_graph

    plain = traced(
        [VECTOR] * 2,
        lambda b, x, y: [op(b, "mul", op(b, "mul", op(b, "sin", x), op(b, "sin", x)), y)],
    )
    custom, _ = batch_graph(custom_square(1.0), axes, 4)
    known, _ = batch_graph(plain, axes, 4)
    args = arguments(known)
    for got, want in zip(run(gradient(summed(custom)), args), run(gradient(summed(known)), args)):
        np.testing.assert_allclose(got, want)


def test_custom_rules_inside_a_scan():
    square = custom_square(1.0)

    def body(b, w, carry, x):
        (new,) = b.inline(square.results, dict(zip(square.params, [carry, w])))
        return [op(b, "add", new, x)]

    inside = traced([VECTOR] * 3, body)

    def build(b, w, start, xs):
        attrs = {"body": inside, "n_const": 1, "n_carry": 1, "length": 3, "reverse": False}
        return [op(b, "scan", w, start, xs, **attrs)]

    graph = traced([VECTOR, VECTOR, tensor(f64, 3, 3)], build)
    args = arguments(graph)
    grads = gradient(summed(graph))
    tangents = [np.ones_like(a) for a in args]
    check_forward(grads, args, tangents)


def test_stop_gradient():
    graph = traced([VECTOR], lambda b, x: [op(b, "mul", x, op(b, "stop_gradient", x))])
    (x,) = arguments(graph)
    _, tangent = run(jvp_graph(graph, [True]), [x, np.ones(3)])
    np.testing.assert_array_equal(tangent, x)


def test_nested_control_flow():
    """A scan in a branch in a scan, batched and differentiated twice."""
    inner = recurrence(length=2)

    def branch(b, w, carry):
        xs = op(b, "broadcast", carry, shape=(2, 3), axes=(1,))
        last, _ = b.inline(inner.results, dict(zip(inner.params, [w, carry, xs])))
        return [last]

    branches = (traced([VECTOR] * 2, branch), traced([VECTOR] * 2, lambda b, w, c: [c]))

    def body(b, w, carry, flag):
        return [op(b, "cond", flag, w, carry, branches=branches)]

    inside = traced([VECTOR, VECTOR, tensor(i1)], body)

    def build(b, w, start, flags):
        attrs = {"body": inside, "n_const": 1, "n_carry": 1, "length": 3, "reverse": False}
        return [op(b, "scan", w, start, flags, **attrs)]

    graph = traced([VECTOR, VECTOR, tensor(i1, 3)], build)
    args = arguments(graph)
    check_derivatives(graph, args)
    total = summed(graph)
    made = value_and_grad_graph(total, [True, True, False])
    check_derivatives(made, args)
    check_batch(made, (None, 0, None))
    check_batch(made, (0, None, 1))
