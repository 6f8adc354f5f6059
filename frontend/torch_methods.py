"""PyTorch's methods of tensors, where NumPy has none of the same name.

Takes: tensors. Gives: the class between the NumPy face and Tensor. Must not know: gradients.
Where both have a name, NumPy's meaning wins: `x.size` is a number, `x.transpose(0, 1)` the order of
the axes, `x.repeat` repeats elements, `x.std()` divides by n, `x.max(axis)` gives values alone.
PyTorch's keywords say which is meant: `x.max(dim=1)` gives values and places.
Methods that end in `_` make the handle stand for the new value, as `x[...] = v` does.
"""
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any, Self

from . import late
from .operators import Operators


class TorchMethods(Operators):
    """What PyTorch users write on tensors."""

    __slots__ = ()

    # -- shape ---------------------------------------------------------------------------
    def dim(self) -> Any:
        """The number of axes."""
        return self.ndim

    def numel(self) -> Any:
        """The number of elements."""
        return self.size

    def unsqueeze(self, dim: Any) -> Self:
        """A new axis of size 1.

        >>> import lazir as lz
        >>> lz.Tensor([1, 2]).unsqueeze(-1).shape
        (2, 1)
        """
        return late.numpy.expand_dims(self, dim)

    def permute(self, *dims: Any) -> Self:
        """The axes in another order."""
        return late.numpy.transpose(self, dims[0] if len(dims) == 1 and _many(dims[0]) else dims)

    def movedim(self, source: Any, destination: Any) -> Self:
        """Axes moved to other places."""
        return late.numpy.moveaxis(self, source, destination)

    def t(self) -> Self:
        """A matrix with its axes swapped; a vector as it is. TypeError for more axes."""
        if self.ndim > 2:
            raise TypeError(f"t() needs at most 2 axes, got shape {self.shape}")
        return late.numpy.transpose(self)

    def expand(self, *sizes: Any) -> Self:
        """Broadcast to a shape; -1 keeps a size.

        >>> import lazir as lz
        >>> lz.Tensor([[1], [2]]).expand(-1, 3).shape
        (2, 3)
        """
        wanted = sizes[0] if len(sizes) == 1 and _many(sizes[0]) else sizes
        lead = len(wanted) - self.ndim
        if lead < 0 or -1 in wanted[:lead]:
            raise ValueError(f"expand: {tuple(wanted)} does not fit shape {self.shape}")
        shape = [self.shape[k - lead] if n == -1 else n for k, n in enumerate(wanted)]
        return late.numpy.broadcast_to(self, tuple(shape))

    def expand_as(self, other: Any) -> Self:
        """Broadcast to another tensor's shape."""
        return late.numpy.broadcast_to(self, other.shape)

    def view_as(self, other: Any) -> Self:
        """In another tensor's shape."""
        return self.reshape(other.shape)

    def unflatten(self, dim: Any, sizes: Any) -> Self:
        """One axis becomes several."""
        k = dim % self.ndim
        return self.reshape((*self.shape[:k], *sizes, *self.shape[k + 1 :]))

    def chunk(self, chunks: Any, dim: Any = 0) -> tuple[Self, ...]:
        """At most so many pieces along an axis, all but the last of one size.

        >>> import lazir as lz
        >>> [len(x) for x in lz.Tensor([1, 2, 3, 4, 5]).chunk(3)]
        [2, 2, 1]
        """
        return self.split(max(-(-self.shape[dim] // chunks), 1), dim)

    def split(self, split_size: Any, dim: Any = 0) -> tuple[Self, ...]:
        """Pieces of one size along an axis (the last may be smaller), or of the sizes listed."""
        n = self.shape[dim]
        sizes = list(split_size) if _many(split_size) else None
        if sizes is not None and sum(sizes) != n:
            raise ValueError(f"split: sizes {sizes} do not add up to {n}")
        if sizes is None:
            sizes = [split_size] * (n // split_size) + [n % split_size] * bool(n % split_size)
        ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
        axis = dim % self.ndim
        lead = (slice(None),) * axis
        return tuple([self[(*lead, slice(e - s, e))] for s, e in zip(sizes, ends)])

    def unbind(self, dim: Any = 0) -> tuple[Self, ...]:
        """The parts along an axis, without it."""
        return tuple(late.numpy.unstack(self, axis=dim))

    def narrow(self, dim: Any, start: Any, length: Any) -> Self:
        """`length` places of an axis from `start`."""
        return self[(*(slice(None),) * (dim % self.ndim), slice(start, start + length))]

    def select(self, dim: Any, index: Any) -> Self:
        """One place of an axis, without it."""
        return self[(*(slice(None),) * (dim % self.ndim), index)]

    def flip(self, *dims: Any) -> Self:
        """Axes turned round."""
        return late.numpy.flip(self, dims[0] if len(dims) == 1 and _many(dims[0]) else dims)

    def roll(self, shifts: Any, dims: Any = None) -> Self:
        """Elements moved round an axis."""
        return late.numpy.roll(self, shifts, dims)

    def tril(self, diagonal: Any = 0) -> Self:
        """0 above a diagonal."""
        return late.numpy.tril(self, diagonal)

    def triu(self, diagonal: Any = 0) -> Self:
        """0 below a diagonal."""
        return late.numpy.triu(self, diagonal)

    def contiguous(self) -> Self:
        """The tensor itself: all are."""
        return self

    def clone(self) -> Self:
        """A tensor of its own with the same elements; gradients flow through it."""
        return late.numpy.copy(self)

    # -- elements ------------------------------------------------------------------------
    def clamp(self, min: Any = None, max: Any = None) -> Self:
        """Cut off below and above.

        >>> import lazir as lz
        >>> print(lz.Tensor([-1, 5]).clamp(0, 3))
        [0 3]
        """
        return late.numpy.clip(self, min, max)

    def masked_fill(self, mask: Any, value: Any) -> Self:
        """`value` where the mask is true."""
        return late.numpy.where(mask, value, self)

    def where(self, condition: Any, other: Any) -> Self:
        """The tensor where the condition is true, `other` elsewhere."""
        return late.numpy.where(condition, self, other)

    def gather(self, dim: Any, index: Any) -> Self:
        """Elements at positions along an axis (NumPy's take_along_axis)."""
        return late.numpy.take_along_axis(self, index, axis=dim)

    def index_select(self, dim: Any, index: Any) -> Self:
        """Places of an axis."""
        return late.numpy.take(self, index, axis=dim)

    def softmax(self, dim: Any = -1) -> Self:
        """See `lazir.nn.functional.softmax`."""
        return late.functional.softmax(self, dim)

    def log_softmax(self, dim: Any = -1) -> Self:
        """See `lazir.nn.functional.log_softmax`."""
        return late.functional.log_softmax(self, dim)

    def relu(self) -> Self:
        """See `lazir.nn.functional.relu`."""
        return late.functional.relu(self)

    def sigmoid(self) -> Self:
        """See `lazir.nn.functional.sigmoid`."""
        return late.functional.sigmoid(self)

    def logsumexp(self, dim: Any = None, keepdim: Any = False) -> Self:
        """log of the sum of exponentials."""
        return late.numpy.logsumexp(self, dim, keepdims=keepdim)

    # -- dtypes --------------------------------------------------------------------------
    def half(self) -> Self:
        """As float16."""
        return self.astype("float16")

    def bfloat16(self) -> Self:
        """As bfloat16."""
        return self.astype("bfloat16")

    def short(self) -> Self:
        """As int16."""
        return self.astype("int16")

    def int(self) -> Self:
        """As int32."""
        return self.astype("int32")

    def bool(self) -> Self:
        """As bool."""
        return self.astype("bool")

    def type_as(self, other: Any) -> Self:
        """In another tensor's dtype."""
        return self.astype(other.dtype)

    # -- in place ------------------------------------------------------------------------
    def _become(self, value: Any) -> Self:
        self[...] = value
        return self

    def zero_(self) -> Self:
        """All elements 0; gives the tensor itself."""
        return self._become(0)

    def fill_(self, value: Any) -> Self:
        """All elements `value`; gives the tensor itself.

        >>> import lazir as lz
        >>> print(lz.Tensor([1, 2]).fill_(7))
        [7 7]
        """
        return self._become(value)

    def add_(self, other: Any, alpha: Any = 1) -> Self:
        """Add `alpha · other`; gives the tensor itself."""
        return self._become(self + (other if alpha == 1 else alpha * other))

    def sub_(self, other: Any) -> Self:
        """Subtract; gives the tensor itself."""
        return self._become(self - other)

    def mul_(self, other: Any) -> Self:
        """Multiply; gives the tensor itself."""
        return self._become(self * other)

    def div_(self, other: Any) -> Self:
        """Divide; gives the tensor itself."""
        return self._become(self / other)

    def clamp_(self, min: Any = None, max: Any = None) -> Self:
        """Cut off below and above; gives the tensor itself."""
        return self._become(self.clamp(min, max))

    # -- functions of the same name, or nearly, in lazir.numpy --------------------------
    def sin(self) -> Self:
        """See `lazir.numpy.sin`."""
        return late.numpy.sin(self)

    def cos(self) -> Self:
        """See `lazir.numpy.cos`."""
        return late.numpy.cos(self)

    def tan(self) -> Self:
        """See `lazir.numpy.tan`."""
        return late.numpy.tan(self)

    def tanh(self) -> Self:
        """See `lazir.numpy.tanh`."""
        return late.numpy.tanh(self)

    def sinh(self) -> Self:
        """See `lazir.numpy.sinh`."""
        return late.numpy.sinh(self)

    def cosh(self) -> Self:
        """See `lazir.numpy.cosh`."""
        return late.numpy.cosh(self)

    def square(self) -> Self:
        """See `lazir.numpy.square`."""
        return late.numpy.square(self)

    def rsqrt(self) -> Self:
        """See `lazir.numpy.rsqrt`."""
        return late.numpy.rsqrt(self)

    def reciprocal(self) -> Self:
        """See `lazir.numpy.reciprocal`."""
        return late.numpy.reciprocal(self)

    def sign(self) -> Self:
        """See `lazir.numpy.sign`."""
        return late.numpy.sign(self)

    def floor(self) -> Self:
        """See `lazir.numpy.floor`."""
        return late.numpy.floor(self)

    def ceil(self) -> Self:
        """See `lazir.numpy.ceil`."""
        return late.numpy.ceil(self)

    def log1p(self) -> Self:
        """See `lazir.numpy.log1p`."""
        return late.numpy.log1p(self)

    def log2(self) -> Self:
        """See `lazir.numpy.log2`."""
        return late.numpy.log2(self)

    def log10(self) -> Self:
        """See `lazir.numpy.log10`."""
        return late.numpy.log10(self)

    def expm1(self) -> Self:
        """See `lazir.numpy.expm1`."""
        return late.numpy.expm1(self)

    def exp2(self) -> Self:
        """See `lazir.numpy.exp2`."""
        return late.numpy.exp2(self)

    def isnan(self) -> Self:
        """See `lazir.numpy.isnan`."""
        return late.numpy.isnan(self)

    def isfinite(self) -> Self:
        """See `lazir.numpy.isfinite`."""
        return late.numpy.isfinite(self)

    def isinf(self) -> Self:
        """See `lazir.numpy.isinf`."""
        return late.numpy.isinf(self)

    def neg(self) -> Self:
        """See `lazir.numpy.negative`."""
        return late.numpy.negative(self)

    def asin(self) -> Self:
        """See `lazir.numpy.arcsin`."""
        return late.numpy.arcsin(self)

    def acos(self) -> Self:
        """See `lazir.numpy.arccos`."""
        return late.numpy.arccos(self)

    def atan(self) -> Self:
        """See `lazir.numpy.arctan`."""
        return late.numpy.arctan(self)

    def erf(self) -> Self:
        """See `lazir.numpy.erf`."""
        return late.numpy.erf(self)

    def trunc(self) -> Self:
        """See `lazir.numpy.trunc`."""
        return late.numpy.trunc(self)

    def add(self, other: Any) -> Self:
        """See `lazir.numpy.add`."""
        return late.numpy.add(self, other)

    def sub(self, other: Any) -> Self:
        """See `lazir.numpy.subtract`."""
        return late.numpy.subtract(self, other)

    def mul(self, other: Any) -> Self:
        """See `lazir.numpy.multiply`."""
        return late.numpy.multiply(self, other)

    def div(self, other: Any) -> Self:
        """See `lazir.numpy.divide`."""
        return late.numpy.divide(self, other)

    def matmul(self, other: Any) -> Self:
        """See `lazir.numpy.matmul`."""
        return late.numpy.matmul(self, other)

    def mm(self, other: Any) -> Self:
        """See `lazir.numpy.matmul`."""
        return late.numpy.matmul(self, other)

    def bmm(self, other: Any) -> Self:
        """See `lazir.numpy.matmul`."""
        return late.numpy.matmul(self, other)

    def mv(self, other: Any) -> Self:
        """See `lazir.numpy.matmul`."""
        return late.numpy.matmul(self, other)

    def eq(self, other: Any) -> Self:
        """See `lazir.numpy.equal`."""
        return late.numpy.equal(self, other)

    def ne(self, other: Any) -> Self:
        """See `lazir.numpy.not_equal`."""
        return late.numpy.not_equal(self, other)

    def lt(self, other: Any) -> Self:
        """See `lazir.numpy.less`."""
        return late.numpy.less(self, other)

    def le(self, other: Any) -> Self:
        """See `lazir.numpy.less_equal`."""
        return late.numpy.less_equal(self, other)

    def gt(self, other: Any) -> Self:
        """See `lazir.numpy.greater`."""
        return late.numpy.greater(self, other)

    def ge(self, other: Any) -> Self:
        """See `lazir.numpy.greater_equal`."""
        return late.numpy.greater_equal(self, other)

    def maximum(self, other: Any) -> Self:
        """See `lazir.numpy.maximum`."""
        return late.numpy.maximum(self, other)

    def minimum(self, other: Any) -> Self:
        """See `lazir.numpy.minimum`."""
        return late.numpy.minimum(self, other)

    def remainder(self, other: Any) -> Self:
        """See `lazir.numpy.remainder`."""
        return late.numpy.remainder(self, other)

    def outer(self, other: Any) -> Self:
        """See `lazir.numpy.outer`."""
        return late.numpy.outer(self, other)

    def logical_and(self, other: Any) -> Self:
        """See `lazir.numpy.logical_and`."""
        return late.numpy.logical_and(self, other)

    def logical_or(self, other: Any) -> Self:
        """See `lazir.numpy.logical_or`."""
        return late.numpy.logical_or(self, other)


def _many(x: Any) -> Any:
    """Whether an argument is a sequence of sizes or axes."""
    return isinstance(x, tuple | list)
