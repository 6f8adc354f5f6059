"""What goes wrong, in the user's words: every lazir error shows the user's line and what to do.

Takes: a message, source locations. Gives: exception classes.
Must not know: ops, graphs.
"""

from __future__ import annotations

import linecache

from .mlir.ir import Loc


class LazirError(Exception):
    """Base of all errors that lazir raises. `loc` is the user's line, shown with a caret."""

    def __init__(self, message: str, loc: Loc | None = None) -> None:
        self.message = message
        self.loc = loc
        super().__init__(message if loc is None else f"{message}\n{source_excerpt(loc)}")


class TypeRuleError(LazirError, TypeError):
    """Operands whose dtypes or shapes an op does not accept."""


class ShapeError(LazirError, ValueError):
    """Shapes that do not fit, or an axis out of range."""


class TraceError(LazirError):
    """Something that cannot be traced: branching on a traced value, a leaked placeholder."""


class VerifyError(LazirError):
    """A graph, kernel or loop nest that breaks the IR's rules."""


class ParseError(LazirError, ValueError):
    """Text that is not MLIR as lazir reads it. `line` and `column` count from 1.

    >>> print(ParseError("expected ':'", "a.mlir", 2, 5, "%0 = arith.addi"))
    a.mlir:2:5: expected ':'
      %0 = arith.addi
          ^
    """

    def __init__(self, message: str, file: str, line: int, column: int, text: str) -> None:
        self.file, self.line, self.column = file, line, column
        # A tab is kept above the caret, so that both lines are equally wide on any terminal.
        blank = "".join("\t" if c == "\t" else " " for c in text[: column - 1])
        super().__init__(f"{file}:{line}:{column}: {message}\n  {text}\n  {blank}^")


class DifferentiationError(LazirError):
    """A derivative that does not exist or is not known."""


class CheckError(LazirError, AssertionError):
    """A `lz.check` that did not hold while a program ran."""


def source_excerpt(loc: Loc) -> str:
    """The source line of `loc` with a caret below its column, as compilers print it.

    >>> print(source_excerpt(Loc("no_such_file.py", 3, 7)))
      --> no_such_file.py:3:7
    """
    head = f"  --> {loc.file}:{loc.line}:{loc.column}"
    line = linecache.getline(loc.file, loc.line).rstrip("\n")
    if not line:
        return head
    indent = len(line) - len(line.lstrip())
    caret = " " * max(0, loc.column - 1 - indent) + "^"
    return f"{head}\n   | {line.lstrip()}\n   | {caret}"
