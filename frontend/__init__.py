"""lazir: a lazy graph-building compiler for tensor programs."""

from __future__ import annotations

from . import errors, nn, numpy, optim, random, tree
from .autograd import enable_grad, no_grad
from .batching import vmap
from .compiled import compile, jit
from .control import cond, fori_loop, map, scan, switch, while_loop
from .custom import checkpoint, custom_jvp, custom_vjp, remat
from .jacobians import hessian, jacfwd, jacobian, jacrev
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
    "checkpoint",
    "compile",
    "cond",
    "custom_jvp",
    "custom_vjp",
    "enable_grad",
    "errors",
    "eval_shape",
    "fori_loop",
    "grad",
    "hessian",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "linearize",
    "map",
    "nn",
    "no_grad",
    "numpy",
    "optim",
    "random",
    "remat",
    "scan",
    "spec",
    "stop_gradient",
    "switch",
    "tree",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
]
