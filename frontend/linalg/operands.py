"""What functions of matrices take: tensors of one type, with matrices in the last two axes.

Takes: tensors, arrays, nested sequences. Gives: graph values, or an error that says what to do.
Must not know: what is computed of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.matrices import PRECISIONS
from lazir.compiler.types import DType, broadcast_shapes

from ..apply import expand, fail, lift, operand, tensor
from ..dtypes import result_dtype, to_inexact
from ..numpy.manipulation import matrix_transpose
from ..numpy.parts import conjugate_of
from ..tensor import Tensor
from ..trace import builder


def precision(dtype: DType, name: str) -> DType:
    """The type to compute in: integers and bools become floats, as for other functions."""
    wanted = to_inexact(dtype)
    if wanted not in PRECISIONS:
        fail(
            f"{name}: {wanted} is not supported; LAPACK is called with 32 or 64 bits: convert with "
            "astype first"
        )
    return wanted


def values(name: str, *xs: Any) -> list[Value]:
    """The operands in one type, real or complex, their shapes as they are."""
    found = [operand(x) for x in xs]
    common, _ = result_dtype(
        [o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak]
    )
    dtype = precision(common, name)
    return [lift(o, dtype) for o in found]


def numbers(x: Any) -> Value:
    """One operand of floats or complex numbers of any precision."""
    found = operand(x)
    return lift(found, to_inexact(found.dtype))


def matrix(x: Any, name: str) -> Value:
    """One operand of two axes or more."""
    (value,) = values(name, x)
    require_matrix(value, name)
    return value


def require_matrix(x: Value, name: str, square: bool = False) -> None:
    """Raise where the last two axes are no matrices, or where wanted, no square ones."""
    if len(x.shape) < 2:
        fail(f"{name} needs a tensor of two axes or more, got {x.type.short}", ShapeError)
    if square and x.shape[-1] != x.shape[-2]:
        fail(f"{name} needs square matrices in the last two axes, got {x.type.short}", ShapeError)


def square(x: Any, name: str) -> Value:
    """One operand whose last two axes are square matrices."""
    (value,) = values(name, x)
    require_matrix(value, name, square=True)
    return value


def same_lead(name: str, xs: Sequence[Value]) -> list[Value]:
    """The values with their leading axes broadcast against each other."""
    lead = broadcast_shapes([x.shape[:-2] for x in xs])
    if lead is None:
        shapes = ", ".join(x.type.short for x in xs)
        fail(f"{name}: the leading axes of {shapes} do not broadcast together", ShapeError)
    assert lead is not None
    return [expand(x, (*lead, *x.shape[-2:])) for x in xs]


def many(op: str, *xs: Value, **attrs: Any) -> list[Tensor]:
    """All results of an op, as tensors."""
    return [tensor(v) for v in OPS[op].many(builder(), *xs, **attrs)]


def transposed(x: Value) -> Value:
    """The matrices transposed."""
    rank = len(x.shape)
    order = (*range(rank - 2), rank - 1, rank - 2)
    return OPS["transpose"](builder(), x, permutation=order)


def adjoint(x: Value) -> Value:
    """The matrices transposed and, where they are complex, conjugated."""
    return transposed(conjugate_of(x))


def conj_transpose(x: Tensor) -> Tensor:
    """The matrices transposed and, where they are complex, conjugated, as a tensor."""
    turned: Tensor = matrix_transpose(x)
    return turned.conj() if x.dtype.is_complex else turned


def symmetrised(x: Value) -> Value:
    """(x + xᵀ) / 2, of complex matrices (x + xᴴ) / 2."""
    b = builder()
    total = OPS["add"](b, x, adjoint(x))
    return OPS["mul"](b, total, expand(lift(operand(0.5), x.type.dtype), x.shape))
