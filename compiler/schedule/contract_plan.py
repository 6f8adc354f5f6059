"""Decides how a contraction is cut: register tiles, blocks of the sum, copied operands, chunks.

Takes: a Contraction and a Target. Gives: Plan, numbers only. All of it depends on shapes and
target, never on threads: so the order of every sum is fixed. Must not know: operations, loops.

The scheme is that of Goto and van de Geijn ("Anatomy of high-performance matrix multiplication",
2008), with the factor that is read as vectors in panels as wide as the register tile. Rows are cut
evenly (74 tiles of 13 or 14 rows for 1024), so no tile is much smaller than the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..target import PARALLEL_WORK, Target
from .contract_lanes import Dim, product
from .contract_space import Contraction

LONG_ROW = 2048
"""Columns that a chunk reads at least of each row of rhs where it is streamed from memory."""
CHUNK_FLOPS = 4_000_000
"""Multiplications and additions worth a chunk of their own: some 40 µs."""
MOST_CHUNKS = 128
ROW_TILES = 8
"""Row tiles in a chunk, where there are enough: as often is a panel of rhs used, once fetched."""
SERIAL_FLOPS = 1_000_000
"""Below this a kernel runs on the calling thread alone."""
ROWS_AT_ONCE = 8
"""Rows of rhs that a product with a single row reads side by side: so many streams from memory."""
STACK_BYTES = 64 << 10
"""The most that a chunk keeps on its stack for copies of an operand."""


@dataclass(frozen=True)
class Box:
    """How tiles cover a group of dims: `outer` dims point by point, one dim `cut` in `pieces` whose
    sizes differ by at most 1 (the larger first), `inner` dims whole."""

    outer: tuple[Dim, ...]
    cut: Dim
    pieces: int
    inner: tuple[Dim, ...]

    @property
    def base(self) -> int:
        return self.cut.size // self.pieces

    @property
    def extra(self) -> int:
        """How many of the pieces are one larger than `base`."""
        return self.cut.size % self.pieces

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that occur, the larger first."""
        large = (self.base + 1,) if self.extra else ()
        return large + ((self.base,) if self.extra < self.pieces else ())

    @property
    def count(self) -> int:
        """The number of tiles."""
        return product(self.outer) * self.pieces

    @cached_property
    def span(self) -> int:
        """Points of the inner dims."""
        return product(self.inner)

    @property
    def largest(self) -> int:
        """Points of the largest tile."""
        return self.sizes[0] * self.span

    def displacements(self, access: int, size: int) -> list[int]:
        """How far each point of a tile of `size` cut positions lies from its first, in order."""
        return [p for p in self._walk(access, (Dim(size, self.cut.strides, -1), *self.inner))]

    def _walk(self, access: int, dims: Sequence[Dim]) -> Iterator[int]:
        if not dims:
            yield 0
            return
        for i in range(dims[0].size):
            for rest in self._walk(access, dims[1:]):
                yield i * dims[0].strides[access] + rest


def box(dims: Sequence[Dim], limit: int, accesses: int) -> Box:
    """Tiles of at most `limit` points: whole inner dims where they fit, the next one cut evenly."""
    if any(d.size == 0 for d in dims):
        return Box((), Dim(0, (0,) * accesses, -1), 1, ())
    rest, span = list(dims), 1
    inner: list[Dim] = []
    while rest and rest[-1].size * span <= limit:
        span *= rest[-1].size
        inner.insert(0, rest.pop())
    if rest:
        cut = rest.pop()
        pieces = max(1, -(-cut.size // max(1, limit // span)))
        return Box(tuple(rest), cut, pieces, tuple(inner))
    cut = inner.pop(0) if inner else Dim(1, (0,) * accesses, -1)
    return Box((), cut, 1, tuple(inner))


@dataclass(frozen=True)
class Columns:
    """Tiles along the vector side: `outer` dims point by point, `dim` in pieces of `width`."""

    outer: tuple[Dim, ...]
    dim: Dim
    width: int

    @property
    def pieces(self) -> int:
        return -(-self.dim.size // self.width)

    @property
    def tail(self) -> int:
        """Width of the last piece, which may be all there is."""
        return self.dim.size - (self.pieces - 1) * self.width

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths that occur: the full one first."""
        full = (self.width,) if self.pieces > 1 or self.tail == self.width else ()
        return full + ((self.tail,) if self.tail != self.width else ())

    @property
    def count(self) -> int:
        return product(self.outer) * self.pieces


@dataclass(frozen=True)
class Plan:
    """Everything that the loops follow.

    `kind`: "tile" sums outer products in registers, one scalar of lhs against vectors of rhs;
    "dot" sums along vectors of both and folds them at the end. `copy_lhs`: "" read in place,
    "rows" rows copied one behind the other at a pitch that spreads over the cache, "panel" one
    panel for each row tile, "flat" as it lies, converted. `copy_rhs`: "", "shared" panels that all
    chunks read, "local" panels on the chunk's stack. `in_place`: tiles add up in the result itself.
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
    row_chunks: int
    column_chunks: int
    batch_chunks: int

    @property
    def vectors(self) -> int:
        """Vectors across a full tile."""
        return -(-self.columns.width // self.lanes)

    @property
    def pitch(self) -> int:
        """Elements between rows of a tile that is kept apart, and between rows of a panel."""
        return self.vectors * self.lanes

    @property
    def chunks(self) -> int:
        return self.row_chunks * self.column_chunks * self.batch_chunks


def make_plan(c: Contraction, target: Target) -> Plan:
    """The plan for a contraction that is not empty."""
    full = target.lanes(c.dtype)
    by_lane = c.by_lane
    unit = Dim(1, (0,) * len(c.accesses), -1)
    dim = c.columns[-1] if c.columns else unit
    kind = _kind(c, c.rows, dim, full, by_lane)
    lanes = min(full, 1 << (dim.size - 1).bit_length())
    height, width = _tile(kind, product(c.rows), dim.size, lanes, target)
    if kind == "dot":
        lanes = min(full, 1 << (width - 1).bit_length())
    columns = Columns(tuple(c.columns[:-1]), dim, width)
    rows = box(c.rows, height, len(c.accesses))
    in_place = not c.stages and len(c.stores) == 1 and kind == "tile"
    in_place = in_place and (dim.strides[c.stores[0][1]] == 1 or dim is unit)
    depth = box(c.depth, _depth_limit(c, target, kind, width), len(c.accesses))
    copy_rhs = _copy_rhs(c, kind, rows, columns, lanes, target)
    copy_lhs = _copy_lhs(c, kind, rows, columns, by_lane)
    batch = product(c.batch)
    flops = 2 * batch * product(c.rows) * product(c.columns) * product(c.depth)
    most = columns.count
    if kind == "tile" and rows.count == rows.largest == 1:
        most = max(1, columns.count * width // LONG_ROW)
    shared = int(flops * PARALLEL_WORK / target.parallel_work)
    grid = _grid(shared, batch, rows.count, most)
    if copy_rhs and grid[:2] == (1, 1):
        size = columns.count * product(c.depth) * -(-width // lanes) * lanes
        copy_rhs = "local" if size * c.dtype.itemsize <= STACK_BYTES else copy_rhs
    panels = -(-columns.count // grid[1]) * product(c.depth) * width * c.dtype.itemsize
    inside = by_lane or panels <= target.l1_bytes // 2
    return Plan(
        kind, lanes, full, rows, columns, depth, copy_lhs, copy_rhs, in_place, inside, *grid
    )  # fmt: skip


def _kind(c: Contraction, rows: Sequence[Dim], dim: Dim, lanes: int, by_lane: bool) -> str:
    """Dot products pay where the sum runs along memory on both sides and one side is narrow."""
    if by_lane or not c.depth:
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
    """Panels pay where every element is read by several row tiles, or cannot be read as vectors."""
    if kind == "dot" or columns.dim.size == 1 or not product(c.depth):
        return ""
    contiguous = columns.dim.strides[1] == 1
    if not contiguous:
        return "shared" if rows.count * rows.largest >= 2 else ""
    if columns.outer or (len(columns.widths) == 1 and columns.pieces == 1 and not c.rhs.prologue):
        return ""
    return "shared" if rows.count >= 6 else ""


def _copy_lhs(c: Contraction, kind: str, rows: Box, columns: Columns, by_lane: bool) -> str:
    """In place where rows and sum step densely; else copied, so that caches and pages are used."""
    converted = "flat" if c.lhs.prologue is not None else ""
    if kind == "dot" or not product(c.depth):
        return ""
    if by_lane:
        return converted
    little = not c.depth or columns.count < 4 or rows.largest == 1
    if little or rows.outer or rows.inner:
        return converted
    size = c.dtype.itemsize
    row_bytes, step_bytes = (d.strides[0] * size for d in (rows.cut, c.depth[-1]))
    if _dense(c.depth, 0):
        return "rows" if row_bytes % 2048 == 0 or converted else ""
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


def _grid(flops: int, batch: int, row_tiles: int, column_chunks: int) -> tuple[int, int, int]:
    """Chunks along rows, columns (`column_chunks` at most) and batch."""
    wanted = 1 if flops < SERIAL_FLOPS else max(2, min(MOST_CHUNKS, flops // CHUNK_FLOPS))
    if batch >= wanted or wanted == 1:
        return 1, 1, min(batch, wanted)
    per_item = -(-wanted // batch)
    along_rows = max(1, min(row_tiles // ROW_TILES, per_item))
    along_columns = max(1, min(column_chunks, -(-per_item // along_rows)))
    if along_rows * along_columns < per_item:
        along_rows = max(1, min(row_tiles, -(-per_item // along_columns)))
    return along_rows, along_columns, batch
