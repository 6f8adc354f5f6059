"""Eigenvalues and eigenvectors of real matrices without symmetry: `eig`, `eigvals`.

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
    """Eigenvalues of real square matrices in no order, eigenvectors in columns of length 1.

    Takes `(…, n, n)` of float32 or float64, gives complex64 or complex128, also where all values
    are real. Conjugate pairs are neighbours. Eigenvectors have no derivatives (as in JAX): they
    may be scaled by any complex number; those of `eigvals` are known.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> values, vectors = lz.linalg.eig(lnp.array([[2.0, 0.0], [0.0, 1.0]]))
    >>> print(values.real)
    [2. 1.]
    """
    re, im, vectors_re, vectors_im = many("eig", square(a, "eig"), vectors=True)
    return EigResult(_joined(re, im), _joined(vectors_re, vectors_im))


def eigvals(a: Any, /) -> Tensor:
    """The eigenvalues that `eig` gives, alone; complex, with first derivatives where they are
    distinct.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.linalg.eigvals(lnp.array([[0.0, 1.0], [-1.0, 0.0]])).imag)
    [ 1. -1.]
    """
    return _joined(*many("eig", square(a, "eigvals"), vectors=False))


def _joined(re: Tensor, im: Tensor) -> Tensor:
    return tensor(call("complex", lift(operand(re)), lift(operand(im))))
