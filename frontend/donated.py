"""Tensors that were given away: what marks them, and the error when they are used.

Takes: handles. Gives: the mark and DonationError. Must not know: compiled functions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lazir.compiler.errors import LazirError, source_excerpt
from lazir.compiler.graph import NO_ATTRS, Value
from lazir.compiler.types import DType, TensorType

from .handle import Handle
from .lazy import LazyNode
from .locate import user_line, user_location

_OP = "donated"


class DonationError(LazirError):
    """A donated tensor that somebody else holds, or that is used again."""


def mark(handles: Iterable[Handle]) -> None:
    """Take the data out of handles, for good."""
    here = user_location()
    marks: dict[tuple[tuple[int, ...], DType], Value] = {}
    for handle in handles:
        key = (handle.shape, handle._dtype)
        value = marks.get(key)
        if value is None:
            node = LazyNode(_OP, (), NO_ATTRS, (TensorType(*key),), here)
            value = marks[key] = node.result
        handle._array, handle._value = None, value


def check(handle: Handle) -> None:
    """DonationError for a tensor whose data was given away."""
    value: Any = handle._value
    if value is None or value.node.op != _OP:
        return
    text = "this tensor was donated to a compiled function and has no data any more"
    if value.node.locs:
        text += f"; it was donated here:\n{source_excerpt(value.node.locs[0])}\nand is used here:"
    raise DonationError(text, user_line())
