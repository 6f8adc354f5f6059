"""Layers with parameters, with PyTorch's names and arguments; `key` chooses the starting values.

Takes: sizes. Gives: modules. Must not know: how anything is computed.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from .. import numpy as lnp
from .. import random
from ..tensor import Tensor
from . import functional, init
from .module import Module, Parameter
from .windows import each


class Identity(Module):
    """What it gets; any arguments of its making are ignored, as in PyTorch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Any) -> Any:
        """x."""
        return x


class Linear(Module):
    """x @ weightᵀ + bias, weight of the shape (out_features, in_features).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Linear(3, 4)(lnp.ones((2, 3))).shape
    (2, 4)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, dtype: Any = float, *,
        key: Any = None,
    ) -> None:  # fmt: skip
        self.in_features, self.out_features = in_features, out_features
        shape = (out_features, in_features)
        self.weight = Parameter(init.by_fan_in(shape, in_features, key, dtype))
        start = init.by_fan_in((out_features,), in_features, None, dtype) if bias else None
        self.bias = None if start is None else Parameter(start)

    def forward(self, x: Any) -> Any:
        """The affine map."""
        return functional.linear(x, self.weight, self.bias)


class Bilinear(Module):
    """x1ᵀ · weight[k] · x2 + bias[k] for each k.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Bilinear(2, 3, 4)(lnp.ones((5, 2)), lnp.ones((5, 3))).shape
    (5, 4)
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, *,
        key: Any = None,
    ) -> None:  # fmt: skip
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(init.by_fan_in(shape, in1_features, key))
        self.bias = Parameter(init.by_fan_in((out_features,), in1_features)) if bias else None

    def forward(self, x1: Any, x2: Any) -> Any:
        """The bilinear map."""
        return functional.bilinear(x1, x2, self.weight, self.bias)


class _Conv(Module):
    """Convolutions over any number of axes; `_transposed`: their adjoints."""

    _rank: ClassVar[int]
    _transposed: ClassVar[bool] = False

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
        padding_mode: str = "zeros",
        *,
        output_padding: Any = 0,
        dtype: Any = float,
        key: Any = None,
    ) -> None:
        rank = self._rank
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = each(kernel_size, rank, "kernel_size")
        self.stride, self.dilation = each(stride, rank, "stride"), each(dilation, rank, "dilation")
        named = isinstance(padding, str)
        self.padding = padding if named else each(padding, rank, "padding")
        self.groups, self.padding_mode = groups, padding_mode
        self.output_padding = each(output_padding, rank, "output_padding")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"padding_mode is zeros, reflect, replicate or circular, not {padding_mode!r}"
            )
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{in_channels} and {out_channels} channels do not divide into {groups} groups"
            )
        channels = (out_channels, in_channels)
        first, second = channels[::-1] if self._transposed else channels
        shape = (first, second // groups, *self.kernel_size)
        fan_in = math.prod(shape[1:])
        self.weight = Parameter(init.by_fan_in(shape, fan_in, key, dtype))
        start = init.by_fan_in((out_channels,), fan_in, None, dtype) if bias else None
        self.bias = None if start is None else Parameter(start)

    def forward(self, x: Any) -> Any:
        """The convolution."""
        padding = self.padding
        if self.padding_mode != "zeros":
            x, padding = functional.pad(x, self._both_sides(), self.padding_mode), 0
        function = getattr(functional, f"conv{self._rank}d")
        return function(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _both_sides(self) -> list[int]:
        """The padding as `functional.pad` takes it: last axis first."""
        if self.padding == "valid":
            return [0] * (2 * self._rank)
        if self.padding == "same":
            total = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation)]
            pairs = [(t // 2, t - t // 2) for t in total]
        else:
            pairs = [(int(p), int(p)) for p in self.padding]
        return [n for pair in reversed(pairs) for n in pair]


class Conv1d(_Conv):
    """The convolution of signals (n, c, w).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Conv1d(1, 4, 3, padding=1)(lnp.ones((2, 1, 8))).shape
    (2, 4, 8)
    """

    _rank = 1


class Conv2d(_Conv):
    """The convolution of images (n, c, h, w).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Conv2d(1, 4, 3, padding=1)(lnp.ones((2, 1, 8, 8))).shape
    (2, 4, 8, 8)
    """

    _rank = 2


class Conv3d(_Conv):
    """The convolution of volumes (n, c, d, h, w).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Conv3d(1, 2, 2)(lnp.ones((1, 1, 4, 4, 4))).shape
    (1, 2, 3, 3, 3)
    """

    _rank = 3


class _ConvTranspose(_Conv):
    _transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        *,
        dtype: Any = float,
        key: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            output_padding=output_padding, dtype=dtype, key=key,
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        """The adjoint of the convolution."""
        function = getattr(functional, f"conv_transpose{self._rank}d")
        return function(
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding,
            self.groups, self.dilation,
        )  # fmt: skip


class ConvTranspose1d(_ConvTranspose):
    """The adjoint of the convolution of signals.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.ConvTranspose1d(2, 3, 2, stride=2)(lnp.ones((1, 2, 4))).shape
    (1, 3, 8)
    """

    _rank = 1


class ConvTranspose2d(_ConvTranspose):
    """The adjoint of the convolution of images.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.ConvTranspose2d(2, 3, 2, stride=2)(lnp.ones((1, 2, 4, 4))).shape
    (1, 3, 8, 8)
    """

    _rank = 2


class ConvTranspose3d(_ConvTranspose):
    """The adjoint of the convolution of volumes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.ConvTranspose3d(1, 1, 2, stride=2)(lnp.ones((1, 1, 2, 2, 2))).shape
    (1, 1, 4, 4, 4)
    """

    _rank = 3


class Embedding(Module):
    """Rows of a table; the row `padding_idx` starts at zero and gets no gradient.

    >>> import lazir as lz
    >>> lz.nn.Embedding(10, 3)(lz.Tensor([1, 2])).shape
    (2, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, *,
        key: Any = None,
    ) -> None:  # fmt: skip
        chosen = init.next_key() if key is None else key
        table = random.normal(chosen, (num_embeddings, embedding_dim))
        if padding_idx is not None:
            table = table.at[padding_idx].set(0.0)
        self.weight, self.padding_idx = Parameter(table), padding_idx

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """A table that is there; frozen by default."""
        rows, size = lnp.asarray(embeddings).shape
        made = cls(rows, size, padding_idx)
        made.weight = Parameter(embeddings, requires_grad=not freeze)
        return made

    def forward(self, x: Any) -> Any:
        """The rows."""
        return functional.embedding(x, self.weight, self.padding_idx)


class EmbeddingBag(Module):
    """Sums, means or maxima of rows of a table, one for each bag of positions.

    >>> import lazir as lz
    >>> lz.nn.EmbeddingBag(10, 3)(lz.Tensor([[1, 2], [3, 4]])).shape
    (2, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, mode: str = "mean",
        include_last_offset: bool = False, padding_idx: int | None = None, key: Any = None,
    ) -> None:  # fmt: skip
        table = Embedding(num_embeddings, embedding_dim, padding_idx, key=key)
        self.weight, self.padding_idx, self.mode = table.weight, padding_idx, mode
        self.include_last_offset = include_last_offset

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """One row for each bag; see `lazir.nn.functional.embedding_bag`."""
        return functional.embedding_bag(
            input, self.weight, offsets, mode=self.mode, per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset, padding_idx=self.padding_idx,
        )  # fmt: skip


class PReLU(Module):
    """x above 0, weight · x below; one weight, or one for each channel.

    >>> import lazir as lz
    >>> print(lz.nn.PReLU()(lz.Tensor([-4.0])).detach())
    [-1.]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.weight = Parameter(lnp.full((num_parameters,), init, float))

    def forward(self, x: Any) -> Any:
        """The activation."""
        return functional.prelu(x, self.weight)


class Flatten(Module):
    """Axes from start_dim to end_dim become one.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Flatten()(lnp.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Tensor:
        """The flattened input."""
        rank = len(x.shape)
        first, last = self.start_dim % max(rank, 1), self.end_dim % max(rank, 1)
        middle = math.prod(x.shape[first : last + 1])
        return lnp.reshape(x, (*x.shape[:first], middle, *x.shape[last + 1 :]))


class Unflatten(Module):
    """One axis becomes several; one size may be −1.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Unflatten(1, (3, -1))(lnp.ones((2, 12))).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Tensor:
        """The unfolded input."""
        k = self.dim % len(x.shape)
        sizes = list(self.unflattened_size)
        if -1 in sizes:
            known = -math.prod(sizes)
            sizes[sizes.index(-1)] = x.shape[k] // max(known, 1)
        return lnp.reshape(x, (*x.shape[:k], *sizes, *x.shape[k + 1 :]))
