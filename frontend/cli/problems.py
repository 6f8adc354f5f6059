"""What goes wrong, as the command line says it: one message, the user's lines, no lazir internals.

Takes: exceptions. Gives: text for stderr, and the classes for mistakes in commands and files.
Must not know: commands, exit codes.
"""

from __future__ import annotations

import difflib
import sysconfig
import traceback
from collections.abc import Iterable
from types import TracebackType

from lazir.compiler.errors import LazirError, ParseError, source_excerpt
from lazir.compiler.mlir.ir import Loc

from ..locate import _is_own

_SAID = (LazirError, TypeError, ValueError, RuntimeError, NotImplementedError, OSError)
"""Exceptions that lazir raises on purpose; any other from its own code is a defect."""


_STANDARD = sysconfig.get_path("stdlib")
"""Where Python's own modules are: calls through them say nothing to a user."""


class UsageError(Exception):
    """The command line is wrong; `text` and `column` (from 0) show where with a caret."""

    def __init__(self, message: str, text: str = "", column: int | None = None) -> None:
        if column is not None:
            message += f"\n  {text}\n  {' ' * column}^"
        super().__init__(message)


class InputError(Exception):
    """A file, a function in it, or what goes into it is wrong."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'kernels'?`, or the known words where none is near.

    >>> suggestion("kernel", ["graph", "kernels"])
    "; did you mean 'kernels'?"
    >>> suggestion("q", ["graph", "kernels"])
    '; there are graph, kernels'
    """
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(names)}" if names else ""


def describe(error: BaseException) -> str:
    """The error as text that ends without a newline.

    What lazir raises on purpose is a message and the user's line that led to it. What the user's
    own code raises is a traceback of their lines alone.
    """
    frames = user_frames(error.__traceback__)
    if isinstance(error, ParseError):
        return f"error: {error.message}"
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(error)).rstrip()
    if not _raised_by_lazir(error):
        return _user_traceback(error)
    if not isinstance(error, _SAID):
        head = (
            f"error: lazir itself failed: {type(error).__name__}: {error}\n"
            "  this is a defect; `--traceback` shows where it is, please report it"
        )
        return "\n".join([head, *_places(None, frames)])
    message = error.message if isinstance(error, LazirError) else str(error)
    loc = error.loc if isinstance(error, LazirError) else None
    return "\n".join([f"error: {message}", *_places(loc, frames)])


def user_frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """The frames of a traceback that are neither lazir's nor Python's import system's."""
    return [f for f in traceback.extract_tb(trace) if not _is_own(f.filename)]


def _raised_by_lazir(error: BaseException) -> bool:
    files = [f.filename for f in traceback.extract_tb(error.__traceback__)]
    files = [f for f in files if not f.startswith("<frozen")]
    if not files or isinstance(error, LazirError):
        return True
    return _is_own(files[-1])


def _places(loc: Loc | None, frames: list[traceback.FrameSummary]) -> list[str]:
    """The line where it happened with a caret, and the calls that led there, innermost first."""
    lines = []
    outer = frames = [f for f in frames if not f.filename.startswith(_STANDARD)]
    if loc is None and frames:
        last = frames[-1]
        loc = Loc(last.filename, last.lineno or 1, (last.colno or 0) + 1)
    if loc is not None:
        lines.append(source_excerpt(loc))
        outer = [f for f in frames if (f.filename, f.lineno) != (loc.file, loc.line)]
    for frame in reversed(outer):
        lines.append(f"  called at {frame.filename}:{frame.lineno}: {(frame.line or '').strip()}")
    return lines


def _user_traceback(error: BaseException) -> str:
    """Python's own traceback text, without lazir's frames, causes included."""
    whole = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = whole
    while part is not None:
        kept = [f for f in part.stack if not _is_own(f.filename)]
        part.stack = traceback.StackSummary.from_list(kept)
        part = part.__cause__ or part.__context__
    return "".join(whole.format()).rstrip()
