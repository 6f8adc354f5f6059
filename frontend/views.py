"""NumPy's aliasing: handles never share memory, NumPy views do.

Takes: handles made by view operations (slices, reshape, transpose), reads and writes of them.
Gives: where a write to a view goes in its base; an error with both lines where NumPy would show a
write through another name and lazir does not. Must not know: what the operations compute.

What NumPy always makes a view of (slices, transposed and squeezed axes) says how it is got from its
base and put back there, so a write to it is one to the base, as in NumPy. Of `reshape` and `ravel`
NumPy makes a view or a copy, as the memory happens to lie: there a write is an error.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from lazir.compiler.errors import LazirError, source_excerpt
from lazir.compiler.mlir.ir import Loc

from .lazy import leaf
from .locate import user_line
from .slots import Handle, State


class AliasError(LazirError):
    """A program that relies on two names for one piece of memory."""


class Family:
    """The handles that would share memory in NumPy: a base and its views."""

    __slots__ = ("members", "version", "written")

    def __init__(self) -> None:
        self.members: list[tuple[weakref.ref[Handle], Loc | None]] = []
        self.version = 0
        self.written: Loc | None = None

    def others(self, handle: Handle) -> list[tuple[Handle, Loc | None]]:
        """The live members but `handle`, and where they were made."""
        found = []
        alive = []
        for ref, made in self.members:
            other = ref()
            if other is not None:
                alive.append((ref, made))
                if other is not handle:
                    found.append((other, made))
        self.members = alive
        return found


class Source(NamedTuple):
    """Where a view comes from: a handle that owns its elements, and the ways from it and back."""

    root: weakref.ref[Handle]
    get: Callable[[Any], Any]
    put: Callable[[Any, Any], Any]


def _state(handle: Handle) -> State:
    if handle._state is None:
        handle._state = State()
    return handle._state


def link(
    view: Handle, base: Handle, get: Callable[[Any], Any] | None = None,
    put: Callable[[Any, Any], Any] | None = None,
) -> None:  # fmt: skip
    """Note that `view` would be a NumPy view of `base`: it is `get(base)`, and `put(base, new)` is
    the base with other elements there.
    """
    state = _state(base)
    line = user_line()
    if state.family is None:
        state.family = Family()
        state.owner = True
        state.family.members.append((weakref.ref(base), line))
    family: Family = state.family
    mine = _state(view)
    mine.family = family
    mine.seen = family.version
    if get is not None and put is not None:
        mine.source = _source(base, state, get, put)
    if len(family.members) >= 16:
        family.others(view)  # forgets dead members
    family.members.append((weakref.ref(view), line))


def _source(
    base: Handle, state: State, get: Callable[[Any], Any], put: Callable[[Any, Any], Any]
) -> Source | None:
    """The way to the owner of the elements, over the base where that is a view itself."""
    if state.owner:
        return Source(weakref.ref(base), get, put)
    outer = state.source
    if outer is None:
        return None
    return Source(
        outer.root,
        lambda root: get(outer.get(root)),
        lambda root, new: outer.put(root, put(outer.get(root), new)),
    )


def written_root(view: Handle, new: Any) -> tuple[Any, Any] | None:
    """The owner of a view's elements, and what a write of the view makes of it; None where the
    handle is no view, or its owner is gone or cannot be told. AliasError where it is out of date.
    """
    state = view._state
    if state is None or state.source is None:
        return None
    root = state.source.root()
    if root is None:
        return None
    check_read(view)
    return root, state.source.put(root, new)


def renew(view: Handle) -> None:
    """The view has what its owner has now."""
    assert view._state is not None
    view._state.seen = view._state.family.version


def _pair(first: str, a: Loc | None, second: str, b: Loc | None) -> str:
    lines = []
    for text, loc in ((first, a), (second, b)):
        lines.append(text + ("" if loc is None else "\n" + source_excerpt(loc)))
    return "\n".join(lines)


def check_read(handle: Handle) -> None:
    """AliasError where the memory of a view was written through another name since it was made."""
    state = handle._state
    if state is None or state.family is None or state.owner:
        return
    if state.seen != state.family.version:
        raise AliasError(
            _pair(
                "this view is out of date: in NumPy it would show a later assignment to its base, "
                "a lazir tensor does not. Take the slice again after the assignment, or copy it "
                "before with lnp.copy(x).\nassigned here:",
                state.family.written,
                "read here:",
                user_line(),
            )
        )


def check_write(handle: Handle) -> None:
    """AliasError where NumPy would show this assignment through another live name."""
    state = handle._state
    if state is None or state.family is None:
        return
    family: Family = state.family
    here = user_line()
    if not state.owner:
        check_read(handle)
        others = family.others(handle)
        if others:
            raise AliasError(
                _pair(
                    "this assigns into a view: in NumPy its base would change too, a lazir tensor "
                    "shares no memory. Assign into the base, or copy the view with lnp.copy(x).\n"
                    "the view was made here:",
                    _made(family, handle),
                    "assigned here:",
                    here,
                )
            )
    family.version += 1
    family.written = here
    state.seen = family.version
    for view, _ in family.others(handle):
        hide(view)


def hide(handle: Handle) -> None:
    """Keep native code, which reads `_array`, from taking a handle that has to be checked first."""
    if handle._array is not None:
        handle._value = leaf(handle._array, handle._dtype).result
        handle._array = None


def _made(family: Family, handle: Handle) -> Loc | None:
    for ref, made in family.members:
        if ref() is handle:
            return made
    return None
