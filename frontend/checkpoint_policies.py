"""What `lz.checkpoint` keeps for the derivative: JAX's policies, and ways to make one of two.

Takes: names. Gives: `Policy` values. Must not know: how values are kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .apply import fail
from .public import listing

__all__ = [
    "checkpoint_dots",
    "checkpoint_dots_with_no_batch_dims",
    "dots_saveable",
    "dots_with_no_batch_dims_saveable",
    "everything_saveable",
    "nothing_saveable",
    "save_any_names_but_these",
    "save_anything_except_these_names",
    "save_from_both_policies",
    "save_only_these_names",
]
__dir__ = listing(__name__)


class Policy(NamedTuple):
    """Terms of which each says what is kept, as the op `checkpoint` takes them."""

    terms: tuple[tuple[str, ...], ...]


nothing_saveable = Policy(())
"""Nothing is kept: the whole forward part is computed again."""

everything_saveable = Policy((("everything",),))
"""Everything is kept that the derivative reads, as without a checkpoint."""

dots_saveable = checkpoint_dots = Policy((("dots",),))
"""Results of products (`@`, `dot_general`, `einsum`) are kept."""

dots_with_no_batch_dims_saveable = Policy((("plain_dots",),))
"""Results of products without batch dimensions are kept."""

checkpoint_dots_with_no_batch_dims = dots_with_no_batch_dims_saveable


def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
    """Values are kept that `lz.checkpoint_name` gave one of these names.

    >>> import lazir as lz
    >>> policy = lz.checkpoint_policies.save_only_these_names("hidden")
    >>> f = lz.checkpoint(lambda x: lz.checkpoint_name(x * x, "hidden") * x, policy=policy)
    >>> lz.grad(f)(2.0).item()
    12.0
    """
    return Policy((("only", *_strings(names_which_can_be_saved)),))


def save_any_names_but_these(*names_not_to_save: str) -> Policy:
    """Values with a name are kept, unless it is one of these."""
    return Policy((("but", *_strings(names_not_to_save)),))


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """All values are kept, named or not, but those with one of these names."""
    return Policy((("except", *_strings(names_not_to_save)),))


def save_from_both_policies(policy_1: Policy, policy_2: Policy) -> Policy:
    """What either policy keeps."""
    return Policy((*require_policy(policy_1).terms, *require_policy(policy_2).terms))


def require_policy(policy: Any) -> Policy:
    """The policy itself; None keeps nothing; anything else is an error."""
    if policy is None:
        return nothing_saveable
    if isinstance(policy, Policy):
        return policy
    if callable(policy) and getattr(policy, "__module__", "") == __name__:
        fail(f"checkpoint: {policy.__name__} takes the names and gives a policy; call it")
    message = f"checkpoint: a policy is one of lz.checkpoint_policies, got {policy!r}"
    return fail(message)  # type: ignore[no-any-return]


def _strings(names: tuple[Any, ...]) -> tuple[str, ...]:
    for name in names:
        if not isinstance(name, str):
            fail(f"checkpoint: the names of a policy are strings, each an argument; got {name!r}")
    return names
