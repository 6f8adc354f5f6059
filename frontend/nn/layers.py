"""The usual layers, with PyTorch's names and arguments; `key` chooses the starting values.

Takes: sizes. Gives: modules. Must not know: how anything is computed.
"""

from __future__ import annotations

from typing import Any

from .. import numpy as lnp
from .. import random
from . import functional, init
from .module import Module, Parameter


class Linear(Module):
    """x @ weightᵀ + bias, weight of the shape (out_features, in_features).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Linear(3, 4)(lnp.ones((2, 3))).shape
    (2, 4)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, key: Any = None
    ) -> None:
        self.weight = Parameter(init.kaiming_uniform((out_features, in_features), in_features, key))
        self.bias = Parameter(init.kaiming_uniform((out_features,), in_features)) if bias else None

    def forward(self, x: Any) -> Any:
        """The affine map."""
        return functional.linear(x, self.weight, self.bias)


class Conv2d(Module):
    """The convolution of images (n, c, h, w).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Conv2d(1, 4, 3, padding=1)(lnp.ones((2, 1, 8, 8))).shape
    (2, 4, 8, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        key: Any = None,
    ) -> None:
        window = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
        fan_in = in_channels // groups * window[0] * window[1]
        shape = (out_channels, in_channels // groups, *window)
        self.weight = Parameter(init.kaiming_uniform(shape, fan_in, key))
        self.bias = Parameter(init.kaiming_uniform((out_channels,), fan_in)) if bias else None
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def forward(self, x: Any) -> Any:
        """The convolution."""
        return functional.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class Embedding(Module):
    """Rows of a table.

    >>> import lazir as lz
    >>> lz.nn.Embedding(10, 3)(lz.Tensor([1, 2])).shape
    (2, 3)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, *, key: Any = None) -> None:
        chosen = init.next_key() if key is None else key
        self.weight = Parameter(random.normal(chosen, (num_embeddings, embedding_dim)))

    def forward(self, x: Any) -> Any:
        """The rows."""
        return functional.embedding(x, self.weight)


class LayerNorm(Module):
    """Normalisation over the last axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.LayerNorm(4)(lnp.ones((2, 4))).shape
    (2, 4)
    """

    def __init__(self, normalized_shape: Any, eps: float = 1e-5) -> None:
        shape = (
            (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        )
        self.weight, self.bias = Parameter(lnp.ones(shape)), Parameter(lnp.zeros(shape))
        self.shape, self.eps = shape, eps

    def forward(self, x: Any) -> Any:
        """The normalised input."""
        return functional.layer_norm(x, self.shape, self.weight, self.bias, self.eps)


class Dropout(Module):
    """Elements zeroed at random in training; needs `key=` there."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def forward(self, x: Any, key: Any = None) -> Any:
        """x, thinned out in training."""
        return functional.dropout(x, self.p, self.training, key=key)


class MaxPool2d(Module):
    """The largest of each window."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x: Any) -> Any:
        """The pooled images."""
        return functional.max_pool2d(x, self.kernel_size, self.stride, self.padding)


class AvgPool2d(Module):
    """The mean of each window."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x: Any) -> Any:
        """The pooled images."""
        return functional.avg_pool2d(x, self.kernel_size, self.stride, self.padding)


class Flatten(Module):
    """All axes from `start_dim` on become one."""

    def __init__(self, start_dim: int = 1) -> None:
        self.start_dim = start_dim

    def forward(self, x: Any) -> Any:
        """The flattened input."""
        return lnp.reshape(x, (*x.shape[: self.start_dim], -1))


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """max(x, 0)."""
        return functional.relu(x)


class GELU(Module):
    """x · Φ(x)."""

    def forward(self, x: Any) -> Any:
        """x · Φ(x)."""
        return functional.gelu(x)


class Sigmoid(Module):
    """1 / (1 + e⁻ˣ)."""

    def forward(self, x: Any) -> Any:
        """1 / (1 + e⁻ˣ)."""
        return functional.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """The hyperbolic tangent."""
        return functional.tanh(x)


class Softmax(Module):
    """exp(x) / Σ exp(x) along one axis."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """The probabilities."""
        return functional.softmax(x, self.dim)


class Sequential(Module):
    """Modules one after the other.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> net = lz.nn.Sequential(lz.nn.Linear(3, 4), lz.nn.ReLU(), lz.nn.Linear(4, 2))
    >>> net(lnp.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(self, *layers: Any) -> None:
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        """The layers applied in turn."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __getitem__(self, k: int) -> Any:
        return self.layers[k]

    def __len__(self) -> int:
        return len(self.layers)
