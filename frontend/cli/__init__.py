"""The `lazir` command.

Takes: the words of a command line. Gives: text on stdout, messages on stderr, an exit code.
Must not know: how anything is compiled; it shows what the other modules make.
"""

from __future__ import annotations

from ..public import listing
from .app import main

__all__ = ["main"]
__dir__ = listing(__name__)
