"""Optimisers and schedules that are compared with PyTorch: the same steps on either library.

Takes: `torch.optim` and `torch`, or lazir's. Gives: parameters and learning rates after each step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

A = np.array([[2.0, 0.3, -0.5], [0.3, 1.0, 0.2], [-0.5, 0.2, 3.0]])
STARTS = [np.array([1.0, -2.0, 0.5]), np.array([[0.3], [-0.7]])]

OPTIMISERS: dict[str, Any] = {
    "SGD": lambda o, p: o.SGD(p, lr=0.05),
    "SGD_momentum": lambda o, p: o.SGD(p, 0.05, 0.9, weight_decay=0.1),
    "SGD_dampened": lambda o, p: o.SGD(p, lr=0.05, momentum=0.9, dampening=0.3),
    "SGD_nesterov": lambda o, p: o.SGD(p, lr=0.05, momentum=0.8, nesterov=True),
    "SGD_maximize": lambda o, p: o.SGD(p, lr=0.01, maximize=True),
    "Adam": lambda o, p: o.Adam(p, lr=0.05),
    "Adam_decay": lambda o, p: o.Adam(p, 0.05, (0.8, 0.95), 1e-4, 0.1),
    "Adam_amsgrad": lambda o, p: o.Adam(p, lr=0.05, amsgrad=True),
    "AdamW": lambda o, p: o.AdamW(p, lr=0.05),
    "NAdam": lambda o, p: o.NAdam(p, lr=0.05),
    "RAdam": lambda o, p: o.RAdam(p, lr=0.05),
    "Adamax": lambda o, p: o.Adamax(p, lr=0.05, weight_decay=0.1),
    "RMSprop": lambda o, p: o.RMSprop(p, lr=0.02),
    "RMSprop_all": lambda o, p: o.RMSprop(
        p, lr=0.02, alpha=0.9, weight_decay=0.1, momentum=0.5, centered=True),
    "Adagrad": lambda o, p: o.Adagrad(
        p, lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.2),
    "Adadelta": lambda o, p: o.Adadelta(p, lr=1.0, weight_decay=0.05),
    "Rprop": lambda o, p: o.Rprop(p, lr=0.05),
    "Rprop_all": lambda o, p: o.Rprop(p, 0.3, (0.4, 1.5), (1e-3, 0.6)),
    "ASGD": lambda o, p: o.ASGD(p, lr=0.05, t0=3, weight_decay=0.1),
    "Adafactor": lambda o, p: o.Adafactor(p, lr=0.2),
    "Adafactor_all": lambda o, p: o.Adafactor(p, 0.1, -0.6, (1e-3, 0.2), 1.5, 0.1),
    "LBFGS": lambda o, p: o.LBFGS(p, lr=0.3, max_iter=3, history_size=2),
    "LBFGS_wolfe": lambda o, p: o.LBFGS(p, max_iter=4, line_search_fn="strong_wolfe"),
    "LBFGS_far": lambda o, p: o.LBFGS(p, lr=30, max_iter=2, line_search_fn="strong_wolfe"),
    "groups": lambda o, p: o.SGD(
        [{"params": p[:1]}, {"params": p[1:], "lr": 0.2, "momentum": 0.5}], lr=0.05),
}  # fmt: skip

SCHEDULES: dict[str, Any] = {
    "StepLR": lambda s, o: s.StepLR(o, 3, 0.5),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 5], 0.1),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.25, 4),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.2, total_iters=4),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, 6, 2.0),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 6, 0.01),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 1.0, total_steps=12),
    "OneCycleLR_linear": lambda s, o: s.OneCycleLR(
        o, 1.0, total_steps=12, pct_start=0.5, anneal_strategy="linear", three_phase=True),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.1, 0.5, 3, cycle_momentum=False),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda k: 1 / (k + 1)),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda k: 0.5 + 0.1 * k),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=3), s.ExponentialLR(o, 0.8)], [3]),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler(
        [s.ExponentialLR(o, 0.9), s.StepLR(o, 4, 0.5)]),
}  # fmt: skip


def loss_of(params: list[Any], asarray: Any) -> Any:
    """A quadratic form, a quartic, and something that joins the parameters."""
    x, y = params
    return (x @ (asarray(A) @ x)) * 0.5 + (y**4).sum() + (x.sum() * y).sum() * 0.1


def parameters(library: Any) -> list[Any]:
    if hasattr(library, "nn") and hasattr(library, "from_numpy"):
        return [library.nn.Parameter(library.from_numpy(s.copy())) for s in STARTS]
    return [library.nn.Parameter(s) for s in STARTS]


def asarray_of(library: Any) -> Any:
    return getattr(library, "from_numpy", np.asarray)


def trajectory(name: str, optim: Any, library: Any, steps: int = 8) -> list[list[float]]:
    """All parameters after each step."""
    params = parameters(library)
    optimiser = OPTIMISERS[name](optim, params)
    found = []

    def closure() -> Any:
        optimiser.zero_grad()
        loss = loss_of(params, asarray_of(library))
        loss.backward()
        return loss

    for _ in range(steps):
        optimiser.step(closure)
        found.append([float(v) for p in params for v in p.detach().numpy().ravel()])
    return found


def trajectories(optim: Any, library: Any) -> dict[str, Any]:
    return {name: trajectory(name, optim, library) for name in OPTIMISERS}


def rates(name: str, optim: Any, library: Any, steps: int = 10) -> list[float]:
    """The learning rate before each step."""
    optimiser = optim.SGD(parameters(library), lr=0.4, momentum=0.9)
    schedule = SCHEDULES[name](optim.lr_scheduler, optimiser)
    found = []
    for _ in range(steps):
        found.append(float(optimiser.param_groups[0]["lr"]))
        optimiser.step()
        schedule.step()
    return found


def schedules(optim: Any, library: Any) -> dict[str, Any]:
    found = {name: rates(name, optim, library) for name in SCHEDULES}
    optimiser = optim.SGD(parameters(library), lr=0.4)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=1, cooldown=1)
    seen = []
    for value in (5, 4, 4, 4, 4, 3.9999, 3, 3, 3, 3, 3, 3):
        plateau.step(value)
        seen.append(float(optimiser.param_groups[0]["lr"]))
    return {**found, "ReduceLROnPlateau": seen}
