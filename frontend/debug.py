"""Looking at values while a program runs: print and callback, in program order, also inside loops.

Takes: values inside or outside of compiled functions. Gives: nothing; the effects happen when the
program runs, on the thread that called it. Must not know: how a program calls back.
"""

from __future__ import annotations

import builtins
import string
from collections.abc import Callable, Sequence
from typing import Any

from .apply import fail
from .hosts import effect
from .public import listing


def print(fmt: str, *args: Any, ordered: bool = True, **kwargs: Any) -> None:
    """Print `fmt.format(*args, **kwargs)` when the program gets there, with values as arrays.

    Works in compiled functions, loops, branches and under every transform: under `grad` it prints
    the primal values, under `vmap` one line for each example. Prints are always in program order.
    Raises TypeRuleError where `fmt` does not fit the arguments, at the line of the call.

    >>> import lazir as lz
    >>> @lz.compile
    ... def f(x):
    ...     lz.debug.print("x is {} and {y:.1f}", x, y=x * 2)
    ...     return x
    >>> _ = f(1.5)
    x is 1.5 and 3.0
    """
    _check_format(fmt, args, kwargs)

    def show(*given: Any, **named: Any) -> None:
        builtins.print(fmt.format(*given, **named))

    callback(show, *args, **kwargs)


class _Formatter(string.Formatter):
    """Looks up every field of a format, and formats none: values are not known yet."""

    def format_field(self, value: Any, format_spec: str) -> str:
        return ""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Any) -> tuple[Any, Any]:
        first = field_name.replace("[", ".").split(".")[0]
        key = int(first) if first.isdigit() else first
        return self.get_value(key, args, kwargs), key

    def check_unused_args(self, used_args: Any, args: Any, kwargs: Any) -> None:
        unused = [k for k in [*range(len(args)), *kwargs] if k not in used_args]
        if unused:
            raise ValueError(f"nothing shows the argument {unused[0]}")


def _check_format(fmt: str, args: Sequence[Any], kwargs: Any) -> None:
    try:
        _Formatter().vformat(fmt, args, kwargs)
    except (IndexError, KeyError, ValueError) as error:
        fail(f"debug.print: {fmt!r} does not fit its arguments: {error}")


def callback(fun: Callable[..., Any], *args: Any, ordered: bool = True, **kwargs: Any) -> None:
    """Call `fun(*args, **kwargs)` when the program gets there, tensors as NumPy arrays.

    Arguments may be nested; what is no tensor, array or number is passed as it is. What `fun`
    returns is ignored; what it raises stops the program and is raised where that was called. Calls
    are always in program order.

    >>> import lazir as lz
    >>> seen = []
    >>> f = lz.compile(lambda x: lz.debug.callback(lambda v: seen.append(v.item()), x) or x + 1)
    >>> _ = f(2.0)
    >>> seen
    [2.0]
    """
    effect(lambda items, named: fun(*items, **named), args, kwargs)


__all__ = ["callback", "print"]
__dir__ = listing(__name__)
