"""Prices of European options, call and put (Black and Scholes, 1973)."""

from __future__ import annotations

import math
from typing import Any

from . import MATH, Workload

RISK_FREE, VOLATILITY = 0.02, 0.3


def inputs(rng: Any, n: int) -> Any:
    low_high = ((10, 50), (10, 50), (0.25, 2))  # price, strike, years
    return [rng.uniform(low, high, n).astype("f4") for low, high in low_high]


def make(lib: Any) -> Any:
    xp = lib.np

    def normal_cdf(x: Any) -> Any:
        return 0.5 + 0.5 * lib.erf(x * math.sqrt(0.5))

    def prices(spot: Any, strike: Any, years: Any) -> Any:
        spread = VOLATILITY * xp.sqrt(years)
        d1 = (xp.log(spot / strike) + (RISK_FREE + VOLATILITY**2 / 2) * years) / spread
        d2 = d1 - spread
        discounted = strike * xp.exp(-RISK_FREE * years)
        call = spot * normal_cdf(d1) - discounted * normal_cdf(d2)
        return call, call - spot + discounted

    return prices


def work(n: int) -> tuple[float, float]:
    return (20 + 5 * MATH) * n, 20 * n


WORKLOADS = [
    Workload("black_scholes", {"n": 4_000_000}, {"n": 1000}, inputs, make, work, tolerance=1e-4)
]
