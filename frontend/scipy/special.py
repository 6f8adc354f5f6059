"""`lazir.special` under SciPy's name."""

from __future__ import annotations

from ..public import listing
from ..special import *  # noqa: F403
from ..special import __all__ as __all__

__dir__ = listing(__name__)
