"""Reading and writing at computed places: gather and scatter.

Takes: a tensor, an integer tensor of index vectors (`addressing.py` says how they address windows),
for scatter also the updates. Gives: records `gather` (a movement: it is index arithmetic) and
`scatter`, each other's adjoints. Must not know: NumPy's indexing syntax, which the frontend turns
into these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types, define
from ..scalars import register
from ..types import ELEMENT_TYPES, NUMBERS, NUMERIC, REAL, DType, TensorType, bf16, i64
from . import draws
from .addressing import WINDOW_ATTRS, Windows, clamp_corners, draw_windows, fits
from .arithmetic import add, div, maximum, minimum, mul
from .families import arity, describe, move_axis_to_front, require, require_shape
from .logic import bit_and, equal, select
from .pairs import each
from .source import bf16_bits, bf16_values, constant, iota, scalar_like, zeros_like

INDEX_DOMAIN = Domain(int_low=-3, int_high=8)
"""Indices of tests reach out of small operands on both sides."""


# -- gather --------------------------------------------------------------------------------
def _gather_infer(types: Types, attrs: Attrs) -> Types:
    arity("gather", types, 2)
    x, indices = types
    windows = Windows.of(attrs, x.shape, indices.shape)
    windows.check("gather", indices)
    sizes, mode = tuple(attrs["sizes"]), attrs["mode"]
    require(mode in ("clip", "fill"), f"gather: mode is 'clip' or 'fill', got {mode!r}")
    require_shape(
        len(sizes) == x.rank and min((*sizes, 0)) >= 0,
        f"gather: sizes {sizes} need one entry ≥ 0 for each axis of {x.short}",
    )
    require_shape(
        all(sizes[a] == 1 for a in windows.collapsed + windows.operand_batch),
        f"gather: sizes {sizes} must be 1 on the collapsed axes {windows.collapsed} and the batch "
        f"axes {windows.operand_batch}",
    )
    result = TensorType(windows.result(sizes), x.dtype)
    require_shape(
        mode == "fill" or result.size == 0 or fits(x.shape, sizes),
        f"gather: a window of sizes {sizes} does not fit into {x.short}",
    )
    return (result,)


def _gather_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    x, indices = arrays
    windows = Windows.of(attrs, x.shape, indices.shape)
    if outs[0].size == 0 or not fits(x.shape, attrs["sizes"]):
        return [np.zeros(outs[0].shape, x.dtype)]
    corner, window = windows.places(indices, attrs["sizes"])
    corner, inside = clamp_corners(corner, x.shape, attrs["sizes"], outs[0].shape)
    value = np.broadcast_to(x[tuple(c + w for c, w in zip(corner, window))], outs[0].shape)
    return [np.asarray(value if attrs["mode"] == "clip" else np.where(inside, value, 0), x.dtype)]


def _gather_index(r: Any, node: Node, point: Any) -> Any:
    """Read at corner + window, the corner clamped; in mode fill select 0 where it was outside."""
    x, indices = node.inputs
    windows = Windows.of(node.attrs, x.shape, indices.shape)
    sizes, fill = node.attrs["sizes"], node.attrs["mode"] == "fill"
    zero = r.s.constant(0, register(x.type.dtype))
    if not fits(x.shape, sizes):
        return zero
    batch = [point[a] for a in windows.batch_axes]
    at: list[Any] = [None] * len(x.shape)
    for axis, k in zip(windows.operand_batch, windows.index_batch):
        at[axis] = batch[k]
    for axis, k in zip(windows.offset, windows.window_axes):
        at[k] = point[axis]
    inside: Any = None
    origin = r.linearise((), ())
    for j, axis in enumerate(windows.axes):
        component = r.read(1, [*batch, r.affine(origin, 0, j)])
        corner = r.cast_index(component, indices.type.dtype)
        clamped = r.clamp(corner, 0, x.shape[axis] - sizes[axis])
        if fill and clamped is not corner:
            valid = r.s.compare("eq", corner, clamped)
            inside = valid if inside is None else r.s.bit("and", inside, valid)
        at[axis] = clamped if at[axis] is None else r.add(clamped, at[axis])
    value = r.read(0, [origin if a is None else a for a in at])
    return value if inside is None else r.s.select(inside, value, zero)


def _gather_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    return [gather(b, ts[0], xs[1], **node.attrs)] if ts[0] is not None else [None]


def _gather_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,), indices, zeros = cts, xs[1], zeros_like(b, node.inputs[0])
    assert ct is not None and indices is not None
    attrs = {name: node.attrs[name] for name in WINDOW_ATTRS}
    mode = "clip" if node.attrs["mode"] == "clip" else "drop"
    return [scatter(b, zeros, indices, ct, op="add", mode=mode, **attrs), None]


def _gather_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = xs[0] if axes[0] is None else move_axis_to_front(b, xs[0], axes[0], size)
    indices = xs[1] if axes[1] is None else move_axis_to_front(b, xs[1], axes[1], size)
    windows = Windows.of(node.attrs, node.inputs[0].shape, node.inputs[1].shape)
    operand, both = axes[0] is not None, axes[0] is not None and axes[1] is not None
    attrs = windows.batched(operand=operand, indices=axes[1] is not None)
    sizes = ((1 if both else size,) if operand else ()) + tuple(node.attrs["sizes"])
    return [gather(b, x, indices, sizes=sizes, mode=node.attrs["mode"], **attrs)], [0]


def _gather_examples(rng: draws.Generator) -> list[draws.Example]:
    made: list[draws.Example] = []
    for k in range(2 * len(REAL)):
        windows, sizes, x, indices = draw_windows(rng, REAL[k % len(REAL)])
        attrs = {name: getattr(windows, name) for name in WINDOW_ATTRS}
        mode = draws.pick(rng, ("clip", "fill"))
        made.append(((x, indices), {**attrs, "sizes": sizes, "mode": mode}))
    return made


gather = define(
    OpDef(
        name="gather",
        family="movement",
        doc=(
            "The window of x at every index vector. A window that reaches out of x is moved inside "
            "(mode clip) or read as zeros (mode fill)."
        ),
        infer=_gather_infer,
        reference=_gather_reference,
        index=_gather_index,
        linearise=_gather_linearise,
        transpose=_gather_transpose,
        batch=_gather_batch,
        dtypes=REAL,
        parts=each,
        domain=INDEX_DOMAIN,
        examples=_gather_examples,
        cost=2.0,
    )
)


def take_along(b: Builder, x: Value, places: Value, axis: int) -> Value:
    """Elements of x at `places` along one axis, the others running along: both of one shape."""
    others = tuple(k for k in range(len(x.shape)) if k != axis)
    vectors = OPS["reshape"](b, places, shape=(*places.shape, 1))
    attrs = {
        "axes": (axis,), "collapsed": (axis,), "operand_batch": others, "index_batch": others,
        "offset": (),
    }  # fmt: skip
    return gather(b, x, vectors, sizes=(1,) * len(x.shape), mode="clip", **attrs)


# -- scatter -------------------------------------------------------------------------------
_ACCEPTED = {"set": ELEMENT_TYPES, "add": NUMBERS, "mul": NUMERIC, "min": REAL, "max": REAL}


def _scatter_infer(types: Types, attrs: Attrs) -> Types:
    arity("scatter", types, 3)
    x, indices, updates = types
    op, mode = attrs["op"], attrs["mode"]
    require(op in _ACCEPTED, f"scatter: op is one of {', '.join(_ACCEPTED)}, got {op!r}")
    require(mode in ("drop", "clip"), f"scatter: mode is 'drop' or 'clip', got {mode!r}")
    require(
        x.dtype is updates.dtype and x.dtype in _ACCEPTED[op],
        f"scatter {op} needs updates of the operand's dtype, among "
        f"{', '.join(map(str, _ACCEPTED[op]))}; got {describe((x, updates))}",
    )
    windows = Windows.of(attrs, x.shape, indices.shape)
    windows.check("scatter", indices)
    rank = windows.batch_rank + len(windows.offset)
    require_shape(
        updates.rank == rank,
        f"scatter: the updates {updates.short} need {rank} axes: those of the indices "
        f"{indices.short} but the last, and the window's",
    )
    sizes = windows.sizes(updates.shape)
    require_shape(
        windows.result(sizes) == updates.shape,
        f"scatter: the updates {updates.short} need shape {windows.result(sizes)}: axes "
        f"{windows.batch_axes} must be those of the indices {indices.short}",
    )
    require_shape(
        mode == "drop" or updates.size == 0 or fits(x.shape, sizes),
        f"scatter: a window of sizes {sizes} does not fit into {x.short}",
    )
    return (x,)


def _combine(op: str, dtype: DType) -> Any:
    """How one update changes one element, in NumPy, rounded to `dtype`."""
    extremum = {"min": minimum, "max": maximum}.get(op)

    def combine(old: Any, new: Any) -> Any:
        if op == "set":
            return new
        if extremum is not None:
            kind = (TensorType((), dtype),)
            return extremum.reference([old, new], {}, kind * 2, kind)[0]
        out = old + new if op == "add" else old * new
        return bf16_values(bf16_bits(out)) if dtype is bf16 else out

    return combine


def _scatter_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    x, indices, updates = arrays
    out = x.copy()
    windows = Windows.of(attrs, x.shape, indices.shape)
    sizes = windows.sizes(updates.shape)
    if updates.size == 0 or not fits(x.shape, sizes):
        return [out]
    corner, window = windows.places(indices, sizes)
    clamped, inside = clamp_corners(corner, x.shape, sizes, updates.shape)
    combine = _combine(attrs["op"], ins[0].dtype)
    with np.errstate(all="ignore"):
        for point in np.ndindex(updates.shape):
            if attrs["mode"] == "clip" or inside[point]:
                at = tuple(int(c[point] + w[point]) for c, w in zip(clamped, window))
                out[at] = combine(out[at], updates[point])
    return [out]


def _scatter_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    x, indices, updates = xs
    op = node.attrs["op"]
    if op in ("set", "add"):
        moved = [zeros_like(b, v) if t is None else t for v, t in ((x, ts[0]), (updates, ts[2]))]
        return [scatter(b, moved[0], indices, moved[1], **node.attrs)]
    if op == "mul":
        return [_mul_tangent(b, node, xs, ts)]
    return [_extremum_tangent(b, node, xs, ys[0], ts)]


def _mul_tangent(b: Builder, node: Node, xs: Sequence[Value], ts: Tangents) -> Value | None:
    """Each update's term is its tangent times x and all other updates there, zeros among them."""
    x, indices, updates = xs
    attrs = node.attrs
    from_x = None if ts[0] is None else scatter(b, ts[0], indices, updates, **attrs)
    if ts[2] is None:
        return from_x
    zero, one = zeros_like(b, updates), scalar_like(b, 1, updates)
    is_zero = equal(b, updates, zero)
    safe = select(b, is_zero, one, updates)
    summing = {**attrs, "op": "add"}
    zeros = scatter(b, zeros_like(b, x), indices, select(b, is_zero, one, zero), **summing)
    count = _gathered(b, node, zeros, indices)
    others = _gathered(b, node, scatter(b, x, indices, safe, **attrs), indices)
    alone = bit_and(b, is_zero, equal(b, count, one))
    partial = select(b, equal(b, count, zero), div(b, others, safe), select(b, alone, others, zero))
    term = scatter(b, zeros_like(b, x), indices, mul(b, partial, ts[2]), **summing)
    return term if from_x is None else add(b, from_x, term)


def _extremum_tangent(b: Builder, node: Node, xs: Sequence[Value], y: Value, ts: Tangents) -> Value:
    """The mean tangent of all that equal the extremum: ties share evenly."""
    x, indices, updates = xs
    summing = {**node.attrs, "op": "add"}
    masks = []
    for mine, extreme in ((x, y), (updates, _gathered(b, node, y, indices))):
        one, zero = scalar_like(b, 1, mine), zeros_like(b, mine)
        masks.append(select(b, equal(b, mine, extreme), one, zero))
    count = scatter(b, masks[0], indices, masks[1], **summing)
    terms = [
        zeros_like(b, mask) if t is None else mul(b, mask, t) for mask, t in zip(masks, ts[::2])
    ]
    return div(b, scatter(b, terms[0], indices, terms[1], **summing), count)


def _gathered(b: Builder, node: Node, x: Value, indices: Value) -> Value:
    """What stands in x at the place of every update; 0 for an update that is dropped."""
    updates = node.inputs[2].shape
    attrs = {name: node.attrs[name] for name in WINDOW_ATTRS}
    sizes = Windows.of(attrs, x.shape, indices.shape).sizes(updates)
    mode = "clip" if node.attrs["mode"] == "clip" else "fill"
    return gather(b, x, indices, sizes=sizes, mode=mode, **attrs)


def _last_writers(b: Builder, node: Node, indices: Value) -> Value:
    """For every update whether it is the last one to its place: a bool of the updates' shape."""
    shape = node.inputs[2].shape
    count = int(np.prod(shape, dtype=np.int64))
    ramp = add(b, iota(b, shape=(count,), axis=0, dtype=i64), constant(b, 1, i64, (count,)))
    number = OPS["reshape"](b, ramp, shape=shape)
    nobody = constant(b, 0, i64, node.inputs[0].shape)
    writer = scatter(b, nobody, indices, number, **node.attrs)
    return equal(b, _gathered(b, node, writer, indices), number)


def _scatter_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    x, indices, updates = xs
    (ct,) = cts
    assert ct is not None and indices is not None
    op, to_x, to_updates = node.attrs["op"], None, None
    if op == "mul":  # linear in x alone
        assert updates is not None
        return [scatter(b, ct, indices, updates, **node.attrs), None, None]
    if x is None:
        to_x = ct
        if op == "set":
            zeros = zeros_like(b, node.inputs[2])
            to_x = scatter(b, ct, indices, zeros, **node.attrs)
    if updates is None:
        to_updates = _gathered(b, node, ct, indices)
        if op == "set":
            last = _last_writers(b, node, indices)
            to_updates = select(b, last, to_updates, zeros_like(b, to_updates))
    return [to_x, None, to_updates]


def _scatter_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    updates = move_axis_to_front(b, xs[2], axes[2], size)
    indices = xs[1] if axes[1] is None else move_axis_to_front(b, xs[1], axes[1], size)
    windows = Windows.of(node.attrs, node.inputs[0].shape, node.inputs[1].shape)
    attrs = windows.batched(operand=True, indices=axes[1] is not None)
    op, mode = node.attrs["op"], node.attrs["mode"]
    return [scatter(b, x, indices, updates, op=op, mode=mode, **attrs)], [0]


def _scatter_examples(rng: draws.Generator) -> list[draws.Example]:
    made: list[draws.Example] = []
    for op, accepted in _ACCEPTED.items():
        for dtype in (d for d in accepted if not d.is_complex):
            windows, sizes, x, indices = draw_windows(rng, dtype)
            attrs = {name: getattr(windows, name) for name in WINDOW_ATTRS}
            updates = TensorType(windows.result(sizes), dtype)
            mode = draws.pick(rng, ("drop", "clip"))
            made.append(((x, indices, updates), {**attrs, "op": op, "mode": mode}))
    return made


scatter = define(
    OpDef(
        name="scatter",
        family="indexing",
        route="scatter",
        doc=(
            "x with every element of the updates set, added, multiplied or min/max-ed into its "
            "place, one after another in row-major order of the updates, rounding each time. A "
            "window that reaches out of x is dropped whole (mode drop) or moved inside (clip)."
        ),
        infer=_scatter_infer,
        reference=_scatter_reference,
        linearise=_scatter_linearise,
        transpose=_scatter_transpose,
        batch=_scatter_batch,
        parts=each,
        dtypes=REAL,
        domain=INDEX_DOMAIN,
        examples=_scatter_examples,
        ulp=0.5,
        cost=4.0,
    )
)
