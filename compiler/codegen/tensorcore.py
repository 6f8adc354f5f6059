"""`nvgpu` operations: tensor-core products, matrix loads, asynchronous copies to shared memory.

Takes: fragments as vectors, buffers in memory and shared memory. Gives: NVVM intrinsics.
Must not know: tiles, pipelines. Shapes and fragments: NVIDIA, "PTX ISA", warp-level matrix
instructions, and cp.async.
"""

from __future__ import annotations

from ..mlir.ir import Op
from ..types import DType, bf16, f16, f32, i8, i32
from .emitter import Emit, FunctionEmitter, int_attr, ints_attr
from .memory import address, memref_of
from .text import CodegenError, Row, row_of, type_text
from .vectors import vector_of

_PRODUCTS: dict[tuple[DType, DType, tuple[int, ...]], tuple[str, str]] = {
    (f16, f32, (16, 8, 16)): ("m16n8k16.row.col.f32.f32", "<2 x half>"),
    (f16, f32, (16, 8, 8)): ("m16n8k8.row.col.f32.f32", "<2 x half>"),
    (bf16, f32, (16, 8, 16)): ("m16n8k16.row.col.bf16", "i32"),
    (bf16, f32, (16, 8, 8)): ("m16n8k8.row.col.bf16", "i32"),
    (f32, f32, (16, 8, 8)): ("m16n8k8.row.col.tf32", "i32"),
    (f32, f32, (16, 8, 4)): ("m16n8k4.row.col.tf32", "i32"),
    (i8, i32, (16, 8, 32)): ("m16n8k32.row.col.s8", "i32"),
    (i8, i32, (16, 8, 16)): ("m16n8k16.row.col.s8", "i32"),
}
"""(operand type, accumulator type, m n k): the intrinsic's name, and the type of one register."""


def multiply(f: FunctionEmitter, op: Op) -> None:
    """`nvgpu.mma.sync`: one warp's D = A·B + C in registers."""
    left, right, total = op.operands
    shape = ints_attr(op, "mmaShape")
    dtype, result = vector_of(left).dtype, vector_of(total)
    found = _PRODUCTS.get((dtype, result.dtype, shape))
    if found is None:
        raise CodegenError(f"nvgpu.mma.sync of {dtype} to {result.dtype} has no shape {shape}")
    if dtype is f32 and "tf32Enabled" not in op.attrs:
        raise CodegenError("nvgpu.mma.sync of f32 rounds its operands to tf32: say tf32Enabled")
    name, register = found
    arguments = [
        (register, _as_register(f, row_of(v.type), r, register))
        for v in (left, right)
        for r in f.get(v)
    ]
    scalar = row_of(result).scalar
    parts = [_lanes(f, row_of(result), r) for r in f.get(total)]
    arguments += [(scalar, x) for part in parts for x in part]
    count = len(parts) * len(parts[0])
    kind = "{ " + ", ".join([scalar] * count) + " }"
    whole = f.intrinsic(f"llvm.nvvm.mma.{name}", kind, arguments)
    values = [f.inst(f"extractvalue {kind} {whole}, {k}") for k in range(count)]
    width = len(parts[0])
    rows = [values[k : k + width] for k in range(0, count, width)]
    f.set(op.result, tuple(_vector(f, row_of(result), r) for r in rows))


def _as_register(f: FunctionEmitter, one: Row, value: str, register: str) -> str:
    """A row of a fragment as one 32-bit register."""
    if one.lanes * one.dtype.bits != 32:
        raise CodegenError(f"a fragment's rows have 32 bits, not {one.text}")
    return f.inst(f"bitcast {one.text} {value} to {register}")


def _lanes(f: FunctionEmitter, one: Row, value: str) -> list[str]:
    return [f.inst(f"extractelement {one.text} {value}, i64 {k}") for k in range(one.lanes)]


def _vector(f: FunctionEmitter, one: Row, lanes: list[str]) -> str:
    whole = "poison"
    for k, lane in enumerate(lanes):
        whole = f.inst(f"insertelement {one.text} {whole}, {one.scalar} {lane}, i64 {k}")
    return whole


def load_matrix(f: FunctionEmitter, op: Op) -> None:
    """`nvgpu.ldmatrix`: 1, 2 or 4 tiles of 8×8 16-bit elements out of shared memory."""
    buffer, *at = op.operands
    memref, tiles = memref_of(buffer), int_attr(op, "numTiles")
    if memref.space != 3 or tiles not in (1, 2, 4):
        raise CodegenError("nvgpu.ldmatrix loads 1, 2 or 4 tiles out of shared memory (space 3)")
    turned = ".trans" if op.attrs.get("transpose") is True else ""
    pointer = address(f, buffer, f.indices(at))
    kind = "i32" if tiles == 1 else "{ " + ", ".join(["i32"] * tiles) + " }"
    name = f"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x{tiles}{turned}.b16"
    whole = f.intrinsic(name, kind, [(type_text(memref), pointer)], "p3")
    words = [whole]
    if tiles > 1:
        words = [f.inst(f"extractvalue {kind} {whole}, {k}") for k in range(tiles)]
    one = row_of(op.result.type)
    f.set(op.result, tuple(f.inst(f"bitcast i32 {w} to {one.text}") for w in words))


def copy_async(f: FunctionEmitter, op: Op) -> None:
    """`nvgpu.device_async_copy`: 4, 8 or 16 bytes from memory to shared memory, not waited for.

    With `srcElements` the rest of the destination is filled with zeros.
    """
    target = memref_of(op.operands[0])
    source = memref_of(op.operands[1 + target.rank])
    pair = [
        op.operands[: 1 + target.rank],
        op.operands[1 + target.rank : 2 + target.rank + source.rank],
    ]
    rest = op.operands[2 + target.rank + source.rank :]
    bytes = int_attr(op, "dstElements") * target.dtype.itemsize
    if target.space != 3 or bytes not in (4, 8, 16):
        raise CodegenError("device_async_copy moves 4, 8 or 16 bytes into shared memory (space 3)")
    to, origin = (address(f, b, f.indices(at)) for b, *at in pair)
    origin = f.inst(f"addrspacecast ptr {origin} to ptr addrspace(1)")
    route = "cg" if bytes == 16 and "bypassL1" in op.attrs else "ca"
    name = f"llvm.nvvm.cp.async.{route}.shared.global.{bytes}"
    arguments = [("ptr addrspace(3)", to), ("ptr addrspace(1)", origin)]
    if rest:
        size = f.inst(f"mul i64 {f.one(rest[0])}, {target.dtype.itemsize}")
        arguments.append(("i32", f.inst(f"trunc i64 {size} to i32")))
        name += ".s"
    f.intrinsic(name, "void", arguments)
    f.set(op.result, ())


def close_group(f: FunctionEmitter, op: Op) -> None:
    """`nvgpu.device_async_create_group`: the copies since the last one are one group."""
    f.intrinsic("llvm.nvvm.cp.async.commit.group", "void", [])
    f.set(op.result, ())


def wait(f: FunctionEmitter, op: Op) -> None:
    """`nvgpu.device_async_wait`: until at most `numGroups` (default 0) groups are under way."""
    groups = int_attr(op, "numGroups", 0)
    f.intrinsic("llvm.nvvm.cp.async.wait.group", "void", [("i32", str(groups))])


TENSOR_CORE: dict[str, Emit] = {
    "nvgpu.mma.sync": multiply,
    "nvgpu.ldmatrix": load_matrix,
    "nvgpu.device_async_copy": copy_async,
    "nvgpu.device_async_create_group": close_group,
    "nvgpu.device_async_wait": wait,
}
