"""Locks that a fork has to wait for, so that a child never finds one held by a thread it lacks.

Takes: locks with ranks. Gives: nothing; `os.fork` takes them all first and gives them back in the
parent and in the child. Must not know: what they protect.

The ranks are the order in which threads take the locks, outer ones first; the fork takes them in
the same order, so that it cannot wait for a thread that waits for it.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import weakref
from typing import Any

_locks: list[tuple[int, Any]] = []
_taken: list[Any] = []

FORCING, PROGRAMS, MACHINE, FOURIER, NATIVE, LINKING, LLVM, INNERMOST = range(8)
"""Ranks: running the lazy graph; tables of programs; making code; NumPy's transforms; the runtime's
own code; linking; calls of LLVM; locks inside of which no other is taken."""


def hold_in_forks(lock: Any, rank: int) -> None:
    """Let forks wait until nobody holds this lock (anything with `acquire` and `release`)."""
    global _locks
    _locks = sorted([*_locks, (rank, lock)], key=lambda entry: entry[0])


_owners: weakref.WeakSet[Any] = weakref.WeakSet()


def lock_of(owner: Any) -> threading.RLock:
    """A lock for the attribute `_lock` of an object, which has another one in a forked child: what
    other threads did under it, nobody does there any more.
    """
    _owners.add(owner)
    return threading.RLock()


def _before() -> None:
    taken = []
    for _, lock in _locks:
        lock.acquire()
        taken.append(lock)
    _taken[:] = taken


def _after() -> None:
    taken = _taken[::-1]
    _taken.clear()
    for lock in taken:
        lock.release()


def _in_child() -> None:
    for owner in list(_owners):
        owner._lock = threading.RLock()


def _free_properties() -> None:
    """Other locks for the cached properties of lazir's classes, which a thread may have held.

    Before Python 3.12 each property had one, for all objects of its class. Nothing is lost: what
    was being computed is computed again.
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "lazir":
            continue
        for value in list(vars(module).values()):
            if isinstance(value, type):
                for held in list(vars(value).values()):
                    if isinstance(held, functools.cached_property) and hasattr(held, "lock"):
                        held.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
    os.register_at_fork(after_in_child=_in_child)
    if sys.version_info < (3, 12):
        os.register_at_fork(after_in_child=_free_properties)
