"""Discrete Fourier transforms along the last axis, not scaled: fft, rfft, irfft.

Takes: complex tensors (rfft: real ones). Gives: records of the family fourier, which NumPy's own
loops compute. Behind the pass that takes complex numbers apart the same ops have `pairs` set: they
take and give real pairs along one more last axis. Must not know: how transforms are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, OpDef, Pair, Part, Parts, Tangents, Types, define
from ..types import COMPLEX, DType, TensorType
from . import draws
from .arithmetic import mul
from .complex_numbers import PARTS, complex_, conjugate, imag, real, whole
from .families import arity, move_axis_to_front, require, require_shape
from .pairs import stacked, unstacked
from .source import constant


# -- type rules --------------------------------------------------------------------------
def _transformed(name: str, types: Types, attrs: Attrs, real_input: bool) -> tuple[int, ...]:
    """The operand's shape without a last axis of pairs."""
    arity(name, types, 1)
    (x,), pairs = types, attrs["pairs"]
    require(isinstance(pairs, bool), f"{name}: pairs is a bool, got {pairs!r}")
    wanted = PARTS if pairs or real_input else COMPLEX
    require(
        x.dtype in wanted,
        f"{name} takes {', '.join(map(str, wanted))}, got {x.short}; convert it with astype",
    )
    shape = x.shape
    if pairs and not real_input:
        require_shape(x.rank > 0 and shape[-1] == 2, f"{name}: the last axis of {x.short} is no 2")
        shape = shape[:-1]
    empty = not shape or shape[-1] == 0
    require_shape(not empty, f"{name} needs a last axis that is not empty, got {x.short}")
    return shape


def _spectrum(x: TensorType, shape: tuple[int, ...], pairs: bool) -> TensorType:
    return TensorType((*shape, 2), x.dtype.part) if pairs else TensorType(shape, whole(x.dtype))


def _fft_infer(types: Types, attrs: Attrs) -> Types:
    _transformed("fft", types, attrs, False)
    require(isinstance(attrs["inverse"], bool), "fft: inverse is a bool")
    return types


def _rfft_infer(types: Types, attrs: Attrs) -> Types:
    *lead, n = _transformed("rfft", types, attrs, True)
    return (_spectrum(types[0], (*lead, n // 2 + 1), attrs["pairs"]),)


def _irfft_infer(types: Types, attrs: Attrs) -> Types:
    *lead, m = _transformed("irfft", types, attrs, False)
    require(isinstance(attrs["odd"], bool), "irfft: odd is a bool")
    n = 2 * (m - 1) + attrs["odd"]
    require_shape(n > 0, f"irfft: one number {types[0].short} is the spectrum of one: odd is True")
    return (TensorType((*lead, n), types[0].dtype.part),)


# -- records -----------------------------------------------------------------------------
def _record(
    name: str,
    doc: str,
    infer: Any,
    transform: Callable[[Array, Attrs], Array],
    adjoint: Callable[[Builder, Node, Value], Value],
    parts: Parts,
    examples: Any,
    real_input: bool = False,
) -> OpDef:
    def refer(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
        (x,) = arrays
        wide: Array = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
        if attrs["pairs"] and not real_input:
            wide = wide[..., 0] + 1j * wide[..., 1]
        made = transform(wide, attrs)
        if attrs["pairs"] and made.dtype.kind == "c":
            made = np.stack([made.real, made.imag], axis=-1)
        return [made.astype(outs[0].dtype.numpy)]

    def transpose(
        b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
    ) -> Sequence[Value | None]:
        assert cts[0] is not None
        return [adjoint(b, node, cts[0])]

    def linearise(
        b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
    ) -> Tangents:
        assert ts[0] is not None
        return [OPS[name](b, ts[0], **node.attrs)]

    return define(
        OpDef(
            name=name,
            family="fourier",
            route="library",
            doc=doc,
            infer=infer,
            reference=refer,
            linearise=linearise,
            transpose=transpose,
            batch=_batch,
            parts=parts,
            dtypes=PARTS if real_input else COMPLEX,
            examples=examples,
            cost=100.0,
            ulp=8.0,
        )
    )


def _batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    return [OPS[node.op](b, move_axis_to_front(b, xs[0], axes[0], size), **node.attrs)], [0]


def _on_pairs(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    """The same op on pairs in memory."""
    (x,) = xs
    operand = stacked(b, x) if isinstance(x, Pair) else x
    made = OPS[node.op](b, operand, **{**node.attrs, "pairs": True})
    return [unstacked(b, made) if node.types[0].dtype.is_complex else made]


def _examples(on: Sequence[DType], flags: Sequence[str] = ()) -> Any:
    """Lengths even, odd and one, with every flag drawn."""

    def draw(rng: draws.Generator, x: TensorType) -> draws.Example:
        n = int(draws.pick(rng, (1, 2, 3, 4, 5, 8, 12, 17)))
        chosen = {name: bool(rng.integers(2)) or (name == "odd" and n == 1) for name in flags}
        return (TensorType((*x.shape[:2], n), x.dtype),), {**chosen, "pairs": False}

    return draws.from_tensors(on, draw)


def _transform(x: Array, attrs: Attrs) -> Array:
    return np.fft.ifft(x, norm="forward") if attrs["inverse"] else np.fft.fft(x)


fft: OpDef = _record(
    "fft",
    "Σ_j x_j exp(∓2πi jk/n) along the last axis; − unless `inverse`. Not scaled.",
    _fft_infer,
    _transform,
    lambda b, node, ct: fft(b, ct, **node.attrs),  # the matrix is symmetric
    _on_pairs,
    _examples(COMPLEX, ("inverse",)),
)


def _half(b: Builder, z: Value, n: int, middle: float) -> Value:
    """conj(z), where all numbers but the first and, of an even n, the last are times `middle`."""
    scale = _ramp(b, z, n, middle)
    z = conjugate(b, z)
    return complex_(b, mul(b, real(b, z), scale), mul(b, imag(b, z), scale))


def _ramp(b: Builder, z: Value, n: int, middle: float) -> Value:
    """1 at the first place of the last axis and, of an even n, at the last; `middle` between."""
    dtype, m = z.type.dtype.part, z.shape[-1]
    ends = 1 if n % 2 else 2
    inner = constant(b, middle, dtype, (max(m - ends, 0),))
    one = constant(b, 1, dtype)
    widths = {"low": (1,), "high": (ends - 1 if m >= ends else 0,), "interior": (0,)}
    line = OPS["pad"](b, inner, one, **widths)
    return OPS["broadcast"](b, line, shape=z.shape, axes=(len(z.shape) - 1,))


def _rfft_adjoint(b: Builder, node: Node, ct: Value) -> Value:
    """Re Σ_k c_k exp(−2πi jk/n), as a transform of half a spectrum."""
    n = node.inputs[0].shape[-1]
    return irfft(b, _half(b, ct, n, 0.5), odd=bool(n % 2), pairs=False)


def _irfft_adjoint(b: Builder, node: Node, ct: Value) -> Value:
    """Numbers that stand for two of the whole spectrum count twice."""
    return _half(b, rfft(b, ct, pairs=False), node.types[0].shape[-1], 2.0)


rfft: OpDef = _record(
    "rfft",
    "The first n/2 + 1 numbers of the transform of n real numbers along the last axis.",
    _rfft_infer,
    lambda x, attrs: np.asarray(np.fft.rfft(x)),
    _rfft_adjoint,
    _on_pairs,
    _examples(PARTS),
    real_input=True,
)


def _irfft_reference(x: Array, attrs: Attrs) -> Array:
    return np.asarray(np.fft.irfft(x, 2 * (x.shape[-1] - 1) + attrs["odd"], norm="forward"))


irfft: OpDef = _record(
    "irfft",
    "n times the real numbers whose rfft is given; n is odd where `odd` says so. The imaginary "
    "parts of the first and, of an even n, the last number count for nothing.",
    _irfft_infer,
    _irfft_reference,
    _irfft_adjoint,
    _on_pairs,
    _examples(COMPLEX, ("odd",)),
)
