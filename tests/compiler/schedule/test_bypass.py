"""Stores past the caches: where they stand, and that they change no value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.interpret import interpret
from lazir.compiler.ops.arithmetic import add, mul
from lazir.compiler.ops.movement import slice_, transpose
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target, named_target
from lazir.compiler.types import DType, TensorType, c64, f16, f32, f64, i8, tensor
from lazir.runtime.execute import LoadedProgram

SMALL = replace(host_target(), l3_bytes=1)
"""This machine with so small a cache that everything goes past it."""
X86 = host_target().arch == "x86_64"


def _graph(*types: TensorType, turned: bool = False) -> Graph:
    b = Builder(name="big")
    params = [b.param(t) for t in types]

    def plain(v: Value) -> Value:
        return transpose(b, v, permutation=(1, 0)) if turned else v

    first = plain(params[0])
    return b.graph([mul(b, first, first), *(add(b, plain(v), plain(v)) for v in params[1:])])


def _arrays(graph: Graph) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 9, t.shape).astype(t.dtype.numpy) for t in graph.param_types]


@pytest.mark.skipif(not X86, reason="only x86 is known to gain from such stores")
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("dtypes", [(f32,), (i8,), (c64,), (f64, f32), (f16, f32)], ids=str)
@pytest.mark.parametrize("shift", [0, 1])
def test_aligned_and_other_buffers(dtypes: tuple[DType, ...], turned: bool, shift: int) -> None:
    """Where a result's buffer is not aligned, the same loops run with plain stores."""
    graph = _graph(*(tensor(t, 64, 192) for t in dtypes), turned=turned)
    compilation = Compilation(graph, SMALL)
    assert "nontemporal" in compilation.llvm
    arrays = _arrays(graph)
    out = []
    for type in graph.result_types:
        size = type.nbytes + 64 + shift * type.dtype.itemsize
        memory = np.zeros(size, np.uint8)
        start = -memory.ctypes.data % 64 + shift * type.dtype.itemsize
        part = memory[start : start + type.nbytes]
        out.append(part.view(type.dtype.numpy).reshape(type.shape))
    LoadedProgram(compilation.program).call(arrays, out=out)
    for ours, wanted in zip(out, interpret(graph, arrays), strict=True):
        np.testing.assert_array_equal(ours, wanted)


def _kinds(graph: Graph, target=SMALL) -> bool:  # type: ignore[no-untyped-def]
    return "nontemporal" in Compilation(graph, target).text("loops")


def test_only_large_and_aligned_results_go_past() -> None:
    level = named_target("x86-64-v3")
    large = _graph(tensor(f32, 2048, 2048))
    assert _kinds(large, level)
    assert not _kinds(_graph(tensor(f32, 64, 64)), level)
    assert not _kinds(large, named_target("aarch64-neon"))
    b = Builder(name="rows")  # every other row begins in the middle of a line
    x = b.param(tensor(f32, 64, 200))
    part = slice_(b, x, start=(0, 0), limit=(64, 100), stride=(1, 1))
    assert not _kinds(b.graph([add(b, part, part)]), replace(level, l3_bytes=1))
