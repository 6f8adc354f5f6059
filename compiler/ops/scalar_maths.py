"""The builder protocol of `lazir.compiler.maths` over scalar code, and functions expanded with it.

For functions that MLIR's math dialect has no op for: they are written out in the kernel's body.
Takes: `Scalars` of a body under construction. Gives: `expanded`, the scalar rule of such a record.
Must not know: how a function is approximated.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import maths
from ..graph import Value
from ..scalars import Scalars
from ..types import DType, dtype_named, i1


def expanded(name: str) -> Callable[..., Value]:
    """Scalar code that is `maths.FUNCTIONS[name]` written out, on f32 and f64."""

    def scalar(s: Scalars, *xs: Value, dtype: DType) -> Value:
        value: Value = maths.FUNCTIONS[name](ScalarMaths(s), *xs)
        return value

    return scalar


def accuracy(name: str) -> float:
    """The bound of a function's error over f32 and f64, in units in the last place."""
    return max(maths.ACCURACY[name].values())


class ScalarMaths:
    """Each operation of the protocol as a scalar node. Integers are signless and wrap."""

    def __init__(self, s: Scalars) -> None:
        self.s = s

    def dtype(self, x: Value) -> str:
        return str(x.type.dtype)

    def const(self, value: int | float, like: Value) -> Value:
        return self.s.like(value, like)

    def const_bits(self, bits: int, like: Value) -> Value:
        return self.s.bitcast(self.s.constant(bits, self.s.int_of(like)), like.type.dtype)

    # -- arithmetic ----------------------------------------------------------------------
    def add(self, x: Value, y: Value) -> Value:
        return self.s.add(x, y)

    def sub(self, x: Value, y: Value) -> Value:
        return self.s.sub(x, y)

    def mul(self, x: Value, y: Value) -> Value:
        return self.s.mul(x, y)

    def div(self, x: Value, y: Value) -> Value:
        return self.s.div(x, y)

    def neg(self, x: Value) -> Value:
        return self.s.neg(x)

    def abs(self, x: Value) -> Value:
        return self.s.math("absf" if x.type.dtype.is_float else "absi", x)

    def fma(self, x: Value, y: Value, z: Value) -> Value:
        return self.s.fma(x, y, z)

    def sqrt(self, x: Value) -> Value:
        return self.s.math("sqrt", x)

    def floor(self, x: Value) -> Value:
        return self.s.math("floor", x)

    def ceil(self, x: Value) -> Value:
        return self.s.math("ceil", x)

    def trunc(self, x: Value) -> Value:
        return self.s.math("trunc", x)

    def round(self, x: Value) -> Value:
        return self.s.math("roundeven", x)

    def minimum(self, x: Value, y: Value) -> Value:
        return self.s.minimum(x, y)

    def maximum(self, x: Value, y: Value) -> Value:
        return self.s.maximum(x, y)

    # -- logic ---------------------------------------------------------------------------
    def less(self, x: Value, y: Value) -> Value:
        return self.s.compare("lt", x, y)

    def less_equal(self, x: Value, y: Value) -> Value:
        return self.s.compare("le", x, y)

    def greater(self, x: Value, y: Value) -> Value:
        return self.s.compare("gt", x, y)

    def greater_equal(self, x: Value, y: Value) -> Value:
        return self.s.compare("ge", x, y)

    def equal(self, x: Value, y: Value) -> Value:
        return self.s.compare("eq", x, y)

    def not_equal(self, x: Value, y: Value) -> Value:
        return self.s.compare("ne", x, y)

    def select(self, condition: Value, x: Value, y: Value) -> Value:
        return self.s.select(condition, x, y)

    def bit_and(self, x: Value, y: Value) -> Value:
        return self.s.bit("and", x, y)

    def bit_or(self, x: Value, y: Value) -> Value:
        return self.s.bit("or", x, y)

    def bit_xor(self, x: Value, y: Value) -> Value:
        return self.s.bit("xor", x, y)

    def bit_not(self, x: Value) -> Value:
        return self.s.bit_not(x)

    def shift_left(self, x: Value, y: Value) -> Value:
        return self.s.shift("left", x, y)

    def shift_right(self, x: Value, y: Value) -> Value:
        return self.s.shift("right_arithmetic", x, y)

    # -- conversion ----------------------------------------------------------------------
    def bitcast(self, x: Value, dtype: str) -> Value:
        return self.s.bitcast(x, _named(dtype))

    def convert(self, x: Value, dtype: str) -> Value:
        have, want = x.type.dtype, _named(dtype)
        if have.is_float and want.is_float:
            return self.s.resize_float(x, want)
        if have.is_float:
            return self.s.op("arith.fptosi", x, type=want)
        if want.is_float:
            return self.s.op("arith.uitofp" if have is i1 else "arith.sitofp", x, type=want)
        return self.s.resize(x, want, signed=True)


def _named(name: str) -> DType:
    dtype = dtype_named(name)
    assert dtype is not None, name
    return dtype
