"""Largest error of each elementary function, in units in the last place, per dtype.

Takes nothing; gives `ACCURACY`, which the tests hold the functions to.
Must not be loosened without saying why: the op table and the tests of compiled code build on it.

A unit in the last place is the spacing of the dtype at the exact result, also where that is
subnormal; a correctly rounded function has 0.5. The bounds lie a little above the largest error
seen: for f32 over every seventh bit pattern (functions of two operands, erfinv and rsqrt: a sparser
sample), for f64 over a sample of all exponents. lgamma and digamma cross zero between their poles
below 0; there the unit is that of the largest term of their sum (`FLOORS`).
"""

from __future__ import annotations

ACCURACY: dict[str, dict[str, float]] = {
    "exp": {"f32": 1.05, "f64": 1.05},
    "exp2": {"f32": 0.95, "f64": 0.95},
    "expm1": {"f32": 1.4, "f64": 2.0},
    "log": {"f32": 0.95, "f64": 0.9},
    "log2": {"f32": 1.05, "f64": 0.95},
    "log10": {"f32": 0.9, "f64": 0.8},
    "log1p": {"f32": 1.1, "f64": 1.0},
    "sin": {"f32": 1.0, "f64": 1.0},
    "cos": {"f32": 1.0, "f64": 1.0},
    "tan": {"f32": 1.4, "f64": 1.4},
    "asin": {"f32": 1.25, "f64": 1.3},
    "acos": {"f32": 1.25, "f64": 1.3},
    "atan": {"f32": 1.6, "f64": 2.0},
    "atan2": {"f32": 1.8, "f64": 2.0},
    "sinh": {"f32": 1.65, "f64": 2.0},
    "cosh": {"f32": 1.95, "f64": 1.7},
    "tanh": {"f32": 1.4, "f64": 1.4},
    "asinh": {"f32": 1.4, "f64": 1.3},
    "acosh": {"f32": 1.65, "f64": 1.8},
    "atanh": {"f32": 1.2, "f64": 1.1},
    "pow": {"f32": 1.05, "f64": 1.05},
    "cbrt": {"f32": 0.55, "f64": 0.51},
    "hypot": {"f32": 1.0, "f64": 1.0},
    "rsqrt": {"f32": 1.5, "f64": 1.5},
    "erf": {"f32": 1.3, "f64": 1.6},
    "erfc": {"f32": 2.4, "f64": 2.5},
    "erfinv": {"f32": 2.3, "f64": 2.7},
    "ndtri": {"f32": 3.5, "f64": 3.5},
    "lgamma": {"f32": 8.0, "f64": 8.0},
    "digamma": {"f32": 6.0, "f64": 6.0},
    "gamma": {"f32": 8.0, "f64": 8.0},
    "i0e": {"f32": 4.0, "f64": 4.0},
    "i1e": {"f32": 4.0, "f64": 4.0},
    "fmod": {"f32": 0.0, "f64": 0.0},
}

FLOORS = ("lgamma", "digamma")
"""Below 0 the error is in units of max(1, |lgamma(|x|)|) for the first, of max(1, log(1 - x)) for
the second, where the result is smaller than that."""
