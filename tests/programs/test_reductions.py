"""Reductions whose elements read a value that is made per result, in the same kernel."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

SHAPES = [(3, 4, 5), (7, 3, 33), (3000, 1, 40), (500, 2, 1300), (2, 0, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("axis", [0, -1])
def test_a_value_per_result_inside_of_a_sum(shape: tuple[int, ...], axis: int) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=shape)
    kept = x.shape[1:] if axis == 0 else x.shape[:-1]
    scale, y = rng.normal(size=kept), rng.normal(size=shape)

    def program(np_, scale, x, y):
        positive = np_.where(scale > 0.1, np_.exp(scale), np_.sqrt(abs(scale)))
        weights = np_.expand_dims(positive, axis)
        return positive, (weights * x + y).sum(axis=axis) * positive

    found = lz.compile(lambda *xs: program(lnp, *xs))(scale, x, y)
    for got, want in zip(found, program(np, scale, x, y)):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-10, atol=1e-9)


def test_a_batch_norm_gradient() -> None:
    rng = np.random.default_rng(4)
    x, c = rng.normal(size=(50, 6)), rng.normal(size=(50, 6))

    def loss(x):
        mean, variance = x.mean(0), x.var(0)
        return (c * (x - mean) / lnp.sqrt(variance + 1e-5)).sum()

    inverse = 1 / np.sqrt(x.var(0) + 1e-5)
    unit = (x - x.mean(0)) * inverse
    want = inverse * (c - c.mean(0) - unit * (c * unit).mean(0))
    for _ in range(2):
        np.testing.assert_allclose(lz.compile(lz.grad(loss))(x).numpy(), want, rtol=1e-9)
