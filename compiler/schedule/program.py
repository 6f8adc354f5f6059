"""The whole program as loop IR: kernels called, buffers planned, loops around them.

Takes: a kernel-level Graph, a Target, the arguments whose memory is given away. Gives: a Module
whose public function takes input buffers, output buffers and one workspace.
Must not know: how kernels are scheduled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..graph import Graph, Node
from ..graph import Value as GraphValue
from ..hosts import declare_host, host_call
from ..kernel import Kernel
from ..library import LIBRARY
from ..mlir.ir import Block, Module, Op, Symbol, Unit
from ..mlir.ir import Value as Buffer
from ..target import Target
from ..types import MemRefType, TensorType, i8, index
from .body import buffer_type, reshaped
from .counted import Counted, count_up, counted, is_scalar
from .frame import Frame
from .inplace import at_point
from .order import Plan, plan_order
from .rounds import count_apart, round_chunks
from .storage import Store
from .work import poll_interval

FOREVER = 1 << 60


def lower_program(
    graph: Graph, target: Target, donated: Collection[int] = ()
) -> tuple[Module, int]:
    """The `loops` module of a kernel-level Graph, and the bytes of workspace it needs.

    Where it can, the program makes a result in the place of a parameter numbered in `donated`. Such
    pairs are noted on the main function; given two buffers for one, it copies first.
    """
    lowering = ProgramLowering(graph, target, donated)
    return lowering.module, lowering.write()


class ProgramLowering(Frame):
    """Emits the main function."""

    def __init__(self, graph: Graph, target: Target, donated: Collection[int] = ()) -> None:
        self.plan = plan_order(graph, donated)
        super().__init__(graph, target, self.plan.aliases)

    def write(self) -> int:
        """Emit everything; returns the workspace bytes."""
        args = self.main.regions[0].args
        count = len(self.graph.params)
        params = [Store(arg) for arg in args[:count]]
        targets = [Store(arg) for arg in args[count:]]
        for result, number in self.plan.aliases:
            params[number] = _given_away(self, args[number], targets[result])
        GraphLowering(self, self.graph, params, targets, self.plan).write()
        return self.close()


def _given_away(frame: Frame, given: Buffer, target: Store) -> Store:
    """The place of a parameter that a result takes over. Nothing reads the parameter itself."""
    b = frame.b
    type = given.type
    assert isinstance(type, MemRefType)
    target.owned = True
    place = reshaped(b, target.buffer, type.shape)
    address = "memref.extract_aligned_pointer_as_index"
    here, there = (b.op(address, [buffer], index) for buffer in (given, target.buffer))

    def copied() -> Sequence[Buffer]:
        frame.copy(given, place)
        return ()

    b.if_else(b.compare("ne", here, there), copied)
    return target if place is target.buffer else Store(place, owned=True, base=target)


@dataclass
class GraphLowering:
    """Emits one kernel-level Graph where the builder stands: the main one, or a loop's body.

    `params` are where its parameters are, `targets` where its results must be at the end. A target
    may be the store of a parameter (a loop's carried value): it is overwritten only when that
    parameter is not needed any more.
    """

    program: Frame
    graph: Graph
    params: Sequence[Store]
    targets: Sequence[Store]
    plan: Plan
    stores: dict[GraphValue, Store] = field(default_factory=dict)
    last_use: dict[GraphValue, int] = field(default_factory=dict)

    def write(self) -> None:
        """Emit all nodes, then whatever copies the results still need."""
        self._find_last_uses()
        for value, store in zip(self.graph.params, self.params):
            self._bind(value, store)
        for position, node in enumerate(self.plan.nodes):
            self.program.arena.tick()
            _LOWER[node.op](self, node, position)
            for value in node.inputs:
                self._keep(self.stores[value])
        self.program.arena.tick()
        self._deliver()

    def _find_last_uses(self) -> None:
        for position, node in enumerate(self.plan.nodes):
            for value in node.inputs:
                self.last_use[value] = position
        for value in self.graph.results:
            self.last_use[value] = FOREVER
        for node in reversed(self.plan.nodes):
            if node.op in ("alias", "barrier"):  # results that stand where operands do
                for source, result in zip(node.inputs, node.results):
                    last = self.last_use.get(result, -1)
                    self.last_use[source] = max(self.last_use.get(source, -1), last)

    def _bind(self, value: GraphValue, store: Store) -> None:
        self.stores[value] = store
        root = store.root
        root.last_use = max(root.last_use, self.last_use.get(value, -1))

    def _keep(self, store: Store) -> None:
        if store.slot is not None:
            self.program.arena.keep(store.slot)

    def _deliver(self) -> None:
        """Bring results into their targets; results that stand in another's target move first."""
        moves = [
            (self.stores[v], t)
            for v, t in zip(self.graph.results, self.targets)
            if self.stores[v].root is not t.root or self.stores[v].buffer.type != t.buffer.type
        ]
        overwritten = {t.root for _, t in moves}
        safe: list[tuple[Store, Store]] = []
        for source, target in moves:
            if source.root in overwritten:  # a swap: through a temporary
                type = source.buffer.type
                assert isinstance(type, MemRefType)
                spare = self.program.temporary(TensorType(type.shape, type.dtype))
                self.program.copy(source.buffer, spare.buffer)
                source = spare
            safe.append((source, target))
        for source, target in safe:
            self._keep(source)
            self.program.copy(source.buffer, target.buffer)

    # -- where results go -------------------------------------------------------------------
    def result_store(self, value: GraphValue, position: int, reads: Mapping[Store, bool]) -> Store:
        """The store that `value`, made at `position`, is written to.

        That is the target of the result that it is, or is another shape of, if the target holds
        nothing needed any more; else the place of an operand that nobody needs any more.
        `reads` are the places (roots) that the node reads, true where only at the very point that
        it writes.
        """
        for result, target in zip(self.graph.results, self.targets):
            shown = result.node.inputs[0] if result.op == "alias" else result
            if shown == value and self._free(target, position, reads):
                target.root.last_use = FOREVER
                if shown != result:
                    buffer = reshaped(self.program.b, target.buffer, value.shape)
                    target = Store(buffer, target.slot, target.owned, base=target)
                self.stores[value] = target
                return target
        store = self._dying(value, position, reads)
        if store is None:
            store = self.program.temporary(value.type)
        else:
            store.root.last_use = position + 1  # not for another result of this node
        self._bind(value, store)
        return store

    def _dying(self, value: GraphValue, position: int, reads: Mapping[Store, bool]) -> Store | None:
        """A place of the workspace that holds an operand for the last time, to be overwritten."""
        goals = {t.root for t in self.targets}
        for root, alone in reads.items():
            if alone and root.slot is not None and root.owned and root.last_use == position:
                type = root.buffer.type
                assert isinstance(type, MemRefType)
                if root not in goals and (type.dtype, type.size) == (
                    value.type.dtype,
                    value.type.size,
                ):
                    buffer = reshaped(self.program.b, root.buffer, value.type.shape)
                    return Store(buffer, root.slot, owned=True, base=root)
        return None

    def _free(self, target: Store, position: int, reads: Mapping[Store, bool]) -> bool:
        root = target.root
        if root.last_use > position or root in self._taken():
            return False
        return reads.get(root, True)

    def _taken(self) -> list[Store]:
        """Targets that hold a result already."""
        made = [self.stores[r].root for r in self.graph.results if r in self.stores]
        return [s for s in made if s.last_use == FOREVER]


# -- nodes ----------------------------------------------------------------------------------------
def _kernel(g: GraphLowering, node: Node, position: int) -> None:
    kernel: Kernel = node.attrs["kernel"]
    if kernel.kind == "scatter":
        _scatter(g, node, position)
        return
    stores = [g.stores[v] for v in node.inputs]
    results: list[Store] = []
    for k, value in enumerate(node.results):
        reads: dict[Store, bool] = {}
        for number, store in enumerate(stores):
            alone = _is_scalar(kernel) or (g.program.in_place and at_point(kernel, number, k))
            reads[store.root] = reads.get(store.root, True) and alone
        results.append(g.result_store(value, position, reads))
    written = {s.root: len(stores) + k for k, s in enumerate(results)}
    shared = [k for k, s in enumerate(stores) if s.root in written]
    if shared and not _is_scalar(kernel):
        g.program.mix(kernel, [*shared, *(written[stores[k].root] for k in shared)])
    g.program.run_kernel(kernel, [s.buffer for s in [*stores, *results]])


def _library(g: GraphLowering, node: Node, position: int) -> None:
    reads = {g.stores[v].root: False for v in node.inputs}
    results = [g.result_store(v, position, reads).buffer for v in node.results]
    g.program.run_library(node, [g.stores[v].buffer for v in node.inputs] + results)


def _callback(g: GraphLowering, node: Node, position: int) -> None:
    """The host gets operands and results; where a token stands does not matter, only the order."""
    reads = {g.stores[v].root: False for v in node.inputs}
    if first := int(node.attrs["ordered"]):
        g.stores[node.results[0]] = g.stores[node.inputs[0]]
    results = [g.result_store(v, position, reads).buffer for v in node.results[first:]]
    name = g.program.hosts[host_call(node)]
    declare_host(g.program.module, host_call(node), name)
    g.program.b.call(name, [g.stores[v].buffer for v in node.inputs[first:]] + results, [])


def _scatter(g: GraphLowering, node: Node, position: int) -> None:
    """In place where the array is not needed any more, by the updates either, else on a copy."""
    program = g.program
    (generic,) = node.attrs["kernel"].generics
    reads_itself = math.prod(generic.dims) > 1 and any(r.source == 0 for r in generic.reads)
    whole, *others = [g.stores[v] for v in node.inputs]
    root, read = whole.root, [s.root for s in others]
    free = whole.owned and root.last_use <= position and root not in read
    if free and not reads_itself:
        store = whole
        g.stores[node.result] = store
        root.last_use = g.last_use.get(node.result, -1)
    else:
        store = g.result_store(node.result, position, dict.fromkeys([root, *read], False))
        program.copy(whole.buffer, store.buffer)
    operands = [whole.buffer, *(s.buffer for s in others), store.buffer]
    program.run_kernel(node.attrs["kernel"], operands)


def _is_scalar(kernel: Kernel) -> bool:
    """Whether all that a kernel reads is loaded before anything is stored: scalars alone."""
    return kernel.kind == "map" and all(t.rank == 0 for t in kernel.value_types)


def _alias(g: GraphLowering, node: Node, position: int) -> None:
    source = g.stores[node.inputs[0]]
    buffer = reshaped(g.program.b, source.buffer, node.types[0].shape)
    g.stores[node.result] = Store(buffer, source.slot, source.owned, base=source)


def _barrier(g: GraphLowering, node: Node, position: int) -> None:
    """Its results are its operands; that it comes after all of them is the order of nodes."""
    for value, result in zip(node.inputs, node.results):
        g.stores[result] = g.stores[value]


def _constant(g: GraphLowering, node: Node, position: int) -> None:
    program = g.program
    type = buffer_type(node.types[0])
    name = f"c{sum(op.name == 'memref.global' for op in program.module.ops)}"
    attrs = {
        "sym_name": name,
        "sym_visibility": "private",
        "type": type,
        "initial_value": node.attrs["value"],
        "constant": Unit(),
    }
    program.module.ops.insert(0, Op("memref.global", attrs=attrs))
    buffer = program.b.emit("memref.get_global", [], [type], {"name": Symbol(name)}).result
    g.stores[node.result] = Store(buffer)


def _carry(
    g: GraphLowering,
    node: Node,
    position: int,
    value: GraphValue,
    result: GraphValue,
    taken: Sequence[Store],
) -> Store:
    """Where a loop carries a value: where it starts, if nobody needs that any more (so an inner
    loop works on the arrays of the outer one), else in a place of its own, with a copy."""
    start = g.stores[value]
    free = start.owned and start.root.last_use <= position
    if free and all(s.root is not start.root for s in taken):
        g.stores[result] = start
        start.root.last_use = g.last_use.get(result, -1)
        return start
    store = g.result_store(result, position, {g.stores[v].root: False for v in node.inputs})
    g.program.copy(start.buffer, store.buffer)
    return store


def _while(g: GraphLowering, node: Node, position: int) -> None:
    program, b = g.program, g.program.b
    count = node.attrs["n_const"]
    constants = [g.stores[v] for v in node.inputs[:count]]
    carried: list[Store] = []
    for value, result in zip(node.inputs[count:], node.results):
        carried.append(_carry(g, node, position, value, result, [*constants, *carried]))

    inside: Graph = node.attrs["body"]
    plan = plan_order(inside, carried=[(k, count + k) for k in range(len(carried))])

    def body() -> None:
        inner = [Store(s.buffer, s.slot) for s in constants]
        inner += [Store(s.buffer, s.slot, owned=True) for s in carried]
        GraphLowering(program, inside, inner, inner[count:], plan).write()

    found = counted(node)
    pieces = 1 if found is None or program.apart else round_chunks(node, found, program.target)
    if found is not None and pieces > 1:
        _chunks(g, node, plan, found, pieces, constants, carried)
    elif found is not None:
        counter = carried[found.carry].buffer
        bound = found.bound if found.operand is None else constants[found.operand].buffer
        interval, scalar = poll_interval(inside), is_scalar(inside)
        count_up(b, counter, bound, found.start, interval, body, scalar=scalar)
    else:
        _test_and_run(g, node, [*constants, *carried], body)
    program.arena.tick()
    for store in [*constants, *carried]:
        g._keep(store)


def _chunks(
    g: GraphLowering,
    node: Node,
    plan: Plan,
    found: Counted,
    count: int,
    constants: Sequence[Store],
    carried: Sequence[Store],
) -> None:
    """Rounds on several threads."""
    program, inside = g.program, Block([Buffer(index)])
    buffers = [s.buffer for s in carried]

    def write(own: Mapping[int, Buffer]) -> None:
        held = [Store(own.get(k, buffer), owned=True) for k, buffer in enumerate(buffers)]
        inner = [Store(s.buffer) for s in constants] + held
        GraphLowering(program, node.attrs["body"], inner, held, plan).write()

    with program.chunks(inside, count):
        count_apart(program.b, node, found, count, buffers, inside, write)


def _test_and_run(
    g: GraphLowering, node: Node, stores: Sequence[Store], body: Callable[[], None]
) -> None:
    """`scf.while`: any condition."""
    program, b = g.program, g.program.b
    flag = program.temporary(TensorType((), i8))
    before, after = Block(), Block()
    with b.inside(before):
        inner = [Store(s.buffer, s.slot) for s in stores]
        test: Graph = node.attrs["cond"]
        GraphLowering(program, test, inner, [flag], plan_order(test)).write()
        again = b.compare("ne", b.load(flag.buffer, []), b.const(0, i8))
        b.emit("scf.condition", [again])
    with b.inside(after):
        body()
        b.emit("scf.yield")
    attrs = {"lz.poll": poll_interval(node.attrs["body"])}
    b.emit("scf.while", [], [], attrs, regions=[before, after])


def _cond(g: GraphLowering, node: Node, position: int) -> None:
    """Nested `scf.if`s over the branches; the last one takes every index that is left."""
    program, b = g.program, g.program.b
    operands = [g.stores[v] for v in node.inputs[1:]]
    reads = {g.stores[v].root: False for v in node.inputs}
    results = [g.result_store(v, position, reads) for v in node.results]
    selector = b.load(g.stores[node.inputs[0]].buffer, [])
    branches: tuple[Graph, ...] = node.attrs["branches"]

    def write(graph: Graph) -> None:
        inner = [Store(s.buffer, s.slot) for s in operands]
        places = [Store(s.buffer, s.slot) for s in results]
        GraphLowering(program, graph, inner, places, plan_order(graph)).write()

    def choose(k: int) -> None:
        if k == len(branches) - 1:
            write(branches[k])
            return
        arms = [Block(), Block()]
        with b.inside(arms[0]):
            write(branches[k])
            b.emit("scf.yield")
        with b.inside(arms[1]):
            choose(k + 1)
            b.emit("scf.yield")
        this = b.const(k, selector.type)
        first = b.compare("sle" if k == 0 else "eq", selector, this)
        b.emit("scf.if", [first], regions=arms)

    choose(0)
    program.arena.tick()
    for store in [*operands, *results]:
        g._keep(store)


_LOWER: dict[str, Callable[[GraphLowering, Node, int], None]] = {
    "kernel": _kernel,
    "alias": _alias,
    "barrier": _barrier,
    "callback": _callback,
    "constant": _constant,
    "while": _while,
    "cond": _cond,
    **dict.fromkeys(LIBRARY, _library),
}
