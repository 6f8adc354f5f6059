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
    """One polynomial: `target(u)` is approximated, `weight(u)` times the error is minimised.

    Target and weight may differ between dtypes where the form does.
    """

    name: str
    form: str
    target: Real | dict[str, Real]
    weight: Real | dict[str, Real]
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


ERF_SPLIT = mpf("0.875")


def _erfc_factor(u: mpf) -> mpf:
    t = u + mpf("0.21875")
    a = 1 / t - mpf("1.5")
    return mp.erfc(a) * mp.exp(a * a) / t


def _erfc_interval(top: str) -> tuple[mpf, mpf]:
    low, high = (1 / (a + mpf("1.5")) for a in (mpf(top), ERF_SPLIT))
    return low - mpf("0.21875"), high * SLACK - mpf("0.21875")


def _erfinv_factor(w: mpf) -> mpf:
    """erfinv(x)/x at x*x = 1 - exp(-w), by Newton's method on log(erfc)."""
    if w < mpf(10) ** -30:
        return mp.sqrt(mp.pi) / 2
    x = mp.sqrt(-mp.expm1(-w))
    if w < mpf("0.2"):
        return mp.erfinv(x) / x
    wanted = -w - mp.log(1 + x)  # log(1 - x)
    y = mp.sqrt(-wanted) * mpf("0.9")
    for _ in range(60):
        value = mp.erfc(y)
        step = (mp.log(value) - wanted) * value * mp.exp(y * y) * mp.sqrt(mp.pi) / 2
        y += step
        if abs(step) < mpf(2) ** -120:
            break
    return y / x


def _normal_factor(s: mpf) -> mpf:
    """-ndtri(a) / (1 - 2*a) / sqrt(2) / s where s = sqrt(-log(4*a*(1 - a))), for small a.

    `a` is a root of a*(1 - a) = exp(-s*s)/4; ndtri by Newton's method on log(erfc).
    """
    w = mp.exp(-s * s)
    a = w / 2 / (1 + mp.sqrt(1 - w))
    y, wanted = s, mp.log(2 * a)
    for _ in range(60):
        slope = 2 / mp.sqrt(mp.pi) * mp.exp(-y * y) / mp.erfc(y)
        step = (mp.log(mp.erfc(y)) - wanted) / slope
        y += step
        if abs(step) < mpf(10) ** -60:
            break
    return y / (1 - 2 * a) / s


def _stirling_rest(z: mpf) -> mpf:
    """(lgamma(x) - Stirling's formula) * x at x = 1/sqrt(z)."""
    x = 1 / mp.sqrt(z)
    with mp.extraprec(200):
        rest = mp.loggamma(x) - (x - mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2
        return rest * x


def _digamma_rest(z: mpf) -> mpf:
    """(log(x) - 1/(2*x) - digamma(x)) * x*x at x = 1/sqrt(z)."""
    x = 1 / mp.sqrt(z)
    with mp.extraprec(200):
        return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) * x * x


DIGAMMA_ROOT = mp.findroot(mp.digamma, mpf("1.4616321449683623"))


def _digamma_factor(u: mpf) -> mpf:
    x = u + mpf("1.75")
    return mp.digamma(x) / (x - DIGAMMA_ROOT)


def _lgamma_factor(u: mpf) -> mpf:
    x = u + mpf("0.25")
    return mp.loggamma(2 + x) / x


def _bessel_factor(order: int, u: mpf) -> mpf:
    t = u + mpf("0.0625")
    if t < mpf(10) ** -5:  # Hankel's expansion, Abramowitz & Stegun 9.7.1
        total = term = mpf(1)
        for k in range(1, 18):
            term *= -(4 * order**2 - (2 * k - 1) ** 2) * t / (8 * k)
            total += term
        return total / mp.sqrt(2 * mp.pi)
    return mp.besseli(order, 1 / t) * mp.exp(-1 / t) / mp.sqrt(t)


# fmt: off
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
        *odd_tail(mp.tanh), both(0, mpf("0.5625") ** 2), {"f32": 5, "f64": 10},
    ),
    Fit(
        "LOG_DIRECT", "log(1+f) = f - f*f/2 + f*f*f*P(f)",
        lambda f: (mp.log1p(f) - f + f**2 / 2) / f**3, lambda f: f**3 / mp.log1p(f),
        {"f32": (LOG_LOW * SLACK, LOG_HIGH * SLACK)}, {"f32": 8},
    ),
    Fit(
        "LOG", "log((1+s)/(1-s)) = 2*s + s*z*P(z), z = s*s",
        _log_tail, lambda z: z / 2, both(0, LOG_S_SQUARED), {"f64": 7},
    ),
    Fit(
        "LOG2_WIDE", "log2((1+s)/(1-s)) = s*(c0 + z*(c1 + z*P(z))), z = s*s, c0, c1 in two parts",
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
        *odd_tail(mp.atan), both(0, 1), {"f32": 10, "f64": 20},
    ),
    Fit(
        "ASIN", "asin(t) = t + t*z*P(z), z = t*t",
        *odd_tail(mp.asin), both(0, 0.25), {"f32": 5, "f64": 12},
    ),
    Fit(
        "ERF", "erf(a) = a + a*P(z), z = a*a",
        lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1, lambda z: mp.sqrt(z) / mp.erf(mp.sqrt(z)),
        both(0, ERF_SPLIT**2), {"f32": 7, "f64": 12},
    ),
    Fit(
        "ERF_TAIL", "erf(a) = 1 - exp(P(a))",
        lambda a: mp.log(mp.erfc(a)), lambda a: mp.erfc(a) / mp.erf(a),
        {"f32": (ERF_SPLIT, mpf("3.94")), "f64": (ERF_SPLIT, mpf("5.94"))},
        {"f32": 8, "f64": 19},
    ),
    Fit(
        "ERFC_TAIL", "erfc(a) = exp(-a*a)*t*P(t - 0.21875), t = 1/(a + 1.5)",
        _erfc_factor, lambda u: 1 / _erfc_factor(u),
        {"f32": _erfc_interval("10.2"), "f64": _erfc_interval("27.4")}, {"f32": 9, "f64": 22},
    ),
    Fit(
        "ERFINV_CENTRE", "erfinv(x) = x*P(w - m), w = -log(1 - x*x), m = 2.5 or 3.125",
        {"f32": lambda u: _erfinv_factor(u + mpf("2.5")),
         "f64": lambda u: _erfinv_factor(u + mpf("3.125"))},
        {"f32": lambda u: 1 / _erfinv_factor(u + mpf("2.5")),
         "f64": lambda u: 1 / _erfinv_factor(u + mpf("3.125"))},
        {"f32": (mpf("-2.5"), mpf("2.5")), "f64": (mpf("-3.125"), mpf("3.125"))},
        {"f32": 10, "f64": 24},
    ),
    Fit(
        "ERFINV_MIDDLE", "erfinv(x) = x*P(sqrt(w) - m), m = 3.125 or 3.25",
        {"f32": lambda u: _erfinv_factor((u + mpf("3.125")) ** 2),
         "f64": lambda u: _erfinv_factor((u + mpf("3.25")) ** 2)},
        {"f32": lambda u: 1 / _erfinv_factor((u + mpf("3.125")) ** 2),
         "f64": lambda u: 1 / _erfinv_factor((u + mpf("3.25")) ** 2)},
        {"f32": (mp.sqrt(5) - mpf("3.125"), mpf("0.9")), "f64": (mpf("-0.75"), mpf("0.75"))},
        {"f32": 10, "f64": 20},
    ),
    Fit(
        "ERFINV_EDGE", "erfinv(x) = x*P(sqrt(w) - 5)",
        lambda u: _erfinv_factor((u + 5) ** 2), lambda u: 1 / _erfinv_factor((u + 5) ** 2),
        {"f64": (mpf(-1), mpf("1.01"))}, {"f64": 18},
    ),
    Fit(
        "NDTRI_TAIL", "ndtri(a) = -sqrt(2)*(1 - 2*a)*s*P(1/s - m), s = sqrt(-log(4*a*(1-a)))",
        {"f32": lambda t: _normal_factor(1 / (t + mpf("0.171875"))),
         "f64": lambda t: _normal_factor(1 / (t + mpf("0.1015625")))},
        {"f32": lambda t: 1 / _normal_factor(1 / (t + mpf("0.171875"))),
         "f64": lambda t: 1 / _normal_factor(1 / (t + mpf("0.1015625")))},
        {"f32": (mpf("-0.076"), mpf("0.079")), "f64": (mpf("-0.0652"), mpf("0.0652"))},
        {"f32": 7, "f64": 23},
    ),
    Fit(
        "LGAMMA", "lgamma(2 + u) = u*P(u - 0.25)",
        _lgamma_factor, lambda u: 1 / _lgamma_factor(u),
        both("-0.75", "0.75"), {"f32": 10, "f64": 22},
    ),
    Fit(
        "STIRLING", "lgamma(x) = (x - 0.5)*(log(x) - 1) + log(2*pi/e)/2 + t*P(t*t), t = 1/x",
        _stirling_rest, lambda z: mp.sqrt(z) / mp.loggamma(1 / mp.sqrt(z)),
        both(0, mpf(1) / 64), {"f32": 2, "f64": 6},
    ),
    Fit(
        "DIGAMMA", "digamma(x) = (x - root)*P(x - 1.75)",
        _digamma_factor, lambda u: 1 / _digamma_factor(u),
        both("-0.75", "0.75"), {"f32": 12, "f64": 26},
    ),
    Fit(
        "DIGAMMA_TAIL", "digamma(x) = log(x) - t/2 - z*P(z), t = 1/x, z = t*t",
        _digamma_rest, lambda z: z / mp.digamma(1 / mp.sqrt(z)),
        both(0, mpf(1) / 64), {"f32": 2, "f64": 6},
    ),
    Fit(
        "I0E_TAIL", "exp(-x)*I0(x) = P(1/x - 0.0625)/sqrt(x)",
        lambda u: _bessel_factor(0, u), lambda u: 1 / _bessel_factor(0, u),
        both("-0.0625", "0.0625"), {"f32": 7, "f64": 23},
    ),
    Fit(
        "I1E_TAIL", "exp(-x)*I1(x) = P(1/x - 0.0625)/sqrt(x)",
        lambda u: _bessel_factor(1, u), lambda u: 1 / _bessel_factor(1, u),
        both("-0.0625", "0.0625"), {"f32": 7, "f64": 23},
    ),
]
# fmt: on
