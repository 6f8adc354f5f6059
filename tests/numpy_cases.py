"""Calls of NumPy functions as text, and how a result is compared with NumPy's.

`np_` is the library, single letters are the arrays below. Takes nothing. Gives: tables, `agree`.
Must not know: how a case is run.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import lazir as lz
import lazir.numpy as lnp

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
np_.round(i * 37, -1); np_.round(i * 50, -2); np_.round(u, -1); np_.round(i, -30)
np_.round(m * 9, -1); np_.round(j, 3); np_.clip(m, None, 0.5); np_.clip(m, w * 0, w**2)
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

UFUNCS = """
np_.add.reduce(m); np_.add.reduce(m, None); np_.multiply.reduce(m, 1, keepdims=True)
np_.add.reduce(u); np_.maximum.reduce(m, (0, 1))
np_.minimum.reduce(m, 0, initial=-1.0, where=m > 0); np_.fmax.reduce(n)
np_.add.reduce(m, 0, where=m > 0, initial=2.0); np_.logical_and.reduce(m > -1)
np_.logical_xor.reduce(b); np_.logical_or.reduce(j, 1); np_.bitwise_and.reduce(u, 1)
np_.bitwise_or.reduce(u); np_.gcd.reduce(i); np_.bitwise_xor.reduce(u, None)
np_.lcm.reduce(j + 1); np_.hypot.reduce(m, 1); np_.logaddexp.reduce(m, 1)
np_.logaddexp.reduce(m, 0, initial=1.0); np_.bitwise_or.reduce(i, initial=1)
np_.logaddexp2.reduce(m); np_.add.accumulate(m); np_.multiply.accumulate(m, 1)
np_.maximum.accumulate(n, 1); np_.fmin.accumulate(n); np_.logical_xor.accumulate(b, 1)
np_.logical_or.accumulate(j, -1); np_.bitwise_xor.accumulate(u, 1); np_.hypot.accumulate(v)
np_.logaddexp.accumulate(v); np_.minimum.accumulate(i); np_.add.accumulate(u, 1)
np_.add.reduceat(v, [0, 3, 5]); np_.add.reduceat(m, [1, 0, 2], 1)
np_.maximum.reduceat(v, [0, 2, 2, 6]); np_.multiply.outer(v, m); np_.subtract.outer(v, w)
np_.less.outer(i, j); np_.add.outer(v[0], w); np_.add(m, 1, dtype=np.float32, casting="unsafe")
np_.sqrt(i * i, dtype=np.float64); np_.add(i, 1, dtype=float); np_.less(m, 0, dtype=bool)
np_.multiply(j, j, dtype=np.int64)
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
