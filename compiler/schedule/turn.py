"""Maps that turn their input: what is contiguous where they read is not where they write.

Takes: a map's Generic whose vectors run along one axis while some of its reads are contiguous along
another, `down`. Gives: loops over tiles of both axes, which are transposed in registers, so that
memory is read and written by whole cache lines. Light bodies take the rows of a transposed tile
from registers, others from a buffer of the tile's size.
Must not know: what the body does, how a point is stored.

Tiles at the end of an axis are moved back inside: they read again what their neighbours have read.
What is written is written once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..kernel import Generic, Kernel, Read
from ..mlir.ir import Value
from ..types import MemRefType, VectorType, element
from .axes import parallel_loops
from .nest import LINE_BYTES, At, Lanes, Nest, address_form, body_work

SHORT = 4
"""Axes shorter than this are not worth turning."""
STRIP_BYTES = 2048
"""How much is read of each row before the next columns: half a page, so that few are entered."""
TILE_ROWS = 16
"""Rows of a tile in registers: as many vectors as targets have, more or less."""
LIGHT_NODES = 6
"""Operations of a body up to which it is written out for every row of a tile."""


@dataclass(frozen=True)
class Turn:
    """Which of a map's joined axes `reads` are contiguous along, while writes are along the last
    one.
    """

    axis: int
    reads: tuple[Read, ...]


def find_turn(kernel: Kernel, generic: Generic, groups: Sequence[Sequence[int]]) -> Turn | None:
    """The axis along which most of the reads with a stride are contiguous, or None."""
    if len(groups) < 2:
        return None
    dims = [group[-1] for group in groups]
    extents = [math.prod(generic.dims[d] for d in group) for group in groups]
    found: dict[int, list[Read]] = {}
    for read in generic.reads:
        if read.map is None or read.source >= len(kernel.params):
            continue
        form = address_form(read.map, kernel.value_types[read.source].shape)[0]
        if form[dims[-1]] in (0, 1):
            continue
        for axis, d in enumerate(dims[:-1]):
            if form[d] == 1:
                found.setdefault(axis, []).append(read)
    if not found:
        return None
    axis = max(found, key=lambda a: len(found[a]))
    if min(extents[axis], extents[-1]) < SHORT:
        return None
    return Turn(axis, tuple(dict.fromkeys(found[axis])))


def power_above(n: int) -> int:
    """The least power of two that is no less than n."""
    return 1 << (n - 1).bit_length()


class TurnLoops:
    """Writes the tiles of a map that turns. `point(joined coordinates, lanes)` writes one
    vector.
    """

    def __init__(
        self,
        nest: Nest,
        generic: Generic,
        groups: Sequence[Sequence[int]],
        turn: Turn,
        lanes: int,
        point: Callable[[Sequence[Value], Lanes], None],
    ) -> None:
        self.nest, self.generic, self.turn = nest, generic, turn
        self.b = nest.b
        self.lanes, self.point = lanes, point
        self.dims = [group[-1] for group in groups]
        self.extents = [math.prod(generic.dims[d] for d in group) for group in groups]
        self.long, self.wide = self.extents[turn.axis], self.extents[-1]
        dtypes = [nest.kernel.value_types[r.source].dtype for r in turn.reads]
        self.vectors = [min(nest.target.lanes(d), power_above(self.long)) for d in dtypes]
        self.rows = [min(TILE_ROWS, n, power_above(self.wide)) for n in self.vectors]
        line = LINE_BYTES // max(o.type.dtype.itemsize for o in generic.outs)
        self.height = max(self.vectors)
        self.width = max(lanes, *self.rows, min(line, power_above(self.wide)))
        self.strip = max(1, STRIP_BYTES // max(d.itemsize for d in dtypes) // self.height)
        self.strip = min(self.strip, -(-self.long // self.height))
        self.light = len(turn.reads) == 1 and self.rows[0] == lanes <= self.vectors[0]
        self.light &= len(generic.body.nodes) <= LIGHT_NODES

    # -- loops over tiles -------------------------------------------------------------------
    def write(self) -> None:
        """The whole nest: axes that move furthest in memory outermost; down a strip first."""
        last, axis = len(self.dims) - 1, self.turn.axis
        counts, steps = list(self.extents), [self._reach(d) for d in self.dims]
        for k, size in ((axis, self.height * self.strip), (last, self.width)):
            counts[k] = -(-self.extents[k] // size)
            steps[k] *= size
        order = sorted(range(last + 1), key=lambda k: -steps[k])

        def strip(coords: Sequence[Value]) -> None:
            at = [self.b.index(0)] * (last + 1)
            for k, value in zip(order, coords):
                at[k] = value
            self._strip(at)

        points = self.height * self.strip * self.width
        work = points * (len(self.turn.reads) + body_work(self.generic)) / self.lanes
        parallel_loops(self.nest, [counts[k] for k in order], work, strip, setup=self._buffers)

    def _reach(self, dim: int) -> int:
        """How far one step along a dim goes in memory, at most."""
        types = self.nest.kernel.value_types
        accesses = [(r.map, types[r.source].shape) for r in self.generic.reads]
        accesses += [(o.map, o.type.shape) for o in self.generic.outs]
        return max(abs(address_form(map, shape)[0][dim]) for map, shape in accesses if map)

    def _buffers(self) -> None:
        """A tile's buffer for each read, on the stack of every chunk."""
        types = [self.nest.kernel.value_types[r.source] for r in self.turn.reads]
        size = self.height * self.width
        self.places = [self.b.alloca(MemRefType((size,), t.dtype)) for t in types]

    def _strip(self, at: list[Value]) -> None:
        """All tiles of a strip."""
        b, axis, size = self.b, self.turn.axis, self.height * self.strip
        start, at[-1] = b.mul(at[axis], size), b.mul(at[-1], self.width)
        if self.long <= self.height:
            self._tile(at, b.index(0))
            return
        stop = b.add(start, size)
        if self.long % size:
            stop = b.op("arith.minsi", [stop, b.index(self.long)])
        with b.loop(start, stop, b.index(self.height)) as i:
            self._tile(at, i)

    def _tile(self, at: list[Value], down: Value) -> None:
        """The tile that begins at `down` and at[-1]."""
        b, across = self.b, at[-1]
        inside: list[Value] = []
        for start, size, extent in (
            (down, self.height, self.long),
            (across, self.width, self.wide),
        ):
            if extent % size:
                inside.append(self.b.compare("sle", start, b.index(extent - size)))

        def light() -> Sequence[Value]:
            self._light(at, down)
            return []

        def buffered() -> Sequence[Value]:
            self._buffered(at, down)
            return []

        fits = self.long >= self.height and self.wide >= self.width
        if not (self.light and fits):
            buffered()
        elif not inside:
            light()
        else:
            whole = inside[0] if len(inside) == 1 else b.op("arith.andi", inside)
            b.if_else(whole, light, buffered)

    # -- a tile in registers ----------------------------------------------------------------
    def _light(self, at: list[Value], down: Value) -> None:
        """A whole tile; every row of it is a vector in registers."""
        b, rows = self.b, self.rows[0]
        (read,) = self.turn.reads
        base, step = self._place(read, at, down, at[-1])
        for i in range(0, self.height, self.vectors[0]):
            for j in range(0, self.width, rows):
                place = b.add(base, i + j * step)
                for k, value in enumerate(transposed(self.nest, self._load(0, place, step))):
                    self.nest.staged[read] = partial(_same, value)
                    coords = list(at)
                    coords[self.turn.axis] = b.add(down, i + k)
                    coords[-1] = b.add(at[-1], j)
                    self.point(coords, Lanes(self.dims[-1], self.lanes))
        self.nest.staged.clear()

    # -- a tile in a buffer -----------------------------------------------------------------
    def _buffered(self, at: list[Value], down: Value) -> None:
        """Any tile: fill the buffers, then run the map over its rows."""
        b, axis = self.b, self.turn.axis
        origins = [
            self._inside(down, self.long - self.height),
            self._inside(at[-1], self.wide - self.width),
        ]
        for k, read in enumerate(self.turn.reads):
            self._fill(k, read, at, origins)
            self.nest.staged[read] = partial(self._staged, self.places[k], origins)
        stop = b.add(down, self.height)
        if self.long % self.height:
            stop = b.op("arith.minsi", [stop, b.index(self.long)])
        with b.loop(down, stop, b.index(1)) as i:
            row = list(at[:-1])
            row[axis] = i
            self._row(row, at[-1])
        self.nest.staged.clear()

    def _inside(self, start: Value, most: int) -> Value:
        """`start`, moved back to `most` where it is further on; 0 where even that is too far."""
        known = self.b.known(start)
        if most <= 0 or known is not None:
            return self.b.index(max(0, min(most, known or 0)))
        return self.b.op("arith.minsi", [start, self.b.index(most)])

    def _row(self, coords: list[Value], start: Value) -> None:
        """One row of a tile, from `start` on: its vectors, then masked lanes at the axis's end."""
        b, lanes, vector = self.b, self.lanes, self.dims[-1]
        whole, masked = self.wide // lanes * lanes, self.wide % lanes
        stop = b.add(start, self.width)
        if self.wide % self.width:
            stop = b.op("arith.minsi", [stop, b.index(whole)])
        with b.loop(start, stop, b.index(lanes)) as i:
            self.point([*coords, i], Lanes(vector, lanes))
        if not masked:
            return

        def tail() -> Sequence[Value]:
            mask = self.nest.first_mask(masked, lanes)
            self.point([*coords, b.index(whole)], Lanes(vector, lanes, mask))
            return []

        b.if_else(b.compare("sgt", b.add(start, self.width), b.index(whole)), tail)

    def _staged(self, buffer: Value, origins: Sequence[Value], at: At) -> Value:
        """What a turned read gives at a point of the tile in hand."""
        b = self.b
        down, across = (
            b.op("arith.subi", [at.coords[d], origin])
            for d, origin in zip((self.dims[self.turn.axis], self.dims[-1]), origins)
        )
        return self.nest.get(buffer, b.add(b.mul(down, self.width), across), at.lanes)

    def _fill(self, number: int, read: Read, at: list[Value], origins: Sequence[Value]) -> None:
        """The tile of one read, transposed."""
        b = self.b
        base, step = self._place(read, at, *origins)
        lanes, rows = self.vectors[number], self.rows[number]

        def part(i: Value, j: Value) -> None:
            place = b.add(b.add(base, i), b.mul(j, step))
            goal = b.add(b.mul(i, self.width), j)
            turned = transposed(self.nest, self._load(number, place, step))
            for k, value in enumerate(turned):
                b.vstore(value, self.places[number], [b.add(goal, k * self.width)])

        count = min(self.width, self.wide)
        with b.loop(b.index(0), b.index(count), b.index(rows)) as j:
            back = self._inside(j, count - rows) if count % rows else j
            with b.loop(b.index(0), b.index(self.height), b.index(lanes)) as i:
                part(i, back)

    # -- reading ----------------------------------------------------------------------------
    def _place(
        self, read: Read, at: Sequence[Value], down: Value, across: Value
    ) -> tuple[Value, int]:
        """Where a read's element at (down, across) lies, and how far its neighbour across is."""
        assert read.map is not None
        form = address_form(read.map, self.nest.kernel.value_types[read.source].shape)
        coords = [self.b.index(0)] * len(self.generic.dims)
        for k, (d, value) in enumerate(zip(self.dims, at)):
            coords[d] = down if k == self.turn.axis else value
        coords[self.dims[-1]] = across
        return self.nest.address(form, coords), form[0][self.dims[-1]]

    def _load(self, number: int, place: Value, step: int) -> list[Value]:
        """The rows of a tile as they lie in memory; zeros where the axes are shorter."""
        nest, source = self.nest, self.turn.reads[number].source
        lanes, rows = self.vectors[number], self.rows[number]
        mask = nest.first_mask(self.long, lanes) if self.long < lanes else None
        along = Lanes(self.dims[self.turn.axis], lanes, mask)
        flat = nest.flat(nest.buffers[source])
        there = min(rows, self.wide)
        vectors = [nest.get(flat, self.b.add(place, k * step), along) for k in range(there)]
        nothing = self.b.const(0, VectorType((lanes,), element(flat.type)))
        return vectors + [nothing] * (rows - there)


def _same(value: Value, _: At) -> Value:
    return value


def transposed(nest: Nest, vectors: Sequence[Value]) -> list[Value]:
    """m vectors of n lanes as n vectors of m."""
    b = nest.b
    dtype, m = element(vectors[0].type), len(vectors)
    assert isinstance(vectors[0].type, VectorType)
    (n,) = vectors[0].type.shape
    if m == 1 or n == 1:
        raise ValueError("a tile has rows and columns")
    whole = b.const(0, VectorType((m, n), dtype))
    for k, value in enumerate(vectors):
        whole = b.op("vector.insert", [value, whole], whole.type, static_position=(k,))
    turned = b.op("vector.transpose", [whole], VectorType((n, m), dtype), permutation=(1, 0))
    line = VectorType((m,), dtype)
    return [b.op("vector.extract", [turned], line, static_position=(k,)) for k in range(n)]
