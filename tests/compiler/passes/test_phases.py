"""Convolutions of signals with gaps, taken apart into dense ones: the same values, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from test_rules import graph_of

from lazir.compiler.interpret import interpret
from lazir.compiler.passes import GRAPH_PASSES
from lazir.compiler.types import f32, f64, i32, tensor
from lazir.compiler.verify import verify_graph


@pytest.mark.parametrize("seed", range(40))
def test_gaps_are_phases(seed):
    """Random convolutions with gaps: exact in integers, and infinite weights meet no gap."""
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 2

    def draw(low, high):
        return tuple(int(n) for n in rng.integers(low, high + 1, rank))

    digits = "01"[:rank]
    spread = (2, 2) if rank == 2 else (int(rng.integers(2, 5)),)
    attrs = {
        "stride": draw(1, 3), "low": draw(-1, 4), "high": draw(-1, 4), "lhs_dilation": spread,
        "rhs_dilation": draw(1, 3), "lhs": f"n{digits}c", "rhs": f"{digits}io", "out": f"nc{digits}"
    }  # fmt: skip
    shapes = (2, *draw(2, 6), 3), (*draw(1, 4), 3, 4)
    graph = graph_of([tensor(i32, *s) for s in shapes], lambda m, x, k: m.conv(x, k, **attrs))
    made = GRAPH_PASSES["decompose"](graph)
    verify_graph(made)
    wide = graph_of([tensor(f64, *s) for s in shapes], lambda m, x, k: m.conv(x, k, **attrs))
    args = [rng.integers(-9, 10, s).astype("i4") for s in shapes]
    for a, c in zip(interpret(graph, args), interpret(made, args), strict=True):
        np.testing.assert_array_equal(a, c)
    floats = [x.astype("f8") for x in args]
    floats[1].flat[::5] = np.inf
    with np.errstate(all="ignore"):
        (a,), (c,) = (interpret(g, floats) for g in (wide, GRAPH_PASSES["decompose"](wide)))
    np.testing.assert_array_equal(a, c)


@pytest.mark.parametrize("lhs, rhs", [("n01c", "01io"), ("nc01", "oi01"), ("gnc01", "0go1i")])
def test_windows_as_wide_as_gaps_are_one_product(lhs, rhs):
    attrs = {
        "stride": (1, 1), "low": (1, 2), "high": (1, 2), "lhs_dilation": (2, 3),
        "rhs_dilation": (1, 1), "lhs": lhs, "rhs": rhs, "out": lhs,
    }  # fmt: skip
    sizes = {"g": 2, "n": 2, "c": 3, "0": 4, "1": 3}
    window = {"g": 2, "o": 5, "i": 3, "0": 2, "1": 3}
    shapes = [sizes[a] for a in lhs], [window[a] for a in rhs]
    graph = graph_of([tensor(i32, *s) for s in shapes], lambda m, x, k: m.conv(x, k, **attrs))
    made = GRAPH_PASSES["decompose"](graph)
    verify_graph(made)
    (conv,) = [n for n in made.nodes if n.op == "conv"]
    assert conv.types[0].size == graph.result_types[0].size
    rng = np.random.default_rng(0)
    args = [rng.integers(-9, 10, s).astype("i4") for s in shapes]
    for a, c in zip(interpret(graph, args), interpret(made, args), strict=True):
        np.testing.assert_array_equal(a, c)


def test_phases_leave_no_gaps():
    """A step of 2 in two dims: four dense convolutions, of one padded signal."""
    attrs = {
        "stride": (1, 1), "low": (2, 2), "high": (2, 2), "lhs_dilation": (2, 2),
        "rhs_dilation": (1, 1), "lhs": "n01c", "rhs": "01io", "out": "n01c",
    }  # fmt: skip
    types = [tensor(f32, 1, 6, 6, 3), tensor(f32, 3, 3, 3, 5)]
    made = GRAPH_PASSES["decompose"](graph_of(types, lambda m, x, k: m.conv(x, k, **attrs)))
    convs = [n for n in made.nodes if n.op == "conv"]
    assert sorted(n.inputs[1].shape[:2] for n in convs) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert sum(n.op == "pad" for n in made.nodes) == 1
