"""`lazir.linalg` under SciPy's name."""

from __future__ import annotations

from ..linalg import *  # noqa: F403
from ..linalg import __all__ as __all__
from ..public import listing

__dir__ = listing(__name__)
