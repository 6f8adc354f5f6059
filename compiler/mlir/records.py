"""One operation, one record: its operands, attributes, pretty form and type rules.

Takes: nothing. Gives: Record, View (an operation seen through its record).
Must not know: any particular operation, how a form is spelt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..types import Type
from .ir import Block, Op, Value
from .kinds import Kind
from .reader import Reader
from .writer import Writer

DYNAMIC = -(1 << 63)
"""Upstream's mark for "see the operand" in `static_offsets` and the like."""


@dataclass(frozen=True)
class Slot:
    """Operands or results under one name. `many`: "" for one, "?" for none or one, "*" for any."""

    name: str
    many: str
    kind: str  # a type class of `rules.CLASSES`


def slots(text: str) -> tuple[Slot, ...]:
    """`"base:memref indices*:index mask?:vector"`."""
    found = []
    for word in text.split():
        name, _, kind = word.partition(":")
        many = name[-1] if name[-1] in "?*" else ""
        found.append(Slot(name.rstrip("?*"), many, kind or "any"))
    return tuple(found)


class Rule(Protocol):
    """Something that must hold of an operation; the result says what does not."""

    def __call__(self, view: View) -> str | None: ...


@dataclass(frozen=True)
class RegionRule:
    """What a region takes and gives: argument types, its terminator, the types it passes.

    The functions also get the region's number; None from them means that anything goes.
    """

    args: Callable[[View, int], Sequence[Type] | None] | None = None
    ends: str = ""
    gives: Callable[[View, int], Sequence[Type] | None] | None = None
    optional: bool = False  # may be empty


class Custom(Protocol):
    """How a structural operation is written and read, where no form can say it."""

    def write(self, w: Writer, view: View) -> None: ...
    def read(self, r: Reader) -> Op: ...


class FormLike(Protocol):
    """A declarative pretty form; see forms.py."""

    def write(self, w: Writer, view: View) -> None: ...
    def read(self, r: Reader) -> Parsed: ...


@dataclass(frozen=True)
class Record:
    """All that is known of one operation."""

    name: str
    operands: tuple[Slot, ...] = ()
    results: tuple[Slot, ...] = ()
    form: FormLike | None = None
    custom: Custom | None = None
    attrs: Mapping[str, Kind] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()  # attributes that may be missing
    # Left out where they have this value. A function of the View: upstream wants it written out.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Callable[[View], int]] = field(default_factory=dict)
    infer: Mapping[str, Callable[[View], Any]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    regions: tuple[RegionRule, ...] = ()
    more_regions: bool = False  # the last region rule holds for any number of regions
    loose: frozenset[str] = frozenset()  # in upstream's `{…}`, not its `<{…}>`
    segments: str = ""  # "" none, "derived" left out of the tree, "kept" in it
    terminator: bool = False
    isolated: bool = False
    hidden_region: bool = False  # upstream's generic form has a region that the tree has not

    def own_attrs(self) -> set[str]:
        """Those of the operation itself, which the generic form writes in `<{…}>`."""
        own = {*self.attrs, *(["operandSegmentSizes"] if self.segments else [])}
        return own - self.loose


class FormError(ValueError):
    """An operation that its record's form cannot say."""


class View:
    """An operation with its operands and results by the record's names."""

    def __init__(self, record: Record, op: Op, *, results: bool = True) -> None:
        self.record = record
        self.op = op
        self.groups: dict[str, list[Value]] = {}
        self._split(record.operands, op.operands, op.attrs.get("operandSegmentSizes"), "operand")
        if results:
            self._split(record.results, op.results, None, "result")

    def _split(self, wanted: tuple[Slot, ...], values: list[Value], given: Any, what: str) -> None:
        if len(wanted) == len(values) and not any(s.many for s in wanted):
            self.groups.update(zip([s.name for s in wanted], [[v] for v in values]))
            return
        sizes = list(given) if given and self.record.segments else None
        if sizes is None:
            sizes = self._sizes(wanted, values, what)
        if len(sizes) != len(wanted) or sum(sizes) != len(values) or min(sizes, default=0) < 0:
            raise FormError(self._count_message(wanted, len(values), what))
        at = 0
        for slot, size in zip(wanted, sizes):
            if (size > 1 and slot.many != "*") or (size == 0 and not slot.many):
                raise FormError(self._count_message(wanted, len(values), what))
            self.groups[slot.name] = values[at : at + size]
            at += size

    def _sizes(self, wanted: tuple[Slot, ...], values: list[Value], what: str) -> list[int]:
        """One for each single slot, then what `counts` says, the rest to the first open slot."""
        rest = len(values) - sum(not s.many for s in wanted)
        sizes: list[int] = []
        for slot in wanted:
            size = 1
            if slot.many:
                count = self.record.counts.get(slot.name)
                size = max(0, min(rest, 1) if slot.many == "?" else rest)
                if count is not None:
                    size = count(self)
                rest -= size
            at = sum(sizes)
            sizes.append(size)
            self.groups[slot.name] = values[at : at + size]  # for the counts of later slots
        return sizes

    def _count_message(self, wanted: tuple[Slot, ...], found: int, what: str) -> str:
        names = ", ".join(s.name + s.many for s in wanted) or "none"
        return f"{found} {what}s do not fit: expected {names}"

    def values(self, name: str) -> list[Value]:
        return self.groups[name]

    def types(self, name: str) -> list[Type]:
        return [v.type for v in self.groups[name]]

    def type(self, name: str) -> Any:
        """The type of a single operand or result: a Type of its slot's class, which is checked
        before any rule runs."""
        return self.groups[name][0].type

    def attr(self, name: str) -> Any:
        """An attribute, or the value it has where it is left out."""
        return self.op.attrs[name] if name in self.op.attrs else self.default(name)

    def default(self, name: str) -> Any:
        value = self.record.defaults.get(name)
        return value(self) if callable(value) else value

    def is_default(self, name: str, value: Any) -> bool:
        if name not in self.record.defaults:
            return False
        default = self.default(name)
        return type(default) is type(value) and bool(default == value)

    def segments(self) -> tuple[int, ...]:
        return tuple(len(self.groups[s.name]) for s in self.record.operands)


class Parsed:
    """What a form has read so far. Written types stand with the token that begins them."""

    def __init__(self) -> None:
        self.operands: dict[str, list[Value]] = {}
        self.places: dict[str, int] = {}
        self.types: dict[str, list[Type]] = {}
        self.type_places: dict[str, int] = {}
        self.attrs: dict[str, Any] = {}
        self.regions: list[Block] = []


def pretty_attrs(view: View, written: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Attributes for the braces of a pretty form: not those in `written`, nor defaults."""
    attrs = {}
    for key, value in view.op.attrs.items():
        if key in written or key == "operandSegmentSizes" or view.is_default(key, value):
            continue
        kind = view.record.attrs.get(key)
        attrs[key] = kind.generic(value) if kind is not None and kind.accepts(value) else value
    return attrs
