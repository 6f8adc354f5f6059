"""Algebraic simplification: rules of the op table's facts, of arithmetic, of views, of reductions.

    x * 1 + (y - y)          →   x            (integers)
    transpose(transpose(x))  →   x

Takes and gives: Graph. Must not know: what the result is used for.
"""

from __future__ import annotations

from functools import cache

from ..graph import Graph
from ..rewrite import RuleSet, apply_rules, everywhere
from . import rules_arithmetic, rules_movement, rules_reduction


@cache
def rule_set() -> RuleSet:
    """All rules of this pass, made once the op table is full."""
    return RuleSet([*rules_movement.RULES, *rules_reduction.rules(), *rules_arithmetic.rules()])


def simplify(graph: Graph) -> Graph:
    """`graph` in the form that no rule changes, bodies first."""
    return everywhere(lambda g: apply_rules(g, rule_set()))(graph)
