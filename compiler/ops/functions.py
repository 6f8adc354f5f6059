"""Elementwise functions of floats: roots, exponentials, logarithms, trigonometry, error function.

Takes: float operands of one shape. Gives: records of the elementwise family.
Edge values follow C's Annex F; partial derivatives are right at the edges of the domain, and none
makes NaN out of a branch that a `select` discards. Must not know: how they are approximated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..maths import ACCURACY
from ..opdef import Array, Domain, EdgeCase, Facts, OpDef, Tangents
from ..scalars import Scalars
from ..types import FLOATS, DType
from . import complex_maths as cm
from .arithmetic import add, div, divide_complex, mul, neg, sub
from .families import Partial, elementwise
from .logic import equal, select
from .pairs import of_formula
from .scalar_maths import accuracy, expanded
from .source import constant, scalar_like

INF, NAN = math.inf, math.nan
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


# -- what the records share --------------------------------------------------------------
_WIDER: dict[str, type[np.inexact[Any]]] = {
    "float64": np.longdouble, "complex64": np.complex128, "complex128": np.clongdouble,
}  # fmt: skip


def accurate(function: Callable[..., Any]) -> Callable[..., Array]:
    """`function` computed in a wider float than its operands where there is one: a reference."""

    def refer(*xs: Array) -> Array:
        wide = _WIDER.get(xs[0].dtype.name, np.float64)
        return np.asarray(function(*(x.astype(wide) for x in xs)))

    return refer


def _double(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """A function of Python floats, element by element."""
    vector = np.vectorize(function, otypes=[np.float64])
    return lambda x: np.asarray(vector(x.astype(np.float64)))


def math_op(name: str) -> Callable[..., Value]:
    """Scalar code that is one op of MLIR's math dialect."""

    def scalar(s: Scalars, *xs: Value, dtype: DType) -> Value:
        return s.math(name, *xs)

    return scalar


def _function(
    name: str,
    doc: str,
    reference: Callable[..., Any],
    partial: Partial | None,
    domain: tuple[float, float],
    edges: Sequence[tuple[float, float]],
    **fields: Any,
) -> OpDef:
    """A unary function; `partial(b, y, x)` is its derivative, `edges` pairs of x and f(x)."""
    given = {"ulp": accuracy(name) if name in ACCURACY else 0.5, "cost": 15.0, **fields}
    scalar = given.pop("scalar", math_op(name))
    if partial is not None:
        given["partials"] = [partial]
    cases: tuple[EdgeCase, ...] = tuple(((x,), y) for x, y in (*edges, (NAN, NAN)))
    return elementwise(
        name,
        doc,
        reference,
        scalar,
        on=FLOATS,
        domain=Domain(*domain),
        edge_cases=cases,
        **given,
    )


def _times(b: Builder, factor: float, x: Value) -> Value:
    return mul(b, scalar_like(b, factor, x), x)


def _over(b: Builder, numerator: float, x: Value) -> Value:
    return div(b, scalar_like(b, numerator, x), x)


def _one(b: Builder, x: Value) -> Value:
    return scalar_like(b, 1, x)


def _one_minus_square(b: Builder, x: Value) -> Value:
    """1 − x² as (1 − x)(1 + x), which is accurate near ±1."""
    return mul(b, sub(b, _one(b, x), x), add(b, _one(b, x), x))


def _one_plus_square(b: Builder, x: Value) -> Value:
    return add(b, _one(b, x), mul(b, x, x))


def _root_of_one_plus_square(b: Builder, x: Value) -> Value:
    """√(1 + x²) without overflow; of complex numbers √(1 + ix) √(1 − ix), with asinh's cuts."""
    one = _one(b, x)
    if not x.type.dtype.is_complex:
        return hypot(b, x, one)
    turned = mul(b, constant(b, 1j, x.type.dtype, x.shape), x)
    return mul(b, sqrt(b, add(b, one, turned)), sqrt(b, sub(b, one, turned)))


# -- roots -------------------------------------------------------------------------------
def _sqrt_reference(x: Array) -> Array:
    """Real roots are correctly rounded anyway."""
    return np.asarray(accurate(np.sqrt)(x) if x.dtype.kind == "c" else np.sqrt(x))


sqrt = _function(
    "sqrt",
    "The square root; NaN below zero. The derivative at 0 is +inf.",
    _sqrt_reference,
    lambda b, y, x: _over(b, 0.5, y),
    (0.01, 10),
    [(0.0, 0.0), (-0.0, -0.0), (-1.0, NAN), (INF, INF), (4.0, 2.0)],
    cost=6.0,
    parts=of_formula(cm.sqrt),
)
rsqrt = _function(
    "rsqrt",
    "1 / √x; ±inf at ±0, NaN below zero.",
    accurate(
        lambda x: (
            divide_complex(np.ones_like(x), np.sqrt(x)) if x.dtype.kind == "c" else 1 / np.sqrt(x)
        )
    ),
    lambda b, y, x: _times(b, -0.5, div(b, y, x)),
    (0.01, 10),
    [(0.0, INF), (-0.0, -INF), (-1.0, NAN), (INF, 0.0), (4.0, 0.5)],
    cost=10.0,
    parts=of_formula(cm.rsqrt),
)
cbrt = _function(
    "cbrt",
    "The cube root, odd in x. The derivative at 0 is +inf.",
    accurate(np.cbrt),
    lambda b, y, x: _over(b, 1 / 3, mul(b, y, y)),
    (-10, 10),
    [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (-8.0, -2.0)],
    cost=25.0,
)

# -- exponentials and logarithms -----------------------------------------------------------
exp = _function(
    "exp",
    "e to the power x.",
    accurate(np.exp),
    lambda b, y, x: y,
    (-4, 4),
    [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e5, INF), (-1e5, 0.0)],
    parts=of_formula(cm.exp),
)
exp2 = _function(
    "exp2",
    "2 to the power x, exact for integers in range.",
    accurate(np.exp2),
    lambda b, y, x: _times(b, math.log(2), y),
    (-4, 4),
    [(0.0, 1.0), (3.0, 8.0), (-2.0, 0.25), (INF, INF), (-INF, 0.0)],
)


def _expm1_reference(x: Array) -> Array:
    """NumPy's, and its real part for complex numbers without cancellation near 0."""
    if x.dtype.kind != "c":
        return np.asarray(np.expm1(x))
    out = np.asarray(np.exp(x))
    near = np.expm1(x.real) * np.cos(x.imag) - 2 * np.sin(x.imag / 2) ** 2
    out.real = np.where((x.real < 30) & np.isfinite(near), near, out.real - 1)
    return out


expm1 = _function(
    "expm1",
    "eˣ − 1, accurate near 0.",
    accurate(_expm1_reference),
    lambda b, y, x: exp(b, x),
    (-4, 4),
    [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0)],
    parts=of_formula(cm.expm1),
)


def _log_linearise(scale: float) -> Callable[..., Tangents]:
    """t / (x · scale): one rounding less than (1 / x) · t, and right for subnormal x."""

    def linearise(
        b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
    ) -> Tangents:
        (x,), (t,) = xs, ts
        assert t is not None
        return [div(b, t, x if scale == 1 else _times(b, scale, x))]

    return linearise


_LOG_EDGES = [(0.0, -INF), (-0.0, -INF), (-1.0, NAN), (1.0, 0.0), (INF, INF), (-INF, NAN)]
log = _function(
    "log", "The natural logarithm; −inf at 0, NaN below.", accurate(np.log), None, (0.05, 10),
    _LOG_EDGES, linearise=_log_linearise(1),
    parts=of_formula(cm.log),
)  # fmt: skip
log2 = _function(
    "log2", "The logarithm to base 2.", accurate(np.log2), None, (0.05, 10),
    [*_LOG_EDGES, (8.0, 3.0)], linearise=_log_linearise(math.log(2)),
    parts=of_formula(cm.log_to_base(2)),
)  # fmt: skip
log10 = _function(
    "log10", "The logarithm to base 10.", accurate(np.log10), None, (0.05, 10),
    [*_LOG_EDGES, (100.0, 2.0)], linearise=_log_linearise(math.log(10)),
    parts=of_formula(cm.log_to_base(10)),
)  # fmt: skip


def _log1p_reference(x: Array) -> Array:
    """NumPy's; for complex numbers near 0 half of log1p(2x + x² + y²), which it lacks."""
    if x.dtype.kind != "c":
        return np.asarray(np.log1p(x))
    out = np.asarray(np.log(1 + x))
    small = np.maximum(np.abs(x.real), np.abs(x.imag)) < 0.5
    inner = np.where(small, x.real * (2 + x.real) + x.imag**2, 0)
    out.real = np.where(small, np.log1p(inner) / 2, out.real)
    out.imag = np.arctan2(x.imag, 1 + x.real)
    return out


log1p = _function(
    "log1p",
    "log(1 + x), accurate near 0.",
    accurate(_log1p_reference),
    lambda b, y, x: _over(b, 1, add(b, _one(b, x), x)),
    (-0.9, 10),
    [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-2.0, NAN), (INF, INF)],
    parts=of_formula(cm.log1p),
)

# -- trigonometry --------------------------------------------------------------------------
sin = _function(
    "sin",
    "The sine of x radians, for every finite x.",
    accurate(np.sin),
    lambda b, y, x: cos(b, x),
    (-10, 10),
    [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    cost=25.0,
    parts=of_formula(cm.sin),
)
cos: OpDef = _function(
    "cos",
    "The cosine of x radians, for every finite x.",
    accurate(np.cos),
    lambda b, y, x: neg(b, sin(b, x)),
    (-10, 10),
    [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN)],
    cost=25.0,
    parts=of_formula(cm.cos),
)
tan = _function(
    "tan",
    "The tangent of x radians, for every finite x.",
    accurate(np.tan),
    lambda b, y, x: _one_plus_square(b, y),
    (-1.4, 1.4),
    [(0.0, 0.0), (-0.0, -0.0), (INF, NAN)],
    cost=40.0,
    parts=of_formula(cm.tan),
)
asin = _function(
    "asin",
    "The angle in [−π/2, π/2] whose sine is x; NaN outside [−1, 1].",
    accurate(np.arcsin),
    lambda b, y, x: rsqrt(b, _one_minus_square(b, x)),
    (-0.95, 0.95),
    [(0.0, 0.0), (-0.0, -0.0), (1.5, NAN), (-1.5, NAN)],
    cost=30.0,
    parts=of_formula(cm.asin),
)
acos = _function(
    "acos",
    "The angle in [0, π] whose cosine is x; NaN outside [−1, 1].",
    accurate(np.arccos),
    lambda b, y, x: neg(b, rsqrt(b, _one_minus_square(b, x))),
    (-0.95, 0.95),
    [(1.0, 0.0), (1.5, NAN), (-1.5, NAN)],
    cost=30.0,
    parts=of_formula(cm.acos),
)
atan = _function(
    "atan",
    "The angle in (−π/2, π/2) whose tangent is x.",
    accurate(np.arctan),
    lambda b, y, x: _over(b, 1, _one_plus_square(b, x)),
    (-10, 10),
    [(0.0, 0.0), (-0.0, -0.0)],
    cost=25.0,
    parts=of_formula(cm.atan),
)

# -- hyperbolic ------------------------------------------------------------------------------
sinh = _function(
    "sinh",
    "The hyperbolic sine.",
    accurate(np.sinh),
    lambda b, y, x: cosh(b, x),
    (-4, 4),
    [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    cost=25.0,
    parts=of_formula(cm.sinh),
)
cosh: OpDef = _function(
    "cosh",
    "The hyperbolic cosine.",
    accurate(np.cosh),
    lambda b, y, x: sinh(b, x),
    (-4, 4),
    [(0.0, 1.0), (INF, INF), (-INF, INF)],
    cost=25.0,
    parts=of_formula(cm.cosh),
)
tanh = _function(
    "tanh",
    "The hyperbolic tangent.",
    accurate(np.tanh),
    lambda b, y, x: _one_minus_square(b, y),
    (-4, 4),
    [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0)],
    cost=20.0,
    parts=of_formula(cm.tanh),
)
asinh = _function(
    "asinh",
    "The inverse hyperbolic sine.",
    accurate(np.arcsinh),
    lambda b, y, x: _over(b, 1, _root_of_one_plus_square(b, x)),
    (-10, 10),
    [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    cost=40.0,
    parts=of_formula(cm.asinh),
)
acosh = _function(
    "acosh",
    "The inverse hyperbolic cosine, ≥ 0; NaN below 1. The derivative at 1 is +inf.",
    accurate(np.arccosh),
    lambda b, y, x: mul(b, rsqrt(b, sub(b, x, _one(b, x))), rsqrt(b, add(b, x, _one(b, x)))),
    (1.05, 10),
    [(1.0, 0.0), (0.5, NAN), (INF, INF), (-INF, NAN)],
    cost=40.0,
    parts=of_formula(cm.acosh),
)
atanh = _function(
    "atanh",
    "The inverse hyperbolic tangent; ±inf at ±1, NaN beyond.",
    accurate(np.arctanh),
    lambda b, y, x: _over(b, 1, _one_minus_square(b, x)),
    (-0.95, 0.95),
    [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN)],
    cost=30.0,
    parts=of_formula(cm.atanh),
)

# -- error function --------------------------------------------------------------------------


def _bell(b: Builder, sign: float, x: Value) -> Value:
    """± 2/√π · exp(−x²), the derivative of erf and erfc."""
    return _times(b, sign * TWO_OVER_SQRT_PI, exp(b, neg(b, mul(b, x, x))))


erf = _function(
    "erf",
    "The error function 2/√π ∫₀ˣ exp(−t²) dt.",
    _double(math.erf),
    lambda b, y, x: _bell(b, 1, x),
    (-3, 3),
    [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0)],
    cost=30.0,
)
erfc = _function(
    "erfc",
    "1 − erf(x), accurate where erf is near 1.",
    _double(math.erfc),
    lambda b, y, x: _bell(b, -1, x),
    (-3, 3),
    [(0.0, 1.0), (INF, 0.0), (-INF, 2.0)],
    cost=40.0,
)


def _erfinv_double(x: float) -> float:
    """Newton's method on erf, or on erfc where erf is near ±1, from Winitzki's estimate.

    Source of the estimate: S. Winitzki, "A handy approximation for the error function and its
    inverse" (2008), with a = 0.147: its error is below 0.4 %.
    """
    size = abs(x)
    if not size < 1:
        return math.copysign(INF, x) if size == 1 else NAN
    shrunk = math.log1p(-size * size)
    centre = 2 / (math.pi * 0.147) + shrunk / 2
    y = math.sqrt(max(0.0, math.sqrt(centre * centre - shrunk / 0.147) - centre))
    for _ in range(5):
        excess = math.erf(y) - size if size < 0.5 else (1 - size) - math.erfc(y)
        y -= excess / (TWO_OVER_SQRT_PI * math.exp(-y * y))
    return math.copysign(y, x)


erfinv = _function(
    "erfinv",
    "The number whose erf is x; ±inf at ±1, NaN beyond.",
    _double(_erfinv_double),
    lambda b, y, x: _times(b, 1 / TWO_OVER_SQRT_PI, exp(b, mul(b, y, y))),
    (-0.95, 0.95),
    [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), (-INF, NAN)],
    scalar=expanded("erfinv"),
    cost=130.0,
)

# -- the length of (x, y), which asinh needs ---------------------------------------------------


def _hypot_partial(b: Builder, z: Value, x: Value) -> Value:
    """x / z, and 0 at the origin."""
    return div(b, x, nonzero(b, z))


def nonzero(b: Builder, x: Value) -> Value:
    """x, with 1 in place of 0: a safe divisor where the numerator is 0 too."""
    return select(b, equal(b, x, scalar_like(b, 0, x)), _one(b, x), x)


hypot: OpDef = elementwise(
    "hypot",
    "√(x² + y²) without overflow on the way; inf if either is infinite. Its derivative at 0 is 0.",
    accurate(np.hypot),
    expanded("hypot"),
    operands=2,
    on=FLOATS,
    partials=[
        lambda b, z, x, y: _hypot_partial(b, z, x),
        lambda b, z, x, y: _hypot_partial(b, z, y),
    ],
    facts=Facts(commutative=True),
    domain=Domain(-4, 4),
    cost=25.0,
    ulp=accuracy("hypot"),
    edge_cases=(
        ((0.0, -0.0), 0.0), ((INF, NAN), INF), ((NAN, -INF), INF), ((NAN, 1.0), NAN),
        ((3.0, -4.0), 5.0),
    ),
)  # fmt: skip
