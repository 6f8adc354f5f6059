"""Functions with derivatives of the user's own.

Takes: functions and rules. Gives: `custom_jvp`, `custom_vjp`, with JAX's names. The function and
its rules are traced where it is called. Must not know: how graphs are differentiated.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import zeros_like
from lazir.compiler.types import TensorType

from . import tree
from .apply import convert, expand, fail, lift, number, operand, tensor, value_of
from .staging import TracedBody, aligned, as_leaves, trace_body
from .tokens import follow, is_token
from .trace import builder
from .tree import Structure


def types_of(leaves: Sequence[Any]) -> list[TensorType]:
    """The types of tensors."""
    return [value_of(x).type for x in leaves]


class _Call:
    """One call of a function with custom rules: static arguments apart from tensors."""

    def __init__(
        self, fun: Callable[..., Any], nondiff: Sequence[int], args: Any, kwargs: Any
    ) -> None:
        full = _positional(fun, args, kwargs)
        self.fixed = {k: full[k] for k in nondiff}
        self.count = len(full)
        moving = tuple(x for k, x in enumerate(full) if k not in self.fixed)
        self.leaves, self.structure = as_leaves(moving)
        self.types = types_of(self.leaves)
        self.fun = fun

    def arguments(self, leaves: Sequence[Any]) -> list[Any]:
        """All arguments, with other leaves."""
        rest = iter(tree.unflatten(self.structure, leaves))
        return [self.fixed[k] if k in self.fixed else next(rest) for k in range(self.count)]

    def trace(self) -> TracedBody:
        """The function itself."""
        name = getattr(self.fun, "__name__", "function")
        return trace_body(lambda xs: self.fun(*self.arguments(xs)), self.types, name=name)

    def statics(self) -> list[Any]:
        """The static arguments in order, as rules take them first."""
        return [self.fixed[k] for k in sorted(self.fixed)]


def _positional(fun: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, ...]:
    """Keyword arguments put in their places, defaults filled in."""
    try:
        bound = inspect.signature(fun).bind(*args, **kwargs)
    except ValueError:
        return tuple(args)
    bound.apply_defaults()
    if bound.kwargs:
        fail("functions with custom derivatives take no keyword-only arguments")
    return bound.args


def emit_node(op: str, operands: Sequence[Value], structure: Structure, **attrs: Any) -> Any:
    """The results of a node in the current builder, nested as `structure`; effects go on."""
    found = OPS[op].node(builder(), list(operands), attrs).results
    follow(found)
    return tree.unflatten(structure, [tensor(v) for v in found if not is_token(v)])


def require_tensors(body: TracedBody, what: str) -> None:
    """An error where a traced function returns something else than tensors."""
    if body.fixed:
        fail(f"{what} must return tensors alone")


def _require_pure(body: TracedBody, what: str) -> None:
    if body.effects:
        fail(
            f"{what} must have no effects, since its rules decide what runs: print, check and call "
            "back outside of it"
        )


class _Depths(threading.local):
    """How deep this thread is in the rules of each function with custom derivatives."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}


_depths = _Depths()
_RULE_DEPTH = 4
"""A rule that calls its own function gets the rule again up to fourth derivatives; from the fifth
on the function is differentiated as it is written (a graph cannot hold itself)."""


@contextmanager
def _inside(owner: object) -> Iterator[None]:
    depths = _depths.of
    depths[id(owner)] = depths.get(id(owner), 0) + 1
    try:
        yield
    finally:
        depths[id(owner)] -= 1


def _too_deep(owner: object) -> bool:
    return _depths.of.get(id(owner), 0) >= _RULE_DEPTH


def _refuse_symbolic_zeros(wanted: bool, what: str) -> None:
    if wanted:
        fail(
            f"{what}: rules get zeros as tensors here, symbolic_zeros=True is not supported; leave "
            "it out, and take tangents and cotangents as arrays"
        )


# -- forward rules -----------------------------------------------------------------------
class custom_jvp:
    """A function whose tangents a rule of the user's computes.

    The rule takes primals and tangents (tuples) and gives the result and its tangent.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> @lz.custom_jvp
    ... def f(x):
    ...     return lnp.sin(x)
    >>> @f.defjvp
    ... def _(primals, tangents):
    ...     return f(*primals), 10.0 * tangents[0]
    >>> lz.grad(f)(1.0).item()
    10.0
    """

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._nondiff = tuple(nondiff_argnums)
        self._rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Set the rule `(primals, tangents) → (result, tangent)`, static arguments first."""
        _refuse_symbolic_zeros(symbolic_zeros, "defjvp")
        self._rule = rule
        return rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """One rule per argument: `(tangent, result, *primals) → tangent`, None for zero."""

        def rule(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
            out = self(*primals)  # so that it has derivatives again
            terms = [r(t, out, *primals) for r, t in zip(rules, tangents) if r is not None]
            total = terms[0] if terms else tree.map(lambda x: x * 0, out)
            for term in terms[1:]:
                total = tree.map(lambda a, b: a + b, total, term)
            return out, total

        self._rule = rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._rule is None:
            fail(f"custom_jvp: {self.__name__} has no rule yet; set it with .defjvp")
        if _too_deep(self):
            return self._fun(*args, **kwargs)
        call = _Call(self._fun, self._nondiff, args, kwargs)
        body = call.trace()
        require_tensors(body, "a custom_jvp function")
        _require_pure(body, "a custom_jvp function")
        smooth = [t for t in call.types if t.dtype.is_inexact]
        rule = trace_body(
            lambda xs: self._apply_rule(call, body, xs), [*call.types, *smooth], name="jvp"
        )
        _require_pure(rule, "a custom_jvp rule")
        held, (graph, jvp) = aligned([(body.graph, body.captures), (rule.graph, rule.captures)])
        jvp = _with_tangents_of(jvp, held, len(call.types))
        operands = [*held, *[value_of(x) for x in call.leaves]]
        return emit_node("custom_jvp", operands, body.out, graph=graph, jvp=jvp)

    __name__: str

    def _apply_rule(self, call: _Call, body: TracedBody, xs: Sequence[Any]) -> list[Any]:
        """The rule's result and tangents, in the types of the function's."""
        count = len(call.types)
        primals = tree.unflatten(call.structure, xs[:count])
        given = iter(xs[count:])
        slopes = [next(given) if t.dtype.is_inexact else x * 0 for t, x in zip(call.types, xs)]
        tangents = tree.unflatten(call.structure, slopes)
        assert self._rule is not None
        with _inside(self):
            pair = self._rule(*call.statics(), primals, tangents)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            fail("a custom_jvp rule returns a pair (result, tangent)")
        results = body.graph.result_types
        values = _fitted(pair[0], body.out, results, "result of the custom_jvp rule")
        moved = _fitted(pair[1], body.out, results, "tangent of the custom_jvp rule")
        return values + [t for t, kind in zip(moved, results) if kind.dtype.is_inexact]


def _fitted(given: Any, structure: Structure, types: Sequence[TensorType], what: str) -> list[Any]:
    leaves, shape = tree.flatten(given)
    if shape != structure:
        fail(f"the {what} is nested as {shape}, the function's as {structure}")
    out = []
    for x, kind in zip(leaves, types):
        found = operand(x)
        if found.shape not in (kind.shape, ()):
            fail(f"the {what} has shape {found.shape}, it must be {kind.short}")
        out.append(tensor(expand(convert(lift(found), kind.dtype), kind.shape)))
    return out


def _with_tangents_of(rule: Graph, held: Sequence[Value], count: int) -> Graph:
    """The rule with (unused) tangents for captured operands, where the op expects them."""
    b = Builder(name=rule.name)
    n = len(held)
    mapping = {p: b.param(p.type) for p in rule.params[: n + count]}
    for v in held:
        if v.type.dtype.is_inexact:
            b.param(v.type)
    mapping.update({p: b.param(p.type) for p in rule.params[n + count :]})
    return b.graph(b.inline(rule.results, mapping, rule.locs))


# -- reverse rules -----------------------------------------------------------------------
class custom_vjp:
    """A function whose cotangents a rule of the user's computes.

    `defvjp(fwd, bwd)`: `fwd(*args) → (result, residuals)`, `bwd(residuals, cotangent) → cotangents`
    (a tuple, one per argument, None for zero). Forward mode through it is an error.

    >>> import lazir as lz
    >>> @lz.custom_vjp
    ... def f(x):
    ...     return x * x
    >>> f.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * x * 100,))
    >>> lz.grad(f)(1.0).item()
    100.0
    """

    __name__: str

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._nondiff = tuple(nondiff_argnums)
        self._rules: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def defvjp(
        self,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        symbolic_zeros: bool = False,
        optimize_remat: bool = False,
    ) -> None:
        """Set both rules. `optimize_remat` changes nothing: what a forward rule computes and nobody
        reads is not computed."""
        _refuse_symbolic_zeros(symbolic_zeros, "defvjp")
        self._rules = fwd, bwd

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._rules is None:
            fail(f"custom_vjp: {self.__name__} has no rules yet; set them with .defvjp")
        assert self._rules is not None
        if _too_deep(self):
            return self._fun(*args, **kwargs)
        call = _Call(self._fun, self._nondiff, args, kwargs)
        body = call.trace()
        require_tensors(body, "a custom_vjp function")
        _require_pure(body, "a custom_vjp function")
        results = body.graph.result_types
        forward, residuals = self._trace_forward(call, body)
        cts = [t for t in results if t.dtype.is_inexact]
        kinds = forward.graph.result_types[len(results) :]
        back = trace_body(
            lambda xs: self._apply_backward(call, body, residuals, xs, len(kinds)),
            [*kinds, *cts],
            name="backward",
        )
        for part in (forward, back):
            _require_pure(part, "a custom_vjp rule")
        held, (graph, ahead) = aligned(
            [(body.graph, body.captures), (forward.graph, forward.captures)]
        )
        held, graph, ahead = _pass_captures(held, graph, ahead, back.captures, len(results))
        backward = _with_zeros_for(back.graph, held)
        operands = [*held, *[value_of(x) for x in call.leaves]]
        return emit_node(
            "custom_vjp", operands, body.out, graph=graph, forward=ahead, backward=backward
        )

    def _trace_forward(self, call: _Call, body: TracedBody) -> tuple[TracedBody, Structure]:
        shape: list[Structure] = []
        assert self._rules is not None
        fwd = self._rules[0]

        def run(xs: Sequence[Any]) -> Any:
            with _inside(self):
                pair = fwd(*call.arguments(xs))
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                fail("the forward rule of custom_vjp returns a pair (result, residuals)")
            leaves, structure = as_leaves(pair[1])
            shape.append(structure)
            what = "result of the custom_vjp forward rule"
            return _fitted(pair[0], body.out, body.graph.result_types, what) + leaves

        return trace_body(run, call.types, name="forward"), shape[0]

    def _apply_backward(
        self, call: _Call, body: TracedBody, residuals: Structure, xs: Sequence[Any], count: int
    ) -> list[Any]:
        """The rule's cotangents for all float leaves of the arguments."""
        assert self._rules is not None
        given = iter(xs[count:])
        kinds = body.graph.result_types
        cts = [next(given) if t.dtype.is_inexact else _zeros(t) for t in kinds]
        held = tree.unflatten(residuals, xs[:count])
        with _inside(self):
            out = self._rules[1](*call.statics(), held, tree.unflatten(body.out, cts))
        parts = call.structure.children
        if not isinstance(out, tuple | list) or len(out) != len(parts):
            fail(
                f"the backward rule of custom_vjp returns a tuple with one cotangent for each of "
                f"the {len(parts)} arguments"
            )
        types = iter(call.types)
        found: list[Any] = []
        for ct, part in zip(out, parts):
            kinds_here = [next(types) for _ in range(part.leaf_count)]
            if ct is None:
                leaves = [_zeros(t) for t in kinds_here]
            else:
                leaves = _fitted(ct, part, kinds_here, "cotangent of the custom_vjp rule")
            found += [x for x, t in zip(leaves, kinds_here) if t.dtype.is_inexact]
        return found


def _zeros(type: TensorType) -> Any:
    return tensor(expand(number(0, type.dtype, structural=True), type.shape))


def _pass_captures(
    held: list[Value], graph: Graph, ahead: Graph, more: Sequence[Value], count: int
) -> tuple[list[Value], Graph, Graph]:
    """What the backward rule captures becomes an operand that the forward rule hands to it."""
    everything = list(dict.fromkeys([*held, *more]))
    rebuilt = []
    for k, g in enumerate((graph, ahead)):
        b = Builder(name=g.name)
        common = {v: b.param(v.type, "captured") for v in everything}
        mapping = {p: common[v] for p, v in zip(g.params, held)}
        mapping.update({p: b.param(p.type) for p in g.params[len(held) :]})
        results = b.inline(g.results, mapping, g.locs)
        if k == 1:  # after the results, before the residuals: as the backward graph takes them
            results = [*results[:count], *[common[v] for v in more], *results[count:]]
        rebuilt.append(b.graph(results))
    return everything, rebuilt[0], rebuilt[1]


def _with_zeros_for(back: Graph, held: Sequence[Value]) -> Graph:
    """The backward graph with zero cotangents for the captured operands."""
    b = Builder(name=back.name)
    mapping = {p: b.param(p.type) for p in back.params}
    results = b.inline(back.results, mapping, back.locs)
    zeros = [zeros_like(b, v) for v in held if v.type.dtype.is_inexact]
    return b.graph([*zeros, *results])
