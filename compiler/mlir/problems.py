"""What is wrong with one operation by itself: attributes, type classes, the rules of its record.

Takes: a View. Gives: None or a sentence.
Must not know: the operations around it.
"""

from __future__ import annotations

from collections.abc import Sequence

from .records import Slot, View
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
