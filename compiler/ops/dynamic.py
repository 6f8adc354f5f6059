"""Slices whose start is computed: dynamic_slice and dynamic_update_slice, each other's adjoints.

Takes: a tensor, for the update a piece of it, and one integer scalar per axis. A slice that would
reach out of the tensor is moved inside. Gives: records. Must not know: NumPy's indexing syntax.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, OpDef, Tangents, Types, define
from ..types import INTEGERS, REAL, TensorType, i64
from . import draws
from .families import describe, move_axis_to_front, require, require_shape
from .indexing import INDEX_DOMAIN, gather, scatter
from .pairs import each
from .source import constant, zeros_like


def _check_starts(name: str, x: TensorType, starts: Types) -> None:
    require(
        len(starts) == x.rank,
        f"{name}: {x.short} needs {x.rank} starts, one scalar per axis; got {len(starts)}",
    )
    require(
        all(t.dtype.is_integer and t.rank == 0 for t in starts),
        f"{name}: the starts must be integer scalars, got {describe(starts)}",
    )


def _check_sizes(name: str, x: TensorType, sizes: Sequence[int]) -> None:
    require_shape(
        len(sizes) == x.rank and all(0 <= size <= n for size, n in zip(sizes, x.shape)),
        f"{name}: sizes {tuple(sizes)} need one entry for each axis of {x.short}, not above it",
    )


def _place(shape: Sequence[int], sizes: Sequence[int], starts: Sequence[Array]) -> Any:
    """The slice objects of the piece, moved inside."""
    corner = [min(max(int(at), 0), n - k) for at, n, k in zip(starts, shape, sizes)]
    return tuple(slice(c, c + k) for c, k in zip(corner, sizes))


def _joined(b: Builder, starts: Sequence[Value], axes: Sequence[int | None], size: int) -> Value:
    """Starts with a batch axis as i64 index vectors: shape (size, number of starts)."""
    columns = []
    for start, axis in zip(starts, axes):
        column = OPS["convert"](b, move_axis_to_front(b, start, axis, size), dtype=i64)
        columns.append(OPS["reshape"](b, column, shape=(size, 1)))
    if not columns:
        return constant(b, 0, i64, (size, 0))
    return OPS["concat"](b, *columns, axis=1)


def _zero_start(b: Builder) -> Value:
    return constant(b, 0, i64)


# -- dynamic_slice -------------------------------------------------------------------------
def _slice_infer(types: Types, attrs: Attrs) -> Types:
    require(bool(types), "dynamic_slice needs an operand")
    x, *starts = types
    _check_starts("dynamic_slice", x, tuple(starts))
    _check_sizes("dynamic_slice", x, attrs["sizes"])
    return (TensorType(tuple(attrs["sizes"]), x.dtype),)


def _slice_index(r: Any, node: Node, point: Any) -> Any:
    at = []
    for k, (p, n, size) in enumerate(zip(point, node.inputs[0].shape, node.attrs["sizes"])):
        if size == n:
            at.append(p)
            continue
        start = r.cast_index(r.read(k + 1, []), node.inputs[k + 1].type.dtype)
        at.append(r.add(r.clamp(start, 0, n - size), p))
    return r.read(0, at)


def _slice_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    return [dynamic_slice(b, ts[0], *xs[1:], **node.attrs)] if ts[0] is not None else [None]


def _slice_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,), starts = cts, [x for x in xs[1:] if x is not None]
    assert ct is not None
    zeros = zeros_like(b, node.inputs[0])
    return [dynamic_update_slice(b, zeros, ct, *starts), *[None] * len(starts)]


def _slice_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    sizes, rank = tuple(node.attrs["sizes"]), len(node.inputs[0].shape)
    x = xs[0] if axes[0] is None else move_axis_to_front(b, xs[0], axes[0], size)
    if all(axis is None for axis in axes[1:]):
        return [dynamic_slice(b, x, _zero_start(b), *xs[1:], sizes=(size, *sizes))], [0]
    mapped = int(axes[0] is not None)
    result = gather(
        b,
        x,
        _joined(b, xs[1:], axes[1:], size),
        axes=tuple(k + mapped for k in range(rank)),
        collapsed=(),
        operand_batch=(0,) * mapped,
        index_batch=(0,) * mapped,
        offset=tuple(range(1, rank + 1)),
        sizes=(1,) * mapped + sizes,
        mode="clip",
    )
    return [result], [0]


def _starts(rng: draws.Generator, rank: int) -> Types:
    return tuple(TensorType((), draws.pick(rng, INTEGERS)) for _ in range(rank))


def _some_sizes(rng: draws.Generator, x: TensorType) -> tuple[int, ...]:
    low = 0 if rng.integers(4) == 0 else 1
    return tuple(int(rng.integers(min(low, n), n + 1)) for n in x.shape)


dynamic_slice = define(
    OpDef(
        name="dynamic_slice",
        family="movement",
        doc="The piece of x of shape `sizes` that starts at the given scalars, moved inside x.",
        infer=_slice_infer,
        reference=lambda arrays, attrs, ins, outs: [
            arrays[0][_place(ins[0].shape, attrs["sizes"], arrays[1:])].copy()
        ],
        index=_slice_index,
        linearise=_slice_linearise,
        transpose=_slice_transpose,
        batch=_slice_batch,
        dtypes=REAL,
        parts=each,
        domain=INDEX_DOMAIN,
        examples=draws.from_tensors(
            REAL,
            lambda rng, x: ((x, *_starts(rng, x.rank)), {"sizes": _some_sizes(rng, x)}),
        ),
        cost=1.0,
    )
)


# -- dynamic_update_slice --------------------------------------------------------------------
def _update_infer(types: Types, attrs: Attrs) -> Types:
    require(len(types) >= 2, "dynamic_update_slice needs an operand and an update")
    x, update, *starts = types
    require(
        update.dtype is x.dtype and update.rank == x.rank,
        f"dynamic_update_slice needs an update of the operand's dtype and rank, got "
        f"{describe((x, update))}",
    )
    _check_starts("dynamic_update_slice", x, tuple(starts))
    _check_sizes("dynamic_update_slice", x, update.shape)
    return (x,)


def _update_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    x, update, *starts = arrays
    out = x.copy()
    out[_place(x.shape, update.shape, starts)] = update
    return [out]


def _update_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    moved = [zeros_like(b, x) if t is None else t for x, t in zip(xs[:2], ts[:2])]
    return [dynamic_update_slice(b, *moved, *xs[2:])]


def _update_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    (ct,), starts = cts, [x for x in xs[2:] if x is not None]
    assert ct is not None
    update = node.inputs[1]
    to_x = to_update = None
    if xs[0] is None:
        to_x = dynamic_update_slice(b, ct, zeros_like(b, update), *starts)
    if xs[1] is None:
        to_update = dynamic_slice(b, ct, *starts, sizes=update.shape)
    return [to_x, to_update, *[None] * len(starts)]


def _update_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    x = move_axis_to_front(b, xs[0], axes[0], size)
    update = move_axis_to_front(b, xs[1], axes[1], size)
    if all(axis is None for axis in axes[2:]):
        return [dynamic_update_slice(b, x, update, _zero_start(b), *xs[2:])], [0]
    rank = len(node.inputs[0].shape)
    result = scatter(
        b,
        x,
        _joined(b, xs[2:], axes[2:], size),
        update,
        axes=tuple(range(1, rank + 1)),
        collapsed=(),
        operand_batch=(0,),
        index_batch=(0,),
        offset=tuple(range(1, rank + 1)),
        op="set",
        mode="clip",
    )
    return [result], [0]


def _update_example(rng: draws.Generator, x: TensorType) -> draws.Example:
    return (x, TensorType(_some_sizes(rng, x), x.dtype), *_starts(rng, x.rank)), {}


dynamic_update_slice = define(
    OpDef(
        name="dynamic_update_slice",
        family="indexing",
        route="update",
        doc="x with the piece at the given scalars (moved inside x) replaced by an update.",
        infer=_update_infer,
        reference=_update_reference,
        linearise=_update_linearise,
        transpose=_update_transpose,
        batch=_update_batch,
        dtypes=REAL,
        parts=each,
        domain=INDEX_DOMAIN,
        examples=draws.from_tensors(REAL, _update_example),
        cost=1.0,
    )
)
