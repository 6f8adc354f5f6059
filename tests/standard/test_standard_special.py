"""The special cases that the array standard lists for elementwise functions, all of them.

One compiled program per dtype evaluates every function on all pairs of special numbers.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
import pytest
from standard_special import BINARY, HOLDS, NEGATIVE, POSITIVE, RESULTS, UNARY, rules, universe

import lazir as lz
import lazir.numpy as lnp

DTYPES = ("float32", "float64", "float16", "bfloat16")


@functools.cache
def results(dtype: str) -> tuple[Any, dict[str, Any]]:
    """The operands of unary functions, and what every function makes of them and of all pairs."""

    @lz.compile
    def everything(x: Any, a: Any, b: Any) -> dict[str, Any]:
        one = {name: getattr(lnp, name)(x) for name in UNARY}
        return one | {name: getattr(lnp, name)(a, b) for name in BINARY}

    given = lz.Tensor(universe(lnp.finfo(dtype))).astype(dtype)
    count = given.shape[0]
    first, second = lnp.repeat(given, count), lnp.tile(given, count)
    numbers = given.astype("float64").numpy()
    return numbers, {
        k: v.astype("float64").numpy() for k, v in everything(given, first, second).items()
    }


def allowed(result: str, operands: tuple[float, ...], got: float, eps: float, signs: bool) -> bool:
    if result in (POSITIVE, NEGATIVE):
        return not math.isnan(got) and (math.copysign(1, got) > 0) == (result == POSITIVE)
    wanted = RESULTS[result](*operands)
    if math.isnan(wanted):
        return math.isnan(got) and (not signs or np.signbit(got) == np.signbit(wanted))
    if "pi" in result:
        return abs(got - wanted) <= 4 * eps
    return got == wanted and np.signbit(got) == np.signbit(wanted)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
@pytest.mark.parametrize("dtype", DTYPES)
def test_special_cases(dtype: str, name: str) -> None:
    numbers, found = results(dtype)
    text, count = (UNARY[name], 1) if name in UNARY else (BINARY[name], 2)
    eps = lnp.finfo(dtype).eps
    cases = list(itertools.product(numbers.tolist(), repeat=count))
    for conditions, expected in rules(text, count):
        hit = 0
        for operands, got in zip(cases, found[name].tolist(), strict=True):
            if all(any(HOLDS[c](v) for c in names) for names, v in zip(conditions, operands)):
                hit += 1
                ok = any(allowed(r, operands, got, eps, name == "copysign") for r in expected)
                assert ok, f"{name}{operands} = {got}, not {' or '.join(expected)}"
        assert hit, f"no operands for {name} of {conditions}"


def test_names_of_the_tables_are_known() -> None:
    for text, count in [(t, 1) for t in UNARY.values()] + [(t, 2) for t in BINARY.values()]:
        for conditions, expected in rules(text, count):
            assert set(itertools.chain(*conditions)) <= set(HOLDS)
            assert set(expected) <= {*RESULTS, POSITIVE, NEGATIVE}


def test_truth_of_special_numbers() -> None:
    assert [bool(lz.Tensor(v)) for v in (math.nan, math.inf, -math.inf, 0.0, -0.0)] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_clip_propagates_nan() -> None:
    x, nan = lnp.array([1.0, math.nan]), math.nan
    assert np.array_equal(lnp.isnan(lnp.clip(x, 0.0, 2.0)).numpy(), [False, True])
    assert lnp.isnan(lnp.clip(x, nan, 2.0)).numpy().all()
    assert lnp.isnan(lnp.clip(x, 0.0, nan)).numpy().all()
