"""Optimisers as pure functions on trees: no hidden state, at home inside a compiled function.

Takes: learning rates and the like. Gives: `Optimizer`, a pair of `init` and `update`, built of a
`Rule` that says what happens to one parameter. Must not know: models, hidden state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import numpy as lnp
from .. import tree
from ..slots import Literal

Slots = tuple[Any, ...]


class Optimizer(NamedTuple):
    """`init(params) → state`; `update(params, grads, state) → (params, state)`."""

    init: Callable[[Any], Any]
    update: Callable[[Any, Any, Any], tuple[Any, Any]]


class Rule(NamedTuple):
    """What an optimiser does to one parameter.

    `start`: what each slot of its state is at first, from the parameter. `step(p, g, slots, t, lr)`
    gives the parameter and its slots after step t, which counts from 1 in p's dtype.
    """

    start: tuple[Callable[[Any], Any], ...]
    step: Callable[[Any, Any, Slots, Any, Any], tuple[Any, Slots]]


def by_rule(rule: Rule, learning_rate: Any) -> Optimizer:
    """The functions on trees for a rule; `learning_rate` is a number or a function of the step.

    The state is a dict: `count`, the steps so far, and `slots`, trees like the parameters.
    """

    def init(params: Any) -> Any:
        slots = tuple([tree.map(start, params) for start in rule.start])
        return {"count": lnp.zeros((), "i64"), "slots": slots}

    def update(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
        count = state["count"] + Literal(1)
        rate = learning_rate(state["count"]) if callable(learning_rate) else learning_rate
        leaves, structure = tree.flatten(params)
        gradients = tree.flatten_up_to(structure, grads, "gradients")
        held = [tree.flatten_up_to(structure, s, "state") for s in state["slots"]]
        new: list[Any] = []
        slots: list[Slots] = []
        for k, (p, g) in enumerate(zip(leaves, gradients)):
            p = lnp.asarray(p)
            after, own = rule.step(p, g, tuple([s[k] for s in held]), count.astype(p.dtype), rate)
            new.append(after.astype(p.dtype))
            slots.append(own)
        trees = tuple([tree.unflatten(structure, column) for column in zip(*slots)])
        return tree.unflatten(structure, new), {"count": count, "slots": trees}

    return Optimizer(init, update)


def _zeros(p: Any) -> Any:
    return lnp.zeros_like(p)


def _signed(maximize: bool, g: Any) -> Any:
    return lnp.negative(g) if maximize else g


def _decayed(g: Any, p: Any, weight_decay: float) -> Any:
    """The gradient of the loss with ½ · weight_decay · p² added."""
    return g + weight_decay * p if weight_decay else g


def _mean(old: Any, new: Any, b: float) -> Any:
    """A running mean: b · old + (1 − b) · new."""
    return b * old + (1 - b) * new


# -- the rules ---------------------------------------------------------------------------
def sgd_rule(
    momentum: float = 0.0, dampening: float = 0.0, weight_decay: float = 0.0,
    nesterov: bool = False, maximize: bool = False,
) -> Rule:  # fmt: skip
    """Gradient descent with momentum (Sutskever et al., 2013), as PyTorch writes it."""
    if nesterov and (momentum <= 0 or dampening):
        raise ValueError("nesterov needs momentum > 0 and no dampening")

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _decayed(_signed(maximize, g), p, weight_decay)
        if not momentum:
            return p - lr * g, ()
        speed = momentum * slots[0] + (1 - dampening) * g
        if dampening:
            speed = lnp.where(t == 1, g, speed)  # the first step is not dampened
        return p - lr * (g + momentum * speed if nesterov else speed), (speed,)

    return Rule((_zeros,) if momentum else (), step)


def adam_rule(
    betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0,
    amsgrad: bool = False, maximize: bool = False, decoupled: bool = False,
) -> Rule:  # fmt: skip
    """Adam (Kingma and Ba, 2015); `decoupled`: AdamW (Loshchilov and Hutter, 2019)."""
    b1, b2 = betas

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _signed(maximize, g)
        if decoupled and weight_decay:
            p = p * (1 - lr * weight_decay)
        elif not decoupled:
            g = _decayed(g, p, weight_decay)
        first, second = _mean(slots[0], g, b1), _mean(slots[1], g * g, b2)
        top = lnp.maximum(slots[2], second) if amsgrad else second
        size = lnp.sqrt(top) / lnp.sqrt(1 - b2**t) + eps
        after = (first, second, top) if amsgrad else (first, second)
        return p - (lr / (1 - b1**t)) * (first / size), after

    return Rule((_zeros,) * (3 if amsgrad else 2), step)


def nadam_rule(
    betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0,
    momentum_decay: float = 4e-3,
) -> Rule:  # fmt: skip
    """Adam with Nesterov's momentum (Dozat, 2016)."""
    b1, b2 = betas

    def share(t: Any) -> Any:
        return b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _decayed(g, p, weight_decay)
        now, after = share(t), share(t + 1)
        product = slots[2] * now
        first, second = _mean(slots[0], g, b1), _mean(slots[1], g * g, b2)
        size = lnp.sqrt(second / (1 - b2**t)) + eps
        p = p - (lr * (1 - now) / (1 - product)) * (g / size)
        p = p - (lr * after / (1 - product * after)) * (first / size)
        return p, (first, second, product)

    return Rule((_zeros, _zeros, lambda p: lnp.ones((), lnp.asarray(p).dtype)), step)


def radam_rule(
    betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0
) -> Rule:
    """Rectified Adam (Liu et al., 2020)."""
    b1, b2 = betas
    limit = 2 / (1 - b2) - 1

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _decayed(g, p, weight_decay)
        first, second = _mean(slots[0], g, b1), _mean(slots[1], g * g, b2)
        power = b2**t
        rho = limit - 2 * t * power / (1 - power)
        sure = rho > 5.0
        safe = lnp.where(sure, rho, 6.0)
        factor = (safe - 4) * (safe - 2) * limit / ((limit - 4) * (limit - 2) * safe)
        adapted = lnp.sqrt(factor) * lnp.sqrt(1 - power) / (lnp.sqrt(second) + eps)
        scale = lnp.where(sure, adapted, 1.0)
        return p - lr * (first / (1 - b1**t)) * scale, (first, second)

    return Rule((_zeros, _zeros), step)


def adamax_rule(
    betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0
) -> Rule:
    """Adam by the largest gradient instead of their squares (Kingma and Ba, 2015)."""
    b1, b2 = betas

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _decayed(g, p, weight_decay)
        first = _mean(slots[0], g, b1)
        top = lnp.maximum(b2 * slots[1], lnp.abs(g) + eps)
        return p - (lr / (1 - b1**t)) * (first / top), (first, top)

    return Rule((_zeros, _zeros), step)


def rmsprop_rule(
    alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0, momentum: float = 0.0,
    centered: bool = False,
) -> Rule:  # fmt: skip
    """Gradients by the root of their mean square (Hinton's lecture 6, 2012; Graves, 2013)."""

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _decayed(g, p, weight_decay)
        held = list(slots)
        held[0] = _mean(slots[0], g * g, alpha)
        square = held[0]
        if centered:
            held[1] = _mean(slots[1], g, alpha)
            square = square - held[1] * held[1]
        move = g / (lnp.sqrt(square) + eps)
        if momentum:
            held[-1] = move = momentum * slots[-1] + move
        return p - lr * move, tuple(held)

    return Rule((_zeros,) * (1 + centered + bool(momentum)), step)


def adagrad_rule(
    lr_decay: float = 0.0, weight_decay: float = 0.0, initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
) -> Rule:  # fmt: skip
    """Gradients by the root of the sum of their squares (Duchi et al., 2011)."""

    def start(p: Any) -> Any:
        return lnp.full_like(p, initial_accumulator_value)

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _decayed(g, p, weight_decay)
        total = slots[0] + g * g
        if lr_decay:
            lr = lr / (1 + (t - 1) * lr_decay)
        return p - lr * (g / (lnp.sqrt(total) + eps)), (total,)

    return Rule((start,), step)


def adadelta_rule(rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0.0) -> Rule:
    """Steps in the units of the parameters (Zeiler, 2012)."""

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _decayed(g, p, weight_decay)
        square = _mean(slots[0], g * g, rho)
        move = lnp.sqrt(slots[1] + eps) / lnp.sqrt(square + eps) * g
        return p - lr * move, (square, _mean(slots[1], move * move, rho))

    return Rule((_zeros, _zeros), step)


def lion_rule(betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0) -> Rule:
    """The signs of momentum and gradient (Chen et al., 2023)."""
    b1, b2 = betas

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        move = lnp.sign(_mean(slots[0], g, b1))
        return p - lr * (_decayed(move, p, weight_decay)), (_mean(slots[0], g, b2),)

    return Rule((_zeros,), step)


def rprop_rule(
    etas: tuple[float, float] = (0.5, 1.2), step_sizes: tuple[float, float] = (1e-6, 50.0)
) -> Rule:
    """Steps by signs alone, longer while a sign stays (Riedmiller and Braun, 1993)."""
    down, up = etas

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        same = lnp.sign(g * slots[0])
        factor = lnp.where(same > 0, up, lnp.where(same < 0, down, lnp.ones_like(same)))
        size = lnp.clip(lnp.where(t == 1, lr, slots[1]) * factor, *step_sizes)
        g = lnp.where(same < 0, 0.0, g)
        return p - lnp.sign(g) * size, (g, size)

    return Rule((_zeros, _zeros), step)


def asgd_rule(
    lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6, weight_decay: float = 0.0
) -> Rule:
    """Gradient descent whose mean over time is kept (Polyak and Juditsky, 1992), in `slots[0]`."""

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _decayed(g, p, weight_decay)
        rate = lnp.where(t == 1, lr, slots[1])
        p = p * (1 - lambd * rate) - rate * g
        share = 1 / lnp.maximum(1.0, t - 1 - t0)
        after = lr / (1 + lambd * lr * t) ** alpha
        return p, (slots[0] + (p - slots[0]) * share, lnp.zeros_like(slots[1]) + after)

    return Rule((_zeros, _number), step)


def adafactor_rule(
    beta2_decay: float = -0.8, eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0,
    weight_decay: float = 0.0, maximize: bool = False,
) -> Rule:  # fmt: skip
    """Squares of matrices kept as rows and columns alone (Shazeer and Stern, 2018)."""

    def rows(p: Any) -> Any:
        shape = lnp.shape(p)
        return lnp.zeros((*shape[:-1], 1) if len(shape) > 1 else shape, lnp.asarray(p).dtype)

    def columns(p: Any) -> Any:
        shape = lnp.shape(p)
        return lnp.zeros(
            (*shape[:-2], 1, shape[-1]) if len(shape) > 1 else (), lnp.asarray(p).dtype
        )

    def step(p: Any, g: Any, slots: Slots, t: Any, lr: Any) -> tuple[Any, Slots]:
        g = _signed(maximize, g)
        least = float(lnp.finfo(p.dtype).eps) if eps[0] is None else eps[0]
        fresh = t**beta2_decay
        rate = lnp.maximum(eps[1], _root_mean(p)) * lnp.minimum(lr, t**-0.5)
        p = p * (1 - lr * weight_decay)
        if len(g.shape) > 1:
            row = _mean(slots[0], lnp.mean(g * g, -1, keepdims=True), 1 - fresh)
            column = _mean(slots[1], lnp.mean(g * g, -2, keepdims=True), 1 - fresh)
            square = row * column / lnp.maximum(lnp.mean(row, -2, keepdims=True), least)
        else:
            row, column = _mean(slots[0], g * g, 1 - fresh), slots[1]
            square = row
        move = g / lnp.sqrt(lnp.maximum(square, least * least))
        return p - (rate / lnp.maximum(1.0, _root_mean(move) / d)) * move, (row, column)

    return Rule((rows, columns), step)


def _root_mean(x: Any) -> Any:
    return lnp.sqrt(lnp.mean(x * x))


def _number(p: Any) -> Any:
    return lnp.zeros((), lnp.asarray(p).dtype)


# -- functions on trees ------------------------------------------------------------------
def sgd(
    learning_rate: Any, momentum: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False
) -> Optimizer:
    """Gradient descent, with momentum if asked for.

    A learning rate is a number, or a function from the number of steps so far.

    >>> import lazir as lz
    >>> step = lz.optim.sgd(0.5)
    >>> params, state = step.update({"w": 1.0}, {"w": 1.0}, step.init({"w": 1.0}))
    >>> float(params["w"])
    0.5
    """
    return by_rule(sgd_rule(momentum, 0.0, weight_decay, nesterov), learning_rate)


def adam(
    learning_rate: Any = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> Optimizer:  # fmt: skip
    """Adam (Kingma and Ba, 2015); `weight_decay` adds to the gradient, see `adamw`.

    >>> import lazir as lz
    >>> step = lz.optim.adam(0.1)
    >>> state = step.init({"w": lz.Tensor(1.0)})
    >>> params, state = step.update({"w": lz.Tensor(1.0)}, {"w": lz.Tensor(3.0)}, state)
    >>> round(params["w"].item(), 4)
    0.9
    """
    return by_rule(adam_rule((b1, b2), eps, weight_decay), learning_rate)


def adamw(
    learning_rate: Any = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> Optimizer:  # fmt: skip
    """Adam whose weight decay is apart from the gradient (Loshchilov and Hutter, 2019).

    >>> import lazir as lz
    >>> step = lz.optim.adamw(0.1, weight_decay=0.5)
    >>> params, _ = step.update([lz.Tensor(1.0)], [lz.Tensor(0.0)], step.init([lz.Tensor(1.0)]))
    >>> round(params[0].item(), 4)
    0.95
    """
    return by_rule(adam_rule((b1, b2), eps, weight_decay, decoupled=True), learning_rate)


def rmsprop(
    learning_rate: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8, momentum: float = 0.0
) -> Optimizer:
    """Gradients by the root of their mean square.

    >>> import lazir as lz
    >>> step = lz.optim.rmsprop(0.1, alpha=0.0)
    >>> params, _ = step.update([lz.Tensor(1.0)], [lz.Tensor(5.0)], step.init([lz.Tensor(1.0)]))
    >>> round(params[0].item(), 4)
    0.9
    """
    return by_rule(rmsprop_rule(alpha, eps, 0.0, momentum), learning_rate)


def adagrad(learning_rate: Any = 1e-2, eps: float = 1e-10) -> Optimizer:
    """Gradients by the root of the sum of their squares.

    >>> import lazir as lz
    >>> step = lz.optim.adagrad(0.1)
    >>> params, _ = step.update([lz.Tensor(1.0)], [lz.Tensor(5.0)], step.init([lz.Tensor(1.0)]))
    >>> round(params[0].item(), 4)
    0.9
    """
    return by_rule(adagrad_rule(eps=eps), learning_rate)


def lion(
    learning_rate: Any = 1e-4, b1: float = 0.9, b2: float = 0.99, weight_decay: float = 0.0
) -> Optimizer:
    """The signs of momentum and gradient (Chen et al., 2023).

    >>> import lazir as lz
    >>> step = lz.optim.lion(0.25)
    >>> params, _ = step.update([lz.Tensor(1.0)], [lz.Tensor(5.0)], step.init([lz.Tensor(1.0)]))
    >>> params[0].item()
    0.75
    """
    return by_rule(lion_rule((b1, b2), weight_decay), learning_rate)


def clip_by_global_norm(grads: Any, max_norm: Any) -> Any:
    """Gradients scaled down so that their common 2-norm is at most `max_norm`.

    >>> import lazir as lz
    >>> print(lz.optim.clip_by_global_norm({"a": lz.Tensor([3.0, 4.0])}, 1.0)["a"])
    [0.6 0.8]
    """
    squares = [lnp.sum(lnp.square(g)) for g in tree.leaves(grads)]
    total = lnp.sqrt(sum(squares[1:], squares[0])) if squares else lnp.zeros(())
    scale = lnp.minimum(max_norm / lnp.maximum(total, Literal(_TINY)), Literal(1.0))
    return tree.map(lambda g: lnp.multiply(g, scale.astype(lnp.asarray(g).dtype)), grads)


def clip_by_value(grads: Any, clip_value: float) -> Any:
    """Gradients whose elements lie between −clip_value and clip_value.

    >>> import lazir as lz
    >>> print(lz.optim.clip_by_value({"a": lz.Tensor([3.0, -0.5])}, 1.0)["a"])
    [ 1.  -0.5]
    """
    return tree.map(lambda g: lnp.clip(g, -clip_value, clip_value), grads)


_TINY = math.ldexp(1.0, -126)
