"""The operations that elementary functions are written in.

Takes nothing; gives the protocol that a builder of values has to follow.
Must not know what a value is: a NumPy array, a graph node, an SSA name.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

V = TypeVar("V")


class Builder(Protocol[V]):
    """Elementwise primitives on values of type `V`; names equal the compiler's primitive ops.

    Every operation is IEEE 754, rounded to nearest, ties to even, without licences. Integers wrap.
    """

    def dtype(self, x: V) -> str:
        """Element type: `"f32"`, `"f64"`, `"i32"` or `"i64"`."""

    def const(self, value: int | float, like: V) -> V:
        """A constant of `like`'s dtype."""

    def const_bits(self, bits: int, like: V) -> V:
        """A floating-point constant of `like`'s dtype, given by its bit pattern."""

    def add(self, x: V, y: V) -> V: ...
    def sub(self, x: V, y: V) -> V: ...
    def mul(self, x: V, y: V) -> V: ...
    def div(self, x: V, y: V) -> V: ...
    def neg(self, x: V) -> V: ...
    def abs(self, x: V) -> V: ...

    def fma(self, x: V, y: V, z: V) -> V:
        """`x*y + z` with a single rounding."""

    def sqrt(self, x: V) -> V: ...
    def floor(self, x: V) -> V: ...
    def ceil(self, x: V) -> V: ...
    def trunc(self, x: V) -> V: ...

    def round(self, x: V) -> V:
        """Nearest integer, ties to even."""

    def minimum(self, x: V, y: V) -> V:
        """The smaller one; NaN if either is NaN."""

    def maximum(self, x: V, y: V) -> V:
        """The larger one; NaN if either is NaN."""

    def less(self, x: V, y: V) -> V: ...
    def less_equal(self, x: V, y: V) -> V: ...
    def greater(self, x: V, y: V) -> V: ...
    def greater_equal(self, x: V, y: V) -> V: ...
    def equal(self, x: V, y: V) -> V: ...

    def not_equal(self, x: V, y: V) -> V:
        """True where `x` and `y` differ or either is NaN; the other comparisons are then false."""

    def select(self, condition: V, x: V, y: V) -> V:
        """`x` where the i1 condition holds, else `y`."""

    def bit_and(self, x: V, y: V) -> V: ...
    def bit_or(self, x: V, y: V) -> V: ...
    def bit_xor(self, x: V, y: V) -> V: ...
    def bit_not(self, x: V) -> V: ...
    def shift_left(self, x: V, y: V) -> V: ...

    def shift_right(self, x: V, y: V) -> V:
        """Arithmetic shift of a signed integer."""

    def bitcast(self, x: V, dtype: str) -> V:
        """The same bits as another dtype of the same width."""

    def convert(self, x: V, dtype: str) -> V:
        """The same number as another dtype; float to integer truncates and must be in range."""
