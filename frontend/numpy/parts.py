"""Complex values by their parts, for functions that have a meaning of their own on complex numbers.

Takes: graph values. Gives: graph values. Must not know: tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from ..apply import call, lift, number, operand


def filled(x: complex, like: Value) -> Value:
    """A constant of ours, of the type of `like`."""
    scalar = number(x, like.type.dtype, structural=True)
    return call("broadcast", scalar, shape=like.shape, axes=()) if like.shape else scalar


def real_of(z: Value) -> Value:
    """The real part; a real value is its own."""
    return call("real", z) if z.type.dtype.is_complex else z


def imag_of(z: Value) -> Value:
    """The imaginary part; zeros for a real value."""
    return call("imag", z) if z.type.dtype.is_complex else filled(0, z)


def by_part(change: Callable[[Value], Value], z: Value) -> Value:
    """The complex value whose parts are those of z, each changed."""
    return call("complex", change(call("real", z)), change(call("imag", z)))


def conjugate_of(z: Value) -> Value:
    """The complex conjugate; a real value is its own."""
    if not z.type.dtype.is_complex:
        return z
    return call("complex", call("real", z), call("neg", call("imag", z)))


def size_of(z: Value) -> Value:
    """|z|, a real value; of complex numbers without overflow on the way."""
    if not z.type.dtype.is_complex:
        return call("abs", z)
    return call("hypot", call("real", z), call("imag", z))


def squared_size(z: Value) -> Value:
    """|z|² as a real value."""
    if not z.type.dtype.is_complex:
        return call("mul", z, z)
    re, im = call("real", z), call("imag", z)
    return call("add", call("mul", re, re), call("mul", im, im))


def direction(z: Value) -> Value:
    """z / |z|, and 0 for 0; a large z is made smaller first, since |z| might overflow."""
    large = call("less", filled(1, real_of(z)), size_of(z))
    quarter = call("select", large, filled(0.25, real_of(z)), filled(1, real_of(z)))
    near = by_part(lambda part: call("mul", part, quarter), z)
    size = size_of(near)
    nothing = call("equal", size, filled(0, size))
    size = call("select", nothing, filled(1, size), size)
    return by_part(lambda part: call("div", part, size), near)


def is_infinite(x: Value) -> Value:
    """Where a float is ±inf."""
    return call("equal", call("abs", x), filled(math.inf, x))


def real_operand(x: object, dtype: DType) -> Value | None:
    """An operand as a real value of the parts' dtype, or None where it is complex."""
    found = operand(x)
    return None if found.dtype.is_complex else lift(found, dtype)
