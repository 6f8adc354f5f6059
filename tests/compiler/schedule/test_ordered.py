"""Running values and sorts: their schedules against the interpreter, threads, what fuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lazir.compiler.ops  # noqa: F401  (fills the table)
from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import bf16_bits, bf16_values
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import Target, host_target
from lazir.compiler.types import DType, TensorType, bf16, f16, f32, f64, i8, i32, i64, ui8
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.threads import get_num_threads, pool_counts, set_num_threads

Array = np.ndarray[Any, Any]
TOLERANCE = {"bf16": 2e-2, "f16": 4e-3, "f32": 1e-5, "f64": 1e-13}


@pytest.fixture
def threads() -> Iterator[None]:
    """Tests may change the number of threads."""
    before = get_num_threads()
    yield
    set_num_threads(before)


def graph_of(types: list[TensorType], build: Callable[..., Any]) -> Graph:
    b = Builder(name="ordered")
    made = build(b, *(b.param(t, f"x{k}") for k, t in enumerate(types)))
    return b.graph([made] if isinstance(made, Value) else list(made))


def drawn(type: TensorType, seed: int = 0) -> Array:
    rng = np.random.default_rng([seed, *type.shape])
    values = np.asarray(rng.normal(size=type.shape) * 2)
    if type.dtype is bf16:
        return bf16_bits(values.astype(np.float32))
    whole = (
        values if type.dtype.is_float else np.round(values * 3 + (20 if type.dtype is ui8 else 0))
    )
    return whole.astype(type.dtype.numpy)


def run(graph: Graph, arrays: list[Array], target: Target | None = None) -> list[Array]:
    return LoadedProgram(Compilation(graph, target or host_target()).program).call(arrays)


def check(graph: Graph, arrays: list[Array], target: Target | None = None) -> None:
    """Floats near, all else equal."""
    for got, wanted, type in zip(
        run(graph, arrays, target), interpret(graph, arrays), graph.result_types, strict=True
    ):
        if not type.dtype.is_float:
            np.testing.assert_array_equal(got, wanted)
            continue
        x, y = (
            bf16_values(a) if type.dtype is bf16 else a.astype(np.float64) for a in (got, wanted)
        )
        scale = float(np.max(np.abs(y[np.isfinite(y)]), initial=1.0))
        bound = TOLERANCE[type.dtype.name]
        np.testing.assert_allclose(x, y, rtol=bound, atol=bound * scale)


def kinds(graph: Graph) -> list[str]:
    kernels = Compilation(graph, host_target()).kernels
    return [n.attrs["kernel"].kind for n in kernels.nodes if n.op == "kernel"]


# -- running values ----------------------------------------------------------------------
SHAPES = [(7,), (16,), (33,), (100,), (5, 3), (3, 37), (40, 1), (2, 5, 6), (3, 17, 70)]


@pytest.mark.parametrize("dtype", [bf16, f32, f64, i8], ids=str)
@pytest.mark.parametrize("reverse", [False, True])
def test_shapes_and_axes(dtype: DType, reverse: bool) -> None:
    """Along and across the contiguous axis, whole vectors and tails, all shapes in one program."""
    types = [TensorType(s, dtype) for s in SHAPES]

    def build(b: Builder, *xs: Value) -> list[Value]:
        names = ("cumsum", "cummax", "cummin")
        return [
            OPS[names[k % 3]](b, x, axis=axis, reverse=reverse)
            for k, x in enumerate(xs)
            for axis in range(len(x.shape))
        ]

    graph = graph_of(types, build)
    assert set(kinds(graph)) == {"cumulate"}
    check(graph, [drawn(t) for t in types])


def test_narrow_vectors_and_none() -> None:
    types = [TensorType((3, 37), f32), TensorType((37, 5), f32)]
    for bits in (32, 128):
        target = replace(host_target(), vector_bits=bits)
        for axis in (0, 1):
            graph = graph_of(
                types,
                lambda b, *xs, axis=axis: [
                    OPS["cumsum"](b, x, axis=axis, reverse=True) for x in xs
                ],
            )
            check(graph, [drawn(t) for t in types], target)


def test_what_is_mapped_around_it_is_one_kernel() -> None:
    """Elements made on the way, two sums of which one runs over the other, results mapped."""
    for shape, axis in (((6, 20), 0), ((6, 20), 1)):
        type = TensorType(shape, f32)

        def build(b: Builder, x: Value, axis: int = axis) -> list[Value]:
            e = OPS["exp"](b, OPS["neg"](b, x))
            once = OPS["cumsum"](b, e, axis=axis, reverse=False)
            twice = OPS["cumsum"](b, once, axis=axis, reverse=False)
            other = OPS["cumsum"](b, OPS["mul"](b, x, x), axis=axis, reverse=False)
            return [OPS["add"](b, OPS["mul"](b, twice, x), other), once]

        graph = graph_of([type], build)
        assert kinds(graph) == ["cumulate"]
        check(graph, [drawn(type)])


def test_opposite_ways_and_other_axes_are_kernels_of_their_own() -> None:
    type = TensorType((6, 20), f32)

    def build(b: Builder, x: Value) -> Value:
        down = OPS["cumsum"](b, x, axis=0, reverse=False)
        up = OPS["cumsum"](b, down, axis=0, reverse=True)
        return OPS["cumsum"](b, up, axis=1, reverse=False)

    graph = graph_of([type], build)
    assert kinds(graph) == ["cumulate"] * 3
    check(graph, [drawn(type)])


def test_after_a_product_and_before_a_sum() -> None:
    """Reductions, products and views meet it, each in a kernel of its own."""
    types = [TensorType((9, 12), f32), TensorType((12, 10), f32)]

    def build(b: Builder, x: Value, y: Value) -> list[Value]:
        axes = {"lhs_contracting": (1,), "rhs_contracting": (0,), "lhs_batch": (), "rhs_batch": ()}
        product = OPS["dot_general"](b, x, y, **axes)
        sums = OPS["cumsum"](b, product, axis=1, reverse=False)
        turned = OPS["transpose"](b, sums, permutation=(1, 0))
        return [sums, OPS["cummax"](b, turned, axis=1, reverse=True),
                OPS["reduce_sum"](b, sums, axes=(1,))]  # fmt: skip

    check(graph_of(types, build), [drawn(t) for t in types])


def test_integers_wrap() -> None:
    x = np.full(300, 100, np.int8)
    graph = graph_of(
        [TensorType((300,), i8)], lambda b, x: OPS["cumsum"](b, x, axis=0, reverse=False)
    )
    np.testing.assert_array_equal(run(graph, [x])[0], np.cumsum(x, dtype=np.int8))


@pytest.mark.parametrize("reverse", [False, True])
def test_long_lines_in_blocks(threads: None, reverse: bool) -> None:
    """A last block that is not full, elements made on the way, the same bits for any threads."""
    types = [TensorType((300001,), f32), TensorType((2, 270000), i32), TensorType((262144,), bf16)]

    def build(b: Builder, *xs: Value) -> list[Value]:
        made = [OPS["neg"](b, x) for x in xs]
        sums = [OPS["cumsum"](b, x, axis=len(x.shape) - 1, reverse=reverse) for x in made]
        return [*sums, OPS["mul"](b, sums[0], made[0])]

    graph = graph_of(types, build)
    arrays = [drawn(t) for t in types]
    found = []
    for count in (1, 2, 5):
        set_num_threads(count)
        before = pool_counts()
        found.append([a.tobytes() for a in run(graph, arrays)])
        assert count == 1 or pool_counts() != before
    assert found[0] == found[1] == found[2]
    check(graph, arrays)


# -- sorts -------------------------------------------------------------------------------
def order(keys: list[Array], axis: int) -> Array:
    return np.lexsort(tuple(reversed(keys)), axis=axis)


@pytest.mark.parametrize("dtype", [bf16, f16, f32, f64, i8, ui8, i64], ids=str)
def test_sorts_of_every_length(dtype: DType) -> None:
    """Lengths around those of runs and of their merges; many equals; NaN and both zeros."""
    types = [TensorType((3, n), dtype) for n in (1, 2, 7, 8, 9, 16, 17, 31, 33, 47, 64, 130)]
    arrays = [drawn(t) for t in types]
    for array in arrays:
        flat = array.reshape(-1)
        if dtype.is_float:
            some = [np.nan, -0.0, 0.0, -np.inf]
            flat[::5] = np.resize(bf16_bits(np.array(some, np.float32)) if dtype is bf16 else some,
                                  flat[::5].shape)  # fmt: skip

    def build(b: Builder, *xs: Value) -> list[Value]:
        made: list[Value] = []
        for x in xs:
            places = OPS["iota"](b, shape=x.shape, axis=1, dtype=i32)
            made += OPS["sort"].many(b, x, places, axis=1, num_keys=1)
        return made

    graph = graph_of(types, build)
    found = run(graph, arrays)
    for k, array in enumerate(arrays):
        keys = bf16_values(array) if dtype is bf16 else array
        places = order([keys], 1)
        np.testing.assert_array_equal(found[2 * k + 1], places)
        assert found[2 * k].tobytes() == np.take_along_axis(array, places, 1).tobytes()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_several_keys_along_every_axis(axis: int) -> None:
    shape = (21, 5, 19)
    types = [TensorType(shape, d) for d in (i8, f32, f64)]
    arrays = [drawn(types[0]) // 4, np.round(drawn(types[1])), drawn(types[2])]
    graph = graph_of(types, lambda b, *xs: OPS["sort"].many(b, *xs, axis=axis, num_keys=2))
    assert kinds(graph) == ["sort"]
    places = order(arrays[:2], axis)
    for got, array in zip(run(graph, arrays), arrays, strict=True):
        np.testing.assert_array_equal(got, np.take_along_axis(array, places, axis))


def test_sorts_on_several_threads(threads: None) -> None:
    """Small rows on the stack, large ones in the workspace, along strided axes too."""
    target = replace(host_target(), parallel_work=64.0)
    for shape, axis in (((64, 50), 1), ((50, 64), 0), ((4, 20000), 1), ((9000, 4), 0)):
        type = TensorType(shape, f64)

        def build(b: Builder, x: Value, axis: int = axis) -> tuple[Value, ...]:
            places = OPS["iota"](b, shape=x.shape, axis=axis, dtype=i64)
            return OPS["sort"].many(b, x, places, axis=axis, num_keys=1)

        graph = graph_of([type], build)
        x = drawn(type)
        program = LoadedProgram(Compilation(graph, target).program)
        found = []
        for count in (1, 2, 4):
            set_num_threads(count)
            found.append([a.tobytes() for a in program.call([x])])
        assert found[0] == found[1] == found[2]
        places = np.argsort(x, axis=axis, kind="stable")
        np.testing.assert_array_equal(program.call([x])[1], places)


def test_a_sort_of_nothing() -> None:
    types = [TensorType((0, 3), f32), TensorType((3, 0), f32)]
    graph = graph_of(types, lambda b, *xs: [OPS["sort"](b, x, axis=0, num_keys=1) for x in xs])
    assert [a.shape for a in run(graph, [drawn(t) for t in types])] == [(0, 3), (3, 0)]
