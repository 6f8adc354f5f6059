"""Lazy evaluation: what runs when, gradients across forcing, schedules, memory, threads."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir import engine, pending
from lazir.lazy import PENDING_LIMIT


def test_nothing_runs_before_it_is_needed() -> None:
    before = engine.compiled_count()
    x = lz.Tensor(np.arange(3.0)) * 3.25 + 1
    y = x.sum()
    assert engine.compiled_count() == before
    assert y.item() == 12.75
    assert x._array is not None  # a live handle of the cone is known as well
    assert engine.compiled_count() == before + 1


def test_equal_structure_shares_a_program() -> None:
    def run(a: float) -> float:
        return (lz.Tensor(np.arange(7.0)) * a - 0.1).max().item()

    run(0.3)
    before = engine.compiled_count()
    assert run(0.7) == pytest.approx(0.7 * 6 - 0.1)
    assert engine.compiled_count() == before


def test_item_then_backward_does_not_recompute() -> None:
    w = lz.Tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w * w).sum()
    assert loss.item() == 9.0
    loss.backward()
    assert w.grad.tolist() == [3.0, 12.0]


def test_backward_accumulates_and_two_handles_have_two_gradients() -> None:
    w = lz.Tensor([1.0, 2.0], requires_grad=True)
    v = w.detach().requires_grad_()
    (w * 3).sum().backward()
    (w * v).sum().backward()
    assert w.grad.tolist() == [4.0, 5.0]
    assert v.grad.tolist() == [1.0, 2.0]
    w.grad = None
    assert w.grad is None and v.grad is not None


def test_second_backward_needs_retain_graph() -> None:
    w = lz.Tensor([1.0], requires_grad=True)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert w.grad.tolist() == [4.0]
    with pytest.raises(TypeError, match="retain_graph=True"):
        loss.backward()


def test_retain_grad_detach_no_grad() -> None:
    w = lz.Tensor([2.0], requires_grad=True)
    y = w * 3
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [12.0]
    assert w.grad.tolist() == [36.0]
    assert not (w * 2).detach().requires_grad
    with lz.no_grad():
        assert not (w * 2).requires_grad
    assert (w * 2).requires_grad
    with pytest.raises(TypeError, match="computed from one that requires a gradient"):
        lz.Tensor([1.0]).sum().backward()


def test_backward_with_gradient_argument() -> None:
    w = lz.Tensor([1.0, 2.0], requires_grad=True)
    (w * w).backward(lz.Tensor([1.0, 10.0]))
    assert w.grad.tolist() == [2.0, 40.0]
    with pytest.raises(TypeError, match="reduce it with sum or mean"):
        (w * w).backward()


def _train(steps: int, item_first: bool) -> tuple[list[float], Any]:
    rng = np.random.default_rng(0)
    x, y = lz.Tensor(rng.normal(size=(16, 4))), lz.Tensor(rng.normal(size=(16,)))
    w = lz.Tensor(np.zeros(4), requires_grad=True)
    losses = []
    for step in range(steps):
        loss = ((x @ w - y) ** 2).mean()
        if item_first:
            losses.append(loss.item())
        loss.backward()
        if not item_first:
            losses.append(loss.item())
        with lz.no_grad():
            w[...] = w - (0.1 / (1 + 0.01 * step)) * w.grad
        w.grad = None
    return losses, w


def _reference(steps: int) -> list[float]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 4)), rng.normal(size=(16,))
    w = np.zeros(4)
    losses = []
    for step in range(steps):
        off = x @ w - y
        losses.append((off**2).mean())
        w = w - (0.1 / (1 + 0.01 * step)) * (2 / 16 * x.T @ off)
    return losses


@pytest.mark.parametrize("item_first", [False, True])
def test_training_with_a_schedule_compiles_little_and_stays_small(item_first: bool) -> None:
    before = engine.compiled_count()
    losses, w = _train(20, item_first)
    gc.collect()
    held, waiting = len(gc.get_objects()), pending.pending_count()
    more, w = _train(1_000, item_first)
    np.testing.assert_allclose(more[:20], losses, rtol=1e-12)
    np.testing.assert_allclose(more, _reference(1_000), rtol=1e-9)
    assert engine.compiled_count() - before <= 3
    gc.collect()
    assert pending.pending_count() <= waiting + 2
    assert len(gc.get_objects()) < held + 500
    assert w.requires_grad


def test_functional_training_keeps_no_history() -> None:
    w = lz.Tensor(np.zeros(3))
    step = lz.value_and_grad(lambda w: ((w - 1.5) ** 2).sum())
    before = engine.compiled_count()
    for k in range(30):
        value, slope = step(w)
        w = w - (0.1 + 0.001 * k) * slope
        value.item()
    assert engine.compiled_count() - before <= 3
    w.item(0)
    assert w._array is not None and w._value is None
    np.testing.assert_allclose(w.numpy(), 1.5, atol=1e-2)


def test_a_long_pending_graph_is_run_in_between() -> None:
    x = lz.Tensor(0.0)
    ran = False
    for k in range(PENDING_LIMIT + 50):
        x = x + float(k % 7)
        ran = ran or x._array is not None
    assert ran
    assert x.item() == sum(k % 7 for k in range(PENDING_LIMIT + 50))


def test_threads_share_and_agree() -> None:
    base = lz.Tensor(np.arange(50.0))
    shared = (base * 1.5).sum()
    found: list[float] = []
    errors: list[BaseException] = []

    def work(k: int) -> None:
        try:
            for _ in range(20):
                found.append((base + k).sum().item() - shared.item())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors
    assert sorted(set(found)) == [1225.0 + 50 * k - 1837.5 for k in range(6)]


def test_no_grad_is_per_thread() -> None:
    w = lz.Tensor([1.0], requires_grad=True)
    seen = []
    with lz.no_grad():
        thread = threading.Thread(target=lambda: seen.append((w * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_protocols() -> None:
    x = lz.Tensor([1, 2, 3])
    assert [int(v) for v in x] == [1, 2, 3]
    assert len(x) == 3 and bool(lz.Tensor([1])) and int(lz.Tensor(7)) == 7
    assert [10, 20, 30][lz.Tensor(1)] == 20
    assert f"{lz.Tensor(1.5):.2f}" == "1.50"
    assert 2 in x and 9 not in x
    assert len({x, x}) == 1
    np.testing.assert_array_equal(np.from_dlpack(x), [1, 2, 3])
    again = pickle.loads(pickle.dumps(x * 2))
    assert again.tolist() == [2, 4, 6]
    assert copy.deepcopy(x).tolist() == [1, 2, 3]
    assert x.__array_namespace__() is lnp
    with pytest.raises(ValueError):
        x.numpy()[0] = 5
    with pytest.raises(TypeError, match="one element"):
        bool(x)


def test_input_arrays_are_copied() -> None:
    data = np.zeros(3)
    x, y = lnp.asarray(data), lnp.zeros(3) + data
    shared = lnp.asarray(data, copy=False)
    data[:] = 7
    assert x.tolist() == [0, 0, 0] and y.tolist() == [0, 0, 0]
    assert shared.tolist() == [7, 7, 7]


def test_bfloat16() -> None:
    x = lz.Tensor([1.0, 2.5], "bfloat16")
    assert (x * 2).tolist() == [2.0, 5.0]
    assert str((x + lz.Tensor([1.0], "f16")).dtype) == "f32"


def test_unrolled_loops_warn() -> None:
    def f(x: Any) -> Any:
        for _ in range(20_100):
            x = x + x
        return x

    with pytest.warns(UserWarning, match=r"fori_loop"):
        lz.compile(f).trace(lz.spec((), "f32"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lz.compile(lambda x: x + 1).trace(lz.spec((), "f32"))
