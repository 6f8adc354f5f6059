"""Products of matrices and vectors as `numpy.linalg` has them, and chains of products.

Takes: tensors. Gives: tensors. Must not know: how a product runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazir.compiler.errors import ShapeError

from ..apply import fail, operand
from ..numpy import linear, matrices
from ..tensor import Tensor


def outer(x1: Any, x2: Any, /) -> Tensor:
    """All products of an element of one vector and one of another.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.outer(lnp.arange(2), lnp.arange(3)).shape
    (2, 3)
    """
    if len(operand(x1).shape) != 1 or len(operand(x2).shape) != 1:
        fail("linalg.outer takes two vectors; lazir.numpy.outer flattens what it gets", ShapeError)
    return linear.outer(x1, x2)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The cross products of vectors of three components along one axis, the others broadcasting.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.cross(lnp.array([1, 0, 0]), lnp.array([0, 1, 0])))
    [0 0 1]
    """
    return linear.cross(x1, x2, axis=axis)


def diagonal(x: Any, /, *, offset: int = 0) -> Tensor:
    """The diagonals of the matrices in the last two axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.diagonal(lnp.ones((5, 2, 3))).shape
    (5, 2)
    """
    return matrices.diagonal(x, offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sums of the diagonals of the matrices in the last two axes.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.trace(lnp.ones((5, 2, 2))).shape
    (5,)
    """
    return matrices.trace(x, offset, -2, -1, dtype)


def multi_dot(arrays: Sequence[Any]) -> Tensor:
    """The product of several matrices in the order that costs least; the first and last may be
    vectors.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.linalg.multi_dot([lnp.ones((2, 9)), lnp.ones((9, 1)), lnp.ones((1, 5))]).shape
    (2, 5)
    """
    shapes = [operand(a).shape for a in arrays]
    if len(shapes) < 2:
        fail(f"multi_dot takes two operands or more, got {len(shapes)}")
    inner, ends = shapes[1:-1], (shapes[0], shapes[-1])
    if any(len(s) != 2 for s in inner) or any(len(s) not in (1, 2) for s in ends):
        fail(f"multi_dot takes matrices, and vectors at its ends; got {shapes}", ShapeError)
    first = (1, *shapes[0])[-2:]
    last = (*shapes[-1], 1)[:2]
    sizes = [first[0], first[1], *(s[1] for s in inner), last[1]]
    best = _order(sizes)

    def product(i: int, j: int) -> Any:
        if i == j:
            return arrays[i]
        return linear.matmul(product(i, best[i, j]), product(best[i, j] + 1, j))

    result: Tensor = product(0, len(shapes) - 1)
    return result


def _order(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where each chain from i to j is best cut, by the number of multiplications.

    The matrix-chain problem: T. H. Cormen et al., Introduction to Algorithms, chapter 15.2.
    """
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    cut: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            options = {
                k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            cut[i, j] = min(options, key=options.__getitem__)
            cost[i, j] = options[cut[i, j]]
    return cut
