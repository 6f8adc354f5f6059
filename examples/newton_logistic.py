"""Logistic regression by Newton's method: gradient and Hessian of a loss that is written once.

    python examples/newton_logistic.py

Checked: the gradient vanishes at the end, convergence is quadratic, and the coefficients agree with
those that the data were drawn with, within three standard errors (from the Hessian).
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp


def loss(w, x, y):
    """Negative log-likelihood of labels y in {0, 1}: a scalar."""
    z = x @ w
    return (lnp.logaddexp(0.0, z) - y * z).sum()


@lz.compile
def newton(w, x, y):
    """One step; the new coefficients, the largest slope before, the standard errors."""
    slope = lz.grad(loss)(w, x, y)
    curvature = lz.hessian(loss)(w, x, y)
    inverse = lnp.linalg.inv(curvature)
    return w - inverse @ slope, lnp.abs(slope).max(), lnp.sqrt(lnp.diagonal(inverse))


def main(quick: bool = False) -> None:
    n, features = (500, 4) if quick else (20_000, 12)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, features))
    true = rng.standard_normal(features)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-x @ true))).astype(float)
    w, slopes = lnp.zeros(features, dtype="float64"), []
    for _ in range(9):
        w, slope, errors = newton(w, x, y)
        slopes.append(float(slope))
    off = abs(w.numpy() - true) / errors.numpy()
    print("largest slopes  " + " ".join(f"{s:.1e}" for s in slopes))
    print(f"coefficients    within {off.max():.1f} standard errors")
    assert slopes[-1] < 1e-9 * n and off.max() < 4

    def draw(axes):
        axes.semilogy(np.maximum(slopes, 1e-16), "o-")
        axes.set(xlabel="Newton step", ylabel="largest slope")

    if not quick:
        figure.save("newton_logistic", draw)


if __name__ == "__main__":
    main()
