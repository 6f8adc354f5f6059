"""`lazir dump`: the text of a stage, of all stages, of a part, or what one stage changed.

Takes: parsed options. Gives: text on stdout or in files. Must not know: how stages are made.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lazir.compiler.pipeline import Compilation, stages

from .output import difference, say, suffix, write_file, write_text
from .problems import InputError, UsageError
from .program import read_program
from .select import only_kernel, only_operations

MACHINE = ("llvm", "asm", "ptx")
"""Stages whose text is not MLIR: they have no locations and no operations to pick."""


def dump(options: Namespace) -> int:
    """Print what the options name."""
    _check(options)
    compilation = read_program(options).compilation
    if options.diff:
        old, new = options.diff
        before, after = (_text(compilation, stage, options) for stage in (old, new))
        _give(difference(before, after, old, new), "diff", options)
        return 0
    if options.output is not None and _is_folder(options.output):
        _all_stages(compilation, options)
        return 0
    stage = options.stage or ("kernels" if options.kernel else compilation.start.stage)
    _give(_text(compilation, stage, options), stage, options)
    return 0


def _check(options: Namespace) -> None:
    stages = options.diff or [options.stage or "graph"]
    machine = [s for s in stages if s in MACHINE]
    if machine and options.op:
        raise UsageError(f"--op is for MLIR; {machine[0]} is none, use --kernel")
    if machine and options.locations:
        raise UsageError(f"--locations is for MLIR; the text of {machine[0]} has none")
    if options.diff and options.stage:
        raise UsageError("--diff names its stages itself; leave --stage out")


def _text(compilation: Compilation, stage: str, options: Namespace) -> str:
    text = stage_text(compilation, stage, options.locations)
    if options.kernel:
        text = only_kernel(text, stage, options.kernel)
    return only_operations(text, options.op) if options.op else text


def stage_text(compilation: Compilation, stage: str, locations: bool = False) -> str:
    """A stage's text. UsageError for `asm` of a GPU, `ptx` of a CPU."""
    target = compilation.target
    if stage not in stages(target):
        raise UsageError(
            f"the target {target.name} has the stage ptx in place of asm"
            if target.is_gpu
            else f"the target {target.name} has no stage {stage}; add --target sm_80 (or "
            "--device cuda)"
        )
    return compilation.text(stage, locations=locations and stage not in MACHINE)


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir()


def _all_stages(compilation: Compilation, options: Namespace) -> None:
    """A file for each stage, numbered in their order."""
    folder = Path(options.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}") from None
    names = stages(compilation.target)
    for stage in names[names.index(compilation.start.stage) :]:
        if options.stage not in (None, stage) or (options.op and stage in MACHINE):
            continue
        path = folder / f"{names.index(stage) + 1}-{stage}{suffix(stage)}"
        write_file(path, _text(compilation, stage, options))
        say(f"wrote {path}")


def _give(text: str, language: str, options: Namespace) -> None:
    if options.output is None or options.output == "-":
        write_text(text, language, options.color)
        return
    write_file(Path(options.output), text)
    say(f"wrote {options.output}")
