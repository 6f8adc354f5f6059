"""Elementary functions as private functions of the loop IR, written once per type and module.

Takes: the name of a `math` op and a scalar or vector type. Gives: the name of a function in the
module whose body is straight-line arithmetic from `lazir.compiler.maths`.
Must not know: kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import maths
from ..mlir.builder import Builder
from ..mlir.ir import Module, Unit, Value, function
from ..types import DType, Type, VectorType, dtype_named, element, i1

DIRECT = frozenset(
    f"math.{name}"
    for name in (
        "fma", "sqrt", "absf", "absi", "floor", "ceil", "trunc", "roundeven", "copysign", "ctpop",
        "ctlz", "cttz",
    )
)  # fmt: skip
"""The `math` ops that are single machine instructions (or short sequences) on our targets."""

_NAMES = {"powf": "pow"}


def function_name(op: str) -> str | None:
    """The function of `lazir.compiler.maths` behind `math.exp` or `arith.remf`, or None."""
    if op == "arith.remf":
        return "fmod"
    if not op.startswith("math.") or op in DIRECT:
        return None
    name = op.removeprefix("math.")
    return _NAMES.get(name, name)


def elementary(module: Module, op: str, type: Type, operands: int) -> str:
    """The symbol of a function of `operands` arguments of `type`; made where the module has
    none.
    """
    name = function_name(op)
    if name is None or name not in maths.FUNCTIONS:
        raise KeyError(f"{op} has no elementary function")
    lanes = f"x{type.shape[0]}" if isinstance(type, VectorType) else ""
    symbol = f"lz_{name}_{element(type)}{lanes}"
    if any(f.attrs["sym_name"] == symbol for f in module.functions()):
        return symbol
    func = function(symbol, [type] * operands, [type], private=True, attrs={"lz.inline": Unit()})
    b = Builder(func)
    if name in _BRANCHING:
        result = _small_or_any(b, name, func.regions[0].args[0])
    else:
        result = maths.FUNCTIONS[name](Arithmetic(b), *func.regions[0].args)
    b.emit("func.return", [result])
    module.ops.insert(0, func)
    return symbol


_BRANCHING = ("sin", "cos", "tan")
"""Functions that are several times cheaper where all lanes are moderate, which they mostly are."""


def _small_or_any(b: Builder, name: str, x: Value) -> Value:
    """The cheap form where no lane is large, else the form for everything. Both give the same bits
    where the cheap one holds, so a lane's value does not depend on its neighbours."""
    arithmetic = Arithmetic(b)
    bound = arithmetic.const(maths.SMALL_BOUND[arithmetic.dtype(x)], x)
    moderate = arithmetic.less_equal(arithmetic.abs(x), bound)  # type: ignore[attr-defined]
    if isinstance(moderate.type, VectorType):
        moderate = b.op("vector.reduction", [moderate], i1, kind="and")
    (result,) = b.if_else(
        moderate,
        lambda: [maths.SMALL_FORMS[name](arithmetic, x)],
        lambda: [maths.FUNCTIONS[name](arithmetic, x)],
    )
    return result


class Arithmetic:
    """The builder protocol of `lazir.compiler.maths` over loop IR, for scalars and vectors
    alike.
    """

    def __init__(self, b: Builder) -> None:
        self.b = b

    def dtype(self, x: Value) -> str:
        return str(element(x.type))

    def const(self, value: int | float, like: Value) -> Value:
        return self.b.const(value, like.type)

    def const_bits(self, bits: int, like: Value) -> Value:
        width = element(like.type).bits
        signed = bits - (1 << width) if bits >> (width - 1) else bits
        whole = self.b.const(signed, _with_dtype(like.type, f"i{width}"))
        return self.b.op("arith.bitcast", [whole], like.type)

    def _binary(self, stem: str, x: Value, y: Value) -> Value:
        return self.b.op(f"arith.{stem}{'f' if element(x.type).is_float else 'i'}", [x, y])

    def add(self, x: Value, y: Value) -> Value:
        return self._binary("add", x, y)

    def sub(self, x: Value, y: Value) -> Value:
        return self._binary("sub", x, y)

    def mul(self, x: Value, y: Value) -> Value:
        return self._binary("mul", x, y)

    def div(self, x: Value, y: Value) -> Value:
        return self.b.op("arith.divf", [x, y])

    def neg(self, x: Value) -> Value:
        if element(x.type).is_float:
            return self.b.op("arith.negf", [x])
        return self.sub(self.const(0, x), x)

    def abs(self, x: Value) -> Value:
        return self.b.op("math.absf" if element(x.type).is_float else "math.absi", [x])

    def fma(self, x: Value, y: Value, z: Value) -> Value:
        return self.b.op("math.fma", [x, y, z])

    def minimum(self, x: Value, y: Value) -> Value:
        return self.b.op("arith.minimumf" if element(x.type).is_float else "arith.minsi", [x, y])

    def maximum(self, x: Value, y: Value) -> Value:
        return self.b.op("arith.maximumf" if element(x.type).is_float else "arith.maxsi", [x, y])

    def not_equal(self, x: Value, y: Value) -> Value:
        return self.b.compare("une" if element(x.type).is_float else "ne", x, y)

    def select(self, condition: Value, x: Value, y: Value) -> Value:
        return self.b.op("arith.select", [condition, x, y], x.type)

    def bit_not(self, x: Value) -> Value:
        ones = self.b.const(1 if element(x.type) is i1 else -1, x.type)
        return self.b.op("arith.xori", [x, ones])

    def bitcast(self, x: Value, dtype: str) -> Value:
        return self.b.op("arith.bitcast", [x], _with_dtype(x.type, dtype))

    def convert(self, x: Value, dtype: str) -> Value:
        have, want = element(x.type), _named(dtype)
        if have.is_float and want.is_float:
            name = "arith.truncf" if want.bits < have.bits else "arith.extf"
        elif have.is_float:
            name = "arith.fptosi"
        elif want.is_float:
            name = "arith.uitofp" if have is i1 else "arith.sitofp"
        else:
            name = "arith.trunci" if want.bits < have.bits else "arith.extsi"
            name = "arith.extui" if have is i1 else name
        return x if have is want else self.b.op(name, [x], _with_dtype(x.type, dtype))


def _named(name: str) -> DType:
    dtype = dtype_named(name)
    assert dtype is not None, name
    return dtype


def _with_dtype(type: Type, dtype: str) -> Type:
    return VectorType(type.shape, _named(dtype)) if isinstance(type, VectorType) else _named(dtype)


def _same_type(op: str) -> Callable[..., Value]:
    def build(self: Arithmetic, *xs: Value) -> Value:
        return self.b.op(op, list(xs))

    return build


def _comparison(predicate: str) -> Callable[[Any, Value, Value], Value]:
    def build(self: Arithmetic, x: Value, y: Value) -> Value:
        prefix = "o" if element(x.type).is_float else "s"
        name = predicate if prefix == "s" and predicate == "eq" else prefix + predicate
        return self.b.compare(name, x, y)

    return build


for _name, _op in {
    "sqrt": "math.sqrt", "floor": "math.floor", "ceil": "math.ceil", "trunc": "math.trunc",
    "round": "math.roundeven", "bit_and": "arith.andi", "bit_or": "arith.ori",
    "bit_xor": "arith.xori", "shift_left": "arith.shli", "shift_right": "arith.shrsi",
}.items():  # fmt: skip
    setattr(Arithmetic, _name, _same_type(_op))
for _name, _predicate in {
    "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq",
}.items():  # fmt: skip
    setattr(Arithmetic, _name, _comparison(_predicate))
