"""`jax.lax`'s names for what joins or orders elements along axes.

Takes: tensors. Gives: tensors. Must not know: how they are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.ops.reduction import highest, lowest

from .. import numpy as lnp
from ..apply import call, convert, fail, lift, normal_axes, normal_axis, operand, tensor
from ..dtypes import as_dtype
from ..numpy.arithmetic import add, maximum, minimum, multiply
from ..numpy.cumulative import running
from ..numpy.logic import bitwise_and, bitwise_or, logical_and, logical_or
from ..numpy.ordered import sorted_together
from ..tensor import Tensor
from .control import associative_scan


def _reduce(op: str, x: Any, axes: Sequence[int]) -> Tensor:
    value = lift(operand(x))
    return tensor(call(op, value, axes=normal_axes(tuple(axes), len(value.shape), op)))


def reduce_sum(operand_: Any, axes: Sequence[int]) -> Tensor:
    """The sum over these axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.reduce_sum(lnp.ones((2, 3)), (0, 1)).item()
    6.0
    """
    return _reduce("reduce_sum", operand_, axes)


def reduce_prod(operand_: Any, axes: Sequence[int]) -> Tensor:
    """The product over these axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.reduce_prod(lnp.array([2.0, 3.0]), (0,)).item()
    6.0
    """
    return _reduce("reduce_prod", operand_, axes)


def reduce_max(operand_: Any, axes: Sequence[int]) -> Tensor:
    """The largest over these axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.reduce_max(lnp.array([2.0, 3.0]), (0,)).item()
    3.0
    """
    return _reduce("reduce_max", operand_, axes)


def reduce_min(operand_: Any, axes: Sequence[int]) -> Tensor:
    """The smallest over these axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.reduce_min(lnp.array([2.0, 3.0]), (0,)).item()
    2.0
    """
    return _reduce("reduce_min", operand_, axes)


def reduce_and(operand_: Any, axes: Sequence[int]) -> Tensor:
    """Whether all bools over these axes hold.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.reduce_and(lnp.array([True, False]), (0,)).item()
    False
    """
    return _reduce("reduce_all", operand_, axes)


def reduce_or(operand_: Any, axes: Sequence[int]) -> Tensor:
    """Whether any bool over these axes holds.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.reduce_or(lnp.array([True, False]), (0,)).item()
    True
    """
    return _reduce("reduce_any", operand_, axes)


_JOINS: dict[Any, tuple[str, Any]] = {
    add: ("sum", lambda t: 0), multiply: ("prod", lambda t: 1),
    maximum: ("max", lowest), minimum: ("min", highest),
    logical_and: ("all", lambda t: True), logical_or: ("any", lambda t: False),
    bitwise_and: ("all", lambda t: True), bitwise_or: ("any", lambda t: False),
}  # fmt: skip


def _joined(computation: Callable[..., Any], what: str) -> str:
    """The reduction that a function of two elements stands for."""
    found = _JOINS.get(computation)
    if found is None:
        name = getattr(computation, "__name__", computation)
        fail(
            f"{what} joins elements by lax.add, mul, max, min, bitwise_and or bitwise_or, got "
            f"{name}; lz.lax.associative_scan or lz.scan take any function"
        )
    assert found is not None
    return found[0]


def reduce(
    operand_: Any, init_value: Any, computation: Callable[..., Any], dimensions: Sequence[int]
) -> Tensor:
    """The elements over these axes joined, with `init_value`, by lax.add, mul, max, min,
    bitwise_and or bitwise_or (of bools).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.reduce(lnp.ones(3), 10.0, lz.lax.add, (0,)).item()
    13.0
    """
    op = _joined(computation, "reduce")
    total = _reduce(f"reduce_{op}", operand_, dimensions)
    return computation(total, init_value)  # type: ignore[no-any-return]


def reduce_window(
    operand_: Any,
    init_value: Any,
    computation: Callable[..., Any],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Tensor:
    """The elements under a sliding window joined by lax.add, max or min, from `init_value`.

    `padding` is "VALID", "SAME", or (low, high) for each axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.reduce_window(lnp.arange(4.0), 0.0, lz.lax.add, (2,)))
    [1. 3. 5.]
    """
    op = _joined(computation, "reduce_window")
    if op not in ("sum", "max", "min"):
        fail("reduce_window joins elements by lax.add, max or min")
    x = lift(operand(operand_))
    rank = len(x.shape)
    window = tuple(map(int, window_dimensions))
    stride, base, gaps = (
        (1,) * rank if v is None else tuple(map(int, v))
        for v in (window_strides, base_dilation, window_dilation)
    )
    sizes = [(n - 1) * b + 1 for n, b in zip(x.shape, base)]
    spans = [(w - 1) * g + 1 for w, g in zip(window, gaps)]
    low, high = pads(padding, sizes, spans, stride)
    made = tensor(
        call(
            "reduce_window", x, op=op, window=window, stride=stride, low=low, high=high,
            base_dilation=base, window_dilation=gaps,
        )
    )  # fmt: skip
    unit = _JOINS[computation][1](x.type.dtype)
    known = init_value == unit if isinstance(init_value, int | float) else False
    return made if known else computation(made, init_value)


def pads(
    padding: Any, sizes: Sequence[int], spans: Sequence[int], stride: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Low and high padding of each axis from JAX's ways to say it."""
    if isinstance(padding, str):
        name = padding.upper()
        if name == "VALID":
            return (0,) * len(sizes), (0,) * len(sizes)
        if name not in ("SAME", "SAME_LOWER"):
            fail(f"padding is 'VALID', 'SAME', 'SAME_LOWER' or pairs, got {padding!r}")
        totals = [max(0, (-(-n // s) - 1) * s + w - n) for n, w, s in zip(sizes, spans, stride)]
        less, more = [t // 2 for t in totals], [t - t // 2 for t in totals]
        low, high = (less, more) if name == "SAME" else (more, less)
        return tuple(low), tuple(high)
    pairs = [(int(a), int(b)) for a, b in padding]
    if len(pairs) != len(sizes):
        fail(f"padding needs a pair for each of {len(sizes)} axes, got {pairs}", ShapeError)
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


# -- positions and order --------------------------------------------------------------------
def _place_of(op: str, x: Any, axis: int, index_dtype: Any) -> Tensor:
    found = lnp.argmax(x, axis) if op == "argmax" else lnp.argmin(x, axis)
    return tensor(convert(lift(operand(found)), as_dtype(index_dtype)))


def argmax(operand_: Any, axis: int, index_dtype: Any = "int32") -> Tensor:
    """The place of the first largest element along an axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.argmax(lnp.array([1, 3, 2]), 0).item()
    1
    """
    return _place_of("argmax", operand_, axis, index_dtype)


def argmin(operand_: Any, axis: int, index_dtype: Any = "int32") -> Tensor:
    """The place of the first smallest element along an axis.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.argmin(lnp.array([1, 3, 2]), 0).item()
    0
    """
    return _place_of("argmin", operand_, axis, index_dtype)


def sort(operand_: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """The elements in increasing order along an axis, NaNs last; of several tensors all are moved
    as the first `num_keys` say.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> keys, values = lz.lax.sort((lnp.array([2, 1]), lnp.array([10, 20])))
    >>> print(keys, values)
    [1 2] [20 10]
    """
    several = isinstance(operand_, list | tuple)
    values = [lift(operand(x)) for x in (operand_ if several else (operand_,))]
    if not values:
        fail("sort takes at least one tensor")
    axis = normal_axis(dimension, len(values[0].shape), "sort")
    found = tuple(tensor(v) for v in sorted_together(values, axis, num_keys))
    return found if several else found[0]


def sort_key_val(
    keys: Any, values: Any, dimension: int = -1, is_stable: bool = True
) -> tuple[Tensor, Tensor]:
    """Keys in increasing order along an axis, and the values moved along with them.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.sort_key_val(lnp.array([2, 1]), lnp.array([10, 20]))[1])
    [20 10]
    """
    return sort((keys, values), dimension, is_stable)  # type: ignore[no-any-return]


# -- running joins ----------------------------------------------------------------------------
def cumsum(operand_: Any, axis: int = 0, reverse: bool = False) -> Tensor:
    """The sums of the elements up to each one along an axis, or from the end.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.cumsum(lnp.array([1, 2, 3]), reverse=True))
    [6 5 3]
    """
    return tensor(running("cumsum", lift(operand(operand_)), axis, "cumsum", reverse))


def cumprod(operand_: Any, axis: int = 0, reverse: bool = False) -> Tensor:
    """The products of the elements up to each one along an axis, or from the end.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.cumprod(lnp.array([1, 2, 3])))
    [1 2 6]
    """
    return tensor(running("cumprod", lift(operand(operand_)), axis, "cumprod", reverse))


def cummax(operand_: Any, axis: int = 0, reverse: bool = False) -> Tensor:
    """The largest of the elements up to each one along an axis, or from the end.

    Of equal elements the first one met has the derivative.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.cummax(lnp.array([1, 3, 2])))
    [1 3 3]
    """
    return tensor(running("cummax", lift(operand(operand_)), axis, "cummax", reverse))


def cummin(operand_: Any, axis: int = 0, reverse: bool = False) -> Tensor:
    """The smallest of the elements up to each one along an axis, or from the end.

    Of equal elements the first one met has the derivative.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.cummin(lnp.array([3, 1, 2])))
    [3 1 1]
    """
    return tensor(running("cummin", lift(operand(operand_)), axis, "cummin", reverse))


def cumlogsumexp(operand_: Any, axis: int = 0, reverse: bool = False) -> Tensor:
    """log of the running sum of exp along an axis, or from the end.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.cumlogsumexp(lnp.zeros(2)))
    [0.        0.6931472]
    """
    return associative_scan(lnp.logaddexp, lnp.asarray(operand_), reverse, axis)  # type: ignore[no-any-return]
