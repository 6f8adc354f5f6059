"""Means of a model's parameters over its training, with PyTorch's names.

Takes: models. Gives: `AveragedModel`, and what may be done to its parameters. Must not know:
optimisers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .. import numpy as lnp
from ..autograd import no_grad
from ..nn.module import Module
from ..pending import force
from ..public import listing
from ..slots import Literal
from ..tensor import Tensor

__all__ = ["AveragedModel", "get_ema_avg_fn", "get_swa_avg_fn"]
__dir__ = listing(__name__)

Averaging = Callable[[Any, Any, Any], Any]
"""From the mean, the model's parameter, and the number of models in the mean: the new mean."""


def get_ema_avg_fn(decay: float = 0.999) -> Averaging:
    """Exponential moving averages: decay · mean + (1 − decay) · parameter.

    >>> import lazir as lz
    >>> lz.optim.swa_utils.get_ema_avg_fn(0.75)(1.0, 3.0, 5)
    1.5
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"decay lies between 0 and 1, got {decay}")
    return lambda mean, new, count: decay * mean + (1 - decay) * new


def get_swa_avg_fn() -> Averaging:
    """Plain means, for stochastic weight averaging (Izmailov et al., 2018).

    >>> import lazir as lz
    >>> lz.optim.swa_utils.get_swa_avg_fn()(1.0, 4.0, 2)
    2.0
    """
    return lambda mean, new, count: mean + (new - mean) / (count + 1)


class AveragedModel(Module):
    """A copy of a model, `module`, whose parameters are means of those it has been shown.

    `update_parameters(model)` shows it the model; the first time it takes the parameters as they
    are. `avg_fn` is a function of this module (plain means by default). Buffers are copied, or
    averaged as well with `use_buffers`.

    >>> import lazir as lz
    >>> net = lz.nn.Linear(1, 1)
    >>> tools = lz.optim.swa_utils
    >>> mean = tools.AveragedModel(net, avg_fn=tools.get_ema_avg_fn(0.9))
    >>> for value in (0.0, 1.0):
    ...     net.load_state_dict({**net.state_dict(), "weight": [[value]]})
    ...     mean.update_parameters(net)
    LoadedKeys(missing_keys=[], unexpected_keys=[])
    LoadedKeys(missing_keys=[], unexpected_keys=[])
    >>> round(mean.module.weight.item(), 4)
    0.1
    """

    def __init__(
        self, model: Module, avg_fn: Averaging | None = None, use_buffers: bool = False
    ) -> None:
        self.module = copy.deepcopy(model)
        self.n_averaged = lnp.zeros((), "i64").block_until_ready()
        self.avg_fn = get_swa_avg_fn() if avg_fn is None else avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model computes."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take a model into the means."""
        count = self.n_averaged
        held: list[Tensor] = []
        with no_grad():
            for mine, theirs in zip(self.module.parameters(), model.parameters(), strict=True):
                self._average(mine, theirs, count)
                held.append(mine)
            for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                if self.use_buffers and mine.dtype.is_inexact:
                    self._average(mine, theirs, count)
                else:
                    mine[...] = theirs.detach()
                held.append(mine)
            count[...] = count + Literal(1)
        force([*held, count])

    def _average(self, mine: Tensor, theirs: Tensor, count: Any) -> None:
        old, new = mine.detach(), theirs.detach()
        mean = lnp.where(count == Literal(0), new, self.avg_fn(old, new, count))
        mine[...] = mean.astype(mine.dtype)
