"""Modules without parameters: a function with its options, with PyTorch's names.

Takes: the options of a function of `lazir.nn.functional`, by position or name, without its inputs.
Gives: modules. Must not know: how anything is computed. `inplace=` is taken and changes nothing:
tensors are values, and the compiler reuses memory by itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from .. import numpy as lnp
from . import functional
from .module import Module


class Applied(Module):
    """A function of one or more inputs, with fixed options, as a module."""

    function: ClassVar[Callable[..., Any]]
    inputs: ClassVar[int] = 1
    _options: tuple[str, ...] = ()

    def __init_subclass__(cls, function: Callable[..., Any] | None = None, inputs: int = 1) -> None:
        super().__init_subclass__()
        if function is None:
            return
        cls.function, cls.inputs = staticmethod(function), inputs
        parameters = list(inspect.signature(function).parameters.values())[inputs:]
        kept = [p for p in parameters if p.name not in ("training", "key", "weight", "axis")]
        cls._signature = inspect.Signature(kept)
        if not cls.__doc__:
            head = (inspect.getdoc(function) or "").partition("\n")[0]
            cls.__doc__ = f"{head}\n\nSee `lazir.nn.functional.{function.__name__}`."

    _signature: ClassVar[inspect.Signature]

    def __init__(self, *args: Any, inplace: bool = False, **options: Any) -> None:
        try:
            found = self._signature.bind(*args, **options)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}{self._signature}: {error}") from None
        found.apply_defaults()
        self._options = tuple(found.arguments)
        for name, value in found.arguments.items():
            self.__dict__[name] = tuple(value) if isinstance(value, list) else value

    def forward(self, *inputs: Any) -> Any:
        """The function's result."""
        if len(inputs) != self.inputs:
            raise TypeError(f"{type(self).__name__} takes {self.inputs} inputs, got {len(inputs)}")
        return type(self).function(*inputs, **{n: self.__dict__[n] for n in self._options})


class _Random(Applied):
    """A function that draws numbers in training; `key=` where it is called, or `use_key`."""

    def forward(self, x: Any, key: Any = None) -> Any:
        """x, thinned out in training."""
        options = {n: self.__dict__[n] for n in self._options}
        return type(self).function(x, training=self.training, key=key, **options)


class _MaxPool(Applied):
    """Max pooling, whose module has its arguments in another order than the function."""

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, return_indices)


class _Unpooled(Applied):
    """The inverse of a max pooling, which may be told the size of its result."""

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """Zeros but for the maxima."""
        options = {n: self.__dict__[n] for n in self._options}
        if output_size is not None:
            options["output_size"] = output_size
        return type(self).function(input, indices, **options)


F = functional


# -- activations ---------------------------------------------------------------------------
class ReLU(Applied, function=F.relu): ...


class ReLU6(Applied, function=F.relu6): ...


class LeakyReLU(Applied, function=F.leaky_relu): ...


class ELU(Applied, function=F.elu): ...


class SELU(Applied, function=F.selu): ...


class CELU(Applied, function=F.celu): ...


class GELU(Applied, function=F.gelu): ...


class GLU(Applied, function=F.glu): ...


class SiLU(Applied, function=F.silu): ...


class Mish(Applied, function=F.mish): ...


class Sigmoid(Applied, function=F.sigmoid): ...


class LogSigmoid(Applied, function=F.logsigmoid): ...


class Hardsigmoid(Applied, function=F.hardsigmoid): ...


class Hardswish(Applied, function=F.hardswish): ...


class Hardtanh(Applied, function=F.hardtanh): ...


class Hardshrink(Applied, function=F.hardshrink): ...


class Softplus(Applied, function=F.softplus): ...


class Softshrink(Applied, function=F.softshrink): ...


class Softsign(Applied, function=F.softsign): ...


class Tanh(Applied, function=F.tanh): ...


class Tanhshrink(Applied, function=F.tanhshrink): ...


class Threshold(Applied, function=F.threshold): ...


class Softmax(Applied, function=F.softmax): ...


class Softmin(Applied, function=F.softmin): ...


class LogSoftmax(Applied, function=F.log_softmax): ...


class Softmax2d(Module):
    """Softmax over the channels of images.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.Softmax2d()(lnp.ones((1, 4, 2, 2))).sum().item()
    4.0
    """

    def forward(self, x: Any) -> Any:
        """The shares of the channels at each place."""
        return F.softmax(x, -3)


# -- chance --------------------------------------------------------------------------------
class Dropout(_Random, function=F.dropout): ...


class Dropout1d(_Random, function=F.dropout1d): ...


class Dropout2d(_Random, function=F.dropout2d): ...


class Dropout3d(_Random, function=F.dropout3d): ...


class AlphaDropout(_Random, function=F.alpha_dropout): ...


class FeatureAlphaDropout(_Random, function=F.feature_alpha_dropout): ...


class RReLU(_Random, function=F.rrelu): ...


# -- windows and images --------------------------------------------------------------------
class MaxPool1d(_MaxPool, function=F.max_pool1d): ...


class MaxPool2d(_MaxPool, function=F.max_pool2d): ...


class MaxPool3d(_MaxPool, function=F.max_pool3d): ...


class AvgPool1d(Applied, function=F.avg_pool1d): ...


class AvgPool2d(Applied, function=F.avg_pool2d): ...


class AvgPool3d(Applied, function=F.avg_pool3d): ...


class LPPool1d(Applied, function=F.lp_pool1d): ...


class LPPool2d(Applied, function=F.lp_pool2d): ...


class LPPool3d(Applied, function=F.lp_pool3d): ...


class MaxUnpool1d(_Unpooled, function=F.max_unpool1d, inputs=2): ...


class MaxUnpool2d(_Unpooled, function=F.max_unpool2d, inputs=2): ...


class MaxUnpool3d(_Unpooled, function=F.max_unpool3d, inputs=2): ...


class AdaptiveAvgPool1d(Applied, function=F.adaptive_avg_pool1d): ...


class AdaptiveAvgPool2d(Applied, function=F.adaptive_avg_pool2d): ...


class AdaptiveAvgPool3d(Applied, function=F.adaptive_avg_pool3d): ...


class AdaptiveMaxPool1d(Applied, function=F.adaptive_max_pool1d): ...


class AdaptiveMaxPool2d(Applied, function=F.adaptive_max_pool2d): ...


class AdaptiveMaxPool3d(Applied, function=F.adaptive_max_pool3d): ...


class Unfold(Applied, function=F.unfold): ...


class Fold(Applied, function=F.fold): ...


class Upsample(Applied, function=F.interpolate): ...


class UpsamplingNearest2d(Upsample):
    """Images of another size by the nearest elements; `size` or `scale_factor`."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample):
    """Images of another size by lines between elements, corners kept; `size` or `scale_factor`."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)


class PixelShuffle(Applied, function=F.pixel_shuffle): ...


class PixelUnshuffle(Applied, function=F.pixel_unshuffle): ...


class ChannelShuffle(Applied, function=F.channel_shuffle): ...


def _padded(rank: int, mode: str) -> Callable[..., Any]:
    def function(x: Any, padding: Any, value: float = 0.0) -> Any:
        widths = (padding,) * (2 * rank) if isinstance(padding, int) else tuple(padding)
        return functional.pad(lnp.asarray(x), widths, mode, value)

    function.__name__ = "pad"
    function.__doc__ = functional.pad.__doc__
    return function


class ConstantPad1d(Applied, function=_padded(1, "constant")): ...


class ConstantPad2d(Applied, function=_padded(2, "constant")): ...


class ConstantPad3d(Applied, function=_padded(3, "constant")): ...


class ZeroPad1d(Applied, function=_padded(1, "constant")): ...


class ZeroPad2d(Applied, function=_padded(2, "constant")): ...


class ZeroPad3d(Applied, function=_padded(3, "constant")): ...


class ReflectionPad1d(Applied, function=_padded(1, "reflect")): ...


class ReflectionPad2d(Applied, function=_padded(2, "reflect")): ...


class ReflectionPad3d(Applied, function=_padded(3, "reflect")): ...


class ReplicationPad1d(Applied, function=_padded(1, "replicate")): ...


class ReplicationPad2d(Applied, function=_padded(2, "replicate")): ...


class ReplicationPad3d(Applied, function=_padded(3, "replicate")): ...


class CircularPad1d(Applied, function=_padded(1, "circular")): ...


class CircularPad2d(Applied, function=_padded(2, "circular")): ...


class CircularPad3d(Applied, function=_padded(3, "circular")): ...


# -- distances and losses ------------------------------------------------------------------
class CosineSimilarity(Applied, function=F.cosine_similarity, inputs=2): ...


class PairwiseDistance(Applied, function=F.pairwise_distance, inputs=2): ...


class MSELoss(Applied, function=F.mse_loss, inputs=2): ...


class L1Loss(Applied, function=F.l1_loss, inputs=2): ...


class SmoothL1Loss(Applied, function=F.smooth_l1_loss, inputs=2): ...


class HuberLoss(Applied, function=F.huber_loss, inputs=2): ...


class KLDivLoss(Applied, function=F.kl_div, inputs=2): ...


class SoftMarginLoss(Applied, function=F.soft_margin_loss, inputs=2): ...


class HingeEmbeddingLoss(Applied, function=F.hinge_embedding_loss, inputs=2): ...


class PoissonNLLLoss(Applied, function=F.poisson_nll_loss, inputs=2): ...


class GaussianNLLLoss(Applied, function=F.gaussian_nll_loss, inputs=3): ...


class MarginRankingLoss(Applied, function=F.margin_ranking_loss, inputs=3): ...


class CosineEmbeddingLoss(Applied, function=F.cosine_embedding_loss, inputs=3): ...


class TripletMarginLoss(Applied, function=F.triplet_margin_loss, inputs=3): ...


class TripletMarginWithDistanceLoss(
    Applied, function=F.triplet_margin_with_distance_loss, inputs=3
): ...


class MultiLabelMarginLoss(Applied, function=F.multilabel_margin_loss, inputs=2): ...


class CTCLoss(Applied, function=F.ctc_loss, inputs=4): ...


class _Weighted(Applied):
    """A loss whose classes, or elements, have weights: buffers of the module."""

    _buffers: ClassVar[tuple[str, ...]] = ("weight",)

    def __init__(self, weight: Any = None, **options: Any) -> None:
        held = {"weight": weight}
        for name in self._buffers[1:]:
            held[name] = options.pop(name, None)
        super().__init__(**options)
        self._options = tuple(n for n in self._options if n not in self._buffers)
        for name, value in held.items():
            self.__dict__[name] = None if value is None else lnp.asarray(value)

    def forward(self, *inputs: Any) -> Any:
        """The loss."""
        options = {n: self.__dict__[n] for n in (*self._options, *self._buffers)}
        return type(self).function(*inputs, **options)


class CrossEntropyLoss(_Weighted, function=F.cross_entropy, inputs=2): ...


class NLLLoss(_Weighted, function=F.nll_loss, inputs=2): ...


class BCELoss(_Weighted, function=F.binary_cross_entropy, inputs=2): ...


class MultiMarginLoss(_Weighted, function=F.multi_margin_loss, inputs=2): ...


class BCEWithLogitsLoss(_Weighted, function=F.binary_cross_entropy_with_logits, inputs=2):
    _buffers = ("weight", "pos_weight")


class MultiLabelSoftMarginLoss(_Weighted, function=F.multilabel_soft_margin_loss, inputs=2): ...
