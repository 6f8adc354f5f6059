"""Heat in a plate, by implicit steps: every step solves a linear system by conjugate gradients.

    python examples/heat.py

The solver is a `while_loop` inside a loop over time steps, all of it one program. Checked against
the exact decay of a product of sines, and an insulated sum against its decay.
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp


def laplacian(u):
    """Five-point Laplacian; around the plate, all is held at 0: f[n, n] → f[n, n]."""
    p = lnp.pad(u, 1)
    return p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u


def solve(apply, b, tolerance=1e-10):
    """Conjugate gradients (Hestenes & Stiefel, 1952) for a symmetric positive `apply`."""

    def unfinished(state):
        rr = state[3]
        return rr > tolerance**2 * (b * b).sum()

    def improve(state):
        x, r, d, rr = state
        ad = apply(d)
        alpha = rr / (d * ad).sum()
        x, r = x + alpha * d, r - alpha * ad
        new = (r * r).sum()
        return x, r, r + new / rr * d, new

    return lz.while_loop(unfinished, improve, (lnp.zeros_like(b), b, b, (b * b).sum()))[0]


@lz.compile(static_argnums=(1, 2))
def diffuse(u, ratio, count):
    """`count` implicit steps (backward Euler); `ratio` is diffusivity · time step ÷ mesh²."""
    return lz.fori_loop(0, count, lambda _, u: solve(lambda v: v - ratio * laplacian(v), u), u)


def main(quick: bool = False) -> None:
    n, ratio, count = (31, 5.0, 5) if quick else (255, 50.0, 40)
    places = np.arange(1, n + 1) * np.pi / (n + 1)
    u = np.outer(np.sin(places), np.sin(2 * places))
    after = diffuse(u, ratio, count).numpy()
    mesh = np.pi / (n + 1)
    eigenvalue = (2 * np.cos(mesh) - 2) + (2 * np.cos(2 * mesh) - 2)  # of the five-point Laplacian
    exact = u * (1 - ratio * eigenvalue) ** -count
    error = abs(after - exact).max() / abs(exact).max()
    print(f"decay      {abs(after).max():.6e}, exact {abs(exact).max():.6e}, error {error:.1e}")
    assert error < 1e-7
    if not quick:
        spots = np.zeros((n, n))
        spots[60:100, 60:100], spots[150:200, 120:220] = 1, -1
        cooled = diffuse(spots, ratio, 5).numpy()
        figure.save("heat", lambda axes: axes.imshow(cooled, cmap="coolwarm"), (5, 5))


if __name__ == "__main__":
    main()
