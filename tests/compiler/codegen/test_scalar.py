"""Every arith and math operation, scalar and vector, on every type, against NumPy."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest

from lazir.compiler.types import bf16, f16, f32, f64, i1, i8, i16, i32, i64

INTEGERS = (i8, i16, i32, i64)
FLOATS = (f16, bf16, f32, f64)
WIDTHS = (0, 3, 16)


def integers(dtype, seed=0, nonzero=False):
    """Extreme, small and random integers."""
    rng = np.random.default_rng(seed)
    low, high = np.iinfo(dtype.numpy).min, np.iinfo(dtype.numpy).max
    edges = [low, low + 1, -2, -1, 0, 1, 2, 7, high - 1, high]
    values = np.array([*edges, *rng.integers(low, high, 30, endpoint=True)], dtype.numpy)
    return np.where(values == 0, np.array(3, dtype.numpy), values) if nonzero else values


def floats(kit, dtype, seed=0):
    """Zeros, infinities, NaN, subnormal numbers, halves and random numbers of all sizes."""
    rng = np.random.default_rng(seed)
    kind = kit.storage(dtype)
    info = ml_dtypes.finfo(kind)
    tiny, most = float(info.smallest_subnormal), float(info.max)
    edges = [0.0, 0.5, 1.0, 1.5, 2.5, 3.0, tiny, float(info.tiny), most, np.inf, np.nan, 0.49999997]
    spread = rng.standard_normal(40) * 10.0 ** rng.integers(-4, 4, 40)
    values = np.array([*edges, *(-e for e in edges), *spread], np.float64)
    with np.errstate(over="ignore"):
        return values.astype(kind)


def pairs(values, other):
    """All pairs of edges against a shifted copy: every edge meets every other."""
    grid = list(itertools.product(range(len(values)), range(len(other))))
    a, b = np.array(grid).T
    return values[a], other[b]


def same(got, want):
    """Equal bits, any NaN equal to any other."""
    want = np.asarray(want).astype(got.dtype)
    if got.dtype.kind in "iub":
        np.testing.assert_array_equal(got, want)
        return
    wide = np.float64
    np.testing.assert_array_equal(got.astype(wide), want.astype(wide))
    real = ~np.isnan(want.astype(wide))
    np.testing.assert_array_equal(
        np.signbit(got.astype(wide))[real], np.signbit(want.astype(wide))[real]
    )


def unsigned(a):
    return a.view(a.dtype.str.replace("i", "u"))


def shifts(dtype):
    return np.arange(len(integers(dtype))).astype(dtype.numpy) % dtype.bits


def check(kit, rules, arrays, dtype, target, lanes):
    """Operations of one signature, all in one module, against their rules."""
    cases = [(name, {}) for name in rules]
    found = kit.apply_all(cases, arrays, [dtype] * len(arrays), [dtype], target, lanes)
    for (got,), rule in zip(found, rules.values(), strict=True):
        same(got, rule(*arrays))


def check_flags(kit, name, wanted, arrays, dtype, target, lanes):
    """One comparison by all its predicates."""
    cases = [(name, {"predicate": p}) for p in wanted]
    found = kit.apply_all(cases, arrays, [dtype] * 2, [i1], target, lanes)
    for (got,), (predicate, want) in zip(found, wanted.items(), strict=True):
        np.testing.assert_array_equal(got, want, err_msg=predicate)


INTEGER_OPS = {
    "arith.addi": lambda a, b: a + b,
    "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
    "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum,
    "arith.maxui": lambda a, b: np.maximum(unsigned(a), unsigned(b)).view(a.dtype),
    "arith.minui": lambda a, b: np.minimum(unsigned(a), unsigned(b)).view(a.dtype),
}
DIVISIONS = {
    "arith.divui": lambda a, b: (unsigned(a) // unsigned(b)).view(a.dtype),
    "arith.remui": lambda a, b: (unsigned(a) % unsigned(b)).view(a.dtype),
    "arith.divsi": lambda a, b: _exact(a, b, lambda x, y: abs(x) // abs(y) * _sign(x, y)),
    "arith.remsi": lambda a, b: _exact(a, b, lambda x, y: x - abs(x) // abs(y) * _sign(x, y) * y),
    "arith.floordivsi": lambda a, b: _exact(a, b, lambda x, y: x // y),
    "arith.ceildivsi": lambda a, b: _exact(a, b, lambda x, y: -(-x // y)),
    "arith.ceildivui": lambda a, b: _exact(unsigned(a), unsigned(b), lambda x, y: -(-x // y)).view(
        a.dtype
    ),
}
SHIFTS = {
    "arith.shli": np.left_shift,
    "arith.shrsi": np.right_shift,
    "arith.shrui": lambda a, b: np.right_shift(unsigned(a), unsigned(b)).view(a.dtype),
}


def _sign(x, y):
    return 1 if (x < 0) == (y < 0) else -1


def _exact(a, b, rule):
    return np.array([rule(int(x), int(y)) for x, y in zip(a, b)], a.dtype)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integer_arithmetic(kit, target, dtype, lanes):
    a, b = integers(dtype), integers(dtype, 1)
    with np.errstate(over="ignore"):
        check(kit, INTEGER_OPS, [a, b], dtype, target, lanes)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integer_division(kit, target, dtype, lanes):
    a, b = integers(dtype), integers(dtype, 1, nonzero=True)[::-1]
    keep = ~((a == np.iinfo(dtype.numpy).min) & (b == -1))
    a, b = a[keep], b[keep].copy()
    check(kit, DIVISIONS, [a, b], dtype, target, lanes)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_shifts_and_bit_counts(kit, target, dtype, lanes):
    a, s = integers(dtype), shifts(dtype)
    check(kit, SHIFTS, [a, s], dtype, target, lanes)
    words = [f"{int(x) % (1 << dtype.bits):0{dtype.bits}b}" for x in a]
    rules = {
        "math.ctpop": [w.count("1") for w in words],
        "math.ctlz": [len(w) - len(w.lstrip("0")) for w in words],
        "math.cttz": [len(w) - len(w.rstrip("0")) for w in words],
    }
    counts = {name: lambda x, n=n: np.array(n).astype(x.dtype) for name, n in rules.items()}
    check(kit, {**counts, "math.absi": np.abs}, [a], dtype, target, lanes)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_extended_products(kit, target, dtype, lanes):
    a, b = integers(dtype), integers(dtype, 1)
    for name, view in (("arith.mulsi_extended", lambda x: x), ("arith.mului_extended", unsigned)):
        low, high = kit.apply(name, [a, b], [dtype] * 2, [dtype] * 2, target, lanes)
        whole = [int(x) * int(y) for x, y in zip(view(a), view(b))]
        mask = (1 << dtype.bits) - 1
        assert [int(x) for x in unsigned(low)] == [w & mask for w in whole]
        assert [int(x) for x in unsigned(high)] == [w >> dtype.bits & mask for w in whole]
    total, carry = kit.apply(
        "arith.addui_extended", [a, b], [dtype] * 2, [dtype, i1], target, lanes
    )
    sums = [int(x) + int(y) for x, y in zip(unsigned(a), unsigned(b))]
    assert list(carry) == [s > mask for s in sums]
    assert [int(x) for x in unsigned(total)] == [s & mask for s in sums]


def wide(rule):
    """Narrow floats are computed in f32 and rounded once; f32 and f64 as they are."""

    def apply(*arrays):
        kind = arrays[0].dtype
        work = np.float32 if kind.itemsize == 2 else kind
        with np.errstate(all="ignore"):
            return rule(*(a.astype(work) for a in arrays)).astype(kind)

    return apply


def maximum(a, b):
    """IEEE 754-2019 maximum: +0 above −0, NaN wins."""
    best = np.maximum(a, b)
    zero = (a == 0) & (b == 0)
    return np.where(zero & ~(np.signbit(a) & np.signbit(b)), np.abs(best), best)


def minimum(a, b):
    return -maximum(-a, -b)


def round_away(x):
    whole = np.trunc(x)
    step = (np.abs(x - whole) >= 0.5).astype(x.dtype)
    return np.copysign(whole + np.copysign(step, x), x)


FLOAT_BINARY = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.maximumf": maximum,
    "arith.minimumf": minimum,
    "math.copysign": np.copysign,
}
FLOAT_UNARY = {
    "arith.negf": np.negative,
    "math.absf": np.abs,
    "math.sqrt": np.sqrt,
    "math.floor": np.floor,
    "math.ceil": np.ceil,
    "math.trunc": np.trunc,
    "math.roundeven": np.rint,
    "math.round": round_away,
}


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_float_arithmetic(kit, target, dtype, lanes):
    values = floats(kit, dtype)
    a, b = pairs(values, values[:24])
    binary = {name: wide(rule) for name, rule in FLOAT_BINARY.items()}
    check(kit, binary, [a, b], dtype, target, lanes)
    unary = {name: wide(rule) for name, rule in FLOAT_UNARY.items()}
    check(kit, unary, [values], dtype, target, lanes)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_number_wins_in_maxnum_and_minnum(kit, target, dtype, lanes):
    a, b = pairs(floats(kit, dtype), floats(kit, dtype)[6:24])
    for name, rule in (("arith.maxnumf", np.fmax), ("arith.minnumf", np.fmin)):
        (got,) = kit.apply(name, [a, b], [dtype] * 2, [dtype], target, lanes)
        np.testing.assert_array_equal(
            got.astype(np.float64), rule(a.astype(np.float64), b.astype(np.float64))
        )


INTEGER_PREDICATES = {
    "eq": np.equal, "ne": np.not_equal, "slt": np.less, "sle": np.less_equal,
    "sgt": np.greater, "sge": np.greater_equal,
}  # fmt: skip
UNSIGNED_PREDICATES = {
    "ult": np.less, "ule": np.less_equal, "ugt": np.greater, "uge": np.greater_equal,
}  # fmt: skip
ORDERED = {
    "oeq": np.equal, "ogt": np.greater, "oge": np.greater_equal, "olt": np.less,
    "ole": np.less_equal, "une": np.not_equal,
}  # fmt: skip


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integer_comparisons(kit, target, dtype, lanes):
    a, b = integers(dtype), np.roll(integers(dtype), 3)
    cases = [(p, r(a, b)) for p, r in INTEGER_PREDICATES.items()]
    cases += [(p, r(unsigned(a), unsigned(b))) for p, r in UNSIGNED_PREDICATES.items()]
    check_flags(kit, "arith.cmpi", dict(cases), [a, b], dtype, target, lanes)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_float_comparisons(kit, target, dtype, lanes):
    a, b = pairs(floats(kit, dtype), floats(kit, dtype)[:24])
    x, y = a.astype(np.float64), b.astype(np.float64)
    nan = np.isnan(x) | np.isnan(y)
    cases = {**{p: r(x, y) for p, r in ORDERED.items()}, "uno": nan, "ord": ~nan}
    cases |= {"one": (x != y) & ~nan, "ueq": (x == y) | nan, "ult": (x < y) | nan}
    cases |= {"ule": (x <= y) | nan, "ugt": (x > y) | nan, "uge": (x >= y) | nan}
    cases |= {"false": nan & False, "true": nan | True}
    check_flags(kit, "arith.cmpf", cases, [a, b], dtype, target, lanes)
    for name, rule in (
        ("math.isnan", np.isnan), ("math.isinf", np.isinf), ("math.isfinite", np.isfinite),
    ):  # fmt: skip
        (got,) = kit.apply(name, [a], [dtype], [i1], target, lanes)
        np.testing.assert_array_equal(got, rule(x), err_msg=name)


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", (*INTEGERS, *FLOATS), ids=str)
def test_select(kit, target, dtype, lanes):
    rng = np.random.default_rng(5)
    a = floats(kit, dtype) if dtype.is_float else integers(dtype)
    b = a[::-1].copy()
    c = rng.integers(0, 2, len(a)).astype(bool)
    (got,) = kit.apply("arith.select", [c, a, b], [i1, dtype, dtype], [dtype], target, lanes)
    same(got, np.where(c, a, b))


@pytest.mark.parametrize("lanes", WIDTHS)
@pytest.mark.parametrize("dtype", (f16, bf16, f32), ids=str)
def test_fma_rounds_once(kit, target, dtype, lanes):
    """Against exact arithmetic in integers, also where the target has no such instruction."""
    from fractions import Fraction

    rng = np.random.default_rng(3)
    kind = kit.storage(dtype)
    raw = [rng.standard_normal(400) for _ in range(3)]
    # Cancellation: c close to −a·b.
    a, b = (r.astype(kind) for r in raw[:2])
    c = (-(a.astype(np.float64) * b.astype(np.float64)) * (1 + raw[2] * 1e-3)).astype(kind)
    c[::2] = (raw[2][::2] * 2.0 ** rng.integers(-12, 12, 200)).astype(kind)
    (got,) = kit.apply("math.fma", [a, b, c], [dtype] * 3, [dtype], target, lanes)
    for x, y, z, g in zip(a, b, c, got):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        assert float(g) == _nearest(exact, kind), (x, y, z)


def _nearest(exact, kind):
    """The number of `kind` nearest to a fraction, ties to even, by comparing neighbours."""
    bits = np.uint16 if kind.itemsize == 2 else np.uint32
    guess = np.float64(float(exact)).astype(kind)
    center = int(guess.view(bits))
    near = np.array([center - 1, center, center + 1], np.int64).astype(bits).view(kind)
    from fractions import Fraction

    finite = [(abs(Fraction(float(v)) - exact), int(v.view(bits)) & 1, v) for v in near
              if np.isfinite(float(v))]  # fmt: skip
    return float(min(finite, key=lambda t: t[:2])[2])


def test_f64_fma(kit, target):
    """With the instruction; without it the error says what to write."""
    rng = np.random.default_rng(4)
    a, b, c = rng.standard_normal((3, 64))
    if not target.fma:
        with pytest.raises(ValueError, match="f64 fma"):
            kit.apply("math.fma", [a, b, c], [f64] * 3, [f64], target, 4)
        return
    (got,) = kit.apply("math.fma", [a, b, c], [f64] * 3, [f64], target, 4)
    from fractions import Fraction

    want = [float(Fraction(x) * Fraction(y) + Fraction(z)) for x, y, z in zip(a, b, c)]
    np.testing.assert_array_equal(got, want)


def test_remainder_is_refused(kit, target):
    with pytest.raises(ValueError, match="expand it"):
        kit.apply("arith.remf", [np.ones(4, np.float32)] * 2, [f32] * 2, [f32], target, 4)


def test_unknown_operation_is_refused(kit, target):
    with pytest.raises(ValueError, match=r"math\.exp has no machine code"):
        kit.apply("math.exp", [np.ones(4, np.float32)], [f32], [f32], target, 4)
