"""`jax.lax`'s products and convolutions, with its dimension numbers.

Takes: tensors. Gives: tensors. Must not know: how products are computed.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, NamedTuple

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from ..apply import call, fail, lift, operand, tensor
from ..dtypes import as_dtype, result_dtype
from ..tensor import Tensor
from .ordered import pads


class ConvDimensionNumbers(NamedTuple):
    """Where the axes are: signal (batch, features, space…), kernel (features out, in, space…),
    result as the signal."""

    lhs_spec: tuple[int, ...]
    rhs_spec: tuple[int, ...]
    out_spec: tuple[int, ...]


def _pair(lhs: Any, rhs: Any, wanted: Any) -> list[Value]:
    """Both operands in their common dtype, or that of the result."""
    found = [operand(lhs), operand(rhs)]
    strong, weak = ([o.dtype for o in found if o.weak == loose] for loose in (False, True))
    dtype = result_dtype(strong, weak)[0] if wanted is None else as_dtype(wanted)
    return [lift(o, dtype) for o in found]


class Precision(enum.Enum):
    """JAX's wishes for products. All are met: f32 products sum in f32, whichever is asked for."""

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2


def dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: Any,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Tensor:
    """Sums of products: `dimension_numbers` is ((axes summed over in lhs, in rhs), (batch axes of
    lhs, of rhs)). The result has the batch axes, then what is left of lhs, then of rhs.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> a, b = lnp.ones((2, 3)), lnp.ones((3, 4))
    >>> lz.lax.dot_general(a, b, (((1,), (0,)), ((), ()))).shape
    (2, 4)
    """
    (contract, batch) = dimension_numbers
    left, right = _pair(lhs, rhs, preferred_element_type)
    axes = {
        "lhs_contracting": contract[0], "rhs_contracting": contract[1],
        "lhs_batch": batch[0], "rhs_batch": batch[1],
    }  # fmt: skip
    attrs = {
        k: tuple(int(a) % len((left if k[0] == "l" else right).shape) for a in v)
        for k, v in axes.items()
    }
    return tensor(call("dot_general", left, right, **attrs))


def dot(
    lhs: Any,
    rhs: Any,
    *,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Tensor:
    """The product of vectors and matrices; with dimension numbers as `dot_general`.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.dot(lnp.ones(3), lnp.ones(3)).item()
    3.0
    """
    if dimension_numbers is None:
        ranks = len(operand(lhs).shape), len(operand(rhs).shape)
        if any(r not in (1, 2) for r in ranks):
            fail(f"dot takes vectors and matrices, got ranks {ranks}", ShapeError)
        dimension_numbers = (((ranks[0] - 1,), (0,)), ((), ()))
    return dot_general(lhs, rhs, dimension_numbers, precision, preferred_element_type)


def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Tensor:
    """The products of two stacks of matrices.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.batch_matmul(lnp.ones((5, 2, 3)), lnp.ones((5, 3, 4))).shape
    (5, 2, 4)
    """
    rank = len(operand(lhs).shape)
    if rank < 2 or rank != len(operand(rhs).shape):
        fail("batch_matmul takes two stacks of matrices of the same rank", ShapeError)
    lead = tuple(range(rank - 2))
    return dot_general(lhs, rhs, (((rank - 1,), (rank - 2,)), (lead, lead)))


# -- convolutions ----------------------------------------------------------------------------
def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: Any
) -> ConvDimensionNumbers:
    """Dimension numbers from strings such as ("NHWC", "HWIO", "NHWC"), or None for channels first.

    >>> import lazir as lz
    >>> lz.lax.conv_dimension_numbers((1, 8, 8, 3), (3, 3, 3, 4), ("NHWC", "HWIO", "NHWC")).lhs_spec
    (0, 3, 1, 2)
    """
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    rank = len(lhs_shape)
    if dimension_numbers is None:
        plain = tuple(range(rank))
        return ConvDimensionNumbers(plain, plain, plain)
    if not isinstance(dimension_numbers, tuple | list) or len(dimension_numbers) != 3:
        fail(f"dimension_numbers are three, of signal, kernel and result: {dimension_numbers!r}")
    if not isinstance(dimension_numbers[0], str):
        return ConvDimensionNumbers(*(tuple(map(int, part)) for part in dimension_numbers))
    lhs, rhs, out = dimension_numbers
    if any(len(text) != rank or len(set(text)) != rank for text in (lhs, rhs, out)):
        fail(f"dimension_numbers {dimension_numbers} need {rank} different letters each")
    space = [c for c in rhs if c not in "OI"]
    if any(set(text) != {*head, *space} for text, head in ((lhs, "NC"), (rhs, "OI"), (out, "NC"))):
        fail(f"dimension_numbers {dimension_numbers} name different axes")
    return ConvDimensionNumbers(
        tuple(lhs.index(c) for c in ("N", "C", *space)),
        tuple(rhs.index(c) for c in ("O", "I", *space)),
        tuple(out.index(c) for c in ("N", "C", *space)),
    )


def _layout(spec: Sequence[int], first: str, second: str) -> str:
    letters = [first, second, *map(str, range(len(spec) - 2))]
    return "".join(letter for _, letter in sorted(zip(spec, letters)))


def _split_axis(x: Value, axis: int, groups: int, what: str) -> Value:
    """An axis as two: groups, and what is in one."""
    n = x.shape[axis]
    if n % groups:
        fail(f"{what}: {n} do not divide into {groups} groups", ShapeError)
    return call("reshape", x, shape=(*x.shape[:axis], groups, n // groups, *x.shape[axis + 1 :]))


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Tensor:
    """The convolution of a signal with a kernel, any layout, stride, padding and dilation.

    `padding` is "VALID", "SAME" or a pair for each spatial axis. With `feature_group_count` the
    channels, with `batch_group_count` the examples are in groups that meet kernels of their own.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> x, w = lnp.ones((1, 8, 8, 3)), lnp.ones((3, 3, 3, 4))
    >>> layout = ("NHWC", "HWIO", "NHWC")
    >>> lz.lax.conv_general_dilated(x, w, (2, 2), "SAME", dimension_numbers=layout).shape
    (1, 4, 4, 4)
    """
    signal, kernel = _pair(lhs, rhs, preferred_element_type)
    if len(signal.shape) != len(kernel.shape) or len(signal.shape) < 2:
        fail(f"conv of {signal.type.short} and {kernel.type.short}: ranks differ", ShapeError)
    if feature_group_count > 1 and batch_group_count > 1:
        fail("conv has groups of features or of the batch, not both")
    spec = conv_dimension_numbers(signal.shape, kernel.shape, dimension_numbers)
    rank = len(signal.shape) - 2
    stride = tuple(map(int, window_strides))
    base, gaps = (
        (1,) * rank if v is None else tuple(map(int, v)) for v in (lhs_dilation, rhs_dilation)
    )
    sizes = [(signal.shape[a] - 1) * b + 1 for a, b in zip(spec.lhs_spec[2:], base)]
    spans = [(kernel.shape[a] - 1) * g + 1 for a, g in zip(spec.rhs_spec[2:], gaps)]
    low, high = pads(padding, sizes, spans, stride)
    layouts = [
        _layout(spec.lhs_spec, "n", "c"),
        _layout(spec.rhs_spec, "o", "i"),
        _layout(spec.out_spec, "n", "c"),
    ]
    groups = max(feature_group_count, batch_group_count)
    if groups > 1:
        of_batch = batch_group_count > 1
        signal = _split_axis(signal, spec.lhs_spec[0 if of_batch else 1], groups, "conv")
        kernel = _split_axis(kernel, spec.rhs_spec[0], groups, "conv")
        grouped = layouts[0].replace("n", "gn") if of_batch else layouts[0].replace("c", "gc")
        layouts = [grouped, layouts[1].replace("o", "go"), layouts[2].replace("c", "gc")]
    out = call(
        "conv", signal, kernel, lhs=layouts[0], rhs=layouts[1], out=layouts[2], stride=stride,
        low=low, high=high, lhs_dilation=base, rhs_dilation=gaps,
    )  # fmt: skip
    if groups > 1:
        k = layouts[2].index("g")
        shape = (*out.shape[:k], out.shape[k] * out.shape[k + 1], *out.shape[k + 2 :])
        out = call("reshape", out, shape=shape)
    return tensor(out)


def conv(
    lhs: Any, rhs: Any, window_strides: Sequence[int], padding: Any, precision: Any = None,
    preferred_element_type: Any = None,
) -> Tensor:  # fmt: skip
    """The convolution of signals (n, c, …) with kernels (out, c, …).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.conv(lnp.ones((1, 2, 8)), lnp.ones((3, 2, 3)), (1,), "VALID").shape
    (1, 3, 6)
    """
    return conv_general_dilated(
        lhs, rhs, window_strides, padding, preferred_element_type=preferred_element_type
    )


def conv_with_general_padding(
    lhs: Any, rhs: Any, window_strides: Sequence[int], padding: Any,
    lhs_dilation: Sequence[int] | None = None, rhs_dilation: Sequence[int] | None = None,
    precision: Any = None, preferred_element_type: Any = None,
) -> Tensor:  # fmt: skip
    """The same with dilations.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> f = lz.lax.conv_with_general_padding
    >>> f(lnp.ones((1, 2, 8)), lnp.ones((3, 2, 3)), (1,), [(1, 1)], None, (2,)).shape
    (1, 3, 6)
    """
    return conv_general_dilated(
        lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation,
        preferred_element_type=preferred_element_type,
    )  # fmt: skip


def conv_transpose(
    lhs: Any,
    rhs: Any,
    strides: Sequence[int],
    padding: Any,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    transpose_kernel: bool = False,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Tensor:
    """The convolution that undoes the shape of a strided one: the signal is spread by `strides`.

    `dimension_numbers` are channels last by default. `transpose_kernel` turns the kernel round and
    exchanges its features, which makes it the adjoint of the strided convolution.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.lax.conv_transpose(lnp.ones((1, 4, 2)), lnp.ones((3, 2, 5)), (2,), "SAME").shape
    (1, 8, 5)
    """
    rank = len(operand(lhs).shape) - 2
    if dimension_numbers is None:
        if rank not in (1, 2, 3):
            fail(f"conv_transpose of {rank} spatial axes needs dimension_numbers")
        space = "DHW"[-rank:] if rank > 1 else "W"
        dimension_numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
    spec = conv_dimension_numbers(operand(lhs).shape, operand(rhs).shape, dimension_numbers)
    gaps = (1,) * rank if rhs_dilation is None else tuple(map(int, rhs_dilation))
    spans = [(operand(rhs).shape[a] - 1) * g + 1 for a, g in zip(spec.rhs_spec[2:], gaps)]
    if isinstance(padding, str):
        pairs = [_transposed_padding(k, s, padding) for k, s in zip(spans, strides)]
    else:
        pairs = list(padding)
    if transpose_kernel:
        flipped = call("reverse", _pair(lhs, rhs, None)[1], axes=spec.rhs_spec[2:])
        rhs = tensor(flipped)
        out, into, *space_axes = spec.rhs_spec
        spec = spec._replace(rhs_spec=(into, out, *space_axes))
    return conv_general_dilated(
        lhs, rhs, (1,) * rank, pairs, strides, gaps, spec,
        preferred_element_type=preferred_element_type,
    )  # fmt: skip


def _transposed_padding(span: int, stride: int, padding: str) -> tuple[int, int]:
    """The padding for which the shapes of the strided convolution are undone."""
    name = padding.upper()
    if name == "SAME":
        total = span + stride - 2
        low = span - 1 if stride > span - 1 else -(-total // 2)
        return low, total - low
    if name != "VALID":
        fail(f"padding is 'VALID', 'SAME' or pairs, got {padding!r}")
    return span - 1, span + stride - 2 + max(span - stride, 0) - (span - 1)
