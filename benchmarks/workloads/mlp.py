"""One step of training a classifier of digits: loss, gradient, stochastic gradient descent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from harness_libraries import tree_map

from . import Workload

RATE = 0.01


def inputs(rng: Any, batch: int, first: int, second: int, third: int) -> Any:
    sizes = (first, second, third, 10)
    params = [
        (rng.standard_normal(s, dtype="f4") * np.float32(s[0] ** -0.5), np.zeros(s[1], "f4"))
        for s in pairwise(sizes)
    ]
    labels = np.eye(10, dtype="f4")[rng.integers(0, 10, batch)]
    return params, rng.standard_normal((batch, first), dtype="f4"), labels


def cross_entropy(lib: Any, z: Any, labels: Any) -> Any:
    """The mean over the batch, of one-hot labels."""
    z = z - lib.amax(z, 1, keepdims=True)
    logs = z - lib.np.log(lib.np.exp(z).sum(1, keepdims=True))
    return -(logs * labels).sum() / z.shape[0]


def make(lib: Any) -> Any:
    def loss(params: Any, x: Any, labels: Any) -> Any:
        for w, b in params[:-1]:
            x = lib.relu(x @ w + b)
        w, b = params[-1]
        return cross_entropy(lib, x @ w + b, labels)

    def step(params: Any, x: Any, labels: Any) -> Any:
        value, gradients = lib.value_and_grad(loss)(params, x, labels)
        return value, tree_map(lambda p, g: p - RATE * g, params, gradients)

    return step


def numpy_step(lib: Any) -> Any:
    """The derivative written out by hand."""

    def step(params: Any, x: Any, labels: Any) -> Any:
        below = [x]
        for w, b in params[:-1]:
            below.append(np.maximum(below[-1] @ w + b, 0))
        w, b = params[-1]
        z = below[-1] @ w + b
        value = cross_entropy(lib, z, labels)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        delta = (p / p.sum(axis=1, keepdims=True) - labels) / np.float32(len(x))
        made = []
        for (w, b), h in zip(reversed(params), reversed(below)):
            made.append((w - RATE * (h.T @ delta), b - RATE * delta.sum(0)))
            if h is not x:
                delta = (delta @ w.T) * (h > 0)
        return value, made[::-1]

    return step


def work(batch: int, first: int, second: int, third: int) -> tuple[float, float]:
    """Forward, both backward products but the one for the input; parameters read and written."""
    weights = first * second + second * third + third * 10
    return 2 * batch * (3 * weights - first * second), 8 * weights + 4 * batch * first


WORKLOADS = [
    Workload(
        "mlp_step", {"batch": 128, "first": 784, "second": 512, "third": 256},
        {"batch": 8, "first": 30, "second": 20, "third": 15}, inputs, make, work,
        instead={"numpy": numpy_step},
    )
]  # fmt: skip
