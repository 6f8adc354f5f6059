"""The text of `--arg`: what stands in for an argument, nested as Python would write it.

Takes: text such as `f32[32,784]`, `[(f32[3], i64), 0.5]`, `axis=1`. Gives: trees of specs and
numbers.
Must not know: functions, files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lazir.compiler.types import ELEMENT_TYPES, DType

from ..dtypes import as_dtype
from ..signature import Spec
from .problems import UsageError, suggestion

_DIGITS = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<word>complex<\w+>|[A-Za-z_]\w*)"
    rf"|(?P<number>[-+]?{_DIGITS}(?:j|[-+]{_DIGITS}j)?)"
    r"|(?P<string>'[^']*'|\"[^\"]*\")|(?P<mark>[()\[\]{},:=])"
)
_NAMES = {"bool": "i1", "float": "f32", "int": "i64", "complex": "complex64"}
_LITERALS = {"True": True, "False": False, "None": None}
_CLOSE = {"(": ")", "[": "]", "{": "}"}


class Arguments(NamedTuple):
    """Positional and named arguments of a call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def read_arguments(texts: Sequence[str]) -> Arguments:
    """One argument a text, in order; `name=…` is a named one.

    >>> read_arguments(["f32[2,3]", "axis=1"])
    Arguments(args=(spec((2, 3), 'f32'),), kwargs={'axis': 1})
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for text in texts:
        name, value = _Reader(text).argument()
        if name:
            kwargs[name] = value
        elif kwargs:
            raise UsageError(f"--arg {text!r} has no name, but comes after one that has", text, 0)
        else:
            args.append(value)
    return Arguments(tuple(args), kwargs)


def read_value(text: str, what: str = "--arg") -> Any:
    """One argument without a name.

    >>> read_value("[(f32[784,512], f32), 2, 'relu']")
    [(spec((784, 512), 'f32'), spec((), 'f32')), 2, 'relu']
    """
    return _Reader(text, what).whole()


def element_type(word: str) -> DType | None:
    """The element type with this MLIR or NumPy name, or None."""
    try:
        return as_dtype(_NAMES.get(word, word))
    except (TypeError, ValueError):
        return None


def _known_words() -> list[str]:
    return [t.name for t in ELEMENT_TYPES] + [t.numpy_name for t in ELEMENT_TYPES] + [*_LITERALS]


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str, what: str = "--arg") -> None:
        self.text, self.what, self.at = text, what, 0
        self.tokens: list[_Token] = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise UsageError(f"{what}: {text[place]!r} has no meaning here", text, place)
            if match.lastgroup and match.lastgroup != "space":
                self.tokens.append(_Token(match.lastgroup, match[0], place))
            place = match.end()
        self.tokens.append(_Token("end", "", len(text)))

    def argument(self) -> tuple[str, Any]:
        """A value, with its name or an empty one."""
        first, second = self.tokens[0], self.tokens[min(1, len(self.tokens) - 1)]
        if first.kind == "word" and second.text == "=":
            self.at = 2
            return first.text, self.whole()
        return "", self.whole()

    def whole(self) -> Any:
        """A value that is all of the text."""
        value = self._value()
        if self._next.kind != "end":
            raise self._wrong("one value, but more follows")
        return value

    @property
    def _next(self) -> _Token:
        return self.tokens[self.at]

    def _take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _wrong(self, expected: str, token: _Token | None = None) -> UsageError:
        token = token or self._next
        return UsageError(f"{self.what}: expected {expected}", self.text, token.column)

    def _expect(self, mark: str) -> None:
        if self._next.text != mark:
            raise self._wrong(f"{mark!r}")
        self.at += 1

    def _value(self) -> Any:
        token = self._take()
        if token.kind in ("number", "string"):
            return _literal(token)
        if token.text in _LITERALS:
            return _LITERALS[token.text]
        if token.kind == "word":
            return self._spec(token)
        if token.text == "(":
            return self._tuple()
        if token.text == "[":
            return self._items("]", self._value)
        if token.text == "{":
            return dict(self._items("}", self._pair))
        raise self._wrong("a type such as f32[2,3], a number, or a nested (…), […], {…}", token)

    def _spec(self, word: _Token) -> Spec:
        dtype = element_type(word.text)
        if dtype is None:
            hint = suggestion(word.text, _known_words())
            message = f"{self.what}: no element type {word.text!r}{hint}"
            raise UsageError(message, self.text, word.column)
        if self._next.text != "[":
            return Spec((), dtype)
        self._take()
        return Spec(self._items("]", self._size), dtype)

    def _size(self) -> int:
        token = self._take()
        if token.kind != "number" or not token.text.isdecimal():
            raise self._wrong("a size: a whole number that is not negative", token)
        return int(token.text)

    def _pair(self) -> tuple[Any, Any]:
        token = self._take()
        if token.kind == "word":
            key: Any = token.text
        elif token.kind in ("string", "number"):
            key = _literal(token)
        else:
            raise self._wrong("a key", token)
        self._expect(":")
        return key, self._value()

    def _tuple(self) -> Any:
        start = self.at
        found = self._items(")", self._value)
        alone = len(found) == 1 and self.tokens[self.at - 2].text != ","
        return found[0] if alone and self.at > start else tuple(found)

    def _items(self, close: str, item: Callable[[], Any]) -> list[Any]:
        found: list[Any] = []
        while self._next.text != close:
            found.append(item())
            if self._next.text != close:
                if self._next.text != ",":
                    raise self._wrong(f"',' or {close!r}")
                self.at += 1
        self.at += 1
        return found


def _literal(token: _Token) -> Any:
    if token.kind == "string":
        return token.text[1:-1]
    if token.text.endswith("j"):
        return complex(token.text)
    return float(token.text) if set(token.text) & set(".eE") else int(token.text)


def show(value: Any) -> str:
    """A tree as `--arg` would write it: the inverse of `read_value`."""
    if isinstance(value, Spec):
        return f"{value.dtype.name}[{','.join(map(str, value.shape))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(show, value))}{',' if len(value) == 1 else ''})"
    return repr(value)
