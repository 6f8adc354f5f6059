"""Losses with PyTorch's names: means of differences, cross entropies.

Takes: predictions, targets, `reduction` ("mean", "sum", "none"). Gives: tensors.
Must not know: modules, parameters.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, operand
from ..slots import Literal
from ..tensor import Tensor
from .activations import log_softmax, one_hot, softplus


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
