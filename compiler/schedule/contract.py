"""The schedule of contractions: matrix products and convolutions, with what follows them.

Takes: a Kernel of kind "contract", a Target, the Module under construction. Gives: its function.
Must not know: LLVM, threads, programs.

The loops: copy operands into panels (in parallel), then run chunks of tiles in parallel; in a
chunk, block by block of the sum, column tiles outside, row tiles inside, so that a panel of rhs is
used while it is in a near cache (the other way round where all panels fit it). Where one chunk has
all rows, it may copy that panel right there. At the last block of the sum the stages run on the
tile; where chunks share a sum, that is left to a second pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..kernel import Kernel
from ..mlir.builder import Builder
from ..mlir.ir import Module, Value, function
from ..scalars import storage
from ..target import Target
from ..types import MemRefType, Type, i8
from .body import BodyEmitter
from .contract_boxes import Box
from .contract_finish import Finish, add_parts
from .contract_frame import (
    Place,
    affine,
    chunks,
    digits,
    flat_type,
    flatten,
    loop,
    piece_start,
    view,
)
from .contract_lanes import Dim, product
from .contract_memory import Memory, row_pitch
from .contract_micro import Destination, Factor, TileFunctions
from .contract_pack import Copier, panel_steps
from .contract_places import At, Block, Chunk
from .contract_plan import Plan, make_plan
from .contract_space import Contraction, analyse
from .scheduled import Scheduled

ROWS_COPIED = 16
"""Rows that one chunk copies when operands are copied row by row."""
STACKED = ("local", "block")
"""The copies of rhs that a chunk keeps on its stack."""


def schedule_contract(kernel: Kernel, target: Target, module: Module, name: str) -> Scheduled:
    """Append the function `name` that computes `kernel` to the module, with its tile functions.

    Takes memrefs for the kernel's params, then for its results, then the workspace if there is one.
    Element types are storage types. ValueError where the kernel is not a contraction.
    """
    c = analyse(kernel, target.vector_bits // 8)
    results = [MemRefType(t.shape, storage(t.dtype)) for t in kernel.result_types]
    types: list[Type] = [MemRefType(t.shape, storage(t.dtype)) for t in kernel.params]
    types += results
    hints = [f"in{k}" for k in range(len(kernel.params))]
    hints += [f"out{k}" for k in range(len(results))]
    if c.empty:
        op = function(name, types, [], hints=hints, private=True)
        Builder(op).emit("func.return")
        module.ops.append(op)
        return Scheduled(op)
    plan = make_plan(c, target)
    memory = Memory.of(c, plan)
    if memory.bytes:
        types.append(MemRefType((memory.bytes,), i8))
        hints.append("workspace")
    op = function(name, types, [], hints=hints, private=True)
    b = Builder(op)
    _Loops(b, c, plan, memory, module, name, kernel, target).emit()
    b.emit("func.return")
    module.ops.append(op)
    return Scheduled(op, memory.bytes)


@dataclass
class _Loops:
    """Writes one kernel's function."""

    b: Builder
    c: Contraction
    plan: Plan
    memory: Memory
    module: Module
    name: str
    kernel: Kernel
    target: Target

    def emit(self) -> None:
        b, args = self.b, self.b.entry.args
        self.depth_dims = [*self.plan.depth.outer, self.plan.depth.cut, *self.plan.depth.inner]
        self.batch_dims = self.c.batch
        self.items = product(self.batch_dims)
        self.bodies = BodyEmitter(self.module, b)
        self.shared = self.plan.grid.count > 1
        self.buffers = self._buffers(args)
        parts = {
            name: view(b, args[-1], byte, size, self.c.dtype)
            for name, (byte, size) in self.memory.parts.items()
        }
        self.lhs_buffer = parts.get("lhs", self.buffers[0])
        self.rhs_buffer = parts.get("rhs", self.buffers[1])
        self.sums = parts.get("sums")
        if "lhs" in parts:
            self._copy_lhs()
        if self.plan.copy_rhs == "shared":
            count = self.items * self.plan.columns.count
            chunks(b, count, self.shared, lambda p: self._copy_panel(p, self.rhs_buffer))
        self.tiles = TileFunctions(
            self.module, self.name, self.c, self.plan, self._lhs(), self._rhs(), self._out()
        )
        chunks(b, self.plan.grid.count, self.shared, self._chunk)
        if self.plan.grid.depth > 1:
            count = self.items * self.plan.rows.count
            chunks(b, count, True, self._join)

    def _buffers(self, args: list[Value]) -> list[Value]:
        """The flat buffer behind each access."""
        flat: dict[int, Value] = {}
        out = []
        for access in self.c.accesses:
            number = access.source
            if access.result >= 0:
                number = len(self.kernel.params) + access.result
            if number not in flat:
                flat[number] = flatten(self.b, args[number])
            out.append(flat[number])
        return out

    # -- layouts -----------------------------------------------------------------------------------
    def _inner_depth(self, access: int) -> tuple[int, ...]:
        return tuple(d.strides[access] for d in (self.plan.depth.cut, *self.plan.depth.inner))

    def _panel_depth(self, pitch: int) -> tuple[int, ...]:
        steps = panel_steps([d.size for d in self.depth_dims], pitch)
        return tuple(steps[len(self.plan.depth.outer) :])

    def _lhs(self) -> Factor:
        plan, rows = self.plan, self.plan.rows
        depth, lane = self._inner_depth(0), plan.columns.dim.strides[0]
        steps = {size: tuple(rows.displacements(0, size)) for size in rows.sizes}
        if plan.copy_lhs == "rows":
            pitch = row_pitch(self.c)
            depth = self._panel_depth(1)
            steps = {s: tuple(r * pitch for r in range(s)) for s in rows.sizes}
        elif plan.copy_lhs == "panel":
            depth = self._panel_depth(rows.largest)
            steps = {s: tuple(range(s * rows.span)) for s in rows.sizes}
        prologue = None if plan.copy_lhs else self.c.lhs.prologue
        return Factor(_memref(self.lhs_buffer), depth, lane, prologue, tuple(steps.items()))

    def _rhs(self) -> Factor:
        if not self.plan.copy_rhs:
            lane = self.plan.columns.dim.strides[1]
            return Factor(_memref(self.rhs_buffer), self._inner_depth(1), lane, self.c.rhs.prologue)
        type = _memref(self.rhs_buffer)
        if self.plan.copy_rhs in STACKED:
            type = self._local_type()
        return Factor(type, self._panel_depth(self.plan.pitch), 1, None)

    def _local_type(self) -> MemRefType:
        plan = self.plan
        rows = plan.columns.count * product(self.c.depth)
        if plan.copy_rhs == "block":
            rows = plan.depth.largest
        count = rows * plan.pitch
        return flat_type(max(1, count), self.c.dtype)

    def _out(self) -> Destination:
        rows = self.plan.rows
        if self.plan.in_place:
            access = self.c.stores[0][1]
            steps = {s: tuple(rows.displacements(access, s)) for s in rows.sizes}
            return Destination(_memref(self.buffers[access]), tuple(steps.items()), True)
        steps = {s: tuple(r * self.plan.pitch for r in range(s * rows.span)) for s in rows.sizes}
        type = _memref(self.sums) if self.sums is not None else self._tile_type()
        return Destination(type, tuple(steps.items()), False)

    def _tile_type(self) -> MemRefType:
        return flat_type(self.plan.rows.largest * self.plan.pitch, self.c.dtype)

    # -- copies ------------------------------------------------------------------------------------
    def _copier(self, access: int) -> Copier:
        operand = (self.c.lhs, self.c.rhs)[access]
        return Copier(
            self.b, self.bodies, self.buffers[access], access, operand.prologue, self.c.dtype,
            self.target.lanes(self.c.dtype),
        )  # fmt: skip

    def _copy_lhs(self) -> None:
        b, plan = self.b, self.plan
        copier = self._copier(0)
        if plan.copy_lhs == "flat":
            self._copy_flat(copier)
        elif plan.copy_lhs == "rows":
            rows, pitch = plan.rows.cut, row_pitch(self.c)
            count = self.items * rows.size

            def some(block: Value) -> None:
                first = b.mul(block, ROWS_COPIED)
                end = b.op("arith.minui", [b.add(first, ROWS_COPIED), b.index(count)])
                loop(b, first, end, one)

            def one(row: Value) -> None:
                item, r = digits(b, row, [self.items, rows.size])
                start = self._start(0, [*self._batch_places(item), (rows, r)])
                copier.row(self.lhs_buffer, b.mul(row, pitch), start, product(self.c.depth))

            chunks(b, -(-count // ROWS_COPIED), self.shared, some)
        else:
            chunks(b, self.items * plan.rows.count, self.shared,
                   lambda p: self._copy_row_panel(p, copier))  # fmt: skip

    def _copy_flat(self, copier: Copier) -> None:
        """In chunks of about 64 Ki elements; the last one may be shorter."""
        b, count, piece = self.b, self.memory.parts["lhs"][1], 1 << 16
        whole, rest = divmod(count, piece)
        chunks(b, whole, self.shared,
               lambda p: copier.flat(self.lhs_buffer, b.mul(p, piece), piece))  # fmt: skip
        copier.flat(self.lhs_buffer, b.index(whole * piece), rest)

    def _copy_row_panel(self, panel: Value, copier: Copier) -> None:
        item, tile = digits(self.b, panel, [self.items, self.plan.rows.count])
        places, piece = self._row_places(tile)
        pitch = self.plan.rows.largest
        to = self.b.mul(panel, product(self.c.depth) * pitch)
        start = self._start(0, [*self._batch_places(item), *places])
        step = self.plan.rows.cut.strides[0]
        self._each_size(piece, lambda size: copier.panel(
            self.lhs_buffer, to, start, self.depth_dims, size, step, pitch))  # fmt: skip

    def _copy_panel(self, panel: Value, target: Value) -> None:
        """Panel number `panel` of all items' column tiles."""
        item, tile = digits(self.b, panel, [self.items, self.plan.columns.count])
        to = self.b.mul(panel, product(self.c.depth) * self.plan.pitch)
        self._fill_panel(item, tile, to, target)

    def _fill_panel(self, item: Value, tile: Value, to: Value, target: Value) -> None:
        self._fill(item, tile, [], self.depth_dims, to, target)

    def _fill_block(self, item: Value, tile: Value, block: Block, piece: Value, to: Value) -> None:
        """The part of a column tile's panel that is read in one block of the sum."""
        depth = self.plan.depth

        def of_size(size: int) -> None:
            dims = [replace(depth.cut, size=size), *depth.inner]
            self._fill(item, tile, block.places, dims, self.b.index(0), to)

        self._either(depth.sizes, "ult", piece, depth.extra, of_size)

    def _fill(
        self, item: Value, tile: Value, block: list[Place], depth: list[Dim], to: Value,
        target: Value,
    ) -> None:  # fmt: skip
        places, piece = self._column_places(tile)
        start = self._start(1, [*self._batch_places(item), *places, *block])
        copier, step = self._copier(1), self.plan.columns.dim.strides[1]
        self._each_width(piece, lambda width: copier.panel(
            target, to, start, depth, width, step, self.plan.pitch))  # fmt: skip

    # -- places ------------------------------------------------------------------------------------
    def _start(self, access: int, places: list[Place]) -> Value:
        terms = [(i, d.strides[access]) for d, i in places]
        return affine(self.b, self.c.accesses[access].offset, terms)

    def _batch_places(self, item: Value) -> list[Place]:
        sizes = [d.size for d in self.batch_dims]
        return list(zip(self.batch_dims, digits(self.b, item, sizes)))

    def _boxed(self, box: Box, tile: Value) -> tuple[list[Place], Value]:
        """Where a tile of a box begins, and which piece of the cut dim it is."""
        *outer, piece = digits(self.b, tile, [*(d.size for d in box.outer), box.pieces])
        start = piece_start(self.b, box.cut.size, box.pieces, piece)
        return [*zip(box.outer, outer), (box.cut, start)], piece

    def _row_places(self, tile: Value) -> tuple[list[Place], Value]:
        return self._boxed(self.plan.rows, tile)

    def _column_places(self, tile: Value) -> tuple[list[Place], Value]:
        columns = self.plan.columns
        *outer, piece = digits(self.b, tile, [*(d.size for d in columns.outer), columns.pieces])
        start = self.b.mul(piece, columns.width)
        return [*zip(columns.outer, outer), (columns.dim, start)], piece

    def _each_size(self, piece: Value, body: Callable[[int], None]) -> None:
        """`body` for the size that this piece of the rows has."""
        rows = self.plan.rows
        self._either(rows.sizes, "ult", piece, rows.extra, body)

    def _each_width(self, piece: Value, body: Callable[[int], None]) -> None:
        columns = self.plan.columns
        self._either(columns.widths, "ult", piece, columns.pieces - 1, body)

    def _either(
        self, sizes: tuple[int, ...], predicate: str, piece: Value, bound: int,
        body: Callable[[int], None],
    ) -> None:  # fmt: skip
        if len(sizes) == 1:
            body(sizes[0])
            return

        def arm(size: int) -> Callable[[], list[Value]]:
            return lambda: body(size) or []  # type: ignore[func-returns-value]

        condition = self.b.compare(predicate, piece, self.b.index(bound))
        self.b.if_else(condition, arm(sizes[0]), arm(sizes[1]))

    # -- chunks ------------------------------------------------------------------------------------
    def _span_of(self, size: int, pieces: int, piece: Value) -> tuple[Value, Value]:
        b = self.b
        if pieces == 1:
            return b.index(0), b.index(size)
        return tuple(  # type: ignore[return-value]
            piece_start(b, size, pieces, p) for p in (piece, b.add(piece, 1))
        )

    def _chunk(self, chunk: Value) -> None:
        b, plan = self.b, self.plan
        sizes = [plan.grid.batch, plan.grid.rows, plan.grid.columns, plan.grid.depth]
        parts = digits(b, chunk, sizes)
        items = self._span_of(self.items, plan.grid.batch, parts[0])
        mine = Chunk(
            self._span_of(plan.rows.count, plan.grid.rows, parts[1]),
            self._span_of(plan.columns.count, plan.grid.columns, parts[2]),
            self._span_of(plan.depth.count, plan.grid.depth, parts[3]),
            parts[3],
        )
        if plan.copy_rhs in STACKED:
            mine.local = b.alloca(self._local_type())
        if not plan.in_place:
            mine.sums = self.sums if self.sums is not None else b.alloca(self._tile_type())

        def item(number: Value) -> None:
            if mine.local is not None and plan.copy_rhs == "local":
                self._fill_local(number, mine.local)
            self._blocks(number, mine)

        loop(b, *items, item)

    def _fill_local(self, item: Value, local: Value) -> None:
        size = product(self.c.depth) * self.plan.pitch
        loop(self.b, self.b.index(0), self.b.index(self.plan.columns.count),
             lambda t: self._fill_panel(item, t, self.b.mul(t, size), local))  # fmt: skip

    def _blocks(self, item: Value, chunk: Chunk) -> None:
        """All tiles of a chunk for one item of the batch."""
        b, depth = self.b, self.plan.depth
        linear = panel_steps([d.size for d in self.depth_dims], 1)
        rows, columns = chunk.rows, chunk.columns

        def block(number: Value) -> None:
            places, piece = self._boxed(depth, number)
            position = affine(b, 0, [(i, s) for (_, i), s in zip(places, linear)])
            part = Block(number, self._block_size(piece), places, position)

            def column(j: Value) -> None:
                if self.plan.copy_rhs == "block":
                    assert chunk.local is not None
                    self._fill_block(item, j, part, piece, chunk.local)
                loop(b, *rows, lambda i: tile(i, j, part))

            if self.plan.columns_inside:
                loop(b, *rows, lambda i: loop(b, *columns, lambda j: tile(i, j, part)))
            else:
                loop(b, *columns, column)

        def tile(i: Value, j: Value, part: Block) -> None:
            self._sized(
                item, i, j, lambda at, size, width: self._tile(at, part, size, width, chunk)
            )

        loop(b, *chunk.blocks, block)

    def _sized(self, item: Value, i: Value, j: Value, body: Callable[[At, int, int], None]) -> None:
        """`body` at a tile, for the size and the width that it has."""
        row_places, row_piece = self._row_places(i)
        column_places, column_piece = self._column_places(j)
        at = At(self._batch_places(item), item, row_places, i, column_places, j)

        def of_width(width: int) -> None:
            self._each_size(row_piece, lambda size: body(at, size, width))

        self._each_width(column_piece, of_width)

    def _block_size(self, piece: Value) -> Value:
        """Positions of the cut dim of the sum in this block."""
        b, depth = self.b, self.plan.depth
        if len(depth.sizes) == 1:
            return b.index(depth.sizes[0])
        more = b.compare("ult", piece, b.index(depth.extra))
        return b.op("arith.select", [more, *map(b.index, depth.sizes)], b.index(0).type)

    def _tile(self, at: At, block: Block, size: int, width: int, chunk: Chunk) -> None:
        """Sum one tile over one block; at the last block run the stages on it."""
        b, plan = self.b, self.plan
        first = b.compare("eq", block.number, chunk.blocks[0]) if plan.depth.count > 1 else None
        out, start = self._goal(at, chunk)
        rhs = chunk.local if chunk.local is not None else self.rhs_buffer
        operands = [
            self.lhs_buffer, self._lhs_start(at, block), rhs, self._rhs_start(at, block), out,
            start, block.count,
        ]  # fmt: skip
        self.tiles.call(b, size, width, operands, first)
        if plan.in_place or plan.grid.depth > 1:
            return

        def end() -> list[Value]:
            self._finish(at, out, start, size, width)
            return []

        if plan.depth.count == 1:
            end()
        else:
            b.if_else(b.compare("eq", block.number, b.index(plan.depth.count - 1)), end)

    def _finish(self, at: At, sums: Value, start: Value, size: int, width: int) -> None:
        """Run the stages on a tile and store what is wanted."""
        finish = Finish(self.b, self.bodies, self.c, self.plan, self.buffers)
        finish.tile(sums, start, at.places, size, width)

    def _join(self, panel: Value) -> None:
        """Add what the chunks summed for all tiles of one row of tiles, and finish them."""
        b, plan, sums = self.b, self.plan, self.sums
        assert sums is not None
        item, i = digits(b, panel, [self.items, plan.rows.count])

        def tile(at: At, size: int, width: int) -> None:
            start = self._sums_start(at)
            add_parts(
                b, self.c.dtype, sums, start, (size * plan.rows.span, plan.pitch), plan.lanes,
                (plan.grid.depth, self._part_size()),
            )  # fmt: skip
            self._finish(at, sums, start, size, width)

        loop(b, b.index(0), b.index(plan.columns.count),
             lambda j: self._sized(item, i, j, tile))  # fmt: skip

    def _part_size(self) -> int:
        """Elements of all tiles."""
        plan = self.plan
        tiles = self.items * plan.rows.count * plan.columns.count
        return tiles * plan.rows.largest * plan.pitch

    def _sums_start(self, at: At) -> Value:
        """Where a tile begins among the sums that all chunks keep."""
        b, plan = self.b, self.plan
        tiles = b.add(b.mul(at.item, plan.rows.count), at.row_tile)
        tiles = b.add(b.mul(tiles, plan.columns.count), at.column_tile)
        return b.mul(tiles, plan.rows.largest * plan.pitch)

    def _goal(self, at: At, chunk: Chunk) -> tuple[Value, Value]:
        """Buffer and first element of the tile that is summed."""
        b, plan = self.b, self.plan
        if plan.in_place:
            access = self.c.stores[0][1]
            return self.buffers[access], self._start(access, at.places)
        assert chunk.sums is not None
        if self.sums is None:
            return chunk.sums, b.index(0)
        start = self._sums_start(at)
        return chunk.sums, b.add(b.mul(chunk.part, self._part_size()), start)

    def _lhs_start(self, at: At, block: Block) -> Value:
        b, plan = self.b, self.plan
        if plan.copy_lhs == "rows":
            row = b.add(b.mul(at.item, plan.rows.cut.size), at.rows[0][1])
            return b.add(b.mul(row, row_pitch(self.c)), block.position)
        if plan.copy_lhs == "panel":
            panel = b.add(b.mul(at.item, plan.rows.count), at.row_tile)
            position = b.add(b.mul(panel, product(self.c.depth)), block.position)
            return b.mul(position, plan.rows.largest)
        return self._start(0, [*at.places, *block.places])

    def _rhs_start(self, at: At, block: Block) -> Value:
        b, plan = self.b, self.plan
        if not plan.copy_rhs:
            return self._start(1, [*at.places, *block.places])
        if plan.copy_rhs == "block":
            return b.index(0)
        panel = at.column_tile
        if plan.copy_rhs == "shared":
            panel = b.add(b.mul(at.item, plan.columns.count), panel)
        return b.mul(b.add(b.mul(panel, product(self.c.depth)), block.position), plan.pitch)


def _memref(value: Value) -> MemRefType:
    assert isinstance(value.type, MemRefType)
    return value.type
