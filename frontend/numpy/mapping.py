"""Python functions over tensors: along axes, over elements, by pieces.

Takes: functions that can be traced (`lz.vmap` runs them once for all elements), tensors. Gives:
tensors. Must not know: rules of batching.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from lazir.compiler.errors import ShapeError

from .. import tree
from ..apply import as_tensor, fail, normal_axis
from ..batching import vmap
from ..handle import Handle
from ..tensor import Tensor
from .creation import zeros_like
from .grids import _check_inside
from .logic import where
from .manipulation import (
    broadcast_arrays,
    broadcast_shapes_,
    broadcast_to,
    expand_dims,
    moveaxis,
    stack,
)
from .output import delivered
from .taking import take_along_axis


def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Tensor:
    """`func1d` of every vector along `axis`; the axes of its result take the place of that axis.

    >>> import lazir.numpy as lnp
    >>> print(lnp.apply_along_axis(lambda v: v[0] + v[-1], 1, lnp.arange(6).reshape(2, 3)))
    [2 8]
    """
    x = as_tensor(arr)
    rank = len(x.shape)
    k = normal_axis(axis, rank, "apply_along_axis")
    rows = moveaxis(x, k, -1)
    lead = rows.shape[:-1]
    if 0 in lead:
        fail(f"apply_along_axis: shape {x.shape} has no vectors along axis {axis}", ShapeError)

    def one(v: Tensor) -> Tensor:
        return as_tensor(func1d(v, *args, **kwargs))

    if not lead:
        return one(rows)
    made: Tensor = vmap(one)(rows.reshape(-1, rows.shape[-1]))
    inner = made.shape[1:]
    full = made.reshape(*lead, *inner)
    order = [*range(k), *range(len(lead), len(lead) + len(inner)), *range(k, len(lead))]
    return full.transpose(order) if order != list(range(len(order))) else full


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Tensor:
    """`func(a, axis)` for one axis after another; an axis that it reduces stays with size 1.

    >>> import lazir.numpy as lnp
    >>> print(lnp.apply_over_axes(lnp.sum, lnp.ones((2, 3)), (0, 1)))
    [[6.]]
    """
    x = as_tensor(a)
    rank = len(x.shape)
    for axis in axes if isinstance(axes, tuple | list) else (axes,):
        k = normal_axis(axis, rank, "apply_over_axes")
        made = as_tensor(func(x, k))
        x = expand_dims(made, k) if len(made.shape) == rank - 1 else made
        if len(x.shape) != rank:
            fail("apply_over_axes: the function must keep the rank, or reduce one axis", ShapeError)
    return x


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Tensor:
    """For each element the function (or value) of the last condition that holds, in the dtype of x.

    One function more than conditions is for where none holds (else 0). Every function is evaluated
    everywhere, so none may need its condition.

    >>> import lazir.numpy as lnp
    >>> x = lnp.array([-2.0, 0.0, 3.0])
    >>> print(lnp.piecewise(x, [x < 0, x > 0], [-1, lambda v: v * v]))
    [-1.  0.  9.]
    """
    at = as_tensor(x)
    several = isinstance(condlist, list | tuple) and (
        not condlist or not isinstance(condlist[0], bool | int) or not at.shape
    )
    several = several or (isinstance(condlist, Handle) and len(condlist.shape) > len(at.shape))
    conditions = [as_tensor(c) != 0 for c in (condlist if several else [condlist])]
    count = len(funclist) - len(conditions)
    if count not in (0, 1):
        fail(f"piecewise: {len(conditions)} conditions take as many functions or one more, "
             f"got {len(funclist)}")  # fmt: skip
    choices = [f(at, *args, **kw) if callable(f) else f for f in funclist]
    result = zeros_like(at)
    if count:
        result = where(True, as_tensor(choices.pop()).astype(at.dtype), result)
    for condition, choice in zip(conditions, choices):
        result = where(condition, as_tensor(choice).astype(at.dtype), result)
    return result


def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Tensor:
    """For each element of `a` the element at that place of the choice with that number.

    `mode`: "clip" or "wrap" for numbers outside; by default those that are known raise.

    >>> import lazir.numpy as lnp
    >>> print(lnp.choose(lnp.array([1, 0]), [lnp.array([1, 2]), lnp.array([3, 4])]))
    [3 2]
    """
    numbers = as_tensor(a)
    if not (numbers.dtype.is_integer or numbers.dtype.is_bool):
        fail(f"choose takes integers, got {numbers.dtype}")
    options = [choices[k] for k in range(len(choices))]
    if not options:
        fail("choose needs at least one choice")
    n = len(options)
    numbers = numbers.astype("int64")
    if mode == "clip":
        numbers = numbers.clip(0, n - 1)
    elif mode == "wrap":
        numbers = numbers % n
    elif mode == "raise":
        _check_inside(numbers, n, "choose")
    else:
        fail(f"choose: mode is 'raise', 'wrap' or 'clip', got {mode!r}")
    numbers, *parts = broadcast_arrays(numbers, *options)
    table = stack(parts)
    made = take_along_axis(table, expand_dims(numbers, 0), axis=0)[0].copy()
    return delivered(made, out, "choose")


# -- functions of elements ---------------------------------------------------------------
_CORE = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
_SIGNATURE = re.compile(rf"^\s*{_CORE}(?:\s*,\s*{_CORE})*\s*->\s*{_CORE}(?:\s*,\s*{_CORE})*\s*$")


def _dims(text: str) -> list[tuple[str, ...]]:
    groups = re.findall(r"\(([^)]*)\)", text)
    return [tuple(part.strip() for part in g.split(",") if part.strip()) for g in groups]


def vectorize(
    pyfunc: Callable[..., Any],
    otypes: Any = None,
    doc: str | None = None,
    excluded: Any = frozenset(),
    cache: bool = False,
    signature: str | None = None,
) -> Callable[..., Any]:
    """A function of numbers made one of tensors, whose arguments broadcast; it must be traceable.

    `signature`, such as "(n),(n)->()": what axes one call takes and gives; the others broadcast.
    `excluded`: numbers and names of arguments that are passed as they are. `otypes`: dtypes of the
    results. `cache` changes nothing.

    >>> import lazir.numpy as lnp
    >>> larger = lnp.vectorize(lambda a, b: lnp.where(a > b, a, b))
    >>> print(larger(lnp.arange(3), 1))
    [1 1 2]
    """
    if signature is not None and not _SIGNATURE.match(signature):
        fail(f"vectorize: a signature looks like '(m,n),(n)->(m)', got {signature!r}")
    left = _dims(signature.split("->")[0]) if signature else None
    dtypes = list(otypes) if otypes is not None else None

    @functools.wraps(pyfunc)
    def run(*args: Any, **kwargs: Any) -> Any:
        fixed = {k: v for k, v in enumerate(args) if k in excluded}
        names = [k for k in kwargs if k not in excluded]
        moving = [v for k, v in enumerate(args) if k not in excluded] + [kwargs[k] for k in names]
        if left is not None and len(left) != len(moving):
            fail(f"vectorize: {signature!r} takes {len(left)} arguments, {len(moving)} were given")
        cores = left if left is not None else [()] * len(moving)

        def one(*parts: Any) -> Any:
            rest = iter(parts)
            positional = [fixed[k] if k in fixed else next(rest) for k in range(len(args))]
            named = {**{k: v for k, v in kwargs.items() if k in excluded}, **dict(zip(names, rest))}
            made = pyfunc(*positional, **named)
            return (
                tuple(map(as_tensor, made)) if isinstance(made, tuple | list) else as_tensor(made)
            )

        made = _over_batch(one, [as_tensor(x) for x in moving], cores, signature)
        if dtypes is None:
            return made
        parts = made if isinstance(made, tuple) else (made,)
        cast = tuple(x.astype(d) for x, d in zip(parts, dtypes, strict=True))
        return cast if isinstance(made, tuple) else cast[0]

    if doc is not None:
        run.__doc__ = doc
    return run


def _over_batch(
    one: Callable[..., Any],
    xs: list[Tensor],
    cores: Sequence[tuple[str, ...]],
    signature: str | None,
) -> Any:
    """One call of a batch of all places of the loop axes, which broadcast."""
    sizes: dict[str, int] = {}
    for x, core in zip(xs, cores):
        rank = len(core)
        if len(x.shape) < rank:
            fail(f"vectorize: shape {x.shape} has not the axes {core} of {signature!r}", ShapeError)
        for name, n in zip(core, x.shape[len(x.shape) - rank :]):
            if sizes.setdefault(name, n) != n:
                fail(
                    f"vectorize: axis {name} of {signature!r} is {sizes[name]} and {n}", ShapeError
                )
    loops = [x.shape[: len(x.shape) - len(core)] for x, core in zip(xs, cores)]
    lead = broadcast_shapes_(*loops) if loops else ()
    if not lead:
        return one(*xs)
    if 0 in lead:
        fail(f"vectorize: loop axes {lead} are empty, so the result has no known form", ShapeError)
    flat: list[Tensor] = []
    axes: list[int | None] = []
    for x, loop in zip(xs, loops):
        inner = x.shape[len(loop) :]
        if loop:
            flat.append(broadcast_to(x, (*lead, *inner)).reshape(-1, *inner))
            axes.append(0)
        else:
            flat.append(x)
            axes.append(None)
    made = vmap(one, in_axes=tuple(axes))(*flat)
    return tree.map(lambda v: v.reshape(*lead, *v.shape[1:]), made)


def frompyfunc(func: Callable[..., Any], /, nin: int, nout: int, **options: Any) -> Any:
    """Not in lazir: NumPy's works on Python objects. TypeRuleError, which names `vectorize`.

    >>> import lazir.numpy as lnp
    >>> lnp.frompyfunc(max, 2, 1)
    Traceback (most recent call last):
    ...
    lazir.compiler.errors.TypeRuleError: frompyfunc makes arrays of Python objects; ...
    """
    return fail(
        "frompyfunc makes arrays of Python objects; use lnp.vectorize with a function of tensors"
    )
