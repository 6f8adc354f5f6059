"""Keys and the random bits that come of them.

Takes: seeds, keys (ui64 scalars), shapes. Gives: keys, bits, and words for the distributions.
Must not know: distributions.
"""

from __future__ import annotations

from typing import Any

from lazir.compiler.graph import Value

from .. import numpy as lnp
from ..apply import (
    call,
    convert,
    expand,
    fail,
    lift,
    number,
    operand,
    shape_of,
    tensor,
)
from ..dtypes import as_dtype, uint32, uint64
from ..tensor import Tensor

# Odd constants that keep the streams of split and fold_in apart from each other and from the bits
# of the key itself: the golden ratio and the square root of 3, as fractions of 2⁶⁴.
_GOLDEN = 0x9E3779B97F4A7C15
_ROOT_3 = 0xBB67AE8584CAA73B
_MASK = (1 << 64) - 1
_GENERATOR = "philox4x32"


def key(seed: Any, *, impl: Any = None) -> Tensor:
    """A key from an integer seed; the one generator there is, `impl`, is "philox4x32".

    >>> import lazir as lz
    >>> lz.random.key(0).dtype
    ui64
    """
    _require_generator(impl)
    if isinstance(seed, int):
        return tensor(number(seed & _MASK, uint64))
    value = lift(operand(seed))
    if not value.type.dtype.is_integer:
        fail(f"a seed is an integer, got {value.type.short}")
    return tensor(convert(value, uint64))


PRNGKey = key


def _require_generator(impl: Any) -> None:
    if impl not in (None, _GENERATOR):
        fail(f"random keys are of the generator {_GENERATOR!r}, there is no {impl!r}")


def key_impl(keys: Any) -> str:
    """The name of the generator that keys are for.

    >>> import lazir as lz
    >>> lz.random.key_impl(lz.random.key(0))
    'philox4x32'
    """
    _keys(keys)
    return _GENERATOR


def clone(key: Any) -> Tensor:
    """The same key again: JAX's way to say that using it twice is meant, which is no error here.

    >>> import lazir as lz
    >>> k = lz.random.key(0)
    >>> bool(lz.random.clone(k) == k)
    True
    """
    return tensor(_keys(key))


def key_data(keys: Any) -> Tensor:
    """The 64 bits of each key as two uint32, the high half first; the shape ends in 2.

    >>> import lazir as lz
    >>> lz.random.key_data(lz.random.key(5)).tolist()
    [0, 5]
    """
    k = _keys(keys)
    high = call("shift_right", k, expand(number(32, uint64, structural=True), k.shape))
    low = call("bit_and", k, expand(number(0xFFFFFFFF, uint64, structural=True), k.shape))
    return lnp.stack([tensor(convert(part, uint32)) for part in (high, low)], axis=-1)


def wrap_key_data(key_bits_array: Any, *, impl: Any = None) -> Tensor:
    """Keys from pairs of uint32, what `key_data` gives.

    >>> import lazir as lz
    >>> k = lz.random.key(5)
    >>> bool(lz.random.wrap_key_data(lz.random.key_data(k)) == k)
    True
    """
    _require_generator(impl)
    found = operand(key_bits_array)
    if found.dtype is not uint32 or found.shape[-1:] != (2,):
        fail(
            "wrap_key_data takes pairs of ui32, an array whose shape ends in 2, "
            f"got {found.dtype}{list(found.shape)}"
        )
    words = lnp.asarray(key_bits_array).astype("uint64")
    return (words[..., 0] << 32) | words[..., 1]


def _keys(k: Any) -> Value:
    """Keys as a value, or an error."""
    value = lift(operand(k))
    if value.type.dtype is not uint64:
        fail(f"a random key is a ui64 scalar from lz.random.key(seed), got {value.type.short}")
    return value


def key_value(k: Any) -> Value:
    """One key as a value, or an error."""
    value = _keys(k)
    if value.shape:
        fail(
            f"random numbers are drawn with one key, got {value.type.short}: map over keys with "
            "lz.vmap, or take one of them"
        )
    return value


def words(k: Value, shape: tuple[int, ...], bits: int = 32) -> Value:
    """Random words of the shape, from a key."""
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
    return tensor(words(_mixed(key_value(key), _GOLDEN), shape, 64))


def fold_in(key: Any, data: Any) -> Tensor:
    """A key that depends on `data`, an integer, as well: one for each step of a loop, say.

    >>> import lazir as lz
    >>> k = lz.random.key(0)
    >>> bool(lz.random.fold_in(k, 1) == lz.random.fold_in(k, 2))
    False
    """
    value = number(data & _MASK, uint64) if isinstance(data, int) else lift(operand(data))
    if not value.type.dtype.is_integer or value.shape:
        fail(f"fold_in takes one integer, got {value.type.short}")
    place = call("mul", convert(value, uint64), expand(number(_GOLDEN, uint64, True), value.shape))
    mixed = _mixed(key_value(key), _ROOT_3)
    return tensor(words(call("bit_xor", mixed, expand(place, mixed.shape)), (), 64))


def bits(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Random bits as unsigned integers, uint32 unless another dtype is given.

    >>> import lazir as lz
    >>> lz.random.bits(lz.random.key(0), (3,)).dtype
    ui32
    """
    k, size, wanted = key_value(key), shape_of(shape), uint32 if dtype is None else as_dtype(dtype)
    if wanted.kind != "uint":
        fail(f"random bits are unsigned integers, got dtype {wanted}")
    return tensor(convert(words(k, size, 64 if wanted is uint64 else 32), wanted))
