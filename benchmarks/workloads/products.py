"""Matrix products, alone and with a bias and GELU behind."""

from __future__ import annotations

import math
from typing import Any

from . import MATH, Workload


def inputs(rng: Any, n: int) -> Any:
    return rng.standard_normal((n, n), dtype="f4"), rng.standard_normal((n, n), dtype="f4")


def product(lib: Any) -> Any:
    return lambda a, b: a @ b


def work(n: int) -> tuple[float, float]:
    return 2 * n**3, 12 * n * n


def biased(rng: Any, n: int) -> Any:
    return *inputs(rng, n), rng.standard_normal(n, dtype="f4")


def gelu(xp: Any, x: Any) -> Any:
    """The tanh formula of Hendrycks and Gimpel, "Gaussian error linear units", 2016."""
    return 0.5 * x * (1 + xp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def with_gelu(lib: Any) -> Any:
    return lambda a, b, c: gelu(lib.np, a @ b + c)


def gelu_work(n: int) -> tuple[float, float]:
    return 2 * n**3 + (9 + MATH) * n * n, 12 * n * n


WORKLOADS = [
    *(
        Workload(f"matmul_{n}", {"n": n}, {"n": 40 + n // 64}, inputs, product, work)
        for n in (512, 1024, 2048)
    ),
    Workload("matmul_bias_gelu", {"n": 1024}, {"n": 40}, biased, with_gelu, gelu_work),
]
