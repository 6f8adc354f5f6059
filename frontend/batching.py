"""`vmap`: a function of one example becomes a function of a batch.

Takes: functions, where arguments and results have their batch axis. Gives: functions.
Must not know: rules of batching.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from lazir.compiler.autodiff import batch_graph
from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value
from lazir.compiler.types import TensorType

from . import tree
from .apply import call, fail, normal_axis, tensor, value_of
from .staging import as_leaves, stage
from .tree import Structure


def spread(prefix: Any, structure: Structure, what: str) -> list[Any]:
    """One entry of `prefix` (a tree that may end early; None is an entry) for each leaf."""
    if structure.kind is None:
        return [prefix]
    if prefix is None or isinstance(prefix, int):
        return [prefix] * structure.leaf_count
    if isinstance(prefix, list) and structure.kind is tuple:
        prefix = tuple(prefix)
    if structure.kind in (tuple, list) and isinstance(prefix, tuple | list):
        if len(prefix) != len(structure.children):
            fail(f"{what} has {len(prefix)} entries for {len(structure.children)} values")
        items: Any = prefix
    elif (
        isinstance(prefix, dict)
        and structure.kind is dict
        and tuple(sorted(prefix)) == structure.meta
    ):
        items = [prefix[k] for k in structure.meta]
    else:
        items = tree.flatten_up_to(structure._replace(children=structure.children), prefix, what)
        return list(items)
    return [x for item, child in zip(items, structure.children) for x in spread(item, child, what)]


def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
) -> Callable[..., Any]:
    """`fun` over a batch: `in_axes` says where each argument has its batch axis (None: shared by
    all examples), `out_axes` where the results shall have it. Keyword arguments are batched on axis
    0.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(vmap(lambda a, b: a @ b)(lnp.ones((2, 3)), lnp.ones((2, 3))))
    [3. 3.]
    """

    @functools.wraps(fun)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = as_leaves((args, kwargs))
        given = in_axes if isinstance(in_axes, int) or in_axes is None else tuple(in_axes)
        axes = spread(given, structure.children[0], "in_axes")
        axes += [0] * structure.children[1].leaf_count
        axes = [None if a is None else _axis(a, x) for a, x in zip(axes, leaves)]
        size = _size(axes, leaves, axis_size)

        def one(items: Sequence[Any]) -> Any:
            inner_args, inner_kwargs = tree.unflatten(structure, items)
            return fun(*inner_args, **inner_kwargs)

        types = [_example(value_of(x).type, a) for x, a in zip(leaves, axes)]
        name = getattr(fun, "__name__", "function")
        staged = stage(
            one, leaves, types=types, weak=[x._weak for x in leaves],
            name="lambda_" if name == "<lambda>" else name,
        )  # fmt: skip
        graph, placed = batch_graph(staged.graph, [None] * staged.n_captures + axes, size)
        found = staged.emit(graph)
        wanted = spread(out_axes, staged.out, "out_axes")
        targets = [w for k, w in enumerate(wanted) if k not in staged.fixed]
        results = [
            tensor(_place(v, axis, target, size)) for v, axis, target in zip(found, placed, targets)
        ]
        return staged.rebuild(results)

    return batched


def _axis(axis: int, x: Any) -> int:
    if not x.shape:
        fail("vmap: a scalar has no batch axis; give None in in_axes for it", ShapeError)
    return normal_axis(axis, len(x.shape), "vmap")


def _example(type: TensorType, axis: int | None) -> TensorType:
    if axis is None:
        return type
    return TensorType((*type.shape[:axis], *type.shape[axis + 1 :]), type.dtype)


def _size(axes: Sequence[int | None], leaves: Sequence[Any], given: int | None) -> int:
    sizes: set[int] = {x.shape[a] for a, x in zip(axes, leaves) if a is not None}
    if given is not None:
        sizes.add(given)
    if not sizes:
        fail("vmap needs at least one argument with a batch axis, or axis_size")
    if len(sizes) > 1:
        shapes = ", ".join(f"{x._dtype}{list(x.shape)}" for x in leaves)
        fail(f"vmap: the batch axes differ in size: {sorted(sizes)} in {shapes}", ShapeError)
    return sizes.pop()


def _place(value: Value, axis: int | None, target: int | None, size: int) -> Value:
    """The result with its batch axis where it is wanted."""
    if target is None:
        if axis is not None:
            fail("vmap: out_axes is None for a result that differs between examples", ShapeError)
        return value
    rank = len(value.shape) + (axis is None)
    place = normal_axis(target, rank, "vmap out_axes")
    if axis is None:
        shape = (*value.shape[:place], size, *value.shape[place:])
        kept = tuple(k for k in range(rank) if k != place)
        return call("broadcast", value, shape=shape, axes=kept)
    if axis == place:
        return value
    order = [k for k in range(rank) if k != axis]
    order.insert(place, axis)
    return call("transpose", value, permutation=tuple(order))
