"""Functions of neural networks: activations, normalisation, losses, convolution, pooling.

Takes: tensors, arrays. Gives: tensors. Names are PyTorch's, axes may be called `dim` or `axis`.
Images have the layout batch, channels, then space. Must not know: modules, parameters.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from .. import numpy as lnp
from .. import random
from ..apply import (
    Literal,
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axis,
    number,
    operand,
    promote,
    tensor,
)
from ..dtypes import int64
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

if TYPE_CHECKING:
    from ..tensor import Tensor


def _float(x: Any) -> Value:
    return promote(x, inexact=True).values[0]


def _filled(x: float, like: Value) -> Value:
    return expand(number(x, like.type.dtype, structural=True), like.shape)


def _axis(x: Value, dim: int, axis: int | None) -> int:
    return normal_axis(dim if axis is None else axis, len(x.shape), "axis")


# -- activations -------------------------------------------------------------------------
def relu(x: Any) -> Tensor:
    """max(x, 0); its derivative at 0 is 0.

    >>> import lazir as lz
    >>> print(lz.nn.functional.relu(lz.Tensor([-1.0, 2.0])))
    [0. 2.]
    """
    v = promote(x).values[0]
    zero = _filled(0, v)
    # NaN is kept: the comparison with it is false
    return tensor(call("select", call("less_equal", v, zero), zero, v))


def relu6(x: Any) -> Tensor:
    """min(max(x, 0), 6).

    >>> import lazir as lz
    >>> print(lz.nn.functional.relu6(lz.Tensor([-1.0, 9.0])))
    [0. 6.]
    """
    return lnp.clip(x, Literal(0), Literal(6))


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """x above 0, negative_slope · x below.

    >>> import lazir as lz
    >>> print(lz.nn.functional.leaky_relu(lz.Tensor([-1.0, 2.0]), 0.5))
    [-0.5  2. ]
    """
    v = _float(x)
    scaled = call("mul", v, _filled(negative_slope, v))
    return tensor(call("select", call("less", v, _filled(0, v)), scaled, v))


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha · (eˣ − 1) below.

    >>> import lazir as lz
    >>> lz.nn.functional.elu(2.0).item()
    2.0
    """
    v = _float(x)
    low = call("mul", call("expm1", call("minimum", v, _filled(0, v))), _filled(alpha, v))
    return tensor(call("select", call("greater", v, _filled(0, v)), v, low))


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + e⁻ˣ), written with tanh so that nothing overflows.

    >>> import lazir as lz
    >>> lz.nn.functional.sigmoid(0.0).item()
    0.5
    """
    v = _float(x)
    half = _filled(0.5, v)
    return tensor(call("add", half, call("mul", half, call("tanh", call("mul", half, v)))))


def silu(x: Any) -> Tensor:
    """x · sigmoid(x).

    >>> import lazir as lz
    >>> lz.nn.functional.silu(0.0).item()
    0.0
    """
    return lnp.multiply(x, sigmoid(x))


swish = silu


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent.

    >>> import lazir as lz
    >>> lz.nn.functional.tanh(0.0).item()
    0.0
    """
    return lnp.tanh(x)


def softplus(x: Any) -> Tensor:
    """log(1 + eˣ) without overflow.

    >>> import lazir as lz
    >>> lz.nn.functional.softplus(100.0).item()
    100.0
    """
    v = _float(x)
    small = call("log1p", call("exp", call("neg", call("abs", v))))
    return tensor(call("add", call("maximum", v, _filled(0, v)), small))


def gelu(x: Any, approximate: Any = "none") -> Tensor:
    """x · Φ(x) (Hendrycks and Gimpel, 2016); `approximate="tanh"` for their tanh formula.

    >>> import lazir as lz
    >>> lz.nn.functional.gelu(0.0).item()
    0.0
    """
    v = _float(x)
    half, one = _filled(0.5, v), _filled(1, v)
    if approximate in ("tanh", True):
        cube = call("mul", call("mul", v, v), v)
        inner = call("add", v, call("mul", _filled(0.044715, v), cube))
        gate = call("tanh", call("mul", _filled(math.sqrt(2 / math.pi), v), inner))
    elif approximate in ("none", False):
        gate = call("erf", call("mul", v, _filled(math.sqrt(0.5), v)))
    else:
        fail(f"gelu: approximate is 'none' or 'tanh', got {approximate!r}")
    return tensor(call("mul", call("mul", half, v), call("add", one, gate)))


def _row_maximum(v: Value, k: int) -> Value:
    """The largest of each row, spread out; a constant to derivatives, since it cancels out."""
    top = call("reduce_max", v, axes=(k,))
    top = call("reshape", top, shape=tuple(1 if j == k else n for j, n in enumerate(v.shape)))
    return call("stop_gradient", expand(top, v.shape))


def _row_sum(v: Value, k: int) -> Value:
    total = call("reduce_sum", v, axes=(k,))
    shape = tuple(1 if j == k else n for j, n in enumerate(v.shape))
    return expand(call("reshape", total, shape=shape), v.shape)


def softmax(x: Any, dim: int = -1, *, axis: int | None = None) -> Tensor:
    """exp(x) / Σ exp(x) along one axis.

    >>> import lazir as lz
    >>> print(lz.nn.functional.softmax(lz.Tensor([0.0, 0.0])))
    [0.5 0.5]
    """
    v = _float(x)
    k = _axis(v, dim, axis)
    powers = call("exp", call("sub", v, _row_maximum(v, k)))
    return tensor(call("div", powers, _row_sum(powers, k)))


def log_softmax(x: Any, dim: int = -1, *, axis: int | None = None) -> Tensor:
    """log(softmax(x)) without overflow.

    >>> import lazir as lz
    >>> print(lz.nn.functional.log_softmax(lz.Tensor([0.0, 0.0])))
    [-0.6931472 -0.6931472]
    """
    v = _float(x)
    k = _axis(v, dim, axis)
    moved = call("sub", v, _row_maximum(v, k))
    return tensor(call("sub", moved, call("log", _row_sum(call("exp", moved), k))))


def dropout(x: Any, p: float = 0.5, training: bool = True, *, key: Any = None) -> Tensor:
    """Elements zeroed with probability p, the others scaled by 1 / (1 − p). Needs a key in training.

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
def layer_norm(
    x: Any, normalized_shape: Any = None, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """(x − mean) / √(variance + eps) over the last axes, then · weight + bias.

    >>> import lazir as lz
    >>> print(lz.nn.functional.layer_norm(lz.Tensor([1.0, 3.0]), eps=0.0))
    [-1.  1.]
    """
    count = 1 if normalized_shape is None else (
        1 if isinstance(normalized_shape, int) else len(normalized_shape)
    )  # fmt: skip
    axes = tuple(range(-count, 0))
    mean = lnp.mean(x, axes, keepdims=True)
    off = lnp.subtract(x, mean)
    variance = lnp.mean(lnp.square(off), axes, keepdims=True)
    result = off * lnp.rsqrt(variance + Literal(eps))
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias


def rms_norm(x: Any, weight: Any = None, eps: float = 1e-6) -> Tensor:
    """x / √(mean x² + eps) over the last axis, then · weight.

    >>> import lazir as lz
    >>> print(lz.nn.functional.rms_norm(lz.Tensor([3.0, 3.0]), eps=0.0))
    [1. 1.]
    """
    square = lnp.mean(lnp.square(x), -1, keepdims=True)
    result = lnp.multiply(x, lnp.rsqrt(square + Literal(eps)))
    return result if weight is None else result * weight


def batch_norm(
    x: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    training: bool = False, eps: float = 1e-5,
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


def one_hot(x: Any, num_classes: int, dtype: Any = "float32") -> Tensor:
    """Rows with a 1 at position x, 0 elsewhere; a class outside gives zeros.

    >>> import lazir as lz
    >>> print(lz.nn.functional.one_hot(lz.Tensor([0, 2]), 3))
    [[1. 0. 0.]
     [0. 0. 1.]]
    """
    v = lift(operand(x))
    if not v.type.dtype.is_integer:
        fail(f"one_hot needs integer classes, got {v.type.short}")
    shape = (*v.shape, num_classes)
    wide = call("broadcast", convert(v, int64), shape=shape, axes=tuple(range(len(v.shape))))
    places = call("iota", shape=shape, axis=len(shape) - 1, dtype=int64)
    return lnp.astype(tensor(call("equal", wide, places)), dtype)


def embedding(x: Any, weight: Any) -> Tensor:
    """Rows of `weight` at the positions x.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.embedding(lz.Tensor([0, 2]), lnp.ones((3, 4))).shape
    (2, 4)
    """
    return lnp.take(weight, x, axis=0)


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, is_causal: bool = False,
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


# -- losses ------------------------------------------------------------------------------
def _reduced(losses: Any, reduction: str) -> Tensor:
    if reduction == "none":
        return lnp.positive(losses)
    if reduction not in ("mean", "sum"):
        fail(f"reduction is 'mean', 'sum' or 'none', got {reduction!r}")
    return lnp.mean(losses) if reduction == "mean" else lnp.sum(losses)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """The mean squared difference.

    >>> import lazir as lz
    >>> lz.nn.functional.mse_loss(lz.Tensor([1.0, 3.0]), lz.Tensor([0.0, 0.0])).item()
    5.0
    """
    return _reduced(lnp.square(lnp.subtract(input, target)), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """The mean absolute difference.

    >>> import lazir as lz
    >>> lz.nn.functional.l1_loss(lz.Tensor([1.0, -3.0]), lz.Tensor([0.0, 0.0])).item()
    2.0
    """
    return _reduced(lnp.abs(lnp.subtract(input, target)), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Half the square of small differences, linear beyond delta.

    >>> import lazir as lz
    >>> lz.nn.functional.huber_loss(lz.Tensor([3.0]), lz.Tensor([0.0])).item()
    2.5
    """
    off = lnp.abs(lnp.subtract(input, target))
    near = lnp.square(off) * Literal(0.5)
    far = (off - Literal(0.5 * delta)) * Literal(delta)
    return _reduced(lnp.where(off <= Literal(delta), near, far), reduction)


def nll_loss(log_probabilities: Any, target: Any, reduction: str = "mean") -> Tensor:
    """The negative log-probability of the target classes; classes are axis 1 (or the only one).

    >>> import lazir as lz
    >>> lz.nn.functional.nll_loss(lz.Tensor([[-1.0, -2.0]]), lz.Tensor([1])).item()
    2.0
    """
    rank = len(operand(log_probabilities).shape)
    k = 1 if rank > 1 else 0
    places = lnp.expand_dims(target, k)
    chosen = lnp.squeeze(lnp.take_along_axis(log_probabilities, places, axis=k), k)
    return _reduced(lnp.negative(chosen), reduction)


def cross_entropy(
    input: Any, target: Any, reduction: str = "mean", label_smoothing: float = 0.0
) -> Tensor:
    """The cross entropy of logits (classes on axis 1) with classes, or with probabilities.

    >>> import lazir as lz
    >>> round(lz.nn.functional.cross_entropy(lz.Tensor([[0.0, 0.0]]), lz.Tensor([1])).item(), 4)
    0.6931
    """
    shape = operand(input).shape
    k = 1 if len(shape) > 1 else 0
    logs = log_softmax(input, k)
    labels = operand(target)
    if labels.dtype.is_integer:
        if label_smoothing == 0:
            return nll_loss(logs, target, reduction)
        target = lnp.moveaxis(one_hot(target, shape[k], logs._dtype), -1, k)
    elif labels.shape != shape:
        fail(f"cross_entropy: probabilities {labels.shape} do not fit logits {shape}", ShapeError)
    if label_smoothing:
        smooth = label_smoothing
        target = lnp.multiply(target, Literal(1 - smooth)) + Literal(smooth / shape[k])
    losses = lnp.negative(lnp.sum(lnp.multiply(target, logs), k))
    return _reduced(losses, reduction)


def binary_cross_entropy_with_logits(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """The cross entropy of sigmoid(input) with target, without overflow.

    >>> import lazir as lz
    >>> f = lz.nn.functional.binary_cross_entropy_with_logits
    >>> round(f(lz.Tensor([0.0]), lz.Tensor([1.0])).item(), 4)
    0.6931
    """
    losses = softplus(input) - lnp.multiply(input, target)
    return _reduced(losses, reduction)


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
