"""`lazir opt`: reads text of a stage, checks it, runs graph passes, goes on to a later stage.

Takes: parsed options. Gives: text on stdout. Must not know: Python functions, tracing.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lazir.compiler.errors import LazirError
from lazir.compiler.graph import Graph
from lazir.compiler.mlir.ir import Module
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.mlir.verify import verify
from lazir.compiler.passes import GRAPH_PASSES, REQUIRED
from lazir.compiler.pipeline import Compilation
from lazir.compiler.start import start_of
from lazir.compiler.text import graph_to_module, module_to_graph
from lazir.compiler.verify import verify_graph

from .dump import MACHINE, stage_text
from .output import say, write_file, write_table, write_text
from .problems import InputError, UsageError
from .program import read_text, stage_of, target_of


def opt(options: Namespace) -> int:
    """Read, check, transform, print."""
    if options.list_passes:
        _list_passes(options)
        return 0
    if options.program is None:
        raise UsageError("name a FILE.mlir, or - for standard input (--list-passes needs none)")
    if options.locations and options.to in MACHINE:
        raise UsageError(f"--locations is for MLIR; the text of {options.to} has none")
    text, file = read_text(options.program)
    stage = options.start or stage_of(text)
    if options.to is not None and options.passes is None:
        compilation = Compilation.from_text(text, stage, target_of(options), file)
        _give(stage_text(compilation, options.to, options.locations), options.to, options)
        return 0
    module = parse_module(text, file)
    if stage not in ("graph", "optimized"):
        if options.passes is not None:
            raise UsageError(f"--passes are for the stage graph; this is text of {stage}")
        verify(module)
        _give(_print(module, options), stage, options)
        return 0
    _graphs(module, options)
    return 0


def _graphs(module: Module, options: Namespace) -> None:
    """Passes on every function of a module of graphs."""
    graphs = []
    for function in module.functions():
        graph = module_to_graph(module, function.attrs["sym_name"])
        verify_graph(graph)
        graphs.append(run_passes(graph, options.passes or [], check=options.verify))
    if options.to in (None, "graph", "optimized"):
        _give(_print(graph_to_module(*graphs), options), "optimized", options)
        return
    if len(graphs) != 1:
        raise InputError(f"--to {options.to} is for one function, here are {len(graphs)}")
    compilation = Compilation(start_of(graphs[0], "optimized"), target_of(options))
    _give(stage_text(compilation, options.to, options.locations), options.to, options)


def run_passes(graph: Graph, names: list[str], *, check: bool) -> Graph:
    """The graph after the named passes, verified after each where `check` is set.

    LazirError names the pass that broke a rule.
    """
    for name in names:
        graph = GRAPH_PASSES[name](graph)
        if check:
            try:
                verify_graph(graph)
            except LazirError as error:
                raise LazirError(f"after the pass {name}: {error.message}", error.loc) from None
    return graph


def _list_passes(options: Namespace) -> None:
    rows = []
    for name, function in GRAPH_PASSES.items():
        summary = (function.__doc__ or "").strip().split("\n")[0]
        rows.append([name, "yes" if name in REQUIRED else "", summary])
    write_table(["pass", "required", "what it does"], rows, [], options.color)


def _print(module: Module, options: Namespace) -> str:
    return print_module(module, locations=options.locations, generic=options.generic)


def _give(text: str, stage: str, options: Namespace) -> None:
    if options.output in (None, "-"):
        write_text(text, stage, options.color)
        return
    write_file(Path(options.output), text)
    say(f"wrote {options.output}")
