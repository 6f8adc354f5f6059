"""The price of a call option by Monte Carlo, its sensitivities by differentiating the simulation.

    python examples/black_scholes.py

Checked against the closed formulas of Black & Scholes, "The Pricing of Options and Corporate
Liabilities", 1973: price, delta (by the spot price) and vega (by the volatility).
"""

from __future__ import annotations

from statistics import NormalDist

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp

SPOT, STRIKE, RATE, VOLATILITY, YEARS = 100.0, 105.0, 0.03, 0.2, 1.0


def price(spot, volatility, key, paths):
    """The discounted mean payoff over `paths` random paths and their mirror images: a scalar."""
    z = lz.random.normal(key, (paths,))
    z = lnp.concatenate([z, -z])
    drift = (RATE - volatility**2 / 2) * YEARS
    final = spot * lnp.exp(drift + volatility * np.sqrt(YEARS) * z)
    return np.exp(-RATE * YEARS) * lnp.maximum(final - STRIKE, 0).mean()


@lz.compile(static_argnums=3)
def greeks(spot, volatility, key, paths):
    """Price, delta and vega in one program."""
    value, (delta, vega) = lz.value_and_grad(price, argnums=(0, 1))(spot, volatility, key, paths)
    return value, delta, vega


def formula(spot: float, volatility: float) -> tuple[float, float, float]:
    """The exact values."""
    normal = NormalDist()
    root = volatility * np.sqrt(YEARS)
    d1 = (np.log(spot / STRIKE) + (RATE + volatility**2 / 2) * YEARS) / root
    delta = normal.cdf(d1)
    value = spot * delta - STRIKE * np.exp(-RATE * YEARS) * normal.cdf(d1 - root)
    return value, delta, spot * normal.pdf(d1) * np.sqrt(YEARS)


def main(quick: bool = False) -> None:
    paths = 200_000 if quick else 4_000_000
    found = [float(x) for x in greeks(SPOT, VOLATILITY, lz.random.key(1), paths)]
    exact = formula(SPOT, VOLATILITY)
    for name, ours, true in zip(("price", "delta", "vega"), found, exact):
        print(f"{name:10} {ours:10.5f}   exact {true:10.5f}")
        assert abs(ours - true) < 0.01 * true, name
    if not quick:
        spots = np.linspace(60, 150, 46)
        simulated = [[float(x) for x in greeks(s, VOLATILITY, lz.random.key(2), 200_000)][1]
                     for s in spots]  # fmt: skip

        def draw(axes):
            axes.plot(spots, [formula(s, VOLATILITY)[1] for s in spots], label="formula")
            axes.plot(spots, simulated, ".", label="gradient of the simulation")
            axes.set(xlabel="spot price", ylabel="delta")
            axes.legend()

        figure.save("black_scholes", draw)


if __name__ == "__main__":
    main()
