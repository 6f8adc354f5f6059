"""Running the lazy graph: from pending handles to data.

Takes: handles whose data is wanted. Gives: data in them, in every live handle of their cone, and in
those that build on it (else the shared part would run twice), and in what gradients will read.
Must not know: operations, traces. One lock: forcing is safe from several threads.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.graph import Graph, Node, Value
from lazir.runtime.forks import FORCING, hold_in_forks

from . import donated, engine
from .handle import Handle
from .lazy import LazyNode, cone, has_data, known, record, resolve, structure_key
from .residuals import residuals

Array = np.ndarray[Any, Any]

_MOST_PLANS = 1_024
_lock = threading.RLock()
hold_in_forks(_lock, FORCING)
_pending: dict[int, weakref.KeyedRef[int, Handle]] = {}


class _Plan(NamedTuple):
    """A cached way to run cones of one structure: the program, and which results go where.

    `targets[k]` is (position of a node in the cone, result index) of the program's result k.
    """

    program: engine.Executable
    targets: tuple[tuple[int, int], ...]


_plans: OrderedDict[Hashable, _Plan] = OrderedDict()


def _gone(ref: weakref.KeyedRef[int, Handle]) -> None:
    _pending.pop(ref.key, None)


def watch(handle: Handle) -> None:
    """Note a handle whose data is pending."""
    key = id(handle)
    _pending[key] = weakref.KeyedRef(handle, _gone, key)


def pending_count() -> int:
    """How many live handles wait for their data."""
    return len(_pending)


def force(handles: Iterable[Handle]) -> None:
    """Compute the data of lazy handles."""
    with _lock:
        wanted = [h for h in handles if h._array is None and h._value is not None]
        for handle in wanted:
            donated.check(handle)
        missing = [resolve(h._value) for h in wanted if known(h._value) is None]  # type: ignore[arg-type]
        if missing:
            _run(missing)
        for handle in wanted:
            settle(handle)


def force_values(values: Iterable[Value]) -> None:
    """Compute the data of lazy values."""
    with _lock:
        missing = [resolve(v) for v in values if known(v) is None]
        if missing:
            _run(missing)


def settle(handle: Handle) -> None:
    """Move known data into the handle; a tracked one keeps its history."""
    value = handle._value
    if value is None or handle._array is not None:
        return
    data = known(value)
    if data is None:
        return
    if not value.node.tracked:  # type: ignore[attr-defined]
        handle._array, handle._value = data, None
    _pending.pop(id(handle), None)


def _live() -> list[Handle]:
    found = [ref() for ref in list(_pending.values())]
    return [h for h in found if h is not None and type(getattr(h._value, "node", None)) is LazyNode]


def _related(missing: Sequence[Value], live: Sequence[Handle]) -> list[Value]:
    """The values of live handles whose cones share pending nodes with those of `missing`."""
    interior = {n for n in cone(missing, has_data) if n.data is None}
    oldest = min((n.serial for n in interior), default=0)
    touches: dict[Node, bool] = {n: True for n in interior}

    def stop(node: LazyNode) -> bool:
        return node.data is not None or node.serial < oldest or node in touches

    found = []
    for handle in live:
        assert handle._value is not None
        value = resolve(handle._value)
        if known(value) is not None:
            continue
        for node in cone([value], stop):
            if node not in touches:
                reads = [touches.get(v.node, False) for v in node.inputs]
                touches[node] = node.data is None and any(reads)
        if touches[value.node]:
            found.append(value)
    return found


def _inside(values: Iterable[Value], live: Sequence[Handle]) -> list[Value]:
    """The values of live handles that are computed on the way to `values`.

    Without them a counter that only an optimiser's state holds would be computed from its start in
    every step, by a program that grows.
    """
    nodes = set(cone(values, has_data))
    held = [resolve(h._value) for h in live if h._value is not None]
    return [v for v in held if v.node in nodes and known(v) is None]


def _run(missing: Sequence[Value]) -> None:
    live = _live()
    values = {v: None for v in (*missing, *_related(missing, live))}
    values.update({v: None for v in _inside(values, live)})
    ordered = sorted(values, key=lambda v: (v.node.serial, v.index))  # type: ignore[attr-defined]
    results = [r for n in dict.fromkeys(v.node for v in ordered) for r in n.results]
    order = cone(results, has_data)
    key, inputs = structure_key(order, results, has_data)
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = _make_plan(order, results)
        if len(_plans) > _MOST_PLANS:
            _plans.popitem(last=False)
    else:
        _plans.move_to_end(key)
    arrays = plan.program.call([known(v) for v in inputs])
    data: dict[int, list[Array | None]] = {}
    for (position, index), array in zip(plan.targets, arrays, strict=True):
        slots = data.setdefault(position, [None] * len(order[position].types))
        slots[index] = array
    for position, slots in data.items():
        node = order[position]
        node.data = tuple(slots)  # type: ignore[arg-type]
        if not node.tracked:
            node.inputs = ()  # the history of a known value is not needed any more
    for handle in live:
        settle(handle)


def _make_plan(order: Sequence[LazyNode], results: Sequence[Value]) -> _Plan:
    """Compile a cone; where gradients will be asked for, what they read comes out as well."""
    recording = record(order, results, has_data)
    kept = _residual_values(results)
    nodes = dict.fromkeys(v.node for v in (*results, *kept))
    values = [r for n in nodes for r in n.results]
    position = {n: k for k, n in enumerate(order)}
    graph = Graph(
        "lazy",
        recording.graph.params,
        [recording.mapping[v] for v in values],
        recording.graph.locs,
    )
    targets = tuple((position[v.node], v.index) for v in values)  # type: ignore[index]
    return _Plan(engine.compile(graph), targets)


def _ends_history(node: LazyNode) -> bool:
    return node.data is not None or (node.op == "alias" and node.tracked != 0)


def _residual_values(results: Sequence[Value]) -> list[Value]:
    """The pending values that a later backward pass from `results` reads."""
    ends = [v.node.tracked != 0 for v in results]  # type: ignore[attr-defined]
    if not any(ends):
        return []
    order = cone(results, _ends_history)
    recording = record(order, results, _ends_history)
    tracked = [v.node.tracked != 0 for v in recording.inputs]  # type: ignore[attr-defined]
    needed = set(residuals(recording.graph, tracked, ends))
    found: dict[Value, Value] = {}
    for lazy, value in recording.mapping.items():
        if value in needed and known(lazy) is None:
            found.setdefault(value, resolve(lazy))
    return list(found.values())
