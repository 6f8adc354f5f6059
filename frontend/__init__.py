"""lazir: a lazy graph-building compiler for tensor programs."""

from __future__ import annotations

from . import numpy, tree
from .autograd import enable_grad, no_grad
from .batching import vmap
from .compile import compile, jit
from .jacobian import hessian, jacfwd, jacobian, jacrev
from .signature import spec
from .tensor import Tensor
from .transforms import (
    eval_shape,
    grad,
    jvp,
    linearize,
    stop_gradient,
    value_and_grad,
    vjp,
)

__all__ = [
    "Tensor",
    "compile",
    "enable_grad",
    "eval_shape",
    "grad",
    "hessian",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "linearize",
    "no_grad",
    "numpy",
    "spec",
    "stop_gradient",
    "tree",
    "value_and_grad",
    "vjp",
    "vmap",
]
