"""Whole Jacobians and Hessians, on trees of arguments and results.

Takes: functions. Gives: functions whose results have, for each result leaf, the structure of the
arguments, each leaf of shape result shape + argument shape. Must not know: rules of derivatives.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from lazir.compiler.autodiff import batch_graph, linearize_graph, vjp_graph
from lazir.compiler.graph import Graph, Value
from lazir.compiler.types import DType, TensorType

from . import tree
from .apply import call, expand, fail, number, tensor, value_of
from .numpy import eye
from .staging import emit, stage
from .transforms import _aux, _Chosen, _main_graph, _main_results, _name, check_kinds


def _basis(type: TensorType) -> Value:
    """The unit vectors of a type, stacked along a new first axis."""
    size = math.prod(type.shape)
    return call("reshape", value_of(eye(size, dtype=type.dtype)), shape=(size, *type.shape))


def _zero(type: TensorType) -> Value:
    return expand(number(0, type.dtype, True), type.shape)


def _floats(graph: Graph, count: int, what: str) -> Graph:
    """The graph, after a look at its first results: only floats have derivatives."""
    for type in graph.result_types[:count]:
        if not type.dtype.is_inexact:
            fail(f"{what}: a result is {type.short}, which has no derivative; return it as aux")
    return graph


def _require_holomorphic(kinds: Sequence[DType], holomorphic: bool, what: str, which: str) -> None:
    """A function of complex numbers that is not holomorphic has no complex derivative."""
    for kind in kinds:
        if kind.is_complex and not holomorphic:
            fail(
                f"{what}: {which} is {kind}; of a holomorphic function say holomorphic=True, of "
                "others differentiate the real and imaginary parts"
            )


def _columns(
    graph: Graph, fixed: Sequence[Value], types: Sequence[TensorType], k: int
) -> list[Value]:
    """The linear graph's results for every unit vector in its k-th moving operand, that axis
    first.
    """
    n = math.prod(types[k].shape)
    axes: list[int | None] = [None] * len(fixed)
    axes += [0 if j == k else None for j in range(len(types))]
    batched, placed = batch_graph(graph, axes, n)
    moving = [_basis(t) if j == k else _zero(t) for j, t in enumerate(types)]
    found = emit(batched, [*fixed, *moving])
    out = []
    for value, axis, type in zip(found, placed, graph.result_types):
        if axis is None:
            value = call(
                "broadcast", value, shape=(n, *value.shape), axes=tuple(range(1, type.rank + 1))
            )
        elif axis:
            order = (axis, *(a for a in range(type.rank + 1) if a != axis))
            value = call("transpose", value, permutation=order)
        out.append(value)
    return out


def jacfwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of `fun`, a column at a time by forward mode: good for few inputs.

    >>> import lazir as lz
    >>> print(jacfwd(lambda x: x * x)(lz.Tensor([1.0, 2.0])))
    [[2. 0.]
     [0. 4.]]
    """

    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = _Chosen(fun, args, kwargs, argnums, "jacfwd")
        staged = stage(chosen.call, chosen.leaves, name=_name(fun))
        structure, count = _main_results(staged, has_aux)
        main = _floats(_main_graph(staged, count), count, "jacfwd")
        check_kinds(chosen.leaves, holomorphic, "jacfwd")
        _require_holomorphic(
            [x._dtype for x in chosen.leaves], holomorphic, "jacfwd", "an argument"
        )
        forward, linear = linearize_graph(main, staged.flags([True] * staged.leaf_count))
        residuals = staged.emit(forward)[len(main.results) :]
        types = [value_of(x).type for x in chosen.leaves]
        table: list[list[Any]] = [[] for _ in linear.results]
        for k, type in enumerate(types):
            for row, value in zip(table, _columns(linear, residuals, types, k)):
                order = (*range(1, len(value.shape)), 0)
                last = call("transpose", value, permutation=order)
                row.append(tensor(call("reshape", last, shape=(*value.shape[1:], *type.shape))))
        found = tree.unflatten(structure, [chosen.gradients(row) for row in table])
        return (found, _aux(staged, count)) if has_aux else found

    return jacobian


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of `fun`, a row at a time by reverse mode: good for few results.

    >>> import lazir as lz
    >>> print(jacrev(lambda x: (x * x).sum())(lz.Tensor([1.0, 2.0])))
    [2. 4.]
    """

    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = _Chosen(fun, args, kwargs, argnums, "jacrev")
        staged = stage(chosen.call, chosen.leaves, name=_name(fun))
        structure, count = _main_results(staged, has_aux)
        main = _floats(_main_graph(staged, count), count, "jacrev")
        check_kinds(chosen.leaves, holomorphic, "jacrev")
        kinds = [t.dtype for t in main.result_types[:count]]
        _require_holomorphic(kinds, holomorphic, "jacrev", "a result")
        forward, backward = vjp_graph(main, staged.flags([True] * staged.leaf_count))
        residuals = staged.emit(forward)[len(main.results) :]
        types = main.result_types[:count]
        rows = []
        for k, type in enumerate(types):
            found = _columns(backward, residuals, types, k)
            rows.append(
                chosen.gradients(
                    [tensor(call("reshape", v, shape=(*type.shape, *v.shape[1:]))) for v in found]
                )
            )
        result = tree.unflatten(structure, rows)
        return (result, _aux(staged, count)) if has_aux else result

    return jacobian


jacobian = jacrev


def hessian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The matrix of second derivatives of a scalar function.

    >>> import lazir as lz
    >>> print(hessian(lambda x: (x**3).sum())(lz.Tensor([1.0, 2.0])))
    [[ 6.  0.]
     [ 0. 12.]]
    """
    return jacfwd(jacrev(fun, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic)
