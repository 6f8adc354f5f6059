"""What JAX has in `jax.lax` and programs use by that name: control flow and slices at computed
places.

Takes: tensors. Gives: tensors. Must not know: anything but the functions it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from . import numpy as lnp
from .apply import call, fail, lift, normal_axis, operand, tensor
from .control import cond, fori_loop, map, scan, switch, while_loop
from .numpy.arithmetic import add, divide, maximum, minimum, multiply, negative, sign, subtract
from .numpy.cumulative import running
from .numpy.functions import cos, erf, exp, log, log1p, rsqrt, sin, sqrt, tanh
from .numpy.ordered import sorted_together, top_k
from .tensor import Tensor
from .transforms import stop_gradient

mul, sub, div, neg = multiply, subtract, divide, negative


def _starts(starts: Any, rank: int, what: str) -> list[Value]:
    items = starts if isinstance(starts, list | tuple) else [starts[k] for k in range(rank)]
    values = [lift(operand(s)) for s in items]
    if len(values) != rank:
        fail(f"{what} needs one start for each of {rank} axes, got {len(values)}", ShapeError)
    return values


def dynamic_slice(operand_: Any, start_indices: Any, slice_sizes: Sequence[int]) -> Tensor:
    """A piece of static size at a computed place; one that would reach out is moved inside.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_slice(lnp.arange(5), (lz.Tensor(3),), (3,)))
    [2 3 4]
    """
    x = lift(operand(operand_))
    starts = _starts(start_indices, len(x.shape), "dynamic_slice")
    return tensor(call("dynamic_slice", x, *starts, sizes=tuple(int(n) for n in slice_sizes)))


def dynamic_update_slice(operand_: Any, update: Any, start_indices: Any) -> Tensor:
    """The tensor with a piece at a computed place replaced.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_update_slice(lnp.zeros(4), lnp.ones(2), (1,)))
    [0. 1. 1. 0.]
    """
    x = lift(operand(operand_))
    starts = _starts(start_indices, len(x.shape), "dynamic_update_slice")
    return tensor(call("dynamic_update_slice", x, lift(operand(update), x.type.dtype), *starts))


def dynamic_index_in_dim(operand_: Any, index: Any, axis: int = 0, keepdims: bool = True) -> Tensor:
    """One slice along an axis, at a computed place.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.dynamic_index_in_dim(lnp.arange(5), 2, keepdims=False))
    2
    """
    shape = operand(operand_).shape
    k = axis % len(shape)
    starts = [index if j == k else 0 for j in range(len(shape))]
    sizes = [1 if j == k else n for j, n in enumerate(shape)]
    piece = dynamic_slice(operand_, starts, sizes)
    return piece if keepdims else lnp.squeeze(piece, k)


def select(pred: Any, on_true: Any, on_false: Any) -> Tensor:
    """`on_true` where the condition holds, else `on_false`.

    >>> import lazir as lz
    >>> lz.lax.select(True, 1, 2).item()
    1
    """
    return lnp.where(pred, on_true, on_false)


def iota(dtype: Any, size: int) -> Tensor:
    """0, 1, … below `size`.

    >>> import lazir as lz
    >>> print(lz.lax.iota("int32", 3))
    [0 1 2]
    """
    return lnp.arange(size, dtype=dtype)


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


__all__ = [
    "add",
    "cond",
    "cos",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "div",
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_update_slice",
    "erf",
    "exp",
    "fori_loop",
    "iota",
    "log",
    "log1p",
    "map",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "rsqrt",
    "scan",
    "select",
    "sign",
    "sin",
    "sort",
    "sqrt",
    "stop_gradient",
    "sub",
    "switch",
    "tanh",
    "top_k",
    "while_loop",
]
