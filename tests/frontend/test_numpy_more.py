"""NumPy's names beyond the array standard against NumPy: one table of calls, each run on NumPy's
arrays, lazily on tensors, and inside one compiled function.

A case is a call as text (`numpy_cases.py`). All cases of a table are
compiled as one program, which keeps the tests fast.
"""

from __future__ import annotations

import itertools
import re
import warnings
from typing import Any

import numpy as np
import pytest
from numpy_cases import (
    ARRAYS,
    NUMBERS,
    OPTIONS,
    RNG,
    SETS,
    SHAPES,
    UFUNCS,
    agree,
    cases,
    expected,
    lazily,
    leaves,
)

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError

TABLES = {"shapes": SHAPES, "numbers": NUMBERS, "options": OPTIONS, "ufuncs": UFUNCS, "sets": SETS}


@pytest.mark.parametrize("table", TABLES)
def test_values(table: str) -> None:
    found = [(case, lazily(case)) for case in cases(TABLES[table])]
    for case, got in found:
        agree(case, got, expected(case))


@pytest.mark.parametrize("table", ["shapes", "numbers", "options", "ufuncs"])
def test_compiled(table: str) -> None:
    """All cases as one program, from arrays whose data is not known while tracing."""
    texts = cases(TABLES[table])

    @lz.compile
    def everything(arrays: dict[str, Any]) -> list[Any]:
        return [leaves(eval(c, {"np_": lnp, "np": np, **arrays})) for c in texts]

    for case, got in zip(texts, everything(ARRAYS), strict=True):
        if "polydiv" in case:  # leading zeros of the remainder stay where it is traced
            continue
        agree(case, got, expected(case))


QUANTILES = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
    "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher",
    "midpoint", "nearest",
]  # fmt: skip


def test_every_method_of_quantiles() -> None:
    """Sizes around the places that methods treat apart, NaNs and infinities among them."""
    q = np.array([0.0, 0.125, 0.2, 0.25, 0.4, 0.5, 0.625, 0.75, 0.9, 1.0])
    rows = [RNG.normal(size=k) for k in (1, 2, 4, 5, 8)]
    rows += [np.array([1.0, np.inf, -2.0, 0.0]), np.array([3.0, np.nan, 1.0])]
    names = QUANTILES

    @lz.compile
    def run(xs: Any) -> Any:
        return [[lnp.quantile(x, q, method=m) for m in names] for x in xs] + [
            [lnp.nanquantile(x, q, method=m) for m in names] for x in xs
        ]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = [[np.quantile(x, q, method=m) for m in names] for x in rows]  # type: ignore[call-overload]
        wanted += [[np.nanquantile(x, q, method=m) for m in names] for x in rows]  # type: ignore[call-overload]
    for found, right in zip(run(rows), wanted, strict=True):
        for name, a, b in zip(names, found, right, strict=True):
            finite = np.isfinite(b)  # NumPy gives NaN where it multiplies an infinity by 0
            np.testing.assert_allclose(a.numpy()[finite], b[finite], 1e-12, err_msg=name)
            assert np.isnan(a.numpy()).all() == np.isnan(b).all()


def test_pad_by_a_function() -> None:
    def fill(vector: Any, widths: Any, axis: int, options: Any) -> None:
        vector[: widths[0]] = options.get("padder", 10) + axis
        vector[vector.shape[0] - widths[1] :] = vector[widths[0]]

    m = ARRAYS["m"]
    np.testing.assert_array_equal(
        lnp.pad(m, ((1, 2), (2, 1)), fill, padder=7), np.pad(m, ((1, 2), (2, 1)), fill, padder=7)
    )


def test_results_go_where_out_says() -> None:
    m = ARRAYS["m"]
    calls = [
        ("sum", (m, 0), (4,)), ("mean", (m, 1), (3,)), ("std", (m, 1), (3,)),
        ("dot", (m, m.T), (3, 3)), ("matmul", (m, m.T), (3, 3)), ("outer", (m, m[0]), (12, 4)),
        ("cumsum", (m, 0), (3, 4)), ("concatenate", ([m, m],), (6, 4)),
        ("stack", ([m, m],), (2, 3, 4)), ("take", (m, [0, 1], 1), (3, 2)),
        ("median", (m, 0), (4,)), ("trace", (m,), ()), ("ptp", (m, 0), (4,)),
        ("nanmax", (m, 0), (4,)), ("clip", (m, 0.0, 1.0), (3, 4)), ("round", (m, 1), (3, 4)),
        ("isneginf", (m,), (3, 4)), ("choose", ([0, 1], [m[0, :2], m[1, :2]]), (2,)),
    ]  # fmt: skip
    for name, args, shape in calls:
        kind = bool if name.startswith("is") else np.float64
        out, wanted = lnp.zeros(shape, kind), np.zeros(shape, kind)
        result = getattr(lnp, name)(*args, out=out)
        assert result is out, name
        getattr(np, name)(*args, out=wanted)
        np.testing.assert_allclose(out, wanted, 1e-12, 1e-14, err_msg=name)


def test_sets_of_fixed_size_compile() -> None:
    a, b = np.array([5, 1, 3, 3, 9]), np.array([3, 4, 5])

    @lz.compile
    def sets(x: Any, y: Any) -> Any:
        return (
            lnp.union1d(x, y, size=7),
            lnp.intersect1d(x, y, size=3, fill_value=-1, return_indices=True),
            lnp.setdiff1d(x, y, size=2),
            lnp.setxor1d(x, y, size=1),
        )

    union, (both, first, second), rest, either = sets(a, b)
    np.testing.assert_array_equal(union, [1, 3, 4, 5, 9, 1, 1])
    np.testing.assert_array_equal(both, [3, 5, -1])
    np.testing.assert_array_equal(first[:2], [2, 0])
    np.testing.assert_array_equal(second[:2], [0, 2])
    np.testing.assert_array_equal(rest, [1, 9])
    np.testing.assert_array_equal(either, [1])
    with pytest.raises(LazirError, match="size="):
        lz.compile(lambda x: lnp.intersect1d(x, x))(a)


IN_PLACE = [
    "np_.put(x, [0, -1, 2], [7, 8])", "np_.put(x, [0, 99], 5, mode='clip')",
    "np_.put(x, [13, -1], 5, mode='wrap')", "np_.put(x, [], 1.0)",
    "np_.place(x, x > 0, [1.0, 2.0])", "np_.place(x, [[True] * 4] * 3, 5)",
    "np_.putmask(x, x > 0, [1.0, 2.0, 3.0])", "np_.putmask(x, x < 0, x * 2)",
    "np_.copyto(x, 5)", "np_.copyto(x, [1, 2, 3, 4], where=x > 0)",
    "np_.fill_diagonal(x, 5)", "np_.fill_diagonal(x, [1, 2])", "np_.fill_diagonal(x.T, 3)",
    "np_.put_along_axis(x, np_.argmax(x, 1)[:, None], -9.0, 1)",
]  # fmt: skip


@pytest.mark.parametrize("case", IN_PLACE)
def test_writes_into_a_tensor(case: str) -> None:
    """The name stands for the new elements afterwards, as in NumPy; lazily and compiled."""
    wanted = ARRAYS["m"].copy()
    eval(case, {"np_": np, "x": wanted})
    x = lnp.asarray(ARRAYS["m"])
    eval(case, {"np_": lnp, "x": x})
    np.testing.assert_array_equal(x, wanted)

    @lz.compile
    def run(a: Any) -> Any:
        b = a.copy()
        eval(case, {"np_": lnp, "x": b})
        return b

    np.testing.assert_array_equal(run(ARRAYS["m"]), wanted)


def test_fill_diagonal_of_high_matrices_and_cubes() -> None:
    for shape, wrap in (((7, 2), True), ((7, 2), False), ((3, 3, 3), False), ((2, 5), True)):
        wanted = np.zeros(shape)
        np.fill_diagonal(wanted, [1, 2, 3], wrap)
        got = lnp.fill_diagonal(np.zeros(shape), [1, 2, 3], wrap, inplace=False)
        np.testing.assert_array_equal(got, wanted)


ERRORS = [
    ("lnp.put(np.zeros(3), 0, 1)", "inplace=False"),
    ("lnp.copyto(lnp.zeros(2, int), 1.5)", "losing its kind"),
    ("lnp.sum(lnp.ones(3), out=np.zeros(()))", "`out` is a tensor"),
    ("lnp.sum(lnp.ones(3), out=lnp.zeros(2))", "`out` has shape"),
    ("lnp.sum(lnp.ones(3), out=lnp.zeros((), int))", "losing its kind"),
    ("lnp.frompyfunc(max, 2, 1)", "vectorize"),
    ("lnp.delete(lnp.arange(3), 5)", "place 5 is out of range"),
    ("lnp.insert(lnp.arange(3), -4, 1)", "place -4 is out of range"),
    ("lz.compile(lambda i: lnp.delete(lnp.arange(3), i))(np.array(1))", "decides a shape"),
    ("lz.compile(lambda x: lnp.trim_zeros(x))(np.ones(3))", "decides a shape"),
    ("lnp.unravel_index(6, (2, 3))", "outside of 0 … 5"),
    ("lnp.choose([3], [1, 2])", "outside of 0 … 1"),
    ("lnp.gradient(lnp.ones(2), edge_order=2)", "needs 3 samples"),
    ("lnp.gradient(lnp.ones((2, 2)), 1.0, 2.0, 3.0)", "3 distances for 2 axes"),
    ("lnp.block([[lnp.ones(2)], lnp.ones(2)])", "different depths"),
    ("lnp.convolve(lnp.ones((2, 2)), [1.0])", "needs vectors"),
    ("lnp.convolve([1.0], [1.0], 'valied')", "mode is"),
    ("lnp.vectorize(lambda x: x, signature='(n')", "signature looks like"),
    ("lnp.einsum('ij,jk,kl', *[lnp.eye(2)] * 3, optimize=[(0, 5)])", "does not name 3"),
    ("lnp.gcd(1.5, 2)", "takes integers"),
    ("lnp.packbits(lnp.ones(3))", "integers or bools"),
    ("lnp.polyfit(lnp.ones(3), lnp.ones(2), 1)", "3 places, 2 values"),
    ("lnp.r_['r', 1]", "'axis,ndmin'"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "message"), ERRORS)
def test_errors_say_what_to_do(case: str, message: str) -> None:
    with pytest.raises(LazirError, match=message):
        eval(case, {"lnp": lnp, "np": np, "lz": lz})


def test_vectorize() -> None:
    m, w = ARRAYS["m"], ARRAYS["w"]
    same = lnp.vectorize(lambda a, b: lnp.where(a > b, a, b * 2), otypes=["float32"])
    np.testing.assert_allclose(same(m, w), np.where(m > w, m, w * 2), rtol=1e-6)
    assert same(m, w).dtype == lz.float32
    dot = lnp.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")
    np.testing.assert_allclose(dot(m[:, None], w * np.ones((5, 4))), m @ (w * np.ones((5, 4))).T)
    two = lnp.vectorize(lambda a, k: (a * k, a.sum()), signature="(n),()->(n),()", excluded={1})
    with pytest.raises(LazirError, match="2 arguments, 1"):
        two(m, 3)
    scaled = lnp.vectorize(lambda a, k=1: (a * k, a.sum()), signature="(n)->(n),()", excluded={"k"})
    parts = scaled(m, k=3)
    np.testing.assert_allclose(parts[0], m * 3)
    np.testing.assert_allclose(parts[1], m.sum(1))


def test_files_and_text(tmp_path: Any) -> None:
    x = lnp.asarray(ARRAYS["f"])
    lnp.save(tmp_path / "x.npy", x)
    np.testing.assert_array_equal(lnp.load(tmp_path / "x.npy"), ARRAYS["f"])
    lnp.savez(tmp_path / "x.npz", x, y=x * 2)
    found = lnp.load(tmp_path / "x.npz")
    assert sorted(found) == ["arr_0", "y"]
    np.testing.assert_array_equal(found["y"], ARRAYS["f"] * 2)
    lnp.savetxt(tmp_path / "x.txt", x)
    np.testing.assert_allclose(lnp.loadtxt(tmp_path / "x.txt"), ARRAYS["f"])
    ARRAYS["i"].tofile(tmp_path / "x.raw")
    np.testing.assert_array_equal(lnp.fromfile(tmp_path / "x.raw", int), ARRAYS["i"])
    with lnp.printoptions(precision=2):
        assert lnp.array_str(lnp.array([1.23456])) == "[1.23]"
        assert str(lnp.array([1.23456])) == "[1.23]"


def test_einsum_paths() -> None:
    """The order of fewest products: all orders of a chain, counted here by brute force."""
    rng = np.random.default_rng(1)
    for _ in range(5):
        sizes = rng.integers(2, 30, 6)
        mats = [np.ones((a, b)) for a, b in itertools.pairwise(sizes)]
        terms = ["ab", "bc", "cd", "de", "ef"]
        dims = dict(zip("abcdef", sizes.tolist()))

        def fewest(lo: int, hi: int, d: Any = sizes) -> int:
            if hi - lo == 1:
                return 0
            return min(fewest(lo, k) + fewest(k, hi) + int(d[lo] * d[k] * d[hi])
                       for k in range(lo + 1, hi))  # fmt: skip

        path, text = lnp.einsum_path(",".join(terms) + "->af", *mats)
        work, left = 0, list(terms)
        for step in path[1:]:
            parts = [left[k] for k in step]
            left = [t for k, t in enumerate(left) if k not in step]
            letters = set("".join(parts))
            work += int(np.prod([dims[c] for c in letters]))
            rest = "af" + "".join(left)
            left.append("".join(sorted(c for c in letters if c in rest)))
        assert work == fewest(0, 5)
        assert text.startswith("ab,bc,cd,de,ef->af: " + str(work))


def stencil(np_: Any, u: Any) -> Any:
    """Loops that write into slices of what they read, as programs for the heat equation do."""
    v = np_.zeros_like(u)
    for _ in range(3):
        u[1:-1, 1:-1] += 0.1 * (u[2:, 1:-1] - 2 * u[1:-1, 1:-1] + u[:-2, 1:-1])
        old = u.copy()
        u[1:, :] = u[:-1, :]
        u[:, :] = u[:, ::-1]
        u[0, :] *= 2.0
        u[:, -1] = u[:, -2]
        u[:, 0] -= old[:, 1]
        v[...] = u
        v[::2] /= 2.0
        np_.add(v, u, out=v)
        np_.maximum(v, 0.25, out=v)
        u[-1] = v[0]
    return u + v


def test_stencils_write_in_place() -> None:
    start = RNG.normal(size=(5, 6))
    wanted = stencil(np, start.copy())
    np.testing.assert_allclose(stencil(lnp, lnp.asarray(start)), wanted, rtol=1e-12)

    @lz.compile
    def run(u: Any) -> Any:
        return stencil(lnp, u.copy())

    np.testing.assert_allclose(run(start), wanted, rtol=1e-12)


AT = [
    "np_.add.at(x, [0, 0, 2], 1.5)", "np_.subtract.at(x, ([0, 0], [1, 1]), [1.0, 2.0])",
    "np_.multiply.at(x, np.array([1, 1]), 3.0)", "np_.maximum.at(x, ([0, 0], 1), [2, 1])",
    "np_.minimum.at(x, 1, 0.0)", "np_.add(x, 1, out=x)", "np_.exp(x, out=x, where=x > 0)",
    "np_.minimum(x, 0.25, out=x)", "np_.add(x, x, out=(x,))",
]  # fmt: skip


@pytest.mark.parametrize("case", AT)
def test_ufuncs_write_where_numpy_does(case: str) -> None:
    wanted = ARRAYS["m"].copy()
    eval(case, {"np_": np, "np": np, "x": wanted})
    for library in (lnp, np):  # np's functions reach the same ones by dispatch
        x = lnp.asarray(ARRAYS["m"])
        eval(case, {"np_": library, "np": np, "x": x})
        np.testing.assert_allclose(x, wanted, 1e-15)


def test_ufunc_errors() -> None:
    x = lnp.ones(3)
    for call, message in (
        (lambda: lnp.add(x, 1, where=x > 0), "`where` needs `out`"),
        (lambda: lnp.add(x, 1.5, dtype="int64"), "losing its kind"),
        (lambda: lnp.add(x, 1, out=lnp.zeros(3, "int64")), "losing its kind"),
        (lambda: lnp.add(x, 1, out=np.zeros(3)), "`out` is a tensor"),
        (lambda: lnp.subtract.reduce(x), "order of joining"),
        (lambda: lnp.power.accumulate(x), "order of joining"),
        (lambda: lnp.divide.at(x, 0, 2.0), "an indexed update is one of"),
        (lambda: lnp.add.at(lnp.arange(3), 0, 1.5), "losing its kind"),
        (lambda: lnp.add.reduceat(x, [0, 3]), "index 3 is out of range"),
        (lambda: lnp.bitwise_and.reduce(lnp.zeros(0, "int64")), "empty axis"),
        (lambda: np.negative.at(x, [0, 0]), "no counterpart"),
        (lambda: np.frexp(x, out=(x, x)), "no counterpart"),
    ):
        with pytest.raises(LazirError, match=message):
            call()
    assert np.array_equal(lnp.add.at(x, 0, 2.0, inplace=False), [3, 1, 1])
    assert np.array_equal(x, [1, 1, 1])
    assert (lnp.add.nin, lnp.add.nargs, repr(lnp.add)) == (2, 3, "<ufunc 'add'>")


def test_numpy_dispatches_every_shared_function() -> None:
    """The tables again, called through NumPy itself on tensors: all stays lazy tensors."""
    skip = re.compile(r"np_\.(r_|c_|mgrid|ogrid|ones|zeros|asarray|arange|tril_ind|triu_indices\(|"
                      r"diag_indices\(|indices|block|array\(|isin\(j, np_)")  # fmt: skip
    tensors = {k: lz.Tensor(v) for k, v in ARRAYS.items()}
    count = 0
    for case in cases(SHAPES + NUMBERS + OPTIONS + UFUNCS):
        names = set(re.findall(r"\b([a-z])\b", case)) & set(ARRAYS)
        if not names or skip.search(case):
            continue
        got = leaves(eval(case, {"np_": np, "np": np, **tensors}))
        assert all(isinstance(x, lz.Tensor | list) for x in got), case
        agree(case, got, expected(case))
        count += 1
    assert count > 200


def test_kinds_of_dtypes() -> None:
    """`issubdtype` for every dtype and abstract type against NumPy's."""
    abstract = ["generic", "number", "integer", "signedinteger", "unsignedinteger", "inexact",
                "floating", "complexfloating"]  # fmt: skip
    concrete = ["bool_", "int8", "int64", "uint16", "float16", "float64", "complex64"]
    for a in (*concrete, *abstract):
        for b in (*concrete, *abstract):
            wanted = np.issubdtype(getattr(np, a), getattr(np, b))
            assert lnp.issubdtype(getattr(lnp, a), getattr(lnp, b)) == wanted, (a, b)
    names = "half single double csingle cdouble byte short intc intp ubyte ushort uintc uintp"
    for name in f"{names} longlong ulonglong int_ uint".split():
        assert getattr(lnp, name).numpy == np.dtype(getattr(np, name)), name


def test_methods_of_arrays() -> None:
    m = ARRAYS["m"]
    x = lnp.asarray(m)
    np.testing.assert_array_equal(x.compress([True, False, True, True], 1), m[:, [0, 2, 3]])
    np.testing.assert_array_equal(x.flat, m.ravel())
    picked = lnp.array([1, 0]).choose([[1, 2], [3, 4]])
    np.testing.assert_array_equal(picked, [3, 2])
    wanted = m.copy()
    for a in (x, wanted):
        a.put([0, 5], [7.0, 8.0])
    np.testing.assert_array_equal(x, wanted)
    x.fill(3.0)
    np.testing.assert_array_equal(x, np.full((3, 4), 3.0))
    places = lnp.asarray(m).argpartition(1, 1).numpy()
    np.testing.assert_array_equal(np.take_along_axis(m, places, 1)[:, 1], np.sort(m, 1)[:, 1])
    for name in ("sort", "partition"):
        with pytest.raises(LazirError, match=rf"x\[...\] = lnp.{name}"):
            getattr(x, name)()
    with pytest.raises(lz.errors.AliasError, match="the view was made here"):
        x.flat[0] = 1.0


def test_compiled_functions_write_into_their_arguments() -> None:
    """As in NumPy, whichever function writes; the caller's array or tensor has the new elements."""

    @lz.compile
    def step(u: Any, i: Any) -> None:
        u[1:] = u[:-1]
        lnp.add.at(u, i, 1.0)
        lnp.put(u, [0], 9.0)
        lnp.multiply(u, 2.0, out=u)

    wanted = np.arange(5.0)
    wanted[1:] = wanted[:-1]
    np.add.at(wanted, [2, 2], 1.0)
    np.put(wanted, [0], 9.0)
    np.multiply(wanted, 2.0, out=wanted)
    for u in (np.arange(5.0), lnp.asarray(np.arange(5.0))):
        step(u, np.array([2, 2]))
        np.testing.assert_array_equal(u, wanted)
