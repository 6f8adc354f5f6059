# mypy: disable-error-code="no-any-return"
"""`Tensor`: what users hold. A handle with NumPy's operators, PyTorch's gradients, and ways out.

Takes: data or graph values. Gives: data on demand (which runs the pending graph), exchange with
other libraries, gradient state. Must not know: how gradients are computed, how graphs run: what is
more than a look at its own slots lies in `methods.py`.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from lazir.compiler.errors import TraceError, TypeRuleError
from lazir.compiler.ops.source import bf16_values
from lazir.compiler.types import DType, bf16, dtype_named
from lazir.runtime.device import Device

from . import late, views
from .lazy import TORCH, LazyNode, known
from .locate import user_line
from .slots import Array, Handle
from .torch_methods import TorchMethods


class Tensor(TorchMethods):
    """An n-dimensional array of one element type.

    Outside of `@lazir.compile` operations on it are recorded and run when a value is needed:
    `.numpy()`, `.item()`, `print`, `bool()`. Inside, it stands for a value of the compiled
    function.

    >>> import lazir as lz
    >>> x = lz.Tensor([1.0, 2.0])
    >>> print(x * 2 + 1)
    [3. 5.]
    """

    __slots__ = ()

    def __init__(self, data: Any, dtype: Any = None, *, requires_grad: bool = False) -> None:
        self._weak = False
        self._state = None
        late.methods.fill(self, data, dtype)
        if requires_grad:
            self.requires_grad = True

    # -- what it is ----------------------------------------------------------------------
    @property
    def dtype(self) -> DType:
        """The element type, such as `lazir.float32`."""
        return self._dtype

    @property
    def device(self) -> Device:
        """Where its data is."""
        return Device("cpu")

    @property
    def nbytes(self) -> int:
        """Bytes of its data."""
        return self.size * self._dtype.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._dtype.itemsize

    @property
    def is_traced(self) -> bool:
        """Whether it stands for a value of a function that is being traced."""
        return self._value is not None and type(self._value.node) is not LazyNode

    # -- data out ------------------------------------------------------------------------
    def _data(self, what: str, advice: str = "return it from the compiled function") -> Array:
        """Its data as stored; runs the pending graph. TraceError while tracing."""
        if self._state is not None:
            views.check_read(self)
        if self._array is not None:
            return self._array
        value = self._value
        assert value is not None
        found = known(value) if type(value.node) is LazyNode else None
        return late.methods.compute(self, what, advice) if found is None else found

    def numpy(self) -> Array:
        """Its data as a NumPy array, read-only: tensors share memory with results. bf16 as float32.

        >>> import lazir as lz
        >>> (lz.Tensor([1, 2]) + 1).numpy()
        array([2, 3])
        """
        data = self._data("the data")
        if self._dtype is bf16:
            return bf16_values(data)
        shown = data.view()
        shown.flags.writeable = False
        return shown

    def item(self, *index: int) -> Any:
        """Its only element (or the one at `index`) as a Python number.

        >>> import lazir as lz
        >>> lz.Tensor([5]).item()
        5
        """
        data = self._data("the value", "use lz.cond or lnp.where, or return it")
        if self._dtype is bf16:
            data = bf16_values(data)
        if not index and data.size != 1:
            _fail(f"item() needs a tensor of one element, got shape {self.shape}")
        return data.item(*index)

    def tolist(self) -> Any:
        """Its elements as nested lists of Python numbers."""
        return self.numpy().tolist()

    def block_until_ready(self) -> Tensor:
        """Run the pending graph; gives the tensor itself."""
        self._data("the data")
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        data = self.numpy()
        if dtype is not None and data.dtype != dtype:
            return data.astype(dtype)
        return data.copy() if copy else data

    def __bool__(self) -> bool:
        if self.is_traced:
            raise TraceError(
                "the truth of a traced tensor is not known while tracing, so Python cannot branch "
                "on it: use lz.cond(pred, true_fun, false_fun, *operands) for two computations, "
                "lnp.where(pred, x, y) to pick between two values, lz.while_loop for a loop",
                user_line(),
            )
        return bool(self._scalar("bool"))

    def _scalar(self, kind: str) -> Any:
        advice = f"{kind}() needs a number: keep it a tensor, or make the argument static"
        data = self._data("the value", advice)
        if data.size != 1:
            _fail(f"{kind}() needs a tensor of one element, got shape {self.shape}")
        return self.item()

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        if not self._dtype.is_integer:
            _fail(f"only integer tensors can be an index, got {self._dtype}")
        return int(self._scalar("int"))

    def __format__(self, spec: str) -> str:
        if spec and not self.shape:
            return format(self.item(), spec)
        return format(str(self), spec)

    def __repr__(self) -> str:
        if self.is_traced:
            shape = ",".join(map(str, self.shape))
            return f"Tensor(traced {self._dtype}[{shape}])"
        data = self._display()
        text = np.array2string(data, separator=", ", prefix="Tensor(")
        grad = ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({text}, dtype={self._dtype}{grad})"

    def __str__(self) -> str:
        if self.is_traced:
            return repr(self)
        return str(self._display())

    def _display(self) -> Array:
        data = self._data("the data")
        return bf16_values(data) if self._dtype is bf16 else data

    # -- other libraries -----------------------------------------------------------------
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return late.methods.array_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return late.methods.array_function(func, args, kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        if api_version is not None and api_version not in late.numpy.VERSIONS:
            known = ", ".join(late.numpy.VERSIONS)
            raise ValueError(f"lazir.numpy has versions {known} of the standard, not {api_version}")
        return late.numpy

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        return late.methods.dlpack(self, stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)  # main memory

    def __reduce__(self) -> Any:
        data = np.array(self._data("the data"))
        return restore, (data, self._dtype.name, self.requires_grad)

    def __copy__(self) -> Tensor:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Tensor:
        data = np.array(self._data("the data"))
        return restore(data, self._dtype.name, self.requires_grad)

    # -- writing -------------------------------------------------------------------------
    def _assign(self, new: Handle) -> None:
        """Make this handle stand for another value."""
        late.methods.assign(self, new)

    def copy_(self, source: Any) -> Tensor:
        """Take the elements of `source`, broadcast (PyTorch's name); gives the tensor itself."""
        self[...] = source
        return self

    # -- gradients -----------------------------------------------------------------------
    @property
    def _is_leaf(self) -> bool:
        value = self._value
        return value is None or value.node.op in ("param", "alias")

    @property
    def is_leaf(self) -> bool:
        """Whether it is no result of a recorded operation."""
        return self._is_leaf or not self.requires_grad

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded for `backward`."""
        value = self._value
        if value is None or type(value.node) is not LazyNode:
            return False
        return bool(value.node.tracked & TORCH)

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted == self.requires_grad:
            return
        if not wanted and not self._is_leaf:
            _fail("only leaf tensors can stop requiring a gradient; use .detach()")
        if wanted and not self._dtype.is_inexact:
            _fail(f"only float and complex tensors can require a gradient, got {self._dtype}")
        late.methods.require_gradient(self, wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad`; gives the tensor itself."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has added up, or None."""
        return None if self._state is None else self._state.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and value.shape != self.shape:
            _fail(f"a gradient of shape {value.shape} does not fit a tensor of shape {self.shape}")
        late.methods.gradient_state(self).grad = value

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this scalar to `.grad` of every leaf that requires one.

        >>> import lazir as lz
        >>> w = lz.Tensor([1.0, 2.0], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> print(w.grad)
        [2. 4.]
        """
        late.methods.backward(self, gradient, retain_graph)

    def retain_grad(self) -> None:
        """Have `backward` keep the gradient of this intermediate tensor as well."""
        if self._value is not None and type(self._value.node) is LazyNode:
            self._value.node.owner = weakref.ref(self)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        if self._state is not None:
            self._state.grad = None

    def detach(self) -> Tensor:
        """The same data, out of reach of gradients."""
        return late.methods.detach(self)

    # -- devices -------------------------------------------------------------------------
    def to(self, *targets: Any, device: Any = None, dtype: Any = None) -> Tensor:
        """The tensor on another device or in another dtype.

        >>> import lazir as lz
        >>> lz.Tensor([1.5]).to("int32").dtype
        i32
        """
        return late.methods.move(self, targets, device, dtype)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """The tensor on a device, the array standard's method; main memory has no streams.

        >>> import lazir as lz
        >>> lz.Tensor([1.5]).to_device("cpu").device
        Device(kind='cpu', index=0)
        """
        if stream is not None:
            _fail(f"to_device: main memory has no streams, got {stream!r}")
        return self.to(device=device)

    def cuda(self, index: int = 0) -> Tensor:
        """The tensor on a GPU. RuntimeError where there is none."""
        return self.to(f"cuda:{index}")

    def cpu(self) -> Tensor:
        """The tensor in main memory."""
        return self.to("cpu")

    def float(self) -> Tensor:
        """As float32, PyTorch's method."""
        return self.astype("float32")

    def double(self) -> Tensor:
        """As float64, PyTorch's method."""
        return self.astype("float64")

    def long(self) -> Tensor:
        """As int64, PyTorch's method."""
        return self.astype("int64")


def _fail(message: str) -> None:
    raise TypeRuleError(message, user_line())


def restore(data: Array, name: str, requires_grad: bool) -> Tensor:
    """A tensor from what pickling keeps of it."""
    made: Tensor = object.__new__(Tensor)
    dtype = dtype_named(name)
    assert dtype is not None
    made._array, made._value, made._dtype = data, None, dtype
    made._weak, made._state = False, None
    if requires_grad:
        made.requires_grad = True
    return made
