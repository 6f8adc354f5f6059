"""GPU programs computed: their PTX, thread by thread on the emulator, against the interpreter."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lazir.compiler.interpret import interpret
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import named_target
from lazir.compiler.types import DType, bf16
from tests.gpu.plan import run_plan
from tests.gpu.programs import PROGRAMS, arguments

TOLERANCE = {"f16": 2**-10, "bf16": 2**-7, "f32": 4e-6, "f64": 1e-14}
"""Relative to the element or to 1, whichever is larger: a few roundings of the type."""


def assert_close(found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], dtype: DType) -> None:
    """Integers and bools exactly, floats within their tolerance."""
    found = found.view(wanted.dtype)
    if not dtype.is_float:
        np.testing.assert_array_equal(found, wanted)
        return
    if dtype is bf16:
        found, wanted = found.view(ml_dtypes.bfloat16), wanted.view(ml_dtypes.bfloat16)
    bound = TOLERANCE[dtype.name]
    exact = np.float64
    np.testing.assert_allclose(found.astype(exact), wanted.astype(exact), rtol=bound, atol=bound)


@pytest.mark.parametrize("target", ["sm_75", "sm_90a", "sm_100"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_emulated_against_interpreted(name: str, target: str) -> None:
    graph = PROGRAMS[name]()
    compilation = Compilation(graph, named_target(target))
    inputs = arguments(graph)
    found, _ = run_plan(compilation.loops, compilation.ptx, inputs)
    with np.errstate(all="ignore"):
        wanted = interpret(graph, inputs)
    for one, other, type in zip(found, wanted, graph.result_types, strict=True):
        assert_close(one, other, type.dtype)


@pytest.mark.parametrize("name", ["chain_f32", "softmax_40", "sum_0", "best", "tall"])
def test_nan_and_infinity(name: str) -> None:
    """The same where they are as the interpreter, whichever thread meets them."""
    graph = PROGRAMS[name]()
    compilation = Compilation(graph, named_target("sm_90a"))
    inputs = arguments(graph, seed=1)
    rng = np.random.default_rng(3)
    flat = inputs[0].reshape(-1)
    flat[rng.choice(flat.size, 9, replace=False)] = [np.nan] * 3 + [np.inf] * 3 + [-np.inf] * 3
    found, _ = run_plan(compilation.loops, compilation.ptx, inputs)
    with np.errstate(all="ignore"):
        wanted = interpret(graph, inputs)
    for one, other, type in zip(found, wanted, graph.result_types, strict=True):
        assert_close(one, other, type.dtype)


def test_launches_are_counted() -> None:
    """Nothing is launched for an empty result, two launches join a long sum."""
    for name, launches in {"none": 1, "everything": 2, "softmax_700": 1}.items():
        compilation = Compilation(PROGRAMS[name](), named_target("sm_90a"))
        inputs = arguments(compilation.graph)
        assert run_plan(compilation.loops, compilation.ptx, inputs)[1] == launches
