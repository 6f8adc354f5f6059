"""Scalar code of one element, as nodes named after MLIR's ops (`arith.addf`, `math.exp`, …).

Takes: scalar Values of a kernel body under construction. Gives: `Scalars`, the vocabulary in which
elementwise records state their lowering, and `storage`/`register`, how a dtype lives in a kernel.
From here on integers are signless: the op says whether it reads them as signed.
Must not know: tensors, loops, targets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .graph import Builder, Value
from .mlir.ir import Dense
from .types import DType, TensorType, f32, i1, i8, i16, i32, i64, index, token

_SIGNLESS = {8: i8, 16: i16, 32: i32, 64: i64}


def storage(dtype: DType) -> DType:
    """The element type of the buffer: bool is an i8 that holds 0 or 1, unsigned is signless; a
    token is a byte that nobody reads."""
    if dtype is i1 or dtype is token:
        return i8
    return _SIGNLESS[dtype.bits] if dtype.kind == "uint" else dtype


def register(dtype: DType) -> DType:
    """The scalar type that holds an element inside a kernel: i1 for bool, signless integers."""
    return _SIGNLESS[dtype.bits] if dtype.kind == "uint" else dtype


def scalar_type(dtype: DType) -> TensorType:
    """The Graph type of a scalar inside a kernel body."""
    return TensorType((), dtype)


@dataclass
class Scalars:
    """Builds scalar nodes. Methods take and give Values whose type is a rank-0 TensorType.

    Arithmetic picks the float or integer op by dtype; where signedness matters the method's name or
    its `signed` argument says so. f16 and bf16 are computed in f32 and rounded after every op, by
    the callers in `ops/elementwise.py` (`widened`).
    """

    builder: Builder
    bytes_of: dict[Value, Value] = field(default_factory=dict)
    """The byte that each bool was loaded as (0 or 1), to be stored as it is."""

    def dtype(self, x: Value) -> DType:
        return x.type.dtype

    def op(self, name: str, *operands: Value, type: DType | None = None, **attrs: Any) -> Value:
        """A scalar op of one result, by default of the first operand's type."""
        result = scalar_type(type if type is not None else operands[0].type.dtype)
        return self.builder.add(name, operands, attrs, (result,)).result

    # -- constants and conversions -------------------------------------------------------
    def constant(self, value: int | float | np.generic, dtype: DType) -> Value:
        """A constant; integers wrap, bf16 takes its bit pattern as an integer."""
        if dtype.is_integer:
            value = ((int(value) + (1 << (dtype.bits - 1))) % (1 << dtype.bits)) - (
                1 << (dtype.bits - 1)
            )
        type = scalar_type(dtype)
        data = np.asarray(value).astype(dtype.numpy)
        attrs = {"value": Dense(type, data)}
        return self.builder.add("arith.constant", (), attrs, (type,)).result

    def like(self, value: int | float, x: Value) -> Value:
        """A constant of x's type."""
        return self.constant(value, x.type.dtype)

    def bitcast(self, x: Value, dtype: DType) -> Value:
        return x if x.type.dtype is dtype else self.op("arith.bitcast", x, type=dtype)

    def int_of(self, x: Value) -> DType:
        """The signless integer type as wide as x."""
        return _SIGNLESS[x.type.dtype.bits]

    # -- arithmetic ----------------------------------------------------------------------
    def _arith(self, stem: str, *xs: Value) -> Value:
        suffix = "f" if xs[0].type.dtype.is_float else "i"
        return self.op(f"arith.{stem}{suffix}", *xs)

    def add(self, a: Value, b: Value) -> Value:
        return self._arith("add", a, b)

    def sub(self, a: Value, b: Value) -> Value:
        return self._arith("sub", a, b)

    def mul(self, a: Value, b: Value) -> Value:
        return self._arith("mul", a, b)

    def div(self, a: Value, b: Value) -> Value:
        """Float division."""
        return self.op("arith.divf", a, b)

    def neg(self, x: Value) -> Value:
        return self.op("arith.negf", x) if x.type.dtype.is_float else self.sub(self.like(0, x), x)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        return self.op("math.fma", a, b, c)

    def math(self, name: str, *xs: Value) -> Value:
        """`math.<name>`, a float function."""
        return self.op(f"math.{name}", *xs)

    def maximum(self, a: Value, b: Value, *, signed: bool = True) -> Value:
        """NaN-propagating for floats, with +0 > −0."""
        if a.type.dtype.is_float:
            return self.op("arith.maximumf", a, b)
        return self.op("arith.maxsi" if signed else "arith.maxui", a, b)

    def minimum(self, a: Value, b: Value, *, signed: bool = True) -> Value:
        if a.type.dtype.is_float:
            return self.op("arith.minimumf", a, b)
        return self.op("arith.minsi" if signed else "arith.minui", a, b)

    # -- logic ---------------------------------------------------------------------------
    def compare(self, predicate: str, a: Value, b: Value, *, signed: bool = True) -> Value:
        """eq ne lt le gt ge, as an i1. On floats all are ordered (false with NaN) but ne."""
        if a.type.dtype.is_float:
            name = "une" if predicate == "ne" else f"o{predicate}"
            return self.op("arith.cmpf", a, b, type=i1, predicate=name)
        order = "s" if signed and a.type.dtype is not i1 else "u"
        name = predicate if predicate in ("eq", "ne") else f"{order}{predicate}"
        return self.op("arith.cmpi", a, b, type=i1, predicate=name)

    def select(self, condition: Value, a: Value, b: Value) -> Value:
        return self.op("arith.select", condition, a, b, type=a.type.dtype)

    def bit(self, name: str, a: Value, b: Value) -> Value:
        """and or xor on integers and i1."""
        return self.op(f"arith.{name}i", a, b)

    def bit_not(self, x: Value) -> Value:
        ones = self.constant(1 if x.type.dtype is i1 else -1, x.type.dtype)
        return self.bit("xor", x, ones)

    def shift(self, direction: str, x: Value, count: Value) -> Value:
        """`left`, `right` (logical) or `right_arithmetic`, for counts below the width."""
        name = {"left": "shli", "right": "shrui", "right_arithmetic": "shrsi"}[direction]
        return self.op(f"arith.{name}", x, count)

    # -- width ---------------------------------------------------------------------------
    def resize(self, x: Value, dtype: DType, *, signed: bool) -> Value:
        """Integer (or i1) to integer of another width."""
        have, want = x.type.dtype, dtype
        if have is want:
            return x
        if index in (have, want):
            return self.op("arith.index_cast" if signed else "arith.index_castui", x, type=want)
        if want.bits < have.bits:
            return self.op("arith.trunci", x, type=want)
        name = "arith.extsi" if signed and have is not i1 else "arith.extui"
        return self.op(name, x, type=want)

    def resize_float(self, x: Value, dtype: DType) -> Value:
        """Float to float; f16 and bf16 meet in f32."""
        have = x.type.dtype
        if have is dtype:
            return x
        if have.bits == dtype.bits == 16:
            return self.resize_float(self.resize_float(x, f32), dtype)
        return self.op("arith.truncf" if dtype.bits < have.bits else "arith.extf", x, type=dtype)
