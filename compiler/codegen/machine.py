"""LLVM IR text to machine code.

Takes: text and a Target. Gives: an object file's bytes, assembly text, the names left undefined.
Must not know: the loop IR, how the code is loaded and run.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import llvmlite.binding as llvm

from lazir.runtime.forks import MACHINE, hold_in_forks

from ..target import Target
from .text import CARRIED, CodegenError

_lock = threading.Lock()
hold_in_forks(_lock, MACHINE)
_ready = False


def compile_ir(text: str, target: Target, *, opt: int = 1, verify: bool = False) -> bytes:
    """The object file of a module. `opt` is 0 for no passes, 1 for those that pay on the IR given,
    2 and 3 for LLVM's own pipelines; CodegenError shows the offending lines."""
    machine = target_machine(target)
    module = optimized(text, target, opt, verify)
    with _addresses(target, text):
        return bytes(machine.emit_object(module))


def assembly(text: str, target: Target, *, opt: int = 1, verify: bool = False) -> str:
    """The same as assembly text; PTX for GPUs."""
    module = optimized(text, target, opt, verify)
    with _addresses(target, text):
        return str(target_machine(target).emit_assembly(module))


@contextmanager
def _addresses(target: Target, text: str) -> Iterator[None]:
    """While code is made, whether LLVM looks for cheaper addresses in loops.

    Its loop strength reduction takes 40 % of the time of making code. Schedules write addresses
    in which nothing is left to find (no workload was slower without it), but loops of scalar code,
    whose subscripts are the user's, need it. LLVM has this as an option of the whole process
    (`DisableLSR` in its TargetPassConfig.cpp): hence the lock, and the default again afterwards.
    """
    wanted = target.is_gpu or f"\n{CARRIED} " in text
    with _lock:
        if not wanted:
            llvm.set_option("lazir", "-disable-lsr=true")
        try:
            yield
        finally:
            if not wanted:
                llvm.set_option("lazir", "-disable-lsr=false")


def optimized(text: str, target: Target, opt: int = 1, verify: bool = False) -> llvm.ModuleRef:
    """The parsed module after the passes."""
    machine = target_machine(target)
    module = parse(text, verify)
    module.triple = target.triple
    module.data_layout = str(machine.target_data)
    if opt == 1 and f"\n{CARRIED} " in text:
        _run_pipeline(module, machine, 1)
    elif opt == 1:
        _run_passes(module, machine)
    elif opt:
        _run_pipeline(module, machine, opt)
    return module


def parse(text: str, verify: bool = False) -> llvm.ModuleRef:
    """Parse LLVM IR, and verify it where wanted."""
    _initialize()
    try:
        module = llvm.parse_assembly(text)
        if verify:
            module.verify()
    except RuntimeError as error:
        raise CodegenError(_explain(str(error), text)) from None
    return module


def _tools(machine: llvm.TargetMachine, level: int) -> llvm.PassBuilder:
    """A pass builder with all that would rewrite our loops turned off."""
    options = llvm.PipelineTuningOptions(speed_level=level)
    options.loop_vectorization = True  # of loops that say nothing else: `lz.scalar`
    options.slp_vectorization = False
    options.loop_unrolling = options.loop_interleaving = False
    return llvm.create_pass_builder(machine, options)


def _run_passes(module: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    """The few passes that pay on our IR: on sample kernels (maps, matrix products, stencils, rows)
    LLVM's pipelines gave no faster code and took 5 to 40 times as long."""
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.run(module, _tools(machine, 1))


def _run_pipeline(module: llvm.ModuleRef, machine: llvm.TargetMachine, level: int) -> None:
    """LLVM's own pipeline. Its elimination of loads, which no single pass that llvmlite offers has,
    makes recurrences through memory twice as fast."""
    tools = _tools(machine, level)
    tools.getModulePassManager().run(module, tools)


@lru_cache(maxsize=64)
def target_machine(target: Target) -> llvm.TargetMachine:
    """LLVM's code generator for a target, kept for the next time."""
    _initialize()
    found = llvm.Target.from_triple(target.triple)
    gpu = target.is_gpu
    return found.create_target_machine(
        cpu=target.cpu,
        features=target.features,
        opt=3 if gpu else 2,
        reloc="default" if gpu else "pic",
        codemodel="default" if gpu else "small",
    )


def _initialize() -> None:
    global _ready
    with _lock:
        if not _ready:
            llvm.initialize_all_targets()
            llvm.initialize_all_asmprinters()
            _ready = True


def _explain(message: str, text: str) -> str:
    """LLVM's message with the lines of the IR that it speaks of."""
    lines = text.splitlines()
    found = re.search(r":(\d+):\d+:", message)
    if found:
        number = int(found.group(1))
        shown = range(max(0, number - 3), min(len(lines), number + 2))
        context = "\n".join(f"{'>' if k + 1 == number else ' '} {k + 1}: {lines[k]}" for k in shown)
    else:
        quoted = [part.strip() for part in message.splitlines() if part.strip().startswith("%")]
        context = "\n".join(f"  {line}" for line in lines if any(q in line for q in quoted))
    return f"LLVM refuses the generated IR, a defect of the code generator:\n{message}\n{context}"


def undefined_symbols(code: bytes) -> frozenset[str]:
    """Names that a 64-bit little-endian ELF object needs from elsewhere.

    Section and symbol layout: System V ABI, "Object Files".
    """
    if code[:6] != b"\x7fELF\x02\x01":
        raise ValueError("only 64-bit little-endian ELF objects can be read")

    def number(at: int, size: int) -> int:
        return int.from_bytes(code[at : at + size], "little")

    headers, size, count = number(0x28, 8), number(0x3A, 2), number(0x3C, 2)
    names: set[str] = set()
    for k in range(count):
        at = headers + k * size
        if number(at + 4, 4) != 2:  # SHT_SYMTAB
            continue
        offset, length, link = number(at + 24, 8), number(at + 32, 8), number(at + 40, 4)
        strings = number(headers + link * size + 24, 8)
        for entry in range(offset + 24, offset + length, 24):  # the first symbol is empty
            if number(entry + 6, 2) == 0:  # SHN_UNDEF
                start = strings + number(entry, 4)
                names.add(code[start : code.index(b"\0", start)].decode())
    return frozenset(names)
