"""The convolutions of ResNet-50 (He et al., "Deep Residual Learning", 2015, table 1), one image.

Each is a workload of its own: kernel size, stride, side of the image, channels, features.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import Workload

SHAPES = (
    (7, 2, 224, 3, 64), (1, 1, 56, 64, 64), (3, 1, 56, 64, 64), (1, 1, 56, 64, 256),
    (3, 2, 56, 128, 128), (3, 1, 28, 128, 128), (1, 1, 28, 512, 128), (1, 2, 56, 256, 512),
    (3, 1, 14, 256, 256), (1, 1, 14, 1024, 256), (3, 1, 7, 512, 512), (1, 1, 7, 512, 2048),
)  # fmt: skip
"""(size, stride, side, channels, features): one of each kind of layer."""


def inputs(rng: Any, side: int, channels: int, features: int, *, size: int) -> Any:
    scale = np.float32((size * size * channels) ** -0.5)
    kernel = rng.standard_normal((size, size, channels, features), dtype="f4") * scale
    return rng.standard_normal((1, side, side, channels), dtype="f4"), kernel


def make(lib: Any, *, stride: int) -> Any:
    return lambda x, w: lib.relu(lib.conv(x, w, "SAME", stride))


def work(side: int, channels: int, features: int, *, size: int, stride: int) -> tuple[float, float]:
    points = (side // stride) ** 2
    moved = side * side * channels + points * features + size * size * channels * features
    return 2 * points * size * size * channels * features, 4 * moved


WORKLOADS = [
    Workload(
        f"resnet_{size}x{size}{f'_by_{stride}' if stride > 1 else ''}_{side}_{a}_{b}",
        {"side": side, "channels": a, "features": b}, {"side": 8, "channels": 3, "features": 5},
        partial(inputs, size=size), partial(make, stride=stride),
        partial(work, size=size, stride=stride), fixed=1, without=("numba",),
    )
    for size, stride, side, a, b in SHAPES
]  # fmt: skip
