"""What the methods of Tensor do where it takes more than a look at the tensor's own slots.

Takes: tensors. Gives: their data, assignment, gradient state, devices, NumPy's dispatch.
Must not know: particular operations.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np

from lazir.compiler.errors import TypeRuleError
from lazir.compiler.types import DType, bf16
from lazir.runtime import buffers
from lazir.runtime.device import Device

from . import late, tree, views
from .apply import as_tensor, fail
from .autograd import backward, detach, grad_is_off, gradient_state, make_leaf
from .dtypes import as_dtype
from .handle import Array, Handle, Tensor, array_and_dtype, wrap_array
from .interop import array_function, array_ufunc
from .lazy import known
from .numpy import indexing
from .pending import force, watch
from .places import check_device
from .trace import active, lazy_value, outside

__all__ = [
    "array_function",
    "array_ufunc",
    "assign",
    "backward",
    "block_until_ready",
    "compute",
    "detach",
    "device_get",
    "device_put",
    "dlpack",
    "empty_cache",
    "fill",
    "gradient_state",
    "move",
    "require_gradient",
    "write",
]  # fmt: skip


# -- data --------------------------------------------------------------------------------
def fill(tensor: Tensor, data: Any, dtype: Any) -> None:
    """Give a new tensor its data."""
    if isinstance(data, Handle):
        made: Handle = as_tensor(data, dtype)
        tensor._array, tensor._value, tensor._dtype = made._array, made._value, made._dtype
    else:
        tensor._array, tensor._dtype = _stored(data, dtype)
        tensor._value = None
    if tensor._array is None and not tensor.is_traced:
        watch(tensor)


def _stored(data: Any, dtype: Any) -> tuple[Array, DType]:
    """Data as lazir keeps it: a copy, row-major; Python numbers in the default types."""
    if isinstance(data, np.ndarray | np.generic):
        made = wrap_array(*array_and_dtype(np.array(data, order="C")))
    else:
        made = as_tensor(data, dtype)
    if dtype is not None and as_dtype(dtype) is not made._dtype:
        made = made.astype(dtype)
    return made._data("the data"), made._dtype


def compute(tensor: Tensor, what: str, advice: str) -> Array:
    """The data of a tensor that has none yet; runs the pending graph. TraceError while tracing."""
    if tensor.is_traced:
        raise outside(what, advice)
    force([tensor])
    if tensor._array is not None:
        return tensor._array
    assert tensor._value is not None
    found = known(tensor._value)
    assert found is not None
    return found


def dlpack(
    tensor: Tensor,
    stream: Any,
    max_version: tuple[int, int] | None,
    dl_device: tuple[Any, int] | None,
    copy: bool | None,
) -> Any:
    """A DLPack capsule of its data. BufferError for what others could not read as it is."""
    data = tensor._data("the data")
    if tensor._dtype is bf16:
        raise BufferError("bf16 cannot be handed over by DLPack; convert with .astype first")
    if stream is not None:
        raise BufferError(f"main memory has no streams, got stream={stream!r}")
    if dl_device is not None and tuple(map(int, dl_device)) != tensor.__dlpack_device__():
        raise BufferError(f"the tensor is in main memory, not on a device {tuple(dl_device)}")
    if copy:
        data = data.copy()
    if max_version is not None and max_version >= (1, 0):
        return data.__dlpack__(max_version=max_version)
    return data.__dlpack__()


# -- writing -----------------------------------------------------------------------------
def write(tensor: Tensor, key: Any, value: Any) -> None:
    """tensor[key] = value."""
    new = indexing.write(tensor, key, value)  # first, since the value may be a view of the tensor
    target = views.written_root(tensor, new)
    if target is None:
        views.check_write(tensor)
        assign(tensor, new)
        return
    root, whole = target
    views.check_write(root)
    assign(root, whole)
    assign(tensor, new)
    views.renew(tensor)


def assign(tensor: Tensor, new: Handle) -> None:
    """Make a tensor stand for another value."""
    trace = active()
    if trace is not None:
        trace.note_write(tensor)
    requires = tensor.requires_grad and tensor._is_leaf
    if requires and grad_is_off() and trace is None:
        value = lazy_value(new)
        make_leaf(tensor, value)
        if known(value) is None:
            watch(tensor)
        return
    if requires:
        fail("assigning into a tensor that requires a gradient; do it under lz.no_grad()")
    tensor._array, tensor._value = new._array, new._value
    if tensor._array is None and not tensor.is_traced:
        watch(tensor)


def augmented(tensor: Tensor, new: Any) -> Any:
    """tensor += …: another tensor under the same name, as in JAX.

    Under `no_grad` a leaf that requires a gradient takes the value itself, as in PyTorch: else
    `for p in params: p -= rate * p.grad` would leave every parameter as it was.
    """
    if new is NotImplemented or not (tensor.requires_grad and tensor._is_leaf and grad_is_off()):
        return new
    write(tensor, ..., new)
    return tensor


def ambiguous(name: str) -> None:
    """The error for a method that writes in place in NumPy and does not in JAX."""
    fail(
        f"x.{name}() sorts in place in NumPy and gives a new array in JAX: write "
        f"x[...] = lnp.{name}(x) for the first, y = lnp.{name}(x) for the second"
    )


def require_gradient(tensor: Tensor, wanted: bool) -> None:
    """Set `requires_grad` of a leaf."""
    data = tensor._data("the data")
    if wanted:
        tensor._array = data
        make_leaf(tensor)
    else:
        tensor._array, tensor._value = data, None
    gradient_state(tensor).requires_grad = wanted


# -- devices -----------------------------------------------------------------------------
def move(tensor: Tensor, targets: tuple[Any, ...], device: Any, dtype: Any) -> Tensor:
    """The tensor on another device or in another dtype."""
    for target in targets:
        if isinstance(target, Device) or (isinstance(target, str) and _is_device(target)):
            device = target
        else:
            dtype = target
    made = tensor if dtype is None else tensor.astype(dtype)
    check_device(device)
    return made


def _is_device(text: str) -> bool:
    return text == "cpu" or text.startswith("cuda")


def device_put(x: Any, device: Any = None) -> Any:
    """The tree with tensors for its leaves, on a device (main memory by default).

    Lists, tuples, dicts and registered classes are trees, as in JAX; arrays and numbers are leaves.
    TypeError for a leaf that is no data, such as a dataclass that is not registered.

    >>> import lazir as lz
    >>> lz.device_put({"a": 1, "b": (True, None)})
    {'a': Tensor(1, dtype=i64), 'b': (Tensor(True, dtype=i1), None)}
    """
    target = "cpu" if device is None else device
    return tree.map(lambda leaf: _put(leaf, target), x)


def _put(leaf: Any, device: Any) -> Tensor:
    if dataclasses.is_dataclass(leaf):
        fail(
            f"device_put: {type(leaf).__name__} is a dataclass that trees do not look into; "
            "decorate it with lz.tree.register_dataclass",
            TypeRuleError,
        )
    made = leaf if isinstance(leaf, Tensor) else Tensor(leaf)
    return made.to(device=device)


def device_get(x: Any) -> Any:
    """The tree with NumPy arrays for its tensors.

    >>> import lazir as lz
    >>> lz.device_get({"a": lz.Tensor([1, 2])})
    {'a': array([1, 2])}
    """
    return tree.map(lambda leaf: leaf.numpy() if isinstance(leaf, Tensor) else leaf, x)


def block_until_ready(x: Any) -> Any:
    """Compute every tensor of a tree that is pending; gives the tree.

    >>> import lazir as lz
    >>> print(lz.block_until_ready({"a": lz.Tensor([1]) + 1})["a"])
    [2]
    """
    force(t for t in tree.leaves(x) if isinstance(t, Tensor) and not t.is_traced)
    return x


def empty_cache() -> None:
    """Give memory that is kept for later results back to the system."""
    buffers.empty_cache()


late.methods = sys.modules[__name__]
