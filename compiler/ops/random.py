"""`philox`: random bits from a key, the same on every device and for every batching.

Takes: ui64 keys of any shape. Gives: for each key a tensor of ui32 or ui64 words.
Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
(SC 2011). Must not know: distributions, which the frontend makes of the bits.

Which word is where. The cipher makes a block of four 32-bit words (two of 64 bits, low half first)
from a key and a 64-bit counter: the key's halves are the two key words, the counter's the first two
counter words, the others are zero. A row of n words (the last axis) of k-word blocks, with
m = n div k: the first m blocks lie across, word w of block c at w·m + c, so that one vector of
counters gives k vectors of results; the n mod k places left at the end have one block more.
Rows take counters one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Node, Value
from ..opdef import Array, Attrs, OpDef, Types, define
from ..scalars import Scalars, register
from ..types import TensorType, i64, index, ui32, ui64
from . import draws
from .families import arity, move_axis_to_front, require, require_shape

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
"""Added to the key words from round to round: the golden ratio and √3 − 1, as 32-bit fractions."""


def philox_words(counter: Sequence[Array], key: Sequence[Array]) -> list[Array]:
    """The cipher on arrays of uint32: four counter words and two key words to four words."""
    c = [np.asarray(word, np.uint32).astype(np.uint64) for word in counter]
    k = [np.asarray(word, np.uint32).astype(np.uint64) for word in key]
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for step in range(ROUNDS):
        keys = [(k[j] + np.uint64(step * WEYL[j] & 0xFFFFFFFF)) & low for j in range(2)]
        first, second = c[0] * np.uint64(MULTIPLIERS[0]), c[2] * np.uint64(MULTIPLIERS[1])
        c = [
            (second >> half) ^ c[1] ^ keys[0],
            second & low,
            (first >> half) ^ c[3] ^ keys[1],
            first & low,
        ]
    return [word.astype(np.uint32) for word in c]


def _infer(types: Types, attrs: Attrs) -> Types:
    arity("philox", types, 1)
    require(
        types[0].dtype is ui64,
        f"philox needs keys of dtype ui64, got {types[0].short}; make one with random.key",
    )
    shape, bits = tuple(attrs["shape"]), attrs["bits"]
    require(bits in _WORDS, f"philox makes words of 32 or 64 bits, got {bits}")
    require_shape(min((*shape, 0)) >= 0, f"philox: shape {shape} must not be negative")
    return (TensorType(types[0].shape + shape, _WORDS[bits]),)


_WORDS = {32: ui32, 64: ui64}


@dataclass(frozen=True)
class _Layout:
    """How the words of one row, `length` of them, lie in its blocks."""

    length: int
    per_block: int

    @property
    def across(self) -> int:
        """Blocks that lie across the row: `m` above."""
        return self.length // self.per_block

    @property
    def tail(self) -> int:
        """Where the words of the last, partly used block begin."""
        return self.across * self.per_block

    @property
    def blocks(self) -> int:
        """Counters that one row takes."""
        return -(-self.length // self.per_block)


def _layout(attrs: Attrs) -> _Layout:
    shape = tuple(attrs["shape"])
    return _Layout(shape[-1] if shape else 1, 128 // attrs["bits"])


def _reference(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
    shape, layout = tuple(attrs["shape"]), _layout(attrs)
    keys = arrays[0].reshape(-1, 1, 1)
    place = np.arange(layout.length)
    in_tail = place >= layout.tail
    width = max(layout.across, 1)
    word = np.where(in_tail, place - layout.tail, place // width)
    column = np.where(in_tail, layout.across, place % width)
    row = np.arange(math.prod(shape[:-1])).reshape(-1, 1)
    counter = (row * layout.blocks + column).astype(np.uint64)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    zero = np.zeros_like(counter)
    words = philox_words((counter & low, counter >> half, zero, zero), (keys & low, keys >> half))
    if attrs["bits"] == 64:
        wide = [w.astype(np.uint64) for w in words]
        words = [wide[0] | wide[1] << half, wide[2] | wide[3] << half]
    return [np.choose(word, words).reshape(outs[0].shape)]


def _halves(s: Scalars, x: Value) -> tuple[Value, Value]:
    """The low and the high 32 bits of an i64, each as an i64."""
    return s.bit("and", x, s.constant(_LOW, i64)), s.shift("right", x, s.constant(32, i64))


_LOW = 0xFFFFFFFF


def _product(s: Scalars, x: Value, multiplier: int) -> tuple[Value, Value]:
    """The low and high half of x · multiplier, both unsigned 32-bit numbers."""
    return _halves(s, s.mul(x, s.constant(multiplier, i64)))


def _block(s: Scalars, counter: Value, key: Value) -> list[Value]:
    """The four words of a block, each in an i64: a machine multiplies 32-bit numbers in 64."""
    zero = s.constant(0, i64)
    c = [*_halves(s, counter), zero, zero]
    k = _halves(s, key)
    for step in range(ROUNDS):
        keys = [
            s.bit("and", s.add(k[j], s.constant(step * WEYL[j] & _LOW, i64)), s.constant(_LOW, i64))
            for j in range(2)
        ]
        first, second = _product(s, c[0], MULTIPLIERS[0]), _product(s, c[2], MULTIPLIERS[1])
        c = [
            s.bit("xor", s.bit("xor", second[1], c[1]), keys[0]),
            second[0],
            s.bit("xor", s.bit("xor", first[1], c[3]), keys[1]),
            first[0],
        ]
    return c


def _index(r: Any, node: Node, point: Any) -> Any:
    """The block that the element is in, then the word that it is."""
    s: Scalars = r.s
    attrs, layout = node.attrs, _layout(node.attrs)
    shape = tuple(attrs["shape"])
    lead = len(point) - len(shape)
    rows = r.linearise(point[lead:-1], shape[:-1]) if shape else None
    place = r.value(point[-1]) if shape else s.constant(0, index)
    # the first place of the part (or of the tail) that the element is in
    starts = [k * layout.across for k in range(1, layout.per_block + 1) if layout.across]
    beyond = [s.compare("ge", place, s.constant(at, index)) for at in starts]
    start = s.constant(0, index)
    for at, here in zip(starts, beyond):
        start = s.select(here, s.constant(at, index), start)
    column = s.op("arith.subi", place, start)
    in_row = s.constant(0, index)
    if layout.across:
        in_row = s.select(beyond[-1], s.constant(layout.across, index), column)
    counter = in_row if rows is None else s.add(r.value(r.affine(rows, layout.blocks, 0)), in_row)
    c = _block(s, s.resize(counter, i64, signed=False), r.read(0, point[:lead]))
    if attrs["bits"] == 64:
        c = [s.bit("or", a, s.shift("left", b, s.constant(32, i64))) for a, b in (c[:2], c[2:])]
    result = c[0]
    for word in range(1, layout.length - layout.tail):
        result = s.select(s.compare("eq", column, s.constant(word, index)), c[word], result)
    if layout.across:
        across = c[0]
        for word in range(1, layout.per_block):
            across = s.select(beyond[word - 1], c[word], across)
        result = s.select(beyond[-1], result, across)
    return s.resize(result, register(_WORDS[attrs["bits"]]), signed=False)


def _batch(b: Any, node: Node, xs: Any, axes: Any, size: int) -> Any:
    keys = move_axis_to_front(b, xs[0], axes[0], size)
    return [philox(b, keys, **node.attrs)], [0]


philox = define(
    OpDef(
        name="philox",
        family="movement",
        doc="Random words of 32 or 64 bits, of the given shape, for each ui64 key (Philox4x32-10).",
        infer=_infer,
        reference=_reference,
        index=_index,
        no_gradient="its result is bits",
        batch=_batch,
        dtypes=(ui64,),
        examples=draws.from_tensors(
            (ui64,),
            lambda rng, x: (
                (x,),
                {"shape": draws.pick(rng, draws.SHAPES), "bits": draws.pick(rng, (32, 64))},
            ),
        ),
        cost=120.0,
    )
)
