"""YOLOv3-tiny, a detector: all that is computed for one image, batch normalisation folded in.

The layers are those of Redmon & Farhadi, "YOLOv3: An Incremental Improvement", 2018, file
yolov3-tiny.cfg; weights are random. Images have channels last; the two results are the raw maps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Workload

TRUNK = (16, 32, 64, 128, 256, 512, 1024)
"""Features of the 3×3 convolutions, each but the last followed by pooling."""

ANCHORS, CLASSES = 3, 80
LAYERS = (
    *((3, a, b) for a, b in zip((3, *TRUNK), TRUNK)),
    (1, 1024, 256), (3, 256, 512), (1, 512, 255), (1, 256, 128), (3, 384, 256), (1, 256, 255),
)  # fmt: skip
"""(size, channels, features) of every convolution, in the order in which they run."""


def channels(count: int, thinner: int) -> int:
    """A number of channels, fewer for the small size; images and results keep theirs."""
    return count if count in (3, 255) else count // thinner


def inputs(rng: Any, side: int, thinner: int) -> Any:
    weights = []
    for size, a, b in LAYERS:
        shape = (size, size, channels(a, thinner), channels(b, thinner))
        scale = np.float32(np.prod(shape[:3]) ** -0.5)
        kernel = rng.standard_normal(shape, dtype="f4") * scale
        weights.append((kernel, rng.standard_normal(shape[3], dtype="f4") * np.float32(0.1)))
    return rng.standard_normal((1, side, side, 3), dtype="f4"), weights


def make(lib: Any) -> Any:
    def layer(x: Any, weights: Any) -> Any:
        return lib.leaky(lib.conv(x, weights[0], "SAME") + weights[1])

    def detect(x: Any, weights: Any) -> Any:
        for k in range(7):
            x = layer(x, weights[k])
            if k == 4:
                fine = x
            if k < 6:
                x = lib.pool(x, 1 if k == 5 else 2)
        x = layer(x, weights[7])
        coarse = layer(x, weights[8])
        coarse = lib.conv(coarse, weights[9][0]) + weights[9][1]
        x = lib.concat([lib.doubled(layer(x, weights[10])), fine])
        x = layer(x, weights[11])
        return coarse, lib.conv(x, weights[12][0]) + weights[12][1]

    return detect


def work(side: int, thinner: int) -> tuple[float, float]:
    sides = [side >> min(k, 5) for k in range(7)] + [side >> 5] * 4 + [side >> 4] * 2
    counted = [(s, c, channels(a, thinner), channels(b, thinner)) for c, (s, a, b) in
               zip(sides, LAYERS)]  # fmt: skip
    products = sum(side**2 * size**2 * a * b for size, side, a, b in counted)
    return 2 * products, 4 * sum(size**2 * a * b for size, _, a, b in counted)


WORKLOADS = [
    Workload(
        "yolov3_tiny", {"side": 416, "thinner": 1}, {"side": 64, "thinner": 4}, inputs, make, work,
        fixed=1, without=("numba",),
    )
]  # fmt: skip
