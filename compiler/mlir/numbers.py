"""Numbers and `dense<…>` constants read from tokens.

Takes: a Cursor's tokens. Gives: ints, floats, Typed numbers, Dense arrays.
Must not know: other attributes, SSA values, operations.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from ..types import DType, TensorType, Type, VectorType, f64, i64
from .cursor import Cursor
from .ir import Dense, Typed
from .lexer import Token
from .literals import float_bits, float_of_bits

Literal: TypeAlias = "tuple[int, bool]"  # the index of a number's or a word's token, and its minus
Nested: TypeAlias = "Literal | tuple[Literal, Literal] | list[Any]"  # a pair is a complex number


def integer_range(dtype: DType) -> tuple[int, int]:
    """The least and greatest integer that text may say for an element type."""
    if dtype.is_bool:
        return -1, 1
    if dtype.kind == "uint":
        return 0, (1 << dtype.bits) - 1
    return -(1 << (dtype.bits - 1)), (1 << (dtype.bits - 1)) - 1


class NumberCursor(Cursor):
    """Reads numbers."""

    def number(self) -> Any:
        """`3`, `3 : i32`, `-0.5 : f16`, `0x7F800000 : f32`: int and float stand for i64 and f64."""
        literal = self.literal()
        default = f64 if self.tokens[literal[0]].kind == "float" else i64
        type = self.type() if self.accept(":") else default
        if not isinstance(type, DType):
            self.fail(f"a number cannot be {type}", literal[0])
        value = self.value_of(literal, type)
        if type is i64 or type is f64:
            return value
        return bool(value) if type.is_bool else Typed(value, type)

    def literal(self) -> Literal:
        """A number's token, noted with its minus."""
        negative = self.accept("-")
        if self.token.kind not in ("int", "float", "hex"):
            self.fail(f"expected a number, found {self.found()}")
        self.at += 1
        return self.at - 1, negative

    def value_of(self, literal: Literal, dtype: DType) -> int | float:
        """The number that a literal says when read as a `dtype`; for bf16 its bits."""
        at, negative = literal
        token = self.tokens[at]
        if token.kind == "word":
            if not dtype.is_bool:
                self.fail(f"`{token.text}` is not of type {dtype}", at)
            return int(token.text == "true")
        if dtype.is_float:
            return self._float(token, negative, dtype, at)
        if dtype.is_complex or dtype.kind == "token":
            self.fail(f"a single number cannot be {dtype}", at)
        if token.kind == "float":
            self.fail(f"{token.text} is not an integer, which {dtype} asks for", at)
        value = int(token.text, 16 if token.kind == "hex" else 10) * (-1 if negative else 1)
        low, high = integer_range(dtype)
        if token.kind == "hex" and dtype.kind in ("int", "index") and high < value < 2 * high + 2:
            value -= 2 * high + 2
        if not low <= value <= high:
            self.fail(f"{value} does not fit {dtype} ({low} to {high})", at)
        return value

    def _float(self, token: Token, negative: bool, dtype: DType, at: int) -> int | float:
        if token.kind == "int":
            self.fail(f"a {dtype} has a decimal point: write {token.text}.0", at)
        if token.kind == "hex":
            bits = int(token.text, 16)
            if negative or bits >> dtype.bits:
                self.fail(f"{token.text} is not the {dtype.bits} bits of a {dtype}", at)
        else:
            bits = float_bits(float(("-" if negative else "") + token.text), dtype)
            if math.isinf(float_of_bits(bits, dtype)):
                self.fail(
                    f"{token.text} is too large for {dtype}; write infinity by its bits, 0x…", at
                )
        return bits if dtype.name == "bf16" else float_of_bits(bits, dtype)

    # -- dense ---------------------------------------------------------------------------
    def dense(self, known: Type | None = None) -> Dense:
        """`dense<…> : type`, at the word `dense`; without the colon where the type is known."""
        start = self.at
        self.expect("dense")
        self.expect("<")
        digits, elements = "", None
        if self.peek_kind("string"):
            digits = self.string()
        elif not self.peek(">"):
            elements = self._elements()
        self.expect(">")
        if known is None:
            self.expect(":")
        type = known or self.type()
        if not isinstance(type, (TensorType, VectorType)):
            self.fail(f"a dense constant is a tensor or vector, not {type}", start)
        if digits:
            return Dense(type, self._hex_data(digits, type, start))
        return Dense(type, self._listed_data(elements, type, start))

    def _elements(self) -> Nested:
        if self.accept("["):
            with self.nested():
                return self.listed(self._elements, "]")
        if self.accept("("):
            real = self.literal()
            self.expect(",")
            imaginary = self.literal()
            self.expect(")")
            return real, imaginary
        if self.peek("true") or self.peek("false"):
            self.at += 1
            return self.at - 1, False
        return self.literal()

    def _listed_data(
        self, elements: Nested | None, type: TensorType | VectorType, start: int
    ) -> np.ndarray[Any, Any]:
        dtype = type.dtype
        if elements is None:
            if type.size:
                self.fail(f"no elements are given for {type}", start)
            return np.zeros(type.shape, dtype.numpy)
        if not isinstance(elements, list):
            return self._filled([elements], dtype).reshape(())
        shape: list[int] = []
        inner: Any = elements
        while isinstance(inner, list):
            shape.append(len(inner))
            inner = inner[0] if inner else None
        flat: list[Any] = []
        self._flatten(elements, shape, 0, flat, start)
        if tuple(shape) != type.shape and not (0 in shape and type.size == 0):
            self.fail(f"elements of shape {tuple(shape)} are given for {type}", start)
        return self._filled(flat, dtype).reshape(type.shape)

    def _flatten(
        self, nested: list[Any], shape: list[int], depth: int, flat: list[Any], start: int
    ) -> None:
        last = depth == len(shape) - 1
        if len(nested) != shape[depth] or any(isinstance(i, list) == last for i in nested):
            self.fail("the rows of this constant differ in length", start)
        if last:
            flat.extend(nested)
            return
        for row in nested:
            self._flatten(row, shape, depth + 1, flat, start)

    def _filled(self, items: list[Any], dtype: DType) -> np.ndarray[Any, Any]:
        """The elements as a flat array; floats by their bits, which keeps every NaN as it is."""
        for item in items:
            if isinstance(item[0], tuple) != dtype.is_complex:
                want = "a pair `(real,imaginary)`" if dtype.is_complex else "a single number"
                at = item[0][0] if isinstance(item[0], tuple) else item[0]
                self.fail(f"an element of type {dtype} is {want}", at)
        if dtype.is_complex:
            parts = self._filled([part for pair in items for part in pair], dtype.part)
            return parts.view(dtype.numpy)
        values = [self.value_of(item, dtype) for item in items]
        if not dtype.is_float:
            return np.array(values, dtype.numpy)
        bits = [float_bits(value, dtype) for value in values]
        return np.array(bits, f"u{dtype.itemsize}").view(dtype.numpy)

    def _hex_data(
        self, digits: str, type: TensorType | VectorType, start: int
    ) -> np.ndarray[Any, Any]:
        try:
            raw = bytes.fromhex(digits.removeprefix("0x"))
        except ValueError:
            self.fail('a constant as a string is `"0x…"` with two hex digits a byte', start)
        dtype = type.dtype
        if dtype.is_bool and len(raw) == (type.size + 7) // 8 and len(raw) != type.size:
            bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")
            return bits[: type.size].astype(bool).reshape(type.shape)
        size = dtype.itemsize
        if len(raw) not in (size, size * type.size):
            self.fail(f"{len(raw)} bytes are given for {type}, which has {size * type.size}", start)
        data = np.frombuffer(raw, dtype.numpy.newbyteorder("<")).astype(dtype.numpy)
        return data.reshape(type.shape if len(raw) == size * type.size else ())
