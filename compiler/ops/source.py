"""Ops without operands: small constants and index ramps.

Takes: dtypes, shapes, data. Gives: `constant`, `iota`, and `full` (a broadcast constant).
Must not know: what reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..mlir.ir import Dense
from ..opdef import OPS, Array, Attrs, OpDef, Pair, Part, Types, define
from ..types import FLOATS, INTEGERS, REAL, DType, TensorType, bf16
from . import draws
from .families import require, require_shape

CONSTANT_BYTES = 1024
"""The largest constant a Graph may hold; a larger one is an input that the Program binds."""


def bf16_values(bits: Array) -> Array:
    """The float32 values of bf16 bit patterns (uint16): the high half of an f32."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def bf16_bits(values: Array) -> Array:
    """float32 values rounded to nearest even bf16, as uint16 bits; NaN stays a (quiet) NaN."""
    with np.errstate(all="ignore"):
        bits = np.asarray(values, np.float32).view(np.uint32)
    rounded = ((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> 16).astype(
        np.uint16
    )
    return np.where(np.isnan(values), np.uint16(0x7FC0) | (bits >> 16).astype(np.uint16), rounded)


def _unbatched(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    return node.results, [None] * len(node.types)


def _constant_infer(types: Types, attrs: Attrs) -> Types:
    value = attrs["value"]
    require(isinstance(value, Dense), "constant needs an array attribute `value`")
    require_shape(
        value.type.nbytes <= CONSTANT_BYTES or value.data.ndim == 0,
        f"a constant of {value.type.nbytes} bytes is too large for a graph; make it an input",
    )
    return (TensorType(value.type.shape, value.type.dtype),)


def _constant_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    data = attrs["value"].data
    if outs[0].dtype is bf16:
        data = bf16_values(data)
    return [np.broadcast_to(data, outs[0].shape).copy()]


def _constant_examples(rng: np.random.Generator) -> list[tuple[Types, dict[str, Any]]]:
    drawn = [t for t in draws.tensors(rng, REAL) if t.nbytes <= CONSTANT_BYTES]
    whole = [np.asarray(rng.integers(0, 100, t.shape)) for t in drawn]
    data = [
        bf16_bits(w.astype(np.float32)) if t.dtype is bf16 else w.astype(t.dtype.numpy)
        for w, t in zip(whole, drawn)
    ]
    return [((), {"value": Dense(t, d)}) for t, d in zip(drawn, data)]


def _constant_parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    data, dtype = node.attrs["value"].data, node.types[0].dtype.part
    return [Pair(array_constant(b, data.real, dtype), array_constant(b, data.imag, dtype))]


constant_op = define(
    OpDef(
        name="constant",
        family="source",
        route="source",
        doc="An array of known values, at most 1 KiB.",
        infer=_constant_infer,
        reference=_constant_reference,
        dtypes=REAL,
        parts=_constant_parts,
        examples=_constant_examples,
        no_gradient="it has no operand",
        batch=_unbatched,
    )
)


def _iota_infer(types: Types, attrs: Attrs) -> Types:
    shape, axis = attrs["shape"], attrs["axis"]
    require_shape(0 <= axis < len(shape), f"iota axis {axis} is out of range for shape {shape}")
    dtype: DType = attrs["dtype"]
    require(dtype.is_integer or dtype.is_float, f"iota does not make {dtype}")
    return (TensorType(tuple(shape), dtype),)


def _iota_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    shape, axis = outs[0].shape, attrs["axis"]
    dtype = np.dtype(np.float32) if outs[0].dtype is bf16 else outs[0].dtype.numpy
    ramp = np.arange(shape[axis]).astype(dtype)
    return [np.broadcast_to(ramp.reshape([-1] + [1] * (len(shape) - axis - 1)), shape).copy()]


iota = define(
    OpDef(
        name="iota",
        family="source",
        route="source",
        doc="Each element is its index along `axis`: shape (2, 3), axis 1 gives [[0,1,2],[0,1,2]].",
        infer=_iota_infer,
        reference=_iota_reference,
        dtypes=INTEGERS + FLOATS,
        examples=draws.ramp(INTEGERS + FLOATS),
        no_gradient="it has no operand",
        batch=_unbatched,
    )
)


def constant(b: Builder, value: Any, dtype: DType, shape: tuple[int, ...] = ()) -> Value:
    """A scalar constant of `dtype`, broadcast to `shape`; `value` is a number.

    >>> from lazir.compiler.graph import Builder
    >>> from lazir.compiler.types import f32
    >>> constant(Builder(), 2, f32, (3,)).type
    tensor<3xf32>
    """
    if dtype is bf16:
        data = bf16_bits(np.asarray(value, np.float32))
    else:
        with np.errstate(all="ignore"):
            data = np.asarray(value).astype(dtype.numpy)
    scalar = constant_op(b, value=Dense(TensorType((), dtype), data))
    return scalar if shape == () else OPS["broadcast"](b, scalar, shape=shape, axes=())


def array_constant(b: Builder, data: Array, dtype: DType) -> Value:
    """An array of at most 1 KiB as a constant node (bf16 as its uint16 bits)."""
    return constant_op(b, value=Dense(TensorType(data.shape, dtype), np.array(data, order="C")))


def zeros_like(b: Builder, x: Value) -> Value:
    """Zeros of x's type."""
    return constant(b, 0, x.type.dtype, x.shape)


def scalar_like(b: Builder, value: int | float, x: Value) -> Value:
    """`value` in x's dtype, of x's shape."""
    return constant(b, value, x.type.dtype, x.shape)


def scalar_zero(b: Builder, x: Value) -> Value:
    """The rank-0 zero of x's dtype."""
    return constant(b, 0, x.type.dtype)
