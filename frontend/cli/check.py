"""`lazir check`: traces a function and checks its types and its graph; nothing is compiled.

Takes: parsed options. Gives: one line for the function's type. Must not know: later stages.
"""

from __future__ import annotations

from argparse import Namespace

from lazir.compiler.graph import Graph
from lazir.compiler.types import TensorType
from lazir.compiler.verify import verify_graph

from .explain import plural
from .program import is_text, read_function, read_program


def check(options: Namespace) -> int:
    """Trace, verify, and say what the function takes and gives."""
    if is_text(options.program):
        compilation = read_program(options).compilation
        types = compilation.start.types
        inputs = ", ".join(map(short, types.inputs))
        results = ", ".join(map(short, types.results))
        print(
            f"{compilation.start.name}({inputs}) -> {results}: ok, stage {compilation.start.stage}"
        )
        return 0
    function = read_function(options)
    traced = function.trace()
    verify_graph(traced.graph)
    operations = sum(len(g.nodes) for g in traced.graph.walk())
    print(f"{signature(traced.graph, len(traced.captures))}: ok, {plural(operations, 'operation')}")
    return 0


def signature(graph: Graph, captures: int = 0) -> str:
    """`loss(x: f32[3], y: f32[3]) -> f32[]`, and how many tensors it takes from outside."""
    count = len(graph.params) - captures
    inputs = [f"{n}: {short(t)}" for n, t in zip(graph.param_names, graph.param_types[:count])]
    results = ", ".join(map(short, graph.result_types)) or "nothing"
    text = f"{graph.name}({', '.join(inputs)}) -> {results}"
    return text + (f", with {plural(captures, 'captured tensor')}" if captures else "")


def short(type: object) -> str:
    """`f32[3,4]`."""
    return type.short if isinstance(type, TensorType) else str(type)
