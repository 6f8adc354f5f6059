"""Uniform and normal numbers, and what the distributions share: shapes, dtypes, open fractions.

Takes: keys, shapes, dtypes, parameters. Gives: tensors. Must not know: other distributions.
One word makes one number, by the inverse of the distribution function, so that a number depends on
its own word alone.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from .. import numpy as lnp
from .. import special
from ..apply import call, convert, expand, fail, lift, number, operand, shape_of, tensor
from ..dtypes import as_dtype, float32, float64, int32, int64
from ..numpy.parts import filled
from ..tensor import Tensor
from .keys import key_value, words


def float_dtype(dtype: Any, what: str) -> DType:
    """The dtype, a float or an error that names the function."""
    found = as_dtype(dtype)
    if not found.is_float:
        fail(f"lz.random.{what} makes floats, got dtype {found}")
    return found


def working(dtype: DType) -> DType:
    """The dtype in which numbers of a dtype are computed: at least float32."""
    return float64 if dtype is float64 else float32


def sized(what: str, shape: Any, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the result: the one given, to which the parameters' broadcast, or theirs."""
    common: tuple[int, ...] = lnp.broadcast_shapes(*shapes)
    if shape is None:
        return common
    size = shape_of(shape)
    if lnp.broadcast_shapes(size, common) != size:
        fail(f"lz.random.{what}: parameters of shape {common} do not broadcast to shape {size}")
    return size


def params(
    what: str, dtype: Any, shape: Any, *given: Any
) -> tuple[DType, tuple[int, ...], list[Tensor]]:
    """The dtype and shape of the result, and the parameters broadcast, in the working dtype."""
    kind = float_dtype(dtype, what)
    size = sized(what, shape, *(operand(x).shape for x in given))
    inner = working(kind)
    return kind, size, [tensor(expand(lift(operand(x), inner), size)) for x in given]


def check(what: str, name: str, x: Any, holds: bool, rule: str) -> None:
    """An error for a Python number that is no parameter of the distribution; tensors give NaN."""
    if not holds:
        fail(f"lz.random.{what}: {name} must be {rule}, got {x}")


def positive(what: str, **given: Any) -> None:
    """`check` for parameters that must be above 0."""
    for name, x in given.items():
        if isinstance(x, int | float):
            check(what, name, x, x > 0, "above 0")


def where_valid(valid: Any, x: Tensor, dtype: DType) -> Tensor:
    """x in its dtype where the parameters are valid, NaN elsewhere."""
    return lnp.where(valid, x, lnp.nan).astype(dtype)


def _fraction(k: Value, shape: tuple[int, ...], dtype: DType) -> Value:
    """Multiples of 2^−p in [0, 1), p the precision of the dtype: every value is exact."""
    digits = {"f16": 11, "bf16": 8, "f32": 24, "f64": 53}[dtype.name]
    if dtype is float64:
        drawn = words(k, shape, 64)
        whole = call("shift_right", drawn, filled(64 - digits, drawn))
        return call("mul", convert(convert(whole, int64), float64), _scale(digits, whole, float64))
    drawn = words(k, shape)
    whole = convert(call("shift_right", drawn, filled(32 - digits, drawn)), int32)
    return convert(call("mul", convert(whole, float32), _scale(digits, whole, float32)), dtype)


def _scale(digits: int, like: Value, dtype: DType) -> Value:
    return expand(number(2.0**-digits, dtype, structural=True), like.shape)


def _halves(k: Value, shape: tuple[int, ...], inner: DType) -> tuple[Tensor, Tensor]:
    """Fractions in (0, ½], and signs: (m + ½)·2⁻³² (or ⁻⁶⁴) of the low bits m, and the top bit."""
    bits, whole = (64, int64) if inner is float64 else (32, int32)
    drawn = words(k, shape, bits)
    top = call("shift_right", drawn, filled(bits - 1, drawn))
    low = convert(call("bit_and", drawn, filled((1 << (bits - 1)) - 1, drawn)), whole)
    part = convert(low, inner)
    part = call("mul", call("add", part, filled(0.5, part)), filled(2.0**-bits, part))
    return tensor(part), tensor(top) != 0


def open_fraction(key: Any, shape: tuple[int, ...], inner: DType) -> Tensor:
    """Uniform numbers in the open interval (0, 1): multiples of 2^−p plus a half of that step."""
    digits = 23 if inner is float32 else 52
    bits, whole = (64, int64) if inner is float64 else (32, int32)
    drawn = words(key_value(key), shape, bits)
    part = convert(convert(call("shift_right", drawn, filled(bits - digits, drawn)), whole), inner)
    return tensor(call("mul", call("add", part, filled(0.5, part)), _scale(digits, drawn, inner)))


def small_fraction(key: Any, shape: tuple[int, ...], inner: DType) -> Tensor:
    """Uniform numbers in (0, 1] that are fine near 0, for logarithms: (w + ½)·2⁻³² (or ⁻⁶⁴)."""
    bits = 64 if inner is float64 else 32
    part = convert(words(key_value(key), shape, bits), inner)
    part = call("add", part, filled(0.5, part))
    return tensor(call("mul", part, filled(2.0**-bits, part)))


def uniform(
    key: Any, shape: Any = (), dtype: Any = "float32", minval: Any = 0.0, maxval: Any = 1.0
) -> Tensor:
    """Uniform numbers in [minval, maxval).

    >>> import lazir as lz
    >>> x = lz.random.uniform(lz.random.key(0), (1000,))
    >>> bool((x >= 0).all() & (x < 1).all())
    True
    """
    kind = float_dtype(dtype, "uniform")
    value = _fraction(key_value(key), shape_of(shape), kind)
    numbers = isinstance(minval, float | int) and isinstance(maxval, float | int)
    if numbers and minval == 0 and maxval == 1:
        return tensor(value)
    low, high = (lift(operand(x), kind) for x in (minval, maxval))
    width = call("sub", expand(high, value.shape), expand(low, value.shape))
    moved = call("add", call("mul", value, width), expand(low, value.shape))
    return tensor(call("maximum", expand(low, value.shape), moved))


def normal(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Normal numbers with mean 0 and deviation 1, by inversion: ndtri of one word each.

    The top bit gives the sign, the others the tail's probability (m + ½)·2⁻³², in float64 ⁻⁶⁴: the
    numbers are symmetric and reach 6.3 (float64: 9.1). Complex ones have parts with the variance
    ½, so that the mean of |z|² is 1.

    >>> import lazir as lz
    >>> x = lz.random.normal(lz.random.key(0), (10000,))
    >>> abs(x.mean().item()) < 0.05
    True
    """
    wanted = as_dtype(dtype)
    kind = float_dtype(wanted.part, "normal")
    size = shape_of(shape)
    k = key_value(key)
    if wanted.is_complex:
        both = normal(tensor(k), (*size, 2), kind) * 0.5**0.5
        return tensor(call("complex", *(lift(operand(both[..., j])) for j in range(2))))
    tail, below = _halves(k, size, working(kind))
    size_of = special.ndtri(tail)
    return lnp.where(below, size_of, -size_of).astype(kind)


def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = "float32"
) -> Tensor:
    """Normal numbers that lie in [lower, upper], by inversion in the tail that holds more of them.

    >>> import lazir as lz
    >>> x = lz.random.truncated_normal(lz.random.key(0), -1.0, 1.0, (100,))
    >>> bool((abs(x) <= 1).all())
    True
    """
    kind, size, (low, high) = params("truncated_normal", dtype, shape, lower, upper)
    if isinstance(lower, int | float) and isinstance(upper, int | float):
        check("truncated_normal", "lower", lower, lower < upper, f"below upper ({upper})")
    # above 0 the distribution function has no digits left: such intervals are turned around
    turned = low > 0
    a, b = lnp.where(turned, -high, low), lnp.where(turned, -low, high)
    below, above = special.ndtr(a), special.ndtr(b)
    u = open_fraction(key, size, working(kind))
    x = lnp.clip(special.ndtri(below + u * (above - below)), a, b)
    return where_valid(low < high, lnp.where(turned, -x, x), kind)
