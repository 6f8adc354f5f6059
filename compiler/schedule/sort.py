"""Sort kernels: each line along the axis by a merge sort, lines in parallel.

Takes: a Kernel of kind sort. Gives: its loop nest. Runs of eight elements are sorted by counting,
for each, how many go before it; then runs are merged by twos, from both ends at once, without a
branch on the data. Must not know: what the keys mean (the kernel's body compares them).

Merging from both ends: I. van den Hoven's quadsort ("parity merge", 2020). Of two runs of equal
length neither end can run out before its half of the result is written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..kernel import SORTED, Kernel
from ..mlir.ir import Module, Value
from ..target import Target
from ..types import MemRefType
from .axes import parallel_loops
from .nest import Nest, body_work, strides
from .scheduled import Scheduled

RUN = 8
"""Elements of the runs that are sorted by counting."""
STACK_BYTES = 64 * 1024
"""Lines whose spare copies are no larger are merged on the stack, others in the workspace."""


def schedule_sort(kernel: Kernel, target: Target, module: Module, name: str) -> Scheduled:
    """The loop nest of a sort."""
    nest = Nest(kernel, target, module, name)
    workspace = 0
    if all(kernel.generics[0].dims):
        workspace = SortLoops(nest).write()
    nest.finish()
    module.ops.append(nest.function)
    return Scheduled(nest.function, workspace)


@dataclass(frozen=True)
class Line:
    """Where the elements of a line are: one buffer for each operand, all walked alike."""

    buffers: tuple[Value, ...]
    start: Value
    stride: int


class SortLoops:
    """Sorts every line: from the operands, by way of spare lines, into the results."""

    def __init__(self, nest: Nest) -> None:
        self.nest = nest
        self.b = nest.b
        kernel = nest.kernel
        (self.generic,) = kernel.generics
        self.dims = self.generic.dims
        self.axis = self.generic.kinds.index(SORTED)
        self.size = self.dims[self.axis]
        self.stride = strides(self.dims)[self.axis]
        self.types = kernel.params
        self.keys = len(self.generic.body.params) // 2
        self.merges = max(0, math.ceil(self.size / RUN) - 1).bit_length()
        self.outer = [n for d, n in enumerate(self.dims) if d != self.axis]
        # a strided result is slow to walk: what is merged several times has two spare lines
        self.spares = min(self.merges, 1 if self.stride == 1 else 2)
        self.spare_buffers: list[tuple[Value, ...]] = []
        self.own_lines = False

    def write(self) -> int:
        """The nest; returns the workspace bytes."""
        nbytes = self._workspace()
        steps = self.merges + RUN // 2
        work = steps * (4.0 * len(self.types) + body_work(self.generic)) * self.size
        parallel_loops(self.nest, self.outer, work, self._line, setup=self._stack_lines)
        return nbytes

    # -- spare lines ------------------------------------------------------------------------
    def _line_bytes(self) -> int:
        return sum(-(-self.size * t.dtype.itemsize // 64) * 64 for t in self.types)

    def _stack_lines(self) -> None:
        """Spare lines of a chunk, where they are small enough for the stack."""
        if self.own_lines:
            return
        self.spare_buffers = [
            tuple(self.b.alloca(MemRefType((self.size,), t.dtype)) for t in self.types)
            for _ in range(self.spares)
        ]

    def _workspace(self) -> int:
        """A spare line for every line of the operands, where they are large."""
        if not self.spares or self.spares * self._line_bytes() <= STACK_BYTES:
            return 0
        self.own_lines = True
        count = math.prod(self.dims)
        sizes = [-(-count * t.dtype.itemsize // 64) * 64 for t in self.types]
        total = self.spares * sum(sizes)
        space, offset = self.nest.add_workspace(total), 0
        for _ in range(self.spares):
            views = []
            for type, nbytes in zip(self.types, sizes):
                view = MemRefType((count,), type.dtype)
                views.append(self.b.op("memref.view", [space, self.b.index(offset)], view))
                offset += nbytes
            self.spare_buffers.append(tuple(views))
        return total

    def _spare(self, number: int, coords: Sequence[Value]) -> Line:
        b = self.b
        start = b.index(0)
        if self.own_lines:
            for value, extent in zip(coords, self.outer):
                start = b.add(b.mul(start, extent), value)
            start = b.mul(start, self.size)
        return Line(self.spare_buffers[number], start, 1)

    # -- one line ---------------------------------------------------------------------------
    def _line(self, coords: Sequence[Value]) -> None:
        nest, count = self.nest, len(self.types)
        whole = list(coords)
        whole.insert(self.axis, self.b.index(0))
        start = nest.address((strides(self.dims), 0), whole)
        source, result = (
            Line(tuple(nest.flat(nest.buffers[k]) for k in numbers), start, self.stride)
            for numbers in (range(count), range(count, 2 * count))
        )
        places = self._places(result, coords)
        self._runs(source, places[0])
        width = RUN
        for before, after in pairwise(places):
            self._merge_all(before, after, width)
            width *= 2

    def _places(self, result: Line, coords: Sequence[Value]) -> list[Line]:
        """Where the runs are after each step; the last step writes the result."""
        others = [self._spare(k, coords) for k in range(self.spares)]
        others = others if self.stride != 1 else [*others, result]
        backwards = [result]
        for k in range(self.merges):
            backwards.append(others[k % len(others)])
        return backwards[::-1]

    def _at(self, line: Line, place: Value) -> Value:
        return self.b.add(line.start, self.b.mul(place, line.stride))

    def _load(self, line: Line, place: Value) -> list[Value]:
        """The elements of all operands at a place."""
        at = self._at(line, place)
        return [self.b.load(buffer, [at]) for buffer in line.buffers]

    def _store(self, values: Sequence[Value], line: Line, place: Value) -> None:
        at = self._at(line, place)
        for value, buffer in zip(values, line.buffers):
            self.b.store(value, buffer, [at])

    def _before(self, first: Sequence[Value], second: Sequence[Value]) -> Value:
        """Whether the one goes before the other, by their keys."""
        keys = [*first[: self.keys], *second[: self.keys]]
        return self.nest.bodies.emit(self.generic.body, keys)[0]

    # -- runs -------------------------------------------------------------------------------
    def _runs(self, source: Line, result: Line) -> None:
        """Runs of eight, and what is left."""
        b = self.b
        whole = self.size // RUN * RUN
        if whole:
            with b.loop(b.index(0), b.index(whole), b.index(RUN)) as base:
                self._run(source, result, base, RUN)
        if self.size > whole:
            self._run(source, result, b.index(whole), self.size - whole)

    def _run(self, source: Line, result: Line, base: Value, count: int) -> None:
        """Each element goes behind those that go before it, and behind equals that came first."""
        b = self.b
        elements = [self._load(source, b.add(base, k)) for k in range(count)]
        places = [base] * count
        for j in range(count):
            for i in range(j):
                one, other = self._one_of(self._before(elements[j], elements[i]))
                places[i] = b.op("arith.addi", [places[i], one])
                places[j] = b.op("arith.addi", [places[j], other])
        for values, place in zip(elements, places):
            self._store(values, result, place)

    def _one_of(self, flag: Value) -> tuple[Value, Value]:
        """1 and 0, or without the flag 0 and 1."""
        one, zero = self.b.index(1), self.b.index(0)
        taken = self.b.op("arith.select", [flag, one, zero], one.type)
        return taken, self.b.op("arith.subi", [one, taken])

    # -- merging ----------------------------------------------------------------------------
    def _merge_all(self, source: Line, result: Line, width: int) -> None:
        """Neighbouring runs of `width` merged; the last ones may be shorter, or alone."""
        b = self.b
        whole = self.size // (2 * width) * (2 * width)
        left = self.size - whole
        if whole:
            with b.loop(b.index(0), b.index(whole), b.index(2 * width)) as base:
                self._merge_equal(source, result, base, width)
        if left > width:
            self._merge(source, result, b.index(whole), width, left)
        elif left:
            with b.loop(b.index(whole), b.index(self.size), b.index(1)) as i:
                self._store(self._load(source, i), result, i)

    def _merge_equal(self, source: Line, result: Line, base: Value, width: int) -> None:
        """Two runs of one length: the smaller half from the front, the larger from the back."""
        b = self.b
        one, zero = b.index(1), b.index(0)
        middle = b.add(base, width)
        end = b.add(base, 2 * width - 1)

        def step(k: Value, heads: list[Value]) -> list[Value]:
            left, right, low, high = heads
            a, c = self._load(source, left), self._load(source, right)
            ahead = self._before(c, a)
            self._store(self._either(ahead, c, a), result, b.add(base, k))
            from_right, from_left = self._one_of(ahead)
            right = b.op("arith.addi", [right, from_right])
            left = b.op("arith.addi", [left, from_left])
            a, c = self._load(source, low), self._load(source, high)
            ahead = self._before(c, a)  # then the larger is in the first run
            place = b.op("arith.subi", [end, k])
            self._store(self._either(ahead, a, c), result, place)
            from_low, from_high = self._one_of(ahead)
            low = b.op("arith.subi", [low, from_low])
            high = b.op("arith.subi", [high, from_high])
            return [left, right, low, high]

        last = b.op("arith.subi", [middle, one])
        b.loop_carry(zero, b.index(width), one, [base, middle, last, end], step)

    def _merge(self, source: Line, result: Line, base: Value, width: int, count: int) -> None:
        """A run of `width` and a shorter one, `count` elements together."""
        b = self.b
        one, zero = b.index(1), b.index(0)
        middle = b.add(base, width)
        left_end, right_end = b.add(base, width - 1), b.add(base, count - 1)

        def step(k: Value, heads: list[Value]) -> list[Value]:
            left, right = heads
            a = self._load(source, b.op("arith.minsi", [left, left_end]))
            c = self._load(source, b.op("arith.minsi", [right, right_end]))
            left_done = b.compare("sgt", left, left_end)
            right_open = b.compare("sle", right, right_end)
            ahead = b.op("arith.ori", [left_done, self._before(c, a)])
            ahead = b.op("arith.andi", [right_open, ahead])
            self._store(self._either(ahead, c, a), result, b.add(base, k))
            from_right, from_left = self._one_of(ahead)
            return [
                b.op("arith.addi", [left, from_left]), b.op("arith.addi", [right, from_right]),
            ]  # fmt: skip

        b.loop_carry(zero, b.index(count), one, [base, middle], step)

    def _either(
        self, condition: Value, first: Sequence[Value], second: Sequence[Value]
    ) -> list[Value]:
        return [self.b.op("arith.select", [condition, x, y], x.type) for x, y in zip(first, second)]
