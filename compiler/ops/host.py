"""Calls of the host language from inside a program, and the tokens that keep them in order.

Takes: arrays, and perhaps a token. Gives: arrays, and the next token. A call with a token is an
effect: it is neither merged nor dropped, since the program's last token is one of its results; one
without is pure. Its attribute `index` numbers the host's functions. While a program is traced that
is a `Host`, which knows its function; `number_hosts` makes plain numbers of them, so that code and
text hold nothing of this process. Must not know: what the functions do.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from ..errors import LazirError, ShapeError
from ..graph import Builder, Graph, Node, Value, rewrite
from ..opdef import OPS, Array, Attrs, OpDef, Types, define
from ..types import TensorType, bf16, token
from .families import move_axis_to_front, require
from .source import bf16_bits, bf16_values

HostFunction: TypeAlias = Callable[[Sequence[Array], Types, Types], Sequence[Array]]
"""From operands, their types and those of the results to results; bf16 arrays are uint16 bits."""

TOKEN = TensorType((), token)
METHODS = ("", "sequential", "expand_dims", "broadcast_all")
"""How a callback is batched: not at all; one example after the other; all at once, operands that
all examples share with an axis of 1, or repeated."""

_numbers = itertools.count()


class Host(int):
    """The number of a function of this process, with the function and the types it takes and
    gives."""

    function: HostFunction
    params: Types
    results: Types

    @classmethod
    def of(cls, function: HostFunction, params: Types, results: Types) -> Host:
        """A new number for a function."""
        made = cls(next(_numbers))
        made.function, made.params, made.results = function, params, results
        return made

    def run(self, arrays: Sequence[Array]) -> Sequence[Array]:
        """The results for arrays of the types it takes."""
        return self.function(arrays, self.params, self.results)


# -- the records ---------------------------------------------------------------------------
token_op = define(
    OpDef(
        name="token",
        family="host",
        route="host",
        doc="What the first effect of a program follows.",
        infer=lambda types, attrs: (TOKEN,),
        reference=lambda arrays, attrs, ins, outs: [np.zeros((), np.int8)],
        batch=lambda b, node, xs, axes, size: (node.results, [None]),
        no_gradient="it has no operand",
        examples=lambda rng: [],
        effects=True,
    )
)


def _infer(types: Types, attrs: Attrs) -> Types:
    shapes, dtypes = attrs["shapes"], attrs["dtypes"]
    require(len(shapes) == len(dtypes), "callback: as many shapes as dtypes are needed")
    require(isinstance(attrs["index"], int), "callback: index numbers the host's functions")
    require(attrs["vmap"] in METHODS, f"callback: vmap is one of {METHODS}, not {attrs['vmap']!r}")
    require(
        all(t.dtype is not token for t in types[1:]), "callback: only the first operand is a token"
    )
    data = tuple(TensorType(tuple(s), d) for s, d in zip(shapes, dtypes))
    return (TOKEN, *data) if has_token(types) else data


def has_token(types: Sequence[TensorType]) -> bool:
    """Whether the first of these is a token."""
    return bool(types) and types[0].dtype is token


class _Table(threading.local):
    hosts: Sequence[Host] = ()


_table = _Table()


@contextmanager
def hosts_bound(hosts: Sequence[Host]) -> Iterator[None]:
    """Let the interpreter find these functions by their places, in this thread."""
    before, _table.hosts = _table.hosts, hosts
    try:
        yield
    finally:
        _table.hosts = before


def _reference(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
    index = attrs["index"]
    first = int(has_token(ins))
    host = index if isinstance(index, Host) else None
    if host is None and index < len(_table.hosts):
        host = _table.hosts[index]
    if host is None:
        raise LazirError(f"callback {index} is a function of a process that is not this one")
    given = [bf16_bits(a) if t.dtype is bf16 else a for a, t in zip(arrays[first:], ins[first:])]
    found = host.run(given)
    shown = [bf16_values(a) if t.dtype is bf16 else a for a, t in zip(found, outs[first:])]
    return [*arrays[:first], *shown]


def _batch(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    method = node.attrs["vmap"]
    if method == "":
        raise LazirError(
            "vmap of a pure_callback needs to know how: pass vmap_method='sequential', "
            "'expand_dims' or 'broadcast_all'",
            b.current[0] if b.current else None,
        )
    if method == "sequential" or has_token(node.types):
        return in_turn(b, node, xs, axes, size)
    return _all_at_once(b, node, xs, axes, size)


def _all_at_once(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    host = node.attrs["index"]
    assert isinstance(host, Host)
    operands = []
    for x, axis in zip(xs, axes):
        if axis is None and node.attrs["vmap"] == "expand_dims":
            operands.append(OPS["reshape"](b, x, shape=(1, *x.shape)))
        else:
            operands.append(move_axis_to_front(b, x, axis, size))
    results = tuple(TensorType((size, *t.shape), t.dtype) for t in node.types)
    wide = Host.of(host.function, tuple(x.type for x in operands), results)
    attrs = {**node.attrs, "index": wide, "shapes": tuple(t.shape for t in results)}
    made = callback.node(b, operands, attrs)
    return made.results, [0] * len(results)


callback = define(
    OpDef(
        name="callback",
        family="host",
        route="host",
        doc="A call of the host's function `index`: arrays to arrays, after the token if there is "
        "one.",
        infer=_infer,
        reference=_reference,
        batch=_batch,
        no_gradient="what the function does is not known to lazir",
        examples=lambda rng: [],
        cost=1000.0,
        effects=True,
    )
)


def call_host(
    b: Builder,
    host: Host,
    operands: Sequence[Value],
    after: Value | None = None,
    vmap: str = "sequential",
) -> tuple[Value, ...]:
    """The results of a host's function; with `after` the next token comes first."""
    attrs = {
        "index": host,
        "shapes": tuple(t.shape for t in host.results),
        "dtypes": tuple(t.dtype for t in host.results),
        "vmap": vmap,
    }
    given = operands if after is None else [after, *operands]
    return callback.node(b, given, attrs).results


# -- batching, example by example ------------------------------------------------------------
def in_turn(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    """A node for one example after the other: a `scan` that carries its token, if it has one.

    For effects, whose order and number are what an example has alone, and for branches that must
    not run where they are not taken.
    """
    tokens = [k for k, x in enumerate(xs) if x.type.dtype is token]
    moving = [k for k, a in enumerate(axes) if a is not None]
    fixed = [k for k in range(len(xs)) if k not in tokens and k not in moving]
    order = [*fixed, *tokens, *moving]
    inner = Builder(name=f"{node.op}_in_turn")
    params = {k: inner.param(node.inputs[k].type) for k in order}
    inner.current = b.current
    inputs = tuple(params[k] for k in range(len(xs)))
    made = inner.add(node.op, inputs, node.attrs, node.types, b.current).results
    carried = [v for v in made if v.type.dtype is token]
    if len(carried) != len(tokens):
        raise ShapeError("an effect takes a token and gives one")
    rest = [v for v in made if v.type.dtype is not token]
    rows = [move_axis_to_front(b, xs[k], axes[k], size) for k in moving]
    operands = [*(xs[k] for k in fixed), *(xs[k] for k in tokens), *rows]
    attrs = {
        "body": inner.graph([*carried, *rest]), "n_const": len(fixed), "n_carry": len(tokens),
        "length": size, "reverse": False,
    }  # fmt: skip
    found = OPS["scan"].node(b, operands, attrs).results
    after, data = iter(found[: len(carried)]), iter(found[len(carried) :])
    outs = [next(after) if t.dtype is token else next(data) for t in node.types]
    return outs, [None if t.dtype is token else 0 for t in node.types]


# -- numbers for functions --------------------------------------------------------------------
def number_hosts(graph: Graph) -> tuple[Graph, tuple[Host, ...]]:
    """The graph with its callbacks numbered 0, 1, … in the order of the text, and their functions.

    A graph without callbacks stays itself.
    """
    found: dict[int, Host] = {}
    for part in graph.walk():
        for node in part.nodes:
            index = node.attrs.get("index")
            if node.op == "callback" and isinstance(index, Host):
                found.setdefault(int(index), index)
    if not found:
        return graph, ()
    places = {number: k for k, number in enumerate(found)}
    return _numbered(graph, places), tuple(found.values())


def _numbered(graph: Graph, places: dict[int, int]) -> Graph:
    def change(value: Any) -> Any:
        if isinstance(value, Graph):
            return _numbered(value, places)
        if isinstance(value, tuple) and any(isinstance(v, Graph) for v in value):
            return tuple(map(change, value))
        return places[int(value)] if isinstance(value, Host) else value

    def replace(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        attrs = {name: change(value) for name, value in node.attrs.items()}
        if all(attrs[name] is value for name, value in node.attrs.items()):
            return None
        return b.add(node.op, inputs, attrs, node.types, graph.locs.get(node, ())).results

    return rewrite(graph, replace)
