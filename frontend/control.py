"""Branches and loops that stay branches and loops: cond, switch, while_loop, fori_loop, scan, map.

Takes: functions, operands in any containers; JAX's names and argument order. Gives: tensors. Bodies
are traced once; what they use from outside becomes an operand. Outside of a compiled function they
work as well. Must not know: how loops are lowered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazir.compiler.autodiff.reach import reordered
from lazir.compiler.graph import Graph, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.types import DType, TensorType

from . import tree
from .apply import call, convert, fail, lift, number, operand, tensor, value_of
from .batching import vmap
from .dtypes import bool_, int32, int64, result_dtype
from .staging import TracedBody, aligned, as_leaves, trace_body
from .tokens import follow, is_token
from .trace import builder
from .tree import Structure


def _types(leaves: Sequence[Any]) -> list[TensorType]:
    return [value_of(x).type for x in leaves]


def _emit(op: str, operands: Sequence[Value], **attrs: Any) -> list[Any]:
    """The results as tensors; a token among them is what the next effect follows."""
    found = OPS[op].node(builder(), list(operands), attrs).results
    follow(found)
    return [tensor(v) for v in found if not is_token(v)]


def _only_tensors(body: TracedBody, what: str) -> None:
    if body.fixed:
        bad = next(iter(body.fixed.values()))
        fail(f"{what} must return tensors and numbers, got a {type(bad).__name__}")


# -- branches ----------------------------------------------------------------------------
def cond(
    pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any
) -> Any:
    """`true_fun(*operands)` where the scalar `pred` holds, else `false_fun(*operands)`.

    >>> import lazir as lz
    >>> lz.cond(True, lambda x: x + 1, lambda x: x - 1, 5).item()
    6
    """
    flag = _scalar(pred, "cond")
    if not flag.type.dtype.is_bool:
        flag = convert(flag, bool_)
    return _choose("cond", flag, [false_fun, true_fun], operands)


def _scalar(x: Any, what: str) -> Value:
    value = lift(operand(x))
    if value.shape != ():
        fail(
            f"{what} needs a scalar to decide, got {value.type.short}; lnp.where chooses for each "
            "element, any() and all() reduce a condition"
        )
    return value


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`, the index limited to the branches there are.

    >>> import lazir as lz
    >>> lz.switch(1, [lambda x: x, lambda x: x * 10], 4).item()
    40
    """
    value = _scalar(index, "switch")
    if not value.type.dtype.is_integer:
        fail(f"switch needs an integer index, got {value.type.short}")
    last = number(len(branches) - 1, value.type.dtype, structural=True)
    low = number(0, value.type.dtype, structural=True)
    value = call("maximum", call("minimum", value, last), low)
    return _choose("switch", convert(value, int32), branches, operands)


def _choose(what: str, which: Value, functions: Sequence[Any], operands: Sequence[Any]) -> Any:
    leaves, structure = as_leaves(tuple(operands))
    types, weak = _types(leaves), [x._weak for x in leaves]

    def trace(function: Any, targets: Sequence[DType] | None) -> TracedBody:
        name = getattr(function, "__name__", "branch")
        return trace_body(
            lambda xs: function(*tree.unflatten(structure, xs)), types, weak,
            "branch" if name == "<lambda>" else name, targets,
        )  # fmt: skip

    bodies = [trace(f, None) for f in functions]
    for body in bodies:
        _only_tensors(body, f"a branch of {what}")
        if body.out != bodies[0].out:
            fail(
                f"the branches of {what} must return the same structure, got {bodies[0].out} "
                f"and {body.out}"
            )
    targets = _common(bodies, what)
    if any([t.dtype for t in b.types] != targets for b in bodies):
        bodies = [trace(f, targets) for f in functions]
    held, graphs = aligned([(b.graph, b.captures) for b in bodies])
    if any(b.effects for b in bodies):
        graphs = [g if b.effects else _passing_token(g, held) for b, g in zip(bodies, graphs)]
    values = [which, *held, *[value_of(x) for x in leaves]]
    return tree.unflatten(bodies[0].out, _emit("cond", values, branches=tuple(graphs)))


def _passing_token(graph: Graph, held: Sequence[Value]) -> Graph:
    """A branch without effects beside one with: it hands the token on."""
    at = next(k for k, v in enumerate(held) if is_token(v))
    results = [*graph.results, graph.params[at]]
    return Graph(graph.name, graph.params, results, graph.locs, graph.param_names)


def _common(bodies: Sequence[TracedBody], what: str) -> list[DType]:
    """The dtype of each result: all branches agree, but for weak ones, which follow."""
    found = []
    for k in range(len(bodies[0].types)):
        types = [b.types[k] for b in bodies]
        strong = [t.dtype for t, b in zip(types, bodies) if not b.weak[k]]
        loose = [t.dtype for t, b in zip(types, bodies) if b.weak[k]]
        if len(set(strong)) > 1 or len({t.shape for t in types}) > 1:
            fail(
                f"the branches of {what} must return the same types, result {k} is "
                f"{' and '.join(dict.fromkeys(t.short for t in types))}"
            )
        found.append(result_dtype(strong, loose)[0])
    return found


# -- loops -------------------------------------------------------------------------------
class _Carry:
    """The values that go from one round of a loop to the next, and how their dtypes settle.

    A weak start (a Python number) takes the dtype that the body gives back, a weak result that of
    the start; neither loses a fraction.
    """

    def __init__(self, init: Any, names: Sequence[str] = ()) -> None:
        self.leaves, self.structure = as_leaves(init)
        self.names = names or [name for name, _ in tree.named_leaves(init, "carry")]
        self.dtypes = [x._dtype for x in self.leaves]
        self.weak = [x._weak for x in self.leaves]

    def types(self) -> list[TensorType]:
        """The types of the carry as it goes into the body."""
        return [TensorType(x.shape, d) for x, d in zip(self.leaves, self.dtypes)]

    def values(self) -> list[Value]:
        """The start, converted."""
        return [convert(value_of(x), d) for x, d in zip(self.leaves, self.dtypes)]

    def _join(self, k: int, made: DType, weak: bool) -> DType:
        """The dtype that holds both what goes into the body and what it made."""
        both = ((self.dtypes[k], self.weak[k]), (made, weak))
        return result_dtype([d for d, w in both if not w], [d for d, w in both if w])[0]

    def settle(self, what: str, body: TracedBody, out: Structure, more: int) -> bool:
        """Compare what the body returned with the carry; true where it has to be traced again."""
        if out != self.structure:
            fail(f"the body of {what} returns {out}, but the carry is {self.structure}")
        again = False
        for k, (type, weak) in enumerate(zip(body.types, body.weak)):
            if k >= len(self.leaves):
                break
            mine = TensorType(self.leaves[k].shape, self.dtypes[k])
            if type.shape != mine.shape:
                fail(
                    f"{what}: {self.names[k]} goes into the body as {mine.short} and comes out "
                    f"as {type.short}; its shape must not change"
                )
            common = self._join(k, body.made[k], weak)
            if common is not mine.dtype or (body.made[k] is not common and not weak):
                if not self.weak[k]:
                    made = TensorType(mine.shape, body.made[k])
                    fail(
                        f"{what}: {self.names[k]} goes into the body as {mine.short} and comes "
                        f"out as {made.short}; convert it with .astype in the body or before"
                    )
                self.dtypes[k] = common
                again = True
            if self.weak[k] and not weak:
                self.weak[k] = False
                again = True
        return again or any(t.dtype is not d for t, d in zip(body.types, self.dtypes))


def while_loop(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init_val: Any,
    *,
    max_steps: int | None = None,
) -> Any:
    """`body_fun` over and over while `cond_fun` holds, from `init_val`.

    With `max_steps` it ends after that many steps in any case, and has reverse derivatives, which
    take time and memory for all steps that there may be; without, only forward ones.

    >>> import lazir as lz
    >>> lz.while_loop(lambda x: x < 100, lambda x: x * 2, 3).item()
    192
    >>> lz.grad(lambda x: lz.while_loop(lambda y: y < 100, lambda y: y * y, x, max_steps=9))(3.0)
    Tensor(17496., dtype=f32)
    """
    if max_steps is not None and (isinstance(max_steps, bool) or not isinstance(max_steps, int)):
        fail(f"while_loop: max_steps is an integer known while tracing, got {max_steps!r}")
    carry = _Carry(init_val)

    def run(xs: Sequence[Any]) -> Any:
        return body_fun(tree.unflatten(carry.structure, xs))

    body = _settled("while_loop", carry, run, [], lambda out: out)
    test = trace_body(
        lambda xs: _as_flag(cond_fun(tree.unflatten(carry.structure, xs))),
        carry.types(), carry.weak, "cond",
    )  # fmt: skip
    if test.effects:
        fail("the condition of while_loop must have no effects; print or check in its body")
    held, graphs = aligned([(test.graph, test.captures), (body.graph, body.captures)])
    n_const, start, graphs = _carrying_token(held, graphs)
    values = [*start, *carry.values()]
    bound = {} if max_steps is None else {"max_steps": max_steps}
    op = "while" if max_steps is None else "bounded_while"
    found = _emit(op, values, cond=graphs[0], body=graphs[1], n_const=n_const, **bound)
    return tree.unflatten(carry.structure, found)


def _carrying_token(
    held: Sequence[Value], graphs: Sequence[Graph]
) -> tuple[int, list[Value], list[Graph]]:
    """The captures of a loop's graphs with the token, if there is one, as the first carried value:
    how many are constants, the captures in their new order, the graphs in that order too."""
    at = next((k for k, v in enumerate(held) if is_token(v)), None)
    if at is None:
        return len(held), list(held), list(graphs)
    order = [*(k for k in range(len(held)) if k != at), at]
    fresh = []
    for graph in graphs:
        places = [*order, *range(len(held), len(graph.params))]
        count = len(graph.results)
        moved = [count - 1, *range(count - 1)] if is_token(graph.results[-1]) else range(count)
        fresh.append(reordered(graph, places, moved))
    return len(held) - 1, [held[k] for k in order], fresh


def _as_flag(x: Any) -> Any:
    found = lift(operand(x))
    if found.shape != ():
        fail(f"the condition of while_loop must be a bool scalar, got {found.type.short}")
    return tensor(convert(found, bool_))


def _settled(
    what: str,
    carry: _Carry,
    run: Any,
    extra: Sequence[TensorType],
    part: Callable[[Structure], Any],
) -> TracedBody:
    """The body traced until the dtypes of its carry do not change any more."""
    targets: list[DType] | None = None
    for _ in range(4):
        weak = [*carry.weak, *[False] * len(extra)]
        body = trace_body(run, [*carry.types(), *extra], weak, "body", targets)
        _only_tensors(body, f"the body of {what}")
        if not carry.settle(what, body, part(body.out), len(extra)):
            return body
        rest = [t.dtype for t in body.types[len(carry.leaves) :]]
        targets = [*carry.dtypes, *rest]
    return body


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """`body_fun(i, value)` for i from `lower` to below `upper`.

    With plain integers as bounds it can be differentiated in reverse. Bounds are integer scalars.

    >>> import lazir as lz
    >>> lz.fori_loop(0, 5, lambda i, total: total + i, 0).item()
    10
    """
    if isinstance(lower, int | np.integer) and isinstance(upper, int | np.integer):
        lower, count = int(lower), max(0, int(upper) - int(lower))

        def step(state: Any, _: Any) -> Any:
            i, value = state
            return (i + 1, body_fun(i, value)), None

        start = tensor(number(lower, int64, structural=True))
        names = ["i", *(name for name, _ in tree.named_leaves(init_val, "init_val"))]
        carry = _Carry((start, init_val), names)
        (_, value), _ = _scan("fori_loop", step, carry, None, count)
        return value
    bounds = [operand(x) for x in (lower, upper)]
    for bound in bounds:
        if not bound.dtype.is_integer or bound.shape != ():
            fail(f"fori_loop runs between integers, got a bound of {bound.dtype}{[*bound.shape]}")
    dtype = result_dtype([b.dtype for b in bounds if not b.weak], [int64])[0]
    low, high = tensor(lift(operand(lower), dtype)), tensor(lift(operand(upper), dtype))

    def go_on(state: Any) -> Any:
        return state[0] < high

    def once(state: Any) -> Any:
        i, value = state
        return i + 1, body_fun(i, value)

    return while_loop(go_on, once, (low, init_val))[1]


def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> Any:
    """`carry, y = f(carry, x)` for each slice x of `xs` along the first axis: (last carry, ys
    stacked).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> total, sums = lz.scan(lambda c, x: (c + x, c + x), 0, lnp.arange(4))
    >>> print(total, sums)
    6 [0 1 3 6]
    """
    return _scan("scan", f, _Carry(init), xs, length, reverse)


def _scan(
    what: str,
    f: Callable[[Any, Any], Any],
    carry: _Carry,
    xs: Any,
    length: int | None,
    reverse: bool = False,
) -> Any:
    rows, row_tree = as_leaves(xs)
    count = _length(rows, length)
    slices = [TensorType(x.shape[1:], x._dtype) for x in rows]
    n = len(carry.leaves)

    def run(items: Sequence[Any]) -> Any:
        pair = f(tree.unflatten(carry.structure, items[:n]), tree.unflatten(row_tree, items[n:]))
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            fail(f"the body of {what} returns a pair (carry, y)")
        return tuple(pair)

    body = _settled(what, carry, run, slices, lambda out: out.children[0])
    n_const, start, (graph,) = _carrying_token(body.captures, [body.graph])
    values = [*start, *carry.values(), *[value_of(x) for x in rows]]
    found = _emit(
        "scan", values, body=graph, n_const=n_const, n_carry=n + body.effects, length=count,
        reverse=bool(reverse),
    )  # fmt: skip
    return (
        tree.unflatten(carry.structure, found[:n]),
        tree.unflatten(body.out.children[1], found[n:]),
    )


def _length(rows: Sequence[Any], length: int | None) -> int:
    for x in rows:
        if not x.shape:
            fail("scan runs along the first axis of xs, got a scalar")
    sizes = {x.shape[0] for x in rows} | ({length} if length is not None else set())
    if len(sizes) > 1:
        fail(f"scan: the first axes of xs (and length) differ: {sorted(sizes)}")
    if not sizes:
        fail("scan needs xs or length")
    return int(sizes.pop())


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """`f` of each slice along the first axis, one after the other, stacked (`vmap` does all at
    once). With `batch_size` so many at once, by `vmap`, one batch after the other.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.map(lambda x: x * x, lnp.arange(3)))
    [0 1 4]
    """
    if batch_size is None:
        return scan(lambda _, x: ((), f(x)), (), xs)[1]
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        fail(f"map: batch_size is a positive integer, got {batch_size!r}")
    leaves, structure = as_leaves(xs)
    whole = _length(leaves, None) // batch_size * batch_size
    batched = vmap(f)
    first = [x[:whole].reshape((-1, batch_size, *x.shape[1:])) for x in leaves]
    done = scan(lambda _, x: ((), batched(x)), (), tree.unflatten(structure, first))[1]
    done = tree.map(lambda y: y.reshape((whole, *y.shape[2:])), done)
    if whole == _length(leaves, None):
        return done
    last = batched(tree.unflatten(structure, [x[whole:] for x in leaves]))
    return tree.map(
        lambda a, b: tensor(call("concat", value_of(a), value_of(b), axis=0)), done, last
    )
