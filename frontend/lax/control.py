"""`jax.lax`'s control flow: that of `lazir`, prefix scans with any associative function, roots and
linear solves whose derivatives come from what they solve.

Takes: functions and trees of tensors. Gives: trees of tensors. Must not know: graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import numpy as lnp
from .. import tree
from ..apply import fail, normal_axis, operand
from ..control import cond, fori_loop, map, scan, switch, while_loop
from ..custom import custom_jvp, custom_vjp
from ..implicit import closure_convert, linear_transpose
from ..staging import as_leaves
from ..transforms import jvp, stop_gradient, vjp

__all__ = [
    "associative_scan", "cond", "custom_linear_solve", "custom_root", "fori_loop", "map", "scan",
    "switch", "while_loop",
]  # fmt: skip


def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """The elements up to each one along an axis joined by an associative function of two slices, in
    a number of rounds that grows with the logarithm of the length (Blelloch 1990).

    `fn` takes and gives trees nested as `elems`, and works on many slices at once.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.lax.associative_scan(lnp.maximum, lnp.array([1, 3, 2])))
    [1 3 3]
    """
    leaves, structure = as_leaves(elems)
    if not leaves:
        return elems
    axis = normal_axis(axis, len(leaves[0].shape), "associative_scan")
    n = leaves[0].shape[axis]
    if any(x.shape[axis] != n for x in leaves):
        fail("associative_scan: the leaves differ in size along the axis")

    def join(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
        made = fn(tree.unflatten(structure, a), tree.unflatten(structure, b))
        found, shape = tree.flatten(made)
        if shape != structure:
            fail(f"associative_scan: fn returned {shape}, the elements are {structure}")
        return found

    if reverse:
        leaves = [lnp.flip(x, axis) for x in leaves]
    found = _prefixes(join, leaves, axis)
    if reverse:
        found = [lnp.flip(x, axis) for x in found]
    return tree.unflatten(structure, found)


def _prefixes(join: Any, xs: Sequence[Any], axis: int) -> list[Any]:
    """Neighbours are joined, the prefixes of the pairs found, and the rest filled in from them."""
    n = xs[0].shape[axis]
    if n < 2:
        return list(xs)

    def part(x: Any, start: int, stop: int, step: int) -> Any:
        return x[(slice(None),) * axis + (slice(start, stop, step),)]

    pairs = join([part(x, 0, n - 1, 2) for x in xs], [part(x, 1, n, 2) for x in xs])
    odd = _prefixes(join, pairs, axis)
    count = (n - 1) // 2
    if count == 0:
        even = [part(x, 0, 1, 1) for x in xs]
    else:
        later = join([part(y, 0, count, 1) for y in odd], [part(x, 2, n, 2) for x in xs])
        even = [lnp.concatenate([part(x, 0, 1, 1), y], axis=axis) for x, y in zip(xs, later)]
    return [_interleaved(a, b, axis) for a, b in zip(even, odd)]


def _interleaved(even: Any, odd: Any, axis: int) -> Any:
    """Slices of both in turn; `even` may have one more."""
    count = odd.shape[axis]
    lead = (slice(None),) * axis
    shape = (*odd.shape[:axis], 2 * count, *odd.shape[axis + 1 :])
    both = lnp.stack([even[(*lead, slice(0, count))], odd], axis=axis + 1).reshape(shape)
    if even.shape[axis] == count:
        return both
    return lnp.concatenate([both, even[(*lead, slice(count, None))]], axis=axis)


def custom_root(
    f: Callable[[Any], Any],
    initial_guess: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any],
    tangent_solve: Callable[[Callable[[Any], Any], Any], Any],
) -> Any:
    """x with f(x) = 0 as `solve(f, initial_guess)` finds it, differentiated by the implicit
    function theorem, whatever `solve` does.

    `tangent_solve(g, y)` solves the linear g(x) = y, with operations that have derivatives.

    >>> import lazir as lz
    >>> def root(a):
    ...     def solve(f, x):
    ...         return lz.fori_loop(0, 20, lambda i, x: x - f(x) / (2 * x), x)
    ...     return lz.lax.custom_root(lambda x: x * x - a, 1.0, solve, lambda g, y: y / g(1.0))
    >>> root(4.0).item(), lz.grad(root)(4.0).item()
    (2.0, 0.25)
    """
    guess = stop_gradient(initial_guess)
    converted, consts = closure_convert(f, guess)

    def root(*held: Any) -> Any:
        return solve(lambda x: converted(x, *held), guess)

    smooth = custom_jvp(root)

    def rule(primals: Any, tangents: Any) -> Any:
        x = smooth(*primals)
        moved = jvp(lambda *held: converted(x, *held), primals, tangents)[1]

        def slope(v: Any) -> Any:
            return jvp(lambda y: converted(y, *primals), (x,), (v,))[1]

        return x, tangent_solve(slope, tree.map(lambda t: -t, moved))

    smooth.defjvp(rule)
    return smooth(*consts)


def custom_linear_solve(
    matvec: Callable[[Any], Any],
    b: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any],
    transpose_solve: Callable[[Callable[[Any], Any], Any], Any] | None = None,
    symmetric: bool = False,
) -> Any:
    """x with matvec(x) = b as `solve(matvec, b)` finds it; its derivatives are solves again.

    With `transpose_solve(vecmat, b)`, or `symmetric`, it has reverse derivatives (once), for
    `solve` of any kind. Without, forward ones, and reverse ones where `solve` consists of
    operations that are linear in b.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> a = lnp.array([[2.0, 0.0], [0.0, 4.0]])
    >>> def f(b):
    ...     x = lz.lax.custom_linear_solve(
    ...         lambda v: a @ v, b, lambda mv, y: y / mv(lnp.ones(2)), symmetric=True
    ...     )
    ...     return x.sum()
    >>> print(lz.grad(f)(lnp.ones(2)))
    [0.5  0.25]
    """
    converted, consts = closure_convert(matvec, b)
    if symmetric and transpose_solve is None:
        transpose_solve = solve

    def solution(right: Any, *held: Any) -> Any:
        return solve(lambda v: converted(v, *held), right)

    if transpose_solve is None:
        return _forward_solve(solution, converted, b, consts)
    back_solve = transpose_solve
    smooth = custom_vjp(solution)

    def ahead(right: Any, *held: Any) -> Any:
        x = smooth(right, *held)
        return x, (x, held)

    def back(kept: Any, ct: Any) -> Any:
        x, held = kept
        transposed = linear_transpose(lambda v: converted(v, *held), x)
        w = back_solve(lambda u: transposed(u)[0], ct)
        smooth_held = [operand(h).dtype.is_inexact for h in held]
        moving = [h for h, flag in zip(held, smooth_held) if flag]

        def product(*some: Any) -> Any:
            rest = iter(some)
            full = [next(rest) if flag else h for h, flag in zip(held, smooth_held)]
            return converted(x, *full)

        found = iter(vjp(product, *moving)[1](w) if moving else ())
        cts = [-next(found) if flag else None for flag in smooth_held]
        return (w, *cts)

    smooth.defvjp(ahead, back)
    return smooth(b, *consts)


def _forward_solve(solution: Any, converted: Any, b: Any, consts: Sequence[Any]) -> Any:
    smooth = custom_jvp(solution)

    def rule(primals: Any, tangents: Any) -> Any:
        x = smooth(*primals)
        held, moved = primals[1:], tangents[1:]
        change = jvp(lambda *h: converted(x, *h), held, moved)[1] if held else None
        right = tangents[0]
        if change is not None:
            right = tree.map(lambda t, c: t - c, right, change)
        return x, solution(right, *held)

    smooth.defjvp(rule)
    return smooth(b, *consts)
