"""What is compared with PyTorch: each case runs on either library, whose modules it gets.

Takes: F and nn (either `torch.nn.functional` and `torch.nn`, or lazir's), tensors. Gives: tensors.
`make_torch_values.py` runs the cases on PyTorch and keeps what comes out.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

Case = tuple[Callable[..., Any], list[Any]]


def numbers(name: str, shape: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> Any:
    """Numbers that depend on the name alone, free of ties."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return rng.permutation(np.linspace(low, high, math.prod(shape))).reshape(shape)


def classes(count: int, *shape: int) -> Any:
    return (np.arange(math.prod(shape)) * 7 % 11 % count).reshape(shape)


def probabilities(*shape: int) -> Any:
    raw = np.abs(numbers(f"p{shape}", shape)) + 0.1
    return raw / raw.sum(1, keepdims=True)


S = (2, 3, 7)
I = (2, 4, 6, 5)  # noqa: E741
V = (1, 2, 4, 5, 3)

ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda F, x: F.relu(x), "relu6": lambda F, x: F.relu6(x * 5),
    "leaky_relu": lambda F, x: F.leaky_relu(x), "leaky_relu2": lambda F, x: F.leaky_relu(x, 0.3),
    "elu": lambda F, x: F.elu(x), "elu2": lambda F, x: F.elu(x, 0.7),
    "selu": lambda F, x: F.selu(x),
    "celu": lambda F, x: F.celu(x, 1.5), "gelu": lambda F, x: F.gelu(x),
    "gelu_tanh": lambda F, x: F.gelu(x, approximate="tanh"), "silu": lambda F, x: F.silu(x),
    "mish": lambda F, x: F.mish(x), "hardtanh": lambda F, x: F.hardtanh(x),
    "hardtanh2": lambda F, x: F.hardtanh(x, -0.5, 1.5),
    "hardswish": lambda F, x: F.hardswish(x * 3),
    "hardsigmoid": lambda F, x: F.hardsigmoid(x * 3), "softplus": lambda F, x: F.softplus(x),
    "softplus2": lambda F, x: F.softplus(x * 10, 2.0, 5.0), "softsign": lambda F, x: F.softsign(x),
    "logsigmoid": lambda F, x: F.logsigmoid(x * 20), "sigmoid": lambda F, x: F.sigmoid(x),
    "tanh": lambda F, x: F.tanh(x), "tanhshrink": lambda F, x: F.tanhshrink(x),
    "softshrink": lambda F, x: F.softshrink(x), "hardshrink": lambda F, x: F.hardshrink(x, 0.7),
    "threshold": lambda F, x: F.threshold(x, 0.1, 20), "softmax": lambda F, x: F.softmax(x, 1),
    "softmin": lambda F, x: F.softmin(x, 1), "log_softmax": lambda F, x: F.log_softmax(x, -1),
    "glu": lambda F, x: F.glu(x, 1), "normalize": lambda F, x: F.normalize(x),
    "normalize3": lambda F, x: F.normalize(x, 3.0, -1),
    "normalize1": lambda F, x: F.normalize(x, 1, 0),
    "layer_norm": lambda F, x: F.layer_norm(x, (4, 5)),
    "rms_norm": lambda F, x: F.rms_norm(x, (5,)),
    "local_response": lambda F, x: F.local_response_norm(x, 2, 0.5, 0.6, 1.5),
    "instance_norm": lambda F, x: F.instance_norm(x), "group_norm": lambda F, x: F.group_norm(x, 2),
}  # fmt: skip

FUNCTIONS: dict[str, Case] = {
    **{f"activation_{k}": (f, [(3, 4, 5)]) for k, f in ACTIVATIONS.items()},
    "prelu": (lambda F, x, w: F.prelu(x, w), [(2, 3, 4), (3,)]),
    "layer_norm_affine": (
        lambda F, x, w, b: F.layer_norm(x, (5,), w, b, 0.1), [(3, 5), (5,), (5,)]),
    "group_norm_affine": (lambda F, x, w, b: F.group_norm(x, 2, w, b), [I, (4,), (4,)]),
    "batch_norm": (lambda F, x, w, b: F.batch_norm(x, None, None, w, b, True), [I, (4,), (4,)]),
    "batch_norm_held": (
        lambda F, x, m, v, w: F.batch_norm(x, m.detach(), v.detach() ** 2 + 1, w),
        [S, (3,), (3,), (3,)]),
    "linear": (lambda F, x, w, b: F.linear(x, w, b), [(2, 3, 4), (5, 4), (5,)]),
    "bilinear": (lambda F, x, y, w, b: F.bilinear(x, y, w, b), [(3, 2), (3, 4), (5, 2, 4), (5,)]),
    "embedding": (lambda F, i, w: F.embedding(i, w, 2), [classes(5, 2, 4), (5, 3)]),
    # -- windows
    "conv1d": (lambda F, x, w, b: F.conv1d(x, w, b), [S, (4, 3, 2), (4,)]),
    "conv1d_all": (lambda F, x, w: F.conv1d(x, w, None, 2, 3, 2, 3), [S, (6, 1, 3)]),
    "conv1d_same": (lambda F, x, w: F.conv1d(x, w, padding="same"), [S, (4, 3, 4)]),
    "conv1d_alone": (lambda F, x, w: F.conv1d(x, w), [(3, 7), (4, 3, 2)]),
    "conv2d": (lambda F, x, w, b: F.conv2d(x, w, b, (2, 1), (0, 1), (1, 2), 2),
               [I, (6, 2, 3, 2), (6,)]),
    "conv3d": (lambda F, x, w, b: F.conv3d(x, w, b, padding=1), [V, (3, 2, 2, 3, 2), (3,)]),
    "transpose1d": (lambda F, x, w, b: F.conv_transpose1d(x, w, b, 2, 1, 1), [S, (3, 4, 3), (4,)]),
    "transpose2d": (lambda F, x, w, b: F.conv_transpose2d(x, w, b, (2, 3), 1, (1, 0), 2, (1, 2)),
                    [I, (4, 3, 3, 2), (6,)]),
    "transpose3d": (lambda F, x, w: F.conv_transpose3d(x, w, stride=2), [V, (2, 1, 2, 2, 2)]),
    "unfold": (lambda F, x: F.unfold(x, (2, 3), 2, 1, (1, 2)), [I]),
    "fold": (lambda F, x: F.fold(x, (5, 6), (2, 3), 1, 1, 2), [(2, 12, 9)]),
    "max_pool1d": (lambda F, x: F.max_pool1d(x, 3, 2, 1), [S]),
    "max_pool2d": (lambda F, x: F.max_pool2d(x, (2, 3), padding=1, ceil_mode=True), [I]),
    "max_pool2d_gaps": (lambda F, x: F.max_pool2d(x, 2, 1, 1, 2), [I]),
    "max_pool3d": (lambda F, x: F.max_pool3d(x, 2, 1), [V]),
    "avg_pool1d": (lambda F, x: F.avg_pool1d(x, 3, 2, 1, True), [S]),
    "avg_pool2d": (lambda F, x: F.avg_pool2d(x, 3, 2, 1, True, False), [I]),
    "avg_pool2d_ceil": (lambda F, x: F.avg_pool2d(x, 3, 2, 1, True), [I]),
    "avg_pool2d_ceil3": (lambda F, x: F.avg_pool2d(x, (2, 3), 3, (1, 0), True), [(1, 1, 7, 8)]),
    "avg_pool2d_divisor": (lambda F, x: F.avg_pool2d(x, 2, divisor_override=3), [I]),
    "avg_pool3d": (lambda F, x: F.avg_pool3d(x, 2), [V]),
    "lp_pool1d": (lambda F, x: F.lp_pool1d(x.abs(), 3, 2, 1), [S]),
    "lp_pool2d": (lambda F, x: F.lp_pool2d(x, 2, 2), [I]),
    "adaptive_avg1d": (lambda F, x: F.adaptive_avg_pool1d(x, 3), [S]),
    "adaptive_avg2d": (lambda F, x: F.adaptive_avg_pool2d(x, (4, None)), [I]),
    "adaptive_avg2d_more": (lambda F, x: F.adaptive_avg_pool2d(x, 8), [I]),
    "adaptive_avg3d": (lambda F, x: F.adaptive_avg_pool3d(x, (2, 3, 1)), [V]),
    "adaptive_max1d": (lambda F, x: F.adaptive_max_pool1d(x, 3), [S]),
    "adaptive_max2d": (lambda F, x: F.adaptive_max_pool2d(x, (4, 3)), [I]),
    "adaptive_max3d": (lambda F, x: F.adaptive_max_pool3d(x, (2, 2, 3)), [V]),
    # -- images
    **{f"interpolate_{mode}_{k}": (
        lambda F, x, mode=mode, k=k: F.interpolate(x, mode=mode, **k), [shape])
       for mode, shape in (("nearest", I), ("nearest-exact", S), ("linear", S), ("bilinear", I),
                           ("trilinear", V), ("bicubic", I))
       for k in ({"size": 3}, {"size": 9}, {"scale_factor": 1.7})},
    "interpolate_corners": (
        lambda F, x: F.interpolate(x, (3, 9), mode="bilinear", align_corners=True), [I]),
    "interpolate_cubic_corners": (
        lambda F, x: F.interpolate(x, (1, 9), mode="bicubic", align_corners=True), [I]),
    "pad": (lambda F, x: F.pad(x, (1, 2, 0, 3), value=0.5), [S]),
    "pad_negative": (lambda F, x: F.pad(x, (-1, 2, 1, -1)), [S]),
    "pad_reflect": (lambda F, x: F.pad(x, (2, 3, 1, 0), mode="reflect"), [I]),
    "pad_replicate": (lambda F, x: F.pad(x, (2, 3), mode="replicate"), [S]),
    "pad_circular": (lambda F, x: F.pad(x, (2, 3, 1, 1), mode="circular"), [I]),
    "pixel_shuffle": (lambda F, x: F.pixel_shuffle(x, 2), [I]),
    "pixel_unshuffle": (lambda F, x: F.pixel_unshuffle(x[:, :, :, :4], 2), [I]),
    # -- attention
    "attention": (lambda F, q, k, v: F.scaled_dot_product_attention(q, k, v),
                  [(2, 3, 4), (2, 5, 4), (2, 5, 6)]),
    "attention_mask": (
        lambda F, q, k, v, m: F.scaled_dot_product_attention(q, k, v, m > 0),
        [(2, 3, 4), (2, 5, 4), (2, 5, 6), (3, 5)]),
    "attention_bias": (
        lambda F, q, k, v, m: F.scaled_dot_product_attention(q, k, v, m, 0.0, scale=0.3),
        [(2, 3, 4), (2, 5, 4), (2, 5, 6), (3, 5)]),
    "attention_causal": (
        lambda F, q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        [(2, 3, 4), (2, 5, 4), (2, 5, 6)]),
    "attention_groups": (
        lambda F, q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
        [(1, 4, 3, 2), (1, 2, 3, 2), (1, 2, 3, 2)]),
    # -- losses
    "cosine": (lambda F, x, y: F.cosine_similarity(x, y), [(3, 4), (3, 4)]),
    "pairwise": (lambda F, x, y: F.pairwise_distance(x, y, 3.0, keepdim=True), [(3, 4), (3, 4)]),
    **{f"{name}_{r}": (lambda F, x, y, name=name, r=r: getattr(F, name)(x, y, reduction=r),
                       [(3, 4), (3, 4)])
       for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "poisson_nll_loss")
       for r in ("none", "mean", "sum")},
    "soft_margin": (lambda F, x, t: F.soft_margin_loss(x, t),
                    [(4,), np.array([1, -1, 1, -1])]),
    "smooth_beta": (lambda F, x, y: F.smooth_l1_loss(x, y, beta=0.3), [(3, 4), (3, 4)]),
    "huber_delta": (lambda F, x, y: F.huber_loss(x, y, delta=0.3), [(3, 4), (3, 4)]),
    **{f"kl_{r}": (lambda F, x, y, r=r: F.kl_div(x, F.softmax(y, 1), reduction=r), [(3, 4), (3, 4)])
       for r in ("none", "mean", "sum")},
    "kl_batchmean": (lambda F, x, y: F.kl_div(x, y, reduction="batchmean", log_target=True),
                     [(3, 4), (3, 4)]),
    "poisson": (lambda F, x, y: F.poisson_nll_loss(x.abs() + 1, y.abs() * 3, False, True),
                [(3, 4), (3, 4)]),
    "gaussian": (lambda F, x, y, v: F.gaussian_nll_loss(x, y, v.abs() + 1e-7, True),
                 [(3, 4), (3, 4), (3, 4)]),
    **{f"{name}_{label}_{r}": (
        lambda F, x, t, name=name, k=k, r=r: getattr(F, name)(x, t, reduction=r, **k),
        [(4, 5), classes(5, 4)])
       for name in ("nll_loss", "cross_entropy")
       for label, k in (("plain", {}), ("ignored", {"ignore_index": 2}))
       for r in ("none", "mean", "sum")},
    "cross_weighted": (lambda F, x, t, w: F.cross_entropy(x, t, w.detach().abs(), ignore_index=1),
                       [(4, 5), classes(5, 4), (5,)]),
    "cross_smooth": (
        lambda F, x, t, w: F.cross_entropy(
            x, t, w.detach().abs(), ignore_index=1, label_smoothing=0.2),
        [(4, 5), classes(5, 4), (5,)]),
    "cross_smooth_sum": (
        lambda F, x, t: F.cross_entropy(x, t, reduction="sum", label_smoothing=0.2),
        [(4, 5), classes(5, 4)]),
    "cross_images": (lambda F, x, t: F.cross_entropy(x, t), [(2, 3, 4), classes(3, 2, 4)]),
    "cross_single": (lambda F, x, t: F.cross_entropy(x, t), [(3,), classes(3)]),
    "cross_soft": (
        lambda F, x, p, w: F.cross_entropy(x, p, w.abs(), label_smoothing=0.1),
        [(4, 5), probabilities(4, 5), (5,)]),
    "cross_soft_none": (lambda F, x, p: F.cross_entropy(x, p, reduction="none"),
                        [(2, 3, 4), probabilities(2, 3, 4)]),
    "bce": (lambda F, x, t: F.binary_cross_entropy(F.sigmoid(x), F.sigmoid(t)), [(3, 4), (3, 4)]),
    "bce_weighted": (
        lambda F, x, t, w: F.binary_cross_entropy(
            F.sigmoid(x), F.sigmoid(t), w.detach(), reduction="sum"),
        [(3, 4), (3, 4), (3, 4)]),
    "bce_logits": (
        lambda F, x, t: F.binary_cross_entropy_with_logits(x * 30, F.sigmoid(t)), [(3, 4), (3, 4)]),
    "bce_logits_weighted": (
        lambda F, x, t, w, p: F.binary_cross_entropy_with_logits(
            x, F.sigmoid(t), w.detach(), pos_weight=p.detach().abs()),
        [(3, 4), (3, 4), (3, 4), (4,)]),
    "triplet": (lambda F, a, p, n: F.triplet_margin_loss(a, p, n, 1.5, swap=True),
                [(3, 4), (3, 4), (3, 4)]),
    "ranking": (lambda F, a, b, t: F.margin_ranking_loss(a, b, t, 0.3),
                [(4,), (4,), np.array([1.0, -1, 1, -1])]),
    "hinge": (lambda F, x, t: F.hinge_embedding_loss(x, t, 0.7),
              [(4,), np.array([1.0, -1, 1, -1])]),
    "cosine_embedding": (lambda F, x, y, t: F.cosine_embedding_loss(x, y, t, 0.2),
                         [(4, 3), (4, 3), np.array([1, -1, 1, -1])]),
    "multi_margin": (lambda F, x, t: F.multi_margin_loss(x, t, 2, 0.5), [(4, 5), classes(5, 4)]),
    "triplet_distance": (
        lambda F, a, p, n: F.triplet_margin_with_distance_loss(
            a, p, n, distance_function=lambda x, y: ((x - y) ** 2).sum(-1), margin=2.0, swap=True),
        [(3, 4), (3, 4), (3, 4)]),
    "multilabel_margin": (
        lambda F, x, t: F.multilabel_margin_loss(x, t, reduction="none"),
        [(3, 4), np.array([[1, 3, -1, 0], [-1, 1, 2, 0], [3, 0, 1, 2]])]),
    "multilabel_soft": (
        lambda F, x, t, w: F.multilabel_soft_margin_loss(x * 20, t, w.detach()),
        [(3, 4), np.array([[1.0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]]), (4,)]),
    **{f"ctc_{r}": (
        lambda F, x, y, r=r: F.ctc_loss(F.log_softmax(x, -1), y, (7, 5, 6), (3, 2, 0), reduction=r),
        [(7, 3, 5), np.array([[1, 1, 2], [3, 4, 0], [2, 0, 0]])]) for r in ("none", "mean", "sum")},
    "ctc_joined": (
        lambda F, x, y, i, n: F.ctc_loss(F.log_softmax(x, -1), y, i, n, 2, zero_infinity=True),
        [(4, 3, 5), np.array([1, 1, 0, 3, 4, 1, 1, 1]), np.array([4, 4, 4]), np.array([3, 2, 3])]),
    "ctc_alone": (
        lambda F, x, y: F.ctc_loss(F.log_softmax(x, -1), y, (6,), (3,)),
        [(7, 5), np.array([1, 1, 2])]),
    # -- bags, samples, positions of maxima
    **{f"bag_{mode}": (
        lambda F, i, w, mode=mode: F.embedding_bag(i, w, mode=mode, padding_idx=2),
        [classes(5, 3, 4), (5, 3)]) for mode in ("mean", "sum", "max")},
    **{f"bag_{mode}_offsets": (
        lambda F, i, o, w, mode=mode: F.embedding_bag(i, w, o, mode=mode),
        [classes(5, 7), np.array([0, 3, 3, 5]), (5, 3)]) for mode in ("mean", "sum", "max")},
    "bag_weighted": (
        lambda F, i, o, w, f: F.embedding_bag(
            i, w, o, mode="sum", per_sample_weights=f, include_last_offset=True),
        [classes(5, 7), np.array([0, 3, 7]), (5, 3), (7,)]),
    **{f"grid_{mode}_{pad}_{corners}": (
        lambda F, x, g, mode=mode, pad=pad, corners=corners: F.grid_sample(
            x, g, mode, pad, align_corners=corners),
        [I, (2, 3, 4, 2)])
       for mode in ("bilinear", "nearest") for pad in ("zeros", "border", "reflection")
       for corners in (False, True)},
    "grid_volume": (
        lambda F, x, g: F.grid_sample(x, g, padding_mode="border", align_corners=False),
        [V, (1, 2, 3, 2, 3)]),
    "affine": (lambda F, t: F.affine_grid(t, (2, 3, 4, 5), align_corners=False), [(2, 2, 3)]),
    "affine_corners": (
        lambda F, t: F.affine_grid(t, (2, 3, 1, 4, 5), align_corners=True), [(2, 3, 4)]),
    "max_indices1d": (lambda F, x: F.max_pool1d(x, 3, 2, 1, return_indices=True), [S]),
    "max_indices2d": (
        lambda F, x: F.max_pool2d(
            x, (2, 3), 1, (1, 0), (2, 1), ceil_mode=True, return_indices=True), [I]),
    "unpool2d": (
        lambda F, x: F.max_unpool2d(
            *F.max_pool2d(x, 2, return_indices=True), 2, output_size=I[2:]), [I]),
    "unpool3d": (lambda F, x: F.max_unpool3d(
        *F.max_pool3d(x, 2, return_indices=True), 2, output_size=V[2:]), [V]),
    "lp_pool3d": (lambda F, x: F.lp_pool3d(x, 2, 2), [V]),
    "pdist": (lambda F, x: F.pdist(x), [(5, 3)]),
    "channel_shuffle": (lambda F, x: F.channel_shuffle(x, 2) * x, [I]),
    "rrelu": (lambda F, x: F.rrelu(x), [I]),
}  # fmt: skip

MODULES: dict[str, Case] = {
    "Linear": (lambda nn: nn.Linear(4, 3), [(2, 4)]),
    "Bilinear": (lambda nn: nn.Bilinear(2, 3, 4), [(5, 2), (5, 3)]),
    "Conv1d": (lambda nn: nn.Conv1d(3, 4, 3, 2, 1, bias=False), [S]),
    "Conv2d_reflect": (lambda nn: nn.Conv2d(4, 4, 3, 1, (1, 2), padding_mode="reflect"), [I]),
    "Conv2d_circular": (
        lambda nn: nn.Conv2d(4, 2, 3, padding="same", padding_mode="circular"), [I]),
    "Conv3d": (lambda nn: nn.Conv3d(2, 2, 2, groups=2), [V]),
    "ConvTranspose1d": (lambda nn: nn.ConvTranspose1d(3, 2, 3, 2, 1, 1), [S]),
    "ConvTranspose2d": (lambda nn: nn.ConvTranspose2d(4, 6, 3, 2, groups=2), [I]),
    "ConvTranspose3d": (lambda nn: nn.ConvTranspose3d(2, 2, 2, 2), [V]),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(3), [S]),
    "BatchNorm2d_mean": (lambda nn: nn.BatchNorm2d(4, momentum=None), [I]),
    "BatchNorm2d_eval": (lambda nn: nn.BatchNorm2d(4).eval(), [I]),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(2, affine=False), [V]),
    "InstanceNorm1d": (lambda nn: nn.InstanceNorm1d(3, affine=True), [S]),
    "InstanceNorm2d": (lambda nn: nn.InstanceNorm2d(4, track_running_stats=True), [I]),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), [I]),
    "LayerNorm": (lambda nn: nn.LayerNorm((4, 7), bias=False), [(2, 4, 7)]),
    "RMSNorm": (lambda nn: nn.RMSNorm(7), [S]),
    "Embedding": (lambda nn: nn.Embedding(5, 3, padding_idx=1), [classes(5, 2, 4)]),
    "PReLU": (lambda nn: nn.PReLU(3), [S]),
    "RNN": (lambda nn: nn.RNN(3, 4, 2, nonlinearity="relu"), [(5, 2, 3)]),
    "RNN_alone": (lambda nn: nn.RNN(3, 4), [(5, 3), (1, 4)]),
    "GRU": (lambda nn: nn.GRU(3, 4, 2, batch_first=True, bidirectional=True), [(2, 5, 3)]),
    "GRU_started": (lambda nn: nn.GRU(3, 4, bias=False), [(5, 2, 3), (1, 2, 4)]),
    "LSTM": (lambda nn: nn.LSTM(3, 4, 2, bidirectional=True), [(5, 2, 3)]),
    "LSTM_started": (
        lambda nn: nn.LSTM(3, 4, batch_first=True), [(2, 5, 3), ((1, 2, 4), (1, 2, 4))]),
    "RNNCell": (lambda nn: nn.RNNCell(3, 4), [(2, 3)]),
    "GRUCell": (lambda nn: nn.GRUCell(3, 4), [(2, 3), (2, 4)]),
    "LSTMCell": (lambda nn: nn.LSTMCell(3, 4), [(2, 3), ((2, 4), (2, 4))]),
    "Attention": (lambda nn: nn.MultiheadAttention(6, 2), [(4, 2, 6), (5, 2, 6), (5, 2, 6)]),
    "Attention_sizes": (
        lambda nn: nn.MultiheadAttention(6, 3, kdim=4, vdim=5, batch_first=True, bias=False),
        [(2, 4, 6), (2, 3, 4), (2, 3, 5)]),
    "Attention_masked": (
        lambda nn: nn.MultiheadAttention(6, 2, batch_first=True),
        [(2, 4, 6), (2, 3, 6), (2, 3, 6), np.array([[0, 0, 1], [0, 1, 0]]) == 1]),
    "EncoderLayer": (
        lambda nn: nn.TransformerEncoderLayer(6, 2, 8, 0.0, batch_first=True), [(2, 4, 6)]),
    "EncoderLayer_first": (
        lambda nn: nn.TransformerEncoderLayer(6, 2, 8, 0.0, "gelu", norm_first=True),
        [(4, 2, 6), (4, 4)]),
    "DecoderLayer": (
        lambda nn: nn.TransformerDecoderLayer(6, 2, 8, 0.0, batch_first=True),
        [(2, 4, 6), (2, 3, 6)]),
    "Encoder": (
        lambda nn: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(6, 2, 8, 0.0, batch_first=True), 2, nn.LayerNorm(6)),
        [(2, 4, 6)]),
    "Decoder": (
        lambda nn: nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, 0.0), 2),
        [(4, 2, 6), (3, 2, 6)]),
    "Sequential": (
        lambda nn: nn.Sequential(
            nn.Conv2d(4, 3, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(18, 4), nn.LeakyReLU(0.2), nn.Unflatten(1, (2, 2)), nn.Softmax(dim=-1)),
        [I]),
    "Upsample": (lambda nn: nn.Upsample(scale_factor=2, mode="bilinear"), [I]),
    "Pads": (
        lambda nn: nn.Sequential(
            nn.ReflectionPad2d(1), nn.ZeroPad2d((1, 0, 2, 0)), nn.ConstantPad1d(1, 3.0),
            nn.ReplicationPad2d(1), nn.AdaptiveAvgPool2d((3, None)), nn.LPPool2d(2, 2, 1)), [I]),
    "CrossEntropyLoss": (
        lambda nn: nn.CrossEntropyLoss(label_smoothing=0.1), [(4, 5), classes(5, 4)]),
    "BCEWithLogitsLoss": (
        lambda nn: nn.BCEWithLogitsLoss(reduction="sum"), [(4, 5), probabilities(4, 5)]),
    "SmoothL1Loss": (lambda nn: nn.SmoothL1Loss(beta=0.5), [(4, 5), (4, 5)]),
    "EmbeddingBag": (lambda nn: nn.EmbeddingBag(5, 3, mode="sum"), [classes(5, 2, 4)]),
    "Transformer": (
        lambda nn: nn.Transformer(6, 2, 1, 2, 8, 0.0, batch_first=True), [(2, 4, 6), (2, 3, 6)]),
    "Unpool": (lambda nn: nn.MaxPool1d(2, return_indices=True), [S]),
    "Named": (
        lambda nn: nn.Sequential(
            nn.ChannelShuffle(2), nn.UpsamplingBilinear2d(scale_factor=2), nn.Softmax2d(),
            nn.UpsamplingNearest2d((3, 4)), nn.RReLU(0.1, 0.3).eval()), [I]),
    "MultiLabelSoftMarginLoss": (
        lambda nn: nn.MultiLabelSoftMarginLoss(reduction="sum"), [(4, 5), probabilities(4, 5)]),
    "WeightNorm": (lambda nn: nn.utils.weight_norm(nn.Linear(4, 3)), [(2, 4)]),
    "WeightNorm_axis": (
        lambda nn: nn.utils.weight_norm(nn.ConvTranspose1d(3, 2, 2), dim=1), [S]),
    "WeightNorm_all": (lambda nn: nn.utils.weight_norm(nn.Conv1d(3, 2, 2), dim=None), [S]),
    "SpectralNorm": (lambda nn: nn.utils.spectral_norm(nn.Conv2d(4, 3, 2)), [I]),
    "SpectralNorm_rounds": (
        lambda nn: nn.utils.spectral_norm(nn.ConvTranspose1d(3, 2, 2), n_power_iterations=3), [S]),
    "SpectralNorm_eval": (lambda nn: nn.utils.spectral_norm(nn.Linear(4, 3)).eval(), [(2, 4)]),
    "TripletMarginLoss": (lambda nn: nn.TripletMarginLoss(0.3, 1.0), [(4, 5), (4, 5), (4, 5)]),
}  # fmt: skip


def inputs_of(name: str, specs: list[Any]) -> list[Any]:
    """The arrays of a case: shapes become numbers, tuples of shapes tuples of arrays."""
    found: list[Any] = []
    for k, spec in enumerate(specs):
        if isinstance(spec, tuple) and spec and isinstance(spec[0], tuple):
            found.append(tuple(inputs_of(f"{name} {k}", list(spec))))
        elif isinstance(spec, tuple):
            found.append(numbers(f"{name} {k}", spec))
        else:
            found.append(spec)
    return found


def flat(out: Any) -> list[Any]:
    """The tensors of a result."""
    if isinstance(out, tuple | list):
        return [x for item in out for x in flat(item)]
    return [] if out is None else [out]


def weighted(out: Any, asarray: Callable[[Any], Any]) -> Any:
    """A scalar of all numbers of a result, to differentiate."""
    total: Any = 0.0
    for k, x in enumerate(flat(out)):
        total = total + (x * asarray(numbers(f"weights {k}", tuple(x.shape)))).sum()
    return total


def probed(x: Any) -> list[Any]:
    """What is kept of an array: its shape, its norm, and two sums with different weights.

    One wrong element changes both sums.
    """
    x = np.asarray(x, np.float64)
    sums = [float((x * numbers(f"probe {k}", x.shape, 0.1)).sum()) for k in (0, 1)]
    return [list(x.shape), float(np.sqrt((x * x).sum())), *sums]


def state_of(name: str, dtype: str, shape: tuple[int, ...]) -> Any:
    """What a parameter or buffer of this name holds at the start."""
    if "int" in dtype or "i64" in dtype:
        return np.full(shape, 3)
    low = 0.5 if "var" in name else -0.7
    return numbers(name, shape, low, 0.9)
