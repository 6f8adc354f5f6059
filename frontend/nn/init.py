"""Starting values of parameters.

Takes: shapes, a random key. Gives: NumPy-free tensors. Must not know: modules.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from .. import random
from ..tensor import Tensor

_seed = [0]
_calls = itertools.count()


def manual_seed(seed: int) -> None:
    """The seed of parameters made without a key; each gets its own numbers.

    >>> import lazir as lz
    >>> lz.nn.init.manual_seed(0)
    """
    global _calls
    _seed[0] = seed
    _calls = itertools.count()


def next_key() -> Tensor:
    """A key of its own, from the seed and how many were made since."""
    return random.fold_in(random.key(_seed[0]), next(_calls))


def uniform(shape: tuple[int, ...], bound: float, key: Any = None, dtype: Any = "f32") -> Tensor:
    """Uniform numbers in [−bound, bound).

    >>> import lazir as lz
    >>> lz.nn.init.uniform((2, 3), 0.1).shape
    (2, 3)
    """
    chosen = next_key() if key is None else key
    return random.uniform(chosen, shape, dtype, -bound, bound)


def kaiming_uniform(
    shape: tuple[int, ...], fan_in: int, key: Any = None, dtype: Any = "f32"
) -> Tensor:
    """Uniform numbers in ±1/√fan_in, as PyTorch starts linear layers and convolutions.

    >>> import lazir as lz
    >>> lz.nn.init.kaiming_uniform((4, 3), 3).shape
    (4, 3)
    """
    return uniform(shape, 1 / math.sqrt(max(fan_in, 1)), key, dtype)
