"""Einstein summation: `einsum("ij,jk->ik", x, y)`.

Takes: a subscript string, tensors. Gives: a tensor. Several operands are contracted in the order
with the fewest products (`einsum_path`). Must not know: kernels.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from ..apply import call, convert, expand, fail, lift, number, operand, tensor
from ..dtypes import as_dtype, bool_, int32, int64, result_dtype
from ..tensor import Tensor
from .output import delivered


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


def _cheapest(terms: list[str], result: str, sizes: dict[str, int]) -> tuple[int, int]:
    """The pair whose product is smallest against what it replaces."""
    best, pair = math.inf, (0, 1)
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            others = set(result).union(*(t for k, t in enumerate(terms) if k not in (i, j)))
            letters = set(terms[i]) | set(terms[j])
            size = math.prod(sizes[c] for c in letters if c in others)
            gain = size - sum(math.prod(sizes[c] for c in terms[k]) for k in (i, j))
            if gain < best:
                best, pair = gain, (i, j)
    return pair


# -- the order of contraction ------------------------------------------------------------
Path = list[tuple[int, ...]]
"""Places of operands that are joined next; what they give comes last (NumPy's convention)."""

OPTIMAL = 6
"""Up to so many operands all orders are compared; the work triples with each operand more."""


def _joined_term(terms: Sequence[str], rest: Sequence[str], result: str) -> str:
    """The letters that a product of `terms` keeps where `rest` is still to come."""
    keep = set(result).union(*rest)
    return "".join(c for c in dict.fromkeys("".join(terms)) if c in keep)


def _greedy(terms: list[str], result: str, sizes: dict[str, int]) -> Path:
    path: Path = []
    left = list(terms)
    while len(left) > 1:
        i, j = _cheapest(left, result, sizes)
        pair = (left.pop(j), left.pop(i))
        left.append(_joined_term(pair[::-1], left, result))
        path.append((i, j))
    return path


def _optimal(terms: list[str], result: str, sizes: dict[str, int]) -> Path:
    """The order with the fewest multiplications, by dynamic programming over sets of operands."""
    count = len(terms)
    whole = (1 << count) - 1

    def letters(members: int) -> set[str]:
        inside = [t for k, t in enumerate(terms) if members >> k & 1]
        outside = [t for k, t in enumerate(terms) if not members >> k & 1]
        return set(_joined_term(inside, outside, result))

    kept = {members: letters(members) for members in range(1, whole + 1)}
    best: dict[int, tuple[int, int]] = {1 << k: (0, 0) for k in range(count)}
    for members in sorted(range(1, whole + 1), key=int.bit_count):
        part = (members - 1) & members
        while part and members.bit_count() > 1:
            rest = members ^ part
            if part > rest:
                work = math.prod(sizes[c] for c in kept[part] | kept[rest])
                total = best[part][0] + best[rest][0] + work
                if members not in best or total < best[members][0]:
                    best[members] = (total, part)
            part = (part - 1) & members
    path: Path = []
    places = [1 << k for k in range(count)]

    def join(members: int) -> None:
        part = best[members][1]
        if part == 0:
            return
        join(part)
        join(members ^ part)
        pair = sorted((places.index(part), places.index(members ^ part)))
        places.pop(pair[1])
        places.pop(pair[0])
        places.append(members)
        path.append((pair[0], pair[1]))

    join(whole)
    return path


def _path(terms: list[str], result: str, sizes: dict[str, int], optimize: Any) -> Path:
    count = len(terms)
    if isinstance(optimize, list | tuple) and not isinstance(optimize[0], int):
        given = [tuple(step) for step in optimize if not isinstance(step, str)]
        return _checked(given, count)
    if optimize is False:
        return [tuple(range(count))] if count > 1 else []
    if optimize == "greedy" or (count > OPTIMAL and optimize != "optimal"):
        return _greedy(terms, result, sizes)
    return _optimal(terms, result, sizes)


def _checked(path: list[tuple[int, ...]], count: int) -> Path:
    left = count
    for step in path:
        if len(set(step)) != len(step) or not all(0 <= k < left for k in step):
            fail(f"einsum: the step {step} of the path does not name {left} operands")
        left -= len(step) - 1
    if left > 1:
        fail(f"einsum: the path {path} leaves {left} operands")
    return path


def _prepared(
    args: tuple[Any, ...],
) -> tuple[list[Value], list[str], str, dict[str, int], DType]:
    """Operands, one letter for each of their axes, the result's letters, sizes, and the dtype."""
    by_letters = isinstance(args[0], str)
    subscripts, operands = (args[0], list(args[1:])) if by_letters else _from_lists(args)
    found = [operand(x) for x in operands]
    if not found:
        fail(f"einsum: {subscripts!r} has no operands")
    common, _ = result_dtype(
        [o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak]
    )
    inner = int32 if common is bool_ else common
    values = [convert(lift(o, common), inner) for o in found]
    terms, result = _parse(subscripts, [len(v.shape) for v in values])
    return values, terms, result, _sizes(terms, values, subscripts), common


def _from_lists(args: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """`einsum(x, [0, 1], y, [1, 2], [0, 2])` as letters."""

    def letters(axes: Sequence[Any]) -> str:
        if any(k is not Ellipsis and not 0 <= k < 52 for k in axes):
            fail(f"einsum: axes are numbered from 0 to 51, got {list(axes)}")
        return "".join("..." if k is Ellipsis else string.ascii_letters[k] for k in axes)

    pairs = len(args) // 2
    text = ",".join(letters(args[2 * k + 1]) for k in range(pairs))
    if len(args) % 2:
        text += "->" + letters(args[-1])
    return text, [args[2 * k] for k in range(pairs)]


def einsum_path(
    subscripts: Any, *operands: Any, optimize: Any = "optimal"
) -> tuple[list[Any], str]:
    """The order in which `einsum` would join the operands, for its `optimize`, and a description.

    `optimize`: "optimal" (fewest multiplications), "greedy", or True, which is the first for up to
    six operands and the second for more.

    >>> import lazir.numpy as lnp
    >>> x, y, z = lnp.ones((2, 9)), lnp.ones((9, 9)), lnp.ones(9)
    >>> lnp.einsum_path("ij,jk,k->i", x, y, z)[0]
    ['einsum_path', (1, 2), (0, 1)]
    """
    _, terms, result, sizes, _ = _prepared((subscripts, *operands))
    path = _path(terms, result, sizes, optimize)
    naive = math.prod(sizes.values()) * max(len(terms) - 1, 1)
    left, work, largest = list(terms), 0, 0
    for step in path:
        parts = [left[k] for k in step]
        left = [t for k, t in enumerate(left) if k not in step]
        left.append(_joined_term(parts, left, result))
        work += math.prod(sizes[c] for c in set("".join(parts)))
        largest = max(largest, math.prod(sizes[c] for c in left[-1]))
    text = (
        f"{','.join(terms)}->{result}: {work or naive} products instead of {naive}, "
        f"{largest} elements in the largest result of a step"
    )
    return ["einsum_path", *path], text


def einsum(
    subscripts: Any, *operands: Any, out: Any = None, optimize: Any = True, dtype: Any = None
) -> Tensor:
    """Products of the operands, summed over every letter that the result does not name.

    Numbers may stand for letters: `einsum(x, [0, 1], y, [1, 2], [0, 2])`. `optimize`: as of
    `einsum_path`, or a path that it gave.

    >>> import lazir.numpy as lnp
    >>> lnp.einsum("bij,bjk->bik", lnp.ones((2, 3, 4)), lnp.ones((2, 4, 5))).shape
    (2, 3, 5)
    >>> lnp.einsum("ii", lnp.eye(3)).item()
    3.0
    """
    values, terms, result, sizes, common = _prepared((subscripts, *operands))
    if dtype is not None:
        common = as_dtype(dtype)
        values = [convert(v, int32 if common is bool_ else common) for v in values]
    path = _path(terms, result, sizes, optimize)
    parts = []
    for term, x in zip(terms, values):
        narrow = [k for k, c in enumerate(term) if x.shape[k] == 1 != sizes[c]]
        if narrow:
            x = call("reshape", x, shape=tuple(n for k, n in enumerate(x.shape) if k not in narrow))
            term = "".join(c for k, c in enumerate(term) if k not in narrow)
        parts.append(_diagonals(term, x))
    made = tensor(convert(_contract_all(parts, result, sizes, path), common))
    return delivered(made, out, "einsum")


def _contract_all(
    parts: list[tuple[str, Value]], result: str, sizes: dict[str, int], path: Path
) -> Value:
    for k, (term, x) in enumerate(parts):
        others = set(result).union(*(t for j, (t, _) in enumerate(parts) if j != k))
        parts[k] = _sum_out(term, x, others)
    for step in path:
        taken = [parts[k] for k in step]
        parts = [part for k, part in enumerate(parts) if k not in step]
        made = taken[0]
        for k, following in enumerate(taken[1:], 2):
            keep = set(result).union(*(t for t, _ in parts), *(t for t, _ in taken[k:]))
            made = _sum_out(*_join(made, following, keep), keep)
        parts.append(made)
    term, x = parts[0]
    order = tuple(term.index(c) for c in result if c in term)
    x = call("transpose", x, permutation=order)
    wide = tuple(sizes[c] for c in result)
    if x.shape == wide:
        return x
    kept = tuple(k for k, c in enumerate(result) if c in term)
    return call("broadcast", x, shape=wide, axes=kept)
