"""Flow past a cylinder by the lattice Boltzmann method; then the decay of a vortex, checked.

    python examples/lattice_boltzmann.py

Nine populations of particles stream over a square lattice and relax (D2Q9, Bhatnagar, Gross &
Krook). Checked: a Taylor–Green vortex decays at the rate that the viscosity (τ − ½)/3 says.
"""

from __future__ import annotations

from functools import partial

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp

VELOCITIES = np.array(
    [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)]
)
WEIGHTS = np.array([4 / 9] + [1 / 9] * 4 + [1 / 36] * 4)
OPPOSITE = [0, 3, 4, 1, 2, 7, 8, 5, 6]


def equilibrium(density, ux, uy):
    """The nine populations at rest in a moving frame: f[h, w] each → f[9, h, w]."""
    square = 1.5 * (ux * ux + uy * uy)
    populations = []
    for (cx, cy), weight in zip(VELOCITIES, WEIGHTS):
        along = 3.0 * (cx * ux + cy * uy)
        populations.append(weight * density * (1 + along + along * along / 2 - square))
    return lnp.stack(populations)


def moments(f):
    """Density and velocity."""
    density = f.sum(axis=0)
    ux = (f[1] + f[5] + f[8] - f[3] - f[6] - f[7]) / density
    uy = (f[2] + f[5] + f[6] - f[4] - f[7] - f[8]) / density
    return density, ux, uy


def step(f, wall, tau):
    """Relax, bounce off the walls, stream."""
    relaxed = f - (f - equilibrium(*moments(f))) / tau
    f = lnp.where(wall, f[lnp.array(OPPOSITE)], relaxed)
    moved = [lnp.roll(f[k], (cy, cx), axis=(0, 1)) for k, (cx, cy) in enumerate(VELOCITIES)]
    return lnp.stack(moved)


@lz.compile(static_argnums=(2, 3))
def run(f, wall, tau, count):
    return lz.fori_loop(0, count, lambda _, f: step(f, wall, tau), f)


def vortex(n: int, tau: float, count: int) -> tuple[float, float]:
    """The factor by which a vortex decays, and what theory says (Taylor & Green, 1937)."""
    y, x = np.mgrid[:n, :n] * (2 * np.pi / n)
    ux, uy = 0.02 * np.sin(x) * np.cos(y), -0.02 * np.cos(x) * np.sin(y)
    density = 1 + 3 * 0.02**2 / 4 * (np.cos(2 * x) + np.cos(2 * y))
    f = lz.compile(equilibrium)(density, ux, uy)
    f = run(f, np.zeros((n, n), bool), tau, count)
    after = moments(f)[1].numpy()
    viscosity = (tau - 0.5) / 3
    return abs(after).max() / 0.02, float(np.exp(-2 * viscosity * (2 * np.pi / n) ** 2 * count))


def main(quick: bool = False) -> None:
    found, exact = vortex(32 if quick else 64, 0.8, 100 if quick else 400)
    print(f"decay of a vortex   {found:.5f}, theory {exact:.5f}")
    assert abs(found - exact) < 0.01
    if quick:
        return
    height, width = 120, 360
    y, x = np.mgrid[:height, :width]
    wall = (x - 70) ** 2 + (y - height / 2 - 2) ** 2 < 14**2
    ux = np.where(wall, 0, 0.1 + 0.01 * np.sin(2 * np.pi * y / height))
    f = lz.compile(equilibrium)(np.ones((height, width)), ux, np.zeros((height, width)))
    f = run(f, wall, 0.53, 6000)
    _, ux, uy = (m.numpy() for m in moments(f))
    curl = np.where(wall, 0, np.gradient(uy, axis=1) - np.gradient(ux, axis=0))
    mass = float(f.sum()) / (height * width)
    print(f"mean density        {mass:.12f}")
    assert abs(mass - 1) < 1e-6
    draw = partial(_draw, curl=curl)
    figure.save("lattice_boltzmann", draw, (8, 3))


def _draw(axes, curl) -> None:
    axes.imshow(curl, cmap="RdBu", vmin=-0.03, vmax=0.03)
    axes.set_axis_off()


if __name__ == "__main__":
    main()
