"""A Kalman filter as a scan, and its noise levels learnt by the gradient of the likelihood.

    python examples/kalman.py

A particle moves with random acceleration; its position is seen with noise. The filter's
likelihood is differentiated through all steps. Checked against the joint Gaussian density of all
that was seen.
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp

MOVE = np.array([[1.0, 1.0], [0.0, 1.0]])
SEE = np.array([[1.0, 0.0]])
SHAKE = np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]])  # covariance of integrated white noise


def likelihood(levels, seen):
    """Log-likelihood of f64[t, 1] and the filtered means f64[t, 2]; `levels` are log variances.

    The filter is Kalman's, "A New Approach to Linear Filtering and Prediction Problems", 1960.
    """
    shake, noise = lnp.exp(levels[0]) * SHAKE, lnp.exp(levels[1]) * np.eye(1)

    def step(state, y):
        mean, cov = state
        mean, cov = MOVE @ mean, MOVE @ cov @ MOVE.T + shake
        spread = SEE @ cov @ SEE.T + noise
        gain = lnp.linalg.solve(spread, SEE @ cov).T
        error = y - SEE @ mean
        log_density = -0.5 * (
            error @ lnp.linalg.solve(spread, error)
            + lnp.linalg.slogdet(spread)[1]
            + np.log(2 * np.pi)
        )
        mean, cov = mean + gain @ error, cov - gain @ spread @ gain.T
        return (mean, cov), (log_density, mean)

    start = (lnp.zeros(2, dtype="float64"), lnp.eye(2, dtype="float64"))
    _, (densities, means) = lz.scan(step, start, seen)
    return densities.sum(), means


def joint_density(levels, seen) -> float:
    """The same by the covariance matrix of everything that was seen: t³ operations."""
    count = len(seen)
    powers = [np.linalg.matrix_power(MOVE, k) for k in range(count + 1)]
    covs = [np.eye(2)]
    for _ in range(count):
        covs.append(MOVE @ covs[-1] @ MOVE.T + np.exp(levels[0]) * SHAKE)
    whole = np.empty((count, count))
    for a in range(count):
        for b in range(a, count):
            whole[a, b] = whole[b, a] = (SEE @ powers[b - a] @ covs[a + 1] @ SEE.T).item()
    whole += np.exp(levels[1]) * np.eye(count)
    y = seen[:, 0]
    _, log_det = np.linalg.slogdet(whole)
    return float(-0.5 * (y @ np.linalg.solve(whole, y) + log_det + count * np.log(2 * np.pi)))


def simulate(count: int, levels) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    root = np.linalg.cholesky(np.exp(levels[0]) * SHAKE)
    states = [rng.standard_normal(2)]
    for _ in range(count):
        states.append(MOVE @ states[-1] + root @ rng.standard_normal(2))
    true = np.array(states[1:])
    return true, true[:, :1] + np.exp(levels[1] / 2) * rng.standard_normal((count, 1))


def main(quick: bool = False) -> None:
    true_levels = np.log([0.01, 4.0])
    true, seen = simulate(60 if quick else 400, true_levels)
    step = lz.compile(lz.value_and_grad(lambda levels: likelihood(levels, seen)[0]))
    levels = np.zeros(2)
    ours, exact = float(step(levels)[0]), joint_density(levels, seen)
    print(f"log-likelihood   {ours:.8f}, by the joint density {exact:.8f}")
    np.testing.assert_allclose(ours, exact, rtol=1e-9)
    if quick:
        return
    for _ in range(200):  # gradient ascent with a bounded step
        slope = step(levels)[1].numpy()
        levels = levels + 0.1 * slope / max(1, np.linalg.norm(slope))
    print(f"noise levels     {np.exp(levels)}, true {np.exp(true_levels)}")
    assert abs(levels - true_levels).max() < 0.7
    means = likelihood(levels, seen)[1].numpy()
    errors = [np.sqrt(np.mean((x - true[:, 0]) ** 2)) for x in (seen[:, 0], means[:, 0])]
    print(f"error            {errors[0]:.3f} as seen, {errors[1]:.3f} filtered")
    assert errors[1] < 0.6 * errors[0]

    def draw(axes):
        axes.plot(seen[:100, 0], ".", label="seen")
        axes.plot(true[:100, 0], label="true")
        axes.plot(means[:100, 0], label="filtered")
        axes.legend()

    figure.save("kalman", draw)


if __name__ == "__main__":
    main()
