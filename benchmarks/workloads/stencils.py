"""Stencils in f64 on grids: heat and waves by slices and by rolls, a lattice-Boltzmann step.

Measured when asked for: `run.py --only stencil_`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Workload

STEPS = 10
WITHOUT = ("torch", "inductor", "onnxruntime")


def grid(rng: Any, n: int) -> Any:
    return (rng.standard_normal((n, n)),)


def work(n: int) -> tuple[float, float]:
    return 6.0 * STEPS * n * n, 16.0 * STEPS * n * n


# -- heat on a square ------------------------------------------------------------------------------
def heat_by_rolls(lib: Any) -> Any:
    """Periodic: five points."""
    roll = lib.np.roll

    def step(_: Any, u: Any) -> Any:
        around = roll(u, 1, 0) + roll(u, -1, 0) + roll(u, 1, 1) + roll(u, -1, 1)
        return u + 0.1 * (around - 4.0 * u)

    return lambda u: lib.fori_loop(0, STEPS, step, u)


def heat_by_slices(lib: Any) -> Any:
    """Edges stay as they are."""

    def step(_: Any, u: Any) -> Any:
        middle = u[1:-1, 1:-1]
        around = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
        inside = middle + 0.1 * (around - 4.0 * middle)
        return lib.put_at(u, (slice(1, -1), slice(1, -1)), inside)

    return lambda u: lib.fori_loop(0, STEPS, step, lib.np.array(u))


def numba_heat_by_rolls(lib: Any) -> Any:
    def run(u: Any) -> Any:
        n, m = u.shape
        for _ in range(STEPS):
            v = np.empty_like(u)
            for i in range(n):
                up, down = (i - 1) % n, (i + 1) % n
                for j in range(1, m - 1):
                    around = u[up, j] + u[down, j] + u[i, j - 1] + u[i, j + 1]
                    v[i, j] = u[i, j] + 0.1 * (around - 4.0 * u[i, j])
                for j in (0, m - 1):
                    around = u[up, j] + u[down, j] + u[i, (j - 1) % m] + u[i, (j + 1) % m]
                    v[i, j] = u[i, j] + 0.1 * (around - 4.0 * u[i, j])
            u = v
        return u

    return run


def numba_heat_by_slices(lib: Any) -> Any:
    def run(u: Any) -> Any:
        n, m = u.shape
        for _ in range(STEPS):
            v = u.copy()
            for i in range(1, n - 1):
                for j in range(1, m - 1):
                    around = u[i + 1, j] + u[i - 1, j] + u[i, j + 1] + u[i, j - 1]
                    v[i, j] = u[i, j] + 0.1 * (around - 4.0 * u[i, j])
            u = v
        return u

    return run


# -- waves in a box --------------------------------------------------------------------------------
def box(rng: Any, n: int) -> Any:
    return rng.standard_normal((n, n, n)), rng.standard_normal((n, n, n))


def waves(lib: Any) -> Any:
    """Leapfrog in three dimensions; edges are held at zero."""

    def step(_: Any, state: Any) -> Any:
        u, before = state
        middle = u[1:-1, 1:-1, 1:-1]
        around = (
            u[2:, 1:-1, 1:-1] + u[:-2, 1:-1, 1:-1] + u[1:-1, 2:, 1:-1]
            + u[1:-1, :-2, 1:-1] + u[1:-1, 1:-1, 2:] + u[1:-1, 1:-1, :-2]
        )  # fmt: skip
        inside = 2.0 * middle - before[1:-1, 1:-1, 1:-1] + 0.1 * (around - 6.0 * middle)
        return lib.np.pad(inside, 1), u

    return lambda u, before: lib.fori_loop(0, STEPS, step, (u, before))


def numba_waves(lib: Any) -> Any:
    def run(u: Any, before: Any) -> Any:
        n, m, k = u.shape
        for _ in range(STEPS):
            v = np.zeros_like(u)
            for x in range(1, n - 1):
                for y in range(1, m - 1):
                    for z in range(1, k - 1):
                        around = (
                            u[x + 1, y, z] + u[x - 1, y, z] + u[x, y + 1, z]
                            + u[x, y - 1, z] + u[x, y, z + 1] + u[x, y, z - 1]
                        )  # fmt: skip
                        change = 0.1 * (around - 6.0 * u[x, y, z])
                        v[x, y, z] = 2.0 * u[x, y, z] - before[x, y, z] + change
            u, before = v, u
        return u, before

    return run


# -- lattice Boltzmann -----------------------------------------------------------------------------
WAYS = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1))
SHARES = (4 / 9, 1 / 9, 1 / 9, 1 / 9, 1 / 9, 1 / 36, 1 / 36, 1 / 36, 1 / 36)
RATE = 1 / 0.6


def populations(rng: Any, n: int) -> Any:
    return (np.array(SHARES)[:, None, None] * (1 + 0.1 * rng.random((9, n, n))),)


def boltzmann(lib: Any) -> Any:
    """Nine populations relax and stream over a periodic square (D2Q9, Bhatnagar, Gross & Krook)."""

    def step(_: Any, f: Any) -> Any:
        density = f.sum(0)
        ux = (f[1] + f[5] + f[8] - f[3] - f[6] - f[7]) / density
        uy = (f[2] + f[5] + f[6] - f[4] - f[7] - f[8]) / density
        square = 1.5 * (ux * ux + uy * uy)
        out = []
        for k, ((cx, cy), share) in enumerate(zip(WAYS, SHARES)):
            along = 3.0 * (cx * ux + cy * uy)
            rest = share * density * (1 + along + along * along / 2 - square)
            out.append(lib.np.roll(f[k] - RATE * (f[k] - rest), (cy, cx), (0, 1)))
        return lib.np.stack(out)

    return lambda f: lib.fori_loop(0, STEPS, step, f)


def numba_boltzmann(lib: Any) -> Any:
    xs, ys = (np.array([w[k] for w in WAYS]) for k in range(2))
    shares = np.array(SHARES)

    def run(f: Any) -> Any:
        _, n, m = f.shape
        for _ in range(STEPS):
            g = np.empty_like(f)
            for i in range(n):
                for j in range(m):
                    density = 0.0
                    for k in range(9):
                        density += f[k, i, j]
                    ux = f[1, i, j] + f[5, i, j] + f[8, i, j] - f[3, i, j] - f[6, i, j] - f[7, i, j]
                    uy = f[2, i, j] + f[5, i, j] + f[6, i, j] - f[4, i, j] - f[7, i, j] - f[8, i, j]
                    ux, uy = ux / density, uy / density
                    square = 1.5 * (ux * ux + uy * uy)
                    for k in range(9):
                        along = 3.0 * (xs[k] * ux + ys[k] * uy)
                        rest = shares[k] * density * (1 + along + along * along / 2 - square)
                        value = f[k, i, j] - RATE * (f[k, i, j] - rest)
                        g[k, (i + ys[k]) % n, (j + xs[k]) % m] = value
            f = g
        return f

    return run


WORKLOADS = [
    Workload(
        "stencil_heat_rolls", {"n": 1024}, {"n": 20}, grid, heat_by_rolls, work, 1e-12,
        {"numba": numba_heat_by_rolls}, WITHOUT,
    ),
    Workload(
        "stencil_heat_slices", {"n": 1024}, {"n": 20}, grid, heat_by_slices, work, 1e-12,
        {"numba": numba_heat_by_slices}, WITHOUT,
    ),
    Workload(
        "stencil_waves", {"n": 128}, {"n": 9}, box, waves,
        lambda n: (11.0 * STEPS * n**3, 24.0 * STEPS * n**3), 1e-12,
        {"numba": numba_waves}, WITHOUT,
    ),
    Workload(
        "stencil_boltzmann", {"n": 512}, {"n": 20}, populations, boltzmann,
        lambda n: (130.0 * STEPS * n * n, 144.0 * STEPS * n * n), 1e-12,
        {"numba": numba_boltzmann}, WITHOUT,
    ),
]  # fmt: skip
