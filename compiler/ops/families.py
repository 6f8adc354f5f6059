"""What the members of a family share: type rules, batching, derivatives. Records stay short.

Takes: the special part of an op. Gives: complete OpDef records, entered in the table.
Must not know: the frontend's promotion rules: here operands have equal dtypes already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError, TypeRuleError
from ..graph import Builder, Node, Value
from ..opdef import (
    OPS,
    Array,
    Attrs,
    Domain,
    EdgeCase,
    Facts,
    OpDef,
    Parts,
    Tangents,
    Types,
    define,
)
from ..scalars import Scalars
from ..types import COMPLEX, DType, TensorType, f32
from . import draws

Partial = Callable[..., Value]
ScalarRule = Callable[..., Value]

NO_FACTS = Facts()
ANY_DOMAIN = Domain()


# -- type rules --------------------------------------------------------------------------
def require(condition: bool, message: str) -> None:
    """Raise TypeRuleError with the message where the condition fails."""
    if not condition:
        raise TypeRuleError(message)


def require_shape(condition: bool, message: str) -> None:
    """Raise ShapeError with the message where the condition fails."""
    if not condition:
        raise ShapeError(message)


def describe(types: Types) -> str:
    """`f32[3], f32[4]` for messages."""
    return ", ".join(t.short for t in types)


def same_operands(name: str, types: Types, dtypes: Sequence[DType]) -> TensorType:
    """All operands of one type, whose dtype is among `dtypes`; returns it."""
    first = types[0]
    if first.dtype in dtypes and all(t == first for t in types):
        return first  # messages cost more than everything else here: only made where they are shown
    for t in types:
        require(
            t.dtype in dtypes,
            f"{name} does not take {t.dtype}; it takes {', '.join(map(str, dtypes))}",
        )
        require(
            t.dtype is first.dtype,
            f"{name} needs operands of one dtype, got {describe(types)}",
        )
        require_shape(
            t.shape == first.shape,
            f"{name} needs operands of one shape, got {describe(types)}",
        )
    return first


def arity(name: str, types: Types, count: int) -> None:
    """Raise where the number of operands is not `count`."""
    if len(types) != count:
        raise TypeRuleError(f"{name} takes {count} operands, got {len(types)}")


# -- elementwise -------------------------------------------------------------------------
def elementwise(
    name: str,
    doc: str,
    reference: Callable[..., Any],
    scalar: ScalarRule,
    *,
    operands: int = 1,
    on: Sequence[DType],
    result: DType | None = None,
    partials: Sequence[Partial | None] | None = None,
    linearise: Any = None,
    transpose: Any = None,
    no_gradient: str = "",
    facts: Facts = NO_FACTS,
    domain: Domain = ANY_DOMAIN,
    cost: float = 1.0,
    ulp: float = 0.0,
    edge_cases: tuple[EdgeCase, ...] = (),
    parts: Parts | None = None,
) -> OpDef:
    """A record of the elementwise family: every operand and the result have one shape.

    `scalar(s, *xs, dtype=…)` is its code on one element, told the logical dtype of the first
    operand. f16 and bf16 are widened to f32 around it. `partials[k](b, answer, *xs)` is
    ∂answer/∂x_k, None for one that is zero. `result` is the result dtype where it is not the
    operands'. With `parts` it takes complex operands too.
    """
    accepted = tuple(on) if parts is None else (*on, *COMPLEX)

    def infer(types: Types, attrs: Attrs) -> Types:
        arity(name, types, operands)
        first = same_operands(name, types, accepted)
        return (TensorType(first.shape, result) if result else first,)

    def refer(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
        exact = outs[0].dtype.numpy if outs[0].dtype.name != "bf16" else np.dtype(np.float32)
        with np.errstate(all="ignore"):
            return [np.asarray(reference(*arrays)).astype(exact)]

    linear_rule = linearise
    if partials is not None:
        linear_rule = from_partials(partials)
    return define(
        OpDef(
            name=name,
            family="elementwise",
            doc=doc,
            infer=infer,
            reference=refer,
            scalar=widened(scalar),
            linearise=linear_rule,
            transpose=transpose,
            no_gradient=no_gradient,
            batch=batch_elementwise,
            parts=parts,
            facts=facts,
            domain=domain,
            cost=cost,
            ulp=ulp,
            dtypes=tuple(on),
            edge_cases=edge_cases,
            examples=draws.elementwise(on, operands),
            extra={"operands": operands},
        )
    )


def widened(rule: ScalarRule) -> ScalarRule:
    """The rule with f16 and bf16 operands computed in f32, the result rounded back."""

    def apply(s: Scalars, *xs: Value, dtype: DType, **attrs: Any) -> Value:
        if not (dtype.is_float and dtype.bits == 16):
            return rule(s, *xs, dtype=dtype, **attrs)
        wide = [s.resize_float(x, f32) if x.type.dtype is dtype else x for x in xs]
        value = rule(s, *wide, dtype=f32, **attrs)
        return s.resize_float(value, dtype) if value.type.dtype is f32 else value

    return apply


def from_partials(partials: Sequence[Partial | None]) -> Any:
    """The linearisation of an op that states its partial derivatives: Σ ∂y/∂x_k · t_k."""

    def linearise(
        b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
    ) -> Tangents:
        total: Value | None = None
        for partial, tangent in zip(partials, ts):
            if partial is None or tangent is None:
                continue
            term = OPS["mul"](b, partial(b, ys[0], *xs), tangent)
            total = term if total is None else OPS["add"](b, total, term)
        return [total]

    return linearise


def batch_elementwise(
    b: Builder, node: Node, xs: Sequence[Value], axes: Sequence[int | None], size: int
) -> tuple[Sequence[Value], Sequence[int | None]]:
    """Move every batch axis to the front, broadcast what has none, apply."""
    fronted = [move_axis_to_front(b, x, axis, size) for x, axis in zip(xs, axes)]
    op = OPS[node.op]
    return [op(b, *fronted, **node.attrs)], [0]


def move_axis_to_front(b: Builder, x: Value, axis: int | None, size: int) -> Value:
    """x with its batch axis first; without a batch axis, x repeated `size` times."""
    rank = len(x.shape)
    if axis is None:
        return OPS["broadcast"](b, x, shape=(size, *x.shape), axes=tuple(range(1, rank + 1)))
    if axis == 0:
        return x
    order = (axis, *(k for k in range(rank) if k != axis))
    return OPS["transpose"](b, x, permutation=order)
