"""Functions whose forward part is computed again for the derivative.

Takes: functions. Gives: `checkpoint` and `checkpoint_name`, where JAX has them. The function is
traced where it is called. Must not know: how graphs are differentiated, what a policy chooses.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from lazir.compiler.graph import Graph

from . import tree
from .apply import call, fail, tensor, value_of
from .checkpoint_policies import Policy, require_policy
from .custom import emit_node, require_tensors, types_of
from .public import listing
from .staging import as_leaves, trace_body

__all__ = ["checkpoint", "checkpoint_name", "remat"]
__dir__ = listing(__name__)


def checkpoint(
    fun: Callable[..., Any] | None = None,
    *,
    prevent_cse: bool = True,
    policy: Policy | None = None,
    static_argnums: int | Sequence[int] = (),
) -> Any:
    """A function whose intermediate values are not kept for the derivative but computed again.

    `policy`, one of `lz.checkpoint_policies`, says which are kept all the same; without one, none.
    With `prevent_cse=False` the second computation may be merged with the first where both stand
    in one graph: for bodies of loops, where they do not. Arguments in `static_argnums` (negative
    ones count from the end) are passed as they are. TypeRuleError where the policy is none, or
    would have to look into a loop or branch inside of the function.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> f = lz.checkpoint(lambda x: lnp.sin(lnp.sin(x)))
    >>> lz.grad(f)(0.0).item()
    1.0
    """
    if fun is None:
        return functools.partial(
            checkpoint, prevent_cse=prevent_cse, policy=policy, static_argnums=static_argnums
        )
    function = fun
    attrs: dict[str, Any] = {}
    if terms := require_policy(policy).terms:
        attrs["policy"] = terms
    if not prevent_cse:
        attrs["prevent_cse"] = False
    fixed = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        statics = {_position(k, len(args)): args[k] for k in fixed if -len(args) <= k < len(args)}
        moving = tuple(x for k, x in enumerate(args) if k not in statics)
        leaves, structure = as_leaves((moving, kwargs))

        def run(xs: Sequence[Any]) -> Any:
            inner, named = tree.unflatten(structure, xs)
            rest = iter(inner)
            full = [statics[k] if k in statics else next(rest) for k in range(len(args))]
            return function(*full, **named)

        body = trace_body(run, types_of(leaves), [x._weak for x in leaves], name="checkpoint")
        require_tensors(body, "a checkpointed function")
        _require_visible(body.graph, terms)
        operands = [*body.captures, *[value_of(x) for x in leaves]]
        return emit_node("checkpoint", operands, body.out, body=body.graph, **attrs)

    return checkpointed


remat = checkpoint


def checkpoint_name(x: Any, name: str) -> Any:
    """x itself, under a name that policies of `lz.checkpoint` know. Works on trees.

    >>> import lazir as lz
    >>> lz.checkpoint_name(2.0, "hidden").item()
    2.0
    """
    leaves, structure = as_leaves(x)
    return tree.unflatten(
        structure, [tensor(call("named", value_of(t), name=name), t._weak) for t in leaves]
    )


def _position(k: int, count: int) -> int:
    return k + count if k < 0 else k


_LOOPS = ("bounded_while", "cond", "scan", "while")


def _require_visible(graph: Graph, terms: Sequence[tuple[str, ...]]) -> None:
    """An error where the policy chooses among values in bodies of loops and branches: those would
    be computed again behind the user's back."""
    kinds = {kind for kind, *_ in terms}
    asked = {"dot_general"} if kinds & {"dots", "plain_dots"} else set()
    asked |= {"named"} if kinds & {"only", "but", "except"} else set()
    for node in (n for part in graph.walk() for n in part.nodes if n.op in _LOOPS):
        bodies = [g for a in node.attrs.values() for g in (a if isinstance(a, tuple) else (a,))]
        inside = {n.op for g in bodies if isinstance(g, Graph) for p in g.walk() for n in p.nodes}
        if asked & inside:
            what = "products" if "dot_general" in asked & inside else "named values"
            fail(
                f"checkpoint: the policy chooses among {what} inside of a {node.op}, which it "
                "cannot keep one by one; put the checkpoint into that body, or use "
                "everything_saveable or nothing_saveable"
            )
