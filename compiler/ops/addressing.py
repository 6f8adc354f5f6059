"""Windows at computed places: the one description that gather and scatter share.

Takes: attributes, the shapes of an operand and of integer index vectors (their last axis).
Gives: `Windows`: checks, result shapes, batching, and the places in NumPy. Must not know: the ops.

An index vector names the corner of a *window* of the operand:
- `axes[j]` is the operand axis that component j of an index vector moves along;
- `collapsed` are the operand axes that the window has one element of and that are left out of it;
- `operand_batch[j]` is an operand axis that runs along with axis `index_batch[j]` of the indices;
- `offset` are the axes, in the gathered result or the updates, that hold the window's axes (operand
  axes that are neither collapsed nor batch, in order); the others there are the axes of the indices
  but the last, in order;
- `sizes` (gather) is the window's size along every operand axis, 1 where collapsed or batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..opdef import Array, Attrs
from ..types import INTEGERS, DType, Shape, TensorType
from . import draws
from .families import require, require_shape

WINDOW_ATTRS = ("axes", "collapsed", "operand_batch", "index_batch", "offset")


# -- the description -----------------------------------------------------------------
@dataclass(frozen=True)
class Windows:
    """The description above with the shapes it is applied to."""

    axes: tuple[int, ...]
    collapsed: tuple[int, ...]
    operand_batch: tuple[int, ...]
    index_batch: tuple[int, ...]
    offset: tuple[int, ...]
    operand: Shape
    indices: Shape

    @staticmethod
    def of(attrs: Attrs, operand: Shape, indices: Shape) -> Windows:
        """From a node's attributes."""
        axes, collapsed, operand_batch, index_batch, offset = (
            tuple(attrs[name]) for name in WINDOW_ATTRS
        )
        return Windows(axes, collapsed, operand_batch, index_batch, offset, operand, indices)

    @property
    def window_axes(self) -> tuple[int, ...]:
        """The operand axes that the window keeps."""
        gone = self.collapsed + self.operand_batch
        return tuple(k for k in range(len(self.operand)) if k not in gone)

    @property
    def batch_rank(self) -> int:
        """How many axes of the result come from the indices."""
        return len(self.indices) - 1

    @property
    def batch_axes(self) -> tuple[int, ...]:
        """The axes of the result that come from the indices."""
        rank = self.batch_rank + len(self.offset)
        return tuple(k for k in range(rank) if k not in self.offset)

    def result(self, sizes: Sequence[int]) -> Shape:
        """The shape of the gathered result (and of the updates) for windows of these sizes."""
        shape = [0] * (self.batch_rank + len(self.offset))
        for axis, n in zip(self.batch_axes, self.indices):
            shape[axis] = n
        for axis, k in zip(self.offset, self.window_axes):
            shape[axis] = sizes[k]
        return tuple(shape)

    def sizes(self, updates: Shape) -> tuple[int, ...]:
        """The window's size along every operand axis, read off the shape of the updates."""
        sizes = [1] * len(self.operand)
        for axis, k in zip(self.offset, self.window_axes):
            sizes[k] = updates[axis]
        return tuple(sizes)

    def batched(self, *, operand: bool, indices: bool) -> dict[str, tuple[int, ...]]:
        """The attributes once the operand, the indices or both have a batch axis in front.

        With both it is one more pair of batch axes, with the operand alone one more window axis.
        """
        up = int(operand)
        moved = {
            "axes": tuple(a + up for a in self.axes),
            "collapsed": tuple(a + up for a in self.collapsed),
            "operand_batch": tuple(a + up for a in self.operand_batch),
            "index_batch": tuple(a + int(indices) for a in self.index_batch),
            "offset": tuple(a + 1 for a in self.offset),
        }
        if operand and indices:
            moved["operand_batch"] = (0, *moved["operand_batch"])
            moved["index_batch"] = (0, *moved["index_batch"])
        elif operand:
            moved["offset"] = (0, *moved["offset"])
        return moved

    def check(self, name: str, indices: TensorType) -> None:
        """Raise where the description does not fit the shapes."""
        rank = len(self.operand)
        require(
            indices.dtype.is_integer,
            f"{name} needs integer indices, got {indices.short}; convert them first",
        )
        require_shape(
            indices.rank >= 1 and indices.shape[-1] == len(self.axes),
            f"{name}: the last axis of the indices {indices.short} must hold one component for "
            f"each of the axes {self.axes}",
        )
        for label in ("axes", "collapsed", "operand_batch"):
            axes = getattr(self, label)
            require_shape(
                len(set(axes)) == len(axes) and all(0 <= a < rank for a in axes),
                f"{name}: {label} {axes} must be distinct and below the operand's rank {rank}",
            )
        self._check_batch(name, indices)
        result_rank = self.batch_rank + len(self.offset)
        require_shape(
            len(self.offset) == len(self.window_axes)
            and list(self.offset) == sorted(set(self.offset))
            and all(0 <= a < result_rank for a in self.offset),
            f"{name}: offset {self.offset} must be one increasing axis below {result_rank} for "
            f"each of the window's axes {self.window_axes}",
        )

    def _check_batch(self, name: str, indices: TensorType) -> None:
        require_shape(
            not set(self.operand_batch) & set(self.axes + self.collapsed),
            f"{name}: operand_batch {self.operand_batch} must not be in axes {self.axes} or "
            f"collapsed {self.collapsed}",
        )
        require_shape(
            len(self.index_batch) == len(self.operand_batch)
            and all(0 <= a < self.batch_rank for a in self.index_batch)
            and all(
                self.operand[a] == self.indices[c]
                for a, c in zip(self.operand_batch, self.index_batch)
            ),
            f"{name}: operand axes {self.operand_batch} of shape {self.operand} and index axes "
            f"{self.index_batch} of {indices.short} do not pair up",
        )

    def places(self, indices: Array, sizes: Sequence[int]) -> tuple[list[Array], list[Array]]:
        """Per operand axis the corner and the full index at every point of the result."""
        point = np.indices(self.result(sizes))
        batch = [point[a] for a in self.batch_axes]
        exact = np.minimum(indices, np.uint64(2**63 - 1)) if indices.dtype == np.uint64 else indices
        vectors = exact.astype(np.int64)[tuple(batch)] if batch else exact.astype(np.int64)
        zero = np.zeros(point.shape[1:], np.int64)
        corner = [zero] * len(self.operand)
        for j, axis in enumerate(self.axes):
            corner[axis] = zero + vectors[..., j]
        for axis, k in zip(self.operand_batch, self.index_batch):
            corner[axis] = batch[k]
        window = [zero] * len(self.operand)
        for axis, k in zip(self.offset, self.window_axes):
            window[k] = point[axis]
        return corner, window


def clamp_corners(
    corner: list[Array], operand: Shape, sizes: Sequence[int], result: Shape
) -> tuple[list[Array], Array]:
    """The corners moved inside, and at which points of `result` none had to be moved."""
    highest = [n - size for n, size in zip(operand, sizes)]
    clamped = [np.clip(c, 0, max(high, 0)) for c, high in zip(corner, highest)]
    inside = np.ones(result, bool)
    for c, high in zip(corner, highest):
        inside = inside & (c >= 0) & (c <= high)
    return clamped, inside


def fits(operand: Shape, sizes: Sequence[int]) -> bool:
    """Whether a window lies somewhere inside the operand."""
    return all(size <= n for size, n in zip(sizes, operand))


def draw_windows(
    rng: draws.Generator, dtype: DType
) -> tuple[Windows, tuple[int, ...], TensorType, TensorType]:
    """A description with its window sizes, an operand type and an index type that fit."""
    shape = draws.small_shape(rng, int(rng.integers(0, 4)))
    order = draws.permutation(rng, len(shape))
    moved = int(rng.integers(0, len(shape) + 1))
    axes, rest = order[:moved], order[moved:]
    operand_batch = rest[: int(rng.integers(0, 2))]
    collapsed = tuple(a for a in axes if rng.integers(2))
    free = [int(n) for n in rng.integers(0, 4, int(rng.integers(0, 3)))]
    leading = [*free, *(shape[a] for a in operand_batch)]
    places = draws.permutation(rng, len(leading))
    batch = [leading[p] for p in places]
    index_batch = tuple(places.index(len(free) + j) for j in range(len(operand_batch)))
    kept = [k for k in range(len(shape)) if k not in collapsed + operand_batch]
    total = len(batch) + len(kept)
    offset = tuple(sorted(draws.permutation(rng, total)[: len(kept)]))
    sizes = tuple(int(rng.integers(0, shape[k] + 1)) if k in kept else 1 for k in range(len(shape)))
    indices = (*batch, len(axes))
    windows = Windows(axes, collapsed, operand_batch, index_batch, offset, shape, indices)
    kind = draws.pick(rng, INTEGERS)
    return windows, sizes, TensorType(shape, dtype), TensorType(indices, kind)
