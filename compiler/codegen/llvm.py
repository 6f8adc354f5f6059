"""Loop IR to LLVM IR text, for CPUs.

Takes: a Module of the `loops` stage and a Target. Gives: the whole text, one exported C function.
Must not know: kernels, schedules, how the text becomes machine code.
"""

from __future__ import annotations

from ..mlir.ir import Module, Op
from ..target import Target
from .calls import CALLS, body, define, entry_function, find_fallible, is_foreign
from .control import CONTROL
from .emitter import Emit, FunctionEmitter, ModuleEmitter
from .lanes import LANES
from .memory import MEMORY, declare_global
from .parallel import PARALLEL
from .scalar import SCALAR
from .text import CARRIED, CodegenError
from .vectors import VECTOR_MEMORY

CPU: dict[str, Emit] = {
    **SCALAR, **MEMORY, **VECTOR_MEMORY, **LANES, **CONTROL, **CALLS, **PARALLEL,
}  # fmt: skip
"""Every operation that has machine code on CPUs, with the function that writes it."""


def emit_llvm(module: Module, target: Target, *, entry: str) -> str:
    """LLVM IR text of a `loops` module, with the C function `entry` around its main function.

    The main function is the one that is not private; it has the integer attributes `lz.inputs` and
    `lz.outputs`. Attributes that are read elsewhere: `lz.noalias`, `lz.alignment`, `lz.inline` on
    functions, `lz.poll` and `lz.scalar` on loops, `lz.callback` on declarations, `alignment` and
    `nontemporal` on loads and stores. Equal modules and targets give equal text. CodegenError names
    the operation that has no machine code.
    """
    if target.is_gpu:
        raise CodegenError(f"{target.name} is a GPU; emit_ptx_ir makes its code")
    state = ModuleEmitter(target)
    state.callees = {op.attrs["sym_name"]: op for op in module.functions()}
    state.fallible = find_fallible(module)
    state.names = {n: f"{n}.main" for n in state.callees if n == entry}
    main = _main(module)
    for op in module.ops:
        if op.name == "memref.global":
            declare_global(FunctionEmitter(state, CPU, "globals"), op)
        elif op.name != "func.func":
            raise CodegenError(f"{op.name} at the top level of a module")
        elif not is_foreign(op):
            f = FunctionEmitter(state, CPU, op.attrs["sym_name"])
            state.functions.append(define(f, op, body))
    state.functions.append(entry_function(state, main, entry))
    if carries_through_memory(module):
        state.named.append(f"{CARRIED} = !{{}}")
    return assemble(state, attribute_groups(target))


def _main(module: Module) -> Op:
    public = [op for op in module.functions() if op.attrs.get("sym_visibility") != "private"]
    if len(public) != 1:
        names = ", ".join("@" + op.attrs["sym_name"] for op in public) or "none"
        raise CodegenError(f"one function must be public, the main one; there are {names}")
    return public[0]


def carries_through_memory(module: Module) -> bool:
    """Whether an innermost loop loads what an earlier iteration may have stored.

    That is a recurrence (Gauss–Seidel, a tridiagonal solve, dynamic programming): a loop of a
    program on scalars (`lz.scalar`), or loads and stores of one buffer at different indices.
    """
    loops = ("scf.for", "scf.while")
    if any("lz.scalar" in op.attrs for op in module.walk() if op.name == "scf.for"):
        return True
    for loop in (op for op in module.walk() if op.name in loops):
        inside = [op for op in loop.walk() if op is not loop]
        if any(op.name in loops for op in inside):
            continue
        stores = [op.operands[1:] for op in inside if op.name == "memref.store"]
        loads = [op.operands for op in inside if op.name == "memref.load"]
        if any(s[0] is at[0] and s[1:] != at[1:] for s in stores for at in loads):
            return True
    return False


def attribute_groups(target: Target) -> list[str]:
    """What all functions say of the machine; #1 for those that are always inlined."""
    machine = [f'"target-cpu"="{target.cpu}"']
    if target.features:
        machine.append(f'"target-features"="{target.features}"')
    if target.arch == "x86_64":
        machine.append(f'"prefer-vector-width"="{target.vector_bits}"')
        machine.append(f'"min-legal-vector-width"="{target.vector_bits}"')
    common = "nounwind " + " ".join(machine)
    return [f"attributes #0 = {{ {common} }}", f"attributes #1 = {{ alwaysinline {common} }}"]


def _annotations(state: ModuleEmitter) -> str:
    """Launch bounds in the form that every LLVM since 20 reads."""
    if not state.annotations:
        return ""
    first = len(state.metadata)
    names = ", ".join(f"!{first + k}" for k in range(len(state.annotations)))
    lines = [f"!{first + k} = {text}" for k, text in enumerate(state.annotations)]
    return "\n".join([f"!nvvm.annotations = !{{{names}}}", *lines])


_LAYOUTS = {
    "x86_64": "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128",
    "aarch64": "e-m:e-p270:32:32-p271:32:32-p272:64:64-i8:8:32-i16:16:32-i64:64-i128:128-n32:64"
    "-S128-Fn32",
    "wasm32": "e-m:e-p:32:32-p10:8:8-p20:8:8-i64:64-i128:128-n32:64-S128-ni:1:10:20",
    "nvptx64": "e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64",
}
"""LLVM's data layouts: sizes and alignments that loads and stores without `align` go by. The code
generator replaces them by its own where a version of LLVM differs."""


def assemble(state: ModuleEmitter, groups: list[str]) -> str:
    """The parts of a module in order."""
    layout = _LAYOUTS.get(state.target.arch)
    head = [f'target datalayout = "{layout}"'] if layout else []
    sections = [
        "\n".join([*head, f'target triple = "{state.target.triple}"']),
        "\n".join(state.globals),
        "\n\n".join([*state.helpers.values(), *state.functions]),
        "\n".join(state.declarations[name] for name in sorted(state.declarations)),
        "\n".join(groups),
        "\n".join([*state.metadata, *state.named]),
        _annotations(state),
    ]
    return "\n\n".join(s for s in sections if s) + "\n"
