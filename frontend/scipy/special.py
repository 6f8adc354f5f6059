"""`lazir.special` under SciPy's name."""

from __future__ import annotations

from ..special import *  # noqa: F403
from ..special import __all__ as __all__
