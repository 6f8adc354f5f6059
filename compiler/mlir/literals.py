"""Numbers as MLIR text: floats in the shortest decimal with the same bits, else in hex.

Takes: numbers with an element type. Gives: their text, and bits from text.
Must not know: attributes, tokens, operations.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

from ..types import DType, bf16, f16, f32

_WIDTH = {"f16": ("<e", "<H"), "f32": ("<f", "<I"), "f64": ("<d", "<Q")}


def round_to_bf16(value: float) -> int:
    """The bits of the bf16 nearest to a double, ties to even, rounded once.

    >>> hex(round_to_bf16(1.0))
    '0x3f80'
    """
    with np.errstate(over="ignore"):
        single = np.float32(value)
    bits = int(single.view(np.uint32))
    if math.isnan(value):
        return bits >> 16 | 0x40
    high, low = bits >> 16, bits & 0xFFFF
    rest = abs(value) - abs(float(single))  # which side of `single` the double lies on
    above = low > 0x8000 or (low == 0x8000 and rest >= 0 and (rest > 0 or high & 1 == 1))
    return high + 1 if above else high


def float_bits(value: float, dtype: DType) -> int:
    """The bits of `value` rounded to a float type. A bf16 given as int is its bits already."""
    if dtype is bf16:
        return value if isinstance(value, int) else round_to_bf16(value)
    if math.isnan(value):
        return _nan_bits(value, dtype)
    with np.errstate(over="ignore"):
        rounded = float(np.float64(value).astype(dtype.numpy))
    as_float, as_bits = _WIDTH[dtype.name]
    return int(struct.unpack(as_bits, struct.pack(as_float, rounded))[0])


def _nan_bits(value: float, dtype: DType) -> int:
    """A double NaN's sign and leading payload bits, in a narrower type; still a NaN."""
    bits = int(struct.unpack("<Q", struct.pack("<d", value))[0])
    fraction = {"f16": 10, "f32": 23}.get(dtype.name, 52)
    payload = (bits & ((1 << 52) - 1)) >> (52 - fraction) or 1 << (fraction - 1)
    exponent = ((1 << (dtype.bits - 1 - fraction)) - 1) << fraction
    return (bits >> 63) << (dtype.bits - 1) | exponent | payload


def float_of_bits(bits: int, dtype: DType) -> float:
    """The number behind the bits of a float type, exactly (NaN payloads are widened)."""
    if dtype is bf16:
        bits, dtype = bits << 16, f32
    as_float, as_bits = _WIDTH[dtype.name]
    fraction = {"f16": 10, "f32": 23, "f64": 52}[dtype.name]
    payload = bits & ((1 << fraction) - 1)
    if payload and bits >> fraction & ((1 << (dtype.bits - 1 - fraction)) - 1) == (
        (1 << (dtype.bits - 1 - fraction)) - 1
    ):
        wide = (bits >> (dtype.bits - 1)) << 63 | 0x7FF << 52 | payload << (52 - fraction)
        return float(struct.unpack("<d", struct.pack("<Q", wide))[0])
    return float(struct.unpack(as_float, struct.pack(as_bits, bits))[0])


def hex_text(bits: int, dtype: DType) -> str:
    """`0x7F800000`: the bits of a float, padded to its width."""
    return f"0x{bits:0{dtype.bits // 4}X}"


def _shortest(value: float, dtype: DType) -> str:
    if value == int(value) and abs(value) < 1e16:
        return repr(float(value))  # a whole number, as it is
    if dtype in (f32, f16):
        number = np.float64(value).astype(dtype.numpy)
        if 1e-4 <= abs(value) < 1e16:
            return np.format_float_positional(number, unique=True, trim="0")
        return np.format_float_scientific(number, unique=True, trim="0", exp_digits=2)
    if dtype is bf16:
        wanted = round_to_bf16(value)
        for digits in range(1, 17):
            text = f"{value:.{digits}g}"
            if round_to_bf16(float(text)) == wanted:
                return text
    return repr(float(value))


def float_text(value: float, dtype: DType) -> str:
    """`0.1`, `-0.0`, `1.0e-05`, `0x7FC00000`: reads back to the same bits through a double.

    >>> float_text(0.1, f32), float_text(float("inf"), f32)
    ('0.1', '0x7F800000')
    """
    return bits_text(float_bits(value, dtype), dtype)


def bits_text(bits: int, dtype: DType) -> str:
    """The same from the bits of a float type."""
    exact = float_of_bits(bits, dtype)
    if not math.isfinite(exact):
        return hex_text(bits, dtype)
    mantissa, e, exponent = _shortest(exact, dtype).partition("e")
    text = (mantissa if "." in mantissa else mantissa + ".0") + e + exponent
    # A decimal is read as a double and rounded again: check that this is harmless.
    return text if float_bits(float(text), dtype) == bits else hex_text(bits, dtype)


def scalar_text(value: Any, dtype: DType) -> str:
    """One element: `true`, `-3`, `0.5`, `(1.0,2.0)`. A bf16 given as int is its bits."""
    if dtype.is_bool:
        return "true" if value else "false"
    if dtype.is_complex:
        part, number = dtype.part, complex(value)
        return f"({float_text(number.real, part)},{float_text(number.imag, part)})"
    if dtype.is_float:
        return float_text(
            value if isinstance(value, int) and dtype is bf16 else float(value), dtype
        )
    return str(int(value))


def array_texts(data: np.ndarray[Any, Any], dtype: DType) -> list[str]:
    """The text of each element of an array, in row-major order, from its bits."""
    flat = np.ascontiguousarray(data).reshape(-1)
    if dtype.is_complex:
        part = dtype.part
        pairs = array_texts(flat.view(part.numpy), part)
        return [f"({a},{b})" for a, b in zip(pairs[::2], pairs[1::2])]
    if dtype.is_float:
        return [bits_text(int(b), dtype) for b in flat.view(f"u{dtype.itemsize}")]
    return [scalar_text(v, dtype) for v in flat.tolist()]
