"""Attention alone: short, middle and long rows, with and without a causal mask, and its gradients.

Each library says it by its own function where it has one. Sizes: (batch, heads, length, 64)."""

from __future__ import annotations

from typing import Any

from . import MATH, Workload

SIZES = {128: (8, 8), 512: (2, 8), 2048: (1, 8)}
DEPTH = 64


def inputs(rng: Any, batch: int, heads: int, length: int) -> Any:
    shape = (batch, heads, length, DEPTH)
    return [tuple(rng.standard_normal(shape, dtype="f4") for _ in range(3))]


def forward(causal: bool) -> Any:
    return lambda lib: lambda qkv: lib.attention(*qkv, causal)


def gradient(causal: bool) -> Any:
    def make(lib: Any) -> Any:
        def loss(qkv: Any) -> Any:
            y = lib.attention(*qkv, causal)
            return (y * y).sum()

        return lib.value_and_grad(loss)

    return make


def work(batch: int, heads: int, length: int) -> tuple[float, float]:
    scores = batch * heads * length * length
    return scores * (4 * DEPTH + MATH), 16 * batch * heads * length * DEPTH


def gradient_work(**size: int) -> tuple[float, float]:
    operations, moved = work(**size)
    return 3 * operations, 2 * moved


def _workloads() -> list[Workload]:
    made = []
    for length, (batch, heads) in SIZES.items():
        full = {"batch": batch, "heads": heads, "length": length}
        quick = {"batch": 1, "heads": 2, "length": 16}
        for causal in (False, True):
            name = f"attention_{length}" + ("_causal" if causal else "")
            made.append(Workload(name, full, quick, inputs, forward(causal), work))
            made.append(
                Workload(
                    f"{name}_grad", full, quick, inputs, gradient(causal), gradient_work,
                    tolerance=5e-4, without=("numba", "numpy", "onnxruntime"),
                )
            )  # fmt: skip
    return made


WORKLOADS = _workloads()
