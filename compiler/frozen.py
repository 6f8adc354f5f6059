"""What a program computes from arrays that never change is taken out of it and computed once.

    f(x, w) = conv(x, w · scale)   →   before(w) = panels of w · scale;   after(x, p) = conv(x, p)

Weights of products and convolutions are laid out in panels as wide as the register tile, which is
how the loops read them best: otherwise they copy them so at every call.
Takes: a Graph, how many of its parameters are free, a Target. Gives: Frozen. Must not know: arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .graph import Builder, Graph, Node, Value, rewrite
from .opdef import OPS, Attrs
from .passes import optimize
from .target import Target
from .types import f32, f64

MOST_COLUMNS = 3
"""Vectors across the widest register tile; features that fit it are read in place anyway."""
LEAST_ROWS = 8
"""Places that a kernel element meets, from which on panels pay."""


@dataclass(frozen=True)
class Frozen:
    """`before`: from the frozen parameters to what `after` takes. `after` takes the free
    parameters, then the frozen ones numbered in `kept`, then the results of `before`."""

    before: Graph
    after: Graph
    kept: tuple[int, ...]


def freeze(graph: Graph, free: int, target: Target) -> Frozen:
    """Split `graph`, whose parameters from number `free` on never change."""
    graph = optimize(graph)
    fixed = _fixed(graph, free)
    graph = rewrite(graph, lambda b, node, inputs: _in_panels(b, node, inputs, fixed, target))
    fixed = _fixed(graph, free)
    found: dict[Value, None] = {}
    for node in graph.nodes:
        if node not in fixed:
            for value in node.inputs:
                _enter(value, fixed, found)
    for value in graph.results:
        _enter(value, fixed, found)
    frozen = graph.params[free:]
    kept = tuple(k for k, p in enumerate(frozen) if p in found)
    made = [v for v in found if v.node.op != "param"]
    return Frozen(_before(graph, free, made), _after(graph, free, kept, made), kept)


def _fixed(graph: Graph, free: int) -> set[Node]:
    """The nodes that depend on frozen parameters and constants alone, and may be moved."""
    fixed = {p.node for p in graph.params[free:]}
    for node in graph.nodes:
        record = OPS[node.op]
        if record.family == "control" or record.effects:
            continue
        if all(v.node in fixed for v in node.inputs):
            fixed.add(node)
    return fixed


def _enter(value: Value, fixed: set[Node], found: dict[Value, None]) -> None:
    """Note a value that is computed before; of a view that costs nothing, what it shows."""
    node = value.node
    if node not in fixed or (node.op != "param" and OPS[node.op].family == "source"):
        return
    if node.op in ("reshape", "broadcast"):
        _enter(node.inputs[0], fixed, found)
    else:
        found[value] = None


def _before(graph: Graph, free: int, made: Sequence[Value]) -> Graph:
    b = Builder(name=f"{graph.name}_before")
    names = graph.param_names[free:]
    mapping = {p: b.param(p.type, n) for p, n in zip(graph.params[free:], names)}
    return b.graph(b.inline(made, mapping, graph.locs))


def _after(graph: Graph, free: int, kept: Sequence[int], made: Sequence[Value]) -> Graph:
    b = Builder(name=graph.name)
    taken = [*range(free), *(free + k for k in kept)]
    mapping = {graph.params[k]: b.param(graph.params[k].type, graph.param_names[k]) for k in taken}
    mapping |= {v: b.param(v.type, "frozen") for v in made}
    params = list(mapping.values())
    return Graph(
        graph.name, params, b.inline(graph.results, mapping, graph.locs), b.locs, b.param_names
    )


# -- panels ----------------------------------------------------------------------------------------
def _in_panels(
    b: Builder, node: Node, inputs: tuple[Value, ...], fixed: set[Node], target: Target
) -> Sequence[Value] | None:
    """A product or convolution with its frozen weights in panels, where that pays."""
    if node.op not in ("conv", "dot_general"):
        return None
    x, weights = node.inputs
    if x.node in fixed or weights.node not in fixed or weights.type.dtype not in (f32, f64):
        return None
    attrs = dict(node.attrs) if node.op == "conv" else _as_conv(node)
    if attrs is None or set(attrs["rhs"]) & set("gp"):
        return None
    last = attrs["out"][-1] == "c"
    lanes = target.lanes(weights.type.dtype)
    features, width = node.types[0].shape[-1], 2 * lanes
    if not last or features % width or features <= MOST_COLUMNS * lanes:
        return None
    if node.types[0].size < LEAST_ROWS * features or not weights.type.size:
        return None
    kernel = inputs[1]
    if node.op == "dot_general":
        digits = len(attrs["stride"])
        kernel = OPS["reshape"](b, kernel, shape=(1,) * digits + kernel.shape)
    panels, attrs["rhs"] = _panels(b, kernel, attrs, width)
    return [OPS["conv"](b, inputs[0], panels, **attrs)]


def _as_conv(node: Node) -> dict[str, Any] | None:
    """A product with a matrix as a convolution with windows of one element; None where it is not
    one: a batch, several axes that meet, or no row."""
    attrs = node.attrs
    x, w = node.inputs
    if attrs["lhs_batch"] or len(w.shape) != 2 or len(attrs["lhs_contracting"]) != 1:
        return None
    free = len(x.shape) - 1
    if not free:
        return None
    letters = ["n", *map(str, range(free - 1))]
    lhs = letters.copy()
    lhs.insert(attrs["lhs_contracting"][0], "c")
    ones, none = (1,) * (free - 1), (0,) * (free - 1)
    digits = "".join(letters[1:])
    return {
        "lhs": "".join(lhs), "out": "".join(letters) + "c",
        "rhs": digits + ("io" if attrs["rhs_contracting"] == (0,) else "oi"),
        "stride": ones, "low": none, "high": none, "lhs_dilation": ones, "rhs_dilation": ones,
    }  # fmt: skip


def _panels(b: Builder, kernel: Value, attrs: Attrs, width: int) -> tuple[Value, str]:
    """The kernel in panels of `width` features, and its layout: the panels outside, then what is
    summed in the order in which it lies in the signal, then the features of one."""
    layout = str(attrs["rhs"])
    at = layout.index("o")
    shape = kernel.shape
    split = (*shape[:at], shape[at] // width, width, *shape[at + 1 :])
    kernel = OPS["reshape"](b, kernel, shape=split)
    axes = layout.replace("o", "po")
    wanted = "p" + str(attrs["lhs"]).replace("n", "").replace("c", "i") + "o"
    order = tuple(map(axes.index, wanted))
    return OPS["transpose"](b, kernel, permutation=order), wanted


__all__ = ["Frozen", "freeze"]
