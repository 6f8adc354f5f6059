"""Probes of the machine itself: a copy, and matrix products small and large."""

from __future__ import annotations

from typing import Any

from . import Workload
from .products import inputs as matrices
from .products import product


def vector(rng: Any, n: int) -> Any:
    return (rng.standard_normal(n, dtype="f4"),)


def negated(lib: Any) -> Any:
    """A copy that no library can leave out: the sign is changed on the way."""
    return lambda x: -x


def operations(n: int) -> tuple[float, float]:
    """A product's arithmetic alone; its data stay in cache."""
    return 2 * n**3, 0


WORKLOADS = [
    Workload(
        "floor_copy", {"n": 16 << 20}, {"n": 1000}, vector, negated, lambda n: (0, 8 * n)
    ),
    Workload("floor_product_256", {"n": 256}, {"n": 16}, matrices, product, operations),
    Workload("floor_product_1024", {"n": 1024}, {"n": 32}, matrices, product, operations),
]  # fmt: skip
