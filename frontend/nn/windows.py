"""Convolution and pooling with PyTorch's names and defaults.

Takes: tensors of layout batch, channels, space (`layout="NHWC"`: channels last). Gives: tensors.
Must not know: how windows are computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from ..apply import Operand, call, expand, fail, lift, number, operand, promote, tensor
from ..dtypes import result_dtype
from ..tensor import Tensor


def _each(x: Any, rank: int, what: str) -> tuple[int, ...]:
    """One entry per spatial axis, from a number or a sequence."""
    if isinstance(x, int):
        return (x,) * rank
    found = tuple(int(n) for n in x)
    if len(found) != rank:
        fail(f"{what} needs {rank} entries, got {found}", ShapeError)
    return found


def _padding(padding: Any, window: Sequence[int], step: Sequence[int], stride: Sequence[int],
             rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:  # fmt: skip
    if padding == "valid":
        return (0,) * rank, (0,) * rank
    if padding == "same":
        if any(s != 1 for s in stride):
            fail("padding='same' needs stride 1")
        total = [(k - 1) * s for k, s in zip(window, step)]
        return tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    if isinstance(padding, str):
        fail(f"padding is a number, a sequence, 'same' or 'valid', got {padding!r}")
    widths = _each(padding, rank, "padding")
    return widths, widths


def _layouts(rank: int, layout: str | None, groups: int) -> tuple[str, str]:
    """The layout of signal and result, with the group axis before the channels, and the
    kernel's.
    """
    digits = "".join(map(str, range(rank)))
    last = layout is not None and layout[-1] == "C"
    channels = "gc" if groups > 1 else "c"
    signal = "n" + digits + channels if last else "n" + channels + digits
    return signal, ("g" if groups > 1 else "") + "oi" + digits


def _grouped(v: Value, layout: str, groups: int) -> Value:
    """The channel axis of a signal split into groups."""
    if groups == 1:
        return v
    k = layout.index("g")
    n = v.shape[k]
    if n % groups:
        fail(f"conv: {n} channels do not divide into {groups} groups", ShapeError)
    return call("reshape", v, shape=(*v.shape[:k], groups, n // groups, *v.shape[k + 1 :]))


def _ungrouped(v: Value, layout: str, groups: int) -> Value:
    if groups == 1:
        return v
    k = layout.index("g")
    shape = (*v.shape[:k], v.shape[k] * v.shape[k + 1], *v.shape[k + 2 :])
    return call("reshape", v, shape=shape)


def _with_bias(v: Value, bias: Any, layout: str) -> Tensor:
    if bias is None:
        return tensor(v)
    b = lift(operand(bias), v.type.dtype)
    k = layout.replace("g", "").index("c")
    return tensor(call("add", v, call("broadcast", b, shape=v.shape, axes=(k,))))


def _conv(
    rank: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    layout: str | None,
) -> Tensor:
    found = [operand(x), operand(weight)]
    if len(found[0].shape) != rank + 2 or len(found[1].shape) != rank + 2:
        shapes = (
            f"{found[0].dtype}{list(found[0].shape)} and {found[1].dtype}{list(found[1].shape)}"
        )
        fail(f"conv{rank}d needs signal and kernel of {rank + 2} axes, got {shapes}", ShapeError)
    dtype = _common(found)
    signal, kernel = (lift(o, dtype) for o in found)
    axes, weights = _layouts(rank, layout, groups)
    steps = _each(stride, rank, "stride")
    gaps = _each(dilation, rank, "dilation")
    low, high = _padding(padding, kernel.shape[2:], gaps, steps, rank)
    if groups > 1:
        if kernel.shape[0] % groups:
            fail(f"conv: {kernel.shape[0]} kernels do not divide into {groups} groups", ShapeError)
        kernel = call(
            "reshape", kernel, shape=(groups, kernel.shape[0] // groups, *kernel.shape[1:])
        )
    out = call(
        "conv", _grouped(signal, axes, groups), kernel, lhs=axes, rhs=weights, out=axes,
        stride=steps, low=low, high=high, lhs_dilation=(1,) * rank, rhs_dilation=gaps,
    )  # fmt: skip
    return _with_bias(_ungrouped(out, axes, groups), bias, axes)


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
) -> Tensor:
    """The convolution of signals (n, c, w) with kernels (out, c / groups, k).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.conv1d(lnp.ones((1, 2, 8)), lnp.ones((3, 2, 3))).shape
    (1, 3, 6)
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups, layout)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
) -> Tensor:
    """The convolution of images (n, c, h, w) with kernels (out, c / groups, kh, kw).

    `padding`: zeros on both sides, or "same" or "valid". `layout="NHWC"`: images with channels
    last.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.conv2d(lnp.ones((1, 2, 8, 8)), lnp.ones((3, 2, 3, 3)), padding=1).shape
    (1, 3, 8, 8)
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups, layout)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    layout: str | None = None,
) -> Tensor:
    """The convolution of volumes (n, c, d, h, w) with kernels (out, c / groups, kd, kh, kw).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.conv3d(lnp.ones((1, 1, 4, 4, 4)), lnp.ones((2, 1, 2, 2, 2))).shape
    (1, 2, 3, 3, 3)
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups, layout)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
) -> Tensor:
    """The adjoint of conv2d in its signal; kernels have the shape (in, out, kh, kw).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> f = lz.nn.functional.conv_transpose2d
    >>> f(lnp.ones((1, 2, 4, 4)), lnp.ones((2, 3, 2, 2)), stride=2).shape
    (1, 3, 8, 8)
    """
    found = [operand(input), operand(weight)]
    dtype = _common(found)
    signal, kernel = (lift(o, dtype) for o in found)
    steps, gaps = _each(stride, 2, "stride"), _each(dilation, 2, "dilation")
    widths, extra = _each(padding, 2, "padding"), _each(output_padding, 2, "output_padding")
    reach = [g * (k - 1) for g, k in zip(gaps, kernel.shape[2:])]
    low = tuple(r - p for r, p in zip(reach, widths))
    high = tuple(r - p + e for r, p, e in zip(reach, widths, extra))
    flipped = call("reverse", kernel, axes=(2, 3))
    out = call(
        "conv", signal, flipped, lhs="nc01", rhs="io01", out="nc01", stride=(1, 1), low=low,
        high=high, lhs_dilation=steps, rhs_dilation=gaps,
    )  # fmt: skip
    return _with_bias(out, bias, "nc01")


def _common(found: Sequence[Operand]) -> DType:
    return result_dtype([o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak])[
        0
    ]


# -- pooling -----------------------------------------------------------------------------
def _pool(rank: int, op: str, x: Any, window: Any, stride: Any, padding: Any, dilation: Any,
          ceil_mode: bool = False) -> Value:  # fmt: skip
    v = lift(operand(x))
    if len(v.shape) not in (rank + 1, rank + 2):
        fail(f"pooling over {rank} axes needs {rank + 1} or {rank + 2}, got {v.type.short}",
             ShapeError)  # fmt: skip
    lead = len(v.shape) - rank
    sizes = _each(window, rank, "kernel_size")
    steps = sizes if stride is None else _each(stride, rank, "stride")
    widths = _each(padding, rank, "padding")
    gaps = _each(dilation, rank, "dilation")
    if any(2 * p > k for p, k in zip(widths, sizes)):
        fail(f"pooling: padding {widths} is more than half of the window {sizes}", ShapeError)
    high = widths
    if ceil_mode:
        high = tuple(
            p + (-(n + 2 * p - g * (k - 1) - 1) % s)
            for p, n, g, k, s in zip(widths, v.shape[lead:], gaps, sizes, steps)
        )
    ones, zeros = (1,) * lead, (0,) * lead
    return call(
        "reduce_window", v, op=op, window=ones + sizes, stride=ones + steps, low=zeros + widths,
        high=zeros + high, base_dilation=(1,) * len(v.shape), window_dilation=ones + gaps,
    )  # fmt: skip


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest of each window along the last axis.

    >>> import lazir as lz
    >>> print(lz.nn.functional.max_pool1d(lz.Tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2))
    [[[3. 2.]]]
    """
    return tensor(_pool(1, "max", input, kernel_size, stride, padding, dilation, ceil_mode))


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest of each window over the last two axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.max_pool2d(lnp.ones((1, 2, 8, 8)), 2).shape
    (1, 2, 4, 4)
    """
    return tensor(_pool(2, "max", input, kernel_size, stride, padding, dilation, ceil_mode))


def _average(rank: int, x: Any, window: Any, stride: Any, padding: Any, include: bool) -> Tensor:
    v = promote(x, inexact=True).values[0]
    total = _pool(rank, "sum", tensor(v), window, stride, padding, 1)
    sizes = _each(window, rank, "kernel_size")
    if include or not any(_each(padding, rank, "padding")):
        count = expand(number(math.prod(sizes), v.type.dtype, structural=True), total.shape)
    else:
        ones = expand(number(1, v.type.dtype, structural=True), v.shape)
        count = _pool(rank, "sum", tensor(ones), window, stride, padding, 1)
    return tensor(call("div", total, count))


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window along the last axis.

    >>> import lazir as lz
    >>> print(lz.nn.functional.avg_pool1d(lz.Tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2))
    [[[2. 1.]]]
    """
    return _average(1, input, kernel_size, stride, padding, count_include_pad)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window over the last two axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.avg_pool2d(lnp.ones((1, 2, 8, 8)), 2).shape
    (1, 2, 4, 4)
    """
    return _average(2, input, kernel_size, stride, padding, count_include_pad)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """Means over windows such that the result has `output_size`, which must divide the input's.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.adaptive_avg_pool2d(lnp.ones((1, 2, 8, 8)), 1).shape
    (1, 2, 1, 1)
    """
    sizes = _each(output_size, 2, "output_size")
    space = operand(input).shape[-2:]
    if any(n % s for n, s in zip(space, sizes)):
        fail(f"adaptive_avg_pool2d: {sizes} does not divide the image {space}", ShapeError)
    return avg_pool2d(input, tuple(n // s for n, s in zip(space, sizes)))
