"""Losses with PyTorch's names: means of differences, cross entropies, distances.

Takes: predictions, targets, `reduction` ("mean", "sum", "none"). Gives: tensors.
Must not know: modules, parameters. Arguments that PyTorch has deprecated (`size_average`, `reduce`)
are left out; what comes after them there is given by name here.
"""

from __future__ import annotations

import math
from typing import Any

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, normal_axis, operand
from ..slots import Literal
from ..tensor import Tensor
from .activations import log_softmax, logsigmoid, one_hot, softplus


def reduced(losses: Any, reduction: str) -> Tensor:
    """Losses as they are, their mean, or their sum."""
    if reduction == "none":
        return lnp.positive(losses)
    if reduction not in ("mean", "sum"):
        fail(f"reduction is 'mean', 'sum' or 'none', got {reduction!r}")
    return lnp.mean(losses) if reduction == "mean" else lnp.sum(losses)


def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The mean squared difference.

    >>> import lazir as lz
    >>> lz.nn.functional.mse_loss(lz.Tensor([1.0, 3.0]), lz.Tensor([0.0, 0.0])).item()
    5.0
    """
    return reduced(lnp.square(lnp.subtract(input, target)), reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The mean absolute difference.

    >>> import lazir as lz
    >>> lz.nn.functional.l1_loss(lz.Tensor([1.0, -3.0]), lz.Tensor([0.0, 0.0])).item()
    2.0
    """
    return reduced(lnp.abs(lnp.subtract(input, target)), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Half the square of small differences, linear beyond delta.

    >>> import lazir as lz
    >>> lz.nn.functional.huber_loss(lz.Tensor([3.0]), lz.Tensor([0.0])).item()
    2.5
    """
    off = lnp.abs(lnp.subtract(input, target))
    near = lnp.square(off) * Literal(0.5)
    far = (off - Literal(0.5 * delta)) * Literal(delta)
    return reduced(lnp.where(off <= Literal(delta), near, far), reduction)


def smooth_l1_loss(
    input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """huber_loss / beta; the absolute difference where beta is 0.

    >>> import lazir as lz
    >>> lz.nn.functional.smooth_l1_loss(lz.Tensor([3.0]), lz.Tensor([0.0]), beta=2.0).item()
    2.0
    """
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return huber_loss(input, target, reduction, beta) / Literal(beta)


# -- classes -----------------------------------------------------------------------------
def nll_loss(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The negative log-probability of the target classes; classes are axis 1 (or the only one).

    `weight` has a factor for each class, by whose sum the mean is taken. Targets of
    `ignore_index` count nothing.

    >>> import lazir as lz
    >>> lz.nn.functional.nll_loss(lz.Tensor([[-1.0, -2.0]]), lz.Tensor([1])).item()
    2.0
    """
    shape, labels = operand(input).shape, operand(target)
    k = 1 if len(shape) > 1 else 0
    if labels.shape != shape[:k] + shape[k + 1 :] or not labels.dtype.is_integer:
        fail(f"nll_loss: classes {labels.dtype}{list(labels.shape)} do not fit scores {shape}",
             ShapeError)  # fmt: skip
    kept = lnp.not_equal(target, ignore_index)
    classes = lnp.where(kept, target, Literal(0))
    places = lnp.expand_dims(classes, k)
    chosen = lnp.negative(lnp.squeeze(lnp.take_along_axis(input, places, axis=k), k))
    factors = None if weight is None else lnp.take(weight, classes, axis=0)
    return _over_classes(chosen, factors, kept, reduction)


def _over_classes(losses: Tensor, factors: Tensor | None, kept: Tensor, reduction: str) -> Tensor:
    """Losses that count, times their factors, reduced; the mean is one by the factors."""
    if factors is not None:
        losses = losses * factors
    losses = lnp.where(kept, losses, Literal(0))
    if reduction != "mean":
        return reduced(losses, reduction)
    total = kept.astype(losses._dtype) if factors is None else lnp.where(kept, factors, Literal(0))
    return lnp.sum(losses) / lnp.sum(total)


def cross_entropy(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """The cross entropy of logits (classes on axis 1) with classes, or with probabilities.

    `weight` has a factor for each class. Classes of `ignore_index` count nothing.

    >>> import lazir as lz
    >>> round(lz.nn.functional.cross_entropy(lz.Tensor([[0.0, 0.0]]), lz.Tensor([1])).item(), 4)
    0.6931
    """
    shape, labels = operand(input).shape, operand(target)
    k = 1 if len(shape) > 1 else 0
    logs = log_softmax(input, k)
    if labels.dtype.is_integer:
        plain = nll_loss(logs, target, weight, ignore_index=ignore_index, reduction=reduction)
        if label_smoothing == 0:
            return plain
        smooth = _smoothed(logs, target, weight, ignore_index, reduction, k)
        share = Literal(label_smoothing / shape[k])
        return plain * Literal(1 - label_smoothing) + smooth * share
    if labels.shape != shape:
        fail(f"cross_entropy: probabilities {labels.shape} do not fit logits {shape}", ShapeError)
    if label_smoothing:
        target = lnp.multiply(target, Literal(1 - label_smoothing))
        target = target + Literal(label_smoothing / shape[k])
    products = lnp.multiply(target, logs)
    if weight is not None:
        products = products * lnp.reshape(weight, (-1, *[1] * (len(shape) - k - 1)))
    losses = lnp.negative(lnp.sum(products, k))
    if reduction != "mean":
        return reduced(losses, reduction)
    return lnp.sum(losses) / Literal(max(math.prod(shape) // max(shape[k], 1), 1))


def _smoothed(
    logs: Tensor, target: Any, weight: Any, ignore_index: int, reduction: str, k: int
) -> Tensor:
    """What label smoothing adds: the mean over all classes as if each were the target.

    PyTorch divides it by the factors of the target classes.
    """
    kept = lnp.not_equal(target, ignore_index)
    scores = logs
    if weight is not None:
        scores = logs * lnp.reshape(weight, (-1, *[1] * (len(logs.shape) - k - 1)))
    losses = lnp.where(kept, lnp.negative(lnp.sum(scores, k)), Literal(0))
    if reduction != "mean":
        return reduced(losses, reduction)
    factors = kept.astype(losses._dtype)
    if weight is not None:
        classes = lnp.where(kept, target, Literal(0))
        factors = lnp.where(kept, lnp.take(weight, classes, axis=0), Literal(0))
    return lnp.sum(losses) / lnp.sum(factors)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Tensor:
    """−target · log(input) − (1 − target) · log(1 − input), logarithms not below −100.

    >>> import lazir as lz
    >>> f = lz.nn.functional.binary_cross_entropy
    >>> round(f(lz.Tensor([0.5]), lz.Tensor([1.0])).item(), 4)
    0.6931
    """
    low = Literal(-100.0)
    yes = lnp.maximum(lnp.log(input), low)
    no = lnp.maximum(lnp.log1p(lnp.negative(input)), low)
    losses = lnp.multiply(lnp.subtract(target, Literal(1)), no) - lnp.multiply(target, yes)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """The cross entropy of sigmoid(input) with target, without overflow.

    `weight` is a factor of each loss, `pos_weight` of those of positive targets.

    >>> import lazir as lz
    >>> f = lz.nn.functional.binary_cross_entropy_with_logits
    >>> round(f(lz.Tensor([0.0]), lz.Tensor([1.0])).item(), 4)
    0.6931
    """
    if pos_weight is None:
        losses = softplus(input, threshold=math.inf) - lnp.multiply(input, target)
    else:
        factor = lnp.multiply(lnp.subtract(pos_weight, Literal(1)), target) + Literal(1)
        rest = lnp.multiply(lnp.subtract(Literal(1), target), input)
        losses = rest - factor * logsigmoid(input)
    return reduced(losses if weight is None else losses * weight, reduction)


def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """target · (log target − input), where `input` holds logarithms; 0 where target is 0.

    `reduction="batchmean"` is the sum by the size of axis 0, the divergence itself.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> p = lz.Tensor([[0.25, 0.75]])
    >>> lz.nn.functional.kl_div(lnp.log(p), p, reduction="batchmean").item()
    0.0
    """
    if log_target:
        losses = lnp.exp(target) * lnp.subtract(target, input)
    else:
        logs = lnp.log(lnp.where(lnp.equal(target, Literal(0)), Literal(1.0), target))
        # Where the target is 0 the term is 0 · input, which keeps an infinite or NaN input visible
        losses = lnp.multiply(target, logs) - lnp.multiply(target, input)
    if reduction == "batchmean":
        return lnp.sum(losses) / Literal(max(operand(input).shape[0], 1))
    return reduced(losses, reduction)


def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """log(1 + exp(−target · input)); targets are 1 and −1.

    >>> import lazir as lz
    >>> f = lz.nn.functional.soft_margin_loss
    >>> round(f(lz.Tensor([0.0]), lz.Tensor([1.0])).item(), 4)
    0.6931
    """
    losses = softplus(lnp.negative(lnp.multiply(target, input)), threshold=math.inf)
    return reduced(losses, reduction)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, *, eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """exp(input) − target · input, or input − target · log(input + eps) without `log_input`.

    `full` adds Stirling's formula for log(target!) where the target is above 1.

    >>> import lazir as lz
    >>> lz.nn.functional.poisson_nll_loss(lz.Tensor([0.0]), lz.Tensor([2.0])).item()
    1.0
    """
    if log_input:
        losses = lnp.exp(input) - lnp.multiply(target, input)
    else:
        losses = lnp.subtract(input, lnp.multiply(target, lnp.log(lnp.add(input, Literal(eps)))))
    if full:
        safe = lnp.where(lnp.greater(target, Literal(1)), target, Literal(1.0))
        extra = safe * lnp.log(safe) - safe + lnp.log(safe * Literal(2 * math.pi)) * Literal(0.5)
        losses = losses + lnp.where(lnp.greater(target, Literal(1)), extra, Literal(0))
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """½ (log var + (input − target)² / var), var at least eps; `full` adds ½ log 2π.

    The bound on `var` is a constant to derivatives, as in PyTorch.

    >>> import lazir as lz
    >>> f = lz.nn.functional.gaussian_nll_loss
    >>> f(lz.Tensor([3.0]), lz.Tensor([1.0]), lz.Tensor([1.0])).item()
    2.0
    """
    bounded = lnp.where(lnp.less(var, Literal(eps)), Literal(eps), var)
    # PyTorch clamps without recording it: the derivative by var is that of the bounded value
    plain = lnp.asarray(var)
    safe = plain + (bounded - plain).detach()
    losses = lnp.log(safe) + lnp.square(lnp.subtract(input, target)) / safe
    losses = losses * Literal(0.5)
    return reduced(losses + Literal(0.5 * math.log(2 * math.pi)) if full else losses, reduction)


# -- distances ---------------------------------------------------------------------------
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 · x2 / (|x1| |x2|) along an axis, lengths at least eps.

    >>> import lazir as lz
    >>> f = lz.nn.functional.cosine_similarity
    >>> f(lz.Tensor([3.0, 4.0]), lz.Tensor([3.0, 4.0]), dim=0).item()
    1.0
    """
    dot = lnp.sum(lnp.multiply(x1, x2), dim)
    squares = [lnp.sum(lnp.square(x), dim) for x in (x1, x2)]
    low = Literal(eps * eps)
    return dot / lnp.sqrt(lnp.maximum(squares[0], low) * lnp.maximum(squares[1], low))


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 − x2 + eps along the last axis.

    >>> import lazir as lz
    >>> f = lz.nn.functional.pairwise_distance
    >>> round(f(lz.Tensor([[3.0, 4.0]]), lz.Tensor([[0.0, 0.0]])).item(), 4)
    5.0
    """
    off = lnp.abs(lnp.subtract(x1, x2) + Literal(eps))
    if p == math.inf:
        return lnp.max(off, -1, keepdims=keepdim)
    if p == 1:
        return lnp.sum(off, -1, keepdims=keepdim)
    if p == 2:
        return lnp.sqrt(lnp.sum(lnp.square(off), -1, keepdims=keepdim))
    return lnp.power(lnp.sum(lnp.power(off, p), -1, keepdims=keepdim), 1 / p)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0,
    eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(|anchor − positive| − |anchor − negative| + margin, 0).

    With `swap` the nearer of anchor and positive stands against the negative.

    >>> import lazir as lz
    >>> a, b = lz.Tensor([[0.0, 0.0]]), lz.Tensor([[3.0, 4.0]])
    >>> round(lz.nn.functional.triplet_margin_loss(a, b, a).item(), 3)
    6.0
    """
    near, far = (
        pairwise_distance(anchor, positive, p, eps),
        pairwise_distance(anchor, negative, p, eps),
    )
    if swap:
        far = lnp.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(lnp.maximum(near - far + Literal(margin), Literal(0)), reduction)


def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *, distance_function: Any = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """triplet_margin_loss with a distance of your own (pairwise_distance by default).

    >>> import lazir as lz
    >>> a, b = lz.Tensor([[0.0, 0.0]]), lz.Tensor([[3.0, 4.0]])
    >>> f = lz.nn.functional.triplet_margin_with_distance_loss
    >>> f(a, b, a, distance_function=lambda x, y: abs(x - y).sum(-1)).item()
    8.0
    """
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = lnp.minimum(far, distance(positive, negative))
    return reduced(lnp.maximum(near - far + Literal(margin), Literal(0)), reduction)


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """max(−target · (input1 − input2) + margin, 0); target 1: the first is to be larger.

    >>> import lazir as lz
    >>> f = lz.nn.functional.margin_ranking_loss
    >>> f(lz.Tensor([1.0]), lz.Tensor([3.0]), lz.Tensor([1.0])).item()
    2.0
    """
    off = lnp.multiply(lnp.negative(target), lnp.subtract(input1, input2))
    return reduced(lnp.maximum(off + Literal(margin), Literal(0)), reduction)


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    """input where target is 1, max(margin − input, 0) where it is −1.

    >>> import lazir as lz
    >>> lz.nn.functional.hinge_embedding_loss(lz.Tensor([0.25]), lz.Tensor([-1])).item()
    0.75
    """
    far = lnp.maximum(lnp.subtract(Literal(margin), input), Literal(0))
    zero = lnp.zeros_like(far)
    losses = lnp.where(lnp.equal(target, Literal(1)), zero, far)
    return reduced(losses + lnp.where(lnp.equal(target, Literal(-1)), zero, input), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """1 − cos where target is 1, max(cos − margin, 0) where it is −1.

    >>> import lazir as lz
    >>> f = lz.nn.functional.cosine_embedding_loss
    >>> round(f(lz.Tensor([[1.0, 0.0]]), lz.Tensor([[0.0, 1.0]]), lz.Tensor([1])).item(), 4)
    1.0
    """
    shape = operand(input1).shape
    k = normal_axis(-1, len(shape), "cosine_embedding_loss")
    dot = lnp.sum(lnp.multiply(input1, input2), k)
    squares = [lnp.sum(lnp.square(x), k) + Literal(1e-12) for x in (input1, input2)]
    cosine = dot / lnp.sqrt(squares[0] * squares[1])
    zero = lnp.zeros_like(cosine)
    same = lnp.where(lnp.equal(target, Literal(1)), lnp.subtract(Literal(1), cosine), zero)
    apart = lnp.maximum(cosine - Literal(margin), Literal(0))
    return reduced(same + lnp.where(lnp.equal(target, Literal(-1)), apart, zero), reduction)


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Σ max(margin − input[target] + input[j], 0)ᵖ / classes over the other classes j.

    >>> import lazir as lz
    >>> lz.nn.functional.multi_margin_loss(lz.Tensor([[0.0, 1.0]]), lz.Tensor([1])).item()
    0.0
    """
    shape = operand(input).shape
    chosen = lnp.take_along_axis(input, lnp.expand_dims(target, -1), axis=-1)
    off = lnp.maximum(lnp.subtract(input, chosen) + Literal(margin), Literal(0))
    powers = off if p == 1 else lnp.power(off, p)
    if weight is not None:
        powers = powers * lnp.expand_dims(lnp.take(weight, target, axis=0), -1)
    others = lnp.equal(one_hot(target, shape[-1]), Literal(0))
    losses = lnp.sum(lnp.where(others, powers, Literal(0)), -1) / Literal(shape[-1])
    return reduced(losses, reduction)
