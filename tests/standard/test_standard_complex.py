"""The special cases that the array standard lists for complex numbers, all of them."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest
from standard_complex import BY_WAY_OF, COMPLEX, TO_REAL
from standard_special import HOLDS, RESULTS, rules, universe

import lazir as lz
import lazir.numpy as lnp

DTYPES = ("complex64", "complex128")
NAMES = sorted({*COMPLEX, *TO_REAL, *BY_WAY_OF})


@functools.cache
def results(dtype: str) -> tuple[Any, Any, dict[str, Any]]:
    """Both parts of the operands, and what every function makes of them."""

    @lz.compile
    def everything(z: Any) -> dict[str, Any]:
        return {name: getattr(lnp, name)(z) for name in NAMES}

    part = lnp.finfo(dtype).dtype.numpy
    numbers = universe(lnp.finfo(dtype)).astype(part)
    a, b = (v.ravel() for v in np.meshgrid(numbers, numbers, indexing="ij"))
    z = np.empty(a.shape, dtype)
    z.real, z.imag = a, b
    return a, b, {name: made.numpy() for name, made in everything(z).items()}


def fits(result: str, a: float, b: float, got: float, eps: float, part: int) -> bool:
    free = result.startswith("±")
    name, _, turned = result.replace("±", "+").partition(":")
    wanted = RESULTS[name](a, b)
    if turned:
        wanted = math.copysign(wanted, (math.cos, math.sin)[part](b))
    if math.isnan(wanted):
        return math.isnan(got)
    if free:
        got = abs(got)
    if "pi" in name:
        return abs(got - wanted) <= 4 * eps
    return got == wanted and math.copysign(1, got) == math.copysign(1, wanted)


def split(result: Any) -> list[list[float]]:
    """The parts of a result."""
    parts = [result.real, result.imag] if result.dtype.kind == "c" else [result]
    return [p.astype(float).tolist() for p in parts]


@pytest.mark.parametrize("name", [*COMPLEX, *TO_REAL])
@pytest.mark.parametrize("dtype", DTYPES)
def test_special_cases(dtype: str, name: str) -> None:
    a, b, found = results(dtype)
    eps = lnp.finfo(dtype).eps
    parts = split(found[name])
    text = COMPLEX.get(name) or TO_REAL[name]
    for conditions, rest in rules(text, 2):
        expected = rest[0].split() if len(rest) == 1 else ["|".join(rest)]
        hit = 0
        for x, y, *got in zip(a.tolist(), b.tolist(), *parts, strict=True):
            if all(any(HOLDS[c](v) for c in names) for names, v in zip(conditions, (x, y))):
                hit += 1
                ok = all(fits(r, x, y, g, eps, k) for k, (r, g) in enumerate(zip(expected, got)))
                assert ok, f"{name}({x}, {y}) = {got}, not {expected}"
        assert hit, conditions


def agree(left: Any, right: Any, eps: float) -> Any:
    """Where two arrays are equal, zeros and infinities with their sign; NaN is NaN."""
    same = (left == right) & (np.signbit(left) == np.signbit(right))
    near = np.isfinite(left) & np.isfinite(right) & (left != 0) & (right != 0)
    with np.errstate(all="ignore"):
        near &= np.abs(left - right) <= 8 * eps * np.abs(right)
    return same | near | (np.isnan(left) & np.isnan(right))


@pytest.mark.parametrize("name", [n for n in COMPLEX if n not in ("conj", "negative", "sign")])
@pytest.mark.parametrize("dtype", DTYPES)
def test_conjugates(dtype: str, name: str) -> None:
    """f(conj(x)) = conj(f(x)); NaNs, and zeros where no part is finite, have any sign."""
    a, b, found = results(dtype)
    count = math.isqrt(len(a))
    half = count // 2
    finite = (np.isfinite(a) | np.isfinite(b)).reshape(count, count)[:, :half]
    grid = found[name].reshape(count, count)
    over, under = grid[:, :half], grid[:, half:]  # imaginary parts, and their negatives
    settled = finite & ~np.isnan(over.real) & ~np.isnan(over.imag)
    for wanted, got in ((over.real, under.real), (-over.imag, under.imag)):
        assert agree(got, wanted, lnp.finfo(dtype).eps)[settled].all()


@pytest.mark.parametrize("name", BY_WAY_OF)
@pytest.mark.parametrize("dtype", DTYPES)
def test_turned_functions(dtype: str, name: str) -> None:
    """sin(x) = sinh(x·i) / i and its kin, special numbers included."""
    a, b, found = results(dtype)
    other, relation = BY_WAY_OF[name]
    place = {pair: k for k, pair in enumerate(zip(map(repr, a.tolist()), map(repr, b.tolist())))}
    known = b == b
    turned = [place[repr(-y), repr(x)] for x, y in zip(a[known].tolist(), b[known].tolist())]
    left, right = found[name][known], found[other][turned]
    if relation.endswith("/ i"):
        right = np.stack([right.imag, -right.real])
    else:
        right = np.stack([right.real, right.imag])
    settled = ~np.isnan(right).any(0)
    for got, wanted in zip((left.real, left.imag), right):
        assert agree(got, wanted, lnp.finfo(dtype).eps)[settled].all()
