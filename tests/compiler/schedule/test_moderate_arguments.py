"""sin, cos and tan take a cheap branch where all lanes are moderate: with the same bits."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_a_lane_does_not_depend_on_its_neighbours(name, dtype):
    rng = np.random.default_rng(7)
    moderate = rng.uniform(-100, 100, 203).astype(dtype)
    mixed = moderate.copy()
    large = rng.random(203) < 0.3
    mixed[large] = 10.0 ** rng.uniform(3, 30, large.sum())
    mixed[[3, 40]], large[[3, 40]] = (np.nan, np.inf), True
    compiled = lz.compile(getattr(lnp, name))
    assert "scf.if" in compiled.lower(moderate).ir("loops")
    alone, among = compiled(moderate).numpy(), compiled(mixed).numpy()
    np.testing.assert_array_equal(alone[~large], among[~large])
    with np.errstate(invalid="ignore"):
        want = getattr(np, name)(mixed.astype(np.longdouble)).astype(dtype)
    np.testing.assert_allclose(among, want, rtol=4 * np.finfo(dtype).eps)
