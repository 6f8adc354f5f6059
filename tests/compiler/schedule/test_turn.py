"""Maps that read across the order in which they write: tiles, their ends, what is fused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lazir.compiler.graph import Builder, Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.ops.arithmetic import add, mul
from lazir.compiler.ops.functions import exp
from lazir.compiler.ops.movement import reshape, transpose
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target, named_target
from lazir.compiler.types import DType, c64, f16, f32, f64, i1, i8, tensor
from lazir.runtime.execute import LoadedProgram


def _check(graph: Graph, tolerance: float = 0.0) -> str:
    """Compiled against interpreted; gives the loops."""
    rng = np.random.default_rng(3)
    arrays = [
        rng.integers(0, 2 if t.dtype is i1 else 90, t.shape).astype(t.dtype.numpy)
        for t in graph.param_types
    ]
    compilation = Compilation(graph, host_target())
    got = LoadedProgram(compilation.program).call(arrays)
    for ours, wanted in zip(got, interpret(graph, arrays), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=tolerance, atol=0)
    return compilation.text("loops")


def _turned(dtype: DType, shape: tuple[int, ...], order: tuple[int, ...]) -> Graph:
    b = Builder(name="turned")
    return b.graph([transpose(b, b.param(tensor(dtype, *shape)), permutation=order)])


@pytest.mark.parametrize("dtype", [i1, i8, f16, f32, f64, c64], ids=str)
@pytest.mark.parametrize("shape", [(4, 4), (5, 7), (64, 64), (33, 129), (300, 5), (5, 300)])
def test_a_matrix_of_any_type_is_transposed(dtype: DType, shape: tuple[int, int]) -> None:
    text = _check(_turned(dtype, shape, (1, 0)))
    if dtype is not c64:
        assert "vector.transpose" in text and "vector.gather" not in text


@pytest.mark.parametrize("order", [*itertools.permutations(range(4))], ids=str)
def test_any_order_of_axes(order: tuple[int, ...]) -> None:
    _check(_turned(f32, (3, 6, 17, 20), order))


@pytest.mark.parametrize("n", [70, 64])
def test_with_arithmetic_around(n: int) -> None:
    b = Builder(name="fused")
    x, y, z = (b.param(tensor(t, n, n)) for t in (f32, f32, f64))
    turned = [transpose(b, v, permutation=(1, 0)) for v in (x, y, z)]
    light = add(b, turned[0], x)
    heavy = mul(b, exp(b, mul(b, turned[1], turned[1])), add(b, turned[0], y))
    text = _check(b.graph([light, heavy, turned[2]]), 1e-5)
    assert "vector.transpose" in text


def test_several_axes_count_as_one() -> None:
    b = Builder(name="images")
    x = b.param(tensor(f32, 3, 8, 9, 10))
    text = _check(b.graph([transpose(b, x, permutation=(0, 2, 3, 1))]))
    flat = Builder(name="images")
    y = reshape(flat, flat.param(tensor(f32, 3, 8, 9, 10)), shape=(3, 8, 90))
    turned = transpose(flat, y, permutation=(0, 2, 1))
    same = _check(flat.graph([reshape(flat, turned, shape=(3, 9, 10, 8))]))
    assert text.count("scf.for") == same.count("scf.for")


@pytest.mark.parametrize("name", ["x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64-neon"])
def test_every_target_has_code_for_it(name: str) -> None:
    assert "define" in Compilation(_turned(i8, (99, 70), (1, 0)), named_target(name)).llvm


def test_threads_share_the_tiles() -> None:
    text = _check(_turned(f32, (500, 700), (1, 0)))
    assert "scf.parallel" in text
