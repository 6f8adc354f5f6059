"""`vector` operations in registers: splats, shuffles, slices, transposes, masks, reductions.

Takes: vectors, those of rank two and more as their rows. Gives: shuffles, inserts and extracts.
Must not know: memory, targets. There is no float sum here: its order is the schedule's to write.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..mlir.ir import Op, Value
from ..types import Shape, VectorType, i1, i32, index
from .convert import cast
from .emitter import Emit, FunctionEmitter, Rows, ints_attr, text_attr
from .memory import DYNAMIC
from .text import CodegenError, Row, llvm_dtype, row, row_count, row_of, type_text
from .vectors import vector_of


def shuffle_of(f: FunctionEmitter, one: Row, a: str, b: str, mask: Sequence[int]) -> str:
    """`shufflevector`: lanes of a (0 … n−1) and b (n … 2n−1); −1 is a lane that nobody reads."""
    if b == "poison" and list(mask) == list(range(one.lanes)):
        return a
    if all(m == mask[0] for m in mask):
        picks = f"<{len(mask)} x i32> " + (
            "zeroinitializer" if mask[0] == 0 else f"splat (i32 {mask[0]})"
        )
    else:
        words = ", ".join("i32 poison" if m < 0 else f"i32 {m}" for m in mask)
        picks = f"<{len(mask)} x i32> <{words}>"
    return f.inst(f"shufflevector {one.text} {a}, {one.text} {b}, {picks}")


# -- building --------------------------------------------------------------------------------------
def splat(f: FunctionEmitter, target: Row, scalar: str) -> str:
    """A scalar in every lane."""
    if not scalar.startswith("%"):
        return f"splat ({llvm_dtype(target.dtype)} {scalar})"
    one = f.inst(f"insertelement {target.text} poison, {target.scalar} {scalar}, i64 0")
    return shuffle_of(f, target, one, "poison", [0] * target.lanes)


def broadcast(f: FunctionEmitter, op: Op) -> None:
    """`vector.broadcast`: a scalar, or a vector whose axes are stretched or added in front."""
    source, target = op.operands[0], vector_of(op.result)
    rows = f.get(source)
    if not isinstance(source.type, VectorType):
        f.set(op.result, (splat(f, row_of(target), rows[0]),) * row_count(target))
        return
    shape = (1,) * (target.rank - source.type.rank) + source.type.shape
    if shape[-1] != target.shape[-1]:
        one = row_of(source.type)
        rows = tuple(shuffle_of(f, one, r, "poison", [0] * target.shape[-1]) for r in rows)
    f.set(op.result, tuple(rows[k] for k in _stretched(shape[:-1], target.shape[:-1])))


def _stretched(source: Shape, target: Shape) -> list[int]:
    """For each position of `target` in order, the row of `source` that is broadcast to it."""
    picks = [0]
    for n, m in zip(source, target):
        picks = [p * n + (0 if n == 1 else k) for p in picks for k in range(m)]
    return picks


def from_elements(f: FunctionEmitter, op: Op) -> None:
    """`vector.from_elements`."""
    type = vector_of(op.result)
    one, scalars = row_of(type), [f.one(v) for v in op.operands]
    out = []
    for k in range(row_count(type)):
        whole = "poison"
        for lane, scalar in enumerate(scalars[k * one.lanes : (k + 1) * one.lanes]):
            whole = f.inst(f"insertelement {one.text} {whole}, {one.scalar} {scalar}, i64 {lane}")
        out.append(whole)
    f.set(op.result, tuple(out))


def to_elements(f: FunctionEmitter, op: Op) -> None:
    """`vector.to_elements`."""
    one = row_of(op.operands[0].type)
    places = ((r, lane) for r in f.get(op.operands[0]) for lane in range(one.lanes))
    for result, (text, lane) in zip(op.results, places, strict=True):
        f.set(result, f.inst(f"extractelement {one.text} {text}, i64 {lane}"))


def counting(f: FunctionEmitter, op: Op) -> None:
    """`vector.step`: 0, 1, 2, …"""
    one = row_of(op.result.type)
    f.set(op.result, _counting(one))


def _counting(one: Row) -> str:
    name = llvm_dtype(one.dtype)
    return "<" + ", ".join(f"{name} {k}" for k in range(one.lanes)) + ">"


def create_mask(f: FunctionEmitter, op: Op) -> None:
    """`vector.create_mask n…`: true below n on each axis; n is clamped to the axis."""
    type = vector_of(op.result)
    lanes = type.shape[-1]
    word = row(i32, lanes)
    *outer, last = (f.one(v) for v in op.operands)
    wide = row_of(index)
    low = f.like("llvm.smax", wide, last, "0")
    count = f.like("llvm.smin", wide, low, str(lanes))
    short = f.inst(f"trunc i64 {count} to i32")
    limit = splat(f, word, short)
    inner = f.inst(f"icmp ult {word.text} {_counting(word)}, {limit}")
    rows: list[str] = [inner]
    for n, bound in zip(reversed(type.shape[:-1]), reversed(outer)):
        alive = [f.inst(f"icmp slt i64 {k}, {bound}") for k in range(n)]
        none = row(i1, lanes)
        rows = [
            f.inst(f"select i1 {a}, {none.text} {r}, {none.text} zeroinitializer")
            for a in alive
            for r in rows
        ]
    f.set(op.result, tuple(rows))


def constant_mask(f: FunctionEmitter, op: Op) -> None:
    """`vector.constant_mask [n…]`."""
    type = vector_of(op.result)
    sizes = ints_attr(op, "mask_dim_sizes")
    words = ["true" if k < sizes[-1] else "false" for k in range(type.shape[-1])]
    full = "<" + ", ".join(f"i1 {w}" for w in words) + ">"
    rows = [True]
    for n, size in zip(type.shape[:-1], sizes[:-1]):
        rows = [alive and k < size for alive in rows for k in range(n)]
    f.set(op.result, tuple(full if alive else "zeroinitializer" for alive in rows))


# -- taking apart ----------------------------------------------------------------------------------
def _position(f: FunctionEmitter, op: Op, dynamic: Sequence[Value]) -> list[str]:
    """A position of static numbers of which some are operands."""
    rest = iter(dynamic)
    static = ints_attr(op, "static_position")
    return [f.one(next(rest)) if n == DYNAMIC else str(n) for n in static]


def _row_range(shape: Shape, position: Sequence[str]) -> tuple[int, int]:
    """First row and number of rows of the part at `position` on leading axes."""
    start = 0
    for n, text in zip(shape, position):
        if not text.isdigit():
            raise CodegenError("only the last axis of a vector can be indexed by a variable")
        start = start * n + int(text)
    count = 1
    for n in shape[len(position) :]:
        start *= n
        count *= n
    return start, count


def extract(f: FunctionEmitter, op: Op) -> None:
    """`vector.extract v[i…]`: a lane, a row, or some rows."""
    source = op.operands[0]
    type, rows = vector_of(source), f.get(source)
    position = _position(f, op, op.operands[1:])
    start, count = _row_range(type.shape[:-1], position[: type.rank - 1])
    if len(position) < type.rank:
        f.set(op.result, rows[start : start + count])
        return
    lane = f.inst(f"extractelement {row_of(type).text} {rows[start]}, i64 {position[-1]}")
    target = op.result.type
    if isinstance(target, VectorType):
        lane = splat(f, row_of(target), lane)
    f.set(op.result, lane)


def insert(f: FunctionEmitter, op: Op) -> None:
    """`vector.insert value, v[i…]`."""
    value, target = op.operands[:2]
    type, rows = vector_of(target), list(f.get(target))
    position = _position(f, op, op.operands[2:])
    start, count = _row_range(type.shape[:-1], position[: type.rank - 1])
    if len(position) < type.rank:
        rows[start : start + count] = f.get(value)
    else:
        one = row_of(type)
        text = f.one(value)
        if isinstance(value.type, VectorType):
            text = f.inst(f"extractelement {type_text(value.type)} {text}, i64 0")
        place = f"{one.scalar} {text}, i64 {position[-1]}"
        rows[start] = f.inst(f"insertelement {one.text} {rows[start]}, {place}")
    f.set(op.result, tuple(rows))


def _slice_rows(shape: Shape, offsets: Sequence[int], sizes: Sequence[int]) -> list[int]:
    picks = [0]
    for n, offset, size in zip(shape, offsets, sizes):
        picks = [p * n + offset + k for p in picks for k in range(size)]
    return picks


def _padded(op: Op, type: VectorType, name: str, fill: Shape) -> list[int]:
    given = ints_attr(op, name)
    return [*given, *fill[len(given) : type.rank]]


def extract_slice(f: FunctionEmitter, op: Op) -> None:
    """`vector.extract_strided_slice` with strides of 1."""
    source = op.operands[0]
    type, rows = vector_of(source), f.get(source)
    _unit_strides(op)
    offsets = _padded(op, type, "offsets", (0,) * type.rank)
    sizes = _padded(op, type, "sizes", type.shape)
    lanes = range(offsets[-1], offsets[-1] + sizes[-1])
    picked = [rows[k] for k in _slice_rows(type.shape[:-1], offsets[:-1], sizes[:-1])]
    one = row_of(type)
    f.set(op.result, tuple(shuffle_of(f, one, r, "poison", list(lanes)) for r in picked))


def insert_slice(f: FunctionEmitter, op: Op) -> None:
    """`vector.insert_strided_slice` with strides of 1."""
    value, target = op.operands
    part, type = vector_of(value), vector_of(target)
    _unit_strides(op)
    offsets = list(ints_attr(op, "offsets"))
    rows = list(f.get(target))
    missing = type.rank - part.rank
    sizes = [1] * missing + list(part.shape)
    n, at = type.shape[-1], offsets[-1]
    places = _slice_rows(type.shape[:-1], offsets[:-1], sizes[:-1])
    for place, text in zip(places, f.get(value), strict=True):
        rows[place] = _insert_lanes(f, row_of(type), rows[place], row_of(part), text, at, n)
    f.set(op.result, tuple(rows))


def _insert_lanes(
    f: FunctionEmitter, whole: Row, old: str, part: Row, text: str, at: int, n: int
) -> str:
    if part.lanes == n:
        return text
    grown = [k if k < part.lanes else -1 for k in range(n)]
    wide = shuffle_of(f, part, text, "poison", grown)
    mask = [n + k - at if at <= k < at + part.lanes else k for k in range(n)]
    return shuffle_of(f, whole, old, wide, mask)


def _unit_strides(op: Op) -> None:
    if any(s != 1 for s in ints_attr(op, "strides")):
        raise CodegenError(f"{op.name}: strides other than 1 are not known in MLIR either")


# -- moving lanes ----------------------------------------------------------------------------------
def shuffle(f: FunctionEmitter, op: Op) -> None:
    """`vector.shuffle a, b [mask]`: rows of rank two and more, lanes of rank one."""
    left, right = op.operands
    mask = ints_attr(op, "mask")
    type = vector_of(left)
    if type.rank > 1:
        rows = f.get(left) + f.get(right)
        width = row_count(type) // type.shape[0]
        f.set(op.result, tuple(rows[m * width + k] for m in mask for k in range(width)))
        return
    one, other = row_of(type), row_of(right.type)
    a, b = f.one(left), f.one(right)
    picks = list(mask)
    if one.lanes < other.lanes:
        a = shuffle_of(f, one, a, "poison", [*range(one.lanes), *[-1] * (other.lanes - one.lanes)])
        picks = [m if m < one.lanes else m + other.lanes - one.lanes for m in picks]
    elif other.lanes < one.lanes:
        b = shuffle_of(
            f, other, b, "poison", [*range(other.lanes), *[-1] * (one.lanes - other.lanes)]
        )
    wide = one if one.lanes >= other.lanes else other
    f.set(op.result, shuffle_of(f, wide, a, b, picks))


def interleave(f: FunctionEmitter, op: Op) -> None:
    """`vector.interleave a, b`: a0 b0 a1 b1 …"""
    one = row_of(op.operands[0].type)
    mask = [k // 2 + (k % 2) * one.lanes for k in range(2 * one.lanes)]
    rows = zip(f.get(op.operands[0]), f.get(op.operands[1]), strict=True)
    f.set(op.result, tuple(shuffle_of(f, one, a, b, mask) for a, b in rows))


def deinterleave(f: FunctionEmitter, op: Op) -> None:
    """`vector.deinterleave v`: the even and the odd lanes."""
    one = row_of(op.operands[0].type)
    for result, first in zip(op.results, (0, 1), strict=True):
        mask = list(range(first, one.lanes, 2))
        rows = f.get(op.operands[0])
        f.set(result, tuple(shuffle_of(f, one, r, "poison", mask) for r in rows))


def bitcast(f: FunctionEmitter, op: Op) -> None:
    """`vector.bitcast`: the same bits, the last axis longer or shorter."""
    source, target = (row_of(v.type) for v in (op.operands[0], op.result))
    if source.text == target.text:
        f.set(op.result, f.get(op.operands[0]))
    else:
        cast("bitcast")(f, op)


def shape_cast(f: FunctionEmitter, op: Op) -> None:
    """`vector.shape_cast`: the same elements in row-major order."""
    source, target = vector_of(op.operands[0]), vector_of(op.result)
    f.set(op.result, regroup(f, row_of(source), f.get(op.operands[0]), target.shape[-1]))


def regroup(f: FunctionEmitter, one: Row, rows: Rows, width: int) -> Rows:
    """Rows of another width with the same elements in order."""
    out: list[str] = []
    if width == one.lanes:
        return rows
    if one.lanes % width == 0:
        for r in rows:
            parts = range(0, one.lanes, width)
            out += [shuffle_of(f, one, r, "poison", list(range(p, p + width))) for p in parts]
        return tuple(out)
    if width % one.lanes:
        raise CodegenError(f"regrouping rows of {one.lanes} to rows of {width}")
    per = width // one.lanes
    for k in range(0, len(rows), per):
        out.append(_join(f, one, list(rows[k : k + per])))
    return tuple(out)


def _join(f: FunctionEmitter, one: Row, rows: list[str]) -> str:
    """Several rows as one."""
    while len(rows) % 2 == 0:
        mask = list(range(2 * one.lanes))
        rows = [shuffle_of(f, one, a, b, mask) for a, b in zip(rows[::2], rows[1::2])]
        one = row(one.dtype, 2 * one.lanes)
    whole, width = rows[0], one.lanes
    for k, part in enumerate(rows[1:], 2):
        wide = row(one.dtype, k * one.lanes)
        grown = [i if i < one.lanes else -1 for i in range(width)]
        padded = shuffle_of(f, one, part, "poison", grown) if width > one.lanes else part
        mask = [*range(width), *range(width, width + one.lanes)]
        whole = shuffle_of(f, row(one.dtype, width), whole, padded, mask)
        width = wide.lanes
    return whole


def transpose(f: FunctionEmitter, op: Op) -> None:
    """`vector.transpose [p…]`: rows are moved; where lanes move, by perfect shuffles."""
    type = vector_of(op.operands[0])
    order = ints_attr(op, "permutation")
    rows = f.get(op.operands[0])
    if order[-1] == type.rank - 1:
        f.set(op.result, tuple(rows[k] for k in _row_order(type.shape[:-1], order[:-1])))
        return
    if type.rank != 2:
        raise CodegenError(f"vector.transpose {order} of {type}: swap two axes of a rank-2 vector")
    f.set(op.result, _transposed(f, row_of(type), list(rows), type.shape))


def _row_order(shape: Shape, order: Sequence[int]) -> list[int]:
    """The source row of each row of the transposed vector."""
    pitch = [1] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        pitch[k] = pitch[k + 1] * shape[k + 1]
    picks = [0]
    for axis in order:
        picks = [p + k * pitch[axis] for p in picks for k in range(shape[axis])]
    return picks


def _transposed(f: FunctionEmitter, one: Row, rows: list[str], shape: Shape) -> Rows:
    """m rows of n to n rows of m. Each step interleaves the two halves of all elements, which turns
    the bits of their numbers by one place; log2(m) steps swap row and column."""
    m, n = shape
    if m == 1 or n == 1:
        return regroup(f, one, tuple(rows), m)
    if m & (m - 1) or n % 2 or (n % m and m % n):
        return _gathered(f, one, rows, shape)
    low = [k // 2 + (k % 2) * n for k in range(n)]
    high = [k + n // 2 for k in low]
    for _ in range(m.bit_length() - 1):
        half = len(rows) // 2
        pairs = zip(rows[:half], rows[half:])
        rows = [shuffle_of(f, one, a, b, mask) for a, b in pairs for mask in (low, high)]
    return regroup(f, one, tuple(rows), m)


def _gathered(f: FunctionEmitter, one: Row, rows: list[str], shape: Shape) -> Rows:
    m, n = shape
    target, out = row(one.dtype, m), []
    for j in range(n):
        whole = "poison"
        for i, r in enumerate(rows):
            lane = f.inst(f"extractelement {one.text} {r}, i64 {j}")
            whole = f.inst(f"insertelement {target.text} {whole}, {one.scalar} {lane}, i64 {i}")
        out.append(whole)
    return tuple(out)


# -- reductions ------------------------------------------------------------------------------------
_REDUCTIONS = {
    "add": "add", "mul": "mul", "and": "and", "or": "or", "xor": "xor",
    "minsi": "smin", "maxsi": "smax", "minui": "umin", "maxui": "umax",
    "minimumf": "fminimum", "maximumf": "fmaximum",
}  # fmt: skip


def reduction(f: FunctionEmitter, op: Op) -> None:
    """`vector.reduction` of integers, and of floats by maximumf and minimumf, free of order."""
    word = text_attr(op, "kind")
    one = row_of(op.operands[0].type)
    if word not in _REDUCTIONS or (one.dtype.is_float and not word.endswith("imumf")):
        raise CodegenError(
            f"vector.reduction <{word}> of {one.dtype}: write float sums as a fixed tree of slices"
        )
    if one.narrow:
        raise CodegenError(f"vector.reduction of {one.dtype}: extend to f32 first")
    name = f"llvm.vector.reduce.{_REDUCTIONS[word]}"
    value = f.intrinsic(name, one.scalar, [(one.text, f.one(op.operands[0]))], one.suffix)
    if len(op.operands) > 1:
        value = _combine(f, word, one, value, f.one(op.operands[1]))
    f.set(op.result, value)


def _combine(f: FunctionEmitter, word: str, one: Row, a: str, b: str) -> str:
    single = row(one.dtype)
    if word in ("add", "mul", "and", "or", "xor"):
        return f.inst(f"{word} {single.text} {a}, {b}")
    return f.like(f"llvm.{_REDUCTIONS[word].removeprefix('f')}", single, a, b)


LANES: dict[str, Emit] = {
    "vector.broadcast": broadcast, "vector.splat": broadcast,
    "vector.from_elements": from_elements, "vector.to_elements": to_elements,
    "vector.step": counting, "vector.create_mask": create_mask,
    "vector.constant_mask": constant_mask, "vector.extract": extract, "vector.insert": insert,
    "vector.extract_strided_slice": extract_slice, "vector.insert_strided_slice": insert_slice,
    "vector.shuffle": shuffle, "vector.interleave": interleave,
    "vector.deinterleave": deinterleave, "vector.bitcast": bitcast,
    "vector.shape_cast": shape_cast, "vector.transpose": transpose,
    "vector.reduction": reduction,
}  # fmt: skip
