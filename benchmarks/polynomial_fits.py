"""The list of polynomial fits: which function, in which form, on which interval, how many terms.

Takes nothing; gives `FITS`, read by `fit_polynomials.py`.
Must not know how a fit is computed. Targets and weights are functions of the fit's own variable;
a weight of (largest power factored out) / function makes the error relative to the function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mpmath import mp, mpf

Real = Callable[[mpf], mpf]
Interval = dict[str, tuple[mpf, mpf]]

mp.prec = 240
SLACK = mpf("1.0001")


@dataclass(frozen=True)
class Fit:
    """One polynomial: `target(u)` is approximated, `weight(u)` times the error is minimised."""

    name: str
    form: str
    target: Real
    weight: Real
    interval: Interval
    counts: dict[str, int]


def both(low: object, high: object) -> Interval:
    ends = (mpf(low) * SLACK, mpf(high) * SLACK)
    return {"f32": ends, "f64": ends}


LN2_HALF = mp.log(2) / 2
QUARTER_PI_SQUARED = (mp.pi / 4) ** 2
LOG_LOW, LOG_HIGH = mp.sqrt(mpf(1) / 2) - 1, mp.sqrt(mpf(2)) - 1
LOG_S_SQUARED = (LOG_HIGH / (2 + LOG_HIGH)) ** 2


def odd_tail(function: Real, leading: object = 1) -> tuple[Real, Real]:
    """Target and weight of P in f(r) = leading*r + r*z*P(z), z = r*r."""

    def target(z: mpf) -> mpf:
        r = mp.sqrt(z)
        return (function(r) / r - leading) / z

    def weight(z: mpf) -> mpf:
        r = mp.sqrt(z)
        return r * z / function(r)

    return target, weight


def _log_tail(z: mpf) -> mpf:
    s = mp.sqrt(z)
    return (mp.log((1 + s) / (1 - s)) / s - 2) / z


FITS: list[Fit] = [
    Fit(
        "EXP", "exp(r) = 1 + r + r*r*P(r)",
        lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2 / mp.expm1(r),
        both(-LN2_HALF, LN2_HALF), {"f32": 5, "f64": 10},
    ),
    Fit(
        "EXP2", "2**r = 1 + r*P(r)",
        lambda r: mp.expm1(r * mp.log(2)) / r, lambda r: r / mp.power(2, r),
        both(-0.5, 0.5), {"f32": 6, "f64": 11},
    ),
    Fit(
        "SINH", "sinh(r) = r + r*z*P(z), z = r*r",
        *odd_tail(mp.sinh), both(0, LN2_HALF**2), {"f32": 2, "f64": 5},
    ),
    Fit(
        "COSH", "cosh(r) = 1 + z*P(z), z = r*r",
        lambda z: (mp.cosh(mp.sqrt(z)) - 1) / z, lambda z: z / mp.cosh(mp.sqrt(z)),
        both(0, LN2_HALF**2), {"f32": 3, "f64": 5},
    ),
    Fit(
        "TANH", "tanh(r) = r + r*z*P(z), z = r*r",
        *odd_tail(mp.tanh), both(0, mpf("0.5625") ** 2), {"f32": 4, "f64": 10},
    ),
    Fit(
        "LOG_DIRECT", "log(1+f) = f - f*f/2 + f*f*f*P(f)",
        lambda f: (mp.log1p(f) - f + f**2 / 2) / f**3, lambda f: f**3 / mp.log1p(f),
        {"f32": (LOG_LOW * SLACK, LOG_HIGH * SLACK)}, {"f32": 8},
    ),
    Fit(
        "LOG", "log((1+s)/(1-s)) = 2*s + s*z*P(z), z = s*s",
        _log_tail, lambda z: z / 2, both(0, LOG_S_SQUARED), {"f32": 3, "f64": 7},
    ),
    Fit(
        "LOG2_WIDE", "log2((1+s)/(1-s)) = s*(c0 + z*(c1 + z*P(z))), z = s*s, c0 and c1 in two parts",
        lambda z: (_log_tail(z) - mpf(2) / 3) / z / mp.ln2, lambda z: z**2 / 2 * mp.ln2,
        both(0, LOG_S_SQUARED), {"f32": 3, "f64": 8},
    ),
    Fit(
        "SIN", "sin(r) = r + r*z*P(z), z = r*r",
        *odd_tail(mp.sin), both(0, QUARTER_PI_SQUARED), {"f32": 3, "f64": 6},
    ),
    Fit(
        "COS", "cos(r) = 1 - z/2 + z*z*P(z), z = r*r",
        lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, lambda z: z**2 / mp.cos(mp.sqrt(z)),
        both(0, QUARTER_PI_SQUARED), {"f32": 3, "f64": 6},
    ),
    Fit(
        "ATAN", "atan(t) = t + t*z*P(z), z = t*t",
        *odd_tail(mp.atan), both(0, 1), {"f32": 8, "f64": 20},
    ),
    Fit(
        "ASIN", "asin(t) = t + t*z*P(z), z = t*t",
        *odd_tail(mp.asin), both(0, 0.25), {"f32": 5, "f64": 12},
    ),
]
