"""Stand-ins for arguments from annotations of arrays: `Float[Tensor, "batch 784"]`.

Takes: annotations, sizes of named axes. Gives: trees of specs; sizes for names that have none:
different primes, so that axes fit together only where the annotations say so.
Must not know: functions, files.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Union

from .. import tree
from ..axes import Axis, evaluate, names_in
from ..hints import array_hint, dtype_of, fields_of
from ..signature import Spec
from .arguments import element_type
from .problems import InputError

_GROUP = 2
"""How many axes stand in for `...` and `*name`."""


class Unknown(Exception):
    """The annotation does not say what could stand in for the argument."""


class Sizes:
    """The sizes of named axes: those given, and those chosen when `choose` is set."""

    def __init__(self, given: Mapping[str, int], choose: bool) -> None:
        self.sizes = dict(given)
        self.chosen: dict[str, int] = {}
        self._choose = choose
        self._taken = set(given.values())
        self._groups: dict[str, tuple[int, ...]] = {}

    def avoid(self, hints: Iterable[Any]) -> None:
        """Choose no size that the annotations fix."""
        for hint in hints:
            found = array_hint(hint)
            if found is not None:
                self._taken |= {a.size for a in found.axes if a.size is not None}
            else:
                self.avoid(p for p in (*typing.get_args(hint), *fields_of(hint).values()))

    def _prime(self) -> int:
        if not self._choose:
            raise Unknown
        found = next(n for n in _primes() if n not in self._taken)
        self._taken.add(found)
        return found

    def size(self, name: str) -> int:
        """The size of a named axis."""
        if name not in self.sizes:
            self.sizes[name] = self.chosen[name] = self._prime()
        return self.sizes[name]

    def shape(self, axes: tuple[Axis, ...]) -> tuple[int, ...]:
        """A shape that the words describe."""
        found: list[int] = []
        for axis in axes:
            if axis.many and axis.name in self._groups:
                found += self._groups[axis.name]
            elif axis.many:
                group = tuple([self._prime() for _ in range(_GROUP)])
                if axis.name:
                    self._groups[axis.name] = group
                    self.chosen.update({f"{axis.name}[{k}]": n for k, n in enumerate(group)})
                found += group
            else:
                found.append(self._one(axis))
        return tuple(found)

    def _one(self, axis: Axis) -> int:
        if axis.size is not None:
            return axis.size
        if axis.name:
            return self.size(axis.name)
        if not axis.formula:
            return self._prime()
        value = evaluate(axis.formula, {n: self.size(n) for n in names_in(axis.formula)})
        if value < 0:
            names = ", ".join(f"{n} = {self.sizes[n]}" for n in names_in(axis.formula))
            raise InputError(f"{axis.formula} is {value} with {names}; give other sizes by --size")
        return value

    def stand_in(self, hint: Any) -> Any:
        """A tree of specs that the annotation allows. Unknown where it does not say enough."""
        wanted = array_hint(hint)
        if wanted is not None:
            dtype = dtype_of(wanted, element_type)
            if dtype is None:
                raise Unknown
            return Spec(self.shape(wanted.axes), dtype)
        origin, parts = typing.get_origin(hint), typing.get_args(hint)
        if origin in (Union, types.UnionType):
            return self.stand_in(next(p for p in parts if p is not type(None)))
        if origin is Annotated:
            return self.stand_in(parts[0])
        if origin is tuple and ... not in parts:
            return tuple([self.stand_in(p) for p in parts])
        fields = fields_of(hint)
        if fields and tree.is_registered(hint):
            return _built(hint, {n: self.stand_in(p) for n, p in fields.items()})
        if hint is float:
            return 1.0
        raise Unknown


def axis_names(hints: Iterable[Any]) -> list[str]:
    """The names of single axes in annotations."""
    found: dict[str, None] = {}
    for hint in hints:
        wanted = array_hint(hint)
        if wanted is None:
            parts = [*typing.get_args(hint), *fields_of(hint).values()]
            found.update(dict.fromkeys(axis_names(p for p in parts if p is not hint)))
            continue
        for axis in wanted.axes:
            names = [axis.name] if axis.name and not axis.many else []
            found.update(dict.fromkeys([*names, *(names_in(axis.formula) if axis.formula else [])]))
    return list(found)


def _built(cls: Any, values: dict[str, Any]) -> Any:
    if issubclass(cls, tuple):
        return cls(**values)
    made = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def _primes() -> Iterator[int]:
    found: list[int] = []
    n = 5
    while True:
        if n % 2 and n % 3 and all(n % p for p in found):
            found.append(n)
            yield n
        n += 2
