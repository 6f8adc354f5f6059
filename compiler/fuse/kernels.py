"""Writes the clusters as Kernels: a Graph of ops becomes a Graph of kernels.

Takes: a decomposed Graph. Gives: a Graph of the kernel level, whose nodes are `kernel` (attr:
Kernel), `alias` (the same buffer in another shape), `constant` (an array), `while`, `cond`,
`update`, `scatter`. All types are storage types. Must not know: schedules, buffers, targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Builder, Graph, Node, Value
from ..kernel import (
    BACKWARD,
    FORWARD,
    PARALLEL,
    REDUCTION,
    Generic,
    Kernel,
    Output,
    Read,
    alias,
    canonical,
)  # fmt: skip
from ..kernel_sort import key_order, sort_kernel
from ..mlir.ir import AffineMap, Dense
from ..opdef import OPS, OpDef
from ..ops.host import has_token
from ..ops.windows import window_unit
from ..ranges import Ranges
from ..scalars import Scalars, storage
from ..types import DType, TensorType, f32, i64
from .body import BodyWriter, from_storage, identity_point, to_storage
from .clusters import OUTER, ROW, Cluster, Partition, member_reads, partition
from .contract import contract_generic
from .expand import expand
from .roots import REDUCTION as REDUCE
from .roots import UPDATES, is_cumulative, kind_of
from .scatter import scatter_kernel
from .spaces import reduction_point


def storage_type(type: TensorType) -> TensorType:
    """The type of the buffer that holds a value."""
    return TensorType(type.shape, storage(type.dtype))


def to_kernels(graph: Graph, ranges: Ranges | None = None) -> Graph:
    """The kernel-level Graph of `graph`; of a body with what is known where it stands."""
    graph = expand(graph)
    parts = partition(graph, ranges.again(graph) if ranges is not None else Ranges(graph))
    builder = Builder(name=graph.name)
    mapping: dict[Value, Value] = {}
    for param, name in zip(graph.params, graph.param_names):
        mapping[param] = builder.param(storage_type(param.type), name)
    for cluster in parts.clusters:
        builder.current = tuple(
            dict.fromkeys(loc for n in cluster.members for loc in graph.locs.get(n, ()))
        )
        _lower_cluster(parts, cluster, builder, mapping)
    return builder.graph([mapping[v] for v in graph.results])


def _lower_cluster(
    parts: Partition, cluster: Cluster, builder: Builder, mapping: dict[Value, Value]
) -> None:
    first = cluster.members[0]
    if first in parts.aliases:
        mapping[first.result] = alias(builder, mapping[first.inputs[0]], first.types[0].shape)
        return
    if cluster.outer is None and first.op not in (*UPDATES, "sort"):
        _lower_opaque(first, builder, mapping, parts.ranges)
        return
    reads: Sequence[Value]
    results: Sequence[Value]
    if first.op in UPDATES:
        kernel, reads = scatter_kernel(first, parts.is_leaf, parts.ranges)
        results = first.results
    elif first.op == "sort":
        reads, results = first.inputs, first.results
        orders = [key_order(v.type.dtype) for v in reads[: first.attrs["num_keys"]]]
        types = [storage_type(v.type) for v in reads]
        kernel = sort_kernel("sort", types, first.attrs["axis"], orders)
    else:
        kernel, reads, results = KernelWriter(parts, cluster).write()
    node = builder.add(
        "kernel",
        tuple(mapping[v] for v in reads),
        {"kernel": kernel},
        kernel.result_types,
        builder.current,
    )
    for k, value in enumerate(results):
        mapping[value] = node.results[k]


def _lower_opaque(
    node: Node, builder: Builder, mapping: dict[Value, Value], ranges: Ranges
) -> None:
    attrs, op = dict(node.attrs), node.op
    if op == "token":
        byte = storage_type(node.types[0])
        op, attrs = "constant", {"value": Dense(byte, np.zeros((), byte.dtype.numpy))}
    elif op == "callback":
        attrs = {"index": attrs["index"], "ordered": has_token(node.types)}
    elif op == "constant":
        dense: Dense = attrs["value"]
        type = storage_type(node.types[0])
        data = np.ascontiguousarray(dense.data).astype(type.dtype.numpy, copy=False)
        if dense.data.dtype.kind == "u" and dense.data.dtype.itemsize == type.dtype.itemsize:
            data = dense.data.view(type.dtype.numpy) if type.dtype.is_integer else dense.data
        attrs["value"] = Dense(type, data)
    for name, value in attrs.items():
        if isinstance(value, Graph):
            attrs[name] = to_kernels(value, ranges.inside(node, name))
        elif isinstance(value, tuple) and value and isinstance(value[0], Graph):
            inside = (ranges.inside(node, name, k) for k in range(len(value)))
            attrs[name] = tuple(map(to_kernels, value, inside))
    made = builder.add(
        op,
        tuple(mapping[v] for v in node.inputs),
        attrs,
        tuple(map(storage_type, node.types)),
        builder.current,
    )
    for k, value in enumerate(node.results):
        mapping[value] = made.results[k]


@dataclass
class _Slot:
    """Where a value stands among the numbered values of the kernel being written."""

    number: int
    type: TensorType


class KernelWriter:
    """Writes one cluster as a Kernel: phases of row passes with outer points between them.

    A member belongs to the phase after the reductions that it reads. In a phase come first the maps
    over the row, then the reductions over it, then the outer values that follow from them.
    """

    def __init__(self, parts: Partition, cluster: Cluster) -> None:
        self.parts = parts
        self.cluster = cluster
        assert cluster.outer is not None
        self.outer = cluster.outer
        self.row = cluster.row
        self.params: list[Value] = []
        self.slots: dict[Value, _Slot] = {}
        self.generics: list[Generic] = []

    def write(self) -> tuple[Kernel, list[Value], list[Value]]:
        """The Kernel, the graph values that it reads in order, and those that it gives."""
        groups = self._groups()
        for value in self._leaf_reads(groups):
            self.slots[value] = _Slot(len(self.params), storage_type(value.type))
            self.params.append(value)
        for level, members in groups:
            if level == "contract":
                self._write_contract(members[0])
            elif level == REDUCE:
                self._write_reduction(members)
            else:
                self._write_map(members, level)
        results = self._results()
        kernel = Kernel(
            name="_".join(
                dict.fromkeys(m.op.removeprefix("reduce_") for m in self.cluster.members)
            )[:48],
            kind=self._kind(),
            params=tuple(storage_type(v.type) for v in self.params),
            generics=tuple(map(canonical, self.generics)),
            results=tuple(self.slots[v].number for v in results),
        )
        return kernel, self.params, results

    def _kind(self) -> str:
        if self.cluster.is_cumulative:
            return "cumulate"
        if self.cluster.contract is not None:
            return "contract"
        if self.cluster.reduces is None:
            return "map"
        rows = ROW in self.cluster.levels.values()
        passes = sum(REDUCTION in g.kinds for g in self.generics)
        return "row" if rows or passes > 1 else "reduce"

    def _results(self) -> list[Value]:
        own = set(self.cluster.members)
        wanted = set(self.parts.graph.results)
        found = []
        for node in self.cluster.members:
            used_outside = self._readers(node) - own
            found += [v for v in node.results if v in wanted or used_outside]
        return found

    def _readers(self, node: Node) -> set[Node]:
        """The members, of any cluster, that read `node`, through what is inlined between."""
        found: set[Node] = set()
        pending = list(self.parts.graph.uses.get(node, ()))
        seen: set[Node] = set()
        while pending:
            user = pending.pop()
            if user in seen:
                continue
            seen.add(user)
            if user in self.parts.roots:
                found.add(user)
            else:
                pending.extend(self.parts.graph.uses[user])
        return found

    # -- order ------------------------------------------------------------------------------
    def _groups(self) -> list[tuple[str, list[Node]]]:
        """Members by (phase, level), in the order in which their Generics are written."""
        phase: dict[Node, int] = {}
        groups: dict[tuple[int, int], list[Node]] = {}
        names = {0: ROW, 1: REDUCE, 2: OUTER, -1: "contract"}
        for node in self._in_order():
            before = [phase[m] + self._step(m, node) for m in self._members_read(node)]
            kind = kind_of(node)
            if node is self.cluster.contract:
                rank = -1
            elif kind == REDUCE:
                rank = 1
            else:
                rank = 0 if self.cluster.levels[node] == ROW else 2
            phase[node] = max(before, default=0)
            groups.setdefault((phase[node], rank), []).append(node)
        return [(names[rank], groups[p, rank]) for p, rank in sorted(groups)]

    def _in_order(self) -> list[Node]:
        return sorted(self.cluster.members, key=self.parts.position.__getitem__)

    def _members_read(self, node: Node) -> set[Node]:
        own = set(self.cluster.members)
        found: set[Node] = set()
        pending = [v.node for v in node.inputs]
        seen: set[Node] = set()
        while pending:
            producer = pending.pop()
            if producer in seen:
                continue
            seen.add(producer)
            if producer in own:
                found.add(producer)
            elif producer not in self.parts.roots:
                pending.extend(v.node for v in producer.inputs)
        return found

    def _step(self, producer: Node, reader: Node) -> int:
        """1 where the reader makes a row pass that must wait for an outer value, or accumulates
        what is made at the same point.
        """
        if self.cluster.is_cumulative:
            return int(is_cumulative(reader))
        outer = kind_of(producer) == REDUCE or self.cluster.levels[producer] == OUTER
        row_pass = kind_of(reader) == REDUCE or self.cluster.levels[reader] == ROW
        return int(outer and row_pass and bool(self.row))

    def _leaf_reads(self, groups: list[tuple[str, list[Node]]]) -> list[Value]:
        """What the members read from memory, in the order in which the Generics will."""
        own = set(self.cluster.members)
        found: dict[Value, None] = {}
        for _, members in groups:
            for node in members:
                for value in self._node_reads(node):
                    if value.node not in own:
                        found.setdefault(value)
        return list(found)

    def _node_reads(self, node: Node) -> list[Value]:
        if node is self.cluster.contract:
            return list(map(self.parts.in_memory, node.inputs))
        return list(member_reads(self.parts, node)[0])

    # -- bodies -----------------------------------------------------------------------------
    def _member_scalar(self, writer: BodyWriter, node: Node) -> Value:
        """The member's element (for a reduction: the operand's) at the iteration point."""
        if kind_of(node) == REDUCE:
            return writer.value(node.inputs[0], reduction_point(node))
        return writer.value(node.result, identity_point(writer.dims))

    def _taken(self) -> int:
        """How many values are numbered so far."""
        return len(self.params) + sum(len(g.outs) for g in self.generics)

    def _read(self, value: Value, map: AffineMap | None) -> Read:
        return Read(self.slots[value].number, map)

    def _write_map(self, members: Sequence[Node], level: str) -> None:
        dims = self.outer + (self.row if level == ROW else ())
        group = set(members)
        writer = BodyWriter(
            len(dims), lambda v: v.node not in group and self.parts.is_leaf(v), self.parts.ranges
        )
        point = identity_point(len(dims))
        scalars = []
        for node in members:
            scalar = writer.value(node.result, point)
            scalars.append(to_storage(writer.s, scalar, node.types[0].dtype))
        types = [TensorType(dims, storage(n.types[0].dtype)) for n in members]
        outs = [Output(t, AffineMap.identity(len(dims))) for t in types]
        self._finish(writer, dims, (PARALLEL,) * len(dims), members, scalars, outs)

    def _finish(
        self,
        writer: BodyWriter,
        dims: tuple[int, ...],
        kinds: tuple[str, ...],
        members: Sequence[Node],
        scalars: Sequence[Value],
        outs: Sequence[Output],
    ) -> None:
        """Close a body whose output parameters are not read."""
        for out in outs:
            if len(writer.builder.params) < len(writer.reads) + len(outs):
                writer.builder.param(TensorType((), out.type.dtype))
        reads = tuple(self._read(v, m) for v, m in writer.reads)
        body = writer.builder.graph(scalars, "body")
        base = self._taken()
        for k, (node, out) in enumerate(zip(members, outs)):
            self.slots[node.result] = _Slot(base + k, out.type)
        self.generics.append(Generic(dims, kinds, reads, body, tuple(outs)))

    def _write_reduction(self, members: Sequence[Node]) -> None:
        """A map Generic that makes the elements, where they are not just read, and one that joins
        them.

        The joining body combines an element with what is held, so it also joins two partial
        results.
        """
        dims = self.outer + self.row
        writer = BodyWriter(len(dims), self.parts.is_leaf, self.parts.ranges)
        elements = [
            to_storage(writer.s, part, dtype)
            for node in members
            for part, dtype in _elements(
                writer, node, self._member_scalar(writer, node), self.outer
            )
        ]
        reads = self._element_reads(writer, elements)
        keep = AffineMap.select(len(dims), range(len(self.outer)))
        builder = Builder(name="body")
        params = [builder.param(e.type) for e in elements]
        outs: list[Output] = []
        for node in members:
            outs += [
                _accumulator_output(self.outer, dtype, unit, keep) for dtype, unit in _units(node)
            ]
        held = [builder.param(TensorType((), out.type.dtype)) for out in outs]
        scalars: list[Value] = []
        base = self._taken()
        narrowed: list[tuple[Node, int]] = []
        for node in members:
            first = len(scalars)
            scalars += _combine(Scalars(builder), node, held[first:], params[first:])
            number = base + (len(scalars) - 1)  # of a pair, the position is the result
            self.slots[node.result] = _Slot(number, outs[number - base].type)
            if outs[number - base].type.dtype is not storage(node.types[0].dtype):
                narrowed.append((node, number))
        kinds = [PARALLEL] * len(self.outer) + [REDUCTION] * len(self.row)
        if is_cumulative(members[0]):
            attrs = members[0].attrs
            kinds[attrs["axis"]] = BACKWARD if attrs["reverse"] else FORWARD
        body = builder.graph(scalars, "body")
        self.generics.append(Generic(dims, tuple(kinds), tuple(reads), body, tuple(outs)))
        if narrowed:
            self._narrow(narrowed)

    def _element_reads(self, writer: BodyWriter, elements: Sequence[Value]) -> list[Read]:
        """How the joining Generic reads each element; the computed ones get a map Generic first."""
        dims = self.outer + self.row
        computed = list(dict.fromkeys(e for e in elements if e.op != "param"))
        outs = [
            Output(TensorType(dims, e.type.dtype), AffineMap.identity(len(dims))) for e in computed
        ]
        direct = {
            param: self._read(value, map)
            for param, (value, map) in zip(list(writer.builder.params), writer.reads)
        }
        made: dict[Value, Read] = {}
        if computed:
            base = self._taken()
            self._finish(writer, dims, (PARALLEL,) * len(dims), (), computed, outs)
            made = {
                e: Read(base + k, AffineMap.identity(len(dims))) for k, e in enumerate(computed)
            }
        return [made[e] if e in made else direct[e] for e in elements]

    def _narrow(self, members: list[tuple[Node, int]]) -> None:
        """Round wide accumulators to the dtype of the result, in a Generic of their own."""
        dims = self.outer
        builder = Builder(name="body")
        writer = BodyWriter(len(dims), lambda v: True)
        writer.builder, writer.s.builder = builder, builder
        reads, scalars, outs = [], [], []
        for _, number in members:
            wide = self._type_of(number)
            builder.param(TensorType((), wide.dtype))
            reads.append(Read(number, AffineMap.identity(len(dims))))
        for (node, _), param in zip(members, list(builder.params)):
            dtype = storage(node.types[0].dtype)
            scalars.append(writer.s.resize_float(param, dtype))
            outs.append(Output(TensorType(dims, dtype), AffineMap.identity(len(dims))))
        for out in outs:
            builder.param(TensorType((), out.type.dtype))
        base = self._taken()
        self.generics.append(
            Generic(
                dims, (PARALLEL,) * len(dims), tuple(reads), builder.graph(scalars), tuple(outs)
            )
        )
        for k, (node, _) in enumerate(members):
            self.slots[node.result] = _Slot(base + k, outs[k].type)

    def _type_of(self, number: int) -> TensorType:
        types = [storage_type(v.type) for v in self.params]
        types += [o.type for g in self.generics for o in g.outs]
        return types[number]

    # -- contraction ------------------------------------------------------------------------
    def _write_contract(self, node: Node) -> None:
        operands = set(map(self.parts.in_memory, node.inputs))
        generic, dtype = contract_generic(
            node, operands.__contains__, lambda value: self.slots[value].number
        )
        self.generics.append(generic)
        base = self._taken() - 1
        self.slots[node.result] = _Slot(base, generic.outs[0].type)
        if dtype is not storage(node.types[0].dtype):
            self._narrow([(node, base)])


def _wide(dtype: DType) -> DType:
    """The logical dtype in which elements of `dtype` are joined: 16-bit floats in f32."""
    return f32 if dtype.is_float and dtype.bits == 16 else dtype


def _joining(node: Node) -> OpDef:
    """The reduction whose way to join two elements is meant."""
    op = OPS[node.op]
    if node.op == "reduce_window":
        return OPS[f"reduce_{node.attrs['op']}"]
    return OPS[op.extra["joins"]] if is_cumulative(node) else op


def _units(node: Node) -> list[tuple[DType, float]]:
    """Storage type and unit of each accumulator of a reduction: a value, for argmax a position
    too.
    """
    op, wide = _joining(node), _wide(node.inputs[0].type.dtype)
    if node.op == "reduce_window":
        return [(storage(wide), window_unit(node.attrs["op"], wide))]
    value = (storage(wide), op.extra["unit"](wide))
    return [value, (i64, (1 << 63) - 1)] if op.extra.get("pairs") else [value]


def _elements(
    writer: BodyWriter, node: Node, element: Value, outer: tuple[int, ...]
) -> list[tuple[Value, DType]]:
    """What a reduction joins, in register form, with logical dtypes."""
    wide = _wide(node.inputs[0].type.dtype)
    if element.type.dtype.is_float:
        element = writer.s.resize_float(element, wide)
    if not OPS[node.op].extra.get("pairs"):
        return [(element, wide)]
    at = writer.from_index(identity_point(writer.dims)[len(outer)], i64)
    return [(element, wide), (at, i64)]


def _combine(
    s: Scalars, node: Node, held: Sequence[Value], elements: Sequence[Value]
) -> list[Value]:
    """Join one element with what is held; both in storage form."""
    op, wide = _joining(node), _wide(node.inputs[0].type.dtype)
    assert op.combine is not None
    a, e = from_storage(s, held[0], wide), from_storage(s, elements[0], wide)
    if not op.extra.get("pairs"):
        return [to_storage(s, op.combine(s, a, e, wide), wide)]
    best, where = op.combine(s, (a, held[1]), (e, elements[1]), wide)
    return [to_storage(s, best, wide), where]


def _accumulator_output(
    outer: tuple[int, ...], dtype: DType, unit: float, keep: AffineMap
) -> Output:
    if dtype.is_integer:
        unit = int(unit)
        if unit >= 1 << (dtype.bits - 1):
            unit -= 1 << dtype.bits
    data = np.asarray(unit).astype(dtype.numpy)
    return Output(TensorType(outer, dtype), keep, Dense(TensorType((), dtype), data))
