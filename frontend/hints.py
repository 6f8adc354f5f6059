"""Annotations of a function's parameters and result, checked against what it gets and gives.

Takes: functions annotated in the manner of `lazir.typing` (or jaxtyping, which is not imported),
arguments. Gives: ShapeError or TypeRuleError with names, axes and shapes.
Must not know: tracing, programs. An annotation that says nothing about arrays is not looked at.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ForwardRef, NamedTuple, Union

from lazir.compiler.errors import ShapeError, TypeRuleError
from lazir.compiler.mlir.ir import Loc
from lazir.compiler.types import DType, TensorType

from . import tree
from .axes import AnnotationError, Bound
from .lazy import LazyNode, made_at
from .locate import _is_own, user_line
from .signature import leaf_kind
from .typing import ArrayHint

_SEQUENCES = (list, collections.abc.Sequence, collections.abc.Iterable)
_MAPPINGS = (dict, collections.abc.Mapping)


def array_hint(hint: Any) -> ArrayHint | None:
    """What an annotation asks of one tensor, None where it is no annotation of an array."""
    if typing.get_origin(hint) is Annotated:
        found = [m for m in hint.__metadata__ if isinstance(m, ArrayHint)]
        return found[0] if found else array_hint(hint.__origin__)
    text = getattr(hint, "dim_str", None)
    if not isinstance(text, str) or not hasattr(hint, "dtypes"):
        return None
    wanted = hint.dtypes
    dtypes = tuple(wanted) if isinstance(wanted, list | tuple) else ()
    kind = str(getattr(hint, "__name__", "Array")).partition("[")[0]
    of = getattr(getattr(hint, "array_type", None), "__name__", "Array")
    return ArrayHint(kind, of, tuple(d for d in dtypes if isinstance(d, str)), text)


def evaluated(hint: Any, scope: dict[str, Any]) -> Any:
    """What an annotation kept as text stands for; the text itself where it is no Python."""
    if isinstance(hint, ForwardRef):
        hint = hint.__forward_arg__
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, scope)
    except AnnotationError:
        raise
    except Exception:  # any text may stand there
        return hint


def scope_of(function: Any) -> dict[str, Any]:
    """The names that a function's annotations may use."""
    inner = inspect.unwrap(function)
    inner = getattr(inner, "__func__", inner)
    cells = zip(
        getattr(inner, "__code__", _NO_CODE).co_freevars, getattr(inner, "__closure__", None) or ()
    )
    held = {}
    for name, cell in cells:
        try:
            held[name] = cell.cell_contents
        except ValueError:  # not set yet
            continue
    return {**getattr(inner, "__globals__", {}), **held}


_NO_CODE = compile("", "<none>", "exec")


def fields_of(cls: Any) -> dict[str, Any]:
    """The annotated fields of a dataclass or NamedTuple; empty for other classes."""
    if not isinstance(cls, type):
        return {}
    if dataclasses.is_dataclass(cls):
        names = [f.name for f in dataclasses.fields(cls)]
    elif issubclass(cls, tuple) and hasattr(cls, "_fields"):
        names = list(cls._fields)
    else:
        return {}
    scope = dict(vars(sys.modules.get(cls.__module__, types)))
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        hints.update(inspect.get_annotations(base))
    return {n: evaluated(hints[n], scope) for n in names if n in hints}


def says_shapes(hint: Any) -> bool:
    """Whether an annotation, or a part of it, is one of an array."""
    if array_hint(hint) is not None:
        return True
    parts = [*typing.get_args(hint), *fields_of(hint).values()]
    return any(says_shapes(part) for part in parts if part is not hint)


def _made_at(x: Any) -> Loc | None:
    """The line of the operation that made a result."""
    value = getattr(x, "_value", None)
    if value is None:
        return None
    node = value.node
    if type(node) is LazyNode:
        return node.locs[0] if node.locs else None
    return made_at(node)


class _Pair(NamedTuple):
    what: str
    hint: ArrayHint
    type: TensorType
    value: Any


class Contract:
    """The annotations of one function."""

    def __init__(self, function: Callable[..., Any], signature: inspect.Signature) -> None:
        self.name = str(getattr(function, "__name__", "the function"))
        self.signature = signature
        scope = scope_of(function)
        self.hints = {p.name: evaluated(p.annotation, scope) for p in signature.parameters.values()}
        self.result = evaluated(signature.return_annotation, scope)
        code = getattr(inspect.unwrap(function), "__code__", None)
        self.line = Loc(code.co_filename, code.co_firstlineno, 1) if code else None

    @property
    def is_empty(self) -> bool:
        """Whether no annotation says anything about arrays."""
        return not any(says_shapes(hint) for hint in (*self.hints.values(), self.result))

    def check_arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bound:
        """What the names stand for in this call; ShapeError, TypeRuleError where they misfit."""
        bound = Bound()
        try:
            given = self.signature.bind(*args, **kwargs)
        except TypeError:
            return bound  # the call itself says it better
        here = user_line()
        kinds = self.signature.parameters
        for name, value in given.arguments.items():
            hint, kind = self.hints[name], kinds[name].kind
            items = [(f"argument {name}", value)]
            if kind is inspect.Parameter.VAR_POSITIONAL:
                items = [(f"argument {name}[{k}]", v) for k, v in enumerate(value)]
            elif kind is inspect.Parameter.VAR_KEYWORD:
                items = [(f"argument {k}", v) for k, v in value.items()]
            for what, item in items:
                self._fit(bound, hint, item, what, lambda _: here)
        self._settle(bound, here)
        return bound

    def check_result(self, out: Any, bound: Bound) -> None:
        """The result, with the names as the arguments have bound them."""
        self._fit(bound, self.result, out, "the result", lambda x: _made_at(x) or self.line)
        leaves = tree.leaves(out)
        self._settle(bound, (_made_at(leaves[0]) if leaves else None) or self.line)

    def _fit(
        self, bound: Bound, hint: Any, value: Any, what: str, line: Callable[[Any], Loc | None]
    ) -> None:
        for pair in self._pairs(hint, value, what, bound, line):
            reason = misfit(bound, pair.hint, pair.type, f"{pair.what}: {pair.type.short}")
            if reason:
                self._fail(f"{pair.what} is {pair.type.short}", pair.hint, reason, line(pair.value))

    def _settle(self, bound: Bound, line: Loc | None) -> None:
        what, reason = bound.settle()
        if what:
            raise ShapeError(f"{self.name}: {what}: {reason}", line)

    def _fail(self, head: str, hint: Any, reason: str, line: Loc | None) -> None:
        kind = TypeRuleError if "dtype" in reason else ShapeError
        raise kind(f"{self.name}: {head}, annotated {hint}: {reason}", line)

    def _pairs(
        self, hint: Any, value: Any, what: str, bound: Bound, line: Callable[[Any], Loc | None]
    ) -> Iterator[_Pair]:
        """The tensors in `value` with what is asked of each."""
        wanted = array_hint(hint)
        if wanted is not None:
            kind = None if value is None else leaf_kind(value)
            if kind is not None:
                yield _Pair(what, wanted, kind.type, value)
            elif value is not None:
                head = f"{what} is a {type(value).__name__}"
                self._fail(head, wanted, "it needs a dtype and a shape", line(value))
            return
        origin, parts = typing.get_origin(hint), typing.get_args(hint)
        if origin in (Union, types.UnionType):
            if value is not None:
                yield from self._choice(parts, value, what, bound, line)
        elif origin is Annotated:
            yield from self._pairs(parts[0], value, what, bound, line)
        else:
            for label, part, item in members(hint, value):
                yield from self._pairs(part, item, what + label, bound, line)

    def _choice(
        self, parts: tuple[Any, ...], value: Any, what: str, bound: Bound,
        line: Callable[[Any], Loc | None],
    ) -> Iterator[_Pair]:  # fmt: skip
        """The first alternative that fits; the last one that says shapes, where none does."""
        found: list[list[_Pair]] = []
        for part in parts:
            if part is type(None):
                continue
            try:
                pairs = list(self._pairs(part, value, what, bound, line))
            except (ShapeError, TypeRuleError):
                continue
            trial = bound.copy()
            if not any(misfit(trial, p.hint, p.type, p.what) for p in pairs):
                yield from pairs
                return
            found.append(pairs)
        if found:
            yield from found[-1]


def members(hint: Any, value: Any) -> Iterator[tuple[str, Any, Any]]:
    """The parts of a container and their annotations, labelled as Python writes them."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and isinstance(value, tuple):
        each = parts[:1] * len(value) if parts[1:] == (...,) else parts
        yield from ((f"[{k}]", p, x) for k, (p, x) in enumerate(zip(each, value)))
    elif origin in _SEQUENCES and isinstance(value, list | tuple):
        yield from ((f"[{k}]", parts[0], x) for k, x in enumerate(value))
    elif origin in _MAPPINGS and isinstance(value, dict):
        yield from ((f"[{k!r}]", parts[1], x) for k, x in value.items())
    elif isinstance(hint, type) and isinstance(value, hint):
        yield from ((f".{n}", p, getattr(value, n)) for n, p in fields_of(hint).items())


def misfit(bound: Bound, hint: ArrayHint, type: TensorType, what: str) -> str:
    """In words why a tensor is not what an annotation asks for, empty where it is."""
    if hint.dtypes and type.dtype.numpy_name not in hint.dtypes:
        return f"its dtype must be {_listed(hint)}, not {type.dtype}"
    return bound.match(hint.axes, type.shape, what)


def _listed(hint: ArrayHint) -> str:
    names = list(hint.dtypes)
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def contract_of(function: Callable[..., Any]) -> Contract | None:
    """The annotations of a function that say shapes, None where there are none.

    A function made by a transform carries the annotations of another, whose shapes it has not.
    """
    code = getattr(function, "__code__", None)
    if hasattr(function, "__wrapped__") and (code is None or _is_own(code.co_filename)):
        return None
    try:
        found = Contract(function, inspect.signature(function))
    except AnnotationError:
        raise
    except (TypeError, ValueError):  # no Python function
        return None
    return None if found.is_empty else found


def call_checked(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call a function whose arguments and result are checked."""
    contract = contract_of(function)
    if contract is None:
        return function(*args, **kwargs)
    bound = contract.check_arguments(args, kwargs)
    out = function(*args, **kwargs)
    contract.check_result(out, bound)
    return out


def dtype_of(hint: ArrayHint, named: Callable[[str], DType | None]) -> DType | None:
    """The first dtype that an annotation allows: float32 where any, or any float, will do."""
    for name in ("float32", "int64", *hint.dtypes):
        if not hint.dtypes or name in hint.dtypes:
            found = named(name)
            if found is not None:
                return found
    return None
