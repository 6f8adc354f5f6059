"""Cumulative kernels: what every point joins along one axis, with all that is mapped around it.

Takes: a Kernel of kind cumulate. Gives: its loop nest. Where the axis is not the contiguous one,
vectors run across it, each lane with an accumulator of its own; where it is, a vector is summed up
in registers by a tree of shifts, whose shape depends on its width alone, and joined with what came
before. Few long lines are cut into blocks: what each block joins to comes first, then what stands
before each, then all blocks. Must not know: which ops are cumulative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..kernel import BACKWARD, Generic, Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from ..types import MemRefType, VectorType, element
from .axes import parallel_loops
from .nest import At, Lanes, Nest, address_form, body_dtypes, body_work, vector_lanes
from .passes import across_lanes, combine
from .scheduled import Scheduled

SIDE_BY_SIDE = 4
"""Vectors of neighbouring columns that go along the axis together."""
LONG_LINE = 262144
"""Lines at least this long are cut into blocks when there are few of them: reading them twice costs
less than leaving all threads but one idle."""
BLOCK = 16384
"""Elements of a block."""


def schedule_cumulate(kernel: Kernel, target: Target, module: Module, name: str) -> Scheduled:
    """The loop nest of a cumulative kernel."""
    nest = Nest(kernel, target, module, name)
    workspace = 0
    if all(kernel.generics[0].dims):
        loops = CumulateLoops(nest)
        if loops.across:
            loops.write_across()
        elif loops.splits():
            workspace = loops.write_blocks()
        else:
            loops.write_along()
    nest.finish()
    module.ops.append(nest.function)
    return Scheduled(nest.function, workspace)


class CumulateLoops:
    """Writes one pass along the axis for each line, or for each vector of lines."""

    def __init__(self, nest: Nest) -> None:
        self.nest = nest
        self.b = nest.b
        self.generics = nest.kernel.generics
        self.dims = self.generics[0].dims
        running = next(g for g in self.generics if g.running_dim is not None)
        assert running.running_dim is not None
        self.axis = running.running_dim
        self.backward = running.kinds[self.axis] == BACKWARD
        self.count = self.dims[self.axis]
        self.groups = _groups(nest.kernel, self.axis)
        self.extents = [math.prod(self.dims[d] for d in group) for group in self.groups]
        inner = self.groups[-1][-1] if self.groups else -1
        self.across = inner > self.axis
        self.vector_dim = inner if self.across else self.axis
        along = self.extents[-1] if self.across else self.count
        self.lanes = vector_lanes(nest.target, body_dtypes(nest.kernel), along)
        self.work = sum(body_work(g) for g in self.generics)
        steps = 1 + (self.lanes - 1).bit_length()
        self.along_work = self.work * steps / self.lanes

    def _coords(self, joined: Sequence[Value]) -> list[Value]:
        """An index for every dim, 0 for the axis."""
        coords = [self.b.index(0)] * len(self.dims)
        for group, value in zip(self.groups, joined):
            coords[group[-1]] = value
        return coords

    def _units(self, lanes: int | None) -> list[Value]:
        running = [g for g in self.generics if g.running_dim is not None]
        return [self.nest.unit(out, lanes) for g in running for out in g.outs]

    def _place(self, i: Value) -> Value:
        """The place along the axis of the i-th step."""
        if not self.backward:
            return i
        return self.b.op("arith.subi", [self.b.index(self.count - 1), i])

    # -- across lines -----------------------------------------------------------------------
    def write_across(self) -> None:
        """Blocks of neighbouring lines, their accumulators in the lanes of vectors."""
        *outer, inner = self.extents
        side = min(SIDE_BY_SIDE, -(-inner // self.lanes))
        width = side * self.lanes
        blocks, left = divmod(inner, width)
        work = self.work * self.count
        if blocks:

            def block(joined: Sequence[Value]) -> None:
                *coords, number = joined
                self._lines([*coords, self.b.mul(number, width)], [self._lanes(None)] * side)

            parallel_loops(self.nest, [*outer, blocks], work * side, block)
        if left:
            rest = [self._lanes(None)] * (left // self.lanes)
            if left % self.lanes:
                rest.append(self._lanes(self.nest.first_mask(left % self.lanes, self.lanes)))

            def edge(joined: Sequence[Value]) -> None:
                self._lines([*joined, self.b.index(blocks * width)], rest)

            parallel_loops(self.nest, outer, work * len(rest), edge)

    def _lanes(self, mask: Value | None) -> Lanes | None:
        return Lanes(self.vector_dim, self.lanes, mask) if self.lanes > 1 else None

    def _lines(self, joined: Sequence[Value], vectors: Sequence[Lanes | None]) -> None:
        b = self.b
        start = self._coords(joined)
        width = self.lanes if self.lanes > 1 else None
        units = self._units(width)
        each = len(units)

        def body(i: Value, held: list[Value]) -> Sequence[Value]:
            new: list[Value] = []
            for k, lanes in enumerate(vectors):
                coords = list(start)
                coords[self.vector_dim] = b.add(start[self.vector_dim], k * self.lanes)
                coords[self.axis] = self._place(i)
                at = At(tuple(coords), lanes)
                made = self._point(at, held[k * each : (k + 1) * each])
                new += [self.nest.bodies.spread(v, width) for v in made]
            return new

        carried = units * len(vectors)
        b.loop_carry(b.index(0), b.index(self.count), b.index(1), carried, body)

    def _point(self, at: At, held: Sequence[Value]) -> list[Value]:
        """All Generics at one point of every lane; gives the accumulators after it."""
        nest, new = self.nest, []
        taken = 0
        for g in self.generics:
            if g.running_dim is None:
                self._keep(g, nest.run(g, at), at)
                continue
            values = nest.run(g, at, held[taken : taken + len(g.outs)])
            taken += len(g.outs)
            new += values
            self._keep(g, values, at)
        nest.held.clear()
        return new

    def _keep(self, generic: Generic, values: Sequence[Value], at: At) -> None:
        """Hold values for the Generics after it, and store those that are results."""
        nest = self.nest
        for k, (out, value) in enumerate(zip(generic.outs, values)):
            number = nest.number_of(generic, k)
            if number in nest.buffers:
                nest.store(value, nest.buffers[number], out.map, at)
            nest.held[number] = value

    # -- along lines ------------------------------------------------------------------------
    def write_along(self) -> None:
        """Every line by one thread, a vector of it at a time."""
        parallel_loops(self.nest, self.extents, self.along_work * self.count, self._line)

    def _line(self, joined: Sequence[Value]) -> None:
        if self.lanes == 1:
            self._lines(joined, [None])
        else:
            start, zero = self._coords(joined), self.b.index(0)
            self._stretch(start, zero, self.count, self._units(self.lanes))

    def _stretch(
        self, start: Sequence[Value], base: Value, count: int, held: Sequence[Value]
    ) -> None:
        """`count` elements of a line from `base`; `held` came before them."""
        b, lanes = self.b, self.lanes
        whole = count // lanes * lanes
        edge = b.add(base, whole)
        mask = self.nest.first_mask(count - whole, lanes)
        if count > whole and self.backward:
            held = self._vector(self._at(start, edge, mask), held)
        if whole:

            def body(i: Value, values: list[Value]) -> Sequence[Value]:
                last = b.add(base, whole - lanes)
                place = b.op("arith.subi", [last, i]) if self.backward else b.add(base, i)
                return self._vector(self._at(start, place), values)

            held = b.loop_carry(b.index(0), b.index(whole), b.index(lanes), held, body)
        if count > whole and not self.backward:
            self._vector(self._at(start, edge, mask), held)

    def _at(self, start: Sequence[Value], place: Value, mask: Value | None = None) -> At:
        coords = list(start)
        coords[self.axis] = place
        return At(tuple(coords), Lanes(self.axis, self.lanes, mask))

    def _vector(self, at: At, held: Sequence[Value]) -> list[Value]:
        """All Generics on the vector of a line; `held` and the result have what came before in
        every lane.
        """
        nest, new = self.nest, []
        taken = 0
        for g in self.generics:
            if g.running_dim is None:
                self._keep(g, nest.run(g, at), at)
                continue
            before = held[taken : taken + len(g.outs)]
            taken += len(g.outs)
            values = combine(nest, g, before, self._inside(g, at))
            new += [self._last(v) for v in values]
            self._keep(g, values, at)
        nest.held.clear()
        return new

    def _inside(self, generic: Generic, at: At) -> list[Value]:
        """Each lane joined with those before it: by shifts of 1, 2, 4, … lanes."""
        nest, b, lanes = self.nest, self.b, self.lanes
        units = [nest.unit(out, lanes) for out in generic.outs]
        current = [nest.bodies.spread(nest.read(r, at), lanes) for r in generic.reads]
        if at.lanes is not None and at.lanes.mask is not None:
            mask = at.lanes.mask
            current = [b.op("arith.select", [mask, v, u], v.type) for v, u in zip(current, units)]
        distance = 1
        while distance < lanes:
            moved = [self._shifted(v, u, distance) for v, u in zip(current, units)]
            current = combine(nest, generic, moved, current)
            distance *= 2
        return current

    def _shifted(self, value: Value, unit: Value, distance: int) -> Value:
        """What is `distance` lanes earlier, the unit where nothing is."""
        lanes = self.lanes
        step = distance if self.backward else -distance
        mask = [k + step if 0 <= k + step < lanes else lanes + k for k in range(lanes)]
        return self.b.op("vector.shuffle", [value, unit], value.type, mask=mask)

    def _last(self, value: Value) -> Value:
        """The value of the last lane of a vector in every lane."""
        last = 0 if self.backward else self.lanes - 1
        type = VectorType((self.lanes,), element(value.type))
        return self.b.op("vector.shuffle", [value, value], type, mask=[last] * self.lanes)

    # -- long lines in blocks ---------------------------------------------------------------
    def splits(self) -> bool:
        """Whether few long lines are better cut into blocks."""
        running = [g for g in self.generics if g.running_dim is not None]
        few = math.prod(self.extents) < 16
        return len(running) == 1 and few and self.count >= LONG_LINE and self.lanes > 1

    def write_blocks(self) -> int:
        """Three steps: what every block joins to, what stands before it, its elements; returns the
        workspace bytes. The last, shorter block is joined to nothing.
        """
        b, nest = self.b, self.nest
        running = next(g for g in self.generics if g.running_dim is not None)
        blocks, left = divmod(self.count, BLOCK)
        parts = blocks + 1
        buffers, nbytes = self._partials(running, math.prod(self.extents) * parts)
        many = [*self.extents, blocks]

        def total(joined: Sequence[Value]) -> None:
            *line, number = joined
            self._total(running, line, number, self._slot(line, parts, number), buffers)

        def before(line: Sequence[Value]) -> None:
            self._before(running, self._slot(line, parts, b.index(0)), blocks, buffers)

        def block(joined: Sequence[Value]) -> None:
            *line, number = joined
            self._stretch(*self._begin(line, number, BLOCK, parts, buffers))

        def rest(line: Sequence[Value]) -> None:
            self._stretch(*self._begin(line, b.index(blocks), left, parts, buffers))

        parallel_loops(nest, many, self.work * BLOCK / self.lanes, total)
        parallel_loops(nest, self.extents, 2.0 * blocks, before)
        parallel_loops(nest, many, self.along_work * BLOCK, block)
        if left:
            parallel_loops(nest, self.extents, self.along_work * left, rest)
        return nbytes

    def _partials(self, running: Generic, count: int) -> tuple[list[Value], int]:
        """A buffer for each accumulator in the workspace, and the bytes of all."""
        sizes = [-(-count * out.type.dtype.itemsize // 64) * 64 for out in running.outs]
        space, offset, buffers = self.nest.add_workspace(sum(sizes)), 0, []
        for out, size in zip(running.outs, sizes):
            type = MemRefType((count,), out.type.dtype)
            buffers.append(self.b.op("memref.view", [space, self.b.index(offset)], type))
            offset += size
        return buffers, sum(sizes)

    def _slot(self, line: Sequence[Value], parts: int, number: Value) -> Value:
        total = self.b.index(0)
        for value, extent in zip(line, self.extents):
            total = self.b.add(self.b.mul(total, extent), value)
        return self.b.add(self.b.mul(total, parts), number)

    def _base(self, number: Value, size: int) -> Value:
        """Where the block of a number begins; numbers go the way that is accumulated."""
        first = self.b.mul(number, BLOCK)
        if not self.backward:
            return first
        return self.b.op("arith.subi", [self.b.index(self.count - size), first])

    def _begin(
        self, line: Sequence[Value], number: Value, size: int, parts: int, buffers: Sequence[Value]
    ) -> tuple[list[Value], Value, int, list[Value]]:
        """What `_stretch` takes for a block."""
        slot = self._slot(line, parts, number)
        held = [self.b.splat(self.b.load(buffer, [slot]), self.lanes) for buffer in buffers]
        return self._coords(line), self._base(number, size), size, held

    def _total(
        self,
        running: Generic,
        line: Sequence[Value],
        number: Value,
        slot: Value,
        buffers: Sequence[Value],
    ) -> None:
        """All elements of a block joined, lane by lane, then across lanes."""
        nest, b = self.nest, self.b
        start, base = self._coords(line), self._base(number, BLOCK)
        first = self.generics[: self.generics.index(running)]

        def body(i: Value, held: list[Value]) -> Sequence[Value]:
            at = self._at(start, b.add(base, i))
            for g in first:
                for k, value in enumerate(nest.run(g, at)):
                    nest.held[nest.number_of(g, k)] = value
            new = [nest.bodies.spread(nest.read(r, at), self.lanes) for r in running.reads]
            nest.held.clear()
            return combine(nest, running, held, new)

        ends = (b.index(0), b.index(BLOCK), b.index(self.lanes))
        held = b.loop_carry(*ends, self._units(self.lanes), body)
        for value, buffer in zip(across_lanes(nest, running, held), buffers):
            b.store(value, buffer, [slot])

    def _before(self, running: Generic, slot: Value, blocks: int, buffers: Sequence[Value]) -> None:
        """What each block of a line joins to gives way to what stands before the block."""
        b = self.b

        def body(i: Value, held: list[Value]) -> Sequence[Value]:
            at = b.add(slot, i)
            own = [b.load(buffer, [at]) for buffer in buffers]
            for value, buffer in zip(held, buffers):
                b.store(value, buffer, [at])
            return combine(self.nest, running, held, own)

        last = b.index(blocks)
        held = b.loop_carry(b.index(0), last, b.index(1), self._units(None), body)
        for value, buffer in zip(held, buffers):
            b.store(value, buffer, [b.add(slot, last)])


def _groups(kernel: Kernel, axis: int) -> list[list[int]]:
    """The dims but the axis, in groups that every access walks as one; those of size 1 vanish."""
    forms: list[tuple[int, ...]] = []
    alone = {axis}
    for g in kernel.generics:
        maps = [(r.map, kernel.value_types[r.source]) for r in g.reads]
        maps += [(out.map, out.type) for out in g.outs]
        forms += [address_form(m, type.shape)[0] for m, type in maps if m is not None]
        alone |= {n.attrs["dim"] for n in g.body.nodes if n.op == "linalg.index"}
    groups: list[list[int]] = []
    before = -1
    for d, n in enumerate(kernel.generics[0].dims):
        if n == 1 and d != axis:
            continue
        joins = bool(groups) and before not in alone and d not in alone
        if joins and all(f[before] == f[d] * n for f in forms):
            groups[-1].append(d)
        elif d != axis:
            groups.append([d])
        before = d
    return groups
