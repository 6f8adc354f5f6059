"""lazir: a lazy graph-building compiler for tensor programs."""

from __future__ import annotations

from . import (
    checkpoint_policies,
    config,
    debug,
    errors,
    fft,
    flatten_util,
    lax,
    linalg,
    nn,
    numpy,
    ops,
    optim,
    random,
    scipy,
    special,
    tree,
    tree_util,
    typing,
)
from .ad_checkpoint import checkpoint, checkpoint_name, remat
from .autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from .batching import vmap
from .compiled import compile, jit
from .control import cond, fori_loop, map, scan, switch, while_loop
from .custom import custom_jvp, custom_vjp
from .dtypes import (
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .hosts import check, io_callback, pure_callback
from .implicit import check_grad, closure_convert, linear_transpose
from .jacobians import hessian, jacfwd, jacobian, jacrev
from .methods import block_until_ready, device_get, device_put, empty_cache
from .nn.init import manual_seed
from .numpy import where
from .numpy.creation import from_dlpack
from .places import default_backend, device_count, devices
from .public import listing
from .signature import Spec as ShapeDtypeStruct
from .signature import spec
from .storage import load, save
from .tensor import Tensor
from .tensor import Tensor as Array
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
    "Array",
    "ShapeDtypeStruct",
    "Tensor",
    "bfloat16",
    "block_until_ready",
    "bool_",
    "check",
    "check_grad",
    "checkpoint",
    "checkpoint_name",
    "checkpoint_policies",
    "closure_convert",
    "compile",
    "complex64",
    "complex128",
    "cond",
    "config",
    "custom_jvp",
    "custom_vjp",
    "debug",
    "default_backend",
    "device_count",
    "device_get",
    "device_put",
    "devices",
    "empty_cache",
    "enable_grad",
    "errors",
    "eval_shape",
    "fft",
    "flatten_util",
    "float16",
    "float32",
    "float64",
    "fori_loop",
    "from_dlpack",
    "get_default_dtype",
    "grad",
    "hessian",
    "inference_mode",
    "int8",
    "int16",
    "int32",
    "int64",
    "io_callback",
    "is_grad_enabled",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "lax",
    "linalg",
    "linear_transpose",
    "linearize",
    "load",
    "manual_seed",
    "map",
    "nn",
    "no_grad",
    "numpy",
    "ops",
    "optim",
    "pure_callback",
    "random",
    "remat",
    "save",
    "scan",
    "scipy",
    "set_default_dtype",
    "set_grad_enabled",
    "spec",
    "special",
    "stop_gradient",
    "switch",
    "tree",
    "tree_util",
    "typing",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "value_and_grad",
    "vjp",
    "vmap",
    "where",
    "while_loop",
]
__dir__ = listing(__name__)
