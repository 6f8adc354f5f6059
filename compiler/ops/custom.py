"""Functions whose derivative is prescribed: custom_jvp, custom_vjp, checkpoint, stop_gradient;
and the names by which a checkpoint's policy knows values.

Takes: operands and closed Graphs as attributes. Gives: records that compute what the function does;
how they are differentiated the layer above supplies in `opdef.BODY_RULES`.
Must not know: how a Graph is differentiated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DifferentiationError
from ..graph import Builder, Graph, Value
from ..opdef import OPS, Array, Attrs, Domain, OpDef, Types, body_rule, define
from ..types import REAL, TensorType, f64
from .control import evaluate
from .draws import from_tensors
from .families import batch_elementwise, describe, elementwise, require
from .pairs import each


def _smooth(types: Types) -> Types:
    return tuple(t for t in types if t.dtype.is_inexact)


def _require_signature(name: str, label: str, graph: Any, params: Types, results: Types) -> None:
    require(isinstance(graph, Graph), f"{name}: {label} must be a Graph, got {graph!r}")
    require(
        graph.param_types == params,
        f"{name}: {label} must take ({describe(params)}), it takes ({describe(graph.param_types)})",
    )
    require(
        graph.result_types == results,
        f"{name}: {label} must return ({describe(results)}), it returns "
        f"({describe(graph.result_types)})",
    )


def _body(params: Sequence[TensorType], build: Any, name: str) -> Graph:
    b = Builder(name=name)
    values = [b.param(t) for t in params]
    return b.graph(build(b, *values))


def _record(name: str, doc: str, infer: Any, body: str, examples: Any, **fields: Any) -> OpDef:
    """A record that computes its attribute Graph `body`."""
    return define(
        OpDef(
            name=name,
            family="control",
            route="control",
            doc=doc,
            infer=infer,
            examples=examples,
            domain=Domain(-1.5, 1.5),
            **{
                "reference": lambda arrays, attrs, ins, outs: evaluate(attrs[body], arrays),
                "linearise": body_rule(name, "linearise"),
                "batch": body_rule(name, "batch"),
                **fields,
            },
        )
    )


# -- checkpoint --------------------------------------------------------------------------
SAVING = ("everything", "dots", "plain_dots", "only", "but", "except")
"""What terms of a policy may begin with; names follow the last three."""


def _checkpoint_infer(types: Types, attrs: Attrs) -> Types:
    body = attrs["body"]
    require(isinstance(body, Graph), f"checkpoint: the body must be a Graph, got {body!r}")
    _require_signature("checkpoint", "the body", body, types, body.result_types)
    for kind, *names in attrs.get("policy", ()):
        known = kind in SAVING and all(isinstance(n, str) for n in names)
        require(known, f"checkpoint: {(kind, *names)!r} is no term of a policy: {SAVING}")
    return body.result_types  # type: ignore[no-any-return]


def _square_and_product(b: Builder, x: Value, y: Value) -> list[Value]:
    return [OPS["mul"](b, x, x), OPS["mul"](b, OPS["mul"](b, x, y), y)]


def _checkpoint_examples(rng: np.random.Generator) -> list[Any]:
    x = TensorType((3,), f64)
    body = _body((x, x), _square_and_product, "inner")
    policy = (("dots",), ("only", "a", "b"))
    return [((x, x), {"body": body}), ((x, x), {"body": body, "policy": policy})]


checkpoint = _record(
    "checkpoint",
    "The results of a Graph whose intermediate values are computed again for the derivative, but "
    "those that `policy` saves.",
    _checkpoint_infer,
    "body",
    _checkpoint_examples,
    transpose=body_rule("checkpoint", "transpose"),
)


# -- custom_jvp --------------------------------------------------------------------------
def _custom_jvp_infer(types: Types, attrs: Attrs) -> Types:
    graph, rule = attrs["graph"], attrs["jvp"]
    require(isinstance(graph, Graph), f"custom_jvp: the function must be a Graph, got {graph!r}")
    results = graph.result_types
    _require_signature("custom_jvp", "the function", graph, types, results)
    _require_signature(
        "custom_jvp", "the rule", rule, types + _smooth(types), results + _smooth(results)
    )
    return results  # type: ignore[no-any-return]


def _custom_jvp_examples(rng: np.random.Generator) -> list[Any]:
    """x·y, whose rule is the product rule."""
    x = TensorType((2, 3), f64)
    graph = _body((x, x), lambda b, u, v: [OPS["mul"](b, u, v)], "product")

    def rule(b: Builder, u: Value, v: Value, du: Value, dv: Value) -> list[Value]:
        tangent = OPS["add"](b, OPS["mul"](b, du, v), OPS["mul"](b, u, dv))
        return [OPS["mul"](b, u, v), tangent]

    return [((x, x), {"graph": graph, "jvp": _body((x,) * 4, rule, "product_jvp")})]


custom_jvp = _record(
    "custom_jvp",
    "The results of `graph`; the Graph `jvp` takes its operands and their tangents (of floats) and "
    "gives its results and their tangents.",
    _custom_jvp_infer,
    "graph",
    _custom_jvp_examples,
)


# -- custom_vjp --------------------------------------------------------------------------
def _custom_vjp_infer(types: Types, attrs: Attrs) -> Types:
    graph, forward, backward = attrs["graph"], attrs["forward"], attrs["backward"]
    require(isinstance(graph, Graph), f"custom_vjp: the function must be a Graph, got {graph!r}")
    results = graph.result_types
    _require_signature("custom_vjp", "the function", graph, types, results)
    require(isinstance(forward, Graph), f"custom_vjp: forward must be a Graph, got {forward!r}")
    residuals = forward.result_types[len(results) :]
    _require_signature("custom_vjp", "forward", forward, types, results + residuals)
    _require_signature(
        "custom_vjp", "backward", backward, residuals + _smooth(results), _smooth(types)
    )
    return results  # type: ignore[no-any-return]


def _custom_vjp_examples(rng: np.random.Generator) -> list[Any]:
    """x·y, whose residuals are both factors."""
    x = TensorType((2, 3), f64)
    graph = _body((x, x), lambda b, u, v: [OPS["mul"](b, u, v)], "product")
    forward = _body((x, x), lambda b, u, v: [OPS["mul"](b, u, v), u, v], "product_forward")

    def back(b: Builder, u: Value, v: Value, ct: Value) -> list[Value]:
        return [OPS["mul"](b, ct, v), OPS["mul"](b, u, ct)]

    backward = _body((x, x, x), back, "product_backward")
    return [((x, x), {"graph": graph, "forward": forward, "backward": backward})]


custom_vjp = _record(
    "custom_vjp",
    "The results of `graph`; for reverse mode `forward` gives them and residuals, and `backward` "
    "takes residuals and cotangents of the float results to cotangents of the float operands.",
    _custom_vjp_infer,
    "graph",
    _custom_vjp_examples,
)


# -- what stands for a custom_vjp's tangents until it is transposed ----------------------------
FORWARD_MODE = (
    "forward mode through a function with custom_vjp: only its reverse rule is known; define it "
    "with custom_jvp, or use grad or vjp"
)


def _custom_linear_infer(types: Types, attrs: Attrs) -> Types:
    backward, count = attrs["backward"], attrs["n_residual"]
    require(isinstance(backward, Graph), f"custom_linear needs a Graph, got {backward!r}")
    residuals, cotangents = backward.param_types[:count], backward.param_types[count:]
    _require_signature("custom_linear", "backward", backward, residuals + cotangents, types[count:])
    return cotangents  # type: ignore[no-any-return]


def _refuse(arrays: Sequence[Array], attrs: Attrs, ins: Types, outs: Types) -> Sequence[Array]:
    raise DifferentiationError(FORWARD_MODE)


def _refuse_batch(*args: Any) -> Any:
    raise DifferentiationError(FORWARD_MODE)


custom_linear = define(
    OpDef(
        name="custom_linear",
        family="control",
        route="control",
        doc="The tangents of a custom_vjp: residuals and operand tangents to result tangents. It "
        "can only be transposed, to `backward`; a graph that is run never holds it.",
        infer=_custom_linear_infer,
        reference=_refuse,
        transpose=body_rule("custom_linear", "transpose"),
        batch=_refuse_batch,
        examples=lambda rng: [],
        no_gradient="only the reverse rule of a custom_vjp is known",
    )
)


# -- stop_gradient -----------------------------------------------------------------------
stop_gradient = elementwise(
    "stop_gradient",
    "x, as a constant to every derivative.",
    np.copy,
    lambda s, x, dtype: x,
    on=REAL,
    parts=each,
    partials=[None],
    domain=Domain(smooth=False),
    cost=0.0,
)


# -- named -------------------------------------------------------------------------------
def _named_infer(types: Types, attrs: Attrs) -> Types:
    require(len(types) == 1, f"named takes one operand, got {describe(types)}")
    require(isinstance(attrs["name"], str), f"named: the name is a str, got {attrs['name']!r}")
    return types


named = define(
    OpDef(
        name="named",
        family="elementwise",
        doc="x, under a name by which a checkpoint's policy may save it.",
        infer=_named_infer,
        reference=lambda arrays, attrs, ins, outs: [np.copy(arrays[0])],
        scalar=lambda s, x, dtype, attrs: x,
        linearise=lambda b, node, xs, ys, ts: list(ts),  # the name is the value's alone
        transpose=lambda b, node, xs, cts: list(cts),
        batch=batch_elementwise,
        parts=each,
        domain=Domain(),
        cost=0.0,
        dtypes=REAL,
        examples=from_tensors(REAL, lambda rng, x: ((x,), {"name": "a"})),
        extra={"operands": 1, "takes_attrs": True},
    )
)
