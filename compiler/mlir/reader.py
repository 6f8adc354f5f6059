"""The parser's hand: attributes, and SSA names with their scopes. `parser.py` drives it.

Takes: a Source. Gives: attribute values, Values by name, Blocks.
Must not know: how any operation is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..types import DType, Type, i64
from .cursor import MAX_DEPTH
from .ir import Block, Op, Raw, Symbol, Unit, Value
from .lexer import Source, Token
from .numbers import NumberCursor
from .typetext import scalar_type

_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}


class Reader(NumberCursor):
    """`op_reader` reads one operation and is set by the parser."""

    def __init__(self, source: Source, op_reader: Callable[[Reader], Op]) -> None:
        super().__init__(source)
        self.op_reader = op_reader
        self._values: dict[str, list[Value]] = {}
        self._scopes: list[list[str]] = [[]]
        self._symbols: set[str] = set()

    # -- SSA names -----------------------------------------------------------------------
    def use(self) -> Value:
        """`%name` or `%name#1`, defined before."""
        token = self.take("ssa", "an SSA value such as `%0`")
        name, _, index = token.text.partition("#")
        values = self._values.get(name)
        if values is None:
            self.fail(f"{name} is not defined here", self.at - 1)
        number = int(index or 0)
        if number >= len(values):
            self.fail(f"{name} has {len(values)} results, there is no {token.text}", self.at - 1)
        return values[number]

    def uses(self) -> list[Value]:
        """`%a, %b`, one or more."""
        found = [self.use()]
        while self.peek(",") and self.tokens[self.at + 1].kind == "ssa":
            self.at += 1
            found.append(self.use())
        return found

    def define(self, name: str, values: Sequence[Value], at: int) -> None:
        """Enter a name for the values; the first takes it as its hint unless it is a number."""
        if name in self._values:
            self.fail(f"{name} is defined twice", at)
        self._values[name] = list(values)
        self._scopes[-1].append(name)
        if values and not name[1:].isdigit():
            values[0].hint = name[1:]

    def name(self) -> tuple[str, int]:
        """`%name` to be defined, and its token index."""
        at = self.at
        text = self.take("ssa", "a name such as `%x`").text
        if "#" in text:
            self.fail("a definition has no `#`", at)
        return text, at

    def define_arg(self, name: tuple[str, int], type: Type) -> Value:
        value = Value(type)
        self.define(name[0], [value], name[1])
        return value

    @contextmanager
    def names(self, isolated: bool = False) -> Iterator[None]:
        """A region's names; an isolated one does not see those outside."""
        outer, symbols = self._values, self._symbols
        if isolated:
            self._values, self._symbols = {}, set()
        self._scopes.append([])
        try:
            yield
        finally:
            for name in self._scopes.pop():
                del self._values[name]
            self._values, self._symbols = outer, symbols

    def define_symbol(self, name: Any, at: int) -> None:
        """A function or global; an error where its symbol table has one of this name."""
        if name in self._symbols:
            self.fail(f"@{name} is defined twice", at)
        self._symbols.add(name)

    # -- blocks --------------------------------------------------------------------------
    def typed_args(self, close: str = ")") -> list[Value]:
        """`%a: f32, %b: f32)`, defining the names."""

        def one() -> Value:
            name = self.name()
            self.expect(":")
            value = self.define_arg(name, self.type())
            self.trailing_loc()
            return value

        return self.listed(one, close)

    def body(self, block: Block, *, end: str = "") -> Block:
        """The operations up to and with `}`. `end`: the terminator to add where none is written."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"regions nested deeper than {MAX_DEPTH} levels")
        while not self.accept("}"):
            if not self.skip_aliases():
                self.fail("expected an operation or `}`, found the end of the text")
            if self.peek_kind("block"):
                self.fail("a region has one block; branches between blocks are not supported")
            block.ops.append(self.op_reader(self))
        self.depth -= 1
        if end and not (block.ops and block.ops[-1].name == end):
            block.ops.append(Op(end))
        return block

    def region(self, *, end: str = "", isolated: bool = False) -> Block:
        """`{ ^bb0(%a: f32): … }` in a scope of its own."""
        self.expect("{")
        with self.names(isolated):
            block = Block()
            if self.peek_kind("block"):
                self.at += 1
                if self.accept("("):
                    block.args = self.typed_args()
                self.expect(":")
            return self.body(block, end=end)

    def skip_aliases(self) -> bool:
        """Past `#name = …` and `!name = …`; whether anything follows."""
        while self.token.kind in ("hash", "bang") and self.peek("=", 1):
            kind = self.token.kind
            self.at += 2
            if kind == "bang":
                self.type()
            elif self.peek("loc"):
                self.trailing_loc()
            else:
                self.attr()
        return not self.peek_kind("end")

    # -- attributes ----------------------------------------------------------------------
    def attr_dict(self) -> dict[str, Any]:
        """`{a = 1, b}` where there is one."""
        return self.attr_entries() if self.peek("{") else {}

    def attr_entries(self) -> dict[str, Any]:
        self.expect("{")
        attrs: dict[str, Any] = {}

        def one() -> None:
            at = self.at
            key = self.string() if self.peek_kind("string") else self._key()
            if key in attrs:
                self.fail(f"attribute {key} is given twice", at)
            attrs[key] = self.attr() if self.accept("=") else Unit()

        self.listed(lambda: one(), "}")
        return attrs

    def _key(self) -> str:
        return self.word("an attribute's name")

    def attr(self) -> Any:
        """Any attribute value, in the form in which the tree holds it."""
        token = self.token
        read = self._readers().get(token.kind)
        if read is None:
            self.fail(f"expected an attribute, found {self.found()}")
        with self.nested():
            return read(token)

    def _readers(self) -> dict[str, Callable[[Token], Any]]:
        return {
            "string": self._string_attr,
            "symbol": lambda _: Symbol(self.symbol()),
            "hash": self._hash_attr,
            "bang": lambda _: self.type(),
            "shaped": lambda _: self.type(),
            "int": lambda _: self.number(),
            "float": lambda _: self.number(),
            "hex": lambda _: self.number(),
            "word": self._word_attr,
            "punct": self._punct_attr,
        }

    def _string_attr(self, _: Token) -> Any:
        text = self.string()
        if self.accept(":"):
            self.type()
        return text

    def _punct_attr(self, token: Token) -> Any:
        if token.text == "-":
            return self.number()
        if token.text == "[":
            self.at += 1
            return self.listed(self.attr, "]")
        if token.text == "{":
            return self.attr_entries()
        if token.text == "(":
            return self.function_type()
        self.fail(f"expected an attribute, found {self.found()}")

    def _word_attr(self, token: Token) -> Any:
        text = token.text
        if text in ("true", "false", "unit"):
            self.at += 1
            return Unit() if text == "unit" else text == "true"
        if text == "affine_map":
            self.at += 1
            return self.affine_map()
        if text == "dense":
            return self.dense()
        if text == "array":
            self.at += 1
            return self._array()
        if text == "loc":
            self.fail("a location is not an attribute here")
        if text != "complex" and scalar_type(text) is None:
            self.fail(f"expected an attribute, found `{text}`")
        return self.type()

    def _hash_attr(self, token: Token) -> Any:
        self.at += 1
        if token.text in self.aliases:
            return self.alias(token.text, self.attr)
        if "." not in token.text and not self.peek("<"):
            self.fail(
                f"{token.text} is not defined; write `{token.text} = …` at the top level",
                self.at - 1,
            )
        return self.raw(token.start)

    def raw(self, start: int) -> Raw:
        """A dialect attribute as its text: what stands between `start` and the end of its `<…>`."""
        if self.peek("<"):
            self._skip_brackets()
        last = self.tokens[self.at - 1]
        return Raw(" ".join(self.source.text[start : last.start + len(last.text)].split()))

    def _skip_brackets(self) -> None:
        closing: list[str] = []
        first = self.at
        while True:
            token = self.token
            if token.kind == "end":
                self.fail("this bracket does not close", first)
            self.at += 1
            if token.kind == "punct" and token.text in _BRACKETS:
                closing.append(_BRACKETS[token.text])
            elif token.kind == "punct" and closing and token.text == closing[-1]:
                closing.pop()
                if not closing:
                    return

    def _array(self) -> Any:
        """`array<i64: 1, 2>` as a tuple; other widths are kept as text, empty ones of any as ()."""
        start = self.tokens[self.at - 1].start
        self.expect("<")
        at = self.at
        type = self.type()
        items: list[Any] = []
        if self.accept(":"):
            items = self.listed(self._array_item, ">")
        else:
            self.expect(">")
        if not isinstance(type, DType) or not (type.is_integer or type.is_bool or type.is_float):
            self.fail(f"array<…> holds integers or floats, not {type}", at)
        kinds = bool if type.is_bool else float if type.is_float else int
        if not type.is_float and not all(isinstance(i, kinds) for i in items):
            self.fail(f"an element does not fit array<{type}: …>", at)
        if type is i64 or type.is_bool or not items:
            return tuple(items)
        last = self.tokens[self.at - 1]
        return Raw(" ".join(self.source.text[start : last.start + 1].split()))

    def _array_item(self) -> Any:
        if self.accept("true"):
            return True
        if self.accept("false"):
            return False
        negative = self.accept("-")
        token = self.token
        if token.kind in ("float", "hex"):
            self.at += 1
            return 0.0
        value = int(self.take("int", "a number").text)
        return -value if negative else value
