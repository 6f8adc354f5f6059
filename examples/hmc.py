"""Sampling a distribution by Hamiltonian Monte Carlo: many chains at once, one compiled program.

    python examples/hmc.py

The sampler is written for one chain and `vmap`ped; the gradient of the density comes from `grad`.
(Neal, "MCMC using Hamiltonian dynamics", 2011.) Checked: the mean and covariance of a correlated
Gaussian.
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp

MEAN = np.array([1.0, -2.0])
COVARIANCE = np.array([[1.0, 0.8], [0.8, 2.0]])
PRECISION = np.linalg.inv(COVARIANCE)


def potential(q):
    """Minus the log density, up to a constant."""
    d = q - MEAN
    return 0.5 * (d @ PRECISION @ d)


def transition(q, key, step, leaps):
    """One proposal by leapfrog steps, taken or left; the new point and whether it was taken."""
    key_p, key_u = lz.random.split(key)
    p = lz.random.normal(key_p, q.shape, dtype="float64")
    slope = lz.grad(potential)

    def leap(_, state):
        q, p = state
        p = p - step / 2 * slope(q)
        q = q + step * p
        return q, p - step / 2 * slope(q)

    q1, p1 = lz.fori_loop(0, leaps, leap, (q, p))
    gain = potential(q) + 0.5 * (p @ p) - potential(q1) - 0.5 * (p1 @ p1)
    taken = lnp.log(lz.random.uniform(key_u, (), dtype="float64")) < gain
    return lnp.where(taken, q1, q), taken


@lz.compile(static_argnums=(2, 3, 4))
def sample(q, key, count, step, leaps):
    """`count` transitions of every chain: f64[chains, 2] → f64[count, chains, 2], acceptance."""
    move = lz.vmap(lambda q, key: transition(q, key, step, leaps))

    def advance(q, key):
        q, taken = move(q, lz.random.split(key, q.shape[0]))
        return q, (q, taken)

    _, (points, taken) = lz.scan(advance, q, lz.random.split(key, count))
    return points, lnp.mean(taken.astype("float64"))


def main(quick: bool = False) -> None:
    chains, count = (20, 100) if quick else (100, 1000)
    start = np.zeros((chains, 2))
    points, acceptance = sample(start, lz.random.key(0), count, 0.35, 8)
    points = points.numpy()[count // 10 :].reshape(-1, 2)
    print(f"acceptance   {float(acceptance):.3f}")
    print(f"mean         {points.mean(axis=0)}, true {MEAN}")
    print(f"covariance   {np.cov(points.T).ravel()}, true {COVARIANCE.ravel()}")
    tolerance = 0.3 if quick else 0.05
    np.testing.assert_allclose(points.mean(axis=0), MEAN, atol=tolerance)
    np.testing.assert_allclose(np.cov(points.T), COVARIANCE, atol=2 * tolerance)
    if not quick:
        figure.save("hmc", lambda axes: axes.plot(*points[:5000].T, ".", markersize=2), (5, 5))


if __name__ == "__main__":
    main()
