"""Parts of a stage's text: one kernel, or the operations of one name.

Takes: the text of a stage. Gives: the part, as it stands in the whole.
Must not know: files, options.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from .problems import UsageError, suggestion

_MLIR_FUNCTION = re.compile(r"\s*(?:func\.func|gpu\.func)\b[^@]*@([\w$.-]+)")
_LLVM_FUNCTION = re.compile(r"define\b[^@]*@\"?([\w$.-]+)")
_LABEL = re.compile(r"([A-Za-z_$][\w$.]*):")
_PTX_FUNCTION = re.compile(
    r"\.?(?:visible|func)\b.*?\b(?:entry|func)\s+(?:\([^)]*\)\s*)?([\w$]+)\("
)
_OPERATION = re.compile(
    r'\s*(?:%[^=]*= )?"?([a-z_]+(?:\.[a-z_0-9]+)+|return|call|constant)"?(?=[\s(]|$)'
)


def only_kernel(text: str, stage: str, name: str) -> str:
    """The functions whose name is `name`: in full, its number (`k3`), or a pattern with `*`.

    The functions that a schedule makes for one kernel (`k0_dot_tile_4x16`) come with it.
    """
    parts = functions(text, stage)
    chosen = [part for label, part in parts if _is_kernel(label, name)]
    if not chosen:
        known = [label for label, _ in parts]
        raise UsageError(f"--kernel: no function {name!r} at {stage}{suggestion(name, known)}")
    body = "\n".join(part.rstrip("\n") for part in chosen) + "\n"
    maps = [line for line in text.splitlines() if re.match(r"#map\d*\b", line)]
    used = [m for m in maps if re.search(re.escape(m.split(" ")[0]) + r"\b", body)]
    return "".join(m + "\n" for m in used) + body


def _is_kernel(label: str, name: str) -> bool:
    if fnmatchcase(label, name) or label.startswith(name + "_"):
        return True
    return label.partition("_")[2] == name


def functions(text: str, stage: str) -> list[tuple[str, str]]:
    """The functions of a text, each with its name, in order."""
    lines = text.splitlines()
    if stage == "asm":
        return _labelled(lines)
    pattern = {"llvm": _LLVM_FUNCTION, "ptx": _PTX_FUNCTION}.get(stage, _MLIR_FUNCTION)
    found = []
    for k, line in enumerate(lines):
        match = pattern.match(line)
        if match is not None:
            found.append((match[1], "\n".join(_block(lines, k)) + "\n"))
    return found


def _block(lines: list[str], start: int) -> list[str]:
    """The lines from `start` to the closing brace on the same indentation."""
    first = lines[start]
    indent = first[: len(first) - len(first.lstrip())]
    end = start
    if not first.rstrip().endswith("}") or first.count("{") > first.count("}"):
        for end in range(start + 1, len(lines)):
            if lines[end].startswith(indent + "}"):
                break
    return lines[start : end + 1]


def _labelled(lines: list[str]) -> list[tuple[str, str]]:
    """Functions of assembly: from a label to the directive that states its size
    (WebAssembly: that ends it)."""
    found = []
    for k, line in enumerate(lines):
        match = _LABEL.match(line)
        if match is None:
            continue
        closing = re.compile(rf"\s*(?:\.size\s+{re.escape(match[1])},|end_function)")
        end = next((n for n in range(k, len(lines)) if closing.match(lines[n])), None)
        if end is not None:
            found.append((match[1], "\n".join(lines[k : end + 1]) + "\n"))
    return found


def only_operations(text: str, name: str) -> str:
    """The operations called `name`, such as `dot_general`, `linalg.generic` or `arith.*`, regions
    included. UsageError lists the names there are."""
    lines = text.splitlines()
    chosen: list[str] = []
    known: dict[str, None] = {}
    done = 0
    for k, line in enumerate(lines):
        match = _OPERATION.match(line)
        if match is None:
            continue
        label = match[1]
        known[label] = None
        if k >= done and (fnmatchcase(label, name) or label.partition(".")[2] == name):
            part = _operation(lines, k)
            chosen += part
            done = k + len(part)
    if not chosen:
        raise UsageError(f"--op: no operation {name!r} here{suggestion(name, known)}")
    return "\n".join(chosen) + "\n"


def _operation(lines: list[str], start: int) -> list[str]:
    """An operation's lines: continued as long as what follows is indented deeper or closes it."""
    first = lines[start]
    depth = len(first) - len(first.lstrip())
    end = start + 1
    while end < len(lines):
        line = lines[end]
        indent = len(line) - len(line.lstrip())
        closes = indent == depth and line.lstrip()[:1] in ("}", "^")
        if indent <= depth and not closes:
            break
        end += 1
    return lines[start:end]
