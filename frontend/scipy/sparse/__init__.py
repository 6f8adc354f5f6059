"""Solvers for linear maps of which only products are known: `linalg`."""

from __future__ import annotations

from ...public import listing
from . import linalg

__all__ = ["linalg"]
__dir__ = listing(__name__)
