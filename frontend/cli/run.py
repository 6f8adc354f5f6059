"""`lazir run`: calls a function or a program read as text, prints or saves what it gives.

Takes: parsed options. Gives: arrays as text on stdout, or a file. Must not know: stages.
"""

from __future__ import annotations

import statistics
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.graph import Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.ops.source import bf16_bits
from lazir.compiler.types import TensorType, bf16, dtype_of_numpy
from lazir.runtime.execute import LoadedProgram

from .. import tree
from ..handle import wrap_array
from ..signature import Spec
from ..tensor import Tensor
from .arguments import Arguments, read_arguments
from .data import Item, fill, read_inputs, save
from .output import say, seconds
from .problems import InputError, UsageError
from .program import Function, example_arguments, is_text, leaf_names, read_function, read_program
from .shapes import check_call, from_hints, from_samples, parameters_of
from .source import Found

Results = list[tuple[str, Any]]


class Call(NamedTuple):
    """What runs, and how its results are called."""

    once: Callable[[], Any]
    named: Callable[[Any], Results]


_SHORT = 1_000
"""Arrays of more elements than this are printed shortened."""


def run(options: Namespace) -> int:
    """Call it, then print or save the results."""
    items = read_inputs(options.input)
    seed = options.seed if options.random else None
    make = _text_call if is_text(options.program) else _function_call
    call = make(options, items, seed)
    results = call.named(call.once())
    if options.time:
        _time(call.once, options.time)
    if options.output is None:
        print(shown(results), end="")
        return 0
    save(options.output, [(name, _array(value)) for name, value in results])
    say(f"wrote {options.output}: " + ", ".join(f"{n} {_kind(v)}" for n, v in results))
    return 0


# -- functions -----------------------------------------------------------------------------
def _function_call(options: Namespace, items: Sequence[Item], seed: int | None) -> Call:
    function = read_function(options, lambda found: _arguments(found, options, items, seed))
    args, kwargs = function.arguments
    if options.interpret:
        return _interpreted(function)

    def once() -> Any:
        found = function.compiled(*args, **kwargs)
        for leaf in tree.leaves(found):
            leaf.block_until_ready()
        return found

    return Call(once, _named)


def _named(found: Any) -> Results:
    return leaf_names(found, "result")


def _arguments(
    found: Found, options: Namespace, items: Sequence[Item], seed: int | None
) -> Arguments:
    """Values for every argument: `--arg`, hints, the arrays alone, or the file's example."""
    given = _outline(found, options, items)
    check_call(found.function, found.name, given)
    names = [p.name for p in parameters_of(found.function)]
    labelled = [
        pair
        for k, value in enumerate(given.args)
        for pair in leaf_names(value, names[k] if k < len(names) else f"args[{k}]")
    ]
    labelled += [pair for k in sorted(given.kwargs) for pair in leaf_names(given.kwargs[k], k)]
    tree_of_both = (given.args, given.kwargs)
    args, kwargs = fill(tree_of_both, [name for name, _ in labelled], items, seed)
    return Arguments(args, kwargs)


def _outline(found: Found, options: Namespace, items: Sequence[Item]) -> Arguments:
    if options.arg:
        return read_arguments(options.arg)
    known = from_hints(found.function, dict(options.size))
    known = known or (None if items else example_arguments(found))
    if known is not None:
        return known
    if items:
        return _from_arrays(found, items)
    sampled = from_samples(found.function, dict(options.size))
    if sampled is not None:
        return sampled.arguments
    raise InputError(
        f"{found.name}: with what? Give --arg for each argument and --random or --input FILE.npy, "
        "or `example_args` in the file"
    )


def _from_arrays(found: Found, items: Sequence[Item]) -> Arguments:
    """Stand-ins of the arrays' own types, when each argument is one array."""
    names = [p.name for p in parameters_of(found.function)]
    kwargs = {item.name: _spec(item) for item in items if item.name}
    plain = [_spec(item) for item in items if not item.name]
    args = []
    for name in names:
        if name in kwargs:
            args.append(kwargs.pop(name))
        elif plain:
            args.append(plain.pop(0))
        else:
            break
    return Arguments((*args, *plain), kwargs)


def _spec(item: Item) -> Spec:
    dtype = dtype_of_numpy(item.array.dtype)
    if dtype is None:
        raise InputError(f"{item.origin} holds {item.array.dtype}, which is no tensor type")
    return Spec(item.array.shape, dtype)


def _interpreted(function: Function) -> Call:
    """The same by the reference interpreter, which says what the function means."""
    traced = function.trace()
    if traced.effects:
        raise InputError(f"{function.name} assigns into its arguments; --interpret cannot do that")
    call = function.compiled._reader.read(*function.arguments)
    inputs = [*call.leaves, *traced.captures]
    arrays = [_stored(x, t) for x, t in zip(inputs, traced.graph.param_types)]

    def named(found: list[Any]) -> Results:
        return _named(tree.unflatten(traced.out_tree, found[: len(traced.out_weak)]))

    return Call(lambda: _interpret(traced.graph, arrays), named)


def _stored(x: Any, type: TensorType) -> Any:
    """A leaf as the array that programs read: bf16 as its bits."""
    values = np.asarray(x.numpy() if isinstance(x, Tensor) else x)
    if type.dtype is bf16 and values.dtype.name != "bfloat16":
        return bf16_bits(values.astype(np.float32))
    return values.view(np.uint16) if type.dtype is bf16 else values.astype(type.dtype.numpy)


def _interpret(graph: Graph, arrays: Sequence[Any]) -> list[Any]:
    return _tensors(interpret(graph, arrays), graph.result_types)


def _tensors(arrays: Sequence[Any], types: Sequence[Any]) -> list[Any]:
    return [wrap_array(a, t.dtype) for a, t in zip(arrays, types)]


# -- text ----------------------------------------------------------------------------------
def _text_call(options: Namespace, items: Sequence[Item], seed: int | None) -> Call:
    """A program read as text, called with values for its parameters."""
    compilation = read_program(options).compilation
    types = compilation.start.types
    graph = compilation.start.graph
    hints = graph.param_names if graph is not None else ()
    names = [hint or f"arg{k}" for k, hint in enumerate([*hints, *[""] * len(types.inputs)])]
    names = names[: len(types.inputs)]
    specs = [Spec(t.shape, t.dtype) for t in types.inputs if isinstance(t, TensorType)]
    values = fill(tuple(specs), names, items, seed)
    inputs = [_stored(v, t) for v, t in zip(values, types.inputs) if isinstance(t, TensorType)]
    many = len(types.results) != 1
    labels = [f"result[{k}]" if many else "result" for k in range(len(types.results))]

    def named(found: list[Any]) -> Results:
        return list(zip(labels, found))

    if options.interpret:
        if graph is None or compilation.start.stage == "kernels":
            raise UsageError("--interpret is for text of the stages graph and optimized")
        return Call(lambda: _interpret(graph, inputs), named)
    if any("lz.callback" in op.attrs for op in compilation.loops.functions()):
        raise InputError(
            "this program calls back into Python, and its text does not hold what is called; "
            "run the function itself: lazir run FILE.py:FUNCTION"
        )
    program = LoadedProgram(compilation.program)
    return Call(lambda: program.call(inputs), lambda found: named(_tensors(found, types.results)))


# -- what is shown -------------------------------------------------------------------------
def shown(results: Results) -> str:
    """Results with names and types, long arrays shortened."""
    parts = []
    for name, value in results:
        array = _array(value)
        text = np.array2string(array, threshold=_SHORT, edgeitems=3, max_line_width=100)
        text = text if array.ndim else str(array[()])
        parts.append(f"{name}: {_kind(value)}\n{text}\n")
    return "\n".join(parts) or "no results\n"


def _array(value: Any) -> Any:
    return value.numpy() if isinstance(value, Tensor) else np.asarray(value)


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{value._dtype}[{','.join(map(str, value.shape))}]"
    array = np.asarray(value)
    return f"{dtype_of_numpy(array.dtype) or array.dtype}[{','.join(map(str, array.shape))}]"


def _time(once: Callable[[], Any], repeats: int) -> None:
    """Times of further calls, to stderr."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        once()
        found.append(time.perf_counter() - start)
    say(
        f"{repeats} call{'' if repeats == 1 else 's'}: least {seconds(min(found))}, "
        f"median {seconds(statistics.median(found))}"
    )
