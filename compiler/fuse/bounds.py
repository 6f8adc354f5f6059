"""What is known of the integer scalars in a kernel's body: an index in range is not clamped.

Takes: `Ranges` of the graph, scalars as they are made. Gives: intervals of their signed values.
Must not know: how a body is written.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import intervals as iv
from ..graph import Node, Value
from ..intervals import Interval
from ..ranges import Ranges


class Bounds:
    """Intervals of the scalars of one body, worked out when somebody asks."""

    def __init__(self, ranges: Ranges | None) -> None:
        self.ranges = ranges
        self._elements: dict[Value, Value] = {}
        self._known: dict[Value, Interval] = {}

    def note(self, scalar: Value, value: Value) -> None:
        """The scalar is an element of a value of the graph."""
        if self.ranges is not None and value.type.dtype.is_integer:
            self._elements.setdefault(scalar, value)

    def of(self, scalar: Value) -> Interval:
        """The interval of an integer scalar, read as signed."""
        known = self._known.get(scalar)
        if known is None:
            known = self._known[scalar] = self._find(scalar)
        return known

    def _find(self, scalar: Value) -> Interval:
        every = iv.full(scalar.type.dtype)
        rule = _RULES.get(scalar.op)
        found = None if rule is None else rule(scalar.node, self.of)
        known = every if found is None else iv.within(found, scalar.type.dtype)
        element = self._elements.get(scalar)
        if element is not None and self.ranges is not None:
            known = iv.meet(known, iv.within(self.ranges.of(element), scalar.type.dtype))
        return known


Of = Callable[[Value], Interval]


def _two(
    rule: Callable[[Interval, Interval], Interval | None],
) -> Callable[[Node, Of], Interval | None]:
    return lambda node, of: rule(of(node.inputs[0]), of(node.inputs[1]))


def _same(node: Node, of: Of) -> Interval | None:
    """A change of width that keeps the signed value where it fits."""
    source = node.inputs[0]
    return None if source.type.dtype.is_bool else of(source)


def _unsigned(node: Node, of: Of) -> Interval | None:
    """A widening that reads its operand as unsigned."""
    source = node.inputs[0]
    if source.type.dtype.is_bool:
        return iv.BOOLS
    known = of(source)
    return known if known[0] >= 0 else (0, (1 << source.type.dtype.bits) - 1)


def _positive(
    rule: Callable[[Interval, Interval], Interval | None],
) -> Callable[[Node, Of], Interval | None]:
    """A rule for unsigned operations, good where no operand can be negative."""

    def checked(node: Node, of: Of) -> Interval | None:
        a, b = of(node.inputs[0]), of(node.inputs[1])
        return rule(a, b) if a[0] >= 0 and b[0] >= 0 else None

    return checked


def _constant(node: Node, of: Of) -> Interval | None:
    number = int(node.attrs["value"].data.reshape(()))
    return number, number


_RULES: dict[str, Callable[[Node, Of], Interval | None]] = {
    "arith.constant": _constant,
    "linalg.index": lambda node, of: (0, (1 << 62)),
    "arith.addi": _two(iv.add),
    "arith.subi": _two(iv.sub),
    "arith.muli": _two(iv.mul),
    "arith.maxsi": _two(iv.maximum),
    "arith.minsi": _two(iv.minimum),
    "arith.divui": _positive(iv.divide),
    "arith.remui": _positive(iv.remainder),
    "arith.select": lambda node, of: iv.join(of(node.inputs[1]), of(node.inputs[2])),
    "arith.extsi": _same,
    "arith.trunci": _same,
    "arith.index_cast": _same,
    "arith.index_castui": _unsigned,
    "arith.extui": _unsigned,
}
"""By op: the interval of the result as an unbounded integer; None where nothing is known."""
