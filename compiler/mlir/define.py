"""`define`: adds a Record to a table from short strings.

Takes: strings for operands, results and form; attribute kinds; rules. Gives: Records in a table.
Must not know: any particular operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .forms import compile_form
from .ir import Raw
from .kinds import Kind
from .records import Custom, Record, RegionRule, Rule, View, slots
from .rules import CLASSES, holds

Table = dict[str, Record]


def each(names: str) -> list[str]:
    """The words of a string, for families of operations that share a definition."""
    return names.split()


FLAGS = {
    "fastmath": Raw("#arith.fastmath<none>"),
    "overflowFlags": Raw("#arith.overflow<none>"),
}
"""Licences to change results, named in upstream's generic form. Only "none" is accepted."""


def define(
    table: Table,
    name: str,
    operands: str = "",
    results: str = "",
    form: str | None = None,
    *rules: Rule,
    attrs: Mapping[str, Kind] | None = None,
    optional: str = "",
    loose: str = "",
    defaults: Mapping[str, Any] | None = None,
    infer: Mapping[str, Callable[[View], Any]] | None = None,
    counts: Mapping[str, Callable[[View], int]] | None = None,
    regions: tuple[RegionRule, ...] = (),
    segments: str = "",
    custom: Custom | None = None,
    terminator: bool = False,
    **rest: bool,
) -> None:
    """Add one record. `infer` gives the types of results that the form does not write, and is
    checked like any rule."""
    ins, outs, kinds = slots(operands), slots(results), dict(attrs or {})
    for slot in (*ins, *outs):
        assert slot.kind in CLASSES, f"{name}: no type class {slot.kind}"
    table[name] = Record(
        name=name,
        operands=ins,
        results=outs,
        form=None if form is None else compile_form(form, ins, outs, kinds),
        custom=custom,
        attrs=kinds,
        optional=frozenset(optional.split()),
        loose=frozenset(loose.split()),
        defaults={**FLAGS, **(defaults or {})},
        counts=counts or {},
        infer=infer or {},
        rules=(*rules, *(holds(result, rule) for result, rule in (infer or {}).items())),
        regions=regions,
        segments=segments,
        terminator=terminator,
        **rest,
    )
