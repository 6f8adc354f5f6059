"""Where the loops of a contraction are: a block of the sum, a tile, a chunk of tiles.

Takes and gives: loop variables under a name. Must not know: how they are looped over.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..mlir.ir import Value
from .contract_frame import Place


@dataclass
class Block:
    """A block of the sum: its number, positions of the cut dim in it, where it begins."""

    number: Value
    count: Value
    places: list[Place]
    position: Value  # linear, as in a panel


@dataclass
class At:
    """A position: batch, row tile and column tile, as dims and linear numbers."""

    batch: list[Place]
    item: Value
    rows: list[Place]
    row_tile: Value
    columns: list[Place]
    column_tile: Value

    @property
    def places(self) -> list[Place]:
        return [*self.batch, *self.rows, *self.columns]


@dataclass
class Chunk:
    """What a chunk covers: tiles and blocks of the sum from one number to another; which of the
    chunks along the sum it is; its own panels, and where sums are kept."""

    rows: tuple[Value, Value]
    columns: tuple[Value, Value]
    blocks: tuple[Value, Value]
    part: Value
    local: Value | None = None
    sums: Value | None = None
