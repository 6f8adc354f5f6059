"""The handle that every Tensor is: a buffer, or a value of a graph that has not run yet.

Takes: arrays, graph values. Gives: `Handle` with its slots, and `wrap`, which makes Tensors.
Must not know: operations. `_array` is read by native code: it is the data exactly where the handle
may go into a compiled program as it is (known, and no gradient recorded through it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lazir.compiler.graph import Value
from lazir.compiler.types import DType, bf16, dtype_of_numpy

if TYPE_CHECKING:
    from .tensor import Tensor

Array = np.ndarray[Any, Any]


class Handle:
    """Slots shared by all tensors; users see `Tensor`.

    - `_array`: the data (bf16 as its uint16 bits), or None;
    - `_value`: a value of the active trace or of the lazy graph, or None;
    - `_dtype`, `_weak`: element type; whether it came from a Python scalar alone;
    - `_state`: gradient and aliasing state, None for most.
    """

    __slots__ = ("__weakref__", "_array", "_dtype", "_state", "_value", "_weak")
    _array: Array | None
    _value: Value | None
    _dtype: DType
    _weak: bool
    _state: State | None

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its axes."""
        array = self._array
        if array is not None:
            shape: tuple[int, ...] = array.shape
            return shape
        assert self._value is not None
        return self._value.shape


class State:
    """What few handles need: gradient settings, and who shares memory with it as NumPy sees it."""

    __slots__ = ("family", "grad", "owner", "requires_grad", "retain", "seen")

    def __init__(self) -> None:
        self.requires_grad = False
        self.retain = False
        self.grad: Any = None
        self.family: Any = None  # views.Family
        self.owner = False
        self.seen = 0


_classes: list[Any] = []


def register_tensor(cls: Any) -> Any:
    """Name the class that `wrap` makes (a decorator on Tensor)."""
    _classes.append(cls)
    return cls


def wrap(value: Value, weak: bool = False) -> Tensor:
    """A new tensor on a graph value."""
    tensor: Tensor = object.__new__(_classes[0])
    tensor._array = None
    tensor._value = value
    tensor._dtype = value.node.types[value.index].dtype
    tensor._weak = weak
    tensor._state = None
    return tensor


def wrap_array(array: Array, dtype: DType, weak: bool = False) -> Tensor:
    """A new tensor on data that nobody else will change."""
    tensor: Tensor = object.__new__(_classes[0])
    tensor._array = array
    tensor._value = None
    tensor._dtype = dtype
    tensor._weak = weak
    tensor._state = None
    return tensor


def array_and_dtype(array: Array) -> tuple[Array, DType]:
    """A NumPy array as lazir stores it, without a copy where possible, and its element type."""
    dtype = dtype_of_numpy(array.dtype)
    if dtype is None:
        raise TypeError(
            f"arrays of {array.dtype} have no tensor type; convert to a number type first"
        )
    if dtype is bf16:
        array = array.view(np.uint16)
    elif array.dtype != dtype.numpy:
        array = array.astype(dtype.numpy)  # other byte order
    return array, dtype
