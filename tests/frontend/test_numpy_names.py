"""`lazir.numpy` against NumPy: values, shapes and dtypes over dtypes, shapes and broadcasts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

FLOATS = (np.float32, np.float64)
INTEGERS = (np.int8, np.uint8, np.int32, np.int64)
SHAPES = [((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2, 3)), ((0, 3), (1, 3)), ((2, 1, 3), (4, 1))]


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.asarray(rng.integers(0, 2, shape).astype(bool))
    if kind in "iu":
        low = 0 if kind == "u" else -7
        return np.asarray(rng.integers(low, 8, shape)).astype(dtype)
    values = np.asarray(rng.normal(size=shape) * 3).astype(dtype)
    if values.size > 3:
        values.flat[0], values.flat[1] = np.nan, np.inf
        values.flat[2] = -0.0
    return values


def compare(got: Any, wanted: Any, dtype: bool = True) -> None:
    data = got.numpy()
    wanted = np.asarray(wanted)
    assert data.shape == wanted.shape
    if dtype:
        assert data.dtype == wanted.dtype
    if wanted.dtype.kind == "f":
        tolerance = 3e-6 if np.float32 in (data.dtype, wanted.dtype) else 1e-12
        np.testing.assert_allclose(data, wanted, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(data, wanted)


BINARY = [
    "add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin", "equal", "not_equal",
    "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor",
    "floor_divide", "remainder", "fmod",
]  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", [np.bool_, *INTEGERS, *FLOATS])
def test_binary(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(7)
    if dtype is np.bool_ and name in ("subtract", "fmod", "remainder", "floor_divide"):
        pytest.skip("not defined on bools, or int8 in NumPy")
    for left, right in SHAPES:
        x, y = draw(rng, left, dtype), draw(rng, right, dtype)
        with np.errstate(all="ignore"):
            wanted = getattr(np, name)(x, y)
        got = getattr(lnp, name)(x, y)
        if name == "remainder" and np.dtype(dtype).kind == "f":
            finite = np.isfinite(wanted)
            np.testing.assert_allclose(got.numpy()[finite], wanted[finite], rtol=1e-5, atol=1e-5)
            continue
        compare(got, wanted)


UNARY = [
    "negative", "positive", "abs", "sign", "square", "floor", "ceil", "trunc", "rint", "isnan",
    "isinf", "isfinite", "exp", "exp2", "expm1", "sin", "cos", "tan", "arctan", "tanh", "sinh",
    "cosh", "arcsinh", "cbrt", "logical_not", "nan_to_num", "sinc", "deg2rad", "rad2deg",
]  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", FLOATS)
def test_unary(name: str, dtype: Any) -> None:
    x = draw(np.random.default_rng(1), (3, 5), dtype)
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x)
    compare(getattr(lnp, name)(x), wanted)


@pytest.mark.parametrize("name", ["log", "log2", "log10", "log1p", "sqrt", "arccosh"])
def test_unary_positive(name: str) -> None:
    x = np.random.default_rng(2).uniform(1.0, 9.0, (4, 3))
    compare(getattr(lnp, name)(x), getattr(np, name)(x))


@pytest.mark.parametrize("name", ["arctan2", "hypot", "copysign", "logaddexp", "heaviside"])
def test_float_binary(name: str) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(3, 1)), rng.normal(size=(4,))
    compare(getattr(lnp, name)(x, y), getattr(np, name)(x, y))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -2, 0.5, 2.5, 7])
def test_power(exponent: float) -> None:
    x = np.random.default_rng(3).uniform(0.5, 3, (5,))
    compare(lnp.power(x, exponent), np.power(x, exponent))


def test_integer_power_of_tensors() -> None:
    x = np.array([-3, -1, 0, 1, 2, 5])
    n = np.array([3, 5, 2, 9, 10, 0])
    compare(lnp.power(x, n), np.power(x, n))
    compare(lnp.power(x, 3), np.power(x, 3))


def test_bits() -> None:
    x, y = np.array([6, -5, 12]), np.array([3, 2, 4])
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"):
        compare(getattr(lnp, name)(x, y), getattr(np, name)(x, y))
    compare(lnp.invert(x), np.invert(x))


PROMOTIONS = [
    (np.int8, np.uint8, "i16"), (np.int32, np.int64, "i64"), (np.int64, np.float32, "f32"),
    (np.float16, np.float32, "f32"), (np.float32, np.float64, "f64"), (np.bool_, np.int8, "i8"),
    (np.uint64, np.int64, "f64"), (np.bool_, np.float32, "f32"), (np.uint8, np.int64, "i64"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "wanted"), PROMOTIONS)
def test_promotion(a: Any, b: Any, wanted: str) -> None:
    x, y = np.ones(2, a), np.ones(2, b)
    assert str(lnp.add(x, y).dtype) == wanted
    assert str(lnp.add(y, x).dtype) == wanted


def test_numbers_are_weak() -> None:
    assert str((lz.Tensor(np.ones(2, np.float16)) * 2.5).dtype) == "f16"
    assert str((lz.Tensor(np.ones(2, np.int8)) + 1).dtype) == "i8"
    assert str((lz.Tensor(np.ones(2, np.int8)) + 1.5).dtype) == "f32"
    assert str((lz.Tensor(np.ones(2, np.float64)) * 2).dtype) == "f64"
    assert str((lz.Tensor(np.ones(2, np.bool_)) + 1).dtype) == "i64"
    assert str(lnp.add(1, 2.0).dtype) == "f32"
    with pytest.raises(OverflowError, match="300 does not fit ui8"):
        lz.Tensor(np.ones(2, np.uint8)) + 300


REDUCTIONS = ["sum", "prod", "max", "min", "mean", "var", "std", "any", "all", "argmax", "argmin"]


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64, np.bool_])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)])
def test_reductions(name: str, dtype: Any, axis: Any) -> None:
    if name.startswith("arg") and isinstance(axis, tuple):
        pytest.skip("one axis")
    x = np.nan_to_num(draw(np.random.default_rng(5), (2, 3, 4), dtype), posinf=1)
    for keepdims in (False, True):
        if dtype is np.bool_ and name in ("max", "min"):
            continue
        wanted = getattr(np, name)(x, axis=axis, keepdims=keepdims)
        got = getattr(lnp, name)(x, axis=axis, keepdims=keepdims)
        floats = name in ("mean", "var", "std") and np.dtype(dtype).kind != "f"
        compare(got, wanted, dtype=not floats)


def test_reduction_options() -> None:
    x = np.arange(12.0).reshape(3, 4)
    mask = x % 2 == 0
    compare(lnp.sum(x, axis=0, where=mask), np.sum(x, axis=0, where=mask))
    compare(lnp.sum(x, initial=5.0), np.sum(x, initial=5.0))
    compare(lnp.max(x, axis=1, initial=6.0, where=mask), np.max(x, axis=1, initial=6.0, where=mask))
    compare(lnp.mean(x, where=mask), np.mean(x, where=mask))
    compare(lnp.var(x, axis=1, ddof=1), np.var(x, axis=1, ddof=1))
    compare(lnp.sum(np.ones(3, np.int8), dtype="float64"), np.float64(3))
    compare(lnp.count_nonzero(x, axis=1), np.count_nonzero(x, axis=1))
    compare(lnp.ptp(x, axis=0), np.ptp(x, axis=0))
    compare(lnp.average(x, axis=1, weights=np.arange(4.0)), np.average(x, 1, np.arange(4.0)))
    x[0, 0] = np.nan
    for name in ("nansum", "nanmean", "nanmax", "nanmin"):
        compare(getattr(lnp, name)(x, axis=0), getattr(np, name)(x, axis=0))
    with pytest.raises(ValueError, match="initial"):
        lnp.max(np.zeros((0, 3)), axis=0)


def test_f16_mean_does_not_overflow() -> None:
    assert lnp.mean(np.full(4096, 100.0, np.float16)).item() == 100.0


X = np.arange(24).reshape(2, 3, 4)
MANIPULATIONS = [
    ("reshape", ((4, -1),)), ("ravel", ()), ("transpose", ()), ("transpose", ((2, 0, 1),)),
    ("swapaxes", (0, 2)), ("moveaxis", (0, -1)), ("moveaxis", ((0, 1), (2, 0))),
    ("rollaxis", (2,)), ("expand_dims", (1,)), ("expand_dims", ((0, 3),)), ("flip", ()),
    ("flip", (1,)), ("flip", ((0, 2),)), ("roll", (5,)), ("roll", (2, 1)),
    ("roll", ((1, 2), (0, 2))),
    ("rot90", ()), ("rot90", (2,)), ("rot90", (3, (1, 2))), ("rot90", (-1, (2, 0))),
    ("tile", (2,)), ("tile", ((2, 1, 2, 1),)), ("repeat", (2,)), ("repeat", (3, 1)),
    ("repeat", (np.array([1, 0, 2]), 1)), ("diff", ()), ("diff", (2, 1)), ("tril", ()),
    ("triu", (1,)), ("diagonal", ()), ("diagonal", (1, 1, 2)), ("trace", ()), ("atleast_2d", ()),
    ("pad", (1,)), ("pad", (((1, 2), (0, 1), (2, 0)),)), ("squeeze", ()), ("clip", (3, 9)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), MANIPULATIONS)
def test_manipulation(name: str, args: Any) -> None:
    compare(getattr(lnp, name)(X, *args), getattr(np, name)(X, *args))


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("width", [1, 3, ((0, 2), (5, 1))])
def test_pad_modes(mode: str, width: Any) -> None:
    x = np.arange(6).reshape(2, 3)
    compare(lnp.pad(x, width, mode), np.pad(x, width, mode))


def test_joining() -> None:
    a, b = np.arange(6).reshape(2, 3), np.ones((2, 3), np.float32)
    compare(lnp.concatenate([a, a], 1), np.concatenate([a, a], 1))
    compare(lnp.concatenate([a, a], None), np.concatenate([a, a], None))
    compare(lnp.stack([a, a], -1), np.stack([a, a], -1))
    compare(lnp.vstack([a[0], a]), np.vstack([a[0], a]))
    compare(lnp.hstack([a, a]), np.hstack([a, a]))
    compare(lnp.column_stack([a[0], a[1]]), np.column_stack([a[0], a[1]]))
    assert str(lnp.concatenate([a, b]).dtype) == "f32"
    for got, wanted in zip(lnp.split(a, 3, 1), np.split(a, 3, 1), strict=True):
        compare(got, wanted)
    for got, wanted in zip(
        lnp.array_split(a, [1, 5], 1), np.array_split(a, [1, 5], 1), strict=True
    ):
        compare(got, wanted)


def test_creation() -> None:
    compare(lnp.arange(3, 10, 2), np.arange(3, 10, 2))
    compare(lnp.arange(1.0, 2.0, 0.25), np.arange(1.0, 2.0, 0.25, np.float32))
    compare(lnp.arange(5, 0, -2), np.arange(5, 0, -2))
    compare(
        lnp.linspace(0, 1, 7, dtype="f64").astype("f32"), np.linspace(0, 1, 7, dtype=np.float32)
    )
    compare(
        lnp.linspace(0.0, 1.0, 4, endpoint=False), np.linspace(0, 1, 4, False, dtype=np.float32)
    )
    compare(lnp.eye(3, 4, 1), np.eye(3, 4, 1, dtype=np.float32))
    compare(lnp.tri(3, 4, -1), np.tri(3, 4, -1, dtype=np.float32))
    compare(lnp.full((2, 2), 7), np.full((2, 2), 7))
    compare(lnp.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]))
    compare(lnp.diag(np.array([1, 2, 3]), -1), np.diag([1, 2, 3], -1))
    compare(lnp.indices((2, 3)), np.indices((2, 3)))
    for got, wanted in zip(
        lnp.meshgrid(np.arange(2), np.arange(3)), np.meshgrid([0, 1], [0, 1, 2])
    ):
        compare(got, wanted)
    assert str(lnp.array(1.5).dtype) == "f32"
    assert str(lnp.asarray(np.float64(1.5)).dtype) == "f64"


CONTRACTIONS = [
    ("matmul", (2, 3), (3, 4)), ("matmul", (3,), (3,)), ("matmul", (3,), (3, 4)),
    ("matmul", (2, 3), (3,)), ("matmul", (5, 2, 3), (3, 4)), ("matmul", (5, 1, 2, 3), (4, 3, 2)),
    ("matmul", (3,), (5, 3, 2)), ("matmul", (2, 3), (5, 3, 2)), ("dot", (2, 3), (4, 3, 2)),
    ("inner", (2, 3), (4, 3)), ("outer", (3,), (4,)), ("vdot", (2, 3), (2, 3)),
    ("tensordot", (2, 3, 4), (3, 4, 5)), ("kron", (2, 2), (3, 2)), ("cross", (4, 3), (4, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "left", "right"), CONTRACTIONS)
def test_contractions(name: str, left: Any, right: Any) -> None:
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=left), rng.normal(size=right)
    compare(getattr(lnp, name)(x, y), getattr(np, name)(x, y))


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,kj", (2, 3), (4, 3)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("ii->i", (3, 3)), ("ii", (3, 3)), ("ij->ji", (2, 3)), ("ij->", (2, 3)),
    ("...ij->...ji", (2, 3, 4)),
    ("i,j->ij", (3,), (4,)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("...i,i", (2, 3), (3,)),
    ("ij,ij->i", (2, 3), (2, 3)), ("ij,j->ij", (2, 3), (3,)),
    ("bhqd,bhkd->bhqk", (1, 2, 3, 4), (1, 2, 5, 4)),
    ("ijk,k->", (2, 3, 4), (4,)), ("iij->j", (3, 3, 2)),
]  # fmt: skip


@pytest.mark.parametrize("case", EINSUMS, ids=lambda c: c[0])
def test_einsum(case: Any) -> None:
    rng = np.random.default_rng(4)
    arrays = [rng.normal(size=s) for s in case[1:]]
    compare(lnp.einsum(case[0], *arrays), np.einsum(case[0], *arrays))


def test_numpy_functions_accept_tensors() -> None:
    x = lz.Tensor(np.arange(6.0).reshape(2, 3))
    assert isinstance(np.sin(x), lz.Tensor)
    assert isinstance(np.sum(x, axis=0), lz.Tensor)
    assert isinstance(np.add.reduce(x), lz.Tensor)
    assert isinstance(np.ones(3) * x, lz.Tensor)
    assert isinstance(np.concatenate([x, x]), lz.Tensor)
    compare(np.exp(x), np.exp(x.numpy()))
    compare(np.mean(x, axis=1), np.mean(x.numpy(), axis=1))
    with pytest.raises(TypeError, match=r"convert with .numpy\(\) first"):
        np.lib.stride_tricks.sliding_window_view(x, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.asarray(x).sum() == 15


def test_choice() -> None:
    x = np.arange(5)
    compare(lnp.where(x > 2, x, -x), np.where(x > 2, x, -x))
    compare(lnp.select([x < 1, x < 3], [x, x * 10], 7), np.select([x < 1, x < 3], [x, x * 10], 7))
    assert bool(lnp.allclose(x, x + 1e-9))
    assert not bool(lnp.array_equal(x, x[:3]))
