"""Sorting along one axis: `sort`, of keys and what goes with them.

Takes: tensors of one shape, of which the first `num_keys` are compared, in turn. Gives: all of
them, moved the same way. The order is total and stable: NaNs come last, −0 equals +0, equals
stay in order. Must not know: how sorting is scheduled; descending orders, which transform the keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import Array, Attrs, Domain, OpDef, Pair, Part, Tangents, Types, define
from ..types import ELEMENT_TYPES, REAL, TensorType, i32, i64
from . import draws
from .families import describe, move_axis_to_front, require, require_shape
from .indexing import take_along
from .source import iota


def _infer(types: Types, attrs: Attrs) -> Types:
    axis, num_keys = attrs["axis"], attrs["num_keys"]
    require(bool(types), "sort takes at least one operand, got none")
    require(
        1 <= num_keys <= len(types),
        f"sort: num_keys is from 1 to the number of operands, {len(types)}; got {num_keys}",
    )
    first = types[0]
    for k, t in enumerate(types):
        require(
            t.dtype in (REAL if k < num_keys else ELEMENT_TYPES),
            f"sort does not take keys of {t.dtype}, which have no order: {describe(types)}"
            if t.dtype.is_complex
            else f"sort does not take {t.dtype}: {describe(types)}",
        )
        require_shape(
            t.shape == first.shape, f"sort needs operands of one shape, got {describe(types)}"
        )
    require_shape(
        0 <= axis < first.rank, f"sort: axis {axis} must be below the rank of {first.short}"
    )
    return types


def _reference(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
    axis, keys = attrs["axis"], arrays[: attrs["num_keys"]]
    if arrays[0].size == 0:
        return [a.copy() for a in arrays]
    order = np.lexsort(tuple(reversed(keys)), axis=axis)
    return [np.take_along_axis(a, order, axis) for a in arrays]


def with_tangents(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    """The sorted operands and their tangents, moved as they are: one sort gives the places too."""
    shape, axis = xs[0].shape, node.attrs["axis"]
    places = iota(b, shape=shape, axis=axis, dtype=i32 if shape[axis] < 1 << 31 else i64)
    *outs, order = sort.many(b, *xs, places, **node.attrs)
    return outs, [None if t is None else take_along(b, t, order, axis) for t in ts]


def _linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    return with_tangents(b, node, xs, ts)[1]


def _batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    fronted = [move_axis_to_front(b, x, axis, size) for x, axis in zip(xs, axes)]
    attrs = {**node.attrs, "axis": node.attrs["axis"] + 1}
    return sort.many(b, *fronted, **attrs), [0] * len(fronted)


def _draw(rng: draws.Generator, x: TensorType) -> draws.Example | None:
    if x.rank == 0:
        return None
    others = [TensorType(x.shape, draws.pick(rng, REAL)) for _ in range(int(rng.integers(3)))]
    num_keys = int(rng.integers(1, len(others) + 2))
    return (x, *others), {"axis": int(rng.integers(x.rank)), "num_keys": num_keys}


def _parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    """Complex operands go along as two."""
    flat = [part for x in xs for part in (x if isinstance(x, Pair) else (x,))]
    moved = iter(sort.many(b, *flat, **node.attrs))
    return [Pair(next(moved), next(moved)) if isinstance(x, Pair) else next(moved) for x in xs]


sort: OpDef = define(
    OpDef(
        name="sort",
        family="ordered",
        route="sort",
        doc=(
            "The operands with the places along `axis` in increasing order of the first `num_keys` "
            "operands, equals in the order in which they were. NaNs come last; −0 equals +0."
        ),
        infer=_infer,
        reference=_reference,
        linearise=_linearise,
        batch=_batch,
        parts=_parts,
        dtypes=REAL,
        domain=Domain(int_low=-3, int_high=3, smooth=False),
        examples=draws.from_tensors(REAL, _draw),
        cost=50.0,
    )
)
