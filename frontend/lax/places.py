"""`jax.lax`'s gather and scatter family, with its dimension numbers.

Takes: tensors, index vectors (the last axis of an integer tensor). Gives: tensors.
Must not know: NumPy's indexing syntax.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.types import DType

from .. import numpy as lnp
from ..apply import call, expand, fail, lift, number, operand, tensor
from ..dtypes import bool_
from ..tensor import Tensor


class GatherScatterMode(enum.Enum):
    """What happens to windows that reach out of the operand: moved inside; filled and not
    written."""

    CLIP = "clip"
    FILL_OR_DROP = "fill"
    PROMISE_IN_BOUNDS = "promise_in_bounds"


class GatherDimensionNumbers(NamedTuple):
    """Which axes of result, operand and indices belong together (XLA's operation semantics)."""

    offset_dims: tuple[int, ...]
    collapsed_slice_dims: tuple[int, ...]
    start_index_map: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    start_indices_batching_dims: tuple[int, ...] = ()


class ScatterDimensionNumbers(NamedTuple):
    """Which axes of updates, operand and indices belong together (XLA's operation semantics)."""

    update_window_dims: tuple[int, ...]
    inserted_window_dims: tuple[int, ...]
    scatter_dims_to_operand_dims: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    scatter_indices_batching_dims: tuple[int, ...] = ()


def _mode(mode: Any, outside: str) -> str:
    """`clip`, or what the op calls the other way."""
    if mode is None:
        return outside
    name = mode.value if isinstance(mode, GatherScatterMode) else str(mode).lower()
    if name in ("clip", "promise_in_bounds"):
        return "clip"
    if name not in ("fill", "drop"):
        fail(f"mode is 'clip', 'fill', 'drop' or 'promise_in_bounds', got {mode!r}")
    return outside


def gather(
    operand_: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: Any = None,
    fill_value: Any = None,
) -> Tensor:
    """The window of `slice_sizes` at every index vector. A window that reaches out is read as
    `fill_value` (NaN, or the lowest integer; mode "fill", the default), or moved inside ("clip").

    >>> import lazir as lz, lazir.numpy as lnp
    >>> rows = lz.lax.GatherDimensionNumbers((1,), (0,), (0,))
    >>> print(lz.lax.gather(lnp.eye(3), lnp.array([[2], [0]]), rows, (1, 3)))
    [[0. 0. 1.]
     [1. 0. 0.]]
    """
    n, kind = dimension_numbers, _mode(mode, "fill")
    attrs = {
        "axes": tuple(n.start_index_map), "collapsed": tuple(n.collapsed_slice_dims),
        "operand_batch": tuple(n.operand_batching_dims),
        "index_batch": tuple(n.start_indices_batching_dims), "offset": tuple(n.offset_dims),
        "sizes": tuple(map(int, slice_sizes)), "mode": kind,
    }  # fmt: skip
    x, indices = lift(operand(operand_)), lift(operand(start_indices))
    found = call("gather", x, indices, **attrs)
    if kind == "clip":
        return tensor(found)
    inside = expand(number(True, bool_), x.shape)
    filler = expand(
        lift(operand(_filler(x.type.dtype) if fill_value is None else fill_value), x.type.dtype),
        found.shape,
    )
    return tensor(call("select", call("gather", inside, indices, **attrs), found, filler))


def _filler(dtype: DType) -> Any:
    """What JAX reads outside: NaN, the lowest signed or the highest unsigned number, true."""
    if dtype.is_inexact:
        return np.nan
    if dtype.is_bool:
        return True
    info = np.iinfo(dtype.numpy)
    return int(info.min if dtype.is_signed else info.max)


def _scatter(op: str, x: Any, indices: Any, updates: Any, n: Any, mode: Any) -> Tensor:
    value = lift(operand(x))
    return tensor(
        call(
            "scatter", value, lift(operand(indices)), lift(operand(updates), value.type.dtype),
            op=op, axes=tuple(n.scatter_dims_to_operand_dims),
            collapsed=tuple(n.inserted_window_dims), operand_batch=tuple(n.operand_batching_dims),
            index_batch=tuple(n.scatter_indices_batching_dims), offset=tuple(n.update_window_dims),
            mode=_mode(mode, "drop"),
        )
    )  # fmt: skip


def scatter(
    operand_: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Any = None,
) -> Tensor:
    """The tensor with the window at every index vector replaced, in order; windows that reach out
    are not written (mode "drop", the default) or moved inside (mode "clip").

    >>> import lazir as lz, lazir.numpy as lnp
    >>> points = lz.lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> print(lz.lax.scatter(lnp.zeros(3), lnp.array([[1]]), lnp.array([5.0]), points))
    [0. 5. 0.]
    """
    return _scatter("set", operand_, scatter_indices, updates, dimension_numbers, mode)


def scatter_add(
    operand_: Any, scatter_indices: Any, updates: Any, dimension_numbers: ScatterDimensionNumbers,
    *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: Any = None,
) -> Tensor:  # fmt: skip
    """As `scatter`, adding.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> points = lz.lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> print(lz.lax.scatter_add(lnp.ones(2), lnp.array([[1], [1]]), lnp.ones(2), points))
    [1. 3.]
    """
    return _scatter("add", operand_, scatter_indices, updates, dimension_numbers, mode)


def scatter_sub(
    operand_: Any, scatter_indices: Any, updates: Any, dimension_numbers: ScatterDimensionNumbers,
    *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: Any = None,
) -> Tensor:  # fmt: skip
    """As `scatter`, subtracting.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> points = lz.lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> print(lz.lax.scatter_sub(lnp.ones(2), lnp.array([[1], [1]]), lnp.ones(2), points))
    [ 1. -1.]
    """
    negated = lnp.negative(updates)
    return _scatter("add", operand_, scatter_indices, negated, dimension_numbers, mode)


def scatter_mul(
    operand_: Any, scatter_indices: Any, updates: Any, dimension_numbers: ScatterDimensionNumbers,
    *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: Any = None,
) -> Tensor:  # fmt: skip
    """As `scatter`, multiplying.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> points = lz.lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> print(lz.lax.scatter_mul(lnp.ones(2), lnp.array([[1]]), lnp.array([3.0]), points))
    [1. 3.]
    """
    return _scatter("mul", operand_, scatter_indices, updates, dimension_numbers, mode)


def scatter_min(
    operand_: Any, scatter_indices: Any, updates: Any, dimension_numbers: ScatterDimensionNumbers,
    *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: Any = None,
) -> Tensor:  # fmt: skip
    """As `scatter`, keeping the smaller.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> points = lz.lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> print(lz.lax.scatter_min(lnp.ones(2), lnp.array([[1]]), lnp.array([0.5]), points))
    [1.  0.5]
    """
    return _scatter("min", operand_, scatter_indices, updates, dimension_numbers, mode)


def scatter_max(
    operand_: Any, scatter_indices: Any, updates: Any, dimension_numbers: ScatterDimensionNumbers,
    *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: Any = None,
) -> Tensor:  # fmt: skip
    """As `scatter`, keeping the larger.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> points = lz.lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> print(lz.lax.scatter_max(lnp.ones(2), lnp.array([[1]]), lnp.array([3.0]), points))
    [1. 3.]
    """
    return _scatter("max", operand_, scatter_indices, updates, dimension_numbers, mode)
