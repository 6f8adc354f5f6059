"""What `dir` shows of a module: its public names, none of the helpers that it imports.

Takes: the name of a module that has `__all__`. Gives: its `__dir__`. Must not know: any module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable


def listing(module: str) -> Callable[[], list[str]]:
    """The `__dir__` of a module: the names in its `__all__`, and those with two underscores."""
    names = vars(sys.modules[module])
    return lambda: sorted({*names["__all__"], *(n for n in names if n.startswith("__"))})
