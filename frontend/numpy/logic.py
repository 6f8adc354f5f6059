"""Comparison, logic, bits and choice.

Takes: tensors, arrays, numbers. Gives: tensors, of bools for comparisons.
Must not know: how anything is lowered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from lazir.compiler.types import broadcast_shapes

from .. import late
from ..apply import broadcast, call, convert, expand, fail, lift, operand, promote, tensor
from ..dtypes import bool_, result_dtype, uint8
from ..tensor import Tensor
from .parts import filled as _filled
from .parts import size_of
from .ufunc import Binary, Unary


def _compare(op: str, x1: Any, x2: Any) -> Tensor:
    found = promote(x1, x2, name=op)
    return tensor(call(op, *found.values))


@Binary
def equal(x1: Any, x2: Any, /) -> Tensor:
    """Whether x1 = x2, elementwise.

    >>> import lazir.numpy as lnp
    >>> lnp.equal(1, 1).item()
    True
    """
    return _compare("equal", x1, x2)


@Binary
def not_equal(x1: Any, x2: Any, /) -> Tensor:
    """Whether x1 ≠ x2, elementwise.

    >>> import lazir.numpy as lnp
    >>> lnp.not_equal(1, 1).item()
    False
    """
    return _compare("not_equal", x1, x2)


@Binary
def less(x1: Any, x2: Any, /) -> Tensor:
    """Whether x1 < x2, elementwise.

    >>> import lazir.numpy as lnp
    >>> lnp.less(1, 2).item()
    True
    """
    return _compare("less", x1, x2)


@Binary
def less_equal(x1: Any, x2: Any, /) -> Tensor:
    """Whether x1 ≤ x2, elementwise.

    >>> import lazir.numpy as lnp
    >>> lnp.less_equal(2, 2).item()
    True
    """
    return _compare("less_equal", x1, x2)


@Binary
def greater(x1: Any, x2: Any, /) -> Tensor:
    """Whether x1 > x2, elementwise.

    >>> import lazir.numpy as lnp
    >>> lnp.greater(1, 2).item()
    False
    """
    return _compare("greater", x1, x2)


@Binary
def greater_equal(x1: Any, x2: Any, /) -> Tensor:
    """Whether x1 ≥ x2, elementwise.

    >>> import lazir.numpy as lnp
    >>> lnp.greater_equal(1, 2).item()
    False
    """
    return _compare("greater_equal", x1, x2)


def _truth(x: Any) -> Any:
    found = operand(x)
    return convert(lift(found), bool_)


def _logic(op: str, x1: Any, x2: Any) -> Tensor:
    return tensor(call(op, *broadcast([_truth(x1), _truth(x2)], op)))


@Binary
def logical_and(x1: Any, x2: Any, /) -> Tensor:
    """Whether x1 and x2 is true (not zero).

    >>> import lazir.numpy as lnp
    >>> lnp.logical_and(1, 0).item()
    False
    """
    return _logic("bit_and", x1, x2)


@Binary
def logical_or(x1: Any, x2: Any, /) -> Tensor:
    """Whether x1 or x2 is true (not zero).

    >>> import lazir.numpy as lnp
    >>> lnp.logical_or(1, 0).item()
    True
    """
    return _logic("bit_or", x1, x2)


@Binary
def logical_xor(x1: Any, x2: Any, /) -> Tensor:
    """Whether exactly one of x1 and x2 is true (not zero).

    >>> import lazir.numpy as lnp
    >>> lnp.logical_xor(1, 1).item()
    False
    """
    return _logic("bit_xor", x1, x2)


@Unary
def logical_not(x: Any, /) -> Tensor:
    """Whether x is zero.

    >>> import lazir.numpy as lnp
    >>> lnp.logical_not(0).item()
    True
    """
    return tensor(call("bit_not", _truth(x)))


def _bits(op: str, *xs: Any) -> Tensor:
    found = promote(*xs, name=op)
    return tensor(call(op, *found.values), found.weak)


@Binary
def bitwise_and(x1: Any, x2: Any, /) -> Tensor:
    """Bitwise and, of integers or bools.

    >>> import lazir.numpy as lnp
    >>> lnp.bitwise_and(6, 3).item()
    2
    """
    return _bits("bit_and", x1, x2)


@Binary
def bitwise_or(x1: Any, x2: Any, /) -> Tensor:
    """Bitwise or, of integers or bools.

    >>> import lazir.numpy as lnp
    >>> lnp.bitwise_or(6, 3).item()
    7
    """
    return _bits("bit_or", x1, x2)


@Binary
def bitwise_xor(x1: Any, x2: Any, /) -> Tensor:
    """Bitwise exclusive or, of integers or bools.

    >>> import lazir.numpy as lnp
    >>> lnp.bitwise_xor(6, 3).item()
    5
    """
    return _bits("bit_xor", x1, x2)


@Binary
def left_shift(x1: Any, x2: Any, /) -> Tensor:
    """x1 shifted left by x2 bits, of integers.

    >>> import lazir.numpy as lnp
    >>> lnp.left_shift(1, 4).item()
    16
    """
    return _bits("shift_left", x1, x2)


@Binary
def right_shift(x1: Any, x2: Any, /) -> Tensor:
    """x1 shifted right by x2 bits, keeping the sign, of integers.

    >>> import lazir.numpy as lnp
    >>> lnp.right_shift(16, 2).item()
    4
    """
    return _bits("shift_right", x1, x2)


@Unary
def invert(x: Any, /) -> Tensor:
    """Bitwise complement; logical not on bools.

    >>> import lazir.numpy as lnp
    >>> lnp.invert(0).item()
    -1
    """
    return _bits("bit_not", x)


bitwise_not = invert
bitwise_invert = invert
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift


@Unary
def bitwise_count(x: Any, /) -> Tensor:
    """The number of one bits of |x|, in uint8.

    >>> import lazir.numpy as lnp
    >>> lnp.bitwise_count(7).item()
    3
    """
    found = promote(x)
    (v,) = found.values
    bits = call("popcount", call("abs", v) if found.dtype.is_signed else v)
    return tensor(convert(bits, uint8))


# -- choice ------------------------------------------------------------------------------
@overload
def where(condition: Any, x: Any, y: Any, /) -> Tensor: ...


@overload
def where(
    condition: Any, /, *, size: int | None = None, fill_value: Any = 0
) -> tuple[Tensor, ...]: ...


def where(
    condition: Any,
    x: Any = None,
    y: Any = None,
    /,
    *,
    size: int | None = None,
    fill_value: Any = 0,
) -> Any:
    """x where the condition holds, else y. With the condition alone as `nonzero`, with its options.

    >>> import lazir.numpy as lnp
    >>> print(lnp.where(lnp.arange(4) > 1, lnp.arange(4), -1))
    [-1 -1  2  3]
    """
    if x is None and y is None:
        return late.numpy.nonzero(condition, size=size, fill_value=fill_value)
    if x is None or y is None:
        fail("where takes both x and y, or neither")
    flag = _truth(condition)
    found = [operand(x), operand(y)]
    dtype, weak = result_dtype(
        [o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak]
    )
    values = broadcast([flag, *(lift(o, dtype) for o in found)], "where")
    return tensor(call("select", *values), weak)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """For each element the choice of the first condition that holds, else the default.

    >>> import lazir.numpy as lnp
    >>> x = lnp.arange(4)
    >>> print(lnp.select([x < 1, x < 3], [10, 20], 30))
    [10 20 20 30]
    """
    if len(condlist) != len(choicelist) or not condlist:
        fail(f"select needs as many conditions as choices, got {len(condlist)}, {len(choicelist)}")
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist))):
        result = where(condition, choice, result)
    return result  # type: ignore[no-any-return]


def isclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether |a − b| ≤ atol + rtol·|b|, elementwise.

    >>> import lazir.numpy as lnp
    >>> lnp.isclose(1.0, 1.0 + 1e-7).item()
    True
    """
    found = promote(a, b, name="isclose", inexact=True)
    x, y = found.values
    size = size_of(y)
    bound = call("add", _filled(atol, size), call("mul", _filled(rtol, size), size))
    near = call("less_equal", size_of(call("sub", x, y)), bound)
    finite = call("bit_and", call("is_finite", x), call("is_finite", y))
    result = call("bit_or", call("bit_and", near, finite), call("equal", x, y))
    if equal_nan:
        both = call("bit_and", call("not_equal", x, x), call("not_equal", y, y))
        result = call("bit_or", result, both)
    return tensor(result)


def allclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether all elements are close (`isclose`).

    >>> import lazir.numpy as lnp
    >>> bool(lnp.allclose(lnp.ones(3), 1.0))
    True
    """
    return _everywhere(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Tensor:
    """Whether two arrays have the same shape and elements.

    >>> import lazir.numpy as lnp
    >>> bool(lnp.array_equal(lnp.arange(3), [0, 1, 2]))
    True
    """
    if operand(a1).shape != operand(a2).shape:
        return tensor(call("equal", *promote(0, 1).values))
    found = promote(a1, a2)
    x, y = found.values
    same = call("equal", x, y)
    if equal_nan and found.dtype.is_inexact:
        both = call("bit_and", call("not_equal", x, x), call("not_equal", y, y))
        same = call("bit_or", same, both)
    return _everywhere(tensor(same))


def array_equiv(a1: Any, a2: Any) -> Tensor:
    """Whether two arrays broadcast together and are equal then.

    >>> import lazir.numpy as lnp
    >>> bool(lnp.array_equiv([1, 1], 1))
    True
    """
    if broadcast_shapes([operand(a1).shape, operand(a2).shape]) is None:
        return tensor(call("equal", *promote(0, 1).values))
    return _everywhere(equal(a1, a2))


def _everywhere(flags: Tensor) -> Tensor:
    value = _truth(flags)
    return tensor(call("reduce_all", value, axes=tuple(range(len(value.shape)))))


def choose_broadcast(condition: Any, shape: tuple[int, ...]) -> Any:
    """A condition as a bool value of `shape`."""
    return expand(_truth(condition), shape)
