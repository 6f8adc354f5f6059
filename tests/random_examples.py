"""Examples of ops of which one operand is a given tensor, larger than the table's own examples.

Takes: a seeded generator, a tensor type. Gives: `WIDE`: by op, what draws operand types and
attributes, or None where the op does not take the tensor. Must not know: graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lazir.compiler.ops  # noqa: F401  (fills the table)
from lazir.compiler.opdef import OPS
from lazir.compiler.ops import draws
from lazir.compiler.types import TensorType, i1, i32, i64

Generator = np.random.Generator
Example = tuple[tuple[TensorType, ...], dict[str, Any]]

LARGEST = 4096
"""Elements of the largest value."""


def _sizes(rng: Generator, count: int, room: int) -> list[int]:
    """`count` sizes, one of them large where there is room."""
    sizes = [int(rng.integers(1, 4)) for _ in range(count)]
    if count and rng.integers(2):
        sizes[int(rng.integers(count))] = int(rng.integers(1, max(2, min(40, room))))
    return sizes


def _wide_dot(rng: Generator, x: TensorType) -> Example | None:
    """The tensor times another with a random part of its axes contracted."""
    if x.dtype not in OPS["dot_general"].dtypes or x.rank > 4:
        return None
    kinds = rng.integers(0, 3, x.rank)  # batch, contracting, free
    batch, contracting = (tuple(k for k in range(x.rank) if kinds[k] == kind) for kind in (0, 1))
    out = x.size // max(1, int(np.prod([x.shape[k] for k in contracting])))
    free = _sizes(rng, int(rng.integers(0, 3)), LARGEST // max(1, out))
    shape = [x.shape[k] for k in batch] + [x.shape[k] for k in contracting] + free
    order = draws.permutation(rng, len(shape))
    place = [order.index(k) for k in range(len(shape))]
    y = TensorType(tuple(shape[k] for k in order), x.dtype)
    attrs = {
        "lhs_batch": batch, "lhs_contracting": contracting,
        "rhs_batch": tuple(place[: len(batch)]),
        "rhs_contracting": tuple(place[len(batch) : len(batch) + len(contracting)]),
    }  # fmt: skip
    if rng.integers(2):
        names = ("batch", "contracting")
        attrs = {
            f"{s}_{n}": attrs[f"{o}_{n}"]
            for s, o in (("lhs", "rhs"), ("rhs", "lhs"))
            for n in names
        }
        return (y, x), attrs
    return (x, y), attrs


def _wide_conv(rng: Generator, x: TensorType) -> Example | None:
    """The tensor as the signal, its axes in any role."""
    if x.dtype not in OPS["conv"].dtypes or not 2 <= x.rank <= 4:
        return None
    spatial = x.rank - 2
    digits = "".join(map(str, range(spatial)))

    def layout(letters: str) -> str:
        return "".join((letters + digits)[k] for k in draws.permutation(rng, x.rank))

    def steps(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(n) for n in rng.integers(low, high + 1, spatial))

    lhs, rhs, out = layout("nc"), layout("oi"), layout("nc")
    signal = dict(zip(lhs, x.shape))
    sizes = {"i": signal["c"], "o": _sizes(rng, 1, 20)[0], **dict(zip(digits, steps(1, 3)))}
    attrs = {
        "lhs": lhs, "rhs": rhs, "out": out, "stride": steps(1, 2), "low": steps(-1, 2),
        "high": steps(-1, 2), "lhs_dilation": steps(1, 2), "rhs_dilation": steps(1, 2),
    }  # fmt: skip
    return (x, TensorType(tuple(sizes[a] for a in rhs), x.dtype)), attrs


def _wide_window(rng: Generator, x: TensorType) -> Example | None:
    if x.dtype not in OPS["reduce_window"].dtypes or x.rank > 4:
        return None
    op = draws.pick(rng, ("max", "min") if x.dtype is i1 else ("sum", "max", "min"))

    def steps(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(n) for n in rng.integers(low, high + 1, x.rank))

    attrs = {
        "op": op, "window": steps(1, 3), "stride": steps(1, 2), "low": steps(-1, 2),
        "high": steps(-1, 2), "base_dilation": steps(1, 2), "window_dilation": steps(1, 2),
    }  # fmt: skip
    return (x,), attrs


def _rows(rng: Generator, x: TensorType) -> tuple[dict[str, Any], TensorType, TensorType] | None:
    """Rows along one axis at a vector of places: attributes, indices and what stands there."""
    full = [k for k, n in enumerate(x.shape) if n]
    if not full:
        return None
    axis = draws.pick(rng, full)
    count = _sizes(rng, 1, LARGEST * x.shape[axis] // max(1, x.size))[0]
    rest = x.shape[:axis] + x.shape[axis + 1 :]
    attrs = {
        "axes": (axis,), "collapsed": (axis,), "operand_batch": (), "index_batch": (),
        "offset": tuple(range(1, x.rank)),
    }  # fmt: skip
    indices = TensorType((count, 1), draws.pick(rng, (i32, i64)))
    return attrs, indices, TensorType((count, *rest), x.dtype)


def _wide_gather(rng: Generator, x: TensorType) -> Example | None:
    made = _rows(rng, x)
    if made is None:
        return None
    attrs, indices, _ = made
    sizes = tuple(1 if k in attrs["axes"] else n for k, n in enumerate(x.shape))
    return (x, indices), {**attrs, "sizes": sizes, "mode": draws.pick(rng, ("clip", "fill"))}


def _wide_scatter(rng: Generator, x: TensorType) -> Example | None:
    made = _rows(rng, x)
    if made is None:
        return None
    attrs, indices, updates = made
    ops = ("set", "max") if x.dtype is i1 else ("set", "add", "mul", "min", "max")
    mode = draws.pick(rng, ("drop", "clip"))
    return (x, indices, updates), {**attrs, "op": draws.pick(rng, ops), "mode": mode}


WIDE: dict[str, Callable[[Generator, TensorType], Example | None]] = {
    "dot_general": _wide_dot, "conv": _wide_conv, "reduce_window": _wide_window,
    "gather": _wide_gather, "scatter": _wide_scatter,
}  # fmt: skip
