"""Activations and what turns scores into probabilities, with PyTorch's names.

Takes: tensors, arrays. Gives: tensors. Must not know: modules, parameters.
"""

from __future__ import annotations

import math
from typing import Any

from lazir.compiler.errors import ShapeError
from lazir.compiler.graph import Value

from .. import numpy as lnp
from ..apply import call, convert, expand, fail, lift, normal_axis, operand, promote, tensor
from ..dtypes import int64
from ..numpy.functions import larger_and_gap
from ..numpy.parts import filled as _filled
from ..slots import Literal
from ..tensor import Tensor


def _float(x: Any) -> Value:
    return promote(x, inexact=True).values[0]


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


def _log_one_plus_exp(v: Value) -> Value:
    larger, gap = larger_and_gap(v, _filled(0, v))
    return call("add", larger, call("log1p", call("exp", gap)))


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta · x)) / beta without overflow; x itself where beta · x > threshold.

    >>> import lazir as lz
    >>> lz.nn.functional.softplus(100.0).item()
    100.0
    """
    v = _float(x)
    scaled = v if beta == 1 else call("mul", v, _filled(beta, v))
    soft = _log_one_plus_exp(scaled)
    if beta != 1:
        soft = call("div", soft, _filled(beta, v))
    return tensor(call("select", call("greater", scaled, _filled(threshold, v)), v, soft))


def logsigmoid(x: Any) -> Tensor:
    """log(sigmoid(x)) without overflow.

    >>> import lazir as lz
    >>> lz.nn.functional.logsigmoid(-1000.0).item()
    -1000.0
    """
    v = _float(x)
    return tensor(call("neg", _log_one_plus_exp(call("neg", v))))


def selu(x: Any) -> Tensor:
    """Scaled elu, whose constants keep mean 0 and variance 1 (Klambauer et al., 2017).

    >>> import lazir as lz
    >>> round(lz.nn.functional.selu(1.0).item(), 4)
    1.0507
    """
    return elu(x, 1.6732632423543772848170429916717) * Literal(1.0507009873554804934193349852946)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha · (exp(x / alpha) − 1) below (Barron, 2017).

    >>> import lazir as lz
    >>> lz.nn.functional.celu(2.0).item()
    2.0
    """
    v = _float(x)
    low = call("div", call("minimum", v, _filled(0, v)), _filled(alpha, v))
    low = call("mul", call("expm1", low), _filled(alpha, v))
    return tensor(call("select", call("greater", v, _filled(0, v)), v, low))


def mish(x: Any) -> Tensor:
    """x · tanh(softplus(x)) (Misra, 2019).

    >>> import lazir as lz
    >>> lz.nn.functional.mish(0.0).item()
    0.0
    """
    return lnp.multiply(x, lnp.tanh(softplus(x)))


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x cut off at min_val and max_val.

    >>> import lazir as lz
    >>> print(lz.nn.functional.hardtanh(lz.Tensor([-3.0, 0.5])))
    [-1.   0.5]
    """
    return lnp.clip(x, Literal(min_val), Literal(max_val))


def hardsigmoid(x: Any) -> Tensor:
    """min(max(x + 3, 0), 6) / 6.

    >>> import lazir as lz
    >>> lz.nn.functional.hardsigmoid(0.0).item()
    0.5
    """
    return relu6(lnp.add(x, Literal(3.0))) / Literal(6.0)


def hardswish(x: Any) -> Tensor:
    """x · hardsigmoid(x) (Howard et al., 2019).

    >>> import lazir as lz
    >>> lz.nn.functional.hardswish(3.0).item()
    3.0
    """
    return lnp.multiply(x, relu6(lnp.add(x, Literal(3.0)))) / Literal(6.0)


def softsign(x: Any) -> Tensor:
    """x / (1 + |x|).

    >>> import lazir as lz
    >>> lz.nn.functional.softsign(1.0).item()
    0.5
    """
    return lnp.divide(x, lnp.abs(x) + Literal(1.0))


def tanhshrink(x: Any) -> Tensor:
    """x − tanh(x).

    >>> import lazir as lz
    >>> lz.nn.functional.tanhshrink(0.0).item()
    0.0
    """
    return lnp.subtract(x, lnp.tanh(x))


def softshrink(x: Any, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, 0 where it is nearer.

    >>> import lazir as lz
    >>> print(lz.nn.functional.softshrink(lz.Tensor([-1.0, 0.2])))
    [-0.5  0. ]
    """
    v = _float(x)
    zero, size = _filled(0, v), _filled(lambd, v)
    low = call("select", call("less", v, call("neg", size)), call("add", v, size), zero)
    moved = call("select", call("greater", v, size), call("sub", v, size), low)
    return tensor(call("select", call("equal", v, v), moved, v))  # NaN stays


def hardshrink(x: Any, lambd: float = 0.5) -> Tensor:
    """x, but 0 where |x| ≤ lambd.

    >>> import lazir as lz
    >>> print(lz.nn.functional.hardshrink(lz.Tensor([-1.0, 0.2])))
    [-1.  0.]
    """
    v = _float(x)
    near = call("less_equal", call("abs", v), _filled(lambd, v))
    return tensor(call("select", near, _filled(0, v), v))


def threshold(x: Any, threshold: float, value: float) -> Tensor:
    """x above the threshold, `value` elsewhere.

    >>> import lazir as lz
    >>> print(lz.nn.functional.threshold(lz.Tensor([0.1, 3.0]), 1.0, -1.0))
    [-1.  3.]
    """
    v = promote(x).values[0]
    low = call("less_equal", v, _filled(threshold, v))
    return tensor(call("select", low, _filled(value, v), v))


def prelu(x: Any, weight: Any) -> Tensor:
    """x above 0, weight · x below; the weight is one number, or one for each channel (axis 1).

    >>> import lazir as lz
    >>> print(lz.nn.functional.prelu(lz.Tensor([[-2.0, 2.0]]), lz.Tensor([0.25])))
    [[-0.5  2. ]]
    """
    shape, own = operand(x).shape, operand(weight).shape
    if own not in ((), (1,)):
        if len(own) != 1 or len(shape) < 2 or own[0] != shape[1]:
            fail(f"prelu: a weight of shape {own} does not fit the channels of {shape}", ShapeError)
        weight = lnp.reshape(weight, (-1, *[1] * (len(shape) - 2)))
    return lnp.where(lnp.greater(x, Literal(0)), x, lnp.multiply(x, weight))


def glu(x: Any, dim: int = -1) -> Tensor:
    """a · sigmoid(b), where a and b are the halves of x along an axis (Dauphin et al., 2016).

    >>> import lazir as lz
    >>> print(lz.nn.functional.glu(lz.Tensor([3.0, 0.0])))
    [1.5]
    """
    shape = operand(x).shape
    k = normal_axis(dim, len(shape), "glu")
    if shape[k] % 2:
        fail(f"glu: axis {dim} of shape {shape} has no halves", ShapeError)
    first, second = lnp.split(lnp.asarray(x), 2, axis=k)
    return first * sigmoid(second)


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


def softmin(x: Any, dim: int = -1) -> Tensor:
    """softmax(−x).

    >>> import lazir as lz
    >>> print(lz.nn.functional.softmin(lz.Tensor([0.0, 0.0])))
    [0.5 0.5]
    """
    return softmax(lnp.negative(x), dim)


def one_hot(x: Any, num_classes: int = -1, dtype: Any = "int64") -> Tensor:
    """Rows with a 1 at position x, 0 elsewhere; a class outside gives zeros.

    Without `num_classes` it is the largest class and 1, which only data tells, no traced tensor.

    >>> import lazir as lz
    >>> print(lz.nn.functional.one_hot(lz.Tensor([0, 2])))
    [[1 0 0]
     [0 0 1]]
    """
    v = lift(operand(x))
    if not v.type.dtype.is_integer:
        fail(f"one_hot needs integer classes, got {v.type.short}")
    if num_classes == -1:
        num_classes = int(lnp.max(x)) + 1
    shape = (*v.shape, num_classes)
    wide = call("broadcast", convert(v, int64), shape=shape, axes=tuple(range(len(v.shape))))
    places = call("iota", shape=shape, axis=len(shape) - 1, dtype=int64)
    return lnp.astype(tensor(call("equal", wide, places)), dtype)
