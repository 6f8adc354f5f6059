"""Complex numbers as users meet them: NumPy's functions, promotion, errors, text, files."""

from __future__ import annotations

import warnings

import mpmath
import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError, TypeRuleError

DTYPES = (np.complex64, np.complex128)
UNARY = (
    "exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "arcsin",
    "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "square",
    "reciprocal", "negative", "positive", "conj", "abs", "angle", "real", "imag", "sign",
)  # fmt: skip
TRUTHS = ("isnan", "isinf", "isfinite", "isreal", "iscomplex", "logical_not")
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, np.inf, -np.inf, np.nan, 1e30, -1e-30, 3.5)


def numbers(dtype, shape=(7, 9), seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) * 2 + 1j * rng.normal(size=shape) * 2).astype(dtype)


def grid(values, dtype):
    """All pairs of values as real and imaginary part."""
    re, im = (g.ravel() for g in np.meshgrid(values, values))
    out = np.empty(re.shape, dtype)
    out.real, out.imag = re, im
    return out


def compiled(function, *args):
    return np.asarray(lz.compile(function)(*args))


# -- values --------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
def test_unary_functions_are_numpys(dtype):
    z = numbers(dtype)
    made = lz.compile(lambda x: [getattr(lnp, name)(x) for name in UNARY])(z)
    for name, got in zip(UNARY, made):
        wanted = getattr(np, name)(z)
        assert got.dtype == wanted.dtype and got.shape == wanted.shape, name
        tolerance = 16 * np.finfo(dtype).eps
        np.testing.assert_allclose(got.numpy(), wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", TRUTHS)
def test_truths(name):
    z = grid(EDGES, np.complex64)
    np.testing.assert_array_equal(compiled(getattr(lnp, name), z), getattr(np, name)(z))


PRECISE = {
    "exp": mpmath.exp, "log": mpmath.log, "sqrt": mpmath.sqrt, "sin": mpmath.sin,
    "cos": mpmath.cos, "tan": mpmath.tan, "arcsin": mpmath.asin, "arccos": mpmath.acos,
    "arctan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh,
    "arcsinh": mpmath.asinh, "arccosh": mpmath.acosh, "arctanh": mpmath.atanh,
    "log1p": lambda z: mpmath.log(1 + z), "expm1": lambda z: mpmath.exp(z) - 1,
}  # fmt: skip


def hard_points(dtype):
    """Near the unit circle, near 1, i and 0, large, tiny, off the cuts by a hair."""
    rng = np.random.default_rng(5)
    angle = rng.uniform(-np.pi, np.pi, 12)
    tiny, huge = (1e-30, 1e30) if dtype == np.complex64 else (1e-200, 1e200)
    near = np.exp(1j * angle) * (1 + rng.uniform(-1, 1, 12) * np.finfo(dtype).eps * 8)
    small = (rng.normal(size=8) + 1j * rng.normal(size=8)) * 1e-5
    spread = np.exp(rng.uniform(-12, 4, 16)) * np.exp(1j * rng.uniform(-np.pi, np.pi, 16))
    single = [
        1 + 1e-6j, -1 + 1e-6j, 1j + 1e-6, tiny + 1j, 1 + tiny * 1j, -3 + tiny * 1j,
        3 - tiny * 1j, tiny * (1 + 1j), 1.5 - 0.25j, 40 + 1j, -40 + 1j, 0.3 + 60j,
    ]  # fmt: skip
    far = [huge * (1 + 2j), huge + 1j, 1 + huge * 1j]
    return np.array([*near, *small, *spread, *single], dtype), np.array(far, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PRECISE)
def test_functions_are_accurate(name, dtype):
    """Within 6 units in the last place of the result's size, of 60 exact digits."""
    near, far = hard_points(dtype)
    if name in ("log", "sqrt", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"):
        near = np.concatenate([near, far])
    got = compiled(getattr(lnp, name), near)
    with mpmath.workdps(400 if dtype == np.complex128 else 80):
        for z, value in zip(near, got):
            exact = PRECISE[name](mpmath.mpc(complex(z)))
            if name == "arcsin" and abs(complex(z).imag) < 1e-20 and abs(complex(z).real) > 1:
                continue  # mpmath takes the cut from the other side when the point is on it
            error = abs(mpmath.mpc(complex(value)) - exact) / abs(exact)
            assert error <= 6 * np.finfo(dtype).eps, (z, value, complex(exact))


@pytest.mark.parametrize("name", [n for n in PRECISE if n not in ("log1p", "expm1")])
def test_infinities_zeros_and_nan_are_those_of_annex_g(name):
    """NumPy calls the C library, which follows it."""
    z = grid(EDGES, np.complex128)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = getattr(np, name)(z)
    got = compiled(getattr(lnp, name), z)
    for mine, theirs in ((got.real, wanted.real), (got.imag, wanted.imag)):
        same = (np.isnan(mine) & np.isnan(theirs)) | (mine == theirs)
        with np.errstate(invalid="ignore"):
            near = np.abs(got - wanted) <= 1e-14 * np.abs(wanted)
        wrong = ~(same | near)
        assert not wrong.any(), (z[wrong][:5], got[wrong][:5], wanted[wrong][:5])
        zero = (mine == 0) & (theirs == 0) & np.isfinite(z)
        np.testing.assert_array_equal(np.signbit(mine[zero]), np.signbit(theirs[zero]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_division_survives_extremes(dtype):
    limits = np.finfo(dtype)
    values = [limits.max, limits.max / 3, 1.0, float(limits.tiny), limits.tiny * 8 / 3, -2.5]
    z, w = grid(values, dtype), grid(values, dtype)[::-1]
    got = compiled(lnp.divide, z, w)
    with mpmath.workdps(60):
        for a, b, q in zip(z, w, got):
            exact = mpmath.mpc(complex(a)) / mpmath.mpc(complex(b))
            if abs(exact) < limits.max / 2 and abs(exact) > limits.tiny * 4:
                assert abs(mpmath.mpc(complex(q)) - exact) <= 4 * limits.eps * abs(exact), (a, b)


def test_division_by_zero_and_infinity():
    one, zero, endless = np.array([1 + 1j]), np.array([0j]), np.array([complex(np.inf, 1)])
    assert np.isinf(compiled(lnp.divide, one, zero)).all()
    assert (compiled(lnp.divide, one, endless) == 0).all()
    assert np.isinf(compiled(lnp.divide, endless, one)).all()
    assert np.isnan(compiled(lnp.divide, endless, endless)).all()
    assert np.isnan(compiled(lnp.divide, zero, zero)).all()


def test_sizes_do_not_overflow():
    z = np.array([3e38 + 1e38j, 3e-39 + 4e-39j, complex(np.inf, np.nan)], np.complex64)
    np.testing.assert_allclose(compiled(lnp.abs, z), np.abs(z), rtol=1e-6)
    np.testing.assert_allclose(np.abs(compiled(lnp.sign, z[:2])), 1, rtol=1e-6)
    assert compiled(lnp.sign, np.zeros(2, np.complex64)).tolist() == [0, 0]


# -- arrays --------------------------------------------------------------------------------
WHOLE = {
    "sum": lambda m, a, b: m.sum(a, axis=1),
    "prod": lambda m, a, b: m.prod(a[:3, :5], axis=0),
    "mean": lambda m, a, b: m.mean(a),
    "var": lambda m, a, b: m.var(a, axis=0),
    "std": lambda m, a, b: m.std(a),
    "cumsum": lambda m, a, b: m.cumsum(a, axis=1),
    "cumprod": lambda m, a, b: m.cumprod(a[:2], axis=1),
    "matmul": lambda m, a, b: a @ b.T,
    "vdot": lambda m, a, b: m.vdot(a, b),
    "einsum": lambda m, a, b: m.einsum("ij,kj->ik", a, b),
    "tensordot": lambda m, a, b: m.tensordot(a, b, axes=([0], [0])),
    "where": lambda m, a, b: m.where(a.real > 0, a, b),
    "concatenate": lambda m, a, b: m.concatenate([a, b], axis=1),
    "pad": lambda m, a, b: m.pad(a, 2, constant_values=1j),
    "take": lambda m, a, b: m.take(a, m.asarray([3, 0]), axis=0),
    "slices": lambda m, a, b: a[1:5:2, ::-1],
    "transpose": lambda m, a, b: a.T.reshape(-1),
    "mixed": lambda m, a, b: 2 * a + b / 3 - 1j + a.real * b,
    "power": lambda m, a, b: a**3 + a**-1,
    "roll": lambda m, a, b: m.roll(a, 2, axis=1),
    "round": lambda m, a, b: m.round(a, 1),
    "isclose": lambda m, a, b: m.isclose(a, a * (1 + 1e-9)),
    "equal": lambda m, a, b: (a == b) | (a != a),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_functions_of_arrays_are_numpys(dtype):
    a, b = numbers(dtype), numbers(dtype, seed=1)
    names = list(WHOLE)
    made = lz.compile(lambda x, y: [WHOLE[n](lnp, x, y) for n in names])(a, b)
    for name, got in zip(names, made):
        wanted = WHOLE[name](np, a, b)
        assert got.dtype == wanted.dtype and got.shape == wanted.shape, name
        tolerance = 60 * np.finfo(dtype).eps
        np.testing.assert_allclose(got.numpy(), wanted, rtol=tolerance, atol=tolerance)


def test_lazy_is_compiled():
    z = numbers(np.complex128)

    def work(x):
        return lnp.exp(x) @ lnp.conj(x).T / 3 + lnp.log(x).sum()

    lazy = work(lz.Tensor(z)).numpy()
    assert lazy.tobytes() == compiled(work, z).tobytes()


def test_empty_scalar_and_strided():
    assert compiled(lambda x: lnp.exp(x) * 2j, np.zeros((0, 3), np.complex64)).shape == (0, 3)
    assert compiled(lnp.prod, np.zeros((0,), np.complex64)) == 1
    assert lnp.exp(0j).item() == 1
    z = numbers(np.complex64)[::2, ::-3]
    np.testing.assert_allclose(compiled(lambda x: x * x, z), z * z, rtol=1e-5)


def test_promotion():
    f32, f64, c64 = lnp.ones(2, "float32"), lnp.ones(2, "float64"), lnp.ones(2, "complex64")
    assert (f32 + 1j).dtype == "complex64" and (f64 + 1j).dtype == "complex128"
    assert (f64 + c64).dtype == "complex128" and (c64 * 2.0).dtype == "complex64"
    assert (lnp.arange(2) * 1j).dtype == "complex64" and lnp.asarray([1j]).dtype == "complex64"
    assert lnp.asarray(np.ones(2, complex)).dtype == "complex128"
    assert lnp.ones(2).astype("complex128").dtype == "complex128"


def test_what_has_no_order_is_an_error():
    z = lnp.asarray([1j, 2])
    for name in ("floor", "ceil", "signbit", "sort", "max", "argmin", "cbrt", "erf", "spacing"):
        if hasattr(lnp, name):
            with pytest.raises((LazirError, TypeError), match="complex"):
                getattr(lnp, name)(z)
    for name in ("maximum", "floor_divide", "remainder", "less", "arctan2", "copysign"):
        with pytest.raises(LazirError, match="complex"):
            getattr(lnp, name)(z, 1)
    with pytest.raises(TypeRuleError, match=r"\.real"):
        z.astype("float32")


def test_methods_and_text():
    z = lz.Tensor([1 + 2j, -3])
    assert z.real.tolist() == [1, -3] and z.imag.tolist() == [2, 0]
    assert z.conj().tolist() == [1 - 2j, -3]
    assert "complex<f32>" in repr(z) and complex(z[0]) == 1 + 2j
    assert abs(z).dtype == "float32" and lnp.iscomplexobj(z) and not lnp.isrealobj(z)
    assert np.conj(z).tolist() == [1 - 2j, -3]


def test_files_and_dlpack(tmp_path):
    z = lz.Tensor(numbers(np.complex64))
    lz.save({"z": z}, tmp_path / "z.safetensors")
    np.testing.assert_array_equal(lz.load(tmp_path / "z.safetensors")["z"].numpy(), z.numpy())
    with pytest.raises(TypeError, match="complex"):
        lz.save({"z": z.astype("complex128")}, tmp_path / "w.safetensors")
    np.testing.assert_array_equal(np.from_dlpack(z), z.numpy())
    np.testing.assert_array_equal(lz.from_dlpack(z.numpy().copy()).numpy(), z.numpy())


def test_updates_and_indices():
    z = numbers(np.complex128, (5, 4))
    index = np.array([0, 2, 2])

    def work(x):
        return x.at[index].add(1j), x.at[1, 2].set(5 - 1j), x[index, 1]

    added, changed, taken = lz.compile(work)(z)
    wanted = z.copy()
    np.add.at(wanted, index, 1j)
    np.testing.assert_allclose(added.numpy(), wanted)
    wanted = z.copy()
    wanted[1, 2] = 5 - 1j
    np.testing.assert_array_equal(changed.numpy(), wanted)
    np.testing.assert_array_equal(taken.numpy(), z[index, 1])


def test_random_numbers_and_parts():
    z = lz.random.normal(lz.random.key(3), (20000,), "complex64").numpy()
    assert z.dtype == np.complex64
    assert abs(z.mean()) < 0.02 and abs((z**2).mean()) < 0.02
    assert abs((abs(z) ** 2).mean() - 1) < 0.03
    made = lz.lax.complex(lnp.arange(2), lnp.ones(2, "float64"))
    assert made.dtype == "complex128" and made.tolist() == [1j, 1 + 1j]
    assert lz.lax.real(made).tolist() == [0, 1] and lz.lax.conj(made).tolist() == [-1j, 1 - 1j]
    with pytest.raises(LazirError, match="complex"):
        lz.lax.complex(1j, 2)
    with pytest.raises(LazirError, match="normal"):
        lz.random.normal(lz.random.key(0), (2,), "int32")
