"""Rejection: candidates for all places at once, round after round, until each has one it keeps.

Takes: a key, a rule that makes candidates. Gives: a tensor of them. Must not know: distributions.
A round draws with the key and its number, so what a place keeps depends neither on its neighbours
nor on how many rounds they need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lazir.compiler.types import DType

from .. import numpy as lnp
from ..control import while_loop
from ..tensor import Tensor
from .keys import fold_in

LIMIT = 1000
"""Rounds after which a loop ends in any case. The rules here keep a candidate in two, at least."""


def rounds(
    key: Any, settled: Tensor, dtype: DType, propose: Callable[[Any], tuple[Tensor, Tensor]]
) -> Tensor:
    """`propose(key)` gives candidates and which of them are kept; places that are `settled` from
    the start, because their parameters are invalid, are 0.
    """

    def go_on(state: Any) -> Any:
        number, _, done = state
        return (number < LIMIT) & ~lnp.all(done)

    def step(state: Any) -> Any:
        number, kept, done = state
        x, good = propose(fold_in(key, number))
        return number + 1, lnp.where(~done & good, x, kept), done | good

    start = (lnp.zeros((), "int64"), lnp.zeros(settled.shape, dtype), settled)
    return while_loop(go_on, step, start)[1]  # type: ignore[no-any-return]
