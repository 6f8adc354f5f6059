"""Gravity between many bodies, followed by the leapfrog scheme inside one compiled loop.

    python examples/nbody.py

The sum over pairs is fused: the matrix of distances is never stored. Checked: the energy, which the
scheme keeps but for a wobble, and the momentum, which it keeps up to rounding.
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz

SOFTENING = 0.1


def acceleration(x, mass):
    """The pull of all bodies on each: f[n, 3] → f[n, 3]."""
    d = x[None, :, :] - x[:, None, :]
    inverse = ((d**2).sum(axis=2) + SOFTENING**2) ** -1.5
    return (d * (inverse * mass)[:, :, None]).sum(axis=1)


def energy(x, v, mass):
    """Kinetic and potential energy together: a scalar."""
    d = x[None, :, :] - x[:, None, :]
    inverse = ((d**2).sum(axis=2) + SOFTENING**2) ** -0.5
    own = (mass**2).sum() / SOFTENING  # a body does not pull at itself
    return ((v**2).sum(axis=1) * mass).sum() / 2 - (
        (inverse * mass * mass[:, None]).sum() - own
    ) / 2


@lz.compile(static_argnums=(3, 4))
def simulate(x, v, mass, step, count):
    """`count` steps of leapfrog; positions and velocities, and the energies on the way."""

    def leap(state, _):
        x, v, a = state
        v = v + a * (step / 2)
        x = x + v * step
        a = acceleration(x, mass)
        v = v + a * (step / 2)
        return (x, v, a), energy(x, v, mass)

    (x, v, _), energies = lz.scan(leap, (x, v, acceleration(x, mass)), None, length=count)
    return x, v, energies


def main(quick: bool = False) -> None:
    n, count = (40, 50) if quick else (400, 500)
    rng = np.random.default_rng(0)
    mass = np.full(n, 1 / n)
    x, v = rng.standard_normal((n, 3)), 0.3 * rng.standard_normal((n, 3))
    v -= (mass[:, None] * v).sum(axis=0)
    x1, v1, energies = simulate(x, v, mass, 0.01, count)
    energies = energies.numpy()
    drift = np.ptp(energies) / abs(energies[0])
    momentum = abs((mass[:, None] * v1.numpy()).sum(axis=0)).max()
    print(f"energy     {energies[0]:.6f} → {energies[-1]:.6f}, within {drift:.1e}")
    print(f"momentum   {momentum:.1e}")
    assert drift < 1e-2 and momentum < 1e-12

    def draw(axes):
        axes.plot(*x.T[:2], ".", label="at the start")
        axes.plot(*x1.numpy().T[:2], ".", label=f"after {count} steps")
        axes.set_aspect("equal")
        axes.legend()

    if not quick:
        figure.save("nbody", draw, (6, 6))


if __name__ == "__main__":
    main()
