"""Functions of neural networks: activations, normalisation, losses, convolution, pooling.

Takes: tensors, arrays. Gives: tensors. Names are PyTorch's, axes may be called `dim` or `axis`.
Images have the layout batch, channels, then space. Must not know: modules, parameters.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from .. import late
from .. import numpy as lnp
from ..apply import fail, operand
from ..public import listing
from ..slots import Literal
from ..tensor import Tensor
from .activations import (
    celu,
    elu,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    one_hot,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    swish,
    tanh,
    tanhshrink,
    threshold,
)
from .attention import multi_head_attention, scaled_dot_product_attention
from .chance import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
    gumbel_softmax,
    rrelu,
)
from .ctc import ctc_loss
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_embedding_loss,
    cosine_similarity,
    cross_entropy,
    gaussian_nll_loss,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    l1_loss,
    margin_ranking_loss,
    mse_loss,
    multi_margin_loss,
    nll_loss,
    pairwise_distance,
    poisson_nll_loss,
    smooth_l1_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from .normalisation import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    normalize,
    rms_norm,
)
from .pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from .resize import channel_shuffle, interpolate, pad, pixel_shuffle, pixel_unshuffle
from .sampling import affine_grid, grid_sample
from .several_labels import multilabel_margin_loss, multilabel_soft_margin_loss
from .unpooling import max_unpool1d, max_unpool2d, max_unpool3d
from .windows import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    fold,
    unfold,
)


def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """x @ weightᵀ + bias; weight has the shape (out, in).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.linear(lnp.ones((2, 3)), lnp.ones((4, 3))).shape
    (2, 4)
    """
    result = lnp.matmul(x, lnp.transpose(weight))
    return result if bias is None else result + bias


def bilinear(x1: Any, x2: Any, weight: Any, bias: Any = None) -> Tensor:
    """x1ᵀ · weight[k] · x2 + bias[k] for each k; weight has the shape (out, in1, in2).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> f = lz.nn.functional.bilinear
    >>> f(lnp.ones((5, 2)), lnp.ones((5, 3)), lnp.ones((4, 2, 3))).shape
    (5, 4)
    """
    result = lnp.einsum("...i,kij,...j->...k", x1, weight, x2)
    return result if bias is None else result + bias


def embedding(x: Any, weight: Any, padding_idx: int | None = None) -> Tensor:
    """Rows of `weight` at the positions x; the row `padding_idx` gets no gradient.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.embedding(lz.Tensor([0, 2]), lnp.ones((3, 4))).shape
    (2, 4)
    """
    found = operand(x)
    if not found.dtype.is_integer:
        fail(f"embedding needs integer positions, got {found.dtype}{list(found.shape)}")
    rows = lnp.take(weight, x, axis=0)
    if padding_idx is None:
        return rows
    count = operand(weight).shape[0]
    if not -count <= padding_idx < count:
        fail(f"embedding: padding_idx {padding_idx} is not among {count} rows", ShapeError)
    padded = lnp.expand_dims(lnp.equal(x, padding_idx % count), -1)
    return lnp.where(padded, rows.detach(), rows)


def embedding_bag(
    input: Any, weight: Any, offsets: Any = None, *, mode: str = "mean",
    per_sample_weights: Any = None, include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """Means (or "sum" or "max") of rows of `weight`, one for each bag of positions.

    A bag is a row of `input`, or starts at each of `offsets` into an input of one axis; the last
    offset is its end with `include_last_offset`. Positions `padding_idx` count nothing, empty bags
    give 0. `per_sample_weights` are factors of the rows, for sums.

    >>> import lazir as lz
    >>> table = lz.Tensor([[1.0], [2.0], [4.0]])
    >>> f = lz.nn.functional.embedding_bag
    >>> print(f(lz.Tensor([0, 1, 2]), table, lz.Tensor([0, 1]), mode="sum"))
    [[1.]
     [6.]]
    """
    rank = len(operand(input).shape)
    if mode not in ("mean", "sum", "max"):
        fail(f"embedding_bag: mode is 'mean', 'sum' or 'max', not {mode!r}")
    if per_sample_weights is not None and mode != "sum":
        fail("embedding_bag: per_sample_weights= is for mode 'sum'")
    if (rank, offsets is None) not in ((1, False), (2, True)):
        fail("embedding_bag takes positions (bags, length), or (all,) with offsets=", ShapeError)
    rows = embedding(input, weight, padding_idx)
    if per_sample_weights is not None:
        rows = rows * lnp.expand_dims(per_sample_weights, -1)
    meant = lnp.ones(operand(input).shape, "bool")
    if padding_idx is not None:
        meant = lnp.not_equal(input, padding_idx % operand(weight).shape[0])
    if offsets is None:
        bags = rows.shape[0]
        owner = lnp.broadcast_to(lnp.expand_dims(lnp.arange(bags), 1), meant.shape).ravel()
        rows, meant = lnp.reshape(rows, (-1, rows.shape[-1])), meant.ravel()
    else:
        bags = operand(offsets).shape[0] - include_last_offset
        starts = lnp.asarray(offsets)[:bags]
        owner = lnp.searchsorted(starts, lnp.arange(meant.shape[0]), side="right") - Literal(1)
    return _joined_rows(rows, meant, owner, bags, mode)


def _joined_rows(rows: Tensor, meant: Tensor, owner: Tensor, bags: int, mode: str) -> Tensor:
    """The sums, means or maxima of the rows that each bag owns."""
    wide = lnp.expand_dims(meant, 1)
    counts = lnp.zeros(bags, rows.dtype).at[owner].add(meant.astype(rows.dtype))
    start = lnp.zeros((bags, rows.shape[1]), rows.dtype)
    if mode == "max":
        low = Literal(float("-inf"))
        best = lnp.full_like(start, low).at[owner].max(lnp.where(wide, rows, low))
        return lnp.where(lnp.expand_dims(counts, 1) > Literal(0), best, Literal(0.0))
    total: Tensor = start.at[owner].add(lnp.where(wide, rows, Literal(0.0)))
    if mode == "sum":
        return total
    return lnp.divide(total, lnp.expand_dims(lnp.maximum(counts, Literal(1.0)), 1))


def pdist(input: Any, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of each pair of rows, row by row of the upper triangle.

    >>> import lazir as lz
    >>> print(lz.nn.functional.pdist(lz.Tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])))
    [5.        1.        4.2426405]
    """
    rows = operand(input).shape[0]
    first, second = np.triu_indices(rows, 1)
    return cdist(
        lnp.expand_dims(lnp.take(input, first, axis=0), 1),
        lnp.expand_dims(lnp.take(input, second, axis=0), 1),
        p,
    ).reshape(len(first))


def cdist(x1: Any, x2: Any, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of all pairs of rows.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.cdist(lnp.ones((5, 2)), lnp.ones((4, 2))).shape
    (5, 4)
    """
    off = lnp.abs(lnp.subtract(lnp.expand_dims(x1, -2), lnp.expand_dims(x2, -3)))
    if p == 1:
        return lnp.sum(off, -1)
    if p == 2:
        total = lnp.sum(lnp.square(off), -1)
        some = lnp.greater(total, Literal(0))  # the derivative at 0 is 0
        return lnp.where(some, lnp.sqrt(lnp.where(some, total, Literal(1.0))), Literal(0.0))
    if p == float("inf"):
        return lnp.max(off, -1)
    return lnp.power(lnp.sum(lnp.power(off, p), -1), 1 / p)


__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "affine_grid", "alpha_dropout", "avg_pool1d",
    "avg_pool2d", "avg_pool3d", "batch_norm", "bilinear", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "cdist", "celu", "channel_shuffle", "conv1d", "conv2d",
    "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss", "dropout",
    "dropout1d", "dropout2d", "dropout3d", "elu", "embedding", "embedding_bag",
    "feature_alpha_dropout", "fold", "gaussian_nll_loss", "gelu", "glu", "grid_sample",
    "group_norm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss",
    "layer_norm", "leaky_relu", "linear", "local_response_norm", "log_softmax", "logsigmoid",
    "lp_pool1d", "lp_pool2d", "lp_pool3d", "margin_ranking_loss", "max_pool1d",
    "max_pool2d", "max_pool3d",
    "max_unpool1d", "max_unpool2d", "max_unpool3d", "mish",
    "mse_loss", "multi_head_attention", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "nll_loss", "normalize", "one_hot", "pad",
    "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss",
    "prelu", "relu", "relu6", "rms_norm", "rrelu", "scaled_dot_product_attention", "selu",
    "sigmoid", "silu", "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "swish", "tanh", "tanhshrink", "threshold", "triplet_margin_loss",
    "triplet_margin_with_distance_loss", "unfold",
]  # fmt: skip
__dir__ = listing(__name__)

late.functional = sys.modules[__name__]
