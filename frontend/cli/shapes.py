"""What a function is called with: from `--arg`, else type hints, else the file's `example_args`,
else type hints with sizes chosen for named axes.

Takes: a function, its module, the texts of `--arg`. Gives: Arguments.
Must not know: tracing, commands.

A hint is a text as `--arg` takes it, an `lz.spec`, or an annotation as `lazir.typing` makes them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from ..hints import evaluated, says_shapes, scope_of
from ..signature import Spec
from .arguments import Arguments, element_type, read_arguments, read_value
from .problems import InputError, UsageError, suggestion
from .sizes import Sizes, Unknown, axis_names

EXAMPLE = "example_args"
"""The name in the user's file: a tuple of arguments, or a dict from function names to tuples."""


def choose(
    function: Callable[..., Any], name: str, module: ModuleType, texts: Sequence[str],
    sizes: Mapping[str, int] = {},
) -> Hinted:  # fmt: skip
    """The arguments to trace with. InputError where there are none, or not those it takes."""
    if texts:
        found = read_arguments(texts)
        check_call(function, name, found)
        return Hinted(found, {})
    check_sizes([function], name, sizes)
    fixed = from_hints(function, sizes)
    if fixed is not None:
        return Hinted(fixed, {})
    example = from_example(name, module)
    if example is not None:
        check_call(function, name, example)
        return Hinted(example, {})
    sampled = from_samples(function, sizes)
    if sampled is not None:
        return sampled
    raise InputError(
        f"{heading(function, name)}: which shapes? Give one --arg for each argument, such as "
        f"--arg 'f32[32,784]', or hints like `x: \"f32[32,784]\"` or "
        f'`x: Float[Tensor, "batch 784"]`, or `{EXAMPLE}` in the file'
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
class Hinted(NamedTuple):
    """Stand-ins from annotations, and the sizes that were chosen for named axes."""

    arguments: Arguments
    chosen: dict[str, int]


def from_hints(function: Callable[..., Any], sizes: Mapping[str, int] = {}) -> Arguments | None:
    """Stand-ins whose sizes the annotations or `sizes` say; None where one is not said."""
    found = _hinted(function, Sizes(sizes, choose=False))
    return None if found is None else found.arguments


def from_samples(function: Callable[..., Any], sizes: Mapping[str, int] = {}) -> Hinted | None:
    """The same, with sizes chosen for named axes; None where an argument has no annotation."""
    return _hinted(function, Sizes(sizes, choose=True))


def _hinted(function: Callable[..., Any], sizes: Sizes) -> Hinted | None:
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    needed = False
    scope = scope_of(function)
    hints = {p.name: evaluated(p.annotation, scope) for p in parameters_of(function)}
    sizes.avoid(hints.values())
    for place, parameter in enumerate(parameters_of(function)):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        optional = parameter.default is not parameter.empty
        try:
            if optional and not _says_shape(hints[parameter.name]):
                continue
            value = _stand_in(parameter.name, hints[parameter.name], sizes)
        except Unknown:
            return None
        needed = True
        if parameter.kind is parameter.KEYWORD_ONLY or len(args) < place:
            kwargs[parameter.name] = value
        else:
            args.append(value)
    if not needed and parameters_of(function):
        return None
    return Hinted(Arguments(tuple(args), kwargs), sizes.chosen)


def axis_names_of(function: Callable[..., Any]) -> list[str]:
    """The axes that the annotations of a function name."""
    scope = scope_of(function)
    return axis_names(evaluated(p.annotation, scope) for p in parameters_of(function))


def check_sizes(
    functions: Sequence[Callable[..., Any]], name: str, sizes: Mapping[str, int]
) -> None:
    """UsageError for the size of an axis that no annotation names."""
    known = list(dict.fromkeys(axis for f in functions for axis in axis_names_of(f)))
    for size in sizes:
        if size not in known:
            raise UsageError(f"--size: {name} has no axis {size!r}{suggestion(size, known)}")


def _says_shape(hint: Any) -> bool:
    return isinstance(hint, Spec) or _is_text(hint) or says_shapes(hint)


def _is_text(hint: Any) -> bool:
    return isinstance(hint, str) and ("[" in hint or element_type(hint) is not None)


def _stand_in(name: str, hint: Any, sizes: Sizes) -> Any:
    """What the annotation says. Unknown where it does not say enough."""
    if isinstance(hint, Spec):
        return hint
    if _is_text(hint):
        try:
            return read_value(hint, f"the hint of {name}")
        except UsageError as error:
            raise InputError(str(error)) from None
    return sizes.stand_in(hint)


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
