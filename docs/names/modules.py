"""Samples of the classes of lazir.nn: what each is made of, and what the module is called with.

Takes nothing. Gives: by class name, a function that calls such a module, and its inputs. Must not
know: what is found out with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from samples import KEY, X

from lazir import nn

M, I2 = X((3, 3)), np.array([[0, 1], [2, 0]])
S1, S2, S3 = X((1, 2, 4)), X((1, 2, 4, 4)), X((1, 2, 4, 4, 4))
SIGNALS = {"1d": S1, "2d": S2, "3d": S3}
LABELS, SIGNS, BAGS = np.array([0, 1, 2]), np.array([1, -1, 1]), np.array([[0, -1, 0]] * 3)


def _each(names: str, value: list[Any]) -> dict[str, list[Any]]:
    """The same for all of these names."""
    return {name: value for name in names.split()}


ARGUMENTS: dict[str, list[Any]] = {
    **_each("BatchNorm1d BatchNorm2d BatchNorm3d ZeroPad1d ZeroPad2d ZeroPad3d", [2]),
    **_each("InstanceNorm1d InstanceNorm2d InstanceNorm3d", [2]),
    **{f"{kind}{r}d": [2] for r in (1, 2, 3) for kind in
       ("MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "MaxUnpool")},
    **{f"LPPool{r}d": [2, 2] for r in (1, 2, 3)},
    **{f"{kind}{r}d": [2, 2, 2] for r in (1, 2, 3) for kind in ("Conv", "ConvTranspose")},
    **{f"{kind}Pad{r}d": [1] for r in (1, 2, 3) for kind in
       ("Reflection", "Replication", "Circular")},
    **{f"ConstantPad{r}d": [1, 2.0] for r in (1, 2, 3)},
    "Bilinear": [3, 3, 2], "Linear": [3, 2], "GroupNorm": [1, 2], "LayerNorm": [3], "RMSNorm": [3],
    "LocalResponseNorm": [2], "Threshold": [0.1, 2.0], "Softmax": [-1], "Softmin": [-1],
    "LogSoftmax": [-1], "Unfold": [2], "Fold": [(3, 3), (2, 2)], "Upsample": [None, 2.0],
    "UpsamplingBilinear2d": [None, 2.0], "UpsamplingNearest2d": [None, 2.0], "PixelShuffle": [1],
    "PixelUnshuffle": [2], "ChannelShuffle": [2], "Unflatten": [1, (1, 3)], "PReLU": [],
    "RNN": [3, 2], "GRU": [3, 2], "LSTM": [3, 2], "RNNCell": [3, 2], "GRUCell": [3, 2],
    "LSTMCell": [3, 2], "MultiheadAttention": [4, 2], "TransformerEncoderLayer": [4, 2, 8],
    "TransformerDecoderLayer": [4, 2, 8], "Transformer": [4, 2, 1, 1, 8],
}  # fmt: skip
"""What a class is made of, where that is not nothing."""

INPUTS: dict[str, list[Any]] = {
    **{f"{kind}{r}": [x] for r, x in SIGNALS.items() for kind in
       ("BatchNorm", "InstanceNorm", "MaxPool", "AvgPool", "LPPool", "AdaptiveAvgPool", "ZeroPad",
        "AdaptiveMaxPool", "Conv", "ConvTranspose", "ReflectionPad", "ReplicationPad",
        "CircularPad", "ConstantPad", "Dropout")},
    "MaxUnpool1d": [X((1, 2, 2)), np.array([[[0, 2], [1, 3]]])],
    "MaxUnpool2d": [X((1, 1, 1, 1)), np.zeros((1, 1, 1, 1), int)],
    "MaxUnpool3d": [X((1, 1, 1, 1, 1)), np.zeros((1, 1, 1, 1, 1), int)],
    **_each("GroupNorm LocalResponseNorm Upsample UpsamplingBilinear2d UpsamplingNearest2d "
          "PixelShuffle PixelUnshuffle ChannelShuffle Unfold Softmax2d GLU "
          "FeatureAlphaDropout", [S2]),
    "Fold": [X((1, 8, 4))], "Bilinear": [M, M], "RNN": [X((4, 2, 3))], "GRU": [X((4, 2, 3))],
    "LSTM": [X((4, 2, 3))], "MultiheadAttention": [X((4, 2, 4))] * 3,
    "TransformerEncoderLayer": [X((4, 2, 4))], "TransformerDecoderLayer": [X((4, 2, 4))] * 2,
    "Transformer": [X((4, 2, 4))] * 2, "GaussianNLLLoss": [M, M, M], "TripletMarginLoss": [M, M, M],
    "TripletMarginWithDistanceLoss": [M, M, M], "MarginRankingLoss": [X((3,)), X((3,)), SIGNS],
    "CosineEmbeddingLoss": [M, M, SIGNS], "MultiLabelMarginLoss": [M, BAGS],
    "CTCLoss": [X((4, 2, 3)), np.array([[1, 2], [1, 0]]), (4, 4), (2, 1)],
    **_each("CrossEntropyLoss NLLLoss MultiMarginLoss", [M, LABELS]),
    **_each("MSELoss L1Loss SmoothL1Loss HuberLoss KLDivLoss SoftMarginLoss BCELoss "
          "HingeEmbeddingLoss PoissonNLLLoss BCEWithLogitsLoss MultiLabelSoftMarginLoss "
          "CosineSimilarity PairwiseDistance", [M, M]),
}  # fmt: skip
"""What its modules are called with, where that is not one matrix."""

RANDOM = {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"}
RANDOM |= {"RReLU"}
"""Modules that draw numbers, in training: with a key beside their input."""

HOLDERS = set(["Module", "Parameter", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"])
"""Classes that compute nothing themselves."""


def _layer() -> Any:
    return nn.TransformerEncoderLayer(4, 2, 8)


MADE: dict[str, Callable[[], Any]] = {
    "Sequential": lambda: nn.Sequential(nn.Linear(3, 2), nn.ReLU()),
    "TransformerEncoder": lambda: nn.TransformerEncoder(_layer(), 1),
    "TransformerDecoder": lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 1),
}
"""Classes that are made of others."""
INPUTS |= {"TransformerEncoder": [X((4, 2, 4))], "TransformerDecoder": [X((4, 2, 4))] * 2}


def called(name: str) -> tuple[Callable[..., Any], list[Any]]:
    """A function that calls a module of this class, and its inputs."""
    if name in ("Embedding", "EmbeddingBag"):
        table = getattr(nn, name)(3, 3)

        def look_up(weight: Any) -> Any:
            """A module of integers, as a function of its table."""
            table.weight = weight
            return table(I2)

        return look_up, [M]
    module = MADE.get(name, lambda: getattr(nn, name)(*ARGUMENTS.get(name, [])))()
    if name in RANDOM:
        return lambda *inputs: module(*inputs, key=KEY), INPUTS.get(name, [M])
    return module.eval(), INPUTS.get(name, [M])
