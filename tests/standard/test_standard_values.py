"""Every function of the array standard against its reference implementation, for every dtype.

The calls of one dtype are traced as one function, whose graph the interpreter runs: that compiled
programs agree with it is tested for every op elsewhere. Three dtypes run compiled as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from standard_calls import CREATION, DTYPES, calls_for, lines, operands

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.interpret import interpret

strict = pytest.importorskip("array_api_strict", reason="the standard's executable form")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of NaN and empty means


def evaluate(call: str, namespace: Any, arrays: dict[str, Any]) -> Any:
    """A call's results, as a list."""
    scope = {name: getattr(namespace, name) for name in dir(namespace) if name[0] != "_"}
    made = eval(call, {"linalg": namespace.linalg, "fft": namespace.fft, **scope, **arrays})
    return list(made) if isinstance(made, tuple) else [made]


def same(call: str, got: Any, wanted: Any) -> None:
    wanted = np.asarray(wanted)
    got = np.asarray(got)
    assert got.shape == wanted.shape, f"{call}: shape {got.shape}, not {wanted.shape}"
    assert got.dtype == wanted.dtype, f"{call}: {got.dtype}, not {wanted.dtype}"
    if wanted.dtype.kind in "fc":
        tolerance = 2e-5 if wanted.dtype in (np.float32, np.complex64) else 1e-11
        np.testing.assert_allclose(got, wanted, tolerance, tolerance, err_msg=call)
    else:
        np.testing.assert_array_equal(got, wanted, err_msg=call)


def program(dtype: str) -> tuple[Any, list[Any], list[tuple[str, Any]]]:
    """A function of the operands that makes all calls; the operands; what each result should be."""
    arrays = operands(dtype)
    calls = calls_for(dtype)
    reference = {k: strict.asarray(v) for k, v in arrays.items()}
    wanted = [(c, r) for c in calls for r in evaluate(c, strict, reference)]
    static = {"R": arrays["R"]}  # its sum is a shape

    def everything(*given: Any) -> list[Any]:
        own = {k: v.copy() for k, v in zip(arrays, given)} | static
        return [r for c in calls for r in evaluate(c, lnp, own)]

    return everything, list(arrays.values()), wanted


@pytest.mark.parametrize("dtype", DTYPES)
def test_values(dtype: str) -> None:
    everything, given, wanted = program(dtype)
    traced = lz.compile(everything).trace(*given)
    found = interpret(traced.graph, given)
    for (call, right), got, type_ in zip(wanted, found, traced.graph.result_types, strict=True):
        same(call, got.astype(type_.dtype.numpy), right)


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32"])
def test_values_compiled(dtype: str) -> None:
    everything, given, wanted = program(dtype)
    for (call, right), got in zip(wanted, lz.compile(everything)(*given), strict=True):
        same(call, got.numpy(), right)


@pytest.mark.parametrize("call", lines(CREATION))
def test_creation(call: str) -> None:
    for got, right in zip(evaluate(call, lnp, {}), evaluate(call, strict, {}), strict=True):
        same(call, got.numpy() if isinstance(got, lz.Tensor) else got, right)
