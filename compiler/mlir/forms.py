"""Pretty forms: one string for each operation drives printing and parsing alike.

The string is the text itself with holes:
    %name            operands of that name, separated by commas
    type(name)       their types
    attr(name)       an attribute, bare
    mixed(g, a)      `[%i, 4]`: operands g where the integers of attribute a say "dynamic"
    functional(a, b) `(types of a) -> types of b`
    typed(name)      `%a : f32, %b : i32`
    lead(name)       the type and a comma, left out where it is a plain i1
    {dict}           remaining attributes; by default before the first ` : `, else at the end
    {region}         the next region
    (?name … ?)      present where there are operands of that name (or that attribute is set)
Takes: strings. Gives: Forms. Must not know: any particular operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..types import i1
from .ir import Unit, Value
from .kinds import Kind
from .lexer import Source
from .reader import Reader
from .records import DYNAMIC, Parsed, Slot, View, pretty_attrs
from .writer import Writer


class Piece(Protocol):
    """A part of a form. `starts` says whether an optional part that begins with it is there."""

    def write(self, w: Writer, view: View) -> None: ...
    def read(self, r: Reader, into: Parsed) -> None: ...
    def starts(self, r: Reader) -> bool: ...


class Literal:
    """Punctuation and keywords, spaces as they are to be printed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [t.text for t in Source(text, "form").tokens[:-1]]

    def write(self, w: Writer, view: View) -> None:
        w.write(self.text)

    def read(self, r: Reader, into: Parsed) -> None:
        for token in self.tokens:
            r.expect(token)

    def starts(self, r: Reader) -> bool:
        return r.peek(self.tokens[0])


@dataclass(frozen=True)
class Uses:
    """`%a, %b`."""

    name: str
    many: bool

    def write(self, w: Writer, view: View) -> None:
        w.write(w.uses(view.values(self.name)))

    def read(self, r: Reader, into: Parsed) -> None:
        into.places[self.name] = r.at
        if self.many:
            into.operands[self.name] = r.uses() if r.peek_kind("ssa") else []
        else:
            into.operands[self.name] = [r.use()]

    def starts(self, r: Reader) -> bool:
        return r.peek_kind("ssa")


@dataclass(frozen=True)
class Types:
    """`f32, f32`, as many as there are operands."""

    name: str
    many: bool

    def write(self, w: Writer, view: View) -> None:
        w.write(", ".join(map(str, view.types(self.name))))

    def read(self, r: Reader, into: Parsed) -> None:
        into.type_places[self.name] = r.at
        found = [r.type()]
        while self.many and r.accept(","):
            found.append(r.type())
        into.types[self.name] = found

    def starts(self, r: Reader) -> bool:
        return not r.peek("(")


@dataclass(frozen=True)
class TypedUses:
    """`%a : f32, %b : i32`."""

    name: str

    def write(self, w: Writer, view: View) -> None:
        w.write(", ".join(f"{w.use(v)} : {v.type}" for v in view.values(self.name)))

    def read(self, r: Reader, into: Parsed) -> None:
        into.places[self.name] = into.type_places[self.name] = r.at
        into.operands[self.name], into.types[self.name] = [], []
        while r.peek_kind("ssa"):
            into.operands[self.name].append(r.use())
            r.expect(":")
            into.types[self.name].append(r.type())
            if not r.accept(","):
                break

    def starts(self, r: Reader) -> bool:
        return r.peek_kind("ssa")


@dataclass(frozen=True)
class LeadType:
    """`vector<4xi1>, ` before the last type; a plain `i1` is not written."""

    name: str

    def write(self, w: Writer, view: View) -> None:
        if view.type(self.name) is not i1:
            w.write(f"{view.type(self.name)}, ")

    def read(self, r: Reader, into: Parsed) -> None:
        back = r.at
        into.type_places[self.name] = back
        found = r.type()
        if r.accept(","):
            into.types[self.name] = [found]
        else:
            r.at = back
            into.types[self.name] = [i1]

    def starts(self, r: Reader) -> bool:
        return True


@dataclass(frozen=True)
class Bare:
    """An attribute written by its kind."""

    name: str
    kind: Kind

    def write(self, w: Writer, view: View) -> None:
        w.write(self.kind.write(w, view.attr(self.name)))

    def read(self, r: Reader, into: Parsed) -> None:
        into.attrs[self.name] = self.kind.read(r)

    def starts(self, r: Reader) -> bool:
        return True


@dataclass(frozen=True)
class Mixed:
    """`[%i, 4]`."""

    operands: str
    static: str

    def write(self, w: Writer, view: View) -> None:
        dynamic = iter(view.values(self.operands))
        items = [w.use(next(dynamic)) if n == DYNAMIC else str(n) for n in view.attr(self.static)]
        w.write(f"[{', '.join(items)}]")

    def read(self, r: Reader, into: Parsed) -> None:
        dynamic: list[Value] = []

        def one() -> int:
            if r.peek_kind("ssa"):
                dynamic.append(r.use())
                return DYNAMIC
            return r.integer()

        r.expect("[")
        into.places[self.operands] = r.at
        into.attrs[self.static] = tuple(r.listed(one, "]"))
        into.operands[self.operands] = dynamic

    def starts(self, r: Reader) -> bool:
        return r.peek("[")


@dataclass(frozen=True)
class Functional:
    """`(f32, f32) -> f32`."""

    operands: str
    results: str

    def write(self, w: Writer, view: View) -> None:
        ins, outs = view.types(self.operands), view.types(self.results)
        text = ", ".join(map(str, outs))
        w.write(f"({', '.join(map(str, ins))}) -> {text if len(outs) == 1 else f'({text})'}")

    def read(self, r: Reader, into: Parsed) -> None:
        into.type_places[self.operands] = r.at
        into.types[self.operands] = r.type_list()
        r.expect("->")
        into.type_places[self.results] = r.at
        into.types[self.results] = r.result_types()

    def starts(self, r: Reader) -> bool:
        return r.peek("(")


class Dict:
    """The attributes that no other part writes; a leading space where there are any."""

    def __init__(self, written: frozenset[str]) -> None:
        self.written = written

    def write(self, w: Writer, view: View) -> None:
        left = pretty_attrs(view, self.written)
        if left:
            w.write(" ", w.dict(left))

    def read(self, r: Reader, into: Parsed) -> None:
        at = r.at
        for key, value in r.attr_dict().items():
            if key in self.written:
                r.fail(f"attribute {key} is written elsewhere in this operation", at)
            into.attrs[key] = value

    def starts(self, r: Reader) -> bool:
        return r.peek("{")


class Region:
    """A region with its arguments as `^bb0(…)`."""

    def write(self, w: Writer, view: View) -> None:
        with w.names():
            w.region(view.op.regions[0], view.op.name)

    def read(self, r: Reader, into: Parsed) -> None:
        into.regions.append(r.region())

    def starts(self, r: Reader) -> bool:
        return r.peek("{")


class Maybe:
    """Parts that are there only where `anchor` (operands, results or an attribute) is. A `unit`
    anchor is a unit attribute that the parts, all literal, stand for."""

    def __init__(self, anchor: str, parts: tuple[Piece, ...], unit: bool) -> None:
        self.anchor = anchor
        self.parts = parts
        self.unit = unit

    def write(self, w: Writer, view: View) -> None:
        there = view.groups.get(self.anchor) or view.attr(self.anchor) is not None
        for part in self.parts if there else ():
            part.write(w, view)

    def read(self, r: Reader, into: Parsed) -> None:
        if self.starts(r):
            for part in self.parts:
                part.read(r, into)
            if self.unit:
                into.attrs[self.anchor] = Unit()

    def starts(self, r: Reader) -> bool:
        first = next(p for p in self.parts if not (isinstance(p, Literal) and not p.tokens))
        return first.starts(r)


@dataclass(frozen=True)
class Form:
    """The parts in order."""

    parts: tuple[Piece, ...]
    tight: bool  # no space after the operation's name

    def write(self, w: Writer, view: View) -> None:
        start = len(w.out)
        for part in self.parts:
            part.write(w, view)
        text = "".join(w.out[start:])
        if text and not self.tight and text[0] != " ":
            w.out.insert(start, " ")

    def read(self, r: Reader) -> Parsed:
        into = Parsed()
        for part in self.parts:
            part.read(r, into)
        return into


_HOLES = re.compile(
    r"%(?P<uses>\w+?)(?=mixed\(|\b)"
    r"|(?P<word>type|attr|mixed|functional|lead|typed)\((?P<a>\w+)(?:, (?P<b>\w+))?\)"
    r"|(?P<dict>\{dict\})|(?P<region>\{region\})|\(\?(?P<open>\w+) ?|(?P<close>\?\))"
)


class _FormParser:
    """Reads a form string. `attrs` are the record's attribute kinds."""

    def __init__(self, text: str, many: set[str], attrs: Mapping[str, Kind]) -> None:
        self.text = text
        self.many = many
        self.attrs = attrs
        holes = list(_HOLES.finditer(text))
        bare = {m["b"] or m["a"] for m in holes if m["word"] in ("attr", "mixed")}
        self.written = frozenset(bare | {m["open"] for m in holes if m["open"] in attrs})
        self.at = 0

    def parts(self) -> tuple[Piece, ...]:
        """Up to the end or the closing `?)`."""
        found: list[Piece] = []
        while self.at < len(self.text):
            hole = _HOLES.search(self.text, self.at)
            end = len(self.text) if hole is None else hole.start()
            if end > self.at:
                found.append(Literal(self.text[self.at : end]))
            if hole is None:
                self.at = end
                break
            self.at = hole.end()
            if hole["close"]:
                break
            found.append(self._hole(hole))
        return tuple(found)

    def _hole(self, hole: re.Match[str]) -> Piece:
        word, a, b = hole["word"], hole["a"], hole["b"]
        if hole["uses"]:
            return Uses(hole["uses"], hole["uses"] in self.many)
        if hole["open"]:
            return Maybe(hole["open"], self.parts(), hole["open"] in self.attrs)
        if word is None:
            return Region() if hole["region"] else Dict(self.written)
        holes: dict[str, Callable[[], Piece]] = {
            "type": lambda: Types(a, a in self.many),
            "attr": lambda: Bare(a, self.attrs[a]),
            "mixed": lambda: Mixed(a, b),
            "functional": lambda: Functional(a, b),
            "lead": lambda: LeadType(a),
            "typed": lambda: TypedUses(a),
        }
        return holes[word]()


def compile_form(
    text: str, operands: tuple[Slot, ...], results: tuple[Slot, ...], attrs: Mapping[str, Kind]
) -> Form:
    """A Form from its string."""
    if "{dict}" not in text:
        head, colon, tail = text.partition(" : ")
        text = f"{head}{{dict}}{colon}{tail}"
    many = {s.name for s in (*operands, *results) if s.many == "*"}
    return Form(_FormParser(text, many, attrs).parts(), text.startswith(("(", "{dict}(")))
