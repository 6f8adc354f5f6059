"""Reference values, samples and error measures for the elementary functions.

Takes names and dtypes; gives inputs and exact-enough results.
Must not import the functions under test (only what their accuracy is measured in).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import scipy.special
from mpmath import mp
from numpy.typing import NDArray

from lazir.compiler.maths.accuracy import FLOORS

Array = NDArray[Any]

FULL = os.environ.get("LAZIR_FULL_TESTS") == "1"
KINDS: dict[str, Any] = {"f32": np.float32, "f64": np.float64}
BITS: dict[str, Any] = {"f32": np.uint32, "f64": np.uint64}
BINARY = ("atan2", "pow", "hypot", "fmod")
HAS_EXTENDED = np.finfo(np.longdouble).nmant >= 63

NUMPY_NAMES = {
    "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2",
    "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "sinh": "sinh",
    "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "cbrt": "cbrt", "hypot": "hypot", "pow": "power", "fmod": "fmod",
}  # fmt: skip
SCIPY_NAMES = {
    "erf": "erf", "erfc": "erfc", "ndtri": "ndtri", "lgamma": "gammaln", "digamma": "digamma",
    "gamma": "gamma", "i0e": "i0e", "i1e": "i1e",
}  # fmt: skip


def reference(name: str, *arrays: Array) -> Array:
    """NumPy's or SciPy's value in the dtype of the arrays, which must be wider than the tested."""
    if name == "rsqrt":
        return np.asarray(1 / np.sqrt(arrays[0]))
    if name == "erfinv":  # SciPy's has +0 for -0
        return np.asarray(np.copysign(scipy.special.erfinv(arrays[0]), arrays[0]))
    if name in SCIPY_NAMES:
        found = np.asarray(getattr(scipy.special, SCIPY_NAMES[name])(*arrays))
        if name == "lgamma":  # SciPy's is -inf at -inf, unlike C's
            return np.where(np.isinf(arrays[0]), np.inf, found)
        return np.copysign(found, arrays[0]) if name == "i1e" else found  # as for erfinv
    return np.asarray(getattr(np, NUMPY_NAMES[name])(*arrays))


def exact(name: str, *values: float) -> Any:
    """The value by mpmath, for finite arguments inside the domain."""
    functions = {
        "exp2": lambda x: mp.power(2, x),
        "log2": lambda x: mp.log(x) / mp.log(2),
        "pow": mp.power,
        "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
        "rsqrt": lambda x: 1 / mp.sqrt(x),
        "erfinv": lambda x: mp.erfinv(x),
        "log1p": lambda x: mp.log(1 + x),
        "ndtri": _exact_ndtri,
        "lgamma": lambda x: mp.log(abs(mp.gamma(x))),
        "i0e": lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
        "i1e": lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
        "fmod": lambda x, y: x - y * mp.sign(x / y) * mp.floor(abs(x / y)),
    }
    with mp.workprec(2400 if name in ("sin", "cos", "tan", "fmod", "log1p") else 300):
        arguments = [mp.mpf(v) for v in values]
        return +functions.get(name, getattr(mp, name, None))(*arguments)


def _exact_ndtri(p: Any) -> Any:
    """By Newton's method on log(erfc)."""
    a = min(p, 1 - p)
    y, wanted = mp.sqrt(-mp.log(4 * a * (1 - a))), mp.log(2 * a)
    for _ in range(60):
        step = (mp.log(mp.erfc(y)) - wanted) * mp.erfc(y) * mp.exp(y * y) * mp.sqrt(mp.pi) / 2
        y += step
        if abs(step) < mp.mpf(2) ** -120 * abs(y):
            break
    return mp.sqrt(2) * (y if p > a else -y)


def floors(name: str, x: Array) -> Array:
    """The size below which a result's error is not measured against itself (`FLOORS`)."""
    if name not in FLOORS:
        return np.zeros_like(x)
    size = scipy.special.gammaln(np.abs(x)) if name == "lgamma" else np.log1p(np.abs(x))
    return np.where(x < 0, np.maximum(np.abs(size), 1), 0)


def random_bits(dtype: str, count: int, rng: np.random.Generator) -> Array:
    """Every bit pattern is equally likely: all exponents, subnormals and NaNs too."""
    width = 32 if dtype == "f32" else 64
    return np.asarray(rng.integers(0, 2**width, count, dtype=BITS[dtype]).view(KINDS[dtype]))


def samples(dtype: str, count: int, seed: int = 1) -> Array:
    """All exponents, plus denser ranges where the functions do something."""
    rng, kind = np.random.default_rng(seed), KINDS[dtype]
    signs = rng.choice([-1, 1], count)
    return np.concatenate(
        [
            edges(dtype),
            random_bits(dtype, 2 * count, rng),
            (rng.standard_normal(count) * 8).astype(kind),
            rng.uniform(-2, 2, count).astype(kind),
            (signs * np.exp2(rng.uniform(-30, 12, count))).astype(kind),
            (1 + signs * np.exp2(-rng.uniform(0, 30, count))).astype(kind),
            rng.uniform(-130, 130, count).astype(kind),
            rng.uniform(-760, 760, count).astype(kind),
        ]
    )


def power_samples(count: int, seed: int = 2) -> tuple[Array, Array]:
    """f64 pairs whose power is spread over the whole range of results."""
    rng = np.random.default_rng(seed)
    x = np.exp(rng.uniform(-700, 700, count) * rng.uniform(0, 1, count) ** 4)
    with np.errstate(all="ignore"):
        y = rng.uniform(-750, 715, count) / np.log(x)
    return x, np.where(np.isfinite(y), y, 1.0)


def edges(dtype: str) -> Array:
    info = np.finfo(KINDS[dtype])
    positive = [
        0.0, info.smallest_subnormal, info.tiny, info.max, np.inf, 1.0, 0.5, 2.0, 3.0, 8.0, 10.0,
        1000.0, 1e10, float(info.eps), 1 - float(info.epsneg), 1 + float(info.eps),
    ]  # fmt: skip
    values = np.array([*positive, *(-v for v in positive), np.nan], KINDS[dtype])
    return values


def ulp_errors(got: Array, wanted: Array, dtype: str, floor: Array | float = 0.0) -> Array:
    """Errors in units in the last place of `dtype`; infinite where a limit or a NaN is wrong.

    Where the result is smaller than `floor`, the unit is that of the floor.
    """
    info = np.finfo(KINDS[dtype])
    with np.errstate(all="ignore"):
        rounded = wanted.astype(KINDS[dtype])
        _, exponent = np.frexp(np.maximum(np.abs(wanted), floor))
        unit = np.ldexp(
            np.ones_like(wanted), np.maximum(exponent - info.nmant - 1, info.minexp - info.nmant)
        )
        errors = np.abs(got.astype(wanted.dtype) - wanted) / unit
    alike = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    limits = ~np.isfinite(rounded) | ~np.isfinite(got)
    errors = np.where(limits, np.where(alike, 0, np.inf), errors)
    zeros = (got == 0) & (rounded == 0)
    return np.where(zeros & (np.signbit(got) != np.signbit(rounded)), np.inf, errors)


def ulp_error_exact(got: float, wanted: Any, dtype: str, floor: float = 0.0) -> float:
    """As `ulp_errors`, against an mpmath number."""
    info = np.finfo(KINDS[dtype])
    if wanted == 0 and not floor:
        return 0.0 if got == 0 else float("inf")
    exponent = int(mp.floor(mp.log(max(abs(wanted), mp.mpf(floor)), 2))) + 1
    unit = mp.mpf(2) ** max(exponent - info.nmant - 1, info.minexp - info.nmant)
    if abs(wanted) > mp.mpf(float(info.max)) + unit / 2:
        return 0.0 if np.isinf(got) else float("inf")
    return float(abs(mp.mpf(got) - wanted) / unit)
