"""`jax.nn` by the same names, as `lazir.nn.relu` …, with JAX's defaults.

Takes: tensors, arrays. Gives: tensors. `lazir.nn.functional` has PyTorch's functions.
Must not know: modules, parameters.
"""

from __future__ import annotations

from typing import Any

from .. import numpy as lnp
from .. import special
from ..slots import Literal
from ..tensor import Tensor
from . import activations as torch_like
from .activations import relu, relu6, selu, sigmoid, silu, softmax, swish, tanh


def gelu(x: Any, approximate: bool = True) -> Tensor:
    """x · Φ(x) by its tanh formula, or exactly (Hendrycks and Gimpel, 2016).

    >>> import lazir as lz
    >>> round(lz.nn.gelu(1.0).item(), 4), round(lz.nn.gelu(1.0, approximate=False).item(), 4)
    (0.8412, 0.8413)
    """
    return torch_like.gelu(x, approximate)


def one_hot(x: Any, num_classes: int, *, dtype: Any = float, axis: int = -1) -> Tensor:
    """Ones at the classes x along a new axis, zeros elsewhere; a class outside gives zeros.

    >>> import lazir as lz
    >>> print(lz.nn.one_hot(lz.Tensor([0, 2]), 3))
    [[1. 0. 0.]
     [0. 0. 1.]]
    """
    return lnp.moveaxis(torch_like.one_hot(x, num_classes, dtype), -1, axis)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """x, times a slope below 0.

    >>> import lazir as lz
    >>> lz.nn.leaky_relu(-2.0, 0.5).item()
    -1.0
    """
    return torch_like.leaky_relu(x, negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha · (exp(x) − 1) below.

    >>> import lazir as lz
    >>> lz.nn.elu(2.0).item()
    2.0
    """
    return torch_like.elu(x, alpha)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha · (exp(x / alpha) − 1) below.

    >>> import lazir as lz
    >>> lz.nn.celu(2.0).item()
    2.0
    """
    return torch_like.celu(x, alpha)


def glu(x: Any, axis: int = -1) -> Tensor:
    """a · sigmoid(b), where a and b are the halves of x along an axis.

    >>> import lazir as lz
    >>> print(lz.nn.glu(lz.Tensor([3.0, 0.0])))
    [1.5]
    """
    return torch_like.glu(x, axis)


def mish(x: Any) -> Tensor:
    """x · tanh(softplus(x)).

    >>> import lazir as lz
    >>> lz.nn.mish(0.0).item()
    0.0
    """
    return torch_like.mish(x)


def softplus(x: Any) -> Tensor:
    """log(1 + exp(x)) without overflow, at all x.

    >>> import lazir as lz
    >>> round(lz.nn.softplus(0.0).item(), 4)
    0.6931
    """
    return torch_like.softplus(x, threshold=float("inf"))


def squareplus(x: Any, b: float = 4.0) -> Tensor:
    """(x + √(x² + b)) / 2.

    >>> import lazir as lz
    >>> lz.nn.squareplus(0.0).item()
    1.0
    """
    x = lnp.asarray(x)
    return (x + lnp.sqrt(x * x + Literal(b))) * Literal(0.5)  # type: ignore[no-any-return]


def soft_sign(x: Any) -> Tensor:
    """x / (|x| + 1).

    >>> import lazir as lz
    >>> lz.nn.soft_sign(1.0).item()
    0.5
    """
    return torch_like.softsign(x)


def hard_tanh(x: Any) -> Tensor:
    """x between −1 and 1.

    >>> import lazir as lz
    >>> lz.nn.hard_tanh(2.0).item()
    1.0
    """
    return torch_like.hardtanh(x)


def hard_sigmoid(x: Any) -> Tensor:
    """relu6(x + 3) / 6.

    >>> import lazir as lz
    >>> lz.nn.hard_sigmoid(0.0).item()
    0.5
    """
    return torch_like.hardsigmoid(x)


def hard_silu(x: Any) -> Tensor:
    """x · hard_sigmoid(x).

    >>> import lazir as lz
    >>> lz.nn.hard_silu(3.0).item()
    3.0
    """
    return torch_like.hardswish(x)


hard_swish = hard_silu


def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x)) without overflow.

    >>> import lazir as lz
    >>> lz.nn.log_sigmoid(-1000.0).item()
    -1000.0
    """
    return torch_like.logsigmoid(x)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """log(softmax(x)) along an axis.

    >>> import lazir as lz
    >>> print(lz.nn.log_softmax(lz.Tensor([0.0, 0.0])))
    [-0.6931472 -0.6931472]
    """
    return torch_like.log_softmax(x, axis)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Tensor:
    """log(Σ b · exp(a)) along axes, without overflow.

    >>> import lazir as lz
    >>> round(lz.nn.logsumexp(lz.Tensor([0.0, 0.0])).item(), 4)
    0.6931
    """
    return special.logsumexp(a, axis, b, keepdims)  # type: ignore[no-any-return]


def standardize(x: Any, axis: Any = -1, epsilon: float = 1e-5) -> Tensor:
    """x less its mean, over its standard deviation, along axes.

    >>> import lazir as lz
    >>> print(lz.numpy.round(lz.nn.standardize(lz.Tensor([-1.0, 1.0])), 3))
    [-1.  1.]
    """
    x = lnp.asarray(x)
    off = x - lnp.mean(x, axis=axis, keepdims=True)
    variance = lnp.mean(off * off, axis=axis, keepdims=True)
    return off / lnp.sqrt(variance + Literal(epsilon))  # type: ignore[no-any-return]


def identity(x: Any) -> Tensor:
    """x itself.

    >>> import lazir as lz
    >>> lz.nn.identity(1.5).item()
    1.5
    """
    return lnp.asarray(x)


__all__ = [
    "celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "identity", "leaky_relu", "log_sigmoid", "log_softmax", "logsumexp", "mish", "one_hot",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_sign", "softmax", "softplus",
    "squareplus", "standardize", "swish", "tanh",
]  # fmt: skip
