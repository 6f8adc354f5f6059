"""How the mean height of the Lorenz system depends on its parameters: gradients through a scan.

    python examples/lorenz.py

4,000 Runge–Kutta steps are differentiated backwards (adjoint) and forwards (tangent); the two agree
to rounding, and with finite differences. The trajectory starts on the way to a fixed point
(ρ = 10), where the sensitivity of the mean is well defined: by theory the height tends to ρ − 1.
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp

STEP = 0.01


def slope(s, p):
    """The equations of Lorenz, "Deterministic Nonperiodic Flow", 1963: f64[3] → f64[3]."""
    x, y, z = s
    sigma, rho, beta = p
    return lnp.stack([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def trajectory(p, start, count):
    """All states of `count` steps of the classical Runge–Kutta scheme: f64[count, 3]."""

    def step(s, _):
        k1 = slope(s, p)
        k2 = slope(s + STEP / 2 * k1, p)
        k3 = slope(s + STEP / 2 * k2, p)
        k4 = slope(s + STEP * k3, p)
        s = s + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return s, s

    return lz.scan(step, start, None, length=count)[1]


def main(quick: bool = False) -> None:
    count = 400 if quick else 4000
    p, start = np.array([10.0, 10.0, 8 / 3]), np.array([1.0, 1.0, 15.0])

    def height(p):
        return trajectory(p, start, count)[:, 2].mean()

    run = lz.compile(height)
    backward = lz.compile(lz.grad(height))(p).numpy()
    forward = lz.compile(lz.jacfwd(height))(p).numpy()
    steps = 1e-5 * np.eye(3)
    differences = np.array([(float(run(p + d)) - float(run(p - d))) / 2e-5 for d in steps])
    print(f"mean height        {float(run(p)):.6f}")
    print(f"by the adjoint     {backward}")
    print(f"by tangents        {forward}")
    print(f"by differences     {differences}")
    np.testing.assert_allclose(backward, forward, rtol=1e-8)
    np.testing.assert_allclose(backward, differences, rtol=1e-4)
    if quick:
        return
    assert abs(backward[1] - 1) < 0.05  # the fixed point's height is ρ − 1
    path = lz.compile(lambda p: trajectory(p, start, count))(np.array([10.0, 28.0, 8 / 3])).numpy()
    figure.save("lorenz", lambda axes: axes.plot(path[:, 0], path[:, 2], linewidth=0.4))


if __name__ == "__main__":
    main()
