"""The two test builders: fma is exact, and both give the same bits for every function."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from maths_llvm_builder import native
from maths_numpy_builder import NumpyBuilder
from maths_reference import BINARY, BITS, KINDS, random_bits, samples

from lazir.compiler.maths import FUNCTIONS


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_fma_rounds_the_exact_value_once(dtype: str) -> None:
    rng, kind = np.random.default_rng(0), KINDS[dtype]
    tiny = kind(np.finfo(kind).tiny)
    x, y = rng.standard_normal((2, 3000)).astype(kind)
    z = (rng.standard_normal(3000) * np.exp2(rng.integers(-60, 60, 3000))).astype(kind)
    z[::3] = -(x * y)[::3] * (1 + rng.integers(-3, 4, 1000) * np.finfo(kind).eps).astype(kind)
    y[1::3] *= tiny
    z[1::3] *= tiny
    got = NumpyBuilder().fma(x, y, z)
    for a, b, c, result in zip(x, y, z, got):
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        if abs(exact) > Fraction(float(np.finfo(kind).max)):
            continue
        error = abs(Fraction(float(result)) - exact)
        for neighbour in (np.nextafter(result, kind(np.inf)), np.nextafter(result, kind(-np.inf))):
            assert error <= abs(Fraction(float(neighbour)) - exact)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_fma_equals_the_instruction(dtype: str) -> None:
    rng = np.random.default_rng(1)
    x, y, z = (random_bits(dtype, 100_000, rng) for _ in range(3))
    z[::2] = -(x * y)[::2]
    got = NumpyBuilder().fma(x, y, z)
    wanted = native(lambda b, *values: b.fma(*values), 3, dtype)(x, y, z)
    assert_same_bits(got, wanted, dtype)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_has_the_same_bits_on_both_builders(name: str, dtype: str) -> None:
    x = samples(dtype, 300)
    arrays = [x, np.random.default_rng(2).permutation(x)] if name in BINARY else [x]
    got = FUNCTIONS[name](NumpyBuilder(), *arrays)
    assert got.dtype == KINDS[dtype]
    assert_same_bits(got, native(FUNCTIONS[name], len(arrays), dtype)(*arrays), dtype)


def assert_same_bits(got: np.ndarray, wanted: np.ndarray, dtype: str) -> None:
    both_nan = np.isnan(got) & np.isnan(wanted)
    bits, others = got.view(BITS[dtype]), wanted.view(BITS[dtype])
    np.testing.assert_array_equal(bits[~both_nan], others[~both_nan])
