"""Conversions between all element types, over all bit patterns of the small ones."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from lazir.compiler.types import bf16, f16, f32, f64, i8, i16, i32, i64

# Casts of signalling NaNs are what is tested; NumPy warns of them.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in cast")

WIDTHS = (0, 16)
NARROW = (f16, bf16)


def all_bits(kit, dtype):
    """Every f16 or bf16 there is."""
    return np.arange(1 << 16, dtype=np.uint16).view(kit.storage(dtype))


def equal(got, want):
    np.testing.assert_array_equal(got.astype(np.float64), want.astype(np.float64))
    real = ~np.isnan(want.astype(np.float64))
    np.testing.assert_array_equal(np.signbit(got)[real], np.signbit(want)[real])


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("target_type", (f32, f64), ids=str)
@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_widening_is_exact(kit, target, dtype, target_type, lanes):
    values = all_bits(kit, dtype)
    (got,) = kit.apply("arith.extf", [values], [dtype], [target_type], target, lanes)
    equal(got, values.astype(target_type.numpy))


def hard_floats(kit, dtype, kind):
    """Numbers at, just below and just above every point half way between two narrow ones."""
    values = all_bits(kit, dtype).astype(np.float64)
    values = np.unique(values[np.isfinite(values)])
    middle = (values[1:] + values[:-1]) / 2
    near = middle.astype(kind)
    steps = [middle, np.nextafter(near, np.inf), np.nextafter(near, -np.inf)]
    most = float(ml_dtypes.finfo(kit.storage(dtype)).max)
    ends = np.array([most, most * 1.0019, most * 1.003, most * 1.1, np.inf, np.nan, 1e-30, 0.0])
    with np.errstate(over="ignore", invalid="ignore"):
        return np.concatenate([s.astype(kind) for s in [*steps, values, ends, -ends]])


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("source", (f32, f64), ids=str)
@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_narrowing_rounds_once_to_even(kit, target, dtype, source, lanes):
    values = hard_floats(kit, dtype, source.numpy)
    (got,) = kit.apply("arith.truncf", [values], [source], [dtype], target, lanes)
    equal(got, rounded(values.astype(np.float64), kit.storage(dtype)))


def rounded(values, kind):
    """f64 to a narrow float with one rounding, by searching among all its numbers."""
    every = np.arange(1 << 16, dtype=np.uint16).view(kind)
    table = every.astype(np.float64)
    order = np.argsort(table[np.isfinite(table)], kind="stable")
    numbers = table[np.isfinite(table)][order]
    odd = (every.view(np.uint16)[np.isfinite(table)] & 1)[order]
    at = np.clip(np.searchsorted(numbers, values), 1, len(numbers) - 1)
    below, above = numbers[at - 1], numbers[at]
    with np.errstate(invalid="ignore"):
        low, high = values - below, above - values
    pick_high = (high < low) | ((high == low) & (odd[at] == 0))
    out = np.where(pick_high, above, below)
    most = numbers[-1]
    gap = most - numbers[-2]
    out = np.where(np.abs(values) >= most + gap / 2, np.copysign(np.inf, values), out)
    out = np.where(np.isnan(values), np.nan, out)
    return np.copysign(out, values)


@pytest.mark.parametrize("lanes", WIDTHS)
def test_f64_to_f32(kit, target, lanes):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.standard_normal(100), [1e300, -1e-300, np.inf, np.nan, 1e-42]])
    with np.errstate(over="ignore"):
        (got,) = kit.apply("arith.truncf", [values], [f64], [f32], target, lanes)
        equal(got, values.astype(np.float32))


INTEGERS = (i8, i16, i32, i64)


def integers(dtype, signed):
    kind = dtype.numpy if signed else np.dtype(dtype.numpy.str.replace("i", "u"))
    rng = np.random.default_rng(1)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    values = [low, low + 1, 0, 1, 2, 100, high - 1, high, *rng.integers(low, high, 60, kind)]
    for power in range(8, dtype.bits - 1):  # ties and their neighbours
        for low_bit in (power - 8, power - 9, power - 11, power - 24, power - 53):
            if low_bit >= 0:
                tie = (1 << power) + (1 << low_bit)
                values += [tie, tie + 1, tie - 1]
                if signed:
                    values += [-tie, -tie - 1, 1 - tie]
    return np.array(values, kind)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("signed", (True, False), ids=("signed", "unsigned"))
def test_integers_to_floats_round_once(kit, target, dtype, signed, lanes):
    values = integers(dtype, signed)
    name = "arith.sitofp" if signed else "arith.uitofp"
    for result in (f16, bf16, f32, f64):
        (got,) = kit.apply(name, [values], [dtype], [result], target, lanes)
        if result in NARROW:
            want = exactly_rounded(values, kit.storage(result))
        else:
            want = values.astype(result.numpy)
        equal(got, want)


def exactly_rounded(values, kind):
    """Integers to narrow floats with Python's exact arithmetic."""
    digits = {2**-10: 11, 2**-7: 8}[float(ml_dtypes.finfo(kind).eps)]
    out = []
    for v in values.tolist():
        size, shift = abs(v), max(0, abs(v).bit_length() - digits)
        whole, rest = size >> shift, size & ((1 << shift) - 1)
        half = 1 << shift >> 1
        whole += shift > 0 and (rest > half or (rest == half and whole & 1))
        out.append((whole << shift) * (-1 if v < 0 else 1))
    with np.errstate(over="ignore"):
        return np.array(out, np.float64).astype(kind)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("signed", (True, False), ids=("signed", "unsigned"))
def test_floats_to_integers_saturate(kit, target, dtype, signed, lanes):
    name = "arith.fptosi" if signed else "arith.fptoui"
    kind = dtype.numpy if signed else np.dtype(dtype.numpy.str.replace("i", "u"))
    low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    rng = np.random.default_rng(2)
    around = [low, high, 0, 1, -1, 127, 255, 256, 65504, 2**31, 2**32, 2**63, 2**64]
    base = [float(v) + d for v in around for d in (-1.5, -0.5, -0.25, 0.0, 0.75, 1.0)]
    base += [np.inf, -np.inf, np.nan, -0.0, 1e30, -1e30, *(rng.standard_normal(40) * 1000)]
    for source in (f16, bf16, f32, f64):
        with np.errstate(over="ignore"):
            values = np.array(base).astype(kit.storage(source))
        (got,) = kit.apply(name, [values], [source], [dtype], target, lanes)
        want = [_saturated(float(v), low, high) for v in values]
        assert got.view(kind).tolist() == want


def _saturated(x, low, high):
    if x != x:
        return 0
    return low if x <= low else high if x >= high else int(x)


@pytest.mark.parametrize("lanes", WIDTHS)
def test_integer_widths(kit, target, lanes):
    values = integers(i32, True)
    unsigned = values.view(np.uint32)
    (got,) = kit.apply("arith.extsi", [values], [i32], [i64], target, lanes)
    np.testing.assert_array_equal(got, values.astype(np.int64))
    (got,) = kit.apply("arith.extui", [values], [i32], [i64], target, lanes)
    np.testing.assert_array_equal(got, unsigned.astype(np.int64))
    (got,) = kit.apply("arith.trunci", [values], [i32], [i8], target, lanes)
    np.testing.assert_array_equal(got, values.astype(np.int8))
    (got,) = kit.apply("arith.bitcast", [values], [i32], [f32], target, lanes)
    np.testing.assert_array_equal(got.view(np.int32), values)
    short = np.arange(0, 1 << 16, 97, dtype=np.uint16).view(np.int16)
    (got,) = kit.apply("arith.bitcast", [short], [i16], [f16], target, lanes)
    np.testing.assert_array_equal(got.view(np.int16), short)
