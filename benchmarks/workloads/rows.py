"""Softmax and layer normalisation of every row of a matrix."""

from __future__ import annotations

from typing import Any

from . import MATH, Workload

SIZE, SMALL = {"rows": 4096, "columns": 1024}, {"rows": 9, "columns": 50}


def softmax_inputs(rng: Any, rows: int, columns: int) -> Any:
    return (rng.standard_normal((rows, columns), dtype="f4"),)


def softmax(lib: Any) -> Any:
    def run(x: Any) -> Any:
        e = lib.np.exp(x - lib.amax(x, -1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    return run


def softmax_work(rows: int, columns: int) -> tuple[float, float]:
    return (4 + MATH) * rows * columns, 8 * rows * columns


def norm_inputs(rng: Any, rows: int, columns: int) -> Any:
    x = rng.standard_normal((rows, columns), dtype="f4")
    return x, rng.standard_normal(columns, dtype="f4"), rng.standard_normal(columns, dtype="f4")


def layer_norm(lib: Any) -> Any:
    def run(x: Any, scale: Any, shift: Any) -> Any:
        off = x - x.mean(-1, keepdims=True)
        variance = (off * off).mean(-1, keepdims=True)
        return off / lib.np.sqrt(variance + 1e-5) * scale + shift

    return run


def norm_work(rows: int, columns: int) -> tuple[float, float]:
    return 8 * rows * columns, 8 * rows * columns


WORKLOADS = [
    Workload("softmax", SIZE, SMALL, softmax_inputs, softmax, softmax_work),
    Workload("layer_norm", SIZE, SMALL, norm_inputs, layer_norm, norm_work),
]
