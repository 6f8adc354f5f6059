"""scipy's other modules as lazir has them, segments, trees as vectors: against SciPy and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError
from lazir.flatten_util import ravel_pytree
from lazir.scipy import integrate, interpolate, ndimage, signal, stats
from lazir.scipy.sparse.linalg import bicgstab, cg, gmres

pytest.importorskip("scipy")
import scipy.integrate
import scipy.interpolate
import scipy.ndimage
import scipy.signal
import scipy.stats

RNG = np.random.default_rng(0)
DATA = np.arange(1.0, 13.0).reshape(6, 2)
IDS = np.array([0, 3, -1, 1, 1, 7])  # -1 and 7 belong to no segment
UNITS = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("dtype", ("float32", "float64", "int32"))
def test_segments(name: str, dtype: str) -> None:
    data = DATA.astype(dtype)
    low = -np.inf if data.dtype.kind == "f" else np.iinfo(dtype).min
    high = np.inf if data.dtype.kind == "f" else np.iinfo(dtype).max
    wanted = np.full((4, 2), {"sum": 0, "prod": 1, "max": low, "min": high}[name], dtype)
    inside = (IDS >= 0) & (IDS < 4)
    UNITS[name].at(wanted, IDS[inside], data[inside])
    function = getattr(lz.ops, f"segment_{name}")
    for run in (function, lz.compile(function, static_argnums=2)):
        got = run(lnp.asarray(data), lnp.asarray(IDS), 4)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got.numpy(), wanted)
    batched = lz.vmap(lambda d: function(d, lnp.asarray(IDS), 4))(lnp.asarray(data)[None])
    np.testing.assert_array_equal(batched[0].numpy(), wanted)


def test_segments_are_counted_and_differentiated() -> None:
    ids = lnp.asarray([0, 2, 2])
    assert lz.ops.segment_sum(lnp.ones((3, 2)), ids).shape == (3, 2)
    assert lz.ops.segment_max(lnp.ones((0, 2)), ids[:0], 2).shape == (2, 2)
    found = lz.grad(lambda d: (lz.ops.segment_sum(d, ids, 3) ** 2).sum())(lnp.asarray([1.0, 2, 3]))
    assert found.tolist() == [2, 10, 10]
    with pytest.raises(LazirError, match="num_segments="):
        lz.compile(lz.ops.segment_sum)(lnp.ones(3), ids)
    with pytest.raises(LazirError, match="one id for each row"):
        lz.ops.segment_sum(lnp.ones(4), ids)
    with pytest.raises(LazirError, match="integers"):
        lz.ops.segment_sum(lnp.ones(3), lnp.ones(3))


def test_trees_as_vectors() -> None:
    tree = {"b": lnp.asarray([[1, 2]]), "a": (lnp.asarray(0.5), lnp.zeros((0,)))}
    flat, unravel = ravel_pytree(tree)
    assert flat.tolist() == [0.5, 1, 2]
    back = unravel(flat)
    assert back["b"].dtype == tree["b"].dtype and back["b"].tolist() == [[1, 2]]
    assert back["a"][1].shape == (0,)
    with pytest.raises(LazirError, match="vector of 3"):
        unravel(lnp.zeros(4))


# -- linear maps -----------------------------------------------------------------------------
A = RNG.standard_normal((12, 12))
B = RNG.standard_normal(12)
POSITIVE, GENERAL = A @ A.T + 12 * np.eye(12), A + 8 * np.eye(12)
SOLVERS: dict[str, tuple[Any, np.ndarray]] = {
    "cg": (cg, POSITIVE),
    "cg, complex": (cg, POSITIVE + 1j * (A - A.T)),
    "gmres": (gmres, GENERAL),
    "gmres, restarted": (lambda *a, **k: gmres(*a, restart=5, **k), GENERAL),
    "gmres, complex": (gmres, GENERAL + 1j * A.T),
    "bicgstab": (bicgstab, GENERAL),
    "bicgstab, complex": (bicgstab, GENERAL + 1j * A.T),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_solutions(name: str) -> None:
    solver, matrix = SOLVERS[name]
    b = B + 1j * B[::-1] if np.iscomplexobj(matrix) else B
    x, info = solver(matrix, b, tol=1e-10)
    assert info is None
    np.testing.assert_allclose(matrix @ x.numpy(), b, atol=1e-8)
    ready = np.linalg.inv(matrix) + 0.001
    eased, _ = solver(lambda v: lnp.asarray(matrix) @ v, b, lnp.ones(12), tol=1e-10, M=ready)
    if name != "cg, complex" and name != "cg":  # that preconditioner is not symmetric
        np.testing.assert_allclose(matrix @ eased.numpy(), b, atol=1e-8)


@pytest.mark.parametrize("name", [n for n in SOLVERS if "complex" not in n])
def test_derivatives_are_solves(name: str) -> None:
    solver, matrix = SOLVERS[name]

    def loss(b: Any, m: Any) -> Any:
        return (solver(lambda v: m @ v, b, tol=1e-12)[0] ** 2).sum()

    for run in (lz.grad(loss, (0, 1)), lz.compile(lz.grad(loss, (0, 1)))):
        of_b, of_m = run(lnp.asarray(B), lnp.asarray(matrix))
        x = np.linalg.solve(matrix, B)
        u = np.linalg.solve(matrix.T, 2 * x)
        np.testing.assert_allclose(of_b.numpy(), u, atol=1e-9)
        np.testing.assert_allclose(of_m.numpy(), -np.outer(u, x), atol=1e-9)


def test_solvers_take_trees_and_batches() -> None:
    tree, _ = cg(
        lambda t: {"x": 2 * t["x"], "y": 4 * t["y"]}, {"x": lnp.ones(2), "y": lnp.ones(())}
    )
    np.testing.assert_allclose(tree["x"].numpy(), [0.5, 0.5])
    np.testing.assert_allclose(tree["y"].numpy(), 0.25)
    rows = lz.vmap(lambda b: cg(POSITIVE, b, tol=1e-10)[0])(lnp.asarray(np.stack([B, 2 * B])))
    np.testing.assert_allclose(rows.numpy() @ POSITIVE, [B, 2 * B], atol=1e-8)
    assert gmres(np.eye(3), np.zeros(3))[0].tolist() == [0, 0, 0]
    with pytest.raises(LazirError, match="A has shape"):
        cg(np.ones((2, 3)), np.ones(2))


# -- differential equations ------------------------------------------------------------------
TIMES = np.linspace(0, 3, 7)


def pendulum(y: Any, t: Any, a: Any) -> Any:
    return lnp.stack([y[1], a * (1 - y[0] ** 2) * y[1] - y[0]])


def test_trajectories() -> None:
    wanted = scipy.integrate.solve_ivp(
        lambda t, y: [y[1], 1.5 * (1 - y[0] ** 2) * y[1] - y[0]], (0, 3), [2, 0],
        t_eval=TIMES, rtol=1e-10, atol=1e-10,
    )  # fmt: skip
    got = integrate.odeint(pendulum, np.array([2.0, 0.0]), TIMES, 1.5, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(got.numpy(), wanted.y.T, atol=1e-7)
    turn = integrate.odeint(
        lambda s, t: {"x": s["v"], "v": -s["x"]}, {"x": lnp.asarray(1.0), "v": lnp.asarray(0.0)},
        np.array([0.0, 1.0]), rtol=1e-5, atol=1e-5,
    )  # fmt: skip
    np.testing.assert_allclose(turn["x"].numpy(), np.cos([0, 1]), atol=1e-4)
    cut = integrate.odeint(pendulum, np.array([2.0, 0.0]), TIMES, 1.5, mxstep=2)
    assert np.isfinite(cut.numpy()[0]).all() and np.isnan(cut.numpy()[-1]).all()


def test_backwards_in_time() -> None:
    back = integrate.odeint(lambda y, t: -y, np.ones(1), np.array([1.0, 0.5, 0.0]))
    np.testing.assert_allclose(back.numpy()[:, 0], np.exp([0, 0.5, 1]), rtol=1e-7)
    slope = lz.grad(lambda y: integrate.odeint(lambda y, t: -y, y, np.array([1.0, 0.0]))[1].sum())
    np.testing.assert_allclose(slope(lnp.asarray(np.ones(1))).numpy(), [np.e], rtol=1e-6)
    turned = integrate.odeint(lambda y, t: -y, np.ones(1), np.array([0.0, 1.0, 0.5, 2.0]))
    assert np.isnan(turned.numpy()[2:]).all() and not np.isnan(turned.numpy()[:2]).any()


@pytest.mark.parametrize("solver", (cg, gmres, bicgstab))
def test_what_is_no_number_is_no_solution(solver: Any) -> None:
    assert np.isnan(solver(np.eye(3), np.array([1.0, np.nan, 1.0]))[0].numpy()).all()
    assert np.isnan(solver(np.full((3, 3), np.nan), np.ones(3))[0].numpy()).all()


def test_the_adjoint() -> None:
    """In the start, every time and a parameter, against differences."""
    weights = np.arange(12.0).reshape(6, 2)

    def loss(y0: Any, t: Any, a: Any) -> Any:
        path = integrate.odeint(pendulum, y0, t, a, rtol=1e-10, atol=1e-10)
        return (path[1:] * weights).sum()

    at = [lnp.asarray(v, "float64") for v in (np.array([2.0, 0.0]), TIMES, 1.5)]
    found = lz.compile(lz.grad(loss, (0, 1, 2)))(*at)
    run = lz.compile(loss)
    for k, (x, g) in enumerate(zip(at, found)):
        flat = x.numpy().ravel()
        for i in range(flat.size):
            ends = []
            for sign in (1, -1):
                moved = flat.copy()
                moved[i] += sign * 1e-5
                ends.append(run(*at[:k], lnp.asarray(moved.reshape(x.shape)), *at[k + 1 :]).item())
            slope = (ends[0] - ends[1]) / 2e-5
            assert abs(slope - g.numpy().ravel()[i]) < 1e-5 * max(1, abs(slope))


@pytest.mark.parametrize("n", (1, 2, 3, 4, 5, 8, 9))
def test_simpson(n: int) -> None:
    y, x = RNG.random((3, n)), np.sort(RNG.random(n))
    np.testing.assert_allclose(integrate.simpson(y, x).numpy(), scipy.integrate.simpson(y, x=x))
    np.testing.assert_allclose(
        integrate.simpson(y, dx=0.3).numpy(), scipy.integrate.simpson(y, dx=0.3)
    )


# -- signals and images ----------------------------------------------------------------------
SHAPES = [((9,), (4,)), ((9,), (5,)), ((4,), (9,)), ((6, 7), (3, 2)), ((5, 4, 6), (2, 3, 2))]


@pytest.mark.parametrize("mode", ("full", "same", "valid"))
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_convolutions(mode: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    for kind in "fci":
        x, y = (RNG.integers(-9, 9, s).astype(kind if kind == "i" else "f8") for s in (a, b))
        if kind == "c":
            x, y = x + 1j * RNG.standard_normal(a), y - 1j * RNG.standard_normal(b)
        for name in ("convolve", "correlate", "fftconvolve"):
            if kind == "i" and name == "fftconvolve":
                continue
            got = getattr(signal, name)(x, y, mode).numpy()
            np.testing.assert_allclose(got, getattr(scipy.signal, name)(x, y, mode), atol=1e-9)
    if len(a) == 2:
        got = signal.correlate2d(x, y, mode).numpy()
        np.testing.assert_array_equal(got, scipy.signal.correlate2d(x, y, mode))


def test_trends() -> None:
    x = RNG.standard_normal((4, 9))
    for args in ((), (0, "constant"), (0, "linear")):
        got = signal.detrend(x, *args).numpy()
        np.testing.assert_allclose(got, scipy.signal.detrend(x, *args), atol=1e-12)


@pytest.mark.parametrize("method", ("linear", "nearest"))
@pytest.mark.parametrize("fill", (np.nan, None, 7.0))
def test_grids(method: str, fill: float | None) -> None:
    grid = [np.sort(RNG.random(5)), np.sort(RNG.random(4))]
    values, at = RNG.random((5, 4, 2)), RNG.random((20, 2))
    wanted = scipy.interpolate.RegularGridInterpolator(
        grid, values, method=method, bounds_error=False, fill_value=fill
    )(at)
    made = interpolate.RegularGridInterpolator(grid, values, method=method, fill_value=fill)
    np.testing.assert_allclose(made(at).numpy(), wanted)


@pytest.mark.parametrize("mode", ("constant", "nearest", "wrap", "mirror", "reflect"))
@pytest.mark.parametrize("order", (0, 1))
def test_images_between_pixels(mode: str, order: int) -> None:
    image, at = RNG.random((5, 7)), RNG.random((2, 50)) * 10 - 2
    theirs = {"wrap": "grid-wrap", "constant": "grid-constant"}.get(mode, mode)
    wanted = scipy.ndimage.map_coordinates(image, at, order=order, mode=theirs, cval=0.5)
    got = ndimage.map_coordinates(image, at, order, mode, 0.5)
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-12)
    if order:
        at = at + 0.01
        lz.check_grad(
            lambda i, c: ndimage.map_coordinates(i, c, 1, mode).sum(),
            (lnp.asarray(image), lnp.asarray(np.round(at) + 0.3)),
        )


# -- indexed updates with a mode ----------------------------------------------------------------
def test_modes_free_static_indices() -> None:
    """Where a mode says what becomes of indices outside, known ones are no error, as in JAX."""
    x = lnp.arange(12).reshape(3, 4)
    start = x.numpy()
    for key in (7, -4, (0, 9), (slice(None), -5)):
        np.testing.assert_array_equal(x.at[key].set(-1, mode="drop").numpy(), start)
    changed = x.at[np.array([0, 7, -1, -8]), 2].add(100, mode="drop")
    wanted = start.copy()
    wanted[[0, 2], 2] += 100
    np.testing.assert_array_equal(changed.numpy(), wanted)
    assert x.at[9].get(mode="clip").tolist() == [8, 9, 10, 11]
    assert x.at[0, 9].get(mode="fill", fill_value=-5).item() == -5
    assert x.at[:, 9].set(-1, mode="clip")[:, 3].tolist() == [-1, -1, -1]
    assert x.at[-1].set(-1, mode="drop")[2].tolist() == [-1] * 4
    with pytest.raises(IndexError, match="index 9 is out of range for axis 0 of size 3"):
        x.at[9].set(1)


def test_reads_outside_without_a_value_give_what_jax_gives() -> None:
    """NaN, the integer farthest from 0, True: never a 0 that could be an element."""
    outside = np.array([9, 1])
    assert np.isnan(lnp.arange(3.0).at[outside].get(mode="fill")[0].item())
    assert lnp.arange(3, dtype="int32").at[outside].get(mode="fill").tolist() == [-(2**31), 1]
    assert lnp.arange(3, dtype="uint8").at[outside].get(mode="drop").tolist() == [255, 1]
    assert lnp.zeros(3, "bool").at[outside].get(mode="fill").tolist() == [True, False]
    assert lnp.ones(3).at[9].divide(2.0, mode="drop").tolist() == [1.0] * 3
    with pytest.raises(LazirError, match="an index has mode"):
        lnp.arange(3.0).at[outside].get(mode="fil")


@pytest.mark.parametrize("y, x", (((7,), (3,)), ((7,), (8,)), ((2, 7), (2, 3)), ((1,), (4,))))
def test_simpson_wants_a_place_for_each_sample(y: Any, x: Any) -> None:
    with pytest.raises(LazirError, match="an x for each of"):
        integrate.simpson(np.ones(y), np.arange(float(np.prod(x))).reshape(x))


def test_ranks_beside_nan_are_nan() -> None:
    rows = np.array([[2.0, np.nan, 1.0], [3.0, 1.0, 1.0]])
    wanted = scipy.stats.rankdata(rows, axis=1)
    np.testing.assert_array_equal(stats.rankdata(rows, axis=1).numpy(), wanted)
