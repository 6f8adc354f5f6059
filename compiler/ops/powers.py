"""Elementwise functions of two floats, and integer powers: pow, atan2, copysign, nextafter.

Takes: operands of one shape and dtype. Gives: records of the elementwise family.
Edge values follow C's Annex F. Must not know: how the functions are approximated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import Array, Attrs, Domain, OpDef, Pair, Part, Tangents, Types, define
from ..scalars import Scalars
from ..types import FLOATS, NUMBERS, NUMERIC, DType, TensorType, bf16, f32, i1
from . import complex_maths as cm
from . import draws
from .arithmetic import div, divide_complex, mul, neg, sign, sub
from .families import arity, batch_elementwise, elementwise, require, same_operands, widened
from .functions import INF, NAN, accurate, hypot, log, math_op, nonzero
from .logic import bit_and, equal, greater_equal, select
from .pairs import of_formula, times
from .scalar_maths import accuracy
from .source import bf16_bits, bf16_values, scalar_like, zeros_like


# -- pow ---------------------------------------------------------------------------------
def _pow_by_base(b: Builder, z: Value, x: Value, y: Value) -> Value:
    """y · x^(y−1), which is 0 for y = 0 whatever x is."""
    one, zero = scalar_like(b, 1, x), zeros_like(b, x)
    constant = equal(b, y, zero)
    lower = select(b, constant, one, sub(b, y, one))
    return select(b, constant, zero, mul(b, y, pow_(b, x, lower)))


def _pow_by_exponent(b: Builder, z: Value, x: Value, y: Value) -> Value:
    """x^y · log x, which is 0 at x = 0 for y ≥ 0 (the limit from above)."""
    zero = zeros_like(b, x)
    flat = equal(b, x, zero)
    if not x.type.dtype.is_complex:
        flat = bit_and(b, flat, greater_equal(b, y, zero))
    return mul(b, z, log(b, select(b, flat, scalar_like(b, 1, x), x)))


pow_ = elementwise(
    "pow",
    "x to the power y: 1 for y = 0 or x = 1 whatever the other; NaN for x < 0 unless y is whole.",
    accurate(np.power),
    math_op("powf"),
    operands=2,
    on=FLOATS,
    partials=[_pow_by_base, _pow_by_exponent],
    domain=Domain(0.2, 3),
    cost=60.0,
    ulp=accuracy("pow"),
    parts=of_formula(cm.power),
    edge_cases=(
        ((0.0, 0.0), 1.0), ((NAN, 0.0), 1.0), ((1.0, NAN), 1.0), ((0.0, -1.0), INF),
        ((-0.0, -1.0), -INF), ((-0.0, 3.0), -0.0), ((-0.0, 2.0), 0.0), ((-2.0, 3.0), -8.0),
        ((-2.0, 0.5), NAN), ((INF, -1.0), 0.0), ((-INF, 3.0), -INF), ((0.5, INF), 0.0),
        ((2.0, -INF), 0.0), ((-1.0, INF), 1.0), ((2.0, NAN), NAN),
    ),
)  # fmt: skip


# -- integer powers ------------------------------------------------------------------------
def _by_squaring(x: Any, exponent: int, multiply: Callable[[Any, Any], Any]) -> Any:
    """x^exponent for exponent ≥ 1 in at most 2·log₂ exponent products."""
    result: Any = None
    while True:
        if exponent & 1:
            result = x if result is None else multiply(result, x)
        exponent >>= 1
        if not exponent:
            return result
        x = multiply(x, x)


def _integer_pow_infer(types: Types, attrs: Attrs) -> Types:
    arity("integer_pow", types, 1)
    x = same_operands("integer_pow", types, NUMBERS)
    exponent = attrs["exponent"]
    require(
        isinstance(exponent, int) and not isinstance(exponent, bool),
        f"integer_pow needs an int exponent, got {exponent!r}; use pow for others",
    )
    require(
        exponent >= 0 or x.dtype.is_inexact,
        f"integer_pow: {x.short} to the negative power {exponent} is no integer; "
        "convert it to a float first",
    )
    return types


def _integer_pow_scalar(s: Scalars, x: Value, dtype: DType, attrs: Attrs) -> Value:
    exponent = attrs["exponent"]
    if exponent == 0:
        return s.like(1, x)
    power: Value = _by_squaring(x, abs(exponent), s.mul)
    return power if exponent > 0 else s.div(s.like(1, x), power)


def _integer_pow_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    (x,), exponent = arrays, attrs["exponent"]
    with np.errstate(all="ignore"):
        if x.dtype.kind == "c":
            value = _complex_power(x, exponent)
        elif x.dtype.kind == "f":
            value = accurate(lambda w: np.power(w, w.dtype.type(exponent)))(x)
        else:
            value = _by_squaring(x, exponent, np.multiply) if exponent else np.ones_like(x)
        return [np.asarray(value).astype(x.dtype)]


def _complex_power(x: Array, exponent: int) -> Array:
    if exponent == 0:
        return np.ones_like(x)
    wide = x.astype(np.complex128 if x.dtype == np.complex64 else np.clongdouble)
    power = _by_squaring(wide, abs(exponent), np.multiply)
    return np.asarray(power if exponent > 0 else divide_complex(np.ones_like(power), power))


def _integer_pow_parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    (x,), exponent = xs, node.attrs["exponent"]
    assert isinstance(x, Pair)
    if exponent == 0:
        return [Pair(scalar_like(b, 1, x.re), zeros_like(b, x.re))]
    power: Pair = _by_squaring(x, abs(exponent), lambda u, v: times(b, u, v))
    if exponent > 0:
        return [power]
    return of_formula(cm.reciprocal)(b, node, [power])


def _integer_pow_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    (x,), (t,), exponent = xs, ts, node.attrs["exponent"]
    assert t is not None
    if exponent == 0:
        return [None]
    if exponent == 1:
        return [t]
    slope = mul(b, scalar_like(b, exponent, x), integer_pow(b, x, exponent=exponent - 1))
    return [mul(b, slope, t)]


def _with_exponent(rng: np.random.Generator, x: TensorType) -> draws.Example:
    low = -4 if x.dtype.is_float else 0
    return (x,), {"exponent": int(rng.integers(low, 9))}


integer_pow = define(
    OpDef(
        name="integer_pow",
        family="elementwise",
        doc="x times itself `exponent` times, by squaring; 1 for 0, 1 / x⁻ⁿ below. Integers wrap.",
        infer=_integer_pow_infer,
        reference=_integer_pow_reference,
        scalar=widened(_integer_pow_scalar),
        linearise=_integer_pow_linearise,
        parts=_integer_pow_parts,
        batch=batch_elementwise,
        domain=Domain(0.3, 2.5),
        cost=4.0,
        ulp=6.0,  # (|exponent| − 1) / 2 for the products, up to the exponent 8 of the examples
        dtypes=NUMERIC,
        examples=draws.from_tensors(NUMERIC, _with_exponent),
        extra={"operands": 1, "takes_attrs": True},
    )
)


# -- angles and signs ------------------------------------------------------------------------
def _atan2_partial(b: Builder, numerator: Value, y: Value, x: Value) -> Value:
    """numerator / (x² + y²) without overflow on the way, and 0 at the origin."""
    length = nonzero(b, hypot(b, x, y))
    return div(b, div(b, numerator, length), length)


atan2 = elementwise(
    "atan2",
    "The angle of the point (y, x) in [−π, π], y first. Its derivative at the origin is 0.",
    accurate(np.arctan2),
    math_op("atan2"),
    operands=2,
    on=FLOATS,
    partials=[
        lambda b, z, y, x: _atan2_partial(b, x, y, x),
        lambda b, z, y, x: _atan2_partial(b, neg(b, y), y, x),
    ],
    domain=Domain(-4, 4),
    cost=40.0,
    ulp=accuracy("atan2"),
    edge_cases=(
        ((0.0, 0.0), 0.0), ((-0.0, 0.0), -0.0), ((0.0, 1.0), 0.0), ((-0.0, 1.0), -0.0),
        ((1.0, INF), 0.0), ((-1.0, INF), -0.0), ((NAN, 1.0), NAN), ((1.0, NAN), NAN),
    ),
)  # fmt: skip
copysign: OpDef = elementwise(
    "copysign",
    "|x| with the sign bit of y. The derivative at x = 0 is 0, as that of abs.",
    np.copysign,
    math_op("copysign"),
    operands=2,
    on=FLOATS,
    partials=[
        lambda b, z, x, y: mul(b, sign(b, x), copysign(b, scalar_like(b, 1, y), y)),
        None,
    ],
    domain=Domain(smooth=False),
    edge_cases=(((1.0, -0.0), -1.0), ((-2.0, 0.0), 2.0), ((INF, -1.0), -INF), ((0.0, -1.0), -0.0)),
)


# -- the next float ------------------------------------------------------------------------
def _nextafter_scalar(s: Scalars, x: Value, y: Value, dtype: DType) -> Value:
    """Floats of one sign are ordered as their bits are: one bit up or down is the next."""
    narrow = dtype.bits == 16
    a, c = (s.resize_float(v, f32) if narrow else v for v in (x, y))
    bits_x, bits_y = (s.bitcast(v, s.int_of(v)) for v in (x, y))
    one = s.like(1, bits_x)
    zero = s.like(0.0, a)
    outward = s.op(
        "arith.cmpi", s.compare("lt", a, c), s.compare("gt", a, zero), type=i1, predicate="eq"
    )
    moved = s.select(outward, s.add(bits_x, one), s.sub(bits_x, one))
    smallest = s.bit("or", s.bit("and", bits_y, s.like(1 << (dtype.bits - 1), bits_y)), one)
    moved = s.select(s.compare("eq", a, zero), smallest, moved)
    result = s.bitcast(moved, dtype)
    result = s.select(s.compare("eq", a, c), y, result)
    unordered = s.op("arith.cmpf", a, c, type=i1, predicate="uno")
    return s.select(unordered, s.like(_nan_of(dtype), x), result)


def _nan_of(dtype: DType) -> float | int:
    return 0x7FC0 if dtype is bf16 else math.nan


def _nextafter_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    x, y = arrays
    if outs[0].dtype is not bf16:
        with np.errstate(all="ignore"):
            return [np.where(x == y, y, np.nextafter(x, y))]
    bits = bf16_bits(x).astype(np.int32)
    outward = (x < y) == (x > 0)
    moved = bits + np.where(outward, 1, -1)
    moved = np.where(x == 0, np.where(np.signbit(y), 0x8001, 1), moved)
    value = np.where(x == y, y, bf16_values(moved.astype(np.uint16)))
    return [np.where(np.isnan(x) | np.isnan(y), np.float32(NAN), value)]


def _nextafter_infer(types: Types, attrs: Attrs) -> Types:
    arity("nextafter", types, 2)
    return (same_operands("nextafter", types, FLOATS),)


nextafter = define(
    OpDef(
        name="nextafter",
        family="elementwise",
        doc="The float after x in the direction of y; y where they are equal.",
        infer=_nextafter_infer,
        reference=_nextafter_reference,
        scalar=_nextafter_scalar,
        batch=batch_elementwise,
        no_gradient="it steps from one float to the next",
        cost=10.0,
        dtypes=FLOATS,
        examples=draws.elementwise(FLOATS, 2),
        edge_cases=(((0.0, -0.0), -0.0), ((NAN, 1.0), NAN), ((INF, INF), INF)),
        extra={"operands": 2},
    )
)
