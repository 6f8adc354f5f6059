"""A loop in a loop works on the outer loop's arrays: the same values, and no copies on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

N = 30


@lz.compile
def sweep(x: Any) -> Any:
    def row(i: Any, x: Any) -> Any:
        def column(j: Any, x: Any) -> Any:
            around = x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
            return x.at[i, j].set(0.25 * around)

        return lz.fori_loop(1, N + 1, column, x)

    return lz.fori_loop(1, N + 1, row, x)


def test_gauss_seidel_in_place() -> None:
    x = np.random.default_rng(0).random((N + 2, N + 2)).astype(np.float32)
    wanted = x.copy()
    for i in range(1, N + 1):
        for j in range(1, N + 1):
            around = wanted[i - 1, j] + wanted[i + 1, j] + wanted[i, j - 1] + wanted[i, j + 1]
            wanted[i, j] = np.float32(0.25) * around
    np.testing.assert_array_equal(sweep(x).numpy(), wanted)
    text = sweep.lower(x).ir("loops")
    assert text.count("memref.copy") == 1  # the argument is not ours to overwrite


def test_carries_that_start_alike_stay_apart() -> None:
    @lz.compile
    def pair(n: Any) -> Any:
        zero = lz.numpy.zeros(4)

        def body(i: Any, state: Any) -> Any:
            a, b = state
            return a + 1, b + a

        return lz.fori_loop(0, 5, body, (zero * n, zero * n))

    a, b = pair(np.float32(1))
    np.testing.assert_array_equal(a.numpy(), np.full(4, 5, np.float32))
    np.testing.assert_array_equal(b.numpy(), np.full(4, 10, np.float32))


@pytest.mark.parametrize("wrap", [lambda f: f, lz.compile])
def test_a_body_captures_one_of_several_results(wrap):
    @wrap
    def f(x):
        _, ys = lz.scan(lambda c, v: (c + v, c), x, lnp.arange(3.0))
        return lz.scan(lambda c, v: (c + ys.sum() * v, None), x, lnp.arange(3.0))[0]

    assert f(1.0).item() == 13.0
    assert lz.grad(f)(1.0).item() == 10.0


def test_programs_do_not_grow_with_the_number_of_steps():
    def text(n):
        def f(x):
            return lz.scan(lambda c, _: (lnp.sin(c) * 2, c), x, length=n)[0].sum()

        return lz.compile(lz.grad(f)).lower(np.ones(5)).ir("llvm")

    assert len(text(10_000)) < 1.2 * len(text(10))
