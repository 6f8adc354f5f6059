"""lazir: a lazy graph-building compiler for tensor programs."""

from __future__ import annotations

from . import numpy, tree
from .autograd import enable_grad, no_grad
from .tensor import Tensor

__all__ = ["Tensor", "enable_grad", "no_grad", "numpy", "tree"]
