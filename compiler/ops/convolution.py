"""`conv`: sums of products over a sliding window, for any number of spatial axes, and its adjoints.

Takes: a signal and a kernel of one dtype, with layouts as strings. Gives: one record, closed under
differentiation and batching: both gradients are `conv` again. Must not know: how it is computed.

A layout names each axis by a character: spatial axes `0`, `1`, …; in the signal and the result `n`
(batch) and `c` (features); in the kernel `o` (features out) and `i` (features in); and optionally
`g` in all three, a group: signal and kernel of different groups do not meet. NCHW is "nc01" with
kernel "oi01", NHWC is "n01c" with "01io". Its caller reshapes a grouped convolution to have axis g.
A kernel may have its features in panels, `p` outside of `o`: feature c is p · |o| + o.

    out[g, n, o, p] = Σ over i, k of
        signal[g, n, i, p · stride + k · rhs_dilation − low] · kernel[g, o, i, k]

where the signal has lhs_dilation − 1 gaps between elements, which add nothing (not even NaN to an
infinite kernel element), and zeros outside. `low` and `high` are the zeros added before and after;
negative ones crop. Floats accumulate in f32 (f64 in f64).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types, define
from ..types import FLOATS, NUMBERS, NUMERIC, Shape, TensorType, bf16
from . import draws
from .arithmetic import add
from .families import arity, describe, require, require_shape
from .movement import inverse_permutation
from .pairs import bilinear
from .source import constant

SPATIAL_ATTRS = ("stride", "low", "high", "lhs_dilation", "rhs_dilation")


# -- window arithmetic, shared with reduce_window --------------------------------------------
def dilated(size: int, dilation: int) -> int:
    """The extent of `size` elements that are `dilation` apart."""
    return (size - 1) * dilation + 1 if size else 0


def window_positions(
    size: int, window: int, stride: int, low: int, high: int, base: int, step: int
) -> int:
    """How many places a window of `window` elements `step` apart has in a padded dilated axis."""
    room = dilated(size, base) + low + high - dilated(window, step)
    return room // stride + 1 if room >= 0 else 0


def padding_for(
    count: int, size: int, window: int, stride: int, low: int, base: int, step: int
) -> int:
    """The `high` for which a window has exactly `count` ≥ 1 places."""
    return dilated(count, stride) - 1 + dilated(window, step) - dilated(size, base) - low


def check_windows(name: str, attrs: Attrs, names: Sequence[str], rank: int) -> None:
    """Raise where a window attribute has not one entry per axis, or a step below 1."""
    for key in names:
        values = attrs[key]
        require_shape(
            len(values) == rank,
            f"{name}: {key} {tuple(values)} needs one entry for each of the {rank} window axes",
        )
        least = 1 if key == "stride" or key.endswith("dilation") else None
        require_shape(
            least is None or all(v >= least for v in values),
            f"{name}: {key} {tuple(values)} must be at least 1",
        )


def spread_and_pad(x: Array, attrs: Attrs, dilation: str, axes: Sequence[int], fill: Any) -> Array:
    """x with gaps between elements along `axes` and padding (or cropping) around them."""
    for k, axis in enumerate(axes):
        step, low, high = attrs[dilation][k], attrs["low"][k], attrs["high"][k]
        shape = list(x.shape)
        inner = dilated(shape[axis], step)
        shape[axis] = max(0, inner + low + high)
        out = np.full(shape, fill, x.dtype)
        first = max(0, -(low // step))  # the first element that is not cropped away
        last = min(x.shape[axis], -(-(shape[axis] - low) // step))
        if first < last:
            source = [slice(None)] * x.ndim
            target = [slice(None)] * x.ndim
            source[axis] = slice(first, last)
            target[axis] = slice(first * step + low, (last - 1) * step + low + 1, step)
            out[tuple(target)] = x[tuple(source)]
        x = out
    return x


# -- layouts ---------------------------------------------------------------------------------
def _digits(rank: int) -> str:
    return "".join(map(str, range(rank)))


def _sizes(layout: str, shape: Shape) -> dict[str, int]:
    return dict(zip(layout, shape))


def _check_layouts(types: Types, attrs: Attrs) -> int:
    """The number of spatial axes; raises where the layouts do not fit together."""
    lhs, rhs, out = attrs["lhs"], attrs["rhs"], attrs["out"]
    spatial = len(lhs) - 2 - ("g" in lhs)
    group = "g" if "g" in lhs else ""
    for key, layout, letters in (("lhs", lhs, "nc"), ("rhs", rhs, "oi"), ("out", out, "nc")):
        panels = "p" if key == "rhs" and "p" in layout else ""
        expected = group + panels + letters + _digits(max(spatial, 0))
        require_shape(
            sorted(layout) == sorted(expected),
            f"conv: layout {key}={layout!r} must have each of the axes {', '.join(expected)} once",
        )
    for layout, operand, label in ((lhs, types[0], "signal"), (rhs, types[1], "kernel")):
        require_shape(
            len(layout) == operand.rank,
            f"conv: the {label} {operand.short} has {operand.rank} axes, its layout {layout!r} has "
            f"{len(layout)}",
        )
    return spatial


def _infer(types: Types, attrs: Attrs) -> Types:
    arity("conv", types, 2)
    x, w = types
    require(
        x.dtype is w.dtype and x.dtype in NUMBERS,
        f"conv needs two operands of one numeric dtype, got {describe(types)}",
    )
    spatial = _check_layouts(types, attrs)
    check_windows("conv", attrs, SPATIAL_ATTRS, spatial)
    signal, kernel = _sizes(attrs["lhs"], x.shape), _sizes(attrs["rhs"], w.shape)
    require_shape(
        signal["c"] == kernel["i"],
        f"conv: the signal {x.short} ({attrs['lhs']}) has {signal['c']} features, the kernel "
        f"{w.short} ({attrs['rhs']}) takes {kernel['i']}",
    )
    require_shape(
        signal.get("g") == kernel.get("g"),
        f"conv: the signal {x.short} has {signal.get('g')} groups, the kernel {w.short} has "
        f"{kernel.get('g')}",
    )
    features = kernel["o"] * kernel.get("p", 1)
    sizes = {"n": signal["n"], "c": features, "g": signal.get("g", 1)}
    for k, digit in enumerate(_digits(spatial)):
        stride, low, high, base, step = (attrs[key][k] for key in SPATIAL_ATTRS)
        sizes[digit] = window_positions(signal[digit], kernel[digit], stride, low, high, base, step)
    return (TensorType(tuple(sizes[axis] for axis in attrs["out"]), x.dtype),)


def _without_panels(layout: str, shape: Shape) -> tuple[tuple[int, ...], str, Shape]:
    """How a kernel in panels is one without: a permutation, then another layout and shape."""
    plain = layout.replace("p", "")
    order = plain.replace("o", "po")
    moved = tuple(map(layout.index, order))
    sizes = _sizes(layout, shape)
    sizes["o"] *= sizes.pop("p")
    return moved, plain, tuple(sizes[a] for a in plain)


# -- meaning ---------------------------------------------------------------------------------
def _canonical(x: Array, layout: str, letters: str) -> Array:
    """x with axes g, the two letters, then the spatial ones."""
    order = [layout.index(axis) for axis in letters + _digits(len(layout) - len(letters))]
    return x.transpose(order)


def _reference(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
    x, w = arrays
    if "p" in attrs["rhs"]:
        moved, rhs, shape = _without_panels(attrs["rhs"], w.shape)
        return _reference([x, w.transpose(moved).reshape(shape)], {**attrs, "rhs": rhs}, ins, outs)
    if x.dtype.kind == "f":
        x, w = x.astype(np.float64), w.astype(np.float64)
    elif x.dtype.kind == "c":
        x, w = x.astype(np.complex128), w.astype(np.complex128)
    lhs, rhs, out = attrs["lhs"], attrs["rhs"], attrs["out"]
    if "g" not in lhs:
        x, w, lhs, rhs, out = x[None], w[None], "g" + lhs, "g" + rhs, "g" + out
    x, w = _canonical(x, lhs, "gnc"), _canonical(w, rhs, "goi")
    spatial = len(lhs) - 3
    padded = spread_and_pad(x, attrs, "lhs_dilation", range(3, 3 + spatial), 0)
    sizes = _sizes(attrs["out"], outs[0].shape)
    places = tuple(sizes[d] for d in _digits(spatial))
    total = np.zeros((*x.shape[:2], w.shape[1], *places), x.dtype)
    if total.size:
        with np.errstate(all="ignore"):
            for at in np.ndindex(w.shape[3:]):
                term = np.einsum(
                    "gni...,goi->gno...", _shifted(padded, at, places, attrs), w[(..., *at)]
                )
                total += np.where(_elements(at, places, attrs), term, 0)
    result = total.transpose([("gnc" + _digits(spatial)).index(axis) for axis in out])
    kind = np.float32 if outs[0].dtype is bf16 else outs[0].dtype.numpy
    with np.errstate(all="ignore"):
        return [result.reshape(outs[0].shape).astype(kind)]


def _shifted(padded: Array, at: Sequence[int], places: Shape, attrs: Attrs) -> Array:
    """The elements that kernel element `at` meets at every place."""
    starts = [k * step for k, step in zip(at, attrs["rhs_dilation"])]
    return padded[
        (
            slice(None),
            slice(None),
            slice(None),
            *(
                slice(start, start + (n - 1) * stride + 1, stride)
                for start, n, stride in zip(starts, places, attrs["stride"])
            ),
        )
    ]


def _elements(at: Sequence[int], places: Shape, attrs: Attrs) -> Array:
    """At which places kernel element `at` meets no gap."""
    meets: Array = np.array(True)
    for k, n in enumerate(places):
        first = at[k] * attrs["rhs_dilation"][k] - attrs["low"][k]
        along = (np.arange(n) * attrs["stride"][k] + first) % attrs["lhs_dilation"][k] == 0
        meets = np.logical_and.outer(meets, along)
    return meets


# -- derivatives -----------------------------------------------------------------------------
def _linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    total: Value | None = None
    if ts[0] is not None:
        total = conv(b, ts[0], xs[1], **node.attrs)
    if ts[1] is not None:
        term = conv(b, xs[0], ts[1], **node.attrs)
        total = term if total is None else add(b, total, term)
    return [total]


def _spatial_sizes(node: Node, ct: Value) -> list[tuple[int, int, int]]:
    """(signal, kernel, result) size along each spatial axis."""
    tables = [
        _sizes(node.attrs[key], shape)
        for key, shape in (
            ("lhs", node.inputs[0].shape), ("rhs", node.inputs[1].shape), ("out", ct.shape)
        )
    ]  # fmt: skip
    return [(tables[0][d], tables[1][d], tables[2][d]) for d in _digits(len(node.attrs["stride"]))]


def _relabel(layout: str, letters: str) -> str:
    """The layout with its two feature letters exchanged for `letters`, as in `str.translate`."""
    return layout.translate(str.maketrans(letters[:2], letters[2:]))


def _to_signal(b: Builder, node: Node, ct: Value, w: Value) -> Value:
    """ct, dilated by the stride, against the reversed kernel: the sum over o and the places.

    p · stride + k · rhs_dilation − low = j · lhs_dilation, solved for p with k counted backwards.
    """
    a = node.attrs
    low, high = [], []
    for k, (size, window, places) in enumerate(_spatial_sizes(node, ct)):
        step = a["rhs_dilation"][k]
        low.append((window - 1) * step - a["low"][k])
        high.append(
            padding_for(size, places, window, a["lhs_dilation"][k], low[-1], a["stride"][k], step)
        )
    spatial = tuple(a["rhs"].index(d) for d in _digits(len(low)))
    return conv(
        b,
        ct,
        OPS["reverse"](b, w, axes=tuple(sorted(spatial))) if spatial else w,
        lhs=a["out"],
        rhs=_relabel(a["rhs"], "oiio"),
        out=a["lhs"],
        stride=a["lhs_dilation"],
        low=tuple(low),
        high=tuple(high),
        lhs_dilation=a["stride"],
        rhs_dilation=a["rhs_dilation"],
    )


def _to_kernel(b: Builder, node: Node, ct: Value, x: Value) -> Value:
    """The signal against ct as the kernel, a place for each kernel element: the sum over n, p."""
    a = node.attrs
    high = []
    for k, (size, window, places) in enumerate(_spatial_sizes(node, ct)):
        stride, low, base, step = (
            a[key][k] for key in ("rhs_dilation", "low", "lhs_dilation", "stride")
        )
        high.append(padding_for(window, size, places, stride, low, base, step))
    return conv(
        b,
        x,
        ct,
        lhs=_relabel(a["lhs"], "nccn"),
        rhs=_relabel(a["out"], "ncio"),
        out=_relabel(a["rhs"], "oicn"),
        stride=a["rhs_dilation"],
        low=a["low"],
        high=tuple(high),
        lhs_dilation=a["lhs_dilation"],
        rhs_dilation=a["stride"],
    )


def _transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,), (x, w) = cts, xs
    assert ct is not None
    if "p" in node.attrs["rhs"]:
        return _transpose_panels(b, node, xs, cts)
    to_x = to_w = None
    if x is None and w is not None:
        to_x = _or_zeros(b, node, 0, ct, lambda: _to_signal(b, node, ct, w))
    if w is None and x is not None:
        to_w = _or_zeros(b, node, 1, ct, lambda: _to_kernel(b, node, ct, x))
    return [to_x, to_w]


def _transpose_panels(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    """As without panels: the kernel is taken out of them, its adjoint put into them."""
    x, w = node.inputs
    moved, rhs, shape = _without_panels(node.attrs["rhs"], w.shape)
    scratch = Builder(name="plain")
    operands = scratch.param(x.type), scratch.param(TensorType(shape, w.type.dtype))
    plain = conv(scratch, *operands, **{**node.attrs, "rhs": rhs}).node
    kernel = xs[1]
    if kernel is not None:
        kernel = OPS["transpose"](b, kernel, permutation=moved)
        kernel = OPS["reshape"](b, kernel, shape=shape)
    to_x, to_w = _transpose(b, plain, [xs[0], kernel], cts)
    if to_w is not None:
        to_w = OPS["reshape"](b, to_w, shape=tuple(w.shape[k] for k in moved))
        to_w = OPS["transpose"](b, to_w, permutation=inverse_permutation(moved))
    return [to_x, to_w]


def _or_zeros(b: Builder, node: Node, operand: int, ct: Value, rule: Any) -> Value:
    """Zeros where nothing was multiplied (an empty tensor), else what the rule gives."""
    type = node.inputs[operand].type
    if 0 in (ct.type.size, *(v.type.size for v in node.inputs)):
        return constant(b, 0, type.dtype, type.shape)
    return rule()  # type: ignore[no-any-return]


# -- batching --------------------------------------------------------------------------------
def fold_axis(b: Builder, x: Value, axis: int, into: int) -> Value:
    """The batch axis merged into axis `into` (counted without it), as its outer part."""
    rank = len(x.shape)
    order = [k for k in range(rank) if k != axis]
    order.insert(into, axis)
    x = OPS["transpose"](b, x, permutation=tuple(order))
    merged = x.shape[into] * x.shape[into + 1]
    return OPS["reshape"](b, x, shape=(*x.shape[:into], merged, *x.shape[into + 2 :]))


def _split(b: Builder, x: Value, axis: int, size: int) -> Value:
    inner = x.shape[axis] // size
    return OPS["reshape"](b, x, shape=(*x.shape[:axis], size, inner, *x.shape[axis + 1 :]))


def _batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    """A batch on both sides is a group; on the signal's more of n, on the kernel's more of o."""
    attrs = dict(node.attrs)
    lhs, rhs, out = attrs["lhs"], attrs["rhs"], attrs["out"]
    if size == 0:
        empty = TensorType((0, *node.types[0].shape), node.types[0].dtype)
        return [constant(b, 0, empty.dtype, empty.shape)], [0]
    x, w = xs
    if axes[0] is not None and axes[1] is not None:
        if "g" not in lhs:
            attrs["lhs"] = lhs[: axes[0]] + "g" + lhs[axes[0] :]
            attrs["rhs"] = rhs[: axes[1]] + "g" + rhs[axes[1] :]
            attrs["out"] = "g" + out
            return [conv(b, x, w, **attrs)], [0]
        letters = ("g", "g", "g")
    else:
        outer = "p" if "p" in rhs else "o"
        letters = ("n", "", "n") if axes[0] is not None else ("", outer, "c")
    if letters[0]:
        x = fold_axis(b, x, axes[0], lhs.index(letters[0]))
    if letters[1]:
        w = fold_axis(b, w, axes[1], rhs.index(letters[1]))
    place = out.index(letters[2])
    return [_split(b, conv(b, x, w, **attrs), place, size)], [place]


# -- the record ------------------------------------------------------------------------------
def _example(rng: draws.Generator, dtype: Any) -> draws.Example:
    spatial = int(rng.integers(0, 4))
    group = "g" if rng.integers(3) == 0 else ""
    digits = _digits(spatial)
    sizes = {"g": int(rng.integers(1, 4))}
    sizes |= {letter: int(rng.integers(0 if rng.integers(8) == 0 else 1, 4)) for letter in "nio"}

    def layout(letters: str) -> str:
        axes = group + letters + digits
        return "".join(axes[k] for k in draws.permutation(rng, len(axes)))

    def steps(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(n) for n in rng.integers(low, high + 1, spatial))

    panels = "p" if rng.integers(4) == 0 else ""
    sizes["p"] = int(rng.integers(1, 3))
    lhs, rhs, out = layout("nc"), layout(panels + "oi"), layout("nc")
    signal = {**sizes, "c": sizes["i"], **dict(zip(digits, steps(1, 7)))}
    kernel = {**sizes, **dict(zip(digits, steps(1, 3)))}
    operands = (
        TensorType(tuple(signal[axis] for axis in lhs), dtype),
        TensorType(tuple(kernel[axis] for axis in rhs), dtype),
    )
    windows = {
        "stride": steps(1, 3), "low": steps(-1, 3), "high": steps(-1, 3),
        "lhs_dilation": steps(1, 2), "rhs_dilation": steps(1, 2),
    }  # fmt: skip
    return operands, {"lhs": lhs, "rhs": rhs, "out": out, **windows}


conv = define(
    OpDef(
        name="conv",
        family="convolution",
        route="conv",
        doc="Products of a kernel with the signal under it, summed, at every place of the kernel.",
        infer=_infer,
        reference=_reference,
        linearise=_linearise,
        transpose=_transpose,
        batch=_batch,
        parts=bilinear,
        dtypes=NUMERIC,
        domain=Domain(-2, 2, -10, 10),
        ulp=0.5,
        examples=lambda rng: [_example(rng, dtype) for dtype in NUMERIC + FLOATS for _ in range(2)],
        cost=2.0,
    )
)
