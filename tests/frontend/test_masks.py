"""Assignment through masks: one meaning for known, lazy and traced masks, NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

X = np.arange(24.0).reshape(2, 3, 4)
FULL, PLANE, ROWS, COLUMN = X > 5, X[..., 0] > 4, np.array([True, False]), X[0, :, 0] > 3
CASES: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    "everywhere": (lambda m: m, FULL, 7.0),
    "leading axis": (lambda m: m, ROWS, 7.0),
    "one number in an axis": (lambda m: m, FULL, np.array([3.0])),
    "a slice for every place": (lambda m: m, PLANE, np.arange(4.0)),
    "a part for every row": (lambda m: m, ROWS, np.arange(12.0).reshape(3, 4)),
    "beside an integer": (lambda m: (m, 0), ROWS, 5.0),
    "beside a slice": (lambda m: (m, slice(1, None)), ROWS, 5.0),
    "after a slice": (lambda m: (slice(None), m), COLUMN, 5.0),
    "after an integer": (lambda m: (0, m), COLUMN, 5.0),
    "between dots and an integer": (lambda m: (..., m, -1), COLUMN, 5.0),
    "before a new axis": (lambda m: (m, None), ROWS, 5.0),
    "rank 0, true": (lambda m: m, np.array(True), 5.0),
    "rank 0, false": (lambda m: m, np.array(False), np.ones((1, 2, 3, 4))),
}


def assigned(key: Any, x: Any, mask: Any, value: Any) -> Any:
    x[key(mask)] = value
    return x


@pytest.mark.parametrize("name", CASES)
def test_assignment(name: str) -> None:
    key, mask, value = CASES[name]
    wanted = assigned(key, X.copy(), mask, value)
    assert np.array_equal(assigned(key, lz.Tensor(X), mask, value), wanted)
    assert np.array_equal(assigned(key, lz.Tensor(X), lz.Tensor(mask), value), wanted)

    @lz.compile
    def traced(x: Any, m: Any) -> Any:
        return assigned(key, x, m, value)

    assert np.array_equal(traced(X, mask), wanted)


def test_assignment_of_as_many_values_as_places() -> None:
    values = np.arange(18.0)
    wanted = assigned(lambda m: m, X.copy(), FULL, values)
    assert np.array_equal(assigned(lambda m: m, lz.Tensor(X), lz.Tensor(FULL), values), wanted)


def test_no_values_for_no_place() -> None:
    x = lnp.asarray(3.0)
    x[lnp.array(False)] = lnp.zeros((0,))
    assert x.item() == 3.0


def test_a_mask_beside_index_arrays() -> None:
    mask = np.array([True, True])
    wanted = assigned(lambda m: (m, [0, 1]), X.copy(), mask, 5.0)
    assert np.array_equal(assigned(lambda m: (m, [0, 1]), lz.Tensor(X), mask, 5.0), wanted)


def test_masks_are_not_looked_at() -> None:
    """An assignment of one value is a choice: the same program for any mask, in lazy code too."""
    x, mask = lz.Tensor(X), lz.Tensor(X) > 3
    x[mask] = 0.0
    assert mask._array is None


def test_updates() -> None:
    x = lnp.arange(6.0).reshape(2, 3)
    assert np.array_equal(x.at[x > 2].add(10.0), [[0, 1, 2], [13, 14, 15]])
    assert np.array_equal(x.at[x > 2].max(lnp.array(4)), [[0, 1, 2], [4, 4, 5]])


def test_a_mask_of_rank_0_reads_a_new_axis() -> None:
    assert lz.Tensor(X)[True].shape == X[True].shape
    assert lz.Tensor(X)[lnp.array(False)].shape == X[False].shape
    with pytest.raises(TypeError, match="only on its own"):
        lz.Tensor(X)[lnp.array(True), 0]


def test_errors() -> None:
    with pytest.raises(IndexError, match=r"shape \(3,\) does not fit axes of sizes \(2,\)"):
        lz.Tensor(X)[np.array([True] * 3)] = 1.0

    @lz.compile
    def read(x: Any, m: Any) -> Any:
        return x[m]

    with pytest.raises(lz.errors.TraceError, match=r"lnp\.extract\(mask, x, size=n\)"):
        read(X, FULL)

    @lz.compile
    def write(x: Any, m: Any) -> Any:
        x[m] = np.arange(18.0)
        return x

    with pytest.raises(lz.errors.TraceError, match="assign one value"):
        write(X, FULL)
