"""Gradients of random smooth graphs: compiled against interpreted, and finite differences."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from agreement import Compared, check_graph, run_compiled
from random_programs import RandomGraph, draw_array, ops_of
from random_smooth import FLOW, SMOOTH, smooth_graph

from lazir.compiler.autodiff import value_and_grad_graph
from lazir.compiler.graph import Builder
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.types import f64, tensor
from lazir.compiler.verify import verify_graph

COUNT, BLOCK = 60, 10
STEPS = (1e-5, 1e-6)


def values(made: RandomGraph) -> list[np.ndarray]:
    """Inputs without edge values: they have no finite differences."""
    rng = np.random.default_rng([made.seed, 3])
    pairs = zip(made.graph.param_types, made.domains, strict=True)
    return [draw_array(rng, type, domain) for type, domain in pairs]


def slope(made: RandomGraph, inputs: list[np.ndarray], way: list[np.ndarray]) -> float | None:
    """The derivative along `way` by central differences; None where it depends on the step, or the
    result is so large that its rounding errors do not let such steps be seen."""
    found, rounding = [], 0.0
    for h in STEPS:
        sides = [
            interpret(made.graph, [x + s * h * d if d.any() else x for x, d in zip(inputs, way)])[0]
            for s in (1.0, -1.0)
        ]
        found.append(float(sides[0] - sides[1]) / (2 * h))
        rounding = max(rounding, float(np.spacing(np.abs(sides[0]))) / h)
    scale = 1e-5 * max(1.0, *map(abs, found))
    seen = np.isfinite(found).all() and abs(found[0] - found[1]) < scale and rounding < 10 * scale
    return found[0] if seen else None


@pytest.mark.parametrize("block", range(COUNT // BLOCK))
def test_gradients(block):
    total, checked = Compared(), 0
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        made = smooth_graph(seed)
        active = [t.dtype is f64 for t in made.graph.param_types]  # an op may draw others
        graph = value_and_grad_graph(made.graph, active)
        inputs = values(made)
        outputs = run_compiled(graph, inputs)
        total += check_graph(graph, inputs, outputs, f"seed {seed}")
        rng = np.random.default_rng(seed)
        way = [
            rng.standard_normal(x.shape) if on else np.zeros_like(x)
            for x, on in zip(inputs, active)
        ]
        wanted = slope(made, inputs, way)
        if wanted is None:
            continue
        moved = [d for d, on in zip(way, active) if on]
        got = sum(float(np.sum(g * d)) for g, d in zip(outputs[1:], moved, strict=True))
        if not np.isfinite(got):  # 0 · NaN, of an intermediate value that is not used
            continue
        assert got == pytest.approx(wanted, rel=1e-4, abs=1e-4 * max(1, abs(wanted))), (
            f"seed {seed}"
        )
        checked += 1
    assert checked >= BLOCK // 2
    assert total.compared >= 0.75 * total.total > 0


def test_what_the_graphs_cover():
    ops = Counter(op for seed in range(COUNT) for op in ops_of(smooth_graph(seed).graph))
    assert [name for name in (*SMOOTH, *FLOW) if not ops[name]] == []


def test_checkpoint_inside_of_a_checkpoint():
    """Cutting the outer body dropped tangents that the inner one still took."""
    x = tensor(f64, 3)

    def body(build):
        b = Builder(name="body")
        return b.graph([build(b, b.param(x))])

    inner = body(lambda b, v: OPS["mul"](b, v, OPS["exp"](b, v)))
    outer = body(lambda b, v: OPS["checkpoint"](b, OPS["sin"](b, v), body=inner))
    b = Builder()
    loss = OPS["reduce_sum"](b, OPS["checkpoint"](b, b.param(x), body=outer), axes=(0,))
    graph = value_and_grad_graph(b.graph([loss]), [True])
    verify_graph(graph)
    at = np.array([0.3, -1.0, 2.0])
    _, got = run_compiled(graph, [at])
    wanted = np.cos(at) * np.exp(np.sin(at)) * (1 + np.sin(at))
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
