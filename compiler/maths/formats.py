"""Facts about the binary32 and binary64 formats, and the small bit-level steps built on them.

Takes a builder and values; gives values.
Must not know any elementary function.
"""

from __future__ import annotations

from dataclasses import dataclass

from .builder import Builder, V


@dataclass(frozen=True)
class Format:
    """Layout of one IEEE 754 binary format.

    `fraction_bits` excludes the hidden bit. Adding `integer_shifter` to a small number leaves its
    nearest integer, plus the exponent bias, in the low bits of the sum: shifted left by
    `fraction_bits` these are the bits of 2**integer.
    """

    name: str
    integer: str
    width: int
    fraction_bits: int
    bias: int

    @property
    def integer_shifter(self) -> float:
        return 1.5 * 2.0**self.fraction_bits + self.bias

    @property
    def rounder(self) -> float:
        """Adding and subtracting this rounds a number below 2**(fraction_bits - 2)."""
        return 1.5 * 2.0**self.fraction_bits

    @property
    def sign_mask(self) -> int:
        return -(1 << (self.width - 1))

    @property
    def fraction_mask(self) -> int:
        return (1 << self.fraction_bits) - 1

    @property
    def exponent_mask(self) -> int:
        return ((1 << (self.width - 1)) - 1) ^ self.fraction_mask

    @property
    def one_bits(self) -> int:
        return self.bias << self.fraction_bits

    @property
    def smallest_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    @property
    def epsilon(self) -> float:
        """Half a unit in the last place of 1."""
        return 2.0 ** -(self.fraction_bits + 1)


FORMATS = {
    "f32": Format("f32", "i32", 32, 23, 127),
    "f64": Format("f64", "i64", 64, 52, 1023),
}


def format_of(b: Builder[V], x: V) -> Format:
    """The format of a floating-point value; KeyError for any other dtype."""
    return FORMATS[b.dtype(x)]


def infinity(b: Builder[V], like: V) -> V:
    return b.const_bits(format_of(b, like).exponent_mask, like)


def nan(b: Builder[V], like: V) -> V:
    layout = format_of(b, like)
    return b.const_bits(layout.exponent_mask | 1 << (layout.fraction_bits - 1), like)


def bits_of(b: Builder[V], x: V) -> V:
    """The bits of `x` as a signed integer of the same width."""
    return b.bitcast(x, format_of(b, x).integer)


def sign_bits(b: Builder[V], x: V) -> V:
    """The sign bit of `x`, in place, as an integer."""
    bits = bits_of(b, x)
    return b.bit_and(bits, b.const(format_of(b, x).sign_mask, bits))


def flip_sign(b: Builder[V], x: V, signs: V) -> V:
    """Negate `x` where the integer `signs` has the sign bit."""
    return b.bitcast(b.bit_xor(bits_of(b, x), signs), b.dtype(x))


def with_sign_of(b: Builder[V], x: V, y: V) -> V:
    """`x`, known not to be negative (or of `y`'s sign already), with the sign of `y`."""
    return b.bitcast(b.bit_or(bits_of(b, x), sign_bits(b, y)), b.dtype(x))


def power_of_two(b: Builder[V], shifted: V, like: V) -> V:
    """2**n from an integer whose low bits are n + bias; higher bits are shifted out."""
    layout = format_of(b, like)
    return b.bitcast(b.shift_left(shifted, b.const(layout.fraction_bits, shifted)), layout.name)


def clamp(b: Builder[V], x: V, low: float, high: float) -> V:
    """`x` limited to [low, high]; NaN stays NaN. Two operations on targets with min and max."""
    lowest, highest = b.const(low, x), b.const(high, x)
    x = b.select(b.less(highest, x), highest, x)
    return b.select(b.greater(lowest, x), lowest, x)


def round_shifted(b: Builder[V], x: V, scale: float) -> tuple[V, V]:
    """`(n, shifted)`: n = nearest integer to x*scale, and the integer bits of the shifted sum."""
    shifter = b.const(format_of(b, x).integer_shifter, x)
    total = b.fma(x, b.const(scale, x), shifter)
    return b.sub(total, shifter), bits_of(b, total)


def scale_in_two(b: Builder[V], x: V, n: V, shifted: V) -> V:
    """`x * 2**n` in two exact-or-last factors, for n from about -2*bias to 2*bias.

    `n` and `shifted` come from `round_shifted`. Only the last product may round, so that a
    subnormal result is rounded once. About 7 operations.
    """
    _, half_shifted = round_shifted(b, n, 0.5)
    layout = format_of(b, x)
    rest = b.add(b.sub(shifted, half_shifted), b.const(layout.bias, shifted))
    first = power_of_two(b, half_shifted, x)
    return b.mul(b.mul(x, first), power_of_two(b, rest, x))
