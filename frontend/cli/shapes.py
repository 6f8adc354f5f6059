"""What a function is called with: from `--arg`, else type hints, else the file's `example_args`.

Takes: a function, its module, the texts of `--arg`. Gives: Arguments.
Must not know: tracing, commands.

A hint is a text as `--arg` takes it, an `lz.spec`, or an annotation with `dtypes` and `dim_str`, as
jaxtyping makes them, whose dims are numbers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from ..signature import Spec
from .arguments import Arguments, element_type, read_arguments, read_value
from .problems import InputError, UsageError

EXAMPLE = "example_args"
"""The name in the user's file: a tuple of arguments, or a dict from function names to tuples."""


def choose(
    function: Callable[..., Any], name: str, module: ModuleType, texts: Sequence[str]
) -> Arguments:
    """The arguments to trace with. InputError where there are none, or not those it takes."""
    if texts:
        found = read_arguments(texts)
        check_call(function, name, found)
        return found
    hinted = from_hints(function)
    if hinted is not None:
        return hinted
    example = from_example(name, module)
    if example is not None:
        check_call(function, name, example)
        return example
    raise InputError(
        f"{heading(function, name)}: which shapes? Give one --arg for each argument, such as "
        f"--arg 'f32[32,784]', or hints like `x: \"f32[32,784]\"`, or `{EXAMPLE}` in the file"
    )


def heading(function: Callable[..., Any], name: str) -> str:
    """The function as its definition has it: `loss(params, x)`."""
    parameters = parameters_of(function)
    return f"{name}({', '.join(str(p.replace(annotation=p.empty)) for p in parameters)})"


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Its parameters, none where Python does not know them."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def check_call(function: Callable[..., Any], name: str, given: Arguments) -> None:
    """InputError where the function does not take so many, or such, arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*given.args, **given.kwargs)
    except TypeError as error:
        count = len(given.args) + len(given.kwargs)
        raise InputError(
            f"{heading(function, name)} does not take the {count} argument"
            f"{'' if count == 1 else 's'} given: {error}"
        ) from None


# -- hints ---------------------------------------------------------------------------------
def from_hints(function: Callable[..., Any]) -> Arguments | None:
    """Stand-ins from annotations; None unless every parameter without a default has one."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    needed = False
    for parameter in parameters_of(function):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        optional = parameter.default is not parameter.empty
        found, value = _hint(parameter, function)
        if not found:
            if optional:
                continue
            return None
        needed = True
        if parameter.kind is parameter.KEYWORD_ONLY or len(args) < _place(parameter, function):
            kwargs[parameter.name] = value
        else:
            args.append(value)
    return Arguments(tuple(args), kwargs) if needed or not parameters_of(function) else None


def _place(parameter: inspect.Parameter, function: Callable[..., Any]) -> int:
    return [p.name for p in parameters_of(function)].index(parameter.name)


def _hint(parameter: inspect.Parameter, function: Callable[..., Any]) -> tuple[bool, Any]:
    """Whether the annotation says a shape, and the stand-in."""
    hint = parameter.annotation
    if isinstance(hint, str):
        hint = _evaluated(hint, function)
    if isinstance(hint, Spec):
        return True, hint
    if isinstance(hint, str) and ("[" in hint or element_type(hint) is not None):
        try:
            return True, read_value(hint, f"the hint of {parameter.name}")
        except UsageError as error:
            raise InputError(str(error)) from None
    if hasattr(hint, "dim_str") and len(getattr(hint, "dtypes", ())) == 1:
        return _array_hint(hint)
    return False, None


def _evaluated(hint: str, function: Callable[..., Any]) -> Any:
    """What an annotation kept as text stands for; the text itself where it is no Python."""
    inner = inspect.unwrap(function)
    inner = getattr(inner, "__func__", inner)
    try:
        value = eval(hint, getattr(inner, "__globals__", {}))
    except Exception:  # any text may stand there
        return hint
    return value if isinstance(value, (str, Spec)) or hasattr(value, "dim_str") else None


def _array_hint(hint: Any) -> tuple[bool, Any]:
    dims = str(hint.dim_str).split()
    dtype = element_type(str(hint.dtypes[0]))
    if dtype is None or not all(d.isdecimal() for d in dims):
        return False, None
    return True, Spec([int(d) for d in dims], dtype)


# -- examples ------------------------------------------------------------------------------
def from_example(name: str, module: ModuleType) -> Arguments | None:
    """The arguments that the file names `example_args`."""
    example = getattr(module, EXAMPLE, None)
    if isinstance(example, dict):
        example = example.get(name)
    if example is None:
        return None
    if not isinstance(example, (tuple, list)):
        raise InputError(
            f"{EXAMPLE} is a {type(example).__name__}; it must be a tuple of arguments, or a dict "
            "from function names to such tuples"
        )
    return Arguments(tuple(example), {})
