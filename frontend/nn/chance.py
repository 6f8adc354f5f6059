"""Functions that draw numbers: dropout and its kin; which key they draw with.

Takes: tensors, keys of `lazir.random`. Gives: tensors. Must not know: modules.

A call draws with `key=` if it is given, else with the key of the `use_key` block it is in, each
call another part of it; else, outside of compiled functions, with keys of `init.manual_seed`.
A compiled function has no hidden state: there the key has to come from one of the first two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import numpy as lnp
from .. import random
from ..apply import fail, operand
from ..slots import Literal
from ..tensor import Tensor
from ..trace import active
from . import init
from .activations import leaky_relu, softmax


class _Keys(threading.local):
    def __init__(self) -> None:
        self.stack: list[tuple[Any, list[int]]] = []


_keys = _Keys()


@contextmanager
def use_key(key: Any) -> Iterator[None]:
    """Dropout inside draws with parts of this key: the same key gives the same numbers.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> net = lz.nn.Dropout(0.5)
    >>> @lz.compile
    ... def step(x, key):
    ...     with lz.nn.use_key(key):
    ...         return net(x)
    >>> a, b = step(lnp.ones(9), lz.random.key(0)), step(lnp.ones(9), lz.random.key(0))
    >>> bool((a == b).all())
    True
    """
    _keys.stack.append((key, [0]))
    try:
        yield
    finally:
        _keys.stack.pop()


def chosen_key(what: str, key: Any = None) -> Any:
    """The key that a call draws with. TypeRuleError where it has none while tracing."""
    if key is not None:
        return key
    if _keys.stack:
        base, count = _keys.stack[-1]
        count[0] += 1
        return random.fold_in(base, count[0] - 1)
    if active() is not None:
        fail(
            f"{what} in training inside of a compiled function needs a key of lz.random that is "
            "an argument of that function: with lz.nn.use_key(key): …, or key= where it is called"
        )
    return init.next_key()


def dropout(x: Any, p: float = 0.5, training: bool = True, *, key: Any = None) -> Tensor:
    """Elements zeroed with probability p, the others scaled by 1 / (1 − p).

    `key` as the module's first lines say; see `use_key`.

    >>> import lazir as lz
    >>> lz.nn.functional.dropout(lz.Tensor([1.0]), 0.5, training=False).item()
    1.0
    """
    return _dropped(x, p, training, key, operand(x).shape, "dropout")


def _dropped(
    x: Any, p: float, training: bool, key: Any, shape: tuple[int, ...], what: str
) -> Tensor:
    """Elements zeroed by a mask of this shape."""

    def mixed(keep: Tensor) -> Tensor:
        return lnp.where(keep, lnp.divide(x, Literal(1 - p)), Literal(0))

    return _by_chance(x, p, training, key, shape, what, mixed)


def _by_chance(
    x: Any,
    p: float,
    training: bool,
    key: Any,
    shape: tuple[int, ...],
    what: str,
    mixed: Callable[[Tensor], Tensor],
) -> Tensor:
    """`mixed` of a mask, true with probability 1 − p: x where p is 0, zeros where it is 1."""
    if not 0 <= p <= 1:
        fail(f"{what}: p is a probability, got {p}")
    if not training or p == 0:
        return lnp.positive(x)
    if p == 1:
        return lnp.multiply(x, Literal(0.0))
    return mixed(random.bernoulli(chosen_key(what, key), 1 - p, shape))


def _dropout_channels(
    rank: int, x: Any, p: float = 0.5, training: bool = True, *, key: Any = None
) -> Tensor:
    shape = operand(x).shape
    lead = len(shape) - rank
    if lead not in (1, 2):
        fail(f"dropout{rank}d needs {rank + 1} or {rank + 2} axes, got shape {shape}")
    return _dropped(x, p, training, key, (*shape[:lead], *[1] * rank), f"dropout{rank}d")


def dropout1d(x: Any, p: float = 0.5, training: bool = True, *, key: Any = None) -> Tensor:
    """Whole channels zeroed; signals (n, c, w)."""
    return _dropout_channels(1, x, p, training, key=key)


def dropout2d(x: Any, p: float = 0.5, training: bool = True, *, key: Any = None) -> Tensor:
    """Whole channels zeroed; images (n, c, h, w)."""
    return _dropout_channels(2, x, p, training, key=key)


def dropout3d(x: Any, p: float = 0.5, training: bool = True, *, key: Any = None) -> Tensor:
    """Whole channels zeroed; volumes (n, c, d, h, w)."""
    return _dropout_channels(3, x, p, training, key=key)


def rrelu(
    x: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, *, key: Any = None
) -> Tensor:
    """x above 0; below, x times a slope drawn between lower and upper (their mean outside of
    training).

    >>> import lazir as lz
    >>> lz.nn.functional.rrelu(lz.Tensor([-4.0]), 0.25, 0.75).item()
    -2.0
    """
    found = operand(x)
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    slope = random.uniform(chosen_key("rrelu", key), found.shape, found.dtype, lower, upper)
    return lnp.where(lnp.less(x, Literal(0)), lnp.multiply(x, slope), x)


_SATURATION = -1.7580993408473766
"""The limit of selu at −∞, −λα (Klambauer et al., 2017)."""


def _alpha_dropped(
    x: Any, p: float, training: bool, key: Any, shape: tuple[int, ...], what: str
) -> Tensor:
    """Elements set to selu's limit by a mask, then scaled to mean 0 and variance 1 again."""

    def mixed(keep: Tensor) -> Tensor:
        scale = ((1 - p) * (1 + p * _SATURATION**2)) ** -0.5
        chosen: Tensor = lnp.where(keep, x, Literal(_SATURATION)) * Literal(scale)
        return chosen - Literal(scale * _SATURATION * p)

    return _by_chance(x, p, training, key, shape, what, mixed)


def alpha_dropout(x: Any, p: float = 0.5, training: bool = True, *, key: Any = None) -> Tensor:
    """Dropout that keeps mean and variance after selu (Klambauer et al., 2017).

    >>> import lazir as lz
    >>> lz.nn.functional.alpha_dropout(lz.Tensor([1.0]), 0.5, training=False).item()
    1.0
    """
    return _alpha_dropped(x, p, training, key, operand(x).shape, "alpha_dropout")


def feature_alpha_dropout(
    x: Any, p: float = 0.5, training: bool = True, *, key: Any = None
) -> Tensor:
    """alpha_dropout of whole channels: the axes after the first two share their fate.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.functional.feature_alpha_dropout(lnp.ones((2, 3, 4)), 1.0).sum().item()
    0.0
    """
    shape = operand(x).shape
    if len(shape) < 2:
        fail(f"feature_alpha_dropout needs axes of batch and channels, got shape {shape}")
    wide = (*shape[:2], *[1] * (len(shape) - 2))
    return _alpha_dropped(x, p, training, key, wide, "feature_alpha_dropout")


def gumbel_softmax(
    logits: Any, tau: float = 1.0, hard: bool = False, dim: int = -1, *, key: Any = None
) -> Tensor:
    """softmax((logits + Gumbel noise) / tau); with `hard`, one-hot with the soft one's gradient.

    >>> import lazir as lz
    >>> x = lz.nn.functional.gumbel_softmax(lz.Tensor([0.0, 9e9]), hard=True)
    >>> print(x)
    [0. 1.]
    """
    found = operand(logits)
    noise = random.gumbel(chosen_key("gumbel_softmax", key), found.shape, found.dtype)
    soft = softmax(lnp.add(logits, noise) / Literal(tau), dim)
    if not hard:
        return soft
    best = lnp.equal(soft, lnp.max(soft, dim, keepdims=True))
    first = lnp.equal(lnp.cumsum(best.astype("int32"), dim), Literal(1)) & best
    return first.astype(soft.dtype) + (soft - soft.detach())
