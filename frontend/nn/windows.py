"""Convolution and its adjoint, patches and their sums: PyTorch's names and defaults.

Takes: tensors of layout batch, channels, space (`layout="NHWC"`: channels last); the batch axis may
be missing. Gives: tensors. Must not know: how windows are computed. Written once for any number of
spatial axes; `of_rank` makes the functions that have it in their names.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from .. import numpy as lnp
from ..apply import Operand, call, fail, lift, operand, tensor
from ..dtypes import result_dtype
from ..tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def of_rank(
    rank: int, function: Callable[Concatenate[int, P], R], name: str, doc: str
) -> Callable[P, R]:
    """A function of so many spatial axes, from one whose first argument says how many."""

    def made(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(rank, *args, **kwargs)

    functools.update_wrapper(made, function)
    del made.__wrapped__  # type: ignore[attr-defined]
    made.__name__ = made.__qualname__ = name
    made.__doc__ = doc
    made.__annotations__ = {k: v for k, v in made.__annotations__.items() if k != "rank"}
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.name != "rank"]
    made.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return made


def each(x: Any, rank: int, what: str) -> tuple[int, ...]:
    """One entry for each spatial axis, from a number or a sequence."""
    if isinstance(x, int):
        return (x,) * rank
    found = tuple(int(n) for n in x)
    if len(found) == 1:
        return found * rank
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
    widths = each(padding, rank, "padding")
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


def _split(v: Value, axis: int, groups: int, what: str) -> Value:
    """An axis of a value split into groups and what is in a group."""
    n = v.shape[axis]
    if n % groups:
        fail(f"conv: {n} {what} do not divide into {groups} groups", ShapeError)
    return call("reshape", v, shape=(*v.shape[:axis], groups, n // groups, *v.shape[axis + 1 :]))


def _grouped(v: Value, layout: str, groups: int) -> Value:
    """The channel axis of a signal split into groups."""
    return v if groups == 1 else _split(v, layout.index("g"), groups, "channels")


def _ungrouped(v: Value, layout: str, groups: int) -> Value:
    if groups == 1:
        return v
    k = layout.index("g")
    shape = (*v.shape[:k], v.shape[k] * v.shape[k + 1], *v.shape[k + 2 :])
    return call("reshape", v, shape=shape)


def _with_bias(v: Value, bias: Any, layout: str) -> Value:
    if bias is None:
        return v
    b = lift(operand(bias), v.type.dtype)
    k = layout.replace("g", "").index("c")
    return call("add", v, call("broadcast", b, shape=v.shape, axes=(k,)))


def _common(found: Sequence[Operand]) -> DType:
    return result_dtype([o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak])[
        0
    ]


def _operands(rank: int, what: str, x: Any, weight: Any) -> tuple[Value, Value, bool]:
    """Signal and kernel in one dtype, and whether the signal came without a batch axis."""
    found = [operand(x), operand(weight)]
    alone = len(found[0].shape) == rank + 1
    if (len(found[0].shape) != rank + 2 and not alone) or len(found[1].shape) != rank + 2:
        shapes = " and ".join(f"{o.dtype}{list(o.shape)}" for o in found)
        fail(f"{what}{rank}d needs signal and kernel of {rank + 2} axes, got {shapes}", ShapeError)
    dtype = _common(found)
    signal, kernel = (lift(o, dtype) for o in found)
    if alone:
        signal = call("reshape", signal, shape=(1, *signal.shape))
    return signal, kernel, alone


def _single(v: Value, alone: bool) -> Tensor:
    return tensor(call("reshape", v, shape=v.shape[1:]) if alone else v)


def _conv(
    rank: int,
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
    signal, kernel, alone = _operands(rank, "conv", input, weight)
    axes, weights = _layouts(rank, layout, groups)
    steps = each(stride, rank, "stride")
    gaps = each(dilation, rank, "dilation")
    low, high = _padding(padding, kernel.shape[2:], gaps, steps, rank)
    if groups > 1:
        kernel = _split(kernel, 0, groups, "kernels")
    out = call(
        "conv", _grouped(signal, axes, groups), kernel, lhs=axes, rhs=weights, out=axes,
        stride=steps, low=low, high=high, lhs_dilation=(1,) * rank, rhs_dilation=gaps,
    )  # fmt: skip
    return _single(_with_bias(_ungrouped(out, axes, groups), bias, axes), alone)


def _conv_transpose(
    rank: int,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    signal, kernel, alone = _operands(rank, "conv_transpose", input, weight)
    steps, gaps = each(stride, rank, "stride"), each(dilation, rank, "dilation")
    widths = each(padding, rank, "padding")
    extra = each(output_padding, rank, "output_padding")
    if any(e >= max(s, g) for e, s, g in zip(extra, steps, gaps)):
        fail(f"output_padding {extra} must be below stride {steps} or dilation {gaps}", ShapeError)
    reach = [g * (k - 1) for g, k in zip(gaps, kernel.shape[2:])]
    low = tuple(r - p for r, p in zip(reach, widths))
    high = tuple(r - p + e for r, p, e in zip(reach, widths, extra))
    axes, _ = _layouts(rank, None, groups)
    turned = call("reverse", kernel, axes=tuple(range(2, rank + 2)))
    if groups > 1:
        turned = _split(turned, 0, groups, "channels")
    digits = "".join(map(str, range(rank)))
    out = call(
        "conv", _grouped(signal, axes, groups), turned, lhs=axes,
        rhs=("g" if groups > 1 else "") + "io" + digits, out=axes, stride=(1,) * rank, low=low,
        high=high, lhs_dilation=steps, rhs_dilation=gaps,
    )  # fmt: skip
    return _single(_with_bias(_ungrouped(out, axes, groups), bias, axes), alone)


_CONV = """The convolution of {what} with kernels (out, c / groups, …), as PyTorch has it.

    `padding`: zeros on both sides, or "same" or "valid"; `layout="N…C"`: channels last.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.conv{rank}d(lnp.ones((1, 2, {sizes})), lnp.ones((3, 2, {window}))).shape
    (1, 3, {out})
    """
_TRANSPOSED = """The adjoint of conv{rank}d in its signal; kernels are (in, out / groups, …).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> f = lz.nn.functional.conv_transpose{rank}d
    >>> f(lnp.ones((1, 2, {sizes})), lnp.ones((2, 3, {window})), stride=2).shape
    (1, 3, {out})
    """
_WHAT = {1: "signals (n, c, w)", 2: "images (n, c, h, w)", 3: "volumes (n, c, d, h, w)"}


def _doc(template: str, rank: int, size: int, window: int, out: int) -> str:
    sizes, windows, outs = (", ".join([str(n)] * rank) for n in (size, window, out))
    return template.format(what=_WHAT[rank], rank=rank, sizes=sizes, window=windows, out=outs)


conv1d = of_rank(1, _conv, "conv1d", _doc(_CONV, 1, 8, 3, 6))
conv2d = of_rank(2, _conv, "conv2d", _doc(_CONV, 2, 8, 3, 6))
conv3d = of_rank(3, _conv, "conv3d", _doc(_CONV, 3, 4, 2, 3))
conv_transpose1d = of_rank(1, _conv_transpose, "conv_transpose1d", _doc(_TRANSPOSED, 1, 4, 2, 8))
conv_transpose2d = of_rank(2, _conv_transpose, "conv_transpose2d", _doc(_TRANSPOSED, 2, 4, 2, 8))
conv_transpose3d = of_rank(3, _conv_transpose, "conv_transpose3d", _doc(_TRANSPOSED, 3, 2, 2, 4))


# -- patches -----------------------------------------------------------------------------
def _places(size: int, kernel: int, dilation: int, padding: int, stride: int) -> Any:
    """Positions along a padded axis: a row for each place of the kernel, a column a window."""
    count = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    if count < 1:
        fail(f"a window of {kernel} does not fit into {size} padded by {padding}", ShapeError)
    return np.arange(kernel)[:, None] * dilation + np.arange(count) * stride


def _grid(shape: Sequence[int], kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """Row and column positions of all patches, for one gather; the padding of each axis."""
    sizes, gaps = each(kernel_size, 2, "kernel_size"), each(dilation, 2, "dilation")
    widths, steps = each(padding, 2, "padding"), each(stride, 2, "stride")
    rows, columns = (_places(*a) for a in zip(shape, sizes, gaps, widths, steps))
    places = np.broadcast_arrays(rows[:, None, :, None], columns[None, :, None, :])
    return [p.reshape(math.prod(sizes), -1) for p in places], widths


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The patches of images (n, c, h, w) as columns: (n, c · kh · kw, number of patches).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.unfold(lnp.ones((1, 2, 5, 5)), 3).shape
    (1, 18, 9)
    """
    shape = operand(input).shape
    if len(shape) != 4:
        fail(f"unfold needs images of 4 axes, got shape {shape}", ShapeError)
    (rows, columns), widths = _grid(shape[2:], kernel_size, dilation, padding, stride)
    padded = lnp.pad(input, [(0, 0), (0, 0), *[(w, w) for w in widths]])
    patches = padded[:, :, rows, columns]
    return patches.reshape(shape[0], shape[1] * rows.shape[0], rows.shape[1])


def fold(
    input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Tensor:  # fmt: skip
    """Columns of patches summed into images, the adjoint of unfold.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.fold(lnp.ones((1, 18, 9)), (5, 5), 3).shape
    (1, 2, 5, 5)
    """
    shape = operand(input).shape
    space = each(output_size, 2, "output_size")
    (rows, columns), widths = _grid(space, kernel_size, dilation, padding, stride)
    if len(shape) != 3 or shape[1] % rows.shape[0] or shape[2] != rows.shape[1]:
        fail(
            f"fold to {space} needs columns (n, {rows.shape[0]} · c, {rows.shape[1]}), "
            f"got shape {shape}", ShapeError,
        )  # fmt: skip
    n, channels = shape[0], shape[1] // rows.shape[0]
    patches = lnp.reshape(input, (n, channels, *rows.shape))
    full = [s + 2 * w for s, w in zip(space, widths)]
    sums = lnp.zeros((n, channels, *full), patches._dtype).at[:, :, rows, columns].add(patches)
    inside = [slice(w, w + s) for s, w in zip(space, widths)]
    image: Tensor = sums[:, :, inside[0], inside[1]]
    return image
