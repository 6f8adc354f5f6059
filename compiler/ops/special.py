"""Special functions of floats: gamma and its kin, Bessel functions, the inverse of the normal.

Takes: float operands of one shape. Gives: records of the elementwise family.
References are computed in float64 by ways of their own (sums to the last digit, the standard
library). Must not know: how the functions are approximated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from statistics import NormalDist

import numpy as np

from ..graph import Builder, Node, Value
from ..maths import ACCURACY
from ..maths.polygamma import BERNOULLI, LARGEST_ORDER
from ..maths.polygamma import polygamma as polygamma_code
from ..opdef import Array, Attrs, Domain, OpDef, Tangents, Types, define
from ..scalars import Scalars
from ..types import FLOATS, DType
from . import draws
from .arithmetic import add, div, mul, sign, sub
from .families import arity, batch_elementwise, elementwise, require, same_operands, widened
from .functions import INF, NAN, exp
from .logic import equal, select
from .scalar_maths import ScalarMaths, expanded
from .source import scalar_like


def _reference(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """A function of Python floats, element by element; NaN stays."""
    vector = np.vectorize(lambda x: x if math.isnan(x) else function(x), otypes=[np.float64])
    return lambda x: np.asarray(vector(x.astype(np.float64)))


def _special(
    name: str,
    doc: str,
    reference: Callable[[float], float],
    partial: Callable[..., Value],
    domain: tuple[float, float],
    edges: Sequence[tuple[float, float]],
    cost: float,
) -> OpDef:
    return elementwise(
        name, doc, _reference(reference), expanded(name), on=FLOATS, partials=[partial],
        domain=Domain(*domain), cost=cost, ulp=max(ACCURACY[name].values()) + 1.0,
        edge_cases=tuple(((x,), y) for x, y in (*edges, (NAN, NAN))),
    )  # fmt: skip


# -- the gamma function ------------------------------------------------------------------
def _is_pole(x: float) -> bool:
    return x <= 0 and x == math.floor(x)


@cache
def _near_two() -> tuple[float, ...]:
    """lgamma(2 + u) = Σ cₖ uᵏ: 1 - γ, then (-1)ᵏ (ζ(k) - 1)/k (Abramowitz & Stegun 6.1.33)."""
    zetas = [abs(_polygamma(k - 1, 2.0)) / math.factorial(k - 1) for k in range(2, 60)]
    return (1 - EULER, *((-1) ** k * z / k for k, z in enumerate(zetas, 2)))


EULER = 0.5772156649015329


def _lgamma(x: float) -> float:
    if math.isinf(x) or _is_pole(x):
        return INF
    if 0.5 < x < 2.5:  # near its zeros the standard library's has lost digits
        u = x - 2 if x > 1.5 else x - 1
        value = math.fsum(c * u**k for k, c in enumerate(_near_two(), 1))
        return value if x > 1.5 else value - math.log1p(u)
    if 2.5 <= x < 8:
        return _lgamma(x - 1) + math.log(x - 1)
    if x < 0:
        wide, pi = np.longdouble(-x), np.longdouble(math.pi) + np.longdouble(1.2246467991473532e-16)
        sine = abs(np.sin(pi * np.longdouble(math.remainder(x, 1))))
        return float(np.log(pi / (wide * sine)) - _lgamma(-x))
    try:
        return math.lgamma(x)
    except OverflowError:
        return INF


def _gamma(x: float) -> float:
    if x == 0:
        return math.copysign(INF, x)
    if x == -INF or _is_pole(x):
        return NAN
    try:
        return math.gamma(x)
    except OverflowError:
        return INF


def _polygamma(order: int, x: float) -> float:
    """ψ⁽ⁿ⁾(x) by 40 terms and Euler-Maclaurin summation of the rest, summed exactly."""
    if x == INF:
        return INF if order == 0 else 0.0 * (-1) ** (order + 1)
    if x == -INF or _is_pole(x):
        if order % 2:
            return NAN if x == -INF else INF
        return math.copysign(INF, -x) if x == 0 else NAN
    if x < 0:
        return _reflected(order, x)
    a, s = np.float64(x) + 40, order + 1  # NumPy's overflows to inf where Python's raises
    if order == 0:
        terms = [np.log(a), -0.5 / a] + [np.float64(-1 / (x + k)) for k in range(40)]
        terms += [-float(c) / (2 * j * a ** (2 * j)) for j, c in enumerate(BERNOULLI, 1)]
        return float(math.fsum(terms))
    terms = [np.float64(x + k) ** -s for k in range(40)] + [a ** (1 - s) / (s - 1), a**-s / 2]
    rising = float(s)
    for j, c in enumerate(BERNOULLI, 1):
        terms.append(float(c) / math.factorial(2 * j) * rising * a ** (1 - s - 2 * j))
        rising *= (s + 2 * j - 1) * (s + 2 * j)
    total = INF if INF in terms else math.fsum(terms)
    return float((-1) ** (order + 1) * math.factorial(order) * total)


def _reflected(order: int, x: float) -> float:
    """(-1)ⁿ ψ⁽ⁿ⁾(1 - x) - dⁿ/dxⁿ π cot(πx), the derivative as a sum over the poles nearby."""
    rest = (-1) ** order * _polygamma(order, 1 - x)
    turn = math.remainder(x, 1)
    cotangent = math.sin(math.pi * (0.5 - abs(turn))) / math.sin(math.pi * turn)
    if order == 0:
        return float(rest - math.pi * cotangent)
    # with c = cot: c' = -(1 + c²)
    slope = np.polynomial.Polynomial([0, 1])
    for _ in range(order):
        slope = -slope.deriv() * np.polynomial.Polynomial([1, 0, 1])
    return float(rest - math.pi ** (order + 1) * slope(cotangent))


def _polygamma_infer(types: Types, attrs: Attrs) -> Types:
    arity("polygamma", types, 1)
    order = attrs["order"]
    require(
        isinstance(order, int) and 0 <= order <= LARGEST_ORDER,
        f"polygamma has orders from 0 to {LARGEST_ORDER}, got {order!r}",
    )
    return (same_operands("polygamma", types, FLOATS),)


def _polygamma_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    with np.errstate(all="ignore"):
        value = _reference(lambda x: _polygamma(attrs["order"], x))(arrays[0])
        return [value.astype(arrays[0].dtype)]


def _polygamma_scalar(s: Scalars, x: Value, dtype: DType, attrs: Attrs) -> Value:
    order = attrs["order"]
    if order == 0:
        return expanded("digamma")(s, x, dtype=dtype)
    return polygamma_code(ScalarMaths(s), x, order)


def _polygamma_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    (x,), (t,) = xs, ts
    assert t is not None
    return [mul(b, polygamma(b, x, order=node.attrs["order"] + 1), t)]


polygamma = define(
    OpDef(
        name="polygamma",
        family="elementwise",
        doc="The derivative of log Γ of order `order` + 1; order 0 is the digamma function.",
        infer=_polygamma_infer,
        reference=_polygamma_reference,
        scalar=widened(_polygamma_scalar),
        linearise=_polygamma_linearise,
        batch=batch_elementwise,
        domain=Domain(0.3, 9),
        cost=140.0,
        ulp=12.0,
        dtypes=FLOATS,
        examples=draws.from_tensors(
            FLOATS, lambda rng, x: ((x,), {"order": int(rng.integers(0, 4))})
        ),
        extra={"operands": 1, "takes_attrs": True},
    )
)
lgamma = _special(
    "lgamma",
    "log |Γ(x)|; inf at 0, at negative integers and at ±inf.",
    _lgamma,
    lambda b, y, x: polygamma(b, x, order=0),
    (0.2, 9),
    [(1.0, 0.0), (2.0, 0.0), (0.0, INF), (-1.0, INF), (INF, INF), (-INF, INF)],
    140.0,
)
gamma = _special(
    "gamma",
    "Γ(x), (x − 1)! for whole x; infinite at zeros with their sign, NaN at negative integers.",
    _gamma,
    lambda b, y, x: mul(b, y, polygamma(b, x, order=0)),
    (0.2, 9),
    [(1.0, 1.0), (0.0, INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (-INF, NAN)],
    148.0,
)


# -- the normal distribution ---------------------------------------------------------------
def _ndtri(p: float) -> float:
    if p in (0, 1):
        return INF if p else -INF
    return NormalDist().inv_cdf(p) if 0 < p < 1 else NAN


ndtri = _special(
    "ndtri",
    "Where the standard normal distribution function is p: −inf at 0, inf at 1, NaN outside.",
    _ndtri,
    lambda b, y, p: mul(
        b, scalar_like(b, math.sqrt(2 * math.pi), p), exp(b, mul(b, mul(b, y, y), _half(b, y)))
    ),
    (0.01, 0.99),
    [(0.0, -INF), (1.0, INF), (-0.5, NAN), (1.5, NAN), (INF, NAN)],
    100.0,
)


def _half(b: Builder, x: Value) -> Value:
    return scalar_like(b, 0.5, x)


# -- Bessel functions ----------------------------------------------------------------------
def _bessel(order: int) -> Callable[[float], float]:
    """exp(-|x|)·I(x) by its series, or for large x by Hankel's expansion (A&S 9.6.10, 9.7.1)."""

    def value(x: float) -> float:
        a = abs(x)
        sign = -1.0 if order and math.copysign(1, x) < 0 else 1.0
        if a > 40:
            terms, factor = [1.0], 1.0
            for k in range(1, 30):
                factor *= -(4 * order**2 - (2 * k - 1) ** 2) / (8 * k * a)
                terms.append(factor)
            return sign * math.fsum(terms) / (math.sqrt(2 * math.pi) * math.sqrt(a))
        terms, term = [], (a / 2) ** order
        for k in range(1, 120):
            terms.append(term)
            term *= (a / 2) ** 2 / (k * (k + order))
        return sign * math.exp(-a) * math.fsum(terms)

    return value


def _i0e_partial(b: Builder, y: Value, x: Value) -> Value:
    return sub(b, i1e(b, x), mul(b, sign(b, x), y))


def _i1e_partial(b: Builder, y: Value, x: Value) -> Value:
    """I₀ − I₁·(sign x + 1/x), ½ at 0."""
    zero = equal(b, x, scalar_like(b, 0, x))
    ratio = div(b, y, select(b, zero, scalar_like(b, 1, x), x))
    ratio = select(b, zero, _half(b, x), ratio)
    return sub(b, i0e(b, x), add(b, mul(b, sign(b, x), y), ratio))


i0e = _special(
    "i0e", "exp(−|x|)·I₀(x), the modified Bessel function of order 0, scaled.", _bessel(0),
    _i0e_partial, (-12, 12), [(0.0, 1.0), (INF, 0.0), (-INF, 0.0)], 60.0,
)  # fmt: skip
i1e = _special(
    "i1e", "exp(−|x|)·I₁(x), the modified Bessel function of order 1, scaled.", _bessel(1),
    _i1e_partial, (-12, 12), [(0.0, 0.0), (-0.0, -0.0), (INF, 0.0), (-INF, -0.0)], 60.0,
)  # fmt: skip
