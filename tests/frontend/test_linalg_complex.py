"""`lazir.linalg` on complex matrices: values against NumPy, derivatives against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

LA = lz.linalg
KINDS: list[tuple[tuple[int, ...], Any]] = [
    ((), np.complex64), ((3,), np.complex128), ((0,), np.complex128),
]  # fmt: skip

pytest.importorskip("scipy")


def draw(shape: tuple[int, ...], seed: int = 0, dtype: Any = np.complex128) -> Any:
    re, im = np.random.default_rng([seed, *shape]).normal(size=(2, *shape))
    return (re + 1j * im).astype(dtype)


def adjoint(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


def near(got: Any, wanted: Any, loose: float = 1.0) -> None:
    data, wanted = got.numpy(), np.asarray(wanted)
    assert (data.shape, data.dtype) == (wanted.shape, wanted.dtype)
    limit = loose * (1e-4 if data.dtype.itemsize // (1 + (data.dtype.kind == "c")) == 4 else 1e-9)
    np.testing.assert_allclose(data, wanted, limit, limit)


@pytest.mark.parametrize("lead, dtype", KINDS)
def test_factorisations(lead: tuple[int, ...], dtype: Any) -> None:
    """LAPACK's phases are NumPy's, so that factors are compared as they are."""
    a = draw((*lead, 4, 4), 1, dtype)
    definite = a @ adjoint(a) + np.eye(4, dtype=dtype)
    noise = np.triu(draw((4, 4), 3, dtype), 1) + 1j * np.eye(4, dtype=dtype)
    near(LA.cholesky(definite), np.linalg.cholesky(definite))
    near(LA.cholesky(definite, upper=True), adjoint(np.linalg.cholesky(definite)))
    near(LA.cholesky(definite + noise, symmetrize_input=False), np.linalg.cholesky(definite))
    for uplo, given in (("L", definite + noise), ("U", definite + adjoint(noise))):
        near(LA.eigvalsh(given, uplo), np.linalg.eigvalsh(definite))
        values, vectors = LA.eigh(given, uplo)
        near(values, np.linalg.eigvalsh(definite))
        near((vectors * values[..., None, :]) @ lnp.matrix_transpose(vectors).conj(), definite)
    for m, n in ((4, 4), (5, 3), (2, 6)):
        x, k = draw((*lead, m, n), 2, dtype), min(m, n)
        for mode in ("reduced", "complete"):
            for got, wanted in zip(LA.qr(x, mode), np.linalg.qr(x, mode=mode)):
                near(got, wanted)
        for full in (True, False):
            u, s, vh = LA.svd(x, full_matrices=full)
            near(s, np.linalg.svd(x, compute_uv=False))
            near((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x)
            near(vh @ lnp.matrix_transpose(vh).conj(), np.zeros(vh.shape[:-1] + vh.shape[-2:-1],
                 dtype) + np.eye(vh.shape[-2], dtype=dtype))  # fmt: skip
        near(LA.svdvals(x), np.linalg.svd(x, compute_uv=False))
    values, vectors = LA.eig(a)
    near(a @ vectors, (vectors * values[..., None, :]).numpy())
    found = np.sort(LA.eigvals(a).numpy(), -1)
    near(lnp.asarray(found), np.sort(np.linalg.eigvals(a), -1), 10)


@pytest.mark.parametrize("lead, dtype", KINDS)
def test_equations_and_measures(lead: tuple[int, ...], dtype: Any) -> None:
    a, b = draw((*lead, 4, 4), 4, dtype), draw((4, 2), 5, dtype)
    near(LA.solve(a, b), np.linalg.solve(a, b), 10)
    near(LA.inv(a), np.linalg.inv(a), 10)
    near(LA.solve(a.real, b), np.linalg.solve(a.real, b), 10)
    near(LA.det(a), np.linalg.det(a), 10)
    for got, wanted in zip(LA.slogdet(a), np.linalg.slogdet(a)):
        near(got, wanted)
    near(LA.matrix_power(a, -2), np.linalg.matrix_power(a, -2), 100)
    near(LA.matrix_rank(a), np.linalg.matrix_rank(a))
    near(LA.pinv(a[..., :2]), np.linalg.pinv(a[..., :2], rcond=1e-5))
    for p in ("nuc", 2, -2, "fro", 1, np.inf):
        near(LA.matrix_norm(a, ord=p), np.linalg.norm(a, p, (-2, -1)))
    if a.size:
        near(LA.cond(a), np.linalg.cond(a), 10)
    triangle = np.tril(a) + 4 * np.eye(4, dtype=dtype)
    for trans, op in ((0, lambda x: x), ("T", lambda x: np.swapaxes(x, -1, -2)), ("C", adjoint)):
        near(LA.solve_triangular(triangle, b, trans, lower=True), np.linalg.solve(op(triangle), b))


def test_least_squares() -> None:
    a, b = draw((5, 3)), draw((5, 2), 1)
    x, rest, rank, s = LA.lstsq(a, b)
    wanted = np.linalg.lstsq(a, b, rcond=None)
    near(x, wanted[0])
    near(rest, wanted[1])
    near(s, wanted[3])
    assert rank.item() == 3


# -- derivatives -----------------------------------------------------------------------------
def weigh(*xs: Any) -> Any:
    """A real number of all real and imaginary parts, with different weights."""
    total = 0.0
    for k, x in enumerate(xs):
        weights = draw(x.shape, 50 + k)
        total = total + (x.real * weights.real).sum() + (x.imag * weights.imag).sum()
    return total


def definite(x: Any) -> Any:
    return x @ lnp.matrix_transpose(x).conj() + np.eye(x.shape[-1])


def without_phases(*vectors: Any) -> Any:
    """What does not change when columns are turned by phases."""
    return [v[..., :, None, :] * v[..., None, :, :].conj() for v in vectors]


def of_svd(x: Any) -> Any:
    u, s, vh = LA.svd(x, full_matrices=False)
    v = lnp.matrix_transpose(vh).conj()
    return weigh(s, *without_phases(u, v), (u * s[..., None, :] ** 3) @ vh)


def of_eigh(x: Any) -> Any:
    values, vectors = LA.eigh(x)
    return weigh(values, *without_phases(vectors))


RIGHT = draw((3, 2), 9)
CASES: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
    "cholesky": ((3, 3), lambda x: weigh(LA.cholesky(definite(x)))),
    "cholesky_raw": ((3, 3), lambda x: weigh(LA.cholesky(x + 9 * np.eye(3)))),
    "lu": ((3, 3), lambda x: weigh(LA.lu(x)[0])),
    "lu_tall": ((4, 2), lambda x: weigh(LA.lu(x)[0])),
    "qr": ((4, 3), lambda x: weigh(*LA.qr(x))),
    "qr_wide": ((2, 4), lambda x: weigh(*LA.qr(x, "complete"))),
    "eigh": ((4, 4), of_eigh),
    "eigvalsh_lower": ((3, 3), lambda x: weigh(LA.eigvalsh(x, "L"))),
    "svd": ((3, 3), of_svd),
    "svd_tall": ((4, 2), of_svd),
    "svd_wide": ((2, 4), of_svd),
    "svdvals": ((2, 3, 2), lambda x: weigh(LA.svdvals(x))),
    "eig": ((3, 3), lambda x: weigh(*LA.eig(x))),
    "eigvals": ((2, 3, 3), lambda x: weigh(LA.eigvals(x))),
    "solve": ((3, 3), lambda x: weigh(LA.solve(x, RIGHT))),
    "solve_right": ((3, 2), lambda y: weigh(LA.solve(draw((2, 3, 3), 4), y))),
    "solve_triangular": (
        (3, 3),
        lambda x: weigh(LA.solve_triangular(x + 3 * np.eye(3), RIGHT, trans="C", lower=True)),
    ),
    "inv": ((2, 3, 3), lambda x: weigh(LA.inv(x))),
    "pinv": ((4, 2), lambda x: weigh(LA.pinv(x))),
    "det": ((2, 3, 3), lambda x: weigh(LA.det(x))),
    "slogdet": ((3, 3), lambda x: weigh(*LA.slogdet(x))),
    "norm_nuc": ((3, 2), lambda x: LA.norm(x, "nuc")),
}
TWICE = ("qr", "eigh", "svd", "eig")


def slope(f: Callable[[Any], Any], x: Any, direction: Any, step: float = 1e-6) -> float:
    return float((f(x + step * direction).item() - f(x - step * direction).item()) / (2 * step))


@pytest.mark.parametrize("name", CASES)
def test_reverse_and_forward_mode(name: str) -> None:
    """f changes by Re(g · dz), in any complex direction."""
    shape, f = CASES[name]
    x, direction = draw(shape, 1), draw(shape, 2)
    value, gradient = lz.compile(lz.value_and_grad(f))(x)
    wanted = slope(lz.compile(f), x, direction)
    got = (gradient.numpy() * direction).sum().real
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-6)
    forward, tangent = lz.compile(lambda u, v: lz.jvp(f, (u,), (v,)))(x, direction)
    np.testing.assert_allclose(tangent.item(), wanted, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(forward.item(), value.item(), rtol=1e-9)


@pytest.mark.parametrize("name", TWICE)
def test_second_derivatives(name: str) -> None:
    shape, f = CASES[name]
    x, first, second = (draw(shape, k) for k in (1, 2, 3))

    @lz.compile
    def along(u: Any) -> Any:
        return (lz.grad(f)(u) * first).sum().real

    got = (lz.compile(lz.grad(along))(x).numpy() * second).sum().real
    np.testing.assert_allclose(got, slope(along, x, second), rtol=2e-4, atol=1e-5)


def test_derivatives_of_real_eigenvectors() -> None:
    """Vectors of length 1 whose largest element is real have a derivative; twice too."""
    x, first, second = (draw((3, 3), k).real for k in (5, 6, 7))
    f = lz.compile(lambda u: weigh(*LA.eig(u)))
    gradient = lz.compile(lz.grad(f))
    assert LA.eigvals(x).imag.numpy().any()
    np.testing.assert_allclose((gradient(x).numpy() * first).sum(), slope(f, x, first), rtol=1e-5)
    along = lz.compile(lambda u: (lz.grad(f)(u) * first).sum())
    got = (lz.grad(along)(x).numpy() * second).sum()
    np.testing.assert_allclose(got, slope(along, x, second), rtol=1e-4)


@pytest.mark.parametrize("name", ["cholesky", "lu", "qr", "svd_tall", "eig", "solve"])
def test_vmap_is_a_loop(name: str) -> None:
    shape, f = CASES[name]
    stack = draw((3, *shape), 1)
    got = lz.vmap(lz.grad(f))(stack).numpy()
    wanted = np.stack([lz.grad(f)(x).numpy() for x in stack])
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)


def test_inside_of_a_loop() -> None:
    """Complex matrices carried by a compiled loop."""
    a = draw((3, 3), 1)
    hermitian = a @ adjoint(a) + np.eye(3)

    @lz.compile
    def powers(x: Any) -> Any:
        return lz.fori_loop(0, 60, lambda i, q: LA.qr(x @ q)[0], lnp.eye(3, dtype="complex128"))

    q = powers(hermitian).numpy()
    found = np.sort(np.diag(adjoint(q) @ hermitian @ q).real)
    np.testing.assert_allclose(found, np.linalg.eigvalsh(hermitian), rtol=1e-6)


def test_singular_values_of_a_singular_matrix() -> None:
    """No phase of a determinant that is zero; cofactors where they exist."""
    a = np.diag([2.0 + 1j, 3.0, 0.0])
    assert [x.item() for x in LA.slogdet(a)] == [0, -np.inf]
    gradient = lz.grad(lambda x: LA.det(x).real)(a).numpy()
    np.testing.assert_allclose(gradient, np.diag([0, 0, 6 + 3j]), atol=1e-12)
