"""A convolution and the normalisation behind it as one convolution.

Takes: layers whose training is over. Gives: a layer. Must not know: how anything is computed.
"""

from __future__ import annotations

import copy
from typing import Any

from ... import numpy as lnp
from ..layers import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..module import Module, Parameter


def fuse_conv_bn_weights(
    conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of a convolution that does what BatchNorm makes of another's result.

    None stands for a bias of 0, a scale of 1 or a shift of 0. `transpose`: of a ConvTranspose.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> one = lnp.ones(1)
    >>> fuse = lz.nn.utils.fuse_conv_bn_weights
    >>> w, b = fuse(lnp.ones((1, 1, 1)), None, one, one * 4, 0.0, None, None)
    >>> w.item(), b.item()
    (0.5, -0.5)
    """
    weight = lnp.asarray(conv_w)
    scale = 1 / lnp.sqrt(lnp.add(bn_rv, bn_eps))
    if bn_w is not None:
        scale = scale * bn_w
    rest = [1] * (len(weight.shape) - 2)
    wide = lnp.reshape(scale, (1, -1, *rest) if transpose else (-1, 1, *rest))
    shift = lnp.multiply(lnp.subtract(0 if conv_b is None else conv_b, bn_rm), scale)
    if bn_b is not None:
        shift = shift + bn_b
    made = [(weight * wide).detach(), shift.detach()]
    return tuple(Parameter(x.astype(weight.dtype)) for x in made)  # type: ignore[return-value]


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool | None = None) -> Module:
    """A copy of the convolution that does what both layers do in evaluation, as in YOLO's `fuse`.

    Both must be in evaluation mode: in training BatchNorm depends on the batch. ValueError else.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> conv, norm = lz.nn.Conv2d(1, 1, 1).eval(), lz.nn.BatchNorm2d(1).eval()
    >>> x = lnp.ones((1, 1, 2, 2))
    >>> fused = lz.nn.utils.fuse_conv_bn_eval(conv, norm)
    >>> bool(lnp.allclose(fused(x), norm(conv(x))))
    True
    """
    if conv.training or bn.training:
        raise ValueError("fuse_conv_bn_eval needs both layers in evaluation mode: call .eval()")
    held = {**vars(bn)}
    if held["running_mean"] is None:
        raise ValueError("fuse_conv_bn_eval: a BatchNorm without running moments cannot be fused")
    if transpose is None:
        transpose = isinstance(conv, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d)
    fused: Any = copy.deepcopy(conv)
    if transpose and fused.groups != 1:
        raise ValueError("fuse_conv_bn_eval: a ConvTranspose in groups cannot be fused")
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, held["running_mean"], held["running_var"], held["eps"],
        held["weight"], held["bias"], transpose,
    )  # fmt: skip
    return fused  # type: ignore[no-any-return]
