"""Every op through every transform, and through transforms of transforms, in f64."""

import zlib

import numpy as np
import pytest
from autodiff_checks import (
    check_adjoint,
    check_batch,
    check_linearized,
    inner,
    numeric_jvp,
    op,
    run,
    smooth,
    traced,
)

import lazir.compiler.ops  # noqa: F401  (fills the table)
from lazir.compiler.autodiff import batch_graph, jvp_graph, value_and_grad_graph, vjp_graph
from lazir.compiler.errors import DifferentiationError
from lazir.compiler.graph import Graph
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import constant
from lazir.compiler.passes import optimize
from lazir.compiler.types import DType, TensorType, f64, i64, tensor
from lazir.compiler.verify import verify_graph

PER_OP = 4
ONE_WAY = {"while", "custom_vjp", "custom_linear"}
FAMILIES = ("linalg", "library")  # decompositions: their own tests draw matrices that have one


def widened(types, attrs):
    """The example with every float made f64."""
    wide = [TensorType(t.shape, f64) if t.dtype.is_float else t for t in types]
    fresh = {k: f64 if isinstance(v, DType) and v.is_float else v for k, v in attrs.items()}
    return wide, fresh


def examples(name):
    """One-op graphs with a float operand and a float result."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    made = []
    for types, attrs in OPS[name].examples(rng):
        if any(isinstance(v, Graph) for v in attrs.values()) and types[-1].dtype is not f64:
            continue
        types, attrs = widened(types, attrs)
        if any(t.dtype.is_complex for t in types) or not any(t.dtype is f64 for t in types):
            continue
        try:
            graph = traced(types, lambda b, *xs, a=attrs: OPS[name].many(b, *xs, **a))
        except (TypeError, ValueError):  # a body of another dtype
            continue
        if any(t.dtype is f64 and t.size for t in graph.result_types):
            made.append(graph)
    made.sort(key=lambda g: sum(t.size for t in g.param_types) > 60)
    return made[:PER_OP]


def values(name, graph, seed=0):
    domain = OPS[name].domain
    rng = np.random.default_rng(seed)
    arrays = []
    for t in graph.param_types:
        if t.dtype is f64:
            # distinct values, so that sorts, extrema and medians have no ties
            # and not in the middle of the domain, where atan2 and cbrt are not smooth
            ramp = np.linspace(domain.low, domain.high, max(t.size, 2) + 2)[1:-1][: t.size]
            ramp = ramp + 0.013 * (domain.high - domain.low) / (t.size + 2)
            arrays.append(rng.permutation(ramp).reshape(t.shape))
        elif t.dtype.kind == "bool":
            arrays.append(rng.integers(0, 2, t.shape).astype(bool))
        else:
            arrays.append(rng.integers(0, 3, t.shape).astype(t.dtype.numpy))
    return arrays


SMOOTH = sorted(
    n
    for n, o in OPS.items()
    if o.linearise is not None and n not in ONE_WAY and o.family not in FAMILIES and o.examples
)
GRAPHS = [(n, k) for n in SMOOTH for k in range(len(examples(n)))]


@pytest.mark.parametrize("name, k", GRAPHS)
def test_modes_agree(name, k):
    graph = examples(name)[k]
    rng = np.random.default_rng(k)
    args = values(name, graph, k)
    try:
        check_linearized(graph, args, rng)
    except DifferentiationError:
        pytest.fail(f"{name} has a linearisation that does not linearise")
    check_adjoint(graph, args, rng)
    made = jvp_graph(graph, smooth(graph.param_types))
    verify_graph(made)
    for part in vjp_graph(graph, smooth(graph.param_types)):
        verify_graph(part)


@pytest.mark.parametrize("name, k", [(n, k) for n, k in GRAPHS if OPS[n].domain.smooth])
def test_second_derivative_against_differences(name, k):
    """⟨t, ∇⟨ct, f⟩(x)⟩ moves along u as the jvp of the gradient says."""
    graph = examples(name)[k]
    rng = np.random.default_rng(k + 100)
    args = values(name, graph, k)

    def paired(b, *params):
        outs = b.inline(graph.results, dict(zip(graph.params, params)), graph.locs)
        total = constant(b, 0, f64)
        for out in outs:
            if out.type.dtype is f64:
                weight = constant(b, 0.7, f64, out.shape)
                axes = tuple(range(len(out.shape)))
                squared = op(b, "mul", op(b, "mul", out, out), weight)
                total = op(b, "add", total, op(b, "reduce_sum", squared, axes=axes))
        return [total]

    scalar = traced(graph.param_types, paired)
    made = value_and_grad_graph(scalar, smooth(scalar.param_types))
    gradient = Graph("gradient", made.params, made.results[1:], made.locs)
    floats = [t for t in graph.param_types if t.dtype is f64]
    tangents = [rng.uniform(-1, 1, t.shape) for t in floats]
    with np.errstate(all="ignore"):
        (first,) = numeric_jvp(scalar, args, tangents, 1e-6)
    if not np.isfinite(first):
        pytest.skip("a window over padding alone gives the unit of max, which is infinite")
    pushed = run(jvp_graph(gradient, smooth(gradient.param_types)), [*args, *tangents])
    pushed = pushed[len(gradient.results) :]
    with np.errstate(all="ignore"):
        wanted = numeric_jvp(gradient, args, tangents, 1e-6)
    for got, want in zip(pushed, wanted):
        scale = 1 + np.abs(want).max(initial=0)
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5 * scale)
    slope = inner(run(gradient, args), tangents)
    np.testing.assert_allclose(slope, first, rtol=1e-5, atol=1e-5 * (1 + abs(first)))


@pytest.mark.parametrize("name, k", [(n, k) for n, k in GRAPHS if k < 2])
def test_transforms_of_transforms(name, k):
    """batch of vjp of jvp, and vjp of batch: each agrees with a loop, optimised or not."""
    graph = examples(name)[k]
    flags = smooth(graph.param_types)
    moved = jvp_graph(graph, flags)
    forward, backward = vjp_graph(moved, smooth(moved.param_types))
    for part in (forward, backward):
        verify_graph(part)
    axes = [0 if t.dtype is f64 else None for t in graph.param_types]
    check_batch(graph, axes)
    batched, _ = batch_graph(graph, axes, 2)
    args = values(name, batched)
    check_adjoint(batched, args, np.random.default_rng(3))
    pulled = vjp_graph(batched, smooth(batched.param_types))[0]
    for got, want in zip(run(optimize(pulled), args), run(pulled, args)):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_inactive_parameters_take_no_part():
    graph = traced(
        [tensor(f64, 3), tensor(f64, 3), tensor(i64, 3)],
        lambda b, x, y, k: [op(b, "mul", x, op(b, "exp", y)), k],
    )
    made = jvp_graph(graph, [True, False, False])
    assert len(made.params) == 4 and len(made.results) == 3
    forward, backward = vjp_graph(graph, [False, True, False])
    assert len(backward.results) == 1 and len(forward.results) == len(backward.params) + 1
    with pytest.raises(DifferentiationError, match=r"i64\[3\]"):
        jvp_graph(graph, [False, False, True])


def test_gradients_of_what_does_not_move_are_zero():
    graph = traced(
        [tensor(f64, 2), tensor(f64)],
        lambda b, x, s: [op(b, "convert", op(b, "convert", s, dtype=i64), dtype=f64), x],
    )
    value, aux, dx, ds = run(
        value_and_grad_graph(graph, [True, True], n_aux=1), [np.ones(2), np.float64(2.5)]
    )
    assert value == 2 and list(aux) == [1, 1] and list(dx) == [0, 0] and ds == 0


def test_a_missing_derivative_names_the_op_and_what_to_do():
    graph = traced(
        [tensor(f64)],
        lambda b, x: [op(b, "bitcast", op(b, "bitcast", x, dtype=i64), dtype=f64)],
    )
    run(jvp_graph(graph, [True]), [np.float64(1), np.float64(1)])  # by way of integers: zero
    same = traced([tensor(f64)], lambda b, x: [op(b, "bitcast", x, dtype=f64)])
    with pytest.raises(DifferentiationError, match=r"bitcast.*bit pattern.*stop_gradient"):
        jvp_graph(same, [True])


@pytest.mark.parametrize("results", [0, 2])
def test_gradient_of_something_else_than_a_scalar_is_refused(results):
    graph = traced([tensor(f64, 2)], lambda b, x: [x])
    with pytest.raises(DifferentiationError, match="float scalar"):
        value_and_grad_graph(graph, [True])
    scalar = traced([tensor(f64)], lambda b, x: [x] * (results + 1))
    if results:
        with pytest.raises(ValueError, match="3 results"):
            value_and_grad_graph(scalar, [True])


def test_residuals_are_what_the_backward_part_needs():
    """Constants and broadcasts are made again, and what the backward part ignores is not kept."""

    def build(b, x, s):
        spread = op(b, "broadcast", s, shape=(5, 4), axes=())
        return [op(b, "mul", op(b, "add", x, constant(b, 2, f64, (5, 4))), spread)]

    graph = traced([tensor(f64, 5, 4), tensor(f64)], build)
    forward, backward = vjp_graph(graph, [True, False])
    assert [r.shape for r in forward.results[1:]] == [()]
    assert [p.shape for p in backward.params] == [(), (5, 4)]
    forward, _ = vjp_graph(graph, [True, True])
    assert sorted(r.shape for r in forward.results[1:]) == [(), (5, 4)]


def test_nothing_is_computed_twice():
    graph = traced([tensor(f64)], lambda b, x: [op(b, "exp", op(b, "sin", x))])
    made = value_and_grad_graph(graph, [True])
    kinds = [n.op for n in made.nodes]
    assert kinds.count("exp") == 1 and kinds.count("sin") == 1


@pytest.mark.parametrize(
    "transform, rounds", [("jvp", 4000), ("vjp", 4000), ("grad", 12500), ("batch", 4000)]
)
def test_long_chains_need_no_stack_and_stay_linear(transform, rounds):
    def build(b, x):
        y = x
        for _ in range(rounds):
            y = op(b, "mul", op(b, "sin", y), x)
            y = op(b, "add", op(b, "neg", y), x)
        return [op(b, "reduce_sum", y, axes=(0,))]

    graph = traced([tensor(f64, 2)], build)
    made = {
        "jvp": lambda: jvp_graph(graph, [True]),
        "vjp": lambda: vjp_graph(graph, [True])[1],
        "grad": lambda: value_and_grad_graph(graph, [True]),
        "batch": lambda: batch_graph(graph, [0], 3)[0],
    }[transform]()
    assert len(made.nodes) < 8 * len(graph.nodes)
