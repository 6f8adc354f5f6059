"""Arguments that are given away: their memory may hold results.

Takes: calls with donated arguments. Gives: which leaves may be overwritten; afterwards the donated
tensors refuse to be used. Must not know: programs.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import donated, tree
from .donated import DonationError
from .handle import Handle
from .lazy import LazyNode
from .locate import user_line
from .pending import force
from .signature import Call, Reader


def donate_leaves(reader: Reader, call: Call) -> tuple[list[Any], list[int]]:
    """The leaves of a call and the numbers of those that may be overwritten.

    DonationError where the data of a donated tensor is held by another object.
    """
    args, kwargs = tree.unflatten(call.structure, range(len(call.leaves)))
    statics = [k for k, _ in call.statics if isinstance(k, int)]
    places: list[int] = []
    position = 0
    for leaves in args:
        while position in statics:
            position += 1
        if position in reader.donated:
            places += tree.leaves(leaves)
        position += 1
    for name, leaves in kwargs.items():
        if name in reader.donated_names:
            places += tree.leaves(leaves)
    given = [k for k in places if isinstance(call.leaves[k], Handle)]
    force([call.leaves[k] for k in given])
    for k in given:
        _check_alone(call.leaves[k], k)
    return call.leaves, given


def _check_alone(handle: Handle, number: int) -> None:
    if handle._array is None:
        raise DonationError(
            f"argument leaf {number} requires a gradient and cannot be donated; detach it",
            user_line(),
        )
    handle._value = None  # a cached leaf of the lazy graph would count as a holder
    # the slot, and the argument of getrefcount
    if sys.getrefcount(handle._array) > 2 or handle._array.base is not None:
        raise DonationError(
            f"argument leaf {number} cannot be donated: {_holder(handle)} shares its data; "
            "drop it, or donate lnp.copy(x)",
            user_line(),
        )


def _holder(handle: Handle) -> str:
    array = handle._array
    for other in gc.get_referrers(array):
        if other is handle or type(other).__name__ == "frame":
            continue
        if isinstance(other, Handle):
            return "another tensor"
        if isinstance(other, np.ndarray):
            return "a NumPy view"
        if isinstance(other, LazyNode):
            return "a pending operation"
        return f"a {type(other).__name__}"
    return "another object (a NumPy array made from it, perhaps)"


def finish_donation(leaves: Sequence[Any], places: Sequence[int]) -> None:
    """Make donated tensors refuse further use."""
    for k in places:
        donated.mark(leaves[k])
