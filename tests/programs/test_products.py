"""Whole programs around matrix products, against NumPy."""

from __future__ import annotations

import numpy as np

import lazir as lz
import lazir.numpy as lnp

RNG = np.random.default_rng(0)


def test_a_gather_or_slice_at_a_computed_place_after_a_product() -> None:
    x, w, table = RNG.normal(size=(6, 5)), RNG.normal(size=(5, 4)), RNG.normal(size=(9, 4))
    rows = np.array([3, 0, 8, 8, 1, 2])

    @lz.compile
    def gathered(x, w, table, rows):
        return lnp.tanh(x @ w + table[rows])

    expected = np.tanh(x @ w + table[rows])
    np.testing.assert_allclose(gathered(x, w, table, rows).numpy(), expected, rtol=1e-12)

    @lz.compile
    def sliced(x, w, table, start):
        return (x @ w) * lz.lax.dynamic_slice(table, (start, 0), (6, 4))

    expected = (x @ w) * table[2:8]
    np.testing.assert_allclose(sliced(x, w, table, 2).numpy(), expected, rtol=1e-12)


def test_a_product_and_a_map_of_one_of_its_factors() -> None:
    """They share no kernel, though the map would fit behind the product."""
    a, b, c = RNG.normal(size=(3, 9, 9))
    found = lz.compile(lambda a, b, c: (b - c.T @ (a + b), (a + b) * 2))(a, b, c)
    np.testing.assert_allclose(found[0].numpy(), b - c.T @ (a + b), rtol=1e-12)
    np.testing.assert_allclose(found[1].numpy(), (a + b) * 2, rtol=1e-12)


def test_a_padded_term_after_a_product() -> None:
    x, w, y = RNG.normal(size=(6, 5)), RNG.normal(size=(5, 4)), RNG.normal(size=(4, 4))
    found = lz.compile(lambda x, w, y: x @ w + lnp.pad(y, ((1, 1), (0, 0))))(x, w, y)
    np.testing.assert_allclose(found.numpy(), x @ w + np.pad(y, ((1, 1), (0, 0))), rtol=1e-12)


def test_a_block_of_a_transformer_is_normalised_over_its_last_axes() -> None:
    x, weight = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(3, 4))
    rms = np.sqrt((x**2).mean((1, 2), keepdims=True) + 1e-6)
    found = lz.nn.functional.rms_norm(x, (3, 4), weight, eps=1e-6)
    np.testing.assert_allclose(found.numpy(), x / rms * weight, rtol=1e-12)
    rms = np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(
        lz.nn.functional.rms_norm(x, 4, eps=1e-6).numpy(), x / rms, rtol=1e-12
    )


def test_a_product_after_a_window_of_a_number() -> None:
    """Rank 0 has no last axis whose neighbours could lie side by side."""

    def scaled(x, y):
        number = lz.lax.reduce_window(x, -np.inf, lz.lax.max, (), ())
        return lz.lax.dot_general(number, y, (((), ()), ((), ())))

    x, y = np.float64(0.5), np.array([1.0, 2.0])
    np.testing.assert_allclose(lz.compile(scaled)(x, y).numpy(), x * y, rtol=1e-12)
