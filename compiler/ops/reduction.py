"""Reductions over axes: sum, prod, max, min, argmax, argmin, any, all.

Takes: a tensor and the attribute `axes` (distinct, increasing). Gives: the tensor without them.
Float sums are taken in an order that depends on the shape alone; f16 and bf16 accumulate in f32.
Empty reductions give the unit; max and min of nothing give the lowest and highest value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types, define
from ..scalars import Scalars
from ..types import BOOLS, COMPLEX, NUMERIC, REAL, DType, TensorType, i1, i64
from . import draws
from .families import arity, describe, move_axis_to_front, require, require_shape
from .pairs import each, product_over
from .source import scalar_like, zeros_like


def lowest(dtype: DType) -> int | float:
    """The unit of max: −inf, the smallest integer, or False."""
    if dtype.is_float:
        return -math.inf
    if dtype is i1:
        return 0
    return -(1 << (dtype.bits - 1)) if dtype.is_signed else 0


def highest(dtype: DType) -> int | float:
    """The unit of min: +inf, the largest integer, or True."""
    if dtype.is_float:
        return math.inf
    if dtype is i1:
        return 1
    return (1 << (dtype.bits - 1)) - 1 if dtype.is_signed else (1 << dtype.bits) - 1


def _kept(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(n for k, n in enumerate(shape) if k not in axes)


def _check(name: str, types: Types, attrs: Attrs, on: Sequence[DType]) -> TensorType:
    arity(name, types, 1)
    (x,) = types
    axes = attrs["axes"]
    require(x.dtype in on, f"{name} does not take {x.dtype}: {describe(types)}")
    require_shape(
        all(0 <= a < x.rank for a in axes) and list(axes) == sorted(set(axes)),
        f"{name}: axes {tuple(axes)} must be increasing and below the rank of {x.short}",
    )
    return x


def _batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    attrs = {**node.attrs, "axes": tuple(a + 1 for a in node.attrs["axes"])}
    return [OPS[node.op](b, x, **attrs)], [0]


def spread(b: Builder, y: Value, x: Value, axes: Sequence[int]) -> Value:
    """A reduced value y repeated to the shape of x, from which `axes` were reduced."""
    kept = tuple(k for k in range(len(x.shape)) if k not in axes)
    return OPS["broadcast"](b, y, shape=x.shape, axes=kept)


def _reduction(
    name: str,
    doc: str,
    reference: Any,
    combine: Any,
    unit: Any,
    on: Sequence[DType],
    **fields: Any,
) -> OpDef:
    """`combine(s, a, b, dtype)` joins two elements in registers, `unit(dtype)` starts."""
    accepted = (*on, *COMPLEX) if "parts" in fields else on

    def infer(types: Types, attrs: Attrs) -> Types:
        x = _check(name, types, attrs, accepted)
        return (TensorType(_kept(x.shape, attrs["axes"]), x.dtype),)

    def refer(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
        (x,) = arrays
        wide = x.astype({"f": np.float64, "c": np.complex128}.get(x.dtype.kind, x.dtype))
        with np.errstate(all="ignore"):
            return [np.asarray(reference(wide, tuple(attrs["axes"]), ins[0].dtype)).astype(x.dtype)]

    return define(
        OpDef(
            name=name,
            family="reduction",
            doc=doc,
            infer=infer,
            reference=refer,
            combine=combine,
            batch=_batch,
            dtypes=tuple(on),
            examples=draws.reduction(on),
            extra={"unit": unit},
            **fields,
        )
    )


# -- sum ---------------------------------------------------------------------------------
reduce_sum: OpDef = _reduction(
    "reduce_sum",
    "The sum over `axes`; integers wrap.",
    lambda x, axes, dtype: x.sum(axes, dtype=x.dtype),
    lambda s, a, b, dtype: s.add(a, b),
    lambda dtype: 0,
    NUMERIC,
    linearise=lambda b, n, xs, ys, ts: [reduce_sum(b, ts[0], **n.attrs)],
    transpose=lambda b, n, xs, cts: [spread(b, cts[0], n.inputs[0], n.attrs["axes"])],
    parts=each,
    ulp=0.5,
)


# -- prod --------------------------------------------------------------------------------
def _prod_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    """Σ_k t_k ∏_{j≠k} x_j, right also where elements are zero.

    With one zero only its own term is left, the product of the others; with two nothing is.
    """
    (x,), (t,), axes = xs, ts, node.attrs["axes"]
    assert t is not None
    zero, one = zeros_like(b, x), scalar_like(b, 1, x)
    is_zero = OPS["equal"](b, x, zero)
    count = reduce_sum(b, OPS["select"](b, is_zero, one, zero), axes=axes)
    others = reduce_prod(b, OPS["select"](b, is_zero, one, x), axes=axes)
    count_x, others_x = spread(b, count, x, axes), spread(b, others, x, axes)
    no_zero = OPS["equal"](b, count_x, zero)
    one_zero = OPS["equal"](b, count_x, one)
    safe = OPS["select"](b, is_zero, one, x)
    partial = OPS["select"](
        b,
        no_zero,
        OPS["div"](b, others_x, safe),
        OPS["select"](b, OPS["bit_and"](b, one_zero, is_zero), others_x, zero),
    )
    return [reduce_sum(b, OPS["mul"](b, partial, t), axes=axes)]


reduce_prod = _reduction(
    "reduce_prod",
    "The product over `axes`; integers wrap.",
    lambda x, axes, dtype: x.prod(axes, dtype=x.dtype),
    lambda s, a, b, dtype: s.mul(a, b),
    lambda dtype: 1,
    NUMERIC,
    linearise=_prod_linearise,
    parts=product_over,
    domain=Domain(-1.5, 1.5),
    ulp=0.5,
)


# -- max and min -------------------------------------------------------------------------
def _extremum_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    """The mean tangent of the elements equal to the extremum: ties share evenly."""
    (x,), (y,), (t,), axes = xs, ys, ts, node.attrs["axes"]
    assert t is not None
    if x.type.size == 0:
        return [None]  # the unit does not move
    chosen = OPS["equal"](b, x, spread(b, y, x, axes))
    mask = OPS["select"](b, chosen, scalar_like(b, 1, x), zeros_like(b, x))
    total = reduce_sum(b, OPS["mul"](b, mask, t), axes=axes)
    return [OPS["div"](b, total, reduce_sum(b, mask, axes=axes))]


def _extremum(name: str, doc: str, numpy_name: str, op: str, unit: Any) -> OpDef:
    def combine(s: Scalars, a: Value, b: Value, dtype: DType) -> Value:
        rule = OPS[op].scalar
        assert rule is not None
        return rule(s, a, b, dtype=dtype)  # type: ignore[no-any-return]

    def reference(x: Array, axes: tuple[int, ...], dtype: DType) -> Array:
        initial = unit(dtype)
        return np.asarray(getattr(np, numpy_name)(x, axis=axes, initial=initial))

    return _reduction(
        name,
        doc,
        reference,
        combine,
        unit,
        REAL,
        linearise=_extremum_linearise,
        domain=Domain(smooth=False),
    )


reduce_max = _extremum(
    "reduce_max", "The largest over `axes`; NaN if any is NaN.", "max", "maximum", lowest
)
reduce_min = _extremum(
    "reduce_min", "The smallest over `axes`; NaN if any is NaN.", "min", "minimum", highest
)

# -- any and all -------------------------------------------------------------------------
reduce_any = _reduction(
    "reduce_any",
    "Whether any element over `axes` is true.",
    lambda x, axes, dtype: x.any(axes),
    lambda s, a, b, dtype: s.bit("or", a, b),
    lambda dtype: 0,
    BOOLS,
    no_gradient="its result is bool",
)
reduce_all = _reduction(
    "reduce_all",
    "Whether all elements over `axes` are true.",
    lambda x, axes, dtype: x.all(axes),
    lambda s, a, b, dtype: s.bit("and", a, b),
    lambda dtype: 1,
    BOOLS,
    no_gradient="its result is bool",
)


# -- argmax and argmin -------------------------------------------------------------------
def _arg_reduction(name: str, doc: str, numpy_name: str, beats: str) -> OpDef:
    """The first position of the extremum (of the first NaN, if there is one), as i64."""

    def infer(types: Types, attrs: Attrs) -> Types:
        x = _check(name, types, attrs, REAL)
        require_shape(len(attrs["axes"]) == 1, f"{name} takes one axis, got {attrs['axes']}")
        require_shape(
            x.shape[attrs["axes"][0]] > 0, f"{name} of an empty axis of {x.short} has no answer"
        )
        return (TensorType(_kept(x.shape, attrs["axes"]), i64),)

    def refer(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
        return [np.asarray(getattr(np, numpy_name)(arrays[0], axis=attrs["axes"][0]), np.int64)]

    def combine(s: Scalars, best: Any, new: Any, dtype: DType) -> Any:
        """Of two (value, position) pairs the better; the earlier of equals."""
        (a, i), (b, j) = best, new
        better = s.compare(beats, b, a, signed=dtype.kind != "uint")
        tie = s.bit("and", s.compare("eq", a, b), s.compare("lt", j, i))
        if dtype.is_float:
            a_nan = s.op("arith.cmpf", a, a, type=i1, predicate="uno")
            b_nan = s.op("arith.cmpf", b, b, type=i1, predicate="uno")
            tie = s.bit("or", tie, s.bit("and", s.bit("and", a_nan, b_nan), s.compare("lt", j, i)))
            better = s.bit("or", better, s.bit("and", b_nan, s.bit_not(a_nan)))
        take = s.bit("or", better, tie)
        return s.select(take, b, a), s.select(take, j, i)

    return define(
        OpDef(
            name=name,
            family="reduction",
            doc=doc,
            infer=infer,
            reference=refer,
            combine=combine,
            batch=_batch,
            dtypes=REAL,
            examples=draws.one_axis(REAL),
            no_gradient="its result is a position",
            extra={"unit": lowest if beats == "gt" else highest, "pairs": True},
        )
    )


argmax = _arg_reduction(
    "argmax", "The first position of the largest along one axis.", "argmax", "gt"
)
argmin = _arg_reduction(
    "argmin", "The first position of the smallest along one axis.", "argmin", "lt"
)
