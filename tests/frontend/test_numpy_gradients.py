"""Derivatives of composed NumPy functions: forward against reverse, both against differences in
f64, and what they are at ties, at edges and beside NaN.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy_cases import cases

import lazir as lz
import lazir.numpy as lnp

RNG = np.random.default_rng(3)
ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "v": RNG.normal(size=7),
    "w": RNG.normal(size=4),
    "m": RNG.normal(size=(3, 4)),
    "p": np.abs(RNG.normal(size=3)) + 0.5,
    "q": np.sort(RNG.normal(size=7)) * 2,
    "x": np.where(np.arange(12).reshape(3, 4) % 5 == 1, np.nan, RNG.normal(size=(3, 4))),
}

DIFFERENTIABLE = """
lnp.float_power(p, 1.5); lnp.logaddexp2(v, v[::-1] * 2); lnp.frexp(v)[0]; lnp.modf(v)[0]
lnp.ldexp(v, 3); lnp.cov(m); lnp.corrcoef(m); lnp.convolve(v, w); lnp.correlate(v, w, "same")
lnp.gradient(v, q); lnp.gradient(m, edge_order=2, axis=1); lnp.unwrap(v * 9); lnp.polyval(w, v)
lnp.polymul(v, w); lnp.polyint(v, 2); lnp.polydiv(v, w)[0]; lnp.poly(w); lnp.polyfit(q, v, 2)
lnp.vander(v, 4); lnp.nanprod(m, 0); lnp.nanvar(x, 1); lnp.nanstd(x); lnp.nansum(x, 0)
lnp.nanmean(x, 1); lnp.nanmax(x, 1); lnp.einsum("ij,jk,kl", m, m.T, m); lnp.median(m, 1)
lnp.quantile(m, [0.2, 0.55], 1); lnp.nanmedian(x, 1); lnp.quantile(v, 0.3, method="hazen")
lnp.quantile(v, 0.4, method="averaged_inverted_cdf")
lnp.quantile(v, 0.4, method="inverted_cdf", weights=[1, 2, 3, 1, 2, 1, 1])
lnp.pad(m, 2, "linear_ramp"); lnp.pad(m, 1, "mean"); lnp.pad(m, 2, "maximum")
lnp.pad(m, 2, "reflect", reflect_type="odd"); lnp.insert(v, [1, 3], v[:2]); lnp.delete(m, 1, 0)
lnp.resize(v, (3, 5)); lnp.choose([0, 1, 1, 0], [w, w**2])
lnp.piecewise(v, [v < 0], [lambda t: t * t, lambda t: t**3]); lnp.hypot.reduce(m, 1)
lnp.apply_along_axis(lambda t: t * t.sum(), 1, m); lnp.logaddexp.accumulate(v)
lnp.add.reduceat(v, [0, 3]); lnp.multiply.outer(v, w); lnp.multiply.accumulate(v)
lnp.cross(m[:, :3], m[:, 1:]); lnp.geomspace(p[0], p[1], 4); lnp.interp(v, q, v)
lnp.maximum.accumulate(v); lnp.sort(m, 1); lnp.partition(v, 3); lnp.sinc(v)
lnp.histogram2d(v, v, 2, weights=v**2)[0]; lnp.average(m, 1, w**2); lnp.linalg.norm(m)
lnp.linalg.norm(v, 1); lnp.matvec(m, w); lnp.vecmat(m[:, 0], m); lnp.trace(m); lnp.r_[v, 1.0, w]
lnp.c_[v, v]; lnp.std(m, 1, ddof=1); lnp.place(m, m > 0, w, inplace=False)
lnp.fill_diagonal(m * m, w, inplace=False); lnp.nan_to_num(m)
lnp.put(m, [1, 5], w, inplace=False); lnp.remainder(v, 0.7)
lnp.add.at(v, [1, 1], w[:2], inplace=False)
"""


@pytest.mark.parametrize("case", cases(DIFFERENTIABLE))
def test_both_modes_agree_with_differences(case: str) -> None:
    names = sorted(set(re.findall(r"\b([vwmpqx])\b", case)))

    def f(*xs: Any) -> Any:
        result = lnp.asarray(eval(case, {"lnp": lnp, **dict(zip(names, xs, strict=True))}))
        weights = np.cos(np.arange(result.size)).reshape(result.shape)
        return (result * weights).sum()

    def at(step: float) -> float:
        return float(f(*[lnp.asarray(x + step * t) for x, t in zip(points, ways)]).item())

    points = [ARRAYS[n] for n in names]
    ways = [
        np.where(np.isnan(x), 0, np.sin(np.arange(x.size) + 1.0).reshape(x.shape)) for x in points
    ]
    gradients = lz.grad(f, argnums=tuple(range(len(names))))(*points)
    reverse = sum(float((g * t).sum().item()) for g, t in zip(gradients, ways, strict=True))
    _, forward = lz.jvp(f, tuple(points), tuple(ways))
    np.testing.assert_allclose(forward.item(), reverse, 1e-9, 1e-9)
    np.testing.assert_allclose((at(1e-6) - at(-1e-6)) / 2e-6, reverse, 1e-5, 1e-5)


NAN = float("nan")
CONVENTIONS = [
    ("x.max()", [1, 3, 3], [0, 0.5, 0.5]), ("lnp.nanmax(x)", [1, NAN, 3, 3], [0, 0, 0.5, 0.5]),
    ("lnp.clip(x, 0.0, 1.0).sum()", [0, 1, 0.5, 2], [0.5, 0.5, 1, 0]),
    ("lnp.median(x)", [1, 2, 3, 4], [0, 0.5, 0.5, 0]),
    ("lnp.median(x)", [1, 1, 3, 1], [0, 0.5, 0, 0.5]),
    ("(lnp.sort(x) * lnp.arange(3)).sum()", [1, 1, 0], [1, 2, 0]),
    ("lnp.linalg.norm(x)", [0, 0, 0], [0, 0, 0]), ("lnp.prod(x)", [0, 2, 3], [6, 0, 0]),
    ("lnp.vander(x, 3).sum()", [0, 2], [1, 5]), ("lnp.nanvar(x)", [1, NAN, 3], [-1, 0, 1]),
    ("lnp.where(x > 0, x, 0.0).sum()", [0, 1], [0, 1]), ("lnp.logaddexp(x, x).sum()", [1], [1]),
    ("lnp.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]).sum()", [1.0, 5.0], [3, 0]),
    ("lnp.sinc(x).sum()", [0.0], [0]), ("lnp.fmax(x, 1.0).sum()", [NAN, 2.0], [0, 1]),
]  # fmt: skip


@pytest.mark.parametrize(("case", "point", "wanted"), CONVENTIONS)
def test_at_ties_edges_and_nan(case: str, point: list[float], wanted: list[float]) -> None:
    gradient = lz.grad(lambda x: eval(case, {"lnp": lnp, "x": x}))(np.array(point, float))
    np.testing.assert_allclose(gradient, wanted, 1e-6, 1e-9)


def test_sinc_has_derivatives_near_zero() -> None:
    """Series of sin(πx) / (πx): −π²/3, π⁴/5 at 0; quotients would lose all digits beside it."""
    f: Any = lnp.sinc
    for order, at_zero in ((2, -(np.pi**2) / 3), (4, np.pi**4 / 5)):
        g = f
        for _ in range(order):
            g = lz.grad(g)
        for x in (0.0, 1e-9, 1e-5, -1e-7):
            np.testing.assert_allclose(g(np.float64(x)).item(), at_zero, 1e-8)
    xs = np.linspace(-2, 2, 41)
    h = 1e-5
    wanted = (np.sinc(xs + h) - np.sinc(xs - h)) / (2 * h)
    np.testing.assert_allclose(lz.vmap(lz.grad(f))(xs), wanted, 1e-6, 1e-8)
    np.testing.assert_allclose(lnp.sinc(xs), np.sinc(xs), 1e-14, 1e-15)


SMOOTH = {
    "logaddexp": lambda z: lnp.logaddexp(0.0, z),
    "logaddexp2": lambda z: lnp.logaddexp2(0.0, z / np.log(2)) * np.log(2),
    "softplus": lz.nn.functional.softplus,
    "logsigmoid": lambda z: -lz.nn.functional.logsigmoid(-z),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_log_one_plus_exp_is_smooth_at_0(name: str) -> None:
    """Its derivatives are those of the logistic function, where both terms are equal as well."""
    z = np.array([-700.0, -30.0, -1.0, 0.0, 1e-3, 1.0, 15.0])
    s = 1 / (1 + np.exp(-z))
    slope = lz.grad(SMOOTH[name])
    for f, wanted in ((slope, s), (lz.grad(slope), s * (1 - s))):
        np.testing.assert_allclose(lz.vmap(f)(z).numpy(), wanted, rtol=1e-13, atol=1e-15)
