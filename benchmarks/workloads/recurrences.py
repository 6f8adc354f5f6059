"""Loops in which a round needs the one before: elimination, band systems, filters, orbits."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Workload

# -- elimination, element by element ----------------------------------------------------------


def dominant(rng: Any, n: int) -> Any:
    return (rng.standard_normal((n, n)) + n * np.eye(n),)


def positive(rng: Any, n: int) -> Any:
    a = rng.standard_normal((n, n))
    return (a @ a.T + n * np.eye(n),)


def make_lu(lib: Any) -> Any:
    def factors(a: Any) -> Any:
        n = a.shape[0]

        def row(k: Any, i: Any, a: Any) -> Any:
            factor = a[i, k] / a[k, k]
            a = lib.put_at(a, (i, k), factor)

            def column(j: Any, a: Any) -> Any:
                return lib.put_at(a, (i, j), a[i, j] - factor * a[k, j])

            return lib.fori_loop(k + 1, n, column, a)

        def step(k: Any, a: Any) -> Any:
            return lib.fori_loop(k + 1, n, lambda i, a: row(k, i, a), a)

        return lib.fori_loop(0, n - 1, step, a)

    return factors


def numba_lu(lib: Any) -> Any:
    def factors(start: Any) -> Any:
        a = start.copy()
        n = a.shape[0]
        for k in range(n - 1):
            for i in range(k + 1, n):
                factor = a[i, k] / a[k, k]
                a[i, k] = factor
                for j in range(k + 1, n):
                    a[i, j] -= factor * a[k, j]
        return a

    return factors


def make_cholesky(lib: Any) -> Any:
    def factor(a: Any) -> Any:
        n = a.shape[0]

        def entry(j: Any, i: Any, a: Any) -> Any:
            rest = lib.fori_loop(0, j, lambda k, s: s - a[i, k] * a[j, k], a[i, j])
            return lib.put_at(a, (i, j), rest / a[j, j])

        def column(j: Any, a: Any) -> Any:
            rest = lib.fori_loop(0, j, lambda k, s: s - a[j, k] * a[j, k], a[j, j])
            a = lib.put_at(a, (j, j), lib.np.sqrt(rest))
            return lib.fori_loop(j + 1, n, lambda i, a: entry(j, i, a), a)

        return lib.np.tril(lib.fori_loop(0, n, column, a))

    return factor


def numba_cholesky(lib: Any) -> Any:
    def factor(start: Any) -> Any:
        a = start.copy()
        n = a.shape[0]
        for j in range(n):
            rest = a[j, j]
            for k in range(j):
                rest -= a[j, k] * a[j, k]
            a[j, j] = np.sqrt(rest)
            for i in range(j + 1, n):
                rest = a[i, j]
                for k in range(j):
                    rest -= a[i, k] * a[j, k]
                a[i, j] = rest / a[j, j]
        return np.tril(a)

    return factor


def on_a_copy(make: Any) -> Any:
    """The text for NumPy, whose updates are in place: the input stays as it is."""

    def made(lib: Any) -> Any:
        run = make(lib)
        return lambda first, *rest: run(first.copy(), *rest)

    return made


# -- one dimension ------------------------------------------------------------------------------
def bands(rng: Any, n: int) -> Any:
    low, high, right = rng.standard_normal((3, n))
    return low, 4 + np.abs(rng.standard_normal(n)), high, right


def make_thomas(lib: Any) -> Any:
    def solve(low: Any, diagonal: Any, high: Any, right: Any) -> Any:
        n = low.shape[0]

        def forward(i: Any, state: Any) -> Any:
            c, d = state
            scale = 1.0 / (diagonal[i] - low[i] * c[i - 1])
            c = lib.put_at(c, i, high[i] * scale)
            return c, lib.put_at(d, i, (right[i] - low[i] * d[i - 1]) * scale)

        def backward(k: Any, x: Any) -> Any:
            i = n - 2 - k
            return lib.put_at(x, i, x[i] - c[i] * x[i + 1])

        c = lib.put_at(lib.np.zeros_like(high), 0, high[0] / diagonal[0])
        d = lib.put_at(lib.np.zeros_like(right), 0, right[0] / diagonal[0])
        c, d = lib.fori_loop(1, n, forward, (c, d))
        return lib.fori_loop(0, n - 1, backward, d)

    return solve


def numba_thomas(lib: Any) -> Any:
    def solve(low: Any, diagonal: Any, high: Any, right: Any) -> Any:
        n = low.shape[0]
        c, x = np.zeros_like(high), np.zeros_like(right)
        c[0], x[0] = high[0] / diagonal[0], right[0] / diagonal[0]
        for i in range(1, n):
            scale = 1.0 / (diagonal[i] - low[i] * c[i - 1])
            c[i] = high[i] * scale
            x[i] = (right[i] - low[i] * x[i - 1]) * scale
        for i in range(n - 2, -1, -1):
            x[i] -= c[i] * x[i + 1]
        return x

    return solve


def signal(rng: Any, n: int) -> Any:
    return (rng.standard_normal(n),)


def make_filter(lib: Any) -> Any:
    def run(x: Any) -> Any:
        def step(i: Any, state: Any) -> Any:
            y, one, two = state
            new = 0.2 * x[i] + 1.1 * one - 0.4 * two
            return lib.put_at(y, i, new), new, one

        zero = x[0] * 0.0
        return lib.fori_loop(0, x.shape[0], step, (lib.np.zeros_like(x), zero, zero))[0]

    return run


def numba_filter(lib: Any) -> Any:
    def run(x: Any) -> Any:
        y = np.zeros_like(x)
        one = two = 0.0
        for i in range(x.shape[0]):
            new = 0.2 * x[i] + 1.1 * one - 0.4 * two
            y[i], one, two = new, new, one
        return y

    return run


# -- an orbit: the Lorenz system by the classical Runge–Kutta method -----------------------------
STEP = 0.0005


def orbit_start(rng: Any, steps: int) -> Any:
    return np.array([1.0, 1.0, 1.0]), np.zeros(steps)


def _flow(x: Any, y: Any, z: Any) -> Any:
    return 10.0 * (y - x), x * (28.0 - z) - y, x * y - (8.0 / 3.0) * z


def make_orbit(lib: Any) -> Any:
    def runge_kutta(k: Any, state: Any) -> Any:
        first = _flow(*state)
        second = _flow(*(s + 0.5 * STEP * d for s, d in zip(state, first)))
        third = _flow(*(s + 0.5 * STEP * d for s, d in zip(state, second)))
        fourth = _flow(*(s + STEP * d for s, d in zip(state, third)))
        slopes = zip(first, second, third, fourth)
        return tuple(
            s + STEP / 6.0 * (a + 2.0 * b + 2.0 * c + d)
            for s, (a, b, c, d) in zip(state, slopes)
        )  # fmt: skip

    def run(start: Any, times: Any) -> Any:
        state = (start[0], start[1], start[2])
        return lib.fori_loop(0, times.shape[0], runge_kutta, state)

    return run


def numba_orbit(lib: Any) -> Any:
    flow = lib.numba.njit(_flow)

    def run(start: Any, times: Any) -> Any:
        x, y, z = start
        for _ in range(times.shape[0]):
            a0, a1, a2 = flow(x, y, z)
            b0, b1, b2 = flow(x + 0.5 * STEP * a0, y + 0.5 * STEP * a1, z + 0.5 * STEP * a2)
            c0, c1, c2 = flow(x + 0.5 * STEP * b0, y + 0.5 * STEP * b1, z + 0.5 * STEP * b2)
            d0, d1, d2 = flow(x + STEP * c0, y + STEP * c1, z + STEP * c2)
            x += STEP / 6.0 * (a0 + 2.0 * b0 + 2.0 * c0 + d0)
            y += STEP / 6.0 * (a1 + 2.0 * b1 + 2.0 * c1 + d1)
            z += STEP / 6.0 * (a2 + 2.0 * b2 + 2.0 * c2 + d2)
        return x, y, z

    return run


def _recurrence(
    name: str, full: int, quick: int, inputs: Any, make: Any, other: Any, work: Any
) -> Workload:
    size = "steps" if make is make_orbit else "n"
    numpy = on_a_copy(make) if make in (make_lu, make_cholesky) else make
    return Workload(
        name, {size: full}, {size: quick}, inputs, make, work,
        without=("torch", "inductor", "onnxruntime"),
        instead={"numba": other, "numpy": numpy},
    )  # fmt: skip


WORKLOADS = [
    _recurrence(
        "lu_loops", 160, 12, dominant, make_lu, numba_lu, lambda n: (2 * n**3 / 3, 16 * n * n)
    ),
    _recurrence(
        "cholesky_loops",
        160,
        12,
        positive,
        make_cholesky,
        numba_cholesky,
        lambda n: (n**3 / 3, 16 * n * n),
    ),
    _recurrence("thomas", 100_000, 40, bands, make_thomas, numba_thomas, lambda n: (9 * n, 40 * n)),
    _recurrence(
        "filter", 200_000, 40, signal, make_filter, numba_filter, lambda n: (5 * n, 16 * n)
    ),
    _recurrence(
        "lorenz", 20_000, 40, orbit_start, make_orbit, numba_orbit, lambda steps: (89 * steps, 64)
    ),
]
