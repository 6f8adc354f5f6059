"""`lazir.linalg` under SciPy's name."""

from __future__ import annotations

from ..linalg import *  # noqa: F403
from ..linalg import __all__ as __all__
