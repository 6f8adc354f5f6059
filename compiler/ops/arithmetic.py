"""Elementwise arithmetic: + − × ÷, remainders, extrema, rounding, fused multiply-add.

Takes: operands of one shape and dtype. Gives: records of the elementwise family.
Integer arithmetic wraps; x / 0 and x rem 0 are 0 (NumPy's rule), INT_MIN / −1 is INT_MIN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Domain, Facts, OpDef, Tangents
from ..scalars import Scalars
from ..types import FLOATS, NUMERIC, REAL, DType, i1
from . import complex_maths as cm
from .families import elementwise
from .pairs import bilinear, each, of_formula
from .source import constant, scalar_like, zeros_like


# -- scalar code -------------------------------------------------------------------------
def _divide_integers(s: Scalars, a: Value, b: Value, dtype: DType, *, remainder: bool) -> Value:
    """a / b or a rem b, truncated, with the divisors 0 and −1 taken out before the machine op."""
    zero, one = s.like(0, a), s.like(1, a)
    by_zero = s.compare("eq", b, zero)
    unsafe = by_zero
    if dtype.is_signed:
        by_minus_one = s.compare("eq", b, s.like(-1, b))
        unsafe = s.bit("or", by_zero, by_minus_one)
    safe = s.select(unsafe, one, b)
    suffix = "si" if dtype.is_signed else "ui"
    if remainder:
        return s.select(unsafe, zero, s.op(f"arith.rem{suffix}", a, safe))
    quotient = s.select(by_zero, zero, s.op(f"arith.div{suffix}", a, safe))
    return s.select(by_minus_one, s.neg(a), quotient) if dtype.is_signed else quotient


def _div(s: Scalars, a: Value, b: Value, dtype: DType) -> Value:
    return s.div(a, b) if dtype.is_float else _divide_integers(s, a, b, dtype, remainder=False)


def _rem(s: Scalars, a: Value, b: Value, dtype: DType) -> Value:
    if dtype.is_float:
        return s.op("arith.remf", a, b)
    return _divide_integers(s, a, b, dtype, remainder=True)


def _abs(s: Scalars, x: Value, dtype: DType) -> Value:
    if dtype.is_float:
        return s.math("absf", x)
    return s.maximum(x, s.neg(x)) if dtype.is_signed else x


def _sign(s: Scalars, x: Value, dtype: DType) -> Value:
    zero, one = s.like(0, x), s.like(1, x)
    positive = s.select(s.compare("gt", x, zero, signed=dtype.kind != "uint"), one, zero)
    if dtype.kind == "uint":
        return positive
    signed = s.select(s.compare("lt", x, zero), s.like(-1, x), positive)
    if not dtype.is_float:
        return signed
    unordered = s.op("arith.cmpf", x, x, type=i1, predicate="uno")
    keep = s.bit("or", unordered, s.compare("eq", x, zero))  # NaN stays NaN, −0 stays −0
    return s.select(keep, x, signed)


def _rounding(name: str) -> Any:
    def scalar(s: Scalars, x: Value, dtype: DType) -> Value:
        return s.math(name, x)

    return scalar


def _extremum(name: str) -> Any:
    def scalar(s: Scalars, a: Value, b: Value, dtype: DType) -> Value:
        if dtype is i1:
            return s.bit("or" if name == "maximum" else "and", a, b)
        extremum = s.maximum if name == "maximum" else s.minimum
        return extremum(a, b, signed=dtype.kind != "uint")

    return scalar


# -- references --------------------------------------------------------------------------
def integer_divide(a: Array, b: Array) -> Array:
    """Truncated division with x / 0 = 0 and INT_MIN / −1 = INT_MIN."""
    if a.dtype.kind == "c":
        return divide_complex(a, b)
    if a.dtype.kind == "f":
        return np.asarray(a / b)
    unsafe = (b == 0) | ((b == -1) if a.dtype.kind == "i" else False)
    safe = np.where(unsafe, np.ones_like(b), b)
    quotient = (a - np.fmod(a, safe)) // safe
    if a.dtype.kind == "i":
        quotient = np.where(b == -1, np.negative(a), quotient)
    return np.where(b == 0, np.zeros_like(a), quotient)


def divide_complex(z: Array, w: Array) -> Array:
    """z / w in a wider float; infinities and zeros as in C's Annex G."""
    wide: Any = np.float64 if z.dtype == np.complex64 else np.longdouble
    a, b, c, d = (x.astype(wide) for x in (z.real, z.imag, w.real, w.imag))
    endless, over_endless = np.isinf(a) | np.isinf(b), np.isinf(c) | np.isinf(d)
    a, b = (np.where(endless, np.copysign(np.isinf(x), x), x) for x in (a, b))
    c, d = (np.where(over_endless, np.copysign(np.isinf(x), x), x) for x in (c, d))
    square = c * c + d * d
    c = np.where(square == 0, np.copysign(1, c), c)
    factor = np.where(endless, np.where(over_endless, np.nan, np.inf), 0)
    out = np.empty(z.shape, z.dtype)
    for part, top in ((out.real, a * c + b * d), (out.imag, b * c - a * d)):
        quotient = top / square
        part[...] = np.where(endless | over_endless, quotient * factor, quotient)
    return out


def integer_remainder(a: Array, b: Array) -> Array:
    """The remainder of truncated division (sign of the dividend), x rem 0 = 0 for integers."""
    if a.dtype.kind == "f":
        return np.asarray(np.fmod(a, b))
    unsafe = (b == 0) | ((b == -1) if a.dtype.kind == "i" else False)
    return np.where(unsafe, np.zeros_like(a), np.fmod(a, np.where(unsafe, np.ones_like(b), b)))


def _maximum_reference(a: Array, b: Array) -> Array:
    """NumPy's maximum, with +0 above −0 as IEEE 754-2019 `maximum` has it."""
    out = np.maximum(a, b)
    if a.dtype.kind == "f":
        out = np.where((a == 0) & (b == 0), np.where(np.signbit(a), b, a), out)
    return np.asarray(out)


def _minimum_reference(a: Array, b: Array) -> Array:
    out = np.minimum(a, b)
    if a.dtype.kind == "f":
        out = np.where((a == 0) & (b == 0), np.where(np.signbit(a), a, b), out)
    return np.asarray(out)


# -- linear rules ------------------------------------------------------------------------
def _linearise_sum(second: str) -> Any:
    def linearise(
        b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
    ) -> Tangents:
        left, right = ts
        if left is None or right is None:
            only = left if right is None else right
            assert only is not None
            return [neg(b, only) if left is None and second == "sub" else only]
        return [(add if second == "add" else sub)(b, left, right)]

    return linearise


def _linearise_div(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    y = xs[1]
    total: Value | None = None if ts[0] is None else div(b, ts[0], y)
    if ts[1] is not None:
        term = div(b, mul(b, neg(b, ys[0]), ts[1]), y)
        total = term if total is None else add(b, total, term)
    return [total]


def _transpose_mul(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    x, y = xs
    (ct,) = cts
    assert ct is not None
    return [
        mul(b, ct, y) if x is None and y is not None else None,
        mul(b, x, ct) if y is None and x is not None else None,
    ]


# -- records -----------------------------------------------------------------------------
neg: OpDef = elementwise(
    "neg",
    "−x; wraps on integers.",
    np.negative,
    lambda s, x, dtype: s.neg(x),
    on=NUMERIC,
    linearise=lambda b, n, xs, ys, ts: [neg(b, ts[0])],
    transpose=lambda b, n, xs, cts: [neg(b, cts[0])],
    facts=Facts(involution=True),
    parts=each,
)
abs_ = elementwise(
    "abs",
    "|x|; |INT_MIN| is INT_MIN. The derivative at 0 is 0.",
    np.abs,
    _abs,
    on=NUMERIC,
    partials=[lambda b, y, x: sign(b, x)],
    facts=Facts(idempotent=False),
    domain=Domain(smooth=False),
)
sign: OpDef = elementwise(
    "sign",
    "−1, 0 or 1; NaN and −0 stay themselves.",
    lambda x: np.where((x == 0) | (x != x), x, np.sign(x)),
    _sign,
    on=NUMERIC,
    partials=[None],
    domain=Domain(smooth=False),
)
add = elementwise(
    "add",
    "x + y; wraps on integers.",
    np.add,
    lambda s, a, b, dtype: s.add(a, b),
    operands=2,
    on=NUMERIC,
    linearise=_linearise_sum("add"),
    transpose=lambda b, n, xs, cts: [cts[0], cts[0]],
    facts=Facts(commutative=True),
    ulp=0.5,
    parts=each,
)
sub = elementwise(
    "sub",
    "x − y; wraps on integers.",
    np.subtract,
    lambda s, a, b, dtype: s.sub(a, b),
    operands=2,
    on=NUMERIC,
    linearise=_linearise_sum("sub"),
    transpose=lambda b, n, xs, cts: [cts[0], neg(b, cts[0]) if xs[1] is None else None],
    facts=Facts(unit=0),
    ulp=0.5,
    parts=each,
)
mul = elementwise(
    "mul",
    "x · y; wraps on integers.",
    np.multiply,
    lambda s, a, b, dtype: s.mul(a, b),
    operands=2,
    on=NUMERIC,
    partials=[lambda b, z, x, y: y, lambda b, z, x, y: x],
    transpose=_transpose_mul,
    facts=Facts(unit=1, commutative=True),
    ulp=0.5,
    parts=bilinear,
)
div: OpDef = elementwise(
    "div",
    "x / y; on integers truncated, with x / 0 = 0 and INT_MIN / −1 = INT_MIN.",
    integer_divide,
    _div,
    operands=2,
    on=NUMERIC,
    linearise=_linearise_div,
    transpose=lambda b, n, xs, cts: [None if xs[1] is None else div(b, cts[0], xs[1]), None],
    facts=Facts(unit=1),
    cost=4.0,
    ulp=0.5,
    parts=of_formula(cm.divide),
)
rem = elementwise(
    "rem",
    "Remainder of truncated division, with the sign of x (C's fmod); on integers x rem 0 = 0.",
    integer_remainder,
    _rem,
    operands=2,
    on=NUMERIC,
    partials=[
        lambda b, z, x, y: scalar_like(b, 1, x),
        lambda b, z, x, y: neg(b, trunc(b, div(b, x, y))),
    ],
    domain=Domain(smooth=False),
    cost=40.0,
)
maximum = elementwise(
    "maximum",
    "The larger; NaN if either is NaN. The derivative splits evenly between equals.",
    _maximum_reference,
    _extremum("maximum"),
    operands=2,
    on=REAL,
    partials=[lambda b, z, x, y: _share(b, z, x, y), lambda b, z, x, y: _share(b, z, y, x)],
    facts=Facts(commutative=True, idempotent=True),
    domain=Domain(smooth=False),
)
minimum = elementwise(
    "minimum",
    "The smaller; NaN if either is NaN. The derivative splits evenly between equals.",
    _minimum_reference,
    _extremum("minimum"),
    operands=2,
    on=REAL,
    partials=[lambda b, z, x, y: _share(b, z, x, y), lambda b, z, x, y: _share(b, z, y, x)],
    facts=Facts(commutative=True, idempotent=True),
    domain=Domain(smooth=False),
)


def _fma_reference(a: Array, b: Array, c: Array) -> Array:
    """a·b + c rounded once: exact in rationals where the operands are finite."""
    out = np.empty(np.broadcast(a, b, c).shape, a.dtype)
    narrow = a.dtype.type
    for k, (x, y, z) in enumerate(np.broadcast(a, b, c)):
        if np.isfinite(x) and np.isfinite(y) and np.isinf(z):
            out.flat[k] = z  # also where x · y alone would overflow
            continue
        if not np.isfinite([x, y, z]).all() or x == 0 or y == 0:
            out.flat[k] = narrow(x * y + z)
            continue
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        out.flat[k] = _round_fraction(exact, a.dtype) if exact else narrow(x * y + z)
    return out


def _round_fraction(exact: Any, dtype: np.dtype[Any]) -> Any:
    """The nearest float of `dtype` to a fraction, ties to even."""
    try:
        guess = dtype.type(float(exact))
    except OverflowError:
        guess = dtype.type(math.inf if exact > 0 else -math.inf)
    candidates = [
        np.nextafter(guess, dtype.type(-np.inf)),
        guess,
        np.nextafter(guess, dtype.type(np.inf)),
    ]
    finite = [c for c in candidates if np.isfinite(c)]
    if not np.isfinite(guess):
        return guess
    uint = np.dtype(f"u{dtype.itemsize}")

    def distance(c: Any) -> Any:
        return (abs(Fraction(float(c)) - exact), int(c.view(uint)) & 1)

    return min(finite, key=distance)


fma = elementwise(
    "fma",
    "x · y + z, rounded once.",
    _fma_reference,
    lambda s, a, b, c, dtype: s.fma(a, b, c),
    operands=3,
    on=FLOATS,
    partials=[
        lambda b, w, x, y, z: y,
        lambda b, w, x, y, z: x,
        lambda b, w, x, y, z: scalar_like(b, 1, x),
    ],
    ulp=0.5,
)
floor = elementwise(
    "floor", "The largest integer not above x.", np.floor, _rounding("floor"), on=FLOATS,
    partials=[None], facts=Facts(idempotent=True), domain=Domain(smooth=False),
)  # fmt: skip
ceil = elementwise(
    "ceil", "The smallest integer not below x.", np.ceil, _rounding("ceil"), on=FLOATS,
    partials=[None], facts=Facts(idempotent=True), domain=Domain(smooth=False),
)  # fmt: skip
trunc: OpDef = elementwise(
    "trunc", "x rounded towards zero.", np.trunc, _rounding("trunc"), on=FLOATS,
    partials=[None], facts=Facts(idempotent=True), domain=Domain(smooth=False),
)  # fmt: skip
round_ = elementwise(
    "round", "x rounded to the nearest integer, ties to even.", np.rint, _rounding("roundeven"),
    on=FLOATS, partials=[None], facts=Facts(idempotent=True), domain=Domain(smooth=False),
)  # fmt: skip


def _share(b: Builder, z: Value, mine: Value, other: Value) -> Value:
    """1 where `mine` alone is the extremum z, ½ where both are, 0 elsewhere."""
    one, zero = scalar_like(b, 1, z), zeros_like(b, z)
    half = constant(b, 0.5, z.type.dtype, z.shape)
    chosen = OPS["equal"](b, mine, z)
    tied = OPS["equal"](b, mine, other)
    return OPS["select"](b, chosen, OPS["select"](b, tied, half, one), zero)
