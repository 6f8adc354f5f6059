"""Decides how a contraction is cut: register tiles, blocks of the sum, copied operands, chunks.

Takes: a Contraction and a Target. Gives: Plan, numbers only. All of it depends on shapes and
target, never on threads: so the order of every sum is fixed. Must not know: operations, loops.

The scheme is that of Goto and van de Geijn ("Anatomy of high-performance matrix multiplication",
2008), with the factor that is read as vectors in panels as wide as the register tile. Rows are cut
evenly (74 tiles of 13 or 14 rows for 1024), so no tile is much smaller than the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..target import Target
from .contract_boxes import Box, Columns, box
from .contract_grid import ROW_TILES, Grid, Tiles, make_grid
from .contract_lanes import Dim, product
from .contract_space import Contraction

ROWS_AT_ONCE = 8
"""Rows of rhs that a product with a single row reads side by side: so many streams from memory."""
FEW_ROW_TILES = 3
"""Row tiles from which on copying a block of a panel costs less than reading it in place."""
STACK_BYTES = 64 << 10
"""The most that a chunk keeps on its stack for copies of an operand."""


@dataclass(frozen=True)
class Plan:
    """Everything that the loops follow.

    `kind`: "tile" sums outer products in registers, one scalar of lhs against vectors of rhs;
    "dot" sums along vectors of both and folds them at the end. `copy_lhs`: "" read in place,
    "rows" rows copied one behind the other at a pitch that spreads over the cache, "panel" one
    panel for each row tile, "flat" as it lies, converted. `copy_rhs`: "", "shared" panels that all
    chunks read, "local" panels on the chunk's stack, "block" there too, but of one block of the sum
    and one column tile at a time. `in_place`: tiles add up in the result itself.
    Where the sum is in several chunks, each sums its blocks, and a second pass adds them.
    """

    kind: str
    lanes: int  # across the columns
    depth_lanes: int  # along the sum, in dot products
    rows: Box
    columns: Columns
    depth: Box
    copy_lhs: str
    copy_rhs: str
    in_place: bool
    columns_inside: bool  # the innermost loop over tiles runs along the columns
    grid: Grid

    @property
    def vectors(self) -> int:
        """Vectors across a full tile."""
        return -(-self.columns.width // self.lanes)

    @property
    def pitch(self) -> int:
        """Elements between rows of a tile that is kept apart, and between rows of a panel."""
        return self.vectors * self.lanes


def make_plan(c: Contraction, target: Target) -> Plan:
    """The plan for a contraction that is not empty."""
    full = target.lanes(c.dtype)
    unit = Dim(1, (0,) * len(c.accesses), -1)
    dim = c.columns[-1] if c.columns else unit
    kind = _kind(c, c.rows, dim, full)
    lanes = min(full, 1 << (dim.size - 1).bit_length())
    height, width = _tile(kind, product(c.rows), dim.size, lanes, target)
    if kind == "dot":
        lanes = min(full, 1 << (width - 1).bit_length())
    columns = Columns(tuple(c.columns[:-1]), dim, width)
    rows = box(c.rows, height, len(c.accesses))
    tiles = Tiles(rows, columns, kind == "tile", -(-width // lanes) * lanes)
    copy_rhs = _copy_rhs(c, kind, rows, columns, lanes, target)
    limit = _depth_limit(c, target, kind, width)
    if copy_rhs == "block":
        limit = min(limit, max(1, STACK_BYTES // (tiles.pitch * c.dtype.itemsize)))
    grid, limit = make_grid(c, tiles, limit, target, whole=copy_rhs == "block")
    depth = box(c.depth, limit, len(c.accesses))
    in_place = not c.stages and len(c.stores) == 1 and kind == "tile" and grid.depth == 1
    in_place = in_place and (dim.strides[c.stores[0][1]] == 1 or dim is unit)
    copy_lhs = _copy_lhs(c, kind, rows, columns)
    if copy_rhs == "shared" and (grid.rows, grid.columns) == (1, 1):
        size = columns.count * product(c.depth) * tiles.pitch
        copy_rhs = "local" if size * c.dtype.itemsize <= STACK_BYTES else copy_rhs
    panels = -(-columns.count // grid.columns) * product(c.depth) * width * c.dtype.itemsize
    inside = c.by_lane or (copy_rhs != "block" and panels <= target.l2_bytes // 2)
    return Plan(
        kind, lanes, full, rows, columns, depth, copy_lhs, copy_rhs, in_place, inside, grid
    )  # fmt: skip


def _kind(c: Contraction, rows: Sequence[Dim], dim: Dim, lanes: int) -> str:
    """Dot products pay where the sum runs along memory on both sides and one side is narrow."""
    if c.by_lane or not c.depth:
        return "tile"
    last = c.depth[-1]
    if last.strides[:2] != (1, 1) or last.size < 2 * lanes:
        return "tile"
    narrow = product(rows) <= 8 and (dim.strides[1] != 1 or dim.size == 1)
    return "dot" if narrow or dim.size <= lanes // 4 else "tile"


def _tile(kind: str, rows: int, columns: int, lanes: int, target: Target) -> tuple[int, int]:
    """Rows and columns of the register tile: accumulators, one row of rhs and one factor of lhs fit
    the registers, and products outnumber loads as far as they can."""
    registers = target.vector_registers
    if kind == "dot":
        accumulators = 8 if rows == 1 or columns == 1 else 24 if registers >= 32 else 10
        height = max(1, min(rows, 4 if columns > 1 else 8))
        width = max(1, min(columns, accumulators // height))
        return height, width
    across = -(-columns // lanes)
    if rows == 1:
        vectors = min(across, 8)
    elif registers >= 32 and target.vector_bits <= 128:
        vectors = min(across, 3)
    else:
        vectors = across if across in (1, 3) else 2
    height = (registers - 1 - vectors) // vectors
    return min(height, 28), vectors * lanes


def _depth_limit(c: Contraction, target: Target, kind: str, width: int) -> int:
    """Points of the sum in one go. A panel of rhs takes a quarter of the second cache: reading it
    from there hides behind the products, while each further block loads and stores all sums."""
    if kind == "dot":
        return max(1, product(c.depth))
    size = c.dtype.itemsize
    if product(c.rows) == 1:
        whole = product(c.depth) * product(c.columns) * size
        return ROWS_AT_ONCE if whole > target.l2_bytes else max(1, product(c.depth))
    return max(256, min(2048, target.l2_bytes // (4 * size * width)))


def _copy_rhs(
    c: Contraction, kind: str, rows: Box, columns: Columns, lanes: int, target: Target
) -> str:
    """Panels pay where every element is read by several row tiles, or cannot be read as vectors.

    Where rhs exceeds the second cache and one chunk can have all rows, it copies a block of a panel
    right before it uses it: the copy never goes to memory and back.
    """
    if kind == "dot" or columns.dim.size == 1 or not product(c.depth):
        return ""
    contiguous = columns.dim.strides[1] == 1
    size = product(c.columns) * product(c.depth) * c.dtype.itemsize
    ready = contiguous and columns.pieces == 1 and _dense((*c.depth, columns.dim), 1)
    large = not (c.by_lane or ready) and size > target.l2_bytes
    if large and FEW_ROW_TILES <= rows.count <= 2 * ROW_TILES:
        return "block"
    if not contiguous:
        return "shared" if rows.count * rows.largest >= 2 else ""
    if columns.outer or (len(columns.widths) == 1 and columns.pieces == 1 and not c.rhs.prologue):
        return ""
    return "shared" if rows.count >= 6 else ""


def _copy_lhs(c: Contraction, kind: str, rows: Box, columns: Columns) -> str:
    """In place where rows and sum step densely; else copied, so that caches and pages are used."""
    converted = "flat" if c.lhs.prologue is not None else ""
    if kind == "dot" or not product(c.depth):
        return ""
    if c.by_lane:
        return converted
    if not c.depth or rows.largest == 1 or rows.outer or rows.inner:
        return converted
    size = c.dtype.itemsize
    row_bytes, step_bytes = (d.strides[0] * size for d in (rows.cut, c.depth[-1]))
    clashing = row_bytes % 2048 == 0 and rows.largest > 4  # rows meet in one set of the cache
    if _dense(c.depth, 0) and clashing:
        return "rows"
    if columns.count < 4:
        return converted
    if _dense(c.depth, 0):
        return "rows" if converted else ""
    if len(c.depth) == 1 and (step_bytes >= 4096 or rows.cut.strides[0] != 1):
        return "panel"
    return converted


def _dense(dims: Sequence[Dim], access: int) -> bool:
    """Whether an access steps through dims as through one piece of memory."""
    step = 1
    for d in reversed(dims):
        if d.strides[access] != step:
            return False
        step *= d.size
    return True
