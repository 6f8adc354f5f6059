"""Losses of examples that have several labels each, with PyTorch's names.

Takes: scores, sets of labels. Gives: losses. Must not know: modules, parameters.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, operand
from ..slots import Literal
from ..tensor import Tensor
from .activations import logsigmoid, one_hot
from .losses import reduced


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Tensor:
    """The mean over classes of the cross entropy of sigmoid(input) with targets 0 and 1.

    `weight` has a factor for each class.

    >>> import lazir as lz
    >>> f = lz.nn.functional.multilabel_soft_margin_loss
    >>> round(f(lz.Tensor([[0.0, 0.0]]), lz.Tensor([[1.0, 0.0]])).item(), 4)
    0.6931
    """
    no = lnp.multiply(lnp.subtract(Literal(1), target), logsigmoid(lnp.negative(input)))
    losses = lnp.negative(lnp.multiply(target, logsigmoid(input)) + no)
    if weight is not None:
        losses = losses * weight
    return reduced(lnp.mean(losses, -1), reduction)


def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Σ max(1 − input[label] + input[other], 0) / classes over labels and classes that are none.

    `target` has the shape of `input`: the labels of an example, then −1.

    >>> import lazir as lz
    >>> f = lz.nn.functional.multilabel_margin_loss
    >>> f(lz.Tensor([0.0, 1.0]), lz.Tensor([1, -1])).item()
    0.0
    """
    shape, labels = operand(input).shape, operand(target)
    if labels.shape != shape or not labels.dtype.is_integer or len(shape) not in (1, 2):
        fail(f"multilabel_margin_loss: labels {labels.dtype}{list(labels.shape)} do not fit "
             f"scores {shape}", ShapeError)  # fmt: skip
    ended = lnp.cumsum(lnp.less(target, Literal(0)).astype("int32"), -1) > Literal(0)
    places = lnp.where(ended, Literal(0), target)
    meant = lnp.logical_not(ended)
    chosen = lnp.expand_dims(lnp.take_along_axis(input, places, axis=-1), -1)
    marks = one_hot(places, shape[-1]) * lnp.expand_dims(meant, -1).astype("int64")
    other = lnp.expand_dims(lnp.equal(lnp.max(marks, -2), Literal(0)), -2)
    off = lnp.maximum(Literal(1) - chosen + lnp.expand_dims(input, -2), Literal(0))
    counted = other & lnp.expand_dims(meant, -1)
    losses = lnp.sum(lnp.where(counted, off, Literal(0)), (-2, -1)) / Literal(shape[-1])
    return reduced(losses, reduction)
