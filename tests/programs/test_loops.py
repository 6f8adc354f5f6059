"""Loops as users write them: carries of Python numbers, Newton's method, recurrences."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz

ROUNDS = pytest.mark.parametrize("wrap", [lambda f: f, lz.compile], ids=["lazy", "compiled"])


@ROUNDS
def test_a_weak_carry_never_loses_a_fraction(wrap) -> None:
    grow = wrap(lambda x: lz.fori_loop(0, 3, lambda i, v: v * 1.5, x))
    assert grow(2).item() == 6.75
    climb = wrap(lambda x: lz.while_loop(lambda s: s < 3.5, lambda s: s + 1.5, x))
    assert climb(0).item() == 4.5
    total = wrap(lambda xs: lz.scan(lambda c, x: (c + x, None), 0, xs)[0])
    assert total(np.full(3, 0.5)).item() == 1.5


@ROUNDS
def test_a_typed_carry_must_keep_its_type(wrap) -> None:
    grow = wrap(lambda x: lz.fori_loop(0, 3, lambda i, v: v * 1.5, x))
    with pytest.raises(lz.errors.TypeRuleError, match=r"i64\[\] and comes out as f32\[\]"):
        grow(np.int64(2))

    def body(carry, x):
        a, b = carry  # once `a` has become a float, so does b + a
        return (a + x, b + a), None

    both = wrap(lambda n, xs: lz.scan(body, (0, n), xs)[0])
    with pytest.raises(lz.errors.TypeRuleError, match="astype"):
        both(np.int64(1), np.full(3, 0.5, np.float32))
    down = wrap(lambda n: lz.fori_loop(0, 3, lambda i, v: n, 0.5))
    with pytest.raises(lz.errors.TypeRuleError, match="astype"):
        down(np.int64(1))


@ROUNDS
def test_newton(wrap) -> None:
    def root(a):
        def far(state):
            x, count = state
            return (abs(x * x - a) > 1e-12 * a) & (count < 50)

        def step(state):
            x, count = state
            return 0.5 * (x + a / x), count + 1

        return lz.while_loop(far, step, (a, 0))[0]

    values = np.array([2.0, 3.0, 1e6])
    np.testing.assert_allclose(wrap(lz.vmap(root))(values).numpy(), np.sqrt(values), rtol=1e-12)
    slope = wrap(lz.jacfwd(root))(np.float64(2))
    np.testing.assert_allclose(slope.numpy(), 0.5 / np.sqrt(2.0), rtol=1e-6)


def test_bounds_are_integers() -> None:
    power = lz.grad(lambda x: lz.fori_loop(np.int64(0), np.int32(3), lambda i, v: v * x, x))
    assert power(2.0).item() == 32.0
    count = lz.compile(lambda n: lz.fori_loop(0, n, lambda i, v: v + 1, 0))
    assert [count(n).item() for n in (3, -2, np.uint8(200))] == [3, 0, 200]
    for bound in (2.5, np.arange(3)):
        with pytest.raises(lz.errors.TypeRuleError, match="between integers"):
            lz.fori_loop(0, bound, lambda i, v: v, 0.0)
