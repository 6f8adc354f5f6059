"""A 3×3 convolution of images with channels last, as in the middle of a residual network."""

from __future__ import annotations

from typing import Any

from . import Workload


def inputs(rng: Any, images: int, side: int, channels: int) -> Any:
    x = rng.standard_normal((images, side, side, channels), dtype="f4")
    return x, rng.standard_normal((3, 3, channels, channels), dtype="f4")


def make(lib: Any) -> Any:
    return lambda x, w: lib.conv(x, w, "SAME")


def work(images: int, side: int, channels: int) -> tuple[float, float]:
    points = images * side * side
    return 18 * points * channels**2, 8 * points * channels


WORKLOADS = [
    Workload(
        "conv_3x3", {"images": 8, "side": 56, "channels": 64},
        {"images": 2, "side": 8, "channels": 4}, inputs, make, work,
        without=("numba",),
    )
]  # fmt: skip
