"""Results that go where a caller says: `out=`, and functions that write in place.

Takes: a result and a tensor to take it. Gives: that tensor, which then stands for the result, as
after `out[...] = result`. Must not know: how a result was computed.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.types import DType

from .. import late
from ..apply import as_tensor, fail
from ..dtypes import category
from ..handle import Handle
from ..tensor import Tensor

CASTINGS = ("no", "equiv", "safe", "same_kind", "unsafe")


def delivered(result: Tensor, out: Any, name: str, casting: str = "same_kind") -> Tensor:
    """The result, or `out` (also in a tuple of one) after it took the result."""
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if out is None:
        return result
    if not isinstance(out, Handle):
        fail(
            f"{name}: `out` is a tensor, got {type(out).__name__}; "
            "leave it away and take the result, with .numpy() if it shall be a NumPy array"
        )
    if out.shape != result.shape:
        fail(f"{name}: `out` has shape {out.shape}, the result {result.shape}", ShapeError)
    check_kind(result.dtype, out._dtype, casting, name)
    late.methods.write(out, ..., result)
    return as_tensor(out)


def written(target: Any, result: Tensor, inplace: bool, name: str) -> Tensor:
    """The result; in place it becomes the value of the target, which then is what is given."""
    if not inplace:
        return result
    if not isinstance(target, Handle):
        fail(
            f"{name} writes into a tensor, got {type(target).__name__}; "
            "make it one by lnp.asarray, or take the result of inplace=False"
        )
    late.methods.write(target, ..., result)
    return as_tensor(target)


def check_kind(source: DType, dtype: DType, casting: str, name: str) -> None:
    """TypeRuleError where numbers of one dtype lose their kind in the other, unless
    `casting="unsafe"`.
    """
    if casting not in CASTINGS:
        fail(f"{name}: casting is one of {', '.join(map(repr, CASTINGS))}, got {casting!r}")
    if casting != "unsafe" and category(source) > category(dtype):
        fail(
            f"{name}: {source} does not go into {dtype} without losing its kind; "
            "convert it with .astype first"
        )
