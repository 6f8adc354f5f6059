"""One specialisation of a compiled function: its graph, its program, and how results come back.

Takes: a function and the kinds of its arguments. Gives: `trace` → Specialisation, whose `run` calls
the program. Must not know: caching between specialisations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.graph import Graph, Value
from lazir.compiler.types import bf16, ui16

from . import engine, tree
from .apply import NUMBERS, lift, operand, tensor
from .donation import donating, finish_donation
from .dtypes import DEFAULT_INT, default_float
from .handle import Handle, array_and_dtype, wrap, wrap_array
from .hints import call_checked
from .lazy import LAZY, known
from .pending import force
from .signature import Call, Leaf
from .tokens import follow
from .trace import TraceBuilder, lazy_value, tracing
from .tree import Structure


class Effect(NamedTuple):
    """An assignment that the function made into a tensor of its caller: result `result` belongs in
    argument leaf `leaf`, or in `handle` where that is not an argument."""

    result: int
    leaf: int | None
    handle: Handle | None


class Traced(NamedTuple):
    """What tracing recorded. `graph`'s parameters are the argument leaves, then `captures`; its
    results those of the function, then the assignments, then the last token if it has effects.
    `donated` are the leaves that are given away."""

    graph: Graph
    in_tree: Structure
    out_tree: Structure
    out_weak: tuple[bool, ...]
    captures: tuple[Handle, ...]
    effects: tuple[Effect, ...]
    donated: tuple[int, ...] = ()

    @property
    def out_specs(self) -> list[Any]:
        """The types of the results, in the order of the tree's leaves."""
        return list(self.graph.result_types[: len(self.out_weak)])

    def __str__(self) -> str:
        return str(engine.text(self.graph, "graph", donated=self.donated))


def trace(fn: Callable[..., Any], call: Call, names: Sequence[str], name: str) -> Traced:
    """Run `fn` on placeholders for the leaves of `call`."""
    builder = TraceBuilder(name=name)
    params = [builder.param(kind.type, label) for kind, label in zip(call.kinds, names)]
    holders = [wrap(p, kind.weak) for p, kind in zip(params, call.kinds)]
    args, kwargs = call.arguments(holders)
    try:
        with tracing(builder):
            out = call_checked(fn, args, kwargs)
            leaves, out_tree = tree.flatten(out)
            found = [_result(x, name) for x in leaves]
            results = [lift(o) for o in found]
            effects, results = _effects(builder, holders, params, results)
            if builder.token is not None:
                results = [*results, builder.token]
    finally:
        for write in builder.writes.values():
            write.handle._array, write.handle._value = write.array, write.value
    captured = list(builder.captures.values())
    ordered = [*params, *(value for _, value in captured)]
    label = dict(zip(builder.params, builder.param_names))
    graph = Graph(name, ordered, results, builder.locs, [label[p] for p in ordered])
    return Traced(
        graph,
        call.structure,
        out_tree,
        tuple(o.weak for o in found),
        tuple(handle for handle, _ in captured),
        effects,
    )


def frozen(traced: Traced) -> Traced:
    """The same function with the captured tensors as they are now: what depends on them alone is
    computed here, and their later values are not seen."""
    if any(effect.leaf is None for effect in traced.effects):
        raise TypeError(
            f"{traced.graph.name} assigns to a tensor from outside, which freeze=True takes as it "
            "is once and for all; return the new value, or leave out freeze=True"
        )
    free = len(traced.graph.params) - len(traced.captures)
    before, after, kept = engine.freeze(traced.graph, free)
    force(list(traced.captures))
    arrays = [_array(h, Leaf(h._dtype, h.shape, False)) for h in traced.captures]
    made = engine.compile(before).call(arrays)
    handles = [wrap_array(arrays[k].copy(), traced.captures[k]._dtype) for k in kept]
    handles += [wrap_array(a, t.dtype) for a, t in zip(made, before.result_types)]
    return traced._replace(graph=after, captures=tuple(handles))


def _result(x: Any, name: str) -> Any:
    if not isinstance(x, Handle | np.ndarray | np.generic) and not isinstance(x, NUMBERS):
        raise TypeError(
            f"{name} returned a {type(x).__name__}; a compiled function returns tensors, numbers, "
            "and tuples, lists and dicts of them"
        )
    return operand(x)


def _effects(
    builder: TraceBuilder, holders: Sequence[Handle], params: Sequence[Value], results: list[Value]
) -> tuple[tuple[Effect, ...], list[Value]]:
    """Results for the arguments and captured tensors that the function assigned into."""
    effects: list[Effect] = []
    for k, (holder, param) in enumerate(zip(holders, params)):
        if holder._value is not param and holder._value != param:
            effects.append(Effect(len(results), k, None))
            results = [*results, builder.read(holder)]
    for write in builder.writes.values():
        if any(write.handle is holder for holder in holders):
            continue
        effects.append(Effect(len(results), None, write.handle))
        results = [*results, builder.read(write.handle)]
    return tuple(effects), results


class Specialisation:
    """A traced function with its program."""

    def __init__(self, call: Call, traced: Traced, device: str | None) -> None:
        self.call = call
        self.traced = traced
        self.kinds: tuple[Leaf, ...] = call.kinds
        scalars = frozenset(k for k, kind in enumerate(self.kinds) if _is_number(kind))
        self.program = engine.compile(traced.graph, device, scalars, traced.donated)
        self._dtypes = [t.dtype for t in traced.graph.result_types]
        self._count = len(traced.out_weak)
        self._donating: dict[tuple[int, ...], Callable[..., Any]] = {}

    @property
    def flat(self) -> bool:
        """Whether the arguments are positional, and none is a container."""
        positional, named = self.call.structure.children
        return named.leaf_count == 0 and all(c.kind is None for c in positional.children)

    @property
    def direct(self) -> Callable[..., Any] | None:
        """The builtin to try on the leaves before anything is looked at in Python; None where its
        checks would not be enough: it knows nothing of static arguments, and tells arrays apart by
        NumPy's dtypes, which bf16 and ui16 share."""
        dtypes = [*[k.dtype for k in self.kinds], *[h._dtype for h in self.traced.captures]]
        weak = any(k.weak and not _is_number(k) for k in self.kinds)
        if weak or any(d in (bf16, ui16) for d in dtypes):
            return None
        if self.call.statics or self.traced.effects or not self.kinds:
            return None
        if self.traced.donated:
            return donating(self._builtin(self.traced.donated), self.traced.donated)
        return self.program.call_fast

    @property
    def single(self) -> bool:
        """Whether the function returns one tensor, not in a container, and has no effects."""
        return self.traced.out_tree.kind is None and len(self._dtypes) == 1

    def run(self, leaves: Sequence[Any], donate: Sequence[int] = ()) -> Any:
        """Call the program; lazily where a gradient is to be recorded."""
        inputs = [*leaves, *self.traced.captures]
        handles = [x for x in inputs if isinstance(x, Handle)]
        if any(_is_tracked(h) for h in handles):
            return self._record(inputs)
        force(handles)
        arrays = [_array(x, kind) for x, kind in zip(inputs, self._kinds())]
        try:
            results = self._call(arrays, tuple(donate))
        except BaseException:
            finish_donation(leaves, donate)  # the program may have overwritten them by now
            raise
        made = [wrap_array(a, d) for a, d in zip(results, self._dtypes)]
        return self._return(made, leaves)

    def _call(self, arrays: Sequence[Any], donate: tuple[int, ...]) -> Sequence[Any]:
        """The program's results, in the places of donated arguments where it can be."""
        if not donate:
            return self.program.call(arrays)
        out = self._builtin(donate)(*arrays)
        if out is NotImplemented:
            return self.program.call(arrays, donate=donate)
        return (out,) if len(self._dtypes) == 1 else out

    def _builtin(self, donate: tuple[int, ...]) -> Callable[..., Any]:
        """The program's builtin that overwrites these arguments."""
        found = self._donating.get(donate)
        if found is None:
            found = self._donating[donate] = self.program.fast_donating(donate)
        return found

    def _kinds(self) -> list[Leaf]:
        captured = [Leaf(h._dtype, h.shape, False) for h in self.traced.captures]
        return [*self.kinds, *captured]

    def stale(self) -> str:
        """Why the captured tensors do not fit any more, empty where they do."""
        wanted = self.traced.graph.param_types[len(self.kinds) :]
        for handle, type in zip(self.traced.captures, wanted):
            if handle.shape != type.shape or handle._dtype is not type.dtype:
                now = Leaf(handle._dtype, handle.shape, False)
                return f"a captured tensor was {type.short} and is {now}"
        return ""

    def _record(self, inputs: Sequence[Any]) -> Any:
        """The function's operations in the lazy graph, so that gradients flow."""
        graph = self.traced.graph
        values = []
        for x, kind in zip(inputs, self._kinds()):
            if isinstance(x, Handle):
                values.append(lazy_value(x))
            else:
                values.append(lift(operand(x), kind.dtype))
        results = LAZY.inline(graph.results, dict(zip(graph.params, values)), graph.locs)
        follow(results)
        return self._return([tensor(r) for r in results], inputs)

    def _return(self, made: Sequence[Any], leaves: Sequence[Any]) -> Any:
        for effect in self.traced.effects:
            target = effect.handle if effect.leaf is None else leaves[effect.leaf]
            _store(target, made[effect.result])
        results = made[: self._count]
        for result, weak in zip(results, self.traced.out_weak):
            result._weak = weak
        return tree.unflatten(self.traced.out_tree, results)


def _is_number(kind: Leaf) -> bool:
    """Whether it is the kind of a Python number."""
    return kind.weak and kind.shape == () and kind.dtype in (default_float(), DEFAULT_INT)


def _is_tracked(handle: Handle) -> bool:
    value = handle._value
    return value is not None and handle._array is None and bool(value.node.tracked)  # type: ignore[attr-defined]


def _store(target: Any, new: Any) -> None:
    """Write an assignment of the function back into the caller's tensor or array."""
    if isinstance(target, Handle):
        target._assign(new)  # type: ignore[attr-defined]
    elif isinstance(target, np.ndarray):
        target[...] = new.numpy()


def _array(x: Any, kind: Leaf) -> Any:
    """An argument leaf as the array (or Python number) that the program reads."""
    if isinstance(x, Handle):
        data = x._array
        if data is None:
            assert x._value is not None
            data = known(x._value)
        assert data is not None
        return data
    if isinstance(x, np.ndarray | np.generic):
        return array_and_dtype(np.asarray(x))[0]
    return x if kind.weak else np.array(x, kind.dtype.numpy)
