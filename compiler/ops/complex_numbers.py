"""Complex numbers from their parts and back: complex, real, imag, and pairs in memory.

Takes: real tensors of one type, or a complex one. Gives: records of the family complex, which a
pass takes out before fusion: behind it complex values are pairs of real ones.

Derivatives follow JAX: a cotangent c of z stands for the real form t ↦ Re(c · t), so that linear
ops are transposed, not conjugated. Must not know: what is computed with the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, OpDef, Pair, Part, Parts, Tangents, Types, define
from ..types import COMPLEX, DType, TensorType, c64, c128, f32, f64
from . import draws
from .families import arity, batch_elementwise, move_axis_to_front, require, same_operands
from .pairs import stacked, unstacked
from .source import zeros_like

PARTS = (f32, f64)
_WHOLE = {f32: c64, f64: c128}


def whole(dtype: DType) -> DType:
    """The complex type with parts of this float type; a complex type is its own."""
    return _WHOLE.get(dtype, dtype)


def _record(
    name: str,
    doc: str,
    infer: Any,
    reference: Callable[..., Any],
    linear: Callable[..., Sequence[Value | None]],
    parts: Parts,
    on: Sequence[DType],
    operands: int = 1,
    **fields: Any,
) -> OpDef:
    """A linear op between complex numbers and their parts; `linear(b, node, ct)` is its adjoint."""

    def refer(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
        return [np.array(reference(*arrays), outs[0].dtype.numpy, order="C")]

    def transpose(
        b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
    ) -> Sequence[Value | None]:
        assert cts[0] is not None
        return linear(b, node, cts[0])

    given = {"batch": batch_elementwise, "examples": draws.elementwise(on, operands), **fields}
    return define(
        OpDef(
            name=name,
            family="complex",
            route="complex",
            doc=doc,
            infer=infer,
            reference=refer,
            linearise=_linearise,
            transpose=transpose,
            parts=parts,
            dtypes=tuple(on),
            **given,
        )
    )


def _linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    filled = [zeros_like(b, x) if t is None else t for x, t in zip(xs, ts)]
    return [OPS[node.op](b, *filled)]


# -- parts -----------------------------------------------------------------------------------
def _complex_infer(types: Types, attrs: Attrs) -> Types:
    arity("complex", types, 2)
    first = same_operands("complex", types, PARTS)
    return (TensorType(first.shape, whole(first.dtype)),)


def _joined(re: Array, im: Array) -> Array:
    """re + i im; written as a sum, infinities would make NaN."""
    out = np.empty(re.shape, np.result_type(re, np.complex64))
    out.real, out.imag = re, im
    return out


def _pair(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    re, im = xs
    assert isinstance(re, Value) and isinstance(im, Value)
    return [Pair(re, im)]


def _part(k: int) -> Parts:
    def parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
        (x,) = xs
        assert isinstance(x, Pair)
        return [x[k]]

    return parts


complex_: OpDef = _record(
    "complex",
    "x + iy of two real tensors.",
    _complex_infer,
    _joined,
    lambda b, node, ct: [real(b, ct), OPS["neg"](b, imag(b, ct))],
    _pair,
    PARTS,
    operands=2,
)


def _part_infer(name: str) -> Any:
    def infer(types: Types, attrs: Attrs) -> Types:
        arity(name, types, 1)
        first = same_operands(name, types, COMPLEX)
        return (TensorType(first.shape, first.dtype.part),)

    return infer


real: OpDef = _record(
    "real",
    "The real part.",
    _part_infer("real"),
    np.real,
    lambda b, node, ct: [complex_(b, ct, zeros_like(b, ct))],
    _part(0),
    COMPLEX,
)
imag: OpDef = _record(
    "imag",
    "The imaginary part, a real tensor.",
    _part_infer("imag"),
    np.imag,
    lambda b, node, ct: [complex_(b, zeros_like(b, ct), OPS["neg"](b, ct))],
    _part(1),
    COMPLEX,
)


def conjugate(b: Builder, z: Value) -> Value:
    """The complex conjugate, composed of the parts."""
    return complex_(b, real(b, z), OPS["neg"](b, imag(b, z)))


# -- pairs in memory -----------------------------------------------------------------------------
def _as_pairs_infer(types: Types, attrs: Attrs) -> Types:
    arity("as_pairs", types, 1)
    x = same_operands("as_pairs", types, COMPLEX)
    return (TensorType((*x.shape, 2), x.dtype.part),)


def _from_pairs_infer(types: Types, attrs: Attrs) -> Types:
    arity("from_pairs", types, 1)
    x = same_operands("from_pairs", types, PARTS)
    require(
        x.rank > 0 and x.shape[-1] == 2,
        f"from_pairs needs a last axis of 2 (real and imaginary part), got {x.short}",
    )
    return (TensorType(x.shape[:-1], whole(x.dtype)),)


def _batch_front(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    return [OPS[node.op](b, move_axis_to_front(b, xs[0], axes[0], size))], [0]


def _stack_parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    (x,) = xs
    assert isinstance(x, Pair)
    return [stacked(b, x)]


def _unstack_parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    (x,) = xs
    assert isinstance(x, Value)
    return [unstacked(b, x)]


def _signed(b: Builder, ct: Value) -> Value:
    """Pairs with the imaginary parts negated: what the pairing Re(c · t) makes of pairs."""
    x = unstacked(b, ct)
    return stacked(b, Pair(x.re, OPS["neg"](b, x.im)))


def _pairs_examples(rng: draws.Generator) -> list[draws.Example]:
    made = draws.tensors(rng, PARTS)
    return [((TensorType((*t.shape, 2), t.dtype),), {}) for t in made]


as_pairs: OpDef = _record(
    "as_pairs",
    "The real and the imaginary part along a new last axis of 2: the same bytes.",
    _as_pairs_infer,
    lambda z: np.stack([z.real, z.imag], axis=-1),
    lambda b, node, ct: [from_pairs(b, _signed(b, ct))],
    _stack_parts,
    COMPLEX,
    batch=_batch_front,
)
from_pairs: OpDef = _record(
    "from_pairs",
    "Complex numbers from real pairs along the last axis: the same bytes.",
    _from_pairs_infer,
    lambda x: _joined(x[..., 0], x[..., 1]),
    lambda b, node, ct: [_signed(b, as_pairs(b, ct))],
    _unstack_parts,
    PARTS,
    batch=_batch_front,
    examples=_pairs_examples,
)
