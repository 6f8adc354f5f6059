"""Scalar code of elementwise and movement records against their references, hostile values too."""

import numpy as np
import pytest
from ops_support import TOLERANCE, draw_all, examples, generator, one_op
from scalar_eval import run_scalar

from lazir.compiler.opdef import OPS
from lazir.compiler.ops.control import evaluate
from lazir.compiler.ops.source import bf16_bits, bf16_values
from lazir.compiler.types import TensorType, bf16, i32, ui64

LOWERED = sorted(n for n, op in OPS.items() if op.family in ("elementwise", "movement"))
SPECIAL = {"lgamma", "polygamma", "gamma", "ndtri", "i0e", "i1e"}
LOOSE = {"hypot", "integer_pow", "cbrt", "fma", "erfinv", *SPECIAL}
"""Where scalar code and reference take different roads to the same number."""


def check(name, types, attrs, arrays):
    (wanted,) = evaluate(one_op(name, types, attrs), arrays)
    got = run_scalar(name, types, attrs, arrays)
    dtype = OPS[name].infer(types, attrs)[0].dtype
    assert got.dtype == wanted.dtype
    if name not in LOOSE:
        np.testing.assert_array_equal(got, wanted, err_msg=f"{types} {attrs}")
        if dtype.is_float:
            number = ~np.isnan(wanted)
            np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(wanted)[number])
        return
    tolerance = TOLERANCE.get(dtype.name, 0)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=1e-300, err_msg=f"{types}")


@pytest.mark.parametrize("name", LOWERED)
def test_scalar_code_on_examples(name):
    rng = generator(name)
    for types, attrs in examples(name):
        if OPS[name].infer(types, attrs)[0].size:
            check(name, types, attrs, draw_all(rng, name, types))


def hostile(dtype):
    """Edge values of a dtype: extremes, zeros of both signs, infinities, NaN, halves."""
    if dtype.is_bool:
        return np.array([False, True])
    if dtype.is_integer:
        limits = np.iinfo(dtype.numpy)
        near = [limits.min, limits.min + 1, limits.max, limits.max - 1]
        small = [0, 1, 2, 3, 7, 8, dtype.bits - 1, dtype.bits, -1 if dtype.is_signed else 5]
        return np.array(near + small, object).astype(dtype.numpy)
    values = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, np.inf, -np.inf, np.nan, 127.5,
              128.0, -128.9, 255.5, 256.0, 32768.0, 65504.0, -32769.0, 2147483648.0, -2147483904.0,
              4294967296.0, 9.3e18, -9.3e18, 1.9e19, 1e-7, 6e-8, 1e-40, 3e38]  # fmt: skip
    with np.errstate(all="ignore"):
        if dtype.is_complex:
            return np.array(values).astype(dtype.numpy)
        if dtype is bf16:
            return bf16_values(bf16_bits(np.array(values, np.float32)))
        return np.array(values).astype(dtype.numpy)


BINARY = sorted(n for n in LOWERED if OPS[n].family == "elementwise" and n not in ("select", "fma"))


@pytest.mark.parametrize("name", BINARY)
def test_scalar_code_on_hostile_values(name):
    op = OPS[name]
    seen = set()
    for types, attrs in examples(name):
        key = (types[0].dtype, str(sorted(attrs.items())))
        if key in seen:
            continue
        seen.add(key)
        values = hostile(types[0].dtype)
        grids = np.meshgrid(*[values] * op.extra["operands"], indexing="ij")
        arrays = [g.reshape(-1) for g in grids]
        wide = tuple(TensorType(a.shape, t.dtype) for a, t in zip(arrays, types))
        check(name, wide, attrs, arrays)


def test_hostile_indices_clamp():
    """Indices far out of range, unsigned ones above the signed range among them, read the edge."""
    x = np.arange(5, dtype=np.int32)
    for at, wanted in ((2**64 - 1, 4), (2**63, 4), (0, 0), (7, 4)):
        types = (TensorType((5,), i32), TensorType((), ui64))
        arrays, attrs = [x, np.asarray(at, np.uint64)], {"sizes": (1,)}
        assert run_scalar("dynamic_slice", types, attrs, arrays)[0] == wanted
        (meant,) = evaluate(one_op("dynamic_slice", types, attrs), arrays)
        assert meant[0] == wanted
