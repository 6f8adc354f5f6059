"""Passes on random graphs: the same values, a sound graph, a fixed point, the same text again."""

import numpy as np
import pytest
from random_graphs import arguments, random_graph

from lazir.compiler.autodiff import batch_graph, jvp_graph
from lazir.compiler.interpret import interpret
from lazir.compiler.passes import GRAPH_PASSES, REQUIRED, optimize
from lazir.compiler.passes.simplify import simplify
from lazir.compiler.verify import verify_graph

SEEDS = range(60)
REORDERING = ("reduce_sum", "reduce_prod", "dot_general", "cumsum")


def assert_same_values(before, after, seed=0):
    args = arguments(before, seed)
    with np.errstate(all="ignore"):
        wanted, got = interpret(before, args), interpret(after, args)
    exact = not any(n.op in REORDERING for n in before.nodes)
    for a, c in zip(wanted, got, strict=True):
        assert a.dtype == c.dtype and a.shape == c.shape
        if exact:
            np.testing.assert_array_equal(a, c)
            if a.dtype.kind == "f":
                solid = ~np.isnan(a)
                np.testing.assert_array_equal(np.signbit(a)[solid], np.signbit(c)[solid])
        else:
            np.testing.assert_allclose(a, c, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", GRAPH_PASSES)
def test_each_pass_keeps_the_values(name, seed):
    graph = random_graph(seed)
    made = GRAPH_PASSES[name](graph)
    verify_graph(made)
    assert made.param_types == graph.param_types and made.result_types == graph.result_types
    assert_same_values(graph, made, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_passes_keep_the_values_and_come_to_rest(seed, monkeypatch):
    monkeypatch.setenv("LAZIR_VERIFY", "1")
    graph = random_graph(seed + 1000, nodes=120)
    made = optimize(graph)
    assert_same_values(graph, made, seed)
    assert len(made.nodes) <= len(graph.nodes) + 20
    assert simplify(simplify(graph)) is not None
    once = simplify(graph)
    assert simplify(once) is once
    assert optimize(random_graph(seed + 1000, nodes=120)).fingerprint == made.fingerprint


@pytest.mark.parametrize("left_out", [n for n in GRAPH_PASSES if n not in REQUIRED])
def test_leaving_a_pass_out_changes_no_values(left_out):
    for seed in range(8):
        graph = random_graph(seed + 2000, nodes=80)
        assert_same_values(graph, optimize(graph, leave_out=[left_out]), seed)


def test_unknown_and_required_passes_are_refused():
    graph = random_graph(0)
    with pytest.raises(ValueError, match="no such pass: fuse"):
        optimize(graph, leave_out=["fuse"])
    with pytest.raises(ValueError, match="cannot leave out decompose"):
        optimize(graph, leave_out=["decompose"])


@pytest.mark.parametrize("seed", range(12))
def test_batched_and_differentiated_graphs_keep_their_values(seed):
    graph = random_graph(seed + 3000, nodes=25)
    active = [t.dtype.is_inexact for t in graph.param_types]
    moved = jvp_graph(graph, active)
    assert_same_values_loosely(moved, optimize(moved), seed)
    batched, _ = batch_graph(graph, [0] * len(graph.params), 2)
    assert_same_values(batched, optimize(batched), seed)


def assert_same_values_loosely(before, after, seed):
    args = arguments(before, seed)
    with np.errstate(all="ignore"):
        for a, c in zip(interpret(before, args), interpret(after, args), strict=True):
            np.testing.assert_allclose(a, c, rtol=1e-5, atol=1e-6)
