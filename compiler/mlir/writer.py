"""The printer's pen: SSA names, indentation, alias names, and attributes. `printer.py` drives it.

Takes: values, blocks, attributes. Gives: pieces of text.
Must not know: how any operation is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..types import element, i1, index
from .affine import affine_text
from .attributes import attr_text, dict_text
from .ir import AffineMap, Block, Dense, Loc, Op, Typed, Value

_HINT = re.compile(r"[A-Za-z_$.\-][\w$.\-]*", re.ASCII)


class Scope:
    """Names in use in one function (or other isolated region) and the counters behind them."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.next_number = 0
        self.next_arg = 0


class Writer:
    """Collects text. `op_writer` writes one operation and is set by the printer."""

    def __init__(
        self,
        op_writer: Callable[[Writer, Op], None],
        *,
        locations: bool = False,
        aliases: bool = True,
        generic: bool = False,
    ) -> None:
        self.op_writer = op_writer
        self.locations = locations
        self.aliases = aliases
        self.generic = generic
        self.out: list[str] = []
        self.indent = ""
        self.parents: list[str] = []  # names of the operations around, outermost first
        self.maps: dict[AffineMap, str] = {}
        self._names: dict[Value, str] = {}
        self._scope = Scope()

    # -- text ----------------------------------------------------------------------------
    def write(self, *pieces: str) -> None:
        self.out.extend(pieces)

    def map_text(self, map: AffineMap) -> str:
        """`#map0`, defined at the top of the module; in full outside a module."""
        if not self.aliases:
            return affine_text(map)
        return self.maps.setdefault(map, f"#map{len(self.maps)}")

    def attr(self, value: Any) -> str:
        return attr_text(value, self.map_text)

    def dict(self, attrs: dict[str, Any]) -> str:
        return dict_text(attrs, self.map_text)

    def loc(self, locs: Sequence[Loc]) -> str:
        """` loc(…)`, or nothing where locations are not asked for."""
        if not self.locations or not locs:
            return ""
        texts = [f"{attr_text(at.file)}:{at.line}:{at.column}" for at in locs]
        inner = texts[0] if len(texts) == 1 else f"fused[{', '.join(texts)}]"
        return f" loc({inner})"

    # -- names ---------------------------------------------------------------------------
    def use(self, value: Value) -> str:
        """The name of a value; one that was never defined (a broken tree) gets a fresh name."""
        return self._names.get(value) or self.define(value)

    def uses(self, values: Iterable[Value]) -> str:
        return ", ".join(map(self.use, values))

    def define(self, value: Value, fallback: str = "") -> str:
        """Name a value: its hint, or `fallback`, made unique; else the next number."""
        hint = _clean(value.hint) or fallback
        name = self._unique(hint) if hint else self._number()
        self._names[value] = f"%{name}"
        return self._names[value]

    def define_arg(self, value: Value) -> str:
        """Name a block argument: its hint, else `%arg0`, `%arg1`…"""
        if _clean(value.hint):
            return self.define(value)
        scope = self._scope
        while f"arg{scope.next_arg}" in scope.used:
            scope.next_arg += 1
        name = f"arg{scope.next_arg}"
        scope.next_arg += 1
        scope.used.add(name)
        self._names[value] = f"%{name}"
        return self._names[value]

    def define_results(self, op: Op) -> str:
        """`%0`, `%r:2`, or `%a, %b` where a result but the first has a hint."""
        results = op.results
        fallback = constant_name(op)
        if len(results) == 1:
            return self.define(results[0], fallback)
        if any(_clean(r.hint) for r in results[1:]):
            return ", ".join(self.define(r) for r in results)
        name = self.define(results[0])
        for i, result in enumerate(results):
            self._names[result] = f"{name}#{i}"
        return f"{name}:{len(results)}"

    def _number(self) -> str:
        scope = self._scope
        name = str(scope.next_number)
        scope.next_number += 1
        return name

    def _unique(self, hint: str) -> str:
        used, name, count = self._scope.used, hint, 0
        while name in used:
            name = f"{hint}_{count}"
            count += 1
        used.add(name)
        return name

    @contextmanager
    def names(self, isolated: bool = False) -> Iterator[None]:
        """A region's names: gone afterwards, so that a sibling region may use them again."""
        outer = self._scope
        self._scope = Scope()
        if not isolated:
            self._scope.used = set(outer.used)
            self._scope.next_number, self._scope.next_arg = outer.next_number, outer.next_arg
        try:
            yield
        finally:
            self._scope = outer

    # -- regions -------------------------------------------------------------------------
    def args(self, values: Sequence[Value]) -> str:
        """`%a: f32, %b: f32`, defining the names."""
        return ", ".join(f"{self.define_arg(v)}: {v.type}" for v in values)

    def region(self, block: Block, parent: str, *, label: bool = True, drop: str = "") -> None:
        """`{`, the operations, `}`. `label`: write `^bb0(…)` for the arguments (the caller has
        named them otherwise). `drop`: the terminator to leave out where it has no operands."""
        self.write("{\n")
        if label and block.args:
            self.write(self.indent, f"^bb0({self.args(block.args)}):\n")
        outer = self.indent
        self.indent += "  "
        self.parents.append(parent)
        for op in block.ops:
            if op.name == drop and op is block.ops[-1] and not (op.operands or op.attrs):
                continue
            self.write(self.indent)
            self.op_writer(self, op)
            self.write("\n")
        self.parents.pop()
        self.indent = outer
        self.write(self.indent, "}")

    def text(self) -> str:
        return "".join(self.out)


def _clean(hint: str) -> str:
    """A hint as a legal name, empty where it is a number or nothing."""
    if not hint or hint.isdigit():
        return ""
    if _HINT.fullmatch(hint):
        return hint
    cleaned = re.sub(r"[^\w$.\-]", "_", hint, flags=re.ASCII)
    return cleaned if _HINT.fullmatch(cleaned) else f"_{cleaned}"


def constant_name(op: Op) -> str:
    """`c0` for an index constant, `c3_i32`, `true`, `cst`: the names that upstream gives."""
    if op.name != "arith.constant":
        return ""
    value = op.attrs.get("value")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Typed) and not element(value.type).is_float:
        if value.type is i1:
            return "true" if value.value else "false"
        return f"c{value.value}" if value.type is index else f"c{value.value}_{value.type}"
    if isinstance(value, int):
        return f"c{value}_i64"
    return "cst" if isinstance(value, (Typed, float, Dense)) else ""
