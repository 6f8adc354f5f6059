"""What follows a contraction in the same kernel; threads; other machines; the text's soundness."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from contract_kernels import Compiled, Convolution, Stage, einsum, kernel_of, scheduled_module

from lazir.compiler.kernel import Kernel
from lazir.compiler.mlir.ir import AffineMap, Module
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.mlir.verify import verify
from lazir.compiler.schedule.contract import schedule_contract
from lazir.compiler.schedule.contract_plan import make_plan
from lazir.compiler.schedule.contract_space import analyse
from lazir.compiler.target import host_target, named_target
from lazir.compiler.types import TensorType, f16, f32, f64, i8, i32, i64, index
from lazir.runtime.threads import get_num_threads, pool_counts, set_num_threads
from tests.upstream import run_mlir

COLUMNS = AffineMap.select(2, [1])
SAME = AffineMap.identity(2)
SHAPES = [
    (5, 7, 3),
    (40, 70, 30),
    (1, 90, 40),
    (3, 40, 64),
    (90, 100, 5000),
    (300, 20, 2500),
    (30, 41, 9001),
]


def bias(n: int) -> Stage:
    return Stage(lambda s, v: [s.add(*v)], [TensorType((n,), f32)], [COLUMNS])


def relu() -> Stage:
    return Stage(lambda s, v: [s.maximum(v[0], s.like(0.0, v[0]))])


def arguments(kernel: Kernel, seed: int = 1) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(t.shape).astype(t.dtype.numpy) for t in kernel.params]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("text", ["ik,kj->ij", "ki,jk->ij"])
def test_bias_and_relu(text: str, shape: tuple[int, int, int]) -> None:
    sizes = dict(zip("ijk", shape))
    kernel = kernel_of(einsum(text, sizes), bias(shape[1]), relu())
    x, y, z = arguments(kernel)
    (got,) = Compiled(kernel)(x, y, z)
    exact = np.maximum(np.einsum(text, x.astype(float), y.astype(float)) + z, 0)
    np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-5 * shape[2])


def test_a_sum_of_one_value_everywhere() -> None:
    """A residual, a row vector, a column vector and a number, and two results beside the sum."""
    i, j = 30, 45
    stages = [
        Stage(
            lambda s, v: [s.add(s.add(v[0], v[1]), s.mul(v[2], s.mul(v[3], v[4])))],
            [TensorType(t, f32) for t in ((i, j), (i,), (j,), ())],
            [SAME, AffineMap.select(2, [0]), COLUMNS, AffineMap(2, ())],
        ),
        relu(),
    ]
    kernel = kernel_of(
        einsum("ik,kj->ij", {"i": i, "j": j, "k": 20}), *stages, results=(0, 1, 2, 1)
    )
    x, y, a, b, c, d = arguments(kernel)
    total, middle, last, again = Compiled(kernel)(x, y, a, b, c, d)
    np.testing.assert_allclose(total, x @ y, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(middle, total + a + b[:, None] * c * d, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(last, np.maximum(middle, 0))
    np.testing.assert_array_equal(again, middle)


@pytest.mark.parametrize("shape", [(30, 45, 20), (1, 45, 20), (4, 9, 64)], ids=str)
def test_a_transposed_result(shape: tuple[int, int, int]) -> None:
    stage = Stage(lambda s, v: [s.mul(v[0], s.like(2.0, v[0]))], permutation=(1, 0))
    kernel = kernel_of(einsum("ik,kj->ij", dict(zip("ijk", shape))), stage)
    x, y = arguments(kernel)
    (got,) = Compiled(kernel)(x, y)
    np.testing.assert_allclose(got, 2 * (x @ y).T, rtol=1e-4, atol=1e-5)


def test_a_narrower_result() -> None:
    stage = Stage(lambda s, v: [s.resize_float(v[0], f16)], dtype=f16)
    kernel = kernel_of(einsum("ik,kj->ij", {"i": 20, "j": 37, "k": 30}, f16), stage)
    x, y = arguments(kernel)
    (got,) = Compiled(kernel)(x, y)
    exact = x.astype(float) @ y.astype(float)
    np.testing.assert_allclose(got, exact, rtol=2e-3, atol=1e-4)


def test_a_comparison_is_stored_as_bytes() -> None:
    def positive(s: Any, v: Any) -> list[Any]:
        return [s.resize(s.compare("gt", v[0], s.like(0.0, v[0])), i8, signed=False)]

    kernel = kernel_of(einsum("ik,kj->ij", {"i": 20, "j": 37, "k": 3}), Stage(positive, dtype=i8))
    x, y = arguments(kernel)
    np.testing.assert_array_equal(Compiled(kernel)(x, y)[0], (x @ y) > 0)


@pytest.mark.parametrize("text", ["bik,bkj->bij", "bik,bkj->bji"])
def test_the_point_itself(text: str) -> None:
    """A causal mask: where column > row the result is 0."""

    def causal(s: Any, v: Any) -> list[Any]:
        first, second = (s.op("linalg.index", type=index, dim=d) for d in (1, 2))
        keep = s.compare(
            "le", s.resize(second, i64, signed=True), s.resize(first, i64, signed=True)
        )
        return [s.select(keep, v[0], s.like(0.0, v[0]))]

    sizes = {"b": 3, "i": 40, "j": 45, "k": 8}
    kernel = kernel_of(einsum(text, sizes), Stage(causal))
    x, y = arguments(kernel)
    (got,) = Compiled(kernel)(x, y)
    np.testing.assert_allclose(got, np.tril(np.einsum(text, x, y)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_convolution_with_bias_per_feature(layout: str) -> None:
    c = Convolution(2, (12, 12), 4, 20, layout=layout)
    axis = 4 if layout == "NHWC" else 2
    stage = Stage(lambda s, v: [s.add(*v)], [TensorType((20,), f32)], [AffineMap.select(5, [axis])])
    kernel = kernel_of(c.parts(), stage, relu())
    x, y, z = arguments(kernel)
    (got,) = Compiled(kernel)(x, y, z)
    shaped = z if layout == "NHWC" else z[:, None, None]
    np.testing.assert_allclose(got, np.maximum(c.reference(x, y) + shaped, 0), rtol=1e-4, atol=1e-4)


# -- threads ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("ik,kj->ij", {"i": 300, "j": 256, "k": 512}),
        ("ki,jk->ij", {"i": 200, "j": 100, "k": 3000}),
        ("ki,kj->ij", {"i": 30, "j": 70, "k": 9000}),
        ("bik,bjk->bij", {"b": 20, "i": 64, "j": 40, "k": 64}),
        ("ik,kj->ij", {"i": 900, "j": 1, "k": 900}),
        ("ik,kj->ij", {"i": 1, "j": 4500, "k": 300}),
        ("ik,kj->ij", {"i": 60, "j": 130, "k": 2400}),
    ],
    ids=str,
)  # fmt: skip
def test_bits_do_not_depend_on_threads(text: str, sizes: dict[str, int]) -> None:
    kernel = kernel_of(einsum(text, sizes), relu())
    compiled, given = Compiled(kernel), arguments(kernel)
    before = get_num_threads()
    try:
        set_num_threads(1)
        (one,) = compiled(*given)
        set_num_threads(4)
        regions = pool_counts().regions
        results = [compiled(*given)[0] for _ in range(3)]
        assert pool_counts().regions > regions  # it did run in parallel
    finally:
        set_num_threads(before)
    for many in results:
        assert one.tobytes() == many.tobytes()


# -- machines and text -----------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["x86-64-v2", "x86-64-v3", "x86-64-v4"])
@pytest.mark.parametrize("text", ["ik,kj->ij", "ki,jk->ij"])
def test_other_widths_of_vectors(name: str, text: str) -> None:
    target = named_target(name)
    if not set(target.feature_set) <= set(host_target().feature_set) | {"evex512", "sahf", "mmx"}:
        pytest.skip(f"this processor does not run {name}")
    for shape in ((30, 45, 20), (4, 9, 70), (90, 50, 1)):
        kernel = kernel_of(
            einsum(text, dict(zip("ijk", shape)), fused=target.fma), bias(shape[1]), relu()
        )
        x, y, z = arguments(kernel)
        (got,) = Compiled(kernel, target)(x, y, z)
        exact = np.maximum(np.einsum(text, x.astype(float), y.astype(float)) + z, 0)
        np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-4)


def text_of(kernel: Kernel, target: str = "x86-64-v4") -> str:
    return print_module(scheduled_module(kernel, named_target(target))[0])


@pytest.mark.parametrize(
    "target", ["x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64-neon", "wasm32"]
)
def test_the_text_is_sound_and_always_the_same(target: str) -> None:
    for text, shape in (
        ("ik,kj->ij", (70, 90, 80)),
        ("ki,jk->ij", (20, 9, 3000)),
        ("ki,kj->ij", (20, 40, 9000)),
        ("ik,jk->ij", (2, 60, 99)),
    ):
        kernel = kernel_of(einsum(text, dict(zip("ijk", shape))), bias(shape[1]))
        module = scheduled_module(kernel, named_target(target))[0]
        verify(module)
        printed = print_module(module)
        assert printed == text_of(kernel, target)
        assert print_module(parse_module(printed)) == printed


def test_plans_follow_shapes() -> None:
    """What the figures in the plan's comments say of 1024³ on a machine with 512-bit vectors."""
    kernel = kernel_of(einsum("ik,kj->ij", dict.fromkeys("ijk", 1024)))
    plan = make_plan(analyse(kernel, 64), named_target("x86-64-v4"))
    assert (plan.rows.pieces, plan.rows.sizes, plan.columns.width) == (74, (14, 13), 32)
    assert (plan.copy_lhs, plan.copy_rhs, plan.depth.count) == ("rows", "shared", 1)
    assert 64 <= plan.grid.count <= 200


def test_few_tiles_share_out_their_sum() -> None:
    kernel = kernel_of(einsum("ki,kj->ij", {"i": 60, "j": 70, "k": 40000}))
    plan = make_plan(analyse(kernel, 64), named_target("x86-64-v4"))
    assert (plan.grid.rows, plan.grid.columns) == (1, 1)
    assert 16 <= plan.grid.depth <= plan.depth.count


def test_lanes_are_where_they_are_full() -> None:
    """Over the features of a gradient of weights, though its result is dense along the window."""
    for layout in ("NHWC", "NCHW"):
        kernel = kernel_of(Convolution(8, (30, 30), 16, 64, layout=layout).weight_gradient())
        plan = make_plan(analyse(kernel, 64), named_target("x86-64-v4"))
        assert plan.columns.dim.size == 64


def test_what_is_no_contraction_is_refused() -> None:
    kernel = kernel_of(einsum("ik,kj->ij", {"i": 3, "j": 4, "k": 5}), relu())
    shifted = replace(kernel.generics[1].reads[0], map=AffineMap(2, (((1, 0), 0), ((0, 1), 1))))
    wrong = replace(kernel.generics[1], reads=(shifted,))
    with pytest.raises(ValueError, match="identical point"):
        schedule_contract(
            replace(kernel, generics=(kernel.generics[0], wrong)), named_target("x86-64-v4"),
            Module(), "k",
        )  # fmt: skip
    with pytest.raises(ValueError, match="adds a product"):
        schedule_contract(
            replace(kernel, generics=(kernel.generics[1],)),
            named_target("x86-64-v4"),
            Module(),
            "k",
        )


def test_integers_and_doubles_take_stages_too() -> None:
    stage = Stage(lambda s, v: [s.maximum(v[0], s.like(0, v[0]))])
    for dtype in (i32, f64):
        kernel = kernel_of(einsum("ik,kj->ij", {"i": 9, "j": 21, "k": 12}, dtype), stage)
        rng = np.random.default_rng(2)
        x, y = (rng.integers(-9, 9, t.shape).astype(dtype.numpy) for t in kernel.params)
        np.testing.assert_array_equal(Compiled(kernel)(x, y)[0], np.maximum(x @ y, 0))


@pytest.mark.parametrize("text", ["ik,kj->ij", "ki,jk->ij"])
@pytest.mark.parametrize("shape", [(20, 37, 18), (3, 20, 40), (20, 37, 9000)], ids=str)
def test_upstream_runs_the_text_to_the_same_bits(text: str, shape: tuple[int, int, int]) -> None:
    kernel = kernel_of(einsum(text, dict(zip("ijk", shape))), bias(shape[1]))
    target = named_target("x86-64-v3")
    module, workspace = scheduled_module(kernel, target)
    given = arguments(kernel)
    out = np.zeros((shape[0], shape[1]), np.float32)
    room = [np.zeros(workspace, np.int8)] if workspace else []
    after = run_mlir(print_module(module), "loops", "main", [*given, out, *room])
    np.testing.assert_array_equal(after[len(given)], Compiled(kernel, target)(*given)[0])
