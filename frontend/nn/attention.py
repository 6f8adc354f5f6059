"""Attention: scaled products, and many heads with projections, with PyTorch's names.

Takes: tensors. Gives: tensors. Must not know: modules, parameters.
"""

from __future__ import annotations

import math
from typing import Any

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail, operand
from ..slots import Literal
from ..tensor import Tensor
from .activations import softmax
from .chance import dropout


def _masked(scores: Any, mask: Any) -> Any:
    """Scores where a bool mask is true, −∞ elsewhere; masks of numbers are added."""
    if operand(mask).dtype.is_bool:
        return lnp.where(mask, scores, Literal(-math.inf))
    return scores + mask


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(Q·Kᵀ / √d)·V over the last two axes; a bool mask keeps where true, others are added.

    `enable_gqa`: key and value may have fewer heads (axis −3), each for several of query's. A row
    that the mask leaves nothing of is NaN, as in PyTorch's formula.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> q = lnp.ones((2, 4, 8))
    >>> lz.nn.functional.scaled_dot_product_attention(q, q, q).shape
    (2, 4, 8)
    """
    if enable_gqa:
        times = operand(query).shape[-3] // max(operand(key).shape[-3], 1)
        key, value = (lnp.repeat(x, times, axis=-3) for x in (key, value))
    weights = _weights(query, key, attn_mask, is_causal, scale)
    return lnp.matmul(dropout(weights, dropout_p), value)


def _weights(query: Any, key: Any, mask: Any, is_causal: bool, scale: float | None) -> Tensor:
    size = operand(query).shape[-1]
    factor = 1 / math.sqrt(max(size, 1)) if scale is None else scale
    scores = lnp.matmul(lnp.multiply(query, Literal(factor)), lnp.matrix_transpose(key))
    if is_causal:
        if mask is not None:
            fail("is_causal and attn_mask exclude each other; put the triangle into the mask")
        mask = lnp.tri(scores.shape[-2], scores.shape[-1], dtype="bool")
    return softmax(scores if mask is None else _masked(scores, mask), -1)


def _heads(x: Tensor, count: int) -> Tensor:
    """(n, length, e) as (n, heads, length, e / heads)."""
    n, length, size = x.shape
    return lnp.transpose(x.reshape(n, length, count, size // count), (0, 2, 1, 3))


def _head_mask(mask: Any, padding: Any, n: int, heads: int) -> Any:
    """One mask against scores (n, heads, length, length); in both of PyTorch's, true means left
    out."""
    parts = []
    for given, axes in ((mask, None), (padding, (n, 1, 1))):
        if given is None:
            continue
        shape = operand(given).shape
        if axes is not None:
            given = lnp.reshape(given, (*axes, shape[-1]))
        elif len(shape) == 3:
            given = lnp.reshape(given, (n, heads, *shape[1:]))
        if operand(given).dtype.is_bool:
            given = lnp.where(given, Literal(-math.inf), Literal(0.0))
        parts.append(given)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else lnp.add(*parts)


def multi_head_attention(
    query: Any,
    key: Any,
    value: Any,
    num_heads: int,
    projections: tuple[Any, Any, Any],
    biases: tuple[Any, Any, Any] | None,
    out_weight: Any,
    out_bias: Any = None,
    *,
    dropout_p: float = 0.0,
    key_padding_mask: Any = None,
    attn_mask: Any = None,
    average: bool = True,
) -> tuple[Tensor, Tensor]:
    """Attention of several heads on inputs (n, length, e); gives the result and the weights.

    `projections` are those of query, key and value, (e, in) each. Bool masks are true where a
    position is left out (the other way round than scaled_dot_product_attention), masks of numbers
    are added: `attn_mask` (length, source) or (n · heads, length, source), `key_padding_mask`
    (n, source). The weights are (n, length, source), or (n, heads, …) without `average`.
    """
    given = [lnp.asarray(x) for x in (query, key, value)]
    if any(len(x.shape) != 3 for x in given):
        fail(f"attention needs inputs of 3 axes, got {[x.shape for x in given]}", ShapeError)
    moved = [lnp.matmul(x, lnp.transpose(w)) for x, w in zip(given, projections)]
    if biases is not None:
        moved = [x + b for x, b in zip(moved, biases)]
    q, k, v = (_heads(x, num_heads) for x in moved)
    mask = _head_mask(attn_mask, key_padding_mask, given[0].shape[0], num_heads)
    weights = dropout(_weights(q, k, mask, False, None), dropout_p)
    joined = lnp.transpose(lnp.matmul(weights, v), (0, 2, 1, 3))
    out = lnp.matmul(joined.reshape(*joined.shape[:2], -1), lnp.transpose(out_weight))
    if out_bias is not None:
        out = out + out_bias
    return out, lnp.mean(weights, 1) if average else weights
