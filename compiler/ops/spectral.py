"""Decompositions that iterate: `eigh` (LAPACK ?syevd) and `svd` (?gesdd).

Takes: a stack of matrices. Gives: eigenvalues or singular values, and vectors where wanted; NaN
where a matrix has elements that are not finite or the iteration does not converge. Must not know:
how they are computed.

Derivatives: M. B. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008, 3.1 and 3.2; J. Townsend, "Differentiating the singular value
decomposition", 2016 (rectangular matrices); Z. Wan, S. Zhang, "Automatic differentiation for
complex valued SVD", 2019. Vectors of equal values are not determined: there the derivatives of
vectors are infinite or NaN; those of the values are right wherever they exist. Complex vectors may
turn by a phase each, of which the derivatives take none, as JAX's do: those of functions that do
not depend on phases are right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import DifferentiationError
from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types
from ..types import DType, Shape, TensorType
from .complex_numbers import complex_, imag
from .draws import Example, Generator
from .matrices import (
    add,
    adjoint,
    along,
    column_sums,
    conjugated,
    drawn,
    each,
    flags,
    from_lower,
    keep,
    matrix,
    mul,
    product,
    record,
    scaled,
    square,
    stacked,
    sub,
    vectors_or_not,
    where_rows,
    zero,
)
from .source import constant

OBLONG = ((1, 1), (2, 2), (4, 4), (4, 2), (2, 5), (3, 1), (0, 2), (3, 0))
"""Shapes of matrices that examples have."""


def _over_gaps(b: Builder, x: Value, gaps: Value) -> Value:
    """x / gaps beside the diagonal, zero on it."""
    on = where_rows(b, "equal", x.shape)
    one = constant(b, 1, gaps.type.dtype, x.shape)
    factors = OPS["div"](b, one, OPS["select"](b, on, one, gaps))
    return scaled(b, "mul", x, OPS["select"](b, on, zero(b, gaps), factors))


# -- eigh ------------------------------------------------------------------------------------
def _eigh_infer(types: Types, attrs: Attrs) -> Types:
    flags("eigh", attrs, ("vectors",))
    x = square("eigh", types)
    values = stacked(x, x.shape[-1], dtype=x.dtype.part)
    return (values, x) if attrs["vectors"] else (values,)


def _eigh_reference(a: Array, vectors: bool) -> list[Array]:
    if vectors:
        return each(lambda m: list(np.linalg.eigh(m)), a, 2, np.tril)
    return each(lambda m: [np.linalg.eigvalsh(m)], a, 1, np.tril)


def eigh_with_tangents(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    """The results and their tangents, from one decomposition: with P = Vᴴ dA V, the values move by
    P's diagonal, and the vectors by V (F∘P), F_ij = 1 / (w_j − w_i)."""
    (t,) = ts
    assert t is not None
    values, vectors = eigh.many(b, xs[0], vectors=True)
    moved = product(b, from_lower(b, t), vectors)
    dw = column_sums(b, vectors, moved)
    if not node.attrs["vectors"]:
        return [values], [dw]
    seen = product(b, conjugated(b, vectors), moved, turn_x=True)
    gaps = sub(b, along(b, values, seen, -1), along(b, values, seen, -2))
    return [values, vectors], [dw, product(b, vectors, _over_gaps(b, seen, gaps))]


eigh: OpDef = record(
    "eigh",
    "The eigenvalues of symmetric (complex: Hermitian) matrices in increasing order, real, and "
    "where wanted eigenvectors in columns, of length 1 and any phase. Only the lower triangle is "
    "read, of a complex diagonal the real part.",
    _eigh_infer,
    _eigh_reference,
    drawn(vectors_or_not),
    Domain(-2, 2),
    linearise=lambda b, node, xs, ys, ts: eigh_with_tangents(b, node, xs, ts)[1],
)


# -- svd -------------------------------------------------------------------------------------
def _svd_infer(types: Types, attrs: Attrs) -> Types:
    flags("svd", attrs, ("full_matrices", "compute_uv"))
    x = matrix("svd", types)
    m, n = x.shape[-2:]
    k = min(m, n)
    values = stacked(x, k, dtype=x.dtype.part)
    if not attrs["compute_uv"]:
        return (values,)
    rows, columns = (m, n) if attrs["full_matrices"] else (k, k)
    return stacked(x, m, rows), values, stacked(x, columns, n)


def _svd_reference(a: Array, full_matrices: bool, compute_uv: bool) -> list[Array]:
    if compute_uv:
        return each(lambda m: list(np.linalg.svd(m, full_matrices)), a, 3, np.asarray)
    return each(lambda m: [np.linalg.svd(m, compute_uv=False)], a, 1, np.asarray)


def svd_with_tangents(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    """The results and their tangents, from one decomposition.

    With P = Uᴴ dA V and F_ij = 1 / (s_j² − s_i²): s moves by P's diagonal, U by
    U (F∘(P S + S Pᴴ)), V by V (F∘(S P + Pᴴ S)); and what U or V does not span by the rest of
    dA V S⁻¹ or dAᴴ U S⁻¹. The imaginary part of P's diagonal over S, which turns U and V against
    each other, is all given to U.
    """
    (t,) = ts
    assert t is not None
    m, n = t.shape[-2:]
    attrs = node.attrs
    if attrs["compute_uv"] and attrs["full_matrices"] and m != n:
        raise DifferentiationError(
            f"svd of {t.type.short} with full_matrices: vectors beyond the {min(m, n)}th are not "
            "determined, and so have no derivative; pass full_matrices=False"
        )
    u, s, vt = svd.many(b, xs[0], full_matrices=False, compute_uv=True)
    right = product(b, t, conjugated(b, vt), turn_y=True)
    ds = column_sums(b, u, right)
    if not attrs["compute_uv"]:
        return [s], [ds]
    u_conj = conjugated(b, u)
    seen = product(b, u_conj, right, turn_x=True)
    across, down = along(b, s, seen, -1), along(b, s, seen, -2)
    gaps = mul(b, sub(b, across, down), add(b, across, down))
    by_column, by_row = scaled(b, "mul", seen, across), scaled(b, "mul", seen, down)
    du = _over_gaps(b, add(b, by_column, adjoint(b, by_column)), gaps)
    if t.type.dtype.is_complex:
        turning = OPS["div"](b, imag(b, keep(b, "equal", seen)), across)
        du = add(b, du, complex_(b, zero(b, turning), turning))
    du = product(b, u, du)
    dv = _over_gaps(b, add(b, by_row, adjoint(b, by_row)), gaps)
    dvt = product(b, conjugated(b, dv), vt, turn_x=True)
    if m > n:
        rest = sub(b, right, product(b, u, seen))
        du = add(b, du, scaled(b, "div", rest, along(b, s, rest, -1)))
    if n > m:
        left = product(b, u_conj, t, turn_x=True)
        rest = sub(b, left, product(b, seen, vt))
        dvt = add(b, dvt, scaled(b, "div", rest, along(b, s, rest, -2)))
    return [u, s, vt], [du, ds, dvt]


def _svd_draw(rng: Generator, lead: Shape, dtype: DType) -> list[Example]:
    made: list[Example] = []
    for k, (m, n) in enumerate(OBLONG):
        attrs = {"full_matrices": m == n and k % 2 == 0, "compute_uv": bool(rng.integers(4))}
        made.append(((TensorType((*lead, m, n), dtype),), attrs))
    return made


svd: OpDef = record(
    "svd",
    "u, s, vt with (u · s) vt = a: orthonormal columns, the singular values in decreasing order, "
    "orthonormal rows; min(m, n) of them, or with full_matrices all. Without compute_uv s alone.",
    _svd_infer,
    _svd_reference,
    drawn(_svd_draw),
    Domain(-2, 2),
    linearise=lambda b, node, xs, ys, ts: svd_with_tangents(b, node, xs, ts)[1],
)
