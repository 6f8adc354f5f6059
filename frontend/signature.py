"""What a compiled function is specialised on: the kinds of its arguments.

Takes: call arguments, which of them are static. Gives: leaves, a hashable key, and in words what
differs between two keys. Must not know: tracing, programs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.types import DType, TensorType

from . import tree
from .apply import NUMBERS, fail
from .dtypes import as_dtype, default_float, weak_dtype
from .handle import Handle, array_and_dtype
from .tree import Structure


class Spec:
    """A stand-in for an argument that only lends its shape and dtype."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: Any, dtype: Any = "f32") -> None:
        self.shape = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
        self.dtype = as_dtype(dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"spec({self.shape}, {str(self.dtype)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and self.shape == other.shape and self.dtype is other.dtype

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype.name))


def spec(shape: Any, dtype: Any = "f32") -> Spec:
    """A stand-in wherever an argument only lends its shape and dtype.

    >>> spec((32, 784), "f32")
    spec((32, 784), 'f32')
    """
    return Spec(shape, dtype)


class Leaf(NamedTuple):
    """The kind of one dynamic argument leaf; `weak` for Python numbers."""

    dtype: DType
    shape: tuple[int, ...]
    weak: bool

    @property
    def type(self) -> TensorType:
        """The type of the placeholder."""
        return TensorType(self.shape, self.dtype)

    def __str__(self) -> str:
        if self.weak and not self.shape:
            return f"a Python {'float' if self.dtype.is_float else 'int'}"
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


class Static(NamedTuple):
    """A static argument: equal only to one of the same type and value."""

    kind: type
    value: Any


def leaf_kind(x: Any) -> Leaf | None:
    """The kind of an argument leaf, None where it cannot be an argument."""
    if isinstance(x, Handle):
        return Leaf(x._dtype, x.shape, x._weak)
    if isinstance(x, np.ndarray | np.generic):
        array = np.asarray(x)
        return Leaf(array_and_dtype(array[:0] if array.ndim else array)[1], array.shape, False)
    if isinstance(x, NUMBERS):
        return Leaf(weak_dtype(x), (), not isinstance(x, bool))
    if isinstance(x, Spec):
        return Leaf(x.dtype, x.shape, False)
    return None


class Call(NamedTuple):
    """The arguments of one call, taken apart: `leaves` are dynamic; `statics` by position and
    name. `default` is the type of floats that nothing else decides.
    """

    leaves: list[Any]
    key: Hashable
    structure: Structure
    kinds: tuple[Leaf, ...]
    statics: tuple[tuple[int | str, Static], ...]
    default: DType

    def arguments(self, leaves: Iterable[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with other leaves."""
        args, kwargs = tree.unflatten(self.structure, leaves)
        held = dict(self.statics)
        total = len(args) + sum(isinstance(k, int) for k in held)
        rest = iter(args)
        merged = tuple(held[k].value if k in held else next(rest) for k in range(total))
        named = {k: s.value for k, s in held.items() if isinstance(k, str)}
        return merged, {**kwargs, **named}


class Reader:
    """Takes calls of one function apart; knows which arguments are static."""

    def __init__(
        self, fn: Callable[..., Any], numbers: Any, names: Any, donate: Any, donate_names: Any
    ) -> None:
        self.fn = fn
        try:
            self.parameters = list(inspect.signature(fn).parameters.values())
        except (TypeError, ValueError):
            self.parameters = []
        self.numbers, self.names = self._both(numbers, names, "static")
        self.donated, self.donated_names = self._both(donate, donate_names, "donate")

    def _both(self, numbers: Any, names: Any, what: str) -> tuple[frozenset[int], frozenset[str]]:
        """Positions and names of the same arguments, from either."""
        places = [numbers] if isinstance(numbers, int) else list(numbers)
        labels = [names] if isinstance(names, str) else list(names)
        known = [p.name for p in self.parameters if p.kind is not p.VAR_POSITIONAL]
        open_ended = any(p.kind is p.VAR_KEYWORD for p in self.parameters)
        positional = [p.name for p in self.parameters if p.kind in (0, 1)]
        unknown = [n for n in labels if n not in known and not open_ended]
        if unknown and self.parameters:
            raise ValueError(
                f"{what}_argnames: {self._name} has no argument {unknown[0]!r}; "
                f"it has {', '.join(known)}"
            )
        found = {k + len(positional) if k < 0 else k for k in places}
        found |= {positional.index(n) for n in labels if n in positional}
        return frozenset(found), frozenset(labels) | {
            positional[k] for k in found if k < len(positional)
        }

    @property
    def _name(self) -> str:
        return getattr(self.fn, "__name__", "the function")

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Take a call apart."""
        statics: list[tuple[int | str, Static]] = []
        dynamic: tuple[Any, ...] = args
        named = kwargs
        if self.numbers or self.names:
            kept = []
            for k, x in enumerate(args):
                if k in self.numbers:
                    statics.append((k, self._static(k, x)))
                else:
                    kept.append(x)
            dynamic = tuple(kept)
            named = {}
            for name in sorted(kwargs):
                if name in self.names:
                    statics.append((name, self._static(name, kwargs[name])))
                else:
                    named[name] = kwargs[name]
        leaves, structure = tree.flatten((dynamic, named))
        kinds = tuple([leaf_kind(x) for x in leaves])
        if None in kinds:
            self._refuse(dynamic, named)
        held = tuple(statics)
        default = default_float()
        key = (structure, kinds, held, default)
        return Call(leaves, key, structure, kinds, held, default)  # type: ignore[arg-type]

    def _static(self, which: int | str, value: Any) -> Static:
        try:
            hash(value)
        except TypeError:
            raise TypeError(
                f"static argument {which!r} of {self._name} must be hashable, got "
                f"{type(value).__name__}; pass a tuple instead of a list"
            ) from None
        return Static(type(value), value)

    def _refuse(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for path, x in self.paths(args, kwargs):
            if leaf_kind(x) is None:
                fail(
                    f"argument {path} of {self._name} is a {type(x).__name__}, which is no array "
                    "or number; name it in static_argnames if it selects what is computed"
                )

    def paths(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[str, Any]]:
        """Every leaf with its name as Python would write it."""
        positional = [p.name for p in self.parameters if p.kind in (0, 1)]
        dynamic = [n for k, n in enumerate(positional) if k not in self.numbers]
        found: list[tuple[str, Any]] = []
        for k, x in enumerate(args):
            found += tree.named_leaves(x, dynamic[k] if k < len(dynamic) else f"args[{k}]")
        for name in sorted(kwargs):
            found += tree.named_leaves(kwargs[name], name)
        return found

    def names_of(self, call: Call) -> list[str]:
        """Parameter names for the leaves of a call."""
        args, kwargs = tree.unflatten(call.structure, call.leaves)
        return [name for name, _ in self.paths(args, kwargs)]


def difference(reader: Reader, old: Call, new: Call) -> str:
    """What made `new` another specialisation than `old`, in words."""
    if old.structure != new.structure:
        return f"the arguments are nested differently: {old.structure} before, {new.structure} now"
    before, now = dict(old.statics), dict(new.statics)
    for which, static in now.items():
        if before.get(which) != static:
            was = before[which].value if which in before else "absent"
            return f"static argument {which!r} was {was!r} and is {static.value!r}"
    for name, a, b in zip(reader.names_of(new), old.kinds, new.kinds):
        if a != b:
            return f"argument {name} was {a} and is {b}"
    if old.default != new.default:
        return f"the default dtype was {old.default} and is {new.default}"
    return "nothing differs"
