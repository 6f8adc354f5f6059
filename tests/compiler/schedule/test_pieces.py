"""Maps cut at the bounds that their bodies ask for: same values, and no gather left inside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.interpret import interpret
from lazir.compiler.ops.arithmetic import add, mul
from lazir.compiler.ops.movement import concat, pad, reshape, reverse, slice_
from lazir.compiler.ops.random import ROUNDS, philox
from lazir.compiler.ops.source import constant
from lazir.compiler.pipeline import Compilation
from lazir.compiler.schedule.pieces import pieces
from lazir.compiler.target import host_target
from lazir.compiler.types import DType, TensorType, c64, c128, f32, f64, i1, i32, tensor, ui64
from lazir.runtime.execute import LoadedProgram

Build = Callable[..., Value]


def _roll(b: Builder, x: Value) -> Value:
    n = x.shape[1]
    tail = slice_(b, x, start=(0, n - 7), limit=(64, n), stride=(1, 1))
    head = slice_(b, x, start=(0, 0), limit=(64, n - 7), stride=(1, 1))
    return concat(b, tail, head, axis=1)


def _padded(low: int, high: int, gap: int) -> Build:
    def build(b: Builder, x: Value) -> Value:
        fill = constant(b, 1, x.type.dtype)
        return pad(b, x, fill, low=(2, low), high=(1, high), interior=(0, gap))

    return build


def _shifted(b: Builder, x: Value, by: tuple[int, int]) -> Value:
    """x[1, rows, columns] rolled along both axes."""
    for axis, shift in enumerate(by, 1):
        n, at = x.shape[axis], -shift % x.shape[axis]
        parts = []
        for start, stop in ((at, n), (0, at)):
            low, high = [0, 0, 0], list(x.shape)
            low[axis], high[axis] = start, stop
            parts.append(slice_(b, x, start=tuple(low), limit=tuple(high), stride=(1, 1, 1)))
        x = concat(b, *parts, axis=axis)
    return x


def _stack_of_rolls(b: Builder, x: Value) -> Value:
    """Each its own way: more places to cut at than pieces may be cut at once."""
    y = reshape(b, x, shape=(1, *x.shape))
    return concat(b, *(_shifted(b, y, by) for by in ((1, 1), (-1, 2), (2, -1), (-2, -3))), axis=0)


CASES: dict[str, tuple[Build, Callable[[int], tuple[TensorType, ...]], int]] = {
    "concat": (
        lambda b, x, y: concat(b, x, y, axis=1),
        lambda n: (tensor(f32, 64, n), tensor(f32, 64, 40)),
        2,
    ),
    "concat of three along rows": (
        lambda b, x, y, z: concat(b, x, y, z, axis=0),
        lambda n: (tensor(f32, 30, n), tensor(f32, 64, n), tensor(f32, 1, n)),
        3,
    ),
    "pad": (_padded(3, 5, 0), lambda n: (tensor(f32, 64, n),), 3),
    "pad by one": (_padded(1, 1, 0), lambda n: (tensor(f64, 64, n),), 3),
    "pad of bools": (_padded(3, 0, 0), lambda n: (tensor(i1, 64, n),), 2),
    "pad with gaps": (_padded(3, 5, 2), lambda n: (tensor(f32, 64, n),), 1),
    "stack of rolls": (_stack_of_rolls, lambda n: (tensor(f64, 64, n),), 13),
    "roll": (_roll, lambda n: (tensor(f64, 64, n),), 2),
    "reversed concat": (
        lambda b, x, y: reverse(b, concat(b, x, y, axis=1), axes=(0, 1)),
        lambda n: (tensor(f32, 64, n), tensor(f32, 64, 40)),
        2,
    ),
    "concat in arithmetic": (
        lambda b, x, y, z: add(b, mul(b, concat(b, x, y, axis=1), z), z),
        lambda n: (tensor(i32, 64, n), tensor(i32, 64, 40), tensor(i32, 64, n + 40)),
        2,
    ),
}


def _graph(build: Build, types: tuple[TensorType, ...]) -> Graph:
    b = Builder(name="cut")
    params = [b.param(t) for t in types]
    return b.graph([build(b, *params)])


@pytest.mark.parametrize("n", [33, 64, 70])
@pytest.mark.parametrize("name", CASES)
def test_cut_maps_give_the_same_values(name: str, n: int) -> None:
    build, types, wanted = CASES[name]
    graph = _graph(build, types(n))
    rng = np.random.default_rng(n)
    arrays = [
        rng.integers(0, 2 if t.dtype is i1 else 90, t.shape).astype(t.dtype.numpy) for t in types(n)
    ]
    compilation = Compilation(graph, host_target())
    (got,) = LoadedProgram(compilation.program).call(arrays)
    np.testing.assert_array_equal(got, interpret(graph, arrays)[0])
    (kernel,) = (node.attrs["kernel"] for node in compilation.kernels.nodes)
    parts = pieces(kernel.generics[0])
    # padding with gaps divides: it is cut, but its middle piece still reads at computed places
    inside = [node.op for part in parts for node in part.body.nodes]
    if name != "pad with gaps":
        assert len(parts) >= wanted
        left = ("pad", "pad by one", "pad of bools", "stack of rolls")
        assert "tensor.extract" not in inside or name in left
    if name == "stack of rolls":  # thin edges stay as they are, all else is copied
        plain = sum(np.prod(part.dims) for part in parts if not part.body.nodes)
        assert plain > 0.75 * graph.result_types[0].size
    assert sum(np.prod(part.dims) for part in parts) == graph.result_types[0].size


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("shape", [(4096,), (5003,), (3, 2050)])
def test_parts_of_a_row_share_the_blocks_of_random_bits(shape: tuple[int, ...], bits: int) -> None:
    b = Builder(name="noise")
    key = b.param(TensorType((), ui64))
    graph = b.graph([philox(b, key, shape=shape, bits=bits)])
    compilation = Compilation(graph, host_target())
    keys = [np.asarray(12345, np.uint64)]
    (got,) = LoadedProgram(compilation.program).call(keys)
    np.testing.assert_array_equal(got, interpret(graph, keys)[0])
    (kernel,) = (node.attrs["kernel"] for node in compilation.kernels.nodes)
    joined, *tail = pieces(kernel.generics[0])
    words = 128 // bits
    assert len(joined.outs) == words and joined.dims[-1] == shape[-1] // words
    assert len(tail) == (shape[-1] % words > 0)
    # one cipher for all words: two products a round
    assert sum(node.op == "arith.muli" for node in joined.body.nodes) <= 2 * ROUNDS + 1


@pytest.mark.parametrize("dtype", [c64, c128])
@pytest.mark.parametrize("shape", [(16,), (33,), (5, 41), (70000,)])
def test_parts_of_complex_numbers_are_computed_together(
    dtype: DType, shape: tuple[int, ...]
) -> None:
    """Vectors of real and of imaginary parts, which alternate in memory; a rest is masked."""
    b = Builder(name="parts")
    z, w = b.param(TensorType(shape, dtype)), b.param(TensorType(shape, dtype))
    graph = b.graph([mul(b, z, w), add(b, z, w)])
    compilation = Compilation(graph, host_target())
    text = compilation.text("loops")
    if np.prod(shape) >= 32:
        assert text.count("vector.shuffle") >= 8
        assert "memref.load" not in text and "memref.store" not in text
    rng = np.random.default_rng(3)
    arrays = [(rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype.numpy)
              for _ in range(2)]  # fmt: skip
    got = LoadedProgram(compilation.program).call(arrays)
    for mine, wanted in zip(got, interpret(graph, arrays), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-5 if dtype is c64 else 1e-14)
