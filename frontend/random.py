"""Random tensors from explicit keys: the same key gives the same numbers, on every machine.

Takes: keys (a uint64 scalar; `split` makes independent ones), shapes, dtypes. Gives: tensors.
The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
2011), the op `philox`. Must not know: devices. Nothing here has hidden state.
"""

from __future__ import annotations

import math
from typing import Any

from lazir.compiler.graph import Value
from lazir.compiler.types import DType

from . import numpy as lnp
from .apply import call, convert, expand, fail, lift, normal_axis, number, operand, shape_of, tensor
from .dtypes import as_dtype, float32, float64, int32, int64, uint64
from .numpy.parts import filled as _filled
from .tensor import Tensor

__all__ = [
    "PRNGKey", "bernoulli", "bits", "categorical", "choice", "exponential", "fold_in", "gumbel",
    "key", "normal", "randint", "split", "truncated_normal", "uniform",
]  # fmt: skip

# Odd constants that keep the streams of split and fold_in apart from each other and from the bits
# of the key itself: the golden ratio and the square root of 3, as fractions of 2⁶⁴.
_GOLDEN = 0x9E3779B97F4A7C15
_ROOT_3 = 0xBB67AE8584CAA73B
_MASK = (1 << 64) - 1


def key(seed: Any) -> Tensor:
    """A key from an integer seed.

    >>> import lazir as lz
    >>> lz.random.key(0).dtype
    ui64
    """
    if isinstance(seed, int):
        return tensor(number(seed & _MASK, uint64))
    value = lift(operand(seed))
    if not value.type.dtype.is_integer:
        fail(f"a seed is an integer, got {value.type.short}")
    return tensor(convert(value, uint64))


PRNGKey = key


def _key_value(k: Any) -> Value:
    value = lift(operand(k))
    if value.type.dtype is not uint64:
        fail(f"a random key is a ui64 scalar from lz.random.key(seed), got {value.type.short}")
    return value


def _words(k: Value, shape: tuple[int, ...], bits: int = 32) -> Value:
    return call("philox", k, shape=shape, bits=bits)


def _mixed(k: Value, constant: int) -> Value:
    return call("bit_xor", k, expand(number(constant, uint64, structural=True), k.shape))


def split(key: Any, num: Any = 2) -> Tensor:
    """Independent keys: a tensor of `num` of them (or of a shape).

    >>> import lazir as lz
    >>> first, second = lz.random.split(lz.random.key(0))
    >>> bool(first == second)
    False
    """
    shape = shape_of(num)
    return tensor(_words(_mixed(_key_value(key), _GOLDEN), shape, 64))


def fold_in(key: Any, data: Any) -> Tensor:
    """A key that depends on `data`, an integer, as well: one for each step of a loop, say.

    >>> import lazir as lz
    >>> k = lz.random.key(0)
    >>> bool(lz.random.fold_in(k, 1) == lz.random.fold_in(k, 2))
    False
    """
    value = lift(operand(data & _MASK if isinstance(data, int) else data), None)
    place = call("mul", convert(value, uint64), expand(number(_GOLDEN, uint64, True), value.shape))
    mixed = _mixed(_key_value(key), _ROOT_3)
    return tensor(_words(call("bit_xor", mixed, expand(place, mixed.shape)), (), 64))


def bits(key: Any, shape: Any = (), dtype: Any = "uint32") -> Tensor:
    """Random bits as unsigned integers.

    >>> import lazir as lz
    >>> lz.random.bits(lz.random.key(0), (3,)).dtype
    ui32
    """
    k, size, wanted = _key_value(key), shape_of(shape), as_dtype(dtype)
    if wanted.kind != "uint":
        fail(f"random bits are unsigned integers, got dtype {wanted}")
    return tensor(convert(_words(k, size, 64 if wanted is uint64 else 32), wanted))


def _fraction(k: Value, shape: tuple[int, ...], dtype: DType) -> Value:
    """Multiples of 2^−p in [0, 1), p the precision of the dtype: every value is exact."""
    digits = {"f16": 11, "bf16": 8, "f32": 24, "f64": 53}[dtype.name]
    if dtype is float64:
        words = _words(k, shape, 64)
        whole = call("shift_right", words, _filled(64 - digits, words))
        return call("mul", convert(convert(whole, int64), float64), _scale(digits, whole, float64))
    words = _words(k, shape)
    whole = convert(call("shift_right", words, _filled(32 - digits, words)), int32)
    return convert(call("mul", convert(whole, float32), _scale(digits, whole, float32)), dtype)


def _scale(digits: int, like: Value, dtype: DType) -> Value:
    return expand(number(2.0**-digits, dtype, structural=True), like.shape)


def _float_dtype(dtype: Any, what: str) -> DType:
    found = as_dtype(dtype)
    if not found.is_float:
        fail(f"lz.random.{what} makes floats, got dtype {found}")
    return found


def uniform(
    key: Any, shape: Any = (), dtype: Any = "float32", minval: Any = 0.0, maxval: Any = 1.0
) -> Tensor:
    """Uniform numbers in [minval, maxval).

    >>> import lazir as lz
    >>> x = lz.random.uniform(lz.random.key(0), (1000,))
    >>> bool((x >= 0).all() & (x < 1).all())
    True
    """
    kind = _float_dtype(dtype, "uniform")
    value = _fraction(_key_value(key), shape_of(shape), kind)
    numbers = isinstance(minval, float | int) and isinstance(maxval, float | int)
    if numbers and minval == 0 and maxval == 1:
        return tensor(value)
    low, high = (lift(operand(x), kind) for x in (minval, maxval))
    width = call("sub", expand(high, value.shape), expand(low, value.shape))
    moved = call("add", call("mul", value, width), expand(low, value.shape))
    return tensor(call("maximum", expand(low, value.shape), moved))


def normal(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Normal numbers with mean 0 and deviation 1, by the method of Box and Muller (1958).

    Complex ones have parts with the variance ½, so that the mean of |z|² is 1.

    >>> import lazir as lz
    >>> x = lz.random.normal(lz.random.key(0), (10000,))
    >>> abs(x.mean().item()) < 0.05
    True
    """
    wanted = as_dtype(dtype)
    kind = _float_dtype(wanted.part, "normal")
    inner = float64 if kind is float64 else float32
    size = shape_of(shape)
    words = _words(_key_value(key), (*size, 2))
    rank = len(size) + 1

    def half(j: int) -> Value:
        start, limit = (*[0] * (rank - 1), j), (*size, j + 1)
        part = call("slice", words, start=start, limit=limit, stride=(1,) * rank)
        return convert(call("reshape", part, shape=size), inner)

    first, second = half(0), half(1)
    # (0, 1]: never 0, whose logarithm is infinite
    radius = call("add", first, _filled(0.5, first))
    radius = call("log", call("mul", radius, _filled(2.0**-32, first)))
    radius = call("mul", radius, _filled(-1.0 if wanted.is_complex else -2.0, first))
    radius = call("sqrt", radius)
    angle = call("mul", second, _filled(2 * math.pi * 2.0**-32, second))
    if wanted.is_complex:
        parts = [call("mul", radius, call(turn, angle)) for turn in ("cos", "sin")]
        return tensor(call("complex", *parts))
    return tensor(convert(call("mul", radius, call("cos", angle)), kind))


def truncated_normal(
    key: Any, lower: float, upper: float, shape: Any = (), dtype: Any = "float32"
) -> Tensor:
    """Normal numbers that lie in [lower, upper], by drawing up to 32 times and then clipping.

    >>> import lazir as lz
    >>> x = lz.random.truncated_normal(lz.random.key(0), -1.0, 1.0, (100,))
    >>> bool((abs(x) <= 1).all())
    True
    """
    size = shape_of(shape)
    draws = normal(key, (32, *size), dtype)
    inside = (draws >= lower) & (draws <= upper)
    first = lnp.argmax(inside.astype("int32"), axis=0)
    chosen = lnp.take_along_axis(draws, lnp.expand_dims(first, 0), axis=0)
    return lnp.clip(lnp.squeeze(chosen, 0), lower, upper)


def exponential(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Exponentially distributed numbers with rate 1.

    >>> import lazir as lz
    >>> bool((lz.random.exponential(lz.random.key(0), (100,)) >= 0).all())
    True
    """
    return lnp.negative(lnp.log1p(lnp.negative(uniform(key, shape, dtype))))


def gumbel(key: Any, shape: Any = (), dtype: Any = "float32") -> Tensor:
    """Numbers of the Gumbel distribution, −log(−log u).

    >>> import lazir as lz
    >>> lz.random.gumbel(lz.random.key(0), (2,)).shape
    (2,)
    """
    kind = _float_dtype(dtype, "gumbel")
    words = convert(_words(_key_value(key), shape_of(shape)), float32)
    u = call("mul", call("add", words, _filled(0.5, words)), _filled(2.0**-32, words))
    # 1 is not excluded after rounding; its −log is 0, and the outer log must not see that
    inner = call("maximum", call("neg", call("log", u)), _filled(2.0**-33, u))
    return tensor(convert(call("neg", call("log", inner)), kind))


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
    words = _words(_key_value(key), shape_of(shape), 64)
    low, high = (lift(operand(x), int64) for x in (minval, maxval))
    low, high = expand(low, words.shape), expand(high, words.shape)
    span = convert(call("sub", high, low), uint64)
    span = call("maximum", span, _filled(1, span))
    offset = convert(call("rem", words, span), int64)
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


def choice(key: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None) -> Tensor:
    """Elements of a (or of range(a)), with replacement, with probabilities p.

    >>> import lazir as lz
    >>> lz.random.choice(lz.random.key(0), 5, (3,)).shape
    (3,)
    """
    if not replace:
        fail("choice without replacement is not there yet")
    count = a if isinstance(a, int) else operand(a).shape[0]
    if p is None:
        index = randint(key, shape, 0, count)
    else:
        size = shape_of(shape)
        index = categorical(key, lnp.broadcast_to(lnp.log(p), (*size, count)))
    return index if isinstance(a, int) else lnp.take(a, index, axis=0)
