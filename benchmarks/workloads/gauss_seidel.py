"""A sweep of the Gauss–Seidel iteration for the Poisson equation: a point needs the one before."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Workload


def inputs(rng: Any, n: int) -> Any:
    return rng.standard_normal((n, n), dtype="f4"), rng.standard_normal((n, n), dtype="f4")


def make(lib: Any) -> Any:
    def sweep(u: Any, f: Any) -> Any:
        n = f.shape[0]

        def point(i: Any, j: Any, u: Any) -> Any:
            around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
            return lib.put_at(u, (i, j), 0.25 * (around - f[i, j]))

        def row(i: Any, u: Any) -> Any:
            return lib.fori_loop(1, n - 1, lambda j, u: point(i, j, u), u)

        return lib.fori_loop(1, n - 1, row, u)

    return sweep


def numpy_sweep(lib: Any) -> Any:
    run = make(lib)
    return lambda u, f: run(u.copy(), f)


def numba_sweep(lib: Any) -> Any:
    def sweep(start: Any, f: Any) -> Any:
        u = start.copy()
        quarter = np.float32(0.25)
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
                u[i, j] = quarter * (around - f[i, j])
        return u

    return sweep


def work(n: int) -> tuple[float, float]:
    return 5 * n * n, 12 * n * n


WORKLOADS = [
    Workload(
        "gauss_seidel", {"n": 256}, {"n": 12}, inputs, make, work,
        without=("torch", "inductor", "onnxruntime"),
        instead={"numpy": numpy_sweep, "numba": numba_sweep},
    )
]  # fmt: skip
