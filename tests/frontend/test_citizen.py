"""Tensors among other things: threads, forks, files, copies, PyTorch's methods, other libraries."""

from __future__ import annotations

import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

X = np.arange(12.0).reshape(3, 4) - 5


# -- PyTorch's methods -------------------------------------------------------------------
METHODS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "permute": (lambda x: x.permute(1, 0), X.T), "t": (lambda x: x.t(), X.T),
    "unsqueeze": (lambda x: x.unsqueeze(1), X[:, None]),
    "expand": (lambda x: x[:, :1].expand(2, -1, 4), np.broadcast_to(X[:, :1], (2, 3, 4))),
    "split": (lambda x: x.split(3, 1)[1], X[:, 3:]),
    "split_sizes": (lambda x: x.split([1, 3], -1)[1], X[:, 1:]),
    "chunk": (lambda x: x.chunk(2)[1], X[2:]), "narrow": (lambda x: x.narrow(1, 1, 2), X[:, 1:3]),
    "select": (lambda x: x.select(1, 2), X[:, 2]), "unbind": (lambda x: x.unbind(1)[3], X[:, 3]),
    "clamp": (lambda x: x.clamp(-2, 3), np.clip(X, -2, 3)),
    "masked_fill": (lambda x: x.masked_fill(x < 0, 9), np.where(X < 0, 9, X)),
    "mm": (lambda x: x.mm(x.t()), X @ X.T), "relu": (lambda x: x.relu(), np.maximum(X, 0)),
    "half": (lambda x: x.half(), X.astype(np.float16)), "int": (lambda x: x.int(), X.astype("i4")),
    "flip": (lambda x: x.flip(0, 1), X[::-1, ::-1]),
    "roll": (lambda x: x.roll(1, 0), np.roll(X, 1, 0)),
    "fill_": (lambda x: x.clone().fill_(2), np.full_like(X, 2)),
    "add_": (lambda x: x.clone().add_(1, alpha=3), X + 3),
    "softmax": (lambda x: x.softmax(0), np.exp(X - X.max(0)) / np.exp(X - X.max(0)).sum(0)),
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_methods(name: str) -> None:
    call, wanted = METHODS[name]
    found = call(lz.Tensor(X)).numpy()
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_wrong_sizes_are_errors() -> None:
    x = lz.Tensor(X)
    for call in (lambda: x.split([1, 1]), lambda: x.expand(-1, 3, 4), lambda: x.expand(4)):
        with pytest.raises(ValueError):
            call()


def test_switches_of_gradients() -> None:
    w = lz.Tensor([1.0], requires_grad=True)
    with lz.inference_mode():
        assert not (w * 2).requires_grad and not lz.is_grad_enabled()
        with lz.set_grad_enabled(True):
            assert (w * 2).requires_grad
        assert not lz.is_grad_enabled()
    lz.set_grad_enabled(False)
    assert not (w * 2).requires_grad
    lz.set_grad_enabled(True)
    assert (w * 2).requires_grad


def test_copies_and_pickles() -> None:
    w = lz.Tensor(X, requires_grad=True)
    for twin in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert twin.requires_grad and twin.dtype is w.dtype
        with lz.no_grad():
            twin += 1
        np.testing.assert_array_equal(w.detach().numpy(), X)
        np.testing.assert_array_equal(twin.detach().numpy(), X + 1)
    half = lz.Tensor([1.5], "bfloat16") * 2
    assert pickle.loads(pickle.dumps(half)).item() == 3.0
    assert copy.copy(half).dtype is lz.bfloat16


# -- files -------------------------------------------------------------------------------
class Pair(NamedTuple):
    a: Any
    b: Any


def test_nested_values_are_saved_and_loaded(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    whole = {"net": {"w": lz.Tensor(X), "n": 3}, "l": [1.5, ("t", None, True)], "p": Pair(X, 2)}
    lz.save(whole, path)
    found = lz.load(path)
    assert found["l"] == [1.5, ("t", None, True)] and found["net"]["n"] == 3
    assert found["p"].keys() == {"a", "b"}
    np.testing.assert_array_equal(found["net"]["w"].numpy(), X)
    lz.save([lz.Tensor(1.0)], path)
    assert lz.load(path)[0].item() == 1.0
    for wrong in ({1: X, "a": 2}, {"a": object()}, {"a.b": X, "a": {"b": X, "c": 1}}):
        with pytest.raises((TypeError, ValueError)):
            lz.save(wrong, path)


def test_a_run_goes_on_from_a_file(tmp_path: Path) -> None:
    def train(w: Any, optimiser: Any, steps: int) -> None:
        for _ in range(steps):
            optimiser.zero_grad()
            (w**2).sum().backward()
            optimiser.step()

    w = lz.nn.Parameter(X)
    optimiser = lz.optim.Adam([w], lr=0.1)
    train(w, optimiser, 2)
    lz.save({"w": w, "optimiser": optimiser.state_dict()}, tmp_path / "run")
    train(w, optimiser, 2)
    held = lz.load(tmp_path / "run")
    again = lz.nn.Parameter(held["w"])
    other = lz.optim.Adam([again], lr=0.7)
    other.load_state_dict(held["optimiser"])
    train(again, other, 2)
    np.testing.assert_array_equal(again.detach().numpy(), w.detach().numpy())


def _file(header: Any, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
DAMAGED = [
    b"", b"\x01", b"\xff" * 8, (10**6).to_bytes(8, "little") + b"{}", _file([1]), _file({"x": 3}),
    _file({"x": ENTRY}, b"\0" * 7), _file({"x": {**ENTRY, "dtype": "Q"}}, b"\0" * 8),
    _file({"x": {**ENTRY, "shape": [-2]}}, b"\0" * 8),
    _file({"x": {**ENTRY, "shape": [2**62, 4]}}, b"\0" * 8),
    _file({"x": {**ENTRY, "shape": ["2"]}}, b"\0" * 8),
    _file({"x": {**ENTRY, "data_offsets": [8, 0]}}, b"\0" * 8),
    _file({"__metadata__": {"lazir.tree": '{"tensor": "y"}'}, "x": ENTRY}, b"\0" * 8),
    _file({"__metadata__": {"lazir.tree": "[1"}}), _file({"__metadata__": {"lazir.tree": 3}}),
    _file({"__metadata__": {"lazir.tree": '{"list": ' * 50_000}}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(DAMAGED)))
def test_damaged_files_are_clear_errors(tmp_path: Path, number: int) -> None:
    path = tmp_path / "bad"
    path.write_bytes(DAMAGED[number])
    with pytest.raises(ValueError):
        lz.load(path)


# -- threads and forks -------------------------------------------------------------------
def test_lazy_graphs_are_forced_from_several_threads() -> None:
    base = lz.Tensor(X)
    shared = [(base * k + 1).sum() for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: shared[k % 8].item(), range(64), timeout=60))
    assert found == [float((X * (k % 8) + 1).sum()) for k in range(64)]


def test_compiled_functions_are_called_from_several_threads() -> None:
    f = lz.compile(lambda x, y: (x @ y.T).sum(0) + 1)

    def call(k: int) -> bool:
        x = X[: 1 + k % 3] + k
        return np.array_equal(f(x, X).numpy(), (x @ X.T).sum(0) + 1)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(call, range(200), timeout=60))
    assert f.cache_info().currsize == 3


def test_backward_in_threads() -> None:
    def one(k: int) -> bool:
        w = lz.Tensor(X + k, requires_grad=True)
        (w * w).sum().backward()
        assert w.grad is not None
        return np.array_equal(w.grad.numpy(), 2 * (X + k))

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(one, range(60), timeout=60))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_computes() -> None:
    f = lz.compile(lambda x: lnp.sum(x * 2))
    big = np.ones((400, 1000))
    f(big).item()
    child = os.fork()
    if child == 0:
        good = f(big).item() == 800_000.0 and (lz.Tensor(X) + 1).sum().item() == (X + 1).sum()
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert f(big).item() == 800_000.0


def _one_of_many(number: int) -> bool:
    """Something that compiles or forces, and whether it is right."""
    kind, k = number % 5, float(number)
    if kind == 0:
        return lz.compile(lambda x: (x * k).sum())(X).item() == (X * k).sum()
    if kind == 1:
        return (lz.Tensor(X) * k + 1).max().item() == (X * k + 1).max()
    if kind == 2:
        return lz.grad(lambda x: (x**2).sum() * k)(X).tolist() == (2 * X * k).tolist()
    if kind == 3:
        return float(lz.scan(lambda c, x: (c + x * k, None), 0.0, np.arange(4.0))[0]) == 6 * k
    return SHARED(X[: 1 + number % 3]).item() == (X[: 1 + number % 3] + 1).prod()


SHARED = lz.compile(lambda x: (x + 1).prod())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forks_while_threads_compile() -> None:
    """A child has no other threads: what they held at the fork must not stop it."""
    children = []
    with ThreadPoolExecutor(6) as pool:
        found = pool.map(_one_of_many, range(60))
        for number in range(3):
            time.sleep(0.02)
            child = os.fork()
            if child == 0:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.alarm(60)
                good = False
                try:
                    good = all(_one_of_many(number + j) for j in range(5))
                finally:
                    os._exit(0 if good else 1)
            children.append(child)
        assert all(found)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]


# -- other libraries ---------------------------------------------------------------------
def test_numbers_and_formats() -> None:
    t = lz.Tensor(2.34567, "f64")
    assert f"{t:.3f}" == "2.346" and round(t, 2).item() == 2.35 and [7, 8, 9][lz.Tensor(1)] == 8
    assert isinstance(np.sin(t), lz.Tensor) and len({t, t}) == 1


def test_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"a": lz.Tensor([1.0, 2.0]).numpy(), "b": np.asarray(lz.Tensor([3, 4]))}
    )
    assert (frame["a"] * frame["b"]).tolist() == [3.0, 8.0]
    assert lz.Tensor(frame["a"].to_numpy()).sum().item() == 3.0


def test_matplotlib() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    (line,) = Figure().subplots().plot(lz.Tensor([1.0, 2.0, 3.0]) * 2)
    assert np.asarray(line.get_ydata(), float).tolist() == [2.0, 4.0, 6.0]


def test_matplotlib_bars_and_images() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    bars = axes.bar(lz.Tensor([1.0, 2.0]), lz.Tensor([3.0, 4.0]))
    assert [bar.get_height() for bar in bars] == [3.0, 4.0]
    assert np.asarray(axes.imshow(lz.Tensor(X)).get_array()).tolist() == X.tolist()


def test_what_is_asked_of_memory_and_objects_is_numpys_answer() -> None:
    """Libraries ask these of whatever they get."""
    t = lz.Tensor(X)
    shown = np.asarray(t)
    assert np.may_share_memory(t, shown) and np.shares_memory(shown, t)
    assert not np.may_share_memory(t, X)
    assert np.common_type(t) is np.float64 and np.min_scalar_type(lz.Tensor(3)) == np.uint8
    a, nothing, text = np.broadcast_arrays(lz.Tensor([1.0, 2.0]), None, "b")
    assert np.asarray(a).tolist() == [1.0, 2.0]
    assert nothing.tolist() == [None, None] and text.tolist() == ["b", "b"]


def test_torch_shares_memory() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.arange(3.0)
    ours = lz.from_dlpack(theirs)
    assert ours.tolist() == [0.0, 1.0, 2.0]
    assert torch.from_dlpack(lz.Tensor([1.0, 2.0]) * 2).tolist() == [2.0, 4.0]


SKLEARN = """
import numpy as np, sklearn, lazir as lz
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
x = np.random.default_rng(0).normal(size=(30, 4))
makers = [StandardScaler, lambda: PCA(2, svd_solver="full")]
wanted = [make().fit_transform(x) for make in makers]
wanted.append(Ridge(solver="svd").fit(x, x[:, 0]).predict(x))
sklearn.set_config(array_api_dispatch=True)
t = lz.Tensor(x)
found = [make().fit_transform(t) for make in makers]
found.append(Ridge(solver="svd").fit(t, t[:, 0]).predict(t))
for a, b in zip(found, wanted):
    assert isinstance(a, lz.Tensor)
    np.testing.assert_allclose(a.numpy(), b, atol=1e-12)
"""


def test_scikit_learn_computes_with_tensors() -> None:
    """SCIPY_ARRAY_API counts when SciPy is imported, so this needs a process of its own."""
    pytest.importorskip("sklearn")
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    subprocess.run([sys.executable, "-c", SKLEARN], env=environment, check=True, timeout=120)
