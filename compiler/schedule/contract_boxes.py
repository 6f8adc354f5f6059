"""How tiles cover the dims of a contraction: evenly cut boxes, and columns of whole vectors.

Takes: dims and the most points of a tile. Gives: Box and Columns, numbers only.
Must not know: why tiles have their size, loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .contract_lanes import Dim, product


@dataclass(frozen=True)
class Box:
    """How tiles cover a group of dims: `outer` dims point by point, one dim `cut` in `pieces` whose
    sizes differ by at most 1 (the larger first), `inner` dims whole."""

    outer: tuple[Dim, ...]
    cut: Dim
    pieces: int
    inner: tuple[Dim, ...]

    @property
    def base(self) -> int:
        return self.cut.size // self.pieces

    @property
    def extra(self) -> int:
        """How many of the pieces are one larger than `base`."""
        return self.cut.size % self.pieces

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that occur, the larger first."""
        large = (self.base + 1,) if self.extra else ()
        return large + ((self.base,) if self.extra < self.pieces else ())

    @property
    def count(self) -> int:
        """The number of tiles."""
        return product(self.outer) * self.pieces

    @cached_property
    def span(self) -> int:
        """Points of the inner dims."""
        return product(self.inner)

    @property
    def largest(self) -> int:
        """Points of the largest tile."""
        return self.sizes[0] * self.span

    def displacements(self, access: int, size: int) -> list[int]:
        """How far each point of a tile of `size` cut positions lies from its first, in order."""
        return [p for p in self._walk(access, (Dim(size, self.cut.strides, -1), *self.inner))]

    def _walk(self, access: int, dims: Sequence[Dim]) -> Iterator[int]:
        if not dims:
            yield 0
            return
        for i in range(dims[0].size):
            for rest in self._walk(access, dims[1:]):
                yield i * dims[0].strides[access] + rest


def box(dims: Sequence[Dim], limit: int, accesses: int) -> Box:
    """Tiles of at most `limit` points: whole inner dims where they fit, the next one cut evenly."""
    if any(d.size == 0 for d in dims):
        return Box((), Dim(0, (0,) * accesses, -1), 1, ())
    rest, span = list(dims), 1
    inner: list[Dim] = []
    while rest and rest[-1].size * span <= limit:
        span *= rest[-1].size
        inner.insert(0, rest.pop())
    if rest:
        cut = rest.pop()
        pieces = max(1, -(-cut.size // max(1, limit // span)))
        return Box(tuple(rest), cut, pieces, tuple(inner))
    cut = inner.pop(0) if inner else Dim(1, (0,) * accesses, -1)
    return Box((), cut, 1, tuple(inner))


@dataclass(frozen=True)
class Columns:
    """Tiles along the vector side: `outer` dims point by point, `dim` in pieces of `width`."""

    outer: tuple[Dim, ...]
    dim: Dim
    width: int

    @property
    def pieces(self) -> int:
        return -(-self.dim.size // self.width)

    @property
    def tail(self) -> int:
        """Width of the last piece, which may be all there is."""
        return self.dim.size - (self.pieces - 1) * self.width

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths that occur: the full one first."""
        full = (self.width,) if self.pieces > 1 or self.tail == self.width else ()
        return full + ((self.tail,) if self.tail != self.width else ())

    @property
    def count(self) -> int:
        return product(self.outer) * self.pieces
