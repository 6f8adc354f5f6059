"""f64 functions against extended precision, where NumPy has it, and against mpmath."""

from __future__ import annotations

import math

import numpy as np
import pytest
from maths_llvm_builder import native
from maths_reference import (
    BINARY,
    FULL,
    HAS_EXTENDED,
    NUMPY_NAMES,
    exact,
    floors,
    power_samples,
    reference,
    samples,
    ulp_error_exact,
    ulp_errors,
)
from mpmath import mp

from lazir.compiler.maths import ACCURACY, FUNCTIONS

UNARY = sorted(set(FUNCTIONS) - set(BINARY))
COUNT = 300_000 if FULL else 20_000
DOMAINS = {
    "exp": (-745, 709), "exp2": (-1074, 1023), "expm1": (-40, 709), "log": (1e-3, 1e3),
    "log2": (1e-3, 1e3), "log10": (1e-3, 1e3), "log1p": (-0.999, 10), "sin": (-100, 100),
    "cos": (-100, 100), "tan": (-100, 100), "asin": (-1, 1), "acos": (-1, 1), "atan": (-4, 4),
    "sinh": (-5, 5), "cosh": (-5, 5), "tanh": (-5, 5), "asinh": (-5, 5), "acosh": (1, 5),
    "atanh": (-1, 1), "cbrt": (-9, 9), "rsqrt": (1e-3, 1e3), "erf": (-6, 6), "erfc": (-4, 27),
    "erfinv": (-1, 1), "ndtri": (0, 1), "lgamma": (-30, 30), "digamma": (-30, 30),
    "gamma": (-180, 171), "i0e": (-20, 20), "i1e": (-20, 20),
}  # fmt: skip


@pytest.mark.skipif(not HAS_EXTENDED, reason="NumPy's longdouble is no wider than f64 here")
@pytest.mark.parametrize("name", sorted(set(UNARY) & set(NUMPY_NAMES) | {"rsqrt"}))
def test_against_extended_precision(name: str) -> None:
    x = samples("f64", COUNT)
    wanted = reference(name, x.astype(np.longdouble))
    errors = ulp_errors(native(FUNCTIONS[name], 1, "f64")(x), wanted, "f64")
    assert errors.max() <= ACCURACY[name]["f64"], (errors.max(), x[errors.argmax()])


@pytest.mark.skipif(not HAS_EXTENDED, reason="NumPy's longdouble is no wider than f64 here")
@pytest.mark.parametrize("name", BINARY)
def test_two_operands_against_extended_precision(name: str) -> None:
    x = samples("f64", COUNT)
    y = np.random.default_rng(4).permutation(x)
    if name == "pow":
        base, power = power_samples(COUNT)
        x, y = np.concatenate([x, base]), np.concatenate([y, power])
    wanted = reference(name, x.astype(np.longdouble), y.astype(np.longdouble))
    errors = ulp_errors(native(FUNCTIONS[name], 2, "f64")(x, y), wanted, "f64")
    worst = errors.argmax()
    assert errors[worst] <= ACCURACY[name]["f64"], (errors[worst], x[worst], y[worst])


@pytest.mark.parametrize("name", UNARY)
def test_against_mpmath(name: str) -> None:
    low, high = DOMAINS[name]
    rng = np.random.default_rng(5)
    count = 40 if name in ("erfinv", "ndtri", "gamma") else 250
    near_zero = rng.choice([-1, 1], count) * np.exp2(rng.uniform(-40, 0, count))
    x = np.concatenate([rng.uniform(low, high, count), near_zero])
    x = x[(x >= low) & (x <= high)]
    if name in ("erfinv", "ndtri"):
        x = np.concatenate([x, 1 - np.exp2(-rng.uniform(1, 52, count))])
    got = native(FUNCTIONS[name], 1, "f64")(x)
    for point, value in zip(x, got):
        floor = float(floors(name, point))
        error = ulp_error_exact(float(value), exact(name, float(point)), "f64", floor)
        assert error <= ACCURACY[name]["f64"], (error, point)


def test_ndtri_down_to_the_smallest_number() -> None:
    for dtype, kind, lowest in (("f32", np.float32, -103.0), ("f64", np.float64, -744.0)):
        p = np.exp(np.random.default_rng(6).uniform(lowest, -0.7, 60)).astype(kind)
        for point, value in zip(p, native(FUNCTIONS["ndtri"], 1, dtype)(p)):
            error = ulp_error_exact(float(value), exact("ndtri", float(point)), dtype)
            assert error <= ACCURACY["ndtri"][dtype], (error, point)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_arguments_nearest_to_multiples_of_half_pi(name: str, dtype: str) -> None:
    """Continued fractions of pi/2 give the worst cases of argument reduction (Muller, §11.3)."""
    kind = np.float32 if dtype == "f32" else np.float64
    precision, top = (24, 127) if dtype == "f32" else (53, 1023)
    found = {kind(math.ldexp(1.0, e)) for e in range(0, top, 7)}
    for exponent in range(0, top - precision, 5):
        found.update(kind(m) for m in _near_multiples(exponent, precision))
    x = np.array(sorted(found), kind)
    got = native(FUNCTIONS[name], 1, dtype)(x)
    for point, value in zip(x, got):
        error = ulp_error_exact(float(value), exact(name, float(point)), dtype)
        assert error <= ACCURACY[name][dtype], (error, point)


def _near_multiples(exponent: int, precision: int) -> list[float]:
    """m * 2**exponent near a multiple of pi/2: m is a denominator of a convergent."""
    found = []
    with mp.workprec(1400):
        rest = mp.mpf(2) ** exponent * 2 / mp.pi
        older, newer = 0, 1
        while newer.bit_length() <= precision:
            if newer.bit_length() > precision - 8:
                found.append(math.ldexp(newer, exponent))
            rest = 1 / (rest - mp.floor(rest))
            older, newer = newer, int(mp.floor(rest)) * newer + older
    return found
