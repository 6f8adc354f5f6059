"""Training loops in PyTorch's style: what they compile, and that they learn."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir import engine

RNG = np.random.default_rng(1)
X = RNG.normal(size=(32, 5)).astype(np.float32)
Y = X @ RNG.normal(size=(5, 1)).astype(np.float32)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the size of each graph that is compiled."""
    sizes: list[int] = []
    compiled = engine.compile

    def count(graph, *args, **kwargs):
        sizes.append(len(graph.nodes))
        return compiled(graph, *args, **kwargs)

    monkeypatch.setattr(engine, "compile", count)
    return sizes


@pytest.mark.parametrize("look", [False, True], ids=["blind", "item"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_step_is_one_program(programs: list[int], name: str, look: bool) -> None:
    model = lz.nn.Sequential(lz.nn.Linear(5, 8), lz.nn.Tanh(), lz.nn.Linear(8, 1))
    optimiser = getattr(lz.optim, name)(model.parameters(), lr=0.02)
    losses = []
    for step in range(40):
        loss = ((model(lnp.asarray(X)) - Y) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        if look:
            losses.append(loss.item())
        optimiser.step()
        if not losses:
            losses.append(loss.item())
        if step == 5:
            made = len(programs)
    assert loss.item() < 0.7 * losses[0]
    assert len(programs) == made
    assert max(programs) < 400


def test_parameters_change_in_place_under_no_grad() -> None:
    params = [lnp.asarray(np.ones(3)), lnp.asarray(np.full(2, 2.0))]
    for p in params:
        p.requires_grad = True
    for _ in range(2):
        sum((p * p).sum() for p in params).backward()
        with lz.no_grad():
            for p in params:
                p -= 0.1 * p.grad
                p.zero_grad()
    assert all(p.requires_grad and p.is_leaf for p in params)
    np.testing.assert_allclose(params[0].detach().numpy(), np.full(3, 0.64))
    np.testing.assert_allclose(params[1].detach().numpy(), np.full(2, 1.28))


def test_augmented_assignment_rebinds_elsewhere() -> None:
    x = lnp.asarray(np.ones(3))
    y = x
    x += 1
    assert x is not y and y.numpy().tolist() == [1.0] * 3
    w = lnp.asarray(np.ones(3))
    w.requires_grad = True
    h = w
    h *= 3.0
    (h * h).sum().backward()
    assert w.grad.numpy().tolist() == [18.0] * 3
