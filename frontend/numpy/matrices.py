"""Matrices with a pattern, diagonals, and coordinates of grids.

Takes: sizes, tensors. Gives: tensors; nothing is computed before it is needed.
Must not know: devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazir.compiler.graph import Value

from ..apply import call, expand, fail, normal_axis, number, promote, shape_of, tensor
from ..dtypes import as_dtype, default_float, int64
from ..places import check_device
from ..tensor import Tensor
from .reduction import sum as total


def eye(
    N: int, M: int | None = None, k: int = 0, dtype: Any = None, *, device: Any = None
) -> Tensor:
    """Ones on diagonal k, zeros elsewhere.

    >>> import lazir.numpy as lnp
    >>> print(lnp.eye(2))
    [[1. 0.]
     [0. 1.]]
    """
    check_device(device)
    rows, columns = _grid(N, N if M is None else M)
    on = call("equal", _shifted(rows, k), columns)
    return tensor(call("convert", on, dtype=default_float() if dtype is None else as_dtype(dtype)))


def identity(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix.

    >>> import lazir.numpy as lnp
    >>> lnp.identity(3).shape
    (3, 3)
    """
    return eye(n, dtype=dtype)


def _grid(rows: int, columns: int) -> tuple[Value, Value]:
    """Row and column numbers of a matrix."""
    shape = shape_of((rows, columns))
    return (
        call("iota", shape=shape, axis=0, dtype=int64),
        call("iota", shape=shape, axis=1, dtype=int64),
    )


def _shifted(rows: Value, k: int) -> Value:
    return call("add", rows, expand(number(k, int64, True), rows.shape)) if k else rows


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones at and below diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.tri(2))
    [[1. 0.]
     [1. 1.]]
    """
    rows, columns = _grid(N, N if M is None else M)
    below = call("less_equal", columns, _shifted(rows, k))
    return tensor(
        call("convert", below, dtype=default_float() if dtype is None else as_dtype(dtype))
    )


def _triangle(m: Any, k: int, lower: bool) -> Tensor:
    (x,) = promote(m).values
    if len(x.shape) < 2:
        fail(f"tril and triu need at least two axes, got {x.type.short}")
    rows, columns = _grid(*x.shape[-2:])
    keep = call("less_equal" if lower else "greater_equal", columns, _shifted(rows, k))
    zero = expand(number(0, x.type.dtype, True), x.shape)
    return tensor(call("select", expand(keep, x.shape), x, zero))


def tril(m: Any, k: int = 0) -> Tensor:
    """m with zeros above diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.tril(lnp.ones((2, 2))))
    [[1. 0.]
     [1. 1.]]
    """
    return _triangle(m, k, lower=True)


def triu(m: Any, k: int = 0) -> Tensor:
    """m with zeros below diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.triu(lnp.ones((2, 2))))
    [[1. 1.]
     [0. 1.]]
    """
    return _triangle(m, k, lower=False)


def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Tensor, ...]:
    """Coordinate matrices from coordinate vectors.

    >>> import lazir.numpy as lnp
    >>> x, y = lnp.meshgrid(lnp.arange(2), lnp.arange(3))
    >>> x.shape
    (3, 2)
    """
    if indexing not in ("xy", "ij"):
        fail(f"meshgrid: indexing is 'xy' or 'ij', got {indexing!r}")
    values = [promote(x).values[0] for x in xi]
    places = list(range(len(values)))
    if indexing == "xy" and len(values) > 1:
        places[0], places[1] = 1, 0
    sizes = [1] * len(values)
    for v, place in zip(values, places):
        sizes[place] = v.type.size
    out = []
    for v, place in zip(values, places):
        shape = tuple(v.type.size if k == place else 1 for k in range(len(values)))
        column = call("reshape", v, shape=shape)
        out.append(tensor(column if sparse else expand(column, tuple(sizes))))
    return tuple(out)


def indices(dimensions: Sequence[int], dtype: Any = None, sparse: bool = False) -> Any:
    """The index of every element of a grid, one array per axis, stacked.

    `sparse`: a tuple of arrays that broadcast together instead.

    >>> import lazir.numpy as lnp
    >>> lnp.indices((2, 3)).shape
    (2, 2, 3)
    """
    shape = shape_of(dimensions)
    wanted = int64 if dtype is None else as_dtype(dtype)
    if sparse:
        rank = len(shape)
        thin = [tuple(n if j == k else 1 for j in range(rank)) for k, n in enumerate(shape)]
        return tuple(
            tensor(call("iota", shape=s, axis=k, dtype=wanted)) for k, s in enumerate(thin)
        )
    parts = [
        call("reshape", call("iota", shape=shape, axis=k, dtype=wanted), shape=(1, *shape))
        for k in range(len(shape))
    ]
    if not parts:
        return tensor(call("reshape", expand(number(0, wanted, True), (0,)), shape=(0,)))
    return tensor(call("concat", *parts, axis=0) if len(parts) > 1 else parts[0])


def diag(v: Any, k: int = 0) -> Tensor:
    """The diagonal k of a matrix, or a matrix with v on its diagonal k.

    >>> import lazir.numpy as lnp
    >>> print(lnp.diag(lnp.array([1, 2])))
    [[1 0]
     [0 2]]
    """
    (x,) = promote(v).values
    if len(x.shape) == 2:
        return diagonal(v, k)
    if len(x.shape) != 1:
        fail(f"diag needs a vector or a matrix, got {x.type.short}")
    n = x.shape[0] + abs(k)
    low, high = max(-k, 0), max(k, 0)
    zero = number(0, x.type.dtype, True)
    column = call("pad", x, zero, low=(low,), high=(high,), interior=(0,))
    rows, columns = _grid(n, n)
    on = call("equal", _shifted(rows, k), columns)
    spread = call("broadcast", column, shape=(n, n), axes=(0,))
    return tensor(call("select", on, spread, expand(zero, (n, n))))


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal of two axes, as the last axis of the result.

    >>> import lazir.numpy as lnp
    >>> print(lnp.diagonal(lnp.arange(9).reshape(3, 3)))
    [0 4 8]
    """
    (x,) = promote(a).values
    rank = len(x.shape)
    first, second = (normal_axis(k, rank, "diagonal") for k in (axis1, axis2))
    order = (*(k for k in range(rank) if k not in (first, second)), first, second)
    x = call("transpose", x, permutation=order)
    low_row = min(max(-offset, 0), x.shape[-2])
    low_column = min(max(offset, 0), x.shape[-1])
    n = max(0, min(x.shape[-2] - low_row, x.shape[-1] - low_column))
    lead = x.shape[:-2]
    part = call(
        "slice", x, start=(*[0] * len(lead), low_row, low_column),
        limit=(*lead, low_row + n, low_column + n), stride=(1,) * rank,
    )  # fmt: skip
    rows, columns = _grid(n, n)
    zero = expand(number(0, x.type.dtype, True), part.shape)
    if x.type.dtype.is_bool:
        kept = call("bit_and", expand(call("equal", rows, columns), part.shape), part)
        return tensor(call("reduce_any", kept, axes=(rank - 1,)))
    kept = call("select", expand(call("equal", rows, columns), part.shape), part, zero)
    return tensor(call("reduce_sum", kept, axes=(rank - 1,)))


def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Tensor:
    """The sum of a diagonal; of small integers and bools in 64 bits, as `sum`.

    >>> import lazir.numpy as lnp
    >>> lnp.trace(lnp.eye(3)).item()
    3.0
    """
    return total(diagonal(a, offset, axis1, axis2), -1, dtype, out)
