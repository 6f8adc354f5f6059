"""Where NumPy's values and functions meet lazir's."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp


def test_a_dtype_equals_numpys() -> None:
    x = lnp.zeros(3, dtype="float32")
    for same in (np.float32, np.dtype("f4"), "float32", lz.float32, lnp.zeros(1).dtype):
        assert x.dtype == same and same == x.dtype
    for other in (np.float64, np.dtype("i4"), "int32", lz.float64, None, 3, float):
        assert x.dtype != other and other != x.dtype
    assert x.dtype in (np.float64, np.float32)
    assert lz.bfloat16 != np.uint16
    assert len({lz.float32, x.dtype, lz.float64}) == 2


def test_numpy_takes_a_dtype() -> None:
    x = lnp.zeros(3, dtype="float32")
    assert np.zeros(2, x.dtype).dtype == np.float32
    assert np.finfo(x.dtype).eps == np.finfo(np.float32).eps
    assert np.issubdtype(lz.int8, np.integer)
    with pytest.raises(TypeError, match="bf16"):
        np.zeros(2, lz.bfloat16)
