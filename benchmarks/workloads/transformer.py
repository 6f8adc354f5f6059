"""A transformer block (normalisation first, GELU), forward and the gradient of its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import MATH, Workload
from .products import gelu

SIZE = {"batch": 8, "length": 128, "width": 256, "heads": 8}
SMALL = {"batch": 2, "length": 6, "width": 16, "heads": 8}


def inputs(rng: Any, batch: int, length: int, width: int, heads: int) -> Any:
    shapes = {
        "qkv": (3, width, width), "out": (width, width), "up": (width, 4 * width),
        "down": (4 * width, width),
    }  # fmt: skip
    params = {
        name: rng.standard_normal(s, dtype="f4") * np.float32(s[-2] ** -0.5)
        for name, s in shapes.items()
    }
    for name, n in (("up_bias", 4 * width), ("down_bias", width)):
        params[name] = rng.standard_normal(n, dtype="f4")
    for name in ("norm1", "norm2"):
        params[name] = np.ones(width, "f4")
    return params, rng.standard_normal((batch, length, width), dtype="f4")


def block(lib: Any, heads: int) -> Any:
    xp = lib.np

    def norm(x: Any, scale: Any) -> Any:
        off = x - x.mean(-1, keepdims=True)
        return off / xp.sqrt((off * off).mean(-1, keepdims=True) + 1e-5) * scale

    def attention(p: Any, x: Any) -> Any:
        b, s, d = x.shape
        split = (b, s, heads, d // heads)
        q, k, v = (lib.transpose((x @ p["qkv"][j]).reshape(split), (0, 2, 1, 3)) for j in range(3))
        scores = q @ lib.transpose(k, (0, 1, 3, 2)) * (d // heads) ** -0.5
        e = xp.exp(scores - lib.amax(scores, -1, keepdims=True))
        mixed = (e / e.sum(-1, keepdims=True)) @ v
        return lib.transpose(mixed, (0, 2, 1, 3)).reshape((b, s, d)) @ p["out"]

    def run(p: Any, x: Any) -> Any:
        x = x + attention(p, norm(x, p["norm1"]))
        hidden = gelu(xp, norm(x, p["norm2"]) @ p["up"] + p["up_bias"])
        return x + hidden @ p["down"] + p["down_bias"]

    return run


def forward(heads: int) -> Any:
    return lambda lib: block(lib, heads)


def gradient(heads: int) -> Any:
    def make(lib: Any) -> Any:
        run = block(lib, heads)

        def loss(p: Any, x: Any) -> Any:
            y = run(p, x)
            return (y * y).mean()

        return lib.value_and_grad(loss)

    return make


def work(batch: int, length: int, width: int, heads: int) -> tuple[float, float]:
    tokens = batch * length
    products = 2 * tokens * width * 12 * width + 4 * tokens * length * width
    elementary = MATH * (tokens * length * heads + 4 * tokens * width)
    return products + elementary, 4 * (12 * width * width + 2 * tokens * width)


def gradient_work(**size: int) -> tuple[float, float]:
    operations, moved = work(**size)
    return 3 * operations, 2 * moved


WORKLOADS = [
    Workload("transformer", SIZE, SMALL, inputs, forward(8), work),
    Workload(
        "transformer_grad", SIZE, SMALL, inputs, gradient(8), gradient_work,
        tolerance=5e-4, without=("numba", "numpy", "onnxruntime"),
    ),
]  # fmt: skip
