"""Donated arguments where a call fails, leaves arguments out or gets a tensor twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.errors import CheckError, DonationError


def _fresh() -> Any:
    return lnp.asarray(np.arange(8.0))


@pytest.mark.parametrize("warm", [False, True])
def test_a_failing_call_does_not_leave_overwritten_tensors(warm: bool) -> None:
    @lz.compile(donate_argnums=0)
    def f(x: Any, most: Any) -> Any:
        doubled = x * 2
        lz.check(doubled.sum() < most, "too much")
        return doubled

    if warm:
        f(_fresh(), np.float64(1e9))
    x = _fresh()
    with pytest.raises(CheckError, match="too much"):
        f(x, np.float64(1.0))
    with pytest.raises(DonationError, match="donated here"):
        np.asarray(x)


@pytest.mark.parametrize("warm", [False, True])
def test_a_failing_callback_does_not_leave_overwritten_tensors(warm: bool) -> None:
    fails = not warm

    def host(a: Any) -> Any:
        if fails:
            raise ValueError("host")
        return a

    @lz.compile(donate_argnums=0)
    def f(x: Any) -> Any:
        doubled = x * 2
        return doubled + 1, lz.pure_callback(host, lz.spec(8, dtype="float64"), doubled)

    if warm:
        f(_fresh())
        f(_fresh())
        fails = True
    x = _fresh()
    with pytest.raises(ValueError, match="host"):
        f(x)
    with pytest.raises(DonationError, match="donated here"):
        np.asarray(x)


def test_a_donated_argument_may_be_left_out_after_calls_with_it() -> None:
    @lz.compile(donate_argnums=1)
    def f(x: Any, y: Any = None) -> Any:
        return x * 2 if y is None else x * 2 + y

    for _ in range(2):
        f(_fresh(), _fresh())
    np.testing.assert_array_equal(f(_fresh()), np.arange(8.0) * 2)
    for _ in range(2):
        f(_fresh(), _fresh())
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        f()


def test_a_tensor_given_twice_is_an_error_in_every_call() -> None:
    f = lz.compile(lambda x, y: x[::-1] + y, donate_argnums=0)
    for _ in range(3):
        x = _fresh()
        with pytest.raises(DonationError, match="are one tensor"):
            f(x, x)
        np.testing.assert_array_equal(f(_fresh(), _fresh()), np.full(8, 7.0))
