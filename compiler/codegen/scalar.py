"""`arith` and `math` operations on scalars and vectors, one function per operation, in one table.

Takes: operations of the loop IR. Gives: LLVM instructions; the same for CPUs and GPUs.
Must not know: memory, control flow. Never writes fast-math flags; fma only where the IR says fma.
"""

from __future__ import annotations

from collections.abc import Callable

from ..mlir.ir import Op
from ..types import MemRefType, element, f32, i1
from .convert import CONVERSIONS, from_f32, fused_exactly, to_f32
from .emitter import Affine, Emit, FunctionEmitter
from .products import PRODUCTS
from .text import CodegenError, Row, constant_rows, row_count, row_of, type_text

FloatRule = Callable[[FunctionEmitter, Row, list[str]], str]


def constant(f: FunctionEmitter, op: Op) -> None:
    """A literal: it costs nothing until it is used."""
    f.set(op.result, constant_rows(op.attrs.get("value"), op.result.type))


def operand_rows(f: FunctionEmitter, op: Op) -> list[list[str]]:
    """The operands, regrouped by row."""
    return [list(rows) for rows in zip(*(f.get(v) for v in op.operands), strict=True)]


def integer(instruction: str) -> Emit:
    """An instruction on integers: `add`, `udiv`."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        text = row_of(op.operands[0].type).text
        rows = operand_rows(f, op)
        f.set(op.result, tuple(f.inst(f"{instruction} {text} {a}, {b}") for a, b in rows))

    return emit


def like(intrinsic: str) -> Emit:
    """An intrinsic on integers, operands and result of one type: `llvm.smax`."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        one = row_of(op.result.type)
        f.set(op.result, tuple(f.like(intrinsic, one, *xs) for xs in operand_rows(f, op)))

    return emit


def floating(rule: FloatRule) -> Emit:
    """A rule for f32 and f64; f16 and bf16 go through f32 and are rounded once, at the end."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        one = row_of(op.result.type)
        out = []
        for operands in operand_rows(f, op):
            if one.narrow:
                wide = one.of(f32)
                result = rule(f, wide, [to_f32(f, one, x) for x in operands])
                out.append(from_f32(f, one, result))
            else:
                out.append(rule(f, one, operands))
        f.set(op.result, tuple(out))

    return emit


def instruction(name: str) -> FloatRule:
    """One LLVM instruction with two operands."""
    return lambda f, one, xs: f.inst(f"{name} {one.text} {xs[0]}, {xs[1]}")


def intrinsic(name: str) -> FloatRule:
    """One LLVM intrinsic that is an instruction, or a few, on every target."""
    return lambda f, one, xs: f.like(name, one, *xs)


def number_wins(name: str) -> FloatRule:
    """`maxnumf`, `minnumf`: of a number and NaN the number. LLVM's own would call fmaxf, fminf."""

    def rule(f: FunctionEmitter, one: Row, xs: list[str]) -> str:
        flag = one.of(i1).text
        value = f.like(name, one, *xs)
        for x, other in (xs, reversed(xs)):
            nan = f.inst(f"fcmp uno {one.text} {x}, {one.const(0.0)}")
            value = f.inst(f"select {flag} {nan}, {one.text} {other}, {one.text} {value}")
        return value

    return rule


def add_index(f: FunctionEmitter, op: Op) -> None:
    """`arith.addi`; on `index` the sum is kept symbolic for addresses as well."""
    _affine_or("add", f, op, lambda a, b: a.plus(b))


def subtract_index(f: FunctionEmitter, op: Op) -> None:
    _affine_or("sub", f, op, lambda a, b: a.plus(b, -1))


def multiply_index(f: FunctionEmitter, op: Op) -> None:
    def product(a: Affine, b: Affine) -> Affine | None:
        if not a.terms:
            a, b = b, a
        return None if b.terms else Affine(()).plus(a, b.constant)

    _affine_or("mul", f, op, product)


def _affine_or(
    name: str, f: FunctionEmitter, op: Op, rule: Callable[[Affine, Affine], Affine | None]
) -> None:
    if element(op.result.type).kind != "index" or op.result.type != op.operands[0].type:
        return integer(name)(f, op)
    if row_of(op.result.type).lanes:
        return integer(name)(f, op)
    affine = rule(*f.indices(op.operands))
    if affine is None:
        a, b = (f.one(v) for v in op.operands)
        f.set(op.result, f.shared(f"{name} i64 {a}, {b}", [a, b]))
    elif affine.terms:
        f.define_index(op.result, affine)
    else:
        f.set(op.result, str(_wrap(affine.constant)))
    return None


def _wrap(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


# -- division that rounds otherwise ----------------------------------------------------------------
def floor_divide(f: FunctionEmitter, op: Op) -> None:
    """`arith.floordivsi`: the quotient, less one where the remainder and divisor differ in sign."""
    _corrected(f, op, "slt", "sub", signed=True, same_sign=False)


def ceil_divide(f: FunctionEmitter, op: Op) -> None:
    """`arith.ceildivsi`."""
    _corrected(f, op, "sge", "add", signed=True, same_sign=True)


def _corrected(
    f: FunctionEmitter, op: Op, predicate: str, fix: str, *, signed: bool, same_sign: bool
) -> None:
    one, out = row_of(op.result.type), []
    flag = one.of(i1).text
    for a, b in operand_rows(f, op):
        quotient = f.inst(f"sdiv {one.text} {a}, {b}")
        product = f.inst(f"mul {one.text} {quotient}, {b}")
        rest = f.inst(f"sub {one.text} {a}, {product}")
        inexact = f.inst(f"icmp ne {one.text} {rest}, {one.const(0)}")
        mixed = f.inst(f"xor {one.text} {rest}, {b}")
        sign = f.inst(f"icmp {predicate} {one.text} {mixed}, {one.const(0)}")
        wrong = f.inst(f"and {flag} {inexact}, {sign}")
        step = f.inst(f"zext {flag} {wrong} to {one.text}")
        out.append(f.inst(f"{fix} {one.text} {quotient}, {step}"))
    f.set(op.result, tuple(out))


def ceil_divide_unsigned(f: FunctionEmitter, op: Op) -> None:
    """`arith.ceildivui`."""
    one, out = row_of(op.result.type), []
    flag = one.of(i1).text
    for a, b in operand_rows(f, op):
        quotient = f.inst(f"udiv {one.text} {a}, {b}")
        product = f.inst(f"mul {one.text} {quotient}, {b}")
        inexact = f.inst(f"icmp ne {one.text} {product}, {a}")
        step = f.inst(f"zext {flag} {inexact} to {one.text}")
        out.append(f.inst(f"add {one.text} {quotient}, {step}"))
    f.set(op.result, tuple(out))


# -- signs -----------------------------------------------------------------------------------------
def negate(f: FunctionEmitter, op: Op) -> None:
    """`arith.negf`: flips the sign bit, of NaN too."""
    one = row_of(op.result.type)
    xs = f.get(op.operands[0])
    if one.narrow:
        out = tuple(f.inst(f"xor {one.text} {x}, {one.bits(0x8000)}") for x in xs)
    else:
        out = tuple(f.inst(f"fneg {one.text} {x}") for x in xs)
    f.set(op.result, out)


def absolute(f: FunctionEmitter, op: Op) -> None:
    """`math.absf`: clears the sign bit, of NaN too."""
    one = row_of(op.result.type)
    xs = f.get(op.operands[0])
    if one.narrow:
        out = tuple(f.inst(f"and {one.text} {x}, {one.bits(0x7FFF)}") for x in xs)
    else:
        out = tuple(f.like("llvm.fabs", one, x) for x in xs)
    f.set(op.result, out)


def copy_sign(f: FunctionEmitter, op: Op) -> None:
    """`math.copysign`."""
    one, out = row_of(op.result.type), []
    for x, y in operand_rows(f, op):
        if one.narrow:
            size = f.inst(f"and {one.text} {x}, {one.bits(0x7FFF)}")
            sign = f.inst(f"and {one.text} {y}, {one.bits(0x8000)}")
            out.append(f.inst(f"or {one.text} {size}, {sign}"))
        else:
            out.append(f.like("llvm.copysign", one, x, y))
    f.set(op.result, tuple(out))


def round_away(f: FunctionEmitter, one: Row, xs: list[str]) -> str:
    """`math.round`: halves go away from zero. x − trunc(x) is exact, so the test is too."""
    whole = f.like("llvm.trunc", one, xs[0])
    rest = f.like("llvm.fabs", one, f.inst(f"fsub {one.text} {xs[0]}, {whole}"))
    up = f.inst(f"fcmp oge {one.text} {rest}, {one.const(0.5)}")
    flag = one.of(i1).text
    step = f.inst(f"select {flag} {up}, {one.text} {one.const(1.0)}, {one.text} {one.const(0.0)}")
    signed = f.like("llvm.copysign", one, step, xs[0])
    total = f.inst(f"fadd {one.text} {whole}, {signed}")
    return f.like("llvm.copysign", one, total, xs[0])


def integer_absolute(f: FunctionEmitter, op: Op) -> None:
    """`math.absi`; the least number is its own absolute value."""
    one = row_of(op.result.type)
    f.set(op.result, tuple(_with_flag(f, "llvm.abs", one, x) for x in f.get(op.operands[0])))


def count_zeros(name: str) -> Emit:
    """`math.ctlz`, `math.cttz`: the width where the operand is zero."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        one = row_of(op.result.type)
        f.set(op.result, tuple(_with_flag(f, name, one, x) for x in f.get(op.operands[0])))

    return emit


def _with_flag(f: FunctionEmitter, name: str, one: Row, x: str) -> str:
    return f.intrinsic(name, one.text, [(one.text, x), ("i1", "false")], one.suffix)


def fused(f: FunctionEmitter, op: Op) -> None:
    """`math.fma`, `vector.fma`: one rounding. Exact in f64 where the target has no instruction."""
    one, out = row_of(op.result.type), []
    for xs in operand_rows(f, op):
        if f.target.fma and not one.narrow:
            out.append(f.like("llvm.fma", one, *xs))
        else:
            out.append(fused_exactly(f, one, xs))
    f.set(op.result, tuple(out))


def remainder(f: FunctionEmitter, op: Op) -> None:
    """`arith.remf` would be a call of libm's fmod."""
    raise CodegenError("arith.remf has no instruction; expand it to divide, truncate and fma")


# -- comparisons and choice ------------------------------------------------------------------------
_INTEGER_PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
_FLOAT_PREDICATES = (
    "false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord",
    "ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true",
)  # fmt: skip


def _predicate(op: Op, names: tuple[str, ...]) -> str:
    """The predicate as a word, or by MLIR's number for it."""
    value = op.attrs.get("predicate")
    value = getattr(value, "value", value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    if value in names:
        return str(value)
    raise CodegenError(f"{op.name}: predicate {value!r} is none of {', '.join(names)}")


def compare_integers(f: FunctionEmitter, op: Op) -> None:
    """`arith.cmpi`."""
    predicate = _predicate(op, _INTEGER_PREDICATES)
    text = row_of(op.operands[0].type).text
    rows = operand_rows(f, op)
    f.set(op.result, tuple(f.inst(f"icmp {predicate} {text} {a}, {b}") for a, b in rows))


def compare_floats(f: FunctionEmitter, op: Op) -> None:
    """`arith.cmpf`."""
    predicate = _predicate(op, _FLOAT_PREDICATES)
    one, out = row_of(op.operands[0].type), []
    for operands in operand_rows(f, op):
        a, b = [to_f32(f, one, x) for x in operands] if one.narrow else operands
        text = one.of(f32).text if one.narrow else one.text
        out.append(f.inst(f"fcmp {predicate} {text} {a}, {b}"))
    f.set(op.result, tuple(out))


def select(f: FunctionEmitter, op: Op) -> None:
    """`arith.select`, by a scalar or lane by lane; buffers may be chosen too."""
    condition, yes, no = (f.get(v) for v in op.operands)
    count = row_count(op.result.type)
    flag = type_text(op.operands[0].type)
    if len(condition) == 1:
        condition = condition * count
    text = type_text(op.result.type)
    rows = zip(condition, yes, no, strict=True)
    f.set(
        op.result, tuple(f.inst(f"select {flag} {c}, {text} {a}, {text} {b}") for c, a, b in rows)
    )
    if isinstance(op.result.type, MemRefType) and op.operands[1].type != op.operands[2].type:
        raise CodegenError("arith.select of buffers needs equal types")


def classify(predicate: str, bound: float) -> Emit:
    """`math.isnan`, `math.isinf`, `math.isfinite` as a comparison of the absolute value."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        one, out = row_of(op.operands[0].type), []
        for x in f.get(op.operands[0]):
            wide = one.of(f32) if one.narrow else one
            value = to_f32(f, one, x) if one.narrow else x
            size = f.like("llvm.fabs", wide, value)
            out.append(f.inst(f"fcmp {predicate} {wide.text} {size}, {wide.const(bound)}"))
        f.set(op.result, tuple(out))

    return emit


_INTEGER = {
    "arith.divsi": "sdiv", "arith.divui": "udiv", "arith.remsi": "srem", "arith.remui": "urem",
    "arith.andi": "and", "arith.ori": "or", "arith.xori": "xor",
    "arith.shli": "shl", "arith.shrsi": "ashr", "arith.shrui": "lshr",
}  # fmt: skip
_LIKE = {
    "arith.maxsi": "llvm.smax", "arith.maxui": "llvm.umax",
    "arith.minsi": "llvm.smin", "arith.minui": "llvm.umin", "math.ctpop": "llvm.ctpop",
}  # fmt: skip
_FLOATING: dict[str, FloatRule] = {
    "arith.addf": instruction("fadd"), "arith.subf": instruction("fsub"),
    "arith.mulf": instruction("fmul"), "arith.divf": instruction("fdiv"),
    "arith.maximumf": intrinsic("llvm.maximum"), "arith.minimumf": intrinsic("llvm.minimum"),
    "arith.maxnumf": number_wins("llvm.maximum"), "arith.minnumf": number_wins("llvm.minimum"),
    "math.sqrt": intrinsic("llvm.sqrt"), "math.floor": intrinsic("llvm.floor"),
    "math.ceil": intrinsic("llvm.ceil"), "math.trunc": intrinsic("llvm.trunc"),
    "math.roundeven": intrinsic("llvm.roundeven"), "math.round": round_away,
}  # fmt: skip

SCALAR: dict[str, Emit] = {
    "arith.constant": constant,
    "arith.addi": add_index, "arith.subi": subtract_index, "arith.muli": multiply_index,
    **{name: integer(text) for name, text in _INTEGER.items()},
    **{name: like(text) for name, text in _LIKE.items()},
    **{name: floating(rule) for name, rule in _FLOATING.items()},
    "arith.floordivsi": floor_divide, "arith.ceildivsi": ceil_divide,
    "arith.ceildivui": ceil_divide_unsigned,
    "arith.negf": negate, "math.absf": absolute, "math.copysign": copy_sign,
    "math.absi": integer_absolute, "math.ctlz": count_zeros("llvm.ctlz"),
    "math.cttz": count_zeros("llvm.cttz"), "math.fma": fused, "vector.fma": fused,
    "arith.remf": remainder, "arith.cmpi": compare_integers, "arith.cmpf": compare_floats,
    "arith.select": select, "math.isnan": classify("uno", 0.0),
    "math.isinf": classify("oeq", float("inf")), "math.isfinite": classify("one", float("inf")),
    **CONVERSIONS, **PRODUCTS,
}  # fmt: skip
