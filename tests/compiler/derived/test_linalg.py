"""The linear algebra ops, compiled, against the interpreter: every example of the table.

Factors are compared element by element; vectors up to their signs, which rounding may turn over.
Programs run between guard bytes.
"""

from __future__ import annotations

import itertools
import zlib
from typing import Any

import numpy as np
import pytest
from agreement import run_compiled
from random_programs import draw_array

from lazir.compiler.graph import Builder
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.types import TensorType, f32, f64, tensor

NAMES = [name for name, op in OPS.items() if op.family == "linalg"]
LOOSE = {f32: 2e-3, f64: 1e-9}
VECTORS = ("eig", "eigh", "svd")

pytest.importorskip("scipy")


def run_both(name: str, types: Any, attrs: Any, arrays: Any) -> tuple[list[Any], list[Any]]:
    b = Builder(name=name)
    graph = b.graph(OPS[name].many(b, *map(b.param, types), **attrs))
    return run_compiled(graph, arrays), interpret(graph, arrays)


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str) -> None:
    op = OPS[name]
    assert op.examples is not None
    finite = 0
    for types, attrs in op.examples(np.random.default_rng(zlib.crc32(name.encode()))):
        rng = np.random.default_rng(3)
        arrays = [draw_array(rng, t, op.domain) for t in types]
        for got, wanted in zip(*run_both(name, types, attrs, arrays)):
            limit = LOOSE[types[0].dtype.part]
            if name in VECTORS:
                got, wanted = np.abs(got), np.abs(wanted)
            np.testing.assert_allclose(got, wanted, limit, limit, err_msg=f"{types} {attrs}")
            finite += np.isfinite(got).sum()
    assert finite > 10


@pytest.mark.parametrize("size", [1, 2, 17, 40, 100])
@pytest.mark.parametrize("dtype", [f32, f64], ids=str)
def test_sizes_beyond_a_block(size: int, dtype: Any) -> None:
    """LAPACK's blocked algorithms get the room that they want, and no more is written."""
    rng = np.random.default_rng(size)
    a = rng.normal(size=(2, size, size)) + 2 * size * np.eye(size)
    a = (a + np.swapaxes(a, -1, -2)).astype(dtype.numpy)
    square, wide = TensorType(a.shape, dtype), TensorType((2, size, 2 * size + 1), dtype)
    b = rng.normal(size=wide.shape).astype(dtype.numpy)
    cases: list[tuple[str, Any, Any, Any]] = [
        ("cholesky", [square], {}, [a]),
        ("lu", [wide], {}, [b]),
        ("solve", [square, wide], {"transpose": False}, [a, b]),
        ("solve", [square, wide], {"transpose": True}, [a, b]),
    ]
    for name, types, attrs, arrays in cases:
        for got, wanted in zip(*run_both(name, types, attrs, arrays)):
            limit = 10 * LOOSE[dtype]
            np.testing.assert_allclose(got, wanted, limit, limit * np.abs(wanted).max(), name)
    for full in (False, True):
        attrs = {"full_matrices": full}
        (q, r), _ = run_both("qr", [wide], attrs, [b])
        check(q @ r, b, dtype)
        (u, s, vt), _ = run_both("svd", [wide], {**attrs, "compute_uv": True}, [b])
        check((u * s[..., None, :]) @ vt[..., :size, :], b, dtype)
    (alone,), _ = run_both("svd", [wide], {"full_matrices": False, "compute_uv": False}, [b])
    check(alone, s, dtype)
    (values, vectors), _ = run_both("eigh", [square], {"vectors": True}, [a])
    check((vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2), a, dtype)
    (alone,), _ = run_both("eigh", [square], {"vectors": False}, [a])
    check(alone, values, dtype)


def check(got: Any, wanted: Any, dtype: Any) -> None:
    limit = 1e-4 if dtype is f32 else 1e-11
    np.testing.assert_allclose(got, wanted, limit, limit * np.abs(wanted).max())


def test_results_without_an_answer() -> None:
    """One matrix of a stack that cannot be factored leaves the others alone."""
    good = np.array([[2.0, 1.0], [1.0, 2.0]])
    stack = np.stack([good, -good, np.full((2, 2), np.nan), good])
    type = tensor(f64, *stack.shape)
    for name, attrs in (
        ("cholesky", {}), ("svd", {"full_matrices": True, "compute_uv": True}),
    ):  # fmt: skip
        for got, wanted in zip(*run_both(name, [type], attrs, [stack])):
            np.testing.assert_allclose(got, wanted, 1e-12, 1e-12)


def test_hostile_numbers_stay_inside() -> None:
    """Infinities and NaN: whatever comes out, pivots and permutations are indices."""
    rng = np.random.default_rng(0)
    values = np.array([np.nan, np.inf, -np.inf, 0.0, 1.0, 1e308, 5e-324])
    stack = rng.choice(values, (50, 5, 4))
    (_, pivots, permutation), _ = run_both("lu", [tensor(f64, 50, 5, 4)], {}, [stack])
    assert ((pivots >= np.arange(4)) & (pivots < 5)).all()
    assert (np.sort(permutation, -1) == np.arange(5)).all()
    for name, attrs in (
        ("qr", {"full_matrices": True}), ("svd", {"full_matrices": True, "compute_uv": True}),
    ):  # fmt: skip
        run_both(name, [tensor(f64, 50, 5, 4)], attrs, [stack])
    squares = stack[:, :4]
    for name, attrs in (("eigh", {"vectors": True}), ("cholesky", {})):
        run_both(name, [tensor(f64, 50, 4, 4)], attrs, [squares])


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("lead", [(), (2,)], ids=str)
def test_all_triangular_solves(count: int, lead: tuple[int, ...]) -> None:
    """One right side takes another routine than several."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=(*lead, 4, 4)) + 3 * np.eye(4)
    for flags in itertools.product((False, True), repeat=4):
        attrs = dict(zip(("left_side", "lower", "transpose", "unit_diagonal"), flags))
        b = rng.normal(size=(*lead, 4, count) if attrs["left_side"] else (*lead, count, 4))
        types = [tensor(f64, *a.shape), tensor(f64, *b.shape)]
        for got, wanted in zip(*run_both("triangular_solve", types, attrs, [a, b])):
            np.testing.assert_allclose(got, wanted, 1e-12, 1e-12, err_msg=str(attrs))
