"""What training needs beside layers: clipping, parameters as one vector, normalised weights.

Takes: parameters, modules. Gives: the same, changed in place. Must not know: optimisers.
"""

from __future__ import annotations

from ...public import listing
from . import rnn
from .fusion import fuse_conv_bn_eval, fuse_conv_bn_weights
from .gradients import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
    parameters_to_vector,
    vector_to_parameters,
)
from .weights import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "fuse_conv_bn_eval",
    "fuse_conv_bn_weights", "get_total_norm", "parameters_to_vector", "remove_spectral_norm",
    "remove_weight_norm", "rnn", "spectral_norm", "vector_to_parameters", "weight_norm",
]  # fmt: skip
__dir__ = listing(__name__)
