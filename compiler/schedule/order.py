"""In which order a program's nodes run, and which results stand where arguments stood.

Takes: a kernel-level Graph, the parameters whose memory is given away. Gives: `Plan`. The order is
one in which values that are overwritten in place have been read by everybody else before, and of
two such orders the one whose values need less memory at a time.
Must not know: buffers, code.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ..graph import Graph, Node, Value
from ..kernel import Kernel
from ..types import DType
from .inplace import at_point

WORTH = 0.98
"""Another order than the one of the text must need at most this part of its memory."""


@dataclass(frozen=True)
class Plan:
    """`nodes` in the order in which they run. `aliases`: pairs (result, parameter) of one place."""

    nodes: tuple[Node, ...]
    aliases: tuple[tuple[int, int], ...]


def plan_order(
    graph: Graph, donated: Collection[int] = (), carried: Sequence[tuple[int, int]] = ()
) -> Plan:
    """The plan of a graph: a program with `donated` parameters, or the body of a loop whose results
    take the places of parameters, as the pairs `carried` say."""
    work = _Planner(graph)
    work.find_places(sorted(donated))
    for result, number in carried:
        work.carry(result, number)
    for node in graph.nodes:
        if _updates(node):
            work.wait(_origin(node.inputs[0]), node)
    return Plan(work.order(), tuple(sorted(work.aliases)))


def _updates(node: Node) -> bool:
    return node.op == "kernel" and node.attrs["kernel"].kind == "scatter"


def _origin(value: Value) -> Value:
    """The value in whose place this one stands."""
    while value.op in ("alias", "barrier"):
        value = value.node.inputs[value.index]
    return value


def overwritten(value: Value) -> Iterator[Value]:
    """The values in whose place `value` can be made: an operand read only at the point that is
    written, the array that is updated, what a loop's value starts from."""
    node = value.node
    if node.op == "while":
        yield node.inputs[node.attrs["n_const"] + value.index]
    elif _updates(node):
        yield node.inputs[0]
    elif node.op == "kernel":
        kernel: Kernel = node.attrs["kernel"]
        for number, operand in enumerate(node.inputs):
            if at_point(kernel, number, value.index):
                yield operand


def _takers(end: Value) -> dict[Value, Node]:
    """The values in whose place a result can be made, perhaps by several updates, each with the
    node that is the first to overwrite it."""
    found: dict[Value, Node] = {}
    for value in overwritten(end):
        taker, value = end.node, _origin(value)
        found.setdefault(value, taker)
        while value.op == "while" or _updates(value.node):
            taker, value = value.node, _origin(next(overwritten(value)))
            found.setdefault(value, taker)
    return found


def _size(value: Value) -> tuple[DType, int]:
    """Values that are equal in this may have one place."""
    return value.type.dtype, value.type.size


@dataclass
class _Planner:
    """Collects who must wait for whom beside the graph's own edges."""

    graph: Graph
    aliases: list[tuple[int, int]] = field(default_factory=list)
    waits: dict[Node, list[Node]] = field(default_factory=dict)
    waited: dict[Node, list[Node]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.readers: dict[Value, list[Node]] = {}
        for node in self.graph.nodes:
            if node.op in ("alias", "barrier"):
                continue
            for value in dict.fromkeys(map(_origin, node.inputs)):
                self.readers.setdefault(value, []).append(node)
        self.ends = [_origin(v) for v in self.graph.results]
        self.ended = Counter(self.ends)
        self.fitting: dict[tuple[DType, int], list[int]] = {}
        self.takers = [_takers(end) for end in self.ends]
        self.made_from: dict[Value, list[int]] = {}
        self.taken: set[int] = set()
        for k, end in enumerate(self.ends):
            if end.type.size:
                self.fitting.setdefault(_size(end), []).append(k)
            for value in (end, *self.takers[k]):
                if end.type.size and _size(value) == _size(end):
                    self.made_from.setdefault(value, []).append(k)

    # -- which places -----------------------------------------------------------------------
    def find_places(self, donated: Sequence[int]) -> None:
        """Let results take the places of parameters: first those that are made from them there,
        then those made when nobody needs the parameter any more."""
        rest = [n for n in donated if self.graph.params[n].type.rank]
        for fitting in (self.made_from.get, lambda p, _: self.fitting.get(_size(p), [])):
            rest = [n for n in rest if not self._find_place(n, fitting(self.graph.params[n], []))]

    def _find_place(self, number: int, results: Sequence[int]) -> bool:
        param = self.graph.params[number]
        for k in self._sorted(results, param):
            end = self.ends[k]
            if end == param or self.wait(param, self.takers[k].get(param, end.node)):
                self.aliases.append((k, number))
                self.taken.add(k)
                return True
        return False

    def _sorted(self, results: Sequence[int], param: Value) -> list[int]:
        """Those of the results that may stand where a parameter stood, of its own shape first."""
        free = [k for k in results if k not in self.taken and self._fits(k, param)]
        return sorted(free, key=lambda k: self.graph.results[k].shape != param.shape)

    def _fits(self, result: int, param: Value) -> bool:
        """Whether a result may stand where a parameter of its size stood, when that was read."""
        end = self.ends[result]
        if self.ended[end] > 1 or self.ended[param] > (end == param):
            return False  # one of two equal results; or the parameter is another result
        if end == param:
            return True
        if end.op in ("param", "constant"):
            return False
        return param in self.takers[result] or end.node not in self.readers.get(param, ())

    def carry(self, result: int, number: int) -> None:
        """A loop's body makes `result` in the place of parameter `number`, if it can."""
        param, end = self.graph.params[number], self.ends[result]
        if end.op not in ("param", "constant") and not self.ended[param]:
            self.wait(param, self.takers[result].get(param, end.node))

    # -- who waits --------------------------------------------------------------------------
    def wait(self, value: Value, node: Node) -> bool:
        """Let `node` run when all others have read `value`; False where one of them needs it."""
        others = [r for r in self.readers.get(value, ()) if r is not node]
        if not others:
            return True
        after = self._after(node)
        if any(r in after for r in others):
            return False
        self.waits.setdefault(node, []).extend(others)
        for reader in others:
            self.waited.setdefault(reader, []).append(node)
        return True

    def _after(self, node: Node) -> set[Node]:
        """Everything that runs after `node`."""
        found: set[Node] = set()
        pending = [node]
        while pending:
            current = pending.pop()
            for user in (*self.graph.uses.get(current, ()), *self.waited.get(current, ())):
                if user not in found:
                    found.add(user)
                    pending.append(user)
        return found

    # -- the order --------------------------------------------------------------------------
    def order(self) -> tuple[Node, ...]:
        """The order of the text where that is allowed and needs no more memory than another."""
        plain = self._plain()
        lean = self._lean(plain)
        memory = _Memory(self)
        return lean if memory.peak(lean) < WORTH * memory.peak(plain) else plain

    def _before(self, node: Node) -> list[Node]:
        inputs = [v.node for v in node.inputs if v.op != "param"]
        return [*dict.fromkeys([*inputs, *self.waits.get(node, ())])]

    def _plain(self) -> tuple[Node, ...]:
        """Depth first from the results, as the text has it; who waits comes later."""
        order: dict[Node, None] = {}
        for last in self.graph.nodes:
            pending = [last]
            while pending:
                node = pending[-1]
                missing = [n for n in self._before(node) if n not in order]
                if node in order or not missing:
                    order[node] = None
                    pending.pop()
                else:
                    pending.extend(reversed(missing))
        return tuple(order)

    def _lean(self, plain: Sequence[Node]) -> tuple[Node, ...]:
        """Of the nodes that can run, always the one after which least memory is in use."""
        place = {node: k for k, node in enumerate(plain)}
        missing = {node: len(self._before(node)) for node in plain}
        after: dict[Node, list[Node]] = {}
        for node in plain:
            for earlier in self._before(node):
                after.setdefault(earlier, []).append(node)
        memory = _Memory(self)
        heap = [(memory.change(n), place[n]) for n in plain if not missing[n]]
        heapq.heapify(heap)
        order: dict[Node, None] = {}
        while heap:
            change, position = heapq.heappop(heap)
            node = plain[position]
            if node in order or change != memory.change(node):
                continue  # it was put in again when this changed
            order[node] = None
            touched = memory.run(node)
            for later in after.get(node, ()):
                missing[later] -= 1
                touched.append(later)
            for other in dict.fromkeys(touched):
                if other not in order and not missing[other]:
                    heapq.heappush(heap, (memory.change(other), place[other]))
        return tuple(order)


class _Memory:
    """How much memory the values of a program need while it runs: those that are neither arguments
    nor results."""

    def __init__(self, planner: _Planner) -> None:
        ends = set(planner.ends)
        self.left = {v: set(nodes) for v, nodes in planner.readers.items()}
        self.size = {
            v: 0 if v in ends or v.op in ("param", "constant") or not v.type.rank else v.type.nbytes
            for v in planner.readers
        }
        self.inputs = {n: tuple(dict.fromkeys(map(_origin, n.inputs))) for n in planner.graph.nodes}

    def made(self, node: Node) -> int:
        """Bytes that the node's results take."""
        return sum(self.size.get(v, 0) for v in node.results)

    def freed(self, node: Node) -> int:
        """Bytes that nobody needs after it."""
        return sum(self.size[v] for v in self.inputs[node] if len(self.left.get(v, ())) == 1)

    def change(self, node: Node) -> int:
        """By how much the node changes what is in use, when it has run."""
        if node.op in ("alias", "barrier"):
            return 0
        return self.made(node) - self.freed(node)

    def run(self, node: Node) -> list[Node]:
        """The node has run; gives the nodes whose `change` is another one now."""
        touched: list[Node] = []
        if node.op in ("alias", "barrier"):
            return touched
        for value in self.inputs[node]:
            left = self.left[value]
            left.discard(node)
            if len(left) == 1:
                touched += left
        return touched

    def peak(self, order: Sequence[Node]) -> int:
        """The most bytes in use at a time."""
        left = {v: len(nodes) for v, nodes in self.left.items()}
        now = most = 0
        for node in order:
            if node.op in ("alias", "barrier"):
                continue
            now += self.made(node)
            most = max(most, now)
            for value in self.inputs[node]:
                left[value] -= 1
                if not left[value]:
                    now -= self.size[value]
        return most
