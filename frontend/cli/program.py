"""From the words of a command to something that compiles: a user's function, or text of a stage.

Takes: parsed options. Gives: `Function` with its arguments, `Program` with its Compilation.
Must not know: what a command does with them.
"""

from __future__ import annotations

import contextlib
import re
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import Target, host_target, named_target

from .. import tree
from ..compiled import CompiledFunction, compile
from ..specialise import Traced
from ..transforms import grad
from .arguments import Arguments
from .problems import InputError, UsageError
from .shapes import Hinted, check_call, choose, from_example
from .source import Found, find

CUDA_TARGET = "sm_80"
"""The GPU that text is made for where only the device is given."""


class Function(NamedTuple):
    """A function of the user's, compiled, what to call it with, and sizes chosen for that."""

    compiled: CompiledFunction
    name: str
    arguments: Arguments
    chosen: dict[str, int]

    def trace(self) -> Traced:
        """What it records for these arguments."""
        with contextlib.redirect_stdout(sys.stderr):
            traced: Traced = self.compiled.trace(*self.arguments.args, **self.arguments.kwargs)
            return traced


class Program(NamedTuple):
    """A compilation under way; `traced` is None where it was read as text."""

    name: str
    compilation: Compilation
    traced: Traced | None


def is_text(place: str) -> bool:
    """Whether a place names text of a stage rather than a Python function."""
    return place == "-" or place.endswith(".mlir")


def read_text(place: str) -> tuple[str, str]:
    """The text of a file or of standard input, and a name for it."""
    if place == "-":
        return sys.stdin.read(), "<stdin>"
    try:
        return Path(place).read_text(), place
    except FileNotFoundError:
        raise InputError(f"there is no file {place}") from None
    except UnicodeDecodeError:
        raise InputError(f"{place} is no text") from None
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror}") from None


def stage_of(text: str) -> str:
    """The stage that a text is of, by what it holds; `graph` for `optimized`, which looks the same.

    >>> stage_of('func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> { return %x : tensor<2xf32> }')
    'graph'
    """
    code = re.sub(r"//[^\n]*", "", text)
    if "lz.inputs" in code or "memref<" in code:
        return "loops"
    if re.search(r'"lz\.\w+"\s*\(', code):
        return "graph"
    if re.search(r"\b(lz\.kind|linalg\.|tensor\.|arith\.|scf\.|math\.)", code):
        return "kernels"
    return "graph"


def target_of(options: Namespace) -> Target:
    """The processor that `--target` or `--device` names, this machine by default."""
    name = options.target
    device = getattr(options, "device", None) or "cpu"
    if name is None and device.startswith("cuda"):
        name = CUDA_TARGET
    target = host_target() if name in (None, "host") else named_target(name)
    if device.startswith("cuda") != target.is_gpu and getattr(options, "device", None):
        raise UsageError(f"the target {target.name} is not for the device {device}")
    return target


# -- functions -----------------------------------------------------------------------------
def read_function(
    options: Namespace, arguments: Callable[[Found], Arguments] | None = None
) -> Function:
    """The function that the command names. `arguments` decides on them where the words do not."""
    return made_ready(find(options.program), options, arguments)


def made_ready(
    found: Found, options: Namespace, arguments: Callable[[Found], Arguments] | None = None
) -> Function:
    """A function of the user's with its arguments, as the command's words say."""
    function, name = found.function, found.name
    if arguments is not None:
        hinted = Hinted(arguments(found), {})
    else:
        hinted = choose(function, name, found.module, options.arg, dict(options.size))
    given = hinted.arguments
    label = name.replace(".", "_")
    if options.grad is not None:
        check_call(function, name, given)
        _check_argnums(options.grad, len(given.args), name)
        function = grad(function, options.grad if len(options.grad) > 1 else options.grad[0])
        label = f"grad_{label}"
    return Function(_compiled(function, label, given, options), name, given, hinted.chosen)


def example_arguments(found: Found) -> Arguments | None:
    """The file's own values for the function."""
    return from_example(found.name, found.module)


def _check_argnums(argnums: list[int], count: int, name: str) -> None:
    for number in argnums:
        if not -count <= number < count:
            raise UsageError(
                f"--grad {number}: {name} is called with {count} positional "
                f"argument{'' if count == 1 else 's'}; they count from 0"
            )


def _compiled(
    function: Callable[..., Any], label: str, given: Arguments, options: Namespace
) -> CompiledFunction:
    """Compiled as the user did it, without donation; else with texts as static arguments."""
    # Only what runs needs the device; text for a GPU is made on any machine.
    device = options.device if options.command == "run" else None
    if isinstance(function, CompiledFunction):
        kept = {k: v for k, v in function._options.items() if not k.startswith("donate")}
        kept["device"] = device or kept["device"]
        return CompiledFunction(function._fn, name=function._name, **kept)
    names = list(options.static)
    names += [k for k, v in given.kwargs.items() if isinstance(v, str)]
    numbers = [k for k, v in enumerate(given.args) if isinstance(v, str)]
    try:
        return compile(
            function, name=label, device=device,
            static_argnums=numbers, static_argnames=names,
        )  # fmt: skip
    except ValueError as error:
        raise UsageError(f"--static: {error}") from None


# -- programs ------------------------------------------------------------------------------
def read_program(options: Namespace) -> Program:
    """What the command names, on its way to machine code for the command's target."""
    target = target_of(options)
    if is_text(options.program):
        text, file = read_text(options.program)
        stage = options.start or stage_of(text)
        if options.arg or options.grad is not None:
            raise UsageError("--arg and --grad are for FILE.py:FUNCTION; a text has its types")
        compilation = Compilation.from_text(text, stage, target, file)
        return Program(compilation.start.name, compilation, None)
    if options.start:
        raise UsageError(f"--from {options.start} is for text; a function starts at its graph")
    function = read_function(options)
    traced = function.trace()
    return Program(function.name, Compilation(traced.graph, target), traced)


def leaf_names(value: Any, name: str) -> list[tuple[str, Any]]:
    """The leaves of a tree, named as Python would write where they are."""
    return tree.named_leaves(value, name)
