"""Products: matmul, dot, tensordot, einsum and relatives, all made of `dot_general`.

Takes: tensors, arrays. Gives: tensors. Must not know: tiles, kernels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import DType, broadcast_shapes

from ..apply import (
    as_tensor,
    call,
    convert,
    expand,
    fail,
    lift,
    normal_axis,
    operand,
    promote,
    tensor,
)
from ..dtypes import as_dtype, bool_, int32, result_dtype
from ..tensor import Tensor
from .manipulation import broadcast_arrays, concatenate, moveaxis
from .output import delivered
from .parts import conjugate_of


def _pair(a: Any, b: Any, dtype: Any = None) -> tuple[Value, Value, DType]:
    """Both operands in their common dtype, and the dtype of the product (bool products are
    `any`).
    """
    found = [operand(a), operand(b)]
    common, _ = result_dtype(
        [o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak]
    )
    if dtype is not None:
        common = as_dtype(dtype)
    inner = int32 if common is bool_ else common
    x, y = (convert(lift(o, common), inner) for o in found)
    return x, y, common


def _contract(
    x: Value, y: Value, contracting: tuple[Sequence[int], Sequence[int]],
    batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
) -> Value:  # fmt: skip
    return call(
        "dot_general",
        x,
        y,
        lhs_contracting=tuple(contracting[0]),
        rhs_contracting=tuple(contracting[1]),
        lhs_batch=tuple(batch[0]),
        rhs_batch=tuple(batch[1]),
    )


def matmul(
    x1: Any,
    x2: Any,
    /,
    out: Any = None,
    *,
    dtype: Any = None,
    preferred_element_type: Any = None,
) -> Tensor:
    """The matrix product of the last two axes, the others broadcasting; vectors lose their axis.

    >>> import lazir.numpy as lnp
    >>> print(lnp.matmul(lnp.eye(2), lnp.array([3.0, 4.0])))
    [3. 4.]
    """
    x, y, common = _pair(x1, x2, dtype or preferred_element_type)
    if not x.shape or not y.shape:
        fail("matmul needs tensors of at least one axis; use multiply for scalars", ShapeError)
    inner_x, inner_y = x.shape[-1], y.shape[max(len(y.shape) - 2, 0)]
    if inner_x != inner_y:
        fail(
            f"matmul: the last axis of {x.type.short} is {inner_x}, but the "
            f"{'first' if len(y.shape) == 1 else 'second last'} of {y.type.short} is {inner_y}",
            ShapeError,
        )
    return delivered(tensor(convert(_matmul(x, y), common)), out, "matmul")


def _matmul(x: Value, y: Value) -> Value:
    m, n = len(x.shape), len(y.shape)
    if n <= 2 or m <= 1:  # no shared batch axes
        if m == 1 and n > 2:
            out = _contract(y, x, ([n - 2], [0]))
            return out
        return _contract(x, y, ([m - 1], [max(n - 2, 0)]))
    lead = broadcast_shapes([x.shape[:-2], y.shape[:-2]])
    if lead is None:
        fail(f"matmul: the leading axes of {x.type.short} and {y.type.short} do not broadcast",
             ShapeError)  # fmt: skip
    assert lead is not None
    x = expand(x, (*lead, *x.shape[-2:]))
    y = expand(y, (*lead, *y.shape[-2:]))
    count = range(len(lead))
    return _contract(x, y, ([len(lead) + 1], [len(lead)]), (count, count))


def dot(a: Any, b: Any, out: Any = None) -> Tensor:
    """Vectors: the inner product. Otherwise the last axis of a with the second last of b.

    >>> import lazir.numpy as lnp
    >>> lnp.dot(lnp.arange(3), lnp.arange(3)).item()
    5
    """
    x, y, common = _pair(a, b)
    if not x.shape or not y.shape:
        found = promote(a, b, name="dot")
        return delivered(tensor(call("mul", *found.values)), out, "dot")
    k = max(len(y.shape) - 2, 0)
    made = convert(_contract(x, y, ([len(x.shape) - 1], [k])), common)
    return delivered(tensor(made), out, "dot")


def vdot(a: Any, b: Any) -> Tensor:
    """The inner product of the flattened tensors, the first one conjugated.

    >>> import lazir.numpy as lnp
    >>> lnp.vdot(lnp.ones((2, 2)), lnp.ones((2, 2))).item()
    4.0
    """
    x, y, common = _pair(a, b)
    flat = [call("reshape", v, shape=(v.type.size,)) for v in (conjugate_of(x), y)]
    return tensor(convert(_contract(flat[0], flat[1], ([0], [0])), common))


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """Inner products along one axis, the first operand conjugated, the others broadcasting.

    >>> import lazir.numpy as lnp
    >>> print(lnp.vecdot(lnp.ones((2, 3)), lnp.arange(3.0)))
    [3. 3.]
    """
    x, y, common = _pair(x1, x2)
    shape = broadcast_shapes([x.shape, y.shape])
    if shape is None:
        fail(f"vecdot: {x.type.short} and {y.type.short} do not broadcast", ShapeError)
    assert shape is not None
    x, y = expand(conjugate_of(x), shape), expand(y, shape)
    k = normal_axis(axis, len(shape), "vecdot")
    rest = [j for j in range(len(shape)) if j != k]
    return tensor(convert(_contract(x, y, ([k], [k]), (rest, rest)), common))


def matvec(x1: Any, x2: Any, /) -> Tensor:
    """Matrices times vectors (the last axis of `x2`), the other axes broadcasting.

    >>> import lazir.numpy as lnp
    >>> lnp.matvec(lnp.ones((5, 2, 3)), lnp.ones(3)).shape
    (5, 2)
    """
    column = operand(x2).shape
    if not column:
        fail("matvec needs a vector as its second operand", ShapeError)
    product = matmul(x1, tensor(call("reshape", lift(operand(x2)), shape=(*column, 1))))
    (value,) = promote(product).values
    return tensor(call("reshape", value, shape=value.shape[:-1]))


def vecmat(x1: Any, x2: Any, /) -> Tensor:
    """Vectors (the last axis of `x1`, conjugated) times matrices, the other axes broadcasting.

    >>> import lazir.numpy as lnp
    >>> lnp.vecmat(lnp.ones(2), lnp.ones((5, 2, 3))).shape
    (5, 3)
    """
    rows = as_tensor(x1).conj()
    shape = rows.shape
    if not shape:
        fail("vecmat needs a vector as its first operand", ShapeError)
    product = matmul(rows.reshape(*shape[:-1], 1, shape[-1]), x2)
    (value,) = promote(product).values
    return tensor(call("reshape", value, shape=(*value.shape[:-2], value.shape[-1])))


def inner(a: Any, b: Any) -> Tensor:
    """Products summed over the last axis of both.

    >>> import lazir.numpy as lnp
    >>> lnp.inner(lnp.ones((2, 3)), lnp.ones((4, 3))).shape
    (2, 4)
    """
    x, y, common = _pair(a, b)
    if not x.shape or not y.shape:
        return dot(a, b)
    return tensor(convert(_contract(x, y, ([len(x.shape) - 1], [len(y.shape) - 1])), common))


def outer(a: Any, b: Any, out: Any = None) -> Tensor:
    """All products of an element of a and one of b, both flattened.

    >>> import lazir.numpy as lnp
    >>> print(lnp.outer(lnp.arange(2), lnp.arange(3)))
    [[0 0 0]
     [0 1 2]]
    """
    x, y = (call("reshape", lift(o), shape=(math.prod(o.shape),)) for o in map(operand, (a, b)))
    column = tensor(call("reshape", x, shape=(*x.shape, 1)))
    found = promote(column, tensor(y), name="outer")
    made = tensor(call("bit_and" if found.dtype is bool_ else "mul", *found.values))
    return delivered(made, out, "outer")


def kron(a: Any, b: Any) -> Tensor:
    """The Kronecker product.

    >>> import lazir.numpy as lnp
    >>> lnp.kron(lnp.eye(2), lnp.ones((2, 2))).shape
    (4, 4)
    """
    found = [operand(a), operand(b)]
    rank = max(len(o.shape) for o in found)
    shapes = [(1,) * (rank - len(o.shape)) + o.shape for o in found]
    left = call("reshape", lift(found[0]), shape=tuple(n for s in shapes[0] for n in (s, 1)))
    right = call("reshape", lift(found[1]), shape=tuple(n for s in shapes[1] for n in (1, s)))
    product = promote(tensor(left), tensor(right), name="kron")
    out = call("mul", *product.values)
    return tensor(call("reshape", out, shape=tuple(m * n for m, n in zip(*shapes))))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    """Products summed over pairs of axes: a number of last and first ones, or two lists.

    >>> import lazir.numpy as lnp
    >>> lnp.tensordot(lnp.ones((2, 3, 4)), lnp.ones((3, 4, 5))).shape
    (2, 5)
    """
    x, y, common = _pair(a, b)
    if isinstance(axes, int):
        left = list(range(len(x.shape) - axes, len(x.shape)))
        right = list(range(axes))
    else:
        sides = [s if isinstance(s, list | tuple) else [s] for s in axes]
        left = [normal_axis(k, len(x.shape), "tensordot") for k in sides[0]]
        right = [normal_axis(k, len(y.shape), "tensordot") for k in sides[1]]
    return tensor(convert(_contract(x, y, (left, right)), common))


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """The cross product of vectors of three components along one axis, the others broadcasting.

    The axis of the components is the last one; `axisa`, `axisb` and `axisc` name that of each
    operand and of the result, `axis` all three.

    >>> import lazir.numpy as lnp
    >>> print(lnp.cross(lnp.array([1, 0, 0]), lnp.array([0, 1, 0])))
    [0 0 1]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    sides = []
    for given, k in ((a, axisa), (b, axisb)):
        shape = operand(given).shape
        place = normal_axis(k, len(shape), "cross")
        if shape[place] != 3:
            fail(f"cross needs three components along axis {k}, got shape {shape}", ShapeError)
        sides.append(moveaxis(given, place, -1))
    x, y = broadcast_arrays(*sides)
    next_, last = _turned(x, 1), _turned(x, 2)
    made = next_ * _turned(y, 2) - last * _turned(y, 1)
    return moveaxis(made, -1, axisc).copy()


def _turned(v: Tensor, shift: int) -> Tensor:
    """The components moved around, by slices: a gather would cost more."""
    return concatenate([v[..., shift:], v[..., :shift]], -1)
