"""Functions of neural networks: activations, normalisation, losses, convolution, pooling.

Takes: tensors, arrays. Gives: tensors. Names are PyTorch's, axes may be called `dim` or `axis`.
Images have the layout batch, channels, then space. Must not know: modules, parameters.
"""

from __future__ import annotations

import math
from typing import Any

from .. import numpy as lnp
from .. import random
from ..apply import fail, operand
from ..slots import Literal
from ..tensor import Tensor
from .activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    one_hot,
    relu,
    relu6,
    sigmoid,
    silu,
    softmax,
    softplus,
    swish,
    tanh,
)
from .losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)
from .windows import (
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose2d,
    max_pool1d,
    max_pool2d,
)


def dropout(x: Any, p: float = 0.5, training: bool = True, *, key: Any = None) -> Tensor:
    """Elements zeroed with probability p, the others scaled by 1 / (1 − p). Needs a key in
    training.

    >>> import lazir as lz
    >>> lz.nn.functional.dropout(lz.Tensor([1.0]), 0.5, training=False).item()
    1.0
    """
    if not training or p == 0:
        return lnp.positive(x)
    if key is None:
        fail("dropout in training needs key=, a key of lz.random")
    keep = random.bernoulli(key, 1 - p, operand(x).shape)
    return lnp.where(keep, lnp.divide(x, 1 - p), Literal(0))


# -- normalisation -----------------------------------------------------------------------
def _last_axes(normalized_shape: Any) -> tuple[int, ...]:
    single = normalized_shape is None or isinstance(normalized_shape, int)
    return tuple(range(-1 if single else -len(normalized_shape), 0))


def layer_norm(
    x: Any, normalized_shape: Any = None, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """(x − mean) / √(variance + eps) over the last axes, then · weight + bias.

    >>> import lazir as lz
    >>> print(lz.nn.functional.layer_norm(lz.Tensor([1.0, 3.0]), eps=0.0))
    [-1.  1.]
    """
    axes = _last_axes(normalized_shape)
    mean = lnp.mean(x, axes, keepdims=True)
    off = lnp.subtract(x, mean)
    variance = lnp.mean(lnp.square(off), axes, keepdims=True)
    result = off * lnp.rsqrt(variance + Literal(eps))
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias


def rms_norm(x: Any, normalized_shape: Any = None, weight: Any = None, eps: float = 1e-6) -> Tensor:
    """x / √(mean x² + eps) over the last axes, then · weight; PyTorch's argument order.

    >>> import lazir as lz
    >>> print(lz.nn.functional.rms_norm(lz.Tensor([3.0, 3.0]), eps=0.0))
    [1. 1.]
    """
    square = lnp.mean(lnp.square(x), _last_axes(normalized_shape), keepdims=True)
    result = lnp.multiply(x, lnp.rsqrt(square + Literal(eps)))
    return result if weight is None else result * weight


def batch_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    eps: float = 1e-5,
) -> Tensor:
    """(x − mean) / √(variance + eps) for each channel (axis 1), by the batch in training.

    >>> import lazir as lz
    >>> print(lz.nn.functional.batch_norm(lz.Tensor([[1.0], [3.0]]), training=True, eps=0.0))
    [[-1.]
     [ 1.]]
    """
    shape = operand(x).shape
    wide = (1, -1, *[1] * (len(shape) - 2))
    if training or running_mean is None:
        axes = (0, *range(2, len(shape)))
        mean, variance = lnp.mean(x, axes, keepdims=True), lnp.var(x, axes, keepdims=True)
    else:
        mean, variance = lnp.reshape(running_mean, wide), lnp.reshape(running_var, wide)
    result = lnp.subtract(x, mean) * lnp.rsqrt(variance + Literal(eps))
    if weight is not None:
        result = result * lnp.reshape(weight, wide)
    return result if bias is None else result + lnp.reshape(bias, wide)


# -- linear ------------------------------------------------------------------------------
def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """x @ weightᵀ + bias; weight has the shape (out, in).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.linear(lnp.ones((2, 3)), lnp.ones((4, 3))).shape
    (2, 4)
    """
    result = lnp.matmul(x, lnp.transpose(weight))
    return result if bias is None else result + bias


def embedding(x: Any, weight: Any) -> Tensor:
    """Rows of `weight` at the positions x.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.embedding(lz.Tensor([0, 2]), lnp.ones((3, 4))).shape
    (2, 4)
    """
    return lnp.take(weight, x, axis=0)


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(Q·Kᵀ / √d)·V over the last two axes; a bool mask keeps where true, others are added.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> q = lnp.ones((2, 4, 8))
    >>> lz.nn.functional.scaled_dot_product_attention(q, q, q).shape
    (2, 4, 8)
    """
    size = operand(query).shape[-1]
    factor = 1 / math.sqrt(size) if scale is None else scale
    scores = lnp.matmul(lnp.multiply(query, Literal(factor)), lnp.matrix_transpose(key))
    if is_causal:
        attn_mask = lnp.tri(scores.shape[-2], scores.shape[-1], dtype="bool")
    if attn_mask is not None:
        if operand(attn_mask).dtype.is_bool:
            scores = lnp.where(attn_mask, scores, Literal(-math.inf))
        else:
            scores = scores + attn_mask
    return lnp.matmul(softmax(scores, -1), value)


def normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x divided by its p-norm along one axis.

    >>> import lazir as lz
    >>> print(lz.nn.functional.normalize(lz.Tensor([3.0, 4.0]), dim=0))
    [0.6 0.8]
    """
    if p == 2:
        size = lnp.sqrt(lnp.sum(lnp.square(x), dim, keepdims=True))
    else:
        size = lnp.power(lnp.sum(lnp.power(lnp.abs(x), p), dim, keepdims=True), 1 / p)
    return lnp.divide(x, lnp.maximum(size, Literal(eps)))


__all__ = [
    "adaptive_avg_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool1d",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "relu",
    "relu6",
    "rms_norm",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "swish",
    "tanh",
]
