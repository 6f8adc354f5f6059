"""Sets as the array standard has them: different elements, elements among others.

Takes: tensors, arrays. Gives: tensors, some of a size that depends on the data: while tracing it
has to be given by `size=`. NaNs are different from each other. Must not know: how sorts run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..apply import call, expand, lift, number, operand, tensor
from ..dtypes import bool_
from ..tensor import Tensor
from .counting import unique
from .search import common_dtype, insertion_points, take_first


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueAll:
    """The different elements in order, where each comes first, which one each element is, and how
    often each comes.

    `size` fixes how many, as in `unique`.

    >>> import lazir.numpy as lnp
    >>> found = lnp.unique_all(lnp.array([3, 1, 3]))
    >>> print(found.values, found.indices, found.inverse_indices, found.counts)
    [1 3] [1 0] [1 0 1] [1 2]
    """
    return UniqueAll(
        *unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value)
    )


def unique_counts(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueCounts:
    """The different elements in order, and how often each comes.

    >>> import lazir.numpy as lnp
    >>> print(lnp.unique_counts(lnp.array([3, 1, 3])).counts)
    [1 2]
    """
    options = {"equal_nan": False, "size": size, "fill_value": fill_value}
    return UniqueCounts(*unique(x, return_counts=True, **options))


def unique_inverse(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueInverse:
    """The different elements in order, and which one each element is.

    >>> import lazir.numpy as lnp
    >>> print(lnp.unique_inverse(lnp.array([3, 1, 3])).inverse_indices)
    [1 0 1]
    """
    options = {"equal_nan": False, "size": size, "fill_value": fill_value}
    return UniqueInverse(*unique(x, return_inverse=True, **options))


def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Tensor:
    """The different elements in order.

    >>> import lazir.numpy as lnp
    >>> print(lnp.unique_values(lnp.array([3, 1, 3])))
    [1 3]
    """
    made: Tensor = unique(x, equal_nan=False, size=size, fill_value=fill_value)
    return made


def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: str | None = None,
    method: str | None = None,
) -> Tensor:
    """For each element whether it is (with `invert`: is not) among the test elements.

    A NaN is among none. `assume_unique`, `kind` and `method` are hints, which make no difference.

    >>> import lazir.numpy as lnp
    >>> print(lnp.isin(lnp.array([1, 2, 3]), lnp.array([3, 1])))
    [ True False  True]
    """
    dtype = common_dtype(element, test_elements)
    values = lift(operand(element), dtype)
    others = lift(operand(test_elements), dtype)
    count = others.type.size
    if count:
        flat = call("reshape", others, shape=(count,))
        table = call("sort", flat, axis=0, num_keys=1)
        place = insertion_points(table, values, "left")
        found = call("equal", take_first(table, place), values)  # beyond the end: the last, smaller
    else:
        found = expand(number(False, bool_, True), values.shape)
    return tensor(call("bit_not", found) if invert else found)
