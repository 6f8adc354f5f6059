"""Linearisations against finite differences, adjoints against them, batching against a loop."""

import numpy as np
import pytest
from ops_support import (
    TOLERANCE,
    draw,
    draw_all,
    examples,
    generator,
    one_op,
    smooth_example,
    transpose_linear,
)  # fmt: skip

from lazir.compiler.graph import Builder, Graph
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.control import evaluate
from lazir.compiler.types import TensorType, f64

STEP = 1e-6
PER_OP = 14
WITH_BODY = {name for name, op in OPS.items() if op.family == "control"} - {"barrier"}
COMPLEX = {name for name, op in OPS.items() if op.family in ("complex", "fourier")}
"""Their tests are in `derived/test_complex_derivatives.py`, which move both parts."""
SMOOTH = sorted(
    name for name, op in OPS.items() if op.linearise is not None and name not in WITH_BODY | COMPLEX
)
BATCHED = sorted(set(OPS) - WITH_BODY - {"constant", "iota"})


def float_examples(name):
    """Examples with an f64 operand and result, and which operands move."""
    made = []
    for types, attrs in examples(name):
        if name == "eig" and attrs["vectors"]:
            continue  # eigenvectors have no derivative: an error, tested with the linear algebra
        types, attrs = smooth_example(types, attrs)
        moving = [k for k, t in enumerate(types) if t.dtype is f64]
        if moving and OPS[name].infer(types, attrs)[0].dtype is f64:
            made.append((types, attrs, moving))
    return made[:PER_OP]


def tangent_graph(name, types, attrs, moving):
    """A builder, a node's operands, tangents of `moving`, the node, the tangents of its results."""
    b = Builder()
    xs = [b.param(t) for t in types]
    ts = [b.param(types[k]) for k in moving]
    node = OPS[name].node(b, xs, attrs)
    given = [None] * len(xs)
    for k, t in zip(moving, ts):
        given[k] = t
    outs = OPS[name].linearise(b, node, xs, node.results, given)
    assert len(outs) == len(node.results)
    for out, result in zip(outs, node.results):
        assert out is None or out.type == result.type
    return b, xs, ts, node, outs


@pytest.mark.parametrize("name", SMOOTH)
def test_linearisation_against_finite_differences(name):
    rng = generator(name)
    cases = float_examples(name)
    assert cases
    for types, attrs, moving in cases:
        arrays = draw_all(rng, name, types)
        directions = [rng.uniform(-1, 1, types[k].shape) for k in moving]
        b, _, _, node, outs = tangent_graph(name, types, attrs, moving)
        shown = [o if o is not None else OPS["sub"](b, r, r) for o, r in zip(outs, node.results)]
        got = evaluate(b.graph(shown), [*arrays, *directions])
        sides = []
        for sign in (1, -1):
            moved = list(arrays)
            for k, d in zip(moving, directions):
                moved[k] = arrays[k] + sign * STEP * d
            sides.append(evaluate(one_op(name, types, attrs), moved))
        for tangent, high, low in zip(got, *sides):
            with np.errstate(all="ignore"):
                slope = (high - low) / (2 * STEP)
            scale = max(
                1.0,
                np.abs(slope, where=np.isfinite(slope), out=np.zeros_like(slope)).max(initial=0),
            )
            if np.isfinite(slope).all() and name != "stop_gradient":
                np.testing.assert_allclose(
                    tangent, slope, rtol=2e-5, atol=2e-7 * scale, err_msg=f"{types} {attrs}"
                )


@pytest.mark.parametrize("name", SMOOTH)
def test_each_operand_alone(name):
    """A missing tangent is zero: the tangents of single operands add up to the joint one."""
    rng = generator(name)
    for types, attrs, moving in float_examples(name)[:4]:
        arrays = draw_all(rng, name, types)
        directions = [rng.uniform(-1, 1, types[k].shape) for k in moving]
        b, _, _, _, outs = tangent_graph(name, types, attrs, moving)
        if outs[0] is None:
            continue
        joint = evaluate(b.graph([outs[0]]), [*arrays, *directions])[0]
        total = np.zeros_like(joint)
        for k, direction in zip(moving, directions):
            b, _, _, _, outs = tangent_graph(name, types, attrs, [k])
            if outs[0] is not None:
                total = total + evaluate(b.graph([outs[0]]), [*arrays, direction])[0]
        np.testing.assert_allclose(total, joint, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", SMOOTH)
def test_adjoint_of_the_linearisation(name):
    rng = generator(name)
    for types, attrs, moving in float_examples(name):
        b, _, ts, node, outs = tangent_graph(name, types, attrs, moving)
        if outs[0] is None:
            continue
        cts = [b.param(r.type) for r in node.results]
        backs = transpose_linear(b, outs, ts, cts)
        results = [r for r in (*outs, *backs) if r is not None]
        arrays = draw_all(rng, name, types)
        directions = [rng.uniform(-1, 1, types[k].shape) for k in moving]
        weights = [rng.uniform(-1, 1, r.shape) for r in node.results]
        values = iter(evaluate(b.graph(results), [*arrays, *directions, *weights]))
        forward = sum(
            float(np.sum(next(values) * w)) for o, w in zip(outs, weights) if o is not None
        )
        backward = sum(
            float(np.sum(next(values) * d)) for g, d in zip(backs, directions) if g is not None
        )
        if np.isfinite(forward):
            scale = max(1.0, abs(forward), float(sum(np.size(w) for w in weights)))
            assert abs(forward - backward) <= 1e-9 * scale, (types, attrs)


LINEAR_IN = {
    "div": (0,), "reduce_prod": (), "gather": (0,), "dynamic_slice": (0,), "solve": (1,),
    "triangular_solve": (1,),
}  # fmt: skip
"""Operands that an op with an adjoint is linear in, where these are not all its float operands."""


@pytest.mark.parametrize(
    "name", sorted(n for n, op in OPS.items() if op.transpose and n not in WITH_BODY | COMPLEX)
)
def test_adjoint_of_the_op_itself(name):
    """<ct, op(t)> = <adjoint(ct), t> for each operand alone, the others fixed."""
    rng = generator(name)
    for types, attrs, moving in float_examples(name):
        if attrs.get("op") in ("mul", "min", "max"):
            continue
        for k in LINEAR_IN.get(name, moving):
            if k not in moving:
                continue
            arrays = draw_all(rng, name, types)
            fixed = [
                a * 0 if j != k and name in ADDITIVE and j in moving else a
                for j, a in enumerate(arrays)
            ]
            b = Builder()
            xs = [b.param(t) for t in types]
            node = OPS[name].node(b, xs, attrs)
            cts = [b.param(r.type) for r in node.results]
            given = [None if j == k else x for j, x in enumerate(xs)]
            back = OPS[name].transpose(b, node, given, cts)[k]
            weights = [rng.uniform(-1, 1, r.shape) for r in node.results]
            if back is None:
                continue
            assert back.type == types[k]
            values = evaluate(b.graph([*node.results, back]), [*fixed, *weights])
            forward = sum(float(np.sum(v * w)) for v, w in zip(values, weights))
            backward = float(np.sum(values[-1] * fixed[k]))
            assert abs(forward - backward) <= 1e-9 * max(1.0, abs(forward)), (types, attrs, k)


ADDITIVE = {"add", "sub", "select", "pad", "concat", "scatter", "dynamic_update_slice", "barrier"}
"""Ops linear in several operands together: the others are zero while one is looked at."""


@pytest.mark.parametrize("name", BATCHED)
def test_batching_against_a_loop(name):
    rng = generator(name)
    size = 3
    for types, attrs in examples(name):
        if not types:
            continue
        axes = [None if rng.integers(3) == 0 else int(rng.integers(t.rank + 1)) for t in types]
        if all(a is None for a in axes):
            axes[0] = 0
        wide = [
            t if a is None else TensorType((*t.shape[:a], size, *t.shape[a:]), t.dtype)
            for t, a in zip(types, axes)
        ]
        arrays = [draw(rng, t, OPS[name].domain) for t in wide]
        b = Builder()
        node = OPS[name].node(b, [b.param(t) for t in types], attrs)
        params = [b.param(t) for t in wide]
        outs, places = OPS[name].batch(b, node, params, axes, size)
        got = evaluate(Graph("batched", params, outs), arrays)
        alone = one_op(name, types, attrs)
        for row in range(size):
            rows = [x if a is None else np.take(x, row, axis=a) for x, a in zip(arrays, axes)]
            for out, place, wanted in zip(got, places, evaluate(alone, rows), strict=True):
                mine = out if place is None else np.take(out, row, axis=place)
                tolerance = TOLERANCE.get(types[0].dtype.name, 0)
                np.testing.assert_allclose(
                    mine, wanted, rtol=tolerance, atol=tolerance, err_msg=f"{types} {attrs} {axes}"
                )
