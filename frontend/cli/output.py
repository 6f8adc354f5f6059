"""How text reaches the user: colours on a terminal, plain in a pipe; tables; files.

Takes: text, rows. Gives: output on stdout or in files. Colours need pygments, framed tables rich;
without them the same text comes plain. Must not know: stages, commands.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from .problems import InputError

_LEXERS = {"llvm": "llvm", "asm": "gas", "ptx": "ptx", "diff": "diff"}
_SUFFIXES = {"llvm": ".ll", "asm": ".s", "ptx": ".ptx", "diff": ".diff"}
_COLOURS = ("auto", "always", "never")


def suffix(stage: str) -> str:
    """The file suffix of a stage's text."""
    return _SUFFIXES.get(stage, ".mlir")


def coloured(stream: TextIO, choice: str = "auto") -> bool:
    """Whether to colour: on a terminal, unless NO_COLOR is set; `choice` overrides both."""
    assert choice in _COLOURS, choice
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def write_text(text: str, language: str, colour: str = "auto") -> None:
    """Text to stdout, highlighted where that is wanted and pygments is installed."""
    if coloured(sys.stdout, colour):
        text = highlight(text, language)
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def write_file(path: Path, text: str) -> None:
    """Text into a file."""
    try:
        path.write_text(text if text.endswith("\n") else text + "\n")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None


def say(message: str) -> None:
    """A message to stderr."""
    print(message, file=sys.stderr)


def highlight(text: str, language: str) -> str:
    """Text with the terminal's own sixteen colours; as it is where pygments is missing."""
    try:
        pygments = importlib.import_module("pygments")
        lexers = importlib.import_module("pygments.lexers")
        formatters = importlib.import_module("pygments.formatters")
    except ImportError:
        return text
    if language in _LEXERS:
        lexer = lexers.get_lexer_by_name(_LEXERS[language], stripnl=False)
    else:
        lexer = _mlir_lexer()(stripnl=False)
    made: str = pygments.highlight(text, lexer, formatters.TerminalFormatter())
    return made


@cache
def _mlir_lexer() -> Any:
    """A pygments lexer for MLIR: operations, values, types, attributes."""
    base = importlib.import_module("pygments.lexer").RegexLexer
    token = importlib.import_module("pygments.token")
    rules = [
        (r"\s+", token.Text),
        (r"//.*?$", token.Comment.Single),
        (r'"[a-z_]+\.[\w.]+"(?=\()', token.Keyword),
        (r'"(?:[^"\\]|\\.)*"', token.String),
        (r"%[\w$.-]+(?:#\d+)?", token.Name.Variable),
        (r"@[\w$.-]+", token.Name.Function),
        (r"[#^!][\w$.-]+", token.Name.Decorator),
        (r"\b(?:tensor|memref|vector|complex)(?=<)", token.Keyword.Type),
        (r"(?<![\w])(?:\d+x)*(?:ui|i|f|bf)\d+\b|\bindex\b(?!\.)", token.Keyword.Type),
        (r"\b[a-z_]+\.[\w.]+", token.Keyword),
        (r"\b(?:return|call|else|do|to|step|ins|outs|loc|attributes|private|true|false)\b",
         token.Keyword),
        (r"-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|0x[0-9A-Fa-f]+", token.Number),
        (r"\w+", token.Text),
        (r".", token.Punctuation),
    ]  # fmt: skip
    return type("MlirLexer", (base,), {"name": "MLIR", "tokens": {"root": rules}})


def difference(old: str, new: str, old_name: str, new_name: str) -> str:
    """A unified diff of two texts."""
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), old_name, new_name, lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


# -- tables --------------------------------------------------------------------------------
def write_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int], colour: str = "auto"
) -> None:
    """A table to stdout; the columns in `numbers` are aligned to the right."""
    if coloured(sys.stdout, colour) and _rich_table(head, rows, numbers):
        return
    sys.stdout.write(plain_table(head, rows, numbers))


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    """Columns with two spaces between them.

    >>> print(plain_table(["name", "n"], [["a", "10"], ["bcdef", "9"]], [1]), end="")
    name    n
    a      10
    bcdef   9
    """
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    made = []
    for line in lines:
        cells = [
            cell.rjust(width) if k in numbers else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths))
        ]
        made.append("  ".join(cells).rstrip() + "\n")
    return "".join(made)


def _rich_table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> bool:
    """Whether rich is there and has written the table."""
    try:
        console = importlib.import_module("rich.console")
        tables = importlib.import_module("rich.table")
        boxes = importlib.import_module("rich.box")
    except ImportError:
        return False
    made = console.Console(file=sys.stdout, force_terminal=True)
    if 1 + max(map(len, plain_table(head, rows, numbers).splitlines())) > made.width - len(head):
        return False  # columns that break words are harder to read than lines that wrap
    table = tables.Table(
        box=boxes.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold"
    )
    for k, name in enumerate(head):
        table.add_column(name, justify="right" if k in numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    made.print(table)
    return True


def seconds(value: float) -> str:
    """A time with three digits and its unit.

    >>> seconds(1.234e-5), seconds(0.0), seconds(float("nan"))
    ('12.3 µs', '0 s', '')
    """
    return quantity(value, (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)))


def size(value: float) -> str:
    """Bytes with three digits and a binary unit.

    >>> size(2560), size(12)
    ('2.5 KiB', '12 B')
    """
    units = (("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10), ("B", 1.0))
    return quantity(value, units)


def count(value: float) -> str:
    """A number with three digits and a decimal prefix.

    >>> count(1152), count(37)
    ('1.15 k', '37')
    """
    return quantity(value, (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0)))


def quantity(value: float, units: Sequence[tuple[str, float]]) -> str:
    """Three digits and the largest unit that is not more than the value; empty for NaN."""
    if value != value:
        return ""
    ordered = sorted(units, key=lambda u: -u[1])
    if value == 0:
        return f"0 {units[0][0] if units[0][0] == 's' else units[-1][0]}".strip()
    name, unit = next((u for u in ordered if abs(value) >= u[1]), ordered[-1])
    found = value / unit
    return f"{found:.0f} {name}".strip() if abs(found) >= 100 else f"{found:.3g} {name}".strip()
