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
from .apply import call, fail, lift, operand, tensor
from .control import cond, fori_loop, map, scan, switch, while_loop
from .numpy.arithmetic import add, divide, maximum, minimum, multiply, negative, sign, subtract
from .numpy.functions import cos, erf, exp, log, log1p, rsqrt, sin, sqrt, tanh
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


__all__ = [
    "add",
    "cond",
    "cos",
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
    "sqrt",
    "stop_gradient",
    "sub",
    "switch",
    "tanh",
    "while_loop",
]
