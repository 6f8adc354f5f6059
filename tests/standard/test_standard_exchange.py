"""Data in and out: copies, buffers, DLPack, devices; and shapes that depend on data."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp


# -- copies ------------------------------------------------------------------------------
def test_asarray_copies_unless_told_not_to() -> None:
    data = np.arange(3.0)
    copied, shared = lnp.asarray(data), lnp.asarray(data, copy=False)
    data[0] = 9
    assert copied.numpy()[0] == 0 and shared.numpy()[0] == 9
    x = lnp.arange(3)
    assert lnp.asarray(x) is x and lnp.asarray(x, copy=False) is x
    other = lnp.asarray(x, copy=True)
    other[0] = 7
    assert x[0].item() == 0 and other[0].item() == 7


@pytest.mark.parametrize("data", [[1, 2], 3.0, np.arange(4)[::2], lnp.arange(3)])
def test_copies_that_are_forbidden_raise(data: Any) -> None:
    with pytest.raises(ValueError, match="copy=False"):
        lnp.asarray(data, dtype="int8", copy=False)
    with pytest.raises(ValueError, match="row-major"):
        lnp.asarray(np.arange(4)[::2], copy=False)


def test_buffers() -> None:
    assert np.array_equal(lnp.asarray(array.array("d", [1, 2])).numpy(), [1.0, 2.0])
    assert lnp.asarray(array.array("d", [1, 2])).dtype == lnp.float64
    assert np.array_equal(lnp.asarray(b"ab").numpy(), [97, 98])
    view = memoryview(np.arange(6, dtype=np.int16)).cast("B").cast("h", (2, 3))
    assert lnp.asarray(view).shape == (2, 3) and lnp.asarray(view).dtype == lnp.int16
    with pytest.raises(TypeError, match="no tensor, array or number"):
        lnp.asarray(object())


def test_lists_keep_what_python_knows() -> None:
    """A list's numbers are rounded once, to the dtype asked for."""
    assert lnp.asarray([0.1], dtype="float64").item() == 0.1
    assert lz.Tensor([0.1], dtype="float64").item() == 0.1
    assert lnp.add(lnp.zeros(1, "float64"), [0.1]).item() == 0.1
    assert lnp.asarray([0.1]).item() == np.float32(0.1)
    assert lnp.asarray([2.0**60 + 2**20], dtype="int64").item() == 2**60 + 2**20
    assert lnp.asarray([2**64 - 1]).dtype == lnp.uint64
    assert lnp.asarray([np.float64(0.1)]).dtype == lnp.float64
    assert np.array_equal(lnp.asarray([1e300, 1.0]).numpy(), np.float32([np.inf, 1]))
    assert lnp.linspace(0, 1, 7, dtype="float64").numpy()[3] == np.linspace(0, 1, 7)[3]
    assert np.array_equal(
        lnp.linspace(-3, 3, 5, dtype=int).numpy(), np.linspace(-3, 3, 5, dtype=int)
    )


# -- other libraries ---------------------------------------------------------------------
def test_dlpack() -> None:
    x = lz.Tensor([[1.0, 2.0]]) * 2
    assert x.__dlpack_device__() == (1, 0)
    for options in ({}, {"copy": True}, {"copy": False}, {"device": "cpu"}):
        assert np.array_equal(np.from_dlpack(x, **options), [[2.0, 4.0]])
    data = np.arange(4.0)
    shared, own = lnp.from_dlpack(data), lnp.from_dlpack(data, copy=True, device="cpu")
    strided = lnp.from_dlpack(data[::2])
    data[0] = 9
    assert shared[0].item() == 9 and own[0].item() == 0
    assert np.array_equal((strided + 1).numpy(), [10.0, 3.0])
    assert lnp.from_dlpack(x) is x and lz.from_dlpack is lnp.from_dlpack


@pytest.mark.parametrize(
    ("options", "message"),
    [({"stream": 1}, "no streams"), ({"dl_device": (2, 0)}, r"not on a device \(2, 0\)")],
)
def test_dlpack_for_others_devices(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BufferError, match=message):
        lz.Tensor([1.0]).__dlpack__(**options)
    assert lz.Tensor([1.0]).__dlpack__(dl_device=(1, 0), max_version=(1, 0)) is not None


def test_dlpack_has_no_bf16_yet() -> None:
    with pytest.raises(BufferError, match="bf16 cannot be handed over"):
        lz.Tensor([1.0]).astype("bfloat16").__dlpack__()


MAKERS: dict[str, Callable[..., Any]] = {
    "zeros": lambda **k: lnp.zeros(2, **k), "ones": lambda **k: lnp.ones(2, **k),
    "empty": lambda **k: lnp.empty(2, **k), "full": lambda **k: lnp.full(2, 3, **k),
    "arange": lambda **k: lnp.arange(2, **k), "eye": lambda **k: lnp.eye(2, **k),
    "linspace": lambda **k: lnp.linspace(0, 1, 2, **k), "asarray": lambda **k: lnp.asarray(2, **k),
    "zeros_like": lambda **k: lnp.zeros_like(lnp.ones(2), **k),
    "astype": lambda **k: lnp.astype(lnp.ones(2), "int8", **k),
    "from_dlpack": lambda **k: lnp.from_dlpack(np.ones(2), **k),
}  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_devices(name: str) -> None:
    make = MAKERS[name]
    x = make(device="cpu")
    assert make(device=x.device).device == make(device=None).device == x.device
    with pytest.raises(ValueError, match="there are 'cpu', 'cuda'"):
        make(device="tpu")
    assert lz.Tensor([1]).to_device(x.device).device == x.device


# -- shapes that depend on data ------------------------------------------------------------
X = np.array([[3.0, 0.0, np.nan], [-0.0, 3.0, np.nan]])
SIZED: dict[str, tuple[Callable[..., Any], Callable[[Any], Any], Any]] = {
    # name: with lazir, with NumPy, the fill value
    "nonzero": (lnp.nonzero, np.nonzero, 0),
    "where": (lnp.where, np.where, 0),
    "argwhere": (lnp.argwhere, np.argwhere, 0),
    "flatnonzero": (lnp.flatnonzero, np.flatnonzero, 0),
    "unique_values": (lnp.unique_values, lambda x: np.unique(x, equal_nan=False), 7.0),
    "unique_counts": (
        lambda x, **k: lnp.unique_counts(x, **k).values,
        lambda x: np.unique(x, equal_nan=False), 7.0,
    ),
    "unique_inverse": (
        lambda x, **k: lnp.unique_inverse(x, **k).values,
        lambda x: np.unique(x, equal_nan=False), 7.0,
    ),
    "extract": (lambda x, **k: lnp.extract(x > 0, x, **k), lambda x: x[x > 0], 7.0),
    "compress": (
        lambda x, **k: lnp.compress(x[0] > 0, x, 1, **k), lambda x: np.compress(x[0] > 0, x, 1), 7.0
    ),
}  # fmt: skip


def parts(made: Any) -> list[Any]:
    return list(made) if isinstance(made, tuple) else [made]


@pytest.mark.parametrize("name", SIZED)
def test_data_decide_the_size_unless_it_is_given(name: str) -> None:
    mine, numpys, fill = SIZED[name]
    wanted = parts(numpys(X))
    assert all(
        np.array_equal(g.numpy(), w, equal_nan=True)
        for g, w in zip(parts(mine(lz.Tensor(X))), wanted)
    )
    axis = 1 if name == "compress" else 0
    for size in (wanted[0].shape[axis] + 2, 1):
        traced = lz.compile(lambda x, n=size: mine(x, size=n, fill_value=fill))
        for got, w in zip(parts(traced(X)), wanted, strict=True):
            kept = np.take(w, range(min(size, w.shape[axis])), axis)
            missing = [(0, 0)] * w.ndim
            missing[axis] = (0, size - kept.shape[axis])
            full = np.pad(kept, missing, constant_values=fill)
            assert np.array_equal(got.numpy(), full, equal_nan=True), size


@pytest.mark.parametrize("name", SIZED)
def test_a_trace_asks_for_the_size(name: str) -> None:
    mine = SIZED[name][0]

    @lz.compile
    def traced(x: Any) -> Any:
        return mine(x)

    with pytest.raises(lz.errors.TraceError, match=r"give it as size=") as error:
        traced(X)
    assert "test_standard_exchange.py" in str(error.value) and "^" in str(error.value)


def test_unique_all_takes_everything_apart() -> None:
    x = np.array([[3, 1, 3], [2, 1, 3]])
    found = lnp.unique_all(lz.Tensor(x))
    values, first, inverse, counts = np.unique(x, True, True, True)
    for got, wanted in zip(found, (values, first, inverse.reshape(x.shape), counts), strict=True):
        assert np.array_equal(got.numpy(), wanted)
    assert np.array_equal(found.values[found.inverse_indices].numpy(), x)
    empty = lnp.unique_all(lnp.zeros((0, 2)))
    assert [v.shape for v in empty] == [(0,), (0,), (0, 2), (0,)]
    nan = lnp.unique_counts(lz.Tensor(X))
    assert np.array_equal(nan.counts.numpy(), [2, 2, 1, 1])


REPEATS = [[0, 1, 2], [3, 3, 3], [0, 0, 0], [2, 0, 3]]


@pytest.mark.parametrize("counts", REPEATS)
def test_repeat_by_tensors(counts: list[int]) -> None:
    x, n = np.array([[1, 2, 3], [4, 5, 6]]), np.array(counts)
    wanted = np.repeat(x, n, axis=1)
    assert np.array_equal(lnp.repeat(lz.Tensor(x), lz.Tensor(n), axis=1).numpy(), wanted)
    traced = lz.compile(lambda v, c: lnp.repeat(v, c, axis=1, total_repeat_length=7))
    for got in (traced(x, n), lnp.repeat(x, n, axis=1, total_repeat_length=7)):
        shown = min(7, wanted.shape[1])
        assert got.shape == (2, 7) and np.array_equal(got.numpy()[:, :shown], wanted[:, :shown])
        assert (got.numpy()[:, shown:] == x[:, -1:]).all()
    with pytest.raises(lz.errors.TraceError, match="total_repeat_length="):
        lz.compile(lambda v, c: lnp.repeat(v, c, axis=1))(x, n)


def test_repeat_refuses() -> None:
    with pytest.raises(TypeError, match="must not be negative"):
        lnp.repeat(lnp.arange(2), -1)
    with pytest.raises(TypeError, match="must not be negative"):
        lnp.repeat(lnp.arange(2), [1, -1])
    with pytest.raises(ValueError, match="2 of them"):
        lnp.repeat(lnp.arange(2), [1, 2, 3])
    with pytest.raises(ValueError, match="is an integer"):
        lnp.repeat(lnp.arange(2), 1.5)


def test_isin() -> None:
    x, y = np.array([[1, 2, 3], [4, 5, 5]]), np.array([5, 1, 9])
    for invert in (False, True):
        assert np.array_equal(lnp.isin(x, y, invert=invert).numpy(), np.isin(x, y, invert=invert))
    assert lnp.isin(5, lz.Tensor(y)).item() is True
    nan = np.array([1.0, np.nan])
    assert np.array_equal(lnp.isin(nan, nan).numpy(), np.isin(nan, nan))
    assert not lnp.isin(x, lnp.zeros(0)).numpy().any()


def test_where_takes_both_or_neither() -> None:
    with pytest.raises(TypeError, match="both x and y, or neither"):
        lnp.where(lnp.ones(2), 1)  # type: ignore[call-overload]
