"""PyTorch's optimisers: objects that update parameters from their `.grad`.

Takes: parameters, or groups of them with options of their own. Gives: `SGD`, `Adam` and their kin.
Must not know: models. What happens to a parameter is a `Rule`; a step is one program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from .. import numpy as lnp
from ..autograd import enable_grad, no_grad
from ..pending import force
from ..tensor import Tensor
from .rules import (
    Rule,
    Slots,
    adadelta_rule,
    adafactor_rule,
    adagrad_rule,
    adam_rule,
    adamax_rule,
    asgd_rule,
    lion_rule,
    nadam_rule,
    radam_rule,
    rmsprop_rule,
    rprop_rule,
    sgd_rule,
)

Betas = tuple[float, float]


class Stateful:
    """Base of all: groups of parameters, the state of each, steps."""

    rule: ClassVar[Callable[..., Rule]]

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        if isinstance(params, Tensor):
            raise TypeError("the optimiser takes a list of parameters, not one tensor")
        self.defaults = {k: v for k, v in defaults.items() if k != "self"}
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[int, tuple[int, Slots]] = {}
        given = list(params)
        if not given:
            raise ValueError("the optimiser got no parameters")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """More parameters, with options of their own: {"params": […], "lr": 0.1}."""
        own = group["params"]
        params = [own] if isinstance(own, Tensor) else list(own)
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"a parameter is a Tensor, not {type(p).__name__}")
        held = {id(p) for p in self.params}
        if len({id(p) for p in params}) < len(params) or any(id(p) in held for p in params):
            raise ValueError("a parameter is in the optimiser twice")
        unknown = group.keys() - self.defaults.keys() - {"params"}
        if unknown:
            raise ValueError(f"{type(self).__name__} has no option {sorted(unknown)[0]!r}")
        made = {**self.defaults, **group, "params": params}
        self._rule(made)
        self.param_groups.append(made)

    @property
    def params(self) -> list[Tensor]:
        """The parameters of all groups."""
        return [p for group in self.param_groups for p in group["params"]]

    @property
    def lr(self) -> Any:
        """The learning rate (of the first group); setting it sets that of all groups."""
        return self.param_groups[0]["lr"]

    @lr.setter
    def lr(self, value: Any) -> None:
        for group in self.param_groups:
            group["lr"] = value

    def _rule(self, group: dict[str, Any]) -> Rule:
        known = self.defaults.keys() - {"lr"}
        return type(self).rule(**{k: group[k] for k in known})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, and compute what is pending.

        A loop that never looks at its loss thus runs one program a step, not all steps in one.
        `closure` computes the loss and its gradients first; the loss is given back.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for k, p, group, rule in self._chosen():
                self._update(k, p, group, rule)
        held = [*self.params, *[s for _, slots in self.state.values() for s in slots]]
        force(t for t in held if isinstance(t, Tensor) and not t.is_traced)
        return loss

    def _chosen(self) -> list[tuple[int, Tensor, dict[str, Any], Rule]]:
        """The parameters that have a gradient, numbered over all groups."""
        found = []
        k = 0
        for group in self.param_groups:
            rule = self._rule(group)
            for p in group["params"]:
                if p.grad is not None:
                    found.append((k, p, group, rule))
                k += 1
        return found

    def _update(self, k: int, p: Tensor, group: dict[str, Any], rule: Rule) -> None:
        value = p.detach()
        count, slots = self.state.get(k) or (0, tuple([start(value) for start in rule.start]))
        t = np.asarray(count + 1, _real(p))
        new, after = rule.step(value, p.grad, slots, t, group["lr"])
        self.state[k] = (count + 1, after)
        p[...] = new.astype(p.dtype)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or make them 0."""
        for p in self.params:
            if set_to_none:
                p.zero_grad()
            elif p.grad is not None:
                p.grad = lnp.zeros_like(p.grad)

    # -- state ---------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Plain containers of all that a later run needs; `lz.save` takes them.

        Parameters are numbered in the order in which they were given.
        """
        state = {
            str(k): {"step": count, "slots": list(slots)}
            for k, (count, slots) in self.state.items()
        }
        groups = []
        number = 0
        for group in self.param_groups:
            own = {k: v for k, v in group.items() if k != "params"}
            own["params"] = list(range(number, number + len(group["params"])))
            number += len(group["params"])
            groups.append(own)
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave. ValueError where the groups differ in size."""
        sizes = [len(g["params"]) for g in state["param_groups"]]
        own = [len(g["params"]) for g in self.param_groups]
        if sizes != own:
            raise ValueError(f"the state is of groups of {sizes} parameters, here are {own}")
        for group, saved in zip(self.param_groups, state["param_groups"]):
            group.update({k: v for k, v in saved.items() if k != "params"})
        self.state = {
            int(k): (int(held["step"]), tuple([lnp.asarray(s) for s in held["slots"]]))
            for k, held in state["state"].items()
        }

    def __repr__(self) -> str:
        groups = [
            ", ".join(f"{k}={v!r}" for k, v in group.items() if k != "params")
            for group in self.param_groups
        ]
        return f"{type(self).__name__}({'; '.join(groups)})"


def _real(p: Tensor) -> Any:
    """The NumPy dtype that steps are counted in."""
    return p.dtype.numpy if p.dtype.is_float and p.dtype.itemsize >= 4 else np.float32


class SGD(Stateful):
    """Gradient descent.

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([1.0])
    >>> optimiser = lz.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> print(w.detach())
    [0.8]
    """

    rule = staticmethod(sgd_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-3, momentum: float = 0.0,
        dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False, *,
        maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
            nesterov=nesterov, maximize=maximize,
        )  # fmt: skip


class Adam(Stateful):
    """Adam; `weight_decay` adds to the gradient (AdamW keeps it apart).

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([1.0])
    >>> optimiser = lz.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> round(w.item(), 4)
    0.9
    """

    rule = staticmethod(adam_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-3, betas: Betas = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0, amsgrad: bool = False, *,
        maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
            maximize=maximize,
        )  # fmt: skip


class AdamW(Adam):
    """Adam whose weight decay is apart from the gradient (Loshchilov and Hutter, 2019)."""

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-3, betas: Betas = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.01, amsgrad: bool = False, *,
        maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)

    def _rule(self, group: dict[str, Any]) -> Rule:
        options = {k: group[k] for k in self.defaults if k != "lr"}
        return adam_rule(**options, decoupled=True)


class NAdam(Stateful):
    """Adam with Nesterov's momentum (Dozat, 2016)."""

    rule = staticmethod(nadam_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 2e-3, betas: Betas = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0, momentum_decay: float = 4e-3,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay,
            momentum_decay=momentum_decay,
        )  # fmt: skip


class RAdam(Stateful):
    """Rectified Adam (Liu et al., 2020)."""

    rule = staticmethod(radam_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-3, betas: Betas = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


class Adamax(Stateful):
    """Adam by the largest gradient instead of their squares (Kingma and Ba, 2015)."""

    rule = staticmethod(adamax_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 2e-3, betas: Betas = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


class RMSprop(Stateful):
    """Gradients by the root of their mean square."""

    rule = staticmethod(rmsprop_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum,
            centered=centered,
        )  # fmt: skip


class Adagrad(Stateful):
    """Gradients by the root of the sum of their squares (Duchi et al., 2011)."""

    rule = staticmethod(adagrad_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-2, lr_decay: float = 0.0,
        weight_decay: float = 0.0, initial_accumulator_value: float = 0.0, eps: float = 1e-10,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, eps=eps,
        )  # fmt: skip


class Adadelta(Stateful):
    """Steps in the units of the parameters (Zeiler, 2012)."""

    rule = staticmethod(adadelta_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)


class Rprop(Stateful):
    """Steps by the signs of gradients alone (Riedmiller and Braun, 1993), for whole data sets."""

    rule = staticmethod(rprop_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-2, etas: Betas = (0.5, 1.2),
        step_sizes: Betas = (1e-6, 50.0),
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, etas=etas, step_sizes=step_sizes)


class ASGD(Stateful):
    """Gradient descent that keeps the mean of the parameters (Polyak and Juditsky, 1992)."""

    rule = staticmethod(asgd_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75,
        t0: float = 1e6, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay
        )  # fmt: skip


class Adafactor(Stateful):
    """Adam's squares kept as rows and columns of matrices alone (Shazeer and Stern, 2018)."""

    rule = staticmethod(adafactor_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0,
        weight_decay: float = 0.0, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay,
            maximize=maximize,
        )  # fmt: skip


class Lion(Stateful):
    """The signs of momentum and gradient (Chen et al., 2023)."""

    rule = staticmethod(lion_rule)

    def __init__(
        self, params: Iterable[Any], lr: Any = 1e-4, betas: Betas = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)
