"""Starting values of parameters.

Takes: shapes and a random key, or tensors to be filled (names that end in `_`, PyTorch's).
Gives: tensors. Must not know: modules.
"""

from __future__ import annotations

import itertools
import math
import threading
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError
from lazir.runtime.forks import INNERMOST, hold_in_forks

from .. import linalg, random
from .. import numpy as lnp
from ..autograd import no_grad
from ..public import listing
from ..tensor import Tensor

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_",
    "manual_seed", "normal_", "ones_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_",
    "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip
__dir__ = listing(__name__)

_seed = [0]
_calls = itertools.count()
_lock = threading.Lock()
hold_in_forks(_lock, INNERMOST)


def manual_seed(seed: int) -> None:
    """The seed of parameters made without a key; each gets its own numbers.

    >>> import lazir as lz
    >>> lz.nn.init.manual_seed(0)
    """
    global _calls
    with _lock:
        _seed[0] = seed
        _calls = itertools.count()


def next_key() -> Tensor:
    """A key of its own, from the seed and how many were made since."""
    with _lock:
        seed, call = _seed[0], next(_calls)
    return random.fold_in(random.key(seed), call)


def _key(key: Any) -> Any:
    return next_key() if key is None else key


def uniform(shape: tuple[int, ...], bound: float, key: Any = None, dtype: Any = float) -> Tensor:
    """Uniform numbers in [−bound, bound).

    >>> import lazir as lz
    >>> lz.nn.init.uniform((2, 3), 0.1).shape
    (2, 3)
    """
    return random.uniform(_key(key), shape, dtype, -bound, bound)


def by_fan_in(shape: tuple[int, ...], fan_in: int, key: Any = None, dtype: Any = float) -> Tensor:
    """Uniform numbers in ±1/√fan_in, as PyTorch starts linear layers and convolutions.

    >>> import lazir as lz
    >>> lz.nn.init.by_fan_in((4, 3), 3).shape
    (4, 3)
    """
    return uniform(shape, 1 / math.sqrt(max(fan_in, 1)), key, dtype)


# -- filling tensors -----------------------------------------------------------------------
def _fill(tensor: Tensor, values: Any) -> Tensor:
    with no_grad():
        return tensor.copy_(values)


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many numbers go into, and come out of, one element of the layer's result."""
    if len(tensor.shape) < 2:
        raise ShapeError(f"the fans of a tensor of shape {tensor.shape} need two axes")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps variances through an activation.

    >>> import lazir as lz
    >>> lz.nn.init.calculate_gain("tanh")
    1.6666666666666667
    """
    plain = ("linear", "sigmoid", "conv1d", "conv2d", "conv3d")
    gains = {**dict.fromkeys(plain, 1.0), "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in gains:
        raise ValueError(f"no gain for {nonlinearity!r}; there are leaky_relu, {', '.join(gains)}")
    return gains[nonlinearity]


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return _fill(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return _fill(tensor, 1)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    >>> import lazir as lz
    >>> print(lz.nn.init.constant_(lz.Tensor([1.0, 2.0]), 3.0))
    [3. 3.]
    """
    return _fill(tensor, val)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, key: Any = None) -> Tensor:
    """Fill with uniform numbers in [a, b)."""
    return _fill(tensor, random.uniform(_key(key), tensor.shape, tensor.dtype, a, b))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, key: Any = None) -> Tensor:
    """Fill with normal numbers."""
    return _fill(tensor, random.normal(_key(key), tensor.shape, tensor.dtype) * std + mean)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    key: Any = None,
) -> Tensor:  # fmt: skip
    """Fill with normal numbers that lie in [a, b]."""
    low, high = (a - mean) / std, (b - mean) / std
    drawn = random.truncated_normal(_key(key), low, high, tensor.shape, tensor.dtype)
    return _fill(tensor, drawn * std + mean)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, key: Any = None) -> Tensor:
    """Fill with uniform numbers in ±gain · √(6 / (fan in + fan out)) (Glorot and Bengio, 2010).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> w = lz.nn.init.xavier_uniform_(lnp.zeros((3, 3)))
    >>> bool((abs(w) <= 1).all())
    True
    """
    bound = gain * math.sqrt(6 / max(sum(_fans(tensor)), 1))
    return uniform_(tensor, -bound, bound, key)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, key: Any = None) -> Tensor:
    """Fill with normal numbers of deviation gain · √(2 / (fan in + fan out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / max(sum(_fans(tensor)), 1)), key)


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}")
    fan = max(_fans(tensor)[mode == "fan_out"], 1)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    key: Any = None,
) -> Tensor:  # fmt: skip
    """Fill with uniform numbers in ±gain · √(3 / fan) (He et al., 2015)."""
    bound = math.sqrt(3) * _kaiming(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, key)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    key: Any = None,
) -> Tensor:  # fmt: skip
    """Fill with normal numbers of deviation gain / √fan (He et al., 2015)."""
    return normal_(tensor, 0.0, _kaiming(tensor, a, mode, nonlinearity), key)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with 1 on its diagonal, 0 elsewhere."""
    if len(tensor.shape) != 2:
        raise ShapeError(f"eye_ needs a matrix, got shape {tensor.shape}")
    return _fill(tensor, lnp.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it passes its input on, as far as channels go.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> print(lz.nn.init.dirac_(lnp.ones((1, 1, 3))))
    [[[0. 1. 0.]]]
    """
    shape = tensor.shape
    if len(shape) not in (3, 4, 5) or groups < 1 or shape[0] % groups:
        raise ShapeError(
            f"dirac_ needs the weight of a convolution in {groups} groups, got {shape}"
        )
    made = np.zeros(shape)
    rows = shape[0] // groups
    centre = tuple(n // 2 for n in shape[2:])
    for group in range(groups):
        for k in range(min(rows, shape[1])):
            made[(group * rows + k, k, *centre)] = 1
    return _fill(tensor, lnp.asarray(made, tensor.dtype))


def orthogonal_(tensor: Tensor, gain: float = 1.0, key: Any = None) -> Tensor:
    """Fill with a matrix whose shorter side is orthonormal (Saxe et al., 2013); needs SciPy.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> q = lz.nn.init.orthogonal_(lnp.zeros((2, 5)))
    >>> bool(lnp.allclose(q @ q.T, lnp.eye(2), atol=1e-5))
    True
    """
    if len(tensor.shape) < 2:
        raise ShapeError(f"orthogonal_ needs two axes, got shape {tensor.shape}")
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    flat = random.normal(_key(key), (max(rows, columns), min(rows, columns)), tensor.dtype)
    q, r = linalg.qr(flat)
    q = q * lnp.sign(lnp.diagonal(r))
    square = q if rows >= columns else lnp.transpose(q)
    return _fill(tensor, square.reshape(tensor.shape) * gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, key: Any = None) -> Tensor:
    """Fill a matrix with normal numbers; in each column that share of the rows is 0."""
    if len(tensor.shape) != 2:
        raise ShapeError(f"sparse_ needs a matrix, got shape {tensor.shape}")
    first, second = random.split(_key(key))
    ranks = lnp.argsort(lnp.argsort(random.uniform(first, tensor.shape), axis=0), axis=0)
    drawn = random.normal(second, tensor.shape, tensor.dtype) * std
    zeros = math.ceil(sparsity * tensor.shape[0])
    return _fill(tensor, lnp.where(ranks < zeros, 0, drawn))
