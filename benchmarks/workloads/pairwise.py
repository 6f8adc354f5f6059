"""Sums of a pairwise expression: the gravity of every body on every other, softened."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Workload

SOFTENING = 0.01


def inputs(rng: Any, bodies: int) -> Any:
    return [rng.standard_normal(bodies, dtype="f4") for _ in range(3)]


def make(lib: Any) -> Any:
    def forces(x: Any, y: Any, z: Any) -> Any:
        dx, dy, dz = (p[None, :] - p[:, None] for p in (x, y, z))
        square = dx * dx + dy * dy + dz * dz + SOFTENING
        weight = 1 / (square * lib.np.sqrt(square))
        return (dx * weight).sum(1), (dy * weight).sum(1), (dz * weight).sum(1)

    return forces


def numba_forces(lib: Any) -> Any:
    def forces(x: Any, y: Any, z: Any) -> Any:
        out = np.zeros((3, x.size), np.float32)
        one, softening = np.float32(1), np.float32(SOFTENING)
        for i in range(x.size):
            for j in range(x.size):
                dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                square = dx * dx + dy * dy + dz * dz + softening
                weight = one / (square * np.sqrt(square))
                out[0, i] += dx * weight
                out[1, i] += dy * weight
                out[2, i] += dz * weight
        return out[0], out[1], out[2]

    return forces


def work(bodies: int) -> tuple[float, float]:
    return 18 * bodies * bodies, 24 * bodies


WORKLOADS = [
    Workload(
        "pairwise_forces", {"bodies": 2048}, {"bodies": 40}, inputs, make, work,
        instead={"numba": numba_forces}, without=("onnxruntime",), tolerance=1e-3,
    )
]  # fmt: skip
