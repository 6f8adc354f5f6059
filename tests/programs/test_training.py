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
