"""Dtypes as the array standard has them: promotion, conversion, kinds, limits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from standard_names import DTYPES

import lazir as lz
import lazir.numpy as lnp

strict = pytest.importorskip("array_api_strict", reason="the standard's executable form")
PAIRS = list(itertools.product(DTYPES, repeat=2))
KINDS = ("bool", "signed integer", "unsigned integer", "integral", "real floating",
         "complex floating", "numeric")  # fmt: skip
REAL = DTYPES[:11]


def promoted(a: str, b: str) -> str | None:
    """The standard's answer; None where it leaves the pair open."""
    try:
        return str(np.dtype(strict.result_type(getattr(strict, a), getattr(strict, b))._np_dtype))
    except TypeError:
        return None


def test_result_type() -> None:
    known = {pair: promoted(*pair) for pair in PAIRS}
    assert sum(v is not None for v in known.values()) == 73
    for (a, b), wanted in known.items():
        if wanted is not None:
            assert lnp.result_type(getattr(lnp, a), getattr(lnp, b)) == wanted, (a, b)
            assert lnp.promote_types(a, b) == wanted
    for a in REAL:
        assert lnp.result_type(lnp.zeros(2, a), getattr(lnp, a)) == a
    assert lnp.result_type(lnp.int8, 1) == lnp.int8
    assert lnp.result_type(lnp.int8, 1.0) == lnp.float32
    assert lnp.result_type(lnp.float64, 1, True) == lnp.float64
    assert lnp.result_type(np.int16, "uint8", np.zeros(1, np.int8)) == lnp.int16
    with pytest.raises(TypeError, match="at least one"):
        lnp.result_type()


ORDERED = ("maximum", "floor_divide")
BINARY = ("add", "multiply", "equal", "pow", *ORDERED)


@pytest.mark.parametrize("name", BINARY)
def test_operands_are_promoted(name: str) -> None:
    """Functions, operators, `where` and `concat` give what `result_type` says."""
    for a, b in itertools.product(REAL[1:] if name in ORDERED else DTYPES[1:], repeat=2):
        wanted = promoted(a, b)
        if wanted is not None:
            x, y = lz.spec((2, 1), a), lz.spec((3,), b)
            made = lz.eval_shape(getattr(lnp, name), x, y)
            assert made.shape == (2, 3)
            assert made.dtype == ("bool" if name == "equal" else wanted), (a, b)
            if name == "add":
                joined = lz.eval_shape(lambda p, q: lnp.concat([p, q[:, None]]), x, y)
                assert joined.dtype == wanted
                chosen = lz.eval_shape(lambda p, q: lnp.where(p == 0, p, q), x, y)
                assert chosen.dtype == wanted


def test_python_numbers_keep_the_dtype() -> None:
    for a in DTYPES:
        x = lz.spec((2,), a)
        assert lz.eval_shape(lambda v: lnp.where(v == v, v, True), x).dtype == a
        if a != "bool":
            assert lz.eval_shape(lambda v: (v + 1) * 2 - 3, x).dtype == a
        if a.startswith("complex"):
            assert lz.eval_shape(lambda v: v * 2j + 1.5, x).dtype == a
        if a.startswith(("float", "complex")):
            assert lz.eval_shape(lambda v: (v + 1.5) ** 2.0 / 3, x).dtype == a


def test_can_cast() -> None:
    for a, b in PAIRS:
        if promoted(a, b) is not None:
            wanted = strict.can_cast(getattr(strict, a), getattr(strict, b))
            assert lnp.can_cast(getattr(lnp, a), getattr(lnp, b)) == wanted, (a, b)
    assert lnp.can_cast(lnp.zeros(1, "int8"), lnp.int16)
    assert not lnp.can_cast(lnp.float64, lnp.float32)
    assert lnp.can_cast(lnp.float64, lnp.float32, "same_kind")
    assert lnp.can_cast(lnp.float64, lnp.int8, "unsafe")
    bf16 = lnp.bfloat16
    assert [lnp.can_cast(bf16, t) for t in ("float32", "complex64", "float16", "int32")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert [lnp.can_cast(t, bf16) for t in ("bool", "uint8", "int16", "float16", "bfloat16")] == [
        True, True, False, False, True,
    ]  # fmt: skip
    assert lnp.can_cast("float32", bf16, "same_kind") and lnp.can_cast(bf16, "float16", "same_kind")
    assert lnp.can_cast(bf16, "int8", "unsafe") and not lnp.can_cast(bf16, "float16", "no")


def test_isdtype() -> None:
    for name, kind in itertools.product(DTYPES, KINDS):
        wanted = strict.isdtype(getattr(strict, name), kind)
        assert lnp.isdtype(getattr(lnp, name), kind) == wanted
    assert lnp.isdtype(lnp.int8, ("bool", lnp.int8)) and not lnp.isdtype(lnp.int8, ())
    assert lnp.isdtype(lnp.bfloat16, "real floating")
    with pytest.raises(ValueError, match="'floating'"):
        lnp.isdtype(lnp.int8, "floating")
    with pytest.raises(TypeError, match="holds no tuples"):
        lnp.isdtype(lnp.int8, (("bool",),))


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "complex64", "complex128"])
def test_finfo(name: str) -> None:
    found, wanted = lnp.finfo(name), np.finfo(name)
    for field in ("bits", "eps", "max", "min", "smallest_normal", "smallest_subnormal", "tiny"):
        assert getattr(found, field) == getattr(wanted, field), field
    assert found.dtype == wanted.dtype and type(found.eps) is float
    assert lnp.finfo(lnp.zeros(1, name if name[0] == "f" else "float32")).bits in (16, 32, 64)


def test_finfo_of_bf16() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="knows bf16's limits")
    found, wanted = lnp.finfo(lnp.bfloat16), ml_dtypes.finfo("bfloat16")
    for field in ("bits", "eps", "max", "min", "smallest_normal", "smallest_subnormal"):
        assert getattr(found, field) == float(getattr(wanted, field)), field


@pytest.mark.parametrize("name", DTYPES[1:9])
def test_iinfo(name: str) -> None:
    found, wanted = lnp.iinfo(getattr(lnp, name)), np.iinfo(name)
    assert (found.bits, found.max, found.min) == (wanted.bits, wanted.max, wanted.min)
    assert found.dtype == name


def test_limits_of_other_kinds() -> None:
    with pytest.raises(TypeError, match="use iinfo"):
        lnp.finfo(lnp.int8)
    with pytest.raises(TypeError, match="use finfo"):
        lnp.iinfo(lnp.bool)


CASTS: list[tuple[Any, str, Any]] = [
    ([1.9, -1.9], "int32", [1, -1]), ([0.0, -0.0, 0.5, np.nan], "bool", [0, 0, 1, 1]),
    ([300, -1], "uint8", [44, 255]), ([True, False], "float64", [1.0, 0.0]),
    ([2**31, -(2**31)], "int32", [-(2**31), -(2**31)]),
]  # fmt: skip


@pytest.mark.parametrize(("values", "dtype", "wanted"), CASTS)
def test_astype(values: Any, dtype: str, wanted: Any) -> None:
    x = lnp.asarray(values)
    made = lnp.astype(x, dtype, device="cpu")
    assert made.dtype == dtype and np.array_equal(made.numpy(), np.array(wanted))
    assert lnp.astype(x, x.dtype, copy=False) is x and lnp.astype(x, x.dtype) is not x
