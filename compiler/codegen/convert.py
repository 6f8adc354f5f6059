"""Conversions between element types, with the language's rules and no library call on any target.

Takes: rows of one type. Gives: rows of another: floats round to nearest even once, float to integer
saturates and sends NaN to 0. Must not know: memory, control flow.

Narrow floats travel as 16-bit integers. Where the target lacks the instruction they are converted
by integer arithmetic; from f64 and wide integers through *round to odd*, which makes the second
rounding exact (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
"""

from __future__ import annotations

from ..mlir.ir import Op
from ..types import bf16, f32, f64, i1, i32, i64
from .emitter import Emit, FunctionEmitter
from .text import CodegenError, Row, row_of


def to_f32(f: FunctionEmitter, one: Row, x: str) -> str:
    """f16 or bf16 bits to f32, exactly."""
    if one.dtype is bf16:
        wide = one.of(i32)
        bits = f.inst(f"zext {one.text} {x} to {wide.text}")
        bits = f.inst(f"shl {wide.text} {bits}, {wide.const(16)}")
        return f.inst(f"bitcast {wide.text} {bits} to {one.of(f32).text}")
    if f.target.native_f16:
        half = f"<{one.lanes} x half>" if one.lanes else "half"
        value = f.inst(f"bitcast {one.text} {x} to {half}")
        return f.inst(f"fpext {half} {value} to {one.of(f32).text}")
    return _half_to_f32(f, one, x)


def _half_to_f32(f: FunctionEmitter, one: Row, x: str) -> str:
    """Scaling by 2^112 moves the exponent and makes subnormal numbers normal, both exactly."""
    word, real = one.of(i32), one.of(f32)
    flag = one.of(i1).text
    bits = f.inst(f"zext {one.text} {x} to {word.text}")
    size = f.inst(f"and {word.text} {bits}, {word.const(0x7FFF)}")
    moved = f.inst(f"shl {word.text} {size}, {word.const(13)}")
    small = f.inst(f"bitcast {word.text} {moved} to {real.text}")
    scaled = f.inst(f"fmul {real.text} {small}, {real.const(2.0**112)}")
    finite = f.inst(f"bitcast {real.text} {scaled} to {word.text}")
    special = f.inst(f"or {word.text} {moved}, {word.const(0x7F800000)}")
    nan = f.inst(f"icmp ugt {word.text} {size}, {word.const(0x7C00)}")
    quiet = f.inst(f"or {word.text} {special}, {word.const(0x400000)}")
    special = f.inst(f"select {flag} {nan}, {word.text} {quiet}, {word.text} {special}")
    out = f.inst(f"icmp uge {word.text} {size}, {word.const(0x7C00)}")
    value = f.inst(f"select {flag} {out}, {word.text} {special}, {word.text} {finite}")
    sign = f.inst(f"and {word.text} {bits}, {word.const(0x8000)}")
    sign = f.inst(f"shl {word.text} {sign}, {word.const(16)}")
    value = f.inst(f"or {word.text} {value}, {sign}")
    return f.inst(f"bitcast {word.text} {value} to {real.text}")


def from_f32(f: FunctionEmitter, one: Row, x: str) -> str:
    """f32 to f16 or bf16 bits, to nearest even; NaN stays NaN, quiet."""
    native = f.target.native_bf16 if one.dtype is bf16 else f.target.native_f16
    if native:
        name = "bfloat" if one.dtype is bf16 else "half"
        short = f"<{one.lanes} x {name}>" if one.lanes else name
        value = f.inst(f"fptrunc {one.of(f32).text} {x} to {short}")
        return f.inst(f"bitcast {short} {value} to {one.text}")
    return _bf16_from_f32(f, one, x) if one.dtype is bf16 else _half_from_f32(f, one, x)


def _bf16_from_f32(f: FunctionEmitter, one: Row, x: str) -> str:
    word, real = one.of(i32), one.of(f32)
    flag = one.of(i1).text
    bits = f.inst(f"bitcast {real.text} {x} to {word.text}")
    high = f.inst(f"lshr {word.text} {bits}, {word.const(16)}")
    last = f.inst(f"and {word.text} {high}, {word.const(1)}")
    bias = f.inst(f"add {word.text} {last}, {word.const(0x7FFF)}")
    near = f.inst(f"add {word.text} {bits}, {bias}")
    near = f.inst(f"lshr {word.text} {near}, {word.const(16)}")
    quiet = f.inst(f"or {word.text} {high}, {word.const(0x40)}")
    nan = f.inst(f"fcmp uno {real.text} {x}, {real.const(0.0)}")
    value = f.inst(f"select {flag} {nan}, {word.text} {quiet}, {word.text} {near}")
    return f.inst(f"trunc {word.text} {value} to {one.text}")


def _half_from_f32(f: FunctionEmitter, one: Row, x: str) -> str:
    """Normal results by integer rounding; subnormal ones by adding ½, whose last place is 2^-24."""
    word, real = one.of(i32), one.of(f32)
    flag = one.of(i1).text

    def pick(condition: str, yes: str, no: str) -> str:
        return f.inst(f"select {flag} {condition}, {word.text} {yes}, {word.text} {no}")

    bits = f.inst(f"bitcast {real.text} {x} to {word.text}")
    size = f.inst(f"and {word.text} {bits}, {word.const(0x7FFFFFFF)}")
    last = f.inst(f"lshr {word.text} {size}, {word.const(13)}")
    last = f.inst(f"and {word.text} {last}, {word.const(1)}")
    near = f.inst(f"add {word.text} {size}, {last}")
    near = f.inst(f"add {word.text} {near}, {word.const(0xFFF - (112 << 23))}")
    near = f.inst(f"lshr {word.text} {near}, {word.const(13)}")
    positive = f.inst(f"bitcast {word.text} {size} to {real.text}")
    shifted = f.inst(f"fadd {real.text} {positive}, {real.const(0.5)}")
    small = f.inst(f"bitcast {real.text} {shifted} to {word.text}")
    small = f.inst(f"sub {word.text} {small}, {word.const(0x3F000000)}")
    tiny = f.inst(f"icmp ult {word.text} {size}, {word.const(0x38800000)}")
    value = pick(tiny, small, near)
    large = f.inst(f"icmp uge {word.text} {size}, {word.const(0x477FF000)}")
    value = pick(large, word.const(0x7C00), value)
    payload = f.inst(f"lshr {word.text} {size}, {word.const(13)}")
    payload = f.inst(f"and {word.text} {payload}, {word.const(0x3FF)}")
    payload = f.inst(f"or {word.text} {payload}, {word.const(0x7E00)}")
    nan = f.inst(f"icmp ugt {word.text} {size}, {word.const(0x7F800000)}")
    value = pick(nan, payload, value)
    sign = f.inst(f"lshr {word.text} {bits}, {word.const(16)}")
    sign = f.inst(f"and {word.text} {sign}, {word.const(0x8000)}")
    value = f.inst(f"or {word.text} {value}, {sign}")
    return f.inst(f"trunc {word.text} {value} to {one.text}")


def odd_f32(f: FunctionEmitter, one: Row, x: str) -> str:
    """f64 to f32 by round to odd: inexact results get an odd last bit, so no rounding is lost."""
    wide, real, word = one.of(f64), one.of(f32), one.of(i32)
    flag = one.of(i1).text
    near = f.inst(f"fptrunc {wide.text} {x} to {real.text}")
    back = f.inst(f"fpext {real.text} {near} to {wide.text}")
    inexact = f.inst(f"fcmp one {wide.text} {back}, {x}")
    over = f.inst(
        f"fcmp ogt {wide.text} {f.like('llvm.fabs', wide, back)}, {f.like('llvm.fabs', wide, x)}"
    )
    bits = f.inst(f"bitcast {real.text} {near} to {word.text}")
    bits = f.inst(f"sub {word.text} {bits}, {f.inst(f'zext {flag} {over} to {word.text}')}")
    bits = f.inst(f"or {word.text} {bits}, {f.inst(f'zext {flag} {inexact} to {word.text}')}")
    return f.inst(f"bitcast {word.text} {bits} to {real.text}")


def narrow(f: FunctionEmitter, target: Row, x: str) -> str:
    """f64 to f32, f16 or bf16 with one rounding."""
    if target.dtype is f32:
        return f.inst(f"fptrunc {target.of(f64).text} {x} to {target.text}")
    return from_f32(f, target, odd_f32(f, target, x))


def fused_exactly(f: FunctionEmitter, one: Row, xs: list[str]) -> str:
    """a·b + c with one rounding, without an fma instruction.

    The product is exact in f64; the sum is rounded to odd, then to the result's type.
    """
    if one.dtype is f64:
        raise CodegenError(
            f"f64 fma needs a target with the instruction, and {f.target.name} has none: "
            "write a multiplication and an addition"
        )
    wide = one.of(f64)
    a, b, c = (_to_f64(f, one, x) for x in xs)
    product = f.inst(f"fmul {wide.text} {a}, {b}")
    total = f.inst(f"fadd {wide.text} {product}, {c}")
    # Knuth's two-sum: total + error is the exact sum.
    virtual = f.inst(f"fsub {wide.text} {total}, {product}")
    rest = f.inst(f"fsub {wide.text} {total}, {virtual}")
    left = f.inst(f"fsub {wide.text} {product}, {rest}")
    right = f.inst(f"fsub {wide.text} {c}, {virtual}")
    error = f.inst(f"fadd {wide.text} {left}, {right}")
    return narrow(f, one, _odd_sum(f, wide, total, error))


def _odd_sum(f: FunctionEmitter, wide: Row, total: str, error: str) -> str:
    """total + error rounded to odd, where |error| is at most half a last place of total."""
    long, flag = wide.of(i64), wide.of(i1).text
    inexact = f.inst(f"fcmp one {wide.text} {error}, {wide.const(0.0)}")
    bits = f.inst(f"bitcast {wide.text} {total} to {long.text}")
    rest = f.inst(f"bitcast {wide.text} {error} to {long.text}")
    mixed = f.inst(
        f"icmp slt {long.text} {f.inst(f'xor {long.text} {bits}, {rest}')}, {long.const(0)}"
    )
    back = f.inst(f"and {flag} {mixed}, {inexact}")
    bits = f.inst(f"sub {long.text} {bits}, {f.inst(f'zext {flag} {back} to {long.text}')}")
    bits = f.inst(f"or {long.text} {bits}, {f.inst(f'zext {flag} {inexact} to {long.text}')}")
    return f.inst(f"bitcast {long.text} {bits} to {wide.text}")


def _to_f64(f: FunctionEmitter, one: Row, x: str) -> str:
    value = to_f32(f, one, x) if one.narrow else x
    return f.inst(f"fpext {one.of(f32).text} {value} to {one.of(f64).text}")


# -- operations ------------------------------------------------------------------------------------
def extend_float(f: FunctionEmitter, op: Op) -> None:
    """`arith.extf`: exact."""
    source, target = row_of(op.operands[0].type), row_of(op.result.type)
    out = []
    for x in f.get(op.operands[0]):
        value = to_f32(f, source, x) if source.narrow else x
        if target.dtype is f64:
            value = f.inst(f"fpext {source.of(f32).text} {value} to {target.text}")
        out.append(value)
    f.set(op.result, tuple(out))


def truncate_float(f: FunctionEmitter, op: Op) -> None:
    """`arith.truncf`: to nearest, ties to even, rounded once."""
    source, target = row_of(op.operands[0].type), row_of(op.result.type)
    rule = narrow if source.dtype is f64 else from_f32
    f.set(op.result, tuple(rule(f, target, x) for x in f.get(op.operands[0])))


def cast(instruction: str) -> Emit:
    """One LLVM conversion instruction between integer widths."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        source, target = row_of(op.operands[0].type), row_of(op.result.type)
        xs = f.get(op.operands[0])
        text = f"{instruction} {source.text} {{}} to {target.text}"
        f.set(op.result, tuple(f.inst(text.format(x)) for x in xs))

    return emit


def index_cast(extend: str) -> Emit:
    """`arith.index_cast`, `arith.index_castui`: extend, truncate, or nothing."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        source, target = row_of(op.operands[0].type), row_of(op.result.type)
        if source.dtype.bits == target.dtype.bits:
            f.set(op.result, f.get(op.operands[0]))
        else:
            cast(extend if source.dtype.bits < target.dtype.bits else "trunc")(f, op)

    return emit


def bitcast(f: FunctionEmitter, op: Op) -> None:
    """`arith.bitcast`: the same bits; free between f16 or bf16 and i16."""
    source, target = row_of(op.operands[0].type), row_of(op.result.type)
    if source.text == target.text:
        f.set(op.result, f.get(op.operands[0]))
    else:
        cast("bitcast")(f, op)


def integer_to_float(signed: bool) -> Emit:
    """`arith.sitofp`, `arith.uitofp`: rounded once."""
    instruction = "sitofp" if signed else "uitofp"

    def emit(f: FunctionEmitter, op: Op) -> None:
        source, target = row_of(op.operands[0].type), row_of(op.result.type)
        if not target.narrow:
            return cast(instruction)(f, op)
        out = []
        for x in f.get(op.operands[0]):
            value = _sticky(f, source, x) if source.dtype.bits == 64 else x
            wide = source.of(f64)
            value = f.inst(f"{instruction} {source.text} {value} to {wide.text}")
            out.append(narrow(f, target, value))
        f.set(op.result, tuple(out))
        return None

    return emit


def _sticky(f: FunctionEmitter, one: Row, x: str) -> str:
    """An i64 of at most 53 significant bits that rounds to f16 and bf16 as `x` does.

    From 2^53 on, where they matter, the low 11 bits are gathered into bit 11, far below the last
    bit that is kept. That holds for negative numbers too: dropping low bits goes towards −∞, and
    the sticky bit then marks the result as lying strictly above.
    """
    flag = one.of(i1).text
    low = f.inst(f"and {one.text} {x}, {one.const(0x7FF)}")
    some = f.inst(f"icmp ne {one.text} {low}, {one.const(0)}")
    high = f.inst(f"and {one.text} {x}, {one.const(-0x800)}")
    odd = f.inst(f"or {one.text} {high}, {one.const(0x800)}")
    gathered = f.inst(f"select {flag} {some}, {one.text} {odd}, {one.text} {high}")
    moved = f.inst(f"add {one.text} {x}, {one.const(1 << 53)}")
    small = f.inst(f"icmp ule {one.text} {moved}, {one.const(1 << 54)}")
    return f.inst(f"select {flag} {small}, {one.text} {x}, {one.text} {gathered}")


def float_to_integer(signed: bool) -> Emit:
    """`arith.fptosi`, `arith.fptoui`: towards zero, saturating, NaN to 0."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        source, target = row_of(op.operands[0].type), row_of(op.result.type)
        if target.dtype.bits == 1:
            raise CodegenError(f"{op.name} to i1: compare with zero instead")
        wide = source.of(f32) if source.narrow else source
        xs = f.get(op.operands[0])
        values = [to_f32(f, source, x) if source.narrow else x for x in xs]
        f.set(op.result, tuple(_saturate(f, wide, target, x, signed) for x in values))

    return emit


def _saturate(f: FunctionEmitter, source: Row, target: Row, x: str, signed: bool) -> str:
    bits = target.dtype.bits
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    flag = source.of(i1).text
    work = target if bits >= 32 else target.of(i32)
    instruction = "fptosi" if signed or bits < 32 else "fptoui"

    # The conversion itself is undefined out of range; those lanes are replaced.
    result = f.inst(f"{instruction} {source.text} {x} to {work.text}")
    below = ("olt" if signed else "ole", float(low), low)
    for predicate, bound, value in (below, ("oge", float(high), high - 1), ("uno", 0.0, 0)):
        out = f.inst(f"fcmp {predicate} {source.text} {x}, {source.const(bound)}")
        other = f"{work.text} {work.const(value)}"
        result = f.inst(f"select {flag} {out}, {other}, {work.text} {result}")
    return result if work is target else f.inst(f"trunc {work.text} {result} to {target.text}")


CONVERSIONS: dict[str, Emit] = {
    "arith.extf": extend_float,
    "arith.truncf": truncate_float,
    "arith.extsi": cast("sext"),
    "arith.extui": cast("zext"),
    "arith.trunci": cast("trunc"),
    "arith.index_cast": index_cast("sext"),
    "arith.index_castui": index_cast("zext"),
    "arith.bitcast": bitcast,
    "arith.sitofp": integer_to_float(signed=True),
    "arith.uitofp": integer_to_float(signed=False),
    "arith.fptosi": float_to_integer(signed=True),
    "arith.fptoui": float_to_integer(signed=False),
}
