"""How index expressions of a body grow along a dim: what tells a run of neighbours from a gather.

Takes: a Generic and a scalar of its body. Gives: its increase from one point to the next, if
constant.
"""

from __future__ import annotations

from ..graph import Value
from ..kernel import Generic


def slope(generic: Generic, value: Value, dim: int) -> int | None:
    """By how much a scalar of the body grows along `dim`; None where that is not a constant."""
    return _slope(generic, value, dim, {})


def _slope(generic: Generic, value: Value, dim: int, known: dict[Value, int | None]) -> int | None:
    """`slope` of a value that many paths may lead to, as in a cipher: each is looked at once."""
    if value not in known:
        body, node = generic.body, value.node
        if node.op == "linalg.index":
            known[value] = int(node.attrs["dim"] == dim)
        elif node.op == "param":
            known[value] = _read_slope(generic, body.params.index(value), dim)
        else:
            inner = [_slope(generic, v, dim, known) for v in node.inputs]
            steady = all(s == 0 for s in inner)
            grows = node.op == "arith.addi" and None not in inner
            known[value] = sum(s for s in inner if s is not None) if steady or grows else None
    return known[value]


def _read_slope(generic: Generic, param: int, dim: int) -> int | None:
    """0 for a buffer and for an element that is the same all along `dim`."""
    read = generic.reads[param] if param < len(generic.reads) else None
    if read is None or read.map is None:
        return 0
    return None if any(row[dim] for row, _ in read.map.rows) else 0


def counts_up(generic: Generic, place: list[Value], dim: int) -> bool:
    """Whether along `dim` a place moves to its right neighbour: the last index by one, the others
    not.
    """
    slopes = [slope(generic, p, dim) for p in place]
    return bool(slopes) and slopes[-1] == 1 and not any(s != 0 for s in slopes[:-1])
