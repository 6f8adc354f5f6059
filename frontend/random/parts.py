"""What the distributions share: shapes, dtypes, checks of parameters, and numbers of one word each.

Takes: keys, shapes, dtypes, parameters. Gives: tensors of the working dtype. Must not know: any
distribution's name. A number depends on its own word alone, through the inverse of its
distribution function: the same bits for every shape of vectors, threads and batches.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType, broadcast_shapes

from .. import numpy as lnp
from .. import special
from ..apply import call, convert, expand, fail, lift, number, operand, shape_of, tensor
from ..dtypes import as_dtype, default_float, float32, float64, int32, int64
from ..numpy.parts import filled
from ..tensor import Tensor
from .keys import key_value, words

Shape = tuple[int, ...]


# -- dtypes and shapes ---------------------------------------------------------------------
def float_dtype(dtype: Any, what: str) -> DType:
    """The dtype, a float (None: the default) or an error that names the function."""
    found = default_float() if dtype is None else as_dtype(dtype)
    if not found.is_float:
        fail(f"lz.random.{what} makes floats, got dtype {found}")
    return found


def integer_dtype(dtype: Any, what: str) -> DType:
    """The dtype, an integer (None: int64) or an error that names the function."""
    found = int64 if dtype is None else as_dtype(dtype)
    if not found.is_integer:
        fail(f"lz.random.{what} makes integers, got dtype {found}")
    return found


def working(dtype: DType) -> DType:
    """The dtype in which numbers of a dtype are computed: at least float32."""
    return float64 if dtype is float64 else float32


def common_shape(what: str, *shapes: Shape) -> Shape:
    """The shape that the parameters broadcast to, or an error that names the function."""
    found = broadcast_shapes(shapes)
    if found is None:
        listed = ", ".join(str(s) for s in shapes)
        fail(f"lz.random.{what}: shapes {listed} do not broadcast together", ShapeError)
    assert found is not None
    return found


def sized(what: str, shape: Any, *shapes: Shape) -> Shape:
    """The shape of the result: the one given, to which the parameters' broadcast, or theirs."""
    common = common_shape(what, *shapes)
    if shape is None:
        return common
    size = shape_of(shape)
    if broadcast_shapes((size, common)) != size:
        fail(
            f"lz.random.{what}: parameters of shape {common} do not broadcast to shape {size}",
            ShapeError,
        )
    return size


def real(what: str, x: Any, inner: DType, size: Shape | None = None) -> Tensor:
    """A parameter in a dtype, broadcast to a shape; an error for complex ones."""
    found = operand(x)
    if found.dtype.is_complex:
        fail(f"lz.random.{what} takes real parameters, got {found.dtype}")
    value = lift(found, inner)
    return tensor(value if size is None else expand(value, size))


def params(what: str, dtype: Any, shape: Any, *given: Any) -> tuple[DType, Shape, list[Tensor]]:
    """The dtype and shape of the result, and the parameters broadcast, in the working dtype."""
    kind = float_dtype(dtype, what)
    size = sized(what, shape, *(operand(x).shape for x in given))
    return kind, size, [real(what, x, working(kind), size) for x in given]


# -- parameters ----------------------------------------------------------------------------
def known(*given: Any) -> bool:
    """Whether all are numbers or NumPy arrays, whose values can be checked at once."""
    return all(isinstance(x, int | float | np.ndarray | np.generic) for x in given)


def check(what: str, name: str, x: Any, holds: Any, rule: str) -> None:
    """An error where a known number is no parameter of the distribution; tensors give NaN."""
    if not np.all(holds):
        fail(f"lz.random.{what}: {name} must be {rule}, got {x}")


def positive(what: str, **given: Any) -> None:
    """`check` for parameters that must be above 0."""
    for name, x in given.items():
        if known(x):
            check(what, name, x, np.asarray(x) > 0, "above 0")


def fraction(what: str, p: Any) -> None:
    """`check` for probabilities."""
    if known(p):
        check(what, "p", p, (np.asarray(p) >= 0) & (np.asarray(p) <= 1), "in [0, 1]")


def where_valid(valid: Any, x: Any, dtype: DType) -> Tensor:
    """x in its dtype where the parameters are valid, NaN elsewhere."""
    return lnp.where(valid, x, lnp.nan).astype(dtype)


# -- numbers of one word each --------------------------------------------------------------
def _scaled(part: Value, digits: int) -> Value:
    scale = number(2.0**-digits, part.type.dtype, structural=True)
    return call("mul", part, expand(scale, part.shape))


def fractions(k: Value, shape: Shape, dtype: DType) -> Value:
    """Multiples of 2^−p in [0, 1), p the precision of the dtype: every value is exact."""
    digits = {"f16": 11, "bf16": 8, "f32": 24, "f64": 53}[dtype.name]
    if dtype is float64:
        drawn = words(k, shape, 64)
        whole = call("shift_right", drawn, filled(64 - digits, drawn))
        return _scaled(convert(convert(whole, int64), float64), digits)
    drawn = words(k, shape)
    whole = convert(call("shift_right", drawn, filled(32 - digits, drawn)), int32)
    return convert(_scaled(convert(whole, float32), digits), dtype)


def open_fractions(key: Any, shape: Shape, inner: DType) -> Tensor:
    """Uniform numbers in the open interval (0, 1): multiples of 2^−p plus a half of that step."""
    digits = 23 if inner is float32 else 52
    bits, whole = (64, int64) if inner is float64 else (32, int32)
    drawn = words(key_value(key), shape, bits)
    part = convert(convert(call("shift_right", drawn, filled(bits - digits, drawn)), whole), inner)
    return tensor(_scaled(call("add", part, filled(0.5, part)), digits))


def tails(key: Any, shape: Shape, inner: DType) -> tuple[Tensor, Tensor]:
    """Fractions t in (0, ½], and which of the ends 0 (True) and 1 they are counted from.

    The low bits m of a word give t = (m + ½)·2⁻³² (or ⁻⁶⁴), its top bit gives the end: so both ends
    of a distribution are as fine as floats are near 0.
    """
    bits, whole = (64, int64) if inner is float64 else (32, int32)
    drawn = words(key_value(key), shape, bits)
    top = call("shift_right", drawn, filled(bits - 1, drawn))
    low = call("bit_and", drawn, filled((1 << (bits - 1)) - 1, drawn))
    part = convert(convert(low, whole), inner)
    return tensor(_scaled(call("add", part, filled(0.5, part)), bits)), tensor(top) != 0


def signs(key: Any, shape: Shape) -> Tensor:
    """True or False, each with probability ½."""
    return tails(key, shape, float32)[1]


def normals(key: Any, shape: Shape, inner: DType) -> Tensor:
    """Normal numbers: ndtri of one word each."""
    t, below = tails(key, shape, inner)
    x = special.ndtri(t)
    return lnp.where(below, x, -x)


def exponentials(key: Any, shape: Shape, inner: DType) -> Tensor:
    """Exponential numbers −log u, accurate where u is near 0 and where it is near 1.

    Near 1, u = 1 − t is rounded to y; (1 − y) − t is exact, and what the logarithm is short of.
    """
    t, below = tails(key, shape, inner)
    y = lnp.where(below, t, 1 - t)
    rest = lnp.where(below, 0.0, (1 - y) - t)
    return -(lnp.log(y) + rest)
