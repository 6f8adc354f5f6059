"""NumPy's names beyond the array standard against NumPy: one table of calls, each run on NumPy's
arrays, lazily on tensors, and inside one compiled function.

A case is a call as text; `np_` is the library, and A … are the arguments. All cases of a table are
compiled as one program, which keeps the tests fast.
"""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError

RNG = np.random.default_rng(5)
ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "v": RNG.normal(size=7),
    "w": RNG.normal(size=4),
    "m": RNG.normal(size=(3, 4)),
    "t": RNG.normal(size=(6, 10))[::2, ::-2],  # neither contiguous nor forwards
    "c": RNG.normal(size=(2, 3, 4)),
    "s": np.float64(1.5) * np.ones(()),
    "z": np.zeros((0, 3)),
    "i": RNG.integers(-5, 6, 9),
    "j": RNG.integers(0, 4, (2, 5)).astype(np.int32),
    "u": RNG.integers(0, 256, (3, 5)).astype(np.uint8),
    "b": RNG.integers(0, 2, (3, 9)).astype(bool),
    "f": RNG.normal(size=(3, 5)).astype(np.float32),
    "n": np.array([[np.nan, 1.0, -2.0, np.inf], [3.0, np.nan, 0.5, -1.0], [np.nan] * 4]),
    "e": np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e-310, 1.0, -1.5, 1.7e308]),
}

SHAPES = """
np_.atleast_3d(s); np_.atleast_3d(v); np_.atleast_3d(m); np_.atleast_3d(c); np_.dstack([m, m])
np_.dstack([v, v]); np_.hsplit(m, 2); np_.hsplit(v, [2, 5]); np_.vsplit(m, [1]); np_.dsplit(c, 2)
np_.block([[m, m], [t[:, :4], m]]); np_.block([v, w]); np_.block([[[c]], [[c]]]); np_.block(m)
np_.delete(m, 1, 0); np_.delete(m, [0, -1], 1); np_.delete(m, slice(None, None, 2), 1)
np_.delete(v, np.array([True, False] * 3 + [True])); np_.delete(m, []); np_.delete(m, 5)
np_.insert(v, 2, 9.0); np_.insert(v, [1, 1, 7], [5, 6, 7]); np_.insert(m, 1, w, 0)
np_.insert(m, [0, 2], m[:, :2], 1); np_.insert(m, 1, 5, axis=1)
np_.insert(m, 1, [[1], [2], [3]], axis=1); np_.insert(m, [1], [[1], [2], [3]], axis=1)
np_.insert(i, -1, [7, 8]); np_.insert(m, slice(1, 3), 0.5, 0); np_.resize(v, (3, 5))
np_.resize(m, 5); np_.resize(v, (2, 0)); np_.resize(z, (2, 2)); np_.ix_([0, 2], [1, 3, 0])
np_.ix_(np.array([True, False, True]), [2]); m[np_.ix_([0, 2], [1, 3])]; np_.tril_indices(4)
np_.tril_indices(4, -1, 3); np_.triu_indices(3, 1); np_.triu_indices_from(m)
np_.tril_indices_from(m, 1); np_.diag_indices(3); np_.diag_indices(3, 3); np_.diagflat(m, -1)
np_.vander(v); np_.vander(v, 3); np_.vander(i, 4, True); np_.vander(v, 0); np_.vander(w, 1)
np_.mgrid[0:3, 1:4]; np_.mgrid[2:9:3]; np_.ogrid[0:3, 1:4]; np_.r_[1:4, 0, i]; np_.c_[v, v]
np_.r_["0,2", v, v]; np_.r_["1,2,0", v, v]; np_.r_["-1", m, m]; np_.c_[m, m]
np_.c_[i, np_.ones_like(i)]; np_.unravel_index(17, (3, 2, 4))
np_.unravel_index([[5, 3]], (2, 3), "F"); np_.indices((2, 3))
np_.ravel_multi_index(([0, 1], [2, 2]), (2, 3))
np_.ravel_multi_index(([0, 1], [2, 2]), (2, 3), order="F")
np_.ravel_multi_index(([0, 9], [-1, 2]), (2, 3), mode=("clip", "wrap")); np_.around(v, 2)
np_.packbits(b); np_.packbits(b, 1); np_.packbits(b, 0, "little"); np_.unpackbits(u)
np_.unpackbits(u, 1); np_.unpackbits(u, 1, bitorder="little"); np_.unpackbits(u, 0, 13)
np_.unpackbits(u, 1, -3); np_.unpackbits(u, 1, 50); np_.degrees(v); np_.radians(v)
np_.array_equiv(m, m); np_.array_equiv(v, m); np_.array_equiv(np_.ones((2, 3)), 1)
np_.matvec(c, w); np_.vecmat(m[:, 0], m); np_.vecmat(m[0, :3], c)
np_.apply_over_axes(np_.sum, c, (0, 2)); np_.apply_over_axes(np_.sum, c, 1)
np_.apply_along_axis(lambda x: x.sum(), 0, m); np_.apply_along_axis(lambda x: x[:2], 1, c)
np_.apply_along_axis(lambda x: x[:, None] * x, 1, c); np_.apply_along_axis(lambda x: x * 2, -1, v)
np_.choose(j, [j * 0, j + 1, j * 10, 7]); np_.choose(i, [v[0], 2.0, 3.0], mode="wrap")
np_.choose(i, (1, 2, 3), mode="clip"); np_.choose(j[0] % 2, [j, j * 2])
np_.piecewise(v, [v < 0, v > 0.5], [-1, lambda x: x * x])
np_.piecewise(v, v > 0, [lambda x: x, 3])
np_.piecewise(v, [v < 0, v > 0.5], [-1, lambda x, k: x * k, 9], 3.0)
np_.piecewise(i, [i > 0], [2.7])
"""

NUMBERS = """
np_.float_power(v ** 2, 1.5); np_.float_power(i, 2); np_.logaddexp2(v[:4], w)
np_.logaddexp2(e, e); np_.isneginf(e); np_.isposinf(e); np_.frexp(e); np_.frexp(v); np_.frexp(f)
np_.modf(e); np_.modf(f * 10); np_.ldexp(v, i[:7] * 9); np_.ldexp(e, 3); np_.ldexp(e, -1070)
np_.ldexp(e, 3000); np_.ldexp(f, j[0]); np_.ldexp(1.7e308 + 0 * v[0], -2140); np_.spacing(e)
np_.spacing(f); np_.gcd(i, 6); np_.gcd(j, j[::-1]); np_.gcd(i, 0); np_.lcm(i, 6); np_.lcm(j, 4)
np_.cov(m); np_.cov(m, rowvar=False); np_.cov(v); np_.cov(m, m[::-1]); np_.cov(m, bias=True)
np_.cov(m, ddof=0); np_.cov(m, aweights=[1, 2, 3, 4]); np_.cov(m, fweights=[1, 2, 3, 4])
np_.cov(m, fweights=[1, 0, 3, 4], aweights=[1, 2, 3, 0.5], ddof=2); np_.cov(i, i); np_.corrcoef(m)
np_.corrcoef(v); np_.corrcoef(m, rowvar=False); np_.convolve(v, w); np_.convolve(w, v, "same")
np_.convolve(v, w, "valid"); np_.convolve(i, [1, 2]); np_.correlate(v, w)
np_.correlate(v, w, "full"); np_.correlate(v, w, "same"); np_.correlate(w, v)
np_.correlate(w, v, "same"); np_.correlate(w, v, "full"); np_.correlate(w, v[:5], "same")
np_.convolve(v, w[:3], "same"); np_.convolve(w, v[:5], "same"); np_.convolve(b[0], b[1])
np_.gradient(v); np_.gradient(m); np_.gradient(m, 2.0, axis=1); np_.gradient(m, 2.0, 0.5)
np_.gradient(v, v.cumsum()); np_.gradient(v, v.cumsum(), edge_order=2)
np_.gradient(m, edge_order=2, axis=0); np_.gradient(m, [1.0, 3.0, 4.0], w.cumsum(), edge_order=2)
np_.gradient(v[:2]); np_.gradient(c, axis=(0, 2)); np_.gradient(f, axis=-1); np_.unwrap(v * 9)
np_.unwrap(m * 9, axis=0); np_.unwrap(i, period=4); np_.unwrap(i, period=5)
np_.unwrap(v * 9, discont=5.0); np_.unwrap(f * 9); np_.polyval(w, m); np_.polyval([2], v)
np_.polyval([], v); np_.polyval([1, 2, 3], i); np_.polyadd(v, w); np_.polysub(w, v)
np_.polymul(v, w); np_.polyder(v); np_.polyder(v, 3); np_.polyder(w, 9); np_.polyint(v)
np_.polyint(w, 3, [1, 2, 3]); np_.polyint(w, 2, 5); np_.polydiv(v, w); np_.polydiv(w, v)
np_.poly(w); np_.poly([1, 2, 3]); np_.polyfit(v, v**2 - w[0], 2)
np_.polyfit(v, np_.vander(v, 3), 4); np_.polyfit(v, v * 2, 1, w=v**2); np_.isin(i, [1, 2])
np_.isin(j, np_.arange(40) - 38, invert=True); np_.isin(j, []); np_.isin(n, [np.nan, 1.0])
np_.interp(v, w.cumsum() ** 2 + np_.arange(4), w); np_.trapezoid(m, axis=0); np_.nanprod(n, 0)
np_.nanprod(n); np_.nanvar(n[:, 1:3], 1); np_.nanstd(n[:2, 1:3], 0, ddof=1)
np_.nansum(n, 1, keepdims=True); np_.nanmean(n[:2], 1); np_.nanmax(n, 1); np_.nanmin(n)
np_.nanargmax(n[:2], 1); np_.nanargmin(n[:2], 0); np_.nanargmax(n)
np_.nanargmax(-n[:2], 1, keepdims=True); np_.nanmax(n, 0, where=n < 2, initial=-5.0)
np_.nansum(i); np_.nanmax(i, 0); np_.nanvar(n, 1, ddof=1); np_.nanvar(f, mean=np_.mean(f))
np_.var(m, 0, mean=np_.ones((1, 4))); np_.nanmean(n, where=n < 2)
np_.einsum(m, [0, 1], w, [1], [0]); np_.einsum(c, [..., 0, 1], [..., 1, 0])
np_.einsum("ab,bc,cd,da->", m, m.T, m, m.T); np_.einsum("ij,kj,kl->il", m, m, m, optimize=False)
np_.einsum("ij,kj,kl->il", m, m, m, optimize=["einsum_path", (1, 2), (0, 1)])
np_.average(m, 1, w, returned=True); np_.average(m, returned=True); np_.histogram2d(v, v * 2, 3)
np_.histogramdd(m, 2); np_.histogram2d(v, v[::-1], [3, [-1.0, 0.0, 2.0]])
np_.histogramdd([v, v], (2, 3), [(-1, 1), (0, 2)], weights=v)
np_.histogram2d(v, v**2, 2, [(-1, 1), (0, 2)], density=True)
np_.histogramdd(m.T, 2, density=True); np_.histogram2d(v, v, [-1.0, 0.0, 0.5, 1.0])
"""

OPTIONS = """
np_.pad(m, 2, "linear_ramp", end_values=(1.5, -2.0)); np_.pad(i, (3, 0), "linear_ramp")
np_.pad(m, ((1, 0), (2, 3)), "maximum"); np_.pad(m, 2, "minimum", stat_length=2)
np_.pad(m, 2, "mean", stat_length=((1, 2), (3, 9))); np_.pad(i, 2, "mean")
np_.pad(i, 2, "median"); np_.pad(m, 1, "median"); np_.pad(m, 2, "reflect", reflect_type="odd")
np_.pad(w, 7, "reflect"); np_.pad(m, 3, "symmetric", reflect_type="odd")
np_.pad(w, (0, 11), "symmetric"); np_.pad(w, 9, "wrap"); np_.pad(c, 1, "edge")
np_.pad(m, ((1, 2), (0, 1)), constant_values=((1, 2), (3, 4))); np_.pad(m, {1: (2, 1)})
np_.ediff1d(m, [1.0, 2.0], 9.0); np_.ediff1d(i, to_begin=7)
np_.logspace([0, 1], [2, 3], 4, axis=1, base=2.0); np_.geomspace(1.0, 1000.0, 4)
np_.geomspace(-2.0, -16.0, 4); np_.geomspace([1.0, 2], [10.0, 7], 5, axis=1)
np_.geomspace(1, 300, 5, dtype=int); np_.geomspace(1.0, 8.0, 3, False)
np_.indices((2, 3), sparse=True); np_.trace(j); np_.trace(u); np_.trace(m, 1, dtype=np.float32)
np_.cross(m[:, :3], m[0, :3]); np_.cross(m, m[::-1], axisa=0, axisb=0)
np_.cross(m, m[::-1] + 1, axis=0); np_.cross(m[:, :3], m[:, 1:], axisb=0, axisc=0)
np_.take(m, [0, 9], 1, mode="clip"); np_.take(m, [[-1, 5]], mode="wrap"); np_.average(m, 0)
np_.concatenate([i, j[0]], dtype=np.float64); np_.stack([i, i], 1, dtype=np.float64)
np_.cumsum(m, 1); np_.zeros((2, 3), np.float64, "F"); np_.copy(m, "F")
np_.array(m, order="F", ndmin=3); np_.argsort(m, 0, None, None)
np_.std(m, 0, None, None, 1, True); np_.sum(m, 1, None, None, True, 5.0, m > 0)
np_.max(m, 0, None, True, 0.5, m > 0); np_.any(m > 1, 0, None, True)
np_.argmax(m, 1, None, keepdims=True); np_.ptp(m, 0, None, True)
np_.median(m, 0, None, False, True); np_.quantile(m, [0.2, 0.5], 1, None, False, "hazen", True)
np_.quantile(m, [0.2, 0.5], 1, method="inverted_cdf", weights=[1, 2, 0, 3])
np_.nanquantile(n[:2], 0.4, 1, method="weibull")
np_.quantile(m, 0.3, method="inverted_cdf", weights=m**2)
np_.quantile(m, [0.0, 1.0], 0, method="inverted_cdf", weights=[1, 2, 1])
np_.nanquantile(n[:2], 0.6, 1, method="inverted_cdf", weights=m[:2] ** 2)
np_.percentile(v, 30, method="hazen")
"""

SETS = """
np_.union1d(i, j); np_.intersect1d(i, j); np_.setdiff1d(i, j); np_.setxor1d(i, j)
np_.setdiff1d(j, [2, 9]); np_.intersect1d(i, j, return_indices=True); np_.setdiff1d(i, j, True)
np_.union1d(v, w); np_.setxor1d(i, []); np_.trim_zeros(np_.array([0, 0, 1, 2, 0]))
np_.trim_zeros(np_.asarray([0, 1, 0]), "f"); np_.trim_zeros(np_.array([0, 0]))
np_.mask_indices(3, np_.triu, 1); np_.trim_zeros(np_.array([[0, 0, 0], [0, 1, 0]]))
np_.trim_zeros(np_.array([[0, 0, 0], [0, 1, 0]]), axis=0)
np_.trim_zeros(np_.array([0, 1, 0]), "b"); np_.intersect1d([], i)
np_.intersect1d(i, [], return_indices=True)
"""


def cases(text: str) -> list[str]:
    return [c.strip() for line in text.strip().splitlines() for c in line.split(";") if c.strip()]


def leaves(x: Any) -> list[Any]:
    if isinstance(x, tuple | list):
        return [y for item in x for y in leaves(item)]
    return [x]


def expected(case: str) -> list[Any]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [np.asarray(x) for x in leaves(eval(case, {"np_": np, "np": np, **ARRAYS}))]


def agree(case: str, got: list[Any], wanted: list[Any]) -> None:
    assert len(got) == len(wanted), case
    for g, w in zip(got, wanted, strict=True):
        data = np.asarray(g)
        assert data.shape == w.shape, f"{case}: {data.shape}, NumPy {w.shape}"
        # lists of floats and default dtypes are float32 here
        assert data.dtype.kind == w.dtype.kind, f"{case}: {data.dtype}, NumPy {w.dtype}"
        tight = data.dtype == w.dtype == np.float64
        rtol = 1e-11 if tight else 2e-5
        np.testing.assert_allclose(data, w, rtol, rtol * 1e-2 if tight else 1e-5, err_msg=case)


def lazily(case: str) -> list[Any]:
    tensors = {k: lz.Tensor(v) for k, v in ARRAYS.items()}
    return leaves(eval(case, {"np_": lnp, "np": np, **tensors}))


TABLES = {"shapes": SHAPES, "numbers": NUMBERS, "options": OPTIONS, "sets": SETS}


@pytest.mark.parametrize("table", TABLES)
def test_values(table: str) -> None:
    found = [(case, lazily(case)) for case in cases(TABLES[table])]
    for case, got in found:
        agree(case, got, expected(case))


@pytest.mark.parametrize("table", ["shapes", "numbers", "options"])
def test_compiled(table: str) -> None:
    """All cases as one program, from arrays whose data is not known while tracing."""
    texts = cases(TABLES[table])

    @lz.compile
    def everything(arrays: dict[str, Any]) -> list[Any]:
        return [leaves(eval(c, {"np_": lnp, "np": np, **arrays})) for c in texts]

    for case, got in zip(texts, everything(ARRAYS), strict=True):
        if "polydiv" in case:  # leading zeros of the remainder stay where it is traced
            continue
        agree(case, got, expected(case))


QUANTILES = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
    "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher",
    "midpoint", "nearest",
]  # fmt: skip


def test_every_method_of_quantiles() -> None:
    """Sizes around the places that methods treat apart, NaNs and infinities among them."""
    q = np.array([0.0, 0.125, 0.2, 0.25, 0.4, 0.5, 0.625, 0.75, 0.9, 1.0])
    rows = [RNG.normal(size=k) for k in (1, 2, 4, 5, 8)]
    rows += [np.array([1.0, np.inf, -2.0, 0.0]), np.array([3.0, np.nan, 1.0])]
    names = QUANTILES

    @lz.compile
    def run(xs: Any) -> Any:
        return [[lnp.quantile(x, q, method=m) for m in names] for x in xs] + [
            [lnp.nanquantile(x, q, method=m) for m in names] for x in xs
        ]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = [[np.quantile(x, q, method=m) for m in names] for x in rows]  # type: ignore[call-overload]
        wanted += [[np.nanquantile(x, q, method=m) for m in names] for x in rows]  # type: ignore[call-overload]
    for found, right in zip(run(rows), wanted, strict=True):
        for name, a, b in zip(names, found, right, strict=True):
            finite = np.isfinite(b)  # NumPy gives NaN where it multiplies an infinity by 0
            np.testing.assert_allclose(a.numpy()[finite], b[finite], 1e-12, err_msg=name)
            assert np.isnan(a.numpy()).all() == np.isnan(b).all()


def test_pad_by_a_function() -> None:
    def fill(vector: Any, widths: Any, axis: int, options: Any) -> None:
        vector[: widths[0]] = options.get("padder", 10) + axis
        vector[vector.shape[0] - widths[1] :] = vector[widths[0]]

    m = ARRAYS["m"]
    np.testing.assert_array_equal(
        lnp.pad(m, ((1, 2), (2, 1)), fill, padder=7), np.pad(m, ((1, 2), (2, 1)), fill, padder=7)
    )


def test_results_go_where_out_says() -> None:
    m = ARRAYS["m"]
    calls = [
        ("sum", (m, 0), (4,)), ("mean", (m, 1), (3,)), ("std", (m, 1), (3,)),
        ("dot", (m, m.T), (3, 3)), ("matmul", (m, m.T), (3, 3)), ("outer", (m, m[0]), (12, 4)),
        ("cumsum", (m, 0), (3, 4)), ("concatenate", ([m, m],), (6, 4)),
        ("stack", ([m, m],), (2, 3, 4)), ("take", (m, [0, 1], 1), (3, 2)),
        ("median", (m, 0), (4,)), ("trace", (m,), ()), ("ptp", (m, 0), (4,)),
        ("nanmax", (m, 0), (4,)),
    ]  # fmt: skip
    for name, args, shape in calls:
        out, wanted = lnp.zeros(shape, "f64"), np.zeros(shape)
        result = getattr(lnp, name)(*args, out=out)
        assert result is out, name
        getattr(np, name)(*args, out=wanted)
        np.testing.assert_allclose(out, wanted, 1e-12, 1e-14, err_msg=name)


def test_sets_of_fixed_size_compile() -> None:
    a, b = np.array([5, 1, 3, 3, 9]), np.array([3, 4, 5])

    @lz.compile
    def sets(x: Any, y: Any) -> Any:
        return (
            lnp.union1d(x, y, size=7),
            lnp.intersect1d(x, y, size=3, fill_value=-1, return_indices=True),
            lnp.setdiff1d(x, y, size=2),
            lnp.setxor1d(x, y, size=1),
        )

    union, (both, first, second), rest, either = sets(a, b)
    np.testing.assert_array_equal(union, [1, 3, 4, 5, 9, 1, 1])
    np.testing.assert_array_equal(both, [3, 5, -1])
    np.testing.assert_array_equal(first[:2], [2, 0])
    np.testing.assert_array_equal(second[:2], [0, 2])
    np.testing.assert_array_equal(rest, [1, 9])
    np.testing.assert_array_equal(either, [1])
    with pytest.raises(LazirError, match="size="):
        lz.compile(lambda x: lnp.intersect1d(x, x))(a)


IN_PLACE = [
    "np_.put(x, [0, -1, 2], [7, 8])", "np_.put(x, [0, 99], 5, mode='clip')",
    "np_.put(x, [13, -1], 5, mode='wrap')", "np_.put(x, [], 1.0)",
    "np_.place(x, x > 0, [1.0, 2.0])", "np_.place(x, [[True] * 4] * 3, 5)",
    "np_.putmask(x, x > 0, [1.0, 2.0, 3.0])", "np_.putmask(x, x < 0, x * 2)",
    "np_.copyto(x, 5)", "np_.copyto(x, [1, 2, 3, 4], where=x > 0)",
    "np_.fill_diagonal(x, 5)", "np_.fill_diagonal(x, [1, 2])", "np_.fill_diagonal(x.T, 3)",
    "np_.put_along_axis(x, np_.argmax(x, 1)[:, None], -9.0, 1)",
]  # fmt: skip


@pytest.mark.parametrize("case", IN_PLACE)
def test_writes_into_a_tensor(case: str) -> None:
    """The name stands for the new elements afterwards, as in NumPy; lazily and compiled."""
    if "x.T" in case:
        with pytest.raises(lz.errors.AliasError):
            x = lnp.asarray(ARRAYS["m"])
            eval(case, {"np_": lnp, "x": x})
        return
    wanted = ARRAYS["m"].copy()
    eval(case, {"np_": np, "x": wanted})
    x = lnp.asarray(ARRAYS["m"])
    eval(case, {"np_": lnp, "x": x})
    np.testing.assert_array_equal(x, wanted)

    @lz.compile
    def run(a: Any) -> Any:
        b = a.copy()
        eval(case, {"np_": lnp, "x": b})
        return b

    np.testing.assert_array_equal(run(ARRAYS["m"]), wanted)


def test_fill_diagonal_of_high_matrices_and_cubes() -> None:
    for shape, wrap in (((7, 2), True), ((7, 2), False), ((3, 3, 3), False), ((2, 5), True)):
        wanted = np.zeros(shape)
        np.fill_diagonal(wanted, [1, 2, 3], wrap)
        got = lnp.fill_diagonal(np.zeros(shape), [1, 2, 3], wrap, inplace=False)
        np.testing.assert_array_equal(got, wanted)


ERRORS = [
    ("lnp.put(np.zeros(3), 0, 1)", "inplace=False"),
    ("lnp.copyto(lnp.zeros(2, int), 1.5)", "losing its kind"),
    ("lnp.sum(lnp.ones(3), out=np.zeros(()))", "`out` is a tensor"),
    ("lnp.sum(lnp.ones(3), out=lnp.zeros(2))", "`out` has shape"),
    ("lnp.sum(lnp.ones(3), out=lnp.zeros((), int))", "losing its kind"),
    ("lnp.frompyfunc(max, 2, 1)", "vectorize"),
    ("lnp.delete(lnp.arange(3), 5)", "place 5 is out of range"),
    ("lnp.insert(lnp.arange(3), -4, 1)", "place -4 is out of range"),
    ("lz.compile(lambda i: lnp.delete(lnp.arange(3), i))(np.array(1))", "decides a shape"),
    ("lz.compile(lambda x: lnp.trim_zeros(x))(np.ones(3))", "decides a shape"),
    ("lnp.unravel_index(6, (2, 3))", "outside of 0 … 5"),
    ("lnp.choose([3], [1, 2])", "outside of 0 … 1"),
    ("lnp.gradient(lnp.ones(2), edge_order=2)", "needs 3 samples"),
    ("lnp.gradient(lnp.ones((2, 2)), 1.0, 2.0, 3.0)", "3 distances for 2 axes"),
    ("lnp.block([[lnp.ones(2)], lnp.ones(2)])", "different depths"),
    ("lnp.convolve(lnp.ones((2, 2)), [1.0])", "needs vectors"),
    ("lnp.convolve([1.0], [1.0], 'valied')", "mode is"),
    ("lnp.vectorize(lambda x: x, signature='(n')", "signature looks like"),
    ("lnp.einsum('ij,jk,kl', *[lnp.eye(2)] * 3, optimize=[(0, 5)])", "does not name 3"),
    ("lnp.gcd(1.5, 2)", "takes integers"),
    ("lnp.packbits(lnp.ones(3))", "integers or bools"),
    ("lnp.polyfit(lnp.ones(3), lnp.ones(2), 1)", "3 places, 2 values"),
    ("lnp.r_['r', 1]", "'axis,ndmin'"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "message"), ERRORS)
def test_errors_say_what_to_do(case: str, message: str) -> None:
    with pytest.raises(LazirError, match=message):
        eval(case, {"lnp": lnp, "np": np, "lz": lz})


def test_vectorize() -> None:
    m, w = ARRAYS["m"], ARRAYS["w"]
    same = lnp.vectorize(lambda a, b: lnp.where(a > b, a, b * 2), otypes=["float32"])
    np.testing.assert_allclose(same(m, w), np.where(m > w, m, w * 2), rtol=1e-6)
    assert same(m, w).dtype == lz.float32
    dot = lnp.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")
    np.testing.assert_allclose(dot(m[:, None], w * np.ones((5, 4))), m @ (w * np.ones((5, 4))).T)
    two = lnp.vectorize(lambda a, k: (a * k, a.sum()), signature="(n),()->(n),()", excluded={1})
    with pytest.raises(LazirError, match="2 arguments, 1"):
        two(m, 3)
    scaled = lnp.vectorize(lambda a, k=1: (a * k, a.sum()), signature="(n)->(n),()", excluded={"k"})
    parts = scaled(m, k=3)
    np.testing.assert_allclose(parts[0], m * 3)
    np.testing.assert_allclose(parts[1], m.sum(1))


def test_files_and_text(tmp_path: Any) -> None:
    x = lnp.asarray(ARRAYS["f"])
    lnp.save(tmp_path / "x.npy", x)
    np.testing.assert_array_equal(lnp.load(tmp_path / "x.npy"), ARRAYS["f"])
    lnp.savez(tmp_path / "x.npz", x, y=x * 2)
    found = lnp.load(tmp_path / "x.npz")
    assert sorted(found) == ["arr_0", "y"]
    np.testing.assert_array_equal(found["y"], ARRAYS["f"] * 2)
    lnp.savetxt(tmp_path / "x.txt", x)
    np.testing.assert_allclose(lnp.loadtxt(tmp_path / "x.txt"), ARRAYS["f"])
    ARRAYS["i"].tofile(tmp_path / "x.raw")
    np.testing.assert_array_equal(lnp.fromfile(tmp_path / "x.raw", int), ARRAYS["i"])
    with lnp.printoptions(precision=2):
        assert lnp.array_str(lnp.array([1.23456])) == "[1.23]"
        assert str(lnp.array([1.23456])) == "[1.23]"


def test_einsum_paths() -> None:
    """The order of fewest products: all orders of a chain, counted here by brute force."""
    rng = np.random.default_rng(1)
    for _ in range(5):
        sizes = rng.integers(2, 30, 6)
        mats = [np.ones((a, b)) for a, b in itertools.pairwise(sizes)]
        terms = ["ab", "bc", "cd", "de", "ef"]
        dims = dict(zip("abcdef", sizes.tolist()))

        def fewest(lo: int, hi: int, d: Any = sizes) -> int:
            if hi - lo == 1:
                return 0
            return min(fewest(lo, k) + fewest(k, hi) + int(d[lo] * d[k] * d[hi])
                       for k in range(lo + 1, hi))  # fmt: skip

        path, text = lnp.einsum_path(",".join(terms) + "->af", *mats)
        work, left = 0, list(terms)
        for step in path[1:]:
            parts = [left[k] for k in step]
            left = [t for k, t in enumerate(left) if k not in step]
            letters = set("".join(parts))
            work += int(np.prod([dims[c] for c in letters]))
            rest = "af" + "".join(left)
            left.append("".join(sorted(c for c in letters if c in rest)))
        assert work == fewest(0, 5)
        assert text.startswith("ab,bc,cd,de,ef->af: " + str(work))


def stencil(np_: Any, u: Any) -> Any:
    """Loops that write into slices of what they read, as programs for the heat equation do."""
    v = np_.zeros_like(u)
    for _ in range(3):
        u[1:-1, 1:-1] += 0.1 * (u[2:, 1:-1] - 2 * u[1:-1, 1:-1] + u[:-2, 1:-1])
        old = u.copy()
        u[1:, :] = u[:-1, :]
        u[:, :] = u[:, ::-1]
        u[0, :] *= 2.0
        u[:, -1] = u[:, -2]
        u[:, 0] -= old[:, 1]
        v[...] = u
        v[::2] /= 2.0
        u[-1] = v[0]
    return u + v


def test_stencils_write_in_place() -> None:
    start = RNG.normal(size=(5, 6))
    wanted = stencil(np, start.copy())
    np.testing.assert_allclose(stencil(lnp, lnp.asarray(start)), wanted, rtol=1e-12)

    @lz.compile
    def run(u: Any) -> Any:
        return stencil(lnp, u.copy())

    np.testing.assert_allclose(run(start), wanted, rtol=1e-12)
