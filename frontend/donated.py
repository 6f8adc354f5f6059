"""Tensors that were given away: what marks them, and the error when they are used.

Takes: handles. Gives: the mark and DonationError. Must not know: compiled functions.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.errors import LazirError, source_excerpt
from lazir.compiler.graph import NO_ATTRS
from lazir.compiler.types import TensorType

from .handle import Handle
from .lazy import LazyNode
from .locate import user_line, user_location

_OP = "donated"


class DonationError(LazirError):
    """A donated tensor that somebody else holds, or that is used again."""


def mark(handle: Handle) -> None:
    """Take the data out of a handle, for good."""
    type = TensorType(handle.shape, handle._dtype)
    node = LazyNode(_OP, (), NO_ATTRS, (type,), user_location())
    handle._array, handle._value = None, node.result


def check(handle: Handle) -> None:
    """DonationError for a tensor whose data was given away."""
    value: Any = handle._value
    if value is None or value.node.op != _OP:
        return
    text = "this tensor was donated to a compiled function and has no data any more"
    if value.node.locs:
        text += f"; it was donated here:\n{source_excerpt(value.node.locs[0])}\nand is used here:"
    raise DonationError(text, user_line())
