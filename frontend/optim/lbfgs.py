"""The quasi-Newton method of limited memory, on the whole of the parameters at once.

Takes: parameters, a closure that computes the loss and its gradients. Gives: `LBFGS`. Must not
know: models. Nocedal and Wright, "Numerical Optimization", 2006, algorithms 7.4 and 7.5; when it
stops, and the first step, are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .. import numpy as lnp
from ..autograd import enable_grad, no_grad
from ..pending import force
from ..tensor import Tensor
from .classes import Stateful
from .rules import Rule
from .wolfe import Point, search


class _Memory:
    """What one step leaves to the next."""

    def __init__(self) -> None:
        self.count = 0
        self.evaluations = 0
        self.pairs: list[tuple[Tensor, Tensor]] = []  # changes of the gradient, of the parameters
        self.scale = 1.0
        self.direction: Tensor | None = None
        self.gradient: Tensor | None = None
        self.step = 0.0


class LBFGS(Stateful):
    """Limited-memory BFGS (Liu and Nocedal, 1989); `step` takes a closure, which it calls often.

    `line_search_fn` is None (steps of `lr`) or "strong_wolfe". The closure clears the gradients,
    computes the loss, calls its backward and returns it. All parameters are in one group.

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([1.0, -2.0])
    >>> optimiser = lz.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimiser.zero_grad()
    ...     loss = ((w - 3.0) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimiser.step(closure).item()
    29.0
    >>> print(w.detach().round(4))
    [3. 3.]
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, max_iter: int = 20,
        max_eval: int | None = None, tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9,
        history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(f"line_search_fn is None or 'strong_wolfe', not {line_search_fn!r}")
        super().__init__(
            params, lr=lr, max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad, tolerance_change=tolerance_change,
            history_size=history_size, line_search_fn=line_search_fn,
        )  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS takes its parameters in one group")
        self._memory = _Memory()

    def _rule(self, group: dict[str, Any]) -> Rule:
        return Rule((), lambda p, g, slots, t, lr: (p, slots))  # no parameter has a rule of its own

    # -- one step --------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to `max_iter` iterations; gives the loss at the beginning."""
        if closure is None:
            raise TypeError("LBFGS.step needs the closure that computes the loss and gradients")
        options, memory = self.param_groups[0], self._memory
        first, now = self._evaluated(closure)
        evaluations = 1
        for iteration in range(1, options["max_iter"] + 1):
            if _largest(now.gradient) <= options["tolerance_grad"]:
                break
            memory.count += 1
            self._learn(now.gradient)
            direction = self._direction(now.gradient)
            step = options["lr"]
            if memory.count == 1:
                step = min(1.0, 1.0 / float(lnp.sum(lnp.abs(now.gradient)))) * options["lr"]
            slope = float(lnp.dot(now.gradient, direction))
            memory.direction, memory.gradient, memory.step = direction, now.gradient, step
            if slope > -options["tolerance_change"]:
                break
            last = iteration == options["max_iter"]
            before = now
            unseen = last and not options["line_search_fn"]
            left = options["max_eval"] - evaluations
            now, used = self._moved(closure, now, slope, left, unseen)
            evaluations += used
            if last or evaluations >= options["max_eval"]:
                break
            change = _largest(direction) * memory.step
            small = options["tolerance_change"]
            if change <= small or abs(now.loss - before.loss) < small:
                break
        memory.evaluations += evaluations
        return first

    def _evaluated(self, closure: Callable[[], Any]) -> tuple[Any, Point]:
        with enable_grad():
            loss = closure()
        parts = [
            lnp.ravel(lnp.zeros_like(p.detach()) if p.grad is None else p.grad) for p in self.params
        ]
        gradient = lnp.concatenate(parts)
        return loss, Point(0.0, float(loss), gradient, 0.0)

    def _moved(
        self, closure: Callable[[], Any], now: Point, slope: float, left: int, unseen: bool
    ) -> tuple[Point, int]:
        """The parameters moved along the direction, and how often the closure was called.

        `left`: how often a line search may call it after the first time; `unseen`: nothing looks
        at the new place any more, so it is not evaluated.
        """
        memory, options = self._memory, self.param_groups[0]
        direction = memory.direction
        assert direction is not None
        start = [lnp.positive(p.detach()) for p in self.params]
        force(start)
        calls = 0

        def evaluate(step: float) -> Point:
            nonlocal calls
            calls += 1
            self._set(start, direction, step)
            _, found = self._evaluated(closure)
            return Point(
                step, found.loss, found.gradient, float(lnp.dot(found.gradient, direction))
            )

        if options["line_search_fn"] is None:
            if unseen:
                self._set(start, direction, memory.step)
                return now, 0
            return evaluate(memory.step), calls
        origin = now._replace(step=0.0, slope=slope)
        found = search(
            evaluate, origin, memory.step, _largest(direction), options["tolerance_change"], left
        )
        self._set(start, direction, found.step)
        memory.step = found.step
        return found, calls

    def _set(self, start: list[Tensor], direction: Tensor, step: float) -> None:
        """Every parameter at its place `step` along the direction."""
        offset = 0
        with no_grad():
            for p, origin in zip(self.params, start):
                size = p.size
                part = lnp.reshape(direction[offset : offset + size], p.shape)
                p[...] = (origin + step * part).astype(p.dtype)
                offset += size
        force(self.params)

    # -- the curvature ---------------------------------------------------------------------
    def _learn(self, gradient: Tensor) -> None:
        """Keep what the last move says of the curvature, where it is positive."""
        memory = self._memory
        if memory.count == 1 or memory.gradient is None or memory.direction is None:
            return
        y, s = gradient - memory.gradient, memory.direction * memory.step
        product = float(lnp.dot(y, s))
        if product > 1e-10:
            memory.pairs = [*memory.pairs, (y, s)][-self.param_groups[0]["history_size"] :]
            memory.scale = product / float(lnp.dot(y, y))

    def _direction(self, gradient: Tensor) -> Tensor:
        """−H · gradient, by the two loops of algorithm 7.4."""
        q = lnp.negative(gradient)
        shares = []
        for y, s in reversed(self._memory.pairs):
            rho = 1.0 / float(lnp.dot(y, s))
            share = rho * float(lnp.dot(s, q))
            q = q - share * y
            shares.append((rho, share))
        r = q * self._memory.scale
        for (y, s), (rho, share) in zip(self._memory.pairs, reversed(shares)):
            r = r + (share - rho * float(lnp.dot(y, r))) * s
        force([r])
        return r

    # -- state -----------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Plain containers of all that a later run needs; `lz.save` takes them."""
        found = super().state_dict()
        memory = vars(self._memory)
        found["state"] = {k: [list(p) for p in v] if k == "pairs" else v for k, v in memory.items()}
        return found

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave. ValueError where the groups differ in size."""
        super().load_state_dict({**state, "state": {}})
        held = state["state"]
        for name in vars(self._memory):
            value = held[name]
            if name == "pairs":
                value = [(lnp.asarray(y), lnp.asarray(s)) for y, s in value]
            elif name in ("direction", "gradient") and value is not None:
                value = lnp.asarray(value)
            setattr(self._memory, name, value)


def _largest(x: Tensor) -> float:
    return float(lnp.max(lnp.abs(x))) if x.size else 0.0
