"""`lz.compile(…, freeze=True)`: what depends on captured tensors alone is computed once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir import lax
from lazir.compiler.frozen import freeze
from lazir.compiler.graph import Builder
from lazir.compiler.opdef import OPS
from lazir.compiler.target import host_target
from lazir.compiler.types import f32, tensor

RNG = np.random.default_rng(0)


def array(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def network(layout: tuple[str, str, str]):
    channels = layout[0].index("C")
    w = lz.Tensor(array(*[{"H": 3, "W": 3, "I": 5, "O": 128}[a] for a in layout[1]]))
    scale, m = lz.Tensor(array(128)), lz.Tensor(array(128, 96))
    mask = lz.Tensor(array(7) > 0)

    def f(x):
        factor = lnp.exp(scale * 0.1)
        spread = factor.reshape([128 if a == "O" else 1 for a in layout[1]])
        y = lax.conv_general_dilated(x, w * spread, (1, 1), "SAME", dimension_numbers=layout)
        bias = scale.reshape([128 if a == "C" else 1 for a in layout[0]])
        y = lnp.moveaxis(lnp.maximum(y + bias, 0), channels, -1)
        return y @ m, y.sum(), scale, mask

    return f


@pytest.mark.parametrize("layout", [("NHWC", "HWIO", "NHWC"), ("NCHW", "OIHW", "NCHW")], ids=str)
def test_the_same_values(layout: tuple[str, str, str]) -> None:
    f = network(layout)
    x = array(*[{"N": 2, "H": 6, "W": 7, "C": 5}[a] for a in layout[0]])
    plain, frozen = lz.compile(f), lz.compile(f, freeze=True)
    text = frozen.lower(x).ir("optimized")
    assert "lz.exp" not in text
    assert ('rhs = "p01io"' in text) == (layout[0] == "NHWC")
    for _ in range(2):
        for a, b in zip(plain(x), frozen(x), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5, atol=1e-4)


def test_later_values_are_not_seen() -> None:
    w = lz.Tensor(array(4))
    before = np.asarray(w).copy()
    plain, frozen = lz.compile(lambda x: x * w), lz.compile(lambda x: x * w, freeze=True)
    x = array(4)
    for f in (plain, frozen):
        np.testing.assert_array_equal(np.asarray(f(x)), x * before)
    w[0] = 100.0
    np.testing.assert_array_equal(np.asarray(plain(x)), x * np.asarray(w))
    np.testing.assert_array_equal(np.asarray(frozen(x)), x * before)


def test_assigning_to_what_is_frozen_is_an_error() -> None:
    w = lz.Tensor(array(4))

    @lz.compile(freeze=True)
    def f(x):
        w[0] = x
        return w * 2

    with pytest.raises(TypeError, match="freeze=True"):
        f(np.float32(1))


def test_methods_and_bf16() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = lz.Tensor(array(40, 64)).astype(lnp.bfloat16)

        @lz.compile(freeze=True)
        def run(self, x):
            return x @ (self.w * 2)

    model, x = Model(), lz.Tensor(array(9, 40)).astype(lnp.bfloat16)
    wanted = np.asarray((x @ (model.w * 2)).astype(lnp.float32))
    np.testing.assert_array_equal(np.asarray(model.run(x).astype(lnp.float32)), wanted)


@pytest.mark.parametrize(
    ("shapes", "axes", "packed"),
    [
        (((12, 20), (20, 128)), ((1,), (0,)), True),
        (((20, 3, 12), (128, 20)), ((0,), (1,)), True),
        (((2, 3, 4, 20), (20, 128)), ((3,), (0,)), True),
        (((12, 20), (20, 120)), ((1,), (0,)), False),  # no whole panels
        (((3, 20), (20, 128)), ((1,), (0,)), False),  # few rows
        (((12, 20), (20, 32)), ((1,), (0,)), False),  # one register tile
        (((20,), (20, 128)), ((0,), (0,)), False),
    ],
    ids=str,
)
def test_products_that_take_panels(shapes, axes, packed: bool) -> None:
    b = Builder(name="f")
    x, w = (b.param(tensor(f32, *s)) for s in shapes)
    contracting = {"lhs_contracting": axes[0], "rhs_contracting": axes[1]}
    y = OPS["dot_general"](b, x, w, lhs_batch=(), rhs_batch=(), **contracting)
    target = replace(host_target(), vector_bits=512)
    parts = freeze(b.graph([y]), 1, target)
    assert (parts.after.nodes[-1].op == "conv") == packed
    assert parts.kept == (() if packed else (0,))
    assert parts.after.result_types == (y.type,)


def test_nothing_of_the_free_parameters_moves() -> None:
    """Nor loops, which may not end; constants stay where they are."""
    b = Builder(name="f")
    x, w = (b.param(tensor(f32, 3)) for _ in range(2))
    both = OPS["add"](b, x, OPS["exp"](b, w))
    parts = freeze(b.graph([both, OPS["neg"](b, x)]), 1, host_target())
    assert [n.op for n in parts.before.nodes if n.op != "param"] == ["exp"]
    assert [n.op for n in parts.after.nodes if n.op != "param"] == ["add", "neg"]
