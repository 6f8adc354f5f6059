"""Losses, samples and bags in compiled functions; random layers; refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.nn import functional

RNG = np.random.default_rng(3)
F32 = np.float32
LOGITS = RNG.normal(size=(6, 2, 4)).astype(F32)
IMAGES = RNG.normal(size=(2, 3, 4, 5)).astype(F32)
PLACES = RNG.uniform(-1.2, 1.2, size=(2, 3, 3, 2)).astype(F32)
LABELS = np.array([[1, 1, 2], [3, 1, 0]])

COMPILED: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "ctc": (
        lambda x, n: functional.ctc_loss(functional.log_softmax(x, -1), LABELS, n, (3, 2)),
        [LOGITS, np.array([6, 5])],
    ),
    "ctc_traced_lengths": (
        lambda x, n: functional.ctc_loss(
            functional.log_softmax(x, -1), np.array([1, 1, 2, 3, 1]), (6, 6), n
        ),
        [LOGITS, np.array([3, 2])],
    ),
    "grid": (lambda x, g: functional.grid_sample(x, g).sum(), [IMAGES, PLACES]),
    "bag": (
        lambda w, i: (functional.embedding_bag(i, w, np.array([0, 2, 2]), mode="max") ** 2).sum(),
        [RNG.normal(size=(5, 3)).astype(F32), np.array([0, 3, 3, 1])],
    ),
    "positions": (
        lambda x, k: functional.max_unpool2d(
            *functional.max_pool2d(x, 2, return_indices=True), 2, output_size=(4, 5)
        ).sum() * k,
        [IMAGES, F32(2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_values_and_gradients_are_those_of_float64(name: str) -> None:
    function, args = COMPILED[name]
    wide = [a.astype(np.float64) if a.dtype == F32 else a for a in args]
    found = lz.compile(lz.value_and_grad(function))(*args)
    wanted = lz.value_and_grad(function)(*[lz.Tensor(a) for a in wide])
    for a, b in zip(found, wanted):
        assert str(a.dtype) == "f32" and str(b.dtype) == "f64"
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=2e-6)


def test_ctc_sums_the_paths_that_give_the_labels() -> None:
    """Against all paths written out, for every short label sequence."""
    probabilities = np.exp(LOGITS[:4, :1, :3].astype(float))
    probabilities /= probabilities.sum(-1, keepdims=True)
    for labels in ([], [1], [1, 2], [1, 1], [2, 1, 2]):
        total = 0.0
        for path in np.ndindex(3, 3, 3, 3):
            runs = [c for k, c in enumerate(path) if k == 0 or path[k - 1] != c]
            if [c for c in runs if c] == labels:
                total += np.prod([probabilities[t, 0, c] for t, c in enumerate(path)])
        padded = np.array([labels + [0] * (3 - len(labels))])
        loss = functional.ctc_loss(
            np.log(probabilities), padded, (4,), (len(labels),), reduction="sum"
        )
        np.testing.assert_allclose(loss.item(), -np.log(total), rtol=1e-12)


def test_a_label_sequence_that_does_not_fit_costs_infinity() -> None:
    logits = lz.Tensor(LOGITS[:2], requires_grad=True)
    for zero, wanted in ((False, np.inf), (True, 0.0)):
        logs = functional.log_softmax(logits, -1)
        losses = functional.ctc_loss(logs, LABELS, (2, 2), (3, 2), 0, "none", zero)
        assert losses[0].item() == wanted and np.isfinite(losses[1].item())
        losses[0].backward()
        assert logits.grad is not None
        np.testing.assert_array_equal(logits.grad.numpy(), 0)


def test_samples_outside_of_images() -> None:
    far = lz.Tensor([[[[np.inf, 0.0], [-np.inf, np.inf], [3.0, 0.0], [np.nan, 0.0]]]])
    x = lz.Tensor(IMAGES[:1])
    for mode in ("bilinear", "nearest"):
        np.testing.assert_array_equal(functional.grid_sample(x, far, mode).numpy(), 0)
    edge = functional.grid_sample(x, far[:, :, :1], padding_mode="border", align_corners=True)
    np.testing.assert_allclose(edge[0, :, 0, 0].numpy(), IMAGES[0, :, 1:3, -1].mean(1), rtol=1e-6)


def test_random_layers_keep_mean_and_variance() -> None:
    x = lz.random.normal(lz.random.key(1), (200, 500))
    for layer in (lz.nn.AlphaDropout(0.3), lz.nn.FeatureAlphaDropout(0.3)):
        found = layer(x, lz.random.key(2)).numpy()
        assert abs(found.mean()) < 0.02 and abs(found.var() - 1) < 0.02
        assert layer.eval()(x).tolist() == x.tolist()
    slopes = (functional.rrelu(x, 0.1, 0.4, True, key=lz.random.key(3)) / x).numpy()
    down = slopes[x.numpy() < 0]
    assert down.min() >= 0.1 and down.max() <= 0.4 and abs(down.mean() - 0.25) < 0.01
    np.testing.assert_array_equal(slopes[x.numpy() > 0], 1)


def test_feature_alpha_dropout_drops_whole_channels() -> None:
    found = functional.feature_alpha_dropout(lnp.ones((8, 8, 5)), 0.5, key=lz.random.key(0))
    values = found.numpy()
    assert len(np.unique(values)) == 2
    assert (values == values[..., :1]).all()


def test_dirac_passes_channels_on() -> None:
    for groups in (1, 2):
        layer = lz.nn.Conv1d(4, 4, 3, padding=1, bias=False, groups=groups)
        lz.nn.init.dirac_(layer.weight, groups)
        x = RNG.normal(size=(2, 4, 6)).astype(F32)
        np.testing.assert_array_equal(layer(x).detach().numpy(), x)


REFUSED: dict[str, Callable[[], Any]] = {
    "ctc_blank": lambda: functional.ctc_loss(LOGITS, LABELS, (6, 6), (3, 2), blank=4),
    "ctc_time": lambda: functional.ctc_loss(LOGITS, LABELS, (7, 6), (3, 2)),
    "ctc_lengths": lambda: functional.ctc_loss(LOGITS, LABELS, (6, 6), (3, 4)),
    "ctc_counts": lambda: functional.ctc_loss(LOGITS, LABELS, (6, 6), (3,)),
    "ctc_joined": lambda: functional.ctc_loss(LOGITS, LABELS.ravel()[:4], (6, 6), (3, 2)),
    "ctc_floats": lambda: functional.ctc_loss(LOGITS, LABELS * 1.0, (6, 6), (3, 2)),
    "grid_axes": lambda: functional.grid_sample(IMAGES, PLACES[..., :1]),
    "grid_batch": lambda: functional.grid_sample(IMAGES, PLACES[:1]),
    "grid_mode": lambda: functional.grid_sample(IMAGES, PLACES, "bicubic"),
    "affine": lambda: functional.affine_grid(np.ones((2, 2, 3)), (1, 1, 2, 2)),
    "bag_offsets": lambda: functional.embedding_bag(LABELS, np.ones((5, 2)), np.array([0])),
    "bag_mode": lambda: functional.embedding_bag(LABELS, np.ones((5, 2)), mode="prod"),
    "bag_factors": lambda: functional.embedding_bag(
        LABELS, np.ones((5, 2)), per_sample_weights=np.ones((2, 3))),
    "shuffle": lambda: functional.channel_shuffle(IMAGES, 2),
    "unpool": lambda: functional.max_unpool2d(IMAGES, LABELS, 2),
    "labels": lambda: functional.multilabel_margin_loss(IMAGES[0, 0], LABELS),
    "dirac": lambda: lz.nn.init.dirac_(lnp.ones((3, 2))),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        REFUSED[name]()


def test_parameters_come_one_at_a_time() -> None:
    net = lz.nn.Sequential(lz.nn.Linear(2, 3), lz.nn.BatchNorm1d(3))
    assert next(net.parameters()) is net[0].weight
    assert [b.shape for b in net.buffers()] == [(3,), (3,), ()]
    assert net.get_parameter("0.bias") is net[0].bias
    with pytest.raises(AttributeError, match="no parameter"):
        net.get_parameter("0.b")
