"""Index syntax against NumPy: reading, writing, updates, hostile indices, views."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.views import AliasError

X = np.arange(120.0).reshape(4, 5, 6)
MASK = X[:, :, 0] % 2 == 0
KEYS: list[Any] = [
    0, -1, (1, 2), (slice(None), 3), slice(1, 3), slice(None, None, -1), slice(3, 0, -2),
    (..., 1), (None, 1),
    (slice(0, 4, 2), None, slice(1, 5, 3)), (slice(None), slice(4, None, -2), 2),
    [0, 2], ([0, 1], [2, 3]), (slice(None), [1, 3]), ([0, 1], slice(None), [2, 3]),
    (0, slice(None), [1, 1, 5]), ([[0], [1]], [[2, 3]]), (slice(1, 3), [0, -1], slice(2, 5)),
    MASK, (MASK[:, 0], slice(0, 2)), (slice(None), MASK[0]), (..., None, [1, 2]), slice(2, 2),
    (slice(5, 1),), np.array([], int), (None, [1, 2], None, slice(None, None, -1)), (1, [2, 3], 4),
    (slice(None, None, 2), slice(None, None, -1), [0, 3]), (np.int8(2), np.array(3)), (),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_read(key: Any) -> None:
    got = lz.Tensor(X)[key]
    np.testing.assert_array_equal(got.numpy(), X[key])
    traced = lz.compile(lambda x: x[key])(X)
    np.testing.assert_array_equal(traced.numpy(), X[key])


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_write(key: Any) -> None:
    wanted = X.copy()
    values = np.random.default_rng(0).normal(size=X[key].shape)
    wanted[key] = values
    np.testing.assert_array_equal(lz.Tensor(X).at[key].set(values).numpy(), wanted)
    x = lz.Tensor(X)
    x[key] = 3
    wanted = X.copy()
    wanted[key] = 3
    np.testing.assert_array_equal(x.numpy(), wanted)


UPDATED = [slice(1, 3), [0, 0, 2], (slice(None), [1, 1]), (..., slice(0, 6, 2))]
UPDATES = [("add", np.add), ("multiply", np.multiply), ("min", np.minimum), ("max", np.maximum)]


@pytest.mark.parametrize("key", UPDATED, ids=repr)
@pytest.mark.parametrize(("name", "ufunc"), UPDATES)
def test_updates(key: Any, name: str, ufunc: Any) -> None:
    wanted = X.copy()
    values = np.random.default_rng(0).normal(size=X[key].shape) * 50
    ufunc.at(wanted, key, values)
    got = getattr(lz.Tensor(X).at[key], name)(values)
    np.testing.assert_allclose(got.numpy(), wanted)


def test_computed_indices_in_a_trace_clamp_and_drop() -> None:
    @lz.compile
    def read(x: Any, i: Any) -> Any:
        return x[i]

    @lz.compile
    def put(x: Any, i: Any) -> Any:
        return x.at[i].set(-1)

    x = np.arange(4)
    assert read(x, np.array(9)).item() == 3
    assert read(x, np.array(-1)).item() == 3
    assert put(x, np.array([9, 1, -1])).tolist() == [0, -1, 2, -1]


def test_outside_of_a_trace_indices_raise() -> None:
    x = lz.Tensor(np.arange(4))
    with pytest.raises(IndexError, match="index 9 is out of range for axis 0 of size 4"):
        x[lz.Tensor([1, 9])]
    with pytest.raises(IndexError):
        x[4]
    with pytest.raises(IndexError, match="2 indices for a tensor of rank 1"):
        x[0, 0]


def test_traced_mask() -> None:
    @lz.compile
    def clear(x: Any) -> Any:
        x[x < 2] = 0
        return x

    data = np.array([1.0, 2.0, 1.5])
    assert clear(lz.Tensor(data)).tolist() == [0, 2, 0]
    with pytest.raises(Exception, match=r"lnp\.where"):
        lz.compile(lambda x: x[x < 2])(data)


def test_take_and_along_axis() -> None:
    x = np.random.default_rng(1).normal(size=(3, 4))
    i = np.array([[0, 3], [1, -1], [2, 2]])
    np.testing.assert_array_equal(lnp.take_along_axis(x, i, 1).numpy(), np.take_along_axis(x, i, 1))
    np.testing.assert_array_equal(lnp.take(x, [1, 0], axis=1).numpy(), np.take(x, [1, 0], axis=1))
    np.testing.assert_array_equal(lnp.take(x, [1, 9], mode="clip").numpy(), x.take([1, 9]))
    np.testing.assert_array_equal(
        lnp.take(x, [1, 13], mode="wrap").numpy(), x.take([1, 13], mode="wrap")
    )


# -- views -------------------------------------------------------------------------------
def write_views(np_: Any, x: Any) -> Any:
    x[1:-1, 1:-1][x[1:-1, 1:-1] > 5] = -1
    row = x[0]
    row[2] = 7
    row[1:][0] = 8
    x.T[3] = 9
    x[None][0, 2, ::2] += 100
    np_.swapaxes(x, 0, 1)[0][1:3] = 55
    left, _ = np_.split(x, 2, 1)
    left[0] = 44
    np_.squeeze(x[:1])[-1] = 33
    np_.expand_dims(x, 0)[0, 3, 3] = 22
    x[::-1, ::-2][0, 0] = 11
    np_.moveaxis(x[1:].T, 0, 1)[:, 1][...] = x[1:, 0]
    return x


def test_a_write_to_a_view_is_one_to_its_base() -> None:
    x, y = np.arange(24.0).reshape(4, 6), np.arange(24.0).reshape(4, 6)
    wanted = write_views(np, x)
    found = write_views(lnp, lnp.asarray(y))
    np.testing.assert_array_equal(found.numpy(), wanted)
    compiled = lz.compile(lambda x: write_views(lnp, x))
    np.testing.assert_array_equal(compiled(y).numpy(), wanted)
    np.testing.assert_array_equal(y, wanted)  # the argument, too


def test_a_written_view_has_what_its_base_has() -> None:
    x = lnp.zeros((2, 3))
    row, other = x[0], x[1]
    row[1] = 5
    assert row.tolist() == [0, 5, 0] and x[0].tolist() == [0, 5, 0]
    row[0] = 4
    assert x.tolist() == [[4, 5, 0], [0, 0, 0]]
    for use in (lambda: other.tolist(), lambda: other.__setitem__(0, 1)):
        with pytest.raises(AliasError, match="out of date"):
            use()


def test_views_of_parameters_are_written_without_gradients_alone() -> None:
    w = lz.nn.Parameter([[1.0, 2.0], [3.0, 4.0]])
    with lz.no_grad():
        w[0].fill_(9.0)
        w[:, 1].zero_()
    assert w.tolist() == [[9, 0], [3, 0]] and w.requires_grad and w._is_leaf
    with pytest.raises(TypeError, match="no_grad"):
        w[0].fill_(1.0)
    assert w.tolist() == [[9, 0], [3, 0]]


def test_writing_through_a_view_that_may_be_a_copy_is_an_error() -> None:
    x = lnp.zeros((2, 3))
    flat = x.ravel()
    with pytest.raises(AliasError) as error:
        flat[1] = 5
    assert "flat = x.ravel()" in str(error.value)
    assert "flat[1] = 5" in str(error.value)
    with pytest.raises(AliasError):
        x.reshape(3, 2)[0][1] = 5


def test_reading_a_view_after_its_base_was_written_is_an_error() -> None:
    x = lnp.zeros((2, 3))
    row = x[0]
    x[0, 0] = 1
    with pytest.raises(AliasError) as error:
        print(row)
    assert "x[0, 0] = 1" in str(error.value)
    assert "print(row)" in str(error.value)
    with pytest.raises(AliasError):
        lz.compile(lambda y: y + 1)(row)


def test_copies_and_dead_bases_are_free() -> None:
    x = lnp.zeros((2, 3))
    row = lnp.copy(x[0])
    x[0, 0] = 1
    row[1] = 5
    assert row.tolist() == [0, 5, 0]
    alone = lnp.arange(6).reshape(2, 3)
    alone[0, 0] = 9
    assert alone.tolist() == [[9, 1, 2], [3, 4, 5]]
    value = x[0, 0]
    x[0, 0] = 3
    assert value.item() == 1


def test_augmented_assignment_rebinds() -> None:
    x = lnp.zeros(3)
    y = x
    x += 1
    assert y.tolist() == [0, 0, 0]
    assert x.tolist() == [1, 1, 1]
    x[1:] += 1
    assert x.tolist() == [1, 2, 2]
