"""Derivatives where finite differences cannot look: edges of domains, ties, zeros, and twice."""

import numpy as np
import pytest

from lazir.compiler.graph import Builder
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.control import evaluate
from lazir.compiler.types import f64, i64, tensor

INF, NAN = np.inf, np.nan


def partials(name, *operands, **attrs):
    """∂op/∂operand for each scalar operand."""
    found = []
    for k in range(len(operands)):
        b = Builder()
        xs = [b.param(tensor(f64)) for _ in operands]
        t = b.param(tensor(f64))
        node = OPS[name].node(b, xs, attrs)
        given = [t if j == k else None for j in range(len(xs))]
        (out,) = OPS[name].linearise(b, node, xs, node.results, given)
        arrays = [np.float64(x) for x in (*operands, 1.0)]
        found.append(0.0 if out is None else float(evaluate(b.graph([out]), arrays)[0]))
    return found


CASES = [
    ("sqrt", (0.0,), [INF]), ("rsqrt", (0.0,), [-INF]), ("cbrt", (0.0,), [INF]),
    ("acosh", (1.0,), [INF]), ("asin", (1.0,), [INF]), ("acos", (1.0,), [-INF]),
    ("atanh", (1.0,), [INF]), ("log", (0.0,), [INF]), ("log1p", (-1.0,), [INF]),
    ("erfinv", (1.0,), [INF]), ("tanh", (INF,), [0.0]), ("atan", (1e200,), [0.0]),
    ("asinh", (1e200,), [1e-200]), ("abs", (0.0,), [0.0]), ("sign", (0.0,), [0.0]),
    ("pow", (0.0, 2.0), [0.0, 0.0]), ("pow", (0.0, 0.0), [0.0, 0.0]),
    ("pow", (0.0, 1.0), [1.0, 0.0]), ("pow", (0.0, 0.5), [INF, 0.0]),
    ("pow", (0.0, -1.0), [-INF, -INF]),
    ("pow", (-2.0, 3.0), [12.0, NAN]), ("pow", (INF, 0.0), [0.0, INF]),
    ("hypot", (0.0, 0.0), [0.0, 0.0]), ("hypot", (1e200, 1e200), [0.5**0.5] * 2),
    ("atan2", (0.0, 0.0), [0.0, 0.0]), ("atan2", (0.0, 2.0), [0.5, 0.0]),
    ("copysign", (0.0, -1.0), [0.0, 0.0]), ("copysign", (3.0, -1.0), [-1.0, 0.0]),
    ("copysign", (-3.0, -1.0), [1.0, 0.0]), ("maximum", (1.0, 1.0), [0.5, 0.5]),
    ("minimum", (1.0, 1.0), [0.5, 0.5]), ("maximum", (2.0, 1.0), [1.0, 0.0]),
]  # fmt: skip


@pytest.mark.parametrize("name, at, wanted", CASES)
def test_partials_at_edges(name, at, wanted):
    np.testing.assert_allclose(partials(name, *at), wanted, rtol=1e-12)


def test_integer_power_at_zero():
    wanted = {0: 0.0, 1: 1.0, 2: 0.0, 3: 0.0}
    assert {n: partials("integer_pow", 0.0, exponent=n)[0] for n in wanted} == wanted


def second(name, x, y):
    """∂/∂x and ∂/∂y of ∂op/∂x, by linearising every node of the first derivative."""
    b = Builder()
    xs = [b.param(tensor(f64)) for _ in range(2)]
    one = b.param(tensor(f64))
    node = OPS[name].node(b, xs, {})
    (first,) = OPS[name].linearise(b, node, xs, node.results, [one, None])
    found = []
    for moving in xs:
        tangents = {moving: b.param(tensor(f64))}
        for inner in b.graph([first]).nodes:
            ts = [tangents.get(v) for v in inner.inputs]
            if any(t is not None for t in ts) and OPS[inner.op].linearise:
                outs = OPS[inner.op].linearise(b, inner, inner.inputs, inner.results, ts)
                tangents |= {v: t for v, t in zip(inner.results, outs) if t is not None}
        found.append(tangents[first])
    return [float(v) for v in evaluate(b.graph(found), [np.float64(v) for v in (x, y, 1, 1, 1)])]


def test_second_derivatives_have_no_nan_from_a_discarded_branch():
    np.testing.assert_allclose(second("pow", 0.0, 3.0), [0.0, 0.0])
    np.testing.assert_allclose(second("pow", 2.0, 3.0), [12.0, 4 + 12 * np.log(2)], rtol=1e-12)
    np.testing.assert_allclose(second("atan2", 1.0, 2.0), [-4 / 25, -3 / 25], rtol=1e-12)
    assert np.isfinite(second("hypot", 0.0, 0.0)).all()


# -- ties and zeros in tensors ---------------------------------------------------------------
def gradient(name, moving, arrays, attrs, dtypes):
    """The Jacobian of a vector result with respect to one vector operand."""
    b = Builder()
    xs = [b.param(tensor(d, *np.shape(a))) for a, d in zip(arrays, dtypes)]
    t = b.param(xs[moving].type)
    node = OPS[name].node(b, xs, attrs)
    given = [t if k == moving else None for k in range(len(xs))]
    (out,) = OPS[name].linearise(b, node, xs, node.results, given)
    graph = b.graph([out])
    units = np.eye(np.size(arrays[moving]))
    return np.array([evaluate(graph, [*arrays, unit])[0] for unit in units]).T


SCATTER = {
    "axes": (0,), "collapsed": (0,), "operand_batch": (), "index_batch": (), "offset": (),
    "mode": "drop",
}  # fmt: skip
KINDS = (f64, i64, f64)


@pytest.mark.parametrize("op", ["max", "min"])
def test_ties_of_a_scatter_share_evenly(op):
    sign = 1.0 if op == "max" else -1.0
    x, at = np.array([2.0, 5.0]) * sign, np.array([[0], [0], [1], [7]])
    u = np.array([2.0, 2.0, 1.0, 9.0]) * sign
    attrs = {**SCATTER, "op": op}
    third = 1 / 3
    np.testing.assert_allclose(
        gradient("scatter", 0, [x, at, u], attrs, KINDS), [[third, 0], [0, 1]]
    )
    np.testing.assert_allclose(
        gradient("scatter", 2, [x, at, u], attrs, KINDS), [[third, third, 0, 0], [0, 0, 0, 0]]
    )


def test_zeros_among_the_factors_of_a_scatter():
    x, at = np.array([2.0, 3.0, 5.0]), np.array([[0], [0], [1], [1], [2], [9]])
    u = np.array([0.0, 4.0, 0.0, 0.0, 7.0, 0.0])
    attrs = {**SCATTER, "op": "mul"}
    by_u = gradient("scatter", 2, [x, at, u], attrs, KINDS)
    np.testing.assert_allclose(by_u, [[8, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 5, 0]])
    by_x = gradient("scatter", 0, [x, at, u], attrs, KINDS)
    np.testing.assert_allclose(by_x, np.diag([0.0, 0.0, 7.0]))


def test_zeros_among_the_factors_of_a_product():
    for x, wanted in (
        ([2.0, 0.0, 5.0], [[0, 10, 0]]), ([0.0, 0.0, 5.0], [[0, 0, 0]]),
        ([2.0, 3.0, 5.0], [[15, 10, 6]]),
    ):  # fmt: skip
        got = gradient("reduce_prod", 0, [np.array(x)], {"axes": (0,)}, (f64,))
        np.testing.assert_allclose(np.atleast_2d(got), wanted)


def test_ties_of_a_reduction_share_evenly():
    got = gradient("reduce_max", 0, [np.array([3.0, 1.0, 3.0])], {"axes": (0,)}, (f64,))
    np.testing.assert_allclose(got, [0.5, 0.0, 0.5])
