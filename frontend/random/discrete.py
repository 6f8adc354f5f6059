"""Distributions over integers, and elements of arrays.

Takes: keys, parameters, shapes. Gives: tensors. Must not know: how words are made.
"""

from __future__ import annotations

from typing import Any

from .. import numpy as lnp
from ..apply import call, convert, expand, fail, lift, normal_axis, operand, shape_of, tensor
from ..dtypes import as_dtype, float32, int64, uint64
from ..numpy.parts import filled
from ..tensor import Tensor
from .floats import check, open_fraction, sized, uniform
from .inverses import gumbel
from .keys import bits, key_value, words


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None) -> Tensor:
    """True with probability p.

    >>> import lazir as lz
    >>> lz.random.bernoulli(lz.random.key(0), 0.5, (4,)).dtype
    i1
    """
    size = operand(p).shape if shape is None else shape_of(shape)
    return lnp.less(uniform(key, size), p)


def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = "int64") -> Tensor:
    """Integers from minval to below maxval, from 64 random bits each.

    >>> import lazir as lz
    >>> x = lz.random.randint(lz.random.key(0), (100,), 0, 10)
    >>> bool((x >= 0).all() & (x < 10).all())
    True
    """
    wanted = as_dtype(dtype)
    if not wanted.is_integer:
        fail(f"randint makes integers, got dtype {wanted}")
    drawn = words(key_value(key), shape_of(shape), 64)
    low, high = (lift(operand(x), int64) for x in (minval, maxval))
    low, high = expand(low, drawn.shape), expand(high, drawn.shape)
    span = convert(call("sub", high, low), uint64)
    span = call("maximum", span, filled(1, span))
    offset = convert(call("rem", drawn, span), int64)
    return tensor(convert(call("add", low, offset), wanted))


def categorical(key: Any, logits: Any, axis: int = -1, shape: Any = None) -> Tensor:
    """Positions along `axis`, each with the probability softmax(logits), by the Gumbel trick.

    >>> import lazir as lz
    >>> lz.random.categorical(lz.random.key(0), lz.Tensor([[0.0, 9e9]])).item()
    1
    """
    found = operand(logits)
    rank = len(found.shape)
    k = normal_axis(axis, rank, "categorical")
    size = found.shape
    if shape is not None:
        extra = shape_of(shape)
        rest = tuple(n for j, n in enumerate(size) if j != k)
        lead = extra[: len(extra) - len(rest)]
        size = (*lead, *size)
        k += len(lead)
    noise = gumbel(key, size, found.dtype if found.dtype.is_float else float32)
    return lnp.argmax(noise + logits, axis=k)


def rademacher(key: Any, shape: Any = (), dtype: Any = "int64") -> Tensor:
    """−1 or 1, each with probability ½.

    >>> import lazir as lz
    >>> bool((abs(lz.random.rademacher(lz.random.key(0), (9,))) == 1).all())
    True
    """
    return ((bits(key, shape) >> 31).astype("int32") * 2 - 1).astype(as_dtype(dtype))


def geometric(key: Any, p: Any, shape: Any = None, dtype: Any = "int64") -> Tensor:
    """The number of trials up to the first success, 1 or more; p in (0, 1]. p out of range: 0.

    >>> import lazir as lz
    >>> bool((lz.random.geometric(lz.random.key(0), 0.5, (9,)) >= 1).all())
    True
    """
    if isinstance(p, int | float):
        check("geometric", "p", p, 0 < p <= 1, "in (0, 1]")
    size = sized("geometric", shape, operand(p).shape)
    chance = lnp.broadcast_to(lnp.asarray(p, "float64"), size)
    u = open_fraction(key, size, as_dtype("float64"))
    count = lnp.floor(lnp.log(u) / lnp.log1p(-chance)) + 1
    return lnp.where((chance > 0) & (chance <= 1), count, 0).astype(as_dtype(dtype))


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Tensor:
    """x (or range(x)) in a random order along an axis; `independent` reorders each row by itself.

    >>> import lazir as lz
    >>> sorted(lz.random.permutation(lz.random.key(0), 4).tolist())
    [0, 1, 2, 3]
    """
    if isinstance(x, int):
        x = lnp.arange(x)
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
    key: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0
) -> Tensor:
    """Elements of a along an axis (or of range(a)), with probabilities p.

    Without replacement the elements with the largest log p + gumbel noise (Efraimidis and Spirakis,
    2006).

    >>> import lazir as lz
    >>> lz.random.choice(lz.random.key(0), 5, (3,)).shape
    (3,)
    """
    size = shape_of(shape)
    k = 0 if isinstance(a, int) else normal_axis(axis, len(operand(a).shape), "choice")
    count = a if isinstance(a, int) else operand(a).shape[k]
    drawn = 1
    for n in size:
        drawn *= n
    if p is not None and operand(p).shape != (count,):
        fail(f"choice: p has shape {operand(p).shape}, but there are {count} elements")
    if drawn and count < (1 if replace else drawn):
        fail(
            f"choice: cannot draw {drawn} elements of {count}"
            + ("" if replace else " without replacement")
        )
    if not replace:
        if p is None:
            order = permutation(key, count)
        else:
            order = lnp.argsort(-(gumbel(key, (count,)) + lnp.log(lnp.asarray(p))))
        index = order[:drawn].reshape(size)
    elif p is None:
        index = randint(key, size, 0, count)
    else:
        total = lnp.cumsum(lnp.asarray(p, "float64"))
        u = open_fraction(key, size, as_dtype("float64")) * total[-1]
        index = lnp.minimum(lnp.searchsorted(total, u, side="right"), count - 1)
    if isinstance(a, int):
        return index
    return lnp.take(a, index, axis=k)
