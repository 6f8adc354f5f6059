"""NumPy's users' programs, changed in nothing but the import, against NumPy."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import lazir.numpy as lnp

sys.path.insert(0, str(Path(__file__).parent))
from numpy_programs import PROGRAMS

SINGLE = {"perlin", "random_walk", "rolling_windows", "hundred_exercises"}
"""Programs with `np.ones(n)`, `np.mgrid` or means of integers: float64 in NumPy, float32 here."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_import_alone_is_changed(name: str) -> None:
    wanted, found = PROGRAMS[name](np), PROGRAMS[name](lnp)
    if not isinstance(wanted, tuple):
        wanted, found = (wanted,), (found,)
    assert len(found) == len(wanted)
    for k, (a, b) in enumerate(zip(found, wanted)):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape and a.dtype.kind == b.dtype.kind, f"result {k}"
        assert a.dtype == b.dtype or name in SINGLE
        rtol = 1e-5 if name in SINGLE else 1e-10
        np.testing.assert_allclose(a, b, rtol, rtol, err_msg=f"result {k}")
