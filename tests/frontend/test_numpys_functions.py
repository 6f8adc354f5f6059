"""NumPy's own functions on tensors: each computes with lazir, or is a TypeError that says why not.

The table has a call of every public function of NumPy that asks its arguments for an implementation
(`__array_function__`, `__array_ufunc__`), beside those of `numpy_cases.py`.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy_cases
import pytest
from interpreted import interpreter
from numpy_cases import ARRAYS, agree, cases, leaves

import lazir as lz

RNG = np.random.default_rng(11)
ROOT = RNG.normal(size=(3, 3))
HELD: dict[str, Any] = {
    **ARRAYS, "q": ROOT @ ROOT.T + np.eye(3), "k": RNG.normal(size=(3, 4)) * (1 + 2j),
    "d": RNG.integers(0, 5, (4, 4)), "p": np.abs(RNG.normal(size=5)) % 1,
}  # fmt: skip

TABLE = """
np_.all(b, 0); np_.allclose(m, m); np_.amax(m, 1); np_.amin(m); np_.angle(k); np_.append(v, w)
np_.argmin(m, 1); np_.argpartition(v, 3)[3:4]; np_.argwhere(j); np_.array2string(i)
np_.array_equal(m, m); np_.array_repr(w); np_.array_str(w); np_.array_split(v, 3)
np_.astype(m, np.float32); np_.atleast_1d(s); np_.atleast_2d(v); np_.bincount(j[0])
np_.broadcast_arrays(v[:4], m); np_.broadcast_to(w, (3, 4)); np_.can_cast(np.int8, np.int16)
np_.column_stack([v, v]); np_.compress([True, False, True], m, 0); np_.concat([m, m], 1)
np_.count_nonzero(j, 0); np_.cumprod(m, 1); np_.cumulative_prod(v); np_.cumulative_sum(v)
np_.diag(m); np_.diag_indices_from(q); np_.diagonal(c, 1, 0, 2); np_.diff(m, 2)
np_.digitize(v, w.cumsum() ** 2 + np_.arange(4)); np_.dot(m, w); np_.einsum_path("ij,j", m, w)[0]
np_.empty_like(m).shape; np_.expand_dims(m, 1); np_.extract(m > 0, m); np_.fix(m * 9)
np_.flatnonzero(j); np_.flip(m); np_.fliplr(m); np_.flipud(m); np_.full_like(i, 3)
np_.hstack([v, w]); np_.histogram(v, 4); np_.histogram_bin_edges(v, 3); np_.i0(v); np_.imag(k)
np_.inner(m, m); np_.isclose(m, m + 1e-9); np_.iscomplex(k); np_.iscomplexobj(k); np_.isreal(k)
np_.isrealobj(m); np_.kron(v, w); np_.lexsort((i, i[::-1])); np_.linspace(v, v + 1, 3)
np_.matmul(m, m.T); np_.matrix_transpose(c); np_.meshgrid(v, w); np_.min(m, 0)
np_.moveaxis(c, 0, 2); np_.nan_to_num(n); np_.nancumprod(n, 0); np_.nancumsum(n)
np_.nanmedian(n[:2], 1); np_.nanpercentile(n[:2, 1:3], 30.0); np_.ndim(c); np_.nonzero(j)
np_.outer(v, w); np_.partition(v, 3)[3]; np_.permute_dims(c, (2, 0, 1)); np_.prod(m, 1)
np_.ravel(t); np_.real(k); np_.repeat(m, 2, 1); np_.reshape(m, (2, 6)); np_.roll(m, 1, 1)
np_.rollaxis(c, 2); np_.rot90(m); np_.result_type(m, f).itemsize
np_.searchsorted(w.cumsum() ** 2 + np_.arange(4), v)
np_.select([m > 0.5, m < 0], [m, m * 2], 7.0); np_.shape(m); np_.size(m, 1); np_.sort(m, 0)
np_.split(m, 2, 1); np_.squeeze(m[:, :1]); np_.swapaxes(c, 0, 1); np_.tensordot(c, m.T, 1)
np_.take_along_axis(m, np_.argsort(m, 1), 1); np_.tile(v, (2, 1)); np_.transpose(c); np_.tril(m)
np_.unique(j); np_.unique_all(j); np_.unique_counts(j); np_.unique_inverse(j)
np_.sort(np_.unique_values(j)); np_.unstack(m); np_.vdot(m, m); np_.vecdot(m, m)
np_.vstack([w, w]); np_.where(m > 0, m, 0); np_.zeros_like(m); np_.ones_like(m); np_.copy(m)
np_.divmod(m, 0.3); np_.sum(m, 0); np_.mean(k); np_.sum(np_.roots(w)) + 0j; np_.real_if_close(k)
np_.sort_complex(k); np_.common_type(m)(1); np_.isnat(m); np_.min_scalar_type(m).itemsize
np_.may_share_memory(m, m); np_.shares_memory(m, m); np_.busday_count(m, m)
np_.busday_offset(m, m); np_.is_busday(m); np_.datetime_as_string(m); np_.linalg.cholesky(q)
np_.linalg.cond(q); np_.linalg.cross(m[:, :3], q); np_.linalg.det(q); np_.linalg.diagonal(c)
np_.linalg.eig(ROOT)[0].sum(); np_.linalg.eigh(q)[0]; np_.linalg.eigvalsh(q)
np_.linalg.eigvals(ROOT).sum(); np_.linalg.inv(q); np_.linalg.lstsq(q, m)[0]; np_.linalg.norm(m)
np_.linalg.matmul(m, m.T); np_.linalg.matrix_norm(m); np_.linalg.matrix_power(q, 3)
np_.linalg.matrix_rank(q); np_.linalg.matrix_transpose(m); np_.linalg.multi_dot([m, m.T, m])
np_.linalg.outer(v, w); np_.linalg.pinv(m); abs(np_.linalg.qr(m)[1]); np_.linalg.slogdet(q)
np_.linalg.solve(q, m); np_.linalg.svd(m)[1]; np_.linalg.svdvals(m); np_.linalg.tensordot(m, m)
np_.linalg.tensorinv(q.reshape(3, 1, 3), 2) * 0; np_.linalg.tensorsolve(q, v[:3])
np_.linalg.trace(c); np_.linalg.vecdot(m, m); np_.linalg.vector_norm(m, axis=0); np_.fft.fft(v)
np_.fft.fft2(m); np_.fft.fftn(c); np_.fft.fftshift(v); np_.fft.hfft(v); np_.fft.ifft(k)
np_.fft.ifft2(m); np_.fft.ifftn(c); np_.fft.ifftshift(v); np_.fft.ihfft(v); np_.fft.irfft(k)
np_.fft.irfft2(k); np_.fft.irfftn(k); np_.fft.rfft(v); np_.fft.rfft2(m); np_.fft.rfftn(c)
"""
for _names, _calls in (
    ("abs absolute arcsinh asinh arctan atan cbrt ceil conj conjugate cos cosh deg2rad degrees exp "
     "exp2 expm1 fabs floor isfinite isinf isnan negative positive rad2deg radians rint sign "
     "signbit sin sinc sinh spacing square tan tanh trunc reciprocal logical_not",
     "{f}(m); {f}(f); {f}(e)"),
    ("arccos acos arcsin asin arctanh atanh log log10 log1p log2 sqrt", "{f}(p); {f}(f)"),
    ("arccosh acosh", "{f}(p + 1)"),
    ("bitwise_count bitwise_invert bitwise_not invert", "{f}(i); {f}(u)"),
    ("add subtract multiply divide true_divide floor_divide mod remainder fmod maximum minimum "
     "fmax fmin equal not_equal greater greater_equal less less_equal arctan2 atan2 copysign "
     "heaviside hypot logaddexp nextafter logical_and logical_or logical_xor",
     "{f}(m, w); {f}(2.0, m)"),
    ("pow power float_power", "{f}(p, 2.5); {f}(v, 2)"),
    ("bitwise_and bitwise_or bitwise_xor", "{f}(i, 3); {f}(u, u)"),
    ("left_shift right_shift bitwise_left_shift bitwise_right_shift", "{f}(d, 2)"),
):  # fmt: skip
    for _f in _names.split():
        TABLE += _calls.format(f="np_." + _f) + "\n"

REFUSED = {
    "real_if_close", "isnat", "busday_count", "busday_offset",
    "is_busday", "datetime_as_string",
}  # fmt: skip
"""Functions without a counterpart in lazir."""

WRITERS = {
    "copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask", "save", "savetxt",
    "savez", "savez_compressed",
}  # fmt: skip
"""Functions that write into an argument or a file, which have tests of their own below."""


def name_of(case: str) -> str:
    found = re.search(r"np_\.((?:linalg\.|fft\.)?\w+)", case)
    return found[1] if found else ""


def dispatched() -> set[str]:
    """The public functions that ask their arguments for an implementation."""
    found = set()
    for prefix, module in (("", np), ("linalg.", np.linalg), ("fft.", np.fft)):
        for name in dir(module):
            value = getattr(module, name)
            asks = isinstance(value, np.ufunc) or hasattr(value, "_implementation")
            if asks and not name.startswith("_") and not isinstance(value, type):
                found.add(prefix + name)
    return found


ALL = cases(TABLE) + [
    case
    for text in ("SHAPES", "NUMBERS", "OPTIONS", "UFUNCS", "SETS")
    for case in cases(getattr(numpy_cases, text))
]


def test_every_function_is_in_the_table() -> None:
    seen = {name for case in ALL for name in re.findall(r"np_\.((?:linalg\.|fft\.)?\w+)", case)}
    missing = dispatched() - seen - WRITERS
    assert not missing


@pytest.fixture(autouse=True)
def _interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(monkeypatch)


def on(case: str, arrays: dict[str, Any]) -> list[Any]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return leaves(eval(case, {"np_": np, "np": np, "ROOT": ROOT, **arrays}))


@pytest.mark.parametrize("group", range(8))
def test_numpys_functions_compute_with_lazir(group: int) -> None:
    tensors = {name: lz.Tensor(value) for name, value in HELD.items()}
    for case in ALL[group::8]:
        if name_of(case) in REFUSED:
            with pytest.raises(TypeError):
                on(case, tensors)
            continue
        got = on(case, tensors)
        wanted = [np.asarray(x) for x in on(case, HELD)]
        if wanted and wanted[0].dtype.kind == "U":
            assert all(str(g) for g in got), case
            continue
        agree(case, got, wanted)


def test_functions_that_write() -> None:
    """Into tensors they write as NumPy does; into arrays of NumPy's own, too."""
    for target in (lz.Tensor(np.zeros((2, 2))), np.zeros((2, 2))):
        np.copyto(target, lz.Tensor(np.ones((2, 2))))
        np.fill_diagonal(target, lz.Tensor(3.0))
        assert np.asarray(target).tolist() == [[3, 1], [1, 3]]
        np.putmask(target, lz.Tensor(np.eye(2)) > 0, 5.0)
        np.put(target, lz.Tensor(np.array([1])), 7.0)
        np.place(target, np.asarray(target) == 1, [9.0])
        np.put_along_axis(target, np.array([[0], [0]]), lz.Tensor(np.array([[2.0], [4.0]])), 1)
        assert np.asarray(target).tolist() == [[2, 7], [4, 5]]


def test_files(tmp_path: Path) -> None:
    t = lz.Tensor(np.arange(3.0))
    np.save(tmp_path / "a.npy", t)
    np.savetxt(tmp_path / "a.txt", t)
    np.savez(tmp_path / "a.npz", t, x=t)
    np.savez_compressed(tmp_path / "b.npz", x=t)
    found = [np.load(tmp_path / "a.npy"), np.loadtxt(tmp_path / "a.txt")]
    for file, names in (("a.npz", ("arr_0", "x")), ("b.npz", ("x",))):
        with np.load(tmp_path / file) as held:
            found += [held[name] for name in names]
    assert len(found) == 5 and all(x.tolist() == [0, 1, 2] for x in found)


def test_results_of_operators_are_tensors_on_either_side() -> None:
    a, t = np.ones(3), lz.Tensor(np.arange(3.0))
    for found in (a + t, t + a, np.float64(2) * t, t**a, a @ t, a < t, divmod(a, t + 1)[0]):
        assert isinstance(found, lz.Tensor)


def test_results_are_written_into_numpys_arrays() -> None:
    a, t = np.ones(3), lz.Tensor(np.arange(3.0))
    same = a
    a += t
    a *= t + 1
    assert a is same and a.tolist() == [1, 4, 9]
    assert np.add.reduce(t, out=(whole := np.zeros(()))) is whole and whole == 3
    assert np.modf(t / 2, out=(a, np.zeros(3)))[0] is a and a.tolist() == [0, 0.5, 0]
    with pytest.raises(TypeError):
        np.add(np.ones(3, int), t, out=np.ones(3, int))
    with pytest.raises(TypeError, match="both"):
        np.modf(t, out=(a, lz.Tensor(a)))

    def traced(x: Any) -> Any:
        held = np.zeros(3)
        held += x
        return held

    with pytest.raises(lz.errors.TraceError):
        lz.compile(traced)(t)
