"""The `kernels` stage as MLIR: each kernel a private function, called from the program's.

Takes: a kernel-level Graph. Gives: a Module that upstream MLIR verifies, lowers and runs.
`kernel_parse.py` is its inverse. Must not know: schedules, buffers, targets.

A read of the first elements of an axis goes through `tensor.extract_slice`; dims that no operand
walks plainly are walked by an extra `tensor.empty`. Updates and Generics that accumulate along a
dim are loops. A sort is a function that is declared, with what it sorts by as attributes; so is
what LAPACK computes, and a call of the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .errors import LazirError
from .graph import Graph, Node
from .graph import Value as GraphValue
from .hosts import host_call, host_function, named_hosts
from .kernel import BACKWARD, Generic, Kernel, Output, canonical, named_kernels, symbol
from .kernel_sort import sorting_of
from .library import LIBRARY, library_call, library_function, named_calls
from .mlir.builder import Builder
from .mlir.ir import AffineMap, Block, Dense, Module, Op, Typed, Value, function
from .reshapes import reshape_steps
from .types import DType, FunctionType, TensorType, Type, i64, index

KIND = "lz.kind"
"""The attribute of a private function that names its kernel's kind; `barrier`, `library`
and `callback` are no kernels."""
AXIS = "lz.axis"
"""The attribute of a declared sort that says along which axis."""
KEYS = "lz.keys"
"""The attribute of a declared sort with how each key is ordered: float, signed, unsigned."""
TYPES = "lz.types"
"""The attribute of the program's function that has its types with bools and unsigned integers,
where they are other than those of its buffers."""


def kernels_to_module(graph: Graph, types: FunctionType | None = None) -> Module:
    """The module of a kernel-level Graph. `types` are the program's own: bools, unsigned integers.

    LazirError for a node that has no text.
    """
    program = _Program(graph)
    main = program.function(types)
    return Module([*program.functions, main])


def mark_types(main: Op, types: FunctionType | None, stored: FunctionType) -> None:
    """Note the program's types on its function, where buffers do not say them."""
    if types is not None and types != stored:
        main.attrs[TYPES] = types


# -- one kernel -----------------------------------------------------------------------------------
def kernel_function(kernel: Kernel, name: str) -> Op:
    """A kernel as a private function of tensors; a sort as the declaration of one."""
    attrs: dict[str, object] = {KIND: kernel.kind}
    if kernel.kind == "sort":
        axis, orders = sorting_of(kernel)
        attrs |= {AXIS: Typed(axis, i64), KEYS: list(orders)}
    func = function(name, kernel.params, kernel.result_types, private=True, attrs=attrs)
    if kernel.kind == "sort":
        return func
    b = Builder(func)
    values = list(func.regions[0].args)
    for generic in map(canonical, kernel.generics):
        if kernel.kind == "scatter":
            values.append(_Scatter(b, generic, values).write())
        elif generic.running_dim is not None:
            values += _Cumulation(b, generic, values, generic.running_dim).write()
        else:
            values += _write_generic(b, generic, values)
    b.emit("func.return", [values[k] for k in kernel.results])
    return func


def _write_generic(b: Builder, generic: Generic, values: Sequence[Value]) -> list[Value]:
    """Append one `linalg.generic`; gives its results."""
    mapped = [r for r in generic.reads if r.map is not None]
    maps = [r.map for r in mapped if r.map is not None]
    ins = [_window(b, values[r.source], r.map, generic.dims) for r in mapped if r.map is not None]
    for out in generic.outs:
        if out.map is None:
            raise LazirError("only a kernel of kind scatter has an output without a map")
        maps.append(out.map)
    missing = [d for d in range(len(generic.dims)) if d not in walked(maps)]
    if missing:
        shape = TensorType(tuple(generic.dims[d] for d in missing), generic.outs[0].type.dtype)
        ins.append(b.op("tensor.empty", [], shape))
        maps.insert(len(mapped), AffineMap.select(len(generic.dims), missing))
    outs = [_initial(b, out) for out in generic.outs]
    block = Block([Value(_dtype(v.type)) for v in [*ins, *outs]])
    known: dict[GraphValue, Value] = {}
    scalars = iter(block.args)
    for param, read in zip(generic.body.params, generic.reads):
        known[param] = next(scalars) if read.map is not None else values[read.source]
    known |= dict(zip(generic.body.params[len(generic.reads) :], block.args[len(ins) :]))

    def point(dim: int) -> Value:
        return b.op("linalg.index", [], index, dim=dim)

    with b.inside(block):
        b.emit("linalg.yield", _write_body(b, generic.body, known, point))
    attrs = {
        "indexing_maps": maps,
        "iterator_types": list(generic.kinds),
        "operandSegmentSizes": (len(ins), len(outs)),
    }
    types = [out.type for out in generic.outs]
    return b.emit("linalg.generic", [*ins, *outs], types, attrs, [block]).results


def walked(maps: Sequence[AffineMap]) -> set[int]:
    """The dims that stand alone as an index in some map: those whose extents an operand gives."""
    found = (plain_dim(row) for map in maps for row in map.rows)
    return {d for d in found if d is not None}


def plain_dim(row: tuple[tuple[int, ...], int]) -> int | None:
    """The dim that a row of an affine map is, or None."""
    coefficients, constant = row
    if constant or sum(map(abs, coefficients)) != 1 or 1 not in coefficients:
        return None
    return coefficients.index(1)


def _window(b: Builder, value: Value, map: AffineMap, dims: Sequence[int]) -> Value:
    """The part of a tensor that a map with plain dims reads: a prefix of each axis."""
    type = tensor_of(value)
    sizes = []
    for row, n in zip(map.rows, type.shape):
        dim = plain_dim(row)
        empty = any(c and dims[d] == 0 for d, c in enumerate(row[0]))
        sizes.append(0 if empty else n if dim is None else dims[dim])
    if tuple(sizes) == type.shape:
        return value
    if type.size == 0:  # upstream takes no slice of an axis of size 0
        return reshaped(b, value, TensorType(tuple(sizes), type.dtype))
    attrs = {
        "static_offsets": (0,) * type.rank,
        "static_sizes": tuple(sizes),
        "static_strides": (1,) * type.rank,
        "operandSegmentSizes": (1, 0, 0, 0),
    }
    return b.op("tensor.extract_slice", [value], TensorType(tuple(sizes), type.dtype), **attrs)


def tensor_of(value: Value) -> TensorType:
    """The type of a value that is a tensor."""
    assert isinstance(value.type, TensorType), value
    return value.type


def reshaped(b: Builder, value: Value, type: TensorType) -> Value:
    """The tensor in another shape, by one or two operations."""
    for name, step, attrs in reshape_steps(tensor_of(value), type):
        value = b.op(name, [value], step, **attrs)
    return value


def _initial(b: Builder, out: Output) -> Value:
    """What an output starts as: nothing, or its unit everywhere."""
    empty = b.op("tensor.empty", [], out.type)
    if out.init is None:
        return empty
    unit = _constant(b, out.init)
    return b.emit("linalg.fill", [unit, empty], [out.type]).result


# -- bodies ---------------------------------------------------------------------------------------
def _write_body(
    b: Builder,
    body: Graph,
    known: dict[GraphValue, Value],
    point: Callable[[int], Value],
) -> list[Value]:
    """Append a body's nodes, which are named after MLIR's ops; gives its results."""
    for node in body.nodes:
        if node.op == "arith.constant":
            made = [_constant(b, node.attrs["value"])]
        elif node.op == "linalg.index":
            made = [point(node.attrs["dim"])]
        else:
            types: list[Type] = [t.dtype for t in node.types]
            made = b.emit(node.op, [known[v] for v in node.inputs], types, dict(node.attrs)).results
        known.update(zip(node.results, made))
    return [known[v] for v in body.results]


def _constant(b: Builder, dense: Dense) -> Value:
    return b.const(dense.data.reshape(()).item(), _dtype(dense.type))


def _dtype(type: Type) -> DType:
    assert isinstance(type, (TensorType, DType)), type
    return type.dtype if isinstance(type, TensorType) else type


# -- loops ----------------------------------------------------------------------------------------
class _Loops:
    """A loop for each dim around the body of a Generic; `counters` are the dims' indices."""

    def __init__(self, b: Builder, generic: Generic, values: Sequence[Value]) -> None:
        self.b, self.generic, self.values = b, generic, values
        self.counters: dict[int, Value] = {}

    def _reads(self) -> dict[GraphValue, Value]:
        """What the body's parameters for reads are: elements, or whole tensors."""
        known: dict[GraphValue, Value] = {}
        for param, read in zip(self.generic.body.params, self.generic.reads):
            source = self.values[read.source]
            if read.map is not None:
                at = [self._row(row) for row in read.map.rows]
                source = self.b.op("tensor.extract", [source, *at], _dtype(source.type))
            known[param] = source
        return known

    def _row(self, row: tuple[tuple[int, ...], int]) -> Value:
        coefficients, constant = row
        total = self.b.index(constant)
        for dim, c in enumerate(coefficients):
            if c:
                total = self.b.add(total, self.b.mul(self.counters[dim], c))
        return total


class _Cumulation(_Loops):
    """The dim that is accumulated along is innermost; there the elements so far go along too."""

    def __init__(self, b: Builder, generic: Generic, values: Sequence[Value], running: int) -> None:
        super().__init__(b, generic, values)
        self.running = running
        self.order = [d for d in range(len(generic.dims)) if d != running] + [running]

    def write(self) -> list[Value]:
        """Append the loops; gives a tensor for each output."""
        return self._loop([self.b.op("tensor.empty", [], out.type) for out in self.generic.outs])

    def _loop(self, tensors: list[Value]) -> list[Value]:
        b, generic = self.b, self.generic
        dim = self.order[len(self.counters)]
        carried, count = tensors, len(tensors)
        if dim == self.running:
            units = [out.init for out in generic.outs]
            carried = tensors + [_constant(b, unit) for unit in units if unit is not None]

        def body(i: Value, inside: list[Value]) -> list[Value]:
            if generic.kinds[dim] == BACKWARD:
                i = b.op("arith.subi", [b.index(generic.dims[dim] - 1), i])
            self.counters[dim] = i
            if dim == self.running:
                return self._join(inside[:count], inside[count:])
            return self._loop(inside)

        bounds = (b.index(0), b.index(generic.dims[dim]), b.index(1))
        return b.loop_carry(*bounds, carried, body)[:count]

    def _join(self, tensors: list[Value], held: list[Value]) -> list[Value]:
        b, body = self.b, self.generic.body
        known = self._reads() | dict(zip(body.params[len(self.generic.reads) :], held))
        made = _write_body(b, body, known, self.counters.__getitem__)
        place = [self.counters[d] for d in range(len(self.counters))]
        return [b.op("tensor.insert", [v, t, *place], t.type) for v, t in zip(made, tensors)] + made


class _Scatter(_Loops):
    """The loops of an update around one write; the tensor goes from iteration to iteration."""

    def __init__(self, b: Builder, generic: Generic, values: Sequence[Value]) -> None:
        super().__init__(b, generic, values)
        (out,) = generic.outs
        if out.into is None:
            raise LazirError("a kernel of kind scatter names the tensor that it updates")
        self.whole = values[out.into]

    def write(self) -> Value:
        """Append the loops; gives the updated tensor."""
        if not self.generic.dims:  # told apart from the tensor as it was
            return self._update(self.b.op("tensor.cast", [self.whole]))
        return self._loop(self.whole)

    def _loop(self, whole: Value) -> Value:
        b, dim = self.b, len(self.counters)
        if dim == len(self.generic.dims):
            return self._update(whole)

        def body(i: Value, carried: list[Value]) -> list[Value]:
            self.counters[dim] = i
            return [self._loop(carried[0])]

        bounds = (b.index(0), b.index(self.generic.dims[dim]), b.index(1))
        return b.loop_carry(*bounds, [whole], body)[0]

    def _update(self, whole: Value) -> Value:
        b, body = self.b, self.generic.body
        known = self._reads() | {body.params[-1]: whole}
        new, valid, *place = _write_body(b, body, known, self.counters.__getitem__)

        def insert() -> list[Value]:
            return [b.op("tensor.insert", [new, whole, *place], whole.type)]

        node = body.results[1].node
        if node.op == "arith.constant" and node.attrs["value"].data.item():
            return insert()[0]
        return b.if_else(valid, insert, lambda: [whole])[0]


# -- the program ----------------------------------------------------------------------------------
class _Program:
    """Emits the program's function; collects the private ones that it calls."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.functions: list[Op] = []
        self.kernels: dict[str, str] = {}
        self.barriers: dict[FunctionType, str] = {}
        for fingerprint, (name, kernel) in named_kernels(graph).items():
            self.functions.append(kernel_function(kernel, name))
            self.kernels[fingerprint] = name
        self.calls = named_calls(graph)
        self.functions += [library_function(call, name, KIND) for call, name in self.calls.items()]
        self.hosts = named_hosts(graph)
        self.functions += [host_function(call, name, KIND) for call, name in self.hosts.items()]

    def function(self, types: FunctionType | None) -> Op:
        graph = self.graph
        main = function(
            symbol(graph.name), graph.param_types, graph.result_types, hints=graph.param_names
        )
        mark_types(main, types, main.attrs["function_type"])
        self.b = Builder(main)
        self.b.emit("func.return", self.write(graph, main.regions[0].args))
        return main

    def write(self, graph: Graph, args: Sequence[Value]) -> list[Value]:
        """Append a Graph's nodes where the builder stands; gives its results."""
        known: dict[GraphValue, Value] = dict(zip(graph.params, args, strict=True))
        for node in graph.nodes:
            writer = _WRITERS.get(node.op)
            locs = graph.locs.get(node, ())
            if writer is None:
                where = locs[0] if locs else None
                raise LazirError(f"{node.op} has no text at the stage kernels", where)
            made = writer(self, node, [known[v] for v in node.inputs])
            for op in self.b.block.ops[-1:]:
                op.locs = locs
            known.update(zip(node.results, made))
        return [known[v] for v in graph.results]

    # -- nodes ------------------------------------------------------------------------------
    def kernel(self, node: Node, operands: list[Value]) -> list[Value]:
        name = self.kernels[node.attrs["kernel"].fingerprint]
        return self.b.call(name, operands, node.types)

    def library(self, node: Node, operands: list[Value]) -> list[Value]:
        return self.b.call(self.calls[library_call(node)], operands, node.types)

    def callback(self, node: Node, operands: list[Value]) -> list[Value]:
        return self.b.call(self.hosts[host_call(node)], operands, node.types)

    def alias(self, node: Node, operands: list[Value]) -> list[Value]:
        return [reshaped(self.b, operands[0], node.types[0])]

    def constant(self, node: Node, operands: list[Value]) -> list[Value]:
        return [self.b.op("arith.constant", [], node.types[0], value=node.attrs["value"])]

    def barrier(self, node: Node, operands: list[Value]) -> list[Value]:
        """A call of a function that returns its first arguments."""
        type = FunctionType(tuple(v.type for v in node.inputs), node.types)
        if type not in self.barriers:
            name = f"barrier{len(self.barriers)}"
            name += "_" if name == symbol(self.graph.name) else ""
            self.barriers[type] = name
            func = function(name, type.inputs, type.results, private=True, attrs={KIND: "barrier"})
            block = func.regions[0]
            block.ops.append(Op("func.return", block.args[: len(type.results)]))
            self.functions.append(func)
        return self.b.call(self.barriers[type], operands, node.types)

    def while_(self, node: Node, operands: list[Value]) -> list[Value]:
        count, b = node.attrs["n_const"], self.b
        carried = operands[count:]
        test, body = node.attrs["cond"], node.attrs["body"]

        def regions(listed: Sequence[Value]) -> list[Block]:
            before, after = (Block([Value(v.type) for v in carried]) for _ in range(2))
            with b.inside(before):
                (flag,) = self.write(test, [*self._listed(listed, operands[:count]), *before.args])
                again = b.op("tensor.extract", [flag], _dtype(flag.type))
                go = b.compare("ne", again, b.const(0, again.type))
                b.emit("scf.condition", [go, *before.args])
            with b.inside(after):
                args = [*self._listed(listed, operands[:count]), *after.args]
                b.emit("scf.yield", self.write(body, args))
            return [before, after]

        blocks = self._regions(regions, operands[:count])
        return b.emit("scf.while", carried, node.types, regions=blocks).results

    def cond(self, node: Node, operands: list[Value]) -> list[Value]:
        b, branches = self.b, node.attrs["branches"]
        which = b.op("tensor.extract", [operands[0]], _dtype(operands[0].type))
        zero = b.const(0, which.type)

        def regions(listed: Sequence[Value]) -> list[Block]:
            made = [Block() for _ in branches]
            for block, branch in zip(made, branches):
                with b.inside(block):
                    args = self._listed(listed, operands[1:])
                    b.emit("scf.yield", self.write(branch, args))
            return made

        if len(branches) == 2:
            second = b.compare("sgt", which, zero)
            otherwise, then = self._regions(regions, operands[1:])
            return b.emit("scf.if", [second], node.types, regions=[then, otherwise]).results
        at = b.op("arith.index_cast", [b.op("arith.maxsi", [which, zero])], index)
        blocks = self._regions(regions, operands[1:])
        attrs = {"cases": tuple(range(len(branches) - 1))}
        switched = [blocks[-1], *blocks[:-1]]
        return b.emit("scf.index_switch", [at], node.types, attrs, switched).results

    # -- what a region takes from outside ------------------------------------------------------
    def _regions(
        self, write: Callable[[Sequence[Value]], list[Block]], operands: Sequence[Value]
    ) -> list[Block]:
        """Regions that use `operands` from outside. Where what they use, in order, is something
        else, each region lists them all by a `tensor.cast` to the same type at its head."""
        blocks = write(())
        return blocks if captures(blocks) == list(operands) else write(operands)

    def _listed(self, listed: Sequence[Value], operands: Sequence[Value]) -> list[Value]:
        if not listed:
            return list(operands)
        return [self.b.op("tensor.cast", [v]) for v in operands]


def captures(blocks: Sequence[Block]) -> list[Value]:
    """The tensors that regions use from outside, in order of first use."""
    inside = {v for block in blocks for v in block.args}
    for op in _walk(blocks):
        inside.update(op.results)
        inside.update(v for region in op.regions for v in region.args)
    used = dict.fromkeys(v for op in _walk(blocks) for v in op.operands)
    return [v for v in used if v not in inside and isinstance(v.type, TensorType)]


def _walk(blocks: Sequence[Block]) -> Iterator[Op]:
    for block in blocks:
        for op in block.ops:
            yield from op.walk()


_WRITERS: dict[str, Callable[[_Program, Node, list[Value]], list[Value]]] = {
    "kernel": _Program.kernel,
    "alias": _Program.alias,
    "constant": _Program.constant,
    "barrier": _Program.barrier,
    "callback": _Program.callback,
    "while": _Program.while_,
    "cond": _Program.cond,
    **dict.fromkeys(LIBRARY, _Program.library),
}
