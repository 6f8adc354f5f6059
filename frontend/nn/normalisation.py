"""Normalisation: moments over some axes, or running ones, with PyTorch's names and defaults.

Takes: tensors of layout batch, channels, space. Gives: tensors. Must not know: modules, parameters.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, operand
from ..slots import Literal
from ..tensor import Tensor


def _last_axes(normalized_shape: Any) -> tuple[int, ...]:
    single = normalized_shape is None or isinstance(normalized_shape, int)
    return tuple(range(-1 if single else -len(normalized_shape), 0))


def _check_last(name: str, x: Any, normalized_shape: Any) -> None:
    if normalized_shape is None:
        return
    single = isinstance(normalized_shape, int)
    wanted = (normalized_shape,) if single else tuple(normalized_shape)
    shape = operand(x).shape
    if shape[len(shape) - len(wanted) :] != wanted:
        fail(f"{name}: shape {shape} does not end in normalized_shape {wanted}", ShapeError)


class Moments(NamedTuple):
    """Mean and (biased) variance over some axes, which are kept with size 1."""

    mean: Tensor
    variance: Tensor


def moments(x: Any, axes: tuple[int, ...]) -> Moments:
    """Mean and variance of x over axes."""
    mean = lnp.mean(x, axes, keepdims=True)
    return Moments(mean, lnp.mean(lnp.square(lnp.subtract(x, mean)), axes, keepdims=True))


def _normal(x: Any, found: Moments, eps: float) -> Tensor:
    return lnp.subtract(x, found.mean) * lnp.rsqrt(found.variance + Literal(eps))


def _affine(x: Tensor, weight: Any, bias: Any, shape: tuple[int, ...] | None = None) -> Tensor:
    """x · weight + bias, where given; `shape` is theirs against x."""
    if weight is not None:
        x = x * (weight if shape is None else lnp.reshape(weight, shape))
    if bias is not None:
        x = x + (bias if shape is None else lnp.reshape(bias, shape))
    return x


def layer_norm(
    x: Any, normalized_shape: Any = None, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """(x − mean) / √(variance + eps) over the last axes, then · weight + bias.

    >>> import lazir as lz
    >>> print(lz.nn.functional.layer_norm(lz.Tensor([1.0, 3.0]), eps=0.0))
    [-1.  1.]
    """
    _check_last("layer_norm", x, normalized_shape)
    axes = _last_axes(normalized_shape)
    return _affine(_normal(x, moments(x, axes), eps), weight, bias)


def rms_norm(
    x: Any, normalized_shape: Any = None, weight: Any = None, eps: float | None = None
) -> Tensor:
    """x / √(mean x² + eps) over the last axes, then · weight (Zhang and Sennrich, 2019).

    eps is the precision of x's dtype by default (2⁻²³ for f32).

    >>> import lazir as lz
    >>> print(lz.nn.functional.rms_norm(lz.Tensor([3.0, 3.0]), eps=0.0))
    [1. 1.]
    """
    _check_last("rms_norm", x, normalized_shape)
    if eps is None:
        eps = 2.0 ** -_PRECISION.get(operand(x).dtype.name, 23)
    square = lnp.mean(lnp.square(x), _last_axes(normalized_shape), keepdims=True)
    return _affine(lnp.multiply(x, lnp.rsqrt(square + Literal(eps))), weight, None)


_PRECISION = {"f16": 10, "bf16": 7, "f32": 23, "f64": 52}


def _move(running: Tensor, fresh: Tensor, momentum: Any) -> None:
    """(1 − momentum) · running + momentum · fresh, in place."""
    share = momentum if isinstance(momentum, Tensor) else Literal(momentum)
    rest = 1 - momentum if isinstance(momentum, Tensor) else Literal(1 - momentum)
    running.copy_((running * rest + fresh * share).astype(running.dtype))


def _over_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which one number for each channel stands against a tensor."""
    if len(shape) < 2:
        fail(f"a tensor of shape {shape} has no axis of channels", ShapeError)
    return (1, -1, *[1] * (len(shape) - 2))


def batch_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x − mean) / √(variance + eps) for each channel (axis 1), by the batch in training.

    In training, running_mean and running_var, where they are Tensors, move towards the batch's own
    by `momentum`, in place; the running variance is the unbiased one.

    >>> import lazir as lz
    >>> print(lz.nn.functional.batch_norm(lz.Tensor([[1.0], [3.0]]), training=True, eps=0.0))
    [[-1.]
     [ 1.]]
    """
    shape = operand(x).shape
    wide = _over_channels(shape)
    if not training:
        if running_mean is None or running_var is None:
            fail("batch_norm needs running_mean and running_var outside of training")
        held = Moments(lnp.reshape(running_mean, wide), lnp.reshape(running_var, wide))
        return _affine(_normal(x, held, eps), weight, bias, wide)
    axes = (0, *range(2, len(shape)))
    found = moments(x, axes)
    count = math.prod(shape[k] for k in axes)
    for running, new in zip((running_mean, running_var), found):
        if isinstance(running, Tensor):
            fresh = new.reshape(-1).detach()
            if new is found.variance:
                fresh = fresh * Literal(count / max(count - 1, 1))
            _move(running, fresh, momentum)
    return _affine(_normal(x, found, eps), weight, bias, wide)


def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Normalisation over groups of channels and space, then · weight + bias for each channel.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.group_norm(lnp.ones((2, 4, 3)), 2).shape
    (2, 4, 3)
    """
    shape = operand(x).shape
    wide = _over_channels(shape)
    if shape[1] % num_groups:
        fail(f"group_norm: {shape[1]} channels do not divide into {num_groups} groups", ShapeError)
    split = lnp.reshape(x, (shape[0], num_groups, shape[1] // num_groups, *shape[2:]))
    normal = _normal(split, moments(split, tuple(range(2, len(shape) + 1))), eps)
    return _affine(normal.reshape(shape), weight, bias, wide)


def instance_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: Any = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalisation over space for each sample and channel, then · weight + bias.

    Without `use_input_stats`, by running_mean and running_var.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.instance_norm(lnp.ones((2, 4, 3))).shape
    (2, 4, 3)
    """
    shape = operand(x).shape
    wide = _over_channels(shape)
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    axes = tuple(range(2, len(shape)))
    found = moments(x, axes)
    count = math.prod(shape[2:])
    for running, new in zip((running_mean, running_var), found):
        if isinstance(running, Tensor):
            fresh = lnp.mean(new, (0, *axes)).detach()
            if new is found.variance:
                fresh = fresh * Literal(count / max(count - 1, 1))
            _move(running, fresh, momentum)
    return _affine(_normal(x, found, eps), weight, bias, wide)


def local_response_norm(
    x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + alpha · mean of x² over `size` neighbouring channels)^beta.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.local_response_norm(lnp.ones((1, 4, 2)), 3).shape
    (1, 4, 2)
    """
    shape = operand(x).shape
    _over_channels(shape)
    before, after = size // 2, (size - 1) // 2
    wide = [(0, 0)] * len(shape)
    wide[1] = (before, after)
    squares = lnp.pad(lnp.square(x), wide)
    total = squares[:, : shape[1]]
    for step in range(1, size):
        total = total + squares[:, step : step + shape[1]]
    scale = lnp.power(total * Literal(alpha / size) + Literal(k), beta)
    return lnp.divide(x, scale)


def normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x divided by its p-norm along one axis, at least eps.

    >>> import lazir as lz
    >>> print(lz.nn.functional.normalize(lz.Tensor([3.0, 4.0]), dim=0))
    [0.6 0.8]
    """
    if p == 2:
        size = lnp.sqrt(lnp.sum(lnp.square(x), dim, keepdims=True))
    elif p == math.inf:
        size = lnp.max(lnp.abs(x), dim, keepdims=True)
    elif p == 1:
        size = lnp.sum(lnp.abs(x), dim, keepdims=True)
    else:
        size = lnp.power(lnp.sum(lnp.power(lnp.abs(x), p), dim, keepdims=True), 1 / p)
    return lnp.divide(x, lnp.maximum(size, Literal(eps)))
