"""Sums, products and extrema over segments, as `jax.ops` has them.

Takes: rows and the number of each one's segment. Gives: one row a segment. Must not know: scatters.
"""

from __future__ import annotations

from typing import Any

from . import numpy as lnp
from .apply import fail, value_of
from .numpy.counting import known_count
from .public import listing
from .tensor import Tensor


def segment_sum(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
) -> Tensor:
    """Row s of the result is the sum of the rows of `data` whose id is s; 0 where there are none.

    data: [n, …]; segment_ids: n integers; result: [num_segments, …]. Rows with an id outside of
    0 … num_segments − 1 are left out. Without num_segments it is the largest id plus one, which
    must be known: under `compile` give it. The other arguments are hints that nothing depends on.

    >>> import lazir as lz
    >>> lz.ops.segment_sum(lz.Tensor([1.0, 2.0, 4.0]), lz.Tensor([0, 2, 0]), 3).tolist()
    [5.0, 0.0, 2.0]
    """
    return _segments("segment_sum", data, segment_ids, num_segments)


def segment_prod(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
) -> Tensor:
    """As `segment_sum`, the product; 1 where there are no rows.

    >>> import lazir as lz
    >>> lz.ops.segment_prod(lz.Tensor([1.0, 2.0, 4.0]), lz.Tensor([0, 2, 0]), 3).tolist()
    [4.0, 1.0, 2.0]
    """
    return _segments("segment_prod", data, segment_ids, num_segments)


def segment_max(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
) -> Tensor:
    """As `segment_sum`, the largest; where there are no rows −inf, or the least integer.

    >>> import lazir as lz
    >>> lz.ops.segment_max(lz.Tensor([1.0, 2.0, 4.0]), lz.Tensor([0, 2, 0]), 3).tolist()
    [4.0, -inf, 2.0]
    """
    return _segments("segment_max", data, segment_ids, num_segments)


def segment_min(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
) -> Tensor:
    """As `segment_sum`, the least; where there are no rows inf, or the largest integer.

    >>> import lazir as lz
    >>> lz.ops.segment_min(lz.Tensor([1.0, 2.0, 4.0]), lz.Tensor([0, 2, 0]), 3).tolist()
    [1.0, inf, 2.0]
    """
    return _segments("segment_min", data, segment_ids, num_segments)


def _segments(name: str, data: Any, segment_ids: Any, count: int | None) -> Tensor:
    rows, ids = lnp.asarray(data), lnp.asarray(segment_ids)
    if not lnp.isdtype(ids.dtype, "integral"):
        fail(f"{name} takes integers as segment_ids, got {ids.dtype}")
    if ids.ndim != 1 or rows.ndim < 1 or rows.shape[0] != ids.shape[0]:
        fail(
            f"{name} takes one id for each row; data has shape {rows.shape}, "
            f"segment_ids {ids.shape}"
        )
    total = _count(ids) if count is None else count
    if total < 0:
        fail(f"{name}: num_segments is {total}, it must not be negative")
    if ids.shape[0] == 0:
        return lnp.full((total, *rows.shape[1:]), _unit(name, rows), rows.dtype)
    kept = lnp.where(ids < 0, total, ids)
    start = lnp.full((total, *rows.shape[1:]), _unit(name, rows), rows.dtype)
    update = {"sum": "add", "prod": "multiply"}.get(name[8:], name[8:])
    result: Tensor = getattr(start.at[kept], update)(rows, mode="drop")
    return result


def _count(ids: Tensor) -> int:
    if ids.shape[0] == 0:
        return 0
    return known_count(value_of(lnp.max(ids)), "the largest segment id", "num_segments") + 1


def _unit(name: str, rows: Tensor) -> Any:
    if name in ("segment_sum", "segment_prod"):
        return 0 if name == "segment_sum" else 1
    low = name == "segment_max"
    if lnp.isdtype(rows.dtype, "bool"):
        return not low
    if lnp.isdtype(rows.dtype, "real floating"):
        return -lnp.inf if low else lnp.inf
    if lnp.isdtype(rows.dtype, "integral"):
        return lnp.iinfo(rows.dtype).min if low else lnp.iinfo(rows.dtype).max
    return fail(f"{name}: there is no order of {rows.dtype}")


__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]
__dir__ = listing(__name__)
