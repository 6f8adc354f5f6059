"""Traces: the builders that record what a function does to its placeholder arguments.

Takes: functions run under `tracing`. Gives: TraceBuilder, the active builder, captures.
Must not know: operations. The stack of active traces is one per thread.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.errors import TraceError
from lazir.compiler.graph import Builder, Graph, Node, Value
from lazir.compiler.mlir.ir import Loc
from lazir.compiler.ops.source import CONSTANT_BYTES, array_constant
from lazir.compiler.types import TensorType

from . import donated
from .handle import Handle, array_and_dtype, wrap
from .lazy import LAZY, LazyNode, Locs, leaf, leaked, made_at, remember
from .locate import user_line, user_location

UNROLL_WARNING = 20_000
"""A trace of more nodes than this is most likely an unrolled Python loop; the user is told once."""


class Write(NamedTuple):
    """An assignment into a tensor that the trace did not make: what it was before."""

    handle: Handle
    array: Any
    value: Value | None


class TraceBuilder(Builder):
    """The Builder of one traced function. The outermost one also collects what the function
    captures:

    `captures`: handle or lazy value → parameter, in order of first use. `token`: what the next
    effect follows, None before the first; in a body (`is_body`) the first is its last
    parameter.
    """

    parent: TraceBuilder | None

    def __init__(
        self, parent: TraceBuilder | None = None, name: str = "main", is_body: bool = False
    ) -> None:
        super().__init__(parent, name)
        self.is_body = is_body
        self.token: Value | None = None
        self.locs = Locs()
        remember(self.locs)
        self.root: TraceBuilder = self if parent is None else parent.root
        self.captures: dict[int, tuple[Handle, Value]] = {}
        self.arrays: dict[int, tuple[Any, Value]] = {}
        self.writes: dict[int, Write] = {}
        self.live = True

    def here(self) -> tuple[Loc, ...]:
        return user_location()

    def add(self, *args: Any, **kwargs: Any) -> Node:
        node = super().add(*args, **kwargs)
        if len(self._owned) == UNROLL_WARNING:
            where = user_line()
            place = f"{where.file}:{where.line}: " if where else ""
            warnings.warn(
                f"{place}this trace has {UNROLL_WARNING} operations; a Python loop over a traced "
                "size is unrolled, lz.fori_loop or lz.scan keeps it a loop",
                stacklevel=2,
            )
        return node

    def read(self, handle: Handle) -> Value:
        """The value of a tensor in this trace; a tensor from outside becomes a capture."""
        value = handle._value
        if value is not None and type(value.node) is not LazyNode:
            if self.owner(value.node) is None:
                raise leaked(made_at(value.node), user_line())
            return value
        return self.root._capture(handle)

    def _capture(self, handle: Handle) -> Value:
        known = self.captures.get(id(handle))
        if known is None:
            donated.check(handle)
            value = self.param(TensorType(handle.shape, handle._dtype), "captured")
            known = self.captures[id(handle)] = (handle, value)
        return known[1]

    def note_write(self, handle: Handle) -> None:
        """Remember what a tensor of the caller's was before the trace assigned into it.

        TraceError inside a body (of a loop, branch or derivative), whose effects have no order.
        """
        value = handle._value
        if value is not None and self.owner(value.node) is self:
            return
        if self is not self.root:
            raise TraceError(
                "this assigns into a tensor from outside of the function that is traced here; "
                "a loop body, branch or differentiated function returns new values instead: "
                "y = x.at[i].set(v)",
                user_line(),
            )
        self.read(handle)
        self.writes.setdefault(id(handle), Write(handle, handle._array, value))

    def read_array(self, array: np.ndarray[Any, Any]) -> Value:
        """A NumPy array in this trace: a small one is a constant, a larger one captured (and
        copied).
        """
        stored, dtype = array_and_dtype(array)
        if stored.nbytes <= CONSTANT_BYTES:
            return array_constant(self, stored.copy(), dtype)
        root = self.root
        known = root.arrays.get(id(array))
        if known is None:
            handle = wrap(leaf(np.array(stored, order="C"), dtype).result)
            known = root.arrays[id(array)] = (array, root._capture(handle))
        return known[1]


class _Stack(threading.local):
    def __init__(self) -> None:
        self.builders: list[TraceBuilder] = []


_stack = _Stack()


def active() -> TraceBuilder | None:
    """The innermost trace of this thread, or None."""
    builders = _stack.builders
    return builders[-1] if builders else None


def builder() -> Builder:
    """Where operations go now: the innermost trace, else the lazy graph."""
    builders = _stack.builders
    return builders[-1] if builders else LAZY


@contextmanager
def tracing(new: TraceBuilder) -> Iterator[TraceBuilder]:
    """Make `new` the innermost trace while the body runs."""
    _stack.builders.append(new)
    try:
        yield new
    finally:
        _stack.builders.pop()
        new.live = False


class Body(NamedTuple):
    """A traced function: a closed Graph whose first parameters are `captures`.

    The captures are values of the active trace, or lazy values where none is active.
    """

    graph: Graph
    captures: list[Value]


def close_body(inner: TraceBuilder, results: Sequence[Value]) -> Body:
    """End a trace opened by `tracing(TraceBuilder(active()))`."""
    if inner.parent is not None:
        graph, captures = inner.close(results)
        return Body(graph, captures)
    held = list(inner.captures.values())
    captured = {value for _, value in held}
    own = [p for p in inner.params if p not in captured]
    names = dict(zip(inner.params, inner.param_names))
    params = [value for _, value in held] + own
    graph = Graph(inner.name, params, results, inner.locs, [names[p] for p in params])
    return Body(graph, [lazy_value(handle) for handle, _ in held])


def lazy_value(handle: Handle) -> Value:
    """The handle as a value of the lazy graph."""
    value = handle._value
    if value is None:
        array = handle._array
        assert array is not None
        value = leaf(array, handle._dtype).result
        handle._value = value
    elif type(value.node) is not LazyNode:
        raise leaked(made_at(value.node), user_line())
    elif value.node.op == "donated":
        donated.check(handle)
    return value


def outside(what: str, advice: str) -> TraceError:
    """The error for asking for a number while tracing."""
    return TraceError(
        f"{what} of a traced tensor is not known while tracing; {advice}", user_line()
    )
