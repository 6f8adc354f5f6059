"""The convolutions of a residual network, forward and with both gradients, in both layouts.

The shapes are those of ResNet-50 (He et al., "Deep residual learning for image recognition", 2015)
at batch 8, and depthwise ones as in MobileNetV2 (Sandler et al., 2018). They are measured when
asked for: `run.py --only residual_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import Workload


@dataclass(frozen=True)
class Layer:
    """A square convolution of an image whose padding, if any, is there already."""

    name: str
    side: int
    channels: int
    features: int
    window: int
    stride: int = 1
    depthwise: bool = False

    @property
    def size(self) -> dict[str, int]:
        return {
            "images": 8,
            "side": self.side,
            "channels": self.channels,
            "features": self.features,
        }

    @property
    def quick(self) -> dict[str, int]:
        few = {"channels": 4, "features": 4} if self.depthwise else {"channels": 3, "features": 5}
        return {"images": 2, "side": self.window + 4, **few}


LAYERS = (
    Layer("stem", 230, 3, 64, 7, 2), Layer("1x1_64_256", 56, 64, 256, 1),
    Layer("3x3_64", 58, 64, 64, 3), Layer("1x1_256_128", 56, 256, 128, 1),
    Layer("3x3_128_half", 58, 128, 128, 3, 2), Layer("3x3_256", 16, 256, 256, 3),
    Layer("1x1_1024_2048_half", 14, 1024, 2048, 1, 2), Layer("3x3_512", 9, 512, 512, 3),
    Layer("depthwise_144", 58, 144, 144, 3, 1, True),
    Layer("depthwise_576_half", 16, 576, 576, 3, 2, True),
)  # fmt: skip


def workload(layer: Layer, layout: str, gradient: bool) -> Workload:
    last = layout == "NHWC"

    def places(side: int) -> int:
        return (side - layer.window) // layer.stride + 1

    def inputs(rng: Any, images: int, side: int, channels: int, features: int) -> Any:
        def image(n: int, c: int) -> Any:
            shape = (images, n, n, c) if last else (images, c, n, n)
            return rng.standard_normal(shape, dtype="f4")

        inner, k = 1 if layer.depthwise else channels, layer.window
        weights = rng.standard_normal(
            (k, k, inner, features) if last else (features, inner, k, k), dtype="f4"
        )
        if not gradient:
            return image(side, channels), weights
        return {"w": weights, "x": image(side, channels)}, image(places(side), features)

    def make(lib: Any) -> Any:
        def conv(x: Any, w: Any) -> Any:
            groups = x.shape[3 if last else 1] if layer.depthwise else 1
            return lib.conv(x, w, "VALID", layer.stride, groups, layout)

        def loss(params: Any, slopes: Any) -> Any:
            return (conv(params["x"], params["w"]) * slopes).sum()

        return lib.value_and_grad(loss) if gradient else conv

    def work(images: int, side: int, channels: int, features: int) -> tuple[float, float]:
        inner = 1 if layer.depthwise else channels
        points = images * places(side) ** 2
        flops = 2 * points * layer.window**2 * inner * features
        moved = 4 * (images * side**2 * channels + points * features)
        return (3 if gradient else 1) * flops, (2 if gradient else 1) * moved

    name = f"residual_{'grad_' if gradient else ''}{layout.lower()}_{layer.name}"
    without = ("numba", "numpy") if gradient else ("numba",)
    return Workload(
        name, layer.size, layer.quick, inputs, make, work, tolerance=1e-3, without=without
    )


WORKLOADS = [
    workload(layer, layout, gradient)
    for gradient in (False, True)
    for layout in ("NHWC", "NCHW")
    for layer in LAYERS
]
