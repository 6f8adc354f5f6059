"""Text of a stage as the start of a compilation: the rest of the pipeline goes on from there.

Takes: text and the name of its stage. Gives: a Start, or an error that shows the place.
Must not know: what the pipeline does next.
"""

from __future__ import annotations

from .errors import LazirError, VerifyError
from .mlir.ir import Module, Op
from .mlir.parser import parse_module
from .mlir.verify import verify
from .program_parse import main_function, module_to_kernels, program_types
from .start import ALIASES, DONATED, READABLE, Start, integers, start_of
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
        return start_of(graph, stage, _donated(module.functions()[0], len(graph.params)))
    verify(module)
    main = main_function(module)
    name, types = main.attrs["sym_name"], program_types(main)
    if stage == "kernels":
        kernels = module_to_kernels(module)
        donated = _donated(main, len(kernels.params))
        return Start(stage, name, types, graph=kernels, donated=donated)
    _check_aliases(main)
    return Start(stage, name, types, module=module)


def _donated(main: Op, count: int) -> tuple[int, ...]:
    """The numbers of the arguments that are given away."""
    found = integers(main, DONATED)
    if any(not 0 <= k < count for k in found):
        raise VerifyError(f"{DONATED} of @{main.attrs['sym_name']} numbers its {count} arguments")
    return tuple(sorted(set(found)))


def _check_aliases(main: Op) -> None:
    """VerifyError for pairs that are no result and argument of one size, each in one pair."""
    found = integers(main, ALIASES)
    inputs, outputs = main.attrs["lz.inputs"], main.attrs["lz.outputs"]
    results, arguments = found[::2], found[1::2]
    types = main.attrs["function_type"].inputs
    right = (
        len(results) == len(arguments) == len(set(results)) == len(set(arguments))
        and all(0 <= k < outputs for k in results)
        and all(0 <= k < inputs for k in arguments)
        and all(types[inputs + k].nbytes == types[j].nbytes for k, j in zip(results, arguments))
    )
    if not right:
        raise VerifyError(
            f"{ALIASES} of @{main.attrs['sym_name']} is result, argument, result, argument, … in "
            "pairs of equal size, each of them once"
        )


def workspace_bytes(module: Module) -> int:
    """The workspace of a `loops` module: its main function's last argument, where it has one."""
    main = main_function(module)
    inputs = main.attrs["function_type"].inputs
    beside = inputs[main.attrs["lz.inputs"] + main.attrs["lz.outputs"] :]
    return beside[0].nbytes if beside else 0
