"""`lazir check`: traces functions and checks their types and graphs; nothing is compiled.

Takes: parsed options. Gives: one line for each function's type. Must not know: later stages.
"""

from __future__ import annotations

from argparse import Namespace

from lazir.compiler.graph import Graph
from lazir.compiler.types import TensorType
from lazir.compiler.verify import verify_graph

from .explain import plural
from .output import say
from .problems import InputError, UsageError, describe
from .program import Function, is_text, made_ready, read_function, read_program
from .shapes import axis_names_of, check_sizes
from .source import Found, compiled_in, split_place


def check(options: Namespace) -> int:
    """Trace, verify, and say what each function takes and gives."""
    if is_text(options.program):
        compilation = read_program(options).compilation
        types = compilation.start.types
        inputs = ", ".join(map(short, types.inputs))
        results = ", ".join(map(short, types.results))
        print(
            f"{compilation.start.name}({inputs}) -> {results}: ok, stage {compilation.start.stage}"
        )
        return 0
    if not split_place(options.program).name:
        every = compiled_in(options.program)
        if len(every) > 1:
            if options.arg or options.grad is not None:
                raise UsageError(
                    "--arg and --grad are for one function: "
                    f"{', '.join(f'{options.program}:{f.name}' for f in every[:8])}"
                )
            check_sizes([f.function for f in every], options.program, dict(options.size))
            return max(_checked(found, options) for found in every)
    print(outcome(read_function(options)))
    return 0


def _checked(found: Found, options: Namespace) -> int:
    """Check one of several functions; a fault in it does not keep the others from being checked."""
    try:
        known = axis_names_of(found.function)
        mine = Namespace(**{**vars(options), "size": [s for s in options.size if s[0] in known]})
        print(outcome(made_ready(found, mine)))
        return 0
    except InputError as error:
        say(f"lazir check: {error}")
    except UsageError:
        raise
    except Exception as error:
        if options.traceback:
            raise
        say(f"{found.name}: {describe(error)}")
    return 1


def outcome(function: Function) -> str:
    """The line for a function that is fine. Raises what is wrong with it."""
    traced = function.trace()
    verify_graph(traced.graph)
    operations = sum(len(g.nodes) for g in traced.graph.walk())
    text = f"{signature(traced.graph, len(traced.captures))}: ok, {plural(operations, 'operation')}"
    if function.chosen:
        text += f", with {', '.join(f'{n}={size}' for n, size in function.chosen.items())}"
    return text


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
