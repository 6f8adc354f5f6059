"""`lazir.linalg` at the edges: no elements, strides, NaN, matrices without an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

LA = lz.linalg
DTYPES = (np.float32, np.complex128)
Call = Callable[[Any, Any], Any]

pytest.importorskip("scipy")

OBLONG: dict[str, Call] = {
    "qr": lambda m, a: m.qr(a),
    "complete": lambda m, a: m.qr(a, mode="complete"),
    "svd": lambda m, a: m.svd(a),
    "reduced": lambda m, a: m.svd(a, full_matrices=False),
    "svdvals": lambda m, a: m.svd(a, compute_uv=False),
    "pinv": lambda m, a: m.pinv(a),
    "rank": lambda m, a: m.matrix_rank(a),
    "nuc": lambda m, a: m.matrix_norm(a, ord="nuc"),
    "two": lambda m, a: m.matrix_norm(a, ord=2),
    "inf": lambda m, a: m.matrix_norm(a, ord=np.inf),
}
SQUARE: dict[str, Call] = {
    "cholesky": lambda m, a: m.cholesky(a),
    "eigh": lambda m, a: m.eigh(a),
    "eigvalsh": lambda m, a: m.eigvalsh(a),
    "inv": lambda m, a: m.inv(a),
    "det": lambda m, a: m.det(a),
    "slogdet": lambda m, a: m.slogdet(a),
    "solve": lambda m, a: m.solve(a, np.ones((*a.shape[-2:-1], 2), a.dtype)),
    "power": lambda m, a: m.matrix_power(a, 3),
}
UP_TO_PHASES = ("svd", "reduced", "eigh")


def several(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, tuple) else (x,)


def draw(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Any:
    re, im = np.random.default_rng([seed, *shape]).normal(size=(2, *shape))
    return (re + 1j * im if np.dtype(dtype).kind == "c" else re).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*OBLONG, *SQUARE])
def test_shapes_and_strides(name: str, dtype: Any) -> None:
    """Every result has NumPy's shape, dtype and values: of nothing, of one element, of views."""
    shapes = [(0, 0), (2, 0, 0), (0, 2, 2), (1, 1), (3, 3)]
    if name in OBLONG:
        shapes += [(0, 2), (2, 0), (3, 0, 2), (4, 1)]
    call = {**OBLONG, **SQUARE}[name]
    for shape in shapes:
        a = draw(shape, dtype)
        if name in SQUARE:
            a = a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(shape[-1], dtype=dtype)
        if shape == (3, 3):
            a = np.stack([a, a[::-1]], axis=-1)[..., 0]  # every second element
            assert not a.flags.c_contiguous
        got, wanted = several(call(LA, a)), several(call(np.linalg, a))
        assert len(got) == len(wanted)
        limit = 1e-3 if np.finfo(dtype).bits == 32 else 1e-9
        for x, y in zip((x.numpy() for x in got), map(np.asarray, wanted)):
            assert (x.shape, x.dtype) == (y.shape, y.dtype), shape
            if name in UP_TO_PHASES:
                x, y = np.abs(x), np.abs(y)
            np.testing.assert_allclose(x, y, limit, limit, err_msg=str(shape))


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_gives_nan_for_its_matrix_alone(
    dtype: Any, bad: float, capfd: Any
) -> None:
    """Nothing hangs, LAPACK prints nothing, and the stack's other matrices are right."""
    for size in (3, 40):
        good = draw((size, size), dtype)
        good = good @ good.conj().T + np.eye(size)
        wrong = good.copy()
        wrong[1, 1] = bad
        stack = np.stack([wrong, good])
        found = [
            *LA.eigh(stack, "L"),
            *LA.svd(stack),
            *LA.eig(stack),
            LA.pinv(stack),
            LA.svdvals(stack),
        ]
        for x in found:
            assert np.isnan(x.numpy()[0]).all()
            assert np.isfinite(x.numpy()[1]).all()
        for x in (LA.cholesky(stack), LA.inv(stack), LA.det(stack), LA.qr(stack)[1]):
            assert np.isnan(x.numpy()[0]).any() or bad == np.inf
            assert np.isfinite(x.numpy()[1]).all()
    assert capfd.readouterr() == ("", "")


def test_only_the_triangle_that_is_read_must_be_finite() -> None:
    a = np.array([[2.0, np.nan], [1.0, 2.0]])
    np.testing.assert_allclose(LA.eigvalsh(a, "L").numpy(), [1, 3])
    assert np.isnan(LA.eigvalsh(a, "U").numpy()).all()
    assert np.isnan(LA.eigvalsh(a).numpy()).all()
    np.testing.assert_allclose(LA.eigvalsh(a, symmetrize_input=False).numpy(), [1, 3])


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_singular_matrices_are_no_errors(dtype: Any) -> None:
    """NumPy raises LinAlgError of these; here they give infinities and NaN, in any mode."""
    for a in (np.ones((2, 2), dtype), np.zeros((2, 2), dtype)):
        for call in (LA.inv, lambda x: LA.solve(x, np.ones(2)), lambda x: LA.matrix_power(x, -1)):
            assert not np.isfinite(call(a).numpy()).all()
            assert not np.isfinite(lz.compile(call)(a).numpy()).all()
        assert LA.det(a).item() == 0
        assert [x.item() for x in LA.slogdet(a)] == [0, -np.inf]
        assert LA.cond(a).item() > 1e15 and LA.cond(a, 1).item() == np.inf
    assert LA.cond(np.zeros((2, 2), dtype)).item() == np.inf
    assert np.isnan(LA.cond(np.full((2, 2), np.nan, dtype)).item())
    assert LA.matrix_rank(np.full((2, 2), np.nan, dtype)).item() == 0


# -- names of lazir.numpy that need it ---------------------------------------------------------
def test_roots_of_polynomials() -> None:
    for p in ([2, -3, 1, 5], [0, 0, 1, 0, 4, 0, 0], [1j, 2, 3 - 1j], [3], [0, 0], [5, 0]):
        got, wanted = lnp.roots(np.asarray(p) * 1.0).numpy(), np.roots(p)
        assert got.shape == wanted.shape and got.dtype.kind == "c"
        assert all(abs(wanted - z).min() < 1e-9 for z in got)
        assert all(abs(got - z).min() < 1e-9 for z in wanted)
    p, dp = np.array([1.0, -3.0, 1.0, 5.0]), np.array([0.0, 1.0, -1.0, 2.0])
    f = lz.compile(lambda c: (abs(lnp.roots(c, strip_zeros=False)) ** 2).sum())
    wanted = (f(p + 1e-6 * dp).item() - f(p - 1e-6 * dp).item()) / 2e-6
    np.testing.assert_allclose((lz.grad(f)(p).numpy() * dp).sum(), wanted, 1e-6)
    with pytest.raises(lz.errors.LazirError, match="strip_zeros=False"):
        lz.compile(lnp.roots)(p)


def test_order_of_complex_numbers() -> None:
    rng = np.random.default_rng(0)
    parts = rng.choice([0.0, 1.0, -1.0, np.nan, np.inf], (2, 40, 9))
    z = np.empty((40, 9), complex)
    z.real, z.imag = parts
    np.testing.assert_array_equal(lnp.sort_complex(z).numpy(), np.sort_complex(z))
    np.testing.assert_array_equal(lnp.sort_complex([3, 1, 2]).numpy(), np.sort_complex([3, 1, 2]))


def test_bessel_function_of_windows() -> None:
    x = np.linspace(-8, 8, 50)
    np.testing.assert_allclose(lnp.i0(x).numpy(), np.i0(x), 1e-12)
    with pytest.raises(lz.errors.LazirError, match="real"):
        lnp.i0(1j)
