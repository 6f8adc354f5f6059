"""Ops that carry Graphs: cond, while, scan, call; and barrier, which orders without a body.

Takes: operands, closed Graphs as attributes (captures are explicit leading operands). Gives:
records, and `evaluate`, which runs a Graph in NumPy. Derivatives and batching rewrite the bodies:
the layer above supplies them in `opdef.BODY_RULES`. Must not know: how a Graph is differentiated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Builder, Graph, Node, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Tangents, Types, body_rule, define
from ..types import DType, TensorType, bf16, f32, f64, i1, i32
from . import draws
from .arithmetic import add, mul
from .families import describe, require, require_shape
from .logic import greater, less
from .source import bf16_bits, bf16_values, constant, scalar_like


def evaluate(graph: Graph, arrays: Sequence[Array]) -> list[Array]:
    """The results of `graph` on arrays, node by node by the records' references.

    bf16 arrays are float32 values that bf16 can hold, here and in every record.
    """
    values = {p: np.asarray(a) for p, a in zip(graph.params, arrays, strict=True)}
    for node in graph.nodes:
        operands = [values[v] for v in node.inputs]
        ins = tuple(v.type for v in node.inputs)
        results = OPS[node.op].reference(operands, node.attrs, ins, node.types)
        for k, (result, type) in enumerate(zip(results, node.types, strict=True)):
            rounded = bf16_values(bf16_bits(result)) if type.dtype is bf16 else result
            values[Value(node, k)] = np.asarray(rounded)
    return [values[v] for v in graph.results]


# -- what the type rules share ---------------------------------------------------------------
def _require_graph(name: str, label: str, graph: Any) -> None:
    require(isinstance(graph, Graph), f"{name}: {label} must be a Graph, got {graph!r}")


def _require_params(name: str, label: str, graph: Graph, wanted: Types) -> None:
    require(
        graph.param_types == wanted,
        f"{name}: {label} takes ({describe(graph.param_types)}) but is given ({describe(wanted)})",
    )


def _require_carry(name: str, label: str, got: Types, wanted: Types) -> None:
    """A carry that comes out of a body must have the types that went in."""
    require(
        len(got) == len(wanted),
        f"{name}: {label} must return {len(wanted)} carried values, it returns {len(got)}",
    )
    for k, (out, into) in enumerate(zip(got, wanted)):
        require(
            out == into,
            f"{name}: carried value {k} goes into {label} as {into.short} and comes out as "
            f"{out.short}; convert or reshape it to {into.short}",
        )


def _require_count(name: str, label: str, count: Any, limit: int) -> None:
    require(
        isinstance(count, int) and 0 <= count <= limit,
        f"{name}: {label} must be from 0 to the number of operands {limit}, got {count!r}",
    )


# -- cond ------------------------------------------------------------------------------------
def _cond_infer(types: Types, attrs: Attrs) -> Types:
    branches = attrs["branches"]
    require(bool(types), "cond needs a condition")
    require(isinstance(branches, tuple) and bool(branches), "cond needs a tuple of branch Graphs")
    which, *operands = types
    require(
        which.rank == 0 and which.dtype in (i1, i32),
        f"cond: the condition must be a bool or i32 scalar, got {which.short}; "
        "for a condition per element use where",
    )
    require(
        which.dtype is i32 or len(branches) == 2,
        f"cond: a bool chooses between 2 branches, got {len(branches)}",
    )
    for k, branch in enumerate(branches):
        _require_graph("cond", f"branch {k}", branch)
        _require_params("cond", f"branch {k}", branch, tuple(operands))
        require(
            branch.result_types == branches[0].result_types,
            f"cond: branches must return the same types; branch 0 returns "
            f"({describe(branches[0].result_types)}), branch {k} ({describe(branch.result_types)})",
        )
    return branches[0].result_types  # type: ignore[no-any-return]


def _cond_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    branches = attrs["branches"]
    chosen = min(max(int(arrays[0]), 0), len(branches) - 1)
    return evaluate(branches[chosen], arrays[1:])


def _body(params: Sequence[TensorType], build: Any, name: str = "body") -> Graph:
    """The Graph of `build(b, *params)`."""
    b = Builder(name=name)
    values = [b.param(t) for t in params]
    return b.graph(build(b, *values))


def _control(
    name: str, doc: str, infer: Any, reference: Any, examples: Any, **fields: Any
) -> OpDef:
    """A record whose derivative and batching come from `BODY_RULES`."""
    return define(
        OpDef(
            name=name,
            family="control",
            route="control",
            doc=doc,
            infer=infer,
            reference=reference,
            examples=examples,
            domain=Domain(-1.5, 1.5, -2, 4),
            **{
                "linearise": body_rule(name, "linearise"),
                "transpose": body_rule(name, "transpose"),
                "batch": body_rule(name, "batch"),
                **fields,
            },
        )
    )


def _floats(rng: draws.Generator) -> TensorType:
    dtype: DType = draws.pick(rng, (f32, f64))
    return TensorType(draws.pick(rng, ((), (3,), (2, 5))), dtype)


def _cond_examples(rng: draws.Generator) -> list[draws.Example]:
    x, y = _floats(rng), _floats(rng)
    first = _body((x, x), lambda b, u, v: [add(b, u, v), mul(b, u, u)])
    second = _body((x, x), lambda b, u, v: [mul(b, u, v), v])
    third = _body((x, x), lambda b, u, v: [u, u])
    unary = _body((y,), lambda b, u: [mul(b, u, u)])
    return [
        ((TensorType((), i1), x, x), {"branches": (first, second)}),
        ((TensorType((), i32), x, x), {"branches": (first, second, third)}),
        ((TensorType((), i32), y), {"branches": (unary,)}),
    ]


cond = _control(
    "cond",
    "One of several branches: branch 1 where a bool is true, else 0; an i32 counts, clamped.",
    _cond_infer,
    _cond_reference,
    _cond_examples,
)


# -- while -----------------------------------------------------------------------------------
def _while_infer(types: Types, attrs: Attrs) -> Types:
    test, body, n_const = attrs["cond"], attrs["body"], attrs["n_const"]
    _require_count("while", "n_const", n_const, len(types))
    for label, graph in (("the condition", test), ("the body", body)):
        _require_graph("while", label, graph)
        _require_params("while", label, graph, types)
    require(
        test.result_types == (TensorType((), i1),),
        f"while: the condition must return one bool scalar, it returns "
        f"({describe(test.result_types)}); reduce with any or all",
    )
    _require_carry("while", "the body", body.result_types, types[n_const:])
    return types[n_const:]


def _while_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    n_const = attrs["n_const"]
    consts, carry = list(arrays[:n_const]), list(arrays[n_const:])
    while bool(evaluate(attrs["cond"], consts + carry)[0]):
        carry = evaluate(attrs["body"], consts + carry)
    return carry


def _while_examples(rng: draws.Generator) -> list[draws.Example]:
    """`i` counts up to a limit while x is replaced by a·x + i."""
    made: list[draws.Example] = []
    for limit in (0, 1, 5):
        x, counter = _floats(rng), TensorType((), i32)
        params = (x, counter, x)

        def test(b: Builder, a: Value, i: Value, v: Value, limit: int = limit) -> list[Value]:
            return [less(b, i, constant(b, limit, i32))]

        def body(b: Builder, a: Value, i: Value, v: Value) -> list[Value]:
            number = OPS["convert"](b, i, dtype=v.type.dtype)
            spread = OPS["broadcast"](b, number, shape=v.shape, axes=())
            return [add(b, i, constant(b, 1, i32)), add(b, mul(b, a, v), spread)]

        graphs = {"cond": _body(params, test, "cond"), "body": _body(params, body)}
        made.append((params, {**graphs, "n_const": 1}))
    return made


while_ = _control(
    "while",
    "The carry after as many runs of the body as the condition holds before.",
    _while_infer,
    _while_reference,
    _while_examples,
)


def _bounded_infer(types: Types, attrs: Attrs) -> Types:
    steps = attrs["max_steps"]
    require(
        isinstance(steps, int) and steps >= 0, f"bounded_while: max_steps must be ≥ 0, got {steps}"
    )
    return _while_infer(types, attrs)


def _bounded_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    n_const = attrs["n_const"]
    consts, carry = list(arrays[:n_const]), list(arrays[n_const:])
    for _ in range(attrs["max_steps"]):
        if not bool(evaluate(attrs["cond"], consts + carry)[0]):
            break
        carry = evaluate(attrs["body"], consts + carry)
    return carry


bounded_while = _control(
    "bounded_while",
    "As while, for max_steps runs of the body at most; that many its derivatives go through.",
    _bounded_infer,
    _bounded_reference,
    lambda rng: [
        (types, {**attrs, "max_steps": steps})
        for (types, attrs), steps in zip(_while_examples(rng), (3, 0, 4))
    ],
)


# -- scan ------------------------------------------------------------------------------------
def _scan_infer(types: Types, attrs: Attrs) -> Types:
    body, length = attrs["body"], attrs["length"]
    n_const, n_carry = attrs["n_const"], attrs["n_carry"]
    _require_count("scan", "n_const", n_const, len(types))
    _require_count("scan", "n_carry", n_carry, len(types) - n_const)
    require(isinstance(attrs["reverse"], bool), "scan: reverse must be a bool")
    require_shape(
        isinstance(length, int) and length >= 0, f"scan: length must be ≥ 0, got {length!r}"
    )
    _require_graph("scan", "the body", body)
    carry, stacked = types[n_const : n_const + n_carry], types[n_const + n_carry :]
    for x in stacked:
        require_shape(
            x.rank > 0 and x.shape[0] == length,
            f"scan over {length} steps: each stacked input needs a first axis of {length}, "
            f"got {x.short}",
        )
    slices = tuple(TensorType(x.shape[1:], x.dtype) for x in stacked)
    _require_params("scan", "the body", body, types[: n_const + n_carry] + slices)
    _require_carry("scan", "the body", body.result_types[:n_carry], carry)
    made = body.result_types[n_carry:]
    return carry + tuple(TensorType((length, *y.shape), y.dtype) for y in made)


def _scan_reference(
    arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types
) -> Sequence[Array]:
    n_const, n_carry, length = attrs["n_const"], attrs["n_carry"], attrs["length"]
    consts = list(arrays[:n_const])
    carry = list(arrays[n_const : n_const + n_carry])
    stacked = arrays[n_const + n_carry :]
    kinds = [np.dtype(np.float32) if t.dtype is bf16 else t.dtype.numpy for t in outs[n_carry:]]
    made = [np.zeros(t.shape, kind) for t, kind in zip(outs[n_carry:], kinds)]
    for k in reversed(range(length)) if attrs["reverse"] else range(length):
        results = evaluate(attrs["body"], [*consts, *carry, *(x[k] for x in stacked)])
        carry = results[:n_carry]
        for y, result in zip(made, results[n_carry:]):
            y[k] = result
    return [*carry, *made]


def _scan_examples(rng: draws.Generator) -> list[draws.Example]:
    """The carry becomes c·carry + x; its square is stacked."""
    made: list[draws.Example] = []
    for length, reverse in ((0, False), (1, True), (4, False), (5, True)):
        x = _floats(rng)
        rows = TensorType((length, *x.shape), x.dtype)

        def body(b: Builder, c: Value, carry: Value, row: Value) -> list[Value]:
            new = add(b, mul(b, c, carry), row)
            return [new, mul(b, new, new), row]

        attrs = {
            "body": _body((x, x, x), body), "n_const": 1, "n_carry": 1, "length": length,
            "reverse": reverse,
        }  # fmt: skip
        made.append(((x, x, rows), attrs))
    counter = _body((f := _floats(rng),), lambda b, carry: [mul(b, carry, carry)])
    attrs = {"body": counter, "n_const": 0, "n_carry": 1, "length": 3, "reverse": False}
    return [*made, ((f,), attrs)]


scan = _control(
    "scan",
    "The body once for each row of the stacked inputs, a carry going from one to the next; what "
    "else it returns is stacked.",
    _scan_infer,
    _scan_reference,
    _scan_examples,
)


# -- call ------------------------------------------------------------------------------------
def _call_infer(types: Types, attrs: Attrs) -> Types:
    body = attrs["body"]
    _require_graph("call", "the body", body)
    require(isinstance(attrs["name"], str), f"call needs a name, got {attrs['name']!r}")
    _require_params("call", attrs["name"] or "the body", body, types)
    return body.result_types  # type: ignore[no-any-return]


def _call_examples(rng: draws.Generator) -> list[draws.Example]:
    x = _floats(rng)

    def body(b: Builder, u: Value, v: Value) -> list[Value]:
        larger = OPS["select"](b, greater(b, u, scalar_like(b, 0, u)), mul(b, u, v), v)
        return [larger, add(b, u, larger)]

    return [((x, x), {"body": _body((x, x), body), "name": "inner"})]


call = _control(
    "call",
    "The results of a Graph that is kept apart (a function compiled or transformed on its own).",
    _call_infer,
    lambda arrays, attrs, ins, outs: evaluate(attrs["body"], arrays),
    _call_examples,
)


# -- barrier ---------------------------------------------------------------------------------
def _barrier_infer(types: Types, attrs: Attrs) -> Types:
    _require_count("barrier", "n", attrs["n"], len(types))
    return types[: attrs["n"]]


def _barrier_linearise(
    b: Builder, node: Node, xs: Sequence[Value], ys: Sequence[Value], ts: Tangents
) -> Tangents:
    """The tangents wait for the same values (which are primal: the op is linear in its first n)."""
    n = node.attrs["n"]
    moving = [t for t in ts[:n] if t is not None]
    held = iter(barrier.many(b, *moving, *xs[n:], n=len(moving)) if moving else ())
    return [None if t is None else next(held) for t in ts[:n]]


def _barrier_transpose(
    b: Builder, node: Node, xs: Sequence[Value | None], cts: Tangents
) -> Sequence[Value | None]:
    n = node.attrs["n"]
    after = [x for x in xs[n:] if x is not None]
    moving = [ct for ct in cts if ct is not None]
    held = iter(barrier.many(b, *moving, *after, n=len(moving)) if moving else ())
    back = [None if ct is None else next(held) for ct in cts]
    return [*back, *[None] * (len(xs) - n)]


def _barrier_batch(b: Builder, node: Node, xs: Any, axes: Any, size: int) -> Any:
    n = node.attrs["n"]
    return barrier.many(b, *xs, n=n), list(axes[:n])


barrier = _control(
    "barrier",
    "The first n operands, not before the others are known; no simplification looks through it.",
    _barrier_infer,
    lambda arrays, attrs, ins, outs: list(arrays[: attrs["n"]]),
    lambda rng: [((_floats(rng), _floats(rng), _floats(rng)), {"n": n}) for n in (1, 2, 3)],
    linearise=_barrier_linearise,
    transpose=_barrier_transpose,
    batch=_barrier_batch,
)
