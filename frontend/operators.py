"""What NumPy users write on tensors: operators, methods, indexing.

Takes: handles. Gives: the class that Tensor builds on; each method is the function of that name in
`lazir.numpy`. Must not know: gradients, forcing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from . import numpy as lnp
from . import views
from .apply import NUMBERS, Literal, fail
from .handle import Handle
from .numpy import arithmetic, logic
from .numpy.indexing import At, getitem, write

if TYPE_CHECKING:
    from .tensor import Tensor

R = TypeVar("R")
_OPERANDS = (Handle, np.ndarray, np.generic, *NUMBERS, Literal)


def _forward(function: Callable[[Any, Any], R]) -> Callable[[Any, Any], R]:
    def method(self: Any, other: Any) -> Any:
        return function(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    return method


def _reflected(function: Callable[[Any, Any], R]) -> Callable[[Any, Any], R]:
    def method(self: Any, other: Any) -> Any:
        return function(other, self) if isinstance(other, _OPERANDS) else NotImplemented

    return method


class Operators(Handle):
    """The NumPy face of a tensor."""

    __slots__ = ()
    __hash__ = object.__hash__
    __array_priority__ = 1000

    __add__ = _forward(arithmetic.add)
    __radd__ = _reflected(arithmetic.add)
    __sub__ = _forward(arithmetic.subtract)
    __rsub__ = _reflected(arithmetic.subtract)
    __mul__ = _forward(arithmetic.multiply)
    __rmul__ = _reflected(arithmetic.multiply)
    __truediv__ = _forward(arithmetic.divide)
    __rtruediv__ = _reflected(arithmetic.divide)
    __floordiv__ = _forward(arithmetic.floor_divide)
    __rfloordiv__ = _reflected(arithmetic.floor_divide)
    __mod__ = _forward(arithmetic.remainder)
    __rmod__ = _reflected(arithmetic.remainder)
    __divmod__ = _forward(arithmetic.divmod)
    __rdivmod__ = _reflected(arithmetic.divmod)
    __pow__ = _forward(arithmetic.power)
    __rpow__ = _reflected(arithmetic.power)
    __matmul__ = _forward(lnp.matmul)
    __rmatmul__ = _reflected(lnp.matmul)
    __and__ = _forward(logic.bitwise_and)
    __rand__ = _reflected(logic.bitwise_and)
    __or__ = _forward(logic.bitwise_or)
    __ror__ = _reflected(logic.bitwise_or)
    __xor__ = _forward(logic.bitwise_xor)
    __rxor__ = _reflected(logic.bitwise_xor)
    __lshift__ = _forward(logic.left_shift)
    __rlshift__ = _reflected(logic.left_shift)
    __rshift__ = _forward(logic.right_shift)
    __rrshift__ = _reflected(logic.right_shift)
    __lt__ = _forward(logic.less)
    __le__ = _forward(logic.less_equal)
    __gt__ = _forward(logic.greater)
    __ge__ = _forward(logic.greater_equal)
    __eq__: Any = _forward(logic.equal)
    __ne__: Any = _forward(logic.not_equal)

    def __neg__(self) -> Tensor:
        return arithmetic.negative(self)

    def __pos__(self) -> Tensor:
        return arithmetic.positive(self)

    def __abs__(self) -> Tensor:
        return arithmetic.abs(self)

    def __invert__(self) -> Tensor:
        return logic.invert(self)

    def __round__(self, decimals: int = 0) -> Tensor:
        return lnp.round(self, decimals)

    # -- indexing ------------------------------------------------------------------------
    def __getitem__(self, key: Any) -> Tensor:
        return getitem(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        views.check_write(self)
        self._assign(write(self, key, value))

    def _assign(self, new: Handle) -> None:
        raise NotImplementedError

    @property
    def at(self) -> At:
        """Functional updates: `x.at[i].set(v)`, `.add`, `.multiply`, `.min`, `.max`, `.get`.

        >>> import lazir.numpy as lnp
        >>> print(lnp.zeros(3).at[1].set(5))
        [0. 5. 0.]
        """
        return At(self)

    # -- shape ---------------------------------------------------------------------------
    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def T(self) -> Tensor:
        """The tensor with its axes reversed."""
        return lnp.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two axes swapped."""
        return lnp.matrix_transpose(self)

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        """See `lazir.numpy.reshape`; the shape may be several arguments."""
        wanted = shape[0] if len(shape) == 1 else shape
        return lnp.reshape(self, wanted, order)

    def view(self, *shape: Any) -> Tensor:
        """As `reshape`, PyTorch's name."""
        return self.reshape(*shape)

    def transpose(self, *axes: Any) -> Tensor:
        """See `lazir.numpy.transpose`; the axes may be several arguments."""
        if not axes or axes == (None,):
            return lnp.transpose(self)
        return lnp.transpose(self, axes[0] if isinstance(axes[0], tuple | list) else axes)

    def flatten(self, order: str = "C") -> Tensor:
        """All elements in one axis."""
        return lnp.copy(lnp.ravel(self, order))

    def ravel(self, order: str = "C") -> Tensor:
        """All elements in one axis."""
        return lnp.ravel(self, order)

    def squeeze(self, axis: Any = None) -> Tensor:
        """See `lazir.numpy.squeeze`."""
        return lnp.squeeze(self, axis)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """See `lazir.numpy.swapaxes`."""
        return lnp.swapaxes(self, axis1, axis2)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        """See `lazir.numpy.repeat`."""
        return lnp.repeat(self, repeats, axis)

    def take(self, indices: Any, axis: int | None = None, mode: str | None = None) -> Tensor:
        """See `lazir.numpy.take`."""
        return lnp.take(self, indices, axis, mode)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """See `lazir.numpy.diagonal`."""
        return lnp.diagonal(self, offset, axis1, axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """See `lazir.numpy.trace`."""
        return lnp.trace(self, offset, axis1, axis2)

    # -- elements ------------------------------------------------------------------------
    def astype(self, dtype: Any, copy: bool = True) -> Tensor:
        """See `lazir.numpy.astype`."""
        return lnp.astype(self, dtype)

    def copy(self) -> Tensor:
        """A tensor of its own with the same elements."""
        return lnp.copy(self)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """See `lazir.numpy.clip`."""
        return lnp.clip(self, min, max)

    def round(self, decimals: int = 0) -> Tensor:
        """See `lazir.numpy.round`."""
        return lnp.round(self, decimals)

    def conj(self) -> Tensor:
        """The complex conjugate; real tensors stay."""
        return self._real_only("conj")

    @property
    def real(self) -> Tensor:
        """The real part; real tensors stay."""
        return self._real_only("real")

    def _real_only(self, name: str) -> Tensor:
        if self._dtype.is_complex:
            return getattr(lnp, name)(self)  # type: ignore[no-any-return]
        return arithmetic.positive(self)

    def dot(self, other: Any) -> Tensor:
        """See `lazir.numpy.dot`."""
        return lnp.dot(self, other)

    # -- reductions ----------------------------------------------------------------------
    def sum(self, axis: Any = None, dtype: Any = None, **options: Any) -> Tensor:
        """See `lazir.numpy.sum`."""
        return lnp.sum(self, axis, dtype, **options)

    def prod(self, axis: Any = None, dtype: Any = None, **options: Any) -> Tensor:
        """See `lazir.numpy.prod`."""
        return lnp.prod(self, axis, dtype, **options)

    def max(self, axis: Any = None, **options: Any) -> Tensor:
        """See `lazir.numpy.max`."""
        return lnp.max(self, axis, **options)

    def min(self, axis: Any = None, **options: Any) -> Tensor:
        """See `lazir.numpy.min`."""
        return lnp.min(self, axis, **options)

    def mean(self, axis: Any = None, dtype: Any = None, **options: Any) -> Tensor:
        """See `lazir.numpy.mean`."""
        return lnp.mean(self, axis, dtype, **options)

    def var(self, axis: Any = None, dtype: Any = None, ddof: float = 0, **options: Any) -> Tensor:
        """See `lazir.numpy.var`."""
        return lnp.var(self, axis, dtype, ddof, **options)

    def std(self, axis: Any = None, dtype: Any = None, ddof: float = 0, **options: Any) -> Tensor:
        """See `lazir.numpy.std`."""
        return lnp.std(self, axis, dtype, ddof, **options)

    def any(self, axis: Any = None, **options: Any) -> Tensor:
        """See `lazir.numpy.any`."""
        return lnp.any(self, axis, **options)

    def all(self, axis: Any = None, **options: Any) -> Tensor:
        """See `lazir.numpy.all`."""
        return lnp.all(self, axis, **options)

    def argmax(self, axis: int | None = None, **options: Any) -> Tensor:
        """See `lazir.numpy.argmax`."""
        return lnp.argmax(self, axis, **options)

    def argmin(self, axis: int | None = None, **options: Any) -> Tensor:
        """See `lazir.numpy.argmin`."""
        return lnp.argmin(self, axis, **options)

    def ptp(self, axis: Any = None, **options: Any) -> Tensor:
        """See `lazir.numpy.ptp`."""
        return lnp.ptp(self, axis, **options)

    def exp(self) -> Tensor:
        """e to the power x, PyTorch's method."""
        return lnp.exp(self)

    def log(self) -> Tensor:
        """The natural logarithm, PyTorch's method."""
        return lnp.log(self)

    def sqrt(self) -> Tensor:
        """The square root, PyTorch's method."""
        return lnp.sqrt(self)

    def abs(self) -> Tensor:
        """|x|, PyTorch's method."""
        return lnp.abs(self)

    def pow(self, exponent: Any) -> Tensor:
        """x to a power, PyTorch's method."""
        return lnp.power(self, exponent)

    def __len__(self) -> int:
        if not self.shape:
            fail("len() of a tensor without axes")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape:
            fail("a tensor without axes cannot be iterated over")
        return iter([self[k] for k in range(self.shape[0])])

    def __contains__(self, item: Any) -> bool:
        return bool(lnp.any(logic.equal(self, item)))
