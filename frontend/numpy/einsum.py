"""Einstein summation: `einsum("ij,jk->ik", x, y)`.

Takes: a subscript string, tensors. Gives: a tensor. Several operands are contracted in the order
that keeps intermediate results smallest (greedily). Must not know: kernels.
"""

from __future__ import annotations

import math
import string
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from ..apply import call, convert, expand, fail, lift, number, operand, tensor
from ..dtypes import bool_, int32, int64, result_dtype
from ..tensor import Tensor


def _parse(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """One letter per axis of every operand and of the result; `...` becomes unused letters."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        fail(f"einsum: {subscripts!r} names {len(terms)} operands, {len(ranks)} were given")
    unused = [c for c in string.ascii_letters if c not in text]
    dots = max((rank - len(t.replace("...", "")) for t, rank in zip(terms, ranks) if "..." in t),
               default=0)  # fmt: skip
    spare = "".join(unused[:dots])
    full = []
    for term, rank in zip(terms, ranks):
        if "..." in term:
            count = rank - len(term.replace("...", ""))
            term = term.replace("...", spare[dots - count :] if count > 0 else "")
        if len(term) != rank or not all(c in string.ascii_letters for c in term):
            fail(f"einsum: {term!r} in {subscripts!r} does not name the {rank} axes of its operand")
        full.append(term)
    if not arrow:
        joined = "".join(full)
        right = spare + "".join(
            sorted(c for c in set(joined) if joined.count(c) == 1 and c not in spare)
        )
    right = right.replace("...", spare)
    missing = [c for c in right if all(c not in t for t in full)]
    if missing or len(set(right)) != len(right):
        fail(
            f"einsum: the result {right!r} of {subscripts!r} must name axes of operands, each once"
        )
    return full, right


def _sizes(terms: list[str], values: list[Value], subscripts: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, value in zip(terms, values):
        for letter, n in zip(term, value.shape):
            known = sizes.setdefault(letter, n)
            if known != n:
                if 1 not in (known, n):
                    fail(f"einsum {subscripts!r}: axis {letter} is {known} and {n}", ShapeError)
                sizes[letter] = max(known, n)
    return sizes


def _diagonals(term: str, x: Value) -> tuple[str, Value]:
    """An operand whose letters are distinct: a repeated letter is a diagonal."""
    while len(set(term)) < len(term):
        letter = next(c for c in term if term.count(c) > 1)
        i = term.index(letter)
        j = term.index(letter, i + 1)
        rows = call("iota", shape=x.shape, axis=i, dtype=int64)
        columns = call("iota", shape=x.shape, axis=j, dtype=int64)
        zero = expand(number(0, x.type.dtype, True), x.shape)
        kept = call("select", call("equal", rows, columns), x, zero)
        x = call("reduce_sum", kept, axes=(j,))
        term = term[:j] + term[j + 1 :]
    return term, x


def _sum_out(term: str, x: Value, keep: set[str]) -> tuple[str, Value]:
    """Axes that nobody else names are summed at once."""
    axes = tuple(k for k, c in enumerate(term) if c not in keep)
    if not axes:
        return term, x
    return "".join(c for c in term if c in keep), call("reduce_sum", x, axes=axes)


def _join(a: tuple[str, Value], b: tuple[str, Value], keep: set[str]) -> tuple[str, Value]:
    (left, x), (right, y) = a, b
    shared = [c for c in left if c in right]
    batch = [c for c in shared if c in keep]
    contracted = [c for c in shared if c not in keep]
    out = call(
        "dot_general",
        x,
        y,
        lhs_contracting=tuple(left.index(c) for c in contracted),
        rhs_contracting=tuple(right.index(c) for c in contracted),
        lhs_batch=tuple(left.index(c) for c in batch),
        rhs_batch=tuple(right.index(c) for c in batch),
    )
    rest = [c for c in left if c not in shared] + [c for c in right if c not in shared]
    return "".join(batch + rest), out


def _cheapest(
    parts: list[tuple[str, Value]], result: str, sizes: dict[str, int]
) -> tuple[int, int]:
    """The pair whose product is smallest against what it replaces."""
    best, pair = math.inf, (0, 1)
    for i in range(len(parts)):
        for j in range(i + 1, len(parts)):
            others = set(result).union(*(t for k, (t, _) in enumerate(parts) if k not in (i, j)))
            letters = set(parts[i][0]) | set(parts[j][0])
            size = math.prod(sizes[c] for c in letters if c in others)
            gain = size - sum(math.prod(sizes[c] for c in parts[k][0]) for k in (i, j))
            if gain < best:
                best, pair = gain, (i, j)
    return pair


def einsum(subscripts: str, *operands: Any, optimize: Any = True) -> Tensor:
    """Products of the operands, summed over every letter that the result does not name.

    >>> import lazir.numpy as lnp
    >>> lnp.einsum("bij,bjk->bik", lnp.ones((2, 3, 4)), lnp.ones((2, 4, 5))).shape
    (2, 3, 5)
    >>> lnp.einsum("ii", lnp.eye(3)).item()
    3.0
    """
    found = [operand(x) for x in operands]
    common, _ = result_dtype(
        [o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak]
    )
    inner = int32 if common is bool_ else common
    values = [convert(lift(o, common), inner) for o in found]
    terms, result = _parse(subscripts, [len(v.shape) for v in values])
    sizes = _sizes(terms, values, subscripts)
    parts = []
    for term, x in zip(terms, values):
        narrow = [k for k, c in enumerate(term) if x.shape[k] == 1 != sizes[c]]
        if narrow:
            x = call("reshape", x, shape=tuple(n for k, n in enumerate(x.shape) if k not in narrow))
            term = "".join(c for k, c in enumerate(term) if k not in narrow)
        parts.append(_diagonals(term, x))
    return tensor(convert(_contract_all(parts, result, sizes), common))


def _contract_all(parts: list[tuple[str, Value]], result: str, sizes: dict[str, int]) -> Value:
    for k, (term, x) in enumerate(parts):
        others = set(result).union(*(t for j, (t, _) in enumerate(parts) if j != k))
        parts[k] = _sum_out(term, x, others)
    while len(parts) > 1:
        i, j = _cheapest(parts, result, sizes)
        right, left = parts.pop(j), parts.pop(i)
        keep = set(result).union(*(t for t, _ in parts))
        parts.append(_sum_out(*_join(left, right, keep), keep))
    term, x = parts[0]
    order = tuple(term.index(c) for c in result if c in term)
    x = call("transpose", x, permutation=order)
    wide = tuple(sizes[c] for c in result)
    if x.shape == wide:
        return x
    kept = tuple(k for k, c in enumerate(result) if c in term)
    return call("broadcast", x, shape=wide, axes=kept)
