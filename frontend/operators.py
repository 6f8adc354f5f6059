# mypy: disable-error-code="no-any-return"
"""What NumPy users write on tensors: operators, methods, indexing.

Takes: handles. Gives: the class that Tensor builds on; each method is the function of that name in
`lazir.numpy`. Must not know: gradients, forcing.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from . import late
from .slots import Handle, Literal
from .torch_keywords import axis_of, refuse_dim, with_places

_KNOWN = (Handle, Literal, np.ndarray, np.generic, bool, int, float, complex)


class Operators(Handle):
    """The NumPy face of a tensor."""

    __slots__ = ()
    __hash__ = object.__hash__
    __array_priority__ = 1000

    def __add__(self, other: Any) -> Self:
        return late.numpy.add(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __radd__(self, other: Any) -> Self:
        return late.numpy.add(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __sub__(self, other: Any) -> Self:
        return late.numpy.subtract(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rsub__(self, other: Any) -> Self:
        return late.numpy.subtract(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __mul__(self, other: Any) -> Self:
        return late.numpy.multiply(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rmul__(self, other: Any) -> Self:
        return late.numpy.multiply(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __truediv__(self, other: Any) -> Self:
        return late.numpy.divide(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rtruediv__(self, other: Any) -> Self:
        return late.numpy.divide(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __floordiv__(self, other: Any) -> Self:
        return late.numpy.floor_divide(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rfloordiv__(self, other: Any) -> Self:
        return late.numpy.floor_divide(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __mod__(self, other: Any) -> Self:
        return late.numpy.remainder(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rmod__(self, other: Any) -> Self:
        return late.numpy.remainder(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __divmod__(self, other: Any) -> tuple[Self, Self]:
        return late.numpy.divmod(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rdivmod__(self, other: Any) -> tuple[Self, Self]:
        return late.numpy.divmod(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __pow__(self, other: Any) -> Self:
        return late.numpy.power(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rpow__(self, other: Any) -> Self:
        return late.numpy.power(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __matmul__(self, other: Any) -> Self:
        return late.numpy.matmul(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rmatmul__(self, other: Any) -> Self:
        return late.numpy.matmul(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __and__(self, other: Any) -> Self:
        return late.numpy.bitwise_and(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rand__(self, other: Any) -> Self:
        return late.numpy.bitwise_and(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __or__(self, other: Any) -> Self:
        return late.numpy.bitwise_or(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __ror__(self, other: Any) -> Self:
        return late.numpy.bitwise_or(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __xor__(self, other: Any) -> Self:
        return late.numpy.bitwise_xor(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rxor__(self, other: Any) -> Self:
        return late.numpy.bitwise_xor(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __lshift__(self, other: Any) -> Self:
        return late.numpy.left_shift(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rlshift__(self, other: Any) -> Self:
        return late.numpy.left_shift(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __rshift__(self, other: Any) -> Self:
        return late.numpy.right_shift(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __rrshift__(self, other: Any) -> Self:
        return late.numpy.right_shift(other, self) if isinstance(other, _KNOWN) else NotImplemented

    def __lt__(self, other: Any) -> Self:
        return late.numpy.less(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __le__(self, other: Any) -> Self:
        return late.numpy.less_equal(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __gt__(self, other: Any) -> Self:
        return late.numpy.greater(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __ge__(self, other: Any) -> Self:
        return (
            late.numpy.greater_equal(self, other) if isinstance(other, _KNOWN) else NotImplemented
        )

    def __eq__(self, other: object) -> Self:  # type: ignore[override]
        return late.numpy.equal(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        return late.numpy.not_equal(self, other) if isinstance(other, _KNOWN) else NotImplemented

    def __neg__(self) -> Self:
        return late.numpy.negative(self)

    def __pos__(self) -> Self:
        return late.numpy.positive(self)

    def __abs__(self) -> Self:
        return late.numpy.abs(self)

    def __invert__(self) -> Self:
        return late.numpy.invert(self)

    def __round__(self, decimals: int = 0) -> Self:
        return late.numpy.round(self, decimals)

    def __iadd__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__add__(other))

    def __isub__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__sub__(other))

    def __imul__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__mul__(other))

    def __itruediv__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__truediv__(other))

    def __ifloordiv__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__floordiv__(other))

    def __imod__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__mod__(other))

    def __ipow__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__pow__(other))

    def __imatmul__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__matmul__(other))

    def __iand__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__and__(other))

    def __ior__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__or__(other))

    def __ixor__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__xor__(other))

    def __ilshift__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__lshift__(other))

    def __irshift__(self, other: Any) -> Self:
        return late.methods.augmented(self, self.__rshift__(other))

    # -- indexing ------------------------------------------------------------------------
    def __getitem__(self, key: Any) -> Self:
        return late.indexing.getitem(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        late.methods.write(self, key, value)

    @property
    def at(self) -> Any:
        """Functional updates: `x.at[i].set(v)`, `.add`, `.multiply`, `.min`, `.max`, `.get`.

        >>> import lazir.numpy as lnp
        >>> print(lnp.zeros(3).at[1].set(5))
        [0. 5. 0.]
        """
        return late.indexing.At(self)

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
    def T(self) -> Self:
        """The tensor with its axes reversed."""
        return late.numpy.transpose(self)

    @property
    def mT(self) -> Self:
        """The tensor with its last two axes swapped."""
        return late.numpy.matrix_transpose(self)

    def reshape(self, *shape: Any, order: str = "C") -> Self:
        """See `lazir.numpy.reshape`; the shape may be several arguments."""
        wanted = shape[0] if len(shape) == 1 else shape
        return late.numpy.reshape(self, wanted, order)

    def view(self, *shape: Any) -> Self:
        """As `reshape`, PyTorch's name."""
        return self.reshape(*shape)

    def transpose(self, *axes: Any) -> Self:
        """See `lazir.numpy.transpose`; the axes may be several arguments."""
        if not axes or axes == (None,):
            return late.numpy.transpose(self)
        return late.numpy.transpose(self, axes[0] if isinstance(axes[0], tuple | list) else axes)

    def flatten(self, order: str = "C") -> Self:
        """All elements in one axis."""
        return late.numpy.copy(late.numpy.ravel(self, order))

    def ravel(self, order: str = "C") -> Self:
        """All elements in one axis."""
        return late.numpy.ravel(self, order)

    def squeeze(self, axis: Any = None) -> Self:
        """See `lazir.numpy.squeeze`."""
        return late.numpy.squeeze(self, axis)

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """See `lazir.numpy.swapaxes`."""
        return late.numpy.swapaxes(self, axis1, axis2)

    def repeat(self, repeats: Any, axis: int | None = None) -> Self:
        """See `lazir.numpy.repeat`."""
        return late.numpy.repeat(self, repeats, axis)

    def take(self, indices: Any, axis: int | None = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.take`."""
        return late.numpy.take(self, indices, axis, *args, **options)

    def compress(self, condition: Any, axis: int | None = None, **options: Any) -> Self:
        """See `lazir.numpy.compress`."""
        return late.numpy.compress(condition, self, axis, **options)

    def choose(self, choices: Any, out: Any = None, mode: str = "raise") -> Self:
        """See `lazir.numpy.choose`."""
        return late.numpy.choose(self, choices, out, mode)

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """See `lazir.numpy.put`: sets elements at flat positions."""
        late.numpy.put(self, indices, values, mode)

    def fill(self, value: Any) -> None:
        """Sets all elements to one value."""
        self[...] = value

    @property
    def flat(self) -> Self:
        """All elements in one axis; assigning into it is an error, which names the base."""
        return late.numpy.ravel(self)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        """See `lazir.numpy.diagonal`."""
        return late.numpy.diagonal(self, offset, axis1, axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        """See `lazir.numpy.trace`."""
        return late.numpy.trace(self, offset, axis1, axis2)

    # -- elements ------------------------------------------------------------------------
    def astype(self, dtype: Any, copy: bool = True) -> Self:
        """See `lazir.numpy.astype`."""
        return late.numpy.astype(self, dtype)

    def copy(self) -> Self:
        """A tensor of its own with the same elements."""
        return late.numpy.copy(self)

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """See `lazir.numpy.clip`."""
        return late.numpy.clip(self, min, max)

    def round(self, decimals: int = 0) -> Self:
        """See `lazir.numpy.round`."""
        return late.numpy.round(self, decimals)

    def conj(self) -> Self:
        """The complex conjugate; real tensors stay."""
        return late.numpy.conj(self)

    @property
    def real(self) -> Self:
        """The real part; real tensors stay."""
        return late.numpy.real(self)

    @property
    def imag(self) -> Self:
        """The imaginary part; zeros of a real tensor."""
        return late.numpy.imag(self)

    def dot(self, other: Any) -> Self:
        """See `lazir.numpy.dot`."""
        return late.numpy.dot(self, other)

    # -- reductions ----------------------------------------------------------------------
    def sum(self, axis: Any = None, dtype: Any = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.sum`."""
        axis = axis_of(axis, options)
        return late.numpy.sum(self, axis, dtype, *args, **options)

    def prod(self, axis: Any = None, dtype: Any = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.prod`."""
        axis = axis_of(axis, options)
        return late.numpy.prod(self, axis, dtype, *args, **options)

    def max(self, axis: Any = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.max`; with PyTorch's `dim=`, the values and where they stand."""
        if "dim" in options:
            return with_places(self, "max", **options)
        return late.numpy.max(self, axis, *args, **options)

    def min(self, axis: Any = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.min`; with PyTorch's `dim=`, the values and where they stand."""
        if "dim" in options:
            return with_places(self, "min", **options)
        return late.numpy.min(self, axis, *args, **options)

    def mean(self, axis: Any = None, dtype: Any = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.mean`."""
        axis = axis_of(axis, options)
        return late.numpy.mean(self, axis, dtype, *args, **options)

    def var(
        self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, **options: Any
    ) -> Self:
        """See `lazir.numpy.var`."""
        refuse_dim("var", options)
        return late.numpy.var(self, axis, dtype, out, ddof, **options)

    def std(
        self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, **options: Any
    ) -> Self:
        """See `lazir.numpy.std`."""
        refuse_dim("std", options)
        return late.numpy.std(self, axis, dtype, out, ddof, **options)

    def any(self, axis: Any = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.any`."""
        axis = axis_of(axis, options)
        return late.numpy.any(self, axis, *args, **options)

    def all(self, axis: Any = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.all`."""
        axis = axis_of(axis, options)
        return late.numpy.all(self, axis, *args, **options)

    def argmax(self, axis: int | None = None, **options: Any) -> Self:
        """See `lazir.numpy.argmax`."""
        return late.numpy.argmax(self, axis_of(axis, options), **options)

    def argmin(self, axis: int | None = None, **options: Any) -> Self:
        """See `lazir.numpy.argmin`."""
        return late.numpy.argmin(self, axis_of(axis, options), **options)

    def ptp(self, axis: Any = None, *args: Any, **options: Any) -> Self:
        """See `lazir.numpy.ptp`."""
        return late.numpy.ptp(self, axis, *args, **options)

    # -- order ---------------------------------------------------------------------------
    def cumsum(self, axis: int | None = None, dtype: Any = None, **options: Any) -> Self:
        """See `lazir.numpy.cumsum`."""
        return late.numpy.cumsum(self, axis_of(axis, options), dtype, **options)

    def cumprod(self, axis: int | None = None, dtype: Any = None, **options: Any) -> Self:
        """See `lazir.numpy.cumprod`."""
        return late.numpy.cumprod(self, axis_of(axis, options), dtype, **options)

    def argsort(self, axis: int | None = -1, **options: Any) -> Self:
        """See `lazir.numpy.argsort`."""
        return late.numpy.argsort(self, axis, **options)

    def argpartition(self, kth: Any, axis: int | None = -1, **options: Any) -> Self:
        """See `lazir.numpy.argpartition`."""
        return late.numpy.argpartition(self, kth, axis, **options)

    def sort(self, *args: Any, **options: Any) -> None:
        """TypeRuleError: NumPy sorts in place, JAX does not; `lnp.sort` is the same in both."""
        late.methods.ambiguous("sort")

    def partition(self, *args: Any, **options: Any) -> None:
        """TypeRuleError: NumPy changes the tensor, JAX does not; use `lnp.partition`."""
        late.methods.ambiguous("partition")

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Self:
        """See `lazir.numpy.searchsorted`."""
        return late.numpy.searchsorted(self, v, side, sorter)

    def nonzero(self, **options: Any) -> tuple[Self, ...]:
        """See `lazir.numpy.nonzero`."""
        return late.numpy.nonzero(self, **options)

    # -- functions -----------------------------------------------------------------------
    def exp(self) -> Self:
        """e to the power x, PyTorch's method."""
        return late.numpy.exp(self)

    def log(self) -> Self:
        """The natural logarithm, PyTorch's method."""
        return late.numpy.log(self)

    def sqrt(self) -> Self:
        """The square root, PyTorch's method."""
        return late.numpy.sqrt(self)

    def abs(self) -> Self:
        """|x|, PyTorch's method."""
        return late.numpy.abs(self)

    def pow(self, exponent: Any) -> Self:
        """x to a power, PyTorch's method."""
        return late.numpy.power(self, exponent)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor without axes")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError("a tensor without axes cannot be iterated over")
        return iter([self[k] for k in range(self.shape[0])])

    def __contains__(self, item: Any) -> bool:
        return bool(late.numpy.any(late.numpy.equal(self, item)))
