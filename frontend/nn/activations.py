"""Activations and what turns scores into probabilities, with PyTorch's names.

Takes: tensors, arrays. Gives: tensors. Must not know: modules, parameters.
"""

from __future__ import annotations

import math
from typing import Any

from lazir.compiler.graph import Value

from .. import numpy as lnp
from ..apply import call, convert, expand, fail, lift, normal_axis, number, operand, promote, tensor
from ..dtypes import int64
from ..slots import Literal
from ..tensor import Tensor


def _float(x: Any) -> Value:
    return promote(x, inexact=True).values[0]


def _filled(x: float, like: Value) -> Value:
    return expand(number(x, like.type.dtype, structural=True), like.shape)


def _axis(x: Value, dim: int, axis: int | None) -> int:
    return normal_axis(dim if axis is None else axis, len(x.shape), "axis")


# -- activations -------------------------------------------------------------------------
def relu(x: Any) -> Tensor:
    """max(x, 0); its derivative at 0 is 0.

    >>> import lazir as lz
    >>> print(lz.nn.functional.relu(lz.Tensor([-1.0, 2.0])))
    [0. 2.]
    """
    v = promote(x).values[0]
    zero = _filled(0, v)
    # NaN is kept: the comparison with it is false
    return tensor(call("select", call("less_equal", v, zero), zero, v))


def relu6(x: Any) -> Tensor:
    """min(max(x, 0), 6).

    >>> import lazir as lz
    >>> print(lz.nn.functional.relu6(lz.Tensor([-1.0, 9.0])))
    [0. 6.]
    """
    return lnp.clip(x, Literal(0), Literal(6))


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """x above 0, negative_slope · x below.

    >>> import lazir as lz
    >>> print(lz.nn.functional.leaky_relu(lz.Tensor([-1.0, 2.0]), 0.5))
    [-0.5  2. ]
    """
    v = _float(x)
    scaled = call("mul", v, _filled(negative_slope, v))
    return tensor(call("select", call("less", v, _filled(0, v)), scaled, v))


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha · (eˣ − 1) below.

    >>> import lazir as lz
    >>> lz.nn.functional.elu(2.0).item()
    2.0
    """
    v = _float(x)
    low = call("mul", call("expm1", call("minimum", v, _filled(0, v))), _filled(alpha, v))
    return tensor(call("select", call("greater", v, _filled(0, v)), v, low))


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + e⁻ˣ), written with tanh so that nothing overflows.

    >>> import lazir as lz
    >>> lz.nn.functional.sigmoid(0.0).item()
    0.5
    """
    v = _float(x)
    half = _filled(0.5, v)
    return tensor(call("add", half, call("mul", half, call("tanh", call("mul", half, v)))))


def silu(x: Any) -> Tensor:
    """x · sigmoid(x).

    >>> import lazir as lz
    >>> lz.nn.functional.silu(0.0).item()
    0.0
    """
    return lnp.multiply(x, sigmoid(x))


swish = silu


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent.

    >>> import lazir as lz
    >>> lz.nn.functional.tanh(0.0).item()
    0.0
    """
    return lnp.tanh(x)


def softplus(x: Any) -> Tensor:
    """log(1 + eˣ) without overflow.

    >>> import lazir as lz
    >>> lz.nn.functional.softplus(100.0).item()
    100.0
    """
    v = _float(x)
    small = call("log1p", call("exp", call("neg", call("abs", v))))
    return tensor(call("add", call("maximum", v, _filled(0, v)), small))


def gelu(x: Any, approximate: Any = "none") -> Tensor:
    """x · Φ(x) (Hendrycks and Gimpel, 2016); `approximate="tanh"` for their tanh formula.

    >>> import lazir as lz
    >>> lz.nn.functional.gelu(0.0).item()
    0.0
    """
    v = _float(x)
    half, one = _filled(0.5, v), _filled(1, v)
    if approximate in ("tanh", True):
        cube = call("mul", call("mul", v, v), v)
        inner = call("add", v, call("mul", _filled(0.044715, v), cube))
        gate = call("tanh", call("mul", _filled(math.sqrt(2 / math.pi), v), inner))
    elif approximate in ("none", False):
        gate = call("erf", call("mul", v, _filled(math.sqrt(0.5), v)))
    else:
        fail(f"gelu: approximate is 'none' or 'tanh', got {approximate!r}")
    return tensor(call("mul", call("mul", half, v), call("add", one, gate)))


def _row_maximum(v: Value, k: int) -> Value:
    """The largest of each row, spread out; a constant to derivatives, since it cancels out."""
    top = call("reduce_max", v, axes=(k,))
    top = call("reshape", top, shape=tuple(1 if j == k else n for j, n in enumerate(v.shape)))
    return call("stop_gradient", expand(top, v.shape))


def _row_sum(v: Value, k: int) -> Value:
    total = call("reduce_sum", v, axes=(k,))
    shape = tuple(1 if j == k else n for j, n in enumerate(v.shape))
    return expand(call("reshape", total, shape=shape), v.shape)


def softmax(x: Any, dim: int = -1, *, axis: int | None = None) -> Tensor:
    """exp(x) / Σ exp(x) along one axis.

    >>> import lazir as lz
    >>> print(lz.nn.functional.softmax(lz.Tensor([0.0, 0.0])))
    [0.5 0.5]
    """
    v = _float(x)
    k = _axis(v, dim, axis)
    powers = call("exp", call("sub", v, _row_maximum(v, k)))
    return tensor(call("div", powers, _row_sum(powers, k)))


def log_softmax(x: Any, dim: int = -1, *, axis: int | None = None) -> Tensor:
    """log(softmax(x)) without overflow.

    >>> import lazir as lz
    >>> print(lz.nn.functional.log_softmax(lz.Tensor([0.0, 0.0])))
    [-0.6931472 -0.6931472]
    """
    v = _float(x)
    k = _axis(v, dim, axis)
    moved = call("sub", v, _row_maximum(v, k))
    return tensor(call("sub", moved, call("log", _row_sum(call("exp", moved), k))))


def one_hot(x: Any, num_classes: int, dtype: Any = "float32") -> Tensor:
    """Rows with a 1 at position x, 0 elsewhere; a class outside gives zeros.

    >>> import lazir as lz
    >>> print(lz.nn.functional.one_hot(lz.Tensor([0, 2]), 3))
    [[1. 0. 0.]
     [0. 0. 1.]]
    """
    v = lift(operand(x))
    if not v.type.dtype.is_integer:
        fail(f"one_hot needs integer classes, got {v.type.short}")
    shape = (*v.shape, num_classes)
    wide = call("broadcast", convert(v, int64), shape=shape, axes=tuple(range(len(v.shape))))
    places = call("iota", shape=shape, axis=len(shape) - 1, dtype=int64)
    return lnp.astype(tensor(call("equal", wide, places)), dtype)
