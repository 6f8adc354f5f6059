"""References against formulas that are not lazir's: NumPy, SciPy and plain loops."""

import numpy as np
import pytest
import scipy.signal
import scipy.special
from ops_support import apply

from lazir.compiler.graph import Builder
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.control import evaluate
from lazir.compiler.ops.random import philox_words
from lazir.compiler.types import TensorType, bf16, f32, f64, i1, i32, i64, tensor, ui8, ui64

GRID = np.linspace(-3, 3, 61)
FUNCTIONS = {
    "sqrt": lambda x: abs(x) ** 0.5, "cbrt": scipy.special.cbrt, "exp": lambda x: np.e**x,
    "exp2": lambda x: 2**x, "expm1": scipy.special.expm1, "sin": np.sin, "cos": np.cos,
    "tan": lambda x: np.sin(x) / np.cos(x), "atan": lambda x: np.angle(1 + 1j * x),
    "sinh": lambda x: (np.exp(x) - np.exp(-x)) / 2, "cosh": lambda x: (np.exp(x) + np.exp(-x)) / 2,
    "tanh": lambda x: 1 - 2 / (np.exp(2 * x) + 1), "erf": scipy.special.erf,
    "erfc": scipy.special.erfc, "asinh": lambda x: np.log(x + np.sqrt(x * x + 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    x = np.abs(GRID) if name == "sqrt" else GRID
    (got,) = apply(name, [x], {}, (f64,))
    np.testing.assert_allclose(got, FUNCTIONS[name](x), rtol=1e-12, atol=1e-13)
    (narrow,) = apply(name, [x.astype(np.float32)], {}, (f32,))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, got, rtol=1e-5, atol=1e-6)


def test_inverse_functions_undo():
    inside = np.linspace(-0.99, 0.99, 41)
    for inverse, forward, x in (
        ("asin", "sin", inside), ("acos", "cos", inside), ("atanh", "tanh", inside),
        ("acosh", "cosh", inside + 2), ("log", "exp", inside + 1), ("log2", "exp2", inside + 1),
        ("log1p", "expm1", inside), ("erfinv", "erf", inside),
    ):  # fmt: skip
        (y,) = apply(inverse, [x], {}, (f64,))
        np.testing.assert_allclose(apply(forward, [y], {}, (f64,))[0], x, rtol=1e-13, atol=1e-15)
    (y,) = apply("log10", [inside + 1], {}, (f64,))
    np.testing.assert_allclose(10**y, inside + 1, rtol=1e-13)
    (y,) = apply("rsqrt", [inside + 1], {}, (f64,))
    np.testing.assert_allclose(y * y * (inside + 1), 1, rtol=1e-14)


def test_erfinv_is_scipys():
    x = np.concatenate([GRID / 3.001, [1e-300, 1e-9, 1 - 2.0**-53, 2.0**-53 - 1, 0.999]])
    (got,) = apply("erfinv", [x], {}, (f64,))
    np.testing.assert_allclose(got, scipy.special.erfinv(x), rtol=2e-15)


def test_integer_powers_wrap():
    (got,) = apply("integer_pow", [np.array([3, 255, 16], np.uint8)], {"exponent": 5}, (ui8,))
    assert got.tolist() == [243, 255, 0]
    (got,) = apply("integer_pow", [np.array([0.0, 2.0, -2.0])], {"exponent": -3}, (f64,))
    assert got.tolist() == [np.inf, 0.125, -0.125]


def test_nextafter_of_bf16_steps_one_bit():
    x = np.array([1.0, 1.0, 0.0, -1.0, 1.0], np.float32)
    y = np.array([2.0, 0.0, -1.0, -2.0, 1.0], np.float32)
    (got,) = apply("nextafter", [x, y], {}, (bf16, bf16))
    assert got.tolist() == [1 + 2**-7, 1 - 2**-8, -(2.0**-133), -1 - 2**-7, 1.0]


# -- indexing ------------------------------------------------------------------------------
def take(axis, rank, index_rank, mode="clip", sizes=()):
    """The attributes of `np.take(x, indices, axis)`: indices get a last axis of one component."""
    kept = [k for k in range(rank) if k != axis]
    offset = tuple(k if k < axis else k - 1 + index_rank for k in kept)
    return {
        "axes": (axis,), "collapsed": (axis,), "operand_batch": (), "index_batch": (),
        "offset": offset, "sizes": sizes, "mode": mode,
    }  # fmt: skip


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("mode", ["clip", "fill"])
def test_gather_is_take(axis, mode):
    rng = np.random.default_rng(axis)
    x = rng.normal(size=(3, 4, 5))
    at = rng.integers(-2, 7, (2, 6))
    sizes = tuple(1 if k == axis else n for k, n in enumerate(x.shape))
    attrs = take(axis, 3, 2, mode, sizes)
    (got,) = apply("gather", [x, at[..., None]], attrs, (f64, i64))
    wanted = np.take(x, at, axis=axis, mode="clip")
    if mode == "fill":
        outside = (at < 0) | (at >= x.shape[axis])
        shape = [1] * axis + list(at.shape) + [1] * (2 - axis)
        wanted = np.where(outside.reshape(shape), 0, wanted)
    np.testing.assert_array_equal(got, wanted)


def test_gather_is_take_along_axis():
    rng = np.random.default_rng(3)
    x, at = rng.normal(size=(4, 5)), rng.integers(0, 5, (4, 3))
    attrs = {
        "axes": (1,), "collapsed": (1,), "operand_batch": (0,), "index_batch": (0,), "offset": (),
        "sizes": (1, 1), "mode": "clip",
    }  # fmt: skip
    (got,) = apply("gather", [x, at[..., None]], attrs, (f64, i64))
    np.testing.assert_array_equal(got, np.take_along_axis(x, at, axis=1))


UFUNCS = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}


@pytest.mark.parametrize("op", [*UFUNCS, "set"])
def test_scatter_is_ufunc_at(op):
    rng = np.random.default_rng(4)
    x, u = rng.normal(size=(5, 3)), rng.normal(size=(8, 3))
    at = rng.integers(0, 5, 8)
    attrs = {k: v for k, v in take(0, 2, 1).items() if k != "sizes"} | {"op": op, "mode": "drop"}
    (got,) = apply("scatter", [x, at[:, None], u], attrs, (f64, i64, f64))
    wanted = x.copy()
    if op == "set":
        for row, k in enumerate(at):
            wanted[k] = u[row]
    else:
        UFUNCS[op].at(wanted, at, u)
    np.testing.assert_array_equal(got, wanted)


def test_scatter_drops_whole_windows_or_clips_them():
    x, u = np.zeros(4), np.array([[1.0, 2.0], [3.0, 4.0]])
    at = np.array([[3], [-1]])
    attrs = {
        "axes": (0,), "collapsed": (), "operand_batch": (), "index_batch": (), "offset": (1,),
        "op": "set",
    }  # fmt: skip
    dtypes = (f64, i64, f64)
    assert apply("scatter", [x, at, u], {**attrs, "mode": "drop"}, dtypes)[0].tolist() == [0] * 4
    got = apply("scatter", [x, at, u], {**attrs, "mode": "clip"}, dtypes)[0]
    assert got.tolist() == [3.0, 4.0, 1.0, 2.0]


def test_gradient_of_scatter_set_goes_to_the_last_writer():
    b = Builder()
    x, u, at = b.param(tensor(f64, 2)), b.param(tensor(f64, 3)), b.param(tensor(i32, 3, 1))
    attrs = {
        "axes": (0,), "collapsed": (0,), "operand_batch": (), "index_batch": (), "offset": (),
        "op": "set", "mode": "drop",
    }  # fmt: skip
    node = OPS["scatter"].node(b, [x, at, u], attrs)
    ct = b.param(tensor(f64, 2))
    backs = OPS["scatter"].transpose(b, node, [None, at, None], [ct])
    graph = b.graph([backs[0], backs[2]])
    to_x, to_u = evaluate(
        graph, [np.zeros(2), np.zeros(3), np.array([[0], [0], [9]], np.int32), np.array([5.0, 7.0])]
    )
    assert to_x.tolist() == [0.0, 7.0]
    assert to_u.tolist() == [0.0, 5.0, 0.0]


def test_dynamic_slices_clamp():
    x = np.arange(12.0).reshape(3, 4)
    starts = [np.int32(5), np.int64(-7)]
    (got,) = apply("dynamic_slice", [x, *starts], {"sizes": (2, 3)}, (f64, i32, i64))
    np.testing.assert_array_equal(got, x[1:3, 0:3])
    update = -np.ones((2, 3))
    (got,) = apply("dynamic_update_slice", [x, update, *starts], {}, (f64, f64, i32, i64))
    wanted = x.copy()
    wanted[1:3, 0:3] = -1
    np.testing.assert_array_equal(got, wanted)


# -- windows -------------------------------------------------------------------------------
PLAIN = {
    "stride": (1, 1), "low": (0, 0), "high": (0, 0), "lhs_dilation": (1, 1),
    "rhs_dilation": (1, 1),
}  # fmt: skip


def test_conv_is_scipys_correlation():
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(2, 3, 8, 9)), rng.normal(size=(4, 3, 3, 2))
    attrs = {"lhs": "nc01", "rhs": "oi01", "out": "nc01", **PLAIN}
    (got,) = apply("conv", [x, w], attrs, (f64, f64))
    wanted = np.array(
        [
            [
                sum(scipy.signal.correlate(x[n, i], w[o, i], mode="valid") for i in range(3))
                for o in range(4)
            ]
            for n in range(2)
        ]
    )
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    attrs = {**attrs, "lhs": "n01c", "rhs": "01io", "out": "n01c"}
    moved = [x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0)]
    (got,) = apply("conv", moved, attrs, (f64, f64))
    np.testing.assert_allclose(got, wanted.transpose(0, 2, 3, 1), rtol=1e-12)


def naive_conv(x, w, stride, low, high, base, step):
    """One spatial axis by the defining sum, with the signal written out."""
    wide = np.zeros((*x.shape[:2], (x.shape[2] - 1) * base + 1))
    wide[:, :, ::base] = x
    wide = np.pad(wide, ((0, 0), (0, 0), (max(low, 0), max(high, 0))))
    wide = wide[:, :, max(-low, 0) : wide.shape[2] - max(-high, 0)]
    window = (w.shape[2] - 1) * step + 1
    count = max(0, (wide.shape[2] - window) // stride + 1)
    out = np.zeros((x.shape[0], w.shape[0], count))
    for p in range(count):
        piece = wide[:, :, p * stride : p * stride + window : step]
        out[:, :, p] = np.einsum("nik,oik->no", piece, w)
    return out


@pytest.mark.parametrize("case", [(1, 0, 0, 1, 1), (2, 1, 2, 1, 1), (1, 2, 2, 2, 1),
                                  (3, 2, 1, 2, 2), (2, -1, -2, 1, 1), (1, -1, 3, 2, 2),
                                  (1, 0, -9, 1, 3)])  # fmt: skip
def test_conv_strides_padding_dilation(case):
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=(2, 3, 7)), rng.normal(size=(4, 3, 3))
    stride, low, high, base, step = case
    attrs = {
        "lhs": "nc0", "rhs": "oi0", "out": "nc0", "stride": (stride,), "low": (low,),
        "high": (high,), "lhs_dilation": (base,), "rhs_dilation": (step,),
    }  # fmt: skip
    (got,) = apply("conv", [x, w], attrs, (f64, f64))
    np.testing.assert_allclose(got, naive_conv(x, w, *case), rtol=1e-12, atol=1e-12)


def test_conv_groups_do_not_meet():
    rng = np.random.default_rng(7)
    x, w = rng.normal(size=(2, 3, 2, 6)), rng.normal(size=(3, 4, 2, 3))
    attrs = {
        "lhs": "ngc0", "rhs": "goi0", "out": "ngc0", "stride": (1,), "low": (1,), "high": (1,),
        "lhs_dilation": (1,), "rhs_dilation": (1,),
    }  # fmt: skip
    (got,) = apply("conv", [x, w], attrs, (f64, f64))
    for g in range(3):
        wanted = naive_conv(x[:, g], w[g], 1, 1, 1, 1, 1)
        np.testing.assert_allclose(got[:, g], wanted, rtol=1e-12)


@pytest.mark.parametrize("op", ["sum", "max", "min"])
def test_reduce_window_is_pooling(op):
    rng = np.random.default_rng(8)
    x = rng.normal(size=(2, 6, 7))
    attrs = {
        "op": op, "window": (1, 3, 2), "stride": (1, 1, 2), "low": (0, 0, 0), "high": (0, 0, 0),
        "base_dilation": (1, 1, 1), "window_dilation": (1, 1, 1),
    }  # fmt: skip
    (got,) = apply("reduce_window", [x], attrs, (f64,))
    views = np.lib.stride_tricks.sliding_window_view(x, (1, 3, 2))[:, :, ::2]
    np.testing.assert_allclose(got, getattr(views, op)(axis=(3, 4, 5)), rtol=1e-13)


def window_gradient(x, attrs):
    b = Builder()
    value, t = b.param(tensor(f64, *x.shape)), b.param(tensor(f64, *x.shape))
    node = OPS["reduce_window"].node(b, [value], attrs)
    (out,) = OPS["reduce_window"].linearise(b, node, [value], node.results, [t])
    return [evaluate(b.graph([out]), [x, unit.reshape(x.shape)])[0] for unit in np.eye(x.size)]


def test_ties_in_a_pooling_window_share_evenly():
    attrs = {
        "op": "max", "window": (3,), "stride": (3,), "low": (1,), "high": (1,),
        "base_dilation": (1,), "window_dilation": (1,),
    }  # fmt: skip
    got = window_gradient(np.array([2.0, 2.0, 1.0, 1.0]), attrs)
    np.testing.assert_array_equal(np.array(got).T, [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    got = window_gradient(np.array([-np.inf] * 4), attrs)  # padding takes no share
    np.testing.assert_array_equal(np.array(got).T, [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])


def test_large_windows_have_the_same_gradient():
    """Beyond the size that is written out, windows are gathered: the same numbers."""
    rng = np.random.default_rng(9)
    x = rng.integers(0, 5, (11, 9)).astype(float)
    attrs = {
        "op": "max", "window": (9, 8), "stride": (2, 1), "low": (1, 0), "high": (2, 2),
        "base_dilation": (1, 1), "window_dilation": (1, 1),
    }  # fmt: skip
    padded = np.pad(x, ((1, 2), (0, 2)), constant_values=-np.inf)
    views = np.lib.stride_tricks.sliding_window_view(padded, (9, 8))[::2]
    mask = views == views.max(axis=(2, 3), keepdims=True)
    share = mask / mask.sum(axis=(2, 3), keepdims=True)
    wanted = np.zeros((*views.shape[:2], *padded.shape))
    for p, q in np.ndindex(views.shape[:2]):
        wanted[p, q, 2 * p : 2 * p + 9, q : q + 8] = share[p, q]
    wanted = wanted[:, :, 1:-2, :-2].reshape(*views.shape[:2], -1)
    got = np.moveaxis(np.array(window_gradient(x, attrs)), 0, -1)
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


# -- control -------------------------------------------------------------------------------
def body(params, build):
    b = Builder()
    return b.graph(build(b, *(b.param(t) for t in params)))


def test_cond_clamps_and_bool_chooses():
    x = tensor(f64)
    branches = tuple(
        body((x,), lambda b, v, k=k: [OPS["integer_pow"](b, v, exponent=k)]) for k in range(3)
    )
    for which, wanted in ((-5, 1.0), (0, 1.0), (1, 3.0), (2, 9.0), (99, 9.0)):
        arrays = [np.int32(which), np.float64(3)]
        assert apply("cond", arrays, {"branches": branches}, (i32, f64))[0] == wanted
    two = {"branches": branches[1:]}
    assert apply("cond", [np.True_, np.float64(3)], two, (i1, f64))[0] == 9.0
    assert apply("cond", [np.False_, np.float64(3)], two, (i1, f64))[0] == 3.0


def test_scan_is_a_loop_in_either_direction():
    x = np.array([1.0, 2.0, 3.0])
    kinds = (tensor(f64), tensor(f64))

    def step(b, carry, row):
        total = OPS["add"](b, OPS["add"](b, carry, carry), row)
        return [total, total]

    attrs = {"body": body(kinds, step), "n_const": 0, "n_carry": 1, "length": 3}
    last, rows = apply("scan", [np.float64(0), x], {**attrs, "reverse": False}, (f64, f64))
    assert (last, rows.tolist()) == (11.0, [1.0, 4.0, 11.0])
    last, rows = apply("scan", [np.float64(0), x], {**attrs, "reverse": True}, (f64, f64))
    assert (last, rows.tolist()) == (17.0, [17.0, 8.0, 3.0])


def test_bodies_round_bf16_at_every_op():
    """1 + 2⁻⁹ is 1 in bf16, so adding it twice is not 1 + 2⁻⁸."""
    kinds = (tensor(bf16), tensor(bf16))
    twice = body(kinds, lambda b, x, y: [OPS["add"](b, OPS["add"](b, x, y), y)])
    arrays = [np.float32(1), np.float32(2**-9)]
    assert apply("call", arrays, {"body": twice, "name": "twice"}, (bf16, bf16))[0] == 1.0


# -- random --------------------------------------------------------------------------------
KNOWN = [  # counter, key, words: known-answer vectors of Random123 for philox4x32, 10 rounds
    ((0,) * 4, (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]  # fmt: skip


@pytest.mark.parametrize("counter, key, words", KNOWN)
def test_philox_known_answers(counter, key, words):
    assert tuple(int(w) for w in philox_words(counter, key)) == words


def test_philox_layout():
    blocks = [[int(w) for w in philox_words((k, 0, 0, 0), (0, 0))] for k in range(3)]
    (got,) = apply("philox", [np.uint64(0)], {"shape": (11,), "bits": 32}, (ui64,))
    across = [blocks[c][w] for w in range(4) for c in range(2)]
    assert got.tolist() == across + blocks[2][:3]
    (got,) = apply("philox", [np.uint64(0)], {"shape": (3,), "bits": 64}, (ui64,))
    pairs = [[b[0] | b[1] << 32, b[2] | b[3] << 32] for b in blocks]
    assert got.tolist() == [*pairs[0], pairs[1][0]]
    key = (0x299F31D0 << 32) | 0xA4093822
    (got,) = apply(
        "philox", [np.array([0, key], np.uint64)], {"shape": (2, 2), "bits": 32}, (ui64,)
    )
    assert got.shape == (2, 2, 2)
    second = philox_words((1, 0, 0, 0), KNOWN[2][1])  # a row of its own begins with a new block
    first = philox_words((0,) * 4, KNOWN[2][1])
    assert got[1].tolist() == [[int(w) for w in b[:2]] for b in (first, second)]


def test_types_are_kept():
    assert OPS["philox"].infer((TensorType((3,), ui64),), {"shape": (2,), "bits": 32})[0].shape == (
        3,
        2,
    )
