"""PyTorch as a library to compare with: every operation a kernel of its own, and torch.compile.

Takes: nothing. Gives: `Torch`, `Inductor`. Must not know: workloads, timing.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np
from harness_libraries import Function, Library, Unsupported


class Torch(Library):
    """PyTorch, without torch.compile: every operation a kernel of its own."""

    name = "torch"

    def __init__(self) -> None:
        self.np = self.torch = importlib.import_module("torch")
        self.version = str(self.torch.__version__)
        self.torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))

    def put(self, array: Any) -> Any:
        return self.torch.from_numpy(np.array(array))

    def compile(self, function: Function) -> Function:
        return function

    def read(self, leaf: Any) -> Any:
        return leaf.detach().numpy()

    def value_and_grad(self, function: Function) -> Function:
        both = self.torch.func.grad_and_value(function)

        def turned(*args: Any) -> Any:
            gradient, value = both(*args)
            return value, gradient

        return turned

    def fori_loop(self, lower: int, upper: int, body: Function, start: Any) -> Any:
        raise Unsupported("torch would run the loop in Python")

    def erf(self, x: Any) -> Any:
        return self.torch.erf(x)

    def relu(self, x: Any) -> Any:
        return self.torch.relu(x)

    def attention(self, q: Any, k: Any, v: Any, causal: bool) -> Any:
        return self.torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        return x.permute(axes)

    def amax(self, x: Any, axis: Any, keepdims: bool = False) -> Any:
        return self.torch.amax(x, dim=axis, keepdim=keepdims)

    def leaky(self, x: Any) -> Any:
        return self.torch.nn.functional.leaky_relu(x, 0.1)

    def concat(self, parts: Any) -> Any:
        return self.torch.cat(parts, -1)

    def doubled(self, x: Any) -> Any:
        images = x.permute(0, 3, 1, 2)
        return self.torch.nn.functional.interpolate(images, scale_factor=2).permute(0, 2, 3, 1)

    def pool(self, x: Any, stride: int = 2) -> Any:
        images = x.permute(0, 3, 1, 2)
        if stride == 1:
            images = self.torch.nn.functional.pad(images, (0, 1, 0, 1), value=-np.inf)
        return self.torch.nn.functional.max_pool2d(images, 2, stride).permute(0, 2, 3, 1)

    def conv(
        self, x: Any, w: Any, padding: str = "VALID", stride: int = 1, groups: int = 1,
        layout: str = "NHWC",
    ) -> Any:  # fmt: skip
        if layout == "NHWC":
            x, w = x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1)
        sides = tuple(n // 2 for n in w.shape[2:]) if padding == "SAME" else 0
        out = self.torch.nn.functional.conv2d(x, w, stride=stride, padding=sides, groups=groups)
        return out.permute(0, 2, 3, 1) if layout == "NHWC" else out


class Inductor(Torch):
    """torch.compile with its default back end for CPUs, which needs a C++ compiler."""

    name = "inductor"

    def compile(self, function: Function) -> Function:
        return self.torch.compile(function, dynamic=False)  # type: ignore[no-any-return]
