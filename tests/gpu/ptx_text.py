"""PTX text as instructions: what an assembler would read, for the subset that LLVM writes for us.

Takes: PTX. Gives: Kernels with instructions, labels, registers, memory of their own.
Must not know: what an instruction does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Instruction", "Kernel", "PtxError", "parse_ptx"]


class PtxError(AssertionError):
    """Something that the emulator does not know, or that the program must not do."""


@dataclass(frozen=True)
class Instruction:
    """`@!p name.part.part a, b, c;`: the guard register, whether it is negated, parts, operands.

    An operand `{a, b}` is a tuple, `x|y` of a shuffle too, `[a+4]` is ("[", "a", 4).
    """

    parts: tuple[str, ...]
    operands: tuple[object, ...]
    guard: str = ""
    negated: bool = False
    text: str = ""


@dataclass
class Kernel:
    """A `.visible .entry`: parameter names, register widths by prefix, shared and local memory."""

    name: str
    params: list[str]
    block: tuple[int, ...] = ()
    registers: dict[str, int] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)
    local: dict[str, int] = field(default_factory=dict)
    code: list[Instruction] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)


_ENTRY = re.compile(r"\.entry (\w+)\((.*?)\)(.*?)\n\{\n(.*?)\n\}", re.S)
_MEMORY = re.compile(r"\.(shared|local) \.align \d+ \.b8 \t?([\w$]+)\[(\d+)\];")
_REGISTERS = re.compile(r"\.reg \.(pred|b\d+) \t(%\w+?)<\d+>;|\.reg \.b64 \t(%SPL?);")
_LINE = re.compile(r"(?:@(!?)(%\w+) )?\s*([a-z][\w.]*(?:::\w+)?)\s*(.*);$")


def parse_ptx(text: str) -> dict[str, Kernel]:
    """The kernels of a PTX module by name. Functions and global variables are refused."""
    if re.search(r"^\.(func|global|const|extern)|\.func ", text, re.M):
        raise PtxError("only kernels are understood, no functions or module variables")
    made = {}
    for name, head, bounds, body in _ENTRY.findall(text):
        limit = re.search(r"\.maxntid (\d+), (\d+), (\d+)", bounds)
        kernel = Kernel(name, re.findall(r"(\w+)(?:,|$)", head.replace("\n", "")))
        kernel.block = tuple(map(int, limit.groups())) if limit else ()
        for line in body.splitlines():
            _read_line(kernel, line.strip())
        made[name] = kernel
    return made


def _read_line(kernel: Kernel, line: str) -> None:
    line = re.sub(r"//.*", "", line).strip()
    line = re.sub(r"^\{ \.reg \.b32 tmp; (mov\.b64 \{.*;) \}$", _unnamed, line)
    if not line:
        return
    if memory := _MEMORY.fullmatch(line):
        getattr(kernel, memory[1])[memory[2]] = int(memory[3])
    elif registers := _REGISTERS.fullmatch(line):
        prefix = registers[2] or registers[3]
        width = registers[1] or "b64"
        kernel.registers[prefix] = 1 if width == "pred" else int(width[1:])
    elif line.endswith(":"):
        kernel.labels[line[:-1]] = len(kernel.code)
    elif line.startswith("."):
        if not line.startswith((".loc", ".pragma")):
            raise PtxError(f"unknown directive: {line}")
    elif found := _LINE.fullmatch(line):
        negated, guard, name, rest = found.groups()
        operands = tuple(map(_operand, _split(rest)))
        code = Instruction(tuple(name.split(".")), operands, guard or "", bool(negated), line)
        kernel.code.append(code)
    else:
        raise PtxError(f"cannot read: {line}")


def _unnamed(found: re.Match[str]) -> str:
    """Half of a register into a place of no further use, as older PTX writes it."""
    return re.sub(r"\btmp\b", "_", found[1])


def _split(text: str) -> list[str]:
    """At commas outside of braces and brackets."""
    parts = re.findall(r"(?:\{[^}]*\}|\[[^\]]*\]|[^,])+", text)
    return [p.strip() for p in parts if p.strip()]


def _operand(text: str) -> object:
    if text.startswith("{"):
        return tuple(p.strip() for p in text[1:-1].split(","))
    if text.startswith("["):
        place = re.fullmatch(r"\[([%\w$]+)(?:\+(-?\d+))?\]", text)
        if place is None:
            raise PtxError(f"cannot read the address {text}")
        return ("[", place[1], int(place[2] or 0))
    return tuple(text.split("|")) if "|" in text else text
