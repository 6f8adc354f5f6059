"""Where NumPy's values and functions meet lazir's."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp


def test_a_dtype_equals_numpys() -> None:
    x = lnp.zeros(3, dtype="float32")
    for same in (np.float32, np.dtype("f4"), "float32", lz.float32, lnp.zeros(1).dtype):
        assert x.dtype == same and same == x.dtype
    for other in (np.float64, np.dtype("i4"), "int32", lz.float64, None, 3, float):
        assert x.dtype != other and other != x.dtype
    assert x.dtype in (np.float64, np.float32)
    assert lz.bfloat16 != np.uint16
    assert len({lz.float32, x.dtype, lz.float64}) == 2


def test_numpy_takes_a_dtype() -> None:
    x = lnp.zeros(3, dtype="float32")
    assert np.zeros(2, x.dtype).dtype == np.float32
    assert np.finfo(x.dtype).eps == np.finfo(np.float32).eps
    assert np.issubdtype(lz.int8, np.integer)
    with pytest.raises(TypeError, match="bf16"):
        np.zeros(2, lz.bfloat16)


A = np.random.default_rng(6).normal(size=(5, 7))
D = np.random.default_rng(7).normal(size=(3, 4, 5, 6))
U = np.arange(0, 256, 5, dtype=np.uint8)
PROGRAMS = {
    "negative strides": (lambda np_, a: a[-1:-4:-1, 6:1:-3] * a[4:1:-1, ::-3][:, :2], A),
    "new axes": (lambda np_, a: a[:, None, ..., None] + a[None, :, :, None], A),
    "lists split by a slice": (lambda np_, d: d[:, [0, 1], :, [0, 4]], D),
    "lists side by side": (lambda np_, d: d[:, [0, 1], [0, 4]], D),
    "a number and a list": (lambda np_, d: d[0, :, [0, 1, 2]], D),
    "a mask of rows": (lambda np_, a: a[np.array([True, False, True, True, False]), 1:3], A),
    "an empty index": (lambda np_, a: a[np.array([], dtype=int)].sum(axis=0), A),
    "bytes wrap": (lambda np_, u: (u + np.uint8(200)) * u - (-u) + (u << 1), U),
    "bytes and a number": (lambda np_, u: (200 - u) // 7 + u % 7, U),
    "a sum of bytes": (lambda np_, u: u.sum(), U),
    "halves": (lambda np_, a: (a.astype(np.float16) * 2.5).dtype == np.float16, A),
    "ddof": (lambda np_, a: a.std(axis=0, ddof=1) + a.var(ddof=1), A),
    "keepdims": (lambda np_, a: a - a.max(axis=(0, 1), keepdims=True) + a.mean(-1)[:, None], A),
    "signed zeros": (lambda np_, a: np_.signbit(0.0 * -abs(a)) | np_.signbit(-(0.0 * a * a)), A),
    "floor division": (lambda np_, a: a // 0.3 + -a % 0.3, A),
    "Fortran order": (lambda np_, a: a @ a.T, np.asfortranarray(A)),
    "strided": (lambda np_, a: a.sum(axis=1) * 2, A[::2, ::-2]),
    "repeated": (lambda np_, a: a + 1, np.broadcast_to(A[:1], (5, 7))),
    "of nothing": (lambda np_, a: a.T @ a + a.sum(axis=0), np.zeros((0, 3))),
    "a scalar": (lambda np_, a: a.reshape(1, 1) * a[None] + a[()], np.array(2.5)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_in_numpy(name: str) -> None:
    program, x = PROGRAMS[name]
    want = np.asarray(program(np, x))
    for found in (program(lnp, lnp.asarray(x)), lz.compile(lambda x: program(lnp, x))(x)):
        found = np.asarray(found)
        assert found.dtype == want.dtype and found.shape == want.shape
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-12)


def test_a_shape_is_known_while_tracing() -> None:
    for make in (lnp.zeros, lnp.eye, lambda n: lnp.ones((2, n)), lambda n: lnp.tri(3, n)):
        with pytest.raises(lz.errors.TraceError, match="static"):
            lz.compile(make)(3)
    with pytest.raises(lz.errors.ShapeError, match="not negative"):
        lnp.zeros(-1)
