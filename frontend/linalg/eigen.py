"""Eigenvalues and eigenvectors of matrices without symmetry: `eig`, `eigvals`.

Takes: tensors with square matrices in the last two axes. Gives: complex tensors. What does not
converge, or is not finite, gives NaN. Must not know: how LAPACK is called.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..apply import call, lift, operand, tensor
from ..tensor import Tensor
from .operands import many, square


class EigResult(NamedTuple):
    """The results of `eig`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def eig(a: Any, /) -> EigResult:
    """Eigenvalues of square matrices in no order, eigenvectors in columns.

    Takes `(…, n, n)`, gives complex64 or complex128, also where all values are real. Conjugate
    pairs of a real matrix are neighbours. Vectors have length 1 and a largest element that is
    real, and their derivatives are of vectors so scaled; where values are equal they are infinite
    or NaN.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> values, vectors = lz.linalg.eig(lnp.array([[2.0, 0.0], [0.0, 1.0]]))
    >>> print(values.real)
    [2. 1.]
    """
    made = many("eig", square(a, "eig"), vectors=True)
    if len(made) == 2:
        return EigResult(*made)
    return EigResult(_joined(*made[:2]), _joined(*made[2:]))


def eigvals(a: Any, /) -> Tensor:
    """The eigenvalues that `eig` gives, alone; complex, with derivatives where they are distinct.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.eigvals(lnp.array([[0.0, 1.0], [-1.0, 0.0]])).imag)
    [ 1. -1.]
    """
    made = many("eig", square(a, "eigvals"), vectors=False)
    return made[0] if len(made) == 1 else _joined(*made)


def _joined(re: Tensor, im: Tensor) -> Tensor:
    return tensor(call("complex", lift(operand(re)), lift(operand(im))))
