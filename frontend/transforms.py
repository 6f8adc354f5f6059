"""Derivatives of Python functions: grad, value_and_grad, vjp, jvp, linearize.

Takes: functions of tensors nested in any containers. Gives: functions. Names and argument order are
JAX's. Inside a compiled function they work on placeholders; outside, the function runs on lazy
stand-ins, so that Python branches on values work. Must not know: rules of derivatives.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from lazir.compiler.autodiff import (
    jvp_graph,
    linearize_graph,
    value_and_grad_graph,
    vjp_graph,
)
from lazir.compiler.errors import DifferentiationError
from lazir.compiler.graph import Graph, Value

from . import tree
from .apply import convert, expand, fail, lift, operand, value_of
from .autograd import detach
from .locate import user_line
from .numpy import zeros_like
from .signature import Spec, leaf_kind
from .staging import Staged, as_leaves, emit, stage, tensors
from .tree import Structure


def _positions(argnums: int | Sequence[int], args: Sequence[Any], what: str) -> list[int]:
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    found = [n + len(args) if n < 0 else n for n in numbers]
    if any(not 0 <= n < len(args) for n in found):
        fail(f"{what}: argnums {argnums} does not fit a call with {len(args)} arguments")
    return found


class _Chosen:
    """The arguments that a derivative is with respect to, as leaves, and how to call with
    others.
    """

    def __init__(self, fun: Callable[..., Any], args: Sequence[Any], kwargs: Any, argnums: Any,
                 what: str) -> None:  # fmt: skip
        self.fun, self.args, self.kwargs = fun, list(args), kwargs
        self.places = _positions(argnums, args, what)
        self.single = isinstance(argnums, int)
        self.leaves, self.structure = as_leaves(tuple(args[n] for n in self.places))
        for x in self.leaves:
            if not x._dtype.is_inexact:
                fail(
                    f"{what} is with respect to floats, got a tensor of {x._dtype}[{x.shape}]; "
                    "convert it to float, or leave it out of argnums"
                )

    def call(self, leaves: Sequence[Any]) -> Any:
        """The function with other leaves in the chosen arguments."""
        args = list(self.args)
        for n, value in zip(self.places, tree.unflatten(self.structure, leaves)):
            args[n] = value
        return self.fun(*args, **self.kwargs)

    def gradients(self, leaves: Sequence[Any]) -> Any:
        """Leaves in the structure of the chosen arguments."""
        found = tree.unflatten(self.structure, leaves)
        return found[0] if self.single else found


def _name(fun: Any) -> str:
    name = getattr(fun, "__name__", "function")
    return "lambda_" if name == "<lambda>" else name


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """A function that gives the value of `fun` (a float scalar) and its gradient.

    With respect to a complex argument x + iy the gradient is ∂f/∂x − i ∂f/∂y, JAX's convention:
    its conjugate points uphill. `holomorphic`: `fun` takes and gives complex numbers and has a
    complex derivative, which is the result.

    `argnums`: which arguments the gradient is with respect to. `has_aux`: `fun` gives a pair, whose
    second part is passed through: the result is ((value, aux), gradient).

    >>> import lazir as lz
    >>> value, slope = value_and_grad(lambda x: x**3)(2.0)
    >>> value.item(), slope.item()
    (8.0, 12.0)
    """

    @functools.wraps(fun)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        chosen = _Chosen(fun, args, kwargs, argnums, "grad")
        staged = stage(chosen.call, chosen.leaves, name=_name(fun))
        check_kinds(chosen.leaves, holomorphic, "grad")
        _check_scalar(staged, has_aux, _name(fun), holomorphic)
        active = staged.flags([True] * staged.leaf_count)
        n_aux = len(staged.graph.results) - 1
        graph = value_and_grad_graph(staged.graph, active, n_aux, holomorphic)
        found = tensors(staged.emit(graph))
        count = len(staged.graph.results)
        value = staged.rebuild(found[:count])
        return (tuple(value) if has_aux else value), chosen.gradients(found[count:])

    return value_and_gradient


def check_kinds(leaves: Sequence[Any], holomorphic: bool, what: str) -> None:
    """Raise where a derivative that is holomorphic is with respect to real numbers."""
    for x in leaves:
        if holomorphic and not x._dtype.is_complex:
            fail(
                f"{what} with holomorphic=True is with respect to complex numbers, got a tensor of "
                f"{x._dtype}; convert it with astype, or leave holomorphic out"
            )


def _check_scalar(staged: Staged, has_aux: bool, name: str, holomorphic: bool) -> None:
    shape = staged.out
    if has_aux:
        if shape.kind is not tuple or len(shape.children) != 2:
            fail(f"{name} must return a pair (value, aux), since has_aux=True")
        shape = shape.children[0]
    if shape.kind is not None or 0 in staged.fixed:
        fail(
            f"{name} must return one float scalar to have a gradient; use has_aux for other results"
        )
    first = staged.graph.results[0].type
    if first.shape == () and (first.dtype.is_complex if holomorphic else first.dtype.is_float):
        return
    wanted = "a complex" if holomorphic else "a float"
    advice = "reduce it with sum or mean, or use vjp or jacrev"
    if first.dtype.is_complex:
        advice += "; of a complex result take a real part or the size, or say holomorphic=True"
    raise DifferentiationError(
        f"the gradient needs a function with {wanted} scalar result, {name} returned "
        f"{first.short}; {advice}",
        user_line(),
    )


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """A function that gives the gradient of `fun`; with `has_aux` the pair (gradient, aux).

    Complex numbers as in `value_and_grad`.

    >>> import lazir as lz
    >>> grad(grad(lambda x: x**3))(2.0).item()
    12.0
    """
    both = value_and_grad(fun, argnums, has_aux, holomorphic)

    @functools.wraps(fun)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def _forward(staged: Staged, graph: Graph, has_aux: bool) -> tuple[Any, list[Any]]:
    """What the function returned, and the residuals."""
    found = tensors(staged.emit(graph))
    count = len(staged.graph.results)
    out = staged.rebuild(found[:count])
    return out, found[count:]


def _main_results(staged: Staged, has_aux: bool) -> tuple[Structure, int]:
    """The structure of the part that is differentiated, and how many results it has."""
    structure = staged.out
    if has_aux:
        if structure.kind is not tuple or len(structure.children) != 2:
            fail("has_aux=True needs a function that returns a pair (result, aux)")
        structure = structure.children[0]
    count = structure.leaf_count
    if any(k in staged.fixed for k in range(count)):
        fail("a differentiated function returns tensors; put other values into aux")
    return structure, count


def _main_graph(staged: Staged, count: int) -> Graph:
    """The graph without the results of aux; the token of its effects stays, after the others."""
    g = staged.graph
    results = [*g.results[:count], *g.results[-1:]] if staged.has_effects else g.results[:count]
    return Graph(g.name, g.params, results, g.locs, g.param_names)


def _aux(staged: Staged, count: int) -> Any:
    """aux as it is outside."""
    g = staged.graph
    end = len(g.results) - staged.has_effects
    rest = Graph(g.name, g.params, g.results[count:end], g.locs, g.param_names)
    found = tensors(staged.emit(rest))
    return staged.rebuild([*[None] * count, *found])[1]


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(results, f) where f takes cotangents of the results to those of the arguments (a tuple).

    >>> import lazir as lz
    >>> y, back = vjp(lambda a, b: a * b, 3.0, 4.0)
    >>> [x.item() for x in back(1.0)]
    [4.0, 3.0]
    """
    chosen = _Chosen(fun, primals, {}, tuple(range(len(primals))), "vjp")
    staged = stage(chosen.call, chosen.leaves, name=_name(fun))
    structure, count = _main_results(staged, has_aux)
    main = _main_graph(staged, count)
    forward, backward = vjp_graph(main, staged.flags([True] * staged.leaf_count))
    found = tensors(staged.emit(forward))
    results, residuals = found[:count], found[len(main.results) :]
    types = main.result_types[:count]

    def pull_back(cotangents: Any) -> Any:
        """Cotangents of the results to cotangents of the arguments."""
        given = _matching(structure, cotangents, types, "cotangent")
        values = [value_of(r) for r in residuals]
        values += [v for v, t in zip(given, types) if t.dtype.is_inexact]
        return tree.unflatten(chosen.structure, tensors(emit(backward, values)))

    out = tree.unflatten(structure, results)
    return (out, pull_back, _aux(staged, count)) if has_aux else (out, pull_back)


def _matching(structure: Structure, given: Any, types: Sequence[Any], what: str) -> list[Value]:
    """Tangents or cotangents as values of the right types."""
    leaves, shape = tree.flatten(given)
    if shape != structure:
        fail(f"the {what}s are nested as {shape}, they must be nested as {structure}")
    values = []
    for x, type in zip(leaves, types):
        found = operand(x)
        if found.shape != type.shape:
            fail(f"a {what} of shape {found.shape} does not fit {type.short}")
        values.append(expand(convert(lift(found), type.dtype), type.shape))
    return values


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """(results, their tangents) along tangents of the arguments; with `has_aux` a third part.

    >>> import lazir as lz
    >>> y, dy = jvp(lambda x: x * x, (3.0,), (1.0,))
    >>> y.item(), dy.item()
    (9.0, 6.0)
    """
    leaves, structure = as_leaves(tuple(primals))
    smooth = [x._dtype.is_inexact for x in leaves]

    def call(items: Sequence[Any]) -> Any:
        return fun(*tree.unflatten(structure, items))

    staged = stage(call, leaves, name=_name(fun))
    out_tree, count = _main_results(staged, has_aux)
    main = _main_graph(staged, count)
    kinds = [value_of(x).type for x in leaves]
    given = _matching(structure, tuple(tangents), kinds, "tangent")
    graph = jvp_graph(main, staged.flags(smooth))
    moved = [v for v, flag in zip(given, smooth) if flag]
    found = tensors(staged.emit(graph, moved))
    out = tree.unflatten(out_tree, found[:count])
    slopes = tree.unflatten(out_tree, _with_zeros(found[:count], found[len(main.results) :]))
    return (out, slopes, _aux(staged, count)) if has_aux else (out, slopes)


def _with_zeros(results: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """Tangents for all results; those of integers and bools are zero."""
    rest = iter(tangents)
    return [next(rest) if r._dtype.is_inexact else zeros_like(r) for r in results]


def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(results, f) where f takes tangents of the arguments to tangents of the results.

    >>> import lazir as lz
    >>> y, f = linearize(lambda x: x * x, 3.0)
    >>> y.item(), f(2.0).item()
    (9.0, 12.0)
    """
    chosen = _Chosen(fun, primals, {}, tuple(range(len(primals))), "linearize")
    staged = stage(chosen.call, chosen.leaves, name=_name(fun))
    structure, count = _main_results(staged, has_aux)
    main = _main_graph(staged, count)
    forward, linear = linearize_graph(main, staged.flags([True] * staged.leaf_count))
    found = tensors(staged.emit(forward))
    results, residuals = found[:count], found[len(main.results) :]
    kinds = [value_of(x).type for x in chosen.leaves]

    def push_forward(*tangents: Any) -> Any:
        """Tangents of the arguments to tangents of the results."""
        given = _matching(chosen.structure, tangents, kinds, "tangent")
        values = [*[value_of(r) for r in residuals], *given]
        return tree.unflatten(structure, _with_zeros(results, tensors(emit(linear, values))))

    out = tree.unflatten(structure, results)
    return (out, push_forward, _aux(staged, count)) if has_aux else (out, push_forward)


def stop_gradient(x: Any) -> Any:
    """x, as a constant to every derivative. Works on trees.

    >>> import lazir as lz
    >>> grad(lambda x: x * stop_gradient(x))(3.0).item()
    3.0
    """
    leaves, structure = as_leaves(x)
    return tree.unflatten(structure, [detach(t) for t in leaves])


def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The shapes and dtypes that `fun` would return, as `lz.spec`s; nothing is computed.

    >>> import lazir as lz
    >>> eval_shape(lambda x: x @ x.T, lz.spec((2, 3)))
    spec((2, 2), 'f32')
    """
    leaves, structure = tree.flatten((args, kwargs))
    kinds = [leaf_kind(x) for x in leaves]
    dynamic = [k for k, kind in enumerate(kinds) if kind is not None]

    def call(items: Sequence[Any]) -> Any:
        full = list(leaves)
        for k, item in zip(dynamic, items):
            full[k] = item
        inner_args, inner_kwargs = tree.unflatten(structure, full)
        return fun(*inner_args, **inner_kwargs)

    found = [kind for kind in kinds if kind is not None]
    staged = stage(call, [], types=[k.type for k in found], weak=[k.weak for k in found])
    return staged.rebuild([Spec(t.shape, t.dtype) for t in staged.graph.result_types])
