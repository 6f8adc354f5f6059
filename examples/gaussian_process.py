"""Regression by a Gaussian process whose length scale and noise are learnt.

    python examples/gaussian_process.py

The marginal likelihood (Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006,
algorithm 2.1) goes through a Cholesky factorisation, and so does its gradient. Checked against
SciPy's multivariate normal density and finite differences.
"""

from __future__ import annotations

import figure
import numpy as np
from scipy.stats import multivariate_normal

import lazir as lz
import lazir.numpy as lnp


def covariance(log_scale, x, y):
    """The squared-exponential kernel of two sets of points: f[n], f[m] → f[n, m]."""
    return lnp.exp(-0.5 * ((x[:, None] - y[None, :]) / lnp.exp(log_scale)) ** 2)


def factor(params, x):
    cov = covariance(params[0], x, x) + lnp.exp(params[1]) * lnp.eye(x.shape[0], dtype=x.dtype)
    return lnp.linalg.cholesky(cov)


@lz.compile
def fit(params, x, y):
    """Negative log marginal likelihood, and its gradient."""

    def loss(params):
        low = factor(params, x)
        z = lz.linalg.solve_triangular(low, y, lower=True)
        half_log_det = lnp.log(lnp.diagonal(low)).sum()
        return 0.5 * (z @ z) + half_log_det + 0.5 * y.shape[0] * np.log(2 * np.pi)

    return lz.value_and_grad(loss)(params)


@lz.compile
def predict(params, x, y, new):
    """Mean and standard deviation of the function at new points."""
    low = factor(params, x)
    across = lz.linalg.solve_triangular(low, covariance(params[0], x, new), lower=True)
    mean = across.T @ lz.linalg.solve_triangular(low, y, lower=True)
    return mean, lnp.sqrt(1 - (across**2).sum(axis=0))


def main(quick: bool = False) -> None:
    rng = np.random.default_rng(0)
    n = 30 if quick else 200
    x = np.sort(rng.uniform(-4, 4, n))
    y = np.sin(1.5 * x) * np.exp(-0.1 * x**2) + 0.1 * rng.standard_normal(n)
    params = np.array([0.3, -1.0])

    value, slope = fit(params, x, y)
    cov = np.exp(-0.5 * ((x[:, None] - x) / np.exp(0.3)) ** 2) + np.exp(-1) * np.eye(n)
    exact = -multivariate_normal(np.zeros(n), cov).logpdf(y)
    print(f"log-likelihood     {-float(value):.8f}, SciPy {-exact:.8f}")
    np.testing.assert_allclose(float(value), exact, rtol=1e-9)
    for k in range(2):
        d = 1e-5 * np.eye(2)[k]
        difference = (float(fit(params + d, x, y)[0]) - float(fit(params - d, x, y)[0])) / 2e-5
        np.testing.assert_allclose(float(slope[k]), difference, rtol=1e-5)
    if quick:
        return

    for _ in range(150):
        _, slope = fit(params, x, y)
        slope = slope.numpy()
        params = params - 0.05 * slope / max(1, np.linalg.norm(slope))
    print(
        f"length scale       {np.exp(params[0]):.3f}, noise {np.exp(params[1] / 2):.3f} (true 0.1)"
    )
    assert abs(np.exp(params[1] / 2) - 0.1) < 0.03
    new = np.linspace(-5, 5, 201)
    mean, deviation = (t.numpy() for t in predict(params, x, y, new))
    true = np.sin(1.5 * new) * np.exp(-0.1 * new**2)
    inside = abs(new) < 4
    assert abs(mean - true)[inside].max() < 0.12

    def draw(axes):
        axes.plot(x, y, ".", markersize=3)
        axes.plot(new, mean, color="tab:red")
        axes.fill_between(new, mean - 2 * deviation, mean + 2 * deviation, alpha=0.2)

    figure.save("gaussian_process", draw)


if __name__ == "__main__":
    main()
