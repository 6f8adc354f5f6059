"""Lets the tests of this folder import their helper modules by name, and NumPy compute limits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "compiler" / "derived")]


@pytest.fixture(autouse=True)
def _infinities_are_values() -> Iterator[None]:
    """Overflow, division by zero and NaN are results here, not warnings."""
    with np.errstate(all="ignore"):
        yield
