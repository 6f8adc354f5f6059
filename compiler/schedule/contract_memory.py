"""The workspace of a contraction: copies of operands, and sums that several calls add to.

Takes: a Contraction and its Plan. Gives: which part of the workspace holds what.
Must not know: loops, operations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..types import DType
from .contract_lanes import product
from .contract_plan import Plan
from .contract_space import Contraction

ALIGNMENT = 64
"""Bytes of a cache line; every part begins at one."""


@dataclass
class Memory:
    """Parts of the workspace: name -> (first byte, elements)."""

    bytes: int = 0
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, name: str, size: int, dtype: DType) -> None:
        self.parts[name] = self.bytes, size
        self.bytes += -(-size * dtype.itemsize // ALIGNMENT) * ALIGNMENT

    @staticmethod
    def of(c: Contraction, plan: Plan) -> Memory:
        """The copies of operands that all chunks share; sums that take several blocks."""
        memory = Memory()
        batch, depth = product(c.batch), product(c.depth)
        if plan.copy_lhs == "flat":
            memory.add("lhs", span(c, 0), c.dtype)
        elif plan.copy_lhs == "rows":
            memory.add("lhs", batch * plan.rows.cut.size * row_pitch(c), c.dtype)
        elif plan.copy_lhs == "panel":
            memory.add("lhs", batch * plan.rows.count * depth * plan.rows.largest, c.dtype)
        if plan.copy_rhs == "shared":
            memory.add("rhs", batch * plan.columns.count * depth * plan.pitch, c.dtype)
        if not plan.in_place and plan.depth.count > 1:
            tiles = batch * plan.rows.count * plan.columns.count
            size = tiles * plan.rows.largest * plan.pitch * plan.grid.depth
            memory.add("sums", size, c.dtype)
        return memory


def span(c: Contraction, access: int) -> int:
    """Elements of the buffer behind an access that the loops can reach."""
    last = c.accesses[access].offset
    for d in (*c.batch, *c.rows, *c.columns, *c.depth):
        last += max(0, d.size - 1) * max(0, d.strides[access])
    return last + 1


def row_pitch(c: Contraction) -> int:
    """Elements between copied rows: whole cache lines, an odd number of them."""
    line = ALIGNMENT // c.dtype.itemsize
    lines = -(-product(c.depth) // line)
    return (lines + 1 - lines % 2) * line
