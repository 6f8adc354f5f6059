"""A contract Kernel as sizes and strides: what is multiplied, summed, and done afterwards.

Takes: a Kernel whose first Generic sums products, the rest pointwise on its result.
Gives: Contraction: the dims in four groups with one stride per access, unit dims dropped, dims that
lie densely behind each other merged. Must not know: targets, tiles, loops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..graph import Builder, Graph, Value, topological
from ..kernel import PARALLEL, REDUCTION, Generic, Kernel, Read
from ..mlir.ir import AffineMap, Dense
from ..types import DType, Shape, element
from .contract_lanes import Dim, Groups, choose


@dataclass(frozen=True)
class Access:
    """A buffer read or written at `offset + Σ stride · index`, in elements of its flat form."""

    source: int  # number of the kernel's value
    dtype: DType
    offset: int
    result: int = -1  # which result of the kernel is written, -1 for reads


@dataclass(frozen=True)
class Operand:
    """A factor: which access, and the conversion of an element to the type of the sum (or None)."""

    access: int
    prologue: Graph | None


Axis = tuple[tuple[int, int], ...]
"""The first Generic's dims that an axis is made of, each with its step; none for size 1."""


@dataclass(frozen=True)
class Stage:
    """A pointwise Generic after the sum. Reads are ("access", k) or ("value", number)."""

    body: Graph
    reads: tuple[tuple[str, int], ...]
    outs: tuple[int, ...]
    dims: tuple[Axis, ...]  # what each of its own dims is, of the first Generic's


@dataclass(frozen=True)
class Contraction:
    """result[batch, rows, columns] = Σ_depth lhs[batch, rows, depth] · rhs[batch, depth, columns].

    Groups run from outer to inner dims; the last of the columns becomes the lanes of vectors, and
    where `by_lane` lhs is read along them too. Accesses 0 and 1 are lhs and rhs; `stores` pairs a
    value with the access that it is written to.
    """

    accesses: tuple[Access, ...]
    lhs: Operand
    rhs: Operand
    dtype: DType  # of the sum
    init: Dense
    fused: bool  # fma, else multiply and add
    total: int  # number of the value that holds the sum
    batch: tuple[Dim, ...]
    rows: tuple[Dim, ...]
    columns: tuple[Dim, ...]
    depth: tuple[Dim, ...]
    by_lane: bool
    stages: tuple[Stage, ...]
    stores: tuple[tuple[int, int], ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return any(d.size == 0 for d in (*self.batch, *self.rows, *self.columns))


def row_major(shape: Shape) -> tuple[int, ...]:
    """Strides in elements of a dense array."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def _flatten(map: AffineMap, shape: Shape) -> tuple[tuple[int, ...], int]:
    """The strides along the map's dims, and the offset, of the flat index."""
    steps = row_major(shape)
    strides = tuple(
        sum(row[d] * s for (row, _), s in zip(map.rows, steps)) for d in range(map.dims)
    )
    return strides, sum(k * s for (_, k), s in zip(map.rows, steps))


# -- the product -----------------------------------------------------------------------------------
_ADDS, _MULTIPLIES = ("arith.addf", "arith.addi"), ("arith.mulf", "arith.muli")


def _factors(g: Generic) -> tuple[Value, Value, bool]:
    """The two factors of the body, and whether it fuses multiply and add."""
    if len(g.outs) != 1 or len(g.body.results) != 1:
        raise ValueError("a contraction has one result")
    so_far, result = g.body.params[-1], g.body.results[0]
    if result.op == "math.fma" and result.node.inputs[2] == so_far:
        return (*result.node.inputs[:2], True)  # type: ignore[return-value]
    if result.op in _ADDS and so_far in result.node.inputs:
        term = next((v for v in result.node.inputs if v != so_far), None)
        if term is not None and term.op in _MULTIPLIES:
            return (*term.node.inputs, False)  # type: ignore[return-value]
    raise ValueError("a contraction's body adds a product to the sum so far")


def _operand(g: Generic, factor: Value) -> tuple[Read, Graph | None]:
    """The read behind a factor, and what is done to it first."""
    params = [v for v in g.body.params if v.node in set(topological([factor]))]
    if len(params) != 1 or params[0] not in g.body.params[: len(g.reads)]:
        raise ValueError("each factor of a contraction depends on exactly one read")
    read = g.reads[g.body.params.index(params[0])]
    if read.map is None:
        raise ValueError("a contraction reads its factors by index maps")
    if factor == params[0]:
        return read, None
    builder = Builder(name="prologue")
    mapping = {params[0]: builder.param(params[0].type)}
    return read, builder.graph(builder.inline([factor], mapping))


# -- the stages ------------------------------------------------------------------------------------
def _plain(map: AffineMap, shape: Shape, dims: Shape) -> tuple[Axis, ...]:
    """The dims that each axis is: one, or several of which the inner ones fill the outer's step."""
    found: list[Axis] = []
    for (row, constant), n in zip(map.rows, shape):
        if n == 1:
            found.append(())
            continue
        used = [(d, c) for d, c in enumerate(row) if c and dims[d] != 1]
        used.sort(key=lambda term: -term[1])
        spans = [math.prod(dims[d] for d, _ in used[k:]) for k in range(len(used) + 1)]
        if constant or spans[0] != n or any(c != s for (_, c), s in zip(used, spans[1:])):
            raise ValueError("a contraction's result is read and written at the identical point")
        found.append(tuple(used))
    return tuple(found)


def _stage_dims(
    g: Generic, values: dict[int, tuple[Axis, ...]], shapes: dict[int, Shape]
) -> tuple[Axis, ...]:
    """What each dim of `g` is, of the first Generic's dims."""
    if not any(read.source in values for read in g.reads):
        for number, shape in shapes.items():
            if shape == g.dims:
                return values[number]  # it makes nothing of the product, as x to the power 0
    dims: list[Axis] = [()] * len(g.dims)
    for read in g.reads:
        if read.source not in values:
            continue
        if read.map is None:
            raise ValueError("a contraction's result is read by an index map")
        plain = _plain(read.map, shapes[read.source], g.dims)
        for own, axis in zip(plain, values[read.source]):
            if not own or not axis:
                continue
            ((e, _),) = own
            if dims[e] not in ((), axis):
                raise ValueError("a contraction's result is read at the identical point")
            dims[e] = axis
    if any(not d and n != 1 for d, n in zip(dims, g.dims)) or any(
        kind != PARALLEL for kind in g.kinds
    ):
        raise ValueError("what follows a contraction runs over its result's points")
    return tuple(dims)


class _Reader:
    """Collects accesses with their strides along the first Generic's dims."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.rank = len(kernel.generics[0].dims)
        self.accesses: list[Access] = []
        self.strides: list[tuple[int, ...]] = []

    def append(self, source: int, map: AffineMap) -> None:
        """A factor: `map` reads from the first Generic's own dims."""
        type = self.kernel.value_types[source]
        strides, offset = _flatten(map, type.shape)
        self.accesses.append(Access(source, type.dtype, offset))
        self.strides.append(strides)

    def reverse(self) -> None:
        """The factors in the other order."""
        self.accesses[:2] = self.accesses[1::-1]

    def add(self, source: int, map: AffineMap, dims: Sequence[Axis], result: int = -1) -> int:
        """`map` reads from dims that are `dims` of the first Generic."""
        type = self.kernel.value_types[source]
        along, offset = _flatten(map, type.shape)
        strides = [0] * self.rank
        for stride, axis in zip(along, dims):
            for d, step in axis:
                strides[d] += stride * step
        access = Access(source, type.dtype, offset, result)
        for k, known in enumerate(self.accesses):
            if k > 1 and known == access and self.strides[k] == tuple(strides):
                return k
        self.accesses.append(access)
        self.strides.append(tuple(strides))
        return len(self.accesses) - 1


def analyse(kernel: Kernel, vector_bytes: int) -> Contraction:
    """The kernel in terms of sizes and strides; ValueError where it is no contraction."""
    g = kernel.generics[0]
    left, right, fused = _factors(g)
    operands = [_operand(g, left), _operand(g, right)]
    out = g.outs[0]
    if out.init is None or out.map is None:
        raise ValueError("a contraction's result starts from a number and has an index map")
    reader = _Reader(kernel)
    for read, _ in operands:
        assert read.map is not None
        reader.append(read.source, read.map)
    total = len(kernel.params)
    values = {total: _plain(out.map, out.type.shape, g.dims)}
    own: Sequence[Axis] = [((d, 1),) for d in range(len(g.dims))]
    maps = {total: (out.map, own)}
    stages = _stages(kernel, reader, values, maps)
    stores = tuple((v, reader.add(v, *maps[v], result=k)) for k, v in enumerate(kernel.results))
    dtype = element(out.type)
    groups = choose(
        _grouped(g, reader.strides, stores[0][1], merged=not _indexed(stages)),
        max(1, vector_bytes // dtype.itemsize),
    )
    if groups.reversed:
        operands.reverse()
        reader.reverse()
    depth = sorted(groups.depth, key=lambda d: (-d.strides[0], -d.strides[1]))
    return Contraction(
        tuple(reader.accesses), Operand(0, operands[0][1]), Operand(1, operands[1][1]),
        dtype, out.init, fused, total, groups.batch, groups.rows, groups.columns,
        tuple(_merged(depth)), groups.by_lane, stages, stores,
    )  # fmt: skip


def _indexed(stages: Sequence[Stage]) -> bool:
    """Whether a stage asks for the point itself."""
    return any(n.op == "linalg.index" for s in stages for n in s.body.nodes)


def _stages(
    kernel: Kernel,
    reader: _Reader,
    values: dict[int, tuple[Axis, ...]],
    maps: dict[int, tuple[AffineMap, Sequence[Axis]]],
) -> tuple[Stage, ...]:
    number = len(kernel.params) + 1
    stages = []
    for g in kernel.generics[1:]:
        shapes = {v: kernel.value_types[v].shape for v in values}
        dims = _stage_dims(g, values, shapes)
        reads: list[tuple[str, int]] = []
        for read in g.reads:
            if read.source in values:
                reads.append(("value", read.source))
            elif read.map is None:
                raise ValueError("what follows a contraction reads by index maps")
            else:
                reads.append(("access", reader.add(read.source, read.map, dims)))
        outs = []
        for out in g.outs:
            if out.map is None:
                raise ValueError("what follows a contraction writes by index maps")
            plain = _plain(out.map, out.type.shape, g.dims)
            values[number] = tuple(dims[e[0][0]] if e else () for e in plain)
            maps[number] = (out.map, dims)
            outs.append(number)
            number += 1
        stages.append(Stage(g.body, tuple(reads), tuple(outs), dims))
    return tuple(stages)


# -- groups ----------------------------------------------------------------------------------------
def _grouped(g: Generic, strides: Sequence[tuple[int, ...]], order: int, merged: bool) -> Groups:
    """Dims of size 1 dropped, the others by what has them, sorted by the strides of `order`."""
    groups: dict[str, list[Dim]] = {"batch": [], "rows": [], "columns": [], "depth": []}
    for d, (size, kind) in enumerate(zip(g.dims, g.kinds)):
        if size == 1:
            continue
        dim = Dim(size, tuple(s[d] for s in strides), d)
        groups[_group(dim, kind)].append(dim)
    for dims in groups.values():
        dims.sort(key=lambda d: -d.strides[order])
    batch, rows, columns = (
        tuple(_merged(groups[name]) if merged else groups[name])
        for name in ("batch", "rows", "columns")
    )
    return Groups(batch, rows, columns, tuple(groups["depth"]))


def _group(dim: Dim, kind: str) -> str:
    if kind == REDUCTION:
        return "depth"
    left, right = dim.strides[0] != 0, dim.strides[1] != 0
    return "rows" if left and not right else "columns" if right and not left else "batch"


def _merged(dims: list[Dim]) -> list[Dim]:
    """Dims of which the outer steps over the whole inner one, in every access, are one dim."""
    out: list[Dim] = []
    for inner in dims:
        outer = out[-1] if out else None
        if outer and all(s == inner.size * t for s, t in zip(outer.strides, inner.strides)):
            out[-1] = Dim(outer.size * inner.size, inner.strides, -1)
        else:
            out.append(inner)
    return out
