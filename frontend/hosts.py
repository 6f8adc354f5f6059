"""Calls of Python from inside a program: pure_callback, io_callback, check, and what they share.

Takes: functions of arrays, values. Gives: tensors, or effects in program order. Outside of traces
effects happen at once. Must not know: how a program calls back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import Formatter
from typing import Any

import numpy as np

from lazir.compiler.errors import CheckError
from lazir.compiler.graph import Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.host import METHODS, Host, call_host
from lazir.compiler.ops.source import bf16_bits, bf16_values
from lazir.compiler.types import TensorType, bf16

from . import tree
from .apply import NUMBERS, fail, lift, operand, tensor
from .control import cond
from .dtypes import as_dtype
from .handle import Handle
from .lazy import known
from .locate import user_line
from .pending import force_values
from .tensor import Tensor
from .tokens import current_token, follow, runs_at_once
from .trace import builder
from .tree import Structure

Array = np.ndarray[Any, Any]


# -- arrays in and out -----------------------------------------------------------------------
def _shown(array: Array, type: TensorType) -> Array:
    """What a function of the user's gets: bf16 as float32."""
    return bf16_values(array) if type.dtype is bf16 else array


def _stored(x: Any, type: TensorType, what: str) -> Array:
    """A result of a function of the user's as the program keeps it."""
    array = np.asarray(x.numpy() if isinstance(x, Tensor) else x)
    if array.shape != type.shape:
        raise ValueError(f"{what} returned shape {array.shape}, result_shape says {type.short}")
    wanted = np.dtype(np.float32) if type.dtype is bf16 else type.dtype.numpy
    if array.dtype != wanted and not isinstance(x, NUMBERS):
        raise ValueError(f"{what} returned {array.dtype}, result_shape says {type.short}")
    array = array.astype(wanted)
    return bf16_bits(array) if type.dtype is bf16 else array


class _Leaves:
    """The leaves of arguments: those that are values of the program, and the others."""

    def __init__(self, leaves: Sequence[Any], structure: Structure) -> None:
        self.structure = structure
        self.fixed: dict[int, Any] = {}
        self.values: list[Value] = []
        self.count = len(leaves)
        for k, x in enumerate(leaves):
            if isinstance(x, Handle | np.ndarray | np.generic):
                self.values.append(lift(operand(x)))
            else:
                self.fixed[k] = x
        self.types = tuple(v.type for v in self.values)

    def rebuilt(self, arrays: Sequence[Array], types: Sequence[TensorType]) -> Any:
        """The arguments with arrays for the values."""
        rest = iter(map(_shown, arrays, types))
        full = [self.fixed[k] if k in self.fixed else next(rest) for k in range(self.count)]
        return tree.unflatten(self.structure, full)


def _host(
    function: Callable[[Any, Any], Any],
    given: _Leaves,
    results: Sequence[TensorType] = (),
    structure: Structure | None = None,
    what: str = "the callback",
) -> Host:
    """The function of (args, kwargs) as the program calls it; without a structure it gives
    nothing."""

    def run(
        arrays: Sequence[Array], params: Sequence[TensorType], wanted: Sequence[TensorType]
    ) -> Sequence[Array]:
        out = function(*given.rebuilt(arrays, params))
        if structure is None:
            return ()
        leaves, shape = tree.flatten(out)
        if shape != structure:
            raise ValueError(f"{what} returned {shape}, its result shapes are {structure}")
        return [_stored(x, t, what) for x, t in zip(leaves, wanted)]

    return Host.of(run, given.types, tuple(results))


# -- effects -----------------------------------------------------------------------------------
def effect(function: Callable[[Any, Any], Any], args: Any, kwargs: Any) -> None:
    """Call `function(args, kwargs)` when the program gets there; what it gives is ignored."""
    given = _Leaves(*tree.flatten((args, kwargs)))
    if runs_at_once():
        force_values(given.values)
        arrays = [known(v) for v in given.values]
        function(*given.rebuilt([a.copy() for a in arrays if a is not None], given.types))
        return
    follow(call_host(builder(), _host(function, given), given.values, current_token()))


def check(condition: Any, message: str, **values: Any) -> None:
    """Raise `lz.errors.CheckError` where `condition` (a bool, or a tensor of them: all) is false.

    Checked when the program gets there, in compiled functions, loops and branches too; the first
    check that fails ends the program, and the error shows the line of the check and `values`.
    Fields of `message` such as `{x}` show values in place. Under `vmap` every example is checked.

    >>> import lazir as lz
    >>> @lz.compile
    ... def root(x):
    ...     lz.check(x >= 0, "no root of {x}", x=x)
    ...     return lz.numpy.sqrt(x)
    >>> root(4.0).item()
    2.0
    >>> try:
    ...     root(-1.0)
    ... except lz.errors.CheckError as error:
    ...     print(error.message)
    no root of -1.0
    """
    loc = user_line()
    flag = lift(operand(condition))
    if not flag.type.dtype.is_bool:
        fail(f"check needs a bool, got {flag.type.short}; compare, or use != 0")
    if flag.shape:
        flag = OPS["reduce_all"](builder(), flag, axes=tuple(range(len(flag.shape))))

    def complain(args: Any, kwargs: Any) -> None:
        raise CheckError(_complaint(message, kwargs), loc)

    if runs_at_once():
        if not tensor(flag).item():
            effect(complain, (), values)
        return
    cond(tensor(flag), lambda xs: None, lambda xs: effect(complain, (), xs), values)


def _complaint(message: str, values: dict[str, Any]) -> str:
    """The message with values in its fields, and below it those that it does not show."""
    shown = {name for _, name, _, _ in Formatter().parse(message) if name}
    heads = {name.replace("[", ".").split(".")[0] for name in shown}
    text = message.format(**values) if heads and heads <= set(values) else message
    return text + "".join(f"\n  {k} = {v}" for k, v in values.items() if k not in heads)


# -- callbacks with results ----------------------------------------------------------------------
def _results(spec: Any) -> tuple[list[TensorType], Structure]:
    """The types of the leaves of a tree of specs, tensors or arrays."""
    leaves, structure = tree.flatten(spec)
    for x in leaves:
        if not hasattr(x, "shape") or not hasattr(x, "dtype"):
            fail(f"the results of a callback are given as lz.spec(shape, dtype), got {x!r}")
    return [TensorType(tuple(x.shape), as_dtype(x.dtype)) for x in leaves], structure


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """`callback(*args, **kwargs)` computed by Python, with NumPy arrays, inside a program.

    `result_shape_dtypes`: `lz.spec`s nested as the results. The function must have no effects: it
    may run once, often, or never. `vmap_method` says what `vmap` does: "sequential" calls it for
    each example; "expand_dims" and "broadcast_all" once, with a batch axis in front of every
    operand (of size 1, or of the batch's, where all examples share it) and of the results. It has
    no derivative: give one by `custom_jvp` or `custom_vjp`.

    >>> import lazir as lz, numpy as np
    >>> f = lz.compile(lambda x: lz.pure_callback(np.sin, lz.spec((), "f32"), x) + 1)
    >>> f(0.0).item()
    1.0
    """
    method = "" if vmap_method is None else vmap_method
    if method not in METHODS:
        fail(f"vmap_method is one of {METHODS[1:]}, not {vmap_method!r}")
    types, structure = _results(result_shape_dtypes)
    given = _Leaves(*tree.flatten((args, kwargs)))
    what = f"pure_callback: {getattr(callback, '__name__', 'the function')}"
    host = _host(lambda items, named: callback(*items, **named), given, types, structure, what)
    found = call_host(builder(), host, given.values, vmap=method)
    return tree.unflatten(structure, [tensor(v) for v in found])


def io_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    ordered: bool = True,
    **kwargs: Any,
) -> Any:
    """As `pure_callback`, for functions with effects: called exactly once each time the program
    gets there, in program order (with `ordered=False` too).

    >>> import lazir as lz, numpy as np
    >>> lines = iter([3.0, 4.0])
    >>> read = lambda: np.float64(next(lines))
    >>> number = lz.spec((), "f64")
    >>> f = lz.compile(lambda: lz.io_callback(read, number) - lz.io_callback(read, number))
    >>> f().item()
    -1.0
    """
    types, structure = _results(result_shape_dtypes)
    given = _Leaves(*tree.flatten((args, kwargs)))
    what = f"io_callback: {getattr(callback, '__name__', 'the function')}"
    host = _host(lambda items, named: callback(*items, **named), given, types, structure, what)
    found = call_host(builder(), host, given.values, current_token())
    data = [tensor(v) for v in found[1:]]
    follow(found)
    return tree.unflatten(structure, data)


__all__ = ["check", "effect", "io_callback", "pure_callback"]
