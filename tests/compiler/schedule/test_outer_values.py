"""Reductions whose rows read a value that the same kernel made for each result before."""

from __future__ import annotations

import numpy as np
import pytest

from lazir.compiler.graph import Builder
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.arithmetic import add, mul
from lazir.compiler.ops.movement import broadcast
from lazir.compiler.ops.reduction import reduce_sum
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target
from lazir.compiler.types import f32, tensor
from lazir.runtime.execute import LoadedProgram

SHAPES = [  # whole rows, long rows in blocks, columns in registers, streamed columns
    ((64, 128), 1),
    ((3, 70000), 1),
    ((300, 64), 0),
    ((700, 4096), 0),
    ((20000, 24), 0),
]


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("shape, axis", SHAPES)
def test_a_value_per_result_feeds_the_rows(shape: tuple[int, int], axis: int, both: bool) -> None:
    b = Builder(name="scaled")
    x, a = b.param(tensor(f32, *shape)), b.param(tensor(f32, shape[1 - axis]))
    scale = OPS["exp"](b, OPS["tanh"](b, a))
    total = reduce_sum(
        b, mul(b, x, broadcast(b, scale, shape=shape, axes=(1 - axis,))), axes=(axis,)
    )
    graph = b.graph([total, scale] if both else [add(b, total, scale)])
    rng = np.random.default_rng(0)
    arrays = [rng.random(t.shape, np.float32) for t in graph.param_types]
    got = LoadedProgram(Compilation(graph, host_target()).program).call(arrays)
    for mine, wanted in zip(got, interpret(graph, arrays), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=3e-5)
