"""Every name of the array standard is there and can be called as the standard says."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from standard_names import ATTRIBUTES, CONSTANTS, DTYPES, FFT, FUNCTIONS, INFO, LINALG, METHODS

import lazir as lz
import lazir.numpy as lnp

strict = pytest.importorskip("array_api_strict", reason="the standard's executable form")
EMPTY = inspect.Parameter.empty


def signatures(table: str) -> dict[str, inspect.Signature]:
    """The signatures of a table's lines by name."""
    found = {}
    for line in table.split("\n"):
        if line:
            scope: dict[str, Any] = {}
            exec(f"def {line}: pass", scope)
            name = line.split("(")[0]
            found[name] = inspect.signature(scope[name])
    return found


def home(namespace: str) -> tuple[Any, Any, str]:
    return {
        "": (lnp, strict, FUNCTIONS),
        "linalg": (lnp.linalg, strict.linalg, LINALG),
        "fft": (lnp.fft, strict.fft, FFT),
    }[namespace]


ALL = [(n, name) for n in ("", "linalg", "fft") for name in signatures(home(n)[2])]


def kinds(signature: inspect.Signature) -> list[tuple[str, Any, Any]]:
    def default(value: Any) -> Any:
        return None if "Undef" in repr(value) else value

    return [(p.name, p.kind, default(p.default)) for p in signature.parameters.values()]


@pytest.mark.parametrize("namespace", ["", "linalg", "fft"])
def test_the_tables_are_the_standards(namespace: str) -> None:
    _, there, table = home(namespace)
    wanted = {
        name: value
        for name, value in vars(there).items()
        if name in there.__all__ and callable(value) and "trict" not in name and name != "Device"
        and not isinstance(value, strict.DType if hasattr(strict, "DType") else type(strict.int8))
    }  # fmt: skip
    found = signatures(table)
    assert set(found) - {"eig", "eigvals"} == set(wanted)  # which it lacks
    for name in wanted:
        assert kinds(found[name]) == kinds(inspect.signature(wanted[name])), name


def accepts(own: inspect.Signature, wanted: inspect.Signature) -> str | None:
    """Why calls that the standard allows would not bind; None where all do."""
    mine = list(own.parameters.values())
    positional = [p for p in mine if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    spread = [p.kind for p in mine]
    by_keyword = {p.name: p for p in mine if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    used = set()
    for place, p in enumerate(wanted.parameters.values()):
        if p.kind is p.VAR_POSITIONAL:
            if p.VAR_POSITIONAL not in spread:
                return "takes no variable arguments"
            continue
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            if place >= len(positional):
                return f"{p.name} cannot be given by position"
            match = positional[place]
            if p.kind is p.POSITIONAL_OR_KEYWORD and (
                match.name != p.name or match.kind is match.POSITIONAL_ONLY
            ):
                return f"{p.name} cannot be given by name"
        elif p.name not in by_keyword:
            return f"{p.name} cannot be given by name"
        else:
            match = by_keyword[p.name]
        used.add(match.name)
        free = p.default is EMPTY or p.name == "correction"  # not given, NumPy's `ddof` decides
        if not free and match.default is not p.default and match.default != p.default:
            return f"{p.name} is {match.default!r} by default"
    for q in mine:
        if q.name not in used and q.default is EMPTY and q.kind not in (2, 4):
            return f"{q.name} has no default"
    return None


@pytest.mark.parametrize(("namespace", "name"), ALL, ids=lambda v: v or "-")
def test_every_function_is_called_as_the_standard_says(namespace: str, name: str) -> None:
    here, _, table = home(namespace)
    function = getattr(here, name, None)
    assert function is not None
    assert accepts(inspect.signature(function), signatures(table)[name]) is None


@pytest.mark.parametrize("name", signatures(METHODS))
def test_methods(name: str) -> None:
    function = getattr(lz.Tensor, name)
    own = inspect.signature(function)
    without_self = own.replace(parameters=list(own.parameters.values())[1:])
    assert accepts(without_self, signatures(METHODS)[name]) is None


def test_attributes_and_constants() -> None:
    x = lz.Tensor([[1.0, 2.0]])
    for name in ATTRIBUTES:
        assert isinstance(getattr(lz.Tensor, name), property), name
    assert (x.ndim, x.shape, x.size, x.dtype, str(x.device)) == (2, (1, 2), 2, lnp.float32, "cpu")
    assert x.T.shape == x.mT.shape == (2, 1)
    for name in CONSTANTS:
        mine, theirs = getattr(lnp, name), getattr(np, name)
        assert mine is theirs or mine == theirs or mine != mine
    with pytest.raises(ValueError, match="axis -2 is out of range"):
        lz.Tensor([1.0]).mT  # noqa: B018


def test_info() -> None:
    info = lnp.__array_namespace_info__()
    for name, wanted in signatures(INFO).items():
        assert accepts(inspect.signature(getattr(info, name)), wanted) is None
    dtypes = info.dtypes()
    assert set(dtypes) == set(DTYPES)
    assert all(dtypes[name] is getattr(lnp, name) for name in DTYPES)
    for kind in ("bool", "signed integer", "unsigned integer", "integral", "real floating",
                 "complex floating", "numeric", ("bool", "integral")):  # fmt: skip
        assert set(info.dtypes(kind=kind)) == set(
            strict.__array_namespace_info__().dtypes(kind=kind)
        )
    assert info.default_dtypes(device="cpu") == {
        "real floating": lnp.zeros(1).dtype, "complex floating": lnp.complex64,
        "integral": lnp.arange(1).dtype, "indexing": lnp.argmax(lnp.zeros(1)).dtype,
    }  # fmt: skip
    assert info.default_device() in info.devices()
    most = info.capabilities()["max dimensions"]
    assert info.capabilities() | {"max dimensions": 0} == {
        "boolean indexing": True, "data-dependent shapes": True, "max dimensions": 0,
    }  # fmt: skip
    assert (lnp.ones((1,) * most) + 1).numpy().ndim == most
    with pytest.raises(ValueError, match="'imaginary'"):
        info.dtypes(kind="imaginary")


def test_versions() -> None:
    x = lz.Tensor([1.0])
    assert x.__array_namespace__() is lnp
    assert x.__array_namespace__(api_version="2021.12") is lnp
    assert lnp.__array_api_version__ == strict.__array_api_version__
    with pytest.raises(ValueError, match=r"not 2020\.10"):
        x.__array_namespace__(api_version="2020.10")


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"])
def test_arithmetic_in_place_and_reflected(name: str) -> None:
    x = np.array([5.0, 7.0], np.float32)
    plain, in_place = getattr(operator, name), getattr(operator, f"i{name}")
    assert np.allclose(plain(lz.Tensor(x), 2).numpy(), plain(x, 2))
    assert np.allclose(plain(2, lz.Tensor(x)).numpy(), plain(2, x))
    assert np.allclose(in_place(lz.Tensor(x), 2).numpy(), plain(x, 2))


@pytest.mark.parametrize("name", ["and_", "or_", "xor", "lshift", "rshift", "matmul"])
def test_bits_in_place_and_reflected(name: str) -> None:
    x = np.array([5, 7])
    y = np.array([1, 2])
    plain, in_place = getattr(operator, name), getattr(operator, f"i{name.strip('_')}")
    if name == "and_":
        in_place = operator.iand
    assert np.array_equal(plain(lz.Tensor(x), y).numpy(), plain(x, y))
    assert np.array_equal(plain(x, lz.Tensor(y)).numpy(), plain(x, y))
    assert np.array_equal(in_place(lz.Tensor(x), lz.Tensor(y)).numpy(), plain(x, y))


CONVERSIONS: list[tuple[Callable[[Any], Any], Any]] = [
    (bool, 2), (int, 2.7), (float, 2.5), (complex, 2.5), (operator.index, 3), (int, True),
]  # fmt: skip


@pytest.mark.parametrize(("convert", "value"), CONVERSIONS)
def test_python_numbers(convert: Callable[[Any], Any], value: Any) -> None:
    assert convert(lz.Tensor(value)) == convert(value)
    assert type(convert(lz.Tensor(value))) is type(convert(value))


def test_python_numbers_that_are_none() -> None:
    with pytest.raises(TypeError, match="only integer tensors"):
        operator.index(lz.Tensor(2.0))
    with pytest.raises(TypeError, match="one element"):
        float(lz.Tensor([1.0, 2.0]))


def test_dtypes_make_scalars_and_are_numpys() -> None:
    for name in DTYPES:
        dtype = getattr(lnp, name)
        made = dtype(1)
        assert made.shape == () and made.dtype is dtype and made.item() == 1
        assert np.dtype(dtype) == dtype == np.dtype(name) and dtype == getattr(np, name)
        assert dtype != np.dtype("S1") and (np.dtype(name) == dtype)
    assert lnp.float32([1, 2]).numpy().dtype == np.float32
    assert lnp.float64() == 0
    assert lnp.bfloat16 != np.float32 and np.dtype("f4") != lnp.bfloat16
