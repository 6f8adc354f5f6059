"""What is wrong with one operation by itself: attributes, type classes, the rules of its record.

Takes: a View. Gives: None or a sentence, and the rules of its regions.
Must not know: the operations around it.
"""

from __future__ import annotations

from collections.abc import Sequence

from .ir import Op
from .records import Record, RegionRule, Slot, View
from .rules import CLASSES


def op_problem(view: View) -> str | None:
    """The first thing that is wrong with an operation, its regions left aside."""
    slots = (*view.record.operands, *view.record.results)
    return _attr_problem(view) or class_problem(view, slots) or _rule_problem(view)


def _attr_problem(view: View) -> str | None:
    record, attrs = view.record, view.op.attrs
    for key, kind in record.attrs.items():
        if key not in attrs:
            if key not in record.optional and key not in record.defaults:
                return f"attribute {key} is missing: {kind.what}"
        elif not kind.accepts(attrs[key]):
            return f"attribute {key} must be {kind.what}, not {attrs[key]!r}"
    for key in attrs:
        # Names with a dialect's prefix are free; a licence such as fastmath is not.
        if key not in record.attrs and "." not in key and key not in _ALWAYS:
            return f"attribute {key} is not known here"
    return None


_ALWAYS = {"operandSegmentSizes"}


def class_problem(view: View, slots: Sequence[Slot]) -> str | None:
    """The first operand or result whose type is not of its slot's class."""
    for slot in slots:
        words, accepts = CLASSES[slot.kind]
        for value in view.values(slot.name):
            if not accepts(value.type):
                return f"{slot.name} must be {words}, not {value.type}"
    return None


def _rule_problem(view: View) -> str | None:
    for rule in view.record.rules:
        problem = rule(view)
        if problem:
            return problem
    return None


def region_rules(record: Record, op: Op) -> list[RegionRule]:
    """The rule of each region, or fewer or more than there are regions where the count is wrong."""
    rules = list(record.regions)
    if record.more_regions and rules:
        rules = (rules + [rules[-1]] * len(op.regions))[: len(op.regions)]
    return rules


def terminator_problem(record: Record, op: Op) -> str | None:
    """A wrong number of regions, or one that does not end with its terminator."""
    rules = region_rules(record, op)
    if len(rules) != len(op.regions):
        return f"{len(op.regions)} regions, expected {len(rules)}"
    for number, (rule, block) in enumerate(zip(rules, op.regions)):
        needed = rule.ends and (block.ops or not rule.optional)
        if needed and not (block.ops and block.ops[-1].name == rule.ends):
            return f"region {number} must end with {rule.ends}"
    return None
