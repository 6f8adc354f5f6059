"""Ten elementwise operations on vectors, one after the other: one pass over memory if fused."""

from __future__ import annotations

from typing import Any

from . import Workload


def inputs(rng: Any, n: int) -> Any:
    return rng.standard_normal((2, n), dtype="f4")[0], rng.standard_normal(n, dtype="f4")


def make(lib: Any) -> Any:
    xp = lib.np

    def chain(x: Any, y: Any) -> Any:
        z = x * y
        z = z + x
        z = z - y
        z = z * z
        z = z + 1
        z = xp.sqrt(z)
        z = z * 0.5
        z = xp.maximum(z, x)
        z = z - x
        return xp.abs(z)

    return chain


def work(n: int) -> tuple[float, float]:
    return 10 * n, 12 * n


WORKLOADS = [Workload("chain_of_10", {"n": 4_000_000}, {"n": 1000}, inputs, make, work)]
