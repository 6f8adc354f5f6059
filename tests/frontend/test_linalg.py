"""`lazir.linalg` against NumPy and SciPy: values, stacks, empty and singular matrices, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError

LA = lz.linalg
FLOATS = (np.float32, np.float64)
STACKS: tuple[tuple[int, ...], ...] = ((), (3,), (2, 2), (0,))


def draw(shape: tuple[int, ...], dtype: Any = np.float64, seed: int = 0) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng([seed, *shape])
    return np.asarray(rng.normal(size=shape)).astype(dtype)


def positive(n: int, lead: tuple[int, ...] = (), dtype: Any = np.float64) -> Any:
    a = draw((*lead, n, n), np.float64, 5)
    return (a @ np.swapaxes(a, -1, -2) + np.eye(n)).astype(dtype)


def near(got: Any, wanted: Any, tolerance: float | None = None) -> None:
    data, wanted = got.numpy(), np.asarray(wanted)
    assert data.shape == wanted.shape
    if wanted.dtype.kind == "f":
        assert data.dtype == wanted.dtype
        tolerance = tolerance or (1e-4 if wanted.dtype == np.float32 else 1e-9)
        np.testing.assert_allclose(data, wanted, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(data, wanted)


# -- factorisations ------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("lead", STACKS)
def test_factorisations(lead: tuple[int, ...], dtype: Any) -> None:
    a = positive(4, lead, dtype)
    near(LA.cholesky(a), np.linalg.cholesky(a))
    near(LA.cholesky(a, upper=True), np.swapaxes(np.linalg.cholesky(a), -1, -2))
    values, vectors = LA.eigh(a)
    near(values, np.linalg.eigvalsh(a), 1e-4 if dtype is np.float32 else 1e-9)
    near((vectors * values[..., None, :]) @ lnp.matrix_transpose(vectors), a)
    near(LA.eigvalsh(a), np.linalg.eigvalsh(a))
    for m, n in ((4, 4), (5, 3), (2, 6)):
        x = draw((*lead, m, n), dtype)
        for mode in ("reduced", "complete"):
            q, r = LA.qr(x, mode)
            wanted = np.linalg.qr(x, mode=mode)
            near(q, wanted[0])
            near(r, wanted[1])
        near(LA.qr(x, "r"), np.linalg.qr(x, mode="r"))
        for full in (True, False):
            u, s, vt = LA.svd(x, full_matrices=full)
            wanted = np.linalg.svd(x, full_matrices=full)
            near(s, wanted[1])
            k = min(m, n)
            near((u[..., :k] * s[..., None, :]) @ vt[..., :k, :], x)
            eye = np.eye(u.shape[-1], dtype=dtype)
            near(lnp.matrix_transpose(u) @ u, np.broadcast_to(eye, (*lead, *eye.shape)))
        near(LA.svdvals(x), np.linalg.svd(x, compute_uv=False))
        factors, _, permutation = LA.lu(x)
        lower = np.tril(factors.numpy()[..., : min(m, n)], -1) + np.eye(m, min(m, n), dtype=dtype)
        upper = np.triu(factors.numpy()[..., : min(m, n), :])
        places = np.broadcast_to(permutation.numpy()[..., None], x.shape)
        near(lnp.asarray(lower @ upper), np.take_along_axis(x, places, -2))


def test_lu_is_scipys() -> None:
    a = draw((6, 6))
    factors, pivots, _ = LA.lu(a)
    wanted, exchanged = scipy.linalg.lu_factor(a)
    near(factors, wanted)
    near(pivots, exchanged)


def test_only_the_meant_triangle_is_read() -> None:
    a, noise = positive(3), np.triu(draw((3, 3)), 1)
    near(LA.eigvalsh(a + noise, "L"), np.linalg.eigvalsh(a))
    near(LA.eigvalsh(a + noise.T, "U"), np.linalg.eigvalsh(a))
    near(LA.eigh(a + noise.T, "U")[0], np.linalg.eigvalsh(a))
    near(LA.cholesky(a + noise, symmetrize_input=False), np.linalg.cholesky(a))
    lower = LA.cholesky(a + noise.T, upper=True, symmetrize_input=False)
    near(lower, np.linalg.cholesky(a).T)


# -- equations -----------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", FLOATS)
def test_equations(dtype: Any) -> None:
    for lead, side in (((), (4,)), ((), (4, 2)), ((3,), (4, 2)), ((3,), (3, 4, 2)), ((0,), (4,))):
        a, b = draw((*lead, 4, 4), dtype, 3), draw(side, dtype)
        near(LA.solve(a, b), np.linalg.solve(a, b), 1e-3 if dtype is np.float32 else 1e-9)
        near(LA.inv(a), np.linalg.inv(a), 1e-3 if dtype is np.float32 else 1e-9)
    a, b = draw((5, 5), dtype) + 4 * np.eye(5, dtype=dtype), draw((5, 2), dtype)
    for trans in (0, 1, "T"):
        for lower in (False, True):
            for unit in (False, True):
                wanted = scipy.linalg.solve_triangular(a, b, trans, lower, unit)
                near(LA.solve_triangular(a, b, trans, lower, unit), wanted)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_least_squares_and_pseudo_inverses(shape: tuple[int, int]) -> None:
    a, b = draw(shape), draw((shape[0], 2))
    a[:, -1] = a[:, 0]  # one rank less
    x, rest, rank, s = LA.lstsq(a, b)
    wanted = np.linalg.lstsq(a, b, rcond=None)
    near(x, wanted[0])
    near(rest, ((b - a @ wanted[0]) ** 2).sum(0))
    near(s, wanted[3])
    assert rank.item() == wanted[2]
    near(LA.lstsq(a, b[:, 0])[0], np.linalg.lstsq(a, b[:, 0], rcond=None)[0])
    near(LA.pinv(a), np.linalg.pinv(a, rcond=1e-13))
    stack = draw((2, *shape))
    near(LA.pinv(stack, rtol=0.5), np.linalg.pinv(stack, rcond=0.5))
    near(LA.pinv(positive(3), hermitian=True), np.linalg.pinv(positive(3)))


def test_powers_and_tensors() -> None:
    a = draw((2, 3, 3))
    for n in (-2, -1, 0, 1, 2, 5):
        near(LA.matrix_power(a, n), np.linalg.matrix_power(a, n), 1e-8)
    whole = np.array([[1, 1], [1, 0]])
    assert LA.matrix_power(whole, 10).numpy().tolist() == [[89, 55], [55, 34]]
    x, y = draw((2, 3, 6)), draw((2, 3))
    near(LA.tensorsolve(x, y), np.linalg.tensorsolve(x, y))
    near(LA.tensorinv(x, 2), np.linalg.tensorinv(x, 2))
    chain = [draw((3, 7)), draw((7, 2)), draw((2, 5)), draw((5,))]
    near(LA.multi_dot(chain), np.linalg.multi_dot(chain))
    near(LA.multi_dot(chain[:2]), chain[0] @ chain[1])


# -- measures ------------------------------------------------------------------------------
def test_determinants_ranks_and_conditions() -> None:
    for lead in STACKS:
        a = draw((*lead, 3, 3))
        near(LA.det(a), np.linalg.det(a))
        for got, wanted in zip(LA.slogdet(a), np.linalg.slogdet(a)):
            near(got, wanted)
        near(LA.matrix_rank(a), np.linalg.matrix_rank(a))
        for p in (None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"):
            near(LA.cond(a, p), np.linalg.cond(a, p) if a.size else np.zeros(lead), 1e-8)
    assert LA.matrix_rank(np.ones((4, 3))).item() == 1
    assert LA.matrix_rank(np.zeros(3)).item() == 0
    near(LA.matrix_rank(np.diag([1.0, 0.1, 0.01]), 0.05), 2)
    near(LA.matrix_rank(np.diag([1.0, 0.1, 0.01]), rtol=0.05), 2)
    near(LA.diagonal(draw((2, 3, 4)), offset=1), np.linalg.diagonal(draw((2, 3, 4)), offset=1))
    near(LA.trace(draw((2, 3, 4))), np.linalg.trace(draw((2, 3, 4))))
    near(LA.outer(draw((3,)), draw((4,))), np.outer(draw((3,)), draw((4,))))


def test_norms() -> None:
    x, v = draw((2, 3, 4)), draw((5,))
    for order in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        for axis in ((0, 1), (2, 0), (-2, -1)):
            for keep in (False, True):
                wanted = np.linalg.norm(x, order, axis, keep)
                near(LA.norm(x, order, axis, keep), wanted)
        near(LA.norm(x[0], order), np.linalg.norm(x[0], order))
        near(LA.matrix_norm(x, ord=order or "fro"), np.linalg.norm(x, order, (-2, -1)))
    for order in (None, 0, 1, 2, 3, 0.5, -1, np.inf, -np.inf):
        near(LA.norm(v, order), np.linalg.norm(v, order))
        near(LA.norm(x, order, 1), np.linalg.norm(x, order, 1))
        near(LA.vector_norm(x, ord=order or 2, axis=(0, 2), keepdims=True),
             np.linalg.vector_norm(x, ord=order or 2, axis=(0, 2), keepdims=True))  # fmt: skip
    near(LA.norm(x), np.linalg.norm(x))


# -- what has no answer --------------------------------------------------------------------
def test_what_has_no_answer_is_not_finite() -> None:
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert not np.isfinite(LA.inv(singular).numpy()).all()
    assert not np.isfinite(LA.solve(singular, np.ones(2)).numpy()).all()
    assert LA.det(singular).item() == 0
    assert [x.item() for x in LA.slogdet(singular)] == [0.0, -np.inf]
    stack = np.stack([positive(2), -positive(2)])
    good, bad = LA.cholesky(stack).numpy()
    near(lnp.asarray(good), np.linalg.cholesky(positive(2)))
    assert np.isnan(bad[np.tril_indices(2)]).all() and bad[0, 1] == 0
    nan = np.full((2, 2), np.nan)
    for found in (LA.cholesky(nan), LA.solve(nan, np.ones(2)), LA.svdvals(nan), LA.inv(nan)):
        assert np.isnan(found.numpy()).any()


def test_empty_matrices() -> None:
    nothing = np.zeros((2, 0, 0))
    near(LA.det(nothing), np.ones(2))
    near(LA.slogdet(nothing)[1], np.zeros(2))
    near(LA.solve(nothing, np.zeros((2, 0, 3))), np.zeros((2, 0, 3)))
    near(LA.inv(nothing), nothing)
    near(LA.pinv(np.zeros((0, 3))), np.zeros((3, 0)))
    for shape in ((0, 3), (3, 0)):
        for got, wanted in zip(LA.svd(np.zeros(shape)), np.linalg.svd(np.zeros(shape))):
            near(got, wanted)
        for got, wanted in zip(LA.qr(np.zeros(shape), "complete"),
                               np.linalg.qr(np.zeros(shape), mode="complete")):  # fmt: skip
            near(got, wanted)
    near(LA.eigvalsh(nothing), np.zeros((2, 0)))
    near(LA.norm(np.zeros(0)), np.float64(0))


# -- operands ------------------------------------------------------------------------------
def test_operands() -> None:
    assert LA.inv([[2, 0], [0, 1]]).dtype == lz.float32
    assert LA.solve(np.eye(2, dtype=np.float32), np.ones(2)).dtype == lz.float64
    np.testing.assert_allclose(np.linalg.inv(lnp.eye(2) * 2).numpy(), np.eye(2) / 2)
    for call, message in (
        (lambda: LA.inv(np.ones((2, 3))), "square"),
        (lambda: LA.cholesky(np.ones(3)), "two axes"),
        (lambda: LA.solve(np.eye(2), np.ones(3)), "do not fit"),
        (lambda: LA.solve(np.ones((2, 3, 3)), np.ones((5, 3, 1))), "broadcast"),
        (lambda: LA.inv(np.eye(2, dtype=np.float16)), "astype"),
        (lambda: LA.qr(np.eye(2), "raw"), "mode"),
        (lambda: LA.norm(np.eye(2), "max"), "order"),
        (lambda: LA.norm(np.ones((2, 2, 2)), 1), "axes"),
        (lambda: LA.matrix_power(np.eye(2), 0.5), "integer"),
        (lambda: LA.multi_dot([np.eye(2)]), "two operands"),
        (lambda: LA.eigh(np.eye(2), "X"), "UPLO"),
    ):
        with pytest.raises(LazirError, match=message):
            call()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_norms_of_16_bits_neither_overflow_nor_need_lapack(dtype: str) -> None:
    x = lnp.full((2, 2), 20000.0, dtype)
    assert lz.linalg.norm(x).dtype == dtype
    assert float(lz.linalg.norm(x)) == float(lz.linalg.vector_norm(x)) == pytest.approx(40000, 0.01)
    assert float(lz.linalg.matrix_norm(x, ord=1)) == pytest.approx(40000, 0.01)


# -- matrices without symmetry ---------------------------------------------------------------
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("lead", STACKS)
def test_eigenvalues_and_vectors(lead: tuple[int, ...], dtype: Any) -> None:
    """Vectors solve a v = w v, have length 1, and values are NumPy's in any order."""
    a = draw((*lead, 7, 7), dtype, 2)
    values, vectors = (x.numpy() for x in lz.compile(LA.eig)(a))
    assert values.dtype == vectors.dtype == np.result_type(dtype, np.complex64)
    limit = 2e-4 if dtype is np.float32 else 1e-10
    np.testing.assert_allclose(a @ vectors, vectors * values[..., None, :], limit, limit)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-2), np.ones(values.shape), 1e-5)
    wanted = np.linalg.eigvals(a.astype(np.float64)).astype(np.complex128)
    for got in (values, LA.eigvals(a).numpy()):
        np.testing.assert_allclose(np.sort(got, -1), np.sort(wanted, -1), 10 * limit, 10 * limit)
    if lead == (3,):
        mapped = lz.vmap(LA.eigvals)(a).numpy()
        np.testing.assert_array_equal(mapped, LA.eigvals(a).numpy())
    if a.size:
        assert (values.imag > 0.1).any() and (values.imag < -0.1).any()


def test_eigenvalues_at_the_edges() -> None:
    assert LA.eig(np.zeros((2, 0, 0))).eigenvectors.shape == (2, 0, 0)
    defective = np.array([[2.0, 1.0], [0.0, 2.0]])
    np.testing.assert_array_equal(LA.eigvals(defective).numpy(), [2, 2])
    np.testing.assert_allclose(np.abs(LA.eig(defective)[1].numpy()[0]), [1, 1])
    np.testing.assert_array_equal(LA.eigvals([[3]]).numpy(), [3])
    bad = np.stack([defective, [[1.0, np.nan], [0.0, 1.0]], [[np.inf, 0.0], [0.0, 1.0]], defective])
    values, vectors = (x.numpy() for x in LA.eig(bad))
    np.testing.assert_array_equal(values[[0, 3]], [[2, 2], [2, 2]])
    assert np.isnan(values[1:3].real).all() and np.isnan(vectors[1:3].imag).all()
    slope = lz.grad(lambda x: LA.eig(x)[1].real.sum())(defective).numpy()
    assert not np.isfinite(slope).all()  # a basis of eigenvectors is what it takes
