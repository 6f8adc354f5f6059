"""The generated constants are what their scripts derive, and every function states its accuracy."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from maths_numpy_builder import NumpyBuilder
from maths_reference import BINARY, KINDS
from mpmath import mp

from lazir.compiler.maths import ACCURACY, FUNCTIONS, SMALL_FORMS, coefficients, constants

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
TABLES = {
    name: table
    for module in (coefficients, constants)
    for name, table in vars(module).items()
    if name.isupper() and name != "TURN_BITS"
}


def run_script(name: str, *arguments: str) -> dict[str, object]:
    """The names that the printed text defines; its layout is the formatter's business."""
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    namespace: dict[str, object] = {"Table": dict}
    exec(text, namespace)
    return {key: value for key, value in namespace.items() if key.isupper()}


def test_constants_are_reproducible() -> None:
    found = run_script("split_constants.py")
    assert found == {key: value for key, value in vars(constants).items() if key.isupper()}


@pytest.mark.parametrize("name", ["EXP", "LOG", "SIN"])
def test_coefficients_are_reproducible(name: str) -> None:
    assert run_script("fit_polynomials.py", name)[name] == getattr(coefficients, name)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_entry_is_exact_in_its_dtype(name: str) -> None:
    for dtype, values in TABLES[name].items():
        kind = np.float32 if dtype == "f32" else np.float64
        assert all(float(kind(value)) == value for value in values)


def test_words_of_a_turn_add_up() -> None:
    with mp.workprec(1300):
        for dtype, words in constants.TURN_WORDS.items():
            bits = constants.TURN_BITS[dtype]
            total = sum(mp.mpf(w) * mp.mpf(2) ** (-bits * i) for i, w in enumerate(words))
            assert 0 <= 1 / (2 * mp.pi) - total < mp.mpf(2) ** (-bits * len(words))


def test_every_function_states_its_accuracy() -> None:
    assert set(ACCURACY) == set(FUNCTIONS)
    assert all(set(bounds) == {"f32", "f64"} for bounds in ACCURACY.values())
    assert set(SMALL_FORMS) <= set(FUNCTIONS)


@pytest.mark.parametrize("function", [*FUNCTIONS.values(), *SMALL_FORMS.values()])
def test_docstrings_state_the_number_of_operations(function: Callable[..., object]) -> None:
    found = re.search(r"(\d+) \(f32\) or (\d+) \(f64\) operations", function.__doc__ or "")
    assert found, function
    for stated, dtype in zip(found.groups(), ("f32", "f64")):
        builder = NumpyBuilder()
        operands = 2 if function.__name__.removesuffix("_small") in BINARY else 1
        function(builder, *(np.array([0.7], KINDS[dtype]) for _ in range(operands)))
        assert builder.operations == int(stated), (function.__name__, dtype)
