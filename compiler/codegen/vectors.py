"""`vector` operations in memory: loads, stores, masks, gathers, scatters.

Takes: fixed-width vectors and buffers. Gives: LLVM loads, stores and masked intrinsics. A vector of
rank two and more is held as its rows. Must not know: how lanes are moved about, targets.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..mlir.ir import Op, Value
from ..types import VectorType, element, i64
from .emitter import Affine, Emit, FunctionEmitter
from .memory import alignment, memref_of, nontemporal, offset_of, step
from .text import CodegenError, llvm_dtype, row, row_count, row_of, strides_of, type_text


def vector_of(value: Value) -> VectorType:
    """The type of a vector; an error for anything else."""
    if not isinstance(value.type, VectorType):
        raise CodegenError(f"a vector is needed, not {value.type}")
    return value.type


def row_addresses(
    f: FunctionEmitter, op: Op, buffer: Value, at: Sequence[Value], type: VectorType
) -> list[str]:
    """The address of each row of a vector that lies in memory along the buffer's last axes."""
    memref = memref_of(buffer)
    strides = strides_of(memref)
    if memref.dtype is not type.dtype:
        raise CodegenError(f"{op.name}: {memref} holds no {type.dtype}")
    if type.rank > memref.rank:
        raise CodegenError(f"{op.name}: {type} has more axes than {memref}")
    if type.shape[-1] > 1 and strides[-1] != 1:
        raise CodegenError(f"{op.name}: the last axis of {memref} has no stride of 1; gather it")
    start = offset_of(memref, f.indices(at))
    leading, pitches = type.shape[:-1], strides[memref.rank - type.rank : memref.rank - 1]
    out = []
    for k in range(row_count(type)):
        shift, rest = 0, k
        for n, pitch in zip(reversed(leading), reversed(pitches)):
            shift += rest % n * pitch
            rest //= n
        moved = start.plus(Affine((), shift))
        out.append(step(f, f.one(buffer), memref.dtype, memref.space, moved))
    return out


def load(f: FunctionEmitter, op: Op) -> None:
    """`vector.load`."""
    buffer, *at = op.operands
    type, memref = vector_of(op.result), memref_of(buffer)
    text, kind, bytes = type_text(type), type_text(memref), alignment(op, memref)
    addresses = row_addresses(f, op, buffer, at, type)
    f.set(op.result, tuple(f.inst(f"load {text}, {kind} {p}, align {bytes}") for p in addresses))


def store(f: FunctionEmitter, op: Op) -> None:
    """`vector.store`; `nontemporal = true` bypasses the caches (and wants full `alignment`)."""
    value, buffer, *at = op.operands
    type, memref = vector_of(value), memref_of(buffer)
    text, kind = type_text(type), type_text(memref)
    tail = f"align {alignment(op, memref)}{nontemporal(f, op)}"
    addresses = row_addresses(f, op, buffer, at, type)
    for row_value, pointer in zip(f.get(value), addresses, strict=True):
        f.line(f"  store {text} {row_value}, {kind} {pointer}, {tail}")


def masked_load(f: FunctionEmitter, op: Op) -> None:
    """`vector.maskedload base[i…], mask, pass_through`: masked-off lanes are not touched."""
    buffer, *at, mask, otherwise = op.operands
    type, memref = vector_of(op.result), memref_of(buffer)
    (pointer,) = row_addresses(f, op, buffer, at, type)
    text = type_text(type)
    arguments = [
        (type_text(memref), pointer), ("i32", str(alignment(op, memref))),
        (type_text(mask.type), f.one(mask)), (text, f.one(otherwise)),
    ]  # fmt: skip
    suffix = f"{row_of(type).suffix}.p{memref.space}"
    f.set(op.result, f.intrinsic("llvm.masked.load", text, arguments, suffix))


def masked_store(f: FunctionEmitter, op: Op) -> None:
    """`vector.maskedstore base[i…], mask, value`.

    A known single lane is stored as a scalar: LLVM 22 does so itself on x86, but for elements of 16
    bits that were narrowed from 32 it stores all 32, beyond the end of the buffer.
    """
    buffer, *at, mask, value = op.operands
    type, memref = vector_of(value), memref_of(buffer)
    (pointer,) = row_addresses(f, op, buffer, at, type)
    lane = _single_lane(f.one(mask))
    if lane is not None:
        scalar, kind = llvm_dtype(type.dtype), type_text(memref)
        item = f.inst(f"extractelement {type_text(type)} {f.one(value)}, i64 {lane}")
        place = f.inst(f"getelementptr {scalar}, {kind} {pointer}, i64 {lane}") if lane else pointer
        f.line(f"  store {scalar} {item}, {kind} {place}, align {alignment(op, memref)}")
        return
    arguments = [
        (type_text(type), f.one(value)), (type_text(memref), pointer),
        ("i32", str(alignment(op, memref))), (type_text(mask.type), f.one(mask)),
    ]  # fmt: skip
    suffix = f"{row_of(type).suffix}.p{memref.space}"
    f.intrinsic("llvm.masked.store", "void", arguments, suffix)


def _single_lane(mask: str) -> int | None:
    """The lane of a constant mask that has just one."""
    if not mask.startswith("<"):
        return None
    lanes = [lane.strip() == "i1 true" for lane in mask.strip("<>").split(",")]
    return lanes.index(True) if sum(lanes) == 1 else None


def _lane_pointers(
    f: FunctionEmitter, op: Op, buffer: Value, at: Sequence[Value], lanes: Value
) -> tuple[str, str]:
    """The pointers `base[at] + lane · stride of the last axis`, and their type."""
    memref = memref_of(buffer)
    count = vector_of(lanes).shape[-1]
    start = step(
        f, f.one(buffer), memref.dtype, memref.space,
        offset_of(memref, f.indices(at)),
    )  # fmt: skip
    offsets, text = f.one(lanes), type_text(lanes.type)
    stride = strides_of(memref)[-1] if memref.rank else 1
    if stride != 1:
        wide = row(i64, count)
        if element(lanes.type).bits < 64:
            offsets = f.inst(f"sext {text} {offsets} to {wide.text}")
        text = wide.text
        offsets = f.inst(f"mul {text} {offsets}, {wide.const(stride)}")
    kind = type_text(memref)
    name = llvm_dtype(memref.dtype)
    pointers = f.inst(f"getelementptr {name}, {kind} {start}, {text} {offsets}")
    return pointers, f"<{count} x {kind}>"


def gather(f: FunctionEmitter, op: Op) -> None:
    """`vector.gather base[i…][lanes], mask, pass_through`."""
    buffer, *at, lanes, mask, otherwise = op.operands
    type, memref = vector_of(op.result), memref_of(buffer)
    pointers, kind = _lane_pointers(f, op, buffer, at, lanes)
    text = type_text(type)
    arguments = [
        (kind, pointers), ("i32", str(alignment(op, memref))),
        (type_text(mask.type), f.one(mask)), (text, f.one(otherwise)),
    ]  # fmt: skip
    suffix = f"{row_of(type).suffix}.v{type.shape[-1]}p{memref.space}"
    f.set(op.result, f.intrinsic("llvm.masked.gather", text, arguments, suffix))


def scatter(f: FunctionEmitter, op: Op) -> None:
    """`vector.scatter base[i…][lanes], mask, value`: of equal addresses the last lane wins."""
    buffer, *at, lanes, mask, value = op.operands
    type, memref = vector_of(value), memref_of(buffer)
    pointers, kind = _lane_pointers(f, op, buffer, at, lanes)
    arguments = [
        (type_text(type), f.one(value)), (kind, pointers),
        ("i32", str(alignment(op, memref))), (type_text(mask.type), f.one(mask)),
    ]  # fmt: skip
    suffix = f"{row_of(type).suffix}.v{type.shape[-1]}p{memref.space}"
    f.intrinsic("llvm.masked.scatter", "void", arguments, suffix)


VECTOR_MEMORY: dict[str, Emit] = {
    "vector.load": load,
    "vector.store": store,
    "vector.maskedload": masked_load,
    "vector.maskedstore": masked_store,
    "vector.gather": gather,
    "vector.scatter": scatter,
}
