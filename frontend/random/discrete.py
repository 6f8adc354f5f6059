"""Positions and elements: integers in a range, categories, permutations, choices.

Takes: keys, ranges, probabilities, arrays. Gives: tensors. Must not know: how words are made.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from .. import numpy as lnp
from ..apply import (
    broadcast,
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axis,
    number,
    operand,
    shape_of,
    tensor,
)
from ..dtypes import check_integer, float32, float64, int64, uint64
from ..numpy.parts import filled
from ..tensor import Tensor
from .inverses import gumbel
from .keys import bits, key_value, words
from .parts import check, integer_dtype, known, open_fractions, sized


def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = None) -> Tensor:
    """Integers from minval to below maxval, int64 unless another dtype is given, from 64 random
    bits each. Where a tensor maxval is not above minval: minval.

    >>> import lazir as lz
    >>> x = lz.random.randint(lz.random.key(0), (100,), 0, 10)
    >>> bool((x >= 0).all() & (x < 10).all())
    True
    """
    kind = integer_dtype(dtype, "randint")
    size = sized("randint", shape_of(shape), operand(minval).shape, operand(maxval).shape)
    for name, x in (("minval", minval), ("maxval", maxval)):
        if not operand(x).dtype.is_integer:
            fail(f"lz.random.randint: {name} must be an integer, got {operand(x).dtype}")
    if known(minval, maxval):
        holds = np.asarray(minval) < np.asarray(maxval)
        check("randint", "minval", minval, holds, f"below maxval ({maxval})")
    wide = uint64 if kind is uint64 else int64
    drawn = words(key_value(key), size, 64)
    low, span = _range(minval, maxval, kind, wide)
    if span is not None:  # None: all 2⁶⁴ values
        drawn = call("rem", drawn, expand(span, size))
    return tensor(convert(call("add", expand(low, size), convert(drawn, wide)), kind))


def _range(minval: Any, maxval: Any, kind: DType, wide: DType) -> tuple[Value, Value | None]:
    """minval, and how many values there are, as ui64."""
    if isinstance(minval, int | np.integer) and isinstance(maxval, int | np.integer):
        low, last = int(minval), int(maxval) - 1
        check_integer(low, kind)
        check_integer(last, kind)
        span = last - low + 1
        return number(low, wide), None if span == 1 << 64 else number(span, uint64)
    start, stop = (lift(operand(x), wide) for x in (minval, maxval))
    start, stop = broadcast([start, stop], "randint")
    width = convert(call("sub", stop, start), uint64)
    return start, call("select", call("less", start, stop), width, filled(1, width))


def categorical(
    key: Any, logits: Any, axis: int = -1, shape: Any = None, replace: bool = True, mode: Any = None
) -> Tensor:
    """Positions along `axis`, each with the probability softmax(logits), as int64.

    `shape` is that of the result, to which the shape of logits without the axis broadcasts. With
    `replace=False` the positions along what `shape` has in front of that differ from each other.
    By the largest of logits + Gumbel noise, or the largest few (Kool, van Hoof and Welling,
    "Stochastic beams and where to find them", 2019). `mode` is that of `gumbel`.

    >>> import lazir as lz
    >>> lz.random.categorical(lz.random.key(0), lz.Tensor([[0.0, 9e9]])).item()
    1
    """
    found = operand(logits)
    k = normal_axis(axis, len(found.shape), "categorical")
    if not found.shape[k]:
        fail("lz.random.categorical: there is no category to choose from", ShapeError)
    kind = found.dtype if found.dtype.is_float else float32
    rest = found.shape[:k] + found.shape[k + 1 :]
    size = sized("categorical", shape, rest)
    last = lnp.moveaxis(lnp.asarray(logits), k, -1)
    if replace:
        noise = gumbel(key, (*size, found.shape[k]), kind, mode)
        return lnp.argmax(noise + last, axis=-1)
    lead = size[: len(size) - len(rest)]
    count = math.prod(lead)
    if count > found.shape[k]:
        fail(
            f"lz.random.categorical: cannot draw {count} of {found.shape[k]} categories without "
            "replacement",
            ShapeError,
        )
    inner = size[len(lead) :]
    noise = gumbel(key, (*inner, found.shape[k]), kind, mode)
    order = lnp.argsort(-(noise + last), axis=-1)[..., :count]
    return lnp.moveaxis(order, -1, 0).reshape(size)


def _length(x: Any) -> int | None:
    """n where x stands for range(n)."""
    try:
        n = operator.index(x) if isinstance(x, int | np.integer) else None
    except TypeError:
        n = None
    if n is not None and n < 0:
        fail(f"there is no range of {n} elements to choose from")
    return n


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Tensor:
    """x (or range(x)) in a random order along an axis; `independent` reorders each row by itself.

    >>> import lazir as lz
    >>> sorted(lz.random.permutation(lz.random.key(0), 4).tolist())
    [0, 1, 2, 3]
    """
    count = _length(x)
    if count is not None:
        x = lnp.arange(count)
    found = operand(x)
    if not found.shape:
        fail("permutation takes an integer or an array with an axis, got a scalar tensor")
    k = normal_axis(axis, len(found.shape), "permutation")
    if independent:
        order = lnp.argsort(bits(key, found.shape, "uint64"), axis=k)
        return lnp.take_along_axis(lnp.asarray(x), order, axis=k)
    order = lnp.argsort(bits(key, (found.shape[k],), "uint64"))
    return lnp.take(x, order, axis=k)


def choice(
    key: Any,
    a: Any,
    shape: Any = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: Any = None,
) -> Tensor:
    """Elements of a along an axis (or of range(a)), with probabilities (or weights) p.

    Without replacement the elements with the largest log p + Gumbel noise (Efraimidis and Spirakis,
    2006); `mode` is that of `gumbel`.

    >>> import lazir as lz
    >>> lz.random.choice(lz.random.key(0), 5, (3,)).shape
    (3,)
    """
    size = shape_of(shape)
    length = _length(a)
    k = 0 if length is not None else normal_axis(axis, len(operand(a).shape), "choice")
    count = operand(a).shape[k] if length is None else length
    _check_choice(math.prod(size), count, replace, p)
    if not replace:
        if p is None:
            order = permutation(key, count)
        else:
            order = lnp.argsort(-(gumbel(key, (count,), mode=mode) + lnp.log(lnp.asarray(p))))
        index = order[: math.prod(size)].reshape(size)
    elif p is None:
        index = randint(key, size, 0, max(count, 1))
    else:
        total = lnp.cumsum(lnp.asarray(p, "float64"))
        u = open_fractions(key, size, float64) * total[-1]
        index = lnp.minimum(lnp.searchsorted(total, u, side="right"), count - 1)
    return index if length is not None else lnp.take(a, index, axis=k)


def _check_choice(drawn: int, count: int, replace: bool, p: Any) -> None:
    if p is not None and operand(p).shape != (count,):
        fail(f"choice: p has shape {operand(p).shape}, but there are {count} elements", ShapeError)
    if known(p):
        check("choice", "p", p, np.asarray(p) >= 0, "0 or more")
        if drawn and count:
            check("choice", "p", p, np.sum(np.asarray(p) > 0) > 0, "above 0 somewhere")
    if drawn and count < (1 if replace else drawn):
        fail(
            f"choice: cannot draw {drawn} elements of {count}"
            + ("" if replace else " without replacement"),
            ShapeError,
        )
