"""Optimisers, in two forms: PyTorch's classes that update parameters, and pure functions on trees.

Takes: parameters and gradients. Gives: `SGD`, `Adam`, `AdamW`; `sgd`, `adam`, whose `init` and
`update` have no hidden state and work inside a compiled function. Must not know: models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from . import numpy as lnp
from . import tree
from .autograd import no_grad
from .pending import force
from .tensor import Tensor


# -- functions ---------------------------------------------------------------------------
class Optimizer(NamedTuple):
    """`init(params) → state`; `update(params, grads, state) → (params, state)`."""

    init: Callable[[Any], Any]
    update: Callable[[Any, Any, Any], tuple[Any, Any]]


def sgd(learning_rate: Any, momentum: float = 0.0, weight_decay: float = 0.0) -> Optimizer:
    """Gradient descent, with momentum if asked for.

    >>> import lazir as lz
    >>> step = lz.optim.sgd(0.5)
    >>> params, state = step.update({"w": 1.0}, {"w": 1.0}, step.init({"w": 1.0}))
    >>> float(params["w"])
    0.5
    """

    def init(params: Any) -> Any:
        return tree.map(lnp.zeros_like, params) if momentum else ()

    def update(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
        if weight_decay:
            grads = tree.map(lambda g, p: g + weight_decay * p, grads, params)
        if momentum:
            state = grads = tree.map(lambda v, g: momentum * v + g, state, grads)
        return tree.map(lambda p, g: p - learning_rate * g, params, grads), state

    return Optimizer(init, update)


def adam(
    learning_rate: Any = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> Optimizer:
    """Adam (Kingma and Ba, 2015); with `weight_decay`, AdamW (Loshchilov and Hutter, 2019).

    >>> import lazir as lz
    >>> step = lz.optim.adam(0.1)
    >>> state = step.init({"w": lz.Tensor(1.0)})
    >>> params, state = step.update({"w": lz.Tensor(1.0)}, {"w": lz.Tensor(3.0)}, state)
    >>> round(params["w"].item(), 4)
    0.9
    """

    def init(params: Any) -> Any:
        zeros = tree.map(lnp.zeros_like, params)
        return {"count": lnp.zeros((), "f32"), "first": zeros, "second": tree.map(lnp.copy, zeros)}

    def update(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
        count = state["count"] + 1
        first = tree.map(lambda m, g: b1 * m + (1 - b1) * g, state["first"], grads)
        second = tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, state["second"], grads)
        scale = learning_rate * lnp.sqrt(1 - b2**count) / (1 - b1**count)

        def moved(p: Any, m: Any, v: Any) -> Any:
            step = scale.astype(p.dtype) * m / (lnp.sqrt(v) + eps)
            return p * (1 - learning_rate * weight_decay) - step if weight_decay else p - step

        new = tree.map(moved, tree.map(lnp.asarray, params), first, second)
        return new, {"count": count, "first": first, "second": second}

    return Optimizer(init, update)


# -- classes -----------------------------------------------------------------------------
class _Stateful:
    """Updates tensors that require gradients from their `.grad`."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        self.params = list(params)
        if not self.params:
            raise ValueError("the optimiser got no parameters")
        self.lr = lr
        self._state: Any = None

    def _rule(self, lr: Any) -> Optimizer:
        raise NotImplementedError

    def step(self) -> None:
        """Update every parameter that has a gradient, and compute what is pending.

        A loop that never looks at its loss thus runs one program a step, not all steps in one.
        """
        chosen = [k for k, p in enumerate(self.params) if p.grad is not None]
        with no_grad():
            values = [self.params[k].detach() for k in chosen]
            rule = self._rule(self.lr)
            if self._state is None or self._state[0] != chosen:
                self._state = (chosen, rule.init(values))
            grads = [self.params[k].grad for k in chosen]
            new, state = rule.update(values, grads, self._state[1])
            self._state = (chosen, state)
            for k, value in zip(chosen, new):
                self.params[k][...] = value
        held = [t for t in (*self.params, *tree.leaves(state)) if isinstance(t, Tensor)]
        force(t for t in held if not t.is_traced)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self.params:
            p.zero_grad()


class SGD(_Stateful):
    """Gradient descent.

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([1.0])
    >>> optimiser = lz.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> print(w.detach())
    [0.8]
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.momentum, self.weight_decay = momentum, weight_decay

    def _rule(self, lr: Any) -> Optimizer:
        return sgd(lr, self.momentum, self.weight_decay)


class Adam(_Stateful):
    """Adam; `weight_decay` is decoupled from the gradient, as in AdamW.

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([1.0])
    >>> optimiser = lz.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> round(w.item(), 4)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def _rule(self, lr: Any) -> Optimizer:
        return adam(lr, *self.betas, self.eps, self.weight_decay)


AdamW = Adam
