"""Derivatives and batching of every op on complex numbers.

Forward mode against finite differences along a complex direction, which moves both parts; reverse
mode against it by Re Σ ct · jvp(t) = Re Σ vjp(ct) · t, the pairing that JAX's convention means.
"""

from __future__ import annotations

import numpy as np
import pytest
from complex_examples import NAMES, draw, examples_of, one_op

from lazir.compiler.autodiff import batch_graph, jvp_graph, vjp_graph
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.types import DType, TensorType, c64, c128, f32, f64

WIDE = {f32: f64, c64: c128}
STEP = 1e-6
KINKS = {"stop_gradient", "sort", "constant"}
SMOOTH = [n for n in NAMES if OPS[n].linearise is not None and n not in KINKS]


def wide(dtype):
    return WIDE.get(dtype, dtype) if isinstance(dtype, DType) else dtype


def cases(name):
    """Examples in double precision, at least one of whose operands moves."""
    made = []
    for types, attrs in examples_of(name):
        types = tuple(TensorType(t.shape, wide(t.dtype)) for t in types)
        attrs = {k: wide(v) for k, v in attrs.items()}
        graph = one_op(name, types, attrs)
        kinds = [t.dtype for t in (*types, *graph.result_types) if t.dtype.is_inexact]
        moves = any(t.dtype.is_inexact for t in types) and graph.result_types[0].dtype.is_inexact
        if moves and set(kinds) <= {f64, c128}:
            made.append((graph, types))
    return made[:4]


def pairing(xs, ys):
    """Re Σ x · y."""
    return sum(float(np.sum(x * y).real) for x, y in zip(xs, ys, strict=True))


@pytest.mark.parametrize("name", SMOOTH)
def test_both_modes(name):
    rng = np.random.default_rng(21)
    found = cases(name)
    assert found
    for graph, types in found:
        active = [t.dtype.is_inexact for t in types]
        inputs = [draw(rng, t, OPS[name].domain) for t in types]
        moving = [t for t, on in zip(types, active) if on]
        way = [draw(rng, t, OPS["add"].domain) for t in moving]
        forward = interpret(jvp_graph(graph, active), [*inputs, *way])
        results, tangents = forward[: len(graph.results)], forward[len(graph.results) :]
        sides = []
        for sign in (1, -1):
            rest = iter(way)
            moved = [x + sign * STEP * next(rest) if on else x for x, on in zip(inputs, active)]
            sides.append(interpret(graph, moved))
        for tangent, high, low in zip(tangents, *sides):
            slope = (high - low) / (2 * STEP)
            scale = max(1.0, float(np.abs(slope).max(initial=0)))
            np.testing.assert_allclose(tangent, slope, rtol=3e-5, atol=1e-6 * scale)
        before, after = vjp_graph(graph, active)
        residuals = interpret(before, inputs)[len(graph.results) :]
        cts = [draw(rng, t, OPS["add"].domain) for t in graph.result_types if t.dtype.is_inexact]
        back = interpret(after, [*residuals, *cts])
        assert [b.dtype for b in back] == [w.dtype for w in way]
        one, other = pairing(cts, tangents), pairing(back, way)
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9), types
        assert results[0].shape == graph.result_types[0].shape


@pytest.mark.parametrize("name", [n for n in NAMES if n != "constant"])
def test_batching_is_a_loop(name):
    rng = np.random.default_rng(22)
    size = 3
    for types, attrs in examples_of(name)[:3]:
        graph = one_op(name, types, attrs)
        axes = [None if k and rng.integers(3) == 0 else 0 for k in range(len(types))]
        batched, places = batch_graph(graph, axes, size)
        shapes = [t if a is None else TensorType((size, *t.shape), t.dtype)
                  for t, a in zip(types, axes)]  # fmt: skip
        inputs = [draw(rng, t, OPS[name].domain) for t in shapes]
        got = interpret(batched, inputs)
        for row in range(size):
            rows = [x if a is None else x[row] for x, a in zip(inputs, axes)]
            for out, place, wanted in zip(got, places, interpret(graph, rows), strict=True):
                mine = out if place is None else np.take(out, row, axis=place)
                np.testing.assert_allclose(mine, wanted, rtol=2e-6, atol=1e-5)
