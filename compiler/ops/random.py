"""`philox`: random bits from a key, the same on every device and for every batching.

Takes: ui64 keys of any shape. Gives: for each key a block of ui32 words.
Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
(SC 2011). Must not know: distributions, which the frontend makes of the bits.

Word i of a key's block is word i mod 4 of the cipher of counter i div 4: the key's low and high
half are the two key words, the counter's the first two counter words, the others are zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Node, Value
from ..opdef import Array, Attrs, OpDef, Types, define
from ..scalars import Scalars
from ..types import TensorType, i32, i64, ui32, ui64
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
    shape = tuple(attrs["shape"])
    require_shape(min((*shape, 0)) >= 0, f"philox: shape {shape} must not be negative")
    return (TensorType(types[0].shape + shape, ui32),)


def _reference(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
    shape = tuple(attrs["shape"])
    keys = arrays[0].reshape(-1, 1)
    position = np.arange(math.prod(shape), dtype=np.uint64)
    block, low = position >> np.uint64(2), np.uint64(0xFFFFFFFF)
    zero = np.zeros_like(block)
    words = philox_words(
        (block & low, block >> np.uint64(32), zero, zero),
        (keys & low, keys >> np.uint64(32)),
    )
    chosen = np.choose((position & np.uint64(3)).astype(np.int64), words)
    return [chosen.reshape(outs[0].shape)]


def _halves(s: Scalars, x: Value) -> tuple[Value, Value]:
    """The low and the high 32 bits of an i64, each as an i32."""
    high = s.shift("right", x, s.constant(32, i64))
    return s.resize(x, i32, signed=False), s.resize(high, i32, signed=False)


def _product(s: Scalars, x: Value, multiplier: int) -> tuple[Value, Value]:
    """The low and high half of x · multiplier, both unsigned 32-bit numbers."""
    return _halves(s, s.mul(s.resize(x, i64, signed=False), s.constant(multiplier, i64)))


def _index(r: Any, node: Node, point: Any) -> Any:
    """All four words of the block that the element is in, then the one that it is."""
    s: Scalars = r.s
    shape = tuple(node.attrs["shape"])
    rank = len(point) - len(shape)
    flat = r.value(r.linearise(point[rank:], shape))
    position = s.resize(flat, i64, signed=False)
    block = s.shift("right", position, s.constant(2, i64))
    zero = s.constant(0, i32)
    c = [*_halves(s, block), zero, zero]
    k = _halves(s, r.read(0, point[:rank]))
    for step in range(ROUNDS):
        keys = [s.add(k[j], s.constant(step * WEYL[j], i32)) for j in range(2)]
        first, second = _product(s, c[0], MULTIPLIERS[0]), _product(s, c[2], MULTIPLIERS[1])
        c = [
            s.bit("xor", s.bit("xor", second[1], c[1]), keys[0]),
            second[0],
            s.bit("xor", s.bit("xor", first[1], c[3]), keys[1]),
            first[0],
        ]
    word = s.bit("and", position, s.constant(3, i64))
    result = c[3]
    for k_word in (2, 1, 0):
        here = s.compare("eq", word, s.constant(k_word, i64))
        result = s.select(here, c[k_word], result)
    return result


def _batch(b: Any, node: Node, xs: Any, axes: Any, size: int) -> Any:
    keys = move_axis_to_front(b, xs[0], axes[0], size)
    return [philox(b, keys, **node.attrs)], [0]


philox = define(
    OpDef(
        name="philox",
        family="movement",
        doc="Random ui32 words of the given shape for each ui64 key (Philox4x32-10).",
        infer=_infer,
        reference=_reference,
        index=_index,
        no_gradient="its result is bits",
        batch=_batch,
        dtypes=(ui64,),
        examples=draws.from_tensors(
            (ui64,), lambda rng, x: ((x,), {"shape": draws.pick(rng, draws.SHAPES)})
        ),
        cost=120.0,
    )
)
