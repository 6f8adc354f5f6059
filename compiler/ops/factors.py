"""Factorisations in finitely many steps: `cholesky` (LAPACK ?potrf), `lu` (?getrf), `qr` (?geqrf).

Takes: a stack of matrices. Gives: triangular and orthogonal factors. Must not know: how they are
computed, or what they are used for.

Derivatives: I. Murray, "Differentiation of the Cholesky decomposition", 2016; S. F. Walter,
L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum
experimental design", 2010 (QR). Of LU: from dA = dL U + L dU follows L⁻¹ dA U⁻¹ = L⁻¹ dL + dU U⁻¹,
where the first term is strictly lower and the second upper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ..errors import DifferentiationError
from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types
from ..types import DType, Shape, TensorType, i32
from .complex_numbers import complex_, imag
from .draws import Example, Generator
from .indexing import take_along
from .matrices import (
    add,
    adjoint,
    conjugated,
    drawn,
    each,
    flags,
    from_lower,
    keep,
    lower,
    matrix,
    part,
    product,
    record,
    square,
    stacked,
    sub,
    upper,
    with_diagonal,
    zero,
)
from .solves import triangular_solve
from .source import constant

OBLONG = ((1, 1), (2, 2), (4, 4), (4, 2), (2, 5), (3, 1), (0, 2), (3, 0))
"""Shapes of matrices that examples have."""


# -- cholesky ------------------------------------------------------------------------------
def _cholesky_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    """L Φ(L⁻¹ dA L⁻ᴴ), where Φ takes the lower triangle and half the diagonal."""
    (t,), (factor,) = ts, ys
    assert t is not None
    inner = triangular_solve(
        b, factor, from_lower(b, t), left_side=True, lower=True, transpose=False,
        unit_diagonal=False,
    )  # fmt: skip
    inner = triangular_solve(
        b, conjugated(b, factor), inner, left_side=False, lower=True, transpose=True,
        unit_diagonal=False,
    )  # fmt: skip
    half = OPS["mul"](b, keep(b, "equal", inner), constant(b, 0.5, t.type.dtype, t.shape))
    return [product(b, factor, add(b, lower(b, inner, strict=True), half))]


def _cholesky_draw(rng: Generator, lead: Shape, dtype: DType) -> list[Example]:
    # matrices of size 1 are the only ones that any positive elements make positive definite
    return [((TensorType((*lead, n, n), dtype),), {}) for n in (1, 0)]


cholesky: OpDef = record(
    "cholesky",
    "The lower triangular L with L Lᵀ = a, of complex a L Lᴴ. Only a's lower triangle is read, of "
    "its diagonal the real part; where a is not positive definite, L's lower triangle is NaN.",
    lambda types, attrs: (square("cholesky", types),),
    lambda a: [np.tril(each(lambda m: [np.linalg.cholesky(m)], a, 1)[0])],
    drawn(_cholesky_draw),
    Domain(0.5, 4.0),
    linearise=_cholesky_linearise,
)


# -- lu --------------------------------------------------------------------------------------
def _lu_infer(types: Types, attrs: Attrs) -> Types:
    x = matrix("lu", types)
    m, n = x.shape[-2:]
    return x, stacked(x, min(m, n), dtype=i32), stacked(x, m, dtype=i32)


def _eliminate(a: Array) -> list[Array]:
    """Gaussian elimination with partial pivoting: the first of the largest of a column goes up."""
    a = a.copy()
    m, n = a.shape
    pivots, places = np.zeros(min(m, n), np.int32), np.arange(m, dtype=np.int32)
    for k in range(min(m, n)):  # of complex numbers BLAS compares |re| + |im|
        pivots[k] = p = k + int(np.argmax(np.abs(a[k:, k].real) + np.abs(a[k:, k].imag)))
        a[[k, p]], places[[k, p]] = a[[p, k]], places[[p, k]]
        if a[k, k] != 0:
            a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return [a, pivots, places]


def _lu_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    """By blocks: the square part first, then the rows below it or the columns beside it."""
    factors, _, permutation = ys
    (t,) = ts
    assert t is not None
    m, n = t.shape[-2:]
    k = min(m, n)
    rank = len(t.shape)
    places = OPS["broadcast"](b, permutation, shape=t.shape, axes=tuple(range(rank - 1)))
    t = take_along(b, t, places, rank - 2)
    corner = part(b, factors, (0, k), (0, k))
    ones = with_diagonal(b, lower(b, corner, strict=True), 1.0)
    both = _over_u(b, corner, _under_l(b, corner, part(b, t, (0, k), (0, k))))
    dl = product(b, ones, lower(b, both, strict=True))
    du = product(b, upper(b, both), upper(b, corner))
    out = add(b, dl, du)
    if m > k:
        below = part(b, factors, (k, m), (0, k))
        rest = sub(b, part(b, t, (k, m), (0, k)), product(b, below, du))
        out = OPS["concat"](b, out, _over_u(b, corner, rest), axis=rank - 2)
    if n > k:
        beside = part(b, factors, (0, k), (k, n))
        rest = sub(b, part(b, t, (0, k), (k, n)), product(b, dl, beside))
        out = OPS["concat"](b, out, _under_l(b, corner, rest), axis=rank - 1)
    return [out, None, None]


def _under_l(b: Builder, factors: Value, x: Value) -> Value:
    return triangular_solve(
        b, factors, x, left_side=True, lower=True, transpose=False, unit_diagonal=True
    )


def _over_u(b: Builder, factors: Value, x: Value) -> Value:
    return triangular_solve(
        b, factors, x, left_side=False, lower=False, transpose=False, unit_diagonal=False
    )


def _oblong_draw(rng: Generator, lead: Shape, dtype: DType) -> list[Example]:
    return [((TensorType((*lead, *shape), dtype),), {}) for shape in OBLONG]


lu: OpDef = record(
    "lu",
    "The factors of P a = L U in one matrix (L's diagonal of ones is left out); the pivots: row k "
    "was exchanged with row pivots[k] ≥ k; and the permutation: row i of P a is row "
    "permutation[i] of a.",
    _lu_infer,
    lambda a: each(_eliminate, a, 3),
    drawn(_oblong_draw),
    Domain(-2, 2),
    linearise=_lu_linearise,
)


# -- qr --------------------------------------------------------------------------------------
def _qr_infer(types: Types, attrs: Attrs) -> Types:
    flags("qr", attrs, ("full_matrices",))
    x = matrix("qr", types)
    m, n = x.shape[-2:]
    k = m if attrs["full_matrices"] else min(m, n)
    return stacked(x, m, k), stacked(x, k, n)


def _qr_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    """With C = dA R⁻¹ (of the first k columns) and W = Qᴴ C, the anti-Hermitian Ω = Qᴴ dQ has W's
    lower triangle and, since LAPACK's R has a real diagonal, the imaginary part of W's diagonal;
    dQ = C + Q (Ω − W), and dR = Qᴴ dA − Ω R for all columns."""
    q, r = ys
    (t,) = ts
    assert t is not None
    m, n = t.shape[-2:]
    k = min(m, n)
    if node.attrs["full_matrices"] and m > n:
        raise DifferentiationError(
            f"qr of {t.type.short}: the columns of q beyond the {n}th are not determined, and so "
            "have no derivative; take the reduced factors"
        )
    scaled = triangular_solve(
        b, part(b, r, (0, k), (0, k)), part(b, t, (0, m), (0, k)), left_side=False, lower=False,
        transpose=False, unit_diagonal=False,
    )  # fmt: skip
    q_conj = conjugated(b, q)
    seen = product(b, q_conj, scaled, turn_x=True)
    below = lower(b, seen, strict=True)
    omega = sub(b, below, adjoint(b, below))
    if t.type.dtype.is_complex:
        turning = imag(b, keep(b, "equal", seen))
        omega = add(b, omega, complex_(b, zero(b, turning), turning))
    dq = add(b, scaled, product(b, q, sub(b, omega, seen)))
    dr = sub(b, product(b, q_conj, t, turn_x=True), product(b, omega, r))
    return [dq, upper(b, dr)]


def _qr_draw(rng: Generator, lead: Shape, dtype: DType) -> list[Example]:
    return [
        (types, {"full_matrices": types[0].shape[-2] <= types[0].shape[-1] and k % 2 == 0})
        for k, (types, _) in enumerate(_oblong_draw(rng, lead, dtype))
    ]


def _qr_reference(a: Array, full_matrices: bool) -> list[Array]:
    mode: Literal["complete", "reduced"] = "complete" if full_matrices else "reduced"
    return each(lambda m: list(np.linalg.qr(m, mode=mode)), a, 2)


qr: OpDef = record(
    "qr",
    "Orthonormal columns q and upper triangular r with q r = a: min(m, n) columns, or with "
    "full_matrices m of them. r's diagonal is real and may have either sign.",
    _qr_infer,
    _qr_reference,
    drawn(_qr_draw),
    Domain(-2, 2),
    linearise=_qr_linearise,
)
