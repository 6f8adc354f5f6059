"""What all loop nests share: a kernel's function, its buffers, addresses, loads and stores.

Takes: a Kernel, a Target. Gives: `Nest`, with which the schedules write their loops.
Must not know: which loops a schedule makes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..graph import Node
from ..kernel import Generic, Kernel, Output, Read
from ..mlir.builder import Builder
from ..mlir.ir import AffineMap, Block, Module, Value, function
from ..target import Target
from ..types import DType, FunctionType, MemRefType, Type, VectorType, element, i1, i8, index
from .body import BodyEmitter, buffer_type, flatten, gather
from .shuffles import pick, weave
from .slopes import counts_up

MAX_STRIDE = 8
"""The widest stride that is read by loading all that lies between."""
LINE_BYTES = 64
"""A line of the caches, which no aligned vector store crosses."""


@dataclass(frozen=True)
class Lanes:
    """Which dim runs along a vector, how wide, and which lanes are real (None: all)."""

    dim: int
    count: int
    mask: Value | None = None


@dataclass(frozen=True)
class At:
    """A point of a Generic's space: the index of every dim; along `lanes.dim`, of lane 0."""

    coords: tuple[Value, ...]
    lanes: Lanes | None = None

    def scalar(self) -> At:
        """The same point without lanes."""
        return replace(self, lanes=None)


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Row-major strides in elements."""
    result, step = [], 1
    for n in reversed(shape):
        result.append(step)
        step *= n
    return tuple(reversed(result))


def address_form(map: AffineMap, shape: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """The row-major address that an index map reads: (coefficient of every dim, constant)."""
    coefficients, constant = [0] * map.dims, 0
    for (row, offset), step in zip(map.rows, strides(shape)):
        constant += offset * step
        coefficients = [c + r * step for c, r in zip(coefficients, row)]
    return tuple(coefficients), constant


class Nest:
    """One kernel's function under construction.

    `held` maps numbered values (as in Read.source) that are in registers at the point in hand to a
    scalar or vector; all others are read from `buffers`.
    """

    def __init__(self, kernel: Kernel, target: Target, module: Module, name: str) -> None:
        self.kernel = kernel
        self.target = target
        params = [buffer_type(t) for t in kernel.params]
        outs = [buffer_type(t) for t in kernel.result_types]
        self.function = function(name, params + outs, [], private=True)
        self.b = Builder(self.function)
        self.bodies = BodyEmitter(module, self.b)
        args = self.function.regions[0].args
        self.buffers: dict[int, Value] = dict(enumerate(args[: len(params)]))
        for number, arg in zip(kernel.results, args[len(params) :]):
            self.buffers.setdefault(number, arg)
        self.held: dict[int, Value] = {}
        self.rows: dict[int, Value] = {}  # row-major buffers of values over the row alone
        self.staged: dict[Read, Callable[[At], Value]] = {}  # reads that stand somewhere else
        self.row_outer = 0
        self.bypass = False  # whole vectors are aligned, and stored past the caches
        self._flat: dict[Value, Value] = {}
        self._parts: dict[
            object, Sequence[Value]
        ] = {}  # loaded in one block, before its next store
        self._parts_of: Block | None = None

    # -- addresses --------------------------------------------------------------------------
    def flat(self, buffer: Value) -> Value:
        """The buffer with one axis, made once at the head of the function."""
        if buffer not in self._flat:
            type = buffer.type
            assert isinstance(type, MemRefType)
            if type.rank < 2:
                self._flat[buffer] = buffer
            else:
                with self.b.inside(self._block_of(buffer)):
                    self._flat[buffer] = flatten(self.b, buffer)
        return self._flat[buffer]

    def _block_of(self, buffer: Value):  # type: ignore[no-untyped-def]
        return self.b.entry if buffer in self.b.entry.args else self.b.block

    def address(self, form: tuple[Sequence[int], int], coords: Sequence[Value]) -> Value:
        """Σ coefficient · coordinate + constant, as an index."""
        coefficients, constant = form
        total = self.b.index(constant)
        for c, coord in zip(coefficients, coords):
            if c:
                total = self.b.add(total, self.b.mul(coord, c))
        return total

    # -- reading ----------------------------------------------------------------------------
    def read(self, read: Read, at: At) -> Value:
        """What a body's parameter is at a point: a scalar, a vector, or the buffer itself."""
        if read in self.staged:
            return self.staged[read](at)
        if read.source in self.held:
            return self.held[read.source]
        if read.source in self.rows:
            return self._load_row(read.source, at)
        buffer = self.buffers[read.source]
        if read.map is None:
            return buffer
        return self.load(buffer, read.map, at)

    def load(self, buffer: Value, map: AffineMap, at: At) -> Value:
        """The element, or along the lanes the elements, that `map` reads."""
        type = buffer.type
        assert isinstance(type, MemRefType)
        if type.rank == 0:
            return self.b.load(buffer, [])
        form = address_form(map, type.shape)
        flat = self.flat(buffer)
        stride = form[0][at.lanes.dim] if at.lanes is not None else 0
        place = self.address(form, at.coords)
        if at.lanes is None or stride == 0:
            return self.b.load(flat, [place])
        if stride == 1:
            return self.get(flat, place, at.lanes)
        if stride == -1:
            return self._backwards(flat, place, at.lanes)
        near = min(MAX_STRIDE, max(2, at.lanes.count // 2))
        if at.lanes.mask is None and 2 <= abs(stride) <= near:
            return self._strided(flat, form, stride, at)
        steps = np.arange(at.lanes.count) * stride
        offsets = self.b.const(steps, VectorType((at.lanes.count,), index))
        where = self.b.op("arith.addi", [self.b.splat(place, at.lanes.count), offsets])
        return gather(self.b, flat, [where], at.lanes.count, at.lanes.mask)

    # -- strides ----------------------------------------------------------------------------
    def _backwards(self, flat: Value, place: Value, lanes: Lanes) -> Value:
        """The element at a place and those before it, along the lanes."""
        count, mask = lanes.count, lanes.mask
        if mask is not None:
            mask = self.b.op("vector.shuffle", [mask, mask], mask=list(range(count))[::-1])
        first = self.b.add(place, 1 - count)
        value = self.get(flat, first, Lanes(lanes.dim, count, mask))
        return self.b.op("vector.shuffle", [value, value], mask=list(range(count))[::-1])

    def _strided(self, flat: Value, form: tuple[Sequence[int], int], stride: int, at: At) -> Value:
        """Elements a few places apart: neighbours are loaded, and picked out by shuffles.

        Where memory falls into whole groups of `stride`, as pixels of three colours do, all reads
        at one point share the loads. Elsewhere nothing behind the last element is touched.
        """
        assert at.lanes is not None and isinstance(flat.type, MemRefType)
        count, apart = at.lanes.count, abs(stride)
        coefficients, constant = self._settled(form, at.coords)
        if stride < 0:
            constant += (count - 1) * stride
        phase = constant % apart
        grouped = not any(c % apart for c in coefficients) and flat.type.size % apart == 0
        first = phase if grouped else 0
        form = (coefficients, constant - first)
        starts = [k * count for k in range(apart)]
        if not grouped:
            starts[-1] -= apart - 1
        parts = self._neighbours(flat, form, starts, at)
        wanted = [first + k * apart for k in range(count)]
        return pick(self.b, parts, starts, wanted[::-1] if stride < 0 else wanted)

    def _neighbours(
        self, flat: Value, form: tuple[Sequence[int], int], starts: Sequence[int], at: At
    ) -> Sequence[Value]:
        """Vectors that begin `starts` behind the place of a form, loaded once in a block."""
        assert at.lanes is not None
        if self._parts_of is not self.b.block:
            self._parts, self._parts_of = {}, self.b.block
        moving = [(c, at.coords[d]) for d, c in enumerate(form[0]) if c]
        key = (flat, form[1], *moving, *starts)
        if key not in self._parts:
            place, count = self.address(form, at.coords), at.lanes.count
            self._parts[key] = [self.b.vload(flat, [self.b.add(place, k)], count) for k in starts]
        return self._parts[key]

    def _settled(
        self, form: tuple[Sequence[int], int], coords: Sequence[Value]
    ) -> tuple[tuple[int, ...], int]:
        """The form with coordinates that are known numbers in its constant."""
        steps, constant = list(form[0]), form[1]
        for d, c in enumerate(steps):
            known = self.b.known(coords[d]) if c else None
            if known is not None:
                steps[d], constant = 0, constant + c * known
        return tuple(steps), constant

    def get(self, flat: Value, place: Value, lanes: Lanes | None) -> Value:
        """The element at a place of a buffer of rank 1, or along the lanes its neighbours too."""
        if lanes is None:
            return self.b.load(flat, [place])
        if lanes.mask is None:
            return self.b.vload(flat, [place], lanes.count)
        type = VectorType((lanes.count,), element(flat.type))
        nothing = self.b.const(0, type)
        return self.b.op("vector.maskedload", [flat, place, lanes.mask, nothing], type)

    def _row_place(self, number: int, outer: int, at: At) -> Value:
        shape = self.kernel.value_types[number].shape
        steps = (0,) * outer + strides(shape[outer:])
        return self.address((steps, 0), at.coords)

    def _load_row(self, number: int, at: At) -> Value:
        """The row buffer's element, or along the lanes its elements."""
        place = self._row_place(number, self.row_outer, at)
        return self.get(self.rows[number], place, at.lanes)

    # -- writing ----------------------------------------------------------------------------
    def store(self, value: Value, buffer: Value, map: AffineMap | None, at: At) -> None:
        """Write an element, or along the lanes the elements, where `map` says."""
        type = buffer.type
        assert isinstance(type, MemRefType) and map is not None
        self._parts_of = None  # what was loaded may not be there any more
        if type.rank == 0:
            self.b.store(value, buffer, [])
            return
        form = address_form(map, type.shape)
        assert at.lanes is None or form[0][at.lanes.dim] == 1, (
            "vectors go along the contiguous axis"
        )
        self.put(value, self.flat(buffer), self.address(form, at.coords), at.lanes)

    def store_woven(
        self, values: Sequence[Value], buffer: Value, map: AffineMap | None, at: At
    ) -> None:
        """Write elements beside each other, the first where `map` says, or along the lanes vectors
        whose lanes take turns.
        """
        type, flat, count = buffer.type, self.flat(buffer), len(values)
        assert isinstance(type, MemRefType) and map is not None
        self._parts_of = None
        place = self.address(address_form(map, type.shape), at.coords)
        if at.lanes is None:
            for k, value in enumerate(values):
                self.b.store(value, flat, [self.b.add(place, k)])
            return
        lanes, mask = at.lanes.count, at.lanes.mask
        wide = [self.bodies.spread(v, lanes) for v in values]
        if mask is None:
            for k, value in enumerate(weave(self.b, wide, lanes)):
                self.b.vstore(value, flat, [self.b.add(place, k * lanes)], self._past(value))
            return
        for k, value in enumerate(wide):
            steps = self.b.const(count * np.arange(lanes), VectorType((lanes,), index))
            self.b.emit("vector.scatter", [flat, self.b.add(place, k), steps, mask, value])

    def put(self, value: Value, flat: Value, place: Value, lanes: Lanes | None) -> None:
        """Write an element, or along the lanes several, into a buffer of rank 1."""
        self._parts_of = None
        if lanes is None:
            self.b.store(value, flat, [place])
            return
        value = self.bodies.spread(value, lanes.count)
        if lanes.mask is None:
            self.b.vstore(value, flat, [place], self._past(value))
        else:
            self.b.emit("vector.maskedstore", [flat, place, lanes.mask, value])

    def _past(self, value: Value) -> int | None:
        """To how many bytes a vector's place is aligned where stores go past the caches."""
        type = value.type
        if not self.bypass or not isinstance(type, VectorType):
            return None
        return min(type.size * type.dtype.itemsize, LINE_BYTES)

    def store_row(self, value: Value, number: int, outer: int, at: At) -> None:
        """Write into a row buffer; `outer` dims come before those of the row."""
        self.row_outer = outer
        self.put(value, self.rows[number], self._row_place(number, outer, at), at.lanes)

    def add_workspace(self, nbytes: int) -> Value:
        """A last argument of that many bytes of scratch memory."""
        type = MemRefType((nbytes,), i8)
        arg = Value(type, "workspace")
        self.b.entry.args.append(arg)
        kind: FunctionType = self.function.attrs["function_type"]
        self.function.attrs["function_type"] = FunctionType((*kind.inputs, type), ())
        return arg

    # -- bodies -----------------------------------------------------------------------------
    def run(self, generic: Generic, at: At, held: Sequence[Value] = ()) -> list[Value]:
        """The body's results at a point; `held` are the accumulators so far, for reductions."""
        params: list[Value] = [self.read(r, at) for r in generic.reads]
        used = set(v for n in generic.body.nodes for v in n.inputs) | set(generic.body.results)
        outs = generic.body.params[len(generic.reads) :]
        for k, param in enumerate(outs):
            if k < len(held):
                params.append(held[k])
            else:
                assert param not in used, "an output parameter is read, but nothing is held"
                params.append(self.b.index(0))  # never read
        lanes = at.lanes

        def point(dim: int) -> Value:
            if lanes is None or dim != lanes.dim:
                return at.coords[dim]
            steps = self.b.const(np.arange(lanes.count), VectorType((lanes.count,), index))
            return self.b.op("arith.addi", [self.b.splat(at.coords[dim], lanes.count), steps])

        def extract(node: Node, operands: Sequence[Value]) -> Value:
            buffer, *where = operands
            if lanes is None or not any(isinstance(i.type, VectorType) for i in where):
                return self.b.load(buffer, where)
            if counts_up(generic, list(node.inputs[1:]), lanes.dim):
                type = buffer.type
                assert isinstance(type, MemRefType)
                form = (strides(type.shape), 0)
                place = self.address(form, [self.first_lane(i) for i in where])
                return self.get(self.flat(buffer), place, lanes)
            return gather(self.b, buffer, where, lanes.count, lanes.mask)

        return self.bodies.emit(
            generic.body, params, lanes.count if lanes else None, point, extract
        )

    def first_lane(self, value: Value) -> Value:
        """Lane 0 of a vector; a scalar is itself."""
        if not isinstance(value.type, VectorType):
            return value
        return self.b.op("vector.extract", [value], value.type.dtype, static_position=(0,))

    def first_mask(self, count: int, lanes: int) -> Value:
        """A constant mask of the first `count` lanes."""
        return self.b.const(np.arange(lanes) < count, VectorType((lanes,), i1))

    def finish(self) -> None:
        self.b.emit("func.return")

    def number_of(self, generic: Generic, out: int) -> int:
        """The number of an output among the kernel's values."""
        number = len(self.kernel.params)
        for g in self.kernel.generics:
            if g is generic:
                return number + out
            number += len(g.outs)
        raise ValueError("the generic is not of this kernel")

    def unit(self, out: Output, lanes: int | None) -> Value:
        """The value from which a reduction starts, in every lane."""
        assert out.init is not None
        type: Type = out.type.dtype if lanes is None else VectorType((lanes,), out.type.dtype)
        return self.b.const(out.init.data.item(), type)


def vector_lanes(target: Target, dtypes: Sequence[DType], extent: int) -> int:
    """Lanes for a loop over `extent` elements: as many as the widest common type fills a register
    with, and no more than the extent's next power of two."""
    widest = max((d.bits for d in dtypes if d is not index), default=32)
    lanes = max(1, target.vector_bits // max(widest, 8))
    while lanes > 1 and lanes // 2 >= extent:
        lanes //= 2
    return lanes


def body_dtypes(kernel: Kernel) -> list[DType]:
    """Element types that a kernel's vectors hold: of buffers and inside bodies, without i1. Single
    numbers that it takes stay scalars."""
    count = len(kernel.params)
    found = {t.dtype for k, t in enumerate(kernel.value_types) if t.rank or k >= count}
    for g in kernel.generics:
        for node in g.body.nodes:
            if node.op not in ("linalg.index", "arith.constant", "arith.index_cast"):
                found.update(t.dtype for t in node.types if t.dtype not in (i1, index))
    return sorted(found, key=lambda d: d.name)


MAX_CHUNKS = 64
"""The most chunks that one kernel is cut into; a chunk's bounds depend on shapes alone."""


def chunks(target: Target, items: int, work_per_item: float) -> int:
    """Into how many chunks `items` equal pieces of work are cut."""
    wanted = int(items * work_per_item / target.parallel_work)
    return max(1, min(wanted, MAX_CHUNKS, items))


def body_work(generic: Generic) -> float:
    """Machine operations of one point, roughly."""
    heavy = sum(20.0 for n in generic.body.nodes if n.op.startswith("math.") and n.op != "math.fma")
    return 1.0 + len(generic.reads) + len(generic.body.nodes) + heavy
