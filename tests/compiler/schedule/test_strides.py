"""Reads of small strides, short last axes: loads and shuffles, no gathers, nothing read beyond."""

from __future__ import annotations

import ctypes
import mmap
import sys

import numpy as np
import pytest

from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.interpret import interpret
from lazir.compiler.ops.arithmetic import add, mul
from lazir.compiler.ops.movement import broadcast, reshape, reverse, slice_, transpose
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target, named_target
from lazir.compiler.types import DType, f16, f32, f64, i1, i8, tensor
from lazir.runtime.execute import LoadedProgram


def _fenced(array: np.ndarray, at_end: bool) -> np.ndarray:
    """A copy between two pages that cannot be read, at either end of what lies between them."""
    if not sys.platform.startswith("linux"):
        return array
    page = mmap.PAGESIZE
    room = -(-max(array.nbytes, 1) // page) * page
    memory = mmap.mmap(-1, room + 2 * page)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for fence in (base, base + page + room):
        assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(fence), page, 0) == 0
    start = page + (room - array.nbytes if at_end else 0)
    flat = np.frombuffer(memory, array.dtype, array.size, start)
    flat[...] = array.reshape(-1)
    return flat.reshape(array.shape)


def _check(graph: Graph) -> str:
    """Compiled against interpreted, arrays at the ends of their memory; gives the loops."""
    rng = np.random.default_rng(11)
    arrays = [
        rng.integers(0, 2 if t.dtype is i1 else 90, t.shape).astype(t.dtype.numpy)
        for t in graph.param_types
    ]
    compilation = Compilation(graph, host_target())
    program = LoadedProgram(compilation.program)
    for at_end in (False, True):
        got = program.call([_fenced(a, at_end) for a in arrays])
        for ours, wanted in zip(got, interpret(graph, arrays), strict=True):
            np.testing.assert_array_equal(ours, wanted)
    return compilation.text("loops")


def _every(b: Builder, x: Value, start: int, step: int) -> Value:
    """x[start::step] for a step of either sign."""
    n = x.shape[0]
    if step > 0:
        return slice_(b, x, start=(start,), limit=(n,), stride=(step,))
    back = slice_(b, reverse(b, x, axes=(0,)), start=(n - 1 - start,), limit=(n,), stride=(-step,))
    return back


@pytest.mark.parametrize("dtype", [i1, i8, f16, f32, f64], ids=str)
@pytest.mark.parametrize("step", [2, 3, 4, 7, 9, -1, -2, -3])
def test_every_so_many_elements(dtype: DType, step: int) -> None:
    for n in (30, 97, 1024):
        for offset in (0, 1, abs(step) - 1):
            b = Builder(name="strided")
            x = b.param(tensor(dtype, n))
            start = offset if step > 0 else n - 1 - offset
            _check(b.graph([_every(b, x, start, step)]))


@pytest.mark.parametrize("colours", [2, 3, 4, 6])
def test_parts_of_a_pixel_share_loads(colours: int) -> None:
    b = Builder(name="grey")
    x = b.param(tensor(f32, 4, 64, colours))
    parts = [
        reshape(
            b,
            slice_(b, x, start=(0, 0, k), limit=(4, 64, k + 1), stride=(1, 1, 1)),
            shape=(4, 64),
        )
        for k in range(colours)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = add(b, mul(b, total, part), part)
    text = _check(b.graph([total]))
    assert "vector.gather" not in text
    assert text.count("vector.load") == colours


@pytest.mark.parametrize("dtype", [i8, f32, f64], ids=str)
@pytest.mark.parametrize("width", [2, 3, 4, 5])
@pytest.mark.parametrize("n", [1, 9, 64, 100])
def test_short_last_axes(dtype: DType, width: int, n: int) -> None:
    b = Builder(name="woven")
    x, y, w = (b.param(tensor(dtype, *shape)) for shape in ((width, n), (n, width), (width,)))
    turned = transpose(b, x, permutation=(1, 0))
    wide = broadcast(b, w, shape=(n, width), axes=(1,))
    text = _check(b.graph([add(b, turned, y), mul(b, y, wide)]))
    if n == 64 and width <= 3:
        assert "vector.gather" not in text and "vector.scatter" not in text


def test_no_gather_on_any_level_of_x86() -> None:
    b = Builder(name="halves")
    x = b.param(tensor(f32, 4096))
    graph = b.graph([add(b, _every(b, x, 0, 2), _every(b, x, 1, 2)), _every(b, x, 4095, -1)])
    for level in ("x86-64-v2", "x86-64-v3", "x86-64-v4"):
        assert "gather" not in Compilation(graph, named_target(level)).llvm
