"""Loop IR to LLVM IR text and to PTX, for NVIDIA GPUs.

Takes: `gpu.module`s of the `loops` stage and a GPU target. Gives: text with one kernel for each
`gpu.func` that is one. Must not know: launches, streams. Scalars, memory, vectors and loops are
written by the same functions as for CPUs; here come threads, barriers, shuffles, shared memory.
"""

from __future__ import annotations

from ..mlir.ir import Block, Module, Op, Value
from ..target import Target
from .calls import CALLS, body, define, give_back, is_foreign, parameters
from .control import CONTROL
from .emitter import Emit, FunctionEmitter, ModuleEmitter, int_attr, ints_attr, text_attr
from .lanes import LANES
from .llvm import assemble
from .machine import assembly
from .memory import MEMORY, declare_global, memref_of
from .scalar import SCALAR
from .tensorcore import TENSOR_CORE
from .text import CodegenError, llvm_dtype, row_of
from .vectors import VECTOR_MEMORY

_SHARED_ALIGNMENT = 128


def special_register(name: str) -> Emit:
    """`gpu.thread_id x` and the like: a 32-bit register, as an index."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        full = f"llvm.nvvm.read.ptx.sreg.{name}"
        full += f".{text_attr(op, 'dimension')}" if "dimension" in op.attrs else ""
        f.module.declare(full, f"declare i32 @{full}()")
        value = f.shared(f"call i32 @{full}()", [])
        f.set(op.result, f.shared(f"zext i32 {value} to i64", [value]))

    return emit


def subgroup_id(f: FunctionEmitter, op: Op) -> None:
    """`gpu.subgroup_id`: the number of the warp in its block, x fastest."""

    def read(name: str) -> str:
        full = f"llvm.nvvm.read.ptx.sreg.{name}"
        f.module.declare(full, f"declare i32 @{full}()")
        return f.shared(f"call i32 @{full}()", [])

    total = read("tid.z")
    for axis in ("y", "x"):
        size, place = read(f"ntid.{axis}"), read(f"tid.{axis}")
        scaled = f.shared(f"mul i32 {total}, {size}", [total, size])
        total = f.shared(f"add i32 {scaled}, {place}", [scaled, place])
    warp = f.shared(f"lshr i32 {total}, 5", [total])
    f.set(op.result, f.shared(f"zext i32 {warp} to i64", [warp]))


def barrier(f: FunctionEmitter, op: Op) -> None:
    """`gpu.barrier`: all threads of the block."""
    f.intrinsic("llvm.nvvm.barrier0", "void", [])


_MODES = {"xor": "bfly", "up": "up", "down": "down", "idx": "idx"}


def shuffle(f: FunctionEmitter, op: Op) -> None:
    """`gpu.shuffle` over a whole warp of 32; 64-bit values go in two halves, small ones widened."""
    value, offset, width = (f.one(v) for v in op.operands)
    if width != "32":
        raise CodegenError("gpu.shuffle needs the constant width 32: a whole warp takes part")
    mode = _MODES.get(text_attr(op, "mode"))
    if mode is None:
        raise CodegenError(f"gpu.shuffle mode {op.attrs.get('mode')!r}")
    one = row_of(op.operands[0].type)
    if one.lanes:
        raise CodegenError("gpu.shuffle moves scalars")
    bits = one.dtype.bits
    whole = f"i{bits}"
    raw = value if one.text == whole else f.inst(f"bitcast {one.text} {value} to {whole}")
    words = _split(f, raw, whole, bits)
    moved, valid = [], ""
    for word in words:
        word, valid = _shuffle_word(f, mode, word, offset)
        moved.append(word)
    raw = _join(f, moved, whole, bits)
    out = raw if one.text == whole else f.inst(f"bitcast {whole} {raw} to {one.text}")
    f.set(op.results[0], out)
    f.set(op.results[1], valid)


def _split(f: FunctionEmitter, raw: str, whole: str, bits: int) -> list[str]:
    if bits == 32:
        return [raw]
    if bits < 32:
        return [f.inst(f"zext {whole} {raw} to i32")]
    high = f.inst(f"lshr i64 {raw}, 32")
    return [f.inst(f"trunc i64 {raw} to i32"), f.inst(f"trunc i64 {high} to i32")]


def _join(f: FunctionEmitter, words: list[str], whole: str, bits: int) -> str:
    if bits == 32:
        return words[0]
    if bits < 32:
        return f.inst(f"trunc i32 {words[0]} to {whole}")
    low, high = (f.inst(f"zext i32 {w} to i64") for w in words)
    return f.inst(f"or i64 {low}, {f.inst(f'shl i64 {high}, 32')}")


def _shuffle_word(f: FunctionEmitter, mode: str, word: str, offset: str) -> tuple[str, str]:
    """One 32-bit shuffle: the value, and whether the source lane exists."""
    clamp = "0" if mode == "up" else "31"
    arguments = [("i32", "-1"), ("i32", word), ("i32", offset), ("i32", clamp)]
    pair = f.intrinsic(f"llvm.nvvm.shfl.sync.{mode}.i32p", "{ i32, i1 }", arguments)
    value = f.inst(f"extractvalue {{ i32, i1 }} {pair}, 0")
    return value, f.inst(f"extractvalue {{ i32, i1 }} {pair}, 1")


GPU: dict[str, Emit] = {
    **SCALAR, **MEMORY, **VECTOR_MEMORY, **LANES, **CONTROL, **CALLS, **TENSOR_CORE,
    "gpu.thread_id": special_register("tid"), "gpu.block_id": special_register("ctaid"),
    "gpu.block_dim": special_register("ntid"), "gpu.grid_dim": special_register("nctaid"),
    "gpu.lane_id": special_register("laneid"), "gpu.subgroup_id": subgroup_id,
    "gpu.barrier": barrier, "gpu.shuffle": shuffle, "gpu.return": give_back,
}  # fmt: skip
"""Every operation that has machine code on GPUs, with the function that writes it."""


def emit_ptx_ir(module: Module, target: Target) -> str:
    """LLVM IR text of the `gpu.module`s in a `loops` module: kernels and the functions they call.

    A kernel's buffers are pointers to device memory. Its attributes: `known_block_size` bounds its
    registers, `lz.noalias` and `lz.alignment` as on CPUs. `memref<…, 3>` is shared memory, declared
    as workgroup attributions (`workgroup_attributions` counts the arguments that are). CodegenError
    names what has no machine code.
    """
    if not target.is_gpu:
        raise CodegenError(f"{target.name} is no GPU; emit_llvm makes its code")
    state = ModuleEmitter(target)
    functions = [op for top in module.ops if top.name == "gpu.module" for op in top.regions[0].ops]
    state.callees = {op.attrs["sym_name"]: op for op in functions if op.name == "func.func"}
    for op in functions:
        if op.name == "memref.global":
            declare_global(FunctionEmitter(state, GPU, "globals", ""), op)
        elif op.name == "gpu.func":
            state.functions.append(_function(state, op))
        elif op.name == "func.func" and not is_foreign(op):
            f = FunctionEmitter(state, GPU, op.attrs["sym_name"], "")
            state.functions.append(define(f, op, body))
        elif op.name != "gpu.module_end":
            raise CodegenError(f"{op.name} in a gpu.module")
    machine = f'convergent nounwind "target-cpu"="{target.cpu}"'
    if target.features:
        machine += f' "target-features"="{target.features}"'
    groups = [f"attributes #0 = {{ {machine} }}", f"attributes #1 = {{ alwaysinline {machine} }}"]
    return assemble(state, groups)


def _function(state: ModuleEmitter, op: Op) -> str:
    name = op.attrs["sym_name"]
    kernel = "gpu.kernel" in op.attrs or "kernel" in op.attrs
    f = FunctionEmitter(state, GPU, name, "")
    region = op.regions[0]
    count = len(op.attrs["function_type"].inputs)
    shared = int_attr(op, "workgroup_attributions", 0)
    heads = parameters(f, op, region.args[:count])
    for k, value in enumerate(region.args[count:]):
        _attribution(f, value, f"{name}.shared{k}", k < shared)
    body(f, Block(region.args, region.ops))
    if f.fallible or f.interrupted_used:
        raise CodegenError(f"@{name}: code on a GPU cannot be interrupted; no lz.poll there")
    convention, linkage = ("ptx_kernel ", "") if kernel else ("", "internal ")
    bounds = _launch_bounds(op, name) if kernel else None
    if bounds:
        state.annotations.append(bounds)
    head = f"define {linkage}{convention}void @{name}({heads}) #0"
    return f"{head} {{\n{f.text()}\n}}"


def _attribution(f: FunctionEmitter, value: Value, name: str, shared: bool) -> None:
    """Memory that a kernel declares in its head: shared by the block, or each thread's own."""
    type = memref_of(value)
    array = f"[{type.size} x {llvm_dtype(type.dtype)}]"
    if not shared:
        f.set(value, f.alloca(f"{array}, align 16"))
        return
    if type.space != 3:
        raise CodegenError(f"workgroup memory is in space 3, not {type}")
    f.module.globals.append(
        f"@{name} = internal unnamed_addr addrspace(3) global {array} undef, "
        f"align {_SHARED_ALIGNMENT}"
    )
    f.set(value, f"@{name}")


def _launch_bounds(op: Op, name: str) -> str | None:
    """`known_block_size` as the annotation that bounds the registers of a thread."""
    size = ints_attr(op, "known_block_size")
    if not size:
        return None
    axes = ", ".join(f'!"maxntid{a}", i32 {n}' for a, n in zip("xyz", size))
    return f"!{{ptr @{name}, {axes}}}"


def ptx(text: str, target: Target) -> str:
    """PTX assembly of what `emit_ptx_ir` gave."""
    return assembly(text, target, opt=1)
