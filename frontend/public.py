"""What a module shows: its public names, none of the helpers that it imports; modules on demand.

Takes: the name of a module that has `__all__`. Gives: its `__dir__` and `__getattr__`.
Must not know: any module.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType


def listing(module: str) -> Callable[[], list[str]]:
    """The `__dir__` of a module: the names in its `__all__`, and those with two underscores."""
    names = vars(sys.modules[module])
    return lambda: sorted({*names["__all__"], *(n for n in names if n.startswith("__"))})


def lazy_modules(module: str) -> Callable[[str], ModuleType]:
    """The `__getattr__` of a package that loads the modules in its `__all__` when asked for."""
    names = vars(sys.modules[module])

    def found(name: str) -> ModuleType:
        if name not in names["__all__"]:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return importlib.import_module(f"{module}.{name}")

    return found
