"""Index arithmetic and lane-wise memory access that all parts of a contraction's loops share.

Takes: a Builder and numbers. Gives: operations appended to it. Must not know: plans, kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..mlir.builder import Builder
from ..mlir.ir import Value
from ..types import DType, MemRefType, VectorType, element, i1
from .contract_lanes import Dim

Place = tuple[Dim, Value]
"""A dim and the position along it."""


def flat_type(size: int, dtype: DType) -> MemRefType:
    """A buffer as one axis."""
    return MemRefType((size,), dtype)


def flatten(b: Builder, buffer: Value) -> Value:
    """The same buffer with one axis."""
    type = buffer.type
    assert isinstance(type, MemRefType)
    if type.rank == 1:
        return buffer
    flat = flat_type(type.size, type.dtype)
    if type.rank == 0:
        attrs = {"reassociation": [], "static_output_shape": (1,)}
        return b.emit("memref.expand_shape", [buffer], [flat], attrs).result
    return b.emit(
        "memref.collapse_shape", [buffer], [flat], {"reassociation": [list(range(type.rank))]}
    ).result


def view(b: Builder, workspace: Value, byte: int, size: int, dtype: DType) -> Value:
    """Part of the workspace as elements."""
    return b.op("memref.view", [workspace, b.index(byte)], flat_type(size, dtype))


def affine(b: Builder, constant: int, terms: Sequence[tuple[Value, int]]) -> Value:
    """constant + Σ value · factor."""
    total = b.index(constant)
    for value, factor in terms:
        if factor:
            total = b.add(total, b.mul(value, factor))
    return total


def digits(b: Builder, number: Value, sizes: Sequence[int]) -> list[Value]:
    """The mixed-radix digits of a linear index, the outermost first."""
    out: list[Value] = []
    for k in range(len(sizes) - 1, -1, -1):
        known = b.known(number)
        if known is not None:
            out.insert(0, b.index(known % sizes[k] if k else known))
            number = b.index(known // sizes[k])
        elif k == 0:
            out.insert(0, number)
        elif sizes[k] == 1:
            out.insert(0, b.index(0))
        else:
            size = b.index(sizes[k])
            out.insert(0, b.op("arith.remui", [number, size]))
            number = b.op("arith.divui", [number, size])
    return out


def piece_start(b: Builder, size: int, pieces: int, piece: Value) -> Value:
    """Where piece number `piece` begins when `size` is cut evenly, larger pieces first."""
    base, extra = divmod(size, pieces)
    start = b.mul(piece, base)
    if not extra:
        return start
    known = b.known(piece)
    if known is not None:
        return b.index(known * base + min(known, extra))
    return b.add(start, b.op("arith.minui", [piece, b.index(extra)]))


def loop(b: Builder, low: Value, high: Value, body: Callable[[Value], None]) -> None:
    """`body(i)` for low ≤ i < high; without a loop where that is one known position."""
    first, end = b.known(low), b.known(high)
    if first is not None and end is not None and end - first <= 1:
        if end > first:
            body(low)
        return
    with b.loop(low, high, b.index(1)) as i:
        body(i)


def chunks(b: Builder, count: int, shared: bool, body: Callable[[Value], None]) -> None:
    """`body(i)` for 0 ≤ i < count, in any order, on several threads where `shared`."""
    if count <= 1 or not shared:
        loop(b, b.index(0), b.index(count), body)
        return
    with b.parallel(b.index(0), b.index(count), b.index(1)) as i:
        body(i)


def mask(b: Builder, active: int, lanes: int) -> Value:
    """True in the first `active` lanes."""
    type = VectorType((lanes,), i1)
    return b.op("vector.constant_mask", [], type, mask_dim_sizes=(active,))


def load_lanes(b: Builder, buffer: Value, at: Value, stride: int, lanes: int, active: int) -> Value:
    """`active` elements at `at + lane · stride`, zeros behind them; a scalar where stride is 0."""
    dtype = element(buffer.type)
    if stride == 0:
        return b.load(buffer, [at])
    type = VectorType((lanes,), dtype)
    if stride != 1:
        value = b.const(0, type)
        for lane in range(active):
            item = b.load(buffer, [b.add(at, lane * stride)])
            value = b.op("vector.insert", [item, value], type, static_position=(lane,))
        return value
    if active == lanes:
        return b.vload(buffer, [at], lanes)
    zero = b.const(0, type)
    return b.op("vector.maskedload", [buffer, at, mask(b, active, lanes), zero], type)


def store_lanes(
    b: Builder, value: Value, buffer: Value, at: Value, stride: int, active: int
) -> None:
    """The first `active` lanes to `at + lane · stride`."""
    assert isinstance(value.type, VectorType)
    lanes = value.type.shape[0]
    if stride != 1 and active > 1:
        for lane in range(active):
            item = b.op("vector.extract", [value], value.type.dtype, static_position=(lane,))
            b.store(item, buffer, [b.add(at, lane * stride)])
    elif active == lanes:
        b.vstore(value, buffer, [at])
    else:
        b.emit("vector.maskedstore", [buffer, at, mask(b, active, lanes), value])


def nest(
    b: Builder,
    counts: Sequence[int | Value],
    carried: Sequence[Value],
    body: Callable[[list[Value], list[Value]], list[Value]],
) -> list[Value]:
    """Nested loops from 0 to the counts that carry values; no loop where a count is 0 or 1."""

    def level(k: int, at: list[Value], values: list[Value]) -> list[Value]:
        if k == len(counts):
            return body(at, values)
        count = counts[k]
        if isinstance(count, int) and count <= 1:
            for i in range(count):
                values = level(k + 1, [*at, b.index(i)], values)
            return values
        high = b.index(count) if isinstance(count, int) else count
        return b.loop_carry(
            b.index(0), high, b.index(1), values, lambda i, inner: level(k + 1, [*at, i], inner)
        )

    return level(0, [], list(carried))
