"""Draws operand types and attributes that an op accepts, for the tests derived from the table.

Takes: accepted dtypes, a seeded generator. Gives: `examples` functions for records: ranks 0 to 4,
empty and odd sizes, every dtype at least once. Must not know: values, expected results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..opdef import Examples, Types
from ..types import REAL, DType, Shape, TensorType, i1

Generator: TypeAlias = np.random.Generator
Example: TypeAlias = tuple[Types, dict[str, Any]]

SHAPES: tuple[Shape, ...] = (
    (), (1,), (3,), (17,), (33,), (0,), (2, 0, 3), (5, 7), (1, 16), (2, 3, 4), (3, 1, 2, 5),
)  # fmt: skip


def pick(rng: Generator, options: Sequence[Any]) -> Any:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def some_axes(rng: Generator, rank: int) -> tuple[int, ...]:
    """A subset of the axes, increasing."""
    return tuple(k for k in range(rank) if rng.integers(2))


def permutation(rng: Generator, rank: int) -> tuple[int, ...]:
    """A permutation of the axes."""
    return tuple(int(k) for k in rng.permutation(rank))


def small_shape(rng: Generator, rank: int, low: int = 1, high: int = 5) -> Shape:
    """A shape of this rank with sizes from low to high."""
    return tuple(int(n) for n in rng.integers(low, high + 1, rank))


def tensors(rng: Generator, dtypes: Sequence[DType]) -> list[TensorType]:
    """One tensor type per shape and at least one per dtype."""
    count = max(len(SHAPES), len(dtypes))
    shift = int(rng.integers(len(dtypes)))
    order = rng.permutation(len(SHAPES))
    return [
        TensorType(SHAPES[order[k % len(SHAPES)]], dtypes[(k + shift) % len(dtypes)])
        for k in range(count)
    ]


def from_tensors(
    dtypes: Sequence[DType], draw: Callable[[Generator, TensorType], Example | None]
) -> Examples:
    """Examples made from each of `tensors`; `draw` gives None for a shape it has no use for."""

    def examples(rng: Generator) -> list[Example]:
        made = [
            draw(rng, x) or draw(rng, TensorType((2, 3), x.dtype)) for x in tensors(rng, dtypes)
        ]
        return [example for example in made if example is not None]

    return examples


def elementwise(on: Sequence[DType], operands: int) -> Examples:
    """`operands` tensors of one type."""
    return from_tensors(on, lambda rng, x: ((x,) * operands, {}))


def selection() -> Examples:
    """A bool tensor and two of any one type."""
    return from_tensors(REAL, lambda rng, x: ((TensorType(x.shape, i1), x, x), {}))


def conversion(targets: Sequence[DType], on: Sequence[DType] = REAL) -> Examples:
    """Every pair of dtypes."""

    def examples(rng: Generator) -> list[Example]:
        return [
            ((TensorType(pick(rng, SHAPES), source),), {"dtype": target})
            for source in on
            for target in targets
        ]

    return examples


def same_width(on: Sequence[DType]) -> Examples:
    """Every pair of dtypes of equal width."""

    def examples(rng: Generator) -> list[Example]:
        return [
            ((TensorType(pick(rng, SHAPES), source),), {"dtype": target})
            for source in on
            for target in on
            if source.bits == target.bits
        ]

    return examples


# -- reductions --------------------------------------------------------------------------
def reduction(on: Sequence[DType]) -> Examples:
    """A tensor and some of its axes, all of them now and then."""

    def draw(rng: Generator, x: TensorType) -> Example:
        every = rng.integers(4) == 0
        axes = tuple(range(x.rank)) if every else some_axes(rng, x.rank)
        return (x,), {"axes": axes}

    return from_tensors(on, draw)


def one_axis(on: Sequence[DType]) -> Examples:
    """A tensor and one axis that is not empty."""

    def draw(rng: Generator, x: TensorType) -> Example | None:
        full = [k for k, n in enumerate(x.shape) if n]
        return ((x,), {"axes": (pick(rng, full),)}) if full else None

    return from_tensors(on, draw)


# -- movement ----------------------------------------------------------------------------
def _broadcast(rng: Generator, x: TensorType) -> Example:
    shape = list(x.shape)
    axes = list(range(x.rank))
    for _ in range(int(rng.integers(3))):
        at = int(rng.integers(len(shape) + 1))
        shape.insert(at, int(rng.integers(0, 4)))
        axes = [a + (a >= at) for a in axes]
    return (x,), {"shape": tuple(shape), "axes": tuple(axes)}


def _reshape(rng: Generator, x: TensorType) -> Example:
    shape = list(x.shape)
    if len(shape) >= 2 and rng.integers(2):
        at = int(rng.integers(len(shape) - 1))
        shape[at : at + 2] = [shape[at] * shape[at + 1]]
    elif rng.integers(2):
        shape = [x.size]
    else:
        shape = [n for size in shape for n in ((2, size // 2) if size % 2 == 0 else (size, 1))]
    return (x,), {"shape": tuple(shape)}


def _slice(rng: Generator, x: TensorType) -> Example:
    start = tuple(int(rng.integers(n + 1)) for n in x.shape)
    limit = tuple(int(rng.integers(lo, n + 1)) for lo, n in zip(start, x.shape))
    stride = tuple(int(rng.integers(1, 4)) for _ in x.shape)
    return (x,), {"start": start, "limit": limit, "stride": stride}


def _pad(rng: Generator, x: TensorType) -> Example:
    low, high, interior = (
        tuple(int(n) for n in rng.integers(0, 3, x.rank)) for _ in ("low", "high", "interior")
    )
    return (x, TensorType((), x.dtype)), {"low": low, "high": high, "interior": interior}


def _concat(rng: Generator, x: TensorType) -> Example | None:
    if x.rank == 0:
        return None
    axis = int(rng.integers(x.rank))
    pieces = tuple(
        TensorType((*x.shape[:axis], int(rng.integers(4)), *x.shape[axis + 1 :]), x.dtype)
        for _ in range(int(rng.integers(3)))
    )
    return (x, *pieces), {"axis": axis}


broadcast = from_tensors(REAL, _broadcast)
reshape = from_tensors(REAL, _reshape)
transpose = from_tensors(REAL, lambda rng, x: ((x,), {"permutation": permutation(rng, x.rank)}))
slice_ = from_tensors(REAL, _slice)
pad = from_tensors(REAL, _pad)
concat = from_tensors(REAL, _concat)
reverse = from_tensors(REAL, lambda rng, x: ((x,), {"axes": some_axes(rng, x.rank)}))


# -- sources -----------------------------------------------------------------------------
def ramp(on: Sequence[DType]) -> Examples:
    """Shapes of rank 1 and more, and an axis."""

    def draw(rng: Generator, x: TensorType) -> Example | None:
        if x.rank == 0:
            return None
        return (), {"shape": x.shape, "axis": int(rng.integers(x.rank)), "dtype": x.dtype}

    return from_tensors(on, draw)


# -- contraction -------------------------------------------------------------------------
def contraction(on: Sequence[DType]) -> Examples:
    """Two tensors with up to two paired batch, contracting and free axes each, in any order."""

    def draw(rng: Generator, dtype: DType) -> Example:
        counts = rng.integers(0, 3, 4)
        low = 0 if rng.integers(4) == 0 else 1
        batch, contracting, left, right = (list(small_shape(rng, int(n), low, 4)) for n in counts)
        operands = []
        attrs: dict[str, Any] = {}
        for side, free in (("lhs", left), ("rhs", right)):
            shape = batch + contracting + free
            order = permutation(rng, len(shape))
            operands.append(TensorType(tuple(shape[k] for k in order), dtype))
            place = {axis: position for position, axis in enumerate(order)}
            attrs[f"{side}_batch"] = tuple(place[k] for k in range(len(batch)))
            attrs[f"{side}_contracting"] = tuple(
                place[len(batch) + k] for k in range(len(contracting))
            )
        return tuple(operands), attrs

    return lambda rng: [draw(rng, dtype) for dtype in on for _ in range(2)]
