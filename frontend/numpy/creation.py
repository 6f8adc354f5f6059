"""Making tensors: from data, and constants.

Takes: shapes, dtypes, data. Gives: tensors; nothing is computed before it is needed.
Default dtypes: float32 for `zeros`, `ones` and numbers with a point, int64 for whole ones.
Must not know: operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazir.compiler.errors import LazirError
from lazir.compiler.types import makers

from ..apply import (
    NUMBERS,
    as_tensor,
    call,
    expand,
    lift,
    number,
    operand,
    promote,
    shape_of,
    tensor,
)
from ..dtypes import as_dtype, default_float
from ..handle import Handle, array_and_dtype, wrap_array
from ..locate import user_line
from ..places import check_device
from ..slots import Literal
from ..tensor import Tensor


def _constant(value: float, shape: Any, dtype: Any, device: Any) -> Tensor:
    check_device(device)
    wanted = default_float() if dtype is None else as_dtype(dtype)
    return tensor(expand(number(value, wanted, structural=True), shape_of(shape)))


def zeros(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None) -> Tensor:
    """Zeros, float32 unless `dtype` says otherwise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.zeros(3))
    [0. 0. 0.]
    """
    return _constant(0, shape, dtype, device)


def ones(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None) -> Tensor:
    """Ones, float32 unless `dtype` says otherwise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.ones((2, 2), "int64"))
    [[1 1]
     [1 1]]
    """
    return _constant(1, shape, dtype, device)


def empty(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None) -> Tensor:
    """Zeros: no tensor of lazir's has undefined contents.

    >>> import lazir.numpy as lnp
    >>> lnp.empty((2, 3)).shape
    (2, 3)
    """
    return _constant(0, shape, dtype, device)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None
) -> Tensor:
    """`fill_value` everywhere, of its own dtype unless `dtype` says otherwise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.full(3, 7))
    [7 7 7]
    """
    check_device(device)
    found = operand(fill_value)
    return tensor(expand(lift(found, None if dtype is None else as_dtype(dtype)), shape_of(shape)))


def _like(x: Any, value: Any, dtype: Any, shape: Any, device: Any) -> Tensor:
    found = operand(x)
    wanted = found.dtype if dtype is None else as_dtype(dtype)
    return full(found.shape if shape is None else shape, value, wanted, device=device)


def zeros_like(
    x: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Tensor:
    """Zeros of the shape and dtype of x.

    >>> import lazir.numpy as lnp
    >>> print(lnp.zeros_like(lnp.arange(3)))
    [0 0 0]
    """
    return _like(x, Literal(0), dtype, shape, device)


def ones_like(
    x: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Tensor:
    """Ones of the shape and dtype of x.

    >>> import lazir.numpy as lnp
    >>> print(lnp.ones_like(lnp.arange(3)))
    [1 1 1]
    """
    return _like(x, Literal(1), dtype, shape, device)


def empty_like(
    x: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Tensor:
    """As `zeros_like`.

    >>> import lazir.numpy as lnp
    >>> lnp.empty_like(lnp.arange(3)).shape
    (3,)
    """
    return _like(x, Literal(0), dtype, shape, device)


def full_like(
    x: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Tensor:
    """`fill_value` in the shape and dtype of x.

    >>> import lazir.numpy as lnp
    >>> print(lnp.full_like(lnp.arange(3), 5))
    [5 5 5]
    """
    return _like(x, fill_value, dtype, shape, device)


class CopyError(LazirError, ValueError):
    """`copy=False`, where the data cannot be taken as it is."""


def asarray(
    x: Any,
    dtype: Any = None,
    order: str | None = None,
    *,
    device: Any = None,
    copy: bool | None = None,
) -> Tensor:
    """A tensor of the data: an array, a number, a buffer, nested sequences of numbers and tensors.

    An array is copied unless `copy=False` (then it must not change; ValueError where it cannot be
    taken as it is).

    >>> import lazir.numpy as lnp
    >>> lnp.asarray([[1, 2], [3, 4]]).dtype
    i64
    """
    check_device(device)
    return _taken(x, dtype, copy, "asarray")


def _taken(x: Any, dtype: Any, copy: bool | None, name: str) -> Tensor:
    """What `asarray` and `array` give; `name` is the function's, for errors."""
    if isinstance(x, Handle):
        return _of_tensor(as_tensor(x, dtype), x, copy, name)
    data = _buffer(x)
    if isinstance(data, np.ndarray):
        stored, kind = array_and_dtype(data)
        if dtype is None or as_dtype(dtype) is kind:
            shares = copy is False and stored.flags.c_contiguous
            if copy is False and not shares:
                _needs_copy(name, "only arrays in row-major order can be shared")
            return wrap_array(stored if shares else np.array(stored, order="C"), kind)
    if copy is False:
        _needs_copy(name, f"a {type(x).__name__} has no memory of that dtype to share")
    made = as_tensor(data, dtype)
    made._weak = False
    return made


def _of_tensor(made: Tensor, x: Any, copy: bool | None, name: str) -> Tensor:
    if made is not x and copy is False:
        _needs_copy(name, f"another dtype than {x._dtype} takes other memory")
    return tensor(promote(made).values[0]) if made is x and copy else made


def _needs_copy(name: str, why: str) -> None:
    advice = "with copy=None it copies where it must"
    raise CopyError(f"{name} with copy=False: {why}; {advice}", user_line())


def _buffer(x: Any) -> Any:
    """What has memory to look at, such as `bytes` and `array.array`, as an array."""
    if isinstance(x, (np.ndarray, list, tuple, *NUMBERS)) or hasattr(x, "__array__"):
        return x
    try:
        return np.asarray(memoryview(x))
    except TypeError:
        return x


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of another library's array; of its own with `copy=True`.

    The array must not change while the tensor lives. Errors of the other library, such as
    BufferError for what it cannot share, are passed on.

    >>> import numpy as np, lazir as lz
    >>> print(lz.from_dlpack(np.arange(3)))
    [0 1 2]
    """
    check_device(device)
    if isinstance(x, Handle):
        return _of_tensor(as_tensor(x), x, copy, "from_dlpack")
    stored, dtype = array_and_dtype(np.from_dlpack(x))
    return wrap_array(np.array(stored, order="C") if copy else stored, dtype)


def array(
    x: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: str = "K",
    subok: bool = False,
    ndmin: int = 0,
    device: Any = None,
) -> Tensor:
    """A tensor of the data: an array, a number, nested sequences of numbers and tensors.

    `copy` is as in NumPy 2: None copies where it must, False never does (ValueError where the
    data cannot be taken as it is; an array that is shared must not change).

    >>> import lazir.numpy as lnp
    >>> print(lnp.array([1.5, 2.5]))
    [1.5 2.5]
    """
    check_device(device)
    made = _taken(x, dtype, copy, "array")
    if copy and made is x:
        made = tensor(promote(x).values[0])
    if len(made.shape) < ndmin:
        shape = (1,) * (ndmin - len(made.shape)) + made.shape
        made = tensor(call("reshape", promote(made).values[0], shape=shape))
    return made


def copy(x: Any, order: str = "K", subok: bool = False) -> Tensor:
    """A tensor of its own with the elements of x.

    >>> import lazir.numpy as lnp
    >>> x = lnp.arange(3)
    >>> lnp.copy(x) is x
    False
    """
    return array(x)


makers[:] = [asarray]
