"""Running reductions along one axis: cumsum, cumprod, cummax, cummin.

Takes: a tensor and the attributes `axis` and `reverse` (from the end). Gives: a tensor of its
shape, whose every element joins those up to it. f16 and bf16 accumulate in f32; the order of a
float sum or product depends on the shape alone. Must not know: how a pass is scheduled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types, define
from ..types import COMPLEX, NUMERIC, REAL, DType, TensorType, i32, i64
from . import draws
from .arithmetic import div, mul
from .families import arity, describe, move_axis_to_front, require, require_shape
from .indexing import take_along
from .logic import bit_not, equal, greater_equal, less_equal, select
from .pairs import each, running_product
from .reduction import highest, lowest
from .source import constant, iota, scalar_like, zeros_like


def _backwards(x: Array, attrs: Attrs) -> Array:
    return np.flip(x, attrs["axis"]) if attrs["reverse"] else x


def _batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    return [OPS[node.op](b, x, **{**node.attrs, "axis": node.attrs["axis"] + 1})], [0]


def _draw(rng: draws.Generator, x: TensorType) -> draws.Example | None:
    if x.rank == 0:
        return None
    return (x,), {"axis": int(rng.integers(x.rank)), "reverse": bool(rng.integers(2))}


def _cumulative(
    name: str,
    doc: str,
    accumulate: Callable[..., Array],
    joins: str,
    on: Sequence[DType],
    *,
    widens: bool,
    **fields: Any,
) -> OpDef:
    """`joins` is the reduction whose joining of two elements and whose unit are meant."""
    accepted = (*on, *COMPLEX) if "parts" in fields else on

    def infer(types: Types, attrs: Attrs) -> Types:
        arity(name, types, 1)
        (x,) = types
        require(x.dtype in accepted, f"{name} does not take {x.dtype}: {describe(types)}")
        require_shape(
            0 <= attrs["axis"] < x.rank,
            f"{name}: axis {attrs['axis']} must be below the rank of {x.short}",
        )
        return (x,)

    def refer(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
        (x,) = arrays
        wide = x
        if widens and x.dtype.kind in "fc":
            wide = x.astype(np.float64 if x.dtype.kind == "f" else np.complex128)
        with np.errstate(all="ignore"):
            made = accumulate(_backwards(wide, attrs), axis=attrs["axis"], dtype=wide.dtype)
            return [np.ascontiguousarray(_backwards(made, attrs)).astype(x.dtype)]

    return define(
        OpDef(
            name=name,
            family="ordered",
            route="cumulative",
            doc=doc,
            infer=infer,
            reference=refer,
            batch=_batch,
            dtypes=tuple(on),
            examples=draws.from_tensors(on, _draw),
            extra={"joins": joins},
            **fields,
        )
    )


# -- sum ---------------------------------------------------------------------------------
def _reversed(attrs: Attrs) -> dict[str, Any]:
    return {**attrs, "reverse": not attrs["reverse"]}


cumsum: OpDef = _cumulative(
    "cumsum",
    "The sums of the elements up to each one along `axis`; integers wrap.",
    np.add.accumulate,
    "reduce_sum",
    NUMERIC,
    widens=True,
    linearise=lambda b, n, xs, ys, ts: [cumsum(b, ts[0], **n.attrs)],
    transpose=lambda b, n, xs, cts: [cumsum(b, cts[0], **_reversed(n.attrs))],
    parts=each,
    ulp=0.5,
)


# -- product -----------------------------------------------------------------------------
def _product_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    """Σ_k t_k ∏_{j≠k} x_j over the elements up to each one, right also where some are zero.

    Up to the first zero that is y Σ t_k/x_k; from there to the second zero only the first one's own
    term is left, the product of the others; after that nothing is.
    """
    (x,), (t,), attrs = xs, ts, node.attrs
    assert t is not None
    zero, one = zeros_like(b, x), scalar_like(b, 1, x)
    is_zero = equal(b, x, zero)
    safe = select(b, is_zero, one, x)
    count = cumsum(b, OPS["convert"](b, is_zero, dtype=i32), **attrs)
    none_yet, first = zeros_like(b, count), scalar_like(b, 1, count)
    others = cumprod(b, safe, **attrs)
    ratios = div(b, select(b, is_zero, zero, t), safe)
    own = OPS["bit_and"](b, is_zero, equal(b, count, first))
    terms = cumsum(b, ratios, **attrs)
    alone = cumsum(b, select(b, own, t, zero), **attrs)
    alone = select(b, equal(b, count, first), alone, zero)
    return [mul(b, others, select(b, equal(b, count, none_yet), terms, alone))]


cumprod = _cumulative(
    "cumprod",
    "The products of the elements up to each one along `axis`; integers wrap.",
    np.multiply.accumulate,
    "reduce_prod",
    NUMERIC,
    widens=True,
    linearise=_product_linearise,
    parts=running_product,
    domain=Domain(-1.5, 1.5),
    ulp=0.5,
)


# -- extrema -----------------------------------------------------------------------------
def _first_places(b: Builder, node: Node, x: Value, y: Value) -> Value:
    """Where each running extremum was met first, as positions along the axis."""
    axis, reverse, largest = node.attrs["axis"], node.attrs["reverse"], node.op == "cummax"
    size = x.shape[axis]
    start, limit, before = [0] * len(x.shape), list(x.shape), [0] * len(x.shape)
    after = list(before)
    if reverse:
        start[axis], after[axis] = 1, 1
    else:
        limit[axis], before[axis] = size - 1, 1
    kept = OPS["slice"](b, y, start=tuple(start), limit=tuple(limit), stride=(1,) * len(x.shape))
    worst = constant(b, (lowest if largest else highest)(x.type.dtype), x.type.dtype)
    widths = {"low": tuple(before), "high": tuple(after), "interior": (0,) * len(x.shape)}
    so_far = OPS["pad"](b, kept, worst, **widths)
    is_new = bit_not(b, (less_equal if largest else greater_equal)(b, x, so_far))
    places = iota(b, shape=x.shape, axis=axis, dtype=i64)
    outermost = constant(b, size - 1 if reverse else 0, i64, x.shape)
    latest = cummin if reverse else cummax
    return latest(b, select(b, is_new, places, outermost), axis=axis, reverse=reverse)


def _extremum_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    """The tangent of the element that reached the extremum first: of ties the first one moves it.

    An even split, as in the reductions, would need a sum over each tie up to each element.
    """
    (x,), (t,) = xs, ts
    assert t is not None
    if x.type.size == 0:
        return [None]
    return [take_along(b, t, _first_places(b, node, x, ys[0]), node.attrs["axis"])]


def _extremum(name: str, doc: str, accumulate: Callable[..., Array], joins: str) -> OpDef:
    return _cumulative(
        name,
        doc,
        accumulate,
        joins,
        REAL,
        widens=False,
        linearise=_extremum_linearise,
        domain=Domain(smooth=False),
    )


cummax = _extremum(
    "cummax",
    "The largest of the elements up to each one along `axis`; NaN from the first NaN on.",
    np.maximum.accumulate,
    "reduce_max",
)
cummin = _extremum(
    "cummin",
    "The smallest of the elements up to each one along `axis`; NaN from the first NaN on.",
    np.minimum.accumulate,
    "reduce_min",
)
