"""Loops whose rounds are independent run on several threads; all others in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.threads import get_num_threads, pool_counts, set_num_threads

RNG = np.random.default_rng(0)
X = RNG.standard_normal((21, 6, 10)).astype("f4")
W = RNG.standard_normal((10, 6)).astype("f4")
TARGET = replace(host_target(), parallel_work=32.0)


@pytest.fixture
def threads() -> Iterator[None]:
    before = get_num_threads()
    yield
    set_num_threads(before)


def compiled(f: Callable[..., Any], *args: Any) -> Compilation:
    return Compilation(lz.compile(f).trace(*args).graph, TARGET)


def is_parallel(c: Compilation) -> bool:
    """Whether the program itself, not one of its kernels, has rounds on several threads."""
    main = c.loops.function(c.entry)
    return any(op.name == "scf.parallel" for op in main.walk())


def mapped(x: Any, w: Any) -> Any:
    def one(row: Any) -> Any:
        p = lnp.exp(row @ w)
        return (p / p.sum(-1, keepdims=True)) @ row

    return lz.map(one, x)


def filled(x: Any, w: Any) -> Any:
    start = lnp.zeros((21, 6, 6), "f4")
    return lz.fori_loop(0, 21, lambda i, y: y.at[i].set(x[i] @ w), start)


def nested(x: Any, w: Any) -> Any:
    return lz.map(lambda row: lz.map(lambda r: lnp.tanh(lnp.outer(r, r) @ w).sum(0), row), x)


INDEPENDENT = {
    "map": (mapped, lambda p: (p / p.sum(-1, keepdims=True)) @ X),
    "fori_loop": (filled, lambda p: X @ W),
    "nested": (nested, lambda p: np.tanh(np.einsum("abi,abj,jk->abik", X, X, W)).sum(2)),
}


@pytest.mark.parametrize("name", INDEPENDENT)
def test_independent_rounds_have_the_same_bits_on_any_threads(name: str, threads: None) -> None:
    f, expected = INDEPENDENT[name]
    c = compiled(f, X, W)
    assert is_parallel(c)
    program = LoadedProgram(c.program)
    found = []
    for count in (1, 2, 3):
        set_num_threads(count)
        for _ in range(5):
            found.append(program.call([X, W])[0])
    assert all(np.array_equal(found[0], other) for other in found)
    np.testing.assert_allclose(found[0], expected(np.exp(X @ W)), rtol=2e-5, atol=2e-5)


def test_rounds_run_on_workers(threads: None) -> None:
    program = LoadedProgram(compiled(mapped, X, W).program)
    set_num_threads(2)
    before = pool_counts().worker_chunks
    for _ in range(2000):  # a busy machine may have let one thread do it all
        program.call([X, W])
        if pool_counts().worker_chunks > before:
            return
    raise AssertionError("no chunk ran on a worker thread")


def reads_behind(i: Any, y: Any, x: Any, w: Any) -> Any:
    return y.at[i].set(x[i] @ w + y[lnp.maximum(i - 1, 0)])


def adds(i: Any, y: Any, x: Any, w: Any) -> Any:
    return y.at[i].add(x[i] @ w)


def same_place(i: Any, y: Any, x: Any, w: Any) -> Any:
    return y.at[i // 2].set(x[i] @ w)


def clamped(i: Any, y: Any, x: Any, w: Any) -> Any:
    return lz.lax.dynamic_update_slice(y, (x[i] @ w)[None, :3], (lnp.minimum(i, 7), 0, 0))


@pytest.mark.parametrize("step", [reads_behind, adds, same_place, clamped])
def test_other_rounds_run_in_order(step: Callable[..., Any]) -> None:
    def f(x: Any, w: Any) -> Any:
        start = lnp.zeros((21, 6, 6), "f4")
        return lz.fori_loop(0, 21, lambda i, y: step(i, y, x, w), start)

    c = compiled(f, X, W)
    assert not is_parallel(c)
    wanted = lz.compile(f)(X, W).numpy()
    np.testing.assert_array_equal(LoadedProgram(c.program).call([X, W])[0], wanted)


def test_a_counter_that_wraps_keeps_the_order() -> None:
    x = np.arange(300 * 4, dtype="f4").reshape(300, 4)

    def f(x: Any) -> Any:
        def step(carry: Any) -> Any:
            i, small, y = carry
            return i + 1, small + np.int8(1), y.at[small].set(lnp.sin(x[i]))

        start = lnp.array(0), lnp.array(0, "int8"), lnp.zeros((128, 4), "f4")
        return lz.while_loop(lambda c: c[0] < 300, step, start)[2]

    c = compiled(f, x)
    assert not is_parallel(c)
    wanted = np.zeros((128, 4), "f4")
    for i in range(300):
        wanted[(i + 128) % 256 - 128] = np.sin(x[i])
    got = LoadedProgram(c.program).call([x])[0]
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_a_carry_keeps_the_order() -> None:
    def f(x: Any, w: Any) -> Any:
        return lz.scan(lambda c, row: (c + (row @ w), c.sum()), lnp.zeros((6, 6), "f4"), x)

    assert not is_parallel(compiled(f, X, W))


def test_a_call_of_the_host_keeps_the_order() -> None:
    def f(x: Any, w: Any) -> Any:
        shape = lz.spec((6, 6), "f4")
        return lz.map(lambda row: lz.pure_callback(lambda a: a, shape, row @ w), x)

    assert not is_parallel(compiled(f, X, W))


def test_few_long_rounds_are_left_to_their_kernels() -> None:
    x = np.zeros((3, 256, 256), "f4")
    c = Compilation(lz.compile(lambda x: lz.map(lambda a: a @ a, x)).trace(x).graph, host_target())
    assert not is_parallel(c)
    many = np.zeros((24, 256, 256), "f4")
    c = Compilation(
        lz.compile(lambda x: lz.map(lambda a: a @ a, x)).trace(many).graph, host_target()
    )
    assert is_parallel(c)
