"""Normalising layers, with PyTorch's names, arguments and states.

Takes: sizes. Gives: modules. Must not know: how anything is computed.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .. import numpy as lnp
from ..apply import fail
from . import functional
from .module import Module, Parameter


def _sizes(normalized_shape: Any) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class LayerNorm(Module):
    """Normalisation over the last axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.LayerNorm(4)(lnp.ones((2, 4))).shape
    (2, 4)
    """

    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:  # fmt: skip
        self.normalized_shape, self.eps = _sizes(normalized_shape), eps
        self.weight = self.bias = None
        if elementwise_affine:
            self.weight = Parameter(lnp.ones(self.normalized_shape))
            self.bias = Parameter(lnp.zeros(self.normalized_shape)) if bias else None

    def forward(self, x: Any) -> Any:
        """The normalised input."""
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(Module):
    """Division by the root of the mean square over the last axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.RMSNorm(4)(lnp.ones((2, 4))).shape
    (2, 4)
    """

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True
    ) -> None:
        self.normalized_shape, self.eps = _sizes(normalized_shape), eps
        ones = lnp.ones(self.normalized_shape)
        self.weight = Parameter(ones) if elementwise_affine else None

    def forward(self, x: Any) -> Any:
        """The normalised input."""
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)


class GroupNorm(Module):
    """Normalisation over groups of channels.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.GroupNorm(2, 4)(lnp.ones((2, 4, 3))).shape
    (2, 4, 3)
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True
    ) -> None:
        self.num_groups, self.eps = num_groups, eps
        self.weight = Parameter(lnp.ones(num_channels)) if affine else None
        self.bias = Parameter(lnp.zeros(num_channels)) if affine else None

    def forward(self, x: Any) -> Any:
        """The normalised input."""
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class LocalResponseNorm(Module):
    """Division by the squares of neighbouring channels."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Any) -> Any:
        """The normalised input."""
        return functional.local_response_norm(x, self.size, self.alpha, self.beta, self.k)


class _Running(Module):
    """Scale and shift for each channel, and running moments, kept as buffers."""

    _ranks: ClassVar[tuple[int, ...]]

    def __init__(
        self, num_features: int, eps: float, momentum: float | None, affine: bool, track: bool
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track
        self.weight = Parameter(lnp.ones(num_features)) if affine else None
        self.bias = Parameter(lnp.zeros(num_features)) if affine else None
        self.running_mean = lnp.zeros(num_features).block_until_ready() if track else None
        self.running_var = lnp.ones(num_features).block_until_ready() if track else None
        self.num_batches_tracked = lnp.zeros((), "i64").block_until_ready() if track else None

    def _check(self, x: Any) -> None:
        if len(x.shape) not in self._ranks:
            wanted = " or ".join(map(str, self._ranks))
            fail(f"{type(self).__name__} needs {wanted} axes, got shape {x.shape}")

    def reset_running_stats(self) -> None:
        """Means 0, variances 1, no batches."""
        if self.running_mean is not None:
            assert self.running_var is not None and self.num_batches_tracked is not None
            self.running_mean.copy_(0)
            self.running_var.copy_(1)
            self.num_batches_tracked.copy_(0)

    def _count(self) -> Any:
        """The share that this batch has in the running moments; counts it."""
        if self.num_batches_tracked is None:
            return 0.0
        self.num_batches_tracked.copy_(self.num_batches_tracked + 1)
        if self.momentum is not None:
            return self.momentum
        # None: the running moments are the means of all batches
        return 1 / self.num_batches_tracked.astype(lnp.asarray(self.running_mean).dtype)


class _BatchNorm(_Running):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def forward(self, x: Any) -> Any:
        """The normalised input; in training the running moments move towards the batch's."""
        x = lnp.asarray(x)
        self._check(x)
        by_batch = self.training or self.running_mean is None
        share = self._count() if self.training and self.track_running_stats else 0.0
        held = (self.running_mean, self.running_var)
        if by_batch and not (self.training and self.track_running_stats):
            held = (None, None)
        return functional.batch_norm(x, *held, self.weight, self.bias, by_batch, share, self.eps)


class BatchNorm1d(_BatchNorm):
    """Normalisation of each channel over the batch: (n, c) or (n, c, w).

    Running moments are updated in place in training, also inside a compiled function that gets the
    module as an argument or from outside; under `lz.grad` return the module as an auxiliary result.

    >>> import lazir as lz
    >>> norm = lz.nn.BatchNorm1d(1)
    >>> _ = norm(lz.Tensor([[1.0], [3.0]]))
    >>> print(norm.running_mean)
    [0.2]
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalisation of each channel of images (n, c, h, w) over the batch; see BatchNorm1d."""

    _ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalisation of each channel of volumes (n, c, d, h, w) over the batch; see BatchNorm1d."""

    _ranks = (5,)


class _InstanceNorm(_Running):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1,
        affine: bool = False, track_running_stats: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def forward(self, x: Any) -> Any:
        """The normalised input."""
        x = lnp.asarray(x)
        self._check(x)
        alone = len(x.shape) == self._ranks[0] - 1
        use = self.training or not self.track_running_stats
        update = use and self.track_running_stats
        held = (self.running_mean, self.running_var) if update or not use else (None, None)
        share = self.momentum if update else 0.0
        out = functional.instance_norm(
            lnp.expand_dims(x, 0) if alone else x, *held, self.weight, self.bias, use, share,
            self.eps,
        )  # fmt: skip
        return lnp.squeeze(out, 0) if alone else out


class InstanceNorm1d(_InstanceNorm):
    """Normalisation of each channel of each signal (n, c, w) or (c, w)."""

    _ranks = (3, 2)


class InstanceNorm2d(_InstanceNorm):
    """Normalisation of each channel of each image (n, c, h, w) or (c, h, w).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.InstanceNorm2d(3)(lnp.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    _ranks = (4, 3)


class InstanceNorm3d(_InstanceNorm):
    """Normalisation of each channel of each volume (n, c, d, h, w) or (c, d, h, w)."""

    _ranks = (5, 4)
