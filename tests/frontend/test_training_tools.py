"""What training needs beside layers: clipping, vectors, weights that are computed, means, LBFGS."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.nn import utils
from lazir.optim import rules, swa_utils

RNG = np.random.default_rng(5)
X = RNG.normal(size=(6, 3)).astype(np.float32)


def parameters(*gradients: Any) -> list[Any]:
    found = []
    for g in gradients:
        p = lz.nn.Parameter(np.zeros(np.shape(g), np.float32))
        p.grad = lz.Tensor(np.asarray(g, np.float32))
        found.append(p)
    return [*found, lz.nn.Parameter([1.0])]  # the last one has no gradient


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("most", [0.5, 100.0])
def test_gradients_are_clipped_by_their_common_norm(order: float, most: float) -> None:
    given = [RNG.normal(size=(2, 3)), RNG.normal(size=4)]
    held = parameters(*given)
    total = np.linalg.norm(np.concatenate([g.ravel() for g in given]), order)
    found = utils.clip_grad_norm_(iter(held), most, order)
    np.testing.assert_allclose(found.item(), total, rtol=1e-6)
    for p, g in zip(held, given):
        np.testing.assert_allclose(p.grad.numpy(), g * min(1, most / (total + 1e-6)), rtol=1e-5)
    assert held[-1].grad is None


def test_clipping_of_nothing_and_of_infinity() -> None:
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    assert utils.clip_grad_norm_(parameters(np.zeros((0, 2)))[0], 1.0, np.inf).item() == 0
    bad = parameters([np.nan])
    with pytest.raises(ValueError, match="nan"):
        utils.clip_grad_norm_(bad, 1.0, error_if_nonfinite=True)
    assert np.isnan(utils.clip_grad_norm_(bad, 1.0).item())


def test_gradients_are_clipped_by_value() -> None:
    held = parameters([3.0, -0.5, -7.0])
    utils.clip_grad_value_(held, 2.0)
    assert held[0].grad.tolist() == [2.0, -0.5, -2.0]
    tree = lz.compile(lambda g: lz.optim.clip_by_value(g, 2.0))({"a": np.array([3.0, -9.0])})
    assert tree["a"].tolist() == [2.0, -2.0]


def test_clipping_is_part_of_the_step() -> None:
    """A loop with clipping compiles no program for each step."""
    w = lz.nn.Parameter([3.0, 4.0])
    optimiser = lz.optim.SGD([w], lr=0.5)
    for k in range(4):
        optimiser.zero_grad()
        (w * w * (k + 1.0)).sum().backward()
        utils.clip_grad_norm_([w], 1.0)
        optimiser.step()
    np.testing.assert_allclose(w.tolist(), [1.8, 2.4], rtol=1e-5)


def test_vectors_of_parameters() -> None:
    net = lz.nn.Sequential(lz.nn.Linear(3, 2), lz.nn.Linear(2, 1))
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (11,) and vector.requires_grad
    utils.vector_to_parameters(lnp.arange(11.0), net.parameters())
    assert net[1].bias.tolist() == [10.0] and net[0].weight.requires_grad
    (utils.parameters_to_vector(net.parameters()) ** 2).sum().backward()
    assert net[0].weight.grad.tolist() == [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]
    with pytest.raises(ValueError, match="11 elements"):
        utils.vector_to_parameters(lnp.ones(10), net.parameters())


# -- weights that are computed ---------------------------------------------------------------
@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_computed_weights_are_copied_pickled_and_removed(kind: str) -> None:
    layer = getattr(utils, kind)(lz.nn.Linear(3, 2)).eval()
    wanted = layer(X).detach().numpy()
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert type(twin) is type(layer) and isinstance(twin, lz.nn.Linear)
        np.testing.assert_array_equal(twin(X).detach().numpy(), wanted)
    assert repr(layer).startswith("Linear(")
    with pytest.raises(ValueError, match="already"):
        utils.weight_norm(layer)
    getattr(utils, "remove_" + kind)(layer)
    assert type(layer) is lz.nn.Linear and list(layer.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(layer(X).detach().numpy(), wanted, rtol=1e-6)
    with pytest.raises(ValueError, match="was not applied"):
        getattr(utils, "remove_" + kind)(layer)


def test_spectral_norm_learns_in_a_compiled_function() -> None:
    linear = lz.nn.Linear(3, 3, bias=False, key=lz.random.key(1))
    layer = utils.spectral_norm(linear, key=lz.random.key(2))
    forward = lz.compile(lambda net, x: net(x))
    with lz.no_grad():
        for _ in range(60):
            forward(layer, X)
    top = np.linalg.svd(layer.weight.detach().numpy(), compute_uv=False)[0]
    np.testing.assert_allclose(top, 1.0, rtol=1e-4)


def test_weight_norm_trains() -> None:
    net = utils.weight_norm(lz.nn.Linear(3, 1, key=lz.random.key(0)))
    optimiser = lz.optim.Adam(net.parameters(), lr=0.2)
    wanted = X @ np.array([[1.0], [-2.0], [0.5]], np.float32)
    for _ in range(90):
        optimiser.zero_grad()
        loss = ((net(X) - wanted) ** 2).mean()
        loss.backward()
        optimiser.step()
    assert loss.item() < 1e-2


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_a_fused_convolution_does_what_both_layers_do(transposed: bool, plain: bool) -> None:
    kind = lz.nn.ConvTranspose2d if transposed else lz.nn.Conv2d
    conv, norm = kind(2, 3, 2, bias=not plain), lz.nn.BatchNorm2d(3, affine=not plain)
    for name, value in norm.named_buffers():
        if name != "num_batches_tracked":
            value[...] = lnp.asarray(RNG.uniform(0.5, 2, 3), "f32")
    x = RNG.normal(size=(2, 2, 4, 4)).astype(np.float32)
    with pytest.raises(ValueError, match="eval"):
        utils.fuse_conv_bn_eval(conv, norm)
    wanted = norm.eval()(conv.eval()(x)).detach().numpy()
    fused = utils.fuse_conv_bn_eval(conv, norm)
    np.testing.assert_allclose(fused(x).detach().numpy(), wanted, rtol=1e-5, atol=1e-5)


def test_sequences_are_padded_on_either_side() -> None:
    rows = [np.arange(6.0).reshape(3, 2), np.ones((1, 2))]
    right = utils.rnn.pad_sequence(rows, padding_value=-1)
    assert right.shape == (3, 2, 2) and right[1:, 1].tolist() == [[-1, -1], [-1, -1]]
    left = utils.rnn.pad_sequence(rows, True, padding_side="left")
    assert left[1].tolist() == [[0, 0], [0, 0], [1, 1]]
    for found, given in zip(utils.rnn.unpad_sequence(right, (3, 1)), rows):
        np.testing.assert_array_equal(found.numpy(), given)


# -- means and optimisers ----------------------------------------------------------------------
@pytest.mark.parametrize("use_buffers", [False, True])
def test_averaged_models(use_buffers: bool) -> None:
    net = lz.nn.Sequential(lz.nn.Linear(2, 1), lz.nn.BatchNorm1d(1))
    mean = swa_utils.AveragedModel(net, swa_utils.get_ema_avg_fn(0.75), use_buffers)
    plain = swa_utils.AveragedModel(net)
    seen, buffers = [], []
    for k in range(4):
        with lz.no_grad():
            net[0].weight[...] = lnp.full((1, 2), float(k * k), "f32")
            net[1].running_mean[...] = lnp.full(1, float(k), "f32")
        net[1].num_batches_tracked[...] = k
        mean.update_parameters(net)
        plain.update_parameters(net)
        seen.append(float(k * k))
        buffers.append(float(k))
    ema = seen[0]
    for value in seen[1:]:
        ema = 0.75 * ema + 0.25 * value
    assert mean.module[0].weight.tolist() == [[ema, ema]]
    assert plain.module[0].weight.tolist() == [[np.mean(seen)] * 2]
    smooth = 0.75**2 * 0.25 * 1 + 0.75 * 0.25 * 2 + 0.25 * 3
    assert mean.module[1].running_mean.tolist() == [smooth if use_buffers else 3.0]
    assert mean.module[1].num_batches_tracked.item() == 3 and mean.n_averaged.item() == 4
    assert mean(X[:, :2]).shape == (6, 1)
    assert next(iter(mean.state_dict())) == "module.0.weight"


def test_lion_is_the_formula_of_its_paper() -> None:
    """Chen et al., "Symbolic discovery of optimization algorithms", 2023, program 1."""
    b1, b2, rate, decay = 0.8, 0.9, 0.1, 0.3
    w, m = X[0].astype(float), np.zeros(3)
    p = lz.nn.Parameter(w)
    optimiser = lz.optim.Lion([p], lr=rate, betas=(b1, b2), weight_decay=decay)
    for k in range(5):
        g = np.sin(k + w)
        p.grad = lz.Tensor(g)
        optimiser.step()
        update = np.sign(b1 * m + (1 - b1) * g)
        w = w - rate * (update + decay * w)
        m = b2 * m + (1 - b2) * g
        np.testing.assert_allclose(p.tolist(), w, rtol=1e-14)


def rosenbrock(w: Any) -> Any:
    return (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()


def test_lbfgs_finds_a_minimum_and_goes_on_from_its_state() -> None:
    def closure() -> Any:
        optimiser.zero_grad()
        loss = rosenbrock(w)
        loss.backward()
        return loss

    w = lz.nn.Parameter(np.array([-1.2, 1.0, -0.5]))
    optimiser = lz.optim.LBFGS([w], max_iter=30, line_search_fn="strong_wolfe")
    optimiser.step(closure)
    state, value = optimiser.state_dict(), w.detach().numpy()
    optimiser.step(closure)
    wanted = w.detach().numpy()
    np.testing.assert_allclose(wanted, 1.0, rtol=1e-6)
    w = lz.nn.Parameter(value)
    optimiser = lz.optim.LBFGS([w], lr=0.3)
    optimiser.load_state_dict(state)
    optimiser.step(closure)
    np.testing.assert_array_equal(w.detach().numpy(), wanted)


def test_lbfgs_refuses_what_it_cannot_do() -> None:
    w = lz.nn.Parameter([1.0])
    with pytest.raises(TypeError, match="closure"):
        lz.optim.LBFGS([w]).step()
    with pytest.raises(ValueError, match="strong_wolfe"):
        lz.optim.LBFGS([w], line_search_fn="armijo")
    with pytest.raises(ValueError, match="one group"):
        lz.optim.LBFGS([{"params": [w]}, {"params": [lz.nn.Parameter([2.0])]}])


def test_new_rules_work_on_trees_in_compiled_functions() -> None:
    """As many programs as functions; the same as PyTorch's form, which the stored values check."""
    for rule in (rules.rprop_rule(), rules.adafactor_rule()):
        step = lz.optim.by_rule(rule, 0.1)
        params = {"a": lz.Tensor(X[:2]), "b": lz.Tensor(X[0])}
        state = step.init(params)
        update = lz.compile(step.update)
        for _ in range(3):
            params, state = update(params, params, state)
        assert update.cache_info().currsize == 1
        assert np.abs(params["a"].numpy()).sum() < np.abs(X[:2]).sum()
