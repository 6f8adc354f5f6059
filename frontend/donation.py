"""Arguments that are given away: their memory may hold results.

Takes: calls with donated arguments. Gives: which leaves may be overwritten; afterwards the donated
tensors refuse to be used. Must not know: programs.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazir.runtime.buffers import is_sole_owner

from . import donated, tree
from .donated import DonationError
from .handle import Handle
from .lazy import LazyNode
from .locate import user_line
from .pending import force
from .signature import Call, Reader


def donated_leaves(reader: Reader, call: Call) -> tuple[int, ...]:
    """The numbers of the leaves that a call gives away, by the kinds of its arguments alone."""
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
    return tuple(sorted(places))


def give_away(leaves: Sequence[Any], places: Sequence[int]) -> list[int]:
    """Which of the leaves numbered in `places` may be overwritten: the tensors, since NumPy arrays
    stay their owner's.

    DonationError where the data of a donated tensor is held by another object, or is another
    argument too.
    """
    given = [k for k in places if isinstance(leaves[k], Handle)]
    force([leaves[k] for k in given])
    count = Counter(id(x) for x in leaves if isinstance(x, Handle))
    for k in given:
        handle: Handle = leaves[k]
        if count[id(handle)] > 1:
            twice = [n for n, x in enumerate(leaves) if x is handle]
            raise DonationError(
                f"argument leaf {k} cannot be donated: leaves {twice} are one tensor; "
                "pass lnp.copy(x) as the other",
                user_line(),
            )
        _check_alone(handle, k)
    return given


def _check_alone(handle: Handle, number: int) -> None:
    if handle._array is None:
        raise DonationError(
            f"argument leaf {number} requires a gradient and cannot be donated; detach it",
            user_line(),
        )
    handle._value = None  # a cached leaf of the lazy graph would count as a holder
    # the slot, and the argument of getrefcount
    if sys.getrefcount(handle._array) > 2 or not is_sole_owner(handle._array):
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
    donated.mark([leaves[k] for k in places])


def donating(builtin: Callable[..., Any], places: Sequence[int]) -> Callable[..., Any]:
    """A program's builtin that overwrites the leaves numbered in `places`, for tensors that nobody
    else holds: gives NotImplemented, and leaves all as it is, for any others."""
    count = sys.getrefcount
    last = max(places)

    def run(*leaves: Any) -> Any:
        if len(leaves) <= last:
            return NotImplemented  # an argument was left out
        given = []
        count_of = Counter(map(id, leaves)) if len(set(map(id, leaves))) < len(leaves) else {}
        for k in places:
            handle = leaves[k]
            if count_of.get(id(handle), 1) > 1:
                return NotImplemented
            array = getattr(handle, "_array", None)
            if array is None or handle._state is not None:
                return NotImplemented
            handle._value = None  # a cached leaf of the lazy graph would count as a holder
            # the slot, the name here, and the argument
            if count(array) > 3 or not is_sole_owner(array):
                return NotImplemented
            given.append(handle)
        try:
            out = builtin(*leaves)
        except BaseException:
            donated.mark(given)  # part of the program has run, and may have overwritten them
            raise
        if out is not NotImplemented:
            donated.mark(given)
        return out

    return run
