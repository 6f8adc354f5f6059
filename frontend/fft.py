"""Discrete Fourier transforms with NumPy's names, computed by NumPy's own loops.

Takes: tensors, arrays; `n` or `s` (lengths, which crop or fill with zeros), `axis` or `axes`, and
`norm` ("backward", "ortho", "forward"). Gives: tensors, in single precision for f16, bf16 and f32,
else in that of the operand (integers become the default float type). Must not know: how they are
computed.

They run inside of compiled programs, without a copy to Python, and have derivatives of any order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.ops.movement import inverse_permutation
from lazir.compiler.types import f32, f64

from .apply import call, convert, fail, normal_axis, number, promote, tensor
from .dtypes import as_dtype
from .numpy.creation import asarray
from .numpy.parts import by_part, conjugate_of, filled
from .numpy.ranges import arange
from .numpy.rearrange import roll
from .public import listing
from .tensor import Tensor

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip
__dir__ = listing(__name__)

_SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


# -- operands ----------------------------------------------------------------------------
def _operand(a: Any, name: str, kind: str) -> Value:
    """The operand as `complex` or `real` numbers of single or double precision."""
    found = promote(a, name=name, inexact=True)
    (x,) = found.values
    if kind == "real" and found.dtype.is_complex:
        fail(f"{name} takes real numbers, got {x.type.short}; take .real, or use the complex one")
    if found.dtype.is_float and found.dtype.bits == 16:
        x = convert(x, f32)
    return x


def _as_complex(x: Value) -> Value:
    return x if x.type.dtype.is_complex else call("complex", x, filled(0, x))


def _length(n: Any, default: int, name: str) -> int:
    wanted = default if n is None else int(n)
    if wanted < 1:
        fail(f"{name} needs at least one number to transform, got a length of {wanted}", ShapeError)
    return wanted


def _scaled(x: Value, norm: str | None, n: int, inverse: bool, name: str) -> Value:
    """The result divided by n, √n or nothing, as `norm` wants it."""
    kind = norm or "backward"
    if kind not in _SWAPPED:
        fail(f'{name}: norm is "backward", "ortho" or "forward", got {norm!r}')
    if inverse:
        kind = _SWAPPED[kind]
    if kind == "backward":
        return x
    factor = 1 / n if kind == "forward" else 1 / math.sqrt(n)

    def scale(part: Value) -> Value:
        return call("mul", part, filled(factor, part))

    return by_part(scale, x) if x.type.dtype.is_complex else scale(x)


def _fitted(x: Value, axis: int, n: int) -> Value:
    """The first n numbers along an axis, zeros where there are fewer."""
    have, rank = x.shape[axis], len(x.shape)
    if have > n:
        limit = tuple(n if k == axis else m for k, m in enumerate(x.shape))
        return call("slice", x, start=(0,) * rank, limit=limit, stride=(1,) * rank)
    if have == n:
        return x
    none = (0,) * rank
    high = tuple(n - have if k == axis else 0 for k in range(rank))
    return call("pad", x, number(0, x.type.dtype, True), low=none, high=high, interior=none)


def _along(op: str, x: Value, axis: int, **attrs: Any) -> Value:
    """The op along an axis, which is last only for its time."""
    rank = len(x.shape)
    if axis == rank - 1:
        return call(op, x, pairs=False, **attrs)
    order = (*(k for k in range(rank) if k != axis), axis)
    made = call(op, call("transpose", x, permutation=order), pairs=False, **attrs)
    return call("transpose", made, permutation=inverse_permutation(order))


# -- one axis ----------------------------------------------------------------------------
def _complex_transform(
    x: Value, n: Any, axis: int, norm: str | None, inverse: bool, name: str
) -> Value:
    k = normal_axis(axis, len(x.shape), name)
    count = _length(n, x.shape[k], name)
    made = _along("fft", _fitted(_as_complex(x), k, count), k, inverse=inverse)
    return _scaled(made, norm, count, inverse, name)


def _from_real(x: Value, n: Any, axis: int, norm: str | None, inverse: bool, name: str) -> Value:
    k = normal_axis(axis, len(x.shape), name)
    count = _length(n, x.shape[k], name)
    made = _along("rfft", _fitted(x, k, count), k)
    return _scaled(made, norm, count, inverse, name)


def _to_real(x: Value, n: Any, axis: int, norm: str | None, inverse: bool, name: str) -> Value:
    k = normal_axis(axis, len(x.shape), name)
    count = _length(n, 2 * (x.shape[k] - 1), name)
    half = _fitted(_as_complex(x), k, count // 2 + 1)
    return _scaled(_along("irfft", half, k, odd=bool(count % 2)), norm, count, inverse, name)


def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Tensor:
    """The discrete Fourier transform along an axis: Σ_j a_j exp(−2πi jk/n).

    >>> import lazir as lz
    >>> print(lz.fft.fft([1.0, 0.0, 0.0, 0.0]))
    [1.+0.j 1.+0.j 1.+0.j 1.+0.j]
    """
    return tensor(_complex_transform(_operand(a, "fft", "any"), n, axis, norm, False, "fft"))


def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Tensor:
    """The inverse of `fft`: Σ_k a_k exp(2πi jk/n) / n.

    >>> import lazir as lz
    >>> print(lz.fft.ifft([4.0, 0.0, 0.0, 0.0]))
    [1.+0.j 1.+0.j 1.+0.j 1.+0.j]
    """
    return tensor(_complex_transform(_operand(a, "ifft", "any"), n, axis, norm, True, "ifft"))


def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Tensor:
    """The first n/2 + 1 numbers of the transform of n real numbers; the others are conjugates.

    >>> import lazir as lz
    >>> print(lz.fft.rfft([1.0, 2.0, 3.0, 4.0]))
    [10.+0.j -2.+2.j -2.+0.j]
    """
    return tensor(_from_real(_operand(a, "rfft", "real"), n, axis, norm, False, "rfft"))


def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Tensor:
    """The inverse of `rfft`: n real numbers, 2(m − 1) by default.

    >>> import lazir as lz
    >>> print(lz.fft.irfft([10.0, -2 + 2j, -2.0]))
    [1. 2. 3. 4.]
    """
    return tensor(_to_real(_operand(a, "irfft", "any"), n, axis, norm, True, "irfft"))


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Tensor:
    """The real transform of numbers of which half are given, the others being conjugates.

    >>> import lazir as lz
    >>> print(lz.fft.hfft([1.0, 1j, 0.0]))
    [ 1.  3.  1. -1.]
    """
    x = conjugate_of(_as_complex(_operand(a, "hfft", "any")))
    return tensor(_to_real(x, n, axis, norm, False, "hfft"))


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Tensor:
    """The inverse of `hfft`.

    >>> import lazir as lz
    >>> print(lz.fft.ihfft([1.0, 3.0, 1.0, -1.0]))
    [1.-0.j 0.+1.j 0.-0.j]
    """
    made = _from_real(_operand(a, "ihfft", "real"), n, axis, norm, True, "ihfft")
    return tensor(conjugate_of(made))


# -- several axes ------------------------------------------------------------------------
def _lengths(
    x: Value, s: Sequence[int] | None, axes: Sequence[int] | None, name: str
) -> list[tuple[int | None, int]]:
    """A length (None: that of the operand) for each axis, in order."""
    rank = len(x.shape)
    if axes is None:
        places = list(range(rank)) if s is None else list(range(rank - len(s), rank))
    else:
        places = [normal_axis(a, rank, name) for a in axes]
    if not places:
        fail(f"{name} needs at least one axis, got {x.type.short}", ShapeError)
    sizes: list[int | None] = [None] * len(places) if s is None else [int(n) for n in s]
    if len(sizes) != len(places):
        fail(f"{name}: s has {len(sizes)} lengths for {len(places)} axes", ShapeError)
    return [(None if n == -1 else n, k) for n, k in zip(sizes, places)]


def _over_axes(a: Any, s: Any, axes: Any, norm: str | None, inverse: bool, name: str) -> Tensor:
    x = _operand(a, name, "any")
    for n, axis in reversed(_lengths(x, s, axes, name)):
        x = _complex_transform(x, n, axis, norm, inverse, name)
    return tensor(x)


def fftn(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = "backward",
) -> Tensor:
    """`fft` along several axes, all of them by default.

    >>> import lazir as lz
    >>> print(lz.fft.fftn([[1.0, 2.0], [3.0, 4.0]]))
    [[10.+0.j -2.+0.j]
     [-4.+0.j  0.+0.j]]
    """
    return _over_axes(a, s, axes, norm, False, "fftn")


def ifftn(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = "backward",
) -> Tensor:
    """The inverse of `fftn`.

    >>> import lazir as lz
    >>> print(lz.fft.ifftn([[4.0, 0.0], [0.0, 0.0]]))
    [[1.+0.j 1.+0.j]
     [1.+0.j 1.+0.j]]
    """
    return _over_axes(a, s, axes, norm, True, "ifftn")


def rfftn(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = "backward",
) -> Tensor:
    """`rfft` along the last of several axes, then `fft` along the others.

    >>> import lazir as lz
    >>> lz.fft.rfftn([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).shape
    (2, 2)
    """
    x = _operand(a, "rfftn", "real")
    *others, (n, last) = _lengths(x, s, axes, "rfftn")
    x = _from_real(x, n, last, norm, False, "rfftn")
    for n, axis in reversed(others):
        x = _complex_transform(x, n, axis, norm, False, "rfftn")
    return tensor(x)


def irfftn(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = "backward",
) -> Tensor:
    """The inverse of `rfftn`: `ifft` along all axes but the last, then `irfft` along that.

    >>> import lazir as lz
    >>> print(lz.fft.irfftn(lz.fft.rfftn([[1.0, 2.0], [3.0, 4.0]])))
    [[1. 2.]
     [3. 4.]]
    """
    x = _operand(a, "irfftn", "any")
    *others, (n, last) = _lengths(x, s, axes, "irfftn")
    for length, axis in others:
        x = _complex_transform(x, length, axis, norm, True, "irfftn")
    return tensor(_to_real(x, n, last, norm, True, "irfftn"))


def fft2(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = "backward",
) -> Tensor:
    """`fftn` along the last two axes.

    >>> import lazir as lz
    >>> lz.fft.fft2([[1.0, 2.0], [3.0, 4.0]])[0, 0].item()
    (10+0j)
    """
    return _over_axes(a, s, axes, norm, False, "fft2")


def ifft2(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = "backward",
) -> Tensor:
    """`ifftn` along the last two axes.

    >>> import lazir as lz
    >>> lz.fft.ifft2([[4.0, 0.0], [0.0, 0.0]])[1, 1].item()
    (1+0j)
    """
    return _over_axes(a, s, axes, norm, True, "ifft2")


def rfft2(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = "backward",
) -> Tensor:
    """`rfftn` along the last two axes.

    >>> import lazir as lz
    >>> lz.fft.rfft2([[1.0, 2.0], [3.0, 4.0]])[0, 0].item()
    (10+0j)
    """
    return rfftn(a, s, axes, norm)


def irfft2(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = "backward",
) -> Tensor:
    """`irfftn` along the last two axes.

    >>> import lazir as lz
    >>> print(lz.fft.irfft2([[4.0, 0.0], [0.0, 0.0]]))
    [[1. 1.]
     [1. 1.]]
    """
    return irfftn(a, s, axes, norm)


# -- frequencies -------------------------------------------------------------------------
def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the results of `fft` of n numbers a distance d apart, in cycles per unit.

    >>> import lazir as lz
    >>> print(lz.fft.fftfreq(4))
    [ 0.    0.25 -0.5  -0.25]
    """
    places = arange(n, device=device)
    below = places - n * (places >= (n + 1) // 2)
    return below.astype(_frequency_type(dtype)) / (n * d)


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the results of `rfft` of n numbers a distance d apart.

    >>> import lazir as lz
    >>> print(lz.fft.rfftfreq(4))
    [0.   0.25 0.5 ]
    """
    return arange(n // 2 + 1, device=device).astype(_frequency_type(dtype)) / (n * d)


def _frequency_type(dtype: Any) -> Any:
    wanted = f32 if dtype is None else as_dtype(dtype)
    if wanted not in (f32, f64):
        fail(f"frequencies are float32 or float64, not {wanted}")
    return wanted


def _shifted(x: Any, axes: Any, name: str, back: bool) -> Tensor:
    held = asarray(x)
    rank = len(held.shape)
    given = range(rank) if axes is None else (axes,) if isinstance(axes, int) else axes
    places = [normal_axis(a, rank, name) for a in given]
    steps = [held.shape[k] // 2 for k in places]
    return roll(held, tuple(-n for n in steps) if back else tuple(steps), tuple(places))


def fftshift(x: Any, axes: int | Sequence[int] | None = None) -> Tensor:
    """The results of `fft` with frequency 0 in the middle.

    >>> import lazir as lz
    >>> print(lz.fft.fftshift([0, 1, 2, -2, -1]))
    [-2 -1  0  1  2]
    """
    return _shifted(x, axes, "fftshift", False)


def ifftshift(x: Any, axes: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of `fftshift`.

    >>> import lazir as lz
    >>> print(lz.fft.ifftshift([-2, -1, 0, 1, 2]))
    [ 0  1  2 -2 -1]
    """
    return _shifted(x, axes, "ifftshift", True)
