"""Eigenvalues of real matrices without symmetry: `eig` (LAPACK ?geev).

Takes: a stack of square matrices. Gives: real and imaginary parts of eigenvalues, and of right
eigenvectors where wanted; NaN where a matrix has elements that are not finite or the iteration does
not converge. Must not know: how they are computed.

Derivatives of eigenvalues: M. B. Giles, "Collected matrix derivative results for forward and
reverse mode algorithmic differentiation", 2008, 3.1. Eigenvectors may be scaled by any complex
number, and their derivatives depend on which: they are an error, as in JAX.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import DifferentiationError
from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types
from .matrices import (
    drawn,
    each,
    flags,
    keep,
    part,
    product,
    record,
    square,
    stacked,
    vectors_or_not,
)
from .solves import solve


def _eig_infer(types: Types, attrs: Attrs) -> Types:
    flags("eig", attrs, ("vectors",))
    x = square("eig", types)
    values = stacked(x, x.shape[-1])
    return (values, values, x, x) if attrs["vectors"] else (values, values)


def _eig_reference(a: Array, vectors: bool) -> list[Array]:
    def decompose(m: Array) -> list[Array]:
        values, columns = np.linalg.eig(m)
        return [values.real, values.imag, columns.real, columns.imag]

    return each(decompose, a, 4 if vectors else 2)


def eig_with_tangents(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    """The results and their tangents, from one decomposition: the values move by the diagonal of
    V⁻¹ dA V. The complex equations V x = y are [Re −Im; Im Re] of twice the size."""
    (t,) = ts
    assert t is not None
    if node.attrs["vectors"]:
        raise DifferentiationError(
            f"eig of {t.type.short}: eigenvectors may be scaled by any complex number, and so have "
            "no derivative; take eigvals, whose derivatives are known"
        )
    re, im, vectors_re, vectors_im = eig.many(b, xs[0], vectors=True)
    n, rank = t.shape[-1], len(t.shape)
    columns, rows = rank - 1, rank - 2
    top = OPS["concat"](b, vectors_re, OPS["neg"](b, vectors_im), axis=columns)
    bottom = OPS["concat"](b, vectors_im, vectors_re, axis=columns)
    doubled = OPS["concat"](b, top, bottom, axis=rows)
    moved = OPS["concat"](b, product(b, t, vectors_re), product(b, t, vectors_im), axis=rows)
    seen = solve(b, doubled, moved, transpose=False)
    parts = (part(b, seen, at, (0, n)) for at in ((0, n), (n, 2 * n)))
    return [re, im], [_diagonal(b, x) for x in parts]


def _diagonal(b: Builder, x: Value) -> Value:
    return OPS["reduce_sum"](b, keep(b, "equal", x), axes=(len(x.shape) - 2,))


eig: OpDef = record(
    "eig",
    "The eigenvalues of square matrices, their real and imaginary parts apart, and where wanted "
    "eigenvectors in columns, of length 1. Those of conjugate pairs stand beside each other, the "
    "positive imaginary part first.",
    _eig_infer,
    _eig_reference,
    drawn(vectors_or_not),
    Domain(-2, 2),
    linearise=lambda b, node, xs, ys, ts: eig_with_tangents(b, node, xs, ts)[1],
)
