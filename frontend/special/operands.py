"""What special functions take: tensors, arrays and numbers, as floats of one type and shape.

Takes: operands. Gives: tensors. Integers become the default float type.
Must not know: any function.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.graph import Value

from ..apply import call, convert, fail, promote, tensor
from ..dtypes import float32, float64
from ..tensor import Tensor


def floats(name: str, *xs: Any) -> list[Tensor]:
    """The operands as real floats of one dtype, broadcast to one shape."""
    found = promote(*xs, name=name, inexact=True)
    if not found.dtype.is_float:
        fail(f"{name} takes real numbers, got {found.dtype}")
    return [tensor(v, found.weak) for v in found.values]


def primitive(op: str, x: Any, **attrs: Any) -> Tensor:
    """A function that is one op."""
    found = promote(x, name=op, inexact=True)
    return tensor(call(op, *found.values, **attrs), found.weak)


def widened(name: str, *xs: Any) -> tuple[list[Tensor], Any]:
    """As `floats`, 16-bit floats as float32, and what turns the result back."""
    found = floats(name, *xs)
    dtype, weak = found[0]._dtype, found[0]._weak
    inner = dtype if dtype in (float32, float64) else float32

    def back(result: Tensor) -> Tensor:
        return tensor(_convert(result, dtype), weak)

    return [tensor(_convert(x, inner)) for x in found], back


def _convert(x: Tensor, dtype: Any) -> Value:
    (value,) = promote(x).values
    return convert(value, dtype)


def rounded_off(x: Tensor, factor: float, product: Tensor) -> Tensor:
    """x · factor − product, exactly."""
    a, b, c = promote(x, factor, product).values
    return tensor(call("fma", a, b, call("neg", c)))


def double(x: Tensor) -> bool:
    """Whether the tensor is float64: approximations then take more terms."""
    return x._dtype is float64
