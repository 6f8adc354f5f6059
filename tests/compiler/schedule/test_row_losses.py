"""A loss over rows that are normalised, and its gradient, read their operands once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.kernel import Kernel
from lazir.compiler.passes import optimize
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target
from lazir.runtime.execute import LoadedProgram

F = lz.nn.functional
RNG = np.random.default_rng(0)
X = RNG.standard_normal((33, 70)).astype("f4")
T = RNG.random((33, 70)).astype("f4")


def entropy(x: Any, t: Any) -> Any:
    return -(F.log_softmax(x, -1) * t).sum(-1).mean()


def squares_of_norm(x: Any, t: Any) -> Any:
    return (F.layer_norm(x, (70,), t[0], t[1]) ** 2).sum()


def largest(x: Any, t: Any) -> Any:
    return lnp.max(F.softmax(x, -1) * t)


def wanted(f: Callable[..., Any]) -> float:
    """In NumPy, with 64 bits."""
    x, t = X.astype("f8"), T.astype("f8")
    e = np.exp(x - x.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    if f is entropy:
        return float(-(np.log(p) * t).sum(-1).mean())
    if f is largest:
        return float((p * t).max())
    off = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return float(((off * t[0] + t[1]) ** 2).sum())


def large_kernels(c: Compilation, size: int) -> list[Kernel]:
    """Those that read an array of this size."""
    kernels = [n.attrs["kernel"] for n in c.kernels.nodes if n.op == "kernel"]
    return [k for k in kernels if any(p.size == size for p in k.params)]


@pytest.mark.parametrize("f", [entropy, squares_of_norm, largest])
def test_a_loss_and_its_gradient_are_one_pass(f: Callable[..., Any]) -> None:
    c = Compilation(lz.compile(lz.value_and_grad(f)).trace(X, T).graph, host_target())
    loss, gradient = LoadedProgram(c.program).call([X, T])
    np.testing.assert_allclose(loss, wanted(f), rtol=2e-5)
    assert gradient.shape == X.shape
    alone = Compilation(lz.compile(f).trace(X, T).graph, host_target())
    assert [k.kind for k in large_kernels(alone, X.size)] == ["row"]
    if f is not largest:  # whose gradient needs the largest of all rows first
        assert [k.kind for k in large_kernels(c, X.size)] == ["row"]


def test_sums_that_follow_no_rows_stay_whole() -> None:
    graph = optimize(lz.compile(lambda x, t: (x * t).sum()).trace(X, T).graph)
    (kernel,) = large_kernels(Compilation(graph, host_target()), X.size)
    assert kernel.result_types[0].shape == ()


def test_16_bits_are_not_rounded_between() -> None:
    x = X.astype("f2")
    f = lz.compile(lambda x: F.softmax(x, -1).sum())
    c = Compilation(f.trace(x).graph, host_target())
    assert any(k.result_types[0].shape == () for k in large_kernels(c, x.size))
