"""Text of a stage as the start of a compilation: the rest of the pipeline goes on from there.

Takes: text and the name of its stage. Gives: a Start, or an error that shows the place.
Must not know: what the pipeline does next.
"""

from __future__ import annotations

from .errors import LazirError
from .mlir.ir import Module
from .mlir.parser import parse_module
from .mlir.verify import verify
from .program_parse import main_function, module_to_kernels, program_types
from .start import READABLE, Start, start_of
from .text import module_to_graph
from .verify import verify_graph


def read_stage(text: str, stage: str, filename: str = "<text>") -> Start:
    """The program that a text describes at a stage of READABLE.

    Raises ParseError, VerifyError, and LazirError for a stage that is not read.
    """
    if stage not in READABLE:
        raise LazirError(f"text of the stage {stage!r} is not read; use one of {READABLE}")
    module = parse_module(text, filename)
    if not module.functions():
        raise LazirError(f"{filename} holds no function")
    if stage in ("graph", "optimized"):
        graph = module_to_graph(module)
        verify_graph(graph)
        return start_of(graph, stage)
    verify(module)
    main = main_function(module)
    name, types = main.attrs["sym_name"], program_types(main)
    if stage == "kernels":
        return Start(stage, name, types, graph=module_to_kernels(module))
    return Start(stage, name, types, module=module)


def workspace_bytes(module: Module) -> int:
    """The workspace of a `loops` module: its main function's last argument, where it has one."""
    main = main_function(module)
    inputs = main.attrs["function_type"].inputs
    beside = inputs[main.attrs["lz.inputs"] + main.attrs["lz.outputs"] :]
    return beside[0].nbytes if beside else 0
