"""Sums down columns: few columns keep accumulators in registers; chained sums are kernels apart."""

from __future__ import annotations

import numpy as np
import pytest

from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.interpret import interpret
from lazir.compiler.ops.arithmetic import mul, sub
from lazir.compiler.ops.movement import broadcast
from lazir.compiler.ops.reduction import argmax, reduce_max, reduce_sum
from lazir.compiler.ops.source import constant
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target
from lazir.compiler.types import f32, f64, tensor
from lazir.runtime.execute import LoadedProgram


def _check(graph: Graph, tolerance: float) -> Compilation:
    rng = np.random.default_rng(2)
    arrays = [rng.integers(-9, 9, t.shape).astype(t.dtype.numpy) for t in graph.param_types]
    compilation = Compilation(graph, host_target())
    got = LoadedProgram(compilation.program).call(arrays)
    for ours, wanted in zip(got, interpret(graph, arrays), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=tolerance, atol=tolerance)
    return compilation


@pytest.mark.parametrize("shape", [(6000, 100), (4000, 128), (40, 70, 130), (1501, 250), (9001, 9)])
def test_few_columns(shape: tuple[int, ...]) -> None:
    """Sums of small integers are exact; blocks of rows and masked columns are joined in order."""
    b = Builder(name="columns")
    x = b.param(tensor(f32, *shape))
    axes = tuple(range(len(shape) - 1))
    outs = [reduce_sum(b, x, axes=axes), reduce_max(b, x, axes=axes)]
    if len(axes) == 1:
        outs.append(argmax(b, x, axes=(0,)))
    _check(b.graph(outs), 0.0)


def _moments(b: Builder, x: Value, axes: tuple[int, ...]) -> tuple[Value, Value]:
    kept = tuple(k for k in range(len(x.shape)) if k not in axes)
    count = np.prod([x.shape[k] for k in axes])
    total = reduce_sum(b, x, axes=axes)
    mean = mul(b, total, constant(b, 1 / count, x.type.dtype, total.shape))
    gap = sub(b, x, broadcast(b, mean, shape=x.shape, axes=kept))
    return mean, reduce_sum(b, mul(b, gap, gap), axes=axes)


@pytest.mark.parametrize(
    ("shape", "axes", "kernels"),
    [
        ((300, 65), (0,), 2),  # vectors run across the rows: each sum by itself
        ((4, 33, 9, 16), (0, 1, 2), 2),
        ((40, 300), (1,), 1),  # rows in the cache: both passes in one kernel
        ((70, 3, 5, 40), (1, 2, 3), 1),
        ((70000,), (0,), 2),  # one row alone is for all threads
    ],
)
def test_a_sum_of_what_needs_a_sum(
    shape: tuple[int, ...], axes: tuple[int, ...], kernels: int
) -> None:
    b = Builder(name="moments")
    graph = b.graph(list(_moments(b, b.param(tensor(f64, *shape)), axes)))
    compilation = _check(graph, 1e-12)
    assert sum(n.op == "kernel" for n in compilation.kernels.nodes) == kernels
    assert "vector.gather" not in compilation.text("loops")
