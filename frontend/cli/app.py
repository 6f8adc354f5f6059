"""Commands and their options; from what happened to an exit code.

Takes: the words of a command line. Gives: 0, or 1 where the user's program or input is wrong, or 2
where the command line is. Must not know: what a command does.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import NoReturn, TypeAlias

from lazir.compiler.passes import GRAPH_PASSES
from lazir.compiler.pipeline import GPU_STAGES, STAGES
from lazir.compiler.start import READABLE
from lazir.compiler.target import target_names
from lazir.runtime.device import parse_device

from .check import check
from .devices import devices
from .dump import dump
from .explain import explain_command
from .export import export_command
from .opt import opt
from .output import say
from .problems import InputError, UsageError, describe, suggestion
from .run import run
from .source import undisturbed

ALL_STAGES = tuple(dict.fromkeys([*STAGES, *GPU_STAGES]))
COMMANDS = ("dump", "opt", "run", "explain", "check", "export", "devices")
_INTERRUPTED = 130  # 128 + SIGINT, as shells report it

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` are the words after `lazir`, those of this process by default."""
    try:
        options = parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return stop.code if isinstance(stop.code, int) else 2
    name = f"lazir {options.command}"
    try:
        with undisturbed():
            code = options.run(options)
            sys.stdout.flush()
        return int(code)
    except UsageError as error:
        return _fail(2, f"{name}: {error}\nfor help: {name} --help")
    except InputError as error:
        return _fail(1, f"{name}: {error}")
    except BrokenPipeError:
        # Whoever reads has had enough. Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _fail(_INTERRUPTED, "interrupted")
    except Exception as error:
        if options.traceback:
            return _fail(1, "".join(traceback.format_exception(error)).rstrip())
        return _fail(1, describe(error))


def _fail(code: int, message: str) -> int:
    say(message)
    return code


# -- kinds of values -----------------------------------------------------------------------
def _word(what: str, known: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"no {what} {text!r}{suggestion(text, known)}")
        return text

    return read


stage = _word("stage", ALL_STAGES)
readable_stage = _word("stage that can be read", READABLE)
target = _word("target", ("host", *target_names()))


def passes(text: str) -> list[str]:
    """Names of graph passes, separated by commas."""
    read = _word("pass", tuple(GRAPH_PASSES))
    return [read(name.strip()) for name in text.split(",") if name.strip()]


def device(text: str) -> str:
    """The name of a device."""
    try:
        parse_device(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def numbers(text: str) -> list[int]:
    """Whole numbers, separated by commas."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of argument numbers, such as 0 or 0,2"
        ) from None


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def size(text: str) -> tuple[str, int]:
    """A name and its size: batch=32."""
    name, _, number = text.partition("=")
    if not name.isidentifier() or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=N, such as batch=32")
    return name, int(number)


def names(text: str) -> list[str]:
    """Names, separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


# -- the parser ----------------------------------------------------------------------------
class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and where to find help."""

    def error(self, message: str) -> NoReturn:
        """Argparse's own words, but a near word where a command is not known."""
        wrong = re.match(r"argument COMMAND: invalid choice: '(.*?)'", message)
        if wrong is not None:
            message = f"no command {wrong[1]!r}{suggestion(wrong[1], COMMANDS)}"
        self.exit(2, f"{self.prog}: {message}\nfor help: {self.prog} --help\n")


def parser() -> Parser:
    """All commands."""
    top = Parser(
        prog="lazir",
        description="See, check, run and export what lazir makes of a function.",
        epilog="example:\n  lazir dump mlp.py:loss --arg 'f32[32,784]' --stage kernels\n\n"
        "exit code: 0 fine, 1 the program or its input is wrong, 2 the command line is wrong",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"lazir {_version()}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_dump(commands)
    _add_opt(commands)
    _add_run(commands)
    _add_explain(commands)
    _add_check(commands)
    _add_export(commands)
    _add_devices(commands)
    return top


def _version() -> str:
    try:
        return metadata.version("lazir")
    except metadata.PackageNotFoundError:
        return "(not installed)"


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def _command(
    commands: Commands,
    name: str,
    run: Command,
    summary: str,
    examples: Sequence[str],
    words: str = "PROGRAM",
) -> Parser:
    made: Parser = commands.add_parser(
        name,
        help=summary,
        usage=f"lazir {name} {words} [options]".replace("  ", " "),
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n".join(["examples:" if len(examples) > 1 else "example:"]
                         + [f"  {e}" for e in examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )  # fmt: skip
    made.set_defaults(run=run)
    made.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto",
        help="auto: on a terminal, unless NO_COLOR is set",
    )  # fmt: skip
    made.add_argument("--traceback", action="store_true", help="show all frames of an error")
    return made


def _add_function(made: argparse.ArgumentParser, *, text: bool) -> None:
    """What names a function and its arguments."""
    what = "FILE.py:FUNCTION" + (", FILE.mlir, or - for text on standard input" if text else "")
    made.add_argument("program", metavar="PROGRAM", help=what)
    made.add_argument(
        "--arg", action="append", default=[], metavar="TYPE",
        help="one argument: 'f32[32,784]', '[(f32[3], i64), 0.5]', 'axis=1'; again for each. "
        "Without: type hints, or example_args in the file",
    )  # fmt: skip
    made.add_argument(
        "--size", type=size, action="append", default=[], metavar="NAME=N",
        help="the size of an axis that annotations name: batch=32; again for each",
    )  # fmt: skip
    made.add_argument(
        "--static", type=names, default=[], metavar="NAMES",
        help="arguments that are plain Python values: axis,mode",
    )  # fmt: skip
    made.add_argument(
        "--grad", type=numbers, metavar="ARGNUMS",
        help="the gradient with respect to these arguments: 0 or 0,1",
    )  # fmt: skip
    if text:
        made.add_argument(
            "--from", dest="start", type=readable_stage, metavar="STAGE",
            help="the stage of the text, where it cannot be told from it (optimized)",
        )  # fmt: skip
    else:
        made.set_defaults(start=None)


def _add_target(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--target", type=target, metavar="NAME",
        help=f"the processor: host, {', '.join(target_names())}",
    )  # fmt: skip


def _add_dump(commands: Commands) -> None:
    made = _command(commands, "dump", dump, "print the text of a stage", (
        "lazir dump mlp.py:loss --arg '[(f32[784,512], f32[512])]' --arg 'f32[32,784]'",
        "lazir dump mlp.py:loss --grad 0 --stage kernels --op generic",
        "lazir dump mlp.py:loss --diff graph optimized",
        "lazir dump mlp.py:loss -o stages/            (a file for each stage)",
        "lazir dump mlp.py:loss | lazir dump - --stage llvm --kernel k0",
    ))  # fmt: skip
    _add_function(made, text=True)
    made.add_argument("--stage", type=stage, metavar="STAGE", help=", ".join(ALL_STAGES))
    _add_target(made)
    made.add_argument("--device", type=device, metavar="NAME", help="cpu, or cuda (the stage ptx)")
    made.add_argument(
        "--diff", nargs=2, type=stage, metavar=("STAGE1", "STAGE2"), help="what changed in between"
    )
    made.add_argument(
        "--op", metavar="NAME", help="operations of this name only: dot_general, 'arith.*'"
    )
    made.add_argument(
        "--kernel", metavar="NAME", help="functions of this name only: k0, dot_general, '*_tile_*'"
    )
    made.add_argument(
        "--locations", action="store_true", help="show the source line of each operation"
    )
    _add_output(made, "a file; a folder (ending in / or existing) for all stages")


def _add_output(made: argparse.ArgumentParser, what: str) -> None:
    made.add_argument("-o", "--output", metavar="PATH", help=what)


def _add_opt(commands: Commands) -> None:
    made = _command(commands, "opt", opt, "read text of a stage, check it, transform it", (
        "lazir opt graph.mlir --passes fold,simplify --verify",
        "lazir opt kernels.mlir --to llvm --target x86-64-v3",
        "lazir opt --list-passes",
    ), "FILE")  # fmt: skip
    made.add_argument("program", nargs="?", metavar="FILE", help="FILE.mlir, or - for stdin")
    made.add_argument("--passes", type=passes, metavar="A,B", help="graph passes, in this order")
    made.add_argument("--list-passes", action="store_true", help="the names of the passes")
    made.add_argument("--verify", action="store_true", help="check the rules after each pass too")
    made.add_argument("--to", type=stage, metavar="STAGE", help="go on to a later stage")
    made.add_argument(
        "--from", dest="start", type=readable_stage, metavar="STAGE", help="the stage of the text"
    )
    _add_target(made)
    made.add_argument("--locations", action="store_true", help="print locations")
    made.add_argument("--generic", action="store_true", help="print MLIR's generic form")
    _add_output(made, "a file")


def _add_run(commands: Commands) -> None:
    made = _command(commands, "run", run, "call a function or a program, print what it gives", (
        "lazir run mlp.py:predict --arg 'f32[32,784]' --random --seed 1",
        "lazir run mlp.py:predict --input images.npy --output result.npz",
        "lazir run kernels.mlir --random --time 100",
    ))  # fmt: skip
    _add_function(made, text=True)
    made.set_defaults(target=None)
    made.add_argument("--device", type=device, metavar="NAME", help="cpu or cuda")
    made.add_argument(
        "--input", action="append", default=[], metavar="FILE",
        help="values: an .npy goes to the next argument, an .npz by name; again for more",
    )  # fmt: skip
    made.add_argument(
        "--random", action="store_true", help="draw other values: normal floats, integers 0 to 9"
    )
    made.add_argument("--seed", type=int, default=0, metavar="N", help="of --random, default 0")
    _add_output(made, "save results: an .npz, or an .npy for one")
    made.add_argument("--time", type=positive, metavar="N", help="time N more calls")
    made.add_argument("--interpret", action="store_true", help="use the reference interpreter")


def _add_explain(commands: Commands) -> None:
    made = _command(
        commands, "explain", explain_command, "show what each kernel does and what bounds it",
        ("lazir explain mlp.py:loss --arg 'f32[32,784]'",),
    )  # fmt: skip
    _add_function(made, text=True)
    _add_target(made)
    made.add_argument("--no-measure", action="store_true", help="predict only")
    made.add_argument("--json", action="store_true", help="the same for programs to read")


def _add_check(commands: Commands) -> None:
    made = _command(
        commands, "check", check, "trace functions and check their types, without compiling them",
        ("lazir check mlp.py:loss --arg 'f32[32,784]'",
         "lazir check mlp.py                           (all compiled functions, by their hints)"),
    )  # fmt: skip
    _add_function(made, text=True)
    made.set_defaults(target=None)


def _add_export(commands: Commands) -> None:
    made = _command(
        commands, "export", export_command, "write an object file and a C header",
        ("lazir export mlp.py:predict --arg 'f32[32,784]' -o build --target x86-64-v3",),
        "PROGRAM -o FOLDER",
    )  # fmt: skip
    _add_function(made, text=True)
    _add_target(made)
    made.add_argument("-o", "--output", required=True, metavar="FOLDER", help="where the files go")
    made.add_argument("--name", metavar="NAME", help="of the C function and the files")


def _add_devices(commands: Commands) -> None:
    made = _command(
        commands, "devices", devices, "show this machine, its GPU, and the disk cache",
        ("lazir devices --features",), "",
    )  # fmt: skip
    made.add_argument("--features", action="store_true", help="all features of the processor")
    made.add_argument("--json", action="store_true", help="the same for programs to read")
