"""How the tiles and blocks of a contraction are shared out among chunks that run in parallel.

Takes: a Contraction, its tiles, a Target. Gives: Grid: chunks along rows, columns, batch and sum.
All of it depends on shapes and target, never on threads. Must not know: operations, loops.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..target import PARALLEL_WORK, Target
from .contract_boxes import Box, Columns, box
from .contract_lanes import product
from .contract_space import Contraction

LONG_ROW = 2048
"""Columns that a chunk reads at least of each row of rhs where it is streamed from memory."""
CHUNK_FLOPS = 4_000_000
"""Multiplications and additions worth a chunk of their own: some 40 µs."""
MOST_CHUNKS = 128
ENOUGH_CHUNKS = 16
"""As many chunks keep most machines busy; more are not worth copying a panel twice."""
ROW_TILES = 8
"""Row tiles in a chunk, where there are enough: as often is a panel of rhs used, once fetched."""
SERIAL_FLOPS = 1_000_000
"""Below this a kernel runs on the calling thread alone."""
SUM_CHUNKS = 16
"""Chunks along the sum, where it is long enough."""
SUM_POINTS = 256
"""Points of the sum in a chunk at least: as often does a sum stay in its register."""


@dataclass(frozen=True)
class Grid:
    """The number of chunks along rows, columns, batch and sum."""

    rows: int
    columns: int
    batch: int
    depth: int = 1

    @property
    def count(self) -> int:
        return self.rows * self.columns * self.batch * self.depth


@dataclass(frozen=True)
class Tiles:
    """The tiles of one item of the batch. `blocked`: their sums can be made block by block."""

    rows: Box
    columns: Columns
    blocked: bool
    pitch: int

    @property
    def size(self) -> int:
        """Elements that hold the sums of all tiles."""
        return self.rows.count * self.columns.count * self.rows.largest * self.pitch


def make_grid(
    c: Contraction, tiles: Tiles, limit: int, target: Target, whole: bool
) -> tuple[Grid, int]:
    """The chunks, and the most points of the sum in a block: `limit` or fewer. `whole`: a chunk
    should have all rows, as long as there are enough chunks."""
    batch = product(c.batch)
    flops = 2 * batch * product(c.rows) * product(c.columns) * product(c.depth)
    flops = int(flops * PARALLEL_WORK / target.parallel_work)
    wanted = 1 if flops < SERIAL_FLOPS else max(2, min(MOST_CHUNKS, flops // CHUNK_FLOPS))
    if batch >= wanted or wanted == 1:
        return Grid(1, 1, min(batch, wanted)), limit
    per_item = -(-wanted // batch)
    along = (_along_columns if whole else _along_tiles)(tiles, per_item, batch)
    return _along_sum(c, tiles, along, per_item, limit, target)


def _along_tiles(tiles: Tiles, wanted: int, batch: int) -> Grid:
    rows, columns = tiles.rows, tiles.columns
    most = columns.count
    if tiles.blocked and rows.count == rows.largest == 1:
        most = max(1, columns.count * columns.width // LONG_ROW)
    along_rows = max(1, min(rows.count // ROW_TILES, wanted))
    along_columns = max(1, min(most, -(-wanted // along_rows)))
    if along_rows * along_columns < wanted:
        along_rows = max(1, min(rows.count, -(-wanted // along_columns)))
    return Grid(along_rows, along_columns, batch)


def _along_columns(tiles: Tiles, wanted: int, batch: int) -> Grid:
    columns = min(tiles.columns.count, wanted)
    rows = -(-min(wanted, ENOUGH_CHUNKS) // columns)
    return Grid(min(rows, tiles.rows.count), columns, batch)


def _along_sum(
    c: Contraction, tiles: Tiles, along: Grid, wanted: int, limit: int, target: Target
) -> tuple[Grid, int]:
    """Chunks along the sum instead, where one chunk can hold the sums of all tiles in a part of its
    second cache: so every element of the factors is read once."""
    size = tiles.size * c.dtype.itemsize
    held = tiles.blocked and size <= target.l2_bytes // 4 and not c.init.data.any()
    most = min(wanted, max(1, target.l3_bytes // (4 * along.batch * size)))
    shorter = min(limit, max(SUM_POINTS, product(c.depth) // min(SUM_CHUNKS, most)))
    parts = min(most, box(c.depth, shorter, len(c.accesses)).count)
    if not held or parts < min(SUM_CHUNKS // 2, along.rows * along.columns):
        return along, limit
    return (Grid(1, 1, along.batch, parts), shorter) if parts > 1 else (along, limit)
