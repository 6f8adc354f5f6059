"""Splits MLIR text into tokens. A shaped type such as `memref<4x8xf32, strided<…>>` is one token.

Takes: text and the name of its file. Gives: a list of tokens and, for errors, lines and columns.
Must not know: operations, types, attributes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from ..errors import ParseError


class Token(NamedTuple):
    """`kind` is one of string shaped ssa block symbol hash bang float hex int word punct end."""

    kind: str
    text: str
    start: int


_PATTERN = re.compile(
    r"""
    (?P<skip>(?:\s+|//[^\n]*)+)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<shaped>(?:tensor|memref|vector)<[^<>"\n]*(?:<[^<>"\n]*>[^<>"\n]*)*>)
  | (?P<ssa>%[\w$.\-]+(?:\#\d+)?)
  | (?P<block>\^[\w$.\-]+)
  | (?P<symbol>@(?:[A-Za-z_][\w$.]*|"(?:[^"\\\n]|\\.)*"))
  | (?P<hash>\#[A-Za-z_][\w$.]*)
  | (?P<bang>![A-Za-z_][\w$.]*)
  | (?P<hex>0x[0-9A-Fa-f]+)
  | (?P<float>\d+\.\d*(?:[eE][-+]?\d+)?)
  | (?P<int>\d+)
  | (?P<word>[A-Za-z_][\w$.]*)
  | (?P<punct>->|::|[\[\]{}()<>=,:*+\-?|/])
    """,
    re.VERBOSE | re.ASCII,
)

_SHORT = ("int", "hex", "float", "ssa")
_LONGEST = 1000  # characters; Python refuses to read much longer integers


class Source:
    """A text with its file name and tokens."""

    def __init__(self, text: str, filename: str) -> None:
        self.text = text
        self.filename = filename
        self.tokens = self._split()

    def _split(self) -> list[Token]:
        text, tokens, at = self.text, [], 0
        while at < len(text):
            match = _PATTERN.match(text, at)
            if match is None:
                raise self.error(at, self._complaint(at))
            kind = match.lastgroup or ""
            if kind in _SHORT and match.end() - at > _LONGEST:
                raise self.error(at, "this number or name is too long")
            if kind != "skip":
                tokens.append(Token(kind, match.group(), at))
            at = match.end()
        tokens.append(Token("end", "", len(text)))
        return tokens

    def _complaint(self, at: int) -> str:
        if self.text[at] == '"':
            return "this string does not end on its line; close it with a double quote"
        return f"unexpected character {self.text[at]!r}"

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0] + [m.end() for m in re.finditer("\n", self.text)]

    def position(self, at: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self._line_starts, at)
        return line, at - self._line_starts[line - 1] + 1

    def error(self, at: int, message: str) -> ParseError:
        """An error that shows the line and a caret below the offset."""
        line, column = self.position(at)
        text = self.text[self._line_starts[line - 1] :].split("\n", 1)[0]
        return ParseError(message, self.filename, line, column, text)
