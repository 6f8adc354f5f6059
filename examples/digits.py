"""Handwritten digits: a classifier trained by one compiled program per step, checked against NumPy.

    make demo          (or: python examples/digits.py)

The data are the 1,797 8×8 images of the UCI "Optical Recognition of Handwritten Digits" set that
scikit-learn ships. The same network is trained three times from the same start: by a compiled step
(loss, gradient and Adam in one program), by plain NumPy, and by lazy Tensors with `.backward()`.
"""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.pipeline import STAGES

SIZES = (64, 128, 64, 10)
BATCH, STEPS, RATE, DECAY = 128, 1500, 2e-3, 1e-4
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Kingma & Ba, "Adam", 2015
CHECKED = 100  # steps whose loss is compared with NumPy's

Params = list[tuple[Any, Any]]


# -- the model, in lazir ------------------------------------------------------------------
def logits(params: Params, x: Any) -> Any:
    """Two hidden layers with ReLU: f32[n, 64] → f32[n, 10]."""
    for w, b in params[:-1]:
        x = lnp.maximum(x @ w + b, 0)
    w, b = params[-1]
    return x @ w + b


def loss_of(params: Params, x: Any, labels: Any) -> Any:
    """Mean cross-entropy of one-hot `labels`, and a small weight decay."""
    z = logits(params, x)
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - lnp.log(lnp.exp(z).sum(axis=1, keepdims=True))
    decay = sum((w * w).sum() for w, _ in params)
    return -(log_p * labels).sum() / x.shape[0] + DECAY * decay


@lz.compile
def step(params: Params, m: Params, v: Params, t: Any, x: Any, labels: Any) -> Any:
    """One step of Adam: loss, new parameters and moments."""
    loss, grads = lz.value_and_grad(loss_of)(params, x, labels)
    m = lz.tree.map(lambda a, g: BETA1 * a + (1 - BETA1) * g, m, grads)
    v = lz.tree.map(lambda a, g: BETA2 * a + (1 - BETA2) * g * g, v, grads)
    rate = (RATE * lnp.sqrt(1 - BETA2**t) / (1 - BETA1**t)).astype("float32")  # t is a float64
    params = lz.tree.map(lambda p, a, c: p - rate * a / (lnp.sqrt(c) + EPSILON), params, m, v)
    return loss, params, m, v


predict = lz.compile(lambda params, x: logits(params, x).argmax(axis=1), name="predict")


# -- the same in plain NumPy ------------------------------------------------------------------
def numpy_loss_and_gradient(params: Params, x: Any, labels: Any) -> Any:
    """The derivative written out by hand."""
    inputs = [x]
    for w, b in params[:-1]:
        inputs.append(np.maximum(inputs[-1] @ w + b, 0))
    w, b = params[-1]
    z = inputs[-1] @ w + b
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z)
    total = p.sum(axis=1, keepdims=True)
    loss = -((z - np.log(total)) * labels).sum() / len(x)
    loss += DECAY * sum(float((w * w).sum()) for w, _ in params)
    delta = (p / total - labels) / np.float32(len(x))
    grads: Params = []
    for (w, _), below in zip(reversed(params), reversed(inputs)):
        grads.insert(0, (below.T @ delta + np.float32(2 * DECAY) * w, delta.sum(axis=0)))
        delta = (delta @ w.T) * (below > 0)
    return loss, grads


def numpy_step(params: Params, m: Params, v: Params, t: float, x: Any, labels: Any) -> Any:
    """One step of Adam, array by array."""
    loss, grads = numpy_loss_and_gradient(params, x, labels)
    rate = np.float32(RATE * np.sqrt(1 - BETA2**t) / (1 - BETA1**t))
    f = np.float32
    for k, pair in enumerate(grads):
        for j, g in enumerate(pair):
            a = f(BETA1) * m[k][j] + f(1 - BETA1) * g
            c = f(BETA2) * v[k][j] + f(1 - BETA2) * g * g
            new = params[k][j] - rate * a / (np.sqrt(c) + f(EPSILON))
            for target, value in ((m, a), (v, c), (params, new)):
                target[k] = (value, target[k][1]) if j == 0 else (target[k][0], value)
    return loss, params, m, v


# -- the same with lazy Tensors ------------------------------------------------------------------
def lazy_losses(start: Params, batches: list[Any]) -> list[float]:
    """Losses of training with `.backward()`, no compiled function in sight."""
    params = [tuple(lz.Tensor(a, requires_grad=True) for a in pair) for pair in start]
    flat = [p for pair in params for p in pair]
    m = [lnp.zeros_like(p) for p in flat]
    v = [lnp.zeros_like(p) for p in flat]
    losses = []
    for t, (x, labels) in enumerate(batches, 1):
        loss = loss_of(params, lnp.asarray(x), lnp.asarray(labels))
        loss.backward()
        losses.append(loss.item())
        rate = RATE * np.sqrt(1 - BETA2**t) / (1 - BETA1**t)
        with lz.no_grad():
            for k, p in enumerate(flat):
                m[k] = BETA1 * m[k] + (1 - BETA1) * p.grad
                v[k] = BETA2 * v[k] + (1 - BETA2) * p.grad * p.grad
                p[...] = p - rate * m[k] / (lnp.sqrt(v[k]) + EPSILON)
                p.grad = None
    return losses


# -- the demo ------------------------------------------------------------------
def load() -> Any:
    """Train and test images (f32 in 0…1) and labels, shuffled by a fixed seed."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    x, y = (images[order] / 16).astype(np.float32), labels[order]
    return x[:1437], y[:1437], x[1437:], y[1437:]


def initial() -> Params:
    """He-initialised weights, zero biases."""
    rng = np.random.default_rng(1)
    return [
        ((rng.standard_normal((m, n)) * np.sqrt(2 / m)).astype(np.float32), np.zeros(n, np.float32))
        for m, n in pairwise(SIZES)
    ]


def zeros(params: Params) -> Params:
    return [(np.zeros_like(w), np.zeros_like(b)) for w, b in params]


def batches(x: Any, y: Any) -> list[Any]:
    """The batches of all steps, the same for every trainer."""
    rng = np.random.default_rng(2)
    one_hot = np.eye(10, dtype=np.float32)
    picks = [rng.integers(0, len(x), BATCH) for _ in range(STEPS)]
    return [(x[p], one_hot[y[p]]) for p in picks]


def main() -> None:
    x, y, x_test, y_test = load()
    data = batches(x, y)
    start = initial()

    began = time.perf_counter()
    lowered = step.lower(start, zeros(start), zeros(start), np.float64(1), *data[0])
    folder = Path("digits_ir")
    folder.mkdir(exist_ok=True)
    for stage in STAGES:
        (folder / f"{stage}.mlir").write_text(lowered.ir(stage))
    params, m, v = start, zeros(start), zeros(start)
    compiling = time.perf_counter()
    step(params, m, v, np.float64(1), *data[0])
    compiled = time.perf_counter() - compiling

    losses = []
    running = time.perf_counter()
    for t, (images, labels) in enumerate(tqdm(data, desc="training", unit="step"), 1):
        loss, params, m, v = step(params, m, v, np.float64(t), images, labels)
        losses.append(loss.item())
    rate = STEPS / (time.perf_counter() - running)

    reference = (list(start), zeros(start), zeros(start))
    running = time.perf_counter()
    numpy_losses = []
    for t, (images, labels) in enumerate(data[:CHECKED], 1):
        loss, *reference = numpy_step(*reference, t, images, labels)
        numpy_losses.append(float(loss))
    numpy_rate = CHECKED / (time.perf_counter() - running)
    lazy = lazy_losses(start, data[:CHECKED])

    accuracy = float((predict(params, x_test).numpy() == y_test).mean())
    kernels = lowered.ir("kernels").count("func.func private")
    gap = np.abs(np.array(losses[:CHECKED]) - numpy_losses).max()
    lazy_gap = np.abs(np.array(losses[:CHECKED]) - lazy).max()
    print(f"test accuracy           {accuracy:.2%}   (loss {losses[0]:.3f} → {losses[-1]:.4f})")
    print(f"graph ops → kernels     {len(lowered.graph.nodes)} → {kernels}")
    print(f"first step              {compiled * 1e3:.0f} ms, with compiling or the disk cache")
    print(f"steps per second        {rate:.0f}   (plain NumPy {numpy_rate:.0f})")
    print(f"loss against NumPy      within {gap:.1e} over {CHECKED} steps")
    print(f"lazy .backward()        within {lazy_gap:.1e} over {CHECKED} steps")
    print(f"the IR of every stage   {folder.resolve()}")
    print(f"all of it took          {time.perf_counter() - began:.1f} s")
    assert accuracy >= 0.97 and gap <= 1e-4 and lazy_gap <= 1e-4


if __name__ == "__main__":
    main()
