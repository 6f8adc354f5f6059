"""Comparison, selection, bits, and conversion between dtypes.

Takes: operands of one shape. Gives: records of the elementwise family.
Float → integer saturates and sends NaN to 0; shifts by the width or more give 0 (or the sign).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import (
    OPS,
    Array,
    Attrs,
    Domain,
    Facts,
    OpDef,
    Pair,
    Part,
    Parts,
    Tangents,
    Types,
    define,
)
from ..scalars import Scalars, register
from ..types import (
    BOOLS,
    FLOATS,
    INTEGERS,
    REAL,
    DType,
    TensorType,
    bf16,
    f32,
    f64,
    i1,
    i32,
    i64,
)  # fmt: skip
from . import draws
from .families import arity, batch_elementwise, describe, elementwise, require, require_shape
from .pairs import each, finite, of_test
from .source import bf16_bits, bf16_values, zeros_like

BITS = BOOLS + INTEGERS


# -- comparison --------------------------------------------------------------------------
def _comparison(
    name: str, symbol: str, predicate: str, reference: Any, parts: Parts | None = None
) -> OpDef:
    return elementwise(
        name,
        f"x {symbol} y as a bool; comparisons with NaN are false, except not_equal.",
        reference,
        lambda s, a, b, dtype: s.compare(predicate, a, b, signed=dtype.kind != "uint"),
        operands=2,
        on=REAL,
        result=i1,
        no_gradient="its result is bool",
        facts=Facts(commutative=predicate in ("eq", "ne")),
        parts=parts,
    )


equal = _comparison(
    "equal", "==", "eq", np.equal,
    of_test(lambda z, w: z[0].equals(w[0]) & z[1].equals(w[1])),
)  # fmt: skip
not_equal = _comparison(
    "not_equal", "!=", "ne", np.not_equal,
    of_test(lambda z, w: z[0].apply("not_equal", w[0]) | z[1].apply("not_equal", w[1])),
)  # fmt: skip
less = _comparison("less", "<", "lt", np.less)
less_equal = _comparison("less_equal", "<=", "le", np.less_equal)
greater = _comparison("greater", ">", "gt", np.greater)
greater_equal = _comparison("greater_equal", ">=", "ge", np.greater_equal)


def _is_finite(s: Scalars, x: Value, dtype: DType) -> Value:
    return s.compare("lt", s.math("absf", x), s.like(float("inf"), x))


is_finite = elementwise(
    "is_finite",
    "Whether x is neither infinite nor NaN.",
    np.isfinite,
    _is_finite,
    on=FLOATS,
    result=i1,
    no_gradient="its result is bool",
    parts=of_test(lambda z: finite(z[0]) & finite(z[1])),
)


# -- selection ---------------------------------------------------------------------------
def _select_infer(types: Types, attrs: Attrs) -> Types:
    arity("select", types, 3)
    condition, a, b = types
    require(condition.dtype is i1, f"select needs a bool condition, got {condition.short}")
    require(a.dtype is b.dtype, f"select needs branches of one dtype, got {describe((a, b))}")
    require_shape(
        condition.shape == a.shape == b.shape,
        f"select needs operands of one shape, got {describe(types)}",
    )
    return (a,)


def _select_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    zero = zeros_like(b, ys[0])
    return [
        select(b, xs[0], ts[1] if ts[1] is not None else zero, ts[2] if ts[2] is not None else zero)
    ]


def _select_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    condition, (ct,) = xs[0], cts
    assert condition is not None and ct is not None
    zero = zeros_like(b, ct)
    return [
        None,
        select(b, condition, ct, zero) if xs[1] is None else None,
        select(b, condition, zero, ct) if xs[2] is None else None,
    ]


select = define(
    OpDef(
        name="select",
        family="elementwise",
        doc="x where the condition holds, else y.",
        infer=_select_infer,
        reference=lambda arrays, attrs, ins, outs: [np.where(*arrays)],
        scalar=lambda s, c, a, b, dtype: s.select(c, a, b),
        linearise=_select_linearise,
        transpose=_select_transpose,
        batch=batch_elementwise,
        parts=each,
        dtypes=REAL,
        examples=draws.selection(),
        extra={"operands": 3},
    )
)


# -- bits --------------------------------------------------------------------------------
def _bitwise(name: str, word: str, reference: Any) -> OpDef:
    return elementwise(
        f"bit_{name}",
        f"Bitwise {word}; logical on bools.",
        reference,
        lambda s, a, b, dtype: s.bit(name, a, b),
        operands=2,
        on=BITS,
        no_gradient="it is defined on integers and bools",
        facts=Facts(commutative=True, idempotent=name != "xor"),
    )


bit_and = _bitwise("and", "and", np.bitwise_and)
bit_or = _bitwise("or", "or", np.bitwise_or)
bit_xor = _bitwise("xor", "exclusive or", np.bitwise_xor)
bit_not = elementwise(
    "bit_not",
    "Bitwise complement; logical not on bools.",
    np.invert,
    lambda s, x, dtype: s.bit_not(x),
    on=BITS,
    no_gradient="it is defined on integers and bools",
    facts=Facts(involution=True),
)


def _shift_scalar(direction: str) -> Any:
    def scalar(s: Scalars, x: Value, count: Value, dtype: DType) -> Value:
        width = s.like(dtype.bits, count)
        inside = s.compare("lt", count, width, signed=False)  # a negative count is a huge one
        arithmetic = direction == "right" and dtype.is_signed
        if arithmetic:
            most = s.like(dtype.bits - 1, count)
            return s.shift("right_arithmetic", x, s.select(inside, count, most))
        moved = s.shift(direction, x, s.select(inside, count, s.like(0, count)))
        return s.select(inside, moved, s.like(0, x))

    return scalar


def _shift_reference(direction: str) -> Any:
    def refer(x: Array, count: Array) -> Array:
        bits = 8 * x.dtype.itemsize
        inside = (count >= 0) & (count < bits)
        if direction == "left":
            return np.where(inside, np.left_shift(x, np.where(inside, count, 0)), 0)
        if x.dtype.kind == "i":
            return np.right_shift(x, np.where(inside, count, bits - 1))
        return np.where(inside, np.right_shift(x, np.where(inside, count, 0)), 0)

    return refer


shift_left = elementwise(
    "shift_left",
    "x shifted left by y bits; 0 where y is negative or at least the width.",
    _shift_reference("left"),
    _shift_scalar("left"),
    operands=2,
    on=INTEGERS,
    no_gradient="it is defined on integers",
    domain=Domain(int_low=0, int_high=8),
)
shift_right = elementwise(
    "shift_right",
    "x shifted right by y bits, keeping the sign of a signed x; all sign (or 0) from the width on.",
    _shift_reference("right"),
    _shift_scalar("right"),
    operands=2,
    on=INTEGERS,
    no_gradient="it is defined on integers",
    domain=Domain(int_low=0, int_high=8),
)


def _popcount_reference(x: Array) -> Array:
    """In the two's complement pattern, where NumPy's `bitwise_count` counts those of |x|."""
    octets = np.ascontiguousarray(x).view(np.uint8).reshape(*x.shape, x.dtype.itemsize)
    bits = np.unpackbits(octets, axis=-1)
    return np.asarray(bits.sum(-1))


def _popcount(x: Array) -> Array:
    """One bits of the two's complement pattern (NumPy's bitwise_count counts those of |x|)."""
    octets = np.ascontiguousarray(x).view(np.uint8).reshape(*x.shape, x.dtype.itemsize)
    return np.asarray(np.unpackbits(octets, axis=-1).sum(-1))


popcount = elementwise(
    "popcount",
    "The number of one bits.",
    _popcount,
    lambda s, x, dtype: s.math("ctpop", x),
    on=INTEGERS,
    no_gradient="it is defined on integers",
)


def _clz_reference(x: Array) -> Array:
    bits = 8 * x.dtype.itemsize
    unsigned = x.view(np.dtype(f"u{x.dtype.itemsize}"))
    count = np.vectorize(lambda v: bits - int(v).bit_length(), otypes=[np.int64])
    return np.asarray(count(unsigned))


clz = elementwise(
    "clz",
    "The number of leading zero bits; the width for 0.",
    _clz_reference,
    lambda s, x, dtype: s.math("ctlz", x),
    on=INTEGERS,
    no_gradient="it is defined on integers",
)


# -- conversion --------------------------------------------------------------------------
def convert_array(x: Array, source: DType, target: DType) -> Array:
    """`x` in another dtype by lazir's rule; bf16 arrays are float32 that hold bf16 values."""
    if target is i1:
        return np.asarray(x != 0)
    if target is bf16:
        return bf16_values(bf16_bits(x.astype(np.float32)))
    if target.is_integer and source.is_float:
        limits = np.iinfo(target.numpy)
        with np.errstate(all="ignore"):
            high = x >= float(limits.max) + 1.0 if limits.max > 1 << 24 else x >= limits.max
            low = x <= float(limits.min)
            safe = np.where(high | low | np.isnan(x), 0, x)
            out = safe.astype(np.float64).astype(target.numpy)
        out = np.where(high, limits.max, np.where(low, limits.min, out))
        return np.asarray(np.where(np.isnan(x), 0, out)).astype(target.numpy)
    with np.errstate(all="ignore"):
        return x.astype(target.numpy)


def _convert_infer(types: Types, attrs: Attrs) -> Types:
    arity("convert", types, 1)
    dtype = attrs["dtype"]
    require(isinstance(dtype, DType), f"convert needs a dtype, got {dtype!r}")
    require(
        not types[0].dtype.is_complex or dtype.is_complex or dtype is i1,
        f"{types[0].short} does not convert to the real {dtype}: take its real part (.real) or its "
        "absolute value",
    )
    return (TensorType(types[0].shape, dtype),)


def _float_to_integer(s: Scalars, x: Value, target: DType) -> Value:
    """Saturating: clamp as a float where the bounds are exact, fix up the top, NaN to 0."""
    unsigned = target.kind == "uint"
    low = 0 if unsigned else -(1 << (target.bits - 1))
    above = 1 << target.bits if unsigned else 1 << (target.bits - 1)  # a power of two: exact
    top = above - 1
    if x.type.dtype.bits == 16:
        x = s.resize_float(x, f32)
    if target.bits < 32 or (unsigned and target.bits == 32):  # through a wider signed integer
        wide = "i32" if target.bits < 32 else "i64"
        return _clamped_through(s, x, wide, low, above, top, target)
    inside_low = s.compare("ge", x, s.like(float(low), x))
    inside_high = s.compare("lt", x, s.like(float(above), x))
    inside = s.bit("and", inside_low, inside_high)
    safe = s.select(inside, x, s.like(0.0, x))
    whole = s.op("arith.fptoui" if unsigned else "arith.fptosi", safe, type=register(target))
    too_high = s.compare("ge", x, s.like(float(above), x))
    too_low = s.compare("lt", x, s.like(float(low), x))
    whole = s.select(too_high, s.like(top, whole), whole)
    return s.select(too_low, s.like(low, whole), whole)


def _clamped_through(
    s: Scalars, x: Value, wide: str, low: int, above: int, top: int, target: DType
) -> Value:
    wide_type = i32 if wide == "i32" else i64
    inside_low = s.compare("gt", x, s.like(float(low) - 1.0, x))
    inside_high = s.compare("lt", x, s.like(float(above), x))
    inside = s.bit("and", inside_low, inside_high)
    whole = s.op("arith.fptosi", s.select(inside, x, s.like(0.0, x)), type=wide_type)
    whole = s.select(s.compare("ge", x, s.like(float(above), x)), s.like(top, whole), whole)
    whole = s.select(s.compare("le", x, s.like(float(low) - 1.0, x)), s.like(low, whole), whole)
    return s.resize(whole, register(target), signed=True)


def convert_scalar(s: Scalars, x: Value, source: DType, target: DType) -> Value:
    """Scalar code of a conversion between logical dtypes."""
    if source is target:
        return x
    if target is i1:
        return s.compare("ne", x, s.like(0, x))
    if source.is_float and target.is_float:
        return s.resize_float(x, target)
    if source.is_float:
        return _float_to_integer(s, x, target)
    if target.is_float:
        wide = f32 if target.bits == 16 else target
        if target.bits == 16 and source.bits > 16:
            wide = f64  # exact for 32 bits: one rounding; 64-bit integers are far outside f16
        name = "arith.uitofp" if source.kind in ("uint", "bool") else "arith.sitofp"
        return s.resize_float(s.op(name, x, type=wide), target)
    return s.resize(x, register(target), signed=source.is_signed)


def _convert_scalar(s: Scalars, x: Value, dtype: DType, **attrs: Any) -> Value:
    return convert_scalar(s, x, dtype, attrs["attrs"]["dtype"])


def _convert_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    (t,), dtype = ts, node.attrs["dtype"]
    return [convert(b, t, dtype=dtype) if t is not None and dtype.is_inexact else None]


def _convert_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,), source = cts, node.inputs[0].type.dtype
    if ct is None:
        return [None]
    if ct.type.dtype.is_complex and not source.is_complex:
        ct = OPS["real"](b, ct)
    return [convert(b, ct, dtype=source)]


def _convert_parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    (x,), dtype = xs, node.attrs["dtype"]
    if isinstance(x, Value):
        re = convert(b, x, dtype=dtype.part)
        return [Pair(re, zeros_like(b, re))]
    parts = [convert(b, part, dtype=dtype.part) for part in x]
    return [bit_or(b, *parts) if dtype is i1 else Pair(*parts)]


convert: OpDef = define(
    OpDef(
        name="convert",
        family="elementwise",
        doc="x in another dtype. Float → integer truncates and saturates, NaN → 0; bool is x ≠ 0. "
        "Complex → real is an error.",
        infer=_convert_infer,
        reference=lambda arrays, attrs, ins, outs: [
            convert_array(arrays[0], ins[0].dtype, outs[0].dtype)
        ],
        scalar=_convert_scalar,
        linearise=_convert_linearise,
        transpose=_convert_transpose,
        batch=batch_elementwise,
        parts=_convert_parts,
        dtypes=REAL,
        examples=draws.conversion(REAL),
        ulp=0.5,
        extra={"operands": 1, "takes_attrs": True},
    )
)


def _bitcast_infer(types: Types, attrs: Attrs) -> Types:
    arity("bitcast", types, 1)
    dtype = attrs["dtype"]
    require(
        dtype.bits == types[0].dtype.bits
        and i1 not in (dtype, types[0].dtype)
        and not (dtype.is_complex or types[0].dtype.is_complex),
        f"bitcast keeps the width: {types[0].dtype} has {types[0].dtype.bits} bits, "
        f"{dtype} has {dtype.bits}",
    )
    return (TensorType(types[0].shape, dtype),)


def _bitcast_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    raw = bf16_bits(arrays[0]) if ins[0].dtype is bf16 else arrays[0]
    if outs[0].dtype is bf16:
        return [bf16_values(np.ascontiguousarray(raw).view(np.uint16)).reshape(np.shape(raw))]
    return [np.ascontiguousarray(raw).view(outs[0].dtype.numpy).reshape(raw.shape)]


def _bitcast_scalar(s: Scalars, x: Value, dtype: DType, **attrs: Any) -> Value:
    return s.bitcast(x, register(attrs["attrs"]["dtype"]))


bitcast = define(
    OpDef(
        name="bitcast",
        family="elementwise",
        doc="The same bits read as another dtype of equal width.",
        infer=_bitcast_infer,
        reference=_bitcast_reference,
        scalar=_bitcast_scalar,
        no_gradient="a bit pattern has no derivative",
        batch=batch_elementwise,
        dtypes=INTEGERS + FLOATS,
        examples=draws.same_width(INTEGERS + FLOATS),
        extra={"operands": 1, "takes_attrs": True},
    )
)
