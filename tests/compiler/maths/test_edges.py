"""Special values, signs of zeros, thresholds and exactness, through the NumPy builder."""

from __future__ import annotations

import math

import numpy as np
import pytest
from maths_llvm_builder import native
from maths_numpy_builder import NumpyBuilder
from maths_reference import BINARY, KINDS, edges, random_bits, reference

from lazir.compiler.maths import FUNCTIONS, SMALL_BOUND, SMALL_FORMS
from lazir.compiler.maths.remainder import FMOD_BITS

DTYPES = ["f32", "f64"]
inf, nan = math.inf, math.nan

UNARY_CASES: dict[str, list[tuple[float, float]]] = {
    "exp": [(0.0, 1), (-inf, 0), (inf, inf), (nan, nan), (1e5, inf), (-1e5, 0)],
    "exp2": [
        (0.0, 1), (-inf, 0), (inf, inf), (nan, nan), (10, 1024), (-3, 0.125), (1e5, inf),
        (-1e5, 0),
    ],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (-inf, -1), (inf, inf), (nan, nan), (-1e5, -1), (1e5, inf)],
    "log": [(1, 0.0), (0.0, -inf), (-0.0, -inf), (inf, inf), (-inf, nan), (-1, nan), (nan, nan)],
    "log2": [
        (1, 0.0), (8, 3), (0.25, -2), (0.0, -inf), (-0.0, -inf), (inf, inf), (-1, nan), (nan, nan),
    ],
    "log10": [
        (1, 0.0), (1000, 3), (1e10, 10), (0.0, -inf), (-0.0, -inf), (inf, inf), (-1, nan),
        (nan, nan),
    ],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1, -inf), (inf, inf), (-inf, nan), (-2, nan), (nan, nan)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (inf, nan), (-inf, nan), (nan, nan)],
    "cos": [(0.0, 1), (-0.0, 1), (inf, nan), (-inf, nan), (nan, nan)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (inf, nan), (-inf, nan), (nan, nan)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (2, nan), (-2, nan), (inf, nan), (nan, nan)],
    "acos": [(1, 0.0), (2, nan), (-2, nan), (inf, nan), (nan, nan)],
    "atan": [(0.0, 0.0), (-0.0, -0.0), (nan, nan)],
    "sinh": [
        (0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -inf), (nan, nan), (1e5, inf), (-1e5, -inf),
    ],
    "cosh": [(0.0, 1), (-0.0, 1), (inf, inf), (-inf, inf), (nan, nan), (1e5, inf)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (inf, 1), (-inf, -1), (nan, nan), (40, 1)],
    "asinh": [(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -inf), (nan, nan)],
    "acosh": [(1, 0.0), (inf, inf), (0.5, nan), (-2, nan), (-inf, nan), (nan, nan)],
    "atanh": [
        (0.0, 0.0), (-0.0, -0.0), (1, inf), (-1, -inf), (2, nan), (-2, nan), (inf, nan),
        (nan, nan),
    ],
    "cbrt": [(0.0, 0.0), (-0.0, -0.0), (8, 2), (-27, -3), (inf, inf), (-inf, -inf), (nan, nan)],
    "rsqrt": [(0.0, inf), (-0.0, -inf), (4, 0.5), (inf, 0.0), (-1, nan), (-inf, nan), (nan, nan)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (inf, 1), (-inf, -1), (nan, nan), (7, 1)],
    "erfc": [(0.0, 1), (-0.0, 1), (inf, 0.0), (-inf, 2), (nan, nan), (40, 0.0), (-40, 2)],
    "ndtri": [(0.0, -inf), (1, inf), (0.5, 0.0), (-1, nan), (2, nan), (inf, nan), (nan, nan)],
    "lgamma": [
        (1, 0.0), (2, 0.0), (0.0, inf), (-0.0, inf), (-1, inf), (-7, inf), (inf, inf), (-inf, inf),
        (nan, nan), (-1e30, inf),
    ],
    "digamma": [
        (0.0, -inf), (-0.0, inf), (-1, nan), (-5, nan), (inf, inf), (-inf, nan), (nan, nan),
    ],
    "gamma": [
        (1, 1), (2, 1), (5, 24), (0.0, inf), (-0.0, -inf), (-3, nan), (inf, inf), (-inf, nan),
        (nan, nan), (200, inf), (-200.5, -0.0), (-201.5, 0.0),
    ],
    "i0e": [(0.0, 1), (-0.0, 1), (inf, 0.0), (-inf, 0.0), (nan, nan)],
    "i1e": [(0.0, 0.0), (-0.0, -0.0), (inf, 0.0), (-inf, -0.0), (nan, nan)],
    "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1, inf), (-1, -inf), (2, nan), (inf, nan), (nan, nan)],
}  # fmt: skip

POW_CASES = [
    (nan, 0.0, 1), (nan, -0.0, 1), (1, nan, 1), (1, inf, 1), (-1, inf, 1), (-1, -inf, 1),
    (0.0, 3, 0.0), (-0.0, 3, -0.0), (-0.0, 2, 0.0), (0.0, 0.5, 0.0), (-0.0, 0.5, 0.0),
    (0.0, -3, inf), (-0.0, -3, -inf), (-0.0, -2, inf), (-0.0, -0.5, inf), (0.0, -inf, inf),
    (0.5, -inf, inf), (2, -inf, 0.0), (0.5, inf, 0.0), (2, inf, inf), (-2, inf, inf),
    (-inf, -3, -0.0), (-inf, -2, 0.0), (-inf, 3, -inf), (-inf, 2, inf), (-inf, 0.5, inf),
    (-inf, -0.5, 0.0), (inf, -1, 0.0), (inf, 0.5, inf), (-8, 0.5, nan), (-1, 0.5, nan),
    (-2, 3, -8), (-2, 2, 4), (2, 10, 1024), (10, 3, 1000), (nan, 1, nan), (2, nan, nan),
    (-1, nan, nan), (0.0, nan, nan), (-1, 3, -1), (-1, 4, 1), (2, 1e9, inf), (2, -1e9, 0.0),
    (-2, 1e9, inf), (-2, 2001, -inf), (-2, -1e9, 0.0),
]  # fmt: skip


def call(name: str, dtype: str, *values: float) -> float:
    arrays = (np.array([v], KINDS[dtype]) for v in values)
    return float(FUNCTIONS[name](NumpyBuilder(), *arrays)[0])


def assert_same(got: float, wanted: float, what: object) -> None:
    if math.isnan(wanted):
        assert math.isnan(got), what
    else:
        assert got == wanted, (what, got, wanted)
        assert math.copysign(1, got) == math.copysign(1, wanted), what


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(UNARY_CASES))
def test_special_values(name: str, dtype: str) -> None:
    for x, wanted in UNARY_CASES[name]:
        assert_same(call(name, dtype, x), wanted, (name, dtype, x))


ODD = [
    "expm1", "log1p", "sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "cbrt", "erf",
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ODD)
def test_near_identity_at_tiny_arguments(name: str, dtype: str) -> None:
    """f(x)/x tends to a constant, so the sign of zero and subnormals must come through."""
    assert_same(call(name, dtype, 0.0), 0.0, name)
    assert_same(call(name, dtype, -0.0), -0.0, name)
    tiny = float(np.finfo(KINDS[dtype]).smallest_subnormal)
    for factor in (1, 3, 1000, -1, -77):
        if name in ("cbrt", "erf"):
            continue
        assert call(name, dtype, factor * tiny) == factor * tiny


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("x", "y", "wanted"), POW_CASES)
def test_pow_special_cases(x: float, y: float, wanted: float, dtype: str) -> None:
    assert_same(call("pow", dtype, x, y), wanted, (x, y))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_pairs_of_edges_agree_with_c(name: str, dtype: str) -> None:
    """Zeros, infinities, NaN and extremes in all combinations, signs included."""
    x, y = (grid.ravel() for grid in np.meshgrid(edges(dtype), edges(dtype)))
    got = FUNCTIONS[name](NumpyBuilder(), x, y)
    wanted = reference(name, x, y)
    special = ~np.isfinite(wanted) | (wanted == 0)
    np.testing.assert_array_equal(got[special], wanted[special])
    zero = wanted == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(wanted[zero]))
    np.testing.assert_allclose(got[~special], wanted[~special], rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_powers(dtype: str) -> None:
    low, high = (-149, 127) if dtype == "f32" else (-1074, 1023)
    n = np.arange(low, high + 1).astype(KINDS[dtype])
    powers = np.ldexp(KINDS[dtype](1), np.arange(low, high + 1))
    np.testing.assert_array_equal(FUNCTIONS["exp2"](NumpyBuilder(), n), powers)
    np.testing.assert_array_equal(FUNCTIONS["log2"](NumpyBuilder(), powers), n)
    two = np.full_like(n, 2)
    np.testing.assert_array_equal(FUNCTIONS["pow"](NumpyBuilder(), two, n), powers)
    tens = KINDS[dtype](10) ** np.arange(0, 10 if dtype == "f32" else 22).astype(KINDS[dtype])
    logs = FUNCTIONS["log10"](NumpyBuilder(), tens)
    np.testing.assert_array_equal(logs, np.arange(len(tens)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_fmod_is_exact(dtype: str) -> None:
    rng = np.random.default_rng(7)
    kind = KINDS[dtype]
    x = random_bits(dtype, 40_000, rng)
    y = np.concatenate([rng.permutation(x[:30_000]), x[30_000:] * kind(0.001)])
    y[::3] *= np.finfo(kind).smallest_subnormal  # the widest gaps
    whole = rng.integers(-50, 50, (2, 5000)).astype(kind)
    x, y = np.concatenate([x, whole[0]]), np.concatenate([y, whole[1]])
    wanted = np.fmod(x, y)
    got = native(FUNCTIONS["fmod"], 2, dtype)(x, y)
    np.testing.assert_array_equal(got, wanted)
    zero = wanted == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(x[zero]))
    close = np.abs(x / y) < 2.0 ** FMOD_BITS[dtype]
    close &= np.abs(y) > 4 * np.finfo(kind).tiny
    small = native(SMALL_FORMS["fmod"], 2, dtype)(x[close], y[close])
    np.testing.assert_array_equal(small, wanted[close])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_small_forms_equal_the_full_ones(name: str, dtype: str) -> None:
    rng = np.random.default_rng(8)
    bound = SMALL_BOUND[dtype]
    x = np.concatenate([rng.uniform(-bound, bound, 20_000), rng.uniform(-9, 9, 20_000), [bound]])
    x = x.astype(KINDS[dtype])
    small = native(SMALL_FORMS[name], 1, dtype)(x)
    np.testing.assert_array_equal(small, native(FUNCTIONS[name], 1, dtype)(x))
