"""Learning rates over time, PyTorch's schedules: `.step()` after each step of the optimiser.

Takes: an optimiser of `classes.py`. Gives: objects that set the `lr` of its groups.
Must not know: how parameters are updated. A rate that changes does not compile anything again.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any

from ..public import listing
from .classes import Stateful

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts",
    "CyclicLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR",
    "MultiplicativeLR", "OneCycleLR", "PolynomialLR", "ReduceLROnPlateau", "SequentialLR",
    "StepLR",
]  # fmt: skip
__dir__ = listing(__name__)


class LRScheduler:
    """Base of all: counts steps, and sets each group's rate to what `get_lr` gives."""

    def __init__(self, optimizer: Stateful, last_epoch: int = -1) -> None:
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
        self.base_lrs: list[Any] = [g.get("initial_lr", g["lr"]) for g in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    def get_lr(self) -> list[Any]:
        """The rates of all groups at step `last_epoch`."""
        raise NotImplementedError

    def _current(self) -> list[Any]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[Any]:
        """The rates that were set last."""
        return self._current()

    def _set(self, rates: Sequence[Any]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates):
            group["lr"] = rate

    def step(self) -> None:
        """Go on by one step."""
        self.last_epoch += 1
        self._set(self.get_lr())

    def state_dict(self) -> dict[str, Any]:
        """Numbers that a later run needs."""
        return {
            k: v
            for k, v in self.__dict__.items()
            if isinstance(v, int | float | str | list | tuple | type(None)) and k != "schedulers"
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.__dict__.update(state)


class _Closed(LRScheduler):
    """A schedule whose rate follows from the base rate and the step alone."""

    def rate(self, base: Any, k: int) -> Any:
        """The rate at step k."""
        raise NotImplementedError

    def get_lr(self) -> list[Any]:
        """The rates of all groups at step `last_epoch`."""
        return [self.rate(base, self.last_epoch) for base in self.base_lrs]


class _Factor(LRScheduler):
    """A schedule that multiplies the current rate, whatever else has changed it."""

    def factor(self, k: int) -> float:
        """What the rate of step k − 1 is multiplied by to give that of step k."""
        raise NotImplementedError

    def get_lr(self) -> list[Any]:
        """The rates of all groups at step `last_epoch`."""
        return [rate * self.factor(self.last_epoch) for rate in self._current()]


class LambdaLR(_Closed):
    """The base rate times a function of the step.

    >>> import lazir as lz
    >>> optimiser = lz.optim.SGD([lz.nn.Parameter([1.0])], lr=0.5)
    >>> schedule = lz.optim.lr_scheduler.LambdaLR(optimiser, lambda k: 1 / (k + 1))
    >>> schedule.step()
    >>> optimiser.lr
    0.25
    """

    def __init__(self, optimizer: Stateful, lr_lambda: Any, last_epoch: int = -1) -> None:
        many = isinstance(lr_lambda, list | tuple)
        count = len(optimizer.param_groups)
        self._lambdas = list(lr_lambda) if many else [lr_lambda] * count
        if len(self._lambdas) != count:
            raise ValueError(f"{len(self._lambdas)} functions for {count} groups")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates of all groups at step `last_epoch`."""
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self._lambdas)]

    def state_dict(self) -> dict[str, Any]:
        """Numbers that a later run needs; the functions are not among them."""
        return {k: v for k, v in super().state_dict().items() if k != "_lambdas"}


class MultiplicativeLR(_Factor):
    """The current rate times a function of the step."""

    def __init__(
        self, optimizer: Stateful, lr_lambda: Callable[[int], float], last_epoch: int = -1
    ) -> None:
        self._lambda = lr_lambda
        super().__init__(optimizer, last_epoch)

    def factor(self, k: int) -> float:
        """The function's value; 1 at the start."""
        return self._lambda(k) if k > 0 else 1.0


class StepLR(_Factor):
    """Times gamma every step_size steps.

    >>> import lazir as lz
    >>> optimiser = lz.optim.SGD([lz.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = lz.optim.lr_scheduler.StepLR(optimiser, step_size=2, gamma=0.5)
    >>> for _ in range(2): schedule.step()
    >>> optimiser.lr
    0.5
    """

    def __init__(
        self, optimizer: Stateful, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, k: int) -> float:
        """gamma at multiples of step_size."""
        return self.gamma if k > 0 and k % self.step_size == 0 else 1.0


class MultiStepLR(_Factor):
    """Times gamma at each milestone."""

    def __init__(
        self, optimizer: Stateful, milestones: Sequence[int], gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.milestones, self.gamma = list(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, k: int) -> float:
        """gamma for each milestone that is k."""
        return self.gamma ** self.milestones.count(k)


class ExponentialLR(_Factor):
    """Times gamma every step."""

    def __init__(self, optimizer: Stateful, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, k: int) -> float:
        """gamma; 1 at the start."""
        return self.gamma if k > 0 else 1.0


class ConstantLR(_Factor):
    """Times `factor` for total_iters steps, then the base rate."""

    def __init__(
        self, optimizer: Stateful, factor: float = 1 / 3, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.start_factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, k: int) -> float:
        """The factor at the start, its inverse at the end."""
        if k == 0:
            return self.start_factor
        return 1 / self.start_factor if k == self.total_iters else 1.0


class LinearLR(_Factor):
    """From start_factor to end_factor in total_iters steps: a warm-up.

    >>> import lazir as lz
    >>> optimiser = lz.optim.SGD([lz.nn.Parameter([1.0])], lr=1.0)
    >>> _ = lz.optim.lr_scheduler.LinearLR(optimiser, start_factor=0.25)
    >>> optimiser.lr
    0.25
    """

    def __init__(
        self, optimizer: Stateful, start_factor: float = 1 / 3, end_factor: float = 1.0,
        total_iters: int = 5, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError("factors of LinearLR lie between 0 and 1, the first above 0")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, k: int) -> float:
        """The ratio of two points on the line."""
        if k == 0:
            return self.start_factor
        if k > self.total_iters:
            return 1.0
        rise = self.end_factor - self.start_factor
        return 1 + rise / (self.total_iters * self.start_factor + (k - 1) * rise)


class PolynomialLR(_Factor):
    """The base rate times (1 − k / total_iters)^power, then 0."""

    def __init__(
        self, optimizer: Stateful, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self, k: int) -> float:
        """The ratio of two points on the curve."""
        if k == 0 or k > self.total_iters:
            return 1.0
        n = self.total_iters
        return float(((1 - k / n) / (1 - (k - 1) / n)) ** self.power)


class CosineAnnealingLR(_Closed):
    """Half a cosine from the base rate to eta_min in T_max steps, and back (Loshchilov, 2017)."""

    def __init__(
        self, optimizer: Stateful, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, base: Any, k: int) -> Any:
        """The point on the cosine."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * k / self.T_max)) / 2


class CosineAnnealingWarmRestarts(_Closed):
    """Half cosines from the base rate to eta_min, each T_mult times as long (Loshchilov, 2017)."""

    def __init__(
        self, optimizer: Stateful, T_0: int, T_mult: int = 1, eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if T_0 < 1 or T_mult < 1:
            raise ValueError("T_0 and T_mult are whole numbers from 1")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, base: Any, k: int) -> Any:
        """The point on the cosine since the last restart."""
        length = self.T_0
        while k >= length:
            k -= length
            length *= self.T_mult
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * k / length)) / 2


class OneCycleLR(_Closed):
    """Up from max_lr / div_factor to max_lr, then down to 1 / final_div_factor of the start.

    Smith and Topin (2018). The momentum of the optimiser is left as it is.

    >>> import lazir as lz
    >>> optimiser = lz.optim.SGD([lz.nn.Parameter([1.0])], lr=1.0)
    >>> _ = lz.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=1.0, total_steps=10)
    >>> round(optimiser.lr, 6)
    0.04
    """

    def __init__(
        self,
        optimizer: Stateful,
        max_lr: float,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}")
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        low = max_lr / div_factor
        peak = pct_start * total_steps - 1
        if three_phase:
            self._points = [(0.0, low), (peak, max_lr), (2 * pct_start * total_steps - 2, low)]
        else:
            self._points = [(0.0, low), (peak, max_lr)]
        self._points.append((total_steps - 1.0, low / final_div_factor))
        super().__init__(optimizer, last_epoch)

    def rate(self, base: Any, k: int) -> Any:
        """The point on the way from one turning point to the next."""
        if k > self.total_steps:
            raise ValueError(f"OneCycleLR was made for {self.total_steps} steps, this is {k + 1}")
        for (start, low), (end, high) in zip(self._points, self._points[1:]):
            if k <= end or (end, high) == self._points[-1]:
                part = (k - start) / (end - start)
                if self.anneal_strategy == "linear":
                    return low + (high - low) * part
                return high + (low - high) / 2 * (1 + math.cos(math.pi * part))
        return base


class CyclicLR(_Closed):
    """Up from base_lr to max_lr in step_size_up steps and down again, over and over (Smith, 2015).

    Modes: triangular, triangular2 (half as high each time), exp_range (gamma to the power of the
    step). The momentum of the optimiser is left as it is.
    """

    def __init__(
        self,
        optimizer: Stateful,
        base_lr: float,
        max_lr: float,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        cycle_momentum: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"no mode {mode!r}; triangular, triangular2 or exp_range")
        if cycle_momentum:
            raise ValueError("CyclicLR does not change the momentum: cycle_momentum=False")
        self.low, self.high, self.mode, self.gamma = base_lr, max_lr, mode, gamma
        down = step_size_up if step_size_down is None else step_size_down
        self.total, self.ratio = step_size_up + down, step_size_up / (step_size_up + down)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: Any, k: int) -> Any:
        """The point on the triangle."""
        cycle = math.floor(1 + k / self.total)
        part = 1 + k / self.total - cycle
        scale = part / self.ratio if part <= self.ratio else (part - 1) / (self.ratio - 1)
        height = (self.high - self.low) * scale
        if self.mode == "triangular2":
            height /= 2 ** (cycle - 1)
        elif self.mode == "exp_range":
            height *= self.gamma**k
        return self.low + height


class SequentialLR(LRScheduler):
    """One schedule after the other: the next one starts at each milestone."""

    def __init__(
        self, optimizer: Stateful, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        if len(schedulers) != len(milestones) + 1:
            raise ValueError(f"{len(schedulers)} schedules need {len(schedulers) - 1} milestones")
        self.optimizer, self.schedulers = optimizer, list(schedulers)
        self.milestones, self.last_epoch = list(milestones), 0
        # Every schedule has made its first step when it was made: start anew with the first.
        self._set([group["initial_lr"] for group in optimizer.param_groups])
        for schedule in self.schedulers:
            schedule.last_epoch -= 1
        self.schedulers[0].step()

    def step(self) -> None:
        """Go on by one step of the schedule whose turn it is."""
        self.last_epoch += 1
        k = bisect.bisect_right(self.milestones, self.last_epoch)
        schedule = self.schedulers[k]
        if k > 0 and self.milestones[k - 1] == self.last_epoch:
            self._set([group["initial_lr"] for group in self.optimizer.param_groups])
            schedule.last_epoch = -1
        schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """Numbers that a later run needs, those of all schedules included."""
        inner = [schedule.state_dict() for schedule in self.schedulers]
        return {**super().state_dict(), "schedulers": inner}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        for schedule, inner in zip(self.schedulers, state["schedulers"], strict=True):
            schedule.load_state_dict(inner)
        super().load_state_dict({k: v for k, v in state.items() if k != "schedulers"})


class ChainedScheduler(SequentialLR):
    """Several schedules at once: each changes what the others have set."""

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Stateful | None = None
    ) -> None:
        self.schedulers, self.last_epoch = list(schedulers), 0
        self.optimizer = schedulers[0].optimizer if optimizer is None else optimizer

    def step(self) -> None:
        """Go on by one step of every schedule."""
        self.last_epoch += 1
        for schedule in self.schedulers:
            schedule.step()


class ReduceLROnPlateau(LRScheduler):
    """Times `factor` when a measure has not improved for more than `patience` steps.

    >>> import lazir as lz
    >>> optimiser = lz.optim.SGD([lz.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = lz.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=0)
    >>> for loss in (3.0, 3.0): schedule.step(loss)
    >>> optimiser.lr
    0.5
    """

    def __init__(
        self,
        optimizer: Stateful,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError("mode is 'min' or 'max', threshold_mode 'rel' or 'abs'")
        if factor >= 1:
            raise ValueError(f"factor must be below 1, got {factor}")
        self.optimizer, self.mode, self.scale = optimizer, mode, factor
        self.patience, self.cooldown, self.min_lr, self.eps = patience, cooldown, min_lr, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.best = math.inf if mode == "min" else -math.inf
        self.bad, self.resting, self.last_epoch = 0, 0, 0

    def _is_better(self, value: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        margin = self.threshold * (abs(self.best) if self.threshold_mode == "rel" else 1)
        if math.isinf(self.best):
            return value != self.best and not math.isnan(value)
        return sign * (value - self.best) > margin

    def step(self, metrics: Any = None) -> None:
        """Go on by one step, with the value of the measure (a number or a tensor of one)."""
        if metrics is None:
            raise TypeError("ReduceLROnPlateau.step needs the value that it watches")
        value = float(metrics)
        self.last_epoch += 1
        if self._is_better(value):
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        if self.resting:
            self.resting -= 1
            self.bad = 0
        if self.bad > self.patience:
            for group in self.optimizer.param_groups:
                new = max(group["lr"] * self.scale, self.min_lr)
                if group["lr"] - new > self.eps:
                    group["lr"] = new
            self.resting, self.bad = self.cooldown, 0
