"""The parser's eye: walks tokens; types, locations and affine maps are read here.

Takes: a Source. Gives: types, Locs, AffineMaps, and errors that point at a token.
Must not know: attributes, SSA values, operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from ..errors import ParseError
from ..types import FunctionType, Type
from .ir import AffineMap, Loc
from .lexer import Source, Token
from .typetext import scalar_type, shaped_type

T = TypeVar("T")

MAX_DEPTH = 200
"""Regions, lists, types or locations nested deeper than this are refused."""

_ESCAPES = {"n": b"\n", "t": b"\t", '"': b'"', "\\": b"\\"}


def unquote(text: str) -> str:
    """The string behind a quoted token: `\\n \\t \\" \\\\` and two hex digits after a backslash."""
    if "\\" not in text:
        return text[1:-1]
    out, at, body = bytearray(), 0, text[1:-1]
    while at < len(body):
        if body[at] != "\\":
            out += body[at].encode("utf-8", "surrogateescape")
            at += 1
        elif body[at + 1] in _ESCAPES:
            out += _ESCAPES[body[at + 1]]
            at += 2
        else:
            out.append(int(body[at + 1 : at + 3], 16))
            at += 3
    return out.decode("utf-8", "surrogateescape")


class Cursor:
    """A place in the tokens. `at` is the index of the next one."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = source.tokens
        self.at = 0
        self.depth = 0
        self.aliases = self._find_aliases()
        self._open: set[str] = set()  # aliases being read, to notice one that names itself

    def _find_aliases(self) -> dict[str, int]:
        """`#name = …` and `!name = …`, wherever they stand: the token after the equals sign."""
        found: dict[str, int] = {}
        tokens = self.tokens
        for i, token in enumerate(tokens[:-1]):
            if token.kind in ("hash", "bang") and tokens[i + 1].text == "=":
                if token.text in found:
                    raise self.source.error(token.start, f"{token.text} is defined twice")
                found[token.text] = i + 2
        return found

    # -- tokens --------------------------------------------------------------------------
    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        """A ParseError at the token with index `at`, by default the next one."""
        raise self.source.error(self.tokens[self.at if at is None else at].start, message)

    def found(self) -> str:
        token = self.token
        return "the end of the text" if token.kind == "end" else f"`{token.text}`"

    def peek(self, text: str, ahead: int = 0) -> bool:
        """Whether the next token is this word or punctuation (never a string or a number)."""
        at = self.at + ahead
        if at >= len(self.tokens):
            return False
        token = self.tokens[at]
        return token.text == text and token.kind in ("punct", "word", "hash", "bang")

    def peek_kind(self, kind: str) -> bool:
        return self.tokens[self.at].kind == kind

    def accept(self, text: str) -> bool:
        if self.peek(text):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail(f"expected `{text}`, found {self.found()}")

    def take(self, kind: str, what: str) -> Token:
        token = self.token
        if token.kind != kind:
            self.fail(f"expected {what}, found {self.found()}")
        self.at += 1
        return token

    def word(self, what: str = "a keyword") -> str:
        return self.take("word", what).text

    def string(self, what: str = "a string") -> str:
        at = self.at
        text = self.take("string", what).text
        try:
            return unquote(text)
        except ValueError:
            self.fail(
                "after a backslash in a string: n, t, a quote, a backslash or two hex digits",
                at,
            )

    def symbol(self) -> str:
        """`@a` or `@a::@b`, without the at signs: `a::b`."""
        parts = [self._symbol_part()]
        while self.accept("::"):
            parts.append(self._symbol_part())
        return "::".join(parts)

    def _symbol_part(self) -> str:
        text = self.take("symbol", "a symbol such as `@name`").text[1:]
        return unquote(text) if text.startswith('"') else text

    def integer(self) -> int:
        """A decimal integer with an optional minus."""
        negative = self.accept("-")
        value = int(self.take("int", "an integer").text)
        return -value if negative else value

    def listed(self, read: Callable[[], T], close: str) -> list[T]:
        """`a, b, c` up to and with the closing bracket; nothing at all is an empty list."""
        items: list[T] = []
        if self.accept(close):
            return items
        while True:
            items.append(read())
            if not self.accept(","):
                break
        if not self.accept(close):
            self.fail(f"expected `,` or `{close}`, found {self.found()}")
        return items

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper; an error beyond MAX_DEPTH."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels")
        try:
            yield
        finally:
            self.depth -= 1

    def alias(self, name: str, read: Callable[[], T]) -> T:
        """What the definition of an alias says, read with `read`."""
        start = self.aliases.get(name)
        if start is None:
            self.fail(f"{name} is not defined; write `{name} = …` at the top level", self.at - 1)
        if name in self._open:
            self.fail(f"{name} is defined by itself", self.at - 1)
        self._open.add(name)
        back, self.at = self.at, start
        with self.nested():
            value = read()
        self.at = back
        self._open.discard(name)
        return value

    # -- types ---------------------------------------------------------------------------
    def type(self) -> Type:
        """Any type."""
        token = self.token
        if token.kind == "shaped":
            self.at += 1
            try:
                return shaped_type(token.text)
            except ValueError as error:
                self.fail(str(error), self.at - 1)
        if token.text == "(" and token.kind == "punct":
            return self.function_type()
        if token.kind == "bang":
            self.at += 1
            if token.text in self.aliases:
                return self.alias(token.text, self.type)
        elif token.kind == "word":
            self.at += 1
        name = self._complex() if token.text == "complex" else token.text
        found = scalar_type(name) if token.kind in ("word", "bang") else None
        if found is None:
            self._no_type(token)
        return found

    def _complex(self) -> str:
        self.expect("<")
        part = self.word("f32 or f64")
        self.expect(">")
        return f"complex<{part}>"

    def _no_type(self, token: Token) -> NoReturn:
        if token.text in ("tensor", "memref", "vector"):
            example = f"{token.text}<4x8xf32>"
            message = f"expected a {token.text} type such as `{example}`; its `<…>` does not close"
        else:
            found = "the end of the text" if token.kind == "end" else f"`{token.text}`"
            message = f"expected a type, found {found}"
        raise self.source.error(token.start, message)

    def type_list(self) -> list[Type]:
        """`(a, b)`."""
        self.expect("(")
        return self.listed(self.type, ")")

    def result_types(self) -> list[Type]:
        """`a` or `(a, b)`, after an arrow."""
        return self.type_list() if self.peek("(") else [self.type()]

    def function_type(self) -> FunctionType:
        """`(a, b) -> c`."""
        with self.nested():
            inputs = self.type_list()
            self.expect("->")
            return FunctionType(tuple(inputs), tuple(self.result_types()))

    # -- locations -----------------------------------------------------------------------
    def trailing_loc(self) -> tuple[Loc, ...]:
        """`loc(…)` where there is one."""
        if not (self.peek("loc") and self.peek("(", 1)):
            return ()
        return self._loc_word()

    def _loc_word(self) -> tuple[Loc, ...]:
        self.expect("loc")
        self.expect("(")
        locs = self._location()
        self.expect(")")
        return locs

    def _location(self) -> tuple[Loc, ...]:
        """What stands inside `loc(…)`: the file positions in it, in order, each once."""
        with self.nested():
            if self.peek_kind("hash"):
                name = self.token.text
                self.at += 1
                return self.alias(name, self._loc_word)
            if self.accept("unknown"):
                return ()
            if self.accept("fused"):
                if self.accept("<"):
                    while not self.accept(">"):
                        self.take(
                            self.token.kind, "`>`"
                        ) if self.token.kind != "end" else self.fail("expected `>`")
                self.expect("[")
                return tuple(
                    dict.fromkeys(at for part in self.listed(self._location, "]") for at in part)
                )
            if self.accept("callsite"):
                self.expect("(")
                callee = self._location()
                self.expect("at")
                caller = self._location()
                self.expect(")")
                return callee + caller
            return self._position()

    def _position(self) -> tuple[Loc, ...]:
        """`"file":1:2` (a range `to …` keeps its start), or `"name"` with what stands behind it."""
        name = self.string('a location: `"file":line:column`, `fused[…]`, `callsite(…)`, `unknown`')
        if self.accept("("):
            inner = self._location()
            self.expect(")")
            return inner
        if not self.accept(":"):
            return ()
        line = self.integer()
        self.expect(":")
        column = self.integer()
        if self.accept("to"):
            if self.peek_kind("int"):
                self.integer()
            self.expect(":")
            self.integer()
        return (Loc(name, line, column),)

    # -- affine maps ---------------------------------------------------------------------
    def affine_map(self) -> AffineMap:
        """`affine_map<(i, j) -> (i * 2 + 3, j)>`, after the word."""
        self.expect("<")
        self.expect("(")
        names = self.listed(lambda: self.word("a dimension's name"), ")")
        if self.peek("["):
            self.fail("symbols `[s0]` in affine maps are not supported: make them dimensions")
        dims = {name: i for i, name in enumerate(names)}
        if len(dims) != len(names):
            self.fail("an affine map names a dimension twice")
        self.expect("->")
        self.expect("(")
        rows = self.listed(lambda: self._affine_sum(dims), ")")
        self.expect(">")
        return AffineMap(len(names), tuple((tuple(row[:-1]), row[-1]) for row in rows))

    def _affine_sum(self, dims: dict[str, int]) -> list[int]:
        total = self._affine_product(dims)
        while self.peek("+") or self.peek("-"):
            sign = 1 if self.accept("+") else -1
            if sign < 0:
                self.expect("-")
            term = self._affine_product(dims)
            total = [a + sign * b for a, b in zip(total, term)]
        return total

    def _affine_product(self, dims: dict[str, int]) -> list[int]:
        left = self._affine_term(dims)
        while self.accept("*"):
            right = self._affine_term(dims)
            if any(left[:-1]) and any(right[:-1]):
                self.fail("only linear affine maps are supported: one factor must be a number")
            row, factor = (left, right[-1]) if not any(right[:-1]) else (right, left[-1])
            left = [c * factor for c in row]
        for word in ("floordiv", "ceildiv", "mod"):
            if self.peek(word):
                self.fail(f"only linear affine maps are supported, not `{word}`")
        return left

    def _affine_term(self, dims: dict[str, int]) -> list[int]:
        with self.nested():
            if self.accept("("):
                row = self._affine_sum(dims)
                self.expect(")")
                return row
            if self.accept("-"):
                return [-c for c in self._affine_term(dims)]
            if self.peek_kind("int"):
                return [0] * len(dims) + [self.integer()]
            name = self.word("a dimension or a number")
            if name not in dims:
                self.fail(f"`{name}` is not a dimension of this map", self.at - 1)
            return [int(i == dims[name]) for i in range(len(dims))] + [0]


__all__ = ["MAX_DEPTH", "Cursor", "ParseError", "unquote"]
