"""`lazir.scipy.linalg` against SciPy: values, stacks, derivatives, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg as peer

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError
from lazir.scipy import linalg as own


def draw(shape: tuple[int, ...], seed: int = 0, complex_: bool = False) -> Any:
    re, im = np.random.default_rng([seed, *shape]).normal(size=(2, *shape))
    return re + 1j * im if complex_ else re


def near(got: Any, wanted: Any, limit: float = 1e-9) -> None:
    got, wanted = np.asarray(getattr(got, "numpy", lambda: got)()), np.asarray(wanted)
    assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(got, wanted, limit, limit)


def alike(call: Callable[[Any], Any]) -> None:
    """The call on both modules, results compared one by one."""
    got, wanted = call(own), call(peer)
    if not isinstance(wanted, tuple):
        got, wanted = (got,), (wanted,)
    assert len(got) == len(wanted)
    for x, y in zip(got, wanted):
        near(x, y)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_values_are_scipys(complex_: bool) -> None:
    a, b = draw((4, 4), 1, complex_), draw((4, 2), 2, complex_)
    h = a @ a.conj().T + np.eye(4)
    tall, wide = draw((5, 3), 3, complex_), draw((2, 4), 3, complex_)
    calls: list[Callable[[Any], Any]] = [
        lambda m: m.cholesky(h + np.tril(a, -1)),
        lambda m: m.cholesky(h + np.triu(a, 1), lower=True),
        lambda m: m.cho_solve(m.cho_factor(h), b),
        lambda m: m.cho_solve(m.cho_factor(h, lower=True), b[:, 0]),
        lambda m: m.lu_factor(a)[0],
        lambda m: m.solve(a, b),
        lambda m: m.solve(h + np.tril(a, -1), b, assume_a="pos"),
        lambda m: m.solve(h + np.triu(a, 1), b, lower=True, assume_a="her"),
        lambda m: m.solve(a + a.T + np.tril(a, -1), b, assume_a="sym"),
        lambda m: m.solve(a, b, assume_a="upper triangular"),
        lambda m: m.solve(a, b, assume_a="lower triangular"),
        lambda m: m.solve(np.diag(np.diag(a)), b, assume_a="diagonal"),
        lambda m: m.solve_triangular(a, b, 2, True),
        lambda m: m.det(a), lambda m: m.inv(a), lambda m: m.pinv(tall), lambda m: m.svdvals(a),
        lambda m: m.eigh(h + np.triu(a, 1), eigvals_only=True),
        lambda m: m.eigvalsh(h, lower=False, subset_by_index=(1, 2)),
        lambda m: m.eigh(a + a.conj().T, h, eigvals_only=True),
        lambda m: m.eigvalsh(a + a.conj().T, h, lower=False),
        lambda m: m.expm(a), lambda m: m.expm(0.01 * a), lambda m: m.expm(np.stack([9 * a, -a])),
        lambda m: m.expm_frechet(a, h), lambda m: m.expm_frechet(a, h, compute_expm=False),
        lambda m: m.toeplitz(a[0]), lambda m: m.toeplitz(a[0], b[:, 0]),
        lambda m: m.block_diag(a, b, 2.0, [1.0, 2.0]),
    ]  # fmt: skip
    for x in (a, tall, wide):
        calls += [
            lambda m, x=x: m.lu(x), lambda m, x=x: m.lu(x, permute_l=True), lambda m, x=x: m.qr(x),
            lambda m, x=x: m.qr(x, mode="economic"), lambda m, x=x: m.qr(x, mode="r"),
            lambda m, x=x: m.polar(x), lambda m, x=x: m.polar(x, "left"),
            lambda m, x=x: m.svd(x, compute_uv=False),
        ]  # fmt: skip
    for trans in (0, 1, 2):
        calls.append(lambda m, t=trans: m.lu_solve(m.lu_factor(a), b, t))
    if not complex_:  # SciPy transposes no complex ones
        calls.append(lambda m: m.solve(a, b[:, 0], transposed=True))
    for call in calls:
        alike(call)


def test_patterns() -> None:
    np.testing.assert_allclose(own.hilbert(4).numpy(), peer.hilbert(4), 1e-6)
    assert own.block_diag().shape == peer.block_diag().shape == (1, 0)
    stack = own.block_diag(draw((2, 1, 2)), draw((3, 3))).numpy()
    near(stack[1], peer.block_diag(draw((2, 1, 2))[1], draw((3, 3))))
    near(own.toeplitz(draw((2, 3)))[1], peer.toeplitz(draw((2, 3))[1]))


@pytest.mark.parametrize("type", [1, 2, 3])
def test_eigenvalues_of_pairs(type: int) -> None:
    a, b = draw((4, 4), 1, True), draw((4, 4), 2, True)
    a, b = a + a.conj().T, b @ b.conj().T + np.eye(4)
    values, v = (x.numpy() for x in own.eigh(a, b, type=type))
    near(values, peer.eigh(a, b, type=type, eigvals_only=True))
    left, right = {1: (a, b @ v), 2: (a @ b, v), 3: (b @ a, v)}[type]
    near(left @ v, right * values)
    scale = np.linalg.inv(b) if type == 3 else b
    near(v.conj().T @ scale @ v, np.eye(4, dtype=complex))


def test_tridiagonal_matrices() -> None:
    d, e = draw((5,)), draw((4,), 1)
    values, vectors = own.eigh_tridiagonal(d, e)
    near(values, peer.eigh_tridiagonal(d, e, eigvals_only=True))
    near(abs(vectors), np.abs(peer.eigh_tridiagonal(d, e)[1]))
    some = {"eigvals_only": True, "select": "i", "select_range": (1, 3)}
    near(own.eigh_tridiagonal(d, e, **some), peer.eigh_tridiagonal(d, e, **some))


def test_stacks_are_matrices_one_by_one() -> None:
    a, b = draw((2, 3, 4, 4), 1), draw((3, 4, 2), 2)
    found = {
        "lu_solve": own.lu_solve(own.lu_factor(a), b),
        "cho_solve": own.cho_solve(own.cho_factor(a @ np.swapaxes(a, -1, -2) + np.eye(4)), b),
        "expm": own.expm(a),
        "polar": own.polar(a)[0],
    }
    for k in np.ndindex(2, 3):
        square = a[k] @ a[k].T + np.eye(4)
        near(found["lu_solve"][k], np.linalg.solve(a[k], b[k[1]]))
        near(found["cho_solve"][k], np.linalg.solve(square, b[k[1]]))
        near(found["expm"][k], peer.expm(a[k]))
        near(found["polar"][k], peer.polar(a[k])[0])


def test_exponentials_at_the_edges() -> None:
    assert own.expm(np.zeros((2, 0, 0))).shape == (2, 0, 0)
    near(own.expm([[2.0]]), np.exp(np.float32([[2.0]])), 1e-6)
    near(own.expm(np.float32(draw((3, 3)))), peer.expm(np.float32(draw((3, 3)))), 1e-5)
    upper = np.triu(draw((4, 4)))
    near(own.expm(upper + np.tril(draw((4, 4)), -1), upper_triangular=True), peer.expm(upper))
    near(own.expm(np.diag([-300.0, 1.0])), np.diag(np.exp([-300.0, 1.0])))
    huge = np.stack([np.eye(2) * 1e6, np.eye(2), np.full((2, 2), np.nan), np.full((2, 2), np.inf)])
    result = own.expm(huge).numpy()
    assert np.isnan(result[[0, 2, 3]]).all()
    near(result[1], np.e * np.eye(2))


def weigh(*xs: Any) -> Any:
    total = 0.0
    for k, x in enumerate(xs):
        w = draw(x.shape, 50 + k, True)
        total = total + (x.real * w.real).sum() + (x.imag * w.imag).sum()
    return total


B = draw((3, 2), 9)
SMOOTH: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
    "expm": ((3, 3), lambda x: weigh(own.expm(3 * x))),
    "polar_tall": ((4, 2), lambda x: weigh(*own.polar(x))),
    "polar_wide": ((2, 4), lambda x: weigh(*own.polar(x, "left"))),
    "lu": ((3, 4), lambda x: weigh(*own.lu(x))),
    "lu_solve": ((3, 3), lambda x: weigh(own.lu_solve(own.lu_factor(x), B, 2))),
    "cho_solve": (
        (3, 3),
        lambda x: weigh(own.cho_solve(own.cho_factor(x @ lnp.conj(x).T + np.eye(3)), B)),
    ),
    "eigh_pair": (
        (3, 3),
        lambda x: weigh(own.eigvalsh(x + lnp.conj(x).T, x @ lnp.conj(x).T + np.eye(3))),
    ),
    "toeplitz": ((3, 1), lambda x: weigh(own.toeplitz(x[:, 0]))),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives(name: str) -> None:
    shape, f = SMOOTH[name]
    complex_ = name not in ("lu", "polar_tall")
    x, direction = draw(shape, 1, complex_), draw(shape, 2, complex_)
    compiled = lz.compile(f)
    step = 1e-6 * direction
    wanted = (compiled(x + step).item() - compiled(x - step).item()) / 2e-6
    gradient = lz.compile(lz.grad(f))(x).numpy()
    np.testing.assert_allclose((gradient * direction).sum().real, wanted, 2e-5, 1e-6)


def test_derivative_of_polar_needs_no_distinct_values() -> None:
    gradient = lz.grad(lambda x: own.polar(x)[0][0, 1])(2 * np.eye(2)).numpy()
    np.testing.assert_allclose(gradient, [[0, 0.25], [-0.25, 0]], atol=1e-12)


def test_what_is_refused() -> None:
    for call, message in (
        (lambda: own.qr(np.eye(2), pivoting=True), "pivot"),
        (lambda: own.qr(np.eye(2), mode="raw"), "mode"),
        (lambda: own.polar(np.eye(2), "up"), "side"),
        (lambda: own.solve(np.eye(2), np.ones(2), assume_a="banded"), "assume_a"),
        (lambda: own.eigh(np.eye(2), subset_by_value=(0, 1)), "interval"),
        (lambda: own.eigh(np.eye(2), subset_by_index=(1, 5)), "subset_by_index"),
        (lambda: own.eigh_tridiagonal(np.ones(3), np.ones(3)), "one less"),
        (lambda: own.eig(np.eye(2), np.eye(2)), "one matrix"),
        (lambda: own.lu_solve((np.eye(2), np.zeros(2, int)), np.ones(2), 3), "trans"),
        (lambda: own.toeplitz([]), "not empty"),
        (lambda: own.expm(np.ones((2, 3))), "square"),
    ):
        with pytest.raises(LazirError, match=message):
            call()
    with pytest.raises(AttributeError, match="no Schur decomposition"):
        _ = own.sqrtm
