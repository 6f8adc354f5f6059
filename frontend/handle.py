"""Making tensors from data and graph values.

Takes: arrays, graph values. Gives: tensors, and arrays as lazir stores them.
Must not know: operations.
"""

from __future__ import annotations

import numpy as np

from lazir.compiler.graph import Value
from lazir.compiler.types import DType, bf16, dtype_of_numpy

from .slots import Array, Handle, State
from .tensor import Tensor

__all__ = ["Array", "Handle", "State", "Tensor", "array_and_dtype", "wrap", "wrap_array"]


def wrap(value: Value, weak: bool = False) -> Tensor:
    """A new tensor on a graph value."""
    tensor: Tensor = object.__new__(Tensor)
    tensor._array = None
    tensor._value = value
    tensor._dtype = value.node.types[value.index].dtype
    tensor._weak = weak
    tensor._state = None
    return tensor


def wrap_array(array: Array, dtype: DType, weak: bool = False) -> Tensor:
    """A new tensor on data that nobody else will change."""
    tensor: Tensor = object.__new__(Tensor)
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
