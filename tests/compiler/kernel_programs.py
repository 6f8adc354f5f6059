"""Programs by hand for tests that take them through every stage: each a Graph of a few kernels.

Takes: nothing. Gives: `PROGRAMS`, Graphs by name, and `inputs_of`, seeded arrays for one.
Must not know: what the stages make of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import lazir.compiler.ops  # noqa: F401  (fills the table)
from lazir.compiler.fuse.kernels import to_kernels
from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.mlir.ir import Dense
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import bf16_bits, constant
from lazir.compiler.passes import optimize
from lazir.compiler.schedule.kinds import SCHEDULES
from lazir.compiler.schedule.program import _LOWER
from lazir.compiler.types import (
    DType,
    TensorType,
    bf16,
    f32,
    f64,
    i1,
    i32,
    i64,
    tensor,
    ui8,
    ui32,
)

Array = np.ndarray[Any, Any]
Values = Sequence[Value]
PROGRAMS: dict[str, Graph] = {}


class Maker:
    """Short names for the ops of one Graph under construction."""

    def __init__(self, name: str) -> None:
        self.b = Builder(name=name)

    def __getattr__(self, op: str) -> Callable[..., Value]:
        return lambda *inputs, **attrs: OPS[op](self.b, *inputs, **attrs)

    def many(self, op: str, *inputs: Value, **attrs: Any) -> Values:
        return OPS[op].many(self.b, *inputs, **attrs)

    def number(self, value: float, dtype: DType = f32) -> Value:
        return constant(self.b, value, dtype)

    def spread(self, x: Value, shape: tuple[int, ...], *axes: int) -> Value:
        return OPS["broadcast"](self.b, x, shape=shape, axes=axes)

    def dot(self, x: Value, y: Value) -> Value:
        axes = {"lhs_contracting": (1,), "rhs_contracting": (0,), "lhs_batch": (), "rhs_batch": ()}
        return OPS["dot_general"](self.b, x, y, **axes)

    def table(self, array: Array, dtype: DType) -> Value:
        dense = Dense(TensorType(array.shape, dtype), np.ascontiguousarray(array))
        return OPS["constant"](self.b, value=dense)


Build = Callable[..., "Values | Value"]


def program(*types: TensorType) -> Callable[[Build], Build]:
    """Enter the Graph that a function of (maker, *parameters) builds, under its name."""

    def enter(build: Build) -> Build:
        name = build.__name__
        PROGRAMS[name] = graph_of(name, types, build)
        return build

    return enter


def graph_of(name: str, types: Sequence[TensorType], build: Build) -> Graph:
    m = Maker(name)
    names = "xyzuvw"
    made = build(m, *(m.b.param(t, names[k]) for k, t in enumerate(types)))
    return m.b.graph([made] if isinstance(made, Value) else list(made))


def op_graphs(name: str, count: int) -> list[Graph]:
    """One-op Graphs from the first examples of a record; none of an op that is not lowered."""
    found = []
    examples = OPS[name].examples(np.random.default_rng(zlib.crc32(name.encode())))
    for k, (types, attrs) in enumerate(examples[:count]):
        if name == "copysign" and types[0].dtype is bf16:
            continue  # LLVM 22 on x86 stops with an assertion where it meets copysign of bf16
        b = Builder(name=f"{name}_{k}")
        found.append(b.graph(OPS[name].many(b, *map(b.param, types), **attrs)))
    return list(filter(is_lowered, found))


def is_lowered(graph: Graph) -> bool:
    """Whether the program lowering takes every step of a graph, and so every stage exists."""

    def lowered(kernels: Graph) -> bool:
        kinds = {n.attrs["kernel"].kind for n in kernels.nodes if n.op == "kernel"}
        return kinds <= set(SCHEDULES) and {n.op for n in kernels.nodes} <= set(_LOWER)

    return all(map(lowered, to_kernels(optimize(graph)).walk()))


def inputs_of(graph: Graph) -> list[Array]:
    """Arrays for the parameters: floats of size 1, small integers (negative ones too)."""
    rng = np.random.default_rng(zlib.crc32(graph.name.encode()))
    found = []
    for type in graph.param_types:
        dtype = type.dtype
        if dtype.is_bool:
            array = rng.integers(0, 2, type.shape).astype(bool)
        elif dtype.is_integer:
            array = rng.integers(0 if dtype.kind == "uint" else -3, 9, type.shape)
            array = array.astype(dtype.numpy)
        elif dtype is bf16:
            array = bf16_bits(rng.standard_normal(type.shape).astype(np.float32))
        else:
            array = rng.standard_normal(type.shape).astype(dtype.numpy)
        found.append(np.asarray(array))
    return found


# -- rows and products ----------------------------------------------------------------------------
@program(tensor(f32, 5, 37))
def softmax(m: Maker, x: Value) -> Value:
    shifted = m.sub(x, m.spread(m.reduce_max(x, axes=(1,)), x.shape, 0))
    e = m.exp(shifted)
    return m.div(e, m.spread(m.reduce_sum(e, axes=(1,)), x.shape, 0))


@program(tensor(f32, 3, 4, 16), tensor(f32, 16), tensor(f32, 16))
def layer_norm(m: Maker, x: Value, scale: Value, bias: Value) -> Value:
    count = m.spread(m.number(16), (3, 4))
    mean = m.div(m.reduce_sum(x, axes=(2,)), count)
    centred = m.sub(x, m.spread(mean, x.shape, 0, 1))
    variance = m.div(m.reduce_sum(m.mul(centred, centred), axes=(2,)), count)
    factor = m.rsqrt(m.add(variance, m.spread(m.number(1e-5), (3, 4))))
    normal = m.mul(centred, m.spread(factor, x.shape, 0, 1))
    return m.add(m.mul(normal, m.spread(scale, x.shape, 2)), m.spread(bias, x.shape, 2))


@program(tensor(f32, 7, 20), tensor(f32, 20, 18), tensor(f32, 18))
def dense_layer(m: Maker, x: Value, w: Value, b: Value) -> Values:
    y = m.add(m.dot(x, w), m.spread(b, (7, 18), 1))
    y = m.maximum(y, m.spread(m.number(0), (7, 18)))
    return [y, m.reduce_sum(y, axes=(0,)), m.reduce_sum(y, axes=(0, 1))]


@program(tensor(bf16, 9, 6), tensor(bf16, 6, 5))
def bf16_product(m: Maker, x: Value, y: Value) -> Values:
    return [m.dot(x, y), m.reduce_sum(x, axes=(1,))]


@program(tensor(f64, 6, 11), tensor(i32, 6, 11))
def positions(m: Maker, x: Value, n: Value) -> Values:
    below = m.reduce_any(m.less(x, m.floor(x)), axes=(1,))
    return [m.argmax(x, axes=(1,)), m.argmin(n, axes=(0,)), below]


WINDOW = {
    "window": (2, 3), "stride": (1, 2), "low": (1, 0), "high": (0, 1), "base_dilation": (1, 1),
    "window_dilation": (1, 1),
}  # fmt: skip


@program(tensor(f32, 2, 3, 6, 7), tensor(f32, 4, 3, 3, 2), tensor(f32, 4), tensor(f32, 6, 7))
def convolution_and_pool(m: Maker, x: Value, w: Value, b: Value, plane: Value) -> Values:
    y = m.conv(
        x, w, lhs="nc01", rhs="oi01", out="nc01", stride=(1, 2), low=(1, 0), high=(1, 1),
        lhs_dilation=(1, 1), rhs_dilation=(1, 2),
    )  # fmt: skip
    y = m.maximum(m.add(y, m.spread(b, y.shape, 1)), m.spread(m.number(0), y.shape))
    return [y, m.reduce_window(plane, op="max", **WINDOW)]


# -- views ----------------------------------------------------------------------------------------
@program(tensor(f32, 4, 6), tensor(f32, 3, 6))
def pad_and_concat(m: Maker, x: Value, y: Value) -> Values:
    padded = m.pad(x, m.number(1.5), low=(1, 0), high=(0, 2), interior=(1, 0))
    return [padded, m.concat(x, y, axis=0), m.reverse(m.concat(y, x, axis=0), axes=(0, 1))]


@program(tensor(f32, 4, 6), tensor(f32, 2, 3))
def prefixes(m: Maker, x: Value, y: Value) -> Value:
    """The first rows and columns of x, and a strided part."""
    first = m.slice(x, start=(0, 0), limit=(2, 3), stride=(1, 1))
    other = m.slice(x, start=(1, 1), limit=(4, 6), stride=(2, 2))
    return m.add(m.mul(first, y), other)


@program(tensor(i64, 2, 3, 4))
def reshapes(m: Maker, x: Value) -> Values:
    flat = m.reshape(m.transpose(x, permutation=(2, 0, 1)), shape=(24,))
    return [flat, m.reshape(x, shape=(4, 6)), m.reshape(x, shape=(1, 6, 4, 1)), m.neg(x)]


@program(tensor(f32), tensor(f32, 1, 1))
def scalars(m: Maker, x: Value, y: Value) -> Values:
    return [m.add(x, m.reshape(y, shape=())), m.reshape(x, shape=(1, 1, 1))]


@program(tensor(f32, 0, 4), tensor(f32, 3, 0))
def empty(m: Maker, x: Value, y: Value) -> Values:
    return [m.exp(x), m.reduce_sum(y, axes=(1,)), m.reshape(x, shape=(2, 0)), m.neg(y)]


@program(tensor(f64, 5))
def array_constants(m: Maker, x: Value) -> Values:
    table = m.table(np.array([1.0, -0.0, np.inf, 1 / 3, np.nan]), f64)
    flags = m.table(np.array([True, False, True, True, False]), i1)
    return [m.mul(x, table), m.select(flags, x, table), table]


@program(tensor(ui8, 40), tensor(ui32, 40), tensor(i1, 40))
def unsigned_and_bools(m: Maker, x: Value, y: Value, flags: Value) -> Values:
    wide = m.convert(x, dtype=ui32)
    return [m.div(y, m.bit_or(wide, y)), m.bit_and(flags, m.less(wide, y)), m.bit_not(flags)]


# -- indices --------------------------------------------------------------------------------------
ROWS = {"axes": (0,), "collapsed": (0,), "operand_batch": (), "index_batch": (), "offset": (1,)}


@program(tensor(f32, 6, 4), tensor(i32, 5, 1), tensor(f32, 5, 4))
def take_and_put(m: Maker, x: Value, at: Value, new: Value) -> Values:
    taken = m.gather(x, at, sizes=(1, 4), mode="fill", **ROWS)
    added = m.scatter(x, at, m.mul(new, taken), op="add", mode="drop", **ROWS)
    placed = m.scatter(x, at, new, op="set", mode="clip", **ROWS)
    return [taken, added, placed]


@program(tensor(f32, 6, 4), tensor(i32), tensor(f32, 2, 4))
def moving_slice(m: Maker, x: Value, at: Value, new: Value) -> Values:
    zero = m.number(0, i32)
    part = m.dynamic_slice(x, at, zero, sizes=(3, 4))
    return [part, m.dynamic_update_slice(x, new, at, zero)]


@program(tensor(f64), tensor(f64))
def one_element(m: Maker, x: Value, y: Value) -> Value:
    """An update of a scalar: a scatter without any loop."""
    place = m.table(np.zeros(0, np.int32), i32)
    attrs = {"axes": (), "collapsed": (), "operand_batch": (), "index_batch": (), "offset": ()}
    return m.scatter(x, place, y, op="mul", mode="drop", **attrs)


# -- order ----------------------------------------------------------------------------------------
@program(tensor(f32, 4, 37), tensor(bf16, 6, 5), tensor(i1, 11))
def running_values(m: Maker, x: Value, y: Value, flags: Value) -> Values:
    """Two sums in one kernel, one from the end, and a mean of what came before."""
    sums = m.cumsum(m.exp(x), axis=1, reverse=True)
    twice = m.cumsum(m.mul(sums, x), axis=1, reverse=True)
    most = m.cummax(m.spread(y, (6, 2, 5), 0, 2), axis=0, reverse=False)
    return [m.add(twice, sums), sums, most, m.cummin(flags, axis=0, reverse=False)]


@program(tensor(f32, 5, 21), tensor(ui8, 5, 21), tensor(i1, 5, 21))
def sorted_rows(m: Maker, x: Value, y: Value, flags: Value) -> Values:
    """By two keys along rows, by one along columns with the places."""
    ramp = m.iota(shape=x.shape, axis=0, dtype=i32)
    first = m.many("sort", flags, y, x, axis=1, num_keys=2)
    return [*first, *m.many("sort", m.abs(x), ramp, axis=0, num_keys=1)]


# -- control --------------------------------------------------------------------------------------
def less_than(limit: float) -> Build:
    """A condition: the counter, which is the last parameter but one, is below a limit."""
    return lambda m, *vs: m.less(vs[-2], m.number(limit, i32))


@program(tensor(f32, 3), tensor(f32, 3), tensor(i32), tensor(f32, 3))
def counting_loop(m: Maker, a: Value, unused: Value, i: Value, x: Value) -> Values:
    """A loop whose second constant is read by nobody."""
    types = (a.type, a.type, i.type, x.type)

    def step(m: Maker, a: Value, unused: Value, i: Value, x: Value) -> Values:
        return [m.add(i, m.number(1, i32)), m.add(m.mul(a, x), a)]

    body, test = graph_of("body", types, step), graph_of("cond", types, less_than(4))
    return m.many("while", a, unused, i, x, cond=test, body=body, n_const=2)


@program(tensor(f32, 3), tensor(i32), tensor(f32, 3))
def twice_the_same_constant(m: Maker, a: Value, i: Value, x: Value) -> Values:
    """A loop that takes one value as two constants, in an order other than it reads them."""
    types = (a.type, a.type, a.type, i.type, x.type)

    def step(m: Maker, a: Value, b: Value, c: Value, i: Value, x: Value) -> Values:
        return [m.add(i, m.number(1, i32)), m.sub(m.mul(b, x), m.mul(a, c))]

    body, test = graph_of("body", types, step), graph_of("cond", types, less_than(3))
    other = m.exp(a)
    return m.many("while", a, other, a, i, x, cond=test, body=body, n_const=3)


@program(tensor(i32), tensor(f32, 8))
def update_in_a_loop(m: Maker, i: Value, x: Value) -> Values:
    """Each turn writes one element, in place in machine code."""

    def step(m: Maker, i: Value, x: Value) -> Values:
        old = m.dynamic_slice(x, i, sizes=(1,))
        return [
            m.add(i, m.number(1, i32)),
            m.dynamic_update_slice(x, m.add(old, m.spread(m.number(2), (1,))), i),
        ]

    types = (i.type, x.type)
    body, test = graph_of("body", types, step), graph_of("cond", types, less_than(7))
    return m.many("while", i, x, cond=test, body=body, n_const=0)


def _branches(*types: TensorType) -> tuple[Graph, ...]:
    def nested(m: Maker, x: Value, y: Value) -> Values:
        inner = (
            graph_of("no", types, lambda m, x, y: [m.sub(x, y)]),
            graph_of("yes", types, lambda m, x, y: [x]),
        )
        flag = m.less(m.reduce_sum(x, axes=(0,)), m.number(0))
        return [m.many("cond", flag, y, x, branches=inner)[0], y]

    return (
        graph_of("first", types, lambda m, x, y: [m.mul(y, x), y]),
        graph_of("second", types, lambda m, x, y: [y, x]),
        graph_of("third", types, nested),
    )


@program(tensor(i32), tensor(i1), tensor(f32, 5), tensor(f32, 5))
def choices(m: Maker, which: Value, flag: Value, x: Value, y: Value) -> Values:
    branches = _branches(x.type, y.type)
    some = m.many("cond", which, x, y, branches=branches)
    return [*some, *m.many("cond", flag, x, x, branches=branches[1:])]


@program(tensor(f32, 4), tensor(f32, 4))
def held_back(m: Maker, x: Value, y: Value) -> Values:
    late = m.many("barrier", x, y, m.exp(y), n=2)
    return [m.mul(late[0], late[1]), late[0]]


@program(tensor(f32, 4, 3), tensor(f32, 3))
def running_sum(m: Maker, rows: Value, start: Value) -> Values:
    types = (start.type, start.type)
    body = graph_of("body", types, lambda m, c, row: [m.add(c, row), m.mul(c, row)])
    return m.many("scan", start, rows, body=body, n_const=0, n_carry=1, length=4, reverse=True)
