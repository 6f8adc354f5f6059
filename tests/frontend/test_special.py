"""lazir.special against SciPy and mpmath: a row a function, both float types, edges, slopes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpmath import mp

import lazir as lz
import lazir.numpy as lnp
import lazir.scipy.special

ss = pytest.importorskip("scipy.special")

RNG = np.random.default_rng(0)
WIDE = np.concatenate([RNG.uniform(-5, 5, 60), RNG.uniform(-30, 30, 40)])
POSITIVE = np.concatenate([RNG.uniform(0.01, 3, 60), RNG.uniform(0.1, 30, 40)])
UNIT = RNG.uniform(0.01, 0.99, 100)
SHAPES = np.exp(RNG.uniform(-2, 3, 100))
OTHERS = np.exp(RNG.uniform(-2, 3, 100))

# name, arguments, error in units of the last place of float64 and of float32
TABLE: list[tuple[str, tuple[Any, ...], float, float]] = [
    ("erf", (WIDE,), 4, 4), ("erfc", (UNIT * 4 - 1,), 8, 8), ("erfinv", (2 * UNIT - 1,), 40, 6),
    ("ndtri", (UNIT,), 20, 6), ("log_ndtr", (UNIT * 5 - 4.5,), 60, 16),
    ("gammaln", (POSITIVE + 2,), 10, 10), ("gamma", (POSITIVE,), 16, 10),
    ("digamma", (POSITIVE + 1.6,), 10, 10), ("factorial", (np.arange(12.0),), 12, 10),
    ("beta", (POSITIVE[:60], UNIT[:60] + 1), 40, 30), ("poch", (UNIT * 3, UNIT * 4), 40, 40),
    ("zeta", (POSITIVE[:60] + 1.1, UNIT[:60] * 5), 30, 30), ("i0", (WIDE[:60],), 12, 12),
    ("i1", (WIDE[:60],), 12, 12), ("i0e", (WIDE,), 12, 12), ("i1e", (WIDE,), 12, 12),
    ("expi", (-POSITIVE,), 40, 16), ("exp1", (POSITIVE,), 40, 16), ("spence", (POSITIVE,), 60, 30),
    ("expit", (WIDE,), 4, 4), ("logit", (UNIT,), 8, 8), ("entr", (POSITIVE,), 8, 8),
    ("xlogy", (WIDE, POSITIVE), 8, 8), ("xlog1py", (WIDE, POSITIVE), 8, 8),
    ("rel_entr", (SHAPES, SHAPES * 3), 8, 8), ("kl_div", (SHAPES, SHAPES * 3), 30, 30),
    ("gammainc", (SHAPES, OTHERS * 1.0 + SHAPES / 4), 2000, 300),
    ("gammaincc", (SHAPES, OTHERS), 4000, 900),
    ("betainc", (SHAPES, OTHERS, UNIT), 4000, 900), ("gammasgn", (WIDE,), 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arrays", "wide", "narrow"), TABLE, ids=[t[0] for t in TABLE])
def test_values(name: str, arrays: tuple[Any, ...], wide: float, narrow: float) -> None:
    for kind, bound in ((np.float64, wide), (np.float32, narrow)):
        xs = [np.asarray(x, kind) for x in arrays]
        got = getattr(lz.special, name)(*[lz.Tensor(x) for x in xs]).numpy()
        wanted = getattr(ss, name)(*[x.astype(np.float64) for x in xs])
        assert got.dtype == kind
        tiny = float(np.finfo(kind).tiny)
        np.testing.assert_allclose(got, wanted, rtol=bound * np.finfo(kind).eps, atol=tiny)


EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.5, 1e-30, np.inf, -np.inf, np.nan])
UNARY = [
    "erf", "erfc", "erfinv", "ndtr", "ndtri", "log_ndtr", "digamma", "gamma", "i0", "i1", "i0e",
    "expi", "exp1", "expit", "logit", "entr", "gammasgn",
]  # fmt: skip
BINARY = ["xlogy", "xlog1py", "rel_entr", "kl_div", "gammainc", "gammaincc"]


@pytest.mark.parametrize("name", UNARY)
def test_edges(name: str) -> None:
    got = getattr(lz.special, name)(lz.Tensor(EDGES)).numpy()
    with np.errstate(all="ignore"):
        wanted = getattr(ss, name)(EDGES)
    np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("name", BINARY)
def test_pairs_of_edges(name: str) -> None:
    x, y = (grid.ravel() for grid in np.meshgrid(EDGES, EDGES))
    got = getattr(lz.special, name)(lz.Tensor(x), lz.Tensor(y)).numpy()
    with np.errstate(all="ignore"):
        wanted = getattr(ss, name)(x, y)
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-15)


def test_the_far_left_of_the_normal_distribution() -> None:
    """Where SciPy has lost digits."""
    x = np.array([-1.7, -6.1, -24.6, -33.9])
    got, logs = lz.special.ndtr(lz.Tensor(x)).numpy(), lz.special.log_ndtr(lz.Tensor(x * 9)).numpy()
    for k, point in enumerate(x):
        with mp.workprec(300):
            assert abs(mp.mpf(got[k]) / mp.ncdf(point) - 1) < 8 * 2.3e-16
            # erfc of mpmath holds so far out
            wanted = mp.log(mp.erfc(-mp.mpf(point * 9) / mp.sqrt(2)) / 2)
            assert abs(mp.mpf(logs[k]) / wanted - 1) < 8 * 2.3e-16


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_polygamma(order: int) -> None:
    x = np.array([0.3, 1.0, 2.5, 9.0, 40.0, -0.3, -2.5, -7.7])
    got = lz.special.polygamma(order, lz.Tensor(x)).numpy()
    wanted = [float(mp.polygamma(order, v)) for v in x]
    np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-13)
    again = lz.special.polygamma(lz.Tensor(float(order)), lz.Tensor(x[:5])).numpy()
    np.testing.assert_allclose(again, wanted[:5], rtol=1e-13)


SLOPES: list[tuple[str, tuple[float, ...]]] = [
    ("gammaln", (2.3,)), ("digamma", (2.3,)), ("gamma", (2.3,)), ("ndtr", (-0.7,)),
    ("ndtri", (0.2,)), ("log_ndtr", (-1.3,)), ("log_ndtr", (-25.0,)), ("i0", (1.5,)),
    ("i1", (1.5,)), ("i1e", (0.3,)), ("expi", (1.3,)), ("exp1", (0.7,)), ("exp1", (3.0,)),
    ("spence", (0.3,)), ("spence", (1.0,)), ("spence", (4.0,)), ("expit", (0.0,)),
    ("expit", (-9.0,)), ("logit", (0.5,)), ("logit", (0.1,)), ("entr", (0.4,)),
    ("xlogy", (0.7, 1.3)), ("xlog1py", (0.7, 1.3)), ("rel_entr", (0.3, 0.6)),
    ("kl_div", (0.3, 0.6)), ("beta", (1.3, 2.2)), ("betaln", (1.3, 2.2)), ("zeta", (2.5, 1.2)),
    ("gammainc", (2.0, 1.3)), ("gammainc", (0.7, 4.0)), ("gammaincc", (20.0, 15.0)),
    ("gammaincc", (2.0, 9.0)), ("betainc", (1.3, 2.2, 0.2)),
    ("betainc", (1.3, 2.2, 0.8)), ("betainc", (1.3, 2.0, 0.2)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "point"), SLOPES)
def test_derivatives(name: str, point: tuple[float, ...]) -> None:
    """Reverse mode in every argument against central differences; the second derivative exists."""
    function = getattr(lz.special, name)
    xs = [lnp.array(x, dtype="float64") for x in point]
    places = tuple(range(len(point)))
    got = lz.grad(lambda *a: function(*a), argnums=places)(*xs)
    for k in places:
        h = 1e-5
        sides = []
        for step in (h, -h):
            moved = [x + step if j == k else x for j, x in enumerate(xs)]
            sides.append(function(*moved).item())
        wanted = (sides[0] - sides[1]) / (2 * h)
        assert got[k].item() == pytest.approx(wanted, rel=1e-6, abs=1e-9), k


def test_derivatives_where_a_branch_is_discarded() -> None:
    """No NaN from the branch that is not taken."""
    cases = [
        ("expit", -800.0, 0.0), ("expit", 800.0, 0.0), ("xlogy", 0.0, None), ("entr", 0.5, None),
        ("logit", 0.5, 4.0), ("log_ndtr", -60.0, 60.0166), ("log_ndtr", 50.0, 0.0),
        ("i1e", 0.0, 0.5),
    ]  # fmt: skip
    for name, x, wanted in cases:
        f = getattr(lz.special, name)
        at = lnp.array(x, dtype="float64")
        slope = lz.grad(lambda v, f=f, name=name: f(v, 2.0) if name == "xlogy" else f(v))(at).item()
        assert np.isfinite(slope), name
        if wanted is not None:
            assert slope == pytest.approx(wanted, abs=1e-3), name


def test_shapes_dtypes_and_transforms() -> None:
    a, x = lnp.array([[0.5], [2.0]]), lnp.array([0.3, 1.0, 4.0])
    got = lz.special.gammainc(a, x)
    assert got.shape == (2, 3) and got.dtype == lz.float32
    rows = lz.vmap(lambda row: lz.special.gammainc(row, x))(a)
    np.testing.assert_allclose(rows.numpy(), got.numpy(), rtol=1e-6)
    compiled = lz.compile(lz.special.gammainc)(a, x)
    np.testing.assert_array_equal(compiled.numpy(), got.numpy())
    assert lz.special.gammaln(3).item() == pytest.approx(np.log(2))
    half = lz.special.ndtr(lnp.array([0.0, 1.0], dtype="float16"))
    assert half.dtype == lz.float16
    assert lz.special.gammainc(lnp.zeros((0, 2)), 1.0).shape == (0, 2)
    assert lazir.scipy.special.gammaln is lz.special.gammaln


def test_sums_of_exponentials() -> None:
    a, b = RNG.uniform(-900, 900, (3, 4)), RNG.uniform(-1, 2, (3, 4))
    for axis in (None, 0, 1, (0, 1)):
        got, sign = lz.special.logsumexp(a, axis=axis, b=b, return_sign=True)
        wanted, signs = ss.logsumexp(a, axis=axis, b=b, return_sign=True)
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-13)
        np.testing.assert_array_equal(sign.numpy(), signs)
    np.testing.assert_allclose(lz.special.softmax(a, axis=0).numpy(), ss.softmax(a, axis=0), 1e-13)
    flat = lz.special.log_softmax(a, axis=None).numpy()
    np.testing.assert_allclose(flat, ss.log_softmax(a), 1e-13)


def test_errors() -> None:
    with pytest.raises(lz.errors.LazirError, match="real numbers"):
        lz.special.betaln(1j, 2.0)
    with pytest.raises(lz.errors.LazirError, match="orders from 0 to 100"):
        lz.special.polygamma(-1, 2.0)
    with pytest.raises(lz.errors.LazirError, match=r"math\.factorial"):
        lz.special.factorial(3, exact=True)
