"""Connectionist temporal classification: the loss of label sequences that are not aligned.

Takes: log-probabilities over time, label sequences. Gives: losses. Must not know: modules.
Graves et al., "Connectionist temporal classification", ICML 2006, section 4.1, in logarithms.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, operand, promote, tensor
from ..control import scan
from ..slots import Literal
from ..tensor import Tensor

_NEVER = Literal(-math.inf)


def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """−log of the probability of each label sequence, summed over all alignments with the input.

    `log_probs` has the shape (time, batch, classes), or (time, classes) without a batch; `targets`
    (batch, longest), or all sequences one after the other in one axis. The class `blank` stands
    between labels. "mean" divides each loss by its sequence's length first. A sequence that the
    input is too short for costs infinity, or 0 with `zero_infinity`, and has the gradient 0.

    Derivatives are those by `log_probs` itself. PyTorch's differ from them by what log_softmax
    takes away, so they agree for logits.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> logs = lnp.log(lnp.full((3, 1, 2), 0.5))
    >>> loss = lz.nn.functional.ctc_loss(logs, lz.Tensor([[1]]), (3,), (1,))
    >>> round(lnp.exp(-loss).item(), 4)  # 6 of the 8 paths are runs of 1 between blanks
    0.75
    """
    logs = tensor(promote(log_probs, inexact=True).values[0])
    alone = len(logs.shape) == 2
    if alone:
        logs = lnp.expand_dims(logs, 1)
    if len(logs.shape) != 3:
        fail(f"ctc_loss: log_probs are (time, batch, classes), got {logs.shape}", ShapeError)
    time, batch, classes = logs.shape
    if not 0 <= blank < classes:
        fail(f"ctc_loss: the blank {blank} is not among {classes} classes", ShapeError)
    inputs = _lengths(input_lengths, batch, "input_lengths", time)
    lengths = _lengths(target_lengths, batch, "target_lengths", None)
    labels = _rows(targets, target_lengths, lengths, batch)
    meant = lnp.arange(labels.shape[1]) < lnp.expand_dims(lengths, 1)
    losses = _losses(logs, lnp.where(meant, labels, Literal(blank)), inputs, lengths, blank)
    if zero_infinity:
        losses = lnp.where(lnp.isinf(losses), Literal(0.0), losses)
    if reduction == "mean":
        return lnp.mean(losses / lnp.maximum(lengths, Literal(1)).astype(losses.dtype))
    if reduction not in ("none", "sum"):
        fail(f"reduction is 'mean', 'sum' or 'none', got {reduction!r}")
    if reduction == "sum":
        return lnp.sum(losses)
    return lnp.squeeze(losses, 0) if alone else losses


def _known(x: Any) -> Any:
    """The numbers of lengths, or None while they are traced."""
    return None if isinstance(x, Tensor) and x.is_traced else np.asarray(x)


def _lengths(given: Any, batch: int, what: str, most: int | None) -> Tensor:
    found = _known(given)
    shape = operand(given).shape if found is None else found.shape
    if math.prod(shape) != batch:
        fail(f"ctc_loss: {what} needs an entry for each of {batch} examples, got {shape}",
             ShapeError)  # fmt: skip
    if found is not None and found.size:
        if not np.issubdtype(found.dtype, np.integer) or found.min() < 0:
            fail(f"ctc_loss: {what} are whole numbers from 0 on, got {found.tolist()}")
        if most is not None and found.max() > most:
            fail(f"ctc_loss: {what} up to {found.max()} are more than {most} steps", ShapeError)
    return lnp.reshape(given, (batch,))


def _rows(targets: Any, given: Any, lengths: Tensor, batch: int) -> Tensor:
    """The label sequences as rows of equal length."""
    labels = lnp.asarray(targets)
    if not labels.dtype.is_integer:
        fail(f"ctc_loss: targets are classes, got {labels.dtype}{list(labels.shape)}")
    found = _known(given)
    longest = int(found.max(initial=0)) if found is not None else None
    if len(labels.shape) == 2:
        if labels.shape[0] != batch or (longest or 0) > labels.shape[1]:
            fail(f"ctc_loss: targets {labels.shape} do not hold {batch} sequences of up to "
                 f"{longest} labels", ShapeError)  # fmt: skip
        return labels
    if len(labels.shape) != 1 or (found is not None and found.sum() > labels.shape[0]):
        fail(f"ctc_loss: targets {labels.shape} do not hold sequences of target_lengths",
             ShapeError)  # fmt: skip
    size = labels.shape[0] if longest is None else longest
    if size == 0:
        return lnp.zeros((batch, 0), labels.dtype)
    starts = lnp.expand_dims(lnp.cumsum(lengths) - lengths, 1)
    return lnp.take(labels, lnp.minimum(starts + lnp.arange(size), Literal(labels.shape[0] - 1)))


def _losses(logs: Tensor, labels: Tensor, inputs: Tensor, lengths: Tensor, blank: int) -> Tensor:
    """The loss of each example; positions are those of the labels with blanks around each."""
    time, batch, _ = logs.shape
    count = labels.shape[1]
    blanks = lnp.full_like(labels, blank)
    pairs = lnp.reshape(lnp.stack([blanks, labels], -1), (batch, 2 * count))
    places = lnp.concatenate([pairs, lnp.full((batch, 1), blank, labels.dtype)], 1)
    wide = lnp.broadcast_to(places, (time, *places.shape))
    scores = lnp.take_along_axis(logs, wide, axis=2)
    before = lnp.concatenate([lnp.full((batch, 2), blank, labels.dtype), places], 1)[:, :-2]
    skips = lnp.not_equal(places, blank) & lnp.not_equal(places, before)

    def step(paths: Any, now: Any) -> Any:
        score, t = now
        two = lnp.where(skips, _moved(paths, 2), _NEVER)
        new = _joined(paths, _moved(paths, 1), two) + score
        return lnp.where(t < lnp.expand_dims(inputs, 1), new, paths), None

    first = lnp.arange(2 * count + 1) == Literal(0)
    start = lnp.broadcast_to(lnp.where(first, Literal(0.0), _NEVER), places.shape)
    paths, _ = scan(step, start.astype(logs.dtype), (scores, lnp.arange(time)))
    ends = lnp.expand_dims(lengths * Literal(2), 1)
    on_blank = lnp.take_along_axis(paths, ends, axis=1)
    on_label = lnp.take_along_axis(paths, lnp.maximum(ends - Literal(1), Literal(0)), axis=1)
    on_label = lnp.where(ends > Literal(0), on_label, _NEVER)
    return lnp.negative(lnp.squeeze(_joined(on_blank, on_label), 1))


def _moved(paths: Any, by: int) -> Tensor:
    """Values moved to later positions, probability 0 before them."""
    lead = lnp.full((paths.shape[0], by), _NEVER, paths.dtype)
    return lnp.concatenate([lead, paths], 1)[:, : paths.shape[1]]


def _joined(*terms: Any) -> Tensor:
    """log Σ exp, whose derivative is 0 where every term is −∞."""
    top = terms[0]
    for term in terms[1:]:
        top = lnp.maximum(top, term)
    some = lnp.not_equal(top, _NEVER)
    top = lnp.where(some, top, Literal(0.0)).detach()
    total = lnp.exp(terms[0] - top)
    for term in terms[1:]:
        total = total + lnp.exp(term - top)
    return lnp.where(some, lnp.log(lnp.where(some, total, Literal(1.0))) + top, _NEVER)
