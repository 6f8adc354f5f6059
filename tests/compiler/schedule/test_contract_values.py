"""Contractions against sums in float64: shapes, layouts, element types, exact ends of buffers.

The bound is that of a sum of n rounded products in any order: n · eps · Σ|x·y| (Higham, "Accuracy
and Stability of Numerical Algorithms", 2002, section 3.1).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from contract_kernels import (
    Array,
    Compiled,
    Convolution,
    Guarded,
    contraction,
    einsum,
    kernel_of,
)

from lazir.compiler.kernel import Kernel
from lazir.compiler.mlir.ir import AffineMap, Dense
from lazir.compiler.schedule.contract_plan import make_plan
from lazir.compiler.schedule.contract_space import analyse
from lazir.compiler.target import Target, host_target
from lazir.compiler.types import DType, TensorType, bf16, f16, f32, f64, i8, i16, i32, i64

EPSILON = {"f32": 2.0**-23, "f64": 2.0**-52}


def operands(kernel: Kernel, seed: int = 0) -> list[Array]:
    """Random arguments; bf16 as bits."""
    rng = np.random.default_rng(seed)
    out = []
    for t in kernel.params:
        if t.dtype.is_integer:
            info = np.iinfo(t.dtype.numpy)
            out.append(rng.integers(info.min, info.max, t.shape, t.dtype.numpy, endpoint=True))
        elif t.dtype is bf16:
            bits = rng.standard_normal(t.shape).astype(np.float32).view(np.uint32) >> 16
            out.append(bits.astype(np.uint16))
        else:
            out.append(rng.standard_normal(t.shape).astype(t.dtype.numpy))
    return out


def numbers(array: Array, dtype: DType) -> Array:
    """As float64, or as they are for integers."""
    if dtype is bf16:
        return (array.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return array.astype(np.float64) if dtype.is_float else array


def run_guarded(compiled: Compiled, arrays: list[Array], *, at_end: bool) -> Array:
    """The result, with every buffer against memory that nobody may touch."""
    ins = [Guarded(a, at_end=at_end) for a in arrays]
    (type,) = compiled.kernel.result_types
    out = Guarded(np.full(type.shape, 0, type.dtype.numpy), at_end=at_end)
    compiled.into([g.address for g in ins], [out.address])
    return out.read()


def check_einsum(
    text: str, sizes: dict[str, int], dtype: DType = f32, total: DType | None = None, *,
    fused: bool = True, target: Target | None = None,
) -> None:  # fmt: skip
    kernel = kernel_of(einsum(text, sizes, dtype, total, fused=fused))
    arrays = operands(kernel)
    values = [numbers(a, dtype) for a in arrays]
    out = kernel.result_types[0].dtype
    compiled = Compiled(kernel, target)
    for at_end in (True, False):
        got = run_guarded(compiled, arrays, at_end=at_end)
        if dtype.is_integer:
            wide = [v.astype(out.numpy) for v in values]
            np.testing.assert_array_equal(got, np.einsum(text, *wide))
            continue
        exact = np.einsum(text, *values)
        count = 2 + int(np.prod([n for k, n in sizes.items() if k not in text.split("->")[1]]))
        bound = count * EPSILON[out.name] * np.einsum(text, *map(np.abs, values))
        assert np.all(np.abs(got - exact) <= bound), (text, sizes)


SHAPES = [
    (1, 1, 1), (8, 8, 8), (1, 33, 7), (5, 1, 70), (2, 3, 100), (17, 33, 5), (14, 32, 64),
    (15, 31, 65), (29, 100, 33), (64, 10, 40), (3, 200, 130), (130, 70, 90),
]  # fmt: skip
TEXTS = ["ik,kj->ij", "ki,kj->ij", "ik,jk->ij", "ki,jk->ij", "ik,kj->ji", "ik,jk->ji"]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("text", TEXTS)
def test_matrix_products(text: str, shape: tuple[int, int, int]) -> None:
    check_einsum(text, dict(zip("ijk", shape)))


@pytest.mark.parametrize(
    "sizes", [(300, 260, 300), (64, 512, 2100), (1, 2500, 300), (40, 50, 9001)], ids=str
)
@pytest.mark.parametrize("text", ["ik,kj->ij", "ki,jk->ij"])
def test_products_in_blocks_and_chunks(text: str, sizes: tuple[int, int, int]) -> None:
    check_einsum(text, dict(zip("ijk", sizes)))


@pytest.mark.parametrize("dtype", [f32, f64, bf16], ids=str)
@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("ik,kj->ij", {"i": 50, "j": 75, "k": 1100}),
        ("ik,jk->ij", {"i": 50, "j": 75, "k": 1101}),
        ("bki,bkj->bij", {"b": 2, "i": 50, "j": 71, "k": 530}),
        ("ikl,lkj->ij", {"i": 45, "j": 70, "k": 40, "l": 30}),
        ("ki,kj->ij", {"i": 50, "j": 70, "k": 9000}),
    ],
    ids=str,
)
def test_panels_copied_block_by_block(text: str, sizes: dict[str, int], dtype: DType) -> None:
    """As where rhs is larger than the second cache, which is small here."""
    target = replace(host_target(), l2_bytes=16 << 10)
    kernel = kernel_of(einsum(text, sizes, dtype))
    plan = make_plan(analyse(kernel, target.vector_bits // 8), target)
    assert plan.copy_rhs == "block"
    assert plan.depth.count > 1
    check_einsum(text, sizes, dtype, target=target)


@pytest.mark.parametrize("sizes", [(64, 256, 512), (1024, 140, 40), (40, 140, 1024)], ids=str)
@pytest.mark.parametrize("text", ["ik,kj->ij", "ki,kj->ij", "ik,jk->ij", "ki,jk->ij"])
def test_pitches_that_are_powers_of_two(text: str, sizes: tuple[int, int, int]) -> None:
    check_einsum(text, dict(zip("ijk", sizes)))


@pytest.mark.parametrize("zero", ["i", "j", "k"])
@pytest.mark.parametrize("text", TEXTS[:2])
def test_empty_dims(text: str, zero: str) -> None:
    check_einsum(text, {**dict.fromkeys("ijk", 20), zero: 0})


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("bik,bkj->bij", {"b": 3, "i": 5, "j": 7, "k": 9}),
        ("bik,bjk->bij", {"b": 4, "i": 30, "j": 40, "k": 50}),
        ("bik,bjk->bij", {"b": 40, "i": 32, "j": 64, "k": 36}),
        ("bik,kj->bij", {"b": 4, "i": 9, "j": 33, "k": 20}),
        ("ik,bkj->bij", {"b": 4, "i": 9, "j": 33, "k": 20}),
        ("ihk,jhk->hij", {"h": 4, "i": 20, "j": 18, "k": 16}),
        ("hij,jhk->ihk", {"h": 4, "i": 20, "j": 18, "k": 16}),
        ("ikb,kjb->ijb", {"b": 20, "i": 5, "j": 3, "k": 4}),
        ("ikb,kb->ib", {"b": 70, "i": 5, "k": 4}),
        ("bk,bk->b", {"b": 30, "k": 50}),
        ("bk,ikb->ib", {"b": 70, "i": 30, "k": 4}),
        ("kib,bjk->ijb", {"b": 17, "i": 3, "j": 4, "k": 6}),
        ("iklm,mlkj->ij", {"i": 20, "j": 40, "k": 3, "l": 4, "m": 5}),
        ("ijk,lmk->ijlm", {"i": 3, "j": 7, "l": 5, "m": 9, "k": 20}),
        ("ijk,lmk->iljm", {"i": 3, "j": 7, "l": 5, "m": 9, "k": 20}),
        ("ki,kj->ij", {"i": 20, "j": 30, "k": 1}),
        ("ij,ij->", {"i": 20, "j": 37}),
        ("ij,ji->", {"i": 20, "j": 37}),
        (",->", {}),
        ("i,->i", {"i": 37}),
    ],
    ids=str,
)
def test_any_axes(text: str, sizes: dict[str, int]) -> None:
    check_einsum(text, sizes)


@pytest.mark.parametrize("shape", [(100, 90, 80), (4, 40, 70)], ids=str)
@pytest.mark.parametrize("text", ["ik,kj->ij", "ik,jk->ij"])
@pytest.mark.parametrize(
    ("dtype", "total"),
    [
        (f64, f64),
        (f16, f32),
        (bf16, f32),
        (f32, f64),
        (i32, i32),
        (i64, i64),
        (i8, i32),
        (i16, i64),
    ],
    ids=str,
)
def test_element_types(dtype: DType, total: DType, text: str, shape: tuple[int, int, int]) -> None:
    check_einsum(text, dict(zip("ijk", shape)), dtype, total)


@pytest.mark.parametrize("dtype", [f64, bf16, i32, i8], ids=str)
def test_long_sums_in_parts(dtype: DType) -> None:
    total = {bf16: f32, i8: i32}.get(dtype, dtype)
    check_einsum("ki,kj->ij", {"i": 30, "j": 44, "k": 7000}, dtype, total)


@pytest.mark.parametrize("shape", [(20, 40, 30), (3, 20, 40)], ids=str)
def test_shifted_and_reversed_reads(shape: tuple[int, int, int]) -> None:
    """lhs is a window of a larger array, rhs runs backwards along the sum."""
    i, j, k = shape
    maps = [
        AffineMap(3, (((1, 0, 0), 2), ((0, 0, 1), 3))),
        AffineMap(3, (((0, 0, -1), k - 1), ((0, 1, 0), 1))),
        AffineMap.select(3, [0, 1]),
    ]
    kernel = kernel_of(contraction(shape, "ppr", maps, [(i + 4, k + 5), (k, j + 2), (i, j)]))
    x, y = operands(kernel)
    exact = x[2 : 2 + i, 3 : 3 + k].astype(float) @ y[::-1, 1 : 1 + j]
    compiled = Compiled(kernel)
    for at_end in (True, False):
        got = run_guarded(compiled, [x, y], at_end=at_end)
        np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("text", ["ik,kj->ij", "ik,jk->ij"])
@pytest.mark.parametrize(
    "shape", [(20, 40, 30), (2, 9, 70), (300, 70, 5000), (30, 40, 9000)], ids=str
)
def test_a_sum_that_starts_from_a_number(text: str, shape: tuple[int, int, int]) -> None:
    params, g = einsum(text, dict(zip("ijk", shape)))
    two = Dense(TensorType((), f32), np.asarray(2, np.float32))
    kernel = kernel_of((params, replace(g, outs=(replace(g.outs[0], init=two),))))
    x, y = operands(kernel)
    exact = 2 + np.einsum(text, x.astype(float), y.astype(float))
    np.testing.assert_allclose(Compiled(kernel)(x, y)[0], exact, rtol=1e-4, atol=1e-3)


def test_multiply_then_add() -> None:
    check_einsum("ik,kj->ij", {"i": 40, "j": 50, "k": 60}, fused=False)


CONVOLUTIONS = [
    Convolution(2, (10, 11), 5, 20), Convolution(1, (16, 58), 8, 40, stride=(2, 1)),
    Convolution(2, (13, 15), 4, 9, stride=(1, 2), dilation=(2, 1)),
    Convolution(2, (9, 9), 16, 32, groups=3), Convolution(2, (12, 20), 1, 1, groups=20),
    Convolution(2, (9, 9), 1, 2, groups=5), Convolution(1, (20, 20), 3, 16, window=(7, 5)),
    Convolution(3, (7, 7), 24, 50, window=(1, 1)), Convolution(1, (30, 30), 40, 64),
    Convolution(2, (9, 40), 3, 17, window=(3, 1)), Convolution(1, (3, 3), 6, 10),
    Convolution(1, (9, 9), 128, 20, window=(2, 2)),
]  # fmt: skip


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("number", range(len(CONVOLUTIONS)))
@pytest.mark.parametrize("dtype", [f32, f16], ids=str)
def test_convolutions(number: int, layout: str, dtype: DType) -> None:
    c = CONVOLUTIONS[number]
    c = Convolution(**{**vars(c), "layout": layout})
    kernel = kernel_of(c.parts(dtype))
    arrays = operands(kernel)
    exact = c.reference(*(numbers(a, dtype) for a in arrays))
    count = 2 + c.channels * c.window[0] * c.window[1]
    bound = count * EPSILON["f32"] * c.reference(*(np.abs(numbers(a, dtype)) for a in arrays))
    compiled = Compiled(kernel)
    for at_end in (True, False):
        got = run_guarded(compiled, arrays, at_end=at_end)
        assert np.all(np.abs(got - exact) <= bound)


GRADIENTS = [
    Convolution(5, (26, 25), 20, 40), Convolution(2, (13, 15), 4, 9, stride=(1, 2)),
    Convolution(3, (9, 9), 3, 64, dilation=(2, 1)), Convolution(2, (9, 9), 70, 5, window=(1, 1)),
    Convolution(3, (31, 31), 3, 17, window=(7, 5), stride=(2, 2)),
]  # fmt: skip


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("number", range(len(GRADIENTS)))
def test_gradients_of_weights(number: int, layout: str) -> None:
    c = Convolution(**{**vars(GRADIENTS[number]), "layout": layout})
    kernel = kernel_of(c.weight_gradient())
    arrays = operands(kernel)
    exact = c.weight_gradient_reference(*arrays)
    count = 2 + c.images * int(np.prod(c.out_size))
    bound = count * EPSILON["f32"] * c.weight_gradient_reference(*map(np.abs, arrays))
    compiled = Compiled(kernel)
    for at_end in (True, False):
        got = run_guarded(compiled, arrays, at_end=at_end)
        assert np.all(np.abs(got - exact) <= bound)


def test_special_numbers_stay_in_their_rows_and_columns() -> None:
    kernel = kernel_of(einsum("ik,kj->ij", {"i": 30, "j": 35, "k": 40}))
    x, y = operands(kernel)
    x[3, 7], y[11, 34] = np.inf, np.nan
    (got,) = Compiled(kernel, host_target())(x, y)
    bad = ~np.isfinite(got)
    expected = np.zeros((30, 35), bool)
    expected[3], expected[:, 34] = True, True
    np.testing.assert_array_equal(bad, expected)
