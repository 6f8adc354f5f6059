"""What moves memory and hardly computes: copies, transposes, strides, sums along every axis.

Takes nothing but memory bandwidth: the report sets each beside the copy measured in the same run.
The arrays of the full size do not fit in a cache. They are measured when asked for:
`run.py --only move_`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import Workload

Made = Callable[[Any], Callable[..., Any]]


@dataclass(frozen=True)
class Move:
    """A workload on arrays of `shapes`, and how many bytes of results it writes for each byte of
    its first input. The last `index` inputs are places in the first array.
    """

    name: str
    shapes: Sequence[tuple[int, ...]]
    make: Made
    written: float = 1.0
    dtype: str = "f4"
    index: int = 0
    without: tuple[str, ...] = ()


def plain(function: Callable[..., Any]) -> Made:
    """The same text for every library."""
    return lambda lib: function


def moved(order: tuple[int, ...]) -> Made:
    return lambda lib: lambda x: lib.transpose(x, order) + 0


M, V = (4096, 4096), (1 << 24,)
CUBE = (256, 256, 256)
IMAGES, PLANES = (16, 128, 128, 64), (16, 64, 128, 128)

MOVES = (
    Move("add", (V, V), plain(lambda x, y: x + y)),
    Move("axpy", (V, V), plain(lambda x, y: 2.5 * x + y)),
    Move("f64", ((1 << 23,),), plain(lambda x: x * x + x), dtype="f8"),
    Move("f16", ((1 << 25,),), plain(lambda x: x + x), dtype="f2"),
    Move("i8", ((1 << 26,),), plain(lambda x: x + x), dtype="i1"),
    Move("bool", (V,), plain(lambda x: x > 0), 0.25),
    Move("two_results", (V,), plain(lambda x: (x + 1, x * 2)), 2.0),
    Move("add_row", (M, (4096,)), plain(lambda x, y: x + y)),
    Move("add_column", (M, (4096,)), plain(lambda x, y: x + y[:, None])),
    Move("add_to_points", ((1 << 22, 3), (3,)), plain(lambda x, y: x + y)),
    Move("transpose", (M,), moved((1, 0))),
    Move("transpose_odd", ((4001, 3999),), moved((1, 0))),
    Move("transpose_f64", ((3072, 3072),), moved((1, 0)), dtype="f8"),
    Move("transpose_i8", ((8192, 8192),), moved((1, 0)), dtype="i1"),
    Move("transpose_add", (M, M), plain(lambda x, y: x.T + y)),
    Move("transpose_batch", ((1024, 128, 128),), moved((0, 2, 1))),
    Move("transpose_all", (CUBE,), moved((2, 1, 0))),
    Move("to_nhwc", (PLANES,), moved((0, 2, 3, 1))),
    Move("to_nchw", (IMAGES,), moved((0, 3, 1, 2))),
    Move("to_pixels", ((16, 3, 512, 512),), moved((0, 2, 3, 1))),
    Move("to_colours", ((16, 512, 512, 3),), moved((0, 3, 1, 2))),
    Move("every_second", (V,), plain(lambda x: x[::2] * 2), 0.5),
    Move("every_third", (V,), plain(lambda x: x[::3] * 2), 1 / 3),
    Move("backwards", (M,), plain(lambda x: x[:, ::-1] * 2), without=("torch", "inductor")),
    Move(
        "grey", ((2048, 2048, 3),),
        plain(lambda x: x[..., 0] * 0.3 + x[..., 1] * 0.6 + x[..., 2] * 0.1), 1 / 3,
    ),
    Move("concat", ((4096, 2000), (4096, 2096)), lambda lib: lambda *xs: lib.concat(xs)),
    Move("roll", (M,), lambda lib: lambda x: lib.np.roll(x, 1, 1)),
    Move("rows", ((1 << 16, 256), (1 << 16,)), plain(lambda x, i: x[i]), index=1),
    Move("elements", (V, (1 << 22,)), plain(lambda x, i: x[i]), 0.25, index=1),
    Move("sum", (V,), plain(lambda x: x.sum()), 0.0),
    *(Move(f"sum_2d_{k}", (M,), plain(lambda x, k=k: x.sum(k)), 0.0) for k in range(2)),
    *(
        Move(f"sum_3d_{''.join(map(str, k))}", (CUBE,), plain(lambda x, k=k: x.sum(k)), 0.0)
        for k in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
    ),
    Move("sum_narrow", ((1 << 16, 256),), plain(lambda x: x.sum(0)), 0.0),
    *(
        Move(f"moments_{k}", (M,), plain(lambda x, k=k: (x.mean(k), x.var(k))), 0.0,
             without=("torch", "inductor"))
        for k in range(2)
    ),
    *(Move(f"argmax_{k}", (M,), plain(lambda x, k=k: x.argmax(k)), 0.0) for k in range(2)),
    *(
        Move(f"running_{k}", (M,), lambda lib, k=k: lambda x: lib.np.cumsum(x, k))
        for k in range(2)
    ),
)  # fmt: skip


def workload(move: Move) -> Workload:
    """The workload of a Move; the small size has axes of at most 20."""
    kinds = [move.dtype] * (len(move.shapes) - move.index) + ["i4"] * move.index

    def inputs(rng: Any, most: int) -> Any:
        made = []
        for shape, kind in zip(move.shapes, kinds):
            small = tuple(min(n, most) for n in shape)
            if kind[0] == "i":
                high = made[0].shape[0] if made else 9
                made.append(rng.integers(0, high, small, dtype=kind))
            else:
                made.append(rng.standard_normal(small, dtype="f4").astype(kind))
        return tuple(made)

    def work(most: int) -> tuple[float, float]:
        sizes = [
            math.prod(min(n, most) for n in shape) * np.dtype(kind).itemsize
            for shape, kind in zip(move.shapes, kinds)
        ]
        results = move.written * (sum(sizes) if move.name == "concat" else sizes[0])
        return 0, sum(sizes) + results

    return Workload(
        f"move_{move.name}", {"most": 1 << 30}, {"most": 20}, inputs, move.make, work,
        tolerance=1e-3, without=(*move.without, "numba", "onnxruntime"),
    )  # fmt: skip


WORKLOADS = [workload(move) for move in MOVES]
