"""f32 functions against f64 references over all bit patterns (a stride of them by default)."""

from __future__ import annotations

import numpy as np
import pytest
from maths_llvm_builder import native
from maths_reference import BINARY, FULL, floors, random_bits, reference, samples, ulp_errors

from lazir.compiler.maths import ACCURACY, FUNCTIONS

UNARY = sorted(set(FUNCTIONS) - set(BINARY))
STRIDE = 1 if FULL else 6151
CHUNK = 1 << 21


@pytest.mark.parametrize("name", UNARY)
def test_every_bit_pattern_in_strides(name: str) -> None:
    function = native(FUNCTIONS[name], 1, "f32")
    worst = 0.0
    for start in range(0, 1 << 32, CHUNK * STRIDE):
        stop = min(start + CHUNK * STRIDE, 1 << 32)
        x = np.arange(start, stop, STRIDE, dtype=np.uint64).astype(np.uint32).view(np.float32)
        wide = x.astype(np.float64)
        errors = ulp_errors(function(x), reference(name, wide), "f32", floors(name, wide))
        worst = max(worst, float(errors.max()))
        assert worst <= ACCURACY[name]["f32"], (worst, x[errors.argmax()])


@pytest.mark.parametrize("name", UNARY)
def test_dense_ranges(name: str) -> None:
    x = samples("f32", 20_000)
    wide = x.astype(np.float64)
    got = native(FUNCTIONS[name], 1, "f32")(x)
    errors = ulp_errors(got, reference(name, wide), "f32", floors(name, wide))
    assert errors.max() <= ACCURACY[name]["f32"], (errors.max(), x[errors.argmax()])


@pytest.mark.parametrize("name", BINARY)
def test_two_operands(name: str) -> None:
    rng = np.random.default_rng(3)
    x, y = samples("f32", 20_000), rng.permutation(samples("f32", 20_000))
    if name == "pow":  # results over the whole range
        base = np.exp2(rng.uniform(-126, 126, 100_000))
        power = rng.uniform(-151, 129, 100_000) / np.log2(base)
        x = np.concatenate([x, base.astype(np.float32)])
        y = np.concatenate([y, power.astype(np.float32)])
    z = np.concatenate([random_bits("f32", len(x) // 2, rng), x[: len(x) - len(x) // 2]])
    for a, b in ((x, y), (z, y)):
        wanted = reference(name, a.astype(np.float64), b.astype(np.float64))
        errors = ulp_errors(native(FUNCTIONS[name], 2, "f32")(a, b), wanted, "f32")
        worst = errors.argmax()
        assert errors[worst] <= ACCURACY[name]["f32"], (errors[worst], a[worst], b[worst])
