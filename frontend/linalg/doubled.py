"""Complex matrices as real ones of twice the size: x + iy is [[x, −y], [y, x]].

Sums, products, inverses and pseudo-inverses of such matrices are such matrices, a Hermitian one is
symmetric, and eigenvalues of Hermitian ones and singular values come twice; so LAPACK for real
numbers computes them, and derivatives follow. Takes and gives: values. Must not know: what is
computed. Source: R. A. Horn, C. R. Johnson, "Matrix analysis", 1.3.P20.
"""

from __future__ import annotations

from lazir.compiler.graph import Value

from ..apply import call
from ..numpy.parts import imag_of, real_of
from ..numpy.rearrange import _part as part


def doubled(z: Value) -> Value:
    """The real matrix that stands for a complex one; a real matrix is its own."""
    if not z.type.dtype.is_complex:
        return z
    x, y = real_of(z), imag_of(z)
    last = len(z.shape) - 1
    above = call("concat", x, call("neg", y), axis=last)
    return call("concat", above, call("concat", y, x, axis=last), axis=last - 1)


def first_half(z: Value) -> Value:
    """The left half of the doubled matrix, which says all: right sides of equations."""
    if not z.type.dtype.is_complex:
        return z
    return call("concat", real_of(z), imag_of(z), axis=len(z.shape) - 2)


def from_first_half(r: Value, like: Value) -> Value:
    """The complex matrix of which r is the left half; r itself where `like` is real."""
    if not like.type.dtype.is_complex:
        return r
    axis = len(r.shape) - 2
    rows = r.shape[axis] // 2
    return call("complex", part(r, axis, 0, rows), part(r, axis, rows, 2 * rows))


def every_second(values: Value, like: Value) -> Value:
    """The values of a doubled matrix, in order, once each."""
    if not like.type.dtype.is_complex:
        return values
    last = len(values.shape) - 1
    return part(values, last, 0, values.shape[last], 2)
