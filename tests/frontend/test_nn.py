"""Functions, modules and optimisers of neural networks against formulas in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import erf, log_softmax, softmax

import lazir as lz
import lazir.numpy as lnp
from lazir.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 5)) * 3

ACTIVATIONS = [
    (F.relu, lambda x: np.maximum(x, 0)),
    (F.relu6, lambda x: np.clip(x, 0, 6)),
    (F.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    (F.silu, lambda x: x / (1 + np.exp(-x))),
    (F.gelu, lambda x: x * 0.5 * (1 + erf(x / np.sqrt(2)))),
    (F.softplus, lambda x: np.log1p(np.exp(x))),
    (F.elu, lambda x: np.where(x > 0, x, np.expm1(x))),
    (F.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    (F.softmax, lambda x: softmax(x, -1)),
    (F.log_softmax, lambda x: log_softmax(x, -1)),
    (lambda x: F.softmax(x, 0), lambda x: softmax(x, 0)),
]


@pytest.mark.parametrize("number", range(len(ACTIVATIONS)))
def test_activations(number: int) -> None:
    ours, formula = ACTIVATIONS[number]
    np.testing.assert_allclose(ours(X).numpy(), formula(X), rtol=1e-12, atol=1e-14)


def test_softmax_of_large_values_and_its_gradient() -> None:
    x = np.array([1e4, 0.0, -1e4])
    assert F.softmax(x).tolist() == [1.0, 0.0, 0.0]
    p = softmax(X[0])
    jacobian = lz.jacrev(F.softmax)(X[0]).numpy()
    np.testing.assert_allclose(jacobian, np.diag(p) - np.outer(p, p), atol=1e-12)


def test_normalisation() -> None:
    mean, deviation = X.mean(-1, keepdims=True), np.sqrt(X.var(-1, keepdims=True) + 1e-5)
    wanted = (X - mean) / deviation
    w = np.arange(5.0)
    np.testing.assert_allclose(F.layer_norm(X, 5, w, w).numpy(), wanted * w + w)
    images = RNG.normal(size=(4, 3, 2, 2))
    m, v = images.mean((0, 2, 3), keepdims=True), images.var((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(
        F.batch_norm(images, training=True).numpy(), (images - m) / np.sqrt(v + 1e-5)
    )
    np.testing.assert_allclose(
        F.rms_norm(X, eps=1e-6).numpy(), X / np.sqrt((X**2).mean(-1, keepdims=True) + 1e-6)
    )


def test_losses() -> None:
    labels = np.array([1, 0, 4])
    logs = log_softmax(X, -1)
    wanted = -logs[np.arange(3), labels]
    np.testing.assert_allclose(F.cross_entropy(X, labels).item(), wanted.mean())
    np.testing.assert_allclose(F.cross_entropy(X, labels, reduction="none").numpy(), wanted)
    smooth = np.eye(5)[labels] * 0.9 + 0.02
    np.testing.assert_allclose(
        F.cross_entropy(X, labels, label_smoothing=0.1).item(), -(smooth * logs).sum(-1).mean()
    )
    gradient = lz.grad(lambda x: F.cross_entropy(x, labels))(X).numpy()
    np.testing.assert_allclose(gradient, (softmax(X, -1) - np.eye(5)[labels]) / 3, atol=1e-12)
    target = (X > 0).astype(float)
    p = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(
        F.binary_cross_entropy_with_logits(X, target).item(),
        -(target * np.log(p) + (1 - target) * np.log(1 - p)).mean(),
    )
    np.testing.assert_allclose(F.mse_loss(X, X + 2).item(), 4)


def _conv2d(x: Any, w: Any, stride: int, padding: int, dilation: int, groups: int) -> Any:
    x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    n, _, h, width = x.shape
    o, i, kh, kw = w.shape
    out_h = (h - dilation * (kh - 1) - 1) // stride + 1
    out_w = (width - dilation * (kw - 1) - 1) // stride + 1
    out = np.zeros((n, o, out_h, out_w))
    for g in range(groups):
        for f in range(o // groups):
            for a in range(kh):
                for b in range(kw):
                    rows = slice(a * dilation, a * dilation + (out_h - 1) * stride + 1, stride)
                    cols = slice(b * dilation, b * dilation + (out_w - 1) * stride + 1, stride)
                    part = x[:, g * i : (g + 1) * i, rows, cols]
                    kernel = w[g * (o // groups) + f, :, a, b]
                    out[:, g * (o // groups) + f] += np.einsum("nihw,i->nhw", part, kernel)
    return out


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2)]
)
def test_conv2d(stride: int, padding: int, dilation: int, groups: int) -> None:
    x, w = RNG.normal(size=(2, 4, 7, 6)), RNG.normal(size=(6, 4 // groups, 3, 2))
    bias = RNG.normal(size=6)
    wanted = _conv2d(x, w, stride, padding, dilation, groups)
    got = F.conv2d(x, w, bias, stride, padding, dilation, groups)
    np.testing.assert_allclose(got.numpy(), wanted + bias[:, None, None], rtol=1e-10)
    last = F.conv2d(
        x.transpose(0, 2, 3, 1), w, bias, stride, padding, dilation, groups, layout="NHWC"
    )
    np.testing.assert_allclose(last.numpy().transpose(0, 3, 1, 2), got.numpy(), rtol=1e-10)
    if groups == 1:
        ct = RNG.normal(size=wanted.shape)
        _, back = lz.vjp(lambda v: F.conv2d(v, w, None, stride, padding, dilation), x)
        missing = [
            n - ((m - 1) * stride - 2 * padding + dilation * (k - 1) + 1)
            for n, m, k in zip(x.shape[2:], wanted.shape[2:], w.shape[2:])
        ]
        adjoint = F.conv_transpose2d(ct, w, None, stride, padding, missing, 1, dilation)
        np.testing.assert_allclose(adjoint.numpy(), back(ct)[0].numpy(), rtol=1e-10)


def test_pooling() -> None:
    x = RNG.normal(size=(2, 3, 6, 6))
    tiles = x.reshape(2, 3, 3, 2, 3, 2)
    np.testing.assert_array_equal(F.max_pool2d(x, 2).numpy(), tiles.max((3, 5)))
    np.testing.assert_allclose(F.avg_pool2d(x, 2).numpy(), tiles.mean((3, 5)))
    np.testing.assert_allclose(
        F.adaptive_avg_pool2d(x, 1).numpy()[..., 0, 0], x.mean((2, 3)), rtol=1e-12
    )
    assert F.max_pool2d(x, 3, 2, 1).shape == (2, 3, 3, 3)
    assert F.max_pool2d(x[:, :, :5, :5], 2, ceil_mode=True).shape == (2, 3, 3, 3)
    edge = F.avg_pool2d(np.ones((1, 1, 2, 2)), 2, 2, 1, count_include_pad=False)
    assert edge.tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]


def test_attention() -> None:
    q, k, v = (RNG.normal(size=(2, 4, 8)) for _ in range(3))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(8)
    scores[:, ~np.tri(4, dtype=bool)] = -np.inf
    got = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    np.testing.assert_allclose(got.numpy(), softmax(scores, -1) @ v, rtol=1e-12)


def test_modules_are_trees_and_train() -> None:
    lz.nn.init.manual_seed(1)
    net = lz.nn.Sequential(lz.nn.Linear(2, 8), lz.nn.Tanh(), lz.nn.Linear(8, 1))
    assert [n for n, _ in net.named_parameters()] == [
        "0.weight", "0.bias", "2.weight", "2.bias",
    ]  # fmt: skip
    x = RNG.normal(size=(64, 2)).astype(np.float32)
    y = (x[:, :1] * x[:, 1:]).astype(np.float32)
    optimiser = lz.optim.Adam(net.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = F.mse_loss(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    frozen = lz.tree.map(lambda p: p.detach(), net)

    @lz.compile
    def step(model: Any, state: Any, x: Any, y: Any) -> Any:
        value, grads = lz.value_and_grad(lambda m: F.mse_loss(m(x), y))(model)
        model, state = rule.update(model, grads, state)
        return value, model, state

    rule = lz.optim.adam(0.02)
    state = rule.init(frozen)
    first, model, state = step(frozen, state, x, y)
    np.testing.assert_allclose(first.item(), F.mse_loss(net(x), y).item(), rtol=1e-5)
    for _ in range(30):
        value, model, state = step(model, state, x, y)
    assert value.item() < first.item()
    assert step.cache_info().misses == 1
    assert "Linear" in repr(net)


def test_state_dict_train_and_eval() -> None:
    a, b = lz.nn.Linear(3, 2), lz.nn.Linear(3, 2)
    b.load_state_dict(a.state_dict())
    x = np.ones((1, 3), np.float32)
    assert a(x).tolist() == b(x).tolist()
    assert b.weight.requires_grad
    with pytest.raises(KeyError, match="missing"):
        a.load_state_dict({})
    drop = lz.nn.Dropout(0.5)
    assert drop.eval()(x).tolist() == x.tolist()
    out = drop.train()(lnp.ones(1000), key=lz.random.key(0)).numpy()
    assert set(np.unique(out)) == {0.0, 2.0}


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_matches_the_formula(momentum: float) -> None:
    w = lz.nn.Parameter(np.array([1.0, -2.0]))
    optimiser = lz.optim.SGD([w], lr=0.1, momentum=momentum, weight_decay=0.01)
    wanted, speed = np.array([1.0, -2.0]), np.zeros(2)
    for _ in range(5):
        (w**3).sum().backward()
        optimiser.step()
        optimiser.zero_grad()
        speed = momentum * speed + 3 * wanted**2 + 0.01 * wanted
        wanted = wanted - 0.1 * speed
    np.testing.assert_allclose(w.detach().numpy(), wanted, rtol=1e-12)


def test_an_encoder_layer_wants_the_mask_that_is_causal() -> None:
    """As in PyTorch, `is_causal` only says what the mask is: alone it must not be ignored."""
    layer = lz.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()
    x = lnp.ones((1, 3, 4))
    with pytest.raises(lz.errors.LazirError, match="is_causal needs the mask itself"):
        layer(x, is_causal=True)
    mask = lz.nn.causal_mask(3)
    np.testing.assert_array_equal(layer(x, mask, is_causal=True).numpy(), layer(x, mask).numpy())
