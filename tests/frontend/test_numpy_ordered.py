"""Sorting, searching, counting and running sums of `lazir.numpy` against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError

DTYPES = (np.bool_, np.int8, np.uint8, np.uint64, np.int64, np.float16, np.float32, np.float64)
SHAPES = ((0,), (1,), (40,), (3, 0), (2, 3, 11))


def draw(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray[Any, Any]:
    """Few different values, so that many are equal; floats with NaN, infinities and both zeros."""
    rng = np.random.default_rng([seed, *shape])
    kind = np.dtype(dtype).kind
    if kind == "f":
        values = [-np.inf, -1.5, -0.0, 0.0, 1.0, 2.5, np.inf, np.nan]
        return np.asarray(rng.choice(values, shape)).astype(dtype)
    return np.asarray(rng.integers(0 if kind in "ub" else -3, 5, shape)).astype(dtype)


def plain(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray[Any, Any]:
    """Ordinary values, not many of them equal."""
    rng = np.random.default_rng([seed, 7, *shape])
    return np.asarray(rng.normal(size=shape) * 20).astype(dtype)


def same(got: Any, wanted: Any, dtype: bool = True) -> None:
    """Bits of what is sorted, NaN for NaN."""
    data, wanted = got.numpy(), np.asarray(wanted)
    assert data.shape == wanted.shape
    if dtype:
        assert data.dtype == wanted.dtype
    np.testing.assert_array_equal(data, wanted)
    if wanted.dtype.kind == "f":
        numbers = ~np.isnan(wanted)
        assert np.array_equal(np.signbit(data)[numbers], np.signbit(wanted)[numbers])


def near(got: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    data = got.numpy()
    assert data.shape == np.shape(wanted)
    np.testing.assert_allclose(data.astype(float), wanted, rtol=tolerance, atol=tolerance)


# -- sorting -----------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
def test_sort_and_argsort(dtype: Any) -> None:
    for shape in SHAPES:
        x = draw(shape, dtype)
        for axis in range(len(shape)):
            same(lnp.sort(x, axis), np.sort(x, axis=axis, kind="stable"))
            same(lnp.argsort(x, axis), np.argsort(x, axis=axis, kind="stable"))
    x = draw((5, 7), dtype)
    same(lnp.sort(x, None), np.sort(x, None, kind="stable"))
    same(lnp.argsort(x, None), np.argsort(x, None, kind="stable"))
    same(lnp.sort(x), np.sort(x, kind="stable"))


@pytest.mark.parametrize("size", [2, 7, 8, 15, 16, 17, 24, 33, 63, 64, 65, 100, 129, 1000])
def test_every_length_of_runs(size: int) -> None:
    """Lengths around those at which runs are merged, rows of equals among them."""
    rng = np.random.default_rng(size)
    x = rng.integers(0, max(2, size // 3), (3, size)).astype(np.int32)
    x[1] = np.arange(size)[::-1]
    same(lnp.argsort(x), np.argsort(x, kind="stable"))
    same(lnp.sort(x.T, axis=0), np.sort(x.T, axis=0))


def test_descending_is_stable() -> None:
    x = draw((50,), np.float32)
    places = lnp.argsort(x, descending=True).numpy()
    values = x[places]
    order = np.where(np.isnan(values), np.inf, values)
    assert np.all(order[:-1] >= order[1:])
    for a, b, v, w in zip(places, places[1:], values, values[1:], strict=False):
        assert a < b or not (v == w or (np.isnan(v) and np.isnan(w)))
    same(lnp.sort(x, descending=True), values)


def test_large_rows_use_the_workspace() -> None:
    x = plain((2, 30000), np.float64)
    same(lnp.sort(x), np.sort(x))
    same(lnp.argsort(x.T.copy(), axis=0), np.argsort(x.T, axis=0))


def test_lexsort() -> None:
    for shape in ((30,), (4, 9)):
        keys = [draw(shape, d, k) for k, d in enumerate((np.float32, np.int8, np.bool_))]
        for axis in range(len(shape)):
            same(lnp.lexsort(keys, axis), np.lexsort(keys, axis=axis))
    with pytest.raises(LazirError, match="one shape"):
        lnp.lexsort((np.zeros(3), np.zeros(4)))


def test_partition_and_top_k() -> None:
    x = plain((4, 31), np.float32)
    parted = lnp.partition(x, 5).numpy()
    np.testing.assert_array_equal(parted[:, 5], np.sort(x)[:, 5])
    places = lnp.argpartition(x, 5, axis=0 - 1).numpy()
    np.testing.assert_array_equal(np.take_along_axis(x, places, -1), parted)
    values, found = lz.lax.top_k(x, 3)
    np.testing.assert_array_equal(values.numpy(), -np.sort(-x)[:, :3])
    np.testing.assert_array_equal(np.take_along_axis(x, found.numpy(), -1), values.numpy())
    with pytest.raises(LazirError, match="kth 31"):
        lnp.partition(x, 31)
    with pytest.raises(LazirError, match="top_k"):
        lz.lax.top_k(x, 32)


# -- running sums ------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running_sums(name: str, dtype: Any) -> None:
    for shape in SHAPES:
        x = plain(shape, dtype) if np.dtype(dtype).kind != "f" else plain(shape, dtype) / 20
        for axis in range(len(shape)):
            got = getattr(lnp, name)(x, axis)
            wanted = getattr(np, name)(x.astype(np.float64) if dtype is np.float16 else x, axis)
            assert got.numpy().dtype == getattr(np, name)(x, axis).dtype
            near(got, wanted, 4e-3 if dtype is np.float16 else 1e-5)


def test_running_extrema() -> None:
    for dtype in DTYPES:
        for shape in ((40, 3), (2, 3, 33)):
            x = draw(shape, dtype)
            for axis in range(len(shape)):
                near(lz.lax.cummax(x, axis), np.maximum.accumulate(x, axis))
                backwards = np.flip(np.minimum.accumulate(np.flip(x, axis), axis), axis)
                near(lz.lax.cummin(x, axis, reverse=True), backwards)


def test_accumulate_and_methods() -> None:
    x = plain((3, 4), np.float32)
    t = lz.Tensor(x)
    for ufunc in (np.add, np.multiply, np.maximum, np.minimum):
        near(ufunc.accumulate(t), ufunc.accumulate(x))
        near(ufunc.accumulate(t, axis=1), ufunc.accumulate(x, axis=1))
    near(t.cumsum(0), x.cumsum(0))
    near(t.cumprod(), x.cumprod())
    same(t.argsort(), x.argsort(kind="stable"))
    same((t > 0).nonzero()[1], (x > 0).nonzero()[1])
    same(t[0].argsort().searchsorted(2), x[0].argsort().searchsorted(2))
    with pytest.raises(TypeError, match="accumulate"):
        np.subtract.accumulate(t)


def test_array_standard_names() -> None:
    x = plain((3, 4), np.float32)
    near(lnp.cumulative_sum(x, axis=1), np.cumulative_sum(x, axis=1))
    near(lnp.cumulative_sum(x, axis=0, include_initial=True),
         np.cumulative_sum(x, axis=0, include_initial=True))  # fmt: skip
    near(lnp.cumulative_prod(x[0], include_initial=True),
         np.cumulative_prod(x[0], include_initial=True))  # fmt: skip
    with pytest.raises(LazirError, match="needs an axis"):
        lnp.cumulative_sum(x)
    y = np.where(x > 0, np.nan, x)
    near(lnp.nancumsum(y, 1), np.nancumsum(y, 1))
    near(lnp.nancumprod(y, 0), np.nancumprod(y, 0))


def test_trapezoid() -> None:
    y, x = plain((3, 9), np.float64), np.sort(plain((9,), np.float64))
    near(lnp.trapezoid(y), np.trapezoid(y))
    near(lnp.trapezoid(y, x), np.trapezoid(y, x))
    near(lnp.trapezoid(y, dx=0.5, axis=0), np.trapezoid(y, dx=0.5, axis=0))
    rising = np.cumsum(y * y, 0)
    near(lnp.trapezoid(y, rising, axis=0), np.trapezoid(y, rising, axis=0))
    near(lnp.trapezoid(np.arange(4)), 4.5)


# -- quantiles ---------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["linear", "lower", "higher", "nearest", "midpoint"])
def test_quantiles(method: str) -> None:
    cases: list[Any] = [((1,), None), ((10,), 0), ((2, 3, 11), -1), ((2, 3, 11), (0, 2))]
    for shape, axis in cases:
        x = plain(shape, np.float64)
        for q in (0.31, [[0.0], [0.5], [0.9], [1.0]]):
            wanted = np.quantile(x, q, axis, method=method, keepdims=True)
            near(lnp.quantile(x, q, axis, method=method, keepdims=True), wanted, 1e-12)
        near(lnp.quantile(x, 0.7, axis, method=method),
             np.quantile(x, 0.7, axis, method=method), 1e-12)  # fmt: skip


def test_medians_and_percentiles() -> None:
    for dtype in (np.int32, np.float16, np.float64):
        x = plain((6, 9), dtype)
        for axis in (None, 1):
            near(lnp.median(x, axis), np.median(x.astype(np.float64), axis), 2e-3)
            near(lnp.percentile(x, 40, axis), np.percentile(x.astype(np.float64), 40, axis), 2e-2)
        assert lnp.median(x).numpy().dtype == (np.float32 if dtype is np.int32 else dtype)


def test_quantiles_of_nan() -> None:
    x = plain((4, 9), np.float32)
    x[1, 3] = np.nan
    x[2, :] = np.nan
    near(lnp.median(x, 1), np.median(x, 1))
    near(lnp.quantile(x, 0.3, 1), np.quantile(x, 0.3, 1))
    with pytest.warns(RuntimeWarning):
        wanted = np.nanmedian(x, 1), np.nanquantile(x, [0.2, 0.7], 1), np.nanpercentile(x, 20, 1)
    near(lnp.nanmedian(x, 1), wanted[0])
    near(lnp.nanquantile(x, [0.2, 0.7], 1), wanted[1])
    near(lnp.nanpercentile(x, 20, 1), wanted[2])
    assert lnp.median(np.array([np.inf, np.inf])).item() == np.inf


def test_a_traced_share() -> None:
    x = plain((20,), np.float64)
    f = lz.compile(lambda x, q: lnp.quantile(x, q))
    for q in (0.0, 0.2, 1.0):
        near(f(x, q), np.quantile(x, q), 1e-6)
    with pytest.raises(LazirError, match="from 0 to 1"):
        lnp.quantile(x, 1.5)
    with pytest.raises(LazirError, match="method"):
        lnp.quantile(x, 0.5, method="weibul")
    with pytest.raises(LazirError, match="empty axis"):
        lnp.median(np.zeros((0,)))


# -- searching ---------------------------------------------------------------------------
@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side: Any) -> None:
    for size in (0, 1, 3, 8, 31):
        for dtype in (np.int16, np.float32):
            a = np.sort(draw((size,), dtype))
            v = draw((4, 9), dtype, 1)
            same(lnp.searchsorted(a, v, side), np.searchsorted(a, v, side))
    x = plain((9,), np.float64)
    order = np.argsort(x)
    same(lnp.searchsorted(x, 0.5, side, order), np.searchsorted(x, 0.5, side, order))
    with pytest.raises(LazirError, match="side"):
        lnp.searchsorted(x, 1, "middle")
    with pytest.raises(LazirError, match="rank 1"):
        lnp.searchsorted(np.zeros((2, 2)), 1)


def test_digitize() -> None:
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.5, 4.0, 9.0])
    for bins in ([0.0, 1.0, 2.5, 4.0], [4.0, 2.5, 1.0, 0.0], [1.0]):
        for right in (False, True):
            same(lnp.digitize(x, np.array(bins), right), np.digitize(x, np.array(bins), right))


def test_interp() -> None:
    xp, fp = np.array([0.0, 1.0, 1.0, 2.5, 4.0]), np.array([1.0, 3.0, 5.0, -2.0, 0.5])
    x = np.array([-1.0, 0.0, 0.3, 1.0, 2.0, 2.5, 3.9, 4.0, 7.0])
    near(lnp.interp(x, xp, fp), np.interp(x, xp, fp), 1e-12)
    near(lnp.interp(x, xp, fp, -9, 9), np.interp(x, xp, fp, -9, 9), 1e-12)
    near(lnp.interp(x, xp[:1], fp[:1]), np.interp(x, xp[:1], fp[:1]))
    angles = np.array([-180.0, 190.0, 355.0, 5.0])
    near(lnp.interp(angles, np.array([190.0, -190.0, 350.0, -350.0]), fp[:4], period=360),
         np.interp(angles, [190, -190, 350, -350], fp[:4], period=360), 1e-12)  # fmt: skip
    with pytest.raises(LazirError, match="one shape"):
        lnp.interp(x, xp, fp[:2])


# -- counting ----------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
def test_unique(dtype: Any) -> None:
    for shape in SHAPES:
        x = draw(shape, dtype)
        wanted = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
        found = lnp.unique(x, return_index=True, return_inverse=True, return_counts=True)
        same(found[0], wanted[0]) if x.dtype.kind != "f" else near(found[0], wanted[0])
        for got, right in zip(found[1:], wanted[1:], strict=True):
            np.testing.assert_array_equal(got.numpy(), right)
    same(lnp.unique(np.array([np.nan, 1.0, np.nan]), equal_nan=False), [1.0, np.nan, np.nan])


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.bool_, np.uint8])
def test_unique_parts(axis: int, dtype: Any) -> None:
    for shape in ((7, 2), (2, 6), (4, 3, 2), (5, 1)):
        x = np.random.default_rng(len(shape)).integers(0, 2, shape).astype(dtype)
        wanted = np.unique(x, True, True, True, axis=axis)
        for a, b in zip(lnp.unique(x, True, True, True, axis=axis), wanted):
            same(a, b)
    compiled = lz.compile(lambda x: lnp.unique(x, axis=0, return_counts=True, size=4, fill_value=7))
    rows = np.array([[2, 1], [0, 5], [2, 1]])
    values, counts = compiled(rows)
    assert values.tolist() == [[0, 5], [2, 1], [7, 7], [7, 7]]
    assert counts.tolist() == [1, 2, 0, 0]


def test_unique_parts_with_nan_differ() -> None:
    x = np.array([[np.nan, 1.0], [0.0, -0.0], [np.nan, 1.0], [-0.0, 0.0]])
    same(lnp.unique(x, axis=0), np.unique(x, axis=0))
    for wrong in (np.zeros((0, 2)), np.zeros((2, 0))):
        with pytest.raises(ValueError, match="needs elements"):
            lnp.unique(wrong, axis=0)


def test_unique_of_a_size() -> None:
    x = np.array([5, 3, 5, 9, 3])
    f = lz.compile(lambda x: lnp.unique(x, return_index=True, return_counts=True, size=5))
    values, index, counts = f(x)
    assert values.numpy().tolist() == [3, 5, 9, 3, 3]
    assert index.numpy().tolist() == [1, 0, 3, 1, 1]
    assert counts.numpy().tolist() == [2, 2, 1, 0, 0]
    assert lnp.unique(x, size=2).numpy().tolist() == [3, 5]
    assert lnp.unique(x, size=4, fill_value=-1).numpy().tolist() == [3, 5, 9, -1]
    with pytest.raises(LazirError, match="size="):
        lz.compile(lambda x: lnp.unique(x))(x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nonzero(dtype: Any) -> None:
    for shape in SHAPES:
        x = draw(shape, dtype)
        for got, wanted in zip(lnp.nonzero(x), np.nonzero(x), strict=True):
            same(got, wanted)
        same(lnp.argwhere(x), np.argwhere(x))
        same(lnp.flatnonzero(x), np.flatnonzero(x))


def test_nonzero_of_a_size() -> None:
    x = np.array([[0, 5, 0], [7, 0, 1]])
    found = lz.compile(lambda x: lnp.nonzero(x, size=4, fill_value=-1))(x)
    assert [f.numpy().tolist() for f in found] == [[0, 1, 1, -1], [1, 0, 2, -1]]
    assert lnp.argwhere(x, size=2).numpy().tolist() == [[0, 1], [1, 0]]
    with pytest.raises(LazirError, match="size="):
        lz.compile(lambda x: lnp.nonzero(x))(x)
    with pytest.raises(LazirError, match="rank 1"):
        lnp.nonzero(5)


def test_compress_and_extract() -> None:
    x = plain((4, 5), np.float32)
    rows, columns = np.array([True, False, True]), np.array([0, 3, 0, 1, 1])
    same(lnp.compress(rows, x, 0), np.compress(rows, x, 0))
    same(lnp.compress(columns, x, 1), np.compress(columns, x, 1))
    same(lnp.compress(rows, x), np.compress(rows, x))
    same(lnp.extract(x > 0, x), np.extract(x > 0, x))
    got = lz.compile(lambda x: lnp.compress(rows, x, 0, size=3, fill_value=9))(x).numpy()
    np.testing.assert_array_equal(got, [x[0], x[2], [9] * 5])


def test_bincount() -> None:
    x = np.array([3, 1, 1, 0, 7])
    weights = plain((5,), np.float64)
    same(lnp.bincount(x), np.bincount(x))
    same(lnp.bincount(x, minlength=12), np.bincount(x, minlength=12))
    near(lnp.bincount(x, weights), np.bincount(x, weights), 1e-12)
    assert lz.compile(lambda x: lnp.bincount(x, length=3))(x).numpy().tolist() == [1, 2, 0]
    assert lnp.bincount(np.zeros(0, int)).numpy().shape == (0,)
    with pytest.raises(LazirError, match="negative"):
        lnp.bincount(np.array([1, -1]))
    with pytest.raises(LazirError, match="length="):
        lz.compile(lambda x: lnp.bincount(x))(x)


def test_histogram() -> None:
    x = plain((200,), np.float64)
    x[3] = np.nan
    clean = x[~np.isnan(x)]
    for bins in (1, 7, np.array([-30.0, -2.0, 0.0, 5.0])):
        for got, wanted in zip(lnp.histogram(clean, bins), np.histogram(clean, bins), strict=True):
            near(got, wanted, 1e-12)
    for got, wanted in zip(
        lnp.histogram(x, 5, (-10, 10), density=True, weights=np.arange(200.0)),
        np.histogram(x, 5, (-10, 10), density=True, weights=np.arange(200.0)),
        strict=True,
    ):
        near(got, wanted, 1e-12)
    assert lnp.histogram(np.zeros(0), 3)[0].numpy().tolist() == [0, 0, 0]
    assert lnp.histogram(np.array([2.0, 2.0]), 2)[0].numpy().tolist() == [0, 2]


# -- derivatives -------------------------------------------------------------------------
def check_gradient(f: Any, x: np.ndarray[Any, Any]) -> None:
    """Reverse mode against differences, in f64."""
    rng = np.random.default_rng(5)
    weights = rng.normal(size=f(lz.Tensor(x)).shape)
    got = lz.grad(lambda x: (f(x) * weights).sum())(lz.Tensor(x)).numpy()
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-6
        high, low = (float((f(lz.Tensor(x + s)).numpy() * weights).sum()) for s in (step, -step))
        assert abs(got[place] - (high - low) / 2e-6) < 1e-5 * max(1.0, abs(got[place]))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: lnp.sort(x, 0),
        lambda x: lnp.sort(x, descending=True),
        lambda x: lnp.median(x, 1),
        lambda x: lnp.quantile(x, 0.3),
        lambda x: lz.lax.top_k(x, 2)[0],
        lambda x: lnp.cumsum(x, 1),
        lambda x: lnp.cumprod(x, 0),
        lambda x: lz.lax.cummax(x, 1),
        lambda x: lz.lax.cummin(x, 0, reverse=True),
        lambda x: lnp.trapezoid(x),
        lambda x: lnp.interp(x, np.array([-3.0, 0.1, 3.0]), np.array([1.0, -1.0, 4.0])),
    ],
)
def test_gradients(f: Any) -> None:
    check_gradient(f, np.random.default_rng(3).normal(size=(3, 4)))


def test_values_and_gradients_share_one_sort() -> None:
    f = lz.compile(lz.value_and_grad(lambda x: (lnp.sort(x) * np.arange(5.0)).sum()))
    x = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    assert f.lower(x).ir("optimized").count("lz.sort") == 1
    assert f(x)[1].numpy().tolist() == [2, 0, 1, 4, 3]


def test_gradient_of_a_product_with_zeros() -> None:
    for x in ([2.0, 0.0, 3.0, 0.5], [0.0, 2.0, 0.0, 3.0], [1.0, 2.0, 3.0, 0.0]):
        check_gradient(lambda x: lnp.cumprod(x), np.array(x))


def test_ties_of_running_extrema_go_to_the_first() -> None:
    x = lz.Tensor(np.array([1.0, 2.0, 2.0, 1.0]))
    assert lz.grad(lambda x: lz.lax.cummax(x).sum())(x).numpy().tolist() == [1, 3, 0, 0]
    grad = lz.grad(lambda x: lz.lax.cummax(x, reverse=True).sum())(x)
    assert grad.numpy().tolist() == [0, 0, 3, 1]


def test_batching() -> None:
    x = plain((3, 5, 4), np.float64)
    for f in (
        lambda x: lnp.argsort(x, 0),
        lambda x: lnp.cumsum(x, 1),
        lambda x: lnp.median(x),
        lambda x: lnp.searchsorted(lnp.sort(x[0]), x),
        lambda x: lnp.unique(x > 0, size=2),
    ):
        got = lz.vmap(f)(lz.Tensor(x)).numpy()
        np.testing.assert_array_equal(got, np.stack([f(lz.Tensor(row)).numpy() for row in x]))
