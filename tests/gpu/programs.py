"""Small programs that the GPU tests compile, assemble and run.

Gives: `PROGRAMS`, name to a function that builds the Graph, and `arguments`, seeded inputs for one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

import lazir.compiler.ops
from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import array_constant
from lazir.compiler.types import (
    DType,
    bf16,
    f16,
    f32,
    f64,
    i1,
    i8,
    i32,
    i64,
    tensor,
    ui8,
    ui32,
)  # fmt: skip

__all__ = ["PROGRAMS", "arguments"]
assert lazir.compiler.ops, "fills the op table"

Body = Callable[[Builder, list[Value]], Sequence[Value]]
PROGRAMS: dict[str, Callable[[], Graph]] = {}


def program(name: str, *types: tuple[DType, tuple[int, ...]]) -> Callable[[Body], Body]:
    """Registers `body(builder, params)` under a name."""

    def register(body: Body) -> Body:
        def build() -> Graph:
            b = Builder(name=name)
            params = [b.param(tensor(d, *shape)) for d, shape in types]
            return b.graph(list(body(b, params)))

        PROGRAMS[name] = build
        return body

    return register


def arguments(graph: Graph, seed: int = 0) -> list[np.ndarray[Any, Any]]:
    """Random inputs, bf16 as bits: floats around 0, integers of all sizes, bools."""
    rng = np.random.default_rng([seed, zlib.crc32(graph.name.encode())])
    made = []
    for t in graph.param_types:
        if t.dtype is bf16:
            values = rng.standard_normal(t.shape).astype(ml_dtypes.bfloat16).view(np.uint16)
        elif t.dtype.is_float:
            values = rng.standard_normal(t.shape).astype(t.dtype.numpy)
        elif t.dtype is i1:
            values = rng.integers(0, 2, t.shape).astype(bool)
        else:
            info = np.iinfo(t.dtype.numpy)
            values = rng.integers(info.min, info.max, t.shape, t.dtype.numpy, endpoint=True)
        made.append(values)
    return made


def op(b: Builder, name: str, *values: Value, **attrs: Any) -> Value:
    return OPS[name](b, *values, **attrs)  # type: ignore[no-any-return]


def along(b: Builder, y: Value, x: Value, axis: int) -> Value:
    """A value reduced over `axis`, repeated to the shape of x."""
    axes = tuple(k for k in range(len(x.shape)) if k != axis)
    return op(b, "broadcast", y, shape=x.shape, axes=axes)


# -- maps ------------------------------------------------------------------------------------------
for _dtype in (f16, bf16, f32, f64):

    @program(f"chain_{_dtype}", (_dtype, (5, 77)), (_dtype, (77,)))
    def _chain(b: Builder, xs: list[Value]) -> list[Value]:
        x, y = xs
        y = op(b, "broadcast", y, shape=x.shape, axes=(1,))
        return [op(b, "add", op(b, "mul", op(b, "tanh", x), y), op(b, "exp", y))]


for _dtype in (i8, i32, i64, ui8, ui32):

    @program(f"whole_{_dtype}", (_dtype, (300,)), (_dtype, (300,)))
    def _whole(b: Builder, xs: list[Value]) -> list[Value]:
        x, y = xs
        mixed = op(b, "bit_xor", op(b, "mul", x, y), op(b, "maximum", x, y))
        return [mixed, op(b, "div", x, y), op(b, "rem", x, y)]


@program("bools", (i1, (3, 70)), (f32, (3, 70)))
def _bools(b: Builder, xs: list[Value]) -> list[Value]:
    flag, x = xs
    small = op(b, "less", x, op(b, "neg", x))
    return [op(b, "select", flag, x, op(b, "sqrt", op(b, "abs", x))), op(b, "bit_and", flag, small)]


@program("turned", (f32, (9, 5, 7)))
def _turned(b: Builder, xs: list[Value]) -> list[Value]:
    turned = op(b, "transpose", xs[0], permutation=(2, 0, 1))
    part = op(b, "slice", turned, start=(1, 0, 1), limit=(7, 9, 5), stride=(2, 1, 1))
    return [op(b, "reverse", op(b, "sin", part), axes=(1,))]


@program("converted", (f32, (130,)), (i32, (130,)))
def _converted(b: Builder, xs: list[Value]) -> list[Value]:
    return [
        op(b, "convert", op(b, "mul", xs[0], op(b, "exp", xs[0])), dtype=i32),
        op(b, "convert", xs[0], dtype=f16),
        op(b, "convert", xs[1], dtype=f32),
        op(b, "convert", xs[0], dtype=bf16),
        op(b, "convert", xs[0], dtype=f64),
    ]


@program("special", (f32, (90,)), (f32, (90,)))
def _special(b: Builder, xs: list[Value]) -> list[Value]:
    x, y = xs
    return [
        op(b, "log", op(b, "abs", x)), op(b, "erf", x), op(b, "pow", op(b, "abs", x), y),
        op(b, "atan2", x, y), op(b, "rem", x, y),
    ]  # fmt: skip


@program("one", (f32, ()))
def _one(b: Builder, xs: list[Value]) -> list[Value]:
    return [op(b, "exp", xs[0])]


@program("none", (f32, (0, 4)))
def _none(b: Builder, xs: list[Value]) -> list[Value]:
    return [op(b, "exp", xs[0]), op(b, "reduce_sum", xs[0], axes=(0,))]


# -- reductions ------------------------------------------------------------------------------------
for _axes in ((0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)):

    @program("sum_" + "".join(map(str, _axes)), (f32, (6, 37, 40)))
    def _sum(b: Builder, xs: list[Value], axes: tuple[int, ...] = _axes) -> list[Value]:
        return [op(b, "reduce_sum", op(b, "mul", xs[0], xs[0]), axes=axes)]


for _dtype in (f16, bf16, f64, i32):

    @program(f"joined_{_dtype}", (_dtype, (5, 150)))
    def _joined(b: Builder, xs: list[Value]) -> list[Value]:
        return [op(b, f"reduce_{n}", xs[0], axes=(1,)) for n in ("sum", "max", "min")]


@program("joined_bool", (i1, (4, 45)))
def _joined_bool(b: Builder, xs: list[Value]) -> list[Value]:
    return [op(b, f"reduce_{n}", xs[0], axes=(k,)) for n in ("any", "all") for k in (0, 1)]


@program("best", (f32, (7, 200)), (i32, (200, 7)))
def _best(b: Builder, xs: list[Value]) -> list[Value]:
    return [op(b, "argmax", xs[0], axes=(1,)), op(b, "argmin", xs[1], axes=(0,))]


@program("long_row", (f32, (2, 3000)))
def _long_row(b: Builder, xs: list[Value]) -> list[Value]:
    return [op(b, "reduce_sum", xs[0], axes=(1,))]


@program("everything", (f32, (70000,)))
def _everything(b: Builder, xs: list[Value]) -> list[Value]:
    return [op(b, "sqrt", op(b, "reduce_sum", op(b, "mul", xs[0], xs[0]), axes=(0,)))]


for _name, _shape, _axis in (("weighted_columns", (90, 12), 0), ("weighted_parts", (2, 40000), 1)):

    @program(_name, (f32, (_shape[1 - _axis],)), (f32, _shape))
    def _weighted(b: Builder, xs: list[Value], axis: int = _axis) -> list[Value]:
        """A weight per result, in the same kernel; it is a result as well."""
        weight = op(b, "exp", xs[0])
        scaled = op(b, "mul", along(b, weight, xs[1], axis), xs[1])
        return [weight, op(b, "reduce_sum", scaled, axes=(axis,))]


@program("tall", (f32, (900, 12)))
def _tall(b: Builder, xs: list[Value]) -> list[Value]:
    return [op(b, "reduce_sum", xs[0], axes=(0,)), op(b, "reduce_max", xs[0], axes=(0,))]


# -- rows ------------------------------------------------------------------------------------------
def _softmax_of(b: Builder, x: Value, axis: int) -> Value:
    top = along(b, op(b, "reduce_max", x, axes=(axis,)), x, axis)
    e = op(b, "exp", op(b, "sub", x, top))
    return op(b, "div", e, along(b, op(b, "reduce_sum", e, axes=(axis,)), x, axis))


for _shape in ((6, 40), (3, 700), (2, 6000), (2, 20000)):

    @program(f"softmax_{_shape[1]}", (f32, _shape))
    def _softmax(b: Builder, xs: list[Value]) -> list[Value]:
        return [_softmax_of(b, xs[0], 1)]


@program("softmax_columns", (f32, (30, 20)))
def _softmax_columns(b: Builder, xs: list[Value]) -> list[Value]:
    return [_softmax_of(b, xs[0], 0)]


@program("softmax_bf16", (bf16, (4, 100)))
def _softmax_bf16(b: Builder, xs: list[Value]) -> list[Value]:
    return [_softmax_of(b, xs[0], 1)]


@program("layer_norm", (f32, (5, 96)), (f32, (96,)), (f32, (96,)))
def _layer_norm(b: Builder, xs: list[Value]) -> list[Value]:
    x, scale, shift = xs
    count = along(b, op(b, "reduce_sum", op(b, "div", x, x), axes=(1,)), x, 1)
    mean = op(b, "div", along(b, op(b, "reduce_sum", x, axes=(1,)), x, 1), count)
    d = op(b, "sub", x, mean)
    spread = along(b, op(b, "reduce_sum", op(b, "mul", d, d), axes=(1,)), x, 1)
    norm = op(b, "mul", d, op(b, "rsqrt", op(b, "div", spread, count)))
    scale, shift = (op(b, "broadcast", v, shape=x.shape, axes=(1,)) for v in (scale, shift))
    return [op(b, "add", op(b, "mul", norm, scale), shift), norm]


@program("two_steps", (f32, (8, 64)))
def _two_steps(b: Builder, xs: list[Value]) -> list[Value]:
    """Several kernels with a value between them in the workspace."""
    first = op(b, "reduce_sum", xs[0], axes=(0,))
    row = op(b, "broadcast", first, shape=(8, 64), axes=(1,))
    y = op(b, "mul", xs[0], op(b, "tanh", row))
    return [op(b, "reduce_max", y, axes=(1,)), first]


@program("passed_on", (f32, (6, 4)))
def _passed_on(b: Builder, xs: list[Value]) -> list[Value]:
    """Copies, other shapes of one buffer, a constant array, a scalar between kernels."""
    table = array_constant(b, np.linspace(0, 1, 24).astype(np.float32).reshape(6, 4), f32)
    total = op(b, "reduce_sum", xs[0], axes=(0, 1))
    scaled = op(b, "mul", xs[0], op(b, "broadcast", total, shape=(6, 4), axes=()))
    flat = op(b, "reshape", scaled, shape=(24,))
    return [xs[0], flat, op(b, "add", scaled, table), op(b, "reshape", xs[0], shape=(3, 8))]
