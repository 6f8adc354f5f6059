"""Rewrites what kernels do not know into what they do, before fusion: `scan` is a `while` that
counts, `solve` a factorisation and two triangular solves, a complex array one of real pairs.

Takes: a decomposed Graph. Gives: an equal Graph for fusion. Must not know: fusion, schedules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..graph import Builder, Graph, Node, Value, rewrite
from ..opdef import OPS
from ..ops.indexing import take_along
from ..ops.matrices import PAIRS
from ..ops.source import constant, iota
from ..ops.windows import written_out
from ..types import TensorType, bf16, f16, i32, i64


def expand(graph: Graph) -> Graph:
    """The graph with only ops that fusion or the program lowering takes."""
    graph = _of_pairs(graph)
    while any(_handler(node) for node in graph.nodes):
        graph = rewrite(graph, _replace)
    return graph


def _of_pairs(graph: Graph) -> Graph:
    """The graph on real pairs, where it takes or gives complex arrays: what is left of them."""
    types = (*graph.param_types, *graph.result_types)
    if not any(t.dtype.is_complex for t in types):
        return graph
    b = Builder(name=graph.name)
    mapping = {}
    for param, name in zip(graph.params, graph.param_names):
        mapping[param] = b.param(_pairs_type(param.type), name)

    def replace(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        return inputs if node.op in ("as_pairs", "from_pairs") else None

    return b.graph(b.inline(graph.results, mapping, graph.locs, replace))


def _pairs_type(type: TensorType) -> TensorType:
    if not type.dtype.is_complex:
        return type
    return TensorType((*type.shape, 2), type.dtype.part)


def _handler(node: Node):  # type: ignore[no-untyped-def]
    if node.op == "scan":
        return _scan
    if node.op == "solve":
        return _solve
    if node.op == "reduce_window" and _is_small(node):
        return lambda b, node, inputs: [written_out(b, node, inputs[0])]
    if _follows_rows(node):
        return _by_rows
    reduces = OPS[node.op].family in ("reduction", "window")
    reduces_nothing = reduces and node.attrs.get("axes", node.inputs[0].shape) == ()
    if node.op in ("named", "stop_gradient") or reduces_nothing:
        return lambda b, node, inputs: inputs
    return None


SMALL_WINDOW = 9
"""Up to so many elements, pooling is a map over strided slices: no accumulator stands in memory."""


def _is_small(node: Node) -> bool:
    """Whether a window is worth writing out. Where it is padded, each slice would look for edges;
    sums of 16-bit floats are accumulated in 32 bits, which a chain of additions would not do."""
    attrs, x = node.attrs, node.inputs[0]
    plain = not any((*attrs["low"], *attrs["high"])) and set(attrs["base_dilation"]) <= {1}
    narrow = attrs["op"] == "sum" and x.type.dtype in (f16, bf16)
    sized = x.type.size and node.types[0].size
    few = math.prod(attrs["window"]) <= SMALL_WINDOW
    return bool(plain and few and sized and not narrow and x.op != "pad")


def _replace(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    handler = _handler(node)
    return None if handler is None else handler(b, node, inputs)


# -- reductions of what rows make -----------------------------------------------------------------
LOOKED_AT = 64
"""Nodes before a reduction that are looked at for reductions of rows."""


def _follows_rows(node: Node) -> bool:
    """Whether a reduction over the last axis and others is of values that depend on reductions
    over the last one alone, such as the sum of a normalised matrix.

    Row by row it is part of the pass that makes those; 16-bit floats would be rounded between.
    """
    if node.op not in ("reduce_sum", "reduce_max", "reduce_min"):
        return False
    x, axes = node.inputs[0], node.attrs["axes"]
    last = len(x.shape) - 1
    if len(axes) < 2 or last not in axes or x.type.dtype in (f16, bf16) or not x.type.size:
        return False
    pending, seen = [x.node], {x.node}
    while pending and len(seen) <= LOOKED_AT:
        found = pending.pop()
        if found.op == "param":
            continue
        family = OPS[found.op].family
        if family == "reduction" and found.types[0].shape == x.shape[:-1]:
            if tuple(found.attrs["axes"]) == (last,):
                return True
        elif family == "elementwise" or (
            found.op == "broadcast" and found.attrs["axes"] == tuple(range(last))
        ):
            fresh = {v.node for v in found.inputs} - seen
            seen |= fresh
            pending.extend(fresh)
    return False


def _by_rows(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value]:
    """The last axis first, then the others."""
    last = len(inputs[0].shape) - 1
    others = tuple(k for k in node.attrs["axes"] if k != last)
    rows = OPS[node.op](b, inputs[0], axes=(last,))
    return [OPS[node.op](b, rows, axes=others)]


# -- scan ---------------------------------------------------------------------------------
def _scan(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value]:
    """A while loop that counts; rows are sliced off the inputs and written into the stacked
    results.
    """
    attrs, body = node.attrs, node.attrs["body"]
    n_const, n_carry, length = attrs["n_const"], attrs["n_carry"], attrs["length"]
    stacked = list(inputs[n_const + n_carry :])
    carry = list(inputs[n_const : n_const + n_carry])
    made = [constant(b, 0, t.dtype, t.shape) for t in node.types[n_carry:]]
    if length == 0:
        return [*carry, *made]
    captured = [*inputs[:n_const], *stacked]
    carried = [constant(b, 0, i64), *carry, *made]
    types = [v.type for v in (*captured, *carried)]
    loop = OPS["while"].many(
        b,
        *captured,
        *carried,
        cond=_scan_test(types, len(captured), length),
        body=_scan_body(types, body, len(captured), n_const, n_carry, length, attrs["reverse"]),
        n_const=len(captured),
    )
    return loop[1:]


def _scan_test(types: Sequence[TensorType], captured: int, length: int) -> Graph:
    b = Builder(name="cond")
    params = [b.param(t) for t in types]
    return b.graph([OPS["less"](b, params[captured], constant(b, length, i64))])


def _scan_body(
    types: Sequence[TensorType],
    body: Graph,
    captured: int,
    n_const: int,
    n_carry: int,
    length: int,
    reverse: bool,
) -> Graph:
    b = Builder(name="body")
    params = [b.param(t) for t in types]
    counter = params[captured]
    carry = params[captured + 1 : captured + 1 + n_carry]
    made = params[captured + 1 + n_carry :]
    row = OPS["sub"](b, constant(b, length - 1, i64), counter) if reverse else counter
    rows = [_row(b, x, row) for x in params[n_const:captured]]
    mapping = dict(zip(body.params, [*params[:n_const], *carry, *rows]))
    results = b.inline(body.results, mapping, body.locs)
    stacked = [_put_row(b, y, new, row) for y, new in zip(made, results[n_carry:])]
    step = OPS["add"](b, counter, constant(b, 1, i64))
    return b.graph([step, *results[:n_carry], *stacked])


def _starts(b: Builder, row: Value, rank: int) -> list[Value]:
    return [row, *[constant(b, 0, i64)] * (rank - 1)]


def _row(b: Builder, x: Value, row: Value) -> Value:
    rank, inner = len(x.shape), x.shape[1:]
    piece = OPS["dynamic_slice"](b, x, *_starts(b, row, rank), sizes=(1, *inner))
    return OPS["reshape"](b, piece, shape=inner)


def _put_row(b: Builder, y: Value, new: Value, row: Value) -> Value:
    piece = OPS["reshape"](b, new, shape=(1, *new.shape))
    return OPS["dynamic_update_slice"](b, y, piece, *_starts(b, row, len(y.shape)))


# -- solve --------------------------------------------------------------------------------
def _solve(b: Builder, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value]:
    """Through the factors of P a = L U, which all solves with the same a share: x = U⁻¹ L⁻¹ P y,
    and of aᵀ it is Pᵀ L⁻ᵀ U⁻ᵀ y.
    """
    a, y = inputs
    attrs = {key: value for key, value in node.attrs.items() if key == PAIRS}
    factors, _, permutation = OPS["lu"].many(b, a, **attrs)
    rank, transpose = len(permutation.shape) + 1, node.attrs["transpose"]

    def moved(x: Value, rows: Value) -> Value:
        places = OPS["broadcast"](b, rows, shape=x.shape, axes=tuple(range(rank - 1)))
        return take_along(b, x, places, rank - 2)

    def solved(x: Value, lower: bool) -> Value:
        flags = {"lower": lower, "unit_diagonal": lower, "transpose": transpose, **attrs}
        return OPS["triangular_solve"](b, factors, x, left_side=True, **flags)

    if not transpose:
        return [solved(solved(moved(y, permutation), True), False)]
    places = iota(b, shape=permutation.shape, axis=rank - 2, dtype=i32)
    inverse = OPS["sort"].many(b, permutation, places, axis=rank - 2, num_keys=1)[1]
    return [moved(solved(solved(y, False), True), inverse)]
