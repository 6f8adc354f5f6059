"""Eigenvalues of matrices without symmetry: `eig` (LAPACK ?geev).

Takes: a stack of square matrices. Gives: eigenvalues, and right eigenvectors where wanted, complex
ones of complex matrices, of real matrices real and imaginary parts apart; NaN where a matrix has
elements that are not finite or the iteration does not converge. Must not know: how they are
computed.

Derivatives: M. B. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008, 3.1. LAPACK scales eigenvectors to length 1 with a largest
element that is real, and the derivative is that of vectors so scaled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types
from ..types import i32
from .complex_numbers import complex_, imag, real
from .matrices import (
    add,
    along,
    column_sums,
    drawn,
    each,
    flags,
    keep,
    mul,
    product,
    record,
    square,
    stacked,
    sub,
    vectors_or_not,
    where_rows,
    zero,
)
from .solves import solve
from .source import constant, iota


def _eig_infer(types: Types, attrs: Attrs) -> Types:
    flags("eig", attrs, ("vectors",))
    x = square("eig", types)
    values = stacked(x, x.shape[-1])
    if x.dtype.is_complex:
        return (values, x) if attrs["vectors"] else (values,)
    return (values, values, x, x) if attrs["vectors"] else (values, values)


def _eig_reference(a: Array, vectors: bool) -> list[Array]:
    def decompose(m: Array) -> list[Array]:
        values, columns = np.linalg.eig(m)
        if m.dtype.kind == "c":
            return [values, columns]
        return [values.real, values.imag, columns.real, columns.imag]

    parts = 1 if a.dtype.kind == "c" else 2
    return each(decompose, a, 2 * parts if vectors else parts)


def eig_with_tangents(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    """The results and their tangents, from one decomposition: with P = V⁻¹ dA V the values move by
    P's diagonal, and the vectors by V (F∘P), F_ij = 1 / (w_j − w_i), and multiples of themselves
    that keep their scale."""
    (t,) = ts
    assert t is not None
    made = eig.many(b, xs[0], vectors=True)
    if t.type.dtype.is_complex:
        values, vectors = made
        moved = product(b, t, vectors)
    else:
        values, vectors = complex_(b, *made[:2]), complex_(b, *made[2:])
        moved = complex_(b, product(b, t, made[2]), product(b, t, made[3]))
    seen = solve(b, vectors, moved, transpose=False)
    tangents = [OPS["reduce_sum"](b, keep(b, "equal", seen), axes=(len(t.shape) - 2,))]
    if node.attrs["vectors"]:
        tangents.append(_scaled_alike(b, vectors, product(b, vectors, _mixed(b, values, seen))))
    if not t.type.dtype.is_complex:
        tangents = [part(b, x) for x in tangents for part in (real, imag)]
    return made[: len(tangents)], tangents


def _mixed(b: Builder, values: Value, seen: Value) -> Value:
    """How much of each other vector comes to each."""
    gaps = sub(b, along(b, values, seen, -1), along(b, values, seen, -2))
    on = where_rows(b, "equal", seen.shape)
    one = constant(b, 1, seen.type.dtype, seen.shape)
    return OPS["div"](b, OPS["select"](b, on, zero(b, seen), seen), OPS["select"](b, on, one, gaps))


def _scaled_alike(b: Builder, vectors: Value, moved: Value) -> Value:
    """The tangents plus multiples of the vectors that keep their length and the phase of their
    largest element."""
    if not vectors.shape[-1]:
        return moved
    rows = len(vectors.shape) - 2
    re, im = real(b, vectors), imag(b, vectors)
    squares = add(b, mul(b, re, re), mul(b, im, im))
    largest = OPS["convert"](b, OPS["argmax"](b, squares, axes=(rows,)), dtype=i32)
    places = iota(b, shape=vectors.shape, axis=rows, dtype=i32)
    on = OPS["equal"](b, places, along(b, largest, vectors, -1))

    def at_largest(x: Value) -> Value:
        return OPS["reduce_sum"](b, OPS["select"](b, on, x, zero(b, x)), axes=(rows,))

    longer = OPS["neg"](b, column_sums(b, vectors, moved))
    turned = OPS["neg"](b, OPS["div"](b, at_largest(imag(b, moved)), at_largest(re)))
    return add(b, moved, mul(b, vectors, along(b, complex_(b, longer, turned), vectors, -1)))


eig: OpDef = record(
    "eig",
    "The eigenvalues of square matrices, and where wanted eigenvectors in columns, of length 1 and "
    "with a largest element that is real. Of real matrices real and imaginary parts are apart, and "
    "conjugate pairs stand beside each other, the positive imaginary part first.",
    _eig_infer,
    _eig_reference,
    drawn(vectors_or_not),
    Domain(-2, 2),
    linearise=lambda b, node, xs, ys, ts: eig_with_tangents(b, node, xs, ts)[1],
)
