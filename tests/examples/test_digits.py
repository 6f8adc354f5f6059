"""The demo's three trainers agree on a few steps: compiled, lazy and plain NumPy."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("sklearn")
STEPS = 4


def _demo() -> ModuleType:
    path = Path(__file__).parents[2] / "examples" / "digits.py"
    spec = importlib.util.spec_from_file_location("digits_demo", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_compiled_lazy_and_numpy_training_agree() -> None:
    demo = _demo()
    x, y, _, _ = demo.load()
    data = demo.batches(x, y)[:STEPS]
    start = demo.initial()
    state = (start, demo.zeros(start), demo.zeros(start))
    reference = (list(start), demo.zeros(start), demo.zeros(start))
    compiled, plain = [], []
    for t, (images, labels) in enumerate(data, 1):
        loss, *state = demo.step(*state, np.float64(t), images, labels)
        compiled.append(loss.item())
        loss, *reference = demo.numpy_step(*reference, t, images, labels)
        plain.append(float(loss))
    np.testing.assert_allclose(compiled, plain, atol=1e-5)
    np.testing.assert_allclose(demo.lazy_losses(start, data), plain, atol=1e-5)
