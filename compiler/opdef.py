"""One record per op: all that lazir knows about it, and the table of all records.

Takes: the fields of a record. Gives: `OpDef`, whose call builds a node, and `OPS`, the op table.
Families (`ops/families.py`) fill in what their members share; a half-defined op fails at import.
Must not know: any particular op.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .errors import DifferentiationError, LazirError
from .graph import Builder, Node, Value
from .types import DType, TensorType

Attrs: TypeAlias = Mapping[str, Any]
Types: TypeAlias = tuple[TensorType, ...]
Array: TypeAlias = np.ndarray[Any, Any]

Infer: TypeAlias = Callable[[Types, Attrs], Types]
"""Operand types and attributes to result types; raises TypeRuleError or ShapeError."""

Reference: TypeAlias = Callable[[Sequence[Array], Attrs, Types, Types], Sequence[Array]]
"""`(arrays, attrs, operand types, result types)` to arrays: the meaning of the op. bf16 arrives as
float32 values that bf16 can hold and leaves as float32, which whoever runs the record rounds to
bf16 (`ops.control.evaluate`); everything else is in its own NumPy dtype."""

Tangents: TypeAlias = Sequence["Value | None"]
Linearise: TypeAlias = Callable[
    [Builder, Node, Sequence[Value], Sequence[Value], Tangents], Tangents
]
"""`(builder, node, inputs, outputs, input tangents)` to output tangents, built of linear ops alone.
A tangent None is zero. At least one input tangent is given."""

Transpose: TypeAlias = Callable[
    [Builder, Node, Sequence["Value | None"], Tangents], Sequence["Value | None"]
]
"""`(builder, node, inputs, output cotangents)` to input cotangents. An input that the transposition
is with respect to arrives as None (its type is `node.inputs[k].type`); the others' cotangents are
ignored."""

Batch: TypeAlias = Callable[
    [Builder, Node, Sequence[Value], Sequence["int | None"], int],
    tuple[Sequence[Value], Sequence["int | None"]],
]
"""`(builder, node, inputs, batch axis of each input or None, batch size)` to results and their
batch axes."""

Examples: TypeAlias = Callable[[np.random.Generator], "list[tuple[Types, dict[str, Any]]]"]
"""`(rng)` to a list of operand types and attributes that the op accepts."""


class Pair(NamedTuple):
    """A complex value as its real and its imaginary part, two real values."""

    re: Value
    im: Value


Part: TypeAlias = "Value | Pair"
Parts: TypeAlias = Callable[[Builder, Node, Sequence[Part]], Sequence[Part]]
"""`(builder, node, inputs)` to results, where complex values are pairs: the op in real ops. Called
where an operand or a result is complex."""

EdgeCase: TypeAlias = tuple[tuple[float, ...], float]
"""Operand values and the result they must give; NaN stands for any NaN, and −0 is told from +0."""


@dataclass(frozen=True)
class Domain:
    """Where derived tests draw inputs: float range, integer range, and which dtypes are accepted.

    `smooth` is false where the derivative is not checked by finite differences everywhere.
    """

    low: float = -4.0
    high: float = 4.0
    int_low: int = -100
    int_high: int = 100
    smooth: bool = True


@dataclass(frozen=True)
class Facts:
    """Algebra that holds for the op as it is on floats too (inf·0 is NaN, −0 is not 0).

    `unit`: a right operand that changes nothing (any dtype, bit for bit). `commutative`: for bits.
    `idempotent`: f(f(x)) = f(x) for unary, f(x, x) = x for binary. `involution`: f(f(x)) = x.
    """

    unit: int | float | None = None
    commutative: bool = False
    idempotent: bool = False
    involution: bool = False


@dataclass(frozen=True, kw_only=True)
class OpDef:
    """All that is known of one primitive. Calling it builds a node: `add(builder, x, y)`.

    `family` names the lowering route; exactly the route's own field may be set:

    | family | field | meaning of the field |
    |---|---|---|
    | elementwise | `scalar` | scalar code of one output element (`scalars.py`) |
    | movement | `index` | output index to input index (`fuse`), a view |
    | reduction | `combine` | the scalar op that joins two elements, and its unit |
    | others | `route` | the name of the pass that lowers it (`contract`, `control`, …) |

    `ulp` bounds the error of a float result in units in the last place of the dtype that it is
    computed in (f32 for 16-bit floats, which are rounded afterwards): 0 is exact, 0.5 correctly
    rounded. Of a sum of n terms the bound is n · ulp units in the last place of Σ|terms|, of a
    product of n factors n · ulp of the product.
    """

    name: str
    family: str
    doc: str
    infer: Infer
    reference: Reference
    linearise: Linearise | None = None
    transpose: Transpose | None = None
    batch: Batch | None = None
    no_gradient: str = ""  # why there is no derivative ("integer result"); shown to the user
    facts: Facts = Facts()
    domain: Domain = Domain()
    cost: float = 1.0  # machine operations per element, for fusion
    ulp: float = 0.0  # error bound, see below
    scalar: Callable[..., Any] | None = None
    index: Callable[..., Any] | None = None
    combine: Callable[..., Any] | None = None
    route: str = ""
    parts: Parts | None = None  # the op on complex numbers; it takes them where this is given
    dtypes: tuple[DType, ...] = ()  # operand dtypes it accepts (first operand), for tests and docs
    examples: Examples | None = None  # draws operand types and attributes for derived tests
    edge_cases: tuple[EdgeCase, ...] = ()  # operands and the result they must give, for floats
    effects: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, builder: Builder, *inputs: Value, **attrs: Any) -> Value:
        """Build the node and give its first result."""
        return self.node(builder, inputs, attrs).result

    def many(self, builder: Builder, *inputs: Value, **attrs: Any) -> tuple[Value, ...]:
        """Build the node and give all its results."""
        return self.node(builder, inputs, attrs).results

    def node(self, builder: Builder, inputs: Sequence[Value], attrs: Attrs) -> Node:
        """Build the node; a type error carries the user's line."""
        operands = tuple(inputs)
        locs = builder.here()
        try:
            types = self.infer(tuple(v.type for v in operands), attrs)
        except LazirError as error:
            if error.loc is None and locs:
                raise type(error)(error.message, locs[0]) from None
            raise
        return builder.add(self.name, operands, attrs, types, locs)


OPS: dict[str, OpDef] = {}


@dataclass(frozen=True)
class BodyRules:
    """How the transforms treat an op whose meaning is in a Graph attribute.

    They rewrite that Graph, so they are supplied by the layer above, in `BODY_RULES`; the op's
    record finds them there by `body_rule`.
    """

    linearise: Linearise | None = None
    transpose: Transpose | None = None
    batch: Batch | None = None


BODY_RULES: dict[str, BodyRules] = {}
"""Filled by `lazir.compiler.autodiff`, one entry per op that carries bodies."""


def body_rule(op: str, kind: str) -> Callable[..., Any]:
    """The `kind` (linearise, transpose, batch) of `op`, looked up in BODY_RULES when it is used."""

    def rule(b: Builder, node: Node, *rest: Any) -> Any:
        found = getattr(BODY_RULES.get(op), kind, None)
        if found is None:
            raise DifferentiationError(
                f"there is no rule to {kind} {op}: import lazir.compiler.autodiff"
            )
        return found(b, node, *rest)

    return rule


_ROUTES = {"elementwise": "scalar", "movement": "index", "reduction": "combine"}


def define(op: OpDef) -> OpDef:
    """Enter a record into the table. ValueError where it is half-defined or defined twice."""
    if op.name in OPS:
        raise ValueError(f"op {op.name} is defined twice")
    wanted = _ROUTES.get(op.family, "route")
    given = [f for f in ("scalar", "index", "combine", "route") if getattr(op, f)]
    if given != [wanted]:
        raise ValueError(f"op {op.name} of family {op.family} needs exactly {wanted}, has {given}")
    if not op.doc:
        raise ValueError(f"op {op.name} has no documentation")
    if op.batch is None:
        raise ValueError(f"op {op.name} has no batching rule")
    if op.linearise is None and not op.no_gradient:
        raise ValueError(f"op {op.name} has neither a linearisation nor a reason for having none")
    OPS[op.name] = op
    return op


def with_fields(op: OpDef, **changes: Any) -> OpDef:
    """A copy of the record with other fields, not entered in the table (tests make mutants so)."""
    return replace(op, **changes)
