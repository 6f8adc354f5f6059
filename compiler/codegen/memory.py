"""`memref` operations: addresses, loads, stores, views, copies.

Takes: buffers with static shapes and strides. Gives: one pointer each, and loads and stores that
assume the alignment of an element unless the operation says more. Must not know: control flow.

A buffer is a pointer to its first element: the offset of its type is in it already.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..mlir.ir import AffineMap, Dense, Op, Symbol, Value
from ..types import DType, MemRefType
from .emitter import Affine, Emit, FunctionEmitter, int_attr, ints_attr, text_attr
from .text import (
    CodegenError,
    array_literal,
    contiguous,
    llvm_dtype,
    row_of,
    strides_of,
    type_text,
)

DYNAMIC = -(1 << 63)
"""MLIR's mark for a size, offset or stride that is an operand."""

_UNROLLED_COPIES = 16


def memref_of(value: Value) -> MemRefType:
    """The type of a buffer; an error for anything else."""
    if not isinstance(value.type, MemRefType):
        raise CodegenError(f"a memref is needed, not {value.type}")
    return value.type


def offset_of(type: MemRefType, indices: Sequence[Affine]) -> Affine:
    """Σ index · stride, in elements."""
    strides = strides_of(type)
    if len(strides) != len(indices):
        raise CodegenError(f"{type} needs {len(strides)} indices, not {len(indices)}")
    total = Affine(())
    for part, stride in zip(indices, strides):
        total = total.plus(part, stride)
    return total


def step(f: FunctionEmitter, pointer: str, dtype: DType, space: int, by: Affine) -> str:
    """The pointer moved by an affine number of elements, outermost terms first.

    So what does not change in a loop is computed before it. Steps on the way may lie outside the
    buffer: they carry no `inbounds`.
    """
    name, kind = llvm_dtype(dtype), f"ptr addrspace({space})" if space else "ptr"
    for term, coefficient in sorted(by.terms, key=lambda t: f.depth(t[0])):
        scaled = f.product(term, coefficient)
        move = f"getelementptr {name}, {kind} {pointer}, i64 {scaled}"
        pointer = f.shared(move, [pointer, scaled])
    if by.constant:
        move = f"getelementptr {name}, {kind} {pointer}, i64 {by.constant}"
        pointer = f.shared(move, [pointer])
    return pointer


def address(f: FunctionEmitter, buffer: Value, indices: Sequence[Affine]) -> str:
    """The address of one element."""
    type = memref_of(buffer)
    return step(f, f.one(buffer), type.dtype, type.space, offset_of(type, indices))


def alignment(op: Op, type: MemRefType) -> int:
    """Bytes: the operation's `alignment` attribute, else the element's size."""
    return max(int_attr(op, "alignment", 0), type.dtype.itemsize)


def nontemporal(f: FunctionEmitter, op: Op) -> str:
    """`nontemporal = true` becomes a hint to bypass the caches."""
    return f", !nontemporal {f.module.hint()}" if op.attrs.get("nontemporal") is True else ""


def load(f: FunctionEmitter, op: Op) -> None:
    """`memref.load`."""
    buffer, *at = op.operands
    type = memref_of(buffer)
    pointer = address(f, buffer, f.indices(at))
    text = row_of(type.dtype).text
    f.set(
        op.result, f.inst(f"load {text}, {type_text(type)} {pointer}, align {alignment(op, type)}")
    )


def store(f: FunctionEmitter, op: Op) -> None:
    """`memref.store`."""
    value, buffer, *at = op.operands
    type = memref_of(buffer)
    pointer = address(f, buffer, f.indices(at))
    text = row_of(type.dtype).text
    place = f"{type_text(type)} {pointer}, align {alignment(op, type)}"
    f.line(f"  store {text} {f.one(value)}, {place}{nontemporal(f, op)}")


def alloca(f: FunctionEmitter, op: Op) -> None:
    """`memref.alloca`: on the stack, once for each call of the function, 64-byte aligned."""
    type = memref_of(op.result)
    align = max(int_attr(op, "alignment", 64), type.dtype.itemsize)
    f.set(op.result, f.alloca(f"[{type.size} x {llvm_dtype(type.dtype)}], align {align}"))


def heap(f: FunctionEmitter, op: Op) -> None:
    """`memref.alloc` has no place here."""
    raise CodegenError(f"{op.name}: kernels do not allocate; take the buffer from the workspace")


def view(f: FunctionEmitter, op: Op) -> None:
    """`memref.view`: typed memory at a byte offset of an i8 buffer."""
    source, shift = op.operands[0], op.operands[1]
    type = memref_of(source)
    f.set(op.result, step(f, f.one(source), type.dtype, type.space, f.index_of(shift)))


def subview(f: FunctionEmitter, op: Op) -> None:
    """`memref.subview`: a window; its strides are in its type, its offset goes into the pointer."""
    source = op.operands[0]
    offsets = _mixed(f, op, "static_offsets", 0)
    f.set(op.result, address(f, source, offsets))


def reinterpret(f: FunctionEmitter, op: Op) -> None:
    """`memref.reinterpret_cast`: other shape and strides at an offset from the *base* buffer."""
    source = op.operands[0]
    type = memref_of(source)
    if type.offset:
        raise CodegenError(f"reinterpret_cast of {type}, which has an offset; use subview")
    offsets = _mixed(f, op, "static_offsets", 0)
    f.set(op.result, step(f, f.one(source), type.dtype, type.space, offsets[0]))


def _mixed(f: FunctionEmitter, op: Op, name: str, first: int) -> list[Affine]:
    """A list of static numbers of which some are operands."""
    operands = iter(op.operands[1 + first :])
    return [
        f.index_of(next(operands)) if n == DYNAMIC else Affine((), n) for n in ints_attr(op, name)
    ]


def dimension(f: FunctionEmitter, op: Op) -> None:
    """`memref.dim`: known from the type."""
    text = f.one(op.operands[1])
    shape = memref_of(op.operands[0]).shape
    if not text.isdigit() or int(text) >= len(shape):
        raise CodegenError(f"memref.dim needs a constant axis of {op.operands[0].type}")
    f.set(op.result, str(shape[int(text)]))


def apply_map(f: FunctionEmitter, op: Op) -> None:
    """`affine.apply`: a linear combination of indices."""
    map = op.attrs.get("map")
    if not isinstance(map, AffineMap) or len(map.rows) != 1:
        raise CodegenError("affine.apply needs a map with one result")
    coefficients, constant = map.rows[0]
    total = Affine((), constant)
    for value, coefficient in zip(op.operands, coefficients, strict=True):
        total = total.plus(f.index_of(value), coefficient)
    f.define_index(op.result, total)


def same_pointer(f: FunctionEmitter, op: Op) -> None:
    """`memref.cast`, `collapse_shape`, `expand_shape`, `assume_alignment`: another type only."""
    source = memref_of(op.operands[0])
    reshaped = op.name in ("memref.collapse_shape", "memref.expand_shape")
    if reshaped and source.size != memref_of(op.result).size:
        raise CodegenError(f"{op.name} from {source} to {op.result.type} changes the size")
    if op.name == "memref.assume_alignment":
        _assume_aligned(f, f.one(op.operands[0]), int_attr(op, "alignment"))
    for result in op.results:
        f.set(result, f.get(op.operands[0]))


def _assume_aligned(f: FunctionEmitter, pointer: str, bytes: int) -> None:
    f.module.declare("llvm.assume", "declare void @llvm.assume(i1)")
    f.line(f'  call void @llvm.assume(i1 true) [ "align"(ptr {pointer}, i64 {bytes}) ]')


def copy(f: FunctionEmitter, op: Op) -> None:
    """`memref.copy`: whole, or the contiguous innermost rows one by one; they must not overlap."""
    source, target = (memref_of(v) for v in op.operands)
    if source.shape != target.shape or source.dtype is not target.dtype:
        raise CodegenError(f"memref.copy from {source} to {target} needs equal shapes")
    if 0 in source.shape:
        return
    solid = _solid_axes(source, target)
    outer = source.shape[: source.rank - solid]
    count = source.size
    for n in outer:
        count //= n
    pointers = [f.one(v) for v in op.operands]
    _copy_axes(f, source, target, pointers, outer, [], count)


def _solid_axes(source: MemRefType, target: MemRefType) -> int:
    """How many trailing axes are dense in both."""
    for axis in range(source.rank + 1):
        parts = [
            MemRefType(t.shape[axis:], t.dtype, strides_of(t)[axis:]) for t in (source, target)
        ]
        if all(contiguous(t) for t in parts):
            return source.rank - axis
    return 0


def _copy_axes(
    f: FunctionEmitter,
    source: MemRefType,
    target: MemRefType,
    pointers: list[str],
    outer: tuple[int, ...],
    at: list[str],
    count: int,
) -> None:
    axis = len(at)
    if axis < len(outer):
        if outer[axis] <= _UNROLLED_COPIES:
            for i in range(outer[axis]):
                _copy_axes(f, source, target, pointers, outer, [*at, str(i)], count)
        else:
            with counted_loop(f, outer[axis]) as index:
                _copy_axes(f, source, target, pointers, outer, [*at, index], count)
        return
    full = [f.affine(text) for text in [*at, *["0"] * (source.rank - axis)]]
    ends = []
    for type, pointer in zip((target, source), reversed(pointers)):
        ends.append(step(f, pointer, type.dtype, type.space, offset_of(type, full)))
    size = source.dtype.itemsize
    kinds = [type_text(target), type_text(source)]
    if count == 1:
        name = llvm_dtype(source.dtype)
        value = f.inst(f"load {name}, {kinds[1]} {ends[1]}, align {size}")
        f.line(f"  store {name} {value}, {kinds[0]} {ends[0]}, align {size}")
        return
    suffix = f"p{target.space}.p{source.space}.i64"
    arguments = [
        (f"{kinds[0]} align {size}", ends[0]), (f"{kinds[1]} align {size}", ends[1]),
        ("i64", str(count * size)), ("i1", "false"),
    ]  # fmt: skip
    f.intrinsic("llvm.memcpy", "void", arguments, suffix)


class counted_loop:
    """`with counted_loop(f, n) as i:` runs its body for i from 0 to n − 1; n ≥ 1."""

    def __init__(self, f: FunctionEmitter, count: int) -> None:
        self.f, self.count = f, count

    def __enter__(self) -> str:
        f = self.f
        self.scope = f.scope()
        before = f.label
        self.scope.__enter__()
        self.head, self.end = f.new_label("copy"), f.new_label("copied")
        f.line(f"  br label %{self.head}")
        f.start(self.head)
        self.phi = len(f.lines)
        self.before = before
        self.index = f.fresh("i")
        f.line("")
        return self.index

    def __exit__(self, *_: object) -> None:
        f = self.f
        following = f.inst(f"add nuw nsw i64 {self.index}, 1")
        again = f.inst(f"icmp ult i64 {following}, {self.count}")
        phi = f"phi i64 [ 0, %{self.before} ], [ {following}, %{f.label} ]"
        f.lines[self.phi] = f"  {self.index} = {phi}"
        f.line(f"  br i1 {again}, label %{self.head}, label %{self.end}")
        self.scope.__exit__(None, None, None)
        f.start(self.end)


# -- constants of the module -----------------------------------------------------------------------
def declare_global(f: FunctionEmitter, op: Op) -> None:
    """`memref.global`: a constant table, part of the code."""
    type, value = op.attrs.get("type"), op.attrs.get("initial_value")
    if not isinstance(type, MemRefType) or not isinstance(value, Dense):
        raise CodegenError("memref.global needs a type and a dense initial value")
    data = value.data
    if data.size != type.size:
        data = data.reshape(()).repeat(type.size)
    name = op.attrs["sym_name"]
    space = f"addrspace({type.space}) " if type.space else ""
    f.module.globals.append(
        f"@{name} = internal unnamed_addr {space}constant "
        f"{array_literal(data, type.dtype)}, align 64"
    )


def get_global(f: FunctionEmitter, op: Op) -> None:
    """`memref.get_global`."""
    name = op.attrs.get("name")
    if not isinstance(name, Symbol):
        raise CodegenError("memref.get_global needs the name of a memref.global")
    f.set(op.result, f"@{name.name}")


_ATOMIC = {
    "addi": "add", "addf": "fadd", "ori": "or", "andi": "and", "assign": "xchg",
    "maxs": "max", "maxu": "umax", "mins": "min", "minu": "umin",
}  # fmt: skip
_ATOMIC_NUMBERS = (
    "addf", "addi", "assign", "maximumf", "maxs", "maxu", "minimumf", "mins", "minu",
    "mulf", "muli", "ori", "andi",
)  # fmt: skip


def atomic(f: FunctionEmitter, op: Op) -> None:
    """`memref.atomic_rmw`: integers only, and float addition where order is declared free."""
    kind = op.attrs.get("kind")
    number = getattr(kind, "value", kind)
    word = _ATOMIC_NUMBERS[number] if isinstance(number, int) else text_attr(op, "kind")
    if word not in _ATOMIC:
        raise CodegenError(f"memref.atomic_rmw {word} has no instruction")
    value, buffer, *at = op.operands
    type = memref_of(buffer)
    if type.dtype.is_float and type.dtype.bits == 16:
        raise CodegenError("atomic operations on f16 and bf16 are not supported; use f32")
    pointer = address(f, buffer, f.indices(at))
    operand = f"{type_text(type)} {pointer}, {llvm_dtype(type.dtype)} {f.one(value)}"
    old = f.inst(f"atomicrmw {_ATOMIC[word]} {operand} monotonic")
    f.set(op.result, old)


def prefetch(f: FunctionEmitter, op: Op) -> None:
    """`memref.prefetch`: a hint; the address need not be valid."""
    buffer, *at = op.operands
    type = memref_of(buffer)
    pointer = address(f, buffer, f.indices(at))
    arguments = [
        (type_text(type), pointer), ("i32", str(int(bool(op.attrs.get("isWrite", False))))),
        ("i32", str(int_attr(op, "localityHint", 3))), ("i32", "1"),
    ]  # fmt: skip
    f.intrinsic("llvm.prefetch", "void", arguments, f"p{type.space}")


def pointer_as_index(f: FunctionEmitter, op: Op) -> None:
    """`memref.extract_aligned_pointer_as_index`: the address of the first element."""
    (buffer,) = op.operands
    text, pointer = type_text(memref_of(buffer)), f.one(buffer)
    f.set(op.result, f.shared(f"ptrtoint {text} {pointer} to i64", [pointer]))


MEMORY: dict[str, Emit] = {
    "memref.load": load,
    "memref.store": store,
    "memref.alloca": alloca,
    "memref.alloc": heap,
    "memref.view": view,
    "memref.subview": subview,
    "memref.reinterpret_cast": reinterpret,
    "memref.cast": same_pointer,
    "memref.collapse_shape": same_pointer,
    "memref.expand_shape": same_pointer,
    "memref.assume_alignment": same_pointer,
    "memref.copy": copy,
    "memref.get_global": get_global,
    "memref.dim": dimension,
    "memref.extract_aligned_pointer_as_index": pointer_as_index,
    "affine.apply": apply_map,
    "memref.atomic_rmw": atomic,
    "memref.prefetch": prefetch,
}
