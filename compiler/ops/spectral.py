"""Decompositions that iterate: `eigh` (LAPACK ?syevd) and `svd` (?gesdd).

Takes: a stack of matrices. Gives: eigenvalues or singular values, and vectors where wanted; NaN
where the iteration does not converge. Must not know: how they are computed.

Derivatives: M. B. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008, 3.1 and 3.2; J. Townsend, "Differentiating the singular value
decomposition", 2016 (rectangular matrices). Vectors of equal values are not determined: there the
derivatives of vectors are infinite or NaN; those of the values are right wherever they exist.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import DifferentiationError
from ..graph import Builder, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types
from ..types import DType, Shape, TensorType
from .draws import Example, Generator
from .matrices import (
    add,
    along,
    column_sums,
    drawn,
    each,
    flags,
    from_lower,
    matrix,
    mul,
    product,
    record,
    square,
    stacked,
    sub,
    turned,
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
    one = constant(b, 1, x.type.dtype, x.shape)
    factors = OPS["div"](b, one, OPS["select"](b, on, one, gaps))
    return mul(b, OPS["select"](b, on, zero(b, x), factors), x)


# -- eigh ------------------------------------------------------------------------------------
def _eigh_infer(types: Types, attrs: Attrs) -> Types:
    flags("eigh", attrs, ("vectors",))
    x = square("eigh", types)
    values = stacked(x, x.shape[-1])
    return (values, x) if attrs["vectors"] else (values,)


def _eigh_reference(a: Array, vectors: bool) -> list[Array]:
    if vectors:
        return each(lambda m: list(np.linalg.eigh(m)), a, 2)
    return each(lambda m: [np.linalg.eigvalsh(m)], a, 1)


def eigh_with_tangents(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    """The results and their tangents, from one decomposition: with P = Vᵀ dA V, the values move by
    P's diagonal, and the vectors by V (F∘P), F_ij = 1 / (w_j − w_i)."""
    (t,) = ts
    assert t is not None
    values, vectors = eigh.many(b, xs[0], vectors=True)
    moved = product(b, from_lower(b, t), vectors)
    dw = column_sums(b, vectors, moved)
    if not node.attrs["vectors"]:
        return [values], [dw]
    seen = product(b, vectors, moved, turn_x=True)
    gaps = sub(b, along(b, values, seen, -1), along(b, values, seen, -2))
    return [values, vectors], [dw, product(b, vectors, _over_gaps(b, seen, gaps))]


eigh: OpDef = record(
    "eigh",
    "The eigenvalues of symmetric matrices in increasing order, and where wanted eigenvectors in "
    "columns, of length 1 and either sign. Only the lower triangle is read.",
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
    if not attrs["compute_uv"]:
        return (stacked(x, k),)
    rows, columns = (m, n) if attrs["full_matrices"] else (k, k)
    return stacked(x, m, rows), stacked(x, k), stacked(x, columns, n)


def _svd_reference(a: Array, full_matrices: bool, compute_uv: bool) -> list[Array]:
    if compute_uv:
        return each(lambda m: list(np.linalg.svd(m, full_matrices)), a, 3)
    return each(lambda m: [np.linalg.svd(m, compute_uv=False)], a, 1)


def svd_with_tangents(
    b: Builder, node: Node, xs: Sequence[Value], ts: Tangents
) -> tuple[Sequence[Value], Tangents]:
    """The results and their tangents, from one decomposition.

    With P = Uᵀ dA V and F_ij = 1 / (s_j² − s_i²): s moves by P's diagonal, U by
    U (F∘(P S + S Pᵀ)), V by V (F∘(S P + Pᵀ S)); and what U or V does not span by the rest of
    dA V S⁻¹ or dAᵀ U S⁻¹.
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
    right = product(b, t, vt, turn_y=True)
    ds = column_sums(b, u, right)
    if not attrs["compute_uv"]:
        return [s], [ds]
    seen = product(b, u, right, turn_x=True)
    across, down = along(b, s, seen, -1), along(b, s, seen, -2)
    gaps = mul(b, sub(b, across, down), add(b, across, down))
    by_column, by_row = mul(b, seen, across), mul(b, seen, down)
    du = product(b, u, _over_gaps(b, add(b, by_column, turned(b, by_column)), gaps))
    dv = _over_gaps(b, add(b, by_row, turned(b, by_row)), gaps)
    dvt = product(b, dv, vt, turn_x=True)
    if m > n:
        rest = sub(b, right, product(b, u, seen))
        du = add(b, du, OPS["div"](b, rest, along(b, s, rest, -1)))
    if n > m:
        left = product(b, u, t, turn_x=True)
        rest = sub(b, left, product(b, seen, vt))
        dvt = add(b, dvt, OPS["div"](b, rest, along(b, s, rest, -2)))
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
