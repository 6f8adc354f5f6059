"""One step of training a small convolutional network: 3×3 to 32, 3×3 to 64, pooling, dense."""

from __future__ import annotations

from typing import Any

import numpy as np
from harness_libraries import tree_map

from . import Workload
from .mlp import RATE, cross_entropy


def inputs(rng: Any, batch: int, side: int, first: int, second: int) -> Any:
    flat = ((side - 4) // 2) ** 2 * second
    shapes = {"a": (3, 3, 1, first), "b": (3, 3, first, second), "dense": (flat, 10)}
    params = {
        name: rng.standard_normal(s, dtype="f4") * np.float32(np.prod(s[:-1]) ** -0.5)
        for name, s in shapes.items()
    }
    labels = np.eye(10, dtype="f4")[rng.integers(0, 10, batch)]
    return params, rng.standard_normal((batch, side, side, 1), dtype="f4"), labels


def make(lib: Any) -> Any:
    def loss(params: Any, x: Any, labels: Any) -> Any:
        x = lib.relu(lib.conv(x, params["a"]))
        x = lib.relu(lib.conv(x, params["b"]))
        n, high, wide, c = x.shape
        x = lib.amax(x.reshape((n, high // 2, 2, wide // 2, 2, c)), (2, 4))
        return cross_entropy(lib, x.reshape((n, -1)) @ params["dense"], labels)

    def step(params: Any, x: Any, labels: Any) -> Any:
        value, gradients = lib.value_and_grad(loss)(params, x, labels)
        return value, tree_map(lambda p, g: p - RATE * g, params, gradients)

    return step


def work(batch: int, side: int, first: int, second: int) -> tuple[float, float]:
    one = batch * (side - 2) ** 2 * 9 * first
    two = batch * (side - 4) ** 2 * 9 * first * second
    dense = batch * ((side - 4) // 2) ** 2 * second * 10
    return 2 * (2 * one + 3 * two + 3 * dense), 4 * batch * side * side


WORKLOADS = [
    Workload(
        "cnn_step", {"batch": 64, "side": 28, "first": 32, "second": 64},
        {"batch": 2, "side": 10, "first": 3, "second": 4}, inputs, make, work,
        without=("numba", "numpy", "onnxruntime"),
    )
]  # fmt: skip
