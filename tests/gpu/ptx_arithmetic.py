"""What PTX instructions compute, as the PTX ISA manual defines it, on arrays: one element a thread.

Takes: arrays of the instruction's type. Gives: the result. Roundings are those of the hardware: one
each, also of `fma`. Must not know: registers, memory.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from .ptx_text import PtxError

Array = np.ndarray[Any, np.dtype[Any]]
Binary = Callable[[Array, Array], Array]

TYPES = {
    **{f"u{n}": np.dtype(f"u{n // 8}") for n in (8, 16, 32, 64)},
    **{f"b{n}": np.dtype(f"u{n // 8}") for n in (8, 16, 32, 64)},
    **{f"s{n}": np.dtype(f"i{n // 8}") for n in (8, 16, 32, 64)},
    **{f"f{n}": np.dtype(f"f{n // 8}") for n in (16, 32, 64)},
    "bf16": np.dtype("u2"), "pred": np.dtype(bool),
}  # fmt: skip


def bf16_round(x: Array) -> Array:
    """f32 to the bits of the nearest bf16, ties to even; NaN is 0x7FFF."""
    bits = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    near = (bits + 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1))) >> np.uint64(16)
    return np.where(np.isnan(x), np.uint64(0x7FFF), near).astype(np.uint16)


def fma(a: Array, b: Array, c: Array) -> Array:
    """a · b + c with one rounding."""
    if a.dtype == np.float64:
        return np.array([_fma_exact(*map(float, t)) for t in zip(a, b, c)])
    product = a.astype(np.float64) * b.astype(np.float64)  # exact
    wide = c.astype(np.float64)
    total = product + wide
    back = total - product
    error = (product - (total - back)) + (wide - back)
    # Rounding to odd first makes the second rounding right (Boldo and Melquiond, 2008).
    bits = total.view(np.int64)
    away = (error > 0) == (total > 0)
    odd = np.where(away, bits + 1, bits - 1)
    fix = np.isfinite(total) & (error != 0) & (bits & 1 == 0)
    return np.where(fix, odd, bits).view(np.float64).astype(a.dtype)


def _fma_exact(a: float, b: float, c: float) -> float:
    if not all(map(np.isfinite, (a, b, c))):
        return a * b + c
    total = Fraction(a) * Fraction(b) + Fraction(c)
    if total == 0:
        return a * b + c
    try:
        return float(total)
    except OverflowError:
        return np.inf if total > 0 else -np.inf


def _extreme(choose: Callable[..., Array], bits: Callable[..., Array], keeps_nan: bool) -> Binary:
    """min or max of floats: a NaN is ignored or kept, −0 is below +0."""

    def run(a: Array, b: Array) -> Array:
        word = np.dtype(f"u{a.dtype.itemsize}")
        zeros = (a == 0) & (b == 0)
        joined = bits(a.view(word), b.view(word)).view(a.dtype)
        result = np.where(zeros, joined, choose(a, b))
        nan = np.isnan(a) | np.isnan(b) if keeps_nan else np.isnan(a) & np.isnan(b)
        return np.where(nan, a.dtype.type(np.nan), result)

    return run


def _quotient(a: Array, b: Array) -> Array:
    """Integer division toward zero; by zero all bits are set, as on the hardware."""
    safe = np.where(b == 0, 1, b).astype(a.dtype)
    if a.dtype.kind == "u":
        return np.where(b == 0, ~np.zeros_like(a), a // safe)
    low = np.iinfo(a.dtype).min
    wraps = (a == low) & (b == -1)
    safe = np.where(wraps, 1, safe).astype(a.dtype)
    floor = a // safe
    result = floor + ((floor < 0) & (floor * safe != a))
    return np.where(b == 0, -1, result).astype(a.dtype)


def _remainder(a: Array, b: Array) -> Array:
    return np.where(b == 0, a, a - _quotient(a, b) * b).astype(a.dtype)


def _high(a: Array, b: Array) -> Array:
    bits = 8 * a.dtype.itemsize
    return np.array([(int(x) * int(y)) >> bits for x, y in zip(a, b)], object).astype(
        a.dtype, casting="unsafe"
    )


def _wide(a: Array, b: Array) -> Array:
    wide = np.dtype(f"{a.dtype.kind}{2 * a.dtype.itemsize}")
    return a.astype(wide) * b.astype(wide)


def shift(left: bool) -> Binary:
    """Shifts clamp at the width: everything is shifted out."""

    def run(a: Array, n: Array) -> Array:
        bits = 8 * a.dtype.itemsize
        count = np.minimum(n.astype(np.uint64), bits - 1).astype(a.dtype)
        moved = a << count if left else a >> count
        gone = a.dtype.type(0) if left or a.dtype.kind == "u" else moved
        return np.where(n.astype(np.uint64) >= bits, gone, moved).astype(a.dtype)

    return run


def _bit_field(a: Array, start: Array, length: Array) -> Array:
    """`bfe.u`: `length` bits from `start` on."""
    wide = a.astype(np.uint64) >> np.minimum(start & 255, 63).astype(np.uint64)
    mask = (np.uint64(1) << np.minimum(length & 255, 63).astype(np.uint64)) - np.uint64(1)
    return (wide & mask).astype(a.dtype)


OPERATIONS: dict[str, Callable[..., Array]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "mul.hi": _high, "mul.wide": _wide, "mad": lambda a, b, c: a * b + c,
    "fma": fma, "neg": lambda a: -a, "abs": np.abs, "sqrt": np.sqrt, "not": lambda a: ~a,
    "rcp": lambda a: a.dtype.type(1) / a, "and": lambda a, b: a & b, "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b, "shl": shift(True), "shr": shift(False), "bfe": _bit_field,
    "min": np.minimum, "max": np.maximum, "rem": _remainder, "div": _quotient,
    "div.float": lambda a, b: a / b,
    "min.float": _extreme(np.fmin, np.bitwise_or, False),
    "max.float": _extreme(np.fmax, np.bitwise_and, False),
    "min.NaN": _extreme(np.fmin, np.bitwise_or, True),
    "max.NaN": _extreme(np.fmax, np.bitwise_and, True),
    "popc": lambda a: np.bitwise_count(a).astype(np.uint32),
    "clz": lambda a: np.array([8 * a.itemsize - int(x).bit_length() for x in a], np.uint32),
    "mov": lambda a: a,
    "copysign": lambda a, b: np.copysign(b, a),
}  # fmt: skip
"""By name; float minima and divisions, and products of other widths, have names of their own."""

IGNORED = {"rn", "lo", "sync", "uni", "to"}
"""Parts that say what is so in any case: results are rounded to nearest, low halves are kept."""


def operation(parts: tuple[str, ...]) -> tuple[Callable[..., Array], np.dtype[Any]]:
    """The function and the type behind `mul.wide.u32` and the like; PtxError for any other."""
    name, *flags, last = parts
    dtype = TYPES.get(last)
    left = [f for f in flags if f not in IGNORED]
    if dtype is None or last == "bf16":
        raise PtxError(f"unknown type in {'.'.join(parts)}")
    if name in ("min", "max") and dtype.kind == "f":
        left = left or ["float"]
    if name == "div" and dtype.kind == "f" and "rn" in flags:
        left = ["float"]
    if dtype.kind == "f" and name in ("add", "sub", "mul", "fma") and "rn" not in flags:
        raise PtxError(f"{'.'.join(parts)} may be joined with others: no rounding is given")
    found = OPERATIONS.get(".".join([name, *left]))
    if found is None:
        raise PtxError(f"unknown instruction {'.'.join(parts)}")
    return found, dtype


_COMPARE: dict[str, Binary] = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: (a < b) | (a > b),
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b, "num": lambda a, b: ~(np.isnan(a) | np.isnan(b)),
    "nan": lambda a, b: np.isnan(a) | np.isnan(b), "equ": lambda a, b: ~((a < b) | (a > b)),
    "neu": lambda a, b: ~(a == b), "ltu": lambda a, b: ~(a >= b), "leu": lambda a, b: ~(a > b),
    "gtu": lambda a, b: ~(a <= b), "geu": lambda a, b: ~(a < b),
}  # fmt: skip


def comparison(parts: tuple[str, ...]) -> tuple[Binary, np.dtype[Any]]:
    """The function and the type of `setp.lt.f32`."""
    if len(parts) != 3 or parts[1] not in _COMPARE or parts[2] not in TYPES:
        raise PtxError(f"unknown instruction {'.'.join(parts)}")
    return _COMPARE[parts[1]], TYPES[parts[2]]


_ROUND = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


def convert(parts: tuple[str, ...], x: Array) -> Array:
    """`cvt.….to.from`: floats to integers saturate and NaN is 0; integers wrap or extend."""
    *flags, to, source = parts[1:]
    unknown = [f for f in flags if f not in ("rn", "sat", *_ROUND)]
    if unknown or to not in TYPES or source not in TYPES or "sat" in flags:
        raise PtxError(f"unknown instruction {'.'.join(parts)}")
    if source == "bf16":
        x = (x.astype(np.uint32) << np.uint32(16)).view(np.float32)
    for flag in flags:
        x = _ROUND[flag](x) if flag in _ROUND else x
    if to == "bf16":
        return bf16_round(x)
    target = TYPES[to]
    if x.dtype.kind == "f" and target.kind in "iu":
        if not set(flags) & set(_ROUND):
            raise PtxError(f"{'.'.join(parts)} has no rounding")
        return _saturate(x, target)
    return x.astype(target)


def _saturate(x: Array, target: np.dtype[Any]) -> Array:
    info = np.iinfo(target)
    exact = [0 if np.isnan(v) else int(min(max(v, -1e30), 1e30)) for v in x.astype(np.float64)]
    return np.array([min(max(v, info.min), info.max) for v in exact], target)
