"""Where in the user's source an operation stands.

Takes: the Python stack. Gives: a Loc of the innermost frame that is not lazir's own, with its
column. Must not know: graphs, tensors. Costs well under a microsecond once a place is known.
"""

from __future__ import annotations

import itertools
import os
import sys
from types import CodeType, FrameType

from lazir import compiler, runtime
from lazir.compiler.mlir.ir import Loc

_FOLDERS = tuple(
    os.path.realpath(folder) + os.sep
    for folder in (os.path.dirname(__file__), *compiler.__path__, *runtime.__path__)
)
_own: dict[str, bool] = {}  # file name → whether it is lazir's (or numpy's) own
_known: dict[tuple[int, int], tuple[CodeType, tuple[Loc, ...]]] = {}
_MOST_PLACES = 50_000


def _is_own(file: str) -> bool:
    own = os.path.realpath(file).startswith(_FOLDERS) or file.startswith("<frozen")
    _own[file] = own
    return own


def _locate(code: CodeType, instruction: int) -> tuple[Loc, ...]:
    line, column = code.co_firstlineno, 1
    spot = next(itertools.islice(code.co_positions(), instruction // 2, None), None)
    if spot is not None and spot[0] is not None:
        line = spot[0]
        column = (spot[2] or 0) + 1
    if len(_known) >= _MOST_PLACES:
        _known.clear()
    found = (Loc(code.co_filename, line, column),)
    _known[(id(code), instruction)] = (code, found)  # the code is kept, so its id stays its own
    return found


def user_location() -> tuple[Loc, ...]:
    """The user's innermost frame as one Loc in a tuple; empty where all frames are lazir's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        file = code.co_filename
        own = _own.get(file)
        if own is None:
            own = _is_own(file)
        if not own:
            hit = _known.get((id(code), frame.f_lasti))
            return hit[1] if hit is not None else _locate(code, frame.f_lasti)
        frame = frame.f_back
    return ()


def user_line() -> Loc | None:
    """`user_location` as a Loc or None, for error messages."""
    found = user_location()
    return found[0] if found else None
