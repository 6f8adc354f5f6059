"""`python -m lazir`: the same as the `lazir` command.

Takes: the command line. Gives: an exit code. Must not know: commands.
"""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
