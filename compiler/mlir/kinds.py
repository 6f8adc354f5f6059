"""Kinds of attributes that operations have of their own: how each is held, checked and written.

Takes: attribute values. Gives: their bare text inside a pretty form, and upstream's generic value.
Must not know: which operation has which attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .ir import AffineMap, Dense, Raw, Symbol, Typed, Unit
from .reader import Reader
from .writer import Writer


class Kind:
    """An attribute held as it is printed. Subclasses say what differs."""

    what = "an attribute"

    def accepts(self, value: Any) -> bool:
        """Whether the tree may hold this value."""
        return True

    def generic(self, value: Any) -> Any:
        """The value as upstream's generic form writes it."""
        return value

    def held(self, value: Any) -> Any:
        """The value as the tree holds it, from any form that a reader meets."""
        return value

    def write(self, w: Writer, value: Any) -> str:
        """The text inside a pretty form."""
        return w.attr(self.generic(value))

    def read(self, r: Reader) -> Any:
        """The value from the text inside a pretty form."""
        return self.held(r.attr())


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words, held as str, written bare (`slt`) between `open` and `close`.

    Generic form: the word's number where `numbered`, else `prefix<word>`.
    """

    words: tuple[str, ...]
    prefix: str = ""
    open: str = ""
    close: str = ""

    @property
    def what(self) -> str:  # type: ignore[override]
        return f"one of {', '.join(self.words)}"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.words

    def generic(self, value: Any) -> Any:
        return Raw(f"{self.prefix}{value}>") if self.prefix else self.words.index(value)

    def held(self, value: Any) -> Any:
        if isinstance(value, Raw) and self.prefix and value.text.startswith(self.prefix):
            return value.text[len(self.prefix) : -1].strip()
        if not self.prefix and type(value) is int and 0 <= value < len(self.words):
            return self.words[value]
        return value

    def write(self, w: Writer, value: Any) -> str:
        return f"{self.open}{value}{self.close}"

    def read(self, r: Reader) -> Any:
        if self.open:
            r.expect(self.open)
        at = r.at
        word = r.word(self.what)
        if word not in self.words:
            r.fail(f"expected {self.what}, found `{word}`", at)
        if self.close:
            r.expect(self.close)
        return word


class Ints(Kind):
    """`array<i64: …>` held as a tuple of ints, written `[1, 2]`."""

    what = "a tuple of integers"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple) and all(_is_int(v) for v in value)

    def write(self, w: Writer, value: Any) -> str:
        return f"[{', '.join(map(str, value))}]"

    def read(self, r: Reader) -> Any:
        r.expect("[")
        return tuple(r.listed(r.integer, "]"))


_I32S = re.compile(r"array<i32:((?:\s*-?\d+\s*,)*\s*-?\d+\s*)>")


class Ints32(Ints):
    """`array<i32: …>` held as a tuple of ints."""

    def generic(self, value: Any) -> Any:
        return Raw(f"array<i32: {', '.join(map(str, value))}>" if value else "array<i32>")

    def held(self, value: Any) -> Any:
        match = _I32S.fullmatch(value.text) if isinstance(value, Raw) else None
        return tuple(map(int, match[1].split(","))) if match is not None else value


@dataclass(frozen=True)
class IntList(Kind):
    """`[1, 2]` held as a list of ints, nested `depth` lists deep."""

    depth: int = 1
    what = "a list of integers"

    def accepts(self, value: Any) -> bool:
        return _is_nested(value, self.depth)


class Number(Kind):
    """`3 : i64` held as int, written `3`."""

    what = "an integer"

    def accepts(self, value: Any) -> bool:
        return _is_int(value)

    def write(self, w: Writer, value: Any) -> str:
        return str(value)

    def read(self, r: Reader) -> Any:
        return r.integer()


@dataclass(frozen=True)
class NumberOf(Kind):
    """`3 : i32` or `3 : index`, held as Typed, written `3` inside a form."""

    type: Any
    what = "an integer with its type"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Typed) and value.type is self.type

    def write(self, w: Writer, value: Any) -> str:
        return str(value.value)

    def read(self, r: Reader) -> Any:
        return Typed(r.integer(), self.type)


@dataclass(frozen=True)
class Holds(Kind):
    """A value of some Python classes, written as it is."""

    classes: tuple[type, ...]
    what: str = "a value"

    def accepts(self, value: Any) -> bool:
        return type(value) in self.classes


class Words(Kind):
    """A list of words held as list[str]; generically `[#linalg.iterator_type<…>]`."""

    what = 'a list of "parallel" and "reduction"'
    _prefix = "#linalg.iterator_type<"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list) and all(v in ("parallel", "reduction") for v in value)

    def generic(self, value: Any) -> Any:
        return [Raw(f"{self._prefix}{v}>") for v in value]

    def held(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [v.text[len(self._prefix) : -1] if isinstance(v, Raw) else v for v in value]


class Maps(Kind):
    """A list of affine maps."""

    what = "a list of affine maps"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(v, AffineMap) for v in value)


class Bools(Kind):
    """`[true, false]` held as a list of bools."""

    what = "a list of booleans"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(v, bool) for v in value)


class SymbolKind(Kind):
    """`@name`."""

    what = "a symbol"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Symbol)


INTS, INTS32, NUMBER = Ints(), Ints32(), Number()
SYMBOL, MAPS, WORDS, BOOLS = SymbolKind(), Maps(), Words(), Bools()
MAP = Holds((AffineMap,), "an affine map")
UNIT = Holds((Unit,), "a unit attribute")
BOOL = Holds((bool,), "true or false")
STRING = Holds((str,), "a string")
CONSTANT = Holds((bool, int, float, Typed, Dense), "a constant")
LIST = Holds((list,), "a list")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_nested(value: Any, depth: int) -> bool:
    if depth == 0:
        return _is_int(value)
    return isinstance(value, list) and all(_is_nested(v, depth - 1) for v in value)


def choice(words: str, **kwargs: str) -> Choice:
    return Choice(tuple(words.split()), **kwargs)
