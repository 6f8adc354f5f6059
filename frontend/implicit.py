"""Functions as values of transforms: closures made explicit, linear functions transposed, gradients
checked against finite differences.

Takes: functions and example arguments. Gives: functions, or an error that lists the worst mismatch.
Must not know: rules of derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazir.compiler.autodiff import transpose_graph
from lazir.compiler.errors import DifferentiationError

from . import tree
from .apply import fail, value_of
from .dtypes import float64
from .locate import user_line
from .signature import leaf_kind
from .staging import as_leaves, emit, stage, tensors, trace_body
from .transforms import jvp, vjp


def closure_convert(fun: Callable[..., Any], *example_args: Any) -> tuple[Any, list[Any]]:
    """(`converted`, the tensors that `fun` captures), such that `converted(*args, *captured)` is
    `fun(*args)` with derivatives in what it captures too.

    >>> import lazir as lz
    >>> a = lz.Tensor(3.0)
    >>> f, held = closure_convert(lambda x: a * x, 1.0)
    >>> lz.grad(f, argnums=1)(2.0, *held).item()
    2.0
    """
    leaves, structure = as_leaves(tuple(example_args))
    body = trace_body(
        lambda xs: fun(*tree.unflatten(structure, xs)), [value_of(x).type for x in leaves],
        [x._weak for x in leaves],
    )  # fmt: skip
    if body.effects or body.fixed:
        fail("closure_convert takes functions without effects that return tensors")
    count = len(body.captures)

    def converted(*args: Any) -> Any:
        split = len(args) - count
        given, shape = as_leaves(tuple(args[:split]))
        if shape != structure:
            fail(f"the converted function takes arguments nested as {structure}, got {shape}")
        values = [value_of(x) for x in (*as_leaves(args[split:])[0], *given)]
        return tree.unflatten(body.out, tensors(emit(body.graph, values)))

    return converted, tensors(body.captures)


def linear_transpose(fun: Callable[..., Any], *primals: Any) -> Callable[[Any], tuple[Any, ...]]:
    """The adjoint of a function that is linear in its arguments (tensors or `lz.spec`s): from
    cotangents of the results to those of the arguments. DifferentiationError for others.

    >>> import lazir as lz
    >>> linear_transpose(lambda x: 3 * x, lz.spec(()))(2.0)[0].item()
    6.0
    """
    leaves, structure = tree.flatten(tuple(primals))
    kinds = [leaf_kind(x) for x in leaves]
    types = [k.type for k in kinds if k is not None]
    if len(types) != len(leaves) or not all(t.dtype.is_inexact for t in types):
        fail("linear_transpose takes tensors of floats, or lz.spec")
    staged = stage(lambda xs: fun(*tree.unflatten(structure, xs)), [], types=types)
    if staged.fixed or staged.has_effects:
        fail("linear_transpose takes functions without effects that return tensors")
    held, graph = list(staged.operands), staged.graph
    flags = [False] * len(held) + [True] * len(types)
    adjoint = transpose_graph(graph, flags)

    def transposed(cotangents: Any) -> tuple[Any, ...]:
        given, shape = as_leaves(cotangents)
        if shape != staged.out or any(
            x.shape != t.shape for x, t in zip(given, graph.result_types)
        ):
            fail(f"the cotangents are nested as {shape}, the results as {staged.out}")
        cts = [value_of(x.astype(t.dtype)) for x, t in zip(given, graph.result_types)]
        found: tuple[Any, ...] = tree.unflatten(structure, tensors(emit(adjoint, [*held, *cts])))
        return found

    return transposed


# -- finite differences ------------------------------------------------------------------------
def check_grad(
    f: Callable[..., Any],
    args: Sequence[Any],
    modes: Sequence[str] = ("fwd", "rev"),
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-5,
) -> None:
    """Compare the derivatives of `f` at `args` with central differences in f64, along a few fixed
    directions; DifferentiationError with the worst mismatch where they differ.

    `modes`: "fwd", "rev". Float arguments are converted to f64; the others stay as they are.

    >>> import lazir as lz
    >>> check_grad(lambda x: lz.numpy.sin(x).sum(), ([0.1, 0.2],))
    """
    unknown = [m for m in modes if m not in ("fwd", "rev")]
    if unknown:
        fail(f"check_grad: modes are 'fwd' and 'rev', got {unknown[0]!r}")
    given = tuple(np.asarray(a) if isinstance(a, list) else a for a in args)
    leaves, structure = as_leaves(given)
    moving = [k for k, x in enumerate(leaves) if x._dtype.is_float]
    start = [leaves[k].astype(float64) for k in moving]

    def run(*items: Any) -> Any:
        full = list(leaves)
        for k, item in zip(moving, items):
            full[k] = item
        found = as_leaves(f(*tree.unflatten(structure, full)))[0]
        return tuple(x for x in found if x._dtype.is_float)

    rng = np.random.default_rng(0)
    worst = (0.0, "")
    for _ in range(3):
        step = [rng.standard_normal(x.shape) for x in start]
        ends = [run(*(x + sign * eps * t for x, t in zip(start, step))) for sign in (1.0, -1.0)]
        slopes = [(np.asarray(a) - np.asarray(b)) / (2 * eps) for a, b in zip(*ends)]
        weights = [rng.standard_normal(s.shape) for s in slopes]
        wanted = sum((float((w * s).sum()) for w, s in zip(weights, slopes)), 0.0)
        for mode in modes:
            got = _along(mode, run, start, step, weights)
            excess = abs(got - wanted) - atol - rtol * abs(wanted)
            if not excess <= 0 and (not worst[1] or excess > worst[0]):
                worst = (excess, f"{mode} gives {got:.9g}, finite differences {wanted:.9g}")
    if worst[1]:
        raise DifferentiationError(
            f"check_grad: {worst[1]} (the largest of the mismatches, along a random direction)",
            user_line(),
        )


def _along(
    mode: str, run: Any, start: Sequence[Any], step: Sequence[Any], weights: Sequence[Any]
) -> float:
    """The derivative along `step` of the results' sum with `weights`."""
    if mode == "fwd":
        slopes = jvp(run, tuple(start), tuple(step))[1]
        return float(sum((w * np.asarray(s)).sum() for w, s in zip(weights, slopes)))
    cts = vjp(run, *start)[1](tuple(weights))
    return float(sum((t * np.asarray(c)).sum() for t, c in zip(step, cts)))


__all__ = ["check_grad", "closure_convert", "linear_transpose"]
